//! The only place that asks what time it is.

use std::time::Duration;

use crate::model::time::Timestamp;

/// Tells the time. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Clock {
    from: From,
}

#[derive(Clone, Debug)]
enum From {
    System,
    /// Wall time runs with tokio's time from a fixed start; it can be paused in tests.
    Tokio {
        wall: Timestamp,
        started: tokio::time::Instant,
    },
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self { from: From::System }
    }

    /// A clock that starts at `wall` now and runs with tokio's time.
    pub fn starting_at(wall: Timestamp) -> Self {
        Self { from: From::Tokio { wall, started: tokio::time::Instant::now() } }
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the machine")]
    pub fn now(&self) -> Timestamp {
        match &self.from {
            From::System => Timestamp::from_jiff(jiff::Timestamp::now()),
            From::Tokio { wall, started } => *wall + started.elapsed(),
        }
    }

    /// How long until `at`; zero when it has come.
    pub fn until(&self, at: Timestamp) -> Duration {
        at.since(self.now())
    }
}
