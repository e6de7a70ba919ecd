//! When a source is due again.

use std::time::Duration;

/// The rule by which something recurs.
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    /// At a fixed interval after the last time.
    Every(Duration),
    /// By what the source itself shows: its caching headers and how often it changed.
    Auto,
}
