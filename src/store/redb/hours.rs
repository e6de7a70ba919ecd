//! Hours of posts: a post leaves the line when its hours end, and comes back when they begin.
//!
//! They are asked whenever a post's turn comes, so nothing else that puts a post into the line
//! needs to know them: a later stage, a post that is resumed, who is tried again.

use std::time::Duration;

use crate::model::time::Timestamp;
use crate::model::timing::opening;
use crate::store::StoreError;
use crate::store::redb::chores::{Chore, Task};
use crate::store::redb::ledger::Writing;
use crate::store::redb::rows::{PostRow, Tally};

/// Most posts that come back in one transaction.
const BACK_MAX: usize = 64;

/// When a post is looked at again whose hours never open.
const DAY: Duration = Duration::from_secs(86_400);

impl Tally {
    /// When the post's hours begin again; `None` while they are open.
    pub fn opens_at(&self, now: Timestamp) -> Option<Timestamp> {
        let from = self.opens_from.map_or(now, |from| from.max(now));
        let opens_at = opening(&self.hours, from).unwrap_or(from + DAY);
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
                match self.is_too_late((at, post), &row, now)? {
                    Some(why) => self.end_unsent(post, &row, why)?,
                    None => self.join_line(post, &row.spans)?,
                }
            }
        }
        Ok(true)
    }

    /// Why a post for readers' clocks is not sent any more, if it is not: nobody was there when its
    /// hour came.
    fn is_too_late(
        &mut self,
        (at, post): (i64, u64),
        row: &PostRow,
        now: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        let Some(zoned) = &row.zoned else { return Ok(None) };
        // Once its hour has come it waits for its turn as others do.
        if at != zoned.opens_at.as_millis() || now <= zoned.late_at {
            return Ok(None);
        }
        let tally = self.tally(post)?;
        let is_untouched = tally.counts.waiting == tally.counts.planned;
        // What somebody has paused is theirs to let go or to cancel.
        let is_late = is_untouched && tally.paused.is_none() && tally.stopped.is_none();
        Ok(is_late.then(|| format!("it was due at {} and is too late", zoned.opens_at)))
    }

    /// Nobody gets the post: all are skipped, part by part.
    fn end_unsent(&mut self, post: u64, row: &PostRow, why: String) -> Result<(), StoreError> {
        let tally = self.tally(post)?;
        tally.stopped = Some(why);
        let priority = tally.priority;
        self.leave_line(post, &row.spans, priority)?;
        self.tables.chores.put(post, &Chore { task: Task::Skip, next: 0, done: 0 })
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
