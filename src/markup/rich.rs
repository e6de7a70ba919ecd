//! HTML to the tree.
//!
//! 1. The scanner gives texts and tags. Tags that style a line only count up and down; tags of
//!    quotes and lists open and close a frame on a short stack; tags of other blocks end the line.
//! 2. Words go to the line as runs, each with the styles that hold at that moment. So it does not
//!    matter how tags overlap, repeat or are left open.
//! 3. A line that ends becomes a block: its runs are nested in one fixed order of styles. Hence
//!    equal looks give equal trees, neighbours never need merging, and the depth is bounded.
//!
//! What a style or a link opens inside a quote or a list item ends with it at the latest.

use std::rc::Rc;

use url::Url;

use crate::markup::address::address_text;
use crate::markup::element::{Element, MARKS, Mark};
use crate::markup::entity;
use crate::markup::glyphs::{Filter, normal};
use crate::markup::line::{Line, Style};
use crate::markup::scan::{Scanner, Tag, Token};
use crate::markup::table::{self, LOOKS_MAX, Rows};
use crate::model::rich::{Block, DEPTH_MAX, RichText};

/// Most text of one tree in bytes, the addresses of its links included; the rest is left out.
pub const TEXT_BYTES_MAX: usize = 1 << 20;

/// Most blocks and differently styled pieces of one tree; the rest is left out.
pub const PIECES_MAX: usize = 1 << 16;

/// Most quotes and lists within each other; deeper ones join the one around them. Below stand a
/// paragraph, a link and the marks, the last of which is the text itself.
const CONTAINERS_MAX: usize = DEPTH_MAX - MARKS - 2;

/// Longest name of a code block's language, in bytes.
const LANGUAGE_BYTES_MAX: usize = 32;

/// Reads HTML, a fragment or a page, into the tree; relative links are resolved against `base`.
///
/// Guarantees: at most [`DEPTH_MAX`] levels, no empty text or block, white space folded as HTML
/// does, characters as [`clean`](crate::markup::clean) leaves them, links absolute http or https
/// (others become their text). Pictures and other media are left out. Linear in time and memory.
pub fn rich(html: &str, base: Option<&Url>) -> RichText {
    let mut builder = RichBuilder { base, ..RichBuilder::default() };
    let mut scanner = Scanner::new(html);
    while !builder.is_full()
        && let Some(token) = scanner.next()
    {
        builder.take(&token, &mut scanner);
    }
    builder.finish()
}

/// Makes a tree of tokens, one after another: for readers that give only some of theirs to it.
#[derive(Default)]
pub(crate) struct RichBuilder<'a> {
    base: Option<&'a Url>,
    /// Elements before which the tree will end, which a look ahead does not pass.
    ends: &'a [&'a str],
    root: Vec<Block>,
    frames: Vec<Frame>,
    /// Frames that were not opened because of the limit.
    flattened: u32,
    line: Line,
    /// What the line is going to be.
    role: Role,
    /// The code block that is open; then there is no line.
    code: Option<Code>,
    open: Open,
    /// For each open span, whether it is a spoiler.
    spans: Vec<bool>,
    superscripts: u32,
    /// Tables that are open and read as lines.
    layouts: u32,
    spent: usize,
    pieces: usize,
}

/// A quote, list, list item or table that is open.
struct Frame {
    kind: FrameKind,
    /// What was open when it began, to be restored when it ends.
    outside: Open,
    spans: usize,
}

enum FrameKind {
    Quote {
        blocks: Vec<Block>,
        is_expandable: bool,
        /// Ends with `</details>`.
        is_details: bool,
    },
    List {
        start: Option<u32>,
        items: Vec<Vec<Block>>,
        /// Made for an item that stood in no list.
        is_implied: bool,
    },
    /// Its frame stands on a list's.
    Item(Vec<Block>),
    /// Always the innermost: nothing in it is more than a line.
    Table(Rows),
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Role {
    #[default]
    Paragraph,
    Heading(u8),
    Term,
}

#[derive(Default)]
struct Code {
    language: Option<String>,
    text: String,
    filter: Filter,
}

/// Styles that are open: how many elements of each mark, and the link.
#[derive(Clone, Default)]
struct Open {
    marks: [u32; MARKS],
    link: Option<Rc<str>>,
}

impl<'a> RichBuilder<'a> {
    /// A tree that its reader will end before any of these elements.
    pub(crate) fn up_to(ends: &'a [&'a str]) -> Self {
        Self { ends, ..Self::default() }
    }
}

