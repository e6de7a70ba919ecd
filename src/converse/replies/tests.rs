//! The conversation, table by table.

use super::*;
use crate::converse::commands;
use crate::converse::words::Choices;
use crate::model::zone::Zone;

const UNKNOWN: &str = "I do not know your time zone yet.";

fn words() -> Words {
    Words {
        welcome: Saying::new(&[("en", "Welcome."), ("ro", "Bun venit.")]),
        goodbye: Saying::new(&[("en", "Goodbye."), ("ro", "La revedere.")]),
        default_reply: Saying::new(&[("en", "Write stop to stop.")]),
        stranger_reply: Saying::new(&[("en", "Write start to start.")]),
        stop_label: Saying::new(&[("en", "Stop")]),
        start_label: Saying::new(&[("en", "Start")]),
        default_reply_every: Duration::from_secs(10),
        ..Words::default()
    }
}

fn topics() -> Vec<Name> {
    ["news", "shop"].iter().map(|name| Name::parse(name).unwrap()).collect()
}

struct Chat {
    kind: ChannelKind,
    person: Option<Subscriber>,
    name: Option<String>,
    now: Timestamp,
    words: Words,
    choosing: Choosing,
}

impl Chat {
    fn new(kind: ChannelKind) -> Self {
        let now = Timestamp::from_millis(1_000_000_000);
        let choosing = Choosing::default();
        Self { kind, person: None, name: None, now, words: words(), choosing }
    }

    fn at(&mut self, at: Timestamp, deed: Deed) -> Turn {
        let event = Event {
            channel: Name::parse("bot").unwrap(),
            id: at.as_millis().to_string(),
            at,
            address: "7".into(),
            language: None,
            first_name: self.name.clone(),
            deed,
        };
        let topics = topics();
        let (words, topics, choosing) = (&self.words, &topics, &self.choosing);
        let setting = Setting { words, topics, choosing, kind: self.kind, is_watching: false };
        let turn = respond(self.person.as_ref(), &event, &setting, self.now);
        if let Some(person) = &turn.subscriber {
            self.person = Some(person.clone());
        }
        turn
    }

    fn then(&mut self, deed: Deed) -> Turn {
        self.now = self.now + Duration::from_secs(60);
        self.at(self.now, deed)
    }

    fn says(&mut self, text: &str) -> Turn {
        self.then(Deed::Said { text: text.to_owned() })
    }

    fn standing(&self) -> Standing {
        self.person.as_ref().unwrap().standing
    }
}

fn said(turn: &Turn) -> Vec<String> {
    turn.answers
        .iter()
        .flat_map(|answer| &answer.message.modules)
        .map(|module| match module {
            Module::Text { text, .. } => text.plain(),
            other => panic!("answers are texts, not {other:?}"),
        })
        .collect()
}

#[test]
fn start_subscribes_to_all_topics_and_is_welcomed() {
    for text in ["/start", "start", "Start!", " START "] {
        let mut chat = Chat::new(ChannelKind::Telegram);
        let turn = chat.says(text);
        assert_eq!(said(&turn), ["Welcome."], "{text}");
        assert_eq!(chat.standing(), Standing::Active);
        assert_eq!(chat.person.as_ref().unwrap().topics, topics());
        assert!(turn.consent.unwrap().given);
    }
}

#[test]
fn whoever_was_only_named_joins_with_their_start_and_not_before() {
    let mut chat = Chat::new(ChannelKind::Telegram);
    chat.says("/start");
    let named = chat.person.as_mut().unwrap();
    (named.joined_at, named.number) = (Timestamp::default(), crate::model::subscriber::CHATS_FROM);
    named.topics = vec![];
    chat.says("hello");
    assert!(!chat.person.as_ref().unwrap().is_counted());
    chat.says("/start");
    let person = chat.person.as_ref().unwrap();
    assert!(person.is_counted() && person.joined_at == chat.now, "{person:?}");
    let joined_at = person.joined_at;
    chat.says("/start");
    assert_eq!(chat.person.as_ref().unwrap().joined_at, joined_at);
}

