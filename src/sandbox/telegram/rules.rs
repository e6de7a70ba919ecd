//! What the Bot API accepts in a message, as its reference documents it.
//!
//! Answers are the descriptions that the service gives, without their `Bad Request: `. Only
//! entities are known, no `parse_mode`.

use serde_json::{Map, Value};
use url::Url;

/// Longest text of a message, in code points.
pub const TEXT_MAX: usize = 4096;
/// Longest caption, in code points.
pub const CAPTION_MAX: usize = 1024;
/// Longest text parameter before anything is parsed, in bytes.
pub const RAW_BYTES_MAX: usize = 32_768;
/// Longest payload of a button, in bytes.
pub const CALLBACK_BYTES_MAX: usize = 64;
/// Longest text that a button copies, in characters.
pub const COPY_CHARS_MAX: usize = 256;
/// Most entities that take effect; those after them are dropped without a word.
pub const ENTITIES_MAX: usize = 100;
/// Most buttons below a message; the service publishes no figure.
pub const BUTTONS_MAX: usize = 100;

const ENTITY_TYPES: [&str; 20] = [
    "mention",
    "hashtag",
    "cashtag",
    "bot_command",
    "url",
    "email",
    "phone_number",
    "bold",
    "italic",
    "underline",
    "strikethrough",
    "spoiler",
    "blockquote",
    "expandable_blockquote",
    "code",
    "pre",
    "text_link",
    "text_mention",
    "custom_emoji",
    "date_time",
];

/// The ways in which an inline button acts; it has exactly one.
const ACTIONS: [&str; 11] = [
    "url",
    "callback_data",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
    "pay",
    "disabled",
];

pub(super) fn check_text(text: Option<&str>) -> Result<&str, String> {
    let text = text.filter(|text| !text.is_empty()).ok_or("message text is empty")?;
    if text.len() > RAW_BYTES_MAX {
        return Err("text is too long".into());
    }
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err("text must be non-empty".into());
    }
    if trimmed.chars().count() > TEXT_MAX {
        return Err("message is too long".into());
    }
    Ok(text)
}

pub(super) fn check_caption(caption: Option<&str>) -> Result<&str, String> {
    let caption = caption.unwrap_or_default();
    if caption.len() > RAW_BYTES_MAX {
        return Err("text is too long".into());
    }
    if caption.trim().chars().count() > CAPTION_MAX {
        return Err("message caption is too long".into());
    }
    Ok(caption)
}

/// Checks entities against their text; answers those that take effect.
pub(super) fn check_entities(
    text: &str,
    entities: Option<Result<Value, ()>>,
) -> Result<Vec<Value>, String> {
    let Some(entities) = entities else { return Ok(Vec::new()) };
    let Ok(Value::Array(entities)) = entities else {
        return Err("can't parse entities: expected an Array of MessageEntity".into());
    };
    if entities.is_empty() {
        return Ok(entities);
    }
    let bounds = Bounds::of(text);
    for entity in &entities {
        let entity = entity.as_object().ok_or("can't parse MessageEntity: expected an Object")?;
        let kind = entity.get("type").and_then(Value::as_str).unwrap_or_default();
        if !ENTITY_TYPES.contains(&kind) {
            return Err("can't parse MessageEntity: unsupported type specified".into());
        }
        let at = |name| entity.get(name).and_then(Value::as_u64);
        let (Some(offset), Some(length)) = (at("offset"), at("length")) else {
            return Err("ENTITY_BOUNDS_INVALID".into());
        };
        if length == 0 || !bounds.holds(offset) || !bounds.holds(offset.saturating_add(length)) {
            return Err("ENTITY_BOUNDS_INVALID".into());
        }
        if kind == "text_link" {
            let url = entity.get("url").and_then(Value::as_str);
            if url.is_none_or(str::is_empty) {
                return Err("can't parse MessageEntity: field \"url\" is missing".into());
            }
        }
    }
    check_nesting(&entities)?;
    // A link without a usable address stays as text.
    let usable = |entity: &Value| {
        entity["type"] != "text_link" || entity["url"].as_str().is_some_and(is_link)
    };
    Ok(entities.into_iter().filter(usable).take(ENTITIES_MAX).collect())
}

