//! People with a phone: what they do in the bot's chat, and what they got.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};

use crate::model::time::Timestamp;
use crate::sandbox::telegram::files::FileKind;
use crate::sandbox::telegram::sending::{Content, Kept, json_chat};
use crate::sandbox::telegram::{Chat, Inner, Kind, Standing};

/// Most messages that a person keeps.
const HISTORY_MAX: usize = 500;
/// What people are called who chose no name.
const READER: &str = "Reader";
/// Most taps whose answer is remembered.
const TAPS_MAX: usize = 10_000;

/// A message as it arrived on a phone.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Received {
    pub message_id: i64,
    pub at: Timestamp,
    /// The text, or the caption of the file.
    pub text: String,
    /// As the Bot API has them; offsets are UTF-16 units.
    pub entities: Vec<Value>,
    /// The picture's address.
    pub photo: Option<String>,
    /// The file, of whatever kind.
    pub media: Option<Shown>,
    /// What all items of one album have in common.
    pub album: Option<String>,
    /// The HTML of a rich message.
    pub rich: Option<String>,
    /// As the Bot API has it.
    pub preview: Option<Value>,
    /// The rows of the inline keyboard.
    pub keyboard: Vec<Vec<Value>>,
    pub is_silent: bool,
    pub is_protected: bool,
    pub edited_at: Option<Timestamp>,
    /// Nobody sees it any more; only the sandbox shows that it was there.
    pub is_deleted: bool,
}

/// A file as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shown {
    pub kind: FileKind,
    pub file_id: String,
    /// Where it stands; of an upload, where the stand-in serves it.
    pub address: String,
    /// Of an upload, as its sender calls it.
    pub name: Option<String>,
    pub title: Option<String>,
    pub performer: Option<String>,
    pub seconds: Option<i64>,
}

impl Received {
    pub(super) fn new(message_id: i64, message: &Kept) -> Self {
        let Content { text, entities, media, rich, preview, keyboard } = &message.content;
        let rows = keyboard.as_ref().and_then(|markup| markup.get("inline_keyboard"));
        let media = media.as_ref().map(|medium| Shown {
            kind: medium.file.kind,
            file_id: medium.file.id.clone(),
            address: medium.file.address.clone(),
            name: medium.file.name.clone(),
            title: medium.title.clone(),
            performer: medium.performer.clone(),
            seconds: medium.seconds,
        });
        let photo = media.as_ref().filter(|it| it.kind == FileKind::Photo);
        Self {
            message_id,
            at: message.at,
            text: text.clone(),
            entities: entities.clone(),
            photo: photo.map(|photo| photo.address.clone()),
            media,
            album: message.manner.album.clone(),
            rich: rich.as_ref().and_then(|rich| Some(rich.get("html")?.as_str()?.to_owned())),
            preview: preview.clone(),
            keyboard: rows
                .and_then(|rows| serde_json::from_value(rows.clone()).ok())
                .unwrap_or_default(),
            is_silent: message.manner.is_silent,
            is_protected: message.manner.is_protected,
            edited_at: message.edited_at,
            is_deleted: false,
        }
    }

    /// The payload of the button with that label.
    pub fn button(&self, label: &str) -> Option<&str> {
        let mut buttons = self.keyboard.iter().flatten();
        buttons.find(|button| button["text"] == label)?["callback_data"].as_str()
    }
}

/// One line of a chat.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "from", rename_all = "lowercase")]
#[expect(clippy::large_enum_variant, reason = "most are the larger one")]
pub enum Entry {
    Bot(Received),
    Person { message_id: i64, at: Timestamp, text: String },
}

/// What is kept of a person.
#[derive(Debug, Default)]
pub(super) struct Life {
    language: String,
    first_name: String,
    history: VecDeque<Entry>,
}

impl Chat {
    /// What the person calls themselves.
    pub(super) fn called(&self) -> &str {
        let life = self.person.as_ref().filter(|life| !life.first_name.is_empty());
        life.map_or(READER, |life| &life.first_name)
    }
}

impl Life {
    pub(super) fn receive(&mut self, message: Received) {
        self.note(Entry::Bot(message));
    }

    /// A message is now another.
    pub(super) fn change(&mut self, message_id: i64, message: &Kept) {
        if let Some(shown) = self.find(message_id) {
            *shown = Received::new(message_id, message);
        }
    }

    /// A message was deleted.
    pub(super) fn lose(&mut self, message_id: i64) {
        if let Some(shown) = self.find(message_id) {
            shown.is_deleted = true;
        }
    }

    fn find(&mut self, message_id: i64) -> Option<&mut Received> {
        self.history.iter_mut().find_map(|entry| match entry {
            Entry::Bot(message) if message.message_id == message_id => Some(message),
            _ => None,
        })
    }

