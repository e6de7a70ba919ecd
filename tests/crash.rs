//! What a crash leaves behind.
//!
//! A small program runs all verbs against an outside world that remembers what it was sent. The run
//! is recorded: every write and sync of the store's file, every record of the journal, every moment
//! between two deeds. Then it is stopped at each of them, opened again, rescued and run to its end,
//! and the world's own books are compared with the store's.
//!
//! Two ways to stop: the *process* ends (what was written is there, the journal is trusted), or the
//! *power* (what was not synced may be missing in any combination, the journal is gone).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed step is a failed test"
)]

mod made;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use made::*;
use redb::{BackendError, StorageBackend};
use tidings::model::campaign::OnUncertain;
use tidings::model::item::ItemId;
use tidings::model::known::{Known, KnownItem};
use tidings::model::message::Module;
use tidings::model::offer::Amount;
use tidings::model::post::{
    Claim, Content, Counts, Draft, Hold, Outcome, Post, Reason, Receipt, Story, Work,
};
use tidings::model::price::PriceSeen;
use tidings::model::product::ProductName;
use tidings::model::rollout::{Stages, WHOLE};
use tidings::model::shelf::{Block, KnownListing, ShelfKey, ShelfState, ShelfWrite};
use tidings::model::subscriber::Standing;
use tidings::store::journal::Journal;
use tidings::store::redb::{RedbStore, open_on};
use tidings::store::{
    Advance, ConversationCommit, PostCommit, Rescued, ReviewWord, Reviewed, ShelfCommit, Store,
    StoreError, Wire,
};

/// How many items the source tells, one a poll.
const POLLS: usize = 2;

/// Most claims under way on one channel.
const CLAIMS: usize = 6;

const MODES: [OnUncertain; 2] = [OnUncertain::Skip, OnUncertain::Resend];

/// Who writes on `bot` (by cursor) and on `page` (repeated until acknowledged).
const BOT_EVENTS: [&str; 3] = ["1001", "1008", "2000"];
const PAGE_EVENTS: [&str; 3] = ["1001", "1004", "1001"];

/// Pseudo-random numbers, so that every run is the same.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

// ── the disk ────────────────────────────────────────────────────────────────────────────────────

/// A file in memory that keeps a log of what was done to it, and can fail.
#[derive(Clone, Debug, Default)]
struct Disk(Arc<Mutex<Surface>>);

#[derive(Debug, Default)]
struct Surface {
    bytes: Vec<u8>,
    log: Vec<Logged>,
    /// The moment that is written beside each deed.
    moment: usize,
    /// From this deed on, counted from 0, everything fails.
    fails_at: Option<usize>,
    is_locked: bool,
}

#[derive(Clone, Debug)]
struct Logged {
    moment: usize,
    deed: Deed,
}

#[derive(Clone, Debug)]
enum Deed {
    Write { offset: usize, bytes: Vec<u8> },
    SetLength(usize),
    Sync,
}

impl Disk {
    fn holding(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(Surface { bytes, ..Surface::default() })))
    }

    fn with<T>(&self, see: impl FnOnce(&mut Surface) -> T) -> T {
        see(&mut self.0.lock().unwrap())
    }

    fn act(&self, deed: Deed) -> io::Result<()> {
        self.with(|surface| {
            if surface.fails_at.is_some_and(|at| surface.log.len() >= at) {
                return Err(io::Error::other("the disk is broken"));
            }
            apply(&mut surface.bytes, &deed);
            let moment = surface.moment;
            surface.log.push(Logged { moment, deed });
            Ok(())
        })
    }
}

fn apply(image: &mut Vec<u8>, deed: &Deed) {
    match deed {
        Deed::Write { offset, bytes } => {
            image[*offset..offset + bytes.len()].copy_from_slice(bytes);
        }
        Deed::SetLength(length) => image.resize(*length, 0),
        Deed::Sync => {}
    }
}

