//! What somebody did lately, kept so that an event which comes late still finds its place.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::event::{Deed, Event};
use crate::model::name::Name;
use crate::model::subscriber::Subscriber;
use crate::model::time::Timestamp;

/// How long an event is kept; an older one is not taken in any more.
pub const RECENT_FOR: Duration = Duration::from_secs(48 * 3600);

/// The last events of one person, and what they were before the first of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recent {
    /// The record before the first of `events`; `None` while there was none.
    pub base: Option<Subscriber>,
    /// In the order in which they count.
    pub events: Vec<Lately>,
    /// The record after the last of `events`. Where it is another by now, somebody else has changed
    /// it, and nothing can be told of what was before.
    pub after: Option<Subscriber>,
}

/// One event, as far as it can count again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lately {
    pub id: String,
    pub at: Timestamp,
    pub address: String,
    pub language: Option<String>,
    pub first_name: Option<String>,
    /// A text that said nothing to us and changed nothing is not kept: it counts as something
    /// without words.
    pub deed: Deed,
}

impl Lately {
    pub fn of(event: &Event) -> Self {
        Self {
            id: event.id.clone(),
            at: event.at,
            address: event.address.clone(),
            language: event.language.clone(),
            first_name: event.first_name.clone(),
            deed: event.deed.clone(),
        }
    }

    /// The event, as it was.
    pub fn event(&self, channel: &Name) -> Event {
        Event {
            channel: channel.clone(),
            id: self.id.clone(),
            at: self.at,
            address: self.address.clone(),
            language: self.language.clone(),
            first_name: self.first_name.clone(),
            deed: self.deed.clone(),
        }
    }
}

impl Recent {
    /// When the last of it was.
    pub fn newest_at(&self) -> Timestamp {
        self.events.last().map_or(Timestamp::default(), |event| event.at)
    }
}
