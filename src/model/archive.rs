//! What was sent to a topic, for everybody to read.

use serde::{Deserialize, Serialize};

use crate::model::message::Card;
use crate::model::post::PostId;
use crate::model::time::Timestamp;

/// A post that was sent to a topic, without anything of whom it was sent to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Archived {
    /// The first of those that say the same, and how many these are.
    pub post: PostId,
    pub posts: u32,
    pub at: Timestamp,
    /// When a correction last changed it.
    pub corrected_at: Option<Timestamp>,
    /// What it tells of, in its order; none of what was taken back.
    pub entries: Vec<Entry>,
}

/// One thing that a post tells of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub title: String,
    /// Plain; may be empty.
    pub text: String,
    pub link: Option<String>,
}

impl From<&Card> for Entry {
    fn from(card: &Card) -> Self {
        Self { title: card.title.clone(), text: card.subtitle.clone(), link: card.link.clone() }
    }
}
