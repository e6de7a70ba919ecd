//! The methods that send: what a message consists of, and how it comes into a chat.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::model::time::Timestamp;
use crate::sandbox::door::Reply;
use crate::sandbox::ledger::Accepted;
use crate::sandbox::params::Params;
use crate::sandbox::telegram::files::{FileKind, Known, in_album, json_file};
use crate::sandbox::telegram::people::Received;
use crate::sandbox::telegram::{
    Chat, Inner, Kind, STARS_NEEDED, Standing, State, bad_request, refuse, refuse_with, rules,
    succeed,
};

/// Most items of an album.
const ALBUM_MAX: usize = 10;
/// Most messages that can be edited and deleted.
const MESSAGES_MAX: usize = 100_000;

/// Whether a method sends a message.
pub(super) fn is_message(method: &str) -> bool {
    method.len() >= 4
        && method.is_char_boundary(4)
        && method[..4].eq_ignore_ascii_case("send")
        && !method.eq_ignore_ascii_case("sendChatAction")
}

/// What a message consists of.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Content {
    /// The text, or the caption of the file.
    pub text: String,
    pub entities: Vec<Value>,
    pub media: Option<Medium>,
    /// A rich message as it was given; then there is no text.
    pub rich: Option<Value>,
    pub preview: Option<Value>,
    pub keyboard: Option<Value>,
}

/// A file with what is said of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Medium {
    pub file: Known,
    pub title: Option<String>,
    pub performer: Option<String>,
    pub seconds: Option<i64>,
    /// Of a video.
    pub cover: Option<Known>,
    /// It came along with the file.
    pub has_thumbnail: bool,
}

/// A message that was sent, as it is now.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub at: Timestamp,
    pub edited_at: Option<Timestamp>,
    pub content: Content,
    pub manner: Manner,
}

/// How a message was sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Manner {
    pub album: Option<String>,
    pub thread: Option<i64>,
    pub is_silent: bool,
    pub is_protected: bool,
}

/// The messages that can be edited, by chat and id; the oldest go when there are too many.
#[derive(Debug, Default)]
pub(super) struct Messages {
    by_id: HashMap<(i64, i64), Kept>,
    order: VecDeque<(i64, i64)>,
}

impl Messages {
    fn keep(&mut self, key: (i64, i64), message: Kept) {
        if self.order.len() >= MESSAGES_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_id.remove(&oldest);
        }
        self.order.push_back(key);
        self.by_id.insert(key, message);
    }

    pub(super) fn find(&mut self, key: (i64, i64)) -> Option<&mut Kept> {
        self.by_id.get_mut(&key)
    }

    pub(super) fn remove(&mut self, key: (i64, i64)) -> bool {
        self.by_id.remove(&key).is_some()
    }
}

impl Inner {
    pub(super) async fn send_message(&self, params: &Params) -> Result<Reply, String> {
        let content = read_text(params)?;
        self.send("sendMessage", params, vec![content])
    }

    pub(super) async fn send_rich(&self, params: &Params) -> Result<Reply, String> {
        let rich = Some(self.read_rich(params).await?);
        let keyboard = rules::check_markup(params.object("reply_markup"))?;
        self.send("sendRichMessage", params, vec![Content { rich, keyboard, ..Content::default() }])
    }

    pub(super) async fn send_file(
        &self,
        method: &str,
        kind: FileKind,
        params: &Params,
    ) -> Result<Reply, String> {
        let given = params.text(kind.word());
        let file = self.resolve(kind, kind.word(), given.as_deref(), params).await?;
        let media = self.describe(file, given.as_deref(), params).await?;
        let (text, entities) = read_caption(params)?;
        let content = Content {
            text,
            entities,
            media: Some(media),
            keyboard: rules::check_markup(params.object("reply_markup"))?,
            ..Content::default()
        };
        self.send(method, params, vec![content])
    }

