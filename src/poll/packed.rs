//! A document as it comes over the wire, and unpacked.

use std::fmt;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;

use crate::poll::body::{self, Coding};
use crate::poll::fault::Fault;
use crate::poll::spool::Spool;

/// Room that is made for a document in memory at once.
const ROOM_BYTES_MAX: usize = 1024 * 1024;

/// A document in bulk goes to its file in blocks of so many bytes.
const BLOCK_BYTES: usize = 256 * 1024;

/// A document as it came over the wire.
pub struct Packed {
    pub(super) wire: Spool,
    pub(super) coding: Coding,
    /// It may unpack to so many bytes.
    pub(super) decoded_bytes: u64,
    /// As the header has it, if it is text.
    pub content_type: Option<String>,
    pub(super) _place: Option<OwnedSemaphorePermit>,
}

impl Packed {
    /// Bytes on the wire.
    pub fn wire_bytes(&self) -> u64 {
        self.wire.bytes()
    }

    /// A file of this machine.
    pub(crate) fn local(wire: Spool, decoded_bytes: u64) -> Self {
        let (coding, content_type) = (Coding::Plain, None);
        Self { wire, coding, decoded_bytes, content_type, _place: None }
    }

    /// Its parts, for whoever reads it from where it is: the bytes, their coding, and to how many
    /// they may unpack.
    pub(crate) fn into_parts(self) -> (Spool, Coding, u64, Option<OwnedSemaphorePermit>) {
        (self.wire, self.coding, self.decoded_bytes, self._place)
    }

    /// Unpacks it. Takes processor time: call it off the async threads, and keep `self`'s place
    /// among the large documents in mind: it is free when the [`Unpacked`] is dropped.
    ///
    /// # Errors
    /// See [`body::decode`].
    pub fn unpack(self) -> Result<Unpacked, Fault> {
        let bytes_max = self.decoded_bytes;
        self.unpack_within(bytes_max)
    }

    /// As [`Packed::unpack`], with a smaller limit.
    ///
    /// # Errors
    /// See [`body::decode`].
    pub fn unpack_within(self, bytes_max: u64) -> Result<Unpacked, Fault> {
        let bytes_max = self.decoded_bytes.min(bytes_max);
        let mut wire = self.wire;
        let bytes = if wire.is_in_memory() {
            wire.into_memory().unwrap_or_default()
        } else {
            let span = wire.end_document(0);
            if span.bytes > bytes_max {
                return Err(Fault::TooLarge(bytes_max));
            }
            wire.head(span, bytes_max).map_err(|error| Fault::disk(&error))?
        };
        let bytes = body::decode(bytes, self.coding, bytes_max)?;
        Ok(Unpacked { bytes, content_type: self.content_type, _place: self._place })
    }
}

impl fmt::Debug for Packed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Packed({} bytes)", self.wire.bytes())
    }
}

/// A document's own bytes.
#[derive(Debug)]
pub struct Unpacked {
    pub bytes: Vec<u8>,
    pub content_type: Option<String>,
    _place: Option<OwnedSemaphorePermit>,
}

/// A body as it comes in: in memory, or (in bulk) in blocks to a file.
pub(super) enum Wire {
    Memory(Vec<u8>),
    /// The spool is away while a block is written.
    Bulk {
        spool: Spool,
        block: Vec<u8>,
    },
}

impl Wire {
    pub fn new(is_bulk: bool, announced: u64, folder: &Arc<Path>) -> Self {
        if is_bulk {
            return Self::Bulk { spool: Spool::new(Arc::clone(folder)), block: Vec::new() };
        }
        let announced = usize::try_from(announced).unwrap_or(usize::MAX);
        Self::Memory(Vec::with_capacity(announced.min(ROOM_BYTES_MAX)))
    }

    pub fn bytes(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Bulk { spool, block } => spool.bytes() + block.len() as u64,
        }
    }

    pub async fn take(&mut self, chunk: &[u8]) -> Result<(), Fault> {
        match self {
            Self::Memory(bytes) => bytes.extend_from_slice(chunk),
            Self::Bulk { spool, block } => {
                block.extend_from_slice(chunk);
                if block.len() >= BLOCK_BYTES {
                    Self::write(spool, block).await?;
                }
            }
        }
        Ok(())
    }

    /// Writes the block, off the async threads if it goes to a file.
    async fn write(spool: &mut Spool, block: &mut Vec<u8>) -> Result<(), Fault> {
        let disk = |error: std::io::Error| Fault::disk(&error);
        if spool.goes_to_file(block.len()) {
            let mut away = std::mem::replace(spool, Spool::new(Arc::from(Path::new(""))));
            let bytes = std::mem::take(block);
            let written =
                tokio::task::spawn_blocking(move || away.write_all(&bytes).map(|()| (away, bytes)));
            let broken = |_| Fault::Disk("the writer broke".to_owned());
            (*spool, *block) = written.await.map_err(broken)?.map_err(disk)?;
        } else {
            spool.write_all(block).map_err(disk)?;
        }
        block.clear();
        Ok(())
    }

    pub async fn end(self) -> Result<Spool, Fault> {
        match self {
            Self::Memory(bytes) => Ok(Spool::of(bytes)),
            Self::Bulk { mut spool, mut block } => {
                Self::write(&mut spool, &mut block).await?;
                Ok(spool)
            }
        }
    }
}
