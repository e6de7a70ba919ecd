//! The memory: one trait whose verbs are the pipeline's, each one transaction.
//!
//! A stage leases what is due, works, and commits its result together with what follows from it.
//! Starting is always recovery: [`Store::rescue`] comes first, and there is no clean-shutdown flag.
//! A lease on this machine lives as long as the process that holds the store's file lock; what a
//! lease protects durably is only what is on the wire (`Outcome::InFlight`).

pub mod files;

pub mod journal;

mod codec;

pub mod audience;

mod people;

pub mod watch;

pub mod redb;

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::model::archive::Archived;
use crate::model::audience::Whom;
use crate::model::cap::Caps;
use crate::model::channel::ChannelState;
use crate::model::chat::ChatSeen;
use crate::model::choice::Wait;
use crate::model::control::{Obeyed, PostWord};
use crate::model::correction::{Correction, EditAt, EditClaim, EditReceipt, Kept};
use crate::model::event::{Event, EventWord, PutAside};
use crate::model::item::{Item, ItemId};
use crate::model::known::Known;
use crate::model::lane::{Lane, Optin, Ways};
use crate::model::media::{KeptMedium, MediaKey};
use crate::model::message::Card;
use crate::model::name::Name;
use crate::model::one_off::{FilePost, FilesTaken};
use crate::model::origin::Origins;
use crate::model::pacing::{Halt, Pacing, StarsAsked};
use crate::model::post::{
    Answer, Body, Claim, Counts, Draft, DraftId, Flood, Outcome, Personal, Post, PostId, Receipt,
    Ticket, Zoned,
};
use crate::model::price::{PriceHistory, PriceSeen};
use crate::model::product::ProductName;
use crate::model::proof::{Audit, Hash, Proof};
use crate::model::recent::Recent;
use crate::model::report::PostReport;
use crate::model::shelf::{Block, ShelfKey, ShelfState, ShelfWrite};
use crate::model::signal::Signal;
use crate::model::source::SourceState;
use crate::model::subscriber::{Consent, Standing, Subscriber};
use crate::model::time::Timestamp;
use crate::model::trace::{Happened, Trace};
use crate::model::watch::Watch;
use crate::model::zone::{Gathering, Wall, Zone};

pub use crate::store::watch::{
    FoundProduct, ProductNow, ProductQuery, Telling, WatchWord, Watcher, WatcherQuery, Windows,
};
pub use people::{Arrivals, Arrived, Deletion, Erasure, Newcomer, find_out};

/// How long a story is told only once under one link.
pub const LINK_TOLD_FOR: Duration = Duration::from_secs(30 * 86_400);

/// How long a story is told only once under one title.
pub const TITLE_TOLD_FOR: Duration = Duration::from_secs(86_400);

/// Most items that are looked at for the newest of some sources.
pub const NEWEST_SEEN_MAX: usize = 20_000;

/// An event is put aside when so many tries to answer it have failed.
pub const EVENT_TRIES_MAX: u32 = 3;

/// Every verb's answer.
pub type Reply<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// Why the store did not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has the store open: talk to that one, or stop it.
    #[error("the store `{path}` is in use by another process")]
    InUse { path: String },
    /// The file, or a record of it, is of a version that this program does not know; nothing was
    /// touched.
    #[error(
        "`{path}` has format {found}, this program reads up to {known}: run the newer program \
         again, or restore a backup that this one made"
    )]
    UnknownVersion { path: String, found: u32, known: u32 },
    /// A record's checksum or form is wrong, or the file is not a store.
    #[error("the store is damaged: {what}")]
    Damaged { what: String },
    /// The disk refused; the store answers nothing more until the program is started again.
    #[error("the store failed: {what}")]
    Failed { what: String },
    /// The caller named something that is not there.
    #[error("no {what}")]
    Missing { what: String },
    /// What was decided on has changed meanwhile: nothing is written, look again.
    #[error("{what} has changed meanwhile")]
    Stale { what: String },
}

