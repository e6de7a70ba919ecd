//! Bytes to text.
//!
//! Promises text for any bytes: what cannot be decoded becomes U+FFFD, never an error. Refuses
//! only what is no text at all: a broken or monstrous gzip file, and nothing. The order in which
//! the encoding is sought is told at [`decode`]. Valid UTF-8 is not copied.

use std::borrow::Cow;
use std::io::Read;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Most bytes after decompression.
pub const DECODED_BYTES_MAX: usize = 32 << 20;
/// Most decompressed bytes per compressed one that was read so far, once [`RATIO_FREE_BYTES`] are
/// passed: what grows beyond it is known at its beginning, however long the file is.
pub const RATIO_MAX: usize = 100;
/// Decompressed bytes that may come at any ratio.
pub const RATIO_FREE_BYTES: usize = 1 << 20;

/// How far into the document a declaration is looked for.
const DECLARATION_BYTES: usize = 8 << 10;
/// How much text beside tags the detector is given, in bytes: more does not change its mind.
const DETECTED_BYTES_MAX: usize = 32 << 10;
/// Fewer valid multi-byte sequences than this can be an accident of another encoding.
const SURE_SEQUENCES: usize = 4;

/// A document as text.
#[derive(Debug)]
pub struct Text<'a> {
    pub text: Cow<'a, str>,
    /// The name of the encoding by the WHATWG standard, such as `windows-1251`, or `UTF-32LE`.
    pub encoding: &'static str,
}

/// The bytes are no text.
#[derive(Debug, PartialEq, Eq)]
pub enum NotText {
    /// The gzip file is damaged or cut off.
    Gzip(String),
    /// More than [`DECODED_BYTES_MAX`], or more than [`RATIO_MAX`] times what was read of the file.
    Bomb,
}

/// The plain bytes: as they are, or unpacked when they are a gzip file.
///
/// # Errors
/// [`NotText`] when the file cannot be unpacked within the limits.
pub fn unpack(bytes: &[u8]) -> Result<Cow<'_, [u8]>, NotText> {
    unpack_within(bytes, DECODED_BYTES_MAX)
}

/// [`unpack`] with another limit than [`DECODED_BYTES_MAX`].
///
/// # Errors
/// As [`unpack`].
pub fn unpack_within(bytes: &[u8], bytes_max: usize) -> Result<Cow<'_, [u8]>, NotText> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(Cow::Borrowed(bytes));
    }
    let mut reader = flate2::bufread::MultiGzDecoder::new(bytes);
    let mut out = Vec::new();
    let mut block = vec![0u8; 64 << 10];
    loop {
        let count = match reader.read(&mut block) {
            Ok(0) => break,
            Ok(count) => count,
            // Padding behind a whole member is common and harmless. What was taken for the head of
            // another member is read already.
            Err(_) if is_padding(reader.get_ref()) && ends_like_a_document(&out) => break,
            Err(error) => return Err(NotText::Gzip(error.to_string())),
        };
        let (length, read) = (out.len() + count, bytes.len() - reader.get_ref().len());
        let ratio_broken = length > RATIO_FREE_BYTES && length / RATIO_MAX > read;
        if length > bytes_max || ratio_broken {
            return Err(NotText::Bomb);
        }
        out.extend_from_slice(block.get(..count).unwrap_or_default());
    }
    Ok(Cow::Owned(out))
}

fn is_padding(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

fn ends_like_a_document(bytes: &[u8]) -> bool {
    matches!(bytes.trim_ascii_end().last(), Some(b'>' | b'}'))
}

/// The text of `bytes`, which are already unpacked.
///
/// 1. A byte order mark; 2. the pattern of zero bytes at the start; 3. valid UTF-8, whatever is
///    declared, unless it has so few multi-byte sequences that the declared East Asian encoding
///    is as likely; 4. the HTTP `charset` and 5. the declaration in the document: where they
///    differ, the one that decodes without error, then the declaration; 6. a detector, told the
///    top-level domain or the language; 7. windows-1252.
///
/// A text of UTF-8 that was once taken for windows-1252 and encoded again is undone if that
/// works for the whole of it.
pub fn decode<'a>(bytes: &'a [u8], content_type: Option<&str>, domain: Option<&str>) -> Text<'a> {
    let mut found = decode_once(bytes, content_type, domain);
    if let Some(undone) = undo_double_encoding(&found.text) {
        found.text = Cow::Owned(undone);
    }
    found
}

