//! Drafts, posts and deliveries: from what may be said to what happened to each recipient.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::campaign::{ChangeKind, OnUncertain};
use crate::model::channel::ChannelKind;
use crate::model::control::Priority;
use crate::model::correction::{Corrections, Kept};
use crate::model::item::{Item, ItemId};
use crate::model::message::{Card, Message};
use crate::model::name::Name;
use crate::model::offer::Amount;
use crate::model::rollout::Rollout;
use crate::model::subscriber::Standing;
use crate::model::time::Timestamp;

macro_rules! numbered {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize,
            Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl std::fmt::Display for $name {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(out)
            }
        }
    )*};
}

numbered! {
    /// Given by the store when a draft is committed; grows by one.
    DraftId;
    /// Given by the store when a post is committed; grows by one.
    PostId;
    /// One cut of a post's audience on one channel; grows by one over all posts.
    BatchId;
    /// One answer to one person; grows by one.
    AnswerId;
    /// One claim on one delivery or answer: a repeated attempt has another ticket.
    Ticket;
}

/// Most recipients of one batch.
pub const BATCH_RECIPIENTS_MAX: usize = 1024;

/// Most cards of one carousel of held posts.
pub const HELD_CARDS_MAX: usize = 10;

/// Something that will become a post when it is due. The id is 0 until it is committed.
///
/// ```text
/// waiting (due_at) ──compose──▶ post
/// held (flood, review) ──released──▶ waiting
///                      ──taken as known, dropped──▶ (removed)
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Draft {
    pub id: DraftId,
    pub created_at: Timestamp,
    pub due_at: Timestamp,
    pub content: Content,
    /// Waits for the admins' word instead of its time.
    pub held: Option<Hold>,
}

/// What a draft will say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Content {
    /// Items of a campaign, oldest first, set in its layout when due.
    Items {
        campaign: Name,
        items: Vec<Told>,
        /// Of a campaign of several sources: what else may be the same story. Otherwise empty.
        stories: Vec<Story>,
    },
    /// A message written by hand, to the subscribers of the topics on the channels.
    OneOff { title: String, message: Message, topics: Vec<Name>, channels: Vec<Name> },
    /// What a post tells reads otherwise now, or was taken back: the post is set anew and its
    /// messages are edited.
    Correction { post: PostId, retracted: Vec<ItemId> },
}

/// What happened to an item, as a draft tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub item: ItemId,
    pub kind: ChangeKind,
    /// Of price drops and rises.
    pub price: Option<PriceMove>,
}

/// What shows that items of two sources are one story. Hashes; 0 stands for absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Story {
    pub item: ItemId,
    /// The canonical link.
    pub link: u64,
    /// The letters and digits of the title.
    pub title: u64,
}

/// A price that moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceMove {
    /// The price that was last told.
    pub from: Amount,
    pub to: Amount,
    /// The lowest of the 30 days before this move, from our own history; `None` when the item was
    /// not watched so long.
    pub lowest_30d: Option<Amount>,
}

/// What a draft waits for instead of its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Hold {
    /// Too much was new at once: the admins' word on the source.
    Flood(Flood),
    /// Its campaign sends nothing that nobody has looked at: somebody's word on the draft.
    Review,
}

/// Why a flood is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flood {
    pub source: Name,
    /// The kind of change that is held; others of the same poll go their usual way.
    pub kind: ChangeKind,
    /// How many of these the poll had; the draft keeps the newest of them.
    pub items: u32,
    /// One line for people.
    pub reason: String,
}

