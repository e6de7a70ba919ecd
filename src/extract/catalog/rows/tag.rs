//! The parts of a tag.

/// Whether the tag at the beginning of `rest` is an empty element, and where its `>` is; `None`
/// when there is none.
pub(super) fn tag_end(rest: &[u8]) -> Option<(bool, usize)> {
    let mut at = 1;
    loop {
        let found = at + memchr::memchr3(b'>', b'"', b'\'', rest.get(at..)?)?;
        match rest.get(found)? {
            b'>' => {
                let is_empty = rest.get(found.wrapping_sub(1)) == Some(&b'/');
                return Some((is_empty, found));
            }
            // A quote only counts behind `=`; anywhere else it is a stray one.
            quote => {
                let before = rest.get(..found)?.trim_ascii_end();
                at = found + 1;
                if before.ends_with(b"=") {
                    at += memchr::memchr(*quote, rest.get(at..)?)? + 1;
                }
            }
        }
    }
}

pub(super) fn name_of(inner: &[u8]) -> &[u8] {
    let end = inner.iter().position(|b| b.is_ascii_whitespace() || matches!(b, b'>' | b'/'));
    inner.get(..end.unwrap_or(inner.len())).unwrap_or_default()
}

pub(super) fn local(name: &[u8]) -> &[u8] {
    let start = memchr::memrchr(b':', name).map_or(0, |at| at + 1);
    name.get(start..).unwrap_or_default()
}

pub(super) fn is_name_start(c: u8) -> bool {
    c.is_ascii_alphabetic() || c == b'_' || !c.is_ascii()
}