#[test]
fn a_start_link_subscribes_to_its_topic_and_an_unknown_one_to_all() {
    for (payload, expected) in [
        ("news", vec!["news"]),
        ("gone", vec!["news", "shop"]),
        ("shopANDnews", vec!["news", "shop"]),
        ("shopANDgone", vec!["shop"]),
    ] {
        let mut chat = Chat::new(ChannelKind::Telegram);
        chat.then(Deed::Started { payload: Some(payload.to_owned()) });
        let topics = &chat.person.as_ref().unwrap().topics;
        let names: Vec<&str> = topics.iter().map(Name::as_str).collect();
        assert_eq!(names, expected, "{payload}");
    }
}

#[test]
fn a_start_link_that_is_typed_starts_too() {
    for (text, expected) in
        [("/start shopANDnews", vec!["news", "shop"]), ("/START Shop.", vec!["shop"])]
    {
        let mut chat = Chat::new(ChannelKind::Messenger);
        chat.says(text);
        let topics = &chat.person.as_ref().unwrap().topics;
        assert_eq!(topics.iter().map(Name::as_str).collect::<Vec<_>>(), expected, "{text}");
    }
}

#[test]
fn stop_works_in_every_way_and_is_answered_once() {
    for text in ["/stop", "stop", "Stop.", "STOP!", "/stop@news_bot"] {
        let mut chat = Chat::new(ChannelKind::Telegram);
        chat.says("/start");
        assert_eq!(said(&chat.says(text)), ["Goodbye."], "{text}");
        assert_eq!(chat.standing(), Standing::Stopped);
        assert!(chat.says(text).answers.is_empty(), "answered once");
    }
}

#[test]
fn a_tap_is_always_acknowledged() {
    let mut chat = Chat::new(ChannelKind::Telegram);
    chat.says("/start");
    let tap = |id: &str| Deed::Tapped { payload: STOP_PAYLOAD.into(), tap: Some(id.into()) };
    let first = chat.then(tap("a"));
    assert_eq!(first.answers[0].tap, Some("a".into()));
    assert_eq!(said(&first), ["Goodbye."]);
    let second = chat.then(tap("b"));
    assert_eq!(second.answers.len(), 1);
    let toast = Some("You already get nothing from us.".to_owned());
    assert_eq!(second.answers[0].tap, Some(Tap { toast, ..Tap::from("b") }));
    assert!(second.answers[0].message.modules.is_empty());
    let foreign = chat.then(Deed::Tapped { payload: "x".into(), tap: Some("c".into()) });
    assert_eq!(foreign.answers[0].tap, Some("c".into()));
}

#[test]
fn unknown_text_gets_the_default_reply_but_not_in_a_burst() {
    let mut chat = Chat::new(ChannelKind::Telegram);
    assert_eq!(said(&chat.says("what is this")), ["Write start to start."]);
    let soon = chat.now + Duration::from_secs(1);
    chat.now = soon;
    assert!(chat.at(soon, Deed::SentMedia).answers.is_empty());
    assert_eq!(said(&chat.says("hello?")), ["Write start to start."]);
    assert_eq!(chat.standing(), Standing::Stopped, "writing is no subscription");
    chat.says("start");
    assert_eq!(said(&chat.says("hello?")), ["Write stop to stop."]);
}

#[test]
fn an_editors_reply_answers_what_is_no_command() {
    let choices = Choices {
        lists: vec![(String::new(), vec![Button::new("Map", Action::Open { url: "u".into() })])],
    };
    let when = ["open", "stop"].map(str::to_owned);
    let reply = Keyword::new(&when, None, Saying::new(&[("en", "From 9 to 18.")]), choices);
    let words = Words { replies: vec![reply], ..words() };
    for (text, answer) in [
        ("When do you OPEN?", "From 9 to 18."),
        ("where is the bus stop", "From 9 to 18."),
        ("please stop", "Goodbye."),
        ("stop", "Goodbye."),
        ("start", "Welcome."),
        ("opening", "Write start to start."),
    ] {
        let mut chat = Chat { words: words.clone(), ..Chat::new(ChannelKind::Telegram) };
        assert_eq!(said(&chat.says(text)), [answer], "{text}");
    }
}

