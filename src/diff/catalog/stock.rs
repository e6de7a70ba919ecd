//! Whether a product can be had, before a poll and after it.

use crate::model::campaign::ChangeKind;
use crate::model::listing::Listing;
use crate::model::offer::Availability;
use crate::model::shelf::KnownListing;

/// How well a variant can be had, in rising order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Had {
    No,
    /// Nobody says: neither out of stock nor in it.
    Unknown,
    /// To be ordered, and sent some day.
    Ordered,
    Now,
}

fn had(row: &KnownListing) -> Had {
    match row.availability {
        _ if row.is_gone => Had::No,
        Availability::InStock => Had::Now,
        Availability::Preorder | Availability::Backorder => Had::Ordered,
        Availability::Unknown => Had::Unknown,
        Availability::OutOfStock | Availability::Discontinued => Had::No,
    }
}

/// A product's variants together. Those that live on under another key don't count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stock {
    /// `None` without variants.
    best: Option<Had>,
    is_listed: bool,
}

impl Stock {
    pub fn of<'a>(rows: impl Iterator<Item = &'a KnownListing>) -> Self {
        let mut stock = Self::default();
        for row in rows.filter(|row| !row.is_moved) {
            stock.best = stock.best.max(Some(had(row)));
            stock.is_listed |= !row.is_gone && row.availability != Availability::Discontinued;
        }
        stock
    }

    /// None of its variants could be had.
    pub fn is_out(self) -> bool {
        self.best == Some(Had::No)
    }

    /// Every variant is gone or will not come back.
    pub fn is_gone(self) -> bool {
        self.best.is_some() && !self.is_listed
    }

    /// What is to be told when it becomes `after`.
    pub fn change(self, after: Self) -> Option<ChangeKind> {
        let (before, best) = (self.best?, after.best?);
        // What comes back to the document without a word about its stock is there to be had.
        let is_back = best == Had::Now || self.is_gone() && best == Had::Unknown;
        if !self.is_gone() && after.is_gone() {
            Some(ChangeKind::Gone)
        } else if before == Had::No && is_back {
            Some(ChangeKind::BackInStock)
        } else if before >= Had::Ordered && best == Had::No {
            Some(ChangeKind::OutOfStock)
        } else {
            None
        }
    }
}

/// What is to be kept as a row's availability.
///
/// A document that does not say leaves it as it is. What could not be had, or comes new to a
/// product that can't (`is_out`), is in stock only from `quantity_min` on.
pub(super) fn availability(
    known: Option<&KnownListing>,
    listing: &Listing,
    is_out: bool,
    quantity_min: u16,
) -> Availability {
    let could_be_had = known.map_or(!is_out, |known| had(known) > Had::No);
    match listing.availability {
        Availability::Unknown => known.map_or(Availability::Unknown, |known| known.availability),
        Availability::InStock
            if !could_be_had && listing.quantity.is_some_and(|left| left < quantity_min.max(1)) =>
        {
            Availability::OutOfStock
        }
        stated => stated,
    }
}
