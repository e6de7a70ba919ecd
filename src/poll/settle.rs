//! One poll after its fetch: read, judged, committed with all that follows from it.
//!
//! As many documents are unpacked and read at the same time as [`Shared`] has places for readers;
//! the others wait packed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;

use crate::model::campaign::Campaign;
use crate::model::known::Known;
use crate::model::name::Name;
use crate::model::source::{Source, SourceState};
use crate::model::time::Timestamp;
use crate::model::trace::{Happened, short};
use crate::plan::Filtered;
use crate::poll::fetch::{Fetched, Fetcher};
use crate::poll::read::{Reading, number, traced};
use crate::poll::report::{Outcome, PollReport};
use crate::poll::state::{self, Failure};
use crate::poll::stories;
use crate::poll::watches;
use crate::runtime::clock::Clock;
use crate::runtime::meters::Meters;
use crate::runtime::wakes::Wakes;
use crate::store::{PollCommit, Store, StoreError, Telling};

/// What the polls under way share.
pub(crate) struct Shared {
    pub store: Arc<dyn Store>,
    pub clock: Clock,
    pub wakes: Wakes,
    pub meters: Meters,
    pub campaigns: Arc<[Campaign]>,
    /// The channels whose people can be written to only while their window is open.
    pub windowed: Vec<Name>,
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

impl Poll {
    pub(crate) fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// The shortest interval of the source.
    pub(crate) fn floor(&self) -> Duration {
        state::floor(&self.source, self.shared.floor)
    }

    /// Runs work that takes the processor, when there is a place for it; `None` when it panicked.
    pub(crate) async fn read_off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let _place = self.shared.readers.acquire().await.ok()?;
        off_thread(work).await
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
        let (mut filtered, mut tellings) = (Vec::new(), Vec::new());
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
            report.filtered = number(reading.filtered.len());
            filtered = reading.filtered;
            tellings = reading.tellings;
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
        let mut stored = self.tell(commit, tellings).await;
        if !filtered.is_empty() && stored.is_ok() {
            stored = self.trace(filtered).await;
        }
        if has_drafts && stored.is_ok() {
            self.shared.wakes.drafts.notify_one();
        }
        self.settled(state, report, stored)
    }

    /// Commits the poll together with the answers to who has waited for what it found.
    async fn tell(&self, commit: PollCommit, tellings: Vec<Telling>) -> Result<(), StoreError> {
        let now = self.now();
        let windows = watches::windows(&self.shared.windowed, now);
        let store = &self.shared.store;
        let channels = store.commit_poll_telling(commit, tellings, windows).await?;
        for channel in &channels {
            self.shared.wakes.wake_channel(channel);
        }
        Ok(())
    }

    /// Says what campaigns did not want, for whoever asks later. Nothing follows from it, so it
    /// need not be of one piece with the poll.
    async fn trace(&self, filtered: Vec<Filtered>) -> Result<(), StoreError> {
        let source = &self.source.name;
        for Unwanted { campaign, rule, items, failed } in by_rule(&filtered) {
            match failed {
                Some(error) => tracing::warn!(
                    source.id = %source, campaign.id = %campaign, rule, error, items,
                    "a rule could not be applied to items, so they are not sent"
                ),
                None => tracing::info!(
                    source.id = %source, campaign.id = %campaign, rule, items,
                    "a campaign does not want items"
                ),
            }
        }
        let steps =
            traced(&filtered).into_iter().map(|Filtered { campaign, item, rule, failed }| {
                let rule = short(&match failed {
                    Some(why) => format!("it could not be said whether {rule}: {why}"),
                    None => rule.clone(),
                });
                (*item, Happened::Filtered { campaign: campaign.clone(), rule })
            });
        self.shared.store.commit_steps(steps.collect(), self.now()).await
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

/// What one rule of a campaign kept from being told.
struct Unwanted<'a> {
    campaign: &'a Name,
    rule: &'a str,
    items: usize,
    /// Why it could not be applied to the first of them, if it could not.
    failed: Option<&'a str>,
}

fn by_rule(filtered: &[Filtered]) -> impl Iterator<Item = Unwanted<'_>> {
    let mut rules: BTreeMap<(&Name, &str, bool), Unwanted<'_>> = BTreeMap::new();
    for Filtered { campaign, rule, failed, .. } in filtered {
        let failed = failed.as_deref();
        let new = || Unwanted { campaign, rule, items: 0, failed };
        rules.entry((campaign, rule, failed.is_some())).or_insert_with(new).items += 1;
    }
    rules.into_values()
}

/// Runs work that takes the processor; `None` when it panicked.
pub(crate) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}
