//! What is kept of a post so that it can be edited where it was sent.

use serde::{Deserialize, Serialize};

use crate::model::change::Told;
use crate::model::item::ItemId;
use crate::model::time::Timestamp;

/// Most messages of one delivery that are kept; a delivery of more is never edited.
pub const KEPT_MESSAGES_MAX: usize = 64;

/// How far the corrections of a post have come; only posts of campaigns that correct have it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Corrections {
    /// What the post tells, oldest first; empty once the window is over.
    pub items: Vec<Told>,
    /// When the window ends: from then on nothing is corrected, and no message is kept.
    pub until: Timestamp,
    /// Grows by one with each correction; 0 for the post as it was made.
    pub revision: u32,
    /// The newest revision that changed a picture or another file.
    pub media_revision: u32,
    /// Those of the items that the source took back.
    pub retracted: Vec<ItemId>,
    /// The messages are to be taken away instead of edited.
    pub is_deleted: bool,
    pub corrected_at: Option<Timestamp>,
    /// How many recipients of the newest revision are to have their messages edited …
    pub wanted: u64,
    /// … have them edited …
    pub edited: u64,
    /// … and can't have them edited any more.
    pub given_up: u64,
    /// Why the newest revision's edits were stopped, if they were.
    pub stopped: Option<String>,
}

impl Corrections {
    /// Of a post that was just made.
    pub fn new(items: Vec<Told>, until: Timestamp) -> Self {
        Self {
            items,
            until,
            revision: 0,
            media_revision: 0,
            retracted: Vec::new(),
            is_deleted: false,
            corrected_at: None,
            wanted: 0,
            edited: 0,
            given_up: 0,
            stopped: None,
        }
    }

    /// The source took back everything that the post tells.
    pub fn is_taken_back(&self) -> bool {
        let is_back = |told: &Told| self.retracted.contains(&told.item);
        !self.items.is_empty() && self.items.iter().all(is_back)
    }
}

/// The messages that one recipient has of a post, in the order in which they were sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// What they say: this revision of the post.
    pub revision: u32,
    pub messages: Vec<KeptMessage>,
}

/// One message of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptMessage {
    /// The service's id of it, within its chat.
    pub id: i64,
    /// A picture or another file with its caption; otherwise a text.
    pub is_media: bool,
    /// The first message of its call; the others belong to the same album.
    pub begins: bool,
}
