//! Values as services write them: a number may come as a string, and words are trimmed for people.
//!
//! Knows no service; both read with it. Nothing here fails because of a value's form: what can't
//! be read is absent.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// Longest text of a service that is kept for people, in characters.
pub(crate) const WORDS_CHARS_MAX: usize = 200;

/// A whole number, written as a number or a string; `None` when it is neither.
///
/// Fractions are rounded up, what is too large for an `i64` becomes the nearest one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Whole(pub(crate) Option<i64>);

impl Whole {
    /// The same reading of a value that was parsed before.
    pub(crate) fn of(value: &Value) -> Self {
        match value {
            Value::Number(number) => number
                .as_i64()
                .map_or_else(|| number.as_f64().map_or(Self(None), Self::of_float), Self::some),
            Value::String(text) => Self::of_text(text),
            _ => Self(None),
        }
    }

    fn some(number: i64) -> Self {
        Self(Some(number))
    }

    fn of_text(text: &str) -> Self {
        let text = text.trim();
        text.parse().map_or_else(|_| text.parse().map_or(Self(None), Self::of_float), Self::some)
    }

    #[expect(clippy::cast_possible_truncation, reason = "out of range becomes the nearest one")]
    fn of_float(number: f64) -> Self {
        Self((!number.is_nan()).then(|| number.ceil() as i64))
    }
}

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(WholeVisitor)
    }
}

struct WholeVisitor;

impl<'de> Visitor<'de> for WholeVisitor {
    type Value = Whole;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("anything")
    }

    fn visit_i64<E>(self, number: i64) -> Result<Whole, E> {
        Ok(Whole::some(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Whole, E> {
        Ok(Whole::some(i64::try_from(number).unwrap_or(i64::MAX)))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Whole, E> {
        Ok(Whole::of_float(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Whole, E> {
        Ok(Whole::of_text(text))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Whole, E> {
        Ok(Whole(None))
    }

    fn visit_unit<E>(self) -> Result<Whole, E> {
        Ok(Whole(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Whole, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Whole(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Whole, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Whole(None))
    }
}

/// A service's words on one line of at most [`WORDS_CHARS_MAX`] characters.
pub(crate) fn words(text: &str) -> String {
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if word.is_empty() {
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    first_chars(&line, WORDS_CHARS_MAX)
}

/// Longest first name that is kept, in characters; the longest that Telegram allows.
const NAME_CHARS_MAX: usize = 64;

/// What a person calls themselves, on one line; `None` when nothing of it is left.
///
/// Characters that turn the direction of writing would turn what stands behind the name, too.
pub(crate) fn first_name(value: &Value) -> Option<String> {
    let marks = ['\u{200e}', '\u{200f}', '\u{61c}', '\u{feff}'];
    let turns = |c: char| {
        matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') || marks.contains(&c)
    };
    let name = words(&value.as_str()?.replace(turns, ""));
    (!name.is_empty()).then(|| first_chars(&name, NAME_CHARS_MAX))
}

/// The first so many characters.
pub(crate) fn first_chars(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((end, _)) => text[..end].to_owned(),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_in_every_form_that_services_write() {
        let cases = [
            ("17", Some(17)),
            ("-3", Some(-3)),
            ("\"60\"", Some(60)),
            ("\" 60 \"", Some(60)),
            ("1.2", Some(2)),
            ("\"0.5\"", Some(1)),
            ("18446744073709551615", Some(i64::MAX)),
            ("1e300", Some(i64::MAX)),
            ("\"99999999999999999999\"", Some(i64::MAX)),
            ("\"soon\"", None),
            ("\"\"", None),
            ("\"NaN\"", None),
            ("null", None),
            ("true", None),
            ("[1]", None),
            ("{\"a\":1}", None),
        ];
        for (text, expected) in cases {
            let typed: Whole = serde_json::from_str(text).unwrap();
            assert_eq!(typed.0, expected, "{text}");
            let value: Value = serde_json::from_str(text).unwrap();
            assert_eq!(Whole::of(&value).0, expected, "{text}");
        }
    }

    #[test]
    fn a_name_is_one_short_line_that_turns_nothing() {
        let name = |value: Value| first_name(&value);
        assert_eq!(name(" Ana\n Maria ".into()).as_deref(), Some("Ana Maria"));
        assert_eq!(name("\u{202e}anA\u{2066}".into()).as_deref(), Some("anA"));
        assert_eq!(name("\u{200e}A\u{200f}na\u{61c}".into()).as_deref(), Some("Ana"));
        assert_eq!(name("ă".repeat(300).into()).map(|it| it.chars().count()), Some(64));
        for nothing in [Value::Null, 7.into(), "".into(), " \t\u{202e}".into()] {
            assert_eq!(first_name(&nothing), None, "{nothing}");
        }
    }

    #[test]
    fn words_are_one_short_line() {
        assert_eq!(words(" Bad\n\tRequest:\u{1b}[31m chat "), "Bad Request: [31m chat");
        assert_eq!(words(&"ă".repeat(300)).chars().count(), WORDS_CHARS_MAX);
    }
}
