//! Rich text as a typed tree.
//!
//! Nothing that a feed or a layout contains reaches a subscriber as markup: it is read into this
//! tree once (`markup`), and each channel lowers the tree to its own form. The tree is at most
//! [`DEPTH_MAX`] levels deep; whoever builds one keeps that.

use serde::{Deserialize, Serialize};

/// Deepest nesting of blocks and inlines together.
pub const DEPTH_MAX: usize = 24;

/// A text with structure; empty when it has no block.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RichText {
    pub blocks: Vec<Block>,
}

/// A piece that stands on lines of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Block {
    Paragraph(Vec<Inline>),
    /// `level` is 1 to 6.
    Heading {
        level: u8,
        content: Vec<Inline>,
    },
    /// `start` is the first number of an ordered list; `None` is a bullet list.
    List {
        start: Option<u32>,
        items: Vec<Vec<Block>>,
    },
    Quote {
        /// Long ones are shown folded, where the service can.
        is_expandable: bool,
        blocks: Vec<Block>,
    },
    /// Rows of cells; rows may differ in length.
    Table {
        /// The first row names the columns.
        has_head: bool,
        rows: Vec<Vec<Vec<Inline>>>,
    },
    Code {
        language: Option<String>,
        text: String,
    },
    Rule,
}

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Inline {
    /// Never empty; no line break inside.
    Text(String),
    Break,
    Code(String),
    Bold(Vec<Inline>),
    Italic(Vec<Inline>),
    Underline(Vec<Inline>),
    Strike(Vec<Inline>),
    Spoiler(Vec<Inline>),
    /// `href` is an absolute http or https address.
    Link {
        href: String,
        content: Vec<Inline>,
    },
}

impl RichText {
    /// The text as one paragraph; empty text gives an empty tree.
    pub fn from_plain(text: &str) -> Self {
        let mut content = Vec::new();
        for (at, line) in text.lines().enumerate() {
            if at > 0 {
                content.push(Inline::Break);
            }
            if !line.is_empty() {
                content.push(Inline::Text(line.to_owned()));
            }
        }
        let blocks = if content.is_empty() { vec![] } else { vec![Block::Paragraph(content)] };
        Self { blocks }
    }

    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// The words without structure: blocks are parted by one line feed, list items carry a bullet
    /// or number, rules vanish.
    pub fn plain(&self) -> String {
        let mut words = Words { out: String::new(), is_at_start: true };
        words.blocks(&self.blocks);
        words.out
    }
}

impl Block {
    /// A quote that is always shown in full.
    pub fn quote(blocks: Vec<Self>) -> Self {
        Self::Quote { is_expandable: false, blocks }
    }
}

impl Inline {
    /// What stands inside; `None` for a text or a break.
    pub fn content(&self) -> Option<&[Self]> {
        match self {
            Self::Text(_) | Self::Break | Self::Code(_) => None,
            Self::Bold(content)
            | Self::Italic(content)
            | Self::Underline(content)
            | Self::Strike(content)
            | Self::Spoiler(content)
            | Self::Link { content, .. } => Some(content),
        }
    }
}

struct Words {
    out: String,
    /// A block may begin here: nothing came yet, or a bullet whose line it shares.
    is_at_start: bool,
}

impl Words {
    fn blocks(&mut self, blocks: &[Block]) {
        for block in blocks {
            match block {
                Block::Paragraph(content) | Block::Heading { content, .. } => {
                    self.begin();
                    self.line(content);
                }
                Block::List { start, items } => {
                    for (at, item) in (0u32..).zip(items) {
                        self.begin();
                        match start {
                            Some(first) => {
                                self.out.push_str(&format!("{}. ", first.saturating_add(at)));
                            }
                            None => self.out.push_str("• "),
                        }
                        self.is_at_start = true;
                        self.blocks(item);
                    }
                }
                Block::Quote { blocks, .. } => self.blocks(blocks),
                Block::Table { rows, .. } => {
                    for row in rows {
                        self.begin();
                        for (at, cell) in row.iter().enumerate() {
                            if at > 0 {
                                self.out.push_str(" | ");
                            }
                            self.line(cell);
                        }
                    }
                }
                Block::Code { text, .. } => {
                    self.begin();
                    self.out.push_str(text);
                }
                Block::Rule => {}
            }
        }
    }

    fn begin(&mut self) {
        if !self.is_at_start {
            self.out.push('\n');
        }
        self.is_at_start = false;
    }

    fn line(&mut self, content: &[Inline]) {
        for inline in content {
            match inline {
                Inline::Text(text) | Inline::Code(text) => self.out.push_str(text),
                Inline::Break => self.out.push('\n'),
                _ => self.line(inline.content().unwrap_or_default()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paragraph(text: &str) -> Block {
        Block::Paragraph(vec![Inline::Text(text.to_owned())])
    }

    #[test]
    fn plain_has_one_line_for_each_block() {
        let text = RichText {
            blocks: vec![
                Block::Heading { level: 1, content: vec![Inline::Text("Title".to_owned())] },
                Block::Rule,
                // Looks like what stands before an item, and is none.
                paragraph("See no. "),
                paragraph("next"),
                Block::List {
                    start: Some(9),
                    items: vec![
                        vec![paragraph("nine"), paragraph("more")],
                        vec![Block::List { start: None, items: vec![vec![paragraph("in")]] }],
                    ],
                },
                Block::quote(vec![Block::Code { language: None, text: "a\n  b".to_owned() }]),
            ],
        };
        assert_eq!(text.plain(), "Title\nSee no. \nnext\n9. nine\nmore\n10. • in\na\n  b");
    }

    #[test]
    fn plain_keeps_the_words_of_every_style() {
        let inner = vec![Inline::Bold(vec![Inline::Text("a".to_owned())]), Inline::Break];
        let link = Inline::Link { href: "https://example.com/".to_owned(), content: inner };
        let content = vec![link, Inline::Code("b".to_owned()), Inline::Text(" c".to_owned())];
        let text = RichText { blocks: vec![Block::Paragraph(content)] };
        assert_eq!(text.plain(), "a\nb c");
    }

    #[test]
    fn plain_gives_back_the_lines_it_was_made_from() {
        for text in ["", "one", "one\ntwo", "one\n\ntwo"] {
            assert_eq!(RichText::from_plain(text).plain(), text);
        }
    }
}
