//! Polls of a shop's whole catalog beside a bare pass of quick-xml over the same file.
//!
//! `cargo bench --bench catalog [-- PRODUCTS…]` (default 10000, 100000 and 1000000). For each size
//! two versions of a Merchant catalog are written to the disk, about 1 kB a product, the second
//! with 0.5 % changed. One process polls the first and then the second as the daemon would, with
//! its store on the disk; another one only reads every event of each. Memory is the peak of the
//! process under test alone. What is known is measured as the size of the store's whole file.

#![expect(clippy::print_stdout, reason = "it is a program that prints")]

#[expect(dead_code, reason = "the bench of readers has use for all of it")]
mod made;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use quick_xml::Reader;
use quick_xml::events::Event;
use tidings::model::campaign::{Campaign, ChangeKind, OnUncertain};
use tidings::model::name::Name;
use tidings::model::schedule::Schedule;
use tidings::model::source::{Local, Source, SourceKind};
use tidings::model::step::Step;
use tidings::poll::egress::Guard;
use tidings::poll::fetch::Limits;
use tidings::poll::worker::{Options, Outcome, poll_once};
use tidings::runtime::clock::Clock;
use tidings::runtime::meters::Meters;
use tidings::runtime::wakes::Wakes;
use tidings::store::{Store, redb};

/// Of a million products so many change from one version to the next.
const CHANGED: u64 = 5_000;

fn main() -> Result<()> {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["ours", folder] => ours(Path::new(folder)),
        ["bare", folder] => bare(Path::new(folder)),
        [] => [10_000, 100_000, 1_000_000].into_iter().try_for_each(compare),
        _ => words.iter().try_for_each(|word| compare(word.parse()?)),
    }
}

fn compare(products: u64) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut bytes = 0;
    for version in 1..=2 {
        let path = document(folder.path(), version);
        let mut out = BufWriter::new(File::create(&path)?);
        made::write_merchant(&mut out, products, version, CHANGED)?;
        out.flush()?;
        // What is written is on the disk before anything is measured.
        out.get_ref().sync_all()?;
        bytes = fs::metadata(&path)?.len();
    }
    let bare = measure("bare", folder.path())?;
    let ours = measure("ours", folder.path())?;
    let figure = |of: &BTreeMap<String, f64>, name: &str| {
        of.get(name).copied().with_context(|| format!("no `{name}`"))
    };
    println!(
        "\n{products} products, {} MB      tidings     bare quick-xml   ratio",
        bytes / 1_000_000
    );
    for (name, label) in [("first", "first poll"), ("second", "0.5 % changed")] {
        let (ours, bare) = (figure(&ours, name)?, figure(&bare, name)?);
        println!("{label:<24} {ours:>9.3} s {bare:>12.3} s {:>9.2}", ours / bare);
    }
    println!(
        "packing the store at the end of each run: {:.3} s, {:.3} s",
        figure(&ours, "first_close")?,
        figure(&ours, "second_close")?
    );
    let known = figure(&ours, "store_bytes")?;
    println!(
        "resident: peak {:.1} MB (bare {:.1} MB); the store: {:.1} bytes a product; {} told",
        figure(&ours, "peak_kib")? / 1024.0,
        figure(&bare, "peak_kib")? / 1024.0,
        known / products as f64,
        figure(&ours, "told")?,
    );
    Ok(())
}

fn document(folder: &Path, version: u64) -> PathBuf {
    folder.join(format!("shop-{version}.xml"))
}

fn measure(who: &str, folder: &Path) -> Result<BTreeMap<String, f64>> {
    let mut child = Command::new(std::env::current_exe()?)
        .args([who.as_ref(), folder.as_os_str()])
        // As the daemon sets them for itself.
        .envs(tidings::runtime::memory::SETTINGS)
        .stdout(Stdio::piped())
        .spawn()?;
    let mut figures = BTreeMap::new();
    for line in BufReader::new(child.stdout.take().context("no output")?).lines() {
        let line = line?;
        let (name, figure) = line.split_once(' ').context("no figure")?;
        figures.insert(name.to_owned(), figure.parse()?);
    }
    if !child.wait()?.success() {
        bail!("`{who}` failed");
    }
    Ok(figures)
}

