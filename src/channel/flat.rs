//! From the rich-text tree to one line of characters with marks over it: what both services'
//! texts are made of. Knows no service's limits.
//!
//! Blocks are parted by an empty line, list items by a line feed; items carry a bullet or their
//! number and are indented by depth. Small tables are aligned, others have a line for each cell
//! with the name of its column. Characters that the services would drop are dropped here, so
//! that what is counted is what arrives.

mod place;

mod table;

mod writer;

use std::ops::Range;

pub(crate) use crate::channel::flat::place::{snap, trim};
use crate::channel::flat::writer::{Between, Writer};
use crate::model::rich::RichText;

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

#[cfg(test)]
mod tests;
