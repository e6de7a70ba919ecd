//! Posts under the admins' control, what is reported of them, and the traces of items.

use std::collections::{BTreeMap, HashMap, HashSet};

use tidings::model::control::{Obeyed, PostWord, Priority};
use tidings::model::pacing::Halt;
use tidings::model::rollout::{Stages, WHOLE};
use tidings::model::timing::Hours;
use tidings::model::trace::Happened;
use tidings::store::TraceQuery;

use super::*;

async fn obey(store: &dyn Store, post: PostId, word: PostWord) -> Obeyed {
    store.commit_word(post, word, now()).await.unwrap()
}

fn pause() -> PostWord {
    PostWord::Pause { why: "a typo".into() }
}

fn cancel() -> PostWord {
    PostWord::Cancel { why: "old news".into() }
}

fn retry(reasons: &[Reason]) -> PostWord {
    PostWord::Retry { reasons: reasons.to_vec(), uncertain: false }
}

fn done_with(recipients: u64) -> Obeyed {
    Obeyed::Done { recipients, channels: vec![name("bot")] }
}

fn is_refused(obeyed: &Obeyed, words: &str) -> bool {
    matches!(obeyed, Obeyed::Refused { why } if why.contains(words))
}

fn urgent(title: &str, priority: Priority) -> Post {
    Post { priority, ..post(title) }
}

/// How many of the claims are of each post.
fn shares(claims: &[Claim]) -> BTreeMap<PostId, usize> {
    let mut shares = BTreeMap::new();
    for claim in claims {
        *shares.entry(place(claim).0).or_default() += 1;
    }
    shares
}

// ── pause, resume, cancel ───────────────────────────────────────────────────────────────────────

pub async fn of_a_paused_post_nobody_further_is_claimed(home: &mut Home) {
    let id = post_to(home.store(), "bot", 3_000, post("hello")).await;
    let claims = advance(home.store(), "bot", vec![], 10).await;
    assert_eq!(obey(home.store(), id, pause()).await, done_with(2_990));
    assert_eq!(advance(home.store(), "bot", vec![], 10).await, vec![]);

    // What is in flight comes home: some of it waits again, and stays.
    let home_coming = vec![done(&claims[0], Outcome::Sent), returned(&claims[1], 0)];
    assert_eq!(advance(home.store(), "bot", home_coming, 10).await, vec![]);
    home.reopen();
    let store = home.store();
    let wire = Wire { is_trusted: true, ..Wire::default() };
    assert_eq!(store.rescue(wire).await.unwrap().returned, 8);
    assert_eq!(advance(store, "bot", vec![], 10).await, vec![]);
    let kept = store.load_post(id).await.unwrap().unwrap();
    assert_eq!(kept.paused.as_deref(), Some("a typo"));
    assert_eq!((kept.counts.waiting, kept.counts.sent), (2_999, 1));
    assert_eq!(store.load_status().await.unwrap().unfinished_posts, 1);

    assert_eq!(obey(store, id, PostWord::Resume).await, done_with(2_999));
    let claims = advance(store, "bot", vec![], 5_000).await;
    assert_eq!(claims.len(), 2_999);
    assert!(is_refused(&obey(store, id, PostWord::Resume).await, "not paused"));
    assert_eq!(store.load_post(id).await.unwrap().unwrap().paused, None);
}

pub async fn a_pause_leaves_other_posts_and_answers_alone(home: &mut Home) {
    let store = home.store();
    let one = post_to(store, "bot", 100, post("one")).await;
    let two = post_to(store, "bot", 100, post("two")).await;
    obey(store, one, pause()).await;
    converse(store, "1000", None, vec!["yes?"]).await;
    let claims = advance(store, "bot", vec![], 500).await;
    assert_eq!(claims.len(), 101);
    assert!(matches!(claims[0].work, Work::Answer { .. }));
    assert_eq!(shares(&claims[1..]), BTreeMap::from([(two, 100)]));
}

pub async fn a_cancelled_post_reaches_nobody_who_waits(home: &mut Home) {
    let store = home.store();
    let id = post_to(store, "bot", 2_000, post("hello")).await;
    let claims = advance(store, "bot", vec![], 4).await;
    let receipts = vec![
        done(&claims[0], Outcome::Sent),
        returned(&claims[1], 1),
        done(&claims[2], Outcome::Held),
    ];
    advance(store, "bot", receipts, 0).await;
    obey(store, id, pause()).await;
    assert_eq!(obey(store, id, cancel()).await, done_with(1_998));
    assert_eq!(advance(store, "bot", vec![returned(&claims[3], 0)], 10).await, vec![]);
    let kept = store.load_post(id).await.unwrap().unwrap();
    assert_eq!((kept.stopped.as_deref(), kept.paused.as_deref()), (Some("old news"), None));
    let expected = Counts { planned: 2_000, sent: 1, skipped: 1_999, ..Counts::default() };
    assert_eq!(kept.counts, expected);
    let stopped = Outcome::Skipped(Reason::PostStopped);
    let outcomes = store.load_outcomes(id, &name("bot")).await.unwrap();
    assert!(outcomes[1..].iter().all(|(_, outcome)| *outcome == stopped));
    // It is final.
    for word in [pause(), PostWord::Resume, cancel(), retry(&[])] {
        assert!(is_refused(&obey(store, id, word).await, "stopped: old news"));
    }
}

