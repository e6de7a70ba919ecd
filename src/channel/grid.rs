//! Tables as aligned text, for services that know none: small ones only, so that no phone wraps a
//! row.

use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

/// Widest row in columns of a fixed-width font.
pub(crate) const WIDTH_MAX: usize = 40;

/// Most rows: a longer table is read line by line.
const ROWS_MAX: usize = 60;

/// What parts two columns.
const GAP: &str = "  ";

/// What stands in the first cell when it is empty, since white space at the begin is lost.
const EMPTY: &str = "·";

/// The rows below each other, every cell as wide as its column; a rule stands below the head.
/// `None` when a row would be too wide, or when the table can't be aligned because it has words
/// from right to left.
pub(crate) fn aligned(rows: &[Vec<String>], has_head: bool) -> Option<String> {
    let columns = rows.iter().map(Vec::len).max().filter(|columns| *columns > 0)?;
    if rows.len() > ROWS_MAX || rows.iter().flatten().any(|cell| has_right_to_left(cell)) {
        return None;
    }
    let mut widths = vec![0; columns];
    for row in rows {
        for (column, cell) in widths.iter_mut().zip(row) {
            *column = width(cell).max(*column);
        }
    }
    let whole = widths.iter().sum::<usize>() + GAP.len() * (columns - 1);
    if whole > WIDTH_MAX {
        return None;
    }
    let mut lines = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let mut line = String::new();
        for (place, (cell, column)) in row.iter().zip(&widths).enumerate() {
            if place > 0 {
                line.push_str(GAP);
            }
            let cell = if lines.is_empty() && place == 0 && cell.is_empty() { EMPTY } else { cell };
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', column.saturating_sub(width(cell))));
        }
        lines.push(line.trim_end().to_owned());
        if has_head && at == 0 {
            lines.push("─".repeat(whole));
        }
    }
    Some(lines.join("\n"))
}

/// How many columns a text takes in a fixed-width font: two for what East Asian fonts make wide and
/// for emoji, none for what joins the character before.
fn width(text: &str) -> usize {
    text.graphemes(true)
        .map(|grapheme| {
            let is_emoji = grapheme.contains('\u{fe0f}');
            grapheme.chars().map(width_of).max().unwrap_or(0).max(if is_emoji { 2 } else { 0 })
        })
        .sum()
}

/// Source: Unicode Standard Annex 11, the ranges of W and F.
fn width_of(c: char) -> usize {
    match c {
        '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{fe00}'..='\u{fe0f}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{231a}'..='\u{231b}'
        | '\u{2e80}'..='\u{303e}'
        | '\u{3041}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f1e6}'..='\u{1f1ff}'
        | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ if is_combining_mark(c) => 0,
        _ => 1,
    }
}

fn has_right_to_left(text: &str) -> bool {
    text.chars().any(|c| {
        matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}'
            | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[&[&str]]) -> Vec<Vec<String>> {
        rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect()
    }

    #[test]
    fn columns_stand_below_each_other_by_what_is_seen() {
        let table = rows(&[&["", "Price"], &["日本語", "3 €"], &["e\u{301}é", "❤️", "x"]]);
        assert_eq!(
            aligned(&table, true).unwrap(),
            "·       Price\n────────────────\n日本語  3 €\ne\u{301}é      ❤️     x"
        );
    }

    #[test]
    fn what_would_wrap_or_run_backwards_is_not_aligned() {
        assert!(aligned(&rows(&[&["a", &"x".repeat(37)], &["b", "c"]]), false).is_some());
        assert_eq!(aligned(&rows(&[&["a", &"x".repeat(38)], &["b", "c"]]), false), None);
        assert_eq!(aligned(&rows(&[&["a", "שלום"], &["b", "c"]]), false), None);
        assert_eq!(aligned(&[], false), None);
    }
}
