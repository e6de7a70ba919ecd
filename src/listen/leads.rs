//! Where pages and forms lead: the channels with what their links are made of, as far as it is known.

use std::time::Duration;

use tokio::time::Instant;

use crate::invite::{Door, Way};
use crate::model::name::Name;
use crate::model::origin::Origin;
use crate::store::Store;

/// The topics and channels that links are for.
#[derive(Clone, Debug)]
pub struct Leads {
    /// That the links name; none stands for all.
    pub topics: Vec<Name>,
    pub channels: Vec<(Name, Entrance)>,
}

/// Where a channel's links lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entrance {
    /// Without a name it is the one that the store keeps; see [`crate::listen::naming`].
    Telegram {
        bot: Option<String>,
    },
    Messenger {
        page: String,
    },
}

impl Entrance {
    /// What links are made of; `None` for a bot of which the settings don't say what it is called.
    fn way(&self) -> Option<Way> {
        match self {
            Self::Messenger { page } => Some(Way::Messenger { page: page.clone() }),
            Self::Telegram { bot } => bot.clone().map(|bot| Way::Telegram { bot }),
        }
    }
}

/// The channels of which links can be made, in their order.
pub(super) type Ways = Vec<(Name, Way)>;

impl Leads {
    /// What the links are made of, and whether it is known of all channels. Where the store does not
    /// tell within `patience`, it is what is known without.
    pub(super) async fn ways(&self, store: &dyn Store, patience: Duration) -> (Ways, bool) {
        let until = Instant::now() + patience;
        let mut ways = Vec::with_capacity(self.channels.len());
        for (channel, entrance) in &self.channels {
            let mut way = entrance.way();
            if way.is_none() {
                let asked = tokio::time::timeout_at(until, store.load_bot(channel)).await;
                // A store that has failed stops the whole daemon: nothing is to be said here.
                let known = asked.ok().and_then(Result::ok).flatten();
                way = known.map(|bot| Way::Telegram { bot });
            }
            ways.extend(way.map(|way| (channel.clone(), way)));
        }
        let are_all = ways.len() == self.channels.len();
        (ways, are_all)
    }

    /// The links where a bot of which nobody knows yet what it is called is called `nameless`.
    pub fn doors_calling(&self, nameless: &str, origin: &Origin) -> Vec<Door> {
        let way = |(channel, entrance): &(Name, Entrance)| {
            let way = entrance.way().unwrap_or_else(|| Way::Telegram { bot: nameless.to_owned() });
            (channel.clone(), way)
        };
        self.doors(&self.channels.iter().map(way).collect(), origin)
    }

    /// The links, which say where they stand.
    pub(super) fn doors(&self, ways: &Ways, origin: &Origin) -> Vec<Door> {
        let door = |(channel, way): &(Name, Way)| {
            // The settings let none pass that is too long.
            let link = way.chat_from(&self.topics, origin).ok()?;
            Some(Door { kind: way.kind(), name: channel.to_string(), link })
        };
        ways.iter().filter_map(door).collect()
    }
}
