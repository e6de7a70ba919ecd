//! A store with people and posts in it, for tests that look behind the verbs.

use std::path::Path;

use crate::model::campaign::OnUncertain;
use crate::model::name::Name;
use crate::model::post::{Counts, Post, PostId};
use crate::model::subscriber::{Standing, Subscriber};
use crate::model::time::Timestamp;
use crate::store::redb::{RedbStore, open};
use crate::store::{PostCommit, Store};

pub const NOW: Timestamp = Timestamp::from_millis(1_900_000_000_000);

pub fn bot() -> Name {
    Name::parse("bot").unwrap()
}

pub fn store(folder: &tempfile::TempDir) -> RedbStore {
    open(&Path::new(folder.path()).join("store.redb")).unwrap()
}

fn person(number: usize) -> Subscriber {
    Subscriber {
        number: 0,
        address: number.to_string(),
        language: None,
        first_name: None,
        timezone: None,
        name_asked_at: None,
        came_by: None,
        topics: vec![],
        standing: Standing::Active,
        window_until: None,
        joined_at: NOW,
        changed_at: NOW,
        default_reply_at: None,
        choices: None,
    }
}

/// So many people on the bot.
pub async fn people(store: &RedbStore, count: usize) {
    let people = (0..count).map(person).collect();
    store.import_subscribers(&bot(), people).await.unwrap();
}

/// A post to so many people.
pub async fn post(store: &RedbStore, count: usize) -> PostId {
    people(store, count).await;
    let post = Post {
        id: PostId(0),
        campaign: Name::parse("news").ok(),
        title: "t".into(),
        created_at: NOW,
        topics: vec![],
        bodies: vec![],
        personal: None,
        cards: vec![],
        on_uncertain: OnUncertain::Skip,
        priority: Default::default(),
        rollout: None,
        hours: vec![],
        zoned: None,
        paused: None,
        stopped: None,
        counts: Counts::default(),
        errors: vec![],
        corrections: None,
        beyond: None,
    };
    let audience = store.load_audience(&bot(), &[]).await.unwrap();
    let commit = PostCommit { drafts: vec![], post, audiences: vec![(bot(), audience)] };
    store.commit_post(commit).await.unwrap()
}
