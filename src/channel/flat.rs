//! From the rich-text tree to one line of characters with marks over it: what both services'
//! texts are made of. Knows no service's limits.
//!
//! Blocks are parted by an empty line, list items by a line feed; items carry a bullet or their
//! number and are indented by depth. Small tables are aligned, others have a line for each cell
//! with the name of its column. Characters that the services would drop are dropped here, so
//! that what is counted is what arrives.

use std::ops::Range;

use unicode_segmentation::GraphemeCursor;

use crate::channel::grid;
use crate::model::rich::{Block, Inline, RichText};

/// One indentation of a list within a list.
const INDENT: &str = "   ";

/// How far back the begin of a grapheme is looked for.
const GRAPHEME_BYTES_SEEN: usize = 2048;

/// A text and what its stretches are.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Flat<'a> {
    /// Without white space at either end.
    pub text: String,
    /// By place, the outer before the inner. Never empty, never ending inside a grapheme or with
    /// white space at either end (but under a combining mark); of two marks either one holds the
    /// other or they are apart.
    pub marks: Vec<Mark<'a>>,
}

/// A stretch of the text, in bytes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mark<'a> {
    pub range: Range<usize>,
    pub kind: MarkKind<'a>,
}

/// What a stretch is. `Code` and `Pre` hold no mark, are held by `Quote` alone; quotes and links
/// hold none of their own kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MarkKind<'a> {
    Bold,
    Italic,
    Underline,
    Strike,
    Spoiler,
    Code,
    Pre { language: Option<&'a str> },
    Link { href: &'a str },
    Quote { is_expandable: bool },
}

/// How much of the structure is to be spelled in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// Marks tell it.
    Marks,
    /// Nobody will see marks, and nothing can be aligned: `label (address)` for links, `> ` before
    /// the lines of quotes.
    Letters,
}

/// Flattens a tree.
pub(crate) fn flatten(rich: &RichText, spelling: Spelling) -> Flat<'_> {
    let mut writer = Writer::new(spelling);
    writer.blocks(&rich.blocks, Between::Empty, 0);
    writer.finish()
}

/// A character as the services keep it; `None` is dropped.
///
/// Telegram turns other white space than the line feed into a space and drops control characters
/// and U+2028 to U+202E (tdlib, `clean_input_string`): overrides of the writing direction must
/// not reach beyond their text anyway.
pub(crate) fn kept(c: char) -> Option<char> {
    match c {
        '\n' => Some('\n'),
        '\t' | '\u{2028}' | '\u{2029}' => Some(' '),
        '\u{202a}'..='\u{202e}' | '\u{feff}' => None,
        _ if c.is_control() => None,
        _ => Some(c),
    }
}

/// The text of the characters that are [`kept`].
pub(crate) fn clean(text: &str) -> String {
    text.chars().filter_map(kept).collect()
}

/// What stands between two blocks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Between {
    Empty,
    Line,
}

struct Writer<'a> {
    text: String,
    marks: Vec<Mark<'a>>,
    spelling: Spelling,
    /// Styles that are open, outermost first, with the place where they opened.
    open: Vec<(MarkKind<'a>, usize)>,
    is_in_link: bool,
    quote_begin: Option<usize>,
    /// What is to be written before anything else: nothing follows the last block.
    pending: Option<(Between, usize)>,
    /// A bullet or a quote has just begun: the next block stands on its line.
    is_on_fresh_line: bool,
}

impl<'a> Writer<'a> {
    fn new(spelling: Spelling) -> Self {
        Self {
            text: String::new(),
            marks: Vec::new(),
            spelling,
            open: Vec::new(),
            is_in_link: false,
            quote_begin: None,
            pending: None,
            is_on_fresh_line: true,
        }
    }

    fn blocks(&mut self, blocks: &'a [Block], between: Between, depth: usize) {
        for block in blocks {
            self.part(between, depth);
            match block {
                Block::Paragraph(content) => self.inlines(content),
                Block::Heading { content, .. } => self.styled(MarkKind::Bold, content),
                Block::List { start, items } => self.list(*start, items, depth),
                Block::Quote { is_expandable, blocks } => {
                    self.quote(*is_expandable, blocks, between, depth);
                }
                Block::Table { has_head, rows } => self.table(*has_head, rows, depth),
                Block::Code { language, text } => {
                    self.flush();
                    let begin = self.text.len();
                    self.push(text);
                    self.mark(begin, MarkKind::Pre { language: language.as_deref() });
                }
                Block::Rule => {}
            }
        }
    }

    fn list(&mut self, start: Option<u32>, items: &'a [Vec<Block>], depth: usize) {
        for (at, item) in (0u32..).zip(items) {
            if at > 0 {
                self.part(Between::Line, depth);
            }
            match start {
                Some(first) => self.push(&format!("{}. ", first.saturating_add(at))),
                None => self.push("• "),
            }
            self.is_on_fresh_line = true;
            self.blocks(item, Between::Line, depth + 1);
            self.is_on_fresh_line = false;
        }
    }

