//! What others do wrong, met by the real binary over real sockets: sites, services, a bad disk.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "it shows and fails as a test does"
)]

#[path = "poll/site.rs"]
#[allow(dead_code, reason = "this test binary uses its part")]
mod site;

mod rig;

use std::collections::HashMap;
use std::io::Write;
use std::time::Duration;

use rig::{Rig, soon};
use sha2::{Digest, Sha256};
use site::{Answer, Site, feed, status};
use tidings::sandbox::fault::{Fault, Trouble};
use tidings::sandbox::{messenger, telegram};

/// Generous: each processor may hold one document of 32 MiB while it reads it, and 25 MB are the
/// pages of a debug build. What matters is that a bomb of 1,000 MiB does not show in it.
const RESIDENT_BYTES_MAX: u64 = 200 << 20;

/// The recipients of each channel.
const PEOPLE: i64 = 40;

/// How many of the troubles of one service take effect although the sender is told nothing of it.
const UNKNOWN_STRIKES: u32 = 6;

/// A service that hangs is left after half a minute, and then spared for a while.
const TROUBLED: Duration = Duration::from_secs(180);

fn gzip(plain: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    for part in plain {
        encoder.write_all(&part).unwrap();
    }
    encoder.finish().unwrap()
}

fn rss(body: &[u8]) -> Vec<u8> {
    status(200, &[("Content-Type", "application/rss+xml")], body)
}

