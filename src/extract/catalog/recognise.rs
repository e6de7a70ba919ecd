//! What a catalog is, by nothing but its content.

use std::collections::HashMap;

use crate::extract::NotADocument;
use crate::extract::catalog::{delimited, json};
use crate::extract::ns::{self, Ns};
use crate::extract::refusal;
use crate::model::source::CatalogFormat;

/// Most tags of the head that are looked at.
const TAGS_MAX: usize = 4_000;
/// How far into a text its markup may begin, in bytes.
const JUNK_BYTES_MAX: usize = 4 << 10;
/// Longest name of a tag, in bytes.
const TAG_NAME_BYTES_MAX: usize = 256;
/// Longest name of an element that is told to people, in bytes.
const NAME_BYTES_MAX: usize = 60;

/// How a text is written, whatever it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Xml,
    Json,
    Page,
    Delimited,
}

impl Shape {
    /// What it is, for people.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Xml => "XML",
            Self::Json => "JSON",
            Self::Page => "a web page",
            Self::Delimited => "neither markup nor JSON",
        }
    }
}

/// The shape of a text that begins with `head`.
pub(super) fn shape(head: &str) -> Shape {
    let text = head.trim_start_matches(|c: char| c.is_whitespace() || c == '\0' || c == '\u{feff}');
    if text.starts_with(['{', '[']) {
        return Shape::Json;
    }
    let start = text.get(..text.floor_char_boundary(64)).unwrap_or_default().to_ascii_lowercase();
    if start.starts_with("<!doctype html") || start.starts_with("<html") {
        return Shape::Page;
    }
    if text.starts_with('<') {
        let root = Tags::new(text).next().map(|tag| local(tag.name).to_ascii_lowercase());
        return match root.as_deref() {
            Some("html" | "head" | "body") => Shape::Page,
            _ => Shape::Xml,
        };
    }
    // Warnings and the like before the markup.
    let start = text.get(..text.floor_char_boundary(JUNK_BYTES_MAX)).unwrap_or_default();
    let markup = ["<?xml", "<rss", "<feed", "<yml_catalog"].iter().any(|sign| start.contains(sign));
    if markup {
        Shape::Xml
    } else if refusal::looks_like_page(text) {
        Shape::Page
    } else {
        Shape::Delimited
    }
}

/// The format of a document that begins with `head`.
///
/// # Errors
/// [`NotADocument`] says what it is instead, and what to do about it.
pub(super) fn format(head: &str) -> Result<CatalogFormat, NotADocument> {
    match shape(head) {
        Shape::Json => {
            let text = head.trim_start_matches(['\u{feff}', '\0', ' ', '\t', '\r', '\n']);
            json::recognise(text).ok_or_else(|| json::unfit(text))
        }
        Shape::Page => Ok(CatalogFormat::JsonLd),
        Shape::Xml => xml(head),
        Shape::Delimited => delimited::recognise(head).map(|()| CatalogFormat::Csv),
    }
}

/// By the elements, whatever the root is called.
fn xml(head: &str) -> Result<CatalogFormat, NotADocument> {
    let found = Found::of(head);
    let Some(root) = &found.root else { return Err(refusal::of_text(head, None)) };
    if found.is_shopify && root == "feed" {
        return Ok(CatalogFormat::ShopifyAtom);
    }
    if found.has_merchant {
        return Ok(CatalogFormat::Merchant);
    }
    if root == "yml_catalog" || found.has_offers {
        return Ok(CatalogFormat::Yml);
    }
    match root.as_str() {
        "rss" | "feed" | "rdf" | "channel" => Err(NotADocument::NoProducts),
        "urlset" | "sitemapindex" => {
            let line = "it is a sitemap, not a catalog: set `kind = \"sitemap\"`";
            Err(NotADocument::Unfit(line.into()))
        }
        "prestashop" | "response"
            if ["<product", "<stock_", "<combination"].iter().any(|row| head.contains(row)) =>
        {
            Ok(CatalogFormat::Prestashop)
        }
        "opml" => Err(refusal::of_text(head, Some("opml"))),
        _ => {
            let named = match &found.repeated {
                Some(path) => format!(
                    "an XML document of `{root}`; its most repeated element is `{path}`: describe \
                     it with `format = \"mapped\"`"
                ),
                None => format!("an XML document of `{root}`, in which nothing is repeated"),
            };
            Err(NotADocument::UnknownFormat(named))
        }
    }
}

/// What the tags of a head show.
#[derive(Default)]
struct Found {
    /// Local name of the root in small letters, cut to a sensible length.
    root: Option<String>,
    has_merchant: bool,
    has_offers: bool,
    is_shopify: bool,
    /// Path of the element that is repeated most among those with children, without the root.
    repeated: Option<String>,
}

