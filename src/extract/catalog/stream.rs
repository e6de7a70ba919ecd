//! A document of any size and encoding as a stream of UTF-8.
//!
//! The encoding is settled by [`text::decode`]: over the whole of a small document, over the head
//! of a large one. UTF-8, which nearly all are in, passes as it is, faults included, so that a
//! place in the stream is a place in the document. Anything else is transcoded on the way, and a
//! place is one in the transcoded text.

use std::borrow::Cow;
use std::io::{self, Read, SeekFrom};

use encoding_rs::{Decoder, Encoding, UTF_8};

use crate::extract::NotADocument;
use crate::extract::catalog::{Options, Text};
use crate::extract::text::{self, DECODED_BYTES_MAX};

/// A document up to this size is decoded as a whole, in bytes.
const WHOLE_BYTES_MAX: usize = 1 << 20;
/// How much of a larger one is looked at before it is read, in bytes.
const HEAD_BYTES: usize = 64 << 10;
/// How much is read and transcoded at once, in bytes.
const BLOCK_BYTES: usize = 64 << 10;

pub(super) struct Stream<'d> {
    document: &'d mut dyn Text,
    /// The beginning of the text, at most [`HEAD_BYTES`] of the document.
    head: String,
    encoding: &'static str,
    form: Form,
}

enum Form {
    /// The document is UTF-8: read as it is, behind a mark of so many bytes.
    Plain {
        mark: u64,
    },
    Coded(Box<Coded>),
    /// The whole text, and how much of it has been read.
    Held {
        text: Vec<u8>,
        read: usize,
    },
}

/// A document that is transcoded block by block.
struct Coded {
    encoding: &'static Encoding,
    decoder: Decoder,
    /// Bytes of the document, of which `used` have been decoded.
    source: Vec<u8>,
    used: usize,
    /// Decoded text, of which `read` bytes have been read.
    ready: Vec<u8>,
    read: usize,
    /// How much has been read in all.
    given: u64,
    ended: bool,
}

impl<'d> Stream<'d> {
    /// Settles the encoding and stands at the beginning of the text.
    ///
    /// # Errors
    /// [`NotADocument`] when the document cannot be read or is empty.
    pub(super) fn open(
        document: &'d mut dyn Text,
        options: &Options<'_>,
    ) -> Result<Self, NotADocument> {
        let mut start = Vec::new();
        document.seek(SeekFrom::Start(0)).map_err(unreadable)?;
        let limit = u64::try_from(WHOLE_BYTES_MAX + 1).unwrap_or(u64::MAX);
        (&mut *document).take(limit).read_to_end(&mut start).map_err(unreadable)?;
        let is_whole = start.len() <= WHOLE_BYTES_MAX;
        if start.trim_ascii().is_empty() && is_whole {
            return Err(NotADocument::Empty);
        }
        if !is_whole {
            start.truncate(HEAD_BYTES);
        }
        // The last character of a head may be cut through; text without any is no UTF-8.
        let cut = match std::str::from_utf8(&start) {
            Err(fault) if !is_whole && fault.error_len().is_none() => fault.valid_up_to(),
            _ => start.len(),
        };
        let bytes = start.get(..cut).unwrap_or_default();
        let host = options.base.host_str();
        let found = text::decode(bytes, options.content_type, host);
        let mark = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        let is_plain = found.encoding == UTF_8.name()
            && (!is_whole || bytes.get(mark..).is_some_and(|rest| rest == found.text.as_bytes()));
        let mut encoding = found.encoding;
        let (head, form) = if is_plain {
            (found.text.into_owned(), Form::Plain { mark: u64::try_from(mark).unwrap_or(0) })
        } else if is_whole {
            let text = found.text.into_owned();
            let head = text.get(..text.floor_char_boundary(HEAD_BYTES)).unwrap_or_default();
            (head.to_owned(), Form::Held { text: text.into_bytes(), read: 0 })
        } else if let Some(coded) = Coded::new(encoding) {
            (found.text.into_owned(), Form::Coded(Box::new(coded)))
        } else {
            let text = held(document, options)?;
            (found.text.into_owned(), Form::Held { text: text.into_bytes(), read: 0 })
        };
        // A head in ASCII proves nothing against what is declared.
        let mut form = form;
        if !is_whole && is_plain && head.is_ascii() {
            let declared = text::declared(bytes, options.content_type).filter(|e| *e != UTF_8);
            if let Some(declared) = declared
                && let Some(sample) = first_beyond_ascii(document)?
                && std::str::from_utf8(&sample).is_err_and(|fault| fault.error_len().is_some())
                && let Some(coded) = Coded::new(declared.name())
            {
                encoding = declared.name();
                form = Form::Coded(Box::new(coded));
            }
        }
        let mut head = head;
        head.truncate(head.floor_char_boundary(HEAD_BYTES));
        let mut stream = Self { document, head, encoding, form };
        stream.seek(stream.start()).map_err(unreadable)?;
        Ok(stream)
    }

