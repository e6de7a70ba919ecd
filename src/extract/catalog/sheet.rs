//! One row of XML as a flat list of its elements.
//!
//! Two readings. The strict one is made to be fast: it takes what is well-formed, borrows from the
//! row what it can, and gives up at the first fault. The tolerant one reads a copy that
//! [`repair::mend`] has made, and closes what is open as an HTML parser would. References to
//! entities of a document type are never expanded.

use std::borrow::Cow;
use std::ops::Range;

use crate::extract::catalog::recognise;
use crate::extract::tokens::{self, character};
use crate::extract::{ATTRIBUTES_MAX, XML_DEPTH_MAX, repair};

/// Most elements of one row; a row with more is none.
const NODES_MAX: usize = 20_000;
/// Longest name of a reference, in bytes.
const REFERENCE_BYTES_MAX: usize = 32;

/// The elements of the row that was read last, the row itself first, in document order.
///
/// It keeps its memory from row to row.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    nodes: Vec<Node>,
    /// Texts that do not stand in the row as they are meant.
    own: String,
    /// The mended copy, if the row had to be mended.
    mended: Option<String>,
    open: Vec<usize>,
}

#[derive(Debug, Default)]
struct Node {
    /// 0 for the row.
    depth: usize,
    name: Range<usize>,
    attributes: Range<usize>,
    /// In the row, or in the own texts.
    text: Range<usize>,
    is_own: bool,
    /// What stands between the tags, as it is written.
    inner: Range<usize>,
    has_children: bool,
}

/// The row cannot be read strictly.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault;

/// An element of a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element<'a> {
    sheet: &'a Sheet,
    row: &'a str,
    node: &'a Node,
}

impl<'a> Element<'a> {
    pub(super) fn depth(self) -> usize {
        self.node.depth
    }

    /// As it is written, with its prefix.
    pub(super) fn name(self) -> &'a str {
        self.row.get(self.node.name.clone()).unwrap_or_default()
    }

    /// Its text, references resolved, without white space around it; not that of its children.
    pub(super) fn text(self) -> &'a str {
        let place = if self.node.is_own { &self.sheet.own } else { self.row };
        place.get(self.node.text.clone()).unwrap_or_default().trim_ascii()
    }

    /// What it holds, as HTML: its text, or the markup inside it if there is any.
    pub(super) fn markup(self) -> &'a str {
        if self.node.has_children {
            self.row.get(self.node.inner.clone()).unwrap_or_default().trim_ascii()
        } else {
            self.text()
        }
    }

    /// What stands behind the name in the start tag.
    pub(super) fn attributes(self) -> &'a str {
        self.row.get(self.node.attributes.clone()).unwrap_or_default()
    }

    /// An attribute's value, references resolved; the prefix of its name does not count.
    pub(super) fn attribute(self, wanted: &str) -> Option<Cow<'a, str>> {
        let attributes = self.attributes();
        if attributes.is_empty() {
            return None;
        }
        attributes_of(attributes)
            .find(|(name, _)| recognise::local(name) == wanted)
            .map(|(_, value)| tokens::unescape(value.trim_ascii()))
    }
}

impl Sheet {
    /// Reads a row strictly.
    ///
    /// # Errors
    /// [`Fault`] when it is not well-formed, or too large.
    pub(super) fn read(&mut self, row: &str) -> Result<(), Fault> {
        self.mended = None;
        Pass::new(self, row, false).run()
    }

    /// Reads a mended copy of a row.
    ///
    /// # Errors
    /// [`Fault`] when it is too large or too deep.
    pub(super) fn read_mended(&mut self, row: &str) -> Result<(), Fault> {
        let copy = repair::mend(row);
        let read = Pass::new(self, &copy, true).run();
        self.mended = Some(copy);
        read
    }

    /// The elements of the row that was read last; `row` is what was read.
    pub(super) fn elements<'a>(&'a self, row: &'a str) -> impl Iterator<Item = Element<'a>> {
        let row = self.mended.as_deref().unwrap_or(row);
        self.nodes.iter().map(move |node| Element { sheet: self, row, node })
    }
}

/// One pass over a row.
struct Pass<'p> {
    sheet: &'p mut Sheet,
    row: &'p str,
    at: usize,
    is_tolerant: bool,
}

