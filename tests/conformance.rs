//! No message of the feeds of the corpus through any layout that comes with us is refused, on
//! either channel: judged by the rules of our stand-ins, for a sample over real sockets, and for
//! plain messages by an emulator of the Bot API that others wrote.
//!
//! The documents are outside the repository, where `TIDINGS_CORPUS` points to. The emulator needs
//! Node.js and `telegram-test-api`, which `scripts/test` installs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and tells what it saw"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tidings::channel::wire::EXCHANGE_TIME_MAX;
use tidings::channel::{Call, Channel, Meaning, Observed, messenger, telegram};
use tidings::extract::feed;
use tidings::model::channel::ChannelKind;
use tidings::model::item::Item;
use tidings::model::message::{
    Action, Button, ButtonStyle, Card, Medium, Message, Module, Overflow,
};
use tidings::model::name::Name;
use tidings::model::rich::RichText;
use tidings::model::time::Timestamp;
use tidings::render::{Layouts, RenderError, Scene};
use tidings::sandbox;
use url::Url;

/// Newest items of each feed that go alone through every layout.
const ITEMS_ALONE: usize = 3;
/// Newest items of each feed that go together.
const ITEMS_TOGETHER: usize = 10;

const LANGUAGES: [Option<&str>; 2] = [None, Some("ro")];

fn corpus() -> Option<PathBuf> {
    let path = std::env::var_os("TIDINGS_CORPUS");
    if path.is_none() {
        println!("the corpus part was left out: TIDINGS_CORPUS is not set");
    }
    path.map(PathBuf::from)
}

fn files_below(folder: &Path, out: &mut Vec<PathBuf>) {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() { files_below(&path, out) } else { out.push(path) }
    }
}

/// The items of every document that is a feed.
fn feeds(folder: &Path) -> Vec<Vec<Item>> {
    let mut paths = Vec::new();
    files_below(folder, &mut paths);
    let base = Url::parse("https://corpus.example/feed").unwrap();
    let source = Name::parse("corpus").unwrap();
    let documents = paths.iter().filter_map(|path| {
        let document = feed::read(&fs::read(path).unwrap(), None, &base).ok()?;
        let entries = document.entries.into_iter().take(ITEMS_TOGETHER);
        Some(entries.map(|entry| entry.into_item(&source, now())).collect::<Vec<_>>())
    });
    documents.filter(|items| !items.is_empty()).collect()
}

fn now() -> Timestamp {
    Timestamp::from_millis(1_764_000_000_000)
}

/// Every rendering of these items.
fn messages(layouts: &Layouts, kind: ChannelKind, items: &[Item]) -> Vec<(String, Message)> {
    let campaign = Name::parse("corpus").unwrap();
    let scene = Scene { campaign: &campaign, told: &[], now: now() };
    let alone = items.iter().take(ITEMS_ALONE).map(std::slice::from_ref);
    let mut rendered = Vec::new();
    for group in alone.chain([items]) {
        for layout in layouts.names() {
            for language in LANGUAGES {
                let message = layouts.render(&layout, kind, language, group, &scene);
                if !matches!(message, Err(RenderError::Empty { .. })) {
                    rendered.push((layout.to_string(), message.unwrap()));
                }
            }
        }
    }
    rendered
}

