//! Erasure: what becomes of somebody in every table there is.
//!
//! **Whoever adds a table that knows people removes their rows in [`Writing::forget`]**, and says in
//! `FATES` below what becomes of it; a test fails while a table is not named there.
//!
//! What is left of a person is counts, numbers that nobody gets again, and their entries in the
//! ledger of consents without the salt that tied these to them. A digest of the address is kept
//! under a key of this store: what was on its way is not taken for news, and an import does not
//! bring them back. It goes when they come by themselves.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::model::event::Event;
use crate::model::name::Name;
use crate::model::post::{Outcome, Reason};
use crate::model::subscriber::{Consent, Subscriber};
use crate::model::time::Timestamp;
use crate::store::redb::crowd::Crowded;
use crate::store::redb::ledger::Writing;
use crate::store::redb::report::place;
use crate::store::redb::rows::{Aim, AnswerAt, AnswerRow, Erased, HeldRow, Number, Pepper};
use crate::store::{Erasure, StoreError};

/// See `Store::forget_person`.
pub(super) fn forget_person(
    writing: &mut Writing<'_>,
    erasure: &Erasure,
) -> Result<Option<u32>, StoreError> {
    let Erasure { channel, address, by, event, farewell, at } = erasure;
    let mut language = None;
    if let Some(event) = event {
        let missing = || StoreError::Missing { what: format!("event {event}") };
        language = writing.tables.events.load(*event)?.ok_or_else(missing)?.language;
        writing.tables.events.remove(*event)?;
    }
    let known = writing.tables.addresses.load((channel.as_str(), address))?;
    let number = known.map(|Number(number)| number);
    if let Some(number) = number {
        let consent = Consent {
            at: *at,
            number,
            given: false,
            way: format!("erased:{by}"),
            wording: String::new(),
        };
        writing.keep_consent(channel, &consent, Some(number))?;
        writing.forget(channel, number, *at)?;
    }
    writing.forget_address(channel, address, *at)?;
    for answer in farewell {
        let row = AnswerRow {
            number: None,
            language: language.clone(),
            answer: answer.clone(),
            part: 0,
            releases: Vec::new(),
        };
        writing.add_answer(channel, address, &row)?;
    }
    Ok(number)
}

