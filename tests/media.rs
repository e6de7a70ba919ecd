//! Media that services can't fetch, don't take, or have forgotten: over real sockets, with a Bot
//! API that has the rules of the real one for files, and an origin that misbehaves.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "it fails as a test does"
)]

mod made;

use std::collections::HashMap;
use std::io::Cursor;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path as AxumPath, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use image::{DynamicImage, ImageFormat, RgbImage};
use made::{counts, name, post_to};
use serde_json::{Map, Value, json};
use tidings::channel::{Channel, messenger, telegram, wire::EXCHANGE_TIME_MAX};
use tidings::deliver::limiter::{Bucket, Limits};
use tidings::deliver::worker;
use tidings::media::download::{Downloads, Fetch, Miss};
use tidings::media::sniff::{Format, sniff};
use tidings::model::channel::ChannelKind;
use tidings::model::item::MediaKind;
use tidings::model::message::{Action, Button, Card, Medium, Message, Module, Overflow};
use tidings::model::post::{Body, Post, PostId};
use tidings::model::rich::RichText;
use tidings::poll::egress::Guard;
use tidings::poll::fault::Fault;
use tidings::poll::fetch::{Fetcher, Limits as FetchLimits, Request};
use tidings::runtime::clock::Clock;
use tidings::runtime::meters::Meters;
use tidings::runtime::shutdown::Tasks;
use tidings::store::Store;
use tidings::store::journal::Journal;
use tidings::store::redb;
use tokio::sync::Notify;
use url::Url;

// ── the world ───────────────────────────────────────────────────────────────────────────────────

/// What the service has seen.
#[derive(Default)]
struct World {
    /// Accepted calls: the method and its fields.
    accepted: Mutex<Vec<(String, Map<String, Value>)>>,
    refused: Mutex<Vec<String>>,
    /// Ids that are good, with their method's field.
    ids: Mutex<HashMap<String, String>>,
    uploads: Mutex<Vec<Vec<u8>>>,
    /// Thumbnails that came along with files.
    thumbnails: Mutex<Vec<Vec<u8>>>,
    fetched: Mutex<Vec<String>>,
    /// Calls that were not answered at once.
    slow: AtomicUsize,
    /// So many of the next pictures are accepted without their ids being told.
    untold: AtomicUsize,
}

/// Texts with this word are answered after a while.
const SLOWLY: &str = "slowly";

impl World {
    fn methods(&self) -> Vec<String> {
        self.accepted.lock().unwrap().iter().map(|(method, _)| method.clone()).collect()
    }

    fn field(&self, at: usize, field: &str) -> Value {
        self.accepted.lock().unwrap()[at].1.get(field).cloned().unwrap_or_default()
    }

    fn uploads(&self) -> Vec<Vec<u8>> {
        self.uploads.lock().unwrap().clone()
    }

    fn fetched(&self) -> usize {
        self.fetched.lock().unwrap().len()
    }
}

fn refuse(world: &World, why: &str) -> Response {
    world.refused.lock().unwrap().push(why.to_owned());
    let body =
        json!({ "ok": false, "error_code": 400, "description": format!("Bad Request: {why}") });
    (StatusCode::BAD_REQUEST, body.to_string()).into_response()
}

/// Whether the service can use `value` as this field: by its address, its id or its bytes.
fn judge(
    world: &World,
    field: &str,
    value: &str,
    files: &HashMap<String, Vec<u8>>,
) -> Result<String, &'static str> {
    if let Some(file) = value.strip_prefix("attach://") {
        let bytes = files.get(file).ok_or("wrong file identifier/HTTP URL specified")?;
        world.uploads.lock().unwrap().push(bytes.clone());
        let sniffed = sniff(bytes);
        if field == "photo" {
            let is_jpeg_cut = sniffed.format == Format::Jpeg && !bytes.ends_with(b"\xff\xd9");
            if !matches!(sniffed.format, Format::Jpeg | Format::Png) || is_jpeg_cut {
                return Err("IMAGE_PROCESS_FAILED");
            }
            if sniffed.size.is_some_and(|(width, height)| width + height > 10_000) {
                return Err("PHOTO_INVALID_DIMENSIONS");
            }
        }
    } else if value.contains("://") {
        // Addresses are good when they say so: the service's fetcher is not ours.
        match value {
            _ if value.contains("/good") => {}
            _ if value.contains("/html") => return Err("wrong type of the web page content"),
            _ => return Err("failed to get HTTP URL content"),
        }
    } else if world.ids.lock().unwrap().get(value).map(String::as_str) != Some(field) {
        return Err("wrong file identifier/HTTP URL specified");
    } else {
        return Ok(value.to_owned());
    }
    let mut ids = world.ids.lock().unwrap();
    let id = format!("id-{field}-{}", ids.len());
    ids.insert(id.clone(), field.to_owned());
    Ok(id)
}