    /// The beginning of the text; the whole of a short one.
    pub(super) fn head(&self) -> &str {
        &self.head
    }

    /// The whole text, from its beginning; faults in it become U+FFFD.
    ///
    /// # Errors
    /// [`NotADocument::Bomb`] beyond `bytes_max`.
    #[expect(dead_code, reason = "formats that are read as a whole are added beside")]
    pub(super) fn whole(&mut self, bytes_max: usize) -> Result<String, NotADocument> {
        self.seek(self.start()).map_err(unreadable)?;
        let mut bytes = Vec::new();
        let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
        self.take(limit).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() > bytes_max {
            return Err(NotADocument::Bomb);
        }
        Ok(match String::from_utf8_lossy(&bytes) {
            Cow::Owned(mended) => mended,
            Cow::Borrowed(_) => String::from_utf8(bytes).unwrap_or_default(),
        })
    }

    /// Name of the encoding the bytes are read in.
    pub(super) fn encoding(&self) -> &'static str {
        self.encoding
    }

    /// The place of the first byte.
    pub(super) fn start(&self) -> u64 {
        match self.form {
            Form::Plain { mark } => mark,
            _ => 0,
        }
    }

    /// Goes to a place; for one further back a transcoded document is read from its beginning.
    pub(super) fn seek(&mut self, place: u64) -> io::Result<()> {
        match &mut self.form {
            Form::Plain { .. } => self.document.seek(SeekFrom::Start(place)).map(|_| ()),
            Form::Held { text, read } => {
                *read = usize::try_from(place).unwrap_or(usize::MAX).min(text.len());
                Ok(())
            }
            Form::Coded(coded) => {
                if place < coded.given || coded.given == 0 {
                    self.document.seek(SeekFrom::Start(0))?;
                    coded.restart();
                }
                let ahead = place - coded.given;
                let skipped = io::copy(&mut (&mut *self).take(ahead), &mut io::sink())?;
                if skipped < ahead { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
            }
        }
    }
}

impl Read for Stream<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match &mut self.form {
            Form::Plain { .. } => self.document.read(out),
            Form::Held { text, read } => {
                let count = text.get(*read..).unwrap_or_default().read(out)?;
                *read += count;
                Ok(count)
            }
            Form::Coded(coded) => coded.read(self.document, out),
        }
    }
}

impl Coded {
    /// `None` for an encoding that comes in no stream: UTF-32.
    fn new(name: &str) -> Option<Self> {
        let encoding = Encoding::for_label(name.as_bytes())?;
        Some(Self {
            encoding,
            decoder: encoding.new_decoder_with_bom_removal(),
            source: vec![],
            used: 0,
            ready: vec![],
            read: 0,
            given: 0,
            ended: false,
        })
    }

    fn restart(&mut self) {
        self.decoder = self.encoding.new_decoder_with_bom_removal();
        self.source.clear();
        self.ready.clear();
        (self.used, self.read, self.given, self.ended) = (0, 0, 0, false);
    }

    fn read(&mut self, document: &mut dyn Text, out: &mut [u8]) -> io::Result<usize> {
        while self.read == self.ready.len() && !self.ended {
            self.decode_more(document)?;
        }
        let count = self.ready.get(self.read..).unwrap_or_default().read(out)?;
        self.read += count;
        self.given += u64::try_from(count).unwrap_or(u64::MAX);
        Ok(count)
    }

    fn decode_more(&mut self, document: &mut dyn Text) -> io::Result<()> {
        self.source.drain(..self.used);
        self.used = 0;
        let limit = u64::try_from(BLOCK_BYTES).unwrap_or(u64::MAX);
        let is_last = document.take(limit).read_to_end(&mut self.source)? < BLOCK_BYTES;
        let room = self.decoder.max_utf8_buffer_length(self.source.len());
        self.ready.clear();
        self.ready.resize(room.unwrap_or(BLOCK_BYTES * 4), 0);
        let (_, used, written, _) =
            self.decoder.decode_to_utf8(&self.source, &mut self.ready, is_last);
        self.ready.truncate(written);
        self.read = 0;
        self.used = used;
        self.ended = is_last;
        Ok(())
    }
}

