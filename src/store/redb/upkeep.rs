//! Figures and lists for people, imports, and what is thrown away.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use redb::ReadTransaction;

use crate::model::channel::ChannelState;
use crate::model::correction::Corrections;
use crate::model::day::Days;
use crate::model::name::Name;
use crate::model::post::{Content, Counts, Hold, Outcome, Post, PostId};
use crate::model::subscriber::{Standing, Subscriber};
use crate::model::time::Timestamp;
use crate::store::redb::converse::SEEN_FOR;
use crate::store::redb::crowd::Crowded;
use crate::store::redb::ledger::{Writing, numbers};
use crate::store::redb::poll::{load_sources, named};
use crate::store::redb::rows::{Outcomes, PostRow, Tally};
use crate::store::redb::tables::{
    ANSWERS, ASIDE, BEYONDS, CHANNELS, CORRECTIONS, CROWDS, DRAFTS, DRAFTS_DUE, DRAFTS_HELD,
    EVENTS, HALTS, OUTCOMES, PACINGS, PEOPLE, POSTS, SUBSCRIBERS, TALLIES, WATCHES,
};
use crate::store::{ChannelStatus, Status, StoreError};

/// How long an item is kept that no draft names.
const ITEMS_KEPT_FOR: Duration = Duration::from_secs(30 * 86_400);

/// How long a finished post is kept.
const POSTS_KEPT_FOR: Duration = Duration::from_secs(90 * 86_400);

/// Most items, and most event ids, removed by one call.
const PRUNED_ROWS_MAX: usize = 1_000;

/// Most batches of posts removed by one call; a post is removed as a whole.
const PRUNED_BATCHES_MAX: u64 = 1_000;

/// See `Store::load_status`.
pub(super) fn load_status(read: &ReadTransaction) -> Result<Status, StoreError> {
    let drafts = DRAFTS.open(read)?;
    let mut floods = Vec::new();
    let mut reviews = 0;
    for key in DRAFTS_HELD.open(read)?.keys(..)? {
        match drafts.need(key?.value().1)?.held {
            Some(Hold::Flood(flood)) => floods.push(flood),
            Some(Hold::Review) => reviews += 1,
            None => {}
        }
    }
    let mut counts = Counts::default();
    let mut unfinished_posts = 0;
    let mut paused = Vec::new();
    let (mut zoned, posts) = (Vec::new(), POSTS.open(read)?);
    for row in TALLIES.open(read)?.rows(..)? {
        let (id, tally) = row?;
        let more = tally.counts;
        counts.join(&more);
        paused.extend(tally.paused.map(|why| (PostId(id.value()), why)));
        unfinished_posts += u64::from(!more.is_finished());
        if tally.opens_from.is_some() && more.waiting > 0 && more.waiting == more.planned {
            let row = posts.need(id.value())?;
            zoned.extend(row.zoned.map(|zoned| (PostId(id.value()), zoned)));
        }
    }
    Ok(Status {
        sources: load_sources(read)?,
        channels: load_channels(read)?,
        drafts: DRAFTS_DUE.open(read)?.len()?,
        floods,
        reviews,
        events: EVENTS.open(read)?.len()?,
        events_aside: ASIDE.open(read)?.len()?,
        counts,
        unfinished_posts,
        zoned,
        paused,
        watches: WATCHES.open(read)?.len()?,
    })
}

fn load_channels(read: &ReadTransaction) -> Result<Vec<ChannelStatus>, StoreError> {
    let crowds = CROWDS.open(read)?;
    let states = CHANNELS.open(read)?;
    let answers = ANSWERS.open(read)?;
    let (halts, pacings) = (HALTS.open(read)?, PACINGS.open(read)?);
    let mut names = BTreeSet::new();
    for row in crowds.rows(..)? {
        names.insert(named(row?.0.value())?);
    }
    for row in states.rows(..)? {
        names.insert(named(row?.0.value())?);
    }
    for row in halts.rows(..)? {
        names.insert(named(row?.0.value())?);
    }
    for row in pacings.rows(..)? {
        names.insert(named(row?.0.value())?);
    }
    let mut channels = Vec::new();
    for channel in names {
        let name = channel.as_str();
        let mut crowd = crowds.load(name)?.unwrap_or_default();
        let standings = [Standing::Active, Standing::Stopped, Standing::Blocked, Standing::Gone];
        let mut waiting = 0;
        for row in answers.rows((name, "", 0)..)? {
            if row?.0.value().0 != name {
                break;
            }
            waiting += 1;
        }
        channels.push(ChannelStatus {
            state: states.load(name)?.unwrap_or_default(),
            halt: halts.load(name)?,
            pacing: pacings.load(name)?,
            subscribers: standings.map(|standing| (standing, *crowd.of(standing))).to_vec(),
            answers: waiting,
            channel,
        });
    }
    Ok(channels)
}

