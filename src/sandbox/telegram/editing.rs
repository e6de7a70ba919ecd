//! The methods that change or take back what was sent.
//!
//! They count against no limit here. A message is found again only where the ledger keeps bodies.

use serde_json::{Value, json};

use crate::sandbox::door::Reply;
use crate::sandbox::params::Params;
use crate::sandbox::telegram::files::FileKind;
use crate::sandbox::telegram::sending::{Content, Kept, read_caption, read_text, refusal};
use crate::sandbox::telegram::{Inner, rules, succeed};

/// Messages can be deleted for so long.
const DELETE_AGE_MAX_S: i64 = 48 * 3600;
/// Most messages of one `deleteMessages`.
const DELETED_MAX: usize = 100;

const NOT_MODIFIED: &str = "message is not modified: specified new message content and reply \
                            markup are exactly the same as a current content and reply markup of \
                            the message";

impl Inner {
    pub(super) async fn edit_text(&self, params: &Params) -> Result<Reply, String> {
        let new = if params.object("rich_message").is_some() {
            let rich = Some(self.read_rich(params).await?);
            let keyboard = rules::check_markup(params.object("reply_markup"))?;
            Content { rich, keyboard, ..Content::default() }
        } else {
            // The service behind the service counts here, and says it in its own words.
            read_text(params).map_err(|why| match why.as_str() {
                "message is too long" => "MESSAGE_TOO_LONG".to_owned(),
                _ => why,
            })?
        };
        self.edit(params, |old| match old.content.media {
            Some(_) => Err("there is no text in the message to edit".into()),
            None => Ok(new),
        })
    }

    pub(super) fn edit_caption(&self, params: &Params) -> Result<Reply, String> {
        let (text, entities) = read_caption(params)?;
        let keyboard = rules::check_markup(params.object("reply_markup"))?;
        self.edit(params, |old| match &old.content.media {
            Some(_) => Ok(Content { text, entities, keyboard, ..old.content.clone() }),
            None => Err("there is no caption in the message to edit".into()),
        })
    }

    pub(super) async fn edit_media(&self, params: &Params) -> Result<Reply, String> {
        let item = params.object("media").ok_or("parameter \"media\" is required")?;
        let item = item.map_err(|()| "can't parse InputMedia: expected an Object")?;
        let mut new = self.read_item(&item, params).await?;
        new.keyboard = rules::check_markup(params.object("reply_markup"))?;
        self.edit(params, |old| {
            let kind = |content: &Content| content.media.as_ref().map(|medium| medium.file.kind);
            let group = |kind| match kind {
                Some(FileKind::Photo | FileKind::Video) => 0,
                Some(FileKind::Audio) => 1,
                Some(FileKind::Document) => 2,
                Some(FileKind::Animation) | None => 3,
            };
            // What stands in an album stays such that it may stand there.
            match old.manner.album {
                Some(_) if group(kind(&old.content)) != group(kind(&new)) => {
                    Err("message can't be edited".into())
                }
                _ => Ok(new),
            }
        })
    }

    pub(super) fn edit_keyboard(&self, params: &Params) -> Result<Reply, String> {
        let keyboard = rules::check_markup(params.object("reply_markup"))?;
        self.edit(params, |old| Ok(Content { keyboard, ..old.content.clone() }))
    }

    fn edit(
        &self,
        params: &Params,
        change: impl FnOnce(&Kept) -> Result<Content, String>,
    ) -> Result<Reply, String> {
        let mut guard = self.lock();
        let state = &mut *guard;
        let id = state.find_chat(params)?;
        let chat = state.chats.get_mut(&id).ok_or("chat not found")?;
        if let Some(refusal) = refusal(chat, None) {
            return Ok(refusal);
        }
        let message_id = message_id(params)?;
        let message = state.messages.find((id, message_id)).ok_or("message to edit not found")?;
        let content = change(message)?;
        if message.manner.album.is_some() && content.keyboard.is_some() {
            return Err("message can't be edited".into());
        }
        if content == message.content {
            return Err(NOT_MODIFIED.into());
        }
        message.content = content;
        message.edited_at = Some(self.rules.clock.now());
        let told = self.json_message(id, chat, message_id, message);
        if let Some(life) = &mut chat.person {
            life.change(message_id, message);
        }
        drop(guard);
        self.ledger.changed();
        Ok(succeed(&told))
    }

    pub(super) fn delete_message(&self, params: &Params) -> Result<Reply, String> {
        let message_id = message_id(params)?;
        self.delete(params, &[message_id], |found| match found {
            None => Err("message to delete not found".into()),
            Some(false) => Err("message can't be deleted".into()),
            Some(true) => Ok(()),
        })
    }

    /// Those that are not there, or too old, are passed over.
    pub(super) fn delete_messages(&self, params: &Params) -> Result<Reply, String> {
        let Some(Ok(Value::Array(ids))) = params.object("message_ids") else {
            return Err("message identifiers are not specified".into());
        };
        let ids: Option<Vec<i64>> = ids.iter().map(Value::as_i64).collect();
        let ids = ids.ok_or("invalid message identifier specified")?;
        match ids.len() {
            0 => return Err("message identifiers are not specified".into()),
            count if count > DELETED_MAX => {
                return Err("too many message identifiers specified".into());
            }
            _ => {}
        }
        self.delete(params, &ids, |_| Ok(()))
    }

    /// `judge` is told of each message whether it is young enough; `None`: it is not there.
    fn delete(
        &self,
        params: &Params,
        ids: &[i64],
        judge: impl Fn(Option<bool>) -> Result<(), String>,
    ) -> Result<Reply, String> {
        let now = self.rules.clock.now();
        let mut guard = self.lock();
        let state = &mut *guard;
        let id = state.find_chat(params)?;
        let chat = state.chats.get_mut(&id).ok_or("chat not found")?;
        if let Some(refusal) = refusal(chat, None) {
            return Ok(refusal);
        }
        for message_id in ids {
            let found = state.messages.find((id, *message_id)).map(|message| {
                (now.as_millis() - message.at.as_millis()) / 1000 <= DELETE_AGE_MAX_S
            });
            judge(found)?;
            if found == Some(true) {
                state.messages.remove((id, *message_id));
                if let Some(life) = &mut chat.person {
                    life.lose(*message_id);
                }
            }
        }
        drop(guard);
        self.ledger.changed();
        Ok(succeed(&json!(true)))
    }
}

fn message_id(params: &Params) -> Result<i64, String> {
    let id = params.integer("message_id").filter(|id| *id > 0);
    id.ok_or_else(|| "message identifier is not specified".into())
}
