//! Shelves: what a catalog has already told, one fixed-width row a variant, cut into blocks.
//!
//! A block of at most [`BLOCK_ROWS_MAX`] rows fills one page of 4 KiB together with its key, and
//! is the unit that is read and written: a poll writes the blocks in which something changed and
//! no others. A row has no time of its last sighting, so one that did not change costs nothing;
//! what is absent is marked instead.

use serde::{Deserialize, Serialize};

use crate::model::offer::{Amount, Availability, Currency};
use crate::model::time::Timestamp;

/// The encoded width of one [`KnownListing`].
pub const LISTING_BYTES: usize = 48;

/// Most rows of one block: 3,984 bytes.
pub const BLOCK_ROWS_MAX: usize = 83;

/// Absences are counted up to here, so that a long absence is not written again and again.
pub const ABSENT_POLLS_MAX: u8 = 3;

/// In the place of a scale: no price was told yet.
const NO_PRICE: u8 = 15;

const IS_GONE: u8 = 1 << 2;
const IS_MOVED: u8 = 1 << 3;
const IS_DOUBTED: u8 = 1 << 4;
const IS_NEAR: u8 = 1 << 5;

/// What names a row of a shelf, and orders the rows: the product, then its variant.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct ShelfKey {
    pub product: u64,
    pub variant: u32,
}

impl ShelfKey {
    /// Big-endian: the bytes are ordered as the keys are.
    pub fn to_bytes(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        let (product, variant) = bytes.split_at_mut(8);
        product.copy_from_slice(&self.product.to_be_bytes());
        variant.copy_from_slice(&self.variant.to_be_bytes());
        bytes
    }

    /// The inverse of [`ShelfKey::to_bytes`]; `None` for another length.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (product, rest) = bytes.split_first_chunk()?;
        let variant = rest.try_into().ok()?;
        let product = u64::from_be_bytes(*product);
        Some(Self { product, variant: u32::from_be_bytes(variant) })
    }
}

/// One known variant of a product. 0 stands for absent in every hash here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KnownListing {
    pub key: ShelfKey,
    pub link: u64,
    pub title: u32,
    pub fingerprint: u32,
    /// The fingerprint before the last edit: one that flips back and forth is no edit.
    pub former: u32,
    /// The price last told; until one was told, the first that was seen.
    pub told: Option<Amount>,
    /// As last seen. Out of stock while fewer are left than make it worth telling.
    pub availability: Availability,
    /// Complete polls in a row that did not have it: 0 while it is there, and while it is absent
    /// from incomplete polls only; at most [`ABSENT_POLLS_MAX`].
    pub absent_polls: u8,
    /// Its absence was told, or would have been if its product had not had other variants.
    pub is_gone: bool,
    /// Lives on under another key: its absence says nothing.
    pub is_moved: bool,
    /// It is there, at a price that can't be believed, since `since`.
    pub is_doubted: bool,
    /// Its price is another than the one told, by less than a step.
    pub is_near: bool,
    /// Since when it is absent, moved or doubted; in whole minutes.
    pub since: Timestamp,
}

impl KnownListing {
    /// It is marked as absent: not in the last complete poll, or moved.
    pub fn is_absent(&self) -> bool {
        self.absent_polls > 0 || self.is_gone || self.is_moved
    }

