//! Which tables are tables: what names columns and rows of short words is kept as one; what only
//! lays out a page is read as lines.

use crate::markup::element::Element;
use crate::markup::scan::{Scanner, Tag, Token};
use crate::model::rich::{Block, Inline};

/// Most cells of a table; a larger one is read as lines.
const CELLS_MAX: usize = 1000;

/// Most columns.
const COLUMNS_MAX: usize = 20;

/// Longest cell, in characters that are no white space. Before the text is cleaned a little more is
/// allowed, so that what was written by us is read again as the same.
const CELL_CHARS_MAX: usize = 200;
const CELL_CHARS_SEEN_MAX: usize = 220;

/// Most tables within each other that are looked at: each look is one pass over the inner one.
pub(super) const LOOKS_MAX: u32 = 4;

/// A table in the making.
#[derive(Default)]
pub(super) struct Rows {
    rows: Vec<Vec<Vec<Inline>>>,
    row: Vec<Vec<Inline>>,
    is_row_head: bool,
    has_head: bool,
    pub is_cell_open: bool,
    /// Words beside the cells: a caption.
    lead: Vec<Vec<Inline>>,
}

impl Rows {
    /// A cell, or words beside the cells, ended.
    pub(super) fn end_cell(&mut self, content: Vec<Inline>) {
        if std::mem::take(&mut self.is_cell_open) {
            self.row.push(content);
        } else if !content.is_empty() {
            self.lead.push(content);
        }
    }

    pub(super) fn begin_cell(&mut self, is_head: bool) {
        self.is_row_head = is_head && (self.is_row_head || self.row.is_empty());
        self.is_cell_open = true;
    }

    pub(super) fn end_row(&mut self) {
        let row = std::mem::take(&mut self.row);
        if row.iter().all(Vec::is_empty) {
            return;
        }
        self.has_head |= self.rows.is_empty() && self.is_row_head;
        self.rows.push(row);
    }

    /// The finished table with what stands before it; paragraphs if it came out too small or too
    /// large for a table.
    pub(super) fn into_blocks(mut self) -> Vec<Block> {
        self.end_row();
        let Self { rows, has_head, lead, .. } = self;
        let words = |row: &Vec<Vec<Inline>>| row.iter().filter(|cell| !cell.is_empty()).count();
        let is_table = rows.len() >= 2
            && rows.iter().map(words).max().unwrap_or(0) >= 2
            && rows.iter().all(|row| row.len() <= COLUMNS_MAX)
            && rows.iter().map(Vec::len).sum::<usize>() <= CELLS_MAX
            && rows.iter().flatten().all(|cell| chars_of(cell) <= CELL_CHARS_MAX);
        let mut blocks: Vec<Block> = lead.into_iter().map(Block::Paragraph).collect();
        if is_table {
            blocks.push(Block::Table { has_head, rows });
        } else {
            let cells = rows.into_iter().flatten().filter(|cell| !cell.is_empty());
            blocks.extend(cells.map(Block::Paragraph));
        }
        blocks
    }
}

fn chars_of(content: &[Inline]) -> usize {
    let of = |inline: &Inline| match inline {
        Inline::Text(text) | Inline::Code(text) => {
            text.chars().filter(|c| !c.is_whitespace()).count()
        }
        _ => chars_of(inline.content().unwrap_or_default()),
    };
    content.iter().map(of).sum()
}

/// Whether the table whose start tag `scanner` has just passed is one: at least two rows and two
/// columns with words, short cells, nothing in them but lines. It ends before any of `ends`.
pub(super) fn is_table(mut scanner: Scanner<'_>, ends: &[&str]) -> bool {
    let mut seen = Seen::default();
    while let Some(token) = scanner.next() {
        match token {
            Token::Open(Tag { name, .. }) | Token::Close(name)
                if ends.iter().any(|end| end.eq_ignore_ascii_case(name)) =>
            {
                break;
            }
            Token::Text(text) => seen.text(text),
            Token::Open(tag) => match Element::of(tag.name) {
                element @ (Element::Dropped | Element::DroppedText) => {
                    scanner.skip_element(element, &tag);
                }
                Element::Row => seen.end_row(),
                Element::Cell => seen.begin_cell(),
                element if is_simple(element, &tag) => {}
                _ => return false,
            },
            Token::Close(name) => match Element::of(name) {
                Element::Table => break,
                Element::Row => seen.end_row(),
                _ => {}
            },
        }
        if seen.cells > CELLS_MAX || seen.is_too_long {
            return false;
        }
    }
    seen.end_row();
    seen.rows >= 2 && seen.columns >= 2 && seen.cells_in_row_max <= COLUMNS_MAX
}

/// What may stand in a cell of a table.
fn is_simple(element: Element, tag: &Tag<'_>) -> bool {
    match element {
        Element::Break => true,
        Element::Block => {
            let names = ["p", "div", "caption", "center"];
            names.iter().any(|name| tag.name.eq_ignore_ascii_case(name))
        }
        _ => element.is_within_line(),
    }
}

#[derive(Default)]
struct Seen {
    rows: usize,
    /// Most cells with words in a row.
    columns: usize,
    cells_in_row_max: usize,
    cells: usize,
    in_row: usize,
    worded: usize,
    chars: usize,
    is_in_cell: bool,
    is_too_long: bool,
}

impl Seen {
    fn text(&mut self, text: &str) {
        if !self.is_in_cell {
            return;
        }
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            // A reference is one character.
            let reference = if c == '&' {
                rest.bytes().take(12).position(|byte| byte == b';').map(|end| end + 1)
            } else {
                None
            };
            rest = &rest[reference.unwrap_or(c.len_utf8())..];
            self.chars += usize::from(!c.is_whitespace());
        }
        self.is_too_long |= self.chars > CELL_CHARS_SEEN_MAX;
    }

    fn begin_cell(&mut self) {
        self.end_cell();
        self.is_in_cell = true;
        self.cells += 1;
        self.in_row += 1;
    }

    fn end_cell(&mut self) {
        self.worded += usize::from(std::mem::take(&mut self.chars) > 0);
        self.is_in_cell = false;
    }

    fn end_row(&mut self) {
        self.end_cell();
        self.rows += usize::from(self.worded > 0);
        self.columns = self.columns.max(std::mem::take(&mut self.worded));
        self.cells_in_row_max = self.cells_in_row_max.max(std::mem::take(&mut self.in_row));
    }
}