/// The verbs. All are safe to call from any task; each commits before it answers.
pub trait Store: Send + Sync + 'static {
    // ── poll ────────────────────────────────────────────────────────────────────────────────

    /// The state of every source ever polled, in no order.
    fn load_sources(&self) -> Reply<'_, Vec<(Name, SourceState)>>;

    /// What the source has told; `None` before its first successful poll.
    fn load_known(&self, source: &Name) -> Reply<'_, Option<Known>>;

    /// What is kept of a catalog beside its rows; `None` before its first successful poll.
    fn load_shelf_state(&self, source: &Name) -> Reply<'_, Option<ShelfState>>;

    /// The blocks of a catalog's shelf whose names are greater than `after` (all, for `None`),
    /// ascending, at most `limit`. Nothing but the source's own polls changes them.
    fn load_shelf(
        &self,
        source: &Name,
        after: Option<ShelfKey>,
        limit: usize,
    ) -> Reply<'_, Vec<Block>>;

    /// The price histories of rows of a shelf, in the order asked; empty where there is none.
    fn load_prices(&self, source: &Name, rows: &[ShelfKey]) -> Reply<'_, Vec<PriceHistory>>;

    /// What is kept of products by name, in the order asked.
    fn load_names(&self, source: &Name, products: &[u64]) -> Reply<'_, Vec<Option<ProductName>>>;

    /// Keeps names ahead of the poll that they belong to, which may be too many for one commit. A
    /// name without a row on the shelf is pruned.
    fn commit_names(&self, source: &Name, names: Vec<(u64, ProductName)>) -> Reply<'_, ()>;

    /// One poll's result and all that follows from it, together.
    ///
    /// A draft that is not held and whose content has stories loses the items whose story another
    /// source has told to the same campaign: under the same link in the last
    /// [`LINK_TOLD_FOR`], or under the same title in the last [`TITLE_TOLD_FOR`]. What is left
    /// counts as told from now on; a draft of which nothing is left is not kept. For a held draft
    /// the same is done once it is released.
    fn commit_poll(&self, poll: PollCommit) -> Reply<'_, ()> {
        let told = self.commit_poll_telling(poll, Vec::new(), Windows::default());
        Box::pin(async move { told.await.map(drop) })
    }

    /// As [`Store::commit_poll`], and who has waited for what the poll found is told, in the same
    /// transaction: each watch that is told becomes an answer to its person and is gone. Who can't
    /// be sent anything now waits on. Answers on which channels something waits because of it.
    fn commit_poll_telling(
        &self,
        poll: PollCommit,
        tellings: Vec<Telling>,
        windows: Windows,
    ) -> Reply<'_, Vec<Name>>;

    /// The products of a catalog that somebody watches, each once, ascending, with the link by
    /// which one of them is known (hashed; 0 without one).
    fn load_watched(&self, source: &Name) -> Reply<'_, Vec<(u64, u64)>>;

    /// Who watches a product and can be told now, who asked first in front.
    fn load_watchers(
        &self,
        source: &Name,
        product: u64,
        who: WatcherQuery,
    ) -> Reply<'_, Vec<Watcher>>;

    // ── compose ─────────────────────────────────────────────────────────────────────────────

    /// Keeps a draft (a one-off post) and answers its id.
    fn commit_draft(&self, draft: Draft) -> Reply<'_, DraftId>;

    /// Drafts due at or before `now` that are not held, oldest due first, at most `limit`.
    fn lease_drafts(&self, now: Timestamp, limit: usize) -> Reply<'_, Vec<Draft>>;

    /// When the next draft that is not held is due.
    fn next_draft_at(&self) -> Reply<'_, Option<Timestamp>>;

    /// The items that are (still) there, in the order asked.
    fn load_items(&self, ids: &[ItemId]) -> Reply<'_, Vec<Item>>;

    /// The items that are kept of the sources (none named: of all), those first seen last first, at
    /// most `limit`. Looks at no more than [`NEWEST_SEEN_MAX`] items: of a source that was quiet
    /// while others told that much, nothing is found.
    fn load_newest_items(&self, sources: &[Name], limit: usize) -> Reply<'_, Vec<Item>>;

    /// The numbers, ascending, of active subscribers of the channel with any of the topics;
    /// no topics means every active subscriber.
    fn load_audience(&self, channel: &Name, topics: &[Name]) -> Reply<'_, Vec<u32>>;

    /// Turns drafts into a post with its batches; answers its id.
    /// A draft that is gone already makes it an error, and nothing is written.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when a draft is not there (any more).
    fn commit_post(&self, post: PostCommit) -> Reply<'_, PostId> {
        self.commit_post_as(post, PostRole::default())
    }

    /// As [`Store::commit_post`], and what else the post is, in the same transaction.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when a draft is not there (any more), or not as `role` says; nothing
    /// is written.
    fn commit_post_as(&self, post: PostCommit, role: PostRole) -> Reply<'_, PostId>;

    /// The time zones that active subscribers of the channel have told, each once, with the numbers
    /// of these, ascending.
    fn load_zones(&self, channel: &Name) -> Reply<'_, Vec<(Zone, Vec<u32>)>>;

    /// For which hour of its readers' clocks a campaign gathers.
    fn load_gathering(&self, campaign: &Name) -> Reply<'_, Gathering>;

    fn commit_gathering(&self, campaign: &Name, gathering: Gathering) -> Reply<'_, ()>;

    /// Turns drafts into posts that say the same, one for all whose clocks go alike; answers their
    /// ids, which follow each other. None enters the line before its readers' hour: then it is
    /// skipped if it comes later than it may.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when a draft is not there (any more); nothing is written.
    fn commit_zoned(&self, commit: ZonedCommit) -> Reply<'_, Vec<PostId>>;

    /// The subscribers of the channel with these numbers, which ascend; who is not there is left
    /// out.
    fn load_people(&self, channel: &Name, numbers: Vec<u32>) -> Reply<'_, Vec<Subscriber>>;

    /// The numbers, ascending, of chats that the settings name; those that are new get a record. A
    /// named chat that was out of reach is tried again, a chat that asked us to stop is left alone.
    fn commit_chats(&self, channel: &Name, addresses: Vec<String>) -> Reply<'_, Vec<u32>>;

    /// The drafts that were sent to their reviewers, and as which post.
    fn load_shown(&self) -> Reply<'_, Vec<(DraftId, PostId)>>;

    /// One draft.
    fn load_draft(&self, draft: DraftId) -> Reply<'_, Option<Draft>>;

    /// Brings the drafts of files in line with the files: what is new is planned, what was changed
    /// before its time is changed, what is gone is cancelled. What is due before `now` and new is
    /// not planned; what was sent or cancelled stays so, whatever its file says.
    fn plan_files(&self, files: Vec<FilePost>, now: Timestamp) -> Reply<'_, FilesTaken>;

    /// At most `limit` people who subscribed while posts were on their way that late joiners get,
    /// and whom these posts are for.
    fn lease_late(&self, limit: usize) -> Reply<'_, LateLook>;

    /// Lets late joiners into posts that are still on their way, each once; answers how many.
    fn commit_late(&self, commit: LateCommit) -> Reply<'_, u64>;

    /// Gives a post its next revision: waiting recipients get the new words, and the messages of
    /// the others are due to be edited. Answers the channels of the post.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when the draft is not there (any more), or the post is never
    /// corrected; nothing is written.
    fn commit_correction(&self, commit: CorrectionCommit) -> Reply<'_, Vec<Name>>;

    /// The numbers of those who will read an edit of any of the items in a post of the campaign
    /// that they have, or are about to get, and whose window is open.
    fn load_corrected(
        &self,
        campaign: &Name,
        items: &[ItemId],
        channel: &Name,
        now: Timestamp,
    ) -> Reply<'_, BTreeSet<u32>>;

    /// Removes drafts that came to nothing (no recipient, no item left, their campaign is gone),
    /// all of them or none; the traces of their items say why. Without an instant, since they were
    /// due.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when one is not there (any more); nothing is written.
    fn give_up_drafts(
        &self,
        drafts: Vec<DraftId>,
        why: String,
        now: Option<Timestamp>,
    ) -> Reply<'_, ()>;

    /// The drafts of a campaign that are due at or before `now` and not held, at most `limit` of
    /// those due first; in the order in which their items were found.
    fn load_due_drafts(
        &self,
        campaign: &Name,
        now: Timestamp,
        limit: usize,
    ) -> Reply<'_, Vec<Draft>>;

    /// Gives those drafts that [`Store::load_due_drafts`] leaves out with the limit `most` another
    /// time, `due_at`, after `now`; the traces say why. Answers how many. Many are moved in several
    /// transactions: repeating it after a crash moves the rest.
    fn postpone_drafts(
        &self,
        campaign: &Name,
        now: Timestamp,
        most: usize,
        due_at: Timestamp,
        why: String,
    ) -> Reply<'_, usize>;

    /// Drafts that wait, for their time or for somebody's word: the held ones first, then by their
    /// time, at most `limit`.
    fn load_drafts(&self, limit: usize) -> Reply<'_, Vec<Draft>>;

    /// Keeps drafts in the place of those with their ids; one with the id 0 is kept as a new one.
    /// Of one whose time changes so, the traces say why.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when one is not there (any more); nothing is written.
    fn commit_drafts(&self, drafts: Vec<Draft>, why: String, now: Timestamp) -> Reply<'_, ()>;

    /// Somebody's word on drafts that wait for it: answers how many it touched. What is released is
    /// due at once; items whose story was told meanwhile are left out, as in
    /// [`Store::commit_poll`].
    fn commit_review(&self, of: Reviewed, word: ReviewWord, now: Timestamp) -> Reply<'_, usize>;

    // ── floods ──────────────────────────────────────────────────────────────────────────────

    /// Held drafts, oldest first.
    fn load_held_drafts(&self) -> Reply<'_, Vec<Draft>>;

    /// The admins' word on all held drafts of a source: answers how many drafts it touched. Items
    /// whose story was told meanwhile are left out, as in [`Store::commit_poll`].
    fn commit_flood(&self, source: &Name, word: FloodWord, now: Timestamp) -> Reply<'_, usize>;

    // ── deliver ─────────────────────────────────────────────────────────────────────────────

    /// As [`Store::advance_part`], over and over, until there is nothing more to be looked at or so
    /// many claims as were asked for. Whoever has others waiting asks part by part.
    fn advance(&self, mut step: Advance) -> Reply<'_, Vec<Claim>> {
        Box::pin(async move {
            let limit = step.claims;
            let mut claims = Vec::new();
            loop {
                let next = Advance { receipts: Vec::new(), ..step.clone() };
                let done = self.advance_part(step).await?;
                claims.extend(done.claims);
                if !done.is_cut || claims.len() >= limit {
                    return Ok(claims);
                }
                step = Advance { claims: limit - claims.len(), ..next };
            }
        })
    }

    /// Commits what came back and claims what goes out, in one transaction.
    ///
    /// Claims are answers first (oldest first), then recipients of the channel's unfinished posts:
    /// those of the highest priority first, equal ones in fair turns (a chunk of each post by
    /// turns), none of those that are paused. What is claimed is durably in flight. Fewer
    /// than `claims` come back when there is no more work, or enough was looked at. Of the answers
    /// to one person only the oldest is handed out; the next one comes once its receipt is here, so
    /// they arrive in order. Who got as many posts of campaigns today as `caps` allow is not
    /// claimed: the post is held for them, and comes with all else that is held in one answer on the
    /// next day, or, where their window is closed then, in the lane that it finds. So it is with who
    /// has chosen to get the post's topics once a day or once a week, or not at this hour, unless it
    /// is urgent: at their hour all comes that has waited for it. A recipient who
    /// has left or blocked meanwhile, or whose post was stopped, is skipped here and not handed
    /// out; nobody is claimed of a post whose hours are closed. A receipt whose ticket is not in
    /// flight (any more) is ignored.
    ///
    /// A receipt's standing does not count for who has asked us to stop. An answer that carries
    /// held posts settles them: sent; uncertain, but held again where the post says `resend`; held
    /// again after any other end, unless the channel has no windows: there a failure is final.
    ///
    /// Each claim comes with its lane (see `model::lane`), chosen here of the step's ways: who has
    /// none but the held one is held here and not handed out. A marketing message is paid here,
    /// before it goes out, and what was not sent is paid back.
    /// Where the channel has echoes, what is uncertain stays so until its echo comes; where the
    /// post says `resend` it stays in flight instead, and after `ECHO_WAIT` without an echo it
    /// waits again. What is held for longer than the ways say is skipped as expired, and so is what
    /// is too much for one person.
    fn advance_part(&self, step: Advance) -> Reply<'_, Claimed>;

    /// Skips every waiting recipient of the post from now on, and those for whom it is held. Of a
    /// large post several transactions do it: after a crash [`Store::advance`] goes on, and nobody
    /// is claimed meanwhile.
    fn stop_post(&self, post: PostId, why: String) -> Reply<'_, ()>;

    /// The admins' word on a post. What is in flight comes home as ever, whatever the word. Whoever
    /// is to be skipped or tried again of a large post is so in several transactions: after a crash
    /// [`Store::advance`] goes on.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is no such post (any more).
    fn commit_word(&self, post: PostId, word: PostWord, now: Timestamp) -> Reply<'_, Obeyed>;

    /// Recipients of the channel whose messages are older than their post, in order, from the one
    /// behind `after` on (all, for `None`), at most `limit`.
    ///
    /// Nothing is written: who is handed out twice is edited twice, which does no harm.
    fn lease_edits(
        &self,
        channel: &Name,
        after: Option<EditAt>,
        limit: usize,
    ) -> Reply<'_, Vec<EditClaim>>;

    /// Keeps what became of edits.
    fn commit_edits(&self, channel: &Name, done: Vec<EditReceipt>) -> Reply<'_, ()>;

    /// Edits nothing more of this revision of the post; a later one is edited again.
    fn stop_edits(&self, post: PostId, revision: u32, why: String) -> Reply<'_, ()>;

    fn load_post(&self, post: PostId) -> Reply<'_, Option<Post>>;

    /// What is kept of media on a channel, in the order asked.
    fn load_media(&self, channel: &Name, keys: &[MediaKey]) -> Reply<'_, Vec<Option<KeptMedium>>>;

    /// Keeps media in place of what was kept under their keys; `None` forgets. Losing one costs an
    /// upload and nothing else.
    fn commit_media(
        &self,
        channel: &Name,
        media: Vec<(MediaKey, Option<KeptMedium>)>,
    ) -> Reply<'_, ()>;

    fn load_channel(&self, channel: &Name) -> Reply<'_, ChannelState>;

    fn commit_channel(&self, channel: &Name, state: ChannelState) -> Reply<'_, ()>;

    /// What was sent to a topic that is kept for everybody, the newest first: posts that somebody got
    /// and that were not taken back. No more than some hundred are kept of a topic.
    fn load_archive(&self, topic: &Name) -> Reply<'_, Vec<Archived>>;

    /// Where everybody who ever subscribed came from. Reads every subscriber.
    fn load_origins(&self) -> Reply<'_, Origins>;

    /// What the service calls the channel's bot, as far as it was asked.
    fn load_bot(&self, channel: &Name) -> Reply<'_, Option<String>>;

    fn commit_bot(&self, channel: &Name, name: String) -> Reply<'_, ()>;

    /// `None` of a channel that never sent.
    fn load_pacing(&self, channel: &Name) -> Reply<'_, Option<Pacing>>;

    fn commit_pacing(&self, channel: &Name, pacing: Pacing) -> Reply<'_, ()>;

    /// Why nothing is sent on the channel until somebody says so.
    fn load_halt(&self, channel: &Name) -> Reply<'_, Option<Halt>>;

    /// Halts a channel, or lets it go on; answers whether that changed anything. Of a channel that
    /// is halted already the first reason stands.
    fn commit_halt(&self, channel: &Name, halt: Option<Halt>) -> Reply<'_, bool>;

    /// How many of these people, whose numbers ascend, got `max` posts of campaigns on that day, or
    /// more.
    fn count_capped(&self, channel: &Name, numbers: Vec<u32>, day: u32, max: u32)
    -> Reply<'_, u64>;

    /// Counts Stars as spent, as many as the budget has left; answers how many, in tenths.
    fn take_stars(&self, channel: &Name, asked: StarsAsked) -> Reply<'_, u64>;

    /// Counts Stars as not spent after all.
    fn return_stars(&self, channel: &Name, post: PostId, day: u32, tenths: u64) -> Reply<'_, ()>;

    /// What the channel spent on a day, in tenths of a Star.
    fn load_stars(&self, channel: &Name, day: u32) -> Reply<'_, u64>;

    /// Puts in order what a crash left in flight; comes before every other verb of a run.
    ///
    /// Receipts of the journal are applied. What else is in flight goes back to waiting if the
    /// journal is trusted and shows no start for its ticket; otherwise it becomes uncertain, or
    /// waiting again where the post says `resend` (an answer to a person is dropped, and counted).
    fn rescue(&self, wire: Wire) -> Reply<'_, Rescued>;

    /// Takes in what services tell of messages that we sent; answers the channels on which
    /// something waits because of it. Saying it again changes nothing.
    ///
    /// An echo settles whom it is about: sent, if all of the message is out; else the rest waits.
    fn commit_signals(&self, signals: Vec<Signal>, now: Timestamp) -> Reply<'_, Vec<Name>>;

    /// What is known of opt-ins of people by their addresses, in the order asked.
    fn load_optins(&self, channel: &Name, addresses: &[String]) -> Reply<'_, Vec<Option<Optin>>>;

    /// What the service told of opt-ins, by the people's addresses; who is not there is left out.
    /// Answers of how many people it was.
    fn commit_optins(&self, channel: &Name, told: Vec<(String, OptinWord)>) -> Reply<'_, usize>;

    /// Takes the tokens of which the service did not tell since `before`.
    fn forget_optins(&self, channel: &Name, before: Timestamp) -> Reply<'_, usize>;

    /// How the channel's marketing messages stand.
    fn load_market(&self, channel: &Name) -> Reply<'_, MarketState>;

    /// Keeps the campaign that the channel's marketing messages belong to (`None` leaves it), and
    /// which templates are approved, by name and language.
    fn commit_market(
        &self,
        channel: &Name,
        campaign: Option<MarketCampaign>,
        templates: Vec<(String, String)>,
    ) -> Reply<'_, ()>;

    // ── converse ────────────────────────────────────────────────────────────────────────────

    /// Keeps events for [`Store::lease_events`], dropping those whose (channel, id) was seen in
    /// the last 72 hours of `now`, and moves the channel's cursor in the same transaction.
    /// Answers how many were new.
    fn commit_events(
        &self,
        events: Vec<Event>,
        cursor: Option<(Name, i64)>,
        now: Timestamp,
    ) -> Reply<'_, usize>;

    /// Where the channel's reading of updates goes on.
    fn load_cursor(&self, channel: &Name) -> Reply<'_, Option<i64>>;

    /// The oldest events not yet answered, oldest first, with the numbers to name them by.
    fn lease_events(&self, limit: usize) -> Reply<'_, Vec<(u64, Event)>>;

    fn load_subscriber(&self, channel: &Name, address: &str) -> Reply<'_, Option<Subscriber>>;

    /// One event's consequences: the person's new record, the consent, the answers; the event is
    /// done with it. A subscriber that is new gets the next number (whatever `number` says), and
    /// the consent gets the same. Who the event is from is told by its address: another address in
    /// the new record moves the person there. Answers reach people without a record too.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when the event is done with already; nothing is written.
    fn commit_conversation(&self, turn: ConversationCommit) -> Reply<'_, ()> {
        self.commit_turn(turn, Beside::default())
    }

    /// As [`Store::commit_conversation`], and what is kept beside it, in the same transaction. What
    /// the person did lately is kept where there is a record of them, and for two days; watches not
    /// beyond `WATCHES_MAX` of one person.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when the event is done with already, [`StoreError::Stale`] when what
    /// is to be waited for has come meanwhile; nothing is written.
    fn commit_turn(&self, turn: ConversationCommit, beside: Beside) -> Reply<'_, ()>;

    /// What somebody did lately.
    fn load_recent(&self, channel: &Name, address: &str) -> Reply<'_, Option<Recent>>;

    /// The groups and channels that the channel's bot was let into, by their addresses, at most
    /// `limit`.
    fn load_chats(&self, channel: &Name, limit: usize) -> Reply<'_, Vec<(String, ChatSeen)>>;

    /// What is known of such a chat; `None` once the bot was removed.
    fn commit_chat(&self, channel: &Name, address: &str, chat: Option<ChatSeen>) -> Reply<'_, ()>;

    /// How often each of these events was tried, as far as it was counted.
    fn load_tries(&self, events: &[u64]) -> Reply<'_, Vec<u32>>;

    /// Counts one more try of each of these events, before it is made: so that one which ends the
    /// whole program counts too.
    fn note_tries(&self, events: Vec<u64>) -> Reply<'_, ()>;

    /// One try to answer an event has failed; `is_counted` says that [`Store::note_tries`] has
    /// counted it. Answers whether that was one too many: then the event is put aside, for somebody
    /// to look at, and the next one of the person goes on.
    fn fail_event(
        &self,
        event: u64,
        why: String,
        is_counted: bool,
        now: Timestamp,
    ) -> Reply<'_, bool>;

    /// Events that were put aside, with their numbers, oldest first.
    fn load_aside(&self, limit: usize) -> Reply<'_, Vec<(u64, PutAside)>>;

    /// The word on events that were put aside (none named: all); answers how many it touched.
    fn commit_event_word(&self, events: Vec<u64>, word: EventWord) -> Reply<'_, usize>;

    /// What a person waits for, in the order in which they asked.
    fn load_watches(&self, channel: &Name, person: u32) -> Reply<'_, Vec<Watch>>;

    /// A product of a catalog; `None` for one that its shelf does not have.
    fn load_product(&self, source: &Name, product: u64) -> Reply<'_, Option<ProductNow>>;

    /// Products of these catalogs, at most `limit`. It may look at every row of their shelves.
    fn find_products(
        &self,
        sources: &[Name],
        query: ProductQuery,
        limit: usize,
    ) -> Reply<'_, Vec<FoundProduct>>;

    /// All watches by channel and the person's address, at most `limit`.
    fn list_watches(&self, limit: usize) -> Reply<'_, Vec<(Name, String, Watch)>>;

    /// At most `limit` people of the channel in the order of their numbers, from behind `after` on,
    /// and when each was told last what they get: by a welcome or a reminder.
    fn load_told(
        &self,
        channel: &Name,
        after: Option<u32>,
        limit: usize,
    ) -> Reply<'_, Vec<(Subscriber, Option<Timestamp>)>>;

    /// Puts a reminder at the end of each person's queue, by number, and keeps that they were told
    /// then. Who is not active (any more), or was told since, is left out; answers how many were
    /// not.
    fn commit_reminders(
        &self,
        channel: &Name,
        reminders: Vec<(u32, Answer)>,
        now: Timestamp,
    ) -> Reply<'_, usize>;

    // ── listen ──────────────────────────────────────────────────────────────────────────────

    /// What was written last of how the channel shows itself, by key.
    fn load_shown_facets(&self, channel: &Name) -> Reply<'_, Vec<(String, ShownFacet)>>;

    /// Keeps what was written under each key; `None` forgets.
    fn commit_shown_facets(
        &self,
        channel: &Name,
        facets: Vec<(String, Option<ShownFacet>)>,
    ) -> Reply<'_, ()>;

    // ── admin and upkeep ────────────────────────────────────────────────────────────────────

    fn load_status(&self) -> Reply<'_, Status>;

    /// Newest first.
    fn load_posts(&self, limit: usize) -> Reply<'_, Vec<Post>>;

    /// Every recipient's number and outcome of one post on one channel, ascending.
    fn load_outcomes(&self, post: PostId, channel: &Name) -> Reply<'_, Vec<(u32, Outcome)>>;

    /// The posts of a campaign (none named: all), newest first.
    fn load_post_ids(&self, campaign: Option<&Name>, limit: usize) -> Reply<'_, Vec<PostId>>;

    /// What became of a post, counted batch by batch.
    fn load_report(&self, post: PostId, now: Timestamp) -> Reply<'_, Option<PostReport>>;

    /// What is known of one recipient of a post; `None` for who is not in its audience.
    fn load_delivery(
        &self,
        post: PostId,
        channel: &Name,
        number: u32,
    ) -> Reply<'_, Option<Delivery>>;

    /// Adds to the traces of items what happened to them outside of the other verbs. An item of
    /// which nothing is kept leaves no trace.
    fn commit_steps(&self, steps: Vec<(ItemId, Happened)>, now: Timestamp) -> Reply<'_, ()>;

    /// The traces of the items that are meant: those that are called just so before those that only
    /// hold the words, and of these those of which something happened last first.
    fn load_traces(&self, query: TraceQuery, limit: usize) -> Reply<'_, Vec<Trace>>;

    /// The sources that know an item under this link (a hash; see `Keys`), and when they saw it
    /// last.
    fn load_knowing(&self, link: u64) -> Reply<'_, Vec<(Name, Timestamp)>>;

    /// Subscribers of a channel in the order of their numbers.
    fn load_subscribers(&self, channel: &Name) -> Reply<'_, Vec<Subscriber>>;

    /// Adds subscribers that are not there by address; answers how many were added. Many are added
    /// in several transactions: repeating it after a crash adds the rest.
    fn import_subscribers(&self, channel: &Name, people: Vec<Subscriber>) -> Reply<'_, usize>;

    /// A page of a channel's subscribers: at most `limit`, in the order of their numbers, from the
    /// number `from` on.
    fn load_people_from(
        &self,
        channel: &Name,
        from: u32,
        limit: usize,
    ) -> Reply<'_, Vec<Subscriber>>;

    /// Takes in people whom somebody else vouches for, each with the consent that is claimed for
    /// them. Who is known by their address is left as they are, whatever their standing, and who
    /// was erased does not come back. Many are taken in in several transactions: repeating it after
    /// a crash takes in the rest.
    fn take_in(&self, arrivals: Arrivals) -> Reply<'_, Arrived>;

    /// Forgets somebody in every table, in one transaction: what is left is counts, and the proof
    /// that somebody consented. Answers the number they had; `None` for who is not there, of whom
    /// whatever waits at the address goes all the same.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when the event that asks for it is done with already; nothing is
    /// written.
    fn forget_person(&self, erasure: Erasure) -> Reply<'_, Option<u32>>;

    /// What the ledger of consents holds of somebody, oldest first, at most the newest `limit`.
    fn load_consents(&self, channel: &Name, number: u32, limit: usize) -> Reply<'_, Vec<Proof>>;

    /// The newest yes that the ledger holds of each: when, and how it came (see `Consent::way`).
    fn load_agreements(
        &self,
        channel: &Name,
        numbers: Vec<u32>,
    ) -> Reply<'_, Vec<Option<(Timestamp, String)>>>;

    /// Looks through the whole ledger of consents, and for the entry of a hash that was noted.
    fn audit_consents(&self, noted: Option<Hash>) -> Reply<'_, Audit>;

    fn load_deletion(&self, code: &str) -> Reply<'_, Option<Deletion>>;

    /// Removes what no rule needs any more: items older than 30 days that no draft names, posts
    /// finished for 90 days, seen event ids older than 72 hours, messages of posts whose window
    /// of corrections is over, stories told 30 days ago, traces of items without a step for 90
    /// days, deletions that were asked for 90 days ago, price
    /// histories that tell nothing any more, names of products that no shelf has, media that were
    /// of no use for 90 days, watches whose time is over. Bounded work a call; answers how many rows went.
    fn prune(&self, now: Timestamp) -> Reply<'_, usize>;

    /// Gives back the room that large catalogs have left unused; answers whether there was any
    /// worth it. Whoever reads or writes waits meanwhile, a second or so for 60 MB, so it is for
    /// quiet moments; a store that is too large to be waited for is left as it is.
    fn pack(&self) -> Reply<'_, bool>;

    /// Writes a copy of the store as it stands into an empty file: what a process that ends now would
    /// leave, which a start puts in order. Whoever writes waits meanwhile, whoever reads does not.
    ///
    /// The inner error is the file's, and costs the store nothing.
    fn copy_to(&self, target: Arc<File>) -> Reply<'_, io::Result<()>>;
}