pub async fn a_word_on_a_post_that_is_over_is_refused(home: &mut Home) {
    let store = home.store();
    let id = post_to(store, "bot", 1, post("hello")).await;
    let claims = advance(store, "bot", vec![], 1).await;
    advance(store, "bot", vec![done(&claims[0], Outcome::Sent)], 0).await;
    for word in [pause(), cancel()] {
        assert!(is_refused(&obey(store, id, word).await, "finished"));
    }
    let error = store.commit_word(PostId(99), pause(), now()).await.unwrap_err();
    assert!(matches!(error, StoreError::Missing { .. }), "{error}");
    // Whoever it is held for can still be spared.
    let id = post_to(store, "page", 1, post("held")).await;
    let claims = advance(store, "page", vec![], 1).await;
    advance(store, "page", vec![done(&claims[0], Outcome::Held)], 0).await;
    let channels = vec![name("page")];
    assert_eq!(obey(store, id, cancel()).await, Obeyed::Done { recipients: 1, channels });
    assert_eq!(counts(store, id).await.skipped, 1);
}

pub async fn posts_that_share_a_channel_go_to_different_people_at_a_time(home: &mut Home) {
    let store = home.store();
    let id = post_to(store, "bot", 3_000, post("alone")).await;
    let claims = advance(store, "bot", vec![], 20).await;
    let numbers: Vec<u32> = claims.iter().map(|claim| claim.recipient.number).collect();
    assert_eq!(numbers, (0..20).collect::<Vec<u32>>(), "alone it goes in order");
    obey(store, id, cancel()).await;
    for at in 0..10 {
        post_to(store, "bot", 3_000, post(&format!("post {at}"))).await;
    }
    let mut met = HashSet::new();
    let mut times = 0;
    for _ in 0..10 {
        for claim in advance(store, "bot", vec![], 8).await {
            times += 1;
            met.insert(claim.recipient.number);
        }
    }
    assert_eq!((times, met.len()), (80, 80), "nobody is to get two of them at once");
}

// ── trying again ────────────────────────────────────────────────────────────────────────────────

pub async fn who_failed_waits_again_but_not_who_left(home: &mut Home) {
    let store = home.store();
    let id = post_to(store, "bot", 8, post("hello")).await;
    let ends = [
        Outcome::Sent,
        Outcome::Failed(Reason::Unreachable),
        Outcome::Failed(Reason::Refused),
        Outcome::Failed(Reason::Refused),
        Outcome::Failed(Reason::Blocked),
        Outcome::Failed(Reason::NotFound),
        Outcome::Uncertain,
        Outcome::Failed(Reason::NotAllowed),
    ];
    let claims = advance(store, "bot", vec![], 8).await;
    let receipts = claims.iter().zip(ends).map(|(claim, end)| done(claim, end)).collect();
    advance(store, "bot", receipts, 0).await;
    assert!(store.load_report(id, now()).await.unwrap().unwrap().finished_at.is_some());
    // The last one has left since.
    let gone = Subscriber { standing: Standing::Stopped, ..person("1007", &["news"]) };
    converse(store, "1007", Some(gone), vec![]).await;

    assert!(is_refused(&obey(store, id, retry(&[Reason::Blocked])).await, "`blocked`"));
    assert_eq!(obey(store, id, retry(&[Reason::Refused])).await, done_with(2));
    let again = advance(store, "bot", vec![], 10).await;
    let numbers: Vec<u32> = again.iter().map(|claim| claim.recipient.number).collect();
    assert_eq!(numbers, [2, 3]);
    let receipts = vec![done(&again[0], Outcome::Sent), done(&again[1], ends[2])];
    advance(store, "bot", receipts, 0).await;

    // All that may pass: of the two that are left, and of whom nobody knows if asked for.
    assert_eq!(obey(store, id, retry(&[])).await, done_with(2));
    let word = PostWord::Retry { reasons: vec![], uncertain: true };
    assert_eq!(obey(store, id, word).await, done_with(1));
    let report = store.load_report(id, now()).await.unwrap().unwrap();
    assert_eq!((report.ends.counts, report.finished_at), (counts(store, id).await, None));
    let again = advance(store, "bot", vec![], 10).await;
    let numbers: Vec<u32> = again.iter().map(|claim| claim.recipient.number).collect();
    assert_eq!(numbers, [1, 3, 6]);
    let receipts = again.iter().map(|claim| done(claim, Outcome::Sent)).collect();
    advance(store, "bot", receipts, 0).await;
    let expected = Counts { planned: 8, sent: 5, failed: 3, ..Counts::default() };
    assert_eq!(counts(store, id).await, expected);
}

