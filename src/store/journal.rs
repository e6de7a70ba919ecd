//! What is on the wire, written beside the store.
//!
//! The store makes a claim durable before it is handed out, but not the moment at which its
//! request goes out. This file takes note of that moment, and of what came back, by one `write` a
//! record and without a sync: what is written survives the end of the process, though not of the
//! machine. After a crash it tells which claims were never begun and what was answered, so that
//! only what was truly on the wire is uncertain.
//!
//! ```text
//! open ──▶ Wire ──▶ Store::rescue ──▶ begin_run ──▶ start, receipt, forget …
//! ```
//!
//! The file is a row of frames `length (2, little endian) · sealed record` (see `store::codec`); the
//! first names the boot of the machine in which the run began. A frame that is cut at the end of
//! the file was being written when the process died, so what it was to announce had not happened;
//! any other bad frame makes the file distrusted from there on.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::model::post::{Receipt, Ticket};
use crate::store::codec::{self, Place, Record};
use crate::store::{StoreError, Wire};

/// The file's name in its directory.
const FILE_NAME: &str = "wire.journal";

/// An empty journal's file may hold this many bytes of what is forgotten before it is cut.
const CUT_BYTES: u64 = 64 << 10;

/// Past this many bytes the file is written anew with what is not forgotten.
const FILE_BYTES_MAX: u64 = 4 << 20;

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
    /// What was noted and not forgotten.
    open: HashMap<Ticket, Noted>,
}

#[derive(Debug, Default)]
struct Noted {
    part: Option<u8>,
    receipt: Option<Receipt>,
}

/// One frame.
#[derive(Debug, Serialize, Deserialize)]
enum Note {
    Began { boot: String },
    Started { ticket: Ticket, part: u8 },
    Came(Receipt),
}

impl Record for Note {
    const VERSION: u8 = 1;
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
            }
        }
        let inner =
            Inner { file, file_bytes: found.good_bytes, head_bytes: found.head_bytes, open };
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

    /// Notes that the request for call `part` of the ticket's message goes out now.
    ///
    /// # Errors
    /// [`StoreError::Failed`] when the disk refuses: the request must not go out.
    pub fn start(&self, ticket: Ticket, part: u8) -> Result<(), StoreError> {
        let mut inner = self.lock();
        self.append(&mut inner, &Note::Started { ticket, part })?;
        inner.open.entry(ticket).or_default().part = Some(part);
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

    /// Forgets tickets whose receipts the store has committed.
    ///
    /// # Errors
    /// [`StoreError::Failed`] when the disk refuses.
    pub fn forget(&self, committed: &[Ticket]) -> Result<(), StoreError> {
        let mut inner = self.lock();
        for ticket in committed {
            inner.open.remove(ticket);
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
        let frame = frame(note)?;
        if let Err(error) = inner.file.write_all(&frame) {
            // Half a frame in the middle of the file would make the rest of it unreadable.
            inner.file.set_len(inner.file_bytes).map_err(failed(&self.path))?;
            return Err(failed(&self.path)(error));
        }
        inner.file_bytes += frame.len() as u64;
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
            if let Some(receipt) = &noted.receipt {
                bytes.extend(frame(&Note::Came(receipt.clone()))?);
            }
        }
        inner.file = write_anew(&self.path, &bytes)?;
        inner.head_bytes = head_bytes;
        inner.file_bytes = bytes.len() as u64;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // What is guarded is whole after each line that changes it.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
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
    while let Some((length, behind)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_le_bytes(*length));
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
    let mut frame = length.to_le_bytes().to_vec();
    frame.extend(sealed);
    Ok(frame)
}

fn place() -> Place<'static> {
    Place { table: "journal", key: b"", shown: &"record" }
}

/// Writes a new file, puts it in place of the old one, and answers it open at its end.
fn write_anew(path: &Path, bytes: &[u8]) -> Result<File, StoreError> {
    let new = path.with_extension("new");
    fs::write(&new, []).map_err(failed(&new))?;
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
