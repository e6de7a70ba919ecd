//! Checks what only some kinds of sources have: a catalog's format, map and currency, and the file
//! or folder that stands in for an address.

use std::path::Path;
use std::sync::Arc;

use url::Url;

use crate::config::Fetch;
use crate::config::check::around::Surroundings;
use crate::config::check::asking::is_sysadmins;
use crate::config::check::value::{choice, got};
use crate::config::problem::{Findings, Place};
use crate::config::raw::{RawMap, RawSource};
use crate::config::table::At;
use crate::model::offer::Currency;
use crate::model::source::{CatalogFormat, Local, Mapping, SourceKind};

/// The kinds by their words.
pub(crate) const KINDS: [(&str, SourceKind); 4] = [
    ("feed", SourceKind::Feed),
    ("page", SourceKind::Page),
    ("catalog", SourceKind::Catalog),
    ("sitemap", SourceKind::Sitemap),
];

const FORMATS: [(&str, CatalogFormat); 12] = [
    ("auto", CatalogFormat::Auto),
    ("merchant", CatalogFormat::Merchant),
    ("csv", CatalogFormat::Csv),
    ("shopify", CatalogFormat::Shopify),
    ("shopify-atom", CatalogFormat::ShopifyAtom),
    ("woocommerce", CatalogFormat::Woocommerce),
    ("wordpress", CatalogFormat::Wordpress),
    ("json-ld", CatalogFormat::JsonLd),
    ("yml", CatalogFormat::Yml),
    ("squarespace", CatalogFormat::Squarespace),
    ("prestashop", CatalogFormat::Prestashop),
    ("mapped", CatalogFormat::Mapped),
];

/// Longest path within a document.
const PATH_BYTES_MAX: usize = 512;

/// What only a catalog has.
#[derive(Default)]
pub(crate) struct CatalogKeys {
    pub format: CatalogFormat,
    pub mapping: Option<Arc<Mapping>>,
    pub currency: Option<Currency>,
}

/// Tells of keys that the kind has no use for.
pub(crate) fn refuse_foreign(raw: &RawSource, kind: SourceKind, path: &str, found: &mut Findings) {
    use SourceKind::{Catalog, Feed, Page, Sitemap};
    let text = |raw: &Option<At<String>>| raw.as_ref().map(|text| text.at);
    let keys: [(&str, Option<Place>, &[SourceKind]); 9] = [
        ("format", text(&raw.format), &[Catalog]),
        ("currency", text(&raw.currency), &[Catalog]),
        ("min_quantity", raw.min_quantity.as_ref().map(|number| number.at), &[Catalog]),
        ("watch", raw.watch.as_ref().map(|is_so| is_so.at), &[Catalog]),
        ("map", raw.map.as_ref().and_then(place_of), &[Catalog]),
        ("select", raw.select.as_ref().and_then(|it| it.item.as_ref()).map(|it| it.at), &[Page]),
        ("pages_max", raw.pages_max.as_ref().map(|number| number.at), &[Catalog, Sitemap, Feed]),
        ("full_text", raw.full_text.as_ref().map(|is_so| is_so.at), &[Feed, Page, Sitemap]),
        ("websub", raw.websub.as_ref().map(|is_so| is_so.at), &[Feed]),
    ];
    let word = KINDS.iter().find(|(_, each)| *each == kind).map_or("", |(word, _)| *word);
    for (key, at, kinds) in keys {
        if let Some(at) = at
            && !kinds.contains(&kind)
        {
            let text = format!("does not belong to a source of kind `{word}`");
            let finding = found.problem(at, &format!("{path}.{key}"), text);
            if kinds == [Catalog] && raw.kind.is_none() {
                finding.hint("did you mean `kind = \"catalog\"`?");
            }
        }
    }
}

fn place_of(map: &RawMap) -> Option<Place> {
    let first = |at: Option<&At<String>>| at.map(|at| at.at);
    let fields = fields(map);
    first(map.row.as_ref()).or_else(|| fields.iter().find_map(|(_, raw)| first(*raw)))
}

