//! When each recipient of a batch was settled, in whole seconds, packed.
//!
//! A batch is sent in the order of its places, so each instant is written as its distance from the
//! one before it: one byte for most recipients. For each place a varint: 0 where nothing is known,
//! else the distance in zigzag and one more. Places after the last known one are left away.

use crate::model::time::Timestamp;
use crate::store::StoreError;
use crate::store::redb::sent::{put_varint, take_wide, unzigzag, zigzag};

/// Seconds since 1970 by place; 0 where nothing is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Times(Vec<u32>);

impl Times {
    pub fn put(&mut self, index: u16, at: Timestamp) {
        let place = usize::from(index);
        if place >= self.0.len() {
            self.0.resize(place + 1, 0);
        }
        if let Some(second) = self.0.get_mut(place) {
            *second = seconds(at);
        }
    }

    /// The second at a place; `None` where nothing is known.
    pub fn second(&self, place: usize) -> Option<u32> {
        self.0.get(place).copied().filter(|second| *second != 0)
    }

    pub fn at(&self, place: usize) -> Option<Timestamp> {
        self.second(place).map(|second| Timestamp::from_millis(i64::from(second) * 1_000))
    }

    pub fn encode(&self) -> Vec<u8> {
        let length = self.0.iter().rposition(|second| *second != 0).map_or(0, |last| last + 1);
        let mut out = Vec::with_capacity(length + 8);
        let mut before = 0;
        for second in self.0.iter().take(length).copied() {
            if second == 0 {
                out.push(0);
                continue;
            }
            put_varint(&mut out, zigzag(i64::from(second) - before) + 1);
            before = i64::from(second);
        }
        out
    }

    /// The inverse of [`Times::encode`].
    ///
    /// # Errors
    /// [`StoreError::Damaged`] for bytes that it never gives.
    pub fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        read(bytes).ok_or_else(|| StoreError::Damaged { what: "the times of a batch".into() })
    }
}

fn read(mut bytes: &[u8]) -> Option<Times> {
    let mut all = Vec::new();
    let mut before = 0i64;
    while !bytes.is_empty() {
        let packed = u64::try_from(take_wide(&mut bytes)?).ok()?;
        let Some(distance) = packed.checked_sub(1) else {
            all.push(0);
            continue;
        };
        before = before.checked_add(unzigzag(distance))?;
        all.push(u32::try_from(before).ok()?);
    }
    Some(Times(all))
}

/// Whole seconds since 1970, never 0, up to 2106.
pub(super) fn seconds(at: Timestamp) -> u32 {
    u32::try_from(at.as_millis().div_euclid(1_000).max(1)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_come_back_as_they_went_and_take_a_byte_each() {
        let mut times = Times::default();
        let begin = 1_900_000_000_000;
        for index in (0..1_024u16).filter(|index| index % 100 != 7) {
            // What is sent first does not always end first.
            let millis = begin + i64::from(index ^ 0xf) * 33;
            times.put(index, Timestamp::from_millis(millis));
        }
        let bytes = times.encode();
        assert!(bytes.len() <= 1_024 + 8, "{}", bytes.len());
        let back = Times::decode(&bytes).unwrap();
        assert_eq!(back, times);
        assert_eq!(back.at(0), Some(Timestamp::from_millis(begin)));
        assert_eq!((back.at(7), back.at(5_000)), (None, None));
        times.put(3, Timestamp::from_millis(i64::MAX));
        times.put(4, Timestamp::from_millis(i64::MIN));
        assert_eq!(Times::decode(&times.encode()).unwrap(), times);
    }

    #[test]
    fn bytes_that_make_no_sense_are_refused() {
        let far = [0xff; 9].into_iter().chain([1]).collect::<Vec<_>>();
        for bytes in [&[0x80][..], &[2], &[0xff; 20], &far] {
            assert!(Times::decode(bytes).is_err(), "{bytes:?}");
        }
    }
}
