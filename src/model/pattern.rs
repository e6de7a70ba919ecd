//! Patterns: what a person's words must look like for an editor's reply.

use std::fmt;
use std::sync::Arc;

/// Whether a pattern fits somewhere in a text.
pub type Fits = dyn Fn(&str) -> bool + Send + Sync;

/// A pattern as somebody wrote it, and what judges by it. Cheap to clone; two of the same words are
/// equal.
#[derive(Clone)]
pub struct Pattern {
    words: Arc<str>,
    fits: Arc<Fits>,
}

impl Pattern {
    pub fn new(words: &str, fits: Arc<Fits>) -> Self {
        Self { words: Arc::from(words), fits }
    }

    /// Fits where the words themselves stand.
    pub fn plain(words: &str) -> Self {
        let wanted = words.to_owned();
        Self::new(words, Arc::new(move |text| text.contains(&wanted)))
    }

    pub fn fits(&self, text: &str) -> bool {
        (self.fits)(text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.words == other.words
    }
}

impl Eq for Pattern {}

impl fmt::Debug for Pattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Pattern({:?})", self.words)
    }
}