pub async fn who_failed_at_a_later_part_gets_only_the_rest(home: &mut Home) {
    let store = home.store();
    let id = post_to(store, "bot", 3, post("long")).await;
    let claims = advance(store, "bot", vec![], 3).await;
    let broken = |claim: &Claim, end, part| Receipt { part, ..done(claim, end) };
    let refused = Outcome::Failed(Reason::Refused);
    let receipts = vec![
        broken(&claims[0], refused, 1),
        broken(&claims[1], Outcome::Uncertain, 1),
        broken(&claims[2], refused, 0),
    ];
    advance(store, "bot", receipts, 0).await;
    let again = PostWord::Retry { reasons: vec![], uncertain: true };
    assert_eq!(obey(store, id, again.clone()).await, done_with(3));
    let claims = advance(store, "bot", vec![], 3).await;
    assert_eq!(claims.iter().map(|claim| claim.part).collect::<Vec<_>>(), [1, 1, 0]);

    // Refused before any other part was accepted, returned, and lost on the wire of a crash.
    let receipts = vec![broken(&claims[0], refused, 0), returned(&claims[1], 1)];
    advance(store, "bot", receipts, 0).await;
    home.reopen();
    let store = home.store();
    let started = vec![(claims[2].ticket, 0), (claims[2].ticket, 2)];
    let wire = Wire { is_trusted: true, started, ..Wire::default() };
    assert_eq!(store.rescue(wire).await.unwrap().uncertain, 1);
    assert_eq!(obey(store, id, again).await, done_with(2));
    let claims = advance(store, "bot", vec![], 3).await;
    assert_eq!(claims.iter().map(|claim| claim.part).collect::<Vec<_>>(), [1, 1, 2]);
    let receipts = claims.iter().map(|claim| done(claim, Outcome::Sent)).collect();
    advance(store, "bot", receipts, 0).await;
    assert_eq!(counts(store, id).await.sent, 3);
}

// ── the line ────────────────────────────────────────────────────────────────────────────────────

pub async fn a_small_urgent_post_overtakes_a_big_one(home: &mut Home) {
    let store = home.store();
    let big = post_to(store, "bot", 3_000, post("big")).await;
    advance(store, "bot", vec![], 100).await;
    let small = post_to(store, "bot", 100, urgent("small", Priority::HIGH)).await;
    let low = post_to(store, "bot", 100, urgent("low", Priority::LOW)).await;
    converse(store, "1000", None, vec!["yes?"]).await;
    let claims = advance(store, "bot", vec![], 50).await;
    assert!(matches!(claims[0].work, Work::Answer { .. }), "answers overtake both");
    assert_eq!(shares(&claims[1..]), BTreeMap::from([(small, 49)]));
    // Its audience are all 3,000 who subscribe by now.
    let rest = advance(store, "bot", vec![], 2_951).await;
    assert_eq!(shares(&rest), BTreeMap::from([(small, 2_951)]));
    let rest = advance(store, "bot", vec![], 2_900).await;
    assert_eq!(shares(&rest), BTreeMap::from([(big, 2_900)]));
    assert_eq!(shares(&advance(store, "bot", vec![], 10).await), BTreeMap::from([(low, 10)]));
}

pub async fn a_priority_can_be_changed_on_the_way(home: &mut Home) {
    let store = home.store();
    let one = post_to(store, "bot", 500, post("one")).await;
    let two = post_to(store, "bot", 500, post("two")).await;
    let word = |priority| PostWord::Rank { priority };
    assert_eq!(obey(store, two, word(Priority::HIGH)).await, done_with(500));
    assert_eq!(shares(&advance(store, "bot", vec![], 100).await), BTreeMap::from([(two, 100)]));
    obey(store, two, pause()).await;
    obey(store, two, word(Priority::LOW)).await;
    assert_eq!(shares(&advance(store, "bot", vec![], 100).await), BTreeMap::from([(one, 100)]));
    obey(store, two, PostWord::Resume).await;
    assert_eq!(shares(&advance(store, "bot", vec![], 400).await), BTreeMap::from([(one, 400)]));
    assert_eq!(shares(&advance(store, "bot", vec![], 900).await), BTreeMap::from([(two, 400)]));
    assert_eq!(store.load_post(two).await.unwrap().unwrap().priority, Priority::LOW);
}

pub async fn the_next_rank_goes_while_the_first_one_rests(home: &mut Home) {
    let store = home.store();
    let high = post_to(store, "bot", 200, urgent("high", Priority::HIGH)).await;
    let other = post_to(store, "bot", 200, post("other")).await;
    let step = |resting| Advance {
        channel: name("bot"),
        receipts: vec![],
        claims: 50,
        resting,
        caps: None,
        ways: Default::default(),
        now: now(),
    };
    let claims = store.advance(step(vec![high])).await.unwrap();
    assert_eq!(shares(&claims), BTreeMap::from([(other, 50)]));
    let claims = store.advance(step(vec![high, other])).await.unwrap();
    assert_eq!(claims, vec![]);
    let claims = store.advance(step(vec![])).await.unwrap();
    assert_eq!(shares(&claims), BTreeMap::from([(high, 50)]));
}

