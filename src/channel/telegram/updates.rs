//! What people do in their chats with a bot, read from the Bot API's updates.
//!
//! Pure. An update of an unknown kind or shape is no event and no error: the next one goes on.
//! Of groups only commands and taps are read, their new ids, and whether the bot is there; of
//! channels, whether it is there.

use serde_json::Value;

use crate::channel::loose::{self, Whole, first_chars};
use crate::model::chat::ChatKind;
use crate::model::control::{DROP_PAYLOAD, RELEASE_PAYLOAD};
use crate::model::event::{Asker, Deed, Event, Tap};
use crate::model::name::Name;
use crate::model::time::Timestamp;

/// Longest text that is kept, in characters; the service's own limit.
pub const TEXT_CHARS_MAX: usize = 4096;

/// Longest name of a bot that is looked at, in characters; the service's own limit is 32.
const NAME_CHARS_MAX: usize = 64;

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
        .or_else(|| of_edit(&update["edited_message"], now))
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
    let text = message["text"].as_str();
    let (deed, first_name) = if is_private(chat) {
        if from["is_bot"] == true {
            return None;
        }
        let shown = || MEDIA.iter().any(|kind| !message[*kind].is_null());
        let said = text.map(deed_of_text);
        let deed = said.or_else(|| shown().then_some(Deed::SentMedia))?;
        (deed, loose::first_name(&from["first_name"]))
    } else if let Some(to) = Whole::of(&message["migrate_to_chat_id"]).0 {
        (Deed::Moved { to: to.to_string() }, None)
    } else {
        (command_in(message, text?)?, None)
    };
    let (at, language) = (instant(&message["date"], now), language(from));
    Some(Seen { at, address: address(chat)?, language, first_name, deed })
}

/// A text that a person wrote anew in their own chat, at the instant of the change.
fn of_edit(message: &Value, now: Timestamp) -> Option<Seen> {
    let (chat, from) = (&message["chat"], &message["from"]);
    if !is_private(chat) || from["is_bot"] == true {
        return None;
    }
    let deed = Deed::Edited { text: first_chars(message["text"].as_str()?.trim(), TEXT_CHARS_MAX) };
    let (at, first_name) =
        (instant(&message["edit_date"], now), loose::first_name(&from["first_name"]));
    Some(Seen { at, address: address(chat)?, language: language(from), first_name, deed })
}

/// A command in a group; everything else there is said among people.
fn command_in(message: &Value, text: &str) -> Option<Deed> {
    let (chat, from) = (&message["chat"], &message["from"]);
    let text = text.trim();
    if !is_group(chat) || !text.starts_with('/') {
        return None;
    }
    let by = match &message["sender_chat"] {
        Value::Null if from["is_bot"] == true => return None,
        Value::Null => Asker::Person(from["id"].as_i64()?),
        sender if sender["id"] == chat["id"] => Asker::Chat,
        // Another channel, in whose name somebody speaks here.
        _ => return None,
    };
    let command = text.split(char::is_whitespace).next().unwrap_or(text);
    let to = command.split_once('@').map(|(_, name)| first_chars(name, NAME_CHARS_MAX));
    Some(Deed::InGroup { by, to, deed: Box::new(deed_of_text(text)) })
}

/// A tap has no time of its own; the time of its message is when that was sent. It is taken for now,
/// in whole seconds as all other times of the service: what is written right after it is not older.
fn of_tap(query: &Value, now: Timestamp) -> Option<Seen> {
    let now = Timestamp::from_millis(now.as_millis().div_euclid(1_000) * 1_000);
    let chat = &query["message"]["chat"];
    let from = &query["from"];
    let payload = first_chars(query["data"].as_str()?, TEXT_CHARS_MAX);
    let is_review = payload.starts_with(RELEASE_PAYLOAD) || payload.starts_with(DROP_PAYLOAD);
    // One that is not there any more, or is too old to be told, has no date.
    let has_date = Whole::of(&query["message"]["date"]).0.is_some_and(|date| date > 0);
    let message = query["message"]["message_id"].as_i64().filter(|_| has_date);
    let tap = query["id"].as_str().map(|id| Tap { id: id.to_owned(), message, toast: None });
    let deed = Deed::Tapped { payload, tap };
    if !chat.is_null() && !is_private(chat) {
        let address = address(chat)?;
        if is_review {
            // Anybody in a chat of reviewers may decide.
            return Some(Seen { at: now, address, language: None, first_name: None, deed });
        }
        if !is_group(chat) {
            return None;
        }
        let by = Asker::Person(from["id"].as_i64()?);
        let deed = Deed::InGroup { by, to: None, deed: Box::new(deed) };
        return Some(Seen { at: now, address, language: language(from), first_name: None, deed });
    }
    let first_name = loose::first_name(&from["first_name"]);
    Some(Seen { at: now, address: address(from)?, language: language(from), first_name, deed })
}

