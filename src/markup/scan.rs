//! Cuts HTML into texts and tags, in one pass from left to right.
//!
//! Follows the tokenizer of the HTML standard (§13.2.5) where it matters to a reader of text:
//! quotes around values, comments, elements whose content is no markup. It differs in two points,
//! because feeds carry XHTML and plain text too: `<a/>` is an empty element, and `</` before
//! anything but a letter is text. It holds nothing and never goes back, so that unclosed quotes,
//! comments and tags cost one pass.

use std::borrow::Cow;

use crate::markup::element::Element;
use crate::markup::entity;

/// A piece of the input. Comments, declarations and instructions are passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// As it stands, with entities.
    Text(&'a str),
    Open(Tag<'a>),
    /// The name as it stands.
    Close(&'a str),
}

/// A start tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tag<'a> {
    /// As it stands, in whatever case.
    pub name: &'a str,
    /// Ends with `/>`.
    pub is_empty: bool,
    /// What stands between the name and `>`.
    attributes: &'a str,
}

#[derive(Clone)]
pub(crate) struct Scanner<'a> {
    source: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(source: &'a str) -> Self {
        Self { source, at: 0 }
    }

    /// Offset in bytes of what comes next.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Passes over all that belongs to `element`, whose start tag was the last token; its content
    /// is lost. Without an end tag that is the rest of the input.
    pub(crate) fn skip_element(&mut self, element: Element, tag: &Tag<'a>) {
        if tag.is_empty {
            return;
        }
        if element == Element::DroppedText {
            self.skip_text(tag.name);
            return;
        }
        let mut depth = 1u32;
        while depth > 0 {
            match self.next() {
                None => return,
                Some(Token::Text(_)) => {}
                Some(Token::Open(inner)) if inner.is_empty => {}
                Some(Token::Open(inner)) if inner.name.eq_ignore_ascii_case(tag.name) => {
                    depth += 1;
                }
                Some(Token::Open(inner)) => {
                    if Element::of(inner.name) == Element::DroppedText {
                        self.skip_text(inner.name);
                    }
                }
                Some(Token::Close(name)) => {
                    depth -= u32::from(name.eq_ignore_ascii_case(tag.name));
                }
            }
        }
    }

    /// What stands before `</name …>`, which is no markup, as it stands; goes on behind it. Without
    /// an end tag that is the rest of the input.
    pub(crate) fn raw_text(&mut self, name: &str) -> &'a str {
        let start = self.at;
        let end = self.skip_text(name);
        &self.source[start..end]
    }

    /// To behind `</name …>`; what stands before it is no markup, and its end is told.
    fn skip_text(&mut self, name: &str) -> usize {
        while let Some(found) = self.source[self.at..].find("</") {
            let start = self.at + found + 2;
            self.at = start;
            let bytes = self.source.as_bytes();
            let end = start + name.len();
            let is_name =
                bytes.get(start..end).is_some_and(|it| it.eq_ignore_ascii_case(name.as_bytes()));
            if is_name && bytes.get(end).is_none_or(|&byte| ends_name(byte)) {
                self.at = Attributes::behind(self.source, end).1;
                return start - 2;
            }
        }
        self.at = self.source.len();
        self.at
    }

    /// Where the next markup starts, from `self.at`.
    fn markup(&self) -> Option<usize> {
        let bytes = self.source.as_bytes();
        let mut from = self.at;
        loop {
            let start = from + memchr::memchr(b'<', &bytes[from..])?;
            let is_markup = match bytes.get(start + 1) {
                Some(b'!' | b'?') => true,
                Some(b'/') => bytes.get(start + 2).is_some_and(u8::is_ascii_alphabetic),
                Some(byte) => byte.is_ascii_alphabetic(),
                None => false,
            };
            if is_markup {
                return Some(start);
            }
            from = start + 1;
        }
    }

    /// The offset behind the first `end` from `from` on, or the end of the input.
    fn behind(&self, from: usize, end: &str) -> usize {
        self.source[from..].find(end).map_or(self.source.len(), |found| from + found + end.len())
    }

    fn name_from(&self, start: usize) -> &'a str {
        let rest = &self.source[start..];
        &rest[..rest.bytes().position(ends_name).unwrap_or(rest.len())]
    }
}

