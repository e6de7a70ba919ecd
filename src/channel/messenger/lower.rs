//! A message as calls of the Send API. Pure: the same message always gives the same calls.
//!
//! - Messenger shows no markup: links are spelled `label (address)`, quotes begin with `>`.
//! - Text with buttons is a button template. Longer text goes ahead of it in parts, so that the
//!   buttons stand under its last words; a fourth button begins another template.
//! - An image and a short text are one generic element if nothing is lost by it: a line for the
//!   title, a line for the subtitle, at most one address. Otherwise the image goes first. So it is
//!   with a few images and an image grid; other albums go as many images in one message, and what
//!   is no image stands between them.
//! - An image or a video with buttons and without words is a media template.
//! - Cards are generic templates, side by side.
//! - Nothing can be put on a clipboard: what is to be copied stands on a line of its own.
//! - Quick replies hang at the last message. Colours of buttons, link previews and protection are
//!   not to be had.
//!
//! Limits: Messenger Platform, "Send API", "Button Template", "Generic Template", "Image grid
//! template", "Quick Replies"; where no unit is stated, UTF-16 units are counted.

pub(crate) mod template;

use std::ops::Range;

use serde_json::{Value, json};

use crate::channel::cut::{PARTS_MAX, Whole, is_visible, units};
use crate::channel::flat::{Flat, MarkKind, Spelling, clean, flatten, trim};
use crate::channel::messenger::lower::template::{
    BUTTONS_MAX, TEMPLATE_TEXT_UNITS_MAX, button_template, buttons_of, carousel, lossless_card,
    lossless_grid, media_template, reply,
};
use crate::channel::{CALLS_MAX, Call};
use crate::model::item::MediaKind;
use crate::model::message::{Action, Button, Medium, Message, Module, Overflow};
use crate::model::rich::RichText;

/// Longest text; "less than 2000 characters".
pub(crate) const TEXT_UNITS_MAX: usize = 1999;

/// Most images of one message.
pub(crate) const IMAGES_MAX: usize = 30;

/// Most quick replies of a message.
pub(crate) const REPLIES_MAX: usize = 13;

/// How every call's `rest` begins; a field of the message, such as `metadata`, can be put behind
/// it (with a comma, for a message is never empty).
pub(crate) const MESSAGE_HEAD: &str = r#""messaging_type":"UPDATE","message":{"#;

/// What stands for a text that a template needs and nobody wrote.
const NO_WORDS: &str = "…";

/// Stands above buttons that have no room below the words: in every language it points at them.
const MORE: &str = "👇";

/// The calls that send `message`, in order, each within the API's limits.
///
/// Buttons and quick replies that the API would refuse (no payload, too long a payload, no http or
/// https address) are left out, and so are a card's fourth and further buttons and a fourteenth
/// quick reply.
pub fn lower(message: &Message) -> Vec<Call> {
    let mut told = Vec::new();
    let has_words = message.modules.iter().any(|it| matches!(it, Module::Text { .. }));
    let mut modules = message.modules.iter().peekable();
    while let Some(module) = modules.next() {
        let text = match modules.peek() {
            Some(Module::Text { text, buttons }) => Some((text, buttons.as_slice())),
            _ => None,
        };
        match module {
            Module::Text { text, buttons } => {
                send_text(text, buttons, message.manner.overflow, &mut told);
            }
            Module::Media(medium) => {
                let is_image = medium.kind == MediaKind::Image;
                let one = text.filter(|_| is_image);
                if let Some(card) = one.and_then(|(text, its)| lossless_card(medium, text, its)) {
                    modules.next();
                    told.push(card);
                } else if let Some(template) =
                    text.and_then(|(text, its)| media_template(medium, text, its))
                {
                    modules.next();
                    told.push(template);
                } else {
                    send_medium(medium, has_words, &mut told);
                }
            }
            Module::Album(media) => {
                if let Some(grid) = text.and_then(|(text, its)| lossless_grid(media, text, its)) {
                    modules.next();
                    told.push(grid);
                } else {
                    send_album(media, has_words, &mut told);
                }
            }
            Module::Cards(cards) => {
                told.extend(carousel(cards));
                let copies = cards.iter().flat_map(|card| &card.buttons).filter_map(copied);
                let copies: Vec<String> = copies.collect();
                send_plain(&copies.join("\n\n"), &mut told);
            }
        }
    }
    told.truncate(CALLS_MAX);
    let replies: Vec<Value> =
        message.quick_replies.iter().filter_map(reply).take(REPLIES_MAX).collect();
    if !replies.is_empty() {
        if told.is_empty() {
            told.push(words(NO_WORDS));
        }
        if let Some(last) = told.last_mut() {
            last["quick_replies"] = json!(replies);
        }
    }
    told.iter().map(|message_told| call(message_told, message.manner.is_silent)).collect()
}