fn is_whole(start: Bound<u64>, end: Bound<u64>) -> bool {
    matches!(start, Bound::Unbounded | Bound::Included(0)) && end == Bound::Unbounded
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.with(|surface| surface.bytes.len()) as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).unwrap();
        self.with(|surface| match surface.bytes.get(offset..offset + out.len()) {
            Some(bytes) => {
                out.copy_from_slice(bytes);
                Ok(())
            }
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        })
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.act(Deed::SetLength(usize::try_from(length).unwrap()))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.act(Deed::Sync)
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).unwrap();
        self.act(Deed::Write { offset, bytes: bytes.to_vec() })
    }

    fn close(&self) -> io::Result<()> {
        self.with(|surface| surface.is_locked = false);
        Ok(())
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        if !is_whole(start, end) {
            return Err(BackendError::Unsupported);
        }
        Ok(self.with(|surface| !std::mem::replace(&mut surface.is_locked, true)))
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        if !is_whole(start, end) {
            return Err(BackendError::Unsupported);
        }
        self.with(|surface| surface.is_locked = false);
        Ok(())
    }
}

// ── the world ───────────────────────────────────────────────────────────────────────────────────

/// The outside: what it was sent, and what it has heard from us.
#[derive(Clone, Debug, Default)]
struct World {
    /// By post's title and person: how often it arrived.
    got: BTreeMap<(String, String), u32>,
    /// By answer: how often it arrived.
    answered: BTreeMap<String, u32>,
    /// To whom `429` (or silence) was said once already.
    refused: BTreeSet<(String, String)>,
    /// How many of the page's events we have acknowledged.
    acknowledged: usize,
    carousels: usize,
    /// What our journal shows as begun and not answered: all that may become uncertain.
    begun: BTreeSet<(String, String)>,
}

/// The state of everything but the store's file, between two deeds.
#[derive(Clone)]
struct Moment {
    world: World,
    journal: Vec<u8>,
    /// How many deeds the disk had seen.
    deeds: usize,
}

/// The small program, with what it keeps in memory.
struct Program<'a> {
    store: &'a dyn Store,
    journal: &'a Journal,
    world: World,
    pending: BTreeMap<&'static str, Vec<Receipt>>,
    /// Told at each moment.
    watch: &'a mut dyn FnMut(&World),
}

