//! Rows to blocks: only blocks in which something changed are written, and blocks stay full.
//!
//! Each block lies in a page of its own, so a page costs the same however many rows are in it.
//! A block that changed and keeps [`FILL_MIN`] to [`BLOCK_ROWS_MAX`] rows is written as it is. One
//! that has too many or too few takes up the blocks behind it, few as they are, until all their
//! rows together can be cut into blocks of [`FILL_MIN`] to [`FILL`] rows. So no block but the last
//! is less than four fifths full, after any number of polls, and a row costs at most 63 bytes.

use crate::model::shelf::{
    BLOCK_ROWS_MAX, Block, KnownListing, LISTING_BYTES, ShelfKey, ShelfWrite,
};

/// Rows of a block that is newly cut: leaves room for a few more.
const FILL: usize = 76;

/// Fewest rows of a block, but for the last of a shelf.
const FILL_MIN: usize = 66;

/// From so many rows on that wait to be cut, the foremost are.
const WAITING_ROWS_MAX: usize = 16 * FILL;

/// Takes the rows of a shelf, ascending, and gives what is to be written.
#[derive(Default)]
pub(super) struct Writer {
    writes: Vec<ShelfWrite>,
    /// The rows of the block that is under way.
    open: Vec<u8>,
    name: Option<ShelfKey>,
    is_changed: bool,
    /// Rows of changed blocks before it, and what these blocks were called.
    waiting: Vec<u8>,
    names: Vec<ShelfKey>,
    is_waiting: bool,
    rows: usize,
}

impl Writer {
    /// A row, and the name of the stored block that begins with it.
    pub fn put(&mut self, row: &KnownListing, is_changed: bool, starts: Option<ShelfKey>) {
        self.begin(starts);
        self.open.extend_from_slice(&row.encode());
        self.is_changed |= is_changed;
        self.rows += 1;
        if self.open.len() >= WAITING_ROWS_MAX * LISTING_BYTES {
            self.join();
            // As often as it takes: what is left is moved at every cut, and must not grow.
            while self.waiting.len() >= WAITING_ROWS_MAX * LISTING_BYTES {
                self.cut_foremost();
            }
        }
    }

    /// A stored row that is no longer kept.
    pub fn drop(&mut self, starts: Option<ShelfKey>) {
        self.begin(starts);
        self.is_changed = true;
    }

    /// Everything that is to be written, and how many rows there are.
    pub fn finish(mut self) -> (Vec<ShelfWrite>, usize) {
        self.close();
        self.cut();
        (self.writes, self.rows)
    }

    fn begin(&mut self, starts: Option<ShelfKey>) {
        if let Some(name) = starts {
            self.close();
            self.name = Some(name);
        }
    }

    /// The block under way is complete.
    fn close(&mut self) {
        if self.is_changed || self.is_waiting {
            self.join();
            let rows = self.waiting.len() / LISTING_BYTES;
            if rows >= pieces(rows) * FILL_MIN {
                self.cut();
            }
        }
        self.open.clear();
        self.name = None;
        self.is_changed = false;
    }

    /// The block under way goes to those that wait.
    fn join(&mut self) {
        self.waiting.append(&mut self.open);
        self.names.extend(self.name.take());
        self.is_waiting = true;
    }

    /// Cuts off what certainly fills blocks.
    fn cut_foremost(&mut self) {
        let rows = (WAITING_ROWS_MAX / 2 / FILL) * FILL;
        let rest = self.waiting.split_off(rows * LISTING_BYTES);
        let foremost = std::mem::replace(&mut self.waiting, rest);
        let after = self.waiting.as_chunks().0.first().map(KnownListing::key_of);
        let passed = self.names.partition_point(|name| after.is_none_or(|after| *name < after));
        let names = self.names.drain(..passed).collect();
        self.write(&foremost, names);
    }

    fn cut(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        let names = std::mem::take(&mut self.names);
        self.write(&waiting, names);
        // The buffer is used again: most cuts are of one block.
        self.waiting = waiting;
        self.waiting.clear();
        self.is_waiting = false;
    }

    /// `rows` in blocks of even size, in place of the blocks that were called `names`.
    fn write(&mut self, rows: &[u8], names: Vec<ShelfKey>) {
        let (rows, _) = rows.as_chunks::<LISTING_BYTES>();
        let mut names = names.into_iter().peekable();
        let count = pieces(rows.len()).max(1);
        for piece in 0..count {
            let cut = |piece: usize| rows.len() * piece / count;
            let rows = &rows[cut(piece)..cut(piece + 1)];
            let Some(first) = rows.first().map(KnownListing::key_of) else { continue };
            while let Some(name) = names.next_if(|name| *name < first) {
                self.writes.push(ShelfWrite::Remove(name));
            }
            names.next_if_eq(&first);
            self.writes.push(ShelfWrite::Put(Block { first, rows: rows.as_flattened().to_vec() }));
        }
        self.writes.extend(names.map(ShelfWrite::Remove));
    }
}

/// Into how many blocks so many rows are cut.
fn pieces(rows: usize) -> usize {
    if rows <= BLOCK_ROWS_MAX { rows.min(1) } else { rows.div_ceil(FILL) }
}
