//! Hours of posts: a post leaves the line when its hours end, and comes back when they begin.
//!
//! They are asked whenever a post's turn comes, so nothing else that puts a post into the line
//! needs to know them: a later stage, a post that is resumed, who is tried again.

use std::time::Duration;

use crate::model::time::Timestamp;
use crate::model::timing::opening;
use crate::store::StoreError;
use crate::store::redb::ledger::Writing;
use crate::store::redb::rows::Tally;

/// Most posts that come back in one transaction.
const BACK_MAX: usize = 64;

/// When a post is looked at again whose hours never open.
const DAY: Duration = Duration::from_secs(86_400);

impl Tally {
    /// When the post's hours begin again; `None` while they are open.
    pub fn opens_at(&self, now: Timestamp) -> Option<Timestamp> {
        let opens_at = opening(&self.hours, now).unwrap_or(now + DAY);
        (opens_at > now).then_some(opens_at)
    }
}

impl Writing<'_> {
    /// Brings back the posts whose hours have begun; answers whether there may be more.
    pub fn open_hours(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        for _ in 0..BACK_MAX {
            let first = {
                let range = ..=(now.as_millis(), u64::MAX);
                self.tables.opening.keys(range)?.next().transpose()?.map(|key| key.value())
            };
            let Some((at, post)) = first else { return Ok(false) };
            self.tables.opening.remove((at, post))?;
            // It may have been pruned since.
            if let Some(row) = self.tables.posts.load(post)? {
                self.join_line(post, &row.spans)?;
            }
        }
        Ok(true)
    }

    /// Takes a post whose hours are closed out of the line; answers whether it did.
    pub fn close_hours(&mut self, post: u64, now: Timestamp) -> Result<bool, StoreError> {
        let tally = self.tally(post)?;
        let Some(opens_at) = tally.opens_at(now) else { return Ok(false) };
        let priority = tally.priority;
        let row = self.tables.posts.need(post)?;
        self.leave_line(post, &row.spans, priority)?;
        self.tables.opening.insert((opens_at.as_millis(), post))?;
        Ok(true)
    }
}
