//! What is wrong with the settings: collected while reading, told with file, line and column.

use std::collections::HashSet;
use std::fmt;
use std::path::PathBuf;

use crate::config::file::File;

/// Most problems that are told; the rest is counted.
const PROBLEMS_MAX: usize = 500;

/// Something in a settings file that must be changed, or (as a warning) that may surprise.
///
/// Shown as `path:line:column: key: problem`, and on a second line `  hint: …` where there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub path: PathBuf,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The key with its tables, such as `sources.blog.url`; empty when the file as a whole or its
    /// syntax is meant.
    pub key: String,
    pub problem: String,
    pub hint: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}:{}: ", self.path.display(), self.line, self.column)?;
        if !self.key.is_empty() {
            write!(out, "{}: ", self.key)?;
        }
        out.write_str(&self.problem)?;
        match &self.hint {
            Some(hint) => write!(out, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

/// A place in one of the files that are being loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// Index into the files, the sysadmin's first.
    pub file: usize,
    /// In bytes.
    pub offset: usize,
}

/// A problem or warning before its line and column are looked up.
#[derive(Debug)]
pub(crate) struct Finding {
    at: Place,
    key: String,
    problem: String,
    /// A second place, named at the end of the problem.
    other: Option<Place>,
    hint: Option<String>,
    /// It says that the key is not there.
    is_missing: bool,
}

impl Finding {
    pub fn hint(&mut self, hint: impl Into<String>) -> &mut Self {
        self.hint = Some(hint.into());
        self
    }

    /// Names a second place: the problem's text goes on with ` at path:line:column`.
    pub fn other(&mut self, place: Place) -> &mut Self {
        self.other = Some(place);
        self
    }
}

/// Everything found so far.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    problems: Vec<Finding>,
    warnings: Vec<Finding>,
}

impl Findings {
    pub fn problem(&mut self, at: Place, key: &str, text: impl Into<String>) -> &mut Finding {
        add(&mut self.problems, at, key, text.into())
    }

    pub fn warning(&mut self, at: Place, key: &str, text: impl Into<String>) -> &mut Finding {
        add(&mut self.warnings, at, key, text.into())
    }

    /// A key is needed and not there. When something else is wrong with it, only that is told: a
    /// value of the wrong type counts as none.
    pub fn missing(&mut self, at: Place, key: &str) -> &mut Finding {
        let finding = self.problem(at, key, "is needed");
        finding.is_missing = true;
        finding
    }

    /// All that is wrong with one value: each in one line, perhaps with a hint.
    pub fn problems(&mut self, at: Place, key: &str, all: Vec<(String, Option<String>)>) {
        for (text, hint) in all {
            self.problem(at, key, text).hint = hint;
        }
    }

    pub fn has_problems(&self) -> bool {
        !self.problems.is_empty()
    }

    /// There are as many problems as are told: hints for more are not worth looking for.
    pub fn is_full(&self) -> bool {
        self.problems.len() >= PROBLEMS_MAX
    }

    /// In the order of the files and the places in them; at most [`PROBLEMS_MAX`] and one more
    /// that counts the rest.
    pub fn into_problems(self, files: &[File]) -> Vec<Problem> {
        let mut problems = self.problems;
        let wrong: HashSet<String> =
            problems.iter().filter(|it| !it.is_missing).map(|it| it.key.clone()).collect();
        problems.retain(|it| !it.is_missing || !wrong.contains(&it.key));
        told(problems, files)
    }

    /// As [`Findings::into_problems`].
    pub fn into_warnings(self, files: &[File]) -> Vec<Problem> {
        told(self.warnings, files)
    }
}

fn add<'a>(list: &'a mut Vec<Finding>, at: Place, key: &str, problem: String) -> &'a mut Finding {
    let finding =
        Finding { at, key: key.to_owned(), problem, other: None, hint: None, is_missing: false };
    list.push_mut(finding)
}

fn told(mut list: Vec<Finding>, files: &[File]) -> Vec<Problem> {
    list.sort_by_key(|finding| finding.at);
    let rest = list.len().saturating_sub(PROBLEMS_MAX);
    list.truncate(PROBLEMS_MAX);
    let mut out: Vec<Problem> = list.into_iter().map(|finding| resolve(finding, files)).collect();
    if rest > 0
        && let Some(last) = out.last()
    {
        let problem = format!("{rest} more are not shown");
        out.push(Problem { key: String::new(), problem, hint: None, ..last.clone() });
    }
    out
}

fn resolve(finding: Finding, files: &[File]) -> Problem {
    let (path, line, column) = locate(finding.at, files);
    let mut problem = finding.problem;
    if let Some(other) = finding.other {
        let (path, line, column) = locate(other, files);
        problem.push_str(&format!(" at {}:{line}:{column}", path.display()));
    }
    Problem { path, line, column, key: finding.key, problem, hint: finding.hint }
}

fn locate(place: Place, files: &[File]) -> (PathBuf, usize, usize) {
    match files.get(place.file) {
        Some(file) => {
            let (line, column) = file.position(place.offset);
            (file.path().to_owned(), line, column)
        }
        None => (PathBuf::new(), 1, 1),
    }
}