impl Writing<'_> {
    /// Forgets somebody, table by table. The one place that knows where people are kept.
    fn forget(&mut self, channel: &Name, number: u32, at: Timestamp) -> Result<(), StoreError> {
        let name = channel.as_str();
        let person = self.tables.subscribers.need((name, number))?;
        self.forget_held(channel, number, at)?;
        self.tables.marks.remove((name, number))?;
        self.turn_optin(channel, number, |optin| optin.token = None)?;
        self.tables.optins.remove((name, number))?;
        self.tables.late.remove((name, number))?;
        self.forget_messages_of(channel, number)?;
        self.forget_pseudonym(channel, number)?;
        for address in self.former_addresses(channel, &person)? {
            self.forget_address(channel, &address, at)?;
            self.tables.addresses.remove((name, address.as_str()))?;
        }
        let mut crowd = Crowded::open(self, channel)?;
        crowd.remove(self, &person)?;
        crowd.close(self)
    }

    /// What names an address, whether or not somebody is known there; and from now on the address
    /// counts as erased.
    fn forget_address(
        &mut self,
        channel: &Name,
        address: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.forget_answers(channel, address, at)?;
        self.forget_doubts(channel, address, at)?;
        let mut events = Vec::new();
        for row in self.tables.events.rows(..)? {
            let (number, event) = row?;
            if event.channel == *channel && event.address == address {
                events.push(number.value());
            }
        }
        for event in events {
            self.tables.events.remove(event)?;
        }
        if let Some(mut pacing) = self.tables.pacings.load(channel.as_str())? {
            let count = pacing.chats.len();
            pacing.chats.retain(|chat| chat.chat != address);
            if pacing.chats.len() != count {
                self.tables.pacings.put(channel.as_str(), &pacing)?;
            }
        }
        let digest = self.digest(channel, address)?;
        self.tables.erased.put(digest, &Erased(at))
    }

    /// What was held for them is for nobody now.
    fn forget_held(
        &mut self,
        channel: &Name,
        number: u32,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let held = {
            let range = (channel.as_str(), number, 0)..=(channel.as_str(), number, u64::MAX);
            let rows = self.tables.held.rows(range)?;
            rows.map(|row| row.map(|(key, row)| (key.value().2, row)))
                .collect::<Result<Vec<_>, _>>()?
        };
        for one in held {
            self.let_go(channel, number, one, Reason::Unsubscribed, Some(at))?;
        }
        Ok(())
    }

    /// Answers that wait or are on the wire; what comes back of these is nobody's.
    fn forget_answers(
        &mut self,
        channel: &Name,
        address: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut flights = Vec::new();
        for row in self.tables.in_flight.rows(..)? {
            let (ticket, flight) = row?;
            if let Aim::Answer(of) = &flight.what
                && of.channel == *channel
                && of.address == address
            {
                flights.push(ticket.value());
            }
        }
        for ticket in flights {
            self.tables.in_flight.remove(ticket)?;
            self.tables.echoes.remove(ticket)?;
        }
        let queue = AnswerAt { channel: channel.clone(), address: address.to_owned(), id: 0 };
        let answers = {
            let rows = self.tables.answers.rows(queue.queue())?;
            rows.map(|row| row.map(|(key, row)| (key.value().2, row.releases)))
                .collect::<Result<Vec<_>, _>>()?
        };
        for (id, releases) in answers {
            let answer = AnswerAt { id, ..queue.clone() };
            self.tables.answers.remove(answer.key())?;
            self.tables.ready.remove(answer.ready_key())?;
            for release in releases {
                self.let_be(release.held, at)?;
            }
        }
        Ok(())
    }

    /// What was held and is carried by something that is gone now.
    fn let_be(&mut self, held: HeldRow, at: Timestamp) -> Result<(), StoreError> {
        let HeldRow { batch, index, .. } = held;
        // Its post may have been pruned meanwhile.
        if self.tables.people.load(batch)?.is_none() || self.outcome(batch, index)? != Outcome::Held
        {
            return Ok(());
        }
        self.turn(batch, index, Outcome::Skipped(Reason::Unsubscribed))?;
        self.stamp(batch, index, Some(at))
    }

    /// No echo tells of them any more: what is uncertain stays so, and is not sent again.
    fn forget_doubts(
        &mut self,
        channel: &Name,
        address: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut doubts = Vec::new();
        for row in self.tables.doubts.rows(..)? {
            let (ticket, doubt) = row?;
            if doubt.channel == *channel && doubt.address == address {
                doubts.push((ticket.value(), doubt));
            }
        }
        for (ticket, doubt) in doubts {
            self.tables.doubts.remove(ticket)?;
            self.tables.doubts_due.remove((doubt.due_at.as_millis(), ticket))?;
            for target in &doubt.targets {
                if self.doubted(&doubt, target.batch, target.index)?.is_none() {
                    continue;
                }
                match doubt.is_carousel {
                    true => self.let_be(*target, at)?,
                    false => self.turn(target.batch, target.index, Outcome::Uncertain)?,
                }
            }
        }
        Ok(())
    }

    /// The messages that they have and that might have been corrected.
    fn forget_messages_of(&mut self, channel: &Name, number: u32) -> Result<(), StoreError> {
        let posts = {
            let keys = self.tables.correctable.keys(..)?;
            keys.map(|key| Ok(key?.value().1)).collect::<Result<Vec<_>, StoreError>>()?
        };
        for post in posts {
            let Some(row) = self.tables.posts.load(post)? else { continue };
            let found = place(&self.tables.people, &row.spans, channel.as_str(), number)?;
            let Some((batch, index)) = found else { continue };
            let Ok(index) = u16::try_from(index) else { continue };
            if self.sent(batch)?.at(index).is_some() {
                self.keep(batch, index, None)?;
            }
        }
        Ok(())
    }

    /// The entries in the ledger stay, and are nobody's.
    fn forget_pseudonym(&mut self, channel: &Name, number: u32) -> Result<(), StoreError> {
        let name = channel.as_str();
        self.tables.pseudonyms.remove((name, number))?;
        let entries = {
            let keys = self.tables.consents_of.keys((name, number, 0)..=(name, number, u64::MAX))?;
            keys.map(|key| Ok(key?.value().2)).collect::<Result<Vec<_>, StoreError>>()?
        };
        for entry in entries {
            self.tables.consents_of.remove((name, number, entry))?;
        }
        Ok(())
    }

    /// A group that became a supergroup is known by its old number too.
    fn former_addresses(
        &self,
        channel: &Name,
        person: &Subscriber,
    ) -> Result<Vec<String>, StoreError> {
        let mut addresses = vec![person.address.clone()];
        if !person.address.starts_with('-') {
            return Ok(addresses);
        }
        // Only groups have numbers below zero: `-` stands before all digits.
        let name = channel.as_str();
        for row in self.tables.addresses.rows((name, "-")..(name, "."))? {
            let (key, Number(number)) = row?;
            let address = key.value().1;
            if number == person.number && address != person.address {
                addresses.push(address.to_owned());
            }
        }
        Ok(addresses)
    }

    /// When somebody at the address was erased, if they have not come back since.
    pub fn erased_at(
        &mut self,
        channel: &Name,
        address: &str,
    ) -> Result<Option<Timestamp>, StoreError> {
        if self.tables.erased.len()? == 0 {
            return Ok(None);
        }
        let digest = self.digest(channel, address)?;
        Ok(self.tables.erased.load(digest)?.map(|Erased(at)| at))
    }

    /// Whether the event is from before the erasure of somebody who is not here again.
    pub fn is_erased_since(&mut self, channel: &Name, event: &Event) -> Result<bool, StoreError> {
        let Some(at) = self.erased_at(channel, &event.address)? else { return Ok(false) };
        let is_here = self.tables.addresses.load((channel.as_str(), &event.address))?.is_some();
        Ok(!is_here && event.at <= at)
    }

    /// They come by themselves: nothing keeps them out any more.
    pub fn welcome_back(&mut self, channel: &Name, address: &str) -> Result<(), StoreError> {
        if self.tables.erased.len()? > 0 {
            let digest = self.digest(channel, address)?;
            self.tables.erased.remove(digest)?;
        }
        Ok(())
    }

    fn digest(&mut self, channel: &Name, address: &str) -> Result<[u8; 32], StoreError> {
        let Pepper(pepper) = match self.tables.pepper.load(())? {
            Some(pepper) => pepper,
            None => {
                let pepper = Pepper(rand::random());
                self.tables.pepper.put((), &pepper)?;
                pepper
            }
        };
        let failed = |_| StoreError::Failed { what: "a key of no good length".to_owned() };
        let mac = Hmac::<Sha256>::new_from_slice(&pepper).map_err(failed)?;
        let mac = mac.chain_update(channel.as_str()).chain_update([0]).chain_update(address);
        Ok(mac.finalize().into_bytes().into())
    }
}
