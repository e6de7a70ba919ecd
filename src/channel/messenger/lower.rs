//! A message as calls of the Send API. Pure: the same message always gives the same calls.
//!
//! - Messenger shows no markup: links are spelled `label (address)`, quotes begin with `>`.
//! - Text with buttons is a button template. Longer text goes ahead of it in parts, so that the
//!   buttons stand under its last words; a fourth button begins another template.
//! - An image and a short text are one generic element if nothing is lost by it: a line for the
//!   title, a line for the subtitle, at most one address. Otherwise the image goes first.
//! - Cards are generic templates, side by side.
//!
//! Limits: Messenger Platform, "Send API", "Button Template", "Generic Template"; where no unit is
//! stated, UTF-16 units are counted.

use std::ops::Range;

use serde_json::{Map, Value, json};

use crate::channel::cut::{PARTS_MAX, Whole, is_visible, shorten, units};
use crate::channel::flat::{Flat, MarkKind, Spelling, clean, flatten, trim};
use crate::channel::{CALLS_MAX, Call};
use crate::model::message::{Action, Button, Card, Medium, Message, Module};
use crate::model::rich::RichText;

/// Longest text; "less than 2000 characters".
pub(crate) const TEXT_UNITS_MAX: usize = 1999;

/// Longest text of a button template.
pub(crate) const TEMPLATE_TEXT_UNITS_MAX: usize = 640;

/// Most buttons of a template or an element.
pub(crate) const BUTTONS_MAX: usize = 3;

/// Longest title of a button.
pub(crate) const LABEL_UNITS_MAX: usize = 20;

/// Longest payload of a button.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 1000;

/// Most elements of a generic template.
pub(crate) const ELEMENTS_MAX: usize = 10;

/// Longest title or subtitle of an element.
pub(crate) const LINE_UNITS_MAX: usize = 80;

/// How every call's `rest` begins; a field of the message, such as `metadata`, can be put behind
/// it (with a comma, for a message is never empty).
pub(crate) const MESSAGE_HEAD: &str = r#""messaging_type":"UPDATE","message":{"#;

/// What stands for a text that a template needs and nobody wrote.
const NO_WORDS: &str = "…";

/// The calls that send `message`, in order, each within the API's limits.
///
/// Buttons that the API would refuse (no payload, too long a payload, no http or https address)
/// are left out, and so are a card's fourth and further buttons.
pub fn lower(message: &Message) -> Vec<Call> {
    let mut calls = Vec::new();
    let mut modules = message.modules.iter().peekable();
    while let Some(module) = modules.next() {
        match module {
            Module::Text { text, buttons } => send_text(text, buttons, &mut calls),
            Module::Media(Medium { url, .. }) => match modules.peek() {
                Some(Module::Text { text, buttons }) => {
                    if let Some(element) = lossless_element(url, text, buttons) {
                        modules.next();
                        calls.push(generic(&[element]));
                    } else {
                        calls.push(image(url));
                    }
                }
                _ => calls.push(image(url)),
            },
            Module::Album(media) => calls.extend(media.iter().map(|medium| image(&medium.url))),
            Module::Cards(cards) => {
                let elements: Vec<Value> = cards.iter().map(card_element).collect();
                calls.extend(elements.chunks(ELEMENTS_MAX).map(generic));
            }
        }
    }
    calls.truncate(CALLS_MAX);
    calls
}

fn send_text(text: &RichText, buttons: &[Button], calls: &mut Vec<Call>) {
    let flat = flatten(text, Spelling::Letters);
    let solid = solid(&flat);
    let whole = Whole { text: &flat.text, solid: &solid, solid_max: usize::MAX };
    let buttons: Vec<Value> = buttons.iter().filter_map(button).collect();
    let mut rows = buttons.chunks(BUTTONS_MAX);
    let Some(first) = rows.next() else {
        let parts = whole.parts(TEXT_UNITS_MAX);
        let last = parts.len().saturating_sub(1);
        let show = |(at, part)| words(&whole.show(part, at == last, TEXT_UNITS_MAX));
        calls.extend(parts.iter().enumerate().map(show));
        return;
    };
    let (heads, tail) = above_buttons(&whole);
    calls.extend(heads.into_iter().map(|part| words(&flat.text[part])));
    calls.push(button_template(&whole.show(&tail, true, TEMPLATE_TEXT_UNITS_MAX), first));
    calls.extend(rows.map(|row| button_template(NO_WORDS, row)));
}

/// The parts that go ahead, and the last one, which fits above buttons.
fn above_buttons(whole: &Whole<'_>) -> (Vec<Range<usize>>, Range<usize>) {
    let mut heads = Vec::new();
    let mut at = 0;
    loop {
        let left = units(&whole.text[at..]);
        if left <= TEMPLATE_TEXT_UNITS_MAX {
            return (heads, at..whole.text.len());
        }
        if heads.len() + 1 == PARTS_MAX {
            let most = TEMPLATE_TEXT_UNITS_MAX;
            return (heads, trim(whole.text, at..whole.cut(at, most / 3, most)));
        }
        // Something must be left for the last part; and if the rest can be that, it should.
        let most = TEXT_UNITS_MAX.min(left - 1);
        let surplus = left - TEMPLATE_TEXT_UNITS_MAX;
        let least = if surplus > TEXT_UNITS_MAX / 2 { TEXT_UNITS_MAX / 3 } else { surplus };
        let end = whole.cut(at, least, most);
        let part = trim(whole.text, at..end);
        if is_visible(&whole.text[part.clone()]) {
            heads.push(part);
        }
        at = whole.skip_space(end);
    }
}

