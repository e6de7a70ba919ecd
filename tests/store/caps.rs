//! How much one person gets in a day, and what becomes of the rest.

use std::collections::BTreeSet;

use tidings::model::cap::Caps;
use tidings::model::day::Days;
use tidings::model::lane::{Beyond, Lane, Market, Period, Template, Ways};
use tidings::model::pacing::{Halt, StarBudget, StarsAsked, StarsPer};
use tidings::store::OptinWord;

use super::*;

/// The cap of every campaign, but for `flash`, which has none.
fn caps(max: u32) -> Option<Arc<Caps>> {
    Some(Arc::new(Caps {
        days: Days::utc(),
        carry_at: jiff::civil::time(9, 0, 0, 0),
        usual: Some(max),
        campaigns: vec![(name("flash"), None)],
    }))
}

/// Claims everything at an instant and says that it arrived; the posts that went, by recipient.
async fn send_all(
    store: &dyn Store,
    at: Timestamp,
    caps: Option<Arc<Caps>>,
) -> Vec<(String, Option<PostId>)> {
    let mut sent = Vec::new();
    let mut receipts = Vec::new();
    loop {
        let step = Advance {
            channel: name("bot"),
            receipts: std::mem::take(&mut receipts),
            claims: 100,
            resting: vec![],
            caps: caps.clone(),
            ways: Default::default(),
            now: at,
        };
        let claims = store.advance(step).await.unwrap();
        if claims.is_empty() {
            return sent;
        }
        for claim in &claims {
            let post = match &claim.work {
                Work::Delivery { post, .. } => Some(*post),
                Work::Answer { .. } => None,
            };
            sent.push((claim.recipient.address.clone(), post));
            receipts.push(made::done(claim, Outcome::Sent));
        }
    }
}

async fn outcomes(store: &dyn Store, post: PostId) -> (u64, u64, u64) {
    let counts = made::counts(store, post).await;
    (counts.sent, counts.held, counts.waiting)
}

pub async fn nobody_gets_more_posts_a_day_than_the_cap_and_the_rest_comes_the_next(
    home: &mut Home,
) {
    let store = home.store();
    let mut posts = Vec::new();
    for title in ["one", "two", "three", "four"] {
        posts.push(post_to(store, "bot", 3, post(title)).await);
    }
    let flash = Post { campaign: Some(name("flash")), ..post("flash") };
    let flash = post_to(store, "bot", 3, flash).await;
    let by_hand = post_to(store, "bot", 3, Post { campaign: None, ..post("by hand") }).await;
    let sent = send_all(store, now(), caps(2)).await;
    assert_eq!(sent.len(), 3 * 4, "two of the campaign, the one without a cap, the one by hand");
    let held: Vec<_> = posts.iter().map(|post| outcomes(store, *post)).collect();
    let held = futures_util::future::join_all(held).await;
    assert_eq!(held.iter().map(|(_, held, _)| held).sum::<u64>(), 6);
    for post in [flash, by_hand] {
        assert_eq!(outcomes(store, post).await, (3, 0, 0));
    }
    // What is held is told with its hour, and counted.
    let late = *posts.last().unwrap();
    let delivery = store.load_delivery(late, &name("bot"), 0).await.unwrap().unwrap();
    let until = caps(2).unwrap().carried_until(now());
    assert_eq!((delivery.outcome, delivery.carried_until), (Outcome::Held, Some(until)));
    let report = store.load_report(late, now()).await.unwrap().unwrap();
    assert_eq!((report.carried, report.ends.counts.held), (3, 3));

    home.reopen();
    let store = home.store();
    assert_eq!(send_all(store, until - seconds(1), caps(2)).await, vec![]);
    let sent = send_all(store, until, caps(2)).await;
    assert_eq!(sent.len(), 3, "one message each");
    assert!(sent.iter().all(|(_, post)| post.is_none()));
    assert_eq!(outcomes(store, late).await, (3, 0, 0));
    assert_eq!(store.load_report(late, now()).await.unwrap().unwrap().carried, 0);
    // It counts as one of that day's.
    let fifth = post_to(store, "bot", 3, post("five")).await;
    let sixth = post_to(store, "bot", 3, post("six")).await;
    assert_eq!(send_all(store, until, caps(2)).await.len(), 3);
    let (fifth, sixth) = (outcomes(store, fifth).await, outcomes(store, sixth).await);
    assert_eq!(fifth.0 + sixth.0, 3);
    assert_eq!(fifth.1 + sixth.1, 3);
}

