//! From a document to what is committed: read, compared, planned. Runs on the blocking pool.

use std::time::Duration;

use url::Url;

use crate::diff::{self, Rules};
use crate::extract::{Entry, NotADocument, Quality, feed};
use crate::model::campaign::{Campaign, ChangeKind};
use crate::model::item::Item;
use crate::model::known::{Keys, Known};
use crate::model::post::{Content, Draft, Flood, Told};
use crate::model::source::{Source, SourceKind};
use crate::model::time::Timestamp;
use crate::plan;

/// What a document says beside what is known.
#[derive(Debug)]
pub(crate) struct Reading {
    /// See [`crate::poll::spool::hash`].
    pub hash: u64,
    /// How many entries the document has.
    pub items: u32,
    pub new: u32,
    pub updated: u32,
    /// New items that wait for the admins' word; not counted as new.
    pub held: u32,
    pub remark: Option<String>,
    pub ttl: Option<Duration>,
    /// The document was complete.
    pub is_whole: bool,
    pub known: Option<Known>,
    /// Only what a draft names.
    pub kept: Vec<Item>,
    pub drafts: Vec<Draft>,
}

/// A document, and what it is read beside.
pub(crate) struct Page<'a> {
    pub bytes: &'a [u8],
    pub content_type: Option<&'a str>,
    /// The address that gave it.
    pub url: &'a Url,
    pub hash: u64,
    /// With more items it is not read.
    pub items_max: usize,
}

/// Reads the document, compares it with what is known and plans what follows.
///
/// Only items that a draft names are sanitised: the first poll of many sources stays cheap.
///
/// # Errors
/// [`NotADocument`] when it is none of the source's kind.
pub(crate) fn read(
    page: &Page<'_>,
    source: &Source,
    known: Option<&Known>,
    campaigns: &[Campaign],
    now: Timestamp,
) -> Result<Reading, NotADocument> {
    let document = match source.kind {
        SourceKind::Feed => {
            feed::read_within(page.bytes, page.content_type, page.url, page.items_max)?
        }
        // The settings name no other kind yet.
        _ => return Err(NotADocument::NotMarkup),
    };
    let keys: Vec<Keys> = document.entries.iter().map(|entry| entry.keys).collect();
    let dates: Vec<Option<Timestamp>> =
        document.entries.iter().map(|entry| entry.published.or(entry.updated)).collect();
    let rules = Rules { first_newest: source.first_newest, flood: source.flood };
    let diff = diff::compare(&keys, &dates, known, &rules, now);

    let is_wanted = campaigns.iter().any(|campaign| campaign.sources.contains(&source.name));
    let (mut kept, mut drafts) = (Vec::new(), Vec::new());
    if is_wanted && !diff.changes.is_empty() {
        let mut entries: Vec<Option<Entry>> = document.entries.into_iter().map(Some).collect();
        let mut told = Vec::new();
        for change in &diff.changes {
            let Some(mut entry) = entries.get_mut(change.index).and_then(Option::take) else {
                continue;
            };
            // Of several items under one guid each is named by what is its own.
            entry.keys = change.keys;
            let item = entry.into_item(&source.name, now);
            told.push(Told { item: item.id, kind: change.kind, price: None });
            kept.push(item);
        }
        let flood = diff.held.as_ref().map(|held| Flood {
            source: source.name.clone(),
            kinds: vec![ChangeKind::New],
            items: held.items,
            reason: held.reason.clone(),
        });
        drafts = plan::drafts(&source.name, &told, flood.as_ref(), campaigns, now);
        kept.retain(|item| drafts.iter().any(|draft| names(draft, item)));
    }

    let count = |kind| diff.changes.iter().filter(|change| change.kind == kind).count();
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let held = diff.held.as_ref().map_or(0, |held| held.items);
    Ok(Reading {
        hash: page.hash,
        items: number(keys.len()),
        new: if held > 0 { 0 } else { number(count(ChangeKind::New)) },
        updated: number(count(ChangeKind::Updated)),
        held,
        remark: remark(document.quality, document.facts.expired, diff.remark),
        ttl: document.facts.ttl,
        is_whole: document.quality != Quality::Truncated,
        known: diff.known,
        kept,
        drafts,
    })
}

fn names(draft: &Draft, item: &Item) -> bool {
    matches!(&draft.content, Content::Items { items, .. } if items.iter().any(|told| told.item == item.id))
}

fn remark(quality: Quality, is_expired: bool, odd: Option<String>) -> Option<String> {
    let form = match quality {
        Quality::Whole => None,
        Quality::Repaired => Some("the document is broken and was repaired".to_owned()),
        Quality::Truncated => Some("the document is cut short".to_owned()),
    };
    let end = is_expired.then(|| "the feed says that it will not change any more".to_owned());
    let all: Vec<String> = [form, end, odd].into_iter().flatten().collect();
    (!all.is_empty()).then(|| all.join("; "))
}