impl Found {
    fn of(head: &str) -> Self {
        let mut found = Self::default();
        let mut open: Vec<&str> = Vec::new();
        let mut counts: HashMap<(Option<&str>, &str), usize> = HashMap::new();
        let mut parents: HashMap<&str, ()> = HashMap::new();
        let mut order: Vec<(Option<&str>, &str)> = Vec::new();
        let mut prefixes = vec!["g"];
        for tag in Tags::new(head).take(TAGS_MAX) {
            let name = local(tag.name);
            if tag.kind == Kind::End {
                if let Some(at) = open.iter().rposition(|known| *known == name) {
                    open.truncate(at);
                }
                continue;
            }
            found.root.get_or_insert_with(|| {
                let name = name.get(..name.floor_char_boundary(NAME_BYTES_MAX)).unwrap_or(name);
                name.to_ascii_lowercase()
            });
            found.is_shopify |= tag.rest.contains("jadedpixel.com/-/spec/shopify");
            let parent = open.last().copied();
            for prefix in merchant_prefixes(tag.rest).filter(|prefix| !prefix.is_empty()) {
                prefixes.push(prefix);
            }
            let root = found.root.as_deref().unwrap_or_default();
            let is_feed = matches!(root, "rss" | "feed" | "rdf" | "channel");
            found.has_merchant |= is_merchant(&tag, parent, &prefixes, is_feed);
            found.has_offers |= name == "offer" && parent == Some("offers");
            if let Some(parent) = parent {
                parents.insert(parent, ());
            }
            if open.len() <= 3 {
                let key = (parent, name);
                let count = counts.entry(key).or_insert(0);
                *count += 1;
                if *count == 1 {
                    order.push(key);
                }
            }
            if tag.kind == Kind::Start {
                open.push(name);
            }
        }
        let mut best: Option<((Option<&str>, &str), usize)> = None;
        for key in order {
            let count = counts.get(&key).copied().unwrap_or(0);
            let is_row = count > 1 && parents.contains_key(key.1);
            if is_row && best.is_none_or(|(_, most)| count > most) {
                best = Some((key, count));
            }
        }
        found.repeated = best.map(|((parent, name), _)| {
            let path = parent.map_or(name.to_owned(), |parent| format!("{parent}/{name}"));
            path.chars().filter(|c| !c.is_control()).take(2 * NAME_BYTES_MAX).collect()
        });
        found
    }
}

/// The prefixes that a tag binds to Google's vocabulary; empty for the default.
pub(super) fn merchant_prefixes(rest: &str) -> impl Iterator<Item = &str> {
    rest.match_indices("xmlns").filter_map(|(at, _)| {
        let behind = rest.get(at + 5..)?;
        let (name, value) = behind.split_once('=')?;
        let value = value.trim_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let address = value.get(1..)?.split(quote).next()?;
        let is_own = ns::by_address(address) == Ns::Merchant;
        is_own.then(|| name.trim().trim_start_matches(':'))
    })
}

/// Whether an element is one that only Google's and Meta's catalogs have.
fn is_merchant(tag: &Tag<'_>, parent: Option<&str>, prefixes: &[&str], is_feed: bool) -> bool {
    const OWN: [&str; 6] = [
        "image_link",
        "sale_price",
        "item_group_id",
        "product_type",
        "google_product_category",
        "availability",
    ];
    let is_in_row = parent.is_some_and(|parent| matches!(parent, "item" | "entry"));
    let own = match tag.name.split_once(':') {
        Some((prefix, _)) => prefixes.contains(&prefix),
        None => merchant_prefixes(tag.rest).any(str::is_empty),
    };
    own && parent.is_some()
        || is_in_row && (OWN.contains(&tag.name) || is_feed && tag.name == "price")
}

pub(super) fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Start,
    Empty,
    End,
}

pub(super) struct Tag<'a> {
    pub name: &'a str,
    /// What stands behind the name.
    pub rest: &'a str,
    pub kind: Kind,
    /// Where the tag ends.
    pub end: usize,
}

/// The tags of a text that may be cut off or ill-formed; what is in comments and CDATA is passed
/// over.
pub(super) struct Tags<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Tags<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn skip(&mut self, start: usize, end: &str) -> Option<()> {
        self.at = start + self.text.get(start..)?.find(end)? + end.len();
        Some(())
    }
}

impl<'a> Iterator for Tags<'a> {
    type Item = Tag<'a>;

