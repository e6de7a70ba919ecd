//! The rows of an XML catalog of any size, cut out of a stream one after another.
//!
//! Outside of rows every tag is looked at, so that a row is found only where it may stand, and
//! not in a comment. Inside, only the row's own end is looked for, with comments and CDATA passed
//! over: what the row holds is for whoever reads it. So one broken row costs one row. Memory is
//! bounded by [`ROW_BYTES_MAX`], time by the length of the document.

use std::io::Read;

use memchr::memmem::{self, Finder};

use crate::extract::catalog::stream::{Stream, unreadable};
use crate::extract::{NotADocument, XML_DEPTH_MAX, tokens};

/// Longest row, in bytes; a longer one is lost.
pub const ROW_BYTES_MAX: usize = 1 << 20;
/// Longest tag outside of rows, in bytes.
const TAG_BYTES_MAX: usize = 64 << 10;
/// How much is read at once, in bytes.
const BLOCK_BYTES: usize = 256 << 10;
/// How much is read at once where single rows are wanted, in bytes.
const PICK_BYTES: usize = 16 << 10;
/// Most categories that are remembered, and the longest name of one in bytes.
const CATEGORIES_MAX: usize = 50_000;
const CATEGORY_BYTES_MAX: usize = 300;

/// The element that is a row.
#[derive(Clone, Debug, Default)]
pub(super) struct RowElement {
    /// Local name.
    pub name: String,
    /// Local names of the elements around it, the innermost last; as many as matter.
    pub around: Vec<String>,
    /// Whether an element of the same name may stand inside a row.
    pub nests: bool,
}

/// What comes next in the document.
#[derive(Debug)]
pub(super) enum Next<'a> {
    Row {
        place: u64,
        bytes: &'a [u8],
    },
    /// A row that is too long.
    Lost,
    /// `is_whole` if the root's end tag was there.
    End {
        is_whole: bool,
    },
}

pub(super) struct Rows<'s, 'd> {
    stream: &'s mut Stream<'d>,
    element: RowElement,
    buffer: Vec<u8>,
    /// What has been dealt with in the buffer.
    at: usize,
    /// The place of the buffer's first byte.
    base: u64,
    /// Nothing follows what is in the buffer.
    ended: bool,
    /// Local names of the elements that are open around what comes next.
    open: Vec<Vec<u8>>,
    has_root_ended: bool,
    /// Something stood before the root that is no XML.
    has_junk: bool,
    /// The row's name as it was written last, with what finds its tags.
    tags: Option<RowTags>,
    /// Ends of comments, CDATA and instructions that the document does not have.
    endless: [bool; 3],
    /// What was found of the ends of CDATA and of comments in rows.
    ends: [Ends; 2],
    /// The place up to which no `>` follows.
    open_until: u64,
    /// How much is read at once.
    block: usize,
    /// Ids and names of the categories met outside of rows, if they are wanted.
    categories: Option<Vec<(String, String)>>,
}

/// What is known of the ends of one kind of section, as places of the document: so none is looked
/// for twice.
#[derive(Clone, Copy, Default)]
struct Ends {
    /// Up to here none was found.
    none_until: u64,
    /// Where the one that was found last begins, and from where on it is the first.
    found: u64,
    found_from: u64,
}

struct RowTags {
    name: Vec<u8>,
    start: Finder<'static>,
    end: Finder<'static>,
}

impl RowTags {
    fn new(name: &[u8]) -> Self {
        Self {
            name: name.to_vec(),
            start: Finder::new(&[b"<", name].concat()).into_owned(),
            end: Finder::new(&[b"</", name].concat()).into_owned(),
        }
    }
}

