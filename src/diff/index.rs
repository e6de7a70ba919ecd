//! Looking up rungs: sorted pairs instead of a hash table, so that no choice of ids by a hostile
//! source makes a look-up slow, and one allocation serves a whole document.

use crate::model::known::{Keys, KnownItem};

/// The rungs of the ladder, best first, and the content as the last resort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rung {
    Id,
    Alias,
    Link,
    TitleDate,
    /// Only for items that have neither an id nor a link of their own.
    Content,
}

impl Rung {
    pub const ALL: [Self; 5] = [Self::Id, Self::Alias, Self::Link, Self::TitleDate, Self::Content];
}

/// The value of a rung in a document; 0 when absent.
pub(super) fn of_keys(keys: &Keys, rung: Rung) -> u64 {
    match rung {
        Rung::Id => keys.id,
        Rung::Alias => keys.id_alias,
        Rung::Link => keys.link,
        Rung::TitleDate => keys.title_date,
        Rung::Content => Some(u64::from(narrow(keys.fingerprint))),
    }
    .unwrap_or(0)
}

/// The value of a rung in what is known; 0 when absent.
pub(super) fn of_row(row: &KnownItem, rung: Rung) -> u64 {
    match rung {
        Rung::Id => row.id,
        Rung::Alias => row.id_alias,
        Rung::Link => row.link,
        Rung::TitleDate => row.title_date,
        Rung::Content => u64::from(row.fingerprint),
    }
}

/// Half of a hash, never 0: for what is only compared within one item.
pub(super) fn narrow(hash: u64) -> u32 {
    let [a, b, c, d, ..] = hash.to_le_bytes();
    u32::from_le_bytes([a, b, c, d]).max(1)
}

/// Which places hold a value.
pub(super) struct Index(Vec<(u64, u32)>);

impl Index {
    /// From pairs of a value and its place; absent values are left out.
    pub fn new(pairs: impl Iterator<Item = (u64, u32)>) -> Self {
        let mut pairs: Vec<_> = pairs.filter(|(value, _)| *value != 0).collect();
        pairs.sort_unstable();
        Self(pairs)
    }

    /// The places that hold `value`, ascending.
    pub fn places(&self, value: u64) -> impl DoubleEndedIterator<Item = u32> + '_ {
        let from = self.0.partition_point(|(held, _)| *held < value);
        let held = self.0[from..].partition_point(|(held, _)| *held == value);
        self.0[from..from + held].iter().map(|(_, place)| *place)
    }

    /// Exactly one place holds `value`, however often.
    pub fn is_of_one(&self, value: u64) -> bool {
        let mut places = self.places(value);
        match (places.next(), places.next_back()) {
            (Some(first), Some(last)) => first == last,
            (Some(_), None) => true,
            (None, _) => false,
        }
    }
}
