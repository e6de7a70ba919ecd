//! The stand-ins, over real sockets: what they accept and refuse, and how they break.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and its tasks end with it"
)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tidings::sandbox::fault::{Fault, Trouble};
use tidings::sandbox::limit::Limit;
use tidings::sandbox::site::{self, Site};
use tidings::sandbox::{messenger, telegram};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

const PATIENCE: Duration = Duration::from_secs(20);

async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("took too long")
}

fn client() -> reqwest::Client {
    // Fails when another test was first, and then it is installed as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().retry(reqwest::retry::never()).build().unwrap()
}

// ---- Telegram ----

struct Bot {
    server: telegram::Server,
    client: reqwest::Client,
}

impl Bot {
    async fn start(rules: telegram::Rules) -> Self {
        Self { server: telegram::Server::start(rules).await.unwrap(), client: client() }
    }

    fn url(&self, method: &str) -> String {
        format!("{}/bot{}/{method}", self.server.url(), self.server.token())
    }

    async fn call(&self, method: &str, body: Value) -> (u16, Value) {
        let answer = self.client.post(self.url(method)).json(&body).send();
        let answer = soon(answer).await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn says(&self, chat: i64, text: &str) -> (u16, Value) {
        self.call("sendMessage", json!({ "chat_id": chat, "text": text })).await
    }

    async fn updates(&self, offset: i64, timeout: u32) -> Vec<Value> {
        let body = json!({ "offset": offset, "timeout": timeout });
        let (status, answer) = self.call("getUpdates", body).await;
        assert_eq!(status, 200, "{answer}");
        answer["result"].as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn an_accepted_message_is_told_kept_and_on_the_phone() {
    let bot = Bot::start(telegram::Rules::default()).await;
    let person = bot.server.person(42, "ro");
    person.starts(Some("news"));
    let entities = json!([{ "type": "bold", "offset": 0, "length": 4 }]);
    let keyboard = json!({ "inline_keyboard": [[{ "text": "Stop", "callback_data": "stop" }]] });
    let (status, answer) = bot
        .call(
            "sendMessage",
            json!({ "chat_id": 42, "text": "Bună!", "entities": entities, "reply_markup": keyboard }),
        )
        .await;
    assert_eq!(status, 200);
    assert_eq!(answer["ok"], true);
    let message = &answer["result"];
    assert_eq!((&message["text"], &message["entities"]), (&json!("Bună!"), &entities));
    assert_eq!(message["chat"], json!({ "id": 42, "type": "private", "first_name": "Reader" }));

    let kept = bot.server.ledger().accepted();
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].address.as_str(), kept[0].text()), ("42", Some("Bună!")));
    assert_eq!(kept[0].message_id, message["message_id"].to_string());
    assert_eq!(bot.server.ledger().count_for(42), 1);

    let inbox = person.inbox();
    assert_eq!(inbox[0].text, "Bună!");
    assert_eq!(inbox[0].button("Stop"), Some("stop"));
    assert_eq!(person.history().len(), 2, "what the person wrote stands there too");
}

/// A multipart request: texts, then files by part.
fn multipart(texts: &[(&str, String)], files: &[(&str, &str, &[u8])]) -> (String, Vec<u8>) {
    let mut body = Vec::new();
    for (name, text) in texts {
        let head = format!("--cut\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
        body.extend([head.as_bytes(), text.as_bytes(), b"\r\n"].concat());
    }
    for (name, file, bytes) in files {
        let head = format!(
            "--cut\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        body.extend([head.as_bytes(), bytes, b"\r\n"].concat());
    }
    body.extend(b"--cut--\r\n");
    ("multipart/form-data; boundary=cut".to_owned(), body)
}

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    png.extend(width.to_be_bytes());
    png.extend(height.to_be_bytes());
    png
}

impl Bot {
    async fn uploads(
        &self,
        method: &str,
        texts: &[(&str, String)],
        files: &[(&str, &str, &[u8])],
    ) -> (u16, Value) {
        let (content_type, body) = multipart(texts, files);
        let request = self.client.post(self.url(method)).header("content-type", content_type);
        let answer = soon(request.body(body).send()).await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }
}

#[tokio::test]
async fn an_upload_is_kept_served_and_sent_again_by_its_id() {
    let bot = Bot::start(telegram::Rules::default()).await;
    let person = bot.server.person(7, "en");
    person.starts(None);
    let picture = png(1200, 630);
    let chat = [("chat_id", "7".to_owned())];
    let (status, answer) = bot.uploads("sendPhoto", &chat, &[("photo", "a.png", &picture)]).await;
    assert_eq!(status, 200, "{answer}");
    let id = answer["result"]["photo"].as_array().unwrap().last().unwrap()["file_id"].clone();
    let (_, file) = bot.call("getFile", json!({ "file_id": id })).await;
    let path = file["result"]["file_path"].as_str().unwrap();
    let address = format!("{}/file/bot{}/{path}", bot.server.url(), bot.server.token());
    let served = soon(bot.client.get(&address).send()).await.unwrap();
    assert_eq!(served.bytes().await.unwrap(), picture);
    assert_eq!(person.inbox()[0].photo.as_deref(), Some(address.as_str()));

    let (status, _) = bot.call("sendPhoto", json!({ "chat_id": 7, "photo": id })).await;
    assert_eq!(status, 200);
    let (_, answer) = bot.call("sendDocument", json!({ "chat_id": 7, "document": id })).await;
    assert_eq!(answer["description"], "Bad Request: can't use file of type Photo as Document");
    bot.server.forget_files();
    let (_, answer) = bot.call("sendPhoto", json!({ "chat_id": 7, "photo": id })).await;
    assert_eq!(answer["description"], "Bad Request: wrong file identifier/HTTP URL specified");

    for (bytes, why) in [
        (png(9000, 1001), "PHOTO_INVALID_DIMENSIONS"),
        (png(2100, 100), "PHOTO_INVALID_DIMENSIONS"),
        (b"<svg/>".to_vec(), "IMAGE_PROCESS_FAILED"),
        (vec![], "file must be non-empty"),
        (vec![0; (10 << 20) + 1], "file of size 10485761 bytes is too big for a photo"),
    ] {
        let (_, answer) = bot.uploads("sendPhoto", &chat, &[("photo", "a.png", &bytes)]).await;
        assert!(answer["description"].as_str().unwrap().contains(why), "{answer}");
    }
    let huge = vec![0; 51 << 20];
    let (status, _) = bot.uploads("sendDocument", &chat, &[("document", "a.bin", &huge)]).await;
    assert_eq!(status, 413);
}

#[tokio::test]
async fn an_album_is_taken_whole_or_not_at_all() {
    let bot = Bot::start(telegram::Rules::default()).await;
    let person = bot.server.person(7, "en");
    person.starts(None);
    let item = |kind: &str, media: &str| json!({ "type": kind, "media": media });
    let good = [
        json!({ "type": "photo", "media": "https://a.example/1.jpg", "caption": "C" }),
        item("video", "https://a.example/2.mp4"),
    ];
    let (status, answer) = bot.call("sendMediaGroup", json!({ "chat_id": 7, "media": good })).await;
    assert_eq!(status, 200, "{answer}");
    let messages = answer["result"].as_array().unwrap();
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[0]["media_group_id"], messages[1]["media_group_id"]);
    assert_eq!(messages[0]["caption"], "C");
    assert_eq!(person.inbox().len(), 2);
    let upload = json!([item("photo", "attach://a"), item("photo", "https://a.example/1.jpg")]);
    let texts = [("chat_id", "7".to_owned()), ("media", upload.to_string())];
    let (status, answer) =
        bot.uploads("sendMediaGroup", &texts, &[("a", "a.png", &png(9, 9))]).await;
    assert_eq!(status, 200, "{answer}");

    bot.server.refuse_urls("/bad", telegram::UrlRefusal::NotFetched);
    let photo = item("photo", "https://a.example/1.jpg");
    for (media, why) in [
        (json!([photo]), "too few messages to send as an album"),
        (json!(vec![photo.clone(); 11]), "too many messages to send as an album"),
        (json!([photo, item("audio", "https://a.example/a.mp3")]), "Audio can't be mixed"),
        (json!([photo, item("animation", "https://a.example/a.gif")]), "can't use the media"),
        (
            json!([photo, item("photo", "https://a.example/bad.jpg")]),
            "failed to send message #2 with the error message \"WEBPAGE_CURL_FAILED\"",
        ),
    ] {
        let (_, answer) = bot.call("sendMediaGroup", json!({ "chat_id": 7, "media": media })).await;
        assert!(answer["description"].as_str().unwrap().contains(why), "{answer}");
    }
    assert_eq!(person.inbox().len(), 4);
}

