//! From a document to what is committed: read, compared, planned. Runs on the blocking pool.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use url::Url;

use crate::diff::{self, Rules};
use crate::extract::{Document, Entry, NotADocument, Quality, feed, keys, page as html};
use crate::model::campaign::{Campaign, ChangeKind};
use crate::model::correction::Correction;
use crate::model::item::{Item, ItemId};
use crate::model::known::{Keys, Known, KnownItem};
use crate::model::name::Name;
use crate::model::post::{Content, Draft, Flood, Told};
use crate::model::product::ProductName;
use crate::model::source::{CatalogState, PageRules, Source, SourceKind};
use crate::model::time::Timestamp;
use crate::plan::{self, Filtered, Planned};
use crate::store::{ShelfCommit, Telling};

/// Of what a campaign does not want, so much of the newest of one poll is kept for a while, so that
/// somebody can be told why nobody has it.
const FILTERED_TRACED_MAX: usize = 200;

/// Of all campaigns together.
const TRACED_MAX: usize = 2_000;

/// What a poll's documents say beside what is known.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// See [`crate::poll::spool::hash`].
    pub hash: u64,
    /// How many entries the documents have.
    pub items: u32,
    /// How many changes of each kind there are, held ones not counted.
    pub counts: BTreeMap<ChangeKind, u32>,
    /// Changes that wait for the admins' word.
    pub held: u32,
    /// Changes that are known from now on and were never told, for they were too many.
    pub untold: u32,
    pub remark: Option<String>,
    pub ttl: Option<Duration>,
    /// The hub that the document names, and what it calls itself.
    pub hub: Option<(String, Option<String>)>,
    /// The documents were complete.
    pub is_whole: bool,
    pub known: Option<Known>,
    /// Of a catalog.
    pub shelved: Option<Shelved>,
    /// Only what a draft names.
    pub kept: Vec<Item>,
    /// Of what may have been told before.
    pub corrections: Vec<Correction>,
    pub drafts: Vec<Draft>,
    /// What campaigns do not want; nothing of it needs to be among `kept`.
    pub filtered: Vec<Filtered>,
    /// What is told to who has waited for it.
    pub tellings: Vec<Telling>,
}

/// What a catalog's poll leaves on its shelf.
#[derive(Debug)]
pub(crate) struct Shelved {
    pub state: CatalogState,
    pub shelf: ShelfCommit,
    pub names: Vec<(u64, ProductName)>,
}

impl Reading {
    pub fn count(&self, kind: ChangeKind) -> u32 {
        self.counts.get(&kind).copied().unwrap_or(0)
    }

    /// Takes what was planned, and keeps the items that it names.
    pub fn take(&mut self, planned: Planned) {
        let Planned { drafts, filtered } = planned;
        (self.drafts, self.filtered) = (drafts, filtered);
        let mut named: HashSet<ItemId> =
            traced(&self.filtered).into_iter().map(|filtered| filtered.item).collect();
        for draft in &self.drafts {
            if let Content::Items { items, .. } = &draft.content {
                named.extend(items.iter().map(|told| told.item));
            }
        }
        self.kept.retain(|item| named.contains(&item.id));
    }

    /// Something in it is worth a shorter interval.
    pub fn is_changed(&self) -> bool {
        self.held > 0 || self.counts.values().any(|count| *count > 0)
    }
}

/// A document beside what is known, when what is to be told has not become items yet.
#[derive(Debug)]
pub(crate) struct Compared {
    /// Nothing is kept or drafted in it yet.
    pub reading: Reading,
    /// Only if a campaign has a use for the source; oldest first.
    pub told: Vec<(Entry, ChangeKind)>,
    /// How many of these, at the end, only read again as they did before: no news, but what was
    /// sent of them is to be corrected.
    pub returned: usize,
    pub flood: Option<Flood>,
}

/// A document, and what it is read beside.
pub(crate) struct Page<'a> {
    pub bytes: &'a [u8],
    pub content_type: Option<&'a str>,
    /// The address that gave it.
    pub url: &'a Url,
    /// With more items it is not read.
    pub items_max: usize,
}

/// Reads a document that is one whole: of a feed or a page.
///
/// # Errors
/// [`NotADocument`] when it is none of the source's kind.
pub(crate) fn document(page: &Page<'_>, source: &Source) -> Result<Document, NotADocument> {
    match source.kind {
        SourceKind::Feed => {
            feed::read_within(page.bytes, page.content_type, page.url, page.items_max)
        }
        SourceKind::Page => {
            let unruled = PageRules::default();
            let rules = source.select.as_deref().unwrap_or(&unruled);
            html::read(page.bytes, page.content_type, page.url, rules, page.items_max)
        }
        SourceKind::Catalog | SourceKind::Sitemap => Err(NotADocument::NotMarkup),
    }
}

