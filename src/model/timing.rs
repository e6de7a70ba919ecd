//! When a campaign sends: at once or gathered, within which hours, and how late is still useful.
//!
//! Pure rules over instants; days and hours are those of a time zone, and on days when the clocks
//! change they hold as [`CronRule`] says.

use std::fmt;
use std::time::Duration;

use jiff::SignedDuration;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use serde::de::{Deserializer, Error};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use crate::model::schedule::{CronError, CronRule, Span, instant, second_instant};
use crate::model::time::Timestamp;
use crate::model::zone::Zone;

/// How late a draft is sent where its campaign does not say; also the most that one can say.
pub const MISFIRE: Duration = Duration::from_secs(30 * 86_400);

/// Most items of a digest, where its campaign does not say.
pub const DIGEST_ITEMS: u32 = 10;

/// Hours that do not open all together within this time never do: where the clocks of two zones
/// change on other days, some are open together in a part of the year only.
const OPENS_WITHIN: Duration = Duration::from_secs(400 * 86_400);

/// Days in which each hours by themselves open, with two to spare for the changes of clocks.
const DAYS_MAX: usize = 5;

const DAY: Duration = Duration::from_secs(86_400);

/// Hours that are all closed for longer are worth a word.
const CLOSED_MAX: Duration = Duration::from_secs(3 * 86_400);

/// The clocks skip so much at the most: only shorter hours can be lost in a gap.
const GAP_MAX: Duration = Duration::from_secs(2 * 3_600);

/// When a campaign sends what it wants, and how much of it at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Timing {
    /// `None` sends each draft by itself.
    pub digest: Option<Digest>,
    /// All hours, those of the digest too, are those of each reader's own clock. They are kept here
    /// in the zone that serves who has told none, and nothing asks for them before it is known who
    /// reads.
    pub by_reader: bool,
    /// All must be open: the campaign's window and the hours outside of the quiet ones.
    pub hours: Vec<Hours>,
    /// What is later than this is not sent any more; a digest that is waits for its next hour.
    pub misfire: Duration,
    /// A person is to let every draft go.
    pub review: bool,
    pub order: Order,
    /// Of what one poll brings at most so many of the newest; zero for all.
    pub max_items: u32,
    /// What one poll brings goes in one post.
    pub group: bool,
}

/// What comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    #[default]
    Oldest,
    Newest,
}

/// Items gathered until an hour comes.
#[derive(Clone, Debug, PartialEq)]
pub struct Digest {
    pub rule: CronRule,
    /// With fewer it waits for its next hour; at least 1.
    pub min_items: u32,
    /// What is more waits for its next hour; at least `min_items`.
    pub max_items: u32,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            digest: None,
            by_reader: false,
            hours: Vec::new(),
            misfire: MISFIRE,
            review: false,
            order: Order::default(),
            max_items: 0,
            group: false,
        }
    }
}

impl Timing {
    /// When something is sent that is ready at `ready`; never before.
    ///
    /// For a digest that is its next hour after that; after its last year, `ready` itself. Where
    /// the hours never open, it is a day later: then it is asked again.
    /// By readers' clocks it is `ready` too: whoever knows the readers asks for the hour.
    pub fn due(&self, ready: Timestamp) -> Timestamp {
        if self.by_reader {
            return ready;
        }
        let fire = self.digest.as_ref().and_then(|digest| digest.rule.next_after(ready));
        let ready = fire.unwrap_or(ready);
        self.opening(ready).unwrap_or(ready + DAY)
    }

    /// The zone that serves who has told none; UTC where no hour is named.
    pub fn zone(&self) -> Zone {
        let of_digest = self.digest.as_ref().map(|digest| Zone::of(digest.rule.zone()));
        of_digest
            .or_else(|| self.hours.first().map(|hours| Zone::of(&hours.zone)))
            .unwrap_or_else(|| Zone::of(&TimeZone::UTC))
    }

    /// The first instant from `at` on at which all hours are open; `None` when they never are.
    pub fn opening(&self, at: Timestamp) -> Option<Timestamp> {
        opening(&self.hours, at)
    }

