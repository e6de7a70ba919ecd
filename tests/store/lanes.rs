//! Lanes beyond a window, echoes of what was uncertain, marks, and what is held for how long.

use std::collections::BTreeSet;

use tidings::model::lane::{Beyond, Lane, MARKETING_GAP, Market, Period, Template, Ways};
use tidings::model::signal::{Heard, Mark, Signal};
use tidings::store::{MarketState, OptinWord};

use super::*;

fn ways() -> Ways {
    Ways { has_windows: true, held_for: DAY, ..Ways::default() }
}

fn market() -> Ways {
    let market = Market { campaign: "7".into(), cost: 400, spend_max: 1_000, per: Period::Day };
    Ways { market: Some(market), ..ways() }
}

async fn step(
    store: &dyn Store,
    receipts: Vec<Receipt>,
    claims: usize,
    ways: &Ways,
    now: Timestamp,
) -> Vec<Claim> {
    let (channel, ways) = (name("bot"), ways.clone());
    store
        .advance(Advance { channel, receipts, claims, resting: vec![], caps: None, ways, now })
        .await
        .unwrap()
}

/// A post of the ways to `count` people, whose windows are open for two days, or not.
async fn post_in(
    store: &dyn Store,
    count: usize,
    is_open: bool,
    on_uncertain: OnUncertain,
    beyond: Option<Beyond>,
) -> PostId {
    let window_until = is_open.then(|| now() + DAY * 2);
    let crowd = people(count).into_iter().map(|it| Subscriber { window_until, ..it }).collect();
    store.import_subscribers(&name("bot"), crowd).await.unwrap();
    let beyond = beyond.map(Box::new);
    post_to(store, "bot", count, Post { on_uncertain, beyond, ..post("hello") }).await
}

fn echo(ticket: Ticket, address: &str, part: u8, of: u8) -> Signal {
    let what = Heard::Echo { address: address.into(), mark: Mark { ticket, part, of } };
    Signal { channel: name("bot"), at: now(), what }
}

fn unheard(claim: &Claim, part: u8) -> Receipt {
    let error = Some("silence".into());
    Receipt { part, error, ..done(claim, Outcome::Uncertain) }
}

async fn hear(store: &dyn Store, signal: Signal) -> Vec<Name> {
    store.commit_signals(vec![signal], now()).await.unwrap()
}

async fn outcomes(store: &dyn Store, post: PostId) -> Vec<Outcome> {
    let all = store.load_outcomes(post, &name("bot")).await.unwrap();
    all.into_iter().map(|(_, outcome)| outcome).collect()
}

// ── echoes ──────────────────────────────────────────────────────────────────────────────────────

pub async fn an_echo_makes_the_uncertain_sent(home: &mut Home) {
    let id = post_in(home.store(), 3, true, OnUncertain::Skip, None).await;
    let claims = step(home.store(), vec![], 3, &ways(), now()).await;
    let lost = vec![unheard(&claims[0], 0), unheard(&claims[1], 0), unheard(&claims[2], 1)];
    step(home.store(), lost, 0, &ways(), now()).await;
    assert_eq!(counts(home.store(), id).await.uncertain, 3);
    home.reopen();
    let store = home.store();
    // Of another person, of a claim that never was, and of a part that was known: nothing.
    for signal in [
        echo(claims[0].ticket, "1001", 0, 1),
        echo(Ticket(99), "1000", 0, 1),
        echo(claims[2].ticket, "1002", 0, 3),
    ] {
        assert_eq!(hear(store, signal).await, vec![]);
    }
    assert_eq!(counts(store, id).await.uncertain, 3);
    for _ in 0..2 {
        assert_eq!(hear(store, echo(claims[0].ticket, "1000", 0, 1)).await, vec![]);
    }
    assert_eq!(outcomes(store, id).await[0], Outcome::Sent);
    // The second of three calls is out: the third waits.
    assert_eq!(hear(store, echo(claims[2].ticket, "1002", 1, 3)).await, [name("bot")]);
    let rest = step(store, vec![], 5, &ways(), now()).await;
    assert_eq!(rest.len(), 1);
    assert_eq!((rest[0].recipient.address.as_str(), rest[0].part), ("1002", 2));
    assert_eq!(outcomes(store, id).await[1], Outcome::Uncertain);
}

