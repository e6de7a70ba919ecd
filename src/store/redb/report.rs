//! Reports: a post's batches are read one by one, and only counted.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use redb::ReadTransaction;

use crate::model::channel::ChannelState;
use crate::model::choice::Wait;
use crate::model::name::Name;
use crate::model::post::{Outcome, PostId};
use crate::model::report::{Ends, LATELY_S, LEFT_WITHIN, Pace, PostReport};
use crate::model::rollout::Rollout;
use crate::model::time::Timestamp;
use crate::store::redb::caps::{carried_numbers, carried_until};
use crate::store::redb::ledger::{Writing, numbers};
use crate::store::redb::marks::{complete, count_reached};
use crate::store::redb::pacing::stars_of_post;
use crate::store::redb::rows::{Outcomes, People, PostRow, Span, TimesRow};
use crate::store::redb::tables::{
    CARRIED, CHANNELS, HELD, Index, OUTCOMES, PEOPLE, POSTS, Records, Rows, TALLIES, TIMES,
    WITHDRAWALS,
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
    let mut channels: Vec<(Name, Ends)> = Vec::new();
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
                let is_open = [Outcome::Waiting, Outcome::InFlight].map(Outcome::to_byte);
                if !is_open.contains(byte)
                    && let Some(second) = times.second(place)
                {
                    sending.add(second, *byte == Outcome::Sent.to_byte());
                }
            }
        }
        let mut of_channel = Ends::default();
        for (byte, count) in (0u8..=u8::MAX).zip(own).filter(|(_, count)| *count > 0) {
            let outcome = Outcome::from_byte(byte)
                .ok_or_else(|| StoreError::Damaged { what: format!("an outcome of post {id}") })?;
            of_channel.add(outcome, count);
        }
        match channels.iter_mut().find(|(channel, _)| *channel == span.channel) {
            Some((_, before)) => before.join(&of_channel),
            None => channels.push((span.channel.clone(), of_channel)),
        }
    }
    let (mut carried, mut rests) = (0, 0);
    let mut stars_tenths = 0;
    for (channel, _) in &channels {
        stars_tenths += stars_of_post(read, channel, id)?;
    }
    for span in &row.spans {
        if ends_of(&channels, &span.channel) > 0 {
            let by_themselves = count_carried(read, id, span)?;
            carried += by_themselves.carried;
            rests += by_themselves.rests;
        }
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
    let waits = tally.counts.waiting > 0 && tally.paused.is_none() && tally.stopped.is_none();
    let opens_at = if waits { tally.opens_at(now) } else { None };
    let stalled = stalled(&CHANNELS.open(read)?, tally.rollout.as_deref().filter(|_| waits))?;
    Ok(Some(PostReport {
        post: id,
        opens_at,
        zoned: row.zoned,
        stalled,
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
        begun_at: sending.begun.map(instant),
        first_at: sending.first.map(instant),
        last_at,
        pace: sending.pace,
        lately: sending.lately,
        stars_tenths,
        carried,
        rests,
    }))
}

/// The channels that are paused, and why, of those that the stage of a rollout has not gone to.
fn stalled<H>(
    channels: &Records<H, &'static str, ChannelState>,
    rollout: Option<&Rollout>,
) -> Result<Vec<(Name, String)>, StoreError>
where
    H: Rows<&'static str, &'static [u8]>,
{
    let mut stalled = Vec::new();
    let quotas = rollout.filter(|one| !one.is_last()).map_or(&[][..], |one| &one.quotas);
    for quota in quotas.iter().filter(|quota| quota.left > 0) {
        let state = channels.load(quota.channel.as_str())?;
        if let Some(why) = state.and_then(|state| state.paused) {
            stalled.push((quota.channel.clone(), why));
        }
    }
    Ok(stalled)
}

/// How many of those for whom a post is held on a channel.
fn ends_of(channels: &[(Name, Ends)], channel: &Name) -> u64 {
    channels.iter().find(|(name, _)| name == channel).map_or(0, |(_, ends)| ends.counts.held)
}

/// To how many of those for whom a post is held it comes by itself.
#[derive(Default)]
struct ByThemselves {
    /// On the next day, because it was too much for one.
    carried: u64,
    /// When they have chosen.
    rests: u64,
}

fn count_carried(
    read: &ReadTransaction,
    post: PostId,
    span: &Span,
) -> Result<ByThemselves, StoreError> {
    let channel = span.channel.as_str();
    let mut counts = ByThemselves::default();
    let numbers_due = carried_numbers(read, channel)?;
    if numbers_due.is_empty() {
        return Ok(counts);
    }
    let (people, outcomes, rows) = (PEOPLE.open(read)?, OUTCOMES.open(read)?, HELD.open(read)?);
    let held = Outcome::Held.to_byte();
    for batch in span.first..span.first + span.batches {
        let Outcomes(bytes) = outcomes.need(batch)?;
        if !bytes.contains(&held) {
            continue;
        }
        let who = numbers(&people.need(batch)?.steps);
        let is_carried =
            |(number, byte): &(u32, &u8)| **byte == held && numbers_due.contains(number);
        for (number, _) in who.into_iter().zip(&bytes).filter(is_carried) {
            match rows.load((channel, number, post.0))? {
                Some(row) if row.wait.is_chosen() => counts.rests += 1,
                _ => counts.carried += 1,
            }
        }
    }
    Ok(counts)
}

