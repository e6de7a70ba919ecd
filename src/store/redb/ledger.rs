//! The batch ledger: what is known of each recipient, and the counts that follow from it.
//!
//! Batches that are being delivered stay decoded in the writer's memory; a group of operations
//! changes them there and writes each once, in the same transaction. After any error the memory is
//! forgotten and read again.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Weak};

use crate::model::name::Name;
use crate::model::post::Outcome;
use crate::model::time::Timestamp;
use crate::store::StoreError;
use crate::store::redb::caps::Taken;
use crate::store::redb::rows::{Counters, Outcomes, Tally, TimesRow};
use crate::store::redb::sent::Sent;
use crate::store::redb::tables::Tables;
use crate::store::redb::times::Times;

/// Most decoded batches kept between two groups; about 10 KB each.
const SHEETS_MAX: usize = 256;

/// Most batches whose messages are kept decoded between two groups; about 64 KB each.
const SENT_MAX: usize = 32;

/// Most rows of counts kept between two groups; about 1 KB each.
const TAKEN_MAX: usize = 256;

/// Most tallies kept between two groups.
const TALLIES_MAX: usize = 256;

/// Most distinct errors kept of a post.
const ERRORS_MAX: usize = 8;

/// Longest error kept, in characters.
const ERROR_CHARS_MAX: usize = 200;

/// One write transaction, as the verbs see it.
pub(super) struct Writing<'t> {
    pub tables: Tables<'t>,
    pub memory: &'t mut Memory,
}

/// What the writer remembers from one transaction to the next.
#[derive(Default)]
pub(super) struct Memory {
    counters: Option<(Counters, bool)>,
    sheets: HashMap<u64, Sheet>,
    tallies: HashMap<u64, (Tally, bool)>,
    /// The messages of recipients, by batch.
    pub sent: HashMap<u64, (Sent, bool)>,
    /// The post that was served last on each channel, by rank.
    pub served: HashMap<(Name, u8), u64>,
    /// Who goes on with what is left of a word on a post.
    pub hands: HashMap<u64, Weak<()>>,
    /// How many posts people got today, by channel and chunk.
    pub taken: HashMap<(Name, u32), (Taken, bool)>,
    /// The campaigns of posts.
    pub campaigns: HashMap<u64, Option<Name>>,
    /// The topics of posts, asked for of people who have chosen how often these come.
    pub topics: HashMap<u64, Arc<[Name]>>,
    /// Sources whose products were named ahead of a poll that is not committed yet.
    pub naming: HashSet<Name>,
    /// How far pruning went through what belongs to shelves.
    pub pruned: Pruned,
}

impl Memory {
    /// What changes of a post, if it is decoded.
    pub fn tally(&mut self, post: u64) -> Option<&mut (Tally, bool)> {
        self.tallies.get_mut(&post)
    }

    /// Drops what may differ from the file.
    pub fn forget(&mut self) {
        self.counters = None;
        self.sheets.clear();
        self.tallies.clear();
        self.sent.clear();
        self.taken.clear();
        self.campaigns.clear();
        self.topics.clear();
    }

    /// Keeps the memory small; only after a commit.
    pub fn trim(&mut self) {
        self.sheets.retain(|_, sheet| sheet.is_alive());
        if self.sheets.len() > SHEETS_MAX {
            self.sheets.clear();
        }
        if self.sent.len() > SENT_MAX {
            self.sent.clear();
        }
        if self.taken.len() > TAKEN_MAX {
            self.taken.clear();
        }
        if self.tallies.len() > TALLIES_MAX {
            self.tallies.clear();
        }
    }
}

/// Where pruning goes on, so that each call may stop early: the last key that was looked at.
#[derive(Default)]
pub(super) struct Pruned {
    pub prices: Option<(String, u64, u32)>,
    pub names: Option<(String, u64)>,
}

/// A decoded batch.
pub(super) struct Sheet {
    pub post: u64,
    pub channel: Name,
    pub numbers: Vec<u32>,
    outcomes: Vec<u8>,
    times: Times,
    has_new_times: bool,
    /// How many are waiting, and how many in flight.
    waiting: usize,
    in_flight: usize,
    /// Nobody waits before this index.
    first_waiting: usize,
    is_changed: bool,
}

impl Sheet {
    fn is_alive(&self) -> bool {
        self.waiting + self.in_flight > 0
    }

    /// The first index at or after `from` that waits.
    pub fn next_waiting(&self, from: usize) -> Option<usize> {
        if self.waiting == 0 {
            return None;
        }
        let from = from.max(self.first_waiting);
        let waiting = Outcome::Waiting.to_byte();
        self.outcomes.get(from..)?.iter().position(|byte| *byte == waiting).map(|at| from + at)
    }

