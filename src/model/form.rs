//! When and where a form shows itself on a site of the owner's.

use std::time::Duration;

/// Most bytes of the editor's words in a form, in all languages and as a script has them, so that
/// the script stays below 10 kB.
pub const WORDS_BYTES_MAX: usize = 1_700;

/// Most channels of a form, for the same reason.
pub const CHANNELS_MAX: usize = 4;

/// What a form is, and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// In the middle of the window, above everything, until it is closed.
    Dialog,
    /// In a corner; the page can be used beside it.
    Corner { is_left: bool },
    /// Over the whole width.
    Bar { is_top: bool },
    /// In the page, where its tag stands.
    Button,
}

impl Shape {
    /// It comes by itself, and goes when it is closed.
    pub fn floats(self) -> bool {
        self != Self::Button
    }
}

/// What makes a form come by itself: whichever is first.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Triggers {
    /// So long after the page has come.
    pub after: Option<Duration>,
    /// Once so much of the page is scrolled through: above 0, at most 1.
    pub scroll: Option<f64>,
    /// When the pointer leaves the window by its upper edge.
    pub exit: bool,
}