    /// Whether a digest's hour comes at that instant, or was moved to it.
    pub fn is_hour(&self, at: Timestamp) -> bool {
        let Some(digest) = &self.digest else { return true };
        // Later fires are moved to later openings: if any fire was moved here, the last one was.
        let last = digest.rule.last_within(at - OPENS_WITHIN, at);
        last.is_some_and(|fire| self.opening(fire) == Some(at))
    }

    /// The first time in the year after `from` in which the hours are closed for more than three
    /// days; without an end, when they never open again.
    pub fn closed_for_long(&self, from: Timestamp) -> Option<(Timestamp, Option<Timestamp>)> {
        let [_, _, ..] = self.hours.as_slice() else { return None };
        let mut at = from;
        while at < from + OPENS_WITHIN {
            let Some(opens_at) = self.opening(at) else { return Some((at, None)) };
            if opens_at.since(at) > CLOSED_MAX {
                return Some((at, Some(opens_at)));
            }
            at = opens_at.max(at + DAY);
        }
        None
    }
}

/// The first instant from `at` on at which all of these hours are open; `None` when they never are.
pub fn opening(hours: &[Hours], mut at: Timestamp) -> Option<Timestamp> {
    let last = at + OPENS_WITHIN;
    while at <= last {
        let next = hours.iter().try_fold(at, |at, hours| hours.opening(at))?;
        if next == at {
            return Some(at);
        }
        at = next;
    }
    None
}

/// One line for people, in the settings' words.
impl fmt::Display for Timing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.digest {
            None if self.group => out.write_str("what one poll brings in one post, at once")?,
            None => out.write_str("each item by itself, at once")?,
            Some(digest) => {
                match self.by_reader {
                    true => write!(
                        out,
                        "a digest at `{}` on each reader's own clock",
                        digest.rule.line()
                    )?,
                    false => write!(out, "a digest at {}", digest.rule)?,
                }
                match (digest.min_items, digest.max_items) {
                    (1, max) => write!(out, " of at most {max} items")?,
                    (min, max) => write!(out, " of {min} to {max} items")?,
                }
            }
        }
        if self.max_items > 0 {
            write!(out, ", at most {} of one poll", self.max_items)?;
        }
        for hours in &self.hours {
            match self.by_reader {
                true => write!(out, ", {} on each reader's own clock", hours.words())?,
                false => write!(out, ", {hours}")?,
            }
        }
        if self.by_reader {
            write!(out, ", where none is told in {}", self.zone())?;
        }
        if self.order == Order::Newest {
            out.write_str(", newest first")?;
        }
        if self.misfire < MISFIRE {
            write!(out, ", at most {} late", Span(self.misfire))?;
        }
        if self.review {
            out.write_str(", after your review")?;
        }
        Ok(())
    }
}

/// Hours of the day at which something may be sent.
///
/// They may pass midnight. On the day that has two hours of one name both count. Where the clocks
/// skip the first of them they begin at the end of the gap, and where they skip all, they last as
/// long from there.
#[derive(Clone, Debug, PartialEq)]
pub struct Hours {
    from: Time,
    /// Not open any more; midnight for the end of the day.
    until: Time,
    zone: TimeZone,
    /// As they were given.
    text: String,
    is_quiet: bool,
}

/// Why a text tells no hours.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum HoursError {
    #[error("must be two times of the day, such as `08:00-21:00`")]
    Form,
    #[error("begins and ends at the same time")]
    Nothing,
    #[error("{0}")]
    Zone(CronError),
}

impl Hours {
    /// Reads `08:00-21:00`: open from the first time until the second. `None` for the whole day,
    /// `00:00-24:00`.
    ///
    /// # Errors
    /// [`HoursError`] tells what to change.
    pub fn window(text: &str, zone: &str) -> Result<Option<Self>, HoursError> {
        let (from, until) = times(text)?;
        match (from, until) {
            (Time::MIN, None) => Ok(None),
            (from, Some(until)) if from == until => Err(HoursError::Nothing),
            (from, until) => {
                Self::of(from, until.unwrap_or(Time::MIN), text, zone, false).map(Some)
            }
        }
    }

