//! What people do in their chats with a page, read from webhook bodies.
//!
//! Pure. A body brings many entries with many events; one of an unknown kind or shape is left out
//! and the others count. Threads that another app owns (`standby`) are left alone.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::channel::loose::{self, Whole, first_chars};
use crate::channel::messenger::market;
use crate::model::event::{Deed, Event};
use crate::model::lane::TOKEN_BYTES_MAX;
use crate::model::name::Name;
use crate::model::proof::hex;
use crate::model::signal::{Heard, Mark, Signal};
use crate::model::time::Timestamp;

/// The payload of the button that starts a chat.
pub const GET_STARTED: &str = "GET_STARTED";

/// Longest text or payload that is kept, in characters.
pub const TEXT_CHARS_MAX: usize = 4096;

/// Everything in a body that concerns us.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// In the order of the body.
    pub events: Vec<Event>,
    pub notices: Vec<Notice>,
    /// What became of messages of ours.
    pub signals: Vec<Signal>,
}

/// The service's word on a page as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub channel: Name,
    /// `warning`, `block` or `unblock`, or what else the service says.
    pub action: String,
    pub reason: Option<String>,
}

/// Reads a parsed webhook body.
///
/// An app has one address for all its pages: `channel_of` tells whose page it is by its id, and
/// `None` for a page that is not ours.
pub fn read(body: &Value, channel_of: impl Fn(&str) -> Option<Name>, now: Timestamp) -> Batch {
    let mut batch = Batch::default();
    // Results of paid messages are documented without an envelope.
    batch.signals.extend(of_paid(&channel_of, &body["field"], body, now));
    if body["object"] != "page" {
        return batch;
    }
    for entry in list(&body["entry"]) {
        let Some(page_id) = text_of(&entry["id"]) else { continue };
        let Some(channel) = channel_of(&page_id) else { continue };
        let entry_at = instant(&entry["time"]).unwrap_or(now);
        for item in list(&entry["messaging"]) {
            batch.notices.extend(notice(&channel, item));
            batch.events.extend(event(&channel, &page_id, item, entry_at));
            batch.signals.extend(signal(&channel, &page_id, item, entry_at));
            batch.signals.extend(of_paid(|_| Some(channel.clone()), &item["field"], item, now));
        }
        for change in list(&entry["changes"]) {
            let (field, value) = (&change["field"], &change["value"]);
            batch.signals.extend(of_paid(|_| Some(channel.clone()), field, value, now));
        }
    }
    batch
}

fn event(channel: &Name, page_id: &str, item: &Value, entry_at: Timestamp) -> Option<Event> {
    let address = text_of(&item["sender"]["id"]).filter(|id| id != page_id)?;
    let (kind, id, deed) = of_message(&item["message"])
        .or_else(|| of_postback(&item["postback"]))
        .or_else(|| of_referral(&item["referral"]))
        .or_else(|| of_reaction(&item["reaction"]))
        .or_else(|| of_optin(&item["optin"]))?;
    let at = instant(&item["timestamp"]).unwrap_or(entry_at);
    let id = id.unwrap_or_else(|| made_id(&address, kind, at));
    let channel = channel.clone();
    Some(Event { channel, id, at, address, language: None, first_name: None, deed })
}

/// What tells an event without an id from others: of the person, but it does not name them, for ids
/// are kept for longer than people may be.
fn made_id(address: &str, kind: &str, at: Timestamp) -> String {
    let hash = Sha256::digest(format!("{address}:{}:{kind}", at.as_millis()));
    hex(&hash[..16])
}