fn fields(map: &RawMap) -> [(&'static str, Option<&At<String>>); 16] {
    [
        ("id", map.id.as_ref()),
        ("title", map.title.as_ref()),
        ("link", map.link.as_ref()),
        ("summary", map.summary.as_ref()),
        ("image", map.image.as_ref()),
        ("published", map.published.as_ref()),
        ("tags", map.tags.as_ref()),
        ("group", map.group.as_ref()),
        ("sku", map.sku.as_ref()),
        ("gtin", map.gtin.as_ref()),
        ("brand", map.brand.as_ref()),
        ("availability", map.availability.as_ref()),
        ("quantity", map.quantity.as_ref()),
        ("price", map.price.as_ref()),
        ("list_price", map.list_price.as_ref()),
        ("currency", map.currency.as_ref()),
    ]
}

/// `format`, `map` and `currency`.
pub(crate) fn keys(raw: &RawSource, path: &str, at: Place, found: &mut Findings) -> CatalogKeys {
    let key = |key: &str| format!("{path}.{key}");
    let format = raw.format.as_ref().and_then(|it| choice(it, &key("format"), &FORMATS, found));
    let currency = raw.currency.as_ref().and_then(|code| {
        let read = code.value.parse().ok();
        if read.is_none() {
            let text = format!("must be a currency's three letters, got {}", got(&code.value));
            found.problem(code.at, &key("currency"), text).hint("for example `EUR` or `MDL`");
        }
        read
    });
    let mapping = raw.map.as_ref().and_then(|map| mapping(map, &key("map"), at, found));
    // Who maps a document has said what it is.
    let default = if raw.map.is_some() { CatalogFormat::Mapped } else { CatalogFormat::Auto };
    let format = format.unwrap_or(default);
    if format == CatalogFormat::Mapped && raw.map.is_none() {
        let at = raw.format.as_ref().map_or(at, |format| format.at);
        found
            .missing(at, &key("map"))
            .hint(format!("write `[{path}.map]` with the path of each field"));
    }
    if format != CatalogFormat::Mapped && raw.map.is_some() {
        let at = raw.format.as_ref().map_or(at, |format| format.at);
        found.problem(at, &key("format"), "must be `mapped` beside a `map`");
    }
    CatalogKeys { format, mapping, currency }
}

fn mapping(map: &RawMap, path: &str, at: Place, found: &mut Findings) -> Option<Arc<Mapping>> {
    let mut mapping = Mapping { row: String::new(), fields: Vec::new() };
    let mut text = |name: &str, raw: &At<String>| {
        let is_good = !raw.value.trim().is_empty() && raw.value.len() <= PATH_BYTES_MAX;
        if !is_good {
            let text = format!("must have 1 to {PATH_BYTES_MAX} bytes");
            found.problem(raw.at, &format!("{path}.{name}"), text);
        }
        is_good.then(|| raw.value.trim().to_owned())
    };
    if let Some(row) = &map.row {
        mapping.row = text("row", row)?;
    }
    for (name, raw) in fields(map) {
        if let Some(raw) = raw {
            mapping.fields.push((name.to_owned(), text(name, raw)?));
        }
    }
    let has = |name: &str| mapping.fields.iter().any(|(field, _)| field == name);
    if !has("id") && !has("link") {
        found
            .problem(place_of(map).unwrap_or(at), path, "must name the `id` or the `link`")
            .hint("without them no product can be told from another");
        return None;
    }
    Some(Arc::new(mapping))
}

/// The file or folder, and its address.
pub(crate) fn local(
    raw: &At<String>,
    key: &str,
    fetch: &Fetch,
    around: &Surroundings<'_>,
    found: &mut Findings,
) -> Option<(Arc<Local>, Arc<str>)> {
    let Some(path) = around.absolute(&raw.value) else {
        found.problem(raw.at, key, "must be a file or a folder, without `..`");
        return None;
    };
    let within = if is_sysadmins(raw.at) {
        None
    } else if let Some(within) = fetch.paths.iter().find(|folder| path.starts_with(folder)) {
        Some(within.clone())
    } else {
        let hint = if fetch.paths.is_empty() {
            "name it in the main settings file: `fetch.paths = [\"/srv/exports\"]`".to_owned()
        } else {
            let folders: Vec<_> = fetch.paths.iter().map(|path| shown(path)).collect();
            format!("an included file may name what is in {}", folders.join(", "))
        };
        let text = "is not in a folder that the sysadmin opened";
        found.problem(raw.at, key, text).hint(hint);
        return None;
    };
    let Ok(url) = Url::from_file_path(&path) else {
        found.problem(raw.at, key, "can't be written as an address");
        return None;
    };
    Some((Arc::new(Local { path, within }), Arc::from(url.as_str())))
}

fn shown(path: &Path) -> String {
    format!("`{}`", path.display())
}
