//! Products under new ids: which of the unknown ones are known ones that are missing now.
//!
//! Ids come first. A product of an unknown id is looked for by its address, if that is its own in
//! the document, among the rows whose product the document does not have. So one pass over the
//! shelf suffices where few rows are missing, for they are kept; where many are, another one looks
//! for them, and what is kept between the two are the unknown products and their finds.

use crate::diff::catalog::reader::{Reader, Shelf};
use crate::diff::catalog::sheet::{Sheet, form};
use crate::diff::identity::CHURN_ITEMS_MIN;
use crate::diff::index::narrow;
use crate::model::listing::Listing;
use crate::model::shelf::{KnownListing, ShelfKey};

/// Most rows of missing products that are kept: 6 MB. With more the shelf is gone through again.
const MISSING_ROWS_MAX: usize = 65_536;

/// What the ids of a poll say.
#[derive(Default)]
pub(super) struct Identity {
    /// Rows that go on under another key, ascending by it, each key once.
    carried: Vec<(ShelfKey, KnownListing)>,
    /// The products they were of, ascending.
    moved: Vec<u64>,
    /// How many ids changed while more than half of their addresses stayed; 0 is no churn.
    pub churned: usize,
    /// How many ids moved to other products, if they do so by the majority: they number places,
    /// and nothing here can be relied on.
    pub shuffled: usize,
    /// Products of the document; those with an id; and of these the known ones.
    pub products: usize,
    pub ids: usize,
    pub ids_known: usize,
    /// Listings of products that the shelf does not have under their ids.
    pub fresh_rows: usize,
}

/// A product of the document that the shelf does not have under its id.
struct Fresh<'a> {
    rows: &'a [Listing],
    /// The shelf has it, but as one that went on under another id.
    is_returned: bool,
}

/// The products that are known by their ids.
#[derive(Default)]
struct Known {
    /// Those with an address, now and before.
    linked: usize,
    /// The new addresses of those that have another one than before.
    relinked: Vec<u64>,
}

/// The rows whose product the document does not have.
enum Missing {
    /// All of them that have an address and live on under no other key.
    Rows(Vec<KnownListing>),
    /// More than are kept.
    Many,
}

impl Missing {
    fn add(&mut self, row: KnownListing) {
        let Self::Rows(rows) = self else { return };
        if rows.len() >= MISSING_ROWS_MAX {
            *self = Self::Many;
        } else if is_findable(&row) {
            rows.push(row);
        }
    }
}

/// A row of the shelf that a fresh product may be.
struct Find {
    fresh: u32,
    row: KnownListing,
}

impl Identity {
    /// Finds the known products among the unknown ones.
    ///
    /// 1. Every product with a row of its id is known, but for one that had moved to another id
    ///    and returns. If more than half of these have another address than before, and it is one
    ///    that the shelf knows, then ids number places, and nothing is found.
    /// 2. The others are looked for by their addresses among rows of missing products.
    /// 3. A find is the same product if its title is the same, if either has no id but its
    ///    address, if it returns, or if the ids churn: more than half of them are unknown while
    ///    more than half of the unknown ones are found. Otherwise the address is used again.
    pub fn find<E>(sheet: &Sheet, shelf: &mut Shelf<'_, E>) -> Result<Self, E> {
        let mut identity = Self::default();
        let (fresh, known, missing) = identity.fresh(sheet, &mut Reader::new(shelf))?;
        if known.relinked.len() >= CHURN_ITEMS_MIN && known.relinked.len() * 2 > known.linked {
            let moved = known.relinked.len();
            let found = count_links(known.relinked, &mut Reader::new(shelf))?;
            if found * 2 > moved {
                identity.shuffled = found;
                return Ok(identity);
            }
        }
        if !fresh.is_empty() {
            let (links, linked) = links(&fresh, sheet);
            let finds = match missing {
                Missing::Rows(rows) => {
                    rows.into_iter().filter_map(|row| find(row, &links)).collect()
                }
                Missing::Many => finds(&links, sheet, &mut Reader::new(shelf))?,
            };
            identity.carry(&fresh, finds, linked);
        }
        Ok(identity)
    }

