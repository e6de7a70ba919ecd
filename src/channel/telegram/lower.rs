//! A message as calls of the Bot API. Pure: the same message always gives the same calls.
//!
//! - Text becomes text with entities (`telegram::text`); too long a text becomes several calls,
//!   the last of which has the buttons.
//! - An image before a text goes with it in one call: as a photo with the text as its caption
//!   where that fits, else as the large preview above the text.
//! - Link previews: the image if there is one; otherwise the page, if the text names exactly one
//!   address; otherwise none, since nobody could say which page would be shown.
//! - Cards become one text of titles, subtitles and links.
//!
//! Limits: Bot API reference, `sendMessage`, `sendPhoto`, `InlineKeyboardButton`.

use serde_json::{Map, Value, json};

use crate::channel::cut::{is_visible, shorten, units};
use crate::channel::flat::clean;
use crate::channel::telegram::text::{Part, parts};
use crate::channel::{CALLS_MAX, Call};
use crate::model::message::{Action, Button, Card, Medium, Message, Module};
use crate::model::rich::{Block, Inline, RichText};

/// Longest text of a message, in UTF-16 units.
pub(crate) const TEXT_UNITS_MAX: usize = 4096;

/// Longest caption of a photo, in UTF-16 units.
pub(crate) const CAPTION_UNITS_MAX: usize = 1024;

/// Longest payload of a button, in bytes.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 64;

/// Most buttons of one message; not documented, and more are of no use in a chat.
const BUTTONS_MAX: usize = 100;

/// Longest label of a button; clients show less.
const LABEL_UNITS_MAX: usize = 64;

/// Labels up to this length share a row.
const LABEL_UNITS_SHORT: usize = 12;

/// Most buttons that share a row.
const ROW_BUTTONS_MAX: usize = 3;

/// What stands for a text that buttons need and nobody wrote.
const NO_WORDS: &str = "…";

/// The calls that send `message`, in order, each within the API's limits; the acknowledgement of
/// `tap` comes first.
///
/// Buttons that the API would refuse (no payload of 1 to 64 bytes, no http or https address) are
/// left out, since one of them would sink the message for everybody.
pub fn lower(message: &Message, tap: Option<&str>) -> Vec<Call> {
    let mut calls = Vec::new();
    if let Some(tap) = tap {
        let rest = rest_of(&json!({ "callback_query_id": tap }));
        calls.push(Call { method: "answerCallbackQuery", rest, is_acknowledgement: true });
    }
    let mut modules = message.modules.iter().peekable();
    while let Some(module) = modules.next() {
        match module {
            Module::Text { text, buttons } => send(text, buttons, None, &mut calls),
            Module::Media(Medium { url, .. }) => match modules.peek() {
                Some(Module::Text { text, buttons }) => {
                    modules.next();
                    send(text, buttons, Some(url), &mut calls);
                }
                _ => calls.push(photo(url, None, &[])),
            },
            Module::Album(media) => {
                calls.extend(media.iter().map(|medium| photo(&medium.url, None, &[])));
            }
            Module::Cards(cards) => send_cards(cards, &mut calls),
        }
    }
    calls.truncate(CALLS_MAX);
    calls
}

fn send(text: &RichText, buttons: &[Button], image: Option<&str>, calls: &mut Vec<Call>) {
    let parts = parts(text, TEXT_UNITS_MAX);
    match (image, parts.as_slice()) {
        (Some(image), []) => calls.push(photo(image, None, buttons)),
        (Some(image), [only]) if units(&only.text) <= CAPTION_UNITS_MAX => {
            calls.push(photo(image, Some(only), buttons));
        }
        (None, []) => {
            if keyboard(buttons).is_some() {
                let part = Part { text: NO_WORDS.to_owned(), entities: vec![] };
                calls.push(words(&part, buttons, None));
            }
        }
        (_, [parts @ .., last]) => {
            let mut image = image;
            for part in parts {
                calls.push(words(part, &[], image.take()));
            }
            calls.push(words(last, buttons, image));
        }
    }
}

fn words(part: &Part, buttons: &[Button], image: Option<&str>) -> Call {
    let mut fields = Map::new();
    fields.insert("text".to_owned(), json!(part.text));
    if !part.entities.is_empty() {
        fields.insert("entities".to_owned(), json!(part.entities));
    }
    let preview = match image {
        Some(url) => {
            Some(json!({ "url": url, "prefer_large_media": true, "show_above_text": true }))
        }
        None => (!names_one_address(part)).then(|| json!({ "is_disabled": true })),
    };
    if let Some(preview) = preview {
        fields.insert("link_preview_options".to_owned(), preview);
    }
    call("sendMessage", fields, buttons)
}