impl<'s, 'd> Rows<'s, 'd> {
    /// Begins at the root, wherever the stream stands.
    ///
    /// # Errors
    /// [`NotADocument::Unreadable`].
    pub(super) fn new(
        stream: &'s mut Stream<'d>,
        element: RowElement,
    ) -> Result<Self, NotADocument> {
        let mut rows = Self::at(stream, element, None)?;
        rows.fill()?;
        let start = rows.buffer.len() - rows.buffer.trim_ascii_start().len();
        let text = rows.buffer.get(start..).unwrap_or_default();
        let known: [&[u8]; 4] = [b"<?xml", b"<rss", b"<feed", b"<yml_catalog"];
        let is_clean = text.starts_with(b"<") && !text.starts_with(b"<br");
        let root = if is_clean && !text.starts_with(b"<b>") {
            None
        } else {
            known.iter().filter_map(|sign| memmem::find(text, sign)).min()
        };
        rows.has_junk = root.is_some() || !text.starts_with(b"<");
        rows.at = start + root.unwrap_or(0);
        Ok(rows)
    }

    /// Begins with the row at `place`.
    ///
    /// # Errors
    /// [`NotADocument::Unreadable`].
    pub(super) fn at(
        stream: &'s mut Stream<'d>,
        element: RowElement,
        place: Option<u64>,
    ) -> Result<Self, NotADocument> {
        let base = place.unwrap_or_else(|| stream.start());
        stream.seek(base).map_err(unreadable)?;
        // A place is where a row begins: what is around it is known.
        let open = element.around.iter().map(|name| name.clone().into_bytes()).collect();
        Ok(Self {
            stream,
            element,
            buffer: Vec::new(),
            at: 0,
            base,
            ended: false,
            open: if place.is_some() { open } else { vec![] },
            has_root_ended: false,
            has_junk: false,
            tags: None,
            endless: [false; 3],
            ends: [Ends::default(); 2],
            open_until: 0,
            block: if place.is_some() { PICK_BYTES } else { BLOCK_BYTES },
            categories: None,
        })
    }

    /// Goes to another row; the buffer is used if it reaches so far.
    pub(super) fn go_to(&mut self, place: u64) -> Result<(), NotADocument> {
        self.open = self.element.around.iter().map(|name| name.clone().into_bytes()).collect();
        self.has_root_ended = false;
        self.move_to(place)
    }

    fn move_to(&mut self, place: u64) -> Result<(), NotADocument> {
        (self.ends, self.open_until) = ([Ends::default(); 2], 0);
        let within = place.checked_sub(self.base).and_then(|at| usize::try_from(at).ok());
        if let Some(at) = within.filter(|at| *at < self.buffer.len()) {
            self.at = at;
            return Ok(());
        }
        self.stream.seek(place).map_err(unreadable)?;
        self.buffer.clear();
        (self.at, self.base, self.ended) = (0, place, false);
        Ok(())
    }

    pub(super) fn gather_categories(&mut self) {
        self.categories = Some(vec![]);
    }

    pub(super) fn take_categories(&mut self) -> Vec<(String, String)> {
        self.categories.take().unwrap_or_default()
    }

    pub(super) fn has_junk(&self) -> bool {
        self.has_junk
    }

