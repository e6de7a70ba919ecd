//! The media that a call names, and a call with other ways for them.
//!
//! Lowering writes every medium by its address. Which way it goes in the end (address, kept id,
//! upload, link) is decided when it is sent: [`slots`](crate::channel::Channel::slots) reads from
//! a lowered call where its media stand, and [`dress`](crate::channel::Channel::dress) makes the
//! call anew for the ways chosen. One call stays one call, so that the count of parts sent holds
//! whatever becomes of its media. Pure. What recipients share is read and dressed once for all of
//! them; an edit, or a post set for one reader, is read for itself.

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::channel::Call;
use crate::channel::cut::{shorten, units};
use crate::model::media::Form;
use crate::model::message::is_ours;

/// Longest words for a medium that is shown as a link, in UTF-16 units.
pub(crate) const WORDS_UNITS_MAX: usize = 200;

/// One medium of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The address by which the call names it.
    pub url: String,
    pub form: Form,
    /// What can be done for it.
    pub means: Means,
}

/// What a slot can hold beside an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// Whatever there is.
    All,
    /// As [`Means::All`], and in the last resort nothing: the cover of a video, a picture within
    /// an article.
    Spare,
    /// Only an upload, small, beside a medium that is uploaded itself; or nothing.
    Thumbnail,
    /// Only an address, or nothing: the picture of a card.
    AddressOnly,
    /// Only what the service keeps already.
    KeptOnly,
}

/// The way that was chosen for a medium.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stand {
    /// As it was lowered.
    Address,
    /// The service has it, as this form.
    Kept { id: String, form: Form },
    /// Goes along with the call.
    Upload(Upload),
    /// As words and an address.
    Link {
        /// What it is called; may be empty.
        words: String,
        /// `None` when nothing is there.
        url: Option<String>,
    },
}

/// A file that is handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    pub bytes: Bytes,
    pub form: Form,
    /// With an extension; letters, digits, `.`, `-` and `_`.
    pub file_name: String,
    pub mime: &'static str,
}

/// A call made for the ways of its media.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dressed {
    /// `None` when nothing is left to be sent.
    pub call: Option<Call>,
    /// By the names that the call gives them.
    pub uploads: Vec<(String, Upload)>,
    /// Which slot each message (or medium) of the answer belongs to, with the form it was sent as.
    /// Its cover and thumbnail are the slots right behind it.
    pub shown: Vec<(usize, Form)>,
}

/// The call's fields.
pub(crate) fn fields_of(call: &Call) -> Map<String, Value> {
    let mut whole = String::with_capacity(call.rest.len() + 1);
    whole.push('{');
    whole.push_str(&call.rest);
    serde_json::from_str(&whole).unwrap_or_default()
}

/// The call with other fields.
pub(crate) fn with_fields(call: &Call, method: &'static str, fields: Map<String, Value>) -> Call {
    let rest = Value::Object(fields).to_string().split_off(1);
    Call { method, rest, ..call.clone() }
}

/// Words that fit beside an address; its last part or its host where there are none.
pub(crate) fn words_for(words: &str, url: Option<&str>) -> String {
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    if !words.is_empty() {
        return shorten(&words, WORDS_UNITS_MAX);
    }
    let Some(url) = url else { return String::new() };
    let bare = url.split(['?', '#']).next().unwrap_or(url);
    let path = bare.split_once("://").map_or(bare, |(_, rest)| rest).trim_end_matches('/');
    let last = path.rsplit('/').next().unwrap_or(path);
    if units(last) <= WORDS_UNITS_MAX { last.to_owned() } else { shorten(last, WORDS_UNITS_MAX) }
}

/// Whether a text is an address that can be opened, or a file that its message carries.
pub(crate) fn is_address(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://") || is_ours(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_without_words_is_called_by_its_address() {
        for (words, url, expected) in [
            (" An  episode ", Some("https://a.example/e.mp3"), "An episode"),
            ("", Some("https://a.example/e.mp3?x=1#y"), "e.mp3"),
            ("", Some("https://a.example/"), "a.example"),
            ("", None, ""),
        ] {
            assert_eq!(words_for(words, url), expected);
        }
        assert!(units(&words_for(&"x".repeat(500), None)) <= WORDS_UNITS_MAX);
    }
}