fn decode_once<'a>(bytes: &'a [u8], content_type: Option<&str>, domain: Option<&str>) -> Text<'a> {
    if let Some(wide) = wide_encoding(bytes) {
        return wide;
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let valid = std::str::from_utf8(bytes);
    // A second mark, left by tools that add one to everything, is no text.
    if let Ok(text) = valid {
        let text = text.trim_start_matches('\u{feff}');
        if !needs_declaration(text) {
            return Text { text: Cow::Borrowed(text), encoding: UTF_8.name() };
        }
    }
    let head = bytes.get(..bytes.len().min(DECLARATION_BYTES)).unwrap_or_default();
    let declared = declared_in(head);
    let header = content_type.and_then(charset_of);
    if let Ok(text) = valid {
        // Few sequences: believe a declared multi-byte encoding if it explains the bytes.
        let other = [header, declared].into_iter().flatten().find(is_east_asian);
        let explained = other.and_then(|encoding| {
            let text = encoding.decode_without_bom_handling_and_without_replacement(bytes)?;
            Some(Text { text, encoding: encoding.name() })
        });
        let text = text.trim_start_matches('\u{feff}');
        return explained.unwrap_or(Text { text: Cow::Borrowed(text), encoding: UTF_8.name() });
    }
    let candidates = match (header, declared) {
        (Some(header), Some(declared)) if header != declared => vec![declared, header],
        (header, declared) => declared.or(header).into_iter().collect(),
    };
    for encoding in candidates.iter().filter(|encoding| **encoding != UTF_8) {
        if let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(bytes) {
            return Text { text, encoding: encoding.name() };
        }
    }
    // Nothing declared fits. A few bad bytes in much good UTF-8 are damage, not another encoding.
    let encoding = if is_damaged_utf_8(bytes) {
        UTF_8
    } else if let Some(declared) = candidates.iter().find(|encoding| **encoding != UTF_8) {
        declared
    } else {
        detect(bytes, domain, head)
    };
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    Text { text, encoding: encoding.name() }
}

/// The encoding that the document declares for itself, else the one that the server names.
pub(crate) fn declared(bytes: &[u8], content_type: Option<&str>) -> Option<&'static Encoding> {
    let head = bytes.get(..bytes.len().min(DECLARATION_BYTES)).unwrap_or_default();
    declared_in(head).or_else(|| content_type.and_then(charset_of))
}

/// UTF-16 and UTF-32, by their mark or by where the zero bytes of the first characters stand.
fn wide_encoding(bytes: &[u8]) -> Option<Text<'static>> {
    let utf_16 = |encoding: &'static Encoding, rest: &[u8]| {
        let (text, _) = encoding.decode_without_bom_handling(rest);
        Some(Text { text: Cow::Owned(text.into_owned()), encoding: encoding.name() })
    };
    let utf_32 = |big: bool, rest: &[u8]| {
        let read = |unit: &[u8]| {
            let unit = <[u8; 4]>::try_from(unit).unwrap_or_default();
            let code = if big { u32::from_be_bytes(unit) } else { u32::from_le_bytes(unit) };
            char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
        };
        let text: String = rest.chunks_exact(4).map(read).collect();
        Some(Text { text: Cow::Owned(text), encoding: if big { "UTF-32BE" } else { "UTF-32LE" } })
    };
    match bytes {
        [0xff, 0xfe, 0, 0, rest @ ..] => utf_32(false, rest),
        [0, 0, 0xfe, 0xff, rest @ ..] => utf_32(true, rest),
        [0xff, 0xfe, rest @ ..] => utf_16(UTF_16LE, rest),
        [0xfe, 0xff, rest @ ..] => utf_16(UTF_16BE, rest),
        [1..=255, 0, 0, 0, ..] => utf_32(false, bytes),
        [0, 0, 0, 1..=255, ..] => utf_32(true, bytes),
        [1..=255, 0, 1..=255, 0, ..] => utf_16(UTF_16LE, bytes),
        [0, 1..=255, 0, 1..=255, ..] => utf_16(UTF_16BE, bytes),
        _ => None,
    }
}

