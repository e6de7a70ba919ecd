//! What people are in the end does not depend on the order in which services tell what they did.
//!
//! A history is made of a seed: many people on both services, all kinds of deeds. It is told once
//! in order, and once as services do: Telegram keeps the order within a chat, Messenger does not;
//! both repeat. `TIDINGS_EVENTS` says how many events (default 3,000), `TIDINGS_SEED` from which
//! seed.

#![expect(clippy::unwrap_used, reason = "a test says that something is wrong by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use redb::backends::InMemoryBackend;
use tidings::channel::{Channel, messenger};
use tidings::converse::choosing::Choosing;
use tidings::converse::shelf::Shelves;
use tidings::converse::watching::{ProductKeys, Watchable};
use tidings::converse::words::Words;
use tidings::converse::worker::{self, Options};
use tidings::model::event::{Deed, Event};
use tidings::model::name::Name;
use tidings::model::subscriber::{Standing, Subscriber};
use tidings::model::time::Timestamp;
use tidings::render::Layouts;
use tidings::runtime::clock::Clock;
use tidings::runtime::shutdown::Stop;
use tidings::runtime::wakes::Wakes;
use tidings::store::Store;
use tidings::store::redb::open_on;
use tokio::task::JoinSet;
use url::Url;

const START: i64 = 1_790_000_000_000;

/// Events of one person, on average.
const EACH: usize = 20;

/// How late Messenger tells something at the most.
const LATE_MS: i64 = 10 * 60 * 1_000;

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn topics() -> Vec<Name> {
    ["news", "offers", "shop"].map(name).to_vec()
}

fn deed(dice: &mut StdRng, is_bot: bool) -> Deed {
    let topic = || ["news", "offers", "shop", "gone"].map(str::to_owned);
    let payload = topic().choose(dice).cloned();
    let said = |text: &str| Deed::Said { text: text.to_owned() };
    let tapped = |payload: String| Deed::Tapped { payload, tap: Some("t".into()) };
    match dice.random_range(0..16) {
        0 => Deed::Started { payload: None },
        1 | 2 => Deed::Started { payload },
        3 => Deed::Referred { payload },
        4 => said("Stop."),
        5 => tapped("1:stop".to_owned()),
        6 => tapped("1:start".to_owned()),
        7 => tapped(format!("1:start:{}", payload.unwrap())),
        8 => said("/timezone +2"),
        9 => said("time zone new york"),
        10 => said("what is this?"),
        11 => Deed::SentMedia,
        12 => Deed::Reacted,
        13 if is_bot => Deed::Blocked,
        14 if is_bot => Deed::Unblocked,
        13 => Deed::OptedIn { token: "token".to_owned(), expires_at: None },
        14 => Deed::OptedOut,
        _ => said("start"),
    }
}

/// Events in the order in which they happened.
fn history(dice: &mut StdRng, count: usize) -> Vec<Event> {
    let mut events = Vec::with_capacity(count);
    for person in 0..count.div_ceil(EACH) {
        let is_bot = person % 2 == 0;
        let mut at = START + dice.random_range(0..3_600_000);
        for turn in 0..EACH {
            // Telegram tells whole seconds, so that several things happen at one instant.
            let happened = if is_bot { at / 1_000 * 1_000 } else { at };
            // Whoever was never there can't be there any more.
            let deed = match turn {
                0 => Deed::Started { payload: None },
                _ => deed(dice, is_bot),
            };
            let says_language = is_bot && dice.random_bool(0.5);
            events.push(Event {
                channel: name(if is_bot { "bot" } else { "page" }),
                id: String::new(),
                at: Timestamp::from_millis(happened),
                address: person.to_string(),
                language: says_language
                    .then(|| (*["en", "ro", "de"].choose(dice).unwrap()).to_owned()),
                first_name: is_bot.then(|| format!("N{}", dice.random_range(0..3))),
                deed,
            });
            at += match dice.random_range(0..4) {
                0 => dice.random_range(0..700),
                _ => dice.random_range(0..180_000),
            };
        }
    }
    events.sort_by_key(|event| event.at);
    for (number, event) in events.iter_mut().enumerate() {
        event.id = match event.channel.as_str() {
            "bot" => (1_000 + number).to_string(),
            _ => format!("m_{:016x}", dice.random::<u64>()),
        };
    }
    events
}

