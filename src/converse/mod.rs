//! People's words and taps → changes and replies.
//!
//! ```text
//! store.lease_events ──▶ replies::respond (pure) ──▶ store.commit_conversation ──▶ deliver
//! ```
//!
//! The conversation itself is a pure function; the worker only carries events to it and its turns
//! to the store, and asks for people's names where no event tells them. Answers are sent by
//! `deliver`, before all campaigns.

pub mod words;

pub mod commands;

pub mod replies;

mod timezone;

mod tries;

mod order;

mod groups;

mod names;

mod review;

pub mod worker;
