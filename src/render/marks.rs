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
    // A name that is nearly an element of text is remarked too, and where a link leads.
    ELEMENTS.iter().any(is_element) || name.len() >= 3 || name.eq_ignore_ascii_case("a")
}

/// A marked layout without its statements, and with an address for each expression: its elements,
/// whatever they are to print.
pub(super) fn bare(marked: &str) -> String {
    let mut out = String::with_capacity(marked.len());
    let mut rest = marked;
    while let Some(start) = rest.find('{') {
        out.push_str(&rest[..start]);
        let from = &rest[start..];
        let (end, instead) = match from.as_bytes().get(1) {
            Some(b'{') => (behind(from, "}}"), "https://example.com/"),
            Some(b'%') => (behind(from, "%}"), ""),
            Some(b'#') => (behind(from, "#}"), ""),
            _ => (1, "{"),
        };
        out.push_str(instead);
        rest = &from[end..];
    }
    out.push_str(rest);
    out
}

/// What a layout prints and asks, each with its offset: what stands in `{{ … }}`, `{% if … %}` and
/// `{% elif … %}`.
pub(super) fn expressions(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find('{').map(|start| at + start) {
        let from = &text[start..];
        let (end, is_printed) = match from.as_bytes().get(1) {
            Some(b'{') => (behind(from, "}}"), true),
            Some(b'%') => (behind(from, "%}"), false),
            Some(b'#') => {
                at = start + behind(from, "#}");
                continue;
            }
            _ => {
                at = start + 1;
                continue;
            }
        };
        at = start + end;
        let inner = from.get(2..end.saturating_sub(2)).unwrap_or_default();
        let inner = inner.trim().trim_matches('-').trim();
        let asked = if is_printed {
            Some(inner)
        } else {
            inner.strip_prefix("if ").or_else(|| inner.strip_prefix("elif ")).map(str::trim)
        };
        if let Some(asked) = asked {
            let offset = from.find(asked).unwrap_or(0);
            found.push((start + offset, asked));
        }
    }
    found
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
            bare(&mark(broken, 0));
        }
    }

    #[test]
    fn what_is_printed_and_asked_is_found() {
        let text = "a{{ b }}{# {{ c }} #}{%- if d > 1 -%}{% elif e %}{% for f in g %}{{- h -}}{{";
        let all = expressions(text);
        let words: Vec<&str> = all.iter().map(|(_, word)| *word).collect();
        assert_eq!(words, ["b", "d > 1", "e", "h", ""]);
        assert!(all.iter().all(|(at, word)| text[*at..].starts_with(word)));
    }

    #[test]
    fn a_bare_layout_has_its_elements() {
        let text = "{# <img> #}{% if a %}<img srcc=\"{{ item.image }}\">{% endif %}{x}";
        assert_eq!(bare(text), "<img srcc=\"https://example.com/\">{x}");
    }
}
