//! The private door: what the command line asks, and how the daemon is.
//!
//! A command builds an [`desk::Ask`]. While the daemon runs it is posted to the daemon's socket;
//! otherwise the command opens the store and asks a [`desk::Desk`] of its own. Both ways the same
//! code answers, so the output is the same. Beside it, [`editor`] shows a page on which forms are made.

pub mod desk;

mod events;

mod control;

mod drafts;

mod channels;

mod audience;

pub mod people;

pub mod scheduled;

mod report;

mod origins;

mod stage;

mod figures;

mod why;

mod watches;

pub mod door;

pub mod client;

pub mod editor;