pub async fn an_echo_may_come_before_the_answer_that_never_comes(home: &mut Home) {
    let id = post_in(home.store(), 3, true, OnUncertain::Skip, None).await;
    let claims = step(home.store(), vec![], 3, &ways(), now()).await;
    for claim in &claims[..2] {
        let address = &claim.recipient.address;
        assert_eq!(hear(home.store(), echo(claim.ticket, address, 0, 1)).await, vec![]);
    }
    step(home.store(), vec![unheard(&claims[0], 0)], 0, &ways(), now()).await;
    assert_eq!(outcomes(home.store(), id).await[0], Outcome::Sent);
    // The second one's answer was lost with the program.
    home.reopen();
    let started = claims[1..].iter().map(|claim| (claim.ticket, 0)).collect();
    let wire = Wire { is_trusted: true, started, receipts: vec![], parts: vec![] };
    let rescued = home.store().rescue(wire).await.unwrap();
    assert_eq!(rescued, Rescued { settled: 1, uncertain: 1, ..Rescued::default() });
    let ends = [Outcome::Sent, Outcome::Sent, Outcome::Uncertain];
    assert_eq!(outcomes(home.store(), id).await, ends);
    assert_eq!(hear(home.store(), echo(claims[2].ticket, "1002", 0, 1)).await, vec![]);
    let whole = Counts { planned: 3, sent: 3, ..Counts::default() };
    assert_eq!(counts(home.store(), id).await, whole);
}

pub async fn without_an_echo_in_time_the_post_says_what_becomes_of_it(home: &mut Home) {
    let skip = post_in(home.store(), 1, true, OnUncertain::Skip, None).await;
    let resend = post_in(home.store(), 1, true, OnUncertain::Resend, None).await;
    let claims = step(home.store(), vec![], 2, &ways(), now()).await;
    home.reopen();
    let store = home.store();
    let started = claims.iter().map(|claim| (claim.ticket, 0)).collect();
    let wire = Wire { is_trusted: true, started, receipts: vec![], parts: vec![] };
    // Where there are echoes nothing is sent again at once.
    let rescued = store.rescue(wire).await.unwrap();
    assert_eq!(rescued, Rescued { uncertain: 2, ..Rescued::default() });
    // The wait begins with the run; what is to be sent again is not over meanwhile.
    let began = now() + seconds(500);
    assert_eq!(step(store, vec![], 5, &ways(), began).await, vec![]);
    assert_eq!(outcomes(store, resend).await, [Outcome::InFlight]);
    assert!(!counts(store, resend).await.is_finished());
    assert_eq!(step(store, vec![], 5, &ways(), began + seconds(19)).await, vec![]);
    let again = step(store, vec![], 5, &ways(), began + seconds(21)).await;
    assert_eq!(again.len(), 1);
    assert!(matches!(again[0].work, Work::Delivery { post, .. } if post == resend));
    assert_eq!(outcomes(store, skip).await, [Outcome::Uncertain]);
    // An echo that is late counts for who still is uncertain.
    let late = claims.iter().map(|claim| echo(claim.ticket, "1000", 0, 1)).collect();
    store.commit_signals(late, began + seconds(3_600)).await.unwrap();
    assert_eq!(outcomes(store, skip).await, [Outcome::Sent]);
    assert_eq!(outcomes(store, resend).await, [Outcome::InFlight]);
}

