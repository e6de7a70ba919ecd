//! The shelves of catalogs: blocks of known listings, price histories, names of products.

use std::ops::Bound;

use redb::ReadTransaction;

use crate::model::name::Name;
use crate::model::price::PriceHistory;
use crate::model::product::ProductName;
use crate::model::shelf::{Block, KnownListing, ShelfKey, ShelfState, ShelfWrite};
use crate::model::time::Timestamp;
use crate::store::redb::ledger::Writing;
use crate::store::redb::poll::named;
use crate::store::redb::rows::{PriceRow, ShelfRow};
use crate::store::redb::tables::{NAMES, PRICES, SHELF_STATES, SHELVES};
use crate::store::{ShelfCommit, StoreError};

/// See `Store::load_shelf_state`.
pub(super) fn load_state(
    read: &ReadTransaction,
    source: &Name,
) -> Result<Option<ShelfState>, StoreError> {
    SHELF_STATES.open(read)?.load(source.as_str())
}

/// See `Store::load_shelf`.
pub(super) fn load_blocks(
    read: &ReadTransaction,
    source: &Name,
    after: Option<ShelfKey>,
    limit: usize,
) -> Result<Vec<Block>, StoreError> {
    let name = source.as_str();
    let from = match after {
        Some(key) => Bound::Excluded((name, key.product, key.variant)),
        None => Bound::Included((name, 0, 0)),
    };
    let to = Bound::Included((name, u64::MAX, u32::MAX));
    let shelves = SHELVES.open(read)?;
    let mut blocks = Vec::new();
    for row in shelves.rows((from, to))?.take(limit) {
        let (key, rows) = row?;
        let (_, product, variant) = key.value();
        blocks.push(block(source, ShelfKey { product, variant }, rows)?);
    }
    Ok(blocks)
}

/// See `Store::load_prices`.
pub(super) fn load_prices(
    read: &ReadTransaction,
    source: &Name,
    rows: &[ShelfKey],
) -> Result<Vec<PriceHistory>, StoreError> {
    let prices = PRICES.open(read)?;
    rows.iter().map(|row| history(source, *row, prices.load(key(source, *row))?)).collect()
}

/// See `Store::load_names`.
pub(super) fn load_names(
    read: &ReadTransaction,
    source: &Name,
    products: &[u64],
) -> Result<Vec<Option<ProductName>>, StoreError> {
    let names = NAMES.open(read)?;
    products.iter().map(|product| names.load((source.as_str(), *product))).collect()
}

fn key(source: &Name, row: ShelfKey) -> (&str, u64, u32) {
    (source.as_str(), row.product, row.variant)
}

/// A block that was read, under the name that it has.
pub(super) fn block(source: &Name, called: ShelfKey, rows: ShelfRow) -> Result<Block, StoreError> {
    let damaged = |why: &str| StoreError::Damaged {
        what: format!("the block {called:?} of `{source}`: {why}"),
    };
    let block = Block::decode(rows.0).map_err(|error| damaged(&error.to_string()))?;
    if block.first != called {
        return Err(damaged("under a strange name"));
    }
    Ok(block)
}

pub(super) fn history(
    source: &Name,
    row: ShelfKey,
    found: Option<PriceRow>,
) -> Result<PriceHistory, StoreError> {
    found.map_or_else(
        || Ok(PriceHistory::default()),
        |found| {
            PriceHistory::decode(&found.0).map_err(|error| StoreError::Damaged {
                what: format!("the prices of {row:?} of `{source}`: {error}"),
            })
        },
    )
}

