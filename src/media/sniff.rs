//! What a file is, and how large a picture is, from its first bytes. Pure and total.
//!
//! Sources: WHATWG MIME Sniffing; ISO/IEC 14496-12 (brands), JFIF, PNG, GIF89a and the WebP
//! container's own descriptions.

use crate::model::media::Form;

/// So far a start of text is looked for in bytes that are no known format.
const TEXT_BYTES_MAX: usize = 512;

/// Most segments of a JPEG that are passed before its size.
const SEGMENTS_MAX: usize = 1_000;

/// A format, as its first bytes tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    Jpeg,
    Png,
    Gif,
    WebP,
    Bmp,
    Tiff,
    Avif,
    Heif,
    Svg,
    Mp4,
    /// QuickTime.
    Mov,
    WebM,
    Avi,
    Mp3,
    /// MPEG-4 with sound only.
    M4a,
    Aac,
    Ogg,
    Wav,
    Flac,
    Pdf,
    Zip,
    /// A page: what servers send instead of a file that is not there.
    Html,
    /// Other text.
    Text,
    Unknown,
}

/// What was read from the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sniffed {
    pub format: Format,
    /// Width and height in pixels, of pictures whose head tells them.
    pub size: Option<(u32, u32)>,
}

impl Format {
    pub fn mime(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::WebP => "image/webp",
            Self::Bmp => "image/bmp",
            Self::Tiff => "image/tiff",
            Self::Avif => "image/avif",
            Self::Heif => "image/heif",
            Self::Svg => "image/svg+xml",
            Self::Mp4 => "video/mp4",
            Self::Mov => "video/quicktime",
            Self::WebM => "video/webm",
            Self::Avi => "video/x-msvideo",
            Self::Mp3 => "audio/mpeg",
            Self::M4a => "audio/mp4",
            Self::Aac => "audio/aac",
            Self::Ogg => "audio/ogg",
            Self::Wav => "audio/wav",
            Self::Flac => "audio/flac",
            Self::Pdf => "application/pdf",
            Self::Zip => "application/zip",
            Self::Html => "text/html",
            Self::Text => "text/plain",
            Self::Unknown => "application/octet-stream",
        }
    }

    /// For the name of an upload, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Gif => "gif",
            Self::WebP => "webp",
            Self::Bmp => "bmp",
            Self::Tiff => "tif",
            Self::Avif => "avif",
            Self::Heif => "heic",
            Self::Svg => "svg",
            Self::Mp4 => "mp4",
            Self::Mov => "mov",
            Self::WebM => "webm",
            Self::Avi => "avi",
            Self::Mp3 => "mp3",
            Self::M4a => "m4a",
            Self::Aac => "aac",
            Self::Ogg => "ogg",
            Self::Wav => "wav",
            Self::Flac => "flac",
            Self::Pdf => "pdf",
            Self::Zip => "zip",
            Self::Html => "html",
            Self::Text => "txt",
            Self::Unknown => "bin",
        }
    }

    /// As what people take it; `None` for what is no file worth sending in another's place.
    pub fn form(self) -> Option<Form> {
        match self {
            Self::Jpeg
            | Self::Png
            | Self::Gif
            | Self::WebP
            | Self::Bmp
            | Self::Tiff
            | Self::Avif
            | Self::Heif
            | Self::Svg => Some(Form::Picture),
            Self::Mp4 | Self::Mov | Self::WebM | Self::Avi => Some(Form::Video),
            Self::Mp3 | Self::M4a | Self::Aac | Self::Ogg | Self::Wav | Self::Flac => {
                Some(Form::Sound)
            }
            Self::Pdf | Self::Zip => Some(Form::File),
            Self::Html | Self::Text | Self::Unknown => None,
        }
    }
}

/// Reads what `bytes`, a file from its beginning, are.
pub fn sniff(bytes: &[u8]) -> Sniffed {
    let format = format(bytes);
    let size = match format {
        Format::Jpeg => jpeg_size(bytes),
        Format::Png => be32(bytes, 16).zip(be32(bytes, 20)),
        Format::Gif => le16(bytes, 6).zip(le16(bytes, 8)),
        Format::WebP => webp_size(bytes),
        _ => None,
    };
    Sniffed { format, size: size.filter(|(width, height)| *width > 0 && *height > 0) }
}

