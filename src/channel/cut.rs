//! Counting text as the services do, and cutting it where it hurts least.
//!
//! Both count UTF-16 code units here: it is what Telegram's offsets use, and never less than
//! what either service may count instead.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use crate::channel::flat::{snap, trim};

/// Most parts of one text: nobody reads more, and every part is a message for everybody.
pub(crate) const PARTS_MAX: usize = 16;

/// The length in UTF-16 code units.
pub(crate) fn units(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().map(char::len_utf16).sum() }
}

/// Somebody sees something of it.
pub(crate) fn is_visible(text: &str) -> bool {
    text.chars().any(|c| {
        let is_blank = c.is_whitespace()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2069}' | '\u{ad}')
            || matches!(c, '\u{feff}' | '\u{fe00}'..='\u{fe0f}' | '\u{34f}' | '\u{3164}');
        !is_blank && !c.is_control()
    })
}

/// A text that is to be cut, and what must stay whole in it.
#[derive(Clone, Copy)]
pub(crate) struct Whole<'a> {
    /// Without white space at either end.
    pub text: &'a str,
    /// Stretches that are only cut if they can't stay whole, ascending and apart.
    pub solid: &'a [Range<usize>],
    /// Most solid stretches that begin in one part.
    pub solid_max: usize,
}

impl Whole<'_> {
    /// The text in at most [`PARTS_MAX`] parts of at most `most` units, each visible, without white
    /// space at its ends.
    ///
    /// Before the last possible part ends, nothing but white space and invisible parts is lost.
    /// Where the text is cut, see [`Whole::cut`].
    pub fn parts(&self, most: usize) -> Vec<Range<usize>> {
        let mut parts = Vec::new();
        let mut at = 0;
        while at < self.text.len() && parts.len() < PARTS_MAX {
            let end = self.cut(at, most / 3, most);
            let part = trim(self.text, at..end);
            if is_visible(&self.text[part.clone()]) {
                parts.push(part);
            }
            at = self.skip_space(end);
        }
        parts
    }

    /// A part's text; with `…` behind it if it is the last of a text that goes on, and `most`
    /// units leave room for that.
    pub fn show(&self, part: &Range<usize>, is_last: bool, most: usize) -> String {
        let text = &self.text[part.clone()];
        let is_cut_off = is_last && is_visible(&self.text[part.end..]);
        let ellipsis = if is_cut_off && units(text) < most { "…" } else { "" };
        format!("{text}{ellipsis}")
    }

    /// The first place at or after `at` that is no white space.
    pub fn skip_space(&self, at: usize) -> usize {
        self.text.len() - self.text[at..].trim_start().len()
    }

    /// Where a part that begins at `begin` ends: the end of the text if that is within `most`
    /// units, else the best place between `least` and `most` units.
    ///
    /// 1. The last empty line, else line feed, else end of a sentence, else white space, that is
    ///    not inside a solid stretch.
    /// 2. The last white space before `least`, if what follows it stays whole by that.
    /// 3. Without regard to solid stretches: the last white space or word boundary.
    /// 4. The last grapheme boundary; within a grapheme only if it is longer than `most`.
    ///
    /// Always after `begin`, which must be no white space; `most` is at least 2.
    pub fn cut(&self, begin: usize, least: usize, most: usize) -> usize {
        let rest = &self.text[begin..];
        let high = self.highest(begin, most);
        if high == rest.len() {
            return self.text.len();
        }
        let low = offset_of(rest, least).clamp(1, high);
        let fits = |place: &usize| (low..=high).contains(place);
        let is_free = |place: &usize| self.is_free(begin + *place);

        // One more than `high`, so that a break right behind the last character is seen.
        let seen = (high + 1..=rest.len()).find(|at| rest.is_char_boundary(*at));
        let window = &rest[..seen.unwrap_or(rest.len())];
        let last = |pattern: &str| {
            window.rmatch_indices(pattern).map(|(at, _)| at).find(|at| fits(at) && is_free(at))
        };
        let spaces = || {
            let places = window.char_indices().rev().filter(|(_, c)| c.is_whitespace());
            places.map(|(at, _)| at).filter(|at| *at <= high)
        };
        // An ASCII mark ends a sentence only before white space: addresses have them inside.
        let ends_well =
            |at: &usize| rest[..*at].ends_with(|c: char| c.is_whitespace() || !c.is_ascii());
        let sentence = || {
            let bounds = rest.split_sentence_bound_indices().map(|(at, _)| at);
            let bounds = bounds.take_while(|at| *at <= high);
            bounds.filter(|at| fits(at) && is_free(at) && ends_well(at)).last()
        };
        let word = |is_wanted: &dyn Fn(&usize) -> bool| {
            let bounds = rest.split_word_bound_indices().map(|(at, _)| at);
            bounds.take_while(|at| *at <= high).filter(|at| fits(at) && is_wanted(at)).last()
        };
        let early = || {
            let place = spaces().find(|at| *at > 0 && *at < low && is_free(at))?;
            let next = self.skip_space(begin + place);
            (self.unbroken(next) <= most).then_some(place)
        };
        let place = last("\n\n")
            .or_else(|| last("\n"))
            .or_else(sentence)
            .or_else(|| spaces().find(|at| fits(at) && is_free(at)))
            .or_else(early)
            .or_else(|| spaces().find(fits))
            .or_else(|| word(&is_free))
            .or_else(|| word(&|_| true))
            .unwrap_or_else(|| match snap(self.text, begin + high) {
                place if place > begin => place - begin,
                _ => high,
            });
        begin + place
    }

    /// How many bytes after `begin` are within `most` units and the number of solid stretches.
    fn highest(&self, begin: usize, most: usize) -> usize {
        let rest = &self.text[begin..];
        let mut left = most;
        let high = rest
            .char_indices()
            .find(|(_, c)| {
                let is_over = c.len_utf16() > left;
                left = left.saturating_sub(c.len_utf16());
                is_over
            })
            .map_or(rest.len(), |(at, _)| at);
        let first = self.solid.partition_point(|solid| solid.start < begin);
        match self.solid.get(first.saturating_add(self.solid_max)) {
            Some(surplus) => high.min(surplus.start - begin).max(1),
            None => high,
        }
    }

    fn is_free(&self, place: usize) -> bool {
        let next = self.solid.partition_point(|solid| solid.end <= place);
        self.solid.get(next).is_none_or(|solid| place <= solid.start)
    }

    /// The units from `begin` to the next white space outside of solid stretches.
    fn unbroken(&self, begin: usize) -> usize {
        let rest = &self.text[begin..];
        let end = rest
            .char_indices()
            .find(|(at, c)| c.is_whitespace() && self.is_free(begin + at))
            .map_or(rest.len(), |(at, _)| at);
        units(&rest[..end])
    }
}

