//! Articles and listed links, as raw entries.

use std::sync::Arc;

use serde_json::Value;
use url::Url;

use crate::extract::date;
use crate::extract::raw::{Form, RawEntry, RawLink, RawMedia, RawText, Role, cap};
use crate::extract::structured::graph::{Graph, address};
use crate::model::time::Timestamp;

/// What structured data says of an article, a product's words or a listed link; addresses are
/// relative to `base`.
pub(crate) fn entry_of(graph: &Graph<'_>, value: &Value, base: &Arc<Url>) -> RawEntry {
    let link = |href: &str| RawLink { base: Some(Arc::clone(base)), ..RawLink::new(href) };
    let text = |keys: &[&str]| {
        let mut text = graph.text(value, keys).unwrap_or_default();
        cap(&mut text);
        RawText::new(text, Form::Either)
    };
    if let Value::String(href) = value {
        return RawEntry { links: vec![link(href)], ..RawEntry::default() };
    }
    // The item of a list's element says more than the element.
    let value_of_item = graph.first(value, "item").filter(|item| item.is_object());
    let text_of_item = |keys: &[&str]| value_of_item.and_then(|item| graph.text(item, keys));
    let mut links = Vec::new();
    for key in ["url", "item", "mainEntityOfPage", "@id"] {
        let own = graph.addresses(value, key);
        links.extend(own.into_iter().filter(|href| is_page(href)).map(link));
    }
    let date = |keys: &[&str]| -> Option<Timestamp> {
        keys.iter().find_map(|key| date::parse(&graph.text(value, &[key])?))
    };
    let mut media = Vec::new();
    for key in ["image", "thumbnailUrl", "thumbnail"] {
        let role = if key == "image" { Role::Picture } else { Role::Thumbnail };
        media.extend(graph.addresses(value, key).into_iter().take(16).map(|href| RawMedia {
            link: link(href),
            role,
            ..RawMedia::default()
        }));
    }
    let people = |key: &str| {
        graph
            .all(value, key)
            .into_iter()
            .filter_map(|one| graph.words(one))
            .filter(|name| !name.contains("://"))
    };
    let mut tags = Vec::new();
    for key in ["keywords", "articleSection", "category"] {
        for words in graph.all(value, key).into_iter().filter_map(|one| graph.words(one)) {
            // Keywords are one text with commas, or a list.
            tags.extend(
                words.split(',').map(|word| word.trim().to_owned()).filter(|it| !it.is_empty()),
            );
        }
    }
    let mut title = text(&["headline", "name", "title"]);
    if title.is_empty() {
        title = RawText::new(text_of_item(&["name", "headline"]).unwrap_or_default(), Form::Either);
    }
    RawEntry {
        title,
        links,
        summary: text(&["description", "abstract"]),
        body: text(&["articleBody"]),
        published: date(&["datePublished", "dateCreated", "uploadDate"]),
        updated: date(&["dateModified"]),
        authors: people("author").chain(people("creator")).collect(),
        tags,
        language: graph.text(value, &["inLanguage"]).unwrap_or_default(),
        media,
        ..RawEntry::default()
    }
}

/// Whether an `@id` or address may be that of a page, and not only a name within the document.
fn is_page(href: &str) -> bool {
    !href.starts_with(['#', '_']) && !href.eq_ignore_ascii_case("true")
}

/// The best address of a value, for telling what it is to the page.
pub(super) fn link_of<'v>(graph: &Graph<'v>, value: &'v Value) -> Option<&'v str> {
    if let Value::String(href) = value {
        return Some(href);
    }
    ["url", "item", "mainEntityOfPage", "@id"].iter().find_map(|key| {
        let found = graph.all(value, key).into_iter().filter_map(address);
        found.into_iter().find(|href| is_page(href))
    })
}
