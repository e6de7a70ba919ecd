//! Webhooks: each service's own proof of who speaks, then the event, then the answer.
//!
//! Nothing is parsed before it is known to be genuine. The answer is 200 only when the events are
//! durable, and its body is always empty: Telegram would take a body as a call to execute. What is
//! genuine but of no use is answered with 200 too, for a service repeats everything else, and one
//! event that never passes would hold up all that follow in its chat.
//!
//! What is refused is counted, not logged: anybody can send it, as fast as they like. Whoever sends
//! more of it than happens by mistake is told to wait; what is genuine passes at any rate.

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, Query, Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::LengthLimitError;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio_util::sync::CancellationToken;

use crate::channel::{messenger, telegram};
use crate::listen::believe_times;
use crate::listen::callers::Caller;
use crate::listen::forgers::{Forgers, Refusal};
use crate::listen::server::Limits;
use crate::model::event::Event;
use crate::model::name::Name;
use crate::model::pacing::Halt;
use crate::model::recent::RECENT_FOR;
use crate::model::secret::{ExposeSecret, SecretString};
use crate::model::signal::Signal;
use crate::runtime::clock::Clock;
use crate::runtime::meters::Meters;
use crate::runtime::wakes::Wakes;
use crate::store::{Store, StoreError};

/// Events that are older are dropped: a signature has no time in it, and can be sent again by
/// whoever has seen it. Duplicates are known for longer than this.
pub const EVENT_AGE_MAX: Duration = RECENT_FOR;

/// Longest challenge that is given back.
const CHALLENGE_BYTES_MAX: usize = 64;

const TELEGRAM_SECRET: &str = "x-telegram-bot-api-secret-token";

const MESSENGER_SIGNATURE: &str = "x-hub-signature-256";

/// Where one channel's service knocks: `/telegram/<channel>` or `/messenger/<channel>`.
#[derive(Clone, Debug)]
pub enum Door {
    Telegram {
        channel: Name,
        /// Given to the service with `setWebhook`, and by it with each request.
        secret: SecretString,
    },
    Messenger {
        channel: Name,
        page_id: String,
        app_secret: SecretString,
        verify_token: SecretString,
    },
}

/// What all doors share.
pub(crate) struct Desk {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Clock,
    pub(crate) wakes: Wakes,
    pub(crate) meters: Meters,
    pub(crate) limits: Limits,
    pub(crate) forgers: Arc<Forgers>,
    /// Cancelled when the store has failed.
    pub(crate) shut: CancellationToken,
}

/// The routes of all doors. A door without a secret stays shut, which is logged.
pub(crate) fn routes(desk: Desk, doors: Vec<Door>) -> Router {
    let mut house = House { desk, bots: HashMap::new(), pages: HashMap::new() };
    for door in doors {
        house.open(door);
    }
    Router::new()
        .route("/telegram/{channel}", post(telegram_event))
        .route("/messenger/{channel}", get(messenger_challenge).post(messenger_event))
        .with_state(Arc::new(house))
}

struct House {
    desk: Desk,
    bots: HashMap<Name, Bot>,
    pages: HashMap<Name, Page>,
}

struct Bot {
    channel: Name,
    /// SHA-256, so that what is compared is of one length.
    secret: [u8; 32],
}

struct Page {
    channel: Name,
    page_id: String,
    signer: Hmac<Sha256>,
    /// SHA-256 of the app secret: pages of one app share it.
    app: [u8; 32],
    /// SHA-256.
    verify_token: [u8; 32],
}

impl House {
    fn open(&mut self, door: Door) {
        match door {
            Door::Telegram { channel, secret } if !secret.expose_secret().is_empty() => {
                let secret = digest(secret.expose_secret().as_bytes());
                self.bots.insert(channel.clone(), Bot { channel, secret });
            }
            Door::Messenger { channel, page_id, app_secret, verify_token }
                if !app_secret.expose_secret().is_empty()
                    && !verify_token.expose_secret().is_empty() =>
            {
                let app_secret = app_secret.expose_secret().as_bytes();
                // A key of any length will do.
                let Ok(signer) = Hmac::new_from_slice(app_secret) else { return };
                let app = digest(app_secret);
                let verify_token = digest(verify_token.expose_secret().as_bytes());
                let page = Page { channel: channel.clone(), page_id, signer, app, verify_token };
                self.pages.insert(channel, page);
            }
            Door::Telegram { channel, .. } | Door::Messenger { channel, .. } => {
                tracing::error!(channel.id = %channel, "a webhook without a secret stays shut");
            }
        }
    }

    /// The page of this id under the same app: Meta brings all of an app's pages to one address.
    fn channel_of(&self, page_id: &str, app: &[u8; 32]) -> Option<Name> {
        self.pages
            .values()
            .find(|page| page.page_id == page_id && page.app == *app)
            .map(|page| page.channel.clone())
    }
}

