//! What is wrong with a layout, told to its editor.

use std::fmt;

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

    pub(super) fn with_hint(self, hint: impl Into<Option<String>>) -> Self {
        Self { hint: hint.into(), ..self }
    }
}

/// The known name that `name` was probably meant to be: at most a third of it differs.
pub(super) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let distance = |one: &&str| steps_between(name, one);
    let best = known.iter().copied().min_by_key(distance)?;
    (steps_between(name, best) <= (name.chars().count() / 3).max(1)).then_some(best)
}

/// How many characters must be added, taken or changed (Levenshtein).
fn steps_between(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, c) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], at + 1);
        for (column, d) in other.iter().enumerate() {
            let changed = diagonal + usize::from(c != *d);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
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

    #[test]
    fn the_nearest_name_is_near() {
        let known = ["title", "link", "summary", "tags"];
        let cases = [
            ("tite", Some("title")),
            ("titel", None),
            ("sumary", Some("summary")),
            ("lnk", Some("link")),
            ("price", None),
            ("", None),
        ];
        for (name, expected) in cases {
            assert_eq!(nearest(name, &known), expected, "{name}");
        }
    }
}
