//! Reminders, and how channels show themselves.

use tidings::store::ShownFacet;

use super::*;

/// The people of the channel by address, and when each was told what they get.
async fn told_of(store: &dyn Store) -> Vec<(String, Option<Timestamp>)> {
    let people = store.load_told(&name("bot"), None, 10).await.unwrap();
    people.into_iter().map(|(person, at)| (person.address, at)).collect()
}

pub async fn a_reminder_is_an_answer_and_is_kept_with_it(home: &mut Home) {
    let bot = name("bot");
    let gone = Subscriber { standing: Standing::Stopped, ..person("3", &["news"]) };
    let people = vec![person("1", &["news"]), person("2", &["news"]), gone];
    home.store().import_subscribers(&bot, people).await.unwrap();
    let reminders = vec![(0, answer("you get news")), (2, answer("you get news"))];
    let store = home.store();
    assert_eq!(store.commit_reminders(&bot, reminders.clone(), now()).await.unwrap(), 1);
    // Saying it again reminds nobody twice; a number that is nobody's does no harm.
    assert_eq!(store.commit_reminders(&bot, reminders, now()).await.unwrap(), 0);
    assert_eq!(store.commit_reminders(&bot, vec![(9, answer("x"))], now()).await.unwrap(), 0);
    home.reopen();
    let expected = [("1", Some(now())), ("2", None), ("3", None)];
    assert_eq!(told_of(home.store()).await, expected.map(|(who, at)| (who.to_owned(), at)));
    let claims = advance(home.store(), "bot", vec![], 10).await;
    let addresses: Vec<&str> = claims.iter().map(|it| it.recipient.address.as_str()).collect();
    assert_eq!(addresses, ["1"]);
    let rest = home.store().load_told(&bot, Some(0), 1).await.unwrap();
    assert_eq!(rest.iter().map(|(person, _)| person.number).collect::<Vec<_>>(), [1]);
}

pub async fn whoever_is_welcomed_was_told_what_they_get(home: &mut Home) {
    let store = home.store();
    store.commit_events(vec![event("bot", "1", "1")], None, now()).await.unwrap();
    let (number, event) = store.lease_events(1).await.unwrap().remove(0);
    let consent =
        Consent { at: now(), number: 0, given: true, way: "start".into(), wording: "ff".into() };
    let turn = ConversationCommit {
        event: number,
        channel: event.channel,
        subscriber: Some(person("1", &["news"])),
        consent: Some(consent),
        answers: vec![],
        releases_held: false,
    };
    store.commit_conversation(turn).await.unwrap();
    assert_eq!(told_of(store).await, [("1".to_owned(), Some(now()))]);
}

pub async fn what_a_channel_shows_is_kept_by_key(home: &mut Home) {
    let (bot, page) = (name("bot"), name("page"));
    let facet = |byte| ShownFacet { hash: [byte; 16], is_left: byte == 2 };
    let some = |key: &str, byte| (key.to_owned(), Some(facet(byte)));
    let store = home.store();
    let facets = vec![some("commands:ro", 1), some("description", 2)];
    store.commit_shown_facets(&bot, facets).await.unwrap();
    store.commit_shown_facets(&page, vec![some("greeting", 3)]).await.unwrap();
    let facets = vec![some("commands:ro", 4), ("gone".to_owned(), None)];
    store.commit_shown_facets(&bot, facets).await.unwrap();
    home.reopen();
    let expected = [("commands:ro".to_owned(), facet(4)), ("description".to_owned(), facet(2))];
    assert_eq!(home.store().load_shown_facets(&bot).await.unwrap(), expected);
    let store = home.store();
    store.commit_shown_facets(&bot, vec![("description".to_owned(), None)]).await.unwrap();
    assert_eq!(store.load_shown_facets(&bot).await.unwrap().len(), 1);
    assert_eq!(store.load_shown_facets(&page).await.unwrap().len(), 1);
}
