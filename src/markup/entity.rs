//! Character references of HTML: `&amp;`, `&#8217;`, `&#x2019;`.
//!
//! All names of the HTML standard (§13.5) are known. A reference that is none stays as text.

use std::borrow::Cow;

use markup5ever::data::{C1_REPLACEMENTS, NAMED_ENTITIES};

/// Decodes the references in a text, once.
pub fn decode(text: &str) -> Cow<'_, str> {
    decode_as(text, Place::Text)
}

/// Decodes the references in an attribute's value: there `&copy=1` is no reference, since
/// addresses are full of such.
pub(super) fn decode_value(text: &str) -> Cow<'_, str> {
    decode_as(text, Place::Value)
}

/// The characters that a name without `&` and `;` stands for: `nbsp`, `eacute`.
pub fn named_entity(name: &str) -> Option<String> {
    let &(one, two) = NAMED_ENTITIES.get(&format!("{name};"))?;
    (one != 0).then(|| characters(one, two).collect())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Text,
    Value,
}

fn decode_as(text: &str, place: Place) -> Cow<'_, str> {
    let Some(first) = memchr::memchr(b'&', text.as_bytes()) else { return Cow::Borrowed(text) };
    let mut out = String::with_capacity(text.len());
    out.push_str(&text[..first]);
    let mut rest = &text[first..];
    while let Some(reference) = rest.strip_prefix('&') {
        let length = match reference.strip_prefix('#') {
            Some(number) => numeric(number, &mut out).map(|length| length + 1),
            None => named(reference, place, &mut out),
        };
        match length {
            Some(length) => rest = &reference[length..],
            None => {
                out.push('&');
                rest = reference;
            }
        }
        let next = memchr::memchr(b'&', rest.as_bytes()).unwrap_or(rest.len());
        out.push_str(&rest[..next]);
        rest = &rest[next..];
    }
    Cow::Owned(out)
}

/// Reads what follows `&#`; the length of it.
fn numeric(text: &str, out: &mut String) -> Option<usize> {
    let (prefix, radix) = if text.starts_with(['x', 'X']) { (1, 16) } else { (0, 10) };
    let mut code = 0u32;
    let mut length = prefix;
    for digit in text[prefix..].chars().map_while(|c| c.to_digit(radix)) {
        code = code.saturating_mul(radix).saturating_add(digit);
        length += 1;
    }
    if length == prefix {
        return None;
    }
    length += usize::from(text[length..].starts_with(';'));
    out.push(character(code));
    Some(length)
}

/// The standard's repair of numbers: windows-1252 for the C1 range, U+FFFD for what is no
/// character.
fn character(code: u32) -> char {
    match code {
        0 => char::REPLACEMENT_CHARACTER,
        0x80..=0x9f => usize::try_from(code - 0x80)
            .ok()
            .and_then(|at| C1_REPLACEMENTS[at])
            .unwrap_or(char::REPLACEMENT_CHARACTER),
        _ => char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
    }
}

/// Reads what follows `&`; the length of it.
fn named(text: &str, place: Place, out: &mut String) -> Option<usize> {
    if let Some((length, c)) = usual_name(text) {
        out.push(c);
        return Some(length);
    }
    let (length, one, two) = longest_name(text)?;
    let next = text[length..].chars().next();
    let is_bare = !text[..length].ends_with(';');
    let goes_on = next.is_some_and(|c| c == '=' || c.is_ascii_alphanumeric());
    if place == Place::Value && is_bare && goes_on {
        return None;
    }
    out.extend(characters(one, two));
    Some(length)
}

/// The names that nearly all references have, without a look into the table.
fn usual_name(text: &str) -> Option<(usize, char)> {
    const USUAL: [(&str, char); 6] = [
        ("lt;", '<'),
        ("gt;", '>'),
        ("amp;", '&'),
        ("quot;", '"'),
        ("nbsp;", '\u{a0}'),
        ("apos;", '\''),
    ];
    USUAL.iter().find(|(name, _)| text.starts_with(name)).map(|&(name, c)| (name.len(), c))
}

/// The longest name that `text` starts with, and its one or two characters.
fn longest_name(text: &str) -> Option<(usize, u32, u32)> {
    let mut longest = None;
    for (at, c) in text.char_indices() {
        if !c.is_ascii_alphanumeric() && c != ';' {
            break;
        }
        // The table holds the beginnings of all names too, without characters.
        let Some(&(one, two)) = NAMED_ENTITIES.get(&text[..=at]) else { break };
        if one != 0 {
            longest = Some((at + 1, one, two));
        }
    }
    longest
}

/// The table has 0 for no second character.
fn characters(one: u32, two: u32) -> impl Iterator<Item = char> {
    [one, two].into_iter().filter(|&code| code != 0).filter_map(char::from_u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_become_characters() {
        let cases = [
            ("plain", "plain"),
            ("AT&amp;T &lt;b&gt;", "AT&T <b>"),
            ("AT&T & co &", "AT&T & co &"),
            ("&amp;amp;", "&amp;"),
            ("caf&eacute;&nbsp;&hellip;", "café\u{a0}…"),
            ("&copy2 &copy; &notit; &NotEqualTilde;", "©2 © ¬it; \u{2242}\u{338}"),
            ("&#8217;&#x2019;&#X2019&#39;s", "’’’'s"),
            ("&#128;&#150;&#x81;", "€–\u{fffd}"),
            ("&#0;&#xD800;&#99999999999999;&#x110000;", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
            ("&#;&#x;&#xg;&;&nosuch;", "&#;&#x;&#xg;&;&nosuch;"),
        ];
        for (text, expected) in cases {
            assert_eq!(decode(text), expected, "{text}");
        }
    }

    #[test]
    fn an_address_keeps_its_parameters() {
        assert_eq!(decode_value("?a=1&copy=2&lt3&amp;b=&lt;&reg"), "?a=1&copy=2&lt3&b=<®");
    }

    #[test]
    fn a_name_is_known_only_whole() {
        assert_eq!(named_entity("nbsp").as_deref(), Some("\u{a0}"));
        assert_eq!(named_entity("nbspx"), None);
        assert_eq!(named_entity("nbs"), None);
        assert_eq!(named_entity(""), None);
    }
}
