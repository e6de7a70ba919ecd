//! What can go wrong between a client and a stand-in, on demand.
//!
//! A [`Trouble`] says which requests it meets and how often; a [`Fault`] says what happens to them.
//! Each fault tells whether the request was *accepted*, that is whether it took effect and stands in
//! the ledger: that is what a client can't see, and what the tests are about.

use std::fmt::Display;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::sandbox::door::{Outcome, Reply, Wire};

/// What happens to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Waits `before` taking the request in and `after` it; the answer is the real one.
    Slow { before: Duration, after: Duration },
    /// Answers this instead of the real thing, whole.
    Answer { reply: Reply, is_accepted: bool },
    /// Accepted; half of the answer's body comes, then the connection is closed.
    Truncated,
    /// Accepted; that many bytes of the answer (head and body) come, then a reset.
    Cut { bytes: usize },
    /// The connection is reset without an answer.
    Reset { is_accepted: bool },
    /// The connection is closed in order, without an answer. Accepted, this is the lie: the
    /// message is out and the sender is told nothing.
    Closed { is_accepted: bool },
    /// No answer ever comes; the connection stays open until the client leaves.
    Hang { is_accepted: bool },
}

impl Fault {
    /// The answer comes `delay` after the request was accepted.
    pub fn slow(delay: Duration) -> Self {
        Self::Slow { before: Duration::ZERO, after: delay }
    }

    /// The page that a proxy in front of the service answers; not accepted.
    pub fn html(status: u16) -> Self {
        let page = "<html><head><title>Bad Gateway</title></head><body>nginx</body></html>\r\n";
        Self::Answer { reply: Reply::new(status, "text/html", page), is_accepted: false }
    }

    /// An answer of that status and JSON text; not accepted.
    pub fn json(status: u16, body: impl Into<Bytes>) -> Self {
        Self::Answer { reply: Reply::new(status, "application/json", body), is_accepted: false }
    }

    /// The same answer, which asks to wait for so many seconds.
    #[must_use]
    pub fn asking(self, seconds: u32) -> Self {
        match self {
            Self::Answer { reply, is_accepted } => {
                let reply = reply.with_header("retry-after", seconds.to_string());
                Self::Answer { reply, is_accepted }
            }
            other => other,
        }
    }

    /// Accepted, and the connection closed without a word.
    pub fn lie() -> Self {
        Self::Closed { is_accepted: true }
    }

    fn is_accepted(&self) -> bool {
        match self {
            Self::Slow { .. } | Self::Truncated | Self::Cut { .. } => true,
            Self::Answer { is_accepted, .. }
            | Self::Reset { is_accepted }
            | Self::Closed { is_accepted }
            | Self::Hang { is_accepted } => *is_accepted,
        }
    }

    /// One word for the ledger.
    fn word(&self) -> &'static str {
        match self {
            Self::Slow { .. } => "slow",
            Self::Answer { .. } => "answer",
            Self::Truncated => "truncated",
            Self::Cut { .. } => "cut",
            Self::Reset { .. } => "reset",
            Self::Closed { .. } => "closed",
            Self::Hang { .. } => "hang",
        }
    }
}

/// How often a trouble strikes among the requests that it meets.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Often {
    Always,
    Times(u32),
    Share(f64),
}

/// A fault with the requests that it meets: all of them, unless narrowed.
#[derive(Clone, Debug, PartialEq)]
pub struct Trouble {
    fault: Fault,
    often: Often,
    skip: u32,
    method: Option<String>,
    address: Option<String>,
}

impl Trouble {
    pub fn new(fault: Fault) -> Self {
        Self { fault, often: Often::Always, skip: 0, method: None, address: None }
    }

    /// Strikes `times` times, then is gone.
    pub fn times(self, times: u32) -> Self {
        Self { often: Often::Times(times), ..self }
    }

    /// Strikes with that probability, 0 to 1, drawn from the stand-in's seed.
    pub fn share(self, share: f64) -> Self {
        Self { often: Often::Share(share.clamp(0.0, 1.0)), ..self }
    }

    /// Lets that many requests pass first.
    pub fn skip(self, requests: u32) -> Self {
        Self { skip: requests, ..self }
    }

    /// Only for this method (Telegram, `sendMessage`) or edge (Messenger, `messages`).
    pub fn on(self, method: &str) -> Self {
        Self { method: Some(method.to_owned()), ..self }
    }

    /// Only for this chat id or PSID.
    pub fn to(self, address: impl Display + Copy) -> Self {
        Self { address: Some(address.to_string()), ..self }
    }

    fn meets(&self, method: &str, address: &str) -> bool {
        self.method.as_deref().is_none_or(|only| only.eq_ignore_ascii_case(method))
            && self.address.as_deref().is_none_or(|only| only == address)
    }
}