/// The links: a label and its address stay together.
fn solid(flat: &Flat<'_>) -> Vec<Range<usize>> {
    let is_link = |kind| matches!(kind, MarkKind::Link { .. });
    flat.marks.iter().filter(|mark| is_link(mark.kind)).map(|mark| mark.range.clone()).collect()
}

/// Image, text and buttons as one element, if that loses nothing but markup.
fn lossless_element(image: &str, text: &RichText, buttons: &[Button]) -> Option<Value> {
    let flat = flatten(text, Spelling::Marks);
    if flat.text.split_whitespace().any(is_address) {
        return None;
    }
    let mut addresses = flat.marks.iter().filter_map(|mark| match mark.kind {
        MarkKind::Link { href } => Some(href),
        _ => None,
    });
    let link = addresses.next();
    if addresses.any(|other| Some(other) != link) {
        return None;
    }
    let (title, subtitle) = flat.text.split_once('\n').unwrap_or((&flat.text, ""));
    let subtitle = subtitle.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_short = units(title) <= LINE_UNITS_MAX && units(&subtitle) <= LINE_UNITS_MAX;
    let buttons: Vec<Value> = buttons.iter().filter_map(button).collect();
    if !is_short || !is_visible(title) || buttons.len() > BUTTONS_MAX {
        return None;
    }
    let opened = buttons.iter().find_map(|button| button.get("url")?.as_str());
    Some(element(title, &subtitle, Some(image), link.or(opened), &buttons))
}

fn card_element(card: &Card) -> Value {
    let title = shorten(&clean(&card.title), LINE_UNITS_MAX);
    let subtitle = shorten(&clean(&card.subtitle), LINE_UNITS_MAX);
    let (title, subtitle) =
        if is_visible(&title) { (title, subtitle) } else { (subtitle, String::new()) };
    let buttons: Vec<Value> = card.buttons.iter().filter_map(button).take(BUTTONS_MAX).collect();
    let link = card.link.as_deref().filter(|link| is_address(link));
    element(&title, &subtitle, card.image.as_deref(), link, &buttons)
}

/// One card; the API wants a title and at least one property besides.
fn element(
    title: &str,
    subtitle: &str,
    image: Option<&str>,
    link: Option<&str>,
    buttons: &[Value],
) -> Value {
    let mut element = Map::new();
    let mut put = |name: &str, value: Value| element.insert(name.to_owned(), value);
    put("title", json!(if is_visible(title) { title } else { NO_WORDS }));
    if is_visible(subtitle) {
        put("subtitle", json!(subtitle));
    } else if image.is_none() && link.is_none() && buttons.is_empty() {
        put("subtitle", json!(NO_WORDS));
    }
    if let Some(image) = image {
        put("image_url", json!(image));
    }
    if let Some(link) = link {
        put("default_action", json!({ "type": "web_url", "url": link }));
    }
    if !buttons.is_empty() {
        put("buttons", json!(buttons));
    }
    Value::Object(element)
}

fn button(button: &Button) -> Option<Value> {
    let label = shorten(&clean(&button.label), LABEL_UNITS_MAX);
    let title = if is_visible(&label) { label } else { NO_WORDS.to_owned() };
    match &button.action {
        Action::Open { url } if is_address(url) => {
            Some(json!({ "type": "web_url", "url": url, "title": title }))
        }
        Action::Postback { payload } if (1..=PAYLOAD_BYTES_MAX).contains(&payload.len()) => {
            Some(json!({ "type": "postback", "title": title, "payload": payload }))
        }
        _ => None,
    }
}

fn is_address(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

fn words(text: &str) -> Call {
    call(&json!({ "text": text }))
}

fn image(url: &str) -> Call {
    call(&json!({
        "attachment": { "type": "image", "payload": { "url": url, "is_reusable": true } }
    }))
}

fn button_template(text: &str, buttons: &[Value]) -> Call {
    let text = if is_visible(text) { text } else { NO_WORDS };
    template(&json!({ "template_type": "button", "text": text, "buttons": buttons }))
}

fn generic(elements: &[Value]) -> Call {
    template(&json!({ "template_type": "generic", "elements": elements }))
}

fn template(payload: &Value) -> Call {
    call(&json!({ "attachment": { "type": "template", "payload": payload } }))
}

fn call(message: &Value) -> Call {
    let fields = message.to_string().split_off(1);
    let rest = format!("{MESSAGE_HEAD}{fields}}}");
    Call { method: "messages", rest, is_acknowledgement: false }
}

#[cfg(test)]
mod tests;