    /// Their newest message now says something else; answers its number and its instant.
    fn rewrite(&mut self, new: &str) -> Option<(i64, Timestamp)> {
        self.history.iter_mut().rev().find_map(|entry| match entry {
            Entry::Person { message_id, at, text } => {
                new.clone_into(text);
                Some((*message_id, *at))
            }
            Entry::Bot(_) => None,
        })
    }

    fn note(&mut self, entry: Entry) {
        if self.history.len() >= HISTORY_MAX {
            self.history.pop_front();
        }
        self.history.push_back(entry);
    }
}

/// A person's phone. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Person {
    pub(super) inner: Arc<Inner>,
    id: i64,
}

impl Person {
    pub(super) fn new(inner: Arc<Inner>, id: i64) -> Self {
        Self { inner, id }
    }

    pub fn id(&self) -> i64 {
        self.id
    }

    /// Of their phone.
    pub(super) fn language(&self) -> String {
        let state = self.inner.lock();
        let life = state.chats.get(&self.id).and_then(|chat| chat.person.as_ref());
        let language = life.map_or("en", |life| life.language.as_str());
        language.split('-').next().unwrap_or(language).to_owned()
    }

    /// Calls themselves so from now on.
    pub fn is_called(&self, first_name: &str) {
        let mut state = self.inner.lock();
        if let Some(life) = state.chats.get_mut(&self.id).and_then(|chat| chat.person.as_mut()) {
            first_name.clone_into(&mut life.first_name);
        }
        drop(state);
        self.inner.ledger.changed();
    }

    /// What the person calls themselves.
    pub fn first_name(&self) -> String {
        self.inner.lock().chats.get(&self.id).map_or(READER, Chat::called).to_owned()
    }

    /// Presses Start, by a link with a payload or without. Lifts a block.
    pub fn starts(&self, payload: Option<&str>) {
        self.unblocks();
        match payload {
            Some(payload) => self.writes(&format!("/start {payload}")),
            None => self.writes("/start"),
        }
    }

    /// Writes a text. Who has not started the bot can't write: they start it first.
    pub fn says(&self, text: &str) {
        let standing = self.standing();
        if standing == Standing::Blocked {
            self.unblocks();
        } else if standing == Standing::NeverStarted && !text.starts_with("/start") {
            self.starts(None);
        }
        self.writes(text);
    }

    /// Changes the newest message of their own.
    pub fn edits(&self, text: &str) {
        let now = self.inner.rules.clock.now();
        let message = {
            let mut guard = self.inner.lock();
            let state = &mut *guard;
            let Some(chat) = state.chats.get_mut(&self.id) else { return };
            let own = chat.person.as_mut().and_then(|life| life.rewrite(text));
            let Some((message_id, at)) = own else { return };
            json!({
                "message_id": message_id,
                "from": self.user(chat),
                "chat": json_chat(self.id, chat),
                "date": at.as_millis() / 1000,
                "edit_date": now.as_millis() / 1000,
                "text": text,
            })
        };
        self.inner.tell("edited_message", self.id, &message);
        self.inner.ledger.changed();
    }

    /// Sends something without text: a sticker.
    pub fn sends_sticker(&self) {
        let sticker = json!({ "file_id": "sandbox-sticker", "emoji": "👋", "type": "regular" });
        self.posts("👋", &[("sticker", sticker)]);
    }

    /// Taps the button with that payload below a message. Answers the tap's id; `None` when the
    /// message has no such button.
    pub fn taps(&self, message_id: i64, data: &str) -> Option<String> {
        let message = self.inbox().into_iter().find(|one| one.message_id == message_id)?;
        let mut buttons = message.keyboard.iter().flatten();
        buttons.find(|button| button["callback_data"] == data)?;
        let tap = format!("{}{:06}", self.id, self.inner.next_update());
        let (from, chat) = {
            let mut state = self.inner.lock();
            if state.taps.len() >= TAPS_MAX {
                state.taps.clear();
            }
            state.taps.insert(tap.clone(), None);
            let chat = state.chats.get(&self.id)?;
            (self.user(chat), json_chat(self.id, chat))
        };
        let query = json!({
            "id": tap,
            "from": from,
            "message": {
                "message_id": message_id,
                "from": self.inner.bot(),
                "chat": chat,
                "date": message.at.as_millis() / 1000,
                "text": message.text,
            },
            "chat_instance": self.id.to_string(),
            "data": data,
        });
        self.inner.tell("callback_query", self.id, &query);
        Some(tap)
    }

    /// Blocks the bot, which is told so.
    pub fn blocks(&self) {
        self.turns(Standing::Blocked, ("member", "kicked"));
    }

