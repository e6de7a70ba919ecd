//! Bytes of which many stand in rows of the same, packed: what a batch keeps of its recipients.
//!
//! Most of a batch has one outcome, was settled in a few seconds, and has numbers that follow each
//! other. So its rows are written in pieces: `head (varint) · bytes`, the head twice the length, and
//! one more when one byte follows that stands so often; otherwise all of the bytes follow. Bytes that
//! do not repeat take two more than they are.

use crate::model::post::BATCH_RECIPIENTS_MAX;
use crate::store::redb::sent::{put_varint, take_wide};

/// Most bytes that come out of a row: one varint of 32 bits and a little for each of a batch.
const UNPACKED_BYTES_MAX: usize = 6 * BATCH_RECIPIENTS_MAX;

/// A shorter row of the same byte is not worth a piece of its own.
const REPEATED_MIN: usize = 4;

/// The bytes in pieces.
pub(super) fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut plain = 0;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let rest = bytes.get(at..).unwrap_or_default();
        let length = rest.iter().position(|other| other != byte).unwrap_or(rest.len());
        if length >= REPEATED_MIN {
            put_plain(&mut out, bytes.get(plain..at).unwrap_or_default());
            put_varint(&mut out, (length as u64) << 1 | 1);
            out.push(*byte);
            plain = at + length;
        }
        at += length;
    }
    put_plain(&mut out, bytes.get(plain..).unwrap_or_default());
    out
}

fn put_plain(out: &mut Vec<u8>, bytes: &[u8]) {
    if !bytes.is_empty() {
        put_varint(out, (bytes.len() as u64) << 1);
        out.extend_from_slice(bytes);
    }
}

/// The inverse of [`pack`]; `None` for what it never gives.
pub(super) fn unpack(mut packed: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    while !packed.is_empty() {
        let head = usize::try_from(take_wide(&mut packed)?).ok()?;
        let (length, is_repeated) = (head >> 1, head & 1 == 1);
        if length == 0 || length > UNPACKED_BYTES_MAX.saturating_sub(out.len()) {
            return None;
        }
        let (piece, rest) = packed.split_at_checked(if is_repeated { 1 } else { length })?;
        match piece {
            [byte] => out.resize(out.len() + length, *byte),
            bytes => out.extend_from_slice(bytes),
        }
        packed = rest;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_repeats_takes_three_bytes() {
        assert!(pack(&[]).is_empty());
        assert_eq!(pack(&[7; 1_024]), [0x81, 0x10, 7]);
        assert_eq!(pack(&[1, 2, 2, 3]), [8, 1, 2, 2, 3]);
        assert_eq!(pack(&[1, 5, 5, 5, 5, 9]), [2, 1, 9, 5, 2, 9]);
    }

    #[test]
    fn what_does_not_repeat_takes_little_more_than_before() {
        let bytes: Vec<u8> = (0..=255).cycle().take(BATCH_RECIPIENTS_MAX).collect();
        assert_eq!(pack(&bytes).len(), bytes.len() + 2);
    }

    #[test]
    fn a_batch_as_it_ends_takes_less_than_two_bytes_a_recipient() {
        use crate::model::post::{Outcome, Reason};
        use crate::model::time::Timestamp;
        use crate::store::redb::times::Times;

        let (mut times, mut outcomes, mut steps) = (Times::default(), vec![], vec![]);
        for place in 0..1_024u16 {
            // Thirty a second, sixteen at once, one in forty has blocked us, one in four is not of
            // the topic.
            let millis = 1_900_000_000_000 + i64::from(place ^ 0xf) * 33;
            times.put(place, Timestamp::from_millis(millis));
            let is_blocked = place.wrapping_mul(40_503) % 40 == 0;
            let blocked = Outcome::Failed(Reason::Blocked);
            outcomes.push(if is_blocked { blocked } else { Outcome::Sent }.to_byte());
            steps.push(if place.wrapping_mul(30_011) % 3 == 0 { 2 } else { 1 });
        }
        let bytes = [pack(&outcomes).len(), pack(&times.encode()).len(), pack(&steps).len()];
        println!("{bytes:?} bytes of 1,024 each");
        assert!(bytes.iter().sum::<usize>() < 2 * 1_024, "{bytes:?}");
        assert!(bytes[0] + bytes[1] < 1_024, "{bytes:?}");
    }

    #[test]
    fn bytes_that_make_no_sense_are_refused() {
        // Cut, empty, endless, and far too many.
        let many = pack(&[1; UNPACKED_BYTES_MAX + 1]);
        for packed in [&[4, 1][..], &[3], &[0], &[1, 9], &[0x80], &[0xff; 20], &many] {
            assert_eq!(unpack(packed), None, "{packed:?}");
        }
    }

    proptest! {
        #[test]
        fn what_was_packed_comes_back(
            runs in prop::collection::vec((any::<u8>(), 1..80usize), 0..70),
        ) {
            let bytes: Vec<u8> =
                runs.into_iter().flat_map(|(byte, length)| vec![byte; length]).collect();
            prop_assert_eq!(unpack(&pack(&bytes)), Some(bytes));
        }

        #[test]
        fn nothing_that_is_read_ends_the_program(
            packed in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            if let Some(bytes) = unpack(&packed) {
                prop_assert!(bytes.len() <= UNPACKED_BYTES_MAX);
            }
        }
    }
}
