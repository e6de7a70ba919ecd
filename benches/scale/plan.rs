//! From a draft that is due to its post.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use redb::{Database, Durability, TableDefinition};
use tidings::compose::worker::{self, Options};
use tidings::model::channel::ChannelKind;
use tidings::render::Layouts;
use tidings::runtime::clock::Clock;
use tidings::runtime::meters::Meters;
use tidings::runtime::shutdown::Tasks;
use tidings::runtime::wakes::Wakes;
use tidings::store::Store;
use tidings::store::redb as ours;

use crate::crowd::{bot, draft, ledger};
use crate::machine;

/// A rule that sees three fields of everybody.
pub const RULE: &str = "subscriber.language in ['ro', 'it'] and 'news' in subscriber.topics \
                        and subscriber.first_name is matching('(?i)^alex.* \\d*7$')";

/// Bytes of one row of the bare write.
const ROW_BYTES: usize = 1_024;

/// The real worker over the store in the folder, until the post is there: for all people, or for
/// those of whom the rule holds.
pub fn ours(folder: &Path, rule: Option<&str>) -> Result<()> {
    let path = folder.join(ours::FILE_NAME);
    let store: Arc<dyn Store> = Arc::new(ours::open(&path)?);
    tokio::runtime::Runtime::new()?.block_on(planned(Arc::clone(&store), rule))?;
    drop(store);
    let ledger = ledger(&path)?;
    println!("ledger {ledger}");
    println!("bytes {ledger}");
    Ok(())
}

async fn planned(store: Arc<dyn Store>, rule: Option<&str>) -> Result<()> {
    store.commit_draft(draft(rule)).await?;
    let wakes = Wakes::new([bot()]);
    let tasks = Tasks::default();
    let layouts = Layouts::compile(vec![]).map_err(|_| anyhow!("no layouts"))?;
    let bell = Arc::clone(&wakes.channels[&bot()]);
    machine::forget_peak();
    let from = Instant::now();
    tasks.spawn(
        "compose",
        worker::run(
            Options {
                store,
                clock: Clock::system(),
                wakes,
                meters: Meters::default(),
                layouts: Arc::new(layouts),
                campaigns: Arc::default(),
                channels: BTreeMap::from([(bot(), ChannelKind::Telegram)]),
                files: Arc::default(),
                archives: BTreeSet::new(),
            },
            tasks.stop().clone(),
        ),
    );
    tokio::time::timeout(Duration::from_secs(60), bell.notified()).await.context("no post")?;
    println!("seconds {}", from.elapsed().as_secs_f64());
    println!("peak {}", machine::peak());
    tasks.drain(Duration::from_secs(5)).await;
    Ok(())
}

/// As many bytes in rows, written by redb alone in one commit as durable as ours.
pub fn bare(bytes: f64, folder: &Path) -> Result<()> {
    const ROWS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("rows");
    let db = Database::builder().create(folder.join("bare.redb"))?;
    machine::forget_peak();
    let from = Instant::now();
    let mut write = db.begin_write()?;
    write.set_durability(Durability::Immediate)?;
    write.set_quick_repair(true);
    {
        let mut rows = write.open_table(ROWS)?;
        let row = [7; ROW_BYTES];
        let mut left = bytes;
        let mut at = 0;
        while left > 0.0 {
            rows.insert(at, &row[..])?;
            at += 1;
            left -= 1_024.0;
        }
    }
    write.commit()?;
    println!("seconds {}", from.elapsed().as_secs_f64());
    println!("peak {}", machine::peak());
    Ok(())
}