#[tokio::test]
async fn what_was_sent_can_be_edited_and_deleted() {
    let bot = Bot::start(telegram::Rules::default()).await;
    let person = bot.server.person(7, "en");
    person.starts(None);
    bot.says(7, "Old").await;
    let text = person.inbox()[0].message_id;
    let edit = |text: &str, words: i64| json!({ "chat_id": 7, "message_id": words, "text": text });
    let (status, answer) = bot.call("editMessageText", edit("New", text)).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["result"]["text"], "New");
    assert!(person.inbox()[0].edited_at.is_some());
    assert_eq!(person.inbox()[0].text, "New");
    let photo = json!({ "chat_id": 7, "photo": "https://a.example/1.jpg", "caption": "A" });
    let (_, sent) = bot.call("sendPhoto", photo).await;
    let photo = sent["result"]["message_id"].as_i64().unwrap();
    let caption = json!({ "chat_id": 7, "message_id": photo, "caption": "B" });
    assert_eq!(bot.call("editMessageCaption", caption).await.0, 200);
    let media = json!({ "type": "photo", "media": "https://a.example/2.jpg", "caption": "C" });
    let media = json!({ "chat_id": 7, "message_id": photo, "media": media });
    assert_eq!(bot.call("editMessageMedia", media.clone()).await.0, 200);
    assert_eq!(person.inbox()[1].photo.as_deref(), Some("https://a.example/2.jpg"));
    assert_eq!(bot.server.message(7, photo).unwrap()["caption"], "C");

    for (method, body, why) in [
        ("editMessageText", edit("New", text), "message is not modified"),
        ("editMessageMedia", media, "message is not modified"),
        ("editMessageText", edit("x", 999), "message to edit not found"),
        ("editMessageText", edit("x", photo), "there is no text in the message to edit"),
        ("editMessageText", edit(&"x".repeat(4097), text), "MESSAGE_TOO_LONG"),
        (
            "editMessageCaption",
            json!({ "chat_id": 7, "message_id": text, "caption": "x" }),
            "there is no caption in the message to edit",
        ),
        (
            "deleteMessage",
            json!({ "chat_id": 7, "message_id": 999 }),
            "message to delete not found",
        ),
    ] {
        let (status, answer) = bot.call(method, body).await;
        assert_eq!(status, 400);
        assert!(answer["description"].as_str().unwrap().contains(why), "{answer}");
    }
    assert_eq!(bot.call("deleteMessage", json!({ "chat_id": 7, "message_id": text })).await.0, 200);
    let rest = json!({ "chat_id": 7, "message_ids": [text, photo] });
    assert_eq!(bot.call("deleteMessages", rest).await.0, 200);
    assert_eq!(person.inbox(), []);
    assert_eq!(person.history().len(), 3, "the sandbox still shows that they were there");
    assert_eq!(bot.server.ledger().count_for(7), 2, "edits and deletions are no messages");
}

#[tokio::test]
async fn a_topic_must_be_there_and_open() {
    let bot = Bot::start(telegram::Rules::default()).await;
    bot.server.open_forum(-1001, [5, 6]);
    bot.server.close_topic(-1001, 6);
    let into = |topic: i64| json!({ "chat_id": -1001, "message_thread_id": topic, "text": "a" });
    assert_eq!(bot.call("sendMessage", into(5)).await.0, 200);
    for (topic, why) in [(6, "TOPIC_CLOSED"), (7, "message thread not found")] {
        let (_, answer) = bot.call("sendMessage", into(topic)).await;
        assert_eq!(answer["description"], format!("Bad Request: {why}"));
    }
}

#[tokio::test]
async fn a_pictures_address_or_file_id_can_be_sent() {
    let bot = Bot::start(telegram::Rules::default()).await;
    bot.server.open_chats([1, 2]);
    let picture = json!({ "chat_id": 1, "photo": "https://a.example/p.png", "caption": "A" });
    let (status, answer) = bot.call("sendPhoto", picture).await;
    assert_eq!((status, &answer["result"]["caption"]), (200, &json!("A")));
    let file_id = &answer["result"]["photo"][0]["file_id"];
    let (status, _) = bot.call("sendPhoto", json!({ "chat_id": 2, "photo": file_id })).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn parameters_mean_the_same_as_query_form_and_json() {
    let bot = Bot::start(telegram::Rules::default()).await;
    bot.server.open_chats([7]);
    let entities = r#"[{"type":"bold","offset":0,"length":2}]"#;
    let pairs = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("chat_id", "7")
        .append_pair("text", "hi")
        .append_pair("entities", entities)
        .finish();
    let url = bot.url("SENDMESSAGE");
    let query = bot.client.get(format!("{url}?{pairs}")).send();
    let form = bot.client.post(&url).body(pairs.clone());
    let form = form.header("content-type", "application/x-www-form-urlencoded").send();
    for answer in [query.await.unwrap(), form.await.unwrap()] {
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["result"]["entities"][0]["type"], "bold", "{answer}");
    }
}

