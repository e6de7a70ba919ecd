//! Subscribers: the people (or chats) a channel can reach.

use serde::{Deserialize, Serialize};

use crate::model::choice::Choices;
use crate::model::name::Name;
use crate::model::origin::Origin;
use crate::model::time::Timestamp;
use crate::model::zone::Zone;

/// One person on one channel. Written by `converse`; `standing` also by `deliver`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscriber {
    /// Dense within the channel, from 0, given by the store at the first contact, never reused; of
    /// chats that the settings named before they made contact, dense from [`CHATS_FROM`].
    pub number: u32,
    /// Telegram: the chat id in decimal. Messenger: the page-scoped id.
    pub address: String,
    /// BCP 47 as the service tells it, lower case.
    pub language: Option<String>,
    /// What the person calls themselves, the newest that was told: one line of at most 64
    /// characters. Only layouts read it.
    pub first_name: Option<String>,
    /// By which clocks they live, as they have told it; `None` while they have not.
    pub timezone: Option<Zone>,
    /// When the service was asked for the name, where it must be asked.
    pub name_asked_at: Option<Timestamp>,
    /// Where the link stood by which they first subscribed; `None` where it did not say.
    pub came_by: Option<Origin>,
    /// Sorted, without duplicates.
    pub topics: Vec<Name>,
    pub standing: Standing,
    /// Messenger: until when anything may be sent. Telegram: `None`.
    pub window_until: Option<Timestamp>,
    /// When they first wrote; 0 of chats that the settings named, until they subscribe.
    pub joined_at: Timestamp,
    /// The platform's time of the newest event that was applied; an older event changes nothing.
    pub changed_at: Timestamp,
    /// When the default reply was last sent, to keep it rare.
    pub default_reply_at: Option<Timestamp>,
    /// How they want what comes to them, and what they have told of themselves; `None` for who has
    /// chosen nothing.
    pub choices: Option<Box<Choices>>,
}

/// Longest tag of a language. Source: RFC 5646, §4.4.1.
const LANGUAGE_BYTES_MAX: usize = 35;

/// The outer form of a BCP 47 tag in lower case.
pub fn is_language_tag(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let is_first = parts.next().is_some_and(|part| {
        (2..=3).contains(&part.len()) && part.bytes().all(|c| c.is_ascii_lowercase())
    });
    let is_more = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|c| c.is_ascii_alphanumeric())
    };
    tag.len() <= LANGUAGE_BYTES_MAX && is_first && parts.all(is_more)
}

/// The first number of chats that are named by the settings. They stand in no audience but that of
/// posts that name them, unless they subscribe; the number stays theirs then.
pub const CHATS_FROM: u32 = 0xf000_0000;

impl Subscriber {
    /// Counts among the subscribers, and is in their audiences.
    pub fn is_counted(&self) -> bool {
        self.number < CHATS_FROM || self.has_joined()
    }

    /// A chat of several people: of those, Telegram's numbers are negative.
    pub fn is_group(&self) -> bool {
        self.address.starts_with('-')
    }

    /// Has subscribed at some time, and was not only named.
    pub fn has_joined(&self) -> bool {
        self.joined_at > Timestamp::default()
    }
}

/// Whether, and why not, somebody may be written to.
///
/// ```text
/// Active ──stop──▶ Stopped ──start──▶ Active
/// Active ──403 / my_chat_member──▶ Blocked ──unblocks, writes──▶ Active (if not stopped before)
/// Active ──deactivated, not found──▶ Gone ──writes──▶ Active
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// In the audience of the chosen topics.
    Active,
    /// Asked us to stop; only comes back by starting.
    Stopped,
    /// Blocked us; comes back by unblocking or writing.
    Blocked,
    /// Deactivated, deleted, unknown to the service.
    Gone,
}

/// A record of a person's yes or no. Append-only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    pub at: Timestamp,
    pub number: u32,
    pub given: bool,
    /// How it came: `start`, `start:` and what the link said, `stop`, `word`, `button`, `blocked`,
    /// `topics:+<topic>`, `topics:-<topic>`, `import:<source>`, `erased:<by whom>`.
    pub way: String,
    /// The words they were answered with (welcome or goodbye), without anything of the person: each
    /// wording is kept once.
    pub wording: String,
}
