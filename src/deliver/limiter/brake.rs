//! Slowing down before a service that tells how much of its limit is used has to refuse.
//!
//! Source: Meta, "Rate limits": the headers `X-App-Usage` and `X-Business-Use-Case-Usage`.

use std::time::Duration;

use tokio::time::Instant;

use crate::channel::Usage;

/// From this percentage on the rate is lowered …
pub const SLOW_FROM: u32 = 75;

/// … and at this one nothing is sent any more.
pub const STOP_FROM: u32 = 95;

/// The share of the rate that is left right below [`STOP_FROM`], and after a stop.
pub const SHARE_MIN: f64 = 0.1;

/// The first stop where the service does not say how long; each further one is twice as long.
pub const STOP: Duration = Duration::from_secs(60);

/// The longest stop where the service does not say how long.
pub const STOP_MAX: Duration = Duration::from_secs(3_600);

/// The longest stop that a service is believed: its windows are of a day.
pub const REGAIN_MAX: Duration = Duration::from_secs(86_400);

/// What was told so long ago says nothing any more.
const STALE_AFTER: Duration = Duration::from_secs(300);

/// How far a channel is braked.
#[derive(Debug, Default)]
pub struct Brake {
    /// What is left of the rate; `None` while nothing was told.
    share: Option<(f64, Instant)>,
    stopped_until: Option<Instant>,
    stops: u32,
}

impl Brake {
    /// The service told how much is used. Answers how long nothing may be sent, if it is too much;
    /// what was under way when it said so changes nothing more.
    pub fn told(&mut self, usage: Usage, now: Instant) -> Option<Duration> {
        self.share = Some((share(usage.percent), now));
        if usage.percent < STOP_FROM {
            if self.stopped_until.is_none_or(|until| until <= now) {
                (self.stops, self.stopped_until) = (0, None);
            }
            return None;
        }
        if self.stopped_until.is_some_and(|until| until > now) {
            return None;
        }
        let doubled = STOP.saturating_mul(1 << self.stops.min(6)).min(STOP_MAX);
        let wait = if usage.regain.is_zero() { doubled } else { usage.regain.min(REGAIN_MAX) };
        self.stops += 1;
        self.stopped_until = Some(now + wait);
        Some(wait)
    }

    /// The share of the rate that may be used.
    pub fn share(&self, now: Instant) -> f64 {
        let Some((share, told_at)) = self.share else { return 1.0 };
        // During a stop nothing newer can be told.
        let since = self.stopped_until.map_or(told_at, |until| told_at.max(until.min(now)));
        if now.saturating_duration_since(since) < STALE_AFTER { share } else { 1.0 }
    }
}

/// One up to [`SLOW_FROM`], then down to [`SHARE_MIN`] at [`STOP_FROM`].
fn share(percent: u32) -> f64 {
    let above = f64::from(percent.clamp(SLOW_FROM, STOP_FROM) - SLOW_FROM);
    1.0 - (1.0 - SHARE_MIN) * above / f64::from(STOP_FROM - SLOW_FROM)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(percent: u32, minutes: u64) -> Usage {
        Usage { percent, regain: Duration::from_secs(60 * minutes) }
    }

    #[test]
    fn the_rate_falls_from_three_quarters_on() {
        let now = Instant::now();
        for (percent, expected) in [(0, 1.0), (74, 1.0), (75, 1.0), (85, 0.55), (94, 0.145)] {
            let mut brake = Brake::default();
            assert_eq!(brake.told(used(percent, 0), now), None);
            assert!((brake.share(now) - expected).abs() < 0.001, "{percent}: {}", brake.share(now));
            assert!((brake.share(now + STALE_AFTER) - 1.0).abs() < 0.001);
        }
    }

    #[test]
    fn it_stops_for_as_long_as_was_told_once_for_all_that_was_under_way() {
        let now = Instant::now();
        let mut brake = Brake::default();
        assert_eq!(brake.told(used(97, 5), now), Some(Duration::from_secs(300)));
        assert_eq!(brake.told(used(100, 9), now + Duration::from_secs(1)), None);
        let later = now + Duration::from_secs(300);
        assert!((brake.share(later) - SHARE_MIN).abs() < 0.001, "slowly after a stop");
        assert_eq!(brake.told(used(95, 99_999), later), Some(REGAIN_MAX));
    }

    #[test]
    fn without_a_time_each_stop_is_twice_as_long() {
        let mut now = Instant::now();
        let mut brake = Brake::default();
        let mut waits = Vec::new();
        for _ in 0..8 {
            let wait = brake.told(used(100, 0), now).unwrap();
            waits.push(wait.as_secs());
            now += wait;
        }
        assert_eq!(waits, [60, 120, 240, 480, 960, 1_920, 3_600, 3_600]);
        assert_eq!(brake.told(used(10, 0), now), None);
        assert_eq!(brake.told(used(100, 0), now), Some(STOP));
    }
}
