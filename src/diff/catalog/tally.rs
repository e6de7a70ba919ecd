//! All the changes of a poll together: what is too much at once is held, or is the shop's doing
//! and not the products'.

use std::cmp::Reverse;

use crate::diff::catalog::identity::Identity;
use crate::diff::catalog::{Change, Held, Place};
use crate::diff::{CHURNS_DISTRUSTED, HELD_ITEMS_MAX, REWRITTEN_ITEMS_MIN};
use crate::model::campaign::ChangeKind;
use crate::model::source::FloodRule;

/// Where what no document has stands among the changes.
const OLDEST: Place = Place { page: u16::MAX, place: u64::MAX };

/// Changes of one kind.
#[derive(Default)]
struct Bucket {
    count: u32,
    changes: Vec<Change>,
    /// What is not newer than this is no longer kept.
    oldest: Option<Place>,
}

/// The changes of a poll under way, and what is counted besides.
pub(super) struct Tally {
    flood: FloodRule,
    /// Products of the document.
    products: u32,
    buckets: [Bucket; KINDS],
    /// Known products of the document, and those of them that have a price to compare.
    pub known: u32,
    pub priced: u32,
    /// Of these: whose price moved by a step, and whose content is another.
    pub repriced: u32,
    pub edited: u32,
    /// Prices that can't be believed, and that can't be compared.
    pub doubted: u32,
    pub currencies: u32,
    /// Products of the shelf that should be there and are not.
    pub missing: u32,
}

const KINDS: usize = 7;

fn number(kind: ChangeKind) -> usize {
    match kind {
        ChangeKind::New => 0,
        ChangeKind::Updated => 1,
        ChangeKind::PriceDrop => 2,
        ChangeKind::PriceRise => 3,
        ChangeKind::BackInStock => 4,
        ChangeKind::OutOfStock => 5,
        ChangeKind::Gone => 6,
    }
}

impl Tally {
    pub fn new(flood: FloodRule, products: usize) -> Self {
        Self {
            flood,
            products: u32::try_from(products).unwrap_or(u32::MAX),
            buckets: Default::default(),
            known: 0,
            priced: 0,
            repriced: 0,
            edited: 0,
            doubted: 0,
            currencies: 0,
            missing: 0,
        }
    }

    /// Counts a change and keeps it, unless so many newer ones are kept that it can't matter.
    /// `first` is its first place, `None` where it has none.
    pub fn add(&mut self, kind: ChangeKind, first: Option<Place>, change: impl FnOnce() -> Change) {
        let products = self.products;
        let flood = self.flood;
        let Some(bucket) = self.buckets.get_mut(number(kind)) else { return };
        bucket.count += 1;
        if bucket.oldest.is_some_and(|oldest| first.unwrap_or(OLDEST) >= oldest) {
            return;
        }
        bucket.changes.push(change());
        if bucket.changes.len() >= 2 * HELD_ITEMS_MAX && is_flood(bucket.count, products, &flood) {
            bucket.keep_newest(HELD_ITEMS_MAX);
        }
    }

    /// Keeps `change` while fewer than `most` newer ones came; for the first poll.
    pub fn add_newest(&mut self, first: Place, most: usize, change: impl FnOnce() -> Change) {
        let Some(bucket) = self.buckets.get_mut(number(ChangeKind::New)) else { return };
        if bucket.oldest.is_none_or(|oldest| first < oldest) && most > 0 {
            bucket.changes.push(change());
            if bucket.changes.len() >= most.saturating_mul(2) {
                bucket.keep_newest(most);
            }
        }
    }

    /// What the first poll has to tell.
    pub fn newest(mut self, most: usize) -> Vec<Change> {
        let [bucket, ..] = &mut self.buckets;
        bucket.keep_newest(most);
        oldest_first(std::mem::take(&mut bucket.changes))
    }

