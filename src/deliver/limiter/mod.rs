//! How fast a channel may send: all chats together, and each chat by itself.
//!
//! ```text
//! settings' rate ─ pace (refusals) ─ brake (usage told) ─▶ starts: a window over all chats
//!                                                          chats: each one's own
//! ```
//!
//! The service counts arrivals, not starts. What an answer took beyond the usual may all have been
//! spent on the way there: its start is then counted that much later, and so is one that is out for
//! longer than the usual.
//!
//! After a restart the windows are taken for full, and what was learned goes on
//! ([`Limiter::resume`]): a limit is passed neither by a crash nor by a clock that jumps.

pub mod starts;

pub mod pace;

pub mod chats;

pub mod brake;

use std::time::Duration;

use tokio::time::Instant;

use crate::channel::Usage;
use crate::deliver::limiter::brake::Brake;
use crate::deliver::limiter::chats::Chats;
use crate::deliver::limiter::pace::Pace;
use crate::deliver::limiter::starts::Starts;
use crate::model::pacing::Pacing;
use crate::runtime::clock::Clock;

pub use crate::deliver::limiter::chats::Bucket;

/// The limits of one kind of channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Messages a second over all chats; must be positive.
    pub rate: f64,
    /// One person's chat.
    pub person: Bucket,
    /// One group or channel chat (on Telegram, an address that begins with `-` or `@`).
    pub group: Bucket,
}

impl Limits {
    /// Telegram: about one message a second to a person, 20 a minute to a group. Source: Bots FAQ,
    /// "My bot is hitting limits".
    pub fn telegram(rate: f64) -> Self {
        let person = Bucket { pause: Duration::from_millis(1_050), ..Bucket::FREE };
        let group = Bucket {
            pause: Duration::from_millis(3_050),
            most: 20,
            within: Duration::from_millis(60_050),
        };
        Self { rate, person, group }
    }

    /// Messenger: a page's rate only; no figure a person is published.
    pub fn messenger(rate: f64) -> Self {
        Self { rate, person: Bucket::FREE, group: Bucket::FREE }
    }
}

/// Whom a refusal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Chat,
    Channel,
}

/// The state of one channel's limits. Asked before, told at, each start.
#[derive(Debug)]
pub struct Limiter {
    pace: Pace,
    brake: Brake,
    starts: Starts,
    chats: Chats,
    rate_max: f64,
    /// The rate that the starts keep now.
    rate: f64,
    /// What an answer takes at the least, slowly forgotten.
    usual: Option<Duration>,
    /// The next run should know more than is kept.
    is_changed: bool,
}

impl Limiter {
    /// Of a channel that never sent.
    pub fn new(limits: Limits, now: Instant) -> Self {
        Self {
            pace: Pace::new(limits.rate, now),
            brake: Brake::default(),
            starts: Starts::new(limits.rate, false, now),
            chats: Chats::new(limits.person, limits.group),
            rate_max: limits.rate,
            rate: limits.rate,
            usual: None,
            is_changed: false,
        }
    }

    /// Of a channel of which an earlier run kept this.
    pub fn resume(limits: Limits, kept: &Pacing, clock: &Clock, now: Instant) -> Self {
        let mut limiter = Self::new(limits, now);
        limiter.starts = Starts::new(limits.rate, true, now);
        limiter.chats.resume(&kept.chats, kept.is_whole, clock, now);
        if let Some(learned) = &kept.learned {
            limiter.pace.resume(learned, clock, now);
        }
        limiter.adjust(now);
        limiter
    }

    /// When the channel may start its next request, which sends so many messages.
    pub fn channel_free_at(&self, weight: u32) -> Instant {
        self.starts.free_at(weight)
    }

    /// When the chat may get its next messages; in the past when it may have them now.
    pub fn chat_free_at(&self, address: &str, weight: u32, now: Instant) -> Instant {
        self.chats.free_at(address, weight, now)
    }

    /// A request to the chat starts now.
    pub fn start(&mut self, address: &str, weight: u32, now: Instant) {
        self.starts.note(weight, now);
        self.chats.note(address, weight, now);
    }

    /// The request that was started at `start` is over, with the service's answer or without.
    pub fn land(&mut self, start: Instant, is_answered: bool, now: Instant) {
        let took = now.saturating_duration_since(start);
        self.starts.landed(start, took);
        if !is_answered {
            return;
        }
        let usual = match self.usual {
            Some(usual) if usual < took => usual + (took - usual) / 256,
            _ => took,
        };
        self.usual = Some(usual);
    }

