//! Bots in groups and channels: scripted dialogues through the real binary and the stand-in.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "it shows and fails as a test does"
)]

mod rig;

use std::time::Duration;

use rig::{Daemon, PATIENCE, Rig, name, soon};
use serde_json::{Value, json};
use tidings::model::subscriber::{Standing, Subscriber};
use tidings::sandbox::telegram;
use tidings::store::Store;
use tidings::store::redb;

const GROUP: i64 = -5_000;
const CHANNEL: i64 = -1_001_000;
const ADMIN: i64 = 7;
const MEMBER: i64 = 8;

async fn rig() -> Rig {
    let mut rig = Rig::new(telegram::Rules::default()).await;
    rig.campaign_keys = "channels = [\"bot\"]\n".to_owned();
    rig.extra = "[topics.shoes]\n".to_owned();
    rig.telegram.open_group(GROUP);
    rig.telegram.set_standing(GROUP, telegram::Standing::Blocked);
    rig.telegram.set_admins(GROUP, [ADMIN]);
    rig.site.publish("Old news", "<p>Words.</p>");
    rig
}

/// What was said in a chat, oldest first.
fn said_in(rig: &Rig, chat: i64) -> Vec<String> {
    let accepted = rig.telegram.ledger().accepted();
    let here = accepted.iter().filter(|one| one.address == chat.to_string());
    here.filter_map(|one| one.text().map(str::to_owned)).collect()
}

async fn wait_said(rig: &Rig, chat: i64, count: usize) -> Vec<String> {
    let until = rig.telegram.ledger().wait_until(|_| said_in(rig, chat).len() >= count);
    soon(&format!("{count} messages in {chat}"), until).await;
    said_in(rig, chat)
}

