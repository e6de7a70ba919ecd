//! `tidings layout test`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::admin::desk::Ask;
use crate::cli::layout::{Found, Place, diff, snapshot, unknown};
use crate::cli::{Done, EX_IOERR, Failure, output, reach};
use crate::model::channel::ChannelKind;
use crate::model::item::Item;
use crate::model::name::Name;
use crate::render::Layouts;
use crate::store::redb::FILE_NAME;

/// How many of the newest items that were kept are tried.
const REAL_ITEMS: usize = 20;

/// Shown below the options.
const EXAMPLES: &str = "\
Examples:
  tidings layout test
  tidings layout test price-drop --accept
  tidings layout test --folder layouts        without settings";

/// Set layouts of samples and of the newest real items, and compare what each channel would send
/// with what was accepted.
///
/// Samples are those that come with us and the documents in `fixtures/` beside the layouts. What was
/// accepted stands in `snapshots/` beside the layouts: `NAME.LANGUAGE.CHANNEL.txt`. Without names
/// your own layouts are tested. Exits with 1 when something differs, is new or fails.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    place: Place,
    /// Only these layouts.
    names: Vec<String>,
    /// Accept what there is now.
    #[arg(long)]
    accept: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// What became of one snapshot.
enum State {
    Same,
    Accepted,
    New,
    Differs {
        diff: String,
    },
    Failed {
        why: String,
    },
    /// Its layout or language is gone.
    Unused,
}

struct Tested {
    file: String,
    state: State,
}

pub(super) async fn run(args: Args) -> Done {
    let Found { layouts, folder } = args.place.find()?;
    let Some(folder) = folder else {
        let hint = "`--folder FOLDER` names your layouts, `--config FILE` your settings";
        return Err(Failure::new(1, format!("no layouts to test\n  hint: {hint}")));
    };
    let names = chosen(&layouts, &args.names)?;
    let samples = snapshot::samples(&folder)?;
    let mut tested = Vec::new();
    let snapshots = folder.join("snapshots");
    for name in &names {
        for (language, kind) in variants(&layouts, name) {
            let part = language.as_deref().map_or_else(String::new, |it| format!(".{it}"));
            let file = format!("{name}{part}.{}.txt", kind.as_str());
            let now = snapshot::take(&layouts, name, language.as_deref(), kind, &samples);
            let state = match now {
                Ok(now) => compare(&snapshots, &file, &now, args.accept)?,
                Err(why) => State::Failed { why },
            };
            tested.push(Tested { file, state });
        }
    }
    if args.names.is_empty() {
        tested.extend(unused(&snapshots, &tested, args.accept)?);
    }
    let items = real_items(&args).await;
    let failures = try_real(&layouts, &names, &items);
    let report = Report { names: names.len(), tested, items: items.len(), failures };
    if args.json {
        report.say_json();
    } else {
        report.say();
    }
    match report.faults() {
        0 if report.tested.is_empty() => Err(nothing_in(&folder)),
        0 => Ok(()),
        _ if args.json => Err(Failure::new(1, "")),
        faults => {
            let hint = "`--accept` takes what there is now";
            let count = output::count(faults, "difference");
            Err(Failure::new(1, format!("{count}\n  hint: {hint}")))
        }
    }
}

fn nothing_in(folder: &Path) -> Failure {
    let folder = folder.display();
    let hint = format!("`tidings layout show article > {folder}/article.html` makes a start");
    let looked = "looked for files like `article.html` and `article.ro.html`";
    Failure::new(1, format!("no layouts to test in `{folder}`: {looked}\n  hint: {hint}"))
}

/// The layouts that are named, else the editor's own.
fn chosen(layouts: &Layouts, names: &[String]) -> Result<Vec<Name>, Failure> {
    if names.is_empty() {
        let own = layouts.names().into_iter().filter(|name| !layouts.is_shipped(name));
        return Ok(own.collect());
    }
    let parse = |text: &String| {
        let name = Name::parse(text).map_err(|error| Failure::new(1, error))?;
        if layouts.has(&name) { Ok(name) } else { Err(unknown(layouts, &name)) }
    };
    names.iter().map(parse).collect()
}

fn variants(layouts: &Layouts, name: &Name) -> Vec<(Option<String>, ChannelKind)> {
    let languages = std::iter::once(None).chain(layouts.languages(name).into_iter().map(Some));
    let kinds = [ChannelKind::Telegram, ChannelKind::Messenger];
    languages.flat_map(|language| kinds.map(|kind| (language.clone(), kind))).collect()
}

/// What is printed now beside what was accepted; accepting writes it.
fn compare(snapshots: &Path, file: &str, now: &str, accept: bool) -> Result<State, Failure> {
    let path = snapshots.join(file);
    let accepted = match fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(failed(&path, &error)),
    };
    Ok(match accepted {
        Some(accepted) if accepted == now => State::Same,
        _ if accept => {
            fs::create_dir_all(snapshots).map_err(|error| failed(snapshots, &error))?;
            fs::write(&path, now).map_err(|error| failed(&path, &error))?;
            State::Accepted
        }
        Some(accepted) => State::Differs { diff: diff::unified(file, &accepted, now) },
        None => State::New,
    })
}

