//! Channels: our configured ways out.

use serde::{Deserialize, Serialize};

use crate::model::time::Timestamp;

/// The service behind a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChannelKind {
    Telegram,
    Messenger,
}

impl ChannelKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Telegram => "telegram",
            Self::Messenger => "messenger",
        }
    }
}

/// What is remembered of a channel across restarts. Written by `deliver` and by the update reader.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ChannelState {
    /// Nothing is sent before this instant: a 429's `retry_after`, or a back-off.
    pub quiet_until: Option<Timestamp>,
    /// Why the channel is paused until a person acts (credentials refused, page restricted);
    /// tried again at each start and reload.
    pub paused: Option<String>,
}
