//! From changes to drafts: which campaign wants which change, and when it is due.
//!
//! Pure: it knows no clock and no store, and promises nothing about what a draft will say; that
//! is decided when it is composed.

pub mod ripe;

pub mod digest;

mod merge;

use crate::model::campaign::Campaign;
use crate::model::condition::Verdict;
use crate::model::item::{Item, ItemId};
use crate::model::name::Name;
use crate::model::offer::Amount;
use crate::model::post::{Content, Draft, DraftId, Flood, Hold, PriceMove, Told};
use crate::model::step::Step;
use crate::model::time::Timestamp;
use crate::model::timing::{Order, Timing};

/// What one poll's changes come to.
#[derive(Debug, Default, PartialEq)]
pub struct Planned {
    /// In the order of the campaigns, then of the changes as the campaign orders them.
    pub drafts: Vec<Draft>,
    /// Changes that a campaign is on and does not want.
    pub filtered: Vec<Filtered>,
}

/// A change that a campaign's rule keeps from being told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filtered {
    pub campaign: Name,
    pub item: ItemId,
    /// The rule, as it stands in the settings.
    pub rule: String,
    /// `Some(why)` when the rule could not be applied to the item.
    pub failed: Option<String>,
}

/// What one poll of a source found.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    pub source: &'a Name,
    /// Oldest first, each item at most once.
    pub changes: &'a [Told],
    /// What the changes are about: of one that is not among them no condition can be asked, so it
    /// is wanted.
    pub items: &'a [Item],
    /// The kinds of which there are too many, each once at most.
    pub held: &'a [Flood],
}

/// The drafts that one poll's changes make.
///
/// A campaign of the source gets one draft for each change that it is `on` and whose item is as its
/// `when` says (or one for all of them, if it groups them), due when its timing says, `now` and its
/// settling time being the earliest; of the moves of a price, those that pass its step since the
/// price that it was told last: `heard` gives that for a step, or `None` where it is the one that
/// the move is from. Changes of a kind that is held make one held draft per campaign instead;
/// others go their usual way. Ids are 0 until the drafts are committed.
pub fn drafts(
    found: &Found<'_>,
    campaigns: &[Campaign],
    heard: &dyn Fn(&Told, Step) -> Option<Amount>,
    now: Timestamp,
) -> Planned {
    let Found { source, changes, items, held } = *found;
    let mut planned = Planned::default();
    for campaign in campaigns.iter().filter(|campaign| campaign.sources.contains(source)) {
        let wanted = changes.iter().filter_map(|told| wanted_by(campaign, told, heard));
        let wanted = judged(campaign, wanted, items, &mut planned.filtered, now);
        for flood in held {
            let is_held = |told: &&Told| told.kind == flood.kind;
            let kept: Vec<Told> = wanted.iter().filter(is_held).copied().collect();
            if !kept.is_empty() {
                planned.drafts.push(draft(campaign, kept, Some(Hold::Flood(flood.clone())), now));
            }
        }
        let is_sent = |told: &&Told| !held.iter().any(|flood| flood.kind == told.kind);
        let mut sent: Vec<Told> = wanted.iter().filter(is_sent).copied().collect();
        cap(campaign, &mut sent, &mut planned.filtered);
        let hold = || campaign.timing.review.then_some(Hold::Review);
        if campaign.timing.group && !sent.is_empty() {
            planned.drafts.push(draft(campaign, sent, hold(), now));
            continue;
        }
        if campaign.timing.order == Order::Newest {
            sent.reverse();
        }
        planned
            .drafts
            .extend(sent.into_iter().map(|told| draft(campaign, vec![told], hold(), now)));
    }
    planned
}

