//! The store in one file of redb.
//!
//! One thread writes (`writer`), in grouped durable transactions; readers see the last commit and
//! never wait for it. Every verb is one transaction, but for what would take too long: a large
//! import, a word on a large post. The file is locked while it is open: a second open is refused.
//!
//! Every record has a version and a checksum (`store::codec`). A file of up to 64 MiB is also
//! checked page by page when it is opened; of a larger one each record is checked when it is read.

mod open;

mod rows;

mod tables;

mod writer;

#[cfg(test)]
mod trial;

mod ledger;

mod packed;

mod crowd;

mod poll;

mod shelf;

mod story;

mod compose;

mod drafts;

mod audience;

mod archive;

mod origins;

mod late;

mod planned;

mod sent;

mod edits;

mod deliver;

mod control;

mod chores;

mod hours;

mod times;

mod report;

mod rollout;

mod trace;

mod media;

mod pacing;

mod caps;

mod rest;

mod converse;

mod remind;

mod consents;
mod facets;

mod forget;

mod arrivals;

mod deletions;

mod recent;

mod aside;

mod chats;

mod echo;

mod held;

mod market;

mod marks;

mod watch;

mod upkeep;

pub use open::{open, open_on};

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use futures_util::future::BoxFuture;
use redb::{Database, ReadTransaction, ReadableDatabase, TransactionError};

use crate::model::archive::Archived;
use crate::model::channel::ChannelState;
use crate::model::chat::ChatSeen;
use crate::model::control::{Obeyed, PostWord};
use crate::model::correction::{EditAt, EditClaim, EditReceipt};
use crate::model::event::{Event, EventWord, PutAside};
use crate::model::item::{Item, ItemId};
use crate::model::known::Known;
use crate::model::lane::Optin;
use crate::model::media::{KeptMedium, MediaKey};
use crate::model::name::Name;
use crate::model::one_off::{FilePost, FilesTaken};
use crate::model::origin::Origins;
use crate::model::pacing::{Halt, Pacing, StarsAsked};
use crate::model::post::{Answer, Draft, DraftId, Outcome, Post, PostId};
use crate::model::price::PriceHistory;
use crate::model::product::ProductName;
use crate::model::proof::{Audit, Hash, Proof};
use crate::model::recent::Recent;
use crate::model::report::PostReport;
use crate::model::shelf::{Block, ShelfKey, ShelfState};
use crate::model::signal::Signal;
use crate::model::source::SourceState;
use crate::model::subscriber::Subscriber;
use crate::model::time::Timestamp;
use crate::model::trace::{Happened, Trace};
use crate::model::watch::Watch;
use crate::model::zone::{Gathering, Zone};
use crate::store::redb::chores::{Hand, Progress};
use crate::store::redb::ledger::Writing;
use crate::store::redb::rollout::Judged;
use crate::store::redb::rows::BotName;
use crate::store::redb::tables::BOTS;
use crate::store::redb::writer::{Fault, Writer};
use crate::store::{
    Advance, Arrivals, Arrived, Beside, Claimed, ConversationCommit, CorrectionCommit, Deletion,
    Delivery, Erasure, FloodWord, FoundProduct, LateCommit, LateLook, MarketCampaign, MarketState,
    OptinWord, PollCommit, PostCommit, PostRole, ProductNow, ProductQuery, Reply, Rescued,
    ReviewWord, Reviewed, ShownFacet, Status, Store, StoreError, Telling, TraceQuery, Watcher,
    WatcherQuery, Windows, Wire, ZonedCommit,
};

/// The file's name in the data directory.
pub const FILE_NAME: &str = "store.redb";

/// Most subscribers that one transaction imports: others get their turn between two.
const IMPORTED_MAX: usize = 4_096;

/// Most products that one transaction names ahead of their poll.
const NAMED_MAX: usize = 4_096;

/// So many blocks of shelves written leave so many free pages in the file that it is worth being
/// packed.
const LOOSE_BLOCKS: usize = 64;

/// Largest file that is packed while others wait for it, or because it grew: a few seconds.
const PACKED_BYTES_MAX: u64 = 256 << 20;

/// A smaller file is not packed because it grew.
const GROWN_BYTES_MIN: u64 = 1 << 20;

/// An open store. Dropping it waits for the last commit, packs the file if it grew or large
/// catalogs were written to it, and unlocks it.
///
/// Pages are written anew and not over, and the file grows by doubling, a packed one at the next
/// commit: without packing it would take about twice what it holds. Packing needs the database for
/// itself, so it is done in a quiet moment of the run ([`Store::pack`]) and at its end.
pub struct RedbStore {
    // Dropped first: the thread ends before the file is closed.
    writer: Writer,
    db: Arc<Shared>,
    fault: Arc<Fault>,
    /// Blocks of shelves written since the file was packed.
    loose: Arc<AtomicUsize>,
    /// Of a store that is a file.
    path: Option<PathBuf>,
    /// How long the file was when it was opened.
    opened_bytes: u64,
    gate: Option<Arc<dyn Gate>>,
}

/// What every transaction goes through, be it read or written.
pub trait Gate: Send + Sync {
    /// Does the work, now or later; its answer is given once this is done. Work that is dropped
    /// undone has failed.
    fn pass<'a>(&'a self, work: BoxFuture<'a, ()>) -> BoxFuture<'a, ()>;
}

/// Held by everybody who reads or writes, and alone by whoever packs. Nobody asks for it twice.
type Shared = RwLock<Database>;

