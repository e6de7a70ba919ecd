//! What must hold of one trouble at a time: a line cut at every byte, a service that fails for five
//! minutes.

use std::sync::Arc;
use std::time::Duration;

use tidings::admin::desk::Ask;
use tidings::model::message::{Message, Module};
use tidings::model::post::Outcome;
use tidings::model::rich::RichText;
use tidings::model::time::Timestamp;
use tidings::sandbox::fault::{Fault, Trouble};
use tidings::sandbox::ledger::Ledger;
use tidings::sandbox::{messenger, telegram};

use crate::clockwork;
use crate::dice::Dice;
use crate::extras::Extras;
use crate::rules::{self, Rule};
use crate::script::by_hand;
use crate::world::{Plan, World, name};

/// 2026-11-28T10:00:00Z
const START: Timestamp = Timestamp::from_millis(1_795_860_000_000);

const STORM: Duration = Duration::from_secs(300);

fn plan(rules: Vec<Rule>, people: (u64, u64)) -> Plan {
    Plan {
        start: START,
        rules,
        extras: Extras::none(),
        rates: (25, 20),
        in_flight: 8,
        latency: (Duration::from_millis(50), Duration::from_millis(50)),
        people,
        stories: (1, 1),
        is_punctual: true,
        has_lines: false,
    }
}

/// A running daemon that has seen its sources.
async fn started(plan: Plan) -> World {
    let mut world = World::of(plan, Dice::new(1), Arc::default()).await;
    world.start(None).await;
    while world.feeds.iter().any(|feed| feed.served_whole() < 2) {
        world.run_for(Duration::from_secs(1)).await;
    }
    world
}

fn ledger<'a>(world: &'a World, channel: &str) -> &'a Ledger {
    if channel == "bot" { world.telegram.ledger() } else { world.messenger.ledger() }
}

/// A post to everybody on the channel; answers what became of it for the first of them.
async fn send(world: &mut World, channel: &'static str, text: &str) -> Outcome {
    let words = Module::Text { text: RichText::from_plain(text), buttons: vec![] };
    let ask = Ask::Send {
        post: by_hand(text, Message::from(vec![words]), vec![name(channel)]),
        at: None,
        is_dry_run: false,
    };
    world.ask(ask).await.unwrap().unwrap();
    for _ in 0..600 {
        world.run_for(Duration::from_millis(500)).await;
        let store = world.store();
        let posts = store.peek(|store| store.load_posts(1));
        if let Some(post) = posts.first().filter(|post| post.title == text)
            && post.counts.is_finished()
        {
            let channel = name(channel);
            return store.peek(|store| store.load_outcomes(post.id, &channel))[0].1;
        }
    }
    panic!("{text} does not end");
}

/// A line is cut at every so many bytes.
fn every() -> usize {
    if crate::is_thorough() { 1 } else { 17 }
}

/// How often it arrived.
fn arrived(world: &World, channel: &str, text: &str) -> usize {
    let accepted = ledger(world, channel).accepted();
    accepted.iter().filter(|one| one.text() == Some(text)).count()
}

#[test]
fn a_reset_at_any_byte_of_a_request_is_told_as_it_is() {
    for (channel, at, words) in [("bot", 0, "sendMessage"), ("page", 1, "messages")] {
        clockwork::run(async {
            let rules = vec![rules::at_once(&[channel], false)];
            let people = if channel == "bot" { (1, 0) } else { (0, 1) };
            let plan = Plan { has_lines: true, ..plan(rules, people) };
            let mut world = started(plan).await;
            let (mut bytes, mut uncertain) = (0, 0);
            loop {
                let text = format!("Cut at {bytes}");
                ledger(&world, channel).clear();
                world.lines[at].cut(words, bytes);
                let outcome = send(&mut world, channel, &text).await;
                assert!(world.lines[at].is_cut());
                let arrived = arrived(&world, channel, &text);
                match outcome {
                    // It was given to the line, and nobody can know.
                    Outcome::Uncertain => assert!(arrived <= 1, "{text}: {arrived} times"),
                    Outcome::Sent => assert_eq!(arrived, 1, "{text}"),
                    other => panic!("{text}: {other:?}"),
                }
                uncertain += u32::from(outcome == Outcome::Uncertain);
                if bytes >= world.lines[at].seen() {
                    break;
                }
                bytes += every();
            }
            assert!(bytes > 100 && uncertain > 0, "{bytes} bytes, {uncertain} uncertain");
        });
    }
}

#[test]
fn a_reset_at_any_byte_of_an_answer_is_told_as_it_is() {
    for (channel, words) in [("bot", "sendMessage"), ("page", "messages")] {
        clockwork::run(async {
            let people = if channel == "bot" { (1, 0) } else { (0, 1) };
            let mut world = started(plan(vec![rules::at_once(&[channel], false)], people)).await;
            let mut bytes = 0;
            loop {
                let text = format!("Cut at {bytes}");
                ledger(&world, channel).clear();
                let faults = if channel == "bot" {
                    world.telegram.faults()
                } else {
                    world.messenger.faults()
                };
                faults.add(Trouble::new(Fault::Cut { bytes }).on(words).times(1));
                let outcome = send(&mut world, channel, &text).await;
                assert_eq!(arrived(&world, channel, &text), 1, "{text}");
                match outcome {
                    Outcome::Uncertain => bytes += every(),
                    // All of it was there before the line was cut.
                    Outcome::Sent => break,
                    other => panic!("{text}: {other:?}"),
                }
            }
            assert!(bytes > 100, "sent after {bytes} bytes");
        });
    }
}

#[test]
fn a_service_that_fails_for_five_minutes_gets_at_most_a_tenth_more() {
    const PEOPLE: u64 = 1_000;
    for (channel, resends) in [("bot", false), ("bot", true), ("page", false), ("page", true)] {
        clockwork::run(async {
            let people = if channel == "bot" { (PEOPLE, 0) } else { (0, PEOPLE) };
            let mut world = started(plan(vec![rules::at_once(&[channel], resends)], people)).await;
            world.feeds[0].publish("i1x".to_owned());
            while ledger(&world, channel).accepted_total() < PEOPLE / 3 {
                world.run_for(Duration::from_millis(500)).await;
            }
            if channel == "bot" {
                world.telegram.faults().add(Trouble::new(telegram::server_error(502)));
            } else {
                let fault = messenger::refusal(500, 2, None, "Service temporarily unavailable");
                world.messenger.faults().add(Trouble::new(fault));
            }
            world.run_for(STORM).await;
            world.telegram.faults().clear();
            world.messenger.faults().clear();
            let over_at = world.clock.now();
            loop {
                world.run_for(Duration::from_secs(1)).await;
                let posts = world.store().peek(|store| store.load_posts(10));
                if posts.iter().all(|post| post.counts.is_finished()) {
                    break;
                }
                let took = world.clock.now().since(over_at);
                assert!(took < STORM, "{channel}: not over after {took:?}");
            }
            let requests = ledger(&world, channel).requests();
            let sends = requests.iter().filter(|one| !one.address.is_empty()).count() as u64;
            assert!(sends <= PEOPLE + PEOPLE / 10, "{channel}, resends {resends}: {sends} sends");
            let posts = world.store().peek(|store| store.load_posts(10));
            let counts = posts[0].counts;
            assert_eq!(counts.sent + counts.uncertain, PEOPLE, "{channel}: {counts:?}");
            assert!(counts.uncertain <= 30, "{channel}: {counts:?}");
            assert!(counts.uncertain == 0 || !resends, "{channel}: {counts:?}");
        });
    }
}
