//! What a bot is called: Telegram is asked, for the links that lead to it.
//!
//! The name is kept, so that pages have their links from the first moment of the next run. A bot
//! may be called otherwise one day, so it is asked again each day.

use std::sync::Arc;
use std::time::Duration;

use crate::channel::telegram::api::Client;
use crate::channel::telegram::errors::ApiError;
use crate::listen::backoff::Backoff;
use crate::model::name::Name;
use crate::runtime::shutdown::Stop;
use crate::store::Store;

const AGAIN_AFTER: Duration = Duration::from_secs(86_400);

const FAILURE_PAUSE_MIN: Duration = Duration::from_secs(1);

const FAILURE_PAUSE_MAX: Duration = Duration::from_secs(600);

/// Whom to ask, and where to keep it.
pub struct Options {
    pub channel: Name,
    pub client: Client,
    pub store: Arc<dyn Store>,
}

/// Asks until *begin*. A failure is logged when it begins, and never ends the worker; a store that
/// has failed does.
pub async fn run(options: Options, stop: Stop) {
    let Options { channel, client, store } = options;
    let mut backoff = Backoff::new(FAILURE_PAUSE_MIN, FAILURE_PAUSE_MAX);
    loop {
        let asked = tokio::select! {
            biased;
            () = stop.begin.cancelled() => return,
            asked = client.me() => asked,
        };
        let pause = match asked {
            Ok(me) => {
                let kept = match store.load_bot(&channel).await {
                    Ok(Some(known)) if known == me.username => Ok(()),
                    Ok(_) => store.commit_bot(&channel, me.username).await,
                    Err(error) => Err(error),
                };
                if let Err(error) = kept {
                    tracing::error!(channel.id = %channel, %error, "the bot's name was not kept");
                    return;
                }
                backoff.reset();
                AGAIN_AFTER
            }
            Err(error) => {
                if backoff.is_fresh() {
                    tracing::warn!(
                        channel.id = %channel, %error,
                        "the bot's name is not known: pages that lead to it have no link"
                    );
                }
                let pause = backoff.next();
                match error {
                    ApiError::Throttled { after: Some(after) } => after + pause,
                    ApiError::CredentialsRefused { .. } => FAILURE_PAUSE_MAX,
                    _ => pause,
                }
            }
        };
        tokio::select! {
            biased;
            () = stop.begin.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}
