//! Groups and channels: who is an admin there, what people do in them, and the bot's own rights.
//!
//! Privacy mode is on, as it is by default: of a group the bot hears commands that are its own or
//! name nobody, taps, and the service's notices.

use serde_json::{Value, json};

use crate::sandbox::door::Reply;
use crate::sandbox::params::Params;
use crate::sandbox::telegram::sending::json_chat;
use crate::sandbox::telegram::{Chat, Inner, Kind, Person, Server, Standing, succeed};

/// Who writes in a group's own name.
const NAMELESS: i64 = 1_087_968_824;

impl Server {
    /// These are the admins of a group or channel from now on.
    pub fn set_admins(&self, chat: i64, admins: impl IntoIterator<Item = i64>) {
        if let Some(chat) = self.inner.lock().chats.get_mut(&chat) {
            chat.admins = admins.into_iter().collect();
        }
    }

    /// An admin writes in the group's own name.
    pub fn says_nameless(&self, chat: i64, text: &str) {
        let nameless = json!({
            "id": NAMELESS, "is_bot": true, "first_name": "Group", "username": "GroupAnonymousBot",
        });
        self.inner.post_in(chat, &nameless, text, true);
    }

    /// The group becomes a supergroup with another id; the bot is told in both.
    pub fn upgrades(&self, old: i64, new: i64) {
        let inner = &self.inner;
        let told = {
            let mut state = inner.lock();
            let Some(chat) = state.chats.get_mut(&old) else { return };
            let mut upgraded = Chat::new(Kind::Supergroup, Standing::Open);
            upgraded.admins = chat.admins.clone();
            let was = json_chat(old, chat);
            chat.standing = Standing::Moved(new);
            let is = json_chat(new, &upgraded);
            state.chats.insert(new, upgraded);
            [(old, was, "migrate_to_chat_id", new), (new, is, "migrate_from_chat_id", old)]
        };
        for (id, chat, key, other) in told {
            let mut message = inner.notice(&chat);
            message[key] = json!(other);
            inner.tell("message", id, &message);
        }
        inner.ledger.changed();
    }
}

impl Person {
    /// Puts the bot into a group, as a member or an admin.
    pub fn adds_bot_to(&self, chat: i64, is_admin: bool) {
        let status = if is_admin { "administrator" } else { "member" };
        self.changes_bot_in(chat, Standing::Open, "left", json!({ "status": status }));
    }

    /// Opens a link that puts the bot into a group with a payload.
    pub fn starts_in(&self, chat: i64, payload: &str) {
        self.adds_bot_to(chat, false);
        let command = format!("/start@{} {payload}", self.inner.rules.username);
        self.says_in(chat, &command);
    }

    /// Makes the bot an admin of a channel, who may post there or not.
    pub fn promotes_bot_in(&self, chat: i64, may_post: bool) {
        let standing = if may_post { Standing::Open } else { Standing::ReadOnly };
        let us = json!({ "status": "administrator", "can_post_messages": may_post });
        self.changes_bot_in(chat, standing, "left", us);
    }

    /// Forbids the bot to write in a group, or allows it again.
    pub fn restricts_bot_in(&self, chat: i64, may_write: bool) {
        let standing = if may_write { Standing::Open } else { Standing::ReadOnly };
        let us = json!({ "status": "restricted", "can_send_messages": may_write });
        self.changes_bot_in(chat, standing, "member", us);
    }

    /// Takes the bot out of a group or channel.
    pub fn removes_bot_from(&self, chat: i64) {
        self.changes_bot_in(chat, Standing::Blocked, "member", json!({ "status": "left" }));
    }

    /// Writes in a group; the bot hears of it only what privacy mode lets through.
    pub fn says_in(&self, chat: i64, text: &str) {
        let from = self.as_user();
        self.inner.post_in(chat, &from, text, false);
    }

    /// Taps a button below a message of the bot in a group. Answers the tap's id.
    pub fn taps_in(&self, chat: i64, message_id: i64, data: &str) -> String {
        let tap = format!("{}{:06}", self.id(), self.inner.next_update());
        let from = self.as_user();
        let shown = {
            let mut state = self.inner.lock();
            state.taps.insert(tap.clone(), None);
            state.chats.get(&chat).map(|whole| json_chat(chat, whole))
        };
        let query = json!({
            "id": tap,
            "from": from,
            "message": {
                "message_id": message_id, "from": self.inner.bot(), "chat": shown,
                "date": self.inner.rules.clock.now().as_millis() / 1000, "text": "",
            },
            "chat_instance": chat.to_string(),
            "data": data,
        });
        self.inner.tell("callback_query", chat, &query);
        tap
    }

    fn changes_bot_in(&self, id: i64, standing: Standing, old: &str, mut new: Value) {
        let bot = self.inner.bot();
        let from = self.as_user();
        let chat = {
            let mut state = self.inner.lock();
            let Some(chat) = state.chats.get_mut(&id) else { return };
            chat.standing = standing;
            json_chat(id, chat)
        };
        new["user"] = bot.clone();
        let change = json!({
            "chat": chat,
            "from": from,
            "date": self.inner.rules.clock.now().as_millis() / 1000,
            "old_chat_member": { "user": bot, "status": old },
            "new_chat_member": new,
        });
        self.inner.tell("my_chat_member", id, &change);
        self.inner.ledger.changed();
    }
}

impl Inner {
    /// Somebody writes in a group.
    fn post_in(&self, id: i64, from: &Value, text: &str, is_nameless: bool) {
        if !self.hears(text) {
            return;
        }
        let chat = {
            let state = self.lock();
            let Some(chat) = state.chats.get(&id) else { return };
            json_chat(id, chat)
        };
        let mut message = self.notice(&chat);
        message["from"] = from.clone();
        message["text"] = json!(text);
        if is_nameless {
            message["sender_chat"] = chat;
        }
        self.tell("message", id, &message);
        self.ledger.changed();
    }

    /// What privacy mode lets through.
    fn hears(&self, text: &str) -> bool {
        let Some(command) = text.strip_prefix('/') else { return false };
        let command = command.split_whitespace().next().unwrap_or(command);
        command
            .split_once('@')
            .is_none_or(|(_, name)| name.eq_ignore_ascii_case(&self.rules.username))
    }

    /// A message without content.
    fn notice(&self, chat: &Value) -> Value {
        let message_id = {
            let mut state = self.lock();
            state.last_message += 1;
            state.last_message
        };
        json!({
            "message_id": message_id,
            "chat": chat,
            "date": self.rules.clock.now().as_millis() / 1000,
        })
    }

    pub(super) fn tell_admins(&self, params: &Params) -> Result<Reply, String> {
        let state = self.lock();
        let id = state.find_chat(params)?;
        let chat = state.chats.get(&id).ok_or("chat not found")?;
        if chat.kind == Kind::Private {
            return Err("there are no administrators in the private chat".into());
        }
        if let Standing::Moved(_) = chat.standing {
            return Err("group chat was upgraded to a supergroup chat".into());
        }
        let admins: Vec<Value> = chat
            .admins
            .iter()
            .map(|id| {
                let user = json!({ "id": id, "is_bot": false, "first_name": "Admin" });
                json!({ "user": user, "status": "administrator", "is_anonymous": false })
            })
            .collect();
        Ok(succeed(&json!(admins)))
    }
}
