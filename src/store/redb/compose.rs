//! Drafts that are due, held floods, and posts with their batches.

use redb::ReadTransaction;

use crate::model::item::{Item, ItemId};
use crate::model::name::Name;
use crate::model::post::{
    BATCH_RECIPIENTS_MAX, Content, Counts, Draft, DraftId, Outcome, Post, PostId,
};
use crate::model::time::Timestamp;
use crate::model::trace::Happened;
use crate::model::zone::Gathering;
use crate::store::redb::ledger::{Writing, steps};
use crate::store::redb::rows::{Outcomes, People, PostRow, Span, Tally};
use crate::store::redb::tables::{
    DRAFTS, DRAFTS_DUE, DRAFTS_HELD, GATHERINGS, ITEMS, ITEMS_BY_AGE, SHOWN,
};
use crate::store::{FloodWord, NEWEST_SEEN_MAX, PostCommit, PostRole, StoreError, ZonedCommit};

/// See `Store::lease_drafts`.
pub(super) fn lease_drafts(
    read: &ReadTransaction,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Draft>, StoreError> {
    let drafts = DRAFTS.open(read)?;
    let mut due = Vec::new();
    for key in DRAFTS_DUE.open(read)?.keys(..=(now.as_millis(), u64::MAX))?.take(limit) {
        due.push(drafts.need(key?.value().1)?);
    }
    Ok(due)
}

/// See `Store::next_draft_at`.
pub(super) fn next_draft_at(read: &ReadTransaction) -> Result<Option<Timestamp>, StoreError> {
    let drafts_due = DRAFTS_DUE.open(read)?;
    let first = drafts_due.keys(..)?.next().transpose()?;
    Ok(first.map(|key| Timestamp::from_millis(key.value().0)))
}

/// See `Store::load_items`.
pub(super) fn load_items(read: &ReadTransaction, ids: &[ItemId]) -> Result<Vec<Item>, StoreError> {
    let items = ITEMS.open(read)?;
    ids.iter().filter_map(|id| items.load(id.0).transpose()).collect()
}

/// See `Store::load_newest_items`.
pub(super) fn load_newest_items(
    read: &ReadTransaction,
    sources: &[Name],
    limit: usize,
) -> Result<Vec<Item>, StoreError> {
    let items = ITEMS.open(read)?;
    let mut newest = Vec::new();
    for key in ITEMS_BY_AGE.open(read)?.keys(..)?.rev().take(NEWEST_SEEN_MAX) {
        if newest.len() >= limit {
            break;
        }
        let item: Item = items.need(key?.value().1)?;
        if sources.is_empty() || sources.contains(&item.source) {
            newest.push(item);
        }
    }
    Ok(newest)
}

/// See `Store::load_held_drafts`.
pub(super) fn load_held_drafts(read: &ReadTransaction) -> Result<Vec<Draft>, StoreError> {
    let drafts = DRAFTS.open(read)?;
    let mut held = Vec::new();
    for key in DRAFTS_HELD.open(read)?.keys(..)? {
        held.push(drafts.need(key?.value().1)?);
    }
    held.sort_by_key(|draft| draft.id);
    Ok(held)
}

/// See `Store::commit_flood`.
pub(super) fn commit_flood(
    writing: &mut Writing<'_>,
    source: &Name,
    word: FloodWord,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let held = {
        let range = (source.as_str(), 0)..=(source.as_str(), u64::MAX);
        let keys = writing.tables.drafts_held.keys(range)?;
        keys.map(|key| Ok(DraftId(key?.value().1))).collect::<Result<Vec<_>, StoreError>>()?
    };
    for id in &held {
        let mut draft = writing.take_draft(*id)?;
        draft.held = None;
        draft.due_at = now;
        let known =
            |campaign: &Name| Happened::TakenAsKnown { campaign: campaign.clone(), draft: *id };
        match word {
            FloodWord::Known | FloodWord::Newest(0) => {
                writing.trace_all(&draft, now, &known)?;
                continue;
            }
            FloodWord::Release => {}
            FloodWord::Newest(most) => {
                let mut older = draft.clone();
                if let (Content::Items { items, .. }, Content::Items { items: left, .. }) =
                    (&mut draft.content, &mut older.content)
                {
                    let most = usize::try_from(most).unwrap_or(usize::MAX);
                    *left = items.drain(..items.len().saturating_sub(most)).collect();
                }
                writing.trace_all(&older, now, &known)?;
            }
        }
        if let Some(draft) = writing.untold(draft, source, now)? {
            writing.trace_all(&draft, now, &|campaign| Happened::Released {
                campaign: campaign.clone(),
                draft: *id,
            })?;
            writing.put_draft(&draft)?;
        }
    }
    Ok(held.len())
}

/// See `Store::load_shown`.
pub(super) fn load_shown(read: &ReadTransaction) -> Result<Vec<(DraftId, PostId)>, StoreError> {
    let pair = |(draft, post)| (DraftId(draft), PostId(post));
    SHOWN.open(read)?.keys(..)?.map(|key| Ok(pair(key?.value()))).collect()
}

/// See `Store::load_draft`.
pub(super) fn load_draft(
    read: &ReadTransaction,
    draft: DraftId,
) -> Result<Option<Draft>, StoreError> {
    DRAFTS.open(read)?.load(draft.0)
}

/// See `Store::commit_post_as`.
pub(super) fn commit_post_as(
    writing: &mut Writing<'_>,
    commit: &PostCommit,
    role: &PostRole,
) -> Result<PostId, StoreError> {
    if let Some(draft) = role.shows
        && writing.tables.drafts.load(draft.0)?.is_none()
    {
        return Err(StoreError::Missing { what: format!("draft {draft}") });
    }
    if let Some((draft, due_at)) = role.unmoved
        && writing.tables.drafts.load(draft.0)?.is_none_or(|draft| draft.due_at != due_at)
    {
        return Err(StoreError::Missing { what: format!("draft {draft} due at {due_at}") });
    }
    let post = commit_post(writing, commit)?;
    writing.archive(post, &commit.post, &role.archive)?;
    if let Some(draft) = role.shows {
        writing.tables.shown.insert((draft.0, post.0))?;
    }
    if let Some(whom) = &role.late {
        writing.open_to_late(post.0, whom)?;
    }
    Ok(post)
}

/// See `Store::commit_post`.
pub(super) fn commit_post(
    writing: &mut Writing<'_>,
    commit: &PostCommit,
) -> Result<PostId, StoreError> {
    let id = next_post(writing)?;
    for draft in &commit.drafts {
        let draft = writing.take_draft(*draft)?;
        let posted = |_: &Name| Happened::Posted { post: PostId(id) };
        writing.trace_all(&draft, commit.post.created_at, &posted)?;
    }
    put_post(writing, id, &commit.post, &commit.audiences)
}

/// See `Store::commit_zoned`.
pub(super) fn commit_zoned(
    writing: &mut Writing<'_>,
    commit: &ZonedCommit,
) -> Result<Vec<PostId>, StoreError> {
    let mut taken = Vec::with_capacity(commit.drafts.len());
    for draft in &commit.drafts {
        taken.push(writing.take_draft(*draft)?);
    }
    let posts = u32::try_from(commit.posts.len()).unwrap_or(u32::MAX);
    let mut ids = Vec::with_capacity(commit.posts.len());
    for (post, audiences) in &commit.posts {
        let id = next_post(writing)?;
        ids.push(PostId(id));
        let mut post = post.clone();
        if let (Some(zoned), Some(first)) = (&mut post.zoned, ids.first()) {
            (zoned.first, zoned.posts) = (*first, posts);
        }
        put_post(writing, id, &post, audiences)?;
        // All of them say the same.
        if ids.len() == 1 {
            writing.archive(PostId(id), &post, &commit.archive)?;
        }
        let posted = |_: &Name| Happened::Posted { post: PostId(id) };
        for draft in &taken {
            writing.trace_all(draft, post.created_at, &posted)?;
        }
        if let Some(whom) = &commit.late {
            writing.open_to_late(id, whom)?;
        }
    }
    if let Some(hour) = commit.decided {
        let before = writing.tables.gatherings.load(commit.campaign.as_str())?;
        let after = before.unwrap_or_default().past(hour);
        writing.tables.gatherings.put(commit.campaign.as_str(), &after)?;
    }
    Ok(ids)
}

/// See `Store::load_gathering`.
pub(super) fn load_gathering(
    read: &ReadTransaction,
    campaign: &Name,
) -> Result<Gathering, StoreError> {
    Ok(GATHERINGS.open(read)?.load(campaign.as_str())?.unwrap_or_default())
}

fn next_post(writing: &mut Writing<'_>) -> Result<u64, StoreError> {
    let counters = writing.counters()?;
    counters.post += 1;
    Ok(counters.post)
}

/// Writes a post with its batches.
fn put_post(
    writing: &mut Writing<'_>,
    id: u64,
    post: &Post,
    audiences: &[(Name, Vec<u32>)],
) -> Result<PostId, StoreError> {
    let opens_from = post.zoned.as_ref().map(|zoned| zoned.opens_at);
    let waits_until = opens_from.filter(|opens_at| *opens_at > post.created_at);
    let mut planned = 0u64;
    let mut spans = Vec::new();
    for (channel, audience) in audiences {
        let first = writing.counters()?.batch + 1;
        let mut batches = 0;
        for part in audience.chunks(BATCH_RECIPIENTS_MAX) {
            let batch = first + batches;
            let people = People { post: id, channel: channel.clone(), steps: steps(part) };
            writing.tables.people.put(batch, &people)?;
            let outcomes = Outcomes(vec![Outcome::Waiting.to_byte(); part.len()]);
            writing.tables.outcomes.put(batch, &outcomes)?;
            writing.tables.open_batches.insert((channel.as_str(), id, batch))?;
            planned += part.len() as u64;
            batches += 1;
        }
        writing.counters()?.batch += batches;
        if batches > 0 && waits_until.is_none() {
            let rank = post.priority.rank();
            writing.tables.turns.insert((channel.as_str(), rank, id))?;
        }
        spans.push(Span { channel: channel.clone(), first, batches });
    }
    if let Some(opens_at) = waits_until {
        writing.tables.opening.insert((opens_at.as_millis(), id))?;
    }
    let row = PostRow {
        campaign: post.campaign.clone(),
        title: post.title.clone(),
        created_at: post.created_at,
        topics: post.topics.clone(),
        bodies: post.bodies.clone(),
        personal: post.personal.clone(),
        cards: post.cards.clone(),
        zoned: post.zoned.clone(),
        spans,
    };
    writing.tables.posts.put(id, &row)?;
    if let Some(beyond) = &post.beyond {
        writing.tables.beyonds.put(id, beyond)?;
    }
    if let Some(state) = &post.corrections {
        writing.begin_corrections(id, state)?;
    }
    writing.begin_tally(
        id,
        Tally {
            counts: Counts { planned, waiting: planned, ..Counts::default() },
            errors: post.errors.clone(),
            stopped: None,
            paused: None,
            priority: post.priority,
            rollout: post.rollout.clone(),
            hours: post.hours.clone(),
            opens_from,
            on_uncertain: post.on_uncertain,
            touched_at: post.created_at,
            finished_at: None,
        },
    );
    Ok(PostId(id))
}
