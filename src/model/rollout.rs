//! Staged rollout: a post goes to a few first, and to more once it is seen that it does no harm.
//!
//! ```text
//! stage ──everybody of it has an end──▶ waits ──due──▶ judged ──fine──▶ next stage
//!                                                        └──too many failed or left──▶ paused
//! ```

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::name::Name;
use crate::model::schedule::Span;
use crate::model::time::Timestamp;

/// All of an audience, in hundredths of a percent.
pub const WHOLE: u32 = 10_000;

/// Most stages of a rollout.
pub const STAGES_MAX: usize = 10;

/// How long a stage is looked at, where nothing is said.
pub const WAIT_DEFAULT: Duration = Duration::from_secs(3_600);

/// The longest that one may be.
pub const WAIT_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Too many who failed, where nothing is said.
pub const FAILED_MAX_DEFAULT: u32 = 1_000;

/// Too many who left, where nothing is said.
pub const LEFT_MAX_DEFAULT: u32 = 200;

/// How posts are rolled out. Shares are hundredths of a percent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stages {
    /// Of the audience, growing; the last one is [`WHOLE`].
    pub shares: Vec<u32>,
    /// Between the end of a stage and the next one: time to see it, and to leave.
    pub wait: Duration,
    /// When more fail than this share of those who were tried, it is paused. Who has blocked us or
    /// is gone says nothing about the post, and does not count.
    pub failed_max: u32,
    /// When more withdraw than this share of those who got it, it is paused.
    pub left_max: u32,
}

/// How far a post's rollout is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollout {
    pub stages: Stages,
    /// The stage, from 0 on.
    pub at: usize,
    pub quotas: Vec<Quota>,
    /// `Some` once everybody of the stage has an end: then it is judged.
    pub due_at: Option<Timestamp>,
}

/// How many may be claimed on one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    pub channel: Name,
    /// The audience.
    pub planned: u64,
    /// How many more in this stage.
    pub left: u64,
}

/// What was seen of a stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub sent: u64,
    /// For reasons that may lie in the post.
    pub failed: u64,
    pub left: u64,
}

impl Stages {
    /// Stages of these shares, which grow. Nobody is left out, whether or not the last one is
    /// written. `None` where it is the only one.
    pub fn new(
        mut shares: Vec<u32>,
        wait: Duration,
        failed_max: u32,
        left_max: u32,
    ) -> Option<Self> {
        if shares.last() != Some(&WHOLE) {
            shares.push(WHOLE);
        }
        (shares.len() > 1).then_some(Self { shares, wait, failed_max, left_max })
    }

    /// To how many of an audience it has gone at the end of each stage.
    pub fn sizes(&self, audience: u64) -> Vec<u64> {
        self.shares.iter().map(|share| part(audience, *share)).collect()
    }

    /// The begin of a post's rollout, over the audiences of its channels.
    pub fn begin(&self, audiences: impl IntoIterator<Item = (Name, u64)>) -> Rollout {
        let first = self.shares.first().copied().unwrap_or(WHOLE);
        let quota = |(channel, planned)| Quota { channel, planned, left: part(planned, first) };
        let quotas = audiences.into_iter().map(quota).collect();
        Rollout { stages: self.clone(), at: 0, quotas, due_at: None }
    }

    /// Why it should not go on, if it should not.
    pub fn objection(&self, seen: Seen) -> Option<String> {
        let tried = seen.sent + seen.failed;
        let is_over = |some: u64, of: u64, most: u32| {
            u128::from(some) * u128::from(WHOLE) > u128::from(of) * u128::from(most)
        };
        if is_over(seen.failed, tried, self.failed_max) {
            return Some(format!("{} of {tried} failed", seen.failed));
        }
        if is_over(seen.left, seen.sent, self.left_max) {
            return Some(format!("{} of {} who got it left", seen.left, seen.sent));
        }
        None
    }
}

/// `to 1%, 10%, 100% of the audience, 1h apart`.
impl fmt::Display for Stages {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shares: Vec<String> = self.shares.iter().map(|share| percent(*share)).collect();
        write!(out, "to {} of the audience, {} apart", shares.join(", "), Span(self.wait))
    }
}

impl Rollout {
    /// Nothing is judged any more: everybody may be claimed.
    pub fn is_last(&self) -> bool {
        self.at + 1 >= self.stages.shares.len()
    }

    /// The share of the audience that the stage goes to.
    pub fn share(&self) -> u32 {
        self.stages.shares.get(self.at).copied().unwrap_or(WHOLE)
    }

    /// How many more may be claimed on the channel now.
    pub fn left(&self, channel: &Name) -> u64 {
        if self.is_last() {
            return u64::MAX;
        }
        self.quotas.iter().find(|quota| quota.channel == *channel).map_or(0, |quota| quota.left)
    }

