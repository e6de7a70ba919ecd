//! The store in one file of redb.
//!
//! One thread writes (`writer`), in grouped durable transactions; readers see the last commit and
//! never wait for it. Every verb is one transaction, but for an import, which is one per
//! [`IMPORTED_MAX`] people. The file is locked while it is open: a second open is refused.
//!
//! Every record has a version and a checksum (`store::codec`). A file of up to
//! [`CHECKED_BYTES_MAX`] is also checked page by page when it is opened; of a larger one each
//! record is checked when it is read.

mod rows;

mod tables;

mod writer;

mod ledger;

mod crowd;

mod poll;

mod compose;

mod deliver;

mod converse;

mod upkeep;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use redb::{
    Builder, Database, DatabaseError, ReadTransaction, ReadableDatabase, StorageBackend,
    StorageError, TransactionError,
};

use crate::model::channel::ChannelState;
use crate::model::event::Event;
use crate::model::item::{Item, ItemId};
use crate::model::known::Known;
use crate::model::name::Name;
use crate::model::post::{Claim, Draft, DraftId, Outcome, Post, PostId};
use crate::model::source::SourceState;
use crate::model::subscriber::Subscriber;
use crate::model::time::Timestamp;
use crate::store::redb::ledger::Writing;
use crate::store::redb::rows::Format;
use crate::store::redb::tables::{FORMAT, Tables};
use crate::store::redb::writer::{Fault, Writer};
use crate::store::{
    Advance, ConversationCommit, FloodWord, PollCommit, PostCommit, Reply, Rescued, Status, Store,
    StoreError, Wire,
};

/// The file's format that is written, and the only one that is read.
const FORMAT_KNOWN: u32 = 1;

/// Memory for pages of the file.
const CACHE_BYTES: usize = 16 << 20;

/// Largest file of which every page is checked when it is opened.
const CHECKED_BYTES_MAX: u64 = 64 << 20;

/// Most subscribers that one transaction imports: others get their turn between two.
const IMPORTED_MAX: usize = 4_096;

/// Bytes copied at a time when the file is written anew.
const COPIED_BYTES: usize = 1 << 20;

/// An open store. Dropping it waits for the last commit and unlocks the file.
pub struct RedbStore {
    // Dropped first: the thread ends before the file is closed.
    writer: Writer,
    db: Arc<Database>,
    fault: Arc<Fault>,
}

/// Opens the store at `path`; makes it when nothing is there.
///
/// After a run that ended with an error of the disk, the file is first copied to a new one that
/// takes its place, because the machine may show what the disk never got.
///
/// # Errors
/// [`StoreError::InUse`] when it is open elsewhere; [`StoreError::UnknownVersion`] and
/// [`StoreError::Damaged`] when it is not a store that this program can read: then nothing that it
/// holds was changed, and a backup is to be restored. [`StoreError::Failed`] when the disk refuses.
pub fn open(path: &Path) -> Result<RedbStore, StoreError> {
    let marker = path.with_extension("suspect");
    if !fs::exists(path).map_err(failed("looking for", path))? {
        create(path)?;
    }
    if fs::exists(&marker).map_err(failed("looking for", &marker))? {
        rewrite(path)?;
        fs::remove_file(&marker).map_err(failed("removing", &marker))?;
        sync_parent(path)?;
    }
    let file_bytes = fs::metadata(path).map_err(failed("looking at", path))?.len();
    let name = path.display().to_string();
    if file_bytes == 0 {
        return Err(unusable(&name, "the file is empty"));
    }
    let db = open_database(&name, |builder| {
        builder.set_check_integrity_on_open(file_bytes <= CHECKED_BYTES_MAX).open(path)
    })?;
    RedbStore::start(db, &name, Fault::new(Some(marker)))
}

/// Opens a store on another medium than a file, and makes it there when the medium is empty.
///
/// The medium has to pass on the locks as redb asks for them.
///
/// # Errors
/// As [`open`].
pub fn open_on(medium: impl StorageBackend) -> Result<RedbStore, StoreError> {
    let name = "medium";
    let db = open_database(name, |builder| builder.create_with_backend(medium))?;
    RedbStore::start(db, name, Fault::default())
}

impl RedbStore {
    fn start(db: Database, name: &str, fault: Fault) -> Result<Self, StoreError> {
        guard(|| {
            if db.begin_read()?.list_tables()?.next().is_none() {
                initialise(&db)
            } else {
                check_format(&db, name)
            }
        })?;
        let (db, fault) = (Arc::new(db), Arc::new(fault));
        let writer = Writer::start(Arc::clone(&db), Arc::clone(&fault))?;
        Ok(Self { writer, db, fault })
    }