/// The odd sites: a source's name, its answer, and words of the reason.
fn odd_sites() -> Vec<(&'static str, Answer, &'static str)> {
    let login = b"<!doctype html><html><head><title>Sign in</title></head><body>\
                  <form method=post><input name=user><input name=password></form></body></html>";
    let html = [("Content-Type", "text/html")];
    let packed = [("Content-Type", "application/rss+xml"), ("Content-Encoding", "gzip")];
    let whole = rss(&feed(&["one", "two"]));
    let bomb = gzip((0..1_000).map(|_| vec![b' '; 1 << 20]));
    let titles: Vec<String> = (0..100_000).map(|number| format!("item {number}")).collect();
    let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
    let crowd = gzip(std::iter::once(feed(&titles)));
    let bytes: Vec<u8> = (0..9_000_u32).map(|n| 0x80 | (n * 7 % 128) as u8).collect();
    vec![
        ("missing", Answer::Bytes(status(404, &html, b"<h1>Not here</h1>")), "(404)"),
        ("login", Answer::Bytes(status(200, &html, login)), "Sign in"),
        ("cut", Answer::BytesThenClose(whole[..whole.len() / 2].to_vec()), "broke off"),
        ("bomb", Answer::Bytes(status(200, &packed, &bomb)), "bomb"),
        ("crowd", Answer::Bytes(status(200, &packed, &crowd)), "10000 items"),
        ("bytes", Answer::Bytes(rss(&bytes)), "neither XML nor JSON"),
        ("hung", Answer::Hang, "no complete answer within 2 s"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_sites_are_told_in_one_line_back_off_and_delay_nobody() {
    let odd = odd_sites();
    let mut rig = Rig::new(telegram::Rules::default()).await;
    rig.fetch_keys = "timeout = \"2s\"\n".to_owned();
    let mut sites = Vec::new();
    for (number, (name, answer, _)) in odd.iter().enumerate() {
        let site = Site::open(&format!("127.0.1.{}", number + 1)).await;
        let answer = answer.clone();
        site.on("/feed", move |_| answer.clone());
        let url = site.url("/feed");
        rig.extra += &format!("[sources.{name}]\nurl = \"{url}\"\nevery = \"2s\"\n");
        sites.push(site);
    }
    // Bytes that are no UTF-8 within a feed are read as what they probably are.
    let latin = Site::open("127.0.1.200").await;
    let mut bytes = feed(&["caf_"]);
    for byte in bytes.iter_mut().filter(|byte| **byte == b'_') {
        *byte = 0xe9;
    }
    latin.say("/feed", rss(&bytes));
    rig.extra += &format!("[sources.latin]\nurl = \"{}\"\n", latin.url("/feed"));

    rig.subscribe("bot", [7]).await;
    rig.telegram.open_chats([7]);
    let ada = rig.telegram.person(7, "en");
    rig.site.publish("Old news", "<p>Words.</p>");
    let daemon = rig.start();
    rig.baseline().await;
    // While one site hangs and the others misbehave, the good one is delivered.
    rig.site.publish("Fresh news", "<p>Words.</p>");
    soon("the good source's news", ada.wait_inbox(1)).await;

    // Everybody was asked three times: two waits could double.
    for site in &sites {
        soon("three polls", site.wait_for("/feed", 3)).await;
    }
    rig.site.publish("Last news", "<p>Words.</p>");
    soon("the good source's next news", ada.wait_inbox(2)).await;

    let told = rig.command(&["status", "--json"]);
    let told: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    let shown = String::from_utf8(rig.command(&["status"]).stdout).unwrap();
    assert_eq!(told["sources"]["blog"]["state"], "well");
    assert_eq!(told["sources"]["latin"]["state"], "well", "{shown}");
    let peak = daemon.resident_peak_bytes();
    println!("at most {} MB resident", peak >> 20);
    assert!(peak > 0 && peak < RESIDENT_BYTES_MAX, "{peak} bytes were resident");
    let (code, log) = daemon.terminate();
    assert_eq!(code, Some(0), "{log}");

    for (name, _, reason) in &odd {
        let row = &told["sources"][name];
        assert_eq!(row["state"], "failing", "{name}: {row}");
        let failures = row["failures"].as_u64().unwrap();
        assert!(failures >= 2, "{name}: {row}");
        assert!(row["failure"].as_str().unwrap().contains(reason), "{name}: {row}");
        let lines: Vec<&str> = shown.lines().filter(|line| line.contains(reason)).collect();
        let is_told = matches!(lines[..], [line] if line.starts_with(name));
        assert!(is_told, "{name} has one line with `{reason}` in:\n{shown}");

        let id = format!("source.id=\"{name}\"");
        let lines: Vec<&str> = log.lines().filter(|line| line.contains(&id)).collect();
        let is_clear = |line: &&&str| {
            line.contains("WARN a source could not be polled") && line.contains(reason)
        };
        assert_eq!(lines.iter().filter(is_clear).count(), lines.len(), "{name}:\n{log}");
        assert!(lines.len() as u64 >= failures, "one line a failure: {name}:\n{log}");
        // The waits double: 4 s and 8 s, with a tenth of jitter; the log names whole seconds.
        let dues: Vec<i64> = lines.iter().filter_map(|line| millis_until_next(line)).collect();
        assert!((2_500..=4_600).contains(&dues[0]), "{name}: {dues:?}\n{log}");
        assert!((6_000..=9_000).contains(&dues[1]), "{name}: {dues:?}\n{log}");
    }
}

/// From a line of the log the time between its own instant and the `next=` that it names.
fn millis_until_next(line: &str) -> Option<i64> {
    let at: jiff::Timestamp = line.split_whitespace().next()?.parse().ok()?;
    let next = line.split("next=").nth(1)?.split_whitespace().next()?;
    let next: jiff::Timestamp = next.parse().ok()?;
    Some(next.as_millisecond() - at.as_millisecond())
}

/// The settings of a rig whose site is not polled in the way of the test.
async fn rig_for_store() -> Rig {
    let rig = Rig::new(telegram::Rules::default()).await;
    rig.subscribe("bot", 1..=500).await;
    rig
}

async fn is_refused(rig: &Rig, words: &[&str]) {
    let before = std::fs::read(rig.store_file()).unwrap();
    let (code, log) = rig.launch().ended();
    assert_eq!(code, Some(74), "{log}");
    for words in words {
        assert!(log.contains(words), "no `{words}` in:\n{log}");
    }
    let asked = rig.command(&["status"]);
    assert_eq!(asked.status.code(), Some(74), "{asked:?}");
    let told = String::from_utf8_lossy(&asked.stderr);
    assert!(words.iter().all(|words| told.contains(words)), "{told}");
    assert!(std::fs::read(rig.store_file()).unwrap() == before, "the file was changed");
}

/// The record of a store's format, as a program of the far future would leave it.
fn format_99() -> Vec<u8> {
    let (version, body) = (1, 99);
    let sum = Sha256::new().chain_update(b"format\0").chain_update([version, body]).finalize();
    [&[version], &sum[..4], &[body]].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_s07_a_store_of_an_unknown_version_is_refused_with_advice_and_left_alone() {
    let rig = rig_for_store().await;
    {
        let store = redb::Database::open(rig.store_file()).unwrap();
        let mut write = store.begin_write().unwrap();
        write.set_quick_repair(true);
        let table = redb::TableDefinition::<(), &[u8]>::new("format");
        write.open_table(table).unwrap().insert((), format_99().as_slice()).unwrap();
        write.commit().unwrap();
    }
    is_refused(&rig, &["format 99", "run the newer program again, or restore a backup"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_store_is_refused_with_advice_and_left_alone() {
    for damage in ["cut", "scribbled", "foreign"] {
        let rig = rig_for_store().await;
        let mut bytes = std::fs::read(rig.store_file()).unwrap();
        match damage {
            "cut" => bytes.truncate(bytes.len() / 2),
            "scribbled" => {
                let third = bytes.len() / 3;
                bytes[third / 64..2 * third].fill(0x5a);
            }
            _ => bytes = b"SQLite format 3\0".repeat(1_000),
        }
        std::fs::write(rig.store_file(), bytes).unwrap();
        println!("{damage}");
        is_refused(&rig, &["store.redb", "restore the newest backup"]).await;
    }
}

/// Everything that a service can do wrong.
fn troubles(throttled: Fault, server_error: Fault) -> Vec<Trouble> {
    let faults = [
        Fault::Hang { is_accepted: true },
        Fault::Hang { is_accepted: false },
        Fault::html(200),
        Fault::html(502),
        throttled.clone(),
        server_error.clone(),
        Fault::json(200, "{\"ok\":"),
        Fault::Truncated,
        Fault::Cut { bytes: 20 },
        Fault::Reset { is_accepted: false },
        Fault::Reset { is_accepted: true },
        Fault::Closed { is_accepted: false },
        Fault::lie(),
        throttled,
        server_error,
        Fault::lie(),
    ];
    // Between two strikes one request passes: a service that only fails is spared ever longer.
    let nth = |(number, fault): (u32, Fault)| Trouble::new(fault).skip(2 * number).times(1);
    (0..).zip(faults).map(nth).collect()
}

/// A world in which both services misbehave while one post goes to everybody; gives the post's
/// counts, and how often each recipient of each service got it.
async fn through_trouble(
    on_uncertain: &str,
) -> (serde_json::Value, HashMap<String, u32>, HashMap<String, u32>) {
    let mut rig = Rig::new(telegram::Rules::default()).await;
    rig.campaign_keys = format!("on_uncertain = \"{on_uncertain}\"\n");
    rig.subscribe("bot", 1..=PEOPLE).await;
    rig.telegram.open_chats(1..=PEOPLE);
    rig.subscribe_in_window("page", 1..=PEOPLE).await;
    rig.messenger.open_chats(1..=PEOPLE);
    rig.site.publish("Old news", "<p>Words.</p>");
    let daemon = rig.start();
    rig.baseline().await;
    for trouble in troubles(telegram::throttled(None), telegram::server_error(500)) {
        rig.telegram.faults().add(trouble.on("sendMessage"));
    }
    // Without a time the page would rest for minutes.
    let throttled =
        messenger::refusal(400, 613, None, "Calls to this API have exceeded the rate").asking(1);
    for trouble in troubles(throttled, messenger::refusal(500, 2, None, "Unavailable")) {
        rig.messenger.faults().add(trouble.on("messages"));
    }
    rig.site.publish("Fresh news", "<p>Words.</p>");
    let counts = tokio::time::timeout(TROUBLED, async {
        loop {
            let told = rig.command(&["posts", "--json"]);
            let told: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
            let counts = &told["posts"][0]["counts"];
            let count = |key: &str| counts[key].as_u64().unwrap_or(0);
            if count("planned") > 0 && count("waiting") + count("in_flight") == 0 {
                break counts.clone();
            }
            tokio::task::yield_now().await;
        }
    });
    let counts = counts.await.expect("the post ends");
    let (code, log) = daemon.terminate();
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(counts["planned"], 2 * PEOPLE as u64, "{counts}");
    (counts, rig.telegram.ledger().counts(), rig.messenger.ledger().counts())
}

#[tokio::test(flavor = "multi_thread")]
async fn with_skip_nobody_gets_it_twice_and_who_may_have_missed_it_is_uncertain() {
    let (counts, on_telegram, on_messenger) = through_trouble("skip").await;
    let count = |key: &str| counts[key].as_u64().unwrap_or(0);
    assert_eq!(count("sent") + count("uncertain"), 2 * PEOPLE as u64, "{counts}");
    assert!(count("uncertain") >= 2, "{counts}");
    let arrived = || on_telegram.values().chain(on_messenger.values());
    assert!(arrived().all(|times| *times == 1), "{on_telegram:?} {on_messenger:?}");
    // Whoever is told as sent has it; who has it beyond them is uncertain.
    let arrived = arrived().count() as u64;
    assert!((count("sent")..=count("sent") + count("uncertain")).contains(&arrived), "{counts}");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_resend_nobody_misses_it() {
    let (counts, on_telegram, on_messenger) = through_trouble("resend").await;
    assert_eq!(counts["sent"], 2 * PEOPLE as u64, "{counts}");
    for arrived in [&on_telegram, &on_messenger] {
        assert_eq!(i64::try_from(arrived.len()), Ok(PEOPLE), "{arrived:?}");
        let more: u32 = arrived.values().map(|times| times - 1).sum();
        assert!(more <= UNKNOWN_STRIKES, "{more} more than once: {arrived:?}");
    }
}