/// What [`Store::commit_poll`] writes.
#[derive(Clone, Debug)]
pub struct PollCommit {
    pub source: Name,
    pub state: SourceState,
    /// `None` leaves what is known as it is.
    pub known: Option<Known>,
    /// Items that matter to a draft; a row that is there already is written over.
    pub items: Vec<Item>,
    /// Their ids are given by the store.
    pub drafts: Vec<Draft>,
    /// `None` for all but catalogs.
    pub shelf: Option<ShelfCommit>,
    /// Of products of the shelf, in place of what they were called before.
    pub names: Vec<(u64, ProductName)>,
    /// What may have been told already and is to be told right. An item that only drafts name is
    /// brought up to date, or withdrawn from them.
    pub corrections: Vec<Correction>,
}

/// What a poll changes of a catalog's shelf.
#[derive(Clone, Debug)]
pub struct ShelfCommit {
    pub state: ShelfState,
    pub writes: Vec<ShelfWrite>,
    /// For the price histories.
    pub prices: Vec<PriceSeen>,
    /// When the prices were seen.
    pub now: Timestamp,
}

/// What [`Store::commit_post`] writes.
#[derive(Clone, Debug)]
pub struct PostCommit {
    pub drafts: Vec<DraftId>,
    pub post: Post,
    pub audiences: Audiences,
}

