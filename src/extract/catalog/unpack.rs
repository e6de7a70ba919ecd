//! Packed documents to plain ones: gzip files and zip archives, by their first bytes.
//!
//! Promises that nothing is written beyond the caller's limit, nor more than [`RATIO_MAX`] times
//! what was read so far: a bomb is known at its beginning. Refuses archives with a password, and
//! those in which no document is.

use std::cell::Cell;
use std::io::{self, BufRead, Read, Seek, SeekFrom, Write};
use std::rc::Rc;

use flate2::bufread::GzDecoder;
use zip::ZipArchive;
use zip::read::ZipFile;

use crate::extract::NotADocument;
use crate::extract::text::{RATIO_FREE_BYTES, RATIO_MAX};

/// Most files of an archive that are looked at for a document.
const FILES_MAX: usize = 1_000;
/// Endings of documents, the likeliest first.
const ENDINGS: [&str; 6] = ["xml", "csv", "tsv", "txt", "json", "yml"];
/// How a gzip file begins, and each of its members.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// How much is unpacked at once, in bytes.
const BLOCK_BYTES: usize = 64 << 10;

/// How a document was packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    None,
    Gzip,
    Zip,
}

/// How the bytes of a document are packed, by the first of them.
pub fn packing(head: &[u8]) -> Packing {
    if head.starts_with(&GZIP) {
        Packing::Gzip
    } else if head.starts_with(b"PK\x03\x04") {
        Packing::Zip
    } else {
        Packing::None
    }
}

/// Writes the plain document to `out`, from the beginning of `packed`; how it was packed, and how
/// many bytes were written.
///
/// Of an archive the only file is taken, else the first whose name ends like a document's.
///
/// # Errors
/// [`NotADocument::Unfit`] beyond `bytes_max` bytes or [`RATIO_MAX`], and for an archive that has
/// no document; [`NotADocument::Gzip`] and [`NotADocument::Unfit`] for damage;
/// [`NotADocument::Unreadable`] when reading or writing fails.
pub fn plain<R: Read + Seek>(
    mut packed: R,
    out: &mut dyn Write,
    bytes_max: u64,
) -> Result<(Packing, u64), NotADocument> {
    let unreadable = |error: io::Error| NotADocument::Unreadable(error.to_string());
    packed.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    let mut head = Vec::new();
    (&mut packed).take(4).read_to_end(&mut head).map_err(unreadable)?;
    packed.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    let read = Rc::new(Cell::new(0));
    let counted = Counted { inner: packed, read: Rc::clone(&read) };
    let limit = Limit { bytes_max, read };
    match packing(&head) {
        Packing::None => {
            let mut counted = counted;
            Ok((Packing::None, copy(&mut counted, out, &limit, &unreadable)?))
        }
        Packing::Gzip => {
            let mut source = Members { member: Some(GzDecoder::new(io::BufReader::new(counted))) };
            let damage = |error: io::Error| NotADocument::Gzip(error.to_string());
            Ok((Packing::Gzip, copy(&mut source, out, &limit, &damage)?))
        }
        Packing::Zip => {
            let damaged = |error: &dyn std::fmt::Display| {
                NotADocument::Unfit(format!("the zip file is damaged: {error}"))
            };
            let mut archive =
                ZipArchive::new(io::BufReader::new(counted)).map_err(|e| damaged(&e))?;
            let number = document_in(&mut archive)?;
            let mut file = archive.by_index(number).map_err(|e| damaged(&e))?;
            // The list of files and their heads are nothing that unpacks.
            limit.read.set(0);
            let damage = |error: io::Error| damaged(&error);
            Ok((Packing::Zip, copy(&mut file, out, &limit, &damage)?))
        }
    }
}

/// Counts what is read of a packed document.
struct Counted<R> {
    inner: R,
    read: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let more = u64::try_from(count).unwrap_or(u64::MAX);
        self.read.set(self.read.get().saturating_add(more));
        Ok(count)
    }
}

impl<R: Seek> Seek for Counted<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