    /// Product and variant big-endian, so that rows are ordered as their bytes are; the rest
    /// little-endian.
    ///
    /// ```text
    /// product 8 · variant 4 · link 8 · title 4 · fingerprint 4 · former 4 · told 8 · currency 2
    /// · availability and scale 1 · flags and absent polls 1 · since, in minutes 4
    /// ```
    pub fn encode(&self) -> [u8; LISTING_BYTES] {
        let minutes = self.since.as_millis().div_euclid(60_000).max(0);
        let minutes = u32::try_from(minutes).unwrap_or(u32::MAX);
        let currency = self.told.and_then(Amount::currency).map_or(0, Currency::packed);
        let scale = self.told.map_or(NO_PRICE, Amount::scale);
        let flag = |is_set: bool, bit: u8| if is_set { bit } else { 0 };
        let mut bytes = [0; LISTING_BYTES];
        let mut rest = bytes.as_mut_slice();
        let mut put = |part: &[u8]| {
            if let Some((here, after)) = std::mem::take(&mut rest).split_at_mut_checked(part.len())
            {
                here.copy_from_slice(part);
                rest = after;
            }
        };
        put(&self.key.to_bytes());
        put(&self.link.to_le_bytes());
        put(&self.title.to_le_bytes());
        put(&self.fingerprint.to_le_bytes());
        put(&self.former.to_le_bytes());
        put(&self.told.map_or(0, Amount::units).to_le_bytes());
        put(&currency.to_le_bytes());
        put(&[
            availability_number(self.availability) << 4 | scale,
            self.absent_polls.min(ABSENT_POLLS_MAX)
                | flag(self.is_gone, IS_GONE)
                | flag(self.is_moved, IS_MOVED)
                | flag(self.is_doubted, IS_DOUBTED)
                | flag(self.is_near, IS_NEAR),
        ]);
        put(&minutes.to_le_bytes());
        bytes
    }

    /// The inverse of [`KnownListing::encode`]. Every row of the right width is one; a price that
    /// no encoding gives is none.
    pub fn decode(bytes: &[u8; LISTING_BYTES]) -> Self {
        let (words, _) = bytes.as_chunks::<4>();
        let word = |at: usize| words.get(at).copied().unwrap_or_default();
        let narrow = |at: usize| u32::from_le_bytes(word(at));
        let wide = |at: usize| u64::from(narrow(at)) | u64::from(narrow(at + 1)) << 32;
        let [low, high, kind, flags] = word(10);
        let scale = kind & 15;
        let currency = Currency::unpacked(u16::from_le_bytes([low, high]));
        let units = i64::from_le_bytes(wide(8).to_le_bytes());
        Self {
            key: Self::key_of(bytes),
            link: wide(3),
            title: narrow(5),
            fingerprint: narrow(6),
            former: narrow(7),
            told: Amount::new(units, scale, currency).filter(|_| scale != NO_PRICE),
            availability: numbered_availability(kind >> 4),
            absent_polls: flags & ABSENT_POLLS_MAX,
            is_gone: flags & IS_GONE != 0,
            is_moved: flags & IS_MOVED != 0,
            is_doubted: flags & IS_DOUBTED != 0,
            is_near: flags & IS_NEAR != 0,
            since: Timestamp::from_millis(i64::from(narrow(11)) * 60_000),
        }
    }

    /// The key of an encoded row.
    pub fn key_of(bytes: &[u8; LISTING_BYTES]) -> ShelfKey {
        bytes.first_chunk::<12>().and_then(|head| ShelfKey::from_bytes(head)).unwrap_or_default()
    }
}

const AVAILABILITIES: [Availability; 6] = [
    Availability::InStock,
    Availability::OutOfStock,
    Availability::Preorder,
    Availability::Backorder,
    Availability::Discontinued,
    Availability::Unknown,
];

fn availability_number(availability: Availability) -> u8 {
    let numbered = (0u8..).zip(AVAILABILITIES).find(|(_, known)| *known == availability);
    numbered.map_or(5, |(number, _)| number)
}

fn numbered_availability(number: u8) -> Availability {
    AVAILABILITIES.get(usize::from(number)).copied().unwrap_or_default()
}

/// Rows that stand together, ascending by their keys, each key once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// The key of the first row: the block's name on its shelf.
    pub first: ShelfKey,
    /// Encoded rows, 1 to [`BLOCK_ROWS_MAX`] of them.
    pub rows: Vec<u8>,
}

/// The bytes are no rows of a block.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a block of a shelf is damaged: {bytes} bytes")]
pub struct NotABlock {
    pub bytes: usize,
}

impl Block {
    /// From the bytes that were kept; the name is that of the first row.
    ///
    /// # Errors
    /// [`NotABlock`] when there are no rows, a part of a row, or rows out of order.
    pub fn decode(rows: Vec<u8>) -> Result<Self, NotABlock> {
        let (whole, rest) = rows.as_chunks::<LISTING_BYTES>();
        let is_ordered =
            whole.is_sorted_by(|a, b| KnownListing::key_of(a) < KnownListing::key_of(b));
        match whole.first() {
            Some(first) if rest.is_empty() && is_ordered => {
                Ok(Self { first: KnownListing::key_of(first), rows })
            }
            _ => Err(NotABlock { bytes: rows.len() }),
        }
    }

