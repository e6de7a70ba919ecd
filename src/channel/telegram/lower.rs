//! A message as calls of the Bot API. Pure: the same message always gives the same calls.
//!
//! - Text becomes text with entities (`telegram::text`). Too long a text becomes several calls, the
//!   last of which has the buttons; or one that ends early; or a rich message, behind which stand
//!   the several calls for services that know none.
//! - A picture, video, sound or file before a text goes with it in one call, with the text as its
//!   caption where that fits; else a picture is the large preview above the text, and another file
//!   goes ahead.
//! - Albums are cut into groups that the API takes. They have no keyboard, so a text with buttons
//!   follows on its own.
//! - Link previews: the picture if there is one; otherwise the page, if the text names exactly one
//!   address; otherwise none, since nobody could say which page would be shown. A layout may say
//!   otherwise.
//! - Cards become one text of titles, subtitles and links below the first picture.
//! - Quick replies are the last rows of the last keyboard.
//!
//! Limits: Bot API reference, `sendMessage`, `sendPhoto`, `sendMediaGroup`, `InlineKeyboardButton`.

mod article;

mod cards;

mod files;

mod keyboard;

use serde_json::{Map, Value, json};

use crate::channel::cut::{is_visible, units};
use crate::channel::telegram::lower::keyboard::rows;
use crate::channel::telegram::text::{Part, is_address, parts, shortened};
use crate::channel::{CALLS_MAX, Call};
use crate::model::message::{Action, Button, LinkPreview, Manner, Message, Module, Overflow};
use crate::model::rich::RichText;

/// Longest text of a message, in UTF-16 units.
pub(crate) const TEXT_UNITS_MAX: usize = 4096;

/// Longest caption of a photo, in UTF-16 units.
pub(crate) const CAPTION_UNITS_MAX: usize = 1024;

/// What stands for a text that buttons need and nobody wrote.
const NO_WORDS: &str = "…";

/// How many messages a call makes: an album one for each of its files.
pub(crate) fn weight(call: &Call) -> u32 {
    match call.method {
        "sendMediaGroup" => {
            let files = call.body()["media"].as_array().map_or(1, Vec::len);
            u32::try_from(files.max(1)).unwrap_or(u32::MAX)
        }
        _ => 1,
    }
}

/// The calls that send `message`, in order, each within the API's limits; the acknowledgement of
/// `tap` comes first.
///
/// Buttons that the API would refuse (no payload of 1 to 64 bytes, no http or https address, no
/// text of 1 to 256 characters to be copied) are left out, since one of them would sink the message
/// for everybody.
pub fn lower(message: &Message, tap: Option<&str>) -> Vec<Call> {
    let mut calls = Vec::new();
    if let Some(tap) = tap {
        let rest = rest_of(&json!({ "callback_query_id": tap }));
        calls.push(Call {
            method: "answerCallbackQuery",
            rest,
            is_acknowledgement: true,
            covers: 0,
        });
    }
    let mut drafts = Drafts { manner: message.manner, made: Vec::new() };
    let replies = rows(&message.quick_replies);
    let mut modules = message.modules.iter().peekable();
    while let Some(module) = modules.next() {
        let mut text = || {
            let text = modules.next_if(|next| matches!(next, Module::Text { .. }));
            text.and_then(|text| match text {
                Module::Text { text, buttons } => Some((text, buttons.as_slice())),
                _ => None,
            })
        };
        match module {
            Module::Text { text, buttons } => drafts.text(text, buttons, None),
            Module::Media(medium) => drafts.medium(medium, text()),
            Module::Album(media) => {
                let text = text();
                let is_last = modules.peek().is_none();
                drafts.album(media, text, is_last && !replies.is_empty());
            }
            Module::Cards(cards) => drafts.cards(cards),
        }
    }
    drafts.replies(&replies);
    calls.extend(drafts.finish());
    calls.truncate(CALLS_MAX);
    calls
}

/// Longest text of an acknowledgement, in characters (Bot API, `answerCallbackQuery`).
const TOAST_CHARS_MAX: usize = 200;

