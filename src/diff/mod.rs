//! Items beside what is known: what is new, what was edited, and what is to be remembered.
//!
//! Pure: no clock, no store, no document but its hashed keys. Decided by identity and content
//! alone: dates decide nothing but an order, leaving a document is no removal, and a document that
//! shrinks or empties and grows back tells nothing. What can't be told apart is not told at all.
//!
//! Cost: a few sorts of the document's and the source's hashes, no allocation an item.

pub mod catalog;

mod document;

mod identity;

mod index;

mod memory;

pub use memory::{KEPT_FOR, KNOWN_ROWS_MAX, LAST_SEEN_SLACK};

use crate::diff::document::Document;
use crate::diff::identity::{CHURNS_DISTRUSTED, Rows, Sight, Sights, identify};
use crate::diff::index::{Rung, narrow, of_row};
use crate::model::campaign::ChangeKind;
use crate::model::known::{Keys, Known, KnownItem};
use crate::model::source::FloodRule;
use crate::model::time::Timestamp;

/// Most new items of a held poll that come as changes: the newest.
pub const HELD_ITEMS_MAX: usize = 100;

/// Churns are counted up to here, so that a source can earn its trust back in a few changes.
const CHURNS_MAX: u32 = 3;

/// From so many edits in one poll on, and more than half of the document, it is the template that
/// changed and not the texts.
const REWRITTEN_ITEMS_MIN: usize = 5;

/// How a source's changes are judged.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rules {
    /// How many of the newest items are new at the first poll.
    pub first_newest: u32,
    pub flood: FloodRule,
    /// Contents that are again what they were before their last edit are told in `Diff::returned`,
    /// and from then on the other one is the content before.
    pub follows_returns: bool,
}

/// What one poll says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diff {
    /// Oldest first; each item at most once. When held, of the new ones the newest
    /// [`HELD_ITEMS_MAX`].
    pub changes: Vec<Change>,
    /// Items that read again as before their last edit: no news, but what was told of them since is
    /// wrong. Empty unless the rules ask for them.
    pub returned: Vec<Change>,
    /// The new items among the changes are not to be sent before somebody said so.
    pub held: Option<Held>,
    /// To be kept in place of what was known; `None` leaves that as it is.
    pub known: Option<Known>,
    /// One line for people about what is odd with the source.
    pub remark: Option<String>,
}

/// One thing that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The entry of the document; of several entries of one item the first.
    pub index: usize,
    pub kind: ChangeKind,
    /// What names the item: its entry's keys without the rungs that it shares with other items of
    /// the document, and for a known item with the rungs under which it was known. Who names
    /// items by their best rung uses these, or several items may get one name.
    pub keys: Keys,
}

/// Why new items are held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// How many are new.
    pub items: u32,
    /// One line for people.
    pub reason: String,
}

/// Compares a document with what is known of its source.
///
/// `keys` and `dates` are the document's entries in its order; a missing date counts as `now`, a
/// later one too. Without `known` this is the first poll: everything becomes known, and the
/// `first_newest` newest items are new. Permuting the document changes nothing but which of
/// several entries stands for an item.
///
/// An edit is told once; content that flips between two forms is a change at its first flip. More
/// than half of a document edited at once is a new template, and told to people only.
pub fn compare(
    keys: &[Keys],
    dates: &[Option<Timestamp>],
    known: Option<&Known>,
    rules: &Rules,
    now: Timestamp,
) -> Diff {
    let document = Document::new(keys);
    let order = Order::of(dates, now);
    let Some(known) = known else {
        return first(&document, &order, rules, now);
    };
    let rows = Rows::new(&known.entries);
    let sights = identify(&document, &rows, known);
    let contents = contents(&document, &sights.items, &rows, rules.follows_returns);
    let is_edit = |content: &Content| matches!(content, Content::Edited | Content::Returned);
    let edited = contents.iter().filter(|content| is_edit(content)).count();
    let is_rewritten = edited >= REWRITTEN_ITEMS_MIN && edited * 2 > document.count();

    let mut changes = Vec::new();
    let mut returned = Vec::new();
    let mut news = 0usize;
    for (item, (sight, content)) in sights.items.iter().zip(&contents).enumerate() {
        let kind = match sight {
            Sight::New => ChangeKind::New,
            _ if is_edit(content) && !is_rewritten => ChangeKind::Updated,
            _ => continue,
        };
        news += usize::from(kind == ChangeKind::New);
        let row = match *sight {
            Sight::Known { row } | Sight::Renamed { row, .. } => known.entries.get(row),
            Sight::New | Sight::Nameless => None,
        };
        let change = change(&document, item, kind, row);
        match content {
            Content::Returned => returned.push(change),
            _ => changes.push(change),
        }
    }
    order.sort(&mut changes);

    let held = flood(news, document.count(), &rules.flood).map(|mut held| {
        held.reason.push_str(why(&document, &sights, &rows, &order));
        held
    });
    if held.is_some() {
        let mut surplus = news.saturating_sub(HELD_ITEMS_MAX);
        changes.retain(|change| {
            let is_surplus = change.kind == ChangeKind::New && surplus > 0;
            surplus -= usize::from(is_surplus);
            !is_surplus
        });
    }
    let id_churns = count_churns(known.id_churns, &sights, news);
    let churns = (known.id_churns, id_churns);
    Diff {
        changes,
        returned,
        held,
        known: memory::remember(&document, &sights.items, &contents, &rows, churns, now),
        remark: remark(&sights, id_churns, is_rewritten.then_some(edited)),
    }
}