impl Program<'_> {
    fn moment(&mut self) {
        (self.watch)(&self.world);
    }

    /// Runs until there is nothing left to do.
    async fn run(&mut self, wire: Wire) -> Result<Rescued, StoreError> {
        self.moment();
        let rescued = self.store.rescue(wire).await?;
        self.moment();
        self.journal.begin_run()?;
        self.moment();
        self.store.import_subscribers(&name("bot"), people(9)).await?;
        self.moment();
        self.store.import_subscribers(&name("page"), people(5)).await?;
        loop {
            let mut is_moving = self.review().await?;
            is_moving |= self.poll().await?;
            is_moving |= self.compose().await?;
            is_moving |= self.deliver("bot").await?;
            is_moving |= self.deliver("page").await?;
            is_moving |= self.listen().await?;
            is_moving |= self.converse().await?;
            if !is_moving {
                break;
            }
        }
        self.moment();
        self.store.prune(now() + 4 * DAY).await?;
        self.moment();
        Ok(rescued)
    }

    async fn poll(&mut self) -> Result<bool, StoreError> {
        let known = self.store.load_known(&name("blog")).await?.unwrap_or_default();
        let number = known.entries.len();
        let shelf = self.store.load_shelf_state(&name("blog")).await?.unwrap_or_default();
        assert_eq!(shelf.rows as usize, number, "a shelf without its poll");
        if number == POLLS {
            return self.mirror().await;
        }
        let entry = KnownItem {
            id: number as u64,
            link: 1,
            title_date: 2,
            title: 3,
            fingerprint: 4,
            last_seen: now(),
            id_alias: 0,
            former: 0,
        };
        let entries = known.entries.into_iter().chain([entry]).collect();
        let mut commit = poll("blog");
        commit.known = Some(Known { entries, id_churns: 0 });
        let item_number = u8::try_from(number).unwrap();
        commit.items = vec![item(item_number)];
        commit.drafts = MODES
            .map(|mode| {
                let mut draft = draft(now(), &[item_number]);
                // One waits for a look, the other one for its hour.
                draft.held = (mode == OnUncertain::Skip).then_some(Hold::Review);
                if let Content::Items { campaign, stories, .. } = &mut draft.content {
                    stories.push(story(item_number));
                    *campaign = name(if mode == OnUncertain::Skip { "skip" } else { "resend" });
                }
                draft
            })
            .to_vec();
        commit.shelf = Some(self.shelve(number).await?);
        commit.names =
            vec![(1, ProductName { title: format!("name {number}"), ..ProductName::default() })];
        self.moment();
        self.store.commit_poll(commit).await?;
        Ok(true)
    }

    /// The first poll fills three blocks; the others drop one of them and take 10 off a price.
    async fn shelve(&self, number: usize) -> Result<ShelfCommit, StoreError> {
        let rows = u32::try_from(number + 1).unwrap();
        let state = ShelfState { rows, begun_at: now() - DAY, ..ShelfState::default() };
        let mut shelf = ShelfCommit { state, writes: vec![], prices: vec![], now: now() };
        if number == 0 {
            shelf.writes = [1, 2, 3].map(|at| ShelfWrite::Put(block(at, 100))).to_vec();
            return Ok(shelf);
        }
        let blocks = self.store.load_shelf(&name("blog"), None, 10).await?;
        let told = told_price(&blocks[0]);
        let key = blocks[0].first;
        let last = blocks[blocks.len() - 1].first;
        shelf.writes = vec![ShelfWrite::Put(block(1, told - 10)), ShelfWrite::Remove(last)];
        shelf.prices = vec![PriceSeen { key, from: Some(euros(told)), to: euros(told - 10) }];
        Ok(shelf)
    }

    /// Another source tells one of the stories again: nobody is to hear of it.
    async fn mirror(&mut self) -> Result<bool, StoreError> {
        let sources = self.store.load_sources().await?;
        if sources.iter().any(|(source, _)| source.as_str() == "mirror") {
            return Ok(false);
        }
        let mut draft = draft(now(), &[7]);
        if let Content::Items { campaign, stories, .. } = &mut draft.content {
            *campaign = name("skip");
            stories.push(Story { item: ItemId([7; 16]), ..story(0) });
        }
        let mut commit = poll("mirror");
        (commit.items, commit.drafts) = (vec![item(7)], vec![draft]);
        self.moment();
        self.store.commit_poll(commit).await?;
        Ok(true)
    }

    /// Lets go what waits for a look.
    async fn review(&mut self) -> Result<bool, StoreError> {
        if self.store.load_held_drafts().await?.is_empty() {
            return Ok(false);
        }
        self.moment();
        let of = Reviewed::Campaign(name("skip"));
        self.store.commit_review(of, ReviewWord::Release, now()).await?;
        Ok(true)
    }

    async fn compose(&mut self) -> Result<bool, StoreError> {
        let hour = now() + seconds(60);
        let due = self.store.lease_drafts(hour, 1).await?;
        let Some(draft) = due.first() else { return Ok(false) };
        if draft.campaign() == Some(&name("resend")) && draft.due_at < hour {
            self.moment();
            let moved = Draft { due_at: hour, ..draft.clone() };
            self.store
                .commit_drafts(vec![moved], "it is not the hour for it".into(), now())
                .await?;
            return Ok(true);
        }
        let Content::Items { campaign, items, .. } = &draft.content else { panic!("not ours") };
        let ids: Vec<_> = items.iter().map(|told| told.item).collect();
        assert_eq!(self.store.load_items(&ids).await?.len(), 1, "an item without its row");
        let title = format!("{campaign}-{}", items[0].item.0[0]);
        let on_uncertain = MODES[usize::from(campaign.as_str() == "resend")];
        let mut audiences = Vec::new();
        for channel in ["bot", "page"] {
            let audience = self.store.load_audience(&name(channel), &[name("news")]).await?;
            audiences.push((name(channel), audience));
        }
        let sizes = audiences.iter().map(|(name, numbers)| (name.clone(), numbers.len() as u64));
        let rollout =
            (on_uncertain == OnUncertain::Resend).then(|| Box::new(stages().begin(sizes)));
        let post = Post { on_uncertain, rollout, ..post(&title) };
        self.moment();
        self.store.commit_post(PostCommit { drafts: vec![draft.id], post, audiences }).await?;
        Ok(true)
    }

    async fn deliver(&mut self, channel: &'static str) -> Result<bool, StoreError> {
        let receipts = self.pending.remove(channel).unwrap_or_default();
        let tickets: Vec<_> = receipts.iter().map(|receipt| receipt.ticket).collect();
        let step = Advance {
            channel: name(channel),
            receipts,
            claims: CLAIMS,
            resting: vec![],
            caps: None,
            ways: Default::default(),
            now: now(),
        };
        self.moment();
        let claims = self.store.advance(step).await?;
        self.moment();
        self.journal.forget(&tickets)?;
        let mut begun = Vec::new();
        for claim in &claims {
            let what = self.what(claim).await?;
            self.moment();
            self.journal.start(claim.ticket, claim.part)?;
            self.journal.write()?;
            let key = (what.clone(), claim.recipient.address.clone());
            self.world.begun.insert(key.clone());
            self.moment();
            let receipt = self.send(channel, claim, &what);
            begun.push((key, receipt));
        }
        for (key, receipt) in begun {
            self.moment();
            self.journal.receipt(&receipt)?;
            self.journal.write()?;
            self.world.begun.remove(&key);
            self.pending.entry(channel).or_default().push(receipt);
        }
        Ok(!claims.is_empty() || !tickets.is_empty())
    }

    /// The post's title, or the answer's words.
    async fn what(&self, claim: &Claim) -> Result<String, StoreError> {
        match &claim.work {
            Work::Delivery { post, .. } => {
                Ok(self.store.load_post(*post).await?.expect("a post of a claim").title)
            }
            Work::Answer { answer, .. } => Ok(match &answer.message.modules[..] {
                [Module::Text { text, .. }] => text.plain(),
                [Module::Cards(cards)] => {
                    let titles = cards.iter().map(|card| card.title.as_str());
                    titles.collect::<Vec<_>>().join(" ")
                }
                _ => panic!("an answer without words"),
            }),
        }
    }

    /// The world's side of one request.
    fn send(&mut self, channel: &str, claim: &Claim, what: &str) -> Receipt {
        let recipient = &claim.recipient;
        let address = format!("{channel}/{}", recipient.address);
        if let Work::Answer { answer, .. } = &claim.work {
            if let [Module::Cards(cards)] = &answer.message.modules[..] {
                self.world.carousels += 1;
                for card in cards {
                    *self.world.got.entry((card.title.clone(), address.clone())).or_default() += 1;
                }
            } else {
                *self.world.answered.entry(what.to_owned()).or_default() += 1;
            }
            return done(claim, Outcome::Sent);
        }
        let key = (what.to_owned(), address);
        let (is_page, is_resend) = (channel == "page", what.starts_with("resend"));
        match recipient.number {
            1 | 4 if is_page && recipient.window_until.is_none() => done(claim, Outcome::Held),
            // Too many requests, once.
            3 if self.world.refused.insert(key.clone()) => returned(claim, 0),
            4 if !is_page => {
                let mut blocked = done(claim, Outcome::Failed(Reason::Blocked));
                blocked.standing = Some(Standing::Blocked);
                blocked.error = Some("403: blocked".into());
                blocked
            }
            // It arrives, and no answer comes back.
            5 if !is_resend => {
                *self.world.got.entry(key).or_default() += 1;
                done(claim, Outcome::Uncertain)
            }
            _ => {
                *self.world.got.entry(key).or_default() += 1;
                done(claim, Outcome::Sent)
            }
        }
    }

    /// Takes in events: those of `bot` by cursor, those of `page` one by one until acknowledged.
    async fn listen(&mut self) -> Result<bool, StoreError> {
        let bot = name("bot");
        let cursor = self.store.load_cursor(&bot).await?.unwrap_or(0);
        let seen = usize::try_from(cursor).unwrap();
        let mut is_moving = false;
        if seen < BOT_EVENTS.len() {
            let upto = BOT_EVENTS.len().min(seen + 2);
            let events =
                (seen..upto).map(|at| event("bot", &format!("b{at}"), BOT_EVENTS[at])).collect();
            let place = i64::try_from(upto).unwrap();
            self.moment();
            self.store.commit_events(events, Some((bot, place)), now()).await?;
            is_moving = true;
        }
        let next = self.world.acknowledged;
        if let Some(address) = PAGE_EVENTS.get(next) {
            let events = vec![event("page", &format!("p{next}"), address)];
            self.moment();
            self.store.commit_events(events, None, now()).await?;
            self.moment();
            self.world.acknowledged += 1;
            is_moving = true;
        }
        Ok(is_moving)
    }

    /// Each event adds a topic to its person, so that one applied twice would show.
    async fn converse(&mut self) -> Result<bool, StoreError> {
        let events = self.store.lease_events(2).await?;
        for (number, event) in &events {
            let is_page = event.channel.as_str() == "page";
            let known = self.store.load_subscriber(&event.channel, &event.address).await?;
            let mut after = known.unwrap_or_else(|| person(&event.address, &[]));
            after.topics.push(name(&event.id));
            after.window_until = is_page.then(|| now() + DAY);
            let turn = ConversationCommit {
                event: *number,
                channel: event.channel.clone(),
                subscriber: Some(after),
                consent: None,
                answers: vec![answer(&format!("re {}", event.id))],
                releases_held: is_page,
            };
            self.moment();
            self.store.commit_conversation(turn).await?;
        }
        Ok(!events.is_empty())
    }
}

