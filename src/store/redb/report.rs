//! Reports: a post's batches are read one by one, and only counted.

use std::collections::BTreeMap;
use std::time::Duration;

use redb::{ReadTransaction, ReadableTable};

use crate::model::name::Name;
use crate::model::post::{Outcome, PostId};
use crate::model::report::{Ends, LATELY_S, LEFT_WITHIN, Pace, PostReport};
use crate::model::time::Timestamp;
use crate::store::redb::ledger::{Writing, numbers};
use crate::store::redb::marks::{complete, count_reached};
use crate::store::redb::rows::{Outcomes, People, PostRow, Span, TimesRow};
use crate::store::redb::tables::{
    Index, OUTCOMES, PEOPLE, POSTS, Records, TALLIES, TIMES, WITHDRAWALS,
};
use crate::store::redb::times::{Times, seconds};
use crate::store::{Delivery, StoreError};

/// A receipt is dated when it is committed; a word of the person may come a moment before.
const ALLOWANCE: Duration = Duration::from_secs(5);

/// How long a withdrawal is kept: no post is reported on for longer.
const WITHDRAWALS_KEPT_FOR: Duration = Duration::from_secs(100 * 86_400);

/// See `Store::load_post_ids`.
pub(super) fn load_post_ids(
    read: &ReadTransaction,
    campaign: Option<&Name>,
    limit: usize,
) -> Result<Vec<PostId>, StoreError> {
    let mut ids = Vec::new();
    for row in POSTS.open(read)?.rows(..)?.rev() {
        if ids.len() >= limit {
            break;
        }
        let (id, row) = row?;
        if campaign.is_none() || row.campaign.as_ref() == campaign {
            ids.push(PostId(id.value()));
        }
    }
    Ok(ids)
}

/// See `Store::load_report`.
pub(super) fn load_report(
    read: &ReadTransaction,
    id: PostId,
    now: Timestamp,
) -> Result<Option<PostReport>, StoreError> {
    let Some(row) = POSTS.open(read)?.load(id.0)? else { return Ok(None) };
    let tally = TALLIES.open(read)?.need(id.0)?;
    let (outcomes, times) = (OUTCOMES.open(read)?, TIMES.open(read)?);
    let mut channels = Vec::new();
    let mut ends = Ends::default();
    let mut sending =
        Sending { since: seconds(now).saturating_sub(LATELY_S), ..Sending::default() };
    for span in &row.spans {
        let mut own = [0u64; 256];
        for batch in span.first..span.first + span.batches {
            let Outcomes(bytes) = outcomes.need(batch)?;
            let times = match times.load(batch)? {
                Some(TimesRow(bytes)) => Times::decode(&bytes)?,
                None => Times::default(),
            };
            for (place, byte) in bytes.iter().enumerate() {
                if let Some(count) = own.get_mut(usize::from(*byte)) {
                    *count += 1;
                }
                if *byte == Outcome::Sent.to_byte()
                    && let Some(second) = times.second(place)
                {
                    sending.add(second);
                }
            }
        }
        let mut of_channel = Ends::default();
        for (byte, count) in (0u8..=u8::MAX).zip(own).filter(|(_, count)| *count > 0) {
            let outcome = Outcome::from_byte(byte)
                .ok_or_else(|| StoreError::Damaged { what: format!("an outcome of post {id}") })?;
            of_channel.add(outcome, count);
        }
        channels.push((span.channel.clone(), of_channel));
    }
    let instant = |second: u32| Timestamp::from_millis(i64::from(second) * 1_000);
    let last_at = sending.last.map(instant);
    let people = PEOPLE.open(read)?;
    let books = (&people, &outcomes, &times);
    let mut left = count_left(books, &WITHDRAWALS.open(read)?, &row, last_at)?;
    let mut reached = count_reached(read, &row)?;
    for (channel, of_channel) in &mut channels {
        if let Some(reached) = reached.remove(channel) {
            of_channel.lanes = reached.lanes;
            (of_channel.delivered, of_channel.read) = (reached.delivered, reached.read);
        }
        of_channel.left = left.remove(channel.as_str()).unwrap_or(0);
        ends.join(of_channel);
    }
    Ok(Some(PostReport {
        post: id,
        campaign: row.campaign,
        title: row.title,
        created_at: row.created_at,
        finished_at: tally.finished_at,
        priority: tally.priority,
        rollout: tally.rollout,
        paused: tally.paused,
        stopped: tally.stopped,
        errors: tally.errors,
        ends,
        channels,
        first_at: sending.first.map(instant),
        last_at,
        pace: sending.pace,
        lately: sending.lately,
    }))
}

