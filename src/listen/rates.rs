//! How often somebody may ask: a rate for each household and one for all.
//!
//! What is kept does not grow with who asks: households share a fixed number of counters, chosen by
//! a hash that nobody outside can foresee. Each has two of them and is held back only when both say
//! so, so that hardly anybody suffers for another's flood.
//!
//! A counter is one number, the instant at which everything that was let in would have come at
//! exactly the rate (GCRA); it may lie ahead of now by as much as a burst takes.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::Instant;

use crate::listen::callers::Caller;
use crate::runtime::meters::Meters;

/// Counters of one row; there are two rows. 64 KiB each.
const COUNTERS: u32 = 8_192;

/// So many a second, and so many at once after a rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// At least 1.
    pub per_second: u32,
    /// At least 1.
    pub burst: u32,
}

/// What is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Of one IPv4 address or IPv6 /64.
    pub each: Rate,
    /// Of everybody together.
    pub all: Rate,
}

/// Keeps [`Rates`]. Its size is fixed.
#[derive(Debug)]
pub(crate) struct Gate {
    rates: Rates,
    began: Instant,
    all: AtomicU64,
    rows: [Row; 2],
}

#[derive(Debug)]
struct Row {
    hasher: RandomState,
    counters: Box<[AtomicU64]>,
}

impl Gate {
    pub(crate) fn new(rates: Rates) -> Self {
        let row = || Row {
            hasher: RandomState::new(),
            counters: (0..COUNTERS).map(|_| AtomicU64::new(0)).collect(),
        };
        Self { rates, began: Instant::now(), all: AtomicU64::new(0), rows: [row(), row()] }
    }

    /// Lets one request in.
    ///
    /// # Errors
    /// How long the caller is to wait before the next one.
    pub(crate) fn pass(&self, caller: Caller) -> Result<(), Duration> {
        let now = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        if let Caller::One(household) = caller {
            let ways = self.rows.each_ref().map(|row| {
                // The remainder is smaller than the number of counters.
                let at = row.hasher.hash_one(household) % u64::from(COUNTERS);
                let counter = usize::try_from(at).ok().and_then(|at| row.counters.get(at));
                counter.map_or(Ok(()), |counter| take(counter, self.rates.each, now))
            });
            if let [Err(one), Err(other)] = ways {
                return Err(one.min(other));
            }
        }
        take(&self.all, self.rates.all, now)
    }
}

/// Counts one more, if the rate allows it; otherwise says when it will.
fn take(counter: &AtomicU64, rate: Rate, now: u64) -> Result<(), Duration> {
    let step = 1_000_000 / u64::from(rate.per_second.max(1));
    let ahead = step.saturating_mul(u64::from(rate.burst.max(1)));
    let next = |due: u64| {
        let next = due.max(now).saturating_add(step);
        (next - now <= ahead).then_some(next)
    };
    match counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next) {
        Ok(_) => Ok(()),
        Err(due) => {
            let wait = due.max(now).saturating_add(step) - now;
            Err(Duration::from_micros(wait.saturating_sub(ahead)))
        }
    }
}

/// The gate before the public pages.
#[derive(Clone)]
pub(crate) struct PageGate {
    pub(crate) gate: Arc<Gate>,
    pub(crate) meters: Meters,
}

/// Answers who asks too often with 429, and lets all others through.
pub(crate) async fn hold_back(
    State(before): State<PageGate>,
    request: Request,
    next: Next,
) -> Response {
    match before.gate.pass(Caller::of(&request)) {
        Ok(()) => next.run(request).await,
        Err(wait) => {
            before.meters.count_page_held_back();
            let headers = [
                (RETRY_AFTER, seconds(wait)),
                (CACHE_CONTROL, HeaderValue::from_static("no-store")),
                (CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")),
            ];
            (StatusCode::TOO_MANY_REQUESTS, headers, "Too many requests. Try again in a moment.\n")
                .into_response()
        }
    }
}

/// For `Retry-After`: whole seconds, at least one.
pub(crate) fn seconds(wait: Duration) -> HeaderValue {
    HeaderValue::from(wait.as_secs().saturating_add(1))
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn gate(each: (u32, u32), all: (u32, u32)) -> Gate {
        let rate = |(per_second, burst)| Rate { per_second, burst };
        Gate::new(Rates { each: rate(each), all: rate(all) })
    }

    fn caller(n: u32) -> Caller {
        Caller::One(IpAddr::V4(Ipv4Addr::from(n)))
    }

    fn let_in(gate: &Gate, caller: Caller, tries: usize) -> usize {
        (0..tries).filter(|_| gate.pass(caller).is_ok()).count()
    }

    #[tokio::test(start_paused = true)]
    async fn sec_p03_a_household_gets_its_burst_and_then_its_rate() {
        let gate = gate((2, 5), (1_000, 1_000));
        assert_eq!(let_in(&gate, caller(1), 20), 5);
        assert_eq!(let_in(&gate, caller(2), 1), 1);
        let wait = gate.pass(caller(1)).unwrap_err();
        assert!(wait > Duration::ZERO && wait <= Duration::from_millis(500), "{wait:?}");
        tokio::time::advance(wait).await;
        assert_eq!(let_in(&gate, caller(1), 20), 1);
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(let_in(&gate, caller(1), 20), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn sec_p03_all_together_have_a_rate_too() {
        let gate = gate((100, 100), (10, 10));
        let passed: usize = (0..50).map(|n| let_in(&gate, caller(n), 1)).sum();
        assert_eq!(passed, 10);
        assert_eq!(let_in(&gate, Caller::Many, 1), 0);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(let_in(&gate, Caller::Many, 50), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn sec_p03_a_flood_of_others_holds_back_hardly_anybody() {
        let gate = gate((1, 1), (1_000_000, 1_000_000));
        // 400 households spend what they have.
        for n in 0..400 {
            let_in(&gate, caller(n), 3);
        }
        let refused = (1_000..2_000).filter(|n| gate.pass(caller(*n)).is_err()).count();
        assert!(refused < 30, "{refused}");
    }
}