    /// The next row.
    ///
    /// # Errors
    /// [`NotADocument`] when the document cannot be read or is nested too deeply.
    pub(super) fn next(&mut self) -> Result<Next<'_>, NotADocument> {
        loop {
            if self.has_root_ended {
                return Ok(Next::End { is_whole: true });
            }
            if !self.next_bracket()? {
                return Ok(Next::End { is_whole: false });
            }
            self.want(16)?;
            let rest = self.rest();
            match rest {
                [b'<', b'!', b'-', b'-', ..] => self.pass(4, b"-->", 0)?,
                [b'<', b'!', b'[', ..] => self.pass(3, b"]]>", 1)?,
                [b'<', b'?', ..] => self.pass(2, b"?>", 2)?,
                [b'<', b'!', ..] => self.pass_document_type()?,
                [b'<', b'/', ..] => self.close()?,
                [b'<', c, ..] if is_name_start(*c) => {
                    if let Some(start) = self.open_tag()? {
                        let found = self.row(start)?;
                        let at = self.at;
                        return Ok(match found {
                            Cut::Row(length) => {
                                let place = self.base + wide(at);
                                self.at = at + length;
                                let bytes = self.buffer.get(at..at + length).unwrap_or_default();
                                Next::Row { place, bytes }
                            }
                            Cut::TooLong => {
                                // Its inner elements are passed over as if they were around rows.
                                self.at = at + start;
                                let name = self.element.name.clone().into_bytes();
                                self.push_open(name)?;
                                Next::Lost
                            }
                            Cut::Truncated => Next::End { is_whole: false },
                        });
                    }
                }
                _ => self.at += 1,
            }
        }
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.at..).unwrap_or_default()
    }

    /// Reads on, and forgets what has been dealt with.
    fn fill(&mut self) -> Result<(), NotADocument> {
        self.buffer.drain(..self.at.min(self.buffer.len()));
        self.base += wide(self.at);
        self.at = 0;
        let known = self.buffer.len();
        let limit = wide(self.block);
        (&mut *self.stream).take(limit).read_to_end(&mut self.buffer).map_err(unreadable)?;
        self.ended = self.buffer.len() < known + self.block;
        Ok(())
    }

    /// Sees to it that so many bytes are there, if the document has them.
    fn want(&mut self, length: usize) -> Result<(), NotADocument> {
        while !self.ended && self.buffer.len() < self.at + length {
            self.fill()?;
        }
        Ok(())
    }

    /// Goes to the next `<`; false at the end of the document.
    fn next_bracket(&mut self) -> Result<bool, NotADocument> {
        loop {
            if let Some(at) = memchr::memchr(b'<', self.rest()) {
                self.at += at;
                return Ok(true);
            }
            self.at = self.buffer.len();
            if self.ended {
                return Ok(false);
            }
            self.fill()?;
        }
    }

    /// Passes over what begins here with `head` bytes and ends with `end`. If the document has no
    /// such end, this beginning and all others like it are text.
    fn pass(&mut self, head: usize, end: &[u8], kind: usize) -> Result<(), NotADocument> {
        let is_endless = self.endless.get(kind).copied().unwrap_or_default();
        let start = self.base + wide(self.at);
        self.at += head;
        if is_endless {
            return Ok(());
        }
        loop {
            if let Some(at) = memmem::find(self.rest(), end) {
                self.at += at + end.len();
                return Ok(());
            }
            if self.ended {
                break;
            }
            self.at = self.at.max(self.buffer.len().saturating_sub(end.len()));
            self.fill()?;
        }
        if let Some(known) = self.endless.get_mut(kind) {
            *known = true;
        }
        self.move_to(start + 1)
    }

    fn pass_document_type(&mut self) -> Result<(), NotADocument> {
        if !self.has_bracket()? {
            self.at += 1;
            return Ok(());
        }
        self.want(TAG_BYTES_MAX)?;
        let head = self.rest();
        let head = head.get(..head.len().min(TAG_BYTES_MAX)).unwrap_or_default();
        let close = memchr::memchr(b'>', head).unwrap_or(0);
        let subset = head.get(..close).and_then(|inner| memchr::memchr(b'[', inner));
        let end = match subset {
            // Its declarations are passed over, whatever they define.
            Some(open) => {
                let from = head.get(open..).unwrap_or_default();
                let close = memchr::memchr(b']', from).unwrap_or(0);
                let behind = from.get(close..).unwrap_or_default();
                open + close + memchr::memchr(b'>', behind).unwrap_or(0)
            }
            None => close,
        };
        self.at += end + 1;
        Ok(())
    }

    /// An end tag outside of rows.
    fn close(&mut self) -> Result<(), NotADocument> {
        let Some((_, end)) = self.whole_tag()? else {
            self.at += 1;
            return Ok(());
        };
        let rest = self.rest();
        let name = local(name_of(rest.get(2..end).unwrap_or_default()));
        if let Some(at) = self.open.iter().rposition(|known| known == name) {
            self.open.truncate(at);
            self.has_root_ended = at == 0;
        }
        self.at += end + 1;
        Ok(())
    }

    /// A start tag outside of rows: where a row's tag ends, or `None` when it is none and has been
    /// passed over.
    fn open_tag(&mut self) -> Result<Option<usize>, NotADocument> {
        let Some((is_empty, end)) = self.whole_tag()? else {
            self.at += 1;
            return Ok(None);
        };
        let rest = self.rest();
        let name = name_of(rest.get(1..end).unwrap_or_default());
        if local(name) == self.element.name.as_bytes() && self.is_place_of_rows() {
            if self.tags.as_ref().is_none_or(|tags| tags.name != name) {
                self.tags = Some(RowTags::new(name));
            }
            return Ok(Some(end + 1));
        }
        let name = local(name).to_vec();
        self.note_category(end);
        if !is_empty {
            self.push_open(name)?;
        }
        self.at += end + 1;
        Ok(None)
    }

    fn push_open(&mut self, name: Vec<u8>) -> Result<(), NotADocument> {
        if self.open.len() >= XML_DEPTH_MAX {
            return Err(NotADocument::TooDeep);
        }
        self.open.push(name);
        Ok(())
    }

    fn is_place_of_rows(&self) -> bool {
        let around = &self.element.around;
        let Some(from) = self.open.len().checked_sub(around.len()) else { return false };
        let open = self.open.get(from..).unwrap_or_default();
        open.iter().zip(around).all(|(open, wanted)| open == wanted.as_bytes())
    }

    /// Whether the tag that is next is an empty element, and the offset of its `>`; `None` when it
    /// does not end within the limit.
    fn whole_tag(&mut self) -> Result<Option<(bool, usize)>, NotADocument> {
        if !self.has_bracket()? {
            return Ok(None);
        }
        let rest = self.rest();
        let window = rest.get(..rest.len().min(TAG_BYTES_MAX)).unwrap_or_default();
        // A quote that is never closed does not hide the end of its tag.
        let plain = || memchr::memchr(b'>', window).map(|at| (false, at));
        Ok(tag_end(window).or_else(plain))
    }

    /// Whether a `>` follows within the longest tag; none is looked for twice.
    fn has_bracket(&mut self) -> Result<bool, NotADocument> {
        if self.base + wide(self.at) < self.open_until {
            return Ok(false);
        }
        if memchr::memchr(b'>', self.rest()).is_none() {
            self.want(TAG_BYTES_MAX)?;
        }
        let rest = self.rest();
        let window = rest.get(..rest.len().min(TAG_BYTES_MAX)).unwrap_or_default();
        if memchr::memchr(b'>', window).is_some() {
            return Ok(true);
        }
        self.open_until = self.base + wide(self.at + window.len());
        Ok(false)
    }

    /// Remembers the category whose start tag ends at `end`.
    fn note_category(&mut self, end: usize) {
        let Some(categories) = &mut self.categories else { return };
        let rest = self.buffer.get(self.at..).unwrap_or_default();
        if !rest.starts_with(b"<category") || categories.len() >= CATEGORIES_MAX {
            return;
        }
        let tag = String::from_utf8_lossy(rest.get(..end).unwrap_or_default());
        let text = rest.get(end + 1..).unwrap_or_default();
        let length = memchr::memchr(b'<', text).unwrap_or(0).min(CATEGORY_BYTES_MAX);
        let name = String::from_utf8_lossy(text.get(..length).unwrap_or_default());
        let id = tag.split_once("id=").and_then(|(before, behind)| {
            let quote = behind.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            let own = before.ends_with(char::is_whitespace);
            behind.get(1..)?.split(quote).next().filter(|_| own)
        });
        if let Some(id) = id {
            let name = tokens::unescape(name.trim()).into_owned();
            categories.push((tokens::unescape(id).into_owned(), name));
        }
    }

    /// Finds the end of the row that begins here and whose start tag takes `start` bytes.
    ///
    /// From left to right, whatever comes first of three: a comment or CDATA is passed over; an
    /// end tag of the row's name closes one; a start tag of that name opens one inside, or shows
    /// that the row has no end.
    fn row(&mut self, start: usize) -> Result<Cut, NotADocument> {
        if self.rest().get(start.saturating_sub(2)) == Some(&b'/') {
            return Ok(Cut::Row(start));
        }
        let mut depth = 1;
        let mut ahead = Ahead { at: start, searched: 0, end_searched: 0, start: None, end: None };
        loop {
            let is_last = self.ended || self.rest().len() >= ROW_BYTES_MAX;
            match self.step(&mut ahead, is_last) {
                Step::More => self.fill()?,
                Step::None if self.rest().len() >= ROW_BYTES_MAX => return Ok(Cut::TooLong),
                Step::None => return Ok(Cut::Truncated),
                Step::Passed => {}
                Step::Start { at, .. } if !self.element.nests => return Ok(Cut::Row(at)),
                Step::Start { is_empty, .. } => {
                    depth += usize::from(!is_empty);
                    if depth > XML_DEPTH_MAX {
                        return Err(NotADocument::TooDeep);
                    }
                }
                Step::End { behind } => {
                    depth -= 1;
                    if depth == 0 {
                        return Ok(Cut::Row(behind));
                    }
                }
            }
        }
    }

    /// One step of the way through a row; `is_last` when no more of it can be had.
    fn step(&mut self, ahead: &mut Ahead, is_last: bool) -> Step {
        let Some(tags) = &self.tags else { return Step::None };
        let row = self.buffer.get(self.at..).unwrap_or_default();
        let row = row.get(..row.len().min(ROW_BYTES_MAX)).unwrap_or_default();
        // Each search ends where the one before it did, so that nothing is searched twice.
        let is_unknown = match ahead.start {
            Some((at, _)) => at < ahead.at,
            None => ahead.searched < row.len(),
        };
        if is_unknown {
            ahead.start = find_tag(row, ahead.at, &tags.start, tags.name.len() + 1);
            ahead.searched = row.len();
        }
        let reach = ahead.start.map_or(row.len(), |(at, _)| at);
        let is_unknown = match ahead.end {
            Some((at, _)) => at < ahead.at,
            None => ahead.end_searched < reach,
        };
        if is_unknown {
            let before = row.get(..reach).unwrap_or_default();
            ahead.end = find_tag(before, ahead.at, &tags.end, tags.name.len() + 2);
            ahead.end_searched = reach;
        }
        let reach = ahead.end.map_or(reach, |(at, _)| at.min(reach));
        let before = row.get(ahead.at..reach).unwrap_or_default();
        if let Some(found) = memmem::find(before, b"<!") {
            let at = ahead.at + found;
            let base = self.base + wide(self.at);
            return match hidden(row, at, base, &mut self.ends) {
                Hidden::Until(end) => {
                    ahead.at = end;
                    Step::Passed
                }
                Hidden::No => {
                    ahead.at = at + 2;
                    Step::Passed
                }
                Hidden::Unknown if is_last => {
                    ahead.at = at + 2;
                    Step::Passed
                }
                Hidden::Unknown => Step::More,
            };
        }
        match (ahead.start, ahead.end) {
            (start, Some((at, behind))) if start.is_none_or(|(start, _)| at < start) => {
                ahead.at = behind;
                Step::End { behind }
            }
            (Some((at, behind)), _) => {
                ahead.at = behind;
                let is_empty = row.get(..behind).is_some_and(|tag| tag.ends_with(b"/>"));
                Step::Start { at, is_empty }
            }
            _ if is_last => Step::None,
            _ => {
                // A tag may be cut through where the buffer ends.
                let seen = row.get(ahead.at..).unwrap_or_default();
                let open = memchr::memrchr(b'<', seen);
                let cut = open.filter(|open| {
                    memchr::memchr(b'>', seen.get(*open..).unwrap_or_default()).is_none()
                });
                ahead.at += cut.unwrap_or(seen.len());
                Step::More
            }
        }
    }
}

