//! A long text as the HTML of a rich message: headings, lists and tables as such, pictures as
//! blocks of their own.
//!
//! Limits: Bot API reference, "Rich message": characters, blocks, nesting, columns. What keeps them
//! not is no rich message, and goes as plain ones.

use crate::channel::cut::{is_visible, units};
use crate::channel::flat::kept;
use crate::channel::telegram::text::is_address;
use crate::model::rich::{Block, Inline, RichText};

/// Longest text, in UTF-16 units.
pub(super) const UNITS_MAX: usize = 32_768;

/// Most blocks; every list item and table counts as one.
pub(super) const BLOCKS_MAX: usize = 500;

/// Deepest nesting of elements, those within a line included.
pub(super) const DEPTH_MAX: usize = 16;

/// Most columns of a table.
pub(super) const COLUMNS_MAX: usize = 20;

/// Whether a rich message says more than plain ones: the text is too long for one, or has what they
/// can't show.
pub(super) fn is_wanted(text: &RichText, parts: usize) -> bool {
    parts > 1
        || text
            .blocks
            .iter()
            .any(|block| matches!(block, Block::Heading { .. } | Block::Table { .. }))
}

/// The text with `image` above it; `None` when a limit is broken or there is nothing to see.
pub(super) fn html(text: &RichText, image: Option<&str>) -> Option<String> {
    if !is_visible(&text.plain()) {
        return None;
    }
    let mut writer = Writer::default();
    if let Some(image) = image.filter(|image| is_address(image)) {
        writer.blocks += 1;
        writer.out.push_str("<img src=\"");
        writer.escape(image);
        writer.out.push_str("\">");
        writer.units = 0;
    }
    writer.write(&text.blocks);
    (!writer.is_broken && writer.units <= UNITS_MAX && writer.blocks <= BLOCKS_MAX)
        .then_some(writer.out)
}

#[derive(Default)]
struct Writer {
    out: String,
    units: usize,
    blocks: usize,
    depth: usize,
    is_broken: bool,
}

impl Writer {
    fn write(&mut self, blocks: &[Block]) {
        for block in blocks {
            if self.is_broken || self.units > UNITS_MAX || self.blocks > BLOCKS_MAX {
                self.is_broken = true;
                return;
            }
            self.block(block);
        }
    }

    fn block(&mut self, block: &Block) {
        self.blocks += 1;
        match block {
            Block::Paragraph(content) => self.within("p", |it| it.line(content)),
            Block::Heading { level, content } => {
                self.within(&format!("h{}", (*level).clamp(1, 6)), |it| it.line(content));
            }
            Block::List { start, items } => {
                let open = match start {
                    Some(start) => format!("ol start=\"{start}\""),
                    None => "ul".to_owned(),
                };
                self.within(&open, |it| {
                    for item in items {
                        it.blocks += 1;
                        it.within("li", |it| match item.as_slice() {
                            [Block::Paragraph(content)] => it.line(content),
                            blocks => it.write(blocks),
                        });
                    }
                });
            }
            Block::Quote { is_expandable, blocks } => match blocks.split_first() {
                Some((Block::Paragraph(summary), rest))
                    if *is_expandable && is_summary(summary) && !rest.is_empty() =>
                {
                    self.within("details", |it| {
                        it.within("summary", |it| it.line(summary));
                        it.write(rest);
                    });
                }
                _ => self.within("blockquote", |it| it.write(blocks)),
            },
            Block::Table { has_head, rows } => {
                self.is_broken |= rows.iter().any(|row| row.len() > COLUMNS_MAX);
                self.within("table", |it| {
                    for (at, row) in rows.iter().enumerate() {
                        let cell = if *has_head && at == 0 { "th" } else { "td" };
                        it.within("tr", |it| {
                            row.iter().for_each(|content| it.within(cell, |it| it.line(content)));
                        });
                    }
                });
            }
            Block::Code { language, text } => self.within("pre", |it| match language {
                Some(language) => {
                    it.within(&format!("code class=\"language-{}\"", plain(language)), |it| {
                        it.escape(text);
                    });
                }
                None => it.escape(text),
            }),
            Block::Rule => self.out.push_str("<hr>"),
        }
    }