/// When a post was sent, gathered.
#[derive(Default)]
struct Sending {
    /// From this second on it was lately.
    since: u32,
    /// When the first of all ended, however they did.
    begun: Option<u32>,
    first: Option<u32>,
    last: Option<u32>,
    lately: u64,
    pace: Pace,
}

impl Sending {
    fn add(&mut self, second: u32, is_sent: bool) {
        self.begun = Some(self.begun.map_or(second, |begun| begun.min(second)));
        self.lately += u64::from(second > self.since);
        if !is_sent {
            return;
        }
        self.first = Some(self.first.map_or(second, |first| first.min(second)));
        self.last = Some(self.last.map_or(second, |last| last.max(second)));
        self.pace.add(second);
    }
}

/// People, outcomes and times of batches.
type Books<'a, H> =
    (&'a Records<H, u64, People>, &'a Records<H, u64, Outcomes>, &'a Records<H, u64, TimesRow>);

/// How many of those who got the post withdrew soon after, by channel; each counts once.
pub(super) fn count_left<H, W>(
    books: Books<'_, H>,
    withdrawals: &Index<W, (i64, &'static str, u32)>,
    row: &PostRow,
    last_at: Option<Timestamp>,
) -> Result<BTreeMap<String, u64>, StoreError>
where
    H: Rows<u64, &'static [u8]>,
    W: Rows<(i64, &'static str, u32), ()>,
{
    let until = last_at.unwrap_or(row.created_at) + LEFT_WITHIN;
    let range = (row.created_at.as_millis(), "", 0)..=(until.as_millis(), "", 0);
    let mut left = BTreeMap::new();
    // Somebody may come back and leave again.
    let mut counted: HashSet<(String, u32)> = HashSet::new();
    for key in withdrawals.keys(range)? {
        let key = key?;
        let (at, channel, number) = key.value();
        let at = Timestamp::from_millis(at);
        let found = find(books, &row.spans, channel, number)?;
        if let Some((Delivery { outcome: Outcome::Sent, at: sent_at, .. }, _)) = found {
            let sent_at = sent_at.unwrap_or(row.created_at);
            if at + ALLOWANCE >= sent_at
                && at <= sent_at + LEFT_WITHIN
                && counted.insert((channel.to_owned(), number))
            {
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
        Some((mut found, place)) => {
            if found.outcome == Outcome::Held {
                let held = HELD.open(read)?.load((channel.as_str(), number, post.0))?;
                match held.filter(|held| held.wait.is_chosen()) {
                    Some(held) => {
                        (found.wait, found.carried_until) = (held.wait, Some(held.at));
                    }
                    None => {
                        let carried = CARRIED.open(read)?;
                        found.carried_until = carried_until(&carried, channel.as_str(), number)?;
                        found.wait = match found.carried_until {
                            Some(_) => Wait::Cap,
                            None => Wait::Contact,
                        };
                    }
                }
            }
            complete(read, found, place, (channel, number)).map(Some)
        }
        None => Ok(None),
    }
}

/// A delivery, and the batch and the place in it.
type Found = (Delivery, (u64, usize));

/// What is known of one recipient of a post.
fn find<H>(
    (people, outcomes, times): Books<'_, H>,
    spans: &[Span],
    channel: &str,
    number: u32,
) -> Result<Option<Found>, StoreError>
where
    H: Rows<u64, &'static [u8]>,
{
    let Some((batch, place)) = place(people, spans, channel, number)? else { return Ok(None) };
    let Outcomes(bytes) = outcomes.need(batch)?;
    let outcome = bytes.get(place).and_then(|byte| Outcome::from_byte(*byte));
    let at = match times.load(batch)? {
        Some(TimesRow(bytes)) => Times::decode(&bytes)?.at(place),
        None => None,
    };
    let found = |outcome| Delivery {
        outcome,
        at,
        carried_until: None,
        wait: Wait::Contact,
        lane: None,
        is_delivered: false,
        is_read: false,
    };
    Ok(outcome.map(|outcome| (found(outcome), (batch, place))))
}

/// Whether somebody is a recipient of the post.
pub(super) fn is_among<H>(
    people: &Records<H, u64, People>,
    spans: &[Span],
    channel: &str,
    number: u32,
) -> Result<bool, StoreError>
where
    H: Rows<u64, &'static [u8]>,
{
    Ok(place(people, spans, channel, number)?.is_some())
}

/// One recipient's batch and place in it. The batches of a span are in the order of their numbers;
/// there is one span a channel, and one more for each time that late joiners came in.
pub(super) fn place<H>(
    people: &Records<H, u64, People>,
    spans: &[Span],
    channel: &str,
    number: u32,
) -> Result<Option<(u64, usize)>, StoreError>
where
    H: Rows<u64, &'static [u8]>,
{
    for span in spans.iter().filter(|span| span.channel.as_str() == channel) {
        let (mut low, mut high) = (span.first, span.first + span.batches);
        while low < high {
            let middle = low + (high - low) / 2;
            let numbers = numbers(&people.need(middle)?.steps);
            match (numbers.first(), numbers.last()) {
                (Some(first), _) if number < *first => high = middle,
                (_, Some(last)) if number > *last => low = middle + 1,
                _ => match numbers.binary_search(&number) {
                    Ok(place) => return Ok(Some((middle, place))),
                    Err(_) => break,
                },
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
