//! What a stand-in has to tell: events, kept in order, and posted to a webhook until it takes them.
//!
//! Events of one lane (a chat, a person) go out one after the other; a refused one is repeated at
//! once, then after growing pauses, and holds up only its own lane.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::runtime::shutdown::Stop;

/// Most posts under way at a time.
const POSTS_MAX: usize = 40;
/// How far ahead lanes that are free are looked for.
const LOOK_AHEAD_MAX: usize = 512;
/// Longest pause between two tries.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// Longest answer that is read, whatever it is for.
const ANSWER_BYTES_MAX: usize = 8 << 20;

/// Calls out of a stand-in: plain http, no redirects.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    client: Client<HttpConnector, Full<Bytes>>,
}

/// What came back on a call.
#[derive(Debug)]
pub(crate) struct Called {
    pub status: u16,
    pub headers: hyper::HeaderMap,
    pub body: Bytes,
}

impl Caller {
    pub(crate) fn new() -> Self {
        Self { client: Client::builder(TokioExecutor::new()).build_http() }
    }

    /// `None`: no whole answer in `patience`, or the address is no plain http address.
    pub(crate) async fn call(
        &self,
        method: hyper::Method,
        url: &str,
        headers: &[(&'static str, String)],
        body: Bytes,
        patience: Duration,
    ) -> Option<Called> {
        let mut request = hyper::Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = request.body(Full::new(body)).ok()?;
        let call = async {
            let answer = self.client.request(request).await.ok()?;
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await.ok()?.to_bytes();
            Some(Called { status: head.status.as_u16(), headers: head.headers, body })
        };
        tokio::time::timeout(patience, call).await.ok().flatten()
    }
}

/// Where events are posted, and how a post is signed.
pub(crate) struct Target {
    pub url: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Bytes,
}

/// An event that has not been taken yet.
#[derive(Clone, Debug)]
struct Parcel {
    id: i64,
    lane: String,
    body: String,
    failures: u32,
    not_before: Option<Instant>,
}

/// The events that wait, and how posting them goes.
#[derive(Debug)]
pub(crate) struct Outbox {
    parcels: Mutex<VecDeque<Parcel>>,
    bell: Notify,
    /// Posts taken and refused since the start; the last refusal in words.
    tally_tx: watch::Sender<Tally>,
    /// The pause before the second repetition; it doubles from there.
    pause: Duration,
    patience: Duration,
}

/// How posting went so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub taken: u64,
    pub refused: u64,
    pub last_refusal: Option<String>,
}

impl Outbox {
    pub(crate) fn new(pause: Duration, patience: Duration) -> Self {
        Self {
            parcels: Mutex::default(),
            bell: Notify::new(),
            tally_tx: watch::Sender::default(),
            pause,
            patience,
        }
    }

    pub(crate) fn push(&self, id: i64, lane: String, body: String) {
        let parcel = Parcel { id, lane, body, failures: 0, not_before: None };
        self.lock().push_back(parcel);
        self.bell.notify_waiters();
    }

    /// Rings when an event was added or `ring` was called.
    pub(crate) fn bell(&self) -> &Notify {
        &self.bell
    }

    pub(crate) fn ring(&self) {
        self.bell.notify_waiters();
    }

    pub(crate) fn tally(&self) -> watch::Receiver<Tally> {
        self.tally_tx.subscribe()
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// Forgets the events before `id`.
    pub(crate) fn confirm_before(&self, id: i64) {
        self.lock().retain(|parcel| parcel.id >= id);
    }

    /// Forgets all but the newest `count`.
    pub(crate) fn keep_newest(&self, count: usize) {
        let mut parcels = self.lock();
        let surplus = parcels.len().saturating_sub(count);
        parcels.drain(..surplus);
    }

    /// The bodies of the oldest events, at most `limit`.
    pub(crate) fn oldest(&self, limit: usize) -> Vec<String> {
        self.lock().iter().take(limit).map(|parcel| parcel.body.clone()).collect()
    }

    /// Posts events until the stop begins; `target` says where to, or `None` for nowhere yet.
    pub(crate) async fn deliver(
        &self,
        caller: Caller,
        target: impl Fn(&str) -> Option<Target>,
        stop: Stop,
    ) {
        let mut posts: JoinSet<(i64, Option<Called>)> = JoinSet::new();
        let mut busy: HashMap<i64, String> = HashMap::new();
        loop {
            let rung = self.bell.notified();
            tokio::pin!(rung);
            rung.as_mut().enable();

            let mut next_at = None;
            for parcel in self.due(&busy, &mut next_at) {
                let Some(target) = target(&parcel.body) else { break };
                busy.insert(parcel.id, parcel.lane);
                let caller = caller.clone();
                let patience = self.patience;
                posts.spawn(async move {
                    let Target { url, headers, body } = target;
                    let post = caller.call(hyper::Method::POST, &url, &headers, body, patience);
                    (parcel.id, post.await)
                });
            }

            let pause = async {
                match next_at {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = stop.begin.cancelled() => return,
                () = rung => {}
                () = pause => {}
                Some(Ok((id, called))) = posts.join_next(), if !posts.is_empty() => {
                    busy.remove(&id);
                    self.settle(id, called.as_ref());
                }
            }
        }
    }

    /// The first event of every free lane that may go out now; `next_at` is when the next may.
    fn due(&self, busy: &HashMap<i64, String>, next_at: &mut Option<Instant>) -> Vec<Parcel> {
        let now = Instant::now();
        let free = POSTS_MAX.saturating_sub(busy.len());
        let mut lanes: Vec<String> = busy.values().cloned().collect();
        let mut due = Vec::new();
        for parcel in self.lock().iter().take(LOOK_AHEAD_MAX) {
            if due.len() >= free {
                break;
            }
            if lanes.contains(&parcel.lane) {
                continue;
            }
            lanes.push(parcel.lane.clone());
            match parcel.not_before {
                Some(at) if at > now => *next_at = Some(next_at.map_or(at, |next| next.min(at))),
                _ => due.push(parcel.clone()),
            }
        }
        due
    }

    fn settle(&self, id: i64, called: Option<&Called>) {
        let status = called.map(|called| called.status);
        let is_taken = status.is_some_and(|status| (200..300).contains(&status));
        let mut parcels = self.lock();
        if is_taken {
            parcels.retain(|parcel| parcel.id != id);
        } else if let Some(parcel) = parcels.iter_mut().find(|parcel| parcel.id == id) {
            let wished = called.and_then(|called| {
                let seconds = called.headers.get("retry-after")?.to_str().ok()?.parse().ok()?;
                Some(Duration::from_secs(seconds))
            });
            let doublings = parcel.failures.saturating_sub(1).min(16);
            let grown = match parcel.failures {
                0 => Duration::ZERO,
                _ => self.pause.saturating_mul(1 << doublings).min(PAUSE_MAX),
            };
            parcel.failures += 1;
            parcel.not_before = Some(Instant::now() + wished.unwrap_or(grown));
        }
        drop(parcels);
        self.tally_tx.send_modify(|tally| {
            if is_taken {
                tally.taken += 1;
            } else {
                tally.refused += 1;
                tally.last_refusal = Some(match status {
                    Some(status) => format!("Wrong response from the webhook: {status}"),
                    None => "Webhook connection closed".to_owned(),
                });
            }
        });
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Parcel>> {
        self.parcels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