/// Whatever comes and goes: nobody is claimed while somebody of a higher priority waits, a paused
/// post is not claimed at all, equal posts are never more than a turn apart, and in the end
/// everybody was claimed once.
pub async fn the_order_of_claims_holds_whatever_happens(home: &mut Home) {
    const TURN: usize = 32;
    let store = home.store();
    store.import_subscribers(&name("bot"), people(1_500)).await.unwrap();
    let mut dice = 20_261_128u32;
    let mut roll = move |most: u32| {
        dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (dice >> 8) % most
    };
    let priorities = [Priority::LOW, Priority::NORMAL, Priority::HIGH];
    // By post: its rank, whether it is paused, and who waits.
    let mut posts: BTreeMap<PostId, (u8, bool, HashSet<u32>)> = BTreeMap::new();
    let mut claimed: HashMap<PostId, HashSet<u32>> = HashMap::new();
    let mut flying: Vec<Claim> = Vec::new();
    for round in 0..400 {
        match roll(6) {
            0 if posts.len() < 12 => {
                let priority = priorities[roll(3) as usize];
                let from = roll(1_400);
                let audience: Vec<u32> = (from..from + 1 + roll(1_500 - from - 1)).collect();
                let audiences = vec![(name("bot"), audience.clone())];
                let post = urgent(&format!("{round}"), priority);
                let commit = PostCommit { drafts: vec![], post, audiences };
                let id = store.commit_post(commit).await.unwrap();
                posts.insert(id, (priority.rank(), false, audience.into_iter().collect()));
            }
            1 if !posts.is_empty() => {
                let at = roll(u32::try_from(posts.len()).unwrap()) as usize;
                let (id, (_, is_paused, _)) = posts.iter_mut().nth(at).unwrap();
                let word = if *is_paused { PostWord::Resume } else { pause() };
                if let Obeyed::Done { .. } = store.commit_word(*id, word, now()).await.unwrap() {
                    *is_paused = !*is_paused;
                }
            }
            2 if !posts.is_empty() => {
                let at = roll(u32::try_from(posts.len()).unwrap()) as usize;
                let (id, (rank, _, _)) = posts.iter_mut().nth(at).unwrap();
                let priority = priorities[roll(3) as usize];
                obey(store, *id, PostWord::Rank { priority }).await;
                *rank = priority.rank();
            }
            _ => {}
        }
        let mut receipts = Vec::new();
        for claim in std::mem::take(&mut flying) {
            match roll(8) {
                0 => {
                    let (post, number) = (place(&claim).0, claim.recipient.number);
                    posts.get_mut(&post).unwrap().2.insert(number);
                    claimed.get_mut(&post).unwrap().remove(&number);
                    receipts.push(returned(&claim, 0));
                }
                _ => receipts.push(done(&claim, Outcome::Sent)),
            }
        }
        let wanted = roll(200) as usize;
        flying = advance(store, "bot", receipts, wanted).await;
        let mut run = 0;
        for (at, claim) in flying.iter().enumerate() {
            let (post, number) = (place(claim).0, claim.recipient.number);
            let (rank, is_paused, _) = posts[&post];
            assert!(!is_paused, "round {round}: claimed of a paused post");
            let may_go = |(of, is_paused, waiting): &(u8, bool, HashSet<u32>), limit: u8| {
                !is_paused && !waiting.is_empty() && *of <= limit
            };
            let best = posts.values().any(|one| rank > 0 && may_go(one, rank - 1));
            assert!(!best, "round {round}: a lower one went first");
            let is_same = at > 0 && place(&flying[at - 1]).0 == post;
            run = if is_same { run + 1 } else { 1 };
            let is_alone = posts.iter().all(|(id, one)| *id == post || !may_go(one, rank));
            assert!(run <= TURN || is_alone, "round {round}: {run} in a row");
            assert!(posts.get_mut(&post).unwrap().2.remove(&number), "round {round}: not waiting");
            assert!(claimed.entry(post).or_default().insert(number), "round {round}: twice");
        }
        if flying.len() < wanted {
            let is_left = posts.values().any(|(_, is_paused, who)| !is_paused && !who.is_empty());
            assert!(!is_left, "round {round}: somebody was left");
        }
    }
}

// ── reports ─────────────────────────────────────────────────────────────────────────────────────

async fn step_at(
    store: &dyn Store,
    receipts: Vec<Receipt>,
    claims: usize,
    at: Timestamp,
) -> Vec<Claim> {
    let channel = name("bot");
    store
        .advance(Advance {
            channel,
            receipts,
            claims,
            resting: vec![],
            caps: None,
            ways: Default::default(),
            now: at,
        })
        .await
        .unwrap()
}

pub async fn a_report_counts_every_end_and_when_it_came(home: &mut Home) {
    let store = home.store();
    let id = post_to(store, "bot", 2_500, post("hello")).await;
    let claims = step_at(store, vec![], 2_100, now()).await;
    let mut at = now();
    for (turn, chunk) in claims.chunks(100).enumerate() {
        at = now() + seconds(10 * turn as u64);
        let end = |place: usize| match place {
            0 => Outcome::Failed(Reason::Blocked),
            1 => Outcome::Uncertain,
            _ => Outcome::Sent,
        };
        let receipts = chunk.iter().enumerate().map(|(at, claim)| done(claim, end(at))).collect();
        step_at(store, receipts, 0, at).await;
    }
    home.reopen();
    let store = home.store();
    let report = store.load_report(id, at).await.unwrap().unwrap();
    assert_eq!(report.ends.counts, counts(store, id).await);
    assert_eq!(report.ends.failed, BTreeMap::from([(Reason::Blocked, 21)]));
    assert_eq!((report.ends.counts.sent, report.ends.counts.waiting), (2_058, 400));
    assert_eq!(report.channels, vec![(name("bot"), report.ends.clone())]);
    assert_eq!((report.first_at, report.last_at), (Some(now()), Some(at)));
    assert_eq!(report.pace.sent.iter().sum::<u64>(), 2_058);
    assert_eq!(report.lately, 6 * 100, "who fails is done with too");
    assert!((report.rate(at) - 10.0).abs() < 0.01, "{}", report.rate(at));
    assert_eq!(report.takes(at).unwrap().as_secs(), 40);

    let known = store.load_delivery(id, &name("bot"), 1_500).await.unwrap();
    assert_eq!(
        known.map(|known| (known.outcome, known.at)),
        Some((Outcome::Failed(Reason::Blocked), Some(now() + seconds(150))))
    );
    let waiting = store.load_delivery(id, &name("bot"), 2_499).await.unwrap().unwrap();
    assert_eq!((waiting.outcome, waiting.at), (Outcome::Waiting, None));
    assert_eq!(store.load_delivery(id, &name("bot"), 2_500).await.unwrap(), None);
    assert_eq!(store.load_delivery(id, &name("page"), 1).await.unwrap(), None);
    assert_eq!(store.load_report(PostId(99), at).await.unwrap(), None);
}

