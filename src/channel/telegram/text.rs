//! Rich text as the Bot API takes it: plain text and entities, so that no parse error can occur.
//!
//! Source: Bot API reference, "MessageEntity" and "Formatting options"; tdlib
//! `MessageEntity.cpp` for what nests in what.

use std::ops::Range;

use serde::Serialize;

use crate::channel::cut::{Whole, is_visible, shorten, units};
use crate::channel::flat::{Flat, Mark, MarkKind, Spelling, flatten, snap, trim};
use crate::model::rich::RichText;

/// Most entities of one message; Telegram drops what is beyond.
pub(crate) const ENTITIES_MAX: usize = 100;

/// A quote that may be folded is so from this length on; shorter ones would only be harder to read.
const QUOTE_UNITS_SHORT: usize = 240;

/// Longest label of the link that is put behind a shortened text.
const LABEL_UNITS_MAX: usize = 64;

/// Longest address that is put there as it is.
const ADDRESS_UNITS_MAX: usize = 256;

/// Longer inline code may be cut like other text.
const CODE_UNITS_WHOLE: usize = 64;

/// A text that one message can take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Visible, without white space at either end.
    pub text: String,
    /// At most [`ENTITIES_MAX`], by offset, the outer before the inner.
    pub entities: Vec<Entity>,
}

/// `MessageEntity`; offset and length in UTF-16 code units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Entity {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub offset: usize,
    pub length: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// The tree in parts of at most `most` units; none when there is nothing to see.
///
/// Cut between paragraphs, sentences or words, never inside a link or a short piece of code that
/// fits into a part. When a part would have too many entities, it ends before the first link that
/// is too many, and of the rest styles go before links, code and quotes.
pub(super) fn parts(rich: &RichText, most: usize) -> Vec<Part> {
    let flat = flatten(rich, Spelling::Marks);
    let solid: Vec<Range<usize>> =
        flat.marks.iter().filter(|mark| is_solid(&flat, mark)).map(|m| m.range.clone()).collect();
    let whole = Whole { text: &flat.text, solid: &solid, solid_max: ENTITIES_MAX };
    let ranges = whole.parts(most);
    let last = ranges.len().saturating_sub(1);
    let show = |(at, range): (usize, &Range<usize>)| Part {
        text: whole.show(range, at == last, most),
        entities: entities(&flat, range),
    };
    ranges.iter().enumerate().map(show).collect()
}

/// The tree in one part of at most `most` units, with `…` behind it if it had to be cut; `None`
/// when there is nothing to see.
///
/// Cut after a paragraph, else a sentence, else a word, else a grapheme, never inside a link or
/// another entity that fits. If no link is left and none `has_way_on` otherwise, the first one of
/// what was cut off follows on a line of its own.
pub(super) fn shortened(rich: &RichText, most: usize, has_way_on: bool) -> Option<Part> {
    let mut parts = parts(rich, most);
    if parts.len() <= 1 {
        return parts.pop();
    }
    let flat = flatten(rich, Spelling::Marks);
    let mut solid: Vec<Range<usize>> = Vec::new();
    for mark in flat.marks.iter().filter(|mark| !matches!(mark.kind, MarkKind::Quote { .. })) {
        let is_short = units(&flat.text[mark.range.clone()]) <= most / 4;
        if is_short && solid.last().is_none_or(|last| last.end <= mark.range.start) {
            solid.push(mark.range.clone());
        }
    }
    let whole = Whole { text: &flat.text, solid: &solid, solid_max: ENTITIES_MAX };
    let cut = |most: usize| {
        let most = most.saturating_sub(1).max(2);
        trim(&flat.text, 0..whole.cut(0, most / 2, most))
    };
    let mut range = cut(most);
    let way = if has_way_on || has_link(&flat, &range) { None } else { way_on(&flat, range.end) };
    let way = way.filter(|(label, _)| units(label) + 2 <= most / 2);
    if let Some((label, _)) = &way {
        range = cut(most.saturating_sub(units(label) + 2));
    }
    let mut part = Part {
        text: format!("{}…", &flat.text[range.clone()]),
        entities: entities(&flat, &range),
    };
    if let Some((label, url)) = way {
        part.text.push_str("\n\n");
        let offset = units(&part.text);
        part.text.push_str(&label);
        if url.is_some() {
            part.entities.truncate(ENTITIES_MAX - 1);
            let length = units(&label);
            part.entities.push(Entity { kind: "text_link", offset, length, url, language: None });
        }
    }
    is_visible(&part.text).then_some(part)
}

