//! How fast a channel may send: all chats together, and each chat by itself.
//!
//! The channel's limit is a sliding window over the starts of the last requests: of any `n + 1`
//! starts the last comes at least one window after the first. That holds against a service that
//! counts in any window of that length, where a bucket with a burst would not. It begins as if it
//! had sent at full rate until now, so that no restart brings a burst.
//!
//! The service counts arrivals, not starts. What an answer took beyond the usual may all have been
//! spent on the way there: its start is then counted that much later.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

/// Added to the window, so that what left us just outside it does not arrive just inside.
pub const WINDOW_MARGIN: Duration = Duration::from_millis(4);

/// Up to so many starts in a window are corrected by their answers; faster channels need no such
/// care, because theirs is no limit that a service counts.
pub const CORRECTED_MAX: usize = 1_024;

/// From so many chats on, those that are at rest are forgotten.
pub const CHATS_MAX: usize = 4096;

/// The limits of one kind of channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Requests a second over all chats; must be positive.
    pub rate: f64,
    /// One person's chat.
    pub person: Bucket,
    /// One group or channel chat (on Telegram, an address that begins with `-` or `@`).
    pub group: Bucket,
}

/// Tokens of one chat: `burst` at rest, one back every `interval`; a zero interval never limits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    pub burst: u32,
    pub interval: Duration,
}

impl Limits {
    /// Telegram: about one message a second to a person with short bursts, 20 a minute to a group
    /// (Bots FAQ, "My bot is hitting limits"). With its burst a person gets five in any five seconds
    /// at most.
    pub fn telegram(rate: f64) -> Self {
        Self {
            rate,
            person: Bucket { burst: 2, interval: Duration::from_millis(1_300) },
            group: Bucket { burst: 1, interval: Duration::from_millis(3_050) },
        }
    }

    /// Messenger: a page's rate only; no figure a person is published.
    pub fn messenger(rate: f64) -> Self {
        let free = Bucket { burst: 1, interval: Duration::ZERO };
        Self { rate, person: free, group: free }
    }
}

/// The state of one channel's limits. Asked before, told at, each start.
#[derive(Debug)]
pub struct Limiter {
    limits: Limits,
    window: Duration,
    /// The last starts, oldest first; as many as fit one window.
    starts: VecDeque<Instant>,
    /// What an answer takes at the least, slowly forgotten.
    usual: Option<Duration>,
    /// When each chat's bucket is full again.
    full_at: HashMap<String, Instant>,
}

impl Limiter {
    pub fn new(limits: Limits, now: Instant) -> Self {
        let rate = limits.rate.clamp(0.001, 100_000.0);
        let count = rate.ceil();
        let window = Duration::from_secs_f64(count / rate) + WINDOW_MARGIN;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let count = count as u32;
        let step = window / count;
        let starts = (1..=count)
            .rev()
            .map(|back| now.checked_sub(step * back.min(count)).unwrap_or(now) + step)
            .collect();
        Self { limits, window, starts, usual: None, full_at: HashMap::new() }
    }

    /// When the channel may start its next request.
    pub fn channel_free_at(&self) -> Instant {
        match self.starts.front() {
            Some(first) => *first + self.window,
            None => Instant::now(),
        }
    }

    /// When the chat may get its next message; in the past when it may have it now.
    pub fn chat_free_at(&self, address: &str, now: Instant) -> Instant {
        let address = chat_of(address);
        let bucket = self.bucket(address);
        match self.full_at.get(address) {
            Some(full) => {
                let spare = bucket.interval * bucket.burst.saturating_sub(1);
                full.checked_sub(spare).unwrap_or(now)
            }
            None => now,
        }
    }

    /// A request to the chat starts now.
    pub fn start(&mut self, address: &str, now: Instant) {
        let address = chat_of(address);
        self.starts.pop_front();
        self.starts.push_back(now);
        let interval = self.bucket(address).interval;
        if interval.is_zero() {
            return;
        }
        if self.full_at.len() >= CHATS_MAX && !self.full_at.contains_key(address) {
            self.full_at.retain(|_, full| *full > now);
        }
        match self.full_at.get_mut(address) {
            Some(full) => *full = (*full).max(now) + interval,
            None => {
                self.full_at.insert(address.to_owned(), now + interval);
            }
        }
    }

    /// The answer to the request that was started at `start` came now.
    pub fn land(&mut self, start: Instant, now: Instant) {
        let took = now.saturating_duration_since(start);
        let usual = match self.usual {
            Some(usual) if usual < took => usual + (took - usual) / 256,
            _ => took,
        };
        self.usual = Some(usual);
        let excess = took.saturating_sub(usual);
        if excess.is_zero() || self.starts.len() > CORRECTED_MAX {
            return;
        }
        let Some(at) = self.starts.iter().position(|one| *one == start) else { return };
        self.starts.remove(at);
        let later = start + excess;
        let at = self.starts.partition_point(|one| *one <= later);
        self.starts.insert(at, later);
    }

    fn bucket(&self, address: &str) -> Bucket {
        if address.starts_with(['-', '@']) { self.limits.group } else { self.limits.person }
    }
}

