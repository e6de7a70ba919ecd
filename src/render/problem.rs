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
            ErrorKind::MissingArgument => "a value is missing in brackets here".to_owned(),
            ErrorKind::TooManyArguments => {
                "there are more values in brackets here than it takes".to_owned()
            }
            kind if detail.is_empty() => kind.to_string(),
            ErrorKind::SyntaxError => format!("syntax error: {detail}"),
            ErrorKind::UnknownFilter => {
                format!("there is no filter `{}`", unknown_filter(error).unwrap_or_default())
            }
            _ => plain(detail),
        };
        Self::at(path, text, offset, problem).with_hint(hint_of(error))
    }

    pub(super) fn with_hint(self, hint: impl Into<Option<String>>) -> Self {
        Self { hint: hint.into(), ..self }
    }
}

/// What the engine says, in words of people who write layouts.
pub(super) fn plain(detail: &str) -> String {
    if let Some((from, to)) =
        detail.strip_prefix("cannot convert ").and_then(|rest| rest.split_once(" to "))
    {
        return format!("{} is needed here, not {}", what(to), what(from));
    }
    if let Some((sign, (one, other))) = detail
        .strip_prefix("tried to use ")
        .and_then(|rest| rest.split_once(" operator on unsupported types "))
        .and_then(|(sign, kinds)| Some((sign, kinds.split_once(" and ")?)))
    {
        return format!("`{sign}` is for numbers, not for {} and {}", what(one), what(other));
    }
    if let Some(word) = detail.strip_prefix("unknown keyword argument ") {
        let word = word.trim_matches(['\'', '`']);
        return format!("nothing here is called `{word}`");
    }
    if let Some(name) =
        detail.strip_prefix("test ").and_then(|rest| rest.strip_suffix(" is unknown"))
    {
        return format!("there is no test `is {name}`");
    }
    if let Some(name) = detail.strip_suffix(" is unknown").filter(|name| !name.contains(' ')) {
        return format!("there is no function `{name}`: write filters, as in `item.title | upper`");
    }
    detail.to_owned()
}

/// A kind of value, as people call it.
fn what(kind: &str) -> &str {
    match kind.trim().trim_start_matches('&') {
        "string" | "str" | "String" => "text",
        "number" | "integer" | "float" | "usize" | "u8" | "u16" | "u32" | "u64" | "i8" | "i16"
        | "i32" | "i64" | "i128" | "u128" | "isize" | "f32" | "f64" => "a number",
        "sequence" | "iterator" | "list" => "a list",
        "map" | "plain object" => "a group of fields",
        "bool" => "true or false",
        "none" | "undefined" => "nothing",
        other => other,
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
    fn the_engines_words_are_told_in_plain_ones() {
        for (detail, told) in [
            ("cannot convert string to usize", "a number is needed here, not text"),
            ("cannot convert number to string", "text is needed here, not a number"),
            (
                "tried to use * operator on unsupported types string and number",
                "`*` is for numbers, not for text and a number",
            ),
            ("unknown keyword argument 'zone'", "nothing here is called `zone`"),
            ("test odds is unknown", "there is no test `is odds`"),
            ("`date` needs an instant", "`date` needs an instant"),
        ] {
            assert_eq!(plain(detail), told);
        }
    }

    #[test]
    fn a_problem_is_told_with_its_place() {
        let problem = Problem::at("a.html", "één\nzwéi!", 11, "is wrong".to_owned());
        assert_eq!(problem.to_string(), "a.html:2:5: is wrong");
        let hinted = problem.with_hint("do better".to_owned());
        assert_eq!(hinted.to_string(), "a.html:2:5: is wrong\n  hint: do better");
    }
}
