//! Long polling: a bot's updates read by asking for them.
//!
//! One worker a bot; the service allows no second reader. What was read is durable, together with
//! the place where reading goes on, before the next question confirms it. Numbers of updates may
//! start anew after a quiet week, so the place follows the newest batch and is never compared.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::channel::telegram::api::Client;
use crate::channel::telegram::errors::ApiError;
use crate::channel::telegram::updates;
use crate::listen::backoff::Backoff;
use crate::listen::believe_times;
use crate::model::name::Name;
use crate::runtime::clock::Clock;
use crate::runtime::meters::Meters;
use crate::runtime::reception::{Heard, Reception, Way};
use crate::runtime::shutdown::Stop;
use crate::runtime::wakes::Wakes;
use crate::store::{Store, StoreError};

/// How long the service keeps a question open when there is nothing new; its own limit is 50 s.
pub const PATIENCE: Duration = Duration::from_secs(50);

/// Shortest time of a question that brought nothing: a server that does not keep it open is not
/// asked in a circle.
const EMPTY_TIME_MIN: Duration = Duration::from_secs(1);

const FAILURE_PAUSE_MIN: Duration = Duration::from_secs(1);

const FAILURE_PAUSE_MAX: Duration = Duration::from_secs(60);

/// After a refusal that a person must end, or a second reader.
const REFUSAL_PAUSE: Duration = Duration::from_secs(60);

/// What one reader needs.
pub struct Options {
    pub store: Arc<dyn Store>,
    pub clock: Clock,
    pub wakes: Wakes,
    pub meters: Meters,
    pub channel: Name,
    pub client: Client,
    /// Where it is noted how reading goes.
    pub reception: Reception,
    /// [`PATIENCE`] suits.
    pub patience: Duration,
}

/// Reads until *begin*, which drops the question under way; what was read is kept first.
///
/// Ends by itself when the store has failed, which is logged.
pub async fn run(options: Options, stop: Stop) {
    if let Err(error) = read(&options, &stop).await {
        let channel = &options.channel;
        tracing::error!(channel.id = %channel, %error, "updates could not be kept");
    }
}

async fn read(options: &Options, stop: &Stop) -> Result<(), StoreError> {
    let mut offset = options.store.load_cursor(&options.channel).await?;
    let mut trouble = Trouble::new(options.channel.clone());
    loop {
        let asked_at = Instant::now();
        let asked = tokio::select! {
            biased;
            () = stop.begin.cancelled() => return Ok(()),
            asked = options.client.updates(offset, options.patience) => asked,
        };
        let pause = match asked {
            Ok(updates) => {
                trouble.is_over();
                note(options, None);
                let next = keep(options, &updates).await?;
                let has_moved = next.is_some() && next != offset;
                offset = next.or(offset);
                if has_moved {
                    continue;
                }
                EMPTY_TIME_MIN.saturating_sub(asked_at.elapsed())
            }
            Err(error) => {
                let pause = trouble.has_come(&error);
                note(options, Some(format!("updates were not read: {error}")));
                if let ApiError::Conflict { by_webhook: true, .. } = error {
                    // The settings ask for polling: a webhook of earlier days is taken away. If
                    // that fails, the conflict comes again.
                    let channel = &options.channel;
                    if options.client.delete_webhook().await.is_ok() {
                        tracing::warn!(
                            channel.id = %channel,
                            "a webhook of this bot stood in the way and was taken away"
                        );
                    }
                }
                pause
            }
        };
        tokio::select! {
            biased;
            () = stop.begin.cancelled() => return Ok(()),
            () = tokio::time::sleep(pause) => {}
        }
    }
}

fn note(options: &Options, trouble: Option<String>) {
    let heard = Heard { way: Way::Polling, at: options.clock.now(), pending: None, trouble };
    // The reader logs its own troubles.
    let _ = options.reception.note(&options.channel, heard);
}

/// Keeps what the updates tell, and answers where reading goes on; `None` when none had a number.
async fn keep(options: &Options, updates: &[Value]) -> Result<Option<i64>, StoreError> {
    let Some(newest) = updates.iter().filter_map(updates::id).max() else { return Ok(None) };
    let next = newest.saturating_add(1);
    let now = options.clock.now();
    let mut events: Vec<_> =
        updates.iter().flat_map(|update| updates::read(&options.channel, update, now)).collect();
    believe_times(&mut events, now);
    let cursor = Some((options.channel.clone(), next));
    let told = events.len();
    let new = options.store.commit_events(events, cursor, now).await?;
    let repeated = told.saturating_sub(new);
    options.meters.count_events(&options.channel, "kept", new as u64);
    options.meters.count_events(&options.channel, "repeated", repeated as u64);
    if new > 0 {
        options.wakes.events.notify_one();
    }
    Ok(Some(next))
}

/// Keeps failures apart in the log: one line when a kind of failure begins, one when all is well.
struct Trouble {
    channel: Name,
    backoff: Backoff,
    last: Option<std::mem::Discriminant<ApiError>>,
}

impl Trouble {
    fn new(channel: Name) -> Self {
        let backoff = Backoff::new(FAILURE_PAUSE_MIN, FAILURE_PAUSE_MAX);
        Self { channel, backoff, last: None }
    }

    /// How long to wait before asking again.
    fn has_come(&mut self, error: &ApiError) -> Duration {
        let kind = Some(std::mem::discriminant(error));
        if self.last != kind {
            self.last = kind;
            let channel = &self.channel;
            match error {
                ApiError::CredentialsRefused { .. } => {
                    tracing::error!(channel.id = %channel, %error, "updates were refused");
                }
                _ => tracing::warn!(channel.id = %channel, %error, "updates were not read"),
            }
        }
        let pause = self.backoff.next();
        match error {
            ApiError::Throttled { after: Some(after) } => *after + pause.min(FAILURE_PAUSE_MIN),
            ApiError::Conflict { by_webhook: false, .. } | ApiError::CredentialsRefused { .. } => {
                REFUSAL_PAUSE
            }
            ApiError::Conflict { by_webhook: true, .. }
            | ApiError::Throttled { after: None }
            | ApiError::Failed { .. } => pause,
        }
    }

    fn is_over(&mut self) {
        if self.backoff.reset() {
            self.last = None;
            tracing::info!(channel.id = %self.channel, "updates are read again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_d08_a_pause_that_was_told_is_kept() {
        let mut trouble = Trouble::new(Name::parse("newsbot").unwrap());
        let told = Duration::from_secs(17);
        for _ in 0..10 {
            let pause = trouble.has_come(&ApiError::Throttled { after: Some(told) });
            assert!(pause >= told && pause <= told + FAILURE_PAUSE_MIN, "{pause:?}");
        }
        let refused = ApiError::CredentialsRefused { why: "Unauthorized".into() };
        assert_eq!(trouble.has_come(&refused), REFUSAL_PAUSE);
        trouble.is_over();
        let failed = ApiError::Failed { why: "x".into() };
        assert!(trouble.has_come(&failed) <= FAILURE_PAUSE_MIN);
    }
}
