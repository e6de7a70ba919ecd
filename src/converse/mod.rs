//! People's words and taps → changes and replies.
//!
//! ```text
//! store.lease_events ──▶ replies::respond (pure) ──▶ store.commit_conversation ──▶ deliver
//! ```
//!
//! The conversation itself is a pure function; the worker only carries events to it and its turns
//! to the store, and asks for people's names where no event tells them. Answers are sent by
//! `deliver`, before all campaigns. [`reminders::run`] says something unasked: now and then, what
//! people get here.

pub mod words;

pub mod commands;

pub mod keywords;

mod wish;

pub mod replies;

mod origin;

mod welcome;

mod questions;

mod help;

mod timezone;

pub mod privacy;

mod erasing;

pub mod layout;

pub mod reminders;

mod watch;

pub mod watching;

mod tries;

mod order;

mod groups;

pub mod choosing;

mod settings;

mod topics;

mod frequency;

mod quiet;

mod language;

pub mod latest;

pub mod shelf;

pub mod profile;

mod names;

mod review;

pub mod worker;

#[cfg(test)]
mod dialogue;
