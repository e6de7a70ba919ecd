//! Checks `[sources.*.select]`, as far as that is possible without knowing selectors: what reads
//! pages checks those itself.

use std::sync::Arc;

use crate::config::problem::Findings;
use crate::config::raw::{RawField, RawSelect};
use crate::config::table::At;
use crate::model::source::{PageField, PageRules};

/// Longest selector, pattern or format, in bytes.
const TEXT_BYTES_MAX: usize = 1_024;

/// The rules; `path` is the table's key.
pub(crate) fn select(raw: &RawSelect, path: &str, found: &mut Findings) -> Option<Arc<PageRules>> {
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
        Some(item) => rules.item = bounded(item, &format!("{path}.item"), found),
        None => {
            let fields = [&raw.title, &raw.link, &raw.date, &raw.summary, &raw.image, &raw.author];
            let first = fields.into_iter().flatten().next().map(|field| match field {
                RawField::Short(text) => text.at,
                RawField::Long { at, .. } => *at,
            })?;
            found
                .problem(first, &format!("{path}.item"), "is needed")
                .hint("the selector of one item, such as `article.post`; the others look in it");
        }
    }
    Some(Arc::new(rules))
}

fn field(raw: &RawField, path: &str, found: &mut Findings) -> Option<PageField> {
    let table = match raw {
        RawField::Short(text) => return Some(PageField::parse(&bounded(text, path, found)?)),
        RawField::Long { table, .. } => table,
    };
    let mut text = |name: &str, raw: Option<&At<String>>| {
        raw.and_then(|raw| bounded(raw, &format!("{path}.{name}"), found))
    };
    let mut field = match text("css", table.css.as_ref()) {
        Some(css) => PageField::parse(&css),
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
