//! The whole daemon in one process, in a world that one seed makes.
//!
//! The seed draws the campaigns, what is published and how badly it is served, what goes wrong
//! between us and both services, who comes and goes, what the admins say, and when the process ends
//! or the power is lost. Time is virtual: an hour takes some milliseconds. In the end nothing is
//! wrong any more, all is waited for, and the services' own books are held against ours: nothing
//! lost, nothing twice but where nobody could know, no rate exceeded.
//!
//! `TIDINGS_SIM_SEED=7` runs one seed and shows its trace, `TIDINGS_SIM_SEEDS=1000` so many,
//! `TIDINGS_SIM_FROM=5000` from that one on, `TIDINGS_SIM_ALL=1` also cuts lines at every byte and
//! looks at every change of the clocks; `scripts/simulate` does so in an optimised build.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "it shows and fails as a test does"
)]

#[path = "simulate/books.rs"]
mod books;
#[path = "simulate/clockwork.rs"]
mod clockwork;
#[path = "simulate/dice.rs"]
mod dice;
#[path = "simulate/disk.rs"]
mod disk;
#[path = "simulate/feeds.rs"]
mod feeds;
#[path = "simulate/hours.rs"]
mod hours;
#[path = "simulate/lines.rs"]
mod lines;
#[path = "simulate/readers.rs"]
mod readers;
#[path = "simulate/rules.rs"]
mod rules;
#[path = "simulate/script.rs"]
mod script;
#[path = "poll/site.rs"]
#[allow(dead_code, reason = "this test binary uses its part")]
mod site;
#[path = "simulate/storms.rs"]
mod storms;
#[path = "simulate/watched.rs"]
mod watched;
#[path = "simulate/world.rs"]
mod world;

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tidings::model::time::Timestamp;

/// Seeds of a run of the test-suite.
const SEEDS: u64 = 6;
/// Last lines of a trace that a failure shows.
const TRACE_SHOWN: usize = 60;

/// What happened in one run.
#[derive(Default)]
pub struct Trace(Mutex<Vec<String>>);

impl Trace {
    pub fn note(&self, at: Timestamp, what: &str) {
        self.0.lock().unwrap().push(format!("{:.3}  {what}", at.to_jiff()));
    }

    fn last(&self, count: usize) -> String {
        let lines = self.0.lock().unwrap();
        lines[lines.len().saturating_sub(count)..].join("\n")
    }
}

/// Runs one seed; what went wrong is the error.
fn run(seed: u64, shown: usize) -> Result<(), String> {
    let trace = Arc::new(Trace::default());
    let inner = Arc::clone(&trace);
    let simulation = async move {
        let mut world = world::World::new(seed, inner).await;
        let done = script::play(&mut world).await;
        let faults = books::audit(&world, &done);
        world.note(|| world.figures());
        faults
    };
    let ended = std::panic::catch_unwind(AssertUnwindSafe(|| clockwork::run(simulation)));
    let faults = match ended {
        Ok(faults) if faults.is_empty() => {
            if shown == usize::MAX {
                println!("{}", trace.last(shown));
            }
            return Ok(());
        }
        Ok(faults) => faults,
        Err(panic) => vec![
            panic
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
                .unwrap_or_else(|| "it panicked".to_owned()),
        ],
    };
    Err(format!("{}\nseed {seed}: {}", trace.last(shown), faults.join("\n")))
}

/// Everything is tried, not a sample of it.
fn is_thorough() -> bool {
    std::env::var_os("TIDINGS_SIM_ALL").is_some()
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a number"))
}

#[test]
fn nothing_is_lost_and_nothing_comes_twice() {
    if std::env::var_os("TIDINGS_LOG").is_some() {
        tidings::runtime::telemetry::start(&|key| std::env::var(key).ok());
    }
    if let Some(seed) = number("TIDINGS_SIM_SEED") {
        run(seed, usize::MAX).unwrap_or_else(|why| panic!("{why}"));
        return;
    }
    let from = number("TIDINGS_SIM_FROM").unwrap_or(0);
    let until = from + number("TIDINGS_SIM_SEEDS").unwrap_or(SEEDS);
    let next = AtomicU64::new(from);
    let failed = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= until {
                        return;
                    }
                    if let Err(why) = run(seed, TRACE_SHOWN) {
                        println!("{why}\n");
                        failed.lock().unwrap().push(seed);
                    }
                }
            });
        }
    });
    let mut failed = failed.into_inner().unwrap();
    failed.sort_unstable();
    assert!(failed.is_empty(), "failed: {failed:?}; run one with TIDINGS_SIM_SEED");
}
