//! The page with two phones: one subscriber on Telegram, one on Messenger.
//!
//! It shows what the stand-ins hold, as it changes, and does on their side what a person does with
//! a thumb. It asks nobody else for anything: page, style and script are in the binary.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::stream::{self, Stream, StreamExt};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::model::time::Timestamp;
use crate::runtime::shutdown::{Stop, Tasks};
use crate::sandbox::site::{ShopDeed, Site, Tally};
use crate::sandbox::{Running, door, messenger, serve, telegram};

/// Newest lines of each chat that the page shows.
const LINES_MAX: usize = 60;
/// Longest text that can be written.
const TEXT_MAX: usize = 4096;
/// Changes are gathered for so long, so that a burst is one drawing.
const GATHER: Duration = Duration::from_millis(40);
const BODY_BYTES_MAX: usize = 64 * 1024;

const PAGE: &str = include_str!("assets/phones.html");
const STYLE: &str = include_str!("assets/phones.css");
const SCRIPT: &str = include_str!("assets/phones.js");

/// Nothing but our own files, and pictures of the blog and whoever else is shown in a message.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      img-src 'self' data: http: https:; media-src http: https:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Whose phones are shown, and what the strip below them tells of.
#[derive(Clone, Debug)]
pub struct World {
    pub telegram: telegram::Server,
    pub telegram_person: telegram::Person,
    pub messenger: messenger::Server,
    pub messenger_person: messenger::Person,
    pub site: Site,
}

/// The running page; it stops when this is dropped.
#[derive(Debug)]
pub struct Phones {
    address: SocketAddr,
    _running: Running,
}

impl Phones {
    /// # Errors
    /// When the address can't be bound.
    pub async fn start(listen: SocketAddr, world: World) -> io::Result<Self> {
        let (listener, address) = door::bind(listen).await?;
        let tasks = Tasks::default();
        let stop = tasks.stop().clone();
        let shared = Arc::new(Shared { world, stop: stop.clone() });
        let router = Router::new()
            .route("/", get(|| async { asset("text/html; charset=utf-8", PAGE) }))
            .route("/phones.css", get(|| async { asset("text/css; charset=utf-8", STYLE) }))
            .route("/phones.js", get(|| async { asset("text/javascript; charset=utf-8", SCRIPT) }))
            .route("/events", get(events))
            .route("/telegram/{deed}", post(telegram_deed))
            .route("/messenger/{deed}", post(messenger_deed))
            .route("/publish", post(publish))
            .route("/shop/{deed}", post(shop))
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .layer(middleware::from_fn(move |request, next| guard(address, request, next)))
            .with_state(shared);
        tasks.spawn("sandbox phones", serve(listener, router, stop));
        Ok(Self { address, _running: Running(tasks) })
    }

    /// What to open in a browser.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

#[derive(Debug)]
struct Shared {
    world: World,
    stop: Stop,
}

/// What is done on a phone. Which fields are needed depends on the deed.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Thumb {
    text: String,
    message_id: i64,
    data: String,
}

async fn telegram_deed(
    State(shared): State<Arc<Shared>>,
    Path(deed): Path<String>,
    Json(thumb): Json<Thumb>,
) -> StatusCode {
    let person = &shared.world.telegram_person;
    match deed.as_str() {
        "start" => person.starts(None),
        "block" => person.blocks(),
        "unblock" => person.unblocks(),
        "say" if is_text(&thumb.text) => person.says(thumb.text.trim()),
        "tap" if person.taps(thumb.message_id, &thumb.data).is_some() => {}
        "say" | "tap" => return StatusCode::UNPROCESSABLE_ENTITY,
        _ => return StatusCode::NOT_FOUND,
    }
    StatusCode::NO_CONTENT
}

async fn messenger_deed(
    State(shared): State<Arc<Shared>>,
    Path(deed): Path<String>,
    Json(thumb): Json<Thumb>,
) -> StatusCode {
    let person = &shared.world.messenger_person;
    match deed.as_str() {
        "start" => person.starts(None),
        "block" => person.blocks(),
        "unblock" => person.unblocks(),
        "close-window" => shared.world.messenger.closes_window(person.psid()),
        "say" if is_text(&thumb.text) => person.says(thumb.text.trim()),
        "tap" if person.taps(&thumb.data) => {}
        "say" | "tap" => return StatusCode::UNPROCESSABLE_ENTITY,
        _ => return StatusCode::NOT_FOUND,
    }
    StatusCode::NO_CONTENT
}

fn is_text(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= TEXT_MAX
}

async fn publish(State(shared): State<Arc<Shared>>, Json(_): Json<Thumb>) -> StatusCode {
    shared.world.site.publish_story();
    StatusCode::NO_CONTENT
}

