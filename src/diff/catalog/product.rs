//! One product: its listings beside its rows, and what became of it.

use std::time::Duration;

use crate::diff::catalog::price::{self, Move};
use crate::diff::catalog::stock::{self, Stock};
use crate::diff::catalog::{Place, PriceChange, sheet};
use crate::model::campaign::ChangeKind;
use crate::model::listing::Listing;
use crate::model::offer::Amount;
use crate::model::price::PriceSeen;
use crate::model::shelf::{ABSENT_POLLS_MAX, KnownListing, ShelfKey};
use crate::model::source::PriceRule;
use crate::model::time::Timestamp;

/// Complete polls in a row that must lack a product before it is gone.
pub const ABSENT_POLLS: u8 = ABSENT_POLLS_MAX;

/// For how long it must have been absent besides.
pub const ABSENT_FOR: Duration = Duration::from_secs(24 * 3_600);

/// What holds for every product of a poll.
pub(super) struct Poll {
    /// In whole minutes, as it is kept.
    pub now: Timestamp,
    pub counts_absence: bool,
    pub rule: PriceRule,
}

/// A row under judgement.
pub(super) struct Slot {
    pub row: KnownListing,
    /// What the shelf has under its key.
    pub stored: Option<KnownListing>,
    /// The name of the block that the stored row begins.
    pub starts: Option<ShelfKey>,
    /// What the row says so far of the variant; `None` for a new one.
    before: Option<KnownListing>,
    is_seen: bool,
}

impl Slot {
    pub fn known(row: KnownListing, starts: Option<ShelfKey>) -> Self {
        Self { row, stored: Some(row), starts, before: Some(row), is_seen: false }
    }

    /// A row that comes from another key.
    pub fn carried(key: ShelfKey, row: &KnownListing) -> Self {
        let row = KnownListing { key, is_doubted: false, ..*row };
        Self { row, stored: None, starts: None, before: Some(row), is_seen: false }
    }

    /// Takes over what was known under another key.
    pub fn take_over(&mut self, row: &KnownListing) {
        *self =
            Self { stored: self.stored, starts: self.starts, ..Self::carried(self.row.key, row) };
    }

    pub fn is_changed(&self) -> bool {
        self.stored != Some(self.row)
    }
}

/// What became of a product.
#[derive(Default)]
pub(super) struct Verdict {
    pub kind: Option<ChangeKind>,
    /// The largest step, by share: a drop if there is one.
    pub price: Option<PriceChange>,
    /// A price could be compared; it moved by a step.
    pub is_priced: bool,
    pub is_repriced: bool,
    pub is_edited: bool,
    /// Prices that can't be believed, and that can't be compared.
    pub doubted: u32,
    pub currencies: u32,
}

/// Judges a product of the document. `here` are its listings, ascending; `slots` are its rows,
/// ascending, and are brought up to date; `prices` gets what its variants cost.
///
/// 1. Listings of one variant count as one: what any of them has of the old is unchanged, and the
///    first one of the document has the new.
/// 2. A new variant is taken in, and told only as the one that brings the product back.
/// 3. A variant that is missing is marked.
/// 4. Of everything that changed, one thing is told; all of it is known from now on.
pub(super) fn present(
    slots: &mut Vec<Slot>,
    here: &[Listing],
    poll: &Poll,
    prices: &mut Vec<PriceSeen>,
) -> Verdict {
    let mut verdict = Verdict::default();
    let known = slots.len();
    let before = Stock::of(slots.iter().filter_map(|slot| slot.before.as_ref()));
    let mut steps = Steps::default();
    let mut at = 0;
    for run in here.chunk_by(|a, b| a.variant == b.variant) {
        let Some(first) = run.iter().min_by_key(|it| (it.page, it.place)) else { continue };
        let key = sheet::key(first);
        while slots[..known].get(at).is_some_and(|slot| slot.row.key < key) {
            at += 1;
        }
        let place = if slots[..known].get(at).is_some_and(|slot| slot.row.key == key) {
            at
        } else {
            slots.push(fresh(first));
            slots.len() - 1
        };
        let Some(slot) = slots.get_mut(place) else { continue };
        see(slot, run, first);
        let quantity_min = poll.rule.min_quantity;
        let held = slot.before.as_ref();
        slot.row.availability = stock::availability(
            held,
            first_stated(run, held, first),
            before.is_out(),
            quantity_min,
        );
        verdict.is_edited |= edit(&mut slot.row, run, first);
        if let Some(price) = stated_price(run, slot.row.told) {
            steps.take(&mut slot.row, price, poll, prices, &mut verdict);
        }
    }
    for slot in slots.iter_mut().filter(|slot| !slot.is_seen) {
        miss(&mut slot.row, poll);
    }
    if slots.len() > known {
        slots.sort_unstable_by_key(|slot| slot.row.key);
    }
    let after = Stock::of(slots.iter().map(|slot| &slot.row));
    let stock = before.change(after);
    verdict.is_repriced = steps.drop.is_some() || steps.rise.is_some();
    verdict.kind = if known == 0 {
        Some(ChangeKind::New)
    } else if matches!(stock, Some(ChangeKind::Gone | ChangeKind::BackInStock)) {
        stock
    } else if steps.drop.is_some() {
        Some(ChangeKind::PriceDrop)
    } else if stock.is_some() {
        stock
    } else if steps.rise.is_some() {
        Some(ChangeKind::PriceRise)
    } else {
        verdict.is_edited.then_some(ChangeKind::Updated)
    };
    verdict.price = match verdict.kind {
        Some(ChangeKind::PriceDrop) => steps.drop.map(|(_, change)| change),
        Some(ChangeKind::PriceRise) => steps.rise.map(|(_, change)| change),
        _ => None,
    };
    verdict
}

