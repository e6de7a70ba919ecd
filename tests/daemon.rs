//! The real binary between stand-ins, over real sockets.

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

use std::os::unix::fs::{MetadataExt, PermissionsExt};

use rig::{Rig, name, soon};
use site::{Site, feed, status};
use tidings::sandbox::telegram;
use tidings::store::Store;
use tidings::store::redb;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const ARTICLE: &str =
    "<p>Some <b>bold</b> words and a <a href=\"https://example.com/\">link</a>.</p>";

#[tokio::test(flavor = "multi_thread")]
async fn a_new_item_reaches_both_channels_once() {
    let rig = Rig::new(telegram::Rules::default()).await;
    rig.site.publish("Old news", ARTICLE);
    let daemon = rig.start();
    rig.baseline().await;

    let ada = rig.telegram.person(7, "en");
    let ion = rig.messenger.person("4711");
    ada.starts(None);
    ion.starts(None);
    soon("the welcome on Telegram", ada.wait_inbox(1)).await;
    soon("the welcome on Messenger", ion.wait_inbox(1)).await;

    rig.site.publish("Fresh news", ARTICLE);
    let on_telegram = soon("the post on Telegram", ada.wait_inbox(2)).await;
    let on_messenger = soon("the post on Messenger", ion.wait_inbox(2)).await;
    assert!(on_telegram[1].text.contains("Fresh news"), "{:?}", on_telegram[1]);
    assert!(on_messenger[1].text().unwrap_or("").contains("Fresh news"), "{:?}", on_messenger[1]);

    // The baseline was not sent, and nothing comes twice: the next post is the very next message.
    rig.site.publish("Last news", ARTICLE);
    let then = soon("the next post", ada.wait_inbox(3)).await;
    assert!(then[2].text.contains("Last news"));
    assert_eq!(then.len(), 3);

    let (code, log) = daemon.terminate();
    assert_eq!(code, Some(0), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_counts_are_told_over_the_socket() {
    let rig = Rig::new(telegram::Rules::default()).await;
    rig.site.publish("Old news", ARTICLE);
    let daemon = rig.start();
    rig.baseline().await;
    let ada = rig.telegram.person(7, "en");
    let ion = rig.messenger.person("4711");
    ada.starts(None);
    ion.starts(None);
    soon("the welcome on Telegram", ada.wait_inbox(1)).await;
    soon("the welcome on Messenger", ion.wait_inbox(1)).await;
    rig.site.publish("Fresh news", ARTICLE);
    soon("the post on Telegram", ada.wait_inbox(2)).await;
    soon("the post on Messenger", ion.wait_inbox(2)).await;
    let forged = format!(
        "POST /messenger/page HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n\
         x-hub-signature-256: sha256={}\r\n\r\n{{}}",
        "00".repeat(32)
    );
    let mut stream = TcpStream::connect(&rig.public).await.unwrap();
    stream.write_all(forged.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");

    assert!(rig.ask_socket("/healthz").await.ends_with("ok\n"));
    assert!(rig.ask_socket("/readyz").await.ends_with("ready\n"));
    // The welcome and the post are two deliveries.
    let lines = [
        "tidings_polls_total{source=\"blog\",result=\"new\"} 1",
        "tidings_posts_total 1",
        "tidings_deliveries_total{channel=\"bot\",result=\"sent\"} 2",
        "tidings_deliveries_total{channel=\"page\",result=\"sent\"} 2",
        "tidings_events_total{channel=\"bot\",result=\"kept\"} 1",
        "tidings_events_total{channel=\"page\",result=\"kept\"} ",
        "tidings_refusals_total{channel=\"page\",reason=\"forged\"} 1",
    ];
    // A receipt is counted a moment after the message is seen.
    soon("the receipts", async {
        while !rig.ask_socket("/metrics").await.contains(lines[2])
            || !rig.ask_socket("/metrics").await.contains(lines[3])
        {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let told = rig.ask_socket("/metrics").await;
    for line in lines {
        assert!(told.contains(line), "no `{line}` in:\n{told}");
    }
    daemon.terminate();
}

/// What `flood list` tells.
fn floods(rig: &Rig) -> Vec<serde_json::Value> {
    let output = rig.command(&["flood", "list", "--json"]);
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    value["floods"].as_array().cloned().unwrap_or_default()
}

/// A feed of `old` items below `fresh` newer ones.
fn show(site: &Site, fresh: &[String], old: usize) {
    let old: Vec<String> = (0..old).map(|number| format!("old {number}")).collect();
    let titles: Vec<&str> = fresh.iter().chain(&old).map(String::as_str).collect();
    site.say("/feed", status(200, &[], &feed(&titles)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_held_until_a_person_says_what_becomes_of_it() {
    let mut rig = Rig::new(telegram::Rules::default()).await;
    let site = Site::open("127.0.1.1").await;
    let url = site.url("/feed");
    rig.extra = format!(
        "[sources.shop]\nurl = \"{url}\"\nevery = \"1s\"\n\
         [campaigns.shop]\nsources = [\"shop\"]\nchannels = [\"bot\"]\n"
    );
    rig.subscribe("bot", [7]).await;
    rig.telegram.open_chats([7]);
    let ada = rig.telegram.person(7, "en");
    show(&site, &[], 10);
    let daemon = rig.start();
    soon("the baseline", site.wait_for("/feed", 2)).await;

    let fresh: Vec<String> = (0..60).map(|number| format!("fresh {number}")).collect();
    show(&site, &fresh, 10);
    daemon.wait_for("were held for the admins' word");
    let held = floods(&rig);
    assert_eq!((&held[0]["source"], &held[0]["items"]), (&"shop".into(), &60.into()), "{held:?}");
    let shown = String::from_utf8(rig.command(&["status"]).stdout).unwrap();
    assert!(shown.contains("tidings flood release|newest|known shop"), "{shown}");
    let wrong = rig.command(&["flood", "known", "shpo"]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("no source `shpo`"), "{wrong:?}");

    let answered = rig.command(&["flood", "newest", "-n", "2", "shop"]);
    assert!(answered.status.success(), "{answered:?}");
    let inbox = soon("the two newest", ada.wait_inbox(2)).await;
    let texts: String = inbox.iter().map(|message| format!("{}\n", message.text)).collect();
    assert!(texts.contains("fresh 0\n") && texts.contains("fresh 1\n"), "{texts}");
    assert_eq!(floods(&rig).len(), 0);
    let again = rig.command(&["flood", "known", "shop"]);
    assert_eq!(again.status.code(), Some(1), "nothing is held any more: {again:?}");

    // What is taken as known is not sent, and the next item alone is.
    let mut fresh: Vec<String> = (0..60).map(|number| format!("more {number}")).collect();
    show(&site, &fresh, 10);
    daemon.wait_for("were held for the admins' word");
    assert!(rig.command(&["flood", "known", "shop"]).status.success());
    fresh.insert(0, "the last".to_owned());
    show(&site, &fresh, 10);
    let inbox = soon("the last", ada.wait_inbox(3)).await;
    assert!(inbox[2].text.contains("the last"), "{:?}", inbox[2]);

    // One chat gets one message a second.
    let fresh: Vec<String> = (0..25).map(|number| format!("yet more {number}")).collect();
    show(&site, &fresh, 10);
    daemon.wait_for("were held for the admins' word");
    assert!(rig.command(&["flood", "release", "shop"]).status.success());
    let inbox = soon("all that is new", ada.wait_inbox(28)).await;
    assert!(inbox[3..].iter().all(|message| message.text.contains("yet more")));
    let (code, log) = daemon.terminate();
    assert_eq!(code, Some(0), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_gets_nothing_more_and_who_blocks_is_marked() {
    let rig = Rig::new(telegram::Rules::default()).await;
    rig.site.publish("Old news", ARTICLE);
    let daemon = rig.start();
    rig.baseline().await;
    let people = [7, 8, 9].map(|id| rig.telegram.person(id, "en"));
    for person in &people {
        person.starts(Some("news"));
        soon("the welcome", person.wait_inbox(1)).await;
    }
    people[0].says("stop");
    soon("the goodbye", people[0].wait_inbox(2)).await;
    // The bot is not told of this block: it learns from the refusal.
    rig.telegram.set_standing(8, telegram::Standing::Blocked);

    rig.site.publish("Fresh news", ARTICLE);
    soon("the post", people[2].wait_inbox(2)).await;
    let (code, log) = daemon.terminate();
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(people[0].inbox().len(), 2, "nothing after the goodbye");

    let store = redb::open(&rig.store_file()).unwrap();
    let known = store.load_subscriber(&name("bot"), "8").await.unwrap().unwrap();
    assert_eq!(known.standing, tidings::model::subscriber::Standing::Blocked);
}

#[tokio::test(flavor = "multi_thread")]
async fn outside_the_window_a_post_is_held_until_the_next_contact() {
    let rig = Rig::new(telegram::Rules::default()).await;
    rig.site.publish("Old news", ARTICLE);
    let daemon = rig.start();
    rig.baseline().await;
    let ion = rig.messenger.person("4711");
    ion.starts(None);
    soon("the welcome", ion.wait_inbox(1)).await;
    rig.messenger.closes_window("4711");

    rig.site.publish("Held one", ARTICLE);
    rig.site.publish("Held two", ARTICLE);
    soon("both posts are held", async {
        loop {
            let posts = posts(&rig);
            let held: u64 = posts.iter().filter_map(|p| p["counts"]["held"].as_u64()).sum();
            if held == 2 {
                break;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(ion.inbox().len(), 1);

    ion.says("anything new?");
    let inbox = soon("the default reply and the carousel", ion.wait_inbox(3)).await;
    let all: String = inbox.iter().map(|message| format!("{message:?}\n")).collect();
    assert!(all.contains("Held one") && all.contains("Held two"), "{all}");
    soon("both posts are told as sent", async {
        loop {
            let sent: u64 = posts(&rig).iter().filter_map(|p| p["counts"]["sent"].as_u64()).sum();
            if sent == 2 {
                break;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    daemon.terminate();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_bot_waits_and_loses_nothing() {
    let rig = Rig::new(telegram::Rules::default()).await;
    rig.subscribe("bot", 1..=50).await;
    rig.telegram.open_chats(1..=50);
    rig.site.publish("Old news", ARTICLE);
    let daemon = rig.start();
    rig.baseline().await;
    rig.telegram.faults().add(telegram_trouble_429());
    rig.site.publish("Fresh news", ARTICLE);
    soon("everybody has it", rig.telegram.ledger().wait_accepted(50)).await;
    assert!(rig.telegram.ledger().counts().values().all(|count| *count == 1));
    daemon.terminate();
}

fn telegram_trouble_429() -> tidings::sandbox::fault::Trouble {
    tidings::sandbox::fault::Trouble::new(telegram::throttled(Some(1))).on("sendMessage").times(2)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_takes_up_changes_and_keeps_the_old_settings_when_the_new_are_wrong() {
    let mut rig = Rig::new(telegram::Rules::default()).await;
    rig.site.publish("Old news", ARTICLE);
    let daemon = rig.start();
    rig.baseline().await;
    let ada = rig.telegram.person(7, "en");

    std::fs::write(rig.path("tidings.toml"), "no_such_key = 1\n").unwrap();
    daemon.signal("HUP");
    daemon.wait_for("kept the old settings");
    ada.starts(None);
    soon("the old settings still serve", ada.wait_inbox(1)).await;

    rig.extra = "[messages]\ngoodbye = \"So long.\"\n".to_owned();
    rig.settings();
    daemon.signal("HUP");
    daemon.wait_for("took up the changed settings");
    ada.says("stop");
    let inbox = soon("the new goodbye", ada.wait_inbox(2)).await;
    assert_eq!(inbox[1].text, "So long.");
    let (code, log) = daemon.terminate();
    assert_eq!(code, Some(0), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_daemon_is_refused_and_commands_reach_the_first() {
    let rig = Rig::new(telegram::Rules::default()).await;
    let daemon = rig.start();
    let second = rig.launch();
    let (code, log) = second.ended();
    assert_eq!(code, Some(74), "{log}");
    assert!(log.contains("in use"), "{log}");

    let status = rig.command(&["status", "--json"]);
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
    let value: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    assert!(value["sources"]["blog"].is_object());
    daemon.terminate();
    let alone = rig.command(&["status", "--json"]);
    let value_alone: serde_json::Value = serde_json::from_slice(&alone.stdout).unwrap();
    assert_eq!(
        value.as_object().unwrap().keys().collect::<Vec<_>>(),
        value_alone.as_object().unwrap().keys().collect::<Vec<_>>(),
        "the same form with and without a daemon"
    );
}

/// What a command says on both its outputs, and its exit code.
fn told(output: &std::process::Output) -> (Option<i32>, String) {
    let text = [&output.stdout[..], &output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_reach_the_daemon_whatever_has_become_of_the_settings() {
    let rig = Rig::new(telegram::Rules::default()).await;
    let daemon = rig.start();
    // A credential that only the unit has, and a typo.
    let good = std::fs::read_to_string(rig.path("tidings.toml")).unwrap();
    let (before, after) = good.split_once("token = {").unwrap();
    let (_, after) = after.split_once('\n').unwrap();
    let lacking = format!("{before}token = {{ credential = \"bot\" }}\n{after}");
    std::fs::write(rig.path("tidings.toml"), format!("{lacking}\n[campaigns.blog\n")).unwrap();

    let (code, status) = told(&rig.command_as_it_is(&["status", "--check"]));
    assert_eq!(code, Some(0), "{status}");
    assert!(status.contains("daemon: running"), "{status}");
    daemon.signal("HUP");
    daemon.wait_for("kept the old settings");
    assert_eq!(told(&rig.command_as_it_is(&["channel", "pause", "bot"])).0, Some(0));
    let (code, status) = told(&rig.command_as_it_is(&["status", "--check"]));
    assert_eq!(code, Some(1), "{status}");
    assert!(status.contains("were refused: "), "{status}");
    assert!(status.contains("channel bot: by hand"), "{status}");
    let metrics = rig.ask_socket("/metrics").await;
    for line in [
        "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8",
        "tidings_settings_stale 1.0",
        "tidings_store_up 1.0",
        "tidings_channel_halted{channel=\"bot\"} 1.0",
        "tidings_channel_up{channel=\"bot\"} 0.0",
        "tidings_source_failures{source=\"blog\"} 0.0",
    ] {
        assert!(metrics.contains(line), "no `{line}` in:\n{metrics}");
    }

    let copy = rig.path("copy.redb");
    let backup = ["backup", copy.to_str().unwrap()];
    let (code, words) = told(&rig.command_as_it_is(&backup));
    assert_eq!(code, Some(0), "{words}");
    assert!(words.contains("the running daemon's store"), "{words}");
    {
        let store = redb::open(&copy).unwrap();
        assert!(store.load_halt(&name("bot")).await.unwrap().is_some());
    }
    let (code, log) = daemon.terminate();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.trim_end().ends_with("stopped"), "{log}");

    // Nobody else may read what people told.
    let journal = rig.data().join("wire.journal");
    for (path, mode) in [
        (rig.data(), 0o700),
        (rig.store_file(), 0o600),
        (journal.clone(), 0o600),
        (copy.clone(), 0o600),
    ] {
        let found = path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{}", path.display());
    }

    // Without a daemon the settings are read, but no secret, and the journal is left alone.
    let (code, words) = told(&rig.command_as_it_is(&["status"]));
    assert_eq!(code, Some(78), "{words}");
    std::fs::write(rig.path("tidings.toml"), &lacking).unwrap();
    let before = (std::fs::read(&journal).unwrap(), journal.metadata().unwrap().ino());
    for args in [&["status"][..], &["posts"], &["channel", "resume", "bot"], &backup] {
        let (code, words) = told(&rig.command_as_it_is(args));
        assert_eq!(code, Some(0), "{args:?}: {words}");
    }
    assert_eq!((std::fs::read(&journal).unwrap(), journal.metadata().unwrap().ino()), before);
    let (code, words) = told(&rig.command_as_it_is(&["check"]));
    assert_eq!(code, Some(0), "{words}");
    assert!(words.contains("channels.bot.token: was not looked at"), "{words}");
    assert_eq!(told(&rig.command_as_it_is(&["run"])).0, Some(78));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_ill_channel_keeps_nobody_from_the_links_of_the_others() {
    let rig = Rig::new(telegram::Rules::default()).await;
    rig.telegram.revoke_token();
    let output = rig.command(&["qr", "news"]);
    assert_eq!(output.status.code(), Some(69));
    let links = String::from_utf8_lossy(&output.stdout);
    assert_eq!(links.lines().count(), 1, "{links}");
    assert!(links.contains(rig.messenger.page_id()), "{links}");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(words.contains("channel bot: the bot's name could not be asked for"), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_told_by_its_key() {
    let rig = Rig::new(telegram::Rules::default()).await;
    let _taken = std::net::TcpListener::bind(&rig.public).unwrap();
    let (code, log) = rig.launch().ended();
    assert_eq!(code, Some(74), "{log}");
    assert!(log.contains(&format!("`listen.public`: `{}`", rig.public)), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_looks_in_the_wrong_folder_makes_no_store() {
    let rig = Rig::new(telegram::Rules::default()).await;
    for args in [&["channel", "pause", "bot"][..], &["status"], &["backup", "copy.redb"]] {
        let (code, words) = told(&rig.command(args));
        assert_eq!(code, Some(69), "{args:?}: {words}");
        assert!(words.contains("no store at"), "{words}");
    }
    assert!(!rig.data().exists());
    let (code, words) = told(&rig.command(&["poll", "--all"]));
    assert_eq!(code, Some(0), "{words}");
    assert!(rig.store_file().exists());

    // What `run` would refuse, `check` refuses too, and tells it to programs.
    let settings = std::fs::read_to_string(rig.path("tidings.toml")).unwrap();
    let (folder, file) = (rig.data(), rig.path("token"));
    let below = settings.replace(folder.to_str().unwrap(), &format!("{}/x", file.display()));
    std::fs::write(rig.path("tidings.toml"), below).unwrap();
    let output = rig.command_as_it_is(&["check", "--json"]);
    assert_eq!(output.status.code(), Some(78));
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["problems"][0]["key"], "data_dir");
    assert_eq!(value["problems"][0]["line"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_by_hand_reaches_everybody_of_a_topic() {
    let rig = Rig::new(telegram::Rules::default()).await;
    let daemon = rig.start();
    let ada = rig.telegram.person(7, "en");
    ada.starts(None);
    soon("the welcome", ada.wait_inbox(1)).await;
    let args =
        ["send", "--text", "By hand", "--topic", "news", "--button", "Go=https://example.com/"];
    let dry = rig.command(&[&args[..], &["--dry-run"]].concat());
    assert!(String::from_utf8_lossy(&dry.stdout).contains("would go to 1 on bot"), "{dry:?}");
    assert!(rig.command(&args).status.success());
    let inbox = soon("the message", ada.wait_inbox(2)).await;
    assert!(inbox[1].text.contains("By hand"));
    let wrong = rig.command(&["send", "--text", "x", "--topic", "nwes"]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("no topic `nwes`"), "{wrong:?}");
    daemon.terminate();
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_c04_no_secret_is_in_any_output() {
    let rig = Rig::new(telegram::Rules::default()).await;
    let mut daemon_log = String::new();
    rig.telegram.faults().add(
        tidings::sandbox::fault::Trouble::new(tidings::sandbox::fault::Fault::html(502))
            .on("getUpdates")
            .times(1),
    );
    let daemon = rig.start();
    let ada = rig.telegram.person(7, "en");
    ada.starts(None);
    soon("the welcome", ada.wait_inbox(1)).await;
    rig.telegram.revoke_token();
    ada.says("hello");
    daemon_log.push_str(&daemon.wait_for("paused").join("\n"));
    let (_, rest) = daemon.terminate();
    daemon_log.push_str(&rest);
    for args in [&["status", "--json"][..], &["check"], &["posts"]] {
        let output = rig.command(args);
        daemon_log.push_str(&String::from_utf8_lossy(&output.stdout));
        daemon_log.push_str(&String::from_utf8_lossy(&output.stderr));
    }
    let secrets = [
        rig.telegram.token(),
        rig.messenger.page_token(),
        rig.messenger.app_secret(),
        "verify-me-please",
    ];
    for secret in secrets {
        assert!(!daemon_log.contains(secret), "a secret is in the output");
    }
}

fn posts(rig: &Rig) -> Vec<serde_json::Value> {
    let output = rig.command(&["posts", "--json"]);
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    value["posts"].as_array().cloned().unwrap_or_default()
}

/// A rig whose posts are to go as rich messages.
async fn rich_rig(rules: telegram::Rules) -> Rig {
    let mut rig = Rig::new(rules).await;
    rig.campaign_keys = "layout = \"long\"".to_owned();
    let folder = rig.path("layouts");
    std::fs::create_dir(&folder).unwrap();
    let layout = "<message overflow=\"rich\"><h1>{{ item.title }}</h1><p>{{ item.body }}</p>";
    std::fs::write(folder.join("long.html"), layout).unwrap();
    rig
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_article_is_one_rich_message() {
    let rig = rich_rig(telegram::Rules::default()).await;
    let daemon = rig.start();
    rig.baseline().await;
    let ada = rig.telegram.person(7, "en");
    ada.starts(None);
    soon("the welcome", ada.wait_inbox(1)).await;
    for title in ["First", "Second"] {
        rig.site.publish(title, &format!("<p>{}</p>", "word ".repeat(2000)));
    }
    let inbox = soon("both posts", ada.wait_inbox(3)).await;
    assert!(inbox[1..].iter().all(|message| message.rich.is_some()), "{inbox:?}");
    rig.site.publish("Last", ARTICLE);
    let inbox = soon("the next post", ada.wait_inbox(4)).await;
    assert_eq!(inbox.len(), 4, "nothing went instead of what was taken");
    assert_eq!(daemon.terminate().0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_rich_messages_are_known_plain_ones_go_and_it_is_remembered() {
    let rules = telegram::Rules { knows_rich: false, ..telegram::Rules::default() };
    let rig = rich_rig(rules).await;
    let daemon = rig.start();
    rig.baseline().await;
    let ada = rig.telegram.person(7, "en");
    ada.starts(None);
    soon("the welcome", ada.wait_inbox(1)).await;
    for (title, messages) in [("First", 4), ("Second", 7)] {
        rig.site.publish(title, &format!("<p>{}</p>", "word ".repeat(2000)));
        let inbox = soon("its messages", ada.wait_inbox(messages)).await;
        assert_eq!(inbox.len(), messages);
        assert!(inbox.iter().all(|message| message.rich.is_none()));
    }
    let requests = rig.telegram.ledger().requests();
    let asked = requests.iter().filter(|request| request.method == "sendRichMessage").count();
    assert_eq!(asked, 1, "a service that knows none is not asked again");
    let (code, log) = daemon.terminate();
    assert_eq!(code, Some(0), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layout_that_names_its_reader_is_set_for_each() {
    let mut rig = Rig::new(telegram::Rules::default()).await;
    let layouts = rig.path("layouts");
    std::fs::create_dir(&layouts).unwrap();
    let layout = "<p>{% include '_hello.html' %} {{ item.title }}</p>";
    std::fs::write(layouts.join("mine.html"), layout).unwrap();
    std::fs::write(layouts.join("mine.ro.html"), layout).unwrap();
    let hello = "Hello, reader of {{ subscriber.language or 'nothing' }}:";
    std::fs::write(layouts.join("_hello.html"), hello).unwrap();
    let salut = "Salut, cititor de {{ subscriber.language }}:";
    std::fs::write(layouts.join("_hello.ro.html"), salut).unwrap();
    rig.campaign_keys = "layout = \"mine\"".to_owned();
    rig.site.publish("Old news", ARTICLE);
    let daemon = rig.start();
    rig.baseline().await;
    let (ada, ion) = (rig.telegram.person(7, "en"), rig.telegram.person(8, "ro"));
    ada.starts(None);
    ion.starts(None);
    soon("a welcome", ada.wait_inbox(1)).await;
    soon("a welcome", ion.wait_inbox(1)).await;
    rig.site.publish("Fresh news", ARTICLE);
    let to_ada = soon("a post", ada.wait_inbox(2)).await;
    let to_ion = soon("a post", ion.wait_inbox(2)).await;
    assert_eq!(to_ada[1].text, "Hello, reader of en: Fresh news");
    assert_eq!(to_ion[1].text, "Salut, cititor de ro: Fresh news");
    let (code, log) = daemon.terminate();
    assert_eq!(code, Some(0), "{log}");
}
