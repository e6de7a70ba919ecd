//! How a record becomes bytes and comes back.
//!
//! Sealed bytes are `version (1) · sum (4) · body`. The body is postcard; the sum is the first four
//! bytes of a SHA-256 (of records of which there are very many: a CRC-32) over the table, the key,
//! the version and the body, so that a record which was altered, or which stands under a key that is
//! not its own, is refused. Postcard does not describe
//! itself: whoever adds a field to a record raises its version and keeps reading the old one.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::store::StoreError;

/// Bytes in front of the body.
const HEAD_BYTES: usize = 5;

/// Something that the store keeps under a key.
pub(crate) trait Record: Serialize + DeserializeOwned {
    /// The form that is written, and the newest that can be read.
    const VERSION: u8;

    /// There are so many that the time for their sums counts.
    const IS_BULK: bool = false;
}

/// Where a record stands: part of its sum, and its name in errors.
pub(crate) struct Place<'a> {
    pub table: &'a str,
    pub key: &'a [u8],
    /// The key as people read it.
    pub shown: &'a dyn fmt::Debug,
}

/// The bytes to keep for `record` at `place`.
///
/// # Errors
/// [`StoreError::Failed`] when the record has no postcard form; none of ours is like that.
pub(crate) fn seal<T: Record>(place: &Place<'_>, record: &T) -> Result<Vec<u8>, StoreError> {
    let body = postcard::to_stdvec(record)
        .map_err(|error| StoreError::Failed { what: format!("encoding {place}: {error}") })?;
    let mut sealed = Vec::with_capacity(HEAD_BYTES + body.len());
    sealed.push(T::VERSION);
    sealed.extend_from_slice(&sum::<T>(place, T::VERSION, &body));
    sealed.extend_from_slice(&body);
    Ok(sealed)
}

/// The record in `sealed`, which was read at `place`.
///
/// # Errors
/// [`StoreError::UnknownVersion`] when a newer program wrote it; [`StoreError::Damaged`] when its
/// sum or its form is wrong.
pub(crate) fn open<T: Record>(place: &Place<'_>, sealed: &[u8]) -> Result<T, StoreError> {
    let damaged = |why: &str| StoreError::Damaged { what: format!("{place}: {why}") };
    let (head, body) =
        sealed.split_at_checked(HEAD_BYTES).ok_or_else(|| damaged("shorter than a record"))?;
    let (version, written) = (head[0], &head[1..]);
    if sum::<T>(place, version, body) != written {
        return Err(damaged("wrong checksum"));
    }
    if version != T::VERSION {
        return Err(StoreError::UnknownVersion {
            path: format!("{} {:?}", place.table, place.shown),
            found: version.into(),
            known: T::VERSION.into(),
        });
    }
    match postcard::take_from_bytes(body) {
        Ok((record, [])) => Ok(record),
        Ok(_) => Err(damaged("bytes left over")),
        Err(error) => Err(damaged(&error.to_string())),
    }
}

fn sum<T: Record>(place: &Place<'_>, version: u8, body: &[u8]) -> [u8; 4] {
    if T::IS_BULK {
        let mut crc = flate2::Crc::new();
        for part in [place.table.as_bytes(), &[0], place.key, &[version], body] {
            crc.update(part);
        }
        return crc.sum().to_be_bytes();
    }
    let hash = Sha256::new()
        .chain_update(place.table)
        .chain_update([0])
        .chain_update(place.key)
        .chain_update([version])
        .chain_update(body)
        .finalize();
    [hash[0], hash[1], hash[2], hash[3]]
}

/// The table and the key.
impl fmt::Display for Place<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "`{}` {:?}", self.table, self.shown)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Note(String, u32);

    impl Record for Note {
        const VERSION: u8 = 3;
    }

    fn place(key: &[u8]) -> Place<'_> {
        Place { table: "notes", key, shown: &"a" }
    }

    fn sealed() -> Vec<u8> {
        seal(&place(b"a"), &Note("hello".into(), 7)).unwrap()
    }

    #[test]
    fn a_record_comes_back_as_it_went() {
        let back: Note = open(&place(b"a"), &sealed()).unwrap();
        assert_eq!(back, Note("hello".into(), 7));
    }

    #[test]
    fn sec_s02_every_flipped_bit_is_noticed() {
        let whole = sealed();
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let error = open::<Note>(&place(b"a"), &bytes).unwrap_err();
            assert!(matches!(error, StoreError::Damaged { .. }), "bit {bit}: {error}");
            assert!(error.to_string().contains("`notes` \"a\""), "{error}");
        }
    }

    #[test]
    fn every_cut_is_noticed() {
        let whole = sealed();
        for end in 0..whole.len() {
            assert!(open::<Note>(&place(b"a"), &whole[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn a_record_under_a_strange_key_is_refused() {
        assert!(open::<Note>(&place(b"b"), &sealed()).is_err());
    }

    #[test]
    fn one_of_many_is_sealed_as_well() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Row(u32);
        impl Record for Row {
            const VERSION: u8 = 1;
            const IS_BULK: bool = true;
        }
        let whole = seal(&place(b"a"), &Row(7)).unwrap();
        assert_eq!(open::<Row>(&place(b"a"), &whole).unwrap(), Row(7));
        assert!(open::<Row>(&place(b"b"), &whole).is_err());
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(open::<Row>(&place(b"a"), &bytes).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn sec_s07_a_newer_version_is_refused_by_its_number() {
        #[derive(Serialize, Deserialize)]
        struct Newer(u8);
        impl Record for Newer {
            const VERSION: u8 = 4;
        }
        let bytes = seal(&place(b"a"), &Newer(1)).unwrap();
        let error = open::<Note>(&place(b"a"), &bytes).unwrap_err();
        assert!(matches!(error, StoreError::UnknownVersion { found: 4, known: 3, .. }), "{error}");
    }
}
