//! Opening a store: making, checking and repairing its file.
//!
//! Nothing is changed in a file that is refused, but for what redb itself repairs in it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use redb::{Builder, Database, DatabaseError, ReadableDatabase, StorageBackend, StorageError};

use crate::store::redb::rows::Format;
use crate::store::redb::tables::{FORMAT, Tables};
use crate::store::redb::writer::Fault;
use crate::store::redb::{RedbStore, guard};
use crate::store::{StoreError, files};

/// The file's format that is written, and the only one that is read.
const FORMAT_KNOWN: u32 = 6;

/// Memory for pages of the file.
const CACHE_BYTES: usize = 8 << 20;

/// Largest file of which every page is checked when it is opened.
const CHECKED_BYTES_MAX: u64 = 64 << 20;

/// Bytes copied at a time when the file is written anew.
const COPIED_BYTES: usize = 1 << 20;

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
    refuse_unknown(path, &name)?;
    let db = open_database(&name, |builder| {
        builder.set_check_integrity_on_open(file_bytes <= CHECKED_BYTES_MAX).open(path)
    })?;
    check_content(&db, &name)?;
    RedbStore::start(db, Fault::new(Some(marker)), Some(path.to_owned()))
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
    check_content(&db, name)?;
    RedbStore::start(db, Fault::default(), None)
}

/// Refuses a store of an unknown format before it is opened for writing, which leaves traces in the
/// file. What can't be read like this, such as a store that was not closed, is judged later.
fn refuse_unknown(path: &Path, name: &str) -> Result<(), StoreError> {
    let opened = catch_unwind(|| Builder::new().set_cache_size(CACHE_BYTES).open_read_only(path));
    let Ok(Ok(db)) = opened else { return Ok(()) };
    let format = guard(|| FORMAT.open(&db.begin_read()?)?.load(()));
    match format {
        Ok(Some(Format(found))) if found != FORMAT_KNOWN => Err(unknown(name, found)),
        Err(StoreError::UnknownVersion { found, .. }) => Err(unknown(name, found)),
        _ => Ok(()),
    }
}

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

/// Makes the tables of a database that has none; refuses one that is not ours.
fn check_content(db: &Database, name: &str) -> Result<(), StoreError> {
    let checked = guard(|| {
        if db.begin_read()?.list_tables()?.next().is_none() {
            return initialise(db);
        }
        match FORMAT.open(&db.begin_read()?)?.load(())? {
            Some(Format(FORMAT_KNOWN)) => Ok(()),
            Some(Format(found)) => Err(unknown(name, found)),
            None => Err(StoreError::Damaged { what: "it is no store of this program".into() }),
        }
    });
    checked.map_err(|error| match error {
        StoreError::UnknownVersion { found, .. } => unknown(name, found),
        StoreError::Damaged { what } => unusable(name, &what),
        other => other,
    })
}

fn unknown(name: &str, found: u32) -> StoreError {
    StoreError::UnknownVersion { path: name.to_owned(), found, known: FORMAT_KNOWN }
}

fn initialise(db: &Database) -> Result<(), StoreError> {
    let mut transaction = db.begin_write()?;
    transaction.set_quick_repair(true);
    let mut tables = Tables::new(&transaction);
    tables.make()?;
    tables.format.put((), &Format(FORMAT_KNOWN))?;
    drop(tables);
    transaction.commit().map_err(|error| StoreError::Failed { what: error.to_string() })
}

