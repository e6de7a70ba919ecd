//! Tables: aligned where they are small, else a line for each cell or row.

use crate::channel::flat::writer::{Between, Writer};
use crate::channel::flat::{MarkKind, Spelling, clean};
use crate::channel::grid;
use crate::model::rich::Inline;

impl<'a> Writer<'a> {
    /// An aligned table is a piece of code, so one with links is not: code holds no marks.
    pub fn table(&mut self, has_head: bool, rows: &'a [Vec<Vec<Inline>>], depth: usize) {
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