fn photo(url: &str, caption: Option<&Part>, buttons: &[Button]) -> Call {
    let mut fields = Map::new();
    fields.insert("photo".to_owned(), json!(url));
    if let Some(part) = caption {
        fields.insert("caption".to_owned(), json!(part.text));
        if !part.entities.is_empty() {
            fields.insert("caption_entities".to_owned(), json!(part.entities));
        }
    }
    call("sendPhoto", fields, buttons)
}

fn call(method: &'static str, mut fields: Map<String, Value>, buttons: &[Button]) -> Call {
    if let Some(keyboard) = keyboard(buttons) {
        fields.insert("reply_markup".to_owned(), json!({ "inline_keyboard": keyboard }));
    }
    Call { method, rest: rest_of(&Value::Object(fields)), is_acknowledgement: false }
}

/// A JSON object's text without its opening brace.
fn rest_of(object: &Value) -> String {
    object.to_string().split_off(1)
}

fn names_one_address(part: &Part) -> bool {
    let linked = part.entities.iter().filter_map(|entity| entity.url.as_deref());
    let written = part.text.split_whitespace().filter(|word| is_address(word));
    let mut addresses = linked.chain(written);
    let first = addresses.next();
    first.is_some() && addresses.all(|other| Some(other) == first)
}

fn is_address(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

/// The rows of an inline keyboard: neighbours with short labels share a row.
fn keyboard(buttons: &[Button]) -> Option<Vec<Vec<Value>>> {
    let mut rows: Vec<Vec<Value>> = Vec::new();
    let mut is_row_short = false;
    for (label, action) in buttons.iter().filter_map(key).take(BUTTONS_MAX) {
        let is_short = units(&label) <= LABEL_UNITS_SHORT;
        let (name, value) = action;
        let button = json!({ "text": label, name: value });
        match rows.last_mut() {
            Some(row) if is_short && is_row_short && row.len() < ROW_BUTTONS_MAX => {
                row.push(button);
            }
            _ => rows.push(vec![button]),
        }
        is_row_short = is_short;
    }
    (!rows.is_empty()).then_some(rows)
}

fn key(button: &Button) -> Option<(String, (&'static str, &str))> {
    let action = match &button.action {
        Action::Open { url } if is_address(url) => ("url", url.as_str()),
        Action::Postback { payload } if (1..=PAYLOAD_BYTES_MAX).contains(&payload.len()) => {
            ("callback_data", payload.as_str())
        }
        _ => return None,
    };
    let label = shorten(&clean(&button.label), LABEL_UNITS_MAX);
    let label = if is_visible(&label) { label } else { NO_WORDS.to_owned() };
    Some((label, action))
}

/// Cards as one text: titles as bold links, subtitles, further addresses as links; what can only
/// be tapped becomes the keyboard. The first picture is the preview.
fn send_cards(cards: &[Card], calls: &mut Vec<Call>) {
    let blocks = cards.iter().map(|card| Block::Paragraph(card_lines(card))).collect();
    let is_tap = |button: &&Button| matches!(button.action, Action::Postback { .. });
    let taps: Vec<Button> =
        cards.iter().flat_map(|card| &card.buttons).filter(is_tap).cloned().collect();
    let image = cards.iter().find_map(|card| card.image.as_deref());
    send(&RichText { blocks }, &taps, image, calls);
}

fn card_lines(card: &Card) -> Vec<Inline> {
    let link = |label: &str, href: &str| Inline::Link {
        href: href.to_owned(),
        content: vec![Inline::Text(label.to_owned())],
    };
    let mut lines = Vec::new();
    let title = match &card.link {
        Some(href) if card.title.trim().is_empty() => link(href, href),
        Some(href) => link(&card.title, href),
        None => Inline::Text(card.title.clone()),
    };
    lines.push(Inline::Bold(vec![title]));
    if !card.subtitle.trim().is_empty() {
        lines.extend([Inline::Break, Inline::Text(card.subtitle.clone())]);
    }
    for button in &card.buttons {
        match &button.action {
            Action::Open { url } if Some(url) != card.link.as_ref() => {
                lines.extend([Inline::Break, link(&button.label, url)]);
            }
            _ => {}
        }
    }
    lines
}

#[cfg(test)]
mod tests;
