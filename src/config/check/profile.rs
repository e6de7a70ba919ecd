//! Checks `[profile.*]`: what people are asked of themselves.

use std::collections::BTreeMap;

use crate::config::check::texts::texts;
use crate::config::check::value::{choice, got};
use crate::config::problem::Findings;
use crate::config::raw::{List, RawProfileField};
use crate::config::table::Entry;
use crate::config::{ProfileField, Texts};
use crate::model::choice::{FIELDS_MAX, FieldKind};

const TITLE_CHARS_MAX: usize = 100;
const ASK_CHARS_MAX: usize = 1_000;

/// Most options: with a way to skip it and one back, Messenger's quick replies.
const OPTIONS_MAX: usize = 11;

/// Longest option: Messenger shows no more of a quick reply.
const OPTION_CHARS_MAX: usize = 20;

/// The fields; one too many is told and left out.
pub(crate) fn fields(raw: &[Entry<RawProfileField>], found: &mut Findings) -> Vec<ProfileField> {
    if let Some(more) = raw.get(FIELDS_MAX) {
        let text = format!("at most {FIELDS_MAX} fields can be asked for, got {}", raw.len());
        found.problem(more.at, &format!("profile.{}", more.name), text);
    }
    raw.iter().take(FIELDS_MAX).filter_map(|entry| field(entry, found)).collect()
}

/// `None` without a question, which is told.
fn field(entry: &Entry<RawProfileField>, found: &mut Findings) -> Option<ProfileField> {
    let raw = &entry.value;
    let path = format!("profile.{}", entry.name);
    let key = |key: &str| format!("{path}.{key}");
    let title = raw.title.as_ref();
    let title = title.and_then(|title| texts(title, &key("title"), TITLE_CHARS_MAX, found));
    let by_name = || Texts { default: entry.name.to_string(), languages: BTreeMap::new() };
    let options = options(raw.options.as_ref().map(|at| &at.value), &key("options"), found);
    let kinds =
        [("text", FieldKind::Text), ("number", FieldKind::Number), ("choice", FieldKind::Choice)];
    let usual = if options.is_empty() { FieldKind::Text } else { FieldKind::Choice };
    let kind = raw.kind.as_ref().and_then(|kind| choice(kind, &key("kind"), &kinds, found));
    let kind = kind.unwrap_or(usual);
    if let (FieldKind::Choice, true, Some(at)) = (kind, options.is_empty(), &raw.kind) {
        let text = "is a choice, but there are no options to choose from";
        found.problem(at.at, &key("kind"), text).hint("add `options = [\"…\", \"…\"]`");
    }
    let Some(ask) = &raw.ask else {
        let text = "is needed: the question that people are asked";
        found.problem(entry.at, &key("ask"), text).hint("for example `ask = \"Which city?\"`");
        return None;
    };
    Some(ProfileField {
        name: entry.name.clone(),
        title: title.unwrap_or_else(by_name),
        ask: texts(ask, &key("ask"), ASK_CHARS_MAX, found)?,
        kind,
        options,
        at_start: raw.at_start.unwrap_or(true),
    })
}

fn options(raw: Option<&List<String>>, key: &str, found: &mut Findings) -> Vec<String> {
    let mut options: Vec<String> = Vec::new();
    for at in raw.into_iter().flatten() {
        let option = at.value.trim();
        let chars = option.chars().count();
        if option.is_empty() {
            found.problem(at.at, key, "must not be empty");
        } else if chars > OPTION_CHARS_MAX {
            let text = format!("must have at most {OPTION_CHARS_MAX} characters, got {chars}");
            found.problem(at.at, key, text);
        } else if options.iter().any(|known| known.to_lowercase() == option.to_lowercase()) {
            found.problem(at.at, key, format!("{} is there already", got(option)));
        } else if options.len() >= OPTIONS_MAX {
            let text = format!("has more than {OPTIONS_MAX} options");
            found.problem(at.at, key, text);
            break;
        } else {
            options.push(option.to_owned());
        }
    }
    options
}