impl RichBuilder<'_> {
    /// Takes in the token that `scanner` gave last. Goes on behind what is left out.
    pub(crate) fn take<'s>(&mut self, token: &Token<'s>, scanner: &mut Scanner<'s>) {
        match token {
            Token::Text(text) => self.text(&entity::decode(text)),
            Token::Open(tag) => {
                let element = Element::of(tag.name);
                match element {
                    Element::Dropped | Element::DroppedText => scanner.skip_element(element, tag),
                    Element::Table
                        if self.is_to_look() && table::is_table(scanner.clone(), self.ends) =>
                    {
                        self.open_table();
                    }
                    _ => self.open(element, tag),
                }
                if tag.is_empty {
                    self.close(element);
                }
            }
            Token::Close(name) => self.close(Element::of(name)),
        }
    }

    fn is_full(&self) -> bool {
        self.spent >= TEXT_BYTES_MAX || self.pieces >= PIECES_MAX
    }

    fn text(&mut self, text: &str) {
        let room = TEXT_BYTES_MAX - self.spent.min(TEXT_BYTES_MAX);
        let text = &text[..text.floor_char_boundary(room)];
        if let Some(code) = &mut self.code {
            self.spent += text.len();
            code.push_str(text);
            return;
        }
        let before = self.line.runs();
        if before == 0 && text.trim_ascii_start().is_empty() {
            return;
        }
        let style = self.style();
        self.spent += match self.superscripts {
            0 => self.line.push_str(text, &style),
            _ => text.chars().map(|c| self.line.push(superscript(c), &style)).sum(),
        };
        let runs = self.line.runs() - before;
        self.pieces += runs;
        self.spent += runs * style.link.as_ref().map_or(0, |link| link.len());
    }

    fn open(&mut self, element: Element, tag: &Tag<'_>) {
        if self.code.is_some() {
            return self.open_in_code(element, tag);
        }
        let element = self.within_table(element);
        match element {
            Element::Inline | Element::Dropped | Element::DroppedText => {}
            Element::Mark(mark) => self.open.marks[mark as usize] += 1,
            Element::Link => {
                self.open.link = tag
                    .attribute("href")
                    .and_then(|href| address_text(&href, self.base))
                    .map(Rc::from);
            }
            Element::Span => {
                let is_spoiler = tag.has_class("tg-spoiler") || tag.has_class("spoiler");
                self.spans.push(is_spoiler);
                self.open.marks[Mark::Spoiler as usize] += u32::from(is_spoiler);
            }
            Element::QuoteMarks => self.text("“"),
            Element::Superscript => self.superscripts += 1,
            Element::Break => {
                let style = self.style();
                self.line.line_break(&style);
            }
            Element::Block => self.end_line(),
            Element::Heading(level) => self.start(Role::Heading(level)),
            Element::Term => self.start(Role::Term),
            Element::Quote => {
                self.start(Role::Paragraph);
                let is_expandable = tag.attribute("expandable").is_some();
                self.push_frame(FrameKind::quote(is_expandable, false));
            }
            Element::Details => {
                self.start(Role::Paragraph);
                self.push_frame(FrameKind::quote(true, true));
            }
            Element::Table => {
                self.end_line();
                self.layouts = self.layouts.saturating_add(1);
            }
            Element::List { is_ordered } => {
                self.start(Role::Paragraph);
                let first = || tag.attribute("start")?.trim().parse().ok();
                let start = is_ordered.then(|| first().unwrap_or(1));
                self.push_frame(FrameKind::List { start, items: vec![], is_implied: false });
            }
            Element::Item => self.open_item(),
            Element::Row => self.row(),
            Element::Cell => self.cell(tag.name.eq_ignore_ascii_case("th")),
            Element::Preformatted => {
                self.start(Role::Paragraph);
                self.code = Some(Code { language: language(tag), ..Code::default() });
            }
            Element::Rule => {
                self.start(Role::Paragraph);
                self.add(Block::Rule);
            }
        }
    }

    fn close(&mut self, element: Element) {
        if self.code.is_some() {
            if element == Element::Preformatted {
                self.end_code();
            }
            return;
        }
        let element = self.within_table(element);
        match element {
            Element::Mark(mark) => {
                let floor = self.frames.last().map_or(0, |it| it.outside.marks[mark as usize]);
                let count = &mut self.open.marks[mark as usize];
                *count = count.saturating_sub(1).max(floor.min(*count));
            }
            Element::Link => self.open.link = None,
            Element::Span => {
                let floor = self.frames.last().map_or(0, |it| it.spans);
                if self.spans.len() > floor && self.spans.pop() == Some(true) {
                    self.open.marks[Mark::Spoiler as usize] -= 1;
                }
            }
            Element::QuoteMarks => self.text("”"),
            Element::Superscript => self.superscripts = self.superscripts.saturating_sub(1),
            Element::Block => self.end_line(),
            Element::Heading(_) | Element::Term => self.start(Role::Paragraph),
            Element::Quote => {
                self.close_frame(|kind| matches!(kind, FrameKind::Quote { is_details: false, .. }));
            }
            Element::Details => {
                self.close_frame(|kind| matches!(kind, FrameKind::Quote { is_details: true, .. }));
            }
            Element::Table => self.close_table(),
            Element::List { .. } => {
                self.close_frame(|kind| matches!(kind, FrameKind::List { .. }));
            }
            Element::Item => {
                self.start(Role::Paragraph);
                self.pop_item();
            }
            Element::Row => self.row(),
            Element::Cell => self.end_cell(),
            Element::Inline
            | Element::Break
            | Element::Preformatted
            | Element::Rule
            | Element::Dropped
            | Element::DroppedText => {}
        }
    }

    /// Whether the table that begins is to be looked at; else it is read as lines.
    fn is_to_look(&self) -> bool {
        self.code.is_none()
            && self.layouts < LOOKS_MAX
            && !matches!(self.top(), Some(FrameKind::Table(_)))
    }

    fn open_table(&mut self) {
        self.start(Role::Paragraph);
        let kind = FrameKind::Table(Rows::default());
        self.frames.push(Frame { kind, outside: self.open.clone(), spans: self.spans.len() });
    }

    fn close_table(&mut self) {
        if matches!(self.top(), Some(FrameKind::Table(_))) {
            self.end_cell();
            self.pop_frame();
        } else {
            self.end_line();
            self.layouts = self.layouts.saturating_sub(1);
        }
    }

    /// In a table, what would be a block only ends a line of its cell.
    fn within_table(&mut self, element: Element) -> Element {
        let is_kept = element.is_within_line()
            || matches!(
                element,
                Element::Break
                    | Element::Row
                    | Element::Cell
                    | Element::Table
                    | Element::Dropped
                    | Element::DroppedText
            );
        if is_kept || !matches!(self.top(), Some(FrameKind::Table(_))) {
            return element;
        }
        let style = self.style();
        self.line.row(&style);
        Element::Inline
    }

    /// A row begins or ends.
    fn row(&mut self) {
        self.end_cell();
        if let Some(Frame { kind: FrameKind::Table(rows), .. }) = self.frames.last_mut() {
            rows.end_row();
            self.pieces += 1;
            return;
        }
        let style = self.style();
        self.line.row(&style);
    }

    fn cell(&mut self, is_head: bool) {
        self.end_cell();
        if let Some(Frame { kind: FrameKind::Table(rows), .. }) = self.frames.last_mut() {
            rows.begin_cell(is_head);
            self.pieces += 1;
            return;
        }
        let style = self.style();
        self.line.cell(&style);
    }

    /// Ends the cell of a table, or the words before its first; what was opened there ends too.
    fn end_cell(&mut self) {
        let Some(Frame { kind: FrameKind::Table(rows), outside, spans }) = self.frames.last_mut()
        else {
            return;
        };
        self.superscripts = 0;
        rows.end_cell(self.line.take_content());
        self.open = outside.clone();
        self.spans.truncate(*spans);
    }

    /// The tree of all that came; begins another.
    pub(crate) fn finish(&mut self) -> RichText {
        self.end_code();
        self.end_cell();
        self.end_line();
        while !self.frames.is_empty() {
            self.pop_frame();
        }
        without_last_rule(&mut self.root);
        let blocks = std::mem::take(&mut self.root);
        // The line is empty now, but has room.
        let line = std::mem::take(&mut self.line);
        *self = Self { base: self.base, ends: self.ends, line, ..Self::default() };
        RichText { blocks }
    }

    fn style(&self) -> Style {
        let bit = |(at, &count): (usize, &u32)| u8::from(count > 0) << at;
        let mut marks = self.open.marks.iter().enumerate().map(bit).sum();
        if self.role == Role::Term {
            marks |= 1 << Mark::Bold as usize;
        }
        Style { marks, link: self.open.link.clone() }
    }

    /// Ends the line and begins another.
    fn start(&mut self, role: Role) {
        self.end_line();
        self.role = role;
    }

    /// Makes a block of the line, if it has words. A heading has one line.
    fn end_line(&mut self) {
        self.superscripts = 0;
        let content = self.line.take_content();
        if content.is_empty() {
            return;
        }
        match std::mem::take(&mut self.role) {
            Role::Heading(level) => self.add(Block::Heading { level, content }),
            Role::Paragraph | Role::Term => self.add(Block::Paragraph(content)),
        }
    }

    fn open_in_code(&mut self, element: Element, tag: &Tag<'_>) {
        let Some(code) = &mut self.code else { return };
        match element {
            Element::Break => code.text.push('\n'),
            Element::Mark(Mark::Code) if code.language.is_none() => code.language = language(tag),
            _ if element.is_within_line() || element == Element::Cell => {}
            // Some highlighters make each line an element.
            _ if code.text.is_empty() || code.text.ends_with('\n') => {}
            _ => code.text.push('\n'),
        }
    }

    fn end_code(&mut self) {
        let Some(Code { language, text, .. }) = self.code.take() else { return };
        // The first line that is not blank keeps its indentation.
        let first = text.find(|c: char| !c.is_whitespace()).unwrap_or(text.len());
        let start = text[..first].rfind('\n').map_or(0, |at| at + 1);
        let text = text[start..].trim_end();
        if !text.is_empty() {
            let text = normal(text.to_owned());
            self.add(Block::Code { language, text });
        }
    }

    /// Adds a block where we stand. Rules are only kept between other blocks.
    fn add(&mut self, block: Block) {
        while let Some(FrameKind::List { is_implied: true, .. }) = self.top() {
            self.pop_frame();
        }
        let target = match self.frames.last_mut().map(|frame| &mut frame.kind) {
            None => &mut self.root,
            Some(FrameKind::Quote { blocks, .. } | FrameKind::Item(blocks)) => blocks,
            // A table is closed before anything is added.
            Some(FrameKind::Table(_)) => return,
            // What stands in a list beside its items belongs to the item before.
            Some(FrameKind::List { items, .. }) => {
                if items.is_empty() {
                    items.push(vec![]);
                }
                let Some(last) = items.last_mut() else { return };
                last
            }
        };
        if block == Block::Rule && matches!(target.last(), None | Some(Block::Rule)) {
            return;
        }
        self.pieces += 1;
        target.push(block);
    }

    fn top(&self) -> Option<&FrameKind> {
        self.frames.last().map(|frame| &frame.kind)
    }

    fn open_item(&mut self) {
        self.start(Role::Paragraph);
        self.pop_item();
        if !matches!(self.top(), Some(FrameKind::List { .. })) {
            self.push_frame(FrameKind::List { start: None, items: vec![], is_implied: true });
        }
        if matches!(self.top(), Some(FrameKind::List { .. })) {
            self.push_frame(FrameKind::Item(vec![]));
        }
    }

    /// Closes the open item of the innermost list, if that list has one.
    fn pop_item(&mut self) {
        let innermost =
            self.frames.iter().rposition(|it| !matches!(it.kind, FrameKind::Quote { .. }));
        if let Some(at) = innermost
            && matches!(self.frames[at].kind, FrameKind::Item(_))
        {
            while self.frames.len() > at {
                self.pop_frame();
            }
        }
    }

    fn push_frame(&mut self, kind: FrameKind) {
        let is_item = matches!(kind, FrameKind::Item(_));
        let containers = self.frames.iter().filter(|it| !matches!(it.kind, FrameKind::Item(_)));
        if !is_item && containers.count() >= CONTAINERS_MAX {
            let has_end_tag = !matches!(kind, FrameKind::List { is_implied: true, .. });
            self.flattened = self.flattened.saturating_add(u32::from(has_end_tag));
            return;
        }
        self.frames.push(Frame { kind, outside: self.open.clone(), spans: self.spans.len() });
    }

    /// Closes the innermost frame that is meant, and what is open inside it.
    fn close_frame(&mut self, is_meant: impl Fn(&FrameKind) -> bool) {
        self.start(Role::Paragraph);
        if self.flattened > 0 {
            self.flattened -= 1;
            return;
        }
        if let Some(at) = self.frames.iter().rposition(|frame| is_meant(&frame.kind)) {
            while self.frames.len() > at {
                self.pop_frame();
            }
        }
    }

    fn pop_frame(&mut self) {
        let Some(Frame { kind, outside, spans }) = self.frames.pop() else { return };
        self.open = outside;
        self.spans.truncate(spans);
        match kind {
            FrameKind::Quote { mut blocks, is_expandable, .. } => {
                without_last_rule(&mut blocks);
                if !blocks.is_empty() {
                    self.add(Block::Quote { is_expandable, blocks });
                }
            }
            FrameKind::Table(rows) => {
                rows.into_blocks().into_iter().for_each(|block| self.add(block));
            }
            FrameKind::List { start, mut items, .. } => {
                items.iter_mut().for_each(without_last_rule);
                items.retain(|item| !item.is_empty());
                if !items.is_empty() {
                    self.add(Block::List { start, items });
                }
            }
            FrameKind::Item(blocks) => {
                if let Some(Frame { kind: FrameKind::List { items, .. }, .. }) =
                    self.frames.last_mut()
                {
                    items.push(blocks);
                }
            }
        }
    }
}

