//! The listings of a poll in the order of a shelf, told apart from each other before they are
//! compared with anything.
//!
//! Real catalogs list a product once a category, print one id over several products, and list the
//! sizes of a product as if they were products. What is decided here does not depend on the order
//! of the document.

use std::cmp::Reverse;

use crate::diff::index::narrow;
use crate::model::listing::Listing;
use crate::model::shelf::ShelfKey;

/// How many listings are taken off a sheet at a time: 4 MB.
const SEGMENT_ROWS: usize = 65_536;

/// The listings of one poll.
pub(super) struct Sheet {
    /// Descending, so that they are used up from the end and their memory is given back.
    listings: Vec<Listing>,
    /// Addresses of more than one product, ascending: they name none of them.
    shared: Vec<u64>,
}

pub(super) fn key(listing: &Listing) -> ShelfKey {
    ShelfKey { product: listing.product, variant: listing.variant }
}

impl Sheet {
    /// Names and orders the listings.
    ///
    /// 1. Where ids are distrusted, the address names the product.
    /// 2. One id over several titles is no id: the address names these products instead.
    /// 3. Several ids over one address and one title are forms of one product, which the address
    ///    names.
    pub fn new(mut listings: Vec<Listing>, are_ids_distrusted: bool) -> Self {
        if are_ids_distrusted {
            for listing in listings.iter_mut().filter(|listing| listing.link != 0) {
                listing.product = listing.link;
            }
        }
        sort(&mut listings);
        if part_collisions(&mut listings) {
            sort(&mut listings);
        }
        let (shared, is_joined) = join_forms(&mut listings);
        if is_joined {
            sort(&mut listings);
        }
        Self { listings, shared }
    }

    /// The same listings, named by their addresses.
    pub fn by_links(self) -> Self {
        Self::new(self.listings, true)
    }

    pub fn rows(&self) -> usize {
        self.listings.len()
    }

    /// The products, ascending; the rows of each descending.
    pub fn products(&self) -> impl Iterator<Item = &[Listing]> {
        self.listings.chunk_by(|a, b| a.product == b.product).rev()
    }

    pub fn has(&self, product: u64) -> bool {
        self.listings.binary_search_by(|listing| product.cmp(&listing.product)).is_ok()
    }

    /// More than one product has this address.
    pub fn is_shared(&self, link: u64) -> bool {
        self.shared.binary_search(&link).is_ok()
    }

    /// The next whole products, ascending; their memory is no longer the sheet's.
    pub fn take_segment(&mut self) -> Option<Vec<Listing>> {
        let mut begin = self.listings.len().saturating_sub(SEGMENT_ROWS);
        let product = self.listings.get(begin)?.product;
        while begin > 0 && self.listings.get(begin - 1).is_some_and(|it| it.product == product) {
            begin -= 1;
        }
        let mut segment = self.listings.split_off(begin);
        self.listings.shrink_to_fit();
        segment.reverse();
        Some(segment)
    }
}

fn sort(listings: &mut [Listing]) {
    listings.sort_unstable_by_key(|it| Reverse((it.product, it.variant, it.page, it.place)));
}

/// Step 2. Within a group it is the variant that is named anew.
fn part_collisions(listings: &mut [Listing]) -> bool {
    let mut is_parted = false;
    for run in listings.chunk_by_mut(|a, b| key(a) == key(b)) {
        let mut titles = run.iter().map(|listing| listing.title).filter(|title| *title != 0);
        let first = titles.next();
        if titles.all(|title| Some(title) == first) {
            continue;
        }
        for listing in run.iter_mut().filter(|listing| listing.link != 0) {
            if listing.variant == 0 {
                listing.product = listing.link;
            } else {
                listing.variant = narrow(listing.link);
            }
        }
        is_parted = true;
    }
    is_parted
}

/// Step 3, and the addresses that are left to several products.
fn join_forms(listings: &mut [Listing]) -> (Vec<u64>, bool) {
    let mut by_link: Vec<(u64, u32)> = listings
        .iter()
        .zip(0u32..)
        .filter(|(listing, _)| listing.link != 0)
        .map(|(listing, at)| (listing.link, at))
        .collect();
    by_link.sort_unstable();
    let mut shared = Vec::new();
    let mut is_joined = false;
    for run in by_link.chunk_by(|a, b| a.0 == b.0) {
        let Some((&(link, first), rest)) = run.split_first() else { continue };
        let first = listings[first as usize];
        let mut others = rest.iter().map(|(_, at)| &listings[*at as usize]);
        if others.clone().all(|listing| listing.product == first.product) {
            continue;
        }
        if first.title == 0 || others.any(|listing| listing.title != first.title) {
            shared.push(link);
            continue;
        }
        for (_, at) in run {
            let listing = &mut listings[*at as usize];
            if listing.product != link {
                listing.variant = form(listing.product, listing.variant);
                listing.product = link;
                is_joined = true;
            }
        }
    }
    (shared, is_joined)
}

/// What names a variant that was a product.
pub(super) fn form(product: u64, variant: u32) -> u32 {
    narrow(product ^ u64::from(variant).rotate_left(16))
}
