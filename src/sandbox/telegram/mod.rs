//! A stand-in for the Bot API, with the people and chats behind it.
//!
//! It speaks the documented protocol on a loopback port, keeps the documented limits (`rules`) and
//! answers with the documented errors. It knows one bot, and no `parse_mode`. Everything lives in
//! memory.

mod rules;

mod rich;

mod methods;

mod profile;

mod sending;

mod editing;

mod files;

mod updates;

mod people;

mod groups;

use std::collections::{HashMap, HashSet};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use serde_json::{Value, json};

use crate::runtime::clock::Clock;
use crate::runtime::shutdown::Tasks;
use crate::sandbox::Running;
use crate::sandbox::door::{self, Asked, Outcome, Reply, Wire};
use crate::sandbox::fault::{Fault, Faults, Trouble};
use crate::sandbox::ledger::Ledger;
use crate::sandbox::limit::{Limit, Window};
use crate::sandbox::outbox::{Caller, Outbox, Tally};
use crate::sandbox::params::{Params, Unreadable};

pub use files::{FileKind, UrlRefusal};
pub use people::{Entry, Person, Received, Shown};

/// Header of a webhook post that carries the secret.
const SECRET_HEADER: &str = "x-telegram-bot-api-secret-token";
/// The methods that send.
const SEND_METHODS: [&str; 8] = [
    "sendMessage",
    "sendPhoto",
    "sendVideo",
    "sendAnimation",
    "sendAudio",
    "sendDocument",
    "sendMediaGroup",
    "sendRichMessage",
];
/// Messages that can be sent for pay.
const PAID_LIMIT: Limit = Limit::new(1_000, Duration::from_secs(1));
/// A bot with fewer Stars can't pay.
const STARS_NEEDED: u64 = 10_000;
/// How long the real service waits for a webhook's answer.
const WEBHOOK_PATIENCE: Duration = Duration::from_secs(60);

/// How the stand-in behaves; the default sets no rate limits.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Port 0 takes a free one.
    pub listen: SocketAddr,
    pub token: String,
    /// The bot's name without its `@`.
    pub username: String,
    pub clock: Clock,
    /// Messages of the bot to everybody together.
    pub per_bot: Option<Limit>,
    /// Messages of the bot in all, with those that are paid for.
    pub per_bot_paid: Limit,
    /// The bot's Stars, where paid broadcasts are switched on for it.
    pub stars: Option<u64>,
    /// Messages to one private chat or channel.
    pub per_chat: Option<Limit>,
    /// Messages to one group.
    pub per_group: Option<Limit>,
    /// The answer to a message comes so long after it was accepted.
    pub latency: Duration,
    /// Whether the ledger keeps what messages say; benchmarks need only the counts.
    pub keep_bodies: bool,
    /// Most messages, and most requests, that the ledger keeps one by one.
    pub kept_max: usize,
    /// Takes webhooks at any address, as a server started with `--local` does.
    pub is_local: bool,
    /// Fetches the pictures and other files it is told of, and refuses those that are none. Only
    /// `http:` addresses are fetched; others are believed.
    pub fetches_pictures: bool,
    /// Knows `sendRichMessage`; older servers don't.
    pub knows_rich: bool,
    /// Pause before a webhook post is repeated a second time; it doubles from there.
    pub webhook_pause: Duration,
    /// Draws the faults that come by share.
    pub seed: u64,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            token: "123456789:sandbox-token-that-opens-nothing".into(),
            username: "sandbox_bot".into(),
            clock: Clock::system(),
            per_bot: None,
            per_bot_paid: PAID_LIMIT,
            stars: None,
            per_chat: None,
            per_group: None,
            latency: Duration::ZERO,
            keep_bodies: true,
            kept_max: 1_000_000,
            is_local: true,
            fetches_pictures: false,
            knows_rich: true,
            webhook_pause: Duration::from_secs(2),
            seed: 0,
        }
    }
}

impl Rules {
    /// The limits that the service publishes: 30 messages a second in all, 1 a second to one chat
    /// with a small burst, 20 a minute to one group.
    pub fn with_documented_limits(self) -> Self {
        Self {
            per_bot: Some(Limit::new(30, Duration::from_secs(1))),
            per_chat: Some(Limit::new(5, Duration::from_secs(5))),
            per_group: Some(Limit::new(20, Duration::from_secs(60))),
            ..self
        }
    }
}

