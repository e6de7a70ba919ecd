//! Civil days.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use crate::model::time::Timestamp;
use crate::model::zone::Wall;
use crate::model::zone::Zone;

/// Day 0.
const EPOCH: Date = jiff::civil::date(1970, 1, 1);

/// The days of one time zone, numbered from 1970-01-01 on.
#[derive(Clone, Debug, PartialEq)]
pub struct Days(TimeZone);

impl Days {
    /// `None` for a zone that is not known.
    pub fn of(zone: &str) -> Option<Self> {
        TimeZone::get(zone).ok().map(Self)
    }

    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// The zone whose days they are.
    pub fn zone(&self) -> Zone {
        Zone::of(&self.0)
    }

    /// The day that it is at that instant; 0 before 1970.
    pub fn day(&self, at: Timestamp) -> u32 {
        let date = self.0.to_datetime(at.to_jiff()).date();
        let days = EPOCH.until(date).map_or(0, |span| span.get_days());
        u32::try_from(days).unwrap_or(0)
    }

    /// What the clocks show at that instant.
    pub fn wall(&self, at: Timestamp) -> Wall {
        Wall::at(&self.0, at)
    }

    /// The instant of a time of that day; in a gap of the clock its end, of two the first.
    pub fn at(&self, day: u32, time: Time) -> Option<Timestamp> {
        let days = i64::from(day);
        let date = EPOCH.checked_add(jiff::Span::new().try_days(days).ok()?).ok()?;
        let at = self.0.to_ambiguous_timestamp(date.to_datetime(time)).compatible().ok()?;
        Some(Timestamp::from_jiff(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_the_zones_midnight() {
        let kyiv = Days::of("Europe/Kyiv").unwrap();
        let at = |text: &str| Timestamp::from_jiff(text.parse().unwrap());
        let late = at("2026-11-28T21:59:59Z");
        assert_eq!(kyiv.day(late) + 1, kyiv.day(at("2026-11-28T22:00:00Z")));
        assert_eq!(Days::utc().day(late), Days::utc().day(at("2026-11-28T00:00:00Z")));
        let day = kyiv.day(late);
        let nine = kyiv.at(day, jiff::civil::time(9, 0, 0, 0)).unwrap();
        assert_eq!(nine, at("2026-11-28T07:00:00Z"));
        assert_eq!(Days::of("Europe/Nowhere"), None);
    }

    #[test]
    fn every_day_has_each_of_its_times_once() {
        for zone in ["Europe/Kyiv", "America/Santiago", "Africa/Cairo", "Pacific/Apia"] {
            let days = Days::of(zone).unwrap();
            let mut last = None;
            for day in 20_000..20_800 {
                let at = days.at(day, jiff::civil::time(0, 0, 0, 0)).unwrap();
                assert!(last.is_none_or(|last| last < at), "{zone} {day}");
                assert_eq!(days.day(at), day, "{zone} {day}");
                last = Some(at);
            }
        }
    }
}
