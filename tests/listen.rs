//! The public door over real sockets: who is let in, what is kept, and what the services are told.

#![expect(clippy::unwrap_used, reason = "a test says that something is wrong by panicking")]

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use hmac::{Hmac, KeyInit, Mac};
use redb::StorageBackend;
use redb::backends::InMemoryBackend;
use serde_json::{Value, json};
use sha2::Sha256;
use tidings::channel::wire::EXCHANGE_TIME_MAX;
use tidings::channel::{messenger, telegram};
use tidings::invite::Page;
use tidings::listen::announce::{self, News};
use tidings::listen::callers::Proxies;
use tidings::listen::invites::Invite;
use tidings::listen::leads::{Entrance, Leads};
use tidings::listen::rates::{Rate, Rates};
use tidings::listen::server::Limits;
use tidings::listen::webhooks::Door;
use tidings::listen::{self, polling};
use tidings::model::event::{Deed, Event};
use tidings::model::name::Name;
use tidings::model::prospect::Selection;
use tidings::model::time::Timestamp;
use tidings::runtime::clock::Clock;
use tidings::runtime::meters::Meters;
use tidings::runtime::reception::{Reception, Way};
use tidings::runtime::shutdown::Stop;
use tidings::runtime::wakes::Wakes;
use tidings::store::Store;
use tidings::store::redb::open_on;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use url::Url;

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const APP_SECRET: &str = "an app's secret";
const VERIFY_TOKEN: &str = "a word between us";
const NOW: i64 = 1_790_000_000_000;

// ── a disk that can be told to fail or to hang ──────────────────────────────────────────────────

#[derive(Clone, Debug, Default)]
struct Disk {
    memory: Arc<InMemoryBackend>,
    mood: Arc<(Mutex<Mood>, Condvar)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Mood {
    #[default]
    Well,
    Hanging,
    Failing,
}

impl Disk {
    fn turn(&self, mood: Mood) {
        *self.mood.0.lock().unwrap() = mood;
        self.mood.1.notify_all();
    }

    /// Every access to the disk begins here.
    fn reach(&self) -> Result<(), io::Error> {
        let mood = self.mood.0.lock().unwrap();
        let mood = self.mood.1.wait_while(mood, |mood| *mood == Mood::Hanging).unwrap();
        match *mood {
            Mood::Failing => Err(io::Error::other("the disk is gone")),
            Mood::Well | Mood::Hanging => Ok(()),
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, io::Error> {
        self.reach()?;
        self.memory.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        self.reach()?;
        StorageBackend::read(&*self.memory, offset, out)
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        self.reach()?;
        self.memory.set_len(len)
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        self.reach()?;
        self.memory.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        self.reach()?;
        StorageBackend::write(&*self.memory, offset, data)
    }
}

// ── the door under test ─────────────────────────────────────────────────────────────────────────

/// A running door with a bot `newsbot` and two pages of one app, `page` (100) and `shop` (200).
struct House {
    address: SocketAddr,
    disk: Disk,
    store: Arc<dyn Store>,
    meters: Meters,
    wakes: Wakes,
    stop: Stop,
    workers: JoinSet<()>,
}

impl House {
    fn open() -> Self {
        Self::open_with(Limits::default())
    }

    fn open_with(limits: Limits) -> Self {
        let page = |channel: &str, page_id: &str, app_secret: &str| Door::Messenger {
            channel: name(channel),
            page_id: page_id.into(),
            app_secret: app_secret.into(),
            verify_token: VERIFY_TOKEN.into(),
        };
        let doors = vec![
            Door::Telegram { channel: name("newsbot"), secret: SECRET.into() },
            Door::Telegram { channel: name("careless"), secret: "".into() },
            page("page", "100", APP_SECRET),
            page("shop", "200", APP_SECRET),
            page("other", "300", "another app's secret"),
            page("open", "400", ""),
        ];
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let disk = Disk::default();
        let store: Arc<dyn Store> = Arc::new(open_on(disk.clone()).unwrap());
        let meters = Meters::default();
        let (wakes, stop, mut workers) = (Wakes::default(), Stop::default(), JoinSet::new());
        let options = listen::Options {
            pushes: None,
            invites: vec![invite()],
            store: Arc::clone(&store),
            clock: Clock::starting_at(Timestamp::from_millis(NOW)),
            wakes: wakes.clone(),
            listener,
            doors,
            public_url: None,
            archives: vec![],
            embeds: vec![],
            meters: meters.clone(),
            limits,
        };
        workers.spawn(listen::run(options, stop.clone()));
        Self { address, disk, store, meters, wakes, stop, workers }
    }

    /// One request on a connection of its own; answers status and body.
    async fn ask(&self, request: &[u8]) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // The answer may come before all is written.
        stream.write_all(request).await.ok();
        answer_on(&mut stream).await
    }

    async fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
        self.ask(&request(path, headers, body)).await
    }

    async fn telegram(&self, update: &Value) -> (u16, String) {
        let headers = [("X-Telegram-Bot-Api-Secret-Token", SECRET)];
        self.post("/telegram/newsbot", &headers, &update.to_string()).await
    }

