//! Checks of single values: bounds, durations, addresses, choices.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use url::Url;

use crate::config::duration;
use crate::config::nearest::did_you_mean;
use crate::config::problem::Findings;
use crate::config::table::{At, listed, shown};
use crate::model::schedule::Span;

/// Longest address.
const URL_BYTES_MAX: usize = 2_000;
/// Longest part of a wrong value that is shown.
const GOT_CHARS_MAX: usize = 40;

/// A whole number in bounds; `default` when it is absent or told to be wrong.
pub(crate) fn whole<T: Copy + Display + PartialOrd + TryFrom<i64>>(
    raw: Option<&At<i64>>,
    key: &str,
    bounds: RangeInclusive<T>,
    default: T,
    found: &mut Findings,
) -> T {
    let Some(raw) = raw else { return default };
    match T::try_from(raw.value) {
        Ok(number) if bounds.contains(&number) => number,
        // A number that does not even fit is beyond the bound on its side.
        other => {
            let is_low = other.map_or(raw.value < 0, |number| number < *bounds.start());
            out_of_bounds(is_low, &bounds, raw.value, raw, key, found);
            default
        }
    }
}

/// A number in bounds; `default` when it is absent or told to be wrong.
pub(crate) fn number(
    raw: Option<&At<f64>>,
    key: &str,
    bounds: RangeInclusive<f64>,
    default: f64,
    found: &mut Findings,
) -> f64 {
    let Some(raw) = raw else { return default };
    if bounds.contains(&raw.value) {
        return raw.value;
    }
    out_of_bounds(raw.value < *bounds.start(), &bounds, raw.value, raw, key, found);
    default
}

/// A duration in bounds; `default` when it is absent or told to be wrong.
pub(crate) fn span(
    raw: Option<&At<String>>,
    key: &str,
    bounds: RangeInclusive<Duration>,
    default: Duration,
    found: &mut Findings,
) -> Duration {
    let Some(raw) = raw else { return default };
    let Some(length) = duration::parse(&raw.value) else {
        let text = format!("must be a duration, got {}", got(&raw.value));
        found.problem(raw.at, key, text).hint("for example `30s`, `15m`, `1h` or `1d`");
        return default;
    };
    if bounds.contains(&length) {
        return length;
    }
    let is_low = length < *bounds.start();
    let shown = Span(*bounds.start())..=Span(*bounds.end());
    out_of_bounds(is_low, &shown, raw.value.trim(), raw, key, found);
    default
}

fn out_of_bounds<T: Display, V>(
    is_low: bool,
    bounds: &RangeInclusive<T>,
    value: impl Display,
    raw: &At<V>,
    key: &str,
    found: &mut Findings,
) {
    let text = if is_low {
        format!("must be at least {}, got {value}", bounds.start())
    } else {
        format!("must be at most {}, got {value}", bounds.end())
    };
    found.problem(raw.at, key, text);
}

/// One of a few words. `None` when it is none of them, which is told.
pub(crate) fn choice<T: Copy>(
    raw: &At<String>,
    key: &str,
    choices: &[(&str, T)],
    found: &mut Findings,
) -> Option<T> {
    let chosen = choices.iter().find(|(word, _)| *word == raw.value);
    if let Some((_, choice)) = chosen {
        return Some(*choice);
    }
    let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
    let text = match words.as_slice() {
        [only] => format!("must be `{only}`, got {}", got(&raw.value)),
        _ => format!("must be one of {}, got {}", listed(&words), got(&raw.value)),
    };
    let finding = found.problem(raw.at, key, text);
    if words.len() > 1
        && let Some(hint) = did_you_mean(&raw.value, words)
    {
        finding.hint(hint);
    }
    None
}

/// An absolute http or https address without user and password. The address itself is not shown:
/// it may hold a key.
pub(crate) fn url(raw: &At<String>, key: &str, found: &mut Findings) -> Option<Url> {
    // Parsers differ in what they make of these, so none gets to see them.
    let is_odd = |c: char| c == '\\' || c.is_control() || c.is_whitespace();
    let (text, hint) = match Url::parse(&raw.value) {
        _ if raw.value.contains(is_odd) => {
            ("must not have a space, backslash or control character in it".to_owned(), None)
        }
        Err(error) => {
            (format!("is no address: {error}"), Some("for example `https://example.com/`"))
        }
        Ok(url) if !matches!(url.scheme(), "http" | "https") => {
            ("must begin with `https://` or `http://`".to_owned(), None)
        }
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            ("must not have a user or password in it".to_owned(), None)
        }
        Ok(url) if url.as_str().len() > URL_BYTES_MAX => {
            let text =
                format!("must have at most {URL_BYTES_MAX} bytes, got {}", url.as_str().len());
            (text, None)
        }
        Ok(url) => return Some(url),
    };
    let finding = found.problem(raw.at, key, text);
    if let Some(hint) = hint {
        finding.hint(hint);
    }
    None
}