/// To a third, and at once to the others.
fn stages() -> Stages {
    let wait = std::time::Duration::ZERO;
    Stages { shares: vec![WHOLE / 3, WHOLE], wait, failed_max: WHOLE, left_max: WHOLE }
}

fn story(item: u8) -> Story {
    Story { item: ItemId([item; 16]), link: 100 + u64::from(item), title: 0 }
}

fn euros(units: i64) -> Amount {
    Amount::new(units, 2, "EUR".parse().ok()).unwrap()
}

/// A block of one row.
fn block(product: u64, told: i64) -> Block {
    let key = ShelfKey { product, variant: 0 };
    let row = KnownListing { key, told: Some(euros(told)), ..KnownListing::default() };
    Block::decode(row.encode().to_vec()).unwrap()
}

fn told_price(block: &Block) -> i64 {
    KnownListing::decode(&block.encoded()[0]).told.unwrap().units()
}

// ── the books are compared ──────────────────────────────────────────────────────────────────────

/// What may be uncertain after the stops of a run.
enum Doubt {
    /// Only these, by title and address without channel.
    Only(BTreeSet<(String, String)>),
    /// As many as were in flight.
    InFlight,
}

async fn check(store: &dyn Store, world: &World, doubt: &Doubt, at: &str) {
    let posts = store.load_posts(100).await.unwrap();
    let mut titles: Vec<&str> = posts.iter().map(|post| post.title.as_str()).collect();
    titles.sort_unstable();
    assert_eq!(titles, ["resend-0", "resend-1", "skip-0", "skip-1"], "{at}: announced once");

    let shelf = store.load_shelf(&name("blog"), None, 10).await.unwrap();
    assert_eq!(shelf, [block(1, 90), block(2, 100)], "{at}: the shelf");
    let prices = store.load_prices(&name("blog"), &[shelf[0].first]).await.unwrap();
    let points: Vec<i64> = prices[0].points().iter().map(|point| point.price.units()).collect();
    assert_eq!(points, [100, 90], "{at}: the prices");
    let names = store.load_names(&name("blog"), &[1]).await.unwrap();
    assert_eq!(names[0].as_ref().unwrap().title, "name 1", "{at}");

    let mut doubtful = 0;
    for post in &posts {
        let mut seen = Counts::default();
        for channel in ["bot", "page"] {
            let people = store.load_subscribers(&name(channel)).await.unwrap();
            let outcomes = store.load_outcomes(post.id, &name(channel)).await.unwrap();
            for (number, outcome) in outcomes {
                let person = &people[usize::try_from(number).unwrap()];
                let key = (post.title.clone(), format!("{channel}/{}", person.address));
                let copies = world.got.get(&key).copied().unwrap_or(0);
                let at = format!("{at}: {key:?} {outcome:?}, {copies} copies");
                match outcome {
                    Outcome::Sent => seen.sent += 1,
                    Outcome::Held => seen.held += 1,
                    Outcome::Uncertain => seen.uncertain += 1,
                    Outcome::Failed(_) => seen.failed += 1,
                    Outcome::Skipped(_) => seen.skipped += 1,
                    Outcome::Waiting | Outcome::InFlight => panic!("{at}: not ended"),
                }
                seen.planned += 1;
                let is_blocked = channel == "bot" && number == 4;
                match post.on_uncertain {
                    OnUncertain::Skip => {
                        assert!(copies <= 1, "{at}: twice");
                        match outcome {
                            Outcome::Sent => assert_eq!(copies, 1, "{at}"),
                            Outcome::Uncertain => {}
                            _ => assert_eq!(copies, 0, "{at}"),
                        }
                        if outcome == Outcome::Uncertain && number != 5 {
                            doubtful += 1;
                            if let Doubt::Only(allowed) = doubt {
                                let is_known = allowed.iter().any(|(what, address)| {
                                    *address == person.address
                                        && what.split(' ').any(|title| title == post.title)
                                });
                                assert!(is_known, "{at}: uncertain without reason");
                            }
                        }
                    }
                    OnUncertain::Resend => {
                        assert_ne!(outcome, Outcome::Uncertain, "{at}");
                        let is_held = outcome == Outcome::Held;
                        assert!(copies >= 1 || is_blocked || is_held, "{at}: missing");
                    }
                }
            }
        }
        assert_eq!(seen, post.counts, "{at}: the counts of {}", post.title);
        // 9 and 5, and those of `bot` who came by writing and took the topic.
        assert!(seen.planned >= 12, "{at}: {} planned {}", post.title, seen.planned);
    }
    if matches!(doubt, Doubt::InFlight) {
        assert!(doubtful <= 2 * CLAIMS, "{at}: {doubtful} uncertain");
    }

    for (channel, prefix, events) in [("bot", 'b', BOT_EVENTS), ("page", 'p', PAGE_EVENTS)] {
        for address in BTreeSet::from(events) {
            let person = store.load_subscriber(&name(channel), address).await.unwrap().unwrap();
            let topics = person.topics.iter().map(|topic| topic.as_str());
            let applied: Vec<&str> = topics.filter(|topic| *topic != "news").collect();
            let expected: Vec<String> = events
                .iter()
                .enumerate()
                .filter(|(_, who)| **who == address)
                .map(|(at, _)| format!("{prefix}{at}"))
                .collect();
            assert_eq!(applied, expected, "{at}: the events of {channel}/{address}");
        }
    }
    assert!(world.answered.values().all(|copies| *copies == 1), "{at}: {:?}", world.answered);
    let status = store.load_status().await.unwrap();
    assert_eq!((status.drafts, status.events, status.unfinished_posts), (0, 0, 0), "{at}");
    assert!(status.channels.iter().all(|channel| channel.answers == 0), "{at}");
}