#[test]
fn help_lists_what_can_be_written() {
    let mut chat = Chat::new(ChannelKind::Messenger);
    let told = said(&chat.says("help")).concat();
    for row in &commands::COMMANDS {
        assert!(told.contains(&format!("/{} – {}", row.name, row.line("en"))), "{told}");
    }
    assert_eq!(chat.standing(), Standing::Stopped, "asking is no subscription");
    chat.person.as_mut().unwrap().language = Some("it-ch".into());
    assert!(said(&chat.says("Aiuto!")).concat().contains("/stop – Non voglio più messaggi"));
}

#[test]
fn a_welcome_carries_buttons_and_asks_for_the_newest() {
    let mut chat = Chat::new(ChannelKind::Telegram);
    assert_eq!(chat.says("/start").lookup, None);
    let button = Button::new("Shop", Action::Open { url: "u".into() });
    let welcome_buttons = Choices { lists: vec![(String::new(), vec![button.clone()])] };
    chat.words = Words { welcome_buttons, welcome_items: 2, ..words() };
    let turn = chat.says("/start");
    let lookup = turn.lookup.unwrap();
    assert_eq!((lookup.limit, lookup.is_extra), (2, true));
    let Module::Text { buttons, .. } = &turn.answers[0].message.modules[0] else {
        panic!("answers are texts")
    };
    assert_eq!(buttons[0], button);
    assert_eq!(buttons[1].action, Action::Postback { payload: STOP_PAYLOAD.into() });
}

#[test]
fn blocking_is_honoured_and_unblocking_brings_back_who_had_not_stopped() {
    let mut chat = Chat::new(ChannelKind::Telegram);
    chat.says("/start");
    assert!(!chat.then(Deed::Blocked).consent.unwrap().given);
    assert_eq!(chat.standing(), Standing::Blocked);
    assert!(chat.then(Deed::Unblocked).answers.is_empty());
    assert_eq!(chat.standing(), Standing::Active);
    chat.says("stop");
    chat.then(Deed::Blocked);
    chat.then(Deed::Unblocked);
    assert_eq!(chat.standing(), Standing::Stopped);
}

#[test]
fn sec_w08_late_events_change_nothing_and_stop_wins_ties() {
    let mut chat = Chat::new(ChannelKind::Telegram);
    chat.says("/start");
    chat.says("stop");
    let stopped_at = chat.now;
    let late = chat.at(stopped_at - Duration::from_secs(5), Deed::Started { payload: None });
    assert_eq!(late, Turn::default());
    let tie = chat.at(stopped_at, Deed::Started { payload: None });
    assert_eq!(tie, Turn::default());
    assert_eq!(chat.standing(), Standing::Stopped);
    let mut chat = Chat::new(ChannelKind::Telegram);
    chat.says("/start");
    chat.at(chat.now, Deed::Said { text: "stop".into() });
    assert_eq!(chat.standing(), Standing::Stopped);
}

#[test]
fn a_deed_opens_messengers_window_for_a_day() {
    let mut chat = Chat::new(ChannelKind::Messenger);
    let turn = chat.then(Deed::Started { payload: None });
    assert_eq!(chat.person.as_ref().unwrap().window_until, Some(chat.now + WINDOW));
    assert!(turn.releases_held);
    let reacted = chat.then(Deed::Reacted);
    assert!(reacted.answers.is_empty() && reacted.releases_held);
    assert_eq!(chat.person.as_ref().unwrap().window_until, Some(chat.now + WINDOW));
}

