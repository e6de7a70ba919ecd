//! Dialogues about what people choose, as tables: what they say or tap, and what they are told.

mod listening;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::converse::choosing::Choosing;
use crate::converse::keywords::Keyword;
use crate::converse::latest::Lookup;
use crate::converse::profile::Field;
use crate::converse::questions::ASKED_FOR;
use crate::converse::replies::{STOP_PAYLOAD, Setting, Turn, respond};
use crate::converse::words::{Choices, Saying, Words};
use crate::model::channel::ChannelKind;
use crate::model::choice::{FieldKind, Pace};
use crate::model::event::{Deed, Event, Tap};
use crate::model::message::{Action, Button, Module};
use crate::model::name::Name;
use crate::model::subscriber::{Standing, Subscriber};
use crate::model::time::Timestamp;
use crate::model::zone::Zone;

struct Chat {
    kind: ChannelKind,
    address: &'static str,
    topics: Vec<Name>,
    choosing: Choosing,
    person: Option<Subscriber>,
    language: Option<&'static str>,
    now: Timestamp,
    /// The payloads of the newest menu, by label.
    buttons: Vec<(String, String)>,
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

impl Chat {
    fn new(kind: ChannelKind, topics: &[&str]) -> Self {
        let titles = [
            ("news", Saying::new(&[("", "News"), ("ro", "Știri")])),
            ("shop", Saying::new(&[("", "Our Shop")])),
        ];
        let field = |of: &str, kind, options: &[&str]| Field {
            name: name(of),
            title: Saying::new(&[("", of)]),
            ask: Saying::new(&[("", &format!("Your {of}?"))]),
            kind,
            options: options.iter().map(|option| (*option).to_owned()).collect(),
            at_start: of != "shoe",
        };
        Self {
            kind,
            address: "7",
            topics: topics.iter().map(|topic| name(topic)).collect(),
            choosing: Choosing {
                titles: titles.map(|(topic, title)| (name(topic), title)).into(),
                languages: ["en", "ro", "pt-br"].map(str::to_owned).into(),
                zone: Zone::exactly("Europe/Bucharest"),
                fields: vec![
                    field("city", FieldKind::Choice, &["București", "Iași"]),
                    field("age", FieldKind::Number, &[]),
                    field("shoe", FieldKind::Text, &[]),
                ],
                has_products: true,
            },
            person: None,
            language: None,
            // A Saturday, 14:00 in Bucharest.
            now: Timestamp::from_jiff("2026-11-28T12:00:00Z".parse().unwrap()),
            buttons: vec![],
        }
    }

    fn bare(topics: &[&str]) -> Self {
        let mut chat = Self::new(ChannelKind::Telegram, topics);
        chat.choosing.fields.clear();
        chat
    }

    fn then(&mut self, deed: Deed) -> Turn {
        self.now = self.now + Duration::from_secs(1);
        let event = Event {
            channel: name("bot"),
            id: self.now.as_millis().to_string(),
            at: self.now,
            address: self.address.to_owned(),
            language: self.language.map(str::to_owned),
            first_name: None,
            deed,
        };
        let words = Words {
            welcome: Saying::new(&[("", "Welcome.")]),
            goodbye: Saying::new(&[("", "Goodbye.")]),
            default_reply: Saying::new(&[("", "What?")]),
            stranger_reply: Saying::new(&[("", "Who?")]),
            replies: vec![Keyword::new(
                &["price".to_owned()],
                None,
                Saying::new(&[("", "It is free.")]),
                Choices::default(),
            )],
            stop_label: Saying::new(&[("", "Stop")]),
            start_label: Saying::new(&[("", "Start")]),
            default_reply_every: Duration::from_secs(10),
            ..Words::default()
        };
        let (topics, choosing, kind) = (&self.topics, &self.choosing, self.kind);
        let setting = Setting { words: &words, topics, choosing, kind, is_watching: false };
        let turn = respond(self.person.as_ref(), &event, &setting, self.now);
        if let Some(person) = &turn.subscriber {
            self.person = Some(person.clone());
        }
        let messages: Vec<_> = turn.answers.iter().map(|answer| &answer.message).collect();
        if let Some(menu) = messages.iter().rev().find(|message| !message.quick_replies.is_empty())
        {
            self.buttons = menu.quick_replies.iter().map(known).collect();
        }
        turn
    }

