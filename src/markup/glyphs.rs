//! Which characters may stand in a text, and their normal form.
//!
//! A text from outside may hold characters that nobody sees or that turn the reading direction:
//! a price or a name can be made to look like another with them. They are taken out here, heaps of
//! combining marks are cut, and the rest comes in normal form C, so that equal looks are mostly
//! equal bytes.

use unicode_normalization::char::{decompose_canonical, is_combining_mark};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Most combining marks on one base character, counted decomposed. Real scripts need four or five.
pub const MARKS_MAX: u8 = 8;

/// A text field as it may be kept: visible characters in normal form, any white space folded to
/// one blank, none at either end. Markup is not looked for.
pub fn clean(text: &str) -> String {
    let mut tidy = Tidy::new(text.len());
    tidy.push_str(text);
    tidy.finish()
}

/// Whether the text is of ordinary characters and single blanks between them: it reads the same
/// wherever it stands.
pub(crate) fn is_tidy(text: &str) -> bool {
    tidy_prefix(text) == text.len()
}

/// Normal form C.
pub(super) fn normal(text: String) -> String {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return text;
    }
    text.nfc().collect()
}

/// Decides about one character after another.
///
/// Its decisions are the same over a text and over that text's normal form, so that what has been
/// filtered once is never changed again.
#[derive(Default)]
pub(super) struct Filter {
    /// The last character that was let through.
    previous: Option<char>,
    /// Marks since the last base character, and the base's own, decomposed; 0 before the first.
    marks: u8,
}

impl Filter {
    /// The character to take for `c`; `None` to leave it out. White space comes through as it is.
    pub(super) fn admit(&mut self, c: char) -> Option<char> {
        if c.is_ascii_graphic() {
            *self = Self { previous: Some(c), marks: 0 };
            return Some(c);
        }
        // Characters whose normal form is this ASCII character.
        let c = match c {
            '\u{37e}' => ';',
            '\u{1fef}' => '`',
            '\u{212a}' => 'K',
            _ => c,
        };
        if is_ordinary(c) || c.is_whitespace() {
            self.marks = 0;
        } else if is_unseen(c) {
            return None;
        } else if is_joiner(c) {
            // Joins letters of some scripts, and emoji; elsewhere it is only a hiding place.
            let joins = self.previous.is_some_and(|before| {
                !before.is_ascii() && !before.is_whitespace() && !is_joiner(before)
            });
            if !joins {
                return None;
            }
        } else if is_combining_mark(c) {
            if is_emoji_selector(c) && !self.selects() {
                return None;
            }
            let before =
                if self.marks > 0 { self.marks } else { self.previous.map_or(0, marks_of) };
            let marks = before.saturating_add(marks_of(c));
            if marks > MARKS_MAX {
                return None;
            }
            self.marks = marks;
        } else {
            self.marks = 0;
        }
        self.previous = Some(c);
        Some(c)
    }

    /// Takes note of a text that came through as it is: ordinary characters, or nothing.
    pub(super) fn pass(&mut self, text: &str) {
        if let Some(last) = text.chars().next_back() {
            *self = Self { previous: Some(last), marks: 0 };
        }
    }

    /// Whether an emoji selector may follow.
    fn selects(&self) -> bool {
        self.previous.is_some_and(|before| match before {
            '0'..='9' | '#' | '*' => true,
            _ => !before.is_ascii() && !before.is_whitespace() && !is_emoji_selector(before),
        })
    }
}

/// Gathers a text piece by piece, folding white space.
pub(super) struct Tidy {
    out: String,
    filter: Filter,
    /// White space stands between the last character and the next.
    has_gap: bool,
    /// Words were given on already.
    has_given: bool,
    /// A character came that the normal form may change.
    is_doubtful: bool,
}

