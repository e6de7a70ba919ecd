//! Polls of a shop's whole catalog beside a bare pass of quick-xml over the same file.
//!
//! `cargo bench --bench catalog [-- PRODUCTS…]` (default 10000, 100000 and 1000000). For each size
//! two versions of a Merchant catalog are written to the disk, about 1 kB a product, the second
//! with 0.5 % changed. One process polls the first and then the second as the daemon would, with
//! its store on the disk: from the file, or from a server on this machine that sends it as it is
//! or packed, and at last says that nothing has changed. Another process only reads every event of
//! each version's file, packed or not. Memory is the peak of the process under test alone. What is
//! known is measured as the size of the store's whole file, packed at the end of each run; opening
//! and packing the store are told apart from the polls.

#![expect(clippy::print_stdout, reason = "it is a program that prints")]

#[expect(dead_code, reason = "the bench of readers has use for all of it")]
mod made;

mod shop;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
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

/// Where a catalog is read from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    File,
    Http,
    Packed,
}

const ALL: [(Way, &str, &str); 3] = [
    (Way::File, "file", "a file"),
    (Way::Http, "http", "HTTP"),
    (Way::Packed, "packed", "HTTP, packed"),
];

fn main() -> Result<()> {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let from = |word: &str| ALL.into_iter().find(|(_, name, _)| *name == word);
    match words[..] {
        ["ours", word, folder, port] => {
            let (from, ..) = from(word).context("from where")?;
            ours(from, Path::new(folder), port.parse()?)
        }
        ["bare", word, folder, _] => {
            bare(matches!(from(word), Some((Way::Packed, ..))), Path::new(folder))
        }
        [] => [10_000, 100_000, 1_000_000].into_iter().try_for_each(compare),
        _ => words.iter().try_for_each(|word| compare(word.parse()?)),
    }
}

fn compare(products: u64) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut bytes = 0;
    for version in 1..=2 {
        let path = document(folder.path(), version, false);
        let mut out = BufWriter::new(File::create(&path)?);
        made::write_merchant(&mut out, products, version, CHANGED)?;
        out.flush()?;
        bytes = fs::metadata(&path)?.len();
        let packed = File::create(document(folder.path(), version, true))?;
        let mut packed = GzEncoder::new(packed, Compression::fast());
        io::copy(&mut File::open(&path)?, &mut packed)?;
        // What is written is on the disk before anything is measured.
        packed.finish()?.sync_all()?;
        out.get_ref().sync_all()?;
    }
    let port = shop::open(folder.path())?;
    println!("\n{products} products, {} MB", bytes / 1_000_000);
    let mut plain = None;
    for (from, word, label) in ALL {
        let bare = match (from, plain.take()) {
            (Way::File | Way::Http, Some(bare)) => bare,
            _ => measure("bare", word, folder.path(), port)?,
        };
        let ours = measure("ours", word, folder.path(), port)?;
        print(label, products, &ours, &bare)?;
        plain = Some(bare);
    }
    Ok(())
}

type Figures = BTreeMap<String, f64>;

fn print(label: &str, products: u64, ours: &Figures, bare: &Figures) -> Result<()> {
    let figure =
        |of: &Figures, name: &str| of.get(name).copied().with_context(|| format!("no `{name}`"));
    println!("from {label:<24} tidings     bare quick-xml   ratio");
    for (name, label) in [("first", "first poll"), ("second", "0.5 % changed")] {
        let used = (figure(ours, &format!("{name}_cpu"))?, figure(bare, &format!("{name}_cpu"))?);
        let (ours, bare) = (figure(ours, name)?, figure(bare, name)?);
        println!(
            "  {label:<24} {ours:>9.3} s {bare:>12.3} s {:>9.2}     processor {:.2} s, {:.2} s, {:.2}",
            ours / bare,
            used.0,
            used.1,
            used.0 / used.1
        );
    }
    println!(
        "  {:<24} {:>9.3} s; opening the store {:.3} s, packing it {:.3} s and {:.3} s",
        "unchanged",
        figure(ours, "third")?,
        figure(ours, "second_open")?,
        figure(ours, "first_close")?,
        figure(ours, "second_close")?
    );
    println!(
        "  resident: peak {:.1} MB (bare {:.1} MB); the store: {:.1} bytes a product; {} told",
        figure(ours, "peak_kib")? / 1024.0,
        figure(bare, "peak_kib")? / 1024.0,
        figure(ours, "store_bytes")? / products as f64,
        figure(ours, "told")?,
    );
    Ok(())
}

fn document(folder: &Path, version: u64, is_packed: bool) -> PathBuf {
    folder.join(format!("shop-{version}.xml{}", if is_packed { ".gz" } else { "" }))
}

