//! Watches beside a catalog's poll: which of them have come true, and what is said of these.
//!
//! Nothing is looked at where nobody watches. Otherwise each listing costs two looks at a table of
//! bits, and only products that can be had are asked for who watches them. A watch is held against
//! what the document says now, not against what changed: so one that could not be told at a poll
//! is told at a later one, as long as it is still true.

use std::collections::HashMap;
use std::time::Duration;

use crate::diff::catalog::{Change, Diff, Place};
use crate::extract::{Entry, keys};
use crate::model::campaign::ChangeKind;
use crate::model::listing::Listing;
use crate::model::name::Name;
use crate::model::offer::Amount;
use crate::model::product_token::ProductToken;
use crate::model::time::Timestamp;
use crate::model::watch::{OfferedForm, OnOffer, TOLD_A_PIECE, Wanted, Watch};
use crate::model::watch_news::News;
use crate::poll::wait::Wait;
use crate::store::{StoreError, Telling, Watcher, WatcherQuery, Windows};

/// Most people who are told in the commit of one poll; the others are told at the next one.
const TOLD_MAX: usize = 20_000;

/// Most rows of one product that are read for its words.
const PLACES_MAX: usize = 200;

/// Whose window closes sooner is told at their next contact: an answer may wait in the line.
const WINDOW_MARGIN: Duration = Duration::from_secs(10 * 60);

/// What is watched of a catalog, and what its document says of it.
pub(crate) struct Watching {
    /// Ascending.
    products: Vec<u64>,
    /// By link, ascending: the product that is watched.
    links: Vec<(u64, u64)>,
    sieve: Sieve,
    /// By the product that is watched, with whether it came under another id.
    found: Vec<(u64, bool, Listing)>,
}

/// Watches that have come true, before their words are read.
pub(crate) struct True {
    /// Where the words of the products stand.
    pub changes: Vec<Change>,
    groups: Vec<Group>,
    /// Some could not be told at this poll.
    pub is_more: bool,
}

/// Those who have waited for the same.
struct Group {
    product: u64,
    variant: Option<u32>,
    wanted: Wanted,
    on: OnOffer,
    was: Option<Amount>,
    watches: Vec<(Name, u32, u64)>,
    most: usize,
}

impl Watching {
    /// `None` where nobody watches.
    pub fn load(wait: &Wait<'_>) -> Result<Option<Self>, StoreError> {
        if !wait.source.watch {
            return Ok(None);
        }
        let watched = wait.handle.block_on(wait.store.load_watched(&wait.source.name))?;
        Ok((!watched.is_empty()).then(|| Self::of(&watched)))
    }

    fn of(watched: &[(u64, u64)]) -> Self {
        let mut products: Vec<u64> = watched.iter().map(|(product, _)| *product).collect();
        products.sort_unstable();
        let linked = watched.iter().filter(|(_, link)| *link != 0);
        let mut links: Vec<(u64, u64)> = linked.map(|(product, link)| (*link, *product)).collect();
        links.sort_unstable();
        let mut sieve = Sieve::new();
        watched.iter().for_each(|(product, link)| {
            sieve.put(*product);
            if *link != 0 {
                sieve.put(*link);
            }
        });
        Self { products, links, sieve, found: Vec::new() }
    }

    /// Takes in what the documents say.
    pub fn see(&mut self, listings: &[Listing]) {
        for listing in listings {
            if !self.sieve.may_have(listing.product) && !self.sieve.may_have(listing.link) {
                continue;
            }
            if self.products.binary_search(&listing.product).is_ok() {
                self.found.push((listing.product, false, *listing));
            } else if let Ok(at) = self.links.binary_search_by_key(&listing.link, |(link, _)| *link)
                && let Some((_, product)) = self.links.get(at)
            {
                self.found.push((*product, true, *listing));
            }
        }
    }

