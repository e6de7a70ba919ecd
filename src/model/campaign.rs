//! Campaigns: the standing rules by which changes become posts.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::name::Name;

/// A standing rule: which changes of which sources go, set how, to whom.
#[derive(Clone, Debug, PartialEq)]
pub struct Campaign {
    pub name: Name,
    pub sources: Vec<Name>,
    pub on: Vec<ChangeKind>,
    pub layout: Name,
    /// Subscribers of any of these topics are the audience.
    pub topics: Vec<Name>,
    pub channels: Vec<Name>,
    /// How long after a change is seen its draft is due; zero sends at once.
    pub settle: Duration,
    pub on_uncertain: OnUncertain,
}

/// What happened to an item between two polls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