fn measure(who: &str, from: &str, folder: &Path, port: u16) -> Result<Figures> {
    let port = port.to_string();
    let mut child = Command::new(std::env::current_exe()?)
        .args([who.as_ref(), from.as_ref(), folder.as_os_str(), port.as_ref()])
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

fn bare(is_packed: bool, folder: &Path) -> Result<()> {
    for (version, round) in [(1, "first"), (2, "second")] {
        let (begun, before) = (Instant::now(), processor_time()?);
        let file = BufReader::new(File::open(document(folder, version, is_packed))?);
        let events = if is_packed {
            count(BufReader::with_capacity(64 << 10, GzDecoder::new(file)))?
        } else {
            count(file)?
        };
        ensure!(events > 0, "an empty document");
        tell(round, begun.elapsed());
        println!("{round}_cpu {}", processor_time()? - before);
    }
    tell_peak()
}

fn count(document: impl BufRead) -> Result<u64> {
    let mut reader = Reader::from_reader(document);
    let (mut buffer, mut events) = (Vec::new(), 0_u64);
    while !matches!(reader.read_event_into(&mut buffer)?, Event::Eof) {
        events += 1;
        buffer.clear();
    }
    Ok(events)
}

fn ours(from: Way, folder: &Path, port: u16) -> Result<()> {
    let is_packed = from == Way::Packed;
    let path = folder.join(if is_packed { shop::PACKED } else { shop::PLAIN });
    // Each has a store of its own.
    let own = tempfile::tempdir_in(folder)?;
    let file = own.path().join(redb::FILE_NAME);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut told = 0;
    for (version, round) in [(1, "first"), (2, "second"), (2, "third")] {
        if round != "third" {
            let link = own.path().join("link");
            fs::hard_link(document(folder, version, is_packed), &link)?;
            fs::rename(&link, &path)?;
            // A file that has just changed may still be written.
            let settled = File::open(&path)?;
            settled.set_modified(
                std::time::UNIX_EPOCH + Duration::from_secs(1_000_000_000 + version),
            )?;
        }
        let begun = Instant::now();
        let store: Arc<dyn Store> = Arc::new(redb::open(&file)?);
        tell(&format!("{round}_open"), begun.elapsed());
        let begun = Instant::now();
        let options = match from {
            Way::File => options(Arc::clone(&store), &path, None, own.path())?,
            Way::Http | Way::Packed => options(Arc::clone(&store), &path, Some(port), own.path())?,
        };
        let before = processor_time()?;
        let reports = runtime.block_on(poll_once(options, false, &mut |_| {}))?;
        tell(round, begun.elapsed());
        println!("{round}_cpu {}", processor_time()? - before);
        // The poll is committed; what follows is the packing of the file at the end of a run.
        let begun = Instant::now();
        drop(store);
        tell(&format!("{round}_close"), begun.elapsed());
        let report = reports.first().context("nothing was polled")?;
        let expected = if round == "third" { Outcome::Unchanged } else { Outcome::Fetched };
        ensure!(report.outcome == expected, "the poll failed: {report:?}");
        told += report.price_drops + report.new + report.back_in_stock;
    }
    drop(runtime);
    println!("told {told}");
    println!("store_bytes {}", fs::metadata(&file)?.len());
    tell_peak()
}

fn options(
    store: Arc<dyn Store>,
    path: &Path,
    port: Option<u16>,
    folder: &Path,
) -> Result<Options> {
    let name = |text: &str| Name::parse(text).context("a name");
    let url = match port {
        Some(port) => {
            let file = path.file_name().and_then(|name| name.to_str()).context("a name")?;
            url::Url::parse(&format!("http://127.0.0.1:{port}/{file}"))?
        }
        None => url::Url::from_file_path(path).ok().context("an absolute path")?,
    };
    let every = Schedule::Every(Duration::from_secs(3_600));
    let mut source = Source::new(name("shop")?, SourceKind::Catalog, url.as_str(), every);
    source.local = match port {
        Some(_) => None,
        None => Some(Arc::new(Local { path: path.to_owned(), within: None })),
    };
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
        priority: Default::default(),
        when: None,
        timing: Default::default(),
        stages: None,
        reach: Default::default(),
        utility: None,
        is_marketing: false,
        watch: false,
    };
    Ok(Options {
        store,
        clock: Clock::system(),
        wakes: Wakes::default(),
        meters: Meters::default(),
        sources: vec![source],
        campaigns: [campaign].into(),
        windowed: vec![],
        guard: Guard { allow_networks: vec!["127.0.0.0/8".parse()?], ..Guard::default() },
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

/// What this process has used of the processors, in seconds: others don't count in it.
fn processor_time() -> Result<f64> {
    const TICKS: f64 = 100.0;
    let stat = fs::read_to_string("/proc/self/stat")?;
    let behind_name = stat.rsplit(") ").next().context("no name")?;
    let ticks = behind_name.split(' ').skip(11).take(2).map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>()? / TICKS)
}

/// The most that this process held, in KiB.
fn tell_peak() -> Result<()> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).context("no such field")?;
    println!("peak_kib {}", line.split_whitespace().nth(1).context("no figure")?);
    Ok(())
}
