//! `tidings` watches sources, notices what is new, and sends it to subscribers.

pub mod admin;

pub mod converse;

pub mod deliver;

pub mod diff;

pub mod plan;

pub mod store;

pub mod channel;

pub mod config;

pub mod model;

pub mod runtime;

pub mod markup;

pub mod maintain;
