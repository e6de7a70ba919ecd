//! A balanced stream of tags and texts from XML that may be neither.
//!
//! Over quick-xml. In [`Mode::Strict`] the first fault ends the stream. In [`Mode::Tolerant`] it
//! mends what it can, as an HTML parser would: an end tag closes what stands open inside it, one
//! without a start is ignored, elements that HTML never closes count as empty, and an item that
//! begins inside another ends that one. Either way every start the consumer sees is followed by
//! its end, or by [`Token::Cut`] where the document breaks off. Entities of a document type are
//! never expanded.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use quick_xml::Reader;
use quick_xml::events::attributes::Attributes;
use quick_xml::events::{BytesStart, Event};
use url::Url;

use crate::extract::link::{self, BASE_BYTES_MAX};
use crate::extract::ns::{self, Ns};
use crate::extract::refusal::NotADocument;
use crate::extract::{ATTRIBUTES_MAX, NAMESPACES_MAX, XML_DEPTH_MAX};

/// Longest name of a reference in an attribute that is looked for, in bytes.
const REFERENCE_BYTES_MAX: usize = 10;
/// Longest `xml:lang` that is one, in bytes: each item below it has a copy.
const LANGUAGE_BYTES_MAX: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Strict,
    Tolerant,
}

/// One step through the document.
#[derive(Debug)]
pub(crate) enum Token<'a> {
    Start(Tag<'a>),
    End,
    /// Text with its references resolved; may come in pieces.
    Text(Cow<'a, str>),
    /// The document breaks off or is broken here; nothing follows.
    Cut,
    /// The root element has ended; nothing follows.
    Done,
}

/// A start tag.
#[derive(Debug)]
pub(crate) struct Tag<'a> {
    pub ns: Ns,
    /// Without prefix, ASCII letters in lower case.
    pub local: Cow<'a, str>,
    /// As written.
    pub name: &'a str,
    /// Names as written, values unescaped.
    pub attributes: Vec<(&'a str, Cow<'a, str>)>,
}

impl Tag<'_> {
    /// The first attribute of that name, in any case of letters.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        Some(&found.1)
    }
}

/// An element that is open.
struct Open<'a> {
    name: &'a str,
    /// How many namespace declarations, bases and languages were in force outside.
    namespaces: usize,
    bases: usize,
    languages: usize,
    is_item: bool,
}

pub(crate) struct Tokens<'a> {
    text: &'a str,
    /// Gives the markup only; it always stands before `<` when it is asked.
    reader: Reader<&'a [u8]>,
    mode: Mode,
    open: Vec<Open<'a>>,
    /// Declared prefixes (empty for the default) and what they stand for, innermost last.
    namespaces: Vec<(String, Ns)>,
    declared: usize,
    origin: Option<&'a Url>,
    bases: Vec<Arc<Url>>,
    languages: Vec<Cow<'a, str>>,
    /// What is to be given out before the document is read on.
    waiting: VecDeque<Token<'a>>,
    /// Ends that are owed before what waits.
    ends: usize,
    started: bool,
}

impl<'a> Tokens<'a> {
    /// `origin` is the document's address, for a relative `xml:base`.
    pub(crate) fn new(text: &'a str, mode: Mode, origin: Option<&'a Url>) -> Self {
        let mut reader = Reader::from_str(text);
        let config = reader.config_mut();
        config.trim_markup_names_in_closing_tags = true;
        // The nesting is judged here, in both modes, so that its limits hold.
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        Self {
            text,
            reader,
            mode,
            open: vec![],
            namespaces: vec![],
            declared: 0,
            origin,
            bases: vec![],
            languages: vec![],
            waiting: VecDeque::new(),
            ends: 0,
            started: false,
        }
    }

    /// The innermost `xml:base` in force.
    pub(crate) fn base(&self) -> Option<&Arc<Url>> {
        self.bases.last()
    }

    /// The innermost `xml:lang` in force.
    pub(crate) fn language(&self) -> &str {
        self.languages.last().map_or("", Cow::as_ref)
    }

    /// How many elements are open, the last start included.
    pub(crate) fn depth(&self) -> usize {
        self.open.len()
    }

