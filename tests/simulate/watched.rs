//! The store with a hand on it: every verb is done before anybody else runs, counted, and may be
//! the last thing that the process does.

use std::collections::BTreeSet;
use std::future::{Future, pending};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use tidings::model::channel::ChannelState;
use tidings::model::control::{Obeyed, PostWord};
use tidings::model::correction::{EditAt, EditClaim, EditReceipt};
use tidings::model::event::Event;
use tidings::model::item::{Item, ItemId};
use tidings::model::known::Known;
use tidings::model::media::{KeptMedium, MediaKey};
use tidings::model::name::Name;
use tidings::model::post::{Claim, Draft, DraftId, Outcome, Post, PostId};
use tidings::model::price::PriceHistory;
use tidings::model::product::ProductName;
use tidings::model::report::PostReport;
use tidings::model::shelf::{Block, ShelfKey, ShelfState};
use tidings::model::source::SourceState;
use tidings::model::subscriber::Subscriber;
use tidings::model::time::Timestamp;
use tidings::model::trace::{Happened, Trace};
use tidings::store::{
    Advance, ConversationCommit, CorrectionCommit, Delivery, FloodWord, PollCommit, PostCommit,
    Reply, Rescued, ReviewWord, Reviewed, Status, Store, StoreError, TraceQuery, Wire,
};

/// When the process ends, in verbs from now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    pub verbs: u64,
    /// The verb is done and nobody hears of it; otherwise it is not done.
    pub is_done: bool,
}

/// A store whose verbs are done at once, where they are asked.
pub struct Watched {
    inner: Box<dyn Store>,
    verbs: AtomicU64,
    end: Mutex<Option<End>>,
    has_ended: AtomicBool,
    last: Mutex<&'static str>,
}

impl Watched {
    pub fn new(inner: impl Store) -> Self {
        Self {
            inner: Box::new(inner),
            verbs: AtomicU64::new(0),
            end: Mutex::default(),
            has_ended: AtomicBool::new(false),
            last: Mutex::default(),
        }
    }

    pub fn verbs(&self) -> u64 {
        self.verbs.load(Ordering::Relaxed)
    }

    /// From the given verb on nothing is answered any more.
    pub fn end_at(&self, end: Option<End>) {
        *self.end.lock().unwrap() = end;
    }

    /// The verb at which the process ended.
    pub fn ended_at(&self) -> Option<&'static str> {
        self.has_ended.load(Ordering::Relaxed).then(|| *self.last.lock().unwrap())
    }

    /// Looks at the store without being counted.
    pub fn peek(&self) -> Peek<'_> {
        Peek(self.inner.as_ref())
    }

    fn turn<'a, T: Send + 'a>(&'a self, verb: &'static str, reply: Reply<'a, T>) -> Reply<'a, T> {
        Box::pin(async move {
            if self.has_ended.load(Ordering::Relaxed) {
                return pending().await;
            }
            self.verbs.fetch_add(1, Ordering::Relaxed);
            let end = {
                let mut end = self.end.lock().unwrap();
                if let Some(end) = end.as_mut() {
                    end.verbs = end.verbs.saturating_sub(1);
                }
                end.filter(|end| end.verbs == 0)
            };
            if end.is_some() {
                *self.last.lock().unwrap() = verb;
                self.has_ended.store(true, Ordering::Relaxed);
            }
            if end.is_none_or(|end| end.is_done) {
                let done = wait(reply);
                if end.is_none() {
                    return done;
                }
            }
            pending().await
        })
    }
}

/// Answers questions at once.
pub struct Peek<'a>(&'a dyn Store);

impl<'a> Peek<'a> {
    pub fn ask<T>(&self, ask: impl FnOnce(&'a dyn Store) -> Reply<'a, T>) -> T {
        wait(ask(self.0)).unwrap()
    }
}

/// Waits for what another thread does.
fn wait<T>(reply: Reply<'_, T>) -> Result<T, StoreError> {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    // A task that has done much would else be told to wait for its next turn, which never comes.
    let mut reply = std::pin::pin!(tokio::task::unconstrained(reply));
    loop {
        match reply.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(done) => return done,
            Poll::Pending => std::thread::park(),
        }
    }
}

macro_rules! verbs {
    ($(fn $verb:ident(&self $(, $given:ident: $kind:ty)*) -> Reply<'_, $answer:ty>;)*) => {
        impl Store for Watched {$(
            fn $verb(&self $(, $given: $kind)*) -> Reply<'_, $answer> {
                self.turn(stringify!($verb), self.inner.$verb($($given),*))
            }
        )*}
    };
}

