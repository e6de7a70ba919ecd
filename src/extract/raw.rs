//! What a reader found in a document, before it is judged.
//!
//! Every reader of `extract` (feed-rs, our own over quick-xml, JSON) gives these; `assemble` alone
//! knows what they mean. Texts are as the document has them, after XML or JSON unescaping.

use std::sync::Arc;

use url::Url;

use crate::extract::Format;
use crate::model::time::Timestamp;

/// Most bytes of one text that are kept.
pub(crate) const TEXT_BYTES_MAX: usize = 1 << 20;

/// Most addresses of the feed's page that are considered.
const PAGES_MAX: usize = 16;

/// A document.
#[derive(Debug)]
pub(crate) struct RawFeed {
    pub format: Format,
    pub title: RawText,
    /// The page that the feed belongs to, best candidate first.
    pub links: Vec<RawLink>,
    pub language: String,
    /// `ttl` as written.
    pub ttl: String,
    /// `sy:updatePeriod` and `sy:updateFrequency` as written.
    pub period: String,
    pub frequency: String,
    pub hub: Option<RawLink>,
    pub self_link: Option<RawLink>,
    pub next: Option<RawLink>,
    /// Made by WordPress, which gives older pages by number and does not say so.
    pub is_numbered: bool,
    pub expired: bool,
    /// Ids of entries that were taken back.
    pub removed: Vec<String>,
    /// Names that entries without an author of their own inherit.
    pub authors: Vec<String>,
    pub entries: Vec<RawEntry>,
}

impl RawFeed {
    pub(crate) fn new(format: Format) -> Self {
        Self {
            format,
            title: RawText::default(),
            links: vec![],
            language: String::new(),
            ttl: String::new(),
            period: String::new(),
            frequency: String::new(),
            hub: None,
            self_link: None,
            next: None,
            is_numbered: false,
            expired: false,
            removed: vec![],
            authors: vec![],
            entries: vec![],
        }
    }

    /// Adds an address of the feed's page: one for people before other representations.
    pub(crate) fn add_page(&mut self, link: RawLink) {
        if self.links.len() >= PAGES_MAX {
            return;
        }
        let first_other = self.links.iter().position(|known| known.other);
        let at = first_other.filter(|_| !link.other).unwrap_or(self.links.len());
        self.links.insert(at, link);
    }
}

/// One item or entry.
#[derive(Debug, Default)]
pub(crate) struct RawEntry {
    pub guid: String,
    /// Whether an address in `guid` may stand in for a missing link.
    pub guid_is_link: bool,
    pub title: RawText,
    /// Addresses of the item itself, best candidate first.
    pub links: Vec<RawLink>,
    pub summary: RawText,
    pub body: RawText,
    pub published: Option<Timestamp>,
    pub updated: Option<Timestamp>,
    pub authors: Vec<String>,
    pub tags: Vec<String>,
    pub language: String,
    pub media: Vec<RawMedia>,
}

/// An address and the `xml:base` in force where it stands, which all addresses below it share.
#[derive(Clone, Debug, Default)]
pub(crate) struct RawLink {
    pub href: String,
    pub base: Option<Arc<Url>>,
    /// Leads to something else than a page, by its stated type.
    pub other: bool,
}

impl RawLink {
    pub(crate) fn new(href: impl Into<String>) -> Self {
        Self { href: href.into(), base: None, other: false }
    }
}

/// A text and how it is to be read; empty when the document has none.
#[derive(Clone, Debug, Default)]
pub(crate) struct RawText {
    pub text: String,
    pub form: Form,
    /// The `xml:base` in force.
    pub base: Option<Arc<Url>>,
}

impl RawText {
    pub(crate) fn new(text: impl Into<String>, form: Form) -> Self {
        Self { text: text.into(), form, base: None }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Form {
    /// Every character stands for itself.
    Plain,
    Html,
    /// The format does not say: HTML if it looks like it.
    #[default]
    Either,
}

/// A file that the item names.
#[derive(Clone, Debug, Default)]
pub(crate) struct RawMedia {
    pub link: RawLink,
    pub role: Role,
    pub mime: String,
    /// Media RSS `medium`: `image`, `audio`, `video`, `document`, `executable`.
    pub medium: String,
    pub bytes: Option<u64>,
    pub width: u32,
    pub height: u32,
    pub alt: String,
    /// What it is called.
    pub title: String,
    /// How long it plays, in seconds; 0 when the document does not say.
    pub seconds: u32,
}

/// Where a file was named; the order is the order in which pictures are preferred.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// The item's own picture: JSON `image`, an `image` element of the item.
    Picture,
    #[default]
    Content,
    Enclosure,
    Thumbnail,
    /// `itunes:image`, JSON `banner_image`.
    Cover,
}

/// Cuts a text to [`TEXT_BYTES_MAX`], at a character.
pub(crate) fn cap(text: &mut String) {
    if text.len() > TEXT_BYTES_MAX {
        text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
    }
}
