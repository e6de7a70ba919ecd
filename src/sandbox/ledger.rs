//! What a stand-in saw and took in: the truth that a sender's own records are checked against.
//!
//! Counts are exact for as long as the stand-in runs; of the single requests and messages the
//! newest are kept, up to `kept_max` of each.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value};
use tokio::sync::watch;

use crate::model::time::Timestamp;

/// A message that was accepted: it is with the recipient, whatever the sender was told.
#[derive(Clone, Debug, PartialEq)]
pub struct Accepted {
    /// Telegram: the method. Messenger: `messages`.
    pub method: String,
    /// The chat id or PSID.
    pub address: String,
    pub message_id: String,
    pub at: Timestamp,
    /// The request's parameters; `None` when bodies are not kept.
    pub body: Option<Map<String, Value>>,
}

impl Accepted {
    /// The message's text or caption, wherever the service has it.
    pub fn text(&self) -> Option<&str> {
        let body = self.body.as_ref()?;
        let message = body.get("message");
        let payload = message.and_then(|message| message.get("attachment")?.get("payload"));
        [
            body.get("text"),
            body.get("caption"),
            message.and_then(|message| message.get("text")),
            payload.and_then(|payload| payload.get("text")),
        ]
        .into_iter()
        .flatten()
        .find_map(Value::as_str)
    }
}

/// A request that was seen, with what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    /// Empty when it was for nobody.
    pub address: String,
    pub at: Timestamp,
    /// What the answer's status was or would have been; 0 when the client left before.
    pub status: u16,
    pub is_accepted: bool,
    /// The fault that struck it.
    pub fault: Option<&'static str>,
}

/// The book of one stand-in. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Ledger {
    book: Arc<Mutex<Book>>,
    /// Counts everything that is written, so that waiting needs no sleeping.
    version_tx: watch::Sender<u64>,
    kept_max: usize,
}

#[derive(Debug, Default)]
struct Book {
    accepted: VecDeque<Accepted>,
    accepted_total: u64,
    by_address: HashMap<String, u32>,
    requests: VecDeque<Request>,
    requests_total: u64,
    by_status: BTreeMap<u16, u64>,
    in_flight: usize,
    in_flight_max: usize,
}

impl Ledger {
    pub(crate) fn new(kept_max: usize) -> Self {
        Self { book: Arc::default(), version_tx: watch::Sender::new(0), kept_max }
    }

    /// The accepted messages, oldest first.
    pub fn accepted(&self) -> Vec<Accepted> {
        self.lock().accepted.iter().cloned().collect()
    }

    /// The accepted messages of one chat or person, oldest first.
    pub fn accepted_for(&self, address: impl Display + Copy) -> Vec<Accepted> {
        let address = address.to_string();
        self.lock().accepted.iter().filter(|one| one.address == address).cloned().collect()
    }

    pub fn accepted_total(&self) -> u64 {
        self.lock().accepted_total
    }

    /// How many messages were accepted for one chat or person.
    pub fn count_for(&self, address: impl Display + Copy) -> u32 {
        self.lock().by_address.get(&address.to_string()).copied().unwrap_or(0)
    }

    /// How many messages were accepted for everybody who got one.
    pub fn counts(&self) -> HashMap<String, u32> {
        self.lock().by_address.clone()
    }

    /// The requests seen, in the order of their end.
    pub fn requests(&self) -> Vec<Request> {
        self.lock().requests.iter().cloned().collect()
    }

    pub fn requests_total(&self) -> u64 {
        self.lock().requests_total
    }

    /// Requests by the status of their answer; 0 counts those whose client left before it.
    pub fn statuses(&self) -> BTreeMap<u16, u64> {
        self.lock().by_status.clone()
    }

    /// Messages under way: now, and at the most.
    pub fn in_flight(&self) -> (usize, usize) {
        let book = self.lock();
        (book.in_flight, book.in_flight_max)
    }

    /// Forgets everything but what is under way.
    pub fn clear(&self) {
        let mut book = self.lock();
        let in_flight = book.in_flight;
        *book = Book { in_flight, in_flight_max: in_flight, ..Book::default() };
        drop(book);
        self.changed();
    }

    /// Waits until `holds`; looks again whenever something was written. Wrap it in a time-out.
    pub async fn wait_until(&self, mut holds: impl FnMut(&Self) -> bool) {
        let mut version = self.version_tx.subscribe();
        while !holds(self) {
            if version.changed().await.is_err() {
                return;
            }
        }
    }

    /// Waits until that many messages were accepted in all. Wrap it in a time-out.
    pub async fn wait_accepted(&self, total: u64) {
        self.wait_until(|ledger| ledger.accepted_total() >= total).await;
    }

    /// Changes with everything that is written.
    pub(crate) fn version(&self) -> watch::Receiver<u64> {
        self.version_tx.subscribe()
    }

    /// Something outside the book changed that waiters look at too.
    pub(crate) fn changed(&self) {
        self.version_tx.send_modify(|version| *version = version.wrapping_add(1));
    }

    pub(crate) fn accept(&self, message: Accepted) {
        let mut book = self.lock();
        book.accepted_total += 1;
        match book.by_address.get_mut(&message.address) {
            Some(count) => *count += 1,
            None => {
                book.by_address.insert(message.address.clone(), 1);
            }
        }
        push(&mut book.accepted, message, self.kept_max);
        drop(book);
        self.changed();
    }

    /// A request has come. Whoever drops the visit without `leave` says that the client left.
    pub(crate) fn enter(
        &self,
        method: &str,
        address: &str,
        at: Timestamp,
        is_message: bool,
    ) -> Visit {
        if is_message {
            let mut book = self.lock();
            book.in_flight += 1;
            book.in_flight_max = book.in_flight_max.max(book.in_flight);
        }
        let request = Request {
            method: method.to_owned(),
            address: address.to_owned(),
            at,
            status: 0,
            is_accepted: false,
            fault: None,
        };
        Visit { ledger: self.clone(), request: Some(request), is_message }
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request while it is under way.
#[derive(Debug)]
pub(crate) struct Visit {
    ledger: Ledger,
    request: Option<Request>,
    is_message: bool,
}

impl Visit {
    /// What became of the request is known; it may still be under way for a while.
    pub(crate) fn judge(&mut self, status: u16, is_accepted: bool, fault: Option<&'static str>) {
        if let Some(request) = &mut self.request {
            request.status = status;
            request.is_accepted = is_accepted;
            request.fault = fault;
        }
        self.ledger.changed();
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut book = self.ledger.lock();
        if self.is_message {
            book.in_flight -= 1;
        }
        if let Some(request) = self.request.take() {
            book.requests_total += 1;
            *book.by_status.entry(request.status).or_default() += 1;
            push(&mut book.requests, request, self.ledger.kept_max);
        }
        drop(book);
        self.ledger.changed();
    }
}

fn push<T>(kept: &mut VecDeque<T>, new: T, kept_max: usize) {
    if kept.len() >= kept_max {
        kept.pop_front();
    }
    kept.push_back(new);
}
