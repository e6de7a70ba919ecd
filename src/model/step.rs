//! Steps: how far a price must move before it is told.

use crate::model::offer::{Amount, SCALE_MAX};

/// The smallest move of a price that is told: it must be as large as both parts.
///
/// The default is passed by every move.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Hundredths of a percent of the price before; 0 asks for nothing.
    pub share: u32,
    /// In its own currency; moves in other currencies need no such part.
    pub amount: Option<Amount>,
}

impl Step {
    /// Whether a price that goes from `from` to `to`, up or down, moves so far. Amounts that cannot
    /// be compared make no move.
    pub fn is_passed(self, from: Amount, to: Amount) -> bool {
        let Some(off) = to.off(from) else { return false };
        let is_wide = self.amount.is_none_or(|amount| {
            amount.currency() != from.currency() || (level(to) - level(from)).abs() >= level(amount)
        });
        is_wide && off.unsigned_abs() >= u64::from(self.share)
    }

    /// A step that is passed by whatever passes one of the two.
    pub fn or_smaller(self, other: Self) -> Self {
        let amount = match (self.amount, other.amount) {
            (Some(one), Some(two)) => {
                one.compare(two).map(|order| if order.is_le() { one } else { two })
            }
            _ => None,
        };
        Self { share: self.share.min(other.share), amount }
    }
}

fn level(amount: Amount) -> i128 {
    i128::from(amount.units()) * 10_i128.pow(u32::from(SCALE_MAX.saturating_sub(amount.scale())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(units: i64, currency: &str) -> Amount {
        Amount::new(units, 2, currency.parse().ok()).unwrap()
    }

    fn step(share: u32, amount: Option<Amount>) -> Step {
        Step { share, amount }
    }

    #[test]
    fn a_move_must_be_as_large_as_both_parts() {
        let usd = |units| money(units, "USD");
        let cases = [
            (step(0, None), 10_000, 9_999, true),
            (step(500, None), 10_000, 9_501, false),
            (step(500, None), 10_000, 9_500, true),
            (step(500, None), 10_000, 10_500, true),
            (step(0, Some(usd(200))), 10_000, 9_801, false),
            (step(0, Some(usd(200))), 10_000, 9_800, true),
            (step(500, Some(usd(200))), 1_000, 900, false),
            (step(500, Some(usd(200))), 10_000, 9_700, false),
            (step(500, Some(usd(200))), 10_000, 9_400, true),
            (step(0, Some(money(200, "EUR"))), 10_000, 9_999, true),
        ];
        for (step, from, to, expected) in cases {
            assert_eq!(step.is_passed(usd(from), usd(to)), expected, "{step:?} {from} {to}");
        }
        assert!(!Step::default().is_passed(usd(100), money(50, "EUR")));
    }

    #[test]
    fn the_smaller_of_two_steps_lets_through_what_either_does() {
        let (one, two) = (money(100, "EUR"), money(200, "EUR"));
        let cases = [
            (step(500, Some(one)), step(200, Some(two)), step(200, Some(one))),
            (step(500, Some(one)), step(900, None), step(500, None)),
            (step(1, Some(one)), step(2, Some(money(1, "USD"))), step(1, None)),
        ];
        for (left, right, expected) in cases {
            assert_eq!(left.or_smaller(right), expected);
            assert_eq!(right.or_smaller(left), expected);
        }
    }
}
