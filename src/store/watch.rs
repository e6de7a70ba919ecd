//! What the verbs about watches are given and answer.

use crate::model::message::Message;
use crate::model::name::Name;
use crate::model::offer::Amount;
use crate::model::product::ProductName;
use crate::model::shelf::KnownListing;
use crate::model::time::Timestamp;
use crate::model::watch::Watch;

/// Who waits for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watcher {
    pub channel: Name,
    /// The subscriber's number.
    pub person: u32,
    pub watch: Watch,
    /// They have chosen not to be written to at this hour.
    pub is_quiet: bool,
}

/// To whom something can be sent at an instant.
#[derive(Clone, Debug, Default)]
pub struct Windows {
    /// The channels whose people can be written to only while their window is open.
    pub channels: Vec<Name>,
    /// A window must be open beyond this instant.
    pub open_until: Timestamp,
    pub now: Timestamp,
}

/// Whom [`Store::load_watchers`](crate::store::Store::load_watchers) finds.
pub struct WatcherQuery {
    pub windows: Windows,
    /// Whether what a watch waits for has come.
    pub is_met: Box<dyn Fn(&Watch) -> bool + Send + Sync>,
    /// No more than so many.
    pub limit: usize,
}

/// What is told to some who have waited for the same.
#[derive(Clone, Debug)]
pub struct Telling {
    /// By language; the first serves all others. Never empty.
    pub messages: Vec<(String, Message)>,
    /// By channel, person and watch, oldest first.
    pub watches: Vec<(Name, u32, u64)>,
    /// So many of these are told at most; the others wait on.
    pub most: usize,
}

impl Telling {
    /// The message for a language: exactly it, its main language, or the first there is.
    pub fn message(&self, language: Option<&str>) -> Message {
        let main = language.and_then(|language| language.split('-').next());
        let of = |wanted: &str| self.messages.iter().find(|(own, _)| own == wanted);
        let found = language.and_then(of).or_else(|| main.and_then(of));
        found.or(self.messages.first()).map(|(_, message)| message.clone()).unwrap_or_default()
    }
}

/// What a conversation changes of somebody's watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WatchWord {
    /// Keep it; whatever its id says, the store gives it one. In place of one of its kind on the
    /// same product.
    Make(Box<Watch>),
    /// They don't wait for it any more, or are told.
    End(u64),
    EndAll,
}

/// A product as its shelf has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProductNow {
    /// Only of sources whose names are kept.
    pub name: Option<ProductName>,
    /// Its rows, each with what it costs now.
    pub rows: Vec<(KnownListing, Option<Amount>)>,
}

/// Which products are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProductQuery {
    /// Those whose names hold all of these words, in lower case.
    Words(Vec<String>),
    /// By the hash of a canonical link.
    Link(u64),
    /// By the id of a form, hashed.
    Variant(u32),
}

/// A product that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundProduct {
    pub source: Name,
    pub product: u64,
    /// One of its forms is meant.
    pub variant: Option<u32>,
}

impl FoundProduct {
    pub(super) fn is(&self, source: &Name, product: u64) -> bool {
        self.source == *source && self.product == product
    }
}
