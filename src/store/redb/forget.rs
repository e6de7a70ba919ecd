//! Erasure: what becomes of somebody in every table there is.
//!
//! **Whoever adds a table that knows people removes their rows in [`Writing::forget`]**, and says in
//! `FATES` below what becomes of it; a test fails while a table is not named there.
//!
//! What is left of a person is counts, numbers that nobody gets again, and their entries in the
//! ledger of consents without the salt that tied these to them. A digest of the address is kept
//! under a key of this store: what was on its way is not taken for news, and an import does not
//! bring them back. It goes when they come by themselves.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::model::event::{Event, PutAside};
use crate::model::name::Name;
use crate::model::post::{Outcome, Reason};
use crate::model::subscriber::{Consent, Subscriber};
use crate::model::time::Timestamp;
use crate::store::redb::crowd::Crowded;
use crate::store::redb::ledger::Writing;
use crate::store::redb::report::place;
use crate::store::redb::rows::{
    Aim, AnswerAt, AnswerRow, Erased, HeldRow, Number, Pepper, Release,
};
use crate::store::{Deletion, Erasure, StoreError};

/// Some services tell the times of messages in whole seconds: what was said right behind an erasure
/// may seem to be from before it.
const COARSE: Duration = Duration::from_secs(1);

/// See `Store::forget_person`.
pub(super) fn forget_person(
    writing: &mut Writing<'_>,
    erasure: &Erasure,
) -> Result<Option<u32>, StoreError> {
    let Erasure { channel, address, by, event, farewell, code, at } = erasure;
    let mut language = None;
    if let Some(event) = event {
        let missing = || StoreError::Missing { what: format!("event {event}") };
        language = writing.tables.events.load(*event)?.ok_or_else(missing)?.language;
        writing.tables.events.remove(*event)?;
        writing.tables.tries.remove(*event)?;
    }
    let known = writing.tables.addresses.load((channel.as_str(), address))?;
    let number = known.map(|Number(number)| number);
    match number {
        Some(number) => {
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
        None => writing.forget_address(channel, address, *at)?,
    }
    if let Some(code) = code {
        let deletion = Deletion { at: *at, was_known: number.is_some() };
        writing.keep_deletion(code, &deletion)?;
    }
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
        self.tables.told_of.remove((name, number))?;
        self.end_watches(channel, number)?;
        self.forget_recent(name, number)?;
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
            self.tables.tries.remove(event)?;
        }
        let mut aside = Vec::new();
        for row in self.tables.aside.rows(..)? {
            let (number, PutAside { event, .. }) = row?;
            if event.channel == *channel && event.address == address {
                aside.push(number.value());
            }
        }
        for event in aside {
            self.tables.aside.remove(event)?;
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
        for Release { post, held } in self.held_of(channel, number)? {
            let why = Reason::Unsubscribed;
            self.let_go(channel, number, (post, held), why, Some(at))?;
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
            self.tables.watches_told.remove(id)?;
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
            let keys =
                self.tables.consents_of.keys((name, number, 0)..=(name, number, u64::MAX))?;
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
        Ok(!is_here && event.at + COARSE <= at)
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::event::Deed;
    use crate::model::message::Message;
    use crate::model::post::Answer;
    use crate::store::redb::tables::TABLE_NAMES;
    use crate::store::redb::trial::{NOW, bot, people, post, store};
    use crate::store::{ConversationCommit, Store};

    /// What becomes of a table's rows when somebody is erased.
    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Fate {
        /// It knows nobody.
        Nobody,
        /// It knows people by numbers (or by their places in batches) that nobody gets again.
        Numbers,
        /// It names only what the settings name, and what services call files.
        Settings,
        /// Its rows of the person go.
        Erased,
        /// It is the proof that is left.
        Proof,
    }

    use Fate::{Erased as Goes, Nobody, Numbers, Proof, Settings};

    const FATES: [(&str, Fate); 95] = [
        ("format", Nobody),
        ("counters", Nobody),
        ("sources", Nobody),
        ("known", Nobody),
        ("shelf_states", Nobody),
        ("shelves", Nobody),
        ("prices", Nobody),
        ("names", Nobody),
        ("stories", Nobody),
        ("items", Nobody),
        ("drafts", Settings),
        ("gatherings", Nobody),
        ("files", Nobody),
        ("late_rules", Settings),
        ("posts", Nobody),
        ("tallies", Nobody),
        ("people", Numbers),
        ("outcomes", Numbers),
        ("times", Numbers),
        ("corrections", Nobody),
        ("sent", Goes),
        // Answers on the wire go; deliveries are places in batches.
        ("in_flight", Goes),
        ("partial", Numbers),
        ("held", Goes),
        ("echoes", Numbers),
        ("doubts", Goes),
        ("lanes", Numbers),
        ("beyonds", Nobody),
        ("marks", Goes),
        ("optins", Goes),
        ("tokens", Goes),
        ("markets", Nobody),
        ("answers", Goes),
        ("subscribers", Goes),
        ("addresses", Goes),
        ("crowds", Nobody),
        ("audiences", Goes),
        ("consents", Proof),
        ("pseudonyms", Goes),
        ("wordings", Nobody),
        ("pepper", Nobody),
        ("erased", Proof),
        ("deletions", Nobody),
        ("channels", Nobody),
        ("bots", Settings),
        ("facets", Settings),
        ("told_of", Goes),
        // The worker writes it anew from what it knows of the last minute.
        ("pacings", Goes),
        ("halts", Nobody),
        ("stars", Nobody),
        ("taken", Numbers),
        ("media", Settings),
        ("cursors", Nobody),
        ("events", Goes),
        // Ids of events name nobody.
        ("seen", Nobody),
        ("traces", Nobody),
        ("chores", Nobody),
        ("items_by_age", Nobody),
        ("stories_by_age", Nobody),
        ("media_by_age", Nobody),
        ("drafts_due", Nobody),
        ("drafts_held", Nobody),
        ("shown", Nobody),
        ("late", Goes),
        ("unswept", Nobody),
        ("open_batches", Nobody),
        ("turns", Nobody),
        ("staged", Nobody),
        ("opening", Nobody),
        ("doubts_due", Goes),
        ("held_by_age", Goes),
        ("told", Nobody),
        ("correctable", Nobody),
        ("open_edits", Nobody),
        ("finished", Nobody),
        ("ready", Goes),
        ("seen_by_age", Nobody),
        ("traces_by_age", Nobody),
        // It goes on its day.
        ("carried", Numbers),
        ("withdrawals", Numbers),
        ("consents_of", Goes),
        ("deletions_by_age", Nobody),
        ("watches", Goes),
        ("watched", Goes),
        ("watches_told", Goes),
        ("last_watch", Nobody),
        ("watches_end", Goes),
        ("tries", Nobody),
        ("aside", Goes),
        // Groups and channels, as the service names them.
        ("chats", Settings),
        ("recents", Goes),
        ("recents_by_age", Goes),
        ("archive", Nobody),
        ("archived", Nobody),
        ("archived_topics", Nobody),
    ];

    #[test]
    fn sec_c07_every_table_says_what_becomes_of_a_person() {
        let named: BTreeSet<&str> = FATES.iter().map(|(table, _)| *table).collect();
        let there: BTreeSet<&str> = TABLE_NAMES.iter().copied().collect();
        let unnamed: Vec<_> = there.symmetric_difference(&named).collect();
        assert!(unnamed.is_empty(), "say what becomes of their rows in an erasure: {unnamed:?}");
        assert!(FATES.iter().any(|(table, fate)| *table == "answers" && *fate == Goes));
    }

    const ADDRESS: &str = "1700000000417";

    fn event(id: &str) -> Event {
        Event {
            channel: bot(),
            id: id.into(),
            at: NOW,
            address: ADDRESS.into(),
            language: Some("en".into()),
            first_name: Some("Xanthippe".into()),
            deed: Deed::Said { text: "start".into() },
        }
    }

    #[tokio::test]
    async fn sec_c07_no_page_of_the_file_names_who_was_erased_once_it_is_packed() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        people(&store, 2_000).await;
        store.commit_events(vec![event("1"), event("2")], None, NOW).await.unwrap();
        let (number, _) = store.lease_events(1).await.unwrap().remove(0);
        let mut person = store.load_subscriber(&bot(), "7").await.unwrap().unwrap();
        person.address = ADDRESS.into();
        person.first_name = Some("Xanthippe".into());
        let answer = Answer { message: Message::from_plain("hi"), tap: None, ask: None };
        let consent = Consent {
            at: NOW,
            number: 0,
            given: true,
            way: "start".into(),
            wording: "Welcome.".into(),
        };
        let turn = ConversationCommit {
            event: number,
            channel: bot(),
            subscriber: Some(person),
            consent: Some(consent),
            answers: vec![answer],
            releases_held: false,
        };
        store.commit_conversation(turn).await.unwrap();
        post(&store, 2_000).await;
        let erasure = Erasure {
            channel: bot(),
            address: ADDRESS.into(),
            by: "admin",
            event: None,
            farewell: vec![],
            code: None,
            at: NOW,
        };
        assert_eq!(store.forget_person(erasure).await.unwrap(), Some(2_000));
        assert!(store.pack().await.unwrap(), "an erasure is worth a packing");
        drop(store);
        let bytes = std::fs::read(folder.path().join("store.redb")).unwrap();
        for trace in [ADDRESS, "Xanthippe"] {
            let found = bytes.windows(trace.len()).filter(|at| *at == trace.as_bytes()).count();
            assert_eq!(found, 0, "{trace}");
        }
    }
}
