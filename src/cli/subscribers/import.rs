//! `tidings subscribers import`.

use std::collections::HashSet;
use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::PathBuf;
use std::time::Instant;

use serde_json::json;

use crate::admin::desk::Ask;
use crate::admin::people::{PeopleBrought, PersonRow};
use crate::cli::reach::Line;
use crate::cli::subscribers::rows::{COLUMNS, Reader};
use crate::cli::subscribers::table::{Fault, Rows};
use crate::cli::{Done, EX_DATAERR, EX_IOERR, Failure, Settings, output, reach};
use crate::daemon::{Absent, Setup};
use crate::model::name::Name;
use crate::runtime::clock::Clock;
use crate::store::Arrived;

/// Most people of one question to the daemon, and most topics of these.
const PEOPLE_MAX: usize = 4_096;
const TOPICS_MAX: usize = 65_536;

/// Most faults that are told.
const FAULTS_MAX: usize = 20;

/// Most bytes that are read from standard input.
const INPUT_BYTES_MAX: u64 = 1 << 30;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A file, or `-` for standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// To which channel of the settings they go.
    #[arg(long, value_name = "CHANNEL", value_parser = Name::parse)]
    channel: Name,
    /// Where they gave their consent, in a few words: it is kept with each.
    #[arg(long, value_name = "TEXT")]
    source: String,
    /// A topic for all of them, beside those of the file; may be said again.
    #[arg(long = "topic", value_name = "TOPIC", value_parser = Name::parse)]
    topics: Vec<Name>,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// What is read, as often as it is needed.
enum Input {
    File(PathBuf),
    Memory(Vec<u8>),
}

impl Input {
    fn open(file: PathBuf) -> io::Result<Self> {
        // What is no file of its own can be read only once.
        let flow: Box<dyn Read> = match file.as_os_str() == "-" {
            true => Box::new(io::stdin()),
            false if fs::metadata(&file)?.is_file() => return Ok(Self::File(file)),
            false => Box::new(File::open(&file)?),
        };
        let mut bytes = Vec::new();
        flow.take(INPUT_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > INPUT_BYTES_MAX {
            let why = "it is more than is read from a pipe: import a file";
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
        }
        Ok(Self::Memory(bytes))
    }

    fn read(&self) -> io::Result<Box<dyn BufRead + Send + '_>> {
        Ok(match self {
            Self::File(path) => Box::new(BufReader::with_capacity(1 << 16, File::open(path)?)),
            Self::Memory(bytes) => Box::new(Cursor::new(bytes)),
        })
    }
}

pub(super) async fn run(settings: &Settings, args: Args) -> Done {
    let Args { file, channel, source, mut topics, dry_run, json } = args;
    if source.trim().is_empty() {
        return Err(Failure::new(2, "`--source` says where they gave their consent"));
    }
    topics.sort();
    let setup = reach::load(settings)?;
    let shown = file.display().to_string();
    let unread = |error: io::Error| Failure::new(EX_IOERR, format!("{shown}: {error}"));
    let input = Input::open(file).map_err(unread)?;
    let known: Vec<Name> = setup.config.topics.keys().cloned().collect();
    let reader = reader(&setup, &channel, &known, &topics)?;

    // First the whole file is read: of one with a mistake nothing is taken in.
    let mut faults = Vec::new();
    let all = look_through(input.read().map_err(unread)?, &reader, &mut faults);
    if !faults.is_empty() {
        let mut lines: Vec<String> = faults.iter().map(|it| format!("{shown}: {it}")).collect();
        if lines.len() > FAULTS_MAX {
            lines.truncate(FAULTS_MAX);
            lines.push("… and more".to_owned());
        }
        lines.push("nothing was imported".to_owned());
        return Err(Failure::new(EX_DATAERR, lines.join("\n")));
    }

    let line = Line::open(settings, Absent::Make).await?;
    let mut import = Import {
        line,
        channel: channel.clone(),
        source,
        is_dry_run: dry_run,
        all,
        done: 0,
        arrived: Arrived::default(),
        began: Instant::now(),
    };
    let mut rows = Rows::open(input.read().map_err(unread)?, &COLUMNS)
        .map_err(|fault| changed(&shown, &fault))?;
    let (mut part, mut of_part, mut twice) = (Vec::new(), 0, 0u64);
    let (hasher, mut met) = (RandomState::new(), HashSet::new());
    while let Some(row) = rows.next_row() {
        let row = row.map_err(|fault| changed(&shown, &fault))?;
        let read = reader.read(&row);
        let person = read.map_err(|faults| match faults.first() {
            Some(fault) => changed(&shown, fault),
            None => Failure::new(EX_DATAERR, format!("{shown}: it changed meanwhile")),
        })?;
        if !met.insert(hasher.hash_one(&person.address)) {
            twice += 1;
            continue;
        }
        of_part += person.topics.len();
        part.push(person);
        if part.len() >= PEOPLE_MAX || of_part >= TOPICS_MAX {
            import.send(std::mem::take(&mut part), twice).await?;
            of_part = 0;
        }
    }
    import.send(part, twice).await?;
    output::tell_over("");
    tell(&import, twice, json);
    Ok(())
}