impl RedbStore {
    /// Starts on a database that was checked.
    fn start(db: Database, fault: Fault, path: Option<PathBuf>) -> Result<Self, StoreError> {
        let (db, fault) = (Arc::new(RwLock::new(db)), Arc::new(fault));
        let writer = Writer::start(Arc::clone(&db), Arc::clone(&fault))?;
        let opened_bytes = file_bytes(path.as_deref()).unwrap_or_default();
        Ok(Self { writer, db, fault, loose: Arc::default(), path, opened_bytes, gate: None })
    }

    /// The same store behind a gate.
    #[must_use]
    pub fn behind(mut self, gate: Arc<dyn Gate>) -> Self {
        self.gate = Some(gate);
        self
    }

    fn through<'a, T: Send + 'a>(&'a self, work: Reply<'a, T>) -> Reply<'a, T> {
        let Some(gate) = &self.gate else { return work };
        Box::pin(async move {
            let mut answer = None;
            gate.pass(Box::pin(async { answer = Some(work.await) })).await;
            let undone = || Err(StoreError::Failed { what: "the gate is shut".into() });
            answer.unwrap_or_else(undone)
        })
    }

    /// Writes, and answers once that is durable.
    fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Writing<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Reply<'_, T> {
        self.through(Box::pin(self.writer.run(work)))
    }

    /// Does what is left of a word on a post, while this hand is held; answers how many recipients
    /// it touched in all.
    async fn do_chore(
        &self,
        post: PostId,
        first: Progress,
        _hand: &Hand,
    ) -> Result<u64, StoreError> {
        let mut progress = first;
        while progress.is_left {
            let more =
                self.write(move |writing| writing.do_chore(post, chores::BATCHES_MAX)).await?;
            progress = Progress { done: progress.done.max(more.done), ..more };
        }
        Ok(progress.done)
    }

    /// Reads a few rows: done at once, where it is asked, but for the moment of packing.
    fn look<T: Send + 'static>(
        &self,
        work: impl FnOnce(&ReadTransaction) -> Result<T, StoreError> + Send + 'static,
    ) -> Reply<'_, T> {
        self.through(Box::pin(async move {
            if let Ok(db) = self.db.try_read() {
                return read(&db, &self.fault, work);
            }
            self.scan_here(work).await
        }))
    }

    /// Reads many rows: done where nobody else waits for the thread.
    fn scan<T: Send + 'static>(
        &self,
        work: impl FnOnce(&ReadTransaction) -> Result<T, StoreError> + Send + 'static,
    ) -> Reply<'_, T> {
        self.through(self.scan_here(work))
    }

    fn scan_here<T: Send + 'static>(
        &self,
        work: impl FnOnce(&ReadTransaction) -> Result<T, StoreError> + Send + 'static,
    ) -> Reply<'_, T> {
        let (db, fault) = (Arc::clone(&self.db), Arc::clone(&self.fault));
        Box::pin(async move {
            let reading =
                move || read(&db.read().unwrap_or_else(PoisonError::into_inner), &fault, work);
            tokio::task::spawn_blocking(reading)
                .await
                .map_err(|error| StoreError::Failed { what: format!("reading: {error}") })?
        })
    }
}

impl Drop for RedbStore {
    fn drop(&mut self) {
        self.writer.end();
        // Whoever still reads keeps the file as it is; the next run packs it.
        let Some(db) = Arc::get_mut(&mut self.db) else { return };
        let is_loose = self.loose.load(Ordering::Relaxed) >= LOOSE_BLOCKS;
        let bytes = file_bytes(self.path.as_deref()).unwrap_or_default();
        let has_grown =
            bytes > self.opened_bytes && (GROWN_BYTES_MIN..=PACKED_BYTES_MAX).contains(&bytes);
        if !(is_loose || has_grown) || self.fault.check().is_err() {
            return;
        }
        let db = db.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = pack(db, &self.fault) {
            tracing::warn!(%error, "the store was left unpacked");
        }
    }
}

/// How long the file is; `None` without one, or if nobody can say.
fn file_bytes(path: Option<&Path>) -> Option<u64> {
    path.and_then(|path| std::fs::metadata(path).ok()).map(|file| file.len())
}

fn pack(db: &mut Database, fault: &Fault) -> Result<bool, StoreError> {
    let packing =
        || db.compact().map_err(|error| StoreError::Failed { what: format!("packing: {error}") });
    guard(packing).inspect_err(|error| fault.trip(error))
}

