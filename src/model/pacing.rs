//! What is remembered of a channel's pace from one run to the next.

use serde::{Deserialize, Serialize};

use crate::model::post::PostId;
use crate::model::time::Timestamp;

/// How fast a channel was found to be allowed to send. Written by `deliver`.
///
/// Every channel that ever sent has one. What was sent since `at` is not in it, unless `is_whole`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pacing {
    pub at: Timestamp,
    /// The run ended in order: nothing was sent after `at`.
    pub is_whole: bool,
    /// `None` while the service never refused: the rate of the settings.
    pub learned: Option<Learned>,
    /// Chats that got messages lately, or are to be left alone.
    pub chats: Vec<ChatPace>,
}

/// A rate that was found by being refused.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Learned {
    /// Messages a second.
    pub rate: f64,
    /// The rate that was too much …
    pub refused_rate: f64,
    /// … and when.
    pub refused_at: Timestamp,
}

/// What one chat got.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChatPace {
    pub chat: String,
    /// One instant a message, oldest first.
    pub sent: Vec<Timestamp>,
    /// The service asked to wait with this chat.
    pub quiet_until: Option<Timestamp>,
}

/// A channel on which nothing is sent until somebody says so. Written by `deliver` and `listen`,
/// taken away by the admins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Halt {
    pub why: String,
    pub at: Timestamp,
    /// Somebody halted it, and not the service.
    pub is_by_hand: bool,
}

/// The admins' word on a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChannelWord {
    /// Nothing is sent any more; what is under way comes home.
    Halt {
        why: String,
    },
    Resume,
}

/// How many Stars may be spent on what goes beyond the free rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StarBudget {
    /// In tenths of a Star: what one message costs. Source: Bot API, `allow_paid_broadcast`.
    pub tenths_max: u64,
    pub per: StarsPer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StarsPer {
    Post,
    /// A civil day of the settings' time zone.
    Day,
}

/// Stars that are to be spent: counted as spent before the first message that costs them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StarsAsked {
    pub post: PostId,
    /// Days since 1970.
    pub day: u32,
    pub tenths: u64,
    pub budget: StarBudget,
}