/// When a post was sent, gathered.
#[derive(Default)]
struct Sending {
    /// From this second on it was lately.
    since: u32,
    first: Option<u32>,
    last: Option<u32>,
    lately: u64,
    pace: Pace,
}

impl Sending {
    fn add(&mut self, second: u32) {
        self.first = Some(self.first.map_or(second, |first| first.min(second)));
        self.last = Some(self.last.map_or(second, |last| last.max(second)));
        self.lately += u64::from(second > self.since);
        self.pace.add(second);
    }
}

/// People, outcomes and times of batches.
type Books<'a, H> =
    (&'a Records<H, u64, People>, &'a Records<H, u64, Outcomes>, &'a Records<H, u64, TimesRow>);

/// How many of those who got the post withdrew soon after, by channel.
pub(super) fn count_left<H, W>(
    books: Books<'_, H>,
    withdrawals: &Index<W, (i64, &'static str, u32)>,
    row: &PostRow,
    last_at: Option<Timestamp>,
) -> Result<BTreeMap<String, u64>, StoreError>
where
    H: ReadableTable<u64, &'static [u8]>,
    W: ReadableTable<(i64, &'static str, u32), ()>,
{
    let until = last_at.unwrap_or(row.created_at) + LEFT_WITHIN;
    let range = (row.created_at.as_millis(), "", 0)..=(until.as_millis(), "", 0);
    let mut left = BTreeMap::new();
    for key in withdrawals.keys(range)? {
        let key = key?;
        let (at, channel, number) = key.value();
        let at = Timestamp::from_millis(at);
        let found = find(books, &row.spans, channel, number)?;
        if let Some((Delivery { outcome: Outcome::Sent, at: sent_at, .. }, _)) = found {
            let sent_at = sent_at.unwrap_or(row.created_at);
            if at + ALLOWANCE >= sent_at && at <= sent_at + LEFT_WITHIN {
                *left.entry(channel.to_owned()).or_default() += 1;
            }
        }
    }
    Ok(left)
}

/// See `Store::load_delivery`.
pub(super) fn load_delivery(
    read: &ReadTransaction,
    post: PostId,
    channel: &Name,
    number: u32,
) -> Result<Option<Delivery>, StoreError> {
    let Some(row) = POSTS.open(read)?.load(post.0)? else { return Ok(None) };
    let (people, outcomes, times) = (PEOPLE.open(read)?, OUTCOMES.open(read)?, TIMES.open(read)?);
    match find((&people, &outcomes, &times), &row.spans, channel.as_str(), number)? {
        Some((found, place)) => complete(read, found, place, (channel, number)).map(Some),
        None => Ok(None),
    }
}

/// A delivery, and the batch and the place in it.
type Found = (Delivery, (u64, usize));

/// One recipient's place in a post: the batches are in the order of their numbers.
fn find<H>(
    (people, outcomes, times): Books<'_, H>,
    spans: &[Span],
    channel: &str,
    number: u32,
) -> Result<Option<Found>, StoreError>
where
    H: ReadableTable<u64, &'static [u8]>,
{
    let Some(span) = spans.iter().find(|span| span.channel.as_str() == channel) else {
        return Ok(None);
    };
    let (mut low, mut high) = (span.first, span.first + span.batches);
    while low < high {
        let middle = low + (high - low) / 2;
        let numbers = numbers(&people.need(middle)?.steps);
        match (numbers.first(), numbers.last()) {
            (Some(first), _) if number < *first => high = middle,
            (_, Some(last)) if number > *last => low = middle + 1,
            _ => {
                let Ok(place) = numbers.binary_search(&number) else { return Ok(None) };
                let Outcomes(bytes) = outcomes.need(middle)?;
                let outcome = bytes.get(place).and_then(|byte| Outcome::from_byte(*byte));
                let at = match times.load(middle)? {
                    Some(TimesRow(bytes)) => Times::decode(&bytes)?.at(place),
                    None => None,
                };
                let found = |outcome| Delivery {
                    outcome,
                    at,
                    lane: None,
                    is_delivered: false,
                    is_read: false,
                };
                return Ok(outcome.map(|outcome| (found(outcome), (middle, place))));
            }
        }
    }
    Ok(None)
}

impl Writing<'_> {
    /// Forgets at most `limit` withdrawals that no report counts any more; answers how many.
    pub fn prune_withdrawals(&mut self, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
        let before = (now - WITHDRAWALS_KEPT_FOR).as_millis();
        let mut old = Vec::new();
        for key in self.tables.withdrawals.keys(..(before, "", 0))?.take(limit) {
            let key = key?;
            let (at, channel, number) = key.value();
            old.push((at, channel.to_owned(), number));
        }
        for (at, channel, number) in &old {
            self.tables.withdrawals.remove((*at, channel.as_str(), *number))?;
        }
        Ok(old.len())
    }
}