    /// Where a post's turn begins that shares the channel with others. A chat takes one message a
    /// second: posts that all went to the same few people would wait for these, while everybody
    /// else could be told.
    pub fn start_of(&self, post: u64) -> usize {
        // Neighbours are far from each other (Knuth's multiplicative hash).
        let spread = u32::try_from(post.wrapping_mul(2_654_435_769) & 0xffff_ffff).unwrap_or(0);
        let size = self.outcomes.len() as u64;
        usize::try_from((u64::from(spread) * size) >> 32).unwrap_or(0)
    }
}

impl Writing<'_> {
    /// The numbers given; what is changed there is written with this transaction.
    pub fn counters(&mut self) -> Result<&mut Counters, StoreError> {
        if self.memory.counters.is_none() {
            let stored = self.tables.counters.load(())?.unwrap_or_default();
            self.memory.counters = Some((stored, false));
        }
        let (counters, is_changed) =
            self.memory.counters.get_or_insert_with(|| (Counters::default(), false));
        *is_changed = true;
        Ok(counters)
    }

    /// The decoded batch.
    pub fn sheet(&mut self, batch: u64) -> Result<&mut Sheet, StoreError> {
        match self.memory.sheets.entry(batch) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(place) => {
                let people = self.tables.people.need(batch)?;
                let Outcomes(outcomes) = self.tables.outcomes.need(batch)?;
                if outcomes.len() != people.steps.len() {
                    return Err(damaged(batch, "as many outcomes as people"));
                }
                let times = match self.tables.times.load(batch)? {
                    Some(TimesRow(bytes)) => Times::decode(&bytes)?,
                    None => Times::default(),
                };
                let count = |wanted: Outcome| {
                    outcomes.iter().filter(|byte| **byte == wanted.to_byte()).count()
                };
                Ok(place.insert(Sheet {
                    post: people.post,
                    channel: people.channel,
                    numbers: numbers(&people.steps),
                    waiting: count(Outcome::Waiting),
                    in_flight: count(Outcome::InFlight),
                    first_waiting: 0,
                    is_changed: false,
                    outcomes,
                    times,
                    has_new_times: false,
                }))
            }
        }
    }

    /// What is known of one recipient.
    pub fn outcome(&mut self, batch: u64, index: u16) -> Result<Outcome, StoreError> {
        self.sheet(batch)?
            .outcomes
            .get(usize::from(index))
            .and_then(|byte| Outcome::from_byte(*byte))
            .ok_or_else(|| damaged(batch, "a known outcome at each index"))
    }

    /// Changes what is known of one recipient, and with it the counts and the open batches.
    pub fn turn(&mut self, batch: u64, index: u16, to: Outcome) -> Result<(), StoreError> {
        let from = self.outcome(batch, index)?;
        if from == to {
            return Ok(());
        }
        let sheet = self.sheet(batch)?;
        let index = usize::from(index);
        if let Some(byte) = sheet.outcomes.get_mut(index) {
            *byte = to.to_byte();
        }
        sheet.is_changed = true;
        let waited = sheet.waiting;
        match from {
            Outcome::Waiting => {
                sheet.waiting -= 1;
                if index == sheet.first_waiting {
                    sheet.first_waiting += 1;
                }
            }
            Outcome::InFlight => sheet.in_flight -= 1,
            _ => {}
        }
        match to {
            Outcome::Waiting => {
                sheet.waiting += 1;
                sheet.first_waiting = sheet.first_waiting.min(index);
            }
            Outcome::InFlight => sheet.in_flight += 1,
            _ => {}
        }
        let (post, waits) = (sheet.post, sheet.waiting);
        let channel = sheet.channel.clone();
        self.mind_quota(post, &channel, from, to)?;
        if (waited == 0) != (waits == 0) {
            let key = (channel.as_str(), post, batch);
            if waits == 0 {
                self.tables.open_batches.remove(key)?;
            } else {
                self.tables.open_batches.insert(key)?;
                let tally = self.tally(post)?;
                if tally.goes_on(&channel) {
                    let rank = tally.priority.rank();
                    self.tables.turns.insert((channel.as_str(), rank, post))?;
                }
            }
        }
        let counts = &mut self.tally(post)?.counts;
        let left = counts.of(from);
        *left = left
            .checked_sub(1)
            .ok_or_else(|| StoreError::Damaged { what: format!("the counts of post {post}") })?;
        *counts.of(to) += 1;
        Ok(())
    }

    /// Counts who is claimed in a stage of a rollout, or held, and who comes back from it.
    fn mind_quota(
        &mut self,
        post: u64,
        channel: &Name,
        from: Outcome,
        to: Outcome,
    ) -> Result<(), StoreError> {
        let tally = self.tally(post)?;
        let Some(rollout) = &mut tally.rollout else { return Ok(()) };
        match (from, to) {
            (Outcome::Waiting, Outcome::InFlight | Outcome::Held) => rollout.take(channel),
            (Outcome::InFlight | Outcome::Held, Outcome::Waiting) => {
                rollout.give_back(channel);
                if tally.goes_on(channel) {
                    let rank = tally.priority.rank();
                    self.tables.turns.insert((channel.as_str(), rank, post))?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Notes when a recipient was settled.
    pub fn stamp(
        &mut self,
        batch: u64,
        index: u16,
        now: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let Some(now) = now else { return Ok(()) };
        let sheet = self.sheet(batch)?;
        sheet.times.put(index, now);
        sheet.has_new_times = true;
        Ok(())
    }

    /// Whether the recipient was settled or held once already.
    pub fn is_stamped(&mut self, batch: u64, index: u16) -> Result<bool, StoreError> {
        Ok(self.sheet(batch)?.times.second(usize::from(index)).is_some())
    }

    /// What changes of a post; what is changed there is written with this transaction.
    pub fn tally(&mut self, post: u64) -> Result<&mut Tally, StoreError> {
        let (tally, is_changed) = match self.memory.tallies.entry(post) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert((self.tables.tallies.need(post)?, false)),
        };
        *is_changed = true;
        Ok(tally)
    }

    /// Keeps a new post's tally.
    pub fn begin_tally(&mut self, post: u64, tally: Tally) {
        self.memory.tallies.insert(post, (tally, true));
    }

    /// Forgets a post and its batches that are removed with this transaction.
    pub fn forget_post(&mut self, post: u64) {
        self.memory.tallies.remove(&post);
        self.memory.sheets.retain(|_, sheet| sheet.post != post);
    }

    /// Notes an error of the service and the time.
    pub fn note(
        &mut self,
        post: u64,
        error: Option<&str>,
        now: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let tally = self.tally(post)?;
        if let Some(now) = now {
            tally.touched_at = tally.touched_at.max(now);
        }
        if let Some(error) = error {
            let error: String = error.chars().take(ERROR_CHARS_MAX).collect();
            tally.errors.retain(|known| *known != error);
            tally.errors.insert(0, error);
            tally.errors.truncate(ERRORS_MAX);
        }
        Ok(())
    }

    /// Writes what was changed in memory; the last thing before the commit.
    pub fn flush(&mut self) -> Result<(), StoreError> {
        if let Some((counters, is_changed @ true)) = &mut self.memory.counters {
            self.tables.counters.put((), counters)?;
            *is_changed = false;
        }
        for (batch, sheet) in &mut self.memory.sheets {
            if sheet.is_changed {
                // Lent to the row and taken back: no copy.
                let row = Outcomes(std::mem::take(&mut sheet.outcomes));
                self.tables.outcomes.put(*batch, &row)?;
                sheet.outcomes = row.0;
                sheet.is_changed = false;
            }
            if sheet.has_new_times {
                self.tables.times.put(*batch, &TimesRow(sheet.times.encode()))?;
                sheet.has_new_times = false;
            }
        }
        self.flush_sent()?;
        self.flush_taken()?;
        let changed = self.memory.tallies.iter().filter(|(_, (_, is_changed))| *is_changed);
        for post in changed.map(|(post, _)| *post).collect::<Vec<_>>() {
            self.end_stage(post)?;
        }
        for (post, (tally, is_changed)) in &mut self.memory.tallies {
            if !*is_changed {
                continue;
            }
            match (tally.counts.is_finished(), tally.finished_at) {
                (true, None) => {
                    tally.finished_at = Some(tally.touched_at);
                    self.tables.unswept.remove(*post)?;
                    self.tables.late_rules.remove(*post)?;
                    self.tables.finished.insert((tally.touched_at.as_millis(), *post))?;
                }
                (false, Some(at)) => {
                    tally.finished_at = None;
                    self.tables.finished.remove((at.as_millis(), *post))?;
                }
                _ => {}
            }
            self.tables.tallies.put(*post, tally)?;
            *is_changed = false;
        }
        Ok(())
    }
}

/// From the steps of a batch's people to their numbers.
pub(super) fn numbers(steps: &[u32]) -> Vec<u32> {
    steps
        .iter()
        .scan(0u32, |number, step| {
            *number = number.wrapping_add(*step);
            Some(*number)
        })
        .collect()
}

/// From ascending numbers to the steps between them; the inverse of [`numbers`].
pub(super) fn steps(numbers: &[u32]) -> Vec<u32> {
    numbers
        .iter()
        .scan(0u32, |before, number| {
            let step = number.wrapping_sub(*before);
            *before = *number;
            Some(step)
        })
        .collect()
}

fn damaged(batch: u64, wanted: &str) -> StoreError {
    StoreError::Damaged { what: format!("batch {batch} has not {wanted}") }
}
