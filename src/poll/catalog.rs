//! A catalog's poll: page after page to listings, those beside the shelf, and what changed in full.
//!
//! Documents stay in the spool until the changed rows have been picked from them; of everything
//! else only the listings are in memory. A page that fails fails the poll: nothing is committed,
//! and the next one starts over.

use std::collections::{HashMap, HashSet};
use std::io;

use url::Url;

use crate::diff::catalog::{self as diff, Diff, Facts, Rules};
use crate::extract::catalog::unpack::{self, Packing};
use crate::extract::catalog::{self, Options, Row, Scan, listing};
use crate::extract::{Entry, NotADocument, Quality, keys};
use crate::model::campaign::{Campaign, ChangeKind};
use crate::model::correction::Correction;
use crate::model::item::{Item, ItemId};
use crate::model::known::Keys;
use crate::model::listing::Listing;
use crate::model::offer::Currency;
use crate::model::post::{Flood, PriceMove, Told};
use crate::model::price::PriceHistory;
use crate::model::product::ProductName;
use crate::model::rich::RichText;
use crate::model::shelf::{KnownListing, ShelfWrite};
use crate::model::source::{CatalogFormat, CatalogState, Source, SourceState};
use crate::model::step::Step;
use crate::model::time::Timestamp;
use crate::plan;
use crate::poll::body::{self, Coding};
use crate::poll::fault::Fault;
use crate::poll::fetch::{Fetched, Packed};
use crate::poll::read::{Reading, Shelved, correction, corrects, number};
use crate::poll::shelf::Shelf;
use crate::poll::spool::{self, Span, Spool};
use crate::poll::state;
use crate::poll::wait::{NAMED_AT_ONCE, Wait};
use crate::poll::watches::Watching;
use crate::store::{ShelfCommit, StoreError};

/// Most rows of a catalog, over all of its pages.
pub const ROWS_MAX: usize = 3_000_000;

/// Most changes of one poll that are read in full and told; the rest is only known from then on.
const CHANGES_MAX: usize = 10_000;

/// Most remarks of the reader that are passed on.
const REMARKS_MAX: usize = 3;

/// A catalog's poll between its requests.
pub(crate) struct Walk {
    /// The answer to the first request, by which the source's state goes.
    pub first: Fetched,
    spool: Spool,
    pages: Vec<Page>,
    listings: Vec<Listing>,
    found: Found,
    /// Of amounts that name none.
    currency: Option<Currency>,
    waits_for_currency: bool,
    /// The next page, while another document is asked for.
    pub next: Option<Url>,
    /// Decides which sales are in force.
    now: Timestamp,
    hash: u64,
}

struct Page {
    span: Span,
    url: Url,
    content_type: Option<String>,
}

/// What the pages said so far.
#[derive(Default)]
struct Found {
    format: Option<CatalogFormat>,
    quality: Option<Quality>,
    lost: u64,
    is_window: bool,
    is_cut: bool,
    turns_at: Option<Timestamp>,
    remarks: Vec<String>,
}

/// How a poll goes on after a page.
pub(crate) enum Then {
    /// With the next page.
    Page(Url),
    /// With the document that tells the currency.
    Currency(Url),
    /// It has all.
    Finish,
    /// The document has the bytes of the last one.
    Unchanged,
}

/// Why a page gave nothing.
pub(crate) enum Unread {
    Fault(Fault),
    None(NotADocument),
}

impl From<NotADocument> for Unread {
    fn from(why: NotADocument) -> Self {
        Self::None(why)
    }
}

impl Walk {
    /// A poll whose first answer has come.
    pub fn new(first: Fetched, spool: Spool, source: &Source, last: &SourceState) -> Self {
        let learned = last.catalog.as_ref().and_then(|catalog| catalog.currency);
        Self {
            first,
            spool,
            pages: Vec::new(),
            listings: Vec::new(),
            found: Found::default(),
            currency: source.currency.or(learned),
            waits_for_currency: false,
            next: None,
            now: Timestamp::default(),
            hash: 0,
        }
    }

    /// The document that tells the currency was asked for, and has not come.
    pub fn waits_for_currency(&self) -> bool {
        self.waits_for_currency
    }

