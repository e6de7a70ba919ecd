//! Nudges from the stage that commits work to the stage that waits for it.
//!
//! A nudge is a hint: the row in the store is the truth, and every waiter also looks by itself
//! from time to time. Register for the nudge (`notified()`) before looking.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Notify;

use crate::model::name::Name;

/// One bell a stage.
#[derive(Clone, Debug, Default)]
pub struct Wakes {
    /// A draft was committed.
    pub drafts: Arc<Notify>,
    /// An event was committed.
    pub events: Arc<Notify>,
    /// A post or an answer was committed for the channel.
    pub channels: HashMap<Name, Arc<Notify>>,
}

impl Wakes {
    pub fn new(channels: impl IntoIterator<Item = Name>) -> Self {
        Self {
            channels: channels.into_iter().map(|name| (name, Arc::default())).collect(),
            ..Self::default()
        }
    }

    /// Wakes the channel's sender; a channel that is not there is ignored.
    pub fn wake_channel(&self, channel: &Name) {
        if let Some(bell) = self.channels.get(channel) {
            bell.notify_one();
        }
    }
}
