//! Watches: what somebody wants to hear of one product, once.
//!
//! A watch is asked of the state of a product, never of a change: so none is lost to a poll that
//! told something else, nor to a step that was too small to be told to others.

use std::cmp::Ordering;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::name::Name;
use crate::model::offer::{Amount, Availability};
use crate::model::shelf::KnownListing;
use crate::model::time::Timestamp;

/// Most watches of one person on one channel.
pub const WATCHES_MAX: usize = 50;

/// How long a watch waits.
pub const WATCHED_FOR: Duration = Duration::from_secs(90 * 86_400);

/// Longest title that is kept with a watch, in characters.
pub const TITLE_CHARS_MAX: usize = 120;

/// Where a shop tells how many are left, so many people are told a piece at a time: most who are
/// told do not buy.
pub const TOLD_A_PIECE: u32 = 20;

/// A price that is so many times below the one that it had when the watch was made is a mistake.
const ABSURD_TIMES: i64 = 100;

/// What one person waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// Given by the store, grows: who asked first is told first.
    pub id: u64,
    pub source: Name,
    /// What names the product on its shelf.
    pub product: u64,
    /// One of its forms; `None` for any.
    pub variant: Option<u32>,
    /// The product's canonical link, hashed, by which it is found under another id; 0 without one.
    pub link: u64,
    pub wanted: Wanted,
    /// As the product was called when the watch was made.
    pub title: String,
    /// What it cost then.
    pub price: Option<Amount>,
    pub made_at: Timestamp,
    pub expires_at: Timestamp,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wanted {
    /// It can be had.
    Stock,
    /// It can be had, or ordered, for so much or less.
    Price { at_most: Amount },
}

impl Wanted {
    /// One person has one watch of a kind on a product.
    pub fn is_like(self, other: Self) -> bool {
        matches!(
            (self, other),
            (Self::Stock, Self::Stock) | (Self::Price { .. }, Self::Price { .. })
        )
    }

    /// Whether it has come, of a product that cost `was` when it was asked for.
    pub fn is_met(self, on: &OnOffer, was: Option<Amount>) -> bool {
        match self {
            Self::Stock => on.can_be_had(),
            Self::Price { at_most } => {
                let is_low = |price: Amount| {
                    price.compare(at_most).is_some_and(Ordering::is_le) && !is_absurd(price, was)
                };
                on.can_be_got() && on.price.is_some_and(is_low)
            }
        }
    }
}

fn is_absurd(price: Amount, was: Option<Amount>) -> bool {
    let times = price.units().checked_mul(ABSURD_TIMES);
    let times = times.and_then(|units| Amount::new(units, price.scale(), price.currency()));
    was.zip(times).is_some_and(|(was, times)| times.compare(was).is_some_and(Ordering::is_le))
}

/// The least that is less than this; `None` where nothing is.
pub fn below(price: Amount) -> Option<Amount> {
    let less = Amount::new(price.units().checked_sub(1)?, price.scale(), price.currency())?;
    less.is_positive().then_some(less)
}

/// So many percent less, rounded down to the smallest coin.
pub fn less_by(price: Amount, percent: u8) -> Option<Amount> {
    let left = i128::from(100_u8.checked_sub(percent)?);
    let units = i64::try_from(i128::from(price.units()) * left / 100).ok()?;
    Amount::new(units, price.scale(), price.currency()).filter(|less| less.is_positive())
}

/// How a product, or one form of it, stands with its shop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OnOffer {
    /// `None` where the shop does not list it.
    pub availability: Option<Availability>,
    /// Of the cheapest of those forms that are had best.
    pub price: Option<Amount>,
    /// How many are left of all that can be had, where the shop tells.
    pub left: Option<u32>,
}

/// One form of a product, as a row of its catalog has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfferedForm {
    pub availability: Availability,
    pub price: Option<Amount>,
    pub quantity: Option<u32>,
}

impl OnOffer {
    /// Of a product's forms. A form of which there are fewer than `quantity_min`, where that is
    /// told, can't be had.
    pub fn of(forms: impl IntoIterator<Item = OfferedForm>, quantity_min: u16) -> Self {
        let mut on = Self::default();
        let least = u32::from(quantity_min.max(1));
        for mut form in forms {
            let is_short = form.quantity.is_some_and(|left| left < least);
            if is_short && form.availability == Availability::InStock {
                form.availability = Availability::OutOfStock;
            }
            let here = rank(form.availability);
            let best = on.availability.map(rank);
            if best.is_none_or(|best| best < here) {
                on = Self {
                    availability: Some(form.availability),
                    price: form.price,
                    left: form.quantity,
                };
            } else if best == Some(here) {
                on.left = on.left.zip(form.quantity).map(|(one, other)| one.saturating_add(other));
                on.price = match (on.price, form.price) {
                    (Some(least), Some(price)) => {
                        let is_less = price.compare(least).is_some_and(Ordering::is_lt);
                        Some(if is_less { price } else { least })
                    }
                    (one, other) => one.or(other),
                };
            }
        }
        on
    }

