//! Media that services keep for us.

use std::time::Duration;

use redb::ReadTransaction;

use crate::model::media::{KeptMedium, MediaKey};
use crate::model::name::Name;
use crate::model::time::Timestamp;
use crate::store::StoreError;
use crate::store::redb::ledger::Writing;
use crate::store::redb::tables::MEDIA;

/// How long a medium is kept that is of no use any more.
const MEDIA_KEPT_FOR: Duration = Duration::from_secs(90 * 86_400);

/// See `Store::load_media`.
pub(super) fn load_media(
    read: &ReadTransaction,
    channel: &Name,
    keys: &[MediaKey],
) -> Result<Vec<Option<KeptMedium>>, StoreError> {
    let media = MEDIA.open(read)?;
    keys.iter().map(|key| media.load((channel.as_str(), key.0))).collect()
}

impl Writing<'_> {
    /// See `Store::commit_media`.
    pub fn keep_media(
        &mut self,
        channel: &Name,
        media: &[(MediaKey, Option<KeptMedium>)],
    ) -> Result<(), StoreError> {
        let channel = channel.as_str();
        for (key, medium) in media {
            let MediaKey(key) = *key;
            if let Some(before) = self.tables.media.load((channel, key))? {
                let at = before.used_at.as_millis();
                self.tables.media_by_age.remove((at, channel, key))?;
            }
            match medium {
                Some(medium) => {
                    self.tables.media.put((channel, key), medium)?;
                    let at = medium.used_at.as_millis();
                    self.tables.media_by_age.insert((at, channel, key))?;
                }
                None => {
                    self.tables.media.remove((channel, key))?;
                }
            }
        }
        Ok(())
    }

    /// Forgets at most `limit` media that were of no use for long; answers how many.
    pub fn prune_media(&mut self, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
        let before = (now - MEDIA_KEPT_FOR).as_millis();
        let mut old = Vec::new();
        for key in self.tables.media_by_age.keys(..(before, "", [0; 16]))?.take(limit) {
            let key = key?;
            let (at, channel, name) = key.value();
            old.push((at, channel.to_owned(), name));
        }
        for (at, channel, name) in &old {
            self.tables.media_by_age.remove((*at, channel, *name))?;
            self.tables.media.remove((channel, *name))?;
        }
        Ok(old.len())
    }
}
