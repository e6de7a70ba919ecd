//! Messages: what a layout gives, before any channel's own form.

use serde::{Deserialize, Serialize};

use crate::model::rich::RichText;

/// Ordered modules; never empty once it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub modules: Vec<Module>,
}

/// One building block of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Module {
    /// Text, with or without buttons below it.
    Text { text: RichText, buttons: Vec<Button> },
    /// A picture by its http or https address.
    Image { url: String, alt: String },
    /// Cards side by side: what was held for a person comes as these.
    Cards(Vec<Card>),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    pub label: String,
    pub action: Action,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Opens an http or https address.
    Open { url: String },
    /// Comes back to us as a tap with this payload of 1 to 64 bytes.
    Postback { payload: String },
}

/// One card of a carousel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    pub title: String,
    pub subtitle: String,
    pub image: Option<String>,
    pub link: Option<String>,
    pub buttons: Vec<Button>,
}

impl Message {
    /// A message of one plain text.
    pub fn from_plain(text: &str) -> Self {
        Self { modules: vec![Module::Text { text: RichText::from_plain(text), buttons: vec![] }] }
    }
}
