//! The ledger of consents: each entry with the hash of the one before, and nobody's name in it.
//!
//! The head is one of the counters, which are read once and written once a transaction: an entry
//! costs no more than without the chain.

use redb::ReadTransaction;

use crate::model::name::Name;
use crate::model::proof::{Audit, Entry, Hash, Proof, Pseudonym, hash_of};
use crate::model::subscriber::Consent;
use crate::model::time::Timestamp;
use crate::store::StoreError;
use crate::store::redb::ledger::Writing;
use crate::store::redb::rows::Wording;
use crate::store::redb::tables::{CONSENTS, CONSENTS_OF, COUNTERS, PSEUDONYMS, WORDINGS};

/// Longest words that are kept, in characters.
const WORDING_CHARS_MAX: usize = 4_096;

/// See `Store::load_consents`.
pub(super) fn load_consents(
    read: &ReadTransaction,
    channel: &Name,
    number: u32,
    limit: usize,
) -> Result<Vec<Proof>, StoreError> {
    let name = channel.as_str();
    let (consents, wordings) = (CONSENTS.open(read)?, WORDINGS.open(read)?);
    let pseudonym = PSEUDONYMS.open(read)?.load((name, number))?;
    let mut proofs = Vec::new();
    let range = (name, number, 0)..=(name, number, u64::MAX);
    for key in CONSENTS_OF.open(read)?.keys(range)?.rev().take(limit) {
        let (_, _, at) = key?.value();
        let entry = consents.need(at)?;
        let words = match entry.wording {
            Some(hash) => wordings.load(hash)?.map(|Wording(words)| words),
            None => None,
        };
        proofs.push(Proof { number: at, entry, words, pseudonym: pseudonym.clone() });
    }
    proofs.reverse();
    Ok(proofs)
}

/// See `Store::load_agreements`.
pub(super) fn load_agreements(
    read: &ReadTransaction,
    channel: &Name,
    numbers: &[u32],
) -> Result<Vec<Option<(Timestamp, String)>>, StoreError> {
    let name = channel.as_str();
    let (consents, consents_of) = (CONSENTS.open(read)?, CONSENTS_OF.open(read)?);
    let newest = |number: &u32| {
        let range = (name, *number, 0)..=(name, *number, u64::MAX);
        for key in consents_of.keys(range)?.rev() {
            let entry = consents.need(key?.value().2)?;
            if entry.given {
                return Ok(Some((entry.at, entry.way)));
            }
        }
        Ok(None)
    };
    numbers.iter().map(newest).collect()
}

/// See `Store::audit_consents`.
pub(super) fn audit_consents(
    read: &ReadTransaction,
    noted: Option<Hash>,
) -> Result<Audit, StoreError> {
    let counters = COUNTERS.open(read)?.load(())?.unwrap_or_default();
    let (mut audit, mut head) = (Audit::default(), Hash::default());
    let consents = CONSENTS.open(read)?;
    // The records have sums of their own: what these find is told as any other fault.
    for row in consents.rows(..)? {
        let (number, entry) = match row {
            Ok((key, entry)) => (key.value(), entry),
            Err(StoreError::Damaged { what }) => {
                audit.fault = Some((audit.entries + 1, what));
                break;
            }
            Err(error) => return Err(error),
        };
        if number != audit.entries + 1 {
            audit.fault = Some((audit.entries + 1, "it is not there".to_owned()));
            break;
        }
        if entry.before != head {
            audit.fault = Some((number, "it does not follow the one before".to_owned()));
            break;
        }
        head = entry.hash();
        audit.entries = number;
        if noted == Some(head) {
            audit.noted = Some(number);
        }
    }
    audit.head = head;
    if audit.fault.is_none() && (audit.entries, head) != (counters.consent, counters.consent_head) {
        let words = format!("it has {} entries, {} were made", audit.entries, counters.consent);
        audit.fault = Some((0, words));
    }
    if audit.fault.is_none() {
        audit_people(read, &mut audit)?;
    }
    Ok(audit)
}

