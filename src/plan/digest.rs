//! What of the drafts of a campaign goes in one digest.
//!
//! 1. Several changes of one item become one: the newest, told from where the first began.
//! 2. Fewer items than the campaign's least wait, all of them.
//! 3. Of more than its most the first go (with `order = "newest"` the newest), the rest waits.

use std::collections::HashMap;

use crate::model::campaign::ChangeKind;
use crate::model::item::ItemId;
use crate::model::post::{Content, Draft, DraftId, PriceMove, Told};
use crate::model::timing::{Digest, Order};

/// What goes and what waits.
#[derive(Debug, Default, PartialEq)]
pub struct Gathered {
    /// Oldest first, each item once. Empty when all moves of prices were taken back.
    pub told: Vec<Told>,
    /// The drafts that are used up.
    pub used: Vec<DraftId>,
    /// The drafts that wait for the next hour, as they are to be kept.
    pub left: Vec<Draft>,
}

/// One item of a digest.
struct Entry {
    item: ItemId,
    told: Option<Told>,
    /// Where it is told first and last, counted over all drafts.
    first: usize,
    last: usize,
}

/// Gathers drafts of one campaign, oldest first; `None` when there is too little for a digest.
///
/// A draft of which some items wait is among `used` and, with these items, among `left`, there
/// with the id 0.
pub fn gather(drafts: &[Draft], digest: &Digest, order: Order) -> Option<Gathered> {
    let mut entries = entries(drafts);
    entries.retain(|entry| entry.told.is_some());
    if entries.len() < most(digest.min_items) && !entries.is_empty() {
        return None;
    }
    let most = most(digest.max_items);
    match order {
        Order::Oldest => {
            entries.sort_by_key(|entry| entry.first);
            entries.truncate(most);
        }
        Order::Newest => {
            entries.sort_by_key(|entry| entry.last);
            entries.drain(..entries.len().saturating_sub(most));
        }
    }
    let mut goes: HashMap<ItemId, bool> = HashMap::new();
    for told in drafts.iter().flat_map(told_of) {
        goes.insert(told.item, false);
    }
    goes.extend(entries.iter().map(|entry| (entry.item, true)));
    // What came back to where it was is nothing to wait for.
    let is_over = |item: &ItemId| merged(drafts, *item).is_none();
    let over: Vec<ItemId> =
        goes.iter().filter(|(item, goes)| !**goes && is_over(item)).map(|it| *it.0).collect();
    goes.extend(over.into_iter().map(|item| (item, true)));

    let mut gathered = Gathered::default();
    for draft in drafts {
        let waits = |told: &&Told| !goes.get(&told.item).copied().unwrap_or(true);
        let waiting: Vec<Told> = told_of(draft).iter().filter(waits).copied().collect();
        if waiting.len() == told_of(draft).len() && !waiting.is_empty() {
            gathered.left.push(draft.clone());
            continue;
        }
        gathered.used.push(draft.id);
        if let (Content::Items { campaign, .. }, false) = (&draft.content, waiting.is_empty()) {
            let content =
                Content::Items { campaign: campaign.clone(), items: waiting, stories: Vec::new() };
            gathered.left.push(Draft { id: DraftId(0), content, ..draft.clone() });
        }
    }
    gathered.told = entries.into_iter().filter_map(|entry| entry.told).collect();
    Some(gathered)
}

fn entries(drafts: &[Draft]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut places: HashMap<ItemId, usize> = HashMap::new();
    for (at, told) in drafts.iter().flat_map(told_of).enumerate() {
        let place = *places.entry(told.item).or_insert(entries.len());
        match entries.get_mut(place) {
            Some(entry) => {
                entry.told = merge(entry.told, *told);
                entry.last = at;
            }
            None => {
                let (item, told) = (told.item, Some(*told));
                entries.push(Entry { item, told, first: at, last: at });
            }
        }
    }
    entries
}

/// What all drafts together tell of one item.
fn merged(drafts: &[Draft], item: ItemId) -> Option<Told> {
    let of_item = drafts.iter().flat_map(told_of).filter(|told| told.item == item);
    of_item.fold(None, |before, told| merge(before, *told))
}

/// Two changes of one item as one; `None` when its price is back where it was.
pub fn merge(before: Option<Told>, after: Told) -> Option<Told> {
    let Some(before) = before else { return Some(after) };
    match (before.price, after.price) {
        (Some(first), Some(last)) => {
            let price = PriceMove { from: first.from, to: last.to, lowest_30d: first.lowest_30d };
            let kind = match last.to.compare(first.from) {
                Some(std::cmp::Ordering::Equal) => return None,
                Some(std::cmp::Ordering::Less) => ChangeKind::PriceDrop,
                Some(std::cmp::Ordering::Greater) => ChangeKind::PriceRise,
                // Of another currency: only the newest can be told.
                None => return Some(after),
            };
            Some(Told { kind, price: Some(price), ..after })
        }
        // Nobody was told of it yet.
        _ if before.kind == ChangeKind::New && after.kind == ChangeKind::Updated => Some(before),
        _ => Some(after),
    }
}

fn told_of(draft: &Draft) -> &[Told] {
    match &draft.content {
        Content::Items { items, .. } => items,
        Content::OneOff { .. } | Content::Correction { .. } => &[],
    }
}

