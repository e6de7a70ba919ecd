//! The ledger of consents, people brought by others, and people who are erased.

use tidings::model::event::Event;
use tidings::model::proof::{Audit, hash_of};
use tidings::store::{Arrivals, Arrived, Deletion, Erasure, Newcomer};

use super::*;

fn yes(way: &str, wording: &str) -> Consent {
    Consent { at: now(), number: 0, given: true, way: way.into(), wording: wording.into() }
}

async fn says(store: &dyn Store, address: &str, consent: Consent) {
    let turn = turn(store, "bot", address).await;
    let standing = if consent.given { Standing::Active } else { Standing::Stopped };
    let subscriber = Some(Subscriber { standing, ..person(address, &["news"]) });
    let turn = ConversationCommit { subscriber, consent: Some(consent), ..turn };
    store.commit_conversation(turn).await.unwrap();
}

async fn erase(store: &dyn Store, address: &str) -> Option<u32> {
    let erasure = Erasure {
        channel: name("bot"),
        address: address.into(),
        by: "admin",
        event: None,
        farewell: vec![],
        code: None,
        at: now(),
    };
    store.forget_person(erasure).await.unwrap()
}

fn arrivals(addresses: &[&str], is_dry: bool) -> Arrivals {
    let people = addresses.iter().map(|address| Newcomer {
        person: person(address, &["news"]),
        consented_at: now() - DAY,
        consented_by: None,
    });
    Arrivals { channel: name("bot"), people: people.collect(), way: "import:shop".into(), is_dry }
}

