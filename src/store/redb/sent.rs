//! The messages of one batch's recipients, packed.
//!
//! A bot's messages to people are numbered by one counter, and a batch is sent in the order of its
//! places: so each id is written as its distance from the one before it, and most recipients of
//! one message take three bytes.
//!
//! For each place in order `head (varint) · message …`: the head is `revision · 8 + count`, with 7
//! for a count that follows as a varint of its own; a place without messages is one zero byte.
//! Each message is a varint of the distance from the message before it, in zigzag, and below that
//! two bits: it is no text, and it begins a call. Places after the last one with messages are left
//! away.

use crate::model::correction::{KEPT_MESSAGES_MAX, Kept, KeptMessage};
use crate::store::StoreError;

/// In a head: the count follows.
const MANY: u64 = 7;

/// By place; `None` where nothing is kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sent(Vec<Option<Kept>>);

impl Sent {
    pub fn at(&self, index: u16) -> Option<&Kept> {
        self.0.get(usize::from(index))?.as_ref()
    }

    /// Keeps these messages at a place, or none.
    pub fn put(&mut self, index: u16, kept: Option<Kept>) {
        let at = usize::from(index);
        if at >= self.0.len() {
            if kept.is_none() {
                return;
            }
            self.0.resize(at + 1, None);
        }
        if let Some(place) = self.0.get_mut(at) {
            *place = kept;
        }
    }

    /// The places with messages, ascending.
    pub fn places(&self) -> impl Iterator<Item = (u16, &Kept)> {
        (0u16..).zip(&self.0).filter_map(|(index, kept)| Some((index, kept.as_ref()?)))
    }

    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    pub fn encode(&self) -> Vec<u8> {
        let length = self.0.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        let mut out = Vec::with_capacity(4 * length);
        let mut before = 0;
        for kept in self.0.iter().take(length) {
            let Some(kept) = kept else {
                out.push(0);
                continue;
            };
            let count = kept.messages.len() as u64;
            put_varint(&mut out, u64::from(kept.revision) << 3 | count.min(MANY));
            if count >= MANY {
                put_varint(&mut out, count);
            }
            for message in &kept.messages {
                let distance = message.id.wrapping_sub(before);
                before = message.id;
                let bits = u128::from(message.is_media) << 1 | u128::from(message.begins);
                put_wide(&mut out, u128::from(zigzag(distance)) << 2 | bits);
            }
        }
        out
    }

    /// The inverse of [`Sent::encode`].
    ///
    /// # Errors
    /// [`StoreError::Damaged`] for bytes that it never gives.
    pub fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        read(bytes).ok_or_else(|| StoreError::Damaged { what: "the messages of a batch".into() })
    }
}

fn read(mut bytes: &[u8]) -> Option<Sent> {
    let mut all = Vec::new();
    let mut before = 0i64;
    while !bytes.is_empty() {
        let head = u64::try_from(take_wide(&mut bytes)?).ok()?;
        let count = match head & MANY {
            MANY => u64::try_from(take_wide(&mut bytes)?).ok()?,
            few => few,
        };
        let count = usize::try_from(count).ok().filter(|count| *count <= KEPT_MESSAGES_MAX)?;
        let revision = u32::try_from(head >> 3).ok()?;
        let mut messages = Vec::with_capacity(count);
        for _ in 0..count {
            let packed = take_wide(&mut bytes)?;
            before = before.wrapping_add(unzigzag(u64::try_from(packed >> 2).ok()?));
            let (is_media, begins) = (packed & 2 != 0, packed & 1 != 0);
            messages.push(KeptMessage { id: before, is_media, begins });
        }
        all.push((count > 0).then_some(Kept { revision, messages }));
    }
    Some(Sent(all))
}

pub(super) fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63).cast_unsigned()
}

pub(super) fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

pub(super) fn put_varint(out: &mut Vec<u8>, value: u64) {
    put_wide(out, u128::from(value));
}

fn put_wide(out: &mut Vec<u8>, mut value: u128) {
    loop {
        let low = u8::try_from(value & 0x7f).unwrap_or_default();
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

pub(super) fn take_wide(bytes: &mut &[u8]) -> Option<u128> {
    let mut value = 0u128;
    for shift in (0..70).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u128::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(id: i64) -> KeptMessage {
        KeptMessage { id, is_media: false, begins: true }
    }

    fn kept(revision: u32, messages: Vec<KeptMessage>) -> Option<Kept> {
        Some(Kept { revision, messages })
    }

    #[test]
    fn messages_come_back_as_they_went() {
        let album = (0..10).map(|at| KeptMessage { id: 70 + at, is_media: true, begins: at == 0 });
        let mut sent = Sent::default();
        sent.put(0, kept(0, vec![text(1)]));
        sent.put(2, kept(300, vec![text(i64::MAX), text(i64::MIN), text(0)]));
        sent.put(3, kept(1, album.collect()));
        sent.put(9, None);
        let back = Sent::decode(&sent.encode()).unwrap();
        assert_eq!(back, sent);
        assert_eq!(back.places().map(|(index, _)| index).collect::<Vec<_>>(), [0, 2, 3]);
        assert_eq!(back.at(1), None);
        sent.put(3, None);
        assert_eq!(Sent::decode(&sent.encode()).unwrap().at(2), sent.at(2));
    }

    #[test]
    fn a_message_of_a_bot_takes_three_bytes_at_most_in_the_usual_case() {
        let mut sent = Sent::default();
        for index in 0..1_024u16 {
            // Sixteen at once: what is sent first does not always arrive first.
            let id = 1_900_000_000 + i64::from(index ^ 0xf) * 2;
            sent.put(index, kept(0, vec![text(id)]));
        }
        let bytes = sent.encode().len();
        println!("{:.2} bytes a recipient", bytes as f64 / 1_024.0);
        assert!(bytes <= 3 * 1_024, "{bytes}");
    }

    #[test]
    fn bytes_that_make_no_sense_are_refused() {
        let too_many = [u8::try_from(MANY).unwrap(), 0xff, 0x7f];
        for bytes in [&[1][..], &[0x80], &[0xff; 20], &too_many] {
            assert!(Sent::decode(bytes).is_err(), "{bytes:?}");
        }
    }
}
