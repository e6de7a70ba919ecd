//! What is on the wire, written beside the store.
//!
//! The store makes a claim durable before it is handed out, but not the moment at which its
//! request goes out. This file takes note of that moment, and of what came back, by one `write`
//! for all notes that were made at one go and without a sync: what is written survives the end of
//! the process, though not of the machine. After a crash it tells which claims were never begun and
//! what was answered, so that only what was truly on the wire is uncertain.
//!
//! ```text
//! open ──▶ Wire ──▶ Store::rescue ──▶ begin_run ──▶ (start, receipt …, write, forget) …
//! ```
//!
//! The file is a row of frames `length (2, little endian) · its complement (2) · sealed record` (see
//! `store::codec`); the first names the boot of the machine in which the run began. A frame that is
//! cut at the end of the file was being written when the process died, so what it was to announce
//! had not happened; any other bad frame makes the file distrusted.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::model::correction::Kept;
use crate::model::post::{Receipt, Ticket};
use crate::store::codec::{self, Place, Record};
use crate::store::{StoreError, Wire, files};

/// The file's name in its directory.
pub const FILE_NAME: &str = "wire.journal";

/// An empty journal's file may hold this many bytes of what is forgotten before it is cut.
const CUT_BYTES: u64 = 64 << 10;

/// Past this many bytes the file is written anew with what is not forgotten.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// Notes of more bytes are written without being asked.
const NOTED_BYTES_MAX: usize = 64 << 10;

/// Names the boot of the machine; new after each start of the kernel.
const BOOT_ID_PATH: &str = "/proc/sys/kernel/random/boot_id";

/// Longest boot id that is believed.
const BOOT_ID_BYTES_MAX: usize = 64;

/// An open journal. All calls are short and may be made from any task.
///
/// After an error nothing may be sent whose start could not be noted.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    boot: String,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    file: File,
    file_bytes: u64,
    /// Where the first frame ends.
    head_bytes: u64,
    /// Frames that are to be written behind the others.
    noted: Vec<u8>,
    /// What was noted and not forgotten.
    open: HashMap<Ticket, Noted>,
}

#[derive(Debug, Default)]
struct Noted {
    part: Option<u8>,
    receipt: Option<Receipt>,
    arrived: Option<Kept>,
}

/// One frame.
#[derive(Debug, Serialize, Deserialize)]
enum Note {
    Began {
        boot: String,
    },
    Started {
        ticket: Ticket,
        part: u8,
    },
    Came(Receipt),
    /// These messages have arrived, and more calls follow.
    Arrived {
        ticket: Ticket,
        kept: Kept,
    },
}

impl Record for Note {
    const VERSION: u8 = 3;
}

impl Journal {
    /// Opens the journal in `dir`, or makes it, and answers what the last run left in it.
    ///
    /// The file is left as it is until [`Journal::begin_run`]: a second crash before that finds the
    /// same again.
    ///
    /// # Errors
    /// [`StoreError::Failed`] when the disk refuses; [`StoreError::UnknownVersion`] when a newer
    /// program wrote it.
    pub fn open(dir: &Path) -> Result<(Self, Wire), StoreError> {
        let path = dir.join(FILE_NAME);
        let boot = boot_id();
        if !fs::exists(&path).map_err(failed(&path))? {
            write_anew(&path, &frame(&Note::Began { boot: String::new() })?)?;
        }
        let bytes = fs::read(&path).map_err(failed(&path))?;
        let found = read_frames(&bytes)?;
        let file = OpenOptions::new().append(true).open(&path).map_err(failed(&path))?;
        if found.is_whole {
            // A frame that was cut says nothing, and what is appended must not stand behind it.
            // Damage stays where it is, so that the next open finds it too.
            file.set_len(found.good_bytes).map_err(failed(&path))?;
        }

        let is_trusted = found.is_whole && !boot.is_empty() && found.boot == boot;
        let mut wire = Wire { is_trusted, ..Wire::default() };
        let mut open = HashMap::<Ticket, Noted>::new();
        for note in found.notes {
            match note {
                Note::Began { .. } => {}
                Note::Started { ticket, part } => {
                    wire.started.push((ticket, part));
                    open.entry(ticket).or_default().part = Some(part);
                }
                Note::Came(receipt) => {
                    open.entry(receipt.ticket).or_default().receipt = Some(receipt.clone());
                    wire.receipts.push(receipt);
                }
                Note::Arrived { ticket, kept } => {
                    open.entry(ticket).or_default().arrived = Some(kept.clone());
                    wire.parts.push((ticket, kept));
                }
            }
        }
        let inner = Inner {
            file,
            file_bytes: found.good_bytes,
            head_bytes: found.head_bytes,
            noted: Vec::new(),
            open,
        };
        Ok((Self { path, boot, inner: Mutex::new(inner) }, wire))
    }