pub async fn an_echo_tells_of_a_carousel_too(home: &mut Home) {
    let store = home.store();
    let mut ids = Vec::new();
    for on_uncertain in [OnUncertain::Skip, OnUncertain::Resend] {
        ids.push(post_in(store, 1, false, on_uncertain, None).await);
    }
    assert_eq!(step(store, vec![], 5, &ways(), now()).await, vec![]);
    for is_heard in [false, true] {
        release(store, vec![]).await;
        let carousel = step(store, vec![], 5, &ways(), now()).await;
        step(store, vec![unheard(&carousel[0], 0)], 0, &ways(), now()).await;
        if is_heard {
            hear(store, echo(carousel[0].ticket, "1000", 0, 1)).await;
            continue;
        }
        assert_eq!(outcome(store, ids[0]).await, Outcome::Uncertain);
        // Neither held again nor lost: its echo may still come.
        assert_eq!(outcome(store, ids[1]).await, Outcome::Held);
        release(store, vec![]).await;
        assert_eq!(step(store, vec![], 5, &ways(), now()).await, vec![]);
        step(store, vec![], 0, &ways(), now() + seconds(30)).await;
        assert_eq!(outcome(store, ids[0]).await, Outcome::Uncertain);
        assert_eq!(outcome(store, ids[1]).await, Outcome::Held);
    }
    assert_eq!(outcome(store, ids[1]).await, Outcome::Sent);
    let told = store.load_delivery(ids[1], &name("bot"), 0).await.unwrap().unwrap();
    assert_eq!((told.outcome, told.lane), (Outcome::Sent, Some(Lane::Held)));
}

// ── marks ───────────────────────────────────────────────────────────────────────────────────────

pub async fn what_arrived_and_was_seen_is_told(home: &mut Home) {
    let id = post_in(home.store(), 3, true, OnUncertain::Skip, None).await;
    let claims = step(home.store(), vec![], 3, &ways(), now()).await;
    let sent = claims.iter().map(|claim| done(claim, Outcome::Sent)).collect();
    step(home.store(), sent, 0, &ways(), now()).await;
    let signal = |what| Signal { channel: name("bot"), at: now(), what };
    let (at, before) = (now() + seconds(1), now() - seconds(60));
    let address = |number: usize| format!("{}", 1_000 + number);
    let told = vec![
        signal(Heard::Delivered { address: address(0), until: at }),
        // A mark never goes back.
        signal(Heard::Delivered { address: address(0), until: before }),
        signal(Heard::Read { address: address(1), until: at }),
        signal(Heard::Read { address: address(2), until: before }),
        signal(Heard::Read { address: "nobody".into(), until: at }),
    ];
    home.store().commit_signals(told, now()).await.unwrap();
    home.reopen();
    let report = home.store().load_report(id, now()).await.unwrap().unwrap();
    assert_eq!((report.ends.delivered, report.ends.read), (2, 1));
    let mut all = Vec::new();
    for number in 0..3 {
        let one = home.store().load_delivery(id, &name("bot"), number).await.unwrap().unwrap();
        all.push((one.is_delivered, one.is_read));
    }
    assert_eq!(all, [(true, false), (true, true), (false, false)]);
}

// ── held ────────────────────────────────────────────────────────────────────────────────────────

pub async fn what_is_held_for_too_long_is_skipped(home: &mut Home) {
    let old = post_in(home.store(), 1, false, OnUncertain::Skip, None).await;
    assert_eq!(step(home.store(), vec![], 1, &ways(), now()).await, vec![]);
    let new = post_in(home.store(), 1, false, OnUncertain::Skip, None).await;
    let later = now() + DAY / 2;
    assert_eq!(step(home.store(), vec![], 1, &ways(), later).await, vec![]);
    home.reopen();
    let store = home.store();
    step(store, vec![], 0, &ways(), now() + DAY - seconds(1)).await;
    assert_eq!(outcome(store, old).await, Outcome::Held);
    step(store, vec![], 0, &ways(), now() + DAY).await;
    assert_eq!(outcome(store, old).await, Outcome::Skipped(Reason::Expired));
    assert_eq!(outcome(store, new).await, Outcome::Held);
    release(store, vec![]).await;
    let carousel = step(store, vec![], 5, &ways(), now() + DAY).await;
    assert_eq!(carousel.len(), 1);
    // On its way nothing expires, and a carousel that fails does not make it young again.
    step(store, vec![], 0, &ways(), now() + DAY * 3).await;
    assert_eq!(outcome(store, new).await, Outcome::Held);
    let failed = done(&carousel[0], Outcome::Failed(Reason::Refused));
    step(store, vec![failed], 0, &ways(), now() + DAY * 3).await;
    step(store, vec![], 0, &ways(), now() + DAY * 3).await;
    assert_eq!(outcome(store, new).await, Outcome::Skipped(Reason::Expired));
}