/// Whether valid UTF-8 is too little proof of being meant so.
fn needs_declaration(text: &str) -> bool {
    if text.is_ascii() {
        // Escapes of ISO-2022-JP are ASCII.
        return text.contains("\u{1b}$") || text.contains("\u{1b}(");
    }
    let sequences = text.bytes().filter(|b| *b >= 0xc0).take(SURE_SEQUENCES).count();
    sequences < SURE_SEQUENCES
}

fn is_east_asian(encoding: &&'static Encoding) -> bool {
    !encoding.is_single_byte() && *encoding != UTF_8
}

/// The charset parameter of a `Content-Type`.
fn charset_of(content_type: &str) -> Option<&'static Encoding> {
    let lower = content_type.to_ascii_lowercase();
    let value = lower.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        (name.trim() == "charset").then(|| value.trim())
    })?;
    label(value.trim_matches(['"', '\'', ' ']).as_bytes())
}

/// The encoding a label stands for; UTF-16 is left out, since text that can carry the label in
/// ASCII is not UTF-16.
fn label(name: &[u8]) -> Option<&'static Encoding> {
    let encoding = match name.to_ascii_lowercase().as_slice() {
        b"cp936" | b"gb-2312" => encoding_rs::GB18030,
        b"cp949" | b"uhc" | b"ms949" => encoding_rs::EUC_KR,
        b"cp932" => encoding_rs::SHIFT_JIS,
        b"cp950" | b"big-5" => encoding_rs::BIG5,
        b"win-1251" | b"win1251" | b"windows1251" => encoding_rs::WINDOWS_1251,
        b"win-1250" | b"win1250" => encoding_rs::WINDOWS_1250,
        b"utf" | b"utf_8" | b"u8" => UTF_8,
        name => Encoding::for_label(name)?,
    };
    let ascii = encoding.is_ascii_compatible() || encoding == encoding_rs::ISO_2022_JP;
    (ascii && encoding != encoding_rs::REPLACEMENT).then_some(encoding)
}

/// What the XML declaration says, even behind junk, or else an HTML `meta`.
fn declared_in(head: &[u8]) -> Option<&'static Encoding> {
    if let Some(start) = find(head, b"<?xml") {
        let rest = head.get(start..)?;
        let end = find(rest, b"?>").unwrap_or(rest.len());
        let declaration = rest.get(..end)?;
        if let Some(at) = find(declaration, b"encoding") {
            return label(quoted(declaration.get(at + b"encoding".len()..)?)?);
        }
        return None;
    }
    let lower = head.to_ascii_lowercase();
    let mut rest = lower.as_slice();
    while let Some(at) = find(rest, b"<meta") {
        rest = rest.get(at + 5..)?;
        let end = rest.iter().position(|b| *b == b'>')?;
        let meta = rest.get(..end)?;
        if let Some(at) = find(meta, b"charset") {
            return label(quoted(meta.get(at + b"charset".len()..)?)?);
        }
    }
    None
}

/// The value behind `=`, with or without quotes.
fn quoted(rest: &[u8]) -> Option<&[u8]> {
    let rest = rest.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let rest = rest.strip_prefix(b"\"").or_else(|| rest.strip_prefix(b"'")).unwrap_or(rest);
    let end = rest
        .iter()
        .position(|b| matches!(b, b'"' | b'\'' | b' ' | b'/' | b'>' | b';' | b'?'))
        .unwrap_or(rest.len());
    rest.get(..end).map(<[u8]>::trim_ascii)
}