// ── recording and running on ────────────────────────────────────────────────────────────────────

/// A folder for the journal.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn journal(&self) -> PathBuf {
        self.path().join("wire.journal")
    }

    fn read(&self) -> Vec<u8> {
        fs::read(self.journal()).unwrap_or_default()
    }
}

fn wait_for<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
}

/// A whole run without a fault: what the disk saw, and all moments.
struct Recording {
    log: Vec<Logged>,
    moments: Vec<Moment>,
    /// How many deeds made the empty store.
    made: usize,
}

fn record() -> Recording {
    wait_for(async {
        let (disk, folder) = (Disk::default(), Folder::new());
        let store = open_on(disk.clone()).unwrap();
        let made = disk.with(|surface| surface.log.len());
        let (journal, wire) = Journal::open(folder.path()).unwrap();
        let mut moments = Vec::new();
        let mut watch = |world: &World| {
            let deeds = disk.with(|surface| {
                surface.moment = moments.len();
                surface.log.len()
            });
            moments.push(Moment { world: world.clone(), journal: folder.read(), deeds });
        };
        let mut program = Program {
            store: &store,
            journal: &journal,
            world: World::default(),
            pending: BTreeMap::new(),
            watch: &mut watch,
        };
        program.run(wire).await.unwrap();
        let world = program.world.clone();
        check(&store, &world, &Doubt::Only(BTreeSet::new()), "without a fault").await;
        assert_eq!(world.answered.len(), BOT_EVENTS.len() + PAGE_EVENTS.len());
        assert!(world.carousels > 0 && !world.refused.is_empty(), "a run without its hard parts");
        drop(store);
        let log = disk.with(|surface| surface.log.clone());
        Recording { log, moments, made }
    })
}

