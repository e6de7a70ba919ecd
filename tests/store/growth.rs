//! What was sent, for everybody to read, and where people came from.

use tidings::model::archive::Archived;
use tidings::model::origin::{Came, Origin};
use tidings::store::PostRole;

use super::*;

/// A post to the first person of the channel, that everybody may read under the topics.
async fn archived(store: &dyn Store, title: &str, topics: &[&str]) -> PostId {
    let post = Post { cards: vec![card(title)], ..post(title) };
    let commit = PostCommit { drafts: vec![], post, audiences: vec![(name("bot"), vec![0])] };
    let archive = topics.iter().map(|topic| name(topic)).collect();
    let role = PostRole { archive, ..PostRole::default() };
    store.commit_post_as(commit, role).await.unwrap()
}

async fn send_all(store: &dyn Store, outcome: Outcome) {
    loop {
        let claims = advance(store, "bot", vec![], 100).await;
        if claims.is_empty() {
            return;
        }
        let receipts = claims.iter().map(|claim| done(claim, outcome)).collect();
        advance(store, "bot", receipts, 0).await;
    }
}

async fn titles(store: &dyn Store, topic: &str) -> Vec<String> {
    let posts: Vec<Archived> = store.load_archive(&name(topic)).await.unwrap();
    posts.into_iter().flat_map(|post| post.entries).map(|entry| entry.title).collect()
}

pub async fn what_somebody_got_is_kept_under_its_topics_newest_first(home: &mut Home) {
    let store = home.store();
    store.import_subscribers(&name("bot"), people(1)).await.unwrap();
    archived(store, "one", &["news", "shop"]).await;
    let two = archived(store, "two", &["news"]).await;
    archived(store, "closed", &[]).await;
    assert_eq!(titles(store, "news").await, Vec::<String>::new(), "nobody has it yet");
    send_all(store, Outcome::Sent).await;
    archived(store, "failed", &["news"]).await;
    send_all(store, Outcome::Failed(Reason::Blocked)).await;
    assert_eq!(titles(store, "news").await, ["two", "one"]);
    assert_eq!(titles(store, "shop").await, ["one"]);
    assert_eq!(titles(store, "new").await, Vec::<String>::new());

    // It outlives the rows of its post; what nobody got is not taken for sent then.
    let later = now() + seconds(100 * 86_400);
    while store.prune(later).await.unwrap() > 0 {}
    assert_eq!(store.load_post(two).await.unwrap(), None);
    assert_eq!(titles(store, "news").await, ["two", "one"]);
}

pub async fn a_topic_keeps_its_newest_five_hundred_posts(home: &mut Home) {
    let store = home.store();
    store.import_subscribers(&name("bot"), people(1)).await.unwrap();
    archived(store, "shared", &["news", "shop"]).await;
    for number in 0..501 {
        archived(store, &number.to_string(), &["news"]).await;
    }
    send_all(store, Outcome::Sent).await;
    let kept = titles(store, "news").await;
    assert_eq!((kept.len(), kept[0].as_str(), kept[499].as_str()), (500, "500", "1"));
    assert_eq!(titles(store, "shop").await, ["shared"], "its other topic keeps it");
}

pub async fn people_are_counted_by_where_they_came_from(home: &mut Home) {
    let store = home.store();
    let bot = name("bot");
    let tag = |text: &str| Origin::parse(text).ok();
    let came = |address: &str, by: Option<&str>, standing: Standing| Subscriber {
        came_by: by.and_then(tag),
        standing,
        ..person(address, &["news"])
    };
    let wrote = Subscriber { standing: Standing::Stopped, ..person("9", &[]) };
    let all = vec![
        came("1", Some("flyer"), Standing::Active),
        came("2", Some("flyer"), Standing::Stopped),
        came("3", Some("flyer"), Standing::Blocked),
        came("4", Some("web:harbour"), Standing::Active),
        came("5", None, Standing::Active),
        wrote,
    ];
    store.import_subscribers(&bot, all.clone()).await.unwrap();
    // The second left after an hour, the third after three days.
    for (address, after) in [("2", 3_600), ("3", 3 * 86_400)] {
        let before = store.load_subscriber(&bot, address).await.unwrap().unwrap();
        let consent = Consent {
            at: before.joined_at + seconds(after),
            number: before.number,
            given: false,
            way: "stop".into(),
            wording: String::new(),
        };
        let turn = turn(store, "bot", address).await;
        let commit = ConversationCommit { consent: Some(consent), ..turn };
        store.commit_conversation(commit).await.unwrap();
    }
    let origins = store.load_origins().await.unwrap();
    let came = |came, active, left_within_48h| Came { came, active, left_within_48h };
    let expected =
        [(tag("flyer").unwrap(), came(3, 1, 1)), (tag("web:harbour").unwrap(), came(1, 1, 0))];
    assert_eq!(origins.tagged, expected);
    assert_eq!((origins.untagged, origins.others), (came(1, 1, 0), Came::default()));
}
