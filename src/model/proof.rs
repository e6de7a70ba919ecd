//! The ledger of consents: entries that hold the hash of the one before, so that none can be taken
//! out, put in or altered without breaking all that follow.
//!
//! Who it was stands in an entry as a salted hash only. The salt is the person's own and is erased
//! with them: what is left proves that somebody said yes, to which words and when, and not who.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::model::name::Name;
use crate::model::time::Timestamp;

/// A SHA-256.
pub type Hash = [u8; 32];

/// One yes or no, as it stands in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub at: Timestamp,
    pub channel: Name,
    /// See [`Pseudonym::who`].
    pub who: Hash,
    pub given: bool,
    /// See `Consent::way`.
    pub way: String,
    /// Of the words they were answered with; `None` where there were none.
    pub wording: Option<Hash>,
    /// The hash of the entry before; zeros in the first.
    pub before: Hash,
}

impl Entry {
    /// The hash that the next entry holds.
    pub fn hash(&self) -> Hash {
        let mut hash = Sha256::new();
        hash.update(self.before);
        hash.update(self.at.as_millis().to_be_bytes());
        hash.update(self.who);
        hash.update([u8::from(self.given), u8::from(self.wording.is_some())]);
        hash.update(self.wording.unwrap_or_default());
        // Of one length each, so that no two entries have the same bytes.
        hash.update(Sha256::digest(self.channel.as_str()));
        hash.update(Sha256::digest(&self.way));
        hash.finalize().into()
    }
}

/// What ties a person to their entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pseudonym {
    pub salt: [u8; 16],
    /// Their address when the salt was made.
    pub address: String,
}

impl Pseudonym {
    /// How the person is called in the ledger.
    pub fn who(&self, channel: &Name) -> Hash {
        Sha256::new()
            .chain_update(self.salt)
            .chain_update(channel.as_str())
            .chain_update([0])
            .chain_update(&self.address)
            .finalize()
            .into()
    }
}

/// The hash of words.
pub fn hash_of(words: &str) -> Hash {
    Sha256::digest(words).into()
}

/// A hash as people read it.
pub fn hex(hash: &[u8]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A hash as somebody has noted it.
pub fn from_hex(text: &str) -> Option<Hash> {
    let text = text.trim();
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut hash = Hash::default();
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(hash)
}

/// An entry of a person with all that proves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Its number in the ledger.
    pub number: u64,
    pub entry: Entry,
    pub words: Option<String>,
    /// `None` of somebody who was erased.
    pub pseudonym: Option<Pseudonym>,
}

/// What a look through the whole ledger found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    pub entries: u64,
    /// The hash of the last entry; zeros of an empty ledger.
    pub head: Hash,
    /// Entries whose person is known.
    pub known: u64,
    /// The first entry that is not as it was written, and why; 0 for the ledger as a whole.
    pub fault: Option<(u64, String)>,
    /// The entry whose hash was asked for.
    pub noted: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            at: Timestamp::from_millis(1),
            channel: Name::parse("bot").unwrap(),
            who: [1; 32],
            given: true,
            way: "start".into(),
            wording: Some([2; 32]),
            before: [3; 32],
        }
    }

    #[test]
    fn the_hash_tells_every_change() {
        let changed = [
            Entry { at: Timestamp::from_millis(2), ..entry() },
            Entry { channel: Name::parse("bots").unwrap(), way: "tart".into(), ..entry() },
            Entry { who: [0; 32], ..entry() },
            Entry { given: false, ..entry() },
            Entry { way: "stop".into(), ..entry() },
            Entry { wording: None, ..entry() },
            Entry { wording: Some([0; 32]), ..entry() },
            Entry { before: [0; 32], ..entry() },
        ];
        for (at, one) in changed.iter().enumerate() {
            assert_ne!(one.hash(), entry().hash(), "{at}");
        }
        let none = Entry { wording: None, ..entry() };
        let zeros = Entry { wording: Some([0; 32]), ..entry() };
        assert_ne!(none.hash(), zeros.hash());
    }

    #[test]
    fn a_pseudonym_needs_its_salt() {
        let bot = Name::parse("bot").unwrap();
        let one = Pseudonym { salt: [1; 16], address: "7".into() };
        assert_ne!(one.who(&bot), Pseudonym { salt: [2; 16], ..one.clone() }.who(&bot));
        assert_ne!(one.who(&bot), one.who(&Name::parse("page").unwrap()));
    }

    #[test]
    fn a_hash_is_read_as_it_is_shown() {
        let hash = hash_of("x");
        assert_eq!(from_hex(&hex(&hash)), Some(hash));
        for wrong in ["", "ab", &"g".repeat(64), &"ä".repeat(32)] {
            assert_eq!(from_hex(wrong), None, "{wrong}");
        }
    }
}