/// Everything that is left after a stop.
struct Left {
    image: Vec<u8>,
    world: World,
    /// `None` when it is gone with the power.
    journal: Option<Vec<u8>>,
}

/// Opens what is left, runs it to its end and compares the books.
///
/// Answers what a second stop at the given deed of the disk leaves, if it comes that far.
async fn run_on(left: Left, second_stop: Option<usize>, at: &str) -> Option<Left> {
    let disk = Disk::holding(left.image);
    let folder = Folder::new();
    let doubt = match &left.journal {
        Some(bytes) => {
            fs::write(folder.journal(), bytes).unwrap();
            Doubt::Only(left.world.begun.clone())
        }
        None => Doubt::InFlight,
    };
    let store = open_on(disk.clone()).unwrap_or_else(|error| panic!("{at}: {error}"));
    let (journal, wire) = Journal::open(folder.path()).unwrap();
    // Before the first run has begun there is nothing to trust.
    assert!(wire.is_trusted == left.journal.is_some() || wire.started.is_empty(), "{at}");
    disk.with(|surface| {
        surface.fails_at = second_stop.map(|deeds| surface.log.len() + deeds);
    });
    let mut program = Program {
        store: &store,
        journal: &journal,
        world: left.world,
        pending: BTreeMap::new(),
        watch: &mut |_| {},
    };
    program.world.begun.clear();
    let ended = program.run(wire).await;
    let mut world = program.world.clone();
    if second_stop.is_some() && ended.is_err() {
        assert_fail_stop(&store, at).await;
        if let Doubt::Only(begun) = doubt {
            // What the first stop left in doubt may still be so.
            world.begun.extend(begun);
        }
        let is_kept = left.journal.is_some();
        let image = disk.with(|surface| surface.bytes.clone());
        return Some(Left { image, world, journal: is_kept.then(|| folder.read()) });
    }
    ended.unwrap_or_else(|error| panic!("{at}: {error}"));
    check(&store, &world, &doubt, at).await;
    None
}