/// Snapshots of what is no more; accepting removes them.
fn unused(snapshots: &Path, tested: &[Tested], accept: bool) -> Result<Vec<Tested>, Failure> {
    let known: BTreeSet<&str> = tested.iter().map(|one| one.file.as_str()).collect();
    let Ok(entries) = fs::read_dir(snapshots) else { return Ok(vec![]) };
    let mut found: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    found.sort();
    let mut unused = Vec::new();
    for path in found {
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_ours = file.ends_with(".telegram.txt") || file.ends_with(".messenger.txt");
        if !is_ours || known.contains(file.as_str()) {
            continue;
        }
        if accept {
            fs::remove_file(&path).map_err(|error| failed(&path, &error))?;
            unused.push(Tested { file, state: State::Accepted });
        } else {
            unused.push(Tested { file, state: State::Unused });
        }
    }
    Ok(unused)
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(EX_IOERR, format!("{}: {error}", path.display()))
}

/// The newest items that were kept, if there is a store; why not, if they can't be had.
async fn real_items(args: &Args) -> Vec<Item> {
    if args.place.folder.is_some() {
        return vec![];
    }
    let Ok(setup) = reach::load(&args.place.settings) else { return vec![] };
    let config = &setup.config;
    if !config.listen.admin.exists() && !config.data_dir.join(FILE_NAME).exists() {
        return vec![];
    }
    let ask = Ask::Items { ids: vec![], sources: vec![], limit: REAL_ITEMS };
    match reach::ask(&args.place.settings, ask).await {
        Ok(mut answered) => {
            serde_json::from_value(answered.value["items"].take()).unwrap_or_default()
        }
        Err(failure) => {
            output::complain(&format!("no real items were tried: {}", failure.words));
            vec![]
        }
    }
}

/// Real items change from day to day: they only have to fit. One line for each layout that fails.
fn try_real(layouts: &Layouts, names: &[Name], items: &[Item]) -> Vec<String> {
    let mut failures = Vec::new();
    for name in names {
        for (language, kind) in variants(layouts, name) {
            let set = |items: &[Item]| {
                snapshot::set(layouts, name, language.as_deref(), kind, items, &[])
            };
            let alone = items.iter().map(std::slice::from_ref);
            let all = (items.len() > 1).then_some(items);
            let failure = alone.chain(all).find_map(|items| Some((items, set(items).err()?)));
            if let Some((items, why)) = failure {
                let which = match items {
                    [one] => format!("item {}", one.id),
                    _ => format!("{} items", items.len()),
                };
                failures.push(format!("{name} on {} with {which}: {why}", kind.as_str()));
            }
        }
    }
    failures
}

struct Report {
    names: usize,
    tested: Vec<Tested>,
    /// How many real items were tried.
    items: usize,
    failures: Vec<String>,
}

impl Report {
    fn faults(&self) -> usize {
        let is_fault = |one: &&Tested| !matches!(one.state, State::Same | State::Accepted);
        self.tested.iter().filter(is_fault).count() + self.failures.len()
    }

    fn say(&self) {
        for Tested { file, state } in &self.tested {
            match state {
                State::Same => {}
                State::Accepted => output::say(&format!("accepted  {file}")),
                State::New => output::say(&format!("new       {file}: nothing was accepted yet")),
                State::Differs { diff } => output::say(diff.trim_end()),
                State::Failed { why } => output::say(&format!("failed    {file}: {why}")),
                State::Unused => output::say(&format!("unused    {file}: its layout is gone")),
            }
        }
        for failure in &self.failures {
            output::say(&format!("failed    {failure}"));
        }
        let same = self.tested.iter().filter(|one| matches!(one.state, State::Same)).count();
        let mut line = format!(
            "{}: {}, {same} as accepted",
            output::count(self.names, "layout"),
            output::count(self.tested.len(), "snapshot"),
        );
        if self.items > 0 {
            line.push_str(&format!("; {} tried", output::count(self.items, "real item")));
        }
        output::say(&line);
    }

    fn say_json(&self) {
        let snapshots: Vec<Value> = self
            .tested
            .iter()
            .map(|Tested { file, state }| {
                let (state, diff, error) = match state {
                    State::Same => ("same", None, None),
                    State::Accepted => ("accepted", None, None),
                    State::New => ("new", None, None),
                    State::Differs { diff } => ("differs", Some(diff), None),
                    State::Failed { why } => ("failed", None, Some(why)),
                    State::Unused => ("unused", None, None),
                };
                json!({ "snapshot": file, "state": state, "diff": diff, "error": error })
            })
            .collect();
        output::say_json(&json!({
            "layouts": self.names,
            "snapshots": snapshots,
            "real_items": self.items,
            "failures": self.failures,
            "faults": self.faults(),
        }));
    }
}