/// How far the way through a row has come, relative to its beginning, and the next tags of its
/// name: where each begins and what follows it.
struct Ahead {
    at: usize,
    /// How much of the row was there when no start, and no end, was found.
    searched: usize,
    end_searched: usize,
    start: Option<(usize, usize)>,
    end: Option<(usize, usize)>,
}

enum Step {
    /// More of the document is needed.
    More,
    /// A comment or CDATA was passed over.
    Passed,
    Start {
        at: usize,
        is_empty: bool,
    },
    End {
        behind: usize,
    },
    /// There is no end.
    None,
}

/// What a search for a row's end came to.
enum Cut {
    /// It takes so many bytes.
    Row(usize),
    TooLong,
    /// The document ends before it does.
    Truncated,
}

enum Hidden {
    Until(usize),
    No,
    /// As far as the row is there, it does not end.
    Unknown,
}

/// Whether the `<!` at `at` begins a comment or CDATA, and where that ends.
///
/// What does not end before another begins was not meant to begin. `ends` are those of CDATA and
/// of comments.
fn hidden(row: &[u8], at: usize, base: u64, ends: &mut [Ends; 2]) -> Hidden {
    let inner = row.get(at..).unwrap_or_default();
    let (open, close, kind): (&[u8], &[u8], usize) = if inner.starts_with(b"<![CDATA[") {
        (b"<![CDATA[", b"]]>", 0)
    } else if inner.starts_with(b"<!--") {
        (b"<!--", b"-->", 1)
    } else if b"<![CDATA[".starts_with(inner) || b"<!--".starts_with(inner) {
        return Hidden::Unknown;
    } else {
        return Hidden::No;
    };
    let Some(known) = ends.get_mut(kind) else { return Hidden::No };
    let within = |place: u64| place.checked_sub(base).and_then(|it| usize::try_from(it).ok());
    let start = at + open.len();
    let is_known = (known.found_from..=known.found).contains(&(base + wide(start)));
    let found = within(known.found).filter(|end| is_known && end + close.len() <= row.len());
    let from = within(known.none_until).map_or(start, |known| known.max(start));
    let looked_for = || row.get(from..).and_then(|rest| memmem::find(rest, close));
    let Some(end) = found.or_else(|| looked_for().map(|end| from + end)) else {
        let until = base + wide(row.len().saturating_sub(close.len()));
        known.none_until = known.none_until.max(until);
        return Hidden::Unknown;
    };
    (known.found, known.found_from) = (base + wide(end), base + wide(start));
    let content = row.get(start..end).unwrap_or_default();
    if memmem::find(content, open).is_some() {
        Hidden::No
    } else {
        Hidden::Until(end + close.len())
    }
}

