//! Whom posts go to, and posts written by hand, through the real binary and over real sockets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "it shows and fails as a test does"
)]

mod rig;

use std::time::Duration;

use rig::{Rig, name, person, soon};
use serde_json::{Value, json};
use tidings::model::subscriber::{Standing, Subscriber};
use tidings::sandbox::telegram;

const WORDS: &str = "<p>Words for everybody.</p>";
const CHANNEL: i64 = -1_001_000;
const FORUM: i64 = -1_002_000;
const GROUP: i64 = -5_000;

/// A rig that sends on Telegram alone, with a channel, a forum and a group of the bot.
async fn rig() -> Rig {
    let mut rig = Rig::new(telegram::Rules::default()).await;
    rig.campaign_keys = "channels = [\"bot\"]\n".to_owned();
    rig.extra = "[topics.shoes]\n".to_owned();
    rig.telegram.open_channel(CHANNEL, "@tidings_news");
    rig.telegram.open_forum(FORUM, [5]);
    rig.telegram.open_group(GROUP);
    rig.site.publish("Old news", WORDS);
    rig
}

/// Ten who speak Romanian and ten who speak English, every other one of both for shoes; one
/// stopped.
async fn people(rig: &Rig) {
    let mut all: Vec<Subscriber> = (1..=20)
        .map(|id| {
            let language = Some(if id <= 10 { "ro" } else { "en" }.to_owned());
            let mut topics = vec![name("news")];
            if id % 2 == 0 {
                topics.push(name("shoes"));
            }
            Subscriber { language, topics, ..person(id) }
        })
        .collect();
    all.push(Subscriber { standing: Standing::Stopped, ..person(21) });
    rig.import("bot", all).await;
    rig.telegram.open_chats(1..=21);
}

