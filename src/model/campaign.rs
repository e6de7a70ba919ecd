//! Campaigns: the standing rules by which changes become posts.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::audience::{Reach, Whom};
use crate::model::condition::Condition;
use crate::model::name::Name;
use crate::model::priority::Priority;
use crate::model::rollout::Stages;
use crate::model::step::Step;
use crate::model::timing::Timing;

pub use crate::model::change::ChangeKind;

/// A standing rule: which changes of which sources go, set how, to whom.
#[derive(Clone, Debug, PartialEq)]
pub struct Campaign {
    pub name: Name,
    pub sources: Vec<Name>,
    pub on: Vec<ChangeKind>,
    /// Smaller moves of a price are not its business.
    pub min_step: Step,
    pub layout: Name,
    /// Subscribers of any of these topics are the audience.
    pub topics: Vec<Name>,
    pub channels: Vec<Name>,
    /// How long after a change is seen its draft is due; zero sends at once.
    pub settle: Duration,
    pub on_uncertain: OnUncertain,
    pub corrects: Corrects,
    /// Whether its posts go before those of others on the same channel.
    pub priority: Priority,
    /// What an item must be to be told; `None` tells all.
    pub when: Option<Condition>,
    pub timing: Timing,
    /// `None` goes to everybody at once.
    pub stages: Option<Stages>,
    /// Whom beside the subscribers of its topics, and whom of these not.
    pub reach: Reach,
}

impl Campaign {
    /// Whom its posts are for.
    pub fn whom(&self) -> Whom {
        Whom {
            topics: self.topics.clone(),
            channels: self.channels.clone(),
            rule: self.reach.rule.as_ref().map(|rule| rule.as_str().to_owned()),
            chats: self.reach.chats.clone(),
            late_joiners: self.reach.late_joiners,
        }
    }
}

/// What becomes of sent messages when their source corrects or takes back what they tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Corrects {
    /// For so long after a post was made its messages are edited in place; zero: never.
    pub within: Duration,
    pub on_retraction: OnRetraction,
}

impl Corrects {
    pub fn is_on(&self) -> bool {
        !self.within.is_zero()
    }
}

/// What becomes of messages that tell what their source took back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnRetraction {
    /// Their words are struck through and their buttons go. The default.
    #[default]
    Strike,
    /// They are taken away, or struck where the service does not let them be taken away.
    Delete,
    /// They stay as they are.
    Keep,
}

/// What becomes of a delivery of which nobody knows whether it arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnUncertain {
    /// Never send it again: nobody gets it twice, a few may not get it. The default.
    #[default]
    Skip,
    /// Send it again: nobody misses it, a few may get it twice.
    Resend,
}