#[tokio::test]
async fn telegram_refuses_wrong_content_in_its_words() {
    let bot = Bot::start(telegram::Rules::default()).await;
    bot.server.open_chats([1]);
    let long_data = json!({ "inline_keyboard": [[
        { "text": "a", "callback_data": "x".repeat(65) },
    ]] });
    let bad_url = json!({ "inline_keyboard": [[{ "text": "a", "url": "nothing" }]] });
    let past_end = json!([{ "type": "bold", "offset": 1, "length": 2 }]);
    for (method, body, refusal) in [
        ("sendMessage", json!({ "text": "" }), "message text is empty"),
        ("sendMessage", json!({ "text": " \n " }), "text must be non-empty"),
        ("sendMessage", json!({ "text": "x".repeat(4097) }), "message is too long"),
        ("sendMessage", json!({ "text": "x".repeat(32_769) }), "text is too long"),
        ("sendMessage", json!({ "text": "é!", "entities": past_end }), "ENTITY_BOUNDS_INVALID"),
        ("sendMessage", json!({ "text": "a", "reply_markup": long_data }), "BUTTON_DATA_INVALID"),
        ("sendMessage", json!({ "text": "a", "reply_markup": bad_url }), "BUTTON_URL_INVALID"),
        ("sendMessage", json!({ "text": "a", "parse_mode": "Txt" }), "unsupported parse_mode"),
        ("sendMessage", json!({ "text": "a", "chat_id": "" }), "chat_id is empty"),
        ("sendMessage", json!({ "text": "a", "chat_id": "@nobody" }), "chat not found"),
        ("sendPhoto", json!({}), "there is no photo in the request"),
        (
            "sendPhoto",
            json!({ "photo": "https://a.example/p.png", "caption": "x".repeat(1025) }),
            "message caption is too long",
        ),
        (
            "sendPhoto",
            json!({ "photo": "ftp://a.example/p" }),
            "invalid file HTTP URL specified: unsupported URL protocol",
        ),
        (
            "sendPhoto",
            json!({ "photo": "sandbox-photo-unknown" }),
            "wrong file identifier/HTTP URL specified",
        ),
        (
            "setMyCommands",
            json!({ "commands": [{ "command": "Stop!", "description": "x" }] }),
            "BOT_COMMAND_INVALID",
        ),
        (
            "answerCallbackQuery",
            json!({ "callback_query_id": "1" }),
            "query is too old and response timeout expired or query ID is invalid",
        ),
    ] {
        let mut body = body;
        if body.get("chat_id").is_none() {
            body["chat_id"] = json!(1);
        }
        let (status, answer) = bot.call(method, body).await;
        assert_eq!(status, 400, "{answer}");
        assert_eq!(answer["description"], format!("Bad Request: {refusal}"));
        assert_eq!((&answer["ok"], &answer["error_code"]), (&json!(false), &json!(400)));
    }
    assert_eq!(bot.server.ledger().accepted_total(), 0);
    let no_utf8 = bot.client.post(bot.url("sendMessage")).body(vec![b'"', 0xff, b'"']);
    let no_utf8 = no_utf8.header("content-type", "application/json").send().await.unwrap();
    let answer: Value = no_utf8.json().await.unwrap();
    assert_eq!(answer["description"], "Bad Request: strings must be encoded in UTF-8");
}

#[tokio::test]
async fn telegram_says_who_cannot_be_reached() {
    use telegram::Standing::{Blocked, Deactivated, Moved, NeverStarted, ReadOnly};
    let bot = Bot::start(telegram::Rules::default()).await;
    let (group, supergroup, channel) = (-5, -100_500, -100_600);
    bot.server.open_chats([1]);
    bot.server.open_group(group);
    bot.server.open_group(supergroup);
    bot.server.open_channel(channel, "@paper");
    for (chat, standing, code, words) in [
        (1, NeverStarted, 403, "Forbidden: bot can't initiate conversation with a user"),
        (1, Blocked, 403, "Forbidden: bot was blocked by the user"),
        (1, Deactivated, 403, "Forbidden: user is deactivated"),
        (group, Blocked, 403, "Forbidden: bot was kicked from the group chat"),
        (supergroup, Blocked, 403, "Forbidden: bot was kicked from the supergroup chat"),
        (channel, Blocked, 403, "Forbidden: bot was kicked from the channel chat"),
        (channel, ReadOnly, 400, "Bad Request: need administrator rights in the channel chat"),
        (group, Deactivated, 403, "Forbidden: the group chat was deleted"),
        (
            group,
            Moved(supergroup),
            400,
            "Bad Request: group chat was upgraded to a supergroup chat",
        ),
    ] {
        bot.server.set_standing(chat, standing);
        let (status, answer) = bot.says(chat, "a").await;
        assert_eq!((status, answer["description"].as_str()), (code, Some(words)));
        if let Moved(to) = standing {
            assert_eq!(answer["parameters"]["migrate_to_chat_id"], to);
        }
    }
    let (status, answer) = bot.says(999, "a").await;
    assert_eq!((status, &answer["description"]), (400, &json!("Bad Request: chat not found")));
    bot.server.set_standing(channel, telegram::Standing::Open);
    let (status, _) = bot.call("sendMessage", json!({ "chat_id": "@paper", "text": "a" })).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn telegram_knows_its_token_and_methods() {
    let bot = Bot::start(telegram::Rules::default()).await;
    for (path, code, words) in [
        ("/bot123:wrong/getMe", 401, "Unauthorized"),
        ("/botnonsense/getMe", 404, "Not Found"),
        ("/else", 404, "Not Found"),
    ] {
        let answer = bot.client.get(format!("{}{path}", bot.server.url())).send().await.unwrap();
        assert_eq!(answer.status(), code);
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["description"], words);
    }
    let (status, answer) = bot.call("launchRocket", json!({})).await;
    assert_eq!((status, &answer["description"]), (404, &json!("Not Found: method not found")));
    let (status, answer) = bot.call("getMe", json!({})).await;
    assert_eq!((status, &answer["result"]["is_bot"]), (200, &json!(true)));
    bot.server.revoke_token();
    assert_eq!(bot.call("getMe", json!({})).await.0, 401);
}

