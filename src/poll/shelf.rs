//! A source's shelf as the diff goes through it: block by block, read ahead from the store.

use std::collections::VecDeque;

use tokio::runtime::Handle;

use crate::model::name::Name;
use crate::model::shelf::{Block, ShelfKey};
use crate::store::{Store, StoreError};

/// So many blocks are read at a time: 256 KiB.
const BLOCKS_READ: usize = 64;

/// For a thread that may wait.
pub(crate) struct Shelf<'a> {
    store: &'a dyn Store,
    handle: &'a Handle,
    source: &'a Name,
    /// Ascending; what comes right behind `read_to`.
    ahead: VecDeque<Block>,
    /// The name that was last asked for.
    read_to: Option<ShelfKey>,
    /// There is nothing behind `ahead`.
    is_end: bool,
}

impl<'a> Shelf<'a> {
    pub fn new(store: &'a dyn Store, handle: &'a Handle, source: &'a Name) -> Self {
        Self { store, handle, source, ahead: VecDeque::new(), read_to: None, is_end: false }
    }

    /// The first block whose name is greater; any for `None`.
    ///
    /// # Errors
    /// What the store fails with.
    pub fn block_after(&mut self, after: Option<ShelfKey>) -> Result<Option<Block>, StoreError> {
        if after != self.read_to {
            self.ahead.clear();
            self.is_end = false;
        }
        if self.ahead.is_empty() && !self.is_end {
            let loading = self.store.load_shelf(self.source, after, BLOCKS_READ);
            self.ahead = self.handle.block_on(loading)?.into();
            self.is_end = self.ahead.len() < BLOCKS_READ;
        }
        let block = self.ahead.pop_front();
        self.read_to = block.as_ref().map_or(after, |block| Some(block.first));
        Ok(block)
    }
}
