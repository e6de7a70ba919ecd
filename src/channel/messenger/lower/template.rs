//! Templates: buttons, cards and image grids within their limits.

use serde_json::{Map, Value, json};

use crate::channel::cut::{is_visible, shorten, units};
use crate::channel::flat::{MarkKind, Spelling, clean, flatten};
use crate::channel::messenger::lower::{NO_WORDS, is_address};
use crate::model::item::MediaKind;
use crate::model::message::{Action, Button, Card, Medium};
use crate::model::rich::RichText;

/// Longest text of a button template.
pub(crate) const TEMPLATE_TEXT_UNITS_MAX: usize = 640;

/// Most buttons of a template or an element.
pub(crate) const BUTTONS_MAX: usize = 3;

/// Longest title of a button or a quick reply.
pub(crate) const LABEL_UNITS_MAX: usize = 20;

/// Longest payload of a button or a quick reply.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 1000;

/// Most elements of a generic template.
pub(crate) const ELEMENTS_MAX: usize = 10;

/// Longest title or subtitle of an element.
pub(crate) const LINE_UNITS_MAX: usize = 80;

/// Fewest and most images of an image grid.
pub(crate) const GRID_IMAGES: std::ops::RangeInclusive<usize> = 2..=6;

/// Longest title of an image grid.
pub(crate) const GRID_TITLE_UNITS_MAX: usize = 45;

/// The cards side by side, in as many templates as it takes.
pub(crate) fn carousel(cards: &[Card]) -> Vec<Value> {
    let elements: Vec<Value> = cards.iter().map(card_element).collect();
    elements.chunks(ELEMENTS_MAX).map(generic).collect()
}

/// Image, text and buttons as one card, if that loses nothing but markup.
pub(super) fn lossless_card(image: &Medium, text: &RichText, buttons: &[Button]) -> Option<Value> {
    let Lines { title, subtitle, link, buttons } = Lines::of(text, buttons, LINE_UNITS_MAX)?;
    let element = element(&title, &subtitle, Some(&image.url), link.as_deref(), &buttons);
    Some(generic(&[element]))
}

/// An album of images, its text and buttons as one grid, if that loses nothing but markup. Each
/// image opens what the text's link or the first button opens.
pub(super) fn lossless_grid(
    media: &[Medium],
    text: &RichText,
    buttons: &[Button],
) -> Option<Value> {
    if !GRID_IMAGES.contains(&media.len()) || media.iter().any(|it| it.kind != MediaKind::Image) {
        return None;
    }
    let Lines { title, subtitle, link, buttons } = Lines::of(text, buttons, GRID_TITLE_UNITS_MAX)?;
    let images = media.iter().map(|image| match &link {
        Some(link) => json!({ "url": image.url, "action": { "type": "web_url", "url": link } }),
        None => json!({ "url": image.url }),
    });
    let mut grid = json!({ "images": images.collect::<Vec<_>>(), "title": title });
    if is_visible(&subtitle) {
        grid["subtitle"] = json!(subtitle);
    }
    if !buttons.is_empty() {
        grid["buttons"] = json!(buttons);
    }
    Some(template(&json!({ "template_type": "image_grid", "elements": [grid] })))
}

/// An image or a video with buttons below it, where there are no words for a button template. It is
/// named by its address here: the service takes it once it has an id there.
pub(super) fn media_template(
    medium: &Medium,
    text: &RichText,
    buttons: &[Button],
) -> Option<Value> {
    let kind = match medium.kind {
        MediaKind::Image => "image",
        MediaKind::Video => "video",
        MediaKind::Audio | MediaKind::File => return None,
    };
    let shown = buttons_of(buttons);
    let is_whole = shown.len() == buttons.len() && (1..=BUTTONS_MAX).contains(&shown.len());
    let element = json!({ "media_type": kind, "url": medium.url, "buttons": shown });
    (is_whole && is_address(&medium.url) && !is_visible(&text.plain()))
        .then(|| template(&json!({ "template_type": "media", "elements": [element] })))
}

pub(super) fn button_template(text: &str, buttons: &[Value]) -> Value {
    let text = if is_visible(text) { text } else { NO_WORDS };
    template(&json!({ "template_type": "button", "text": text, "buttons": buttons }))
}

/// The buttons that a template can have.
pub(super) fn buttons_of(buttons: &[Button]) -> Vec<Value> {
    buttons.iter().filter_map(button).collect()
}

/// A quick reply, if the API would take it.
pub(super) fn reply(reply: &Button) -> Option<Value> {
    let Action::Postback { payload } = &reply.action else { return None };
    is_payload(payload).then(
        || json!({ "content_type": "text", "title": label(&reply.label), "payload": payload }),
    )
}

/// A short text as title and subtitle, with the one address that it leads to.
struct Lines {
    title: String,
    subtitle: String,
    link: Option<String>,
    buttons: Vec<Value>,
}

impl Lines {
    /// `None` if anything but markup would be lost.
    fn of(text: &RichText, buttons: &[Button], title_units_max: usize) -> Option<Self> {
        let flat = flatten(text, Spelling::Marks);
        let is_code = |kind| matches!(kind, MarkKind::Pre { .. });
        if flat.text.split_whitespace().any(is_address)
            || flat.marks.iter().any(|mark| is_code(mark.kind))
        {
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
        let is_short = units(title) <= title_units_max && units(&subtitle) <= LINE_UNITS_MAX;
        let is_copied = |button: &Button| matches!(button.action, Action::Copy { .. });
        let shown = buttons_of(buttons);
        if !is_short
            || !is_visible(title)
            || shown.len() > BUTTONS_MAX
            || buttons.iter().any(is_copied)
        {
            return None;
        }
        let opened = shown.iter().find_map(|button| button.get("url")?.as_str());
        let link = link.or(opened).map(str::to_owned);
        Some(Self { title: title.to_owned(), subtitle, link, buttons: shown })
    }
}

fn card_element(card: &Card) -> Value {
    let title = shorten(&clean(&card.title), LINE_UNITS_MAX);
    let subtitle = shorten(&clean(&card.subtitle), LINE_UNITS_MAX);
    let (title, subtitle) =
        if is_visible(&title) { (title, subtitle) } else { (subtitle, String::new()) };
    let mut buttons = buttons_of(&card.buttons);
    buttons.truncate(BUTTONS_MAX);
    let link = card.link.as_deref().filter(|link| is_address(link));
    let image = card.image.as_deref().filter(|image| is_address(image));
    element(&title, &subtitle, image, link, &buttons)
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
    let title = label(&button.label);
    match &button.action {
        Action::Open { url } if is_address(url) => {
            Some(json!({ "type": "web_url", "url": url, "title": title }))
        }
        Action::Postback { payload } if is_payload(payload) => {
            Some(json!({ "type": "postback", "title": title, "payload": payload }))
        }
        _ => None,
    }
}

fn label(text: &str) -> String {
    let label = shorten(&clean(text), LABEL_UNITS_MAX);
    if is_visible(&label) { label } else { NO_WORDS.to_owned() }
}

fn is_payload(payload: &str) -> bool {
    (1..=PAYLOAD_BYTES_MAX).contains(&payload.len()) && !payload.trim().is_empty()
}

fn generic(elements: &[Value]) -> Value {
    template(&json!({ "template_type": "generic", "elements": elements }))
}

fn template(payload: &Value) -> Value {
    json!({ "attachment": { "type": "template", "payload": payload } })
}
