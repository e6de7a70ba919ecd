//! A message with blanks for the reader's name: rendered once, filled in for each.
//!
//! Most layouts that name `subscriber` only greet. What they print is then the same for all who
//! have a name, but for the name: it is rendered once with a mark in its place. That holds only
//! where a layout does nothing else with the name, and for names that read the same wherever they
//! stand; for all else there is no form, and the layout is rendered for the reader.

use crate::markup;
use crate::model::message::{Message, Module};
use crate::model::rich::{Block, Inline};
use crate::render::engine::OUTPUT_BYTES_MAX;

/// Longest name that is filled in, in bytes.
const NAME_BYTES_MAX: usize = 100;

/// What a layout sees of a reader.
const READER: &str = "subscriber";
const NAME: &str = "subscriber.first_name";
const LANGUAGE: &str = "subscriber.language";

/// Statements that neither keep what is printed nor change it.
const STATEMENTS: [&str; 8] = ["if", "elif", "else", "endif", "for", "endfor", "include", "set"];

/// What may stand before a name without making something else of the two, beside white space.
const BEFORE: &str = ">.,:;-–—(„“”‘\"'¡¿";

/// A message that lacks the name.
#[derive(Debug)]
pub(super) struct Form {
    message: Message,
    mark: char,
    blanks: usize,
    /// How long what was printed is, the marks included.
    html_bytes: usize,
}

/// A name that stands for any other: rare signs that no item is likely to have. The first that is
/// not in what was printed for another name.
pub(super) fn mark_beside(html: &str) -> Option<char> {
    ('\u{9fa6}'..='\u{9fbf}').find(|mark| !html.contains(*mark))
}

/// Whether the name reads the same wherever it stands: ordinary characters, single blanks.
pub(super) fn takes(name: &str) -> bool {
    !name.is_empty() && name.len() <= NAME_BYTES_MAX && markup::is_tidy(name)
}

impl Form {
    /// The form of what was printed for a reader whose name is the mark; `None` where a name would
    /// be more than a part of a text.
    pub fn of(html: &str, message: Message, mark: char) -> Option<Self> {
        let is_safe = |(at, _): (usize, &str)| {
            let before = html[..at].chars().next_back();
            before.is_none_or(|it| it.is_whitespace() || BEFORE.contains(it))
        };
        let mut printed = html.match_indices(mark);
        let blanks = html.matches(mark).count();
        let mut found = 0;
        let mut form = Self { message, mark, blanks, html_bytes: html.len() };
        for_each_text(&mut form.message, &mut |text| {
            let is_followed = |rest: &str| rest.is_empty() || markup::is_tidy(rest.trim());
            let mut parts = text.split(mark).skip(1);
            found += text.matches(mark).count();
            if !parts.all(is_followed) {
                found = usize::MAX / 2;
            }
        });
        (found == blanks && printed.all(is_safe)).then_some(form)
    }

    pub fn is_empty(&self) -> bool {
        self.message.modules.is_empty()
    }

    /// The message for a reader of this name; `None` when it would be longer than what a layout
    /// may print.
    pub fn fill(&self, name: &str) -> Option<Message> {
        // What is escaped has at most five bytes more of each of its own.
        if self.html_bytes + self.blanks * name.len() * 6 > OUTPUT_BYTES_MAX {
            return None;
        }
        let mut message = self.message.clone();
        for_each_text(&mut message, &mut |text| {
            if text.contains(self.mark) {
                *text = text.replace(self.mark, name);
            }
        });
        Some(message)
    }
}

/// Whether a layout does no more with the reader's name than print it and ask whether there is one.
/// What it does with the language makes no difference.
pub(super) fn only_prints_the_name(layout: &str) -> bool {
    let mut rest = layout;
    while let Some(start) = rest.find('{') {
        let (text, tag) = rest.split_at(start);
        let (end, is_fit): (&str, fn(&str) -> bool) = match tag.as_bytes().get(1) {
            Some(b'{') => ("}}", is_fit_expression),
            Some(b'%') => ("%}", is_fit_statement),
            Some(b'#') => ("#}", |_| true),
            _ => {
                rest = &tag[1..];
                continue;
            }
        };
        let Some(length) = tag.find(end) else { return false };
        if text.contains(READER) || !is_fit(&tag[2..length]) {
            return false;
        }
        rest = &tag[length + end.len()..];
    }
    !rest.contains(READER)
}

fn is_fit_expression(expression: &str) -> bool {
    let expression = bare(expression);
    if expression == NAME || expression == LANGUAGE {
        return true;
    }
    let otherwise = expression.strip_prefix(NAME).map(str::trim_start).and_then(|it| {
        let other = it.strip_prefix("or ");
        let default =
            || it.strip_prefix('|')?.trim_start().strip_prefix("default(")?.strip_suffix(')');
        other.or_else(default)
    });
    otherwise.is_some_and(|it| is_quoted(it.trim())) || is_without_name(expression)
}

