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
    Quote(Vec<Block>),
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
        let mut out = String::new();
        plain_blocks(&self.blocks, &mut out);
        out.truncate(out.trim_end().len());
        out
    }
}

fn plain_blocks(blocks: &[Block], out: &mut String) {
    for block in blocks {
        if !out.is_empty() && !out.ends_with('\n') && !out.ends_with("• ") && !out.ends_with(". ")
        {
            out.push('\n');
        }
        match block {
            Block::Paragraph(content) | Block::Heading { content, .. } => {
                plain_inlines(content, out);
            }
            Block::List { start, items } => {
                for (at, item) in (0u32..).zip(items) {
                    if !out.is_empty() && !out.ends_with('\n') {
                        out.push('\n');
                    }
                    match start {
                        Some(first) => out.push_str(&format!("{}. ", first.saturating_add(at))),
                        None => out.push_str("• "),
                    }
                    plain_blocks(item, out);
                }
            }
            Block::Quote(inner) => plain_blocks(inner, out),
            Block::Code { text, .. } => out.push_str(text.trim_end()),
            Block::Rule => {}
        }
    }
}

fn plain_inlines(content: &[Inline], out: &mut String) {
    for inline in content {
        match inline {
            Inline::Text(text) | Inline::Code(text) => out.push_str(text),
            Inline::Break => out.push('\n'),
            Inline::Bold(inner)
            | Inline::Italic(inner)
            | Inline::Underline(inner)
            | Inline::Strike(inner)
            | Inline::Spoiler(inner)
            | Inline::Link { content: inner, .. } => plain_inlines(inner, out),
        }
    }
}
