//! Prospects: whether a campaign would tell an item, whatever happens to it, and the items that
//! people may be shown beside the posts.

use std::sync::Arc;

use crate::model::campaign::{Campaign, ChangeKind};
use crate::model::condition::{Condition, Verdict};
use crate::model::item::Item;
use crate::model::name::Name;
use crate::model::offer::Amount;
use crate::model::post::{PriceMove, Told};
use crate::model::time::Timestamp;

/// How small and how large a move is tried, in thousandths of the price before it.
const MOVES: [i64; 3] = [10, 200, 900];

/// What a condition comes to for an item, over every kind of change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prospect {
    Told,
    /// It depends on how the price moves; with what the condition says otherwise.
    Open(String),
    /// Whatever happens to it, with the rule that says so.
    Never(String),
}

impl Prospect {
    /// Asks the condition about the item, for each of these kinds of change.
    pub fn of(condition: &Condition, on: &[ChangeKind], item: &Item, now: Timestamp) -> Self {
        let (mut is_open, mut first) = (false, None);
        for kind in on {
            let refusals = refusals(condition, item, *kind, now);
            if refusals.iter().all(Option::is_none) {
                return Self::Told;
            }
            is_open |= refusals.iter().any(Option::is_none);
            first = first.or(refusals.into_iter().flatten().next());
        }
        let rule = first.unwrap_or_default();
        if is_open { Self::Open(rule) } else { Self::Never(rule) }
    }
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

/// A campaign as it decides what people are shown.
#[derive(Clone, Debug, PartialEq)]
struct Teller {
    campaign: Name,
    sources: Vec<Name>,
    on: Vec<ChangeKind>,
    when: Option<Condition>,
}

impl Teller {
    fn tells(&self, item: &Item, now: Timestamp) -> bool {
        let is_wanted = |when: &Condition| {
            !matches!(Prospect::of(when, &self.on, item, now), Prospect::Never(_))
        };
        self.sources.contains(&item.source) && self.when.as_ref().is_none_or(is_wanted)
    }
}

/// The items that people may be shown: those that one of these campaigns would tell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selection {
    /// By their campaigns, each once.
    tellers: Vec<Arc<Teller>>,
}