pub async fn who_is_held_counts_in_a_stage_as_who_is_claimed(home: &mut Home) {
    let store = home.store();
    let crowd = people(1_000).into_iter().enumerate().map(|(number, it)| {
        let window_until = (number % 2 == 0).then(|| now() + DAY * 2);
        Subscriber { window_until, ..it }
    });
    store.import_subscribers(&name("bot"), crowd.collect()).await.unwrap();
    let id = post_to(store, "bot", 1_000, staged("careful", 1_000)).await;
    let claims = step(store, vec![], 100, &ways(), now()).await;
    assert_eq!((claims.len(), counts(store, id).await.held), (5, 5));
    let sent = claims.iter().map(|claim| done(claim, Outcome::Sent)).collect();
    assert_eq!(step(store, sent, 100, &ways(), now()).await, vec![], "the stage is over");
    let claims = step(store, vec![], 1_000, &ways(), now() + seconds(61)).await;
    assert_eq!((claims.len(), counts(store, id).await.held), (45, 50));
}

pub async fn a_whole_audience_is_held_a_part_at_a_time(home: &mut Home) {
    let store = home.store();
    let count = 1_100;
    let id = post_in(store, count, false, OnUncertain::Skip, None).await;
    let part = || {
        let (channel, ways) = (name("bot"), ways());
        let step = Advance {
            channel,
            receipts: vec![],
            claims: 1,
            resting: vec![],
            caps: None,
            ways,
            now: now(),
        };
        store.advance_part(step)
    };
    let first = part().await.unwrap();
    assert!(first.is_cut && first.claims.is_empty() && first.held < count as u64, "{first:?}");
    // Somebody who writes meanwhile is answered between two parts.
    converse(store, "5", Some(person("5", &[])), vec!["welcome"]).await;
    let second = part().await.unwrap();
    assert_eq!(second.claims.len(), 1, "{second:?}");
    let third = part().await.unwrap();
    assert!(!third.is_cut);
    assert_eq!(counts(store, id).await.held, count as u64);
}

pub async fn a_person_has_no_more_held_than_a_bound(home: &mut Home) {
    let store = home.store();
    let mut ids = Vec::new();
    for _ in 0..32 {
        ids.push(post_in(store, 1, false, OnUncertain::Skip, None).await);
        assert_eq!(step(store, vec![], 1, &ways(), now()).await, vec![]);
    }
    assert_eq!(outcome(store, ids[0]).await, Outcome::Skipped(Reason::Superseded));
    assert_eq!(outcome(store, ids[1]).await, Outcome::Skipped(Reason::Superseded));
    assert_eq!(outcome(store, ids[2]).await, Outcome::Held);
}

pub async fn a_carousel_shows_each_thing_once(home: &mut Home) {
    let store = home.store();
    let titles = ["one", "two", "one", "three"];
    let ids = held_posts(store, &titles, OnUncertain::Skip).await;
    release(store, vec![]).await;
    let claims = advance(store, "bot", vec![], 5).await;
    assert_eq!(words(&claims[0]), "three one two");
    advance(store, "bot", vec![done(&claims[0], Outcome::Sent)], 0).await;
    for id in ids {
        assert_eq!(outcome(store, id).await, Outcome::Sent);
    }
}

// ── templates and paid messages ─────────────────────────────────────────────────────────────────