/// By channel, the numbers of those who get a post, ascending.
pub type Audiences = Vec<(Name, Vec<u32>)>;

/// What [`Store::commit_zoned`] writes.
#[derive(Clone, Debug)]
pub struct ZonedCommit {
    pub campaign: Name,
    pub drafts: Vec<DraftId>,
    /// Each with its `zoned`.
    pub posts: Vec<(Post, Audiences)>,
    /// Late joiners get one of them if it is for them.
    pub late: Option<Whom>,
    /// The hour that is decided with it.
    pub decided: Option<Wall>,
    /// The topics under which everybody may read it.
    pub archive: Vec<Name>,
}

/// What a post is beside a post.
#[derive(Clone, Debug, Default)]
pub struct PostRole {
    /// Late joiners get it if it is for them.
    pub late: Option<Whom>,
    /// It shows its reviewers this draft, which goes on waiting. Once it is gone nothing is
    /// written.
    pub shows: Option<DraftId>,
    /// This draft must still be due then: once it was moved nothing is written.
    pub unmoved: Option<(DraftId, Timestamp)>,
    /// The topics under which everybody may read it.
    pub archive: Vec<Name>,
}

/// Late joiners, and the posts on their way that let them in.
#[derive(Clone, Debug, Default)]
pub struct LateLook {
    pub people: Vec<(Name, Subscriber)>,
    /// Those that were made together for clocks that differ are told by their `Zoned`.
    pub rules: Vec<(PostId, Whom, Option<Box<Zoned>>)>,
    /// Posts for which nobody was looked for since they were made: who came between the finding of
    /// their audience and then is noted nowhere.
    pub unswept: Vec<(PostId, Whom, Option<Box<Zoned>>)>,
}