/// Makes an empty store under another name, and gives it its own once it is whole.
fn create(path: &Path) -> Result<(), StoreError> {
    let new = path.with_extension("new");
    {
        let file = files::open_or_make(&new).map_err(failed("making", &new))?;
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
    let source =
        OpenOptions::new().read(true).write(true).open(path).map_err(failed("opening", path))?;
    lock(&source, path)?;
    if let Err(error) = files::open_or_make(&new).and_then(|target| copy(&source, &target)) {
        // Half a copy only takes room, which may be what is missing; the next one writes over it.
        let _ = fs::remove_file(&new);
        return Err(failed("writing anew", path)(error));
    }
    fs::rename(&new, path).map_err(failed("renaming", &new))?;
    sync_parent(path)
}

/// Copies the store that is open to another file, in place of what that held.
pub(super) fn copy_whole(path: &Path, target: &File) -> io::Result<()> {
    copy(&File::open(path)?, target)
}

/// Copies by hand: the kernel's own copying may share the blocks of the old file.
fn copy(mut source: &File, mut target: &File) -> io::Result<()> {
    target.set_len(0)?;
    target.rewind()?;
    let mut bytes = vec![0; COPIED_BYTES];
    loop {
        match source.read(&mut bytes)? {
            0 => return target.sync_all(),
            count => target.write_all(&bytes[..count])?,
        }
    }
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

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::model::channel::ChannelState;
    use crate::model::name::Name;
    use crate::model::subscriber::{Standing, Subscriber};
    use crate::model::time::Timestamp;
    use crate::store::{Status, Store};

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn store(&self) -> PathBuf {
            self.0.path().join("store.redb")
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(self.0.path()).unwrap();
            let mut names: Vec<String> =
                entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        }
    }

    fn person(number: u32) -> Subscriber {
        Subscriber {
            number,
            address: format!("{number}"),
            language: None,
            first_name: None,
            timezone: None,
            name_asked_at: None,
            came_by: None,
            topics: vec![Name::parse("news").unwrap()],
            standing: Standing::Active,
            window_until: None,
            joined_at: Timestamp::from_millis(1),
            changed_at: Timestamp::from_millis(2),
            default_reply_at: None,
            choices: None,
        }
    }

    /// A store with something in it.
    async fn fill(path: &Path) {
        let store = open(path).unwrap();
        let bot = Name::parse("bot").unwrap();
        store.import_subscribers(&bot, (0..200).map(person).collect()).await.unwrap();
        let state = ChannelState { quiet_until: None, paused: Some("401".into()) };
        store.commit_channel(&bot, state).await.unwrap();
    }

    /// All that is in it, or why it can't be read.
    async fn content(path: &Path) -> Result<(Status, Vec<Subscriber>, Vec<u32>), StoreError> {
        let store = open(path)?;
        let bot = Name::parse("bot").unwrap();
        Ok((
            store.load_status().await?,
            store.load_subscribers(&bot).await?,
            store.load_audience(&bot, &[]).await?,
        ))
    }

    fn refusal(path: &Path) -> StoreError {
        open(path).err().unwrap()
    }

    #[tokio::test]
    async fn a_second_open_is_refused() {
        let folder = Folder::new();
        let store = open(&folder.store()).unwrap();
        let error = refusal(&folder.store());
        assert!(matches!(error, StoreError::InUse { .. }), "{error}");
        drop(store);
        open(&folder.store()).unwrap();
    }

    #[tokio::test]
    async fn sec_s04_a_store_gets_its_name_when_it_is_whole() {
        let folder = Folder::new();
        // A creation that was cut short.
        fs::write(folder.store().with_extension("new"), b"half a store").unwrap();
        fill(&folder.store()).await;
        assert_eq!(folder.names(), ["store.redb"]);
        assert_eq!(content(&folder.store()).await.unwrap().1.len(), 200);
    }

    #[tokio::test]
    async fn sec_s03_a_suspect_file_is_written_anew() {
        use std::os::unix::fs::MetadataExt;

        let folder = Folder::new();
        fill(&folder.store()).await;
        let before = content(&folder.store()).await.unwrap();
        let inode = fs::metadata(folder.store()).unwrap().ino();
        let old = File::open(folder.store()).unwrap();
        let marker = folder.store().with_extension("suspect");
        Fault::new(Some(marker.clone())).trip(&StoreError::Failed { what: "no space".into() });
        assert_eq!(fs::read_to_string(marker).unwrap(), "no space\n");

        assert_eq!(content(&folder.store()).await.unwrap(), before);
        assert_ne!(fs::metadata(folder.store()).unwrap().ino(), inode);
        assert_eq!(folder.names(), ["store.redb"]);
        drop(old);
    }

    #[tokio::test]
    async fn a_suspect_file_that_is_open_elsewhere_is_left_alone() {
        let folder = Folder::new();
        let store = open(&folder.store()).unwrap();
        fs::write(folder.store().with_extension("suspect"), b"").unwrap();
        let error = refusal(&folder.store());
        assert!(matches!(error, StoreError::InUse { .. }), "{error}");
        drop(store);
        open(&folder.store()).unwrap();
    }

    #[tokio::test]
    async fn sec_s07_an_unknown_format_is_refused() {
        let folder = Folder::new();
        {
            let store = open(&folder.store()).unwrap();
            let newer = store.write(|writing| writing.tables.format.put((), &Format(99)));
            newer.await.unwrap();
        }
        let error = refusal(&folder.store());
        assert!(
            matches!(error, StoreError::UnknownVersion { found: 99, known: FORMAT_KNOWN, .. }),
            "{error}"
        );
    }

    #[test]
    fn what_is_no_store_is_refused_and_left_as_it_is() {
        for content in [&b""[..], b"x", b"SQLite format 3\0", &[0; 70_000], &[b'a'; 300_000]] {
            let folder = Folder::new();
            fs::write(folder.store(), content).unwrap();
            let error = refusal(&folder.store());
            assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
            assert!(error.to_string().contains("restore the newest backup"), "{error}");
            assert_eq!(fs::read(folder.store()).unwrap(), content);
        }
    }

    #[test]
    fn a_database_of_another_program_is_refused() {
        let folder = Folder::new();
        {
            let db = Database::create(folder.store()).unwrap();
            let transaction = db.begin_write().unwrap();
            let other = redb::TableDefinition::<u64, u64>::new("other");
            transaction.open_table(other).unwrap().insert(1, 1).unwrap();
            transaction.commit().unwrap();
        }
        let error = refusal(&folder.store());
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_store_that_was_cut_is_refused() {
        let folder = Folder::new();
        fill(&folder.store()).await;
        let before = content(&folder.store()).await.unwrap();
        let bytes = fs::read(folder.store()).unwrap();
        for parts in 1..40 {
            let cut = Folder::new();
            fs::write(cut.store(), &bytes[..bytes.len() * parts / 40]).unwrap();
            match content(&cut.store()).await {
                Ok(after) => assert_eq!(after, before, "{parts} of 40"),
                Err(error) => assert!(matches!(error, StoreError::Damaged { .. }), "{error}"),
            }
        }
    }

    #[tokio::test]
    async fn sec_s02_a_flipped_bit_is_noticed_or_harmless() {
        let folder = Folder::new();
        fill(&folder.store()).await;
        let before = content(&folder.store()).await.unwrap();
        let bytes = fs::read(folder.store()).unwrap();
        let mut noticed = 0;
        for turn in 0..120usize {
            // The first pages carry the most.
            let range = if turn % 2 == 0 { 16_384 } else { bytes.len() };
            let bit = turn.wrapping_mul(0x9E37_79B9_7F4A_7C15) % (range * 8);
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let copy = Folder::new();
            fs::write(copy.store(), &flipped).unwrap();
            match content(&copy.store()).await {
                Ok(after) => assert_eq!(after, before, "bit {bit}"),
                Err(_) => noticed += 1,
            }
        }
        assert!(noticed > 10, "{noticed}");
    }
}
