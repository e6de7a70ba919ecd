//! Events whose answering fails: how often each was tried, and those that were put aside.

use std::time::Duration;

use redb::ReadTransaction;

use crate::model::event::{EventWord, PutAside};
use crate::model::time::Timestamp;
use crate::store::redb::ledger::Writing;
use crate::store::redb::rows::Tries;
use crate::store::redb::tables::{ASIDE, TRIES};
use crate::store::{EVENT_TRIES_MAX, StoreError};

/// How long an event waits for somebody's word.
const ASIDE_FOR: Duration = Duration::from_secs(30 * 86_400);

/// Most events that wait for somebody's word; the oldest go first.
const ASIDE_MAX: u64 = 10_000;

/// Longest reason that is kept, in characters.
const WHY_CHARS_MAX: usize = 300;

/// See `Store::load_tries`.
pub(super) fn load_tries(read: &ReadTransaction, events: &[u64]) -> Result<Vec<u32>, StoreError> {
    let tries = TRIES.open(read)?;
    let of = |event: &u64| Ok(tries.load(*event)?.map_or(0, |Tries(tries)| tries));
    events.iter().map(of).collect()
}

/// See `Store::note_tries`.
pub(super) fn note_tries(writing: &mut Writing<'_>, events: &[u64]) -> Result<(), StoreError> {
    for event in events {
        writing.count_try(*event)?;
    }
    Ok(())
}

/// See `Store::fail_event`.
pub(super) fn fail_event(
    writing: &mut Writing<'_>,
    number: u64,
    why: &str,
    is_counted: bool,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some(event) = writing.tables.events.load(number)? else { return Ok(true) };
    let tries = match is_counted {
        true => writing.tables.tries.load(number)?.map_or(0, |Tries(tries)| tries),
        false => writing.count_try(number)?,
    };
    if tries < EVENT_TRIES_MAX {
        return Ok(false);
    }
    writing.tables.events.remove(number)?;
    writing.tables.tries.remove(number)?;
    let why = why.chars().take(WHY_CHARS_MAX).collect();
    writing.tables.aside.put(number, &PutAside { event, at: now, tries, why })?;
    while writing.tables.aside.len()? > ASIDE_MAX {
        let Some(oldest) = writing.oldest_aside()? else { break };
        writing.tables.aside.remove(oldest.0)?;
    }
    Ok(true)
}

/// See `Store::load_aside`.
pub(super) fn load_aside(
    read: &ReadTransaction,
    limit: usize,
) -> Result<Vec<(u64, PutAside)>, StoreError> {
    let aside = ASIDE.open(read)?;
    let oldest = aside.rows(..)?.take(limit);
    oldest.map(|row| row.map(|(number, event)| (number.value(), event))).collect()
}

/// See `Store::commit_event_word`.
pub(super) fn commit_event_word(
    writing: &mut Writing<'_>,
    events: &[u64],
    word: EventWord,
) -> Result<usize, StoreError> {
    let mut meant = events.to_vec();
    if meant.is_empty() {
        for row in writing.tables.aside.rows(..)? {
            meant.push(row?.0.value());
        }
    }
    let mut touched = 0;
    for number in meant {
        let Some(aside) = writing.tables.aside.load(number)? else { continue };
        writing.tables.aside.remove(number)?;
        if word == EventWord::Retry {
            writing.tables.events.put(number, &aside.event)?;
        }
        touched += 1;
    }
    Ok(touched)
}

impl Writing<'_> {
    fn count_try(&mut self, event: u64) -> Result<u32, StoreError> {
        let before = self.tables.tries.load(event)?.map_or(0, |Tries(tries)| tries);
        let tries = before.saturating_add(1);
        self.tables.tries.put(event, &Tries(tries))?;
        Ok(tries)
    }

    fn oldest_aside(&self) -> Result<Option<(u64, Timestamp)>, StoreError> {
        let first = self.tables.aside.rows(..)?.next().transpose()?;
        Ok(first.map(|(number, aside)| (number.value(), aside.at)))
    }

    /// Forgets events that waited too long for somebody's word, at most `limit`; answers how many.
    pub fn prune_aside(&mut self, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
        let mut gone = 0;
        while gone < limit
            && let Some((number, at)) = self.oldest_aside()?
            && at < now - ASIDE_FOR
        {
            self.tables.aside.remove(number)?;
            gone += 1;
        }
        Ok(gone)
    }
}