/// The members of a gzip file as one document. What stands behind the last one is padding, which is
/// common and harmless.
struct Members<R> {
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let count = member.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            let Some(mut rest) = self.member.take().map(GzDecoder::into_inner) else { break };
            let head = rest.fill_buf()?;
            if head.starts_with(&GZIP) || *head == GZIP[..1] {
                self.member = Some(GzDecoder::new(rest));
            }
        }
        Ok(0)
    }
}

/// How much may be written.
struct Limit {
    bytes_max: u64,
    /// Bytes of the packed document that were read so far, read ahead by one buffer.
    read: Rc<Cell<u64>>,
}

impl Limit {
    fn is_passed_by(&self, written: u64) -> bool {
        let free = u64::try_from(RATIO_FREE_BYTES).unwrap_or(u64::MAX);
        let ratio = u64::try_from(RATIO_MAX).unwrap_or(u64::MAX);
        written > self.bytes_max || written > self.read.get().saturating_mul(ratio).max(free)
    }
}

/// The number of the file that is the document.
fn document_in<R: Read + Seek>(archive: &mut ZipArchive<R>) -> Result<usize, NotADocument> {
    let mut best = None;
    let (mut files, mut only, mut has_secret) = (0, None, false);
    for number in 0..archive.len().min(FILES_MAX) {
        let Ok(file) = archive.by_index_raw(number) else { continue };
        let Some(name) = name_of(&file) else { continue };
        if file.encrypted() {
            has_secret = true;
            continue;
        }
        files += 1;
        only = Some(number);
        let ending = name.rsplit('.').next().unwrap_or_default();
        let is_document = ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known));
        if is_document && best.is_none() {
            best = Some(number);
        }
    }
    match (best, only) {
        (_, Some(only)) if files == 1 => Ok(only),
        (Some(number), _) => Ok(number),
        _ if has_secret => Err(NotADocument::Unfit("the zip file is locked by a password".into())),
        _ => Err(NotADocument::Unfit(format!(
            "no file of the zip file ends in {}",
            ENDINGS.map(|ending| format!("`.{ending}`")).join(", "),
        ))),
    }
}

/// The name of a file that can be a document: no folder, and nothing that a desktop has put there.
fn name_of<R: Read>(file: &ZipFile<'_, R>) -> Option<String> {
    let name = file.name().ok()?.into_owned();
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_hidden = last.starts_with('.') || name.starts_with("__MACOSX/");
    (file.is_file() && !is_hidden).then_some(name)
}

