//! Due batches → receipts: one worker a channel.
//!
//! ```text
//! store.advance ──claims──▶ ready ─limit─▶ journal, call ─judge─▶ receipts ──store.advance──▶ …
//! ```
//!
//! A recipient is durably in flight before the first byte of a request goes out, and each request
//! is noted in the journal beside the store, so that after a crash exactly those who were on the
//! wire are uncertain. Commits are grouped: one transaction takes in what came back and hands out
//! what goes next. A post whose layout names its reader is set here, of what was frozen in it;
//! otherwise nothing here knows a layout, a feed or a setting.

pub mod breaker;

pub mod judge;

pub mod limiter;

pub mod paid;

pub mod personal;

mod waiting;

mod lane;

pub mod market;

mod edits;

mod media;

mod prepare;

pub mod worker;