    async fn messenger(&self, body: &str) -> (u16, String) {
        let signature = signed(APP_SECRET, body);
        self.post("/messenger/page", &[("X-Hub-Signature-256", &signature)], body).await
    }

    async fn kept(&self) -> Vec<Event> {
        let leased = self.store.lease_events(1000).await.unwrap();
        leased.into_iter().map(|(_, event)| event).collect()
    }

    async fn ended(mut self) {
        self.workers.join_next().await.unwrap().unwrap();
    }
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// A page that leads to a bot that the settings name, to one that they do not, and to a page.
fn invite() -> Invite {
    Invite {
        slug: name("harbour"),
        page: Page::default(),
        leads: Leads {
            topics: vec![name("news")],
            channels: vec![
                (name("newsbot"), Entrance::Telegram { bot: Some("harbour_bot".into()) }),
                (name("careless"), Entrance::Telegram { bot: None }),
                (name("page"), Entrance::Messenger { page: "100".into() }),
            ],
        },
        selection: Selection::default(),
    }
}

fn request(path: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut request = format!("POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    request.into_bytes()
}

/// Reads until the other side closes.
async fn answer_on(stream: &mut TcpStream) -> (u16, String) {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok();
    let answer = String::from_utf8(answer).unwrap();
    let Some((head, body)) = answer.split_once("\r\n\r\n") else { return (0, answer) };
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

fn signed(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let digits: String =
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={digits}")
}

fn ok() -> (u16, String) {
    (200, String::new())
}

/// What the metrics' page counts under a word, over all channels.
fn is(house: &House, word: &str, expected: u64) {
    let text = house.meters.text(vec![]);
    let counted: u64 = text
        .lines()
        .filter(|line| line.contains(&format!("=\"{word}\"")))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
        .sum();
    assert_eq!(counted, expected, "{word}:\n{text}");
}

fn update(id: i64, text: &str) -> Value {
    update_at(id, text, NOW / 1000)
}

fn update_at(id: i64, text: &str, seconds: i64) -> Value {
    json!({ "update_id": id, "message": {
        "message_id": 1, "date": seconds, "text": text,
        "from": { "id": 42, "is_bot": false, "language_code": "ro" },
        "chat": { "id": 42, "type": "private" },
    }})
}

fn page_said(page_id: &str, mid: &str) -> Value {
    json!({ "id": page_id, "time": NOW, "messaging": [{
        "sender": { "id": "7" }, "recipient": { "id": page_id }, "timestamp": NOW,
        "message": { "mid": mid, "text": "bună" },
    }]})
}

// ── webhooks ────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn sec_w05_a_genuine_update_is_kept_and_answered_without_a_word() {
    let house = House::open();
    let rung = house.wakes.events.notified();
    assert_eq!(house.telegram(&update(7, "/start news")).await, ok());
    rung.await;
    let kept = house.kept().await;
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].id.as_str(), kept[0].address.as_str()), ("7", "42"));
    assert_eq!(kept[0].deed, Deed::Started { payload: Some("news".into()) });
    is(&house, "kept", 1);
}

#[tokio::test]
async fn sec_w01_without_the_secret_nothing_is_kept() {
    let house = House::open();
    let body = update(7, "hi").to_string();
    let secret = "X-Telegram-Bot-Api-Secret-Token";
    let longer = format!("{SECRET}0");
    let refused = (401, String::new());
    for headers in [
        vec![],
        vec![(secret, "")],
        vec![(secret, "wrong")],
        vec![(secret, &SECRET[1..])],
        vec![(secret, longer.as_str())],
        vec![("X-Hub-Signature-256", SECRET)],
    ] {
        assert_eq!(house.post("/telegram/newsbot", &headers, &body).await, refused, "{headers:?}");
    }
    is(&house, "forged", 6);
    let headers = [(secret, SECRET)];
    for path in ["/telegram/nobody", "/telegram/page", "/telegram/", "/", "/telegram/newsbot/x"] {
        assert_eq!(house.post(path, &headers, &body).await.0, 404, "{path}");
    }
    assert_eq!(house.kept().await, []);
}

#[tokio::test]
async fn sec_w01_a_signature_is_of_the_bytes_that_came() {
    let house = House::open();
    // As Meta writes it: not ASCII is escaped, and spaces stand where nobody else puts them.
    let body = format!(
        r#"{{"object": "page",  "entry":[{{"id":"100","time":{NOW},"messaging":[
            {{"sender":{{"id":"7"}},"recipient":{{"id":"100"}},"timestamp":{NOW},
              "message":{{"mid":"m_1","text":"bun\u0103"}}}}]}}]}}"#
    );
    assert_eq!(house.messenger(&body).await, ok());
    let kept = house.kept().await;
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].channel.as_str(), kept[0].id.as_str()), ("page", "m_1"));
    assert_eq!(kept[0].deed, Deed::Said { text: "bună".into() });

    let rewritten = serde_json::from_str::<Value>(&body).unwrap().to_string();
    let good = signed(APP_SECRET, &body);
    let refused = (401, String::new());
    for (signature, body) in [
        (good.as_str(), rewritten.as_str()),
        (good.as_str(), ""),
        (&good.replace("sha256=", "sha1="), &body),
        (&good[..good.len() - 1], &body),
        (&signed("another app's secret", &body), &body),
        (&signed("", &body), &body),
        ("", &body),
        ("sha256=", &body),
    ] {
        let headers = [("X-Hub-Signature-256", signature)];
        assert_eq!(house.post("/messenger/page", &headers, body).await, refused, "{signature}");
    }
    assert_eq!(house.post("/messenger/page", &[], &body).await, refused);
    assert_eq!(house.kept().await.len(), 1);
    is(&house, "forged", 9);
}

