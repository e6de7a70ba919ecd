//! The methods of the Bot API that the stand-in knows.

use std::time::Duration;

use hyper::Method;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::sandbox::door::Reply;
use crate::sandbox::ledger::Accepted;
use crate::sandbox::params::Params;
use crate::sandbox::telegram::people::Received;
use crate::sandbox::telegram::{
    Inner, Kind, Standing, State, bad_request, refuse, refuse_with, rules, succeed,
};

/// Largest picture that is fetched by its address, in bytes.
const PICTURE_BYTES_MAX: usize = 5 << 20;
/// How long a picture may take to come.
const PICTURE_PATIENCE: Duration = Duration::from_secs(10);
/// Most pictures whose `file_id` is known.
const FILES_MAX: usize = 10_000;

/// Whether a method sends a message.
pub(super) fn is_message(method: &str) -> bool {
    method.eq_ignore_ascii_case("sendMessage") || method.eq_ignore_ascii_case("sendPhoto")
}

impl Inner {
    pub(super) async fn call(&self, method: &str, params: &Params) -> Reply {
        match method.to_ascii_lowercase().as_str() {
            "getme" => self.tell_me(),
            "sendmessage" => or_bad(self.send_message(params)),
            "sendphoto" => or_bad(self.send_photo(params).await),
            "getupdates" => self.poll_updates(params).await,
            "setwebhook" => or_bad(self.set_webhook(params)),
            "deletewebhook" => self.delete_webhook(params),
            "getwebhookinfo" => self.tell_webhook(),
            "answercallbackquery" => or_bad(self.answer_tap(params)),
            "getchat" => or_bad(self.tell_chat(params)),
            "setmycommands" => or_bad(self.set_commands(params)),
            "getmycommands" => {
                let commands = self.lock().profile.get("commands").cloned();
                succeed(&commands.unwrap_or_else(|| json!([])))
            }
            "deletemycommands" => {
                self.lock().profile.remove("commands");
                succeed(&json!(true))
            }
            "setmyname" => or_bad(self.set_profile(params, "name", 64)),
            "setmydescription" => or_bad(self.set_profile(params, "description", 512)),
            "setmyshortdescription" => or_bad(self.set_profile(params, "short_description", 120)),
            "getmyname" => self.tell_profile("name"),
            "getmydescription" => self.tell_profile("description"),
            "getmyshortdescription" => self.tell_profile("short_description"),
            _ => refuse(404, "Not Found: method not found"),
        }
    }

    fn tell_me(&self) -> Reply {
        let mut bot = self.bot();
        bot["can_join_groups"] = json!(true);
        bot["can_read_all_group_messages"] = json!(false);
        bot["supports_inline_queries"] = json!(false);
        succeed(&bot)
    }

    fn send_message(&self, params: &Params) -> Result<Reply, String> {
        refuse_parse_mode(params)?;
        let text = params.text("text");
        let text = rules::check_text(text.as_deref())?;
        let entities = rules::check_entities(text, params.object("entities"))?;
        let keyboard = rules::check_markup(params.object("reply_markup"))?;
        if let Some(Err(()) | Ok(Value::String(_))) = params.object("link_preview_options") {
            return Err("can't parse LinkPreviewOptions: expected an Object".into());
        }
        let content = Content { text, entities, photo: None, keyboard };
        self.send("sendMessage", params, &content)
    }

    async fn send_photo(&self, params: &Params) -> Result<Reply, String> {
        refuse_parse_mode(params)?;
        let media = params.text("photo");
        let media = rules::check_media(media.as_deref())?;
        let caption = params.text("caption");
        let caption = rules::check_caption(caption.as_deref())?;
        let entities = rules::check_entities(caption, params.object("caption_entities"))?;
        let keyboard = rules::check_markup(params.object("reply_markup"))?;
        let url = if media.contains("://") {
            self.fetch_picture(media).await?;
            media.to_owned()
        } else {
            let files = &self.lock().files;
            files.get(media).cloned().ok_or("wrong file identifier/HTTP URL specified")?
        };
        let content = Content { text: caption, entities, photo: Some(url), keyboard };
        self.send("sendPhoto", params, &content)
    }

    async fn fetch_picture(&self, url: &str) -> Result<(), String> {
        if !self.rules.fetches_pictures || !url.starts_with("http://") {
            return Ok(());
        }
        let call = self.caller.call(Method::GET, url, &[], "".into(), PICTURE_PATIENCE).await;
        let picture = call.filter(|called| called.status == 200);
        let picture = picture.ok_or("failed to get HTTP URL content")?;
        if picture.body.len() > PICTURE_BYTES_MAX {
            return Err("failed to get HTTP URL content".into());
        }
        let kind = picture.headers.get("content-type").and_then(|kind| kind.to_str().ok());
        match kind.and_then(|kind| kind.split(';').next()) {
            Some("image/png" | "image/jpeg" | "image/gif" | "image/webp") => Ok(()),
            _ => Err("wrong type of the web page content".into()),
        }
    }