/// After its first error a store answers nothing more.
async fn assert_fail_stop(store: &RedbStore, at: &str) {
    let write = store.commit_poll(poll("blog")).await;
    assert!(matches!(write, Err(StoreError::Failed { .. })), "{at}: {write:?}");
    let read = store.load_sources().await;
    assert!(matches!(read, Err(StoreError::Failed { .. })), "{at}: {read:?}");
    let look = store.load_known(&name("blog")).await;
    assert!(matches!(look, Err(StoreError::Failed { .. })), "{at}: {look:?}");
}

#[test]
fn a_process_may_end_at_every_write_of_the_file() {
    let recording = record();
    let mut image = Vec::new();
    wait_for(async {
        for (count, logged) in recording.log.iter().enumerate() {
            if count >= recording.made {
                let moment = &recording.moments[logged.moment];
                let left = Left {
                    image: image.clone(),
                    world: moment.world.clone(),
                    journal: Some(moment.journal.clone()),
                };
                run_on(left, None, &format!("before deed {count}")).await;
            }
            apply(&mut image, &logged.deed);
        }
    });
}

#[test]
fn a_process_may_end_at_every_moment_and_within_every_record_of_the_journal() {
    let recording = record();
    let mut image = Vec::new();
    let mut deeds = recording.log.iter();
    let mut applied = 0;
    wait_for(async {
        for (number, moment) in recording.moments.iter().enumerate() {
            for logged in deeds.by_ref().take(moment.deeds - applied) {
                apply(&mut image, &logged.deed);
            }
            applied = moment.deeds;
            let mut journal = moment.journal.clone();
            if let Some(next) = recording.moments.get(number + 1)
                && let Some(record) = next.journal.strip_prefix(&journal[..])
            {
                journal.extend(&record[..record.len() / 2]);
            }
            let world = moment.world.clone();
            let left = Left { image: image.clone(), world, journal: Some(journal) };
            run_on(left, None, &format!("moment {number}")).await;
        }
    });
}