pub async fn who_leaves_within_two_days_is_counted(home: &mut Home) {
    let store = home.store();
    let id = post_to(store, "bot", 5, post("hello")).await;
    let claims = step_at(store, vec![], 4, now()).await;
    let mut receipts: Vec<Receipt> =
        claims[..3].iter().map(|claim| done(claim, Outcome::Sent)).collect();
    receipts.push(done(&claims[3], Outcome::Failed(Reason::Refused)));
    step_at(store, receipts, 0, now()).await;
    let hour = seconds(3_600);
    for (address, after, given) in [
        ("1000", hour, false),
        ("1001", hour * 49, false),
        ("1002", hour, true),
        ("1003", hour, false),
        ("1004", hour, false),
    ] {
        consent(store, address, now() + after, given).await;
    }
    assert_eq!(store.load_report(id, now()).await.unwrap().unwrap().ends.left, 1);
}

/// The person's word, and a withdrawal if it is not given.
async fn consent(store: &dyn Store, address: &str, at: Timestamp, given: bool) {
    let consent = Consent { at, number: 0, given, way: "stop".into(), wording: String::new() };
    let events = vec![event("bot", &format!("{address}-{at}"), address)];
    store.commit_events(events, None, now()).await.unwrap();
    let (number, _) = store.lease_events(1).await.unwrap().remove(0);
    let turn = ConversationCommit {
        event: number,
        channel: name("bot"),
        subscriber: None,
        consent: Some(consent),
        answers: vec![],
        releases_held: false,
    };
    store.commit_conversation(turn).await.unwrap();
}

pub async fn who_leaves_twice_left_once(home: &mut Home) {
    let store = home.store();
    let id = post_to(store, "bot", 3, post("hello")).await;
    let claims = step_at(store, vec![], 3, now()).await;
    step_at(store, all_sent(&claims), 0, now()).await;
    for (address, after, given) in
        [("1000", 10, false), ("1000", 20, true), ("1000", 30, false), ("1001", 40, false)]
    {
        consent(store, address, now() + seconds(after), given).await;
    }
    assert_eq!(store.load_report(id, now()).await.unwrap().unwrap().ends.left, 2);
}

pub async fn posts_are_found_by_their_campaign(home: &mut Home) {
    let store = home.store();
    let one = post_to(store, "bot", 1, post("one")).await;
    let by_hand = post_to(store, "bot", 1, Post { campaign: None, ..post("by hand") }).await;
    let two = post_to(store, "bot", 1, post("two")).await;
    let news = name("news");
    assert_eq!(store.load_post_ids(None, 10).await.unwrap(), [two, by_hand, one]);
    assert_eq!(store.load_post_ids(Some(&news), 10).await.unwrap(), [two, one]);
    assert_eq!(store.load_post_ids(Some(&news), 1).await.unwrap(), [two]);
    assert_eq!(store.load_post_ids(Some(&name("other")), 9).await.unwrap(), []);
}

// ── traces ──────────────────────────────────────────────────────────────────────────────────────

/// What happened to an item, in order.
async fn way(store: &dyn Store, number: u8) -> Vec<Happened> {
    let query = TraceQuery::Item(ItemId([number; 16]));
    let traces = store.load_traces(query, 10).await.unwrap();
    traces.into_iter().flat_map(|trace| trace.steps).map(|step| step.what).collect()
}

