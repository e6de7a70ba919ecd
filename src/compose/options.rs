//! What composing needs from outside.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::campaign::Campaign;
use crate::model::channel::ChannelKind;
use crate::model::name::Name;
use crate::model::one_off::FilePost;
use crate::render::Layouts;
use crate::runtime::clock::Clock;
use crate::runtime::meters::Meters;
use crate::runtime::wakes::Wakes;
use crate::store::Store;

/// What the worker is given.
pub struct Options {
    pub store: Arc<dyn Store>,
    pub clock: Clock,
    pub wakes: Wakes,
    pub meters: Meters,
    pub layouts: Arc<Layouts>,
    pub campaigns: Arc<[Campaign]>,
    pub channels: BTreeMap<Name, ChannelKind>,
    /// The topics of which everybody may read what was sent.
    pub archives: BTreeSet<Name>,
    /// Posts that files plan.
    pub files: Arc<[FilePost]>,
}
