//! What a price says beside the one that was last told.

use std::time::Duration;

use crate::model::offer::{Amount, SCALE_MAX};
use crate::model::source::PriceRule;

/// A price so many times the one last told, or so small a part of it, is a mistake.
const ABSURD_TIMES: i128 = 100;

/// A price that stays absurd for so long is believed after all, but not told.
pub(super) const ABSURD_FOR: Duration = Duration::from_secs(7 * 86_400);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    Same,
    /// Another price, but by less than a step.
    Near,
    /// By so many hundredths of a percent.
    Drop(i64),
    Rise(i64),
    /// Not to be believed.
    Absurd,
    /// Not to be compared: the currency is another.
    Currency,
}

/// How the price moved from `told`, which is positive, to `now`.
pub(super) fn judge(told: Amount, now: Amount, rule: &PriceRule) -> Move {
    let order = now.compare(told);
    // Nearly all prices are as they were.
    if order.is_some_and(std::cmp::Ordering::is_eq) {
        return Move::Same;
    }
    let (Some(order), Some(off)) = (order, now.off(told)) else { return Move::Currency };
    let (from, to) = (level(told), level(now));
    if to >= from * ABSURD_TIMES || to * ABSURD_TIMES <= from {
        return Move::Absurd;
    }
    let share = i64::from(rule.min_step_share);
    let step = rule.min_step.filter(|step| step.currency() == told.currency());
    let is_step = off.abs() >= share && step.is_none_or(|step| (from - to).abs() >= level(step));
    match is_step {
        true if order.is_lt() => Move::Drop(off),
        true => Move::Rise(-off),
        false => Move::Near,
    }
}

/// The amount in billionths, whatever its scale.
fn level(amount: Amount) -> i128 {
    let up = u32::from(SCALE_MAX.saturating_sub(amount.scale()));
    i128::from(amount.units()) * 10_i128.pow(up)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eur(cents: i64) -> Amount {
        Amount::new(cents, 2, "EUR".parse().ok()).unwrap()
    }

    #[test]
    fn a_price_must_move_by_both_steps() {
        let rule = |share, step| PriceRule {
            min_step_share: share,
            min_step: Some(step),
            ..PriceRule::default()
        };
        let cases = [
            (PriceRule::default(), 10_000, 9_999, Move::Drop(1)),
            (PriceRule::default(), 10_000_000, 9_999_999, Move::Drop(0)),
            (PriceRule::default(), 10_000, 10_000, Move::Same),
            (rule(500, eur(200)), 10_000, 9_500, Move::Drop(500)),
            (rule(500, eur(200)), 10_000, 9_501, Move::Near),
            (rule(500, eur(600)), 10_000, 9_500, Move::Near),
            (rule(500, eur(200)), 10_000, 10_500, Move::Rise(500)),
            (rule(500, eur(200)), 10_000, 10_499, Move::Near),
            // A step in another currency asks nothing.
            (
                rule(500, eur(600).within("USD".parse().unwrap()).unwrap()),
                10_000,
                9_500,
                Move::Drop(500),
            ),
        ];
        for (rule, told, now, expected) in cases {
            assert_eq!(judge(eur(told), eur(now), &rule), expected, "{told} {now}");
        }
    }

    #[test]
    fn a_hundredfold_is_absurd_and_another_currency_is_no_move() {
        let rule = PriceRule::default();
        assert_eq!(judge(eur(100), eur(10_000), &rule), Move::Absurd);
        assert_eq!(judge(eur(100), eur(9_999), &rule), Move::Rise(989_900));
        assert_eq!(judge(eur(10_000), eur(100), &rule), Move::Absurd);
        let leu = Amount::new(500, 2, "RON".parse().ok()).unwrap();
        assert_eq!(judge(eur(100), leu, &rule), Move::Currency);
        let bare = Amount::new(100, 2, None).unwrap();
        assert_eq!(judge(bare, eur(100), &rule), Move::Currency);
    }
}
