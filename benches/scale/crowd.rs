//! A store with many subscribers.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use redb::{Database, ReadableDatabase, ReadableTableMetadata, TableHandle};
use tidings::model::audience::Whom;
use tidings::model::message::Message;
use tidings::model::name::Name;
use tidings::model::one_off::{OneOff, Says};
use tidings::model::post::{Content, Draft, DraftId};
use tidings::model::subscriber::{Standing, Subscriber};
use tidings::model::time::Timestamp;
use tidings::store::Store;
use tidings::store::redb as ours;

/// What is sent.
pub const TEXT: &str = "A post of a usual length, as a feed gives it, with a link to read on. 🙂";

/// What people speak, by turns.
const LANGUAGES: [&str; 5] = ["en", "ro", "it", "de", "fr"];

/// So many names are different.
const NAMES: u32 = 5_000;

/// Subscribers given to the store in one call: what a caller may have in memory.
const PART: u32 = 50_000;

/// The tables that grow with a post's recipients; not the messages kept for corrections.
const LEDGER: [&str; 4] = ["people", "outcomes", "times", "open_batches"];

pub fn bot() -> Name {
    Name::parse("bot").unwrap_or_else(|_| unreachable!("it is a name"))
}

fn news() -> Name {
    Name::parse("news").unwrap_or_else(|_| unreachable!("it is a name"))
}

/// Makes the store in the folder.
pub fn make(count: u32, folder: &Path) -> Result<()> {
    let path = folder.join(ours::FILE_NAME);
    let runtime = tokio::runtime::Runtime::new()?;
    let store = ours::open(&path)?;
    let from = Instant::now();
    for first in (0..count).step_by(PART as usize) {
        let people = (first..count.min(first + PART)).map(person).collect();
        runtime.block_on(store.import_subscribers(&bot(), people))?;
    }
    println!("seconds {}", from.elapsed().as_secs_f64());
    drop(store);
    println!("bytes {}", std::fs::metadata(&path)?.len());
    Ok(())
}

/// One post that is due, for all people, or for those of whom a rule holds.
pub fn draft(rule: Option<&str>) -> Draft {
    let whom = Whom {
        topics: vec![news()],
        channels: vec![bot()],
        rule: rule.map(str::to_owned),
        ..Whom::default()
    };
    Draft {
        id: DraftId(0),
        created_at: Timestamp::default(),
        due_at: Timestamp::default(),
        content: Content::OneOff(Box::new(OneOff {
            title: "bench".to_owned(),
            says: Says::Message(Message::from_plain(TEXT)),
            whom,
            priority: Default::default(),
            stages: None,
            file: None,
        })),
        held: None,
    }
}

/// People have ids all over the range, and come in no order.
fn person(at: u32) -> Subscriber {
    // An odd factor: no two are the same.
    let id = 1_000_000_000 + u64::from(at.wrapping_mul(0x9E37_79B1));
    Subscriber {
        number: 0,
        address: id.to_string(),
        language: Some(LANGUAGES[at as usize % LANGUAGES.len()].to_owned()),
        first_name: Some(format!("Alexandra {}", at % NAMES)),
        timezone: None,
        name_asked_at: None,
        came_by: None,
        topics: vec![news()],
        standing: Standing::Active,
        window_until: None,
        joined_at: Timestamp::default(),
        changed_at: Timestamp::default(),
        default_reply_at: None,
        choices: None,
    }
}

/// What the tables of posts take in the file, in bytes: rows, and what their pages have beside.
pub fn ledger(path: &Path) -> Result<u64> {
    // The store unlocks its file when it is dropped.
    let db = Database::open(path).context("looking into the store")?;
    let read = db.begin_read()?;
    let mut bytes = 0;
    for table in read.list_tables()?.collect::<Vec<_>>() {
        if LEDGER.contains(&table.name()) {
            let stats = read.open_untyped_table(table)?.stats()?;
            bytes += stats.stored_bytes() + stats.metadata_bytes() + stats.fragmented_bytes();
        }
    }
    Ok(bytes)
}
