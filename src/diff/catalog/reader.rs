//! The rows of a shelf, block after block.

use crate::model::shelf::{Block, KnownListing, ShelfKey};

/// Gives the first block whose name is greater than its argument.
pub(super) type Shelf<'a, E> = dyn FnMut(Option<ShelfKey>) -> Result<Option<Block>, E> + 'a;

/// One pass over a shelf, ascending.
pub(super) struct Reader<'a, 'b, E> {
    shelf: &'a mut Shelf<'b, E>,
    block: Block,
    at: usize,
    /// The name of the block that is read; `None` before the first.
    name: Option<ShelfKey>,
    is_over: bool,
}

/// A row and, if it is the first of its block, the block's name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stored {
    pub row: KnownListing,
    pub starts: Option<ShelfKey>,
}

impl<'a, 'b, E> Reader<'a, 'b, E> {
    pub fn new(shelf: &'a mut Shelf<'b, E>) -> Self {
        Self { shelf, block: Block::default(), at: 0, name: None, is_over: false }
    }

    /// A shelf that nothing was put on yet.
    pub fn empty(shelf: &'a mut Shelf<'b, E>) -> Self {
        Self { is_over: true, ..Self::new(shelf) }
    }

    /// The product of the next row; `None` at the end.
    pub fn product(&mut self) -> Result<Option<u64>, E> {
        self.fill()?;
        Ok(self.block.encoded().get(self.at).map(|row| KnownListing::key_of(row).product))
    }

    /// The next row, if it is one of `product`.
    pub fn take_of(&mut self, product: u64) -> Result<Option<Stored>, E> {
        if self.product()? == Some(product) { self.take() } else { Ok(None) }
    }

    pub fn take(&mut self) -> Result<Option<Stored>, E> {
        self.fill()?;
        let Some(row) = self.block.encoded().get(self.at) else { return Ok(None) };
        let stored =
            Stored { row: KnownListing::decode(row), starts: self.name.filter(|_| self.at == 0) };
        self.at += 1;
        Ok(Some(stored))
    }

    fn fill(&mut self) -> Result<(), E> {
        while !self.is_over && self.at >= self.block.encoded().len() {
            match (self.shelf)(self.name)? {
                Some(block) => {
                    self.name = Some(block.first);
                    (self.block, self.at) = (block, 0);
                }
                None => self.is_over = true,
            }
        }
        Ok(())
    }
}
