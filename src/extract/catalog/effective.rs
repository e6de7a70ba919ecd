//! When a sale price is in force: `start/end`, in the forms that Google and Meta print.

use crate::extract::date;
use crate::model::time::Timestamp;

/// Longest text that is looked at, in bytes.
const DATES_BYTES_MAX: usize = 128;
const DAY_MILLIS: i64 = 24 * 3_600 * 1_000;
/// No zone is further from Greenwich, in hours.
const ZONE_HOURS_MAX: u32 = 14;

/// From when on the sale holds, and the first instant at which it is over; `None` where nothing is
/// said, or nothing that can be read.
///
/// A start without a time is that day's first instant, an end without one leaves the day whole.
/// Without a zone both are in UTC. Meta prints `2017-12-01T0:00-23:59`, which is a zone nowhere:
/// then only the dates count.
pub(super) fn range(text: &str) -> (Option<Timestamp>, Option<Timestamp>) {
    let text = text.trim();
    if text.is_empty() || text.len() > DATES_BYTES_MAX {
        return (None, None);
    }
    let (start, end) = text.split_once('/').unwrap_or((text, ""));
    let start = bound(start).map(|(at, _)| at);
    let end = bound(end).map(|(at, has_time)| {
        if has_time { at } else { Timestamp::from_millis(at.as_millis() + DAY_MILLIS) }
    });
    (start, end)
}

/// An instant, and whether a time of the day was given with it.
fn bound(text: &str) -> Option<(Timestamp, bool)> {
    let text = text.trim();
    let Some((day, time)) = text.split_once(['T', ' ']) else {
        return date::parse(text).map(|at| (at, false));
    };
    let hours = time.rsplit_once(['-', '+']).map(|(_, zone)| {
        let hours = zone.split(':').next().unwrap_or_default();
        hours.get(..hours.len().min(2)).and_then(|hours| hours.parse::<u32>().ok())
    });
    match hours {
        Some(hours) if hours.is_none_or(|hours| hours > ZONE_HOURS_MAX) => {
            date::parse(day).map(|at| (at, false))
        }
        _ => match date::parse(text) {
            Some(at) => Some((at, true)),
            None => date::parse(day).map(|at| (at, false)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_printed_form_of_a_range_is_read() {
        for (text, start, end) in [
            (
                "2020-04-30T09:30-0800/2020-05-30T23:59-0800",
                "2020-04-30T17:30:00Z",
                "2020-05-31T07:59:00Z",
            ),
            (
                "2020-04-30T09:30-08:00/2020-05-30T23:59:30-08:00",
                "2020-04-30T17:30:00Z",
                "2020-05-31T07:59:30Z",
            ),
            ("2020-04-30/2020-05-30", "2020-04-30T00:00:00Z", "2020-05-31T00:00:00Z"),
            (
                "2020-04-30T00:00Z / 2020-05-30T12:00Z",
                "2020-04-30T00:00:00Z",
                "2020-05-30T12:00:00Z",
            ),
            (
                "2017-12-01T0:00-23:59/2017-12-31T0:00-23:59",
                "2017-12-01T00:00:00Z",
                "2018-01-01T00:00:00Z",
            ),
            ("2020-04-30 09:30/", "2020-04-30T09:30:00Z", "none"),
            ("/2020-05-30", "none", "2020-05-31T00:00:00Z"),
            ("soon", "none", "none"),
            ("", "none", "none"),
        ] {
            let shown = |at: Option<Timestamp>| at.map_or("none".into(), |at| at.to_string());
            let (from, until) = range(text);
            assert_eq!((shown(from), shown(until)), (start.into(), end.into()), "{text}");
        }
    }
}
