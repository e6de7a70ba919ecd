//! What the Send API accepts in a message, as its reference documents it.
//!
//! Lengths are counted in UTF-16 units: the reference names no unit, and no other one is longer.

use serde_json::Value;
use url::Url;

use crate::sandbox::messenger::market::check_ask;

/// A text is shorter than this.
pub const TEXT_UNITS_END: usize = 2000;
pub const TEMPLATE_TEXT_MAX: usize = 640;
pub const BUTTONS_MAX: usize = 3;
pub const ELEMENTS_MAX: usize = 10;
/// Of a card's title, and of its subtitle.
pub const CARD_LINE_MAX: usize = 80;
/// Of a button's title, and of a quick reply's.
pub const LABEL_MAX: usize = 20;
pub const PAYLOAD_MAX: usize = 1000;
pub const QUICK_REPLIES_MAX: usize = 13;
/// Images that are sent as one message.
pub const IMAGES_MAX: usize = 30;
/// Images of an image grid.
pub const GRID_IMAGES: std::ops::RangeInclusive<usize> = 2..=6;
/// Of an image grid's title.
pub const GRID_TITLE_MAX: usize = 45;
/// `metadata` is shorter than this.
pub const METADATA_UNITS_END: usize = 1000;

/// Why a message is refused: the subcode, if there is one for it, and words.
pub(super) type Refusal = (Option<u32>, String);

/// Checks the `message` of a send request; `has_file` says that a file came along.
pub(super) fn check_message(message: &Value, has_file: bool) -> Result<(), Refusal> {
    let part = |name: &str| message.get(name).filter(|part| !part.is_null());
    match (part("text"), part("attachment"), part("attachments")) {
        (Some(text), None, None) => check_text(text)?,
        (None, Some(attachment), None) => check_attachment(attachment, has_file)?,
        (None, None, Some(images)) => check_images(images)?,
        (None, None, None) => {
            return refuse("Message cannot be empty, must provide valid attachment or text");
        }
        (Some(_), _, _) => return refuse("Message cannot have both text and attachment"),
        (None, Some(_), Some(_)) => {
            return refuse("Message cannot have both attachment and attachments");
        }
    }
    if let Some(replies) = message.get("quick_replies") {
        check_quick_replies(replies)?;
    }
    if let Some(metadata) = message.get("metadata") {
        let length = metadata.as_str().map(units);
        if length.is_none_or(|length| length >= METADATA_UNITS_END) {
            return refuse("param message[metadata] must be a string of less than 1000 characters");
        }
    }
    Ok(())
}

fn check_text(text: &Value) -> Result<(), Refusal> {
    let Some(text) = text.as_str() else {
        return refuse("param message[text] must be a string");
    };
    if text.trim().is_empty() {
        return refuse("Message cannot be empty, must provide valid attachment or text");
    }
    if units(text) >= TEXT_UNITS_END {
        let why = "Length of param message[text] must be less than or equal to 2000";
        return Err((Some(2_018_034), why.into()));
    }
    Ok(())
}

/// Checks the `message` of an upload.
pub(super) fn check_upload(message: &Value, has_file: bool) -> Result<(), Refusal> {
    let attachment = &message["attachment"];
    if attachment["type"] == "template" || !attachment.is_object() {
        return refuse(
            "param message[attachment][type] must be one of {IMAGE, AUDIO, VIDEO, FILE}",
        );
    }
    check_attachment(attachment, has_file)
}

fn check_images(images: &Value) -> Result<(), Refusal> {
    let images = images.as_array().filter(|all| (1..=IMAGES_MAX).contains(&all.len()));
    let Some(images) = images else {
        return refuse("param message[attachments] must have 1 to 30 elements");
    };
    if images.iter().any(|image| image["type"] != "image") {
        return refuse("param message[attachments] takes images only");
    }
    images.iter().try_for_each(|image| check_attachment(image, false))
}

fn check_attachment(attachment: &Value, has_file: bool) -> Result<(), Refusal> {
    let payload = &attachment["payload"];
    match attachment["type"].as_str() {
        Some("template") => check_template(payload),
        Some("image" | "audio" | "video" | "file") => {
            let has_id = payload["attachment_id"].is_string();
            let is_uploaded = has_file && payload["url"].is_null();
            if !has_id && !is_uploaded && !is_url(&payload["url"]) {
                let why = "Failed to fetch the file from the url";
                return Err((Some(2_018_008), why.into()));
            }
            Ok(())
        }
        _ => refuse(
            "param message[attachment][type] must be one of {IMAGE, AUDIO, VIDEO, FILE, \
                     TEMPLATE}",
        ),
    }
}

