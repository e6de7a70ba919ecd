//! People with a phone: what they do in the page's chat, and what they got.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde::Serialize;
use serde_json::{Value, json};

use crate::model::time::Timestamp;
use crate::sandbox::messenger::{Echoes, Inner, WINDOW};

/// Most messages that a person keeps.
const HISTORY_MAX: usize = 500;
/// What people are called who chose no name.
pub(super) const READER: &str = "Reader";
/// The payload of the Get Started button while the profile sets none.
const GET_STARTED: &str = "GET_STARTED";

/// A message as it arrived on a phone.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Received {
    pub message_id: String,
    pub at: Timestamp,
    /// `message` of the send request: text, attachment, quick replies.
    pub message: Value,
    /// Where the files that it brings can be looked at, in their order.
    pub media: Vec<String>,
    /// It made no sound.
    pub is_silent: bool,
}

impl Received {
    /// The text of a plain message or a button template.
    pub fn text(&self) -> Option<&str> {
        let template = || self.message["attachment"]["payload"]["text"].as_str();
        self.message["text"].as_str().or_else(template)
    }

    /// The payload of the postback button or quick reply with that title, on any card.
    pub fn button(&self, title: &str) -> Option<&str> {
        self.taps().find(|tap| tap["title"] == title)?["payload"].as_str()
    }

    /// Everything that can be tapped and comes back.
    fn taps(&self) -> impl Iterator<Item = &Value> {
        let payload = &self.message["attachment"]["payload"];
        let own = payload["buttons"].as_array().into_iter().flatten();
        let cards = payload["elements"].as_array().into_iter().flatten();
        let on_cards = cards.flat_map(|card| card["buttons"].as_array().into_iter().flatten());
        let cards = payload["elements"].as_array().into_iter().flatten();
        let images = cards.flat_map(|card| card["images"].as_array().into_iter().flatten());
        let on_images = images.filter_map(|image| image.get("action"));
        let replies = self.message["quick_replies"].as_array().into_iter().flatten();
        let all = own.chain(on_cards).chain(on_images).chain(replies);
        all.filter(|tap| tap["payload"].is_string())
    }
}

/// One line of a chat.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "from", rename_all = "lowercase")]
pub enum Entry {
    Page(Received),
    Person { message_id: String, at: Timestamp, text: String },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Standing {
    #[default]
    Reachable,
    /// Blocked the page, deleted the account, left Messenger: the service doesn't say which.
    Unavailable,
}

/// What the service knows of a person.
#[derive(Debug, Default)]
pub(super) struct Human {
    pub standing: Standing,
    /// `None`: never wrote.
    pub window_until: Option<Timestamp>,
    /// Empty: [`READER`].
    pub first_name: String,
    /// Of their phone, such as `ro_RO`; empty: none that anybody greets in.
    pub locale: String,
    /// Only of people who are looked into.
    history: Option<VecDeque<Entry>>,
}

impl Human {
    /// Somebody who wrote just now and is not looked into.
    pub(super) fn in_contact(at: Timestamp) -> Self {
        Self { window_until: Some(at + WINDOW), ..Self::default() }
    }

    /// When the person was last in contact, as far as the window says.
    pub(super) fn contact_at(&self) -> Option<Timestamp> {
        self.window_until.map(|until| until - WINDOW)
    }

    /// What the person calls themselves.
    pub(super) fn called(&self) -> &str {
        if self.first_name.is_empty() { READER } else { &self.first_name }
    }

    pub(super) fn receive(&mut self, message: Received) {
        self.note(Entry::Page(message));
    }

    fn note(&mut self, entry: Entry) {
        let Some(history) = &mut self.history else { return };
        if history.len() >= HISTORY_MAX {
            history.pop_front();
        }
        history.push_back(entry);
    }
}

/// A person's phone. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Person {
    inner: Arc<Inner>,
    psid: String,
}

impl Person {
    pub(super) fn new(inner: Arc<Inner>, psid: &str) -> Self {
        Self { inner, psid: psid.to_owned() }
    }

    pub(super) fn inner(&self) -> &Inner {
        &self.inner
    }

    pub fn psid(&self) -> &str {
        &self.psid
    }

    /// Calls themselves so from now on.
    pub fn is_called(&self, first_name: &str) {
        if let Some(human) = self.inner.lock().people.get_mut(&self.psid) {
            first_name.clone_into(&mut human.first_name);
        }
        self.inner.ledger.changed();
    }

    /// What the person calls themselves.
    pub fn first_name(&self) -> String {
        self.inner.lock().people.get(&self.psid).map_or(READER, Human::called).to_owned()
    }

