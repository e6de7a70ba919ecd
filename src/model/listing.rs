//! Listings: the rows of a catalog, boiled down to what is compared between two polls.

use crate::model::offer::{Amount, Availability};

/// One row of a catalog as its document has it: a variant, or a product that comes in one form.
///
/// Made from a row alone, so that a catalog of a million rows is never held as texts: what changed
/// is read again from its `place`. Hashes are those of `extract::keys`; 0 stands for absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Names the product: the id of the group, else of the row, without scheme and `www.` where it
    /// is an address; without any id the canonical link. Never 0.
    pub product: u64,
    /// Names the variant within the product; 0 for a product that comes in one form.
    pub variant: u32,
    /// The canonical link, without scheme and `www.`.
    pub link: u64,
    /// The title, normalised.
    pub title: u32,
    /// Normalised title, body text and first picture.
    pub fingerprint: u32,
    /// The effective price at the instant of the poll.
    pub price: Option<Amount>,
    pub availability: Availability,
    /// How many are left, where the format tells: cut to 65,535.
    pub quantity: Option<u16>,
    /// The number of the document among those that the poll fetched, from 0.
    pub page: u16,
    /// Where the row stands in its document: whatever its format's reader finds it by.
    pub place: u64,
}