pub async fn an_item_is_traced_from_its_draft_to_its_post(home: &mut Home) {
    let store = home.store();
    store.import_subscribers(&name("bot"), people(3)).await.unwrap();
    let mut commit = poll("blog");
    commit.items = vec![item(1), item(2), item(3), item(4)];
    commit.drafts = vec![draft(now(), &[1]), draft(now(), &[2]), held_draft("blog", &[3, 4])];
    store.commit_poll(commit).await.unwrap();
    let audiences = vec![(name("bot"), vec![0, 1])];
    let commit = PostCommit { drafts: vec![DraftId(1)], post: post("one"), audiences };
    let id = store.commit_post(commit).await.unwrap();
    let why = "nobody subscribes".to_owned();
    store.give_up_drafts(vec![DraftId(2)], why.clone(), Some(now())).await.unwrap();
    store.commit_flood(&name("blog"), FloodWord::Newest(1), now()).await.unwrap();
    let rule = "`when` is false".to_owned();
    let filtered = Happened::Filtered { campaign: name("other"), rule };
    let steps = vec![(ItemId([4; 16]), filtered.clone()), (ItemId([9; 16]), filtered.clone())];
    store.commit_steps(steps, now()).await.unwrap();
    home.reopen();

    let store = home.store();
    let campaign = name("news");
    let kind = tidings::model::campaign::ChangeKind::New;
    let drafted = |number: u64| Happened::Drafted {
        campaign: campaign.clone(),
        kind,
        draft: DraftId(number),
        due_at: now(),
    };
    let held = Happened::Held {
        campaign: campaign.clone(),
        kind,
        draft: DraftId(3),
        why: "40 of 40 are new".into(),
    };
    assert_eq!(way(store, 1).await, [drafted(1), Happened::Posted { post: id }]);
    assert_eq!(way(store, 2).await, [drafted(2), Happened::Dropped { draft: DraftId(2), why }]);
    let known = Happened::TakenAsKnown { campaign: campaign.clone(), draft: DraftId(3) };
    assert_eq!(way(store, 3).await, [held.clone(), known]);
    let released = Happened::Released { campaign: campaign.clone(), draft: DraftId(3) };
    assert_eq!(way(store, 4).await, [held, released, filtered]);
    assert_eq!(way(store, 9).await, []);
}

pub async fn an_item_is_found_by_address_or_part_of_its_title(home: &mut Home) {
    let store = home.store();
    let mut commit = poll("blog");
    commit.items = (1..=12).map(item).collect();
    commit.drafts = (1..=12).map(|number| draft(now(), &[number])).collect();
    store.commit_poll(commit).await.unwrap();
    let find = async |query: TraceQuery| -> Vec<String> {
        let traces = store.load_traces(query, 3).await.unwrap();
        traces.into_iter().map(|trace| trace.title).collect()
    };
    let link = TraceQuery::Link("http://www.example.com/7/".into());
    assert_eq!(find(link).await, ["Title 7"]);
    assert_eq!(find(TraceQuery::Title("tItLe 12".into())).await, ["Title 12"]);
    assert_eq!(find(TraceQuery::Title("title".into())).await.len(), 3);
    assert_eq!(find(TraceQuery::Title("no such".into())).await.len(), 0);
    // 90 days after the last step of each it is forgotten.
    let mut rows = 0;
    loop {
        match store.prune(now() + 91 * DAY).await.unwrap() {
            0 => break,
            more => rows += more,
        }
    }
    assert!(rows >= 12, "{rows}");
    assert_eq!(find(TraceQuery::Title("title".into())).await.len(), 0);
}

pub async fn a_source_that_knows_a_link_is_found(home: &mut Home) {
    let store = home.store();
    let mut commit = poll("blog");
    commit.known = Some(known(9));
    store.commit_poll(commit).await.unwrap();
    assert_eq!(store.load_knowing(u64::MAX).await.unwrap(), [(name("blog"), now())]);
    assert_eq!(store.load_knowing(5).await.unwrap(), []);
    assert_eq!(store.load_knowing(0).await.unwrap(), []);
}

// ── hours ───────────────────────────────────────────────────────────────────────────────────────

/// The instant of the day in which the tests are; the hours of [`at_day`] end at nine in the
/// evening.
fn clock(day: i64, hour: i64) -> Timestamp {
    let midnight = NOW - NOW.rem_euclid(86_400_000);
    Timestamp::from_millis(midnight + (24 * day + hour) * 3_600_000)
}

/// A post that goes by day only.
fn at_day(post: Post) -> Post {
    let hours = Hours::window("08:00-21:00", "UTC").unwrap().into_iter().collect();
    Post { hours, ..post }
}

pub async fn a_post_waits_for_its_hours_and_goes_on_in_them(home: &mut Home) {
    let id = post_to(home.store(), "bot", 1_000, at_day(post("by day"))).await;
    let other = post_to(home.store(), "bot", 1_000, post("at any hour")).await;
    let claims = step_at(home.store(), vec![], 64, clock(0, 20)).await;
    assert_eq!(shares(&claims), BTreeMap::from([(id, 32), (other, 32)]));
    // Who is on the way comes home; nobody further is claimed, and others go on.
    let ours: Vec<Claim> = claims.iter().filter(|claim| place(claim).0 == id).cloned().collect();
    let receipts = vec![done(&ours[0], Outcome::Sent), returned(&ours[1], 0)];
    let claims = step_at(home.store(), receipts, 100, clock(0, 21)).await;
    assert_eq!(shares(&claims), BTreeMap::from([(other, 100)]));
    let report = home.store().load_report(id, clock(0, 23)).await.unwrap().unwrap();
    assert_eq!(report.opens_at, Some(clock(1, 8)));
    home.reopen();
    let store = home.store();
    let wire = Wire { is_trusted: true, ..Wire::default() };
    store.rescue(wire).await.unwrap();
    obey(store, other, pause()).await;
    assert_eq!(step_at(store, vec![], 100, clock(1, 7)).await, vec![]);
    let claims = step_at(store, vec![], 5_000, clock(1, 8)).await;
    assert_eq!(shares(&claims), BTreeMap::from([(id, 999)]));
    let report = store.load_report(id, clock(1, 8)).await.unwrap().unwrap();
    assert_eq!(report.opens_at, None);
}

