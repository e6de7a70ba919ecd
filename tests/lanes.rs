//! Messenger beyond an open window, over sockets with the real daemon: echoes of what was
//! uncertain, held carousels, utility templates and paid messages, each on and off.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed step is a failed test"
)]

mod rig;

use rig::{Daemon, Rig, name, soon};
use serde_json::Value;
use tidings::sandbox::fault::{Fault, Trouble};
use tidings::sandbox::messenger::Echoes;
use tidings::sandbox::telegram;
use tidings::store::Store;
use tidings::store::redb;

const WORDS: &str = "<p>Some words.</p>";

async fn rig(channel_keys: &str, campaign_keys: &str) -> Rig {
    let mut rig = Rig::new(telegram::Rules::default()).await;
    rig.page_keys = channel_keys.to_owned();
    rig.campaign_keys = format!("channels = [\"page\"]\n{campaign_keys}");
    rig.site.publish("Old news", WORDS);
    rig
}

fn reports(rig: &Rig) -> Value {
    let output = rig.command(&["report", "--json"]);
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

/// Waits until the sum over all posts is so.
async fn totals(rig: &Rig, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    soon(what, async {
        loop {
            let total = reports(rig)["total"].take();
            if holds(&total) {
                return total;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    })
    .await
}

fn why(rig: &Rig, item: &str, person: &str) -> String {
    let output = rig.command(&["why", item, person]);
    String::from_utf8(output.stdout).unwrap()
}

/// A daemon past its first look, and a person who started the chat.
async fn started(rig: &Rig, psid: &str) -> (Daemon, tidings::sandbox::messenger::Person) {
    let daemon = rig.start();
    rig.baseline().await;
    let ion = rig.messenger.person(psid);
    ion.starts(None);
    soon("the welcome", ion.wait_inbox(1)).await;
    (daemon, ion)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_echo_settles_what_had_no_answer() {
    let rig = rig("", "").await;
    rig.messenger.set_echoes(Echoes::On);
    let (daemon, ion) = started(&rig, "4711").await;
    rig.messenger.faults().add(Trouble::new(Fault::lie()).on("messages").times(1));
    rig.site.publish("Fresh news", WORDS);
    soon("the post", ion.wait_inbox(2)).await;
    totals(&rig, "it is told as sent", |all| all["counts"]["sent"] == 1).await;
    let words = why(&rig, "Fresh news", "page/4711");
    assert!(words.contains("in their open window"), "{words}");
    daemon.terminate();
    assert_eq!(ion.inbox().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_echo_settles_what_was_on_the_wire_when_we_were_killed() {
    let rig = rig("", "").await;
    rig.messenger.set_echoes(Echoes::Held);
    let (daemon, ion) = started(&rig, "4711").await;
    let hang = Fault::Hang { is_accepted: true };
    rig.messenger.faults().add(Trouble::new(hang).on("messages").times(1));
    rig.site.publish("Fresh news", WORDS);
    soon("the post", ion.wait_inbox(2)).await;
    daemon.kill();
    let daemon = rig.start();
    totals(&rig, "it is uncertain", |all| all["counts"]["uncertain"] == 1).await;
    rig.messenger.set_echoes(Echoes::On);
    totals(&rig, "it is told as sent", |all| all["counts"]["sent"] == 1).await;
    let (code, log) = daemon.terminate();
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(ion.inbox().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_echo_that_comes_before_the_end_counts_after_it() {
    let rig = rig("", "on_uncertain = \"resend\"").await;
    rig.messenger.set_echoes(Echoes::On);
    let (daemon, ion) = started(&rig, "4711").await;
    let hang = Fault::Hang { is_accepted: true };
    rig.messenger.faults().add(Trouble::new(hang).on("messages").times(1));
    let before = rig.messenger.webhook_tally().taken;
    rig.site.publish("Fresh news", WORDS);
    soon("the post", ion.wait_inbox(2)).await;
    soon("its echo is taken", async {
        while rig.messenger.webhook_tally().taken == before {
            tokio::task::yield_now().await;
        }
    })
    .await;
    daemon.kill();
    let daemon = rig.start();
    totals(&rig, "it is told as sent", |all| all["counts"]["sent"] == 1).await;
    daemon.terminate();
    assert_eq!(ion.inbox().len(), 2, "nothing was sent again");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_what_is_held_the_newest_ten_come_once_each_and_over_a_restart() {
    let rig = rig("", "").await;
    let (daemon, ion) = started(&rig, "4711").await;
    rig.messenger.closes_window("4711");
    for number in 1..=12 {
        rig.site.publish(&format!("News {number}"), WORDS);
    }
    totals(&rig, "all are held", |all| all["counts"]["held"] == 12).await;
    daemon.kill();
    let daemon = rig.start();
    let words = why(&rig, "News 12", "page/4711");
    assert!(words.contains("held since"), "{words}");
    ion.says("anything new?");
    let inbox = soon("the carousel", ion.wait_inbox(3)).await;
    let cards = inbox[2].message["attachment"]["payload"]["elements"].as_array().unwrap().clone();
    assert_eq!(cards.len(), 10);
    let titles: Vec<&str> = cards.iter().filter_map(|card| card["title"].as_str()).collect();
    assert!(!titles.contains(&"News 1") && titles.contains(&"News 12"), "{titles:?}");
    let all = totals(&rig, "they are told", |all| all["counts"]["sent"] == 10).await;
    assert_eq!(all["skipped"]["superseded"], 2);
    assert_eq!(all["lanes"]["held"], 10);
    daemon.terminate();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrived_and_was_read_is_reported() {
    let rig = rig("", "").await;
    let (daemon, ion) = started(&rig, "4711").await;
    rig.site.publish("Fresh news", WORDS);
    soon("the post", ion.wait_inbox(2)).await;
    totals(&rig, "it is sent", |all| all["counts"]["sent"] == 1).await;
    ion.reads();
    let all = totals(&rig, "it is read", |all| all["read"] == 1).await;
    assert_eq!((&all["delivered"], &all["lanes"]["window"]), (&1.into(), &1.into()));
    let words = why(&rig, "Fresh news", "page/4711");
    assert!(words.contains("they have seen it"), "{words}");
    daemon.terminate();
}

const UTILITY: &str =
    "utility = { template = \"visit\", language = \"en\", body = { what = \"{{ item.title }}\" } }";

#[tokio::test(flavor = "multi_thread")]
async fn an_approved_template_goes_whenever_it_is() {
    let rig = rig("", UTILITY).await;
    rig.messenger.add_template("visit", "en", 1, "APPROVED");
    let (daemon, ion) = started(&rig, "4711").await;
    soon("the templates are read", async {
        while !rig.messenger.ledger().requests().iter().any(|it| it.method == "message_templates") {
            tokio::task::yield_now().await;
        }
    })
    .await;
    rig.messenger.closes_window("4711");
    rig.site.publish("Your visit", WORDS);
    let inbox = soon("the template", ion.wait_inbox(2)).await;
    let template = &inbox[1].message["template"];
    assert_eq!(template["name"], "visit");
    assert_eq!(template["components"][0]["parameters"][0]["text"], "Your visit");
    let all = totals(&rig, "it is told", |all| all["counts"]["sent"] == 1).await;
    assert_eq!(all["lanes"]["utility"], 1);
    let words = why(&rig, "Your visit", "page/4711");
    assert!(words.contains("as a utility template"), "{words}");
    daemon.terminate();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_that_is_not_approved_is_not_sent() {
    let rig = rig("", UTILITY).await;
    rig.messenger.add_template("visit", "en", 1, "PENDING");
    let (daemon, ion) = started(&rig, "4711").await;
    daemon.wait_for("the template is not approved");
    rig.messenger.closes_window("4711");
    rig.site.publish("Your visit", WORDS);
    totals(&rig, "it is held", |all| all["counts"]["held"] == 1).await;
    assert_eq!(ion.inbox().len(), 1);
    daemon.terminate();
}

/// Marketing messages at 0.40, at most 1.00 a day.
fn marketing(rig: &Rig) -> String {
    format!(
        "marketing = {{ ad_account = \"act_55\", campaign = \"{}\", cost_max = \"0.40\", \
         spend_max = \"1.00\", ask = \"Our offers\" }}",
        rig.messenger.warm_campaign()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn who_agreed_gets_paid_messages_up_to_the_limit_over_a_kill() {
    let mut rig = rig("", "marketing = true").await;
    rig.page_keys = marketing(&rig);
    let daemon = rig.start();
    rig.baseline().await;
    let everybody: Vec<_> = (1..=4).map(|n| rig.messenger.person(&format!("471{n}"))).collect();
    for (at, person) in everybody.iter().enumerate() {
        person.starts(None);
        let inbox = soon("the welcome and the question", person.wait_inbox(2)).await;
        let asked = &inbox[1].message["attachment"]["payload"];
        assert_eq!(asked["title"], "Our offers");
        // The last one does not agree.
        if at < 3 {
            assert!(person.opts_in());
        }
    }
    soon("the opt-ins are taken", async {
        while rig.messenger.events_pending() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    soon("they are known", async {
        loop {
            if rig.ask_socket("/metrics").await.contains("tidings") {
                tokio::time::sleep(std::time::Duration::from_millis(500)).await;
                break;
            }
        }
    })
    .await;
    for person in &everybody {
        rig.messenger.closes_window(person.psid());
    }
    rig.site.publish("An offer", WORDS);
    let all = totals(&rig, "all are settled", |all| {
        all["counts"]["sent"] == 2 && all["counts"]["held"] == 2
    })
    .await;
    assert_eq!(all["lanes"]["marketing"], 2);
    assert_eq!(rig.messenger.paid().len(), 2);
    let delivered = totals(&rig, "the results are told", |all| all["delivered"] == 2).await;
    assert_eq!(delivered["read"], 0);
    let first = rig.messenger.paid()[0].psid.clone();
    let words = why(&rig, "An offer", &format!("page/{first}"));
    assert!(words.contains("as a paid marketing message; it is on their phone"), "{words}");

    // The purse is empty after a kill as well.
    daemon.kill();
    let daemon = rig.start();
    rig.site.publish("Another offer", WORDS);
    totals(&rig, "nobody is paid for", |all| all["counts"]["held"] == 6).await;
    assert_eq!(rig.messenger.paid().len(), 2);
    let status = rig.command(&["status", "--json"]);
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["channels"]["page"]["marketing"]["spent_in_period"], "0.800000");
    rig.messenger.marketing_fails(&first, "the person is not available");
    let all = totals(&rig, "a failure is told", |all| all["counts"]["failed"] == 1).await;
    assert_eq!(all["failed"]["unreachable"], 1);
    daemon.terminate();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_agreed_elsewhere_is_on_the_list_and_who_left_is_held_for() {
    let mut rig = rig("", "marketing = true").await;
    rig.page_keys = marketing(&rig);
    rig.subscribe("page", [7, 8]).await;
    rig.messenger.open_chats([7, 8]);
    rig.messenger.agrees_elsewhere("7");
    rig.messenger.agrees_elsewhere("9");
    let daemon = rig.start();
    rig.baseline().await;
    daemon.wait_for("read who agreed to marketing messages");
    rig.site.publish("An offer", WORDS);
    let all = totals(&rig, "all are settled", |all| {
        all["counts"]["sent"] == 1 && all["counts"]["held"] == 1
    })
    .await;
    assert_eq!(all["lanes"]["marketing"], 1);
    assert_eq!(rig.messenger.paid()[0].psid, "7");
    daemon.terminate();
    let store = redb::open(&rig.store_file()).unwrap();
    let known = store.load_optins(&name("page"), &["7".into(), "8".into()]).await.unwrap();
    assert!(known[0].as_ref().is_some_and(|optin| optin.token.is_some()) && known[1].is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn paid_messages_that_the_service_shuts_are_held_and_cost_nothing() {
    let mut rig = rig("", "marketing = true").await;
    rig.page_keys = marketing(&rig);
    rig.subscribe("page", [7]).await;
    rig.messenger.open_chats([7]);
    rig.messenger.agrees_elsewhere("7");
    // No payment method.
    rig.messenger.set_market_trouble(Some(2_300_011));
    let daemon = rig.start();
    rig.baseline().await;
    daemon.wait_for("read who agreed to marketing messages");
    rig.site.publish("An offer", WORDS);
    totals(&rig, "it is held", |all| all["counts"]["held"] == 1).await;
    assert!(rig.messenger.paid().is_empty());
    let (_, log) = daemon.terminate();
    assert!(log.contains("2300011"), "{log}");
    let store = redb::open(&rig.store_file()).unwrap();
    assert_eq!(store.load_market(&name("page")).await.unwrap().spent, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_configuration_nothing_is_paid_and_nobody_is_asked() {
    let rig = rig("", "marketing = true").await;
    rig.messenger.agrees_elsewhere("4711");
    let (daemon, ion) = started(&rig, "4711").await;
    rig.messenger.closes_window("4711");
    rig.site.publish("An offer", WORDS);
    totals(&rig, "it is held", |all| all["counts"]["held"] == 1).await;
    assert!(rig.messenger.paid().is_empty());
    assert_eq!(ion.inbox().len(), 1);
    assert!(rig.messenger.campaigns().is_empty());
    let checked = rig.command(&["check"]);
    let told = String::from_utf8(checked.stderr).unwrap();
    assert!(told.contains("campaigns.blog.marketing: does nothing"), "{told}");
    daemon.terminate();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_of_ours_is_made_once_and_warms_up() {
    let mut rig = rig("", "marketing = true").await;
    rig.page_keys =
        "marketing = { ad_account = \"55\", cost_max = \"0.4\", spend_max = \"1\" }".to_owned();
    let (daemon, ion) = started(&rig, "4711").await;
    daemon.wait_for("read who agreed to marketing messages");
    assert_eq!(ion.inbox().len(), 1, "nobody is asked without `ask`");
    assert_eq!(rig.messenger.campaigns().len(), 1);
    rig.messenger.agrees_elsewhere("4711");
    daemon.kill();
    let daemon = rig.start();
    daemon.wait_for("read who agreed to marketing messages");
    assert_eq!(rig.messenger.campaigns().len(), 1);
    rig.messenger.closes_window("4711");
    rig.site.publish("An offer", WORDS);
    totals(&rig, "it is held", |all| all["counts"]["held"] == 1).await;
    assert!(rig.messenger.ledger().requests().iter().all(|it| it.method != "marketing_messages"));
    daemon.terminate();
}