    /// Sends what was found right in itself: looks at the chat and the limits, then at nothing
    /// else.
    fn send(&self, method: &str, params: &Params, content: &Content<'_>) -> Result<Reply, String> {
        let at = self.rules.clock.now();
        let mut guard = self.lock();
        let state = &mut *guard;
        let id = state.find_chat(params)?;
        let chat = state.chats.get(&id).ok_or("chat not found")?;
        if let Some(refusal) = refusal(chat.kind, chat.standing) {
            return Ok(refusal);
        }
        let kind = chat.kind;
        if let Some(wait) = self.pass_limits(state, id, kind) {
            return Ok(throttle(wait));
        }

        state.last_message += 1;
        let message_id = state.last_message;
        let photo = content.photo.as_deref().map(|url| state.file_id(url));
        let message = json_message(&Sent {
            message_id,
            bot: self.bot(),
            chat: json_chat(id, kind),
            seconds: at.as_millis() / 1000,
            content,
            file_id: photo,
        });
        if let Some(life) = state.chats.get_mut(&id).and_then(|chat| chat.person.as_mut()) {
            life.receive(Received::new(message_id, at, content));
        }
        drop(guard);

        self.ledger.accept(Accepted {
            method: method.to_owned(),
            address: id.to_string(),
            message_id: message_id.to_string(),
            at,
            body: self.rules.keep_bodies.then(|| params.0.clone()),
        });
        Ok(succeed(&message).accepted())
    }

    /// How long to wait, if a limit says so; else the message is counted.
    fn pass_limits(&self, state: &mut State, id: i64, kind: Kind) -> Option<Duration> {
        let rules = &self.rules;
        let own_limit = match kind {
            Kind::Private | Kind::Channel => rules.per_chat,
            Kind::Group | Kind::Supergroup => rules.per_group,
        };
        let now = Instant::now();
        let bot_wait = rules.per_bot.and_then(|limit| state.bot_window.wait(limit, now));
        let own_wait =
            own_limit.and_then(|limit| state.chat_windows.entry(id).or_default().wait(limit, now));
        if let Some(wait) = bot_wait.max(own_wait) {
            return Some(wait);
        }
        if rules.per_bot.is_some() {
            state.bot_window.note(now);
        }
        if own_limit.is_some() {
            state.chat_windows.entry(id).or_default().note(now);
        }
        None
    }

    fn answer_tap(&self, params: &Params) -> Result<Reply, String> {
        let text = params.text("text").unwrap_or_default();
        if text.chars().count() > 200 {
            return Err("MESSAGE_TOO_LONG".into());
        }
        let id = params.text("callback_query_id").unwrap_or_default();
        let mut state = self.lock();
        match state.taps.get_mut(&id) {
            Some(answer @ None) => {
                let is_alert = params.flag("show_alert");
                *answer = Some(json!({ "text": text, "show_alert": is_alert }));
            }
            _ => {
                return Err(
                    "query is too old and response timeout expired or query ID is invalid".into()
                );
            }
        }
        drop(state);
        self.ledger.changed();
        Ok(succeed(&json!(true)))
    }

    fn tell_chat(&self, params: &Params) -> Result<Reply, String> {
        let state = self.lock();
        let id = state.find_chat(params)?;
        let chat = state.chats.get(&id).ok_or("chat not found")?;
        Ok(succeed(&json_chat(id, chat.kind)))
    }

    fn set_commands(&self, params: &Params) -> Result<Reply, String> {
        let commands = rules::check_commands(params.object("commands"))?;
        let is_default = params.text("language_code").is_none_or(|code| code.is_empty());
        if is_default && params.object("scope").is_none() {
            self.lock().profile.insert("commands".into(), commands);
        }
        Ok(succeed(&json!(true)))
    }

    fn set_profile(&self, params: &Params, field: &str, max: usize) -> Result<Reply, String> {
        let text = params.text(field).unwrap_or_default();
        if text.chars().count() > max {
            return Err(format!("bot {field} is too long"));
        }
        self.lock().profile.insert(field.to_owned(), json!(text));
        Ok(succeed(&json!(true)))
    }

    fn tell_profile(&self, field: &str) -> Reply {
        let text = self.lock().profile.get(field).cloned().unwrap_or_else(|| json!(""));
        succeed(&json!({ field: text }))
    }
}