/// An address that others are put behind: as [`url()`], and without query and fragment.
pub(crate) fn base_url(raw: &At<String>, key: &str, found: &mut Findings) -> Option<Url> {
    let url = url(raw, key, found)?;
    if url.query().is_some() || url.fragment().is_some() {
        found.problem(raw.at, key, "must end before `?` and `#`");
        return None;
    }
    Some(url)
}

/// `host:port` with a name, an IPv4 address or an IPv6 address in brackets.
pub(crate) fn is_host_and_port(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let is_port = !port.starts_with('+') && port.parse::<u16>().is_ok();
    let is_host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            let legal = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-' || c == '_';
            !host.is_empty() && host.chars().all(legal)
        }
    };
    is_port && is_host
}

/// A wrong value as a problem shows it.
pub(crate) fn got(text: &str) -> String {
    if text.chars().count() > GOT_CHARS_MAX {
        return "something longer".to_owned();
    }
    format!("`{}`", shown(text).trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::problem::Place;

    fn at<T>(value: T) -> At<T> {
        At { value, at: Place { file: 0, offset: 0 } }
    }

    fn told(found: Findings) -> Option<String> {
        let problem = found.into_problems(&[]).pop()?;
        assert_eq!(problem.key, "k");
        Some(match problem.hint {
            Some(hint) => format!("{} ({hint})", problem.problem),
            None => problem.problem,
        })
    }

    #[test]
    fn numbers_outside_their_bounds_are_told_with_the_bound() {
        let cases = [
            (1, None),
            (16, None),
            (0, Some("must be at least 1, got 0")),
            (-1, Some("must be at least 1, got -1")),
            (17, Some("must be at most 16, got 17")),
            (i64::MAX, Some("must be at most 16, got 9223372036854775807")),
        ];
        for (value, expected) in cases {
            let mut found = Findings::default();
            whole::<u16>(Some(&at(value)), "k", 1..=16, 4, &mut found);
            assert_eq!(told(found).as_deref(), expected);
        }
        let mut found = Findings::default();
        assert_eq!(number(Some(&at(1.5)), "k", 0.0..=1.0, 0.5, &mut found), 0.5);
        assert_eq!(told(found).as_deref(), Some("must be at most 1, got 1.5"));
    }

    #[test]
    fn durations_outside_their_bounds_are_told_in_the_settings_words() {
        let cases = [
            ("30s", None),
            ("0s", Some("must be at least 1s, got 0s")),
            ("2m", Some("must be at most 1m, got 2m")),
            (
                "soon",
                Some("must be a duration, got `soon` (for example `30s`, `15m`, `1h` or `1d`)"),
            ),
        ];
        for (value, expected) in cases {
            let (mut found, second) = (Findings::default(), Duration::from_secs(1));
            span(Some(&at(value.to_owned())), "k", second..=second * 60, second, &mut found);
            assert_eq!(told(found).as_deref(), expected);
        }
    }

    #[test]
    fn sec_f10_an_odd_address_is_refused_and_not_shown() {
        let long = format!("https://example.com/{}", "a".repeat(2_000));
        let cases = [
            ("https://example.com/feed?key=canary", None),
            ("http://127.0.0.1:8080/", None),
            (
                "example.com/canary",
                Some(
                    "is no address: relative URL without a base (for example \
                      `https://example.com/`)",
                ),
            ),
            ("ftp://example.com/canary", Some("must begin with `https://` or `http://`")),
            ("https://me:canary@example.com/", Some("must not have a user or password in it")),
            ("https://canary@example.com/", Some("must not have a user or password in it")),
            (
                "https:\\\\example.com/canary",
                Some("must not have a space, backslash or control character in it"),
            ),
            (
                "https://exa\nmple.com/canary ",
                Some("must not have a space, backslash or control character in it"),
            ),
            (long.as_str(), Some("must have at most 2000 bytes, got 2020")),
        ];
        for (text, expected) in cases {
            let mut found = Findings::default();
            assert_eq!(url(&at(text.to_owned()), "k", &mut found).is_some(), expected.is_none());
            let told = told(found);
            assert_eq!(told.as_deref(), expected);
            assert!(!told.unwrap_or_default().contains("canary"));
        }
    }

    #[test]
    fn a_host_needs_its_port() {
        for text in ["0.0.0.0:80", "[::1]:8080", "localhost:0", "news.example.com:443"] {
            assert!(is_host_and_port(text), "{text}");
        }
        for text in ["", "80", ":80", "localhost", "::1:80", "a b:80", "a:+80", "a:99999", "[x]:1"]
        {
            assert!(!is_host_and_port(text), "{text}");
        }
    }
}
