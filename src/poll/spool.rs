//! What a poll has fetched, out of the memory's way: a little in memory, more in a file.
//!
//! The file has no name: it is gone with the process that opened it, however that ends. Documents
//! stand in it one behind the other, and are read from anywhere without moving each other.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

/// Up to here a poll's documents stay in memory.
pub const MEMORY_BYTES_MAX: usize = 1024 * 1024;

/// Read ahead of whoever reads a few bytes at a time.
const BUFFER_BYTES: usize = 64 * 1024;

/// Bytes that are written once, at the end, and read from anywhere.
pub(crate) struct Spool {
    held: Held,
    bytes: u64,
    /// Over the document that is being written.
    sum: flate2::Crc,
    /// The sum is that of all of this document.
    is_summed: bool,
    /// Where the file is made.
    folder: Arc<Path>,
}

enum Held {
    Memory(Vec<u8>),
    File(File),
}

/// One document of a spool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    start: u64,
    pub bytes: u64,
    /// See [`hash`]; 0 while it is not known.
    pub hash: u64,
}

/// Whether a document of so many bytes can have that hash.
pub(crate) fn may_have(bytes: u64, hash: u64) -> bool {
    joined(bytes, 0) >> 32 == hash >> 32
}

/// Length and CRC-32; never 0, which stands for no document.
///
/// Whoever makes two documents meet here only hides a change of their own.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let mut sum = flate2::Crc::new();
    sum.update(bytes);
    joined(bytes.len() as u64, sum.sum())
}

fn joined(bytes: u64, sum: u32) -> u64 {
    ((bytes << 32) | u64::from(sum)).max(1)
}

impl Spool {
    /// An empty one; its file, if it comes to one, is made in `folder`.
    pub fn new(folder: Arc<Path>) -> Self {
        let held = Held::Memory(Vec::new());
        Self { held, bytes: 0, sum: flate2::Crc::new(), is_summed: true, folder }
    }

    /// What is in memory already, and stays there. Its sum is not known.
    pub fn of(bytes: Vec<u8>) -> Self {
        let (length, sum) = (bytes.len() as u64, flate2::Crc::new());
        let folder = Arc::from(Path::new(""));
        Self { held: Held::Memory(bytes), bytes: length, sum, is_summed: false, folder }
    }

    /// A file that somebody else has written, to be read only. Its sum is not known.
    pub fn over(file: File, bytes: u64, folder: Arc<Path>) -> Self {
        let held = Held::File(file);
        Self { held, bytes, sum: flate2::Crc::new(), is_summed: false, folder }
    }

    /// Bytes so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub fn is_in_memory(&self) -> bool {
        matches!(self.held, Held::Memory(_))
    }

    /// All that is in memory; `None` when it is in a file.
    pub fn into_memory(self) -> Option<Vec<u8>> {
        match self.held {
            Held::Memory(bytes) => Some(bytes),
            Held::File(_) => None,
        }
    }

    /// The document that was written since `start`; the next one begins here.
    pub fn end_document(&mut self, start: u64) -> Span {
        let bytes = self.bytes.saturating_sub(start);
        let sum = std::mem::replace(&mut self.sum, flate2::Crc::new());
        let hash = if self.is_summed { joined(bytes, sum.sum()) } else { 0 };
        // Whatever comes behind what was there is summed as it is written.
        self.is_summed = true;
        Span { start, bytes, hash }
    }

    /// The document with its hash, which is reckoned by reading it where it is not known.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn summed(&self, span: Span) -> io::Result<Span> {
        if span.hash != 0 {
            return Ok(span);
        }
        Ok(Span { hash: self.open_to_sum(span).into_inner().finish()?, ..span })
    }

    /// Reads a document and reckons its hash on the way.
    pub fn open_to_sum(&self, span: Span) -> BufReader<Summing<'_>> {
        let view = View { spool: self, span, at: 0 };
        let summing = Summing { view, sum: flate2::Crc::new(), summed_to: 0 };
        BufReader::with_capacity(BUFFER_BYTES, summing)
    }

    /// Whether so many more bytes would go to the file.
    pub fn goes_to_file(&self, more: usize) -> bool {
        match &self.held {
            Held::Memory(bytes) => bytes.len() + more > MEMORY_BYTES_MAX,
            Held::File(_) => true,
        }
    }

    /// Reads a document.
    pub fn open(&self, span: Span) -> BufReader<View<'_>> {
        BufReader::with_capacity(BUFFER_BYTES, View { spool: self, span, at: 0 })
    }

    /// The first bytes of a document, at most so many.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn head(&self, span: Span, bytes_max: u64) -> io::Result<Vec<u8>> {
        let mut head = Vec::new();
        View { spool: self, span, at: 0 }.take(bytes_max).read_to_end(&mut head)?;
        Ok(head)
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Held::Memory(held) = &self.held
            && held.len() + bytes.len() > MEMORY_BYTES_MAX
        {
            let mut file = tempfile::tempfile_in(&self.folder)?;
            file.write_all(held)?;
            self.held = Held::File(file);
        }
        let written = match &mut self.held {
            Held::Memory(held) => {
                held.extend_from_slice(bytes);
                bytes.len()
            }
            // At the end, whoever has read meanwhile: reading moves nothing.
            Held::File(file) => file.write(bytes)?,
        };
        self.sum.update(bytes.get(..written).unwrap_or_default());
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A document as it is read.
pub(crate) struct View<'a> {
    spool: &'a Spool,
    span: Span,
    at: u64,
}