fn check_template(payload: &Value) -> Result<(), Refusal> {
    match payload["template_type"].as_str() {
        Some("button") => {
            line(&payload["text"], "text", TEMPLATE_TEXT_MAX)?;
            check_buttons(&payload["buttons"], 1)
        }
        Some("generic") => {
            let elements = payload["elements"].as_array();
            let elements = elements.filter(|all| (1..=ELEMENTS_MAX).contains(&all.len()));
            let Some(elements) = elements else {
                return refuse("param elements must have 1 to 10 elements");
            };
            elements.iter().try_for_each(check_element)
        }
        Some("media") => {
            let elements = payload["elements"].as_array().filter(|all| all.len() == 1);
            let Some([element]) = elements.map(Vec::as_slice) else {
                return refuse("param elements must have exactly 1 element");
            };
            if !matches!(element["media_type"].as_str(), Some("image" | "video")) {
                return refuse("param media_type must be one of {IMAGE, VIDEO}");
            }
            if !element["attachment_id"].is_string() && !is_facebook(&element["url"]) {
                return refuse("the media template takes an attachment_id or a Facebook URL only");
            }
            check_buttons(&element["buttons"], 0)
        }
        Some("image_grid") => {
            let elements = payload["elements"].as_array().filter(|all| all.len() == 1);
            let Some([grid]) = elements.map(Vec::as_slice) else {
                return refuse("param elements must have exactly 1 element");
            };
            check_grid(grid)
        }
        Some("notification_messages") => check_ask(payload),
        _ => refuse("param template_type is not a known template"),
    }
}

fn check_grid(grid: &Value) -> Result<(), Refusal> {
    let images = grid["images"].as_array().filter(|all| GRID_IMAGES.contains(&all.len()));
    let Some(images) = images else {
        return refuse("param images must have 2 to 6 elements");
    };
    if images.iter().filter(|image| image["is_hero_image"] == true).count() > 1 {
        return refuse("at most one image can be the hero image");
    }
    for image in images {
        if !is_url(&image["url"]) {
            return refuse("param url must be a valid URI");
        }
        let action = &image["action"];
        let is_right = match action["type"].as_str() {
            Some("web_url") => is_url(&action["url"]) && action["payload"].is_null(),
            Some("postback") => {
                line(&action["payload"], "payload", PAYLOAD_MAX)?;
                action["url"].is_null()
            }
            _ => action.is_null(),
        };
        if !is_right {
            return refuse("param action must be a web_url or a postback");
        }
    }
    for (name, max) in [("title", GRID_TITLE_MAX), ("subtitle", CARD_LINE_MAX)] {
        if !grid[name].is_null() {
            line(&grid[name], name, max)?;
        }
    }
    let mut buttons = grid["buttons"].as_array().into_iter().flatten();
    if buttons.any(|button| !matches!(button["type"].as_str(), Some("web_url" | "postback"))) {
        return refuse("an image grid takes web_url and postback buttons only");
    }
    check_buttons(&grid["buttons"], 0)
}

fn check_element(element: &Value) -> Result<(), Refusal> {
    line(&element["title"], "title", CARD_LINE_MAX)?;
    if !element["subtitle"].is_null() {
        line(&element["subtitle"], "subtitle", CARD_LINE_MAX)?;
    }
    let has_more = ["subtitle", "image_url", "default_action", "buttons"]
        .iter()
        .any(|property| !element[*property].is_null());
    if !has_more {
        return refuse("an element needs at least one property besides title");
    }
    if !element["image_url"].is_null() && !is_url(&element["image_url"]) {
        return refuse("param image_url must be a valid URI");
    }
    let action = &element["default_action"];
    if !action.is_null()
        && (action["type"] != "web_url" || !is_url(&action["url"]) || !action["title"].is_null())
    {
        return refuse("param default_action must be a web_url button without title");
    }
    check_buttons(&element["buttons"], 0)
}

