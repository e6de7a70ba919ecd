use proptest::prelude::*;

use super::*;
use crate::channel::trees::{any_rich, any_text_with_tables, essence};
use crate::model::rich::{Block, Inline};

fn text(text: &str) -> Inline {
    Inline::Text(text.to_owned())
}

fn rich(blocks: Vec<Block>) -> RichText {
    RichText { blocks }
}

fn link(label: &str) -> Inline {
    Inline::Link { href: "https://example.com/".to_owned(), content: vec![text(label)] }
}

fn marked(rich: &RichText) -> Vec<(String, String)> {
    let flat = flatten(rich, Spelling::Marks);
    let name = |kind: MarkKind<'_>| format!("{kind:?}").split(' ').next().unwrap().to_owned();
    flat.marks
        .iter()
        .map(|mark| (name(mark.kind), flat.text[mark.range.clone()].to_owned()))
        .collect()
}

fn expected(marks: &[(&str, &str)]) -> Vec<(String, String)> {
    marks.iter().map(|(kind, text)| ((*kind).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn blocks_stand_apart_and_list_items_on_lines_of_their_own() {
    let item = |words: &str| vec![Block::Paragraph(vec![text(words)])];
    let inner = Block::List { start: Some(3), items: vec![item("c"), item("d")] };
    let nested = vec![Block::Paragraph(vec![text("b")]), inner];
    let rich = rich(vec![
        Block::Heading { level: 1, content: vec![text("Title")] },
        Block::Paragraph(vec![text("one  "), Inline::Break]),
        Block::Rule,
        Block::List { start: None, items: vec![item("a"), nested] },
        Block::Code { language: None, text: "x\n  y\n".to_owned() },
    ]);
    let flat = flatten(&rich, Spelling::Marks);
    assert_eq!(flat.text, "Title\n\none\n\n• a\n• b\n3. c\n4. d\n\nx\n  y");
}

#[test]
fn styles_stop_at_code_and_are_not_repeated() {
    let inner = Inline::Italic(vec![text("a "), Inline::Code("b".to_owned()), text(" c")]);
    let rich = rich(vec![Block::Heading {
        level: 2,
        content: vec![Inline::Bold(vec![text("x "), inner]), text("  ")],
    }]);
    assert_eq!(
        marked(&rich),
        expected(&[
            ("Bold", "x a"),
            ("Italic", "a"),
            ("Code", "b"),
            ("Bold", "c"),
            ("Italic", "c"),
        ])
    );
}

#[test]
fn a_mark_does_not_grow_over_white_space_that_went() {
    let rich = rich(vec![
        Block::Paragraph(vec![Inline::Bold(vec![text("a        ")])]),
        Block::quote(vec![
            Block::Paragraph(vec![text("       ")]),
            Block::Paragraph(vec![text("b")]),
        ]),
    ]);
    assert_eq!(marked(&rich), expected(&[("Bold", "a"), ("Quote", "b")]));
}

#[test]
fn quotes_and_links_do_not_nest() {
    let deep = Block::quote(vec![Block::Paragraph(vec![text("in")])]);
    let outer = Inline::Link {
        href: "https://example.org/".to_owned(),
        content: vec![text("out "), link("within")],
    };
    let rich = rich(vec![Block::quote(vec![Block::Paragraph(vec![outer]), deep])]);
    assert_eq!(marked(&rich), expected(&[("Quote", "out within\n\nin"), ("Link", "out within")]));
}

#[test]
fn letters_spell_what_marks_would_tell() {
    let rich = rich(vec![
        Block::quote(vec![
            Block::Paragraph(vec![text("a"), Inline::Break, link("b")]),
            Block::Paragraph(vec![text("c")]),
        ]),
        Block::Paragraph(vec![link("example.com"), text(" "), link(" ")]),
    ]);
    let flat = flatten(&rich, Spelling::Letters);
    assert_eq!(
        flat.text,
        "> a\n> b (https://example.com/)\n> \n> c\n\nexample.com https://example.com/"
    );
}

#[test]
fn no_mark_ends_inside_a_grapheme() {
    let rich = rich(vec![Block::Paragraph(vec![
        Inline::Bold(vec![text("ae")]),
        Inline::Italic(vec![text("\u{301}b")]),
    ])]);
    assert_eq!(marked(&rich), expected(&[("Bold", "a"), ("Italic", "e\u{301}b")]));
}

fn table(has_head: bool, rows: &[&[Inline]]) -> RichText {
    let cell = |inline: &Inline| match inline {
        Inline::Break => vec![],
        other => vec![other.clone()],
    };
    let rows = rows.iter().map(|row| row.iter().map(cell).collect()).collect();
    rich(vec![Block::Table { has_head, rows }])
}

#[test]
fn a_small_table_is_aligned_and_another_is_read_line_by_line() {
    let small = table(true, &[&[text("Plan"), text("Price")], &[text("Basic"), text("3")]]);
    let flat = flatten(&small, Spelling::Marks);
    assert_eq!(flat.text, "Plan   Price\n────────────\nBasic  3");
    assert_eq!(flat.marks.len(), 1);
    assert_eq!(flatten(&small, Spelling::Letters).text, "Plan: Basic\nPrice: 3");

    let linked = table(
        true,
        &[
            &[text("Plan:"), text("Price"), text("More")],
            &[text("Basic"), Inline::Break, link("Read")],
            &[Inline::Bold(vec![text("Pro")]), text("9"), Inline::Break],
        ],
    );
    let flat = flatten(&linked, Spelling::Marks);
    assert_eq!(flat.text, "Plan: Basic\nMore: Read\n\nPlan: Pro\nPrice: 9");
    assert_eq!(marked(&linked), expected(&[("Link", "Read"), ("Bold", "Pro")]));

    let wide = "w".repeat(50);
    let pairs = table(false, &[&[text("Size:"), text(&wide)], &[text("Colour"), text("red")]]);
    assert_eq!(flatten(&pairs, Spelling::Marks).text, format!("Size: {wide}\nColour: red"));
}

#[test]
fn direction_overrides_and_control_characters_are_dropped() {
    let rich = RichText::from_plain("a\u{202e}b\u{0}c\td\u{2028}e");
    assert_eq!(flatten(&rich, Spelling::Marks).text, "abc d e");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_table_keeps_the_words_of_its_cells(rich in any_text_with_tables()) {
        for spelling in [Spelling::Marks, Spelling::Letters] {
            let text = essence(&flatten(&rich, spelling).text);
            let tables = rich.blocks.iter().filter_map(|block| match block {
                Block::Table { rows, .. } => Some(rows),
                _ => None,
            });
            for cell in tables.flatten().flatten() {
                for inline in cell {
                    if let Inline::Text(words) = inline {
                        prop_assert!(text.contains(&essence(words)), "{:?}", words);
                    }
                }
            }
        }
    }

    #[test]
    fn any_tree_keeps_its_words(rich in any_rich()) {
        let flat = flatten(&rich, Spelling::Marks);
        prop_assert_eq!(essence(&flat.text), essence(&rich.plain()));
    }

    #[test]
    fn any_tree_nests_its_marks(rich in any_text_with_tables()) {
        let flat = flatten(&rich, Spelling::Marks);
        prop_assert_eq!(flat.text.trim(), &flat.text);
        let mut open: Vec<Range<usize>> = vec![];
        let mut last = 0;
        for mark in &flat.marks {
            let Range { start, end } = mark.range;
            prop_assert!(start >= last && start < end);
            last = start;
            prop_assert_eq!(snap(&flat.text, start), start);
            prop_assert_eq!(snap(&flat.text, end), end);
            let trimmed = trim(&flat.text, start..end);
            prop_assert_eq!(snap(&flat.text, trimmed.start)..trimmed.end, start..end);
            open.retain(|outer| outer.end > start);
            prop_assert!(open.iter().all(|outer| end <= outer.end));
            open.push(start..end);
        }
    }
}