impl Tidy {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            out: String::with_capacity(capacity),
            filter: Filter::default(),
            has_gap: false,
            has_given: false,
            is_doubtful: false,
        }
    }

    /// Parts what came from what comes.
    pub(super) fn gap(&mut self) {
        self.has_gap = true;
    }

    pub(super) fn push_str(&mut self, text: &str) {
        let mut rest = text;
        while !rest.is_empty() {
            let length = tidy_prefix(rest);
            if length > 0 {
                self.close_gap();
                self.out.push_str(&rest[..length]);
                self.filter.pass(&rest[..length]);
                rest = &rest[length..];
            }
            // Then white space or one character that is not tidy by itself.
            let behind = rest.trim_ascii_start();
            if behind.len() < rest.len() {
                self.has_gap = true;
                self.filter = Filter::default();
                rest = behind;
                continue;
            }
            let mut chars = rest.chars();
            if let Some(c) = chars.next() {
                self.push(c);
            }
            rest = chars.as_str();
        }
    }

    /// Gives on what has been gathered, if that is `least` bytes or more and its form is settled.
    pub(super) fn give(&mut self, least: usize, take: &mut impl FnMut(&str)) {
        // The last character may become another with a mark that follows; what is before it not.
        let last = self.out.chars().next_back().map_or(0, char::len_utf8);
        let settled = self.out.len() - last;
        if settled >= least && !self.is_doubtful {
            take(&self.out[..settled]);
            self.out.drain(..settled);
            self.has_given = true;
        }
    }

    pub(super) fn finish(self) -> String {
        if self.is_doubtful { normal(self.out) } else { self.out }
    }

    fn push(&mut self, c: char) {
        let Some(c) = self.filter.admit(c) else { return };
        if c.is_whitespace() {
            self.has_gap = true;
            return;
        }
        self.close_gap();
        self.is_doubtful |= !is_ordinary(c);
        self.out.push(c);
    }

    fn close_gap(&mut self) {
        if self.has_gap && (self.has_given || !self.out.is_empty()) {
            self.out.push(' ');
        }
        self.has_gap = false;
    }
}

/// How many bytes at the start of `text` can be taken as they are: ordinary characters, parted by
/// single blanks, neither beginning nor ending with one.
pub(super) fn tidy_prefix(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut was_blank = true;
    loop {
        while let Some(ends_blank) = tidy_eight(bytes.get(at..).unwrap_or_default(), was_blank) {
            was_blank = ends_blank;
            at += 8;
        }
        match bytes.get(at) {
            Some(b'!'..=b'~') => {
                was_blank = false;
                at += 1;
            }
            Some(b' ') if !was_blank => {
                was_blank = true;
                at += 1;
            }
            Some(0x80..) => match text[at..].chars().next() {
                Some(c) if is_ordinary(c) => {
                    was_blank = false;
                    at += c.len_utf8();
                }
                _ => break,
            },
            _ => break,
        }
    }
    at - usize::from(was_blank && at > 0)
}

/// Whether the last of the first eight bytes is a blank, if all of them are visible ASCII parted by
/// single blanks; the eight are looked at as one number.
fn tidy_eight(bytes: &[u8], was_blank: bool) -> Option<bool> {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGHS: u64 = ONES * 0x80;
    let word = u64::from_le_bytes(*bytes.first_chunk()?);
    // The high bit of each byte that is the given one; for ASCII only.
    let of = |byte: u64| !((word ^ (ONES * byte)).wrapping_add(ONES * 0x7f)) & HIGHS;
    let controls = !word.wrapping_add(ONES * 0x60) & HIGHS;
    let blanks = of(0x20);
    let before = (blanks << 8) | if was_blank { 0x80 } else { 0 };
    let is_tidy = word & HIGHS == 0 && controls | of(0x7f) | (blanks & before) == 0;
    is_tidy.then_some(blanks >> 63 == 1)
}