pub async fn what_did_not_arrive_does_not_count(home: &mut Home) {
    let store = home.store();
    let first = post_to(store, "bot", 1, post("one")).await;
    let step = |receipts| Advance {
        channel: name("bot"),
        receipts,
        claims: 10,
        resting: vec![],
        caps: caps(1),
        ways: Default::default(),
        now: now(),
    };
    let claims = store.advance(step(vec![])).await.unwrap();
    let failed = made::done(&claims[0], Outcome::Failed(Reason::ContentRefused));
    store.advance(step(vec![failed])).await.unwrap();
    assert_eq!(outcomes(store, first).await, (0, 0, 0));
    post_to(store, "bot", 1, post("two")).await;
    let claims = store.advance(step(vec![])).await.unwrap();
    assert_eq!(claims.len(), 1, "the first one did not arrive");
    let claims = store.advance(step(vec![made::returned(&claims[0], 0)])).await.unwrap();
    assert_eq!(claims.len(), 1, "nor did the second the first time");
    home.reopen();
    let store = home.store();
    store.rescue(Wire { is_trusted: true, ..Wire::default() }).await.unwrap();
    let claims = store.advance(step(vec![])).await.unwrap();
    assert_eq!(claims.len(), 1, "nor over a crash");
    let third = post_to(store, "bot", 1, post("three")).await;
    store.advance(step(vec![made::done(&claims[0], Outcome::Sent)])).await.unwrap();
    assert_eq!(outcomes(store, third).await, (0, 1, 0));
}

pub async fn what_comes_back_after_midnight_counts_for_its_own_day(home: &mut Home) {
    let store = home.store();
    let tomorrow = now() + DAY;
    let step = |receipts, now| Advance {
        channel: name("bot"),
        receipts,
        claims: 10,
        resting: vec![],
        caps: caps(2),
        ways: Default::default(),
        now,
    };
    let late = post_to(store, "bot", 1, post("late")).await;
    let claims = store.advance(step(vec![], now())).await.unwrap();
    let [late_claim] = &claims[..] else { panic!("{claims:?}") };
    post_to(store, "bot", 1, post("of today")).await;
    let claims = store.advance(step(vec![], tomorrow)).await.unwrap();
    store.advance(step(vec![made::done(&claims[0], Outcome::Sent)], tomorrow)).await.unwrap();
    let back = vec![made::returned(late_claim, 0)];
    let again = store.advance(step(back, tomorrow)).await.unwrap();
    assert!(matches!(again[0].work, Work::Delivery { post, .. } if post == late), "{again:?}");
    let third = post_to(store, "bot", 1, post("too much")).await;
    assert_eq!(store.advance(step(vec![], tomorrow)).await.unwrap(), vec![]);
    assert_eq!(outcomes(store, third).await, (0, 1, 0));
}

pub async fn many_that_are_carried_over_come_as_one_list(home: &mut Home) {
    let store = home.store();
    let mut posts = Vec::new();
    for number in 0..50 {
        posts.push(post_to(store, "bot", 1, post(&format!("Title {number}"))).await);
    }
    assert_eq!(send_all(store, now(), caps(1)).await.len(), 1);
    let until = caps(1).unwrap().carried_until(now());
    let step = Advance {
        channel: name("bot"),
        receipts: vec![],
        claims: 10,
        resting: vec![],
        caps: caps(1),
        ways: Default::default(),
        now: until,
    };
    let claims = store.advance(step).await.unwrap();
    let [claim] = &claims[..] else { panic!("{} claims", claims.len()) };
    let Work::Answer { answer, .. } = &claim.work else { panic!("{:?}", claim.work) };
    let words = format!("{:?}", answer.message);
    assert!(words.contains("Title 49") && words.contains("Title 20"), "{words}");
    assert_eq!(words.matches("Title ").count(), 30);
    advance(store, "bot", vec![made::done(claim, Outcome::Sent)], 0).await;
    let mut ends = (0, 0);
    for post in &posts {
        let counts = made::counts(store, *post).await;
        ends = (ends.0 + counts.sent, ends.1 + counts.skipped);
    }
    assert_eq!(ends, (31, 19), "every post has an end, and the oldest say why");
}

