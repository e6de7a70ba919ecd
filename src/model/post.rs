//! Drafts, posts and deliveries: from what may be said to what happened to each recipient.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::campaign::OnUncertain;
use crate::model::change::ChangeKind;
use crate::model::channel::ChannelKind;
use crate::model::event::Tap;
use crate::model::item::{Item, ItemId};
use crate::model::kept::{Corrections, Kept};
use crate::model::lane::{Beyond, Lane};
use crate::model::message::{Card, Message};
use crate::model::name::Name;
use crate::model::one_off::OneOff;
use crate::model::priority::Priority;
use crate::model::rollout::Rollout;
use crate::model::subscriber::Standing;
use crate::model::time::Timestamp;
use crate::model::timing::{Hours, opening};
use crate::model::zone::{Wall, Zone};

pub use crate::model::change::{PriceMove, Told};

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

/// Most time zones of one post that are named to people.
const ZONES_SHOWN: usize = 4;

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

impl Draft {
    /// The campaign that it is of; `None` for what no campaign wants.
    pub fn campaign(&self) -> Option<&Name> {
        match &self.content {
            Content::Items { campaign, .. } => Some(campaign),
            Content::OneOff { .. } | Content::Correction { .. } => None,
        }
    }

    /// The file that plans it; `None` for what no file does.
    pub fn file(&self) -> Option<&Name> {
        match &self.content {
            Content::OneOff(one) => one.file.as_ref(),
            Content::Items { .. } | Content::Correction { .. } => None,
        }
    }

    /// What it tells of items, oldest first.
    pub fn told(&self) -> &[Told] {
        match &self.content {
            Content::Items { items, .. } => items,
            Content::OneOff { .. } | Content::Correction { .. } => &[],
        }
    }
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
    /// A post written by hand.
    OneOff(Box<OneOff>),
    /// What a post tells reads otherwise now, or was taken back: the post is set anew and its
    /// messages are edited.
    Correction { post: PostId, retracted: Vec<ItemId> },
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
    /// The topics whose people it is for; none: everybody. How often it comes to somebody goes by
    /// these.
    pub topics: Vec<Name>,
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
    /// Nobody is claimed outside of these.
    pub hours: Vec<Hours>,
    /// Of a post for people whose clocks go alike: nobody is claimed before their hour.
    pub zoned: Option<Box<Zoned>>,
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
    /// Its ways to people whose window is closed; `None` when it is only held for them.
    pub beyond: Option<Box<Beyond>>,
}

impl Post {
    /// When its hours begin, or begin again; `None` while they are open, and where they never open.
    pub fn opens_at(&self, now: Timestamp) -> Option<Timestamp> {
        let from = self.zoned.as_ref().map_or(now, |zoned| zoned.opens_at.max(now));
        opening(&self.hours, from).filter(|opens_at| *opens_at > now)
    }
}

/// Whose clocks a post goes by. It is one of several that were made together and say the same, each
/// for people whose clocks go alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zoned {
    /// The hour on their clocks; `None` for what goes at any hour that is open.
    pub wall: Option<Wall>,
    /// When their clocks show it; nobody is claimed before.
    pub opens_at: Timestamp,
    /// When nobody was claimed by then, it is too late.
    pub late_at: Timestamp,
    /// The zones, and of how many people each is; that of the most first.
    pub zones: Vec<(Zone, u64)>,
    /// Who has told no zone is among them.
    pub has_rest: bool,
    /// The first of those that were made together, and how many they are. Kept by the store.
    pub first: PostId,
    pub posts: u32,
}

impl Zoned {
    /// All that were made together; they follow each other.
    pub fn together(&self) -> Vec<PostId> {
        (self.first.0..self.first.0 + u64::from(self.posts)).map(PostId).collect()
    }

    /// `09:00 in Europe/Rome: 412 people, at 2026-11-28T08:00:00Z`.
    pub fn words(&self) -> String {
        let people: u64 = self.zones.iter().map(|(_, people)| people).sum();
        let people = if people == 1 { "1 person".to_owned() } else { format!("{people} people") };
        let hour = self.wall.map_or_else(String::new, |wall| format!("{} ", wall.time()));
        let named: Vec<String> =
            self.zones.iter().take(ZONES_SHOWN).map(|(zone, _)| zone.to_string()).collect();
        let more = match self.zones.len().saturating_sub(ZONES_SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("{hour}in {}{more}: {people}, at {}", named.join(", "), self.opens_at)
    }
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
    /// By whose clocks dates are shown that name no zone.
    pub zone: Zone,
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
///    ▲                │ └─no telling─▶ Uncertain ─echo─▶ Sent
///    ├──not sent──────┘                Held ─next contact─▶ Sent | Uncertain | Held
///    │                                      └─for too long─▶ Skipped
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
    /// It was held for them for longer than things are.
    Expired,
}

impl Reason {
    pub const ALL: [Self; 11] = [
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
        Self::Expired,
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
            Self::Expired => "expired",
        }
    }

    /// Why somebody of this standing gets nothing more; whoever is still here left the topic.
    pub fn of_leaving(standing: Standing) -> Self {
        match standing {
            Standing::Active | Standing::Stopped => Self::Unsubscribed,
            Standing::Blocked => Self::Blocked,
            Standing::Gone => Self::NotFound,
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
    pub lane: Lane,
    /// Of a marketing message: whom it goes to.
    pub token: Option<String>,
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
    /// Telegram's callback query that this acknowledges. With its message, what is answered takes
    /// the place of that.
    pub tap: Option<Tap>,
    /// Besides, Messenger asks under this title whether marketing messages are wanted.
    pub ask: Option<String>,
}

/// The recipient's record as it was when claimed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    pub number: u32,
    pub address: String,
    pub language: Option<String>,
    pub first_name: Option<String>,
    pub timezone: Option<Zone>,
    /// What they have told of themselves, by the field's name.
    pub profile: Vec<(Name, String)>,
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