    /// Reads `22:00-07:00`: open from the second time until the first.
    ///
    /// # Errors
    /// As [`Hours::window`]; a whole day is none that is ever open.
    pub fn quiet(text: &str, zone: &str) -> Result<Self, HoursError> {
        let (from, until) = times(text)?;
        let until = until.unwrap_or(Time::MIN);
        if from == until {
            return Err(HoursError::Nothing);
        }
        Self::of(until, from, text, zone, true)
    }

    fn of(
        from: Time,
        until: Time,
        text: &str,
        zone: &str,
        is_quiet: bool,
    ) -> Result<Self, HoursError> {
        let unknown = || HoursError::Zone(CronError::UnknownZone { name: zone.to_owned() });
        let zone = Zone::exactly(zone).and_then(|zone| zone.clocks()).ok_or_else(unknown)?;
        let text = text.trim().to_owned();
        Ok(Self { from, until, zone, text, is_quiet })
    }

    pub fn is_open(&self, at: Timestamp) -> bool {
        self.holds(at) || self.makes_up(at)
    }

    /// Whether the clock shows one of them.
    fn holds(&self, at: Timestamp) -> bool {
        let time = self.zone.to_datetime(at.to_jiff()).time();
        if self.until == Time::MIN {
            time >= self.from
        } else if self.from < self.until {
            (self.from..self.until).contains(&time)
        } else {
            time >= self.from || time < self.until
        }
    }

    /// Whether all of them were skipped just before.
    fn makes_up(&self, at: Timestamp) -> bool {
        let length = self.from.duration_until(self.until);
        // Those that pass midnight have a negative one.
        let length =
            if length.is_negative() { length + SignedDuration::from_hours(24) } else { length };
        let Ok(length) = Duration::try_from(length) else { return false };
        if length > GAP_MAX {
            return false;
        }
        let today = self.zone.to_datetime(at.to_jiff()).date();
        // A gap may end at midnight.
        [Some(today), today.yesterday().ok()].into_iter().flatten().any(|day| {
            let begin = instant(&self.zone, day.to_datetime(self.from)).map(Timestamp::from_jiff);
            begin.is_some_and(|begin| !self.holds(begin) && at >= begin && at.since(begin) < length)
        })
    }

    /// The first instant from `at` on at which they are open; `None` at the end of time.
    pub fn opening(&self, at: Timestamp) -> Option<Timestamp> {
        if self.is_open(at) {
            return Some(at);
        }
        // Where the clocks go back over midnight, the day before comes again.
        let mut day = self.zone.to_datetime(at.to_jiff()).date().yesterday().ok()?;
        for _ in 0..DAYS_MAX {
            let wall = day.to_datetime(self.from);
            let begins = [instant(&self.zone, wall), second_instant(&self.zone, wall)];
            let begins = begins.into_iter().flatten().map(Timestamp::from_jiff);
            if let Some(begin) = begins.filter(|begin| *begin > at).find(|one| self.is_open(*one)) {
                return Some(begin);
            }
            day = day.tomorrow().ok()?;
        }
        None
    }

    /// The same hours in a zone by its name; `None` for one that is not known.
    pub fn of_zone(&self, zone: &str) -> Option<Self> {
        Some(self.on(&Zone::exactly(zone)?.clocks()?))
    }

    /// The same hours on other clocks.
    #[must_use]
    pub fn on(&self, zone: &TimeZone) -> Self {
        Self { zone: zone.clone(), ..self.clone() }
    }

    fn words(&self) -> String {
        let quiet = if self.is_quiet { "quiet " } else { "" };
        format!("{quiet}{}", self.text)
    }
}

/// What is kept of [`Hours`]: they are read from it again.
#[derive(Serialize, Deserialize)]
struct Kept {
    text: String,
    zone: String,
    is_quiet: bool,
}

impl Serialize for Hours {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (text, zone) = (self.text.clone(), Zone::of(&self.zone).as_str().to_owned());
        Kept { text, zone, is_quiet: self.is_quiet }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Hours {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let kept = Kept::deserialize(deserializer)?;
        let read = match kept.is_quiet {
            true => Self::quiet(&kept.text, &kept.zone).map(Some),
            false => Self::window(&kept.text, &kept.zone),
        };
        read.map_err(Error::custom)?.ok_or_else(|| Error::custom("hours of the whole day"))
    }
}

