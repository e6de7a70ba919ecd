//! The real binary, killed at random moments while people write to it: what was acknowledged is
//! kept and answered.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "it shows and fails as a test does"
)]

mod rig;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rig::{PATIENCE, Rig, name};
use serde_json::json;
use sha2::Sha256;
use tidings::sandbox::telegram;
use tidings::store::Store;
use tidings::store::redb;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const KILLS: usize = 4;

/// People who write side by side.
const WRITERS: usize = 8;

/// One request with an event of somebody new; whether it was acknowledged.
async fn starts(public: &str, secret: &str, page: &str, psid: &str, now: i64) -> bool {
    let body = json!({ "object": "page", "entry": [{ "id": page, "time": now, "messaging": [{
        "sender": { "id": psid }, "recipient": { "id": page }, "timestamp": now,
        "postback": { "mid": format!("m_{psid}"), "title": "Get Started", "payload": "GET_STARTED" },
    }]}]})
    .to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let digits: String =
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let request = format!(
        "POST /messenger/page HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
         X-Hub-Signature-256: sha256={digits}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let exchange = async {
        let mut stream = TcpStream::connect(public).await.ok()?;
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        answer.starts_with("HTTP/1.1 200").then_some(())
    };
    tokio::time::timeout(Duration::from_secs(20), exchange).await.ok().flatten().is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_w04_no_acknowledged_event_is_lost_whenever_the_program_is_killed() {
    let rig = Rig::new(telegram::Rules::default()).await;
    let mut dice = StdRng::seed_from_u64(6);
    let (is_over, next) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(1)));
    let now = tidings::runtime::clock::Clock::system().now().as_millis();
    let mut writers = JoinSet::new();
    for _ in 0..WRITERS {
        let (is_over, next) = (Arc::clone(&is_over), Arc::clone(&next));
        let (public, page) = (rig.public.clone(), rig.messenger.page_id().to_owned());
        let secret = rig.messenger.app_secret().to_owned();
        writers.spawn(async move {
            let mut acknowledged = Vec::new();
            while !is_over.load(Ordering::Relaxed) {
                let psid = format!("9{:06}", next.fetch_add(1, Ordering::Relaxed));
                if starts(&public, &secret, &page, &psid, now).await {
                    acknowledged.push(psid);
                } else {
                    // Nobody is there: the service would wait too.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
            acknowledged
        });
    }
    for _ in 0..KILLS {
        let daemon = rig.start();
        tokio::time::sleep(Duration::from_millis(dice.random_range(100..900))).await;
        daemon.kill();
    }
    let daemon = rig.start();
    tokio::time::sleep(Duration::from_millis(300)).await;
    is_over.store(true, Ordering::Relaxed);
    let mut acknowledged = BTreeSet::new();
    while let Some(writer) = writers.join_next().await {
        acknowledged.extend(writer.unwrap());
    }
    let answered = async {
        loop {
            let output = rig.command(&["status", "--json"]);
            let status: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(status["events_aside"], 0, "{status}");
            if status["events_waiting"] == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, answered).await.is_ok(), "events stay unanswered");
    daemon.terminate();
    let store = redb::open(&rig.store_file()).unwrap();
    let kept = store.load_subscribers(&name("page")).await.unwrap();
    let kept: BTreeSet<String> = kept.into_iter().map(|person| person.address).collect();
    let lost: Vec<&String> = acknowledged.difference(&kept).collect();
    assert!(lost.is_empty(), "{} of {} were lost: {lost:?}", lost.len(), acknowledged.len());
    assert!(acknowledged.len() > KILLS, "only {} were acknowledged", acknowledged.len());
    println!("{} acknowledged over {KILLS} kills, none lost", acknowledged.len());
}
