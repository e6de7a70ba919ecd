//! What people choose in the chat, as scripted dialogues on both services, through the real binary
//! and over real sockets.

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

use std::time::Duration;

use rig::{Rig, soon};
use tidings::sandbox::{messenger, telegram};

const WORDS: &str = "<p>Words for everybody.</p>";

const SETTINGS: &str = r#"
[topics.shop]
title = { en = "Our shop", ro = "Magazinul nostru" }
[profile.city]
title = "City"
ask = { en = "Which city?", ro = "Din ce oraș ești?" }
options = ["București", "Iași"]
[profile.shoe]
ask = "Which size?"
kind = "number"
at_start = false
"#;

async fn rig() -> Rig {
    let mut rig = Rig::new(telegram::Rules::default()).await;
    rig.campaign_keys = "topics = [\"news\"]\n".to_owned();
    rig.extra = SETTINGS.to_owned();
    rig.site.publish("Old news", WORDS);
    rig
}

/// A phone on either service.
enum Phone {
    Telegram(telegram::Person),
    Messenger(messenger::Person),
}

impl Phone {
    /// The texts of the messages in the chat, oldest first; a message that was edited has its new
    /// text.
    fn texts(&self) -> Vec<String> {
        match self {
            Self::Telegram(person) => person.inbox().into_iter().map(|one| one.text).collect(),
            Self::Messenger(person) => {
                person.inbox().into_iter().map(|one| one.message.to_string()).collect()
            }
        }
    }

    fn says(&self, text: &str) {
        match self {
            Self::Telegram(person) => person.says(text),
            Self::Messenger(person) => person.says(text),
        }
    }

    /// Taps what has that payload in the newest message that has it.
    async fn taps(&self, payload: &str) {
        until(payload, || match self {
            Self::Telegram(person) => {
                let inbox = person.inbox();
                inbox.iter().rev().any(|one| person.taps(one.message_id, payload).is_some())
            }
            Self::Messenger(person) => person.taps(payload),
        })
        .await;
    }

    async fn reads(&self, words: &str) {
        until(words, || self.texts().iter().any(|text| text.contains(words))).await;
    }
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
async fn people_choose_on_both_services() {
    let rig = rig().await;
    let daemon = rig.start();
    rig.baseline().await;
    rig.site.publish("Red shoes", WORDS);
    let phones = [
        Phone::Telegram(rig.telegram.person(7, "en")),
        Phone::Messenger(rig.messenger.person("77")),
    ];
    for phone in &phones {
        match phone {
            Phone::Telegram(person) => person.starts(Some("news")),
            Phone::Messenger(person) => person.starts(Some("news")),
        }
        phone.reads("Which city?").await;
        phone.says("iasi");
        phone.reads("Thank you").await;
        phone.says("/profile");
        phone.reads("City: Iași").await;

        phone.says("/topics");
        phone.reads("Your topics.").await;
        phone.taps("1:cmd:topics:+shop").await;
        phone.taps("1:cmd:topics:-news").await;
        phone.taps("1:cmd:topics:-shop").await;
        phone.reads("You get none of our topics now.").await;
        phone.taps("1:cmd:topics:+news").await;

        phone.says("/language");
        phone.taps("1:cmd:language:ro").await;
        phone.reads("De acum îți scriu în română").await;
        phone.says("/settings");
        phone.reads("Ce vrei să schimbi?").await;
        phone.says("/quiet 3-3:30");
        phone.reads("Nu te deranjez 3:00–3:30").await;

        phone.says("/latest");
        phone.reads("Red shoes").await;
        phone.says("/search SHOES");
        until("the search", || {
            phone.texts().iter().filter(|text| text.contains("Red shoes")).count() >= 2
        })
        .await;
        phone.says("/search nothing such");
        phone.reads("Nu am găsit nimic pentru „nothing such”").await;
        phone.says("/frequency daily");
        phone.reads("Pe ceasul tău este").await;
    }
    // Toggling changed one message, and made none.
    let Phone::Telegram(ana) = &phones[0] else { panic!("the first") };
    let menus = ana.inbox().into_iter().filter(|one| one.text.starts_with("Your topics."));
    assert_eq!(menus.count(), 1);

    // What comes daily is held for both; `why` and the report say so.
    rig.site.publish("Held news", WORDS);
    let why = || {
        let output = rig.command(&["why", "Held news", "bot/7"]);
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    until("it is held", || why().contains("they get its topics once a day")).await;
    let audience = rig.command(&["posts", "audience", "blog"]);
    let audience = String::from_utf8_lossy(&audience.stdout).into_owned();
    assert!(audience.contains("later: 1 who get such once a day"), "{audience}");
    assert!(phones.iter().all(|phone| !phone.texts().iter().any(|it| it.contains("Held news"))));
    // At once again: what has waited comes.
    for phone in &phones {
        phone.says("/frequency once");
        phone.reads("Held news").await;
    }
    assert_eq!(daemon.terminate().0, Some(0));
}