    /// Starts an empty journal of this boot; to be called once `Store::rescue` has committed what
    /// [`Journal::open`] found, and before anything is sent.
    ///
    /// # Errors
    /// [`StoreError::Failed`] when the disk refuses.
    pub fn begin_run(&self) -> Result<(), StoreError> {
        let mut inner = self.lock();
        inner.open.clear();
        self.rewrite(&mut inner)
    }

    /// Notes that the request for call `part` of the ticket's message goes out after the next
    /// [`Journal::write`].
    ///
    /// # Errors
    /// [`StoreError::Failed`] when the disk refuses: the request must not go out.
    pub fn start(&self, ticket: Ticket, part: u8) -> Result<(), StoreError> {
        let mut inner = self.lock();
        self.append(&mut inner, &Note::Started { ticket, part })?;
        inner.open.entry(ticket).or_default().part = Some(part);
        Ok(())
    }

    /// Notes the messages that have arrived of a claim of which more calls follow.
    ///
    /// # Errors
    /// [`StoreError::Failed`] when the disk refuses.
    pub fn arrived(&self, ticket: Ticket, kept: &Kept) -> Result<(), StoreError> {
        let mut inner = self.lock();
        self.append(&mut inner, &Note::Arrived { ticket, kept: kept.clone() })?;
        inner.open.entry(ticket).or_default().arrived = Some(kept.clone());
        Ok(())
    }

    /// Notes what came back, before it is committed.
    ///
    /// # Errors
    /// [`StoreError::Failed`] when the disk refuses.
    pub fn receipt(&self, receipt: &Receipt) -> Result<(), StoreError> {
        let mut inner = self.lock();
        self.append(&mut inner, &Note::Came(receipt.clone()))?;
        inner.open.entry(receipt.ticket).or_default().receipt = Some(receipt.clone());
        Ok(())
    }

    /// Writes what was noted.
    ///
    /// # Errors
    /// [`StoreError::Failed`] when the disk refuses: what was noted to go out must not go out.
    pub fn write(&self) -> Result<(), StoreError> {
        self.write_noted(&mut self.lock())
    }

    /// Forgets tickets whose receipts the store has committed.
    ///
    /// # Errors
    /// [`StoreError::Failed`] when the disk refuses.
    pub fn forget(&self, committed: &[Ticket]) -> Result<(), StoreError> {
        let mut inner = self.lock();
        for ticket in committed {
            inner.open.remove(ticket);
        }
        if inner.open.is_empty() {
            inner.noted.clear();
        }
        if inner.open.is_empty() && inner.file_bytes > inner.head_bytes + CUT_BYTES {
            inner.file.set_len(inner.head_bytes).map_err(failed(&self.path))?;
            inner.file_bytes = inner.head_bytes;
        } else if inner.file_bytes > FILE_BYTES_MAX {
            self.rewrite(&mut inner)?;
        }
        Ok(())
    }

    fn append(&self, inner: &mut Inner, note: &Note) -> Result<(), StoreError> {
        inner.noted.extend(frame(note)?);
        if inner.noted.len() > NOTED_BYTES_MAX { self.write_noted(inner) } else { Ok(()) }
    }

    fn write_noted(&self, inner: &mut Inner) -> Result<(), StoreError> {
        if inner.noted.is_empty() {
            return Ok(());
        }
        if let Err(error) = inner.file.write_all(&inner.noted) {
            // Half a frame in the middle of the file would make the rest of it unreadable.
            inner.file.set_len(inner.file_bytes).map_err(failed(&self.path))?;
            return Err(failed(&self.path)(error));
        }
        inner.file_bytes += inner.noted.len() as u64;
        inner.noted.clear();
        Ok(())
    }

    /// Puts a new file in place of the old one, with what is not forgotten.
    fn rewrite(&self, inner: &mut Inner) -> Result<(), StoreError> {
        let mut bytes = frame(&Note::Began { boot: self.boot.clone() })?;
        let head_bytes = bytes.len() as u64;
        for (ticket, noted) in &inner.open {
            if let Some(part) = noted.part {
                bytes.extend(frame(&Note::Started { ticket: *ticket, part })?);
            }
            if let Some(kept) = noted.arrived.clone() {
                bytes.extend(frame(&Note::Arrived { ticket: *ticket, kept })?);
            }
            if let Some(receipt) = &noted.receipt {
                bytes.extend(frame(&Note::Came(receipt.clone()))?);
            }
        }
        inner.file = write_anew(&self.path, &bytes)?;
        inner.head_bytes = head_bytes;
        inner.file_bytes = bytes.len() as u64;
        inner.noted.clear();
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // What is guarded is whole after each line that changes it.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // What is lost here was not told to anybody: the next start takes it as not noted.
        let _ = self.write();
    }
}

