//! From changes to drafts: which campaign wants which change, and when it is due.
//!
//! Pure: it knows no clock and no store, and promises nothing about what a draft will say; that
//! is decided when it is composed.

use crate::model::campaign::Campaign;
use crate::model::name::Name;
use crate::model::offer::Amount;
use crate::model::post::{Content, Draft, DraftId, Flood, PriceMove, Told};
use crate::model::step::Step;
use crate::model::time::Timestamp;

/// The drafts that one poll's changes make, in the order of the campaigns, then of the changes.
///
/// `changes` are oldest first, each item at most once. A campaign of the source gets one draft
/// for each change that it is `on`, due at `now` and its settling time; of the moves of a price,
/// those that pass its step since the price that it was told last: `heard` gives that for a step,
/// or `None` where it is the one that the move is from. Changes of a kind that is held, which stands in `held` once at most,
/// make one held draft per campaign instead; others go their usual way. Ids are 0 until the drafts are
/// committed.
pub fn drafts(
    source: &Name,
    changes: &[Told],
    held: &[Flood],
    campaigns: &[Campaign],
    heard: &dyn Fn(&Told, Step) -> Option<Amount>,
    now: Timestamp,
) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for campaign in campaigns.iter().filter(|campaign| campaign.sources.contains(source)) {
        let wanted = || changes.iter().filter_map(|told| wanted_by(campaign, told, heard));
        for flood in held {
            let kept: Vec<Told> = wanted().filter(|told| told.kind == flood.kind).collect();
            if !kept.is_empty() {
                drafts.push(draft(campaign, kept, Some(flood), now));
            }
        }
        let sent = wanted().filter(|told| !held.iter().any(|flood| flood.kind == told.kind));
        drafts.extend(sent.map(|told| draft(campaign, vec![told], None, now)));
    }
    drafts
}

/// The change as the campaign tells it, if it does.
fn wanted_by(
    campaign: &Campaign,
    told: &Told,
    heard: &dyn Fn(&Told, Step) -> Option<Amount>,
) -> Option<Told> {
    if !campaign.on.contains(&told.kind) {
        return None;
    }
    let Some(price) = told.price.filter(|_| told.kind.is_of_price()) else { return Some(*told) };
    let PriceMove { from, to, .. } = price;
    let since = heard(told, campaign.min_step).unwrap_or(from);
    // What fell by a little may still cost more than when the campaign told of it.
    let is_same_way = to.compare(since) == to.compare(from);
    let is_told = is_same_way && campaign.min_step.is_passed(since, to);
    is_told.then_some(Told { price: Some(PriceMove { from: since, ..price }), ..*told })
}

