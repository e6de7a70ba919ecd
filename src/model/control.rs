//! What the admins say to a post: pause it, go on, cancel it, try again, let it overtake others.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::name::Name;
use crate::model::post::Reason;

/// Where a post stands in the line of its channel: those with more go first, equal ones in turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Priority(u8);

/// The text is no [`Priority`].
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a priority is `low`, `normal`, `high` or a number from 0 to {}", Priority::MAX)]
pub struct NotAPriority;

impl Priority {
    /// The largest number.
    pub const MAX: u8 = 100;
    pub const LOW: Self = Self(25);
    pub const NORMAL: Self = Self(50);
    pub const HIGH: Self = Self(75);

    /// # Errors
    /// [`NotAPriority`] for another word, or a number above [`Priority::MAX`].
    pub fn parse(text: &str) -> Result<Self, NotAPriority> {
        match text {
            "low" => Ok(Self::LOW),
            "normal" => Ok(Self::NORMAL),
            "high" => Ok(Self::HIGH),
            number => match number.parse() {
                Ok(level) if level <= Self::MAX => Ok(Self(level)),
                _ => Err(NotAPriority),
            },
        }
    }

    /// Its place in an order in which the first one goes first.
    pub fn rank(self) -> u8 {
        u8::MAX - self.0
    }
}

impl Default for Priority {
    fn default() -> Self {
        Self::NORMAL
    }
}

/// The word for it, or the number where there is no word.
impl fmt::Display for Priority {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::LOW => out.write_str("low"),
            Self::NORMAL => out.write_str("normal"),
            Self::HIGH => out.write_str("high"),
            Self(level) => level.fmt(out),
        }
    }
}

/// Payloads of the buttons by which a reviewer lets a draft go; its number follows.
pub const RELEASE_PAYLOAD: &str = "1:release:";

/// As [`RELEASE_PAYLOAD`], of those that drop it.
pub const DROP_PAYLOAD: &str = "1:drop:";

/// A word on one post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PostWord {
    /// Claim nobody further; what is in flight comes home.
    Pause { why: String },
    /// Go on.
    Resume,
    /// Nobody who waits, or for whom it is held, gets it any more.
    Cancel { why: String },
    /// Who failed for one of these reasons waits again; no reason named means every one that may
    /// pass ([`Reason::may_pass`]). With `uncertain` also those of whom nobody knows.
    Retry { reasons: Vec<Reason>, uncertain: bool },
    /// From now on it goes before, or after, others.
    Rank { priority: Priority },
}

/// What became of a [`PostWord`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Obeyed {
    /// So many recipients are concerned, on these channels.
    Done { recipients: u64, channels: Vec<Name> },
    /// Nothing was changed, because of this.
    Refused { why: String },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_priority_reads_as_it_is_written() {
        for (text, shown) in [("low", "low"), ("50", "normal"), ("high", "high"), ("100", "100")] {
            assert_eq!(Priority::parse(text).unwrap().to_string(), shown);
        }
        for wrong in ["", "101", "-1", "urgent", "High", "1.5", "300"] {
            assert_eq!(Priority::parse(wrong), Err(NotAPriority), "{wrong}");
        }
    }

    #[test]
    fn whoever_goes_first_has_the_lowest_rank() {
        let zero = Priority::parse("0").unwrap();
        let mut all = [Priority::LOW, Priority::HIGH, zero, Priority::NORMAL];
        all.sort_by_key(|priority| priority.rank());
        assert_eq!(all, [Priority::HIGH, Priority::NORMAL, Priority::LOW, zero]);
        assert_eq!(Priority::default(), Priority::NORMAL);
    }
}