fn most(items: u32) -> usize {
    usize::try_from(items).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::name::Name;
    use crate::model::offer::Amount;
    use crate::model::schedule::CronRule;
    use crate::model::time::Timestamp;

    fn told(byte: u8, kind: ChangeKind) -> Told {
        Told { item: ItemId([byte; 16]), kind, price: None }
    }

    fn moved(byte: u8, from: i64, to: i64) -> Told {
        let amount = |units| Amount::new(units, 0, "EUR".parse().ok()).unwrap();
        let kind = if to < from { ChangeKind::PriceDrop } else { ChangeKind::PriceRise };
        let price = PriceMove { from: amount(from), to: amount(to), lowest_30d: None };
        Told { price: Some(price), ..told(byte, kind) }
    }

    fn draft(id: u64, items: Vec<Told>) -> Draft {
        let campaign = Name::parse("c").unwrap();
        Draft {
            id: DraftId(id),
            created_at: Timestamp::default(),
            due_at: Timestamp::default(),
            content: Content::Items { campaign, items, stories: vec![] },
            held: None,
        }
    }

    fn digest(min_items: u32, max_items: u32) -> Digest {
        let rule = CronRule::parse("0 0 9 * * *", None).unwrap();
        Digest { rule, min_items, max_items }
    }

    fn new(byte: u8) -> Told {
        told(byte, ChangeKind::New)
    }

    #[test]
    fn less_than_the_least_waits() {
        let drafts = [draft(1, vec![new(1)]), draft(2, vec![new(2)]), draft(3, vec![new(1)])];
        assert_eq!(gather(&drafts, &digest(3, 10), Order::Oldest), None);
        let gathered = gather(&drafts, &digest(2, 10), Order::Oldest).unwrap();
        assert_eq!(gathered.told, [new(1), new(2)]);
        assert_eq!(gathered.used, [1, 2, 3].map(DraftId));
        assert_eq!(gathered.left, []);
    }

    #[test]
    fn more_than_the_most_waits_for_the_next_hour() {
        let drafts: Vec<Draft> = (1..=5).map(|id| draft(id.into(), vec![new(id)])).collect();
        let oldest = gather(&drafts, &digest(1, 2), Order::Oldest).unwrap();
        assert_eq!(
            (oldest.told, oldest.used),
            (vec![new(1), new(2)], vec![DraftId(1), DraftId(2)])
        );
        assert_eq!(oldest.left, drafts[2..]);
        let newest = gather(&drafts, &digest(1, 2), Order::Newest).unwrap();
        assert_eq!(
            (newest.told, newest.used),
            (vec![new(4), new(5)], vec![DraftId(4), DraftId(5)])
        );
        assert_eq!(newest.left, drafts[..3]);
    }

    #[test]
    fn a_draft_of_several_items_is_parted() {
        let drafts = [draft(1, vec![new(1), new(2), new(3)]), draft(2, vec![new(4)])];
        let gathered = gather(&drafts, &digest(1, 2), Order::Oldest).unwrap();
        assert_eq!((gathered.told, gathered.used), (vec![new(1), new(2)], vec![DraftId(1)]));
        assert_eq!(gathered.left, [draft(0, vec![new(3)]), draft(2, vec![new(4)])]);
    }

    #[test]
    fn changes_of_one_item_become_the_newest() {
        use ChangeKind::{BackInStock, New, OutOfStock, Updated};
        let cases = [
            (vec![told(1, New), told(1, Updated)], Some(told(1, New))),
            (vec![told(1, Updated), told(1, Updated)], Some(told(1, Updated))),
            (vec![told(1, OutOfStock), told(1, BackInStock)], Some(told(1, BackInStock))),
            (vec![moved(1, 100, 90), moved(1, 90, 80)], Some(moved(1, 100, 80))),
            (vec![moved(1, 100, 90), moved(1, 90, 120)], Some(moved(1, 100, 120))),
            (vec![moved(1, 100, 90), moved(1, 90, 100)], None),
            (
                vec![moved(1, 100, 90), moved(1, 90, 100), moved(1, 100, 95)],
                Some(moved(1, 100, 95)),
            ),
        ];
        for (changes, expected) in cases {
            let drafts: Vec<Draft> =
                (1..).zip(&changes).map(|(id, told)| draft(id, vec![*told])).collect();
            let gathered = gather(&drafts, &digest(1, 10), Order::Oldest).unwrap();
            assert_eq!(gathered.told, Vec::from_iter(expected), "{changes:?}");
            assert_eq!(gathered.used.len(), drafts.len());
            assert_eq!(gathered.left, []);
        }
    }

    #[test]
    fn nothing_of_an_item_is_lost_between_two_digests() {
        // The item of which more was told later goes once, with all its drafts.
        let drafts = [draft(1, vec![new(1)]), draft(2, vec![new(2)]), draft(3, vec![new(1)])];
        let gathered = gather(&drafts, &digest(1, 1), Order::Oldest).unwrap();
        assert_eq!((gathered.told, gathered.used), (vec![new(1)], vec![DraftId(1), DraftId(3)]));
        assert_eq!(gathered.left, [draft(2, vec![new(2)])]);
    }
}
