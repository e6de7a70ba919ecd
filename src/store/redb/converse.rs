//! Events and conversations.

use std::time::Duration;

use redb::ReadTransaction;

use crate::model::event::Event;
use crate::model::name::Name;
use crate::model::subscriber::Subscriber;
use crate::model::time::Timestamp;
use crate::store::redb::crowd::Crowded;
use crate::store::redb::ledger::Writing;
use crate::store::redb::rows::{AnswerAt, AnswerRow, Cursor, Number, Seen, ToldOf};
use crate::store::redb::tables::{ADDRESSES, CURSORS, EVENTS, SUBSCRIBERS};
use crate::store::{Beside, ConversationCommit, StoreError};

/// How long an event id is remembered; the services repeat an event for a day and a half at most.
pub(super) const SEEN_FOR: Duration = Duration::from_secs(72 * 3600);

/// See `Store::commit_events`.
pub(super) fn commit_events(
    writing: &mut Writing<'_>,
    events: &[Event],
    cursor: Option<&(Name, i64)>,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let mut added = 0;
    for event in events {
        let key = (event.channel.as_str(), event.id.as_str());
        if let Some(Seen(at)) = writing.tables.seen.load(key)? {
            if at > now - SEEN_FOR {
                continue;
            }
            writing.tables.seen_by_age.remove((at.as_millis(), key.0, key.1))?;
        }
        writing.tables.seen.put(key, &Seen(now))?;
        writing.tables.seen_by_age.insert((now.as_millis(), key.0, key.1))?;
        let counters = writing.counters()?;
        counters.event += 1;
        let number = counters.event;
        writing.tables.events.put(number, event)?;
        added += 1;
    }
    if let Some((channel, place)) = cursor {
        writing.tables.cursors.put(channel.as_str(), &Cursor(*place))?;
    }
    Ok(added)
}

/// See `Store::load_cursor`.
pub(super) fn load_cursor(
    read: &ReadTransaction,
    channel: &Name,
) -> Result<Option<i64>, StoreError> {
    Ok(CURSORS.open(read)?.load(channel.as_str())?.map(|Cursor(place)| place))
}

/// See `Store::lease_events`.
pub(super) fn lease_events(
    read: &ReadTransaction,
    limit: usize,
) -> Result<Vec<(u64, Event)>, StoreError> {
    let events = EVENTS.open(read)?;
    let oldest = events.rows(..)?.take(limit);
    oldest.map(|row| row.map(|(number, event)| (number.value(), event))).collect()
}

/// See `Store::load_subscriber`.
pub(super) fn load_subscriber(
    read: &ReadTransaction,
    channel: &Name,
    address: &str,
) -> Result<Option<Subscriber>, StoreError> {
    match ADDRESSES.open(read)?.load((channel.as_str(), address))? {
        Some(Number(number)) => SUBSCRIBERS.open(read)?.need((channel.as_str(), number)).map(Some),
        None => Ok(None),
    }
}

/// See `Store::commit_turn`.
pub(super) fn commit_turn(
    writing: &mut Writing<'_>,
    turn: &ConversationCommit,
    beside: &Beside,
) -> Result<(), StoreError> {
    let missing = || StoreError::Missing { what: format!("event {}", turn.event) };
    let event = writing.tables.events.load(turn.event)?.ok_or_else(missing)?;
    writing.tables.events.remove(turn.event)?;
    writing.tables.tries.remove(turn.event)?;

    let channel = &turn.channel;
    if turn.subscriber.is_some() && writing.is_erased_since(channel, &event)? {
        // It came late: whoever said it has had everything erased since.
        return Ok(());
    }
    let number = writing.keep_person(channel, &event, turn.subscriber.as_ref())?;
    if let (Some(recent), Some(number)) = (&beside.recent, number) {
        writing.keep_recent(channel, number, recent)?;
    }
    if let Some(consent) = &turn.consent {
        writing.keep_consent(channel, consent, number)?;
        if let (true, Some(number)) = (consent.given, number) {
            writing.tables.told_of.put((channel.as_str(), number), &ToldOf(consent.at))?;
        }
    }
    writing.obey_watching(channel, number, &beside.watching)?;
    let address = match (&turn.subscriber, number) {
        (Some(person), _) => person.address.clone(),
        _ => event.address.clone(),
    };
    for answer in &turn.answers {
        if let (Some(_), Some(number)) = (&answer.ask, number) {
            writing.note_asked(channel, number, event.at)?;
        }
        let row = AnswerRow {
            number,
            language: event.language.clone(),
            answer: answer.clone(),
            part: 0,
            releases: Vec::new(),
        };
        writing.add_answer(channel, &address, &row)?;
    }
    match number {
        // What is too much for today comes by itself.
        Some(number) if turn.releases_held && !writing.waits_for_day(channel, number)? => {
            writing.release_held(channel, &address, number, event.at)
        }
        _ => Ok(()),
    }
}

impl Writing<'_> {
    /// Writes the person's record; answers the number of the person, if there is a record.
    ///
    /// The record is found by the event's address, so that a new address in `person` moves it.
    fn keep_person(
        &mut self,
        channel: &Name,
        event: &Event,
        person: Option<&Subscriber>,
    ) -> Result<Option<u32>, StoreError> {
        let mut crowd = Crowded::open(self, channel)?;
        let here = crowd.number_of(self, &event.address)?;
        let Some(person) = person else { return Ok(here) };
        let there = crowd.number_of(self, &person.address)?;
        let number = match here.or(there) {
            None => {
                let number = crowd.add(self, person.clone())?;
                // They come by themselves.
                self.welcome_back(channel, &person.address)?;
                self.note_late(channel, None, &Subscriber { number, ..person.clone() })?;
                number
            }
            Some(number) => {
                let before = self.tables.subscribers.need((channel.as_str(), number))?;
                let mut after = Subscriber { number, ..person.clone() };
                if there.is_some_and(|other| other != number) {
                    // Somebody else is known at the new address: this record keeps its own.
                    after.address.clone_from(&before.address);
                }
                crowd.change(self, &before, &after)?;
                self.note_late(channel, Some(&before), &after)?;
                self.rest_anew(channel, &before, &after, event.at)?;
                number
            }
        };
        crowd.close(self)?;
        Ok(Some(number))
    }

    /// Puts an answer at the end of the person's queue; answers its number.
    pub fn add_answer(
        &mut self,
        channel: &Name,
        address: &str,
        row: &AnswerRow,
    ) -> Result<u64, StoreError> {
        let counters = self.counters()?;
        counters.answer += 1;
        let at =
            AnswerAt { channel: channel.clone(), address: address.to_owned(), id: counters.answer };
        let is_first = self.tables.answers.rows(at.queue())?.next().is_none();
        self.tables.answers.put(at.key(), row)?;
        if is_first {
            self.tables.ready.insert(at.ready_key())?;
        }
        Ok(at.id)
    }
}
