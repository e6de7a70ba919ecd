//! Events: what people do in their chats, normalised over the services.

use serde::{Deserialize, Serialize};

use crate::model::chat::ChatKind;
use crate::model::name::Name;
use crate::model::time::Timestamp;

/// One thing that a person did. Kept durably before the service is told that we have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub channel: Name,
    /// What the service repeats when it delivers the event again; duplicates are dropped by it.
    /// Telegram: the update id in decimal. Messenger: the `mid`, else person, time and kind.
    pub id: String,
    /// The service's own time of the event.
    pub at: Timestamp,
    /// Whom to answer; see `Subscriber::address`.
    pub address: String,
    /// BCP 47 as the service tells it.
    pub language: Option<String>,
    /// What the person calls themselves, as the service tells it with the event: one line of at
    /// most 64 characters. Messenger tells no name with its events: see `converse::names`.
    pub first_name: Option<String>,
    pub deed: Deed,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deed {
    /// Started the chat, with the payload of the link that led there, if any.
    Started {
        payload: Option<String>,
    },
    /// Wrote a text (commands but `/start` included), at most 4,096 characters are kept.
    Said {
        text: String,
    },
    /// Sent something without text (sticker, picture, voice).
    SentMedia,
    /// Tapped a button; `tap` is what the service wants acknowledged, if anything.
    Tapped {
        payload: String,
        tap: Option<Tap>,
    },
    /// Came back by a link into the standing chat.
    Referred {
        payload: Option<String>,
    },
    /// Reacted to a message: opens Messenger's window, wants no answer.
    Reacted,
    Blocked,
    Unblocked,
    /// The chat has a new address (a group became a supergroup).
    Moved {
        to: String,
    },
    /// Agreed to marketing messages: opens no window.
    OptedIn {
        token: String,
        expires_at: Option<Timestamp>,
    },
    /// Wants no marketing messages any more; everything else stays as it is.
    OptedOut,
    /// Somebody did this in a group, for which not everybody may speak.
    InGroup {
        by: Asker,
        /// The bot that the command names, without the `@`.
        to: Option<String>,
        /// Started, said a command, or tapped.
        deed: Box<Deed>,
    },
    /// The bot is in a group or channel, and may write there or not. Once it was removed, the chat
    /// has [`Deed::Blocked`] it.
    Present {
        kind: ChatKind,
        /// One line of at most 64 characters.
        title: Option<String>,
        may_post: bool,
    },
    /// Wrote an earlier message anew: only to stop counts, said at the instant of the change.
    Edited {
        text: String,
    },
}

/// Who did something in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Asker {
    /// By the service's number.
    Person(i64),
    /// One of its admins, in the group's own name.
    Chat,
}

/// An event that could not be answered: it was tried too often, and waits for somebody's word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutAside {
    pub event: Event,
    /// When it was put aside.
    pub at: Timestamp,
    pub tries: u32,
    /// What went wrong the last time.
    pub why: String,
}

/// Somebody's word on events that were put aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventWord {
    /// Answer them again, with as many tries as at first.
    Retry,
    /// They are never answered.
    Drop,
}

impl Deed {
    /// Its kind in one word, which tells nothing of what was said.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Started { .. } => "started",
            Self::Said { .. } => "said",
            Self::Edited { .. } => "edited",
            Self::SentMedia => "sent-media",
            Self::Tapped { .. } => "tapped",
            Self::Referred { .. } => "referred",
            Self::Reacted => "reacted",
            Self::Blocked => "blocked",
            Self::Unblocked => "unblocked",
            Self::Moved { .. } => "moved",
            Self::OptedIn { .. } => "opted-in",
            Self::OptedOut => "opted-out",
            Self::InGroup { deed, .. } => deed.word(),
            Self::Present { .. } => "present",
        }
    }
}

/// A tap on a button, as the service wants it acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tap {
    pub id: String,
    /// The message with the button, where it can be written anew; of an answer, the one in whose
    /// place it stands.
    pub message: Option<i64>,
    /// Of an answer: what is said with the acknowledgement, in passing and for a moment.
    pub toast: Option<String>,
}

impl Tap {
    /// The acknowledgement alone: what is answered is a message of its own.
    #[must_use]
    pub fn alone(&self) -> Self {
        Self { message: None, ..self.clone() }
    }
}

impl From<&str> for Tap {
    fn from(id: &str) -> Self {
        Self { id: id.to_owned(), message: None, toast: None }
    }
}
