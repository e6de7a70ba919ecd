//! The pages that people subscribe on, and the codes that lead there: through the real binary, over
//! real sockets, into the chat.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "it shows and fails as a test does"
)]

mod rig;

use reqwest::header::{ACCEPT_LANGUAGE, HeaderMap, IF_NONE_MATCH};
use rig::{Rig, name, soon};
use serde_json::Value;
use tidings::model::origin::Origin;
use tidings::sandbox::telegram;
use tidings::store::Store;
use tidings::store::redb;

const PAGES: &str = "
[topics.offers]
title = { en = \"Offers\", ro = \"Oferte\" }
[topics.alerts]
[pages.harbour]
topics = [\"news\", \"offers\"]
title = { en = \"From the <harbour>\", ro = \"Din <port>\" }
colour = \"#fc0\"
[pages.all]
channels = [\"bot\"]
";

async fn rig() -> Rig {
    let mut rig = Rig::new(telegram::Rules::default()).await;
    rig.extra = PAGES.to_owned();
    rig
}

struct Seen {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Seen {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

async fn get(rig: &Rig, path: &str, headers: &[(reqwest::header::HeaderName, &str)]) -> Seen {
    send(rig, reqwest::Method::GET, path, headers).await
}

async fn send(
    rig: &Rig,
    method: reqwest::Method,
    path: &str,
    headers: &[(reqwest::header::HeaderName, &str)],
) -> Seen {
    // Fails when another test was first, and then it is installed as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut asked = client.request(method, rig.url(path));
    for (name, value) in headers {
        asked = asked.header(name, *value);
    }
    let answer = soon("the page", asked.send()).await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    Seen { status, headers, body: answer.text().await.unwrap() }
}

/// The page once the bot's name is known.
async fn whole(rig: &Rig, path: &str, language: &str) -> Seen {
    let wait = async {
        loop {
            let seen = get(rig, path, &[(ACCEPT_LANGUAGE, language)]).await;
            if seen.body.contains("https://t.me/") {
                return seen;
            }
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        }
    };
    soon("the link to the bot", wait).await
}

/// What the page's link says to the bot.
fn payload(body: &str) -> Option<String> {
    let link = body.split_once("href=\"https://t.me/sandbox_bot")?.1.split_once('"')?.0;
    link.strip_prefix("?start=").map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_leads_into_the_chat_for_its_topics() {
    let rig = rig().await;
    let daemon = rig.start();
    rig.baseline().await;
    let first = rig.telegram.person(1, "en");
    first.starts(None);
    soon("the welcome", first.wait_inbox(1)).await;
    rig.site.publish("Storm & <b>waves</b>", "<p>Stay at home.</p>");
    soon("the post", first.wait_inbox(2)).await;

    let seen = whole(&rig, "/s/harbour", "ro, en;q=0.5").await;
    assert_eq!(seen.status, 200);
    assert!(seen.body.contains("<html lang=\"ro\">"), "{}", seen.body);
    assert!(seen.body.contains("<h1>Din &lt;port&gt;</h1>"));
    assert!(seen.body.contains("<li>News</li><li>Oferte</li>"));
    assert!(seen.body.contains("ref=newsANDoffersFROMWEBharbour"));
    assert!(seen.body.contains("Storm &amp; ") && !seen.body.contains("<b>"), "{}", seen.body);
    assert!(seen.body.contains(".telegram{background:#ffcc00;color:#000000}"));
    assert_eq!(seen.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(seen.header("content-language"), "ro");
    assert_eq!(seen.header("vary"), "accept-language");
    assert_eq!(seen.header("cache-control"), "public, max-age=60");
    assert_eq!(seen.header("x-frame-options"), "DENY");
    assert!(seen.header("content-security-policy").starts_with("default-src 'none'; style-src"));
    assert_eq!(seen.header("set-cookie"), "");

    // Who has it already is told so; who asks for the head gets no body.
    let again = [(ACCEPT_LANGUAGE, "ro"), (IF_NONE_MATCH, seen.header("etag"))];
    let known = get(&rig, "/s/harbour", &again).await;
    assert_eq!((known.status, known.body.as_str()), (304, ""));
    assert_eq!(known.header("etag"), seen.header("etag"));
    let other = [(ACCEPT_LANGUAGE, "en"), (IF_NONE_MATCH, seen.header("etag"))];
    assert_eq!(get(&rig, "/s/harbour", &other).await.status, 200);
    let head = send(&rig, reqwest::Method::HEAD, "/s/harbour", &again[..1]).await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(head.header("etag"), seen.header("etag"));
    assert_eq!(head.header("content-length"), seen.body.len().to_string());

    // By the link of the page somebody comes in for its topics, by that of all for all.
    let said = payload(&seen.body).unwrap();
    assert_eq!(said, "newsANDoffersFROMWEBharbour");
    let person = rig.telegram.person(2, "ro");
    person.starts(Some(&said));
    soon("the welcome", person.wait_inbox(1)).await;
    let all = whole(&rig, "/s/all", "en").await;
    assert_eq!(payload(&all.body).as_deref(), Some("FROMWEBall"));
    assert!(!all.body.contains("m.me"));

    let missing = get(&rig, "/s/nowhere", &[(ACCEPT_LANGUAGE, "fr")]).await;
    assert_eq!(missing.status, 404);
    assert!(missing.body.contains("Cette page n’existe pas."));

    assert_eq!(daemon.terminate().0, Some(0));
    let store = redb::open(&rig.store_file()).unwrap();
    let kept = store.load_subscriber(&name("bot"), "2").await.unwrap().unwrap();
    assert_eq!(kept.topics, [name("news"), name("offers")]);
    assert_eq!(kept.came_by, Some(Origin::Page(name("harbour"))));
    // The name is kept for the next run.
    assert_eq!(store.load_bot(&name("bot")).await.unwrap().as_deref(), Some("sandbox_bot"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sites_that_are_named_may_show_the_page_in_theirs() {
    let mut rig = rig().await;
    rig.telegram_keys = "username = \"@harbour_bot\"\n".to_owned();
    rig.listen_keys = "frame_ancestors = [\"https://www.example.com\"]\n".to_owned();
    let daemon = rig.start();
    let seen = whole(&rig, "/s/harbour", "en").await;
    assert!(seen.body.contains("https://t.me/harbour_bot?start=newsANDoffers"));
    let policy = seen.header("content-security-policy");
    assert!(policy.ends_with("frame-ancestors https://www.example.com"), "{policy}");
    assert_eq!(seen.header("x-frame-options"), "");
    assert_eq!(daemon.terminate().0, Some(0));
    let asked = rig.telegram.ledger().requests();
    assert!(asked.iter().all(|it| it.method != "getMe"), "its name is written down");
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_and_links_are_made_on_the_command_line() {
    let rig = rig().await;
    let said = |args: &[&str]| {
        let output = rig.command(args);
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), output.stdout, words)
    };
    let (code, out, words) = said(&["qr", "news", "offers"]);
    assert_eq!(code, Some(0), "{words}");
    let page = rig.messenger.page_id();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        format!(
            "https://t.me/sandbox_bot?start=newsANDoffers\n\
             https://m.me/{page}?ref=newsANDoffers\n"
        )
    );

    let (_, out, _) = said(&["qr", "news", "--group", "--json"]);
    let told: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(told["links"].as_array().unwrap().len(), 1);
    assert_eq!(told["links"][0]["link"], "https://t.me/sandbox_bot?startgroup=news");
    assert_eq!(told["payload"], "news");

    let file = rig.path("poster.png");
    let (code, _, words) =
        said(&["qr", "news", "--channel", "bot", "--out", file.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{words}");
    assert!(words.contains("https://t.me/sandbox_bot?start=news"));
    assert!(std::fs::read(&file).unwrap().starts_with(b"\x89PNG"));
    let (_, out, _) = said(&["qr", "--channel", "page", "--svg"]);
    assert!(out.starts_with(b"<svg xmlns=\"http://www.w3.org/2000/svg\""));

    for (args, expected) in [
        (vec!["qr", "nwes"], "there is no topic `nwes`"),
        (vec!["qr", "--channel", "bto"], "there is no channel `bto`"),
        (vec!["qr", "--svg"], "the code of one channel"),
        (vec!["qr", "--channel", "bot", "--out", "code.bmp"], "neither `.svg` nor `.png`"),
        (vec!["qr", "--channel", "page", "--group"], "Telegram's alone"),
    ] {
        let (code, _, words) = said(&args);
        assert_eq!(code, Some(2), "{args:?}: {words}");
        assert!(words.contains(expected), "{args:?}: {words}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_says_where_the_pages_are() {
    let mut rig = rig().await;
    rig.listen_keys = "public_url = \"https://news.example.com/in/\"\n".to_owned();
    let output = rig.command(&["check"]);
    let said = String::from_utf8(output.stdout).unwrap();
    let expected =
        "  page harbour: news, offers on bot, page at https://news.example.com/in/s/harbour";
    assert!(said.contains(expected), "{said}");
    assert!(said.contains("  page all: all topics on bot at https://news.example.com/in/s/all"));
    let output = rig.command(&["check", "--json"]);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["pages"]["all"], "https://news.example.com/in/s/all");
}
