//! Signals: what a service tells of messages that we sent.
//!
//! They may come late, twice, in any order, or never.

use crate::model::name::Name;
use crate::model::post::Ticket;
use crate::model::time::Timestamp;

/// How every mark of ours begins; the digit is the version of the form.
const MARK_HEAD: &str = "tidings:1:";

/// One thing that a service told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    pub channel: Name,
    /// The service's own time of it.
    pub at: Timestamp,
    pub what: Heard,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A message with our mark is out.
    Echo { address: String, mark: Mark },
    /// All messages to the person up to this instant are on their phone.
    Delivered { address: String, until: Timestamp },
    /// … and were seen.
    Read { address: String, until: Timestamp },
    /// The paid message that went to this token last is out.
    PaidEcho { token: String },
    /// The paid message that was accepted for this token last did not arrive.
    NotDelivered { token: String, why: String },
}

/// Which call of which claim a message is; goes out with it and comes back in its echo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    pub ticket: Ticket,
    /// Counted from 0.
    pub part: u8,
    /// How many calls the message has.
    pub of: u8,
}

impl Mark {
    /// The inverse of its `Display`; `None` for what is not ours.
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.strip_prefix(MARK_HEAD)?.split(':');
        let ticket = Ticket(numbers.next()?.parse().ok()?);
        let part = numbers.next()?.parse().ok()?;
        let of = numbers.next()?.parse().ok()?;
        (numbers.next().is_none() && part < of).then_some(Self { ticket, part, of })
    }

    /// How many calls have arrived at least.
    pub fn arrived(self) -> u8 {
        self.part.saturating_add(1)
    }
}

/// `tidings:1:<ticket>:<part>:<of>`.
impl std::fmt::Display for Mark {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{MARK_HEAD}{}:{}:{}", self.ticket, self.part, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_was_written() {
        let mark = Mark { ticket: Ticket(77), part: 1, of: 3 };
        assert_eq!(mark.to_string(), "tidings:1:77:1:3");
        assert_eq!(Mark::parse(&mark.to_string()), Some(mark));
        for wrong in [
            "",
            "campaign:42",
            "tidings:1:77:3:3",
            "tidings:1:77:1",
            "tidings:2:7:0:1",
            "tidings:1:77:1:3:4",
            "tidings:1:-7:0:1",
            "tidings:1:7:0:256",
        ] {
            assert_eq!(Mark::parse(wrong), None, "{wrong}");
        }
    }
}