/// The changes whose items are as the campaign's condition says.
fn judged(
    campaign: &Campaign,
    wanted: impl Iterator<Item = Told>,
    items: &[Item],
    filtered: &mut Vec<Filtered>,
    now: Timestamp,
) -> Vec<Told> {
    let Some(condition) = &campaign.when else { return wanted.collect() };
    let mut by_id: Vec<&Item> = items.iter().collect();
    by_id.sort_by_key(|item| item.id);
    let is_wanted = |told: &Told| {
        let at = by_id.binary_search_by_key(&told.item, |item| item.id);
        let Some(item) = at.ok().and_then(|at| by_id.get(at)) else { return true };
        let (rule, failed) = match condition.judge(item, told, now) {
            Verdict::Wanted => return true,
            Verdict::Unwanted { rule } => (rule, None),
            Verdict::Failed { rule, why } => (rule, Some(why)),
        };
        let rule = format!("when = {rule}");
        filtered.push(Filtered { campaign: campaign.name.clone(), item: told.item, rule, failed });
        false
    };
    wanted.filter(is_wanted).collect()
}

/// Leaves the newest, as many as the campaign takes of one poll.
fn cap(campaign: &Campaign, sent: &mut Vec<Told>, filtered: &mut Vec<Filtered>) {
    let Timing { max_items, .. } = campaign.timing;
    let most = usize::try_from(max_items).unwrap_or(usize::MAX);
    if most == 0 || sent.len() <= most {
        return;
    }
    let rule = format!("max_items = {max_items}, and so many newer ones came with it");
    for told in sent.drain(..sent.len() - most) {
        let (campaign, rule) = (campaign.name.clone(), rule.clone());
        filtered.push(Filtered { campaign, item: told.item, rule, failed: None });
    }
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

fn draft(campaign: &Campaign, items: Vec<Told>, held: Option<Hold>, now: Timestamp) -> Draft {
    Draft {
        id: DraftId::default(),
        created_at: now,
        due_at: campaign.timing.due(now + campaign.settle),
        content: Content::Items { campaign: campaign.name.clone(), items, stories: Vec::new() },
        held,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::campaign::{ChangeKind, OnUncertain};
    use crate::model::condition::Condition;
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
            when: None,
            timing: Default::default(),
            stages: None,
            reach: Default::default(),
            utility: None,
            is_marketing: false,
            watch: false,
        }
    }

    fn found<'a>(
        source: &'a Name,
        changes: &'a [Told],
        items: &'a [Item],
        held: &'a [Flood],
    ) -> Found<'a> {
        Found { source, changes, items, held }
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
                Content::OneOff(one) => (one.title.clone(), vec![], 0, false),
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
        let drafts =
            drafts(&found(&name("blog"), &changes, &[], &[]), &campaigns, &alone, NOW).drafts;
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
        let held = std::slice::from_ref(&flood);
        let drafts =
            drafts(&found(&name("blog"), &changes, &[], held), &campaigns, &alone, NOW).drafts;
        assert_eq!(
            told(&drafts),
            [
                ("a".into(), vec![1, 3], 1_000_000, true),
                ("c".into(), vec![1, 3], 1_060_000, true),
                ("c".into(), vec![2], 1_060_000, false),
            ]
        );
        assert_eq!(drafts[0].held, Some(Hold::Flood(flood)));
    }

    #[test]
    fn a_flood_that_no_campaign_wants_makes_no_draft() {
        let flood = flood(ChangeKind::New);
        let campaigns = [campaign("a", "blog", &[ChangeKind::Updated], 0)];
        let changes = [item(1, ChangeKind::New)];
        let held = std::slice::from_ref(&flood);
        let planned = drafts(&found(&name("blog"), &changes, &[], held), &campaigns, &alone, NOW);
        assert_eq!(planned, Planned::default());
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
        let drafts =
            drafts(&found(&name("shop"), &changes, &[], &[]), &[fine, coarse], &alone, NOW).drafts;
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
        let drafts =
            drafts(&found(&name("shop"), &changes, &[], &[]), &[fine, coarse], &heard, NOW).drafts;
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
        let drafts = drafts(
            &found(&name("shop"), &changes, &[], &[flood(PriceDrop)]),
            &campaigns,
            &alone,
            NOW,
        )
        .drafts;
        assert_eq!(
            told(&drafts),
            [("a".into(), vec![1, 3], 1_000_000, true), ("a".into(), vec![2], 1_000_000, false),]
        );
    }

    fn made(byte: u8, title: &str) -> Item {
        Item {
            id: ItemId([byte; 16]),
            source: name("blog"),
            guid: String::new(),
            title: title.to_owned(),
            link: None,
            summary: Default::default(),
            body: Default::default(),
            published: None,
            updated: None,
            first_seen: NOW,
            authors: vec![],
            tags: vec![],
            language: None,
            image: None,
            media: vec![],
            offer: None,
        }
    }

    #[test]
    fn what_a_condition_does_not_want_is_told_with_its_rule() {
        let judge = |item: &Item, _: &Told, _| match item.title.as_str() {
            "odd" => Err("it is odd".to_owned()),
            title => Ok(title == "good"),
        };
        let when = Some(Condition::new("RULE", std::sync::Arc::new(judge)));
        let picky = Campaign { when, ..campaign("picky", "blog", &[ChangeKind::New], 0) };
        let all = campaign("all", "blog", &[ChangeKind::New], 0);
        let items = [made(1, "good"), made(2, "bad"), made(3, "odd")];
        let changes = [1, 2, 3, 4].map(|byte| item(byte, ChangeKind::New));
        let planned =
            drafts(&found(&name("blog"), &changes, &items, &[]), &[picky, all], &alone, NOW);
        let told = told(&planned.drafts);
        let told: Vec<_> = told.iter().map(|(name, items, ..)| (name.as_str(), items[0])).collect();
        // Of the last one nothing is known.
        let expected = [("picky", 1), ("picky", 4), ("all", 1), ("all", 2), ("all", 3), ("all", 4)];
        assert_eq!(told, expected);
        let filtered = |byte, failed| Filtered {
            campaign: name("picky"),
            item: ItemId([byte; 16]),
            rule: "when = RULE".to_owned(),
            failed,
        };
        let expected = [filtered(2, None), filtered(3, Some("it is odd".to_owned()))];
        assert_eq!(planned.filtered, expected);
    }

    #[test]
    fn of_one_poll_the_newest_go_alone_or_together_in_the_order_that_is_wanted() {
        let of = |order, max_items, group| {
            let timing = Timing { order, max_items, group, ..Timing::default() };
            let campaign = Campaign { timing, ..campaign("c", "blog", &[ChangeKind::New], 0) };
            let changes = [1, 2, 3].map(|byte| item(byte, ChangeKind::New));
            let planned =
                drafts(&found(&name("blog"), &changes, &[], &[]), &[campaign], &alone, NOW);
            let left_out: Vec<u8> = planned.filtered.iter().map(|it| it.item.0[0]).collect();
            let told: Vec<Vec<u8>> = told(&planned.drafts).into_iter().map(|it| it.1).collect();
            (told, left_out)
        };
        assert_eq!(of(Order::Oldest, 0, false), (vec![vec![1], vec![2], vec![3]], vec![]));
        assert_eq!(of(Order::Newest, 0, false), (vec![vec![3], vec![2], vec![1]], vec![]));
        assert_eq!(of(Order::Oldest, 2, false), (vec![vec![2], vec![3]], vec![1]));
        assert_eq!(of(Order::Oldest, 2, true), (vec![vec![2, 3]], vec![1]));
    }

    #[test]
    fn what_is_to_be_reviewed_is_held() {
        let timing = Timing { review: true, ..Timing::default() };
        let campaign = Campaign { timing, ..campaign("c", "blog", &[ChangeKind::New], 0) };
        let changes = [item(1, ChangeKind::New)];
        let planned = drafts(&found(&name("blog"), &changes, &[], &[]), &[campaign], &alone, NOW);
        assert_eq!(planned.drafts[0].held, Some(Hold::Review));
    }
}
