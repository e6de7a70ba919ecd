//! Dialogues about what is asked, what is listened to, and who comes back.

use super::*;
use crate::converse::replies::START_PAYLOAD;
use crate::converse::watch::{Asked, Of};

#[test]
fn a_question_stands_until_it_is_answered() {
    let mut chat = Chat::new(ChannelKind::Telegram, &["news"]);
    chat.says("/start");
    // What does not fit is another's to answer.
    assert_eq!(text(&chat.says("what is the price?")), "It is free.");
    assert!(text(&chat.says("Cluj")).starts_with("Please choose one of these."));
    chat.presses("Iași");
    assert_eq!(chat.told("city"), Some("Iași"));
    assert_eq!(text(&chat.says("30")), "Thank you, that is noted.");
    // To start anew asks what was never answered; a text is an answer, whatever it is.
    chat.says("/profile age");
    chat.presses("Forget it");
    assert_eq!(text(&chat.says("/start")), "Welcome.\n---\nYour age?");
    chat.says("/profile shoe");
    chat.says("the price of it");
    assert_eq!(chat.told("shoe"), Some("the price of it"));
    chat.says("/profile city");
    chat.says("stop");
    assert_eq!(text(&chat.says("București")), "Who?", "nothing is asked of who has left");
}

#[test]
fn what_is_asked_for_is_listened_to() {
    let mut chat = Chat::bare(&["news"]);
    chat.says("/start");
    assert!(text(&chat.taps("1:cmd:search")).starts_with("What are you looking for?"));
    let found = chat.says("red shoes");
    assert_eq!(found.lookup.map(|lookup| lookup.words), Some("red shoes".to_owned()));
    assert_eq!(text(&chat.says("red shoes")), "What?", "once");
    let product = |turn: Turn| match turn.watch {
        Some(Asked::Make { of: Of::Words(words), .. }) => words.join(" "),
        other => panic!("{other:?}"),
    };
    assert_eq!(chat.says("/watch").watch, Some(Asked::Help));
    assert_eq!(product(chat.says("Red kettle")), "red kettle");
    chat.now = chat.now + Duration::from_secs(60);
    assert_eq!(text(&chat.says("thanks")), "What?");
    chat.choosing.has_products = false;
    chat.says("/watch");
    chat.now = chat.now + Duration::from_secs(60);
    assert_eq!(text(&chat.says("red kettle")), "What?");
}

#[test]
fn plain_words_take_what_follows_where_it_fits() {
    let mut chat = Chat::bare(&["news", "shop"]);
    chat.says("/start");
    let topics = |turn: Turn| turn.lookup.map(|lookup| lookup.topics);
    assert_eq!(topics(chat.says("latest news")), Some(vec![name("news")]));
    assert_eq!(topics(chat.says("Latest Our Shop!")), Some(vec![name("shop")]));
    assert_eq!(topics(chat.says("latest fashion")), None);
    assert!(text(&chat.says("quiet 22-7")).starts_with("I am quiet 22:00–7:00"));
    chat.says("topics our shop");
    assert_eq!(chat.own(), ["news"]);
    chat.says("how often: weekly");
    assert_eq!(chat.person().pace(&[name("news")]), Pace::Weekly);
    assert!(text(&chat.says("language română")).starts_with("De acum"));
}

#[test]
fn who_comes_back_has_what_they_had() {
    let mut chat = Chat::bare(&["events", "news", "shop"]);
    let agreed = |turn: Turn| turn.consent.unwrap().wording;
    assert_eq!(agreed(chat.says("/start news")), "Welcome.\n[news]");
    assert_eq!(agreed(chat.says("/start")), "Welcome.\n[news]");
    chat.says("stop");
    chat.taps(START_PAYLOAD);
    assert_eq!((chat.person().standing, chat.own()), (Standing::Active, vec!["news"]));
    chat.says("stop");
    chat.says("/start shop");
    assert_eq!(chat.own(), ["news", "shop"]);
    chat.says("/topics -news");
    chat.says("/topics -shop");
    assert_eq!(agreed(chat.says("/start")), "Welcome.\n[events, news, shop]");
}

#[test]
fn a_group_is_told_commands_and_asked_nothing() {
    let mut chat = Chat::new(ChannelKind::Telegram, &["news"]);
    chat.address = "-100";
    assert_eq!(text(&chat.says("/start")), "Welcome.\nIn this group: /stop");
    assert!(text(&chat.says("/search")).contains("/search shoes"));
    assert!(chat.person().choices.is_none());
}

#[test]
fn a_message_that_is_changed_to_stop_stops() {
    let mut chat = Chat::bare(&["news"]);
    chat.says("/start");
    let edited = |text: &str| Deed::Edited { text: text.to_owned() };
    assert!(chat.then(edited("start the car")).answers.is_empty());
    assert!(chat.then(edited("/topics news")).answers.is_empty());
    assert_eq!(chat.own(), ["news"]);
    assert_eq!(text(&chat.then(edited("STOP"))), "Goodbye.");
    assert!(chat.then(edited("/start")).answers.is_empty());
    assert_eq!(chat.person().standing, Standing::Stopped);
}
