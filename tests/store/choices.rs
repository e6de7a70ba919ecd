//! What people have chosen to get later, and when it comes.

use std::collections::BTreeSet;

use tidings::model::choice::{Choices, Minute, Pace, Quiet, Wait, Weekday};
use tidings::model::control::Priority;
use tidings::model::lane::{Beyond, Lane, Template, Ways};
use tidings::model::zone::Zone;

use super::*;

/// An hour of the day after the test's own.
fn hour(days: u32, hour: u64) -> Timestamp {
    let day = now().as_millis().div_euclid(86_400_000);
    Timestamp::from_millis(day * 86_400_000) + DAY * days + seconds(hour * 3_600)
}

fn chosen(address: &str, topics: &[&str], choose: impl FnOnce(&mut Choices)) -> Subscriber {
    let mut choices = Choices::default();
    choose(&mut choices);
    Subscriber { choices: Some(Box::new(choices)), ..person(address, topics) }
}

fn daily(topic: &str) -> impl FnOnce(&mut Choices) {
    let topic = name(topic);
    move |choices| choices.set_pace(&topic, Pace::Daily)
}

/// A post for these topics' people.
async fn tell(store: &dyn Store, title: &str, topics: &[&str]) -> PostId {
    tell_as(store, topics, post(title)).await
}

async fn tell_as(store: &dyn Store, topics: &[&str], post: Post) -> PostId {
    let topics: Vec<Name> = topics.iter().map(|topic| name(topic)).collect();
    let audience = store.load_audience(&name("bot"), &topics).await.unwrap();
    let post = Post { topics, ..post };
    let audiences = vec![(name("bot"), audience)];
    store.commit_post(PostCommit { drafts: vec![], post, audiences }).await.unwrap()
}

/// Claims everything at an instant and says that it arrived: who got what.
async fn arrives(store: &dyn Store, ways: &Ways, at: Timestamp) -> Vec<(String, String)> {
    let mut arrived = Vec::new();
    let mut receipts = Vec::new();
    loop {
        let step = Advance {
            channel: name("bot"),
            receipts: std::mem::take(&mut receipts),
            claims: 100,
            resting: vec![],
            caps: None,
            ways: ways.clone(),
            now: at,
        };
        let claims = store.advance(step).await.unwrap();
        if claims.is_empty() {
            return arrived;
        }
        for claim in &claims {
            let what = match &claim.work {
                Work::Delivery { post, .. } => format!("post {post}"),
                Work::Answer { .. } => words(claim),
            };
            arrived.push((claim.recipient.address.clone(), what));
            receipts.push(made::done(claim, Outcome::Sent));
        }
    }
}

fn to(address: &str, what: &str) -> (String, String) {
    (address.to_owned(), what.to_owned())
}

pub async fn what_people_get_once_a_day_comes_at_their_hour_as_one(home: &mut Home) {
    let store = home.store();
    let bot = name("bot");
    let eight = |choices: &mut Choices| {
        choices.set_pace(&name("news"), Pace::Daily);
        choices.hour = Minute::read("8");
        choices.clock = Zone::exactly("+02:00");
    };
    let people = vec![
        person("1", &["news"]),
        chosen("2", &["news"], daily("news")),
        chosen("3", &["news"], eight),
        chosen("4", &["news", "shop"], daily("news")),
    ];
    store.import_subscribers(&bot, people).await.unwrap();
    let ways = Ways::default();
    let first = tell(store, "one", &["news"]).await;
    assert_eq!(arrives(store, &ways, now()).await, [to("1", "post 1")]);
    // Whoever has another of its topics at once gets it at once.
    tell(store, "two", &["news", "shop"]).await;
    let both = [to("1", "post 2"), to("4", "post 2")];
    assert_eq!(arrives(store, &ways, now() + seconds(60)).await, both);
    let urgent = Post { priority: Priority::HIGH, ..post("urgent") };
    tell_as(store, &["news"], urgent).await;
    assert_eq!(arrives(store, &ways, now() + seconds(90)).await.len(), 4, "urgent ones go to all");

    let delivery = store.load_delivery(first, &bot, 1).await.unwrap().unwrap();
    assert_eq!((delivery.outcome, delivery.wait), (Outcome::Held, Wait::Daily));
    assert_eq!(delivery.carried_until, Some(hour(1, 9)));
    let report = store.load_report(first, now()).await.unwrap().unwrap();
    assert_eq!((report.rests, report.carried, report.ends.counts.held), (3, 0, 3));

    home.reopen();
    let store = home.store();
    assert_eq!(arrives(store, &ways, hour(1, 6) - seconds(1)).await, []);
    assert_eq!(arrives(store, &ways, hour(1, 6)).await, [to("3", "two one")]);
    let later = [to("2", "two one"), to("4", "one")];
    assert_eq!(arrives(store, &ways, hour(1, 9)).await, later);
    assert_eq!(made::counts(store, first).await.sent, 4);
    let report = store.load_report(first, hour(1, 9)).await.unwrap().unwrap();
    assert_eq!(report.rests, 0);
}

pub async fn what_people_get_at_other_times_does_not_come_with_it(home: &mut Home) {
    let store = home.store();
    let both = |choices: &mut Choices| {
        choices.set_pace(&name("news"), Pace::Daily);
        choices.set_pace(&name("shop"), Pace::Weekly);
        choices.day = Weekday::read("wed");
    };
    store
        .import_subscribers(&name("bot"), vec![chosen("1", &["news", "shop"], both)])
        .await
        .unwrap();
    let ways = Ways::default();
    tell(store, "bread", &["shop"]).await;
    tell(store, "one", &["news"]).await;
    tell(store, "milk", &["shop"]).await;
    assert_eq!(arrives(store, &ways, now()).await, []);
    assert_eq!(arrives(store, &ways, hour(1, 9)).await, [to("1", "one")]);
    // The test's own day is a Sunday.
    assert_eq!(arrives(store, &ways, hour(3, 9) - seconds(1)).await, []);
    assert_eq!(arrives(store, &ways, hour(3, 9)).await, [to("1", "milk bread")]);
}

