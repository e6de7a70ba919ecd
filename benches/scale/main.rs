//! A million subscribers: planning a post for them, sending it, starting again in the middle.
//!
//! ```text
//! cargo bench --bench scale -- [plan|loop|restart [RECIPIENTS]]
//! ```
//!
//! *plan*: from the draft that is due to the post with its audience, all people and those whom an
//! expression chooses, beside a bare write of the same bytes by redb. *loop*: sending with the durable ledger beside reqwest alone, over as many
//! connections: first to a stand-in that answers after 50 ms, then to one that answers at once.
//! *restart*: the real binary is killed while it sends, started again, and timed until its first
//! request.
//!
//! What is measured runs in a process of its own, with the daemon's allocator settings, so that
//! memory is its memory. The stand-in (`service`) runs in the first process, in one thread that
//! reads no more of a request than it must; it takes its share of the same processors, beside the
//! yardstick as beside us.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "it is a program that prints, of several processes that wait for each other"
)]

mod bare;

#[path = "../../tests/made/mod.rs"]
mod made;

mod crowd;

mod machine;

mod plan;

mod restart;

mod sends;

mod service;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;
use tidings::runtime::memory;

use crate::service::Service;

/// How many people there are when nobody says otherwise.
const PEOPLE: u32 = 1_000_000;

/// How many get the post from the stand-in that takes its time.
const SLOW_PEOPLE: u32 = 20_000;

/// How many the bare loop posts to the stand-in that answers at once.
const BARE_PEOPLE: u32 = 100_000;

const UNKNOWN: &str = "no such mode: see the head of benches/scale/main.rs";

/// Requests under way at once, ours and the yardstick's.
const CONNECTIONS: usize = 100;

/// Of the stand-in that takes its time.
const LATENCY: Duration = Duration::from_millis(50);

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["make", count, folder] => crowd::make(count.parse()?, Path::new(folder)),
        ["planned", folder] => plan::ours(Path::new(folder), None),
        ["planned", folder, rule] => plan::ours(Path::new(folder), Some(rule)),
        ["written", bytes, folder] => plan::bare(bytes.parse()?, Path::new(folder)),
        ["sent", folder, url] => sends::ours(Path::new(folder), url),
        ["posted", count, url] => bare::posts(count.parse()?, url),
        [] => {
            let crowd = Crowd::make(PEOPLE)?;
            planning(&crowd)?;
            sending(&crowd)?;
            restarting(&crowd)
        }
        [mode] => one(mode, PEOPLE),
        [mode, count] => one(mode, count.parse()?),
        _ => bail!(UNKNOWN),
    }
}

fn one(mode: &str, count: u32) -> Result<()> {
    let figures = match mode {
        "plan" => planning,
        "loop" => sending,
        "restart" => restarting,
        _ => bail!(UNKNOWN),
    };
    figures(&Crowd::make(count)?)
}

/// A store with many subscribers that was made once, and is used by each measurement anew.
struct Crowd {
    count: u32,
    folder: TempDir,
}

impl Crowd {
    fn make(count: u32) -> Result<Self> {
        let folder = TempDir::new()?;
        let made = measure(&["make", &count.to_string(), path(&folder)?])?;
        println!(
            "\n{count} subscribers kept in {:.1} s, {:.0} /s, in {:.1} MB    {}",
            made.get("seconds")?,
            f64::from(count) / made.get("seconds")?,
            made.get("bytes")? / 1e6,
            machine::load(),
        );
        Ok(Self { count, folder })
    }

    fn copy(&self) -> Result<TempDir> {
        let folder = TempDir::new()?;
        let name = tidings::store::redb::FILE_NAME;
        std::fs::copy(self.folder.path().join(name), folder.path().join(name))?;
        Ok(folder)
    }
}

