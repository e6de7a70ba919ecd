//! Conditions: what an item must be for a campaign to tell it.

use std::fmt;
use std::sync::Arc;

use crate::model::change::Told;
use crate::model::item::Item;
use crate::model::time::Timestamp;

/// Whether a condition holds for an item to which something happened; the instant decides which
/// sales are in force. An error is one line for people.
pub type Judge = dyn Fn(&Item, &Told, Timestamp) -> Result<bool, String> + Send + Sync;

/// A rule as somebody wrote it, and what judges by it. Cheap to clone; two of the same words are
/// equal.
#[derive(Clone)]
pub struct Condition {
    rule: Arc<str>,
    judge: Arc<Judge>,
}

/// What a condition says of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Wanted,
    /// Not to be told, with the rule that says so.
    Unwanted {
        rule: String,
    },
    /// The rule can't be applied to it, so it is not to be told either.
    Failed {
        rule: String,
        why: String,
    },
}

impl Condition {
    pub fn new(rule: &str, judge: Arc<Judge>) -> Self {
        Self { rule: Arc::from(rule), judge }
    }

    pub fn judge(&self, item: &Item, told: &Told, now: Timestamp) -> Verdict {
        let rule = || self.rule.to_string();
        match (self.judge)(item, told, now) {
            Ok(true) => Verdict::Wanted,
            Ok(false) => Verdict::Unwanted { rule: rule() },
            Err(why) => Verdict::Failed { rule: rule(), why },
        }
    }

    pub fn as_str(&self) -> &str {
        &self.rule
    }
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.rule == other.rule
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Condition({:?})", self.rule)
    }
}