struct Found {
    boot: String,
    notes: Vec<Note>,
    head_bytes: u64,
    good_bytes: u64,
    /// Nothing is missing but a frame that was being written at the end.
    is_whole: bool,
}

fn read_frames(bytes: &[u8]) -> Result<Found, StoreError> {
    let mut found = Found {
        boot: String::new(),
        notes: Vec::new(),
        head_bytes: 0,
        good_bytes: 0,
        is_whole: true,
    };
    let mut rest = bytes;
    while let Some(([low, high, not_low, not_high], behind)) = rest.split_first_chunk() {
        if (!low, !high) != (*not_low, *not_high) {
            found.is_whole = false;
            break;
        }
        let length = usize::from(u16::from_le_bytes([*low, *high]));
        let Some((sealed, behind)) = behind.split_at_checked(length) else { break };
        match codec::open(&place(), sealed) {
            Ok(Note::Began { boot }) => found.boot = boot,
            Ok(note) => found.notes.push(note),
            Err(error @ StoreError::UnknownVersion { .. }) => return Err(error),
            Err(_) => {
                found.is_whole = false;
                break;
            }
        }
        rest = behind;
        found.good_bytes = (bytes.len() - rest.len()) as u64;
        if found.head_bytes == 0 {
            found.head_bytes = found.good_bytes;
        }
    }
    Ok(found)
}

fn frame(note: &Note) -> Result<Vec<u8>, StoreError> {
    let sealed = codec::seal(&place(), note)?;
    let length = u16::try_from(sealed.len())
        .map_err(|_| StoreError::Failed { what: "a journal record is too long".into() })?;
    Ok([&length.to_le_bytes(), &(!length).to_le_bytes(), &sealed[..]].concat())
}

fn place() -> Place<'static> {
    Place { table: "journal", key: b"", shown: &"record" }
}

/// Writes a new file, puts it in place of the old one, and answers it open at its end.
fn write_anew(path: &Path, bytes: &[u8]) -> Result<File, StoreError> {
    let new = path.with_extension("new");
    files::open_or_make(&new).and_then(|file| file.set_len(0)).map_err(failed(&new))?;
    let mut file = OpenOptions::new().append(true).open(&new).map_err(failed(&new))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed(&new))?;
    fs::rename(&new, path).map_err(failed(path))?;
    let dir = path.parent().unwrap_or(Path::new("."));
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(failed(dir))?;
    Ok(file)
}

