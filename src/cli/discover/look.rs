//! What a document is, and what stands in it: judged by its content alone.

use std::cmp::Reverse;
use std::io::Cursor;
use std::time::Duration;

use url::Url;

use crate::extract::catalog::{self, Options};
use crate::extract::sitemap::{self, Sitemap};
use crate::extract::{Document, ITEMS_MAX, NotADocument, feed, page};
use crate::model::source::{CatalogFormat, PageRules, SourceKind};
use crate::model::time::Timestamp;

/// How many titles are shown.
const TITLES_MAX: usize = 3;
/// Most rows of a catalog that are counted.
const ROWS_MAX: usize = 1_000_000;

/// Fewest items that make a list of a page.
const PAGE_ITEMS_MIN: usize = 3;

/// Something that can be watched.
#[derive(Clone, Debug)]
pub(super) struct Find {
    pub kind: SourceKind,
    /// For people: `RSS 2.0`, `shopify`.
    pub form: String,
    /// Of a catalog.
    pub format: Option<CatalogFormat>,
    pub url: Url,
    /// Of the whole; may be empty.
    pub title: String,
    /// How many items the document has; of an index of sitemaps, how many it names.
    pub items: usize,
    /// The document goes on elsewhere.
    pub has_more: bool,
    /// The newest ones' titles, or addresses where there are no titles.
    pub newest: Vec<String>,
    /// As `every` is written.
    pub every: &'static str,
}

/// What a document turned out to be.
#[derive(Debug)]
pub(super) enum Look {
    Found(Box<Find>),
    /// A web page, which may say where to look.
    Page,
    /// Nothing that can be watched; says what it is.
    Nothing(NotADocument),
}

/// Looks at a document that `url` gave.
pub(super) fn look(bytes: &[u8], content_type: Option<&str>, url: &Url, now: Timestamp) -> Look {
    let of_feed = feed::read(bytes, content_type, url);
    let is_page = matches!(
        of_feed,
        Err(NotADocument::Page { .. }
            | NotADocument::Login { .. }
            | NotADocument::Challenge { .. }
            | NotADocument::Listing { .. })
    );
    if is_page {
        return Look::Page;
    }
    if let Some(find) = of_catalog(bytes, content_type, url, CatalogFormat::Auto, now) {
        return Look::Found(Box::new(find));
    }
    let refusal = match of_feed {
        Ok(document) => return Look::Found(Box::new(feed_find(&document, url))),
        Err(refusal) => refusal,
    };
    match sitemap::read(bytes, content_type, url, sitemap::URLS_MAX) {
        // Any text with an address in it would be one.
        Ok(found) if !matches!(refusal, NotADocument::NotMarkup) || has_many(&found) => {
            Look::Found(Box::new(sitemap_find(found, url)))
        }
        _ => Look::Nothing(refusal),
    }
}

fn has_many(found: &Sitemap) -> bool {
    matches!(found, Sitemap::Urls { document, .. } if document.entries.len() > 1)
}

/// The products of a document, if they have prices, or the posts of a platform.
pub(super) fn of_catalog(
    bytes: &[u8],
    content_type: Option<&str>,
    url: &Url,
    format: CatalogFormat,
    now: Timestamp,
) -> Option<Find> {
    let options = Options {
        format,
        mapping: None,
        base: url,
        content_type,
        currency: None,
        now,
        items_max: ROWS_MAX,
    };
    let mut products: Vec<u64> = Vec::new();
    let mut places: Vec<u64> = Vec::new();
    let mut has_price = false;
    let scan = catalog::scan(&mut Cursor::new(bytes), &options, &mut |listing| {
        has_price |= listing.price.is_some();
        if products.last() != Some(&listing.product) {
            products.push(listing.product);
        }
        if places.len() < TITLES_MAX && places.last() != Some(&listing.place) {
            places.push(listing.place);
        }
    })
    .ok()?;
    products.sort_unstable();
    products.dedup();
    let is_posts = scan.format == CatalogFormat::Wordpress || scan.is_window;
    if products.is_empty() || !(has_price || is_posts) {
        return None;
    }
    let rows = catalog::pick(&mut Cursor::new(bytes), &options, scan.format, &places);
    let titles = rows.unwrap_or_default().into_iter().map(|row| row.entry.title);
    Some(Find {
        kind: SourceKind::Catalog,
        form: crate::cli::paste::format_name(scan.format),
        format: Some(scan.format),
        url: url.clone(),
        title: String::new(),
        items: products.len(),
        has_more: scan.next.is_some(),
        newest: titles.filter(|title| !title.is_empty()).collect(),
        every: if is_posts { "30m" } else { "1h" },
    })
}

/// The items of a page that has no feed, if a list can be made out on it.
pub(super) fn of_page(bytes: &[u8], content_type: Option<&str>, url: &Url) -> Option<Find> {
    let rules = PageRules::default();
    let document = page::read(bytes, content_type, url, &rules, ITEMS_MAX).ok()?;
    let find = feed_find(&document, url);
    (find.items >= PAGE_ITEMS_MIN).then_some(Find {
        kind: SourceKind::Page,
        form: "automatic".to_owned(),
        every: "1h",
        ..find
    })
}

fn feed_find(document: &Document, url: &Url) -> Find {
    let every = match document.facts.ttl {
        Some(ttl) if ttl >= Duration::from_secs(24 * 3600) => "1d",
        Some(ttl) if ttl >= Duration::from_secs(6 * 3600) => "6h",
        Some(ttl) if ttl >= Duration::from_secs(2 * 3600) => "2h",
        Some(ttl) if ttl > Duration::from_secs(30 * 60) => "1h",
        _ => "30m",
    };
    Find {
        kind: SourceKind::Feed,
        form: document.facts.format.as_str().to_owned(),
        format: None,
        url: url.clone(),
        title: document.facts.title.clone(),
        items: document.entries.len(),
        has_more: false,
        newest: newest(document),
        every,
    }
}

fn sitemap_find(found: Sitemap, url: &Url) -> Find {
    let (form, items, has_more, newest, every) = match found {
        Sitemap::Index { children, .. } => {
            let names = children.iter().take(TITLES_MAX).map(|child| child.url.to_string());
            ("index of sitemaps", children.len(), true, names.collect(), "6h")
        }
        Sitemap::Urls { document, is_window: true } => {
            ("sitemap of news", document.entries.len(), false, newest(&document), "30m")
        }
        Sitemap::Urls { document, .. } => {
            ("sitemap", document.entries.len(), false, newest(&document), "6h")
        }
    };
    Find {
        kind: SourceKind::Sitemap,
        form: form.to_owned(),
        format: None,
        url: url.clone(),
        title: String::new(),
        items,
        has_more,
        newest,
        every,
    }
}

/// By date, newest first; what has no date stays behind, in the document's order.
fn newest(document: &Document) -> Vec<String> {
    let mut entries: Vec<_> = document.entries.iter().collect();
    entries.sort_by_key(|entry| Reverse(entry.published.or(entry.updated)));
    let shown = entries.into_iter().filter_map(|entry| {
        let title = Some(&entry.title).filter(|title| !title.is_empty());
        title.or(entry.link.as_ref()).cloned()
    });
    shown.take(TITLES_MAX).collect()
}