/// Has the acknowledgement say something, for a moment, above the chat.
pub(crate) fn say_in_passing(calls: &mut [Call], toast: &str) {
    let toast: String = toast.chars().take(TOAST_CHARS_MAX).collect();
    if let Some(call) = calls.iter_mut().find(|call| call.is_acknowledgement) {
        call.rest = format!("\"text\":{},{}", json!(toast), call.rest);
    }
}

/// The method that writes a message anew.
pub(crate) const EDIT_TEXT: &str = "editMessageText";

/// Has the one text among the calls take the place of a message of ours; where that can't be edited
/// it is sent. More than a text stays as it is.
pub(crate) fn put_in_place(calls: &mut Vec<Call>, message: i64) {
    let mut said = calls.iter().enumerate().filter(|(_, call)| !call.is_acknowledgement);
    let (Some((at, call)), None) = (said.next(), said.next()) else { return };
    if call.method != "sendMessage" {
        return;
    }
    let rest = format!("\"message_id\":{message},{}", call.rest);
    let edit = Call { method: EDIT_TEXT, rest, is_acknowledgement: false, covers: 1 };
    calls.insert(at, edit);
}

/// A JSON object's text without its opening brace.
fn rest_of(object: &Value) -> String {
    object.to_string().split_off(1)
}

/// How a call names a file by its address: the one place where that is said.
fn media_value(url: &str) -> Value {
    json!(url)
}

/// A call in the making.
struct Draft {
    method: &'static str,
    fields: Map<String, Value>,
    /// The rows of its keyboard.
    rows: Vec<Vec<Value>>,
    covers: usize,
}

impl Draft {
    fn new(method: &'static str, fields: Map<String, Value>) -> Self {
        Self { method, fields, rows: Vec::new(), covers: 0 }
    }

    fn takes_keyboard(&self) -> bool {
        self.method != "sendMediaGroup"
    }

    fn put(&mut self, name: &str, value: Value) {
        self.fields.insert(name.to_owned(), value);
    }

    fn caption(&mut self, part: &Part) {
        self.put("caption", json!(part.text));
        if !part.entities.is_empty() {
            self.put("caption_entities", json!(part.entities));
        }
    }
}

struct Drafts {
    manner: Manner,
    made: Vec<Draft>,
}

impl Drafts {
    /// A text; with a picture that is shown above it if there is one.
    fn text(&mut self, text: &RichText, buttons: &[Button], image: Option<&str>) {
        let rows = rows(buttons);
        let parts = match self.manner.overflow {
            Overflow::Shorten => {
                let part = shortened(text, TEXT_UNITS_MAX, has_way_on(buttons));
                part.into_iter().collect()
            }
            Overflow::Split | Overflow::Rich => parts(text, TEXT_UNITS_MAX),
        };
        let shown = self.page(&parts, buttons);
        let mut words: Vec<Draft> = parts.iter().map(words).collect();
        if words.is_empty() {
            if rows.is_empty() {
                return;
            }
            words.push(self::words(&Part { text: NO_WORDS.to_owned(), entities: vec![] }));
        }
        for (at, (draft, part)) in words.iter_mut().zip(&parts).enumerate() {
            let preview = match image.filter(|_| at == 0) {
                Some(url) => Some(above(url)),
                None => self.preview(part, shown.as_deref().filter(|_| at == 0)),
            };
            if let Some(preview) = preview {
                draft.put("link_preview_options", preview);
            }
        }
        if self.manner.overflow == Overflow::Rich
            && article::is_wanted(text, words.len())
            && let Some(html) = article::html(text, image)
        {
            let mut rich = Draft::new("sendRichMessage", Map::new());
            rich.put("rich_message", json!({ "html": html }));
            rich.rows.clone_from(&rows);
            rich.covers = words.len();
            self.made.push(rich);
        }
        if let Some(last) = words.last_mut() {
            last.rows = rows;
        }
        self.made.extend(words);
    }