    /// The pages end here: the site has no more.
    pub fn end(&mut self) {
        self.next = None;
    }

    /// Takes the next page in. Takes processor time.
    pub fn take(
        &mut self,
        url: &Url,
        packed: Packed,
        source: &Source,
        last: &SourceState,
        now: Timestamp,
    ) -> Result<Then, Unread> {
        if self.pages.is_empty() {
            self.now = now;
        }
        let content_type = packed.content_type.clone();
        let is_first = self.pages.is_empty();
        let span = self.unpack(packed, last)?;
        // A site that does not know pages answers each with the first.
        if self.pages.iter().any(|page| page.span.hash == span.hash) {
            self.found.is_cut = true;
            self.found.remarks.push("its pages repeat: the rest of it is not read".to_owned());
            return Ok(Then::Finish);
        }
        let is_read_again = state::has_turned(source, last, now);
        let was_alone = last.catalog.as_ref().is_some_and(|catalog| catalog.pages == 1);
        let is_same = was_alone && span.hash != 0 && span.hash == last.document_hash;
        if is_first && is_same && !is_read_again {
            self.hash = span.hash;
            return Ok(Then::Unchanged);
        }
        self.pages.push(Page { span, url: url.clone(), content_type });
        let scan = self.scan(source)?;
        let hash = self.pages.last().map_or(0, |page| page.span.hash);
        self.hash = if is_first { hash } else { self.hash.rotate_left(5) ^ hash }.max(1);
        let format = scan.format;
        self.next = self.after(scan, source, last);
        if is_first
            && self.currency.is_none()
            && source.local.is_none()
            && let Some(page) = catalog::currency_page(format, url)
        {
            self.waits_for_currency = true;
            return Ok(Then::Currency(page));
        }
        self.then(source, last)
    }

    /// Takes in the document that tells the currency, or that there is none. Takes processor time.
    pub fn take_currency(
        &mut self,
        document: Option<&[u8]>,
        source: &Source,
        last: &SourceState,
    ) -> Result<Then, Unread> {
        self.waits_for_currency = false;
        self.currency = document.and_then(catalog::currency_in);
        if self.currency.is_some() {
            // The amounts of the first page were read without it.
            self.listings.clear();
            self.found = Found { is_cut: self.found.is_cut, ..Found::default() };
            self.scan(source)?;
        } else {
            self.found.remarks.push(
                "nothing tells the currency of its prices: set `currency` in the settings"
                    .to_owned(),
            );
        }
        self.then(source, last)
    }

    fn then(&mut self, source: &Source, last: &SourceState) -> Result<Then, Unread> {
        if let Some(next) = self.next.clone() {
            return Ok(Then::Page(next));
        }
        let is_read_again = state::has_turned(source, last, self.now);
        let is_known = last.catalog.is_some() && self.hash == last.document_hash;
        Ok(if is_known && !is_read_again { Then::Unchanged } else { Then::Finish })
    }

    /// The address of the next page, if there is one that may be asked.
    ///
    /// Of a window, such as a blog's posts, the older pages are read at the first poll only: so
    /// that what moves up when a newer post is deleted is known.
    fn after(&mut self, scan: Scan, source: &Source, last: &SourceState) -> Option<Url> {
        let is_wanted = !scan.is_window || last.catalog.is_none();
        let next = scan.next.filter(|_| is_wanted && source.local.is_none())?;
        let was_asked = self.pages.iter().any(|page| page.url == next);
        if was_asked || self.pages.len() >= usize::from(source.pages_max) {
            self.found.is_cut = true;
            let why = if was_asked { "its pages go in a circle" } else { "it has more pages" };
            self.found.remarks.push(format!("{why}: {} were read", self.pages.len()));
            return None;
        }
        Some(next)
    }

