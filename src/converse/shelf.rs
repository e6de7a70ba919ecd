//! The newest items that people may be shown, looked up once in `FRESH_FOR` however many ask.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::converse::choosing::fold;
use crate::converse::latest::{Lookup, sought};
use crate::model::item::Item;
use crate::model::message::Card;
use crate::model::name::Name;
use crate::model::prospect::Selection;
use crate::model::time::Timestamp;
use crate::render::{Scene, cards};
use crate::store::{Store, StoreError};

/// For how long what was found is shown.
const FRESH_FOR: Duration = Duration::from_secs(30);

/// Items that are looked through.
const ITEMS_MAX: usize = 300;

/// Longest text of an item that is searched, in characters.
const TEXT_CHARS_MAX: usize = 1_000;

/// Most selections that are remembered.
const SETS_MAX: usize = 16;

/// What is shown to whom: nothing of it waits to be looked at first.
#[derive(Clone, Debug, Default)]
pub struct Shelves {
    /// By channel and topic: of what its people get.
    pub topics: BTreeMap<(Name, Name), Selection>,
    /// By channel: of what everybody gets.
    pub everybody: BTreeMap<Name, Selection>,
}

/// The newest items by the campaigns that would tell them, as they are shown.
#[derive(Default)]
pub(super) struct Shelf {
    kept: Mutex<BTreeMap<Vec<Name>, Kept>>,
}

struct Kept {
    until: Instant,
    items: Arc<[Shown]>,
}

/// An item that can be shown.
struct Shown {
    card: Card,
    /// Folded, for searching.
    text: String,
}

impl Shelves {
    /// What people of these topics get on the channel; without topics, of all.
    pub fn of(&self, channel: &Name, topics: &[Name]) -> Selection {
        let is_meant = |(of, topic): &(Name, Name)| {
            of == channel && (topics.is_empty() || topics.contains(topic))
        };
        let own = self.topics.iter().filter(|(key, _)| is_meant(key)).map(|(_, own)| own);
        Selection::union(own.chain(self.everybody.get(channel)))
    }
}

impl Shelf {
    /// The cards of the newest items that are asked for.
    ///
    /// # Errors
    /// What the store says.
    pub async fn look_up(
        &self,
        store: &dyn Store,
        shelves: &Shelves,
        channel: &Name,
        lookup: &Lookup,
        now: Timestamp,
    ) -> Result<Vec<Card>, StoreError> {
        let items = self.items(store, &shelves.of(channel, &lookup.topics), now).await?;
        let sought = sought(&lookup.words);
        let is_meant = |item: &&Shown| sought.iter().all(|word| item.text.contains(word.as_str()));
        Ok(items.iter().filter(is_meant).take(lookup.limit).map(|item| item.card.clone()).collect())
    }

    /// Others wait for the same answer of the store.
    async fn items(
        &self,
        store: &dyn Store,
        selection: &Selection,
        now: Timestamp,
    ) -> Result<Arc<[Shown]>, StoreError> {
        let (campaigns, sources) = (selection.campaigns(), selection.sources());
        // To the store no sources are all.
        if sources.is_empty() {
            return Ok(Arc::default());
        }
        let mut kept = self.kept.lock().await;
        let instant = Instant::now();
        if let Some(known) = kept.get(&campaigns).filter(|known| known.until > instant) {
            return Ok(Arc::clone(&known.items));
        }
        let items = store.load_newest_items(&sources, ITEMS_MAX).await?;
        let items: Arc<[Shown]> = items
            .iter()
            .filter(|item| selection.has(item, now))
            .filter_map(|item| shown(item, now))
            .collect();
        kept.retain(|_, known| known.until > instant);
        if kept.len() >= SETS_MAX {
            kept.clear();
        }
        let until = instant + FRESH_FOR;
        kept.insert(campaigns, Kept { until, items: Arc::clone(&items) });
        Ok(items)
    }
}

/// `None` for an item without a title.
fn shown(item: &Item, now: Timestamp) -> Option<Shown> {
    if item.title.trim().is_empty() {
        return None;
    }
    let scene = Scene { campaign: &item.source, told: &[], now };
    let card = cards(std::slice::from_ref(item), &scene).pop()?;
    let words = if item.summary.is_empty() { &item.body } else { &item.summary };
    let text = format!("{} {} {}", item.title, item.tags.join(" "), words.plain());
    let text: String = text.chars().take(TEXT_CHARS_MAX).collect();
    Some(Shown { card, text: fold(&text) })
}
