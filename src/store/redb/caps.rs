//! How many posts of campaigns each person got today, and what is carried over to tomorrow.
//!
//! One byte a person: the counts of [`CHUNK_NUMBERS`] subscriber numbers are a row, headed by their
//! day. A row of an earlier day counts for nothing. What is carried over is held as what waits for
//! a closed window is, with an index that says when it comes by itself.

use std::collections::BTreeSet;

use redb::ReadTransaction;

use crate::model::choice::Wait;
use crate::model::lane::HELD_PER_PERSON_MAX;
use crate::model::message::{Message, Module};
use crate::model::name::Name;
use crate::model::post::{Answer, HELD_CARDS_MAX, Outcome, Reason};
use crate::model::rich::{Block, Inline, RichText};
use crate::model::subscriber::{Standing, Subscriber};
use crate::model::time::Timestamp;
use crate::store::redb::held::title_card;
use crate::store::redb::ledger::Writing;
use crate::store::redb::rest::due;
use crate::store::redb::rows::{AnswerRow, HeldRow, PostRow, Release, TakenRow};
use crate::store::redb::tables::{CARRIED, Index, Rows, TAKEN};
use crate::store::{Advance, StoreError};

/// Subscriber numbers of one row.
const CHUNK_NUMBERS: u32 = 1_024;

/// Bytes of a row's day.
const DAY_BYTES: usize = 4;

/// Most posts that one carried message lists; older ones are skipped, which their reports tell.
const LISTED_MAX: usize = HELD_PER_PERSON_MAX;

/// Most posts whose campaigns are remembered between two groups.
const CAMPAIGNS_MAX: usize = 1_024;

/// Most people that are looked at in one transaction for what was carried over.
const CARRIED_LOOKED_MAX: usize = 1_024;

/// The counts of some people on one day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    day: u32,
    counts: Vec<u8>,
}

impl Taken {
    fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        let damaged = || StoreError::Damaged { what: "the counts of a day".into() };
        let (day, counts) = bytes.split_at_checked(DAY_BYTES).ok_or_else(damaged)?;
        let day = u32::from_le_bytes(day.try_into().map_err(|_| damaged())?);
        Ok(Self { day, counts: counts.to_vec() })
    }

    fn encode(&self) -> Vec<u8> {
        let length = self.counts.iter().rposition(|count| *count != 0).map_or(0, |last| last + 1);
        let mut bytes = self.day.to_le_bytes().to_vec();
        bytes.extend(self.counts.iter().take(length));
        bytes
    }

    fn count(&self, place: usize, day: u32) -> u8 {
        if self.day == day { self.counts.get(place).copied().unwrap_or(0) } else { 0 }
    }

    fn add(&mut self, place: usize, day: u32) {
        if self.day != day {
            (self.day, self.counts) = (day, Vec::new());
        }
        if self.counts.len() <= place {
            self.counts.resize(place + 1, 0);
        }
        if let Some(count) = self.counts.get_mut(place) {
            *count = count.saturating_add(1);
        }
    }

    /// Answers whether it changed anything: the counts of an earlier day are gone.
    fn take_back(&mut self, place: usize, day: u32) -> bool {
        match self.counts.get_mut(place) {
            Some(count) if self.day == day => {
                *count = count.saturating_sub(1);
                true
            }
            _ => false,
        }
    }
}

