//! The services' clients against real servers that answer well, badly, slowly or not at all.

#![expect(clippy::unwrap_used, reason = "a test says that something is wrong by panicking")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tidings::channel::messenger;
use tidings::channel::telegram::{self, errors::ApiError};
use tidings::channel::wire::{ANSWER_BYTES_MAX, EXCHANGE_TIME_MAX};
use tidings::channel::{Call, Channel, Meaning, Observed};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use url::Url;

/// Stands in every secret; must stand in nothing that the clients give back.
const CANARY: &str = "canaryAAGx4T0k3n";

const TELEGRAM_OK: &str = r#"{"ok":true,"result":{"message_id":42,"chat":{"id":7}}}"#;
const MESSENGER_OK: &str = r#"{"recipient_id":"7","message_id":"m_42"}"#;

// ── servers ─────────────────────────────────────────────────────────────────────────────────────

/// What a server does with a connection.
#[derive(Clone)]
enum Act {
    /// Answers every request with these bytes and keeps the connection.
    Answer(Vec<u8>),
    /// Answers one request and closes; says so.
    AnswerAndClose(Vec<u8>, Arc<Notify>),
    /// Reads so many bytes of the request, then resets.
    ResetAfterReading(usize),
    /// Reads a request, writes so many bytes of the answer, then resets.
    ResetAfterWriting(Vec<u8>, usize),
    /// Reads and never answers.
    Hang,
}

/// A server on a port of its own that does the same with everybody.
struct Server {
    address: SocketAddr,
    /// Every request that came whole.
    ledger: Arc<Mutex<Vec<String>>>,
    _connections: JoinSet<()>,
}

impl Server {
    async fn start(act: Act) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let ledger = Arc::default();
        let mut connections = JoinSet::new();
        connections.spawn(accept(listener, act, Arc::clone(&ledger)));
        Self { address, ledger, _connections: connections }
    }

    async fn answering(status: u16, headers: &str, body: &[u8]) -> Self {
        Self::start(Act::Answer(response(status, headers, body))).await
    }

    fn requests(&self) -> Vec<String> {
        self.ledger.lock().unwrap().clone()
    }

    fn telegram(&self) -> Channel {
        telegram(&format!("http://{}", self.address), EXCHANGE_TIME_MAX)
    }

    fn messenger(&self) -> Channel {
        messenger(&format!("http://{}", self.address), EXCHANGE_TIME_MAX)
    }
}

async fn accept(listener: TcpListener, act: Act, ledger: Arc<Mutex<Vec<String>>>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        connections.spawn(serve(stream, act.clone(), Arc::clone(&ledger)));
    }
}

