//! Holding back while a service does not answer as it should.
//!
//! ```text
//! closed ──a failure──▶ open (wait, doubling) ──time──▶ probing (one request) ──success──▶ closed
//!                          ▲                                  └──────failure──────┘
//! ```

use std::time::Duration;

use tokio::time::Instant;

/// The first wait.
pub const WAIT_MIN: Duration = Duration::from_secs(1);

/// The longest wait.
pub const WAIT_MAX: Duration = Duration::from_secs(60);

/// Counts failures in a row and says when the next request may go.
#[derive(Debug, Default)]
pub struct Breaker {
    failures: u32,
    open_until: Option<Instant>,
}

impl Breaker {
    /// The service answered with sense.
    pub fn succeed(&mut self) {
        self.failures = 0;
        self.open_until = None;
    }

    /// The service did not; several requests that fail together count once.
    ///
    /// `jitter` is 0.0 to 1.0 and shortens the wait by up to a quarter.
    pub fn fail(&mut self, now: Instant, jitter: f64) {
        if self.open_until.is_some_and(|until| now < until) {
            return;
        }
        let doubled = WAIT_MIN.saturating_mul(1 << self.failures.min(6)).min(WAIT_MAX);
        self.failures = self.failures.saturating_add(1);
        self.open_until = Some(now + doubled.mul_f64(1.0 - 0.25 * jitter.clamp(0.0, 1.0)));
    }

    /// When the next request may go; `None`: now.
    pub fn open_until(&self) -> Option<Instant> {
        self.open_until
    }

    /// Only one request at a time may be under way, to see whether the service is back.
    pub fn is_probing(&self) -> bool {
        self.failures > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_cap() {
        let mut now = Instant::now();
        let mut breaker = Breaker::default();
        let mut waits = Vec::new();
        for _ in 0..9 {
            breaker.fail(now, 0.0);
            let until = breaker.open_until().unwrap_or(now);
            waits.push((until - now).as_secs());
            now = until;
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }

    #[test]
    fn failures_of_one_moment_count_once() {
        let now = Instant::now();
        let mut breaker = Breaker::default();
        for _ in 0..100 {
            breaker.fail(now, 0.0);
        }
        assert_eq!(breaker.open_until(), Some(now + WAIT_MIN));
    }

    #[test]
    fn a_success_closes_it() {
        let mut breaker = Breaker::default();
        breaker.fail(Instant::now(), 0.5);
        assert!(breaker.is_probing());
        breaker.succeed();
        assert!(!breaker.is_probing() && breaker.open_until().is_none());
    }
}
