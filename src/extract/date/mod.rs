//! Dates as feeds really write them, read into instants.
//!
//! Promises an instant for every form that is met in practice: RFC 822 with its usual faults,
//! ISO 8601 and its relatives, `asctime`, day and month in words of a dozen languages, and Unix
//! times. A date without a zone is taken as UTC, a date without a time as midnight. It refuses to
//! guess: what does not name a day gives `None`, and so do the placeholders `0000-00-00`,
//! `0001-01-01` and 1 January 1970. Longer than [`DATE_BYTES_MAX`] is no date.

mod words;

mod zone;

use jiff::civil;

use crate::extract::date::words::words;
use crate::extract::date::zone::zone;
use crate::model::time::Timestamp;

/// Longest text that is looked at, in bytes after trimming.
pub const DATE_BYTES_MAX: usize = 64;

/// The instant that `text` names, if it names one.
pub fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.is_empty() || text.len() > DATE_BYTES_MAX {
        return None;
    }
    let moment = iso(text).or_else(|| number(text)).or_else(|| words(text))?;
    moment.to_timestamp()
}

/// What a text says before it is checked against the calendar.
#[derive(Clone, Copy, Debug, Default)]
struct Moment {
    year: i32,
    month: u8,
    day: u8,
    /// Seconds since midnight; 86,400 and more belong to the next day.
    seconds: i64,
    millis: i64,
    /// Minutes east of UTC.
    offset: i64,
}

impl Moment {
    fn to_timestamp(self) -> Option<Timestamp> {
        if (self.year, self.month, self.day) == (1970, 1, 1) || !(1900..=9998).contains(&self.year)
        {
            return None;
        }
        let date = civil::Date::new(
            i16::try_from(self.year).ok()?,
            i8::try_from(self.month).ok()?,
            i8::try_from(self.day).ok()?,
        )
        .ok()?;
        let midnight = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond();
        let shift = (self.seconds - self.offset * 60) * 1000 + self.millis;
        Some(Timestamp::from_millis(midnight + shift))
    }
}

/// ISO 8601 and what looks like it: year first, then month, week or ordinal day.
fn iso(text: &str) -> Option<Moment> {
    let bytes = text.as_bytes();
    let mut at = Cursor { bytes, pos: 0 };
    let year = at.exact_digits(4)?;
    let mut moment =
        Moment { year: i32::try_from(year).ok()?, month: 1, day: 1, ..Moment::default() };
    let separator = at.peek();
    match separator {
        None => return (1900..2200).contains(&year).then_some(moment),
        Some(b'-' | b'/' | b'.') => {
            at.pos += 1;
            if at.take(b'W') || at.take(b'w') {
                let week = at.exact_digits(2)?;
                let day = if at.take(b'-') { at.exact_digits(1)? } else { 1 };
                week_date(&mut moment, week, day)?;
            } else {
                let digits = at.run_of_digits();
                if digits == 3 {
                    let ordinal = at.exact_digits(3)?;
                    ordinal_date(&mut moment, ordinal)?;
                } else {
                    moment.month = at.small(2)?;
                    if at.peek() == separator {
                        at.pos += 1;
                        moment.day = at.small(2)?;
                    }
                }
            }
        }
        Some(b'0'..=b'9') => match at.run_of_digits() {
            // The compact form: 20031231, with or without a time behind it.
            4 => {
                moment.month = at.small_exact(2)?;
                moment.day = at.small_exact(2)?;
            }
            10 => {
                moment.month = at.small_exact(2)?;
                moment.day = at.small_exact(2)?;
                let (hour, minute, second) =
                    (at.exact_digits(2)?, at.exact_digits(2)?, at.exact_digits(2)?);
                if hour > 24 || minute > 59 || second > 60 {
                    return None;
                }
                moment.seconds = hour * 3600 + minute * 60 + second;
            }
            3 => {
                let ordinal = at.exact_digits(3)?;
                ordinal_date(&mut moment, ordinal)?;
            }
            _ => return None,
        },
        Some(_) => return None,
    }
    if at.peek().is_none() {
        return Some(moment);
    }
    if !(at.take(b'T') || at.take(b't') || at.take(b',') || at.peek() == Some(b' ')) {
        // A zone behind a bare date, as in `2003-12-31Z`.
        return zone_tail(&mut at, moment);
    }
    at.skip_spaces();
    if at.peek().is_none() {
        return Some(moment);
    }
    time_of_day(&mut at, &mut moment)?;
    zone_tail(&mut at, moment)
}