impl<'p> Pass<'p> {
    fn new(sheet: &'p mut Sheet, row: &'p str, is_tolerant: bool) -> Self {
        sheet.nodes.clear();
        sheet.own.clear();
        sheet.open.clear();
        Self { sheet, row, at: 0, is_tolerant }
    }

    fn run(&mut self) -> Result<(), Fault> {
        let bytes = self.row.as_bytes();
        loop {
            let rest = bytes.get(self.at..).unwrap_or_default();
            let found = memchr::memchr2(b'<', b'&', rest).unwrap_or(rest.len());
            self.add_text(self.at..self.at + found);
            self.at += found;
            match bytes.get(self.at..).unwrap_or_default() {
                [] => break,
                [b'&', ..] => self.reference()?,
                [b'<', b'/', ..] => self.end_tag()?,
                [b'<', b'!', ..] => self.section()?,
                [b'<', b'?', ..] => {
                    self.at = self.find("?>")? + 2;
                }
                _ => self.start_tag()?,
            }
            if self.sheet.open.is_empty() && !self.sheet.nodes.is_empty() {
                // The row has ended.
                return Ok(());
            }
        }
        if !self.is_tolerant || self.sheet.nodes.is_empty() {
            return Err(Fault);
        }
        let end = self.row.len();
        while !self.sheet.open.is_empty() {
            self.pop(end);
        }
        Ok(())
    }

    fn find(&self, needle: &str) -> Result<usize, Fault> {
        let rest = self.row.get(self.at..).unwrap_or_default();
        memchr::memmem::find(rest.as_bytes(), needle.as_bytes()).map(|at| self.at + at).ok_or(Fault)
    }

    /// Text of the innermost open element, as it stands in the row.
    fn add_text(&mut self, piece: Range<usize>) {
        let Some(node) = self.sheet.open.last().and_then(|at| self.sheet.nodes.get_mut(*at)) else {
            return;
        };
        if piece.is_empty() || node.depth == 0 {
            return;
        }
        let text = self.row.get(piece.clone()).unwrap_or_default();
        if node.text.is_empty() {
            // Between elements there is mostly nothing but white space.
            if !text.trim_ascii().is_empty() {
                (node.text, node.is_own) = (piece, false);
            }
            return;
        }
        if node.has_children {
            return;
        }
        make_own(node, self.row, &mut self.sheet.own);
        self.sheet.own.push_str(text);
        node.text.end = self.sheet.own.len();
    }

    fn add_own(&mut self, text: &str) {
        let Some(node) = self.sheet.open.last().and_then(|at| self.sheet.nodes.get_mut(*at)) else {
            return;
        };
        if node.depth == 0 || node.has_children && !node.text.is_empty() {
            return;
        }
        make_own(node, self.row, &mut self.sheet.own);
        self.sheet.own.push_str(text);
        node.text.end = self.sheet.own.len();
    }

    fn reference(&mut self) -> Result<(), Fault> {
        let rest = self.row.get(self.at + 1..).unwrap_or_default();
        let length = rest.bytes().take(REFERENCE_BYTES_MAX).position(|b| b == b';');
        let Some(name) = length.and_then(|length| rest.get(..length)).filter(|n| is_reference(n))
        else {
            if !self.is_tolerant {
                return Err(Fault);
            }
            self.add_own("&");
            self.at += 1;
            return Ok(());
        };
        let end = self.at + name.len() + 2;
        match name.strip_prefix('#') {
            Some(number) => match character(number) {
                Some(c) => self.add_own(c.encode_utf8(&mut [0; 4])),
                None if self.is_tolerant => {}
                None => return Err(Fault),
            },
            None => match quick_xml::escape::resolve_predefined_entity(name) {
                Some(known) => self.add_own(known),
                // A name of HTML, or of a document type: text, as it stands.
                None => {
                    let written = self.row.get(self.at..end).unwrap_or_default().to_owned();
                    self.add_own(&written);
                }
            },
        }
        self.at = end;
        Ok(())
    }

    /// CDATA or a comment.
    fn section(&mut self) -> Result<(), Fault> {
        let rest = self.row.get(self.at..).unwrap_or_default();
        if rest.starts_with("<![CDATA[") {
            let end = self.find("]]>")?;
            self.add_text(self.at + 9..end);
            self.at = end + 3;
        } else if rest.starts_with("<!--") {
            self.at += 4;
            self.at = self.find("-->")? + 3;
        } else {
            return Err(Fault);
        }
        Ok(())
    }

