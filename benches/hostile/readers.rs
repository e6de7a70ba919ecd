//! The readers that are measured, and the bare parsers beside them.

use std::io::{BufReader, Cursor};

use tidings::extract::catalog::{self, Options};
use tidings::extract::page::{self, article};
use tidings::extract::{discover, feed, opml, sitemap, text};
use tidings::markup;
use tidings::model::name::Name;
use tidings::model::source::{CatalogFormat, Mapping, PageField, PageRules};
use tidings::model::time::Timestamp;
use url::Url;

use crate::documents::Kind;

/// How many rows of a catalog are read in full: about as many as a poll reads at once.
const PICKED_MAX: usize = 1_000;

/// A reader: what it is for, its yardstick, and what it does.
pub struct Reader {
    pub name: &'static str,
    pub kinds: &'static [Kind],
    pub bare: &'static str,
    /// What came out.
    pub read: fn(&[u8]) -> String,
}

pub fn all() -> Vec<Reader> {
    use Kind::{
        Atom, Bytes, Json, Mapped, Merchant, Offers, Opml, Page, Rss, Service, Sitemap, Table,
    };
    let reader = |name, kinds, bare, read| Reader { name, kinds, bare, read };
    vec![
        reader("text", &[Bytes], "utf-8", |bytes| {
            let Ok(plain) = text::unpack(bytes) else { return "no text".into() };
            let decoded = text::decode(&plain, None, Some("example.com"));
            format!("{} of {}", decoded.text.len(), decoded.encoding)
        }),
        reader("feed", &[Rss, Atom, Bytes], "quick-xml", read_feed),
        reader("feed of JSON", &[Json], "serde_json", read_feed),
        reader("sitemap", &[Sitemap, Bytes], "quick-xml", |bytes| {
            let found = sitemap::read(bytes, None, &base(), sitemap::URLS_MAX);
            told(found.map(|_| "read".to_owned()))
        }),
        reader("opml", &[Opml], "quick-xml", |bytes| {
            told(opml::read(bytes, None).map(|found| found.len().to_string()))
        }),
        reader("merchant", &[Merchant], "quick-xml", |bytes| {
            read_catalog(bytes, CatalogFormat::Merchant)
        }),
        reader("yml", &[Offers], "quick-xml", |bytes| read_catalog(bytes, CatalogFormat::Yml)),
        reader("shopify atom", &[Atom], "quick-xml", |bytes| {
            read_catalog(bytes, CatalogFormat::ShopifyAtom)
        }),
        reader("mapped XML", &[Mapped], "quick-xml", |bytes| {
            read_catalog(bytes, CatalogFormat::Mapped)
        }),
        reader("table", &[Table, Bytes], "csv", |bytes| read_catalog(bytes, CatalogFormat::Csv)),
        reader("auto", &[Bytes], "utf-8", |bytes| read_catalog(bytes, CatalogFormat::Auto)),
        reader("shopify", &[Json], "serde_json", |bytes| {
            read_catalog(bytes, CatalogFormat::Shopify)
        }),
        reader("woocommerce", &[Json], "serde_json", |bytes| {
            read_catalog(bytes, CatalogFormat::Woocommerce)
        }),
        reader("wordpress", &[Json], "serde_json", |bytes| {
            read_catalog(bytes, CatalogFormat::Wordpress)
        }),
        reader("squarespace", &[Json], "serde_json", |bytes| {
            read_catalog(bytes, CatalogFormat::Squarespace)
        }),
        reader("prestashop", &[Json, Service], "serde_json", |bytes| {
            read_catalog(bytes, CatalogFormat::Prestashop)
        }),
        reader("mapped JSON", &[Json], "serde_json", |bytes| {
            read_catalog(bytes, CatalogFormat::Mapped)
        }),
        reader("page", &[Page, Bytes], "html5ever", |bytes| {
            read_page(bytes, &PageRules::default())
        }),
        reader("page with rules", &[Page], "html5ever", |bytes| {
            let rules = PageRules {
                item: Some("div, li, p".into()),
                title: Some(PageField::parse("a")),
                link: Some(PageField::parse("div div a@href")),
                ..PageRules::default()
            };
            read_page(bytes, &rules)
        }),
        reader("page, counting", &[Page], "html5ever", |bytes| {
            let rules = PageRules {
                item: Some("div:nth-child(2n+1), li:not(:last-child), p ~ p, div:has(a)".into()),
                link: Some(PageField::parse("a:first-of-type@href")),
                ..PageRules::default()
            };
            read_page(bytes, &rules)
        }),
        reader("structured", &[Page], "html5ever", |bytes| {
            read_catalog(bytes, CatalogFormat::JsonLd)
        }),
        reader("article", &[Page], "html5ever", |bytes| {
            told(article::read(bytes, None, &base()).map(|found| found.title))
        }),
        reader("discover", &[Page], "html5ever", |bytes| {
            let found = discover::page(&String::from_utf8_lossy(bytes), &base());
            format!("{} feeds", found.feeds.len() + found.linked.len())
        }),
        reader("rich text", &[Page], "html5ever", |bytes| {
            let tree = markup::rich(&String::from_utf8_lossy(bytes), Some(&base()));
            format!("{} blocks", tree.blocks.len())
        }),
    ]
}