fn status(rig: &Rig) -> Value {
    let output = rig.command(&["status", "--json"]);
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Waits until every event was answered.
async fn quiet(rig: &Rig) {
    let waiting = async {
        let is_quiet = || {
            let status = status(rig);
            rig.telegram.updates_pending() == 0
                && status["events_waiting"] == 0
                && status["channels"]["bot"]["answers_waiting"] == 0
        };
        while !is_quiet() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "it stays busy");
}

/// The record of a chat, of a daemon that ended.
async fn record(rig: &Rig, daemon: Daemon, chat: i64) -> Option<Subscriber> {
    daemon.terminate();
    let store = redb::open(&rig.store_file()).unwrap();
    store.load_subscriber(&name("bot"), &chat.to_string()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_subscribed_by_an_admin_and_by_nobody_else() {
    let rig = rig().await;
    let daemon = rig.start();
    rig.baseline().await;
    let (admin, member) = (rig.telegram.person(ADMIN, "en"), rig.telegram.person(MEMBER, "en"));

    // A link puts the bot into the group; who opens it is no admin, so it stays silent.
    member.starts_in(GROUP, "shoes");
    member.says_in(GROUP, "hello everybody");
    member.says_in(GROUP, "/stop@another_bot");
    quiet(&rig).await;
    assert_eq!(said_in(&rig, GROUP), [""; 0]);

    admin.says_in(GROUP, "/start@sandbox_bot news");
    let welcome = wait_said(&rig, GROUP, 1).await;
    rig.site.publish("First", "<p>Words.</p>");
    let told = wait_said(&rig, GROUP, 2).await;
    assert!(told[1].contains("First"), "{told:?} after {welcome:?}");

    // People talk, and other bots are asked for things.
    member.says_in(GROUP, "/stop");
    member.says_in(GROUP, "/weather");
    admin.says_in(GROUP, "/weather");
    admin.says_in(GROUP, "stop");
    quiet(&rig).await;
    assert_eq!(said_in(&rig, GROUP).len(), 2);

    // The welcome's button: a member's tap is acknowledged and does nothing.
    let message = rig.telegram.ledger().accepted();
    let id = message.iter().find(|one| one.text() == Some(&welcome[0])).unwrap();
    let id: i64 = id.message_id.parse().unwrap();
    let tap = member.taps_in(GROUP, id, "1:stop");
    quiet(&rig).await;
    assert!(rig.telegram.tap_answer(&tap).is_some());
    assert_eq!(said_in(&rig, GROUP).len(), 2);
    let tap = admin.taps_in(GROUP, id, "1:stop");
    wait_said(&rig, GROUP, 3).await;
    quiet(&rig).await;
    assert!(rig.telegram.tap_answer(&tap).is_some());
    let group = record(&rig, daemon, GROUP).await.unwrap();
    assert_eq!((group.standing, group.topics), (Standing::Stopped, vec![name("news")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_who_writes_in_the_groups_name_is_obeyed_and_a_new_admin_soon() {
    let rig = rig().await;
    let daemon = rig.start();
    let member = rig.telegram.person(MEMBER, "ro");
    member.adds_bot_to(GROUP, false);
    rig.telegram.says_nameless(GROUP, "/start shoes");
    wait_said(&rig, GROUP, 1).await;
    rig.telegram.set_admins(GROUP, [ADMIN, MEMBER]);
    member.says_in(GROUP, "/stop");
    wait_said(&rig, GROUP, 2).await;
    let group = record(&rig, daemon, GROUP).await.unwrap();
    assert_eq!((group.standing, group.topics), (Standing::Stopped, vec![name("shoes")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_becomes_a_supergroup_goes_on_and_one_that_sends_us_away_gets_nothing() {
    let rig = rig().await;
    let daemon = rig.start();
    rig.baseline().await;
    let admin = rig.telegram.person(ADMIN, "en");
    admin.adds_bot_to(GROUP, true);
    admin.says_in(GROUP, "/start");
    wait_said(&rig, GROUP, 1).await;
    quiet(&rig).await;
    let new = -1_007_000;
    rig.telegram.upgrades(GROUP, new);
    quiet(&rig).await;
    rig.site.publish("After the move", "<p>Words.</p>");
    wait_said(&rig, new, 1).await;
    // It is obeyed under its new number, and stays one subscriber.
    admin.says_in(new, "/start shoes");
    wait_said(&rig, new, 2).await;
    assert_eq!(status(&rig)["channels"]["bot"]["subscribers"]["active"], 1);

    admin.removes_bot_from(new);
    quiet(&rig).await;
    assert_eq!(status(&rig)["channels"]["bot"]["subscribers"]["blocked"], 1);
    admin.adds_bot_to(new, false);
    quiet(&rig).await;
    assert_eq!(status(&rig)["channels"]["bot"]["subscribers"]["active"], 1);
    admin.restricts_bot_in(new, false);
    quiet(&rig).await;
    let group = record(&rig, daemon, new).await.unwrap();
    assert_eq!(group.standing, Standing::Blocked);
    assert_eq!(said_in(&rig, GROUP).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_lets_the_bot_post_is_told_to_the_sysadmin() {
    let rig = rig().await;
    rig.telegram.open_channel(CHANNEL, "@tidings_news");
    rig.telegram.set_standing(CHANNEL, telegram::Standing::Blocked);
    let daemon = rig.start();
    let admin = rig.telegram.person(ADMIN, "en");
    admin.promotes_bot_in(CHANNEL, false);
    daemon.wait_for("may not write there");
    admin.promotes_bot_in(CHANNEL, true);
    daemon.wait_for("the bot may write in a group or channel");
    quiet(&rig).await;
    let chats = status(&rig)["channels"]["bot"]["chats"].clone();
    assert_eq!(chats.as_array().map(Vec::len), Some(1), "{chats}");
    assert_eq!(chats[0]["address"], CHANNEL.to_string());
    assert_eq!((&chats[0]["kind"], &chats[0]["may_post"]), (&json!("channel"), &json!(true)));
    // It has subscribed to nothing, and nothing is sent there unless the settings say so.
    assert_eq!(status(&rig)["channels"]["bot"]["subscribers"]["active"], 0);
    admin.removes_bot_from(CHANNEL);
    daemon.wait_for("was removed from a group or channel");
    quiet(&rig).await;
    assert_eq!(status(&rig)["channels"]["bot"]["chats"], Value::Null);
}