/// What is said of a file so that the service finds it: the one place where that is decided.
pub(super) fn media_value(medium: &Medium) -> Value {
    json!({ "url": medium.url, "is_reusable": true })
}

fn send_medium(medium: &Medium, has_words: bool, told: &mut Vec<Value>) {
    let kind = match medium.kind {
        MediaKind::Image => "image",
        MediaKind::Audio => "audio",
        MediaKind::Video => "video",
        MediaKind::File => "file",
    };
    // The service shows no name: one that nobody else says is said ahead.
    if !has_words && medium.kind != MediaKind::Image {
        let parts = [medium.title.trim(), medium.performer.trim()];
        let parts: Vec<&str> = parts.into_iter().filter(|part| is_visible(part)).collect();
        send_plain(&parts.join(" – "), told);
    }
    told.push(json!({ "attachment": { "type": kind, "payload": media_value(medium) } }));
}

/// Neighbouring images as one message, the rest one by one, in order.
fn send_album(media: &[Medium], has_words: bool, told: &mut Vec<Value>) {
    let are_images =
        |one: &Medium, next: &Medium| one.kind == MediaKind::Image && next.kind == MediaKind::Image;
    for row in media.chunk_by(are_images).flat_map(|row| row.chunks(IMAGES_MAX)) {
        match row {
            [one] => send_medium(one, has_words, told),
            _ => {
                let images = row
                    .iter()
                    .map(|image| json!({ "type": "image", "payload": media_value(image) }));
                told.push(json!({ "attachments": images.collect::<Vec<_>>() }));
            }
        }
    }
}

fn send_plain(text: &str, told: &mut Vec<Value>) {
    send_text(&RichText::from_plain(text), &[], Overflow::Split, told);
}

fn send_text(text: &RichText, buttons: &[Button], overflow: Overflow, told: &mut Vec<Value>) {
    let flat = flatten(text, Spelling::Letters);
    let copies: Vec<String> = buttons.iter().filter_map(copied).collect();
    let shown = buttons_of(buttons);
    let mut rows = shown.chunks(BUTTONS_MAX);
    let first = rows.next();
    if overflow == Overflow::Shorten {
        let most = if first.is_some() { TEMPLATE_TEXT_UNITS_MAX } else { TEXT_UNITS_MAX };
        let has_way_on = shown.iter().any(|button| button.get("url").is_some());
        let short = shortened(&flat, &copies, has_way_on, most);
        match first {
            Some(first) => told.push(button_template(&short, first)),
            None if is_visible(&short) => told.push(words(&short)),
            None => {}
        }
    } else {
        let (text, solid) = with_copies(&flat, &copies);
        let whole = Whole { text: &text, solid: &solid, solid_max: usize::MAX };
        split(&whole, first, told);
    }
    told.extend(rows.map(|row| button_template(MORE, row)));
}

