//! From the bytes on the wire to the bytes of the document.
//!
//! A packed document stays packed until it is about to be read: unpacking is work for the blocking
//! pool, and only as many unpacked documents are in memory as are read at the same time. Before a
//! single byte is unpacked it is known how many there may be, since the whole wire size is known.

use std::io::{Read, Write};

use brotli_decompressor::Decompressor;
use flate2::read::MultiGzDecoder;

use crate::poll::fault::Fault;

/// Largest unpacked document, in bytes, unless set otherwise.
pub const DECODED_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Up to here a document may unpack to any multiple of its size.
pub const RATIO_FREE_BYTES: u64 = 1024 * 1024;

/// Largest multiple of the wire size beyond [`RATIO_FREE_BYTES`].
pub const RATIO_MAX: u64 = 100;

/// Up to here the room for an unpacked document is doubled as needed. Beyond it there is room for
/// the whole limit, which costs nothing until it is written to: doubling would hold three times
/// the document at its last step.
const DOUBLED_BYTES_MAX: u64 = 2 * 1024 * 1024;

/// Size of the brotli reader's own buffer, in bytes.
const BROTLI_BUFFER_BYTES: usize = 4096;

/// So many bytes are unpacked and written at a time.
const COPIED_BYTES: usize = 64 * 1024;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// How the document is packed; one layer only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// As it is; a gzip file is recognised by its first bytes and unpacked all the same.
    Plain,
    Gzip,
    Brotli,
}

impl Coding {
    /// Reads one `Content-Encoding`; `None` for what we did not ask for, and for two layers.
    pub fn parse(value: &str) -> Option<Self> {
        match value.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Some(Self::Plain),
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "br" => Some(Self::Brotli),
            _ => None,
        }
    }
}

/// Unpacks one layer. Takes processor time: call it off the async threads.
///
/// # Errors
/// [`Fault::Bomb`] beyond [`decoded_bytes_max`], [`Fault::TooLarge`] when it is not even packed,
/// [`Fault::Corrupt`] when the packing is broken or ends early.
pub fn decode(wire: Vec<u8>, coding: Coding, bytes_max: u64) -> Result<Vec<u8>, Fault> {
    let limit = decoded_bytes_max(wire.len(), bytes_max);
    match coding {
        Coding::Plain if !wire.starts_with(&GZIP_MAGIC) && wire.len() as u64 > bytes_max => {
            Err(Fault::TooLarge(bytes_max))
        }
        Coding::Plain if !wire.starts_with(&GZIP_MAGIC) => Ok(wire),
        Coding::Plain | Coding::Gzip => {
            unpack(MultiGzDecoder::new(wire.as_slice()), wire.len(), limit)
        }
        Coding::Brotli => {
            // The large-window variant is no part of `br`, and lets a document ask for a gigabyte
            // of memory; the reader takes it all the same. Source: RFC 7932 §9.1.
            if wire.first().is_some_and(|head| head & 0x7f == 0x11) {
                return Err(Fault::Corrupt("a window that is not allowed".to_owned()));
            }
            unpack(Decompressor::new(wire.as_slice(), BROTLI_BUFFER_BYTES), wire.len(), limit)
        }
    }
}

/// Unpacks one layer from wherever it is to wherever it is to go. Takes processor time: call it off
/// the async threads.
///
/// # Errors
/// As [`decode`]; [`Fault::Disk`] when it can't be written.
pub(crate) fn decode_into(
    packed: impl Read,
    wire_bytes: u64,
    coding: Coding,
    bytes_max: u64,
    out: &mut dyn Write,
) -> Result<(), Fault> {
    let limit = decoded_bytes_max(usize::try_from(wire_bytes).unwrap_or(usize::MAX), bytes_max);
    match coding {
        Coding::Plain => copy(packed, bytes_max, Fault::TooLarge(bytes_max), out),
        Coding::Gzip => copy(MultiGzDecoder::new(packed), limit, Fault::Bomb(limit), out),
        Coding::Brotli => {
            let mut packed = packed;
            let mut head = [0; 1];
            let read = packed.read(&mut head).map_err(|error| corrupt(&error))?;
            let head = head.get(..read).unwrap_or_default();
            // As in `decode`.
            if head.first().is_some_and(|head| head & 0x7f == 0x11) {
                return Err(Fault::Corrupt("a window that is not allowed".to_owned()));
            }
            let whole = Decompressor::new(head.chain(packed), BROTLI_BUFFER_BYTES);
            copy(whole, limit, Fault::Bomb(limit), out)
        }
    }
}

