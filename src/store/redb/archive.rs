//! What was sent to the topics that are read by everybody.
//!
//! A post stands under each of its topics until [`KEPT_MAX`] newer ones do; it outlives the post's
//! own rows.

use redb::ReadTransaction;

use crate::model::archive::{Archived, Entry};
use crate::model::message::Card;
use crate::model::name::Name;
use crate::model::post::{Post, PostId};
use crate::model::time::Timestamp;
use crate::store::StoreError;
use crate::store::redb::ledger::Writing;
use crate::store::redb::rows::Tally;
use crate::store::redb::tables::{ARCHIVE, ARCHIVED, TALLIES};

/// Most posts that are kept of a topic.
const KEPT_MAX: usize = 500;

/// See `Store::load_archive`.
pub(super) fn load_archive(
    read: &ReadTransaction,
    topic: &Name,
) -> Result<Vec<Archived>, StoreError> {
    let (archive, tallies) = (ARCHIVE.open(read)?, TALLIES.open(read)?);
    let mut found = Vec::new();
    let index = ARCHIVED.open(read)?;
    for key in index.keys((topic.as_str(), 0)..=(topic.as_str(), u64::MAX))?.rev() {
        let post = key?.value().1;
        let row = archive.need(post)?;
        if was_sent(&row, |post| tallies.load(post))? && !row.entries.is_empty() {
            found.push(row);
        }
    }
    Ok(found)
}

impl Writing<'_> {
    /// Has the post stand under the topics.
    pub(super) fn archive(
        &mut self,
        id: PostId,
        post: &Post,
        topics: &[Name],
    ) -> Result<(), StoreError> {
        if topics.is_empty() {
            return Ok(());
        }
        let at = post.zoned.as_ref().map_or(post.created_at, |zoned| zoned.opens_at);
        let entries = entries(&post.cards);
        let at = at.max(post.created_at);
        let posts = post.zoned.as_ref().map_or(1, |zoned| zoned.posts);
        let row = Archived { post: id, posts, at, corrected_at: None, entries };
        self.tables.archive.put(id.0, &row)?;
        for topic in topics {
            self.tables.archived.insert((topic.as_str(), id.0))?;
            self.tables.archived_topics.insert((id.0, topic.as_str()))?;
            let oldest = {
                let range = (topic.as_str(), 0)..=(topic.as_str(), u64::MAX);
                let mut newest_first = self.tables.archived.keys(range)?.rev().skip(KEPT_MAX);
                newest_first.next().transpose()?.map(|key| key.value().1)
            };
            if let Some(oldest) = oldest {
                self.take_out(oldest, topic.as_str())?;
            }
        }
        Ok(())
    }

    /// What the post tells reads otherwise now; without cards it was taken back.
    pub(super) fn correct_archived(
        &mut self,
        post: u64,
        cards: &[Card],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(row) = self.tables.archive.load(post)? else { return Ok(()) };
        let row = Archived { corrected_at: Some(now), entries: entries(cards), ..row };
        self.tables.archive.put(post, &row)
    }

    /// The post's own rows go; if nobody got it, it was never sent.
    pub(super) fn settle_archived(&mut self, post: u64) -> Result<(), StoreError> {
        let Some(row) = self.tables.archive.load(post)? else { return Ok(()) };
        if was_sent(&row, |post| self.tables.tallies.load(post))? {
            return Ok(());
        }
        let topics = {
            let keys = self.tables.archived_topics.keys((post, "")..(post + 1, ""))?;
            keys.map(|key| Ok(key?.value().1.to_owned())).collect::<Result<Vec<_>, StoreError>>()?
        };
        for topic in topics {
            self.take_out(post, &topic)?;
        }
        Ok(())
    }

    fn take_out(&mut self, post: u64, topic: &str) -> Result<(), StoreError> {
        self.tables.archived.remove((topic, post))?;
        self.tables.archived_topics.remove((post, topic))?;
        let is_last =
            self.tables.archived_topics.keys((post, "")..(post + 1, ""))?.next().is_none();
        if is_last {
            self.tables.archive.remove(post)?;
        }
        Ok(())
    }
}

/// Whether somebody got it: what was cancelled before, and what nobody got yet, was not sent. What
/// is settled for so long that nothing is counted of it any more, was.
fn was_sent(
    row: &Archived,
    tally: impl Fn(u64) -> Result<Option<Tally>, StoreError>,
) -> Result<bool, StoreError> {
    for post in (row.post.0..).take(row.posts as usize) {
        if tally(post)?.is_none_or(|tally| tally.counts.sent > 0) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn entries(cards: &[Card]) -> Vec<Entry> {
    cards.iter().map(Entry::from).collect()
}