/// What [`Store::commit_late`] writes.
#[derive(Clone, Debug, Default)]
pub struct LateCommit {
    /// Who was looked at.
    pub seen: Vec<(Name, u32)>,
    /// Who is let into which post.
    pub joining: Vec<(PostId, Name, Vec<u32>)>,
    /// Posts for which everybody was looked at after they were made.
    pub swept: Vec<PostId>,
}

/// What [`Store::commit_correction`] writes.
#[derive(Clone, Debug)]
pub struct CorrectionCommit {
    pub draft: DraftId,
    pub post: PostId,
    pub title: String,
    pub bodies: Vec<Body>,
    pub personal: Option<Personal>,
    pub cards: Vec<Card>,
    /// A picture or another file is another one now.
    pub has_new_media: bool,
    /// All items that the source took back up to now.
    pub retracted: Vec<ItemId>,
    /// Nothing is left to tell: nobody gets it any more.
    pub is_taken_back: bool,
    /// The messages are to be taken away, not edited.
    pub is_deleted: bool,
    pub now: Timestamp,
}

/// The admins' word on a held flood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FloodWord {
    /// Send all that was kept.
    Release,
    /// Send only the newest so many.
    Newest(u32),
    /// Send nothing: everything is known.
    Known,
}

/// The drafts that a word is on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reviewed {
    Draft(DraftId),
    /// All of a campaign.
    Campaign(Name),
}