/// What kind it is, the service's id of it if it has one, and what was done.
type Told = (&'static str, Option<String>, Deed);

/// Echoes of what the page itself said come here too.
fn of_message(message: &Value) -> Option<Told> {
    if !message.is_object() || message["is_echo"] == true || message["is_deleted"] == true {
        return None;
    }
    let deed = match (text_of(&message["quick_reply"]["payload"]), message["text"].as_str()) {
        (Some(payload), _) => tapped(&payload),
        (None, Some(text)) => Deed::Said { text: first_chars(text.trim(), TEXT_CHARS_MAX) },
        (None, None) => Deed::SentMedia,
    };
    Some(("message", text_of(&message["mid"]), deed))
}

fn of_postback(postback: &Value) -> Option<Told> {
    let payload = postback["payload"].as_str()?;
    let deed = if payload == GET_STARTED {
        Deed::Started { payload: reference(&postback["referral"]) }
    } else {
        tapped(payload)
    };
    Some(("postback", text_of(&postback["mid"]), deed))
}

fn of_referral(referral: &Value) -> Option<Told> {
    let deed = referral.is_object().then(|| Deed::Referred { payload: reference(referral) })?;
    Some(("referral", None, deed))
}

/// Its `mid` is that of the message reacted to, so it does not tell reactions apart.
fn of_reaction(reaction: &Value) -> Option<Told> {
    (reaction["action"] == "react").then_some(("reaction", None, Deed::Reacted))
}

/// An opt-in to marketing messages, or its end. Others (a plugin's, a one-time one) are nothing.
fn of_optin(optin: &Value) -> Option<Told> {
    if optin["type"] != "notification_messages" {
        return None;
    }
    let token = optin["notification_messages_token"].as_str().unwrap_or_default();
    let status = optin["notification_messages_status"].as_str().unwrap_or_default();
    let deed = if status.to_uppercase().replace('_', " ") == "STOP NOTIFICATIONS" {
        Deed::OptedOut
    } else if token.is_empty() || token.len() > TOKEN_BYTES_MAX {
        return None;
    } else {
        let expires_at = market::instant(&optin["token_expiry_timestamp"]);
        Deed::OptedIn { token: token.to_owned(), expires_at }
    };
    Some(("optin", None, deed))
}

/// What is told of a message that the page sent: its echo, that it arrived, that it was seen.
fn signal(channel: &Name, page_id: &str, item: &Value, entry_at: Timestamp) -> Option<Signal> {
    let at = instant(&item["timestamp"]).unwrap_or(entry_at);
    let sender = text_of(&item["sender"]["id"])?;
    let message = &item["message"];
    let what = if message["is_echo"] == true {
        let mark = Mark::parse(message["metadata"].as_str()?)?;
        Heard::Echo { address: text_of(&item["recipient"]["id"])?, mark }
    } else if sender == page_id {
        return None;
    } else if item["delivery"].is_object() {
        let until = instant(&item["delivery"]["watermark"]).unwrap_or(at);
        Heard::Delivered { address: sender, until }
    } else if item["read"].is_object() {
        let until = instant(&item["read"]["watermark"]).unwrap_or(at);
        Heard::Read { address: sender, until }
    } else {
        return None;
    };
    Some(Signal { channel: channel.clone(), at, what })
}

/// What is told of a paid message.
fn of_paid(
    channel_of: impl Fn(&str) -> Option<Name>,
    field: &Value,
    told: &Value,
    now: Timestamp,
) -> Option<Signal> {
    let field = field.as_str()?.strip_prefix("marketing_message_")?;
    let channel = channel_of(&text_of(&told["page_id"]).unwrap_or_default())?;
    let at = market::instant(&told["timestamp"]).unwrap_or(now);
    let person = || text_of(&told["recipient_id"]);
    let token = || text_of(&told["messenger_subscription_token"]);
    let what = match field {
        "echoes" => Heard::PaidEcho { token: token()? },
        "deliveries" => Heard::Delivered { address: person()?, until: at },
        "reads" => Heard::Read { address: person()?, until: at },
        "delivery_failed" => {
            let why = told["error_message"].as_str().unwrap_or("it was not delivered");
            Heard::NotDelivered { token: token()?, why: loose::words(why) }
        }
        _ => return None,
    };
    Some(Signal { channel, at, what })
}

fn notice(channel: &Name, item: &Value) -> Option<Notice> {
    let told = &item["policy_enforcement"];
    let action = loose::words(told["action"].as_str()?);
    let reason = told["reason"].as_str().map(loose::words);
    Some(Notice { channel: channel.clone(), action, reason })
}

fn tapped(payload: &str) -> Deed {
    Deed::Tapped { payload: first_chars(payload, TEXT_CHARS_MAX), tap: None }
}

fn reference(referral: &Value) -> Option<String> {
    referral["ref"].as_str().filter(|r| !r.is_empty()).map(|r| first_chars(r, TEXT_CHARS_MAX))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A string that is not empty, or a whole number in its decimal form.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => (!text.is_empty()).then(|| first_chars(text, TEXT_CHARS_MAX)),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Milliseconds since 1970.
fn instant(value: &Value) -> Option<Timestamp> {
    Whole::of(value).0.filter(|millis| *millis > 0).map(Timestamp::from_millis)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_009_000);
    const AT: i64 = 1_790_000_000_123;

    fn page() -> Name {
        Name::parse("page").unwrap()
    }

    fn batch(body: &Value) -> Batch {
        read(body, |id| (id == "100").then(page), NOW)
    }

    fn body(items: &Value) -> Value {
        json!({ "object": "page", "entry": [{ "id": "100", "time": AT, "messaging": items }] })
    }

    /// One item of the person 7, told at `AT`.
    fn item(extra: &Value) -> Value {
        let mut item =
            json!({ "sender": { "id": "7" }, "recipient": { "id": "100" }, "timestamp": AT });
        for (key, value) in extra.as_object().unwrap() {
            item[key] = value.clone();
        }
        item
    }

    fn told(extra: &Value) -> Option<(String, Deed)> {
        let events = batch(&body(&json!([item(extra)]))).events;
        events.into_iter().next().map(|event| (event.id, event.deed))
    }

    #[test]
    fn a_message_becomes_an_event_with_its_own_time_and_id() {
        let items = json!([item(&json!({ "message": { "mid": "m_1", "text": " hi " } }))]);
        assert_eq!(
            batch(&body(&items)).events,
            [Event {
                channel: page(),
                id: "m_1".into(),
                at: Timestamp::from_millis(AT),
                address: "7".into(),
                language: None,
                first_name: None,
                deed: Deed::Said { text: "hi".into() },
            }]
        );
    }

    #[test]
    fn every_kind_of_event_has_its_deed() {
        let some = |text: &str| Some(text.to_owned());
        let tapped = |payload: &str| Deed::Tapped { payload: payload.to_owned(), tap: None };
        let by_time = |kind: &str| made_id("7", kind, Timestamp::from_millis(AT));
        let cases = [
            (
                json!({ "message": { "mid": "m", "text": "Yes",
                    "quick_reply": { "payload": "y" } } }),
                Some(("m".to_owned(), tapped("y"))),
            ),
            (
                json!({ "message": { "mid": "m", "attachments": [{ "type": "image" }] } }),
                Some(("m".to_owned(), Deed::SentMedia)),
            ),
            (
                json!({ "message": { "mid": "m", "text": "x", "attachments": [{}] } }),
                Some(("m".to_owned(), Deed::Said { text: "x".into() })),
            ),
            (json!({ "message": { "mid": "m", "text": "x", "is_echo": true } }), None),
            (json!({ "message": { "mid": "m", "is_deleted": true } }), None),
            (
                json!({ "message": { "text": "x" } }),
                Some((by_time("message"), Deed::Said { text: "x".into() })),
            ),
            (
                json!({ "postback": { "mid": "m", "title": "Stop", "payload": "stop" } }),
                Some(("m".to_owned(), tapped("stop"))),
            ),
            (
                json!({ "postback": { "payload": "GET_STARTED" } }),
                Some((by_time("postback"), Deed::Started { payload: None })),
            ),
            (
                json!({ "postback": { "payload": "GET_STARTED",
                    "referral": { "ref": "news", "source": "SHORTLINK" } } }),
                Some((by_time("postback"), Deed::Started { payload: some("news") })),
            ),
            (json!({ "postback": { "title": "elsewhere" } }), None),
            (
                json!({ "referral": { "ref": "news", "source": "SHORTLINK" } }),
                Some((by_time("referral"), Deed::Referred { payload: some("news") })),
            ),
            (
                json!({ "referral": { "source": "ADS", "ad_id": "5" } }),
                Some((by_time("referral"), Deed::Referred { payload: None })),
            ),
            (
                json!({ "reaction": { "mid": "m", "action": "react", "emoji": "❤" } }),
                Some((by_time("reaction"), Deed::Reacted)),
            ),
            (json!({ "reaction": { "mid": "m", "action": "unreact" } }), None),
            (json!({ "optin": { "type": "notification_messages" } }), None),
            (json!({ "delivery": { "watermark": AT } }), None),
            (json!({ "read": { "watermark": AT } }), None),
            (json!({ "pass_thread_control": { "new_owner_app_id": "1" } }), None),
            (json!({ "something": "new" }), None),
        ];
        for (extra, expected) in cases {
            assert_eq!(told(&extra), expected, "{extra}");
        }
    }

    #[test]
    fn every_entry_and_every_item_is_read() {
        let said = |mid: &str| item(&json!({ "message": { "mid": mid, "text": "x" } }));
        let body = json!({ "object": "page", "entry": [
            { "id": "100", "time": AT, "messaging": [said("a"), "odd", null, said("b")] },
            { "id": "100", "standby": [said("not ours")], "changes": [{}] },
            { "id": "999", "messaging": [said("another page")] },
            { "messaging": [said("no page")] },
            "odd",
            { "id": 100, "messaging": [said("c")] },
        ]});
        let ids: Vec<_> = batch(&body).events.into_iter().map(|event| event.id).collect();
        assert_eq!(ids, ["a", "b", "c"]);
    }

    #[test]
    fn numbers_may_come_as_strings_and_times_may_be_missing() {
        let at = |timestamp: Value| {
            let mut item = item(&json!({ "message": { "mid": "m", "text": "x" } }));
            item["timestamp"] = timestamp;
            batch(&body(&json!([item]))).events[0].at.as_millis()
        };
        assert_eq!(at(json!(5)), 5);
        assert_eq!(at(json!("1790000000999")), 1_790_000_000_999);
        assert_eq!(at(Value::Null), AT);
        assert_eq!(at(json!("soon")), AT);
        let mut number = item(&json!({ "message": { "mid": "m", "text": "x" } }));
        number["sender"]["id"] = json!(7);
        assert_eq!(batch(&body(&json!([number]))).events[0].address, "7");
    }

    #[test]
    fn what_the_page_itself_sent_is_no_event() {
        let mut own = item(&json!({ "message": { "mid": "m", "text": "x" } }));
        own["sender"]["id"] = json!("100");
        assert!(batch(&body(&json!([own]))).events.is_empty());
    }

    #[test]
    fn a_word_on_the_page_is_a_notice() {
        let item = json!({ "recipient": { "id": "100" }, "timestamp": AT,
            "policy_enforcement": { "action": "block", "reason": "spam\nspam" } });
        assert_eq!(
            batch(&body(&json!([item]))),
            Batch {
                events: vec![],
                notices: vec![Notice {
                    channel: page(),
                    action: "block".into(),
                    reason: Some("spam spam".into()),
                }],
                signals: vec![],
            }
        );
    }

    fn heard(items: &Value) -> Vec<Heard> {
        batch(&body(items)).signals.into_iter().map(|signal| signal.what).collect()
    }

    #[test]
    fn what_is_told_of_our_messages_is_a_signal() {
        let echo = |metadata: &str| {
            json!({ "sender": { "id": "100" }, "recipient": { "id": "7" }, "timestamp": AT,
                "message": { "mid": "m", "is_echo": true, "app_id": 1, "metadata": metadata } })
        };
        let ours = Mark { ticket: crate::model::post::Ticket(9), part: 0, of: 2 };
        let until = Timestamp::from_millis(AT - 5);
        let delivery = item(&json!({ "delivery": { "mids": ["m"], "watermark": AT - 5 } }));
        let read = item(&json!({ "read": { "watermark": (AT - 5).to_string() } }));
        assert_eq!(
            heard(&json!([echo("tidings:1:9:0:2"), echo("another app's"), delivery, read])),
            [
                Heard::Echo { address: "7".into(), mark: ours },
                Heard::Delivered { address: "7".into(), until },
                Heard::Read { address: "7".into(), until },
            ]
        );
        assert!(batch(&body(&json!([echo("tidings:1:9:0:2")]))).events.is_empty());
    }

    #[test]
    fn results_of_paid_messages_are_read_in_every_envelope() {
        let told = json!({ "field": "marketing_message_delivery_failed", "page_id": "100",
            "timestamp": AT, "messenger_subscription_token": "tok", "error_message": "no\nway" });
        let failed = Heard::NotDelivered { token: "tok".into(), why: "no way".into() };
        let all = |body: &Value| -> Vec<Heard> {
            batch(body).signals.into_iter().map(|signal| signal.what).collect()
        };
        let change = json!({ "object": "page", "entry": [{ "id": "100", "changes": [
            { "field": "marketing_message_delivery_failed", "value": told }] }] });
        assert_eq!(all(&told), std::slice::from_ref(&failed));
        assert_eq!(all(&change), std::slice::from_ref(&failed));
        assert_eq!(all(&body(&json!([told]))), [failed]);
        let seen = json!({ "field": "marketing_message_reads", "page_id": "100",
            "timestamp": 1_790_000_000, "recipient_id": "7" });
        let until = Timestamp::from_millis(1_790_000_000_000);
        assert_eq!(all(&seen), [Heard::Read { address: "7".into(), until }]);
        let other = json!({ "field": "marketing_message_reads", "page_id": "5" });
        assert!(all(&other).is_empty());
    }

    #[test]
    fn an_optin_is_an_event_that_opens_nothing() {
        let optin = |extra: Value| {
            let mut optin = json!({ "type": "notification_messages",
                "notification_messages_token": "tok", "token_expiry_timestamp": 1_900_000_000 });
            for (key, value) in extra.as_object().unwrap() {
                optin[key] = value.clone();
            }
            told(&json!({ "optin": optin })).map(|(_, deed)| deed)
        };
        let expires_at = Some(Timestamp::from_millis(1_900_000_000_000));
        let given = Deed::OptedIn { token: "tok".into(), expires_at };
        assert_eq!(optin(json!({})), Some(given.clone()));
        let status = |word: &str| optin(json!({ "notification_messages_status": word }));
        assert_eq!(status("RESUME NOTIFICATIONS"), Some(given));
        assert_eq!(status("STOP_NOTIFICATIONS"), Some(Deed::OptedOut));
        assert_eq!(optin(json!({ "type": "one_time_notif_req" })), None);
        assert_eq!(optin(json!({ "notification_messages_token": "" })), None);
    }

    #[test]
    fn unknown_shapes_are_nothing() {
        for body in [
            json!(null),
            json!([]),
            json!({ "object": "instagram", "entry": [{ "id": "100" }] }),
            json!({ "object": "page" }),
            json!({ "object": "page", "entry": {} }),
            json!({ "object": "page", "entry": [{ "id": "100", "messaging": {} }] }),
        ] {
            assert_eq!(batch(&body), Batch::default(), "{body}");
        }
    }
}
