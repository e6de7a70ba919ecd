//! Reports: what became of a post, counted without holding its recipients in memory.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::control::Priority;
use crate::model::lane::Lane;
use crate::model::name::Name;
use crate::model::post::{Counts, Outcome, PostId, Reason, Zoned};
use crate::model::rollout::Rollout;
use crate::model::time::Timestamp;

/// Who withdraws within this time after they got a post is counted in its report.
pub const LEFT_WITHIN: Duration = Duration::from_secs(48 * 3_600);

/// The pace of right now is that of so many seconds.
pub const LATELY_S: u32 = 60;

/// Most steps of a [`Pace`].
pub const PACE_STEPS_MAX: usize = 120;

/// What became of one post.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PostReport {
    pub post: PostId,
    pub campaign: Option<Name>,
    pub title: String,
    pub created_at: Timestamp,
    /// `None` while somebody waits or is in flight.
    pub finished_at: Option<Timestamp>,
    pub priority: Priority,
    pub rollout: Option<Box<Rollout>>,
    /// Somebody waits, and nobody is claimed before this instant: its hours are closed.
    pub opens_at: Option<Timestamp>,
    /// Of a post for people whose clocks go alike.
    pub zoned: Option<Box<Zoned>>,
    /// The channels that the stage waits for because they are paused, and why they are.
    pub stalled: Vec<(Name, String)>,
    pub paused: Option<String>,
    pub stopped: Option<String>,
    pub errors: Vec<String>,
    pub ends: Ends,
    pub channels: Vec<(Name, Ends)>,
    /// When it ended for the first one, however it did.
    pub begun_at: Option<Timestamp>,
    /// When the first and the last one got it, as far as that is known.
    pub first_at: Option<Timestamp>,
    pub last_at: Option<Timestamp>,
    pub pace: Pace,
    /// For how many it ended, however it did, in the last [`LATELY_S`] seconds.
    pub lately: u64,
    /// What it cost to send it faster than is free, in tenths of a Star.
    pub stars_tenths: u64,
    /// Of those for whom it is held: it was too much for a day, and comes on the next.
    pub carried: u64,
    /// For how many it is held because they chose when they get such.
    pub rests: u64,
}

impl PostReport {
    /// For how many it ends a second now: who fails is done with too.
    pub fn rate(&self, now: Timestamp) -> f64 {
        let since = self.begun_at.map_or(Duration::ZERO, |first| now.since(first));
        let span = since.clamp(Duration::from_secs(1), Duration::from_secs(LATELY_S.into()));
        figure(self.lately) / span.as_secs_f64()
    }

    /// How long it takes until nobody waits any more, if it goes on as it does now.
    ///
    /// `None` when nothing moves, or nobody waits.
    pub fn takes(&self, now: Timestamp) -> Option<Duration> {
        let left = self.ends.counts.waiting + self.ends.counts.in_flight;
        let rate = self.rate(now);
        if left == 0 || rate <= 0.0 || self.paused.is_some() || self.opens_at.is_some() {
            return None;
        }
        Duration::try_from_secs_f64(figure(left) / rate).ok()
    }
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn figure(count: u64) -> f64 {
    count as f64
}

/// How many ended how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ends {
    pub counts: Counts,
    /// `counts.failed` by reason.
    pub failed: BTreeMap<Reason, u64>,
    /// `counts.skipped` by reason.
    pub skipped: BTreeMap<Reason, u64>,
    /// How many of those who got it withdrew within [`LEFT_WITHIN`].
    pub left: u64,
    /// How many got it in another lane than the usual one.
    pub lanes: BTreeMap<Lane, u64>,
    /// How many of those who got it have it on their phone, and have seen it, as far as the service
    /// tells.
    pub delivered: u64,
    pub read: u64,
}

impl Ends {
    /// Counts `count` recipients more.
    pub fn add(&mut self, outcome: Outcome, count: u64) {
        self.counts.planned += count;
        *self.counts.of(outcome) += count;
        match outcome {
            Outcome::Failed(reason) => *self.failed.entry(reason).or_default() += count,
            Outcome::Skipped(reason) => *self.skipped.entry(reason).or_default() += count,
            _ => {}
        }
    }

    /// Counts all of another one too.
    pub fn join(&mut self, other: &Self) {
        self.counts.join(&other.counts);
        self.left += other.left;
        self.delivered += other.delivered;
        self.read += other.read;
        for (lane, count) in &other.lanes {
            *self.lanes.entry(*lane).or_default() += count;
        }
        for (all, more) in [(&mut self.failed, &other.failed), (&mut self.skipped, &other.skipped)]
        {
            for (reason, count) in more {
                *all.entry(*reason).or_default() += count;
            }
        }
    }
}

/// How many got a post in each of the equal steps of its time.
///
/// The steps become longer as the time does, so that there are never more than
/// [`PACE_STEPS_MAX`]; instants may come in any order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// The first step, in steps since 1970.
    first: u64,
    pub step_s: u32,
    pub sent: Vec<u64>,
}