    /// The service refused what was started at `begun` because it was too much, and asked to wait
    /// (`None`: it gave no time). Answers whom it means, as far as one can tell.
    ///
    /// The service does not say so. A refusal is a chat's own when the chat got something shortly
    /// before and no other chat is refused at the time; otherwise it is the whole channel's.
    pub fn refuse(
        &mut self,
        address: &str,
        begun: Instant,
        after: Option<Duration>,
        now: Instant,
    ) -> Scope {
        if let Some(after) = after
            && self.chats.may_be_meant(address, begun, now)
        {
            self.chats.quiet(address, now + after, now);
            return Scope::Chat;
        }
        if self.pace.refuse(begun, now, after.unwrap_or_default()) {
            self.is_changed = true;
            self.adjust(now);
            self.starts.spread(now + after.unwrap_or_default());
        }
        Scope::Channel
    }

    /// The service told how much of its limit is used; answers how long nothing may be sent, if it
    /// is too much.
    pub fn told(&mut self, usage: Usage, now: Instant) -> Option<Duration> {
        let wait = self.brake.told(usage, now);
        self.adjust(now);
        wait
    }

    /// Time has passed, and answers came or did not.
    pub fn recover(&mut self, now: Instant) {
        if let Some(usual) = self.usual {
            self.starts.recount(usual, now);
        }
        self.is_changed |= self.pace.recover(now);
        self.adjust(now);
    }

    /// Messages a second that may be sent now.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// Whether the next run should know more than was asked for last by [`Limiter::kept`].
    pub fn is_changed(&self) -> bool {
        self.is_changed || self.chats.is_changed
    }

    /// What the next run is to know.
    pub fn kept(&mut self, is_whole: bool, clock: &Clock, now: Instant) -> Pacing {
        (self.is_changed, self.chats.is_changed) = (false, false);
        Pacing {
            at: clock.now(),
            is_whole,
            learned: self.pace.learned(clock, now),
            chats: self.chats.kept(clock, now),
        }
    }

    fn adjust(&mut self, now: Instant) {
        let rate = self.pace.rate().min(self.rate_max * self.brake.share(now));
        if (rate - self.rate).abs() > f64::EPSILON * self.rate_max {
            self.rate = rate;
            self.starts.slow_to(rate);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_refusal_slows_the_channel_over_restarts() {
        let now = Instant::now();
        let mut limiter = Limiter::new(Limits::telegram(30.0), now);
        limiter.start("1", 1, now);
        assert_eq!(limiter.refuse("1", now, Some(3 * SECOND), now), Scope::Channel);
        assert!((limiter.rate() - 27.0).abs() < 0.01);
        assert!(limiter.is_changed());
        let clock = Clock::system();
        let kept = limiter.kept(false, &clock, now);
        assert!(!limiter.is_changed());
        let next = Limiter::resume(Limits::telegram(30.0), &kept, &clock, now);
        assert!((next.rate() - 27.0).abs() < 0.01, "{}", next.rate());
        assert!(next.channel_free_at(1) >= now + SECOND, "the window is taken for full");
    }

    #[test]
    fn usage_that_is_told_slows_the_channel_and_stops_it() {
        let now = Instant::now();
        let mut limiter = Limiter::new(Limits::messenger(20.0), now);
        let used = |percent| Usage { percent, regain: Duration::ZERO };
        assert_eq!(limiter.told(used(85), now), None);
        assert!((limiter.rate() - 11.0).abs() < 0.01, "{}", limiter.rate());
        assert_eq!(limiter.told(used(40), now), None);
        assert!((limiter.rate() - 20.0).abs() < 0.01);
        assert_eq!(limiter.told(used(95), now), Some(brake::STOP));
    }

    #[test]
    fn an_answer_that_took_longer_than_usual_counts_from_its_arrival() {
        let from = Instant::now();
        let mut limiter = Limiter::new(Limits::telegram(2.0), from);
        let usual = Duration::from_millis(50);
        let mut now = from;
        for chat in ["1", "2"] {
            now = now.max(limiter.channel_free_at(1));
            limiter.start(chat, 1, now);
            limiter.land(now, true, now + usual);
        }
        let next = limiter.channel_free_at(1);
        limiter.start("3", 1, next);
        limiter.land(next, true, next + usual + Duration::from_millis(200));
        limiter.recover(next + usual + Duration::from_millis(200));
        let after = limiter.channel_free_at(1);
        limiter.start("4", 1, after);
        let late = limiter.channel_free_at(1);
        assert!(late - next > Duration::from_millis(1_150), "{:?}", late - next);
    }
}