    /// Taps Get Started in an empty chat, by a link with `ref` or without.
    pub fn starts(&self, referral: Option<&str>) {
        let payload = {
            let state = self.inner.lock();
            let set = state.profile.get("get_started").and_then(|start| start["payload"].as_str());
            set.unwrap_or(GET_STARTED).to_owned()
        };
        let mid = self.inner.next_mid();
        let mut postback = json!({ "mid": mid, "title": "Get Started", "payload": payload });
        if let Some(referral) = referral {
            postback["referral"] = self.referral(referral);
        }
        self.contacts(&mid, Some("Get Started"), "postback", &postback);
    }

    /// Follows a link with `ref` into the standing chat.
    pub fn returns(&self, referral: &str) {
        let mid = self.inner.next_mid();
        self.contacts(&mid, None, "referral", &self.referral(referral));
    }

    pub fn says(&self, text: &str) {
        let mid = self.inner.next_mid();
        let message = json!({ "mid": mid, "text": text });
        self.contacts(&mid, Some(text), "message", &message);
    }

    /// Sends something without text: a picture.
    pub fn sends_picture(&self) {
        let mid = self.inner.next_mid();
        let picture = json!({
            "type": "image",
            "payload": { "url": "https://sandbox.example/picture.jpg" },
        });
        let message = json!({ "mid": mid, "attachments": [picture] });
        self.contacts(&mid, Some("🖼"), "message", &message);
    }

    /// Taps what has that payload in any message that arrived: a postback button or a quick reply;
    /// or in the menu, or among the questions of an empty chat. `false` when there is no such
    /// thing.
    pub fn taps(&self, payload: &str) -> bool {
        let inbox = self.inbox();
        let mut taps = inbox.iter().rev().flat_map(Received::taps);
        let Some(tap) = taps.find(|tap| tap["payload"] == payload) else {
            return self.taps_offered(payload);
        };
        let mid = self.inner.next_mid();
        let title = tap["title"].as_str().unwrap_or_default();
        if tap["content_type"] == "text" {
            let message = json!({
                "mid": mid, "text": title, "quick_reply": { "payload": payload },
            });
            self.contacts(&mid, Some(title), "message", &message);
        } else {
            let postback = json!({ "mid": mid, "title": title, "payload": payload });
            let shown = Some(title).filter(|title| !title.is_empty());
            self.contacts(&mid, shown, "postback", &postback);
        }
        true
    }

    fn taps_offered(&self, payload: &str) -> bool {
        let Some(title) = self.offered(payload) else { return false };
        let mid = self.inner.next_mid();
        let postback = json!({ "mid": mid, "title": title, "payload": payload });
        self.contacts(&mid, Some(&title), "postback", &postback);
        true
    }

    /// Reads the service in that locale from now on.
    pub fn speaks(&self, locale: &str) {
        if let Some(human) = self.inner.lock().people.get_mut(&self.psid) {
            locale.clone_into(&mut human.locale);
        }
    }

    pub(super) fn locale(&self) -> String {
        let state = self.inner.lock();
        state.people.get(&self.psid).map(|human| human.locale.clone()).unwrap_or_default()
    }

    /// Reacts to a message with a heart.
    pub fn reacts(&self, message_id: &str) {
        let reaction = json!({
            "mid": message_id, "action": "react", "reaction": "love", "emoji": "❤️",
        });
        self.contacts(message_id, None, "reaction", &reaction);
    }

    /// Looks at the chat: everything that has arrived is read.
    pub fn reads(&self) {
        let at = self.inner.now();
        let event = json!({
            "sender": { "id": self.psid },
            "recipient": { "id": self.inner.rules.page_id },
            "timestamp": at.as_millis(),
            "read": { "watermark": at.as_millis() },
        });
        self.inner.tell(&self.psid, &event, at);
    }

    /// Blocks the page, which is not told.
    pub fn blocks(&self) {
        self.turns(Standing::Unavailable);
    }

    pub fn unblocks(&self) {
        self.turns(Standing::Reachable);
    }

    /// Whether the page can't reach the person for now.
    pub fn is_unavailable(&self) -> bool {
        let state = self.inner.lock();
        let human = state.people.get(&self.psid);
        human.is_some_and(|human| human.standing == Standing::Unavailable)
    }

    /// The window closes at this instant; `None`: the person never wrote.
    pub fn window_until(&self) -> Option<Timestamp> {
        self.inner.lock().people.get(&self.psid)?.window_until
    }

    /// Whether the person may be written to now.
    pub fn has_open_window(&self) -> bool {
        let now = self.inner.now();
        self.window_until().is_some_and(|until| now < until)
    }

    /// The messages that arrived, oldest first.
    pub fn inbox(&self) -> Vec<Received> {
        let received = |entry| match entry {
            Entry::Page(message) => Some(message),
            Entry::Person { .. } => None,
        };
        self.history().into_iter().filter_map(received).collect()
    }

    /// Both sides of the chat, oldest first.
    pub fn history(&self) -> Vec<Entry> {
        let state = self.inner.lock();
        let history = state.people.get(&self.psid).and_then(|human| human.history.as_ref());
        history.map(|history| history.iter().cloned().collect()).unwrap_or_default()
    }

