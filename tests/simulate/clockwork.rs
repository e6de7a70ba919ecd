//! Time that goes on only when nothing is left to do.
//!
//! One thread runs everything, with tokio's time paused. Two hooks of the runtime tell when it
//! would rest: [`round`] ends there, after one look at the sockets; [`step`] lets it rest, which
//! moves the time to the next timer, whatever it is.
//!
//! All sockets are of this process, so what one side wrote, the other can read at its next look.

use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Poll, Waker};
use std::time::Duration;

use tokio::time::Instant;

/// So many rounds in which nothing was to be seen are taken for rest. A hop from one side of a
/// socket to the other takes one.
const CALM_ROUNDS: u32 = 6;
/// A daemon that is not at rest after so many rounds turns in a circle.
const ROUNDS_MAX: u32 = 200_000;

thread_local! {
    static SLOTS: OnceLock<Arc<Slots>> = const { OnceLock::new() };
}

#[derive(Default)]
struct Slots {
    /// Woken when there is nothing left to run.
    idle: Mutex<Option<Waker>>,
    /// Woken once the runtime has rested.
    rested: Mutex<Option<Waker>>,
}

fn slots() -> Arc<Slots> {
    SLOTS.with(|slots| Arc::clone(slots.get_or_init(Arc::default)))
}

/// Runs a simulation to its end on this thread.
pub fn run<T>(simulation: impl Future<Output = T>) -> T {
    let (before, after) = (slots(), slots());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .max_blocking_threads(4)
        .on_thread_park(move || wake(&before.idle))
        .on_thread_unpark(move || wake(&after.rested))
        .build()
        .unwrap();
    let ended = runtime.block_on(simulation);
    runtime.shutdown_background();
    ended
}

fn wake(slot: &Mutex<Option<Waker>>) {
    if let Some(waker) = slot.lock().unwrap().take() {
        waker.wake();
    }
}

/// Lets everybody run who can, then looks at the sockets once.
pub async fn round() {
    let slots = slots();
    once(&slots.idle).await;
}

async fn once(slot: &Mutex<Option<Waker>>) {
    let mut is_armed = false;
    std::future::poll_fn(|context| {
        if is_armed && slot.lock().unwrap().is_none() {
            return Poll::Ready(());
        }
        is_armed = true;
        *slot.lock().unwrap() = Some(context.waker().clone());
        Poll::Pending
    })
    .await;
}

/// Rounds until nothing is to be seen: `seen` is what may show that somebody did something.
pub async fn settle<T: PartialEq>(seen: impl Fn() -> T) {
    let (mut last, mut calm) = (seen(), 0);
    for _ in 0..ROUNDS_MAX {
        round().await;
        let now = seen();
        calm = if now == last { calm + 1 } else { 0 };
        if calm >= CALM_ROUNDS {
            return;
        }
        last = now;
    }
    panic!("somebody never rests");
}

/// Moves the time to the next timer, but not beyond `until`.
///
/// What other threads do for us is waited for instead: then the time stands.
pub async fn step(until: Instant) {
    let slots = slots();
    tokio::select! {
        biased;
        () = once(&slots.rested) => {}
        () = tokio::time::sleep_until(until) => {}
    }
    slots.rested.lock().unwrap().take();
}

/// As [`step`], by a span.
pub fn after(span: Duration) -> Instant {
    Instant::now() + span
}