fn first(document: &Document<'_>, order: &Order<'_>, rules: &Rules, now: Timestamp) -> Diff {
    let mut changes: Vec<_> = (0..document.count())
        .filter(|item| document.is_named(*item))
        .map(|item| change(document, item, ChangeKind::New, None))
        .collect();
    order.sort(&mut changes);
    let older = changes.len().saturating_sub(rules.first_newest as usize);
    changes.drain(..older);
    Diff { changes, known: Some(memory::baseline(document, now)), ..Diff::default() }
}

fn change(
    document: &Document<'_>,
    item: usize,
    kind: ChangeKind,
    row: Option<&KnownItem>,
) -> Change {
    let index = document.first(item);
    let stated = document.keys[index];
    let own = |rung: Rung| {
        let known = row.map_or(0, |row| of_row(row, rung));
        let value = if known != 0 { known } else { document.value(item, rung) };
        (value != 0).then_some(value)
    };
    let keys = Keys {
        id: own(Rung::Id),
        id_alias: own(Rung::Alias),
        link: own(Rung::Link),
        title_date: own(Rung::TitleDate),
        ..stated
    };
    Change { index, kind, keys }
}

/// What became of an item's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    /// As its row has it, or had it before.
    Same,
    /// As another row of the item has it: not to be told, but to be kept.
    Moved,
    Edited,
    /// As its row had it before the last edit, where that is followed.
    Returned,
}

/// The contents by item.
fn contents(
    document: &Document<'_>,
    sights: &[Sight],
    rows: &Rows<'_>,
    follows_returns: bool,
) -> Vec<Content> {
    let content = |(item, sight): (usize, &Sight)| {
        let (Sight::Known { row } | Sight::Renamed { row, .. }) = *sight else {
            return Content::Same;
        };
        let is_told = |row: &KnownItem| {
            document.entries(item).any(|entry| {
                let print = narrow(document.keys[entry].fingerprint);
                print == row.fingerprint || print == row.former
            })
        };
        // Of several entries the first has what is to be known.
        let is_back = |row: &KnownItem| {
            let print = |entry: usize| narrow(document.keys[entry].fingerprint);
            follows_returns
                && print(document.first(item)) == row.former
                && document.entries(item).all(|entry| print(entry) != row.fingerprint)
        };
        let is_told_elsewhere = || {
            [Rung::Id, Rung::Alias, Rung::Link].into_iter().any(|rung| {
                let mut own = document.values(item, rung);
                own.any(|value| rows.places(rung, value).any(|at| is_told(&rows.rows[at])))
            })
        };
        if is_back(&rows.rows[row]) {
            Content::Returned
        } else if is_told(&rows.rows[row]) {
            Content::Same
        } else if is_told_elsewhere() {
            Content::Moved
        } else {
            Content::Edited
        }
    };
    sights.iter().enumerate().map(content).collect()
}