/// The service puts right what overlaps or nests wrongly; whoever sends that has made a mistake, so
/// the stand-in refuses it: code holds nothing and is held by quotes alone, quotes and links hold
/// none of their own kind, and of two entities one holds the other or they are apart.
fn check_nesting(entities: &[Value]) -> Result<(), String> {
    let mut sorted: Vec<(u64, u64, &str)> = entities
        .iter()
        .filter_map(|entity| {
            let offset = entity["offset"].as_u64()?;
            Some((offset, offset + entity["length"].as_u64()?, entity["type"].as_str()?))
        })
        .collect();
    sorted.sort_by_key(|(start, end, _)| (*start, u64::MAX - *end));
    let is_code = |kind| matches!(kind, "code" | "pre");
    let is_quote = |kind| matches!(kind, "blockquote" | "expandable_blockquote");
    let mut open: Vec<(u64, &str)> = Vec::new();
    for (start, end, kind) in sorted {
        open.retain(|(outer, _)| *outer > start);
        let is_wrong = open.iter().any(|(outer, outer_kind)| {
            end > *outer
                || is_code(*outer_kind)
                || is_code(kind) && !is_quote(*outer_kind)
                || is_quote(kind) && is_quote(*outer_kind)
                || kind == *outer_kind
        });
        if is_wrong {
            return Err("ENTITIES_OVERLAP".into());
        }
        open.push((end, kind));
    }
    Ok(())
}

/// The places of a text, in UTF-16 units, where a character begins or the text ends.
struct Bounds {
    units: u64,
    /// The second halves of surrogate pairs: the only places that are none.
    halves: Vec<u64>,
}

impl Bounds {
    fn of(text: &str) -> Self {
        let mut units = 0;
        let mut halves = Vec::new();
        for character in text.chars() {
            if character.len_utf16() == 2 {
                halves.push(units + 1);
                units += 2;
            } else {
                units += 1;
            }
        }
        Self { units, halves }
    }

    fn holds(&self, place: u64) -> bool {
        place <= self.units && self.halves.binary_search(&place).is_err()
    }
}

/// Checks a `reply_markup`.
pub(super) fn check_markup(markup: Option<Result<Value, ()>>) -> Result<Option<Value>, String> {
    let Some(markup) = markup else { return Ok(None) };
    let markup = markup.map_err(|()| "can't parse reply keyboard markup JSON object")?;
    let object = markup.as_object().ok_or("object expected as reply markup")?;
    if let Some(rows) = object.get("inline_keyboard") {
        check_inline(rows)?;
    } else if let Some(rows) = object.get("keyboard") {
        each_button(rows, "keyboard", |button| {
            let label = button.as_str().or_else(|| button.get("text")?.as_str());
            label.filter(|label| !label.is_empty()).map(drop).ok_or_else(|| {
                "can't parse keyboard button: field \"text\" must be non-empty".to_owned()
            })
        })?;
    }
    Ok(Some(markup))
}

fn check_inline(rows: &Value) -> Result<(), String> {
    let mut count = 0;
    each_button(rows, "inline_keyboard", |button| {
        count += 1;
        let Value::Object(button) = button else {
            return Err(if button.is_string() {
                "can't parse inline keyboard button: Text buttons are unallowed in the inline \
                 keyboard"
            } else {
                "can't parse inline keyboard button: InlineKeyboardButton must be an Object"
            }
            .to_owned());
        };
        check_button(button)
    })?;
    if count > BUTTONS_MAX {
        return Err("reply markup is too long".into());
    }
    Ok(())
}

fn each_button(
    rows: &Value,
    field: &str,
    mut check: impl FnMut(&Value) -> Result<(), String>,
) -> Result<(), String> {
    let shape = || format!("field \"{field}\" must be of type Array of Arrays");
    for row in rows.as_array().ok_or_else(shape)? {
        for button in row.as_array().ok_or_else(shape)? {
            check(button)?;
        }
    }
    Ok(())
}