impl Writing<'_> {
    /// How many posts a person may have got today for one of this post to go to them; `None` where
    /// there is no cap. `Some(None)`: none, but it counts.
    pub fn cap_of(&mut self, step: &Advance, post: u64) -> Result<Option<Option<u32>>, StoreError> {
        let Some(caps) = &step.caps else { return Ok(None) };
        let campaign = self.campaign_of(post)?;
        Ok(campaign.map(|campaign| caps.of(&campaign)))
    }

    fn campaign_of(&mut self, post: u64) -> Result<Option<Name>, StoreError> {
        if let Some(known) = self.memory.campaigns.get(&post) {
            return Ok(known.clone());
        }
        let campaign = self.tables.posts.load(post)?.and_then(|row| row.campaign);
        if self.memory.campaigns.len() >= CAMPAIGNS_MAX {
            self.memory.campaigns.clear();
        }
        self.memory.campaigns.insert(post, campaign.clone());
        Ok(campaign)
    }

    /// Whether the person got as many posts today as the cap allows.
    pub fn is_capped(
        &mut self,
        step: &Advance,
        number: u32,
        max: Option<u32>,
    ) -> Result<bool, StoreError> {
        let (Some(max), Some(caps)) = (max, &step.caps) else { return Ok(false) };
        let day = caps.days.day(step.now);
        let (taken, _) = self.taken(&step.channel, number)?;
        Ok(u32::from(taken.count(place(number), day)) >= max)
    }

    /// One more post of a campaign goes to the person today; answers which day it counts for.
    pub fn count_taken(&mut self, step: &Advance, number: u32) -> Result<Option<u32>, StoreError> {
        let Some(caps) = &step.caps else { return Ok(None) };
        let day = caps.days.day(step.now);
        let (taken, is_changed) = self.taken(&step.channel, number)?;
        taken.add(place(number), day);
        *is_changed = true;
        Ok(Some(day))
    }

    /// What was counted for that day did not arrive after all.
    pub fn uncount_taken(
        &mut self,
        channel: &Name,
        number: u32,
        day: u32,
    ) -> Result<(), StoreError> {
        let (taken, is_changed) = self.taken(channel, number)?;
        *is_changed |= taken.take_back(place(number), day);
        Ok(())
    }

    /// Keeps a delivery for the next day.
    pub fn carry(
        &mut self,
        step: &Advance,
        number: u32,
        release: Release,
    ) -> Result<(), StoreError> {
        let Some(caps) = &step.caps else { return Ok(()) };
        let until = caps.carried_until(step.now);
        self.hold_until(step, number, release, (until, Wait::Cap))
    }

    /// Lets go what was carried over and is due, at most as many messages as can be claimed;
    /// answers whether nothing more was to be looked at.
    pub fn release_carried(&mut self, step: &Advance) -> Result<bool, StoreError> {
        let channel = step.channel.as_str();
        let (mut released, mut looked_at) = (0, 0);
        while looked_at < CARRIED_LOOKED_MAX {
            looked_at += 1;
            if released >= step.claims {
                return Ok(true);
            }
            let first = {
                let range = (channel, i64::MIN, 0)..=(channel, step.now.as_millis(), u32::MAX);
                let key = self.tables.carried.keys(range)?.next().transpose()?;
                key.map(|key| (key.value().1, key.value().2))
            };
            let Some((at, number)) = first else { return Ok(true) };
            self.tables.carried.remove((channel, at, number))?;
            let Some(person) = self.tables.subscribers.load((channel, number))? else { continue };
            if person.standing != Standing::Active {
                // Whoever can't be reached now gets it with their next contact.
                continue;
            }
            if let Some(end) = person.quiet_until(step.now) {
                self.tables.carried.insert((channel, end.as_millis(), number))?;
            } else if step.ways.is_window_open(person.window_until, step.now) {
                self.release_listed(step, &person)?;
                released += 1;
            } else {
                looked_at += self.rechoose(step, number)?;
            }
        }
        Ok(false)
    }

    /// Lets wait again what was carried over, has come, and has ways beyond the window: it takes its
    /// lane anew. What has none stays held. Answers how many were looked at.
    fn rechoose(&mut self, step: &Advance, number: u32) -> Result<usize, StoreError> {
        let channel = step.channel.as_str();
        let held = self.held_of(&step.channel, number)?;
        for Release { post, held } in &held {
            let has_come = held.wait != Wait::Contact && held.at <= step.now;
            let is_meant = has_come
                && self.tables.beyonds.load(*post)?.is_some()
                && self.tally(*post)?.stopped.is_none();
            if is_meant {
                self.unhold(channel, number, *post)?;
                self.turn(held.batch, held.index, Outcome::Waiting)?;
                self.note(*post, None, Some(step.now))?;
            }
        }
        Ok(held.len())
    }

    /// Makes one message of what is held for somebody and whose time has come, newest first.
    fn release_listed(&mut self, step: &Advance, person: &Subscriber) -> Result<(), StoreError> {
        let (channel, number) = (&step.channel, person.number);
        // The newest first.
        let held = self.held_of(channel, number)?.into_iter().rev().collect();
        let held = due(held, step.now);
        let mut shown = Vec::new();
        let mut releases = Vec::new();
        for release in held {
            let HeldRow { batch, index, .. } = release.held;
            let is_stopped = self.tally(release.post)?.stopped.is_some();
            if !is_stopped && step.ways.has_windows && releases.len() >= HELD_CARDS_MAX {
                // There a list would be several messages: it comes with the next contact.
                continue;
            }
            self.unhold(channel.as_str(), number, release.post)?;
            if is_stopped {
                self.turn(batch, index, Outcome::Skipped(Reason::PostStopped))?;
            } else if self.has_left_topics(&release, person)? {
                let why = Reason::of_leaving(person.standing);
                self.turn(batch, index, Outcome::Skipped(why))?;
            } else if releases.len() < LISTED_MAX {
                shown.push(self.tables.posts.need(release.post)?);
                releases.push(release);
            } else {
                self.turn(batch, index, Outcome::Skipped(Reason::Superseded))?;
            }
        }
        if releases.is_empty() {
            return Ok(());
        }
        self.count_taken(step, number)?;
        let module = if shown.len() > HELD_CARDS_MAX { list(&shown) } else { cards(shown) };
        let answer = Answer { message: Message::from(vec![module]), tap: None, ask: None };
        let language = person.language.clone();
        let row = AnswerRow { number: Some(number), language, answer, part: 0, releases };
        self.add_answer(channel, &person.address, &row)?;
        Ok(())
    }

    fn taken(&mut self, channel: &Name, number: u32) -> Result<&mut (Taken, bool), StoreError> {
        let key = (channel.clone(), number / CHUNK_NUMBERS);
        if !self.memory.taken.contains_key(&key) {
            let taken = match self.tables.taken.load((channel.as_str(), key.1))? {
                Some(TakenRow(bytes)) => Taken::decode(&bytes)?,
                None => Taken::default(),
            };
            self.memory.taken.insert(key.clone(), (taken, false));
        }
        Ok(self.memory.taken.entry(key).or_default())
    }

    /// Writes the counts that changed.
    pub fn flush_taken(&mut self) -> Result<(), StoreError> {
        for ((channel, chunk), (taken, is_changed)) in &mut self.memory.taken {
            if std::mem::take(is_changed) {
                let row = TakenRow(taken.encode());
                self.tables.taken.put((channel.as_str(), *chunk), &row)?;
            }
        }
        Ok(())
    }
}

