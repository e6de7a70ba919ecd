//! Catalogs as polls: through the same scan, diff and pick as the daemon's, with the shelf in
//! memory.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs::File;
use std::io::{Read, Seek};
use std::ops::Bound;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cli::replay::{Args, change_json, failed, instant, tell_held, tell_remark, unavailable};
use crate::cli::{Failure, output};
use crate::diff::catalog::{self as diff, Change, Diff, Facts, Place, Rules};
use crate::extract::catalog::unpack::{self, Packing};
use crate::extract::catalog::{self, Options, Row, Scan};
use crate::extract::{Entry, NotADocument, Quality};
use crate::model::campaign::ChangeKind;
use crate::model::listing::Listing;
use crate::model::name::Name;
use crate::model::shelf::{Block, ShelfKey, ShelfState, ShelfWrite};
use crate::model::source::{CatalogFormat, Mapping};
use crate::model::time::Timestamp;

/// Most rows of a version.
const ROWS_MAX: usize = 3_000_000;

/// Longest version that is unpacked.
const UNPACKED_BYTES_MAX: u64 = 4 << 30;

/// What the versions so far have told.
#[derive(Default)]
struct Shop {
    shelf: BTreeMap<ShelfKey, Block>,
    state: Option<ShelfState>,
    /// The versions that could be read, and what they were.
    seen: Vec<(PathBuf, CatalogFormat)>,
}

/// Answers how many versions could be read.
pub(super) fn replay(args: &Args, source: &Name) -> Result<usize, Failure> {
    let mut shop = Shop::default();
    let mapping = Mapping { row: args.catalog.row.clone(), fields: args.catalog.fields.clone() };
    for (poll, file) in args.files.iter().enumerate() {
        let options = options(args, &mapping, args.catalog.format, instant(poll));
        let mut listings = Vec::new();
        let opened = open(file)?.and_then(|mut document| {
            let each = &mut |listing| listings.push(listing);
            catalog::scan(&mut document, &options, each).map(|scan| (document, scan))
        });
        let (mut document, scan) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                failed(poll, file, &error);
                continue;
            }
        };
        for remark in &scan.remarks {
            tell_remark(poll, Some(remark));
        }
        let diff = shop.poll(listings, &scan, options.now);
        for held in &diff.held {
            tell_held(poll, held.items, &held.reason);
        }
        let told = told(&diff);
        let rows = pick(&mut document, &options, scan.format, &places(&told));
        let mut rows = match rows {
            Ok(rows) => rows,
            Err(error) => {
                failed(poll, file, &error);
                continue;
            }
        };
        for change in told {
            let entry = match change.places.as_slice() {
                [] => shop.last_seen(args, &mapping, change)?,
                places => entry(&mut rows, places, options.now),
            };
            let Some(entry) = entry else { continue };
            let mut line = change_json(poll, change.kind, entry, source, options.now);
            if let Some(price) = change.price {
                line["from"] = json!(price.from.decimal());
                line["to"] = json!(price.to.decimal());
            }
            output::say(&line.to_string());
        }
        tell_remark(poll, diff.remark.as_deref());
        shop.seen.push((file.clone(), scan.format));
    }
    Ok(shop.seen.len())
}

/// The document, unpacked: one that is packed lies in an unnamed file.
fn open(path: &Path) -> Result<Result<File, NotADocument>, Failure> {
    let mut file = File::open(path).map_err(|error| unavailable(path, &error))?;
    let mut head = [0; 4];
    let read = file.read(&mut head).map_err(|error| unavailable(path, &error))?;
    file.rewind().map_err(|error| unavailable(path, &error))?;
    if unpack::packing(head.get(..read).unwrap_or_default()) == Packing::None {
        return Ok(Ok(file));
    }
    let mut plain = tempfile::tempfile().map_err(|error| unavailable(path, &error))?;
    Ok(unpack::plain(file, &mut plain, UNPACKED_BYTES_MAX).map(|_| plain))
}

fn options<'a>(
    args: &'a Args,
    mapping: &'a Mapping,
    format: CatalogFormat,
    now: Timestamp,
) -> Options<'a> {
    Options {
        format,
        mapping: Some(mapping),
        base: &args.base,
        content_type: None,
        currency: args.catalog.currency,
        now,
        items_max: ROWS_MAX,
    }
}

/// What is held is told once, by its number.
fn told(diff: &Diff) -> Vec<&Change> {
    let is_held = |kind: ChangeKind| diff.held.iter().any(|held| held.kind == kind);
    diff.changes.iter().filter(|change| !is_held(change.kind)).collect()
}

fn places(changes: &[&Change]) -> Vec<u64> {
    let places = changes.iter().flat_map(|change| &change.places);
    let mut places: Vec<u64> = places.map(|place| place.place).collect();
    places.sort_unstable();
    places.dedup();
    places
}

fn pick(
    document: &mut File,
    options: &Options<'_>,
    format: CatalogFormat,
    places: &[u64],
) -> Result<BTreeMap<u64, Row>, NotADocument> {
    if places.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = catalog::pick(document, options, format, places)?;
    Ok(rows.into_iter().map(|row| (row.place, row)).collect())
}

fn entry(rows: &mut BTreeMap<u64, Row>, places: &[Place], now: Timestamp) -> Option<Entry> {
    let rows = places.iter().filter_map(|place| rows.remove(&place.place)).collect();
    catalog::listing::join(rows, now)
}

impl Shop {
    fn poll(&mut self, listings: Vec<Listing>, scan: &Scan, now: Timestamp) -> Diff {
        let shelf = &self.shelf;
        let mut known = |after: Option<ShelfKey>| -> Result<Option<Block>, Infallible> {
            let from = after.map_or(Bound::Unbounded, Bound::Excluded);
            Ok(shelf.range((from, Bound::Unbounded)).next().map(|(_, block)| block.clone()))
        };
        let facts = Facts {
            is_whole: scan.quality == Quality::Whole
                && !scan.is_window
                && scan.lost == 0
                && scan.next.is_none(),
            is_cut: scan.quality == Quality::Truncated,
            now,
        };
        let state = self.state.as_ref();
        let Ok(diff) = diff::compare(listings, state, &mut known, &facts, &Rules::default());
        for write in &diff.writes {
            match write {
                ShelfWrite::Put(block) => drop(self.shelf.insert(block.first, block.clone())),
                ShelfWrite::Remove(name) => drop(self.shelf.remove(name)),
            }
        }
        self.state = Some(diff.state.clone());
        diff
    }

    /// The product as the last version that had it has it.
    fn last_seen(
        &self,
        args: &Args,
        mapping: &Mapping,
        change: &Change,
    ) -> Result<Option<Entry>, Failure> {
        let is_it =
            |it: &Listing| it.product == change.product || it.link != 0 && it.link == change.link;
        for (poll, (file, format)) in self.seen.iter().enumerate().rev() {
            let Ok(mut document) = open(file)? else { continue };
            let options = options(args, mapping, *format, instant(poll));
            let mut places = Vec::new();
            let mut each = |listing: Listing| {
                if is_it(&listing) {
                    places.push(listing.place);
                }
            };
            if catalog::scan(&mut document, &options, &mut each).is_err() || places.is_empty() {
                continue;
            }
            places.sort_unstable();
            places.dedup();
            let picked = catalog::pick(&mut document, &options, *format, &places);
            return Ok(picked.ok().and_then(|rows| catalog::listing::join(rows, options.now)));
        }
        Ok(None)
    }
}
