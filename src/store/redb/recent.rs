//! What people did lately: see `model::recent`.

use redb::ReadTransaction;

use crate::model::name::Name;
use crate::model::recent::{RECENT_FOR, Recent};
use crate::model::time::Timestamp;
use crate::store::StoreError;
use crate::store::redb::ledger::Writing;
use crate::store::redb::rows::Number;
use crate::store::redb::tables::{ADDRESSES, RECENTS};

/// See `Store::load_recent`.
pub(super) fn load_recent(
    read: &ReadTransaction,
    channel: &Name,
    address: &str,
) -> Result<Option<Recent>, StoreError> {
    match ADDRESSES.open(read)?.load((channel.as_str(), address))? {
        Some(Number(number)) => RECENTS.open(read)?.load((channel.as_str(), number)),
        None => Ok(None),
    }
}

impl Writing<'_> {
    /// Keeps what somebody did lately, in place of what was kept.
    pub fn keep_recent(
        &mut self,
        channel: &Name,
        number: u32,
        recent: &Recent,
    ) -> Result<(), StoreError> {
        self.forget_recent(channel.as_str(), number)?;
        let age = recent.newest_at().as_millis();
        self.tables.recents_by_age.insert((age, channel.as_str(), number))?;
        self.tables.recents.put((channel.as_str(), number), recent)
    }

    /// Forgets what somebody did lately.
    pub fn forget_recent(&mut self, channel: &str, number: u32) -> Result<(), StoreError> {
        if let Some(before) = self.tables.recents.load((channel, number))? {
            let age = before.newest_at().as_millis();
            self.tables.recents_by_age.remove((age, channel, number))?;
            self.tables.recents.remove((channel, number))?;
        }
        Ok(())
    }

    /// Forgets what is too old to matter, at most `limit` people; answers how many.
    pub fn prune_recents(&mut self, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
        let before = (now - RECENT_FOR).as_millis();
        let mut old = Vec::new();
        for key in self.tables.recents_by_age.keys(..(before, "", 0))?.take(limit) {
            let key = key?;
            let (_, channel, number) = key.value();
            old.push((channel.to_owned(), number));
        }
        for (channel, number) in &old {
            self.forget_recent(channel, *number)?;
        }
        Ok(old.len())
    }
}