/// Somebody's word on a draft that waits to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReviewWord {
    Release,
    /// It is never sent.
    Drop,
}

/// Which items are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TraceQuery {
    Item(ItemId),
    /// Its address in any of its forms.
    Link(String),
    /// Its title or a part of it, whatever the case.
    Title(String),
}

/// What is known of one recipient of one post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub outcome: Outcome,
    /// When it was settled last; `None` where that is not known.
    pub at: Option<Timestamp>,
    /// It is held, and comes by itself then.
    pub carried_until: Option<Timestamp>,
    /// What it waits for where it is held.
    pub wait: Wait,
    /// `None` for the usual one.
    pub lane: Option<Lane>,
    /// As far as the service tells.
    pub is_delivered: bool,
    pub is_read: bool,
}

/// What is told of somebody's opt-in to marketing messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OptinWord {
    /// They agreed, or still do.
    Open {
        token: String,
        expires_at: Option<Timestamp>,
        /// Nothing more is to be sent before.
        next_at: Option<Timestamp>,
        at: Timestamp,
    },
    /// They do not want it any more, or the token is of no use.
    Closed,
    /// Nothing more is to be sent before.
    Rests { until: Timestamp },
}

/// The service's campaign for marketing messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarketCampaign {
    pub id: String,
    pub made_at: Timestamp,
}