    /// The changes, oldest first, without those that are not to be told, and what is held.
    ///
    /// 1. More than half of the known products edited at once is a new template.
    /// 2. Many prices moved at once are the shop's doing: drops are held, rises not told.
    /// 3. Many of another kind are held.
    pub fn settle(&mut self) -> (Vec<Change>, Vec<Held>) {
        let mut buckets = std::mem::take(&mut self.buckets);
        let mut held = Vec::new();
        let [_, updated, drops, rises, ..] = &mut buckets;
        if self.is_rewritten() {
            updated.changes.clear();
        }
        let of = self.priced;
        if is_flood(self.repriced, of, &self.flood) {
            let reason = format!("prices of {} of {of} moved at once", self.repriced);
            held.push(Held { kind: ChangeKind::PriceDrop, items: self.repriced, reason });
            drops.keep_newest(HELD_ITEMS_MAX);
            rises.changes.clear();
        }
        let [news, _, _, _, back, out, gone] = &mut buckets;
        for (kind, bucket, happened) in [
            (ChangeKind::New, news, "are new at once"),
            (ChangeKind::BackInStock, back, "came back in stock at once"),
            (ChangeKind::OutOfStock, out, "went out of stock at once"),
            (ChangeKind::Gone, gone, "are gone at once"),
        ] {
            let of = match kind {
                ChangeKind::Gone => self.known.saturating_add(self.missing),
                _ => self.products,
            };
            if !is_flood(bucket.count, of, &self.flood) {
                continue;
            }
            let mut reason = format!("{} of {of} items {happened}", bucket.count);
            if kind == ChangeKind::New {
                reason.push_str(&self.why_new());
            }
            held.push(Held { kind, items: bucket.count, reason });
            bucket.keep_newest(HELD_ITEMS_MAX);
        }
        let changes = buckets.into_iter().flat_map(|bucket| bucket.changes).collect();
        (oldest_first(changes), held)
    }

    pub fn is_rewritten(&self) -> bool {
        self.edited as usize >= REWRITTEN_ITEMS_MIN && self.edited > self.known / 2
    }

    /// More known products missing than there: they may be the ones that seem new.
    fn why_new(&self) -> String {
        if self.missing > self.known {
            let missing = self.missing;
            format!(", and {missing} known ones are missing: ids and addresses may have changed")
        } else {
            ": an import".to_owned()
        }
    }

    pub fn remarks(&self, identity: &Identity, id_churns: u8, is_short: bool) -> Vec<String> {
        let mut remarks = Vec::new();
        if identity.churned > 0 {
            let is_habit = u32::from(id_churns) >= CHURNS_DISTRUSTED;
            let habit = if is_habit { ", as before: links decide" } else { "" };
            let churned = identity.churned;
            remarks.push(format!("{churned} products have new ids under known links{habit}"));
        }
        if identity.shuffled > 0 {
            let moved = identity.shuffled;
            remarks.push(format!("{moved} ids moved to other products: links decide from now on"));
        }
        if self.is_rewritten() {
            let edited = self.edited;
            remarks.push(format!("{edited} items were rewritten at once: taken as a new template"));
        }
        if self.currencies > 0 {
            let prices = self.currencies;
            remarks.push(format!("{prices} prices have another currency: no change of price"));
        }
        if self.doubted > 0 {
            let prices = self.doubted;
            remarks.push(format!("{prices} prices moved a hundredfold or more: not believed"));
        }
        if is_short {
            remarks.push("fewer than half of the usual rows: nothing is taken as absent".into());
        }
        remarks
    }
}

impl Bucket {
    fn keep_newest(&mut self, most: usize) {
        if self.changes.len() > most {
            self.changes.select_nth_unstable_by_key(most, first_place);
            self.changes.truncate(most);
            self.oldest = self.changes.iter().map(first_place).max();
        }
    }
}

fn first_place(change: &Change) -> Place {
    change.places.first().copied().unwrap_or(OLDEST)
}

/// The first of a catalog are its newest.
fn oldest_first(mut changes: Vec<Change>) -> Vec<Change> {
    changes.sort_by_key(|change| Reverse((first_place(change), change.product)));
    changes
}

fn is_flood(count: u32, of: u32, rule: &FloodRule) -> bool {
    count > rule.items && f64::from(count) / f64::from(of.max(1)) > f64::from(rule.share)
}