impl Selection {
    pub fn of<'a>(campaigns: impl IntoIterator<Item = &'a Campaign>) -> Self {
        let teller = |campaign: &Campaign| {
            Arc::new(Teller {
                campaign: campaign.name.clone(),
                sources: campaign.sources.clone(),
                on: campaign.on.clone(),
                when: campaign.when.clone(),
            })
        };
        Self { tellers: campaigns.into_iter().map(teller).collect() }.in_order()
    }

    /// All that one of these has.
    pub fn union<'a>(all: impl IntoIterator<Item = &'a Self>) -> Self {
        let tellers = all.into_iter().flat_map(|one| &one.tellers);
        Self { tellers: tellers.cloned().collect() }.in_order()
    }

    fn in_order(mut self) -> Self {
        self.tellers.sort_by(|one, other| one.campaign.cmp(&other.campaign));
        self.tellers.dedup_by(|one, other| one.campaign == other.campaign);
        self
    }

    /// Its campaigns, sorted: the same ones select the same.
    pub fn campaigns(&self) -> Vec<Name> {
        self.tellers.iter().map(|teller| teller.campaign.clone()).collect()
    }

    /// Whose items they are, sorted; of none nothing is shown.
    pub fn sources(&self) -> Vec<Name> {
        let mut sources: Vec<Name> =
            self.tellers.iter().flat_map(|teller| &teller.sources).cloned().collect();
        sources.sort_unstable();
        sources.dedup();
        sources
    }

    /// Whether one of its campaigns would tell the item.
    pub fn has(&self, item: &Item, now: Timestamp) -> bool {
        self.tellers.iter().any(|teller| teller.tells(item, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::item::ItemId;
    use crate::model::offer::{Availability, Offer, Terms};
    use crate::model::rich::RichText;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn product() -> Item {
        let terms = Terms {
            sku: None,
            gtin: None,
            availability: Availability::InStock,
            quantity: None,
            list: Amount::new(44_00, 2, "EUR".parse().ok()),
            sale: None,
        };
        Item {
            id: ItemId([7; 16]),
            source: Name::parse("shop").unwrap(),
            guid: String::new(),
            title: "A hat".to_owned(),
            link: None,
            summary: RichText::default(),
            body: RichText::default(),
            published: None,
            updated: None,
            first_seen: NOW,
            authors: vec![],
            tags: vec![],
            language: None,
            image: None,
            media: vec![],
            offer: Some(Offer { brand: None, terms, variants: vec![], shelf: None }),
        }
    }

    #[test]
    fn what_hangs_on_a_price_is_told_apart_from_what_is_not_wanted() {
        use ChangeKind::{New, PriceDrop, PriceRise};
        let (item, now) = (product(), NOW);
        let a_fifth = |_: &Item, told: &Told, _: Timestamp| {
            let off = told.price.and_then(|price| price.to.off(price.from));
            Ok(off.is_some_and(|hundredths| hundredths >= 2_000))
        };
        let cheaper = Condition::new("RULE", Arc::new(a_fifth));
        let rule = || "when = RULE".to_owned();
        assert_eq!(Prospect::of(&cheaper, &[PriceDrop], &item, now), Prospect::Open(rule()));
        assert_eq!(Prospect::of(&cheaper, &[New, PriceDrop], &item, now), Prospect::Open(rule()));
        assert_eq!(Prospect::of(&cheaper, &[New, PriceRise], &item, now), Prospect::Never(rule()));
        let is_new = |_: &Item, told: &Told, _: Timestamp| Ok(told.kind == New);
        let new = Condition::new("RULE", Arc::new(is_new));
        assert_eq!(Prospect::of(&new, &[PriceDrop, New], &item, now), Prospect::Told);
        let fails = |_: &Item, _: &Told, _: Timestamp| Err("odd".to_owned());
        let odd = Condition::new("RULE", Arc::new(fails));
        let never = Prospect::Never("when = RULE: odd".to_owned());
        assert_eq!(Prospect::of(&odd, &[New], &item, now), never);
    }

    #[test]
    fn people_are_shown_what_one_of_their_campaigns_would_tell() {
        let name = |text: &str| Name::parse(text).unwrap();
        let teller = |campaign: &str, source: &str, when: Option<Condition>| Selection {
            tellers: vec![Arc::new(Teller {
                campaign: name(campaign),
                sources: vec![name(source)],
                on: vec![ChangeKind::New],
                when,
            })],
        };
        let named = |word: &'static str| {
            let is_named = move |item: &Item, _: &Told, _: Timestamp| Ok(item.title == word);
            Condition::new(word, Arc::new(is_named))
        };
        let titled = |title: &str| Item { title: title.to_owned(), ..product() };
        let hats = teller("hats", "shop", Some(named("hat")));
        let shoes = teller("shoes", "shop", Some(named("shoe")));
        let all = teller("all", "shop", None);
        let other = teller("other", "blog", None);
        for (of, shown) in [
            (vec![&hats], ["hat"].as_slice()),
            (vec![&shoes, &hats, &shoes], &["hat", "shoe"]),
            (vec![&hats, &all], &["hat", "shoe", "sock"]),
            (vec![&other], &[]),
            (vec![], &[]),
        ] {
            let selection = Selection::union(of);
            let is_shown = |title: &&str| selection.has(&titled(title), NOW);
            let titles: Vec<&str> = ["hat", "shoe", "sock"].into_iter().filter(is_shown).collect();
            assert_eq!(titles, shown, "{:?}", selection.campaigns());
        }
        let both = Selection::union([&other, &hats]);
        assert_eq!(both.campaigns(), [name("hats"), name("other")]);
        assert_eq!(both.sources(), [name("blog"), name("shop")]);
    }
}
