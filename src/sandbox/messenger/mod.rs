//! A stand-in for Messenger's part of the Graph API, with one page and the people who write to it.
//!
//! It speaks the documented protocol on a loopback port, keeps the documented limits (`rules`) and
//! the 24-hour window, answers with the documented errors, and posts signed events to a webhook.
//! It knows texts, templates and attachments: by address, by upload, by the id of an earlier one.
//! Everything lives in memory.

mod rules;

mod media;

mod edges;

mod people;

mod market;

mod profile;

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value, json};
use sha2::Sha256;

use crate::model::time::Timestamp;
use crate::runtime::clock::Clock;
use crate::runtime::shutdown::Tasks;
use crate::sandbox::Running;
use crate::sandbox::door::{self, Asked, Outcome, Reply, Wire};
use crate::sandbox::fault::{Fault, Faults, Trouble};
use crate::sandbox::ledger::Ledger;
use crate::sandbox::limit::{Limit, Window};
use crate::sandbox::outbox::{Caller, Outbox, Tally, Target};
use crate::sandbox::params::{Params, Unreadable};

pub use market::{GAP as MARKETING_GAP, Paid, WARM_UP as MARKETING_WARM_UP};
pub use media::{ATTACHMENT_LIFE, FILE_BYTES_MAX, IMAGE_FETCH_BYTES_MAX};
pub use people::{Entry, Person, Received};

/// How long a person may be written to after they last wrote.
pub const WINDOW: Duration = Duration::from_secs(24 * 60 * 60);
/// How long the real service waits for a webhook's answer.
const WEBHOOK_PATIENCE: Duration = Duration::from_secs(5);
/// Calls of the profile that a page has in ten minutes.
const PROFILE_LIMIT: Limit = Limit::new(10, Duration::from_secs(600));

/// How the stand-in behaves; the default sets no rate limit for messages.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Port 0 takes a free one.
    pub listen: SocketAddr,
    pub page_id: String,
    pub page_token: String,
    pub app_secret: String,
    /// Where events are posted; may be set later.
    pub webhook: Option<String>,
    pub clock: Clock,
    /// Messages of the page to everybody together.
    pub rate: Option<Limit>,
    /// The answer to a message comes so long after it was accepted.
    pub latency: Duration,
    /// Refuses calls without `appsecret_proof`, as the app's setting "Require App Secret" does.
    pub requires_proof: bool,
    /// Fetches the files of messages from their addresses (without TLS alone), as the service does,
    /// and refuses what does not come or is not what it should be; otherwise all are taken for
    /// good.
    pub fetches_media: bool,
    /// Posts an echo of every accepted message, with its `metadata`.
    pub echoes: bool,
    /// Tells that each message arrived.
    pub receipts: bool,
    /// Whether the ledger keeps what messages say; benchmarks need only the counts.
    pub keep_bodies: bool,
    /// Most messages, and most requests, that the ledger keeps one by one.
    pub kept_max: usize,
    /// Pause before a webhook post is repeated a second time; it doubles from there.
    pub webhook_pause: Duration,
    /// Draws the faults that come by share.
    pub seed: u64,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            page_id: "1234567890".into(),
            page_token: "sandbox-page-token-that-opens-nothing".into(),
            app_secret: "sandbox-app-secret-that-signs-for-nobody".into(),
            webhook: None,
            clock: Clock::system(),
            rate: None,
            latency: Duration::ZERO,
            requires_proof: false,
            fetches_media: false,
            echoes: false,
            receipts: false,
            keep_bodies: true,
            kept_max: 1_000_000,
            webhook_pause: Duration::from_secs(2),
            seed: 0,
        }
    }
}

impl Rules {
    /// Above 40 messages a second a page is braked.
    pub fn with_documented_limits(self) -> Self {
        Self { rate: Some(Limit::new(40, Duration::from_secs(1))), ..self }
    }
}

/// What the usage headers say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Of the page's limit.
    pub percent: u64,
    /// Of the app's limit.
    pub app_percent: u64,
    /// Until calls are granted again.
    pub regain_minutes: u64,
}

/// What becomes of the echoes of accepted messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Echoes {
    Off,
    On,
    /// They are kept back, as when a webhook is late.
    Held,
}

