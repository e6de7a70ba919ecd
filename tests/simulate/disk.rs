//! A disk in memory: what is on it when a process ends is there at the next start.

use std::io;
use std::ops::Bound;
use std::sync::{Arc, Mutex};

use redb::{BackendError, StorageBackend};

#[derive(Clone, Debug, Default)]
pub struct Disk(Arc<Mutex<Surface>>);

#[derive(Debug, Default)]
struct Surface {
    bytes: Vec<u8>,
    is_locked: bool,
}

impl Disk {
    /// Another disk with the same on it: what the process that has this one does from now on is
    /// not seen there.
    pub fn copy(&self) -> Self {
        let bytes = self.0.lock().unwrap().bytes.clone();
        Self(Arc::new(Mutex::new(Surface { bytes, is_locked: false })))
    }

    fn lock_whole(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
        to: bool,
    ) -> Result<bool, BackendError> {
        if !matches!(start, Bound::Unbounded | Bound::Included(0)) || end != Bound::Unbounded {
            return Err(BackendError::Unsupported);
        }
        Ok(std::mem::replace(&mut self.0.lock().unwrap().is_locked, to))
    }
}

fn place(offset: u64) -> usize {
    usize::try_from(offset).unwrap()
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.lock().unwrap().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let offset = place(offset);
        match self.0.lock().unwrap().bytes.get(offset..offset + out.len()) {
            Some(bytes) => {
                out.copy_from_slice(bytes);
                Ok(())
            }
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.0.lock().unwrap().bytes.resize(place(length), 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let offset = place(offset);
        self.0.lock().unwrap().bytes[offset..offset + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.0.lock().unwrap().is_locked = false;
        Ok(())
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        Ok(!self.lock_whole(start, end, true)?)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.lock_whole(start, end, false).map(|_| ())
    }
}
