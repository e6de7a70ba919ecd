//! Bytes to text: any bytes, whatever the server calls them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidings::extract::text;

const TYPES: [Option<&str>; 6] = [
    None,
    Some("text/xml"),
    Some("text/xml; charset=utf-16"),
    Some("application/rss+xml; charset=\"windows-1251\""),
    Some("text/html; charset=gbk"),
    Some("text/plain; charset=no-such"),
];

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let content_type = TYPES[usize::from(*first) % TYPES.len()];
    if let Ok(plain) = text::unpack(rest) {
        let decoded = text::decode(&plain, content_type, Some("example.com"));
        assert!(decoded.text.len() <= plain.len() * 4 + 16, "text grows without bound");
    }
});
