//! The methods of the Bot API that the stand-in knows.

use serde_json::json;

use crate::sandbox::door::Reply;
use crate::sandbox::params::Params;
use crate::sandbox::telegram::files::FileKind;
use crate::sandbox::telegram::sending::json_chat;
use crate::sandbox::telegram::{Inner, State, bad_request, refuse, succeed};

impl Inner {
    pub(super) async fn call(&self, method: &str, params: &Params) -> Reply {
        match method.to_ascii_lowercase().as_str() {
            "getme" => self.tell_me(),
            "getmystarbalance" => self.tell_stars(),
            "sendmessage" => or_bad(self.send_message(params).await),
            "sendphoto" => or_bad(self.send_file("sendPhoto", FileKind::Photo, params).await),
            "sendvideo" => or_bad(self.send_file("sendVideo", FileKind::Video, params).await),
            "sendanimation" => {
                or_bad(self.send_file("sendAnimation", FileKind::Animation, params).await)
            }
            "sendaudio" => or_bad(self.send_file("sendAudio", FileKind::Audio, params).await),
            "senddocument" => {
                or_bad(self.send_file("sendDocument", FileKind::Document, params).await)
            }
            "sendmediagroup" => or_bad(self.send_album(params).await),
            "sendrichmessage" if self.rules.knows_rich => or_bad(self.send_rich(params).await),
            "editmessagetext" => or_bad(self.edit_text(params).await),
            "editmessagecaption" => or_bad(self.edit_caption(params)),
            "editmessagemedia" => or_bad(self.edit_media(params).await),
            "editmessagereplymarkup" => or_bad(self.edit_keyboard(params)),
            "deletemessage" => or_bad(self.delete_message(params)),
            "deletemessages" => or_bad(self.delete_messages(params)),
            "getfile" => or_bad(self.tell_file(params)),
            "getupdates" => self.poll_updates(params).await,
            "setwebhook" => or_bad(self.set_webhook(params)),
            "deletewebhook" => self.delete_webhook(params),
            "getwebhookinfo" => self.tell_webhook(),
            "answercallbackquery" => or_bad(self.answer_tap(params)),
            "getchatadministrators" => or_bad(self.tell_admins(params)),
            "getchat" => or_bad(self.tell_chat(params)),
            "setmycommands" => or_bad(self.set_commands(params)),
            "getmycommands" => or_bad(self.tell_commands(params)),
            "deletemycommands" => or_bad(self.delete_commands(params)),
            "setmyname" => or_bad(self.set_profile(params, "name", 64)),
            "setmydescription" => or_bad(self.set_profile(params, "description", 512)),
            "setmyshortdescription" => or_bad(self.set_profile(params, "short_description", 120)),
            "getmyname" => or_bad(self.tell_profile(params, "name")),
            "getmydescription" => or_bad(self.tell_profile(params, "description")),
            "getmyshortdescription" => or_bad(self.tell_profile(params, "short_description")),
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

    fn tell_stars(&self) -> Reply {
        let tenths = self.lock().stars.unwrap_or(0);
        let (amount, rest) = (tenths / 10, tenths % 10);
        succeed(&json!({ "amount": amount, "nanostar_amount": rest * 100_000_000 }))
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
        Ok(succeed(&json_chat(id, chat)))
    }
}

impl State {
    pub(super) fn find_chat(&self, params: &Params) -> Result<i64, String> {
        let given = params.text("chat_id").filter(|given| !given.is_empty());
        let given = given.ok_or("chat_id is empty")?;
        let found = if given.starts_with('@') {
            self.usernames.get(&given).copied()
        } else {
            given.parse().ok()
        };
        found.ok_or_else(|| "chat not found".to_owned())
    }
}

fn or_bad(result: Result<Reply, String>) -> Reply {
    result.unwrap_or_else(|why| bad_request(&why))
}
