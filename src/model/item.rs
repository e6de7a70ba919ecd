//! Items: one normalised thing that a source tells.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::name::Name;
use crate::model::offer::Offer;
use crate::model::rich::RichText;
use crate::model::time::Timestamp;

/// An item as it is kept once it matters: sanitised, bounded, independent of its format.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    pub id: ItemId,
    pub source: Name,
    /// The format's own id as the document has it; empty when there is none.
    pub guid: String,
    /// Plain text; may be empty (microblogs).
    pub title: String,
    /// Absolute http or https address, as the document gives it.
    pub link: Option<String>,
    /// What the document gives as summary; empty when it gives only a body.
    pub summary: RichText,
    /// The full text; empty when the document gives only a summary.
    pub body: RichText,
    pub published: Option<Timestamp>,
    pub updated: Option<Timestamp>,
    pub first_seen: Timestamp,
    pub authors: Vec<String>,
    pub tags: Vec<String>,
    /// BCP 47, lower case, as the document claims it.
    pub language: Option<String>,
    /// The picture that stands for the item; always http or https.
    pub image: Option<String>,
    /// Enclosures and media, in document order, without duplicates.
    pub media: Vec<Media>,
    /// What it costs and whether it can be had, if it is a product.
    pub offer: Option<Offer>,
}

/// 16 bytes that name an item within the store: from the source and the item's best rung.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ItemId(pub [u8; 16]);

/// 32 lower-case hexadecimal digits.
impl fmt::Display for ItemId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl fmt::Debug for ItemId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "ItemId({self})")
    }
}

/// A file that belongs to an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    pub kind: MediaKind,
    pub url: String,
    /// As the document claims; often wrong.
    pub bytes: Option<u64>,
    /// Media type as the document claims, such as `audio/mpeg`.
    pub mime: Option<String>,
    /// Description for people who do not see it.
    pub alt: Option<String>,
    /// What it is called, where that differs from the item.
    pub title: Option<String>,
    /// How long it plays, as the document claims.
    pub seconds: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MediaKind {
    Image,
    Audio,
    Video,
    File,
}
