//! The newest items of somebody's topics, as a short list.
//!
//! What is newest is looked up once in [`FRESH_FOR`] for the same sources, so that many who come at
//! one time cost one look.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::converse::words::Saying;
use crate::model::item::Item;
use crate::model::message::{LinkPreview, Message, Module};
use crate::model::name::Name;
use crate::model::post::Answer;
use crate::model::rich::{Block, Inline, RichText};
use crate::model::subscriber::Subscriber;
use crate::store::{Store, StoreError};

/// For how long what was found is the newest.
const FRESH_FOR: Duration = Duration::from_secs(30);

/// Most different sets of sources that are remembered.
const SETS_MAX: usize = 64;

/// Items that are looked at for those with a title.
const ITEMS_MAX: usize = 20;

/// Longest title in a list.
const TITLE_CHARS_MAX: usize = 120;

const HEAD: [(&str, &str); 7] = [
    ("en", "The newest"),
    ("ro", "Cele mai noi"),
    ("it", "Le ultime novità"),
    ("de", "Das Neueste"),
    ("fr", "Les dernières nouveautés"),
    ("es", "Lo más reciente"),
    ("ru", "Самое новое"),
];

/// Whose items who gets: what a campaign says of that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Supply {
    /// None stands for everybody.
    pub topics: Vec<Name>,
    pub channels: Vec<Name>,
    pub sources: Vec<Name>,
}

/// The newest items by topics, for a while.
pub(crate) struct Newest {
    store: Arc<dyn Store>,
    supplies: Vec<Supply>,
    kept: Mutex<BTreeMap<Vec<Name>, (Instant, Arc<[Item]>)>>,
}

impl Newest {
    pub(crate) fn new(store: Arc<dyn Store>, supplies: Vec<Supply>) -> Self {
        Self { store, supplies, kept: Mutex::default() }
    }

    /// The newest items of the person's topics with a title, newest first, at most [`ITEMS_MAX`].
    pub(crate) async fn of(
        &self,
        channel: &Name,
        person: &Subscriber,
    ) -> Result<Arc<[Item]>, StoreError> {
        let sources = sources(&self.supplies, channel, person);
        if sources.is_empty() {
            return Ok(Arc::default());
        }
        let now = Instant::now();
        if let Some((found_at, items)) = self.kept().get(&sources)
            && now.duration_since(*found_at) < FRESH_FOR
        {
            return Ok(Arc::clone(items));
        }
        let items = self.store.load_newest_items(&sources, ITEMS_MAX).await?;
        let has_title = |item: &Item| !item.title.trim().is_empty();
        let items: Arc<[Item]> = items.into_iter().filter(has_title).collect();
        let mut kept = self.kept();
        if kept.len() >= SETS_MAX {
            kept.clear();
        }
        kept.insert(sources, (now, Arc::clone(&items)));
        Ok(items)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, BTreeMap<Vec<Name>, (Instant, Arc<[Item]>)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sources of what a person gets, sorted.
fn sources(supplies: &[Supply], channel: &Name, person: &Subscriber) -> Vec<Name> {
    let is_got = |supply: &&Supply| {
        let is_told = supply.topics.iter().any(|topic| person.topics.contains(topic));
        supply.channels.contains(channel) && (supply.topics.is_empty() || is_told)
    };
    let got = supplies.iter().filter(is_got).flat_map(|supply| &supply.sources);
    let unique: BTreeSet<&Name> = got.collect();
    unique.into_iter().cloned().collect()
}

/// The first `limit` of the items, each a line that leads to it; `None` where there are none.
pub(super) fn list(items: &[Item], limit: usize, person: &Subscriber) -> Option<Answer> {
    let lines: Vec<Vec<Block>> = items.iter().take(limit).map(line).collect();
    if lines.is_empty() {
        return None;
    }
    let head = Saying::new(&HEAD).to(person).to_owned();
    let head = Block::Paragraph(vec![Inline::Bold(vec![Inline::Text(head)])]);
    let blocks = vec![head, Block::List { start: None, items: lines }];
    let text = Module::Text { text: RichText { blocks }, buttons: vec![] };
    let mut message = Message::from(vec![text]);
    message.manner.preview = LinkPreview::Off;
    Some(Answer { message, tap: None, ask: None })
}

fn line(item: &Item) -> Vec<Block> {
    let title = item.title.split_whitespace().collect::<Vec<_>>().join(" ");
    let title: String = match title.char_indices().nth(TITLE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", title[..end].trim_end()),
        None => title,
    };
    let title = Inline::Text(title);
    let content = match &item.link {
        Some(href) => Inline::Link { href: href.clone(), content: vec![title] },
        None => title,
    };
    vec![Block::Paragraph(vec![content])]
}
