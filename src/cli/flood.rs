//! `tidings flood`.

use crate::admin::desk::Ask;
use crate::cli::{Done, Failure, Settings, output, reach};
use crate::model::name::Name;
use crate::store::FloodWord;

/// Shown below the options.
const EXAMPLES: &str = "\
Examples:
  tidings flood list
  tidings flood newest -n 2 blog   send the two newest, take the rest as known";

/// A poll with implausibly much that is new is held instead of sent: say what becomes of it.
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
    /// List what is held, and why.
    List {
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Send all that was kept of the source's held polls.
    Release(Of),
    /// Send only the newest items.
    Newest {
        /// How many.
        #[arg(long, short = 'n', default_value_t = 3)]
        count: u32,
        #[command(flatten)]
        of: Of,
    },
    /// Send nothing: take everything as known.
    Known(Of),
}

#[derive(Debug, clap::Args)]
struct Of {
    /// The source whose polls are held.
    source: String,
}

pub(super) async fn run(args: Args) -> Done {
    let Args { settings, word } = args;
    match word {
        Word::List { json } => list(&settings, json).await,
        Word::Release(of) => answer(&settings, &of, FloodWord::Release).await,
        Word::Newest { count, of } => answer(&settings, &of, FloodWord::Newest(count)).await,
        Word::Known(of) => answer(&settings, &of, FloodWord::Known).await,
    }
}

async fn list(settings: &Settings, json: bool) -> Done {
    let answered = reach::ask(settings, Ask::Floods).await?;
    if json {
        output::say_json(&answered.value);
        return Ok(());
    }
    let floods = answered.value["floods"].as_array().cloned().unwrap_or_default();
    if floods.is_empty() {
        output::say("nothing is held");
    }
    for flood in floods {
        let cell = |key: &str| flood[key].as_str().unwrap_or("-").to_owned();
        output::say(&format!(
            "{}  {}  {}  {} {}: {}",
            cell("source"),
            cell("campaign"),
            cell("since"),
            flood["items"],
            cell("kind"),
            cell("reason"),
        ));
    }
    Ok(())
}

async fn answer(settings: &Settings, of: &Of, word: FloodWord) -> Done {
    let source = Name::parse(&of.source).map_err(|error| Failure::new(1, error))?;
    let answered = reach::ask(settings, Ask::Flood { source, word }).await?;
    match answered.value["drafts"].as_u64() {
        Some(0) | None => Err(Failure::new(1, format!("nothing of `{}` is held", of.source))),
        Some(drafts) => {
            output::say(&format!("{}: {drafts} held drafts answered", of.source));
            Ok(())
        }
    }
}
