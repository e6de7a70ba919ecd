//! Documents made to cost much, each of any length, by what they are made for.

mod bytes;
mod json;
mod pages;
mod tables;
mod xml;

/// What a document is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Rss,
    Atom,
    Merchant,
    /// Yandex' rows.
    Offers,
    /// XML whose rows the settings name.
    Mapped,
    /// PrestaShop's web service.
    Service,
    Sitemap,
    Opml,
    Page,
    Json,
    Table,
    /// No text, or one in an odd encoding.
    Bytes,
}

/// One sort of document.
pub struct Document {
    pub name: &'static str,
    pub kind: Kind,
    /// The document in about so many bytes.
    pub make: Box<dyn Fn(usize) -> Vec<u8>>,
}

pub fn all() -> Vec<Document> {
    let mut found = xml::all();
    found.extend(pages::all());
    found.extend(json::all());
    found.extend(tables::all());
    found.extend(bytes::all());
    found
}

/// What `part` gives for a growing number, until there is enough.
fn many(length: usize, part: impl Fn(usize) -> String) -> String {
    let mut out = String::with_capacity(length + (64 << 10));
    let mut number = 0;
    while out.len() < length {
        out.push_str(&part(number));
        number += 1;
    }
    out
}

/// A text repeated until it is long enough.
fn flood(length: usize, text: &str) -> String {
    many(length, |_| text.to_owned())
}
