//! Bytes of a feed to its entries.
//!
//! Pure: no network, no store, no clock. Promises the same entries for the same bytes, an error of
//! one clear line for what is no feed, and bounded work for hostile bytes (the limits stand beside
//! the code that keeps them). It does not know what is new.
//!
//! The way: bytes → [`text`] → our own reader of XML, over a repaired copy ([`repair`]) where that is
//! broken, or feed-rs for JSON feeds and our own reader where feed-rs would drop or refuse something
//! → raw entries → assembled entries with links, plain titles, media and keys.

pub mod feed;

pub mod catalog;

pub mod sitemap;

pub mod robots;

pub mod opml;

pub mod discover;

mod dom;

pub mod structured;

pub mod page;

pub mod text;

pub mod repair;

mod raw;

mod ns;

mod tokens;

mod reader;

mod json;

mod assemble;

pub mod date;

pub mod link;

pub mod media;

pub mod keys;

pub mod story;

pub mod show;

mod refusal;

use std::time::Duration;

use url::Url;

pub use refusal::NotADocument;

use crate::markup;
use crate::model::item::{Item, Media};
use crate::model::known::Keys;
use crate::model::name::Name;
use crate::model::offer::Offer;
use crate::model::time::Timestamp;

/// Most items of one document.
pub const ITEMS_MAX: usize = 10_000;
/// Deepest nesting of elements.
pub const XML_DEPTH_MAX: usize = 64;
/// Most attributes of one tag.
pub const ATTRIBUTES_MAX: usize = 256;
/// Most namespace declarations of one document.
pub const NAMESPACES_MAX: usize = 256;
/// Deepest nesting of arrays and objects.
pub const JSON_DEPTH_MAX: usize = 64;

/// A feed as it was found.
#[derive(Debug)]
pub struct Document {
    pub facts: Facts,
    /// In document order, repetitions of the same item left out.
    pub entries: Vec<Entry>,
    pub quality: Quality,
}

/// How much of the document can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quality {
    /// Well-formed to its end.
    Whole,
    /// Ill-formed, read after repair: nothing may be inferred from what is absent.
    Repaired,
    /// Ends too early: the complete items before that.
    Truncated,
}

/// What the feed says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    pub format: Format,
    /// Name of the encoding the bytes were read in.
    pub encoding: &'static str,
    /// Plain text; may be empty.
    pub title: String,
    /// The page it belongs to, absolute.
    pub link: Option<String>,
    /// BCP 47, lower case.
    pub language: Option<String>,
    /// How long the feed asks to be left alone: `ttl`, else `sy:updatePeriod` over
    /// `sy:updateFrequency`. Not clamped, but for `ttl`s that are plainly in seconds.
    pub ttl: Option<Duration>,
    /// The first WebSub hub.
    pub hub: Option<String>,
    /// Where the feed says it lives.
    pub self_link: Option<String>,
    /// Where older items are: the archive before this document, else the next page.
    pub next: Option<String>,
    /// A JSON Feed that will not change any more.
    pub expired: bool,
    /// The hashed ids of entries that an Atom feed says it has taken back (RFC 6721).
    pub removed: Vec<u64>,
}

/// The dialect of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// RSS 0.91 to 0.94.
    Rss0,
    /// RDF: RSS 0.9 and 1.0.
    Rss1,
    Rss2,
    Atom03,
    Atom,
    Json,
    /// No feed, but a list of a site's addresses.
    Sitemap,
    /// A web page, whatever on it tells the items.
    Page,
}

impl Format {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rss0 => "RSS 0.9x",
            Self::Rss1 => "RSS 1.0",
            Self::Rss2 => "RSS 2.0",
            Self::Atom03 => "Atom 0.3",
            Self::Atom => "Atom 1.0",
            Self::Json => "JSON Feed",
            Self::Sitemap => "sitemap",
            Self::Page => "web page",
        }
    }
}

/// One item, with its texts still as raw markup.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub keys: Keys,
    /// The format's own id, trimmed; empty when there is none.
    pub guid: String,
    /// Plain text, white space folded; may be empty.
    pub title: String,
    /// Absolute http or https address, as the document gives it.
    pub link: Option<String>,
    /// HTML, not sanitised; empty when there is none.
    pub summary_html: String,
    /// HTML, not sanitised; empty when there is none.
    pub body_html: String,
    pub published: Option<Timestamp>,
    pub updated: Option<Timestamp>,
    pub authors: Vec<String>,
    pub tags: Vec<String>,
    pub language: Option<String>,
    pub image: Option<String>,
    pub media: Vec<Media>,
    /// What it costs and whether it can be had, if it is a product.
    pub offer: Option<Offer>,
    /// What relative addresses in the texts are relative to.
    pub base: Option<Url>,
}

impl Entry {
    /// The item as it is kept: texts sanitised to trees.
    pub fn into_item(self, source: &Name, now: Timestamp) -> Item {
        let base = self.base.as_ref();
        Item {
            id: keys::item_id(source, &self.keys),
            source: source.clone(),
            summary: markup::rich(&self.summary_html, base),
            body: markup::rich(&self.body_html, base),
            guid: self.guid,
            title: self.title,
            link: self.link,
            published: self.published,
            updated: self.updated,
            first_seen: now,
            authors: self.authors,
            tags: self.tags,
            language: self.language,
            image: self.image,
            media: self.media,
            offer: self.offer,
        }
    }
}
