//! Polling: sources that are due are fetched, read and compared; what is new becomes drafts.
//!
//! Promises: one request at a time and a pause per host, nothing but the public internet is
//! reached (unless the sysadmin allows more), every answer is bounded in time, wire bytes and
//! decoded bytes, and a poll's result is committed together with all that follows from it.
//! Refuses to know what a feed is (`extract`), what is new (`diff`) and who gets it (`plan`).

pub mod worker;

pub mod report;

pub mod schedule;

pub(crate) mod host;

pub mod fetch;

mod request;

mod packed;

mod names;

pub mod egress;

pub(crate) mod headers;

pub mod body;

pub(crate) mod spool;

pub mod fault;

pub(crate) mod local;

pub(crate) mod settle;

pub(crate) mod errand;

pub(crate) mod course;

pub mod catalog;

pub(crate) mod shelf;

pub(crate) mod wait;

mod watches;

pub(crate) mod sitemap;

pub mod visits;

pub mod archive;

pub mod push;

pub(crate) mod read;

pub(crate) mod state;

pub(crate) mod stories;