// As they stand in the trait.
verbs! {
    fn load_sources(&self) -> Reply<'_, Vec<(Name, SourceState)>>;
    fn load_known(&self, source: &Name) -> Reply<'_, Option<Known>>;
    fn load_shelf_state(&self, source: &Name) -> Reply<'_, Option<ShelfState>>;
    fn load_shelf(&self, source: &Name, after: Option<ShelfKey>, limit: usize) -> Reply<'_, Vec<Block>>;
    fn load_prices(&self, source: &Name, rows: &[ShelfKey]) -> Reply<'_, Vec<PriceHistory>>;
    fn load_names(&self, source: &Name, products: &[u64]) -> Reply<'_, Vec<Option<ProductName>>>;
    fn commit_names(&self, source: &Name, names: Vec<(u64, ProductName)>) -> Reply<'_, ()>;
    fn commit_poll(&self, poll: PollCommit) -> Reply<'_, ()>;
    fn commit_draft(&self, draft: Draft) -> Reply<'_, DraftId>;
    fn lease_drafts(&self, now: Timestamp, limit: usize) -> Reply<'_, Vec<Draft>>;
    fn next_draft_at(&self) -> Reply<'_, Option<Timestamp>>;
    fn load_items(&self, ids: &[ItemId]) -> Reply<'_, Vec<Item>>;
    fn load_newest_items(&self, sources: &[Name], limit: usize) -> Reply<'_, Vec<Item>>;
    fn load_audience(&self, channel: &Name, topics: &[Name]) -> Reply<'_, Vec<u32>>;
    fn commit_post(&self, post: PostCommit) -> Reply<'_, PostId>;
    fn commit_correction(&self, commit: CorrectionCommit) -> Reply<'_, Vec<Name>>;
    fn load_corrected(&self, campaign: &Name, items: &[ItemId], channel: &Name, now: Timestamp) -> Reply<'_, BTreeSet<u32>>;
    fn drop_draft(&self, draft: DraftId) -> Reply<'_, ()>;
    fn give_up_draft(&self, draft: DraftId, why: String, now: Option<Timestamp>) -> Reply<'_, ()>;
    fn load_due_drafts(&self, campaign: &Name, now: Timestamp, limit: usize) -> Reply<'_, Vec<Draft>>;
    fn load_drafts(&self, limit: usize) -> Reply<'_, Vec<Draft>>;
    fn commit_drafts(&self, drafts: Vec<Draft>, why: String, now: Timestamp) -> Reply<'_, ()>;
    fn commit_review(&self, of: Reviewed, word: ReviewWord, now: Timestamp) -> Reply<'_, usize>;
    fn load_held_drafts(&self) -> Reply<'_, Vec<Draft>>;
    fn commit_flood(&self, source: &Name, word: FloodWord, now: Timestamp) -> Reply<'_, usize>;
    fn advance(&self, step: Advance) -> Reply<'_, Vec<Claim>>;
    fn stop_post(&self, post: PostId, why: String) -> Reply<'_, ()>;
    fn commit_word(&self, post: PostId, word: PostWord, now: Timestamp) -> Reply<'_, Obeyed>;
    fn lease_edits(&self, channel: &Name, after: Option<EditAt>, limit: usize) -> Reply<'_, Vec<EditClaim>>;
    fn commit_edits(&self, channel: &Name, done: Vec<EditReceipt>) -> Reply<'_, ()>;
    fn stop_edits(&self, post: PostId, revision: u32, why: String) -> Reply<'_, ()>;
    fn load_post(&self, post: PostId) -> Reply<'_, Option<Post>>;
    fn load_media(&self, channel: &Name, keys: &[MediaKey]) -> Reply<'_, Vec<Option<KeptMedium>>>;
    fn commit_media(&self, channel: &Name, media: Vec<(MediaKey, Option<KeptMedium>)>) -> Reply<'_, ()>;
    fn load_channel(&self, channel: &Name) -> Reply<'_, ChannelState>;
    fn commit_channel(&self, channel: &Name, state: ChannelState) -> Reply<'_, ()>;
    fn rescue(&self, wire: Wire) -> Reply<'_, Rescued>;
    fn commit_events(&self, events: Vec<Event>, cursor: Option<(Name, i64)>, now: Timestamp) -> Reply<'_, usize>;
    fn load_cursor(&self, channel: &Name) -> Reply<'_, Option<i64>>;
    fn lease_events(&self, limit: usize) -> Reply<'_, Vec<(u64, Event)>>;
    fn load_subscriber(&self, channel: &Name, address: &str) -> Reply<'_, Option<Subscriber>>;
    fn commit_conversation(&self, turn: ConversationCommit) -> Reply<'_, ()>;
    fn load_status(&self) -> Reply<'_, Status>;
    fn load_posts(&self, limit: usize) -> Reply<'_, Vec<Post>>;
    fn load_outcomes(&self, post: PostId, channel: &Name) -> Reply<'_, Vec<(u32, Outcome)>>;
    fn load_post_ids(&self, campaign: Option<&Name>, limit: usize) -> Reply<'_, Vec<PostId>>;
    fn load_report(&self, post: PostId, now: Timestamp) -> Reply<'_, Option<PostReport>>;
    fn load_delivery(&self, post: PostId, channel: &Name, number: u32) -> Reply<'_, Option<Delivery>>;
    fn commit_steps(&self, steps: Vec<(ItemId, Happened)>, now: Timestamp) -> Reply<'_, ()>;
    fn load_traces(&self, query: TraceQuery, limit: usize) -> Reply<'_, Vec<Trace>>;
    fn load_knowing(&self, link: u64) -> Reply<'_, Vec<(Name, Timestamp)>>;
    fn load_subscribers(&self, channel: &Name) -> Reply<'_, Vec<Subscriber>>;
    fn import_subscribers(&self, channel: &Name, people: Vec<Subscriber>) -> Reply<'_, usize>;
    fn prune(&self, now: Timestamp) -> Reply<'_, usize>;
    fn pack(&self) -> Reply<'_, bool>;
}
