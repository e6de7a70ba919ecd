//! Filters that make texts of texts.

use minijinja::value::ValueKind;
use minijinja::{Error, Value};
use unicode_segmentation::UnicodeSegmentation;

use crate::markup;
use crate::render::filters::{TEXT_BYTES_MAX, fault, words};
use crate::render::shorten::{shorten, shorten_rich};
use crate::render::values::ItemValue;

/// Words that people read in a minute.
const WORDS_A_MINUTE: usize = 230;

/// Signs that people read in a minute, of scripts that write a word in one or two of them.
const SIGNS_A_MINUTE: usize = 500;

/// Most hashtags of one item.
const HASHTAGS_MAX: usize = 20;

/// Longest hashtag, in characters.
const HASHTAG_CHARS_MAX: usize = 64;

/// At most that many graphemes, cut at a word; markup stays markup.
pub(super) fn truncate(value: &Value, graphemes_max: usize) -> Result<Value, Error> {
    if let Some(html) = value.as_str().filter(|_| value.is_safe()) {
        // Markup has more bytes than its text has graphemes.
        if html.len() <= graphemes_max {
            return Ok(value.clone());
        }
        let text = markup::rich(html, None);
        let short = shorten_rich(&text, graphemes_max);
        return Ok(Value::from_safe_string(markup::to_html(&short)));
    }
    Ok(Value::from(shorten(&words(value)?, graphemes_max)))
}

/// Minutes to read a text or an item, at least 1; 0 without a word.
pub(super) fn readtime(value: &Value) -> Result<usize, Error> {
    let text = match value.downcast_object_ref::<ItemValue>() {
        Some(item) => words(&item.field("text").unwrap_or_default())?,
        None => words(value)?,
    };
    let is_sign =
        |word: &&str| word.chars().next().is_some_and(|c| ('\u{2e80}'..'\u{a000}').contains(&c));
    let all = text.unicode_words().count();
    let signs = text.unicode_words().filter(is_sign).count();
    if all == 0 {
        return Ok(0);
    }
    // In tenths of a minute; half a minute more is a minute more.
    let tenths = signs * 10 / SIGNS_A_MINUTE + (all - signs) * 10 / WORDS_A_MINUTE;
    Ok(((tenths + 5) / 10).max(1))
}

/// Tags as `#rust #home_office`: letters, digits and `_`, each once, at most `most` of them.
pub(super) fn hashtags(value: &Value, most: Option<usize>) -> Result<String, Error> {
    let tags = match value.kind() {
        ValueKind::String | ValueKind::Undefined | ValueKind::None => vec![words(value)?],
        _ => value.try_iter()?.map(|tag| words(&tag)).collect::<Result<_, _>>()?,
    };
    let mut made: Vec<String> = Vec::new();
    for tag in tags.iter().filter_map(|tag| hashtag(tag)) {
        let is_new = !made.iter().any(|known| known.to_lowercase() == tag.to_lowercase());
        if is_new && made.len() < most.unwrap_or(HASHTAGS_MAX).min(HASHTAGS_MAX) {
            made.push(tag);
        }
    }
    Ok(made.join(" "))
}

/// `None` for what has no letter: services take `#2026` for a number.
fn hashtag(tag: &str) -> Option<String> {
    let mut made = String::from("#");
    let mut is_parted = false;
    let tag = tag.trim().trim_start_matches('#');
    for c in tag.chars().take(HASHTAG_CHARS_MAX) {
        let is_mark = unicode_normalization::char::is_combining_mark(c);
        if c.is_alphanumeric() || (is_mark && made.len() > 1) {
            if is_parted && made.len() > 1 {
                made.push('_');
            }
            is_parted = false;
            made.push(c);
        } else if !matches!(c, '\'' | '’') {
            is_parted = true;
        }
    }
    made.chars().any(char::is_alphabetic).then_some(made)
}

/// `other` in place of what is missing or empty.
pub(super) fn default(value: &Value, other: Option<Value>) -> Value {
    if value.is_true() { value.clone() } else { other.unwrap_or_else(|| Value::from("")) }
}

pub(super) fn join(value: &Value, joiner: Option<&str>) -> Result<String, Error> {
    let mut out = String::new();
    for (at, part) in value.try_iter()?.enumerate() {
        if at > 0 {
            out.push_str(joiner.unwrap_or_default());
        }
        out.push_str(&words(&part)?);
        if out.len() > TEXT_BYTES_MAX {
            return Err(fault("`join` makes a text that is too long"));
        }
    }
    Ok(out)
}

pub(super) fn replace(value: &Value, from: &str, to: &str) -> Result<String, Error> {
    let text = words(value)?;
    let grown = text.matches(from).count().saturating_mul(to.len());
    if text.len().saturating_add(grown) > TEXT_BYTES_MAX {
        return Err(fault("`replace` makes a text that is too long"));
    }
    Ok(text.replace(from, to))
}

pub(super) fn capitalize(value: &Value) -> Result<String, Error> {
    let text = words(value)?;
    let mut chars = text.chars();
    let first = chars.next().into_iter().flat_map(char::to_uppercase);
    Ok(first.chain(chars.as_str().chars().flat_map(char::to_lowercase)).collect())
}
