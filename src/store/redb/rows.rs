//! The records that only this backend keeps, and the versions of all.

use std::ops::RangeInclusive;

use serde::de::{Deserializer, Error, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use crate::model::archive::Archived;
use crate::model::audience::Whom;
use crate::model::campaign::OnUncertain;
use crate::model::channel::ChannelState;
use crate::model::chat::ChatSeen;
use crate::model::choice::Wait;
use crate::model::control::Priority;
use crate::model::correction::Corrections;
use crate::model::event::{Event, PutAside};
use crate::model::item::Item;
use crate::model::known::Known;
use crate::model::lane::{Beyond, Lane, Optin};
use crate::model::media::KeptMedium;
use crate::model::message::Card;
use crate::model::name::Name;
use crate::model::pacing::{Halt, Pacing};
use crate::model::post::{Answer, Body, Counts, Draft, Personal, Zoned};
use crate::model::product::ProductName;
use crate::model::proof::{Entry, Hash, Pseudonym};
use crate::model::recent::Recent;
use crate::model::rollout::Rollout;
use crate::model::shelf::ShelfState;
use crate::model::source::SourceState;
use crate::model::subscriber::{Standing, Subscriber};
use crate::model::time::Timestamp;
use crate::model::timing::Hours;
use crate::model::trace::Trace;
use crate::model::watch::Watch;
use crate::model::zone::Gathering;
use crate::store::codec::Record;
use crate::store::redb::chores::Chore;
use crate::store::redb::packed::{pack, unpack};
use crate::store::redb::sent::{put_varint, take_wide};
use crate::store::{Deletion, MarketState, ShownFacet};

/// The file's own format; a file of another one is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Format(pub u32);

/// What a service calls a bot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct BotName(pub String);

/// When somebody was told what they get.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ToldOf(pub Timestamp);

/// The last number given of each kind; 0 is never given, but for subscribers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counters {
    pub draft: u64,
    pub post: u64,
    pub batch: u64,
    pub answer: u64,
    pub ticket: u64,
    pub event: u64,
    /// Entries of the ledger of consents …
    pub consent: u64,
    /// … and the hash of the last one.
    pub consent_head: Hash,
}

/// The rows of a block of a catalog's shelf; see `Block`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ShelfRow(pub Vec<u8>);

/// The points of a price history; see `PriceHistory::encode`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PriceRow(pub Vec<u8>);

/// The messages that the recipients of a batch have; see `Sent::encode`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SentRow(pub Vec<u8>);

/// When the recipients of a batch were settled; see `Times::encode`. Packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TimesRow(pub Vec<u8>);

/// How many posts some people got on a day; see `Taken::encode`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TakenRow(pub Vec<u8>);

macro_rules! as_bytes {
    ($($row:ident)*) => {$(
        impl Serialize for $row {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_bytes(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $row {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_bytes(Bytes).map(Self)
            }
        }
    )*};
}

as_bytes! { ShelfRow PriceRow SentRow TakenRow }

macro_rules! as_packed_bytes {
    ($($row:ident)*) => {$(
        impl Serialize for $row {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_bytes(&pack(&self.0))
            }
        }

        impl<'de> Deserialize<'de> for $row {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_bytes(PackedBytes).map(Self)
            }
        }
    )*};
}

as_packed_bytes! { Outcomes TimesRow }

/// Reads one string of bytes.
struct Bytes;

impl Visitor<'_> for Bytes {
    type Value = Vec<u8>;

    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }
}

/// Reads one string of packed bytes.
struct PackedBytes;

impl Visitor<'_> for PackedBytes {
    type Value = Vec<u8>;

    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("packed bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        unpack(bytes).ok_or_else(|| E::custom("packed bytes that make no sense"))
    }
}

/// By which source a campaign was told a story last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoryRow {
    pub source: Name,
    pub at: Timestamp,
}

/// A post that a file plans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileRow {
    /// Of the file's text, when it was taken up last.
    pub digest: u64,
    /// Its draft, which is gone once the post was made or cancelled.
    pub draft: u64,
}

/// What of a post never changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct PostRow {
    pub campaign: Option<Name>,
    pub title: String,
    pub created_at: Timestamp,
    pub topics: Vec<Name>,
    pub bodies: Vec<Body>,
    pub personal: Option<Personal>,
    pub cards: Vec<Card>,
    pub zoned: Option<Box<Zoned>>,
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
    pub paused: Option<String>,
    pub priority: Priority,
    pub rollout: Option<Box<Rollout>>,
    /// Nobody is claimed outside of these …
    pub hours: Vec<Hours>,
    /// … nor before this instant, at which the hour comes on its readers' clocks.
    pub opens_from: Option<Timestamp>,
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
    #[serde(with = "packed_steps")]
    pub steps: Vec<u32>,
}

/// Steps as varints, packed.
mod packed_steps {
    use super::*;