/// A draft that became final: its words are frozen, its audience is cut into batches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Post {
    /// 0 until it is committed.
    pub id: PostId,
    pub campaign: Option<Name>,
    /// Plain, for listings; at most 120 characters.
    pub title: String,
    pub created_at: Timestamp,
    /// What each kind of channel and language gets.
    pub bodies: Vec<Body>,
    /// What it takes to set the post for each recipient, where its layout names `subscriber`; the
    /// bodies then serve whom that fails for.
    pub personal: Option<Personal>,
    /// The same as cards, for people whom it can't reach yet.
    pub cards: Vec<Card>,
    pub on_uncertain: OnUncertain,
    pub priority: Priority,
    /// `None` goes to everybody at once.
    pub rollout: Option<Box<Rollout>>,
    /// `Some(why)` while nobody further is claimed.
    pub paused: Option<String>,
    /// `Some(why)` once the post was stopped; its waiting recipients are then skipped.
    pub stopped: Option<String>,
    /// Kept by the store.
    pub counts: Counts,
    /// The newest distinct errors, at most 8, without secrets.
    pub errors: Vec<String>,
    /// `None` for a post that is never corrected.
    pub corrections: Option<Box<Corrections>>,
}

/// The message for one kind of channel in one language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    pub kind: ChannelKind,
    /// `None` serves every language that has no body of its own.
    pub language: Option<String>,
    /// Mostly the same for several.
    pub message: Arc<Message>,
}

/// A layout and what it is set of, as they were when the post was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Personal {
    pub layout: Name,
    /// The layout's files and all that they include, each by its name with its text.
    pub files: Vec<(String, String)>,
    pub items: Vec<Item>,
    pub told: Vec<Told>,
    /// Decides which sales are in force.
    pub now: Timestamp,
}

/// How many recipients are in which state. `planned` is the sum of all the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub planned: u64,
    pub waiting: u64,
    pub in_flight: u64,
    pub sent: u64,
    pub failed: u64,
    pub skipped: u64,
    pub held: u64,
    pub uncertain: u64,
}

impl Counts {
    /// No recipient is waiting or in flight: nothing more will happen by itself.
    pub fn is_finished(&self) -> bool {
        self.waiting == 0 && self.in_flight == 0
    }

    /// The count of those with this outcome.
    pub fn of(&mut self, outcome: Outcome) -> &mut u64 {
        match outcome {
            Outcome::Waiting => &mut self.waiting,
            Outcome::InFlight => &mut self.in_flight,
            Outcome::Sent => &mut self.sent,
            Outcome::Held => &mut self.held,
            Outcome::Uncertain => &mut self.uncertain,
            Outcome::Failed(_) => &mut self.failed,
            Outcome::Skipped(_) => &mut self.skipped,
        }
    }

    /// Counts all of another one too.
    pub fn join(&mut self, other: &Self) {
        self.planned += other.planned;
        self.waiting += other.waiting;
        self.in_flight += other.in_flight;
        self.sent += other.sent;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.held += other.held;
        self.uncertain += other.uncertain;
    }
}

/// What is known of one recipient of one post. One byte in the store.
///
/// ```text
/// Waiting ─claim─▶ InFlight ─answer─▶ Sent | Failed | Held | Skipped
///    ▲                │ └─no telling─▶ Uncertain
///    ├──not sent──────┘                Held ─next contact─▶ Sent | Uncertain | Held
///    └──an admin's word────────────── Failed (but who blocked or left) | Uncertain
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Outcome {
    Waiting,
    InFlight,
    Sent,
    /// Messenger's window is closed: comes with the next contact.
    Held,
    /// The request went out and no complete answer came back.
    Uncertain,
    Failed(Reason),
    Skipped(Reason),
}

/// Why somebody did not get a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The person blocked the bot.
    Blocked,
    /// The account was deleted.
    Deactivated,
    /// The service does not know the address (any more).
    NotFound,
    /// The person never started the bot, or the service won't take messages to them now.
    Unreachable,
    /// Removed from the group or channel, or without the right to write there.
    NotAllowed,
    /// The service refuses the message itself.
    ContentRefused,
    /// Left between planning and sending.
    Unsubscribed,
    /// The post was stopped first.
    PostStopped,
    /// More was held for them than a carousel takes; newer posts went.
    Superseded,
    /// Another definite refusal.
    Refused,
}