fn paid() -> Option<Beyond> {
    Some(Beyond { utility: None, is_marketing: true })
}

async fn agree(store: &dyn Store, addresses: &[&str]) {
    let word = |address: &&str| {
        let (token, at) = (format!("token-{address}"), now());
        ((*address).to_owned(), OptinWord::Open { token, expires_at: None, next_at: None, at })
    };
    let words = addresses.iter().map(word).collect();
    let known = store.commit_optins(&name("bot"), words).await.unwrap();
    assert_eq!(known, addresses.len());
}

pub async fn each_recipient_has_their_own_lane(home: &mut Home) {
    let store = home.store();
    let template =
        Template { name: "visit".into(), language: "en".into(), body: vec![], buttons: vec![] };
    let beyond = Some(Beyond { utility: Some(template), is_marketing: true });
    let id = post_in(store, 3, false, OnUncertain::Skip, beyond.clone()).await;
    let mut ways = market();
    agree(store, &["1001"]).await;
    let open = Subscriber { window_until: Some(now() + DAY), ..person("1000", &["news"]) };
    converse(store, "1000", Some(open), vec![]).await;
    let claims = step(store, vec![], 3, &ways, now()).await;
    let lanes: Vec<_> = claims.iter().map(|claim| (claim.lane, claim.token.clone())).collect();
    let token = Some("token-1001".to_owned());
    assert_eq!(lanes, [(Lane::Window, None), (Lane::Marketing, token)]);
    assert_eq!(outcomes(store, id).await[2], Outcome::Held, "without a claim");
    // Once the template is approved nobody need be held.
    ways.templates = BTreeSet::from([("visit".to_owned(), "en".to_owned())]);
    let other = post_in(store, 3, false, OnUncertain::Skip, beyond).await;
    let sent = claims.iter().map(|claim| done(claim, Outcome::Sent)).collect();
    let claims = step(store, sent, 3, &ways, now()).await;
    let lanes: Vec<_> = claims.iter().map(|claim| claim.lane).collect();
    assert_eq!(lanes, [Lane::Window, Lane::Utility, Lane::Utility]);
    let sent = claims.iter().map(|claim| done(claim, Outcome::Sent)).collect();
    step(store, sent, 0, &ways, now()).await;
    for (post, expected) in [(id, (Lane::Marketing, 1)), (other, (Lane::Utility, 2))] {
        let report = store.load_report(post, now()).await.unwrap().unwrap();
        assert_eq!(report.ends.lanes.into_iter().collect::<Vec<_>>(), [expected]);
    }
    let told = store.load_delivery(id, &name("bot"), 1).await.unwrap().unwrap();
    assert_eq!(told.lane, Some(Lane::Marketing));
}

pub async fn no_more_is_spent_than_the_limit_whatever_happens(home: &mut Home) {
    let everybody = ["1000", "1001", "1002", "1003"];
    post_in(home.store(), 4, false, OnUncertain::Skip, paid()).await;
    agree(home.store(), &everybody).await;
    let claims = step(home.store(), vec![], 4, &market(), now()).await;
    let lanes: Vec<_> = claims.iter().map(|claim| claim.lane).collect();
    // Two at 400 are within 1,000.
    assert_eq!(lanes, [Lane::Marketing, Lane::Marketing]);
    let spent = |state: &MarketState| (state.spent, state.paid);
    assert_eq!(spent(&home.store().load_market(&name("bot")).await.unwrap()), (800, 2));

    // Before anything is known of them the program ends: what was paid stays paid.
    home.reopen();
    let started = vec![(claims[0].ticket, 0)];
    let wire = Wire { is_trusted: true, started, receipts: vec![], parts: vec![] };
    home.store().rescue(wire).await.unwrap();
    let store = home.store();
    // The second was never begun: it is paid back, and may go again, once.
    assert_eq!(spent(&store.load_market(&name("bot")).await.unwrap()), (400, 1));
    let claims = step(store, vec![], 4, &market(), now()).await;
    let lanes: Vec<_> = claims.iter().map(|claim| claim.lane).collect();
    assert_eq!(lanes, [Lane::Marketing]);
    assert_eq!(spent(&store.load_market(&name("bot")).await.unwrap()), (800, 2));
    // A new day, a new purse.
    post_in(store, 4, false, OnUncertain::Skip, paid()).await;
    let sent = vec![done(&claims[0], Outcome::Sent)];
    let claims = step(store, sent, 1, &market(), now() + DAY).await;
    assert_eq!(claims[0].lane, Lane::Marketing);
    assert_eq!(spent(&store.load_market(&name("bot")).await.unwrap()), (400, 3));
}