fn copy(
    source: &mut dyn Read,
    out: &mut dyn Write,
    limit: &Limit,
    damage: &dyn Fn(io::Error) -> NotADocument,
) -> Result<u64, NotADocument> {
    let mut block = vec![0; BLOCK_BYTES];
    let mut written = 0u64;
    let mut last = None;
    loop {
        let count = match source.read(&mut block) {
            Ok(0) => return Ok(written),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            // Only the end of the packed file is missing, and the document is there.
            Err(error)
                if error.kind() == io::ErrorKind::UnexpectedEof
                    && matches!(last, Some(b'>' | b'}' | b']' | b'\n')) =>
            {
                return Ok(written);
            }
            Err(error) => return Err(damage(error)),
        };
        let bytes = block.get(..count).unwrap_or_default();
        written = written.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        if limit.is_passed_by(written) {
            let line = format!(
                "the document unpacks to more than {} MiB or far beyond its size",
                limit.bytes_max.div_ceil(1 << 20),
            );
            return Err(NotADocument::Unfit(line));
        }
        out.write_all(bytes).map_err(|error| NotADocument::Unreadable(error.to_string()))?;
        last = bytes.trim_ascii_end().last().copied().or(last);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use zip::write::SimpleFileOptions;

    use super::*;

    const MAX: u64 = 64 << 20;

    fn unpacked(bytes: &[u8], bytes_max: u64) -> Result<(Packing, String), String> {
        let mut out = Vec::new();
        match plain(Cursor::new(bytes), &mut out, bytes_max) {
            Ok((packing, written)) => {
                assert_eq!(written, u64::try_from(out.len()).unwrap());
                Ok((packing, String::from_utf8(out).unwrap()))
            }
            Err(refusal) => Err(refusal.to_string()),
        }
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files {
            archive.start_file(*name, SimpleFileOptions::default()).unwrap();
            archive.write_all(bytes).unwrap();
        }
        archive.finish().unwrap().into_inner()
    }

    #[test]
    fn a_document_comes_out_however_it_is_packed() {
        let text = "<rss/>".to_owned();
        assert_eq!(unpacked(text.as_bytes(), MAX), Ok((Packing::None, text.clone())));
        assert_eq!(unpacked(&gzip(text.as_bytes()), MAX), Ok((Packing::Gzip, text.clone())));
        let only = zip_of(&[("feed", text.as_bytes())]);
        assert_eq!(unpacked(&only, MAX), Ok((Packing::Zip, text.clone())));
        let padded = [gzip(text.as_bytes()), vec![0; 512]].concat();
        assert_eq!(unpacked(&padded, MAX), Ok((Packing::Gzip, text.clone())));
        let members = [gzip(b"<rss>"), gzip(b""), gzip(b"</rss>")].concat();
        assert_eq!(unpacked(&members, MAX), Ok((Packing::Gzip, "<rss></rss>".to_owned())));
        let several = zip_of(&[
            ("__MACOSX/._feed.xml", b"x"),
            ("readme.md", b"x"),
            ("out/feed.XML", text.as_bytes()),
            ("b.csv", b"x"),
        ]);
        assert_eq!(unpacked(&several, MAX), Ok((Packing::Zip, text)));
    }

    #[test]
    fn only_a_missing_end_of_the_file_is_let_pass() {
        let mut packed = gzip(b"<rss>some text</rss>");
        let text = "<rss>some text</rss>".to_owned();
        let cut = &packed[..packed.len() - 4];
        assert_eq!(unpacked(cut, MAX), Ok((Packing::Gzip, text)));
        let checksum = packed.len() - 6;
        packed[checksum] ^= 1;
        let damaged = unpacked(&packed, MAX).unwrap_err();
        assert!(damaged.starts_with("the gzip file is damaged"), "{damaged}");
    }

    #[test]
    fn what_cannot_be_unpacked_is_refused_in_one_line() {
        let packed = gzip(b"<rss>some text</rss>");
        let cut = unpacked(&packed[..packed.len() / 2], MAX).unwrap_err();
        assert!(cut.starts_with("the gzip file is damaged"), "{cut}");
        let cut = unpacked(&zip_of(&[("a.xml", b"<rss/>")])[..20], MAX).unwrap_err();
        assert!(cut.starts_with("the zip file is damaged"), "{cut}");
        let none = unpacked(&zip_of(&[("a.md", b"x"), ("b.md", b"x")]), MAX).unwrap_err();
        assert!(none.starts_with("no file of the zip file ends in `.xml`"), "{none}");
    }

    #[test]
    fn sec_l02_bombs_are_refused_by_ratio_and_by_size() {
        let zeros = vec![b' '; RATIO_FREE_BYTES * 8];
        for packed in [gzip(&zeros), zip_of(&[("a.xml", &zeros)])] {
            let refusal = unpacked(&packed, MAX).unwrap_err();
            assert!(refusal.starts_with("the document unpacks to more than"), "{refusal}");
        }
        assert!(unpacked(&zeros, 1 << 20).is_err());
    }

    #[test]
    fn sec_l02_a_bomb_is_known_before_what_stands_behind_it() {
        let zeros = vec![b' '; RATIO_FREE_BYTES * 8];
        let mut state = 7_u32;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        })
        .take(zeros.len() / RATIO_MAX + 1)
        .collect();
        let members = [gzip(&zeros), gzip(&noise)].concat();
        let files = zip_of(&[("a.xml", &[zeros.as_slice(), &noise].concat())]);
        for packed in [members, files] {
            let mut out = Vec::new();
            let refusal = plain(Cursor::new(packed), &mut out, MAX).unwrap_err().to_string();
            assert!(refusal.starts_with("the document unpacks to more than"), "{refusal}");
            assert!(out.len() < 4 * RATIO_FREE_BYTES, "{}", out.len());
        }
        let other = [gzip(&noise), gzip(&zeros)].concat();
        let mut out = Vec::new();
        assert!(plain(Cursor::new(other), &mut out, MAX).is_ok(), "as a whole it is none");
    }
}
