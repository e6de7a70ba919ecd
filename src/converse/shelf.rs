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
use crate::model::time::Timestamp;
use crate::render::{Scene, cards};
use crate::store::{Store, StoreError};

/// For how long what was found is shown.
const FRESH_FOR: Duration = Duration::from_secs(30);

/// Items that are looked through.
const ITEMS_MAX: usize = 300;

/// Longest text of an item that is searched, in characters.
const TEXT_CHARS_MAX: usize = 1_000;

/// Most sets of sources that are remembered.
const SETS_MAX: usize = 16;

/// What is shown to whom: nothing of it waits to be looked at first.
#[derive(Clone, Debug, Default)]
pub struct Shelves {
    /// By channel and topic: the sources of what its people get.
    pub sources: BTreeMap<(Name, Name), Vec<Name>>,
    /// By channel: the sources of what everybody gets.
    pub everybody: BTreeMap<Name, Vec<Name>>,
}

/// The newest items by sources, as they are shown.
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
    /// The sources of what people of these topics get on the channel; without topics, of all.
    fn of(&self, channel: &Name, topics: &[Name]) -> Vec<Name> {
        let is_meant = |(of, topic): &(Name, Name)| {
            of == channel && (topics.is_empty() || topics.contains(topic))
        };
        let own = self.sources.iter().filter(|(key, _)| is_meant(key)).flat_map(|(_, all)| all);
        let everybody = self.everybody.get(channel).into_iter().flatten();
        let mut sources: Vec<Name> = own.chain(everybody).cloned().collect();
        sources.sort_unstable();
        sources.dedup();
        sources
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
        let sources = shelves.of(channel, &lookup.topics);
        // To the store no sources are all.
        if sources.is_empty() {
            return Ok(Vec::new());
        }
        let items = self.items(store, sources, now).await?;
        let sought = sought(&lookup.words);
        let is_meant = |item: &&Shown| sought.iter().all(|word| item.text.contains(word.as_str()));
        Ok(items.iter().filter(is_meant).take(lookup.limit).map(|item| item.card.clone()).collect())
    }

    /// Others wait for the same answer of the store.
    async fn items(
        &self,
        store: &dyn Store,
        sources: Vec<Name>,
        now: Timestamp,
    ) -> Result<Arc<[Shown]>, StoreError> {
        let mut kept = self.kept.lock().await;
        let instant = Instant::now();
        if let Some(known) = kept.get(&sources).filter(|known| known.until > instant) {
            return Ok(Arc::clone(&known.items));
        }
        let items = store.load_newest_items(&sources, ITEMS_MAX).await?;
        let items: Arc<[Shown]> = items.iter().filter_map(|item| shown(item, now)).collect();
        kept.retain(|_, known| known.until > instant);
        if kept.len() >= SETS_MAX {
            kept.clear();
        }
        let until = instant + FRESH_FOR;
        kept.insert(sources, Kept { until, items: Arc::clone(&items) });
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_shown_what_they_get() {
        let name = |text: &str| Name::parse(text).unwrap();
        let list = |names: &[&str]| names.iter().map(|it| name(it)).collect::<Vec<_>>();
        let shelves = Shelves {
            sources: BTreeMap::from([
                ((name("bot"), name("news")), list(&["b", "a"])),
                ((name("bot"), name("shop")), list(&["c"])),
                ((name("page"), name("news")), list(&["d"])),
            ]),
            everybody: BTreeMap::from([(name("bot"), list(&["a", "z"]))]),
        };
        for (channel, topics, expected) in [
            ("bot", &["news"][..], &["a", "b", "z"][..]),
            ("bot", &[], &["a", "b", "c", "z"]),
            ("bot", &["gone"], &["a", "z"]),
            ("page", &["shop"], &[]),
        ] {
            assert_eq!(shelves.of(&name(channel), &list(topics)), list(expected), "{channel}");
        }
    }
}
