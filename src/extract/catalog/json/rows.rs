//! Where the rows of a JSON document stand, found without building a tree of it.
//!
//! Values are passed over as they are written: only quotes, brackets and commas are looked at. So
//! a row that is no good JSON costs that row, a document that breaks off keeps its complete rows,
//! and the memory is that of one row.

use std::borrow::Cow;

use serde_json::Value;

use crate::extract::{JSON_DEPTH_MAX, NotADocument};

/// Longest row that is read, in bytes; a longer one is lost.
pub(crate) const ROW_BYTES_MAX: usize = 4 << 20;
/// Most values in one row, those inside others included; a row with more is lost.
pub(crate) const ROW_VALUES_MAX: usize = 100_000;

/// Refuses a document that is nested deeper than [`JSON_DEPTH_MAX`].
pub(crate) fn check_depth(text: &str) -> Result<(), NotADocument> {
    let mut depth = 0_usize;
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = string_end(bytes, at).unwrap_or(bytes.len()),
            b'{' | b'[' => {
                depth += 1;
                if depth > JSON_DEPTH_MAX {
                    return Err(NotADocument::JsonTooDeep);
                }
                at += 1;
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                at += 1;
            }
            _ => at += 1,
        }
    }
    Ok(())
}

/// The members of the object that `text` begins with, as far as it goes: names, and values as they
/// are written. The last one may break off with the text.
pub(crate) fn members(text: &str) -> impl Iterator<Item = (Cow<'_, str>, &str)> {
    let mut at = skip_blanks(text.as_bytes(), 0);
    let mut open = text.as_bytes().get(at) == Some(&b'{');
    at += 1;
    std::iter::from_fn(move || {
        if !open {
            return None;
        }
        open = false;
        let bytes = text.as_bytes();
        at = skip_blanks_and_commas(bytes, at);
        if bytes.get(at) != Some(&b'"') {
            return None;
        }
        let name_end = string_end(bytes, at)?;
        let name = text.get(at..name_end)?;
        at = skip_blanks(bytes, name_end);
        if bytes.get(at) != Some(&b':') {
            return None;
        }
        at = skip_blanks(bytes, at + 1);
        let end = value_end(bytes, at).unwrap_or(bytes.len());
        let value = text.get(at..end)?;
        at = end;
        open = !value.is_empty();
        Some((unquoted(name), value))
    })
}

/// The value of one member of the object that `text` begins with.
pub(crate) fn member<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    members(text).find(|(found, _)| found == name).map(|(_, value)| value)
}

/// Whether the value that `text` begins with ends in it, with nothing but blanks behind.
pub(crate) fn is_closed(text: &str) -> bool {
    let bytes = text.as_bytes();
    let at = skip_blanks(bytes, 0);
    value_end(bytes, at).is_some_and(|end| skip_blanks(bytes, end) == bytes.len())
}

/// How the rows of a document stand in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A list of them.
    List,
    /// A single one.
    One,
    /// One behind the other, as in JSON lines.
    Lines,
}

/// The rows in a text, as they are written, in order.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    text: &'a str,
    at: usize,
    shape: Shape,
    is_done: bool,
    is_whole: bool,
}

impl<'a> Rows<'a> {
    pub(crate) fn new(text: &'a str, shape: Shape) -> Self {
        let blanks = skip_blanks(text.as_bytes(), 0);
        let at = if shape == Shape::List { blanks + 1 } else { blanks };
        Self { text, at, shape, is_done: false, is_whole: false }
    }

    pub(crate) fn shape(&self) -> Shape {
        self.shape
    }

    /// After the last row: the text did not break off before its end.
    pub(crate) fn is_whole(&self) -> bool {
        self.is_whole
    }
}

impl<'a> Iterator for Rows<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let bytes = self.text.as_bytes();
        if self.is_done {
            return None;
        }
        self.at = skip_blanks_and_commas(bytes, self.at);
        let ends = match self.shape {
            Shape::List => bytes.get(self.at) == Some(&b']'),
            Shape::One | Shape::Lines => self.at >= bytes.len(),
        };
        let row = (!ends).then(|| value_end(bytes, self.at)).flatten();
        let Some(end) = row.filter(|end| *end > self.at) else {
            self.is_done = true;
            self.is_whole = ends;
            return None;
        };
        let row = self.text.get(self.at..end);
        self.at = end;
        if self.shape == Shape::One {
            (self.is_done, self.is_whole) = (true, true);
        }
        row
    }
}

/// Where `part`, which was cut out of `whole`, begins in it.
pub(crate) fn offset(whole: &str, part: &str) -> u64 {
    let at = part.as_ptr().addr().saturating_sub(whole.as_ptr().addr());
    u64::try_from(at).unwrap_or(u64::MAX)
}

/// The row that begins at an [`offset`] of the text.
pub(crate) fn row_at(text: &str, offset: u64) -> Option<&str> {
    let at = usize::try_from(offset).ok()?;
    let end = value_end(text.as_bytes(), at)?;
    text.get(at..end)
}

/// A row as values; `None` when it is no good JSON or passes a limit.
pub(crate) fn parse(row: &str) -> Option<Value> {
    let is_small = row.len() <= ROW_BYTES_MAX
        && (row.len() / 2 <= ROW_VALUES_MAX || values(row) <= ROW_VALUES_MAX);
    is_small.then(|| serde_json::from_str(row).ok()).flatten()
}

