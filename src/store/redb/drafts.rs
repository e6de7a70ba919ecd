//! Drafts that wait: listed, moved to another time, looked at by somebody.

use redb::ReadTransaction;

use crate::model::name::Name;
use crate::model::post::{Content, Draft, DraftId, Hold};
use crate::model::time::Timestamp;
use crate::model::trace::{Happened, short};
use crate::store::redb::ledger::Writing;
use crate::store::redb::tables::{DRAFTS, DRAFTS_DUE, DRAFTS_HELD};
use crate::store::{ReviewWord, Reviewed, StoreError};

/// Most drafts that one transaction gives another time.
pub(super) const POSTPONED_MAX: usize = 10_000;

/// See `Store::load_due_drafts`.
pub(super) fn load_due_drafts(
    read: &ReadTransaction,
    campaign: &Name,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Draft>, StoreError> {
    let drafts = DRAFTS.open(read)?;
    let mut due = Vec::new();
    for key in DRAFTS_DUE.open(read)?.keys(..=(now.as_millis(), u64::MAX))? {
        if due.len() >= limit {
            break;
        }
        let draft = drafts.need(key?.value().1)?;
        if draft.campaign() == Some(campaign) {
            due.push(draft);
        }
    }
    // What was parted from a draft has a later id and keeps its place.
    due.sort_by_key(|draft| (draft.created_at, draft.id));
    Ok(due)
}

/// A part of what `Store::postpone_drafts` does: at most [`POSTPONED_MAX`].
pub(super) fn postpone_drafts(
    writing: &mut Writing<'_>,
    campaign: &Name,
    now: Timestamp,
    most: usize,
    due_at: Timestamp,
    why: &str,
) -> Result<usize, StoreError> {
    let mut seen = 0;
    let mut moved = Vec::new();
    for key in writing.tables.drafts_due.keys(..=(now.as_millis(), u64::MAX))? {
        if moved.len() >= POSTPONED_MAX {
            break;
        }
        let draft = writing.tables.drafts.need(key?.value().1)?;
        if draft.campaign() == Some(campaign) {
            seen += 1;
            if seen > most {
                moved.push(Draft { due_at, ..draft });
            }
        }
    }
    commit_drafts(writing, &moved, why, now)?;
    Ok(moved.len())
}

/// See `Store::give_up_drafts`.
pub(super) fn give_up_drafts(
    writing: &mut Writing<'_>,
    drafts: &[DraftId],
    why: &str,
    now: Option<Timestamp>,
) -> Result<(), StoreError> {
    for draft in drafts.iter().copied() {
        let taken = writing.take_draft(draft)?;
        let dropped = |_: &Name| Happened::Dropped { draft, why: short(why) };
        writing.trace_all(&taken, now.unwrap_or(taken.due_at), &dropped)?;
    }
    Ok(())
}

/// See `Store::load_drafts`.
pub(super) fn load_drafts(read: &ReadTransaction, limit: usize) -> Result<Vec<Draft>, StoreError> {
    let drafts = DRAFTS.open(read)?;
    let mut ids = Vec::new();
    for key in DRAFTS_HELD.open(read)?.keys(..)?.take(limit) {
        ids.push(key?.value().1);
    }
    ids.sort_unstable();
    for key in DRAFTS_DUE.open(read)?.keys(..)?.take(limit - ids.len()) {
        ids.push(key?.value().1);
    }
    ids.into_iter().map(|id| drafts.need(id)).collect()
}

/// See `Store::commit_drafts`.
pub(super) fn commit_drafts(
    writing: &mut Writing<'_>,
    drafts: &[Draft],
    why: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    for draft in drafts {
        let (id, due_at) = (draft.id, draft.due_at);
        let (id, is_moved) = if id == DraftId(0) {
            (writing.next_draft()?, true)
        } else {
            (id, writing.take_draft(id)?.due_at != due_at)
        };
        writing.put_draft(&Draft { id, ..draft.clone() })?;
        if is_moved {
            let moved = |_: &Name| Happened::Moved { draft: id, due_at, why: short(why) };
            writing.trace_all(draft, now, &moved)?;
        }
    }
    Ok(())
}

/// See `Store::commit_review`.
pub(super) fn commit_review(
    writing: &mut Writing<'_>,
    of: &Reviewed,
    word: ReviewWord,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let mut touched = 0;
    for id in in_review(writing)? {
        let Some(draft) = writing.tables.drafts.load(id)? else { continue };
        let is_meant = match of {
            Reviewed::Draft(one) => one.0 == id,
            Reviewed::Campaign(campaign) => draft.campaign() == Some(campaign),
        };
        if !is_meant || draft.held != Some(Hold::Review) {
            continue;
        }
        touched += 1;
        let draft = Draft { held: None, due_at: now, ..writing.take_draft(DraftId(id))? };
        if word == ReviewWord::Drop {
            let why = "dropped by hand".to_owned();
            let dropped = |_: &Name| Happened::Dropped { draft: DraftId(id), why: why.clone() };
            writing.trace_all(&draft, now, &dropped)?;
            continue;
        }
        let left = match writing.source_of(&draft)? {
            Some(source) => writing.untold(draft, &source, now)?,
            None => Some(draft),
        };
        if let Some(draft) = left {
            let released = |campaign: &Name| Happened::Released {
                campaign: campaign.clone(),
                draft: DraftId(id),
            };
            writing.trace_all(&draft, now, &released)?;
            writing.put_draft(&draft)?;
        }
    }
    Ok(touched)
}

/// The drafts that wait to be looked at, oldest first.
fn in_review(writing: &Writing<'_>) -> Result<Vec<u64>, StoreError> {
    let keys = writing.tables.drafts_held.keys(("", 0)..=("", u64::MAX))?;
    keys.map(|key| Ok(key?.value().1)).collect()
}

impl Writing<'_> {
    /// The source of a draft's items, all of which are of one poll.
    fn source_of(&self, draft: &Draft) -> Result<Option<Name>, StoreError> {
        let Content::Items { items, .. } = &draft.content else { return Ok(None) };
        for told in items {
            if let Some(item) = self.tables.items.load(told.item.0)? {
                return Ok(Some(item.source));
            }
        }
        Ok(None)
    }
}
