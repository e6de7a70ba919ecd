//! Records made for the store's tests: small, valid, told apart by a number.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::time::Duration;

use tidings::model::campaign::{ChangeKind, OnUncertain};
use tidings::model::channel::ChannelKind;
use tidings::model::event::{Deed, Event};
use tidings::model::item::{Item, ItemId};
use tidings::model::message::{Card, Message};
use tidings::model::name::Name;
use tidings::model::post::{
    Answer, Body, Claim, Content, Counts, Draft, DraftId, Flood, Hold, Outcome, Post, PostId,
    Receipt, Settled, Ticket, Told,
};
use tidings::model::rich::RichText;
use tidings::model::subscriber::{Standing, Subscriber};
use tidings::model::time::Timestamp;
use tidings::store::{Advance, PollCommit, PostCommit, Store};

/// The instant of most tests, in milliseconds.
pub const NOW: i64 = 1_900_000_000_000;

pub const DAY: Duration = Duration::from_secs(86_400);

pub fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub fn now() -> Timestamp {
    Timestamp::from_millis(NOW)
}

pub fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

pub fn item(number: u8) -> Item {
    Item {
        id: ItemId([number; 16]),
        source: name("blog"),
        guid: format!("guid-{number}"),
        title: format!("Title {number}"),
        link: Some(format!("https://example.com/{number}")),
        summary: RichText::from_plain("short"),
        body: RichText::from_plain("long\nand longer"),
        published: Some(now()),
        updated: None,
        first_seen: now(),
        authors: vec!["Ada".into()],
        tags: vec![],
        language: Some("en".into()),
        image: None,
        media: vec![],
        offer: None,
    }
}

pub fn told(number: u8) -> Told {
    Told { item: ItemId([number; 16]), kind: ChangeKind::New, price: None }
}

pub fn draft(due_at: Timestamp, items: &[u8]) -> Draft {
    let items = items.iter().map(|number| told(*number)).collect();
    Draft {
        id: DraftId(0),
        created_at: now(),
        due_at,
        content: Content::Items { campaign: name("news"), items, stories: vec![] },
        held: None,
    }
}

pub fn held_draft(source: &str, items: &[u8]) -> Draft {
    let flood = Flood {
        source: name(source),
        kind: ChangeKind::New,
        items: 40,
        reason: "40 of 40 are new".into(),
    };
    Draft { held: Some(Hold::Flood(flood)), ..draft(now(), items) }
}

pub fn poll(source: &str) -> PollCommit {
    PollCommit {
        source: name(source),
        state: tidings::model::source::SourceState { due_at: now(), ..Default::default() },
        known: None,
        items: vec![],
        drafts: vec![],
        shelf: None,
        names: vec![],
        corrections: vec![],
    }
}

pub fn post(title: &str) -> Post {
    Post {
        id: PostId(0),
        campaign: Some(name("news")),
        title: title.into(),
        created_at: now(),
        topics: vec![],
        bodies: vec![Body {
            kind: ChannelKind::Telegram,
            language: None,
            message: Message::from_plain(title).into(),
        }],
        personal: None,
        cards: vec![card(title)],
        on_uncertain: OnUncertain::Skip,
        priority: Default::default(),
        rollout: None,
        hours: vec![],
        zoned: None,
        paused: None,
        stopped: None,
        counts: Counts::default(),
        errors: vec![],
        corrections: None,
        beyond: None,
    }
}

pub fn card(title: &str) -> Card {
    Card { title: title.into(), subtitle: String::new(), image: None, link: None, buttons: vec![] }
}

pub fn person(address: &str, topics: &[&str]) -> Subscriber {
    Subscriber {
        number: 7_777,
        address: address.into(),
        language: Some("en".into()),
        first_name: None,
        timezone: None,
        name_asked_at: None,
        came_by: None,
        topics: topics.iter().map(|topic| name(topic)).collect(),
        standing: Standing::Active,
        window_until: None,
        joined_at: now(),
        changed_at: now(),
        default_reply_at: None,
        choices: None,
    }
}

pub fn people(count: usize) -> Vec<Subscriber> {
    (0..count).map(|number| person(&format!("{}", 1_000 + number), &["news"])).collect()
}

pub fn event(channel: &str, id: &str, address: &str) -> Event {
    Event {
        channel: name(channel),
        id: id.into(),
        at: now(),
        address: address.into(),
        language: Some("en".into()),
        first_name: None,
        deed: Deed::Said { text: "hello".into() },
    }
}

pub fn answer(text: &str) -> Answer {
    Answer { message: Message::from_plain(text), tap: None, ask: None }
}

pub fn receipt(ticket: Ticket, settled: Settled) -> Receipt {
    Receipt {
        ticket,
        settled,
        part: 0,
        standing: None,
        moved_to: None,
        window_closed: false,
        error: None,
        kept: None,
    }
}

pub fn done(claim: &Claim, outcome: Outcome) -> Receipt {
    receipt(claim.ticket, Settled::Done(outcome))
}

pub fn returned(claim: &Claim, part: u8) -> Receipt {
    receipt(claim.ticket, Settled::Returned { part })
}

/// Commits receipts and claims on a channel at [`NOW`].
pub async fn advance(
    store: &dyn Store,
    channel: &str,
    receipts: Vec<Receipt>,
    claims: usize,
) -> Vec<Claim> {
    let step = Advance {
        channel: name(channel),
        receipts,
        claims,
        resting: vec![],
        caps: None,
        ways: Default::default(),
        now: now(),
    };
    store.advance(step).await.unwrap()
}

/// Adds that many active subscribers of `news` to the channel and a post to all of them.
pub async fn post_to(store: &dyn Store, channel: &str, count: usize, post: Post) -> PostId {
    store.import_subscribers(&name(channel), people(count)).await.unwrap();
    let audience = store.load_audience(&name(channel), &[]).await.unwrap();
    let audiences = vec![(name(channel), audience)];
    store.commit_post(PostCommit { drafts: vec![], post, audiences }).await.unwrap()
}

pub async fn counts(store: &dyn Store, post: PostId) -> Counts {
    store.load_post(post).await.unwrap().unwrap().counts
}
