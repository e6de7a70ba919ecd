//! Due drafts → posts and batches.
//!
//! A draft that is due is set in its layout, once per language and kind of channel, and becomes a
//! post with a frozen audience, all in one commit. Nothing here sends, and no draft is lost to a
//! layout that fails: the plain built-in form takes its place, and the log says so.

mod options;

mod set;

mod correct;

mod turn;

mod clocks;

mod commit;

mod whom;

mod show;

pub mod worker;
