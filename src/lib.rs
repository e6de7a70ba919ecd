//! `tidings` watches sources, notices what is new, sets it in a layout, and sends it to subscribers.
//!
//! The way of one item, in the order in which the modules stand below:
//!
//! 1. [`poll`] takes a source that is due, fetches its document, has [`extract`] read the entries,
//!    [`diff`] find the changes and [`plan`] make drafts of them, and commits all of it at once.
//! 2. [`compose`] takes a draft that is due, has [`render`] set it in its layout, and commits a post
//!    with its whole audience.
//! 3. [`deliver`] claims recipients, sends them the post through a [`channel`], and commits what came
//!    back together with the next claims.
//!
//! Beside that way, [`listen`] takes in what people do, [`converse`] answers it, [`admin`] answers the
//! sysadmin, and [`maintain`] throws away what no rule needs. All of them meet only in the [`store`];
//! the [`daemon`] starts and stops them.

pub mod cli;

pub mod sandbox;

pub mod daemon;

pub mod poll;

pub mod extract;

pub mod diff;

pub mod plan;

pub mod compose;

pub mod render;

pub mod markup;

pub mod invite;

pub mod preview;

pub mod deliver;

pub mod media;

pub mod channel;

pub mod listen;

pub mod converse;

pub mod admin;

pub mod maintain;

pub mod store;

pub mod config;

pub mod model;

pub mod runtime;