    /// Unpacks the document into the spool, or leaves it where it is: then its hash is not known
    /// yet, unless it may be the one of the last document.
    fn unpack(&mut self, packed: Packed, last: &SourceState) -> Result<Span, Unread> {
        let disk = |error: io::Error| Unread::Fault(Fault::disk(&error));
        // The place among what is taken in is free: from here on it is the disk's.
        let (mut wire, coding, bytes_max, _place) = packed.into_parts();
        let whole = wire.end_document(0);
        let head = wire.head(whole, 4).map_err(disk)?;
        let packing = unpack::packing(&head);
        if coding == Coding::Plain && packing == Packing::None && self.pages.is_empty() {
            if whole.bytes > bytes_max {
                return Err(Unread::Fault(Fault::TooLarge(bytes_max)));
            }
            let is_to_be_known = spool::may_have(whole.bytes, last.document_hash);
            let span = if is_to_be_known { wire.summed(whole).map_err(disk)? } else { whole };
            self.spool = wire;
            return Ok(span);
        }
        let start = self.spool.bytes();
        let packed = wire.open(whole);
        if coding == Coding::Plain && packing != Packing::None {
            unpack::plain(packed, &mut self.spool, bytes_max)?;
        } else {
            body::decode_into(packed, whole.bytes, coding, bytes_max, &mut self.spool)
                .map_err(Unread::Fault)?;
        }
        Ok(self.spool.end_document(start))
    }

    /// Goes through the page that came last; from then on its hash is known.
    fn scan(&mut self, source: &Source) -> Result<Scan, Unread> {
        let Self { spool, pages, listings, found, .. } = self;
        let number = u16::try_from(pages.len().saturating_sub(1)).unwrap_or(u16::MAX);
        let Some(page) = pages.last_mut() else { return Err(NotADocument::Empty.into()) };
        let options = Options {
            format: found.format.unwrap_or(source.format),
            mapping: source.mapping.as_deref(),
            base: &page.url,
            content_type: page.content_type.as_deref(),
            currency: self.currency,
            now: self.now,
            items_max: ROWS_MAX.saturating_sub(listings.len()),
        };
        let mut take = |listing: Listing| listings.push(Listing { page: number, ..listing });
        let scan = if page.span.hash == 0 {
            let mut document = spool.open_to_sum(page.span);
            let scan = catalog::scan(&mut document, &options, &mut take)?;
            let hash = document.into_inner().finish();
            page.span.hash = hash.map_err(|error| Unread::Fault(Fault::disk(&error)))?;
            scan
        } else {
            catalog::scan(&mut spool.open(page.span), &options, &mut take)?
        };
        found.take(&scan);
        Ok(scan)
    }

    /// Compares what was found with the shelf, reads what changed in full, and plans what follows.
    /// Takes processor time, and asks the store.
    ///
    /// # Errors
    /// When the store fails, or the documents can't be read again.
    pub fn finish(
        mut self,
        last: &SourceState,
        campaigns: &[Campaign],
        wait: &Wait<'_>,
        is_dry: bool,
    ) -> Result<(Fetched, Reading), Unfinished> {
        let Wait { store, handle, source, .. } = *wait;
        let listings = std::mem::take(&mut self.listings);
        let rows = number(listings.len());
        let before = wait.shelf_state()?;
        let mut watching = if is_dry { None } else { Watching::load(wait)? };
        if let Some(watching) = &mut watching {
            watching.see(&listings);
        }
        let mut shelf = Shelf::new(store, handle, &source.name);
        let rules =
            Rules { first_newest: source.first_newest, flood: source.flood, price: source.price };
        let mut diff = diff::compare(
            listings,
            before.as_ref(),
            &mut |after| shelf.block_after(after),
            &self.facts(),
            &rules,
        )?;
        let mut reading = self.reading(&diff, rows);
        let begun_at = before.map(|before| before.begun_at);
        let (told, histories) = self.told(&diff, begun_at, campaigns, wait, &mut reading)?;
        let held = diff.held.iter().map(|held| Flood {
            source: source.name.clone(),
            kind: held.kind,
            items: held.items,
            reason: held.reason.clone(),
        });
        let held: Vec<Flood> = held.collect();
        let fine = Step { share: source.price.min_step_share, amount: source.price.min_step };
        let heard = |told: &Told, step: Step| {
            histories.get(&told.item).filter(|_| step != fine)?.told_last(fine, step)
        };
        let items = reading.kept.as_slice();
        let found = plan::Found { source: &source.name, changes: &told, items, held: &held };
        let planned = plan::drafts(&found, campaigns, &heard, self.now);
        reading.take(planned);

        let mut is_read_again = false;
        if let Some(watching) = watching {
            let found = watching.true_now(&diff, wait, self.now)?;
            is_read_again = found.is_more;
            if !found.changes.is_empty() {
                let entries =
                    self.picked(found.changes.iter().collect::<Vec<_>>().as_slice(), source)?;
                reading.tellings = found.tellings(&entries, wait);
            }
        }

        let keeps_names = source.watch || is_wanted(source, campaigns, ChangeKind::Gone);
        let had_names = last.catalog.as_ref().is_some_and(|catalog| catalog.has_names);
        let mut names = Vec::new();
        if keeps_names && !is_dry {
            let wanted = had_names.then(|| products_of(&diff.writes));
            names = self.names(wanted, wait)?;
        }
        reading.remark = self.found.remark(diff.remark.take());
        reading.shelved = Some(Shelved {
            state: CatalogState {
                pages: u16::try_from(self.pages.len()).unwrap_or(u16::MAX),
                turns_at: self.found.turns_at,
                is_read_again,
                has_names: keeps_names,
                currency: self.currency.filter(|_| source.currency.is_none()),
            },
            shelf: ShelfCommit {
                state: diff.state,
                writes: diff.writes,
                prices: diff.prices,
                now: self.now,
            },
            names,
        });
        Ok((self.first, reading))
    }