    /// Lifts the block; does nothing when there is none.
    pub fn unblocks(&self) {
        if self.standing() == Standing::Blocked {
            self.turns(Standing::Open, ("kicked", "member"));
        }
    }

    /// Deletes the account; the bot is not told.
    pub fn deactivates(&self) {
        if let Some(chat) = self.inner.lock().chats.get_mut(&self.id) {
            chat.standing = Standing::Deactivated;
        }
    }

    pub fn standing(&self) -> Standing {
        let state = self.inner.lock();
        state.chats.get(&self.id).map_or(Standing::NeverStarted, |chat| chat.standing)
    }

    /// The messages that arrived and are still there, oldest first.
    pub fn inbox(&self) -> Vec<Received> {
        let received = |entry| match entry {
            Entry::Bot(message) if !message.is_deleted => Some(message),
            Entry::Bot(_) | Entry::Person { .. } => None,
        };
        self.history().into_iter().filter_map(received).collect()
    }

    /// Both sides of the chat, oldest first.
    pub fn history(&self) -> Vec<Entry> {
        let state = self.inner.lock();
        let life = state.chats.get(&self.id).and_then(|chat| chat.person.as_ref());
        life.map(|life| life.history.iter().cloned().collect()).unwrap_or_default()
    }

    /// Waits until that many messages arrived in all, and answers them. Wrap it in a time-out.
    pub async fn wait_inbox(&self, count: usize) -> Vec<Received> {
        self.inner.ledger.wait_until(|_| self.inbox().len() >= count).await;
        self.inbox()
    }

    fn writes(&self, text: &str) {
        let mut parts = vec![("text", json!(text))];
        if text.starts_with('/') {
            let command = text.split_whitespace().next().unwrap_or(text);
            let length = command.encode_utf16().count();
            let entity = json!([{ "type": "bot_command", "offset": 0, "length": length }]);
            parts.push(("entities", entity));
        }
        self.posts(text, &parts);
    }

    fn posts(&self, shown: &str, parts: &[(&str, Value)]) {
        let at = self.inner.rules.clock.now();
        let mut message = {
            let mut guard = self.inner.lock();
            let state = &mut *guard;
            state.last_message += 1;
            let message_id = state.last_message;
            let Some(chat) = state.chats.get_mut(&self.id) else { return };
            chat.standing = Standing::Open;
            if let Some(life) = &mut chat.person {
                life.note(Entry::Person { message_id, at, text: shown.to_owned() });
            }
            json!({
                "message_id": message_id,
                "from": self.user(chat),
                "chat": json_chat(self.id, chat),
                "date": at.as_millis() / 1000,
            })
        };
        for (name, value) in parts {
            message[*name] = value.clone();
        }
        self.inner.tell("message", self.id, &message);
        self.inner.ledger.changed();
    }

    /// The bot's own standing in the chat changes, and it is told.
    fn turns(&self, standing: Standing, (old, new): (&str, &str)) {
        let bot = self.inner.bot();
        let (from, chat) = {
            let mut state = self.inner.lock();
            let Some(chat) = state.chats.get_mut(&self.id) else { return };
            chat.standing = standing;
            (self.user(chat), json_chat(self.id, chat))
        };
        let mut old = json!({ "user": bot, "status": old });
        let mut new = json!({ "user": bot, "status": new });
        for member in [&mut old, &mut new] {
            if member["status"] == "kicked" {
                member["until_date"] = json!(0);
            }
        }
        let change = json!({
            "chat": chat,
            "from": from,
            "date": self.inner.rules.clock.now().as_millis() / 1000,
            "old_chat_member": old,
            "new_chat_member": new,
        });
        self.inner.tell("my_chat_member", self.id, &change);
        self.inner.ledger.changed();
    }

    /// As the service shows them in whatever chat.
    pub(super) fn as_user(&self) -> Value {
        let state = self.inner.lock();
        state.chats.get(&self.id).map_or_else(|| json!({ "id": self.id }), |chat| self.user(chat))
    }

    fn user(&self, chat: &Chat) -> Value {
        let language = chat.person.as_ref().map_or("en", |life| life.language.as_str());
        json!({
            "id": self.id, "is_bot": false, "first_name": chat.called(),
            "language_code": language,
        })
    }
}

impl Inner {
    /// Makes sure that a person is known and looked into.
    pub(super) fn meet(&self, id: i64, language: &str) {
        let mut state = self.lock();
        let chat = state
            .chats
            .entry(id)
            .or_insert_with(|| Chat::new(Kind::Private, Standing::NeverStarted));
        let life = chat.person.get_or_insert_with(Life::default);
        language.clone_into(&mut life.language);
    }
}