fn of_membership(change: &Value, now: Timestamp) -> Option<Seen> {
    let (chat, from, us) = (&change["chat"], &change["from"], &change["new_chat_member"]);
    let status = us["status"].as_str()?;
    let at = instant(&change["date"], now);
    let deed = match (is_private(chat), status) {
        (true, "kicked") => Deed::Blocked,
        (true, "member") => Deed::Unblocked,
        (true, _) => return None,
        (false, "left" | "kicked") => Deed::Blocked,
        (false, _) => {
            let kind = if is_group(chat) { ChatKind::Group } else { ChatKind::Channel };
            let may_post = match (kind, status) {
                (ChatKind::Channel, "creator") => true,
                (ChatKind::Channel, _) => us["can_post_messages"] == true,
                (ChatKind::Group, "restricted") => us["can_send_messages"] == true,
                (ChatKind::Group, _) => true,
            };
            Deed::Present { kind, title: loose::first_name(&chat["title"]), may_post }
        }
    };
    let address = address(chat)?;
    if !is_private(chat) {
        return Some(Seen { at, address, language: None, first_name: None, deed });
    }
    let first_name = loose::first_name(&from["first_name"]);
    Some(Seen { at, address, language: language(from), first_name, deed })
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

fn is_group(chat: &Value) -> bool {
    chat["type"] == "group" || chat["type"] == "supergroup"
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
    fn a_changed_message_is_one_of_its_own_in_a_persons_own_chat() {
        let edited = |chat: Value| {
            let mut update = message(&json!({ "text": " stop", "edit_date": 1_790_000_060 }));
            update["edited_message"] = update["message"].take();
            update["edited_message"]["chat"] = chat;
            events(&update)
        };
        let [event] = &edited(json!({ "id": 42, "type": "private" }))[..] else { panic!("one") };
        assert_eq!(event.deed, Deed::Edited { text: "stop".into() });
        assert_eq!(event.at, Timestamp::from_millis(1_790_000_060_000));
        assert_eq!(edited(json!({ "id": -4, "type": "group" })), []);
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
        let second = Timestamp::from_millis(1_790_000_000_000);
        assert_eq!((event.address.as_str(), event.at), ("42", second));
        let tap_id = Some(Tap::from("4382bfdwdsb323b2d9"));
        assert_eq!(event.deed, Deed::Tapped { payload: "stop".into(), tap: tap_id });

        let in_group = tap(json!({ "id": -5, "type": "group" }));
        let event = events(&in_group).remove(0);
        assert_eq!(event.address, "-5");
        let Deed::InGroup { by: Asker::Person(42), to: None, deed } = event.deed else {
            panic!("{:?}", event.deed)
        };
        assert!(matches!(*deed, Deed::Tapped { .. }));
        assert!(events(&tap(json!({ "id": -5, "type": "channel" }))).is_empty());
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
    }

    #[test]
    fn whether_the_bot_is_in_a_group_or_channel_and_may_write_there_is_heard() {
        let change = |kind: &str, status: &str, rights: &Value| {
            let mut us = json!({ "status": status });
            us.as_object_mut().unwrap().extend(rights.as_object().unwrap().clone());
            json!({ "update_id": 9, "my_chat_member": {
                "chat": { "id": -42, "type": kind, "title": "Harbour" }, "from": { "id": 42 },
                "date": 1_790_000_001, "new_chat_member": us,
            }})
        };
        let none = json!({});
        let (group, channel) = (ChatKind::Group, ChatKind::Channel);
        for (kind, status, rights, expected) in [
            ("group", "member", &none, Some((group, true))),
            ("supergroup", "administrator", &none, Some((group, true))),
            (
                "supergroup",
                "restricted",
                &json!({ "can_send_messages": true }),
                Some((group, true)),
            ),
            ("supergroup", "restricted", &none, Some((group, false))),
            (
                "channel",
                "administrator",
                &json!({ "can_post_messages": true }),
                Some((channel, true)),
            ),
            ("channel", "administrator", &none, Some((channel, false))),
            ("channel", "left", &none, None),
            ("group", "kicked", &none, None),
        ] {
            let expected = expected.map_or(Deed::Blocked, |(kind, may_post)| Deed::Present {
                kind,
                title: Some("Harbour".into()),
                may_post,
            });
            assert_eq!(deed(&change(kind, status, rights)), Some(expected), "{kind} {status}");
        }
        assert_eq!(events(&change("group", "left", &none))[0].address, "-42");
    }

    #[test]
    fn of_a_group_commands_are_heard_and_its_move() {
        let group = json!({ "id": -5, "type": "group" });
        let said = |text: &str| deed(&message(&json!({ "chat": group, "text": text })));
        for talk in ["hello", "stop", "@news_bot stop", ""] {
            assert_eq!(said(talk), None, "{talk:?}");
        }
        let command = |by, to: Option<&str>, deed| {
            Some(Deed::InGroup { by, to: to.map(str::to_owned), deed: Box::new(deed) })
        };
        let ana = Asker::Person(42);
        let stop = Deed::Said { text: "/stop".into() };
        assert_eq!(said("/stop"), command(ana, None, stop.clone()));
        let started = Deed::Started { payload: Some("news".into()) };
        assert_eq!(said("/start@news_bot news"), command(ana, Some("news_bot"), started));

        let as_whom = |from: Value, sender: Value| {
            let extra =
                json!({ "chat": group, "from": from, "sender_chat": sender, "text": "/stop" });
            deed(&message(&extra))
        };
        let nameless = json!({ "id": 1_087_968_824, "is_bot": true });
        assert_eq!(as_whom(nameless.clone(), group.clone()), command(Asker::Chat, None, stop));
        assert_eq!(as_whom(nameless.clone(), json!({ "id": -7, "type": "channel" })), None);
        assert_eq!(as_whom(nameless, Value::Null), None);
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