/// Much valid UTF-8 and little that is not.
fn is_damaged_utf_8(bytes: &[u8]) -> bool {
    let (mut good, mut bad) = (0usize, 0usize);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().bytes().filter(|b| *b >= 0xc0).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    good >= SURE_SEQUENCES && good > bad * 4
}

/// Asks the detector, with the tags left out: they are ASCII and say nothing.
fn detect(bytes: &[u8], domain: Option<&str>, head: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    let mut rest = bytes;
    let mut seen = false;
    let mut left = DETECTED_BYTES_MAX;
    while !rest.is_empty() && left > 0 {
        let end = rest.iter().position(|b| *b == b'<').unwrap_or(rest.len());
        let (text, tag) = rest.split_at(end);
        // Words in ASCII tell nothing, and a character that is cut through is a fault.
        let first = text.iter().position(|b| !b.is_ascii() || *b == 0x1b).unwrap_or(text.len());
        let ascii = text.get(..first).unwrap_or_default();
        let start = ascii.iter().rposition(|b| *b <= b' ').unwrap_or(0);
        let text = if first < text.len() { text.get(start..).unwrap_or_default() } else { b"" };
        let given = text.get(..left).map_or(text, |head| {
            let blank = head.iter().rposition(|b| *b <= b' ');
            head.get(..blank.unwrap_or(head.len())).unwrap_or(head)
        });
        left = if given.len() < text.len() { 0 } else { left - given.len() };
        seen |= detector.feed(given, false);
        let close = tag.iter().position(|b| *b == b'>').map_or(tag.len(), |at| at + 1);
        rest = tag.get(close..).unwrap_or_default();
    }
    seen |= detector.feed(b" ", true);
    if !seen {
        return WINDOWS_1252;
    }
    let told = language_domain(head);
    let domain = told.or_else(|| {
        let last = domain?.rsplit('.').next()?;
        last.bytes().all(|b| b.is_ascii_lowercase()).then_some(last)
    });
    detector.guess(domain.map(str::as_bytes), Utf8Detection::Deny)
}

/// The top-level domain that stands for the language the document names for itself.
fn language_domain(head: &[u8]) -> Option<&'static str> {
    let at = find(head, b"<language>")
        .map(|at| at + b"<language>".len())
        .or_else(|| find(head, b"xml:lang=").map(|at| at + b"xml:lang=".len() + 1))?;
    let code = head.get(at..at + 2)?.to_ascii_lowercase();
    let domain = match code.as_slice() {
        b"ru" => "ru",
        b"uk" => "ua",
        b"bg" => "bg",
        b"ja" => "jp",
        b"ko" => "kr",
        b"zh" if head.get(at + 2..at + 5)?.eq_ignore_ascii_case(b"-tw") => "tw",
        b"zh" => "cn",
        b"el" => "gr",
        b"he" | b"iw" => "il",
        b"ar" => "eg",
        b"th" => "th",
        b"tr" => "tr",
        b"vi" => "vn",
        b"pl" => "pl",
        b"cs" => "cz",
        b"hu" => "hu",
        b"ro" => "ro",
        _ => return None,
    };
    Some(domain)
}

