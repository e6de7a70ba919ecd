//! What hostile documents cost each reader, beside the limit and beside a bare parser, in one run.
//!
//! `cargo bench --bench hostile [-- [MIB …] [--all] [NAME]]` (default `1 8`). Each reader is given
//! documents made to cost it much, of so many MiB; with `--all` those that are made for other
//! readers too, with a name only the readers and documents that have it in their names. A document
//! is read in a process of its own, so that its peak of memory is its own; what counts is the time
//! of the processor, which a busy machine makes up to twice as long. The exit code is 1 when a limit is passed.
//!
//! The limits are those of the whole project: [`CPU_PER_MIB_MAX`] and [`MEMORY_MIB_MAX`] beyond the
//! document itself, for documents of at most 8 MiB.

#![expect(clippy::print_stdout, reason = "it is a program that prints")]

mod documents;
mod measure;
mod readers;

use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use documents::Document;
use measure::Cost;
use readers::Reader;

/// Most milliseconds of the processor for a MiB.
const CPU_PER_MIB_MAX: f64 = 250.0;
/// Most MiB of memory beside the document.
const MEMORY_MIB_MAX: f64 = 64.0;
/// A reading that takes longer is stopped: it has passed the limit by far.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a reading over the limit is repeated, of which the cheapest counts: neighbours on the
/// same core cost time.
const READINGS_MAX: usize = 3;
/// The bare parser is not waited for so long: some take a square of a document's length.
const BARE_PATIENCE: Duration = Duration::from_secs(5);
/// How often a reading that runs is looked at.
const LOOK: Duration = Duration::from_millis(5);

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [one, reader, document, mib] = arguments.as_slice()
        && one == "--one"
    {
        return read_one(reader, document, mib.parse()?);
    }
    let mut sizes = Vec::new();
    let (mut is_all, mut wanted) = (false, None);
    for argument in &arguments {
        match argument.parse::<usize>() {
            Ok(mib) if mib > 0 => sizes.push(mib),
            _ if argument == "--all" => is_all = true,
            _ if argument == "--bench" => {}
            _ => wanted = Some(argument.as_str()),
        }
    }
    if sizes.is_empty() {
        sizes = vec![1, 8];
    }
    let mut worst = Worst::default();
    println!(
        "{:<16} {:<34} {:>4} {:>10} {:>10} {:>9}  outcome",
        "reader", "document", "MiB", "ms/MiB", "bare", "extra MiB"
    );
    for document in documents::all() {
        for mib in &sizes {
            let mut bare = Vec::new();
            for reader in readers::all() {
                let is_named =
                    |word: &str| reader.name.contains(word) || document.name.contains(word);
                let is_meant = is_all || reader.kinds.contains(&document.kind);
                if !is_meant || wanted.is_some_and(|word| !is_named(word)) {
                    continue;
                }
                worst.note(&run(&reader, &document, *mib, &mut bare)?);
            }
        }
    }
    worst.tell();
    Ok(if worst.over > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What one reading came to, in milliseconds a MiB and in MiB.
struct Line {
    name: String,
    cpu: f64,
    memory: f64,
}

#[derive(Default)]
struct Worst {
    read: usize,
    over: usize,
    cpu: Option<Line>,
    memory: Option<Line>,
}

impl Worst {
    fn note(&mut self, line: &Line) {
        self.read += 1;
        self.over += usize::from(is_over(line.cpu, line.memory));
        let copy = || Line { name: line.name.clone(), ..*line };
        if self.cpu.as_ref().is_none_or(|known| line.cpu > known.cpu) {
            self.cpu = Some(copy());
        }
        if self.memory.as_ref().is_none_or(|known| line.memory > known.memory) {
            self.memory = Some(copy());
        }
    }

    fn tell(&self) {
        println!("\n{} readings, {} over a limit", self.read, self.over);
        if let (Some(cpu), Some(memory)) = (&self.cpu, &self.memory) {
            println!("dearest: {:.0} of {CPU_PER_MIB_MAX} ms/MiB: {}", cpu.cpu, cpu.name);
            println!("largest: {:.0} of {MEMORY_MIB_MAX} MiB: {}", memory.memory, memory.name);
        }
    }
}

fn is_over(cpu: f64, memory: f64) -> bool {
    cpu > CPU_PER_MIB_MAX || memory > MEMORY_MIB_MAX
}

/// Reads a document of `mib` in a process of its own, and once with the bare parser.
fn run(
    reader: &Reader,
    document: &Document,
    mib: usize,
    bare: &mut Vec<(&'static str, f64)>,
) -> Result<Line> {
    let yardstick = reader.bare;
    let known = bare.iter().find(|(name, _)| *name == yardstick).map(|(_, cpu)| *cpu);
    let bare_cpu = match known {
        Some(cpu) => cpu,
        None => {
            let cost = child(yardstick, document.name, mib, BARE_PATIENCE)?;
            bare.push((yardstick, cost.cpu_ms / cost.mib));
            cost.cpu_ms / cost.mib
        }
    };
    let mut cost = child(reader.name, document.name, mib, PATIENCE)?;
    for _ in 1..READINGS_MAX {
        if cost.cpu_ms / cost.mib <= CPU_PER_MIB_MAX || cost.cpu_ms >= PATIENCE.as_secs_f64() * 1e3
        {
            break;
        }
        let again = child(reader.name, document.name, mib, PATIENCE)?;
        cost = if again.cpu_ms < cost.cpu_ms { again } else { cost };
    }
    let (cpu, memory) = (cost.cpu_ms / cost.mib, cost.extra_mib);
    println!(
        "{:<16} {:<34} {mib:>4} {cpu:>10.1} {bare_cpu:>10.1} {memory:>9.1}  {}{}",
        reader.name,
        document.name,
        cost.outcome,
        if is_over(cpu, memory) { "  OVER" } else { "" },
    );
    Ok(Line { name: format!("{}, {mib} MiB of {}", reader.name, document.name), cpu, memory })
}

/// One reading in another process, stopped when it takes too long.
fn child(reader: &str, document: &str, mib: usize, patience: Duration) -> Result<Cost> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--one", reader, document, &mib.to_string()]);
    let started = Instant::now();
    let mut running = command.stdout(Stdio::piped()).spawn()?;
    while running.try_wait()?.is_none() {
        if started.elapsed() > patience {
            running.kill()?;
            running.wait()?;
            return Ok(Cost::too_long(patience, mib));
        }
        std::thread::park_timeout(LOOK);
    }
    let output = running.wait_with_output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        bail!("{reader} with {document}: {}", output.status);
    }
    Cost::parse(&text).with_context(|| format!("{reader} with {document} said: {text}"))
}

fn read_one(reader: &str, document: &str, mib: usize) -> Result<ExitCode> {
    let made = documents::all().into_iter().find(|it| it.name == document);
    let made = made.with_context(|| format!("no document {document}"))?;
    let reader = readers::all().into_iter().chain(readers::bare()).find(|it| it.name == reader);
    let reader = reader.context("no such reader")?;
    let bytes = (made.make)(mib << 20);
    println!("{}", measure::of(&bytes, reader.read));
    Ok(ExitCode::SUCCESS)
}
