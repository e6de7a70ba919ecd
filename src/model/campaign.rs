//! Campaigns: the standing rules by which changes become posts.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::condition::Condition;
use crate::model::control::Priority;
use crate::model::item::Item;
use crate::model::lane::Template;
use crate::model::name::Name;
use crate::model::phrase::Phrase;
use crate::model::post::Told;
use crate::model::rollout::Stages;
use crate::model::step::Step;
use crate::model::time::Timestamp;
use crate::model::timing::Timing;

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
    /// How it reaches people outside of Messenger's window as a utility template.
    pub utility: Option<UtilityRule>,
    /// It may reach them as a paid marketing message.
    pub is_marketing: bool,
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

/// What happened to an item between two polls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// No rung of it was known.
    New,
    /// A known item's fingerprint changed.
    Updated,
    /// A variant costs less than when its price was last told.
    PriceDrop,
    /// A variant costs more than when its price was last told.
    PriceRise,
    /// No variant could be had, one can now.
    BackInStock,
    /// A variant could be had, none can now.
    OutOfStock,
    /// Absent from several complete polls over a day or more.
    Gone,
}

impl ChangeKind {
    pub const ALL: [Self; 7] = [
        Self::New,
        Self::Updated,
        Self::PriceDrop,
        Self::PriceRise,
        Self::BackInStock,
        Self::OutOfStock,
        Self::Gone,
    ];

    /// The word for it in settings, layouts and listings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Updated => "updated",
            Self::PriceDrop => "price-drop",
            Self::PriceRise => "price-rise",
            Self::BackInStock => "back-in-stock",
            Self::OutOfStock => "out-of-stock",
            Self::Gone => "gone",
        }
    }

    /// Comes with the price before and after.
    pub fn is_of_price(self) -> bool {
        matches!(self, Self::PriceDrop | Self::PriceRise)
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
