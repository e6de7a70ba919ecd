//! Posts written by hand: what they say, to whom, and the file that plans them.

use serde::{Deserialize, Serialize};

use crate::model::audience::Whom;
use crate::model::control::Priority;
use crate::model::item::{Item, ItemId};
use crate::model::message::{Action, Button, Medium, Message, Module};
use crate::model::name::Name;
use crate::model::rich::RichText;
use crate::model::rollout::Stages;
use crate::model::time::Timestamp;

/// A post without a campaign, before it is made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OneOff {
    /// Plain, for listings.
    pub title: String,
    pub says: Says,
    pub whom: Whom,
    pub priority: Priority,
    /// `None` goes to everybody at once.
    pub stages: Option<Stages>,
    /// The file that plans it; `None` for one that was sent from the command line.
    pub file: Option<Name>,
}

/// What a post written by hand says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Says {
    /// As it is.
    Message(Message),
    /// Items as they were when it was written, set in a layout when it is due.
    Items { layout: Name, items: Vec<Item> },
}

/// A post that a file plans.
#[derive(Clone, Debug, PartialEq)]
pub struct FilePost {
    pub name: Name,
    pub at: Timestamp,
    pub post: OneOff,
    /// Of the file's text: another one means that the file was changed.
    pub digest: u64,
}

/// What became of the files' posts when the settings were taken up; for the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilesTaken {
    pub planned: Vec<Name>,
    /// Changed before their time.
    pub changed: Vec<Name>,
    /// Their file is gone, or names a time that is past.
    pub cancelled: Vec<Name>,
    /// They were new, and their time was past already.
    pub late: Vec<Name>,
    /// Changed after they were sent or cancelled: nothing comes of it.
    pub over: Vec<Name>,
}

/// What somebody wrote by hand, before it is a message or an item.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Written {
    /// For the layout and the listing; of a message by itself default the first line of its words.
    pub title: Option<String>,
    pub words: RichText,
    /// A picture's address.
    pub image: Option<String>,
    /// Of layouts only.
    pub link: Option<String>,
    /// Not of layouts, which make their own.
    pub buttons: Vec<Button>,
    /// `None` sends it as it is.
    pub layout: Option<Name>,
}

impl Written {
    /// Its title, and what is sent; `name` stands for its source where a layout asks for one.
    pub fn says(self, name: &Name, now: Timestamp) -> (String, Says) {
        let plain = self.words.plain();
        let title = self.title.clone();
        let title = title.unwrap_or_else(|| plain.lines().next().unwrap_or("").to_owned());
        let says = match self.layout.clone() {
            None => {
                let mut modules = Vec::new();
                if let Some(image) = self.image {
                    modules.push(Module::Media(Medium::image(&image, &title)));
                }
                modules.push(Module::Text { text: self.words, buttons: self.buttons });
                Says::Message(Message::from(modules))
            }
            Some(layout) => {
                let titled = Self { title: Some(title.clone()), ..self };
                Says::Items { layout, items: vec![titled.into_item(name, now)] }
            }
        };
        (title, says)
    }

    /// As a layout shows it; `name` stands for its source.
    pub fn into_item(self, name: &Name, now: Timestamp) -> Item {
        Item {
            id: ItemId([0; 16]),
            source: name.clone(),
            guid: String::new(),
            title: self.title.unwrap_or_default(),
            link: self.link,
            summary: self.words.clone(),
            body: self.words,
            published: Some(now),
            updated: None,
            first_seen: now,
            authors: Vec::new(),
            tags: Vec::new(),
            language: None,
            image: self.image,
            media: Vec::new(),
            offer: None,
        }
    }
}

/// Reads a button: `Label=https://…`.
///
/// # Errors
/// A line for people.
pub fn button(text: &str) -> Result<Button, String> {
    let (label, url) = text.split_once('=').ok_or("write it as LABEL=https://…")?;
    if label.trim().is_empty() {
        return Err("the label is empty".to_owned());
    }
    let url = web_address(url)?;
    Ok(Button::new(label.trim(), Action::Open { url }))
}

/// Reads an address that can be sent.
///
/// # Errors
/// A line for people.
pub fn web_address(text: &str) -> Result<String, String> {
    let url = url::Url::parse(text.trim()).map_err(|error| format!("`{text}`: {error}"))?;
    match url.scheme() {
        "http" | "https" => Ok(url.into()),
        other => Err(format!("`{text}`: only http and https can be sent, not `{other}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_button_is_a_label_and_a_web_address() {
        let read = button("Read more=https://example.com/a?b=c").unwrap();
        assert_eq!(read.label, "Read more");
        assert_eq!(read.action, Action::Open { url: "https://example.com/a?b=c".into() });
        assert!(button("x=javascript:alert(1)").is_err());
        assert!(button("no address").is_err());
    }
}