fn changed(shown: &str, fault: &Fault) -> Failure {
    Failure::new(
        EX_DATAERR,
        format!("{shown}: {fault}; what stands before it was imported: repeat it once it is right"),
    )
}

fn reader<'a>(
    setup: &Setup,
    channel: &'a Name,
    known: &'a [Name],
    topics: &'a [Name],
) -> Result<Reader<'a>, Failure> {
    let of_settings = setup.config.channels.iter().find(|one| one.name == *channel);
    let Some(kind) = of_settings.map(crate::config::Channel::kind) else {
        let names = setup.config.channels.iter().map(|one| format!("`{}`", one.name));
        let names = names.collect::<Vec<_>>().join(", ");
        return Err(Failure::new(1, format!("no channel `{channel}`; there is {names}")));
    };
    if let Some(topic) = topics.iter().find(|topic| !known.contains(topic)) {
        let names: Vec<String> = known.iter().map(|one| format!("`{one}`")).collect();
        let names = names.join(", ");
        return Err(Failure::new(1, format!("no topic `{topic}`; there is {names}")));
    }
    Ok(Reader { channel, kind, known, topics, now: Clock::system().now() })
}

/// Reads all rows; answers how many there are. Ends early at too many faults.
fn look_through(
    input: Box<dyn BufRead + Send + '_>,
    reader: &Reader<'_>,
    faults: &mut Vec<Fault>,
) -> u64 {
    let mut rows = match Rows::open(input, &COLUMNS) {
        Ok(rows) => rows,
        Err(fault) => {
            faults.push(fault);
            return 0;
        }
    };
    let mut count = 0;
    while let Some(row) = rows.next_row() {
        count += 1;
        let read = row.map_err(|fault| vec![fault]).and_then(|row| reader.read(&row));
        faults.extend(read.err().into_iter().flatten());
        if faults.len() > FAULTS_MAX {
            break;
        }
    }
    count
}

/// An import on its way.
struct Import {
    line: Line,
    channel: Name,
    source: String,
    is_dry_run: bool,
    all: u64,
    done: u64,
    arrived: Arrived,
    began: Instant,
}

impl Import {
    async fn send(&mut self, people: Vec<PersonRow>, twice: u64) -> Done {
        if people.is_empty() {
            return Ok(());
        }
        self.done += people.len() as u64;
        let brought = PeopleBrought {
            channel: self.channel.clone(),
            source: self.source.clone(),
            people,
            is_dry_run: self.is_dry_run,
        };
        let value = self.line.ask(Ask::TakeIn(Box::new(brought))).await?;
        let arrived: Arrived =
            serde_json::from_value(value).map_err(|error| Failure::new(1, error))?;
        self.arrived.join(arrived);
        let seconds = self.began.elapsed().as_secs().max(1);
        let done = self.done + twice;
        output::tell_over(&format!("{done} of {} read, {} a second", self.all, done / seconds));
        Ok(())
    }
}

fn tell(import: &Import, twice: u64, json: bool) {
    let Arrived { added, known, kept_out, erased } = import.arrived;
    if json {
        output::say_json(&json!({
            "channel": import.channel,
            "rows": import.all,
            "added": added,
            "known": known,
            "kept_out": kept_out,
            "erased": erased,
            "twice": twice,
            "is_dry_run": import.is_dry_run,
        }));
        return;
    }
    let done = if import.is_dry_run { "would be imported" } else { "imported" };
    let mut words = format!("{added} of {} {done} to {}", import.all, import.channel);
    for (count, why) in [
        (known, "known already"),
        (kept_out, "kept out: they stopped, blocked us or are gone"),
        (erased, "kept out: they were erased"),
        (twice, "named before in the file"),
    ] {
        if count > 0 {
            words.push_str(&format!("; {count} {why}"));
        }
    }
    output::say(&words);
}