#[test]
fn nothing_held_is_released_to_who_has_stopped() {
    let mut chat = Chat::new(ChannelKind::Messenger);
    chat.then(Deed::Started { payload: None });
    assert!(!chat.says("stop").releases_held);
}

#[test]
fn the_answer_is_in_the_persons_language() {
    let mut chat = Chat::new(ChannelKind::Telegram);
    chat.says("/start");
    chat.person.as_mut().unwrap().language = Some("ro-ro".into());
    assert_eq!(said(&chat.says("stop")), ["La revedere."]);
}

#[test]
fn a_time_zone_is_told_in_the_chat() {
    let mut chat = Chat::new(ChannelKind::Telegram);
    chat.says("/start");
    assert_eq!(said(&chat.says("/timezone"))[0].lines().next(), Some(UNKNOWN));
    // It is 13:46 in UTC on the twelfth day of 1970, and later with each word.
    for (text, zone, answer) in [
        ("/timezone Europe/Bucharest", "Europe/Bucharest", "Europe/Bucharest: it is 15:49"),
        ("Timezone NEW YORK!", "America/New_York", "America/New_York: it is 08:50"),
        ("/timezone@news_bot +5:30", "+05:30", "UTC+05:30: it is 19:21"),
        ("/timezone", "+05:30", "UTC+05:30: it is 19:22"),
        ("/timezone nowhere", "+05:30", "I know no such time zone."),
    ] {
        let turn = chat.says(text);
        assert!(said(&turn)[0].contains(answer), "{text}: {:?}", said(&turn));
        assert_eq!(turn.consent, None);
        let kept = chat.person.as_ref().unwrap().timezone.as_ref();
        assert_eq!(kept.map(Zone::as_str), Some(zone), "{text}");
        assert_eq!(chat.standing(), Standing::Active);
    }
    chat.person.as_mut().unwrap().language = Some("ro-md".into());
    assert!(said(&chat.says("fus orar Chisinau"))[0].starts_with("Ceasul tău este cel din"));
}

#[test]
fn who_has_stopped_stays_so_whatever_time_zone_they_tell() {
    let mut chat = Chat::new(ChannelKind::Telegram);
    chat.says("/start");
    chat.says("stop");
    chat.says("/timezone Rome");
    assert_eq!(chat.standing(), Standing::Stopped);
}

#[test]
fn people_are_asked_for_their_time_zone_where_it_matters() {
    let mut chat = Chat::new(ChannelKind::Telegram);
    chat.words.asks_zone = true;
    assert!(said(&chat.says("/start"))[0].contains("/timezone Bucharest"));
    assert!(said(&chat.says("hello"))[0].contains("/timezone Bucharest"));
    chat.says("/timezone Bucharest");
    assert_eq!(said(&chat.says("/start")), ["Welcome."]);
}

#[test]
fn the_newest_name_is_kept() {
    let mut chat = Chat::new(ChannelKind::Telegram);
    for (told, kept) in [(Some("Ana"), "Ana"), (None, "Ana"), (Some("Anca"), "Anca")] {
        chat.name = told.map(str::to_owned);
        chat.says("/start");
        assert_eq!(chat.person.as_ref().unwrap().first_name.as_deref(), Some(kept));
    }
    chat.name = Some("Old".to_owned());
    chat.at(chat.now - Duration::from_secs(1), Deed::Said { text: "late".into() });
    assert_eq!(chat.person.as_ref().unwrap().first_name.as_deref(), Some("Anca"));
}

#[test]
fn a_stranger_who_only_blocks_leaves_no_record() {
    let mut chat = Chat::new(ChannelKind::Telegram);
    assert_eq!(chat.then(Deed::Blocked), Turn::default());
}

#[test]
fn a_chat_that_moved_keeps_its_record_under_the_new_address() {
    let mut chat = Chat::new(ChannelKind::Telegram);
    chat.says("/start");
    let turn = chat.then(Deed::Moved { to: "-1001".into() });
    assert_eq!(turn.subscriber.unwrap().address, "-1001");
}