/// Judges a product that the document does not have; answers whether it is gone.
///
/// One that `is_moved` goes on under another key, and its absence says nothing.
pub(super) fn absent(slots: &mut [Slot], is_moved: bool, poll: &Poll) -> bool {
    let before = Stock::of(slots.iter().map(|slot| &slot.row));
    for slot in slots.iter_mut() {
        if is_moved && !slot.row.is_moved {
            slot.row.is_moved = true;
            slot.row.is_doubted = false;
            slot.row.since = poll.now;
        } else {
            miss(&mut slot.row, poll);
        }
    }
    let after = Stock::of(slots.iter().map(|slot| &slot.row));
    !before.is_gone() && after.is_gone()
}

/// The rows of a product in document order, each once, at most `most` of them.
pub(super) fn places(here: &[Listing], most: usize) -> Vec<Place> {
    let mut places: Vec<Place> = here
        .chunk_by(|a, b| a.variant == b.variant)
        .filter_map(|run| run.iter().map(place).min())
        .collect();
    places.sort_unstable();
    places.dedup();
    places.truncate(most);
    places
}

pub(super) fn place(listing: &Listing) -> Place {
    Place { page: listing.page, place: listing.place }
}

fn fresh(listing: &Listing) -> Slot {
    let row = KnownListing {
        key: sheet::key(listing),
        link: listing.link,
        title: listing.title,
        fingerprint: listing.fingerprint,
        ..KnownListing::default()
    };
    Slot { row, stored: None, starts: None, before: None, is_seen: false }
}

/// The row is there, at one of the addresses and with one of the titles that it has now.
fn see(slot: &mut Slot, run: &[Listing], first: &Listing) {
    slot.is_seen = true;
    let row = &mut slot.row;
    (row.absent_polls, row.is_gone, row.is_moved) = (0, false, false);
    if !row.is_doubted {
        row.since = Timestamp::default();
    }
    if first.link != 0 && !run.iter().any(|listing| listing.link == row.link) {
        row.link = first.link;
    }
    if !run.iter().any(|listing| listing.title == row.title) {
        row.title = first.title;
    }
}

/// The listing that says the availability: one that says what was known, else the first.
fn first_stated<'a>(
    run: &'a [Listing],
    known: Option<&KnownListing>,
    first: &'a Listing,
) -> &'a Listing {
    let as_known =
        |listing: &&Listing| known.is_some_and(|known| known.availability == listing.availability);
    run.iter().find(as_known).unwrap_or(first)
}

/// Answers whether the content is another than the two that were known last.
fn edit(row: &mut KnownListing, run: &[Listing], first: &Listing) -> bool {
    let is_known = |it: &Listing| it.fingerprint == row.fingerprint || it.fingerprint == row.former;
    if run.iter().any(is_known) {
        return false;
    }
    row.former = row.fingerprint;
    row.fingerprint = first.fingerprint;
    true
}

/// The price that was told if any listing still has it, else the first one's.
fn stated_price(run: &[Listing], told: Option<Amount>) -> Option<Amount> {
    let first = || {
        let priced = run.iter().filter(|listing| listing.price.is_some());
        priced.min_by_key(|it| (it.page, it.place)).and_then(|listing| listing.price)
    };
    told.filter(|told| run.iter().any(|it| it.price == Some(*told))).or_else(first)
}

/// The row is not there.
fn miss(row: &mut KnownListing, poll: &Poll) {
    if row.is_moved || !poll.counts_absence {
        return;
    }
    if row.absent_polls == 0 {
        row.since = poll.now;
        row.is_doubted = false;
    }
    row.absent_polls = (row.absent_polls + 1).min(ABSENT_POLLS_MAX);
    if row.absent_polls >= ABSENT_POLLS && poll.now.since(row.since) >= ABSENT_FOR {
        row.is_gone = true;
    }
}

/// The largest steps among a product's variants.
#[derive(Default)]
struct Steps {
    drop: Option<(i64, PriceChange)>,
    rise: Option<(i64, PriceChange)>,
}

impl Steps {
    /// Compares a variant's price with the one told. What is told, or can't be compared, becomes
    /// the price told; what is too small a step or not to be believed does not.
    fn take(
        &mut self,
        row: &mut KnownListing,
        to: Amount,
        poll: &Poll,
        prices: &mut Vec<PriceSeen>,
        verdict: &mut Verdict,
    ) {
        let key = row.key;
        let Some(from) = row.told else {
            row.told = Some(to);
            prices.push(PriceSeen { key, from: None, to });
            return;
        };
        verdict.is_priced = true;
        let step = price::judge(from, to, &poll.rule);
        if step == Move::Absurd {
            verdict.doubted += 1;
            if !row.is_doubted {
                (row.is_doubted, row.since) = (true, poll.now);
            }
            if poll.now.since(row.since) < price::ABSURD_FOR {
                return;
            }
        }
        if row.is_doubted {
            (row.is_doubted, row.since) = (false, Timestamp::default());
        }
        if step != Move::Same || row.is_near {
            prices.push(PriceSeen { key, from: Some(from), to });
        }
        row.is_near = step == Move::Near;
        if !row.is_near {
            row.told = Some(to);
        }
        let change = PriceChange { key, from, to };
        let larger = |held: Option<(i64, PriceChange)>, share: i64| {
            held.filter(|(most, _)| *most >= share).or(Some((share, change)))
        };
        match step {
            Move::Drop(share) => self.drop = larger(self.drop, share),
            Move::Rise(share) => self.rise = larger(self.rise, share),
            Move::Currency => verdict.currencies += 1,
            Move::Same | Move::Near | Move::Absurd => {}
        }
    }
}
