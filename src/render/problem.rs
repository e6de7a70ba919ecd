//! What is wrong with a layout, told to its editor.

use std::fmt;

use minijinja::{Error, ErrorKind};

use crate::render::filters::FILTERS;
use crate::render::nearest::nearest;

/// One problem at one place of a layout's file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    pub path: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    pub problem: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// `path:line:column: problem`, and the hint on a line of its own.
impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}:{}: {}", self.path, self.line, self.column, self.problem)?;
        match &self.hint {
            Some(hint) => write!(out, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

impl Problem {
    /// A problem at a byte offset of the file's text.
    pub(super) fn at(path: &str, text: &str, offset: usize, problem: String) -> Self {
        let before = &text[..text.floor_char_boundary(offset)];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            path: path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            problem,
            hint: None,
        }
    }

    /// The engine's error at its place, in the editor's words.
    pub(super) fn of_engine(path: &str, text: &str, error: &Error) -> Self {
        let line_start = || {
            let before = error.line().unwrap_or(1).saturating_sub(1);
            text.split_inclusive('\n').take(before).map(str::len).sum()
        };
        // The engine's range may begin within a chain such as `item.tags[0]`.
        let is_chain = |c: char| c.is_alphanumeric() || "_.[]'".contains(c);
        let chain_start =
            |at: usize| text.get(..at).map_or(at, |before| before.trim_end_matches(is_chain).len());
        let range = error.range().map(|range| chain_start(range.start)..range.end);
        let offset = range.as_ref().map_or_else(line_start, |range| range.start);
        let expression = range.and_then(|range| text.get(range)).unwrap_or_default().trim();
        let detail = error.detail().unwrap_or_default();
        let problem = match error.kind() {
            ErrorKind::OutOfFuel => {
                "this layout takes too long: does it loop too often?".to_owned()
            }
            ErrorKind::WriteFailure => "a layout prints at most 64 kB".to_owned(),
            ErrorKind::UndefinedError if !expression.is_empty() => {
                format!("`{expression}` has no value")
            }
            kind if detail.is_empty() => kind.to_string(),
            ErrorKind::SyntaxError => format!("syntax error: {detail}"),
            ErrorKind::UnknownFilter => {
                format!("there is no filter `{}`", unknown_filter(error).unwrap_or_default())
            }
            _ => detail.to_owned(),
        };
        Self::at(path, text, offset, problem).with_hint(hint_of(error))
    }

    pub(super) fn with_hint(self, hint: impl Into<Option<String>>) -> Self {
        Self { hint: hint.into(), ..self }
    }
}

fn hint_of(error: &Error) -> Option<String> {
    match error.kind() {
        ErrorKind::UnknownFilter => {
            let name = unknown_filter(error).unwrap_or_default();
            if name == "safe" {
                return Some("`summary` and `body` keep their markup; all else is text".to_owned());
            }
            Some(match nearest(name, &FILTERS) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("filters are {}", FILTERS.map(|it| format!("`{it}`")).join(", ")),
            })
        }
        ErrorKind::UndefinedError => {
            Some("not every item has it: put it within `{% if … %}`".to_owned())
        }
        _ => None,
    }
}

/// The name in the engine's `filter NAME is unknown`.
pub(super) fn unknown_filter(error: &Error) -> Option<&str> {
    if error.kind() != ErrorKind::UnknownFilter {
        return None;
    }
    error.detail()?.strip_prefix("filter ")?.strip_suffix(" is unknown")
}

/// The offset of `word` within an expression, where what is before it is `fit`.
pub(super) fn find_word(text: &str, word: &str, fit: impl Fn(&str) -> bool) -> Option<usize> {
    let is_part = |c: char| c == '_' || c.is_alphanumeric();
    let is_whole =
        |at: usize| !text[..at].ends_with(is_part) && !text[at + word.len()..].starts_with(is_part);
    let is_within = |at: usize| {
        let last = |mark| text[..at].rfind(mark).map_or(0, |found: usize| found + 1);
        last("{{").max(last("{%")) > last("}}").max(last("%}"))
    };
    text.match_indices(word)
        .map(|(at, _)| at)
        .find(|&at| is_whole(at) && is_within(at) && fit(text[..at].trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_told_with_its_place() {
        let problem = Problem::at("a.html", "één\nzwéi!", 11, "is wrong".to_owned());
        assert_eq!(problem.to_string(), "a.html:2:5: is wrong");
        let hinted = problem.with_hint("do better".to_owned());
        assert_eq!(hinted.to_string(), "a.html:2:5: is wrong\n  hint: do better");
    }
}
