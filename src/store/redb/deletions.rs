//! Deletions that a service asked for: known for a while by a code that tells nothing of the person.

use std::time::Duration;

use redb::ReadTransaction;

use crate::model::time::Timestamp;
use crate::store::redb::ledger::Writing;
use crate::store::redb::tables::DELETIONS;
use crate::store::{Deletion, StoreError};

/// How long a deletion is known by its code.
const KEPT_FOR: Duration = Duration::from_secs(90 * 86_400);

/// See `Store::load_deletion`.
pub(super) fn load_deletion(
    read: &ReadTransaction,
    code: &str,
) -> Result<Option<Deletion>, StoreError> {
    DELETIONS.open(read)?.load(code)
}

impl Writing<'_> {
    /// Remembers what came of a request; the first word stands.
    pub fn keep_deletion(&mut self, code: &str, deletion: &Deletion) -> Result<(), StoreError> {
        if self.tables.deletions.load(code)?.is_some() {
            return Ok(());
        }
        self.tables.deletions_by_age.insert((deletion.at.as_millis(), code))?;
        self.tables.deletions.put(code, deletion)
    }

    /// Forgets at most `limit` deletions that are not known any more; answers how many.
    pub fn prune_deletions(&mut self, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
        let before = (now - KEPT_FOR).as_millis();
        let mut old = Vec::new();
        for key in self.tables.deletions_by_age.keys(..(before, ""))?.take(limit) {
            let key = key?;
            let (at, code) = key.value();
            old.push((at, code.to_owned()));
        }
        for (at, code) in &old {
            self.tables.deletions_by_age.remove((*at, code.as_str()))?;
            self.tables.deletions.remove(code.as_str())?;
        }
        Ok(old.len())
    }
}