fn draft(campaign: &Campaign, items: Vec<Told>, held: Option<&Flood>, now: Timestamp) -> Draft {
    Draft {
        id: DraftId::default(),
        created_at: now,
        due_at: now + campaign.settle,
        content: Content::Items { campaign: campaign.name.clone(), items, stories: Vec::new() },
        held: held.cloned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::campaign::{ChangeKind, OnUncertain};
    use crate::model::item::ItemId;
    use crate::model::offer::Amount;
    use crate::model::post::PriceMove;
    use crate::model::step::Step;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn campaign(called: &str, source: &str, on: &[ChangeKind], settle: u64) -> Campaign {
        Campaign {
            name: name(called),
            sources: vec![name("other"), name(source)],
            on: on.to_vec(),
            min_step: Step::default(),
            layout: name("article"),
            topics: vec![name("news")],
            channels: vec![name("bot")],
            settle: Duration::from_secs(settle),
            on_uncertain: OnUncertain::Skip,
            corrects: Default::default(),
            priority: Default::default(),
        }
    }

    fn item(byte: u8, kind: ChangeKind) -> Told {
        Told { item: ItemId([byte; 16]), kind, price: None }
    }

    fn moved(byte: u8, kind: ChangeKind, from: i64, to: i64) -> Told {
        let amount = |units| Amount::new(units, 0, "EUR".parse().ok()).unwrap();
        let price = PriceMove { from: amount(from), to: amount(to), lowest_30d: None };
        Told { price: Some(price), ..item(byte, kind) }
    }

    fn flood(kind: ChangeKind) -> Flood {
        Flood { source: name("blog"), kind, items: 200, reason: "too many".into() }
    }

    /// Every campaign was told of the same price.
    fn alone(_: &Told, _: Step) -> Option<Amount> {
        None
    }

    fn told(drafts: &[Draft]) -> Vec<(String, Vec<u8>, i64, bool)> {
        drafts
            .iter()
            .map(|draft| match &draft.content {
                Content::Items { campaign, items, .. } => (
                    campaign.to_string(),
                    items.iter().map(|told| told.item.0[0]).collect(),
                    draft.due_at.as_millis(),
                    draft.held.is_some(),
                ),
                Content::OneOff { title, .. } => (title.clone(), vec![], 0, false),
                Content::Correction { .. } => ("correction".into(), vec![], 0, false),
            })
            .collect()
    }

    #[test]
    fn every_campaign_of_the_source_gets_one_draft_a_change_that_it_is_on() {
        use ChangeKind::{New, Updated};
        let campaigns = [
            campaign("a", "blog", &[New], 0),
            campaign("b", "shop", &[New], 0),
            campaign("c", "blog", &[New, Updated], 300),
        ];
        let changes =
            [item(1, ChangeKind::New), item(2, ChangeKind::Updated), item(3, ChangeKind::New)];
        let drafts = drafts(&name("blog"), &changes, &[], &campaigns, &alone, NOW);
        assert_eq!(
            told(&drafts),
            [
                ("a".into(), vec![1], 1_000_000, false),
                ("a".into(), vec![3], 1_000_000, false),
                ("c".into(), vec![1], 1_300_000, false),
                ("c".into(), vec![2], 1_300_000, false),
                ("c".into(), vec![3], 1_300_000, false),
            ]
        );
    }

    #[test]
    fn a_held_flood_gives_one_held_draft_a_campaign_and_leaves_edits_alone() {
        use ChangeKind::{New, Updated};
        let campaigns =
            [campaign("a", "blog", &[New], 0), campaign("c", "blog", &[Updated, New], 60)];
        let changes =
            [item(1, ChangeKind::New), item(2, ChangeKind::Updated), item(3, ChangeKind::New)];
        let flood = flood(New);
        let drafts =
            drafts(&name("blog"), &changes, std::slice::from_ref(&flood), &campaigns, &alone, NOW);
        assert_eq!(
            told(&drafts),
            [
                ("a".into(), vec![1, 3], 1_000_000, true),
                ("c".into(), vec![1, 3], 1_060_000, true),
                ("c".into(), vec![2], 1_060_000, false),
            ]
        );
        assert_eq!(drafts[0].held, Some(flood));
    }

    #[test]
    fn a_flood_that_no_campaign_wants_makes_no_draft() {
        let flood = flood(ChangeKind::New);
        let campaigns = [campaign("a", "blog", &[ChangeKind::Updated], 0)];
        let changes = [item(1, ChangeKind::New)];
        assert_eq!(
            drafts(&name("blog"), &changes, std::slice::from_ref(&flood), &campaigns, &alone, NOW),
            []
        );
    }

    #[test]
    fn a_campaign_gets_the_moves_of_a_price_that_pass_its_step() {
        use ChangeKind::{BackInStock, PriceDrop, PriceRise};
        let fine = campaign("fine", "shop", &[PriceDrop, PriceRise], 0);
        let step = Step { share: 1_000, amount: None };
        let coarse = Campaign { min_step: step, ..campaign("coarse", "shop", &ChangeKind::ALL, 0) };
        let changes = [
            moved(1, PriceDrop, 100, 95),
            moved(2, PriceDrop, 100, 90),
            moved(3, PriceRise, 100, 104),
            moved(4, BackInStock, 100, 99),
            item(5, BackInStock),
        ];
        let drafts = drafts(&name("shop"), &changes, &[], &[fine, coarse], &alone, NOW);
        let told: Vec<_> =
            told(&drafts).into_iter().map(|(name, items, ..)| (name, items)).collect();
        let expected =
            [("fine", 1), ("fine", 2), ("fine", 3), ("coarse", 2), ("coarse", 4), ("coarse", 5)];
        assert_eq!(told, expected.map(|(name, item)| (name.to_owned(), vec![item])));
    }

    #[test]
    fn a_campaign_judges_by_the_price_that_it_was_told_last() {
        use ChangeKind::{PriceDrop, PriceRise};
        let amount = |units| Amount::new(units, 0, "EUR".parse().ok());
        let fine = campaign("fine", "shop", &[PriceDrop, PriceRise], 0);
        let step = Step { share: 1_000, amount: None };
        let coarse = Campaign { min_step: step, ..campaign("coarse", "shop", &ChangeKind::ALL, 0) };
        let changes = [moved(1, PriceDrop, 93, 90), moved(2, PriceDrop, 140, 135)];
        let heard = |_: &Told, asked: Step| amount(100).filter(|_| asked == step);
        let drafts = drafts(&name("shop"), &changes, &[], &[fine, coarse], &heard, NOW);
        let prices = drafts.iter().flat_map(|draft| match &draft.content {
            Content::Items { items, .. } => items.iter().filter_map(|told| told.price).collect(),
            Content::OneOff { .. } | Content::Correction { .. } => vec![],
        });
        let from: Vec<Option<Amount>> = prices.map(|price| Some(price.from)).collect();
        // The second one is still dearer than when the coarse one told of it.
        assert_eq!(from, [amount(93), amount(140), amount(100)]);
    }

    #[test]
    fn prices_that_move_all_at_once_are_held_and_stock_is_told() {
        use ChangeKind::{BackInStock, PriceDrop};
        let campaigns = [campaign("a", "shop", &ChangeKind::ALL, 0)];
        let changes = [moved(1, PriceDrop, 9, 8), item(2, BackInStock), moved(3, PriceDrop, 9, 7)];
        let drafts = drafts(&name("shop"), &changes, &[flood(PriceDrop)], &campaigns, &alone, NOW);
        assert_eq!(
            told(&drafts),
            [("a".into(), vec![1, 3], 1_000_000, true), ("a".into(), vec![2], 1_000_000, false),]
        );
    }
}
