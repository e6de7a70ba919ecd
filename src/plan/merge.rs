//! Several changes of one item as one, for who heard of none of them.
//!
//! 1. What is new stays new, whatever else happened to it; what is new and then gone is nothing.
//! 2. Moves of its price are one move, from where the first began. It is a drop or a rise by where
//!    it ends, and nothing when it ends where it began.
//! 3. Else its newest state is told: gone, out of stock, back in stock (with the move); then the
//!    move; then that it was updated.
//! 4. Of what this comes to, a campaign tells the kinds that it is on.

use std::cmp::Ordering;

use crate::model::campaign::ChangeKind;
use crate::model::item::ItemId;
use crate::model::offer::Amount;
use crate::model::post::{PriceMove, Told};

/// What the changes of one item come to.
pub(super) struct Merged {
    pub item: ItemId,
    /// It began as new.
    is_new: bool,
    is_updated: bool,
    /// The newest kind that is neither of a price nor an update.
    state: Option<ChangeKind>,
    price: Option<PriceMove>,
}

impl Merged {
    pub fn new(told: &Told) -> Self {
        let is_new = told.kind == ChangeKind::New;
        let mut merged =
            Self { item: told.item, is_new, is_updated: false, state: None, price: None };
        merged.add(told);
        merged
    }

    /// Adds a later change of the same item.
    pub fn add(&mut self, told: &Told) {
        if self.state == Some(ChangeKind::Gone) {
            // Something happened to it: it is there again.
            self.state = None;
        }
        match told.kind {
            ChangeKind::PriceDrop | ChangeKind::PriceRise => {}
            ChangeKind::Updated => self.is_updated = true,
            ChangeKind::New
            | ChangeKind::BackInStock
            | ChangeKind::OutOfStock
            | ChangeKind::Gone => self.state = Some(told.kind),
        }
        if let Some(after) = told.price {
            self.price = Some(self.price.map_or(after, |before| joined(before, after)));
        }
    }

    /// What is told of the item in a campaign that is `on` these kinds; `None` for nothing.
    pub fn told(&self, on: &[ChangeKind]) -> Option<Told> {
        let is_gone = self.state == Some(ChangeKind::Gone);
        let price = self.price.and_then(|price| Some((way(price)?, price)));
        let price = price.filter(|(kind, _)| on.contains(kind));
        let alone = |kind| (kind, None);
        let tellable = match self.state {
            Some(ChangeKind::Gone) if self.is_new => [None; 3],
            _ if self.is_new => [Some(alone(ChangeKind::New)), None, None],
            _ => {
                let state = self.state.map(|kind| match kind {
                    ChangeKind::BackInStock => (kind, price.map(|(_, price)| price)),
                    _ => alone(kind),
                });
                let moved = price.map(|(kind, price)| (kind, Some(price)));
                let updated = self.is_updated.then_some(alone(ChangeKind::Updated));
                // Of what is gone nothing else is worth telling.
                [state, moved.filter(|_| !is_gone), updated.filter(|_| !is_gone)]
            }
        };
        let first = tellable.into_iter().flatten().find(|(kind, _)| on.contains(kind));
        first.map(|(kind, price)| Told { item: self.item, kind, price })
    }
}

/// Two moves as one; of another currency only the newest can be told.
fn joined(before: PriceMove, after: PriceMove) -> PriceMove {
    if after.to.compare(before.from).is_none() {
        return after;
    }
    // A step or a time between the two may have kept moves from being told: both ends count.
    let lowest_30d = before.lowest_30d.map(|first| lower(lower(first, before.to), after.from));
    PriceMove { from: before.from, to: after.to, lowest_30d }
}

fn lower(one: Amount, other: Amount) -> Amount {
    if other.compare(one) == Some(Ordering::Less) { other } else { one }
}

/// Which way a price went; `None` when it is where it was.
fn way(price: PriceMove) -> Option<ChangeKind> {
    match price.to.compare(price.from)? {
        Ordering::Less => Some(ChangeKind::PriceDrop),
        Ordering::Equal => None,
        Ordering::Greater => Some(ChangeKind::PriceRise),
    }
}

#[cfg(test)]
mod tests {
    use ChangeKind::{BackInStock, Gone, New, OutOfStock, PriceDrop, PriceRise, Updated};

    use super::*;

    fn told(kind: ChangeKind) -> Told {
        Told { item: ItemId([1; 16]), kind, price: None }
    }

    fn amount(units: i64, currency: &str) -> Amount {
        Amount::new(units, 0, currency.parse().ok()).unwrap()
    }

    fn moved(from: i64, to: i64) -> Told {
        let kind = if to < from { PriceDrop } else { PriceRise };
        let price =
            PriceMove { from: amount(from, "EUR"), to: amount(to, "EUR"), lowest_30d: None };
        Told { price: Some(price), ..told(kind) }
    }

    fn in_dollars(from: i64, to: i64) -> Told {
        let price =
            PriceMove { from: amount(from, "USD"), to: amount(to, "USD"), lowest_30d: None };
        Told { price: Some(price), ..moved(from, to) }
    }

