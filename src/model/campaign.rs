//! Campaigns: the standing rules by which changes become posts.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::audience::{Reach, Whom};
use crate::model::condition::Condition;
use crate::model::item::Item;
use crate::model::lane::Template;
use crate::model::name::Name;
use crate::model::phrase::Phrase;
use crate::model::post::Told;
use crate::model::priority::Priority;
use crate::model::rollout::Stages;
use crate::model::step::Step;
use crate::model::time::Timestamp;
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
    /// How it reaches people outside of Messenger's window as a utility template.
    pub utility: Option<UtilityRule>,
    /// It may reach them as a paid marketing message.
    pub is_marketing: bool,
    /// Its messages have a button to watch their product.
    pub watch: bool,
}

/// An approved template, and what stands in its places.
#[derive(Clone, Debug, PartialEq)]
pub struct UtilityRule {
    pub template: String,
    pub language: String,
    /// By the names of its places.
    pub body: Vec<(String, Phrase)>,
    /// What completes the addresses of its buttons.
    pub buttons: Vec<Phrase>,
}

impl UtilityRule {
    /// The template for an item.
    ///
    /// # Errors
    /// One line for people: a place can't be filled in, or has nothing in it.
    pub fn fill(&self, item: &Item, told: &Told, now: Timestamp) -> Result<Template, String> {
        let say = |place: &str, words: &Phrase| match words.say(item, told, now) {
            Ok(words) if words.is_empty() => Err(format!("`{place}` is empty")),
            Ok(words) => Ok(words),
            Err(why) => Err(format!("`{place}`: {why}")),
        };
        let body = self.body.iter().map(|(name, words)| Ok((name.clone(), say(name, words)?)));
        let buttons = self.buttons.iter().map(|words| say("buttons", words));
        Ok(Template {
            name: self.template.clone(),
            language: self.language.clone(),
            body: body.collect::<Result<_, String>>()?,
            buttons: buttons.collect::<Result<_, String>>()?,
        })
    }
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
