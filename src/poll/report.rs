//! What is said of a poll: to whoever asked for it, and to the log.

use serde::{Deserialize, Serialize};

use crate::model::campaign::ChangeKind;
use crate::model::name::Name;
use crate::model::source::SourceState;

/// What one poll came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollReport {
    pub source: Name,
    pub outcome: Outcome,
    /// Entries of the document, as far as known.
    pub items: u32,
    pub new: u32,
    pub updated: u32,
    pub price_drops: u32,
    pub price_rises: u32,
    pub back_in_stock: u32,
    pub out_of_stock: u32,
    pub gone: u32,
    /// Changes that wait for the admins' word; not counted above.
    pub held: u32,
    /// Changes that are known from now on and were never told, for they were too many at once;
    /// counted above too.
    #[serde(default)]
    pub untold: u32,
    /// Changes that a campaign's rule kept from being told, for each campaign; counted above too.
    #[serde(default)]
    pub filtered: u32,
    /// One line for people: why it failed, or what is odd.
    pub remark: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// A document came and was read.
    Fetched,
    /// The site said, or the bytes show, that nothing changed.
    Unchanged,
    /// `remark` says why.
    Failed,
}

impl PollReport {
    pub(crate) fn new(source: Name, outcome: Outcome) -> Self {
        Self {
            source,
            outcome,
            items: 0,
            new: 0,
            updated: 0,
            price_drops: 0,
            price_rises: 0,
            back_in_stock: 0,
            out_of_stock: 0,
            gone: 0,
            held: 0,
            untold: 0,
            filtered: 0,
            remark: None,
        }
    }

    /// The count of the changes of a kind.
    pub(crate) fn count(&mut self, kind: ChangeKind) -> &mut u32 {
        match kind {
            ChangeKind::New => &mut self.new,
            ChangeKind::Updated => &mut self.updated,
            ChangeKind::PriceDrop => &mut self.price_drops,
            ChangeKind::PriceRise => &mut self.price_rises,
            ChangeKind::BackInStock => &mut self.back_in_stock,
            ChangeKind::OutOfStock => &mut self.out_of_stock,
            ChangeKind::Gone => &mut self.gone,
        }
    }

    /// One word for the meters.
    pub(crate) fn word(&self) -> &'static str {
        match self.outcome {
            Outcome::Failed => "failed",
            _ if self.held > 0 => "held",
            _ if self.new > 0 => "new",
            _ if self.price_drops > 0 => "price-drop",
            _ if self.back_in_stock > 0 => "back-in-stock",
            _ if self.updated + self.price_rises + self.out_of_stock + self.gone > 0 => "updated",
            Outcome::Fetched | Outcome::Unchanged => "unchanged",
        }
    }

    /// One line for a failure, a recovery, a flood and a move each; none for the usual.
    pub(crate) fn log(&self, last: &SourceState, next: &SourceState) {
        let source = self.source.as_str();
        if let Some(error) = &next.failure {
            tracing::warn!(
                source.id = source,
                %error,
                failures = next.failures,
                next = %next.due_at,
                "a source could not be polled"
            );
        } else if last.failures > 0 {
            tracing::info!(source.id = source, failures = last.failures, "a source recovered");
        }
        if self.held > 0 {
            tracing::warn!(
                source.id = source,
                items = self.held,
                "changes were held for the admins' word"
            );
        }
        if self.untold > 0 {
            tracing::warn!(
                source.id = source,
                items = self.untold,
                "changes were not told: too many at once"
            );
        }
        if let (Some(to), true) = (&next.moved_to, next.moved_to != last.moved_to) {
            let to = to.split(['?', '#']).next().unwrap_or_default();
            tracing::info!(source.id = source, to, "a source has moved for good");
        }
    }
}
