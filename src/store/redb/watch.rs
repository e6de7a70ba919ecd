//! Watches on products: by person, and by product with who asked first in front.

use std::collections::BTreeSet;
use std::ops::Bound;

use redb::ReadTransaction;

use crate::model::name::Name;
use crate::model::offer::Amount;
use crate::model::post::Answer;
use crate::model::shelf::{Block, KnownListing, ShelfKey};
use crate::model::subscriber::{Standing, Subscriber};
use crate::model::time::Timestamp;
use crate::model::watch::{OnOffer, WATCHES_MAX, Watch};
use crate::store::redb::ledger::Writing;
use crate::store::redb::poll::named;
use crate::store::redb::rows::{AnswerRow, LastWatch, PriceRow, ShelfRow, ToldWatch, WatchedRow};
use crate::store::redb::shelf::{block, history};
use crate::store::redb::tables::{
    NAMES, PRICES, Records, Rows, SHELVES, SUBSCRIBERS, WATCHED, WATCHES,
};
use crate::store::{
    FoundProduct, ProductNow, ProductQuery, StoreError, Telling, WatchWord, Watcher, WatcherQuery,
    Windows,
};

/// Most rows of shelves, or names of products, that one search looks at.
const LOOKED_AT_MAX: usize = 3_000_000;

/// Most names that a search for words looks at: they are read one by one.
const NAMES_LOOKED_AT_MAX: usize = 200_000;

/// Most rows of one product that are looked at.
const FORMS_MAX: usize = 2_000;