impl Writing<'_> {
    /// What a poll changes of the source's shelf.
    pub fn put_shelf(&mut self, source: &Name, shelf: &ShelfCommit) -> Result<(), StoreError> {
        let name = source.as_str();
        self.tables.shelf_states.put(name, &shelf.state)?;
        for write in &shelf.writes {
            match write {
                ShelfWrite::Put(block) => {
                    self.tables
                        .shelves
                        .put(key(source, block.first), &ShelfRow(block.rows.clone()))?;
                }
                ShelfWrite::Remove(first) => {
                    self.tables.shelves.remove(key(source, *first))?;
                }
            }
        }
        for seen in &shelf.prices {
            let at = key(source, seen.key);
            let mut history = history(source, seen.key, self.tables.prices.load(at)?)?;
            if history.record(seen, shelf.state.begun_at, shelf.now) {
                self.tables.prices.put(at, &PriceRow(history.encode()))?;
            }
        }
        Ok(())
    }

    /// Keeps what products are called.
    pub fn put_names(
        &mut self,
        source: &Name,
        names: &[(u64, ProductName)],
    ) -> Result<(), StoreError> {
        for (product, name) in names {
            self.tables.names.put((source.as_str(), *product), name)?;
        }
        Ok(())
    }

    /// Keeps names whose rows come with the next commit of the source's poll: until then they are
    /// not pruned. A crash in between leaves them to be pruned.
    pub fn name_ahead(
        &mut self,
        source: &Name,
        names: &[(u64, ProductName)],
    ) -> Result<(), StoreError> {
        self.memory.naming.insert(source.clone());
        self.put_names(source, names)
    }

    /// Removes price histories that tell nothing any more and names of products that are on no
    /// shelf. Looks at most at `limit` of each, from where the call before stopped.
    pub fn prune_shelves(&mut self, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
        Ok(self.prune_prices(now, limit)? + self.prune_names(limit)?)
    }

    fn prune_prices(&mut self, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
        let last = self.memory.pruned.prices.take();
        let mut seen = Vec::new();
        {
            let from = match &last {
                Some((source, product, variant)) => {
                    Bound::Excluded((source.as_str(), *product, *variant))
                }
                None => Bound::Unbounded,
            };
            for row in self.tables.prices.rows((from, Bound::Unbounded))?.take(limit) {
                let (key, prices) = row?;
                let (source, product, variant) = key.value();
                seen.push((source.to_owned(), ShelfKey { product, variant }, prices));
            }
        }
        // At the end it begins anew.
        self.memory.pruned.prices = seen
            .last()
            .filter(|_| seen.len() == limit)
            .map(|(source, row, _)| (source.clone(), row.product, row.variant));
        let mut removed = 0;
        for (source, row, prices) in seen {
            let source = named(&source)?;
            let history = history(&source, row, Some(prices))?;
            let is_over = match self.listing(&source, row)? {
                Some(listing) => listing.told.is_some_and(|told| history.is_settled(told, now)),
                None => true,
            };
            if is_over {
                self.tables.prices.remove(key(&source, row))?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    fn prune_names(&mut self, limit: usize) -> Result<usize, StoreError> {
        let last = self.memory.pruned.names.take();
        let mut seen = Vec::new();
        {
            let from = match &last {
                Some((source, product)) => Bound::Excluded((source.as_str(), *product)),
                None => Bound::Unbounded,
            };
            for row in self.tables.names.rows((from, Bound::Unbounded))?.take(limit) {
                let (key, _) = row?;
                let (source, product) = key.value();
                seen.push((source.to_owned(), product));
            }
        }
        self.memory.pruned.names = seen.last().filter(|_| seen.len() == limit).cloned();
        let mut removed = 0;
        for (source, product) in seen {
            let name = named(&source)?;
            if !self.memory.naming.contains(&name) && !self.has_product(&name, product)? {
                self.tables.names.remove((&source, product))?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// The row of a shelf, wherever its block begins.
    fn listing(&self, source: &Name, row: ShelfKey) -> Result<Option<KnownListing>, StoreError> {
        let Some(block) = self.block_of(source, row)? else { return Ok(None) };
        let rows = block.encoded();
        let found = rows.binary_search_by_key(&row, KnownListing::key_of);
        Ok(found.ok().and_then(|at| rows.get(at)).map(KnownListing::decode))
    }

    fn has_product(&self, source: &Name, product: u64) -> Result<bool, StoreError> {
        let Some(block) = self.block_of(source, ShelfKey { product, variant: u32::MAX })? else {
            return Ok(false);
        };
        let mut keys = block.encoded().iter().map(KnownListing::key_of);
        Ok(keys.any(|key| key.product == product))
    }

    /// The last block that begins at or before the row: the only one that may have it.
    fn block_of(&self, source: &Name, row: ShelfKey) -> Result<Option<Block>, StoreError> {
        let range = (source.as_str(), 0, 0)..=key(source, row);
        match self.tables.shelves.rows(range)?.next_back().transpose()? {
            Some((key, rows)) => {
                let (_, product, variant) = key.value();
                block(source, ShelfKey { product, variant }, rows).map(Some)
            }
            None => Ok(None),
        }
    }
}
