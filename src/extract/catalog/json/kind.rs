//! Which platform a document of JSON comes from, and where its rows are.

use crate::extract::catalog::Options;
use crate::extract::catalog::json::rows::{Rows, Shape, member, members, parse};
use crate::extract::catalog::json::{loose, service};
use crate::extract::refusal::{self, NotADocument};
use crate::model::source::{CatalogFormat, Mapping};

/// Most members of an object that are looked at or named.
const MEMBERS_MAX: usize = 200;
/// Members that a refusal names.
const MEMBERS_NAMED: usize = 6;
/// Longest text of another's making in a refusal, in characters.
const TOLD_CHARS_MAX: usize = 120;

/// Where PrestaShop's rows are, and which of the names are only in its web service.
const PRESTASHOP_ROWS: [&str; 6] =
    ["products", "product", "stock_availables", "stock_available", "combinations", "combination"];
const SERVICE_ROWS: [&str; 4] =
    ["stock_availables", "stock_available", "combinations", "combination"];

/// The format to read `text` in: the one of the options, if its content does not show another.
///
/// # Errors
/// [`NotADocument`] when it is none that is known.
pub(crate) fn settle(text: &str, options: &Options<'_>) -> Result<CatalogFormat, NotADocument> {
    if options.format == CatalogFormat::Mapped && text.starts_with(['{', '[']) {
        return Ok(CatalogFormat::Mapped);
    }
    let found = recognise(text);
    match (options.format, found) {
        (CatalogFormat::Auto, Some(found)) => Ok(found),
        (wanted, Some(found)) if wanted == found => Ok(found),
        (wanted, Some(found)) => Err(NotADocument::Unfit(format!(
            "it looks like `{}`, not `{}`",
            name(found),
            name(wanted)
        ))),
        (CatalogFormat::Auto, None) => Err(unfit(text, None)),
        (wanted, None) if locate(text, wanted, options.mapping).is_some() => Ok(wanted),
        (wanted, None) => Err(unfit(text, Some(wanted))),
    }
}

/// The platform that shows in the names of a document and of its first row.
pub(crate) fn recognise(text: &str) -> Option<CatalogFormat> {
    if text.starts_with('<') {
        let root = root_name(text)?;
        return service::is_answer(root).then_some(CatalogFormat::Prestashop);
    }
    if text.starts_with('[') {
        return of_row(first(text)?);
    }
    let root = Names::of(text);
    if root.text("version").is_some_and(|version| version.contains("jsonfeed")) {
        return None;
    }
    if let Some(list) = root.get("products").filter(|list| list.starts_with('[')) {
        let is_listing = root.has("pagination") || root.has("rendered_products");
        let row = first(list);
        let of_row = row.and_then(of_row).or_else(|| of_shop(row?));
        return match of_row {
            None if row.is_some() => None,
            None if is_listing => Some(CatalogFormat::Prestashop),
            None => Some(CatalogFormat::Shopify),
            known => known,
        };
    }
    let is_site = ["collection", "website", "websiteSettings"].iter().any(|name| root.has(name));
    if is_site && ["items", "item", "upcoming", "past"].iter().any(|name| root.has(name)) {
        return Some(CatalogFormat::Squarespace);
    }
    let items = root.get("items").and_then(first).map(Names::of);
    if items.is_some_and(|row| row.has("urlId") || row.has("fullUrl")) {
        return Some(CatalogFormat::Squarespace);
    }
    if SERVICE_ROWS.iter().any(|name| root.has(name)) {
        return Some(CatalogFormat::Prestashop);
    }
    of_row(root.get("product").unwrap_or(text))
}

/// The first row of a list, and all behind it; a row that breaks off is good enough.
fn first(list: &str) -> Option<&str> {
    let row = list.get(1..)?.trim_start();
    (!row.is_empty() && !row.starts_with(']')).then_some(row)
}

/// Shopify, by less than what a row of its own must show: it stands in a list of products.
fn of_shop(row: &str) -> Option<CatalogFormat> {
    let names = Names::of(row);
    let signs = ["variants", "handle", "body_html", "vendor"];
    signs.iter().any(|name| names.has(name)).then_some(CatalogFormat::Shopify)
}

/// The platform that shows in the names of the row that the text begins with.
fn of_row(row: &str) -> Option<CatalogFormat> {
    let names = Names::of(row);
    let has = |all: &[&str]| all.iter().all(|name| names.has(name));
    let any = |some: &[&str]| some.iter().any(|name| names.has(name));
    let signs = ["id_product", "id_manufacturer", "link_rewrite", "id_default_image"];
    if any(&signs) {
        return Some(CatalogFormat::Prestashop);
    }
    if has(&["variants"]) && any(&["handle", "body_html", "vendor"]) {
        return Some(CatalogFormat::Shopify);
    }
    let is_store = has(&["prices"]) && any(&["permalink", "is_in_stock", "sku"]);
    if is_store || has(&["permalink"]) && any(&["regular_price", "stock_status"]) {
        return Some(CatalogFormat::Woocommerce);
    }
    let is_rendered = names.get("title").and_then(|title| member(title, "rendered")).is_some();
    let is_post = has(&["link", "slug", "title"]) && any(&["date", "date_gmt", "excerpt"]);
    (is_rendered || is_post).then_some(CatalogFormat::Wordpress)
}