impl Default for Pace {
    fn default() -> Self {
        Self { first: 0, step_s: 1, sent: Vec::new() }
    }
}

impl Pace {
    /// Counts one that was sent at `second` of 1970's seconds.
    pub fn add(&mut self, second: u32) {
        if self.sent.is_empty() {
            self.first = u64::from(second / self.step_s);
        }
        loop {
            let at = u64::from(second / self.step_s);
            let first = self.first.min(at);
            let last = at.max(self.first + (self.sent.len() as u64).saturating_sub(1));
            let steps = usize::try_from(last - first + 1).unwrap_or(usize::MAX);
            if steps > PACE_STEPS_MAX {
                self.double();
                continue;
            }
            let before = usize::try_from(self.first - first).unwrap_or(0);
            if before > 0 {
                self.sent.splice(0..0, std::iter::repeat_n(0, before));
                self.first = first;
            }
            if self.sent.len() < steps {
                self.sent.resize(steps, 0);
            }
            if let Some(count) =
                usize::try_from(at - first).ok().and_then(|at| self.sent.get_mut(at))
            {
                *count += 1;
            }
            return;
        }
    }

    /// When each step begins, and how many there were in it.
    pub fn steps(&self) -> impl Iterator<Item = (Timestamp, u64)> {
        (self.first..).zip(&self.sent).map(|(step, count)| {
            let seconds =
                i64::try_from(step).unwrap_or(i64::MAX).saturating_mul(self.step_s.into());
            (Timestamp::from_millis(seconds.saturating_mul(1_000)), *count)
        })
    }

    fn double(&mut self) {
        let mut joined = Vec::with_capacity(self.sent.len() / 2 + 1);
        let begins_odd = self.first % 2 == 1;
        let mut counts = self.sent.iter().copied();
        if begins_odd {
            joined.extend(counts.next());
        }
        while let Some(one) = counts.next() {
            joined.push(one + counts.next().unwrap_or(0));
        }
        self.first /= 2;
        self.step_s = self.step_s.saturating_mul(2);
        self.sent = joined;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_takes_instants_in_any_order_and_stays_short() {
        let mut dice = 12_345u32;
        let mut pace = Pace::default();
        let mut seconds = Vec::new();
        for round in 0..5_000u32 {
            dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let second = 1_900_000_000 + dice % (1 + round * 7);
            seconds.push(second);
            pace.add(second);
            assert!(pace.sent.len() <= PACE_STEPS_MAX);
        }
        assert_eq!(pace.sent.iter().sum::<u64>(), 5_000);
        for (begins, count) in pace.steps() {
            let begins = u32::try_from(begins.as_millis() / 1_000).unwrap();
            let inside = |second: &&u32| (begins..begins + pace.step_s).contains(second);
            assert_eq!(seconds.iter().filter(inside).count() as u64, count, "at {begins}");
        }
    }

    #[test]
    fn ends_are_counted_by_reason_and_joined() {
        let mut one = Ends::default();
        one.add(Outcome::Sent, 5);
        one.add(Outcome::Failed(Reason::Blocked), 2);
        let mut all = Ends::default();
        all.add(Outcome::Failed(Reason::Blocked), 1);
        all.add(Outcome::Skipped(Reason::PostStopped), 4);
        all.join(&one);
        assert_eq!(all.counts.planned, 12);
        assert_eq!((all.counts.sent, all.counts.failed, all.counts.skipped), (5, 3, 4));
        assert_eq!(all.failed, BTreeMap::from([(Reason::Blocked, 3)]));
        assert_eq!(all.skipped, BTreeMap::from([(Reason::PostStopped, 4)]));
    }

    #[test]
    fn what_is_left_takes_as_long_as_the_pace_says() {
        let now = Timestamp::from_millis(1_900_000_000_000);
        let mut ends = Ends::default();
        ends.add(Outcome::Waiting, 300);
        let mut report = PostReport {
            post: PostId(1),
            campaign: None,
            title: "t".into(),
            created_at: now,
            finished_at: None,
            priority: Priority::NORMAL,
            rollout: None,
            opens_at: None,
            zoned: None,
            stalled: vec![],
            paused: None,
            stopped: None,
            errors: vec![],
            ends,
            channels: vec![],
            begun_at: Some(now - Duration::from_secs(10)),
            // Nobody has got it so far.
            first_at: None,
            last_at: None,
            pace: Pace::default(),
            lately: 300,
            stars_tenths: 0,
            carried: 0,
            rests: 0,
        };
        assert_eq!(report.takes(now), Some(Duration::from_secs(10)));
        report.begun_at = Some(now - Duration::from_secs(3_600));
        assert_eq!(report.takes(now), Some(Duration::from_secs(60)));
        report.paused = Some("p".into());
        assert_eq!(report.takes(now), None);
        report.paused = None;
        report.lately = 0;
        assert_eq!(report.takes(now), None);
    }
}