/// What is wrong with the whole page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageTrouble {
    /// 190/463.
    TokenExpired,
    /// 190/460: the person behind the token changed their password.
    PasswordChanged,
    /// 190/458: the app was removed.
    AppRemoved,
    /// 368/1390008: blocked for a while, for sending too fast.
    Blocked,
    /// 10/1893063: restricted from sending.
    Restricted,
    /// 10 without a subcode: a permission is missing.
    NoPermission,
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
        tasks.spawn("sandbox messenger", door::serve(listener, Arc::clone(&inner), stop.clone()));
        let posting = Arc::clone(&inner);
        tasks.spawn("sandbox messenger webhook", async move {
            posting.outbox.deliver(Caller::new(), |body| posting.target(body), stop).await;
        });
        Ok(Self { inner, _running: Arc::new(Running(tasks)) })
    }

    pub fn address(&self) -> SocketAddr {
        self.inner.address
    }

    /// The base address: what `api` is set to. Without a version, without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.inner.address)
    }

    pub fn page_id(&self) -> &str {
        &self.inner.rules.page_id
    }

    pub fn page_token(&self) -> &str {
        &self.inner.rules.page_token
    }

    pub fn app_secret(&self) -> &str {
        &self.inner.rules.app_secret
    }

    pub fn ledger(&self) -> &Ledger {
        &self.inner.ledger
    }

    pub fn faults(&self) -> &Faults {
        &self.inner.faults
    }

    /// A person whose phone is looked into. They have not written yet: their window is closed.
    ///
    /// `psid` is a decimal number.
    pub fn person(&self, psid: &str) -> Person {
        self.inner.meet(psid);
        Person::new(Arc::clone(&self.inner), psid)
    }

    /// What the service would say against a message, taken at its word without a socket; `None`
    /// when it takes it. A message that would have to wait for a file to be fetched is not judged.
    pub fn refusal(&self, parameters: &Value) -> Option<String> {
        let parameters = parameters.as_object().cloned().unwrap_or_default();
        let params = Params(parameters, Default::default());
        let psid = edges::recipient(&params).unwrap_or_default();
        let call = self.inner.call(&edges::Edge::Messages, &hyper::Method::POST, &params, &psid);
        let reply = call.now_or_never()?;
        (reply.status != 200).then(|| String::from_utf8_lossy(&reply.body).into_owned())
    }

    /// People with an open window that nobody looks into; cheap by the thousand.
    pub fn open_chats<T: ToString>(&self, psids: impl IntoIterator<Item = T>) {
        let now = self.inner.now();
        let mut state = self.inner.lock();
        for psid in psids {
            state.people.insert(psid.to_string(), people::Human::in_contact(now));
        }
    }

    /// From now on every send is refused so; `None` heals the page.
    pub fn set_page_trouble(&self, trouble: Option<PageTrouble>) {
        self.inner.lock().page_trouble = trouble;
    }

    /// From now on every answer says that so much is used; `None` tells the truth again.
    pub fn set_usage(&self, usage: Option<Usage>) {
        self.inner.lock().usage = usage;
    }

    /// Has the webhook told that the page was blocked, or is not any more: `block`, `unblock`.
    pub fn enforces_policy(&self, action: &str, reason: &str) {
        self.inner.tell_policy(action, reason);
    }

    /// Sets the service's clock forward by so much, against that of the rules.
    pub fn set_clock_ahead(&self, span: Duration) {
        self.inner.lock().ahead = span;
    }

    /// Closes the person's window now, whenever they wrote.
    pub fn closes_window(&self, psid: &str) {
        let now = self.inner.now();
        if let Some(human) = self.inner.lock().people.get_mut(psid) {
            human.window_until = Some(now);
        }
        self.inner.ledger.changed();
    }

    /// The person's window ends at this instant, as if they had written a day before it.
    pub fn ends_window(&self, psid: &str, at: Timestamp) {
        if let Some(human) = self.inner.lock().people.get_mut(psid) {
            human.window_until = Some(at);
        }
        self.inner.ledger.changed();
    }

    /// Every attachment id that was given out is refused from now on.
    pub fn expires_attachments(&self) {
        self.inner.lock().attachments.expire();
    }

    /// How many attachment ids can be used.
    pub fn attachments(&self) -> usize {
        self.inner.lock().attachments.len()
    }

    /// Where events are posted from now on; those that wait go there too.
    pub fn set_webhook(&self, url: &str) {
        self.inner.lock().webhook = Some(url.to_owned());
        self.inner.outbox.ring();
    }

    /// Whether accepted messages are echoed from now on. What was held back goes out with `On`.
    pub fn set_echoes(&self, echoes: Echoes) {
        let held = {
            let mut state = self.inner.lock();
            state.echoes = Some(echoes);
            match echoes {
                Echoes::On => std::mem::take(&mut state.held_echoes),
                Echoes::Off | Echoes::Held => Vec::new(),
            }
        };
        for (psid, event, at) in held {
            self.inner.tell(&psid, &event, at);
        }
    }

    /// Asks the webhook to prove itself, as the dashboard does when its address is entered.
    pub async fn verifies_webhook(&self, verify_token: &str) -> bool {
        let Some(url) = self.inner.lock().webhook.clone() else { return false };
        let challenge = self.inner.next_event().to_string();
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("hub.mode", "subscribe")
            .append_pair("hub.verify_token", verify_token)
            .append_pair("hub.challenge", &challenge)
            .finish();
        let url = format!("{url}?{query}");
        let caller = &self.inner.caller;
        let call = caller.call(hyper::Method::GET, &url, &[], "".into(), WEBHOOK_PATIENCE).await;
        call.is_some_and(|called| called.status == 200 && called.body == challenge.as_bytes())
    }

    /// Whether every event is posted twice, as happens.
    pub fn set_events_doubled(&self, is_doubled: bool) {
        self.inner.is_doubled.store(is_doubled, Ordering::Relaxed);
    }

    /// Events that the webhook has not taken yet.
    pub fn events_pending(&self) -> usize {
        self.inner.outbox.len()
    }

    /// How posting to the webhook goes.
    pub fn webhook_tally(&self) -> Tally {
        self.inner.outbox.tally().borrow().clone()
    }

    /// The page's Messenger profile: what `messenger_profile` set.
    pub fn profile(&self) -> Map<String, Value> {
        self.inner.lock().profile.clone()
    }

    /// The fields that the app is subscribed to for the page.
    pub fn subscribed_fields(&self) -> Vec<String> {
        self.inner.lock().subscribed_fields.clone()
    }
}

