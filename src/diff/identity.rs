//! Who is who: the items of a document beside the rows of what is known.
//!
//! The ladder is id → id without scheme and `www.` → link → title and date, and for items with
//! neither id nor link of their own the content. All rungs are kept and compared together: an item
//! is new only if none is known. A row names one item of a document; a better rung has it first.

use std::cell::OnceCell;

use crate::diff::document::{Document, place};
use crate::diff::index::{Index, Rung, narrow, of_row};
use crate::model::known::{Known, KnownItem};

/// From so many churns on, an unknown id says nothing.
pub(super) const CHURNS_DISTRUSTED: u32 = 2;

/// Fewer changed ids than this prove no churn: a window of one or two shows too little.
pub(super) const CHURN_ITEMS_MIN: usize = 3;

/// What one item of a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// The row tells of it under the same id, or under none.
    Known {
        row: usize,
    },
    /// The row tells of it, found by `by`, under another id.
    Renamed {
        row: usize,
        by: Rung,
    },
    New,
    /// No rung is its own, not even its content: nobody could say whether it is new.
    Nameless,
}

/// What was found, item by item, and what it says about the source's ids.
pub(super) struct Sights {
    pub items: Vec<Sight>,
    /// How many ids changed while more than half of their links stayed; 0 is no churn.
    pub churned: usize,
    /// How many ids moved to other items; from a majority on they number places, not items, and
    /// were not used.
    pub shuffled: usize,
    /// Items with an id of their own, and how many of these ids were known.
    pub ids: usize,
    pub ids_known: usize,
}

/// Rows of what is known, looked up by rung.
pub(super) struct Rows<'a> {
    pub rows: &'a [KnownItem],
    indexes: [OnceCell<Index>; Rung::ALL.len()],
}

impl<'a> Rows<'a> {
    pub fn new(rows: &'a [KnownItem]) -> Self {
        Self { rows, indexes: Default::default() }
    }

    /// The rows that hold `value`, oldest first.
    pub fn places(&self, rung: Rung, value: u64) -> impl DoubleEndedIterator<Item = usize> + '_ {
        self.indexes[rung as usize]
            .get_or_init(|| {
                Index::new(self.rows.iter().zip(0u32..).map(|(row, at)| (of_row(row, rung), at)))
            })
            .places(value)
            .map(|place| place as usize)
    }
}

/// Finds every item of `document` among `rows`.
///
/// 1. By id. If more than half of the ids that have a link belong to a row with another link
///    while that link belongs to another row, ids number places: they are put aside.
/// 2. By the id's alias.
/// 3. By link. Under an unknown id this is the same item if its title is the same, if the
///    source's ids churn now, or if they did often; otherwise its address is used again, and it
///    is new.
/// 4. By title and date.
/// 5. By content, for items with neither id nor link of their own.
pub(super) fn identify(document: &Document<'_>, rows: &Rows<'_>, known: &Known) -> Sights {
    let mut search = Search::new(document, rows);
    search.by(Rung::Id, |_| true);
    let shuffled = search.drop_shuffled_ids();
    let ids = if shuffled > 0 { 0 } else { search.items_with(Rung::Id) };
    if shuffled == 0 {
        search.by(Rung::Alias, |_| true);
    }
    let ids_known = search.found;
    let churned = search.by_link(ids, known.id_churns >= CHURNS_DISTRUSTED, shuffled > 0);
    search.by(Rung::TitleDate, |_| true);
    search.by(Rung::Content, |item| {
        document.value(item, Rung::Id) == 0 && document.value(item, Rung::Link) == 0
    });
    search.name_the_rest();
    Sights { items: search.sights(shuffled > 0), churned, shuffled, ids, ids_known }
}

/// The search under way.
struct Search<'a> {
    document: &'a Document<'a>,
    rows: &'a Rows<'a>,
    /// By item: the row and the rung it was found by.
    finds: Vec<Find>,
    /// By row: an item has it.
    taken: Vec<bool>,
    found: usize,
}

#[derive(Clone, Copy)]
enum Find {
    Open,
    Row(u32, Rung),
    New,
    Nameless,
}

impl<'a> Search<'a> {
    fn new(document: &'a Document<'a>, rows: &'a Rows<'a>) -> Self {
        Self {
            document,
            rows,
            finds: vec![Find::Open; document.count()],
            taken: vec![false; rows.rows.len()],
            found: 0,
        }
    }

    fn items_with(&self, rung: Rung) -> usize {
        (0..self.finds.len()).filter(|item| self.document.value(*item, rung) != 0).count()
    }

