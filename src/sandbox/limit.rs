//! How often something may happen: strict sliding windows.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// At most `messages` in any span of `window`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub messages: u32,
    pub window: Duration,
}

impl Limit {
    pub const fn new(messages: u32, window: Duration) -> Self {
        Self { messages, window }
    }
}

/// What passed within the last window.
#[derive(Debug, Default)]
pub(crate) struct Window {
    passed: VecDeque<Instant>,
}

impl Window {
    /// `None` when one more may pass now; else how long until it may.
    pub(crate) fn wait(&mut self, limit: Limit, now: Instant) -> Option<Duration> {
        while self.passed.front().is_some_and(|at| now.duration_since(*at) >= limit.window) {
            self.passed.pop_front();
        }
        let allowed = usize::try_from(limit.messages).unwrap_or(usize::MAX);
        if self.passed.len() < allowed {
            return None;
        }
        // Of more than are allowed, as when some were paid for, one has to leave.
        let first = self.passed.get(self.passed.len() - allowed)?;
        Some(limit.window.saturating_sub(now.duration_since(*first)))
    }

    pub(crate) fn note(&mut self, now: Instant) {
        self.passed.push_back(now);
    }

    /// How much of the limit is used, in percent.
    pub(crate) fn used_percent(&self, limit: Limit) -> u64 {
        let passed = u64::try_from(self.passed.len()).unwrap_or(u64::MAX);
        passed.saturating_mul(100) / u64::from(limit.messages.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_span_of_a_window_holds_more_than_the_limit() {
        let limit = Limit::new(2, Duration::from_secs(1));
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut window = Window::default();
        for millis in [0, 900] {
            assert_eq!(window.wait(limit, at(millis)), None);
            window.note(at(millis));
        }
        assert_eq!(window.wait(limit, at(950)), Some(Duration::from_millis(50)));
        assert_eq!(window.wait(limit, at(1000)), None);
        window.note(at(1000));
        assert_eq!(window.wait(limit, at(1500)), Some(Duration::from_millis(400)));
        assert_eq!(window.used_percent(limit), 100);
    }
}