/// `08:00-21:00 in Europe/Kyiv`, `quiet 22:00-07:00 in Europe/Kyiv`.
impl fmt::Display for Hours {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} in {}", self.words(), Zone::of(&self.zone))
    }
}

/// The two times of `08:00-21:00`; the second is `None` for the end of the day, `24:00`.
fn times(text: &str) -> Result<(Time, Option<Time>), HoursError> {
    let (from, until) = text.split_once(['-', '–']).ok_or(HoursError::Form)?;
    let from = time_of_day(from).ok_or(HoursError::Form)?;
    let until = match until.trim() {
        "24:00" => None,
        until => Some(time_of_day(until).ok_or(HoursError::Form)?),
    };
    Ok((from, until))
}

/// Reads `9:30`, `09:30`.
pub fn time_of_day(text: &str) -> Option<Time> {
    let (hour, minute) = text.trim().split_once(':')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(hour) || !digits(minute) || minute.len() != 2 {
        return None;
    }
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZONES: [&str; 8] = [
        "Europe/Chisinau",
        "Europe/London",
        "America/St_Johns",
        "America/Santiago",
        "Asia/Beirut",
        "Australia/Lord_Howe",
        "Antarctica/Troll",
        "UTC",
    ];

    fn at(text: &str) -> Timestamp {
        Timestamp::from_jiff(text.parse().unwrap())
    }

    fn window(text: &str, zone: &str) -> Hours {
        Hours::window(text, zone).unwrap().unwrap()
    }

    fn of(hours: Vec<Hours>) -> Timing {
        Timing { hours, ..Timing::default() }
    }

    fn digest(line: &str, zone: &str, hours: Vec<Hours>) -> Timing {
        let rule = CronRule::parse(line, Some(zone)).unwrap();
        let digest = Digest { rule, min_items: 1, max_items: 10 };
        Timing { digest: Some(digest), ..of(hours) }
    }

    #[test]
    fn what_is_made_outside_of_the_hours_moves_to_their_opening() {
        // Chisinau is two hours before UTC in winter.
        let day = of(vec![window("08:00-21:00", "Europe/Chisinau")]);
        let night = of(vec![window("22:00-6:30", "UTC")]);
        let evening = of(vec![window("18:00-24:00", "UTC")]);
        let cases = [
            (&day, "2026-11-28T10:00:00Z", "2026-11-28T10:00:00Z"),
            (&day, "2026-11-28T05:59:59Z", "2026-11-28T06:00:00Z"),
            (&day, "2026-11-28T06:00:00Z", "2026-11-28T06:00:00Z"),
            (&day, "2026-11-28T19:00:00Z", "2026-11-29T06:00:00Z"),
            (&night, "2026-11-28T03:00:00Z", "2026-11-28T03:00:00Z"),
            (&night, "2026-11-28T06:30:00Z", "2026-11-28T22:00:00Z"),
            (&evening, "2026-11-28T23:59:59Z", "2026-11-28T23:59:59Z"),
            (&evening, "2026-11-28T00:00:00Z", "2026-11-28T18:00:00Z"),
        ];
        for (timing, ready, due) in cases {
            assert_eq!(timing.due(at(ready)), at(due), "{ready}");
        }
    }

    #[test]
    fn quiet_hours_and_a_window_both_count() {
        let quiet = || Hours::quiet("21:00-09:00", "UTC").unwrap();
        let both = of(vec![window("06:00-23:00", "UTC"), quiet()]);
        assert_eq!(both.due(at("2026-11-28T22:00:00Z")), at("2026-11-29T09:00:00Z"));
        assert_eq!(both.due(at("2026-11-28T20:00:00Z")), at("2026-11-28T20:00:00Z"));
        let never = of(vec![window("22:00-23:00", "UTC"), quiet()]);
        assert_eq!(never.opening(at("2026-11-28T20:00:00Z")), None);
    }

    #[test]
    fn what_tells_no_hours_is_refused() {
        for text in ["", "8-21", "08:00", "08:00-25:00", "8:0-9:00", "a-b", "+8:00-9:00"] {
            assert_eq!(Hours::window(text, "UTC"), Err(HoursError::Form), "{text}");
        }
        assert_eq!(Hours::window("08:00-08:00", "UTC"), Err(HoursError::Nothing));
        assert_eq!(Hours::quiet("00:00-24:00", "UTC"), Err(HoursError::Nothing));
        assert_eq!(Hours::window("00:00-24:00", "UTC"), Ok(None));
        assert!(matches!(Hours::window("1:00-2:00", "Nowhere"), Err(HoursError::Zone(_))));
    }

    #[test]
    fn hours_open_once_a_day_also_when_the_clocks_change() {
        for zone in ZONES {
            for text in ["02:30-21:00", "08:00-21:00", "00:15-12:00", "23:30-04:00"] {
                let hours = window(text, zone);
                let tz = TimeZone::get(zone).unwrap();
                let mut last = at("2026-01-01T12:00:00Z");
                let mut days = 0;
                // From one opening to the next: the first closed instant, then the opening.
                while last < at("2027-01-01T12:00:00Z") {
                    let mut closed = last;
                    while hours.is_open(closed) {
                        closed = closed + Duration::from_secs(900);
                    }
                    let next = hours.opening(closed).unwrap();
                    assert!(hours.is_open(next), "{zone} {text} {next}");
                    let longest = DAY + Duration::from_secs(2 * 3_600);
                    assert!(next.since(last) <= longest, "{zone} {text} {next}");
                    last = next;
                    days += 1;
                }
                let first = tz.to_datetime(last.to_jiff()).date();
                assert!((364..=367).contains(&days), "{zone} {text}: {days} until {first}");
            }
        }
    }

    #[test]
    fn hours_that_the_clocks_skip_come_at_the_end_of_the_gap() {
        // At two it is three.
        let hour = of(vec![window("02:00-03:00", "Asia/Jerusalem")]);
        let three = at("2026-03-27T00:00:00Z");
        assert_eq!(hour.due(at("2026-03-26T12:00:00Z")), three);
        let minutes = |count: u64| three + Duration::from_secs(count * 60);
        assert_eq!(hour.due(minutes(59)), minutes(59));
        assert_eq!(hour.due(minutes(60)), at("2026-03-27T23:00:00Z"));
        // At midnight, which the next day does not have, it is one.
        let late = of(vec![window("23:30-00:30", "America/Scoresbysund")]);
        let gap = at("2028-03-26T01:00:00Z");
        assert_eq!(late.due(at("2028-03-25T12:00:00Z")), gap);
    }

    #[test]
    fn a_digest_is_due_at_its_next_hour_once_a_civil_day() {
        for zone in ZONES {
            let timing = digest("0 30 2 * * *", zone, vec![]);
            let tz = TimeZone::get(zone).unwrap();
            let mut last = timing.due(at("2026-01-01T00:00:00Z"));
            for _ in 0..730 {
                assert!(timing.is_hour(last), "{zone} {last}");
                assert!(!timing.is_hour(last + Duration::from_secs(60)), "{zone} {last}");
                let next = timing.due(last);
                let day = |at: Timestamp| tz.to_datetime(at.to_jiff()).date();
                assert_eq!(day(last).tomorrow().unwrap(), day(next), "{zone}");
                last = next;
            }
        }
    }

    #[test]
    fn an_hour_that_quiet_hours_moved_is_one() {
        let quiet = Hours::quiet("22:00-08:00", "UTC").unwrap();
        let timing = digest("0 0 7 * * *", "UTC", vec![quiet]);
        let due = timing.due(at("2026-11-28T12:00:00Z"));
        assert_eq!(due, at("2026-11-29T08:00:00Z"));
        assert!(timing.is_hour(due));
        assert!(!timing.is_hour(at("2026-11-29T09:00:00Z")));
        assert!(!timing.is_hour(at("2026-11-29T07:00:00Z")));
    }

    #[test]
    fn a_window_that_lies_in_a_gap_opens_at_its_end_for_as_long() {
        let hours = window("02:15-02:45", "Europe/London");
        let timing =
            digest("0 0 1 * * *", "Europe/London", vec![window("01:15-01:45", "Europe/London")]);
        // London has no time between one and two on this day.
        let saturday = at("2026-03-28T01:50:00Z");
        let sunday = at("2026-03-29T01:00:00Z");
        assert_eq!(timing.opening(saturday), Some(sunday));
        assert_eq!(hours.opening(at("2026-03-29T00:00:00Z")), Some(at("2026-03-29T01:15:00Z")));
        assert!(timing.is_hour(sunday), "the fire is skipped to the same instant");
        assert_eq!(timing.due(at("2026-03-28T02:00:00Z")), sunday);
        assert!(!timing.is_hour(at("2026-03-29T01:01:00Z")));
        let monday = at("2026-03-30T00:15:00Z");
        assert_eq!(timing.opening(at("2026-03-29T01:30:00Z")), Some(monday));
    }

    #[test]
    fn hours_whose_begin_comes_twice_open_twice() {
        // Kyiv has 03:00 to 04:00 twice on this day.
        let hours = window("03:15-03:30", "Europe/Kyiv");
        let first = hours.opening(at("2026-10-24T22:00:00Z")).unwrap();
        assert_eq!(first, at("2026-10-25T00:15:00Z"));
        assert_eq!(hours.opening(at("2026-10-25T00:30:00Z")), Some(at("2026-10-25T01:15:00Z")));
    }

    #[test]
    fn hours_that_never_open_together_send_nothing() {
        let quiet = Hours::quiet("21:00-09:00", "UTC").unwrap();
        let never = of(vec![window("22:00-23:00", "UTC"), quiet.clone()]);
        let now = at("2026-11-28T20:00:00Z");
        assert_eq!(never.due(now), now + DAY);
        assert_eq!(never.closed_for_long(now), Some((now, None)));
        let gathered = digest("0 0 9 * * *", "UTC", vec![window("22:00-23:00", "UTC"), quiet]);
        assert!(gathered.due(now) > now);
    }

    #[test]
    fn hours_of_two_zones_may_be_open_together_in_winter_only() {
        // Chisinau is two hours before UTC in winter, three in summer.
        let quiet = Hours::quiet("22:00-06:00", "UTC").unwrap();
        let window = |text: &str| window(text, "Europe/Chisinau");
        let winter = of(vec![window("08:00-09:00"), quiet.clone()]);
        let summer = at("2026-05-01T12:00:00Z");
        assert_eq!(winter.due(summer), at("2026-10-25T06:00:00Z"));
        let (from, until) = winter.closed_for_long(at("2026-01-05T00:00:00Z")).unwrap();
        assert!(from >= at("2026-03-28T00:00:00Z") && from < at("2026-03-30T00:00:00Z"), "{from}");
        assert_eq!(until, Some(at("2026-10-25T06:00:00Z")));
        let all_year = of(vec![window("08:00-10:00"), quiet]);
        assert_eq!(all_year.closed_for_long(at("2026-01-05T00:00:00Z")), None);
    }

    #[test]
    fn hours_are_kept_as_they_were_given() {
        let all =
            [window("08:00-24:00", "Europe/Kyiv"), Hours::quiet(" 22:00-7:00", "UTC").unwrap()];
        for hours in all {
            let text = serde_json::to_string(&hours).unwrap();
            assert_eq!(serde_json::from_str::<Hours>(&text).unwrap(), hours, "{text}");
        }
        let whole = r#"{"text":"00:00-24:00","zone":"UTC","is_quiet":false}"#;
        assert!(serde_json::from_str::<Hours>(whole).is_err());
    }

    #[test]
    fn a_timing_reads_as_the_settings_do() {
        assert_eq!(Timing::default().to_string(), "each item by itself, at once");
        let quiet = Hours::quiet("22:00-07:00", "UTC").unwrap();
        let timing = Timing {
            misfire: Duration::from_secs(6 * 3_600),
            review: true,
            order: Order::Newest,
            ..digest("0 0 9 * * *", "Europe/Chisinau", vec![window("08:00-21:00", "UTC"), quiet])
        };
        assert_eq!(
            timing.to_string(),
            "a digest at `0 0 9 * * *` in Europe/Chisinau of at most 10 items, 08:00-21:00 in UTC, \
             quiet 22:00-07:00 in UTC, newest first, at most 6h late, after your review"
        );
    }
}