    fn start_tag(&mut self) -> Result<(), Fault> {
        let bytes = self.row.as_bytes();
        let start = self.at + 1;
        let rest = bytes.get(start..).unwrap_or_default();
        let is_name = |b: u8| b.is_ascii_alphabetic() || b == b'_' || !b.is_ascii();
        if !rest.first().is_some_and(|b| is_name(*b)) {
            return Err(Fault);
        }
        let length = rest
            .iter()
            .position(|b| matches!(b, b'>' | b'/' | b' ' | b'\t' | b'\n' | b'\r'))
            .ok_or(Fault)?;
        let name = start..start + length;
        let mut attributes = name.end..name.end;
        let mut is_empty = false;
        self.at = name.end + 1;
        if rest.get(length) != Some(&b'>') {
            let end = self.attributes_end(name.end)?;
            is_empty = bytes.get(end.wrapping_sub(1)) == Some(&b'/');
            attributes = name.end..end - usize::from(is_empty);
            self.at = end + 1;
        }
        if self.is_tolerant {
            let name = self.row.get(name.clone()).unwrap_or_default();
            is_empty |= self.sheet.open.len() > 1 && is_void(name);
            if self.closes_field(name) {
                self.pop(start - 1);
            }
        }
        self.push(Node { name, attributes, inner: self.at..self.at, ..Node::default() })?;
        if is_empty {
            self.pop(self.at);
        }
        Ok(())
    }

    /// Where the tag whose name ends at `from` ends, its attributes being as they must be.
    fn attributes_end(&self, from: usize) -> Result<usize, Fault> {
        let bytes = self.row.as_bytes();
        let mut at = from;
        for _ in 0..=ATTRIBUTES_MAX {
            let rest = bytes.get(at..).unwrap_or_default();
            let behind = rest.trim_ascii_start();
            let has_gap = behind.len() < rest.len();
            at += rest.len() - behind.len();
            match behind {
                [b'>', ..] => return Ok(at),
                [b'/', b'>', ..] => return Ok(at + 1),
                _ if !has_gap => return Err(Fault),
                _ => {}
            }
            let name = behind.iter().position(|b| {
                b.is_ascii_whitespace() || matches!(b, b'=' | b'>' | b'<' | b'"' | b'\'' | b'&')
            });
            let name = name.filter(|length| *length > 0).ok_or(Fault)?;
            let value = behind.get(name..).unwrap_or_default().trim_ascii_start();
            let value = value.strip_prefix(b"=").ok_or(Fault)?.trim_ascii_start();
            let (quote, inner) = value.split_first().ok_or(Fault)?;
            if !matches!(quote, b'"' | b'\'') {
                return Err(Fault);
            }
            let end = memchr::memchr(*quote, inner).ok_or(Fault)?;
            let value = inner.get(..end).unwrap_or_default();
            if memchr::memchr(b'<', value).is_some() || has_bare_ampersand(value) {
                return Err(Fault);
            }
            at = bytes.len() - inner.len() + end + 1;
        }
        Err(Fault)
    }

    fn end_tag(&mut self) -> Result<(), Fault> {
        let start = self.at + 2;
        let rest = self.row.get(start..).unwrap_or_default();
        let end = memchr::memchr(b'>', rest.as_bytes()).ok_or(Fault)?;
        let name = rest.get(..end).unwrap_or_default().trim_ascii_end();
        let tag_start = self.at;
        self.at = start + end + 1;
        let is_own = |at: &usize| {
            let node = self.sheet.nodes.get(*at);
            node.and_then(|node| self.row.get(node.name.clone())) == Some(name)
        };
        if self.sheet.open.last().is_some_and(is_own) {
            self.pop(tag_start);
            return Ok(());
        }
        if !self.is_tolerant {
            return Err(Fault);
        }
        let found = self.sheet.open.iter().rposition(|at| {
            let node = self.sheet.nodes.get(*at);
            node.and_then(|node| self.row.get(node.name.clone()))
                .is_some_and(|open| open.eq_ignore_ascii_case(name))
        });
        // An end without a beginning is none.
        if let Some(found) = found {
            while self.sheet.open.len() > found {
                self.pop(tag_start);
            }
        }
        Ok(())
    }