type ShelfTable = (&'static str, u64, u32);

/// See `Store::load_watches`.
pub(super) fn load_watches(
    read: &ReadTransaction,
    channel: &Name,
    person: u32,
) -> Result<Vec<Watch>, StoreError> {
    let channel = channel.as_str();
    let watches = WATCHES.open(read)?;
    let of = watches.rows((channel, person, 0)..=(channel, person, u64::MAX))?;
    of.map(|row| row.map(|(_, watch)| watch)).collect()
}

/// See `Store::load_watched`.
pub(super) fn load_watched(
    read: &ReadTransaction,
    source: &Name,
) -> Result<Vec<(u64, u64)>, StoreError> {
    let (source, watched) = (source.as_str(), WATCHED.open(read)?);
    let mut products = Vec::new();
    let mut from = Bound::Included((source, 0, 0));
    // One step a product, however many watch it.
    loop {
        let to = Bound::Included((source, u64::MAX, u64::MAX));
        let Some((key, row)) = watched.rows((from, to))?.next().transpose()? else { break };
        let product = key.value().1;
        products.push((product, row.link));
        from = Bound::Excluded((source, product, u64::MAX));
    }
    Ok(products)
}

/// See `Store::load_watchers`.
pub(super) fn load_watchers(
    read: &ReadTransaction,
    source: &Name,
    product: u64,
    who: &WatcherQuery,
) -> Result<Vec<Watcher>, StoreError> {
    let source = source.as_str();
    let (watched, watches) = (WATCHED.open(read)?, WATCHES.open(read)?);
    let people = SUBSCRIBERS.open(read)?;
    let mut found = Vec::new();
    let range = (source, product, 0)..=(source, product, u64::MAX);
    let windows = &who.windows;
    for row in watched.rows(range)? {
        let (key, WatchedRow { channel, person, .. }) = row?;
        let watch = watches.need((channel.as_str(), person, key.value().2))?;
        if watch.expires_at <= windows.now || !(who.is_met)(&watch) {
            continue;
        }
        let known = people.load((channel.as_str(), person))?;
        if let Some(known) = known.filter(|known| windows.lets(&channel, known)) {
            let is_quiet = known.quiet_until(windows.now).is_some();
            found.push(Watcher { channel, person, watch, is_quiet });
            if found.len() >= who.limit {
                break;
            }
        }
    }
    Ok(found)
}

/// See `Store::load_product`.
pub(super) fn load_product(
    read: &ReadTransaction,
    source: &Name,
    product: u64,
) -> Result<Option<ProductNow>, StoreError> {
    let (shelves, prices) = (SHELVES.open(read)?, PRICES.open(read)?);
    let rows = rows_of(&shelves, &prices, source, product)?;
    if rows.is_empty() {
        return Ok(None);
    }
    let name = NAMES.open(read)?.load((source.as_str(), product))?;
    Ok(Some(ProductNow { name, rows }))
}

/// The rows of a product, each with what it costs now.
fn rows_of<S, P>(
    shelves: &Records<S, ShelfTable, ShelfRow>,
    prices: &Records<P, ShelfTable, PriceRow>,
    source: &Name,
    product: u64,
) -> Result<Vec<(KnownListing, Option<Amount>)>, StoreError>
where
    S: Rows<ShelfTable, &'static [u8]>,
    P: Rows<ShelfTable, &'static [u8]>,
{
    let name = source.as_str();
    let read = |row: (redb::AccessGuard<'_, ShelfTable>, ShelfRow)| -> Result<Block, StoreError> {
        let (_, product, variant) = row.0.value();
        block(source, ShelfKey { product, variant }, row.1)
    };
    // The block that begins before the product may have its first rows.
    let mut blocks = Vec::new();
    if let Some(row) = shelves.rows((name, 0, 0)..(name, product, 0))?.next_back().transpose()? {
        blocks.push(read(row)?);
    }
    for row in shelves.rows((name, product, 0)..=(name, product, u32::MAX))? {
        blocks.push(read(row?)?);
    }
    let listings = blocks.iter().flat_map(|block| block.encoded()).map(KnownListing::decode);
    let mut rows = Vec::new();
    for row in listings.filter(|row| row.key.product == product).take(FORMS_MAX) {
        // A price that moved by less than a step is only in its history.
        let history = match prices.load((name, product, row.key.variant))? {
            Some(found) => history(source, row.key, Some(found))?,
            None => Default::default(),
        };
        let last = history.points().last().map(|point| point.price);
        rows.push((row, last.or(row.told)));
    }
    Ok(rows)
}

/// See `Store::find_products`.
pub(super) fn find_products(
    read: &ReadTransaction,
    sources: &[Name],
    query: &ProductQuery,
    limit: usize,
) -> Result<Vec<FoundProduct>, StoreError> {
    match query {
        ProductQuery::Words(words) => find_named(read, sources, words, limit),
        ProductQuery::Link(link) => find_rows(read, sources, limit, &|row| row.link == *link),
        ProductQuery::Variant(variant) => {
            find_rows(read, sources, limit, &|row| row.key.variant == *variant)
        }
    }
}

fn find_rows(
    read: &ReadTransaction,
    sources: &[Name],
    limit: usize,
    is_meant: &dyn Fn(&KnownListing) -> bool,
) -> Result<Vec<FoundProduct>, StoreError> {
    let shelves = SHELVES.open(read)?;
    let mut found: Vec<FoundProduct> = Vec::new();
    let mut looked_at = 0;
    for source in sources {
        let name = source.as_str();
        for row in shelves.rows((name, 0, 0)..=(name, u64::MAX, u32::MAX))? {
            let (key, rows) = row?;
            let (_, product, variant) = key.value();
            let block = block(source, ShelfKey { product, variant }, rows)?;
            looked_at += block.encoded().len();
            let meant = block.encoded().iter().map(KnownListing::decode);
            for row in meant.filter(|row| !row.is_moved && is_meant(row)) {
                let ShelfKey { product, variant } = row.key;
                match found.last_mut().filter(|last| last.is(source, product)) {
                    // Several forms at one address: any of them is meant.
                    Some(last) => last.variant = None,
                    None => found.push(FoundProduct {
                        source: source.clone(),
                        product,
                        variant: (variant != 0).then_some(variant),
                    }),
                }
            }
            if found.len() > limit || looked_at >= LOOKED_AT_MAX {
                found.truncate(limit);
                return Ok(found);
            }
        }
    }
    Ok(found)
}

/// Those whose names hold all of the words.
fn find_named(
    read: &ReadTransaction,
    sources: &[Name],
    words: &[String],
    limit: usize,
) -> Result<Vec<FoundProduct>, StoreError> {
    let names = NAMES.open(read)?;
    let mut found = Vec::new();
    let mut looked_at = 0;
    for source in sources {
        let of = source.as_str();
        for row in names.rows((of, 0)..=(of, u64::MAX))? {
            let (key, name) = row?;
            looked_at += 1;
            let title = name.title.to_lowercase();
            if !words.is_empty() && words.iter().all(|word| title.contains(word)) {
                let product = key.value().1;
                found.push(FoundProduct { source: source.clone(), product, variant: None });
            }
            if found.len() >= limit || looked_at >= NAMES_LOOKED_AT_MAX {
                return Ok(found);
            }
        }
    }
    Ok(found)
}

/// See `Store::list_watches`.
pub(super) fn list_watches(
    read: &ReadTransaction,
    limit: usize,
) -> Result<Vec<(Name, String, Watch)>, StoreError> {
    let people = SUBSCRIBERS.open(read)?;
    let mut all = Vec::new();
    for row in WATCHES.open(read)?.rows(..)?.take(limit) {
        let (key, watch) = row?;
        let (channel, person, _) = key.value();
        let address = people.load((channel, person))?.map(|known| known.address);
        all.push((named(channel)?, address.unwrap_or_default(), watch));
    }
    Ok(all)
}

impl Windows {
    /// Something can be sent to this person now.
    pub(super) fn lets(&self, channel: &Name, person: &Subscriber) -> bool {
        let is_there = matches!(person.standing, Standing::Active | Standing::Stopped);
        let is_open = person.window_until.is_some_and(|until| until > self.open_until);
        is_there && (is_open || !self.channels.contains(channel))
    }
}

impl Writing<'_> {
    /// Makes answers of watches that have come true, oldest first, and ends these; answers on which
    /// channels.
    pub fn tell_watches(
        &mut self,
        tellings: &[Telling],
        windows: &Windows,
    ) -> Result<BTreeSet<Name>, StoreError> {
        let mut channels = BTreeSet::new();
        for telling in tellings {
            let mut count = 0;
            for (channel, person, id) in &telling.watches {
                if count >= telling.most {
                    break;
                }
                let known = self.tables.subscribers.load((channel.as_str(), *person))?;
                let Some(known) = known.filter(|known| windows.lets(channel, known)) else {
                    continue;
                };
                // Somebody who ended it meanwhile is not told.
                let Some(watch) = self.end_watch(channel, *person, *id)? else { continue };
                let message = telling.message(known.language.as_deref());
                let row = AnswerRow {
                    number: Some(*person),
                    language: known.language.clone(),
                    answer: Answer { message: message.clone(), tap: None, ask: None },
                    part: 0,
                    releases: Vec::new(),
                };
                let answer = self.add_answer(channel, &known.address, &row)?;
                let (channel, person, standing) = (channel.clone(), *person, known.standing);
                let told = ToldWatch { channel, person, standing, watch };
                self.tables.watches_told.put(answer, &told)?;
                channels.insert(told.channel);
                count += 1;
            }
        }
        Ok(channels)
    }

    /// What an answer told has arrived, or has not: whose window was closed after all waits on.
    pub fn settle_watch(&mut self, answer: u64, is_to_wait: bool) -> Result<(), StoreError> {
        let Some(told) = self.tables.watches_told.load(answer)? else { return Ok(()) };
        self.tables.watches_told.remove(answer)?;
        let ToldWatch { channel, person, standing, watch } = told;
        let known = self.tables.subscribers.load((channel.as_str(), person))?;
        // Who has stopped since waits for nothing.
        if !is_to_wait || known.is_none_or(|known| known.standing != standing) {
            return Ok(());
        }
        let own = self.watches_of(&channel, person)?;
        if like(&own, &watch).is_none() && own.len() < WATCHES_MAX {
            self.put_watch(&channel, person, &watch)?;
        }
        Ok(())
    }

    /// What a conversation changes of a person's watches.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when what is to be waited for has come meanwhile, or what is to end has
    /// ended.
    pub fn obey_watching(
        &mut self,
        channel: &Name,
        person: Option<u32>,
        words: &[WatchWord],
    ) -> Result<(), StoreError> {
        let Some(person) = person else { return Ok(()) };
        for word in words {
            match word {
                WatchWord::Make(watch) => self.make_watch(channel, person, watch)?,
                WatchWord::End(id) => {
                    let ended = self.end_watch(channel, person, *id)?;
                    ended.ok_or_else(|| StoreError::Stale { what: format!("watch {id}") })?;
                }
                WatchWord::EndAll => self.end_watches(channel, person)?,
            }
        }
        Ok(())
    }

    /// Keeps a watch in the place of one of its kind on the same product, whose turn it keeps.
    fn make_watch(&mut self, channel: &Name, person: u32, watch: &Watch) -> Result<(), StoreError> {
        let rows =
            rows_of(&self.tables.shelves, &self.tables.prices, &watch.source, watch.product)?;
        let on = OnOffer::of_rows(&rows, watch.variant);
        if watch.wanted.is_met(&on, None) {
            return Err(StoreError::Stale { what: format!("a product of `{}`", watch.source) });
        }
        let own = self.watches_of(channel, person)?;
        let id = match like(&own, watch) {
            Some(like) => {
                self.end_watch(channel, person, like.id)?;
                like.id
            }
            None if own.len() >= WATCHES_MAX => return Ok(()),
            None => {
                let LastWatch(last) = self.tables.last_watch.load(())?.unwrap_or_default();
                self.tables.last_watch.put((), &LastWatch(last + 1))?;
                last + 1
            }
        };
        self.put_watch(channel, person, &Watch { id, ..watch.clone() })
    }

    fn put_watch(&mut self, channel: &Name, person: u32, watch: &Watch) -> Result<(), StoreError> {
        let id = watch.id;
        let row = WatchedRow { channel: channel.clone(), person, link: watch.link };
        self.tables.watched.put((watch.source.as_str(), watch.product, id), &row)?;
        let ends = (watch.expires_at.as_millis(), channel.as_str(), person, id);
        self.tables.watches_end.insert(ends)?;
        self.tables.watches.put((channel.as_str(), person, id), watch)
    }

    /// Ends a watch; `None` when it is not there.
    pub fn end_watch(
        &mut self,
        channel: &Name,
        person: u32,
        id: u64,
    ) -> Result<Option<Watch>, StoreError> {
        let key = (channel.as_str(), person, id);
        let Some(watch) = self.tables.watches.load(key)? else { return Ok(None) };
        self.tables.watches.remove(key)?;
        self.tables.watched.remove((watch.source.as_str(), watch.product, id))?;
        let ends = (watch.expires_at.as_millis(), channel.as_str(), person, id);
        self.tables.watches_end.remove(ends)?;
        Ok(Some(watch))
    }

    /// Ends all watches of somebody who has left, or is to be forgotten.
    pub fn end_watches(&mut self, channel: &Name, person: u32) -> Result<(), StoreError> {
        for watch in self.watches_of(channel, person)? {
            self.end_watch(channel, person, watch.id)?;
        }
        Ok(())
    }

    fn watches_of(&self, channel: &Name, person: u32) -> Result<Vec<Watch>, StoreError> {
        let channel = channel.as_str();
        let of = (channel, person, 0)..=(channel, person, u64::MAX);
        self.tables.watches.rows(of)?.map(|row| row.map(|(_, watch)| watch)).collect()
    }

    /// Ends watches whose time is over, at most `limit`.
    pub fn prune_watches(&mut self, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
        let over = {
            let keys = self.tables.watches_end.keys(..(now.as_millis(), "", 0, 0))?;
            let over = keys.take(limit).map(|key| {
                let key = key?;
                let (_, channel, person, id) = key.value();
                Ok((named(channel)?, person, id))
            });
            over.collect::<Result<Vec<_>, StoreError>>()?
        };
        for (channel, person, id) in &over {
            self.end_watch(channel, *person, *id)?;
        }
        Ok(over.len())
    }
}

/// The one of these that waits for the same.
fn like<'a>(own: &'a [Watch], watch: &Watch) -> Option<&'a Watch> {
    own.iter().find(|other| {
        let is_same = other.source == watch.source && other.product == watch.product;
        is_same && other.variant == watch.variant && other.wanted.is_like(watch.wanted)
    })
}