pub async fn what_goes_beyond_windows_is_capped_before_it_is_paid_and_finds_its_lane_anew(
    home: &mut Home,
) {
    let store = home.store();
    let bot = name("bot");
    let template =
        Template { name: "visit".into(), language: "en".into(), body: vec![], buttons: vec![] };
    let visit = Beyond { utility: Some(template), is_marketing: false };
    let paid = Beyond { utility: None, is_marketing: true };
    let beyond =
        |beyond: &Beyond, title| Post { beyond: Some(Box::new(beyond.clone())), ..post(title) };
    let first = post_to(store, "bot", 1, beyond(&visit, "one")).await;
    let word = OptinWord::Open { token: "t".into(), expires_at: None, next_at: None, at: now() };
    store.commit_optins(&bot, vec![("1000".into(), word)]).await.unwrap();
    let market = Market { campaign: "7".into(), cost: 400, spend_max: 1_000, per: Period::Day };
    let ways = Ways {
        has_windows: true,
        held_for: DAY * 14,
        templates: BTreeSet::from([("visit".to_owned(), "en".to_owned())]),
        market: Some(market),
    };
    let step = |receipts, now| Advance {
        channel: name("bot"),
        receipts,
        claims: 10,
        resting: vec![],
        caps: caps(1),
        ways: ways.clone(),
        now,
    };
    let lanes = |claims: &[Claim]| {
        let lane = |claim: &Claim| match &claim.work {
            Work::Delivery { post, .. } => (claim.lane, Some(*post)),
            Work::Answer { .. } => (claim.lane, None),
        };
        claims.iter().map(lane).collect::<Vec<_>>()
    };
    let claims = store.advance(step(vec![], now())).await.unwrap();
    assert_eq!(lanes(&claims), [(Lane::Utility, Some(first))]);
    let sent = vec![made::done(&claims[0], Outcome::Sent)];
    let second = post_to(store, "bot", 1, beyond(&paid, "two")).await;
    let plain = post_to(store, "bot", 1, post("three")).await;
    assert_eq!(store.advance(step(sent, now())).await.unwrap(), vec![]);
    assert_eq!(store.load_market(&bot).await.unwrap().paid, 0, "it is not paid for nothing");
    let until = caps(1).unwrap().carried_until(now());
    let told = store.load_delivery(second, &bot, 0).await.unwrap().unwrap();
    assert_eq!((told.outcome, told.carried_until), (Outcome::Held, Some(until)));

    // Nobody wrote meanwhile: what has another lane takes it, what has none is held on.
    assert_eq!(store.advance(step(vec![], until - seconds(1))).await.unwrap(), vec![]);
    let claims = store.advance(step(vec![], until)).await.unwrap();
    assert_eq!(lanes(&claims), [(Lane::Marketing, Some(second))]);
    assert_eq!(store.load_market(&bot).await.unwrap().paid, 1);
    assert_eq!(outcomes(store, plain).await, (0, 1, 0));
    // It counts for that day.
    post_to(store, "bot", 1, beyond(&visit, "four")).await;
    let sent = vec![made::done(&claims[0], Outcome::Sent)];
    assert_eq!(store.advance(step(sent, until)).await.unwrap(), vec![]);
}

pub async fn a_budget_of_stars_is_counted_by_post_and_by_day(home: &mut Home) {
    let ask = |post, day, tenths, per| StarsAsked {
        post: PostId(post),
        day,
        tenths,
        budget: StarBudget { tenths_max: 100, per },
    };
    let (bot, store) = (name("bot"), home.store());
    let take = async |asked| store.take_stars(&bot, asked).await.unwrap();
    assert_eq!(take(ask(1, 7, 60, StarsPer::Post)).await, 60);
    assert_eq!(take(ask(1, 7, 60, StarsPer::Post)).await, 40);
    assert_eq!(take(ask(1, 8, 60, StarsPer::Post)).await, 0);
    assert_eq!(take(ask(2, 7, 60, StarsPer::Day)).await, 0, "the day has spent it");
    assert_eq!(take(ask(2, 8, 60, StarsPer::Day)).await, 60);
    store.return_stars(&bot, PostId(2), 8, 50).await.unwrap();
    assert_eq!(store.load_stars(&bot, 8).await.unwrap(), 10);
    home.reopen();
    assert_eq!(home.store().load_stars(&name("bot"), 7).await.unwrap(), 100);
    let asked = ask(3, 8, 200, StarsPer::Day);
    assert_eq!(home.store().take_stars(&name("bot"), asked).await.unwrap(), 90);
}

pub async fn a_halted_channel_stays_so_until_somebody_says_otherwise(home: &mut Home) {
    let halt = |why: &str| Some(Halt { why: why.into(), at: now(), is_by_hand: false });
    let bot = name("bot");
    let store = home.store();
    assert_eq!(store.load_halt(&bot).await.unwrap(), None);
    assert!(store.commit_halt(&bot, halt("spam")).await.unwrap());
    assert!(!store.commit_halt(&bot, halt("more")).await.unwrap());
    home.reopen();
    let store = home.store();
    assert_eq!(store.load_halt(&bot).await.unwrap(), halt("spam"));
    let status = store.load_status().await.unwrap();
    assert_eq!(status.channels[0].halt, halt("spam"));
    assert!(store.commit_halt(&bot, None).await.unwrap());
    assert!(!store.commit_halt(&bot, None).await.unwrap());
    assert_eq!(store.load_halt(&bot).await.unwrap(), None);
}
