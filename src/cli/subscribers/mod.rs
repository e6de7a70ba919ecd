//! `tidings subscribers`.

mod table;

mod rows;

mod import;

mod export;

use std::io::{self, IsTerminal, Write};

use serde_json::Value;

use crate::admin::desk::Ask;
use crate::admin::people::PeopleAsk;
use crate::cli::reach::Line;
use crate::cli::subscribers::export::{COLUMNS, line_of};
use crate::cli::{Done, Failure, Settings, output, reach};
use crate::daemon::Absent;
use crate::model::name::Name;
use crate::model::subscriber::Standing;

/// Shown below the options.
const EXAMPLES: &str = "\
Examples:
  tidings subscribers list --topic news --where \"language == 'ro'\"
  tidings subscribers show bot 123456789
  tidings subscribers import people.csv --channel bot --source \"the shop's old bot\" --dry-run
  tidings subscribers export --channel bot --out people.csv
  tidings subscribers erase bot 123456789
  tidings subscribers consents               is the ledger as it was written?";

/// Who subscribes: list, show, import, export and erase people, and prove their consent.
///
/// Works with the running daemon, or with the store of one that does not run. (`tidings import` and
/// `tidings export` are about sources, not about people.)
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    word: Word,
}

#[derive(Debug, clap::Subcommand)]
enum Word {
    /// List subscribers, in the order in which they came.
    List {
        #[command(flatten)]
        whom: Whom,
        /// Most people that are listed.
        #[arg(long, default_value_t = 100)]
        limit: usize,
        /// Print a table for spreadsheets.
        #[arg(long, conflicts_with = "json")]
        csv: bool,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Show all that is known of somebody: their record, their consents with the words they were
    /// answered with, the newest posts.
    Show {
        #[command(flatten)]
        who: Who,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Take in people from a file, with the consent that they gave elsewhere.
    ///
    /// The file is CSV with a head, or a JSON object a line, in UTF-8. `address` is needed (on
    /// Telegram the chat's number, on Messenger the page-scoped id); `language`, `first_name`,
    /// `timezone`, `topics` (with spaces between them), `standing`, `joined` and `consented`
    /// (`2026-11-28`, or with a time in UTC) may be there. `number` counts for nothing, so that
    /// what `export` wrote is read. Nothing is taken in of a file with a mistake. Who is known
    /// already stays as they are, and who stopped, blocked us or was erased comes back only by
    /// themselves: repeating an import does no harm.
    Import(import::Args),
    /// Write all subscribers: CSV, or with `--json` a JSON object a line. `import` reads both.
    Export(export::Args),
    /// Erase somebody: all that is known of them goes, at once and for good. What is left is
    /// counts, and the proof that somebody consented, without who.
    Erase {
        #[command(flatten)]
        who: Who,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Look through the ledger of consents: whether each entry follows the one before. Ends with 1
    /// if it does not hold.
    Consents {
        /// A head that was noted before: whether the ledger still has that entry. Who has noted one
        /// would notice even a ledger that was written anew as a whole.
        #[arg(long, value_name = "HASH")]
        noted: Option<String>,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
}

/// Who is meant, of many.
#[derive(Clone, Debug, clap::Args)]
struct Whom {
    /// Only of this channel.
    #[arg(long, value_name = "CHANNEL", value_parser = Name::parse)]
    channel: Option<Name>,
    /// Only of this topic.
    #[arg(long, value_name = "TOPIC", value_parser = Name::parse)]
    topic: Option<Name>,
    /// Only who is active, stopped, blocked or gone.
    #[arg(long, value_name = "STANDING", value_parser = standing)]
    standing: Option<Standing>,
    /// Only for whom an expression holds, as `audience` of campaigns has them.
    #[arg(long = "where", value_name = "EXPR")]
    rule: Option<String>,
}

impl Whom {
    fn ask(&self, limit: usize, is_export: bool) -> PeopleAsk {
        let Self { channel, topic, standing, rule } = self.clone();
        PeopleAsk { channel, topic, standing, rule, from: None, limit, is_export }
    }
}

#[derive(Clone, Debug, clap::Args)]
struct Who {
    /// The channel's name in the settings.
    #[arg(value_name = "CHANNEL", value_parser = Name::parse)]
    channel: Name,
    /// The address, or `#` and the number that `list` shows.
    #[arg(value_name = "ADDRESS|#NUMBER")]
    who: String,
}

fn standing(text: &str) -> Result<Standing, String> {
    serde_json::from_value(Value::from(text))
        .map_err(|_| format!("there is active, stopped, blocked and gone, and no `{text}`"))
}

pub(super) async fn run(args: Args) -> Done {
    let Args { settings, word } = args;
    match word {
        Word::List { whom, limit, csv, json } => list(&settings, &whom, limit, csv, json).await,
        Word::Show { who, json } => {
            let ask = Ask::Person { channel: who.channel, who: who.who };
            let value = reach::ask(&settings, ask).await?.value;
            if json {
                output::say_json(&value);
            } else {
                show(&value).iter().for_each(|line| output::say(line));
            }
            Ok(())
        }
        Word::Import(args) => import::run(&settings, args).await,
        Word::Export(args) => export::run(&settings, args).await,
        Word::Erase { who, yes, json } => erase(&settings, who, yes, json).await,
        Word::Consents { noted, json } => consents(&settings, noted, json).await,
    }
}

async fn list(settings: &Settings, whom: &Whom, limit: usize, csv: bool, json: bool) -> Done {
    let line = Line::open(settings, Absent::Refuse).await?;
    let mut people = Vec::new();
    let mut asking = Some(whom.ask(limit, false));
    let mut is_cut = false;
    while let Some(ask) = asking.take() {
        let (some, next) = page(&line, &ask).await?;
        people.extend(some);
        is_cut = next.is_some() && people.len() >= limit;
        let left = limit.saturating_sub(people.len());
        asking = next.filter(|_| left > 0).map(|from| PeopleAsk {
            from: Some(from),
            limit: left,
            ..ask
        });
    }
    if json {
        output::say_json(&serde_json::json!({ "subscribers": people, "is_cut": is_cut }));
        return Ok(());
    }
    if csv {
        output::say(&COLUMNS.join(","));
        people.iter().for_each(|person| output::say(&line_of(person)));
    } else if people.is_empty() {
        output::say("nobody");
    } else {
        let mut rows = vec![COLUMNS.map(str::to_owned).to_vec()];
        rows.extend(people.iter().map(export::cells_of));
        output::say(output::table(&rows).trim_end());
    }
    if is_cut {
        output::complain(&format!("these are the first {limit}; `--limit` shows more"));
    }
    Ok(())
}

/// Some people, and where it goes on.
async fn page(line: &Line, ask: &PeopleAsk) -> Result<(Vec<Value>, Option<(Name, u32)>), Failure> {
    let mut answer = line.ask(Ask::People(Box::new(ask.clone()))).await?;
    if let (Some(why), Some(1..)) = (answer["why"].as_str(), answer["unjudged"].as_u64()) {
        output::complain(&format!("{} can't be judged: {why}", answer["unjudged"]));
    }
    let next = serde_json::from_value(answer["next"].take()).ok();
    let people = match answer["subscribers"].take() {
        Value::Array(people) => people,
        _ => Vec::new(),
    };
    Ok((people, next))
}

/// A person in lines.
fn show(person: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, value) in person.as_object().into_iter().flatten() {
        if value.is_null() || matches!(name.as_str(), "consents" | "posts") {
            continue;
        }
        let text = match value {
            Value::Array(all) if all.is_empty() => continue,
            Value::Array(_) => export::words_of(value),
            other => table::text_of(other),
        };
        lines.push(format!("{:<18}{text}", name.replace('_', " ")));
    }
    for consent in person["consents"].as_array().into_iter().flatten() {
        let word = if consent["given"] == true { "yes" } else { "no" };
        let text = |key: &str| consent[key].as_str().unwrap_or_default().to_owned();
        lines.push(format!("{:<18}{}  {word}, by {}", "consent", text("at"), text("way")));
        let words = text("words");
        if !words.is_empty() {
            lines.push(format!("{:<18}  answered with: {}", "", words.replace('\n', " / ")));
        }
        lines.push(format!(
            "{:<18}  entry {} of the ledger, {}",
            "",
            consent["entry"],
            text("sha256")
        ));
    }
    for post in person["posts"].as_array().into_iter().flatten() {
        let text = |key: &str| post[key].as_str().unwrap_or("-").to_owned();
        lines.push(format!(
            "{:<18}{}  {}  {}",
            format!("post {}", post["post"]),
            text("at"),
            text("outcome"),
            text("title")
        ));
    }
    lines
}

async fn erase(settings: &Settings, who: Who, yes: bool, json: bool) -> Done {
    let Who { channel, who } = who;
    if !yes {
        if !io::stdin().is_terminal() {
            return Err(Failure::new(2, "it is for good: say `--yes`"));
        }
        let question = format!("erase `{who}` of {channel} for good? [y/N] ");
        drop(io::stderr().write_all(question.as_bytes()));
        let mut answer = String::new();
        let read = io::stdin().read_line(&mut answer);
        if read.is_err() || !matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
            return Err(Failure::new(1, "nothing was erased"));
        }
    }
    let ask = Ask::Forget { channel: channel.clone(), who: who.clone() };
    let value = reach::ask(settings, ask).await?.value;
    if json {
        output::say_json(&value);
    } else {
        output::say(&format!(
            "`{who}` of {channel} is erased: counts are left, and the proof that somebody consented"
        ));
    }
    Ok(())
}

async fn consents(settings: &Settings, noted: Option<String>, json: bool) -> Done {
    let value = reach::ask(settings, Ask::Audit { noted }).await?.value;
    if json {
        output::say_json(&value);
    } else {
        output::say(&verdict(&value));
    }
    match value["holds"].as_bool() {
        Some(true) => Ok(()),
        _ => Err(Failure::new(1, "")),
    }
}

/// What was found, in one sentence.
fn verdict(value: &Value) -> String {
    let entries = value["entries"].as_u64().unwrap_or(0);
    let head = value["head"].as_str().unwrap_or_default();
    if let Some(why) = value["fault"].as_str() {
        return match value["fault_at"].as_u64() {
            Some(at @ 1..) => format!(
                "the ledger of consents does not hold: entry {at} is not as it was written \
                 ({why}); what is before it is"
            ),
            _ => format!("the ledger of consents does not hold: {why}"),
        };
    }
    let count = output::count(usize::try_from(entries).unwrap_or(usize::MAX), "consent");
    let known = value["of_known_people"].as_u64().unwrap_or(0);
    let noted = match (value["noted"].as_str(), value["noted_at"].as_u64()) {
        (Some(_), Some(at)) => format!(", the noted one is entry {at}"),
        (Some(_), None) => {
            return format!(
                "the ledger of consents does not hold: {count}, each follows the one before, and \
                 none is the noted one"
            );
        }
        _ => String::new(),
    };
    format!(
        "the ledger holds: {count}, each follows the one before, {known} of people who are \
         known{noted}; head {head}"
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_ledgers_verdict_is_one_sentence() {
        let holds = json!({ "entries": 2, "of_known_people": 1, "head": "ab", "fault": null });
        assert_eq!(
            verdict(&holds),
            "the ledger holds: 2 consents, each follows the one before, 1 of people who are \
             known; head ab"
        );
        let mut noted = holds;
        noted["noted"] = json!("cd");
        assert!(verdict(&noted).starts_with("the ledger of consents does not hold"));
        noted["noted_at"] = json!(1);
        assert!(verdict(&noted).contains(", the noted one is entry 1;"));
        let broken = json!({ "entries": 1, "head": "", "fault": "it is not there", "fault_at": 2 });
        assert!(verdict(&broken).contains("entry 2 is not as it was written (it is not there)"));
    }

    #[test]
    fn standings_are_named() {
        assert_eq!(standing("stopped"), Ok(Standing::Stopped));
        assert!(standing("Stopped").is_err());
    }
}
