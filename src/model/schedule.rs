//! When something is due again.
//!
//! Promises the next due instant from the last one, on the wall clock of a time zone where a cron
//! line asks for it. It knows no clock: the last instant is an argument. Cron lines reach from
//! 1970 to 2100; instants are whole seconds.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use cron::TimeUnitSpec;
use jiff::civil;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use crate::model::time::Timestamp;
use crate::model::zone::Wall;

/// The rule by which something recurs.
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    /// At a fixed interval after the last time.
    Every(Duration),
    /// At times of the day on days of the calendar.
    Cron(CronRule),
    /// By what the source itself shows: its caching headers and how often it changed.
    Auto,
}

impl Schedule {
    /// The first due instant later than `last`.
    ///
    /// `None` for [`Schedule::Auto`], where the source decides, and for a cron line whose last
    /// year is over.
    pub fn next_after(&self, last: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Every(interval) => Some(last + *interval),
            Self::Cron(rule) => rule.next_after(last),
            Self::Auto => None,
        }
    }
}

/// In the words of the settings: ``every 15m``, ``at `0 30 9 * * Mon-Fri` in Europe/Kyiv``, `auto`.
impl fmt::Display for Schedule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every(interval) => write!(out, "every {}", Span(*interval)),
            Self::Cron(rule) => write!(out, "at {rule}"),
            Self::Auto => out.write_str("auto"),
        }
    }
}

/// A duration as people write it: in the largest unit of `d`, `h`, `m`, `s`, `ms` that leaves no
/// rest (`90s`, `15m`, `1d`). Parts below a millisecond are cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

impl fmt::Display for Span {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        let (unit, name) = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")]
            .into_iter()
            .find(|(unit, _)| millis >= *unit && millis.is_multiple_of(*unit))
            .unwrap_or(if millis == 0 { (1, "s") } else { (1, "ms") });
        write!(out, "{}{name}", millis / unit)
    }
}

/// A cron line in a time zone; at least one instant matches it. Cheap to clone.
///
/// A line has six fields (second, minute, hour, day of month, month, weekday) and perhaps a
/// seventh (year); both the day of the month and the weekday must match. Weekdays are named, as
/// their numbers differ from program to program. A five-field line is read as crontab(5) has it:
/// it fires at second 0, and weekdays may be numbers with 0 and 7 for Sunday.
///
/// On days when the clocks change, a line with chosen hours fires once for each of its times: at
/// the end of the gap for times that are skipped, at the first pass for times that come twice.
/// A line for every hour keeps to the passing of time: it has no fire in the skipped hour and
/// fires in both passes of the repeated one.
#[derive(Clone, PartialEq)]
pub struct CronRule(Arc<Rule>);

#[derive(PartialEq)]
struct Rule {
    /// The line as it was given.
    text: String,
    schedule: cron::Schedule,
    zone: TimeZone,
}

/// Why a text is no usable [`CronRule`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    #[error("a cron line has 5, 6 or 7 fields, this one has {found}")]
    FieldCount { found: usize },
    #[error("the {field} `{text}` is not understood: use {allowed}")]
    Field { field: &'static str, text: String, allowed: &'static str },
    #[error("`{text}` is no short form: use `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`")]
    Short { text: String },
    /// Weekdays by number in a line of six or seven fields.
    #[error("weekday `{text}` is ambiguous in a line with seconds: use names, such as `Mon-Fri`")]
    WeekdayNumber { text: String },
    /// crontab(5) fires when either matches, every other cron when both do.
    #[error(
        "a day of the month and a weekday together are ambiguous in a line of five fields: \
             put a `0` for the seconds in front, then both must match"
    )]
    BothDays,
    #[error("it never fires: no such day comes")]
    NeverFires,
    #[error("there is no time zone `{name}`")]
    UnknownZone { name: String },
}

/// The fields of a six- or seven-field line: name and what may stand there.
const FIELDS: [(&str, &str); 7] = [
    ("second", "0-59, `*`, lists, ranges and steps such as `*/15`"),
    ("minute", "0-59, `*`, lists, ranges and steps such as `*/15`"),
    ("hour", "0-23, `*`, lists, ranges and steps such as `*/2`"),
    ("day of the month", "1-31, `*`, lists and ranges (`L` and `W` are not known)"),
    ("month", "1-12 or Jan-Dec, `*`, lists and ranges"),
    (
        "weekday",
        "Sun-Sat, `*`, lists and ranges that do not pass Saturday (`L` and `#` are not known)",
    ),
    ("year", "1970-2100, `*`, lists and ranges"),
];