    fn facts(&self) -> Facts {
        let Found { quality, lost, is_window, is_cut, .. } = self.found;
        let is_cut = is_cut || quality == Some(Quality::Truncated);
        let is_whole = quality == Some(Quality::Whole) && lost == 0 && !is_window && !is_cut;
        Facts { is_whole, is_cut, now: self.now }
    }

    fn reading(&self, diff: &Diff, rows: u32) -> Reading {
        let mut reading = Reading {
            hash: self.hash,
            items: if diff.products > 0 { diff.products } else { rows },
            held: diff.held.iter().map(|held| held.items).sum(),
            is_whole: !self.facts().is_cut,
            ..Reading::default()
        };
        let is_held = |kind| diff.held.iter().any(|held| held.kind == kind);
        for change in diff.changes.iter().filter(|change| !is_held(change.kind)) {
            *reading.counts.entry(change.kind).or_default() += 1;
        }
        reading
    }

    /// What is told, oldest first, and what the products cost whose prices moved; the items go to
    /// `reading.kept`.
    fn told(
        &mut self,
        diff: &Diff,
        begun_at: Option<Timestamp>,
        campaigns: &[Campaign],
        wait: &Wait<'_>,
        reading: &mut Reading,
    ) -> Result<(Vec<Told>, HashMap<ItemId, PriceHistory>), Unfinished> {
        let source = wait.source;
        let wanted: Vec<&diff::Change> = diff
            .changes
            .iter()
            .filter(|change| is_wanted(source, campaigns, change.kind))
            .collect();
        let left_out = wanted.len().saturating_sub(CHANGES_MAX);
        if left_out > 0 {
            reading.untold = number(left_out);
            self.found.remarks.push(format!("{left_out} changes are not told: too many at once"));
        }
        // The newest stand at the end.
        let wanted = wanted.get(left_out..).unwrap_or_default();
        let mut entries = self.picked(wanted, source)?;
        let mut names = wait.names_of_gone(wanted)?;
        let mut histories = wait.histories(wanted)?;
        let mut of_items = HashMap::new();
        let corrects = corrects(source, campaigns);
        if corrects {
            let is_held = |kind| diff.held.iter().any(|held| held.kind == kind);
            let gone = |change: &&diff::Change| change.kind == ChangeKind::Gone;
            let gone = diff.changes.iter().filter(gone).filter(|_| !is_held(ChangeKind::Gone));
            let ids = gone.map(|change| keys::item_id(&source.name, &keys_of(change)));
            reading.corrections.extend(ids.map(Correction::Retracted));
        }
        let mut told = Vec::with_capacity(wanted.len());
        for change in wanted {
            let keys = keys_of(change);
            let entry = entries.remove(&change.product);
            let item = match entry {
                Some(entry) => {
                    let mut item = Entry { keys, ..entry }.into_item(&source.name, self.now);
                    if let Some(offer) = &mut item.offer {
                        offer.shelf = Some(change.product);
                    }
                    item
                }
                None => match names.remove(&change.product) {
                    Some(name) => named_item(source, &keys, name, self.now),
                    // Its rows can't be read again, or nobody knows what it was called.
                    None => continue,
                },
            };
            if change.kind != ChangeKind::New && change.kind != ChangeKind::Gone && corrects {
                reading.corrections.push(correction(&item));
            }
            let price = change.price.map(|price| {
                let history = histories.remove(&price.key).unwrap_or_default();
                let since = begun_at.unwrap_or(self.now);
                let lowest_30d = history.lowest_30d(price.from, since, self.now);
                of_items.insert(item.id, history);
                PriceMove { from: price.from, to: price.to, lowest_30d }
            });
            told.push(Told { item: item.id, kind: change.kind, price });
            reading.kept.push(item);
        }
        Ok((told, of_items))
    }

