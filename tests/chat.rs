//! Dialogues with the real binary on both services, and what they show of it before and beside the
//! chat.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "it shows and fails as a test does"
)]

mod rig;

use std::time::Duration;

use rig::{Rig, person, soon};
use serde_json::{Value, json};
use tidings::model::subscriber::Subscriber;
use tidings::model::zone::Zone;
use tidings::runtime::clock::Clock;
use tidings::sandbox::telegram;

const MESSAGES: &str = r#"
[messages]
greeting = { en = "News from the harbour.", ro = "Știri din port." }
welcome = "Welcome aboard."
welcome_buttons = ["Our shop=https://shop.example.com/", "News=topic:news"]
welcome_items = 2
goodbye = "Fair winds."
default_reply = "I only carry the news."
default_reply_every = "1h"
menu = ["Map=https://shop.example.com/map"]

[[messages.replies]]
when = ["preț", "stop the press"]
say = { en = "It is free.", ro = "E gratis." }
buttons = ["Why=/help"]

[[messages.replies]]
pattern = "order +#?[0-9]+"
say = "Ask the shop."
"#;

async fn rig(extra: &str) -> Rig {
    let mut rig = Rig::new(telegram::Rules::default()).await;
    rig.extra = extra.to_owned();
    rig
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    soon(what, async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

/// How often each of the methods and edges that set a profile was called.
fn writes(rig: &Rig) -> (usize, usize) {
    let set = |method: &str| method.starts_with("setMy") || method.starts_with("deleteMy");
    let bot = rig.telegram.ledger().requests();
    let page = rig.messenger.ledger().requests();
    let bot = bot.iter().filter(|asked| set(&asked.method)).count();
    (bot, page.iter().filter(|asked| asked.method == "messenger_profile").count())
}

/// The last of the facets are there.
async fn shown(rig: &Rig) {
    let commands = |language: &str| rig.telegram.commands(language);
    until("the bot's commands", || commands("ru") != commands("en")).await;
    let of_admins = |language: &str| rig.telegram.admin_commands(language);
    until("those in groups", || of_admins("ru") != of_admins("en")).await;
    until("the page's menu", || rig.messenger.profile().contains_key("persistent_menu")).await;
}

/// The newest message is this one.
async fn hears(person: &telegram::Person, count: usize, text: &str) -> telegram::Received {
    let inbox = soon(text, person.wait_inbox(count)).await;
    assert_eq!(inbox.len(), count, "{inbox:?}");
    let last = inbox.into_iter().next_back().unwrap();
    assert!(last.text.contains(text), "{text}: {last:?}");
    last
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_services_show_is_written_on_change_alone() {
    let mut rig = rig("").await;
    // Somebody wrote a description by hand; ours is only a default.
    let by_hand = json!({ "description": "By hand." });
    assert_eq!(rig.telegram.refusal("setMyDescription", &by_hand), None);
    let daemon = rig.start();
    shown(&rig).await;
    assert_eq!(rig.telegram.shown("description", "ro"), "By hand.");
    assert!(rig.telegram.shown("short_description", "de").starts_with("Neues kommt"));
    let ana = rig.telegram.person(7, "ro");
    let stop = json!({ "command": "stop", "description": "Nu mai vreau mesaje" });
    assert!(ana.sees_commands().as_array().unwrap().contains(&stop), "{}", ana.sees_commands());
    let page = rig.messenger.profile();
    assert_eq!(page["get_started"]["payload"], "GET_STARTED");
    assert_eq!(page["ice_breakers"][0]["call_to_actions"][0]["question"], "News");
    let mihai = rig.messenger.person("8");
    mihai.speaks("ro_RO");
    assert!(mihai.sees_greeting().starts_with("Noutățile vin"), "{}", mihai.sees_greeting());
    daemon.terminate();

    // The same settings write nothing.
    let before = writes(&rig);
    let daemon = rig.start();
    ana.starts(None);
    soon("an answer", ana.wait_inbox(1)).await;
    until("a look at the page", || writes(&rig).1 > before.1).await;
    assert_eq!(writes(&rig), (before.0, before.1 + 1), "the page is only asked for its button");
    daemon.terminate();

    // Words of the editor's own stand instead of anybody's.
    rig.extra = MESSAGES.to_owned();
    let daemon = rig.start();
    until("the new words", || rig.telegram.shown("description", "ro") == "Știri din port.").await;
    until("gone", || rig.telegram.shown("short_description", "de") == "News from the harbour.")
        .await;
    until("the new greeting", || mihai.sees_greeting() == "Știri din port.").await;
    let links = |menu: Vec<Value>| menu.iter().any(|entry| entry["title"] == "Map");
    assert!(links(mihai.sees_menu()), "{:?}", mihai.sees_menu());
    daemon.terminate();
    let check = String::from_utf8(rig.command(&["check"]).stdout).unwrap();
    assert!(check.contains("bot greets: News from the harbour."), "{check}");
    assert!(check.contains("page has in its menu: "), "{check}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_answers_with_the_editors_words() {
    let rig = rig(MESSAGES).await;
    let daemon = rig.start();
    rig.baseline().await;
    rig.site.publish("The tide is in", "<p>It is.</p>");
    let polls = rig.site.tally().borrow().polls;
    until("the news is known", || rig.site.tally().borrow().polls > polls + 2).await;

    let ana = rig.telegram.person(7, "ro");
    ana.starts(Some("news"));
    let inbox = soon("the welcome and the newest", ana.wait_inbox(2)).await;
    assert_eq!(inbox[0].text, "Welcome aboard.");
    assert_eq!(inbox[0].button("News"), Some("1:start:news"));
    assert_eq!(inbox[0].button("Oprește"), Some("1:stop"));
    assert_eq!(inbox[0].keyboard[0][0]["url"], "https://shop.example.com/");
    assert!(inbox[1].text.contains("The tide is in"), "{}", inbox[1].text);

    ana.says("Ce PRET are?");
    let reply = hears(&ana, 3, "E gratis.").await;
    assert_eq!(reply.button("Why"), Some("1:cmd:help"));
    ana.taps(reply.message_id, "1:cmd:help").unwrap();
    hears(&ana, 4, "/stop – Nu mai vreau mesaje").await;
    ana.says("where is Order #12?");
    hears(&ana, 5, "Ask the shop.").await;
    ana.says("a parrot");
    hears(&ana, 6, "I only carry the news.").await;
    // Not twice in an hour.
    ana.says("another parrot");
    ana.says("pret");
    hears(&ana, 7, "E gratis.").await;
    // No reply of the editor's comes before our commands.
    ana.says("stpo");
    ana.edits("stop");
    hears(&ana, 8, "Fair winds.").await;
    ana.says("please do stop the press");
    hears(&ana, 9, "E gratis.").await;
    daemon.terminate();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_entered_by_a_question_and_left_by_its_menu() {
    let rig = rig(MESSAGES).await;
    let daemon = rig.start();
    shown(&rig).await;
    let mihai = rig.messenger.person("8");
    assert_eq!(mihai.sees_questions()[0]["question"], "News");
    assert!(mihai.taps("1:start:news"));
    let inbox = soon("the welcome", mihai.wait_inbox(1)).await;
    assert_eq!(inbox[0].text(), Some("Welcome aboard."));
    assert!(!mihai.taps("1:nowhere"));
    assert!(mihai.taps("1:cmd:help"));
    let inbox = soon("the commands", mihai.wait_inbox(2)).await;
    assert!(inbox[1].text().unwrap().contains("/help – "), "{inbox:?}");
    mihai.says("PREȚ");
    let inbox = soon("the reply", mihai.wait_inbox(3)).await;
    assert_eq!(inbox[2].text(), Some("It is free."));
    assert_eq!(inbox[2].button("Why"), Some("1:cmd:help"));
    assert!(mihai.taps("1:cmd:stop"));
    let inbox = soon("the goodbye", mihai.wait_inbox(4)).await;
    assert_eq!(inbox[3].text(), Some("Fair winds."));
    daemon.terminate();
}

/// A time zone in which it is noon or an hour from it, and one in which it is midnight so.
fn noon_and_midnight() -> (Zone, Zone) {
    let hour = (Clock::system().now().as_millis() / 3_600_000).rem_euclid(24);
    let zone = |wanted: i64| {
        let off = (wanted - hour + 36).rem_euclid(24) - 12;
        Zone::read(&format!("{off:+}")).unwrap()
    };
    (zone(12), zone(0))
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_reminded_of_what_they_get_by_day_and_once() {
    let reminder = "[messages.reminder]\nevery = '90 days'\n";
    let rig = rig(reminder).await;
    let (noon, midnight) = noon_and_midnight();
    let now = Clock::system().now();
    let day = Duration::from_secs(86_400);
    let people = [
        Subscriber { joined_at: now - 100 * day, timezone: Some(noon.clone()), ..person(1) },
        Subscriber { joined_at: now - 80 * day, timezone: Some(noon.clone()), ..person(2) },
        Subscriber { joined_at: now - 100 * day, timezone: Some(midnight), ..person(3) },
    ];
    rig.import("bot", people.to_vec()).await;
    let long_ago = now - 100 * day;
    let written = |until| Subscriber {
        joined_at: long_ago,
        timezone: Some(noon.clone()),
        window_until: until,
        ..person(4)
    };
    rig.import("page", vec![written(Some(now + day / 2))]).await;
    rig.import("page", vec![Subscriber { address: "5".into(), ..written(None) }]).await;
    let phones = [1, 2, 3].map(|id| rig.telegram.person(id, "ro"));
    for id in 1..=3 {
        rig.telegram.set_standing(id, telegram::Standing::Open);
    }
    let pages = ["4", "5"].map(|psid| rig.messenger.person(psid));
    pages[0].says("hello");
    for _ in 0..2 {
        let daemon = rig.start();
        let inbox = soon("a reminder", phones[0].wait_inbox(1)).await;
        assert!(inbox[0].text.contains("News"), "{inbox:?}");
        assert!(inbox[0].button("Stop").is_some(), "{inbox:?}");
        let is_reminder = |text: &str| text.starts_with("You get from us here: News.");
        until("a reminder on the page", || {
            pages[0].inbox().iter().any(|message| message.text().is_some_and(is_reminder))
        })
        .await;
        // What is said after the look at all people is answered after it.
        let count = phones[1].inbox().len() + 1;
        phones[1].says("/help");
        soon("the commands", phones[1].wait_inbox(count)).await;
        daemon.terminate();
    }
    assert_eq!([&phones[0], &phones[2]].map(|phone| phone.inbox().len()), [1, 0]);
    assert!(phones[1].inbox().iter().all(|told| told.text.contains("/help")), "came lately");
    assert!(pages[1].inbox().is_empty(), "a closed window stays so");
    let reminded = pages[0].inbox();
    let reminded = reminded.iter().filter(|it| it.text().is_some_and(|it| it.contains("You get")));
    assert_eq!(reminded.count(), 1);
}