/// Where a person's count stands in its row.
fn place(number: u32) -> usize {
    usize::try_from(number % CHUNK_NUMBERS).unwrap_or(0)
}

/// One card a post, at least.
fn cards(posts: Vec<PostRow>) -> Module {
    let mut cards = Vec::new();
    let count = posts.len();
    for (at, post) in posts.into_iter().enumerate() {
        let room = (HELD_CARDS_MAX - cards.len()).saturating_sub(count - at - 1).max(1);
        if post.cards.is_empty() {
            cards.push(title_card(post.title));
        } else {
            cards.extend(post.cards.into_iter().take(room));
        }
    }
    Module::Cards(cards)
}

/// One line a post: its title, with its link.
fn list(posts: &[PostRow]) -> Module {
    let line = |post: &PostRow| {
        let title = Inline::Text(post.title.clone());
        let link = post.cards.first().and_then(|card| card.link.clone());
        let words = match link {
            Some(href) => Inline::Link { href, content: vec![title] },
            None => title,
        };
        vec![Block::Paragraph(vec![words])]
    };
    let items = posts.iter().map(line).collect();
    Module::Text {
        text: RichText { blocks: vec![Block::List { start: None, items }] },
        buttons: vec![],
    }
}

/// See `Store::count_capped`.
pub(super) fn count_capped(
    read: &ReadTransaction,
    channel: &Name,
    numbers: &[u32],
    (day, max): (u32, u32),
) -> Result<u64, StoreError> {
    let rows = TAKEN.open(read)?;
    let (mut known, mut taken, mut capped) = (None, Taken::default(), 0);
    for number in numbers {
        let chunk = number / CHUNK_NUMBERS;
        if known != Some(chunk) {
            known = Some(chunk);
            taken = match rows.load((channel.as_str(), chunk))? {
                Some(TakenRow(bytes)) => Taken::decode(&bytes)?,
                None => Taken::default(),
            };
        }
        capped += u64::from(u32::from(taken.count(place(*number), day)) >= max);
    }
    Ok(capped)
}

/// The numbers for whom something is carried over on the channel.
pub(super) fn carried_numbers(
    read: &ReadTransaction,
    channel: &str,
) -> Result<BTreeSet<u32>, StoreError> {
    let carried = CARRIED.open(read)?;
    let range = (channel, i64::MIN, 0)..=(channel, i64::MAX, u32::MAX);
    carried.keys(range)?.map(|key| Ok(key?.value().2)).collect()
}

/// When what is carried over for a person comes.
pub(super) fn carried_until<H: Rows<(&'static str, i64, u32), ()>>(
    carried: &Index<H, (&'static str, i64, u32)>,
    channel: &str,
    number: u32,
) -> Result<Option<Timestamp>, StoreError> {
    let mut from = i64::MIN;
    // One step an instant at which something comes, of which there are few.
    loop {
        let next = {
            let range = (channel, from, 0)..=(channel, i64::MAX, u32::MAX);
            carried.keys(range)?.next().transpose()?.map(|key| key.value().1)
        };
        let Some(at) = next else { return Ok(None) };
        if carried.keys((channel, at, number)..=(channel, at, number))?.next().is_some() {
            return Ok(Some(Timestamp::from_millis(at)));
        }
        from = at.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_come_back_as_they_went_and_take_a_byte_each() {
        let mut taken = Taken::default();
        for place in [0, 5, 5, 1_023] {
            taken.add(place, 20_000);
        }
        assert_eq!(taken.encode().len(), DAY_BYTES + 1_024);
        assert_eq!(Taken::decode(&taken.encode()).unwrap(), taken);
        assert_eq!((taken.count(5, 20_000), taken.count(5, 20_001)), (2, 0));
        assert!(taken.take_back(5, 20_000));
        assert!(!taken.take_back(5, 19_999), "nobody asks for what was before");
        taken.take_back(7, 20_000);
        assert_eq!(taken.count(5, 20_000), 1);
        taken.add(7, 20_001);
        assert_eq!((taken.count(5, 20_001), taken.count(7, 20_001)), (0, 1));
        assert!(Taken::decode(&[1, 2]).is_err());
    }
}
