//! What is kept of a poll, and for how long.
//!
//! Nothing is forgotten by counting what a document lists: a row goes only when it was not seen
//! for [`KEPT_FOR`] before the newest sighting of anything, so that a source which was switched
//! off or empty for years finds everything as it was.

use std::time::Duration;

use crate::diff::Content;
use crate::diff::document::Document;
use crate::diff::identity::{CHURNS_DISTRUSTED, Rows, Sight};
use crate::diff::index::{Rung, narrow, of_row};
use crate::model::known::{Known, KnownItem};
use crate::model::time::Timestamp;

/// How long a row outlives its last sighting, measured to the newest sighting of the source.
pub const KEPT_FOR: Duration = Duration::from_secs(400 * 86_400);

/// How far behind `last_seen` may be: a document that tells nothing else is written once a day.
pub const LAST_SEEN_SLACK: Duration = Duration::from_secs(86_400);

/// Most rows of one source (12 MB); beyond it those seen longest ago go. A source that makes up
/// new items at every poll must not fill the disk.
pub const KNOWN_ROWS_MAX: usize = 250_000;

/// Most rows of one item; further ids take the place of the newest.
const ALIASES_MAX: usize = 4;

/// Everything as it stands in a first document.
pub(super) fn baseline(document: &Document<'_>, now: Timestamp) -> Known {
    let named = (0..document.count()).filter(|item| document.is_named(*item));
    let entries = named.map(|item| row_of(document, item, now)).collect();
    Known { entries, id_churns: 0 }
}

/// What is known after a poll; `None` when nothing changed that must be kept now.
pub(super) fn remember(
    document: &Document<'_>,
    sights: &[Sight],
    contents: &[Content],
    rows: &Rows<'_>,
    churns: (u32, u32),
    now: Timestamp,
) -> Option<Known> {
    let (churns_before, id_churns) = churns;
    let is_distrusted = id_churns >= CHURNS_DISTRUSTED;
    let must_be_kept = |(sight, content): (&Sight, &Content)| match *sight {
        Sight::New => true,
        Sight::Renamed { .. } if !is_distrusted => true,
        Sight::Known { row } | Sight::Renamed { row, .. } => {
            matches!(content, Content::Edited | Content::Returned)
                || now.since(rows.rows[row].last_seen) >= LAST_SEEN_SLACK
        }
        Sight::Nameless => false,
    };
    if churns_before == id_churns && !sights.iter().zip(contents).any(must_be_kept) {
        return None;
    }
    let mut entries = rows.rows.to_vec();
    for (item, (sight, content)) in sights.iter().zip(contents).enumerate() {
        let fresh = row_of(document, item, now);
        match *sight {
            Sight::New => entries.push(fresh),
            Sight::Known { row } => see(&mut entries[row], &fresh, *content),
            Sight::Renamed { row, by } => {
                let known_by = of_row(&rows.rows[row], by);
                let aliases = rows.places(by, known_by).count();
                if is_distrusted || aliases >= ALIASES_MAX {
                    see(&mut entries[row], &fresh, *content);
                } else {
                    let mut alias = rows.rows[row];
                    see(&mut alias, &fresh, *content);
                    entries.push(alias);
                }
            }
            Sight::Nameless => {}
        }
    }
    forget(&mut entries, rows.rows, now);
    Some(Known { entries, id_churns })
}

/// Brings a row up to date; a rung that the document does not have stays.
fn see(row: &mut KnownItem, fresh: &KnownItem, content: Content) {
    let newer = |new: u64, old: u64| if new == 0 { old } else { new };
    row.id = newer(fresh.id, row.id);
    row.id_alias = newer(fresh.id_alias, row.id_alias);
    row.link = newer(fresh.link, row.link);
    row.title_date = newer(fresh.title_date, row.title_date);
    row.last_seen = row.last_seen.max(fresh.last_seen);
    if content != Content::Same {
        row.title = fresh.title;
        row.former = row.fingerprint;
        row.fingerprint = fresh.fingerprint;
    }
}

fn row_of(document: &Document<'_>, item: usize, now: Timestamp) -> KnownItem {
    let keys = document.keys.get(document.first(item));
    let id = document.value(item, Rung::Id);
    let link = document.value(item, Rung::Link);
    // Of several contents under one item that has nothing else, one that finds it again.
    let own = if id == 0 && link == 0 { document.values(item, Rung::Content).next() } else { None };
    KnownItem {
        id,
        id_alias: document.value(item, Rung::Alias),
        link,
        title_date: document.value(item, Rung::TitleDate),
        title: keys.and_then(|keys| keys.title).map_or(0, narrow),
        fingerprint: narrow(own.or(keys.map(|keys| keys.fingerprint)).unwrap_or(0)),
        former: 0,
        last_seen: now,
    }
}

fn forget(entries: &mut Vec<KnownItem>, before: &[KnownItem], now: Timestamp) {
    if let Some(newest) = before.iter().map(|row| row.last_seen).max() {
        let oldest_kept = newest.min(now) - KEPT_FOR;
        entries.retain(|row| row.last_seen >= oldest_kept);
    }
    if entries.len() > KNOWN_ROWS_MAX {
        let mut seen: Vec<_> = entries.iter().map(|row| row.last_seen).collect();
        let excess = entries.len() - KNOWN_ROWS_MAX;
        let (_, oldest_kept, _) = seen.select_nth_unstable(excess);
        let oldest_kept = *oldest_kept;
        entries.retain(|row| row.last_seen >= oldest_kept);
    }
}