impl<'a> Iterator for Scanner<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        while self.at < self.source.len() {
            let start = self.markup().unwrap_or(self.source.len());
            if start > self.at {
                let text = &self.source[self.at..start];
                self.at = start;
                return Some(Token::Text(text));
            }
            match self.source.as_bytes()[start + 1] {
                // `<!-->` is a comment too, so the end is looked for from the dashes on.
                b'!' if self.source[start..].starts_with("<!--") => {
                    self.at = self.behind(start + 2, "-->");
                }
                b'!' | b'?' => self.at = self.behind(start, ">"),
                b'/' => {
                    let name = self.name_from(start + 2);
                    let (found, end) = Attributes::behind(self.source, start + 2 + name.len());
                    self.at = end;
                    if found.is_some() {
                        return Some(Token::Close(name));
                    }
                }
                _ => {
                    let name = self.name_from(start + 1);
                    let from = start + 1 + name.len();
                    let (found, end) = Attributes::behind(self.source, from);
                    self.at = end;
                    if let Some(is_empty) = found {
                        let attributes = &self.source[from..end - 1];
                        return Some(Token::Open(Tag { name, is_empty, attributes }));
                    }
                }
            }
        }
        None
    }
}

impl<'a> Tag<'a> {
    /// The value of the first attribute of this name (lower case), with entities decoded; empty
    /// when it stands without a value.
    pub(crate) fn attribute(&self, name: &str) -> Option<Cow<'a, str>> {
        Attributes { source: self.attributes, at: 0, is_empty: false }
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| entity::decode_value(value))
    }

    /// The values of the first attributes of these names, read in one pass.
    pub(crate) fn values<const N: usize>(&self, names: [&str; N]) -> [Option<Cow<'a, str>>; N] {
        let mut values = [const { None }; N];
        for (found, value) in (Attributes { source: self.attributes, at: 0, is_empty: false }) {
            let at = names.iter().position(|name| found.eq_ignore_ascii_case(name));
            if let Some(kept) = at.and_then(|at| values.get_mut(at))
                && kept.is_none()
            {
                *kept = Some(entity::decode_value(value));
            }
        }
        values
    }

    /// Every attribute as it comes, in whatever case and however often, with entities decoded.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = (&'a str, Cow<'a, str>)> + use<'a> {
        Attributes { source: self.attributes, at: 0, is_empty: false }
            .map(|(name, value)| (name, entity::decode_value(value)))
    }

    /// Whether `class` has this word.
    pub(crate) fn has_class(&self, class: &str) -> bool {
        self.attribute("class")
            .is_some_and(|classes| classes.split_ascii_whitespace().any(|it| it == class))
    }
}

/// Reads attributes up to `>` or the end of the source.
struct Attributes<'a> {
    source: &'a str,
    at: usize,
    /// The last byte passed over, outside a value, was `/`.
    is_empty: bool,
}

impl<'a> Attributes<'a> {
    /// Reads over the attributes from `from` on: whether the tag is empty (`None` when it never
    /// ends), and the offset behind it.
    fn behind(source: &'a str, from: usize) -> (Option<bool>, usize) {
        let mut attributes = Self { source, at: from, is_empty: false };
        while attributes.next().is_some() {}
        let ends = source.as_bytes().get(attributes.at) == Some(&b'>');
        let end = if ends { attributes.at + 1 } else { source.len() };
        (ends.then_some(attributes.is_empty), end)
    }