/// Whether the bot may write to a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A person that the bot has heard of and who has never pressed Start.
    NeverStarted,
    Open,
    /// The person blocked the bot; groups and channels: the bot was removed.
    Blocked,
    /// The account was deleted.
    Deactivated,
    /// The group became a supergroup with this id.
    Moved(i64),
    /// A group or channel in which the bot may not write.
    ReadOnly,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Private,
    Group,
    Supergroup,
    Channel,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Group => "group",
            Self::Supergroup => "supergroup",
            Self::Channel => "channel",
        }
    }
}

/// The running stand-in. Clones are the same server; it stops when the last is dropped.
#[derive(Clone, Debug)]
pub struct Server {
    inner: Arc<Inner>,
    _running: Arc<Running>,
}

impl Server {
    /// # Errors
    /// When the address can't be bound.
    pub async fn start(rules: Rules) -> io::Result<Self> {
        let (listener, address) = door::bind(rules.listen).await?;
        let inner = Arc::new(Inner::new(rules, address));
        let tasks = Tasks::default();
        let stop = tasks.stop().clone();
        tasks.spawn("sandbox telegram", door::serve(listener, Arc::clone(&inner), stop.clone()));
        let posting = Arc::clone(&inner);
        tasks.spawn("sandbox telegram webhook", async move {
            posting.outbox.deliver(Caller::new(), |body| posting.target(body), stop).await;
        });
        Ok(Self { inner, _running: Arc::new(Running(tasks)) })
    }

    pub fn address(&self) -> SocketAddr {
        self.inner.address
    }

    /// The base address: what `api` is set to. Without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.inner.address)
    }

    pub fn token(&self) -> &str {
        &self.inner.rules.token
    }

    pub fn ledger(&self) -> &Ledger {
        &self.inner.ledger
    }

    pub fn faults(&self) -> &Faults {
        &self.inner.faults
    }

    /// A person, met for the first time or again. A new one has not started the bot.
    ///
    /// `language` is an IETF tag such as `ro`.
    pub fn person(&self, id: i64, language: &str) -> Person {
        self.inner.meet(id, language);
        Person::new(Arc::clone(&self.inner), id)
    }

    /// Private chats that were started and that nobody looks into; cheap by the thousand.
    pub fn open_chats(&self, ids: impl IntoIterator<Item = i64>) {
        let mut state = self.inner.lock();
        for id in ids {
            state.chats.insert(id, Chat::new(Kind::Private, Standing::Open));
        }
    }

    /// A group, or a supergroup when its id begins with -100.
    pub fn open_group(&self, id: i64) {
        let is_super = id.to_string().starts_with("-100");
        let kind = if is_super { Kind::Supergroup } else { Kind::Group };
        self.inner.lock().chats.insert(id, Chat::new(kind, Standing::Open));
    }

    /// A supergroup with topics.
    pub fn open_forum(&self, id: i64, topics: impl IntoIterator<Item = i64>) {
        let mut chat = Chat::new(Kind::Supergroup, Standing::Open);
        chat.topics = topics.into_iter().map(|topic| (topic, false)).collect();
        self.inner.lock().chats.insert(id, chat);
    }

    /// Nothing more can be written in that topic.
    pub fn close_topic(&self, id: i64, topic: i64) {
        if let Some(chat) = self.inner.lock().chats.get_mut(&id) {
            chat.topics.insert(topic, true);
        }
    }

    /// From now on files whose address contains `part` are refused so; the empty part is in every
    /// address. Uploads and ids are not refused.
    pub fn refuse_urls(&self, part: &str, why: UrlRefusal) {
        self.inner.lock().url_refusals.push((part.to_owned(), why));
    }

    /// Addresses are taken again.
    pub fn take_urls(&self) {
        self.inner.lock().url_refusals.clear();
    }

    /// Ids that were handed out are no longer good, as when a file was lost.
    pub fn forget_files(&self) {
        self.inner.lock().files.clear();
    }

    /// What the service would say against a call, taken at its word without a socket; `None` when
    /// it takes it. A call that would have to wait for a file to be fetched is not judged.
    pub fn refusal(&self, method: &str, parameters: &Value) -> Option<String> {
        let parameters = parameters.as_object().cloned().unwrap_or_default();
        let params = Params(parameters, Default::default());
        let reply = self.inner.call(method, &params).now_or_never()?;
        (reply.status != 200).then(|| String::from_utf8_lossy(&reply.body).into_owned())
    }

    /// A message of the bot as the service would tell it now; `None` when it was deleted, never
    /// sent, or bodies are not kept.
    pub fn message(&self, chat: i64, message_id: i64) -> Option<Value> {
        let mut state = self.inner.lock();
        let kept = state.messages.find((chat, message_id))?.clone();
        let whole = state.chats.get(&chat)?;
        Some(self.inner.json_message(chat, whole, message_id, &kept))
    }

    /// A channel; `username` begins with `@`.
    pub fn open_channel(&self, id: i64, username: &str) {
        let mut state = self.inner.lock();
        state.chats.insert(id, Chat::new(Kind::Channel, Standing::Open));
        state.usernames.insert(username.to_owned(), id);
    }

    /// Changes whether the bot may write to a chat, without telling it. Unknown chats stay so.
    pub fn set_standing(&self, id: i64, standing: Standing) {
        if let Some(chat) = self.inner.lock().chats.get_mut(&id) {
            chat.standing = standing;
        }
    }

    /// From now on the token is refused, as after `/revoke` at BotFather.
    pub fn revoke_token(&self) {
        self.inner.lock().is_revoked = true;
    }

    pub fn restore_token(&self) {
        self.inner.lock().is_revoked = false;
    }

    /// What the bot has paid for messages beyond its free rate, in tenths of a Star.
    pub fn stars_paid(&self) -> u64 {
        self.inner.lock().stars_paid
    }

    /// Gives the bot so many Stars; `None` switches paid broadcasts off.
    pub fn set_stars(&self, stars: Option<u64>) {
        self.inner.lock().stars = stars.map(|stars| stars.saturating_mul(10));
    }

    /// Updates that were neither confirmed by `getUpdates` nor taken by the webhook.
    pub fn updates_pending(&self) -> usize {
        self.inner.outbox.len()
    }

    /// `getUpdates` requests that wait for something to tell.
    pub fn polls_waiting(&self) -> usize {
        self.inner.lock().polls_waiting
    }

    /// How posting to the webhook goes.
    pub fn webhook_tally(&self) -> Tally {
        self.inner.outbox.tally().borrow().clone()
    }

    /// What `answerCallbackQuery` said to a tap; `None` while it has not been answered.
    pub fn tap_answer(&self, tap: &str) -> Option<Value> {
        self.inner.lock().taps.get(tap).cloned().flatten()
    }
}

