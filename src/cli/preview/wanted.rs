//! Whether a campaign's `when` wants the items that are shown, whatever happens to them.

use crate::model::campaign::{Campaign, ChangeKind};
use crate::model::condition::{Condition, Verdict};
use crate::model::item::Item;
use crate::model::offer::Amount;
use crate::model::post::{PriceMove, Told};
use crate::model::time::Timestamp;

/// How small and how large a move is tried, in thousandths of the price before it.
const MOVES: [i64; 3] = [10, 200, 900];

/// The items that may not be sent, each with the rule that says so.
#[derive(Default)]
pub(super) struct Judged<'a> {
    pub unwanted: Vec<(&'a Item, String)>,
    /// It depends on how the price moves.
    pub open: Vec<(&'a Item, String)>,
}

/// Asks the campaign's condition about each item, for every kind of change that the campaign is on.
pub(super) fn judge<'a>(campaign: Option<&Campaign>, items: &'a [Item]) -> Judged<'a> {
    let rule = campaign.and_then(|campaign| Some((campaign.when.as_ref()?, &campaign.on)));
    let now = crate::runtime::clock::Clock::system().now();
    rule.map_or_else(Judged::default, |(condition, on)| asked(condition, on, items, now))
}

fn asked<'a>(
    condition: &Condition,
    on: &[ChangeKind],
    items: &'a [Item],
    now: Timestamp,
) -> Judged<'a> {
    let mut judged = Judged::default();
    for item in items {
        let of_kinds: Vec<Vec<Option<String>>> =
            on.iter().map(|kind| refusals(condition, item, *kind, now)).collect();
        let rule = of_kinds.iter().flatten().flatten().next().cloned();
        let is_sent = of_kinds.iter().any(|of| of.iter().all(Option::is_none));
        let Some(rule) = rule.filter(|_| !is_sent) else { continue };
        match of_kinds.iter().flatten().any(Option::is_none) {
            true => judged.open.push((item, rule)),
            false => judged.unwanted.push((item, rule)),
        }
    }
    judged
}

/// What the condition says to each form of a change; `None` where it wants it.
fn refusals(
    condition: &Condition,
    item: &Item,
    kind: ChangeKind,
    now: Timestamp,
) -> Vec<Option<String>> {
    let told = moves(item, kind, now);
    let refusal = told.iter().map(|told| match condition.judge(item, told, now) {
        Verdict::Wanted => None,
        Verdict::Unwanted { rule } => Some(format!("when = {rule}")),
        Verdict::Failed { rule, why } => Some(format!("when = {rule}: {why}")),
    });
    refusal.collect()
}

/// The change; of a price, moves of several sizes to what it is now.
fn moves(item: &Item, kind: ChangeKind, now: Timestamp) -> Vec<Told> {
    let told = Told { item: item.id, kind, price: None };
    let to = item.offer.as_ref().and_then(|offer| offer.terms.price_at(now));
    let Some(to) = to.filter(|_| kind.is_of_price()) else { return vec![told] };
    let before = |share: i64| {
        // What it was, so that it has fallen, or risen, by this share of it.
        let part = if kind == ChangeKind::PriceDrop { 1_000 - share } else { 1_000 + share };
        let units = to.units().checked_mul(1_000)?.checked_div(part)?;
        Amount::new(units, to.scale(), to.currency())
    };
    let moved = |from: Amount| PriceMove { from, to, lowest_30d: None };
    let moves = MOVES.into_iter().filter_map(before);
    moves.map(|from| Told { price: Some(moved(from)), ..told }).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::render::sample::samples;

    #[test]
    fn what_hangs_on_a_price_is_told_apart_from_what_is_not_wanted() {
        use ChangeKind::{New, PriceDrop, PriceRise};
        let source = crate::model::name::Name::parse("shop").unwrap();
        let all: Vec<Item> = samples(&source).into_iter().flat_map(|sample| sample.items).collect();
        let product = all.iter().find(|item| item.offer.is_some()).cloned().unwrap();
        let now = crate::render::sample::NOW;
        let a_fifth = |_: &Item, told: &Told, _: Timestamp| {
            let off = told.price.and_then(|price| price.to.off(price.from));
            Ok(off.is_some_and(|hundredths| hundredths >= 2_000))
        };
        let cheaper = Condition::new("RULE", Arc::new(a_fifth));
        let items = [product];
        let seen = |condition: &Condition, on: &[ChangeKind]| {
            let judged = asked(condition, on, &items, now);
            (judged.unwanted.len(), judged.open.len())
        };
        assert_eq!(seen(&cheaper, &[PriceDrop]), (0, 1));
        assert_eq!(seen(&cheaper, &[New, PriceDrop]), (0, 1));
        assert_eq!(seen(&cheaper, &[New, PriceRise]), (1, 0));
        let is_new = |_: &Item, told: &Told, _: Timestamp| Ok(told.kind == New);
        let new = Condition::new("RULE", Arc::new(is_new));
        assert_eq!(seen(&new, &[PriceDrop, New]), (0, 0));
        let fails = |_: &Item, _: &Told, _: Timestamp| Err("odd".to_owned());
        let odd = Condition::new("RULE", Arc::new(fails));
        let judged = asked(&odd, &[New], &items, now);
        assert_eq!(judged.unwanted[0].1, "when = RULE: odd");
    }
}
