//! Changes: what happened to an item, and how its price moved with it.

use serde::{Deserialize, Serialize};

use crate::model::item::ItemId;
use crate::model::offer::Amount;

/// What happened to an item between two polls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// No rung of it was known.
    New,
    /// A known item's fingerprint changed.
    Updated,
    /// A variant costs less than when its price was last told.
    PriceDrop,
    /// A variant costs more than when its price was last told.
    PriceRise,
    /// No variant could be had, one can now.
    BackInStock,
    /// A variant could be had, none can now.
    OutOfStock,
    /// Absent from several complete polls over a day or more.
    Gone,
}

impl ChangeKind {
    pub const ALL: [Self; 7] = [
        Self::New,
        Self::Updated,
        Self::PriceDrop,
        Self::PriceRise,
        Self::BackInStock,
        Self::OutOfStock,
        Self::Gone,
    ];

    /// The word for it in settings, layouts and listings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Updated => "updated",
            Self::PriceDrop => "price-drop",
            Self::PriceRise => "price-rise",
            Self::BackInStock => "back-in-stock",
            Self::OutOfStock => "out-of-stock",
            Self::Gone => "gone",
        }
    }

    /// Comes with the price before and after.
    pub fn is_of_price(self) -> bool {
        matches!(self, Self::PriceDrop | Self::PriceRise)
    }
}

/// What happened to an item, as a draft tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub item: ItemId,
    pub kind: ChangeKind,
    /// Of price drops and rises; in a digest also of what is back in stock for another price.
    pub price: Option<PriceMove>,
}

/// A price that moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceMove {
    /// The price that was last told.
    pub from: Amount,
    pub to: Amount,
    /// The lowest of the 30 days before this move, from our own history; `None` when the item was
    /// not watched so long.
    pub lowest_30d: Option<Amount>,
}