/// The text of a document that cannot be transcoded in parts.
fn held(document: &mut dyn Text, options: &Options<'_>) -> Result<String, NotADocument> {
    document.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    let mut bytes = Vec::new();
    let limit = u64::try_from(DECODED_BYTES_MAX + 1).unwrap_or(u64::MAX);
    document.take(limit).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > DECODED_BYTES_MAX {
        return Err(NotADocument::Bomb);
    }
    let host = options.base.host_str();
    Ok(text::decode(&bytes, options.content_type, host).text.into_owned())
}

/// The first block that is not all ASCII, from its first other byte on.
fn first_beyond_ascii(document: &mut dyn Text) -> Result<Option<Vec<u8>>, NotADocument> {
    document.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    let limit = u64::try_from(BLOCK_BYTES).unwrap_or(u64::MAX);
    let mut block = Vec::with_capacity(BLOCK_BYTES);
    loop {
        block.clear();
        if document.take(limit).read_to_end(&mut block).map_err(unreadable)? == 0 {
            return Ok(None);
        }
        if let Some(at) = block.iter().position(|b| !b.is_ascii()) {
            block.drain(..at);
            return Ok(Some(block));
        }
    }
}

/// What went wrong with the document's bytes, for people.
#[expect(clippy::needless_pass_by_value, reason = "it stands where an error is mapped")]
pub(super) fn unreadable(error: io::Error) -> NotADocument {
    NotADocument::Unreadable(error.to_string())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use url::Url;

    use super::*;

    fn read(bytes: Vec<u8>, content_type: Option<&str>) -> (String, &'static str) {
        let base = Url::parse("https://e.com/").unwrap();
        let options = Options { content_type, ..Options::plain(&base) };
        let mut document = Cursor::new(bytes);
        let mut stream = Stream::open(&mut document, &options).unwrap();
        let mut text = Vec::new();
        stream.read_to_end(&mut text).unwrap();
        let text = String::from_utf8_lossy(&text).into_owned();
        // Every place leads back to where it was.
        let middle = text.floor_char_boundary(text.len() / 2);
        stream.seek(stream.start() + u64::try_from(middle).unwrap()).unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        assert_eq!(String::from_utf8_lossy(&rest), text[middle..]);
        (text, stream.encoding())
    }

    #[test]
    fn a_small_and_a_large_document_are_read_in_any_encoding() {
        for times in [1, 200_000] {
            let text = format!("<?xml?><a>{}</a>", "Привет — țară ".repeat(times));
            let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
            assert_eq!(read(text.clone().into_bytes(), None), (text.clone(), "UTF-8"));
            assert_eq!(read(marked, None), (text.clone(), "UTF-8"));
            assert_eq!(read(wide.clone(), None), (text.clone(), "UTF-16LE"));
            assert_eq!(read([b"\xff\xfe".to_vec(), wide].concat(), None), (text, "UTF-16LE"));
            let text = format!("<a>{}</a>", "Привет ".repeat(times));
            let (bytes, _, _) = encoding_rs::WINDOWS_1251.encode(&text);
            let header = Some("text/xml; charset=windows-1251");
            assert_eq!(read(bytes.into_owned(), header), (text, "windows-1251"));
        }
    }

    #[test]
    fn a_head_in_ascii_does_not_outweigh_what_is_declared() {
        let ascii = "<b>x</b>".repeat(200_000);
        let text = format!("<?xml version='1.0' encoding='windows-1251'?><a>{ascii}Привет</a>");
        let (bytes, _, _) = encoding_rs::WINDOWS_1251.encode(&text);
        assert_eq!(read(bytes.into_owned(), None), (text.clone(), "windows-1251"));
        assert_eq!(read(text.clone().into_bytes(), None), (text, "UTF-8"));
    }

    #[test]
    fn an_empty_document_is_refused() {
        let base = Url::parse("https://e.com/").unwrap();
        let mut document = Cursor::new(b" \n".to_vec());
        let refused = Stream::open(&mut document, &Options::plain(&base)).err();
        assert_eq!(refused, Some(NotADocument::Empty));
    }
}