    /// Everything is unknown, and nothing to be found.
    pub fn of_first(sheet: &Sheet) -> Self {
        Self { products: sheet.products().count(), ..Self::default() }
    }

    /// The rows that go on as rows of `product`, with their new keys.
    pub fn carried(&self, product: u64) -> &[(ShelfKey, KnownListing)] {
        let from = self.carried.partition_point(|(key, _)| key.product < product);
        let rest = &self.carried[from..];
        &rest[..rest.partition_point(|(key, _)| key.product == product)]
    }

    /// The product went on under another id.
    pub fn is_moved(&self, product: u64) -> bool {
        self.moved.binary_search(&product).is_ok()
    }

    /// Step 1.
    fn fresh<'a, E>(
        &mut self,
        sheet: &'a Sheet,
        known: &mut Reader<'_, '_, E>,
    ) -> Result<(Vec<Fresh<'a>>, Known, Missing), E> {
        let mut fresh = Vec::new();
        let mut kept = Known::default();
        let mut missing = Missing::Rows(Vec::new());
        for rows in sheet.products() {
            let Some(first) = rows.first() else { continue };
            while known.product()?.is_some_and(|product| product < first.product) {
                if let Some(stored) = known.take()? {
                    missing.add(stored.row);
                }
            }
            let (mut is_known, mut is_returned) = (false, false);
            let (mut is_linked, mut is_relinked) = (false, first.link != 0);
            while let Some(stored) = known.take_of(first.product)? {
                let link = stored.row.link;
                is_known |= !stored.row.is_moved;
                is_returned |= stored.row.is_moved;
                is_linked |= link != 0 && first.link != 0;
                is_relinked &= !rows.iter().any(|listing| listing.link == link);
            }
            if is_known && is_linked {
                kept.linked += 1;
                kept.relinked.extend(is_relinked.then_some(first.link));
            }
            let has_id = has_id(rows);
            self.products += 1;
            self.ids += usize::from(has_id);
            self.ids_known += usize::from(has_id && (is_known || is_returned));
            if !is_known {
                self.fresh_rows += rows.len();
                fresh.push(Fresh { rows, is_returned });
            }
        }
        while let Some(stored) = known.take()? {
            missing.add(stored.row);
        }
        Ok((fresh, kept, missing))
    }

    /// Step 3. `linked` are the fresh products that were looked for.
    fn carry(&mut self, fresh: &[Fresh<'_>], mut finds: Vec<Find>, linked: usize) {
        finds.sort_by_key(|find| find.fresh);
        let is_odd = |find: &Find| {
            fresh.get(find.fresh as usize).is_some_and(|it| !it.is_returned && has_id(it.rows))
                && find.row.key.product != find.row.link
        };
        let odd = finds.chunk_by(|a, b| a.fresh == b.fresh).filter(|run| run.iter().any(is_odd));
        let renamed = odd.count();
        let unknown = self.ids - self.ids_known;
        let churns = unknown * 2 > self.ids && renamed * 2 > linked && renamed >= CHURN_ITEMS_MIN;
        self.churned = if churns { renamed } else { 0 };
        let mut ranked = Vec::new();
        for find in finds {
            let Some(it) = fresh.get(find.fresh as usize) else { continue };
            let Some((slot, is_exact)) = slot(it.rows, &find.row) else { continue };
            let is_same = is_same_title(slot, &find.row);
            if is_same || churns || !is_odd(&find) {
                let key = ShelfKey { product: slot.product, variant: slot.variant };
                let rank = (!is_exact, !is_same, find.row.is_gone, find.row.absent_polls);
                ranked.push((key, rank, find.row));
            }
        }
        ranked.sort_by_key(|(key, rank, _)| (*key, *rank));
        ranked.dedup_by_key(|(key, ..)| *key);
        self.moved = ranked.iter().map(|(_, _, row)| row.key.product).collect();
        self.moved.sort_unstable();
        self.moved.dedup();
        self.carried = ranked.into_iter().map(|(key, _, row)| (key, row)).collect();
    }
}

