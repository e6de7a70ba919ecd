//! The store, for a thread that may wait: what a catalog's poll asks it.

use std::collections::{HashMap, HashSet};

use tokio::runtime::Handle;

use crate::diff::catalog as diff;
use crate::model::name::Name;
use crate::model::price::PriceHistory;
use crate::model::product::ProductName;
use crate::model::shelf::{ShelfKey, ShelfState};
use crate::model::source::Source;
use crate::store::{Store, StoreError};

/// So many products are named at a time.
pub(crate) const NAMED_AT_ONCE: usize = 4_096;

/// The store, for a thread that may wait.
pub(crate) struct Wait<'a> {
    pub store: &'a dyn Store,
    pub handle: &'a Handle,
    pub source: &'a Source,
    /// The channels whose people can be written to only while their window is open.
    pub windowed: &'a [Name],
}

impl Wait<'_> {
    pub fn shelf_state(&self) -> Result<Option<ShelfState>, StoreError> {
        self.handle.block_on(self.store.load_shelf_state(&self.source.name))
    }

    pub fn keep_names(&self, names: Vec<(u64, ProductName)>) -> Result<(), StoreError> {
        self.handle.block_on(self.store.commit_names(&self.source.name, names))
    }

    /// Of the products those that have no name yet.
    pub fn nameless(&self, products: HashSet<u64>) -> Result<HashSet<u64>, StoreError> {
        let products: Vec<u64> = products.into_iter().collect();
        let mut nameless = HashSet::new();
        for chunk in products.chunks(NAMED_AT_ONCE) {
            let names = self.store.load_names(&self.source.name, chunk);
            let names = self.handle.block_on(names)?;
            let without = chunk.iter().zip(names).filter(|(_, name)| name.is_none());
            nameless.extend(without.map(|(product, _)| *product));
        }
        Ok(nameless)
    }

    /// What products that have no row any more were called.
    pub fn names_of_gone(
        &self,
        changes: &[&diff::Change],
    ) -> Result<HashMap<u64, ProductName>, StoreError> {
        let gone = changes.iter().filter(|change| change.places.is_empty());
        let gone: Vec<u64> = gone.map(|change| change.product).collect();
        if gone.is_empty() {
            return Ok(HashMap::new());
        }
        let names = self.handle.block_on(self.store.load_names(&self.source.name, &gone))?;
        Ok(gone
            .into_iter()
            .zip(names)
            .filter_map(|(product, name)| Some((product, name?)))
            .collect())
    }

    /// What the variants cost whose prices moved.
    pub fn histories(
        &self,
        changes: &[&diff::Change],
    ) -> Result<HashMap<ShelfKey, PriceHistory>, StoreError> {
        let moves = changes.iter().filter_map(|change| change.price);
        let keys: Vec<ShelfKey> = moves.map(|price| price.key).collect();
        if keys.is_empty() {
            return Ok(HashMap::new());
        }
        let histories = self.handle.block_on(self.store.load_prices(&self.source.name, &keys))?;
        Ok(keys.into_iter().zip(histories).collect())
    }
}
