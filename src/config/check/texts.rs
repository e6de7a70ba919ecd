//! Checks texts in one or several languages, and `[topics.*]`.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::check::around::Surroundings;
use crate::config::problem::Findings;
use crate::config::raw::{RawTexts, RawTextsForm, RawTopic};
use crate::config::table::{At, Entry};
use crate::config::{Listen, Texts};
use crate::model::name::Name;
use crate::model::subscriber::is_language_tag;

const TITLE_CHARS_MAX: usize = 100;

/// The topics with their titles; without one, a topic is called by its name.
pub(crate) fn topics(raw: &[Entry<RawTopic>], found: &mut Findings) -> BTreeMap<Name, Texts> {
    let mut topics = BTreeMap::new();
    for entry in raw {
        let key = format!("topics.{}.title", entry.name);
        let title = entry.value.title.as_ref();
        let title = title.and_then(|title| texts(title, &key, TITLE_CHARS_MAX, found));
        let by_name = || Texts { default: entry.name.to_string(), languages: BTreeMap::new() };
        topics.insert(entry.name.clone(), title.unwrap_or_else(by_name));
    }
    topics
}

/// The topics of which everybody may read what was sent.
pub(crate) fn archives(
    raw: &[Entry<RawTopic>],
    listen: &Listen,
    around: &Surroundings<'_>,
    found: &mut Findings,
) -> BTreeSet<Name> {
    let mut archives = BTreeSet::new();
    for entry in raw {
        let Some(archive) = entry.value.archive.as_ref().filter(|it| it.value) else { continue };
        if around.is_complete && listen.public.is_none() {
            let text = "nobody can read it: `listen.public` is not set";
            found.warning(archive.at, &format!("topics.{}.archive", entry.name), text);
        }
        archives.insert(entry.name.clone());
    }
    archives
}

/// `None` when no text is usable; what is wrong is told.
pub(super) fn texts(
    raw: &RawTexts,
    key: &str,
    chars_max: usize,
    found: &mut Findings,
) -> Option<Texts> {
    let by_language = match &raw.form {
        RawTextsForm::One(text) => {
            let default = text_of(text, key, chars_max, found)?;
            return Some(Texts { default, languages: BTreeMap::new() });
        }
        RawTextsForm::ByLanguage(list) => list,
    };
    let mut languages = BTreeMap::new();
    for (language, text) in by_language {
        let tag = tag_of(language, key, found);
        if let Some(text) = text_of(text, key, chars_max, found)
            && languages.insert(tag, text).is_some()
        {
            found.problem(language.at, key, "this language is given twice");
        }
    }
    let tags = || by_language.iter().map(|(language, _)| language.value.to_lowercase());
    let first = || tags().find_map(|tag| languages.get(&tag));
    let default = languages.get("en").or_else(first)?.clone();
    Some(Texts { default, languages })
}

fn text_of(raw: &At<String>, key: &str, chars_max: usize, found: &mut Findings) -> Option<String> {
    let chars = raw.value.chars().count();
    if raw.value.trim().is_empty() {
        found.problem(raw.at, key, "must not be empty");
        return None;
    }
    if chars > chars_max {
        let text = format!("must have at most {chars_max} characters, got {chars}");
        found.problem(raw.at, key, text);
        return None;
    }
    Some(raw.value.clone())
}

/// The tag in lower case; what is none is told.
pub(super) fn tag_of(language: &At<String>, key: &str, found: &mut Findings) -> String {
    let tag = language.value.to_lowercase();
    if !is_language_tag(&tag) {
        found
            .problem(language.at, key, "is no language tag")
            .hint("for example `en`, `ro` or `pt-br`");
    }
    tag
}
