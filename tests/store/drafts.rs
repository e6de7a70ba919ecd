//! Drafts that wait: moved, parted, looked at.

use tidings::model::post::{Draft, DraftId, Hold};
use tidings::model::trace::Happened;
use tidings::store::{ReviewWord, Reviewed, TraceQuery};

use super::*;

async fn waiting(store: &dyn Store) -> Vec<(u64, Timestamp, bool)> {
    let drafts = store.load_drafts(100).await.unwrap();
    drafts.iter().map(|draft| (draft.id.0, draft.due_at, draft.held.is_some())).collect()
}

pub async fn a_draft_is_moved_and_parted_in_one_go(home: &mut Home) {
    let store = home.store();
    let mut commit = poll("blog");
    commit.items = vec![item(1), item(2)];
    commit.drafts = vec![draft(now(), &[1, 2])];
    store.commit_poll(commit).await.unwrap();
    let due = store.load_due_drafts(&name("news"), now(), 10).await.unwrap();
    let [whole] = due.as_slice() else { panic!("{due:?}") };
    assert_eq!(store.load_due_drafts(&name("other"), now(), 10).await.unwrap(), []);

    let first = Draft { content: draft(now(), &[1]).content, ..whole.clone() };
    let later = now() + seconds(60);
    let rest = Draft { due_at: later, ..draft(now(), &[2]) };
    store.commit_drafts(vec![first, rest.clone()], "it was full".into(), now()).await.unwrap();
    assert_eq!(waiting(store).await, [(1, now(), false), (2, later, false)]);
    let traces = store.load_traces(TraceQuery::Item(ItemId([2; 16])), 1).await.unwrap();
    let moved = Happened::Moved { draft: DraftId(2), due_at: later, why: "it was full".into() };
    assert_eq!(traces[0].steps.last().unwrap().what, moved);

    // One that is gone leaves all as it was.
    let gone = vec![rest, Draft { id: DraftId(9), ..draft(later, &[1]) }];
    let refused = store.commit_drafts(gone, "w".into(), now()).await;
    assert!(matches!(refused, Err(StoreError::Missing { .. })), "{refused:?}");
    assert_eq!(waiting(store).await, [(1, now(), false), (2, later, false)]);
    drop_draft(store, DraftId(1)).await.unwrap();
    assert_eq!(store.lease_drafts(later, 10).await.unwrap().len(), 1);
}

pub async fn what_was_parted_from_a_draft_keeps_its_place(home: &mut Home) {
    let store = home.store();
    for (number, items) in [(0, &[1, 2][..]), (1, &[3][..])] {
        let created_at = now() - seconds(60) + seconds(number);
        let mut commit = poll("blog");
        commit.items = items.iter().map(|number| item(*number)).collect();
        commit.drafts = vec![Draft { created_at, ..draft(now(), items) }];
        store.commit_poll(commit).await.unwrap();
    }
    let due = store.load_due_drafts(&name("news"), now(), 10).await.unwrap();
    let first = Draft { content: draft(now(), &[1]).content, ..due[0].clone() };
    let rest = Draft { id: DraftId(0), content: draft(now(), &[2]).content, ..due[0].clone() };
    store.commit_drafts(vec![first, rest], "it was full".into(), now()).await.unwrap();
    let due = store.load_due_drafts(&name("news"), now(), 10).await.unwrap();
    assert_eq!(due.iter().map(|draft| draft.id.0).collect::<Vec<_>>(), [1, 3, 2]);
}

