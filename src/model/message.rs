//! Messages: what a layout gives, before any channel's own form.

use serde::{Deserialize, Serialize};

use crate::model::base64;
use crate::model::item::MediaKind;
use crate::model::rich::RichText;

/// Ordered modules; never empty once it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub modules: Vec<Module>,
    /// Offered below the last module and gone once one is chosen; their actions are postbacks.
    pub quick_replies: Vec<Button>,
    pub manner: Manner,
}

/// How a message is sent as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manner {
    pub overflow: Overflow,
    pub preview: LinkPreview,
    /// Arrives without a sound.
    pub is_silent: bool,
    /// Can't be forwarded or saved, where the service has that.
    pub is_protected: bool,
}

/// What becomes of text that is too long for one message of its channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Overflow {
    /// It goes on in further messages.
    #[default]
    Split,
    /// It ends with an ellipsis, and the first link of the message is kept.
    Shorten,
    /// One long message where the service has such, otherwise as `Split`.
    Rich,
}

/// What a text with an address shows of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkPreview {
    /// The page, if the text names exactly one.
    #[default]
    Auto,
    Off,
    Small,
    Large,
    /// Large, and above the text.
    Above,
}

/// One building block of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Module {
    /// Text, with or without buttons below it.
    Text { text: RichText, buttons: Vec<Button> },
    /// A picture, video, sound or other file.
    Media(Medium),
    /// Pictures and videos shown as one, in this order; at least two.
    Album(Vec<Medium>),
    /// Cards side by side: what was held for a person comes as these.
    Cards(Vec<Card>),
}

/// A file by its address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Medium {
    pub kind: MediaKind,
    /// An http or https address.
    pub url: String,
    /// What it shows, for people who don't see it.
    pub alt: String,
    /// Of a sound, a video or a file: what it is called.
    pub title: String,
    /// Of a sound: who is heard.
    pub performer: String,
    pub seconds: Option<u32>,
    /// Of a sound or a video: the http or https address of its picture.
    pub cover: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    pub label: String,
    pub action: Action,
    pub style: ButtonStyle,
}

/// The colour of a button, where the service has that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ButtonStyle {
    #[default]
    Plain,
    /// What most people will want: blue.
    Primary,
    /// Green.
    Success,
    /// Red.
    Danger,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Opens an http or https address.
    Open { url: String },
    /// Comes back to us as a tap with this payload of 1 to 64 bytes.
    Postback { payload: String },
    /// Puts this text of 1 to 256 characters on the person's clipboard, where the service can.
    Copy { text: String },
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

/// Begins what stands in the place of an address for a file of our own. What sources and layouts
/// name is http or https, and never this.
const OURS: &str = "data:application/json;name=";

/// Whether a file is carried by its message, by what stands in the place of its address.
pub fn is_ours(url: &str) -> bool {
    url.starts_with(OURS)
}

/// The name and the bytes of a file that is carried by its message.
pub fn content_of(url: &str) -> Option<(String, Vec<u8>)> {
    let (name, content) = url.strip_prefix(OURS)?.split_once(";base64,")?;
    Some((name.to_owned(), base64::decode(content)?))
}

impl Message {
    /// A message of one plain text.
    pub fn from_plain(text: &str) -> Self {
        Self::from(vec![Module::Text { text: RichText::from_plain(text), buttons: vec![] }])
    }

    /// What is below the last text; `None` where there is no text.
    pub fn last_buttons(&mut self) -> Option<&mut Vec<Button>> {
        self.modules.iter_mut().rev().find_map(|module| match module {
            Module::Text { buttons, .. } => Some(buttons),
            _ => None,
        })
    }
}

impl From<Vec<Module>> for Message {
    fn from(modules: Vec<Module>) -> Self {
        Self { modules, ..Self::default() }
    }
}

impl Medium {
    /// A picture.
    pub fn image(url: &str, alt: &str) -> Self {
        Self::new(MediaKind::Image, url, alt)
    }

    /// A file of our own making, carried by the message itself: no address leads to it, and no
    /// service is asked to keep it. The name has letters, digits, `.`, `-` and `_`.
    pub fn ours(name: &str, bytes: &[u8]) -> Self {
        let content = base64::encode(bytes);
        Self::new(MediaKind::File, &format!("{OURS}{name};base64,{content}"), "")
    }

    /// The name and the bytes of [`Medium::ours`].
    pub fn content(&self) -> Option<(String, Vec<u8>)> {
        content_of(&self.url)
    }

    pub fn new(kind: MediaKind, url: &str, alt: &str) -> Self {
        Self {
            kind,
            url: url.to_owned(),
            alt: alt.to_owned(),
            title: String::new(),
            performer: String::new(),
            seconds: None,
            cover: None,
        }
    }
}

impl Button {
    /// A plain one.
    pub fn new(label: impl Into<String>, action: Action) -> Self {
        Self { label: label.into(), action, style: ButtonStyle::Plain }
    }
}
