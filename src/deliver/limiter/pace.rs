//! The rate that a service grants, found by being refused.
//!
//! It begins at the rate of the settings, which is never passed. A refusal lowers it a little,
//! another one soon after halves it; time without one raises it step by step, back to where it
//! began. Near the rate that was refused last the steps are small, so that a limit below the
//! settings' is found once and then only touched now and then.

use std::time::Duration;

use tokio::time::Instant;

use crate::model::pacing::Learned;
use crate::runtime::clock::Clock;

/// What a first refusal leaves of the rate: it may have been a hiccup of the net.
pub const FIRST_DECREASE: f64 = 0.9;

/// What every refusal leaves that comes so soon after the wait for the one before.
pub const DECREASE: f64 = 0.5;
pub const SOON: Duration = Duration::from_secs(120);

/// The rate never falls below this share of the settings'.
pub const SHARE_MIN: f64 = 0.02;

/// Between two steps up.
pub const STEP_EVERY: Duration = Duration::from_secs(10);

/// One step, as a share of the settings' rate.
pub const STEP: f64 = 1.0 / 30.0;

/// From this share of the refused rate on the steps are so much smaller.
pub const NEAR: f64 = 0.9;
pub const NEAR_STEP: f64 = 0.05;

/// A refusal older than this says nothing any more.
pub const FORGOTTEN_AFTER: Duration = Duration::from_secs(3_600);

/// How fast requests may follow each other now.
#[derive(Clone, Debug)]
pub struct Pace {
    ceiling: f64,
    rate: f64,
    refused: Option<Refused>,
    /// Steps are counted from here.
    changed_at: Instant,
}

#[derive(Clone, Copy, Debug)]
struct Refused {
    rate: f64,
    at: Instant,
    /// The wait that was asked for is over.
    over_at: Instant,
}

impl Pace {
    /// `ceiling` is the settings' rate, in messages a second.
    pub fn new(ceiling: f64, now: Instant) -> Self {
        Self { ceiling, rate: ceiling, refused: None, changed_at: now }
    }

    /// Goes on where an earlier run was.
    pub fn resume(&mut self, learned: &Learned, clock: &Clock, now: Instant) {
        let ago = clock.now().since(learned.refused_at);
        if ago >= FORGOTTEN_AFTER || !learned.rate.is_finite() {
            return;
        }
        self.rate = learned.rate.clamp(self.ceiling * SHARE_MIN, self.ceiling);
        let at = now.checked_sub(ago).unwrap_or(now);
        self.refused = Some(Refused { rate: learned.refused_rate, at, over_at: now });
        self.changed_at = now;
    }

    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// What a later run is to know; `None` when there is nothing to know.
    pub fn learned(&self, clock: &Clock, now: Instant) -> Option<Learned> {
        let refused = self.refused?;
        let refused_at = clock.now() - now.saturating_duration_since(refused.at);
        Some(Learned { rate: self.rate, refused_rate: refused.rate, refused_at })
    }

    /// The service refused a request that was begun at `begun`, and asked to wait for `wait`.
    ///
    /// Requests that were under way together are refused together: they count once.
    pub fn refuse(&mut self, begun: Instant, now: Instant, wait: Duration) -> bool {
        if self.refused.is_some_and(|refused| begun <= refused.at) {
            return false;
        }
        let is_soon = self
            .refused
            .is_some_and(|refused| now.saturating_duration_since(refused.over_at) < SOON);
        let left = if is_soon { DECREASE } else { FIRST_DECREASE };
        self.refused = Some(Refused { rate: self.rate, at: now, over_at: now + wait });
        self.rate = (self.rate * left).max(self.ceiling * SHARE_MIN);
        self.changed_at = now + wait;
        true
    }

