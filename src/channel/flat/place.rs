//! Places in a text: ends without white space, and never inside a grapheme.

use std::ops::Range;

use unicode_segmentation::GraphemeCursor;

/// How far back the begin of a grapheme is looked for.
const GRAPHEME_BYTES_SEEN: usize = 2048;

/// The range without white space at its ends.
pub(crate) fn trim(text: &str, range: Range<usize>) -> Range<usize> {
    let Some(inner) = text.get(range.clone()) else { return 0..0 };
    let end = range.start + inner.trim_end().len();
    let start = range.end - inner.trim_start().len();
    if start < end { start..end } else { range.start..range.start }
}

/// The last grapheme boundary at or before `place`.
///
/// Looks at most [`GRAPHEME_BYTES_SEEN`] back: a longer row of marks or flags, which no writing
/// has, is taken to begin there, so that no text makes this slow.
pub(crate) fn snap(text: &str, place: usize) -> usize {
    let bytes = text.as_bytes();
    let is_plain = |at: usize| bytes.get(at).is_none_or(|byte| byte.is_ascii() && *byte != b'\r');
    if place == 0 || place >= text.len() || is_plain(place) && is_plain(place - 1) {
        return place.min(text.len());
    }
    let place = text.floor_char_boundary(place);
    let from = text.floor_char_boundary(place.saturating_sub(GRAPHEME_BYTES_SEEN));
    let seen = &text[from..];
    let mut cursor = GraphemeCursor::new(place - from, seen.len(), true);
    match cursor.is_boundary(seen, 0) {
        Ok(false) => from + cursor.prev_boundary(seen, 0).ok().flatten().unwrap_or(0),
        _ => place,
    }
}