fn has_link(flat: &Flat<'_>, range: &Range<usize>) -> bool {
    let is_link = |mark: &Mark<'_>| matches!(mark.kind, MarkKind::Link { .. });
    flat.marks.iter().any(|mark| is_link(mark) && mark.range.start < range.end)
        || flat.text[range.clone()].split_whitespace().any(is_address)
}

/// The first link behind a place: its label, and its address unless that is the label.
fn way_on(flat: &Flat<'_>, from: usize) -> Option<(String, Option<String>)> {
    let linked = flat.marks.iter().find_map(|mark| match mark.kind {
        MarkKind::Link { href } if mark.range.end > from => Some((mark, href)),
        _ => None,
    });
    if let Some((mark, href)) = linked {
        let label = shorten(&flat.text[mark.range.clone()], LABEL_UNITS_MAX);
        return Some((label, Some(href.to_owned())));
    }
    let from = flat.text.floor_char_boundary(from);
    let address = flat.text[from..].split_whitespace().find(|word| is_address(word))?;
    (units(address) <= ADDRESS_UNITS_MAX).then(|| (address.to_owned(), None))
}

/// Whether a word is an address that the service makes a link of.
pub(super) fn is_address(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

fn is_solid(flat: &Flat<'_>, mark: &Mark<'_>) -> bool {
    match mark.kind {
        MarkKind::Link { .. } => true,
        MarkKind::Code => units(&flat.text[mark.range.clone()]) <= CODE_UNITS_WHOLE,
        _ => false,
    }
}

fn entities(flat: &Flat<'_>, range: &Range<usize>) -> Vec<Entity> {
    let mut marks: Vec<Mark<'_>> = flat
        .marks
        .iter()
        .filter(|mark| mark.range.start < range.end && mark.range.end > range.start)
        .filter_map(|mark| {
            let inside = mark.range.start.max(range.start)..mark.range.end.min(range.end);
            let inside = trim(&flat.text, inside);
            let start = snap(&flat.text, inside.start).max(range.start);
            (!inside.is_empty()).then_some(Mark { range: start..inside.end, kind: mark.kind })
        })
        .collect();
    if marks.len() > ENTITIES_MAX {
        let mut ranked: Vec<(bool, usize)> =
            marks.iter().enumerate().map(|(at, mark)| (is_style(mark.kind), at)).collect();
        ranked.sort_unstable();
        let mut kept: Vec<usize> =
            ranked.into_iter().take(ENTITIES_MAX).map(|(_, at)| at).collect();
        kept.sort_unstable();
        marks = kept.into_iter().filter_map(|at| marks.get(at).cloned()).collect();
    }
    marks.iter().map(|mark| entity(flat, range.start, mark)).collect()
}

fn is_style(kind: MarkKind<'_>) -> bool {
    !matches!(
        kind,
        MarkKind::Link { .. } | MarkKind::Code | MarkKind::Pre { .. } | MarkKind::Quote { .. }
    )
}

fn entity(flat: &Flat<'_>, begin: usize, mark: &Mark<'_>) -> Entity {
    let length = units(&flat.text[mark.range.clone()]);
    let (kind, url, language) = match mark.kind {
        MarkKind::Bold => ("bold", None, None),
        MarkKind::Italic => ("italic", None, None),
        MarkKind::Underline => ("underline", None, None),
        MarkKind::Strike => ("strikethrough", None, None),
        MarkKind::Spoiler => ("spoiler", None, None),
        MarkKind::Code => ("code", None, None),
        MarkKind::Pre { language } => ("pre", None, language.map(str::to_owned)),
        MarkKind::Link { href } => ("text_link", Some(href.to_owned()), None),
        MarkKind::Quote { is_expandable: true } if length > QUOTE_UNITS_SHORT => {
            ("expandable_blockquote", None, None)
        }
        MarkKind::Quote { .. } => ("blockquote", None, None),
    };
    Entity { kind, offset: units(&flat.text[begin..mark.range.start]), length, url, language }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::channel::cut::PARTS_MAX;
    use crate::channel::trees::{any_rich, essence};
    use crate::model::rich::{Block, Inline};

    fn paragraph(content: Vec<Inline>) -> RichText {
        RichText { blocks: vec![Block::Paragraph(content)] }
    }

    fn text(text: &str) -> Inline {
        Inline::Text(text.to_owned())
    }

    #[test]
    fn offsets_count_utf_16_units() {
        let rich = paragraph(vec![text("\u{1f600} é "), Inline::Bold(vec![text("\u{1f600}b")])]);
        let parts = parts(&rich, 100);
        let entity = Entity { kind: "bold", offset: 5, length: 3, url: None, language: None };
        assert_eq!(parts, [Part { text: "\u{1f600} é \u{1f600}b".into(), entities: vec![entity] }]);
    }

    #[test]
    fn an_entity_over_a_cut_goes_on_in_the_next_part() {
        let rich = paragraph(vec![text("one "), Inline::Bold(vec![text("two three")])]);
        let told: Vec<(String, Vec<(usize, usize)>)> = parts(&rich, 8)
            .into_iter()
            .map(|part| {
                (part.text, part.entities.iter().map(|it| (it.offset, it.length)).collect())
            })
            .collect();
        assert_eq!(told, [("one two".into(), vec![(4, 3)]), ("three".into(), vec![(0, 5)])]);
    }

    #[test]
    fn styles_go_before_links_when_there_are_too_many_entities() {
        let mut content = Vec::new();
        for _ in 0..80 {
            let link =
                Inline::Link { href: "https://example.com/".into(), content: vec![text("l")] };
            content.extend([Inline::Bold(vec![text("b")]), text(" "), link, text(" ")]);
        }
        let parts = parts(&paragraph(content), 4096);
        assert_eq!(parts.len(), 1);
        let count = |kind| parts[0].entities.iter().filter(|it| it.kind == kind).count();
        assert_eq!((count("text_link"), count("bold")), (80, 20));
    }

    #[test]
    fn a_part_ends_before_the_hundred_and_first_link() {
        let link = |at| Inline::Link {
            href: format!("https://example.com/{at}"),
            content: vec![text("l")],
        };
        let content = (0..250).flat_map(|at| [link(at), text(" ")]).collect();
        let counts: Vec<usize> =
            parts(&paragraph(content), 4096).iter().map(|part| part.entities.len()).collect();
        assert_eq!(counts, [100, 100, 50]);
    }

    /// The bytes at which a text has a UTF-16 offset, if that is between characters.
    fn byte_of(text: &str, offset: usize) -> Option<usize> {
        let mut passed = 0;
        for (at, c) in text.char_indices() {
            if passed == offset {
                return Some(at);
            }
            passed += c.len_utf16();
        }
        (passed == offset).then_some(text.len())
    }

    fn assert_valid(part: &Part, most: usize) {
        assert!(is_visible(&part.text));
        assert_eq!(part.text.trim(), &part.text);
        assert!(part.text.encode_utf16().count() <= most);
        assert!(part.entities.len() <= ENTITIES_MAX);
        let mut open: Vec<(usize, usize, &str)> = vec![];
        let mut last = 0;
        for entity in &part.entities {
            let end = entity.offset + entity.length;
            assert!(entity.length > 0 && entity.offset >= last);
            last = entity.offset;
            assert!(byte_of(&part.text, entity.offset).is_some());
            assert!(byte_of(&part.text, end).is_some());
            open.retain(|(_, outer, _)| *outer > entity.offset);
            assert!(open.iter().all(|(_, outer, _)| end <= *outer));
            assert!(open.iter().all(|(_, _, kind)| *kind != "code" && *kind != "pre"));
            assert!(open.iter().all(|(_, _, kind)| *kind != entity.kind));
            if entity.kind == "code" || entity.kind == "pre" {
                assert!(open.iter().all(|(_, _, kind)| kind.ends_with("blockquote")));
            }
            open.push((entity.offset, end, entity.kind));
        }
    }

    fn visible(text: &str) -> String {
        essence(text).chars().filter(|c| is_visible(&c.to_string())).collect()
    }

    #[test]
    fn a_shortened_text_ends_at_the_best_place_and_keeps_a_way_on() {
        let link =
            Inline::Link { href: "https://example.com/a".into(), content: vec![text("Go on")] };
        let long = "One sentence. ".repeat(10);
        let rich = RichText {
            blocks: vec![
                Block::Paragraph(vec![text(long.trim())]),
                Block::Paragraph(vec![text("Another paragraph that ends with "), link.clone()]),
            ],
        };
        let part = shortened(&rich, 100, false).unwrap();
        assert!(part.text.ends_with("sentence.…\n\nGo on"), "{}", part.text);
        assert_eq!(part.entities[0].url.as_deref(), Some("https://example.com/a"));
        assert!(shortened(&rich, 100, true).unwrap().text.ends_with("sentence.…"));
        let part = shortened(&rich, 160, false).unwrap();
        assert!(part.text.ends_with("sentence.…\n\nGo on"), "{}", part.text);
        assert_eq!(shortened(&rich, 300, false).unwrap().text.chars().last(), Some('n'));

        let bare = RichText::from_plain(&format!("{long} https://example.com/b"));
        let part = shortened(&bare, 100, false).unwrap();
        assert!(part.text.ends_with("…\n\nhttps://example.com/b"), "{}", part.text);
        let inside = paragraph(vec![text("word "), link, text(&" word".repeat(40))]);
        let part = shortened(&inside, 12, false).unwrap();
        assert_eq!(part.text, "word Go on…");
    }

    #[test]
    fn a_long_expandable_quote_is_folded_and_a_short_one_is_not() {
        let quote = |words: &str| RichText {
            blocks: vec![Block::Quote {
                is_expandable: true,
                blocks: vec![Block::Paragraph(vec![text(words)])],
            }],
        };
        assert_eq!(parts(&quote("short"), 4096)[0].entities[0].kind, "blockquote");
        let long = parts(&quote(&"long ".repeat(100)), 4096);
        assert_eq!(long[0].entities[0].kind, "expandable_blockquote");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn any_tree_is_shortened_to_a_valid_part_that_is_its_beginning(
            rich in any_rich(),
            most in prop_oneof![Just(4096usize), Just(1024), 400usize..800],
        ) {
            let Some(part) = shortened(&rich, most, false) else {
                prop_assert!(parts(&rich, most).is_empty());
                return Ok(());
            };
            assert_valid(&part, most);
            let shown = match part.text.rsplit_once("…\n\n") {
                Some((shown, _)) if !parts(&rich, most)[0].text.starts_with(&part.text) => shown,
                _ => part.text.trim_end_matches('…'),
            };
            prop_assert!(visible(&rich.plain()).starts_with(&visible(shown)));
            prop_assert_eq!(shortened(&rich, most, false), Some(part));
        }

        #[test]
        fn any_tree_gives_parts_within_limits_with_valid_entities(
            rich in any_rich(),
            most in prop_oneof![Just(4096usize), Just(1024), 16usize..200],
        ) {
            let parts = parts(&rich, most);
            let mut sent = String::new();
            for part in &parts {
                sent.push_str(&part.text);
                assert_valid(part, most);
            }
            let (sent, whole) = (visible(&sent), visible(&rich.plain()));
            let is_start = || whole.starts_with(sent.trim_end_matches('…'));
            prop_assert!(sent == whole || parts.len() == PARTS_MAX && is_start());
        }
    }
}