/// How many of the addresses the shelf knows.
fn count_links<E>(mut links: Vec<u64>, known: &mut Reader<'_, '_, E>) -> Result<usize, E> {
    links.sort_unstable();
    links.dedup();
    let mut is_found = vec![false; links.len()];
    while let Some(stored) = known.take()? {
        if let Ok(at) = links.binary_search(&stored.row.link) {
            is_found[at] = true;
        }
    }
    Ok(is_found.into_iter().filter(|is_found| *is_found).count())
}

/// It is named by more than its address.
fn has_id(rows: &[Listing]) -> bool {
    rows.iter().all(|listing| listing.product != listing.link)
}

/// Step 2: the fresh products by their addresses, ascending, and how many of them are looked for.
fn links(fresh: &[Fresh<'_>], sheet: &Sheet) -> (Vec<(u64, u32)>, usize) {
    let mut links: Vec<(u64, u32)> = Vec::new();
    let mut linked = 0;
    for (place, it) in (0u32..).zip(fresh) {
        let before = links.len();
        let own = it.rows.iter().map(|row| row.link);
        links.extend(own.filter(|link| *link != 0 && !sheet.is_shared(*link)).map(|l| (l, place)));
        linked += usize::from(links.len() > before && !it.is_returned && has_id(it.rows));
    }
    links.sort_unstable();
    links.dedup();
    (links, linked)
}

/// The finds among all rows of the shelf.
fn finds<E>(
    links: &[(u64, u32)],
    sheet: &Sheet,
    known: &mut Reader<'_, '_, E>,
) -> Result<Vec<Find>, E> {
    let mut finds = Vec::new();
    while let Some(stored) = known.take()? {
        let row = stored.row;
        if is_findable(&row)
            && let Some(find) = find(row, links)
            && !sheet.has(find.row.key.product)
        {
            finds.push(find);
        }
    }
    Ok(finds)
}

/// The row as that of a fresh product of its address.
fn find(row: KnownListing, links: &[(u64, u32)]) -> Option<Find> {
    let at = links.binary_search_by_key(&row.link, |(link, _)| *link).ok()?;
    links.get(at).map(|(_, fresh)| Find { fresh: *fresh, row })
}

/// A row that moved lives on elsewhere, and one without an address is found by nothing.
fn is_findable(row: &KnownListing) -> bool {
    !row.is_moved && row.link != 0
}

/// Of a product's listings the one that a known row of its address goes on as, and whether that
/// is certain: the one of its variant, or that which one of the two was a product before.
/// Otherwise the first of its title, or of its address.
fn slot<'a>(rows: &'a [Listing], known: &KnownListing) -> Option<(&'a Listing, bool)> {
    let ShelfKey { product, variant } = known.key;
    let as_variant = [variant, narrow(product), form(product, variant)];
    let here = rows.iter().rev().filter(|listing| listing.link == known.link);
    let exact = here.clone().find(|it| {
        as_variant.contains(&it.variant) || variant != 0 && form(it.product, it.variant) == variant
    });
    let of_title = || here.clone().find(|listing| is_same_title(listing, known));
    match exact {
        Some(listing) => Some((listing, true)),
        None => of_title().or_else(|| here.clone().next()).map(|listing| (listing, false)),
    }
}

fn is_same_title(listing: &Listing, known: &KnownListing) -> bool {
    match listing.title {
        0 => known.title == 0 && listing.fingerprint == known.fingerprint,
        title => title == known.title,
    }
}
