//! Upkeep: removes, now and then, what no rule needs any more, and gives back the room.

use std::sync::Arc;
use std::time::Duration;

use crate::runtime::clock::Clock;
use crate::runtime::shutdown::Stop;
use crate::store::Store;

/// Between two rounds.
const INTERVAL: Duration = Duration::from_secs(600);

/// Between two calls of one round, so that work goes on meanwhile.
const BREATH: Duration = Duration::from_millis(200);

/// Packing makes everybody wait for a moment, so it is not done more often than this.
const PACKED_EVERY: Duration = Duration::from_secs(3_600);

/// What the worker is given.
pub struct Options {
    pub store: Arc<dyn Store>,
    pub clock: Clock,
}

/// Prunes in small bites until *begin*; ends early only when the store fails.
pub async fn run(options: Options, stop: Stop) {
    let mut wait = INTERVAL;
    let mut packed_at = tokio::time::Instant::now();
    loop {
        tokio::select! {
            () = stop.begin.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
        match options.store.prune(options.clock.now()).await {
            Ok(0) => {
                wait = INTERVAL;
                if packed_at.elapsed() < PACKED_EVERY {
                    continue;
                }
                match options.store.pack().await {
                    Ok(is_packed) if is_packed => {
                        packed_at = tokio::time::Instant::now();
                        tracing::debug!("packed the store");
                    }
                    Ok(_) => {}
                    Err(error) => {
                        tracing::error!(%error, "upkeep stopped: the store could not be packed");
                        return;
                    }
                }
            }
            Ok(rows) => {
                tracing::debug!(rows, "pruned");
                wait = BREATH;
            }
            Err(error) => {
                tracing::error!(%error, "upkeep stopped: the store did not answer");
                return;
            }
        }
    }
}