const FIELDS: [(&str, &str); 5] = [
    ("sendPhoto", "photo"),
    ("sendVideo", "video"),
    ("sendAudio", "audio"),
    ("sendDocument", "document"),
    ("sendAnimation", "animation"),
];

fn file_json(field: &str, id: &str) -> Value {
    match field {
        "photo" => json!([{ "file_id": "small" }, { "file_id": id }]),
        _ => json!({ "file_id": id }),
    }
}

fn is_untold(world: &World) -> bool {
    let less = |left: usize| left.checked_sub(1);
    world.untold.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
}

async fn bot(
    State(world): State<Arc<World>>,
    AxumPath((_token, method)): AxumPath<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (fields, files) = read_call(&headers, &body);
    let mut result = json!({ "message_id": 1 });
    if fields.get("text").and_then(Value::as_str).is_some_and(|text| text.contains(SLOWLY)) {
        world.slow.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    if let Some((_, field)) = FIELDS.iter().find(|(known, _)| *known == method) {
        let value = fields.get(*field).and_then(Value::as_str).unwrap_or_default();
        match judge(&world, field, value, &files) {
            Ok(_) if is_untold(&world) => {}
            Ok(id) => result[*field] = file_json(field, &id),
            Err(why) => return refuse(&world, why),
        }
        if let Some(cover) = fields.get("cover").and_then(Value::as_str) {
            match judge(&world, "photo", cover, &files) {
                Ok(id) => result[*field]["cover"] = file_json("photo", &id),
                Err(why) => return refuse(&world, why),
            }
        }
        let thumbnail = fields.get("thumbnail").and_then(Value::as_str);
        if let Some(file) = thumbnail.and_then(|named| named.strip_prefix("attach://")) {
            assert!(value.starts_with("attach://"), "a thumbnail goes along with an upload");
            world.thumbnails.lock().unwrap().push(files[file].clone());
        }
    } else if method == "sendRichMessage" {
        let message = &fields["rich_message"];
        let mut blocks = Vec::new();
        for picture in message["html"].as_str().unwrap().split("<img src=\"").skip(1) {
            let src = picture.split('"').next().unwrap();
            let named = src.strip_prefix("tg://photo?id=").map(|id| {
                let media = message["media"].as_array().unwrap();
                let one = media.iter().find(|one| one["id"] == id).unwrap();
                assert_eq!(one["media"]["type"], "photo");
                one["media"]["media"].as_str().unwrap()
            });
            match judge(&world, "photo", named.unwrap_or(src), &files) {
                Ok(id) => blocks.push(json!({ "type": "photo", "photo": file_json("photo", &id) })),
                Err(why) => return refuse(&world, why),
            }
        }
        result["rich_message"] = json!({ "blocks": blocks });
    } else if method == "sendMediaGroup" {
        let mut all = Vec::new();
        let media = fields["media"].as_array().cloned().unwrap_or_default();
        for (at, item) in media.iter().enumerate() {
            let field = item["type"].as_str().unwrap();
            match judge(&world, field, item["media"].as_str().unwrap(), &files) {
                Ok(id) => all.push(json!({ "message_id": at, field: file_json(field, &id) })),
                Err(_) => {
                    let words = "failed to send message #";
                    let raw = "with the error message \"WEBPAGE_CURL_FAILED\"";
                    return refuse(&world, &format!("{words}{} {raw}", at + 1));
                }
            }
        }
        result = Value::Array(all);
    }
    world.accepted.lock().unwrap().push((method, fields));
    json!({ "ok": true, "result": result }).to_string().into_response()
}

async fn page(
    State(world): State<Arc<World>>,
    AxumPath(edge): AxumPath<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (fields, files) = read_call(&headers, &body);
    let refuse = |subcode: u32| {
        world.refused.lock().unwrap().push(subcode.to_string());
        let error = json!({ "message": "no", "code": 100, "error_subcode": subcode });
        (StatusCode::BAD_REQUEST, json!({ "error": error }).to_string()).into_response()
    };
    let give = || {
        let mut ids = world.ids.lock().unwrap();
        let id = format!("{}", 900 + ids.len());
        ids.insert(id.clone(), String::new());
        id
    };
    let kind = &fields["message"]["attachment"]["type"];
    if let Some(file) = files.get("filedata") {
        world.uploads.lock().unwrap().push(file.clone());
        let is_right = match kind.as_str().unwrap() {
            "image" => matches!(sniff(file).format, Format::Jpeg | Format::Png),
            "video" => sniff(file).format == Format::Mp4,
            _ => true,
        };
        if !is_right {
            return refuse(2_018_047);
        }
        return json!({ "attachment_id": give() }).to_string().into_response();
    }
    let mut answer = json!({ "recipient_id": "7", "message_id": "m_1" });
    let payload = &fields["message"]["attachment"]["payload"];
    if let Some(id) = payload["attachment_id"].as_str() {
        if !world.ids.lock().unwrap().contains_key(id) {
            return refuse(2_018_074);
        }
    } else if let Some(url) = payload["url"].as_str() {
        if !url.contains("/good") {
            return refuse(2_018_008);
        }
        answer["attachment_id"] = json!(give());
    }
    let elements = payload["elements"].as_array().cloned().unwrap_or_default();
    let tiles = elements.iter().filter_map(|element| element["images"].as_array()).flatten();
    let cards = elements.iter().filter_map(|element| element["image_url"].as_str());
    for url in tiles.filter_map(|tile| tile["url"].as_str()).chain(cards) {
        if !["good", "jpeg", "again"].iter().any(|file| url.contains(&format!("/{file}"))) {
            return refuse(2_018_008);
        }
    }
    if payload["template_type"] == "media" {
        let id = elements[0]["attachment_id"].as_str().unwrap_or_default();
        if !world.ids.lock().unwrap().contains_key(id) {
            return refuse(2_018_074);
        }
    }
    world.accepted.lock().unwrap().push((edge, fields));
    answer.to_string().into_response()
}

/// The fields of a call and the files that came with it.
fn read_call(headers: &HeaderMap, body: &[u8]) -> (Map<String, Value>, HashMap<String, Vec<u8>>) {
    let content_type = headers[header::CONTENT_TYPE].to_str().unwrap();
    let Some((_, boundary)) = content_type.split_once("boundary=") else {
        return (serde_json::from_slice(body).unwrap(), HashMap::new());
    };
    let (mut fields, mut files) = (Map::new(), HashMap::new());
    let line = format!("--{boundary}");
    let mut rest = body;
    while let Some(at) = find(rest, line.as_bytes()) {
        rest = &rest[at + line.len()..];
        let Some(end) = find(rest, line.as_bytes()) else { break };
        let part = &rest[2..end - 2];
        let head_end = find(part, b"\r\n\r\n").unwrap();
        let head = String::from_utf8(part[..head_end].to_vec()).unwrap();
        let content = part[head_end + 4..].to_vec();
        let name = head.split("name=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        if head.contains("filename=") {
            files.insert(name, content);
        } else {
            let text = String::from_utf8(content).unwrap();
            let value = match serde_json::from_str(&text) {
                Ok(value @ (Value::Array(_) | Value::Object(_))) => value,
                _ => Value::String(text),
            };
            fields.insert(name, value);
        }
    }
    (fields, files)
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(RgbImage::new(width, height)).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

async fn origin(State(world): State<Arc<World>>, AxumPath(file): AxumPath<String>) -> Response {
    world.fetched.lock().unwrap().push(file.clone());
    match file.split('.').next().unwrap() {
        "webp" => picture(60, 40, ImageFormat::WebP).into_response(),
        "jpeg" | "again" => picture(60, 40, ImageFormat::Jpeg).into_response(),
        "cover" => picture(900, 600, ImageFormat::Png).into_response(),
        "sound" => b"ID3\x04\0\0\0\0\0\0sound".to_vec().into_response(),
        "film" => b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2".to_vec().into_response(),
        "huge" => picture(9_000, 2_000, ImageFormat::Png).into_response(),
        "cut" => {
            let whole = picture(600, 400, ImageFormat::Jpeg);
            whole[..whole.len() / 2].to_vec().into_response()
        }
        "html" => "<!doctype html><title>Gone</title>".into_response(),
        "avif" => b"\0\0\0\x1cftypavif\0\0\0\0avifmif1".to_vec().into_response(),
        "inside" => {
            (StatusCode::FOUND, [(header::LOCATION, "http://10.0.0.1/secret.jpg")]).into_response()
        }
        file if file.starts_with("good") => picture(60, 40, ImageFormat::Jpeg).into_response(),
        "slow" => std::future::pending().await,
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

// ── our side ────────────────────────────────────────────────────────────────────────────────────

struct Home {
    world: Arc<World>,
    base: String,
    folder: tempfile::TempDir,
    store: Arc<dyn Store>,
    kind: ChannelKind,
    patience: Duration,
}

impl Home {
    async fn new(kind: ChannelKind) -> Self {
        let world = Arc::new(World::default());
        let app = Router::new()
            .route("/files/{file}", get(origin))
            .route("/v25.0/100/{edge}", post(page))
            .route("/{bot}/{method}", post(bot))
            .with_state(Arc::clone(&world));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        #[expect(clippy::disallowed_methods, reason = "the server ends with the test")]
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        let patience = Duration::from_secs(5);
        Self { world, base, folder, store, kind, patience }
    }

    fn url(&self, file: &str) -> String {
        format!("{}/files/{file}", self.base)
    }

    fn image(&self, file: &str) -> Module {
        Module::Media(Medium::image(&self.url(file), "A dog"))
    }

    fn channel(&self) -> Channel {
        let api = Url::parse(&self.base).unwrap();
        match self.kind {
            ChannelKind::Telegram => {
                let token = "1:sandbox-token".into();
                let time_max = EXCHANGE_TIME_MAX;
                let settings = telegram::api::Settings { api, token, time_max };
                Channel::Telegram(telegram::api::Client::new(settings).unwrap())
            }
            ChannelKind::Messenger => {
                let settings = messenger::api::Settings {
                    api,
                    version: messenger::api::VERSION.into(),
                    page_id: "100".into(),
                    page_token: "page-token".into(),
                    app_secret: "app-secret".into(),
                    time_max: EXCHANGE_TIME_MAX,
                };
                Channel::Messenger(messenger::api::Client::new(settings).unwrap())
            }
        }
    }

    /// A client for addresses of others that may reach this machine, and nothing else inside.
    fn downloads(&self) -> Downloads {
        let guard =
            Guard { allow_networks: vec!["127.0.0.1/32".parse().unwrap()], ..Guard::default() };
        let limits = FetchLimits { total: self.patience, ..FetchLimits::default() };
        let fetcher = Fetcher::new(guard, limits, "tidings-test", Clock::system()).unwrap();
        let fetch: Fetch = Arc::new(move |url, bytes_max| {
            let fetcher = fetcher.clone();
            Box::pin(async move {
                let url = fetcher.guard().read(&url, None).unwrap();
                let fetched = fetcher.fetch(Request::new(url)).await;
                let fetched = fetched.map_err(|error| match error.fault {
                    Fault::Refused(_) | Fault::NotFound => Miss::Dead(error.to_string()),
                    _ => Miss::Away(error.to_string()),
                })?;
                let packed = fetched.document.unwrap();
                Ok(packed.unpack_within(bytes_max as u64).unwrap().bytes)
            })
        });
        Downloads::new(fetch)
    }

    async fn add(&self, people: usize, modules: Vec<Module>) -> PostId {
        self.add_message(people, Message::from(modules)).await
    }

    async fn add_message(&self, people: usize, message: Message) -> PostId {
        let body = Body { kind: self.kind, language: None, message: message.into() };
        let post = Post { bodies: vec![body], ..made::post("a post") };
        let channel = self.kind.as_str();
        if self.kind == ChannelKind::Messenger {
            let until = Clock::system().now() + Duration::from_secs(40_000);
            let mut crowd = made::people(people);
            for person in &mut crowd {
                person.window_until = Some(until);
            }
            self.store.import_subscribers(&name(channel), crowd).await.unwrap();
        }
        post_to(&*self.store, channel, people, post).await
    }

    /// Sends until all posts are finished.
    async fn run(&self, posts: &[PostId]) {
        self.run_until(async || {
            for post in posts {
                if !counts(&*self.store, *post).await.is_finished() {
                    return false;
                }
            }
            true
        })
        .await;
    }

    async fn run_until(&self, is_done: impl AsyncFn() -> bool) {
        let (journal, wire) = Journal::open(self.folder.path()).unwrap();
        self.store.rescue(wire).await.unwrap();
        journal.begin_run().unwrap();
        let free = Bucket { burst: 1, interval: Duration::ZERO };
        let options = worker::Options {
            name: name(self.kind.as_str()),
            channel: Arc::new(self.channel()),
            store: Arc::clone(&self.store),
            journal: Arc::new(journal),
            clock: Clock::system(),
            meters: Meters::default(),
            bell: Arc::new(Notify::new()),
            limits: Limits { rate: 100_000.0, person: free, group: free },
            in_flight: 16,
            downloads: Some(self.downloads()),
        };
        let tasks = Tasks::default();
        tasks.spawn("deliver", worker::run(options, tasks.stop().clone()));
        let done = async {
            while !is_done().await {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let ended = tokio::time::timeout(Duration::from_secs(60), done).await;
        tasks.drain(Duration::from_secs(5)).await;
        let refused = self.world.refused.lock().unwrap().clone();
        ended.unwrap_or_else(|_| panic!("not finished: {:?} {refused:?}", self.world.methods()));
    }

    /// One post to everybody who is there, and at least one person.
    async fn send(&self, modules: Vec<Module>) {
        let post = self.add(1, modules).await;
        self.run(&[post]).await;
        let counts = counts(&*self.store, post).await;
        assert_eq!(counts.sent, counts.planned);
    }
}

fn open(folder: &Path) -> Arc<dyn Store> {
    Arc::new(redb::open(&folder.join(redb::FILE_NAME)).unwrap())
}

fn article() -> Module {
    let text = "A sentence of an article. ".repeat(300);
    Module::Text { text: RichText::from_plain(&text), buttons: vec![] }
}

fn buttons(count: usize) -> Vec<Button> {
    let open = Action::Open { url: "https://a.example/".to_owned() };
    (0..count).map(|at| Button::new(format!("Read {at}"), open.clone())).collect()
}

fn words() -> Module {
    Module::Text { text: RichText::from_plain("Some words"), buttons: vec![] }
}

// ── Telegram ────────────────────────────────────────────────────────────────────────────────────

#[tokio::test(flavor = "multi_thread")]
async fn what_the_service_can_fetch_is_sent_by_address_once_and_by_id_ever_after() {
    let home = Home::new(ChannelKind::Telegram).await;
    let first = home.add(2_000, vec![home.image("good.jpg"), words()]).await;
    home.run(&[first]).await;
    assert_eq!(counts(&*home.store, first).await.sent, 2_000);
    let by_address = |world: &World| {
        let all = world.accepted.lock().unwrap();
        all.iter().filter(|(_, fields)| fields["photo"].as_str().unwrap().contains("://")).count()
    };
    assert_eq!(by_address(&home.world), 1);
    assert!(home.world.refused.lock().unwrap().is_empty());
    // A later campaign, after a restart, begins with the id.
    let second = home.add(5, vec![home.image("good.jpg")]).await;
    home.run(&[second]).await;
    assert_eq!(by_address(&home.world), 1);
    assert_eq!(home.world.fetched(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_service_can_not_fetch_is_uploaded_once_for_2000() {
    let home = Home::new(ChannelKind::Telegram).await;
    let post = home.add(2_000, vec![home.image("jpeg.jpg"), words()]).await;
    home.run(&[post]).await;
    assert_eq!(counts(&*home.store, post).await.sent, 2_000);
    assert_eq!((home.world.uploads().len(), home.world.fetched()), (1, 1));
    assert_eq!(home.world.refused.lock().unwrap().len(), 1);
    assert_eq!(home.world.methods().iter().filter(|it| *it != "sendPhoto").count(), 0);
    // The same bytes under another address are known already.
    home.send(vec![home.image("again.jpg")]).await;
    assert_eq!((home.world.uploads().len(), home.world.fetched()), (1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_the_first_answer_did_not_tell_is_learned_from_a_later_one() {
    let home = Home::new(ChannelKind::Telegram).await;
    home.world.untold.store(1, Ordering::Relaxed);
    let post = home.add(500, vec![home.image("jpeg.jpg"), words()]).await;
    home.run(&[post]).await;
    assert_eq!(counts(&*home.store, post).await.sent, 500);
    let uploads = home.world.uploads().len();
    // As many as may be under way at once, and some that took their place meanwhile.
    assert!((2..60).contains(&uploads), "{uploads} uploads");
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_are_made_anew_or_go_as_files_or_as_words() {
    for (file, method, uploads, format) in [
        ("webp.webp", "sendPhoto", 1, Some(Format::Jpeg)),
        ("huge.png", "sendPhoto", 1, Some(Format::Jpeg)),
        ("cut.jpg", "sendDocument", 2, Some(Format::Jpeg)),
        ("avif.avif", "sendDocument", 1, Some(Format::Avif)),
        ("html.jpg", "sendMessage", 0, None),
        ("dead.jpg", "sendMessage", 0, None),
        ("inside.jpg", "sendMessage", 0, None),
    ] {
        let home = Home::new(ChannelKind::Telegram).await;
        home.send(vec![home.image(file), words()]).await;
        let methods = home.world.methods();
        assert_eq!(methods.len(), 1, "{file}: {methods:?}");
        // A decoder that is patient with a cut picture makes a whole one of it.
        let is_mended = file == "cut.jpg" && methods[0] == "sendPhoto";
        assert!(methods[0] == method || is_mended, "{file}: {methods:?}");
        assert_eq!(home.world.uploads().len(), uploads, "{file}");
        let last = home.world.uploads().last().map(|bytes| sniff(bytes).format);
        assert_eq!(last, format, "{file}");
        let text = if method == "sendMessage" { "text" } else { "caption" };
        assert_eq!(home.world.field(0, text), "Some words", "{file}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_without_words_and_without_a_file_is_its_description() {
    let home = Home::new(ChannelKind::Telegram).await;
    home.send(vec![home.image("dead.jpg")]).await;
    assert_eq!(home.world.field(0, "text"), "A dog");
    let bare = Module::Media(Medium::image(&home.url("dead2.jpg"), ""));
    let post = home.add(1, vec![bare]).await;
    home.run(&[post]).await;
    assert_eq!(home.world.methods().len(), 1, "there is nothing to say");
    let counts = counts(&*home.store, post).await;
    assert_eq!((counts.sent, counts.failed), (0, counts.planned), "nobody got it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_between_two_parts_leaves_the_second_to_the_next_run() {
    let home = Home::new(ChannelKind::Telegram).await;
    let text = RichText::from_plain(&format!("{SLOWLY} and on. ").repeat(400));
    let post = home.add(1, vec![Module::Text { text, buttons: vec![] }]).await;
    home.run_until(async || home.world.slow.load(Ordering::Relaxed) > 0).await;
    assert_eq!(home.world.methods().len(), 1, "what was on its way came home");
    home.run(&[post]).await;
    assert_eq!(home.world.methods(), vec!["sendMessage"; 2]);
    assert_ne!(home.world.field(0, "text"), home.world.field(1, "text"), "each part once");
    assert_eq!(counts(&*home.store, post).await.sent, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_item_never_sinks_an_album_and_the_order_is_kept() {
    let home = Home::new(ChannelKind::Telegram).await;
    let items = ["good1.jpg", "dead.jpg", "jpeg.jpg", "good2.jpg"];
    let album = items.map(|file| Medium::image(&home.url(file), "")).to_vec();
    let post = home.add(50, vec![Module::Album(album)]).await;
    home.run(&[post]).await;
    assert_eq!(counts(&*home.store, post).await.sent, 50);
    let media = home.world.field(0, "media");
    let values: Vec<&str> =
        media.as_array().unwrap().iter().map(|item| item["media"].as_str().unwrap()).collect();
    let expected = [home.url("good1.jpg"), "attach://file0".to_owned(), home.url("good2.jpg")];
    assert_eq!(values, expected);
    let media = home.world.field(49, "media");
    assert!(
        media
            .as_array()
            .unwrap()
            .iter()
            .all(|item| { item["media"].as_str().unwrap().starts_with("id-photo-") })
    );
    assert_eq!(home.world.uploads().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_id_is_dropped_and_renewed() {
    let home = Home::new(ChannelKind::Telegram).await;
    home.send(vec![home.image("good.jpg")]).await;
    home.world.ids.lock().unwrap().clear();
    let post = home.add(20, vec![home.image("good.jpg")]).await;
    home.run(&[post]).await;
    assert_eq!(counts(&*home.store, post).await.sent, 20);
    let all = home.world.accepted.lock().unwrap().clone();
    let is_address = |at: usize| all[at].1["photo"].as_str().unwrap().contains("://");
    let renewed = (1..all.len()).filter(|at| is_address(*at)).count();
    assert_eq!(renewed, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_origin_keeps_nobody_elses_post() {
    let mut home = Home::new(ChannelKind::Telegram).await;
    home.patience = Duration::from_secs(3);
    let slow = home.add(500, vec![home.image("slow.jpg"), words()]).await;
    let quick = home.add(500, vec![words()]).await;
    let began = std::time::Instant::now();
    home.run_until(async || counts(&*home.store, quick).await.is_finished()).await;
    assert!(began.elapsed() < home.patience, "{:?}", began.elapsed());
    assert_eq!(counts(&*home.store, slow).await.sent, 0);
    home.run(&[slow]).await;
    assert_eq!(counts(&*home.store, slow).await.sent, 500);
    assert_eq!(home.world.fetched(), 2, "once a run");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_picture_of_an_article_is_uploaded_once_or_left_out() {
    let home = Home::new(ChannelKind::Telegram).await;
    let of = |file: &str| {
        let mut message = Message::from(vec![home.image(file), article()]);
        message.manner.overflow = Overflow::Rich;
        message
    };
    let post = home.add_message(50, of("jpeg.jpg")).await;
    home.run(&[post]).await;
    assert_eq!(counts(&*home.store, post).await.sent, 50);
    assert_eq!(home.world.methods(), vec!["sendRichMessage"; 50]);
    assert_eq!(home.world.uploads().len(), 1);
    let named = |at: usize| home.world.field(at, "rich_message")["media"][0]["media"].take();
    assert_eq!(named(0)["media"], "attach://file0");
    assert_eq!(named(49), json!({ "type": "photo", "media": "id-photo-0" }));

    // A picture that is nowhere takes neither the article with it nor its structure.
    let post = home.add_message(50, of("dead.jpg")).await;
    home.run(&[post]).await;
    assert_eq!(home.world.methods(), vec!["sendRichMessage"; 100]);
    let html = home.world.field(99, "rich_message")["html"].take();
    assert!(!html.as_str().unwrap().contains("<img"), "{html}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_medium_of_which_nothing_is_left_skips_no_call_that_stands_for_another() {
    let home = Home::new(ChannelKind::Telegram).await;
    // Nothing is to be said of the picture; the article behind it stands in one rich call and in
    // several plain ones, of which exactly the first is to go.
    let dead = Module::Media(Medium::image(&home.url("dead.jpg"), ""));
    let file = Module::Media(Medium::image(&home.url("dead2.jpg"), ""));
    let mut message = Message::from(vec![dead, file, article(), words()]);
    message.manner.overflow = Overflow::Rich;
    let post = home.add_message(20, message).await;
    home.run(&[post]).await;
    assert_eq!(counts(&*home.store, post).await.sent, 20);
    let mut methods = home.world.methods();
    methods.sort();
    assert_eq!(methods, [vec!["sendMessage"; 20], vec!["sendRichMessage"; 20]].concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_that_is_uploaded_brings_its_cover_along() {
    let sound = |home: &Home, file: &str, cover: &str| {
        let mut medium = Medium::image(&home.url(file), "");
        medium.kind = MediaKind::Audio;
        (medium.title, medium.performer) = ("Episode".to_owned(), "Somebody".to_owned());
        medium.seconds = Some(61);
        medium.cover = Some(home.url(cover));
        vec![Module::Media(medium), words()]
    };
    let home = Home::new(ChannelKind::Telegram).await;
    let post = home.add(30, sound(&home, "sound.mp3", "cover.png")).await;
    home.run(&[post]).await;
    assert_eq!(home.world.methods(), vec!["sendAudio"; 30]);
    assert_eq!(home.world.uploads().len(), 1);
    let thumbnails = home.world.thumbnails.lock().unwrap().clone();
    let [thumbnail] = &thumbnails[..] else { panic!("{} thumbnails", thumbnails.len()) };
    let sniffed = sniff(thumbnail);
    assert_eq!((sniffed.format, sniffed.size), (Format::Jpeg, Some((320, 213))));
    for at in [0, 29] {
        assert_eq!(home.world.field(at, "title"), "Episode");
        assert_eq!(home.world.field(at, "performer"), "Somebody");
        assert_eq!(home.world.field(at, "caption"), "Some words");
        let duration = home.world.field(at, "duration");
        assert!(duration == 61 || duration == "61", "{duration}");
    }
    assert_eq!(home.world.field(29, "thumbnail"), Value::Null, "the service has it");

    // What goes by its address needs no cover, and a cover that is nowhere is none.
    let before = home.world.fetched();
    home.send(sound(&home, "good.mp3", "cover2.png")).await;
    assert_eq!(home.world.fetched(), before);
    let home = Home::new(ChannelKind::Telegram).await;
    home.send(sound(&home, "sound.mp3", "dead.png")).await;
    assert_eq!(home.world.methods(), ["sendAudio"]);
    assert_eq!(home.world.field(0, "thumbnail"), Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_video_keeps_its_cover_or_does_without() {
    let film = |home: &Home, file: &str, cover: &str| {
        let mut medium = Medium::image(&home.url(file), "");
        medium.kind = MediaKind::Video;
        medium.cover = Some(home.url(cover));
        vec![Module::Media(medium), words()]
    };
    for (file, cover, uploads, thumbnails, has_cover) in [
        ("good.mp4", "good.png", 0, 0, true),
        ("good.mp4", "cover.png", 1, 0, true),
        ("good.mp4", "dead.png", 0, 0, false),
        ("film.mp4", "cover.png", 2, 1, true),
        ("film.mp4", "dead.png", 1, 0, false),
    ] {
        let home = Home::new(ChannelKind::Telegram).await;
        let post = home.add(10, film(&home, file, cover)).await;
        home.run(&[post]).await;
        assert_eq!(home.world.methods(), vec!["sendVideo"; 10], "{file} {cover}");
        let ids: usize = home.world.ids.lock().unwrap().len();
        assert_eq!(home.world.field(9, "cover").is_string(), has_cover, "{file} {cover}");
        assert_eq!(home.world.thumbnails.lock().unwrap().len(), thumbnails, "{file} {cover}");
        // An upload that was tried and refused beside another medium is counted again.
        let sent = home.world.uploads().len();
        assert!((uploads..=uploads + 3).contains(&sent), "{file} {cover}: {sent} uploads");
        assert!(ids <= 5, "{file} {cover}: {ids} ids");
    }
}

// ── Messenger ───────────────────────────────────────────────────────────────────────────────────

#[tokio::test(flavor = "multi_thread")]
async fn a_page_uploads_ahead_what_it_can_not_fetch() {
    let home = Home::new(ChannelKind::Messenger).await;
    let post = home.add(300, vec![home.image("webp.webp")]).await;
    home.run(&[post]).await;
    assert_eq!(counts(&*home.store, post).await.sent, 300);
    let uploads = home.world.uploads();
    assert_eq!(uploads.len(), 1);
    assert_eq!(sniff(&uploads[0]).format, Format::Jpeg);
    for at in [0, 299] {
        let payload = home.world.field(at, "message")["attachment"]["payload"].take();
        assert!(payload["attachment_id"].is_string(), "{payload}");
    }
    home.send(vec![home.image("dead.jpg")]).await;
    assert_eq!(home.world.field(300, "message")["text"], "A dog");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_names_what_it_has_and_renews_what_it_forgot() {
    let home = Home::new(ChannelKind::Messenger).await;
    let post = home.add(20, vec![home.image("good.jpg")]).await;
    home.run(&[post]).await;
    home.world.ids.lock().unwrap().clear();
    let again = home.add(20, vec![home.image("good.jpg")]).await;
    home.run(&[again]).await;
    assert_eq!(counts(&*home.store, again).await.sent, 20);
    let all = home.world.accepted.lock().unwrap().clone();
    let by_address = all
        .iter()
        .filter(|(_, fields)| fields["message"]["attachment"]["payload"]["url"].is_string());
    assert_eq!(by_address.count(), 2, "once, and once more when it was forgotten");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_and_a_grid_lose_only_the_picture_that_is_not_there() {
    let home = Home::new(ChannelKind::Messenger).await;
    let card = |file: &str| Card {
        title: file.to_owned(),
        subtitle: "s".to_owned(),
        image: Some(home.url(file)),
        link: None,
        buttons: vec![],
    };
    let cards = ["good.jpg", "dead.jpg", "webp.webp", "jpeg.jpg"].map(card).to_vec();
    let post = home.add(40, vec![Module::Cards(cards)]).await;
    home.run(&[post]).await;
    assert_eq!(counts(&*home.store, post).await.sent, 40);
    let elements = |at: usize| {
        let mut message = home.world.field(at, "message");
        message["attachment"]["payload"]["elements"].take()
    };
    for at in [0, 39] {
        let elements = elements(at);
        let shown: Vec<bool> = elements
            .as_array()
            .unwrap()
            .iter()
            .map(|element| element["image_url"].is_string())
            .collect();
        assert_eq!(shown, [true, false, false, true], "{elements}");
    }

    let home = Home::new(ChannelKind::Messenger).await;
    let grid = ["jpeg.jpg", "dead.jpg", "again.jpg"];
    let album = grid.map(|file| Medium::image(&home.url(file), "")).to_vec();
    let post = home.add(40, vec![Module::Album(album), words()]).await;
    home.run(&[post]).await;
    assert_eq!(counts(&*home.store, post).await.sent, 40);
    let payload = home.world.field(39, "message")["attachment"]["payload"].take();
    let images = payload["elements"][0]["images"].as_array().unwrap().clone();
    let urls: Vec<&str> = images.iter().map(|image| image["url"].as_str().unwrap()).collect();
    assert_eq!(urls, [home.url("jpeg.jpg"), home.url("again.jpg")]);
    assert_eq!(home.world.refused.lock().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_video_with_buttons_is_one_message_or_words_above_them() {
    let film = |home: &Home, file: &str| {
        let mut medium = Medium::image(&home.url(file), "");
        medium.kind = MediaKind::Video;
        medium.title = "A film".to_owned();
        let text = RichText::default();
        vec![Module::Media(medium), Module::Text { text, buttons: buttons(2) }]
    };
    let home = Home::new(ChannelKind::Messenger).await;
    let payload =
        |home: &Home, at: usize| home.world.field(at, "message")["attachment"]["payload"].take();
    for (at, file, uploads) in [(0, "good.mp4", 0), (30, "film.mp4", 1)] {
        // The edge that keeps files is counted among the calls.
        let before = home.world.methods().iter().filter(|edge| *edge == "messages").count();
        assert_eq!(before, at);
        let post = home.add(30, film(&home, file)).await;
        home.run(&[post]).await;
        assert_eq!(counts(&*home.store, post).await.sent, 30);
        assert_eq!(home.world.uploads().len(), uploads);
        let last = home.world.methods().len() - 1;
        let element = payload(&home, last)["elements"][0].take();
        assert_eq!(element["media_type"], "video");
        assert!(element["attachment_id"].is_string() && element["url"].is_null(), "{element}");
        assert_eq!(element["buttons"].as_array().unwrap().len(), 2);
    }
    // Forgotten ids are renewed there too.
    home.world.ids.lock().unwrap().clear();
    home.send(film(&home, "film.mp4")).await;
    let home = Home::new(ChannelKind::Messenger).await;
    home.send(film(&home, "dead.mp4")).await;
    let payload = payload(&home, 0);
    assert_eq!((&payload["template_type"], &payload["text"]), (&json!("button"), &json!("A film")));
    assert_eq!(payload["buttons"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_nobody_here_can_read_is_a_file() {
    let home = Home::new(ChannelKind::Messenger).await;
    home.send(vec![home.image("avif.avif")]).await;
    let last = home.world.methods().len() - 1;
    let attachment = home.world.field(last, "message")["attachment"].take();
    assert_eq!(attachment["type"], "file");
    assert!(attachment["payload"]["attachment_id"].is_string(), "{attachment}");

    let home = Home::new(ChannelKind::Telegram).await;
    let items = ["good1.jpg", "avif.avif", "good2.jpg"];
    let album = items.map(|file| Medium::image(&home.url(file), "")).to_vec();
    home.send(vec![Module::Album(album)]).await;
    assert_eq!(home.world.methods(), ["sendMediaGroup"]);
    let media = home.world.field(0, "media");
    assert_eq!(media.as_array().unwrap().len(), 2);
    assert_eq!(media[0]["caption"], "avif.avif", "a file among pictures is a link");
    let link = &media[0]["caption_entities"][0];
    assert_eq!((&link["type"], &link["url"]), (&json!("text_link"), &json!(home.url("avif.avif"))));
}