/// Messages of every module, made of the items: what no layout prints of feeds as poor as these.
fn made(items: &[Item]) -> Vec<(String, Message)> {
    let text = |item: &Item| Module::Text {
        text: item.body.clone(),
        buttons: vec![
            Button {
                style: ButtonStyle::Primary,
                ..Button::new(
                    item.title.as_str(),
                    Action::Open { url: item.link.clone().unwrap_or_default() },
                )
            },
            Button::new("Copy", Action::Copy { text: item.title.chars().take(100).collect() }),
        ],
    };
    let pictures: Vec<Medium> =
        items.iter().filter_map(|item| Some(Medium::image(item.image.as_ref()?, ""))).collect();
    let media: Vec<Medium> = items
        .iter()
        .flat_map(|item| item.media.iter().map(move |it| (item, it)))
        .map(|(item, it)| Medium {
            title: item.title.clone(),
            performer: item.authors.join(", "),
            seconds: Some(60),
            cover: item.image.clone(),
            ..Medium::new(it.kind, &it.url, "")
        })
        .collect();
    let cards = items.iter().map(|item| Card {
        title: item.title.clone(),
        subtitle: item.summary.plain(),
        image: item.image.clone(),
        link: item.link.clone(),
        buttons: vec![Button::new("Stop", Action::Postback { payload: "stop".to_owned() })],
    });
    let whole = RichText { blocks: items.iter().flat_map(|it| it.body.blocks.clone()).collect() };
    let mut modules = vec![
        vec![Module::Cards(cards.collect())],
        vec![Module::Text { text: whole, buttons: vec![] }],
        vec![Module::Album(media.clone())],
    ];
    for count in [2, 3, 11, 30] {
        let pictures: Vec<Medium> = pictures.iter().cycle().take(count).cloned().collect();
        if pictures.len() == count {
            modules.push(vec![Module::Album(pictures.clone())]);
            modules.extend(
                items.iter().take(2).map(|item| vec![Module::Album(pictures.clone()), text(item)]),
            );
        }
    }
    for medium in media.into_iter().take(ITEMS_TOGETHER) {
        modules.push(vec![Module::Media(medium.clone())]);
        modules.extend(items.first().map(|item| vec![Module::Media(medium), text(item)]));
    }
    let replies = vec![Button::new("More", Action::Postback { payload: "more".to_owned() })];
    modules
        .into_iter()
        .flat_map(|modules| {
            let message = Message::from(modules);
            let asking = Message { quick_replies: replies.clone(), ..message.clone() };
            [message, asking].map(|message| ("made".to_owned(), message))
        })
        .collect()
}

/// The calls of a message in each manner of fitting.
fn lowered(kind: ChannelKind, message: &Message) -> Vec<Call> {
    let mut calls = Vec::new();
    for overflow in [Overflow::Split, Overflow::Shorten, Overflow::Rich] {
        let mut message = message.clone();
        message.manner.overflow = overflow;
        let more = match kind {
            ChannelKind::Telegram => telegram::lower::lower(&message, None),
            ChannelKind::Messenger => messenger::lower::lower(&message),
        };
        calls.extend(more.into_iter().filter(|call| !calls.contains(call)).collect::<Vec<_>>());
    }
    calls
}

#[tokio::test]
async fn no_message_of_the_corpus_is_refused() {
    let Some(corpus) = corpus() else { return };
    let bot = sandbox::telegram::Rules { keep_bodies: false, kept_max: 1, ..Default::default() };
    let bot = sandbox::telegram::Server::start(bot).await.unwrap();
    bot.open_chats([1]);
    let page = sandbox::messenger::Rules { keep_bodies: false, kept_max: 1, ..Default::default() };
    let page = sandbox::messenger::Server::start(page).await.unwrap();
    page.open_chats([1]);
    let channels = [telegram_at(&bot.url(), bot.token()), messenger_at(&page)];

    let layouts = Layouts::compile(vec![]).unwrap();
    let feeds = feeds(&corpus.join("feeds"));
    let mut refusals = Vec::new();
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (number, items) in feeds.iter().enumerate() {
        for channel in &channels {
            let kind = channel.kind();
            for (place, (layout, message)) in
                messages(&layouts, kind, items).into_iter().chain(made(items)).enumerate()
            {
                *counts.entry((kind_name(kind), "messages")).or_default() += 1;
                for (at, call) in lowered(kind, &message).iter().enumerate() {
                    *counts.entry((kind_name(kind), call.method)).or_default() += 1;
                    let mut body = call.body();
                    let refusal = match kind {
                        ChannelKind::Telegram => {
                            body["chat_id"] = json!(1);
                            bot.refusal(call.method, &body)
                        }
                        ChannelKind::Messenger => {
                            body["recipient"] = json!({ "id": "1" });
                            page.refusal(&body)
                        }
                    };
                    refusals.extend(refusal.map(|why| format!("{layout}: {why}: {body}")));
                    // A sample over sockets.
                    if number % 20 == 0 && place % 9 == 0 && at == 0 {
                        let observed = channel.send(call, "1").await;
                        let meaning = channel.meaning(&observed);
                        let is_taken = matches!(meaning, Meaning::Delivered { .. });
                        assert!(is_taken, "{layout}: {meaning:?}: {body}");
                        *counts.entry((kind_name(kind), "over sockets")).or_default() += 1;
                    }
                }
            }
        }
    }
    for ((kind, what), count) in &counts {
        println!("{kind}: {count} {what}");
    }
    println!("{} feeds, {} refused", feeds.len(), refusals.len());
    refusals.iter().take(20).for_each(|refusal| println!("{refusal}"));
    assert!(feeds.len() > 100);
    assert!(refusals.is_empty());
}