async fn serve(mut stream: TcpStream, act: Act, ledger: Arc<Mutex<Vec<String>>>) {
    if let Act::ResetAfterReading(bytes) = act {
        let mut part = vec![0; bytes];
        if stream.read_exact(&mut part).await.is_ok() && is_whole(&part) {
            ledger.lock().unwrap().push(String::from_utf8_lossy(&part).into_owned());
        }
        stream.set_zero_linger().unwrap();
        return;
    }
    while let Some(request) = read_request(&mut stream).await {
        ledger.lock().unwrap().push(request);
        match &act {
            Act::Answer(answer) => {
                // A client that has read enough may be gone.
                stream.write_all(answer).await.ok();
            }
            Act::AnswerAndClose(answer, closed) => {
                stream.write_all(answer).await.unwrap();
                drop(stream);
                closed.notify_one();
                return;
            }
            Act::ResetAfterWriting(answer, bytes) => {
                stream.write_all(&answer[..*bytes]).await.unwrap();
                stream.flush().await.unwrap();
                stream.set_zero_linger().unwrap();
                return;
            }
            Act::Hang => std::future::pending().await,
            Act::ResetAfterReading(_) => unreachable!("done above"),
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut request = Vec::new();
    while !is_whole(&request) {
        if stream.read_buf(&mut request).await.ok()? == 0 {
            return None;
        }
    }
    Some(String::from_utf8(request).unwrap())
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}

fn response(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let mut response =
        format!("HTTP/1.1 {status} Words\r\nContent-Length: {length}\r\n{headers}\r\n")
            .into_bytes();
    response.extend_from_slice(body);
    response
}

// ── clients ─────────────────────────────────────────────────────────────────────────────────────

fn telegram(api: &str, time_max: Duration) -> Channel {
    Channel::Telegram(telegram_client(api, time_max))
}

fn telegram_client(api: &str, time_max: Duration) -> telegram::api::Client {
    telegram::api::Client::new(telegram::api::Settings {
        api: Url::parse(api).unwrap(),
        token: format!("123456:{CANARY}").into(),
        time_max,
    })
    .unwrap()
}

fn messenger(api: &str, time_max: Duration) -> Channel {
    Channel::Messenger(messenger_client(api, time_max))
}

fn messenger_client(api: &str, time_max: Duration) -> messenger::api::Client {
    messenger::api::Client::new(messenger::api::Settings {
        api: Url::parse(api).unwrap(),
        version: messenger::api::VERSION.into(),
        page_id: "100".into(),
        page_token: format!("EAAB{CANARY}").into(),
        app_secret: format!("{CANARY}secret").into(),
        time_max,
    })
    .unwrap()
}

/// Sends one text to 7; whatever comes of it must not show a secret.
async fn send(channel: &Channel) -> (Observed, Meaning) {
    let call = match channel {
        Channel::Telegram(_) => ("sendMessage", r#""text":"hi"}"#),
        Channel::Messenger(_) => ("messages", r#""message":{"text":"hi"}}"#),
    };
    let call = Call { method: call.0, rest: call.1.into(), is_acknowledgement: false, covers: 0 };
    let observed = channel.send(&call, "7").await;
    let meaning = channel.meaning(&observed);
    let body = match &observed {
        Observed::Answered { body, .. } => String::from_utf8_lossy(body).into_owned(),
        Observed::NotSent { .. } | Observed::Silence { .. } => String::new(),
    };
    let shown = format!("{channel:?} {observed:?} {meaning:?} {body}");
    assert!(!shown.contains(CANARY), "{shown}");
    (observed, meaning)
}

async fn meaning(channel: &Channel) -> Meaning {
    send(channel).await.1
}

// ── tests ───────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn a_telegram_message_is_one_post_and_its_id_is_told() {
    let server = Server::answering(200, "", TELEGRAM_OK.as_bytes()).await;
    assert_eq!(meaning(&server.telegram()).await, Meaning::Delivered { id: "42".into() });

    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    let (head, body) = requests[0].split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with(&format!("POST /bot123456:{CANARY}/sendMessage HTTP/1.1\r\n")));
    assert_eq!(body, r#"{"chat_id":7,"text":"hi"}"#);
    let head = head.to_lowercase();
    assert!(head.contains("\r\ncontent-type: application/json"), "{head}");
    for absent in ["referer", "cookie", "accept-encoding", "transfer-encoding", "expect"] {
        assert!(!head.contains(&format!("\r\n{absent}:")), "{head}");
    }
}

#[tokio::test]
async fn a_messenger_message_carries_its_token_in_a_header_only() {
    let server = Server::answering(200, "", MESSENGER_OK.as_bytes()).await;
    assert_eq!(meaning(&server.messenger()).await, Meaning::Delivered { id: "m_42".into() });

    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    let (head, body) = requests[0].split_once("\r\n\r\n").unwrap();
    let (line, headers) = head.split_once("\r\n").unwrap();
    assert!(line.starts_with("POST /v25.0/100/messages?appsecret_proof="), "{line}");
    assert!(!line.contains(CANARY), "{line}");
    let bearer = format!("authorization: Bearer EAAB{CANARY}");
    assert!(headers.lines().any(|header| header == bearer), "{headers}");
    assert_eq!(body, r#"{"recipient":{"id":"7"},"message":{"text":"hi"}}"#);
}

#[tokio::test]
async fn many_messages_share_their_connections_and_none_is_lost() {
    let server = Server::answering(200, "", TELEGRAM_OK.as_bytes()).await;
    let channel = Arc::new(server.telegram());
    let mut sends = JoinSet::new();
    for _ in 0..200 {
        let channel = Arc::clone(&channel);
        sends.spawn(async move { meaning(&channel).await });
    }
    for meaning in sends.join_all().await {
        assert_eq!(meaning, Meaning::Delivered { id: "42".into() });
    }
    assert_eq!(server.requests().len(), 200);
}

#[tokio::test]
async fn sec_d08_every_shape_of_429_is_later() {
    let with = |value: &str| {
        format!(r#"{{"ok":false,"error_code":429,"parameters":{{"retry_after":{value}}}}}"#)
    };
    let cases = [
        ("", with("1"), Some(1)),
        ("", with("60"), Some(60)),
        ("", with("86400"), Some(3600)),
        ("", with("99999999999999999999999"), Some(3600)),
        ("", with("\"17\""), Some(17)),
        ("", with("0"), None),
        ("", with("-1"), None),
        ("", with("null"), None),
        ("", r#"{"ok":false,"error_code":429}"#.into(), None),
        ("Retry-After: 9\r\n", r#"{"ok":false,"error_code":429}"#.into(), Some(9)),
        ("Retry-After: 9\r\n", "<html>slow down</html>".into(), Some(9)),
        ("Retry-After: 9\r\n", String::new(), Some(9)),
        ("Retry-After: soon\r\n", String::new(), None),
        ("", "<html>slow down</html>".into(), None),
    ];
    for (headers, body, seconds) in cases {
        let server = Server::answering(429, headers, body.as_bytes()).await;
        let after = seconds.map(Duration::from_secs);
        assert_eq!(meaning(&server.telegram()).await, Meaning::Later { after }, "{headers} {body}");
        assert_eq!(server.requests().len(), 1);
    }

    let body = br#"{"error":{"code":80006,"message":"too many"}}"#;
    let usage = concat!(
        r#"X-Business-Use-Case-Usage: {"100":[{"type":"messenger","call_count":100,"#,
        r#""estimated_time_to_regain_access":3}]}"#,
        "\r\n"
    );
    for (headers, seconds) in [("", None), ("Retry-After: 9\r\n", Some(9)), (usage, Some(180))] {
        let server = Server::answering(400, headers, body).await;
        let after = seconds.map(Duration::from_secs);
        assert_eq!(meaning(&server.messenger()).await, Meaning::Later { after }, "{headers}");
    }
}

#[tokio::test]
async fn sec_d05_what_is_no_answer_of_the_service_is_unknown() {
    let huge = [b"{\"ok\":true,\"x\":\"".as_slice(), &vec![b'x'; 10 << 20], b"\"}"].concat();
    let mut cut = TELEGRAM_OK.as_bytes().to_vec();
    cut.truncate(cut.len() - 1);
    let packed = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    let cases: [(u16, &str, &[u8]); 12] = [
        (200, "Content-Type: text/html\r\n", b"<html>Sign in to the network</html>"),
        (200, "", b""),
        (200, "", b"{}"),
        (200, "", b"{\"ok\":true}"),
        (200, "", &cut),
        (200, "", &huge),
        (200, "Content-Encoding: gzip\r\n", &packed),
        (302, "Location: http://127.0.0.1:9/\r\n", b""),
        (500, "", b"{\"ok\":false,\"error_code\":500}"),
        (502, "", b"<html>Bad Gateway</html>"),
        (503, "Retry-After: 5\r\n", b""),
        (504, "", b""),
    ];
    for (status, headers, body) in cases {
        let server = Server::answering(status, headers, body).await;
        for channel in [server.telegram(), server.messenger()] {
            let (observed, meaning) = send(&channel).await;
            assert!(matches!(meaning, Meaning::Unknown { .. }), "{status} {meaning:?}");
            let Observed::Answered { body, .. } = observed else { panic!("{observed:?}") };
            assert!(body.len() <= ANSWER_BYTES_MAX);
        }
        assert_eq!(server.requests().len(), 2);
    }
}

#[tokio::test]
async fn an_answer_may_come_in_pieces() {
    let mut answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for piece in TELEGRAM_OK.as_bytes().chunks(7) {
        answer.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        answer.extend_from_slice(piece);
        answer.extend_from_slice(b"\r\n");
    }
    let whole = [answer.as_slice(), b"0\r\n\r\n"].concat();
    let server = Server::start(Act::Answer(whole)).await;
    assert_eq!(meaning(&server.telegram()).await, Meaning::Delivered { id: "42".into() });

    // Every piece is there, but not the end.
    let server = Server::start(Act::AnswerAndClose(answer, Arc::default())).await;
    let (observed, _) = send(&server.telegram()).await;
    assert!(matches!(observed, Observed::Silence { .. }), "{observed:?}");
}

#[tokio::test]
async fn sec_d06_a_redirect_is_not_followed() {
    let elsewhere = Server::answering(200, "", TELEGRAM_OK.as_bytes()).await;
    for status in [301, 302, 303, 307, 308] {
        let location = format!("Location: http://{}/x\r\n", elsewhere.address);
        let server = Server::answering(status, &location, b"").await;
        let meaning = meaning(&server.telegram()).await;
        assert!(matches!(meaning, Meaning::Unknown { .. }), "{meaning:?}");
        assert_eq!(server.requests().len(), 1);
    }
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn sec_d04_a_reset_while_the_request_is_read_is_never_taken_for_an_answer() {
    let whole = Server::answering(200, "", TELEGRAM_OK.as_bytes()).await;
    meaning(&whole.telegram()).await;
    let length = whole.requests()[0].len();
    for bytes in (0..length).step_by(7).chain([length - 1, length]) {
        let server = Server::start(Act::ResetAfterReading(bytes)).await;
        let (observed, _) = send(&server.telegram()).await;
        let came_whole = !server.requests().is_empty();
        assert_eq!(came_whole, bytes == length);
        match observed {
            Observed::Silence { .. } => {}
            Observed::NotSent { .. } => assert!(!came_whole, "at {bytes}"),
            Observed::Answered { .. } => panic!("{observed:?} at {bytes}"),
        }
    }
}

#[tokio::test]
async fn sec_d04_a_reset_while_the_answer_is_written_is_silence_until_the_last_byte() {
    let answer = response(200, "", TELEGRAM_OK.as_bytes());
    for bytes in 0..answer.len() {
        let server = Server::start(Act::ResetAfterWriting(answer.clone(), bytes)).await;
        let (observed, meaning) = send(&server.telegram()).await;
        assert!(matches!(observed, Observed::Silence { .. }), "{observed:?} at {bytes}");
        assert!(matches!(meaning, Meaning::Unknown { .. }), "{meaning:?} at {bytes}");
        assert_eq!(server.requests().len(), 1, "at {bytes}");
    }
    let closed = Arc::default();
    let server = Server::start(Act::AnswerAndClose(answer, closed)).await;
    assert_eq!(meaning(&server.telegram()).await, Meaning::Delivered { id: "42".into() });
}

#[tokio::test]
async fn a_server_that_never_answers_is_silence_after_the_time() {
    let server = Server::start(Act::Hang).await;
    let channel = telegram(&format!("http://{}", server.address), Duration::from_millis(300));
    let (observed, meaning) = send(&channel).await;
    assert_eq!(observed, Observed::Silence { why: "no complete answer in time".into() });
    assert!(matches!(meaning, Meaning::Unknown { .. }));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn without_a_connection_nothing_was_sent() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    // Accepts, and says nothing that TLS could begin with.
    let hanging = Server::start(Act::Hang).await;
    let plain = Server::start(Act::ResetAfterReading(1)).await;
    for api in [
        format!("http://{closed}"),
        "http://no-such-host.invalid".to_owned(),
        format!("https://{}", hanging.address),
        format!("https://{}", plain.address),
    ] {
        for channel in [
            telegram(&api, Duration::from_millis(1500)),
            messenger(&api, Duration::from_millis(1500)),
        ] {
            let (observed, meaning) = send(&channel).await;
            assert!(matches!(observed, Observed::NotSent { .. }), "{api}: {observed:?}");
            assert!(matches!(meaning, Meaning::NotSent { .. }), "{api}: {meaning:?}");
        }
    }
    assert!(hanging.requests().is_empty());
}

#[tokio::test]
async fn a_connection_closed_while_idle_costs_no_message() {
    for _ in 0..20 {
        let closed = Arc::new(Notify::new());
        let answer = response(200, "", TELEGRAM_OK.as_bytes());
        let server = Server::start(Act::AnswerAndClose(answer, Arc::clone(&closed))).await;
        let channel = server.telegram();
        for sent in 1..=3 {
            assert_eq!(meaning(&channel).await, Meaning::Delivered { id: "42".into() });
            closed.notified().await;
            assert_eq!(server.requests().len(), sent);
        }
    }
}

#[tokio::test]
async fn sec_c03_a_server_that_repeats_the_secret_does_not_spread_it() {
    let telegram_body = format!(
        r#"{{"ok":false,"error_code":404,"description":"no /bot123456:{CANARY}/sendMessage"}}"#
    );
    let server = Server::answering(404, "", telegram_body.as_bytes()).await;
    let expected = "no /bot123456:[secret]/sendMessage";
    assert_eq!(
        meaning(&server.telegram()).await,
        Meaning::CredentialsRefused { why: expected.into() }
    );

    let messenger_body =
        format!(r#"{{"error":{{"code":190,"message":"Malformed access token EAAB{CANARY}"}}}}"#);
    let server = Server::answering(400, "", messenger_body.as_bytes()).await;
    let expected = "190: Malformed access token [secret]";
    assert_eq!(
        meaning(&server.messenger()).await,
        Meaning::CredentialsRefused { why: expected.into() }
    );
}

#[tokio::test]
async fn updates_are_asked_for_with_their_kinds_and_an_offset() {
    let body = json!({ "ok": true, "result": [{ "update_id": 5 }, { "update_id": 6 }] });
    let server = Server::answering(200, "", body.to_string().as_bytes()).await;
    let client = telegram_client(&format!("http://{}", server.address), EXCHANGE_TIME_MAX);
    let updates = client.updates(None, Duration::from_secs(50)).await.unwrap();
    assert_eq!(updates, [json!({ "update_id": 5 }), json!({ "update_id": 6 })]);
    client.updates(Some(7), Duration::ZERO).await.unwrap();

    let asked: Vec<Value> = server
        .requests()
        .iter()
        .map(|request| serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap())
        .collect();
    let allowed = ["message", "edited_message", "callback_query", "my_chat_member"];
    assert_eq!(
        asked,
        [
            json!({ "limit": 100, "timeout": 50, "allowed_updates": allowed }),
            json!({ "limit": 100, "timeout": 0, "allowed_updates": allowed, "offset": 7 }),
        ]
    );
}

#[tokio::test]
async fn calls_that_send_nothing_tell_what_to_do_about_a_failure() {
    let refused = |code: u16, words: &str| {
        let body = json!({ "ok": false, "error_code": code, "description": words });
        response(code, "", body.to_string().as_bytes())
    };
    let active = "Conflict: can't use getUpdates method while webhook is active";
    let cases = [
        (refused(401, "Unauthorized"), ApiError::CredentialsRefused { why: "Unauthorized".into() }),
        (refused(409, active), ApiError::Conflict { by_webhook: true, why: active.into() }),
        (refused(429, "Too Many Requests"), ApiError::Throttled { after: None }),
        (
            response(502, "", b"<html>"),
            ApiError::Failed { why: "status 502, the service failed".into() },
        ),
    ];
    for (answer, expected) in cases {
        let server = Server::start(Act::Answer(answer)).await;
        let client = telegram_client(&format!("http://{}", server.address), EXCHANGE_TIME_MAX);
        assert_eq!(client.updates(None, Duration::ZERO).await, Err(expected.clone()));
        assert_eq!(client.me().await, Err(expected));
    }

    let me = br#"{"ok":true,"result":{"id":5,"is_bot":true,"username":"tidings_bot"}}"#;
    let server = Server::answering(200, "", me).await;
    let client = telegram_client(&format!("http://{}", server.address), EXCHANGE_TIME_MAX);
    let me = client.me().await.unwrap();
    assert_eq!((me.id, me.username.as_str()), (5, "tidings_bot"));
}

#[tokio::test]
async fn a_subscription_that_is_refused_is_told() {
    let refused = br#"{"error":{"code":190,"message":"bad token"}}"#;
    let server = Server::answering(400, "", refused).await;
    let client = messenger_client(&format!("http://{}", server.address), EXCHANGE_TIME_MAX);
    let error = client.subscribe().await.unwrap_err();
    assert_eq!(error.to_string(), "subscribing to the page's events: 190: bad token");
}
