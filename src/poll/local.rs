//! Files and folders of this machine as sources: what an export job writes.
//!
//! A file is looked at like a site that knows `ETag`s: size and time of change are its. Of a
//! folder, a catalog is the newest file; of anything else every file is read once, oldest first,
//! and at the first look the newest stands for all. A file that is still being written waits.
//! What an editors' file named must really be in the folder that the sysadmin opened, whatever
//! links lead there; what a folder holds must really be in it.

use std::fs::{self, File, Metadata};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use url::Url;

use crate::model::source::{Local, Source, SourceKind, SourceState};
use crate::model::time::Timestamp;
use crate::poll::fault::{Fault, FetchError, one_line};
use crate::poll::fetch::{Fetched, Fetcher, Limits, Packed};
use crate::poll::settle::off_thread;
use crate::poll::spool::Spool;

/// What a folder's documents end with.
const ENDINGS: [&str; 9] = ["csv", "tsv", "txt", "xml", "json", "yml", "gz", "zip", "html"];

/// Most entries of a folder.
const ENTRIES_MAX: usize = 10_000;

/// A file that changed less than this ago may still be written to.
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// One look at a file or a folder.
pub(crate) struct Look {
    source: Arc<Source>,
    /// The address of the path in the settings.
    url: Url,
    /// What was there last time; see [`Found::mark`].
    etag: Option<String>,
    /// The file of a folder that was read last.
    read_to: Option<String>,
    /// It is to be read though it is the same.
    is_forced: bool,
}

/// The file to read.
struct Found {
    /// As it is shown.
    path: PathBuf,
    /// Where it really is.
    real: PathBuf,
    changed_at: SystemTime,
    bytes: u64,
    has_more: bool,
}

impl Look {
    /// With `is_forced` a document is read although it was read before.
    pub fn new(source: Arc<Source>, url: Url, last: &SourceState, is_forced: bool) -> Self {
        let (etag, read_to) = (last.etag.clone(), last.last_modified.clone());
        Self { source, url, etag, read_to, is_forced }
    }

    /// The file as a document, if there is one that was not read yet.
    ///
    /// # Errors
    /// [`Fault::Local`] in one line; [`Fault::TooLarge`].
    pub async fn take(self, fetcher: &Fetcher) -> Result<Fetched, FetchError> {
        let Some(local) = self.source.local.clone() else {
            return Err(failure(Path::new(""), "there is no path".to_owned()));
        };
        let (limits, folder) = (*fetcher.limits(), Arc::clone(fetcher.folder()));
        let look = Arc::new((self, local));
        let again = Arc::clone(&look);
        let broken = |local: &Local| failure(&local.path, "the reader broke".to_owned());
        let found = off_thread(move || look.0.find(&look.1)).await;
        let found = found.ok_or_else(|| broken(&again.1))??;
        let Some(found) = found else { return again.0.nothing(&again.1) };
        if let Some(left) = found.settles_in(fetcher.now()) {
            tokio::time::sleep(left).await;
        }
        let opening = Arc::clone(&again);
        let opened = off_thread(move || {
            let now = fs::metadata(&found.real).map_err(|error| unreadable(&found.path, &error))?;
            if now.len() != found.bytes || now.modified().ok() != Some(found.changed_at) {
                // It is being written: the next look will tell.
                return opening.0.nothing(&opening.1);
            }
            opening.0.open(&found, &limits, folder)
        });
        opened.await.ok_or_else(|| broken(&again.1))?
    }

    /// There is nothing new.
    fn nothing(&self, local: &Local) -> Result<Fetched, FetchError> {
        Ok(Fetched {
            url: self.url(&local.path),
            permanent_to: None,
            etag: None,
            last_modified: None,
            fresh_for: None,
            links: Vec::new(),
            document: None,
            has_more: false,
        })
    }

    fn url(&self, path: &Path) -> Url {
        Url::from_file_path(path).unwrap_or_else(|()| self.url.clone())
    }

    /// The file to read; `None` when there is none that was not read.
    fn find(&self, local: &Local) -> Result<Option<Found>, FetchError> {
        let path = &local.path;
        let real = fs::canonicalize(path).map_err(|error| unreadable(path, &error))?;
        if let Some(within) = &local.within {
            let open = fs::canonicalize(within).map_err(|error| unreadable(within, &error))?;
            if !real.starts_with(&open) {
                let why = format!("it leads out of `{}`", within.display());
                return Err(failure(path, why));
            }
        }
        let metadata = fs::metadata(&real).map_err(|error| unreadable(path, &error))?;
        let found = if metadata.is_dir() {
            self.choose(path, &real)?
        } else if metadata.is_file() {
            Some(Found::new(path.clone(), real, &metadata))
        } else {
            return Err(failure(path, "it is neither a file nor a folder".to_owned()));
        };
        let is_same =
            |found: &Found| !self.is_forced && self.etag.as_deref() == Some(&*found.mark());
        Ok(found.filter(|found| !is_same(found)))
    }

