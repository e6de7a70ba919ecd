//! The rows of an XML catalog of any size, cut out of a stream one after another.
//!
//! Outside of rows every tag is looked at, so that a row is found only where it may stand, and
//! not in a comment. Inside, only the row's own end is looked for, with comments and CDATA passed
//! over: what the row holds is for whoever reads it. So one broken row costs one row. Memory is
//! bounded by [`ROW_BYTES_MAX`], time by the length of the document.

mod around;

mod row;

mod tag;

use std::io::Read;

use memchr::memmem;

use crate::extract::NotADocument;
use crate::extract::catalog::rows::row::{Cut, Ends, RowTags};
use crate::extract::catalog::rows::tag::is_name_start;
use crate::extract::catalog::stream::{Stream, unreadable};

/// Longest row, in bytes; a longer one is lost.
pub const ROW_BYTES_MAX: usize = 1 << 20;
/// How much is read at once, in bytes.
const BLOCK_BYTES: usize = 256 << 10;
/// How much is read at once where single rows are wanted, in bytes.
const PICK_BYTES: usize = 16 << 10;

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
}

fn wide(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