    fn push(&mut self, mut node: Node) -> Result<(), Fault> {
        node.depth = self.sheet.open.len();
        if node.depth >= XML_DEPTH_MAX || self.sheet.nodes.len() >= NODES_MAX {
            return Err(Fault);
        }
        if let Some(parent) = self.sheet.open.last().and_then(|at| self.sheet.nodes.get_mut(*at)) {
            parent.has_children = true;
        }
        self.sheet.open.push(self.sheet.nodes.len());
        self.sheet.nodes.push(node);
        Ok(())
    }

    fn pop(&mut self, end: usize) {
        let closed = self.sheet.open.pop().and_then(|at| self.sheet.nodes.get_mut(at));
        if let Some(node) = closed {
            node.inner.end = end.max(node.inner.start);
        }
    }

    /// Whether an element of that name stands beside the innermost open one, whose end is missing.
    fn closes_field(&self, name: &str) -> bool {
        let [_, field] = self.sheet.open.as_slice() else { return false };
        let open = self.sheet.nodes.get(*field).and_then(|node| self.row.get(node.name.clone()));
        open.is_some_and(|open| {
            let same_prefix = open.split_once(':').map(|(prefix, _)| prefix)
                == name.split_once(':').map(|(prefix, _)| prefix);
            same_prefix && !is_group(recognise::local(open)) && is_field(recognise::local(name))
        })
    }
}

/// Moves a node's text to the end of the own ones, if it is not there already.
fn make_own(node: &mut Node, row: &str, own: &mut String) {
    if node.is_own && node.text.end == own.len() {
        return;
    }
    let start = own.len();
    if !node.text.is_empty() {
        if node.is_own {
            own.extend_from_within(node.text.clone());
        } else {
            own.push_str(row.get(node.text.clone()).unwrap_or_default());
        }
    }
    (node.text, node.is_own) = (start..own.len(), true);
}

/// Whether what stands between `&` and `;` makes a reference.
fn is_reference(name: &str) -> bool {
    match name.strip_prefix('#') {
        Some(number) => {
            let digits = number.strip_prefix('x').unwrap_or(number);
            !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit())
        }
        None => {
            name.starts_with(|c: char| c.is_ascii_alphabetic())
                && name.bytes().all(|b| b.is_ascii_alphanumeric())
        }
    }
}

fn has_bare_ampersand(value: &[u8]) -> bool {
    memchr::memchr_iter(b'&', value).any(|at| {
        let rest = value.get(at + 1..).unwrap_or_default();
        let length = rest.iter().take(REFERENCE_BYTES_MAX).position(|b| *b == b';');
        let name = length.and_then(|length| std::str::from_utf8(rest.get(..length)?).ok());
        !name.is_some_and(is_reference)
    })
}

/// Names and values of attributes that have been found to be as they must be.
pub(super) fn attributes_of(mut rest: &str) -> impl Iterator<Item = (&str, &str)> {
    std::iter::from_fn(move || {
        let (name, behind) = rest.split_once('=')?;
        let behind = behind.trim_ascii_start();
        let quote = behind.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, tail) = behind.get(1..)?.split_once(quote)?;
        rest = tail;
        Some((name.trim_ascii(), value))
    })
}

/// Elements that HTML never closes.
fn is_void(name: &str) -> bool {
    ["br", "hr", "img", "input", "wbr", "meta"].iter().any(|v| name.eq_ignore_ascii_case(v))
}

/// Fields that hold others.
fn is_group(name: &str) -> bool {
    matches!(
        name,
        "description"
            | "summary"
            | "content"
            | "encoded"
            | "shipping"
            | "tax"
            | "installment"
            | "subscription_cost"
            | "loyalty_program"
            | "loyalty_points"
            | "product_detail"
            | "certification"
            | "author"
            | "source"
            | "variant"
            | "group"
            | "delivery-options"
            | "params"
            | "images"
    )
}

