//! A catalog's listings beside its shelf: what is new, dearer, cheaper, back, gone or edited.
//!
//! Pure, and bounded: the rows of the shelf stream through in blocks, listings are given back as
//! they are used, and only blocks in which something changed come out again. So a catalog of a
//! million products costs the memory of its listings and little more, and one that did not change
//! costs no write.
//!
//! Everything is decided by the rules of identity and change, never by dates or by the order of
//! the document; where the document may be wrong, nothing is told.

mod sheet;

mod reader;

mod identity;

mod stock;

mod price;

mod product;

mod writer;

mod tally;

mod merge;

pub use product::{ABSENT_FOR, ABSENT_POLLS};

use std::time::Duration;

use crate::diff::CHURNS_DISTRUSTED;
use crate::diff::catalog::identity::Identity;
use crate::diff::catalog::merge::{Merge, Unknown};
use crate::diff::catalog::product::Poll;
use crate::diff::catalog::reader::Reader;
use crate::diff::catalog::sheet::Sheet;
use crate::diff::catalog::tally::Tally;
use crate::diff::catalog::writer::Writer;
use crate::model::campaign::ChangeKind;
use crate::model::listing::Listing;
use crate::model::offer::Amount;
use crate::model::price::PriceSeen;
use crate::model::shelf::{Block, ShelfKey, ShelfState, ShelfWrite};
use crate::model::source::{FloodRule, PriceRule};
use crate::model::time::Timestamp;

/// How a catalog's changes are judged.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rules {
    /// How many of the newest products are new at the first poll: the first of the document.
    pub first_newest: u32,
    pub flood: FloodRule,
    pub price: PriceRule,
}

/// What the poll knows of the documents that the listings are from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Everything that the catalog has was asked for and came as it was written: every page, to
    /// its end, unrepaired, and it is no window. Only then is absence counted.
    pub is_whole: bool,
    /// Rows are missing that a better poll would have: a page or an end did not come. A window is
    /// not cut, nor is a document that was repaired.
    pub is_cut: bool,
    /// The instant that the listings' prices hold for.
    pub now: Timestamp,
}

/// What one poll says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diff {
    /// Oldest first; each product at most once. Of a kind that is held, at most the newest
    /// [`HELD_ITEMS_MAX`](crate::diff::HELD_ITEMS_MAX).
    pub changes: Vec<Change>,
    /// Kinds of which too many came at once: those among the changes are not to be sent before
    /// somebody said so. Each kind at most once.
    pub held: Vec<Held>,
    /// To be done to the shelf, ascending by block.
    pub writes: Vec<ShelfWrite>,
    /// For the price histories, ascending by key.
    pub prices: Vec<PriceSeen>,
    /// To be kept in place of the state before.
    pub state: ShelfState,
    /// One line for people about what is odd with the source.
    pub remark: Option<String>,
    /// Products of the documents, repetitions not counted.
    pub products: u32,
    /// Products of the shelf that these documents do not have.
    pub missing: u32,
}

/// One thing that happened to a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What names the product on its shelf.
    pub product: u64,
    pub kind: ChangeKind,
    /// Every row of the product in this poll, in document order; empty for what is gone.
    pub places: Vec<Place>,
    /// Of price drops and rises.
    pub price: Option<PriceChange>,
    /// The canonical link, hashed; 0 without one. As it was known, for what is gone.
    pub link: u64,
    /// The title, hashed; 0 without one.
    pub title: u32,
}

/// Where a row stands among the documents of a poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub page: u16,
    pub place: u64,
}

/// The move of a product's price: that of the variant with the largest share off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceChange {
    pub key: ShelfKey,
    /// The price last told.
    pub from: Amount,
    pub to: Amount,
}

/// Why changes of a kind are held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub kind: ChangeKind,
    /// How many there are.
    pub items: u32,
    /// One line for people.
    pub reason: String,
}