fn flood(news: usize, items: usize, rule: &FloodRule) -> Option<Held> {
    // Both are counts far below 2^24, where a 32-bit float still holds every integer.
    #[expect(clippy::cast_precision_loss, reason = "counts of items are small")]
    let share = news as f32 / items.max(1) as f32;
    (news > rule.items as usize && share > rule.share).then(|| Held {
        items: document::place(news),
        reason: format!("{news} of {items} items are new at once"),
    })
}

/// What lies behind so many new items, as far as it shows.
///
/// 1. All of them are dated, and older than the newest known item of the document, or than the
///    last look if it has none: what comes is not of today.
/// 2. Less than half of what was there lately is there now: the identities may have changed.
///
/// Otherwise they were added all at once.
fn why(
    document: &Document<'_>,
    sights: &Sights,
    rows: &Rows<'_>,
    order: &Order<'_>,
) -> &'static str {
    let found = sights.items.iter().filter(|sight| !matches!(sight, Sight::New)).count();
    let looked_at = rows.rows.iter().map(|row| row.last_seen).max();
    let lately = looked_at.map_or(0, |at| {
        rows.rows.iter().filter(|row| row.last_seen + LAST_SEEN_SLACK >= at).count()
    });
    let dates = |is_new: bool| {
        let items = sights.items.iter().enumerate();
        items
            .filter(move |(_, sight)| matches!(sight, Sight::New) == is_new)
            .map(|(item, _)| order.date(document.first(item)))
    };
    let newest_known = dates(false).flatten().max();
    let last_look = looked_at.map(|at| at - LAST_SEEN_SLACK);
    let is_older = |date: Option<Timestamp>| {
        date.zip(newest_known.or(last_look)).is_some_and(|(date, known)| date < known)
    };
    if dates(true).all(is_older) {
        ", all older than what was known: an archive"
    } else if found * 2 < lately {
        ", and most of what was known is missing: ids and addresses may have changed"
    } else {
        ": an import"
    }
}

/// One more at a churn, one less at a change that left the ids as they were.
fn count_churns(before: u32, sights: &Sights, news: usize) -> u32 {
    if sights.churned > 0 {
        (before + 1).min(CHURNS_MAX)
    } else if news > 0 && sights.ids_known * 2 > sights.ids && sights.ids > 0 {
        before.saturating_sub(1)
    } else {
        before
    }
}

fn remark(sights: &Sights, id_churns: u32, rewritten: Option<usize>) -> Option<String> {
    let mut remarks = Vec::new();
    if sights.churned > 0 {
        let habit = if id_churns >= CHURNS_DISTRUSTED { ", as before: links decide" } else { "" };
        let churned = sights.churned;
        remarks.push(format!("{churned} items have new ids under known links{habit}"));
    }
    if sights.shuffled > 0 {
        let moved = sights.shuffled;
        remarks.push(format!("{moved} ids moved to other items: links decide"));
    }
    if let Some(edited) = rewritten {
        remarks.push(format!("{edited} items were rewritten at once: taken as a new template"));
    }
    let nameless = sights.items.iter().filter(|sight| **sight == Sight::Nameless).count();
    if nameless > 0 {
        remarks.push(format!("{nameless} items can't be told apart and are left out"));
    }
    (!remarks.is_empty()).then(|| remarks.join("; "))
}

/// Oldest first, by date, and where dates are missing or equal by the document's own direction.
struct Order<'a> {
    dates: &'a [Option<Timestamp>],
    now: Timestamp,
    is_newest_first: bool,
}

impl<'a> Order<'a> {
    fn of(dates: &'a [Option<Timestamp>], now: Timestamp) -> Self {
        let stated: Vec<_> = dates.iter().flatten().collect();
        let rising = stated.windows(2).filter(|pair| pair[0] < pair[1]).count();
        let falling = stated.windows(2).filter(|pair| pair[0] > pair[1]).count();
        Self { dates, now, is_newest_first: falling >= rising }
    }

    fn date(&self, index: usize) -> Option<Timestamp> {
        self.dates.get(index).copied().flatten()
    }

    fn sort(&self, changes: &mut [Change]) {
        changes.sort_by_key(|change| {
            let date = self.date(change.index);
            let place = if self.is_newest_first { usize::MAX - change.index } else { change.index };
            (date.unwrap_or(self.now).min(self.now), place)
        });
    }
}

#[cfg(test)]
mod tests;