/// A 429 as the service answers it; `None` leaves out how long to wait.
pub fn throttled(retry_after: Option<u64>) -> Fault {
    let reply = match retry_after {
        Some(seconds) => refuse_with(
            429,
            &format!("Too Many Requests: retry after {seconds}"),
            Some(json!({ "retry_after": seconds })),
        )
        .with_header("retry-after", seconds.to_string()),
        None => refuse(429, "Too Many Requests"),
    };
    Fault::Answer { reply, is_accepted: false }
}

/// A 5xx in the service's own form.
pub fn server_error(status: u16) -> Fault {
    let reply = refuse(status, "Internal Server Error");
    Fault::Answer { reply, is_accepted: false }
}

/// A refusal in the service's own form, with the description whole.
pub fn refusal(code: u16, description: &str) -> Fault {
    Fault::Answer { reply: refuse(code, description), is_accepted: false }
}

/// What all connections share.
#[derive(Debug)]
struct Inner {
    rules: Rules,
    address: SocketAddr,
    ledger: Ledger,
    faults: Faults,
    outbox: Outbox,
    caller: Caller,
    next_update: AtomicI64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    chats: HashMap<i64, Chat>,
    usernames: HashMap<String, i64>,
    last_message: i64,
    bot_window: Window,
    paid_window: Window,
    /// In tenths: what the bot has, where it may pay, and what it has paid.
    stars: Option<u64>,
    stars_paid: u64,
    chat_windows: HashMap<i64, Window>,
    /// What can be edited and deleted.
    messages: sending::Messages,
    /// Files by the ids that they were given.
    files: HashMap<String, files::Known>,
    uploads: files::Uploads,
    /// Parts of addresses that are refused.
    url_refusals: Vec<(String, UrlRefusal)>,
    /// Taps by their id, with what answered them.
    taps: HashMap<String, Option<Value>>,
    /// What the bot was told about itself, by what it is and language.
    profile: HashMap<String, Value>,
    webhook: Option<Webhook>,
    allowed_updates: Option<HashSet<String>>,
    /// Grows with every `getUpdates`; one that waits ends when it changes.
    poller: u64,
    polls_waiting: usize,
    is_revoked: bool,
}

#[derive(Debug)]
struct Chat {
    kind: Kind,
    standing: Standing,
    /// Whether each is closed.
    topics: HashMap<i64, bool>,
    /// Of groups and channels.
    admins: Vec<i64>,
    /// Only of people who are looked into.
    person: Option<people::Life>,
}

