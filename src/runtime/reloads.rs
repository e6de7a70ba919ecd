//! What became of the newest reload: told by the daemon, shown to the sysadmin.

use std::sync::{Arc, Mutex, PoisonError};

use crate::model::time::Timestamp;

/// Whether changed settings were refused. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Reloads(Arc<Mutex<Option<Refused>>>);

/// Changed settings that were not taken up: the ones before them are in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    pub at: Timestamp,
    pub problems: usize,
}

impl Reloads {
    /// `None`: the settings were taken up.
    pub fn note(&self, refused: Option<Refused>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = refused;
    }

    /// Whether, and when, the newest settings were refused.
    pub fn refused(&self) -> Option<Refused> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