#[tokio::test]
async fn telegrams_limits_answer_429_with_the_time_to_wait() {
    let minute = Duration::from_secs(60);
    let rules = telegram::Rules {
        per_bot: Some(Limit::new(4, minute)),
        per_chat: Some(Limit::new(1, Duration::from_secs(30))),
        per_group: Some(Limit::new(2, minute)),
        ..telegram::Rules::default()
    };
    let bot = Bot::start(rules).await;
    bot.server.open_chats([1, 2]);
    bot.server.open_group(-5);
    assert_eq!(bot.says(1, "a").await.0, 200);
    let answer = bot.client.post(bot.url("sendMessage"));
    let answer = answer.json(&json!({ "chat_id": 1, "text": "a" })).send().await.unwrap();
    assert_eq!(answer.status(), 429);
    assert_eq!(answer.headers()["retry-after"], "30");
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["parameters"]["retry_after"], 30);
    assert_eq!(body["description"], "Too Many Requests: retry after 30");
    assert_eq!(bot.says(-5, "a").await.0, 200);
    assert_eq!(bot.says(-5, "a").await.0, 200);
    assert_eq!(bot.says(-5, "a").await.1["parameters"]["retry_after"], 60);
    assert_eq!(bot.says(2, "a").await.0, 200);
    assert_eq!(bot.says(2, "a").await.1["parameters"]["retry_after"], 60, "the bot's own limit");
    assert_eq!(bot.server.ledger().statuses(), [(200, 4), (429, 3)].into());
}

#[tokio::test]
async fn updates_come_until_they_are_confirmed() {
    let bot = Bot::start(telegram::Rules::default()).await;
    let person = bot.server.person(42, "ro");
    person.starts(Some("news"));
    person.says("hello");
    let first = bot.updates(0, 0).await;
    assert_eq!(first.len(), 2);
    assert_eq!(first[0]["message"]["text"], "/start news");
    assert_eq!(first[0]["message"]["entities"][0]["type"], "bot_command");
    assert_eq!(first[0]["message"]["from"]["language_code"], "ro");
    assert_eq!(bot.updates(0, 0).await, first, "nothing was confirmed");
    let next = first[0]["update_id"].as_i64().unwrap() + 1;
    assert_eq!(bot.updates(next, 0).await, first[1..]);
    assert_eq!(bot.updates(next + 1, 0).await, Vec::<Value>::new());
    assert_eq!(bot.server.updates_pending(), 0);
}

#[tokio::test]
async fn a_waiting_poll_wakes_for_an_update_and_yields_to_another_poll() {
    let bot = Arc::new(Bot::start(telegram::Rules::default()).await);
    let person = bot.server.person(42, "en");
    let waiting = tokio::spawn({
        let bot = Arc::clone(&bot);
        async move { bot.call("getUpdates", json!({ "timeout": 50 })).await }
    });
    soon(bot.server.ledger().wait_until(|_| bot.server.polls_waiting() == 1)).await;
    let second = tokio::spawn({
        let bot = Arc::clone(&bot);
        async move { bot.call("getUpdates", json!({ "timeout": 50 })).await }
    });
    let (status, answer) = soon(waiting).await.unwrap();
    assert_eq!(status, 409);
    let words = answer["description"].as_str().unwrap();
    assert!(words.starts_with("Conflict: terminated by other getUpdates request"), "{words}");
    soon(bot.server.ledger().wait_until(|_| bot.server.polls_waiting() == 1)).await;
    person.starts(None);
    let (status, answer) = soon(second).await.unwrap();
    assert_eq!((status, &answer["result"][0]["message"]["text"]), (200, &json!("/start")));
}

#[tokio::test]
async fn a_tap_comes_as_a_callback_query_and_is_answered_once() {
    let bot = Bot::start(telegram::Rules::default()).await;
    let person = bot.server.person(42, "en");
    person.starts(None);
    let keyboard = json!({ "inline_keyboard": [[{ "text": "Stop", "callback_data": "stop" }]] });
    let message = json!({ "chat_id": 42, "text": "a", "reply_markup": keyboard });
    bot.call("sendMessage", message).await;
    let message_id = person.inbox()[0].message_id;
    assert_eq!(person.taps(message_id, "other"), None, "there is no such button");
    let tap = person.taps(message_id, "stop").unwrap();
    let updates = bot.updates(0, 0).await;
    let query = &updates.last().unwrap()["callback_query"];
    assert_eq!((&query["id"], &query["data"]), (&json!(tap), &json!("stop")));
    assert_eq!(query["message"]["message_id"], message_id);
    assert_eq!(bot.server.tap_answer(&tap), None);
    let answer = json!({ "callback_query_id": tap, "text": "Done" });
    assert_eq!(bot.call("answerCallbackQuery", answer.clone()).await.0, 200);
    assert_eq!(bot.server.tap_answer(&tap).unwrap()["text"], "Done");
    assert_eq!(bot.call("answerCallbackQuery", answer).await.0, 400);
}

#[tokio::test]
async fn a_block_is_told_and_starting_again_lifts_it() {
    let bot = Bot::start(telegram::Rules::default()).await;
    let person = bot.server.person(42, "en");
    person.starts(None);
    person.blocks();
    assert_eq!(bot.says(42, "a").await.0, 403);
    person.starts(None);
    assert_eq!(bot.says(42, "a").await.0, 200);
    let updates = bot.updates(0, 0).await;
    let statuses: Vec<&str> = updates
        .iter()
        .filter_map(|update| update["my_chat_member"]["new_chat_member"]["status"].as_str())
        .collect();
    assert_eq!(statuses, ["kicked", "member"]);
    let kinds = json!({ "allowed_updates": ["message"], "offset": -1 });
    bot.call("getUpdates", kinds).await;
    person.blocks();
    assert_eq!(bot.server.updates_pending(), 1, "a kind that is not wanted is not kept");
}

#[tokio::test]
async fn a_webhook_gets_updates_with_the_secret_until_it_takes_them() {
    let rules =
        telegram::Rules { webhook_pause: Duration::from_millis(5), ..telegram::Rules::default() };
    let bot = Bot::start(rules).await;
    let person = bot.server.person(42, "en");
    let mut hook = Hook::start([500, 503]).await;
    let set = json!({ "url": hook.url, "secret_token": "s3cret" });
    assert_eq!(bot.call("setWebhook", set).await.0, 200);
    assert_eq!(bot.call("getUpdates", json!({})).await.0, 409);
    person.starts(None);
    person.says("hello");
    let mut texts = vec![];
    for _ in 0..4 {
        let post = soon(hook.posts.recv()).await.unwrap();
        assert_eq!(post.headers["x-telegram-bot-api-secret-token"], "s3cret");
        let update: Value = serde_json::from_slice(&post.body).unwrap();
        texts.push(update["message"]["text"].as_str().unwrap().to_owned());
    }
    assert_eq!(texts, ["/start", "/start", "/start", "hello"]);
    let (_, info) = bot.call("getWebhookInfo", json!({})).await;
    let words = &info["result"]["last_error_message"];
    assert_eq!(words, "Wrong response from the webhook: 503");
    bot.call("deleteWebhook", json!({})).await;
    assert_eq!(bot.call("getUpdates", json!({})).await.0, 200);
}