/// See `Store::load_post`.
pub(super) fn load_post(read: &ReadTransaction, id: PostId) -> Result<Option<Post>, StoreError> {
    match POSTS.open(read)?.load(id.0)? {
        Some(row) => {
            let tally = TALLIES.open(read)?.need(id.0)?;
            let mut post = post(id, row, tally, CORRECTIONS.open(read)?.load(id.0)?);
            post.beyond = BEYONDS.open(read)?.load(id.0)?.map(Box::new);
            Ok(Some(post))
        }
        None => Ok(None),
    }
}

/// See `Store::load_posts`.
pub(super) fn load_posts(read: &ReadTransaction, limit: usize) -> Result<Vec<Post>, StoreError> {
    let tallies = TALLIES.open(read)?;
    let (posts, corrections) = (POSTS.open(read)?, CORRECTIONS.open(read)?);
    let mut newest = Vec::new();
    for row in posts.rows(..)?.rev().take(limit) {
        let (id, row) = row?;
        let (tally, state) = (tallies.need(id.value())?, corrections.load(id.value())?);
        newest.push(post(PostId(id.value()), row, tally, state));
    }
    Ok(newest)
}

fn post(id: PostId, row: PostRow, tally: Tally, corrections: Option<Corrections>) -> Post {
    Post {
        id,
        campaign: row.campaign,
        title: row.title,
        created_at: row.created_at,
        topics: row.topics,
        bodies: row.bodies,
        personal: row.personal,
        cards: row.cards,
        on_uncertain: tally.on_uncertain,
        priority: tally.priority,
        rollout: tally.rollout,
        hours: tally.hours,
        zoned: row.zoned,
        paused: tally.paused,
        stopped: tally.stopped,
        counts: tally.counts,
        errors: tally.errors,
        corrections: corrections.map(Box::new),
        beyond: None,
    }
}

/// See `Store::load_outcomes`.
pub(super) fn load_outcomes(
    read: &ReadTransaction,
    post: PostId,
    channel: &Name,
) -> Result<Vec<(u32, Outcome)>, StoreError> {
    let Some(row) = POSTS.open(read)?.load(post.0)? else { return Ok(Vec::new()) };
    let (people, outcomes) = (PEOPLE.open(read)?, OUTCOMES.open(read)?);
    let mut all = Vec::new();
    for span in row.spans.iter().filter(|span| span.channel == *channel) {
        for batch in span.first..span.first + span.batches {
            let Outcomes(bytes) = outcomes.need(batch)?;
            for (number, byte) in numbers(&people.need(batch)?.steps).into_iter().zip(bytes) {
                let outcome = Outcome::from_byte(byte).ok_or_else(|| StoreError::Damaged {
                    what: format!("an outcome in batch {batch}"),
                })?;
                all.push((number, outcome));
            }
        }
    }
    Ok(all)
}

/// See `Store::load_channel`.
pub(super) fn load_channel(
    read: &ReadTransaction,
    channel: &Name,
) -> Result<ChannelState, StoreError> {
    Ok(CHANNELS.open(read)?.load(channel.as_str())?.unwrap_or_default())
}

/// See `Store::load_subscribers`.
pub(super) fn load_subscribers(
    read: &ReadTransaction,
    channel: &Name,
) -> Result<Vec<Subscriber>, StoreError> {
    let channel = channel.as_str();
    let subscribers = SUBSCRIBERS.open(read)?;
    subscribers
        .rows((channel, 0)..=(channel, u32::MAX))?
        .map(|row| row.map(|(_, person)| person))
        .collect()
}

/// See `Store::import_subscribers`.
pub(super) fn import_subscribers(
    writing: &mut Writing<'_>,
    channel: &Name,
    people: &[Subscriber],
) -> Result<usize, StoreError> {
    let mut crowd = Crowded::open(writing, channel)?;
    let mut added = 0;
    for person in people {
        if crowd.number_of(writing, &person.address)?.is_none() {
            crowd.add(writing, person.clone())?;
            added += 1;
        }
    }
    crowd.close(writing)?;
    Ok(added)
}

