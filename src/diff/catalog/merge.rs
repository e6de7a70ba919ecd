//! The pass that goes through shelf and listings together, product by product.

use crate::diff::KEPT_FOR;
use crate::diff::catalog::Change;
use crate::diff::catalog::identity::Identity;
use crate::diff::catalog::product::{self, Poll, Slot, place, places};
use crate::diff::catalog::reader::{Reader, Stored};
use crate::diff::catalog::tally::Tally;
use crate::diff::catalog::writer::Writer;
use crate::model::campaign::ChangeKind;
use crate::model::listing::Listing;
use crate::model::price::PriceSeen;
use crate::model::shelf::KnownListing;

/// Most rows of one product that a change names.
const PLACES_MAX: usize = 1_000;

/// Merges the listings of a poll into a shelf.
pub(super) struct Merge<'a, 'b, E> {
    pub known: Reader<'a, 'b, E>,
    pub identity: &'a Identity,
    pub poll: Poll,
    pub tally: Tally,
    pub writer: Writer,
    pub prices: Vec<PriceSeen>,
    pub unknown: Unknown,
    /// Rows that went on under another key are not kept.
    pub drops_moved: bool,
    /// So many rows of missing products are dropped, for the shelf is full.
    pub excess: usize,
    /// The product under judgement; here so that it is allocated once.
    pub slots: Vec<Slot>,
}

/// What an unknown product is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unknown {
    News,
    /// Part of what everything begins with; the newest so many are told.
    Baseline {
        newest: usize,
    },
}

impl<E> Merge<'_, '_, E> {
    /// The listings of one product, ascending; products come ascending too.
    pub fn product(&mut self, here: &[Listing]) -> Result<(), E> {
        let Some(listing) = here.iter().min_by_key(|listing| place(listing)) else {
            return Ok(());
        };
        self.absent_before(Some(listing.product))?;
        while let Some(stored) = self.known.take_of(listing.product)? {
            self.slots.push(Slot::known(stored.row, stored.starts));
        }
        self.carry(listing.product);
        let seen = self.prices.len();
        let verdict = product::present(&mut self.slots, here, &self.poll, &mut self.prices);
        let tally = &mut self.tally;
        tally.priced += u32::from(verdict.is_priced);
        tally.repriced += u32::from(verdict.is_repriced);
        tally.edited += u32::from(verdict.is_edited);
        tally.doubted += verdict.doubted;
        tally.currencies += verdict.currencies;
        tally.known += u32::from(verdict.kind != Some(ChangeKind::New));
        if let Some(kind) = verdict.kind {
            let change = || Change {
                product: listing.product,
                kind,
                places: places(here, PLACES_MAX),
                price: verdict.price,
                link: listing.link,
                title: listing.title,
            };
            let first = place(listing);
            match self.unknown {
                Unknown::Baseline { newest } if kind == ChangeKind::New => {
                    self.prices.truncate(seen);
                    tally.add_newest(first, newest, change);
                }
                _ => tally.add(kind, Some(first), change),
            }
        }
        self.keep();
        Ok(())
    }

    /// What is left of the shelf after the last product.
    pub fn rest(&mut self) -> Result<(), E> {
        self.absent_before(None)
    }

    /// Products of the shelf that come before `product` and are not in the document.
    fn absent_before(&mut self, product: Option<u64>) -> Result<(), E> {
        while let Some(missing) = self.known.product()? {
            if product.is_some_and(|product| missing >= product) {
                break;
            }
            while let Some(stored) = self.known.take_of(missing)? {
                if self.is_dropped(&stored) {
                    self.excess = self.excess.saturating_sub(1);
                    self.writer.drop(stored.starts);
                } else {
                    self.slots.push(Slot::known(stored.row, stored.starts));
                }
            }
            self.absent(missing);
        }
        Ok(())
    }

    fn absent(&mut self, product: u64) {
        let is_moved = self.identity.is_moved(product);
        if is_moved && self.drops_moved {
            for slot in self.slots.drain(..) {
                self.writer.drop(slot.starts);
            }
            return;
        }
        let was_gone = self.slots.iter().all(|slot| slot.row.is_gone || slot.row.is_moved);
        self.tally.missing += u32::from(!was_gone && !is_moved);
        let is_gone = product::absent(&mut self.slots, is_moved, &self.poll);
        let row = self.slots.iter().map(|slot| slot.row).find(|row| !row.is_moved);
        if let Some(KnownListing { link, title, .. }) = row.filter(|_| is_gone) {
            self.tally.add(ChangeKind::Gone, None, || Change {
                product,
                kind: ChangeKind::Gone,
                places: Vec::new(),
                price: None,
                link,
                title,
            });
        }
        self.keep();
    }

    /// What was known under another id goes on under `product`.
    fn carry(&mut self, product: u64) {
        for (key, row) in self.identity.carried(product) {
            match self.slots.binary_search_by_key(key, |slot| slot.row.key) {
                Ok(at) => self.slots[at].take_over(row),
                Err(at) => self.slots.insert(at, Slot::carried(*key, row)),
            }
        }
    }

    /// Writes the slots, and empties them.
    fn keep(&mut self) {
        for slot in self.slots.drain(..) {
            self.writer.put(&slot.row, slot.is_changed(), slot.starts);
        }
    }

    fn is_dropped(&self, stored: &Stored) -> bool {
        let row = &stored.row;
        let is_forgotten = row.is_absent() && self.poll.now.since(row.since) >= KEPT_FOR;
        is_forgotten || self.excess > 0 || self.drops_moved && row.is_moved
    }
}