/// The same events as services tell them.
fn as_told(dice: &mut StdRng, events: &[Event]) -> Vec<Event> {
    let mut told = Vec::new();
    let mut last: BTreeMap<&str, i64> = BTreeMap::new();
    for event in events {
        let late = if dice.random_bool(0.5) { dice.random_range(0..LATE_MS) } else { 0 };
        let mut at = event.at.as_millis() + late;
        if event.channel.as_str() == "bot" {
            let last = last.entry(&event.address).or_default();
            at = at.max(*last + 1);
            *last = at;
        }
        told.push((at, event.clone()));
        if dice.random_bool(0.2) {
            told.push((at + dice.random_range(0..2 * LATE_MS), event.clone()));
        }
    }
    told.sort_by_key(|(at, _)| *at);
    told.into_iter().map(|(_, event)| event).collect()
}

/// Everybody after these events came in, in this order.
async fn told(events: Vec<Event>) -> BTreeMap<(String, String), Subscriber> {
    let store: Arc<dyn Store> = Arc::new(open_on(InMemoryBackend::new()).unwrap());
    let clock = Clock::starting_at(Timestamp::from_millis(START + 24 * 3_600_000));
    let page = messenger::api::Client::new(messenger::api::Settings {
        // Nobody listens there: names stay unknown.
        api: Url::parse("http://127.0.0.1:9/").unwrap(),
        version: messenger::api::VERSION.to_owned(),
        page_id: "100".to_owned(),
        page_token: "token".into(),
        app_secret: "secret".into(),
        time_max: Duration::from_secs(1),
    });
    let page = Arc::new(Channel::Messenger(page.unwrap()));
    let (wakes, stop) = (Wakes::default(), Stop::default());
    let nothing = ProductKeys { product: |_| None, form: |_| None, link: |_| None };
    let options = Options {
        store: Arc::clone(&store),
        clock: clock.clone(),
        wakes: wakes.clone(),
        words: Words::default(),
        layouts: Arc::new(Layouts::compile(vec![]).unwrap()),
        topics: topics(),
        choosing: Choosing::default(),
        shelves: Shelves::default(),
        channels: BTreeMap::from([(name("page"), page)]),
        reviewers: BTreeMap::new(),
        asks: BTreeMap::new(),
        watchable: Watchable::new(vec![], nothing),
    };
    let mut answering = JoinSet::new();
    answering.spawn(worker::run(options, stop.clone()));
    for events in events.chunks(100) {
        store.commit_events(events.to_vec(), None, clock.now()).await.unwrap();
        wakes.events.notify_one();
        while store.load_status().await.unwrap().events > 200 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    while store.load_status().await.unwrap().events > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stop.begin.cancel();
    answering.join_next().await.unwrap().unwrap();
    assert_eq!(store.load_status().await.unwrap().events_aside, 0);
    let mut people = BTreeMap::new();
    for channel in ["bot", "page"] {
        for person in store.load_subscribers(&name(channel)).await.unwrap() {
            let key = (channel.to_owned(), person.address.clone());
            // Who came first, and what was done when, is not what they are.
            let plain = Subscriber {
                number: 0,
                default_reply_at: None,
                name_asked_at: None,
                came_by: None,
                ..person.clone()
            };
            people.insert(key, plain);
        }
    }
    people
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_w08_people_are_the_same_in_the_end_in_whatever_order_and_however_often_it_is_told() {
    let wanted = |key: &str| std::env::var(key).ok().map(|value| value.parse::<u64>().unwrap());
    let count = usize::try_from(wanted("TIDINGS_EVENTS").unwrap_or(3_000)).unwrap();
    let seed = wanted("TIDINGS_SEED").unwrap_or(6);
    let mut dice = StdRng::seed_from_u64(seed);
    let events = history(&mut dice, count);
    let shuffled = as_told(&mut dice, &events);
    let (happened, all) = (events.clone(), events.len());
    let repeated = shuffled.len() - all;
    let in_order = told(events).await;
    let as_told = told(shuffled).await;
    assert_eq!(in_order.len(), all.div_ceil(EACH));
    let mut others = Vec::new();
    for (key, one) in &in_order {
        let other = as_told.get(key);
        if other != Some(one) {
            let story = happened.iter().filter(|event| event.address == key.1);
            let story: Vec<String> = story
                .map(|event| {
                    format!("  {} {} {:?}", event.at.as_millis() - START, event.id, event.deed)
                })
                .collect();
            others.push(format!("{one:?}\n{other:?}\n{}", story.join("\n")));
        }
    }
    assert!(
        others.is_empty(),
        "seed {seed}: {} of {} people are others:\n{}",
        others.len(),
        in_order.len(),
        others[0]
    );
    let of = |standing| in_order.values().filter(|one| one.standing == standing).count();
    println!(
        "seed {seed}: {all} events in order, and with {repeated} repeated and shuffled: {} people \
         the same, {} active, {} stopped, {} blocked",
        in_order.len(),
        of(Standing::Active),
        of(Standing::Stopped),
        of(Standing::Blocked)
    );
}
