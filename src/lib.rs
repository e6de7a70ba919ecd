//! `tidings` watches sources, notices what is new, and sends it to subscribers.

pub mod store;

pub mod channel;

pub mod model;

pub mod runtime;

pub mod markup;

pub mod extract;
