//! The records that only this backend keeps, and the versions of all.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::model::campaign::OnUncertain;
use crate::model::channel::ChannelState;
use crate::model::event::Event;
use crate::model::item::Item;
use crate::model::known::Known;
use crate::model::message::Card;
use crate::model::name::Name;
use crate::model::post::{Answer, Body, Counts, Draft};
use crate::model::source::SourceState;
use crate::model::subscriber::{Consent, Standing, Subscriber};
use crate::model::time::Timestamp;
use crate::store::codec::Record;

/// The file's own format; a file of another one is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Format(pub u32);

/// The last number given of each kind; 0 is never given, but for subscribers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counters {
    pub draft: u64,
    pub post: u64,
    pub batch: u64,
    pub answer: u64,
    pub ticket: u64,
    pub event: u64,
    pub consent: u64,
}

/// What of a post never changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct PostRow {
    pub campaign: Option<Name>,
    pub title: String,
    pub created_at: Timestamp,
    pub bodies: Vec<Body>,
    pub cards: Vec<Card>,
    pub spans: Vec<Span>,
}

/// The batches of a post on one channel: their numbers follow each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Span {
    pub channel: Name,
    pub first: u64,
    pub batches: u64,
}

/// What of a post changes while it is delivered; small, because every commit writes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Tally {
    pub counts: Counts,
    /// Newest first.
    pub errors: Vec<String>,
    pub stopped: Option<String>,
    pub on_uncertain: OnUncertain,
    /// The newest instant at which anything happened to it.
    pub touched_at: Timestamp,
    /// `Some` once nothing waits and nothing is in flight.
    pub finished_at: Option<Timestamp>,
}

/// Who is in a batch; never changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct People {
    pub post: u64,
    pub channel: Name,
    /// The first number, then by how much each next one is larger.
    pub steps: Vec<u32>,
}

/// One byte a recipient of a batch, in the order of [`People`]; see `Outcome::to_byte`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Outcomes(pub Vec<u8>);

/// What a ticket was given for, and with how many calls accepted before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Flight {
    pub what: Aim,
    pub part: u8,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Aim {
    Delivery { batch: u64, index: u16 },
    Answer(AnswerAt),
}

/// Where an answer stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AnswerAt {
    pub channel: Name,
    /// Names the person's queue.
    pub address: String,
    pub id: u64,
}

impl AnswerAt {
    /// The key in `answers`.
    pub fn key(&self) -> (&str, &str, u64) {
        (self.channel.as_str(), &self.address, self.id)
    }

    /// The key in `ready`.
    pub fn ready_key(&self) -> (&str, u64, &str) {
        (self.channel.as_str(), self.id, &self.address)
    }

    /// The keys in `answers` of all that the person is to get.
    pub fn queue(&self) -> RangeInclusive<(&str, &str, u64)> {
        let (channel, address, _) = self.key();
        (channel, address, 0)..=(channel, address, u64::MAX)
    }
}

/// How many calls of a delivery that waits again were accepted; at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part(pub u8);

/// One held delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct HeldRow {
    pub batch: u64,
    pub index: u16,
}

/// One answer that is not settled yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct AnswerRow {
    /// `None` for somebody without a record.
    pub number: Option<u32>,
    pub language: Option<String>,
    pub answer: Answer,
    pub part: u8,
    /// The held deliveries that this answer carries.
    pub releases: Vec<Release>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Release {
    pub post: u64,
    pub held: HeldRow,
}

/// The number of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Number(pub u32);

/// How many people a channel has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Crowd {
    /// The number of the next new subscriber.
    pub next: u32,
    pub active: u64,
    pub stopped: u64,
    pub blocked: u64,
    pub gone: u64,
}

impl Crowd {
    /// The count of those in `standing`.
    pub fn of(&mut self, standing: Standing) -> &mut u64 {
        match standing {
            Standing::Active => &mut self.active,
            Standing::Stopped => &mut self.stopped,
            Standing::Blocked => &mut self.blocked,
            Standing::Gone => &mut self.gone,
        }
    }
}

/// One bit a subscriber number, lowest bit first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Bits(pub Vec<u8>);

/// Where the reading of updates goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor(pub i64);

/// When an event id was seen last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seen(pub Timestamp);

macro_rules! versions {
    ($($record:ty = $version:literal;)*) => {
        $(impl Record for $record {
            const VERSION: u8 = $version;
        })*
    };
}

versions! {
    Format = 1;
    Counters = 1;
    SourceState = 1;
    Known = 1;
    Item = 1;
    Draft = 1;
    PostRow = 1;
    Tally = 1;
    People = 1;
    Outcomes = 1;
    Flight = 1;
    Part = 1;
    HeldRow = 1;
    AnswerRow = 1;
    Subscriber = 1;
    Number = 1;
    Crowd = 1;
    Bits = 1;
    Consent = 1;
    ChannelState = 1;
    Cursor = 1;
    Event = 1;
    Seen = 1;
}