// ---- Messenger ----

struct Page {
    server: messenger::Server,
    client: reqwest::Client,
}

impl Page {
    async fn start(rules: messenger::Rules) -> Self {
        Self { server: messenger::Server::start(rules).await.unwrap(), client: client() }
    }

    fn url(&self, edge: &str) -> String {
        format!("{}/v25.0/{}/{edge}", self.server.url(), self.server.page_id())
    }

    async fn post(&self, edge: &str, body: Value) -> (u16, Value) {
        let token = self.server.page_token();
        let answer = self.client.post(self.url(edge)).bearer_auth(token).json(&body).send();
        let answer = soon(answer).await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn sends(&self, psid: &str, message: Value) -> (u16, Value) {
        let body = json!({
            "recipient": { "id": psid }, "messaging_type": "UPDATE", "message": message,
        });
        self.post("messages", body).await
    }
}

fn codes(answer: &Value) -> (u64, Option<u64>) {
    let error = &answer["error"];
    (error["code"].as_u64().unwrap_or(0), error["error_subcode"].as_u64())
}

#[tokio::test]
async fn a_message_in_the_window_is_told_kept_and_on_the_phone() {
    let page = Page::start(messenger::Rules::default()).await;
    let person = page.server.person("77");
    let (status, answer) = page.sends("77", json!({ "text": "hi" })).await;
    assert_eq!((status, codes(&answer)), (403, (10, Some(2_018_278))), "who never wrote");
    person.says("hello");
    let (status, answer) = page.sends("77", json!({ "text": "Bună!" })).await;
    assert_eq!((status, &answer["recipient_id"]), (200, &json!("77")));
    assert_eq!(page.server.ledger().accepted()[0].text(), Some("Bună!"));
    let inbox = person.inbox();
    assert_eq!(inbox[0].text(), Some("Bună!"));
    assert_eq!(answer["message_id"], inbox[0].message_id);

    page.server.closes_window("77");
    let (_, answer) = page.sends("77", json!({ "text": "late" })).await;
    assert_eq!(codes(&answer), (10, Some(2_018_278)));
    person.says("back");
    page.server.set_clock_ahead(messenger::WINDOW);
    let (_, answer) = page.sends("77", json!({ "text": "a day later" })).await;
    assert_eq!(codes(&answer), (10, Some(2_018_278)));
    assert!(!person.has_open_window());
}

#[tokio::test]
async fn messenger_refuses_wrong_requests_by_code() {
    let page = Page::start(messenger::Rules::default()).await;
    page.server.open_chats(["1"]);
    let to = json!({ "id": "1" });
    for (body, expected) in [
        (json!({ "message": { "text": "x".repeat(2000) } }), (100, Some(2_018_034))),
        (json!({ "message": {} }), (100, None)),
        (
            json!({ "message": { "text": "a" }, "sender_action": "typing_on" }),
            (100, Some(2_018_014)),
        ),
        (json!({ "message": { "text": "a" }, "recipient": { "id": "2" } }), (100, Some(2_018_001))),
        (json!({ "message": { "text": "a" }, "messaging_type": "NEWS" }), (100, None)),
        (
            json!({ "message": { "text": "a" }, "messaging_type": "MESSAGE_TAG",
                    "tag": "CONFIRMED_EVENT_UPDATE" }),
            (100, None),
        ),
        (
            json!({ "message": { "text": "a" }, "messaging_type": "MESSAGE_TAG",
                    "tag": "NON_PROMOTIONAL_SUBSCRIPTION" }),
            (10, Some(2_018_065)),
        ),
        (
            json!({ "message": { "attachment": { "type": "image",
                    "payload": { "attachment_id": "5" } } } }),
            (100, Some(2_018_074)),
        ),
        (
            json!({ "message": { "attachment": { "type": "image",
                    "payload": { "url": "nothing" } } } }),
            (100, Some(2_018_008)),
        ),
    ] {
        let mut body = body;
        if body.get("recipient").is_none() {
            body["recipient"] = to.clone();
        }
        let (status, answer) = page.post("messages", body.clone()).await;
        assert!(status == 400 || status == 403, "{body}: {answer}");
        assert_eq!(codes(&answer), expected, "{body}: {answer}");
    }
    assert_eq!(page.server.ledger().accepted_total(), 0);
    let (status, answer) =
        page.post("messages", json!({ "recipient": to, "sender_action": "typing_on" })).await;
    assert_eq!((status, &answer["recipient_id"]), (200, &json!("1")));
}

/// The first bytes of a PNG file, which is all that is looked at.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\nthe rest";

#[tokio::test]
async fn an_uploaded_file_is_sent_by_its_id_until_that_ends() {
    let page = Page::start(messenger::Rules::default()).await;
    let person = page.server.person("1");
    person.says("hello");
    let upload = |edge: &'static str, fields: Vec<(&'static str, Value)>, file: &'static [u8]| {
        let texts: Vec<(&str, String)> =
            fields.iter().map(|(name, value)| (*name, value.to_string())).collect();
        let (kind, body) = multipart(&texts, &[("filedata", "a.png", file)]);
        let post = page.client.post(page.url(edge)).bearer_auth(page.server.page_token());
        let post = post.header("content-type", kind).body(body).send();
        async move { soon(post).await.unwrap().json::<Value>().await.unwrap() }
    };
    let image = json!({ "attachment": { "type": "image", "payload": { "is_reusable": true } } });
    let answer = upload("message_attachments", vec![("message", image.clone())], PNG).await;
    let id = answer["attachment_id"].as_str().unwrap().to_owned();
    let by_id = |kind: &str, id: &str| json!({ "attachment": { "type": kind, "payload": { "attachment_id": id } } });
    assert_eq!(page.sends("1", by_id("image", &id)).await.0, 200);
    let shown = person.inbox()[0].media[0].clone();
    let seen = soon(page.client.get(shown).send()).await.unwrap();
    assert_eq!(soon(seen.bytes()).await.unwrap(), PNG);
    let (_, answer) = page.sends("1", by_id("video", &id)).await;
    assert_eq!(codes(&answer), (100, Some(2_018_047)), "an image is no video");

    // Together with the message, and by the id that the answer tells.
    let to = json!({ "id": "1" });
    let both = vec![("recipient", to), ("message", image.clone())];
    let answer = upload("messages", both, PNG).await;
    assert!(answer["message_id"].is_string(), "{answer}");
    let second = answer["attachment_id"].as_str().unwrap().to_owned();
    let listed = |id: &str| by_id("image", id)["attachment"].clone();
    let album = json!({ "attachments": [listed(&id), listed(&second)] });
    assert_eq!(page.sends("1", album.clone()).await.0, 200);
    assert_eq!(person.inbox()[2].media.len(), 2);

    let answer = upload("message_attachments", vec![("message", image)], b"RIFF....WEBP").await;
    assert_eq!(codes(&answer), (100, Some(2_018_047)));
    let other = Page::start(messenger::Rules::default()).await;
    other.server.open_chats(["1"]);
    let (_, answer) = other.sends("1", by_id("image", &id)).await;
    assert_eq!(codes(&answer), (100, Some(2_018_074)), "another page's");
    page.server.expires_attachments();
    let (_, answer) = page.sends("1", album).await;
    assert_eq!(codes(&answer), (100, Some(2_018_074)), "expired");
}