fn planning(crowd: &Crowd) -> Result<()> {
    let count = crowd.count;
    println!("\na post for {count} subscribers on one channel    {}", machine::load());
    let folder = crowd.copy()?;
    let ours = measure(&["planned", path(&folder)?])?;
    let chosen = crowd.copy()?;
    let chosen = measure(&["planned", path(&chosen)?, plan::RULE])?;
    let bytes = ours.get("bytes")?;
    let bare = TempDir::new()?;
    let bare = measure(&["written", &bytes.to_string(), path(&bare)?])?;
    for (what, ours) in [("planned", &ours), ("by an expression", &chosen)] {
        println!(
            "  {what:<16}{:>8.3} s  (at most 5)  peak {:.1} MB resident (at most 100)",
            ours.get("seconds")?,
            ours.get("peak")?,
        );
    }
    println!(
        "  bare redb       {:>8.3} s  the same {:.2} MB in one durable commit, peak {:.1} MB",
        bare.get("seconds")?,
        bytes / 1e6,
        bare.get("peak")?,
    );
    println!(
        "  ledger          {:>8.2} bytes a recipient as planned (at most 4), {:.2} of those chosen",
        ours.get("ledger")? / f64::from(count),
        chosen.get("ledger")? / f64::from(count),
    );
    Ok(())
}

fn sending(crowd: &Crowd) -> Result<()> {
    let few = Crowd::make(crowd.count.min(SLOW_PEOPLE))?;
    beside_the_bare_loop(&few, LATENCY, "ratio, at least 0.80")?;
    beside_the_bare_loop(crowd, Duration::ZERO, "ratio; ours at least 5000 /s")
}

fn beside_the_bare_loop(crowd: &Crowd, latency: Duration, wanted: &str) -> Result<()> {
    let count = crowd.count;
    println!(
        "\nsends to {count} people, {CONNECTIONS} connections, answers after {latency:?}    {}",
        machine::load()
    );
    let folder = crowd.copy()?;
    let service = Service::start(latency)?;
    let most = count.min(if latency.is_zero() { BARE_PEOPLE } else { SLOW_PEOPLE });
    let bare = measure(&["posted", &most.to_string(), &service.url()])?;
    if service.sends() != u64::from(most) {
        bail!("the bare loop sent {} of {most}", service.sends());
    }
    let ours = measure(&["sent", path(&folder)?, &service.url()])?;
    if service.sends() != u64::from(most) + u64::from(count) {
        bail!("we sent {} of {count}", service.sends() - u64::from(most));
    }
    let bare_rate = f64::from(most) / bare.get("seconds")?;
    let our_rate = f64::from(count) / ours.get("seconds")?;
    println!(
        "  bare reqwest    {:>8.2} s  {bare_rate:>9.0} /s  {:.0} µs of processor each",
        bare.get("seconds")?,
        bare.get("cpu")? / f64::from(most) * 1e6,
    );
    println!(
        "  tidings         {:>8.2} s  {our_rate:>9.0} /s  {:.0} µs of processor each",
        ours.get("seconds")?,
        ours.get("cpu")? / f64::from(count) * 1e6,
    );
    println!("  {:>24.2}  {wanted}", our_rate / bare_rate);
    println!(
        "  resident        {:>8.1} MB at 10 %, {:.1} at 50 %, {:.1} at the end, peak {:.1}",
        ours.get("rss_10")?,
        ours.get("rss_50")?,
        ours.get("rss_100")?,
        ours.get("peak")?,
    );
    println!(
        "  ledger          {:>8.2} bytes a recipient as sent (at most 4)",
        ours.get("ledger")? / f64::from(count),
    );
    Ok(())
}

fn restarting(crowd: &Crowd) -> Result<()> {
    let count = crowd.count;
    println!("\nkilled while it sends to {count} people, started again    {}", machine::load());
    let folder = crowd.copy()?;
    measure(&["planned", path(&folder)?])?;
    restart::rounds(folder.path())
}

/// What a process under test has printed.
struct Figures(BTreeMap<String, f64>);

impl Figures {
    fn get(&self, name: &str) -> Result<f64> {
        self.0.get(name).copied().with_context(|| format!("no `{name}`"))
    }
}

/// Runs a part of this program as a process of its own, and reads its `name figure` lines.
fn measure(words: &[&str]) -> Result<Figures> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(words)
        .envs(memory::SETTINGS)
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting {words:?}"))?;
    let output = child.stdout.take().context("no output")?;
    let mut figures = BTreeMap::new();
    for line in BufReader::new(output).lines() {
        let line = line?;
        let (name, figure) = line.split_once(' ').context("no figure")?;
        figures.insert(name.to_owned(), figure.parse()?);
    }
    if !child.wait()?.success() {
        bail!("{words:?} failed");
    }
    Ok(Figures(figures))
}

fn path(folder: &TempDir) -> Result<&str> {
    folder.path().to_str().context("a folder of another encoding")
}