fn kind_name(kind: ChannelKind) -> &'static str {
    match kind {
        ChannelKind::Telegram => "telegram",
        ChannelKind::Messenger => "messenger",
    }
}

fn telegram_at(api: &str, token: &str) -> Channel {
    Channel::Telegram(bot_at(api, token))
}

fn bot_at(api: &str, token: &str) -> telegram::api::Client {
    telegram::api::Client::new(telegram::api::Settings {
        api: Url::parse(api).unwrap(),
        token: token.to_owned().into(),
        time_max: EXCHANGE_TIME_MAX,
    })
    .unwrap()
}

fn messenger_at(server: &sandbox::messenger::Server) -> Channel {
    let settings = messenger::api::Settings {
        api: Url::parse(&server.url()).unwrap(),
        version: messenger::api::VERSION.into(),
        page_id: server.page_id().to_owned(),
        page_token: server.page_token().to_owned().into(),
        app_secret: server.app_secret().to_owned().into(),
        time_max: EXCHANGE_TIME_MAX,
    };
    Channel::Messenger(messenger::api::Client::new(settings).unwrap())
}

/// The emulator; it ends with this.
struct Emulator {
    process: Child,
    url: String,
}

impl Emulator {
    fn start() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/emulator");
        assert!(
            folder.join("node_modules/telegram-test-api").exists(),
            "telegram-test-api is not installed: run `scripts/test`, which installs what is missing"
        );
        let mut process = Command::new("node")
            .arg(folder.join("serve.mjs"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Self { process, url: url.trim().to_owned() }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It ends by itself when its input does; nothing is lost if it is gone already.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

#[tokio::test]
async fn an_emulator_that_others_wrote_takes_what_it_knows() {
    let emulator = Emulator::start();
    let token = "123456:conformance";
    let bot = bot_at(&emulator.url, token);
    bot.me().await.unwrap();
    let channel = telegram_at(&emulator.url, token);
    let layouts = Layouts::compile(vec![]).unwrap();
    let mut feeds = feeds(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/feeds"));
    if let Some(corpus) = corpus() {
        feeds.extend(self::feeds(&corpus.join("feeds")).into_iter().step_by(25));
    }
    let mut unknown: BTreeMap<&str, usize> = BTreeMap::new();
    let mut sent = 0;
    let mut first = None;
    for items in &feeds {
        for (layout, message) in messages(&layouts, ChannelKind::Telegram, items) {
            for call in lowered(ChannelKind::Telegram, &message) {
                if call.method != "sendMessage" {
                    *unknown.entry(call.method).or_default() += 1;
                    continue;
                }
                let meaning = channel.meaning(&channel.send(&call, "1").await);
                let Meaning::Delivered { id } = meaning else { panic!("{layout}: {meaning:?}") };
                first.get_or_insert(id);
                sent += 1;
            }
        }
    }
    let message = first.unwrap();
    let edit = |fields: Value| fields.to_string().split_off(1);
    let edits = [
        ("editMessageText", json!({ "message_id": message, "text": "New" })),
        ("deleteMessage", json!({ "message_id": message })),
    ];
    for (method, fields) in edits {
        let call = Call { method, rest: edit(fields), is_acknowledgement: false, covers: 0 };
        // It takes these, but leaves out the message that the service would give back.
        let Observed::Answered { body, .. } = channel.send(&call, "1").await else {
            panic!("{method}: no answer");
        };
        let answer: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(answer["ok"], true, "{method}: {answer}");
    }
    println!("{sent} messages of {} feeds sent, none refused", feeds.len());
    println!("left out, because the emulator does not know them: {unknown:?}");
    assert!(sent > 500, "{sent}");
}