/// Reads what stands behind the time: nothing, or a zone.
fn zone_tail(at: &mut Cursor<'_>, mut moment: Moment) -> Option<Moment> {
    at.skip_spaces();
    let rest = std::str::from_utf8(at.bytes.get(at.pos..)?).ok()?.trim();
    if rest.is_empty() {
        return Some(moment);
    }
    let lower = rest.to_ascii_lowercase();
    let (half, rest) = match lower.strip_prefix("am").or_else(|| lower.strip_prefix("pm")) {
        Some(tail) if tail.is_empty() || tail.starts_with(' ') => {
            (Some(lower.starts_with('p')), tail.trim())
        }
        _ => (None, lower.as_str()),
    };
    if let Some(afternoon) = half {
        moment.seconds = twelve_hours(moment.seconds, afternoon);
    }
    // `2026-11-22 14:30:21 +0000 UTC`: the number counts, the name repeats it.
    let first = rest.split_ascii_whitespace().next();
    if let Some(first) = first {
        // A zone that is none costs the zone, not the date; other words show that it is no date.
        moment.offset = match zone(first) {
            Some(offset) => offset,
            None if first.starts_with(['+', '-']) => 0,
            None => return None,
        };
    }
    Some(moment)
}

/// `hh`, `hhmm`, `hh:mm`, `hh:mm:ss`, with a fraction; `24:00` and second 60 are accepted.
fn time_of_day(at: &mut Cursor<'_>, moment: &mut Moment) -> Option<()> {
    let digits = at.run_of_digits();
    let (hour, mut minute, mut second) = match digits {
        4 | 6 => {
            let hour = at.exact_digits(2)?;
            let minute = at.exact_digits(2)?;
            (hour, minute, if digits == 6 { at.exact_digits(2)? } else { 0 })
        }
        1 | 2 => (at.digits(2)?, 0, 0),
        _ => return None,
    };
    if digits <= 2 && (at.take(b':') || at.take(b'.')) {
        minute = at.digits(2)?;
        if at.take(b':') || (at.peek() == Some(b'.') && at.digits_behind() == 2 && at.take(b'.')) {
            second = at.digits(2)?;
        }
    }
    if (at.peek() == Some(b'.') || at.peek() == Some(b',')) && at.digits_behind() > 0 {
        at.pos += 1;
        let mut scale = 100;
        while let Some(digit) = at.peek().filter(u8::is_ascii_digit) {
            moment.millis += i64::from(digit - b'0') * scale;
            scale /= 10;
            at.pos += 1;
        }
    }
    if hour > 24 || minute > 59 || second > 60 || (hour == 24 && (minute, second) != (0, 0)) {
        return None;
    }
    moment.seconds = hour * 3600 + minute * 60 + second;
    Some(())
}

fn twelve_hours(seconds: i64, afternoon: bool) -> i64 {
    let noon = 12 * 3600;
    match (afternoon, seconds >= noon) {
        (true, false) => seconds + noon,
        (false, true) if seconds < noon + 3600 => seconds - noon,
        _ => seconds,
    }
}

fn ordinal_date(moment: &mut Moment, ordinal: i64) -> Option<()> {
    let first = civil::Date::new(i16::try_from(moment.year).ok()?, 1, 1).ok()?;
    if !(1..=366).contains(&ordinal) {
        return None;
    }
    set_date(moment, first.checked_add(jiff::Span::new().days(ordinal - 1)).ok()?)
}

fn week_date(moment: &mut Moment, week: i64, day: i64) -> Option<()> {
    let weekday = civil::Weekday::from_monday_one_offset(i8::try_from(day).ok()?).ok()?;
    let year = i16::try_from(moment.year).ok()?;
    let date = civil::ISOWeekDate::new(year, i8::try_from(week).ok()?, weekday).ok()?.date();
    set_date(moment, date)
}

fn set_date(moment: &mut Moment, date: civil::Date) -> Option<()> {
    moment.year = i32::from(date.year());
    moment.month = u8::try_from(date.month()).ok()?;
    moment.day = u8::try_from(date.day()).ok()?;
    Some(())
}