impl Chat {
    fn new(kind: Kind, standing: Standing) -> Self {
        Self { kind, standing, topics: HashMap::new(), admins: Vec::new(), person: None }
    }
}

#[derive(Debug)]
struct Webhook {
    url: String,
    secret: String,
}

impl Inner {
    fn new(rules: Rules, address: SocketAddr) -> Self {
        let faults = Faults::new(rules.seed);
        if rules.latency > Duration::ZERO {
            for method in SEND_METHODS {
                faults.add(Trouble::new(Fault::slow(rules.latency)).on(method));
            }
        }
        Self {
            ledger: Ledger::new(rules.kept_max),
            faults,
            outbox: Outbox::new(rules.webhook_pause, WEBHOOK_PATIENCE),
            caller: Caller::new(),
            next_update: AtomicI64::new(1_000),
            state: Mutex::new(State {
                stars: rules.stars.map(|stars| stars.saturating_mul(10)),
                ..State::default()
            }),
            rules,
            address,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bot as a user.
    fn bot(&self) -> Value {
        let id = self.rules.token.split(':').next().and_then(|id| id.parse::<i64>().ok());
        json!({
            "id": id.unwrap_or(0),
            "is_bot": true,
            "first_name": "Sandbox",
            "username": self.rules.username,
        })
    }

    fn next_update(&self) -> i64 {
        self.next_update.fetch_add(1, Ordering::Relaxed)
    }

    /// Whether a path's token is ours: `Err` is the answer to one that is not.
    fn check_token(&self, token: &str) -> Result<(), Reply> {
        let has_form = token.split_once(':').is_some_and(|(id, secret)| {
            !id.is_empty() && id.bytes().all(|c| c.is_ascii_digit()) && !secret.is_empty()
        });
        if !has_form {
            return Err(refuse(404, "Not Found"));
        }
        if token != self.rules.token || self.lock().is_revoked {
            return Err(refuse(401, "Unauthorized"));
        }
        Ok(())
    }
}

impl door::Service for Inner {
    async fn answer(self: Arc<Self>, asked: Asked) -> Outcome {
        let whole = |reply| Outcome { reply, wire: Wire::Whole };
        if let Some(path) = asked.path.strip_prefix("/file/bot") {
            let file = path.split_once('/').map(|(token, path)| match self.check_token(token) {
                Ok(()) => self.serve_file(path),
                Err(refused) => refused,
            });
            return whole(file.unwrap_or_else(|| refuse(404, "Not Found")));
        }
        let path = asked.path.strip_prefix("/bot").and_then(|rest| rest.split_once('/'));
        let Some((token, method)) = path else {
            return whole(refuse(404, "Not Found"));
        };
        let params = match Params::read(&asked) {
            Ok(params) => params,
            Err(Unreadable::TooLong) => return whole(refuse(413, "Request Entity Too Large")),
            Err(Unreadable::NotUtf8) => {
                return whole(bad_request("strings must be encoded in UTF-8"));
            }
            Err(Unreadable::NotJson) => {
                return whole(bad_request("can't parse request as JSON object"));
            }
            Err(Unreadable::OtherType) => {
                return whole(bad_request("can't parse the request's body"));
            }
        };
        let address = params.text("chat_id").unwrap_or_default();
        let is_message = sending::is_message(method);
        let mut visit = self.ledger.enter(method, &address, self.rules.clock.now(), is_message);
        let handle = async {
            match self.check_token(token) {
                Ok(()) => self.call(method, &params).await,
                Err(refused) => refused,
            }
        };
        let (outcome, fault) = self.faults.pass(method, &address, handle).await;
        visit.judge(outcome.reply.status, outcome.reply.is_accepted, fault);
        if outcome.wire == Wire::Hang {
            // The visit lasts as long as the client waits.
            std::future::pending::<()>().await;
        }
        outcome
    }
}

fn succeed(result: &Value) -> Reply {
    Reply::json(200, &json!({ "ok": true, "result": result }))
}

fn refuse(code: u16, description: &str) -> Reply {
    refuse_with(code, description, None)
}

fn refuse_with(code: u16, description: &str, parameters: Option<Value>) -> Reply {
    let mut body = json!({ "ok": false, "error_code": code, "description": description });
    if let Some(parameters) = parameters {
        body["parameters"] = parameters;
    }
    Reply::json(code, &body)
}

fn bad_request(why: &str) -> Reply {
    refuse(400, &format!("Bad Request: {why}"))
}