    /// One was claimed on the channel, …
    pub fn take(&mut self, channel: &Name) {
        if let Some(quota) = self.quotas.iter_mut().find(|quota| quota.channel == *channel) {
            quota.left = quota.left.saturating_sub(1);
        }
    }

    /// … or came back unsent.
    pub fn give_back(&mut self, channel: &Name) {
        if let Some(quota) = self.quotas.iter_mut().find(|quota| quota.channel == *channel) {
            quota.left += 1;
        }
    }

    /// The next stage begins.
    pub fn go_on(&mut self) {
        let before = self.share();
        self.due_at = None;
        self.at = (self.at + 1).min(self.stages.shares.len().saturating_sub(1));
        let now = self.share();
        for quota in &mut self.quotas {
            let more = part(quota.planned, now).saturating_sub(part(quota.planned, before));
            quota.left += more;
        }
    }

    /// `stage 1 of 3 (1%)`.
    pub fn words(&self) -> String {
        let (at, of) = (self.at + 1, self.stages.shares.len());
        format!("stage {at} of {of} ({})", percent(self.share()))
    }
}

/// Reads a share: `1%`, `0.5 %`, of at most two decimals; `None` for anything else, and for more
/// than all.
pub fn share(text: &str) -> Option<u32> {
    let number = text.trim().strip_suffix('%')?.trim_end();
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let is_digits = [whole, part].iter().all(|it| it.bytes().all(|byte| byte.is_ascii_digit()));
    if whole.is_empty() || part.len() > 2 || !is_digits {
        return None;
    }
    format!("{whole}{part:0<2}").parse().ok().filter(|share| *share <= WHOLE)
}

/// A share as people write it: `2.5%`.
pub fn percent(share: u32) -> String {
    let (whole, rest) = (share / 100, share % 100);
    match rest {
        0 => format!("{whole}%"),
        rest if rest.is_multiple_of(10) => format!("{whole}.{}%", rest / 10),
        rest => format!("{whole}.{rest:02}%"),
    }
}

/// That share of so many, at least one of any.
fn part(of: u64, share: u32) -> u64 {
    let part = (u128::from(of) * u128::from(share)).div_ceil(u128::from(WHOLE));
    u64::try_from(part).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stages() -> Stages {
        Stages {
            shares: vec![100, 1_000, WHOLE],
            wait: Duration::from_secs(60),
            failed_max: 1_000,
            left_max: 200,
        }
    }

    #[test]
    fn each_stage_goes_to_its_share_of_each_channel() {
        let (bot, page) = (Name::parse("bot").unwrap(), Name::parse("page").unwrap());
        let mut rollout = stages().begin([(bot.clone(), 1_000), (page.clone(), 7)]);
        assert_eq!((rollout.left(&bot), rollout.left(&page)), (10, 1));
        for _ in 0..10 {
            rollout.take(&bot);
        }
        rollout.give_back(&bot);
        assert_eq!(rollout.words(), "stage 1 of 3 (1%)");
        rollout.go_on();
        assert_eq!((rollout.left(&bot), rollout.left(&page)), (91, 1));
        assert!(!rollout.is_last());
        rollout.go_on();
        assert_eq!(rollout.left(&bot), u64::MAX);
        assert_eq!(rollout.words(), "stage 3 of 3 (100%)");
        rollout.go_on();
        assert_eq!(rollout.at, 2);
    }

    #[test]
    fn too_many_who_failed_or_left_are_an_objection() {
        let cases = [
            ((90, 10, 0), None),
            ((90, 11, 0), Some("11 of 101 failed")),
            ((100, 0, 2), None),
            ((100, 0, 3), Some("3 of 100 who got it left")),
            ((0, 0, 0), None),
        ];
        for ((sent, failed, left), expected) in cases {
            let objection = stages().objection(Seen { sent, failed, left });
            assert_eq!(objection.as_deref(), expected, "{sent} {failed} {left}");
        }
    }

    #[test]
    fn a_share_reads_as_it_is_written() {
        for (share, shown) in [(100, "1%"), (WHOLE, "100%"), (250, "2.5%"), (5, "0.05%")] {
            assert_eq!(percent(share), shown);
            assert_eq!(super::share(shown), Some(share));
        }
        assert_eq!(share(" 10 % "), Some(1_000));
        for wrong in ["", "%", "1", "100.01%", "0.001%", "-1%", "+1%", ".5%", "1e1%", "9999999999%"]
        {
            assert_eq!(share(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn nobody_is_left_out_and_one_stage_is_none() {
        let of = |shares: &[u32]| Stages::new(shares.to_vec(), WAIT_DEFAULT, 1, 1);
        let stages = of(&[100, 1_000]).unwrap();
        assert_eq!(stages, of(&[100, 1_000, WHOLE]).unwrap());
        assert_eq!(stages.sizes(1_001), [11, 101, 1_001]);
        assert!(of(&[]).is_none() && of(&[WHOLE]).is_none());
    }
}