/// How a channel's marketing messages stand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarketState {
    pub campaign: Option<MarketCampaign>,
    /// Those that are approved, by name and language.
    pub templates: Vec<(String, String)>,
    /// The period that was paid in last, and what was spent in it, in millionths.
    pub period: i64,
    pub spent: u64,
    /// Messages paid since the beginning.
    pub paid: u64,
}

/// One thing that a service shows of us, as it was written last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownFacet {
    /// Of what was to be written.
    pub hash: [u8; 16],
    /// It was not written: somebody else's words stand there, and ours are only a default.
    pub is_left: bool,
}

/// What [`Store::advance`] is given.
#[derive(Clone, Debug)]
pub struct Advance {
    pub channel: Name,
    pub receipts: Vec<Receipt>,
    /// How many more claims the caller can take.
    pub claims: usize,
    /// Posts of which nothing is claimed now.
    pub resting: Vec<PostId>,
    /// How much one person gets in a day; `None`: however much there is.
    pub caps: Option<Arc<Caps>>,
    /// What the channel can do now.
    pub ways: Ways,
    pub now: Timestamp,
}

/// What [`Store::advance_part`] answers.
#[derive(Clone, Debug, Default)]
pub struct Claimed {
    pub claims: Vec<Claim>,
    /// How many recipients were held for their next contact.
    pub held: u64,
    /// Enough was looked at: there may be more work.
    pub is_cut: bool,
}

