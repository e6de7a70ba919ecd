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

pub mod replies;

mod help;

mod timezone;

pub mod newest;

pub mod privacy;
pub mod reminders;

mod watch;

pub mod watching;

mod order;

mod groups;

mod names;

mod review;

pub mod worker;
