//! Calls as the phones of the sandbox keep them: what `assets/phones.js` draws.

use serde_json::{Map, Value, json};

use crate::channel::Call;
use crate::model::channel::ChannelKind;
use crate::model::time::Timestamp;

/// The history of a chat in which these calls arrived, oldest first: where a call says all that
/// others behind it say in another way, it is the one that is shown.
pub(super) fn entries(kind: ChannelKind, calls: &[Call], at: Timestamp) -> Vec<Value> {
    let mut entries = Vec::new();
    let mut covered = 0;
    for call in calls.iter().filter(|call| !call.is_acknowledgement) {
        if covered > 0 {
            covered -= 1;
            continue;
        }
        covered = call.covers;
        match kind {
            ChannelKind::Telegram => telegram(call, &mut entries),
            ChannelKind::Messenger => entries.push(messenger(call)),
        }
    }
    for (number, entry) in (1..).zip(&mut entries) {
        entry["message_id"] = json!(number);
        entry["at"] = json!(at.as_millis());
    }
    entries
}

fn messenger(call: &Call) -> Value {
    let body = call.body();
    let message = &body["message"];
    let many = message["attachments"].as_array().into_iter().flatten();
    let files = many.chain(message.get("attachment"));
    let media: Vec<&Value> =
        files.map(|file| &file["payload"]["url"]).filter(|url| url.is_string()).collect();
    json!({
        "from": "page",
        "message": message,
        "media": media,
        "is_silent": body["notification_type"] == "SILENT_PUSH",
    })
}

fn telegram(call: &Call, entries: &mut Vec<Value>) {
    let body = call.body();
    if call.method == "sendMediaGroup" {
        // All items of an album have this in common; the number keeps two albums apart.
        let album = format!("album-{}", entries.len());
        for item in body["media"].as_array().into_iter().flatten() {
            let kind = item["type"].as_str().unwrap_or_default();
            let mut entry = telegram_entry(&body, item);
            entry["media"] = file(kind, &item["media"], item);
            entry["album"] = json!(album);
            entries.push(entry);
        }
        return;
    }
    let mut entry = telegram_entry(&body, &body);
    let kind = match call.method {
        "sendPhoto" => "photo",
        "sendVideo" => "video",
        "sendAnimation" => "animation",
        "sendAudio" => "audio",
        "sendDocument" => "document",
        _ => "",
    };
    if !kind.is_empty() {
        entry["media"] = file(kind, &body[kind], &body);
        if kind == "photo" {
            entry["photo"] = body[kind].clone();
        }
    }
    entries.push(entry);
}

/// What all messages have; `said` has the words, which are the message's or the album item's.
fn telegram_entry(body: &Value, said: &Value) -> Value {
    let first = |one: &str, other: &str| match said.get(one) {
        Some(found) => found.clone(),
        None => said.get(other).cloned().unwrap_or_default(),
    };
    let text = first("text", "caption");
    let entities = first("entities", "caption_entities");
    let rich = &body["rich_message"]["html"];
    json!({
        "from": "bot",
        "text": text.as_str().unwrap_or_default(),
        "entities": if entities.is_array() { entities } else { json!([]) },
        "photo": null,
        "media": null,
        "album": null,
        "rich": rich,
        "preview": body.get("link_preview_options"),
        "keyboard": body["reply_markup"].get("inline_keyboard").cloned().unwrap_or(json!([])),
        "is_silent": body["disable_notification"] == true,
        "is_protected": body["protect_content"] == true,
        "edited_at": null,
        "is_deleted": false,
    })
}

fn file(kind: &str, address: &Value, said: &Value) -> Value {
    let mut file = Map::new();
    file.insert("kind".to_owned(), json!(kind));
    file.insert("file_id".to_owned(), json!(""));
    file.insert("address".to_owned(), address.clone());
    let name = address.as_str().and_then(|it| it.split(['?', '#']).next()?.rsplit('/').next());
    file.insert("name".to_owned(), json!(name));
    for (ours, theirs) in [("title", "title"), ("performer", "performer"), ("seconds", "duration")]
    {
        file.insert(ours.to_owned(), said.get(theirs).cloned().unwrap_or_default());
    }
    Value::Object(file)
}