#[tokio::test]
async fn a_file_is_fetched_from_its_address_and_must_be_what_it_is_said_to_be() {
    let rules = messenger::Rules { fetches_media: true, ..messenger::Rules::default() };
    let page = Page::start(rules).await;
    page.server.open_chats(["1"]);
    let site = tidings::sandbox::site::Site::start(Default::default()).await.unwrap();
    let of = |kind: &str, url: &str| json!({ "attachment": { "type": kind, "payload": { "url": url, "is_reusable": true } } });
    let picture = format!("{}/pictures/1.png", site.url());
    let (status, answer) = page.sends("1", of("image", &picture)).await;
    assert!(status == 200 && answer["attachment_id"].is_string(), "{answer}");
    for (kind, url, subcode) in [
        ("image", format!("{}/nothing-here", site.url()), 2_018_008),
        ("image", site.url().to_owned(), 2_018_047),
        ("video", picture, 2_018_047),
        ("image", "http://127.0.0.1:9/a.png".to_owned(), 2_018_008),
    ] {
        let (_, answer) = page.sends("1", of(kind, &url)).await;
        assert_eq!(codes(&answer), (100, Some(subcode)), "{kind} {url}");
    }
}

#[tokio::test]
async fn a_person_who_blocked_is_unavailable_until_they_write() {
    let page = Page::start(messenger::Rules::default()).await;
    let person = page.server.person("1");
    person.says("hello");
    person.blocks();
    let (_, answer) = page.sends("1", json!({ "text": "a" })).await;
    assert_eq!(codes(&answer), (551, Some(1_545_041)));
    person.says("again");
    assert_eq!(page.sends("1", json!({ "text": "a" })).await.0, 200);
}

#[tokio::test]
async fn trouble_with_the_page_meets_every_message() {
    use messenger::PageTrouble::*;
    let page = Page::start(messenger::Rules::default()).await;
    page.server.open_chats(["1"]);
    for (trouble, expected) in [
        (TokenExpired, (190, Some(463))),
        (PasswordChanged, (190, Some(460))),
        (AppRemoved, (190, Some(458))),
        (Blocked, (368, Some(1_390_008))),
        (Restricted, (10, Some(1_893_063))),
        (NoPermission, (10, None)),
    ] {
        page.server.set_page_trouble(Some(trouble));
        let (_, answer) = page.sends("1", json!({ "text": "a" })).await;
        assert_eq!(codes(&answer), expected);
    }
    page.server.set_page_trouble(None);
    assert_eq!(page.sends("1", json!({ "text": "a" })).await.0, 200);
}

#[tokio::test]
async fn the_graph_api_checks_token_proof_and_path() {
    let rules = messenger::Rules { requires_proof: true, ..messenger::Rules::default() };
    let page = Page::start(rules).await;
    page.server.open_chats(["1"]);
    let body = json!({ "recipient": { "id": "1" }, "message": { "text": "a" } });
    let (token, url) = (page.server.page_token(), page.url("messages"));
    let proof = messenger::signature(page.server.app_secret(), token.as_bytes());
    let proof = proof.trim_start_matches("sha256=");
    for (query, expected) in [
        (String::new(), 104),
        ("?access_token=wrong".into(), 190),
        (format!("?access_token={token}"), 100),
        (format!("?access_token={token}&appsecret_proof=00"), 100),
        (format!("?access_token={token}&appsecret_proof={proof}"), 0),
    ] {
        let answer = page.client.post(format!("{url}{query}")).json(&body).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(codes(&answer).0, expected, "{answer}");
    }
    let other = format!("{}/v25.0/999/messages", page.server.url());
    let answer = page.client.post(other).bearer_auth(token).json(&body).send().await.unwrap();
    assert_eq!(codes(&answer.json().await.unwrap()), (100, Some(33)));
}

#[tokio::test]
async fn a_rate_is_kept_and_told_in_the_usage_headers() {
    let rules = messenger::Rules {
        rate: Some(Limit::new(2, Duration::from_secs(60))),
        ..messenger::Rules::default()
    };
    let page = Page::start(rules).await;
    page.server.open_chats(["1"]);
    let mut used = vec![];
    for _ in 0..3 {
        let body = json!({ "recipient": { "id": "1" }, "message": { "text": "a" } });
        let token = page.server.page_token();
        let answer = page.client.post(page.url("messages")).bearer_auth(token).json(&body).send();
        let answer = answer.await.unwrap();
        let usage: Value =
            serde_json::from_slice(answer.headers()["x-business-use-case-usage"].as_bytes())
                .unwrap();
        used.push((answer.status().as_u16(), usage["1234567890"][0]["call_count"].clone()));
    }
    assert_eq!(used, [(200, json!(50)), (200, json!(100)), (400, json!(100))]);
}

#[tokio::test]
async fn the_profile_is_kept_and_limited_to_ten_changes() {
    let page = Page::start(messenger::Rules::default()).await;
    let menu = json!([{ "locale": "default", "call_to_actions": [
        { "type": "postback", "title": "Stop", "payload": "STOP" },
    ]}]);
    let (_, refused) = page.post("messenger_profile", json!({ "persistent_menu": menu })).await;
    assert_eq!(codes(&refused), (100, Some(2_018_145)), "a menu needs Get Started");
    let start = json!({ "get_started": { "payload": "BEGIN" }, "persistent_menu": menu });
    let (_, answer) = page.post("messenger_profile", start.clone()).await;
    assert_eq!(answer, json!({ "result": "success" }));
    assert_eq!(page.server.profile()["get_started"]["payload"], "BEGIN");
    for _ in 0..8 {
        assert_eq!(page.post("messenger_profile", start.clone()).await.0, 200);
    }
    assert_eq!(codes(&page.post("messenger_profile", start).await.1), (613, None));
    let fields = json!({ "subscribed_fields": "messages,messaging_postbacks" });
    assert_eq!(page.post("subscribed_apps", fields).await.1, json!({ "success": true }));
    assert_eq!(page.server.subscribed_fields(), ["messages", "messaging_postbacks"]);
}