    fn pass(&mut self, accepts: impl Fn(u8) -> bool) -> &'a str {
        let rest = &self.source[self.at..];
        let length = rest.bytes().position(|byte| !accepts(byte)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<(&'a str, &'a str)> {
        let before = self.pass(|byte| is_space(byte) || byte == b'/');
        self.is_empty = before.ends_with('/');
        let bytes = self.source.as_bytes();
        let start = self.at;
        if bytes.get(start).is_none_or(|&byte| byte == b'>') {
            return None;
        }
        // A name has at least one character, whatever it is; an `=` may be the first.
        let rest = &self.source[start..];
        self.at += rest.chars().next().map_or(0, char::len_utf8);
        self.pass(|byte| !ends_name(byte) && byte != b'=');
        let name = &self.source[start..self.at];

        let behind_name = self.at;
        self.pass(is_space);
        if bytes.get(self.at) != Some(&b'=') {
            self.at = behind_name;
            return Some((name, ""));
        }
        self.at += 1;
        self.pass(is_space);
        let value = match bytes.get(self.at) {
            Some(&quote @ (b'"' | b'\'')) => {
                let start = self.at + 1;
                let found = memchr::memchr(quote, &bytes[start..]);
                let end = found.map_or(self.source.len(), |found| start + found);
                self.at = (end + 1).min(self.source.len());
                &self.source[start..end]
            }
            _ => self.pass(|byte| !is_space(byte) && byte != b'>'),
        };
        Some((name, value))
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0c)
}

fn ends_name(byte: u8) -> bool {
    is_space(byte) || byte == b'/' || byte == b'>'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(source: &str) -> Vec<String> {
        Scanner::new(source)
            .map(|token| match token {
                Token::Text(text) => text.to_owned(),
                Token::Open(tag) => {
                    format!("<{}{}>", tag.name, if tag.is_empty { "/" } else { "" })
                }
                Token::Close(name) => format!("</{name}>"),
            })
            .collect()
    }

    #[test]
    fn texts_and_tags_come_in_order() {
        let cases: &[(&str, &[&str])] = &[
            ("", &[]),
            ("a < b", &["a < b"]),
            ("a <3 </3 b", &["a <3 </3 b"]),
            ("<", &["<"]),
            ("</", &["</"]),
            ("<b>x</b >", &["<b>", "x", "</b>"]),
            ("<br/><br /><BR>", &["<br/>", "<br/>", "<BR>"]),
            ("<a href=http://x/>y", &["<a>", "y"]),
            ("<a b=\"1>2\" c='>'>y", &["<a>", "y"]),
            ("<a =x=\">\">y", &["<a>", "y"]),
            ("a<!-- <b> -->b<!-->c<!--->d", &["a", "b", "c", "d"]),
            ("a<!doctype html><?php x ?>b", &["a", "b"]),
            ("a<b", &["a"]),
            ("a<b c=\"", &["a"]),
            ("a<!-- b", &["a"]),
            ("a</b", &["a"]),
        ];
        for (source, expected) in cases {
            assert_eq!(told(source), *expected, "{source}");
        }
    }

    #[test]
    fn the_first_attribute_of_a_name_counts() {
        let cases = [
            ("<a HREF='x'>", Some("x")),
            ("<a href=x href=y>", Some("x")),
            ("<a href>", Some("")),
            ("<a href = \"a b\">", Some("a b")),
            ("<a x=\"href=y\">", None),
            ("<a/href=x>", Some("x")),
            ("<a href=\"?a=1&amp;b=2&copy=3\">", Some("?a=1&b=2&copy=3")),
            ("<é href=x é=1>", None),
        ];
        for (source, expected) in cases {
            let value = match Scanner::new(source).next() {
                Some(Token::Open(tag)) => tag.attribute("href"),
                _ => None,
            };
            assert_eq!(value.as_deref(), expected, "{source}");
        }
    }

    #[test]
    fn raw_text_ends_at_its_own_end_tag() {
        for (source, raw, rest) in [
            ("<title>a <b>&amp;</TITLE >c", "a <b>&amp;", "c"),
            ("<title>a</titles></title>c", "a</titles>", "c"),
            ("<title>a", "a", ""),
        ] {
            let mut scanner = Scanner::new(source);
            scanner.next();
            assert_eq!((scanner.raw_text("title"), &source[scanner.at()..]), (raw, rest));
        }
    }

    #[test]
    fn skipping_passes_over_the_whole_element() {
        let cases = [
            ("<script>a<b</script>c", "c"),
            ("<script>a</scripty></SCRIPT x>c", "c"),
            ("<script src=x />c", "c"),
            ("<svg><svg></svg><style></svg></style></svg>c", "c"),
            ("<svg>a", ""),
            ("<style>a</style", ""),
        ];
        for (source, expected) in cases {
            let mut scanner = Scanner::new(source);
            if let Some(Token::Open(tag)) = scanner.next() {
                scanner.skip_element(Element::of(tag.name), &tag);
            }
            assert_eq!(&source[scanner.at()..], expected, "{source}");
        }
    }
}