    /// Raises the rate by what the time since the last change is good for; answers whether it did.
    pub fn recover(&mut self, now: Instant) -> bool {
        let Some(refused) = self.refused else { return false };
        if now.saturating_duration_since(refused.at) >= FORGOTTEN_AFTER && self.rate >= self.ceiling
        {
            self.refused = None;
            return true;
        }
        if self.rate >= self.ceiling {
            self.changed_at = now;
            return false;
        }
        let before = self.rate;
        while self.rate < self.ceiling
            && now.saturating_duration_since(self.changed_at) >= STEP_EVERY
        {
            self.changed_at += STEP_EVERY;
            let step = self.ceiling * STEP;
            let near = refused.rate * NEAR;
            let raised = if self.rate < near {
                (self.rate + step).min(near)
            } else {
                self.rate + step * NEAR_STEP
            };
            self.rate = raised.min(self.ceiling);
        }
        self.rate > before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_of_one_moment_count_once_and_the_next_one_halves() {
        let now = Instant::now();
        let mut pace = Pace::new(30.0, now);
        let later = now + Duration::from_secs(1);
        for begun in [now, now + Duration::from_millis(500), later] {
            pace.refuse(begun, later, Duration::ZERO);
        }
        assert!((pace.rate() - 27.0).abs() < 0.01, "{}", pace.rate());
        pace.refuse(later + Duration::from_millis(1), later + Duration::from_secs(1), STEP_EVERY);
        assert!((pace.rate() - 13.5).abs() < 0.01, "{}", pace.rate());
        // A long while later it is a hiccup again.
        let much_later = later + STEP_EVERY + SOON + Duration::from_secs(5);
        pace.refuse(much_later, much_later, Duration::ZERO);
        assert!((pace.rate() - 12.15).abs() < 0.01, "{}", pace.rate());
    }

    #[test]
    fn the_rate_comes_back_and_never_passes_the_settings() {
        let now = Instant::now();
        let mut pace = Pace::new(30.0, now);
        pace.refuse(now, now, Duration::ZERO);
        let again = now + Duration::from_secs(1);
        pace.refuse(again, again, Duration::from_secs(59));
        let mut at = now;
        let mut rates = Vec::new();
        while at < now + Duration::from_secs(1_800) {
            at += Duration::from_secs(5);
            pace.recover(at);
            rates.push(pace.rate());
        }
        assert!(rates.windows(2).all(|pair| pair[0] <= pair[1]), "{rates:?}");
        assert!((rates[12] - 13.5).abs() < 0.01, "nothing while the service waits: {}", rates[12]);
        let half_way = rates[60];
        assert!(half_way > 24.3 && half_way < 26.0, "near what was refused it is slow: {half_way}");
        assert!((rates[rates.len() - 1] - 30.0).abs() < 0.01);
    }

    #[test]
    fn a_lower_limit_is_found_and_rarely_touched() {
        // A service that refuses whatever is faster than ten a second.
        let start = Instant::now();
        let mut pace = Pace::new(30.0, start);
        let (mut refusals, mut sum) = (0, 0.0);
        for second in 0..3_600u32 {
            let now = start + Duration::from_secs(second.into());
            pace.recover(now);
            if pace.rate() > 10.0 {
                refusals += 1;
                pace.refuse(now, now, Duration::from_secs(1));
            } else {
                sum += pace.rate();
            }
        }
        assert!(refusals <= 30, "{refusals} refusals in an hour");
        assert!(sum / 3_600.0 > 8.0, "{} a second on average", sum / 3_600.0);
    }

    #[test]
    fn it_never_stands_still_and_goes_on_over_a_restart() {
        let mut now = Instant::now();
        let mut pace = Pace::new(30.0, now);
        for _ in 0..50 {
            now += Duration::from_secs(1);
            pace.refuse(now, now, Duration::ZERO);
        }
        assert!(pace.rate() >= 30.0 * SHARE_MIN);
        let clock = Clock::system();
        let learned = pace.learned(&clock, now).unwrap();
        let mut next = Pace::new(30.0, now);
        next.resume(&learned, &clock, now);
        assert!((next.rate() - pace.rate()).abs() < 0.01);
        let old = Learned { refused_at: clock.now() - FORGOTTEN_AFTER, ..learned };
        let mut next = Pace::new(30.0, now);
        next.resume(&old, &clock, now);
        assert!((next.rate() - 30.0).abs() < 0.01, "an old refusal is forgotten");
    }
}