    /// # Errors
    /// [`NotADocument`] when a limit is passed.
    pub(crate) fn next(&mut self) -> Result<Token<'a>, NotADocument> {
        loop {
            if self.ends > 0 {
                self.ends -= 1;
                self.pop();
                return Ok(Token::End);
            }
            if let Some(token) = self.waiting.pop_front() {
                if let Token::Start(tag) = token {
                    return self.start(tag).map(Token::Start);
                }
                return Ok(token);
            }
            if self.started && self.open.is_empty() {
                return Ok(Token::Done);
            }
            let characters = self.characters();
            if !characters.is_empty() {
                return Ok(resolve_all(characters, self.mode).map_or(Token::Cut, Token::Text));
            }
            let Ok(event) = self.reader.read_event() else { return Ok(Token::Cut) };
            match event {
                Event::Start(start) => self.arrive(&start, false)?,
                Event::Empty(start) => self.arrive(&start, true)?,
                Event::End(end) => {
                    if !self.leave(end.name().as_ref()) {
                        return Ok(Token::Cut);
                    }
                }
                Event::CData(text) => return Ok(Token::Text(text.into_inner())),
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) | Event::DocType(_) => {}
                // Texts and references are taken before the reader sees them.
                Event::Text(_) | Event::GeneralRef(_) | Event::Eof => return Ok(Token::Cut),
            }
        }
    }

    /// How much of the text has been read.
    fn position(&self) -> usize {
        self.text.len().saturating_sub(self.reader.get_ref().len())
    }

    /// The characters up to the next markup, as written. The reader would give them in as many
    /// pieces as there are references, which in escaped markup is one a few words.
    fn characters(&mut self) -> &'a str {
        let rest = self.text.get(self.position()..).unwrap_or_default();
        let length = memchr::memchr(b'<', rest.as_bytes()).unwrap_or(rest.len());
        let (characters, markup) = rest.split_at(length);
        *self.reader.get_mut() = markup.as_bytes();
        characters
    }

    /// Queues a start tag, after the ends of what it closes.
    fn arrive(&mut self, start: &BytesStart<'_>, empty: bool) -> Result<(), NotADocument> {
        let tag = self.tag(start, empty)?;
        let tolerant = self.mode == Mode::Tolerant;
        let is_item = is_item(&tag.local);
        if tolerant && self.open.len() + 1 > XML_DEPTH_MAX && !is_item {
            return Ok(());
        }
        let empty = empty || tolerant && is_void(&tag.local) && !self.is_item_child();
        if tolerant {
            self.ends = if is_item {
                self.depth_of_item().map_or(0, |at| self.open.len() - at)
            } else if is_sibling(&tag) && self.in_plain_field() {
                1
            } else {
                0
            };
        }
        self.waiting.push_back(Token::Start(tag));
        if empty {
            // Given out after the start, whose element it closes.
            self.waiting.push_back(Token::End);
        }
        Ok(())
    }

    /// Opens what a start tag opens, at the moment it is given out.
    fn start(&mut self, tag: Tag<'a>) -> Result<Tag<'a>, NotADocument> {
        self.started = true;
        if self.open.len() >= XML_DEPTH_MAX {
            return Err(NotADocument::TooDeep);
        }
        let outer = Open {
            name: tag.name,
            namespaces: self.namespaces.len(),
            bases: self.bases.len(),
            languages: self.languages.len(),
            is_item: is_item(&tag.local),
        };
        for (name, value) in &tag.attributes {
            if let Some(prefix) = name.strip_prefix("xmlns") {
                self.declared += 1;
                if self.declared > NAMESPACES_MAX {
                    return Err(NotADocument::TooManyNamespaces);
                }
                let prefix = prefix.strip_prefix(':').unwrap_or(prefix);
                let known = match ns::by_address(value) {
                    Ns::Other if !prefix.is_empty() => ns::by_prefix(prefix),
                    // Whatever the root calls its own elements, they are the format's.
                    Ns::Other if self.open.is_empty() => Ns::Core,
                    known => known,
                };
                self.namespaces.push((prefix.to_owned(), known));
            } else if *name == "xml:base" {
                let joined = match self.bases.last().map(Arc::as_ref).or(self.origin) {
                    _ if value.len() > BASE_BYTES_MAX => None,
                    Some(base) => base.join(value.trim()).ok().filter(link::is_web),
                    None => link::absolute(value),
                };
                self.bases.extend(joined.filter(link::is_base).map(Arc::new));
            } else if *name == "xml:lang" && value.len() <= LANGUAGE_BYTES_MAX {
                self.languages.push(value.clone());
            }
        }
        self.open.push(outer);
        // The declarations of a tag hold for its own name.
        let ns = self.namespace(tag.name);
        if let Some(Token::End) = self.waiting.front() {
            self.waiting.pop_front();
            self.ends = 1;
        }
        Ok(Tag { ns, ..tag })
    }

    fn pop(&mut self) {
        if let Some(open) = self.open.pop() {
            self.namespaces.truncate(open.namespaces);
            self.bases.truncate(open.bases);
            self.languages.truncate(open.languages);
        }
    }

    /// Owes the ends that an end tag asks for; false when the document is to be given up.
    fn leave(&mut self, name: &str) -> bool {
        let matches = |open: &Open<'_>| open.name == name;
        if self.open.last().is_some_and(matches) {
            self.ends = 1;
            return true;
        }
        if self.mode == Mode::Strict {
            return false;
        }
        // No further out than the item, unless it is the item or what holds it that ends.
        let local = name.rsplit(':').next().unwrap_or(name);
        let outer = is_item(&local.to_ascii_lowercase())
            || ["channel", "rss", "feed", "rdf"].iter().any(|n| local.eq_ignore_ascii_case(n));
        let floor = if outer { 0 } else { self.depth_of_item().map_or(0, |at| at + 1) };
        let found = self.open.iter().rposition(|open| open.name.eq_ignore_ascii_case(name));
        if let Some(at) = found.filter(|at| *at >= floor) {
            self.ends = self.open.len() - at;
        }
        true
    }

    fn depth_of_item(&self) -> Option<usize> {
        self.open.iter().rposition(|open| open.is_item)
    }

    /// Whether the innermost open element is an item.
    fn is_item_child(&self) -> bool {
        self.open.last().is_some_and(|open| open.is_item)
    }

    /// Whether the innermost open element is a child of an item that holds no markup.
    fn in_plain_field(&self) -> bool {
        let inside = self.depth_of_item().is_some_and(|at| at + 2 == self.open.len());
        inside
            && self.open.last().is_some_and(|open| {
                matches!(
                    open.name,
                    "title" | "link" | "guid" | "pubDate" | "author" | "category" | "enclosure"
                )
            })
    }

    fn tag(&self, start: &BytesStart<'_>, empty: bool) -> Result<Tag<'a>, NotADocument> {
        // What the reader has just read, from the text itself: its own copy lives too short.
        let end = self.position().saturating_sub(if empty { "/>".len() } else { ">".len() });
        let written = self.text.get(end.saturating_sub(start.len())..end).unwrap_or_default();
        let name = written.get(..start.name().as_ref().len()).unwrap_or_default();
        let mut attributes = Vec::new();
        if name.len() < written.len() {
            let mut found = Attributes::html(written, name.len());
            for attribute in found.with_checks(false).flatten() {
                if attributes.len() >= ATTRIBUTES_MAX {
                    return Err(NotADocument::TooManyAttributes);
                }
                let value = match attribute.value {
                    Cow::Borrowed(value) => unescape(value),
                    Cow::Owned(value) => Cow::Owned(unescape(&value).into_owned()),
                };
                attributes.push((attribute.key.into_inner(), value));
            }
        }
        let local = name.rsplit(':').next().unwrap_or_default();
        let local = if local.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(local.to_ascii_lowercase())
        } else {
            Cow::Borrowed(local)
        };
        Ok(Tag { ns: Ns::Other, local, name, attributes })
    }

    fn namespace(&self, name: &str) -> Ns {
        let prefix = name.split_once(':').map_or("", |(prefix, _)| prefix);
        let declared = self.namespaces.iter().rev().find(|(declared, _)| declared == prefix);
        match declared {
            Some((_, known)) => *known,
            None if prefix.is_empty() => Ns::Core,
            None => ns::by_prefix(prefix),
        }
    }
}