#[tokio::test]
async fn sec_w03_a_door_without_a_secret_is_shut() {
    let house = House::open();
    let body = update(7, "hi").to_string();
    let headers = [("X-Telegram-Bot-Api-Secret-Token", "")];
    assert_eq!(house.post("/telegram/careless", &headers, &body).await.0, 404);
    let headers = [("X-Hub-Signature-256", signed("", &body))];
    let headers = [(headers[0].0, headers[0].1.as_str())];
    assert_eq!(house.post("/messenger/open", &headers, &body).await.0, 404);
}

#[tokio::test]
async fn pages_of_one_app_share_an_address_and_pages_of_another_do_not() {
    let house = House::open();
    let entries = [page_said("100", "a"), page_said("200", "b"), page_said("300", "c")];
    let body = json!({ "object": "page", "entry": entries }).to_string();
    assert_eq!(house.messenger(&body).await, ok());
    let kept = house.kept().await;
    let channels: Vec<_> = kept.iter().map(|event| event.channel.as_str()).collect();
    assert_eq!(channels, ["page", "shop"]);
}

#[tokio::test]
async fn sec_w06_an_event_that_comes_again_is_dropped() {
    let house = House::open();
    for _ in 0..3 {
        assert_eq!(house.telegram(&update(7, "hi")).await, ok());
    }
    // A lower number is no duplicate: they may start anew.
    assert_eq!(house.telegram(&update(3, "hi again")).await, ok());
    let ids: Vec<_> = house.kept().await.into_iter().map(|event| event.id).collect();
    assert_eq!(ids, ["7", "3"]);
    is(&house, "kept", 2);
    is(&house, "repeated", 2);
}

#[tokio::test]
async fn sec_w07_events_older_than_two_days_are_dropped_and_none_is_from_the_future() {
    let house = House::open();
    let hour = 3600;
    assert_eq!(house.telegram(&update_at(1, "old", NOW / 1000 - 49 * hour)).await, ok());
    assert_eq!(house.telegram(&update_at(2, "late", NOW / 1000 - 47 * hour)).await, ok());
    assert_eq!(house.telegram(&update_at(3, "ahead", NOW / 1000 + 1000 * hour)).await, ok());
    let kept = house.kept().await;
    let ids: Vec<_> = kept.iter().map(|event| event.id.as_str()).collect();
    assert_eq!(ids, ["2", "3"]);
    let ahead = kept[1].at.as_millis() - NOW;
    assert!((0..600_000).contains(&ahead), "{ahead} ms ahead");
    is(&house, "stale", 1);
}

#[tokio::test]
async fn sec_w09_what_is_genuine_but_useless_is_not_asked_for_again() {
    let house = House::open();
    let headers = [("X-Telegram-Bot-Api-Secret-Token", SECRET)];
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for body in ["", "?", "{\"update_id\":", "\u{0}", deep.as_str()] {
        assert_eq!(house.post("/telegram/newsbot", &headers, body).await, ok());
    }
    is(&house, "unreadable", 5);
    for body in ["{}", "[]", "null", r#"{"update_id":1,"something":"new"}"#] {
        assert_eq!(house.post("/telegram/newsbot", &headers, body).await, ok());
        assert_eq!(house.messenger(body).await, ok());
    }
    assert_eq!(house.kept().await, []);
}