/// What the journal knows of the requests that were under way when the last run ended.
#[derive(Clone, Debug, Default)]
pub struct Wire {
    /// Nothing that was written to the journal can be missing from it (same boot of the machine).
    pub is_trusted: bool,
    /// Tickets whose request went out, with the number of the part that was begun.
    pub started: Vec<(Ticket, u8)>,
    /// What came back and may not have been committed.
    pub receipts: Vec<Receipt>,
    /// Messages of the parts that arrived before, of posts that may be corrected.
    pub parts: Vec<(Ticket, Kept)>,
}

/// What [`Store::rescue`] found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rescued {
    /// Settled by a receipt of the journal.
    pub settled: u64,
    /// Claimed but never begun: waiting again.
    pub returned: u64,
    /// On the wire at the end: nobody knows.
    pub uncertain: u64,
    /// On the wire at the end and sent again, as their campaigns say.
    pub resent: u64,
}

/// What [`Store::commit_conversation`] writes.
#[derive(Clone, Debug)]
pub struct ConversationCommit {
    /// The number from [`Store::lease_events`].
    pub event: u64,
    pub channel: Name,
    /// `None` leaves the record as it is (or absent).
    pub subscriber: Option<Subscriber>,
    pub consent: Option<Consent>,
    /// In the order they are to arrive.
    pub answers: Vec<Answer>,
    /// The person can be reached now: what was held for them follows the answers as one carousel
    /// of at most `HELD_CARDS_MAX` cards, newest first; older ones are skipped as superseded.
    pub releases_held: bool,
}

/// What [`Store::commit_turn`] writes beside the conversation.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// What the person did lately.
    pub recent: Option<Recent>,
    /// What changes of their watches.
    pub watching: Vec<WatchWord>,
}

/// Figures for people.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    pub sources: Vec<(Name, SourceState)>,
    pub channels: Vec<ChannelStatus>,
    /// Drafts waiting for their time.
    pub drafts: u64,
    pub floods: Vec<Flood>,
    /// Drafts that wait for somebody to look at them.
    pub reviews: u64,
    /// Events not yet answered.
    pub events: u64,
    /// Events that could not be answered.
    pub events_aside: u64,
    /// Over all posts kept.
    pub counts: Counts,
    pub unfinished_posts: u64,
    /// Posts for readers' clocks that nobody got yet, in the order in which they were made.
    pub zoned: Vec<(PostId, Box<Zoned>)>,
    /// Posts that are paused, and why, in the order in which they were made.
    pub paused: Vec<(PostId, String)>,
    /// What people wait for of products.
    pub watches: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelStatus {
    pub channel: Name,
    pub state: ChannelState,
    pub halt: Option<Halt>,
    /// `None` of a channel that never sent.
    pub pacing: Option<Pacing>,
    /// How many subscribers are in which standing.
    pub subscribers: Vec<(Standing, u64)>,
    /// Answers not yet sent.
    pub answers: u64,
}