    pub(super) async fn send_album(&self, params: &Params) -> Result<Reply, String> {
        let media = params.object("media").ok_or("parameter \"media\" is required")?;
        let Ok(Value::Array(items)) = media else {
            return Err("can't parse media JSON object".into());
        };
        if params.object("reply_markup").is_some() {
            return Err("reply_markup is not supported by sendMediaGroup".into());
        }
        match items.len() {
            0 => return Err("there are no messages to send".into()),
            1 => return Err("too few messages to send as an album".into()),
            count if count > ALBUM_MAX => {
                return Err("too many messages to send as an album".into());
            }
            _ => {}
        }
        rules::check_album(&items)?;
        let mut contents = Vec::new();
        for (place, item) in items.iter().enumerate() {
            let content = self.read_item(item, params).await;
            contents.push(content.map_err(|why| in_album(place + 1, &why))?);
        }
        self.send("sendMediaGroup", params, contents)
    }

    /// An `InputMedia`.
    pub(super) async fn read_item(&self, item: &Value, params: &Params) -> Result<Content, String> {
        let item = item.as_object().ok_or("can't parse InputMedia: expected an Object")?;
        let item = Params(item.clone(), params.1.clone());
        let kind = item.text("type").and_then(|word| FileKind::of(&word));
        let kind = kind.ok_or("can't parse InputMedia: type must be one of the known ones")?;
        let given = item.text("media");
        let given = given.ok_or("can't parse InputMedia: field \"media\" is missing")?;
        let file = self.resolve(kind, "", Some(&given), &item).await?;
        let media = self.describe(file, Some(&given), &item).await?;
        let (text, entities) = read_caption(&item)?;
        Ok(Content { text, entities, media: Some(media), ..Content::default() })
    }

    /// A file with what is said of it; `given` is how it was named.
    async fn describe(
        &self,
        file: Known,
        given: Option<&str>,
        params: &Params,
    ) -> Result<Medium, String> {
        let words = |name| params.text(name).filter(|words| !words.is_empty());
        let cover = words("cover").filter(|_| file.kind == FileKind::Video);
        let cover = match cover {
            Some(cover) => Some(self.resolve(FileKind::Photo, "", Some(&cover), params).await?),
            None => None,
        };
        // The service pays no heed to one whose file it has already.
        let comes_along = given.is_none_or(|given| given.starts_with("attach://"));
        let has_thumbnail =
            comes_along && Self::check_thumbnail(params, params.text("thumbnail").as_deref())?;
        Ok(Medium {
            file,
            title: words("title"),
            performer: words("performer"),
            seconds: params.integer("duration"),
            cover,
            has_thumbnail,
        })
    }

    /// Sends what was found right in itself, one message or an album: looks at the chat and the
    /// limits, then at nothing else.
    fn send(&self, method: &str, params: &Params, contents: Vec<Content>) -> Result<Reply, String> {
        let at = self.rules.clock.now();
        let mut guard = self.lock();
        let state = &mut *guard;
        let id = state.find_chat(params)?;
        let chat = state.chats.get(&id).ok_or("chat not found")?;
        if let Some(refusal) = refusal(chat, contents.first()) {
            return Ok(refusal);
        }
        let thread = check_thread(chat, params)?;
        let kind = chat.kind;
        let pays = params.flag("allow_paid_broadcast");
        if let Some(wait) = self.pass_limits(state, id, kind, contents.len(), pays) {
            return Ok(throttle(wait));
        }

        let is_album = contents.len() > 1;
        let first_id = state.last_message + 1;
        let mut told = Vec::new();
        for content in contents {
            state.last_message += 1;
            let message_id = state.last_message;
            let manner = Manner {
                album: is_album.then(|| format!("{first_id}")),
                thread,
                is_silent: params.flag("disable_notification"),
                is_protected: params.flag("protect_content"),
            };
            let message = Kept { at, edited_at: None, content, manner };
            if let Some(chat) = state.chats.get(&id) {
                told.push(self.json_message(id, chat, message_id, &message));
            }
            if let Some(life) = state.chats.get_mut(&id).and_then(|chat| chat.person.as_mut()) {
                life.receive(Received::new(message_id, &message));
            }
            if self.rules.keep_bodies {
                state.messages.keep((id, message_id), message);
            }
        }
        drop(guard);

        self.ledger.accept(Accepted {
            method: method.to_owned(),
            address: id.to_string(),
            message_id: first_id.to_string(),
            at,
            body: self.rules.keep_bodies.then(|| params.0.clone()),
        });
        let result = match told.pop() {
            Some(only) if told.is_empty() && !is_album => only,
            last => {
                told.extend(last);
                Value::Array(told)
            }
        };
        Ok(succeed(&result).accepted())
    }