    pub fn serialize<S: Serializer>(steps: &[u32], serializer: S) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::with_capacity(steps.len() + 4);
        steps.iter().for_each(|step| put_varint(&mut bytes, u64::from(*step)));
        serializer.serialize_bytes(&pack(&bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u32>, D::Error> {
        let bytes = deserializer.deserialize_bytes(PackedBytes)?;
        let (mut rest, mut steps) = (&bytes[..], Vec::with_capacity(bytes.len()));
        while !rest.is_empty() {
            let step = take_wide(&mut rest).and_then(|step| u32::try_from(step).ok());
            steps.push(step.ok_or_else(|| D::Error::custom("a step that makes no sense"))?);
        }
        Ok(steps)
    }
}

/// One byte a recipient of a batch, in the order of [`People`]; see `Outcome::to_byte`. Packed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Outcomes(pub Vec<u8>);

/// What a ticket was given for, and with how many calls accepted before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Flight {
    pub what: Aim,
    pub part: u8,
    pub lane: Lane,
    /// What it says comes back as an echo.
    pub has_echo: bool,
    pub paid: Option<Paid>,
    /// The day for which it counts as a post of campaigns, where there is a cap.
    pub taken: Option<u32>,
}

/// What was paid for a message, in which period; in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Paid {
    pub period: i64,
    pub cost: u64,
}

/// An echo of what is still in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct EchoRow {
    pub part: u8,
    pub of: u8,
}

/// Recipients of whom an echo may yet tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Doubt {
    pub channel: Name,
    pub address: String,
    /// One, or those of a carousel.
    pub targets: Vec<HeldRow>,
    pub is_carousel: bool,
    pub lane: Lane,
    /// Calls that were accepted before.
    pub part: u8,
    /// Under which it stands in the index; 0 for one that is still to be dated.
    pub due_at: Timestamp,
    /// It was waited for long enough: nothing but an echo changes it any more.
    pub has_waited: bool,
}

/// The lane of a recipient that did not go the usual way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LaneRow(pub Lane);

/// Up to when a person's messages are on their phone, and seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Marks {
    pub delivered: Timestamp,
    pub read: Timestamp,
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
    /// Since when; of what comes by itself, when it does.
    pub at: Timestamp,
    pub wait: Wait,
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
    /// How many numbers were given to chats that the settings name.
    pub chats: u32,
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

/// Words that people were answered with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wording(pub String);

/// What addresses of the erased are digested with: random, and this store's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pepper(pub [u8; 32]);

/// When somebody was erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Erased(pub Timestamp);

/// One bit a subscriber number, lowest bit first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Bits(pub Vec<u8>);

/// Where the reading of updates goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor(pub i64);

/// How often an event was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tries(pub u32);

/// When an event id was seen last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seen(pub Timestamp);

/// The number of the watch that was made last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LastWatch(pub u64);

/// A watch that an answer tells of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ToldWatch {
    pub channel: Name,
    pub person: u32,
    /// Theirs when it was told.
    pub standing: Standing,
    pub watch: Watch,
}

/// Who waits for something of a product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct WatchedRow {
    pub channel: Name,
    pub person: u32,
    /// The product's canonical link, hashed; 0 without one.
    pub link: u64,
}

/// Stars that were spent, in tenths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stars(pub u64);

impl Tally {
    /// Somebody may be claimed on the channel.
    pub fn goes_on(&self, channel: &Name) -> bool {
        let may = self.rollout.as_ref().is_none_or(|rollout| rollout.left(channel) > 0);
        self.paused.is_none() && self.stopped.is_none() && may
    }
}

macro_rules! versions {
    ($($record:ty = $version:literal $(, $is_bulk:ident)?;)*) => {
        $(impl Record for $record {
            const VERSION: u8 = $version;
            $(const $is_bulk: bool = true;)?
        })*
    };
}

