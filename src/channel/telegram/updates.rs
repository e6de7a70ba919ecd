//! What people do in their chats with a bot, read from the Bot API's updates.
//!
//! Pure. An update of an unknown kind or shape is no event and no error: the next one goes on.
//! Only private chats are read, but for a group that tells its new id.

use serde_json::Value;

use crate::channel::loose::{self, Whole, first_chars};
use crate::model::control::{DROP_PAYLOAD, RELEASE_PAYLOAD};
use crate::model::event::{Deed, Event, Tap};
use crate::model::name::Name;
use crate::model::time::Timestamp;

/// Longest text that is kept, in characters; the service's own limit.
pub const TEXT_CHARS_MAX: usize = 4096;

/// Parts of a message that are something said without words. Everything else without text is the
/// service's own notice (a pinned message, a changed title) and no event.
const MEDIA: [&str; 16] = [
    "animation",
    "audio",
    "contact",
    "dice",
    "document",
    "game",
    "live_photo",
    "location",
    "photo",
    "poll",
    "sticker",
    "story",
    "venue",
    "video",
    "video_note",
    "voice",
];

/// The update's number; `None` when it has none, and then it can't be confirmed or told apart.
pub fn id(update: &Value) -> Option<i64> {
    update["update_id"].as_i64()
}

/// The events of one update: at most one, none when it is of no interest.
pub fn read(channel: &Name, update: &Value, now: Timestamp) -> Vec<Event> {
    let Some(id) = id(update) else { return Vec::new() };
    let seen = of_message(&update["message"], now)
        .or_else(|| of_tap(&update["callback_query"], now))
        .or_else(|| of_membership(&update["my_chat_member"], now));
    seen.map(|seen| Event {
        channel: channel.clone(),
        id: id.to_string(),
        at: seen.at,
        address: seen.address,
        language: seen.language,
        first_name: seen.first_name,
        deed: seen.deed,
    })
    .into_iter()
    .collect()
}

/// An event but for its channel and number.
struct Seen {
    at: Timestamp,
    address: String,
    language: Option<String>,
    first_name: Option<String>,
    deed: Deed,
}

fn of_message(message: &Value, now: Timestamp) -> Option<Seen> {
    let chat = &message["chat"];
    let from = &message["from"];
    let (address, deed, first_name) = if is_private(chat) {
        if from["is_bot"] == true {
            return None;
        }
        let said = message["text"].as_str().map(deed_of_text);
        let shown = || MEDIA.iter().any(|kind| !message[*kind].is_null());
        let deed = said.or_else(|| shown().then_some(Deed::SentMedia))?;
        (address(chat)?, deed, loose::first_name(&from["first_name"]))
    } else {
        let to = Whole::of(&message["migrate_to_chat_id"]).0?;
        (address(chat)?, Deed::Moved { to: to.to_string() }, None)
    };
    let (at, language) = (instant(&message["date"], now), language(from));
    Some(Seen { at, address, language, first_name, deed })
}

/// A tap has no time of its own; the time of its message is when that was sent.
fn of_tap(query: &Value, now: Timestamp) -> Option<Seen> {
    let chat = &query["message"]["chat"];
    let from = &query["from"];
    let payload = first_chars(query["data"].as_str()?, TEXT_CHARS_MAX);
    let is_review = payload.starts_with(RELEASE_PAYLOAD) || payload.starts_with(DROP_PAYLOAD);
    // One that is not there any more, or is too old to be told, has no date.
    let has_date = Whole::of(&query["message"]["date"]).0.is_some_and(|date| date > 0);
    let message = query["message"]["message_id"].as_i64().filter(|_| has_date);
    let tap = query["id"].as_str().map(|id| Tap { id: id.to_owned(), message });
    let deed = Deed::Tapped { payload, tap };
    if !chat.is_null() && !is_private(chat) {
        // A group converses about nothing but what it is to look at.
        let address = address(chat).filter(|_| is_review)?;
        return Some(Seen { at: now, address, language: None, first_name: None, deed });
    }
    let first_name = loose::first_name(&from["first_name"]);
    Some(Seen { at: now, address: address(from)?, language: language(from), first_name, deed })
}