/// Whether the entries of everybody who is known are theirs, and the words as they were.
fn audit_people(read: &ReadTransaction, audit: &mut Audit) -> Result<(), StoreError> {
    let (consents, pseudonyms) = (CONSENTS.open(read)?, PSEUDONYMS.open(read)?);
    let mut last: Option<(Name, u32, Hash)> = None;
    for key in CONSENTS_OF.open(read)?.keys(..)? {
        let key = key?;
        let (channel, number, at) = key.value();
        let is_same =
            last.as_ref().is_some_and(|(of, n, _)| of.as_str() == channel && *n == number);
        if !is_same {
            let name = crate::store::redb::poll::named(channel)?;
            let who = pseudonyms.need((channel, number))?.who(&name);
            last = Some((name, number, who));
        }
        let who = last.as_ref().map(|(_, _, who)| *who);
        if Some(consents.need(at)?.who) != who {
            audit.fault = Some((at, "it is of somebody else".to_owned()));
            return Ok(());
        }
        audit.known += 1;
    }
    for row in WORDINGS.open(read)?.rows(..)? {
        let (hash, Wording(words)) = row?;
        if hash_of(&words) != hash.value() {
            audit.fault = Some((0, "words are not those that their hash is of".to_owned()));
            return Ok(());
        }
    }
    Ok(())
}

impl Writing<'_> {
    /// Adds a yes or no to the ledger. Of somebody without a record nothing ties it to them.
    pub fn keep_consent(
        &mut self,
        channel: &Name,
        consent: &Consent,
        number: Option<u32>,
    ) -> Result<(), StoreError> {
        let name = channel.as_str();
        let pseudonym = match number {
            Some(number) => match self.tables.pseudonyms.load((name, number))? {
                Some(known) => known,
                None => {
                    let person = self.tables.subscribers.load((name, number))?;
                    let address = person.map(|person| person.address).unwrap_or_default();
                    self.name_in_ledger(channel, number, address)?
                }
            },
            None => Pseudonym { salt: rand::random(), address: String::new() },
        };
        self.add_entry(channel, consent, &pseudonym, number)
    }

    /// Gives somebody a pseudonym, who has none yet.
    pub fn name_in_ledger(
        &mut self,
        channel: &Name,
        number: u32,
        address: String,
    ) -> Result<Pseudonym, StoreError> {
        let pseudonym = Pseudonym { salt: rand::random(), address };
        self.tables.pseudonyms.put((channel.as_str(), number), &pseudonym)?;
        Ok(pseudonym)
    }

    /// Adds an entry under a pseudonym.
    pub fn add_entry(
        &mut self,
        channel: &Name,
        consent: &Consent,
        pseudonym: &Pseudonym,
        number: Option<u32>,
    ) -> Result<(), StoreError> {
        let name = channel.as_str();
        let wording = match consent.wording.as_str() {
            "" => None,
            words => {
                let words: String = words.chars().take(WORDING_CHARS_MAX).collect();
                let hash = hash_of(&words);
                if self.tables.wordings.load(hash)?.is_none() {
                    self.tables.wordings.put(hash, &Wording(words))?;
                }
                Some(hash)
            }
        };
        let counters = self.counters()?;
        let entry = Entry {
            at: consent.at,
            channel: channel.clone(),
            who: pseudonym.who(channel),
            given: consent.given,
            way: consent.way.clone(),
            wording,
            before: counters.consent_head,
        };
        counters.consent += 1;
        counters.consent_head = entry.hash();
        let at = counters.consent;
        self.tables.consents.put(at, &entry)?;
        let Some(number) = number else { return Ok(()) };
        self.tables.consents_of.insert((name, number, at))?;
        if !consent.given {
            self.tables.withdrawals.insert((consent.at.as_millis(), name, number))?;
        }
        Ok(())
    }
}
