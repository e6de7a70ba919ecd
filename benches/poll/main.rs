//! Poll rounds beside a bare loop of reqwest and feed-rs over the same documents.
//!
//! `cargo bench --bench poll [-- COUNT…]` (default 1000 and 10000 sources). Three processes: the
//! sites (200 loopback addresses, `sites.rs`), then the worker with its store (`ours.rs`), then the
//! bare loop (`bare.rs`), each alone with the sites. Rounds: the first, three in which nothing
//! changed (the median counts), one in which every tenth feed has a new item. Memory is that of
//! the process under test alone: its peak, and what stays when it has nothing to do.

#![expect(clippy::print_stdout, reason = "it is a program that prints")]

mod bare;

mod documents;

mod ours;

mod sites;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How many requests both have under way at most.
const CONNECTIONS: usize = 64;

/// Rounds in which nothing changed.
const SAME_ROUNDS: usize = 3;

fn main() -> Result<()> {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["sites"] => sites::serve(),
        ["ours", count, port] => ours::rounds(count.parse()?, port.parse()?),
        ["bare", count, port] => bare::rounds(count.parse()?, port.parse()?),
        [] => compare(&[1_000, 10_000]),
        _ => compare(&words.iter().map(|word| word.parse()).collect::<Result<Vec<_>, _>>()?),
    }
}

fn compare(counts: &[usize]) -> Result<()> {
    let (mut sites, mut lines) = start(&["sites"])?;
    let port = lines.next().context("the sites did not start")??;
    let ended = counts.iter().try_for_each(|count| {
        let ours = measure("ours", *count, &port)?;
        let bare = measure("bare", *count, &port)?;
        print(*count, &ours, &bare)
    });
    sites.kill()?;
    sites.wait()?;
    ended
}

type Figures = BTreeMap<String, f64>;

fn measure(who: &str, count: usize, port: &str) -> Result<Figures> {
    let (mut child, lines) = start(&[who, &count.to_string(), port])?;
    let mut figures = Figures::new();
    for line in lines {
        let line = line?;
        let (name, figure) = line.split_once(' ').context("no figure")?;
        figures.insert(name.to_owned(), figure.parse()?);
    }
    if !child.wait()?.success() {
        bail!("`{who}` failed");
    }
    Ok(figures)
}

fn start(
    arguments: &[&str],
) -> Result<(Child, impl Iterator<Item = std::io::Result<String>> + use<>)> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(arguments)
        .envs(if arguments.first() == Some(&"ours") {
            // As the daemon sets them for itself.
            tidings::runtime::memory::SETTINGS.to_vec()
        } else {
            vec![]
        })
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting {arguments:?}"))?;
    let output = child.stdout.take().context("no output")?;
    Ok((child, BufReader::new(output).lines()))
}

fn print(count: usize, ours: &Figures, bare: &Figures) -> Result<()> {
    let figure = |figures: &Figures, name: &str| {
        figures.get(name).copied().with_context(|| format!("no `{name}`"))
    };
    println!("\n{count} feeds               tidings            bare loop      ratio");
    for (name, label) in [("first", "first"), ("same", "all 304"), ("changed", "10 % changed")] {
        let (ours, bare) = (figure(ours, name)?, figure(bare, name)?);
        println!(
            "{label:<14} {ours:>7.3} s {:>7.0}/s {bare:>8.3} s {:>7.0}/s {:>7.2}",
            count as f64 / ours,
            count as f64 / bare,
            bare / ours,
        );
    }
    println!(
        "resident: peak {:.1} MB, idle {:.1} MB (bare loop: peak {:.1} MB)",
        figure(ours, "peak_kib")? / 1024.0,
        figure(ours, "idle_kib")? / 1024.0,
        figure(bare, "peak_kib")? / 1024.0,
    );
    Ok(())
}

/// The address of a feed.
fn url(feed: usize, port: u16) -> String {
    format!("http://127.0.1.{}:{port}/{feed}", feed % sites::ADDRESSES + 1)
}

/// Prints how long a round took.
fn tell(round: &str, took: Duration) {
    println!("{round} {}", took.as_secs_f64());
}

/// Prints a line of `/proc/self/status`, in KiB.
fn tell_memory(name: &str, field: &str) -> Result<()> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with(field)).context("no such field")?;
    let kib = line.split_whitespace().nth(1).context("no figure")?;
    println!("{name} {kib}");
    Ok(())
}

/// Runs the rounds; `round` polls every feed once.
async fn run_rounds(port: u16, mut round: impl AsyncFnMut() -> Result<()>) -> Result<()> {
    sites::turn_to(port, 0).await?;
    let begun = Instant::now();
    round().await?;
    tell("first", begun.elapsed());
    let mut times = Vec::new();
    for _ in 0..SAME_ROUNDS {
        let begun = Instant::now();
        round().await?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    tell("same", times[SAME_ROUNDS / 2]);
    sites::turn_to(port, 1).await?;
    let begun = Instant::now();
    round().await?;
    tell("changed", begun.elapsed());
    tell_memory("peak_kib", "VmHWM:")
}