    /// The page that a layout wants to be shown: the first address of the text, or of a button.
    fn page(&self, parts: &[Part], buttons: &[Button]) -> Option<String> {
        match self.manner.preview {
            LinkPreview::Auto | LinkPreview::Off => None,
            LinkPreview::Small | LinkPreview::Large | LinkPreview::Above => {
                let named = parts.iter().flat_map(addresses).next().map(str::to_owned);
                named.or_else(|| {
                    buttons.iter().find_map(|button| match &button.action {
                        Action::Open { url } if is_address(url) => Some(url.clone()),
                        _ => None,
                    })
                })
            }
        }
    }

    fn preview(&self, part: &Part, page: Option<&str>) -> Option<Value> {
        let off = || Some(json!({ "is_disabled": true }));
        match (self.manner.preview, page) {
            (LinkPreview::Auto, _) if names_one_address(part) => None,
            (LinkPreview::Auto | LinkPreview::Off, _) | (_, None) => off(),
            (LinkPreview::Small, Some(url)) => {
                Some(json!({ "url": url, "prefer_small_media": true }))
            }
            (LinkPreview::Large, Some(url)) => {
                Some(json!({ "url": url, "prefer_large_media": true }))
            }
            (LinkPreview::Above, Some(url)) => Some(above(url)),
        }
    }

    /// Puts quick replies below the last message that takes a keyboard, and below the rich message
    /// that stands for it.
    fn replies(&mut self, replies: &[Vec<Value>]) {
        if replies.is_empty() {
            return;
        }
        let last = match self.made.iter().rposition(Draft::takes_keyboard) {
            Some(last) => last,
            None => {
                self.made.push(words(&Part { text: NO_WORDS.to_owned(), entities: vec![] }));
                self.made.len() - 1
            }
        };
        let stands_for_it =
            |at: usize, draft: &Draft| draft.covers > 0 && at < last && at + draft.covers >= last;
        for (at, draft) in self.made.iter_mut().enumerate() {
            if at == last || stands_for_it(at, draft) {
                draft.rows.extend(replies.iter().cloned());
            }
        }
    }

    fn finish(self) -> impl Iterator<Item = Call> {
        let manner = self.manner;
        self.made.into_iter().map(move |mut draft| {
            if manner.is_silent {
                draft.put("disable_notification", json!(true));
            }
            if manner.is_protected {
                draft.put("protect_content", json!(true));
            }
            let mut rows = std::mem::take(&mut draft.rows);
            keyboard::bound(&mut rows);
            if !rows.is_empty() {
                draft.put("reply_markup", json!({ "inline_keyboard": rows }));
            }
            Call {
                method: draft.method,
                rest: rest_of(&Value::Object(draft.fields)),
                is_acknowledgement: false,
                covers: u8::try_from(draft.covers).unwrap_or(0),
            }
        })
    }
}

fn words(part: &Part) -> Draft {
    let mut draft = Draft::new("sendMessage", Map::new());
    draft.put("text", json!(part.text));
    if !part.entities.is_empty() {
        draft.put("entities", json!(part.entities));
    }
    draft
}

/// A large preview of an address, above the text.
fn above(url: &str) -> Value {
    json!({ "url": url, "prefer_large_media": true, "show_above_text": true })
}

fn names_one_address(part: &Part) -> bool {
    let mut addresses = addresses(part);
    let first = addresses.next();
    first.is_some() && addresses.all(|other| Some(other) == first)
}

fn addresses(part: &Part) -> impl Iterator<Item = &str> {
    let linked = part.entities.iter().filter_map(|entity| entity.url.as_deref());
    let written = part.text.split_whitespace().filter(|word| is_address(word));
    linked.chain(written)
}

fn has_way_on(buttons: &[Button]) -> bool {
    buttons.iter().any(|button| matches!(&button.action, Action::Open { url } if is_address(url)))
}

/// The text as the caption of one file, if it is one.
fn caption(text: &RichText) -> Option<Part> {
    let mut parts = parts(text, TEXT_UNITS_MAX);
    let first = parts.pop()?;
    (parts.is_empty() && units(&first.text) <= CAPTION_UNITS_MAX).then_some(first)
}

fn has_words(text: &RichText) -> bool {
    is_visible(&text.plain())
}

#[cfg(test)]
mod tests;