impl FrameKind {
    fn quote(is_expandable: bool, is_details: bool) -> Self {
        Self::Quote { blocks: vec![], is_expandable, is_details }
    }
}

fn without_last_rule(blocks: &mut Vec<Block>) {
    if blocks.last() == Some(&Block::Rule) {
        blocks.pop();
    }
}

/// The language that a class such as `language-rust` names.
fn language(tag: &Tag<'_>) -> Option<String> {
    let classes = tag.attribute("class")?;
    let name = classes.split_ascii_whitespace().find_map(|class| {
        class.strip_prefix("language-").or_else(|| class.strip_prefix("lang-"))
    })?;
    let is_legal = |c: u8| c.is_ascii_alphanumeric() || b"+#_.-".contains(&c);
    let is_name =
        !name.is_empty() && name.len() <= LANGUAGE_BYTES_MAX && name.bytes().all(is_legal);
    is_name.then(|| name.to_ascii_lowercase())
}

/// Powers keep their meaning without the style: 10⁶ is not 106.
fn superscript(c: char) -> char {
    match c {
        '0' => '⁰',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '4' => '⁴',
        '5' => '⁵',
        '6' => '⁶',
        '7' => '⁷',
        '8' => '⁸',
        '9' => '⁹',
        '+' => '⁺',
        '-' | '−' => '⁻',
        _ => c,
    }
}

impl Code {
    fn push_str(&mut self, text: &str) {
        for c in text.replace("\r\n", "\n").chars() {
            match self.filter.admit(c) {
                Some('\r' | '\u{85}' | '\u{2028}' | '\u{2029}') => self.text.push('\n'),
                Some(c) if c.is_whitespace() && !matches!(c, '\n' | '\t') => self.text.push(' '),
                Some(c) => self.text.push(c),
                None => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
