//! The records of delimited text of any size, one after another.
//!
//! RFC 4180 as it is really written: CR, LF or both end a record, a quoted cell may hold line
//! breaks and doubled quotes, a quote inside an unquoted cell is a character. A quote that is
//! never closed costs the line that it stands in, not the rest of the file.

use std::borrow::Cow;
use std::io::Read;

use crate::extract::NotADocument;
use crate::extract::catalog::stream::unreadable;

/// Longest record, in bytes; a longer one is broken.
pub const RECORD_BYTES_MAX: usize = 1 << 20;
/// Most cells of a record; a record with more is broken.
const CELLS_MAX: usize = 10_000;
/// How much is read at once, in bytes; less where single records are wanted.
const BLOCK_BYTES: usize = 256 << 10;
const PICK_BYTES: usize = 8 << 10;

/// What comes next in the text.
#[derive(Debug)]
pub(super) enum Next<'a> {
    Record {
        place: u64,
        fields: Fields<'a>,
        /// It stands on one line.
        is_single: bool,
    },
    /// One line that belongs to no record that could be read.
    Broken,
    /// `is_whole` unless a quoted cell was open.
    End { is_whole: bool },
}

pub(super) struct Records<R> {
    source: R,
    delimiter: u8,
    buffer: Vec<u8>,
    /// Where the next record begins in the buffer, and the place of the buffer's first byte.
    at: usize,
    base: u64,
    /// Where the last record began, relative to the buffer.
    last: usize,
    ended: bool,
    was_cut: bool,
    block: usize,
    cells: Vec<Cell>,
}

/// A cell within its record.
#[derive(Clone, Copy, Debug)]
struct Cell {
    start: usize,
    end: usize,
    /// Between quotes, which are not counted in.
    is_quoted: bool,
    /// Holds doubled quotes, or goes on behind its closing quote.
    is_odd: bool,
}

/// Where a record ends, as far as the buffer shows.
enum Found {
    /// The bytes of the record, and those with what ends it.
    End {
        length: usize,
        behind: usize,
    },
    More,
    /// A quoted cell is open at the end of the text.
    Open,
    /// There are too many cells.
    TooMany,
}

impl<R: Read> Records<R> {
    /// Reads from where `source` stands, which is at `place`.
    pub(super) fn new(source: R, delimiter: u8, place: u64) -> Self {
        Self {
            source,
            delimiter,
            buffer: vec![],
            at: 0,
            base: place,
            last: 0,
            ended: false,
            was_cut: false,
            block: BLOCK_BYTES,
            cells: vec![],
        }
    }

    /// The same for one record.
    pub(super) fn for_one(source: R, delimiter: u8, place: u64) -> Self {
        Self { block: PICK_BYTES, ..Self::new(source, delimiter, place) }
    }

    /// The next record; empty lines are passed over.
    ///
    /// # Errors
    /// [`NotADocument::Unreadable`].
    pub(super) fn next(&mut self) -> Result<Next<'_>, NotADocument> {
        loop {
            let rest = self.buffer.get(self.at..).unwrap_or_default();
            let blank = rest.iter().position(|b| !matches!(b, b'\r' | b'\n')).unwrap_or(rest.len());
            self.at += blank;
            if self.at < self.buffer.len() {
                break;
            }
            if self.ended {
                return Ok(Next::End { is_whole: !self.was_cut });
            }
            self.fill()?;
        }
        loop {
            let rest = self.buffer.get(self.at..).unwrap_or_default();
            let is_too_long = rest.len() >= RECORD_BYTES_MAX;
            let rest = rest.get(..rest.len().min(RECORD_BYTES_MAX)).unwrap_or_default();
            match split(rest, self.delimiter, self.ended && !is_too_long, &mut self.cells) {
                Found::End { length, behind } => {
                    let start = self.at;
                    self.last = start;
                    self.at += behind;
                    let text = self.buffer.get(start..start + length).unwrap_or_default();
                    let is_single = memchr::memchr2(b'\n', b'\r', text).is_none();
                    return Ok(Next::Record {
                        place: self.base + wide(start),
                        fields: Fields { text, cells: self.cells.iter() },
                        is_single,
                    });
                }
                Found::More if !is_too_long => self.fill()?,
                found => {
                    self.was_cut |= matches!(found, Found::Open);
                    self.last = self.at;
                    self.resume_behind_first_line()?;
                    return Ok(Next::Broken);
                }
            }
        }
    }

    /// Goes on with the line behind the first one of the last record.
    ///
    /// # Errors
    /// [`NotADocument::Unreadable`].
    pub(super) fn resume_behind_first_line(&mut self) -> Result<(), NotADocument> {
        self.at = self.last;
        loop {
            let rest = self.buffer.get(self.at..).unwrap_or_default();
            if let Some(end) = memchr::memchr2(b'\n', b'\r', rest) {
                self.at += end + 1;
                return Ok(());
            }
            self.at = self.buffer.len();
            if self.ended {
                return Ok(());
            }
            self.fill()?;
        }
    }

    /// Reads on, and forgets what has been given out.
    fn fill(&mut self) -> Result<(), NotADocument> {
        self.buffer.drain(..self.at.min(self.buffer.len()));
        self.base += wide(self.at);
        self.at = 0;
        self.last = 0;
        let known = self.buffer.len();
        let limit = wide(self.block);
        (&mut self.source).take(limit).read_to_end(&mut self.buffer).map_err(unreadable)?;
        self.ended = self.buffer.len() < known + self.block;
        // A record that is longer than one block is likely to be longer than two.
        self.block = self.block.max(BLOCK_BYTES.min(self.buffer.len()));
        Ok(())
    }
}

