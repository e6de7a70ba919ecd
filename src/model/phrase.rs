//! Phrases: a line of words about an item, as a template's place wants it.

use std::fmt;
use std::sync::Arc;

use crate::model::item::Item;
use crate::model::post::Told;
use crate::model::time::Timestamp;

/// The words for an item to which something happened. An error is one line for people.
pub type Speak = dyn Fn(&Item, &Told, Timestamp) -> Result<String, String> + Send + Sync;

/// Longest words that a phrase gives, in characters.
pub const PHRASE_CHARS_MAX: usize = 500;

/// Words as somebody wrote them, and what fills them in. Cheap to clone; two of the same words are
/// equal.
#[derive(Clone)]
pub struct Phrase {
    words: Arc<str>,
    speak: Arc<Speak>,
}

impl Phrase {
    pub fn new(words: &str, speak: Arc<Speak>) -> Self {
        Self { words: Arc::from(words), speak }
    }

    /// Words that are the same for every item.
    pub fn plain(words: &str) -> Self {
        let said = words.to_owned();
        Self::new(words, Arc::new(move |_, _, _| Ok(said.clone())))
    }

    /// One line of at most [`PHRASE_CHARS_MAX`] characters, perhaps empty.
    ///
    /// # Errors
    /// One line for people: the phrase can't be filled in for this item.
    pub fn say(&self, item: &Item, told: &Told, now: Timestamp) -> Result<String, String> {
        let words = (self.speak)(item, told, now)?;
        let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(line.chars().take(PHRASE_CHARS_MAX).collect())
    }
}

impl PartialEq for Phrase {
    fn eq(&self, other: &Self) -> bool {
        self.words == other.words
    }
}

impl fmt::Debug for Phrase {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Phrase({:?})", self.words)
    }
}
