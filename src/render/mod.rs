//! Items and a layout to a message.
//!
//! Promises: the same items and layout give the same message; texts of items enter as values and
//! never as markup or template; what a layout prints is read once more, so no layout can make a
//! message that breaks the rules of the tree. Knows no channel's form or limits, no store, no
//! network and no clock.

pub mod layout;

mod files;

mod shipped;

pub mod engine;

mod scene;

mod check;

pub mod problem;

mod nearest;

mod marks;

pub mod message;

pub mod personal;

mod form;

pub mod cards;

pub mod plain;

pub mod strike;

pub mod shorten;

pub mod preview;

pub(crate) mod sample;

pub mod expression;

mod values;

mod offers;

mod filters;

mod locale;

pub mod written;

use crate::model::rich::RichText;

pub use cards::cards;
pub use layout::{Layouts, RenderError};
pub use offers::watch;
pub use personal::Thawed;
pub use plain::plain;
pub use preview::preview;
pub use problem::Problem;
pub use scene::{Person, Scene, Stage};
pub use shipped::shipped;
pub use strike::struck;

/// The text that HTML is, as somebody writes it by hand.
pub fn words(html: &str) -> RichText {
    crate::markup::rich(html, None)
}
