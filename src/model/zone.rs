//! Time zones of people, and what the clocks in them show.

mod cities;

use std::fmt;

use jiff::civil;
use jiff::tz::{Offset, TimeZone};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::model::schedule::instant;
use crate::model::time::Timestamp;

/// Where the zones that are named after a city lie.
const AREAS: [&str; 10] = [
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
];

/// The zone of those who say none.
const UTC: &str = "UTC";

/// Longest text that is looked up, in bytes.
const TEXT_BYTES_MAX: usize = 64;

/// Clocks are at most so many minutes before and behind UTC, and differ by quarters of an hour.
const MINUTES_MIN: i32 = -12 * 60;
const MINUTES_MAX: i32 = 14 * 60;
const MINUTES_STEP: i32 = 15;

/// A time zone that somebody has told: an IANA name, or a distance from UTC such as `+05:30`.
///
/// It was known when it was told; after a change of the machine's time zones it may not be any
/// more, and counts as none then.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Zone(String);

impl Zone {
    /// Reads what people write: an IANA name in any case, its city alone (`new york`), another large
    /// city (`München`), or a distance from UTC (`+2`, `UTC-05:30`). `None` for anything else.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() || text.len() > TEXT_BYTES_MAX {
            return None;
        }
        distance(text).or_else(|| named(text)).or_else(|| in_city(text))
    }

    pub fn utc() -> Self {
        Self(UTC.to_owned())
    }

    /// A zone as it is kept or stands in the settings: nothing is looked up but the name itself.
    pub fn exactly(name: &str) -> Option<Self> {
        let zone = Self(name.to_owned());
        zone.clocks().is_some().then_some(zone)
    }

    /// The name of a zone that is known, or the distance of one that never changes its clocks.
    pub fn of(zone: &TimeZone) -> Self {
        let name = || zone.to_fixed_offset().ok().map(|offset| shown(offset.seconds() / 60));
        Self(zone.iana_name().map(str::to_owned).or_else(name).unwrap_or_else(|| UTC.to_owned()))
    }

    /// Its clocks; `None` for a zone that this machine does not know.
    pub fn clocks(&self) -> Option<TimeZone> {
        match minutes(&self.0) {
            Some(minutes) => Some(TimeZone::fixed(Offset::from_seconds(minutes * 60).ok()?)),
            None => TimeZone::get(&self.0).ok(),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `Europe/Kyiv`, `UTC+05:30`.
impl fmt::Display for Zone {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.starts_with(['+', '-']) {
            out.write_str("UTC")?;
        }
        out.write_str(&self.0)
    }
}

/// What clocks show on a day, wherever they hang; whole seconds.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Wall(i64);

impl Wall {
    pub fn of(shown: civil::DateTime) -> Self {
        Self(Offset::UTC.to_timestamp(shown).map_or(0, jiff::Timestamp::as_second))
    }

    pub fn civil(self) -> civil::DateTime {
        let at = jiff::Timestamp::from_second(self.0).unwrap_or_default();
        Offset::UTC.to_datetime(at)
    }

    /// What the zone's clocks show at an instant.
    pub fn at(zone: &TimeZone, at: Timestamp) -> Self {
        Self::of(zone.to_datetime(at.to_jiff()))
    }

    /// When the zone's clocks show it: the first time that they do, or when they jump over it.
    pub fn on(self, zone: &TimeZone) -> Option<Timestamp> {
        instant(zone, self.civil()).map(Timestamp::from_jiff)
    }

    /// A second before.
    #[must_use]
    pub fn before(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// The hour and the minute: `09:00`.
    pub fn time_of_day(self) -> String {
        self.civil().strftime("%H:%M").to_string()
    }

    /// The time of the day: `09:00`, `09:00:30`.
    pub fn time(self) -> String {
        let form = if self.civil().second() == 0 { "%H:%M" } else { "%H:%M:%S" };
        self.civil().strftime(form).to_string()
    }
}

/// `2026-11-28 09:00`.
impl fmt::Display for Wall {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.civil().date(), self.time())
    }
}

/// For which hour of its readers' clocks a campaign gathers. Written by `compose`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gathering {
    /// Up to this hour all is decided: nothing more is made for it.
    pub decided: Option<Wall>,
    /// The hour of what waits; `None` until something does.
    pub next: Option<Wall>,
}

impl Gathering {
    /// The hour is over: what is gathered from now on is for a later one.
    #[must_use]
    pub fn past(self, hour: Wall) -> Self {
        Self { decided: self.decided.max(Some(hour)), next: None }
    }
}

/// Reads `+2`, `UTC-05:30`, `gmt +0530`.
fn distance(text: &str) -> Option<Zone> {
    let lower = text.to_ascii_lowercase();
    let rest = lower.strip_prefix("utc").or_else(|| lower.strip_prefix("gmt")).unwrap_or(&lower);
    let rest = rest.trim_start().replace('−', "-");
    minutes(&rest).map(|minutes| Zone(shown(minutes)))
}