pub async fn a_token_rests_after_each_message_and_is_forgotten_when_it_is_closed(home: &mut Home) {
    let store = home.store();
    let channel = name("bot");
    let lane_at = async |at: Timestamp| {
        post_in(store, 1, false, OnUncertain::Skip, paid()).await;
        let claims = step(store, vec![], 1, &market(), at).await;
        let sent = claims.iter().map(|claim| done(claim, Outcome::Sent)).collect();
        step(store, sent, 0, &market(), at).await;
        claims.first().map_or(Lane::Held, |claim| claim.lane)
    };
    store.import_subscribers(&channel, people(1)).await.unwrap();
    agree(store, &["1000"]).await;
    assert_eq!(lane_at(now()).await, Lane::Marketing);
    assert_eq!(lane_at(now() + MARKETING_GAP - seconds(1)).await, Lane::Held);
    // The list may still say what was before the message.
    agree(store, &["1000"]).await;
    assert_eq!(lane_at(now() + MARKETING_GAP - seconds(1)).await, Lane::Held);
    assert_eq!(lane_at(now() + MARKETING_GAP).await, Lane::Marketing);
    let rests = OptinWord::Rests { until: now() + DAY * 5 };
    store.commit_optins(&channel, vec![("1000".into(), rests)]).await.unwrap();
    assert_eq!(lane_at(now() + DAY * 4).await, Lane::Held);
    assert_eq!(lane_at(now() + DAY * 5).await, Lane::Marketing);
    // Not told of any more.
    assert_eq!(store.forget_optins(&channel, now()).await.unwrap(), 0);
    assert_eq!(store.forget_optins(&channel, now() + seconds(1)).await.unwrap(), 1);
    assert_eq!(lane_at(now() + DAY * 9).await, Lane::Held);
    agree(store, &["1000"]).await;
    store.commit_optins(&channel, vec![("1000".into(), OptinWord::Closed)]).await.unwrap();
    assert_eq!(lane_at(now() + DAY * 9).await, Lane::Held);
    let known = store.load_optins(&channel, &["1000".into(), "5".into()]).await.unwrap();
    assert!(known[0].as_ref().unwrap().token.is_none() && known[1].is_none());
}

pub async fn a_paid_message_that_did_not_arrive_has_failed(home: &mut Home) {
    let store = home.store();
    let id = post_in(store, 2, false, OnUncertain::Resend, paid()).await;
    agree(store, &["1000", "1001"]).await;
    let claims = step(store, vec![], 2, &market(), now()).await;
    let ends = vec![done(&claims[0], Outcome::Sent), unheard(&claims[1], 0)];
    step(store, ends, 0, &market(), now()).await;
    let told = |what| Signal { channel: name("bot"), at: now(), what };
    let why = "the person is not reachable".to_owned();
    hear(store, told(Heard::NotDelivered { token: "token-1000".into(), why })).await;
    hear(store, told(Heard::PaidEcho { token: "token-1001".into() })).await;
    hear(store, told(Heard::PaidEcho { token: "nobody's".into() })).await;
    assert_eq!(outcomes(store, id).await, [Outcome::Failed(Reason::Unreachable), Outcome::Sent]);
    let errors = store.load_post(id).await.unwrap().unwrap().errors;
    assert!(errors[0].contains("not reachable"), "{errors:?}");
}