fn check_button(button: &Map<String, Value>) -> Result<(), String> {
    let label = button.get("text").and_then(Value::as_str).unwrap_or_default();
    if label.trim().is_empty() {
        return Err("can't parse inline keyboard button: field \"text\" must be non-empty".into());
    }
    if let Some(style) = button.get("style")
        && !matches!(style.as_str(), Some("primary" | "success" | "danger"))
    {
        return Err("can't parse inline keyboard button: invalid style specified".into());
    }
    let mut actions = ACTIONS.iter().filter(|action| button.contains_key(**action));
    let Some(action) = actions.next() else {
        return Err(
            "can't parse inline keyboard button: Text buttons are unallowed in the inline \
                    keyboard"
                .into(),
        );
    };
    if actions.next().is_some() {
        return Err("can't parse inline keyboard button: exactly one action is allowed".into());
    }
    match (*action, button[*action].as_str()) {
        ("callback_data", Some(data)) if (1..=CALLBACK_BYTES_MAX).contains(&data.len()) => Ok(()),
        ("callback_data", _) => Err("BUTTON_DATA_INVALID".into()),
        ("url", Some(url)) if is_link(url) => Ok(()),
        ("url", _) => Err("BUTTON_URL_INVALID".into()),
        ("copy_text", _) => match button["copy_text"].get("text").and_then(Value::as_str) {
            Some(text) if (1..=COPY_CHARS_MAX).contains(&text.chars().count()) => Ok(()),
            _ => Err("BUTTON_COPY_TEXT_INVALID".into()),
        },
        _ => Ok(()),
    }
}

/// An address that a client can open.
fn is_link(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| match url.scheme() {
        "http" | "https" => url.host_str().is_some_and(|host| !host.is_empty()),
        "tg" | "ton" | "mailto" | "tel" => true,
        _ => false,
    })
}

/// Checks what an album consists of; its files are looked at elsewhere.
pub(super) fn check_album(items: &[Value]) -> Result<(), String> {
    let group = |item: &Value| match item.get("type").and_then(Value::as_str) {
        Some("photo" | "video" | "live_photo") => Some("Photo"),
        Some("audio") => Some("Audio"),
        Some("document") => Some("Document"),
        _ => None,
    };
    let above = |item: &Value| {
        item.get("show_caption_above_media").and_then(Value::as_bool).unwrap_or(false)
    };
    let Some(first) = items.first() else { return Ok(()) };
    for item in items {
        let Some(kind) = group(item) else {
            return Err("can't use the media of the specified type in the album".into());
        };
        if let Some(lead) = group(first)
            && kind != lead
        {
            let other = if lead == "Photo" { kind } else { lead };
            return Err(format!("{other} can't be mixed with other media types"));
        }
        if above(item) != above(first) {
            return Err("parameter show_caption_above_media must be the same for all media".into());
        }
    }
    Ok(())
}

/// Checks `link_preview_options`.
pub(super) fn check_preview(options: Option<Result<Value, ()>>) -> Result<Option<Value>, String> {
    let Some(options) = options else { return Ok(None) };
    let Ok(Value::Object(object)) = &options else {
        return Err("can't parse LinkPreviewOptions: expected an Object".into());
    };
    for name in ["is_disabled", "prefer_small_media", "prefer_large_media", "show_above_text"] {
        if object.get(name).is_some_and(|flag| !flag.is_boolean()) {
            return Err(format!(
                "can't parse LinkPreviewOptions: field \"{name}\" must be Boolean"
            ));
        }
    }
    Ok(options.ok())
}

/// Checks a list of commands.
pub(super) fn check_commands(commands: Option<Result<Value, ()>>) -> Result<Value, String> {
    let Some(Ok(Value::Array(commands))) = commands else {
        return Err("can't parse BotCommand: expected an Array of BotCommand".into());
    };
    if commands.len() > 100 {
        return Err("BOT_COMMANDS_TOO_MUCH".into());
    }
    for command in &commands {
        let name = command["command"].as_str().unwrap_or_default();
        let name = name.strip_prefix('/').unwrap_or(name);
        let legal = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_';
        if name.is_empty() || name.len() > 32 || !name.bytes().all(legal) {
            return Err("BOT_COMMAND_INVALID".into());
        }
        let description = command["description"].as_str().unwrap_or_default();
        if description.is_empty() || description.chars().count() > 256 {
            return Err("BOT_COMMAND_DESCRIPTION_INVALID".into());
        }
    }
    Ok(Value::Array(commands))
}