    /// Which watches have come true. Of a kind of change that is held because too much came at
    /// once none is told: the next poll shows whether it was a mistake.
    pub fn true_now(
        mut self,
        diff: &Diff,
        wait: &Wait<'_>,
        now: Timestamp,
    ) -> Result<True, StoreError> {
        let is_held = |kind| diff.held.iter().any(|held| held.kind == kind);
        let (no_stock, no_price) =
            (is_held(ChangeKind::BackInStock), is_held(ChangeKind::PriceDrop));
        let windows = windows(wait.windowed, now);
        let mut found = True { changes: Vec::new(), groups: Vec::new(), is_more: false };
        let mut left = TOLD_MAX;
        self.found.sort_by_key(|(product, ..)| *product);
        for here in self.found.chunk_by(|(one, ..), (next, ..)| one == next) {
            let Some((product, ..)) = here.first() else { continue };
            // Another product at its address counts only while it is gone itself.
            let is_here = here.iter().any(|(_, is_other, _)| !is_other);
            let rows = here.iter().filter(|(_, is_other, _)| is_here != *is_other);
            let rows: Vec<&Listing> = rows.map(|(_, _, listing)| listing).collect();
            let least = wait.source.price.min_quantity;
            let any = stands(rows.iter().copied(), None, least);
            if !any.can_be_got() {
                continue;
            }
            if left == 0 {
                found.is_more = true;
                break;
            }
            let forms: Vec<Listing> = rows.iter().map(|row| **row).collect();
            let on_of = move |watch: &Watch| match watch.variant {
                Some(variant) => stands(&forms, Some(variant), least),
                None => any,
            };
            let asked = on_of.clone();
            let who = WatcherQuery {
                windows: windows.clone(),
                is_met: Box::new(move |watch| watch.wanted.is_met(&asked(watch), watch.price)),
                // One more shows that there are more.
                limit: left + 1,
            };
            let loading = wait.store.load_watchers(&wait.source.name, *product, who);
            let watchers = wait.handle.block_on(loading)?;
            let mut groups: Vec<Group> = Vec::new();
            for Watcher { channel, person, watch, is_quiet } in watchers {
                let on = on_of(&watch);
                let is_held = match watch.wanted {
                    Wanted::Stock => no_stock,
                    Wanted::Price { .. } => no_price,
                };
                if is_held || is_quiet || left == 0 {
                    found.is_more = true;
                    continue;
                }
                let own = (channel, person, watch.id);
                let like = groups.iter_mut().find(|group| {
                    group.variant == watch.variant && group.wanted.is_like(watch.wanted)
                });
                match like {
                    Some(group) if group.watches.len() >= group.most => found.is_more = true,
                    Some(group) => {
                        group.was = group.was.filter(|was| Some(*was) == watch.price);
                        group.watches.push(own);
                        left -= 1;
                    }
                    None => {
                        groups.push(Group {
                            product: *product,
                            variant: watch.variant,
                            wanted: watch.wanted,
                            on,
                            was: watch.price,
                            watches: vec![own],
                            most: most(watch.wanted, &on),
                        });
                        left -= 1;
                    }
                }
            }
            if !groups.is_empty() {
                found.changes.push(change(*product, &rows));
                found.groups.append(&mut groups);
            }
        }
        Ok(found)
    }
}

impl True {
    /// What is told, once the products' words are read. Nothing is told of a product whose row
    /// can't be read again.
    pub fn tellings(self, entries: &HashMap<u64, Entry>, wait: &Wait<'_>) -> Vec<Telling> {
        let telling = |group: Group| {
            let entry = entries.get(&group.product)?;
            let (title, link) = named(entry, group.variant);
            let news = News {
                token: ProductToken::new(&wait.source.name, group.product),
                title,
                link,
                image: entry.image.as_deref(),
                wanted: group.wanted,
                price: group.on.price,
                was: match group.wanted {
                    Wanted::Stock => None,
                    Wanted::Price { .. } => group.was,
                },
            };
            let Group { watches, most, .. } = group;
            Some(Telling { messages: news.messages(), watches, most })
        };
        self.groups.into_iter().filter_map(telling).collect()
    }
}

/// To whom something can be sent at this poll.
pub(crate) fn windows(windowed: &[Name], now: Timestamp) -> Windows {
    Windows { channels: windowed.to_vec(), open_until: now + WINDOW_MARGIN, now }
}

/// How many are told at once: a shop that has three left does not need a thousand at its door.
fn most(wanted: Wanted, on: &OnOffer) -> usize {
    match (wanted, on.left) {
        (Wanted::Stock, Some(left)) => left.saturating_mul(TOLD_A_PIECE) as usize,
        _ => usize::MAX,
    }
}

fn stands<'a>(
    rows: impl IntoIterator<Item = &'a Listing>,
    variant: Option<u32>,
    quantity_min: u16,
) -> OnOffer {
    let meant = rows.into_iter().filter(|row| variant.is_none_or(|of| of == row.variant));
    let form = |row: &Listing| OfferedForm {
        availability: row.availability,
        price: row.price,
        quantity: row.quantity.map(u32::from),
    };
    OnOffer::of(meant.map(form), quantity_min)
}

/// As if it had changed, for whoever reads the rows of changes.
fn change(product: u64, rows: &[&Listing]) -> Change {
    let places = rows.iter().take(PLACES_MAX);
    let mut places: Vec<Place> =
        places.map(|row| Place { page: row.page, place: row.place }).collect();
    places.sort_unstable();
    places.dedup();
    Change { product, kind: ChangeKind::BackInStock, places, price: None, link: 0, title: 0 }
}

/// The title and the address of a product, or of one of its forms.
fn named(entry: &Entry, variant: Option<u32>) -> (&str, Option<&str>) {
    let own = (entry.title.as_str(), entry.link.as_deref());
    let variants = entry.offer.iter().flat_map(|offer| &offer.variants);
    let is_meant = |id: &str| variant == keys::product(id).map(keys::narrow);
    let Some(form) = variants.filter(|_| variant.is_some()).find(|form| is_meant(&form.id)) else {
        return own;
    };
    let title = if form.title.is_empty() { own.0 } else { form.title.as_str() };
    (title, form.link.as_deref().or(own.1))
}

/// A table of bits: what it does not have was never put in.
struct Sieve(Vec<u64>);

impl Sieve {
    const WORDS: usize = 1 << 12;

    fn new() -> Self {
        Self(vec![0; Self::WORDS])
    }

    fn place(hash: u64) -> (usize, u64) {
        // Hashes are as good as random in each of their bits.
        ((hash >> 6) as usize % Self::WORDS, 1 << (hash & 63))
    }

    fn put(&mut self, hash: u64) {
        let (word, bit) = Self::place(hash);
        if let Some(word) = self.0.get_mut(word) {
            *word |= bit;
        }
    }

    fn may_have(&self, hash: u64) -> bool {
        let (word, bit) = Self::place(hash);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }
}