/// Unix seconds (9 or 10 digits) or milliseconds (12 or 13), with or without a fraction.
fn number(text: &str) -> Option<Moment> {
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    if !whole.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let value: i64 = whole.parse().ok()?;
    let millis = match whole.len() {
        9 | 10 => value.checked_mul(1000)?,
        12 | 13 => value,
        _ => return None,
    };
    let days = millis.div_euclid(86_400_000);
    let mut moment = Moment { year: 1970, month: 1, day: 1, ..Moment::default() };
    let epoch = civil::Date::new(1970, 1, 1).ok()?;
    set_date(&mut moment, epoch.checked_add(jiff::Span::new().days(days)).ok()?)?;
    moment.millis = millis.rem_euclid(86_400_000);
    Some(moment)
}

/// A place in ASCII digits and signs.
struct Cursor<'a> {
    bytes: &'a [u8],
    pos: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.pos).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.pos += usize::from(found);
        found
    }

    fn skip_spaces(&mut self) {
        while self.peek().is_some_and(|b| b.is_ascii_whitespace()) {
            self.pos += 1;
        }
    }

    /// How many digits stand here.
    fn run_of_digits(&self) -> usize {
        self.bytes.iter().skip(self.pos).take_while(|b| b.is_ascii_digit()).count()
    }

    /// How many digits stand behind the next byte.
    fn digits_behind(&self) -> usize {
        self.bytes.iter().skip(self.pos + 1).take_while(|b| b.is_ascii_digit()).count()
    }

    /// One to `most` digits.
    fn digits(&mut self, most: usize) -> Option<i64> {
        let count = self.run_of_digits().min(most);
        self.exact_digits(count)
    }

    fn exact_digits(&mut self, count: usize) -> Option<i64> {
        let digits = self.bytes.get(self.pos..self.pos + count).filter(|d| !d.is_empty())?;
        let mut value = 0;
        for digit in digits {
            value = value * 10 + i64::from(digit.is_ascii_digit().then(|| digit - b'0')?);
        }
        self.pos += count;
        Some(value)
    }

    fn small(&mut self, most: usize) -> Option<u8> {
        u8::try_from(self.digits(most)?).ok()
    }

    fn small_exact(&mut self, count: usize) -> Option<u8> {
        u8::try_from(self.exact_digits(count)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        parse(text).map_or_else(|| "none".to_owned(), |at| at.to_string())
    }

    #[test]
    fn every_form_of_rfc_822_is_read() {
        for (text, expected) in [
            ("Thu, 01 Jan 2004 19:48:21 GMT", "2004-01-01T19:48:21Z"),
            ("Thu, 01 Jan 04 19:48:21 GMT", "2004-01-01T19:48:21Z"),
            ("Thu, 1 Jan 2004 19:48 GMT", "2004-01-01T19:48:00Z"),
            ("01 Jan 2004 19:48:21 +0100", "2004-01-01T18:48:21Z"),
            ("Monday, 01 Jan 2004 19:48:21 EST", "2004-01-02T00:48:21Z"),
            ("Thu, 01 Jan 2004 19:48:21 PDT", "2004-01-02T02:48:21Z"),
            ("Thu, 01 Jan 2004 19:48:21 A", "2004-01-01T19:48:21Z"),
            ("Thu, 01 Jan 2004 19:48:21 UT", "2004-01-01T19:48:21Z"),
            ("Thu, 01 Jan 2004 19:48:21 Z", "2004-01-01T19:48:21Z"),
            ("Thu, 01 Jan 2004 19:48:21 GMT+2", "2004-01-01T17:48:21Z"),
            ("Thu, 01 Jan 2004 19:48:21 +01:00", "2004-01-01T18:48:21Z"),
            ("Thu, 01 Jan 2004 19:48:21 -0000", "2004-01-01T19:48:21Z"),
            ("Thu,  01 Jan 2004  19:48:21", "2004-01-01T19:48:21Z"),
            ("Thu,01 Jan 2004 19:48:21 GMT", "2004-01-01T19:48:21Z"),
            ("Thu Jan  1 19:48:21 2004", "2004-01-01T19:48:21Z"),
            ("Thu Jan  1 19:48:21 PST 2004", "2004-01-02T03:48:21Z"),
            ("Wed, 31 Dec 2003 24:00:00 GMT", "2004-01-01T00:00:00Z"),
            ("Wed, 31 Dec 2003 23:59:60 GMT", "2004-01-01T00:00:00Z"),
            ("Thu, 01 January 2004 19:48:21 GMT", "2004-01-01T19:48:21Z"),
            ("Thu, January 1, 2004 7:48:21 PM", "2004-01-01T19:48:21Z"),
            ("Thu, 01 Jan 2004 (New Year) 19:48:21 GMT", "2004-01-01T19:48:21Z"),
            ("26-Jul-2024 10:00:00 +0300", "2024-07-26T07:00:00Z"),
            ("1st Jan 2004", "2004-01-01T00:00:00Z"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn every_form_of_iso_8601_is_read() {
        for (text, expected) in [
            ("2003-12-31T10:14:55Z", "2003-12-31T10:14:55Z"),
            ("2003-12-31T10:14:55.5+03:00", "2003-12-31T07:14:55Z"),
            ("2003-12-31 10:14:55", "2003-12-31T10:14:55Z"),
            ("2003-12-31T10:14:55-0800", "2003-12-31T18:14:55Z"),
            ("2003-12-31T10:14Z", "2003-12-31T10:14:00Z"),
            ("2003-12-31", "2003-12-31T00:00:00Z"),
            ("2003-12", "2003-12-01T00:00:00Z"),
            ("2003", "2003-01-01T00:00:00Z"),
            ("20031231", "2003-12-31T00:00:00Z"),
            ("20031231T101455Z", "2003-12-31T10:14:55Z"),
            ("20031231101455", "2003-12-31T10:14:55Z"),
            ("2003-365", "2003-12-31T00:00:00Z"),
            ("2004-W01-1", "2003-12-29T00:00:00Z"),
            ("2003/12/31 10:14", "2003-12-31T10:14:00Z"),
            ("2026-11-22 14:30:21 +0000 UTC", "2026-11-22T14:30:21Z"),
            ("2003-1-5", "2003-01-05T00:00:00Z"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn words_of_other_languages_are_read() {
        for (text, expected) in [
            ("Do, 14 Mär 2024 10:00:00 +0100", "2024-03-14T09:00:00Z"),
            ("jeu., 15 août 2024 10:00:00 +0200", "2024-08-15T08:00:00Z"),
            ("Чт, 01 янв 2004 19:48:21 +0300", "2004-01-01T16:48:21Z"),
            ("15 noiembrie 2023", "2023-11-15T00:00:00Z"),
            ("mar., 15 août 2024 10:00:00 +0200", "2024-08-15T08:00:00Z"),
            ("15. července 2024", "2024-07-15T00:00:00Z"),
            ("pon, 12 sie 2024 10:00:00 +0200", "2024-08-12T08:00:00Z"),
            ("2004年05月28日 15:36:25", "2004-05-28T15:36:25Z"),
            ("2004년 05월 28일 01:31:15", "2004-05-28T01:31:15Z"),
            ("Κυρ, 11 Ιούλ 2004 12:00:00 EST", "2004-07-11T17:00:00Z"),
            ("31.12.2003 10:14", "2003-12-31T10:14:00Z"),
            ("12/31/2003", "2003-12-31T00:00:00Z"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn unix_times_are_read() {
        assert_eq!(shown("1072951701"), "2004-01-01T10:08:21Z");
        assert_eq!(shown("1072951701000"), "2004-01-01T10:08:21Z");
        assert_eq!(shown("1072951701.25"), "2004-01-01T10:08:21Z");
    }

    #[test]
    fn placeholders_and_nonsense_are_no_dates() {
        for text in [
            "",
            "0000-00-00",
            "0000-00-00 00:00:00",
            "0001-01-01T00:00:00Z",
            "Thu, 01 Jan 1970 00:00:00 +0000",
            "1970-01-01",
            "2003-13-01",
            "2003-02-30",
            "yesterday",
            "Thu, 32 Jan 2004 19:48:21 GMT",
            "Thu, 01 Jan 2004 27:48:21 GMT",
            "12",
            "Jan 2004",
        ] {
            assert_eq!(shown(text), "none", "{text}");
        }
    }

    #[test]
    fn sec_l08_a_date_longer_than_the_limit_is_none() {
        let date = "2003-12-31T10:14:55";
        let fraction = |digits: usize| format!("{date}.{}", "1".repeat(digits));
        assert!(parse(&fraction(DATE_BYTES_MAX - date.len() - 1)).is_some());
        assert!(parse(&fraction(DATE_BYTES_MAX - date.len())).is_none());
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,64}") {
            let _ = parse(&text);
        }

        #[test]
        fn no_text_that_resembles_a_date_makes_it_panic(text in "[0-9TZ:+. /年月日janfebGMT,-]{0,40}") {
            let _ = parse(&text);
        }
    }
}