/// Compares a poll's listings with the shelf, which the poll before left in `state`.
///
/// `known` gives the first block whose name is greater than its argument (any, for `None`), and
/// `None` at the end; it is gone through three or four times. Without a `state` this is the first
/// poll, and the shelf is not looked at: everything becomes known, and the first `first_newest`
/// products of the document are new.
///
/// # Errors
/// What `known` fails with.
pub fn compare<E>(
    listings: Vec<Listing>,
    state: Option<&ShelfState>,
    known: &mut dyn FnMut(Option<ShelfKey>) -> Result<Option<Block>, E>,
    facts: &Facts,
    rules: &Rules,
) -> Result<Diff, E> {
    let before = state.cloned().unwrap_or_else(|| ShelfState {
        begun_at: facts.now,
        partial_polls: facts.is_cut.then_some(0),
        ..ShelfState::default()
    });
    let mut is_distrusted = u32::from(before.id_churns) >= CHURNS_DISTRUSTED;
    let mut sheet = Sheet::new(listings, is_distrusted);
    let rows = sheet.rows();
    let mut identity = match state {
        Some(_) => Identity::find(&sheet, known)?,
        None => Identity::of_first(&sheet),
    };
    let shuffled = identity.shuffled;
    if shuffled > 0 {
        is_distrusted = true;
        sheet = sheet.by_links();
        identity = Identity::find(&sheet, known)?;
        identity.shuffled = shuffled;
    }
    let length = Length::of(rows, &before, facts);
    let unknown = match state {
        None => Unknown::Baseline { newest: rules.first_newest as usize },
        Some(_) if before.partial_polls.is_some() => Unknown::Baseline { newest: 0 },
        Some(_) => Unknown::News,
    };
    let mut merge = Merge {
        known: if state.is_some() { Reader::new(known) } else { Reader::empty(known) },
        identity: &identity,
        poll: Poll {
            now: in_minutes(facts.now),
            counts_absence: facts.is_whole && length != Length::Short,
            rule: rules.price,
        },
        tally: Tally::new(rules.flood, identity.products),
        writer: Writer::default(),
        prices: Vec::new(),
        unknown,
        drops_moved: is_distrusted,
        excess: (before.rows as usize + identity.fresh_rows).saturating_sub(ROWS_MAX),
        slots: Vec::new(),
    };
    while let Some(segment) = sheet.take_segment() {
        for here in segment.chunk_by(|a, b| a.product == b.product) {
            merge.product(here)?;
        }
    }
    merge.rest()?;
    let Merge { mut tally, writer, prices, .. } = merge;
    let (writes, rows_kept) = writer.finish();
    let mut after = next_state(&before, length, rows, facts);
    after.rows = count(rows_kept);
    after.id_churns = count_churns(&after, &identity);
    let remarks = tally.remarks(&identity, after.id_churns, length == Length::Short);
    let missing = tally.missing;
    let (changes, held) = match unknown {
        Unknown::Baseline { newest } if state.is_none() => (tally.newest(newest), Vec::new()),
        _ => tally.settle(),
    };
    Ok(Diff {
        changes,
        held,
        writes,
        prices,
        state: after,
        remark: (!remarks.is_empty()).then(|| remarks.join("; ")),
        products: count(identity.products),
        missing,
    })
}

/// Most rows of a shelf (190 MB). Beyond it rows of missing products are dropped, any of them.
pub const ROWS_MAX: usize = 3_000_000;

/// A document of less than half of the usual rows that stays so for this long is the usual one.
pub const SHORT_FOR: Duration = Duration::from_secs(3 * 86_400);

/// So many polls after the first one that was cut, the catalog is taken as known whatever came.
const PARTIAL_POLLS_MAX: u8 = 3;

/// Churns are counted up to here.
const ID_CHURNS_MAX: u8 = 3;

/// Whether a document is as long as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    Usual,
    /// Less than half: it proves no absence.
    Short,
}

impl Length {
    fn of(rows: usize, before: &ShelfState, facts: &Facts) -> Self {
        let is_short = rows.saturating_mul(2) < before.usual_rows as usize;
        let since = before.short_since.unwrap_or(facts.now);
        let is_believed = facts.is_whole && facts.now.since(since) >= SHORT_FOR;
        if is_short && !is_believed { Self::Short } else { Self::Usual }
    }
}

fn next_state(before: &ShelfState, length: Length, rows: usize, facts: &Facts) -> ShelfState {
    let is_usual = facts.is_whole && length == Length::Usual;
    let partial = before.partial_polls.filter(|polls| facts.is_cut && *polls < PARTIAL_POLLS_MAX);
    ShelfState {
        usual_rows: if is_usual { count(rows) } else { before.usual_rows },
        short_since: match length {
            Length::Short => before.short_since.or(Some(facts.now)),
            Length::Usual => None,
        },
        partial_polls: partial.map(|polls| polls + 1),
        ..before.clone()
    }
}

/// One more at a churn. One less at a poll that left the ids as they were and had a new one, but
/// not once links decide: then nobody looks at the ids.
fn count_churns(state: &ShelfState, identity: &Identity) -> u8 {
    let unknown = identity.ids - identity.ids_known;
    if identity.shuffled > 0 {
        ID_CHURNS_MAX
    } else if identity.churned > 0 {
        state.id_churns.saturating_add(1).min(ID_CHURNS_MAX)
    } else if u32::from(state.id_churns) < CHURNS_DISTRUSTED
        && unknown > 0
        && identity.ids_known > unknown
    {
        state.id_churns.saturating_sub(1)
    } else {
        state.id_churns
    }
}

fn in_minutes(now: Timestamp) -> Timestamp {
    Timestamp::from_millis(now.as_millis().div_euclid(60_000) * 60_000)
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