/// The next tag of a name that `finder` finds the beginning of, `length` bytes long: where it
/// begins and what follows it. `None` when there is none, or none that is complete.
fn find_tag(row: &[u8], from: usize, finder: &Finder<'_>, length: usize) -> Option<(usize, usize)> {
    let mut at = from;
    loop {
        let start = at + finder.find(row.get(at..)?)?;
        let behind = row.get(start + length..)?;
        match behind.first()? {
            b'>' => return Some((start, start + length + 1)),
            b'/' | b' ' | b'\t' | b'\n' | b'\r' => {
                let close = memchr::memchr(b'>', behind)?;
                return Some((start, start + length + close + 1));
            }
            _ => at = start + length,
        }
    }
}

/// Whether the tag at the beginning of `rest` is an empty element, and where its `>` is; `None`
/// when there is none.
pub(super) fn tag_end(rest: &[u8]) -> Option<(bool, usize)> {
    let mut at = 1;
    loop {
        let found = at + memchr::memchr3(b'>', b'"', b'\'', rest.get(at..)?)?;
        match rest.get(found)? {
            b'>' => {
                let is_empty = rest.get(found.wrapping_sub(1)) == Some(&b'/');
                return Some((is_empty, found));
            }
            // A quote only counts behind `=`; anywhere else it is a stray one.
            quote => {
                let before = rest.get(..found)?.trim_ascii_end();
                at = found + 1;
                if before.ends_with(b"=") {
                    at += memchr::memchr(*quote, rest.get(at..)?)? + 1;
                }
            }
        }
    }
}