    /// Writes, and answers once that is durable.
    fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Writing<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Reply<'_, T> {
        Box::pin(self.writer.run(work))
    }

    /// Reads a few rows: done at once, where it is asked.
    fn look<T: Send + 'static>(
        &self,
        work: impl FnOnce(&ReadTransaction) -> Result<T, StoreError> + Send + 'static,
    ) -> Reply<'_, T> {
        Box::pin(async move { read(&self.db, &self.fault, work) })
    }

    /// Reads many rows: done where nobody else waits for the thread.
    fn scan<T: Send + 'static>(
        &self,
        work: impl FnOnce(&ReadTransaction) -> Result<T, StoreError> + Send + 'static,
    ) -> Reply<'_, T> {
        let (db, fault) = (Arc::clone(&self.db), Arc::clone(&self.fault));
        Box::pin(async move {
            tokio::task::spawn_blocking(move || read(&db, &fault, work))
                .await
                .map_err(|error| StoreError::Failed { what: format!("reading: {error}") })?
        })
    }
}

impl Store for RedbStore {
    fn load_sources(&self) -> Reply<'_, Vec<(Name, SourceState)>> {
        self.scan(poll::load_sources)
    }

    fn load_known(&self, source: &Name) -> Reply<'_, Option<Known>> {
        let source = source.clone();
        self.look(move |read| poll::load_known(read, &source))
    }

    fn commit_poll(&self, poll: PollCommit) -> Reply<'_, ()> {
        self.write(move |writing| poll::commit_poll(writing, &poll))
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

    fn load_audience(&self, channel: &Name, topics: &[Name]) -> Reply<'_, Vec<u32>> {
        let (channel, topics) = (channel.clone(), topics.to_vec());
        self.scan(move |read| crowd::load_audience(read, &channel, &topics))
    }

    fn commit_post(&self, post: PostCommit) -> Reply<'_, PostId> {
        self.write(move |writing| compose::commit_post(writing, &post))
    }

    fn drop_draft(&self, draft: DraftId) -> Reply<'_, ()> {
        self.write(move |writing| writing.take_draft(draft).map(drop))
    }

    fn load_held_drafts(&self) -> Reply<'_, Vec<Draft>> {
        self.scan(compose::load_held_drafts)
    }

    fn commit_flood(&self, source: &Name, word: FloodWord, now: Timestamp) -> Reply<'_, usize> {
        let source = source.clone();
        self.write(move |writing| compose::commit_flood(writing, &source, word, now))
    }

    fn advance(&self, mut step: Advance) -> Reply<'_, Vec<Claim>> {
        Box::pin(async move {
            loop {
                let (channel, limit, now) = (step.channel.clone(), step.claims, step.now);
                let done = self.write(move |writing| deliver::advance(writing, &step)).await?;
                if !done.claims.is_empty() || !done.is_cut {
                    return Ok(done.claims);
                }
                step = Advance { channel, receipts: Vec::new(), claims: limit, now };
            }
        })
    }

    fn stop_post(&self, post: PostId, why: String) -> Reply<'_, ()> {
        self.write(move |writing| deliver::stop_post(writing, post, &why))
    }

    fn load_post(&self, post: PostId) -> Reply<'_, Option<Post>> {
        self.look(move |read| upkeep::load_post(read, post))
    }

    fn load_channel(&self, channel: &Name) -> Reply<'_, ChannelState> {
        let channel = channel.clone();
        self.look(move |read| upkeep::load_channel(read, &channel))
    }

    fn commit_channel(&self, channel: &Name, state: ChannelState) -> Reply<'_, ()> {
        let channel = channel.clone();
        self.write(move |writing| writing.tables.channels.put(channel.as_str(), &state))
    }

    fn rescue(&self, wire: Wire) -> Reply<'_, Rescued> {
        self.write(move |writing| deliver::rescue(writing, &wire))
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

    fn commit_conversation(&self, turn: ConversationCommit) -> Reply<'_, ()> {
        self.write(move |writing| converse::commit_conversation(writing, &turn))
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

    fn prune(&self, now: Timestamp) -> Reply<'_, usize> {
        self.write(move |writing| upkeep::prune(writing, now))
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

// ── opening ─────────────────────────────────────────────────────────────────────────────────────