    /// The rows, encoded.
    pub fn encoded(&self) -> &[[u8; LISTING_BYTES]] {
        self.rows.as_chunks().0
    }
}

/// What is to be done to a shelf. The writes of one poll go into one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShelfWrite {
    /// Keep the block in place of the one with its name, if there is one.
    Put(Block),
    /// Drop the block of that name.
    Remove(ShelfKey),
}

/// What is remembered of a catalog beside its rows. Written by every poll that changes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShelfState {
    /// The instant of the first poll: nothing was watched before.
    pub begun_at: Timestamp,
    /// Rows of the shelf, absent ones included.
    pub rows: u32,
    /// Rows of the document at the last complete poll.
    pub usual_rows: u32,
    /// Since when documents are implausibly short; `None` while they are not.
    pub short_since: Option<Timestamp>,
    /// How often the ids were seen to churn, 0 to 3; from 2 on links name the products.
    pub id_churns: u8,
    /// Polls since the first, while none of them had the whole document; `None` once one had. What
    /// is unknown then is no news.
    pub partial_polls: Option<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(product: u64) -> KnownListing {
        KnownListing {
            key: ShelfKey { product, variant: 7 },
            link: u64::MAX - product,
            title: 1,
            fingerprint: u32::MAX,
            former: 3,
            told: Amount::new(-1_234_567_890_123, 3, "KWD".parse().ok()),
            availability: Availability::Backorder,
            absent_polls: 2,
            is_gone: true,
            is_moved: false,
            is_doubted: true,
            is_near: true,
            since: Timestamp::from_millis(1_780_000_020_000),
        }
    }

    #[test]
    fn a_row_takes_48_bytes_and_comes_back_equal() {
        for availability in AVAILABILITIES {
            for told in [None, Amount::new(5, 9, None), Amount::new(7, 0, "JPY".parse().ok())] {
                let row = KnownListing { availability, told, is_moved: true, ..row(9) };
                assert_eq!(KnownListing::decode(&row.encode()), row);
            }
        }
        assert_eq!(KnownListing::decode(&row(9).encode()), row(9));
        assert_eq!(KnownListing::key_of(&row(9).encode()), row(9).key);
        let none = KnownListing::default();
        assert_eq!(KnownListing::decode(&none.encode()), none);
    }

    #[test]
    fn rows_and_keys_are_ordered_as_their_bytes_are() {
        let keys = [(0, 1), (1, 0), (255, 9), (256, 0), (u64::MAX, u32::MAX)]
            .map(|(product, variant)| ShelfKey { product, variant });
        assert!(keys.is_sorted() && keys.map(ShelfKey::to_bytes).is_sorted());
        for key in keys {
            assert_eq!(ShelfKey::from_bytes(&key.to_bytes()), Some(key));
        }
        assert_eq!(ShelfKey::from_bytes(&[0; 11]), None);
    }

    #[test]
    fn a_full_block_fits_a_page_and_a_damaged_one_is_refused() {
        let rows: Vec<u8> = (0..BLOCK_ROWS_MAX as u64).flat_map(|it| row(it).encode()).collect();
        assert!(rows.len() <= 4_000);
        let block = Block::decode(rows.clone()).unwrap();
        assert_eq!(block.first, row(0).key);
        assert_eq!(block.encoded().len(), BLOCK_ROWS_MAX);
        let cut = rows.split_last().unwrap().1.to_vec();
        assert_eq!(Block::decode(cut), Err(NotABlock { bytes: 3_983 }));
        let twice = [row(1).encode(), row(1).encode()].concat();
        assert_eq!(Block::decode(twice), Err(NotABlock { bytes: 96 }));
        assert_eq!(Block::decode(Vec::new()), Err(NotABlock { bytes: 0 }));
    }
}