    fn says(&mut self, text: &str) -> Turn {
        self.then(Deed::Said { text: text.to_owned() })
    }

    fn taps(&mut self, payload: &str) -> Turn {
        let tap = Some(Tap { id: "t".into(), message: Some(5), toast: None });
        self.then(Deed::Tapped { payload: payload.to_owned(), tap })
    }

    /// Taps the button of the newest menu that is called so.
    fn presses(&mut self, label: &str) -> Turn {
        let found = self.buttons.iter().find(|(own, _)| own == label);
        let payload =
            found.unwrap_or_else(|| panic!("no `{label}` in {:?}", self.buttons)).1.clone();
        self.taps(&payload)
    }

    fn labels(&self) -> Vec<&str> {
        self.buttons.iter().map(|(label, _)| label.as_str()).collect()
    }

    fn person(&self) -> &Subscriber {
        self.person.as_ref().unwrap()
    }

    fn own(&self) -> Vec<&str> {
        self.person().topics.iter().map(Name::as_str).collect()
    }

    fn told(&self, field: &str) -> Option<&str> {
        self.person().choices.as_ref()?.told(field)
    }
}

fn known(button: &Button) -> (String, String) {
    let Action::Postback { payload } = &button.action else { panic!("{button:?}") };
    assert!((1..=64).contains(&payload.len()), "{payload}");
    assert!(payload.starts_with("1:cmd:"), "{payload}");
    (button.label.clone(), payload.clone())
}

fn text(turn: &Turn) -> String {
    let modules = turn.answers.iter().flat_map(|answer| &answer.message.modules);
    let texts = modules.map(|module| match module {
        Module::Text { text, .. } => text.plain(),
        other => panic!("{other:?}"),
    });
    texts.collect::<Vec<_>>().join("\n---\n")
}

#[test]
fn topics_are_toggled_by_buttons_and_by_words() {
    let mut chat = Chat::bare(&["events", "news", "shop"]);
    chat.says("/start news");
    let menu = chat.says("/topics");
    assert!(text(&menu).starts_with("Your topics."));
    assert_eq!(chat.labels(), ["events", "✓ News", "Our Shop", "‹ Settings"]);
    assert_eq!(menu.answers[0].tap, None);

    let added = chat.presses("Our Shop");
    assert_eq!(chat.own(), ["news", "shop"]);
    let consent = added.consent.unwrap();
    assert_eq!((consent.given, consent.way.as_str()), (true, "topics:+shop"));
    // The menu changes in place.
    assert_eq!(added.answers[0].tap, Some(Tap { id: "t".into(), message: Some(5), toast: None }));

    let left = chat.presses("✓ News");
    let consent = left.consent.unwrap();
    assert_eq!((consent.given, consent.way.as_str()), (false, "topics:-news"));
    // An old button says what it said.
    let again = chat.taps("1:cmd:topics:-news");
    assert!(again.consent.is_none() && chat.own() == ["shop"]);

    for (said, expected) in [
        ("/topics NEWS", &["news", "shop"][..]),
        ("/topics stiri", &["shop"]),
        ("/topics +Our shop", &["shop"]),
        ("/topics nothing", &["shop"]),
    ] {
        chat.says(said);
        assert_eq!(chat.own(), expected, "{said}");
    }
    assert!(text(&chat.says("/topics nothing")).starts_with("There is no such topic"));
    let none = chat.says("/topics -shop");
    assert!(text(&none).starts_with("You get none of our topics now."));
    assert_eq!((chat.person().standing, chat.own()), (Standing::Active, vec![]));
}

#[test]
fn whoever_stopped_gets_what_they_choose_and_nothing_else() {
    let mut chat = Chat::bare(&["news", "shop"]);
    chat.says("/start");
    chat.says("stop");
    assert!(text(&chat.says("/topics")).starts_with("You get none"));
    assert_eq!(chat.labels(), ["News", "Our Shop", "‹ Settings"]);
    assert_eq!(chat.person().standing, Standing::Stopped, "looking is no yes");
    assert!(chat.presses("Our Shop").consent.unwrap().given);
    assert_eq!((chat.person().standing, chat.own()), (Standing::Active, vec!["shop"]));
    // So does a stranger.
    let mut chat = Chat::bare(&["news", "shop"]);
    chat.says("/topics news");
    assert_eq!((chat.person().standing, chat.own()), (Standing::Active, vec!["news"]));
    assert!(chat.person().is_counted());
}

#[test]
fn many_topics_come_in_pages_that_go_by_names() {
    let names: Vec<String> = (0..20).map(|at| format!("t{at:02}{}", "x".repeat(50))).collect();
    let topics: Vec<&str> = names.iter().map(String::as_str).collect();
    for kind in [ChannelKind::Telegram, ChannelKind::Messenger] {
        let mut chat = Chat::new(kind, &topics);
        chat.choosing.fields.clear();
        chat.says("/start");
        let first = chat.says("/topics");
        assert_eq!(chat.buttons.len(), 8 + 1 + 1);
        assert_eq!(text(&first).contains("✓ t00"), kind == ChannelKind::Messenger);
        let second = chat.presses("▶");
        assert_eq!(chat.buttons.len(), 8 + 2 + 1);
        let label = format!("✓ {}", names[10]);
        // It stays on its page.
        chat.presses(&label);
        assert!(chat.labels().contains(&names[10].as_str()) && chat.own().len() == 19);
        assert_eq!(second.answers[0].tap.as_ref().unwrap().message, Some(5));
        chat.presses("▶");
        assert_eq!(chat.buttons.len(), 4 + 1 + 1);
        chat.presses("◀");
        let onward = chat.buttons.iter().find(|(label, _)| label == "▶").unwrap().1.clone();
        // Topics come and go: the button leads to where it led.
        chat.topics.retain(|topic| !topic.as_str().starts_with("t16"));
        chat.taps(&onward);
        assert!(chat.buttons.len() >= 5);
    }
}

#[test]
fn the_chosen_language_outweighs_what_the_service_tells() {
    let mut chat = Chat::bare(&["news"]);
    chat.language = Some("en");
    chat.says("/start");
    chat.says("/language");
    assert_eq!(chat.labels(), ["English", "Română", "Português (BR)", "✓ Automatic", "‹ Settings"]);
    assert!(text(&chat.presses("Română")).starts_with("De acum îți scriu în română"));
    chat.says("hello");
    assert_eq!(chat.person().language.as_deref(), Some("ro"));
    assert!(text(&chat.says("/topics")).starts_with("Subiectele tale"));
    assert_eq!(chat.labels()[0], "✓ Știri");
    assert!(text(&chat.says("/language portugues (br)")).contains("Português (BR)"));
    assert!(text(&chat.says("/language klingon")).starts_with("I do not know that language"));
    chat.taps("1:cmd:language:auto");
    assert_eq!(chat.person().language.as_deref(), Some("en"));
    assert_eq!(chat.person().choices, None, "the usual costs nothing");
}

#[test]
fn how_often_a_topic_comes_is_chosen_for_each() {
    let mut chat = Chat::bare(&["events", "news", "shop"]);
    chat.says("/start newsANDshop");
    let menu = text(&chat.says("/frequency"));
    assert!(menu.contains("every day at 9:00") && menu.contains("on Monday"), "{menu}");
    assert_eq!(
        chat.labels(),
        ["News: at once", "Our Shop: at once", "🕘 9:00", "📅 Monday", "‹ Settings"]
    );
    chat.presses("News: at once");
    assert_eq!(chat.labels(), ["✓ at once", "once a day", "once a week", "‹ How often"]);
    let weekly = chat.presses("once a week");
    // Whose clock it is, is asked once it matters.
    assert!(text(&weekly).contains("/timezone") && text(&weekly).contains("14:00 on your clock"));
    chat.presses("🕘 9:00");
    chat.presses("18:00");
    chat.presses("📅 Monday");
    chat.presses("Friday");
    assert_eq!(chat.labels()[0], "News: once a week");
    let (person, zone) = (chat.person(), Zone::exactly("Europe/Bucharest"));
    let choices = person.choices.as_deref().unwrap();
    assert_eq!(
        (choices.pace(&name("news")), choices.pace(&name("shop"))),
        (Pace::Weekly, Pace::Once)
    );
    assert_eq!(
        (choices.hour.unwrap().to_string(), choices.day.unwrap().as_str()),
        ("18:00".into(), "fri")
    );
    assert_eq!(choices.clock, zone);
    let next = Timestamp::from_jiff("2026-12-04T16:00:00Z".parse().unwrap());
    assert_eq!(person.rests_until(&[name("news")], chat.now).unwrap().0, next);

    let noted = text(&chat.says("/frequency daily 7:30"));
    assert!(noted.starts_with("Noted: once a day, 7:30.\n\nHow often"), "{noted}");
    assert!(text(&chat.says("/settings")).contains("How often: once a day (7:30)"));
    let choices = chat.person().choices.as_deref().unwrap();
    assert_eq!(choices.paces, [(name("news"), Pace::Daily), (name("shop"), Pace::Daily)]);
    chat.says("/frequency Our shop once");
    let choices = chat.person().choices.as_deref().unwrap();
    assert_eq!(choices.paces, [(name("news"), Pace::Daily)]);
    assert!(text(&chat.says("/frequency whenever")).starts_with("I do not understand that."));
    // What is not theirs is not chosen.
    assert!(text(&chat.says("/frequency events weekly")).starts_with("I do not understand that."));
}

#[test]
fn where_there_are_no_topics_all_comes_so_often() {
    let mut chat = Chat::bare(&[]);
    chat.says("/start");
    assert!(text(&chat.says("/frequency")).starts_with("How often do you want the news?"));
    assert_eq!(chat.labels()[..3], ["✓ at once", "once a day", "once a week"]);
    chat.presses("once a week");
    assert_eq!(chat.labels()[2], "✓ once a week");
    assert_eq!(chat.person().pace(&[]), Pace::Weekly);
    assert!(text(&chat.says("/topics")).contains("everybody gets everything"));
}

#[test]
fn quiet_hours_are_chosen_and_taken_back() {
    let mut chat = Chat::bare(&["news"]);
    chat.says("/start");
    chat.says("/quiet");
    assert_eq!(chat.labels()[1], "22:00–7:00");
    let noted = text(&chat.presses("22:00–7:00"));
    assert!(noted.starts_with("I am quiet 22:00–7:00 by your clock, where it is 14:00"), "{noted}");
    assert!(noted.contains("/timezone"));
    chat.says("/timezone Bucharest");
    assert!(!text(&chat.says("/quiet 23:30-6")).contains("/timezone"));
    assert!(text(&chat.says("/settings")).contains("23:30–6:00"));
    assert!(text(&chat.says("/quiet whenever")).starts_with("I do not understand these hours."));
    assert!(chat.person().choices.as_ref().unwrap().quiet.is_some());
    chat.says("/quiet off");
    assert!(chat.person().choices.as_ref().is_none_or(|choices| choices.quiet.is_none()));
}

#[test]
fn the_newest_and_a_search_are_asked_of_the_shelf() {
    let mut chat = Chat::bare(&["news", "shop"]);
    chat.says("/start news");
    let lookup = |topics: &[&str], words: &str| {
        let topics = topics.iter().map(|topic| name(topic)).collect();
        Some(Lookup { topics, words: words.to_owned(), limit: 5, is_extra: false })
    };
    for (said, expected) in [
        ("/latest", lookup(&["news"], "")),
        ("/latest our shop", lookup(&["shop"], "")),
        ("noutăți", lookup(&["news"], "")),
        ("/latest gone", None),
        ("/search Red shoes", lookup(&["news"], "Red shoes")),
        ("search: red", lookup(&["news"], "red")),
        ("/search", None),
        ("/search !!!", None),
    ] {
        let turn = chat.says(said);
        assert_eq!(turn.lookup, expected, "{said}");
        assert_eq!(turn.answers.is_empty(), expected.is_some(), "{said}");
    }
    // A tap is acknowledged ahead of what is looked up.
    let turn = chat.taps("1:cmd:latest");
    assert!(turn.lookup.is_some() && turn.answers[0].tap.is_some());
    chat.says("stop");
    assert_eq!(chat.says("/latest").lookup, lookup(&[], ""));
}

#[test]
fn people_are_asked_of_themselves_one_by_one_and_may_skip() {
    let mut chat = Chat::new(ChannelKind::Messenger, &["news"]);
    let welcome = chat.says("/start");
    assert_eq!(text(&welcome), "Welcome.\n---\nYour city?");
    assert_eq!(chat.labels(), ["București", "Iași", "Skip"]);
    assert!(text(&chat.says("Cluj")).starts_with("Please choose one of these."));
    assert_eq!(text(&chat.says("iasi")), "Thank you, that is noted.\n\nYour age?");
    assert!(text(&chat.says("old enough")).starts_with("That is no number."));
    assert!(text(&chat.presses("Skip")).starts_with("All right."));
    assert_eq!((chat.told("city"), chat.told("age")), (Some("Iași"), None));
    assert_eq!(text(&chat.says("hello")), "What?", "nothing is asked any more");

    let list = text(&chat.says("/profile"));
    assert!(list.contains("city: Iași") && list.contains("age: –"), "{list}");
    chat.presses("city");
    assert_eq!(chat.labels(), ["București", "✓ Iași", "Forget it"]);
    chat.presses("București");
    assert_eq!(chat.told("city"), Some("București"));
    chat.says("/profile shoe 42½, wide");
    assert_eq!(chat.told("shoe"), Some("42½, wide"));
    chat.says("/profile");
    chat.presses("shoe");
    chat.presses("Forget it");
    assert_eq!(chat.told("shoe"), None);
}

#[test]
fn commands_win_over_what_was_asked_and_time_ends_it() {
    let mut chat = Chat::new(ChannelKind::Telegram, &["news"]);
    chat.says("/start");
    chat.says("/topics");
    assert_eq!(text(&chat.says("Iași")), "Thank you, that is noted.\n\nYour age?");
    chat.says("/profile city");
    chat.presses("Forget it");
    chat.says("/profile city");
    chat.now = chat.now + ASKED_FOR;
    assert_eq!(text(&chat.says("Iași")), "What?");
    assert_eq!(chat.told("city"), None);
    chat.says("/profile city");
    assert_eq!(text(&chat.taps(STOP_PAYLOAD)), "Goodbye.");
    assert_eq!(chat.told("city"), None);
    // A field that is gone from the settings.
    chat.says("/profile city");
    let stale = chat.buttons[0].1.clone();
    chat.choosing.fields.remove(0);
    assert!(text(&chat.taps(&stale)).contains("age: –"));
}

#[test]
fn the_menu_leads_everywhere_and_back() {
    let mut chat = Chat::new(ChannelKind::Telegram, &["news", "shop"]);
    chat.says("/start");
    let shown = text(&chat.says("/settings"));
    assert!(shown.contains("Your topics: 2 / 2"), "{shown}");
    let leads = ["Your topics", "How often", "Quiet hours", "Language", "About you"];
    for label in leads {
        let there = chat.presses(label);
        assert_eq!(there.answers[0].tap.as_ref().unwrap().message, Some(5), "{label}: in place");
        chat.presses("‹ Settings");
    }
    // What is no menu is answered by itself.
    let zone = chat.presses("Your time zone");
    assert_eq!(zone.answers[0].tap.as_ref().unwrap().message, None);
    assert_eq!(text(&chat.presses("Nothing more from us")), "Goodbye.");
}

#[test]
fn payloads_are_those_of_years_ago() {
    let kept: BTreeMap<&str, &str> = BTreeMap::from([
        ("1:cmd:topics:+shop", "Your topics."),
        ("1:cmd:topics:#00000000", "There is no such topic"),
        ("1:cmd:frequency:=shop daily", "How often"),
        ("1:cmd:frequency:hour", "At which hour?"),
        ("1:cmd:quiet:22-7", "I am quiet"),
        ("1:cmd:language:ro", "De acum"),
        ("1:cmd:settings:.", "Ce vrei"),
    ]);
    let mut chat = Chat::bare(&["news", "shop"]);
    chat.says("/start");
    chat.says("/topics -shop");
    for payload in [
        "1:cmd:topics:+shop",
        "1:cmd:topics:#00000000",
        "1:cmd:frequency:=shop daily",
        "1:cmd:frequency:hour",
        "1:cmd:quiet:22-7",
        "1:cmd:language:ro",
        "1:cmd:settings:.",
    ] {
        let said = text(&chat.taps(payload));
        assert!(said.starts_with(kept[payload]), "{payload}: {said}");
    }
}
