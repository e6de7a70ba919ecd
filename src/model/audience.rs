//! Whom a post is for: subscribers of topics, of whom an expression may choose, and fixed chats.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::channel::ChannelKind;
use crate::model::name::Name;
use crate::model::subscriber::Subscriber;
use crate::model::time::Timestamp;

/// Whom a post is for, as it is kept until the post is made (and while others may still join it).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whom {
    /// Subscribers of any of these; none named: everybody.
    pub topics: Vec<Name>,
    pub channels: Vec<Name>,
    /// The expression that chooses among them, as it was written; `None` chooses all.
    pub rule: Option<String>,
    /// Beside the subscribers. None of these is asked by the rule.
    pub chats: Vec<FixedChat>,
    pub late_joiners: LateJoiners,
}

/// A chat that is named by the settings, and has subscribed to nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FixedChat {
    pub channel: Name,
    /// A chat's number or the `@name` of a public one, either with `/` and a topic behind it.
    pub address: String,
}

impl fmt::Display for FixedChat {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.channel, self.address)
    }
}

/// What becomes of people who subscribe while a post is on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LateJoiners {
    /// They don't get it: the audience is whoever is there when the post is made. The default.
    #[default]
    Skip,
    /// They get it for as long as it is on its way to others.
    Include,
}

/// Whom a campaign writes to beside the subscribers of its topics, and whom of these not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reach {
    /// `None` is for all.
    pub rule: Option<PeopleRule>,
    pub chats: Vec<FixedChat>,
    pub late_joiners: LateJoiners,
    /// Who gets what waits to be looked at.
    pub reviewers: Vec<FixedChat>,
}

/// Somebody, as a rule sees them.
#[derive(Clone, Copy, Debug)]
pub struct Somebody<'a> {
    pub subscriber: &'a Subscriber,
    pub channel: &'a Name,
    pub kind: ChannelKind,
    pub now: Timestamp,
}

/// Whether a rule holds for somebody. An error is one line for people, without names.
pub type PeopleJudge = dyn Fn(&Somebody<'_>) -> Result<bool, String> + Send + Sync;

/// An expression over subscribers as somebody wrote it, and what judges by it. Cheap to clone; two
/// of the same words are equal.
#[derive(Clone)]
pub struct PeopleRule {
    rule: Arc<str>,
    judge: Arc<PeopleJudge>,
}

impl PeopleRule {
    pub fn new(rule: &str, judge: Arc<PeopleJudge>) -> Self {
        Self { rule: Arc::from(rule), judge }
    }

    /// # Errors
    /// Why it can't be applied to them; they are not meant then.
    pub fn holds(&self, somebody: &Somebody<'_>) -> Result<bool, String> {
        (self.judge)(somebody)
    }

    pub fn as_str(&self) -> &str {
        &self.rule
    }
}

impl PartialEq for PeopleRule {
    fn eq(&self, other: &Self) -> bool {
        self.rule == other.rule
    }
}

impl fmt::Debug for PeopleRule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "PeopleRule({:?})", self.rule)
    }
}