    /// The change with a price that was the lowest before it.
    fn above(told: Told, lowest: i64) -> Told {
        let lowest_30d = Some(amount(lowest, "EUR"));
        Told { price: told.price.map(|price| PriceMove { lowest_30d, ..price }), ..told }
    }

    fn merged(changes: &[Told], on: &[ChangeKind]) -> Option<Told> {
        let (first, others) = changes.split_first()?;
        let mut merged = Merged::new(first);
        others.iter().for_each(|told| merged.add(told));
        merged.told(on)
    }

    #[test]
    fn changes_of_one_item_become_one() {
        let back_for = |told: Told| Told { kind: BackInStock, ..told };
        let cases = [
            // New stays new, until it is gone.
            (vec![told(New), told(Updated)], Some(told(New))),
            (vec![told(New), moved(100, 90)], Some(told(New))),
            (vec![told(New), told(OutOfStock)], Some(told(New))),
            (vec![told(New), told(Gone)], None),
            (vec![told(New), moved(100, 90), told(Gone)], None),
            (vec![told(New), told(Gone), told(New)], Some(told(New))),
            (vec![told(New), told(Gone), told(BackInStock)], Some(told(New))),
            (vec![told(Gone), told(New)], Some(told(New))),
            (vec![told(Gone), told(New), told(Gone)], Some(told(Gone))),
            // Of states the newest.
            (vec![told(Updated), told(Updated)], Some(told(Updated))),
            (vec![told(OutOfStock), told(BackInStock)], Some(told(BackInStock))),
            (vec![told(BackInStock), told(OutOfStock)], Some(told(OutOfStock))),
            (vec![told(BackInStock), told(Updated)], Some(told(BackInStock))),
            // One move of several.
            (vec![moved(100, 90), moved(90, 80)], Some(moved(100, 80))),
            (vec![moved(100, 90), moved(90, 120)], Some(moved(100, 120))),
            (vec![moved(100, 90), moved(90, 100)], None),
            (vec![moved(100, 90), moved(90, 100), moved(100, 95)], Some(moved(100, 95))),
            (vec![moved(100, 90), in_dollars(50, 40)], Some(in_dollars(50, 40))),
            // A move is not lost.
            (vec![moved(100, 90), told(Updated)], Some(moved(100, 90))),
            (vec![told(Updated), moved(100, 90)], Some(moved(100, 90))),
            (vec![moved(100, 90), told(Updated), moved(90, 100)], Some(told(Updated))),
            (vec![moved(100, 90), told(BackInStock)], Some(back_for(moved(100, 90)))),
            (vec![told(BackInStock), moved(100, 90)], Some(back_for(moved(100, 90)))),
            (vec![moved(100, 90), moved(90, 100), told(BackInStock)], Some(told(BackInStock))),
            // What cannot be had has no price.
            (vec![moved(100, 90), told(OutOfStock)], Some(told(OutOfStock))),
            (vec![moved(100, 90), told(Updated), told(Gone)], Some(told(Gone))),
            (vec![told(Gone), moved(100, 90)], Some(moved(100, 90))),
        ];
        for (changes, expected) in cases {
            assert_eq!(merged(&changes, &ChangeKind::ALL), expected, "{changes:?}");
        }
    }

    #[test]
    fn a_campaign_tells_the_kinds_that_it_is_on() {
        let cases: [(&[ChangeKind], Vec<Told>, Option<Told>); 7] = [
            (&[PriceDrop], vec![moved(100, 90), moved(120, 110)], None),
            (&[PriceDrop], vec![moved(100, 90), moved(120, 95)], Some(moved(100, 95))),
            (
                &[PriceDrop],
                vec![moved(100, 90), moved(120, 110), moved(110, 80)],
                Some(moved(100, 80)),
            ),
            (&[PriceDrop, Updated], vec![told(Updated), moved(90, 120)], Some(told(Updated))),
            (
                &[PriceDrop, BackInStock],
                vec![moved(100, 90), told(BackInStock), moved(120, 110)],
                Some(told(BackInStock)),
            ),
            // The settings were others when it was drafted.
            (&[PriceDrop], vec![moved(100, 90), told(Gone)], None),
            (&[PriceDrop], vec![told(New), moved(100, 90)], None),
        ];
        for (on, changes, expected) in cases {
            assert_eq!(merged(&changes, on), expected, "{on:?} {changes:?}");
        }
    }

    #[test]
    fn the_lowest_price_counts_those_between() {
        let cases = [
            (vec![above(moved(100, 90), 95), moved(90, 95)], above(moved(100, 95), 90)),
            (vec![above(moved(100, 90), 85), moved(90, 95)], above(moved(100, 95), 85)),
            (vec![above(moved(100, 90), 95), moved(80, 99)], above(moved(100, 99), 80)),
            (vec![above(moved(100, 90), 95), moved(90, 70)], above(moved(100, 70), 90)),
            // It was not watched so long.
            (vec![moved(100, 90), above(moved(90, 95), 90)], moved(100, 95)),
        ];
        for (changes, expected) in cases {
            assert_eq!(merged(&changes, &ChangeKind::ALL), Some(expected), "{changes:?}");
        }
    }
}
