//! What the bot was told about itself: its name, its descriptions, its commands, by language.
//!
//! A text without a language is shown to everybody who has none of their own. Commands are looked
//! up by scope and language, as the Bot API says under "Determining list of commands".

use serde_json::{Value, json};

use crate::sandbox::door::Reply;
use crate::sandbox::params::Params;
use crate::sandbox::telegram::{Inner, Person, Server, rules, succeed};

/// The scopes that need no chat.
const SCOPES: [&str; 4] =
    ["default", "all_private_chats", "all_group_chats", "all_chat_administrators"];

impl Inner {
    pub(super) fn set_commands(&self, params: &Params) -> Result<Reply, String> {
        let commands = rules::check_commands(params.object("commands"))?;
        let key = commands_key(params)?;
        let mut state = self.lock();
        match commands.as_array().is_some_and(Vec::is_empty) {
            true => state.profile.remove(&key),
            false => state.profile.insert(key, commands),
        };
        drop(state);
        self.ledger.changed();
        Ok(succeed(&json!(true)))
    }

    pub(super) fn tell_commands(&self, params: &Params) -> Result<Reply, String> {
        let commands = self.lock().profile.get(&commands_key(params)?).cloned();
        Ok(succeed(&commands.unwrap_or_else(|| json!([]))))
    }

    pub(super) fn delete_commands(&self, params: &Params) -> Result<Reply, String> {
        let key = commands_key(params)?;
        self.lock().profile.remove(&key);
        self.ledger.changed();
        Ok(succeed(&json!(true)))
    }

    pub(super) fn set_profile(
        &self,
        params: &Params,
        field: &str,
        max: usize,
    ) -> Result<Reply, String> {
        let key = format!("{field}:{}", language(params)?);
        let text = params.text(field).unwrap_or_default();
        if text.chars().count() > max {
            return Err(format!("bot {field} is too long"));
        }
        let mut state = self.lock();
        match text.is_empty() {
            true => state.profile.remove(&key),
            false => state.profile.insert(key, json!(text)),
        };
        drop(state);
        self.ledger.changed();
        Ok(succeed(&json!(true)))
    }

    pub(super) fn tell_profile(&self, params: &Params, field: &str) -> Result<Reply, String> {
        let text = self.shown(field, &language(params)?);
        Ok(succeed(&json!({ field: text })))
    }

    /// A text as somebody with that language sees it.
    fn shown(&self, field: &str, language: &str) -> String {
        let state = self.lock();
        let of = |language: &str| state.profile.get(&format!("{field}:{language}"));
        let text = of(language).or_else(|| of("")).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    }

    /// The commands as somebody with that language sees them in the bot's own chat.
    fn commands(&self, language: &str) -> Value {
        self.commands_in(&["all_private_chats", "default"], language)
    }

    /// The commands of the first of these scopes that has some.
    fn commands_in(&self, scopes: &[&str], language: &str) -> Value {
        let state = self.lock();
        let keys = scopes.iter().flat_map(|scope| {
            [language, ""].map(|language| format!("commands:{scope}:{language}"))
        });
        let found = keys.into_iter().find_map(|key| state.profile.get(&key).cloned());
        found.unwrap_or_else(|| json!([]))
    }
}

/// Two letters, or none for everybody.
fn language(params: &Params) -> Result<String, String> {
    let code = params.text("language_code").unwrap_or_default();
    let is_code = code.len() == 2 && code.bytes().all(|c| c.is_ascii_lowercase());
    if !code.is_empty() && !is_code {
        return Err("invalid language code specified".into());
    }
    Ok(code)
}

fn commands_key(params: &Params) -> Result<String, String> {
    let language = language(params)?;
    let scope = match params.object("scope") {
        None => json!({ "type": "default" }),
        Some(Ok(scope)) => scope,
        Some(Err(())) => return Err("can't parse BotCommandScope".into()),
    };
    let kind = scope["type"].as_str().unwrap_or_default();
    if !SCOPES.contains(&kind) && !kind.starts_with("chat") {
        return Err("can't parse BotCommandScope: unsupported type specified".into());
    }
    let chat = &scope["chat_id"];
    let place = if chat.is_null() { kind.to_owned() } else { format!("{kind}={chat}") };
    Ok(format!("commands:{place}:{language}"))
}

impl Server {
    /// What a phone in that language shows of a text: `description`, `short_description`, `name`.
    pub fn shown(&self, field: &str, language: &str) -> String {
        self.inner.shown(field, language)
    }

    /// The commands that a phone in that language shows in the bot's own chat.
    pub fn commands(&self, language: &str) -> Value {
        self.inner.commands(language)
    }
}

impl Server {
    /// The commands that an admin of a group sees there, with a phone in that language.
    pub fn admin_commands(&self, language: &str) -> Value {
        let scopes = ["all_chat_administrators", "all_group_chats", "default"];
        self.inner.commands_in(&scopes, language)
    }
}

impl Person {
    /// What stands in the empty chat.
    pub fn sees_description(&self) -> String {
        self.inner.shown("description", &self.language())
    }

    /// The commands in the chat's menu.
    pub fn sees_commands(&self) -> Value {
        self.inner.commands(&self.language())
    }
}
