//! Facets: the things that a service shows of us before and beside the chat.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// One thing that a service shows of us.
#[derive(Clone, Debug, PartialEq)]
pub struct Facet {
    /// What it is, and after a colon in which language, if the service takes languages one by one:
    /// `description:ro`, `greeting`.
    pub key: String,
    /// In the service's own form.
    pub value: Value,
    /// Nobody chose it: what somebody else has put there stays.
    pub is_default: bool,
}

impl Facet {
    pub fn new(key: impl Into<String>, value: impl Into<Value>, is_default: bool) -> Self {
        Self { key: key.into(), value: value.into(), is_default }
    }

    /// Differs as soon as something else is to be shown.
    pub fn hash(&self) -> [u8; 16] {
        let hash = Sha256::digest(self.value.to_string());
        let mut half = [0; 16];
        half.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        half
    }
}

/// What became of an attempt to have something shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unshown {
    /// The service does not take this; others of its kind it may.
    Refused { why: String },
    /// Nothing can be shown now: again, no earlier than `after` (`None`: no time was told).
    Later { after: Option<std::time::Duration>, why: String },
    /// An older server, which does not show such things.
    Unknown,
}

/// The text, or as much of its beginning as has at most `chars_max` characters, whole words and an
/// ellipsis.
pub(crate) fn beginning(text: &str, chars_max: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(chars_max) else { return text.to_owned() };
    let last = text[..end].char_indices().next_back().map_or(0, |(at, _)| at);
    let room = &text[..last];
    let words = room.rfind(char::is_whitespace).map_or(room, |at| &room[..at]);
    format!("{}…", words.trim_end_matches(|c: char| c.is_whitespace() || ".,;:–-".contains(c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_ends_with_a_whole_word() {
        for (text, chars_max, expected) in [
            ("News from the harbour.", 22, "News from the harbour."),
            ("News from the harbour.", 21, "News from the…"),
            ("News, and more", 7, "News…"),
            ("Știrile", 4, "Ști…"),
            ("", 4, ""),
        ] {
            assert_eq!(beginning(text, chars_max), expected);
            assert!(beginning(text, chars_max).chars().count() <= chars_max);
        }
    }

    #[test]
    fn the_hash_tells_values_apart() {
        let facet = |value: &str| Facet::new("k", value, false);
        assert_eq!(facet("a").hash(), facet("a").hash());
        assert_ne!(facet("a").hash(), facet("b").hash());
    }
}
