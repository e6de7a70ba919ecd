//! A word on a post is cut between two of its parts.

use crate::model::control::{Obeyed, PostWord};
use crate::model::post::{BATCH_RECIPIENTS_MAX, Claim, Counts, Outcome, Reason, Receipt, Settled};
use crate::store::redb::RedbStore;
use crate::store::redb::trial::{NOW, bot, post, store};
use crate::store::{Advance, Store};

use super::*;

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
    let id = post(&before, 3 * BATCH_RECIPIENTS_MAX).await;
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
    let id = post(&store, 3 * BATCH_RECIPIENTS_MAX).await;
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