async fn shop(
    State(shared): State<Arc<Shared>>,
    Path(deed): Path<String>,
    Json(_): Json<Thumb>,
) -> StatusCode {
    match ShopDeed::parse(&deed) {
        Some(deed) => {
            shared.world.site.change_shop(deed);
            StatusCode::NO_CONTENT
        }
        None => StatusCode::NOT_FOUND,
    }
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache")], text).into_response()
}

/// Answers only to who asked for this address by its number or as localhost, so that no site can
/// reach the page through a name of its own; and says what the page may load.
async fn guard(address: SocketAddr, request: Request, next: Next) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let is_ours = host.is_some_and(|host| {
        host == address.to_string() || host == format!("localhost:{}", address.port())
    });
    // Whoever binds another address than loopback wants others to come, by names we can't know.
    if address.ip().is_loopback() && !is_ours {
        return StatusCode::MISDIRECTED_REQUEST.into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

async fn events(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    let ended = shared.stop.begin.clone().cancelled_owned();
    Sse::new(changes(shared).take_until(ended)).keep_alive(KeepAlive::default())
}

/// What a page is told: the whole state of each part at first, then of each part that changed.
fn changes(shared: Arc<Shared>) -> impl Stream<Item = Result<Event, Infallible>> {
    let watcher = Watcher {
        telegram: shared.world.telegram.ledger().version(),
        messenger: shared.world.messenger.ledger().version(),
        site: shared.world.site.tally(),
        told: Default::default(),
        shared,
    };
    stream::unfold((watcher, true), |(mut watcher, is_first)| async move {
        loop {
            if !is_first {
                watcher.wait().await?;
            }
            let events = watcher.look();
            if !events.is_empty() || is_first {
                return Some((stream::iter(events), (watcher, false)));
            }
        }
    })
    .flatten()
    .map(Ok)
}

struct Watcher {
    telegram: watch::Receiver<u64>,
    messenger: watch::Receiver<u64>,
    site: watch::Receiver<Tally>,
    /// What the page was told last of each part.
    told: [String; 3],
    shared: Arc<Shared>,
}

impl Watcher {
    /// `None` when what is watched is gone.
    async fn wait(&mut self) -> Option<()> {
        let is_there = tokio::select! {
            changed = self.telegram.changed() => changed.is_ok(),
            changed = self.messenger.changed() => changed.is_ok(),
            changed = self.site.changed() => changed.is_ok(),
        };
        tokio::time::sleep(GATHER).await;
        is_there.then_some(())
    }

    fn look(&mut self) -> Vec<Event> {
        self.telegram.mark_unchanged();
        self.messenger.mark_unchanged();
        self.site.mark_unchanged();
        let world = &self.shared.world;
        let parts = [
            ("telegram", show_telegram(world)),
            ("messenger", show_messenger(world)),
            ("strip", show_strip(world)),
        ];
        let mut events = Vec::new();
        for (told, (name, part)) in self.told.iter_mut().zip(parts) {
            let text = part.to_string();
            if *told != text {
                events.push(Event::default().event(name).data(&text));
                *told = text;
            }
        }
        events
    }
}

fn show_telegram(world: &World) -> Value {
    let person = &world.telegram_person;
    let standing = match person.standing() {
        telegram::Standing::NeverStarted => "new",
        telegram::Standing::Blocked => "blocked",
        _ => "open",
    };
    json!({
        "standing": standing,
        "owner": person.first_name(),
        "history": newest(person.history()),
        "description": person.sees_description(),
        "commands": person.sees_commands(),
    })
}

fn show_messenger(world: &World) -> Value {
    let person = &world.messenger_person;
    let standing = match (person.is_unavailable(), person.window_until()) {
        (true, _) => "blocked",
        (false, None) => "new",
        (false, Some(_)) => "open",
    };
    json!({
        "standing": standing,
        "owner": person.first_name(),
        "greeting": person.sees_greeting(),
        "questions": person.sees_questions(),
        "menu": person.sees_menu(),
        "window_open": person.has_open_window(),
        "window_until": person.window_until().map(Timestamp::as_millis),
        "history": newest(person.history()),
    })
}

fn show_strip(world: &World) -> Value {
    let tally = world.site.tally().borrow().clone();
    let sent = |ledger: &crate::sandbox::ledger::Ledger| {
        let statuses = ledger.statuses();
        let throttled = statuses.get(&429).copied().unwrap_or(0);
        json!({ "accepted": ledger.accepted_total(), "throttled": throttled })
    };
    json!({
        "posts": tally.posts,
        "newest": tally.newest,
        "polls": tally.polls,
        "unchanged": tally.unchanged,
        "last_poll_at": tally.last_poll_at.map(Timestamp::as_millis),
        "last_poll_status": tally.last_poll_status,
        "telegram": sent(world.telegram.ledger()),
        "messenger": sent(world.messenger.ledger()),
        "blog": world.site.url(),
    })
}

fn newest<T>(mut history: Vec<T>) -> Vec<T> {
    let surplus = history.len().saturating_sub(LINES_MAX);
    history.drain(..surplus);
    history
}
