//! A hub tells of news: the real binary, a stand-in hub and a feed that names it, over real sockets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "it fails as a test does"
)]

#[path = "poll/site.rs"]
#[allow(dead_code, reason = "this test binary uses its part")]
mod site;

mod rig;

use std::collections::HashMap;

use hmac::{Hmac, KeyInit, Mac};
use rig::{Rig, soon};
use sha2::Sha256;
use site::{Site, feed, status};
use tidings::sandbox::telegram;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What the hub was asked with the request of that number, from 1.
async fn asked(site: &Site, times: usize) -> HashMap<String, String> {
    soon("the hub is asked", site.wait_for("/hub", times)).await;
    let heard = site.heard("/hub").remove(times - 1);
    assert!(heard.head.starts_with("POST "), "{}", heard.head);
    url::form_urlencoded::parse(heard.body.as_bytes()).into_owned().collect()
}

/// One request at the public door; head and body of the answer.
async fn knock(rig: &Rig, request: String) -> String {
    let mut stream = TcpStream::connect(&rig.public).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// The path of the address that the hub was given.
fn door(form: &HashMap<String, String>) -> String {
    url::Url::parse(&form["hub.callback"]).unwrap().path().to_owned()
}

async fn verify(rig: &Rig, form: &HashMap<String, String>, topic: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("hub.mode", "subscribe")
        .append_pair("hub.topic", topic)
        .append_pair("hub.challenge", "echo-this")
        .append_pair("hub.lease_seconds", "864000")
        .finish();
    let head = "HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    knock(rig, format!("GET {}?{query} {head}", door(form))).await
}

/// The hub brings the feed, signed with `secret`.
async fn push(rig: &Rig, form: &HashMap<String, String>, secret: &str) -> String {
    let body = String::from_utf8(feed(&["brought by the hub"])).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let digits: String =
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let request = format!(
        "POST {} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/rss+xml\r\n\
         x-hub-signature: sha256={digits}\r\ncontent-length: {}\r\n\r\n{body}",
        door(form),
        body.len()
    );
    knock(rig, request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_hub_brings_is_polled_at_once_and_sent_also_after_a_restart() {
    let mut rig = Rig::new(telegram::Rules::default()).await;
    let site = Site::open("127.0.1.2").await;
    let (topic, hub) = (site.url("/feed"), site.url("/hub"));
    // Polled by its schedule only once a day: what comes sooner was brought.
    rig.extra = format!(
        "[sources.told]\nurl = \"{topic}\"\nevery = \"1d\"\n\
         [campaigns.told]\nsources = [\"told\"]\nchannels = [\"bot\"]\n"
    );
    rig.listen_keys = format!("public_url = \"http://{}\"", rig.public);
    let show = |titles: &[&str]| {
        let (own, hub) = (format!("<{topic}>; rel=\"self\""), format!("<{hub}>; rel=\"hub\""));
        site.say("/feed", status(200, &[("Link", &own), ("Link", &hub)], &feed(titles)));
    };
    show(&["old"]);
    site.say("/hub", status(202, &[], b""));
    rig.subscribe("bot", [7]).await;
    rig.telegram.open_chats([7]);
    let ada = rig.telegram.person(7, "en");

    let daemon = rig.start();
    let form = asked(&site, 1).await;
    assert_eq!((form["hub.mode"].as_str(), &form["hub.topic"]), ("subscribe", &topic));
    assert!(verify(&rig, &form, "https://other.example/").await.starts_with("HTTP/1.1 404"));
    let answer = verify(&rig, &form, &topic).await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\necho-this"),
        "{answer}"
    );

    // A forged word is answered as a good one, and makes nothing due.
    show(&["first", "old"]);
    assert!(push(&rig, &form, "a guess").await.starts_with("HTTP/1.1 202"));
    assert_eq!(site.heard("/feed").len(), 1);
    assert!(push(&rig, &form, &form["hub.secret"]).await.starts_with("HTTP/1.1 202"));
    soon("the feed is read", site.wait_for("/feed", 2)).await;
    let inbox = soon("what is new", ada.wait_inbox(1)).await;
    assert!(inbox[0].text.contains("first"), "{:?}", inbox[0]);
    // Nobody else's address is known.
    let stranger = HashMap::from([("hub.callback".to_owned(), rig.url("/hub/guessed"))]);
    assert!(push(&rig, &stranger, "x").await.starts_with("HTTP/1.1 410"));
    let (code, log) = daemon.terminate();
    assert_eq!(code, Some(0), "{log}");

    // The hub knows nothing of a restart: it brings the next news to the same address.
    show(&["second", "first", "old"]);
    let daemon = rig.start();
    assert!(push(&rig, &form, &form["hub.secret"]).await.starts_with("HTTP/1.1 202"));
    let inbox = soon("what is new after the restart", ada.wait_inbox(2)).await;
    assert!(inbox[1].text.contains("second"), "{:?}", inbox[1]);
    // And it is asked to go on, under that address.
    let renewed = asked(&site, 2).await;
    assert_eq!(renewed["hub.callback"], form["hub.callback"]);
    assert_eq!(renewed["hub.secret"], form["hub.secret"]);
    let (code, log) = daemon.terminate();
    assert_eq!(code, Some(0), "{log}");
    for secret in [&form["hub.secret"], form["hub.callback"].rsplit('/').next().unwrap()] {
        assert!(!log.contains(secret), "a secret is in the log");
    }
}
