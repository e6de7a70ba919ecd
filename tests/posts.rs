//! Posts under the admins' control, through the real binary and over real sockets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "it shows and fails as a test does"
)]

#[path = "poll/site.rs"]
#[allow(dead_code, reason = "this test binary uses its part")]
mod site;

mod rig;

use rig::{Rig, soon};
use serde_json::Value;
use site::{Site, feed, status};
use tidings::sandbox::fault::Trouble;
use tidings::sandbox::telegram;

const WORDS: &str = "<p>Words for everybody.</p>";
/// Requests under way at once, and a quarter of a second's worth that may be claimed ahead.
const AHEAD: usize = 16 + 50;

/// A rig that sends 200 messages a second to `people` on Telegram alone.
async fn rig(people: i64) -> Rig {
    let mut rig = Rig::new(telegram::Rules::default()).await;
    rig.telegram_keys = "rate = 200\nin_flight = 16\n".to_owned();
    rig.campaign_keys = "channels = [\"bot\"]\n".to_owned();
    rig.subscribe("bot", 1..=people).await;
    rig.telegram.open_chats(1..=people);
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

/// The words of a command that says no, with exit code 1.
fn refused(rig: &Rig, args: &[&str]) -> String {
    let output = rig.command(args);
    assert_eq!(output.status.code(), Some(1), "{args:?}: {output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// How many messages with these words arrived.
fn arrived(rig: &Rig, words: &str) -> usize {
    let accepted = rig.telegram.ledger().accepted();
    accepted.iter().filter(|one| one.text().is_some_and(|text| text.contains(words))).count()
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    soon(what, async {
        while !holds() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_post_rests_over_a_restart_while_others_go() {
    let rig = rig(1_000).await;
    let daemon = rig.start();
    rig.baseline().await;
    rig.site.publish("First news", WORDS);
    until("the post is on its way", || arrived(&rig, "First news") >= 50).await;
    let paused = json(&rig, &["posts", "pause", "1", "--reason", "a typo"]);
    assert!(paused["recipients"].as_u64().unwrap() > 0, "{paused}");
    let counts = || json(&rig, &["posts"])["posts"][0]["counts"].clone();
    until("what was in flight is home", || counts()["in_flight"] == 0).await;
    let before = counts();
    assert_eq!(before["sent"], arrived(&rig, "First news"));

    rig.site.publish("Second news", WORDS);
    until("the second post is done", || arrived(&rig, "Second news") == 1_000).await;
    let first = json(&rig, &["report", "1"])["posts"][0].clone();
    assert_eq!((&first["counts"], &first["state"]), (&before, &"paused".into()));
    assert_eq!(first["seconds_left"], Value::Null);
    daemon.kill();

    let daemon = rig.start();
    rig.baseline().await;
    rig.site.publish("Third news", WORDS);
    until("the third post is done", || arrived(&rig, "Third news") == 1_000).await;
    assert!(said(&rig, &["posts"]).contains("paused: a typo; `tidings posts resume 1` goes on"));
    assert!(said(&rig, &["status"]).contains("paused: post 1: a typo"));
    assert_eq!(daemon.terminate().0, Some(0));
    assert!(refused(&rig, &["posts", "resume", "2"]).contains("post 2: it is not paused"));
    let resumed = rig.command(&["posts", "resume", "1"]);
    assert!(String::from_utf8_lossy(&resumed.stderr).contains("no daemon is running"));

    let daemon = rig.start();
    let report = json(&rig, &["report", "1", "--follow"])["posts"][0].clone();
    assert_eq!(report["state"], "finished");
    let sent = report["counts"]["sent"].as_u64().unwrap();
    let doubtful = report["counts"]["uncertain"].as_u64().unwrap();
    assert_eq!(sent + doubtful, 1_000, "{report}");
    let copies = rig.telegram.ledger().counts();
    assert!(copies.len() == 1_000 && copies.values().all(|copies| *copies <= 3), "nobody twice");
    assert_eq!(daemon.terminate().0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_urgent_post_overtakes_a_big_one_and_a_cancelled_one_ends() {
    let mut rig = rig(1_500).await;
    let site = Site::open("127.0.1.1").await;
    let url = site.url("/feed");
    rig.extra = format!(
        "[sources.alerts]\nurl = \"{url}\"\nevery = \"1s\"\n\
         [campaigns.alerts]\nsources = [\"alerts\"]\nchannels = [\"bot\"]\npriority = \"high\"\n"
    );
    site.say("/feed", status(200, &[], &feed(&["calm"])));
    let daemon = rig.start();
    rig.baseline().await;
    soon("the baseline", site.wait_for("/feed", 2)).await;
    rig.site.publish("Big news", WORDS);
    until("the big post is on its way", || arrived(&rig, "Big news") >= 50).await;
    site.say("/feed", status(200, &[], &feed(&["alert", "calm"])));
    until("the alert is done", || arrived(&rig, "alert") == 1_500).await;
    let accepted = rig.telegram.ledger().accepted();
    let is_alert = |at: &usize| accepted[*at].text().is_some_and(|text| text.contains("alert"));
    let first = (0..accepted.len()).find(is_alert).unwrap();
    let last = (0..accepted.len()).rfind(is_alert).unwrap();
    let between = last + 1 - first - 1_500;
    assert!(between <= AHEAD, "{between} of the big post came between");
    assert!(said(&rig, &["posts"]).contains("priority: high"));

    let words = said(&rig, &["posts", "cancel", "1", "--reason", "old by now"]);
    assert!(words.starts_with("post 1: cancelled, "), "{words}");
    let report = || json(&rig, &["report", "1"])["posts"][0].clone();
    until("it is over", || report()["finished"].is_string()).await;
    let report = report();
    assert_eq!((&report["state"], &report["stopped"]), (&"stopped".into(), &"old by now".into()));
    let (sent, skipped) = (&report["counts"]["sent"], &report["skipped"]["post-stopped"]);
    assert_eq!(sent.as_u64().unwrap() + skipped.as_u64().unwrap(), 1_500, "{report}");
    assert_eq!(sent.as_u64().unwrap(), arrived(&rig, "Big news") as u64);
    assert!(refused(&rig, &["posts", "resume", "1"]).contains("stopped: old by now"));
    let why = said(&rig, &["why", "Big news", "bot/1500"]);
    assert!(why.contains("skipped, because the post was stopped: old by now"), "{why}");
    assert_eq!(daemon.terminate().0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_failed_is_tried_again_and_everybody_is_accounted_for() {
    let rig = rig(20).await;
    let daemon = rig.start();
    rig.baseline().await;
    let ada = rig.telegram.person(7, "en");
    rig.telegram.set_standing(8, telegram::Standing::Blocked);
    for chat in [3, 4] {
        let why = "Bad Request: not enough rights to send text messages to the chat";
        let refusal = telegram::refusal(400, why);
        rig.telegram.faults().add(Trouble::new(refusal).on("sendMessage").to(chat).times(1));
    }
    rig.site.publish("Fresh news", WORDS);
    let report = || json(&rig, &["report", "1", "--follow"])["posts"][0].clone();
    until("the post", || arrived(&rig, "Fresh news") == 17).await;
    let first = report();
    assert_eq!(first["failed"], serde_json::json!({ "blocked": 1, "not-allowed": 2 }));
    assert_eq!((&first["counts"]["planned"], &first["counts"]["sent"]), (&20.into(), &17.into()));
    let why = said(&rig, &["why", "fresh", "8"]);
    assert!(why.contains("post 1: failed at ") && why.contains("they have blocked us"), "{why}");

    let no = refused(&rig, &["posts", "retry-failed", "1", "--reason", "blocked"]);
    assert!(no.contains("they are not tried again"), "{no}");
    assert_eq!(said(&rig, &["posts", "retry-failed", "1"]), "post 1: 2 wait again\n");
    until("the two have it", || arrived(&rig, "Fresh news") == 19).await;
    let second = report();
    assert_eq!(second["failed"], serde_json::json!({ "blocked": 1 }));
    assert_eq!(second["counts"]["sent"], 19);

    ada.says("stop");
    soon("the goodbye", ada.wait_inbox(2)).await;
    until("it is counted", || report()["left_within_48h"] == 1).await;
    let why = said(&rig, &["why", "Fresh news", "bot/7"]);
    assert!(why.contains("became part of post 1") && why.contains("post 1: sent at 2"), "{why}");
    rig.site.publish("Last news", WORDS);
    until("the next post", || arrived(&rig, "Last news") == 18).await;
    let why = said(&rig, &["why", "Last news", "7"]);
    assert!(why.contains("post 2: not for them: they said stop at "), "{why}");

    // All of the campaign: a sum, a line for a spreadsheet, and no such campaign.
    let all = json(&rig, &["report", "blog"]);
    assert_eq!(all["total"]["counts"]["planned"], 38, "{all}");
    let csv = said(&rig, &["report", "blog", "--csv"]);
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 3, "{csv}");
    assert!(lines[2].starts_with("1,blog,Fresh news,finished,"), "{csv}");
    assert!(refused(&rig, &["report", "blgo"]).contains("no campaign `blgo`; there is `blog`"));
    assert!(refused(&rig, &["report", "99"]).contains("no post 99"));
    let unknown = refused(&rig, &["why", "Never heard of"]);
    assert!(unknown.contains("nothing is known of `Never heard of`"), "{unknown}");
    assert!(refused(&rig, &["why", "Fresh news", "bot/99"]).contains("no subscriber `bot/99`"));
    let posts = rig.site.posts();
    let old = posts.iter().find(|post| post.title == "Old news").unwrap();
    let why = said(&rig, &["why", &format!("{}/posts/{}", rig.site.url(), old.number)]);
    assert!(why.contains("source `blog` knows it"), "{why}");
    assert_eq!(daemon.terminate().0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollout_stops_by_itself_when_its_first_stage_goes_wrong() {
    let mut rig = rig(200).await;
    rig.campaign_keys.push_str("stages = [\"5%\", \"100%\"]\nstage_wait = \"1s\"\n");
    let daemon = rig.start();
    rig.baseline().await;
    rig.site.publish("Fine news", WORDS);
    until("all have it", || arrived(&rig, "Fine news") == 200).await;

    for chat in [3, 5] {
        let why = "Bad Request: not enough rights to send text messages to the chat";
        let refusal = telegram::refusal(400, why);
        rig.telegram.faults().add(Trouble::new(refusal).on("sendMessage").to(chat).times(1));
    }
    rig.site.publish("Wrong news", WORDS);
    daemon.wait_for("a rollout was paused");
    assert_eq!(arrived(&rig, "Wrong news"), 8);
    let post = json(&rig, &["posts"])["posts"][0].clone();
    assert_eq!(post["paused"], "2 of 10 failed in stage 1 of 2 (5%)");
    assert_eq!(post["counts"]["waiting"], 190);
    let why = said(&rig, &["why", "Wrong news", "bot/200"]);
    assert!(why.contains("post 2: waiting, because it is paused: 2 of 10 failed"), "{why}");

    // Somebody looks at it, and it goes on all the same.
    assert_eq!(said(&rig, &["posts", "resume", "2"]), "post 2: goes on, to 190 who wait\n");
    until("the rest has it", || arrived(&rig, "Wrong news") == 198).await;
    assert_eq!(daemon.terminate().0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_by_hand_goes_to_a_few_first() {
    let rig = rig(20).await;
    let daemon = rig.start();
    rig.baseline().await;
    let send = ["send", "--text", "Careful words", "--channel", "bot", "--stages", "10%,100%"];
    let send = [&send[..], &["--stage-wait", "3s"]].concat();
    let told = json(&rig, &[&send[..], &["--dry-run"]].concat());
    let totals: Vec<_> = told["stages"].as_array().unwrap().iter().map(|it| &it["total"]).collect();
    assert_eq!(totals, [2, 20]);
    assert!(said(&rig, &[&send[..], &["--dry-run"]].concat()).contains("10% to 2, 100% to 20"));
    json(&rig, &send);
    until("the first stage", || arrived(&rig, "Careful words") == 2).await;
    let post = json(&rig, &["posts", "show", "p1"]);
    assert!(post["post"]["stage"].to_string().contains("10%"), "{post}");
    until("all have it", || arrived(&rig, "Careful words") == 20).await;
    let wrong = rig.command(&["send", "--text", "x", "--stages", "10%,5%"]);
    assert_eq!(wrong.status.code(), Some(2));
    let words = String::from_utf8(wrong.stderr).unwrap();
    assert!(words.contains("must grow") && words.contains("hint: for example"), "{words}");
    assert_eq!(daemon.terminate().0, Some(0));
}
