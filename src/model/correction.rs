//! Corrections: what a source says anew, and whose messages are edited because of it.
//!
//! ```text
//! sent (messages kept) ──the source corrects it──▶ next revision ──edit pass──▶ as it is now
//!        └──the window ends──▶ (nothing is kept)
//! ```

use crate::model::item::{Item, ItemId};
use crate::model::post::{PostId, Recipient};
use crate::model::subscriber::Standing;

pub use crate::model::kept::{Corrections, KEPT_MESSAGES_MAX, Kept, KeptMessage};

/// What a source says anew of something it has told.
#[derive(Clone, Debug, PartialEq)]
pub enum Correction {
    /// The item reads as this now.
    Edited(Box<Item>),
    /// The source takes the item back.
    Retracted(ItemId),
}

/// The place of one recipient; places are in the order in which they are edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EditAt {
    pub post: PostId,
    pub batch: u64,
    pub index: u16,
}

/// One recipient whose messages are older than their post.
#[derive(Clone, Debug, PartialEq)]
pub struct EditClaim {
    pub at: EditAt,
    /// The revision that they are to show.
    pub revision: u32,
    pub kept: Kept,
    /// `None` when the person can't be reached any more.
    pub recipient: Option<Recipient>,
}

/// What became of an edit.
#[derive(Clone, Debug, PartialEq)]
pub struct EditReceipt {
    pub at: EditAt,
    pub end: EditEnd,
    /// The recipient's new standing, when the answer told one.
    pub standing: Option<Standing>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum EditEnd {
    /// These are their messages now; with `is_refused` they say what they said before.
    Done { kept: Kept, is_refused: bool },
    /// Their messages are not there any more, or can't be edited for good.
    GivenUp,
}
