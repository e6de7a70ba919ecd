//! Bytes that are no text, texts in odd encodings, and packed documents.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{Document, Kind, flood, many};

type Bytes = (&'static str, fn(usize) -> Vec<u8>);

const ALL: &[Bytes] = &[
    ("noise", |n| noise(n)),
    ("zeros", |n| vec![0; n]),
    ("high bytes", |n| vec![0x80; n]),
    ("broken UTF-8", |n| b"\xc3\x28a\xf0\x9f".repeat(n / 5)),
    ("UTF-16", |n| wide("<rss><channel><item>ș</item>", n)),
    ("UTF-16, halves", |n| [b"\xff\xfe".to_vec(), b"\x00\xd8".repeat(n / 2)].concat()),
    ("UTF-32", |n| {
        let unit = |c: char| u32::from(c).to_le_bytes();
        "<rss>ș".chars().cycle().take(n / 4).flat_map(unit).collect()
    }),
    ("windows-1251", |n| {
        let head = b"<?xml version='1.0' encoding='windows-1251'?><rss><channel>".to_vec();
        [head, b"<item><title>\xcf\xf0\xe8</title></item>".repeat(n / 32)].concat()
    }),
    ("nothing declared", |n| b"<p>\xcf\xf0\xe8\xe2 ".repeat(n / 8)),
    ("ISO-2022-JP", |n| b"\x1b$B%F%9\x1b(B".repeat(n / 10)),
    ("escapes", |n| b"\x1b$".repeat(n / 2)),
    ("GBK declared", |n| {
        [b"<?xml version='1.0' encoding='gbk'?><rss>".to_vec(), b"\xc4\xe3".repeat(n / 2)].concat()
    }),
    ("encoded twice", |n| flood(n, "Ã©Ã¨ ").into_bytes()),
    ("nearly encoded twice", |n| (flood(n, "Ã©Ã¨ ") + "ș").into_bytes()),
    ("marks", |n| flood(n, "\u{feff}").into_bytes()),
    ("meta", |n| flood(n, "<meta ").into_bytes()),
    ("a list of addresses", |n| many(n, |at| format!("https://e.com/{at}\n")).into_bytes()),
    ("gzip of rows", |n| {
        let item = |at: usize| format!("<item><link>/{at}</link><title>{at}</title></item>");
        let text = format!("<rss version='2.0'><channel>{}", many(n, item));
        gzip(text.as_bytes())
    }),
    ("a gzip bomb", |n| gzip(&vec![b' '; n.saturating_mul(16)])),
    ("gzip members", |n| {
        let member = gzip(b"");
        member.repeat(n / member.len())
    }),
    ("gzip that breaks off", |n| {
        let mut packed = gzip(&noise(n));
        packed.truncate(packed.len() - 9);
        packed
    }),
];

/// Numbers without a pattern, the same in every run.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let step = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    (0..length).map(step).collect()
}

fn wide(text: &str, length: usize) -> Vec<u8> {
    flood(length / 2, text).encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::best());
    // A vector takes whatever is written.
    let _ = out.write_all(bytes);
    out.finish().unwrap_or_default()
}

pub fn all() -> Vec<Document> {
    let of = |(name, make): &'static Bytes| Document {
        name: format!("bytes: {name}").leak(),
        kind: Kind::Bytes,
        make: Box::new(*make),
    };
    ALL.iter().map(of).collect()
}
