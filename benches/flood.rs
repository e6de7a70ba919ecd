//! Forged webhooks by the thousand beside genuine ones, at the public door of the real binary.
//!
//! ```text
//! cargo bench --bench flood -- [SECONDS] [FORGED A SECOND]
//! ```
//!
//! First 200 genuine events a second alone, then as many beside the flood, then beside as many
//! requests for a path that is not there: what the flood adds of the processor's time is the cost of
//! a forged request, and what the bare refusals add is the yardstick. Half of the forged requests
//! have no signature, half a wrong one, so that their bodies are read. Loopback only; the client
//! runs on the same machine.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::disallowed_methods,
    reason = "it shows and fails as a test does"
)]

#[path = "../tests/rig/mod.rs"]
mod rig;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use rig::{Daemon, Rig, name};
use serde_json::json;
use sha2::Sha256;
use tidings::runtime::clock::Clock;
use tidings::sandbox::telegram;
use tidings::store::Store;
use tidings::store::redb;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

/// Genuine events a second, over so many connections.
const GENUINE: u32 = 200;
const GENUINE_LINES: u32 = 20;

/// Connections of the flood.
const FLOOD_LINES: u32 = 50;

/// What is asked for.
const P99_MAX: Duration = Duration::from_millis(250);
const FORGED_COST_MAX: Duration = Duration::from_micros(20);

#[derive(Clone)]
struct Place {
    public: String,
    secret: String,
    page: String,
    next: Arc<AtomicU64>,
    now: i64,
}

/// What a stretch of time showed.
struct Stretch {
    acknowledged: u64,
    refused: u64,
    p50: Duration,
    p99: Duration,
    flood: u64,
    cpu: Duration,
    resident: u64,
}

fn main() {
    let numbers: Vec<u32> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    let seconds = numbers.first().copied().unwrap_or(30).max(1);
    let forged = numbers.get(1).copied().unwrap_or(5_000).max(FLOOD_LINES);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(measure(seconds, forged));
}

async fn measure(seconds: u32, forged: u32) {
    let rig = Rig::new(telegram::Rules::default()).await;
    let daemon = rig.start();
    let place = Place {
        public: rig.public.clone(),
        secret: rig.messenger.app_secret().to_owned(),
        page: rig.messenger.page_id().to_owned(),
        next: Arc::new(AtomicU64::new(1)),
        now: Clock::system().now().as_millis(),
    };
    println!("{GENUINE} genuine events a second for {seconds} s at a time");
    // A run of its own first, so that nothing is paid for the first time later.
    stretch(&place, &daemon, seconds.min(5), None).await;
    let alone = stretch(&place, &daemon, seconds, None).await;
    show("alone", &alone);
    let wrong = format!("X-Hub-Signature-256: sha256={}\r\n", "0".repeat(64));
    let body = json!({ "object": "page", "entry": [] }).to_string();
    let post = |path: &str, line: &str| {
        let length = body.len();
        format!("POST {path} HTTP/1.1\r\nHost: x\r\n{line}Content-Length: {length}\r\n\r\n{body}")
    };
    let flood = [post("/messenger/page", ""), post("/messenger/page", &wrong)];
    let beside = stretch(&place, &daemon, seconds, Some((forged, flood))).await;
    show(&format!("beside {forged} forged a second"), &beside);
    let bare = [post("/nothing/here", ""), post("/nothing/here", &wrong)];
    let yardstick = stretch(&place, &daemon, seconds, Some((forged, bare))).await;
    show(&format!("beside {forged} a second for a path that is not there"), &yardstick);

    let cost =
        |of: &Stretch| of.cpu.saturating_sub(alone.cpu) / u32::try_from(of.flood.max(1)).unwrap();
    println!(
        "a forged request costs {:?} of the processor, a bare refusal {:?}",
        cost(&beside),
        cost(&yardstick)
    );
    let growth = beside.resident as f64 / alone.resident as f64;
    println!("resident memory after the flood: {growth:.2} of what it was before");

    let acknowledged = place.next.load(Ordering::Relaxed) - 1;
    let kept = kept(&rig, daemon).await;
    println!("{acknowledged} genuine events were sent, {kept} are kept");
    let all = [&alone, &beside, &yardstick];
    assert!(all.iter().all(|one| one.refused == 0), "genuine events were refused");
    assert_eq!(kept, acknowledged, "genuine events were lost");
    let verdict = |is_good: bool| if is_good { "met" } else { "MISSED" };
    println!("p99 of at most {P99_MAX:?}: {}", verdict(beside.p99 <= P99_MAX));
    println!("at most {FORGED_COST_MAX:?} each: {}", verdict(cost(&beside) <= FORGED_COST_MAX));
    println!("memory flat: {}", verdict(growth < 1.25));
}

