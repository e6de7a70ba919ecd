//! The words of an expression: filters, tests and patterns that can't be meant.
//!
//! The engine asks for a filter or a test only when it comes to it, which for the second half of
//! an `or` may be never. So they are looked for in the text.

use std::collections::BTreeMap;

use regex::{Regex, RegexBuilder};

use crate::render::expression::Fault;
use crate::render::expression::compare::{Fields, compared};
use crate::render::filters::{FILTERS, TESTS};

/// Largest pattern once compiled, in bytes.
pub(super) const PATTERN_BYTES_MAX: usize = 1 << 20;

/// What was found in an expression.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    pub faults: Vec<Fault>,
    /// By their text.
    pub patterns: BTreeMap<String, Regex>,
}

/// A word of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Name(&'a str),
    Number(&'a str),
    /// With its quotes.
    Text(&'a str),
    Mark(&'a str),
}

/// Looks through an expression that the engine can read; `text_of` gives the text that a literal
/// stands for.
pub(super) fn scan(
    text: &str,
    fields: &Fields<'_>,
    text_of: &mut dyn FnMut(&str) -> Option<String>,
) -> Scanned {
    let tokens = tokens(text);
    let mut scanned = Scanned::default();
    let tests: Vec<&str> = TESTS.iter().copied().chain(["matching"]).collect();
    for at in 0..tokens.len() {
        match &tokens[at..] {
            [Token::Mark("|"), Token::Name(name), ..] if !FILTERS.contains(name) => {
                let problem = format!("there is no filter `{name}`");
                scanned.faults.push(Fault::near(problem, name, &FILTERS));
            }
            [Token::Name("is"), Token::Name("not"), Token::Name(name), rest @ ..]
            | [Token::Name("is"), Token::Name(name), rest @ ..] => {
                scanned.test(name, rest, &tests, text_of);
            }
            _ => {}
        }
    }
    scanned.faults.extend(compared(&tokens, fields, text_of));
    scanned
}

/// What somebody wrote who knows other languages, in words of this one.
pub(super) fn slip(text: &str) -> Option<&'static str> {
    let tokens = tokens(text);
    (0..tokens.len()).find_map(|at| {
        Some(match &tokens[at..] {
            [Token::Mark("<"), Token::Mark(">"), ..] => "write `!=` for what is not equal",
            [Token::Mark("="), Token::Mark(">"), ..] => "write `>=`",
            [Token::Mark("="), Token::Mark("<"), ..] => "write `<=`",
            [Token::Mark("="), ..] => {
                "`==` asks whether two are equal, as in `item.language == 'ro'`"
            }
            [Token::Mark("&"), ..] => "write `and`",
            [Token::Mark("|"), Token::Mark("|"), ..] => "write `or`",
            [Token::Mark("!"), ..] => "write `not`",
            [Token::Mark("‘" | "’" | "“" | "”" | "„"), ..] => {
                "write straight quotes: `'`"
            }
            [Token::Name(name), ..] => match name.to_ascii_lowercase().as_str() {
                lower if lower == *name => return None,
                "and" => "write `and`, in lower case",
                "or" => "write `or`, in lower case",
                "not" => "write `not`, in lower case",
                "in" => "write `in`, in lower case",
                _ => return None,
            },
            _ => return None,
        })
    })
}

impl Scanned {
    fn test(
        &mut self,
        name: &str,
        rest: &[Token<'_>],
        tests: &[&str],
        text_of: &mut dyn FnMut(&str) -> Option<String>,
    ) {
        if !tests.contains(&name) {
            let problem = format!("there is no test `is {name}`");
            return self.faults.push(Fault::near(problem, name, tests));
        }
        if name != "matching" {
            return;
        }
        let literal = match rest {
            [Token::Mark("("), Token::Text(literal), Token::Mark(")"), ..] => Some(*literal),
            [Token::Text(literal), ..] => Some(*literal),
            _ => None,
        };
        let Some(pattern) = literal.and_then(text_of) else {
            let problem = "the pattern of `matching` must be written out";
            let hint = "for example `item.title is matching('(?i)sponsored')`";
            return self.faults.push(Fault::new(problem).hint(hint));
        };
        match RegexBuilder::new(&pattern).size_limit(PATTERN_BYTES_MAX).build() {
            Ok(regex) => {
                self.patterns.insert(pattern, regex);
            }
            Err(error) => {
                let problem = format!("`{pattern}` is no pattern: {}", reason(&error));
                self.faults.push(Fault::new(problem));
            }
        }
    }
}

/// The last line of the engine's drawing of the pattern.
pub(super) fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default().trim();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_part = |c: char| c == '_' || c.is_alphanumeric();
        let bytes = match first {
            '\'' | '"' => literal_bytes(rest, first),
            first if is_part(first) => rest.find(|c| !is_part(c)).unwrap_or(rest.len()),
            _ if ["==", "!=", "<=", ">=", "//", "**"].iter().any(|it| rest.starts_with(it)) => 2,
            first => first.len_utf8(),
        };
        let (word, after) = rest.split_at(bytes);
        tokens.push(match first {
            '\'' | '"' => Token::Text(word),
            first if first.is_ascii_digit() => Token::Number(word),
            first if is_part(first) => Token::Name(word),
            _ => Token::Mark(word),
        });
        rest = after.trim_start();
    }
    tokens
}

/// How long the literal is with which the text begins.
fn literal_bytes(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}