/// `least` 0 also takes no list of buttons at all.
fn check_buttons(buttons: &Value, least: usize) -> Result<(), Refusal> {
    if buttons.is_null() && least == 0 {
        return Ok(());
    }
    let buttons = buttons.as_array().filter(|all| (1..=BUTTONS_MAX).contains(&all.len()));
    let Some(buttons) = buttons else {
        return refuse("param buttons must have 1 to 3 elements");
    };
    for button in buttons {
        let kind = button["type"].as_str().unwrap_or_default();
        match kind {
            "web_url" => {
                line(&button["title"], "title", LABEL_MAX)?;
                if !is_url(&button["url"]) {
                    return refuse("param url must be a valid URI");
                }
            }
            "postback" | "phone_number" => {
                line(&button["title"], "title", LABEL_MAX)?;
                line(&button["payload"], "payload", PAYLOAD_MAX)?;
            }
            "account_link" | "account_unlink" | "game_play" => {}
            _ => return refuse("param type is not a known type of button"),
        }
    }
    Ok(())
}

fn check_quick_replies(replies: &Value) -> Result<(), Refusal> {
    let replies = replies.as_array().filter(|all| all.len() <= QUICK_REPLIES_MAX);
    let Some(replies) = replies else {
        return refuse("param quick_replies must have at most 13 elements");
    };
    for reply in replies {
        match reply["content_type"].as_str() {
            Some("text") => {
                line(&reply["title"], "title", LABEL_MAX)?;
                line(&reply["payload"], "payload", PAYLOAD_MAX)?;
            }
            Some("user_phone_number" | "user_email") => {}
            _ => return refuse("param content_type is not a known type of quick reply"),
        }
    }
    Ok(())
}

/// Checks a persistent menu.
pub(super) fn check_menu(menu: &Value) -> Result<(), Refusal> {
    for menu in in_locales(menu, "persistent_menu")? {
        let actions = menu["call_to_actions"].as_array().map(Vec::as_slice).unwrap_or_default();
        if actions.len() > 20 {
            return refuse("param call_to_actions must have at most 20 elements");
        }
        for action in actions {
            line(&action["title"], "title", 30)?;
            match action["type"].as_str() {
                Some("postback") => line(&action["payload"], "payload", PAYLOAD_MAX)?,
                Some("web_url") if is_url(&action["url"]) => {}
                _ => return refuse("param call_to_actions has no valid action"),
            }
        }
    }
    Ok(())
}

pub(super) fn check_greeting(greeting: &Value) -> Result<(), Refusal> {
    for one in in_locales(greeting, "greeting")? {
        line(&one["text"], "text", 160)?;
    }
    Ok(())
}

pub(super) fn check_ice_breakers(breakers: &Value) -> Result<(), Refusal> {
    for one in in_locales(breakers, "ice_breakers")? {
        let actions = one["call_to_actions"].as_array().map(Vec::as_slice).unwrap_or_default();
        if !(1..=4).contains(&actions.len()) {
            return refuse("param ice_breakers must have 1 to 4 questions");
        }
        for action in actions {
            line(&action["question"], "question", 80)?;
            line(&action["payload"], "payload", PAYLOAD_MAX)?;
        }
    }
    Ok(())
}

/// A list with an element for everybody, and one for each locale besides.
fn in_locales<'v>(value: &'v Value, name: &str) -> Result<&'v [Value], Refusal> {
    let all = value.as_array().map(Vec::as_slice).unwrap_or_default();
    if !all.iter().any(|one| one["locale"] == "default") {
        return Err((None, format!("param {name} must have the locale default")));
    }
    let mut locales: Vec<&str> = Vec::new();
    for one in all {
        let locale = one["locale"].as_str().unwrap_or_default();
        let is_locale = locale
            .split_once('_')
            .is_some_and(|(language, country)| language.len() == 2 && country.len() == 2);
        if locales.contains(&locale) || !(locale == "default" || is_locale) {
            return Err((None, format!("param {name} has an invalid locale")));
        }
        locales.push(locale);
    }
    Ok(all)
}

/// A text that is there, is not empty, and has at most `max` units.
fn line(text: &Value, name: &str, max: usize) -> Result<(), Refusal> {
    match text.as_str() {
        Some(text) if !text.trim().is_empty() && units(text) <= max => Ok(()),
        Some(text) if !text.trim().is_empty() => {
            refuse(&format!("Length of param {name} must be less than or equal to {max}"))
        }
        _ => refuse(&format!("The parameter {name} is required")),
    }
}