/// Empty when the machine does not tell: then no journal is trusted.
fn boot_id() -> String {
    let id = fs::read_to_string(BOOT_ID_PATH).unwrap_or_default();
    let id = id.trim();
    if id.len() <= BOOT_ID_BYTES_MAX { id.to_owned() } else { String::new() }
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.display().to_string();
    move |error| StoreError::Failed { what: format!("writing `{path}`: {error}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::post::{Outcome, Settled};

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn open(&self) -> (Journal, Wire) {
            Journal::open(self.0.path()).unwrap()
        }

        fn file(&self) -> PathBuf {
            self.0.path().join(FILE_NAME)
        }

        fn bytes(&self) -> Vec<u8> {
            fs::read(self.file()).unwrap()
        }

        /// A journal with two starts and a receipt.
        fn filled() -> Self {
            let folder = Self::new();
            let (journal, _) = folder.open();
            journal.begin_run().unwrap();
            journal.start(Ticket(1), 0).unwrap();
            journal.start(Ticket(2), 3).unwrap();
            journal.receipt(&receipt(1, "x")).unwrap();
            folder
        }
    }

    fn receipt(ticket: u64, error: &str) -> Receipt {
        Receipt {
            ticket: Ticket(ticket),
            settled: Settled::Done(Outcome::Sent),
            part: 0,
            standing: None,
            moved_to: None,
            window_closed: false,
            error: Some(error.into()),
            kept: None,
        }
    }

    fn assert_filled(wire: &Wire) {
        assert_eq!(wire.started, [(Ticket(1), 0), (Ticket(2), 3)]);
        assert_eq!(wire.receipts, [receipt(1, "x")]);
    }

    #[test]
    fn what_was_noted_is_found_again() {
        let folder = Folder::filled();
        // As often as it is asked, until a new run begins.
        for _ in 0..2 {
            let (_, wire) = folder.open();
            assert!(wire.is_trusted);
            assert_filled(&wire);
        }
        folder.open().0.begin_run().unwrap();
        let (_, wire) = folder.open();
        assert!(wire.is_trusted && wire.started.is_empty() && wire.receipts.is_empty());
    }

    #[test]
    fn a_new_journal_is_not_trusted() {
        let (_, wire) = Folder::new().open();
        assert!(!wire.is_trusted && wire.started.is_empty() && wire.receipts.is_empty());
    }

    #[test]
    fn a_journal_of_another_boot_is_not_trusted_but_believed() {
        let folder = Folder::new();
        let notes = [
            Note::Began { boot: "another".into() },
            Note::Started { ticket: Ticket(1), part: 0 },
            Note::Started { ticket: Ticket(2), part: 3 },
            Note::Came(receipt(1, "x")),
        ];
        let bytes: Vec<u8> = notes.iter().flat_map(|note| frame(note).unwrap()).collect();
        fs::write(folder.file(), bytes).unwrap();
        let (_, wire) = folder.open();
        assert!(!wire.is_trusted);
        assert_filled(&wire);
    }

    #[test]
    fn a_record_that_was_cut_is_left_out_and_written_over() {
        let whole = Folder::filled().bytes();
        let last = frame(&Note::Came(receipt(1, "x"))).unwrap().len();
        for end in whole.len() - last..whole.len() {
            let folder = Folder::new();
            fs::write(folder.file(), &whole[..end]).unwrap();
            let (journal, wire) = folder.open();
            assert!(wire.is_trusted, "cut at {end}");
            assert_eq!((wire.started.len(), wire.receipts.len()), (2, 0), "cut at {end}");
            journal.receipt(&receipt(1, "x")).unwrap();
            journal.write().unwrap();
            assert_filled(&folder.open().1);
        }
    }

    #[test]
    fn damage_makes_the_journal_distrusted_for_good() {
        let whole = Folder::filled().bytes();
        let head = frame(&Note::Began { boot: boot_id() }).unwrap().len();
        let last = frame(&Note::Came(receipt(1, "x"))).unwrap().len();
        let folder = Folder::new();
        for place in head..head + 12 {
            let mut bytes = whole.clone();
            bytes[place] ^= 4;
            assert!(place < bytes.len() - last);
            fs::write(folder.file(), bytes).unwrap();
            for _ in 0..2 {
                let (journal, wire) = folder.open();
                assert!(!wire.is_trusted, "bit at {place}");
                assert!(wire.started.is_empty() && wire.receipts.is_empty());
                journal.start(Ticket(9), 0).unwrap();
            }
        }
    }

    #[test]
    fn a_journal_of_a_newer_program_is_refused() {
        #[derive(Serialize, Deserialize)]
        struct Newer;
        impl Record for Newer {
            const VERSION: u8 = 9;
        }
        let folder = Folder::new();
        let sealed = codec::seal(&place(), &Newer).unwrap();
        let length = u16::try_from(sealed.len()).unwrap();
        let bytes = [&length.to_le_bytes(), &(!length).to_le_bytes(), &sealed[..]].concat();
        fs::write(folder.file(), bytes).unwrap();
        let error = Journal::open(folder.0.path()).unwrap_err();
        assert!(matches!(error, StoreError::UnknownVersion { found: 9, .. }), "{error}");
    }

    #[test]
    fn the_file_stays_small_and_keeps_what_is_not_forgotten() {
        let folder = Folder::new();
        let (journal, _) = folder.open();
        journal.begin_run().unwrap();
        let words = "x".repeat(200);
        for ticket in 0..1_000 {
            journal.start(Ticket(ticket), 0).unwrap();
            journal.receipt(&receipt(ticket, &words)).unwrap();
            journal.write().unwrap();
            journal.forget(&[Ticket(ticket)]).unwrap();
        }
        assert!(folder.bytes().len() as u64 <= CUT_BYTES + 1_000);

        // One that is never forgotten keeps the file from being cut, not from being written anew.
        journal.start(Ticket(5_000), 2).unwrap();
        for ticket in 10_000..30_000 {
            journal.receipt(&receipt(ticket, &words)).unwrap();
            journal.write().unwrap();
            journal.forget(&[Ticket(ticket)]).unwrap();
        }
        assert!(folder.bytes().len() as u64 <= FILE_BYTES_MAX + 1_000);
        let (_, wire) = folder.open();
        assert!(wire.is_trusted);
        assert_eq!(wire.started, [(Ticket(5_000), 2)]);
    }
}
