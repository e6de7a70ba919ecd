//! What a source has already told: the memory that identity is compared with.

use serde::{Deserialize, Serialize};

use crate::model::time::Timestamp;

/// The rungs and the fingerprint of one item of a document, hashed.
///
/// A rung is the first 8 bytes of a SHA-256 over what names the item; `None` where the document
/// has nothing for that rung. Collisions within one source are not a concern at 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keys {
    /// The format's own id, raw.
    pub id: Option<u64>,
    /// The id without scheme and `www.`: survives http→https and www moves.
    pub id_alias: Option<u64>,
    /// The canonical link, without scheme and `www.`.
    pub link: Option<u64>,
    /// Title and stated date together.
    pub title_date: Option<u64>,
    /// Title alone, normalised; never the only ground to call two items one.
    pub title: Option<u64>,
    /// Normalised title, body text and first image.
    pub fingerprint: u64,
}

/// All that one source has told, newest sighting kept. Never shrinks by counting.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Known {
    pub entries: Vec<KnownItem>,
    /// Polls in a row at which the ids were unstable; from 1 on, rung 1 is distrusted.
    pub id_churns: u32,
}

/// One known item, or one more alias of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownItem {
    /// 0 stands for absent in every hash here.
    pub id: u64,
    pub link: u64,
    pub title_date: u64,
    pub title: u64,
    pub fingerprint: u64,
    pub last_seen: Timestamp,
}