fn is_item(local: &str) -> bool {
    matches!(local, "item" | "entry")
}

/// Elements that HTML never closes.
fn is_void(local: &str) -> bool {
    matches!(
        local,
        "br" | "hr"
            | "img"
            | "input"
            | "wbr"
            | "area"
            | "col"
            | "embed"
            | "meta"
            | "base"
            | "param"
    )
}

/// Names that stand beside each other in an item and never inside a title or link.
fn is_sibling(tag: &Tag<'_>) -> bool {
    matches!(
        tag.name,
        "title"
            | "link"
            | "guid"
            | "pubDate"
            | "description"
            | "enclosure"
            | "content:encoded"
            | "dc:creator"
    )
}

/// The characters with their references resolved. `None` where a strict reading ends: at a reference
/// that no text may have, or an `&` that begins none; a tolerant one leaves out the former and
/// keeps the latter.
fn resolve_all(written: &str, mode: Mode) -> Option<Cow<'_, str>> {
    let Some(first) = memchr::memchr(b'&', written.as_bytes()) else {
        return Some(Cow::Borrowed(written));
    };
    let mut out = String::with_capacity(written.len());
    let (before, mut rest) = written.split_at(first);
    out.push_str(before);
    while let Some(behind) = rest.strip_prefix('&') {
        let name_end = memchr::memchr2(b';', b'&', behind.as_bytes());
        let named = name_end.and_then(|end| {
            let (name, tail) = behind.split_at(end);
            Some((name, tail.strip_prefix(';')?))
        });
        rest = match (named, mode) {
            (Some((name, tail)), _) => {
                match resolve(name) {
                    Some(resolved) => out.push_str(&resolved),
                    None if mode == Mode::Strict => return None,
                    None => {}
                }
                tail
            }
            (None, Mode::Strict) => return None,
            (None, Mode::Tolerant) => {
                out.push('&');
                behind
            }
        };
        let length = memchr::memchr(b'&', rest.as_bytes()).unwrap_or(rest.len());
        let (plain, tail) = rest.split_at(length);
        out.push_str(plain);
        rest = tail;
    }
    Some(Cow::Owned(out))
}

