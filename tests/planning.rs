//! When campaigns send, and what: through the real binary and over real sockets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "it shows and fails as a test does"
)]

mod rig;

use rig::{Rig, soon};
use serde_json::Value;
use tidings::sandbox::telegram;

const WORDS: &str = "<p>Words for everybody.</p>";

/// A rig with one reader on Telegram.
async fn rig(campaign_keys: &str) -> Rig {
    let mut rig = Rig::new(telegram::Rules::default()).await;
    rig.campaign_keys = format!("channels = [\"bot\"]\n{campaign_keys}\n");
    rig.subscribe("bot", 1..=1).await;
    rig.telegram.open_chats(1..=1);
    rig.site.publish("Old news", WORDS);
    rig
}

/// What a command prints as JSON.
fn json(rig: &Rig, args: &[&str]) -> Value {
    let output = rig.command(&[args, &["--json"]].concat());
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn said(rig: &Rig, args: &[&str]) -> String {
    let output = rig.command(args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The drafts that wait.
fn waiting(rig: &Rig) -> Vec<Value> {
    json(rig, &["posts", "waiting"])["drafts"].as_array().cloned().unwrap_or_default()
}

/// The texts of all messages that arrived.
fn arrived(rig: &Rig) -> Vec<String> {
    let accepted = rig.telegram.ledger().accepted();
    accepted.iter().filter_map(|one| one.text().map(str::to_owned)).collect()
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    soon(what, async {
        while !holds() {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_digest_waits_for_enough_over_a_restart_and_leaves_out_what_is_not_wanted() {
    let rig = rig("when = '''not item.title is matching('(?i)sponsored')'''\n\
         send = { digest = \"*/2 * * * * *\", min_items = 3 }")
    .await;
    let daemon = rig.start();
    rig.baseline().await;
    rig.site.publish("First news", WORDS);
    rig.site.publish("SPONSORED news", WORDS);
    daemon.wait_for("a campaign does not want items");
    daemon.wait_for("too little for a digest yet");
    rig.site.publish("Second news", WORDS);
    until("two drafts", || waiting(&rig).len() == 2).await;
    assert!(said(&rig, &["status"]).contains("drafts waiting: 2"));
    daemon.kill();

    let daemon = rig.start();
    rig.site.publish("Third news", WORDS);
    until("the digest", || !arrived(&rig).is_empty()).await;
    let told = arrived(&rig);
    assert_eq!(told.len(), 1, "{told:?}");
    for title in ["First news", "Second news", "Third news"] {
        assert!(told[0].contains(title), "{told:?}");
    }
    until("nothing waits", || waiting(&rig).is_empty()).await;
    let why = said(&rig, &["why", "SPONSORED news"]);
    assert!(why.contains("does not want it: when = not item.title is matching"), "{why}");
    let why = said(&rig, &["why", "First news"]);
    assert!(why.contains("too little for a digest of 3 items"), "{why}");
    let (code, log) = daemon.terminate();
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(arrived(&rig).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_reviewed_waits_for_the_word() {
    let rig = rig("review = true\nlayout = \"plain\"").await;
    let daemon = rig.start();
    rig.baseline().await;
    rig.site.publish("Good news", WORDS);
    until("it waits", || waiting(&rig).len() == 1).await;
    rig.site.publish("Bad news", WORDS);
    until("both wait", || waiting(&rig).len() == 2).await;
    let drafts = waiting(&rig);
    assert!(drafts.iter().all(|draft| draft["held"] == "review"), "{drafts:?}");
    assert_eq!(drafts[0]["titles"][0], "Good news");
    assert!(said(&rig, &["status"]).contains("to be looked at: 2 drafts"));
    assert!(said(&rig, &["flood", "list"]).contains("nothing is held"));

    let id = |at: usize| drafts[at]["id"].to_string();
    assert!(said(&rig, &["posts", "drop", &id(1)]).contains("1 draft dropped"));
    assert!(said(&rig, &["posts", "release", &id(0)]).contains("1 draft released"));
    until("the good news", || !arrived(&rig).is_empty()).await;
    let again = rig.command(&["posts", "release", "blog"]);
    assert_eq!(again.status.code(), Some(1));
    daemon.terminate();
    let told = arrived(&rig);
    assert!(told.len() == 1 && told[0].contains("Good news"), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_outside_of_the_window_waits_for_its_opening() {
    let hour = tidings::runtime::clock::Clock::system().now().as_millis() / 3_600_000 % 24;
    let opens = (hour + 3).rem_euclid(24);
    let rig = rig(&format!("window = \"{opens:02}:30-{opens:02}:45\"")).await;
    let daemon = rig.start();
    rig.baseline().await;
    rig.site.publish("Fresh news", WORDS);
    until("it waits", || waiting(&rig).len() == 1).await;
    let due = waiting(&rig)[0]["due"].as_str().unwrap().to_owned();
    assert!(due.contains(&format!("T{opens:02}:30:00")), "{due}");
    daemon.terminate();
    assert_eq!(arrived(&rig), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_cannot_be_are_told_and_the_others_explained() {
    let wrong = rig(
        "when = \"item.tite == 'x'\"\nsend = { digest = \"0 9 * *\", timezone = \"subscribers\", \
         min = 3 }\nwindow = \"8-21\"",
    )
    .await;
    let output = wrong.command(&["check"]);
    assert_eq!(output.status.code(), Some(78));
    let told = String::from_utf8(output.stderr).unwrap();
    for words in [
        "campaigns.blog.when: no field `item.tite`; did you mean `item.title`?",
        "campaigns.blog.send.digest: a cron line has 5, 6 or 7 fields, this one has 4",
        "campaigns.blog.send.timezone: there is no time zone `subscribers`",
        "did you mean `subscriber`?",
        "campaigns.blog.send.min: unknown key",
        "campaigns.blog.window: must be two times of the day, such as `08:00-21:00`, got `8-21`",
    ] {
        assert!(told.contains(words), "no `{words}` in:\n{told}");
    }
    let mut readers =
        rig("send = { digest = \"9:30\", timezone = \"subscriber\" }\nwindow = \"08:00-21:00\"")
            .await;
    readers.top_keys = "timezone = \"Europe/Chisinau\"\nquiet = \"22:00-07:00\"".to_owned();
    let told = said(&readers, &["check"]);
    let timing = "a digest at `0 30 9 * * *` on each reader's own clock of at most 10 items, \
                  08:00-21:00 on each reader's own clock, quiet 22:00-07:00 on each reader's own \
                  clock, where none is told in Europe/Chisinau";
    assert!(told.contains(timing), "{told}");
    let mut right = rig("when = \"'a' in item.tags\"\nsend = { digest = \"9:30\" }").await;
    right.top_keys = "timezone = \"Europe/Chisinau\"\nquiet = \"22:00-07:00\"".to_owned();
    let told = said(&right, &["check"]);
    let timing = "a digest at `0 30 9 * * *` in Europe/Chisinau of at most 10 items, quiet \
                  22:00-07:00 in Europe/Chisinau";
    assert!(told.contains(timing) && told.contains("when 'a' in item.tags"), "{told}");
    assert_eq!(json(&right, &["check"])["timing"]["blog"], timing);
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_tell_their_clocks_in_the_chat_and_get_the_digest_by_them() {
    let rig = rig("send = { digest = \"* * * * * *\", timezone = \"subscriber\" }").await;
    let daemon = rig.start();
    rig.baseline().await;
    let ana = rig.telegram.person(70, "en");
    ana.starts(Some("news"));
    soon("the welcome", ana.wait_inbox(1)).await;
    ana.says("/timezone Kiritimati");
    soon("the answer", ana.wait_inbox(2)).await;
    let told = arrived(&rig);
    assert!(told[0].contains("/timezone Bucharest"), "{told:?}");
    assert!(told[1].contains("Your clock is that of Pacific/Kiritimati: it is "), "{told:?}");

    // Every second is an hour of theirs: for her it is the next one, elsewhere it comes much later.
    rig.site.publish("Fresh news", WORDS);
    until("hers", || arrived(&rig).iter().any(|text| text.contains("Fresh news"))).await;
    let posts = json(&rig, &["report", "blog"])["posts"].as_array().cloned().unwrap();
    assert_eq!(posts.len(), 2, "{posts:?}");
    let words = |at: usize| posts[at]["clocks"]["words"].as_str().unwrap_or_default().to_owned();
    assert!(words(0).contains("in UTC: 1 person, at "), "{posts:?}");
    assert!(words(1).contains("in Pacific/Kiritimati: 1 person, at "), "{posts:?}");
    assert_eq!(
        (&posts[0]["state"], &posts[0]["counts"]["waiting"]),
        (&"running".into(), &1.into())
    );
    assert!(
        said(&rig, &["report", &posts[0]["id"].to_string()])
            .contains("waits for its readers' hour")
    );
    assert!(said(&rig, &["status"]).contains("waits for its readers' hour: post "));
    assert!(said(&rig, &["posts"]).contains("in UTC: 1 person"));
    assert!(said(&rig, &["posts", "audience", "blog"]).contains("in Pacific/Kiritimati: 1 person"));
    let why = said(&rig, &["why", "Fresh news", "70"]);
    assert!(why.contains("it goes to people whose clocks go otherwise"), "{why}");
    let why = said(&rig, &["why", "Fresh news", "1"]);
    assert!(why.contains("on their clock"), "{why}");

    // A word on one of them is a word on that one.
    let id = posts[0]["id"].to_string();
    assert!(said(&rig, &["posts", "cancel", &format!("p{id}")]).contains("1"));
    let ended = json(&rig, &["report", "blog"]);
    assert_eq!(ended["total"]["counts"]["skipped"], 1);
    assert_eq!(ended["total"]["counts"]["sent"], 1);
    let (code, log) = daemon.terminate();
    assert_eq!(code, Some(0), "{log}");
}