#[tokio::test]
async fn events_are_signed_over_escaped_bytes_and_repeated_until_taken() {
    let mut hook = Hook::start([500]).await;
    let rules = messenger::Rules {
        webhook: Some(hook.url.clone()),
        webhook_pause: Duration::from_millis(5),
        ..messenger::Rules::default()
    };
    let page = Page::start(rules).await;
    let person = page.server.person("77");
    person.starts(Some("news"));
    let mut posts = vec![];
    for _ in 0..2 {
        posts.push(soon(hook.posts.recv()).await.unwrap());
    }
    assert_eq!(posts[0].body, posts[1].body, "a refused event comes again, the same");
    let event: Value = serde_json::from_slice(&posts[1].body).unwrap();
    let item = &event["entry"][0]["messaging"][0];
    assert_eq!(item["sender"]["id"], "77");
    assert_eq!(item["postback"]["payload"], "GET_STARTED");
    assert_eq!(item["postback"]["referral"]["ref"], "news");

    page.server.set_events_doubled(true);
    person.says("Știri 🎈");
    for _ in 0..2 {
        let post = soon(hook.posts.recv()).await.unwrap();
        assert!(post.body.is_ascii());
        let signature = messenger::signature(page.server.app_secret(), &post.body);
        assert_eq!(post.headers["x-hub-signature-256"], signature);
        let event: Value = serde_json::from_slice(&post.body).unwrap();
        assert_eq!(event["entry"][0]["messaging"][0]["message"]["text"], "Știri 🎈");
    }
}

#[tokio::test]
async fn taps_come_as_postbacks_and_quick_replies_as_messages() {
    let mut hook = Hook::start([]).await;
    let page = Page::start(messenger::Rules::default()).await;
    page.server.set_webhook(&hook.url);
    let person = page.server.person("77");
    person.says("hello");
    soon(hook.posts.recv()).await.unwrap();
    let template = json!({ "attachment": { "type": "template", "payload": {
        "template_type": "button", "text": "News?",
        "buttons": [{ "type": "postback", "title": "Stop", "payload": "STOP" }],
    }}, "quick_replies": [{ "content_type": "text", "title": "More", "payload": "MORE" }] });
    assert_eq!(page.sends("77", template).await.0, 200);
    let message = &person.inbox()[0];
    assert_eq!((message.text(), message.button("Stop")), (Some("News?"), Some("STOP")));
    assert!(person.taps("STOP") && person.taps("MORE") && !person.taps("OTHER"));
    let mut items = vec![];
    for _ in 0..2 {
        let post = soon(hook.posts.recv()).await.unwrap();
        let event: Value = serde_json::from_slice(&post.body).unwrap();
        items.push(event["entry"][0]["messaging"][0].clone());
    }
    assert_eq!(items[0]["postback"]["payload"], "STOP");
    assert_eq!(items[1]["message"]["quick_reply"]["payload"], "MORE");
}

#[tokio::test]
async fn echoes_carry_the_metadata() {
    let mut hook = Hook::start([]).await;
    let rules = messenger::Rules {
        webhook: Some(hook.url.clone()),
        echoes: true,
        ..messenger::Rules::default()
    };
    let page = Page::start(rules).await;
    page.server.open_chats(["1"]);
    page.sends("1", json!({ "text": "a", "metadata": "post:7" })).await;
    let post = soon(hook.posts.recv()).await.unwrap();
    let event: Value = serde_json::from_slice(&post.body).unwrap();
    let item = &event["entry"][0]["messaging"][0];
    assert_eq!(
        (&item["sender"]["id"], &item["recipient"]["id"]),
        (&json!("1234567890"), &json!("1"))
    );
    assert_eq!(item["message"]["is_echo"], true);
    assert_eq!(item["message"]["metadata"], "post:7");
}

#[tokio::test]
async fn a_webhook_proves_itself_by_the_challenge() {
    let hook = Hook::start([]).await;
    let page = Page::start(messenger::Rules::default()).await;
    assert!(!page.server.verifies_webhook("right").await, "there is no webhook yet");
    page.server.set_webhook(&hook.url);
    assert!(soon(page.server.verifies_webhook("right")).await);
    assert!(!soon(page.server.verifies_webhook("wrong")).await);
}

// ---- The blog ----

#[tokio::test]
async fn the_feed_answers_conditional_requests_until_a_post_appears() {
    let site = Site::start(Default::default()).await.unwrap();
    site.publish("First & foremost", "<p>With <b>bold</b> words.</p>");
    let client = client();
    let first = client.get(site.feed_url()).send().await.unwrap();
    assert_eq!(first.status(), 200);
    let (tag, date) = (first.headers()["etag"].clone(), first.headers()["last-modified"].clone());
    let xml = first.text().await.unwrap();
    assert!(xml.contains("<title>First &amp; foremost</title>"), "{xml}");
    assert!(xml.contains("<![CDATA[<p>With <b>bold</b> words.</p>]]>"), "{xml}");
    let by_tag = client.get(site.feed_url()).header("if-none-match", &tag).send();
    assert_eq!(by_tag.await.unwrap().status(), 304);
    let by_date = client.get(site.feed_url()).header("if-modified-since", &date).send();
    assert_eq!(by_date.await.unwrap().status(), 304);
    let link = site.publish("Second", "<p>More.</p>");
    let both = client.get(site.feed_url()).header("if-none-match", &tag);
    let both = both.header("if-modified-since", &date).send().await.unwrap();
    assert_eq!(both.status(), 200, "the tag wins over the date");
    assert!(both.text().await.unwrap().contains(&link));
    assert!(client.get(link).send().await.unwrap().text().await.unwrap().contains("More."));
    let tally = site.tally().borrow().clone();
    assert_eq!((tally.posts, tally.polls, tally.unchanged), (2, 4, 2));
}

#[tokio::test]
async fn the_blog_writes_by_itself_and_its_pictures_are_png() {
    let interval = Some(Duration::from_millis(5));
    let options = site::Options { interval, posts: 1, ..Default::default() };
    let site = Site::start(options).await.unwrap();
    soon(site.tally().wait_for(|tally| tally.posts >= 3)).await.unwrap();
    let picture = client().get(format!("{}/pictures/1.png", site.url())).send().await.unwrap();
    assert_eq!(picture.headers()["content-type"], "image/png");
    assert!(picture.bytes().await.unwrap().starts_with(b"\x89PNG"));
}

// ---- Faults ----

