//! Tells the services where we listen, until they have heard it.
//!
//! Telegram is told once a run. Messenger is told again from time to time: it unsubscribes whoever
//! failed to answer for an hour, and says so to nobody.

use std::time::Duration;

use url::Url;

use crate::channel::{messenger, telegram};
use crate::listen::backoff::Backoff;
use crate::model::name::Name;
use crate::model::secret::SecretString;
use crate::runtime::shutdown::Stop;

/// How often a page's subscription is renewed.
const RENEWAL_INTERVAL: Duration = Duration::from_secs(3600);

const FAILURE_PAUSE_MIN: Duration = Duration::from_secs(1);

const FAILURE_PAUSE_MAX: Duration = Duration::from_secs(600);

/// Whom to tell what.
pub struct Options {
    pub channel: Name,
    pub news: News,
}

/// What a service is told.
pub enum News {
    /// Updates of the bot are to be brought to `url` with `secret`.
    Webhook { client: telegram::api::Client, url: Url, secret: SecretString },
    /// The page's events are wanted. The address itself is entered in the app's dashboard.
    Page { client: messenger::api::Client },
}

/// Tells one service until it has heard, and goes on telling a page's until *begin*.
///
/// A failure is logged when it begins and when it is over, and never ends the worker.
pub async fn run(options: Options, stop: Stop) {
    let channel = &options.channel;
    let mut backoff = Backoff::new(FAILURE_PAUSE_MIN, FAILURE_PAUSE_MAX);
    loop {
        let told = tokio::select! {
            biased;
            () = stop.begin.cancelled() => return,
            told = tell(&options.news) => told,
        };
        let pause = match told {
            Ok(()) => {
                if backoff.reset() {
                    tracing::info!(channel.id = %channel, "the service knows where we listen");
                }
                matches!(options.news, News::Page { .. }).then_some(RENEWAL_INTERVAL)
            }
            Err(error) => {
                if backoff.is_fresh() {
                    tracing::warn!(
                        channel.id = %channel, error,
                        "the service could not be told where we listen"
                    );
                }
                Some(backoff.next())
            }
        };
        let pause = async {
            match pause {
                Some(pause) => tokio::time::sleep(pause).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = stop.begin.cancelled() => return,
            () = pause => {}
        }
    }
}

async fn tell(news: &News) -> Result<(), String> {
    match news {
        News::Webhook { client, url, secret } => {
            client.set_webhook(url, secret).await.map_err(|error| error.to_string())
        }
        News::Page { client } => client.subscribe().await.map_err(|error| error.to_string()),
    }
}
