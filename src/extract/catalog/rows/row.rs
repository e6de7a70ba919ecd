//! Where a row ends.

use memchr::memmem::{self, Finder};

use crate::extract::catalog::rows::{ROW_BYTES_MAX, Rows, wide};
use crate::extract::{NotADocument, XML_DEPTH_MAX};

/// What is known of the ends of one kind of section, as places of the document: so none is looked
/// for twice.
#[derive(Clone, Copy, Default)]
pub(super) struct Ends {
    /// Up to here none was found.
    none_until: u64,
    /// Where the one that was found last begins, and from where on it is the first.
    found: u64,
    found_from: u64,
}

pub(super) struct RowTags {
    pub name: Vec<u8>,
    start: Finder<'static>,
    end: Finder<'static>,
}

impl RowTags {
    pub fn new(name: &[u8]) -> Self {
        Self {
            name: name.to_vec(),
            start: Finder::new(&[b"<", name].concat()).into_owned(),
            end: Finder::new(&[b"</", name].concat()).into_owned(),
        }
    }
}

impl Rows<'_, '_> {
    /// Finds the end of the row that begins here and whose start tag takes `start` bytes.
    ///
    /// From left to right, whatever comes first of three: a comment or CDATA is passed over; an
    /// end tag of the row's name closes one; a start tag of that name opens one inside, or shows
    /// that the row has no end.
    pub(super) fn row(&mut self, start: usize) -> Result<Cut, NotADocument> {
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
pub(super) enum Cut {
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