fn bare(folder: &Path) -> Result<()> {
    for (version, round) in [(1, "first"), (2, "second")] {
        let begun = Instant::now();
        let mut reader =
            Reader::from_reader(BufReader::new(File::open(document(folder, version))?));
        let (mut buffer, mut events) = (Vec::new(), 0_u64);
        while !matches!(reader.read_event_into(&mut buffer)?, Event::Eof) {
            events += 1;
            buffer.clear();
        }
        ensure!(events > 0, "an empty document");
        tell(round, begun.elapsed());
    }
    tell_peak()
}

fn ours(folder: &Path) -> Result<()> {
    let path = folder.join("shop.xml");
    let file = folder.join(redb::FILE_NAME);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut told = 0;
    for (version, round) in [(1, "first"), (2, "second")] {
        fs::rename(document(folder, version), &path)?;
        // A file that has just changed may still be written.
        let settled = File::open(&path)?;
        settled
            .set_modified(std::time::UNIX_EPOCH + Duration::from_secs(1_000_000_000 + version))?;
        let begun = Instant::now();
        let store: Arc<dyn Store> = Arc::new(redb::open(&file)?);
        let options = options(Arc::clone(&store), &path, folder)?;
        let reports = runtime.block_on(poll_once(options, false, &mut |_| {}))?;
        tell(round, begun.elapsed());
        // The poll is committed; what follows is the packing of the file at the end of a run.
        let begun = Instant::now();
        drop(store);
        tell(&format!("{round}_close"), begun.elapsed());
        let report = reports.first().context("nothing was polled")?;
        ensure!(report.outcome == Outcome::Fetched, "the poll failed: {report:?}");
        told += report.price_drops + report.new + report.back_in_stock;
    }
    drop(runtime);
    println!("told {told}");
    println!("store_bytes {}", fs::metadata(&file)?.len());
    tell_peak()
}

fn options(store: Arc<dyn Store>, path: &Path, folder: &Path) -> Result<Options> {
    let name = |text: &str| Name::parse(text).context("a name");
    let url = url::Url::from_file_path(path).ok().context("an absolute path")?;
    let every = Schedule::Every(Duration::from_secs(3_600));
    let mut source = Source::new(name("shop")?, SourceKind::Catalog, url.as_str(), every);
    source.local = Some(Arc::new(Local { path: path.to_owned(), within: None }));
    let campaign = Campaign {
        name: name("drops")?,
        sources: vec![source.name.clone()],
        on: vec![ChangeKind::New, ChangeKind::PriceDrop, ChangeKind::BackInStock],
        min_step: Step::default(),
        layout: name("article")?,
        topics: vec![name("news")?],
        channels: vec![name("bot")?],
        settle: Duration::ZERO,
        on_uncertain: OnUncertain::Skip,
        corrects: Default::default(),
    };
    Ok(Options {
        store,
        clock: Clock::system(),
        wakes: Wakes::default(),
        meters: Meters::default(),
        sources: vec![source],
        campaigns: [campaign].into(),
        guard: Guard::default(),
        limits: Limits::default(),
        items_max: tidings::extract::ITEMS_MAX,
        user_agent: "tidings-bench".to_owned(),
        connections: 1,
        per_host: 1,
        host_pause: Duration::ZERO,
        floor: Duration::from_secs(300),
        folder: Arc::from(folder),
        push: None,
        asks: None,
    })
}

fn tell(name: &str, took: Duration) {
    println!("{name} {}", took.as_secs_f64());
}

/// The most that this process held, in KiB.
fn tell_peak() -> Result<()> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).context("no such field")?;
    println!("peak_kib {}", line.split_whitespace().nth(1).context("no figure")?);
    Ok(())
}