/// The text of a reference; unknown names stay as they are written. `None` for a character that
/// no text may have.
fn resolve(reference: &str) -> Option<Cow<'static, str>> {
    match reference.strip_prefix('#') {
        Some(number) => character(number).map(|c| Cow::Owned(c.to_string())),
        None => Some(match quick_xml::escape::resolve_predefined_entity(reference) {
            Some(known) => Cow::Borrowed(known),
            None => Cow::Owned(format!("&{reference};")),
        }),
    }
}

/// The character of `123` or `x7B`. The range that is control characters in Unicode and letters in
/// windows-1252 is read as HTML reads it.
pub(crate) fn character(number: &str) -> Option<char> {
    let code = match number.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16).ok()?,
        None => number.parse().ok()?,
    };
    let found = char::from_u32(code)?;
    let control = found.is_control() && !matches!(found, '\t' | '\n' | '\r' | '\u{80}'..='\u{9f}');
    if control || matches!(code, 0xfffe | 0xffff) {
        return None;
    }
    Some(mend_control(found))
}

/// U+0080 to U+009F as the windows-1252 characters that were meant.
pub(crate) fn mend_control(c: char) -> char {
    let byte = match u8::try_from(u32::from(c)) {
        Ok(byte @ 0x80..=0x9f) => byte,
        _ => return c,
    };
    let bytes = [byte];
    let (text, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(&bytes);
    text.chars().next().unwrap_or(c)
}

/// Resolves the references of an attribute value; what is none stays.
pub(crate) fn unescape(value: &str) -> Cow<'_, str> {
    if !value.contains('&') {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find('&') {
        let (before, behind) = rest.split_at(at);
        out.push_str(before);
        let inner = behind.get(1..).unwrap_or_default();
        let end = inner.bytes().take(REFERENCE_BYTES_MAX + 1).position(|byte| byte == b';');
        let resolved = end.and_then(|end| inner.get(..end)).and_then(|name| {
            let known = name.starts_with('#')
                || quick_xml::escape::resolve_predefined_entity(name).is_some();
            Some((name.len() + 2, resolve(name).filter(|_| known)?))
        });
        if let Some((length, text)) = resolved {
            out.push_str(&text);
            rest = behind.get(length..).unwrap_or_default();
        } else {
            out.push('&');
            rest = behind.get(1..).unwrap_or_default();
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The stream in a compact notation.
    fn shown(text: &str, mode: Mode) -> String {
        let mut tokens = Tokens::new(text, mode, None);
        let mut out = String::new();
        loop {
            match tokens.next() {
                Ok(Token::Start(tag)) => out.push_str(&format!("<{}", tag.name)),
                Ok(Token::End) => out.push('>'),
                Ok(Token::Text(text)) => out.push_str(&text),
                Ok(Token::Done) => return out + "$",
                Ok(Token::Cut) => return out + "!",
                Err(error) => return error.to_string(),
            }
        }
    }

    #[test]
    fn a_good_document_comes_as_it_is() {
        let text =
            "<?xml version='1.0'?><!DOCTYPE a><a><b x='1'/>t&amp;&#8217;<![CDATA[<i>]]></a>junk<";
        assert_eq!(shown(text, Mode::Strict), "<a<b>t&’<i>>$");
        assert_eq!(shown(text, Mode::Tolerant), shown(text, Mode::Strict));
    }

    #[test]
    fn the_first_fault_ends_a_strict_stream() {
        assert_eq!(shown("<a><b></a>", Mode::Strict), "<a<b!");
        // A text with a fault is not given in part.
        assert_eq!(shown("<a>x & y</a>", Mode::Strict), "<a!");
        assert_eq!(shown("<a>x", Mode::Strict), "<ax!");
        assert_eq!(shown("<a>&#xD83D;</a>", Mode::Strict), "<a!");
    }

    #[test]
    fn a_tolerant_stream_is_balanced() {
        assert_eq!(shown("<a><b></a>", Mode::Tolerant), "<a<b>>$");
        assert_eq!(shown("<a></b>x</a>", Mode::Tolerant), "<ax>$");
        assert_eq!(shown("<a>x<br>y</a>", Mode::Tolerant), "<ax<br>y>$");
        assert_eq!(shown("<a><B>x</b></a>", Mode::Tolerant), "<a<Bx>>$");
    }

    #[test]
    fn one_bad_item_costs_one_item() {
        let text = "<rss><channel><item><title>a<link>b</item><item><p>c</item><item>d<item>e</item></channel></rss>";
        assert_eq!(
            shown(text, Mode::Tolerant),
            "<rss<channel<item<titlea><linkb>><item<pc>><itemd><iteme>>>$"
        );
    }

    #[test]
    fn entities_of_a_document_type_are_not_expanded() {
        let text = "<!DOCTYPE a [<!ENTITY b 'boom'>]><a>&b;&nbsp;</a>";
        assert_eq!(shown(text, Mode::Strict), "<a&b;&nbsp;>$");
    }

    #[test]
    fn a_base_or_language_that_is_too_long_for_every_item_is_passed_over() {
        let of = |base: &str, language: &str| {
            let text =
                format!("<a xml:base='http://e.com/'><b xml:base='{base}' xml:lang='{language}'>");
            let mut tokens = Tokens::new(&text, Mode::Strict, None);
            while !matches!(tokens.next(), Ok(Token::Cut)) {}
            let base = tokens.base().map(|base| base.to_string());
            (base.unwrap_or_default(), tokens.language().to_owned())
        };
        assert_eq!(of("c/", "de"), ("http://e.com/c/".into(), "de".into()));
        assert_eq!(of(&"c/".repeat(BASE_BYTES_MAX), &"de-".repeat(100)).0, "http://e.com/");
        assert_eq!(of("c/", &"de-".repeat(100)).1, "");
    }

    #[test]
    fn an_attribute_of_ampersands_costs_one_pass() {
        let signs = "&".repeat(1 << 20);
        assert_eq!(unescape(&signs), signs);
        assert_eq!(unescape("&amp;&#x41;&nbsp;&;&#1234567890;"), "&A&nbsp;&;&#1234567890;");
    }

    #[test]
    fn control_characters_of_windows_1252_are_mended() {
        assert_eq!(shown("<a>&#146;&#x85;</a>", Mode::Strict), "<a’…>$");
    }

    #[test]
    fn sec_l06_depth_attributes_and_namespaces_are_limited() {
        let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
        assert!(shown(&nested(XML_DEPTH_MAX), Mode::Strict).ends_with('$'));
        let deep = shown(&nested(XML_DEPTH_MAX + 1), Mode::Strict);
        assert_eq!(deep, NotADocument::TooDeep.to_string());
        assert!(shown(&nested(XML_DEPTH_MAX * 20), Mode::Tolerant).ends_with('$'));

        let wide = |count: usize| format!("<a{}/>", " b='1'".repeat(count));
        assert!(shown(&wide(ATTRIBUTES_MAX), Mode::Strict).ends_with('$'));
        let wider = shown(&wide(ATTRIBUTES_MAX + 1), Mode::Strict);
        assert_eq!(wider, NotADocument::TooManyAttributes.to_string());

        let named = |count: usize| format!("<a>{}</a>", "<b xmlns:c='d'/>".repeat(count));
        assert!(shown(&named(NAMESPACES_MAX), Mode::Strict).ends_with('$'));
        let more = shown(&named(NAMESPACES_MAX + 1), Mode::Strict);
        assert_eq!(more, NotADocument::TooManyNamespaces.to_string());
    }
}