/// Compares the document with what is known.
pub(crate) fn compare(
    document: Document,
    hash: u64,
    source: &Source,
    known: Option<&Known>,
    campaigns: &[Campaign],
    now: Timestamp,
) -> Compared {
    let keys: Vec<Keys> = document.entries.iter().map(|entry| entry.keys).collect();
    let dates: Vec<Option<Timestamp>> =
        document.entries.iter().map(|entry| entry.published.or(entry.updated)).collect();
    let rules = Rules {
        first_newest: source.first_newest,
        flood: source.flood,
        follows_returns: corrects(source, campaigns),
    };
    let diff = diff::compare(&keys, &dates, known, &rules, now);

    let is_wanted = campaigns.iter().any(|campaign| campaign.sources.contains(&source.name));
    let mut told = Vec::new();
    let mut returned = 0;
    if is_wanted && !(diff.changes.is_empty() && diff.returned.is_empty()) {
        let mut entries: Vec<Option<Entry>> = document.entries.into_iter().map(Some).collect();
        for (at, change) in diff.changes.iter().chain(&diff.returned).enumerate() {
            let Some(mut entry) = entries.get_mut(change.index).and_then(Option::take) else {
                continue;
            };
            // Of several items under one guid each is named by what is its own.
            entry.keys = change.keys;
            returned += usize::from(at >= diff.changes.len());
            told.push((entry, change.kind));
        }
    }
    let mut counts = BTreeMap::new();
    let is_held = diff.held.is_some();
    for change in diff.changes.iter().filter(|change| !is_held || change.kind != ChangeKind::New) {
        *counts.entry(change.kind).or_default() += 1;
    }
    let flood = diff.held.as_ref().map(|held| Flood {
        source: source.name.clone(),
        kind: ChangeKind::New,
        items: held.items,
        reason: held.reason.clone(),
    });
    let reading = Reading {
        hash,
        items: number(keys.len()),
        counts,
        held: diff.held.as_ref().map_or(0, |held| held.items),
        remark: remark(document.quality, document.facts.expired, diff.remark),
        ttl: document.facts.ttl,
        hub: document.facts.hub.map(|hub| (hub, document.facts.self_link)),
        is_whole: document.quality != Quality::Truncated,
        corrections: tombstones(&document.facts.removed, source, diff.known.as_ref().or(known)),
        known: diff.known,
        ..Reading::default()
    };
    Compared { reading, told, returned, flood }
}

impl Compared {
    /// Makes drafts of what is told, and items of what they name.
    ///
    /// Only items that a draft names are kept: the first poll of many sources stays cheap.
    pub fn plan(self, source: &Source, campaigns: &[Campaign], now: Timestamp) -> Reading {
        let Self { mut reading, told, returned, flood } = self;
        let mut changes = Vec::with_capacity(told.len());
        let news = told.len() - returned;
        for (at, (entry, kind)) in told.into_iter().enumerate() {
            let item = entry.into_item(&source.name, now);
            if at >= news {
                reading.corrections.push(correction(&item));
                continue;
            }
            changes.push(Told { item: item.id, kind, price: None });
            if kind == ChangeKind::Updated && corrects(source, campaigns) {
                reading.corrections.push(correction(&item));
            }
            reading.kept.push(item);
        }
        let heard = |_: &Told, _| None;
        let (held, items) = (flood.as_slice(), reading.kept.as_slice());
        let found = plan::Found { source: &source.name, changes: &changes, items, held };
        let planned = plan::drafts(&found, campaigns, &heard, now);
        reading.take(planned);
        reading
    }
}

/// Whether a campaign of the source corrects what it has sent.
pub(crate) fn corrects(source: &Source, campaigns: &[Campaign]) -> bool {
    let mut own = campaigns.iter().filter(|campaign| campaign.sources.contains(&source.name));
    own.any(|campaign| campaign.corrects.is_on())
}

/// What an edited item means for what was told of it: one that nothing is left of, or only the
/// word that sites put in the place of what was removed, was taken back.
pub(crate) fn correction(item: &Item) -> Correction {
    let words = [item.title.clone(), item.summary.plain(), item.body.plain()];
    let mut said = words.iter().map(|words| words.trim()).filter(|words| !words.is_empty());
    let is_bare = item.image.is_none() && item.media.is_empty() && item.offer.is_none();
    let is_removed = |words: &str| REMOVED.iter().any(|word| words.eq_ignore_ascii_case(word));
    if is_bare && said.all(is_removed) {
        Correction::Retracted(item.id)
    } else {
        Correction::Edited(Box::new(item.clone()))
    }
}

/// What stands for a text that was removed, on forums above all.
const REMOVED: [&str; 4] =
    ["[removed]", "[deleted]", "[deleted by user]", "[removed by moderator]"];

/// What the document's tombstones take back of what is known.
fn tombstones(removed: &[u64], source: &Source, known: Option<&Known>) -> Vec<Correction> {
    let Some(known) = known.filter(|_| !removed.is_empty()) else { return Vec::new() };
    let removed: HashSet<u64> = removed.iter().copied().collect();
    let rows = known.entries.iter().filter(|row| row.id != 0 && removed.contains(&row.id));
    let id = |row: &KnownItem| {
        let keys = Keys {
            id: Some(row.id),
            id_alias: None,
            link: None,
            title_date: None,
            title: None,
            fingerprint: 0,
        };
        keys::item_id(&source.name, &keys)
    };
    rows.map(|row| Correction::Retracted(id(row))).collect()
}

pub(crate) fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
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

/// What is kept of what campaigns do not want, newest first.
pub(crate) fn traced(filtered: &[Filtered]) -> Vec<&Filtered> {
    let mut counts: HashMap<&Name, usize> = HashMap::new();
    let mut traced = Vec::new();
    for one in filtered.iter().rev() {
        let count = counts.entry(&one.campaign).or_default();
        *count += 1;
        if *count <= FILTERED_TRACED_MAX && traced.len() < TRACED_MAX {
            traced.push(one);
        }
    }
    traced
}
