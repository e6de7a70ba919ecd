//! Priorities: which posts go before others on the same channel.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a post stands in the line of its channel: those with more go first, equal ones in turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
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
            number => Self::try_from(number.parse::<u8>().map_err(|_| NotAPriority)?),
        }
    }

    /// Its place in an order in which the first one goes first.
    pub fn rank(self) -> u8 {
        u8::MAX - self.0
    }
}

impl TryFrom<u8> for Priority {
    type Error = NotAPriority;

    fn try_from(level: u8) -> Result<Self, NotAPriority> {
        if level <= Self::MAX { Ok(Self(level)) } else { Err(NotAPriority) }
    }
}

impl From<Priority> for u8 {
    fn from(priority: Priority) -> Self {
        priority.0
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
        assert_eq!(serde_json::from_str::<Priority>("75").unwrap(), Priority::HIGH);
        assert!(serde_json::from_str::<Priority>("101").is_err());
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
