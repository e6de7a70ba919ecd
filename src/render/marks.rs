//! Marks on the elements of a layout, so that a remark about what was printed finds its place.

use crate::render::message::{AT, ELEMENTS};

/// The layout with the file's number and its own offset on each element that makes modules, and on
/// those of which the name is nearly one. Expressions, statements and comments stay as they are.
pub(super) fn mark(text: &str, file: usize) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut at = 0;
    while let Some(found) = text[at..].find(['<', '{']) {
        let start = at + found;
        out.push_str(&text[at..start]);
        let rest = &text[start..];
        let end = match rest.as_bytes().get(..2) {
            Some(b"{{") => behind(rest, "}}"),
            Some(b"{%") => behind(rest, "%}"),
            Some(b"{#") => behind(rest, "#}"),
            _ if rest.starts_with("<!--") => behind(rest, "-->"),
            _ => {
                let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
                let name = rest[1..].find(|c| !is_part(c)).unwrap_or(rest.len() - 1);
                let name = &rest[..=name];
                out.push_str(name);
                if rest.starts_with('<') && is_marked(&name[1..]) {
                    out.push_str(&format!(" {AT}=\"{file}:{start}\""));
                }
                at = start + name.len();
                continue;
            }
        };
        out.push_str(&rest[..end]);
        at = start + end;
    }
    out.push_str(&text[at..]);
    out
}

fn is_marked(name: &str) -> bool {
    let is_element = |element: &&str| element.eq_ignore_ascii_case(name);
    // A name that is nearly an element of text is remarked too.
    ELEMENTS.iter().any(is_element) || name.len() >= 3
}

fn behind(text: &str, end: &str) -> usize {
    text.find(end).map_or(text.len(), |at| at + end.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_elements_are_marked() {
        let text =
            "{# <img> #}<p>{{ '<img' }}</p><img src=x>{% if a < b %}<Button href=y>é</button>";
        let marked = "{# <img> #}<p>{{ '<img' }}</p><img data-tidings-at=\"3:30\" src=x>\
                      {% if a < b %}<Button data-tidings-at=\"3:55\" href=y>é</button>";
        assert_eq!(mark(text, 3), marked);
        for broken in ["<", "{", "{{", "<img", "{# ", "a < b <", "<!-- <img>"] {
            mark(broken, 0);
        }
    }
}
