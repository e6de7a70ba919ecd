//! What stands inside one element. Each reads to the end of the element that was started last.

use std::borrow::Cow;

use crate::extract::Format;
use crate::extract::raw::{Form, RawLink, RawText, cap};
use crate::extract::reader::gathered::Gathered;
use crate::extract::reader::{Reader, Step, Stop};
use crate::extract::tokens::{Tag, Token};

impl Reader<'_> {
    pub(super) fn skip(&mut self) -> Step {
        let mut depth = 1usize;
        while depth > 0 {
            match self.next()? {
                Token::Start(_) => depth += 1,
                Token::End => depth -= 1,
                Token::Text(_) => {}
                Token::Done | Token::Cut => return Ok(()),
            }
        }
        Ok(())
    }

    /// The text without any elements in it, trimmed.
    pub(super) fn plain(&mut self) -> Result<String, Stop> {
        let mut out = String::new();
        let mut depth = 1usize;
        while depth > 0 {
            match self.next()? {
                Token::Start(_) => depth += 1,
                Token::End => depth -= 1,
                Token::Text(text) => add(&mut out, text),
                Token::Done | Token::Cut => break,
            }
        }
        cap(&mut out);
        Ok(if out.trim().len() == out.len() { out } else { out.trim().to_owned() })
    }

    pub(super) fn link_text(&mut self) -> Result<RawLink, Stop> {
        let link = self.link_of("");
        Ok(RawLink { href: self.plain()?, ..link })
    }

    pub(super) fn href(&self, tag: &Tag<'_>) -> RawLink {
        self.link_of(tag.attribute("href").unwrap_or_default())
    }

    pub(super) fn link_of(&self, href: &str) -> RawLink {
        RawLink { base: self.tokens.base().cloned(), ..RawLink::new(href) }
    }

    /// An author in one line, or with Atom's parts inside.
    pub(super) fn author(&mut self) -> Result<String, Stop> {
        Ok(self.person()?.unwrap_or_default())
    }

    pub(super) fn note_item_language(&self, found: &mut Gathered) {
        // The root's language is the feed's; one set between it and here is the item's.
        if self.tokens.depth() > 1 {
            found.entry.language = self.tokens.language().to_owned();
        }
    }

    /// A text of Atom, by its `type` and, in Atom 0.3, its `mode`.
    pub(super) fn typed_text(&mut self, tag: &Tag<'_>, default: Form) -> Result<RawText, Stop> {
        let kind = tag.attribute("type").map(|kind| kind.trim().to_ascii_lowercase());
        let mode = tag.attribute("mode").map(str::trim);
        let form = match kind.as_deref() {
            None | Some("") if mode == Some("escaped") => Form::Either,
            None | Some("") => default,
            // `text` is stated by many who mean HTML; what does not look like it stays text.
            Some("text" | "plain") => default,
            Some("text/plain") if self.feed.format == Format::Atom03 => default,
            Some("text/plain") => Form::Plain,
            Some("html" | "text/html") => Form::Html,
            Some(kind) if kind.ends_with("xml") || kind == "xhtml" => Form::Html,
            Some(kind) if kind.starts_with("text/") => Form::Plain,
            Some(kind) if kind.contains('/') => {
                // A file of another type, in base64: no text.
                self.skip()?;
                return Ok(RawText::default());
            }
            Some(_) => Form::Either,
        };
        let mut text = self.text(form)?;
        if mode == Some("base64") {
            text.text = from_base64(&text.text);
        }
        Ok(text)
    }

    /// The text of the element, or the markup inside it where it has child elements.
    ///
    /// The one `div` that Atom wraps XHTML in is left out.
    pub(super) fn text(&mut self, form: Form) -> Result<RawText, Stop> {
        let base = self.tokens.base().cloned();
        let mut out = String::new();
        // Names of the open elements inside.
        let mut open: Vec<Cow<'_, str>> = Vec::new();
        let mut is_markup = false;
        loop {
            match self.next()? {
                Token::Start(tag) => {
                    if !is_markup {
                        is_markup = true;
                        // Text before the first tag that was itself escaped markup stays so.
                        if !out.contains('<') {
                            out = quick_xml::escape::minimal_escape(&out).into_owned();
                        }
                    }
                    write_tag(&mut out, &tag);
                    open.push(tag.local);
                }
                Token::Text(text) if is_markup && !text.contains("</") => {
                    out.push_str(&quick_xml::escape::minimal_escape(text.as_ref()));
                }
                Token::Text(text) => add(&mut out, text),
                Token::End => match open.pop() {
                    Some(name) => {
                        out.push_str("</");
                        out.push_str(&name);
                        out.push('>');
                    }
                    None => break,
                },
                Token::Done | Token::Cut => break,
            }
        }
        if is_markup {
            unwrap_division(&mut out);
        }
        cap(&mut out);
        let form = if is_markup { Form::Html } else { form };
        Ok(RawText { text: out, form, base })
    }
}

/// Adds a piece of text; the first, mostly the only one, is not copied again.
fn add(out: &mut String, piece: Cow<'_, str>) {
    if out.is_empty() {
        *out = piece.into_owned();
    } else {
        out.push_str(&piece);
    }
}

fn write_tag(out: &mut String, tag: &Tag<'_>) {
    out.push('<');
    out.push_str(&tag.local);
    for (name, value) in &tag.attributes {
        if name.contains(':') || name.starts_with("xmlns") {
            continue;
        }
        out.push(' ');
        out.push_str(name);
        out.push_str("=\"");
        out.push_str(&quick_xml::escape::escape(value.as_ref()));
        out.push('"');
    }
    out.push('>');
}

/// The text that was encoded; what is no base64 is passed over.
fn from_base64(encoded: &str) -> String {
    let mut bytes = Vec::with_capacity(encoded.len() / 4 * 3);
    let (mut bits, mut count) = (0u32, 0);
    for byte in encoded.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => break,
            _ => continue,
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.extend(u8::try_from((bits >> count) & 0xff));
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Takes away a `div` that holds everything else.
fn unwrap_division(out: &mut String) {
    let text = out.trim();
    let Some(rest) = text.strip_prefix("<div").filter(|rest| rest.starts_with(['>', ' '])) else {
        return;
    };
    let Some((_, inner)) = rest.split_once('>') else { return };
    let Some(inner) = inner.strip_suffix("</div>") else { return };
    // Only if that end is the first div's: nothing inside closes more than it opens.
    let mut depth = 0i32;
    for (at, _) in inner.match_indices("div") {
        let before = inner.get(..at).unwrap_or_default();
        if before.ends_with("</") {
            depth -= 1;
        } else if before.ends_with('<') {
            depth += 1;
        }
        if depth < 0 {
            return;
        }
    }
    *out = inner.to_owned();
}