pub async fn a_stage_and_a_resumed_post_wait_for_their_hours(home: &mut Home) {
    let store = home.store();
    let id = post_to(store, "bot", 1_000, at_day(staged("careful", 1_000))).await;
    let claims = step_at(store, vec![], 100, clock(0, 20)).await;
    assert_eq!(claims.len(), 10);
    // The stage is over in the evening, and judged at night.
    step_at(store, all_sent(&claims), 0, clock(0, 20)).await;
    assert_eq!(step_at(store, vec![], 100, clock(0, 22)).await, vec![]);
    assert_eq!(stage(store, id).await, (2, false));
    store.commit_word(id, pause(), clock(0, 23)).await.unwrap();
    assert_eq!(step_at(store, vec![], 100, clock(1, 9)).await, vec![]);
    store.commit_word(id, PostWord::Resume, clock(1, 22)).await.unwrap();
    let urgent = PostWord::Rank { priority: Priority::HIGH };
    store.commit_word(id, urgent, clock(1, 23)).await.unwrap();
    assert_eq!(step_at(store, vec![], 100, clock(1, 23)).await, vec![]);
    assert_eq!(step_at(store, vec![], 100, clock(2, 8)).await.len(), 90);
}

// ── staged rollouts ─────────────────────────────────────────────────────────────────────────────

/// A post that goes to 1%, 10%, and then all, with a minute between.
pub fn staged(title: &str, people: u64) -> Post {
    let stages = Stages {
        shares: vec![100, 1_000, WHOLE],
        wait: seconds(60),
        failed_max: 1_000,
        left_max: 2_000,
    };
    let rollout = stages.begin([(name("bot"), people)]);
    Post { rollout: Some(Box::new(rollout)), ..post(title) }
}

/// The stage, from 1 on, and whether it waits to be judged.
async fn stage(store: &dyn Store, post: PostId) -> (usize, bool) {
    let rollout = store.load_post(post).await.unwrap().unwrap().rollout.unwrap();
    (rollout.at + 1, rollout.due_at.is_some())
}

fn all_sent(claims: &[Claim]) -> Vec<Receipt> {
    claims.iter().map(|claim| done(claim, Outcome::Sent)).collect()
}

pub async fn a_rollout_goes_to_a_few_first_and_waits(home: &mut Home) {
    let id = post_to(home.store(), "bot", 2_000, staged("careful", 2_000)).await;
    let other = post_to(home.store(), "bot", 2_000, post("other")).await;
    let claims = advance(home.store(), "bot", vec![], 100).await;
    assert_eq!(shares(&claims), BTreeMap::from([(id, 20), (other, 80)]));
    // One comes back unsent and is claimed again before the stage is over.
    let ours: Vec<Claim> = claims.iter().filter(|claim| place(claim).0 == id).cloned().collect();
    let mut receipts = all_sent(&ours[1..]);
    receipts.push(returned(&ours[0], 0));
    assert_eq!(stage(home.store(), id).await, (1, false));
    let again = advance(home.store(), "bot", receipts, 1).await;
    let again = match place(&again[0]).0 == id {
        true => again,
        false => advance(home.store(), "bot", vec![], 33).await,
    };
    let again: Vec<Claim> = again.into_iter().filter(|claim| place(claim).0 == id).collect();
    assert_eq!(again.len(), 1);
    advance(home.store(), "bot", all_sent(&again), 0).await;
    assert_eq!(stage(home.store(), id).await, (1, true));
    home.reopen();

    let store = home.store();
    let until = now() + seconds(59);
    let claims = step_at(store, vec![], 1_000, until).await;
    assert_eq!(shares(&claims), BTreeMap::from([(other, 1_000)]));
    let then = now() + seconds(60);
    store.commit_word(other, pause(), then).await.unwrap();
    let claims = step_at(store, vec![], 1_000, then).await;
    assert_eq!(shares(&claims), BTreeMap::from([(id, 180)]));
    step_at(store, all_sent(&claims), 0, then).await;
    assert_eq!(stage(store, id).await, (2, true));
    let claims = step_at(store, vec![], 5_000, then + seconds(60)).await;
    assert_eq!(shares(&claims), BTreeMap::from([(id, 1_800)]));
    step_at(store, all_sent(&claims), 0, then + seconds(60)).await;
    assert_eq!((stage(store, id).await, counts(store, id).await.sent), ((3, false), 2_000));
    assert!(store.load_report(id, then).await.unwrap().unwrap().finished_at.is_some());
}

/// Halts the page, or lets it go on.
async fn halt(store: &dyn Store, is_halted: bool) {
    let halt = Halt { why: "blocked".into(), at: now(), is_by_hand: false };
    store.commit_halt(&name("page"), is_halted.then_some(halt)).await.unwrap();
}

