//! Files that a service keeps for us: by which name it gives them back.

use serde::{Deserialize, Serialize};

use crate::model::time::Timestamp;

/// How a service shows a file. A name that it gave for one form is none for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Form {
    Picture,
    /// A picture that moves, or a short video without sound.
    Animation,
    Video,
    Sound,
    /// Anything, to be saved and opened.
    File,
}

/// 16 bytes that name a medium within a channel: from its form, and its address or its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MediaKey(pub [u8; 16]);

/// What is kept of a medium that a service has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptMedium {
    /// The service's own name for it (`file_id`, `attachment_id`); good on this channel only.
    pub id: String,
    /// As which the service took it.
    pub form: Form,
    /// The key of its bytes, if they went through our hands.
    pub content: Option<MediaKey>,
    /// When the service gave the id.
    pub kept_at: Timestamp,
    /// When it was of use last; written at most once a day.
    pub used_at: Timestamp,
}