/// Visible, no white space, never changed by the normal form unless a mark follows, and no base
/// that the filter must know: what most texts consist of.
fn is_ordinary(c: char) -> bool {
    matches!(c,
        '!'..='~'
        | '\u{a1}'..='\u{ac}' | '\u{ae}'..='\u{2ff}'
        | '\u{400}'..='\u{482}' | '\u{48a}'..='\u{52f}'
        | '\u{5d0}'..='\u{5ea}' | '\u{620}'..='\u{64a}' | '\u{904}'..='\u{928}'
        | '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205e}' | '\u{20a0}'..='\u{20bf}'
        | '\u{3001}'..='\u{3029}' | '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fe}'
        | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{ff01}'..='\u{ff9f}')
}

fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

fn is_emoji_selector(c: char) -> bool {
    matches!(c, '\u{fe0e}' | '\u{fe0f}')
}

/// Controls, and what has no look of its own: invisible and bidirectional formats, fillers, tags,
/// rare variation selectors, noncharacters.
fn is_unseen(c: char) -> bool {
    let code = u32::from(c);
    let is_format = matches!(code,
        0xad | 0x34f | 0x61c | 0x115f..=0x1160 | 0x17b4..=0x17b5 | 0x180b..=0x180f
        | 0x200b | 0x200e..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0x3164
        | 0xfdd0..=0xfdef | 0xfe00..=0xfe0d | 0xfeff | 0xffa0 | 0xfff0..=0xfffb
        | 0x1_bca0..=0x1_bca3 | 0x1_d173..=0x1_d17a | 0xe_0000..=0xe_0fff);
    c.is_control() || is_format || code & 0xfffe == 0xfffe
}

/// The combining marks in a character's decomposition.
fn marks_of(c: char) -> u8 {
    let mut marks = 0u8;
    decompose_canonical(c, |part| marks = marks.saturating_add(u8::from(is_combining_mark(part))));
    marks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn white_space_is_folded() {
        let cases = [
            ("", ""),
            (" \n\t ", ""),
            ("one two", "one two"),
            ("  one\u{a0} \r\n two\u{3000}three ", "one two three"),
            ("a\u{2028}b\u{85}c", "a b c"),
            ("é  è", "é è"),
        ];
        for (text, expected) in cases {
            assert_eq!(clean(text), expected, "{text:?}");
        }
    }

    #[test]
    fn sec_t07_what_nobody_sees_is_taken_out() {
        let cases = [
            ("a\u{0}b\u{1b}[31m\u{7f}\u{9b}", "ab[31m"),
            ("\u{feff}pay\u{200b}pal", "paypal"),
            ("\u{202e}9.99\u{202c} \u{2066}x\u{2069}\u{200f}", "9.99 x"),
            ("x\u{e0041}\u{e007f}y\u{e0100}", "xy"),
            ("soft\u{ad}hyphen\u{34f}\u{2063}\u{3164}", "softhyphen"),
            ("a\u{200d}b \u{200d}c", "ab c"),
            ("a\u{fe0f}b", "ab"),
            ("\u{ffff}\u{fdd0}\u{10fffe}z", "z"),
        ];
        for (text, expected) in cases {
            assert_eq!(clean(text), expected, "{text:?}");
        }
    }

    #[test]
    fn joiners_and_selectors_stay_where_they_are_seen() {
        for text in ["👨\u{200d}👩\u{200d}👧", "می\u{200c}خواهم", "1\u{fe0f}\u{20e3}", "❤\u{fe0f}"]
        {
            assert_eq!(clean(text), text);
        }
    }

    #[test]
    fn sec_t07_a_heap_of_marks_is_cut() {
        let fits = format!("x{}", "\u{31b}".repeat(8));
        assert_eq!(clean(&fits).chars().count(), 9);
        assert_eq!(clean(&format!("{fits}\u{31b}")).chars().count(), 9);
        let joined = format!("क{}", "\u{200d}\u{301}".repeat(50));
        assert!(clean(&joined).chars().count() < 20);
    }

    #[test]
    fn text_comes_in_normal_form() {
        let cases = [
            ("cafe\u{301}", "café"),
            ("\u{212a}\u{200d}m\u{37e}", "Km;"),
            ("\u{344}x", "\u{308}\u{301}x"),
            ("각", "각"),
            ("\u{1100}\u{1161}\u{11a8}", "각"),
        ];
        for (text, expected) in cases {
            assert_eq!(clean(text), expected, "{text:?}");
        }
    }

    #[test]
    fn ordinary_characters_are_what_the_fast_way_takes_them_for() {
        for c in ('\0'..=char::MAX).filter(|&c| is_ordinary(c)) {
            assert!(!is_unseen(c) && !is_joiner(c) && !is_combining_mark(c), "{c:?}");
            assert!(!c.is_whitespace(), "{c:?}");
            assert_eq!(is_nfc_quick(std::iter::once(c)), IsNormalized::Yes, "{c:?}");
        }
    }

    #[test]
    fn eight_bytes_at_once_are_judged_as_one_after_the_other() {
        let one_by_one = |bytes: &[u8], mut was_blank: bool| {
            for byte in bytes {
                match byte {
                    b'!'..=b'~' => was_blank = false,
                    b' ' if !was_blank => was_blank = true,
                    _ => return None,
                }
            }
            Some(was_blank)
        };
        for at in 0..8 {
            for byte in 0..=u8::MAX {
                for (filler, was_blank) in [(b'a', false), (b'~', true), (b'!', false)] {
                    let mut bytes = [filler; 8];
                    bytes[at] = byte;
                    for next in [filler, b' '] {
                        bytes[(at + 1) % 8] = next;
                        let expected = one_by_one(&bytes, was_blank);
                        assert_eq!(tidy_eight(&bytes, was_blank), expected, "{bytes:?}");
                    }
                }
            }
        }
        assert_eq!(tidy_eight(b"seven b", false), None);
    }

    proptest! {
        #[test]
        fn cleaning_twice_is_cleaning_once(
            text in "([ -~]|\\PC|\\p{M}|[\u{200c}\u{200d}\u{fe0f}\u{344}\u{212a}\u{301}]){0,40}"
        ) {
            let once = clean(&text);
            let is_normal = once.nfc().eq(once.chars());
            prop_assert!(is_normal);
            prop_assert_eq!(clean(&once), once);
        }
    }
}
