//! Checks `[sources.*.select]`; what reads pages says which selectors and patterns are wrong.

use std::sync::Arc;

use crate::config::check::around::Surroundings;
use crate::config::problem::{Findings, Place};
use crate::config::raw::{RawField, RawSelect};
use crate::config::table::At;
use crate::model::source::{PageField, PageRules};

/// Longest selector, pattern or format, in bytes.
const TEXT_BYTES_MAX: usize = 1_024;

/// The rules; `path` is the table's key.
pub(crate) fn select(
    raw: &RawSelect,
    path: &str,
    around: &Surroundings<'_>,
    found: &mut Findings,
) -> Option<Arc<PageRules>> {
    let mut field = |name: &str, raw: Option<&RawField>| {
        raw.and_then(|raw| field(raw, &format!("{path}.{name}"), found))
    };
    let mut rules = PageRules {
        item: None,
        title: field("title", raw.title.as_ref()),
        link: field("link", raw.link.as_ref()),
        date: field("date", raw.date.as_ref()),
        summary: field("summary", raw.summary.as_ref()),
        image: field("image", raw.image.as_ref()),
        author: field("author", raw.author.as_ref()),
    };
    match &raw.item {
        Some(item) => rules.item = Some(bounded(item, &format!("{path}.item"), found)?),
        None => {
            let (_, first) = places(raw).into_iter().find_map(|(key, at)| Some((key, at?)))?;
            found
                .missing(first, &format!("{path}.item"))
                .hint("the selector of one item, such as `article.post`; the others look in it");
            return Some(Arc::new(rules));
        }
    }
    for (key, problem) in around.rules.page(&rules) {
        let is_meant = |(field, at): (&str, Option<Place>)| at.filter(|_| field == key);
        // What is not there was told already.
        let at = match key {
            "item" => raw.item.as_ref().map(|item| item.at),
            _ => places(raw).into_iter().find_map(is_meant),
        };
        if let Some(at) = at {
            found.problem(at, &format!("{path}.{key}"), problem);
        }
    }
    Some(Arc::new(rules))
}

/// Where the fields stand.
fn places(raw: &RawSelect) -> [(&'static str, Option<Place>); 6] {
    let place = |field: &Option<RawField>| {
        field.as_ref().map(|field| match field {
            RawField::Short(text) => text.at,
            RawField::Long { at, .. } => *at,
        })
    };
    [
        ("title", place(&raw.title)),
        ("link", place(&raw.link)),
        ("date", place(&raw.date)),
        ("summary", place(&raw.summary)),
        ("image", place(&raw.image)),
        ("author", place(&raw.author)),
    ]
}

fn field(raw: &RawField, path: &str, found: &mut Findings) -> Option<PageField> {
    let table = match raw {
        RawField::Short(text) => return Some(PageField::parse(&bounded(text, path, found)?)),
        RawField::Long { table, .. } => table,
    };
    let mut text = |name: &str, raw: Option<&At<String>>| {
        raw.and_then(|raw| bounded(raw, &format!("{path}.{name}"), found))
    };
    let mut field = match &table.css {
        Some(css) => PageField::parse(&text("css", Some(css))?),
        None => PageField::default(),
    };
    if let Some(attribute) = text("attr", table.attr.as_ref()) {
        field.attribute = Some(attribute.to_ascii_lowercase());
    }
    field.regex = text("regex", table.regex.as_ref());
    field.format = text("format", table.format.as_ref());
    field.timezone = text("timezone", table.timezone.as_ref());
    Some(field)
}

fn bounded(raw: &At<String>, key: &str, found: &mut Findings) -> Option<String> {
    if raw.value.trim().is_empty() || raw.value.len() > TEXT_BYTES_MAX {
        found.problem(raw.at, key, format!("must have 1 to {TEXT_BYTES_MAX} bytes"));
        return None;
    }
    Some(raw.value.clone())
}