impl Read for View<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.span.bytes.saturating_sub(self.at);
        let wanted = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let Some(buffer) = buffer.get_mut(..wanted) else { return Ok(0) };
        let start = self.span.start + self.at;
        let read = match &self.spool.held {
            Held::Memory(held) => {
                let start = usize::try_from(start).unwrap_or(usize::MAX);
                let mut rest = held.get(start..).unwrap_or_default();
                rest.read(buffer)?
            }
            Held::File(file) => file.read_at(buffer, start)?,
        };
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for View<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.span.bytes.checked_add_signed(by),
        };
        let before = || io::Error::new(io::ErrorKind::InvalidInput, "before the beginning");
        self.at = at.ok_or_else(before)?;
        Ok(self.at)
    }
}

/// A document whose hash is reckoned as it is read, in whatever order.
pub(crate) struct Summing<'a> {
    view: View<'a>,
    sum: flate2::Crc,
    /// The sum is that of the bytes before.
    summed_to: u64,
}

impl Summing<'_> {
    /// The hash; what was not read yet is read.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn finish(mut self) -> io::Result<u64> {
        self.view.at = self.summed_to;
        let mut buffer = vec![0; BUFFER_BYTES];
        while self.read(&mut buffer)? > 0 {}
        Ok(joined(self.view.span.bytes, self.sum.sum()))
    }
}

impl Read for Summing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let start = self.view.at;
        let read = self.view.read(buffer)?;
        // What comes right behind what was summed is new, whatever was read besides.
        let known = self.summed_to.checked_sub(start).and_then(|it| usize::try_from(it).ok());
        if let Some(news) = known.and_then(|known| buffer.get(known..read)) {
            self.sum.update(news);
            self.summed_to += news.len() as u64;
        }
        Ok(read)
    }
}

impl Seek for Summing<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.view.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_stand_behind_each_other_and_are_read_from_anywhere() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(Arc::from(folder.path()));
        let mut spans = Vec::new();
        let documents =
            [b"first".to_vec(), vec![b'x'; MEMORY_BYTES_MAX], b"third".to_vec(), Vec::new()];
        for document in &documents {
            let start = spool.bytes();
            spool.write_all(document).unwrap();
            spans.push(spool.end_document(start));
        }
        assert!(!spool.is_in_memory());
        for (document, span) in documents.iter().zip(&spans).rev() {
            let mut read = Vec::new();
            spool.open(*span).read_to_end(&mut read).unwrap();
            assert!(read == *document);
            assert_eq!(span.hash, hash(document));
        }
        let mut view = spool.open(spans[2]);
        view.seek(SeekFrom::End(-2)).unwrap();
        let mut rest = String::new();
        view.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "rd");
        assert_eq!(spool.head(spans[0], 3).unwrap(), b"fir");
        let left = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 0, "the file has no name");
    }

    #[test]
    fn a_document_is_summed_as_it_is_read_in_whatever_order() {
        let document: Vec<u8> = (0..400_000_u32).map(|n| n.to_le_bytes()[1]).collect();
        let mut spool = Spool::of(document.clone());
        let span = spool.end_document(0);
        assert_eq!(span.hash, 0, "not known");
        for seeks in [&[][..], &[0, 70_000, 10, 300_000, 69_000], &[399_999, 400_000, 0]] {
            let mut reader = spool.open_to_sum(span);
            for to in seeks {
                reader.seek(SeekFrom::Start(*to)).unwrap();
                reader.read_exact(&mut [0; 1]).ok();
            }
            assert_eq!(reader.into_inner().finish().unwrap(), hash(&document), "{seeks:?}");
        }
        assert_eq!(spool.summed(span).unwrap().hash, hash(&document));
        assert!(may_have(span.bytes, hash(&document)) && !may_have(1, hash(&document)));
    }

    #[test]
    fn what_is_small_stays_in_memory() {
        let mut spool = Spool::new(Arc::from(Path::new("/nowhere")));
        spool.write_all(&vec![7; MEMORY_BYTES_MAX]).unwrap();
        assert!(spool.is_in_memory() && spool.goes_to_file(1));
        assert!(spool.write_all(b"x").is_err(), "there is no such folder");
    }
}