fn show(what: &str, stretch: &Stretch) {
    println!(
        "{what}: {} acknowledged, p50 {:?}, p99 {:?}; {} of the flood answered, {:?} of the processor, \
         {} MB resident",
        stretch.acknowledged,
        stretch.p50,
        stretch.p99,
        stretch.flood,
        stretch.cpu,
        stretch.resident >> 20
    );
}

/// Everybody who was kept, once all is answered.
async fn kept(rig: &Rig, daemon: Daemon) -> u64 {
    loop {
        let output = rig.command(&["status", "--json"]);
        let status: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        if status["events_waiting"] == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    daemon.terminate();
    let store = redb::open(&rig.store_file()).unwrap();
    store.load_subscribers(&name("page")).await.unwrap().len() as u64
}

/// Genuine events for some seconds, beside a flood of two kinds of requests by turns.
async fn stretch(
    place: &Place,
    daemon: &Daemon,
    seconds: u32,
    flood: Option<(u32, [String; 2])>,
) -> Stretch {
    let before = daemon.cpu();
    let until = Instant::now() + Duration::from_secs(seconds.into());
    let flooded = Arc::new(AtomicU64::new(0));
    let mut lines = JoinSet::new();
    if let Some((per_second, requests)) = flood {
        for _ in 0..FLOOD_LINES {
            let (place, requests) = (place.clone(), requests.clone());
            let flooded = Arc::clone(&flooded);
            lines.spawn(async move {
                let mut stream = TcpStream::connect(&place.public).await.unwrap();
                let mut beat = beat(per_second, FLOOD_LINES);
                for request in requests.iter().cycle() {
                    beat.tick().await;
                    if Instant::now() >= until {
                        break;
                    }
                    let status = ask(&mut stream, request).await;
                    assert!(matches!(status, 401 | 404 | 429), "{status}");
                    flooded.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    }
    let mut genuine = JoinSet::new();
    for _ in 0..GENUINE_LINES {
        let place = place.clone();
        genuine.spawn(async move {
            let mut stream = TcpStream::connect(&place.public).await.unwrap();
            let (mut beat, mut times, mut refused) = (beat(GENUINE, GENUINE_LINES), vec![], 0);
            loop {
                beat.tick().await;
                if Instant::now() >= until {
                    return (times, refused);
                }
                let request = event(&place);
                let asked_at = Instant::now();
                match ask(&mut stream, &request).await {
                    200 => times.push(asked_at.elapsed()),
                    _ => refused += 1,
                }
            }
        });
    }
    let (mut times, mut refused) = (Vec::new(), 0);
    while let Some(line) = genuine.join_next().await {
        let (more, no) = line.unwrap();
        times.extend(more);
        refused += no;
    }
    while let Some(line) = lines.join_next().await {
        line.unwrap();
    }
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)];
    Stretch {
        acknowledged: times.len() as u64,
        refused,
        p50: at(50),
        p99: at(99),
        flood: flooded.load(Ordering::Relaxed),
        cpu: daemon.cpu().saturating_sub(before),
        resident: daemon.resident_bytes(),
    }
}

fn beat(per_second: u32, lines: u32) -> tokio::time::Interval {
    let mut beat = tokio::time::interval(Duration::from_secs(1) * lines / per_second);
    beat.set_missed_tick_behavior(MissedTickBehavior::Burst);
    beat
}

/// Somebody new starts.
fn event(place: &Place) -> String {
    let (psid, page) = (format!("9{:08}", place.next.fetch_add(1, Ordering::Relaxed)), &place.page);
    let body = json!({ "object": "page", "entry": [{ "id": page, "time": place.now, "messaging": [{
        "sender": { "id": psid }, "recipient": { "id": page }, "timestamp": place.now,
        "postback": { "mid": format!("m_{psid}"), "title": "Get Started", "payload": "GET_STARTED" },
    }]}]})
    .to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(place.secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let digits: String =
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "POST /messenger/page HTTP/1.1\r\nHost: x\r\nX-Hub-Signature-256: sha256={digits}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The status of one request on a connection that stays; the answers have no bodies.
async fn ask(stream: &mut TcpStream, request: &str) -> u16 {
    stream.write_all(request.as_bytes()).await.unwrap();
    let (mut answer, mut part) = (Vec::new(), [0; 1024]);
    while !answer.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = stream.read(&mut part).await.unwrap();
        assert!(read > 0, "the door closed a connection");
        answer.extend_from_slice(&part[..read]);
    }
    std::str::from_utf8(&answer[9..12]).unwrap().parse().unwrap()
}