    fn next(&mut self) -> Option<Tag<'a>> {
        loop {
            let start = self.at + self.text.get(self.at..)?.find('<')?;
            let inner = self.text.get(start + 1..)?;
            if inner.starts_with("!--") {
                self.skip(start, "-->")?;
            } else if inner.starts_with("![CDATA[") {
                self.skip(start, "]]>")?;
            } else if inner.starts_with('?') {
                self.skip(start, "?>")?;
            } else if inner.starts_with('!') {
                self.skip(start, ">")?;
            } else {
                let (is_end, inner) = match inner.strip_prefix('/') {
                    Some(inner) => (true, inner),
                    None => (false, inner),
                };
                if !inner.starts_with(|c: char| c.is_alphabetic() || c == '_') {
                    // `1 < 2`
                    self.at = start + 1;
                    continue;
                }
                let window = inner.get(..inner.floor_char_boundary(TAG_NAME_BYTES_MAX));
                let window = window.unwrap_or_default();
                let ends = |c: char| c.is_whitespace() || matches!(c, '>' | '/');
                let Some(length) = window.find(ends) else {
                    self.at = start + 1;
                    continue;
                };
                let name = inner.get(..length)?;
                let rest = inner.get(length..)?;
                let close = rest.find('>')?;
                let rest = rest.get(..close)?;
                self.at = self.text.len() - inner.len() + length + close + 1;
                let kind = match (is_end, rest.ends_with('/')) {
                    (true, _) => Kind::End,
                    (false, true) => Kind::Empty,
                    (false, false) => Kind::Start,
                };
                return Some(Tag { name, rest, kind, end: self.at });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(head: &str) -> String {
        match format(head) {
            Ok(format) => format!("{format:?}"),
            Err(refusal) => refusal.to_string(),
        }
    }

    #[test]
    fn a_format_is_known_by_its_content() {
        for (head, expected) in [
            ("<rss xmlns:g='http://base.google.com/ns/1.0'><channel><item><g:id>", "Merchant"),
            ("<rss><channel><item><g:id>1</g:id>", "Merchant"),
            ("<rss><channel><item><title>a</title><price>1</price>", "Merchant"),
            ("<channel><item><image_link>a</image_link>", "Merchant"),
            ("<feed xmlns:x='http://base.google.com/ns/1.0'><entry><x:id>", "Merchant"),
            ("<feed><entry><id xmlns='http://base.google.com/ns/1.0'>", "Merchant"),
            ("<products><product><g:id>1</g:id>", "Merchant"),
            (
                "<!-- x --><!DOCTYPE yml_catalog SYSTEM 'shops.dtd'><yml_catalog date=''><shop>",
                "Yml",
            ),
            ("<torg_price><shop><offers><offer id='1'>", "Yml"),
            ("<feed xmlns:s=\"http://jadedpixel.com/-/spec/shopify\"><entry>", "ShopifyAtom"),
            ("id\ttitle\tlink\tprice\n1\ta\thttp://e.com/\t5", "Csv"),
            ("{\"products\":[{\"id\":1,\"title\":\"a\",\"handle\":\"a\"", "Shopify"),
            ("{\"products\":[]}", "Shopify"),
            ("[{\"id\":1,\"permalink\":\"x\",\"prices\":{", "Woocommerce"),
            ("[{\"id\":1,\"date\":\"x\",\"title\":{\"rendered\":", "Wordpress"),
            ("{\"website\":{},\"collection\":{},\"items\":[{\"urlId\":", "Squarespace"),
            ("{\"rendered_products\":\"\",\"products\":[{\"id_product\":", "Prestashop"),
            ("<!doctype html><html>", "JsonLd"),
            ("\n<html lang='en'>", "JsonLd"),
        ] {
            assert_eq!(told(head), expected, "{head}");
        }
    }

    #[test]
    fn what_is_no_catalog_is_refused_with_the_way_out() {
        for (head, expected) in [
            (
                "<rss><channel><title>a</title><item><title>b</title>",
                "it is a feed without products: set `kind = \"feed\"`",
            ),
            (
                "<products><product><productid>1</productid><price>1</price></product><product><productid>2",
                "unknown format: an XML document of `products`; its most repeated element is \
                 `products/product`: describe it with `format = \"mapped\"`",
            ),
            ("<urlset><url>", "it is a sitemap, not a catalog: set `kind = \"sitemap\"`"),
            ("<a><b/></a>", "unknown format: an XML document of `a`, in which nothing is repeated"),
            ("{\"a\":1}", "unknown format: JSON of `a`: describe it with `format = \"mapped\"`"),
            ("hello", "it is neither markup, JSON nor a table"),
        ] {
            assert_eq!(told(head), expected, "{head}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(<[a-z:]{0,3}|[ />'\"=]|<!--|-->|<!\\[CDATA\\[|\\]\\]>|<\\?|\\PC){0,40}") {
            let _ = format(&text);
        }
    }
}
