//! What arrived and was seen, as far as services tell: one mark a person, not one a message.
//!
//! A service says "all up to this instant", so two instants a person are all there is to keep; a
//! report holds them against the times at which its messages were sent.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use redb::ReadTransaction;

use crate::model::lane::Lane;
use crate::model::name::Name;
use crate::model::post::Outcome;
use crate::model::time::Timestamp;
use crate::store::redb::ledger::{Writing, numbers};
use crate::store::redb::rows::{LaneRow, Marks, Number, Outcomes, PostRow, TimesRow};
use crate::store::redb::tables::{LANES, MARKS, OUTCOMES, PEOPLE, TIMES};
use crate::store::redb::times::Times;
use crate::store::{Delivery, StoreError};

/// A receipt is dated when it is committed, a mark by the service's own clock.
const ALLOWANCE: Duration = Duration::from_secs(5);

/// How one channel's recipients of a post were reached, and what they made of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reached {
    /// Of those who got it, by lane; without the usual one.
    pub lanes: BTreeMap<Lane, u64>,
    pub delivered: u64,
    pub read: u64,
}

impl Marks {
    fn has_delivered(&self, sent_at: Timestamp) -> bool {
        // What was seen has arrived.
        self.delivered.max(self.read) + ALLOWANCE >= sent_at
    }

    fn has_read(&self, sent_at: Timestamp) -> bool {
        self.read + ALLOWANCE >= sent_at
    }
}

/// How a post's recipients on each of its channels were reached.
pub(super) fn count_reached(
    read: &ReadTransaction,
    row: &PostRow,
) -> Result<HashMap<Name, Reached>, StoreError> {
    let (people, outcomes, times) = (PEOPLE.open(read)?, OUTCOMES.open(read)?, TIMES.open(read)?);
    let (lanes, marks) = (LANES.open(read)?, MARKS.open(read)?);
    let mut all: HashMap<Name, Reached> = HashMap::new();
    for span in &row.spans {
        // Late joiners have spans of their own.
        let reached = all.entry(span.channel.clone()).or_default();
        let name = span.channel.as_str();
        let mut of_people = HashMap::new();
        for row in marks.rows((name, 0)..=(name, u32::MAX))? {
            let (key, marks) = row?;
            of_people.insert(key.value().1, marks);
        }
        let last = (span.first + span.batches).saturating_sub(1);
        for row in lanes.rows((span.first, 0)..=(last, u16::MAX))? {
            let (key, LaneRow(lane)) = row?;
            let (batch, index) = key.value();
            let Outcomes(bytes) = outcomes.need(batch)?;
            if bytes.get(usize::from(index)) == Some(&Outcome::Sent.to_byte()) {
                *reached.lanes.entry(lane).or_default() += 1;
            }
        }
        if !of_people.is_empty() {
            for batch in span.first..span.first + span.batches {
                let Some(TimesRow(bytes)) = times.load(batch)? else { continue };
                let times = Times::decode(&bytes)?;
                let Outcomes(bytes) = outcomes.need(batch)?;
                let numbers = numbers(&people.need(batch)?.steps);
                for (place, (byte, number)) in bytes.iter().zip(numbers).enumerate() {
                    if *byte != Outcome::Sent.to_byte() {
                        continue;
                    }
                    if let (Some(at), Some(marks)) = (times.at(place), of_people.get(&number)) {
                        reached.delivered += u64::from(marks.has_delivered(at));
                        reached.read += u64::from(marks.has_read(at));
                    }
                }
            }
        }
    }
    Ok(all)
}

/// Completes what is known of one recipient.
pub(super) fn complete(
    read: &ReadTransaction,
    delivery: Delivery,
    (batch, place): (u64, usize),
    (channel, number): (&Name, u32),
) -> Result<Delivery, StoreError> {
    let Ok(index) = u16::try_from(place) else { return Ok(delivery) };
    let lane = LANES.open(read)?.load((batch, index))?.map(|LaneRow(lane)| lane);
    let marks = MARKS.open(read)?.load((channel.as_str(), number))?;
    let sent_at = delivery.at.filter(|_| delivery.outcome == Outcome::Sent);
    let (is_delivered, is_read) = match (marks, sent_at) {
        (Some(marks), Some(at)) => (marks.has_delivered(at), marks.has_read(at)),
        _ => (false, false),
    };
    Ok(Delivery { lane, is_delivered, is_read, ..delivery })
}

impl Writing<'_> {
    /// Moves a person's marks on; never back. Who has no record has no marks.
    pub fn mark(
        &mut self,
        channel: &Name,
        address: &str,
        delivered: Option<Timestamp>,
        read: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let number = self.tables.addresses.load((channel.as_str(), address))?;
        let Some(Number(number)) = number else { return Ok(()) };
        let key = (channel.as_str(), number);
        let before = self.tables.marks.load(key)?.unwrap_or_default();
        let after = Marks {
            delivered: delivered.map_or(before.delivered, |at| at.max(before.delivered)),
            read: read.map_or(before.read, |at| at.max(before.read)),
        };
        if after == before { Ok(()) } else { self.tables.marks.put(key, &after) }
    }
}
