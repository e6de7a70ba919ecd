//! What stands around rows: tags, comments and declarations are passed over, and it is remembered
//! which elements are open.

use memchr::memmem;

use crate::extract::catalog::rows::row::RowTags;
use crate::extract::catalog::rows::tag::{local, name_of, tag_end};
use crate::extract::catalog::rows::{Rows, wide};
use crate::extract::{NotADocument, XML_DEPTH_MAX, tokens};

/// Longest tag outside of rows, in bytes.
const TAG_BYTES_MAX: usize = 64 << 10;
/// Most categories that are remembered, and the longest name of one in bytes.
const CATEGORIES_MAX: usize = 50_000;
const CATEGORY_BYTES_MAX: usize = 300;

impl Rows<'_, '_> {
    /// Passes over what begins here with `head` bytes and ends with `end`. If the document has no
    /// such end, this beginning and all others like it are text.
    pub(super) fn pass(
        &mut self,
        head: usize,
        end: &[u8],
        kind: usize,
    ) -> Result<(), NotADocument> {
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

    pub(super) fn pass_document_type(&mut self) -> Result<(), NotADocument> {
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
    pub(super) fn close(&mut self) -> Result<(), NotADocument> {
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
    pub(super) fn open_tag(&mut self) -> Result<Option<usize>, NotADocument> {
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

    pub(super) fn push_open(&mut self, name: Vec<u8>) -> Result<(), NotADocument> {
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
}