    /// Waits until that many messages arrived in all, and answers them. Wrap it in a time-out.
    pub async fn wait_inbox(&self, count: usize) -> Vec<Received> {
        self.inner.ledger.wait_until(|_| self.inbox().len() >= count).await;
        self.inbox()
    }

    fn referral(&self, referral: &str) -> Value {
        json!({ "ref": referral, "source": "SHORTLINK", "type": "OPEN_THREAD" })
    }

    fn turns(&self, standing: Standing) {
        if let Some(human) = self.inner.lock().people.get_mut(&self.psid) {
            human.standing = standing;
        }
        self.inner.ledger.changed();
    }

    /// The person does something: their window opens, and the webhook is told.
    fn contacts(&self, mid: &str, shown: Option<&str>, kind: &str, content: &Value) {
        let at = self.inner.now();
        if let Some(human) = self.inner.lock().people.get_mut(&self.psid) {
            human.standing = Standing::Reachable;
            human.window_until = Some(at + WINDOW);
            if let Some(text) = shown {
                human.note(Entry::Person { message_id: mid.to_owned(), at, text: text.to_owned() });
            }
        }
        let event = json!({
            "sender": { "id": self.psid },
            "recipient": { "id": self.inner.rules.page_id },
            "timestamp": at.as_millis(),
            kind: content,
        });
        self.inner.tell(&self.psid, &event, at);
        self.inner.ledger.changed();
    }
}

impl Inner {
    /// Makes sure that a person is known and looked into.
    pub(super) fn meet(&self, psid: &str) {
        let mut state = self.lock();
        let human = state.people.entry(psid.to_owned()).or_default();
        human.history.get_or_insert_default();
    }

    /// Has the webhook told what the service thinks of the page's conduct.
    pub(super) fn tell_policy(&self, action: &str, reason: &str) {
        let at = self.now();
        let item = json!({
            "recipient": { "id": self.rules.page_id },
            "timestamp": at.as_millis(),
            "policy_enforcement": { "action": action, "reason": reason },
        });
        let entry = json!({
            "id": self.rules.page_id, "time": at.as_millis(), "messaging": [item],
        });
        let body = json!({ "object": "page", "entry": [entry] }).to_string();
        self.outbox.push(self.next_event(), self.rules.page_id.clone(), body);
    }

    /// Posts an event to the webhook, signed, in the envelope of the service.
    pub(super) fn tell(&self, psid: &str, event: &Value, at: Timestamp) {
        let body = json!({ "object": "page", "entry": [{
            "id": self.rules.page_id, "time": at.as_millis(), "messaging": [event],
        }]});
        self.post(psid, &body);
    }

    /// Posts a body to the webhook as it is.
    pub(super) fn post(&self, psid: &str, body: &Value) {
        let body = escape_non_ascii(&body.to_string());
        let times = if self.is_doubled.load(Ordering::Relaxed) { 2 } else { 1 };
        for _ in 0..times {
            self.outbox.push(self.next_event(), psid.to_owned(), body.clone());
        }
    }

    /// Tells that a message arrived.
    pub(super) fn deliver_receipt(&self, psid: &str, mid: &str, at: Timestamp) {
        let event = json!({
            "sender": { "id": psid },
            "recipient": { "id": self.rules.page_id },
            "timestamp": at.as_millis(),
            "delivery": { "mids": [mid], "watermark": at.as_millis() },
        });
        self.tell(psid, &event, at);
    }

    pub(super) fn echo(&self, psid: &str, mid: &str, message: &Value, at: Timestamp) {
        let usual = if self.rules.echoes { Echoes::On } else { Echoes::Off };
        let echoes = self.lock().echoes.unwrap_or(usual);
        if echoes == Echoes::Off {
            return;
        }
        let mut echo = json!({ "mid": mid, "is_echo": true, "app_id": 1 });
        for field in ["text", "metadata"] {
            if let Some(value) = message.get(field) {
                echo[field] = value.clone();
            }
        }
        let event = json!({
            "sender": { "id": self.rules.page_id },
            "recipient": { "id": psid },
            "timestamp": at.as_millis(),
            "message": echo,
        });
        if echoes == Echoes::Held {
            self.lock().held_echoes.push((psid.to_owned(), event, at));
            return;
        }
        self.tell(psid, &event, at);
    }
}

/// Writes all but ASCII as `\uXXXX`, as the service does before it signs a body.
fn escape_non_ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii() {
            out.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_json_is_ascii_and_means_the_same() {
        let json = json!({ "text": "Știri: 🎈 „azi”" }).to_string();
        let escaped = escape_non_ascii(&json);
        assert!(escaped.is_ascii(), "{escaped}");
        assert!(escaped.contains("\\u0218tiri"), "{escaped}");
        let same: Value = serde_json::from_str(&escaped).unwrap();
        assert_eq!(same, serde_json::from_str::<Value>(&json).unwrap());
    }
}