impl State {
    fn find_chat(&self, params: &Params) -> Result<i64, String> {
        let given = params.text("chat_id").filter(|given| !given.is_empty());
        let given = given.ok_or("chat_id is empty")?;
        let found = if given.starts_with('@') {
            self.usernames.get(&given).copied()
        } else {
            given.parse().ok()
        };
        found.ok_or_else(|| "chat not found".to_owned())
    }

    fn file_id(&mut self, url: &str) -> String {
        use std::hash::{DefaultHasher, Hash, Hasher};
        if self.files.len() >= FILES_MAX {
            self.files.clear();
        }
        let mut hasher = DefaultHasher::new();
        url.hash(&mut hasher);
        let id = format!("sandbox-photo-{:016x}", hasher.finish());
        self.files.insert(id.clone(), url.to_owned());
        id
    }
}

/// What a message consists of.
#[derive(Debug)]
pub(super) struct Content<'a> {
    /// The text, or the caption of the picture.
    pub text: &'a str,
    pub entities: Vec<Value>,
    /// The picture's address.
    pub photo: Option<String>,
    pub keyboard: Option<Value>,
}

struct Sent<'a> {
    message_id: i64,
    bot: Value,
    chat: Value,
    seconds: i64,
    content: &'a Content<'a>,
    file_id: Option<String>,
}

fn json_message(sent: &Sent<'_>) -> Value {
    let mut message = Map::new();
    message.insert("message_id".into(), json!(sent.message_id));
    message.insert("from".into(), sent.bot.clone());
    message.insert("chat".into(), sent.chat.clone());
    message.insert("date".into(), json!(sent.seconds));
    let (text, entities) = match &sent.file_id {
        Some(file_id) => {
            let size = json!({
                "file_id": file_id, "file_unique_id": file_id, "width": 1200, "height": 630,
            });
            message.insert("photo".into(), json!([size]));
            ("caption", "caption_entities")
        }
        None => ("text", "entities"),
    };
    if !sent.content.text.is_empty() {
        message.insert(text.into(), json!(sent.content.text));
    }
    if !sent.content.entities.is_empty() {
        message.insert(entities.into(), json!(sent.content.entities));
    }
    if let Some(keyboard) = &sent.content.keyboard
        && keyboard.get("inline_keyboard").is_some()
    {
        message.insert("reply_markup".into(), keyboard.clone());
    }
    Value::Object(message)
}

pub(super) fn json_chat(id: i64, kind: Kind) -> Value {
    match kind {
        Kind::Private => json!({ "id": id, "type": kind.word(), "first_name": "Reader" }),
        _ => json!({ "id": id, "type": kind.word(), "title": "Sandbox" }),
    }
}

fn refuse_parse_mode(params: &Params) -> Result<(), String> {
    match params.text("parse_mode").filter(|mode| !mode.is_empty()) {
        Some(_) => Err("unsupported parse_mode".into()),
        None => Ok(()),
    }
}

/// Why nothing can be sent to such a chat.
fn refusal(kind: Kind, standing: Standing) -> Option<Reply> {
    let place = match kind {
        Kind::Channel => "channel chat",
        Kind::Supergroup => "supergroup chat",
        Kind::Private | Kind::Group => "group chat",
    };
    let forbidden = |why: &str| Some(refuse(403, &format!("Forbidden: {why}")));
    match standing {
        Standing::Open => None,
        Standing::NeverStarted => forbidden("bot can't initiate conversation with a user"),
        Standing::Blocked if kind == Kind::Private => forbidden("bot was blocked by the user"),
        Standing::Blocked => forbidden(&format!("bot was kicked from the {place}")),
        Standing::Deactivated if kind == Kind::Private => forbidden("user is deactivated"),
        Standing::Deactivated => forbidden("the group chat was deleted"),
        Standing::ReadOnly if kind == Kind::Channel => {
            Some(bad_request("need administrator rights in the channel chat"))
        }
        Standing::ReadOnly => {
            Some(bad_request("not enough rights to send text messages to the chat"))
        }
        Standing::Moved(to) => Some(refuse_with(
            400,
            "Bad Request: group chat was upgraded to a supergroup chat",
            Some(json!({ "migrate_to_chat_id": to })),
        )),
    }
}

fn throttle(wait: Duration) -> Reply {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let seconds = seconds.max(1);
    let description = format!("Too Many Requests: retry after {seconds}");
    refuse_with(429, &description, Some(json!({ "retry_after": seconds })))
        .with_header("retry-after", seconds.to_string())
}

fn or_bad(result: Result<Reply, String>) -> Reply {
    result.unwrap_or_else(|why| bad_request(&why))
}
