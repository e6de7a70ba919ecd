//! The real sender over a real store, from the first claim to the last durable receipt.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tidings::channel::{Channel, telegram, wire};
use tidings::deliver::limiter::Limits;
use tidings::deliver::worker::{self, Options};
use tidings::model::lane::Ways;
use tidings::model::post::Post;
use tidings::runtime::clock::Clock;
use tidings::runtime::meters::Meters;
use tidings::runtime::shutdown::Tasks;
use tidings::runtime::wakes::Wakes;
use tidings::store::journal::Journal;
use tidings::store::redb as ours;
use tidings::store::{PostCommit, Store};
use tokio::sync::watch;

use crate::CONNECTIONS;
use crate::crowd::{TEXT, bot, ledger};
use crate::machine;
use crate::service::TOKEN;

/// As fast as the settings allow.
const RATE: f64 = 100_000.0;

/// The counts are looked at this often.
const LOOK: Duration = Duration::from_millis(20);

pub fn ours(folder: &Path, url: &str) -> Result<()> {
    let path = folder.join(ours::FILE_NAME);
    tokio::runtime::Runtime::new()?.block_on(sent(folder, url))?;
    println!("ledger {}", ledger(&path)?);
    Ok(())
}

async fn sent(folder: &Path, url: &str) -> Result<()> {
    let store: Arc<dyn Store> = Arc::new(ours::open(&folder.join(ours::FILE_NAME))?);
    let (journal, wire_left) = Journal::open(folder)?;
    store.rescue(wire_left).await?;
    journal.begin_run()?;
    let audience = store.load_audience(&bot(), &[]).await?;
    let count = audience.len() as u64;
    let commit = PostCommit { drafts: vec![], post: post(), audiences: vec![(bot(), audience)] };
    let post = store.commit_post(commit).await?;
    let client = telegram::api::Client::new(telegram::api::Settings {
        api: url.parse()?,
        token: TOKEN.to_owned().into(),
        time_max: wire::EXCHANGE_TIME_MAX,
    })?;
    let wakes = Wakes::new([bot()]);
    let tasks = Tasks::default();
    let options = Options {
        name: bot(),
        channel: Arc::new(Channel::Telegram(client)),
        store: Arc::clone(&store),
        journal: Arc::new(journal),
        clock: Clock::system(),
        meters: Meters::default(),
        bell: Arc::clone(&wakes.channels[&bot()]),
        limits: Limits::telegram(RATE),
        in_flight: CONNECTIONS,
        caps: None,
        paid: None,
        downloads: None,
        ways: watch::channel(Ways::default()).1,
    };
    machine::forget_peak();
    let (from, processor) = (Instant::now(), machine::processor());
    tasks.spawn("deliver", worker::run(options, tasks.stop().clone()));
    let mut marks = [(10, "rss_10"), (50, "rss_50")].into_iter().peekable();
    loop {
        let counts = store.load_post(post).await?.context("no post")?.counts;
        if marks.peek().is_some_and(|(share, _)| counts.sent * 100 >= share * count)
            && let Some((_, name)) = marks.next()
        {
            println!("{name} {}", machine::resident());
        }
        if counts.is_finished() {
            if counts.sent != count {
                bail!("{counts:?}");
            }
            break;
        }
        tokio::time::sleep(LOOK).await;
    }
    println!("seconds {}", from.elapsed().as_secs_f64());
    println!("cpu {}", machine::processor() - processor);
    println!("rss_100 {}", machine::resident());
    println!("peak {}", machine::peak());
    tasks.drain(Duration::from_secs(5)).await;
    Ok(())
}

fn post() -> Post {
    Post { campaign: None, cards: vec![], ..crate::made::post(TEXT) }
}