/// A group's topics share its limit.
fn chat_of(address: &str) -> &str {
    if address.starts_with(['-', '@']) {
        address.split(['/', ':']).next().unwrap_or(address)
    } else {
        address
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the limiter against its own answers for `count` starts and gives their instants.
    fn starts(limiter: &mut Limiter, from: Instant, count: usize) -> Vec<Instant> {
        let mut now = from;
        (0..count)
            .map(|at| {
                now = now.max(limiter.channel_free_at());
                limiter.start(&at.to_string(), now);
                now
            })
            .collect()
    }

    #[test]
    fn no_window_holds_more_than_the_rate() {
        for rate in [0.5, 1.0, 7.5, 30.0, 300.0] {
            let from = Instant::now();
            let mut limiter = Limiter::new(Limits::telegram(rate), from);
            let seen = starts(&mut limiter, from, 1_000);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
            let count = rate.ceil() as usize;
            let window = Duration::from_secs_f64(count as f64 / rate);
            for pair in seen.windows(count + 1) {
                let (Some(first), Some(last)) = (pair.first(), pair.last()) else { continue };
                assert!(*last - *first > window, "{rate}: {:?}", *last - *first);
            }
        }
    }

    #[test]
    fn the_rate_is_reached_within_a_hundredth() {
        let from = Instant::now();
        let mut limiter = Limiter::new(Limits::telegram(30.0), from);
        let seen = starts(&mut limiter, from, 3_001);
        let took = (seen[3_000] - seen[0]).as_secs_f64();
        assert!(3_000.0 / took >= 29.7, "{} a second", 3_000.0 / took);
    }

    #[test]
    fn sec_d09_a_new_limiter_starts_without_a_burst() {
        let from = Instant::now();
        let mut limiter = Limiter::new(Limits::telegram(30.0), from);
        let seen = starts(&mut limiter, from, 30);
        assert!(seen[1] - seen[0] >= Duration::from_millis(30));
        assert!(seen[29] - seen[0] >= Duration::from_millis(900));
    }

    #[test]
    fn a_late_start_does_not_make_up_for_lost_time_within_the_window() {
        let from = Instant::now();
        let mut limiter = Limiter::new(Limits::telegram(2.0), from);
        let late = from + Duration::from_secs(10);
        let seen = starts(&mut limiter, late, 4);
        assert!(seen[2] - seen[0] >= Duration::from_secs(1));
    }

    #[test]
    fn a_request_that_may_have_arrived_late_counts_from_then() {
        let from = Instant::now();
        let mut limiter = Limiter::new(Limits::telegram(2.0), from);
        let usual = Duration::from_millis(50);
        let mut now = from;
        let mut starts = Vec::new();
        for _ in 0..2 {
            now = now.max(limiter.channel_free_at());
            limiter.start("1", now);
            starts.push(now);
        }
        limiter.land(starts[0], starts[0] + usual);
        limiter.land(starts[1], starts[1] + usual);
        let next = limiter.channel_free_at();
        limiter.start("1", next);
        limiter.land(next, next + usual + Duration::from_millis(200));
        let after = limiter.channel_free_at();
        limiter.start("1", after);
        let late = limiter.channel_free_at();
        assert!(late - next > Duration::from_millis(1_150), "{:?}", late - next);
    }

    #[test]
    fn a_chat_has_its_burst_then_waits() {
        let now = Instant::now();
        let mut limiter = Limiter::new(Limits::telegram(30.0), now);
        limiter.start("7", now);
        assert!(limiter.chat_free_at("7", now) <= now);
        limiter.start("7", now);
        assert!(limiter.chat_free_at("7", now) > now + Duration::from_secs(1));
        assert!(limiter.chat_free_at("8", now) <= now, "another chat is free");
    }

    #[test]
    fn a_person_gets_five_in_five_seconds_at_most() {
        let from = Instant::now();
        let mut limiter = Limiter::new(Limits::telegram(1_000.0), from);
        let mut now = from;
        for _ in 0..5 {
            now = now.max(limiter.chat_free_at("7", now));
            limiter.start("7", now);
        }
        assert!(limiter.chat_free_at("7", now) - from > Duration::from_secs(5));
    }

    #[test]
    fn a_group_gets_twenty_a_minute() {
        let from = Instant::now();
        let mut limiter = Limiter::new(Limits::telegram(1_000.0), from);
        let mut now = from;
        for _ in 0..20 {
            now = now.max(limiter.chat_free_at("-100", now));
            limiter.start("-100", now);
        }
        assert!(limiter.chat_free_at("-100", now) - from >= Duration::from_secs(60));
    }

    #[test]
    fn chats_at_rest_are_forgotten() {
        let now = Instant::now();
        let mut limiter = Limiter::new(Limits::telegram(30.0), now);
        for chat in 0..CHATS_MAX * 2 {
            limiter.start(&chat.to_string(), now + Duration::from_secs(chat as u64 / 10));
        }
        assert!(limiter.full_at.len() <= CHATS_MAX);
    }
}
