//! Sending with the durable ledger under a limit, beside what it allows.
//!
//! ```text
//! cargo bench --bench send -- [limit] [RECIPIENTS]
//! ```
//!
//! The stand-in refuses more than 30 messages in any second. Both run in one process.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "it shows and fails as a test does"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tidings::channel::{Channel, telegram, wire};
use tidings::deliver::limiter::Limits;
use tidings::deliver::worker::{self, Options};
use tidings::model::audience::Whom;
use tidings::model::campaign::OnUncertain;
use tidings::model::channel::ChannelKind;
use tidings::model::message::Message;
use tidings::model::name::Name;
use tidings::model::one_off::{OneOff, Says};
use tidings::model::post::{Body, Content, Counts, Draft, DraftId, Post, PostId};
use tidings::model::subscriber::{Standing, Subscriber};
use tidings::model::time::Timestamp;
use tidings::runtime::clock::Clock;
use tidings::runtime::meters::Meters;
use tidings::runtime::shutdown::Tasks;
use tidings::runtime::wakes::Wakes;
use tidings::sandbox::limit::Limit;
use tidings::sandbox::telegram as stand_in;
use tidings::store::journal::Journal;
use tidings::store::{PostCommit, Store, redb};

const CONNECTIONS: usize = 100;
const TEXT: &str = "A post of a usual length, as a feed gives it, with a link to read on. 🙂";

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let count = words.iter().find_map(|word| word.parse().ok());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(under_a_limit(count.unwrap_or(10_000)));
}

async fn under_a_limit(recipients: u32) {
    println!("sends to {recipients} people under a limit of 30 in any second");
    let rules = stand_in::Rules {
        per_bot: Some(Limit::new(30, Duration::from_secs(1))),
        keep_bodies: false,
        kept_max: 0,
        ..Default::default()
    };
    let server = stand_in::Server::start(rules).await.expect("a stand-in");
    server.open_chats(1..=i64::from(recipients));
    let ours = deliver(&server, recipients, 30.0).await;
    row("tidings, durable", recipients, ours);
    let refused = server.ledger().statuses().get(&429).copied().unwrap_or(0);
    let share = f64::from(recipients) / ours.as_secs_f64() / 30.0;
    println!("{:.2} % of the limit (wanted: at least 99), {refused} refused\n", share * 100.0);
}

fn row(name: &str, recipients: u32, took: Duration) {
    let rate = f64::from(recipients) / took.as_secs_f64();
    println!("{name:<20} {:>8.2} s {rate:>10.0} /s", took.as_secs_f64());
}

/// The real worker over a real store, from the first claim to the last durable receipt.
async fn deliver(server: &stand_in::Server, recipients: u32, rate: f64) -> Duration {
    let folder = TempDir::new().expect("a folder");
    let store: Arc<dyn Store> =
        Arc::new(redb::open(&folder.path().join("store.redb")).expect("a store"));
    let (journal, wire_left) = Journal::open(folder.path()).expect("a journal");
    store.rescue(wire_left).await.expect("a rescue");
    journal.begin_run().expect("a run");
    let bot = Name::parse("bot").expect("a name");
    let people = (1..=recipients).map(person).collect();
    store.import_subscribers(&bot, people).await.expect("people");
    let audience = store.load_audience(&bot, &[]).await.expect("an audience");
    let draft = Draft {
        id: DraftId(0),
        created_at: Timestamp::default(),
        due_at: Timestamp::default(),
        content: Content::OneOff(Box::new(OneOff {
            title: String::new(),
            says: Says::Message(Message::default()),
            whom: Whom::default(),
            priority: Default::default(),
            stages: None,
            file: None,
        })),
        held: None,
    };
    let draft = store.commit_draft(draft).await.expect("a draft");
    let post =
        PostCommit { drafts: vec![draft], post: post(), audiences: vec![(bot.clone(), audience)] };
    let post = store.commit_post(post).await.expect("a post");

    let client = telegram::api::Client::new(telegram::api::Settings {
        api: server.url().parse().expect("an address"),
        token: server.token().to_owned().into(),
        time_max: wire::EXCHANGE_TIME_MAX,
    });
    let channel = Arc::new(Channel::Telegram(client.expect("a client")));
    let wakes = Wakes::new([bot.clone()]);
    let tasks = Tasks::default();
    let from = Instant::now();
    tasks.spawn(
        "deliver",
        worker::run(
            Options {
                name: bot.clone(),
                channel,
                store: Arc::clone(&store),
                journal: Arc::new(journal),
                clock: Clock::system(),
                meters: Meters::default(),
                bell: Arc::clone(&wakes.channels[&bot]),
                limits: Limits::telegram(rate),
                in_flight: CONNECTIONS,
                caps: None,
                paid: None,
                downloads: None,
                ways: tokio::sync::watch::channel(Default::default()).1,
            },
            tasks.stop().clone(),
        ),
    );
    server.ledger().wait_accepted(u64::from(recipients)).await;
    loop {
        let counts = store.load_post(post).await.expect("the store").expect("the post").counts;
        if counts.is_finished() {
            assert_eq!(counts.sent, u64::from(recipients), "{counts:?}");
            break;
        }
        tokio::task::yield_now().await;
    }
    let took = from.elapsed();
    tasks.drain(Duration::from_secs(5)).await;
    took
}

fn person(id: u32) -> Subscriber {
    Subscriber {
        number: 0,
        address: id.to_string(),
        language: None,
        first_name: None,
        name_asked_at: None,
        topics: vec![],
        standing: Standing::Active,
        window_until: None,
        joined_at: Timestamp::default(),
        changed_at: Timestamp::default(),
        default_reply_at: None,
    }
}

fn post() -> Post {
    Post {
        id: PostId(0),
        campaign: None,
        title: "bench".to_owned(),
        created_at: Timestamp::default(),
        bodies: vec![Body {
            kind: ChannelKind::Telegram,
            language: None,
            message: Message::from_plain(TEXT).into(),
        }],
        personal: None,
        cards: vec![],
        on_uncertain: OnUncertain::Skip,
        priority: Default::default(),
        rollout: None,
        hours: vec![],
        paused: None,
        stopped: None,
        counts: Counts::default(),
        errors: vec![],
        corrections: None,
        beyond: None,
    }
}
