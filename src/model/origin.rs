//! Where somebody came from: the tag of the link that brought them.
//!
//! A tag is chosen by whoever hangs the link up, and nothing in the settings names it: a flyer of
//! last year brings people still. Anybody can write a link with any tag, so it decides nothing and is
//! only counted.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::name::Name;

/// What stands before the name, as people read it.
const PAGE: &str = "web:";
const FORM: &str = "form:";

/// The same in a link. Capitals stand in no name.
const PAGE_IN_LINK: &str = "WEB";
const FORM_IN_LINK: &str = "FORM";

/// Where a link stands that brings people.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Origin {
    /// Wherever somebody put it: on a flyer, in an advertisement.
    Tag(Name),
    /// A page of ours that people subscribe on.
    Page(Name),
    /// A form of ours on a site of the owner's.
    Form(Name),
}

/// How many came from somewhere, and what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Came {
    pub came: u64,
    /// Of these, who still subscribes.
    pub active: u64,
    /// Of these, who left within 48 hours and did not come back.
    pub left_within_48h: u64,
}

/// Where all who ever subscribed came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    /// Those from which most came first.
    pub tagged: Vec<(Origin, Came)>,
    /// By links that did not say, and by none.
    pub untagged: Came,
    /// By tags beyond those that are counted apart.
    pub others: Came,
}

/// The text names no origin.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "is no tag: it has 1 to 64 of `a-z`, `0-9`, `_` and `-`, such as `spring-flyer`, perhaps with \
     `web:` or `form:` before it"
)]
pub struct NoOrigin;

impl Origin {
    /// `spring-flyer`, `web:harbour` or `form:popup`.
    ///
    /// # Errors
    /// [`NoOrigin`].
    pub fn parse(text: &str) -> Result<Self, NoOrigin> {
        Self::read(text, PAGE, FORM).ok_or(NoOrigin)
    }

    /// As a link has it; `None` for what no link of ours says.
    pub(super) fn in_link(text: &str) -> Option<Self> {
        Self::read(text, PAGE_IN_LINK, FORM_IN_LINK)
    }

    fn read(text: &str, page: &str, form: &str) -> Option<Self> {
        let name = |text: &str| Name::parse(text).ok();
        match (text.strip_prefix(page), text.strip_prefix(form)) {
            (Some(slug), _) => name(slug).map(Self::Page),
            (_, Some(form)) => name(form).map(Self::Form),
            _ => name(text).map(Self::Tag),
        }
    }

    /// What a link says of it: letters, digits, `_` and `-`.
    pub(super) fn to_link(&self) -> String {
        match self {
            Self::Tag(tag) => tag.to_string(),
            Self::Page(slug) => format!("{PAGE_IN_LINK}{slug}"),
            Self::Form(form) => format!("{FORM_IN_LINK}{form}"),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => write!(out, "{tag}"),
            Self::Page(slug) => write!(out, "{PAGE}{slug}"),
            Self::Form(form) => write!(out, "{FORM}{form}"),
        }
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.to_string()
    }
}

impl TryFrom<String> for Origin {
    type Error = NoOrigin;

    fn try_from(text: String) -> Result<Self, NoOrigin> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for text in ["spring-flyer", "web:harbour", "form:popup", "web", "form", "2026_a"] {
            let origin = Origin::parse(text).unwrap();
            assert_eq!(origin.to_string(), text);
            let said = origin.to_link();
            assert_eq!(Origin::in_link(&said), Some(origin), "{said}");
            assert!(said.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_' || c == b'-'));
        }
        for text in ["", "Flyer", "web:", "form:a b", "other:x", "a.b"] {
            assert_eq!(Origin::parse(text), Err(NoOrigin), "{text}");
        }
    }
}
