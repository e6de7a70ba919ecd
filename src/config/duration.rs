//! Durations as they are written in the settings.

use std::time::Duration;

/// Longest text that is looked at.
const TEXT_BYTES_MAX: usize = 32;

/// Reads a whole number and its unit: `500ms`, `30s`, `15m`, `1h`, `1d`, or in words: `90 days`;
/// space between them and around them is allowed.
///
/// `None` for everything else, also for a number without a unit.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let text = text.trim();
    if text.len() > TEXT_BYTES_MAX {
        return None;
    }
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let number: u64 = number.parse().ok()?;
    let millis = match unit.trim_start() {
        "ms" => 1,
        "s" | "second" | "seconds" => 1_000,
        "m" | "minute" | "minutes" => 60_000,
        "h" | "hour" | "hours" => 3_600_000,
        "d" | "day" | "days" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(millis).map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::schedule::Span;

    #[test]
    fn a_duration_is_a_whole_number_and_a_unit() {
        let cases = [
            ("500ms", Some(500)),
            ("0s", Some(0)),
            ("30s", Some(30_000)),
            ("15m", Some(900_000)),
            (" 1 h ", Some(3_600_000)),
            ("1d", Some(86_400_000)),
            ("90 days", Some(90 * 86_400_000)),
            ("1 hour", Some(3_600_000)),
            ("", None),
            ("15", None),
            ("m", None),
            ("-1s", None),
            ("1.5h", None),
            ("1h30m", None),
            ("1M", None),
            ("99999999999999999999s", None),
            ("18446744073709551615d", None),
        ];
        for (text, millis) in cases {
            assert_eq!(parse(text), millis.map(Duration::from_millis), "{text}");
        }
    }

    #[test]
    fn what_a_span_shows_is_read_back() {
        for millis in [0, 1, 1_500, 90_000, 900_000, 3_600_000, 86_400_000, 90_000_000] {
            let duration = Duration::from_millis(millis);
            assert_eq!(parse(&Span(duration).to_string()), Some(duration));
        }
    }
}