    /// How long to wait, if a limit says so; else the messages are counted.
    fn pass_limits(
        &self,
        state: &mut State,
        id: i64,
        kind: Kind,
        messages: usize,
        pays: bool,
    ) -> Option<Duration> {
        let rules = &self.rules;
        let own_limit = match kind {
            Kind::Private | Kind::Channel => rules.per_chat,
            Kind::Group | Kind::Supergroup => rules.per_group,
        };
        let now = Instant::now();
        let mut bot_wait = rules.per_bot.and_then(|limit| state.bot_window.wait(limit, now));
        let price = u64::try_from(messages).unwrap_or(u64::MAX);
        let is_paid = bot_wait.is_some() && pays && state.can_pay(price);
        if is_paid {
            bot_wait = state.paid_window.wait(rules.per_bot_paid, now);
        }
        let own_wait =
            own_limit.and_then(|limit| state.chat_windows.entry(id).or_default().wait(limit, now));
        if let Some(wait) = bot_wait.max(own_wait) {
            return Some(wait);
        }
        if is_paid {
            state.pay(price);
        }
        for _ in 0..messages {
            if rules.per_bot.is_some() {
                state.bot_window.note(now);
                state.paid_window.note(now);
            }
            if own_limit.is_some() {
                state.chat_windows.entry(id).or_default().note(now);
            }
        }
        None
    }

    pub(super) fn json_message(
        &self,
        id: i64,
        chat: &Chat,
        message_id: i64,
        message: &Kept,
    ) -> Value {
        let mut told = Map::new();
        let mut put = |name: &str, value: Value| told.insert(name.to_owned(), value);
        put("message_id", json!(message_id));
        put("from", self.bot());
        put("chat", json_chat(id, chat));
        put("date", json!(message.at.as_millis() / 1000));
        if let Some(at) = message.edited_at {
            put("edit_date", json!(at.as_millis() / 1000));
        }
        if let Some(thread) = message.manner.thread {
            put("message_thread_id", json!(thread));
            put("is_topic_message", json!(true));
        }
        if let Some(album) = &message.manner.album {
            put("media_group_id", json!(album));
        }
        if message.manner.is_protected {
            put("has_protected_content", json!(true));
        }
        let Content { text, entities, media, rich, preview, keyboard } = &message.content;
        if let Some(Medium { file, title, performer, seconds, cover, has_thumbnail }) = media {
            let mut file_told = json_file(file);
            if let Some(cover) = cover {
                file_told["cover"] = json_file(cover);
            }
            if *has_thumbnail {
                let id = format!("{}-t", file.id);
                file_told["thumbnail"] = json!({ "file_id": id, "width": 320, "height": 320 });
            }
            for (name, value) in [("title", title), ("performer", performer)] {
                if file.kind == FileKind::Audio && value.is_some() {
                    file_told[name] = json!(value);
                }
            }
            if seconds.is_some() && file_told.get("duration").is_some() {
                file_told["duration"] = json!(seconds);
            }
            if file.kind == FileKind::Animation {
                put("document", file_told.clone());
            }
            put(file.kind.word(), file_told);
        }
        let names =
            if media.is_some() { ("caption", "caption_entities") } else { ("text", "entities") };
        if !text.is_empty() {
            put(names.0, json!(text));
        }
        if !entities.is_empty() {
            put(names.1, json!(entities));
        }
        if let Some(rich) = rich {
            put("rich_message", rich.clone());
        }
        if let Some(preview) = preview {
            put("link_preview_options", preview.clone());
        }
        if let Some(keyboard) = keyboard
            && keyboard.get("inline_keyboard").is_some()
        {
            put("reply_markup", keyboard.clone());
        }
        Value::Object(told)
    }
}

