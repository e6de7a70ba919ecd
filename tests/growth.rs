//! What makes an audience grow: tags of links and what is told of them, scripts of forms for other
//! sites, the page on which these are made, and what was sent, for everybody to read.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "it shows and fails as a test does"
)]

mod rig;

use std::time::Duration;

use reqwest::header::{HOST, IF_NONE_MATCH};
use rig::{Rig, name, soon};
use serde_json::Value;
use tidings::model::origin::Origin;
use tidings::sandbox::telegram;
use tidings::store::Store;
use tidings::store::redb;

async fn rig() -> Rig {
    let mut rig = Rig::new(telegram::Rules::default()).await;
    rig.telegram_keys = "username = \"harbour_bot\"\n".to_owned();
    rig
}

fn client() -> reqwest::Client {
    // Fails when another test was first, and then it is installed as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

async fn get(url: &str) -> (u16, String) {
    let answer = soon("an answer", client().get(url).send()).await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// Asks until the answer has the words in it: what is shown may be half a minute old.
async fn get_with(url: &str, words: &str) -> String {
    let wait = async {
        loop {
            let (_, body) = get(url).await;
            if body.contains(words) {
                return body;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    soon(words, wait).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_is_kept_with_who_came_by_it_first_and_reports_count_them() {
    let mut rig = rig().await;
    rig.extra = "[pages.harbour]\ntopics = [\"news\"]\n".to_owned();
    let output = rig.command(&["qr", "news", "--channel", "bot", "--tag", "spring-flyer"]);
    let link = String::from_utf8(output.stdout).unwrap();
    assert_eq!(link.trim(), "https://t.me/harbour_bot?start=newsFROMspring-flyer");
    let wrong = rig.command(&["qr", "news", "--tag", "Spring Flyer"]);
    assert_eq!(wrong.status.code(), Some(2));

    let daemon = rig.start();
    let tagged = get(&rig.url("/s/harbour?from=autumn")).await.1;
    assert!(tagged.contains("start=newsFROMautumn") && tagged.contains("ref=newsFROMautumn"));
    for odd in ["", "?from=", "?from=%3Cscript%3E", "?from=A+B"] {
        let (status, page) = get(&rig.url(&format!("/s/harbour{odd}"))).await;
        assert_eq!(status, 200);
        assert!(page.contains("start=newsFROMWEBharbour") && !page.contains("<script"), "{odd}");
    }

    let payloads = [
        (1, Some("newsFROMspring-flyer")),
        (2, Some("newsFROMspring-flyer")),
        (3, Some("newsFROMFORMpopup")),
        (4, Some("news")),
    ];
    for (id, payload) in payloads {
        let person = rig.telegram.person(id, "en");
        person.starts(payload);
        soon("the welcome", person.wait_inbox(1)).await;
    }
    // Who leaves and comes back by another link came by the first one.
    let second = rig.telegram.person(2, "en");
    second.says("stop");
    soon("the goodbye", second.wait_inbox(2)).await;
    let third = rig.telegram.person(3, "en");
    third.says("stop");
    soon("the goodbye", third.wait_inbox(2)).await;
    // Telegram tells seconds, and of two deeds in one the stop counts.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    third.starts(Some("newsFROMother"));
    soon("the welcome", third.wait_inbox(3)).await;

    let expected =
        "tag,came,active,left_within_48h\nspring-flyer,2,1,1\nform:popup,1,1,0\n,1,1,0\n";
    let counted = rig.command(&["report", "--sources", "--csv"]);
    assert_eq!(String::from_utf8(counted.stdout).unwrap(), expected);
    assert_eq!(daemon.terminate().0, Some(0));
    let counted = rig.command(&["report", "--sources", "--json"]);
    let told: Value = serde_json::from_slice(&counted.stdout).unwrap();
    assert_eq!(told["sources"][0]["tag"], "spring-flyer");
    let store = redb::open(&rig.store_file()).unwrap();
    let kept = store.load_subscriber(&name("bot"), "3").await.unwrap().unwrap();
    assert_eq!(kept.came_by, Some(Origin::Form(name("popup"))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_is_one_script_that_any_site_may_load_and_keep() {
    let mut rig = rig().await;
    rig.extra = "[forms.popup]\ntopics = [\"news\"]\n".to_owned();
    let daemon = rig.start();
    let url = rig.url("/embed.js?form=popup");
    let answer = client().get(&url).send().await.unwrap();
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "text/javascript; charset=utf-8");
    assert_eq!(header("cache-control"), "public, max-age=300");
    assert_eq!(header("access-control-allow-origin"), "*");
    assert_eq!(header("cross-origin-resource-policy"), "cross-origin");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert!(answer.headers().get("set-cookie").is_none());
    let etag = header("etag");
    let script = answer.text().await.unwrap();
    assert!(script.len() < 10_000, "{}", script.len());
    assert!(script.contains("https://t.me/harbour_bot?start=newsFROMFORMpopup"));
    let again = client().get(&url).header(IF_NONE_MATCH, &etag).send().await.unwrap();
    assert_eq!(again.status(), 304);
    for missing in ["/embed.js", "/embed.js?form=", "/embed.js?form=<script>"] {
        let (status, body) = get(&rig.url(missing)).await;
        assert_eq!((status, body.as_str()), (404, "// There is no such form.\n"));
    }
    assert_eq!(daemon.terminate().0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_a01_the_editor_answers_only_who_asks_for_this_machine_and_changes_nothing() {
    let mut rig = rig().await;
    let editor = rig.free_address();
    rig.listen_keys = format!("editor = \"{editor}\"\n");
    rig.extra = "[forms.popup]\ntopics = [\"news\"]\n".to_owned();
    let daemon = rig.start();
    let base = format!("http://{editor}");
    for path in [
        "/",
        "/editor.css",
        "/editor.js",
        "/known",
        "/checked?toml=",
        "/preview?toml=%5Bforms.a%5D",
    ] {
        let url = format!("{base}{path}");
        let answer = client().get(&url).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        assert!(
            answer.headers()["content-security-policy"]
                .to_str()
                .unwrap()
                .starts_with("default-src 'none'")
        );
        assert_eq!(answer.headers()["cross-origin-resource-policy"], "same-origin");
        assert!(answer.headers().get("access-control-allow-origin").is_none());
        assert!(answer.headers().get("set-cookie").is_none());
        let other = client().get(&url).header(HOST, "attacker.example").send().await.unwrap();
        assert_eq!(
            (other.status().as_u16(), other.text().await.unwrap().as_str()),
            (421, ""),
            "{path}"
        );
        let post = client().post(&url).body("x").send().await.unwrap();
        assert_eq!(post.status(), 405, "{path}");
    }
    let known = get(&format!("{base}/known")).await.1;
    assert!(!known.contains(rig.telegram.token()) && !known.contains(rig.messenger.page_token()));
    assert!(known.contains("\"popup\""));
    let (_, told) =
        get(&format!("{base}/checked?toml=%5Bforms.a%5D%0Akind%20%3D%20%22pop%22")).await;
    assert!(told.contains("must be one of `popup`, `bar`, `button`, got `pop`"), "{told}");
    assert_eq!(daemon.terminate().0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_to_a_topic_is_a_page_and_a_feed() {
    let mut rig = rig().await;
    rig.campaign_keys = "topics = [\"news\"]\n".to_owned();
    rig.listen_keys = "public_url = \"https://news.example.com\"\n".to_owned();
    rig.extra = "[topics.open]\narchive = true\n[topics.closed]\n[pages.open]\ntopics = [\"open\"]\n\
                 [campaigns.open]\nsources = [\"blog\"]\ntopics = [\"open\"]\n\
                 [campaigns.chosen]\nsources = [\"blog\"]\ntopics = [\"open\"]\naudience = \"language == 'en'\"\n"
        .to_owned();
    let daemon = rig.start();
    rig.baseline().await;
    let empty = get(&rig.url("/t/open")).await;
    assert_eq!(empty.0, 200);
    assert!(empty.1.contains("Nothing was sent yet."), "{}", empty.1);
    let person = rig.telegram.person(1, "en");
    person.starts(Some("open"));
    soon("the welcome", person.wait_inbox(1)).await;
    rig.site.publish("Storm & <b>waves</b>", "<p>Stay at <i>home</i>.</p>");
    soon("the posts", person.wait_inbox(3)).await;

    let feed = get_with(&rig.url("/t/open/feed.xml"), "<item>").await;
    // Once, though two campaigns told it: one of them is for some of its people only.
    assert_eq!(feed.matches("<item>").count(), 1, "{feed}");
    assert!(feed.contains("<title>Storm &amp; "), "{feed}");
    assert!(feed.contains("href=\"https://news.example.com/t/open/feed.xml\" rel=\"self\""));
    let page = get_with(&rig.url("/t/open"), "Storm &amp;").await;
    assert!(page.contains("Stay at home.") && !page.contains("<script"), "{page}");
    let link = "<link rel=\"alternate\" type=\"application/rss+xml\" title=\"open\" \
                href=\"https://news.example.com/t/open/feed.xml\">";
    assert!(page.contains(link));
    assert!(get(&rig.url("/s/open")).await.1.contains(link));
    assert!(get(&rig.url("/t/open?before=1")).await.1.contains("Nothing was sent yet."));
    for missing in ["/t/closed", "/t/news", "/t/nowhere/feed.xml"] {
        assert_eq!(get(&rig.url(missing)).await.0, 404, "{missing}");
    }
    assert_eq!(daemon.terminate().0, Some(0));
}