fn is_fit_statement(statement: &str) -> bool {
    let statement = bare(statement);
    let (word, rest) = statement.split_once(char::is_whitespace).unwrap_or((statement, ""));
    let asks = matches!(word, "if" | "elif") && only_asks_for_a_name(rest);
    let is_fit = STATEMENTS.contains(&word) && (word != "set" || rest.contains('='));
    is_fit && (asks || is_without_name(rest))
}

/// Whether the name stands in a condition by itself, beside `not`, `and` and `or`.
fn only_asks_for_a_name(condition: &str) -> bool {
    if condition.contains(['(', '[', '|', '\'', '"']) {
        return false;
    }
    let words: Vec<&str> = condition.split_whitespace().collect();
    let is_joint = |word: Option<&&str>| word.is_none_or(|it| matches!(*it, "and" | "or"));
    words.iter().enumerate().filter(|(_, word)| word.contains(READER)).all(|(at, word)| {
        let before = words[..at].last();
        *word == NAME && (is_joint(before) || before == Some(&"not")) && is_joint(words.get(at + 1))
    })
}

/// What stands between the signs of a tag.
fn bare(inner: &str) -> &str {
    let is_sign = |c: char| c.is_whitespace() || matches!(c, '-' | '+');
    inner.trim_start_matches(['-', '+']).trim_end_matches(['-', '+']).trim_matches(is_sign)
}

/// Whether nothing but the language of a reader is named.
fn is_without_name(code: &str) -> bool {
    code.split(READER).skip(1).all(|behind| {
        let behind = behind.strip_prefix(".language");
        behind.is_some_and(|it| !it.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    })
}

/// One string, and nothing else.
fn is_quoted(code: &str) -> bool {
    let quote = |it: char| {
        let inner = code.strip_prefix(it)?.strip_suffix(it)?;
        (!inner.contains([it, '\\'])).then_some(())
    };
    quote('\'').or_else(|| quote('"')).is_some()
}

fn for_each_text(message: &mut Message, change: &mut dyn FnMut(&mut String)) {
    for module in &mut message.modules {
        if let Module::Text { text, .. } = module {
            in_blocks(&mut text.blocks, change);
        }
    }
}

fn in_blocks(blocks: &mut [Block], change: &mut dyn FnMut(&mut String)) {
    for block in blocks {
        match block {
            Block::Paragraph(content) | Block::Heading { content, .. } => in_line(content, change),
            Block::List { items, .. } => items.iter_mut().for_each(|it| in_blocks(it, change)),
            Block::Quote { blocks, .. } => in_blocks(blocks, change),
            Block::Table { rows, .. } => {
                rows.iter_mut().flatten().for_each(|cell| in_line(cell, change));
            }
            Block::Code { .. } | Block::Rule => {}
        }
    }
}

fn in_line(content: &mut [Inline], change: &mut dyn FnMut(&mut String)) {
    for inline in content {
        match inline {
            Inline::Text(text) => change(text),
            Inline::Break | Inline::Code(_) => {}
            Inline::Bold(content)
            | Inline::Italic(content)
            | Inline::Underline(content)
            | Inline::Strike(content)
            | Inline::Spoiler(content)
            | Inline::Link { content, .. } => in_line(content, change),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_that_only_greet_are_told_from_others() {
        let greet = [
            "{{ item.title }}",
            "{# subscriber #}{{ subscriber.first_name }}",
            "{{- subscriber.first_name or 'you' -}} { {",
            "{{ subscriber.first_name | default(\"you\") }}",
            "{%- if subscriber.first_name -%}a{% elif not subscriber.first_name %}b{% endif %}",
            "{% if item.price and subscriber.first_name %}a{% endif %}",
            "{% if subscriber.language == 'ro' %}{{ subscriber.language | upper }}{% endif %}",
            "{% set a = item.title %}{% include '_x.html' %}",
        ];
        for layout in greet {
            assert!(only_prints_the_name(layout), "{layout}");
        }
        let others = [
            "{{ subscriber.first_name | upper }}",
            "{{ subscriber['first_name'] }}",
            "{{ subscriber.first_name or item.title }}",
            "{{ subscriber.first_name or 'a' ~ 'b' }}",
            "{{ 'Hello ' ~ subscriber.first_name }}",
            "{{ subscriber }}",
            "{{ subscriber.languages }}",
            "{{ '}}' ~ subscriber.first_name }}",
            "{% set name = subscriber.first_name %}{{ name }}",
            "{% if subscriber.first_name == 'Ana' %}a{% endif %}",
            "{% if 'Ana' == subscriber.first_name %}a{% endif %}",
            "{% if (subscriber.first_name or item.title) == 'Ana' %}a{% endif %}",
            "{% if a if subscriber.first_name else b %}a{% endif %}",
            "{% for c in subscriber.first_name %}{{ c }}{% endfor %}",
            "{% set a %}{{ subscriber.first_name }}{% endset %}{{ a | upper }}",
            "{% filter upper %}{{ subscriber.first_name }}{% endfilter %}",
            "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(subscriber.first_name) }}",
            "{% include subscriber.first_name %}",
            "{{ subscriber.first_name",
        ];
        for layout in others {
            assert!(!only_prints_the_name(layout), "{layout}");
        }
    }
}