    /// Of a folder's files the one to read.
    fn choose(&self, path: &Path, real: &Path) -> Result<Option<Found>, FetchError> {
        let entries = fs::read_dir(real).map_err(|error| unreadable(path, &error))?;
        let mut files = Vec::new();
        for entry in entries.take(ENTRIES_MAX) {
            let entry = entry.map_err(|error| unreadable(path, &error))?;
            let name = entry.file_name();
            let is_hidden = name.to_str().is_none_or(|name| name.starts_with('.'));
            let ending = Path::new(&name).extension().and_then(|it| it.to_str());
            let is_document = ending
                .is_some_and(|ending| ENDINGS.iter().any(|one| ending.eq_ignore_ascii_case(one)));
            if is_hidden || !is_document {
                continue;
            }
            // A link may lead nowhere, or a file be gone since the folder was listed.
            let Ok(file) = fs::canonicalize(entry.path()) else { continue };
            let Ok(metadata) = fs::metadata(&file) else { continue };
            if metadata.is_file() && file.starts_with(real) {
                files.push(Found::new(path.join(&name), file, &metadata));
            }
        }
        files.sort_by(|one, other| one.order().cmp(&other.order()));
        if self.source.kind == SourceKind::Catalog {
            return match files.pop() {
                Some(newest) => Ok(Some(newest)),
                None => Err(failure(path, "there is no document in the folder".to_owned())),
            };
        }
        let Some(read_to) = &self.read_to else { return Ok(files.pop()) };
        let mut unread = files.into_iter().filter(|file| file.place() > *read_to);
        let mut refused = None;
        while let Some(next) = unread.next() {
            match File::open(&next.real) {
                Ok(_) => {
                    let has_more = unread.next().is_some();
                    return Ok(Some(Found { has_more, ..next }));
                }
                // It does not keep those behind it waiting; alone it is told.
                Err(error) => {
                    let path = next.path.display();
                    tracing::warn!(source.id = %self.source.name, %path, %error, "a file was passed over");
                    refused.get_or_insert_with(|| unreadable(&next.path, &error));
                }
            }
        }
        refused.map_or(Ok(None), Err)
    }

    fn open(
        &self,
        found: &Found,
        limits: &Limits,
        folder: Arc<Path>,
    ) -> Result<Fetched, FetchError> {
        let is_bulk = matches!(self.source.kind, SourceKind::Catalog | SourceKind::Sitemap);
        let (wire_max, decoded_max) = if is_bulk {
            (limits.bulk_wire_bytes, limits.bulk_decoded_bytes)
        } else {
            (u64::try_from(limits.wire_bytes).unwrap_or(u64::MAX), limits.decoded_bytes)
        };
        let url = self.url(&found.path);
        if found.bytes > wire_max {
            return Err(FetchError::new(&url, Fault::TooLarge(wire_max)));
        }
        let file = File::open(&found.real).map_err(|error| unreadable(&found.path, &error))?;
        let spool = Spool::over(file, found.bytes, folder);
        Ok(Fetched {
            url,
            permanent_to: None,
            etag: Some(found.mark()),
            last_modified: Some(found.place()),
            fresh_for: None,
            links: Vec::new(),
            document: Some(Packed::local(spool, decoded_max)),
            has_more: found.has_more,
        })
    }
}

impl Found {
    fn new(path: PathBuf, real: PathBuf, metadata: &Metadata) -> Self {
        let changed_at = metadata.modified().unwrap_or(UNIX_EPOCH);
        Self { path, real, changed_at, bytes: metadata.len(), has_more: false }
    }

    fn nanos(&self) -> u128 {
        self.changed_at.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos()
    }

    fn order(&self) -> (u128, &Path) {
        (self.nanos(), &self.path)
    }

    /// Name, size and time of change: another one means another document.
    fn mark(&self) -> String {
        let name = self.path.file_name().unwrap_or_default().as_encoded_bytes();
        let mut sum = flate2::Crc::new();
        sum.update(name);
        format!("{:08x}-{}-{}", sum.sum(), self.bytes, self.nanos())
    }

    /// Orders the files of a folder as they are read: by time of change, then by name.
    fn place(&self) -> String {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let name: String = name.chars().filter(char::is_ascii_graphic).take(200).collect();
        format!("{:024} {name}", self.nanos())
    }

    /// How long until it has not changed for long enough to be whole; `None` when it has not.
    fn settles_in(&self, now: Timestamp) -> Option<Duration> {
        let now = Duration::from_millis(u64::try_from(now.as_millis()).unwrap_or(0));
        // What was changed in the future tells nothing of its age.
        let age = (UNIX_EPOCH + now).duration_since(self.changed_at).ok()?;
        SETTLED_AFTER.checked_sub(age).filter(|left| !left.is_zero())
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> FetchError {
    let why = match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        std::io::ErrorKind::PermissionDenied => "it may not be read by the program".to_owned(),
        _ => one_line(&error.to_string()),
    };
    failure(path, why)
}

fn failure(path: &Path, why: String) -> FetchError {
    FetchError { address: one_line(&path.display().to_string()), fault: Fault::Local(why) }
}
