//! Whether a draft that is due may go now.

use std::time::Duration;

use crate::model::time::Timestamp;
use crate::model::timing::Timing;

/// When a draft is asked again whose hours never open.
const DAY: Duration = Duration::from_secs(86_400);

/// What a draft that was due at some instant is to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ripe {
    /// It goes.
    Now,
    /// Not at this hour: it waits until then.
    Later(Timestamp),
    /// It comes so much too late.
    TooLate(Duration),
}

/// Settings may have changed since a draft got its time, and nobody may have been there when it
/// came: so all is asked again.
pub fn ripe(timing: &Timing, due_at: Timestamp, now: Timestamp) -> Ripe {
    let late = now.since(due_at);
    if timing.by_reader {
        // Its hours are asked once its readers are known.
        return if late > timing.misfire { Ripe::TooLate(late) } else { Ripe::Now };
    }
    let next = timing.due(now);
    // After the last year of a digest there is no hour to wait for.
    if !timing.is_hour(due_at) && next > now {
        return Ripe::Later(next);
    }
    if late > timing.misfire {
        return Ripe::TooLate(late);
    }
    match timing.opening(now) {
        Some(opening) if opening > now => Ripe::Later(opening),
        Some(_) => Ripe::Now,
        // The settings can't say so; if the rules of a zone change, it is asked again.
        None => Ripe::Later(now + DAY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::schedule::CronRule;
    use crate::model::timing::{Digest, Hours};

    fn at(text: &str) -> Timestamp {
        Timestamp::from_jiff(text.parse().unwrap())
    }

    #[test]
    fn what_is_due_goes_unless_it_is_late_or_the_hours_are_closed() {
        let hours = Hours::window("08:00-21:00", "UTC").unwrap().into_iter().collect();
        let six = Duration::from_secs(6 * 3_600);
        let timing = Timing { hours, misfire: six, ..Timing::default() };
        let due = at("2026-11-28T12:00:00Z");
        let hour = Duration::from_secs(3_600);
        assert_eq!(ripe(&timing, due, due), Ripe::Now);
        assert_eq!(ripe(&timing, due, due + six), Ripe::Now);
        assert_eq!(ripe(&timing, due, due + hour * 7), Ripe::TooLate(hour * 7));
        let evening = at("2026-11-28T20:59:00Z");
        let morning = Ripe::Later(at("2026-11-29T08:00:00Z"));
        assert_eq!(ripe(&timing, evening, evening + hour), morning);
    }

    #[test]
    fn nothing_goes_at_hours_that_never_open() {
        let window = Hours::window("22:00-23:00", "UTC").unwrap();
        let quiet = Hours::quiet("21:00-09:00", "UTC").unwrap();
        let hours = window.into_iter().chain([quiet]).collect();
        let timing = Timing { hours, ..Timing::default() };
        let now = at("2026-11-28T22:30:00Z");
        assert_eq!(ripe(&timing, now, now), Ripe::Later(now + DAY));
    }

    #[test]
    fn a_digest_keeps_to_its_hours() {
        let rule = CronRule::parse("0 0 9 * * *", None).unwrap();
        let digest = Some(Digest { rule, min_items: 1, max_items: 10 });
        let timing = Timing { digest, ..Timing::default() };
        let nine = at("2026-11-28T09:00:00Z");
        let later = at("2026-11-28T11:30:00Z");
        let next = Ripe::Later(at("2026-11-29T09:00:00Z"));
        assert_eq!(ripe(&timing, nine, later), Ripe::Now, "nobody was there at nine");
        assert_eq!(ripe(&timing, later, later), next, "the hour was another one");
    }
}