impl Store for RedbStore {
    fn load_sources(&self) -> Reply<'_, Vec<(Name, SourceState)>> {
        self.scan(poll::load_sources)
    }

    fn load_known(&self, source: &Name) -> Reply<'_, Option<Known>> {
        let source = source.clone();
        self.look(move |read| poll::load_known(read, &source))
    }

    fn load_shelf_state(&self, source: &Name) -> Reply<'_, Option<ShelfState>> {
        let source = source.clone();
        self.look(move |read| shelf::load_state(read, &source))
    }

    fn load_shelf(
        &self,
        source: &Name,
        after: Option<ShelfKey>,
        limit: usize,
    ) -> Reply<'_, Vec<Block>> {
        let source = source.clone();
        self.scan(move |read| shelf::load_blocks(read, &source, after, limit))
    }

    fn load_prices(&self, source: &Name, rows: &[ShelfKey]) -> Reply<'_, Vec<PriceHistory>> {
        let (source, rows) = (source.clone(), rows.to_vec());
        self.scan(move |read| shelf::load_prices(read, &source, &rows))
    }

    fn load_names(&self, source: &Name, products: &[u64]) -> Reply<'_, Vec<Option<ProductName>>> {
        let (source, products) = (source.clone(), products.to_vec());
        self.scan(move |read| shelf::load_names(read, &source, &products))
    }

    fn commit_names(&self, source: &Name, mut names: Vec<(u64, ProductName)>) -> Reply<'_, ()> {
        let source = source.clone();
        Box::pin(async move {
            while !names.is_empty() {
                let part = names.split_off(names.len().saturating_sub(NAMED_MAX));
                let source = source.clone();
                self.write(move |writing| writing.name_ahead(&source, &part)).await?;
            }
            Ok(())
        })
    }

    fn commit_poll_telling(
        &self,
        poll: PollCommit,
        tellings: Vec<Telling>,
        windows: Windows,
    ) -> Reply<'_, Vec<Name>> {
        if let Some(shelf) = &poll.shelf {
            self.loose.fetch_add(shelf.writes.len(), Ordering::Relaxed);
        }
        self.write(move |writing| {
            poll::commit_poll(writing, &poll)?;
            Ok(writing.tell_watches(&tellings, &windows)?.into_iter().collect())
        })
    }

    fn load_watched(&self, source: &Name) -> Reply<'_, Vec<(u64, u64)>> {
        let source = source.clone();
        self.scan(move |read| watch::load_watched(read, &source))
    }

    fn load_watchers(
        &self,
        source: &Name,
        product: u64,
        who: WatcherQuery,
    ) -> Reply<'_, Vec<Watcher>> {
        let source = source.clone();
        self.scan(move |read| watch::load_watchers(read, &source, product, &who))
    }

    fn commit_draft(&self, draft: Draft) -> Reply<'_, DraftId> {
        self.write(move |writing| writing.add_draft(&draft))
    }

    fn lease_drafts(&self, now: Timestamp, limit: usize) -> Reply<'_, Vec<Draft>> {
        self.scan(move |read| compose::lease_drafts(read, now, limit))
    }

    fn next_draft_at(&self) -> Reply<'_, Option<Timestamp>> {
        self.look(compose::next_draft_at)
    }

    fn load_items(&self, ids: &[ItemId]) -> Reply<'_, Vec<Item>> {
        let ids = ids.to_vec();
        self.scan(move |read| compose::load_items(read, &ids))
    }

    fn load_newest_items(&self, sources: &[Name], limit: usize) -> Reply<'_, Vec<Item>> {
        let sources = sources.to_vec();
        self.scan(move |read| compose::load_newest_items(read, &sources, limit))
    }

    fn load_audience(&self, channel: &Name, topics: &[Name]) -> Reply<'_, Vec<u32>> {
        let (channel, topics) = (channel.clone(), topics.to_vec());
        self.scan(move |read| crowd::load_audience(read, &channel, &topics))
    }

    fn give_up_drafts(
        &self,
        drafts: Vec<DraftId>,
        why: String,
        now: Option<Timestamp>,
    ) -> Reply<'_, ()> {
        self.write(move |writing| drafts::give_up_drafts(writing, &drafts, &why, now))
    }

    fn commit_post_as(&self, post: PostCommit, role: PostRole) -> Reply<'_, PostId> {
        self.write(move |writing| compose::commit_post_as(writing, &post, &role))
    }

    fn load_zones(&self, channel: &Name) -> Reply<'_, Vec<(Zone, Vec<u32>)>> {
        let channel = channel.clone();
        self.scan(move |read| crowd::load_zones(read, &channel))
    }

    fn load_gathering(&self, campaign: &Name) -> Reply<'_, Gathering> {
        let campaign = campaign.clone();
        self.look(move |read| compose::load_gathering(read, &campaign))
    }

    fn commit_gathering(&self, campaign: &Name, gathering: Gathering) -> Reply<'_, ()> {
        let campaign = campaign.clone();
        self.write(move |writing| writing.tables.gatherings.put(campaign.as_str(), &gathering))
    }

    fn commit_zoned(&self, commit: ZonedCommit) -> Reply<'_, Vec<PostId>> {
        self.write(move |writing| compose::commit_zoned(writing, &commit))
    }

    fn load_people(&self, channel: &Name, numbers: Vec<u32>) -> Reply<'_, Vec<Subscriber>> {
        let channel = channel.clone();
        self.scan(move |read| audience::load_people(read, &channel, &numbers))
    }

    fn commit_chats(&self, channel: &Name, addresses: Vec<String>) -> Reply<'_, Vec<u32>> {
        let channel = channel.clone();
        self.write(move |writing| audience::commit_chats(writing, &channel, &addresses))
    }

    fn load_shown(&self) -> Reply<'_, Vec<(DraftId, PostId)>> {
        self.look(compose::load_shown)
    }

    fn load_draft(&self, draft: DraftId) -> Reply<'_, Option<Draft>> {
        self.look(move |read| compose::load_draft(read, draft))
    }

    fn plan_files(&self, files: Vec<FilePost>, now: Timestamp) -> Reply<'_, FilesTaken> {
        self.write(move |writing| planned::plan_files(writing, &files, now))
    }

    fn lease_late(&self, limit: usize) -> Reply<'_, LateLook> {
        self.look(move |read| late::lease_late(read, limit))
    }

    fn commit_late(&self, commit: LateCommit) -> Reply<'_, u64> {
        self.write(move |writing| late::commit_late(writing, &commit))
    }

    fn load_due_drafts(
        &self,
        campaign: &Name,
        now: Timestamp,
        limit: usize,
    ) -> Reply<'_, Vec<Draft>> {
        let campaign = campaign.clone();
        self.scan(move |read| drafts::load_due_drafts(read, &campaign, now, limit))
    }

    fn postpone_drafts(
        &self,
        campaign: &Name,
        now: Timestamp,
        most: usize,
        due_at: Timestamp,
        why: String,
    ) -> Reply<'_, usize> {
        let campaign = campaign.clone();
        Box::pin(async move {
            let mut count = 0;
            loop {
                let (campaign, why) = (campaign.clone(), why.clone());
                let moved = self
                    .write(move |writing| {
                        drafts::postpone_drafts(writing, &campaign, now, most, due_at, &why)
                    })
                    .await?;
                count += moved;
                if moved < drafts::POSTPONED_MAX || due_at <= now {
                    return Ok(count);
                }
            }
        })
    }

    fn load_drafts(&self, limit: usize) -> Reply<'_, Vec<Draft>> {
        self.scan(move |read| drafts::load_drafts(read, limit))
    }

    fn commit_drafts(&self, drafts: Vec<Draft>, why: String, now: Timestamp) -> Reply<'_, ()> {
        self.write(move |writing| drafts::commit_drafts(writing, &drafts, &why, now))
    }

    fn commit_review(&self, of: Reviewed, word: ReviewWord, now: Timestamp) -> Reply<'_, usize> {
        self.write(move |writing| drafts::commit_review(writing, &of, word, now))
    }

    fn commit_correction(&self, commit: CorrectionCommit) -> Reply<'_, Vec<Name>> {
        self.write(move |writing| edits::commit_correction(writing, &commit))
    }

    fn load_corrected(
        &self,
        campaign: &Name,
        items: &[ItemId],
        channel: &Name,
        now: Timestamp,
    ) -> Reply<'_, BTreeSet<u32>> {
        let (campaign, items, channel) = (campaign.clone(), items.to_vec(), channel.clone());
        self.scan(move |read| edits::load_corrected(read, &campaign, &items, &channel, now))
    }

    fn load_held_drafts(&self) -> Reply<'_, Vec<Draft>> {
        self.scan(compose::load_held_drafts)
    }

    fn commit_flood(&self, source: &Name, word: FloodWord, now: Timestamp) -> Reply<'_, usize> {
        let source = source.clone();
        self.write(move |writing| compose::commit_flood(writing, &source, word, now))
    }

    fn advance_part(&self, step: Advance) -> Reply<'_, Claimed> {
        Box::pin(async move {
            let done = self.write(move |writing| deliver::advance(writing, &step)).await?;
            done.judged.iter().for_each(tell_judged);
            Ok(done.claimed)
        })
    }

    fn stop_post(&self, post: PostId, why: String) -> Reply<'_, ()> {
        let hand = Hand::default();
        Box::pin(async move {
            let held = hand.clone();
            let first =
                self.write(move |writing| deliver::stop_post(writing, post, &why, &held)).await?;
            self.do_chore(post, first, &hand).await.map(|_| ())
        })
    }

    fn commit_word(&self, post: PostId, word: PostWord, now: Timestamp) -> Reply<'_, Obeyed> {
        let hand = Hand::default();
        Box::pin(async move {
            let held = hand.clone();
            let first = self.write(move |writing| control::obey(writing, post, &word, &held, now));
            let (mut obeyed, progress) = first.await?;
            let done = self.do_chore(post, progress, &hand).await?;
            if let Obeyed::Done { recipients, .. } = &mut obeyed {
                *recipients = done;
            }
            Ok(obeyed)
        })
    }

    fn lease_edits(
        &self,
        channel: &Name,
        after: Option<EditAt>,
        limit: usize,
    ) -> Reply<'_, Vec<EditClaim>> {
        let channel = channel.clone();
        self.scan(move |read| edits::lease_edits(read, &channel, after, limit))
    }

    fn commit_edits(&self, channel: &Name, done: Vec<EditReceipt>) -> Reply<'_, ()> {
        let channel = channel.clone();
        self.write(move |writing| edits::commit_edits(writing, &channel, &done))
    }

    fn stop_edits(&self, post: PostId, revision: u32, why: String) -> Reply<'_, ()> {
        self.write(move |writing| edits::stop_edits(writing, post, revision, &why))
    }

    fn load_post(&self, post: PostId) -> Reply<'_, Option<Post>> {
        self.look(move |read| upkeep::load_post(read, post))
    }

    fn load_media(&self, channel: &Name, keys: &[MediaKey]) -> Reply<'_, Vec<Option<KeptMedium>>> {
        let (channel, keys) = (channel.clone(), keys.to_vec());
        self.look(move |read| media::load_media(read, &channel, &keys))
    }

    fn commit_media(
        &self,
        channel: &Name,
        media: Vec<(MediaKey, Option<KeptMedium>)>,
    ) -> Reply<'_, ()> {
        let channel = channel.clone();
        self.write(move |writing| writing.keep_media(&channel, &media))
    }

    fn load_channel(&self, channel: &Name) -> Reply<'_, ChannelState> {
        let channel = channel.clone();
        self.look(move |read| upkeep::load_channel(read, &channel))
    }

    fn commit_channel(&self, channel: &Name, state: ChannelState) -> Reply<'_, ()> {
        let channel = channel.clone();
        self.write(move |writing| writing.keep_channel(&channel, &state))
    }

    fn load_archive(&self, topic: &Name) -> Reply<'_, Vec<Archived>> {
        let topic = topic.clone();
        self.scan(move |read| archive::load_archive(read, &topic))
    }

    fn load_origins(&self) -> Reply<'_, Origins> {
        self.scan(origins::load_origins)
    }

    fn load_bot(&self, channel: &Name) -> Reply<'_, Option<String>> {
        let channel = channel.clone();
        self.look(move |read| {
            let row = BOTS.open(read)?.load(channel.as_str())?;
            Ok(row.map(|BotName(name)| name))
        })
    }

    fn commit_bot(&self, channel: &Name, name: String) -> Reply<'_, ()> {
        let channel = channel.clone();
        self.write(move |writing| writing.tables.bots.put(channel.as_str(), &BotName(name.clone())))
    }

    fn load_told(
        &self,
        channel: &Name,
        after: Option<u32>,
        limit: usize,
    ) -> Reply<'_, Vec<(Subscriber, Option<Timestamp>)>> {
        let channel = channel.clone();
        self.scan(move |read| remind::load_told(read, &channel, after, limit))
    }

    fn commit_reminders(
        &self,
        channel: &Name,
        reminders: Vec<(u32, Answer)>,
        now: Timestamp,
    ) -> Reply<'_, usize> {
        let channel = channel.clone();
        self.write(move |writing| remind::commit_reminders(writing, &channel, &reminders, now))
    }

    fn load_shown_facets(&self, channel: &Name) -> Reply<'_, Vec<(String, ShownFacet)>> {
        let channel = channel.clone();
        self.look(move |read| facets::load(read, &channel))
    }

    fn commit_shown_facets(
        &self,
        channel: &Name,
        facets: Vec<(String, Option<ShownFacet>)>,
    ) -> Reply<'_, ()> {
        let channel = channel.clone();
        self.write(move |writing| facets::commit(writing, &channel, &facets))
    }

    fn load_pacing(&self, channel: &Name) -> Reply<'_, Option<Pacing>> {
        let channel = channel.clone();
        self.look(move |read| pacing::load_pacing(read, &channel))
    }

    fn commit_pacing(&self, channel: &Name, pacing: Pacing) -> Reply<'_, ()> {
        let channel = channel.clone();
        self.write(move |writing| writing.tables.pacings.put(channel.as_str(), &pacing))
    }

    fn load_halt(&self, channel: &Name) -> Reply<'_, Option<Halt>> {
        let channel = channel.clone();
        self.look(move |read| pacing::load_halt(read, &channel))
    }

    fn commit_halt(&self, channel: &Name, halt: Option<Halt>) -> Reply<'_, bool> {
        let channel = channel.clone();
        self.write(move |writing| writing.keep_halt(&channel, halt.as_ref()))
    }

    fn count_capped(
        &self,
        channel: &Name,
        numbers: Vec<u32>,
        day: u32,
        max: u32,
    ) -> Reply<'_, u64> {
        let channel = channel.clone();
        self.scan(move |read| caps::count_capped(read, &channel, &numbers, (day, max)))
    }

    fn take_stars(&self, channel: &Name, asked: StarsAsked) -> Reply<'_, u64> {
        let channel = channel.clone();
        self.write(move |writing| writing.take_stars(&channel, &asked))
    }

    fn return_stars(&self, channel: &Name, post: PostId, day: u32, tenths: u64) -> Reply<'_, ()> {
        let channel = channel.clone();
        self.write(move |writing| writing.return_stars(&channel, post, day, tenths))
    }

    fn load_stars(&self, channel: &Name, day: u32) -> Reply<'_, u64> {
        let channel = channel.clone();
        self.look(move |read| pacing::stars_of_day(read, &channel, day))
    }

    fn pack(&self) -> Reply<'_, bool> {
        Box::pin(async move {
            let is_small = match &self.path {
                Some(path) => file_bytes(Some(path)).is_some_and(|it| it <= PACKED_BYTES_MAX),
                None => true,
            };
            if !is_small || self.loose.load(Ordering::Relaxed) < LOOSE_BLOCKS {
                return Ok(false);
            }
            let (db, fault, loose) =
                (Arc::clone(&self.db), Arc::clone(&self.fault), Arc::clone(&self.loose));
            let packing = move || {
                let mut db = db.write().unwrap_or_else(PoisonError::into_inner);
                fault.check()?;
                loose.store(0, Ordering::Relaxed);
                pack(&mut db, &fault).map(|_| true)
            };
            tokio::task::spawn_blocking(packing)
                .await
                .map_err(|error| StoreError::Failed { what: format!("packing: {error}") })?
        })
    }

    fn copy_to(&self, target: Arc<File>) -> Reply<'_, io::Result<()>> {
        let Some(path) = self.path.clone() else {
            let none = io::Error::new(io::ErrorKind::Unsupported, "the store is no file");
            return Box::pin(async { Ok(Err(none)) });
        };
        // Where it is written nobody else writes: the last commit stands in the file, and what this
        // transaction has written so far only in pages that no commit has use for. An error of the
        // target is given as a value, because one of the work would end the store.
        self.write(move |_| Ok(open::copy_whole(&path, &target)))
    }

    fn rescue(&self, wire: Wire) -> Reply<'_, Rescued> {
        self.write(move |writing| deliver::rescue(writing, &wire))
    }

    fn commit_signals(&self, signals: Vec<Signal>, now: Timestamp) -> Reply<'_, Vec<Name>> {
        self.write(move |writing| echo::commit_signals(writing, &signals, now))
    }

    fn load_optins(&self, channel: &Name, addresses: &[String]) -> Reply<'_, Vec<Option<Optin>>> {
        let (channel, addresses) = (channel.clone(), addresses.to_vec());
        self.look(move |read| market::load_optins(read, &channel, &addresses))
    }

    fn commit_optins(&self, channel: &Name, told: Vec<(String, OptinWord)>) -> Reply<'_, usize> {
        let channel = channel.clone();
        self.write(move |writing| market::commit_optins(writing, &channel, &told))
    }

    fn forget_optins(&self, channel: &Name, before: Timestamp) -> Reply<'_, usize> {
        let channel = channel.clone();
        Box::pin(async move {
            let (mut forgotten, mut next) = (0, Some(0));
            while let Some(from) = next {
                let channel = channel.clone();
                let part = self
                    .write(move |writing| market::forget_optins(writing, &channel, before, from));
                let (some, left) = part.await?;
                forgotten += some;
                next = left;
            }
            Ok(forgotten)
        })
    }

    fn load_market(&self, channel: &Name) -> Reply<'_, MarketState> {
        let channel = channel.clone();
        self.look(move |read| market::load_market(read, &channel))
    }

    fn commit_market(
        &self,
        channel: &Name,
        campaign: Option<MarketCampaign>,
        templates: Vec<(String, String)>,
    ) -> Reply<'_, ()> {
        let channel = channel.clone();
        self.write(move |writing| {
            market::commit_market(writing, &channel, campaign.as_ref(), &templates)
        })
    }

    fn commit_events(
        &self,
        events: Vec<Event>,
        cursor: Option<(Name, i64)>,
        now: Timestamp,
    ) -> Reply<'_, usize> {
        self.write(move |writing| converse::commit_events(writing, &events, cursor.as_ref(), now))
    }

    fn load_cursor(&self, channel: &Name) -> Reply<'_, Option<i64>> {
        let channel = channel.clone();
        self.look(move |read| converse::load_cursor(read, &channel))
    }

    fn lease_events(&self, limit: usize) -> Reply<'_, Vec<(u64, Event)>> {
        self.scan(move |read| converse::lease_events(read, limit))
    }

    fn load_subscriber(&self, channel: &Name, address: &str) -> Reply<'_, Option<Subscriber>> {
        let (channel, address) = (channel.clone(), address.to_owned());
        self.look(move |read| converse::load_subscriber(read, &channel, &address))
    }

    fn load_recent(&self, channel: &Name, address: &str) -> Reply<'_, Option<Recent>> {
        let (channel, address) = (channel.clone(), address.to_owned());
        self.look(move |read| recent::load_recent(read, &channel, &address))
    }

    fn commit_turn(&self, turn: ConversationCommit, beside: Beside) -> Reply<'_, ()> {
        self.write(move |writing| converse::commit_turn(writing, &turn, &beside))
    }

    fn load_chats(&self, channel: &Name, limit: usize) -> Reply<'_, Vec<(String, ChatSeen)>> {
        let channel = channel.clone();
        self.scan(move |read| chats::load_chats(read, &channel, limit))
    }

    fn commit_chat(&self, channel: &Name, address: &str, chat: Option<ChatSeen>) -> Reply<'_, ()> {
        let (channel, address) = (channel.clone(), address.to_owned());
        self.write(move |writing| chats::commit_chat(writing, &channel, &address, chat.as_ref()))
    }

    fn load_tries(&self, events: &[u64]) -> Reply<'_, Vec<u32>> {
        let events = events.to_vec();
        self.look(move |read| aside::load_tries(read, &events))
    }

    fn note_tries(&self, events: Vec<u64>) -> Reply<'_, ()> {
        self.write(move |writing| aside::note_tries(writing, &events))
    }

    fn fail_event(
        &self,
        event: u64,
        why: String,
        is_counted: bool,
        now: Timestamp,
    ) -> Reply<'_, bool> {
        self.write(move |writing| aside::fail_event(writing, event, &why, is_counted, now))
    }

    fn load_aside(&self, limit: usize) -> Reply<'_, Vec<(u64, PutAside)>> {
        self.scan(move |read| aside::load_aside(read, limit))
    }

    fn commit_event_word(&self, events: Vec<u64>, word: EventWord) -> Reply<'_, usize> {
        self.write(move |writing| aside::commit_event_word(writing, &events, word))
    }

    fn load_watches(&self, channel: &Name, person: u32) -> Reply<'_, Vec<Watch>> {
        let channel = channel.clone();
        self.look(move |read| watch::load_watches(read, &channel, person))
    }

    fn load_product(&self, source: &Name, product: u64) -> Reply<'_, Option<ProductNow>> {
        let source = source.clone();
        self.look(move |read| watch::load_product(read, &source, product))
    }

    fn find_products(
        &self,
        sources: &[Name],
        query: ProductQuery,
        limit: usize,
    ) -> Reply<'_, Vec<FoundProduct>> {
        let sources = sources.to_vec();
        self.scan(move |read| watch::find_products(read, &sources, &query, limit))
    }

    fn list_watches(&self, limit: usize) -> Reply<'_, Vec<(Name, String, Watch)>> {
        self.scan(move |read| watch::list_watches(read, limit))
    }

    fn load_status(&self) -> Reply<'_, Status> {
        self.scan(upkeep::load_status)
    }

    fn load_posts(&self, limit: usize) -> Reply<'_, Vec<Post>> {
        self.scan(move |read| upkeep::load_posts(read, limit))
    }

    fn load_outcomes(&self, post: PostId, channel: &Name) -> Reply<'_, Vec<(u32, Outcome)>> {
        let channel = channel.clone();
        self.scan(move |read| upkeep::load_outcomes(read, post, &channel))
    }

    fn load_post_ids(&self, campaign: Option<&Name>, limit: usize) -> Reply<'_, Vec<PostId>> {
        let campaign = campaign.cloned();
        self.scan(move |read| report::load_post_ids(read, campaign.as_ref(), limit))
    }

    fn load_report(&self, post: PostId, now: Timestamp) -> Reply<'_, Option<PostReport>> {
        self.scan(move |read| report::load_report(read, post, now))
    }

    fn load_delivery(
        &self,
        post: PostId,
        channel: &Name,
        number: u32,
    ) -> Reply<'_, Option<Delivery>> {
        let channel = channel.clone();
        self.scan(move |read| report::load_delivery(read, post, &channel, number))
    }

    fn commit_steps(&self, steps: Vec<(ItemId, Happened)>, now: Timestamp) -> Reply<'_, ()> {
        self.write(move |writing| {
            steps.iter().try_for_each(|(item, what)| writing.trace(*item, now, what.clone()))
        })
    }

    fn load_traces(&self, query: TraceQuery, limit: usize) -> Reply<'_, Vec<Trace>> {
        self.scan(move |read| trace::load_traces(read, &query, limit))
    }

    fn load_knowing(&self, link: u64) -> Reply<'_, Vec<(Name, Timestamp)>> {
        self.scan(move |read| trace::load_knowing(read, link))
    }

    fn load_subscribers(&self, channel: &Name) -> Reply<'_, Vec<Subscriber>> {
        let channel = channel.clone();
        self.scan(move |read| upkeep::load_subscribers(read, &channel))
    }

    fn import_subscribers(&self, channel: &Name, mut people: Vec<Subscriber>) -> Reply<'_, usize> {
        let channel = channel.clone();
        Box::pin(async move {
            let mut added = 0;
            while !people.is_empty() {
                let rest = people.split_off(people.len().min(IMPORTED_MAX));
                let (part, channel) = (std::mem::replace(&mut people, rest), channel.clone());
                added += self
                    .write(move |writing| upkeep::import_subscribers(writing, &channel, &part))
                    .await?;
            }
            Ok(added)
        })
    }

    fn load_people_from(
        &self,
        channel: &Name,
        from: u32,
        limit: usize,
    ) -> Reply<'_, Vec<Subscriber>> {
        let channel = channel.clone();
        self.scan(move |read| arrivals::load_people_from(read, &channel, from, limit))
    }

    fn take_in(&self, mut arrivals: Arrivals) -> Reply<'_, Arrived> {
        Box::pin(async move {
            let mut arrived = Arrived::default();
            while !arrivals.people.is_empty() {
                let rest = arrivals.people.len().min(arrivals::TAKEN_IN_MAX);
                let rest = arrivals.people.split_off(rest);
                let people = std::mem::replace(&mut arrivals.people, rest);
                let part = Arrivals { people, ..arrivals.clone_head() };
                arrived.join(self.write(move |writing| arrivals::take_in(writing, &part)).await?);
            }
            Ok(arrived)
        })
    }

    fn forget_person(&self, erasure: Erasure) -> Reply<'_, Option<u32>> {
        // What freed pages still hold goes with the next packing.
        self.loose.fetch_add(LOOSE_BLOCKS, Ordering::Relaxed);
        self.write(move |writing| forget::forget_person(writing, &erasure))
    }

    fn load_agreements(
        &self,
        channel: &Name,
        numbers: Vec<u32>,
    ) -> Reply<'_, Vec<Option<(Timestamp, String)>>> {
        let channel = channel.clone();
        self.scan(move |read| consents::load_agreements(read, &channel, &numbers))
    }

    fn load_consents(&self, channel: &Name, number: u32, limit: usize) -> Reply<'_, Vec<Proof>> {
        let channel = channel.clone();
        self.scan(move |read| consents::load_consents(read, &channel, number, limit))
    }

    fn audit_consents(&self, noted: Option<Hash>) -> Reply<'_, Audit> {
        self.scan(move |read| consents::audit_consents(read, noted))
    }

    fn load_deletion(&self, code: &str) -> Reply<'_, Option<Deletion>> {
        let code = code.to_owned();
        self.look(move |read| deletions::load_deletion(read, &code))
    }

    fn prune(&self, now: Timestamp) -> Reply<'_, usize> {
        self.write(move |writing| upkeep::prune(writing, now))
    }
}