fn format(bytes: &[u8]) -> Format {
    const MAGIC: [(&[u8], Format); 15] = [
        (b"\xff\xd8\xff", Format::Jpeg),
        (b"\x89PNG\r\n\x1a\n", Format::Png),
        (b"GIF87a", Format::Gif),
        (b"GIF89a", Format::Gif),
        (b"II*\0", Format::Tiff),
        (b"MM\0*", Format::Tiff),
        (b"\x1a\x45\xdf\xa3", Format::WebM),
        (b"ID3", Format::Mp3),
        (b"OggS", Format::Ogg),
        (b"fLaC", Format::Flac),
        (b"%PDF-", Format::Pdf),
        (b"PK\x03\x04", Format::Zip),
        (b"RIFF", Format::Unknown),
        (b"BM", Format::Bmp),
        (b"", Format::Unknown),
    ];
    let first = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic));
    match first.map_or(Format::Unknown, |(_, format)| *format) {
        Format::Unknown => {}
        // Two letters are too few to believe: the reserved fields are zero.
        Format::Bmp if bytes.get(6..10) != Some(&[0; 4]) => {}
        format => return format,
    }
    match (bytes.get(..4), bytes.get(8..12)) {
        (Some(b"RIFF"), Some(b"WEBP")) => return Format::WebP,
        (Some(b"RIFF"), Some(b"WAVE")) => return Format::Wav,
        (Some(b"RIFF"), Some(b"AVI ")) => return Format::Avi,
        _ => {}
    }
    if bytes.get(4..8) == Some(b"ftyp") {
        return iso_format(bytes);
    }
    match bytes {
        // A frame of sound: eleven bits set, then a layer; layer 0 is how AAC marks its own.
        [0xff, second, ..] if second & 0xf6 == 0xf0 => Format::Aac,
        [0xff, second, ..] if second & 0xe0 == 0xe0 && second & 0x06 != 0 => Format::Mp3,
        _ => text_format(bytes),
    }
}

/// The brands of a file in boxes: the major one, then the compatible ones.
fn iso_format(bytes: &[u8]) -> Format {
    let end = be32(bytes, 0).and_then(|end| usize::try_from(end).ok()).unwrap_or(0);
    let head = bytes.get(8..end.clamp(12, 256).min(bytes.len())).unwrap_or_default();
    let brands = || head.chunks_exact(4);
    match brands().next() {
        Some(b"qt  ") => return Format::Mov,
        Some(b"M4A " | b"M4B " | b"M4P ") => return Format::M4a,
        _ => {}
    }
    if brands().any(|brand| matches!(brand, b"avif" | b"avis")) {
        Format::Avif
    } else if brands().any(|brand| matches!(brand, b"heic" | b"heix" | b"mif1" | b"heim")) {
        Format::Heif
    } else {
        Format::Mp4
    }
}

fn text_format(bytes: &[u8]) -> Format {
    let head = bytes.get(..TEXT_BYTES_MAX).unwrap_or(bytes);
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let is_binary = |byte: &u8| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c);
    if head.is_empty() || head.iter().any(is_binary) {
        return Format::Unknown;
    }
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let head = head.trim_start();
    if !head.starts_with('<') {
        return Format::Text;
    }
    let is_svg = head.starts_with("<svg")
        || (head.starts_with("<?xml")
            || head.starts_with("<!--")
            || head.contains("<!doctype svg"))
            && head.contains("<svg");
    match () {
        () if is_svg => Format::Svg,
        () if head.starts_with("<?xml") && !head.contains("<html") => Format::Text,
        () => Format::Html,
    }
}

/// The size stands in the first start of a frame; segments before it are passed by their length.
fn jpeg_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    for _ in 0..SEGMENTS_MAX {
        while *bytes.get(at)? == 0xff && *bytes.get(at + 1)? == 0xff {
            at += 1;
        }
        let (0xff, marker) = (*bytes.get(at)?, *bytes.get(at + 1)?) else { return None };
        match marker {
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                return be16(bytes, at + 7).zip(be16(bytes, at + 5));
            }
            0x01 | 0xd0..=0xd8 => at += 2,
            0xd9 | 0xda => return None,
            _ => at += 2 + usize::try_from(be16(bytes, at + 2)?).ok()?,
        }
    }
    None
}

