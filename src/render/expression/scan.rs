//! The words of an expression: filters, tests, patterns and comparisons that can't be meant.
//!
//! The engine asks for a filter or a test only when it comes to it, which for the second half of
//! an `or` may be never. So they are looked for in the text.

use std::collections::BTreeMap;

use regex::{Regex, RegexBuilder};

use crate::model::campaign::ChangeKind;
use crate::render::expression::Fault;
use crate::render::filters::{FILTERS, TESTS};

/// Largest pattern once compiled, in bytes.
pub(super) const PATTERN_BYTES_MAX: usize = 1 << 20;

/// Fields that are texts such as `15.00 EUR`.
const AMOUNTS: [&str; 4] = ["price", "list_price", "was", "lowest_30d"];

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
    Number,
    /// With its quotes.
    Text(&'a str),
    Mark(&'a str),
}

/// Looks through an expression that the engine can read; `text_of` gives the text that a literal
/// stands for.
pub(super) fn scan(text: &str, text_of: &mut dyn FnMut(&str) -> Option<String>) -> Scanned {
    let tokens = tokens(text);
    let mut scanned = Scanned::default();
    let names: Vec<&str> = FILTERS.iter().copied().chain(["amount"]).collect();
    let tests: Vec<&str> = TESTS.iter().copied().chain(["matching"]).collect();
    for at in 0..tokens.len() {
        match &tokens[at..] {
            [Token::Mark("|"), Token::Name(name), ..] if !names.contains(name) => {
                let problem = format!("there is no filter `{name}`");
                scanned.faults.push(Fault::near(problem, name, &names));
            }
            [Token::Name("is"), Token::Name("not"), Token::Name(name), rest @ ..]
            | [Token::Name("is"), Token::Name(name), rest @ ..] => {
                scanned.test(name, rest, &tests, text_of);
            }
            [Token::Mark("."), Token::Name(field), Token::Mark(mark), Token::Number, ..]
                if AMOUNTS.contains(field) && mark.starts_with(['<', '>']) =>
            {
                let problem = format!("`{field}` is text such as `15.00 EUR`, not a number");
                let hint = format!("write `item.{field} | amount {mark} …`");
                scanned.faults.push(Fault::new(problem).hint(hint));
            }
            [Token::Name("change"), Token::Mark("==" | "!="), Token::Text(literal), ..] => {
                scanned.change(literal, text_of);
            }
            _ => {}
        }
    }
    scanned
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

    /// A comparison with a word that no change is.
    fn change(&mut self, literal: &str, text_of: &mut dyn FnMut(&str) -> Option<String>) {
        let Some(word) = text_of(literal) else { return };
        let words = ChangeKind::ALL.map(ChangeKind::as_str);
        if !words.contains(&word.as_str()) {
            self.faults.push(Fault::near(format!("no change is called `{word}`"), &word, &words));
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
            first if first.is_ascii_digit() => Token::Number,
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
