//! The blocks of JSON-LD of a page.
//!
//! Each block is read strictly, else as a repaired copy, else left out.

use serde_json::Value;

use crate::extract::dom::Dom;
use crate::markup;

/// Most values of all blocks of a page: their tree takes up to 200 bytes each.
const VALUES_MAX: usize = 100_000;
/// Deepest nesting of a block.
const DEPTH_MAX: usize = 64;

/// The blocks that could be read, in document order; a block that holds several values gives all.
pub(super) fn blocks(dom: &Dom) -> Vec<Value> {
    let mut found = Vec::new();
    let mut left = VALUES_MAX;
    for element in dom.elements().filter(|element| element.value().name() == "script") {
        // Only data is kept in a script.
        let text: String = element.text().collect();
        let Some(values) = weigh(&text).filter(|values| *values <= left) else { continue };
        left -= values;
        found.extend(read(&text));
    }
    found
}

/// How many values a text has at most; `None` when they are nested too deep.
fn weigh(text: &str) -> Option<usize> {
    let (mut depth, mut values) = (0usize, 0);
    for byte in text.bytes() {
        match byte {
            b'{' | b'[' => {
                depth += 1;
                values += 1;
                if depth > DEPTH_MAX {
                    return None;
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' | b':' => values += 1,
            _ => {}
        }
    }
    Some(values)
}

/// The values of one block.
fn read(text: &str) -> Vec<Value> {
    if let Ok(value) = serde_json::from_str(text) {
        return vec![value];
    }
    let decoded = if text.contains('"') { text.into() } else { markup::decode(text) };
    let repaired = repair(&decoded);
    // Several values one after another are all meant.
    let mut values = Vec::new();
    for value in serde_json::Deserializer::from_str(&repaired).into_iter() {
        match value {
            Ok(value) => values.push(value),
            Err(_) => break,
        }
    }
    values
}

/// A copy without what is no JSON but is met in it.
///
/// 1. Comments and the wrappers of CDATA and HTML comments go, outside of strings.
/// 2. Control characters in strings are escaped.
/// 3. Commas before a closing bracket, between values and at the end go; so do semicolons.
fn repair(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.trim_start_matches('\u{feff}');
    let (mut ends, mut values) = (Ahead::default(), Ahead::default());
    while let Some(c) = rest.chars().next() {
        // A comment ends before the value begins; what wraps the value does not.
        if let Some(comment) = rest.strip_prefix("<!--")
            && let Some(end) = ends.next(comment, |rest| rest.find("-->"))
            && values.next(comment, |rest| rest.find(['{', '['])).is_none_or(|value| value > end)
        {
            rest = comment.get(end + 3..).unwrap_or_default();
            continue;
        }
        let wrapper = ["<!--", "-->", "<![CDATA[", "]]>", "<!]]>"];
        if let Some(found) = wrapper.iter().find(|wrapper| rest.starts_with(**wrapper)) {
            rest = rest.get(found.len()..).unwrap_or_default();
        } else if rest.starts_with("//") {
            // A wrapper may follow on the line, or the line is a comment.
            let line = rest.split(['\n', '\r']).next().unwrap_or(rest);
            rest = rest.get(line.len()..).unwrap_or_default();
        } else if rest.starts_with("/*") {
            let end = rest.get(2..).and_then(|inner| inner.find("*/"));
            rest = end.and_then(|end| rest.get(end + 4..)).unwrap_or_default();
        } else if c == '"' {
            rest = string(rest, &mut out);
        } else {
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
            match c {
                '}' | ']' => {
                    let kept = out.trim_end_matches([' ', '\n', '\r', '\t', ',']).len();
                    out.truncate(kept);
                    out.push(c);
                }
                ';' => {}
                c if c.is_control() && !matches!(c, '\n' | '\r' | '\t') => {}
                c => out.push(c),
            }
        }
    }
    let kept = out.trim_end_matches([' ', '\n', '\r', '\t', ',']).len();
    out.truncate(kept);
    out
}

/// Where something comes next, looked for anew only once that has been passed.
#[derive(Default)]
struct Ahead {
    /// How much of the text is left where it begins.
    left: Option<usize>,
    is_none: bool,
}

impl Ahead {
    fn next(&mut self, rest: &str, find: impl Fn(&str) -> Option<usize>) -> Option<usize> {
        if self.is_none {
            return None;
        }
        let known = self.left.and_then(|left| rest.len().checked_sub(left));
        let found = known.or_else(|| find(rest));
        self.left = found.map(|at| rest.len() - at);
        self.is_none = found.is_none();
        found
    }
}

/// Copies the string that `rest` begins with, and gives what is behind it.
fn string<'a>(rest: &'a str, out: &mut String) -> &'a str {
    out.push('"');
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                out.push('"');
                return rest.get(at + 1..).unwrap_or_default();
            }
            '\\' => match chars.next() {
                Some((_, escaped @ ('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't' | 'u'))) => {
                    out.push('\\');
                    out.push(escaped);
                }
                // `\'` and the like mean the character.
                Some((_, other)) if !other.is_control() => out.push(other),
                _ => {}
            },
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out.push('"');
    ""
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_broken_block_is_read_if_it_can_be_understood() {
        for (text, expected) in [
            ("{\"a\": 1}", vec![json!({"a": 1})]),
            ("/* x */ {\"a\": \"b // c\"} // end", vec![json!({"a": "b // c"})]),
            ("{\"a\": \"b\nc\td\u{1}\"}", vec![json!({"a": "b\nc\td"})]),
            ("{\"a\": [1, 2, ], }", vec![json!({"a": [1, 2]})]),
            ("<!--\n{\"a\": 1}\n-->", vec![json!({"a": 1})]),
            ("<!-- x -->{\"a\": \"<!-- b -->\"}", vec![json!({"a": "<!-- b -->"})]),
            (
                "<!-- x --><!-- {\"a\": 1} --><!-- y -->{\"b\": 2}",
                vec![json!({"a": 1}), json!({"b": 2})],
            ),
            ("//<![CDATA[\n{\"a\": 1}\n//]]>", vec![json!({"a": 1})]),
            ("{&quot;a&quot;: &quot;b&quot;}", vec![json!({"a": "b"})]),
            ("{\"a\": 1}\n{\"b\": 2}", vec![json!({"a": 1}), json!({"b": 2})]),
            ("{\"a\": 1};", vec![json!({"a": 1})]),
            ("{\"a\": \"it\\'s\"}", vec![json!({"a": "it's"})]),
            ("null", vec![Value::Null]),
            ("{\"a\": ", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_too_much_is_left_out() {
        let origin = url::Url::parse("https://e.com/").unwrap();
        let page = |json: &str| {
            let html = format!("<script type='application/ld+json'>{json}</script>");
            blocks(&Dom::parse(&html, &origin).unwrap()).len()
        };
        assert_eq!(page("[1]"), 1);
        assert_eq!(page(&format!("[0{}]", ",0".repeat(VALUES_MAX))), 0);
        assert_eq!(page(&"[".repeat(100_000)), 0);
    }

    proptest::proptest! {
        #[test]
        fn a_repair_ends_and_reads_on(text in "([{}\\[\\],:\"/*\\\\ \n]|<!--|-->|//|a|1|\\PC){0,40}") {
            let _ = read(&text);
        }
    }
}