impl Reason {
    pub const ALL: [Self; 10] = [
        Self::Blocked,
        Self::Deactivated,
        Self::NotFound,
        Self::Unreachable,
        Self::NotAllowed,
        Self::ContentRefused,
        Self::Unsubscribed,
        Self::PostStopped,
        Self::Superseded,
        Self::Refused,
    ];

    /// The word for it in settings and listings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Deactivated => "deactivated",
            Self::NotFound => "not-found",
            Self::Unreachable => "unreachable",
            Self::NotAllowed => "not-allowed",
            Self::ContentRefused => "content-refused",
            Self::Unsubscribed => "unsubscribed",
            Self::PostStopped => "post-stopped",
            Self::Superseded => "superseded",
            Self::Refused => "refused",
        }
    }

    /// Whoever failed for it may be tried again: they have neither blocked us nor left, and the
    /// service may think otherwise another time.
    pub fn may_pass(self) -> bool {
        matches!(self, Self::Unreachable | Self::NotAllowed | Self::ContentRefused | Self::Refused)
    }
}

impl Outcome {
    /// 0–4 for the plain states, 16 + reason for failed, 64 + reason for skipped.
    pub fn to_byte(self) -> u8 {
        let place = |reason: Reason| {
            u8::try_from(Reason::ALL.iter().position(|r| *r == reason).unwrap_or(9)).unwrap_or(9)
        };
        match self {
            Self::Waiting => 0,
            Self::InFlight => 1,
            Self::Sent => 2,
            Self::Held => 3,
            Self::Uncertain => 4,
            Self::Failed(reason) => 16 + place(reason),
            Self::Skipped(reason) => 64 + place(reason),
        }
    }

    /// The inverse of [`Outcome::to_byte`]; `None` for a byte that it never gives.
    pub fn from_byte(byte: u8) -> Option<Self> {
        let reason = |at: u8| Reason::ALL.get(usize::from(at)).copied();
        match byte {
            0 => Some(Self::Waiting),
            1 => Some(Self::InFlight),
            2 => Some(Self::Sent),
            3 => Some(Self::Held),
            4 => Some(Self::Uncertain),
            16..=63 => reason(byte - 16).map(Self::Failed),
            64.. => reason(byte - 64).map(Self::Skipped),
            _ => None,
        }
    }
}

/// The right to send one thing to one recipient: durable before it is handed out.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    pub ticket: Ticket,
    pub work: Work,
    /// Calls of this message that are known to have been accepted before; sending goes on there.
    pub part: u8,
    pub recipient: Recipient,
}

/// What is to be sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    /// `revision` is that of the post as it is to be sent.
    Delivery {
        post: PostId,
        batch: BatchId,
        index: u16,
        revision: u32,
    },
    Answer {
        id: AnswerId,
        answer: Box<Answer>,
    },
}

/// An answer to a person; goes before all campaigns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// May be empty when only a tap is to be acknowledged.
    pub message: Message,
    /// Telegram's callback query that this acknowledges.
    pub tap: Option<String>,
}

/// The recipient's record as it was when claimed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    pub number: u32,
    pub address: String,
    pub language: Option<String>,
    pub first_name: Option<String>,
    pub standing: Standing,
    pub window_until: Option<Timestamp>,
}

/// What became of a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub ticket: Ticket,
    pub settled: Settled,
    /// Calls of the message that are known to have been accepted, when another one was not: who is
    /// tried again gets the rest.
    pub part: u8,
    /// The recipient's new standing, when the answer told one.
    pub standing: Option<Standing>,
    /// The recipient's new address, when the answer told one.
    pub moved_to: Option<String>,
    /// The service refused because the window is closed: forget that it was open.
    pub window_closed: bool,
    /// The service's words, for the report; without secrets, at most 200 characters.
    pub error: Option<String>,
    /// The messages that arrived since the claim was handed out, of a post that may be corrected.
    pub kept: Option<Kept>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Settled {
    /// Final: `Sent`, `Held`, `Uncertain`, `Failed` or `Skipped`.
    Done(Outcome),
    /// Certainly not sent beyond `part` calls: waits again.
    Returned { part: u8 },
}
