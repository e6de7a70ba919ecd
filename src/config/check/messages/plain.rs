//! Words that look as if they were more: expressions of layouts, HTML, places to be filled in. They
//! are sent as they stand, which nobody means.

use crate::config::problem::Findings;
use crate::config::raw::{RawTexts, RawTextsForm};
use crate::config::table::At;

/// Longest piece of the words that is shown, in characters.
const PIECE_CHARS_MAX: usize = 40;

/// Warns of what is sent as it stands; `filled` is filled in, and `setter` sets the words in a
/// layout.
pub(super) fn warn(raw: &RawTexts, key: &str, filled: &[&str], setter: &str, found: &mut Findings) {
    let mut look = |text: &At<String>| {
        let Some(piece) = odd(&text.value, filled) else { return };
        let only = match filled {
            [] => String::new(),
            all => format!(", only {} is filled in", all.join(", ")),
        };
        let text_of = format!("`{piece}` is sent as it stands{only}: these are plain words");
        let hint = format!("`{setter}` sets them in a layout, which has HTML and `{{{{ … }}}}`");
        found.warning(text.at, key, text_of).hint(hint);
    };
    match &raw.form {
        RawTextsForm::One(text) => look(text),
        RawTextsForm::ByLanguage(all) => all.iter().for_each(|(_, text)| look(text)),
    }
}

/// The first piece of the text that is more than words.
fn odd(text: &str, filled: &[&str]) -> Option<String> {
    text.char_indices().find_map(|(at, c)| {
        let rest = &text[at..];
        match c {
            '{' if rest.starts_with("{{") => Some(piece(rest, "}}")),
            '{' if rest.starts_with("{%") => Some(piece(rest, "%}")),
            // The second brace of a pair was seen with the first.
            '{' if filled.iter().any(|word| rest.starts_with(word)) => None,
            '{' => placeholder(rest).map(str::to_owned),
            '<' => tag(rest).map(|tag| piece(tag, ">")),
            _ => None,
        }
    })
}

/// What begins here, up to its end.
fn piece(text: &str, end: &str) -> String {
    let whole = text.find(end).map_or(text, |at| &text[..at + end.len()]);
    let mut shown: String = whole.chars().take(PIECE_CHARS_MAX).collect();
    if shown.len() < whole.len() {
        shown.push('…');
    }
    shown
}

/// `{first_name}`.
fn placeholder(text: &str) -> Option<&str> {
    let end = text.find('}')?;
    let name = &text[1..end];
    let is_name = |c: char| c.is_alphanumeric() || "_.- ".contains(c);
    let is_one = !name.trim().is_empty()
        && name.chars().all(is_name)
        && name.chars().count() <= PIECE_CHARS_MAX;
    is_one.then(|| &text[..=end])
}

/// `<b>`, `</p>`, `<a href="…">`, `<br/>`; no `<3` and no `a < b`.
fn tag(text: &str) -> Option<&str> {
    let end = text.find('>')?;
    let inner = text[1..end].trim_start_matches('/');
    let name_end = inner.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(inner.len());
    let is_named = inner.starts_with(|c: char| c.is_ascii_alphabetic());
    let is_closed = matches!(inner.as_bytes().get(name_end), None | Some(b' ' | b'/' | b'\n'));
    (is_named && is_closed).then(|| &text[..=end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_more_than_words_is_found() {
        for (text, found) in [
            ("Welcome aboard! Write stop to leave.", None),
            ("We <3 you; 1 < 2 > 0, and {} { }", None),
            ("Hello {{ subscriber.first_name }}!", Some("{{ subscriber.first_name }}")),
            ("{% if x %}", Some("{% if x %}")),
            ("Hello {first_name}!", Some("{first_name}")),
            ("You get {topics}.", None),
            ("You get {topics} and {more}.", Some("{more}")),
            ("<b>Welcome</b>", Some("<b>")),
            ("Bye.<br/>", Some("<br/>")),
            (
                "see <a href=\"https://example.com/\">us</a>",
                Some("<a href=\"https://example.com/\">"),
            ),
            ("{{ open", Some("{{ open")),
        ] {
            assert_eq!(odd(text, &["{topics}"]).as_deref(), found, "{text}");
        }
        assert_eq!(odd("You get {topics}.", &[]).as_deref(), Some("{topics}"));
    }
}