#[tokio::test]
async fn sec_w04_a_failed_store_is_told_and_shuts_the_door() {
    let house = House::open();
    assert_eq!(house.telegram(&update(7, "hi")).await, ok());
    house.disk.turn(Mood::Failing);
    assert_eq!(house.telegram(&update(8, "hi")).await, (503, String::new()));
    is(&house, "kept", 1);
    let address = house.address;
    assert!(!house.stop.begin.is_cancelled());
    house.ended().await;
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn sec_w04_a_slow_store_is_told_and_the_event_counts_once() {
    let store_time_max = Duration::from_millis(200);
    let house = House::open_with(Limits { store_time_max, ..Limits::default() });
    house.disk.turn(Mood::Hanging);
    let body = json!({ "object": "page", "entry": [page_said("100", "m_1")] }).to_string();
    assert_eq!(house.messenger(&body).await, (503, String::new()));
    is(&house, "unkept", 1);
    house.disk.turn(Mood::Well);
    // The service repeats what we did not take; it may have been kept meanwhile.
    assert_eq!(house.messenger(&body).await, ok());
    assert_eq!(house.kept().await.len(), 1);
}

#[tokio::test]
async fn sec_w10_a_body_has_a_largest_size() {
    let house = House::open_with(Limits { body_bytes_max: 1000, ..Limits::default() });
    let too_large = (413, String::new());
    let secret = "X-Telegram-Bot-Api-Secret-Token";
    let update = |bytes: usize| {
        let bare = update(7, "").to_string().len();
        update(7, &"x".repeat(bytes - bare)).to_string()
    };
    let post = |body: String| {
        let house = &house;
        async move { house.post("/telegram/newsbot", &[(secret, SECRET)], &body).await }
    };
    assert_eq!(post(update(1001)).await, too_large);
    assert_eq!(house.kept().await, []);
    assert_eq!(post(update(1000)).await, ok());

    // Of no announced length.
    let head = format!(
        "POST /telegram/newsbot HTTP/1.1\r\nHost: x\r\n{secret}: {SECRET}\r\n\
         Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    let chunked = format!("{head}{:x}\r\n{}\r\n0\r\n\r\n", 1001, update(1001));
    assert_eq!(house.ask(chunked.as_bytes()).await, too_large);
    let chunked = format!("{head}{:x}\r\n{}\r\n0\r\n\r\n", 1000, update(1000));
    assert_eq!(house.ask(chunked.as_bytes()).await, ok());
    is(&house, "unfit", 2);
}

#[tokio::test]
async fn sec_w10_slow_clients_are_sent_away_and_others_are_served() {
    let time_max = Duration::from_millis(400);
    let house = House::open_with(Limits {
        head_time_max: time_max,
        body_time_max: time_max,
        ..Limits::default()
    });
    let whole = request(
        "/telegram/newsbot",
        &[("X-Telegram-Bot-Api-Secret-Token", SECRET)],
        &update(7, "hi").to_string(),
    );
    let in_head = whole.len() / 4;
    let in_body = whole.len() - 5;
    let mut slow = Vec::new();
    for bytes in [0, 1, in_head, in_body] {
        let mut stream = TcpStream::connect(house.address).await.unwrap();
        stream.write_all(&whole[..bytes]).await.unwrap();
        slow.push((bytes, stream));
    }
    assert_eq!(house.telegram(&update(8, "hi")).await, ok());
    for (bytes, mut stream) in slow {
        let (status, _) = answer_on(&mut stream).await;
        // A head that never came whole gets no answer, or that it timed out.
        if bytes == in_body {
            assert_eq!(status, 408);
        } else {
            assert!(status == 0 || status == 408, "{status} after {bytes} bytes");
        }
    }
    let ids: Vec<_> = house.kept().await.into_iter().map(|event| event.id).collect();
    assert_eq!(ids, ["8"]);
}

#[tokio::test]
async fn sec_w10_idle_connections_do_not_keep_others_out() {
    let house = House::open_with(Limits {
        connections_max: 20,
        head_time_max: Duration::from_millis(300),
        ..Limits::default()
    });
    let mut idle = Vec::new();
    for _ in 0..100 {
        idle.push(TcpStream::connect(house.address).await.unwrap());
    }
    assert_eq!(house.telegram(&update(7, "hi")).await, ok());
}

#[tokio::test]
async fn sec_w13_a_challenge_is_answered_only_with_our_word() {
    let house = House::open();
    let word = "a%20word%20between%20us";
    let ask = |query: String| {
        let house = &house;
        async move {
            let get = format!(
                "GET /messenger/page?{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            );
            house.ask(get.as_bytes()).await
        }
    };
    let query = |mode: &str, word: &str, challenge: &str| {
        format!("hub.mode={mode}&hub.verify_token={word}&hub.challenge={challenge}")
    };
    assert_eq!(ask(query("subscribe", word, "1158201444")).await, (200, "1158201444".into()));
    let long = "1".repeat(65);
    for bad in [
        query("subscribe", "another", "1"),
        query("subscribe", "", "1"),
        query("unsubscribe", word, "1"),
        query("subscribe", word, "%3Cscript%3E%20x"),
        query("subscribe", word, "a%0Ab"),
        query("subscribe", word, &long),
        format!("hub.mode=subscribe&hub.verify_token={word}"),
        String::new(),
    ] {
        assert_eq!(ask(bad.clone()).await, (403, String::new()), "{bad}");
    }
    let get = b"GET /messenger/nobody HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    assert_eq!(house.ask(get).await.0, 404);
}

#[tokio::test]
async fn stopping_lets_the_answer_under_way_out_and_nobody_in() {
    let drain_time_max = Duration::from_secs(1);
    let house = House::open_with(Limits { drain_time_max, ..Limits::default() });
    let mut slow = TcpStream::connect(house.address).await.unwrap();
    slow.write_all(&request("/nowhere", &[], "")[..10]).await.unwrap();
    house.disk.turn(Mood::Hanging);
    let mut under_way = TcpStream::connect(house.address).await.unwrap();
    let body = update(7, "hi").to_string();
    let headers = [("X-Telegram-Bot-Api-Secret-Token", SECRET)];
    under_way.write_all(&request("/telegram/newsbot", &headers, &body)).await.unwrap();
    // Another that is behind it shows that it was taken up.
    assert_eq!(house.post("/nowhere", &[], "").await.0, 404);

    house.stop.begin.cancel();
    while TcpStream::connect(house.address).await.is_ok() {}
    house.disk.turn(Mood::Well);
    assert_eq!(answer_on(&mut under_way).await, ok());
    // Who only began to ask does not keep us.
    assert_eq!(answer_on(&mut slow).await.0, 0);
    let store = Arc::clone(&house.store);
    house.ended().await;
    assert_eq!(store.lease_events(10).await.unwrap().len(), 1);
}

fn look(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").into_bytes()
}

#[tokio::test]
async fn a_page_is_shown_while_the_store_hangs_and_after_it_has_failed() {
    let store_time_max = Duration::from_millis(200);
    let house = House::open_with(Limits { store_time_max, ..Limits::default() });
    for mood in [Mood::Hanging, Mood::Failing] {
        house.disk.turn(mood);
        let asked_at = Instant::now();
        let (status, body) = house.ask(&look("/s/harbour")).await;
        assert_eq!(status, 200);
        assert!(body.contains("https://t.me/harbour_bot?start=news"), "{body}");
        assert!(body.contains("https://m.me/100?ref=news") && !body.contains("careless"));
        assert!(asked_at.elapsed() < Duration::from_secs(4), "{:?}", asked_at.elapsed());
    }
    house.disk.turn(Mood::Well);
}

#[tokio::test]
async fn there_is_no_list_of_pages_and_nothing_beside_them() {
    let house = House::open();
    for path in
        ["/s", "/s/", "/s/absent", "/s/..%2fharbour", "/s/Harbour", "/s/%ff", "/s/%3Cscript%3E"]
    {
        let (status, body) = house.ask(&look(path)).await;
        assert_eq!(status, 404, "{path}");
        assert!(body.contains("There is no such page.") && !body.contains("harbour"), "{path}");
        assert!(!body.contains("<script"), "{path}");
    }
    assert_eq!(house.post("/s/harbour", &[], "").await.0, 405);
    assert_eq!(house.ask(&look("/s/harbour/more")).await.0, 404);
}

#[tokio::test]
async fn force_ends_what_still_waits() {
    let house = House::open();
    house.disk.turn(Mood::Hanging);
    let mut waiting = TcpStream::connect(house.address).await.unwrap();
    let headers = [("X-Telegram-Bot-Api-Secret-Token", SECRET)];
    let body = update(7, "hi").to_string();
    waiting.write_all(&request("/telegram/newsbot", &headers, &body)).await.unwrap();
    assert_eq!(house.post("/nowhere", &[], "").await.0, 404);
    house.stop.begin.cancel();
    house.stop.force.cancel();
    assert_eq!(answer_on(&mut waiting).await.0, 0);
    // Closing the store would wait for its disk.
    let (disk, store) = (house.disk.clone(), Arc::clone(&house.store));
    house.ended().await;
    disk.turn(Mood::Well);
    drop(store);
}

// ── a service that is told and asked ────────────────────────────────────────────────────────────

/// Answers each request with the next of its answers; without one the request waits for it.
struct Service {
    api: Url,
    script: Script,
    asked: mpsc::UnboundedReceiver<(String, Value)>,
    _server: JoinSet<()>,
}

#[derive(Clone)]
struct Script {
    answers: Arc<Mutex<VecDeque<(u16, Value)>>>,
    more: Arc<Notify>,
    asked: mpsc::UnboundedSender<(String, Value)>,
}

impl Service {
    async fn start(answers: &[(u16, Value)]) -> Self {
        let (asked_tx, asked) = mpsc::unbounded_channel();
        let answers = Arc::new(Mutex::new(answers.iter().cloned().collect()));
        let script = Script { answers, more: Arc::default(), asked: asked_tx };
        let router =
            Router::new().route("/{*path}", axum::routing::any(play)).with_state(script.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { api, script, asked, _server: server }
    }

    /// The next request: the last part of its path, and its body.
    async fn asked(&mut self) -> (String, Value) {
        self.asked.recv().await.unwrap()
    }

    fn answers(&self, answer: (u16, Value)) {
        self.script.answers.lock().unwrap().push_back(answer);
        self.script.more.notify_one();
    }

    fn bot(&self) -> telegram::api::Client {
        telegram::api::Client::new(telegram::api::Settings {
            api: self.api.clone(),
            token: "1:a".into(),
            time_max: EXCHANGE_TIME_MAX,
        })
        .unwrap()
    }

    fn page(&self) -> messenger::api::Client {
        messenger::api::Client::new(messenger::api::Settings {
            api: self.api.clone(),
            version: messenger::api::VERSION.into(),
            page_id: "100".into(),
            page_token: "t".into(),
            app_secret: APP_SECRET.into(),
            time_max: EXCHANGE_TIME_MAX,
        })
        .unwrap()
    }
}

async fn play(
    State(script): State<Script>,
    Path(path): Path<String>,
    body: String,
) -> (StatusCode, String) {
    let method = path.rsplit('/').next().unwrap().to_owned();
    let body = if body.is_empty() { Value::Null } else { serde_json::from_str(&body).unwrap() };
    script.asked.send((method, body)).ok();
    loop {
        let answer = script.answers.lock().unwrap().pop_front();
        if let Some((status, body)) = answer {
            return (StatusCode::from_u16(status).unwrap(), body.to_string());
        }
        script.more.notified().await;
    }
}

fn result(result: &Value) -> (u16, Value) {
    (200, json!({ "ok": true, "result": result }))
}

fn refusal(code: u16, words: &str) -> (u16, Value) {
    (code, json!({ "ok": false, "error_code": code, "description": words }))
}

// ── long polling ────────────────────────────────────────────────────────────────────────────────

/// A running reader of the bot `newsbot`.
struct Reader {
    store: Arc<dyn Store>,
    disk: Disk,
    stop: Stop,
    worker: JoinSet<()>,
}

impl Reader {
    fn start(service: &Service) -> Self {
        let disk = Disk::default();
        let store = Arc::new(open_on(disk.clone()).unwrap());
        Self::start_on(service, store, disk)
    }

    fn start_on(service: &Service, store: Arc<dyn Store>, disk: Disk) -> Self {
        let (stop, mut worker) = (Stop::default(), JoinSet::new());
        let options = polling::Options {
            store: Arc::clone(&store),
            clock: Clock::starting_at(Timestamp::from_millis(NOW)),
            wakes: Wakes::default(),
            meters: Meters::default(),
            channel: name("newsbot"),
            client: service.bot(),
            reception: Reception::default(),
            patience: polling::PATIENCE,
        };
        worker.spawn(polling::run(options, stop.clone()));
        Self { store, disk, stop, worker }
    }

    async fn ids(&self) -> Vec<String> {
        let leased = self.store.lease_events(1000).await.unwrap();
        leased.into_iter().map(|(_, event)| event.id).collect()
    }

    async fn ended(&mut self) {
        self.worker.join_next().await.unwrap().unwrap();
    }

    async fn stopped(&mut self) {
        let begun_at = Instant::now();
        self.stop.begin.cancel();
        self.ended().await;
        assert!(begun_at.elapsed() < Duration::from_secs(1));
    }
}

#[tokio::test]
async fn updates_are_durable_before_they_are_confirmed() {
    let mut service = Service::start(&[
        result(&json!([update(5, "a"), { "update_id": 6, "poll": {} }])),
        // The service says one again, and one with a number that starts anew.
        result(&json!([update(5, "a"), update(7, "b")])),
        result(&json!([update(2, "c")])),
    ])
    .await;
    let mut reader = Reader::start(&service);
    let asked = service.asked().await;
    assert_eq!(asked.0, "getUpdates");
    assert_eq!(asked.1["timeout"], 50);
    assert_eq!(asked.1["offset"], Value::Null);

    assert_eq!(service.asked().await.1["offset"], 7);
    assert_eq!(reader.store.load_cursor(&name("newsbot")).await.unwrap(), Some(7));
    assert_eq!(service.asked().await.1["offset"], 8);
    assert_eq!(service.asked().await.1["offset"], 3);
    assert_eq!(reader.ids().await, ["5", "7", "2"]);
    reader.stopped().await;

    // Another run goes on where this one was.
    let mut service = Service::start(&[]).await;
    let (store, disk) = (Arc::clone(&reader.store), reader.disk.clone());
    let mut reader = Reader::start_on(&service, store, disk);
    assert_eq!(service.asked().await.1["offset"], 3);
    reader.stopped().await;
}

#[tokio::test]
async fn a_webhook_of_earlier_days_is_taken_away() {
    let active = "Conflict: can't use getUpdates method while webhook is active";
    let mut service =
        Service::start(&[refusal(409, active), result(&json!(true)), result(&json!([]))]).await;
    let mut reader = Reader::start(&service);
    assert_eq!(service.asked().await.0, "getUpdates");
    assert_eq!(service.asked().await.0, "deleteWebhook");
    assert_eq!(service.asked().await.0, "getUpdates");
    reader.stopped().await;
}

#[tokio::test]
async fn reading_goes_on_after_failures_of_the_service() {
    let mut service = Service::start(&[
        (502, json!("<html>")),
        (429, json!({ "ok": false, "error_code": 429, "parameters": { "retry_after": 1 } })),
        result(&json!([update(5, "a")])),
    ])
    .await;
    let mut reader = Reader::start(&service);
    service.asked().await;
    service.asked().await;
    let told_at = Instant::now();
    service.asked().await;
    assert!(told_at.elapsed() >= Duration::from_secs(1), "{:?}", told_at.elapsed());
    assert_eq!(service.asked().await.1["offset"], 6);
    assert_eq!(reader.ids().await, ["5"]);
    reader.stopped().await;
}

#[tokio::test]
async fn a_reader_that_waits_stops_at_once() {
    for answer in
        [refusal(401, "Unauthorized"), refusal(409, "Conflict: terminated by other getUpdates")]
    {
        let mut service = Service::start(&[answer]).await;
        let mut reader = Reader::start(&service);
        service.asked().await;
        reader.stopped().await;
        assert!(service.asked.try_recv().is_err());
    }
}

#[tokio::test]
async fn a_service_that_answers_nothing_at_once_is_not_asked_in_a_circle() {
    let mut service = Service::start(&[result(&json!([])), result(&json!([{ "odd": 1 }]))]).await;
    let mut reader = Reader::start(&service);
    service.asked().await;
    let begun_at = Instant::now();
    service.asked().await;
    service.asked().await;
    assert!(begun_at.elapsed() >= Duration::from_millis(1900), "{:?}", begun_at.elapsed());
    reader.stopped().await;
}

#[tokio::test]
async fn a_failed_store_ends_the_reader_before_it_confirms() {
    let mut service = Service::start(&[]).await;
    let mut reader = Reader::start(&service);
    service.asked().await;
    reader.disk.turn(Mood::Failing);
    service.answers(result(&json!([update(5, "a")])));
    reader.ended().await;
    assert!(service.asked.try_recv().is_err());
}

// ── announcements ───────────────────────────────────────────────────────────────────────────────

fn announcing(
    channel: &str,
    news: News,
    reception: &Reception,
    look_interval: Duration,
) -> announce::Options {
    announce::Options {
        channel: name(channel),
        news,
        clock: Clock::starting_at(Timestamp::from_millis(NOW)),
        reception: reception.clone(),
        look_interval,
    }
}

#[tokio::test]
async fn a_bot_is_told_its_address_until_it_has_heard() {
    let mut service = Service::start(&[(502, json!("<html>")), result(&json!(true))]).await;
    let (stop, mut worker) = (Stop::default(), JoinSet::new());
    let url = Url::parse("https://news.example.com/telegram/newsbot").unwrap();
    let news = News::Webhook { client: service.bot(), url, secret: SECRET.into() };
    let options = announcing("newsbot", news, &Reception::default(), announce::LOOK_INTERVAL);
    worker.spawn(announce::run(options, stop.clone()));
    let expected = json!({
        "url": "https://news.example.com/telegram/newsbot",
        "secret_token": SECRET,
        "allowed_updates": ["message", "edited_message", "callback_query", "my_chat_member"],
    });
    for _ in 0..2 {
        assert_eq!(service.asked().await, ("setWebhook".to_owned(), expected.clone()));
    }
    stop.begin.cancel();
    worker.join_next().await.unwrap().unwrap();
}

#[tokio::test]
async fn a_page_is_subscribed() {
    let mut service = Service::start(&[(200, json!({ "success": true }))]).await;
    let (stop, mut worker) = (Stop::default(), JoinSet::new());
    let news = News::Page { client: service.page() };
    let options = announcing("page", news, &Reception::default(), announce::LOOK_INTERVAL);
    worker.spawn(announce::run(options, stop.clone()));
    let (path, body) = service.asked().await;
    assert_eq!(path, "subscribed_apps");
    let fields = body["subscribed_fields"].as_str().unwrap();
    assert!(fields.split(',').any(|field| field == "messaging_postbacks"), "{fields}");
    stop.begin.cancel();
    worker.join_next().await.unwrap().unwrap();
}

#[tokio::test]
async fn a_webhook_that_was_taken_away_is_set_again_and_the_sysadmin_is_told() {
    let url = "https://news.example.com/telegram/newsbot";
    let info = |url: &str, pending: u64| {
        let kinds = ["my_chat_member", "message", "callback_query", "edited_message"];
        result(&json!({
            "url": url, "has_custom_certificate": false, "pending_update_count": pending,
            "allowed_updates": kinds,
        }))
    };
    let mut service =
        Service::start(&[result(&json!(true)), info("", 5), result(&json!(true)), info(url, 2)])
            .await;
    let (stop, mut worker) = (Stop::default(), JoinSet::new());
    let news = News::Webhook {
        client: service.bot(),
        url: Url::parse(url).unwrap(),
        secret: SECRET.into(),
    };
    let reception = Reception::default();
    let options = announcing("newsbot", news, &reception, Duration::from_millis(20));
    worker.spawn(announce::run(options, stop.clone()));
    assert_eq!(service.asked().await.0, "setWebhook");
    assert_eq!(service.asked().await.0, "getWebhookInfo");
    assert_eq!(service.asked().await.0, "setWebhook");
    let heard = reception.of(&name("newsbot")).unwrap();
    assert_eq!((heard.way, heard.pending), (Way::Webhook, Some(5)));
    assert!(heard.trouble.unwrap().contains("no webhook"));
    assert_eq!(service.asked().await.0, "getWebhookInfo");
    assert_eq!(service.asked().await.0, "getWebhookInfo");
    let heard = reception.of(&name("newsbot")).unwrap();
    assert_eq!((heard.trouble, heard.pending), (None, Some(2)));
    stop.begin.cancel();
    worker.join_next().await.unwrap().unwrap();
}

#[tokio::test]
async fn a_page_that_was_unsubscribed_is_subscribed_again() {
    let done = || (200, json!({ "success": true }));
    let mut service = Service::start(&[done(), (200, json!({ "data": [] })), done()]).await;
    let (stop, mut worker) = (Stop::default(), JoinSet::new());
    let reception = Reception::default();
    let news = News::Page { client: service.page() };
    let options = announcing("page", news, &reception, Duration::from_millis(20));
    worker.spawn(announce::run(options, stop.clone()));
    let (path, told) = service.asked().await;
    assert_eq!(path, "subscribed_apps");
    assert_eq!(service.asked().await, ("subscribed_apps".to_owned(), Value::Null));
    // Told again.
    assert_eq!(service.asked().await, ("subscribed_apps".to_owned(), told.clone()));
    assert!(reception.of(&name("page")).unwrap().trouble.unwrap().contains("nobody"));
    service.asked().await;
    let all: Vec<&str> = told["subscribed_fields"].as_str().unwrap().split(',').collect();
    service.answers((200, json!({ "data": [{ "id": "1", "subscribed_fields": all }] })));
    service.asked().await;
    assert_eq!(reception.of(&name("page")).unwrap().trouble, None);
    stop.begin.cancel();
    worker.join_next().await.unwrap().unwrap();
}

// ── too much of it ──────────────────────────────────────────────────────────────────────────────

fn few(per_second: u32, burst: u32) -> Rates {
    let each = Rate { per_second, burst };
    Rates { each, all: Rate { per_second: 1_000, burst: 1_000 } }
}

fn behind_a_proxy() -> Limits {
    Limits {
        proxies: Proxies::new(vec!["127.0.0.0/8".parse().unwrap()]),
        pages: few(1, 3),
        forged: few(1, 3),
        ..Limits::default()
    }
}

#[tokio::test]
async fn sec_p03_who_asks_for_pages_too_often_waits_and_nobody_else_does() {
    let house = House::open_with(behind_a_proxy());
    let page = async |from: &str| {
        let lines = format!("X-Forwarded-For: 203.0.113.200, {from}\r\nConnection: close\r\n\r\n");
        let request = format!("GET /s/harbour HTTP/1.1\r\nHost: x\r\n{lines}");
        let mut stream = TcpStream::connect(house.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    for _ in 0..3 {
        assert!(page("198.51.100.7").await.starts_with("HTTP/1.1 200"));
    }
    let refused = page("198.51.100.7").await;
    assert!(refused.starts_with("HTTP/1.1 429"), "{refused}");
    assert!(refused.contains("retry-after: 1\r\n"), "{refused}");
    assert!(page("198.51.100.8").await.starts_with("HTTP/1.1 200"));
    // Another address of the same /64 is the same household.
    for last in 1..=3 {
        assert!(page(&format!("2001:db8::{last}")).await.starts_with("HTTP/1.1 200"));
    }
    assert!(page("2001:db8::4").await.starts_with("HTTP/1.1 429"));
    assert!(page("2001:db8:0:1::4").await.starts_with("HTTP/1.1 200"));
    assert!(house.meters.text(vec![]).contains("tidings_pages_held_back_total 2"));
}

#[tokio::test]
async fn sec_w12_a_forger_is_told_to_wait_and_what_is_genuine_passes_from_the_same_address() {
    let house = House::open_with(behind_a_proxy());
    let body = update(7, "hi").to_string();
    let secret = "X-Telegram-Bot-Api-Secret-Token";
    let from = ("X-Forwarded-For", "198.51.100.7");
    let mut told = Vec::new();
    for _ in 0..6 {
        let headers = [(secret, "wrong"), from];
        told.push(house.post("/telegram/newsbot", &headers, &body).await.0);
        told.push(house.post("/messenger/page", &[from], "{}").await.0);
    }
    assert_eq!(told[..3], [401; 3]);
    assert_eq!(told[4..], [429; 8]);
    is(&house, "forged", 12);
    for id in 0..20 {
        let body = update(100 + id, "hi").to_string();
        let headers = [(secret, SECRET), from];
        assert_eq!(house.post("/telegram/newsbot", &headers, &body).await, ok());
    }
    assert_eq!(house.kept().await.len(), 20);
    let asked = "GET /messenger/page?hub.mode=subscribe&hub.verify_token=x&hub.challenge=1";
    let asked = format!("{asked} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 198.51.100.7\r\n\r\n");
    assert_eq!(house.ask(asked.as_bytes()).await.0, 429);
}

#[tokio::test]
async fn a_flood_of_forgeries_loses_nothing_genuine() {
    let house = Arc::new(House::open());
    let mut forger = JoinSet::new();
    let (forging, is_over) = (Arc::clone(&house), Arc::new(Notify::new()));
    let over = Arc::clone(&is_over);
    forger.spawn(async move {
        let body = update(1, "forged").to_string();
        let headers = [("X-Telegram-Bot-Api-Secret-Token", "wrong")];
        let mut beat = tokio::time::interval(Duration::from_millis(10));
        for _ in 0..200 {
            beat.tick().await;
            for _ in 0..3 {
                let status = forging.post("/telegram/newsbot", &headers, &body).await.0;
                assert!(status == 401 || status == 429, "{status}");
            }
        }
        over.notify_one();
    });
    let mut told = 0;
    let is_over = is_over.notified();
    tokio::pin!(is_over);
    loop {
        let genuine = update(1_000 + told, "genuine");
        tokio::select! {
            biased;
            () = &mut is_over => break,
            answer = house.telegram(&genuine) => assert_eq!(answer, ok()),
        }
        told += 1;
    }
    forger.join_next().await.unwrap().unwrap();
    let kept = house.store.load_status().await.unwrap().events;
    let told = u64::try_from(told).unwrap();
    // The last one may have been kept without its answer being awaited.
    assert!(told > 0 && (kept == told || kept == told + 1), "{kept} kept of {told}");
}
