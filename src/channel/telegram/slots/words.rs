//! Words in the place of media.

use serde_json::{Map, Value, json};

use crate::channel::Call;
use crate::channel::cut::units;
use crate::channel::slots::{with_fields, words_for};
use crate::channel::telegram::lower::TEXT_UNITS_MAX;
use crate::channel::telegram::slots::{OWN_FIELDS, SOUND_FIELDS};
use crate::model::media::Form;

/// What stands for a text that buttons need and nobody wrote.
const NO_WORDS: &str = "…";

pub(super) type Link<'a> = (Form, &'a str, Option<&'a str>);

/// A text in the place of media: their caption and what they are called; `None` when there is
/// nothing to say.
pub(super) fn text_instead(
    call: &Call,
    mut fields: Map<String, Value>,
    links: &[Link<'_>],
) -> Option<Call> {
    for name in OWN_FIELDS.iter().chain(&SOUND_FIELDS) {
        fields.remove(*name);
    }
    for (from, to) in [("caption", "text"), ("caption_entities", "entities")] {
        if let Some(value) = fields.remove(from) {
            fields.insert(to.to_owned(), value);
        }
    }
    let has_caption = fields.get("text").and_then(Value::as_str).is_some_and(|it| !it.is_empty());
    // A picture below words of its own is shown as their preview; its words say the same again.
    let previewed = links.iter().position(|(form, _, url)| *form == Form::Picture && url.is_some());
    let preview = previewed.and_then(|at| links.get(at)).and_then(|(_, _, url)| *url);
    let is_spelled =
        |at: usize, url: Option<&str>| !has_caption || Some(at) != previewed && url.is_some();
    let spelled: Vec<Link<'_>> = links
        .iter()
        .enumerate()
        .filter(|(at, (_, _, url))| is_spelled(*at, *url))
        .map(|(_, link)| *link)
        .collect();
    add_links(&mut fields, "text", "entities", &spelled, TEXT_UNITS_MAX);
    let is_empty = fields.get("text").and_then(Value::as_str).is_none_or(str::is_empty);
    if is_empty {
        if !fields.contains_key("reply_markup") {
            return None;
        }
        fields.insert("text".to_owned(), json!(NO_WORDS));
    }
    let options = match preview {
        Some(url) => json!({ "url": url, "prefer_large_media": true, "show_above_text": true }),
        None => json!({ "is_disabled": true }),
    };
    fields.insert("link_preview_options".to_owned(), options);
    Some(with_fields(call, "sendMessage", fields))
}

/// Puts each link on a line of its own below a text, while there is room.
pub(super) fn add_links(
    fields: &mut Map<String, Value>,
    text_field: &str,
    entities_field: &str,
    links: &[Link<'_>],
    units_max: usize,
) {
    let text = fields.get(text_field).and_then(Value::as_str).unwrap_or_default();
    let mut text = text.to_owned();
    let mut entities = match fields.remove(entities_field) {
        Some(Value::Array(entities)) => entities,
        _ => Vec::new(),
    };
    for (_, words, url) in links {
        let words = words_for(words, *url);
        let offset = units(&text) + usize::from(!text.is_empty());
        if words.is_empty() || offset + units(&words) > units_max {
            continue;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&words);
        if let Some(url) = url {
            let length = units(&words);
            entities.push(json!({
                "type": "text_link", "offset": offset, "length": length, "url": url,
            }));
        }
    }
    if !text.is_empty() {
        fields.insert(text_field.to_owned(), json!(text));
    }
    if !entities.is_empty() {
        fields.insert(entities_field.to_owned(), Value::Array(entities));
    }
}
