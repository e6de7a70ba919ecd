//! `tidings` watches sources, notices what is new, and sends it to subscribers.

pub mod poll;

pub mod store;

pub mod channel;

pub mod model;

pub mod runtime;