impl State {
    /// Whether paid broadcasts are on, and the bot has enough Stars.
    fn can_pay(&self, tenths: u64) -> bool {
        self.stars.is_some_and(|stars| stars >= tenths.max(STARS_NEEDED * 10))
    }

    fn pay(&mut self, tenths: u64) {
        if let Some(stars) = &mut self.stars {
            *stars = stars.saturating_sub(tenths);
            self.stars_paid += tenths;
        }
    }
}

/// The text, entities, preview and keyboard of `sendMessage` and `editMessageText`.
pub(super) fn read_text(params: &Params) -> Result<Content, String> {
    refuse_parse_mode(params)?;
    let text = params.text("text");
    let text = rules::check_text(text.as_deref())?;
    let entities = rules::check_entities(text, params.object("entities"))?;
    let keyboard = rules::check_markup(params.object("reply_markup"))?;
    let preview = rules::check_preview(params.object("link_preview_options"))?;
    Ok(Content { text: text.to_owned(), entities, preview, keyboard, ..Content::default() })
}

/// The caption and its entities.
pub(super) fn read_caption(params: &Params) -> Result<(String, Vec<Value>), String> {
    refuse_parse_mode(params)?;
    let caption = params.text("caption");
    let caption = rules::check_caption(caption.as_deref())?;
    let entities = rules::check_entities(caption, params.object("caption_entities"))?;
    Ok((caption.to_owned(), entities))
}

fn refuse_parse_mode(params: &Params) -> Result<(), String> {
    match params.text("parse_mode").filter(|mode| !mode.is_empty()) {
        Some(_) => Err("unsupported parse_mode".into()),
        None => Ok(()),
    }
}

/// The topic that a message goes to, if that is there and open.
fn check_thread(chat: &Chat, params: &Params) -> Result<Option<i64>, String> {
    let Some(thread) = params.integer("message_thread_id").filter(|thread| *thread != 0) else {
        return Ok(None);
    };
    match chat.topics.get(&thread) {
        Some(false) => Ok(Some(thread)),
        Some(true) => Err("TOPIC_CLOSED".into()),
        None => Err("message thread not found".into()),
    }
}

pub(super) fn json_chat(id: i64, chat: &Chat) -> Value {
    let kind = chat.kind;
    match kind {
        Kind::Private => json!({ "id": id, "type": kind.word(), "first_name": chat.called() }),
        _ => json!({ "id": id, "type": kind.word(), "title": "Sandbox" }),
    }
}

/// Why nothing, or nothing of this kind, can be done in such a chat.
pub(super) fn refusal(chat: &Chat, content: Option<&Content>) -> Option<Reply> {
    let Chat { kind, standing, .. } = *chat;
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
            let what = match content {
                Some(Content { rich: Some(_), .. }) => "the rich message",
                Some(Content { media: Some(medium), .. }) => match medium.file.kind {
                    FileKind::Photo => "photos",
                    FileKind::Video => "videos",
                    FileKind::Animation => "animations",
                    FileKind::Audio => "music",
                    FileKind::Document => "documents",
                },
                _ => "text messages",
            };
            Some(bad_request(&format!("not enough rights to send {what} to the chat")))
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