    /// Of a product's rows on its shelf, each with what it costs now.
    pub fn of_rows<'a>(
        rows: impl IntoIterator<Item = &'a (KnownListing, Option<Amount>)>,
        variant: Option<u32>,
    ) -> Self {
        let listed = rows.into_iter().filter(|(row, _)| !row.is_absent());
        let meant = listed.filter(|(row, _)| variant.is_none_or(|of| of == row.key.variant));
        let form = |(row, price): &(KnownListing, Option<Amount>)| OfferedForm {
            availability: row.availability,
            price: *price,
            quantity: None,
        };
        Self::of(meant.map(form), 1)
    }

    /// It is there to be bought: of a shop that says nothing of its stock, everything that it lists.
    pub fn can_be_had(&self) -> bool {
        matches!(self.availability, Some(Availability::InStock | Availability::Unknown))
    }

    /// It can be had, or ordered.
    pub fn can_be_got(&self) -> bool {
        self.availability.is_some_and(|availability| rank(availability) > 0)
    }
}

/// In rising order of how well a thing can be had.
fn rank(availability: Availability) -> u8 {
    match availability {
        Availability::OutOfStock | Availability::Discontinued => 0,
        Availability::Unknown => 1,
        Availability::Preorder | Availability::Backorder => 2,
        Availability::InStock => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eur(cents: i64) -> Amount {
        Amount::new(cents, 2, "EUR".parse().ok()).unwrap()
    }

    fn form(availability: Availability, cents: i64, quantity: Option<u32>) -> OfferedForm {
        OfferedForm { availability, price: Some(eur(cents)), quantity }
    }

    #[test]
    fn a_product_stands_as_the_best_of_its_forms() {
        use Availability::{InStock, OutOfStock, Preorder};
        let of = |forms: &[OfferedForm]| OnOffer::of(forms.iter().copied(), 1);
        let on = of(&[form(OutOfStock, 500, Some(0)), form(InStock, 900, Some(2))]);
        assert_eq!((on.availability, on.price, on.left), (Some(InStock), Some(eur(900)), Some(2)));
        let on = of(&[form(InStock, 900, Some(2)), form(InStock, 700, Some(3))]);
        assert_eq!((on.price, on.left), (Some(eur(700)), Some(5)));
        let on = of(&[form(InStock, 900, None), form(InStock, 700, Some(3))]);
        assert_eq!(on.left, None);
        let on = of(&[form(Preorder, 900, None), form(OutOfStock, 700, None)]);
        assert!(on.can_be_got() && !on.can_be_had());
        let on = of(&[form(InStock, 900, Some(0))]);
        assert!(!on.can_be_got());
        assert!(!of(&[]).can_be_got());
    }

    #[test]
    fn a_watch_is_met_by_a_state() {
        use Availability::{InStock, OutOfStock, Unknown};
        let at_most = |cents| Wanted::Price { at_most: eur(cents) };
        let was = Some(eur(2_000));
        for (wanted, availability, cents, expected) in [
            (Wanted::Stock, InStock, 2_000, true),
            (Wanted::Stock, Unknown, 2_000, true),
            (Wanted::Stock, OutOfStock, 2_000, false),
            (at_most(1_999), InStock, 2_000, false),
            (at_most(1_999), InStock, 1_999, true),
            (at_most(1_999), Unknown, 1_000, true),
            (at_most(1_999), OutOfStock, 1_000, false),
            (at_most(1_999), InStock, 21, true),
            // Nobody sells for a hundredth.
            (at_most(1_999), InStock, 20, false),
        ] {
            let on = OnOffer::of([form(availability, cents, None)], 1);
            assert_eq!(wanted.is_met(&on, was), expected, "{wanted:?} {availability:?} {cents}");
        }
        let lei = OnOffer { price: Amount::new(1, 2, "RON".parse().ok()), ..OnOffer::default() };
        assert!(!at_most(1_999).is_met(&lei, was));
    }

    #[test]
    fn less_is_less_and_never_nothing() {
        assert_eq!(below(eur(2_000)), Some(eur(1_999)));
        assert_eq!(below(eur(1)), None);
        assert_eq!(less_by(eur(1_999), 5), Some(eur(1_899)));
        assert_eq!(less_by(eur(1), 10), None);
        let yen = Amount::new(500, 0, "JPY".parse().ok()).unwrap();
        assert_eq!(below(yen).unwrap().to_string(), "499 JPY");
    }
}