/// Names that stand beside each other and never inside a field.
fn is_field(name: &str) -> bool {
    matches!(
        name,
        "id" | "title"
            | "link"
            | "description"
            | "image_link"
            | "price"
            | "sale_price"
            | "availability"
            | "condition"
            | "brand"
            | "gtin"
            | "mpn"
            | "guid"
            | "url"
            | "name"
            | "picture"
            | "currencyId"
            | "categoryId"
            | "vendor"
            | "oldprice"
            | "model"
            | "product_type"
            | "google_product_category"
            | "item_group_id"
            | "additional_image_link"
            | "shipping"
            | "pubDate"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(row: &str, tolerant: bool) -> String {
        let mut sheet = Sheet::default();
        let read = if tolerant { sheet.read_mended(row) } else { sheet.read(row) };
        if read.is_err() {
            return "fault".into();
        }
        let shown = |element: Element<'_>| {
            format!("{}{}={}", ">".repeat(element.depth()), element.name(), element.markup())
        };
        sheet.elements(row).skip(1).map(shown).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_row_is_a_list_of_its_elements() {
        for (row, expected) in [
            ("<i><a>x</a> <b/> <c d='e' >y</c ></i>", ">a=x >b= >c=y"),
            ("<i><a> x &amp; y&#33; <![CDATA[<&z>]]> </a></i>", ">a=x & y! <&z>"),
            ("<i><a>&nbsp;x</a></i>", ">a=&nbsp;x"),
            ("<i><s><p>1</p></s><p>2</p></i>", ">s=<p>1</p> >>p=1 >p=2"),
            ("<i><a>x<!-- c -->y</a><?php z?></i>", ">a=xy"),
            ("<i><a>one <b>two</b> three</a></i>", ">a=one <b>two</b> three >>b=two"),
            ("<i/>", ""),
        ] {
            assert_eq!(shown(row, false), expected, "{row}");
        }
    }

    #[test]
    fn what_is_ill_formed_is_a_fault_and_is_mended() {
        for (row, expected) in [
            ("<i><a>x & y</a></i>", ">a=x & y"),
            ("<i><a>x?a=1&b=2</a></i>", ">a=x?a=1&b=2"),
            ("<i><a>x</b></a></i>", ">a=x"),
            ("<i><a>x<br>y</a></i>", ">a=x<br>y >>br="),
            ("<i><title>x<link>y</link></i>", ">title=x >link=y"),
            ("<i><a>x</a>", ">a=x"),
            ("<i><a b=c>x</a></i>", ">a=x"),
            ("<i><A>x</a><b>y</b></i>", ">A=x >b=y"),
            ("<i><a><![CDATA[x</a><b>y</b></i>", ">a=x >b=y"),
            ("<i><a>1 < 2</a></i>", ">a=1 < 2"),
            ("<i><a b='c&d'>x</a></i>", ">a=x"),
        ] {
            assert_eq!(shown(row, false), "fault", "{row}");
            assert_eq!(shown(row, true), expected, "{row}");
        }
    }

    #[test]
    fn an_attribute_is_found_by_its_local_name() {
        let row = "<i><a x:b=\"1 &amp; 2\" c='3'>x</a></i>";
        let mut sheet = Sheet::default();
        sheet.read(row).unwrap();
        let element = sheet.elements(row).nth(1).unwrap();
        assert_eq!(element.attribute("b").as_deref(), Some("1 & 2"));
        assert_eq!(element.attribute("c").as_deref(), Some("3"));
        assert_eq!(element.attribute("d"), None);
    }

    #[test]
    fn sec_l08_limits_of_a_row_hold() {
        let deep = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
        assert_ne!(shown(&deep(XML_DEPTH_MAX), false), "fault");
        assert_eq!(shown(&deep(XML_DEPTH_MAX + 1), false), "fault");
        let wide = |count: usize| format!("<i{}/>", " b='1'".repeat(count));
        assert_ne!(shown(&wide(ATTRIBUTES_MAX), false), "fault");
        assert_eq!(shown(&wide(ATTRIBUTES_MAX + 1), false), "fault");
        assert_eq!(shown(&format!("<i>{}</i>", "<a/>".repeat(NODES_MAX)), true), "fault");
    }

    proptest::proptest! {
        #[test]
        fn no_row_makes_it_panic(
            row in "(<i>|<[ab]( c=['\"]?[^'\"]{0,3}['\"]?)?/?>|</[abi]>|<!--|-->|<!\\[CDATA\\[|\\]\\]>|&[a-z#0-9]{0,5};?|\\PC){0,30}"
        ) {
            let _ = shown(&row, false);
            let _ = shown(&row, true);
        }
    }
}