fn tell_judged(judged: &Judged) {
    let Judged { post, stage, objection } = judged;
    match objection {
        Some(why) => tracing::warn!(post.id = post, %stage, %why, "a rollout was paused"),
        None => tracing::info!(post.id = post, %stage, "a rollout goes on to its next stage"),
    }
}

fn read<T>(
    db: &Database,
    fault: &Fault,
    work: impl FnOnce(&ReadTransaction) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    fault.check()?;
    guard(|| work(&db.begin_read()?)).inspect_err(|error| fault.trip(error))
}

/// Turns a panic into an error: redb may panic on a page that was altered behind its back.
fn guard<T>(work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(StoreError::Damaged { what: "a page makes no sense".into() }))
}

impl From<TransactionError> for StoreError {
    fn from(error: TransactionError) -> Self {
        match error {
            TransactionError::Storage(error) => error.into(),
            other => Self::Failed { what: other.to_string() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::shelf::{KnownListing, ShelfWrite};
    use crate::store::ShelfCommit;

    #[tokio::test]
    async fn sec_s10_a_panic_of_the_writer_is_told_to_everybody_and_ends_the_store() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.redb");
        let store = open(&path).unwrap();
        let panics = store.write::<()>(|_| panic!("half way"));
        let (first, second) = futures_util::future::join(
            panics,
            store.give_up_drafts(vec![DraftId(1)], String::new(), None),
        )
        .await;
        assert!(matches!(first, Err(StoreError::Failed { .. })), "{first:?}");
        assert!(matches!(second, Err(StoreError::Failed { .. })), "{second:?}");
        let later = store.load_sources().await;
        assert!(matches!(later, Err(StoreError::Failed { .. })), "{later:?}");
        drop(store);
        assert!(path.with_extension("suspect").exists());
        assert!(open(&path).unwrap().load_sources().await.unwrap().is_empty());
    }

    /// 2,000 full blocks.
    fn blocks(link: u64) -> Vec<Block> {
        let block = |first: u64| {
            let row = |at: u64| KnownListing {
                key: ShelfKey { product: first + at, variant: 0 },
                link,
                ..KnownListing::default()
            };
            Block::decode((0..83).flat_map(|at| row(at).encode()).collect()).unwrap()
        };
        (0..2_000u64).map(|at| block(at * 100)).collect()
    }

    /// A poll that writes them.
    fn shelving(source: &Name, link: u64) -> PollCommit {
        let shelf = ShelfCommit {
            state: ShelfState::default(),
            writes: blocks(link).into_iter().map(ShelfWrite::Put).collect(),
            prices: vec![],
            now: Timestamp::default(),
        };
        PollCommit {
            source: source.clone(),
            state: SourceState::default(),
            known: None,
            items: vec![],
            drafts: vec![],
            shelf: Some(shelf),
            names: vec![],
            corrections: vec![],
        }
    }

    #[tokio::test]
    async fn a_file_that_held_a_large_shelf_is_packed_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.redb");
        let shop = Name::parse("shop").unwrap();
        for link in 1..4 {
            let store = open(&path).unwrap();
            store.commit_poll(shelving(&shop, link)).await.unwrap();
            drop(store);
            let bytes = std::fs::metadata(&path).unwrap().len();
            let products = 2_000 * 83;
            assert!(bytes <= products * 60, "{} bytes a product", bytes / products);
        }
        let store = open(&path).unwrap();
        assert_eq!(store.load_shelf(&shop, None, 5_000).await.unwrap(), blocks(3));
        assert!(!store.pack().await.unwrap(), "nothing was written since");
        drop(store);
        // The first commit behind a packed file doubles it.
        let packed = std::fs::metadata(&path).unwrap().len();
        let store = open(&path).unwrap();
        let bot = Name::parse("bot").unwrap();
        store.commit_channel(&bot, ChannelState::default()).await.unwrap();
        drop(store);
        let bytes = std::fs::metadata(&path).unwrap().len();
        assert!(bytes <= packed + packed / 50, "{bytes} of {packed}");
    }

    #[tokio::test]
    async fn a_file_is_packed_while_others_use_it() {
        use std::os::unix::fs::MetadataExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.redb");
        let shop = Name::parse("shop").unwrap();
        let store = open(&path).unwrap();
        for link in 1..4 {
            store.commit_poll(shelving(&shop, link)).await.unwrap();
        }
        // What it takes on the disk: the commit that follows may make it longer, of nothing.
        let taken = || std::fs::metadata(&path).unwrap().blocks() * 512;
        let loose = taken();
        let bot = Name::parse("bot").unwrap();
        let (packed, read, written) = futures_util::future::join3(
            store.pack(),
            store.load_shelf(&shop, None, 5_000),
            store.commit_channel(&bot, ChannelState::default()),
        )
        .await;
        assert!(packed.unwrap() && written.is_ok());
        assert_eq!(read.unwrap(), blocks(3));
        let bytes = taken();
        assert!(bytes < loose && bytes <= 2_000 * 83 * 64, "{bytes} of {loose}");
    }

    #[tokio::test]
    async fn an_operation_that_failed_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder.path().join("store.redb")).unwrap();
        let half = store.write::<()>(|writing| {
            writing.tables.sources.put("half", &SourceState::default())?;
            writing.counters()?.draft += 7;
            Err(StoreError::Missing { what: "other half".into() })
        });
        let whole = store.commit_channel(&Name::parse("bot").unwrap(), ChannelState::default());
        let (half, whole) = futures_util::future::join(half, whole).await;
        assert!(matches!(half, Err(StoreError::Missing { .. })), "{half:?}");
        whole.unwrap();
        assert!(store.load_sources().await.unwrap().is_empty());
        assert_eq!(store.write(|writing| Ok(writing.counters()?.draft)).await.unwrap(), 0);
    }
}
