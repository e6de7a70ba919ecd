//! Days within words: `Posted on 5 March 2024 by Ann`.

use std::sync::LazyLock;

use regex::Regex;

use crate::extract::date;
use crate::model::time::Timestamp;

/// How much of a text is looked at, in bytes.
const TEXT_BYTES_MAX: usize = 200;

/// What may be a day, in the order of certainty. `date` decides.
static FORMS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        r"\b\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[T ]\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?(?: ?(?:Z|UTC|GMT|[+-]\d{2}:?\d{2}))?)?",
        r"\d{4}\s?[年년]\s?\d{1,2}\s?[月월]\s?\d{1,2}\s?[日일]",
        r"\b\d{1,2}(?:st|nd|rd|th|er|º|\.)?\s+(?:de\s+|of\s+)?\p{L}[\p{L}\p{M}]{2,14}\.?,?\s+(?:de\s+|del\s+)?\d{4}\b",
        r"\p{L}[\p{L}\p{M}]{2,14}\.?\s+\d{1,2}(?:st|nd|rd|th)?,?\s+\d{4}\b",
        r"\b\d{1,2}[./-]\d{1,2}[./-]\d{4}\b",
    ]
    .iter()
    .filter_map(|form| Regex::new(form).ok())
    .collect()
});

/// The first day in the words; of two forms the more certain one.
pub(super) fn find(text: &str) -> Option<Timestamp> {
    let text = text.get(..text.floor_char_boundary(TEXT_BYTES_MAX))?;
    // Every form has a year of four digits.
    if !text.as_bytes().windows(4).any(|four| four.iter().all(u8::is_ascii_digit)) {
        return None;
    }
    FORMS.iter().find_map(|form| {
        form.find_iter(text).find_map(|found| {
            let day: String = found.as_str().split_whitespace().collect::<Vec<_>>().join(" ");
            // Days in signs are one word to `date`.
            let is_signs = day.contains(['年', '년']);
            date::parse(&if is_signs { day.replace(' ', "") } else { day })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_found_within_words() {
        for (text, expected) in [
            ("Posted on March 5th, 2024 by Ann", Some("2024-03-05T00:00:00Z")),
            ("5 March 2024 · 3 min", Some("2024-03-05T00:00:00Z")),
            ("محدّث 16 أغسطس 2026", Some("2026-08-16T00:00:00Z")),
            ("Publicado el 15 de agosto de 2024", Some("2024-08-15T00:00:00Z")),
            ("2024年9月 30日", Some("2024-09-30T00:00:00Z")),
            ("am 31.12.2023, 10 Uhr", Some("2023-12-31T00:00:00Z")),
            ("2024-03-05 10:20", Some("2024-03-05T10:20:00Z")),
            ("December 22, 2010\u{a0}·\u{a0}Octavian", Some("2010-12-22T00:00:00Z")),
            ("Version 1.2.2024 of 2024", Some("2024-02-01T00:00:00Z")),
            ("100 pages 2024", None),
            ("Chapter 12 2024", None),
            ("no day", None),
        ] {
            assert_eq!(find(text).map(|at| at.to_string()).as_deref(), expected, "{text}");
        }
    }
}