/// The minutes of `+2`, `-05:30`, `+0530`; `None` for what no clock shows.
fn minutes(text: &str) -> Option<i32> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, rest) = match digits.split_once(':') {
        Some((hours, rest)) if rest.len() == 2 => (hours, rest),
        Some(_) => return None,
        None if digits.len() == 4 => digits.split_at_checked(2)?,
        None => (digits, "0"),
    };
    let is_number = |text: &str| {
        (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !is_number(hours) || !is_number(rest) {
        return None;
    }
    let (hours, rest): (i32, i32) = (hours.parse().ok()?, rest.parse().ok()?);
    let minutes = sign * (hours * 60 + rest);
    let is_shown = (MINUTES_MIN..=MINUTES_MAX).contains(&minutes) && minutes % MINUTES_STEP == 0;
    (is_shown && rest < 60).then_some(minutes)
}

/// `+05:30`; `UTC` where there is none.
fn shown(minutes: i32) -> String {
    let sign = if minutes < 0 { '-' } else { '+' };
    match minutes.unsigned_abs() {
        0 => UTC.to_owned(),
        far => format!("{sign}{:02}:{:02}", far / 60, far % 60),
    }
}

/// A zone by its name or by its city.
fn named(text: &str) -> Option<Zone> {
    let wanted = plain(text);
    let names: Vec<_> = jiff::tz::db().available().collect();
    let mut of_city: Option<&str> = None;
    for name in names.iter().map(|name| name.as_str()) {
        if plain(name) == wanted && is_of_people(name) {
            return Some(Zone(name.to_owned()));
        }
        let (area, city) = (name.split('/').next()?, name.rsplit('/').next()?);
        let is_city = AREAS.contains(&area) && area != name && plain(city) == wanted;
        // Some cities have an older and a newer name of one zone.
        if is_city && is_of_people(name) {
            of_city = Some(of_city.map_or(name, |other| other.min(name)));
        }
    }
    of_city.map(|name| Zone(name.to_owned()))
}

/// A zone by another city in it, where this machine knows the zone.
fn in_city(text: &str) -> Option<Zone> {
    Zone::exactly(cities::zone_of(&plain(text))?)
}

/// Not what the machine's folder of zones holds besides.
fn is_of_people(name: &str) -> bool {
    let is_other = ["posix/", "right/", "posixrules", "localtime", "Factory", "Etc/Unknown"];
    !is_other.iter().any(|other| name.starts_with(other)) && TimeZone::get(name).is_ok()
}

/// Without what people write otherwise: capitals, accents, and signs between words.
fn plain(text: &str) -> String {
    let words = text.split(|c: char| matches!(c, '_' | '-' | '.' | ',') || c.is_whitespace());
    let joined = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    joined.nfd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_read_as_people_write_it() {
        for (text, told) in [
            ("Europe/Bucharest", "Europe/Bucharest"),
            ("europe/bucharest", "Europe/Bucharest"),
            (" bucharest ", "Europe/Bucharest"),
            ("new york", "America/New_York"),
            ("America/New York", "America/New_York"),
            ("Port-au-Prince", "America/Port-au-Prince"),
            ("buenos aires", "America/Argentina/Buenos_Aires"),
            ("japan", "Japan"),
            ("Bogotá", "America/Bogota"),
            ("München", "Europe/Berlin"),
            ("Munich", "Europe/Berlin"),
            ("milan", "Europe/Rome"),
            ("iași", "Europe/Bucharest"),
            ("București", "Europe/Bucharest"),
            ("Cluj-Napoca", "Europe/Bucharest"),
            ("Wien", "Europe/Vienna"),
            ("Санкт-Петербург", "Europe/Moscow"),
            ("Нижний Новгород", "Europe/Moscow"),
            ("St. Petersburg", "Europe/Moscow"),
            ("germany", "Europe/Berlin"),
            ("utc", "UTC"),
            ("UTC+0", "UTC"),
            ("+2", "+02:00"),
            ("UTC+2", "+02:00"),
            ("utc -05:30", "-05:30"),
            ("GMT−3", "-03:00"),
            ("+0545", "+05:45"),
            ("+14", "+14:00"),
        ] {
            assert_eq!(Zone::read(text).unwrap().as_str(), told, "{text}");
            assert!(Zone::read(text).unwrap().clocks().is_some(), "{text}");
        }
        for text in
            ["", "nowhere", "europe", "+15", "-13", "+2:7", "+05:20", "2", "posixrules", "+", "++2"]
        {
            assert_eq!(Zone::read(text), None, "{text}");
        }
    }

    #[test]
    fn a_zone_of_clocks_is_that_zone_again() {
        for text in ["Asia/Kolkata", "UTC", "+05:30", "-09:45"] {
            let zone = Zone::read(text).unwrap();
            assert_eq!(Zone::of(&zone.clocks().unwrap()), zone, "{text}");
        }
        assert_eq!(Zone::read("+5:30").unwrap().to_string(), "UTC+05:30");
        assert_eq!(Zone("Europe/Nowhere".into()).clocks(), None);
    }

    #[test]
    fn a_wall_has_an_instant_in_each_zone() {
        let nine = Wall::of(civil::date(2026, 11, 28).at(9, 0, 0, 0));
        let on = |zone: &str| nine.on(&TimeZone::get(zone).unwrap()).unwrap().to_string();
        assert_eq!(on("Asia/Tokyo"), "2026-11-28T00:00:00Z");
        assert_eq!(on("Europe/Rome"), "2026-11-28T08:00:00Z");
        assert_eq!((nine.to_string(), nine.time()), ("2026-11-28 09:00".into(), "09:00".into()));
        // Skipped: at the end of the gap; twice: the first time.
        let rome = TimeZone::get("Europe/Rome").unwrap();
        let skipped = Wall::of(civil::date(2026, 3, 29).at(2, 30, 0, 0));
        assert_eq!(skipped.on(&rome).unwrap().to_string(), "2026-03-29T01:00:00Z");
        let twice = Wall::of(civil::date(2026, 10, 25).at(2, 30, 0, 0));
        assert_eq!(twice.on(&rome).unwrap().to_string(), "2026-10-25T00:30:00Z");
    }
}
