//! How much of its limits a page has used, as the service tells it with every answer.
//!
//! ```text
//! X-App-Usage: {"call_count":28,"total_time":25,"total_cputime":25}
//! X-Business-Use-Case-Usage: {"<id>":[{"type":…,"call_count":100,"total_cputime":25,
//!                             "total_time":25,"estimated_time_to_regain_access":MINUTES}]}
//! ```
//!
//! Source: Meta, Graph API, "Rate limits". Figures are percentages of the limit.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::channel::Usage;
use crate::channel::loose::Whole;

/// Longest header with usage figures that is read.
const USAGE_BYTES_MAX: usize = 4096;

/// The figures that count against a limit.
const FIGURES: [&str; 3] = ["call_count", "total_cputime", "total_time"];

/// The newest usage that was told and not taken. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Gauge(Arc<Mutex<Option<Usage>>>);

impl Gauge {
    /// Takes note of what the header fields tell, if they do.
    pub(super) fn note(&self, headers: &HeaderMap) {
        if let Some(told) = usage(headers) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(told.usage());
        }
    }

    pub(super) fn take(&self) -> Option<Usage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// What the header fields of one answer tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told {
    percent: u32,
    /// How long until access is regained, where that was said at all.
    pub(super) told_regain: Option<Duration>,
}

impl Told {
    fn usage(self) -> Usage {
        Usage { percent: self.percent, regain: self.told_regain.unwrap_or_default() }
    }
}

/// The largest of all figures; `None` where nothing can be read.
pub(super) fn usage(headers: &HeaderMap) -> Option<Told> {
    let app = read(headers, "x-app-usage");
    let cases = read(headers, "x-business-use-case-usage");
    let of_cases = cases.as_ref().and_then(Value::as_object);
    let rows: Vec<&Value> = of_cases
        .into_iter()
        .flat_map(|cases| cases.values())
        .filter_map(Value::as_array)
        .flatten()
        .chain(app.as_ref().filter(|app| app.is_object()))
        .collect();
    if rows.is_empty() {
        return None;
    }
    let whole = |row: &Value, name: &str| {
        Whole::of(&row[name]).0.and_then(|number| u64::try_from(number).ok())
    };
    let figures = rows.iter().flat_map(|row| FIGURES.iter().filter_map(|name| whole(row, name)));
    let minutes = rows.iter().filter_map(|row| whole(row, "estimated_time_to_regain_access"));
    Some(Told {
        percent: figures.max().map_or(0, |percent| u32::try_from(percent).unwrap_or(u32::MAX)),
        told_regain: minutes.max().map(|minutes| Duration::from_secs(minutes.saturating_mul(60))),
    })
}

fn read(headers: &HeaderMap, name: &str) -> Option<Value> {
    let text = headers.get(name)?.as_bytes();
    if text.len() > USAGE_BYTES_MAX {
        return None;
    }
    serde_json::from_slice(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(app: &str, cases: &str) -> Option<(u32, Option<u64>)> {
        let mut headers = HeaderMap::new();
        for (name, text) in [("x-app-usage", app), ("x-business-use-case-usage", cases)] {
            if !text.is_empty() {
                headers.insert(name, text.parse().unwrap());
            }
        }
        let told = usage(&headers)?;
        Some((told.percent, told.told_regain.map(|regain| regain.as_secs())))
    }

    #[test]
    fn the_figure_nearest_to_its_limit_counts() {
        let app = r#"{"call_count":28,"total_time":25,"total_cputime":31}"#;
        let cases = r#"{"1":[{"type":"pages","call_count":2,"total_time":77}],
                        "2":[{"type":"messenger","call_count":95,"total_cputime":"96",
                              "estimated_time_to_regain_access":3}]}"#
            .replace('\n', "");
        for (app, cases, expected) in [
            (app, "", Some((31, None))),
            ("", &*cases, Some((96, Some(180)))),
            (app, r#"{"1":[{"call_count":2}]}"#, Some((31, None))),
            (r#"{"call_count":99999999999}"#, "", Some((u32::MAX, None))),
            (r#"{"call_count":-5}"#, "", Some((0, None))),
            ("", r#"{"1":[{}]}"#, Some((0, None))),
            ("", r#"{"1":{}}"#, None),
            ("[]", "[]", None),
            ("?", "", None),
            ("", "", None),
        ] {
            assert_eq!(told(app, cases), expected, "{app} {cases}");
        }
        assert_eq!(
            told(&format!("{{\"call_count\":1,\"x\":\"{}\"}}", "x".repeat(5_000)), ""),
            None
        );
    }

    #[test]
    fn a_gauge_tells_the_newest_once() {
        let gauge = Gauge::default();
        let mut headers = HeaderMap::new();
        gauge.note(&headers);
        assert_eq!(gauge.take(), None);
        headers.insert("x-app-usage", r#"{"call_count":80}"#.parse().unwrap());
        gauge.note(&headers);
        assert_eq!(gauge.take(), Some(Usage { percent: 80, regain: Duration::ZERO }));
        assert_eq!(gauge.take(), None);
    }
}