pub fn bare() -> Vec<Reader> {
    let reader = |name, read| Reader { name, kinds: &[], bare: name, read };
    vec![
        reader("utf-8", |bytes| std::str::from_utf8(bytes).is_ok().to_string()),
        reader("quick-xml", |bytes| {
            let mut reader = quick_xml::Reader::from_reader(BufReader::new(Cursor::new(bytes)));
            let (mut buffer, mut found) = (Vec::new(), 0_usize);
            while let Ok(event) = reader.read_event_into(&mut buffer) {
                if event == quick_xml::events::Event::Eof {
                    break;
                }
                found += 1;
                buffer.clear();
            }
            format!("{found} events")
        }),
        reader("csv", |bytes| {
            let mut reader = csv::ReaderBuilder::new().delimiter(b'\t').from_reader(bytes);
            let (mut record, mut found) = (csv::ByteRecord::new(), 0_usize);
            while reader.read_byte_record(&mut record).unwrap_or(false) {
                found += 1;
            }
            format!("{found} records")
        }),
        reader("serde_json", |bytes| {
            let value = serde_json::from_slice::<serde_json::Value>(bytes);
            value.is_ok().to_string()
        }),
        reader("html5ever", |bytes| {
            let html = scraper::Html::parse_document(&String::from_utf8_lossy(bytes));
            format!("{} nodes", html.tree.nodes().count())
        }),
    ]
}

fn base() -> Url {
    Url::parse("https://e.com/blog/feed").unwrap_or_else(|_| unreachable!("it is an address"))
}

/// The outcome in a word or two.
fn told(found: Result<String, tidings::extract::NotADocument>) -> String {
    match found {
        Ok(found) => found,
        Err(refusal) => refusal.to_string(),
    }
}

/// As a poll does it: up to the items that are kept.
fn read_feed(bytes: &[u8]) -> String {
    let document = match feed::read(bytes, None, &base()) {
        Ok(document) => document,
        Err(refusal) => return refusal.to_string(),
    };
    let Ok(source) = Name::parse("hostile") else { return String::new() };
    let count = document.entries.len();
    for entry in document.entries {
        drop(entry.into_item(&source, Timestamp::default()));
    }
    format!("{count} items")
}

fn read_page(bytes: &[u8], rules: &PageRules) -> String {
    let found = page::read(bytes, None, &base(), rules, tidings::extract::ITEMS_MAX);
    told(found.map(|found| format!("{} items", found.entries.len())))
}

/// Both passes, as for a first poll that finds some rows worth telling.
fn read_catalog(bytes: &[u8], format: CatalogFormat) -> String {
    let base = base();
    let field = |name: &str, path: &str| (name.to_owned(), path.to_owned());
    let mapping = Mapping {
        row: "products".into(),
        fields: vec![field("id", "id"), field("title", "title"), field("price", "price")],
    };
    let nested = Mapping { row: "products/product".into(), ..mapping.clone() };
    let mapping = if bytes.starts_with(b"<") { &nested } else { &mapping };
    let options = Options { format, mapping: Some(mapping), ..Options::plain(&base) };
    let mut document = Cursor::new(bytes);
    let mut places = Vec::with_capacity(PICKED_MAX);
    let mut listings = 0_usize;
    let scan = catalog::scan(&mut document, &options, &mut |listing| {
        listings += 1;
        if places.len() < PICKED_MAX && places.last() != Some(&listing.place) {
            places.push(listing.place);
        }
    });
    let scan = match scan {
        Ok(scan) => scan,
        Err(refusal) => return refusal.to_string(),
    };
    let rows = catalog::pick(&mut document, &options, scan.format, &places);
    let rows = rows.map_or(0, |rows| rows.len());
    format!("{} rows, {} lost, {listings} listings, {rows} read", scan.rows, scan.lost)
}