pub async fn drafts_behind_the_most_are_postponed(home: &mut Home) {
    let store = home.store();
    let mut commit = poll("blog");
    commit.items = (1..=5).map(item).collect();
    commit.drafts = (1..=4).map(|number| draft(now(), &[number])).collect();
    let later = now() + seconds(60);
    commit.drafts.push(draft(later, &[5]));
    commit.drafts.push(held_draft("blog", &[5]));
    store.commit_poll(commit).await.unwrap();
    let next = now() + DAY;
    let postpone = |campaign: &str, most| {
        store.postpone_drafts(&name(campaign), now(), most, next, "it was full".into())
    };
    assert_eq!(postpone("other", 0).await.unwrap(), 0);
    assert_eq!(postpone("news", 4).await.unwrap(), 0);
    assert_eq!(postpone("news", 2).await.unwrap(), 2);
    assert_eq!(postpone("news", 2).await.unwrap(), 0);
    let expected = [
        (6, now(), true),
        (1, now(), false),
        (2, now(), false),
        (5, later, false),
        (3, next, false),
        (4, next, false),
    ];
    assert_eq!(waiting(store).await, expected);
    let traces = store.load_traces(TraceQuery::Item(ItemId([3; 16])), 1).await.unwrap();
    let moved = Happened::Moved { draft: DraftId(3), due_at: next, why: "it was full".into() };
    assert_eq!(traces[0].steps.last().unwrap().what, moved);
}

pub async fn drafts_are_given_up_all_or_none(home: &mut Home) {
    let store = home.store();
    let mut commit = poll("blog");
    commit.items = (1..=3).map(item).collect();
    commit.drafts = (1..=3).map(|number| draft(now(), &[number])).collect();
    store.commit_poll(commit).await.unwrap();
    let give_up = |ids: &[u64]| {
        let drafts = ids.iter().copied().map(DraftId).collect();
        store.give_up_drafts(drafts, "nothing is left".into(), Some(now()))
    };
    let refused = give_up(&[1, 2, 9]).await;
    assert!(matches!(refused, Err(StoreError::Missing { .. })), "{refused:?}");
    assert_eq!(waiting(store).await.len(), 3);
    give_up(&[1, 2]).await.unwrap();
    assert_eq!(waiting(store).await, [(3, now(), false)]);
    let traces = store.load_traces(TraceQuery::Item(ItemId([2; 16])), 1).await.unwrap();
    let dropped = Happened::Dropped { draft: DraftId(2), why: "nothing is left".into() };
    assert_eq!(traces[0].steps.last().unwrap().what, dropped);
}

pub async fn what_waits_for_a_look_is_released_or_dropped_by_draft_or_campaign(home: &mut Home) {
    let store = home.store();
    let mut commit = poll("blog");
    commit.items = (1..=4).map(item).collect();
    let review = |number| Draft { held: Some(Hold::Review), ..draft(now(), &[number]) };
    commit.drafts = (1..=4).map(review).collect();
    commit.drafts.push(held_draft("blog", &[1]));
    store.commit_poll(commit).await.unwrap();
    assert_eq!(store.load_status().await.unwrap().reviews, 4);
    assert_eq!(store.load_status().await.unwrap().floods.len(), 1);
    assert_eq!(store.lease_drafts(now() + DAY, 10).await.unwrap(), []);

    let word = |of, word| store.commit_review(of, word, now() + seconds(5));
    let one = |id| Reviewed::Draft(DraftId(id));
    assert_eq!(word(one(2), ReviewWord::Release).await.unwrap(), 1);
    assert_eq!(word(one(2), ReviewWord::Release).await.unwrap(), 0, "it is out");
    assert_eq!(word(one(5), ReviewWord::Release).await.unwrap(), 0, "a flood is none");
    assert_eq!(word(one(3), ReviewWord::Drop).await.unwrap(), 1);
    let due = store.lease_drafts(now() + seconds(5), 10).await.unwrap();
    assert_eq!(due.iter().map(|draft| draft.id.0).collect::<Vec<_>>(), [2]);
    let campaign = Reviewed::Campaign(name("news"));
    assert_eq!(word(campaign, ReviewWord::Release).await.unwrap(), 2);
    // The word on a source is not on what waits for a look.
    let released = store.commit_flood(&name("blog"), FloodWord::Known, now()).await.unwrap();
    assert_eq!(released, 1);
    assert_eq!(waiting(store).await.len(), 3);
}
