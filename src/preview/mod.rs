//! What people will see of a message, told from the very calls that would send it: cuts, captions,
//! albums, rows of buttons and carousels are as the channel has them.
//!
//! In a terminal ([`text`]) or as a page for the browser ([`page()`]). Nothing that a feed holds
//! steers a terminal or becomes markup or script. Knows no store, no network and no clock.

mod entries;

mod bubble;

mod terminal;

mod page;

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub use page::{Heading, page};
pub use terminal::text;

use crate::channel::{Call, lower};
use crate::model::channel::ChannelKind;
use crate::model::item::Item;
use crate::model::message::{Medium, Message, Module};

/// A message on one kind of channel.
#[derive(Clone, Debug)]
pub struct Shown {
    pub kind: ChannelKind,
    pub calls: Vec<Call>,
    pub facts: Facts,
}

impl Shown {
    /// The message as that kind of channel sends it. The items are those that it tells of.
    pub fn of(kind: ChannelKind, message: &Message, items: &[Item]) -> Self {
        Self { kind, calls: lower(kind, message), facts: Facts::of(message, items) }
    }

    /// Kind and calls, for programs. `covers` counts the calls behind one that go out only if the
    /// service does not take it.
    pub fn to_json(&self) -> Value {
        let calls = self.calls.iter().filter(|call| !call.is_acknowledgement);
        let calls: Vec<Value> = calls.map(call_as_json).collect();
        json!({ "channel": self.kind, "calls": calls })
    }
}

fn call_as_json(call: &Call) -> Value {
    let mut told = json!({ "method": call.method, "body": call.body() });
    if call.covers > 0 {
        told["covers"] = json!(call.covers);
    }
    told
}

/// What is known of files beside their addresses, in words: `A description, 3:07, 121 kB`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts(BTreeMap<String, String>);

impl Facts {
    /// Of every file of the message, and its size where one of the items names it.
    pub fn of(message: &Message, items: &[Item]) -> Self {
        let sizes: BTreeMap<&str, u64> = items
            .iter()
            .flat_map(|item| &item.media)
            .filter_map(|media| Some((media.url.as_str(), media.bytes?)))
            .collect();
        let mut facts = BTreeMap::new();
        let mut note = |url: &str, words: Vec<String>| {
            let mut words = words;
            words.extend(sizes.get(url).map(|bytes| size(*bytes)));
            words.retain(|word| !word.trim().is_empty());
            if !words.is_empty() {
                facts.insert(url.to_owned(), words.join(", "));
            }
        };
        for module in &message.modules {
            match module {
                Module::Text { .. } => {}
                Module::Media(medium) => note(&medium.url, words(medium)),
                Module::Album(media) => {
                    media.iter().for_each(|medium| note(&medium.url, words(medium)));
                }
                Module::Cards(cards) => {
                    let images = cards.iter().filter_map(|card| card.image.as_deref());
                    images.for_each(|image| note(image, vec![]));
                }
            }
        }
        Self(facts)
    }

    fn words(&self, url: &str) -> Option<&str> {
        self.0.get(url).map(String::as_str)
    }
}

fn words(medium: &Medium) -> Vec<String> {
    let length = medium.seconds.map(|seconds| format!("{}:{:02}", seconds / 60, seconds % 60));
    let mut words = vec![medium.alt.clone(), medium.title.clone(), medium.performer.clone()];
    words.extend(length);
    words
}

/// `812 B`, `121 kB`, `3.4 MB`
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}
