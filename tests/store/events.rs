//! Events beside the usual: those that fail, what people did lately, and the chats that bots are in.

use tidings::model::chat::{ChatKind, ChatSeen};
use tidings::model::event::EventWord;
use tidings::model::recent::{Lately, Recent};

use tidings::store::Beside;

use super::*;

pub async fn an_event_that_fails_too_often_is_put_aside(home: &mut Home) {
    let events = vec![event("bot", "1", "8"), event("bot", "2", "9")];
    home.store().commit_events(events, None, now()).await.unwrap();
    let fail = async |home: &Home, counted| {
        home.store().fail_event(1, "w".repeat(1_000), counted, now()).await.unwrap()
    };
    assert!(!fail(home, false).await);
    home.store().note_tries(vec![1, 2]).await.unwrap();
    assert!(!fail(home, true).await);
    assert_eq!(home.store().load_tries(&[1, 2, 3]).await.unwrap(), [2, 1, 0]);
    home.reopen();
    assert!(fail(home, false).await);
    let store = home.store();
    let [(1, aside)] = &store.load_aside(10).await.unwrap()[..] else { panic!("one is aside") };
    assert_eq!((aside.tries, aside.event.id.as_str(), aside.why.len()), (3, "1", 300));
    assert_eq!(store.lease_events(10).await.unwrap().len(), 1);
    let status = store.load_status().await.unwrap();
    assert_eq!((status.events, status.events_aside), (1, 1));
    // It is done with: nobody counts it any more.
    assert!(fail(home, false).await);

    let store = home.store();
    assert_eq!(store.commit_event_word(vec![7], EventWord::Drop).await.unwrap(), 0);
    assert_eq!(store.commit_event_word(vec![], EventWord::Retry).await.unwrap(), 1);
    let leased = store.lease_events(10).await.unwrap();
    assert_eq!(leased.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(store.load_tries(&[1]).await.unwrap(), [0]);
    store.note_tries(vec![1; 3]).await.unwrap();
    assert!(fail(home, true).await);
    let store = home.store();
    assert_eq!(store.commit_event_word(vec![1], EventWord::Drop).await.unwrap(), 1);
    assert_eq!(store.load_aside(10).await.unwrap().len(), 0);
}

pub async fn what_somebody_did_lately_is_kept_for_two_days(home: &mut Home) {
    let store = home.store();
    let stranger = turn(store, "bot", "9").await;
    let lately = |id: &str, at: Timestamp| {
        let event = Event { at, ..event("bot", id, "9") };
        Recent { base: None, events: vec![Lately::of(&event)], after: None }
    };
    let beside = |id: &str, at| Beside { recent: Some(lately(id, at)), ..Beside::default() };
    // Nobody is known there: it is kept of nobody.
    store.commit_turn(stranger, beside("1", now())).await.unwrap();
    assert_eq!(store.load_recent(&name("bot"), "9").await.unwrap(), None);
    for (id, at) in [("2", now()), ("3", now() + seconds(60))] {
        let subscriber = Some(person("9", &["news"]));
        let turn = ConversationCommit { subscriber, ..turn(store, "bot", "9").await };
        store.commit_turn(turn, beside(id, at)).await.unwrap();
        assert_eq!(store.load_recent(&name("bot"), "9").await.unwrap(), Some(lately(id, at)));
    }
    assert_eq!(store.load_recent(&name("page"), "9").await.unwrap(), None);
    assert_eq!(store.prune(now() + 2 * DAY).await.unwrap(), 0);
    assert_eq!(store.prune(now() + 2 * DAY + seconds(61)).await.unwrap(), 1);
    assert_eq!(store.load_recent(&name("bot"), "9").await.unwrap(), None);
}

pub async fn chats_that_let_a_bot_in_are_listed_until_they_send_it_away(home: &mut Home) {
    let store = home.store();
    let chat = |kind, may_post| ChatSeen { kind, title: Some("t".into()), may_post, at: now() };
    let (bot, page) = (name("bot"), name("page"));
    let group = chat(ChatKind::Group, true);
    for (address, chat) in [
        ("-5", group.clone()),
        ("-1001", chat(ChatKind::Channel, false)),
        ("-1001", chat(ChatKind::Channel, true)),
    ] {
        store.commit_chat(&bot, address, Some(chat)).await.unwrap();
    }
    let channel = ("-1001".to_owned(), chat(ChatKind::Channel, true));
    let listed = store.load_chats(&bot, 10).await.unwrap();
    assert_eq!(listed, [channel.clone(), ("-5".to_owned(), group)]);
    assert_eq!(store.load_chats(&bot, 1).await.unwrap(), [channel.clone()]);
    assert_eq!(store.load_chats(&page, 10).await.unwrap(), []);
    store.commit_chat(&bot, "-5", None).await.unwrap();
    store.commit_chat(&bot, "-6", None).await.unwrap();
    assert_eq!(store.load_chats(&bot, 10).await.unwrap(), [channel]);
}
