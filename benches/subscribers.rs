//! An import of many subscribers, and their export, through the real binary.
//!
//! ```text
//! cargo bench --bench subscribers -- [PEOPLE]
//! ```
//!
//! The yardsticks are made in the same run: a bare read of the same file by `csv`, and a bare write by
//! redb of two rows a person, in transactions as large and as durable as ours. An import writes five
//! rows a person: the record, the address, the entry in the ledger, whose it is, and the salt.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "it is a program that prints, and fails as a test does"
)]

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use redb::{Database, Durability, TableDefinition};

const RECORDS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("records");
const ADDRESSES: TableDefinition<'_, &str, u64> = TableDefinition::new("addresses");

/// Rows of one transaction.
const GROUP: usize = 4_096;

fn main() {
    let people = std::env::args().filter_map(|word| word.parse().ok()).next();
    let people: usize = people.unwrap_or(1_000_000);
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let file = folder.join("people.csv");
    std::fs::write(&file, rows(people)).unwrap();
    std::fs::write(folder.join("tidings.toml"), settings(folder)).unwrap();
    std::fs::write(folder.join("token"), "1:abcdefghijklmnopqrstuvwxyz").unwrap();
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(folder.join("token"), mode).unwrap();
    println!("{people} subscribers");

    let read = timed(|| {
        let mut reader = csv::Reader::from_path(&file).unwrap();
        assert_eq!(reader.byte_records().map(Result::unwrap).count(), people);
    });
    let write = timed(|| bare_write(&folder.join("bare.redb"), people));
    let config = folder.join("tidings.toml").display().to_string();
    let file = file.display().to_string();
    let import = timed(|| {
        let args = ["import", &file, "--channel", "bot", "--source", "bench"];
        run(&config, &args);
    });
    let again = timed(|| {
        let args = ["import", &file, "--channel", "bot", "--source", "bench"];
        run(&config, &args);
    });
    let out = folder.join("out.csv").display().to_string();
    let export = timed(|| run(&config, &["export", "--out", &out]));
    let audit = timed(|| run(&config, &["consents"]));
    let bare = read + write;
    for (what, took) in [
        ("bare read by csv", read),
        ("bare write by redb", write),
        ("import", import),
        ("the same import again", again),
        ("export", export),
        ("look through the ledger", audit),
    ] {
        println!(
            "  {what:<24} {:>8.2} s  {:>5.1} of the bare read and write",
            took.as_secs_f64(),
            took.as_secs_f64() / bare.as_secs_f64()
        );
    }
}

fn rows(people: usize) -> String {
    let mut text = String::from("address,first_name,language,topics\n");
    // In no order, as files of others are.
    for at in 0..people as u64 {
        let address = at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        writeln!(text, "{address},Reader {at},ro,news").unwrap();
    }
    text
}

fn settings(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "data_dir = \"{folder}/data\"\n[listen]\nadmin = \"unix:{folder}/admin.sock\"\n\
         [channels.bot]\nkind = \"telegram\"\ntoken = {{ file = \"{folder}/token\" }}\n\
         [topics.news]\ntitle = \"News\"\n"
    )
}

fn bare_write(path: &Path, people: usize) {
    let db = Database::create(path).unwrap();
    let record = [7u8; 64];
    for first in (0..people).step_by(GROUP) {
        let mut write = db.begin_write().unwrap();
        write.set_durability(Durability::Immediate).unwrap();
        write.set_quick_repair(true);
        {
            let mut records = write.open_table(RECORDS).unwrap();
            let mut addresses = write.open_table(ADDRESSES).unwrap();
            for at in (first..people.min(first + GROUP)).map(|at| at as u64) {
                let address = (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20).to_string();
                records.insert(at, &record[..]).unwrap();
                addresses.insert(address.as_str(), at).unwrap();
            }
        }
        write.commit().unwrap();
    }
}

fn run(config: &str, args: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidings"));
    command.args(["subscribers", "--config", config]).args(args).stdout(Stdio::null());
    assert!(command.status().unwrap().success(), "{args:?}");
}

fn timed(work: impl FnOnce()) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed()
}