    fn take(&mut self, item: usize, row: usize, by: Rung) {
        self.finds[item] = Find::Row(place(row), by);
        self.taken[row] = true;
        self.found += 1;
    }

    /// The newest row that no item has yet and that holds a value of the item's rung.
    fn seek(&self, item: usize, rung: Rung) -> Option<usize> {
        self.document
            .values(item, rung)
            .find_map(|value| self.rows.places(rung, value).rev().find(|row| !self.taken[*row]))
    }

    fn by(&mut self, rung: Rung, may: impl Fn(usize) -> bool) {
        for item in 0..self.finds.len() {
            let is_open = matches!(self.finds[item], Find::Open) && may(item);
            if is_open && let Some(row) = self.seek(item, rung) {
                self.take(item, row, rung);
            }
        }
    }

    /// Step 1's second half: answers how many ids moved if they are put aside, else 0.
    fn drop_shuffled_ids(&mut self) -> usize {
        let mut with_link = 0;
        let mut moved = 0;
        for (item, find) in self.finds.iter().enumerate() {
            let Find::Row(row, _) = *find else { continue };
            let held = self.rows.rows[row as usize].link;
            let links = self.document.entries(item).map(|it| self.document.keys[it].link);
            with_link += usize::from(held != 0);
            if held != 0 && !links.into_iter().any(|link| link == Some(held)) {
                let mut own = self.document.values(item, Rung::Link);
                let is_elsewhere = |link| self.rows.places(Rung::Link, link).next().is_some();
                moved += usize::from(own.any(is_elsewhere));
            }
        }
        if moved < CHURN_ITEMS_MIN || moved * 2 <= with_link {
            return 0;
        }
        self.finds.fill(Find::Open);
        self.taken.fill(false);
        self.found = 0;
        moved
    }

    /// Step 3: answers how many ids churned.
    fn by_link(&mut self, ids: usize, is_distrusted: bool, ids_are_aside: bool) -> usize {
        // What would be found, before it is known whether an unknown id means anything.
        let mut renamed = Vec::new();
        let mut unknown_ids = 0;
        let mut linked = 0;
        for item in 0..self.finds.len() {
            if !matches!(self.finds[item], Find::Open) {
                continue;
            }
            let row = self.seek(item, Rung::Link);
            // A row without an id tells nothing about an unknown one.
            let is_odd = !ids_are_aside
                && self.document.value(item, Rung::Id) != 0
                && row.is_none_or(|row| self.rows.rows[row].id != 0);
            unknown_ids += usize::from(is_odd);
            linked += usize::from(is_odd && self.document.value(item, Rung::Link) != 0);
            match row {
                Some(row) if is_odd => renamed.push((item, row)),
                Some(row) => self.take(item, row, Rung::Link),
                None => {}
            }
        }
        let churns =
            unknown_ids * 2 > ids && renamed.len() * 2 > linked && renamed.len() >= CHURN_ITEMS_MIN;
        for (item, row) in &renamed {
            if churns || is_distrusted || self.is_same_title(*item, *row) {
                self.take(*item, *row, Rung::Link);
            } else {
                self.finds[*item] = Find::New;
            }
        }
        if churns { renamed.len() } else { 0 }
    }

    fn is_same_title(&self, item: usize, row: usize) -> bool {
        let row = &self.rows.rows[row];
        self.document.entries(item).any(|entry| {
            let keys = &self.document.keys[entry];
            match keys.title {
                Some(title) => narrow(title) == row.title,
                None => row.title == 0 && narrow(keys.fingerprint) == row.fingerprint,
            }
        })
    }

    fn name_the_rest(&mut self) {
        for item in 0..self.finds.len() {
            if matches!(self.finds[item], Find::Open) {
                self.finds[item] =
                    if self.document.is_named(item) { Find::New } else { Find::Nameless };
            }
        }
    }

    fn sights(&self, ids_are_aside: bool) -> Vec<Sight> {
        let sight = |(item, find): (usize, &Find)| match *find {
            Find::Row(row, by) => {
                let row = row as usize;
                let id = self.document.value(item, Rung::Id);
                let held = self.rows.rows[row].id;
                let is_renamed = id != 0 && held != 0 && id != held && by != Rung::Alias;
                if is_renamed && !ids_are_aside {
                    Sight::Renamed { row, by }
                } else {
                    Sight::Known { row }
                }
            }
            Find::New => Sight::New,
            Find::Nameless | Find::Open => Sight::Nameless,
        };
        self.finds.iter().enumerate().map(sight).collect()
    }
}