    /// What the products of the documents are called: all that are `wanted` and have no name yet,
    /// or simply all. What is too many for one commit is kept at once.
    fn names(
        &self,
        wanted: Option<HashSet<u64>>,
        wait: &Wait<'_>,
    ) -> Result<Vec<(u64, ProductName)>, Unfinished> {
        let wanted = match wanted {
            Some(wanted) => Some(wait.nameless(wanted)?),
            None => None,
        };
        if wanted.as_ref().is_some_and(HashSet::is_empty) {
            return Ok(Vec::new());
        }
        let mut named: HashSet<u64> = HashSet::new();
        let mut names = Vec::new();
        for page in &self.pages {
            let options = self.options(page, wait.source, ROWS_MAX);
            let mut places: Vec<(u64, u64)> = Vec::new();
            let mut take = |listing: Listing| {
                let is_wanted = wanted.as_ref().is_none_or(|all| all.contains(&listing.product));
                if is_wanted && named.insert(listing.product) {
                    places.push((listing.place, listing.product));
                }
            };
            catalog::scan(&mut self.spool.open(page.span), &options, &mut take)?;
            for chunk in places.chunks(NAMED_AT_ONCE) {
                let products: HashMap<u64, u64> = chunk.iter().copied().collect();
                let places: Vec<u64> = chunk.iter().map(|(place, _)| *place).collect();
                let mut document = self.spool.open(page.span);
                let rows = catalog::pick(&mut document, &options, options.format, &places)?;
                for Row { entry, place, .. } in rows {
                    let Some(product) = products.get(&place) else { continue };
                    let Entry { title, link, image, .. } = entry;
                    names.push((*product, ProductName { title, link, image }));
                }
                if names.len() >= NAMED_AT_ONCE {
                    wait.keep_names(std::mem::take(&mut names))?;
                }
            }
        }
        Ok(names)
    }

    fn options<'o>(&'o self, page: &'o Page, source: &'o Source, items_max: usize) -> Options<'o> {
        Options {
            format: self.found.format.unwrap_or(source.format),
            mapping: source.mapping.as_deref(),
            base: &page.url,
            content_type: page.content_type.as_deref(),
            currency: self.currency,
            now: self.now,
            items_max,
        }
    }

    /// The entries of the changes that have rows, by product.
    fn picked(
        &self,
        changes: &[&diff::Change],
        source: &Source,
    ) -> Result<HashMap<u64, Entry>, Unfinished> {
        let mut products: HashMap<(u16, u64), u64> = HashMap::new();
        let mut places: Vec<(u16, u64)> = Vec::new();
        for change in changes {
            for place in &change.places {
                let place = (place.page, place.place);
                // The variants of a product may stand in one row.
                if products.insert(place, change.product).is_none() {
                    places.push(place);
                }
            }
        }
        places.sort_unstable();
        let mut rows: HashMap<u64, Vec<Row>> = HashMap::new();
        for chunk in places.chunk_by(|(page, _), (next, _)| page == next) {
            let Some((number, _)) = chunk.first() else { continue };
            let Some(page) = self.pages.get(usize::from(*number)) else { continue };
            let options = self.options(page, source, ROWS_MAX);
            let places: Vec<u64> = chunk.iter().map(|(_, place)| *place).collect();
            let mut document = self.spool.open_for_rows(page.span);
            let picked = catalog::pick(&mut document, &options, options.format, &places)?;
            for row in picked {
                if let Some(product) = products.get(&(*number, row.place)) {
                    rows.entry(*product).or_default().push(row);
                }
            }
        }
        let join = |(product, rows)| Some((product, listing::join(rows, self.now)?));
        Ok(rows.into_iter().filter_map(join).collect())
    }
}

