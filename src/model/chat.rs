//! Groups and channels in which a bot is.

use serde::{Deserialize, Serialize};

use crate::model::time::Timestamp;

/// What kind of chat of several people it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChatKind {
    /// People talk to each other; a supergroup too.
    Group,
    /// Only its admins write, and others read.
    Channel,
}

/// A chat of several people that the bot was let into, as the service told it last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatSeen {
    pub kind: ChatKind,
    /// One line of at most 64 characters.
    pub title: Option<String>,
    /// The bot may write there.
    pub may_post: bool,
    /// Since when that is so.
    pub at: Timestamp,
}
