//! One document's items, told apart from each other before they are compared with anything.
//!
//! Real documents list one item several times, and print one id or link over several items. What
//! is decided here does not depend on the order of the entries.

use std::cell::OnceCell;

use crate::diff::index::{Index, Rung, of_keys};
use crate::model::known::Keys;

/// The items of one document and the rungs that name exactly one of them.
pub(super) struct Document<'a> {
    pub keys: &'a [Keys],
    /// Entries that are one item stand together, in document order.
    sorted: Vec<Grouped>,
    items: Vec<Group>,
    indexes: [OnceCell<Index>; Rung::ALL.len()],
}

/// One entry with what groups it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Grouped {
    grouping: (u8, u64, u64),
    entry: u32,
}

/// One item: a run of `sorted`.
#[derive(Clone, Copy)]
struct Group {
    begin: u32,
    end: u32,
}

impl<'a> Document<'a> {
    /// Groups the entries into items.
    ///
    /// 1. Same id and same title is one item: catalogs list a product once a category. Without
    ///    titles the link decides, then the content.
    /// 2. Without an id: same link and same title (without titles, same content).
    /// 3. With neither: same content and same title and date.
    ///
    /// So a title alone merges nothing.
    pub fn new(keys: &'a [Keys]) -> Self {
        let mut sorted: Vec<Grouped> = (0u32..)
            .zip(keys)
            .map(|(entry, keys)| Grouped { grouping: grouping(keys), entry })
            .collect();
        sorted.sort_unstable();
        let mut items = Vec::with_capacity(sorted.len());
        let mut begin = 0u32;
        for run in sorted.chunk_by(|a, b| a.grouping == b.grouping) {
            let end = begin + place(run.len());
            items.push(Group { begin, end });
            begin = end;
        }
        Self { keys, sorted, items, indexes: Default::default() }
    }

    /// How many items there are; they are numbered from 0 in no meaningful order.
    pub fn count(&self) -> usize {
        self.items.len()
    }

    /// The entries of an item, in document order; never empty.
    pub fn entries(&self, item: usize) -> impl Iterator<Item = usize> + '_ {
        let run = self.items.get(item).map_or(0..0, |it| it.begin as usize..it.end as usize);
        self.sorted[run].iter().map(|grouped| grouped.entry as usize)
    }

    /// The entry that stands for the item: its first.
    pub fn first(&self, item: usize) -> usize {
        self.entries(item).next().unwrap_or(0)
    }

    /// The values of a rung that an item has and no other item of the document has.
    pub fn values(&self, item: usize, rung: Rung) -> impl Iterator<Item = u64> + '_ {
        self.entries(item).filter_map(move |entry| {
            let value = of_keys(self.keys.get(entry)?, rung);
            (value != 0 && self.index(rung).is_of_one(value)).then_some(value)
        })
    }

    /// The value of a rung that is kept for the item; 0 when it has none of its own.
    pub fn value(&self, item: usize, rung: Rung) -> u64 {
        self.values(item, rung).next().unwrap_or(0)
    }

    /// Some rung, or at least its content, is the item's own.
    pub fn is_named(&self, item: usize) -> bool {
        Rung::ALL.iter().any(|rung| self.value(item, *rung) != 0)
    }

    fn index(&self, rung: Rung) -> &Index {
        self.indexes[rung as usize].get_or_init(|| {
            Index::new((0u32..).zip(&self.items).flat_map(|(item, group)| {
                self.sorted[group.begin as usize..group.end as usize]
                    .iter()
                    .filter_map(|grouped| self.keys.get(grouped.entry as usize))
                    .map(move |keys| (of_keys(keys, rung), item))
            }))
        })
    }
}

fn grouping(keys: &Keys) -> (u8, u64, u64) {
    let id = of_keys(keys, Rung::Id);
    let link = of_keys(keys, Rung::Link);
    if id != 0 {
        (1, id, keys.title.or(keys.link).unwrap_or(keys.fingerprint))
    } else if link != 0 {
        (2, link, keys.title.unwrap_or(keys.fingerprint))
    } else {
        (3, keys.fingerprint, of_keys(keys, Rung::TitleDate))
    }
}

/// A length as a place; documents are far below the 4 billion entries at which this is wrong.
pub(super) fn place(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
