//! The nouns that cross a stage boundary, and nothing else.
//!
//! What stands here is kept by the store or handed from one stage to another. It knows no stage,
//! no network and no clock: `now` is always an argument. Values that are stored are encoded with
//! a version byte by the store; a field added here means a new version there.

pub mod time;

pub mod name;

pub mod schedule;

pub mod zone;

pub mod day;

pub mod source;

pub mod rich;

pub mod offer;

pub mod step;

pub mod item;

pub mod known;

pub mod listing;

pub mod shelf;

pub mod price;

pub mod product;

pub mod timing;

pub mod clocks;

pub mod change;

pub mod condition;

pub mod priority;

pub mod audience;

pub mod phrase;

pub mod pattern;

pub mod campaign;

pub mod prospect;

pub mod channel;

pub mod pacing;

pub mod cap;

pub mod message;

pub mod media;

pub mod kept;

pub mod post;

pub mod control;

pub mod correction;

pub mod rollout;

pub mod one_off;

pub mod moment;

pub mod trace;

pub mod lane;

pub mod signal;

pub mod report;

pub mod origin;

pub mod subscriber;

pub mod base64;

pub mod proof;

pub mod dossier;

pub mod chat;

pub mod choice;

pub mod event;

pub mod recent;

pub mod start;

pub mod form;

pub mod archive;

pub mod watch;

pub mod product_token;

pub mod watch_link;

pub mod watch_tap;

pub mod watch_news;

pub mod secret;
