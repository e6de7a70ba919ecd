//! Many bots at once in one process, each under a limit that its stand-in enforces.
//!
//! ```text
//! cargo bench --bench bots -- [BOTS] [SECONDS]
//! ```
//!
//! Each stand-in refuses more than 30 messages in any second. Every bot has enough people for so
//! many seconds at that rate. The yardstick is the limit itself, and is printed for one bot and for all
//! of them: how near to it each came from its first message to its last, as its stand-in's book has
//! it, and how many requests were refused. All of it runs in this one process, the stand-ins
//! included.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "it shows and fails as a test does"
)]

#[path = "../tests/made/mod.rs"]
mod made;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tidings::channel::{Channel, telegram, wire};
use tidings::deliver::limiter::Limits;
use tidings::deliver::worker::{self, Options};
use tidings::model::lane::Ways;
use tidings::model::name::Name;
use tidings::model::post::{Post, PostId};
use tidings::runtime::clock::Clock;
use tidings::runtime::meters::Meters;
use tidings::runtime::shutdown::Tasks;
use tidings::runtime::wakes::Wakes;
use tidings::sandbox::limit::Limit;
use tidings::sandbox::telegram as stand_in;
use tidings::store::journal::Journal;
use tidings::store::{PostCommit, Store, redb};
use tokio::sync::watch;

const RATE: u32 = 30;
const TEXT: &str = "A post of a usual length, as a feed gives it, with a link to read on. 🙂";

fn main() {
    let numbers: Vec<u32> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    let bots = numbers.first().copied().unwrap_or(100).max(1);
    let seconds = numbers.get(1).copied().unwrap_or(30).max(2);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    println!("bots that send under a limit of {RATE} in any second, for about {seconds} s");
    for count in [1, bots] {
        runtime.block_on(send(count, seconds * RATE));
    }
}

/// One bot's part of the world.
struct Bot {
    name: Name,
    server: stand_in::Server,
    post: PostId,
}

async fn send(count: u32, recipients: u32) {
    let folder = TempDir::new().expect("a folder");
    let store: Arc<dyn Store> =
        Arc::new(redb::open(&folder.path().join("store.redb")).expect("a store"));
    let (journal, wire_left) = Journal::open(folder.path()).expect("a journal");
    store.rescue(wire_left).await.expect("a rescue");
    journal.begin_run().expect("a run");
    let journal = Arc::new(journal);
    let mut bots = Vec::new();
    for number in 0..count {
        bots.push(prepare(&store, number, recipients).await);
    }
    let wakes = Wakes::new(bots.iter().map(|bot| bot.name.clone()));
    let tasks = Tasks::default();
    let from = Instant::now();
    for bot in &bots {
        let settings = telegram::api::Settings {
            api: bot.server.url().parse().expect("an address"),
            token: bot.server.token().to_owned().into(),
            time_max: wire::EXCHANGE_TIME_MAX,
        };
        let client = telegram::api::Client::new(settings).expect("a client");
        let options = Options {
            name: bot.name.clone(),
            channel: Arc::new(Channel::Telegram(client)),
            store: Arc::clone(&store),
            journal: Arc::clone(&journal),
            clock: Clock::system(),
            meters: Meters::default(),
            bell: Arc::clone(&wakes.channels[&bot.name]),
            limits: Limits::telegram(f64::from(RATE)),
            in_flight: 32,
            caps: None,
            paid: None,
            downloads: None,
            ways: watch::channel(Ways::default()).1,
        };
        tasks.spawn(format!("deliver {}", bot.name), worker::run(options, tasks.stop().clone()));
    }
    let mut refused = 0;
    let mut shares = Vec::new();
    for bot in &bots {
        bot.server.ledger().wait_accepted(u64::from(recipients)).await;
        refused += bot.server.ledger().statuses().get(&429).copied().unwrap_or(0);
        let accepted = bot.server.ledger().accepted();
        let (first, last) = (accepted.first().expect("some"), accepted.last().expect("some"));
        let rate = f64::from(recipients - 1) / last.at.since(first.at).as_secs_f64();
        shares.push(rate / f64::from(RATE) * 100.0);
    }
    shares.sort_by(f64::total_cmp);
    let took = from.elapsed();
    for bot in &bots {
        while !store.load_post(bot.post).await.expect("it").expect("it").counts.is_finished() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let counts = store.load_post(bot.post).await.expect("it").expect("it").counts;
        assert_eq!(counts.sent, u64::from(recipients), "{counts:?}");
    }
    tasks.drain(Duration::from_secs(5)).await;
    let all = f64::from(recipients) * f64::from(count);
    println!(
        "{count:>4} bots {:>8.2} s {:>8.1} /s   {:.2} % of the limit (the slowest {:.2}; wanted: at \
         least 99), {refused} refused (wanted: 0)",
        took.as_secs_f64(),
        all / took.as_secs_f64(),
        shares.iter().sum::<f64>() / f64::from(count),
        shares[0],
    );
}

async fn prepare(store: &Arc<dyn Store>, number: u32, recipients: u32) -> Bot {
    let rules = stand_in::Rules {
        per_bot: Some(Limit::new(RATE, Duration::from_secs(1))),
        keep_bodies: false,
        kept_max: usize::try_from(recipients).expect("a count"),
        ..Default::default()
    };
    let server = stand_in::Server::start(rules).await.expect("a stand-in");
    server.open_chats(1..=i64::from(recipients));
    let name = Name::parse(&format!("bot{number}")).expect("a name");
    let people = (1..=recipients).map(|id| made::person(&id.to_string(), &[])).collect();
    store.import_subscribers(&name, people).await.expect("people");
    let audience = store.load_audience(&name, &[]).await.expect("an audience");
    let post = Post { campaign: None, cards: vec![], ..made::post(TEXT) };
    let commit = PostCommit { drafts: vec![], post, audiences: vec![(name.clone(), audience)] };
    let post = store.commit_post(commit).await.expect("a post");
    Bot { name, server, post }
}
