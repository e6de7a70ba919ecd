//! Names given in the settings.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Longest name, in bytes.
pub const NAME_BYTES_MAX: usize = 64;

/// The name of a source, channel, campaign, topic or layout: 1–64 of `[a-z0-9_-]`, first a letter
/// or digit.
///
/// Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Name(Arc<str>);

/// The text is no valid [`Name`].
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a name has 1 to 64 of `a-z`, `0-9`, `_` and `-`, and starts with a letter or digit")]
pub struct NotAName;

impl Name {
    /// # Errors
    /// [`NotAName`] when `text` is empty, too long or has another character.
    pub fn parse(text: &str) -> Result<Self, NotAName> {
        let legal = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_' || c == b'-';
        let starts_well =
            text.bytes().next().is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        if starts_well && text.len() <= NAME_BYTES_MAX && text.bytes().all(legal) {
            Ok(Self(Arc::from(text)))
        } else {
            Err(NotAName)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}