fn of_membership(change: &Value, now: Timestamp) -> Option<Seen> {
    let chat = &change["chat"];
    if !is_private(chat) {
        return None;
    }
    let deed = match change["new_chat_member"]["status"].as_str()? {
        "kicked" => Deed::Blocked,
        "member" => Deed::Unblocked,
        _ => return None,
    };
    let from = &change["from"];
    let (at, first_name) = (instant(&change["date"], now), loose::first_name(&from["first_name"]));
    Some(Seen { at, address: address(chat)?, language: language(from), first_name, deed })
}

/// `/start`, `/start payload` and `/start@bot payload` start; everything else is said.
fn deed_of_text(text: &str) -> Deed {
    let text = text.trim();
    let (command, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let name = command.split_once('@').map_or(command, |(name, _)| name);
    if name.eq_ignore_ascii_case("/start") {
        let payload = rest.trim();
        let payload = (!payload.is_empty()).then(|| first_chars(payload, TEXT_CHARS_MAX));
        Deed::Started { payload }
    } else {
        Deed::Said { text: first_chars(text, TEXT_CHARS_MAX) }
    }
}

fn is_private(chat: &Value) -> bool {
    chat["type"] == "private"
}

fn address(of: &Value) -> Option<String> {
    of["id"].as_i64().map(|id| id.to_string())
}

fn language(from: &Value) -> Option<String> {
    from["language_code"].as_str().filter(|code| !code.is_empty()).map(|code| first_chars(code, 35))
}

/// Seconds since 1970; an inaccessible message has 0.
fn instant(date: &Value, now: Timestamp) -> Timestamp {
    match Whole::of(date).0 {
        Some(seconds) if seconds > 0 => Timestamp::from_millis(seconds.saturating_mul(1000)),
        _ => now,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_123);

    fn events(update: &Value) -> Vec<Event> {
        read(&Name::parse("newsbot").unwrap(), update, NOW)
    }

    fn deed(update: &Value) -> Option<Deed> {
        events(update).into_iter().next().map(|event| event.deed)
    }

    fn message(extra: &Value) -> Value {
        let mut message = json!({
            "message_id": 1,
            "from": { "id": 42, "is_bot": false, "first_name": "Ana", "language_code": "ro" },
            "chat": { "id": 42, "type": "private", "first_name": "Ana" },
            "date": 1_790_000_000,
        });
        for (key, value) in extra.as_object().unwrap() {
            message[key] = value.clone();
        }
        json!({ "update_id": 7, "message": message })
    }

    #[test]
    fn a_message_becomes_an_event_with_its_own_time() {
        assert_eq!(
            events(&message(&json!({ "text": "hi" }))),
            [Event {
                channel: Name::parse("newsbot").unwrap(),
                id: "7".into(),
                at: Timestamp::from_millis(1_790_000_000_000),
                address: "42".into(),
                language: Some("ro".into()),
                first_name: Some("Ana".into()),
                deed: Deed::Said { text: "hi".into() },
            }]
        );
    }

    #[test]
    fn a_start_is_told_from_other_words() {
        let started = |payload: Option<&str>| Deed::Started { payload: payload.map(str::to_owned) };
        let said = |text: &str| Deed::Said { text: text.to_owned() };
        let cases = [
            ("/start", started(None)),
            ("/start news", started(Some("news"))),
            ("/start   news  ", started(Some("news"))),
            ("/start\nnews", started(Some("news"))),
            ("/start@TidingsBot news", started(Some("news"))),
            ("/start@TidingsBot", started(None)),
            ("/START", started(None)),
            ("/started", said("/started")),
            ("start", said("start")),
            ("/stop", said("/stop")),
            (" hello there ", said("hello there")),
            ("", said("")),
        ];
        for (text, expected) in cases {
            assert_eq!(deed(&message(&json!({ "text": text }))), Some(expected), "{text:?}");
        }
        let long = "ș".repeat(5000);
        let expected = said(&"ș".repeat(TEXT_CHARS_MAX));
        assert_eq!(deed(&message(&json!({ "text": long }))), Some(expected));
    }

    #[test]
    fn what_is_sent_without_words_is_media_and_notices_are_nothing() {
        for kind in ["photo", "sticker", "voice", "video_note", "location"] {
            let update = message(&json!({ kind: { "file_id": "x" } }));
            assert_eq!(deed(&update), Some(Deed::SentMedia), "{kind}");
        }
        for notice in
            ["pinned_message", "message_auto_delete_timer_changed", "write_access_allowed"]
        {
            assert_eq!(deed(&message(&json!({ notice: {} }))), None, "{notice}");
        }
    }

    #[test]
    fn a_tap_is_answered_to_the_person_who_tapped() {
        let tap = |chat: Value| {
            json!({ "update_id": 8, "callback_query": {
                "id": "4382bfdwdsb323b2d9", "from": { "id": 42, "language_code": "en" },
                "message": { "message_id": 1, "date": 0, "chat": chat },
                "chat_instance": "1", "data": "stop",
            }})
        };
        let private = tap(json!({ "id": 42, "type": "private" }));
        let event = events(&private).remove(0);
        assert_eq!((event.address.as_str(), event.at), ("42", NOW));
        let tap_id = Some(Tap::from("4382bfdwdsb323b2d9"));
        assert_eq!(event.deed, Deed::Tapped { payload: "stop".into(), tap: tap_id });

        assert!(events(&tap(json!({ "id": -5, "type": "group" }))).is_empty());
        let mut without_data = private;
        without_data["callback_query"]["data"] = Value::Null;
        assert!(events(&without_data).is_empty());
    }

    #[test]
    fn blocking_and_unblocking_are_heard_in_private_chats_only() {
        let change = |kind: &str, status: &str| {
            json!({ "update_id": 9, "my_chat_member": {
                "chat": { "id": 42, "type": kind }, "from": { "id": 42 }, "date": 1_790_000_001,
                "old_chat_member": { "status": "member" }, "new_chat_member": { "status": status },
            }})
        };
        assert_eq!(deed(&change("private", "kicked")), Some(Deed::Blocked));
        assert_eq!(deed(&change("private", "member")), Some(Deed::Unblocked));
        assert_eq!(deed(&change("private", "restricted")), None);
        assert_eq!(deed(&change("channel", "kicked")), None);
    }

    #[test]
    fn groups_are_ignored_but_for_their_move() {
        let group = json!({ "id": -5, "type": "group" });
        assert_eq!(deed(&message(&json!({ "chat": group, "text": "/start" }))), None);
        let moved =
            message(&json!({ "chat": group, "migrate_to_chat_id": -1_001_234_567_890_i64 }));
        let event = events(&moved).remove(0);
        assert_eq!(event.address, "-5");
        assert_eq!(event.deed, Deed::Moved { to: "-1001234567890".into() });
    }

    #[test]
    fn unknown_shapes_are_no_events() {
        let cases = [
            json!(null),
            json!([]),
            json!("x"),
            json!({}),
            json!({ "update_id": 7 }),
            json!({ "update_id": "7", "message": {} }),
            json!({ "update_id": 7, "poll_answer": { "poll_id": "1" } }),
            json!({ "update_id": 7, "message": "x" }),
            json!({ "update_id": 7, "message": { "chat": { "type": "private" }, "text": "x" } }),
            json!({ "update_id": 7, "message": { "chat": { "id": 4 }, "text": "x" } }),
            json!({ "update_id": 7, "callback_query": { "data": "x" } }),
            json!({ "update_id": 7, "my_chat_member": { "chat": { "id": 1, "type": "private" } } }),
            message(&json!({ "from": { "id": 1, "is_bot": true }, "text": "x" })),
            message(&json!({ "text": 5 })),
        ];
        for update in cases {
            assert!(events(&update).is_empty(), "{update}");
        }
    }
}
