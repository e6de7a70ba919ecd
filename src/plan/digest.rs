//! What of the drafts of a campaign goes in one digest.
//!
//! 1. Several changes of one item become one, or nothing (see `merge`).
//! 2. Fewer items than the campaign's least wait, all of them.
//! 3. Of more than its most the first go (with `order = "newest"` the newest), the rest waits.

use std::collections::{HashMap, HashSet};

use crate::model::campaign::ChangeKind;
use crate::model::item::ItemId;
use crate::model::post::{Content, Draft, DraftId, Told};
use crate::model::timing::{Digest, Order};
use crate::plan::merge::Merged;

/// What goes and what waits.
#[derive(Debug, Default, PartialEq)]
pub struct Gathered {
    /// Oldest first, each item once. Empty when all came to nothing.
    pub told: Vec<Told>,
    /// The drafts that are used up.
    pub used: Vec<DraftId>,
    /// The drafts that wait for the next hour, as they are to be kept.
    pub left: Vec<Draft>,
}

/// One item of a digest.
struct Entry {
    merged: Merged,
    /// Where it is told first and last, counted over all drafts.
    first: usize,
    last: usize,
}

/// Gathers drafts of one campaign that is `on` these kinds, oldest first; `None` when there is too
/// little for a digest.
///
/// A draft of which some items wait is among `used` and, with these items, among `left`, there
/// with the id 0.
pub fn gather(
    drafts: &[Draft],
    on: &[ChangeKind],
    digest: &Digest,
    order: Order,
) -> Option<Gathered> {
    let mut goes: HashSet<ItemId> = HashSet::new();
    let mut entries: Vec<(Entry, Told)> = Vec::new();
    for entry in all(drafts) {
        match entry.merged.told(on) {
            Some(told) => entries.push((entry, told)),
            // What came to nothing is nothing to wait for.
            None => {
                goes.insert(entry.merged.item);
            }
        }
    }
    if entries.len() < most(digest.min_items) && !entries.is_empty() {
        return None;
    }
    let most = most(digest.max_items);
    match order {
        Order::Oldest => {
            entries.sort_by_key(|(entry, _)| entry.first);
            entries.truncate(most);
        }
        Order::Newest => {
            entries.sort_by_key(|(entry, _)| entry.last);
            entries.drain(..entries.len().saturating_sub(most));
        }
    }
    goes.extend(entries.iter().map(|(_, told)| told.item));

    let mut gathered = Gathered::default();
    for draft in drafts {
        let waits = |told: &&Told| !goes.contains(&told.item);
        let waiting: Vec<Told> = draft.told().iter().filter(waits).copied().collect();
        if waiting.len() == draft.told().len() && !waiting.is_empty() {
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
    gathered.told = entries.into_iter().map(|(_, told)| told).collect();
    Some(gathered)
}

/// The items of all drafts.
fn all(drafts: &[Draft]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut places: HashMap<ItemId, usize> = HashMap::new();
    for (at, told) in drafts.iter().flat_map(Draft::told).enumerate() {
        let place = *places.entry(told.item).or_insert(entries.len());
        match entries.get_mut(place) {
            Some(entry) => {
                entry.merged.add(told);
                entry.last = at;
            }
            None => entries.push(Entry { merged: Merged::new(told), first: at, last: at }),
        }
    }
    entries
}

fn most(items: u32) -> usize {
    usize::try_from(items).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::name::Name;
    use crate::model::offer::Amount;
    use crate::model::post::PriceMove;
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
        assert_eq!(gather(&drafts, &ChangeKind::ALL, &digest(3, 10), Order::Oldest), None);
        let gathered = gather(&drafts, &ChangeKind::ALL, &digest(2, 10), Order::Oldest).unwrap();
        assert_eq!(gathered.told, [new(1), new(2)]);
        assert_eq!(gathered.used, [1, 2, 3].map(DraftId));
        assert_eq!(gathered.left, []);
    }

    #[test]
    fn more_than_the_most_waits_for_the_next_hour() {
        let drafts: Vec<Draft> = (1..=5).map(|id| draft(id.into(), vec![new(id)])).collect();
        let oldest = gather(&drafts, &ChangeKind::ALL, &digest(1, 2), Order::Oldest).unwrap();
        assert_eq!(
            (oldest.told, oldest.used),
            (vec![new(1), new(2)], vec![DraftId(1), DraftId(2)])
        );
        assert_eq!(oldest.left, drafts[2..]);
        let newest = gather(&drafts, &ChangeKind::ALL, &digest(1, 2), Order::Newest).unwrap();
        assert_eq!(
            (newest.told, newest.used),
            (vec![new(4), new(5)], vec![DraftId(4), DraftId(5)])
        );
        assert_eq!(newest.left, drafts[..3]);
    }

    #[test]
    fn a_draft_of_several_items_is_parted() {
        let drafts = [draft(1, vec![new(1), new(2), new(3)]), draft(2, vec![new(4)])];
        let gathered = gather(&drafts, &ChangeKind::ALL, &digest(1, 2), Order::Oldest).unwrap();
        assert_eq!((gathered.told, gathered.used), (vec![new(1), new(2)], vec![DraftId(1)]));
        assert_eq!(gathered.left, [draft(0, vec![new(3)]), draft(2, vec![new(4)])]);
    }

    #[test]
    fn what_came_to_nothing_is_used_up_and_waits_for_nothing() {
        let drafts = [
            draft(1, vec![moved(1, 100, 90)]),
            draft(2, vec![new(2)]),
            draft(3, vec![new(3), moved(1, 90, 100)]),
        ];
        let gathered = gather(&drafts, &ChangeKind::ALL, &digest(1, 1), Order::Oldest).unwrap();
        assert_eq!(gathered.told, [new(2)]);
        assert_eq!(gathered.used, [1, 2, 3].map(DraftId));
        assert_eq!(gathered.left, [draft(0, vec![new(3)])]);

        let taken_back = [draft(1, vec![moved(1, 100, 90)]), draft(2, vec![moved(1, 90, 100)])];
        let gathered = gather(&taken_back, &ChangeKind::ALL, &digest(1, 1), Order::Oldest).unwrap();
        assert_eq!((gathered.told, gathered.used), (vec![], vec![DraftId(1), DraftId(2)]));
    }

    #[test]
    fn many_drafts_are_gathered_in_time_that_grows_with_them() {
        // Twice as many must not take four times as long: a quadratic one takes minutes here.
        let drafts: Vec<Draft> = (0..20_000_u64)
            .map(|id| {
                let mut item = [0; 16];
                item[..8].copy_from_slice(&(id / 2).to_le_bytes());
                draft(id, vec![Told { item: ItemId(item), ..new(0) }])
            })
            .collect();
        let gathered = gather(&drafts, &ChangeKind::ALL, &digest(1, 10), Order::Oldest).unwrap();
        assert_eq!((gathered.used.len(), gathered.left.len()), (20, 19_980));
    }

    #[test]
    fn nothing_of_an_item_is_lost_between_two_digests() {
        // The item of which more was told later goes once, with all its drafts.
        let drafts = [draft(1, vec![new(1)]), draft(2, vec![new(2)]), draft(3, vec![new(1)])];
        let gathered = gather(&drafts, &ChangeKind::ALL, &digest(1, 1), Order::Oldest).unwrap();
        assert_eq!((gathered.told, gathered.used), (vec![new(1)], vec![DraftId(1), DraftId(3)]));
        assert_eq!(gathered.left, [draft(2, vec![new(2)])]);
    }
}