fn is_url(url: &Value) -> bool {
    url.as_str()
        .and_then(|url| Url::parse(url).ok())
        .is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

fn is_facebook(url: &Value) -> bool {
    let url = url.as_str().and_then(|url| Url::parse(url).ok());
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    host == "facebook.com" || host.ends_with(".facebook.com")
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

fn refuse<T>(why: &str) -> Result<T, Refusal> {
    Err((None, why.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_documented_limit_holds_at_its_edge_and_breaks_past_it() {
        let text = |units: usize| json!({ "text": "x".repeat(units) });
        let button = |label: usize| json!({ "type": "web_url", "title": "x".repeat(label), "url": "https://a.example/" });
        let template = |text: usize, buttons: usize| {
            json!({ "attachment": { "type": "template", "payload": {
                "template_type": "button",
                "text": "x".repeat(text),
                "buttons": vec![button(20); buttons],
            }}})
        };
        let cards = |count: usize, title: usize, subtitle: usize, buttons: Value| {
            let card = json!({
                "title": "x".repeat(title), "subtitle": "x".repeat(subtitle), "buttons": buttons,
            });
            json!({ "attachment": { "type": "template", "payload": {
                "template_type": "generic", "elements": vec![card; count],
            }}})
        };
        let replies = |count: usize, payload: usize| {
            let reply = json!({
                "content_type": "text", "title": "a", "payload": "x".repeat(payload),
            });
            json!({ "text": "a", "quick_replies": vec![reply; count] })
        };
        let images = |count: usize, kind: &str| {
            let image = json!({ "type": kind, "payload": { "url": "https://a.b/c" } });
            json!({ "attachments": vec![image; count] })
        };
        let grid = |count: usize, title: usize, action: Value, heroes: usize| {
            let image = |at: usize| json!({ "url": "https://a.b/c", "action": action, "is_hero_image": at < heroes });
            let images: Vec<Value> = (0..count).map(image).collect();
            json!({ "attachment": { "type": "template", "payload": {
                "template_type": "image_grid",
                "elements": [{ "images": images, "title": "x".repeat(title) }],
            }}})
        };
        let media = |element: Value| {
            json!({ "attachment": { "type": "template", "payload": {
                "template_type": "media", "elements": [element],
            }}})
        };
        let opens = json!({ "type": "web_url", "url": "https://a.b/c" });
        let both = json!({ "type": "web_url", "url": "https://a.b/c", "payload": "x" });
        let one = json!([button(20)]);
        for good in [
            text(1999),
            template(640, 3),
            template(1, 1),
            cards(10, 80, 80, one.clone()),
            cards(1, 1, 1, Value::Null),
            replies(13, 1000),
            images(30, "image"),
            grid(2, 45, opens.clone(), 1),
            grid(6, 1, Value::Null, 0),
            media(json!({ "media_type": "video", "attachment_id": "1" })),
            media(json!({ "media_type": "image", "url": "https://www.facebook.com/a/photos/1" })),
            json!({ "text": "a", "metadata": "x".repeat(999) }),
            json!({ "attachment": { "type": "image", "payload": { "url": "https://a.b/c" }}}),
        ] {
            assert_eq!(check_message(&good, false), Ok(()), "{good}");
        }
        for bad in [
            text(2000),
            text(0),
            json!({ "text": "🎈".repeat(1000) }),
            template(641, 3),
            template(640, 4),
            template(640, 0),
            cards(11, 80, 80, one.clone()),
            cards(0, 80, 80, one.clone()),
            cards(1, 81, 80, one.clone()),
            cards(1, 80, 81, one),
            cards(1, 80, 80, json!([button(21)])),
            cards(1, 80, 80, json!([button(1), button(1), button(1), button(1)])),
            replies(14, 1),
            images(31, "image"),
            images(0, "image"),
            images(2, "video"),
            grid(1, 45, opens.clone(), 1),
            grid(7, 45, opens.clone(), 1),
            grid(2, 46, opens.clone(), 1),
            grid(2, 45, opens, 2),
            grid(2, 45, both, 0),
            media(json!({ "media_type": "image", "url": "https://notfacebook.com/1" })),
            media(json!({ "media_type": "audio", "attachment_id": "1" })),
            replies(1, 1001),
            json!({ "text": "a", "metadata": "x".repeat(1000) }),
            json!({ "text": "a", "attachment": { "type": "image", "payload": {} }}),
            json!({ "attachment": { "type": "image", "payload": { "url": "ftp://a.b/c" }}}),
            json!({ "attachment": { "type": "template", "payload": {
                "template_type": "generic", "elements": [{ "title": "alone" }],
            }}}),
        ] {
            assert!(check_message(&bad, false).is_err(), "{bad}");
        }
    }
}
