//! The whole daemon in one process, in a world that one seed makes.
//!
//! The seed draws the campaigns, what is published and how badly it is served, what goes wrong
//! between us and both services, who comes and goes, what the admins say, and when the process ends
//! or the power is lost. Time is virtual: an hour takes some milliseconds. In the end nothing is
//! wrong any more, all is waited for, and the services' own books are held against ours: nothing
//! lost, nothing twice but where nobody could know, no rate exceeded.
//!
//! `TIDINGS_SIM_SEED=7` runs one seed and shows its trace (with `TIDINGS_SIM_PLAIN=1` the world
//! without extras), `TIDINGS_SIM_SEEDS=1000` so many,
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
#[path = "simulate/caps.rs"]
mod caps;
#[path = "simulate/clockwork.rs"]
mod clockwork;
#[path = "simulate/deeds.rs"]
mod deeds;
#[path = "simulate/dice.rs"]
mod dice;
#[path = "simulate/disk.rs"]
mod disk;
#[path = "simulate/extras.rs"]
mod extras;
#[path = "simulate/feeds.rs"]
mod feeds;
#[path = "simulate/hours.rs"]
mod hours;
#[path = "simulate/known.rs"]
mod known;
#[path = "simulate/lanes.rs"]
mod lanes;
#[path = "simulate/lines.rs"]
mod lines;
#[path = "simulate/mail.rs"]
mod mail;
#[path = "simulate/readers.rs"]
mod readers;
#[path = "simulate/rules.rs"]
mod rules;
#[path = "simulate/script.rs"]
mod script;
#[path = "simulate/settings.rs"]
mod settings;
#[path = "poll/site.rs"]
#[allow(dead_code, reason = "this test binary uses its part")]
mod site;
#[path = "simulate/stars.rs"]
mod stars;
#[path = "simulate/storms.rs"]
mod storms;
#[path = "simulate/watched.rs"]
mod watched;
#[path = "simulate/world.rs"]
mod world;

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tidings::model::time::Timestamp;

use crate::known::KNOWN;

/// Seeds of a run of the test-suite.
const SEEDS: u64 = 6;
/// Last lines of a trace that a failure shows.
const TRACE_SHOWN: usize = 60;

/// Seeds that are run twice.
const TWICE: [u64; 2] = [3, 5];

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

/// One world to be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Case {
    seed: u64,
    is_plain: bool,
}

/// Runs one world and answers all that happened; what went wrong is the error.
fn run(case: Case, shown: usize) -> Result<Arc<Trace>, String> {
    let trace = Arc::new(Trace::default());
    let inner = Arc::clone(&trace);
    let simulation = async move {
        let mut world = world::World::new(case.seed, case.is_plain, inner).await;
        let done = script::play(&mut world).await;
        let faults = books::audit(&world, &done);
        world.note(|| world.figures());
        faults
    };
    let ended = std::panic::catch_unwind(AssertUnwindSafe(|| clockwork::run(simulation)));
    let faults = match ended {
        Ok(faults) if faults.is_empty() => return Ok(trace),
        Ok(faults) => faults,
        Err(panic) => vec![
            panic
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
                .unwrap_or_else(|| "it panicked".to_owned()),
        ],
    };
    Err(format!("{}\n{case:?}: {}", trace.last(shown), faults.join("\n")))
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
    let is_plain = std::env::var_os("TIDINGS_SIM_PLAIN").is_some();
    if let Some(seed) = number("TIDINGS_SIM_SEED") {
        let trace = run(Case { seed, is_plain }, usize::MAX).unwrap_or_else(|why| panic!("{why}"));
        println!("{}", trace.last(usize::MAX));
        return;
    }
    let from = number("TIDINGS_SIM_FROM").unwrap_or(0);
    let until = from + number("TIDINGS_SIM_SEEDS").unwrap_or(SEEDS);
    let known = KNOWN.iter().map(|it| Case { seed: it.seed, is_plain: it.is_plain });
    let cases: Vec<Case> = known.chain((from..until).map(|seed| Case { seed, is_plain })).collect();
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(why) = run(*case, TRACE_SHOWN) {
                        println!("{why}\n");
                        failed.lock().unwrap().push(*case);
                    }
                }
            });
        }
    });
    let mut failed = failed.into_inner().unwrap();
    failed.sort_unstable();
    for known in KNOWN.iter().filter(|known| failed.iter().any(|case| case.seed == known.seed)) {
        println!("seed {} once showed that {}", known.seed, known.found);
    }
    assert!(failed.is_empty(), "failed: {failed:?}; run one with TIDINGS_SIM_SEED");
}

#[test]
fn a_seed_makes_one_world() {
    for seed in TWICE {
        let case = Case { seed, is_plain: false };
        let [first, second] = [(); 2].map(|()| {
            let trace = run(case, TRACE_SHOWN).unwrap_or_else(|why| panic!("{why}"));
            trace.last(usize::MAX)
        });
        let (first, second): (Vec<&str>, Vec<&str>) =
            (first.lines().collect(), second.lines().collect());
        for (at, (one, other)) in first.iter().zip(&second).enumerate() {
            assert_eq!(one, other, "line {at} of seed {seed}");
        }
        assert_eq!(first.len(), second.len(), "seed {seed}");
    }
}