    fn quote(&mut self, is_expandable: bool, inner: &'a [Block], between: Between, depth: usize) {
        let is_outermost = self.quote_begin.is_none();
        if is_outermost {
            self.flush();
            self.quote_begin = Some(self.text.len());
            if self.spelling == Spelling::Letters {
                self.text.push_str("> ");
            }
        }
        self.is_on_fresh_line = true;
        self.blocks(inner, between, depth);
        self.is_on_fresh_line = false;
        if is_outermost && let Some(begin) = self.quote_begin.take() {
            self.mark(begin, MarkKind::Quote { is_expandable });
        }
    }

    /// The next thing written begins a block.
    fn part(&mut self, between: Between, depth: usize) {
        if !std::mem::take(&mut self.is_on_fresh_line) {
            self.pending = Some((between, depth));
        }
    }

    /// Writes what is pending, in place of the white space that the block before ended with.
    fn flush(&mut self) {
        let Some((between, depth)) = self.pending.take() else { return };
        let end = self.text.trim_end_matches([' ', '\n']).len();
        self.text.truncate(end);
        // Marks were closed in the order of their ends.
        for mark in self.marks.iter_mut().rev().take_while(|mark| mark.range.end > end) {
            mark.range = mark.range.start.min(end)..end;
        }
        self.quote_begin = self.quote_begin.map(|begin| begin.min(end));
        if !self.text.is_empty() {
            self.line_feed();
            if between == Between::Empty {
                self.line_feed();
            }
        }
        self.text.extend(std::iter::repeat_n(INDENT, depth.saturating_sub(1)));
    }

    fn line_feed(&mut self) {
        self.text.push('\n');
        if self.spelling == Spelling::Letters && self.quote_begin.is_some() {
            self.text.push_str("> ");
        }
    }

    fn inlines(&mut self, content: &'a [Inline]) {
        for inline in content {
            match inline {
                Inline::Text(text) => self.push(text),
                Inline::Break => self.line_feed(),
                Inline::Code(text) => self.code(text),
                Inline::Bold(inner) => self.styled(MarkKind::Bold, inner),
                Inline::Italic(inner) => self.styled(MarkKind::Italic, inner),
                Inline::Underline(inner) => self.styled(MarkKind::Underline, inner),
                Inline::Strike(inner) => self.styled(MarkKind::Strike, inner),
                Inline::Spoiler(inner) => self.styled(MarkKind::Spoiler, inner),
                Inline::Link { href, content } => self.link(href, content),
            }
        }
    }

    /// An aligned table is a piece of code, so one with links is not: code holds no marks.
    fn table(&mut self, has_head: bool, rows: &'a [Vec<Vec<Inline>>], depth: usize) {
        let is_plain = !rows.iter().flatten().any(|cell| has_link(cell));
        if self.spelling == Spelling::Marks && depth == 0 && is_plain {
            let rows: Vec<Vec<String>> =
                rows.iter().map(|row| row.iter().map(|cell| words(cell)).collect()).collect();
            if let Some(text) = grid::aligned(&rows, has_head) {
                self.flush();
                let begin = self.text.len();
                self.push(&text);
                self.mark(begin, MarkKind::Pre { language: None });
                return;
            }
        }
        match rows.split_first() {
            Some((head, records)) if has_head && has_values(head, records) => {
                for (at, record) in records.iter().enumerate() {
                    if at > 0 {
                        self.part(Between::Empty, depth);
                    }
                    self.record(head, record, depth);
                }
            }
            _ => self.lines(rows, depth),
        }
    }

    /// The cells of a row on lines of their own, each behind the name of its column.
    fn record(&mut self, head: &'a [Vec<Inline>], record: &'a [Vec<Inline>], depth: usize) {
        let filled = record.iter().enumerate().filter(|(_, cell)| !words(cell).is_empty());
        for (line, (column, cell)) in filled.enumerate() {
            if line > 0 {
                self.part(Between::Line, depth);
            }
            if let Some(name) = head.get(column).filter(|name| !words(name).is_empty()) {
                self.inlines(name);
                self.push(if words(name).ends_with(':') { " " } else { ": " });
            }
            self.inlines(cell);
        }
    }

    /// A line for each row; two cells are parted by a colon, more by bars.
    fn lines(&mut self, rows: &'a [Vec<Vec<Inline>>], depth: usize) {
        let is_pairs = rows.iter().all(|row| row.len() <= 2);
        for (at, row) in rows.iter().enumerate() {
            if at > 0 {
                self.part(Between::Line, depth);
            }
            let filled = row.iter().filter(|cell| !words(cell).is_empty());
            for (place, cell) in filled.enumerate() {
                if place > 0 {
                    let first = row.first().map(|cell| words(cell)).unwrap_or_default();
                    self.push(match is_pairs {
                        true if first.ends_with(':') => " ",
                        true => ": ",
                        false => " | ",
                    });
                }
                self.inlines(cell);
            }
        }
    }

