//! `tidings preview` as people and scripts use it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;
use tidings::store::{Store, redb};

mod made;

use made::{item, poll};

const FEED: &str = r#"<?xml version="1.0"?><rss version="2.0"><channel><title>T</title>
<item><title>Older</title><link>https://example.com/1</link><guid>1</guid>
<pubDate>Mon, 02 Nov 2026 10:00:00 GMT</pubDate><description>One</description></item>
<item><title>Newer &lt;b&gt;</title><link>https://example.com/2</link><guid>2</guid>
<pubDate>Tue, 03 Nov 2026 10:00:00 GMT</pubDate><description>Two</description></item>
</channel></rss>"#;

/// A folder with settings, a token and a feed; the source of the campaign can't be reached.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| std::fs::write(folder.path().join(file), text).unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    std::fs::create_dir(folder.path().join("layouts")).unwrap();
    write("token", "123456:canary-token-of-nobody");
    let only_ours = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(folder.path().join("token"), only_ours).unwrap();
    write("feed.xml", FEED);
    write(
        "tidings.toml",
        "layouts = \"layouts\"\ndata_dir = \"data\"\n\
         [channels.bot]\nkind = \"telegram\"\ntoken = { file = \"token\" }\n\
         [sources.blog]\nurl = \"http://127.0.0.1:9/feed.xml\"\n\
         [campaigns.news]\nsources = [\"blog\"]\nlayout = \"article\"\nchannels = [\"bot\"]\n",
    );
    folder
}

fn preview(folder: &Path, arguments: &[&str]) -> Output {
    let settings = folder.join("tidings.toml");
    Command::new(env!("CARGO_BIN_EXE_tidings"))
        .arg("preview")
        .arg("--config")
        .arg(settings)
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

fn out(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_str(&out(output)).unwrap()
}

#[test]
fn a_document_is_shown_on_both_kinds_of_channel() {
    let folder = folder();
    let shown = out(&preview(folder.path(), &["article", "--from", "feed.xml"]));
    assert!(shown.contains("── telegram ──\nNewer <b>\n\nTwo\n╭"), "{shown}");
    assert!(shown.contains("── messenger ──\n"), "{shown}");
    let told = json(&preview(
        folder.path(),
        &["article", "--from", "feed.xml", "--channel", "messenger", "--newest", "2", "--json"],
    ));
    let titles: Vec<&Value> =
        told["items"].as_array().unwrap().iter().map(|item| &item["title"]).collect();
    assert_eq!(titles, ["Newer <b>", "Older"]);
    assert_eq!(told["shown"][0]["channel"], "messenger");
    assert_eq!(told["shown"][0]["calls"][0]["method"], "messages");
    assert_eq!(told["from"], "document");
}

#[test]
fn a_layout_that_greets_is_shown_for_a_reader() {
    let folder = folder();
    let text = "<p>Hello {{ subscriber.first_name or 'you' }}: {{ item.title }}</p>";
    std::fs::write(folder.path().join("layouts/greeting.html"), text).unwrap();
    let shown = out(&preview(folder.path(), &["greeting"]));
    assert!(shown.contains("Hello you: "), "{shown}");
    let shown = out(&preview(folder.path(), &["greeting", "--reader", "Ana"]));
    assert!(shown.contains("Hello Ana: "), "{shown}");
}

#[test]
fn without_any_item_a_sample_is_shown_and_said() {
    let folder = folder();
    for name in ["news", "article"] {
        let output = preview(folder.path(), &[name]);
        assert!(out(&output).contains("A title with <angles> & an ampersand"), "{name}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("a sample item"), "{said}");
    }
    let refused = preview(folder.path(), &["news", "--item", "https://example.com/1"]);
    assert_eq!(refused.status.code(), Some(1));
    let refused = preview(folder.path(), &["news", "--channel", "page"]);
    assert!(String::from_utf8(refused.stderr).unwrap().contains("channels: bot"));
}

#[tokio::test]
async fn kept_items_are_shown_the_newest_or_the_one_that_is_named() {
    let folder = folder();
    let store = redb::open(&folder.path().join("data/store.redb")).unwrap();
    let mut commit = poll("blog");
    commit.items = vec![item(1), item(2)];
    store.commit_poll(commit).await.unwrap();
    drop(store);
    let told = json(&preview(folder.path(), &["news", "--json"]));
    assert_eq!((&told["from"], &told["items"][0]["title"]), (&"kept".into(), &"Title 2".into()));
    assert_eq!(told["shown"].as_array().unwrap().len(), 1, "its channels are of one kind");
    let id = told["items"][0]["id"].as_str().unwrap().to_owned();
    for named in ["https://example.com/1", "guid-1"] {
        let told = json(&preview(folder.path(), &["article", "--item", named, "--json"]));
        assert_eq!(told["items"][0]["title"], "Title 1");
    }
    let told = json(&preview(folder.path(), &["article", "--item", &id, "--json"]));
    assert_eq!(told["items"][0]["title"], "Title 2");
    assert_eq!(told["shown"].as_array().unwrap().len(), 2);
}

#[test]
fn a_page_is_written_whole() {
    let folder = folder();
    let arguments = ["article", "--from", "feed.xml", "--html", "page.html"];
    assert_eq!(out(&preview(folder.path(), &arguments)), "");
    let page = std::fs::read_to_string(folder.path().join("page.html")).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
    assert!(page.contains("Content-Security-Policy") && page.contains("Newer \\u003cb\\u003e"));
    assert!(!page.contains("{{"), "every place is filled");
}
