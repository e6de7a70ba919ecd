//! Items and a layout to a message.
//!
//! Promises: the same items and layout give the same message; texts of items enter as values and
//! never as markup or template; what a layout prints is read once more, so no layout can make a
//! message that breaks the rules of the tree. Knows no channel's form or limits, no store, no
//! network and no clock.

pub mod layout;

pub mod problem;

pub mod message;

pub mod cards;

pub mod plain;

pub mod strike;

pub mod shorten;

pub mod preview;

pub(crate) mod sample;

mod values;

mod offers;

mod filters;

pub use cards::cards;
pub use layout::{Layouts, RenderError, Scene};
pub use plain::plain;
pub use preview::preview;
pub use problem::Problem;
pub use strike::struck;