fn webp_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let byte = |at: usize| bytes.get(at).map(|byte| u32::from(*byte));
    let le24 = |at: usize| Some(byte(at)? | byte(at + 1)? << 8 | byte(at + 2)? << 16);
    match bytes.get(12..16)? {
        b"VP8X" => Some((le24(24)? + 1, le24(27)? + 1)),
        b"VP8 " => Some((le16(bytes, 26)? & 0x3fff, le16(bytes, 28)? & 0x3fff)),
        b"VP8L" => {
            let bits = le24(21)? | byte(24)? << 24;
            Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
        }
        _ => None,
    }
}

fn be16(bytes: &[u8], at: usize) -> Option<u32> {
    let two: [u8; 2] = bytes.get(at..at + 2)?.try_into().ok()?;
    Some(u32::from(u16::from_be_bytes(two)))
}

fn le16(bytes: &[u8], at: usize) -> Option<u32> {
    let two: [u8; 2] = bytes.get(at..at + 2)?.try_into().ok()?;
    Some(u32::from(u16::from_le_bytes(two)))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    let four: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_be_bytes(four))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn formats_are_told_by_their_first_bytes() {
        let cases: [(&[u8], Format); 31] = [
            (b"\xff\xd8\xff\xe0\0\x10JFIF", Format::Jpeg),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", Format::Png),
            (b"GIF89a\x01\0\x01\0", Format::Gif),
            (b"RIFF\x10\0\0\0WEBPVP8 ", Format::WebP),
            (b"RIFF\x10\0\0\0WAVEfmt ", Format::Wav),
            (b"RIFF\x10\0\0\0AVI LIST", Format::Avi),
            (b"BM\x10\0\0\0\0\0\0\0\x36", Format::Bmp),
            (b"BMW has a new car", Format::Text),
            (b"II*\0\x08\0\0\0", Format::Tiff),
            (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1", Format::Avif),
            (b"\0\0\0\x1cftypmif1\0\0\0\0avifmif1", Format::Avif),
            (b"\0\0\0\x18ftypheic\0\0\0\0mif1", Format::Heif),
            (b"\0\0\0\x18ftypisom\0\0\0\0mp41", Format::Mp4),
            (b"\0\0\0\x14ftypqt  \0\0\0\0", Format::Mov),
            (b"\0\0\0\x18ftypM4A \0\0\0\0", Format::M4a),
            (b"\x1a\x45\xdf\xa3\x01\0", Format::WebM),
            (b"ID3\x04\0", Format::Mp3),
            (b"\xff\xfb\x90\x64", Format::Mp3),
            (b"\xff\xf1\x50\x80", Format::Aac),
            (b"OggS\0\x02", Format::Ogg),
            (b"fLaC\0", Format::Flac),
            (b"%PDF-1.7", Format::Pdf),
            (b"PK\x03\x04", Format::Zip),
            (b"<!DOCTYPE html><html>", Format::Html),
            (b"\xef\xbb\xbf \n<HTML>", Format::Html),
            (b"<svg xmlns=\"http://www.w3.org/2000/svg\">", Format::Svg),
            (b"<?xml version=\"1.0\"?><svg>", Format::Svg),
            (b"<?xml version=\"1.0\"?><Error>", Format::Text),
            (b"{\"error\":\"gone\"}", Format::Text),
            (b"\0\x01\x02", Format::Unknown),
            (b"", Format::Unknown),
        ];
        for (bytes, expected) in cases {
            assert_eq!(sniff(bytes).format, expected, "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn sizes_are_read_from_the_head() {
        let mut jpeg = b"\xff\xd8\xff\xe0\0\x04ab\xff\xff\xc2\0\x11\x08".to_vec();
        jpeg.extend([0x02, 0x58, 0x03, 0x20, 3]);
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x03\x20\0\0\x02\x58";
        let gif = b"GIF89a\x20\x03\x58\x02";
        let lossy = b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9d\x01\x2a\x20\x03\x58\x02";
        let lossless = b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f\x1f\xc3\x95\0";
        let extended = b"RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0\x1f\x03\0\x57\x02\0";
        for bytes in [&jpeg, png.as_slice(), gif, lossy, lossless, extended] {
            assert_eq!(sniff(bytes).size, Some((800, 600)), "{:?}", sniff(bytes).format);
        }
        assert_eq!(sniff(b"GIF89a\0\0\x01\0").size, None);
        assert_eq!(sniff(&png[..20]).size, None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_something(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            sniff(&bytes);
        }

        #[test]
        fn any_end_of_a_jpeg_is_taken(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            sniff(&[b"\xff\xd8\xff".as_slice(), &bytes].concat());
        }
    }
}
