//! One poll after its fetch: read, judged, committed with all that follows from it.
//!
//! As many documents are unpacked and read at the same time as [`Shared`] has places for readers;
//! the others wait packed.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;

use crate::extract::NotADocument;
use crate::model::campaign::{Campaign, ChangeKind};
use crate::model::source::{Source, SourceState};
use crate::poll::fault::{Fault, FetchError, shown};
use crate::poll::fetch::{Fetched, Fetcher, Packed};
use crate::poll::read::{Page, Reading, read};
use crate::poll::report::{Outcome, PollReport};
use crate::poll::spool::hash;
use crate::poll::state::{self, Failure};
use crate::runtime::clock::Clock;
use crate::runtime::meters::Meters;
use crate::runtime::wakes::Wakes;
use crate::store::{PollCommit, Store, StoreError};

/// What the polls under way share.
pub(crate) struct Shared {
    pub store: Arc<dyn Store>,
    pub clock: Clock,
    pub wakes: Wakes,
    pub meters: Meters,
    pub campaigns: Arc<[Campaign]>,
    pub fetcher: Fetcher,
    /// The shortest interval.
    pub floor: Duration,
    /// A document with more items is not read.
    pub items_max: usize,
    /// One place for each document that is read at the same time.
    pub readers: Semaphore,
}

/// One poll after its fetch.
pub(crate) struct Poll {
    pub shared: Arc<Shared>,
    pub source: Arc<Source>,
    /// The worker's number of the source.
    pub index: u32,
    /// Nothing is to be written.
    pub is_dry: bool,
}

/// A poll that waits for the store.
pub(crate) type Settling = BoxFuture<'static, Settled>;

/// What became of a poll.
pub(crate) struct Settled {
    pub index: u32,
    pub is_dry: bool,
    /// The source's state from now on.
    pub state: SourceState,
    pub report: PollReport,
    pub stored: Result<(), StoreError>,
}

/// Why a document gave nothing.
enum Unread {
    /// It does not come out of its packing.
    Unpacked(Fault),
    /// It is none.
    None(NotADocument),
}

/// Why there is no reading.
enum Stumble {
    Failure(Failure),
    Store(StoreError),
}

impl Poll {
    /// A document came: reads it, and answers how the poll is settled.
    ///
    /// That is another future, because a document takes much room and a commit much time: while
    /// the store commits, others are fetched and read.
    pub async fn document(self, last: SourceState, fetched: Fetched, packed: Packed) -> Settling {
        match self.reading(&last, &fetched, packed).await {
            Ok(Some(reading)) => {
                let (floor, now) = (self.shared.floor, self.shared.clock.now());
                let state = state::read(&self.source, &last, &fetched, &reading, floor, now);
                Box::pin(self.settle(state, Outcome::Fetched, Some(reading)))
            }
            Ok(None) => Box::pin(self.unchanged(&last, &fetched)),
            Err(Stumble::Failure(failure)) => Box::pin(self.failed(&last, &failure)),
            Err(Stumble::Store(error)) => {
                let report = PollReport::new(self.source.name.clone(), Outcome::Failed);
                Box::pin(std::future::ready(self.settled(last, report, Err(error))))
            }
        }
    }

    /// There is nothing new.
    ///
    /// The state is made at once and not in the future, which so holds nothing but its end.
    pub fn unchanged(
        self,
        last: &SourceState,
        fetched: &Fetched,
    ) -> impl Future<Output = Settled> + Send + use<> {
        let (floor, now) = (self.shared.floor, self.shared.clock.now());
        let state = state::unchanged(&self.source, last, fetched, floor, now);
        self.settle(state, Outcome::Unchanged, None)
    }

    /// There is no document, or none that can be read.
    pub fn failed(
        self,
        last: &SourceState,
        failure: &Failure,
    ) -> impl Future<Output = Settled> + Send + use<> {
        let (floor, now) = (self.shared.floor, self.shared.clock.now());
        let state = state::failed(&self.source, last, failure, floor, now);
        self.settle(state, Outcome::Failed, None)
    }

    /// `None` when the document has the bytes of the last one.
    async fn reading(
        &self,
        last: &SourceState,
        fetched: &Fetched,
        packed: Packed,
    ) -> Result<Option<Reading>, Stumble> {
        let broken = || Failure::Reader { address: shown(&fetched.url) };
        let fault = |fault| Failure::Fetch(FetchError::new(&fetched.url, fault));
        let Ok(_place) = self.shared.readers.acquire().await else {
            return Err(broken().into());
        };
        // Nothing is known before the first good poll.
        let known = match last.succeeded_at {
            Some(_) => self.shared.store.load_known(&self.source.name).await?,
            None => None,
        };
        let (source, url) = (Arc::clone(&self.source), fetched.url.clone());
        let campaigns = Arc::clone(&self.shared.campaigns);
        let items_max = self.shared.items_max;
        let now = self.shared.clock.now();
        let last_hash = last.document_hash;
        let reading = off_thread(move || {
            let unpacked = packed.unpack().map_err(Unread::Unpacked)?;
            let hash = hash(&unpacked.bytes);
            if hash == last_hash {
                return Ok(None);
            }
            let page = Page {
                bytes: &unpacked.bytes,
                content_type: unpacked.content_type.as_deref(),
                url: &url,
                hash,
                items_max,
            };
            read(&page, &source, known.as_ref(), &campaigns, now).map(Some).map_err(Unread::None)
        });
        reading.await.ok_or_else(broken)?.map_err(|unread| match unread {
            Unread::Unpacked(why) => fault(why).into(),
            Unread::None(why) => {
                Failure::Document { address: shown(&fetched.url), why: why.to_string() }.into()
            }
        })
    }

    /// Commits the poll with all that follows from it.
    async fn settle(
        self,
        state: SourceState,
        outcome: Outcome,
        reading: Option<Reading>,
    ) -> Settled {
        let mut report = PollReport::new(self.source.name.clone(), outcome);
        report.items = state.items;
        report.remark = state.failure.clone().or_else(|| state.remark.clone());
        let mut commit = PollCommit {
            source: self.source.name.clone(),
            state: state.clone(),
            known: None,
            items: vec![],
            drafts: vec![],
        };
        if let Some(reading) = reading {
            *report.count(ChangeKind::New) = reading.new;
            *report.count(ChangeKind::Updated) = reading.updated;
            report.held = reading.held;
            commit.known = reading.known;
            commit.items = reading.kept;
            commit.drafts = reading.drafts;
        }
        if self.is_dry {
            return self.settled(state, report, Ok(()));
        }
        let has_drafts = !commit.drafts.is_empty();
        let stored = self.shared.store.commit_poll(commit).await;
        if has_drafts && stored.is_ok() {
            self.shared.wakes.drafts.notify_one();
        }
        self.settled(state, report, stored)
    }

    fn settled(
        &self,
        state: SourceState,
        report: PollReport,
        stored: Result<(), StoreError>,
    ) -> Settled {
        let (index, is_dry) = (self.index, self.is_dry);
        Settled { index, is_dry, state, report, stored }
    }
}

impl From<Failure> for Stumble {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<StoreError> for Stumble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Runs work that takes the processor; `None` when it panicked.
async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}