/// By crontab's numbers: 0 and 7 are Sunday.
const WEEKDAYS: [&str; 8] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

impl CronRule {
    /// Reads a line; without a `timezone` (an IANA name, in any case) it is in UTC.
    ///
    /// # Errors
    /// [`CronError`] tells what to change.
    pub fn parse(line: &str, timezone: Option<&str>) -> Result<Self, CronError> {
        let schedule = parse_line(line)?;
        let zone = match timezone {
            None => TimeZone::UTC,
            Some(name) => {
                TimeZone::get(name).map_err(|_| CronError::UnknownZone { name: name.to_owned() })?
            }
        };
        if schedule.after(&DateTime::UNIX_EPOCH).next().is_none() {
            return Err(CronError::NeverFires);
        }
        let text = line.split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(Self(Arc::new(Rule { text, schedule, zone })))
    }

    /// The first instant later than `last` at which the line fires; `None` after its last year.
    pub fn next_after(&self, last: Timestamp) -> Option<Timestamp> {
        let last = last.max(Timestamp::from_millis(0)).to_jiff();
        let next = if self.0.schedule.hours().is_all() {
            self.next_as_time_passes(last)
        } else {
            self.next_on_the_wall(last)
        };
        next.map(Timestamp::from_jiff)
    }

    /// The last instant at or before `at`, and not before `from`, at which the line fires.
    pub fn last_within(&self, from: Timestamp, at: Timestamp) -> Option<Timestamp> {
        let second = Duration::from_secs(1);
        let fire_after = |instant: Timestamp| self.next_after(instant).filter(|fire| *fire <= at);
        // Back in steps that double until there is a fire, then halves of what is left.
        let mut back = second;
        let mut low = loop {
            let start = (at - back).max(from - second);
            match fire_after(start) {
                Some(fire) => break fire,
                None if start < from => return None,
                None => back *= 2,
            }
        };
        let mut high = at;
        while high.since(low) > second {
            let middle = low + high.since(low) / 2;
            match fire_after(middle) {
                Some(fire) => low = fire,
                None => high = middle,
            }
        }
        Some(fire_after(low).unwrap_or(low))
    }

    /// The first hour after `wall` that the line has, were every day the same everywhere.
    pub fn wall_after(&self, wall: Wall) -> Option<Wall> {
        self.next_match(wall.civil()).map(Wall::of)
    }

    /// The zone in which it is read.
    pub fn zone(&self) -> &TimeZone {
        &self.0.zone
    }

    /// The line as it was given.
    pub fn line(&self) -> &str {
        &self.0.text
    }

    /// For chosen hours: the wall clock decides.
    ///
    /// `instant` never runs backwards as the wall time grows, so the times up to that of `last`
    /// are over. In the second pass of a repeated hour the times that follow may be over too: they
    /// had their turn in the first pass.
    fn next_on_the_wall(&self, last: jiff::Timestamp) -> Option<jiff::Timestamp> {
        let mut wall = self.0.zone.to_datetime(last);
        loop {
            wall = self.next_match(wall)?;
            let at = instant(&self.0.zone, wall)?;
            if at > last {
                return Some(at);
            }
        }
    }

    /// For every hour: within a stretch of constant offset the wall clock runs evenly; a match
    /// that lies beyond the stretch is looked for again with the next stretch's offset.
    fn next_as_time_passes(&self, last: jiff::Timestamp) -> Option<jiff::Timestamp> {
        let zone = &self.0.zone;
        let mut offset = zone.to_offset(last);
        let mut after = offset.to_datetime(last);
        let mut changes = zone.following(last);
        loop {
            let at = offset.to_timestamp(self.next_match(after)?).ok()?;
            match changes.next() {
                Some(change) if change.timestamp() <= at => {
                    offset = change.offset();
                    let before = change.timestamp() - jiff::SignedDuration::from_secs(1);
                    after = offset.to_datetime(before);
                }
                _ => return Some(at),
            }
        }
    }

    /// The first wall time later than `wall` that matches, were every day the same.
    fn next_match(&self, wall: civil::DateTime) -> Option<civil::DateTime> {
        let seconds = Offset::UTC.to_timestamp(wall).ok()?.as_second();
        let next = self.0.schedule.after(&DateTime::from_timestamp(seconds, 0)?).next()?;
        Some(Offset::UTC.to_datetime(jiff::Timestamp::from_second(next.timestamp()).ok()?))
    }
}

