//! Tells the services where we listen, and looks from time to time whether they still know.
//!
//! Telegram's webhook may be set elsewhere by whoever has the token, or fail; Messenger unsubscribes
//! an app that failed to answer for an hour, and says so to nobody. What is lost is told again;
//! what was found is noted in the [`Reception`], and logged when it changes.

use std::time::Duration;

use tokio::time::Instant;
use url::Url;

use crate::channel::{messenger, telegram};
use crate::listen::backoff::Backoff;
use crate::listen::health::{self, Finding};
use crate::model::name::Name;
use crate::model::secret::SecretString;
use crate::model::time::Timestamp;
use crate::runtime::chance;
use crate::runtime::clock::Clock;
use crate::runtime::reception::{Heard, Reception, Turn, Way};
use crate::runtime::shutdown::Stop;

/// How often a page's subscription is renewed, whatever the service says of it.
const RENEWAL_INTERVAL: Duration = Duration::from_secs(3600);

/// How often a service is asked whether it still knows; a random part of up to a fifth is added.
pub const LOOK_INTERVAL: Duration = Duration::from_secs(300);

const FAILURE_PAUSE_MIN: Duration = Duration::from_secs(1);

const FAILURE_PAUSE_MAX: Duration = Duration::from_secs(600);

/// Whom to tell what.
pub struct Options {
    pub channel: Name,
    pub news: News,
    pub clock: Clock,
    /// Where it is noted how the service stands to us.
    pub reception: Reception,
    /// [`LOOK_INTERVAL`] suits.
    pub look_interval: Duration,
}

/// What a service is told.
pub enum News {
    /// Updates of the bot are to be brought to `url` with `secret`.
    Webhook { client: telegram::api::Client, url: Url, secret: SecretString },
    /// The page's events are wanted. The address itself is entered in the app's dashboard.
    Page { client: messenger::api::Client },
}

/// Tells one service until it has heard, and then looks until *begin* whether it still knows.
///
/// A failure is logged when it begins and when it is over, and never ends the worker.
pub async fn run(options: Options, stop: Stop) {
    tokio::select! {
        biased;
        () = stop.begin.cancelled() => {}
        () = watch(&options) => {}
    }
}

async fn watch(options: &Options) {
    let channel = &options.channel;
    let mut backoff = Backoff::new(FAILURE_PAUSE_MIN, FAILURE_PAUSE_MAX);
    let mut told: Option<(Timestamp, Instant)> = None;
    loop {
        let Some((told_at, since)) = told else {
            let now = options.clock.now();
            match tell(&options.news).await {
                Ok(()) => {
                    if backoff.reset() {
                        tracing::info!(channel.id = %channel, "the service knows where we listen");
                    }
                    told = Some((now, Instant::now()));
                }
                Err(error) => {
                    if backoff.is_fresh() {
                        tracing::warn!(
                            channel.id = %channel, error,
                            "the service could not be told where we listen"
                        );
                    }
                    let trouble = Some(format!("the service could not be told of us: {error}"));
                    note(options, Finding { trouble, ..Finding::default() });
                    tokio::time::sleep(backoff.next()).await;
                }
            }
            continue;
        };
        let is_lost = look(options, told_at).await;
        let pause = options.look_interval.mul_f64(1.0 + chance::share() / 5.0);
        tokio::time::sleep(pause).await;
        let is_old =
            matches!(options.news, News::Page { .. }) && since.elapsed() >= RENEWAL_INTERVAL;
        if is_lost || is_old {
            told = None;
        }
    }
}

/// Asks the service how it stands to us, and answers whether it must be told again.
///
/// What was lost is told in a moment, not at once: two daemons that fight for one bot would keep
/// each other busy.
async fn look(options: &Options, told_at: Timestamp) -> bool {
    let channel = &options.channel;
    let found = match &options.news {
        News::Webhook { client, url, .. } => match client.webhook_info().await {
            Ok(info) => Ok(health::of_webhook(&info, url, told_at, options.clock.now())),
            Err(error) => Err(error.to_string()),
        },
        News::Page { client } => match client.missing_fields().await {
            Ok(missing) => Ok(health::of_subscription(missing.as_deref())),
            Err(error) => Err(error.to_string()),
        },
    };
    let finding = match found {
        Ok(finding) => finding,
        Err(why) => {
            let trouble = Some(format!("the service does not say how it reaches us: {why}"));
            Finding { trouble, ..Finding::default() }
        }
    };
    let is_lost = finding.is_lost;
    match note(options, finding) {
        (Turn::Worse, Some(trouble)) if is_lost => {
            tracing::warn!(channel.id = %channel, trouble, "the service is told again where we listen");
        }
        (Turn::Worse, Some(trouble)) => {
            tracing::warn!(channel.id = %channel, trouble, "what people do may not reach us");
        }
        (Turn::Better, _) => {
            tracing::info!(channel.id = %channel, "what people do reaches us again");
        }
        (Turn::Worse | Turn::Same, _) => {}
    }
    is_lost
}

fn note(options: &Options, finding: Finding) -> (Turn, Option<String>) {
    let way = match options.news {
        News::Webhook { .. } => Way::Webhook,
        News::Page { .. } => Way::Subscription,
    };
    let Finding { pending, trouble, .. } = finding;
    let heard = Heard { way, at: options.clock.now(), pending, trouble: trouble.clone() };
    (options.reception.note(&options.channel, heard), trouble)
}

async fn tell(news: &News) -> Result<(), String> {
    match news {
        News::Webhook { client, url, secret } => {
            client.set_webhook(url, secret).await.map_err(|error| error.to_string())
        }
        News::Page { client } => client.subscribe().await.map_err(|error| error.to_string()),
    }
}