pub async fn a_stage_waits_for_no_channel_that_is_halted(home: &mut Home) {
    let store = home.store();
    let on = async |channel, claims, receipts, now| {
        let channel = name(channel);
        let ways = Default::default();
        let step = Advance { channel, receipts, claims, resting: vec![], caps: None, ways, now };
        store.advance(step).await.unwrap()
    };
    let mut post = staged("careful", 1_000);
    let stages = post.rollout.unwrap().stages;
    let sizes = [(name("bot"), 1_000), (name("page"), 1_000)];
    post.rollout = Some(Box::new(stages.begin(sizes)));
    let mut audiences = Vec::new();
    for channel in ["bot", "page"] {
        store.import_subscribers(&name(channel), people(1_000)).await.unwrap();
        audiences.push((name(channel), (0..1_000).collect()));
    }
    let id = store.commit_post(PostCommit { drafts: vec![], post, audiences }).await.unwrap();
    let claims = on("bot", 100, vec![], now()).await;
    on("bot", 0, all_sent(&claims), now()).await;
    assert_eq!(stage(store, id).await, (1, false), "the page has not begun");
    // Whether it is halted before or after the others are done.
    halt(store, true).await;
    assert_eq!(stage(store, id).await, (1, true));
    let at = now() + seconds(60);
    let claims = on("bot", 100, vec![], at).await;
    assert_eq!(claims.len(), 90);
    on("bot", 0, all_sent(&claims), at).await;
    assert_eq!(stage(store, id).await, (2, true));
    // It goes on where the others are, with what it has missed.
    halt(store, false).await;
    let claims = on("page", 1_000, vec![], at).await;
    assert_eq!(claims.len(), 100);
    on("page", 0, all_sent(&claims), at).await;

    // Where nothing is sent at all nothing is judged.
    let alone = Post {
        rollout: Some(Box::new(stages.begin([(name("page"), 1_000)]))),
        ..self::post("alone")
    };
    let audiences = vec![(name("page"), (0..1_000).collect())];
    let commit = PostCommit { drafts: vec![], post: alone, audiences };
    let alone = store.commit_post(commit).await.unwrap();
    halt(store, true).await;
    assert_eq!(stage(store, alone).await, (1, false));
}

pub async fn a_rollout_that_fails_too_often_is_paused(home: &mut Home) {
    let store = home.store();
    let id = post_to(store, "bot", 1_000, staged("wrong", 1_000)).await;
    let claims = advance(store, "bot", vec![], 100).await;
    assert_eq!(claims.len(), 10);
    let mut receipts = all_sent(&claims);
    // Who is gone says nothing about the post.
    receipts[0] = done(&claims[0], Outcome::Failed(Reason::Blocked));
    receipts[1] = done(&claims[1], Outcome::Failed(Reason::Refused));
    advance(store, "bot", receipts, 0).await;
    assert_eq!(step_at(store, vec![], 100, now() + seconds(61)).await, vec![]);
    let kept = store.load_post(id).await.unwrap().unwrap();
    assert_eq!(kept.paused.as_deref(), Some("1 of 9 failed in stage 1 of 3 (1%)"));
    // An admin may go on with the next stage all the same.
    assert_eq!(obey(store, id, PostWord::Resume).await, done_with(990));
    assert_eq!(step_at(store, vec![], 500, now() + seconds(62)).await.len(), 90);
}

pub async fn a_rollout_that_drives_people_away_is_paused(home: &mut Home) {
    let store = home.store();
    let id = post_to(store, "bot", 300, staged("annoying", 300)).await;
    let claims = advance(store, "bot", vec![], 100).await;
    advance(store, "bot", all_sent(&claims), 0).await;
    let consent = Consent {
        at: now() + seconds(20),
        number: 0,
        given: false,
        way: "stop".into(),
        wording: String::new(),
    };
    let turn = turn(store, "bot", "1001").await;
    let turn = ConversationCommit { consent: Some(consent), ..turn };
    store.commit_conversation(turn).await.unwrap();
    // Paused by hand when it is due: it is judged once it goes on.
    obey(store, id, pause()).await;
    assert_eq!(step_at(store, vec![], 100, now() + seconds(61)).await, vec![]);
    assert_eq!(stage(store, id).await, (1, true));
    obey(store, id, PostWord::Resume).await;
    assert_eq!(step_at(store, vec![], 100, now() + seconds(62)).await, vec![]);
    let kept = store.load_post(id).await.unwrap().unwrap();
    assert_eq!(kept.paused.as_deref(), Some("1 of 3 who got it left in stage 1 of 3 (1%)"));
    assert_eq!(obey(store, id, cancel()).await, done_with(297));
    assert_eq!(step_at(store, vec![], 100, now() + seconds(200)).await, vec![]);
}

pub async fn a_rollout_to_few_is_over_when_nobody_waits(home: &mut Home) {
    let store = home.store();
    let id = post_to(store, "bot", 2, staged("small", 2)).await;
    let claims = advance(store, "bot", vec![], 100).await;
    assert_eq!(claims.len(), 1);
    advance(store, "bot", all_sent(&claims), 0).await;
    // The second stage is of one as well, so it adds nobody.
    assert_eq!(step_at(store, vec![], 9, now() + seconds(60)).await, vec![]);
    let claims = step_at(store, vec![], 9, now() + seconds(120)).await;
    assert_eq!(claims.len(), 1);
    step_at(store, all_sent(&claims), 0, now() + seconds(120)).await;
    assert_eq!(counts(store, id).await.sent, 2);
}
