//! What the admins say to a post: pause it, go on, cancel it, try again, let it overtake others.

use serde::{Deserialize, Serialize};

use crate::model::name::Name;
use crate::model::post::Reason;

pub use crate::model::priority::{NotAPriority, Priority};

/// Longest reason of a [`PostWord`], in characters.
pub const WHY_CHARS_MAX: usize = 200;

/// Payloads of the buttons by which a reviewer lets a draft go; its number follows.
pub const RELEASE_PAYLOAD: &str = "1:release:";

/// As [`RELEASE_PAYLOAD`], of those that drop it.
pub const DROP_PAYLOAD: &str = "1:drop:";

/// A word on one post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PostWord {
    /// Claim nobody further; what is in flight comes home. The reason has at most
    /// [`WHY_CHARS_MAX`] characters, here and below.
    Pause { why: String },
    /// Go on.
    Resume,
    /// Nobody who waits, or for whom it is held, gets it any more.
    Cancel { why: String },
    /// Who failed for one of these reasons waits again; no reason named means every one that may
    /// pass ([`Reason::may_pass`]). With `uncertain` also those of whom nobody knows.
    Retry { reasons: Vec<Reason>, uncertain: bool },
    /// From now on it goes before, or after, others.
    Rank { priority: Priority },
}

/// What became of a [`PostWord`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Obeyed {
    /// So many recipients are concerned, on these channels.
    Done { recipients: u64, channels: Vec<Name> },
    /// Nothing was changed, because of this.
    Refused { why: String },
}
