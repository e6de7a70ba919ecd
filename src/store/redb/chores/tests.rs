//! A word on a post is cut between two of its parts.

use std::path::Path;

use crate::model::campaign::OnUncertain;
use crate::model::control::{Obeyed, PostWord};
use crate::model::name::Name;
use crate::model::post::{
    BATCH_RECIPIENTS_MAX, Claim, Counts, Outcome, Post, Reason, Receipt, Settled,
};
use crate::model::subscriber::Subscriber;
use crate::model::time::Timestamp;
use crate::store::redb::{RedbStore, open};
use crate::store::{Advance, PostCommit, Store};

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_900_000_000_000);

fn bot() -> Name {
    Name::parse("bot").unwrap()
}

fn store(folder: &tempfile::TempDir) -> RedbStore {
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
        topics: vec![],
        standing: Standing::Active,
        window_until: None,
        joined_at: NOW,
        changed_at: NOW,
        default_reply_at: None,
    }
}

/// A post to three batches of people.
async fn post(store: &RedbStore) -> PostId {
    let people = (0..3 * BATCH_RECIPIENTS_MAX).map(person).collect();
    store.import_subscribers(&bot(), people).await.unwrap();
    let post = Post {
        id: PostId(0),
        campaign: None,
        title: "t".into(),
        created_at: NOW,
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

async fn advance(store: &RedbStore, receipts: Vec<Receipt>, claims: usize) -> Vec<Claim> {
    let step = Advance {
        channel: bot(),
        receipts,
        claims,
        resting: vec![],
        now: NOW,
        caps: None,
        ways: Default::default(),
    };
    store.advance(step).await.unwrap()
}

async fn counts(store: &RedbStore, post: PostId) -> Counts {
    store.load_post(post).await.unwrap().unwrap().counts
}

fn refused(claims: &[Claim]) -> Vec<Receipt> {
    let receipt = |claim: &Claim| Receipt {
        ticket: claim.ticket,
        settled: Settled::Done(Outcome::Failed(Reason::Refused)),
        part: 0,
        standing: None,
        moved_to: None,
        window_closed: false,
        error: None,
        kept: None,
    };
    claims.iter().map(receipt).collect()
}

#[tokio::test]
async fn a_post_that_was_stopped_half_way_is_claimed_by_nobody_and_finishes_after_a_start() {
    let folder = tempfile::tempdir().unwrap();
    let before = store(&folder);
    let id = post(&before).await;
    let all = 3 * BATCH_RECIPIENTS_MAX as u64;
    let hand = Hand::default();
    let held = hand.clone();
    let progress = before.write(move |writing| {
        writing.tally(id.0)?.stopped = Some("w".into());
        writing.begin_chore(id, Task::Skip, &held, 1)
    });
    let progress = progress.await.unwrap();
    assert_eq!(progress, Progress { done: all / 3, is_left: true });
    // While somebody goes on with it, nobody else does, and nobody is claimed.
    assert_eq!(advance(&before, vec![], 10).await, vec![]);
    assert_eq!(counts(&before, id).await.waiting, all / 3 * 2);
    let more = before.write(move |writing| writing.do_chore(id, 1)).await.unwrap();
    assert_eq!(more, Progress { done: all / 3 * 2, is_left: true });
    drop((before, hand));

    let after = store(&folder);
    assert_eq!(counts(&after, id).await.waiting, all / 3);
    assert_eq!(advance(&after, vec![], 10).await, vec![]);
    let expected = Counts { planned: all, skipped: all, ..Counts::default() };
    assert_eq!(counts(&after, id).await, expected);
}

#[tokio::test]
async fn whoever_asked_may_go_away_between_two_parts() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    let id = post(&store).await;
    let claims = advance(&store, vec![], 3 * BATCH_RECIPIENTS_MAX).await;
    advance(&store, refused(&claims), 0).await;
    let all = 3 * BATCH_RECIPIENTS_MAX as u64;
    assert_eq!(counts(&store, id).await.failed, all);
    let hand = Hand::default();
    let held = hand.clone();
    let task = Task::Retry { reasons: vec![], uncertain: false };
    let begun = store.write(move |writing| writing.begin_chore(id, task.clone(), &held, 1)).await;
    assert_eq!(begun.unwrap().done, all / 3);
    let again = PostWord::Retry { reasons: vec![], uncertain: false };
    let obeyed = store.commit_word(id, again, NOW).await.unwrap();
    assert!(matches!(obeyed, Obeyed::Refused { .. }), "{obeyed:?}");
    drop(hand);
    let claims = advance(&store, vec![], 3 * BATCH_RECIPIENTS_MAX).await;
    assert_eq!(claims.len() as u64, all);
    assert_eq!(store.write(move |writing| writing.do_chore(id, 1)).await.unwrap().done, 0);
}
