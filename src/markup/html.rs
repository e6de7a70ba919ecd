//! The tree written as HTML, for layouts: what [`rich`](crate::markup::rich()) reads back
//! unchanged.

use crate::model::rich::{Block, Inline, RichText};

/// What a summary comes to; a longer text makes its room itself.
const USUAL_BYTES: usize = 500;

/// The tree as HTML in which every text and address is escaped.
pub fn to_html(text: &RichText) -> String {
    let mut out = String::with_capacity(USUAL_BYTES);
    write_blocks(&text.blocks, &mut out);
    out
}

/// Appends `text` with `& < > " '` as references: fit for content and for quoted values.
pub fn escape_into(text: &str, out: &mut String) {
    escaped(text).for_each(|piece| out.push_str(piece));
}

/// The same in pieces, in their order.
pub fn escaped(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let at = rest.bytes().position(|byte| reference(byte).is_some()).unwrap_or(rest.len());
        let (piece, behind) = match at {
            0 => (reference(*rest.as_bytes().first()?)?, &rest[1..]),
            _ => rest.split_at(at),
        };
        rest = behind;
        Some(piece)
    })
}

fn reference(byte: u8) -> Option<&'static str> {
    Some(match byte {
        b'&' => "&amp;",
        b'<' => "&lt;",
        b'>' => "&gt;",
        b'"' => "&quot;",
        b'\'' => "&#39;",
        _ => return None,
    })
}

fn write_blocks(blocks: &[Block], out: &mut String) {
    for block in blocks {
        match block {
            Block::Paragraph(content) => within("p", out, |out| write_line(content, out)),
            Block::Heading { level, content } => {
                let name =
                    ["h1", "h2", "h3", "h4", "h5", "h6"][usize::from((*level).clamp(1, 6)) - 1];
                within(name, out, |out| write_line(content, out));
            }
            Block::List { start, items } => {
                match start {
                    Some(start) => out.push_str(&format!("<ol start=\"{start}\">")),
                    None => out.push_str("<ul>"),
                }
                for item in items {
                    within("li", out, |out| write_blocks(item, out));
                }
                out.push_str(if start.is_some() { "</ol>" } else { "</ul>" });
            }
            Block::Quote { is_expandable, blocks } => {
                out.push_str(if *is_expandable {
                    "<blockquote expandable>"
                } else {
                    "<blockquote>"
                });
                write_blocks(blocks, out);
                out.push_str("</blockquote>");
            }
            Block::Code { language: None, text } => {
                within("pre", out, |out| escape_into(text, out));
            }
            Block::Code { language: Some(language), text } => {
                out.push_str("<pre><code class=\"language-");
                escape_into(language, out);
                out.push_str("\">");
                escape_into(text, out);
                out.push_str("</code></pre>");
            }
            Block::Table { has_head, rows } => {
                within("table", out, |out| write_rows(*has_head, rows, out));
            }
            Block::Rule => out.push_str("<hr>"),
        }
    }
}

fn write_rows(has_head: bool, rows: &[Vec<Vec<Inline>>], out: &mut String) {
    for (at, row) in rows.iter().enumerate() {
        let cell = if has_head && at == 0 { "th" } else { "td" };
        within("tr", out, |out| {
            row.iter().for_each(|content| within(cell, out, |out| write_line(content, out)));
        });
    }
}

fn write_line(content: &[Inline], out: &mut String) {
    for inline in content {
        match inline {
            Inline::Text(text) => escape_into(text, out),
            Inline::Break => out.push_str("<br>"),
            Inline::Code(text) => within("code", out, |out| escape_into(text, out)),
            Inline::Bold(inner) => within("b", out, |out| write_line(inner, out)),
            Inline::Italic(inner) => within("i", out, |out| write_line(inner, out)),
            Inline::Underline(inner) => within("u", out, |out| write_line(inner, out)),
            Inline::Strike(inner) => within("s", out, |out| write_line(inner, out)),
            Inline::Spoiler(inner) => within("tg-spoiler", out, |out| write_line(inner, out)),
            Inline::Link { href, content } => {
                out.push_str("<a href=\"");
                escape_into(href, out);
                out.push_str("\">");
                write_line(content, out);
                out.push_str("</a>");
            }
        }
    }
}

fn within(name: &str, out: &mut String, content: impl FnOnce(&mut String)) {
    out.push('<');
    out.push_str(name);
    out.push('>');
    content(out);
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}