    fn line(&mut self, content: &[Inline]) {
        for inline in content {
            match inline {
                Inline::Text(text) => self.escape(text),
                Inline::Break => self.out.push_str("<br>"),
                Inline::Code(text) => self.within("code", |it| it.escape(text)),
                Inline::Bold(inner) => self.within("b", |it| it.line(inner)),
                Inline::Italic(inner) => self.within("i", |it| it.line(inner)),
                Inline::Underline(inner) => self.within("u", |it| it.line(inner)),
                Inline::Strike(inner) => self.within("s", |it| it.line(inner)),
                Inline::Spoiler(inner) => self.within("tg-spoiler", |it| it.line(inner)),
                Inline::Link { href, content } if is_address(href) => {
                    let mut open = Self::default();
                    open.escape(href);
                    self.within(&format!("a href=\"{}\"", open.out), |it| it.line(content));
                }
                Inline::Link { content, .. } => self.line(content),
            }
        }
    }

    fn within(&mut self, open: &str, content: impl FnOnce(&mut Self)) {
        let name = open.split(' ').next().unwrap_or(open);
        self.depth += 1;
        self.is_broken |= self.depth > DEPTH_MAX;
        self.out.push('<');
        self.out.push_str(open);
        self.out.push('>');
        content(self);
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
        self.depth -= 1;
    }

    fn escape(&mut self, text: &str) {
        self.units += units(text);
        for c in text.chars().filter_map(kept) {
            match c {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '"' => self.out.push_str("&quot;"),
                _ => self.out.push(c),
            }
        }
    }
}

/// What details show while they are folded is one bold line.
fn is_summary(content: &[Inline]) -> bool {
    matches!(content, [Inline::Bold(_)])
}

fn plain(language: &str) -> String {
    language.chars().filter(|c| c.is_ascii_alphanumeric() || "+#_.-".contains(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structure_becomes_elements_and_text_is_escaped() {
        let text = |words: &str| Inline::Text(words.to_owned());
        let rich = RichText {
            blocks: vec![
                Block::Heading { level: 2, content: vec![text("A <b> & \"c\"")] },
                Block::List {
                    start: Some(3),
                    items: vec![vec![Block::Paragraph(vec![text("i")])]],
                },
                Block::Table { has_head: true, rows: vec![vec![vec![text("h")]], vec![vec![]]] },
                Block::Quote {
                    is_expandable: true,
                    blocks: vec![
                        Block::Paragraph(vec![Inline::Bold(vec![text("S")])]),
                        Block::Paragraph(vec![Inline::Break, text("r")]),
                    ],
                },
                Block::Code { language: Some("rust".to_owned()), text: "x<y".to_owned() },
            ],
        };
        assert_eq!(
            html(&rich, Some("https://a.example/?a=1&b=2")).unwrap(),
            "<img src=\"https://a.example/?a=1&amp;b=2\">\
             <h2>A &lt;b&gt; &amp; &quot;c&quot;</h2><ol start=\"3\"><li>i</li></ol>\
             <table><tr><th>h</th></tr><tr><td></td></tr></table>\
             <details><summary><b>S</b></summary><p><br>r</p></details>\
             <pre><code class=\"language-rust\">x&lt;y</code></pre>"
        );
    }

    #[test]
    fn what_breaks_a_limit_is_no_rich_message() {
        let paragraph = |words: &str| Block::Paragraph(vec![Inline::Text(words.to_owned())]);
        let of = |blocks| html(&RichText { blocks }, None);
        assert!(of(vec![paragraph(&"a".repeat(UNITS_MAX))]).is_some());
        assert_eq!(of(vec![paragraph(&"a".repeat(UNITS_MAX + 1))]), None);
        assert!(of(vec![paragraph("a"); BLOCKS_MAX]).is_some());
        assert_eq!(of(vec![paragraph("a"); BLOCKS_MAX + 1]), None);
        let deep = |count| (0..count).fold(paragraph("a"), |block, _| Block::quote(vec![block]));
        assert!(of(vec![deep(DEPTH_MAX - 1)]).is_some());
        assert_eq!(of(vec![deep(DEPTH_MAX)]), None);
        assert_eq!(of(vec![paragraph("\u{200b}")]), None);
    }
}
