//! What a source has already told: the memory that identity is compared with.
//!
//! One fixed-width row an item, kept as one value a source: [`Known::encode`] gives
//! [`ROW_BYTES`] bytes an item, so that ten thousand sources of a hundred items fit in 48 MB.

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::model::time::Timestamp;

/// The encoded width of one [`KnownItem`].
pub const ROW_BYTES: usize = 48;

/// The encoded width of what stands before the rows.
const HEAD_BYTES: usize = 4;

/// The rungs and the fingerprint of one item of a document, hashed.
///
/// A rung is the first 8 bytes of a SHA-256 over what names the item; `None` where the document
/// has nothing for that rung. Collisions within one source are not a concern at 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keys {
    /// The format's own id, raw.
    pub id: Option<u64>,
    /// The id without scheme and `www.`: survives http→https and www moves.
    pub id_alias: Option<u64>,
    /// The canonical link, without scheme and `www.`.
    pub link: Option<u64>,
    /// Title and stated date together; `None` when either is missing.
    pub title_date: Option<u64>,
    /// Title alone, normalised; never the only ground to call two items one.
    pub title: Option<u64>,
    /// Normalised title, body text and first image.
    pub fingerprint: u64,
}

/// All that one source has told, newest sighting kept. Never shrinks by counting.
///
/// Serialised as one byte string, in the form of [`Known::encode`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    /// In the order in which they were first seen; a later row is a later alias.
    pub entries: Vec<KnownItem>,
    /// How often the ids were seen to churn, less the changes at which they held, 0 to 3; from 2
    /// on an unknown id says nothing, and the link decides.
    pub id_churns: u32,
}

/// One known item, or one more alias of it. 0 stands for absent in every hash here.
///
/// Rungs that were not unique in their document are absent. Title and fingerprints, which are
/// only ever compared within one item, are 32 bits wide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KnownItem {
    pub id: u64,
    pub id_alias: u64,
    pub link: u64,
    pub title_date: u64,
    pub title: u32,
    pub fingerprint: u32,
    /// The fingerprint before the last edit: one that flips back and forth is no news.
    pub former: u32,
    /// Kept in whole seconds, and up to a day behind: see `diff`.
    pub last_seen: Timestamp,
}

/// The bytes are no encoded [`Known`].
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the rows of what is known have the wrong width: {bytes} bytes")]
pub struct NotKnown {
    pub bytes: usize,
}

impl Known {
    /// `id_churns` in 4 bytes, then [`ROW_BYTES`] an entry, all little-endian.
    ///
    /// `last_seen` is cut to whole seconds from 1970 to 2106.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEAD_BYTES + self.entries.len() * ROW_BYTES);
        out.extend_from_slice(&self.id_churns.to_le_bytes());
        for row in &self.entries {
            for wide in [row.id, row.id_alias, row.link, row.title_date] {
                out.extend_from_slice(&wide.to_le_bytes());
            }
            let seconds = row.last_seen.as_millis().div_euclid(1000).max(0);
            let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
            for narrow in [row.title, row.fingerprint, row.former, seconds] {
                out.extend_from_slice(&narrow.to_le_bytes());
            }
        }
        out
    }

    /// The inverse of [`Known::encode`].
    ///
    /// # Errors
    /// [`NotKnown`] when the length does not fit: the record is damaged.
    pub fn decode(bytes: &[u8]) -> Result<Self, NotKnown> {
        let wrong = NotKnown { bytes: bytes.len() };
        let Some((head, rows)) = bytes.split_first_chunk::<HEAD_BYTES>() else {
            return Err(wrong);
        };
        let (rows, rest) = rows.as_chunks::<ROW_BYTES>();
        if !rest.is_empty() {
            return Err(wrong);
        }
        let entries = rows.iter().map(decode_row).collect();
        Ok(Self { entries, id_churns: u32::from_le_bytes(*head) })
    }
}

fn decode_row(row: &[u8; ROW_BYTES]) -> KnownItem {
    let (words, _) = row.as_chunks::<4>();
    let narrow = |at: usize| words.get(at).map_or(0, |word| u32::from_le_bytes(*word));
    let wide = |at: usize| u64::from(narrow(at)) | u64::from(narrow(at + 1)) << 32;
    KnownItem {
        id: wide(0),
        id_alias: wide(2),
        link: wide(4),
        title_date: wide(6),
        title: narrow(8),
        fingerprint: narrow(9),
        former: narrow(10),
        last_seen: Timestamp::from_millis(i64::from(narrow(11)) * 1000),
    }
}

impl Serialize for Known {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.encode())
    }
}

impl<'de> Deserialize<'de> for Known {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;

        impl Visitor<'_> for Bytes {
            type Value = Known;

            fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str("the bytes of what is known")
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Known, E> {
                Known::decode(bytes).map_err(E::custom)
            }
        }

        deserializer.deserialize_bytes(Bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(seed: u64) -> KnownItem {
        KnownItem {
            id: seed,
            id_alias: seed << 40,
            link: u64::MAX - seed,
            title_date: 0,
            title: 7,
            fingerprint: u32::MAX,
            former: 1,
            last_seen: Timestamp::from_millis(1_764_000_000_000),
        }
    }

    #[test]
    fn what_is_known_takes_48_bytes_an_item_and_comes_back_equal() {
        let known = Known { entries: (0..5).map(row).collect(), id_churns: 2 };
        let bytes = known.encode();
        assert_eq!(bytes.len(), 4 + 5 * 48);
        assert_eq!(Known::decode(&bytes), Ok(known.clone()));
        let stored = postcard::to_stdvec(&known).unwrap();
        assert_eq!(stored.len(), bytes.len() + 2);
        assert_eq!(postcard::from_bytes::<Known>(&stored).unwrap(), known);
    }

    #[test]
    fn a_wrong_length_is_refused() {
        assert_eq!(Known::decode(&[]), Err(NotKnown { bytes: 0 }));
        assert_eq!(Known::decode(&[0; 4 + 47]), Err(NotKnown { bytes: 51 }));
        assert_eq!(Known::decode(&[0; 4]), Ok(Known::default()));
    }
}