/// How many values there are in a text, give or take empty lists.
fn values(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut count) = (0, 1);
    while let Some(byte) = bytes.get(at) {
        if *byte == b'"' {
            at = string_end(bytes, at).unwrap_or(bytes.len());
            continue;
        }
        count += usize::from(matches!(byte, b',' | b'[' | b'{'));
        at += 1;
    }
    count
}

fn skip_blanks(bytes: &[u8], from: usize) -> usize {
    skip(bytes, from, |byte| byte.is_ascii_whitespace())
}

fn skip_blanks_and_commas(bytes: &[u8], from: usize) -> usize {
    skip(bytes, from, |byte| byte.is_ascii_whitespace() || byte == b',')
}

fn skip(bytes: &[u8], from: usize, is_skipped: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest.iter().take_while(|byte| is_skipped(**byte)).count()
}

/// Where the string that begins at `at` ends; `None` when the text breaks off in it.
fn string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = at + 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes.get(at) == Some(&b'"') {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// Where the value that begins at `at` ends; `None` when the text breaks off in it.
fn value_end(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at)? {
        b'"' => string_end(bytes, at),
        b'{' | b'[' => {
            let (mut at, mut depth) = (at, 0_usize);
            loop {
                match bytes.get(at)? {
                    b'"' => {
                        at = string_end(bytes, at)?;
                        continue;
                    }
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => {
                        depth -= 1;
                        if depth == 0 {
                            return Some(at + 1);
                        }
                    }
                    _ => {}
                }
                at += 1;
            }
        }
        _ => {
            let ends = |byte: u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b'}' | b']');
            Some(skip(bytes, at, |byte| !ends(byte)))
        }
    }
}

/// The text of a string as it is written; one that is no good JSON stays as it is.
fn unquoted(string: &str) -> Cow<'_, str> {
    let inner = string.get(1..string.len().saturating_sub(1)).unwrap_or_default();
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    serde_json::from_str::<String>(string).map_or(Cow::Borrowed(inner), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str, shape: Shape) -> (Vec<&str>, bool) {
        let mut rows = Rows::new(text, shape);
        let found = rows.by_ref().collect();
        (found, rows.is_whole())
    }

    #[test]
    fn rows_are_found_in_every_shape() {
        for (text, shape, expected, is_whole) in [
            ("[]", Shape::List, vec![], true),
            (
                " [ 1 , {\"a\":[1,2]},\"]\" ] ",
                Shape::List,
                vec!["1", "{\"a\":[1,2]}", "\"]\""],
                true,
            ),
            (r#"["a\"],\\",2]"#, Shape::List, vec![r#""a\"],\\""#, "2"], true),
            ("[{\"a\":1},{\"b\":", Shape::List, vec!["{\"a\":1}"], false),
            ("[{\"a\":1}", Shape::List, vec!["{\"a\":1}"], false),
            ("{\"a\":1}", Shape::One, vec!["{\"a\":1}"], true),
            ("{\"a\":1}\n{\"a\":2}\n", Shape::Lines, vec!["{\"a\":1}", "{\"a\":2}"], true),
            ("{\"a\":1}\n{\"a\":", Shape::Lines, vec!["{\"a\":1}"], false),
            ("[}]", Shape::List, vec![], false),
        ] {
            assert_eq!(rows(text, shape), (expected, is_whole), "{text}");
        }
    }

    #[test]
    fn members_are_named_and_cut_off_ones_kept_as_far_as_they_go() {
        let of = |text: &str| -> Vec<(String, String)> {
            members(text).map(|(name, value)| (name.into_owned(), value.to_owned())).collect()
        };
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            of(r#"{"a" : 1, "b\u0062":{"c":[]} , "d":"}"}"#),
            [pair("a", "1"), pair("bb", r#"{"c":[]}"#), pair("d", r#""}""#)]
        );
        assert_eq!(of(r#"{"a":[1,2"#), [pair("a", "[1,2")]);
        assert_eq!(of("[1]"), []);
        assert_eq!(member(r#"{"a":1,"b":2}"#, "b"), Some("2"));
    }

    #[test]
    fn a_row_is_found_again_by_its_offset() {
        let text = r#"{"n":0,"products":[{"id":"ă"}, {"id":2}]}"#;
        for row in Rows::new(member(text, "products").unwrap(), Shape::List) {
            assert_eq!(row_at(text, offset(text, row)), Some(row));
        }
        assert_eq!(row_at(text, 1_000), None);
    }

    #[test]
    fn a_monstrous_row_is_lost() {
        let zeros = |count: usize| format!("[{}0]", "0,".repeat(count));
        assert!(parse(&zeros(ROW_VALUES_MAX - 10)).is_some());
        assert!(parse(&zeros(ROW_VALUES_MAX + 10)).is_none());
        assert!(parse(&format!("\"{}\"", "a".repeat(ROW_BYTES_MAX))).is_none());
        assert!(parse("{\"a\":}").is_none());
    }

    #[test]
    fn sec_l08_nesting_has_a_limit() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(check_depth(&nested(JSON_DEPTH_MAX)), Ok(()));
        assert_eq!(check_depth(&nested(JSON_DEPTH_MAX + 1)), Err(NotADocument::JsonTooDeep));
        assert_eq!(check_depth(&format!("[\"{}\"]", "[".repeat(100))), Ok(()));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[\\[\\]{},:\"\\\\a0 \n]{0,60}") {
            let _ = check_depth(&text);
            let _ = is_closed(&text);
            for shape in [Shape::List, Shape::One, Shape::Lines] {
                for row in Rows::new(&text, shape) {
                    let _ = parse(row);
                }
            }
            for (_, value) in members(&text) {
                let _ = members(value).count();
            }
        }
    }
}