fn copy(mut from: impl Read, limit: u64, beyond: Fault, out: &mut dyn Write) -> Result<(), Fault> {
    let mut buffer = vec![0; COPIED_BYTES];
    let mut copied = 0_u64;
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(corrupt(&error)),
        };
        copied += read as u64;
        if copied > limit {
            return Err(beyond);
        }
        let bytes = buffer.get(..read).unwrap_or_default();
        out.write_all(bytes).map_err(|error| Fault::disk(&error))?;
    }
}

fn corrupt(error: &std::io::Error) -> Fault {
    Fault::Corrupt(crate::poll::fault::one_line(&error.to_string()))
}

/// How many bytes so many bytes on the wire may unpack to, `bytes_max` at most.
pub fn decoded_bytes_max(wire_bytes: usize, bytes_max: u64) -> u64 {
    let wire_bytes = u64::try_from(wire_bytes).unwrap_or(u64::MAX);
    wire_bytes.saturating_mul(RATIO_MAX).max(RATIO_FREE_BYTES).min(bytes_max)
}

fn unpack(packed: impl Read, wire_bytes: usize, limit: u64) -> Result<Vec<u8>, Fault> {
    let corrupt = |error: std::io::Error| corrupt(&error);
    let mut packed = packed.take(limit + 1);
    let mut plain = Vec::with_capacity(wire_bytes.saturating_mul(4).min(256 * 1024));
    packed.by_ref().take(DOUBLED_BYTES_MAX).read_to_end(&mut plain).map_err(corrupt)?;
    if plain.len() as u64 == DOUBLED_BYTES_MAX {
        plain.reserve_exact(usize::try_from(packed.limit()).unwrap_or_default());
        packed.read_to_end(&mut plain).map_err(corrupt)?;
    }
    if plain.len() as u64 > limit {
        return Err(Fault::Bomb(limit));
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packer.write_all(plain).unwrap();
        packer.finish().unwrap()
    }

    /// Bytes that do not pack well.
    fn noise(length: usize) -> Vec<u8> {
        let mut state = 7_u32;
        std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        })
        .take(length)
        .collect()
    }

    #[test]
    fn sec_l02_the_ratio_is_free_up_to_a_mebibyte() {
        let limit = usize::try_from(RATIO_FREE_BYTES).unwrap();
        let at = gzip(&vec![b'a'; limit]);
        assert!(limit / at.len() > 500, "packs well: {}", at.len());
        assert_eq!(decode(at, Coding::Gzip, DECODED_BYTES_MAX).unwrap().len(), limit);
        let over = gzip(&vec![b'a'; limit + 1]);
        assert_eq!(
            decode(over, Coding::Gzip, DECODED_BYTES_MAX),
            Err(Fault::Bomb(RATIO_FREE_BYTES))
        );
    }

    #[test]
    fn sec_l02_beyond_it_a_hundred_to_one_is_the_limit() {
        let wire_bytes = 100 * 1024;
        let limit = usize::try_from(decoded_bytes_max(wire_bytes, DECODED_BYTES_MAX)).unwrap();
        assert_eq!(limit, 100 * wire_bytes);
        let repeat = |length: usize| std::io::repeat(b'a').take(length as u64);
        assert_eq!(unpack(repeat(limit), wire_bytes, limit as u64).unwrap().len(), limit);
        assert_eq!(
            unpack(repeat(limit + 1), wire_bytes, limit as u64),
            Err(Fault::Bomb(limit as u64))
        );
    }

    #[test]
    fn sec_l02_thirty_two_mebibytes_are_the_limit_of_all() {
        let limit = usize::try_from(DECODED_BYTES_MAX).unwrap();
        let wire_bytes = 8 << 20;
        assert_eq!(decoded_bytes_max(wire_bytes, DECODED_BYTES_MAX), DECODED_BYTES_MAX);
        let repeat = |length: usize| std::io::repeat(b'a').take(length as u64);
        let whole = unpack(repeat(limit), wire_bytes, DECODED_BYTES_MAX);
        assert_eq!(whole.unwrap().len(), limit);
        let more = unpack(repeat(limit + 1), wire_bytes, DECODED_BYTES_MAX);
        assert_eq!(more, Err(Fault::Bomb(DECODED_BYTES_MAX)));
    }

    #[test]
    fn sec_l02_a_smaller_limit_that_is_set_holds_for_all_forms() {
        let document = vec![b'a'; 2_000];
        let packed = gzip(&document);
        for (coding, wire) in [(Coding::Gzip, packed.clone()), (Coding::Plain, packed)] {
            assert_eq!(decode(wire.clone(), coding, 2_000).unwrap(), document);
            assert_eq!(decode(wire, coding, 1_999), Err(Fault::Bomb(1_999)));
        }
        assert_eq!(decode(document.clone(), Coding::Plain, 2_000).unwrap(), document);
        assert_eq!(decode(document, Coding::Plain, 1_999), Err(Fault::TooLarge(1_999)));
    }

    #[test]
    fn sec_l02_a_bomb_goes_off_at_the_limit() {
        let bomb = gzip(&vec![0; 200 << 20]);
        let limit = decoded_bytes_max(bomb.len(), DECODED_BYTES_MAX);
        assert_eq!(decode(bomb, Coding::Gzip, DECODED_BYTES_MAX), Err(Fault::Bomb(limit)));
    }

    #[test]
    fn sec_l03_gzip_and_brotli_in_one_layer_and_nothing_else() {
        for (value, coding) in [
            ("", Some(Coding::Plain)),
            ("identity", Some(Coding::Plain)),
            ("gzip", Some(Coding::Gzip)),
            (" X-GZIP ", Some(Coding::Gzip)),
            ("br", Some(Coding::Brotli)),
            ("deflate", None),
            ("zstd", None),
            ("gzip, gzip", None),
            ("gzip, br", None),
            ("compress", None),
        ] {
            assert_eq!(Coding::parse(value), coding, "{value}");
        }
        let twice = gzip(&gzip(b"<rss/>"));
        assert_eq!(decode(twice, Coding::Gzip, DECODED_BYTES_MAX).unwrap(), gzip(b"<rss/>"));
    }

    #[test]
    fn a_gzip_file_without_a_header_is_unpacked_too() {
        assert_eq!(decode(gzip(b"<rss/>"), Coding::Plain, DECODED_BYTES_MAX).unwrap(), b"<rss/>");
        assert_eq!(
            decode(b"<rss/>".to_vec(), Coding::Plain, DECODED_BYTES_MAX).unwrap(),
            b"<rss/>"
        );
    }

    #[test]
    fn a_packed_document_that_ends_early_is_corrupt() {
        let whole = gzip(&noise(10_000));
        for length in [1, 5, 11, whole.len() / 2, whole.len() - 1] {
            let judged = decode(whole[..length].to_vec(), Coding::Gzip, DECODED_BYTES_MAX);
            assert!(matches!(judged, Err(Fault::Corrupt(_))), "{length}");
        }
        // `a` as brotli, whole and cut.
        let whole = [0x0b, 0x00, 0x80, 0x61, 0x03];
        assert_eq!(decode(whole.to_vec(), Coding::Brotli, DECODED_BYTES_MAX).unwrap(), b"a");
        let judged = decode(whole[..3].to_vec(), Coding::Brotli, DECODED_BYTES_MAX);
        assert!(matches!(judged, Err(Fault::Corrupt(_))));
        // The head of the large-window variant.
        assert!(matches!(
            decode(vec![0x11; 100], Coding::Brotli, DECODED_BYTES_MAX),
            Err(Fault::Corrupt(_))
        ));
    }
}
