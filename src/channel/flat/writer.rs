//! The walk over the tree, which writes the text and the marks.

use crate::channel::flat::place::{snap, trim};
use crate::channel::flat::{Flat, Mark, MarkKind, Spelling, kept};
use crate::model::rich::{Block, Inline};

/// One indentation of a list within a list.
const INDENT: &str = "   ";

/// What stands between two blocks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Between {
    Empty,
    Line,
}

/// The text as far as it is written, and what is open.
pub(super) struct Writer<'a> {
    pub text: String,
    marks: Vec<Mark<'a>>,
    pub spelling: Spelling,
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
    pub fn new(spelling: Spelling) -> Self {
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

    pub fn blocks(&mut self, blocks: &'a [Block], between: Between, depth: usize) {
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
    pub fn part(&mut self, between: Between, depth: usize) {
        if !std::mem::take(&mut self.is_on_fresh_line) {
            self.pending = Some((between, depth));
        }
    }

    /// Writes what is pending, in place of the white space that the block before ended with.
    pub fn flush(&mut self) {
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

    pub fn inlines(&mut self, content: &'a [Inline]) {
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

    pub fn push(&mut self, text: &str) {
        self.flush();
        for c in text.chars().filter_map(kept) {
            if c == '\n' {
                self.line_feed();
            } else {
                self.text.push(c);
            }
        }
    }

    pub fn mark(&mut self, begin: usize, kind: MarkKind<'a>) {
        if begin < self.text.len() {
            self.marks.push(Mark { range: begin..self.text.len(), kind });
        }
    }

    pub fn finish(mut self) -> Flat<'a> {
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

/// The label says no more than the address.
fn is_address(label: &str, href: &str) -> bool {
    let bare = |text: &str| -> String {
        let text = text.trim_start_matches("https://").trim_start_matches("http://");
        text.trim_start_matches("www.").trim_end_matches('/').to_owned()
    };
    bare(label) == bare(href)
}
