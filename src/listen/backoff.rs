//! Growing pauses between attempts.

use std::time::Duration;

use crate::runtime::chance;

/// Doubles from `shortest` to `longest`, each time a random part between half and all of it, so
/// that many who failed together don't come back together.
#[derive(Debug)]
pub(crate) struct Backoff {
    shortest: Duration,
    longest: Duration,
    failures: u32,
}

impl Backoff {
    pub(crate) const fn new(shortest: Duration, longest: Duration) -> Self {
        Self { shortest, longest, failures: 0 }
    }

    /// The pause after one more failure.
    pub(crate) fn next(&mut self) -> Duration {
        let pause = self.ceiling();
        self.failures = self.failures.saturating_add(1);
        pause.mul_f64(0.5 + chance::share() / 2.0)
    }

    /// Nothing has failed since the last success.
    pub(crate) fn is_fresh(&self) -> bool {
        self.failures == 0
    }

    /// After a success the next pause is the shortest again. Answers whether anything had failed.
    pub(crate) fn reset(&mut self) -> bool {
        let had_failed = !self.is_fresh();
        self.failures = 0;
        had_failed
    }

    fn ceiling(&self) -> Duration {
        let factor = 2_u32.checked_pow(self.failures).unwrap_or(u32::MAX);
        self.shortest.saturating_mul(factor).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_start_again() {
        let (shortest, longest) = (Duration::from_secs(1), Duration::from_secs(60));
        let mut backoff = Backoff::new(shortest, longest);
        assert!(!backoff.reset());
        for ceiling in [1, 2, 4, 8, 16, 32, 60, 60].map(Duration::from_secs) {
            let pause = backoff.next();
            assert!(pause >= ceiling / 2 && pause <= ceiling, "{pause:?} of {ceiling:?}");
        }
        for _ in 0..100 {
            assert!(backoff.next() <= longest);
        }
        assert!(backoff.reset());
        assert!(backoff.next() <= shortest);
    }
}