pub async fn each_consent_follows_the_one_before_and_shows_its_words(home: &mut Home) {
    let store = home.store();
    assert_eq!(store.audit_consents(None).await.unwrap(), Audit::default());
    says(store, "10", yes("start", "Welcome.")).await;
    let first = store.audit_consents(None).await.unwrap();
    says(store, "11", yes("start", "Welcome.")).await;
    says(store, "10", Consent { given: false, ..yes("stop", "Goodbye.") }).await;
    home.reopen();
    let store = home.store();
    let audit = store.audit_consents(Some(first.head)).await.unwrap();
    assert_eq!((audit.entries, audit.known, audit.fault.clone()), (3, 3, None));
    assert_eq!(audit.noted, Some(1), "what was noted is still there");
    assert_ne!(audit.head, first.head);
    assert_eq!(store.audit_consents(Some([1; 32])).await.unwrap().noted, None);

    let proofs = store.load_consents(&name("bot"), 0, 10).await.unwrap();
    assert_eq!(proofs.iter().map(|it| it.number).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(proofs[0].words.as_deref(), Some("Welcome."));
    assert_eq!(proofs[1].words.as_deref(), Some("Goodbye."));
    assert_eq!(proofs[0].entry.wording, Some(hash_of("Welcome.")));
    assert!(proofs[0].entry.given && !proofs[1].entry.given);
    let who = proofs[0].pseudonym.as_ref().unwrap();
    assert_eq!((who.address.as_str(), who.who(&name("bot"))), ("10", proofs[0].entry.who));
    let other = store.load_consents(&name("bot"), 1, 10).await.unwrap();
    assert_ne!(other[0].entry.who, proofs[0].entry.who);
}

pub async fn who_is_erased_leaves_a_proof_without_a_person(home: &mut Home) {
    let store = home.store();
    let bot = name("bot");
    says(store, "10", yes("start", "Welcome.")).await;
    says(store, "11", yes("start", "Welcome.")).await;
    store.commit_events(vec![event("bot", "late", "10")], None, now()).await.unwrap();
    converse(store, "10", Some(person("10", &["news"])), vec!["one", "two"]).await;
    let id = post_to_all(store).await;
    let claims = advance(store, "bot", vec![], 1).await;
    assert_eq!(words(&claims[0]), "one");

    assert_eq!(erase(store, "10").await, Some(0));
    assert_eq!(store.load_subscriber(&bot, "10").await.unwrap(), None);
    assert_eq!(store.load_subscribers(&bot).await.unwrap().len(), 1);
    assert_eq!(store.load_audience(&bot, &[name("news")]).await.unwrap(), [1]);
    assert_eq!(store.load_consents(&bot, 0, 10).await.unwrap(), []);
    assert!(store.lease_events(10).await.unwrap().is_empty(), "what waited goes too");
    let audit = store.audit_consents(None).await.unwrap();
    assert_eq!((audit.entries, audit.known, audit.fault), (3, 1, None));
    // What comes back of an answer on the wire is nobody's; the other recipient gets the post.
    let left = advance(store, "bot", vec![done(&claims[0], Outcome::Sent)], 9).await;
    assert_eq!(left.iter().map(|it| it.recipient.address.as_str()).collect::<Vec<_>>(), ["11"]);
    advance(store, "bot", vec![done(&left[0], Outcome::Sent)], 9).await;
    let counts = store.load_post(id).await.unwrap().unwrap().counts;
    assert_eq!((counts.planned, counts.sent, counts.skipped), (2, 1, 1));
    assert_eq!(erase(store, "10").await, None, "there is nobody");

    // An event from before comes late and changes nothing; a new one makes somebody new.
    let before = Event { at: now() - DAY, ..event("bot", "older", "10") };
    store.commit_events(vec![before], None, now()).await.unwrap();
    let (number, _) = store.lease_events(1).await.unwrap().remove(0);
    let turn = ConversationCommit {
        event: number,
        channel: bot.clone(),
        subscriber: Some(person("10", &["news"])),
        consent: Some(yes("start", "")),
        answers: vec![answer("hi")],
        releases_held: false,
    };
    store.commit_conversation(turn).await.unwrap();
    assert_eq!(store.load_subscriber(&bot, "10").await.unwrap(), None);
    assert!(advance(store, "bot", vec![], 9).await.is_empty());
    let after = Event { at: now() + DAY, ..event("bot", "newer", "10") };
    store.commit_events(vec![after], None, now()).await.unwrap();
    let (number, _) = store.lease_events(1).await.unwrap().remove(0);
    let turn = ConversationCommit {
        event: number,
        channel: bot.clone(),
        subscriber: Some(person("10", &["news"])),
        consent: Some(yes("start", "")),
        answers: vec![],
        releases_held: false,
    };
    store.commit_conversation(turn).await.unwrap();
    let back = store.load_subscriber(&bot, "10").await.unwrap().unwrap();
    assert_eq!(back.number, 2, "numbers are never given again");
    assert_eq!(store.load_consents(&bot, 2, 10).await.unwrap().len(), 1);
}

async fn post_to_all(store: &dyn Store) -> PostId {
    let audience = store.load_audience(&name("bot"), &[]).await.unwrap();
    let audiences = vec![(name("bot"), audience)];
    let commit = PostCommit { drafts: vec![], post: post("hello"), audiences };
    store.commit_post(commit).await.unwrap()
}

pub async fn the_one_who_erases_themselves_is_told_so_and_nothing_more(home: &mut Home) {
    let store = home.store();
    says(store, "10", yes("start", "Welcome.")).await;
    let wish = turn(store, "bot", "10").await;
    let erasure = Erasure {
        channel: name("bot"),
        address: "10".into(),
        by: "chat",
        event: Some(wish.event),
        farewell: vec![answer("gone")],
        code: None,
        at: now(),
    };
    assert_eq!(store.forget_person(erasure.clone()).await.unwrap(), Some(0));
    let error = store.forget_person(erasure).await.unwrap_err();
    assert!(matches!(error, StoreError::Missing { .. }), "{error}");
    let claims = advance(store, "bot", vec![], 9).await;
    assert_eq!(claims.iter().map(words).collect::<Vec<_>>(), ["gone"]);
    advance(store, "bot", vec![done(&claims[0], Outcome::Sent)], 9).await;
    assert_eq!(store.load_subscriber(&name("bot"), "10").await.unwrap(), None);
}

pub async fn arrivals_bring_nobody_back(home: &mut Home) {
    let store = home.store();
    let bot = name("bot");
    says(store, "10", yes("start", "Welcome.")).await;
    says(store, "11", Consent { given: false, ..yes("stop", "") }).await;
    says(store, "12", yes("start", "")).await;
    erase(store, "12").await;
    let all = ["10", "11", "12", "13", "14"];
    let expected = Arrived { added: 2, known: 1, kept_out: 1, erased: 1 };
    assert_eq!(store.take_in(arrivals(&all, true)).await.unwrap(), expected);
    assert_eq!(store.load_subscribers(&bot).await.unwrap().len(), 2, "it was only tried");
    assert_eq!(store.take_in(arrivals(&all, false)).await.unwrap(), expected);
    let again = Arrived { added: 0, known: 3, ..expected };
    assert_eq!(store.take_in(arrivals(&all, false)).await.unwrap(), again);
    assert_eq!(store.load_audience(&bot, &[name("news")]).await.unwrap(), [0, 3, 4]);
    let proofs = store.load_consents(&bot, 3, 10).await.unwrap();
    assert_eq!(proofs.len(), 1);
    let entry = &proofs[0].entry;
    assert_eq!((entry.way.as_str(), entry.at, entry.given), ("import:shop", now() - DAY, true));
    let audit = store.audit_consents(None).await.unwrap();
    assert_eq!((audit.entries, audit.fault), (6, None));
}

pub async fn people_are_read_page_by_page(home: &mut Home) {
    let store = home.store();
    store.import_subscribers(&name("bot"), people(10)).await.unwrap();
    let page = |from| async move {
        let people = store.load_people_from(&name("bot"), from, 4).await.unwrap();
        people.iter().map(|person| person.number).collect::<Vec<_>>()
    };
    assert_eq!(page(0).await, [0, 1, 2, 3]);
    assert_eq!(page(8).await, [8, 9]);
    assert!(page(10).await.is_empty());
}

pub async fn a_deletion_is_known_by_its_code_for_a_while(home: &mut Home) {
    let store = home.store();
    store.import_subscribers(&name("bot"), people(1)).await.unwrap();
    let asked = |at| {
        let (channel, code) = (name("bot"), Some("abc".to_owned()));
        let (event, farewell) = (None, vec![]);
        Erasure { channel, address: "1000".into(), by: "meta", event, farewell, code, at }
    };
    assert!(store.forget_person(asked(now())).await.unwrap().is_some());
    assert_eq!(store.forget_person(asked(now() + DAY)).await.unwrap(), None);
    let deletion = Deletion { at: now(), was_known: true };
    assert_eq!(store.load_deletion("abc").await.unwrap(), Some(deletion), "the first word stands");
    assert_eq!(store.load_deletion("abd").await.unwrap(), None);
    store.prune(now() + DAY * 89).await.unwrap();
    assert!(store.load_deletion("abc").await.unwrap().is_some());
    store.prune(now() + DAY * 91).await.unwrap();
    assert_eq!(store.load_deletion("abc").await.unwrap(), None);
}