/// Where the rows of a format are in a document of it.
pub(crate) fn locate<'a>(
    text: &'a str,
    format: CatalogFormat,
    mapping: Option<&Mapping>,
) -> Option<Rows<'a>> {
    let lists: &[&str] = match format {
        CatalogFormat::Mapped => return locate_mapped(text, &mapping?.row),
        CatalogFormat::Shopify => &["products", "product"],
        CatalogFormat::Woocommerce => &["products"],
        CatalogFormat::Wordpress => &["posts"],
        CatalogFormat::Squarespace => &["items", "item", "upcoming", "past"],
        CatalogFormat::Prestashop => &PRESTASHOP_ROWS,
        _ => return None,
    };
    if text.starts_with('[') {
        return Some(Rows::new(text, Shape::List));
    }
    let inner = lists.iter().find_map(|name| member(text, name));
    let inner = inner.filter(|inner| inner.starts_with(['[', '{']));
    let whole = || (of_row(text) == Some(format)).then_some(text);
    shaped(inner.or_else(whole)?)
}

/// By a path of names; a number is a place in a list.
fn locate_mapped<'a>(text: &'a str, path: &str) -> Option<Rows<'a>> {
    let mut found = text;
    let mut parts = path.split('/').filter(|part| !part.is_empty()).peekable();
    if parts.peek().is_none() && text.starts_with('{') {
        return Some(Rows::new(text, Shape::Lines));
    }
    for part in parts {
        let list = found.starts_with('[');
        found = match part.parse().ok().filter(|_| list) {
            Some(place) => Rows::new(found, Shape::List).nth(place)?,
            None => member(found, part)?,
        };
    }
    shaped(found)
}

fn shaped(text: &str) -> Option<Rows<'_>> {
    match text.as_bytes().first()? {
        b'[' => Some(Rows::new(text, Shape::List)),
        b'{' => Some(Rows::new(text, Shape::One)),
        _ => None,
    }
}

/// Why a document has no rows of the format that is wanted, or of any.
pub(crate) fn unfit(text: &str, wanted: Option<CatalogFormat>) -> NotADocument {
    if text.is_empty() {
        return NotADocument::Empty;
    }
    if !text.starts_with(['{', '[']) {
        let wanted = "a catalog";
        return match refusal::of_text_for(text, root_name(text), wanted) {
            NotADocument::NotMarkup => NotADocument::Unfit("it is no JSON".into()),
            other => other,
        };
    }
    let root = Names::of(text);
    if root.text("version").is_some_and(|version| version.contains("jsonfeed")) {
        return NotADocument::NoProducts;
    }
    let line = if let Some(error) = root.text("errors").or_else(|| root.text("error")) {
        format!("the site answers with an error: {}", told(&error))
    } else if let (Some(code), Some(message)) = (root.text("code"), root.text("message")) {
        format!("the site answers with an error: {} ({})", told(&message), told(&code))
    } else if text.trim_end() == "[]" {
        "it is an empty list: name its `format`".to_owned()
    } else {
        let named: Vec<String> = root
            .0
            .iter()
            .take(MEMBERS_NAMED)
            .map(|(name, _)| format!("`{}`", told(name)))
            .collect();
        let of = if named.is_empty() { String::new() } else { format!(" of {}", named.join(", ")) };
        match wanted {
            Some(CatalogFormat::Mapped) => {
                format!("it is JSON{of}, and has no list where `row` says")
            }
            Some(wanted) => format!("it is JSON{of}, not `{}`", name(wanted)),
            None => {
                return NotADocument::UnknownFormat(format!(
                    "JSON{of}: describe it with `format = \"mapped\"`"
                ));
            }
        }
    };
    NotADocument::Unfit(line)
}

/// The first members of an object, as they are written.
struct Names<'a>(Vec<(std::borrow::Cow<'a, str>, &'a str)>);

impl<'a> Names<'a> {
    fn of(text: &'a str) -> Self {
        Self(members(text).take(MEMBERS_MAX).collect())
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(found, _)| found == name)
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| *value)
    }

    fn text(&self, name: &str) -> Option<String> {
        let value = parse(self.get(name)?)?;
        loose::some_text(&value).or_else(|| Some(value.to_string()).filter(|_| value.is_object()))
    }
}

fn told(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(TOLD_CHARS_MAX).collect()
}

fn root_name(text: &str) -> Option<&str> {
    let mut rest = text;
    loop {
        rest = rest.get(rest.find('<')? + 1..)?;
        if !rest.starts_with(['?', '!']) {
            let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '>' | '/'))?;
            return rest.get(..end);
        }
    }
}

fn name(format: CatalogFormat) -> String {
    serde_json::to_value(format).map(|value| loose::text(&value)).unwrap_or_default()
}
