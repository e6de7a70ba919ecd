//! A channel's subscribers with all that is kept in step with them: the address book, how many
//! are in which standing, and who is active under which topic.
//!
//! Audiences are bit maps of [`CHUNK_NUMBERS`] subscriber numbers each, so that the audience of a
//! topic with a million subscribers is read from some hundred rows.

use std::collections::{BTreeMap, BTreeSet};

use redb::ReadTransaction;

use crate::model::name::Name;
use crate::model::subscriber::{CHATS_FROM, Standing, Subscriber};
use crate::model::zone::Zone;
use crate::store::StoreError;
use crate::store::codec::Record;
use crate::store::redb::ledger::Writing;
use crate::store::redb::rows::{Bits, Crowd, Number};
use crate::store::redb::tables::{AUDIENCES, Records, Rows};

/// Subscriber numbers of one bit map: 1 KiB.
const CHUNK_NUMBERS: u32 = 8_192;

/// The topic of everybody who is active.
const EVERYBODY: &str = "";

/// Before a time zone, which is kept as a topic of its people: no topic is called so.
const OF_ZONE: char = '@';

/// Behind all that begins with [`OF_ZONE`].
const BEHIND_ZONES: &str = "A";

/// Changes to one channel's subscribers; nothing of it counts before [`Crowded::close`].
pub(super) struct Crowded {
    channel: Name,
    crowd: Crowd,
    /// By topic and chunk: the numbers that come or go.
    marks: BTreeMap<(String, u32), Vec<(u32, bool)>>,
}

impl Crowded {
    pub fn open(writing: &Writing<'_>, channel: &Name) -> Result<Self, StoreError> {
        let crowd = writing.tables.crowds.load(channel.as_str())?.unwrap_or_default();
        Ok(Self { channel: channel.clone(), crowd, marks: BTreeMap::new() })
    }

    /// The number of an address.
    pub fn number_of(
        &self,
        writing: &Writing<'_>,
        address: &str,
    ) -> Result<Option<u32>, StoreError> {
        let number = writing.tables.addresses.load((self.channel.as_str(), address))?;
        Ok(number.map(|Number(number)| number))
    }

    /// Adds somebody, whose number is given here and answered.
    pub fn add(
        &mut self,
        writing: &mut Writing<'_>,
        mut person: Subscriber,
    ) -> Result<u32, StoreError> {
        let number = self.crowd.next;
        self.crowd.next = number.checked_add(1).ok_or_else(|| StoreError::Missing {
            what: format!("free number on channel `{}`", self.channel),
        })?;
        person.number = number;
        *self.crowd.of(person.standing) += 1;
        self.mark(&person, true);
        self.write(writing, &person)?;
        Ok(number)
    }

    /// Adds a chat that the settings name, whose number is given here and answered.
    pub fn add_chat(
        &mut self,
        writing: &mut Writing<'_>,
        mut chat: Subscriber,
    ) -> Result<u32, StoreError> {
        // The very last number stands for nobody.
        let next = CHATS_FROM.checked_add(self.crowd.chats);
        chat.number = next.filter(|number| *number < u32::MAX).ok_or_else(|| {
            StoreError::Missing { what: format!("free number on channel `{}`", self.channel) }
        })?;
        self.crowd.chats += 1;
        self.count(&chat, true)?;
        self.mark(&chat, true);
        self.write(writing, &chat)?;
        Ok(chat.number)
    }

    /// Writes `after` over `before`; they have the same number.
    pub fn change(
        &mut self,
        writing: &mut Writing<'_>,
        before: &Subscriber,
        after: &Subscriber,
    ) -> Result<(), StoreError> {
        if before == after {
            return Ok(());
        }
        if before.standing != after.standing && after.standing != Standing::Active {
            writing.end_watches(&self.channel, after.number)?;
        }
        // A group that became a supergroup stays known by its old number too, which the settings
        // may name; the service gives no number twice.
        if before.address != after.address && !before.address.starts_with('-') {
            writing.tables.addresses.remove((self.channel.as_str(), &before.address))?;
        }
        let is_other = before.is_counted() != after.is_counted();
        let is_elsewhere = before.topics != after.topics || before.timezone != after.timezone;
        if is_other || before.standing != after.standing || is_elsewhere {
            self.count(before, false)?;
            self.count(after, true)?;
            self.mark(before, false);
            self.mark(after, true);
        }
        self.write(writing, after)
    }

    /// Removes somebody; their number is given to nobody again.
    pub fn remove(
        &mut self,
        writing: &mut Writing<'_>,
        person: &Subscriber,
    ) -> Result<(), StoreError> {
        self.count(person, false)?;
        self.mark(person, false);
        let channel = self.channel.as_str();
        writing.tables.subscribers.remove((channel, person.number))?;
        writing.tables.addresses.remove((channel, &person.address))?;
        Ok(())
    }

    /// Writes the counts and the audiences.
    pub fn close(self, writing: &mut Writing<'_>) -> Result<(), StoreError> {
        let channel = self.channel.as_str();
        let before = writing.tables.crowds.load(channel)?;
        if before.as_ref() != Some(&self.crowd) {
            writing.tables.crowds.put(channel, &self.crowd)?;
        }
        for ((topic, chunk), marks) in self.marks {
            let key = (channel, topic.as_str(), chunk);
            let Bits(mut bits) =
                writing.tables.audiences.load(key)?.unwrap_or_else(|| Bits(Vec::new()));
            for (place, is_in) in marks {
                set(&mut bits, place, is_in);
            }
            writing.tables.audiences.put(key, &Bits(bits))?;
        }
        Ok(())
    }

