//! Shorter texts: cut between words, never within a character as people see it.

use unicode_segmentation::UnicodeSegmentation;

use crate::model::rich::{Block, Inline, RichText};

/// `text` in at most `graphemes_max` graphemes, the `…` at its end included if it was cut.
pub fn shorten(text: &str, graphemes_max: usize) -> String {
    if fits(text, graphemes_max) {
        return text.to_owned();
    }
    match graphemes_max.checked_sub(1) {
        None => String::new(),
        Some(room) => format!("{}…", cut(text, room)),
    }
}

/// The same for a text with structure; styles and links stay. Blocks after the cut are left out;
/// only words count.
pub fn shorten_rich(text: &RichText, graphemes_max: usize) -> RichText {
    if fits(&text.plain(), graphemes_max) {
        return text.clone();
    }
    let mut room = Room { left: graphemes_max.saturating_sub(1), is_full: graphemes_max == 0 };
    RichText { blocks: room.blocks(&text.blocks) }
}

/// The longest start of `text` that has whole words and at most that many graphemes; if the first
/// word alone is longer, a part of it.
fn cut(text: &str, graphemes_max: usize) -> &str {
    let end = text.grapheme_indices(true).nth(graphemes_max).map_or(text.len(), |(at, _)| at);
    let words = text.split_word_bound_indices().map(|(at, word)| at + word.len());
    let whole = words.take_while(|&word_end| word_end <= end).last().unwrap_or(0);
    let kept = text[..if whole == 0 { end } else { whole }].trim_end();
    kept.trim_end_matches([',', ';', ':', '-', '–', '—', '(']).trim_end()
}

fn fits(text: &str, graphemes_max: usize) -> bool {
    text.len() <= graphemes_max || text.graphemes(true).nth(graphemes_max).is_none()
}

/// What is left while a tree is cut.
struct Room {
    left: usize,
    is_full: bool,
}

impl Room {
    fn blocks(&mut self, blocks: &[Block]) -> Vec<Block> {
        let mut kept = Vec::new();
        for block in blocks {
            if self.is_full {
                break;
            }
            match block {
                Block::Paragraph(content) => kept.push(Block::Paragraph(self.line(content))),
                Block::Heading { level, content } => {
                    kept.push(Block::Heading { level: *level, content: self.line(content) });
                }
                Block::List { start, items } => {
                    let mut shown = Vec::new();
                    for item in items {
                        if self.is_full {
                            break;
                        }
                        shown.push(self.blocks(item));
                    }
                    kept.push(Block::List { start: *start, items: shown });
                }
                Block::Quote { is_expandable, blocks } => kept.push(Block::Quote {
                    is_expandable: *is_expandable,
                    blocks: self.blocks(blocks),
                }),
                Block::Code { language, text } => {
                    kept.push(Block::Code { language: language.clone(), text: self.text(text) });
                }
                Block::Table { has_head, rows } => {
                    let rows = rows.iter().map(|row| row.iter().map(|it| self.line(it)).collect());
                    kept.push(Block::Table { has_head: *has_head, rows: rows.collect() });
                }
                Block::Rule => kept.push(Block::Rule),
            }
        }
        kept
    }

    fn line(&mut self, content: &[Inline]) -> Vec<Inline> {
        let mut kept = Vec::new();
        for inline in content {
            if self.is_full {
                break;
            }
            kept.push(match inline {
                Inline::Text(text) => Inline::Text(self.text(text)),
                Inline::Code(text) => Inline::Code(self.text(text)),
                Inline::Break => Inline::Break,
                Inline::Bold(inner) => Inline::Bold(self.line(inner)),
                Inline::Italic(inner) => Inline::Italic(self.line(inner)),
                Inline::Underline(inner) => Inline::Underline(self.line(inner)),
                Inline::Strike(inner) => Inline::Strike(self.line(inner)),
                Inline::Spoiler(inner) => Inline::Spoiler(self.line(inner)),
                Inline::Link { href, content } => {
                    Inline::Link { href: href.clone(), content: self.line(content) }
                }
            });
        }
        kept
    }

    fn text(&mut self, text: &str) -> String {
        let length = text.graphemes(true).count();
        if length <= self.left {
            self.left -= length;
            return text.to_owned();
        }
        self.is_full = true;
        if self.left == 0 { "…".to_owned() } else { format!("{}…", cut(text, self.left)) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::markup::{rich, to_html};

    #[test]
    fn text_is_cut_between_words() {
        let cases = [
            ("one two three", 13, "one two three"),
            ("one two three", 12, "one two…"),
            ("one, two", 6, "one…"),
            ("incomprehensible", 5, "inco…"),
            ("漢字漢字漢字", 4, "漢字漢…"),
            ("👨\u{200d}👩\u{200d}👧👨\u{200d}👩\u{200d}👧x", 2, "👨\u{200d}👩\u{200d}👧…"),
            ("one", 1, "…"),
            ("one", 0, ""),
            ("", 0, ""),
        ];
        for (text, graphemes_max, expected) in cases {
            assert_eq!(shorten(text, graphemes_max), expected, "{text} {graphemes_max}");
        }
    }

    #[test]
    fn styles_stay_where_the_words_stay() {
        let text = rich("<p>one <b>two <i>three</i> four</b></p><ul><li>five<li>six</ul>", None);
        let list = |items: &str| format!("<p>one <b>two <i>three</i> four</b></p><ul>{items}</ul>");
        let told = |graphemes_max| to_html(&shorten_rich(&text, graphemes_max));
        assert_eq!(told(16), "<p>one <b>two <i>three</i>…</b></p>");
        assert_eq!(told(22), list("<li><p>fiv…</p></li>"));
        assert_eq!(told(23), list("<li><p>five</p></li><li><p>…</p></li>"));
        assert_eq!(told(100), to_html(&text));
        assert_eq!(told(0), "");
    }

    proptest! {
        #[test]
        fn a_shortened_text_fits(text in "\\PC{0,40}", graphemes_max in 0usize..50) {
            let short = shorten(&text, graphemes_max);
            prop_assert!(short.graphemes(true).count() <= graphemes_max);
            let kept = short.strip_suffix('…').unwrap_or(&short);
            prop_assert!(text.starts_with(kept));
        }

        #[test]
        fn a_shortened_tree_fits(html in "(<(b|p|ul|li|a href=\"http://x/\")>|[a-z ]{1,9}){0,12}",
            graphemes_max in 1usize..40) {
            let short = shorten_rich(&rich(&html, None), graphemes_max);
            // Bullets and line feeds are no words.
            let words = |text: &str| text.replace(['•', '\n'], "").trim().chars().count();
            prop_assert!(words(&short.plain()) <= graphemes_max + 8);
            prop_assert_eq!(rich(&to_html(&short), None).plain(), short.plain());
        }
    }
}