/// Splits the record at the beginning of `rest` into its cells.
fn split(rest: &[u8], delimiter: u8, is_last: bool, cells: &mut Vec<Cell>) -> Found {
    cells.clear();
    let mut at = 0;
    loop {
        if cells.len() >= CELLS_MAX {
            return Found::TooMany;
        }
        let mut cell = Cell { start: at, end: at, is_quoted: false, is_odd: false };
        let mut from = at;
        if rest.get(at) == Some(&b'"') {
            (cell.is_quoted, cell.start) = (true, at + 1);
            from = at + 1;
            loop {
                let tail = rest.get(from..).unwrap_or_default();
                let Some(quote) = memchr::memchr(b'"', tail) else {
                    return if is_last { Found::Open } else { Found::More };
                };
                from += quote + 1;
                match rest.get(from) {
                    Some(b'"') => {
                        cell.is_odd = true;
                        from += 1;
                    }
                    None if !is_last => return Found::More,
                    _ => break,
                }
            }
            cell.end = from - 1;
        }
        let tail = rest.get(from..).unwrap_or_default();
        let end = match memchr::memchr3(delimiter, b'\n', b'\r', tail) {
            Some(end) => from + end,
            None if is_last => rest.len(),
            None => return Found::More,
        };
        if !cell.is_quoted {
            cell.end = end;
        } else if end > from && !rest.get(from..end).unwrap_or_default().trim_ascii().is_empty() {
            // Text behind the closing quote: `"5" pipe`.
            (cell.start, cell.end, cell.is_odd) = (cell.start - 1, end, true);
            cell.is_quoted = false;
        }
        cells.push(cell);
        match rest.get(end) {
            Some(b) if *b == delimiter => at = end + 1,
            Some(b'\r') if rest.get(end + 1) == Some(&b'\n') => {
                return Found::End { length: end, behind: end + 2 };
            }
            Some(_) => return Found::End { length: end, behind: end + 1 },
            None => return Found::End { length: end, behind: end },
        }
    }
}

/// The cells of a record as texts, in order, trimmed.
#[derive(Clone, Debug)]
pub(super) struct Fields<'a> {
    text: &'a [u8],
    cells: std::slice::Iter<'a, Cell>,
}

impl<'a> Fields<'a> {
    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    /// How many there are up to the last that is not empty.
    pub(super) fn count_filled(&self) -> usize {
        let is_filled = |cell: &Cell| {
            !self.text.get(cell.start..cell.end).unwrap_or_default().trim_ascii().is_empty()
        };
        self.cells.as_slice().iter().rposition(is_filled).map_or(0, |last| last + 1)
    }

    pub(super) fn is_blank(&self) -> bool {
        self.count_filled() == 0
    }

    pub(super) fn begins_with(&self, sign: char) -> bool {
        self.clone().next().is_some_and(|text| text.starts_with(sign))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Cow<'a, str>> {
        let cell = self.cells.next()?;
        let bytes = self.text.get(cell.start..cell.end)?;
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text.trim()),
            Err(_) => Cow::Owned(String::from_utf8_lossy(bytes).trim().to_owned()),
        };
        if !cell.is_odd {
            return Some(text);
        }
        // `"a ""b"" c"`, or `"5" pipe`, whose first pair of quotes goes.
        let text = if cell.is_quoted {
            text.replace("\"\"", "\"")
        } else {
            let inner = text.strip_prefix('"').unwrap_or(&text);
            inner.replacen('"', "", 1)
        };
        Some(Cow::Owned(text))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.cells.size_hint()
    }
}

fn wide(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let mut source = text.as_bytes();
        let mut records = Records::new(&mut source, b',', 0);
        let mut out = Vec::new();
        loop {
            match records.next().unwrap() {
                Next::Record { place, fields, .. } => {
                    let cells: Vec<_> = fields.collect();
                    let from = usize::try_from(place).unwrap();
                    let mut again = Records::for_one(&text.as_bytes()[from..], b',', place);
                    let Next::Record { fields, .. } = again.next().unwrap() else { panic!() };
                    assert_eq!(fields.collect::<Vec<_>>(), cells);
                    out.push(cells.join("|"));
                }
                Next::Broken => out.push("broken".into()),
                Next::End { is_whole } => {
                    out.push(if is_whole { "whole".into() } else { "cut".into() });
                    return out.join(" / ");
                }
            }
        }
    }

    #[test]
    fn records_are_read_however_they_are_written() {
        for (text, expected) in [
            ("a,b\n1,2\n", "a|b / 1|2 / whole"),
            ("a,b\r\n1,2", "a|b / 1|2 / whole"),
            ("a,b\r1,2\r", "a|b / 1|2 / whole"),
            ("a,b\n\n\r\n1,\n", "a|b / 1| / whole"),
            ("\"a,\nb\",\"c \"\"d\"\"\"\n", "a,\nb|c \"d\" / whole"),
            ("5\" pipe,\"5\" pipe\n", "5\" pipe|5 pipe / whole"),
            (" a , \"b\" \n", "a|\"b\" / whole"),
            ("\"a\" ,b\n", "a|b / whole"),
            ("a,\"\",c", "a||c / whole"),
            ("", "whole"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn an_open_quote_costs_its_line() {
        assert_eq!(shown("a,b\n1,\"x\n2,y\n"), "a|b / broken / 2|y / cut");
    }

    #[test]
    fn a_record_beyond_the_limit_is_broken() {
        let long = "x".repeat(RECORD_BYTES_MAX);
        assert_eq!(shown(&format!("a,\"{long}\"\n1,2\n")), "broken / 1|2 / whole");
        assert_eq!(shown(&format!("{}\n1\n", ",".repeat(CELLS_MAX))), "broken / 1 / whole");
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "([a,\"\n\r]|\\PC){0,40}") {
            let _ = shown(&text);
        }
    }
}
