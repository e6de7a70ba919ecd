//! One poll after its fetch: read, judged, committed with all that follows from it.
//!
//! As many documents are unpacked and read at the same time as [`Shared`] has places for readers;
//! the others wait packed.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;

use crate::extract::Document;
use crate::model::campaign::Campaign;
use crate::model::known::Known;
use crate::model::source::{Source, SourceState};
use crate::model::time::Timestamp;
use crate::poll::archive;
use crate::poll::catalog::Unread;
use crate::poll::errand::Next;
use crate::poll::fault::shown;
use crate::poll::fetch::{Fetched, Fetcher, Packed};
use crate::poll::read::{self, Compared, Page, Reading};
use crate::poll::report::{Outcome, PollReport};
use crate::poll::spool::hash;
use crate::poll::state::{self, Failure};
use crate::poll::stories;
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
    /// The place of the one large catalog that is read at a time.
    pub alone: Arc<Semaphore>,
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

/// A document that is one whole, once it is read.
enum Whole {
    Compared(Box<Compared>),
    /// More may have come before it than it holds.
    Gap(Box<Document>, u64),
}

impl Poll {
    pub(crate) fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// The shortest interval of the source.
    pub(crate) fn floor(&self) -> Duration {
        state::floor(&self.source, self.shared.floor)
    }

    /// A document that is one whole came, of a feed or a page.
    pub(crate) async fn document(
        self,
        last: SourceState,
        fetched: Fetched,
        packed: Packed,
    ) -> Next {
        let known = match self.known(&last).await {
            Ok(known) => known,
            Err(error) => return self.broken_store(last, error),
        };
        let (source, url) = (Arc::clone(&self.source), fetched.url.clone());
        let campaigns = Arc::clone(&self.shared.campaigns);
        let (items_max, now) = (self.shared.items_max, self.now());
        let last_hash = last.document_hash;
        let is_read_again = state::has_turned(&source, &last, now);
        let read = self.read_off_thread(move || {
            let unpacked = packed.unpack().map_err(Unread::Fault)?;
            let hash = hash(&unpacked.bytes);
            if hash == last_hash && !is_read_again {
                return Ok(None);
            }
            let page = Page {
                bytes: &unpacked.bytes,
                content_type: unpacked.content_type.as_deref(),
                url: &url,
                items_max,
            };
            let document = read::document(&page, &source)?;
            drop(unpacked);
            if archive::is_gap(&document, known.as_ref()) {
                return Ok(Some(Whole::Gap(Box::new(document), hash)));
            }
            let known = known.as_ref();
            let compared = read::compare(document, hash, &source, known, &campaigns, now);
            Ok(Some(Whole::Compared(Box::new(compared))))
        });
        match read.await {
            Some(Ok(Some(Whole::Compared(compared)))) => self.visit(last, fetched, *compared).await,
            Some(Ok(Some(Whole::Gap(document, hash)))) => {
                self.go_back(last, fetched, *document, hash).await
            }
            Some(Ok(None)) => Next::Settle(Box::pin(self.unchanged(&last, &fetched))),
            Some(Err(unread)) => {
                let failure = Unread::at(unread, &fetched.url);
                self.passed_over(&last, &failure, &fetched)
            }
            None => {
                let failure = Failure::Reader { address: shown(&fetched.url) };
                self.passed_over(&last, &failure, &fetched)
            }
        }
    }

    /// The document can't be read. A file of a folder behind which others wait does not keep them
    /// waiting: it is told and not looked at again.
    fn passed_over(self, last: &SourceState, failure: &Failure, fetched: &Fetched) -> Next {
        let (floor, now) = (self.floor(), self.now());
        let mut state = state::failed(&self.source, last, failure, floor, now);
        if fetched.has_more {
            state.etag.clone_from(&fetched.etag);
            state.last_modified.clone_from(&fetched.last_modified);
            state.due_at = now;
        }
        Next::Settle(Box::pin(self.settle(state, Outcome::Failed, None)))
    }

    /// What the source has told; nothing is known before the first good poll.
    pub(crate) async fn known(&self, last: &SourceState) -> Result<Option<Known>, StoreError> {
        match last.succeeded_at {
            Some(_) => self.shared.store.load_known(&self.source.name).await,
            None => Ok(None),
        }
    }

    /// Nothing happened.
    pub(crate) fn nothing(&self, last: SourceState) -> Settled {
        let report = PollReport::new(self.source.name.clone(), Outcome::Unchanged);
        self.settled(last, report, Ok(()))
    }

    /// The store failed, which ends all polling.
    pub(crate) fn broken_store(self, last: SourceState, error: StoreError) -> Next {
        let report = PollReport::new(self.source.name.clone(), Outcome::Failed);
        Next::Settle(Box::pin(std::future::ready(self.settled(last, report, Err(error)))))
    }

    /// There is nothing new.
    ///
    /// The state is made at once and not in the future, which so holds nothing but its end.
    pub fn unchanged(
        self,
        last: &SourceState,
        fetched: &Fetched,
    ) -> impl Future<Output = Settled> + Send + use<> {
        let (floor, now) = (self.floor(), self.now());
        let state = state::unchanged(&self.source, last, fetched, floor, now);
        self.settle(state, Outcome::Unchanged, None)
    }

    /// There is no document, or none that can be read.
    pub fn failed(
        self,
        last: &SourceState,
        failure: &Failure,
    ) -> impl Future<Output = Settled> + Send + use<> {
        let (floor, now) = (self.floor(), self.now());
        let state = state::failed(&self.source, last, failure, floor, now);
        self.settle(state, Outcome::Failed, None)
    }

    /// Commits the poll with all that follows from it.
    pub(crate) async fn settle(
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
            shelf: None,
            names: vec![],
            corrections: vec![],
        };
        if let Some(reading) = reading {
            for (kind, count) in &reading.counts {
                *report.count(*kind) = *count;
            }
            report.held = reading.held;
            report.untold = reading.untold;
            commit.known = reading.known;
            if let Some(shelved) = reading.shelved {
                (commit.shelf, commit.names) = (Some(shelved.shelf), shelved.names);
            }
            commit.items = reading.kept;
            commit.drafts = reading.drafts;
            commit.corrections = reading.corrections;
        }
        if self.is_dry {
            return self.settled(state, report, Ok(()));
        }
        stories::mark(&mut commit.drafts, &commit.items, &self.shared.campaigns);
        let has_drafts = !(commit.drafts.is_empty() && commit.corrections.is_empty());
        let stored = self.shared.store.commit_poll(commit).await;
        if has_drafts && stored.is_ok() {
            self.shared.wakes.drafts.notify_one();
        }
        self.settled(state, report, stored)
    }

    pub(crate) fn settled(
        &self,
        state: SourceState,
        report: PollReport,
        stored: Result<(), StoreError>,
    ) -> Settled {
        let (index, is_dry) = (self.index, self.is_dry);
        Settled { index, is_dry, state, report, stored }
    }
}

/// Runs work that takes the processor; `None` when it panicked.
pub(crate) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}
