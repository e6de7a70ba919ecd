//! What the headers of an answer mean for the next poll. Pure, over the values as texts.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::model::time::Timestamp;

/// Longest `ETag` or `Last-Modified` that is kept, in bytes.
pub const VALIDATOR_BYTES_MAX: usize = 256;

/// A validator is worth keeping: short, and nothing in it that could break a header.
pub(crate) fn is_validator(value: &str) -> bool {
    !value.is_empty()
        && value.len() <= VALIDATOR_BYTES_MAX
        && value.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// How long the answer stays fresh; `None` when the site does not say, or says not at all.
/// Source: RFC 9111 §4.2.1, §5.2.2; `s-maxage` is for shared caches, which we are not.
pub(crate) fn fresh_for<'a>(
    cache_control: impl IntoIterator<Item = &'a str>,
    expires: Option<&str>,
    date: Option<&str>,
) -> Option<Duration> {
    let mut stays = None;
    for directive in cache_control.into_iter().flat_map(|value| value.split(',')) {
        let (name, argument) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "no-cache" | "no-store" => return None,
            "max-age" => stays = argument.trim().trim_matches('"').parse::<u64>().ok(),
            _ => {}
        }
    }
    match stays {
        Some(seconds) => Some(Duration::from_secs(seconds)),
        None => instant(expires?)?.duration_since(instant(date?)?).ok(),
    }
}

/// Seconds or a date; a date is taken from the site's own clock, if it tells it.
/// Source: RFC 9110 §10.2.3.
pub(crate) fn retry_after(value: &str, date: Option<&str>, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let now = date.and_then(instant).unwrap_or_else(|| {
        UNIX_EPOCH + Duration::from_millis(u64::try_from(now.as_millis()).unwrap_or(0))
    });
    Some(instant(value)?.duration_since(now).unwrap_or_default())
}

fn instant(value: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(value.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NINE: &str = "Mon, 23 Nov 2026 09:00:00 GMT";
    const TEN: &str = "Mon, 23 Nov 2026 10:00:00 GMT";

    #[test]
    fn freshness_comes_from_max_age_and_else_from_expires() {
        for (cache_control, expires, date, seconds) in [
            (vec![], None, None, None),
            (vec!["max-age=600"], None, None, Some(600)),
            (vec!["public, Max-Age=\"600\""], None, None, Some(600)),
            (vec!["max-age=600"], Some(TEN), Some(NINE), Some(600)),
            (vec!["s-maxage=900, max-age=60"], None, None, Some(60)),
            (vec!["no-cache, max-age=600"], None, None, None),
            (vec!["max-age=600", "no-store"], Some(TEN), Some(NINE), None),
            (vec!["max-age=-1"], None, None, None),
            (vec!["public"], Some(TEN), Some(NINE), Some(3_600)),
            (vec![], Some(TEN), None, None),
            (vec![], Some(NINE), Some(TEN), None),
            (vec![], Some("0"), Some(NINE), None),
        ] {
            let fresh = fresh_for(cache_control.clone(), expires, date);
            assert_eq!(fresh.map(|span| span.as_secs()), seconds, "{cache_control:?} {expires:?}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_by_the_sites_clock() {
        // 09:00 by our clock.
        let now = Timestamp::from_millis(1_795_424_400_000);
        for (value, date, seconds) in [
            ("120", None, Some(120)),
            (" 0 ", None, Some(0)),
            ("-5", None, None),
            ("soon", None, None),
            ("99999999999999999999", None, None),
            (TEN, Some("Mon, 23 Nov 2026 09:58:00 GMT"), Some(120)),
            (NINE, Some(TEN), Some(0)),
            (TEN, None, Some(3_600)),
            (TEN, Some("today"), Some(3_600)),
        ] {
            let after = retry_after(value, date, now);
            assert_eq!(after.map(|span| span.as_secs()), seconds, "{value} {date:?}");
        }
    }

    #[test]
    fn sec_t08_validators_are_short_and_visible() {
        let longest = "a".repeat(VALIDATOR_BYTES_MAX);
        let longer = "a".repeat(VALIDATOR_BYTES_MAX + 1);
        for (value, is_kept) in [
            ("\"abc\"", true),
            ("W/\"a b\"", true),
            (longest.as_str(), true),
            (longer.as_str(), false),
            ("", false),
            ("a\tb", false),
            ("a\r\nb", false),
            ("é", false),
        ] {
            assert_eq!(is_validator(value), is_kept, "{value:?}");
        }
    }
}
