//! What is gathered at one hour, and what waits for the next one.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::*;
use crate::model::campaign::{ChangeKind, OnUncertain};
use crate::model::item::Item;
use crate::model::name::Name;
use crate::model::schedule::CronRule;
use crate::model::source::SourceState;
use crate::model::step::Step;
use crate::model::timing::Timing;
use crate::render::Layouts;
use crate::runtime::clock::Clock;
use crate::runtime::meters::Meters;
use crate::runtime::wakes::Wakes;
use crate::store::{PollCommit, Store};

fn at(text: &str) -> Timestamp {
    Timestamp::from_jiff(text.parse().unwrap())
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// A digest at nine, of at least so many items.
fn rule(min_items: u32) -> Campaign {
    let rule = CronRule::parse("0 0 9 * * *", None).unwrap();
    let digest = Some(Digest { rule, min_items, max_items: 10 });
    Campaign {
        name: name("news"),
        sources: vec![name("blog")],
        on: vec![ChangeKind::New],
        min_step: Step::default(),
        layout: name("digest"),
        topics: vec![],
        channels: vec![name("bot")],
        settle: Duration::ZERO,
        on_uncertain: OnUncertain::Skip,
        corrects: Default::default(),
        priority: Default::default(),
        when: None,
        timing: Timing { digest, ..Timing::default() },
        stages: None,
        reach: Default::default(),
        utility: None,
        is_marketing: false,
        watch: false,
    }
}

fn item(number: u8) -> Item {
    Item {
        id: ItemId([number; 16]),
        source: name("blog"),
        guid: number.to_string(),
        title: format!("Title {number}"),
        link: None,
        summary: Default::default(),
        body: Default::default(),
        published: None,
        updated: None,
        first_seen: Timestamp::default(),
        authors: vec![],
        tags: vec![],
        language: None,
        image: None,
        media: vec![],
        offer: None,
    }
}

/// Drafts of one item each, numbered from 1, due at these instants.
async fn options(folder: &tempfile::TempDir, due: &[Timestamp], now: Timestamp) -> Options {
    let store = crate::store::redb::open(&folder.path().join("store.redb")).unwrap();
    let drafts = due.iter().zip(1u8..).map(|(due_at, number)| {
        let told = Told { item: ItemId([number; 16]), kind: ChangeKind::New, price: None };
        let content = Content::Items { campaign: name("news"), items: vec![told], stories: vec![] };
        let id = DraftId::default();
        Draft { id, created_at: Timestamp::default(), due_at: *due_at, content, held: None }
    });
    let commit = PollCommit {
        source: name("blog"),
        state: SourceState { due_at: now, ..Default::default() },
        known: None,
        items: due.iter().zip(1u8..).map(|(_, number)| item(number)).collect(),
        drafts: drafts.collect(),
        shelf: None,
        names: vec![],
        corrections: vec![],
    };
    store.commit_poll(commit).await.unwrap();
    Options {
        store: Arc::new(store),
        clock: Clock::starting_at(now),
        wakes: Wakes::default(),
        meters: Meters::default(),
        layouts: Arc::new(Layouts::compile(vec![]).unwrap()),
        campaigns: Arc::new([]),
        channels: BTreeMap::new(),
        archives: Default::default(),
        files: Arc::new([]),
        archives: BTreeSet::new(),
    }
}

async fn waiting(options: &Options) -> Vec<(u64, Timestamp)> {
    let drafts = options.store.load_drafts(100).await.unwrap();
    drafts.iter().map(|draft| (draft.id.0, draft.due_at)).collect()
}

fn told(turn: &Turn) -> Vec<u8> {
    turn.due.iter().flat_map(|due| due.draft.told()).map(|told| told.item.0[0]).collect()
}

#[tokio::test]
async fn of_more_drafts_than_are_looked_at_the_first_are_told_and_the_rest_waits() {
    let folder = tempfile::tempdir().unwrap();
    let (nine, next) = (at("2026-11-28T09:00:00Z"), at("2026-11-29T09:00:00Z"));
    let options = options(&folder, &[nine; 5], nine).await;
    let rule = rule(1);
    let digest = rule.timing.digest.as_ref().unwrap();
    let turn = gathered(&options, &rule, digest, 2, nine).await.unwrap();
    assert_eq!((told(&turn), turn.touched.clone()), (vec![1, 2], vec![DraftId(1), DraftId(2)]));
    let due = turn.due.unwrap();
    assert_eq!((due.draft.id, due.others), (DraftId(1), vec![DraftId(2)]));
    // The first two are used up by the post that is made of them.
    let expected = [(1, nine), (2, nine), (3, next), (4, next), (5, next)];
    assert_eq!(waiting(&options).await, expected);
    // If no post was made, the same two are told again, and no others with them.
    let again = gathered(&options, &rule, digest, 2, nine).await.unwrap();
    assert_eq!(told(&again), [1, 2]);
    assert_eq!(waiting(&options).await, expected);
    let all = gathered(&options, &rule, digest, 10, next).await.unwrap();
    assert_eq!(told(&all), [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn what_is_due_at_no_hour_of_the_digest_moves_before_it_is_gathered() {
    let folder = tempfile::tempdir().unwrap();
    let (nine, next) = (at("2026-11-28T09:00:00Z"), at("2026-11-29T09:00:00Z"));
    let odd = at("2026-11-28T08:30:00Z");
    let options = options(&folder, &[odd, nine, odd], nine).await;
    let rule = rule(2);
    let digest = rule.timing.digest.as_ref().unwrap();
    let turn = gathered(&options, &rule, digest, 3, nine).await.unwrap();
    // One is too little.
    assert_eq!(told(&turn), Vec::<u8>::new());
    assert_eq!(waiting(&options).await, [(1, next), (2, next), (3, next)]);
    assert_eq!(turn.touched.len(), 3);
    let turn = gathered(&options, &rule, digest, 3, next).await.unwrap();
    assert_eq!(told(&turn), [1, 2, 3]);
}
