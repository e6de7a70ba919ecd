//! Arbitrary rich-text trees for property tests: every writing direction, joined emoji, combining
//! marks, control characters, texts longer than any limit, and links everywhere.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::model::message::{Action, Button};
use crate::model::rich::{Block, Inline, RichText};

/// A run of text as feeds have it and as nobody should; without line breaks, never empty.
pub(crate) fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => "[a-zA-Z]{1,12}[ .,!?]{0,2}",
        1 => Just(" ".to_owned()),
        1 => Just("\u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{200d}\u{1f466} ".to_owned()),
        1 => Just("\u{1f1f7}\u{1f1f4}\u{1f1f2}\u{1f1e9}".to_owned()),
        1 => Just("e\u{301}\u{323}\u{308}".to_owned()),
        1 => Just("\u{301}".to_owned()),
        1 => "[\u{5d0}-\u{5ea}]{2,8} ",
        1 => "[\u{627}-\u{63a}]{2,8}[ ؟]",
        1 => "[\u{4e00}-\u{4eff}]{1,30}[。！]?",
        1 => "\\PC{1,10}",
        1 => any::<char>().prop_filter("no line break", |c| *c != '\n').prop_map(String::from),
        1 => Just("https://example.com/a?b=1!c&d=(e)".to_owned()),
    ];
    (vec(piece, 1..8), prop_oneof![8 => 1usize..3, 1 => 1usize..60])
        .prop_map(|(pieces, times)| pieces.concat().repeat(times))
}

fn any_inlines() -> impl Strategy<Value = Vec<Inline>> {
    let leaf = prop_oneof![
        8 => any_text().prop_map(Inline::Text),
        1 => Just(Inline::Break),
        1 => any_text().prop_map(Inline::Code),
    ];
    let inline = leaf.prop_recursive(4, 24, 4, |inner| {
        let content = vec(inner, 0..4);
        let path = "[a-z]{1,20}";
        prop_oneof![
            content.clone().prop_map(Inline::Bold),
            content.clone().prop_map(Inline::Italic),
            content.clone().prop_map(Inline::Underline),
            content.clone().prop_map(Inline::Strike),
            content.clone().prop_map(Inline::Spoiler),
            (path, content).prop_map(|(path, content)| Inline::Link {
                href: format!("https://example.com/{path}"),
                content,
            }),
        ]
    });
    vec(inline, 0..6)
}

/// A tree of any shape, from empty to several thousand characters.
pub(crate) fn any_rich() -> impl Strategy<Value = RichText> {
    let leaf = prop_oneof![
        6 => any_inlines().prop_map(Block::Paragraph),
        1 => (1u8..=6, any_inlines())
            .prop_map(|(level, content)| Block::Heading { level, content }),
        1 => (option::of("[a-z]{1,8}"), vec(any_text(), 0..4))
            .prop_map(|(language, lines)| Block::Code { language, text: lines.join("\n") }),
        1 => Just(Block::Rule),
    ];
    let block = leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            (option::of(0u32..12), vec(vec(inner.clone(), 0..3), 0..4))
                .prop_map(|(start, items)| Block::List { start, items }),
            vec(inner, 0..3).prop_map(Block::quote),
        ]
    });
    vec(block, 0..6).prop_map(|blocks| RichText { blocks })
}

/// As [`any_rich`], with tables and quotes that may be folded.
pub(crate) fn any_text_with_tables() -> impl Strategy<Value = RichText> {
    let rows = vec(vec(any_inlines(), 0..4), 1..6);
    let table = (any::<bool>(), rows).prop_map(|(has_head, rows)| Block::Table { has_head, rows });
    let block = prop_oneof![
        2 => table,
        1 => any_rich().prop_map(|rich| Block::Quote { is_expandable: true, blocks: rich.blocks }),
    ];
    (any_rich(), vec(block, 0..3)).prop_map(|(mut rich, blocks)| {
        rich.blocks.extend(blocks);
        rich
    })
}

/// Buttons with labels of any length, payloads within the contract.
pub(crate) fn any_buttons() -> impl Strategy<Value = Vec<Button>> {
    let action = prop_oneof![
        "[a-z]{1,12}".prop_map(|path| Action::Open { url: format!("https://example.com/{path}") }),
        "[ -~]{1,64}".prop_map(|payload| Action::Postback { payload }),
        "\\PC{1,128}".prop_map(|text| Action::Copy { text }),
    ];
    let button = (any_text(), action).prop_map(|(label, action)| Button::new(label, action));
    vec(button, 0..6)
}

/// What must arrive of a text: its characters but white space and those nobody keeps.
pub(crate) fn essence(text: &str) -> String {
    text.chars().filter_map(crate::channel::flat::kept).filter(|c| !c.is_whitespace()).collect()
}