/// The line and its zone: `` `0 30 9 * * Mon-Fri` in Europe/Kyiv ``.
impl fmt::Display for CronRule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "`{}` in {}", self.0.text, self.0.zone.iana_name().unwrap_or("UTC"))
    }
}

impl fmt::Debug for CronRule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "CronRule({self})")
    }
}

/// When the clocks of the zone show `wall`: the first time that they do, or when they jump over it.
pub(super) fn instant(zone: &TimeZone, wall: civil::DateTime) -> Option<jiff::Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(wall);
    let is_skipped = matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. });
    let at = ambiguous.compatible().ok()?;
    if !is_skipped {
        return Some(at);
    }
    // A skipped time is taken with the offset before the jump, so `at` is the jump itself or less
    // than a gap later.
    let past = at.checked_add(jiff::SignedDuration::from_secs(1)).ok()?;
    zone.preceding(past).next().map(|jump| jump.timestamp())
}

/// When the clocks show `wall` for the second time; `None` when they do so once at most.
pub(super) fn second_instant(zone: &TimeZone, wall: civil::DateTime) -> Option<jiff::Timestamp> {
    match zone.to_ambiguous_timestamp(wall).offset() {
        AmbiguousOffset::Fold { after, .. } => after.to_timestamp(wall).ok(),
        AmbiguousOffset::Gap { .. } | AmbiguousOffset::Unambiguous { .. } => None,
    }
}

fn parse_line(line: &str) -> Result<cron::Schedule, CronError> {
    let mut fields: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    if let [short] = fields.as_slice()
        && short.starts_with('@')
    {
        return short.parse().map_err(|_| CronError::Short { text: clip(short) });
    }
    match fields.len() {
        5 => {
            if fields[2] != "*" && fields[2] != "?" && fields[4] != "*" && fields[4] != "?" {
                return Err(CronError::BothDays);
            }
            fields.insert(0, "0".to_owned());
            fields[5] = name_weekdays(&fields[5])?;
        }
        6 | 7 => {
            let is_number = |part: &str| part.starts_with(|c: char| c.is_ascii_digit());
            if fields[5].split(',').any(is_number) {
                return Err(CronError::WeekdayNumber { text: clip(&fields[5]) });
            }
        }
        found => return Err(CronError::FieldCount { found }),
    }
    // Each field is tried by itself, so that the message can name it: the parser tells a place
    // in the line only, and takes a field that ends in a comma together with the next one.
    for (at, field) in fields.iter().enumerate() {
        let mut alone = vec!["*"; fields.len()];
        alone[at] = field;
        let is_whole = !field.starts_with([',', '-', '/']) && !field.ends_with([',', '-', '/']);
        if !is_whole || alone.join(" ").parse::<cron::Schedule>().is_err() {
            return Err(unknown_field(at, field));
        }
    }
    fields.join(" ").parse().map_err(|_| unknown_field(0, line))
}

/// Translates crontab's weekday numbers to names; names, `*` and `?` stay.
fn name_weekdays(field: &str) -> Result<String, CronError> {
    let unknown = || unknown_field(5, field);
    let number = |text: &str| text.parse::<usize>().ok().filter(|day| *day <= 7);
    let mut names: Vec<&str> = Vec::new();
    for part in field.split(',') {
        if !part.starts_with(|c: char| c.is_ascii_digit()) {
            names.push(part);
            continue;
        }
        let (days, step) = match part.split_once('/') {
            Some((days, step)) => (days, step.parse().map_err(|_| unknown())?),
            None => (part, 1),
        };
        let (first, last) = match days.split_once('-') {
            Some((first, last)) => (number(first), number(last)),
            None => (number(days), number(days)),
        };
        let (Some(first), Some(last)) = (first, last) else { return Err(unknown()) };
        if first > last || step == 0 {
            return Err(unknown());
        }
        names.extend((first..=last).step_by(step).map(|day| WEEKDAYS[day]));
    }
    Ok(names.join(","))
}

fn unknown_field(at: usize, text: &str) -> CronError {
    let (field, allowed) = FIELDS[at.min(FIELDS.len() - 1)];
    CronError::Field { field, text: clip(text), allowed }
}

