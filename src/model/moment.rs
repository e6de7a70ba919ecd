//! Instants as people write them: a date, a time, and perhaps a zone.

use std::fmt;

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

use crate::model::time::Timestamp;

/// An instant that somebody wrote as a local time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    pub at: Timestamp,
    /// As it is by the clock that was meant: `2026-12-01 09:00 Europe/Bucharest`.
    pub local: String,
    pub shift: Option<Shift>,
}

/// A local time that the changing of the clocks skips or repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shift {
    /// It is not there: the instant is as much later as the clocks are put forward.
    Skipped,
    /// It is there twice: the instant is the first.
    Twice,
}

/// The text is no [`Moment`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MomentError {
    #[error("is no date and time such as `2026-12-01 09:00`")]
    Form,
    #[error("there is no time zone `{0}`")]
    Zone(String),
    #[error("is out of range")]
    Range,
}

impl Moment {
    /// Reads `2026-12-01 09:00`, with a zone behind it if not `zone`; or an instant with an offset,
    /// such as `2026-12-01T09:00:00+02:00`.
    ///
    /// # Errors
    /// [`MomentError`].
    pub fn parse(text: &str, zone: &TimeZone) -> Result<Self, MomentError> {
        let text = text.trim();
        if let Ok(at) = text.parse::<jiff::Timestamp>() {
            let at = Timestamp::from_jiff(at);
            return Ok(Self { at, local: at.to_string(), shift: None });
        }
        let (stamp, zone) = match text.rsplit_once(char::is_whitespace) {
            Some((stamp, name)) if name.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                let named = TimeZone::get(name);
                (stamp, named.map_err(|_| MomentError::Zone(name.chars().take(64).collect()))?)
            }
            _ => (text, zone.clone()),
        };
        let stamp = stamp.trim();
        if !stamp.contains(':') {
            return Err(MomentError::Form);
        }
        let civil: DateTime = stamp.parse().map_err(|_| MomentError::Form)?;
        let meant = zone.to_ambiguous_timestamp(civil);
        let shift = match meant.offset() {
            AmbiguousOffset::Unambiguous { .. } => None,
            AmbiguousOffset::Gap { .. } => Some(Shift::Skipped),
            AmbiguousOffset::Fold { .. } => Some(Shift::Twice),
        };
        let at = meant.compatible().map_err(|_| MomentError::Range)?;
        let local = at.to_zoned(zone.clone());
        let named = zone.iana_name().map_or_else(String::new, |name| format!(" {name}"));
        let local = format!("{}{named}", local.strftime("%Y-%m-%d %H:%M"));
        Ok(Self { at: Timestamp::from_jiff(at), local, shift })
    }

    /// What the changing of the clocks makes of it, in words; `None` when nothing.
    pub fn remark(&self) -> Option<String> {
        let Self { local, .. } = self;
        Some(match self.shift? {
            Shift::Skipped => {
                format!("that time is skipped when the clocks change: it is {local} instead")
            }
            Shift::Twice => {
                format!("that time comes twice when the clocks change: {local} is the first")
            }
        })
    }
}

/// By its own clock.
impl fmt::Display for Moment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.local)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Moment {
        Moment::parse(text, &TimeZone::UTC).unwrap()
    }

    #[test]
    fn a_time_is_read_in_its_zone() {
        for (text, at) in [
            ("2026-12-01 09:00 Europe/Bucharest", "2026-12-01T07:00:00Z"),
            ("2026-12-01T09:00:30", "2026-12-01T09:00:30Z"),
            ("2026-12-01T09:00:00+02:00", "2026-12-01T07:00:00Z"),
            (" 2026-12-01 09:00Z ", "2026-12-01T09:00:00Z"),
        ] {
            assert_eq!(read(text).at.to_string(), at, "{text}");
            assert_eq!(read(text).remark(), None, "{text}");
        }
        assert_eq!(
            read("2026-12-01 09:00 Europe/Bucharest").to_string(),
            "2026-12-01 09:00 Europe/Bucharest"
        );
    }

    #[test]
    fn a_time_that_the_clocks_skip_or_repeat_is_said() {
        let skipped = read("2026-03-29 03:30 Europe/Bucharest");
        assert_eq!(
            (skipped.shift, skipped.at.to_string()),
            (Some(Shift::Skipped), "2026-03-29T01:30:00Z".into())
        );
        assert_eq!(
            skipped.remark().unwrap(),
            "that time is skipped when the clocks change: it is 2026-03-29 04:30 Europe/Bucharest instead"
        );
        let twice = read("2026-10-25 03:30 Europe/Bucharest");
        assert_eq!(
            (twice.shift, twice.at.to_string()),
            (Some(Shift::Twice), "2026-10-25T00:30:00Z".into())
        );
        assert!(twice.remark().unwrap().contains("is the first"));
    }

    #[test]
    fn what_is_no_time_is_told() {
        let wrong = |text: &str| Moment::parse(text, &TimeZone::UTC).unwrap_err();
        for text in ["", "tomorrow", "2026-12-01", "2026-13-01 09:00", "09:00", "2026-12-01 25:00"]
        {
            assert!(matches!(wrong(text), MomentError::Form | MomentError::Zone(_)), "{text}");
        }
        assert_eq!(
            wrong("2026-12-01 09:00 Mars/Olympus"),
            MomentError::Zone("Mars/Olympus".into())
        );
    }
}