fn open_database(
    name: &str,
    open: impl FnOnce(&mut Builder) -> Result<Database, DatabaseError>,
) -> Result<Database, StoreError> {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES);
    let opened = catch_unwind(AssertUnwindSafe(|| open(&mut builder)))
        .map_err(|_| unusable(name, "a page makes no sense"))?;
    opened.map_err(|error| match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
            StoreError::InUse { path: name.into() }
        }
        DatabaseError::Storage(StorageError::Io(error)) if !is_content(&error) => {
            StoreError::Failed { what: format!("opening `{name}`: {error}") }
        }
        DatabaseError::Storage(StorageError::Io(_)) => unusable(name, "it is no store, or cut"),
        other => unusable(name, &other.to_string()),
    })
}

/// Whether the error speaks of what the file holds, not of the disk.
fn is_content(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
}

fn unusable(name: &str, why: &str) -> StoreError {
    StoreError::Damaged {
        what: format!("`{name}`: {why}; nothing in it was changed: restore the newest backup"),
    }
}

fn initialise(db: &Database) -> Result<(), StoreError> {
    let mut transaction = db.begin_write()?;
    transaction.set_quick_repair(true);
    Tables::open(&transaction)?.format.put((), &Format(FORMAT_KNOWN))?;
    transaction.commit().map_err(|error| StoreError::Failed { what: error.to_string() })
}

fn check_format(db: &Database, name: &str) -> Result<(), StoreError> {
    let format = FORMAT.open(&db.begin_read()?).and_then(|table| table.load(()));
    let unknown =
        |found| StoreError::UnknownVersion { path: name.to_owned(), found, known: FORMAT_KNOWN };
    match format {
        Ok(Some(Format(FORMAT_KNOWN))) => Ok(()),
        Ok(Some(Format(found))) => Err(unknown(found)),
        Ok(None) => Err(unusable(name, "it is no store of this program")),
        Err(StoreError::UnknownVersion { found, .. }) => Err(unknown(found)),
        Err(StoreError::Damaged { what }) => Err(unusable(name, &what)),
        Err(other) => Err(other),
    }
}

/// Makes an empty store under another name, and gives it its own once it is whole.
fn create(path: &Path) -> Result<(), StoreError> {
    let new = path.with_extension("new");
    {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&new)
            .map_err(failed("making", &new))?;
        lock(&file, path)?;
        // What a creation that was cut short has left.
        file.set_len(0).map_err(failed("making", &new))?;
    }
    let db = open_database(&path.display().to_string(), |builder| builder.create(&new))?;
    initialise(&db)?;
    drop(db);
    File::open(&new).and_then(|file| file.sync_all()).map_err(failed("syncing", &new))?;
    // Unlike a rename, a link never takes the place of a store that somebody else made meanwhile.
    match fs::hard_link(&new, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(failed("making", path)(error));
        }
        _ => fs::remove_file(&new).map_err(failed("removing", &new))?,
    }
    sync_parent(path)
}

/// Copies the store to a new file that takes its place.
fn rewrite(path: &Path) -> Result<(), StoreError> {
    let new = path.with_extension("new");
    let mut source =
        OpenOptions::new().read(true).write(true).open(path).map_err(failed("opening", path))?;
    lock(&source, path)?;
    let mut target = File::create(&new).map_err(failed("making", &new))?;
    // Read and written by hand: the kernel's own copying may share the blocks of the old file.
    let mut bytes = vec![0; COPIED_BYTES];
    loop {
        let count = source.read(&mut bytes).map_err(failed("reading", path))?;
        if count == 0 {
            break;
        }
        target.write_all(&bytes[..count]).map_err(failed("writing", &new))?;
    }
    target.sync_all().map_err(failed("syncing", &new))?;
    fs::rename(&new, path).map_err(failed("renaming", &new))?;
    sync_parent(path)
}

/// Makes sure that nobody has the store open; holds until `file` is dropped.
fn lock(file: &File, path: &Path) -> Result<(), StoreError> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => {
            Err(StoreError::InUse { path: path.display().to_string() })
        }
        Err(TryLockError::Error(error)) => Err(failed("locking", path)(error)),
    }
}

/// Makes the names in the store's directory durable.
fn sync_parent(path: &Path) -> Result<(), StoreError> {
    let parent = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    let dir = parent.unwrap_or(Path::new("."));
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(failed("syncing", dir))
}

fn failed<'a>(doing: &'a str, path: &'a Path) -> impl FnOnce(io::Error) -> StoreError + 'a {
    move |error| StoreError::Failed { what: format!("{doing} `{}`: {error}", path.display()) }
}

impl From<TransactionError> for StoreError {
    fn from(error: TransactionError) -> Self {
        match error {
            TransactionError::Storage(error) => error.into(),
            other => Self::Failed { what: other.to_string() },
        }
    }
}