pub async fn quiet_hours_put_off_what_falls_into_them(home: &mut Home) {
    let store = home.store();
    let quiet = |choices: &mut Choices| choices.quiet = Quiet::read("17-20");
    let both = |choices: &mut Choices| {
        choices.quiet = Quiet::read("8-10");
        choices.set_pace(&name("news"), Pace::Daily);
    };
    let people = vec![chosen("1", &["news"], quiet), chosen("2", &["news"], both)];
    store.import_subscribers(&name("bot"), people).await.unwrap();
    let ways = Ways::default();
    let first = tell(store, "one", &["news"]).await;
    // An answer goes whenever it is asked for.
    let turn = turn(store, "bot", "1").await;
    let answers = vec![answer("hi")];
    store.commit_conversation(ConversationCommit { answers, ..turn }).await.unwrap();
    assert_eq!(arrives(store, &ways, now()).await, [to("1", "hi")]);
    let delivery = store.load_delivery(first, &name("bot"), 0).await.unwrap().unwrap();
    assert_eq!((delivery.wait, delivery.carried_until), (Wait::Quiet, Some(hour(0, 20))));
    tell(store, "two", &["news"]).await;
    assert_eq!(arrives(store, &ways, hour(0, 20) - seconds(1)).await, []);
    assert_eq!(arrives(store, &ways, hour(0, 20)).await, [to("1", "two one")]);
    // Their hour is in their quiet ones: it comes at the end of these.
    assert_eq!(arrives(store, &ways, hour(1, 9)).await, []);
    assert_eq!(arrives(store, &ways, hour(1, 10)).await, [to("2", "two one")]);
}

pub async fn whoever_chooses_otherwise_gets_what_waits_by_their_new_choice(home: &mut Home) {
    let store = home.store();
    let bot = name("bot");
    let people = ["1", "2", "3"].map(|address| chosen(address, &["news"], daily("news")));
    store.import_subscribers(&bot, people.into()).await.unwrap();
    let ways = Ways::default();
    let first = tell(store, "one", &["news"]).await;
    assert_eq!(arrives(store, &ways, now()).await, []);
    let choose = async |address: &str, change: &dyn Fn(&mut Subscriber)| {
        let mut known = store.load_subscriber(&bot, address).await.unwrap().unwrap();
        change(&mut known);
        let commit = turn(store, "bot", address).await;
        let commit = ConversationCommit { subscriber: Some(known), ..commit };
        store.commit_conversation(ConversationCommit { releases_held: true, ..commit }).await
    };
    // A word of theirs alone brings nothing of it.
    choose("1", &|_| {}).await.unwrap();
    choose("2", &|known| known.choices_mut().hour = Minute::read("20")).await.unwrap();
    choose("3", &|known| known.topics.clear()).await.unwrap();
    assert_eq!(arrives(store, &ways, now() + seconds(1)).await, []);
    assert_eq!(made::counts(store, first).await.skipped, 1, "who left the topic");
    assert_eq!(arrives(store, &ways, hour(0, 20)).await, [to("2", "one")]);
    choose("1", &|known| known.choices = None).await.unwrap();
    assert_eq!(arrives(store, &ways, hour(0, 21)).await, [to("1", "one")]);
    assert_eq!(arrives(store, &ways, hour(2, 9)).await, []);
}

pub async fn behind_a_closed_window_it_finds_its_lane_at_its_hour(home: &mut Home) {
    let store = home.store();
    let people = vec![
        chosen("1", &["news"], daily("news")),
        Subscriber { window_until: Some(hour(1, 20)), ..chosen("2", &["news"], daily("news")) },
    ];
    let open = |it: Subscriber| Subscriber {
        window_until: it.window_until.or(Some(now() + seconds(3_600))),
        ..it
    };
    store.import_subscribers(&name("bot"), people.into_iter().map(open).collect()).await.unwrap();
    let template =
        Template { name: "visit".into(), language: "en".into(), body: vec![], buttons: vec![] };
    let beyond = Beyond { utility: Some(template), is_marketing: false };
    let visit = Post { beyond: Some(Box::new(beyond)), ..post("visit") };
    tell_as(store, &["news"], visit).await;
    tell(store, "other", &["news"]).await;
    let ways = Ways {
        has_windows: true,
        held_for: DAY * 14,
        templates: BTreeSet::from([("visit".to_owned(), "en".to_owned())]),
        market: None,
    };
    assert_eq!(arrives(store, &ways, now()).await, []);
    let at = hour(1, 9);
    let step = Advance {
        channel: name("bot"),
        receipts: vec![],
        claims: 10,
        resting: vec![],
        caps: None,
        ways: ways.clone(),
        now: at,
    };
    let claims = store.advance(step).await.unwrap();
    let mut lanes: Vec<_> =
        claims.iter().map(|claim| (claim.recipient.address.as_str(), claim.lane)).collect();
    lanes.sort_unstable_by_key(|(address, _)| *address);
    assert_eq!(lanes, [("1", Lane::Utility), ("2", Lane::Window)]);
    // What has no other lane waits for their next contact.
    let other = store.load_delivery(PostId(2), &name("bot"), 0).await.unwrap().unwrap();
    assert_eq!(other.outcome, Outcome::Held);
}