/// The troubles of one stand-in; set and cleared while it runs.
///
/// Of the troubles that meet a request, every `Slow` strikes, and the first of the others.
#[derive(Debug)]
pub struct Faults {
    /// Spares the lock when there is no trouble, which is nearly always.
    is_troubled: AtomicBool,
    strikes: AtomicU64,
    troubles: Mutex<(Vec<Trouble>, StdRng)>,
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            is_troubled: AtomicBool::new(false),
            strikes: AtomicU64::new(0),
            troubles: Mutex::new((Vec::new(), StdRng::seed_from_u64(seed))),
        }
    }

    pub fn add(&self, trouble: Trouble) {
        self.lock().0.push(trouble);
        self.is_troubled.store(true, Ordering::Release);
    }

    pub fn clear(&self) {
        self.lock().0.clear();
        self.is_troubled.store(false, Ordering::Release);
    }

    /// How many requests were struck since the start.
    pub fn strikes(&self) -> u64 {
        self.strikes.load(Ordering::Relaxed)
    }

    /// Answers one request through the troubles that meet it. `handle` is polled only if the
    /// request is to be accepted. The second value names the fault.
    pub(crate) async fn pass(
        &self,
        method: &str,
        address: &str,
        handle: impl Future<Output = Reply>,
    ) -> (Outcome, Option<&'static str>) {
        let struck = self.pick(method, address);
        if struck.before > Duration::ZERO {
            tokio::time::sleep(struck.before).await;
        }
        let word = struck.fault.as_ref().map(Fault::word);
        let is_accepted = struck.fault.as_ref().is_none_or(Fault::is_accepted);
        let real = if is_accepted { Some(handle.await) } else { None };
        let was_accepted = real.as_ref().is_some_and(|reply| reply.is_accepted);
        if struck.after > Duration::ZERO {
            tokio::time::sleep(struck.after).await;
        }
        let mut reply = real.unwrap_or_else(|| Reply::new(200, "text/plain", ""));
        let wire = match struck.fault {
            None | Some(Fault::Slow { .. }) => Wire::Whole,
            Some(Fault::Answer { reply: other, .. }) => {
                reply = other;
                Wire::Whole
            }
            Some(Fault::Truncated) => Wire::Truncated,
            Some(Fault::Cut { bytes }) => Wire::Cut(bytes),
            Some(Fault::Reset { .. }) => Wire::Reset,
            Some(Fault::Closed { .. }) => Wire::Closed,
            Some(Fault::Hang { .. }) => Wire::Hang,
        };
        reply.is_accepted = was_accepted;
        (Outcome { reply, wire }, word)
    }

    fn pick(&self, method: &str, address: &str) -> Struck {
        let mut struck = Struck::default();
        if !self.is_troubled.load(Ordering::Acquire) {
            return struck;
        }
        let mut guard = self.lock();
        let (troubles, random) = &mut *guard;
        for trouble in troubles.iter_mut().filter(|trouble| trouble.meets(method, address)) {
            if trouble.skip > 0 {
                trouble.skip -= 1;
                continue;
            }
            if struck.fault.is_some() && !matches!(trouble.fault, Fault::Slow { .. }) {
                continue;
            }
            match &mut trouble.often {
                Often::Always => {}
                Often::Times(0) => continue,
                Often::Times(left) => *left -= 1,
                Often::Share(share) if random.random_bool(*share) => {}
                Often::Share(_) => continue,
            }
            match &trouble.fault {
                Fault::Slow { before, after } => {
                    struck.before += *before;
                    struck.after += *after;
                }
                fault => struck.fault = Some(fault.clone()),
            }
        }
        troubles.retain(|trouble| trouble.often != Often::Times(0));
        if struck.fault.is_some() || struck.before + struck.after > Duration::ZERO {
            self.strikes.fetch_add(1, Ordering::Relaxed);
        }
        struck
    }

    fn lock(&self) -> MutexGuard<'_, (Vec<Trouble>, StdRng)> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What strikes one request.
#[derive(Debug, Default)]
struct Struck {
    before: Duration,
    after: Duration,
    fault: Option<Fault>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(faults: &Faults, method: &str, address: &str) -> bool {
        faults.pick(method, address).fault.is_some()
    }

    #[test]
    fn a_counted_trouble_strikes_that_often_and_is_gone() {
        let faults = Faults::new(1);
        faults.add(Trouble::new(Fault::lie()).times(2));
        let hits: Vec<bool> = (0..4).map(|_| hit(&faults, "sendMessage", "1")).collect();
        assert_eq!(hits, [true, true, false, false]);
        assert_eq!(faults.strikes(), 2);
    }

    #[test]
    fn a_trouble_meets_only_its_method_and_address() {
        let faults = Faults::new(1);
        faults.add(Trouble::new(Fault::lie()).on("sendPhoto").to(7));
        assert!(!hit(&faults, "sendMessage", "7"));
        assert!(!hit(&faults, "sendPhoto", "8"));
        assert!(hit(&faults, "sendphoto", "7"));
    }

    #[test]
    fn a_share_is_the_same_for_the_same_seed() {
        let draw = |seed| {
            let faults = Faults::new(seed);
            faults.add(Trouble::new(Fault::lie()).share(0.3));
            (0..200).map(|_| hit(&faults, "sendMessage", "1")).collect::<Vec<_>>()
        };
        assert_eq!(draw(5), draw(5));
        assert_ne!(draw(5), draw(6));
        let share = draw(5).iter().filter(|hit| **hit).count();
        assert!((30..=90).contains(&share), "{share} of 200");
    }

    #[test]
    fn skipped_requests_pass_and_slowness_adds_to_a_fault() {
        let faults = Faults::new(1);
        faults.add(Trouble::new(Fault::lie()).skip(1));
        faults.add(Trouble::new(Fault::slow(Duration::from_millis(5))));
        assert_eq!(faults.pick("m", "1").fault, None);
        let struck = faults.pick("m", "1");
        assert_eq!((struck.fault, struck.after), (Some(Fault::lie()), Duration::from_millis(5)));
    }
}