/// Whether a campaign of the source tells changes of the kind.
fn is_wanted(source: &Source, campaigns: &[Campaign], kind: ChangeKind) -> bool {
    let mut own = campaigns.iter().filter(|campaign| campaign.sources.contains(&source.name));
    own.any(|campaign| {
        let corrects = campaign.corrects.is_on() && kind != ChangeKind::Gone;
        campaign.on.contains(&kind) || (corrects && kind != ChangeKind::New)
    })
}

/// A product is one item for ever, whatever its link becomes.
fn keys_of(change: &diff::Change) -> Keys {
    Keys {
        id: Some(change.product),
        id_alias: None,
        link: (change.link != 0).then_some(change.link),
        title_date: None,
        title: None,
        fingerprint: 0,
    }
}

/// What is left of a product that is gone.
fn named_item(source: &Source, keys: &Keys, name: ProductName, now: Timestamp) -> Item {
    Item {
        id: keys::item_id(&source.name, keys),
        source: source.name.clone(),
        guid: String::new(),
        title: name.title,
        link: name.link,
        summary: RichText::default(),
        body: RichText::default(),
        published: None,
        updated: None,
        first_seen: now,
        authors: Vec::new(),
        tags: Vec::new(),
        language: None,
        image: name.image,
        media: Vec::new(),
        offer: None,
    }
}

/// The products of the rows that are written and are there.
fn products_of(writes: &[ShelfWrite]) -> HashSet<u64> {
    let blocks = writes.iter().filter_map(|write| match write {
        ShelfWrite::Put(block) => Some(block),
        ShelfWrite::Remove(_) => None,
    });
    let rows = blocks.flat_map(|block| block.encoded()).map(KnownListing::decode);
    rows.filter(|row| !row.is_absent()).map(|row| row.key.product).collect()
}

impl Found {
    fn take(&mut self, scan: &Scan) {
        self.format = Some(scan.format);
        let worst = match (self.quality, scan.quality) {
            (Some(Quality::Truncated), _) | (_, Quality::Truncated) => Quality::Truncated,
            (Some(Quality::Repaired), _) | (_, Quality::Repaired) => Quality::Repaired,
            _ => Quality::Whole,
        };
        self.quality = Some(worst);
        self.lost += scan.lost;
        self.is_window |= scan.is_window;
        self.turns_at = match (self.turns_at, scan.turns_at) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        self.remarks.extend(scan.remarks.iter().take(REMARKS_MAX).cloned());
    }

    fn remark(&self, odd: Option<String>) -> Option<String> {
        let mut all = Vec::new();
        match self.quality {
            Some(Quality::Repaired) => {
                all.push("the document is broken and was repaired".to_owned());
            }
            Some(Quality::Truncated) => all.push("the document is cut short".to_owned()),
            Some(Quality::Whole) | None => {}
        }
        if self.lost > 0 {
            all.push(format!("{} rows can't be read", self.lost));
        }
        let mut said: Vec<&String> = Vec::new();
        for remark in &self.remarks {
            if !said.contains(&remark) {
                said.push(remark);
            }
        }
        all.extend(said.into_iter().cloned());
        all.extend(odd);
        (!all.is_empty()).then(|| all.join("; "))
    }
}

/// Why a poll that has all its pages came to nothing.
pub(crate) enum Unfinished {
    Store(StoreError),
    None(NotADocument),
}

impl From<StoreError> for Unfinished {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<NotADocument> for Unfinished {
    fn from(why: NotADocument) -> Self {
        Self::None(why)
    }
}