fn name_of(inner: &[u8]) -> &[u8] {
    let end = inner.iter().position(|b| b.is_ascii_whitespace() || matches!(b, b'>' | b'/'));
    inner.get(..end.unwrap_or(inner.len())).unwrap_or_default()
}

fn local(name: &[u8]) -> &[u8] {
    let start = memchr::memrchr(b':', name).map_or(0, |at| at + 1);
    name.get(start..).unwrap_or_default()
}

fn is_name_start(c: u8) -> bool {
    c.is_ascii_alphabetic() || c == b'_' || !c.is_ascii()
}

fn wide(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use url::Url;

    use super::*;
    use crate::extract::catalog::Options;

    fn element(name: &str, around: &[&str], nests: bool) -> RowElement {
        let around = around.iter().map(|name| (*name).to_owned()).collect();
        RowElement { name: name.into(), around, nests }
    }

    /// The rows, each as it stands, and how the document ended.
    fn rows(document: &str, element: &RowElement) -> String {
        let base = Url::parse("https://e.com/").unwrap();
        let options = Options::plain(&base);
        let mut source = Cursor::new(document.as_bytes().to_vec());
        let mut stream = Stream::open(&mut source, &options).unwrap();
        let mut rows = match Rows::new(&mut stream, element.clone()) {
            Ok(rows) => rows,
            Err(refusal) => return refusal.to_string(),
        };
        let mut out = String::new();
        let mut places = Vec::new();
        loop {
            match rows.next() {
                Ok(Next::Row { place, bytes }) => {
                    let text = String::from_utf8(bytes.to_vec()).unwrap();
                    let at = usize::try_from(place).unwrap();
                    assert_eq!(&document[at..at + text.len()], text);
                    places.push((place, text.clone()));
                    out.push_str(&text);
                    out.push('|');
                }
                Ok(Next::Lost) => out.push_str("lost|"),
                Ok(Next::End { is_whole }) => {
                    out.push_str(if is_whole { "whole" } else { "cut" });
                    break;
                }
                Err(refusal) => return refusal.to_string(),
            }
        }
        // Each row is found again by its place.
        for (place, text) in places.into_iter().rev() {
            let mut again = Rows::at(&mut stream, element.clone(), Some(place)).unwrap();
            let Ok(Next::Row { bytes, .. }) = again.next() else { panic!("no row at {place}") };
            assert_eq!(bytes, text.as_bytes());
        }
        out
    }

    #[test]
    fn rows_are_found_where_they_may_stand_only() {
        let item = || element("item", &[], false);
        for (document, expected) in [
            (
                "<rss><c><item>a</item> <item/><item b='1'>c</item ></c></rss>",
                "<item>a</item>|<item/>|<item b='1'>c</item >|whole",
            ),
            ("<rss><!-- <item>no</item> --><item>a</item></rss>", "<item>a</item>|whole"),
            ("<rss><t><![CDATA[<item>no</item>]]></t><item>a</item></rss>", "<item>a</item>|whole"),
            (
                "<rss><item><![CDATA[</item>]]>a</item><item>b</item></rss>",
                "<item><![CDATA[</item>]]>a</item>|<item>b</item>|whole",
            ),
            ("<rss><item><!--</item>-->a</item></rss>", "<item><!--</item>-->a</item>|whole"),
            ("<rss><items><item>a</item></items><itemx/></rss>", "<item>a</item>|whole"),
            ("<x:rss><x:item>a</x:item></x:rss>", "<x:item>a</x:item>|whole"),
            (
                "<?xml version='1.0'?><!DOCTYPE r [<!ENTITY a '<item>'>]><r><item>a</item></r>",
                "<item>a</item>|whole",
            ),
            ("<rss><item a='>'>a</item></rss>", "<item a='>'>a</item>|whole"),
        ] {
            assert_eq!(rows(document, &item()), expected, "{document}");
        }
    }

    #[test]
    fn a_broken_row_costs_one_row() {
        let item = || element("item", &[], false);
        for (document, expected) in [
            ("<rss><item>a<item>b</item></rss>", "<item>a|<item>b</item>|whole"),
            ("<rss><item>a</item><item>b", "<item>a</item>|cut"),
            ("<rss><item>a</item>", "<item>a</item>|cut"),
            (
                "<rss><item><![CDATA[a</item><item><![CDATA[b]]></item></rss>",
                "<item><![CDATA[a</item>|<item><![CDATA[b]]></item>|whole",
            ),
            (
                "<rss><item><![CDATA[a</item><item><![CDATA[b</item><item><![CDATA[</item>]]>c</item></rss>",
                "<item><![CDATA[a</item>|<item><![CDATA[b</item>|<item><![CDATA[</item>]]>c</item>|whole",
            ),
            (
                "<rss><item><!-- a</item><item><!--</item>-->b</item><item><!--</item>-->c</item></rss>",
                "<item><!-- a</item>|<item><!--</item>-->b</item>|<item><!--</item>-->c</item>|whole",
            ),
            (
                "<rss><item><![CDATA[a</item><item>b</item></rss>",
                "<item><![CDATA[a</item>|<item>b</item>|whole",
            ),
            (
                "<br>Warning <b>x</b>\n<?xml version='1.0'?><rss><item>a</item></rss>junk",
                "<item>a</item>|whole",
            ),
            ("<rss><!-- never closed <item>a</item></rss>", "<item>a</item>|whole"),
            ("<rss><item>a</i></item></channel></rss>", "<item>a</i></item>|whole"),
        ] {
            assert_eq!(rows(document, &item()), expected, "{document}");
        }
        let long = format!("<rss><item>{}</item><item>b</item></rss>", "x".repeat(ROW_BYTES_MAX));
        assert_eq!(rows(&long, &item()), "lost|<item>b</item>|whole");
    }

    #[test]
    fn a_path_tells_rows_from_elements_of_the_same_name() {
        let path = element("product", &["products"], true);
        let document = "<shop><product>no</product><products><product><id>1</id><related><product/>\
                        <product>x</product></related></product><product>2</product></products></shop>";
        let expected = "<product><id>1</id><related><product/><product>x</product></related></product>\
                        |<product>2</product>|whole";
        assert_eq!(rows(document, &path), expected);
    }

    #[test]
    fn rows_longer_than_a_block_are_whole() {
        let text = "y".repeat(BLOCK_BYTES / 3);
        let document = format!("<r>{}</r>", format!("<item>{text}</item>").repeat(10));
        let expected = format!("{}whole", format!("<item>{text}</item>|").repeat(10));
        assert!(rows(&document, &element("item", &[], false)) == expected);
    }

    #[test]
    fn sec_l08_nesting_beyond_the_limit_is_refused() {
        let deep = "<a>".repeat(XML_DEPTH_MAX + 1);
        assert_eq!(rows(&deep, &element("item", &[], false)), NotADocument::TooDeep.to_string());
        let deep = format!("<r>{}{}", "<p>".repeat(100), "</p>".repeat(100));
        assert_eq!(rows(&deep, &element("p", &[], true)), NotADocument::TooDeep.to_string());
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(
            text in "(<r>|<item( a='[<>]')?/?>|</item>|</r>|<!--|-->|<!\\[CDATA\\[|\\]\\]>|<\\?|\\?>|<!D|[ a<>&'\"]|\\PC){0,40}",
            nests: bool,
        ) {
            let _ = rows(&format!("<r>{text}"), &element("item", &[], nests));
        }
    }
}