fn json_of(rig: &Rig, args: &[&str]) -> Value {
    let output = rig.command(&[args, &["--json"]].concat());
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn said(rig: &Rig, args: &[&str]) -> String {
    let output = rig.command(args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn refused(rig: &Rig, args: &[&str], code: i32) -> String {
    let output = rig.command(args);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// Who has a message with these words, in the order of their numbers.
fn readers(rig: &Rig, words: &str) -> Vec<i64> {
    let accepted = rig.telegram.ledger().accepted();
    let told = accepted.iter().filter(|one| one.text().is_some_and(|text| text.contains(words)));
    let mut readers: Vec<i64> = told.filter_map(|one| one.address.parse().ok()).collect();
    readers.sort_unstable();
    readers
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    soon(what, async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_goes_to_whom_its_audience_means_and_to_its_chats() {
    let mut rig = rig().await;
    rig.campaign_keys.push_str(
        "audience = \"language == 'ro' and 'shoes' in topics\"\n\
         chats = [\"@tidings_news\", { chat = -1002000, thread = 5 }, -5000]\n",
    );
    people(&rig).await;
    let shown = said(&rig, &["check"]);
    assert!(shown.contains("audience language == 'ro' and 'shoes' in topics"), "{shown}");
    assert!(shown.contains("and to bot/@tidings_news, bot/-1002000/5, bot/-5000"), "{shown}");
    let dry = json_of(&rig, &["posts", "audience", "blog"]);
    assert_eq!(dry["recipients"], json!({ "bot": 8 }), "{dry}");
    assert_eq!(dry["languages"], json!({ "bot": { "ro": 5 } }));
    assert_eq!(dry["left_out"], json!({ "bot": { "audience": 15, "stopped": 1 } }));
    assert_eq!(dry["sample"].as_array().unwrap().len(), 5);

    let daemon = rig.start();
    rig.baseline().await;
    rig.site.publish("First news", WORDS);
    let expected = [FORUM, CHANNEL, GROUP, 2, 4, 6, 8, 10];
    until("the first post", || readers(&rig, "First news").len() == 8).await;
    assert_eq!(readers(&rig, "First news"), expected);
    let in_topic = rig.telegram.ledger().accepted_for(FORUM);
    assert_eq!(
        in_topic[0].body.as_ref().unwrap()["message_thread_id"].to_string().trim_matches('"'),
        "5"
    );
    let why = said(&rig, &["why", "First news", "bot/1"]);
    assert!(why.contains("the campaign's audience does not mean them: language == 'ro'"), "{why}");
    // The chats are no subscribers, and stay the same over posts.
    assert_eq!(json_of(&rig, &["status"])["channels"]["bot"]["subscribers"]["active"], 20);

    // The group becomes a supergroup: it is followed, though the settings name its old number.
    let moved = -1_003_000;
    rig.telegram.open_group(moved);
    rig.telegram.set_standing(GROUP, telegram::Standing::Moved(moved));
    rig.site.publish("Second news", WORDS);
    until("the second post", || readers(&rig, "Second news").len() == 8).await;
    assert!(readers(&rig, "Second news").contains(&moved));
    let refusals = || rig.telegram.ledger().statuses().get(&400).copied().unwrap_or(0);
    let before = refusals();
    assert_eq!(daemon.terminate().0, Some(0));
    let daemon = rig.start();
    rig.site.publish("Third news", WORDS);
    until("the third post", || readers(&rig, "Third news").len() == 8).await;
    assert_eq!(refusals(), before, "the new number is known");
    assert_eq!(daemon.terminate().0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_says_who_would_get_it_and_why_others_not() {
    let rig = rig().await;
    people(&rig).await;
    let args = ["send", "--text", "Hello", "--topic", "shoes", "--audience", "language == 'en'"];
    let dry = json_of(&rig, &[&args[..], &["--dry-run", "--channel", "bot"]].concat());
    assert_eq!(dry["recipients"], json!({ "bot": 5 }), "{dry}");
    assert_eq!(dry["total"], 5);
    let left_out = json!({ "bot": { "audience": 5, "other-topics": 10, "stopped": 1 } });
    assert_eq!(dry["left_out"], left_out);
    let words = said(&rig, &[&args[..], &["--dry-run", "--channel", "bot"]].concat());
    assert!(words.starts_with("would go to 5 on bot, at "), "{words}");
    assert!(words.contains("bot, by language: 5 en"), "{words}");
    assert!(words.contains("5 whom the audience does not mean"), "{words}");
    assert!(words.contains("for example: bot/12 (en), bot/14 (en)"), "{words}");

    for (expression, told) in [
        ("langauge == 'en'", "`langauge` is unknown; did you mean `language`?"),
        ("'shoe' in topics", "there is no topic `shoe`; did you mean `shoes`?"),
        ("days", "must be true or false, but gives a number"),
    ] {
        let words = refused(&rig, &["send", "--text", "x", "--audience", expression], 1);
        assert!(words.contains(told), "{words}");
    }
    let past =
        refused(&rig, &["send", "--text", "x", "--at", "2020-01-01 09:00 Europe/Bucharest"], 2);
    assert!(past.contains("is past: it is 2"), "{past}");
    let gap = ["send", "--text", "x", "--at", "2037-03-29 03:30 Europe/Bucharest", "--dry-run"];
    let output = rig.command(&gap);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("skipped when the clocks change: it is 2037-03-29 04:30"), "{told}");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(told.contains("at 2037-03-29 04:30 Europe/Bucharest (2037-03-29T01:30:00Z)"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_its_time_is_listed_moved_and_cancelled() {
    let rig = rig().await;
    people(&rig).await;
    let at = ["--at", "2036-12-01 09:00 Europe/Bucharest", "--channel", "bot"];
    let send = |text: &str| {
        let kept = json_of(&rig, &[&["send", "--text", text][..], &at].concat());
        kept["draft"].as_u64().unwrap().to_string()
    };
    let daemon = rig.start();
    let (first, second) = (send("First words"), send("Second words"));
    let listed = json_of(&rig, &["posts", "list"]);
    let rows = listed["scheduled"].as_array().unwrap();
    assert_eq!(rows.len(), 2, "{listed}");
    assert_eq!(rows[0]["title"], "First words");
    assert_eq!(rows[0]["at"], "2036-12-01T07:00:00Z");
    let shown = said(&rig, &["posts", "show", &first]);
    assert!(shown.contains("First words") && shown.contains("would go to 20"), "{shown}");

    assert_eq!(
        said(&rig, &["posts", "cancel", &second]),
        format!("draft {second}: cancelled, it is never sent\n")
    );
    assert!(refused(&rig, &["posts", "cancel", &second], 1).contains("no post"));
    let changed =
        said(&rig, &["posts", "change", &first, "--at", "2036-12-02 09:00 Europe/Bucharest"]);
    let at = "2036-12-02 09:00 Europe/Bucharest (2036-12-02T07:00:00Z)";
    assert_eq!(changed, format!("draft {first}: at {at}\n"));
    assert_eq!(daemon.terminate().0, Some(0));

    // It is still there after a restart, goes out at its time, and then once.
    let daemon = rig.start();
    let soon_at = tidings::runtime::clock::Clock::system().now() + Duration::from_secs(2);
    said(&rig, &["posts", "change", &format!("d{first}"), "--at", &soon_at.to_string()]);
    until("it is sent", || readers(&rig, "First words").len() == 20).await;
    assert_eq!(json_of(&rig, &["posts", "list"])["scheduled"], json!([]));
    assert!(
        refused(&rig, &["posts", "change", &first, "--at", "2036-12-02 09:00"], 1)
            .contains("no post and no draft")
    );
    assert_eq!(readers(&rig, "Second words"), [0_i64; 0]);
    assert_eq!(daemon.terminate().0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_by_hand_may_be_set_in_a_layout_and_goes_to_chats_alone() {
    let rig = rig().await;
    people(&rig).await;
    let daemon = rig.start();
    said(
        &rig,
        &[
            "send",
            "--layout",
            "article",
            "--title",
            "We moved",
            "--text",
            "To the other side.",
            "--link",
            "https://example.com/moved",
            "--channel",
            "bot",
            "--audience",
            "false",
            "--chat",
            "@tidings_news",
            "--priority",
            "high",
        ],
    );
    until("it is there", || readers(&rig, "We moved") == [CHANNEL]).await;
    let post = json_of(&rig, &["posts"])["posts"][0].clone();
    assert_eq!((&post["title"], &post["priority"]), (&"We moved".into(), &"high".into()));
    assert_eq!(post["counts"]["planned"], 1, "{post}");
    assert!(
        refused(&rig, &["send", "--layout", "artcle", "--title", "x"], 2)
            .contains("no layout `artcle`")
    );
    assert!(refused(&rig, &["send", "--text", "x", "--chat", "news"], 2).contains("it is no chat"));
    assert_eq!(daemon.terminate().0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_plans_its_post_once_and_follows_its_changes() {
    let rig = rig().await;
    people(&rig).await;
    std::fs::create_dir(rig.path("posts")).unwrap();
    let write = |file: &str, at: &str, text: &str| {
        let text = format!(
            "at = \"{at}\"\ntext = \"{text}\"\nchannels = [\"bot\"]\ntopics = [\"shoes\"]\n"
        );
        std::fs::write(rig.path("posts").join(file), text).unwrap();
    };
    let later = "2036-12-01 09:00 Europe/Bucharest";
    write("opening.toml", later, "We open");
    write("sale.toml", later, "On sale");
    write("old.toml", "2020-12-01 09:00", "Long ago");
    assert!(
        said(&rig, &["check"])
            .contains("old.toml: `Long ago` at 2020-12-01T09:00:00Z, which is past")
    );
    let daemon = rig.start();
    let titles = || -> Vec<String> {
        let listed = json_of(&rig, &["posts", "list"]);
        let rows = listed["scheduled"].as_array().unwrap().clone();
        rows.iter().map(|row| row["title"].as_str().unwrap().to_owned()).collect()
    };
    until("they are planned", || titles() == ["We open", "On sale"]).await;

    // Changed, removed, left alone: taken up with the settings.
    write("opening.toml", later, "We open late");
    std::fs::remove_file(rig.path("posts").join("sale.toml")).unwrap();
    daemon.signal("HUP");
    // A command writes the settings anew.
    daemon.wait_for("took up the changed settings");
    until("the change is taken up", || titles() == ["We open late"]).await;

    // At its time it goes to those whom it is for, once, over a kill and restarts.
    let soon_at = tidings::runtime::clock::Clock::system().now() + Duration::from_secs(3);
    write("opening.toml", &soon_at.to_string(), "We open now");
    daemon.signal("HUP");
    // A command writes the settings anew.
    daemon.wait_for("took up the changed settings");
    until("the time is taken up", || titles() == ["We open now"]).await;
    daemon.kill();
    let daemon = rig.start();
    until("it is sent", || readers(&rig, "We open now").len() == 10).await;
    assert_eq!(daemon.terminate().0, Some(0));
    write("opening.toml", later, "We open again");
    let daemon = rig.launch();
    daemon.wait_for("nothing comes of it");
    assert_eq!(titles(), [""; 0]);
    assert_eq!(readers(&rig, "We open").len(), 10);
    assert_eq!(readers(&rig, "Long ago"), [0_i64; 0]);
    assert_eq!(daemon.terminate().0, Some(0));

    std::fs::write(rig.path("posts").join("wrong.toml"), "at = \"soon\"\nbuton = []\n").unwrap();
    let words = refused(&rig, &["check"], 78);
    for told in
        ["posts/wrong.toml:1:6: at: `soon` is no date", "posts/wrong.toml:2:1: buton: unknown key"]
    {
        assert!(words.contains(told), "{words}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_subscribes_while_a_post_is_on_its_way_gets_it_where_that_is_wanted() {
    let mut rig = rig().await;
    rig.telegram_keys = "rate = 20\nin_flight = 4\n".to_owned();
    rig.campaign_keys.push_str("late_joiners = \"include\"\naudience = \"language == 'ro'\"\n");
    let crowd = (100..=200).map(|id| Subscriber { language: Some("ro".into()), ..person(id) });
    rig.import("bot", crowd.collect()).await;
    rig.telegram.open_chats(100..=200);
    let daemon = rig.start();
    rig.baseline().await;
    rig.site.publish("Late news", WORDS);
    until("it is on its way", || readers(&rig, "Late news").len() >= 3).await;
    let (ion, john) = (rig.telegram.person(7, "ro"), rig.telegram.person(8, "en"));
    ion.starts(None);
    john.starts(None);
    until("all have it", || readers(&rig, "Late news").len() == 102).await;
    assert!(readers(&rig, "Late news").contains(&7), "Ion has it too");
    let report = json_of(&rig, &["report", "1", "--follow"])["posts"][0].clone();
    assert_eq!(
        (&report["counts"]["planned"], &report["counts"]["sent"]),
        (&102.into(), &102.into())
    );
    assert_eq!(report["channels"].as_object().map(|all| all.len()), Some(1), "{report}");
    let why = said(&rig, &["why", "Late news", "bot/7"]);
    assert!(why.contains("post 1: sent at 2"), "{why}");

    // It is over: who comes now does not get it.
    let ana = rig.telegram.person(9, "ro");
    ana.starts(None);
    soon("the welcome", ana.wait_inbox(1)).await;
    rig.site.publish("Next news", WORDS);
    until("the next", || readers(&rig, "Next news").len() == 103).await;
    assert_eq!(readers(&rig, "Late news").len(), 102);
    assert_eq!(daemon.terminate().0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn reviewers_get_it_first_and_decide_by_a_button() {
    let mut rig = rig().await;
    rig.top_keys = "reviewers = [77]\n".to_owned();
    rig.campaign_keys.push_str("review = true\n");
    people(&rig).await;
    rig.telegram.open_chats([77, 78]);
    let (reviewer, stranger) = (rig.telegram.person(77, "en"), rig.telegram.person(78, "en"));
    let daemon = rig.start();
    rig.baseline().await;
    rig.site.publish("First news", WORDS);
    let shown = soon("the reviewer has it", reviewer.wait_inbox(2)).await;
    assert!(shown[0].text.contains("First news"), "{shown:?}");
    assert!(shown[1].text.contains("To be looked at: draft 1 of blog."), "{shown:?}");
    let waiting = said(&rig, &["posts", "waiting"]);
    assert!(waiting.contains("to be looked at, sent to its reviewers as post 1"), "{waiting}");
    assert_eq!(readers(&rig, "First news"), [77]);

    // It is shown once, over a restart too.
    assert_eq!(daemon.terminate().0, Some(0));
    let daemon = rig.start();
    let button = shown[1].button("Send it").unwrap().to_owned();
    assert_eq!(stranger.taps(shown[1].message_id, &button), None, "it is not in their chat");
    reviewer.taps(shown[1].message_id, &button).unwrap();
    until("all have it", || readers(&rig, "First news").len() == 21).await;
    let said_back = soon("a word", reviewer.wait_inbox(3)).await;
    assert_eq!(said_back[2].text, "Draft 1 is let go.");
    reviewer.taps(shown[1].message_id, &button).unwrap();
    let again = soon("another", reviewer.wait_inbox(4)).await;
    assert_eq!(again[3].text, "Draft 1 does not wait any more.");

    rig.site.publish("Second news", WORDS);
    let shown = soon("the next", reviewer.wait_inbox(6)).await;
    let button = shown[5].button("Never send it").unwrap().to_owned();
    reviewer.taps(shown[5].message_id, &button).unwrap();
    until("nothing waits", || said(&rig, &["posts", "waiting"]) == "nothing waits\n").await;
    assert_eq!(readers(&rig, "Second news"), [77]);
    assert_eq!(daemon.terminate().0, Some(0));
}