#[test]
fn power_may_fail_before_every_sync() {
    let recording = record();
    let mut dice = Dice(7);
    let mut synced = Vec::new();
    let mut unsynced: Vec<&Deed> = Vec::new();
    wait_for(async {
        for (count, logged) in recording.log.iter().enumerate() {
            if !matches!(logged.deed, Deed::Sync) {
                unsynced.push(&logged.deed);
                continue;
            }
            if count >= recording.made {
                let world = &recording.moments[logged.moment].world;
                for kept in [0, 1, 2] {
                    let image = survive(&synced, &unsynced, kept, &mut dice);
                    let left = Left { image, world: world.clone(), journal: None };
                    run_on(left, None, &format!("before sync {count}, keeping {kept} of 2")).await;
                }
            }
            unsynced.drain(..).for_each(|deed| apply(&mut synced, deed));
        }
    });
}

/// What the platter holds: of the deeds since the last sync about `kept` of two, one of them torn.
fn survive(synced: &[u8], unsynced: &[&Deed], kept: usize, dice: &mut Dice) -> Vec<u8> {
    let mut image = synced.to_vec();
    let torn = dice.roll(unsynced.len().max(1));
    for (at, deed) in unsynced.iter().enumerate() {
        if dice.roll(2) >= kept {
            continue;
        }
        let mut deed = (*deed).clone();
        if let Deed::Write { offset, bytes } = &mut deed {
            if at == torn && kept == 1 {
                bytes.truncate(bytes.len() / 1024 * 512);
            }
            let end = *offset + bytes.len();
            if image.len() < end {
                image.resize(end, 0);
            }
        }
        apply(&mut image, &deed);
    }
    image
}

#[test]
fn sec_s03_the_first_error_stops_the_store_before_and_after_every_transaction() {
    let recording = record();
    let mut made = Vec::new();
    recording.log[..recording.made].iter().for_each(|logged| apply(&mut made, &logged.deed));
    let syncs: Vec<usize> = (recording.made..recording.log.len())
        .filter(|at| matches!(recording.log[*at].deed, Deed::Sync))
        .map(|at| at - recording.made)
        .collect();
    assert!(syncs.len() > 50, "a run without transactions");
    wait_for(async {
        // A sync is one of the two of a commit: the first deed after it belongs to the second.
        for stop in syncs.into_iter().flat_map(|sync| [sync, sync + 1]) {
            let fresh =
                Left { image: made.clone(), world: World::default(), journal: Some(vec![]) };
            let at = format!("error at deed {stop}");
            if let Some(left) = run_on(fresh, Some(stop), &at).await {
                run_on(left, None, &at).await;
            }
        }
    });
}

#[test]
fn a_process_may_end_again_while_it_recovers() {
    let recording = record();
    let mut dice = Dice(11);
    wait_for(async {
        for _ in 0..80 {
            let first = recording.made + dice.roll(recording.log.len() - recording.made);
            let mut image = Vec::new();
            recording.log[..first].iter().for_each(|logged| apply(&mut image, &logged.deed));
            let moment = &recording.moments[recording.log[first].moment];
            let left =
                Left { image, world: moment.world.clone(), journal: Some(moment.journal.clone()) };
            let second = dice.roll(60);
            let at = format!("at deed {first}, and {second} deeds later");
            if let Some(left) = run_on(left, Some(second), &at).await {
                run_on(left, None, &at).await;
            }
        }
    });
}

#[test]
fn sec_s05_a_medium_is_locked_while_it_is_open() {
    let disk = Disk::default();
    let store = open_on(disk.clone()).unwrap();
    assert!(matches!(open_on(disk.clone()), Err(StoreError::InUse { .. })));
    drop(store);
    assert!(open_on(disk).is_ok());
}