/// The whole text, above its first row of buttons if there is one.
fn split(whole: &Whole<'_>, buttons: Option<&[Value]>, told: &mut Vec<Value>) {
    let Some(buttons) = buttons else {
        let parts = whole.parts(TEXT_UNITS_MAX);
        let last = parts.len().saturating_sub(1);
        let show = |(at, part)| words(&whole.show(part, at == last, TEXT_UNITS_MAX));
        told.extend(parts.iter().enumerate().map(show));
        return;
    };
    let (heads, tail) = above_buttons(whole);
    told.extend(heads.into_iter().map(|part| words(&whole.text[part])));
    told.push(button_template(&whole.show(&tail, true, TEMPLATE_TEXT_UNITS_MAX), buttons));
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

/// The text in one part of at most `most` units. If it has to be cut, what is to be copied stays,
/// and so does its first link, unless a button leads on or the link is before the cut.
fn shortened(flat: &Flat<'_>, copies: &[String], has_way_on: bool, most: usize) -> String {
    let (text, _) = with_copies(flat, copies);
    if units(&text) <= most {
        return text;
    }
    let solid = solid(flat);
    let whole = Whole { text: &flat.text, solid: &solid, solid_max: usize::MAX };
    let link = flat.marks.iter().find_map(|mark| match mark.kind {
        MarkKind::Link { href } if !has_way_on => Some((mark.range.end, href)),
        _ => None,
    });
    let mut tail = String::new();
    for copy in copies {
        if units(&tail) + units(copy) + 2 <= most / 2 {
            tail.push_str("\n\n");
            tail.push_str(copy);
        }
    }
    let cut = |tail: &str| {
        let left = most - units(tail);
        if units(&flat.text) <= left {
            return (flat.text.len(), format!("{}{tail}", flat.text));
        }
        let part = trim(&flat.text, 0..whole.cut(0, left / 2, left - 1));
        let shown = whole.show(&part, true, left);
        (part.end, format!("{shown}{tail}"))
    };
    let (end, shown) = cut(&tail);
    let shown = match link {
        Some((link_end, href))
            if link_end > end && units(&tail) + units(href) + 2 <= most / 4 * 3 =>
        {
            cut(&format!("{tail}\n\n{href}")).1
        }
        _ => shown,
    };
    shown.trim_start().to_owned()
}

/// The text with what is to be copied below it, and what must stay whole in it.
fn with_copies(flat: &Flat<'_>, copies: &[String]) -> (String, Vec<Range<usize>>) {
    let mut text = flat.text.clone();
    let mut solid = solid(flat);
    for copy in copies {
        if !text.is_empty() {
            text.push_str("\n\n");
        }
        let begin = text.len();
        text.push_str(copy);
        solid.push(begin..text.len());
    }
    (text, solid)
}

/// `label:`, and below it what a button would have put on the clipboard.
fn copied(button: &Button) -> Option<String> {
    let Action::Copy { text } = &button.action else { return None };
    let text = clean(text);
    let label = clean(&button.label);
    let label = label.trim().trim_end_matches(':');
    let text = text.trim();
    match (is_visible(label) && label != text, is_visible(text)) {
        (_, false) => None,
        (true, true) => Some(format!("{label}:\n{text}")),
        (false, true) => Some(text.to_owned()),
    }
}

/// The links: a label and its address stay together.
fn solid(flat: &Flat<'_>) -> Vec<Range<usize>> {
    let is_link = |kind| matches!(kind, MarkKind::Link { .. });
    flat.marks.iter().filter(|mark| is_link(mark.kind)).map(|mark| mark.range.clone()).collect()
}

fn is_address(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

fn words(text: &str) -> Value {
    json!({ "text": text })
}

fn call(message: &Value, is_silent: bool) -> Call {
    let fields = message.to_string().split_off(1);
    let silence = if is_silent { r#","notification_type":"SILENT_PUSH""# } else { "" };
    let rest = format!("{MESSAGE_HEAD}{fields}{silence}}}");
    Call { method: "messages", rest, is_acknowledgement: false, covers: 0 }
}

#[cfg(test)]
mod tests;