async fn telegram_event(
    State(house): State<Arc<House>>,
    Path(channel): Path<String>,
    request: Request,
) -> Response {
    let Some(bot) = house.bots.get(channel.as_str()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let given = header(request.headers(), TELEGRAM_SECRET).unwrap_or_default();
    if !is_same(&digest(given.as_bytes()), &bot.secret) {
        let caller = Caller::of(&request);
        return house.desk.forgers.refuse(&bot.channel, caller, StatusCode::UNAUTHORIZED);
    }
    house.desk.take_update(&bot.channel, request).await.into_response()
}

async fn messenger_event(
    State(house): State<Arc<House>>,
    Path(channel): Path<String>,
    request: Request,
) -> Response {
    let Some(page) = house.pages.get(channel.as_str()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let caller = Caller::of(&request);
    let forged = || house.desk.forgers.refuse(&page.channel, caller, StatusCode::UNAUTHORIZED);
    // Without a signature the body is not even read.
    let Some(signature) = header(request.headers(), MESSENGER_SIGNATURE).and_then(signature_of)
    else {
        return forged();
    };
    let body = match house.desk.read(&page.channel, request).await {
        Ok(body) => body,
        Err(status) => return status.into_response(),
    };
    if page.signer.clone().chain_update(&body).verify_slice(&signature).is_err() {
        return forged();
    }
    house.take_batch(page, &body).await.into_response()
}

impl House {
    /// What Meta brings of an app's pages.
    async fn take_batch(&self, page: &Page, body: &[u8]) -> StatusCode {
        let (house, desk) = (self, &self.desk);
        let Ok(body) = serde_json::from_slice::<Value>(body) else {
            return desk.refuse(&page.channel, Refusal::Unreadable, StatusCode::OK);
        };
        let channel_of = |page_id: &str| house.channel_of(page_id, &page.app);
        let batch = messenger::updates::read(&body, channel_of, desk.clock.now());
        for notice in &batch.notices {
            let reason = notice.reason.as_deref().unwrap_or("none given");
            tracing::warn!(
                channel.id = %notice.channel, action = %notice.action, reason,
                "the service spoke about the page's conduct"
            );
            desk.heed(&notice.channel, &notice.action, reason).await;
        }
        if let Err(status) = desk.hear(&page.channel, batch.signals).await {
            return status;
        }
        desk.keep(&page.channel, batch.events).await
    }
}

#[derive(Deserialize)]
struct Challenge {
    #[serde(rename = "hub.mode")]
    mode: String,
    #[serde(rename = "hub.verify_token")]
    verify_token: String,
    #[serde(rename = "hub.challenge")]
    challenge: String,
}

/// Meta asks once, when the address is entered in its dashboard.
async fn messenger_challenge(
    State(house): State<Arc<House>>,
    Path(channel): Path<String>,
    caller: Option<Extension<Caller>>,
    query: Result<Query<Challenge>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let Some(page) = house.pages.get(channel.as_str()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let caller = caller.map_or(Caller::Many, |Extension(caller)| caller);
    let refused = || house.desk.forgers.refuse(&page.channel, caller, StatusCode::FORBIDDEN);
    let Ok(Query(asked)) = query else { return refused() };
    let is_ours = is_same(&digest(asked.verify_token.as_bytes()), &page.verify_token);
    let is_harmless = asked.challenge.len() <= CHALLENGE_BYTES_MAX
        && asked.challenge.bytes().all(|c| c.is_ascii_graphic());
    if asked.mode != "subscribe" || !is_ours || !is_harmless {
        return refused();
    }
    ([(CONTENT_TYPE, "text/plain")], asked.challenge).into_response()
}

impl Desk {
    /// What Telegram brings.
    async fn take_update(&self, channel: &Name, request: Request) -> StatusCode {
        let body = match self.read(channel, request).await {
            Ok(body) => body,
            Err(status) => return status,
        };
        let Ok(update) = serde_json::from_slice::<Value>(&body) else {
            return self.refuse(channel, Refusal::Unreadable, StatusCode::OK);
        };
        let events = telegram::updates::read(channel, &update, self.clock.now());
        self.keep(channel, events).await
    }

    fn refuse(&self, channel: &Name, why: Refusal, status: StatusCode) -> StatusCode {
        self.forgers.count(channel, why, status)
    }

    async fn read(&self, channel: &Name, request: Request) -> Result<Bytes, StatusCode> {
        let (bytes_max, time_max) = (self.limits.body_bytes_max, self.limits.body_time_max);
        let body = read_body(request, bytes_max, time_max).await;
        body.map_err(|status| self.refuse(channel, Refusal::Unfit, status))
    }

    /// A page that the service blocks sends nothing more, until the service or an admin says so.
    async fn heed(&self, channel: &Name, action: &str, reason: &str) {
        let halted = match action {
            "block" => {
                let why = format!("the service has blocked the page: {reason}");
                let halt = Halt { why, at: self.clock.now(), is_by_hand: false };
                self.store.commit_halt(channel, Some(halt)).await
            }
            "unblock" => match self.store.load_halt(channel).await {
                Ok(Some(halt)) if !halt.is_by_hand => self.store.commit_halt(channel, None).await,
                other => other.map(|_| false),
            },
            _ => return,
        };
        match halted {
            Ok(true) => self.wakes.wake_channel(channel),
            Ok(false) => {}
            Err(error) => {
                tracing::error!(channel.id = %channel, %error, "the page's block was not kept");
            }
        }
    }

    /// Makes durable what the service tells of our messages, and wakes who sends because of it.
    async fn hear(&self, channel: &Name, signals: Vec<Signal>) -> Result<(), StatusCode> {
        let now = self.clock.now();
        let fresh = signals.into_iter().filter(|signal| now.since(signal.at) <= EVENT_AGE_MAX);
        let fresh: Vec<Signal> = fresh.collect();
        if fresh.is_empty() {
            return Ok(());
        }
        let commit = self.store.commit_signals(fresh, now);
        match tokio::time::timeout(self.limits.store_time_max, commit).await {
            Ok(Ok(woken)) => {
                woken.iter().for_each(|channel| self.wakes.wake_channel(channel));
                Ok(())
            }
            Ok(Err(error)) => Err(self.shut_for(channel, &error)),
            Err(_) => Err(self.refuse(channel, Refusal::Unkept, StatusCode::SERVICE_UNAVAILABLE)),
        }
    }

    /// The store has failed. Many requests may find that; the first tells.
    fn shut_for(&self, channel: &Name, error: &StoreError) -> StatusCode {
        if !self.shut.is_cancelled() {
            self.shut.cancel();
            tracing::error!(%error, "events could not be kept, the public door is shut");
        }
        self.refuse(channel, Refusal::Unkept, StatusCode::SERVICE_UNAVAILABLE)
    }

    /// Makes the events durable and wakes who answers them; the status says whether it did. They
    /// count for the `channel` at whose door they came: one app's pages share a door.
    async fn keep(&self, channel: &Name, mut events: Vec<Event>) -> StatusCode {
        let now = self.clock.now();
        let told = events.len();
        events.retain(|event| now.since(event.at) <= EVENT_AGE_MAX);
        self.meters.count_events(channel, "stale", (told - events.len()) as u64);
        if events.is_empty() {
            return StatusCode::OK;
        }
        believe_times(&mut events, now);
        let told = events.len();
        let commit = self.store.commit_events(events, None, now);
        match tokio::time::timeout(self.limits.store_time_max, commit).await {
            Ok(Ok(new)) => {
                let repeated = told.saturating_sub(new);
                self.meters.count_events(channel, "kept", new as u64);
                self.meters.count_events(channel, "repeated", repeated as u64);
                if new > 0 {
                    self.wakes.events.notify_one();
                }
                StatusCode::OK
            }
            Ok(Err(error)) => self.shut_for(channel, &error),
            // It may still be kept; the service repeats it, and the store drops the repetition.
            Err(_) => self.refuse(channel, Refusal::Unkept, StatusCode::SERVICE_UNAVAILABLE),
        }
    }
}

/// The whole body, within size and time; else the status that says what is wrong with it.
pub(super) async fn read_body(
    request: Request,
    bytes_max: usize,
    time_max: Duration,
) -> Result<Bytes, StatusCode> {
    let announced = header(request.headers(), CONTENT_LENGTH.as_str());
    if announced.is_some_and(|length| length.parse().is_ok_and(|n: u64| n > bytes_max as u64)) {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let body = axum::body::to_bytes(request.into_body(), bytes_max);
    match tokio::time::timeout(time_max, body).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) if error.source().is_some_and(|e| e.is::<LengthLimitError>()) => {
            Err(StatusCode::PAYLOAD_TOO_LARGE)
        }
        Ok(Err(_)) => Err(StatusCode::BAD_REQUEST),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn is_same(left: &[u8; 32], right: &[u8; 32]) -> bool {
    left.ct_eq(right).into()
}

/// `sha256=` and 64 hexadecimal digits.
fn signature_of(header: &str) -> Option<[u8; 32]> {
    let digits = header.strip_prefix("sha256=")?.as_bytes();
    let mut signature = [0; 32];
    if digits.len() != 2 * signature.len() {
        return None;
    }
    for (byte, pair) in signature.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |c: u8| char::from(c).to_digit(16).and_then(|d| u8::try_from(d).ok());
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(signature)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_64_digits_and_nothing_else() {
        let good = format!("sha256={}", "0aF1".repeat(16));
        let signature = signature_of(&good).unwrap();
        assert_eq!(signature[..4], [0x0a, 0xf1, 0x0a, 0xf1]);
        let digits = "0aF1".repeat(16);
        for bad in [
            String::new(),
            digits.clone(),
            format!("sha1={digits}"),
            format!("sha256={digits}0"),
            format!("sha256={}", &digits[1..]),
            format!("sha256=g{}", &digits[1..]),
            format!("sha256=+{}", &digits[1..]),
            format!("sha256= {digits}"),
        ] {
            assert_eq!(signature_of(&bad), None, "{bad}");
        }
    }
}
