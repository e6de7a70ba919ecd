//! Printing, and nothing else.

use std::io::{self, IsTerminal, Write};

use serde_json::Value;

/// A line of data. A reader that has gone away (`| head`) is no fault.
pub(super) fn say(line: &str) {
    drop(writeln!(io::stdout().lock(), "{line}"));
}

/// A line for people: what goes on, or what went wrong.
pub(super) fn complain(line: &str) {
    drop(writeln!(io::stderr().lock(), "{line}"));
}

/// How far the polls have come, on one line that is written over and goes away in the end. Only
/// where people look: a file or a pipe gets nothing.
pub(super) fn tell_progress(done: usize, all: usize) {
    let mut err = io::stderr().lock();
    if err.is_terminal() {
        drop(err.write_all(progress(done, all).as_bytes()).and_then(|()| err.flush()));
    }
}

/// What is written after each poll: back to the start of the line, the words, the rest cleared.
fn progress(done: usize, all: usize) -> String {
    if done < all { format!("\r{done}/{all} polled\x1b[K") } else { "\r\x1b[K".to_owned() }
}

/// A line for people that the next one is written over; an empty one clears it. Only where people
/// look: a file or a pipe gets nothing.
pub(super) fn tell_over(line: &str) {
    let mut err = io::stderr().lock();
    if err.is_terminal() {
        drop(write!(err, "\r{line}\x1b[K").and_then(|()| err.flush()));
    }
}

/// `1 source`, `2 sources`: for nouns that take an s.
pub(super) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// A value as the `--json` of a command.
pub(super) fn say_json(value: &Value) {
    match serde_json::to_string_pretty(value) {
        Ok(text) => say(&text),
        Err(error) => complain(&format!("the answer can't be shown: {error}")),
    }
}

/// Whether people look at standard output, and like colours.
pub(super) fn has_colour() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// The terminal's width, 80 where there is none.
pub(super) fn width() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    columns.unwrap_or(80).clamp(40, 120)
}

/// Rows with their columns aligned; the first row is the head. Empty columns stay.
pub(super) fn table(rows: &[Vec<String>]) -> String {
    use unicode_segmentation::UnicodeSegmentation;

    let wide = |text: &str| text.graphemes(true).count();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|at| rows.iter().filter_map(|row| row.get(at)).map(|c| wide(c)).max().unwrap_or(0))
        .collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width.saturating_sub(wide(cell)) + 2));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_leaves_nothing_behind() {
        assert_eq!(progress(312, 1_000), "\r312/1000 polled\u{1b}[K");
        assert_eq!(progress(1_000, 1_000), "\r\u{1b}[K");
    }

    #[test]
    fn columns_are_aligned_by_what_is_seen() {
        let rows = [["a", "b"], ["ăăă", "c"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(&rows), "a    b\năăă  c\n");
    }
}