/// A refusal in the service's own form, as a fault.
pub fn refusal(status: u16, code: u32, subcode: Option<u32>, message: &str) -> Fault {
    Fault::Answer { reply: refuse(status, code, subcode, message), is_accepted: false }
}

/// The signature header's value for a body.
pub fn signature(app_secret: &str, body: &[u8]) -> String {
    format!("sha256={}", hmac_hex(app_secret, body))
}

/// What all connections share.
#[derive(Debug)]
struct Inner {
    rules: Rules,
    address: SocketAddr,
    /// What `appsecret_proof` must be.
    proof: String,
    ledger: Ledger,
    faults: Faults,
    outbox: Outbox,
    caller: Caller,
    next_event: AtomicI64,
    is_doubled: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    people: HashMap<String, people::Human>,
    webhook: Option<String>,
    page_trouble: Option<PageTrouble>,
    usage: Option<Usage>,
    ahead: Duration,
    window: Window,
    profile_window: Window,
    profile: Map<String, Value>,
    subscribed_fields: Vec<String>,
    attachments: media::Shelf,
    /// `None`: as the rules say.
    echoes: Option<Echoes>,
    held_echoes: Vec<(String, Value, Timestamp)>,
    market: market::Market,
}

impl Inner {
    fn new(rules: Rules, address: SocketAddr) -> Self {
        let faults = Faults::new(rules.seed);
        if rules.latency > Duration::ZERO {
            faults.add(Trouble::new(Fault::slow(rules.latency)).on("messages"));
        }
        Self {
            proof: hmac_hex(&rules.app_secret, rules.page_token.as_bytes()),
            ledger: Ledger::new(rules.kept_max),
            faults,
            outbox: Outbox::new(rules.webhook_pause, WEBHOOK_PATIENCE),
            caller: Caller::new(),
            next_event: AtomicI64::new(1),
            is_doubled: AtomicBool::new(false),
            state: Mutex::new(State { webhook: rules.webhook.clone(), ..State::default() }),
            rules,
            address,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The service's own time.
    fn now(&self) -> Timestamp {
        self.rules.clock.now() + self.lock().ahead
    }

    fn next_event(&self) -> i64 {
        self.next_event.fetch_add(1, Ordering::Relaxed)
    }

    fn next_mid(&self) -> String {
        format!("m_sandbox{:08}", self.next_event())
    }

    /// Where events are posted; `None` while there is no webhook.
    fn target(&self, body: &str) -> Option<Target> {
        let url = self.lock().webhook.clone()?;
        let headers = vec![
            ("content-type", "application/json".to_owned()),
            ("x-hub-signature-256", signature(&self.rules.app_secret, body.as_bytes())),
        ];
        Some(Target { url, headers, body: body.to_owned().into() })
    }

    /// Whether the call may be made: `Err` is the answer to one that may not.
    fn check_access(&self, asked: &Asked, params: &Params) -> Result<(), Reply> {
        let bearer = asked
            .headers
            .get("authorization")
            .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
            .map(str::to_owned);
        let Some(token) = bearer.or_else(|| params.text("access_token")) else {
            let why = "An access token is required to request this resource.";
            return Err(refuse(400, 104, None, why));
        };
        if token != self.rules.page_token {
            let why = "Invalid OAuth access token - Cannot parse access token";
            return Err(refuse(400, 190, None, why));
        }
        match params.text("appsecret_proof") {
            Some(proof) if proof != self.proof => {
                Err(refuse(400, 100, None, "Invalid appsecret_proof provided in the API argument"))
            }
            None if self.rules.requires_proof => {
                let why = "API calls from the server require an appsecret_proof argument";
                Err(refuse(400, 100, None, why))
            }
            _ => Ok(()),
        }
    }
}

impl door::Service for Inner {
    async fn answer(self: Arc<Self>, asked: Asked) -> Outcome {
        let whole = |reply| Outcome { reply, wire: Wire::Whole };
        if let Some(shown) = self.shown(&asked.path) {
            return whole(shown);
        }
        let Some(edge) = edges::Edge::parse(&asked.path, &self.rules.page_id) else {
            let why = "Unsupported request. Object does not exist, cannot be loaded due to \
                       missing permissions, or does not support this operation.";
            return whole(refuse(400, 100, Some(33), why));
        };
        let params = match Params::read(&asked) {
            Ok(params) => params,
            Err(Unreadable::TooLong) => return whole(refuse(413, 1, None, "Request too large")),
            Err(Unreadable::OtherType) => {
                return whole(refuse(400, 100, None, "nothing can be uploaded here"));
            }
            Err(Unreadable::NotUtf8 | Unreadable::NotJson) => {
                return whole(refuse(400, 100, None, "(#100) The body is no valid JSON"));
            }
        };
        let address = edges::recipient(&params).unwrap_or_default();
        let is_message = edge == edges::Edge::Messages;
        let mut visit =
            self.ledger.enter(edge.word(), &address, self.rules.clock.now(), is_message);
        let handle = async {
            match self.check_access(&asked, &params) {
                Ok(()) => self.call(&edge, &asked.method, &params, &address).await,
                Err(refused) => refused,
            }
        };
        let (mut outcome, fault) = self.faults.pass(edge.word(), &address, handle).await;
        visit.judge(outcome.reply.status, outcome.reply.is_accepted, fault);
        if fault.is_none() {
            outcome.reply = self.with_usage(outcome.reply);
        }
        if outcome.wire == Wire::Hang {
            // The visit lasts as long as the client waits.
            std::future::pending::<()>().await;
        }
        outcome
    }
}

fn succeed(body: &Value) -> Reply {
    Reply::json(200, body)
}

fn refuse(status: u16, code: u32, subcode: Option<u32>, message: &str) -> Reply {
    let kind = if code == 100 { "GraphMethodException" } else { "OAuthException" };
    let mut error = json!({
        "message": message, "type": kind, "code": code, "fbtrace_id": "Asandbox",
    });
    if let Some(subcode) = subcode {
        error["error_subcode"] = json!(subcode);
    }
    if matches!(code, 1 | 2) {
        error["is_transient"] = json!(true);
    }
    Reply::json(status, &json!({ "error": error }))
}

fn hmac_hex(key: &str, message: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else {
        // Not reached: a key of any length is taken.
        return String::new();
    };
    mac.update(message);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}