    fn write(&self, writing: &mut Writing<'_>, person: &Subscriber) -> Result<(), StoreError> {
        let channel = self.channel.as_str();
        let number = person.number;
        writing.tables.subscribers.put((channel, number), person)?;
        writing.tables.addresses.put((channel, &person.address), &Number(number))
    }

    /// Counts somebody who comes or goes.
    fn count(&mut self, person: &Subscriber, comes: bool) -> Result<(), StoreError> {
        if !person.is_counted() {
            return Ok(());
        }
        let count = self.crowd.of(person.standing);
        *count =
            if comes { count.checked_add(1) } else { count.checked_sub(1) }.ok_or_else(|| {
                StoreError::Damaged {
                    what: format!("the count of subscribers of `{}`", self.channel),
                }
            })?;
        Ok(())
    }

    /// Only who is active is in an audience.
    fn mark(&mut self, person: &Subscriber, is_in: bool) {
        if person.standing != Standing::Active || !person.is_counted() {
            return;
        }
        let (chunk, place) = (person.number / CHUNK_NUMBERS, person.number % CHUNK_NUMBERS);
        let everybody = std::iter::once(EVERYBODY);
        let zone =
            person.timezone.as_ref().map(|zone| format!("{OF_ZONE}{zone}", zone = zone.as_str()));
        let topics = person.topics.iter().map(Name::as_str).chain(zone.as_deref());
        for topic in everybody.chain(topics) {
            self.marks.entry((topic.to_owned(), chunk)).or_default().push((place, is_in));
        }
    }
}

/// See `Store::load_audience`.
pub(super) fn load_audience(
    read: &ReadTransaction,
    channel: &Name,
    topics: &[Name],
) -> Result<Vec<u32>, StoreError> {
    let audiences = AUDIENCES.open(read)?;
    let mut wanted: BTreeSet<&str> = topics.iter().map(Name::as_str).collect();
    if wanted.is_empty() {
        wanted.insert(EVERYBODY);
    }
    let mut chunks = BTreeMap::<u32, Vec<u8>>::new();
    for topic in wanted {
        add_topic(&audiences, channel, topic, &mut chunks)?;
    }
    let mut numbers = Vec::new();
    for (chunk, bits) in chunks {
        add_numbers(chunk, &bits, &mut numbers);
    }
    Ok(numbers)
}

/// See `Store::load_zones`.
pub(super) fn load_zones(
    read: &ReadTransaction,
    channel: &Name,
) -> Result<Vec<(Zone, Vec<u32>)>, StoreError> {
    let (name, first) = (channel.as_str(), OF_ZONE.to_string());
    let mut zones: Vec<(Zone, Vec<u32>)> = Vec::new();
    for row in AUDIENCES.open(read)?.rows((name, first.as_str(), 0)..(name, BEHIND_ZONES, 0))? {
        let (key, Bits(bits)) = row?;
        let (_, topic, chunk) = key.value();
        // One that is not known any more counts as none.
        let Some(zone) = topic.strip_prefix(OF_ZONE).and_then(Zone::exactly) else { continue };
        if zones.last().is_none_or(|(last, _)| *last != zone) {
            zones.push((zone, Vec::new()));
        }
        if let Some((_, numbers)) = zones.last_mut() {
            add_numbers(chunk, &bits, numbers);
        }
    }
    zones.retain(|(_, numbers)| !numbers.is_empty());
    Ok(zones)
}

/// Adds the numbers whose bits are set.
fn add_numbers(chunk: u32, bits: &[u8], numbers: &mut Vec<u32>) {
    for (eight, byte) in (0u32..).zip(bits) {
        for bit in (0..8).filter(|bit| byte & (1 << bit) != 0) {
            numbers.push(chunk * CHUNK_NUMBERS + eight * 8 + bit);
        }
    }
}

fn add_topic<H>(
    audiences: &Records<H, (&'static str, &'static str, u32), Bits>,
    channel: &Name,
    topic: &str,
    chunks: &mut BTreeMap<u32, Vec<u8>>,
) -> Result<(), StoreError>
where
    H: Rows<(&'static str, &'static str, u32), &'static [u8]>,
    Bits: Record,
{
    let channel = channel.as_str();
    for row in audiences.rows((channel, topic, 0)..=(channel, topic, u32::MAX))? {
        let (key, Bits(bits)) = row?;
        let all = chunks.entry(key.value().2).or_default();
        if all.len() < bits.len() {
            all.resize(bits.len(), 0);
        }
        all.iter_mut().zip(bits).for_each(|(all, byte)| *all |= byte);
    }
    Ok(())
}

fn set(bits: &mut Vec<u8>, place: u32, is_in: bool) {
    let at = (place / 8) as usize;
    if bits.len() <= at {
        bits.resize(at + 1, 0);
    }
    if is_in {
        bits[at] |= 1 << (place % 8);
    } else {
        bits[at] &= !(1 << (place % 8));
    }
}