/// Checks a webhook's address and secret. A server that runs with `--local` takes any address.
pub(super) fn check_webhook(url: &str, secret: &str, is_local: bool) -> Result<(), String> {
    let parsed = Url::parse(url).map_err(|_| "bad webhook: invalid webhook URL specified")?;
    if !is_local {
        if parsed.scheme() != "https" {
            return Err("bad webhook: An HTTPS URL must be provided for webhook".into());
        }
        if !matches!(parsed.port_or_known_default(), Some(80 | 88 | 443 | 8443)) {
            return Err(
                "bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443".into()
            );
        }
    } else if !matches!(parsed.scheme(), "http" | "https") {
        return Err("bad webhook: invalid webhook URL specified".into());
    }
    if secret.len() > 256 {
        return Err("secret token is too long".into());
    }
    if !secret.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_' || c == b'-') {
        return Err("secret token contains unallowed characters".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn bounds(text: &str, offset: u64, length: u64) -> Result<Vec<Value>, String> {
        let entity = json!([{"type": "bold", "offset": offset, "length": length}]);
        check_entities(text, Some(Ok(entity)))
    }

    #[test]
    fn entity_bounds_are_utf16_units_on_whole_characters() {
        assert!(bounds("a🎈b", 1, 2).is_ok());
        assert!(bounds("a🎈b", 0, 4).is_ok());
        for (offset, length) in [(1, 1), (2, 1), (0, 5), (4, 1), (1, 0), (u64::MAX, 2)] {
            let refused = bounds("a🎈b", offset, length);
            assert_eq!(refused, Err("ENTITY_BOUNDS_INVALID".into()), "{offset} {length}");
        }
    }

    #[test]
    fn texts_are_counted_in_code_points_after_trimming() {
        let balloons = "🎈".repeat(TEXT_MAX);
        assert!(check_text(Some(&format!(" {balloons}\n"))).is_ok());
        assert_eq!(check_text(Some(&format!("{balloons}x"))), Err("message is too long".into()));
        assert_eq!(check_text(Some(" \n")), Err("text must be non-empty".into()));
        assert_eq!(check_text(Some("")), Err("message text is empty".into()));
        assert_eq!(check_text(None), Err("message text is empty".into()));
        let raw = "x".repeat(RAW_BYTES_MAX + 1);
        assert_eq!(check_text(Some(&raw)), Err("text is too long".into()));
    }

    #[test]
    fn a_button_has_a_label_and_exactly_one_valid_action() {
        let check = |button: Value| {
            check_markup(Some(Ok(json!({ "inline_keyboard": [[button]] })))).map(drop)
        };
        assert_eq!(check(json!({"text": "a", "callback_data": "x".repeat(64)})), Ok(()));
        assert_eq!(check(json!({"text": "a", "url": "https://example.com/"})), Ok(()));
        for (button, refusal) in [
            (json!({"text": "a", "callback_data": "é".repeat(33)}), "BUTTON_DATA_INVALID"),
            (json!({"text": "a", "callback_data": ""}), "BUTTON_DATA_INVALID"),
            (json!({"text": "a", "url": "no address"}), "BUTTON_URL_INVALID"),
            (json!({"text": "a", "url": "javascript:alert(1)"}), "BUTTON_URL_INVALID"),
            (json!({"text": "a"}), "Text buttons are unallowed"),
            (json!("a"), "Text buttons are unallowed"),
            (json!({"text": " ", "url": "https://example.com/"}), "must be non-empty"),
            (json!({"text": "a", "url": "https://a.b/", "callback_data": "x"}), "exactly one"),
        ] {
            let refused = check(button.clone()).unwrap_err();
            assert!(refused.contains(refusal), "{button}: {refused}");
        }
    }

    #[test]
    fn the_real_service_takes_webhooks_only_over_https_on_four_ports() {
        assert!(check_webhook("https://example.com:8443/x", "s-1_", false).is_ok());
        assert!(check_webhook("http://example.com/x", "", false).is_err());
        assert!(check_webhook("https://example.com:8080/x", "", false).is_err());
        assert!(check_webhook("http://127.0.0.1:8080/x", "", true).is_ok());
        assert!(check_webhook("https://example.com/", "a b", true).is_err());
    }
}