versions! {
    Format = 1;
    Counters = 2;
    SourceState = 2;
    Known = 1;
    ShelfState = 1;
    ShelfRow = 1, IS_BULK;
    PriceRow = 1, IS_BULK;
    ProductName = 1;
    StoryRow = 1;
    Item = 4;
    Draft = 4;
    FileRow = 1;
    Whom = 1;
    Gathering = 1;
    PostRow = 4;
    Tally = 4;
    TimesRow = 2, IS_BULK;
    Trace = 2, IS_BULK;
    Chore = 1;
    People = 2;
    Outcomes = 2;
    Corrections = 1;
    SentRow = 1, IS_BULK;
    Flight = 3;
    Part = 1;
    HeldRow = 3;
    AnswerRow = 3;
    EchoRow = 1, IS_BULK;
    Doubt = 2;
    LaneRow = 1, IS_BULK;
    Marks = 1, IS_BULK;
    Beyond = 1;
    Optin = 1;
    MarketState = 1;
    Subscriber = 4;
    Number = 1;
    Crowd = 2;
    Bits = 1;
    Entry = 1, IS_BULK;
    Pseudonym = 1, IS_BULK;
    Wording = 1;
    Pepper = 1;
    Erased = 1;
    Deletion = 1;
    ChannelState = 1;
    Pacing = 1;
    Halt = 1;
    BotName = 1;
    ShownFacet = 1;
    ToldOf = 1, IS_BULK;
    Stars = 1;
    TakenRow = 1, IS_BULK;
    Cursor = 1;
    KeptMedium = 1;
    Event = 3;
    Tries = 1;
    PutAside = 1;
    Recent = 1;
    ChatSeen = 1;
    Seen = 1;
    Archived = 1;
    Watch = 1;
    WatchedRow = 1;
    ToldWatch = 1;
    LastWatch = 1;
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;
    use crate::model::audience::{FixedChat, LateJoiners};
    use crate::model::campaign::ChangeKind;
    use crate::model::channel::ChannelKind;
    use crate::model::chat::ChatKind;
    use crate::model::choice::{About, Choices, Minute, Pace, Question, Quiet, Weekday};
    use crate::model::event::{Deed, Tap};
    use crate::model::item::{ItemId, Media, MediaKind};
    use crate::model::known::KnownItem;
    use crate::model::lane::Template;
    use crate::model::media::{Form, MediaKey};
    use crate::model::message::{Action, Button, Medium, Message, Module};
    use crate::model::offer::{Amount, Availability, Offer, Sale, Terms, Variant};
    use crate::model::one_off::{OneOff, Says};
    use crate::model::origin::Origin;
    use crate::model::pacing::{ChatPace, Learned};
    use crate::model::post::{
        Content, DraftId, Flood, Hold, PostId, PriceMove, Reason, Story, Told,
    };
    use crate::model::recent::Lately;
    use crate::model::rich::{Block, Inline, RichText};
    use crate::model::rollout::{Quota, Stages};
    use crate::model::shelf::ShelfState;
    use crate::model::source::{CatalogState, Hub};
    use crate::model::trace::{Happened, Step};
    use crate::model::watch::Wanted;
    use crate::model::zone::{Wall, Zone};
    use crate::store::MarketCampaign;
    use crate::store::codec::{Place, open, seal};
    use crate::store::redb::chores::Task;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn price(units: i64) -> Amount {
        Amount::new(units, 2, "EUR".parse().ok()).unwrap()
    }

    fn offer() -> Offer {
        let sale = Sale { price: price(1_500), from: Some(at(1)), until: None };
        let terms = Terms {
            sku: Some("s".into()),
            gtin: None,
            availability: Availability::Backorder,
            quantity: Some(300),
            list: Some(price(2_000)),
            sale: Some(sale),
        };
        let variant =
            Variant { id: "v".into(), title: "t".into(), link: None, terms: terms.clone() };
        Offer { brand: Some("b".into()), terms, variants: vec![variant], shelf: Some(300) }
    }

    fn text() -> RichText {
        let link = Inline::Link { href: "https://e.org".into(), content: vec![Inline::Break] };
        RichText { blocks: vec![Block::Paragraph(vec![Inline::Text("a".into()), link])] }
    }

    fn message() -> Message {
        let open = Button::new("b", Action::Open { url: "u".into() });
        let tap = Button::new("c", Action::Postback { payload: "p".into() });
        Message::from(vec![
            Module::Text { text: text(), buttons: vec![open, tap] },
            Module::Media(Medium::image("i", "x")),
            Module::Cards(vec![card()]),
        ])
    }

    fn card() -> Card {
        Card {
            title: "t".into(),
            subtitle: "s".into(),
            image: None,
            link: Some("l".into()),
            buttons: vec![],
        }
    }

    fn whom() -> Whom {
        Whom {
            topics: vec![name("news")],
            channels: vec![name("bot")],
            rule: Some("r".into()),
            chats: vec![FixedChat { channel: name("bot"), address: "-1".into() }],
            late_joiners: LateJoiners::Include,
        }
    }

    /// The record's bytes are these, and these bytes are the record.
    fn golden<T: Record + PartialEq + Debug>(record: &T, expected: &str) {
        let place = Place { table: "golden", key: b"key", shown: &"key" };
        let sealed = seal(&place, record).unwrap();
        let hex: String = sealed.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, expected, "{record:?}: raise its version and keep reading this one");
        assert_eq!(open::<T>(&place, &sealed).unwrap(), *record);
    }

    #[test]
    fn the_format_is_read_as_it_was_written() {
        golden(&Format(1), "01cc71069e01");
    }

    #[test]
    fn what_a_channel_shows_is_read_as_it_was_written() {
        golden(
            &ShownFacet { hash: [7; 16], is_left: true },
            "01225adee40707070707070707070707070707070701",
        );
        golden(&ToldOf(at(1)), "0123cacef802");
    }

    #[test]
    fn a_bots_name_is_read_as_it_was_written() {
        golden(&BotName("b".into()), "016500d1220162");
    }

    #[test]
    fn counters_are_read_as_they_were_written() {
        golden(
            &Counters {
                draft: 1,
                post: 2,
                batch: 3,
                answer: 4,
                ticket: 300,
                event: 6,
                consent: 7,
                consent_head: [9; 32],
            },
            "028f04508501020304ac020607090909090909090909090909090909090909090909090909090909\
             0909090909",
        );
    }

    #[test]
    fn a_source_state_is_read_as_it_was_written() {
        golden(
            &SourceState {
                due_at: at(1),
                polled_at: Some(at(2)),
                succeeded_at: Some(at(3)),
                changed_at: None,
                etag: Some("e".into()),
                last_modified: Some("m".into()),
                document_hash: 5,
                moved_to: Some("to".into()),
                moved_from: Some("from".into()),
                failures: 6,
                failure: Some("why".into()),
                remark: Some("note".into()),
                items: 7,
                catalog: Some(Box::new(CatalogState {
                    pages: 1,
                    is_read_again: true,
                    turns_at: Some(at(9)),
                    has_names: true,
                    currency: "EUR".parse().ok(),
                })),
                hub: Some(Box::new(Hub { url: "h".into(), topic: "t".into() })),
                rules: 10,
            },
            "02ee493d0a02010401060001016501016d050102746f010466726f6d06010377687901\
             046e6f7465070101011201014555520101016801740a",
        );
    }

    #[test]
    fn a_shelf_state_is_read_as_it_was_written() {
        golden(
            &ShelfState {
                begun_at: at(1),
                rows: 300,
                usual_rows: 200,
                short_since: Some(at(2)),
                id_churns: 3,
                partial_polls: Some(4),
            },
            "01b667166b02ac02c8010104030104",
        );
    }

    #[test]
    fn a_block_of_a_shelf_is_read_as_it_was_written() {
        golden(&ShelfRow(vec![1, 2, 255]), "01cc14aa6a030102ff");
    }

    fn watch() -> Watch {
        Watch {
            id: 300,
            source: name("shop"),
            product: 7,
            variant: Some(8),
            link: 9,
            wanted: Wanted::Price { at_most: price(1_999) },
            title: "t".into(),
            price: Some(price(2_000)),
            made_at: at(1),
            expires_at: at(2),
        }
    }

    #[test]
    fn a_watch_is_read_as_it_was_written() {
        golden(
            &watch(),
            "01878811b2ac020473686f7007010809019e1f0201455552017401a01f02014555520204",
        );
    }

    #[test]
    fn who_watches_is_read_as_it_was_written() {
        golden(
            &WatchedRow { channel: name("bot"), person: 300, link: 9 },
            "01f4ea1fb803626f74ac0209",
        );
    }

    #[test]
    fn a_watch_that_is_told_is_read_as_it_was_written() {
        golden(
            &ToldWatch {
                channel: name("bot"),
                person: 300,
                standing: Standing::Stopped,
                watch: watch(),
            },
            "015800428e03626f74ac0201ac020473686f7007010809019e1f0201455552017401a01f02014555520204",
        );
    }

    #[test]
    fn the_last_watch_is_read_as_it_was_written() {
        golden(&LastWatch(300), "012e67576eac02");
    }

    #[test]
    fn a_price_history_is_read_as_it_was_written() {
        golden(&PriceRow(vec![1, 2, 255]), "01cc14aa6a030102ff");
    }

    #[test]
    fn the_name_of_a_product_is_read_as_it_was_written() {
        let link = Some("l".into());
        golden(&ProductName { title: "t".into(), link, image: None }, "01ac6f5799017401016c00");
    }

    #[test]
    fn a_story_is_read_as_it_was_written() {
        golden(&StoryRow { source: name("s"), at: at(1) }, "01b17c3765017302");
    }

    #[test]
    fn known_items_are_read_as_they_were_written() {
        golden(
            &Known {
                entries: vec![KnownItem {
                    id: u64::MAX,
                    id_alias: 5,
                    link: 1,
                    title_date: 2,
                    title: 3,
                    fingerprint: 4,
                    former: 6,
                    last_seen: Timestamp::from_millis(7_000),
                }],
                id_churns: 3,
            },
            "01323293013403000000ffffffffffffffff05000000000000000100000000000000020000000000000003\
             000000040000000600000007000000",
        );
    }

    #[test]
    fn an_item_is_read_as_it_was_written() {
        golden(
            &Item {
                id: ItemId([9; 16]),
                source: name("blog"),
                guid: "g".into(),
                title: "t".into(),
                link: Some("l".into()),
                summary: text(),
                body: RichText::default(),
                published: Some(at(1)),
                updated: None,
                first_seen: at(2),
                authors: vec!["a".into()],
                tags: vec!["b".into()],
                language: Some("en".into()),
                image: Some("i".into()),
                media: vec![Media {
                    kind: MediaKind::Video,
                    url: "u".into(),
                    bytes: Some(300),
                    mime: None,
                    alt: Some("x".into()),
                    title: Some("y".into()),
                    seconds: Some(300),
                }],
                offer: Some(offer()),
            },
            "049ef6c1be0909090909090909090909090909090904626c6f670167017401016c010002000161\
             080d68747470733a2f2f652e6f7267010100010200040101610101620102656e01016901020175\
             01ac020001017801017901ac0201010162010173000301ac0201a01f020145555201b817020145\
             5552010200010176017400010173000301ac0201a01f020145555201b817020145555201020001\
             ac02",
        );
    }

    #[test]
    fn a_draft_is_read_as_it_was_written() {
        golden(
            &Draft {
                id: DraftId(1),
                created_at: at(2),
                due_at: at(3),
                content: Content::Items {
                    campaign: name("c"),
                    items: vec![Told {
                        item: ItemId([7; 16]),
                        kind: ChangeKind::PriceDrop,
                        price: Some(PriceMove {
                            from: price(2_000),
                            to: price(1_500),
                            lowest_30d: Some(price(1_600)),
                        }),
                    }],
                    stories: vec![Story { item: ItemId([7; 16]), link: u64::MAX, title: 5 }],
                },
                held: Some(Hold::Flood(Flood {
                    source: name("s"),
                    kind: ChangeKind::PriceDrop,
                    items: 40,
                    reason: "r".into(),
                })),
            },
            "0442202a9801040600016301070707070707070707070707070707070201a01f02014555\
             52b817020145555201801902014555520107070707070707070707070707070707ffffff\
             ffffffffffff01050100017302280172",
        );
    }

    #[test]
    fn a_draft_to_be_looked_at_is_read_as_it_was_written() {
        golden(
            &Draft {
                id: DraftId(1),
                created_at: at(2),
                due_at: at(3),
                content: Content::Items { campaign: name("c"), items: vec![], stories: vec![] },
                held: Some(Hold::Review),
            },
            "04ec3bbacc01040600016300000101",
        );
    }

    #[test]
    fn a_one_off_is_read_as_it_was_written() {
        golden(
            &Draft {
                id: DraftId(1),
                created_at: at(2),
                due_at: at(3),
                content: Content::OneOff(Box::new(OneOff {
                    title: "t".into(),
                    says: Says::Message(message()),
                    whom: whom(),
                    priority: Priority::HIGH,
                    stages: None,
                    file: Some(name("f")),
                })),
                held: None,
            },
            "046fda19d6010406010174000300010002000161080d68747470733a2f2f652e6f7267010102016200\
             017500016301017000010001690178000000000301017401730001016c00000000000001046e6577730103\
             626f740101720103626f74022d31014b0001016600",
        );
    }

    #[test]
    fn a_one_off_of_items_is_read_as_it_was_written() {
        let says = Says::Items { layout: name("l"), items: vec![] };
        let one = OneOff {
            title: "t".into(),
            says,
            whom: Whom::default(),
            priority: Priority::default(),
            stages: None,
            file: None,
        };
        let content = Content::OneOff(Box::new(one));
        let (created_at, due_at) = (at(2), at(3));
        let draft = Draft { id: DraftId(1), created_at, due_at, content, held: None };
        golden(&draft, "04634db10d01040601017401016c00000000000032000000");
    }

    #[test]
    fn the_post_of_a_file_is_read_as_it_was_written() {
        golden(&FileRow { digest: u64::MAX, draft: 300 }, "010c523195ffffffffffffffffff01ac02");
    }

    #[test]
    fn whom_a_post_is_for_is_read_as_it_was_written() {
        golden(&whom(), "014509120301046e6577730103626f740101720103626f74022d3101");
    }

    #[test]
    fn a_post_is_read_as_it_was_written() {
        golden(
            &PostRow {
                campaign: Some(name("c")),
                title: "t".into(),
                created_at: at(1),
                topics: vec![name("n")],
                bodies: vec![Body {
                    kind: ChannelKind::Messenger,
                    language: Some("ro".into()),
                    message: message().into(),
                }],
                personal: Some(Personal {
                    layout: name("l"),
                    files: vec![("l.html".into(), "x".into())],
                    items: vec![],
                    told: vec![],
                    now: at(1),
                    zone: Zone::utc(),
                }),
                cards: vec![card()],
                zoned: Some(Box::new(Zoned {
                    wall: Some(wall()),
                    opens_at: at(1),
                    late_at: at(2),
                    zones: vec![(Zone::exactly("UTC").unwrap(), 300)],
                    has_rest: true,
                    first: PostId(300),
                    posts: 2,
                })),
                spans: vec![Span { channel: name("bot"), first: 1, batches: 2 }],
            },
            "0412106d0f01016301740201016e01010102726f0300010002000161080d68747470733a2f2f652e\
             6f7267010102016200017500016301017000010001690178000000000301017401730001016c0000\
             0000000001016c01066c2e68746d6c01780000020355544301017401730001016c000101d8040204\
             0103555443ac0201ac02020103626f740102",
        );
    }

    #[test]
    fn a_tally_is_read_as_it_was_written() {
        golden(
            &Tally {
                counts: Counts {
                    planned: 28,
                    waiting: 1,
                    in_flight: 2,
                    sent: 3,
                    failed: 4,
                    skipped: 5,
                    held: 6,
                    uncertain: 7,
                },
                errors: vec!["e".into()],
                stopped: Some("s".into()),
                paused: Some("p".into()),
                priority: Priority::HIGH,
                rollout: Some(Box::new(Rollout {
                    stages: Stages {
                        shares: vec![100, 10_000],
                        wait: std::time::Duration::from_secs(60),
                        failed_max: 1_000,
                        left_max: 200,
                    },
                    at: 1,
                    quotas: vec![Quota { channel: name("bot"), planned: 300, left: 5 }],
                    due_at: Some(at(3)),
                })),
                hours: Hours::window("8:00-21:00", "UTC").unwrap().into_iter().collect(),
                opens_from: Some(at(4)),
                on_uncertain: OnUncertain::Resend,
                touched_at: at(1),
                finished_at: Some(at(2)),
            },
            "04b0bbdfe51c010203040506070101650101730101704b010264904e3c00e807c801010103626f74ac\
             02050106010a383a30302d32313a30300355544300010801020104",
        );
    }

    #[test]
    fn a_chore_is_read_as_it_was_written() {
        let retry = Task::Retry { reasons: vec![Reason::Refused], uncertain: true };
        golden(&Chore { task: retry, next: 300, done: 5 }, "0142c2d34b01010901ac0205");
        golden(&Chore { task: Task::Skip, next: 300, done: 5 }, "01d642071f00ac0205");
    }

    #[test]
    fn times_are_read_as_they_were_written() {
        golden(&TimesRow(vec![1, 2, 255]), "02589c2b4204060102ff");
        golden(&TakenRow(vec![1, 2, 255]), "01cc14aa6a030102ff");
    }

    #[test]
    fn a_trace_is_read_as_it_was_written() {
        let (campaign, draft, post) = (name("c"), DraftId(3), PostId(300));
        let kind = ChangeKind::PriceDrop;
        let steps = [
            Happened::Drafted { campaign: campaign.clone(), kind, draft, due_at: at(4) },
            Happened::Held { campaign: campaign.clone(), kind, draft, why: "w".into() },
            Happened::Released { campaign: campaign.clone(), draft },
            Happened::TakenAsKnown { campaign: campaign.clone(), draft },
            Happened::Merged { campaign: campaign.clone() },
            Happened::Filtered { campaign, rule: "r".into() },
            Happened::Dropped { draft, why: "w".into() },
            Happened::Posted { post },
            Happened::Corrected { post },
            Happened::TakenBack { post },
            Happened::Moved { draft, due_at: at(4), why: "w".into() },
        ];
        golden(
            &Trace {
                item: ItemId([7; 16]),
                source: name("s"),
                title: "t".into(),
                link: Some("l".into()),
                first_seen: at(1),
                steps: steps.into_iter().map(|what| Step { at: at(2), what, again: 5 }).collect(),
            },
            "02e58d878f070707070707070707070707070707070173017401016c020b0400016302030805040101\
             6302030177050402016303050403016303050404016305040501630172050406030177050407ac0205\
             0408ac02050409ac0205040a0308017705",
        );
    }

    #[test]
    fn people_are_read_as_they_were_written() {
        golden(
            &People { post: 1, channel: name("bot"), steps: vec![5, 1, 300] },
            "02b41eee9f0103626f7405080501ac02",
        );
    }

    #[test]
    fn outcomes_are_read_as_they_were_written() {
        golden(&Outcomes(vec![0, 1, 2, 3, 4, 16, 73]), "02bdbe332a080e00010203041049");
    }

    #[test]
    fn a_delivery_in_flight_is_read_as_it_was_written() {
        golden(
            &Flight {
                what: Aim::Delivery { batch: 1, index: 1023 },
                part: 2,
                lane: Lane::Marketing,
                has_echo: true,
                paid: Some(Paid { period: 3, cost: 300 }),
                taken: Some(300),
            },
            "0373ae9ef50001ff070203010106ac0201ac02",
        );
    }

    #[test]
    fn an_answer_in_flight_is_read_as_it_was_written() {
        golden(
            &Flight {
                what: Aim::Answer(AnswerAt { channel: name("bot"), address: "1".into(), id: 3 }),
                part: 0,
                lane: Lane::Window,
                has_echo: false,
                paid: None,
                taken: None,
            },
            "03df66e8b00103626f740131030000000000",
        );
    }

    #[test]
    fn a_part_is_read_as_it_was_written() {
        golden(&Part(3), "01db31b89a03");
    }

    #[test]
    fn a_held_delivery_is_read_as_it_was_written() {
        golden(
            &HeldRow { batch: 1, index: 2, at: at(1), wait: Wait::Weekly },
            "03e6dd890e01020203",
        );
    }

    #[test]
    fn an_answer_is_read_as_it_was_written() {
        golden(
            &AnswerRow {
                number: Some(1),
                language: None,
                answer: Answer {
                    message: message(),
                    tap: Some(Tap { id: "t".into(), message: Some(9), toast: None }),
                    ask: Some("o".into()),
                },
                part: 2,
                releases: vec![Release {
                    post: 3,
                    held: HeldRow { batch: 4, index: 5, at: at(1), wait: Wait::Contact },
                }],
            },
            "034345de270101000300010002000161080d68747470733a2f2f652e6f726701010201620001750001630\
             1017000010001690178000000000301017401730001016c00000000000001017401120001016f02010304\
             050200",
        );
    }

    #[test]
    fn what_echoes_tell_is_read_as_it_was_written() {
        golden(&EchoRow { part: 1, of: 3 }, "01d3635d140103");
        golden(
            &Doubt {
                channel: name("page"),
                address: "7".into(),
                targets: vec![HeldRow { batch: 1, index: 2, at: at(3), wait: Wait::Cap }],
                is_carousel: true,
                lane: Lane::Held,
                part: 1,
                due_at: at(4),
                has_waited: true,
            },
            "0278ad6a0c0470616765013701010206010101010801",
        );
        golden(&LaneRow(Lane::Utility), "0123cacef802");
        golden(&Marks { delivered: at(1), read: at(2) }, "01662a9b740204");
    }

    #[test]
    fn what_goes_beyond_the_window_is_read_as_it_was_written() {
        let template = Template {
            name: "n".into(),
            language: "en".into(),
            body: vec![("k".into(), "v".into())],
            buttons: vec!["b".into()],
        };
        golden(
            &Beyond { utility: Some(template), is_marketing: true },
            "018db0a92801016e02656e01016b017601016201",
        );
        golden(
            &Optin {
                token: Some("t".into()),
                expires_at: Some(at(1)),
                next_at: Some(at(2)),
                asked_at: Some(at(3)),
                told_at: Some(at(4)),
            },
            "01ff5a52040101740102010401060108",
        );
        golden(
            &MarketState {
                campaign: Some(MarketCampaign { id: "1".into(), made_at: at(1) }),
                templates: vec![("n".into(), "en".into())],
                period: 2,
                spent: 300,
                paid: 4,
            },
            "01f45048e80101310201016e02656e04ac0204",
        );
    }

    #[test]
    fn a_subscriber_is_read_as_it_was_written() {
        golden(
            &Subscriber {
                number: 1,
                address: "a".into(),
                language: Some("en".into()),
                first_name: Some("Ana".into()),
                timezone: Some(Zone::exactly("UTC").unwrap()),
                name_asked_at: Some(at(5)),
                came_by: Some(Origin::Page(name("harbour"))),
                topics: vec![name("news")],
                standing: Standing::Gone,
                window_until: Some(at(1)),
                joined_at: at(2),
                changed_at: at(3),
                default_reply_at: Some(at(4)),
                choices: Some(Box::new(Choices {
                    has_language: true,
                    all: Pace::Daily,
                    paces: vec![(name("news"), Pace::Weekly)],
                    hour: Minute::read("18:30"),
                    day: Weekday::read("fri"),
                    quiet: Quiet::read("22-7"),
                    clock: Zone::exactly("UTC"),
                    profile: vec![(name("city"), "Iași".into())],
                    asked: Some(Question { about: About::Field(name("age")), at: at(4) }),
                })),
            },
            "04f3e80e0e0101610102656e0103416e610103555443010a010b7765623a686172626f757201046e65777\
             30301020406010801010101046e6577730201d608010401a80aa4030103555443010463697479054961c8\
             996901000361676508",
        );
    }

    fn wall() -> Wall {
        Wall::of(jiff::civil::date(1970, 1, 1).at(0, 5, 0, 0))
    }

    #[test]
    fn the_hours_of_a_campaign_are_read_as_they_were_written() {
        golden(&Gathering { decided: Some(wall()), next: None }, "014e98e8c901d80400");
    }

    #[test]
    fn an_archived_post_is_read_as_it_was_written() {
        let link = Some("c".to_owned());
        let entries =
            vec![crate::model::archive::Entry { title: "a".into(), text: "b".into(), link }];
        golden(
            &Archived { post: PostId(1), posts: 2, at: at(2), corrected_at: Some(at(3)), entries },
            "012f17369101020401060101610162010163",
        );
    }

    #[test]
    fn a_number_is_read_as_it_was_written() {
        golden(&Number(300), "012e67576eac02");
    }

    #[test]
    fn a_crowd_is_read_as_it_was_written() {
        golden(
            &Crowd { next: 10, active: 1, stopped: 2, blocked: 3, gone: 4, chats: 5 },
            "029e17245f0a0102030405",
        );
    }

    #[test]
    fn bits_are_read_as_they_were_written() {
        golden(&Bits(vec![255, 1]), "01b523411702ff01");
    }

    #[test]
    fn an_entry_of_the_ledger_is_read_as_it_was_written() {
        golden(
            &Entry {
                at: at(1),
                channel: name("bot"),
                who: [1; 32],
                given: true,
                way: "start".into(),
                wording: Some([2; 32]),
                before: [3; 32],
            },
            "017c2327950203626f74010101010101010101010101010101010101010101010101010101010101\
             01010105737461727401020202020202020202020202020202020202020202020202020202020202\
             02020303030303030303030303030303030303030303030303030303030303030303",
        );
    }

    #[test]
    fn a_pseudonym_is_read_as_it_was_written() {
        golden(
            &Pseudonym { salt: [7; 16], address: "a".into() },
            "014bf1a4a5070707070707070707070707070707070161",
        );
    }

    #[test]
    fn words_are_read_as_they_were_written() {
        golden(&Wording("w".into()), "01f9353fe70177");
    }

    #[test]
    fn a_pepper_is_read_as_it_was_written() {
        golden(
            &Pepper([7; 32]),
            "01b368f4df0707070707070707070707070707070707070707070707070707070707070707",
        );
    }

    #[test]
    fn who_was_erased_is_read_as_it_was_written() {
        golden(&Erased(at(1)), "01f773dc0d02");
    }

    #[test]
    fn a_deletion_is_read_as_it_was_written() {
        golden(&Deletion { at: at(1), was_known: true }, "01df3f46140201");
    }

    #[test]
    fn a_channel_state_is_read_as_it_was_written() {
        golden(
            &ChannelState { quiet_until: Some(at(1)), paused: Some("p".into()) },
            "0180b136ad0102010170",
        );
    }

    #[test]
    fn a_pacing_is_read_as_it_was_written() {
        let learned = Learned { rate: 12.5, refused_rate: 25.0, refused_at: at(3) };
        golden(
            &Pacing {
                at: at(1),
                is_whole: true,
                learned: Some(learned),
                chats: vec![ChatPace {
                    chat: "-1".into(),
                    sent: vec![at(4)],
                    quiet_until: Some(at(5)),
                }],
            },
            "01568d7fab020101000000000000294000000000000039400601022d310108010a",
        );
        golden(&Halt { why: "w".into(), at: at(1), is_by_hand: true }, "0147db6d3101770201");
        golden(&Stars(300), "012e67576eac02");
    }

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        golden(&Cursor(-3), "010c9ed7ab05");
    }

    #[test]
    fn an_event_is_read_as_it_was_written() {
        golden(
            &Event {
                channel: name("bot"),
                id: "1".into(),
                at: at(1),
                address: "a".into(),
                language: None,
                first_name: Some("Ana".into()),
                deed: Deed::Tapped {
                    payload: "p".into(),
                    tap: Some(Tap { id: "t".into(), message: Some(9), toast: None }),
                },
            },
            "03591a417b03626f740131020161000103416e61030170010174011200",
        );
    }

    #[test]
    fn what_is_kept_of_events_that_fail_or_came_lately_is_read_as_it_was_written() {
        let event = Event {
            channel: name("bot"),
            id: "1".into(),
            at: at(1),
            address: "a".into(),
            language: None,
            first_name: None,
            deed: Deed::SentMedia,
        };
        let lately = Lately::of(&event);
        golden(&Tries(3), "01db31b89a03");
        golden(
            &PutAside { event, at: at(2), tries: 3, why: "w".into() },
            "01007eb00b03626f74013102016100000204030177",
        );
        let chat = ChatSeen {
            kind: ChatKind::Channel,
            title: Some("t".into()),
            may_post: true,
            at: at(1),
        };
        golden(&chat, "01e5a55e2b010101740102");
        golden(
            &Recent { base: None, events: vec![lately], after: None },
            "01dea735260001013102016100000200",
        );
    }

    #[test]
    fn corrections_are_read_as_they_were_written() {
        let item = ItemId([7; 16]);
        golden(
            &Corrections {
                revision: 3,
                media_revision: 1,
                retracted: vec![item],
                is_deleted: true,
                corrected_at: Some(at(4)),
                wanted: 300,
                edited: 5,
                given_up: 6,
                stopped: Some("s".into()),
                ..Corrections::new(vec![Told { item, kind: ChangeKind::New, price: None }], at(2))
            },
            "010ca39c790107070707070707070707070707070707000004030101070707070707070707070707\
             07070707010108ac020506010173",
        );
        golden(&SentRow(vec![1, 2]), "011675e55a020102");
    }

    #[test]
    fn a_seen_event_is_read_as_it_was_written() {
        golden(&Seen(at(1)), "01f773dc0d02");
    }

    #[test]
    fn a_kept_medium_is_read_as_it_was_written() {
        golden(
            &KeptMedium {
                id: "AgAC".into(),
                form: Form::Sound,
                content: Some(MediaKey([7; 16])),
                kept_at: at(1),
                used_at: at(2),
            },
            "01b12d61c604416741430301070707070707070707070707070707070204",
        );
    }
}