/// At most as much of a text as a message can bear.
fn clip(text: &str) -> String {
    text.chars().take(40).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// Northern, southern, half an hour, at midnight, none at all, two hours.
    const ZONES: [&str; 13] = [
        "Europe/Kyiv",
        "Europe/Chisinau",
        "Europe/London",
        "America/New_York",
        "America/St_Johns",
        "America/Havana",
        "America/Santiago",
        "Africa/Cairo",
        "Asia/Beirut",
        "Asia/Kolkata",
        "Atlantic/Azores",
        "Australia/Lord_Howe",
        "Antarctica/Troll",
    ];

    fn at(text: &str) -> Timestamp {
        Timestamp::from_jiff(text.parse().unwrap())
    }

    /// The next `count` fires after `from`, on the zone's wall clock with its offset.
    fn fires(line: &str, zone: &str, from: &str, count: usize) -> Vec<String> {
        let rule = CronRule::parse(line, Some(zone)).unwrap();
        let zone = TimeZone::get(zone).unwrap();
        let mut last = at(from);
        let mut out = Vec::new();
        for _ in 0..count {
            last = rule.next_after(last).unwrap();
            out.push(last.to_jiff().to_zoned(zone.clone()).strftime("%d %H:%M:%S%:z").to_string());
        }
        out
    }

    #[test]
    fn every_adds_the_interval_and_auto_leaves_it_to_the_source() {
        let last = at("2026-11-23T09:00:00Z");
        let every = Schedule::Every(Duration::from_secs(900));
        assert_eq!(every.next_after(last), Some(at("2026-11-23T09:15:00Z")));
        assert_eq!(Schedule::Auto.next_after(last), None);
    }

    #[test]
    fn lines_fire_as_they_say() {
        let cases = [
            ("0 0 9 * * *", "23 09:00:00+00:00"),
            ("0 */15 8-20 * * Mon-Fri", "23 08:45:00+00:00"),
            ("0 0 9 * * mon", "23 09:00:00+00:00"),
            ("0 0 9 24 12 * 2026", "24 09:00:00+00:00"),
            ("30 8 * * *", "24 08:30:00+00:00"),
            ("@daily", "24 00:00:00+00:00"),
            ("  0   0 10  *  *  *  ", "23 10:00:00+00:00"),
        ];
        for (line, expected) in cases {
            assert_eq!(fires(line, "UTC", "2026-11-23T08:30:00Z", 1), [expected], "{line}");
        }
    }

    #[test]
    fn five_fields_number_the_weekdays_as_crontab_does() {
        // 2026-11-23 is a Monday.
        let cases = [
            ("0 9 * * 1", vec![23, 30]),
            ("0 9 * * 0", vec![29]),
            ("0 9 * * 7", vec![29]),
            ("0 9 * * 1-5", vec![23, 24, 25, 26, 27, 30]),
            ("0 9 * * 5-7", vec![27, 28, 29]),
            ("0 9 * * 1-5/2", vec![23, 25, 27, 30]),
            ("0 9 * * 0,3", vec![25, 29]),
            ("0 9 * * Mon,3", vec![23, 25, 30]),
            ("0 9 * * sat", vec![28]),
            ("0 9 24 * *", vec![24]),
        ];
        for (line, expected) in cases {
            let rule = CronRule::parse(line, None).unwrap();
            let mut days = Vec::new();
            let mut last = at("2026-11-22T23:00:00Z");
            while let Some(next) = rule.next_after(last).filter(|n| *n < at("2026-12-01T00:00:00Z"))
            {
                days.push(next.to_jiff().to_zoned(TimeZone::UTC).day());
                last = next;
            }
            assert_eq!(days, expected, "{line}");
        }
    }

    #[test]
    fn what_cannot_work_is_refused_with_the_reason() {
        let cases = [
            ("", "a cron line has 5, 6 or 7 fields, this one has 0"),
            ("0 9 * *", "a cron line has 5, 6 or 7 fields, this one has 4"),
            ("0 0 0 31 2 *", "it never fires: no such day comes"),
            ("0 0 0 30 Feb *", "it never fires: no such day comes"),
            (
                "0 0 25 * * *",
                "the hour `25` is not understood: use 0-23, `*`, lists, ranges and steps such as `*/2`",
            ),
            (
                "0 0 22-2 * * *",
                "the hour `22-2` is not understood: use 0-23, `*`, lists, ranges and steps such as \
                 `*/2`",
            ),
            (
                "0 9, 10 * * * Mon",
                "the minute `9,` is not understood: use 0-59, `*`, lists, ranges and steps such as \
                 `*/15`",
            ),
            (
                "0 0 9 L * *",
                "the day of the month `L` is not understood: use 1-31, `*`, lists and ranges (`L` \
                 and `W` are not known)",
            ),
            (
                "0 0 9 * * Fri-Mon",
                "the weekday `Fri-Mon` is not understood: use Sun-Sat, `*`, lists and ranges that \
                 do not pass Saturday (`L` and `#` are not known)",
            ),
            (
                "0 9 * * 8",
                "the weekday `8` is not understood: use Sun-Sat, `*`, lists and ranges that do not \
                 pass Saturday (`L` and `#` are not known)",
            ),
            (
                "0 0 9 * * 1-5",
                "weekday `1-5` is ambiguous in a line with seconds: use names, such as `Mon-Fri`",
            ),
            (
                "0 9 13 * 5",
                "a day of the month and a weekday together are ambiguous in a line of five \
                 fields: put a `0` for the seconds in front, then both must match",
            ),
            (
                "@reboot",
                "`@reboot` is no short form: use `@hourly`, `@daily`, `@weekly`, `@monthly`, \
                 `@yearly`",
            ),
        ];
        for (line, expected) in cases {
            let error = CronRule::parse(line, None).unwrap_err();
            assert_eq!(error.to_string(), expected, "{line}");
        }
        let error = CronRule::parse("0 9 * * *", Some("Europe/Kiew")).unwrap_err();
        assert_eq!(error.to_string(), "there is no time zone `Europe/Kiew`");
    }

    #[test]
    fn a_skipped_time_fires_when_the_gap_ends() {
        assert_eq!(
            fires("0 30 3 * * *", "Europe/Kyiv", "2026-03-28T00:00:00Z", 3),
            ["28 03:30:00+02:00", "29 04:00:00+03:00", "30 03:30:00+03:00"],
        );
        assert_eq!(
            fires("0 15 2 * * *", "Australia/Lord_Howe", "2026-10-02T20:00:00Z", 2),
            ["04 02:30:00+11:00", "05 02:15:00+11:00"],
        );
        // Several skipped times and one that is due then anyway are one fire.
        assert_eq!(
            fires("0 0,20,40 2,3 * * *", "America/New_York", "2026-03-08T06:59:00Z", 3),
            ["08 03:00:00-04:00", "08 03:20:00-04:00", "08 03:40:00-04:00"],
        );
    }

    #[test]
    fn a_repeated_time_fires_at_its_first_pass() {
        assert_eq!(
            fires("0 30 3 * * *", "Europe/Kyiv", "2026-10-24T10:00:00Z", 2),
            ["25 03:30:00+03:00", "26 03:30:00+02:00"],
        );
        // Asked in the second pass, before its 03:30.
        assert_eq!(
            fires("0 30 3 * * *", "Europe/Kyiv", "2026-10-25T01:10:00Z", 1),
            ["26 03:30:00+02:00"],
        );
    }

    #[test]
    fn a_line_for_every_hour_keeps_to_the_passing_of_time() {
        assert_eq!(
            fires("0 30 * * * *", "Europe/Kyiv", "2026-10-24T23:00:00Z", 4),
            ["25 02:30:00+03:00", "25 03:30:00+03:00", "25 03:30:00+02:00", "25 04:30:00+02:00"],
        );
        assert_eq!(
            fires("0 30 * * * *", "Europe/Kyiv", "2026-03-29T00:00:00Z", 3),
            ["29 02:30:00+02:00", "29 04:30:00+03:00", "29 05:30:00+03:00"],
        );
        assert_eq!(
            fires("0 */15 * * * *", "Australia/Lord_Howe", "2026-04-04T14:44:00Z", 4),
            ["05 01:45:00+11:00", "05 01:30:00+10:30", "05 01:45:00+10:30", "05 02:00:00+10:30"],
        );
    }

    #[test]
    fn the_last_fire_is_found_without_walking_over_all() {
        let from = at("2026-01-01T00:00:00Z");
        let now = at("2026-11-28T12:34:56Z");
        let cases = [
            ("* * * * * *", Some("2026-11-28T12:34:56Z")),
            ("* * 3 * * *", Some("2026-11-28T03:59:59Z")),
            ("0 0 9 * * Mon", Some("2026-11-23T09:00:00Z")),
            ("56 34 12 28 11 *", Some("2026-11-28T12:34:56Z")),
            ("0 0 9 1 1 *", Some("2026-01-01T09:00:00Z")),
            ("0 0 0 1 1 *", Some("2026-01-01T00:00:00Z")),
            ("0 0 9 1 12 *", None),
        ];
        for (line, expected) in cases {
            let rule = CronRule::parse(line, None).unwrap();
            assert_eq!(rule.last_within(from, now), expected.map(at), "{line}");
        }
    }

    #[test]
    fn the_last_year_ends_it() {
        let rule = CronRule::parse("0 0 9 1 1 * 2030", None).unwrap();
        assert_eq!(rule.next_after(at("2029-06-01T00:00:00Z")), Some(at("2030-01-01T09:00:00Z")));
        assert_eq!(rule.next_after(at("2030-01-01T09:00:00Z")), None);
        let rule = CronRule::parse("0 0 * * * *", Some("Europe/Kyiv")).unwrap();
        assert_eq!(rule.next_after(Timestamp::from_millis(i64::MAX)), None);
        assert!(rule.next_after(Timestamp::from_millis(i64::MIN)).is_some());
    }

    #[test]
    fn every_local_daily_time_fires_once_a_civil_day() {
        let times = [
            (0, 0),
            (0, 15),
            (0, 30),
            (1, 0),
            (1, 30),
            (1, 45),
            (2, 0),
            (2, 15),
            (2, 30),
            (2, 59),
            (3, 0),
            (3, 30),
            (4, 0),
            (12, 0),
            (22, 30),
            (23, 0),
            (23, 59),
        ];
        for name in ZONES {
            let zone = TimeZone::get(name).unwrap();
            for (hour, minute) in times {
                let rule =
                    CronRule::parse(&format!("0 {minute} {hour} * * *"), Some(name)).unwrap();
                let mut day = civil::date(2025, 1, 1);
                let mut last = day.to_zoned(zone.clone()).unwrap().timestamp();
                // The day's own midnight would be over already.
                last -= jiff::SignedDuration::from_secs(1);
                while day.year() < 2028 {
                    let next = rule.next_after(Timestamp::from_jiff(last)).unwrap().to_jiff();
                    let wall = zone.to_datetime(next);
                    let meant = day.at(hour, minute, 0, 0);
                    assert_eq!(wall.date(), day, "{name} {meant}");
                    match zone.to_ambiguous_timestamp(meant).offset() {
                        AmbiguousOffset::Gap { .. } => {
                            let before =
                                zone.to_datetime(next - jiff::SignedDuration::from_nanos(1));
                            assert!(
                                before < meant && meant < wall || meant == before,
                                "{name} {meant}"
                            );
                        }
                        AmbiguousOffset::Fold { before, .. } => {
                            assert_eq!(wall, meant, "{name}");
                            assert_eq!(zone.to_offset(next), before, "{name} {meant}");
                        }
                        AmbiguousOffset::Unambiguous { .. } => assert_eq!(wall, meant, "{name}"),
                    }
                    last = next;
                    day = day.tomorrow().unwrap();
                }
            }
        }
    }

    #[test]
    fn schedules_show_themselves_in_the_settings_words() {
        let cases = BTreeMap::from([(0, "0s"), (1, "1ms"), (1_500, "1500ms"), (90_000, "90s")]);
        for (millis, expected) in cases {
            assert_eq!(Span(Duration::from_millis(millis)).to_string(), expected);
        }
        let hour = Schedule::Every(Duration::from_secs(3_600));
        assert_eq!(hour.to_string(), "every 1h");
        let cron = CronRule::parse("30  9 * * 1-5", Some("europe/kyiv")).unwrap();
        assert_eq!(Schedule::Cron(cron).to_string(), "at `30 9 * * 1-5` in Europe/Kyiv");
        assert_eq!(Schedule::Auto.to_string(), "auto");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(line in "[0-9*,/?@LW#a-zMF \\-]{0,40}") {
            if let Ok(rule) = CronRule::parse(&line, Some("Europe/Kyiv")) {
                let _ = rule.next_after(at("2026-11-23T09:00:00Z"));
            }
        }

        #[test]
        fn the_next_fire_is_later_and_asking_in_between_does_not_change_it(
            zone in prop::sample::select(ZONES.to_vec()),
            second in 0u32..60, minute in 0u32..60,
            hour in prop::sample::select(vec!["*", "*/3", "0-6", "1,2,3", "2"]),
            start in 1_735_689_600_000i64..1_830_384_000_000,
            part in 0.0f64..1.0,
        ) {
            let rule =
                CronRule::parse(&format!("{second} {minute} {hour} * * *"), Some(zone)).unwrap();
            let start = Timestamp::from_millis(start);
            let next = rule.next_after(start).unwrap();
            prop_assert!(next > start);
            let between = start + next.since(start).mul_f64(part);
            if between < next {
                prop_assert_eq!(rule.next_after(between), Some(next));
            }
        }
    }
}