/// See `Store::prune`.
pub(super) fn prune(writing: &mut Writing<'_>, now: Timestamp) -> Result<usize, StoreError> {
    let items = prune_items(writing, now - ITEMS_KEPT_FOR)?;
    let posts = prune_posts(writing, now - POSTS_KEPT_FOR)?;
    let sent = writing.prune_sent(now, PRUNED_BATCHES_MAX)?;
    let seen = prune_seen(writing, now - SEEN_FOR)?;
    let stories = writing.prune_stories(now, PRUNED_ROWS_MAX)?;
    let shelves = writing.prune_shelves(now, PRUNED_ROWS_MAX)?;
    let media = writing.prune_media(now, PRUNED_ROWS_MAX)?;
    let traces = writing.prune_traces(now, PRUNED_ROWS_MAX)?;
    let withdrawals = writing.prune_withdrawals(now, PRUNED_ROWS_MAX)?;
    let deletions = writing.prune_deletions(now, PRUNED_ROWS_MAX)?;
    let stars = writing.prune_stars(Days::utc().day(now), PRUNED_ROWS_MAX)?;
    let watches = writing.prune_watches(now, PRUNED_ROWS_MAX)?;
    let recents = writing.prune_recents(now, PRUNED_ROWS_MAX)?;
    let aside = writing.prune_aside(now, PRUNED_ROWS_MAX)?;
    let of_people = withdrawals + deletions + watches + recents + aside;
    Ok(items + posts + sent + seen + stories + shelves + media + traces + of_people + stars)
}

fn prune_items(writing: &mut Writing<'_>, before: Timestamp) -> Result<usize, StoreError> {
    let mut wanted = HashSet::new();
    for row in writing.tables.drafts.rows(..)? {
        if let Content::Items { items, .. } = row?.1.content {
            wanted.extend(items.into_iter().map(|told| told.item.0));
        }
    }
    for key in writing.tables.told.keys(..)? {
        wanted.insert(key?.value().0);
    }
    let mut old = Vec::new();
    for key in writing.tables.items_by_age.keys(..(before.as_millis(), [0; 16]))? {
        let key = key?.value();
        if !wanted.contains(&key.1) {
            old.push(key);
        }
        if old.len() == PRUNED_ROWS_MAX {
            break;
        }
    }
    for key in &old {
        writing.tables.items_by_age.remove(*key)?;
        writing.tables.items.remove(key.1)?;
    }
    Ok(old.len())
}

fn prune_posts(writing: &mut Writing<'_>, before: Timestamp) -> Result<usize, StoreError> {
    let (mut rows, mut batches) = (0, 0);
    while batches < PRUNED_BATCHES_MAX {
        let first = {
            let range = ..(before.as_millis(), 0);
            writing.tables.finished.keys(range)?.next().transpose()?.map(|key| key.value())
        };
        let Some((at, post)) = first else { break };
        let spans = writing.tables.posts.need(post)?.spans;
        for span in &spans {
            for batch in span.first..span.first + span.batches {
                rows += writing.remove_batch(batch, &span.channel, post)?;
            }
            batches += span.batches;
        }
        writing.settle_archived(post)?;
        writing.forget_post(post);
        writing.tables.finished.remove((at, post))?;
        writing.tables.tallies.remove(post)?;
        writing.tables.corrections.remove(post)?;
        writing.tables.chores.remove(post)?;
        writing.tables.beyonds.remove(post)?;
        writing.tables.posts.remove(post)?;
        rows += 2;
    }
    Ok(rows)
}

fn prune_seen(writing: &mut Writing<'_>, before: Timestamp) -> Result<usize, StoreError> {
    let mut old = Vec::new();
    for key in
        writing.tables.seen_by_age.keys(..(before.as_millis(), "", ""))?.take(PRUNED_ROWS_MAX)
    {
        let key = key?;
        let (at, channel, id) = key.value();
        old.push((at, channel.to_owned(), id.to_owned()));
    }
    for (at, channel, id) in &old {
        writing.tables.seen_by_age.remove((*at, channel.as_str(), id.as_str()))?;
        writing.tables.seen.remove((channel.as_str(), id.as_str()))?;
    }
    Ok(old.len())
}

impl Writing<'_> {
    /// Removes a batch of a finished post and what is held of it; answers how many rows went.
    fn remove_batch(&mut self, batch: u64, channel: &Name, post: u64) -> Result<usize, StoreError> {
        let Outcomes(outcomes) = self.tables.outcomes.need(batch)?;
        let held = Outcome::Held.to_byte();
        let mut rows = 2;
        if outcomes.contains(&held) {
            let people = self.tables.people.need(batch)?;
            for (number, byte) in numbers(&people.steps).into_iter().zip(&outcomes) {
                if *byte == held && self.unhold(channel.as_str(), number, post)?.is_some() {
                    rows += 1;
                }
            }
        }
        rows += self.forget_parts(batch)?;
        self.forget_lanes(batch)?;
        self.tables.people.remove(batch)?;
        self.tables.outcomes.remove(batch)?;
        self.tables.times.remove(batch)?;
        Ok(rows)
    }
}