/// `Ã©` back to `é`, if every character of the text allows it.
fn undo_double_encoding(text: &str) -> Option<String> {
    const SIGNS: [&str; 6] = ["Ã©", "Ã¨", "Ã¼", "Ã¤", "â€", "Ã¶"];
    if text.is_ascii() || !(text.contains('Ã') || text.contains("â€") || text.contains('Ð')) {
        return None;
    }
    let likely =
        SIGNS.iter().any(|sign| text.contains(sign)) || text.contains("Ð°") && text.contains("Ð¾");
    if !likely {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len());
    for c in text.chars() {
        match u32::from(c) {
            code @ (0..=0x7f | 0xa0..=0xff) => bytes.push(u8::try_from(code).ok()?),
            // Bytes that windows-1252 leaves undefined are carried as control characters.
            code @ (0x81 | 0x8d | 0x8f | 0x90 | 0x9d) => bytes.push(u8::try_from(code).ok()?),
            _ => {
                let mut buffer = [0; 4];
                let (encoded, _, wrong) = WINDOWS_1252.encode(c.encode_utf8(&mut buffer));
                match *encoded {
                    [byte] if !wrong => bytes.push(byte),
                    _ => return None,
                }
            }
        }
    }
    String::from_utf8(bytes).ok()
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn text(bytes: &[u8], content_type: Option<&str>) -> (String, &'static str) {
        let found = decode(bytes, content_type, None);
        (found.text.into_owned(), found.encoding)
    }

    fn zipped(bytes: &[u8]) -> Vec<u8> {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    #[test]
    fn a_byte_order_mark_decides() {
        assert_eq!(text(b"\xef\xbb\xbf<a/>", None), ("<a/>".into(), "UTF-8"));
        assert_eq!(text(b"\xff\xfe<\0a\0", None), ("<a".into(), "UTF-16LE"));
        assert_eq!(text(b"\xfe\xff\0<\0a", None), ("<a".into(), "UTF-16BE"));
        assert_eq!(text(b"\xff\xfe\0\0<\0\0\0", None), ("<".into(), "UTF-32LE"));
        assert_eq!(text(b"\0\0\xfe\xff\0\0\0<", None), ("<".into(), "UTF-32BE"));
    }

    #[test]
    fn zero_bytes_show_a_wide_encoding_without_a_mark() {
        assert_eq!(text(b"<\0?\0", None).1, "UTF-16LE");
        assert_eq!(text(b"\0<\0?", None).1, "UTF-16BE");
        assert_eq!(text(b"<\0\0\0?\0\0\0", None).1, "UTF-32LE");
        assert_eq!(text(b"\0\0\0<\0\0\0?", None).1, "UTF-32BE");
    }

    #[test]
    fn a_long_document_is_detected_by_its_beginning() {
        let (russian, _, _) = encoding_rs::WINDOWS_1251.encode("Привет, мир — это страница <b>");
        let (chinese, _, _) = encoding_rs::GBK.encode("這是一個 中文网页。没有声明编码。\n");
        for (line, expected) in [(russian, "windows-1251"), (chinese, "GBK")] {
            for lines in [4, 2 * DETECTED_BYTES_MAX / line.len()] {
                assert_eq!(text(&line.repeat(lines), None).1, expected, "{lines}");
            }
        }
    }

    #[test]
    fn valid_utf_8_is_believed_before_any_label() {
        let document = "<?xml version='1.0' encoding='windows-1251'?><a>Привет</a>";
        let (got, encoding) = text(document.as_bytes(), Some("text/xml; charset=koi8-r"));
        assert_eq!((got.as_str(), encoding), (document, "UTF-8"));
    }

    #[test]
    fn a_declared_encoding_is_used_where_utf_8_fails() {
        let (bytes, _, _) = encoding_rs::WINDOWS_1251
            .encode("<?xml version='1.0' encoding='windows-1251'?><a>Привет</a>");
        let (got, encoding) = text(&bytes, None);
        assert!(got.contains("Привет"), "{got}");
        assert_eq!(encoding, "windows-1251");
    }

    #[test]
    fn the_declaration_is_found_behind_junk() {
        let mut bytes = b"\n<!-- x -->\n<?xml version='1.0' encoding=\"koi8-r\"?><a>".to_vec();
        bytes.extend_from_slice(&encoding_rs::KOI8_R.encode("Привет").0);
        assert!(text(&bytes, None).0.contains("Привет"));
    }

    #[test]
    fn of_header_and_declaration_the_one_that_fits_wins() {
        let (bytes, _, _) = encoding_rs::SHIFT_JIS
            .encode("<?xml version='1.0' encoding='utf-8'?><a>日本語テスト</a>");
        let (got, encoding) = text(&bytes, Some("application/xml; charset=\"Shift_JIS\""));
        assert!(got.contains("日本語テスト"), "{got}");
        assert_eq!(encoding, "Shift_JIS");
    }

    #[test]
    fn a_label_of_utf_16_in_ascii_is_a_lie() {
        let bytes = b"<?xml version='1.0' encoding='utf-16'?><a>\xe9t\xe9</a>";
        assert!(text(bytes, None).0.contains("été"));
    }

    #[test]
    fn undeclared_bytes_are_recognised() {
        let words = "Сегодня в городе открылась новая выставка, посвящённая истории края";
        let (bytes, _, _) = encoding_rs::WINDOWS_1251.encode(words);
        let document = [b"<rss><title>".as_slice(), &bytes, b"</title></rss>"].concat();
        assert!(text(&document, None).0.contains(words));
    }

    #[test]
    fn one_bad_byte_in_utf_8_costs_one_character() {
        let document = [" — новости дня — ".as_bytes(), b"\xff", "конец".as_bytes()].concat();
        assert_eq!(text(&document, None).0, " — новости дня — \u{fffd}конец");
    }

    #[test]
    fn doubly_encoded_text_is_undone_only_as_a_whole() {
        let good = "<t>Café – l’été</t>";
        let doubled: String =
            good.bytes().map(|b| WINDOWS_1252.decode(&[b]).0.into_owned()).collect();
        assert_eq!(text(doubled.as_bytes(), None).0, good);
        let mixed = format!("{doubled} 日本");
        assert_eq!(text(mixed.as_bytes(), None).0, mixed);
        let about = "The sign Ã© shows a wrong encoding of é";
        assert_eq!(text(about.as_bytes(), None).0, about);
    }

    #[test]
    fn a_gzip_file_is_unpacked_and_a_broken_one_refused() {
        let packed = zipped(b"<rss/>");
        assert_eq!(unpack(&packed).unwrap().as_ref(), b"<rss/>");
        assert!(matches!(unpack(&packed[..packed.len() / 2]), Err(NotText::Gzip(_))));
    }

    #[test]
    fn zeros_behind_a_gzip_file_are_padding_and_all_else_is_damage() {
        let packed = zipped(b"<rss/>");
        for count in [1, 9, 10, 11, 512] {
            let padded = [packed.clone(), vec![0; count]].concat();
            assert_eq!(unpack(&padded).unwrap().as_ref(), b"<rss/>", "{count}");
        }
        let followed = [packed, vec![0; 512], b"more".to_vec()].concat();
        assert!(matches!(unpack(&followed), Err(NotText::Gzip(_))));
    }

    #[test]
    fn sec_l02_a_gzip_bomb_is_refused_by_ratio_and_by_size() {
        let at_limit = zipped(&vec![b'a'; RATIO_FREE_BYTES]);
        assert!(unpack(&at_limit).is_ok());
        let over = zipped(&vec![b'a'; RATIO_FREE_BYTES * 4]);
        assert_eq!(unpack(&over), Err(NotText::Bomb));
    }

    #[test]
    fn sec_l02_a_gzip_bomb_is_known_before_what_stands_behind_it() {
        let bomb = zipped(&vec![b'a'; RATIO_FREE_BYTES * 4]);
        let mut state = 7_u32;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        })
        .take(RATIO_FREE_BYTES * 4 / RATIO_MAX + 1)
        .collect();
        assert_eq!(unpack(&[bomb.clone(), zipped(&noise)].concat()), Err(NotText::Bomb));
        let other = [zipped(&noise), bomb].concat();
        assert!(unpack(&other).is_ok(), "as a whole it is none");
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_become_text(bytes: Vec<u8>) {
            let _ = decode(&bytes, Some("text/xml; charset=gbk"), Some("example.ru"));
        }
    }
}