/// One request by hand; what comes back until the connection ends, and how it ends.
async fn wire(bot: &Bot) -> (String, std::io::Result<()>) {
    let body = json!({ "chat_id": 1, "text": "a" }).to_string();
    let request = format!(
        "POST /bot{}/sendMessage HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        bot.server.token(),
        body.len(),
    );
    let mut stream = TcpStream::connect(bot.server.address()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut came = Vec::new();
    let ended = soon(stream.read_to_end(&mut came)).await.map(drop);
    (String::from_utf8(came).unwrap(), ended)
}

#[tokio::test]
async fn each_fault_breaks_the_wire_in_its_way_and_the_ledger_tells_the_truth() {
    let bot = Bot::start(telegram::Rules::default()).await;
    bot.server.open_chats([1]);
    let (whole, _) = wire(&bot).await;
    assert!(whole.starts_with("HTTP/1.1 200"), "{whole}");
    let whole_json = whole.split("\r\n\r\n").nth(1).unwrap();
    let reset = Some(std::io::ErrorKind::ConnectionReset);
    for (fault, status, body_bytes, end, is_accepted) in [
        (Fault::slow(Duration::from_millis(10)), "200", whole_json.len(), None, true),
        (Fault::html(502), "502", 72, None, false),
        (Fault::json(200, "{\"ok\":tr"), "200", 8, None, false),
        (telegram::throttled(Some(17)), "429", 0, None, false),
        (telegram::throttled(None), "429", 0, None, false),
        (telegram::server_error(500), "500", 0, None, false),
        (Fault::Truncated, "200", whole_json.len() / 2, None, true),
        (Fault::Cut { bytes: 20 }, "200", 0, reset, true),
        (Fault::Cut { bytes: whole.len() - 1 }, "200", whole_json.len() - 1, reset, true),
        (Fault::Reset { is_accepted: false }, "", 0, reset, false),
        (Fault::Reset { is_accepted: true }, "", 0, reset, true),
        (Fault::Closed { is_accepted: false }, "", 0, None, false),
        (Fault::lie(), "", 0, None, true),
    ] {
        bot.server.ledger().clear();
        bot.server.faults().add(Trouble::new(fault.clone()).times(1));
        let (came, ended) = wire(&bot).await;
        assert_eq!(ended.err().map(|error| error.kind()), end, "{fault:?}: {came}");
        let came_status = came.strip_prefix("HTTP/1.1 ").map_or("", |rest| &rest[..3]);
        assert_eq!(came_status, status, "{fault:?}: {came}");
        if body_bytes > 0 {
            let body = came.split("\r\n\r\n").nth(1).unwrap_or_default();
            assert_eq!(body.len(), body_bytes, "{fault:?}: {body}");
        }
        assert_eq!(bot.server.ledger().accepted_total(), u64::from(is_accepted), "{fault:?}");
        soon(bot.server.ledger().wait_until(|ledger| ledger.requests_total() == 1)).await;
        assert_eq!(bot.server.ledger().requests()[0].is_accepted, is_accepted, "{fault:?}");
    }
    let (status, _) = bot.says(1, "after the faults").await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn a_hanging_request_is_under_way_until_the_client_leaves() {
    for is_accepted in [true, false] {
        let bot = Bot::start(telegram::Rules::default()).await;
        bot.server.open_chats([1]);
        bot.server.faults().add(Trouble::new(Fault::Hang { is_accepted }).times(1));
        let ledger = bot.server.ledger().clone();
        let hanging = tokio::spawn({
            let request = bot.client.post(bot.url("sendMessage"));
            request.json(&json!({ "chat_id": 1, "text": "a" })).send()
        });
        soon(ledger.wait_until(|_| bot.server.faults().strikes() == 1)).await;
        if is_accepted {
            soon(ledger.wait_accepted(1)).await;
        }
        assert_eq!(ledger.in_flight(), (1, 1));
        hanging.abort();
        soon(ledger.wait_until(|ledger| ledger.in_flight().0 == 0)).await;
        assert_eq!(ledger.accepted_total(), u64::from(is_accepted));
    }
}

#[tokio::test]
async fn a_kept_connection_survives_a_fault_that_answers_whole() {
    let bot = Bot::start(telegram::Rules::default()).await;
    bot.server.open_chats([1, 2]);
    bot.server.faults().add(Trouble::new(telegram::throttled(Some(3))).to(1));
    bot.server.faults().add(Trouble::new(Fault::lie()).on("sendPhoto"));
    let (status, answer) = bot.says(1, "a").await;
    assert_eq!((status, &answer["parameters"]["retry_after"]), (429, &json!(3)));
    assert_eq!(bot.says(2, "a").await.0, 200, "another chat is not met");
    bot.server.faults().clear();
    assert_eq!(bot.says(1, "a").await.0, 200);
}

#[tokio::test]
async fn several_stand_ins_run_side_by_side_and_end_when_dropped() {
    let first = Bot::start(telegram::Rules::default()).await;
    let second = Bot::start(telegram::Rules::default()).await;
    second.server.open_chats([1]);
    assert_eq!(first.says(1, "a").await.0, 400);
    assert_eq!(second.says(1, "a").await.0, 200);
    let address = first.server.address();
    drop(first);
    let gone = async { while TcpStream::connect(address).await.is_ok() {} };
    soon(gone).await;
}

// ---- A webhook of ours ----

struct Post {
    headers: axum::http::HeaderMap,
    body: Vec<u8>,
}

/// Takes posts, after refusing the first ones with the given statuses; proves itself to `right`.
struct Hook {
    url: String,
    posts: mpsc::UnboundedReceiver<Post>,
}

impl Hook {
    async fn start(refusals: impl Into<Vec<u16>>) -> Self {
        let (posts_tx, posts) = mpsc::unbounded_channel();
        let mut refusals: Vec<u16> = refusals.into();
        refusals.reverse();
        let refusals = Arc::new(Mutex::new(refusals));
        let take = move |headers: axum::http::HeaderMap, body: axum::body::Bytes| async move {
            let status = refusals.lock().unwrap().pop().unwrap_or(200);
            posts_tx.send(Post { headers, body: body.to_vec() }).unwrap();
            axum::http::StatusCode::from_u16(status).unwrap()
        };
        let prove = |uri: axum::http::Uri| async move {
            let query: std::collections::HashMap<String, String> =
                url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
                    .into_owned()
                    .collect();
            if query["hub.verify_token"] == "right" && query["hub.mode"] == "subscribe" {
                (axum::http::StatusCode::OK, query["hub.challenge"].clone())
            } else {
                (axum::http::StatusCode::FORBIDDEN, String::new())
            }
        };
        let router = axum::Router::new().route("/hook", axum::routing::get(prove).post(take));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, posts }
    }
}