/// The text in at most `most` units: cut at a word if one ends in its second half, else at a
/// grapheme, with `…` behind it. Line feeds become spaces.
pub(crate) fn shorten(text: &str, most: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = words.join(" ");
    if units(&text) <= most {
        return text;
    }
    let end = offset_of(&text, most.saturating_sub(1) + 1);
    let mut end = snap(&text, end);
    while units(&text[..end]) + 1 > most {
        end = snap(&text, end.saturating_sub(1));
    }
    let head = &text[..end];
    let is_at_word = text[end..].starts_with(' ');
    let head = match head.rfind(' ') {
        Some(word) if !is_at_word && units(&head[..word]) * 2 >= most => &head[..word],
        _ => head,
    };
    format!("{}…", head.trim_end())
}

/// The first place at which at least that many units went before.
fn offset_of(text: &str, units: usize) -> usize {
    let mut passed = 0;
    text.char_indices()
        .find(|(_, c)| {
            let is_there = passed >= units;
            passed += c.len_utf16();
            is_there
        })
        .map_or(text.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::channel::trees::{any_text, essence};

    fn parts<'a>(text: &'a str, solid: &[Range<usize>], most: usize) -> Vec<&'a str> {
        let whole = Whole { text, solid, solid_max: 100 };
        whole.parts(most).into_iter().map(|part| &text[part]).collect()
    }

    #[test]
    fn units_are_those_of_utf_16() {
        assert_eq!(units("aé€"), 3);
        assert_eq!(units("\u{1f600}"), 2);
    }

    #[test]
    fn what_fits_is_one_part_and_the_limit_counts_in_it() {
        assert_eq!(parts("abc def", &[], 7), ["abc def"]);
        assert_eq!(parts("abc def", &[], 6), ["abc", "def"]);
        assert_eq!(parts("abc def", &[], 3), ["abc", "def"]);
        assert_eq!(parts("", &[], 3), [""; 0]);
    }

    #[test]
    fn the_best_place_of_the_later_two_thirds_is_taken() {
        assert_eq!(
            parts("One two.\n\nThree. Four five", &[], 18),
            ["One two.", "Three. Four five"]
        );
        assert_eq!(parts("One two.\nThree. Four five", &[], 18), ["One two.", "Three. Four five"]);
        assert_eq!(parts("One two six. Four five", &[], 18), ["One two six.", "Four five"]);
        assert_eq!(parts("One two six four five", &[], 18), ["One two six four", "five"]);
        assert_eq!(parts("漢字漢字。漢字漢字", &[], 8), ["漢字漢字。", "漢字漢字"]);
    }

    #[test]
    fn an_address_is_not_cut_at_its_question_mark() {
        let text = "see https://example.com/?page=12345";
        assert_eq!(parts(text, &[], 31), ["see", "https://example.com/?page=12345"]);
    }

    #[test]
    fn a_solid_stretch_stays_whole_if_it_can() {
        let text = "read this long label now";
        let solid = [Range { start: 5, end: 20 }];
        assert_eq!(parts(text, &solid, 20), ["read this long label", "now"]);
        assert_eq!(parts(text, &solid, 16), ["read", "this long label", "now"]);
        assert_eq!(parts(text, &solid, 10), ["read", "this long", "label now"]);
    }

    #[test]
    fn a_part_holds_no_more_solid_stretches_than_allowed() {
        let text = "a b c d e";
        let solid: Vec<Range<usize>> = (0..5).map(|at| at * 2..at * 2 + 1).collect();
        let whole = Whole { text, solid: &solid, solid_max: 2 };
        let parts: Vec<&str> = whole.parts(100).into_iter().map(|part| &text[part]).collect();
        assert_eq!(parts, ["a b", "c d", "e"]);
    }

    #[test]
    fn a_grapheme_is_cut_only_if_it_is_longer_than_a_part() {
        let family = "\u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f467}";
        assert_eq!(units(family), 8);
        assert_eq!(parts(&family.repeat(2), &[], 15), [family, family]);
        assert_eq!(parts(family, &[], 4).concat(), family);
    }

    #[test]
    fn a_shortened_text_ends_at_a_word_or_a_grapheme() {
        assert_eq!(shorten("short  one", 9), "short one");
        assert_eq!(shorten("a somewhat longer one", 20), "a somewhat longer…");
        assert_eq!(shorten("a somewhat longer one", 18), "a somewhat longer…");
        assert_eq!(shorten("unbreakable", 6), "unbre…");
        assert_eq!(shorten("ab\u{1f469}\u{200d}\u{1f467}", 6), "ab…");
        assert_eq!(shorten("\u{1f469}\u{200d}\u{1f467}", 3), "…");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn parts_keep_the_limit_and_the_text(
            texts in proptest::collection::vec(any_text(), 0..8),
            most in 2usize..300,
        ) {
            let text = texts.join("\n");
            let text: String = text.chars().filter_map(crate::channel::flat::kept).collect();
            let text = text.trim();
            let parts = parts(text, &[], most);
            prop_assert!(parts.len() <= PARTS_MAX);
            prop_assert!(parts.iter().all(|part| units(part) <= most && !part.is_empty()));
            prop_assert!(parts.iter().all(|part| part.trim() == *part));
            let whole: String = text.chars().filter(|c| is_visible(&c.to_string())).collect();
            let sent: String =
                parts.concat().chars().filter(|c| is_visible(&c.to_string())).collect();
            let (sent, whole) = (essence(&sent), essence(&whole));
            prop_assert!(sent == whole || parts.len() == PARTS_MAX && whole.starts_with(&sent));
            prop_assert!(units(&shorten(text, most)) <= most);
        }
    }
}