    fn styled(&mut self, kind: MarkKind<'a>, content: &'a [Inline]) {
        if self.open.iter().any(|(open, _)| *open == kind) {
            return self.inlines(content);
        }
        self.flush();
        self.open.push((kind, self.text.len()));
        self.inlines(content);
        if let Some((_, begin)) = self.open.pop() {
            self.mark(begin, kind);
        }
    }

    fn link(&mut self, href: &'a str, content: &'a [Inline]) {
        if self.is_in_link {
            return self.inlines(content);
        }
        self.flush();
        self.is_in_link = true;
        let begin = self.text.len();
        self.inlines(content);
        if self.spelling == Spelling::Letters {
            let label = self.text.get(begin..).unwrap_or("").trim();
            if label.is_empty() {
                self.text.truncate(begin);
                self.push(href);
            } else if !is_address(label, href) {
                let spaced = self.text.trim_end().len();
                self.text.truncate(spaced);
                self.push(&format!(" ({href})"));
            }
        }
        self.mark(begin, MarkKind::Link { href });
        self.is_in_link = false;
    }

    /// Code holds no other mark and is held by no style: those stop before it and go on after.
    fn code(&mut self, text: &str) {
        if self.is_in_link {
            return self.push(text);
        }
        self.flush();
        let mut open = std::mem::take(&mut self.open);
        for (kind, begin) in open.iter().rev() {
            self.mark(*begin, *kind);
        }
        let begin = self.text.len();
        self.push(text);
        self.mark(begin, MarkKind::Code);
        open.iter_mut().for_each(|(_, begin)| *begin = self.text.len());
        self.open = open;
    }

    fn push(&mut self, text: &str) {
        self.flush();
        for c in text.chars().filter_map(kept) {
            if c == '\n' {
                self.line_feed();
            } else {
                self.text.push(c);
            }
        }
    }

    fn mark(&mut self, begin: usize, kind: MarkKind<'a>) {
        if begin < self.text.len() {
            self.marks.push(Mark { range: begin..self.text.len(), kind });
        }
    }

    fn finish(mut self) -> Flat<'a> {
        self.text.truncate(self.text.trim_end().len());
        let leading = self.text.len() - self.text.trim_start().len();
        self.text.drain(..leading);
        let text = self.text;
        let snapped = |place: usize| snap(&text, place.saturating_sub(leading).min(text.len()));
        let mut marks: Vec<Mark<'a>> = Vec::with_capacity(self.marks.len());
        for mark in self.marks {
            let range = trim(&text, snapped(mark.range.start)..snapped(mark.range.end));
            if !range.is_empty() {
                // White space under a combining mark is no white space.
                let start = snap(&text, range.start);
                marks.push(Mark { range: start..range.end, ..mark });
            }
        }
        // Inner marks were closed first: of equal ranges the later is the outer one.
        marks.reverse();
        marks.sort_by_key(|mark| (mark.range.start, usize::MAX - mark.range.end));
        Flat { text, marks }
    }
}

/// The words of a cell on one line.
fn words(content: &[Inline]) -> String {
    fn gather(content: &[Inline], out: &mut String) {
        for inline in content {
            match inline {
                Inline::Text(text) | Inline::Code(text) => out.push_str(text),
                Inline::Break => out.push(' '),
                _ => gather(inline.content().unwrap_or_default(), out),
            }
        }
    }
    let mut out = String::new();
    gather(content, &mut out);
    clean(&out).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether each name of a column has something to stand before.
fn has_values(head: &[Vec<Inline>], records: &[Vec<Vec<Inline>>]) -> bool {
    head.iter().enumerate().all(|(column, name)| {
        let is_filled = |record: &Vec<Vec<Inline>>| {
            record.get(column).is_some_and(|cell| !words(cell).is_empty())
        };
        words(name).is_empty() || records.iter().any(is_filled)
    })
}

fn has_link(content: &[Inline]) -> bool {
    content.iter().any(|inline| {
        matches!(inline, Inline::Link { .. }) || inline.content().is_some_and(has_link)
    })
}

/// The label says no more than the address.
fn is_address(label: &str, href: &str) -> bool {
    let bare = |text: &str| -> String {
        let text = text.trim_start_matches("https://").trim_start_matches("http://");
        text.trim_start_matches("www.").trim_end_matches('/').to_owned()
    };
    bare(label) == bare(href)
}

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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::channel::trees::{any_rich, any_text_with_tables, essence};

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
        assert_eq!(
            marked(&rich),
            expected(&[("Quote", "out within\n\nin"), ("Link", "out within")])
        );
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
}
