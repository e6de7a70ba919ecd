//! `tidings events`.

use crate::admin::desk::Ask;
use crate::cli::{Done, Settings, output, reach};
use crate::model::event::EventWord;

/// Shown below the options.
const EXAMPLES: &str = "\
Examples:
  tidings events list
  tidings events retry 1734        answer it again
  tidings events drop              forget all that were put aside";

/// Most events of one listing.
const LISTED: usize = 1_000;

/// What people did and could not be answered: each was tried three times and then put aside, so
/// that everybody else is answered. Say what becomes of it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    settings: Settings,
    /// Print one JSON object.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    word: Word,
}

#[derive(Debug, clap::Subcommand)]
enum Word {
    /// List them, and what went wrong.
    List,
    /// Answer them again.
    Retry(Of),
    /// Forget them.
    Drop(Of),
}

#[derive(Debug, clap::Args)]
struct Of {
    /// Their numbers in the listing; none: all.
    #[arg(value_name = "EVENT")]
    events: Vec<u64>,
}

pub(super) async fn run(args: Args) -> Done {
    let Args { settings, json, word } = args;
    match word {
        Word::List => list(&settings, json).await,
        Word::Retry(of) => obey(&settings, json, of, EventWord::Retry).await,
        Word::Drop(of) => obey(&settings, json, of, EventWord::Drop).await,
    }
}

async fn list(settings: &Settings, json: bool) -> Done {
    let answered = reach::ask(settings, Ask::Events { limit: LISTED }).await?;
    if json {
        output::say_json(&answered.value);
        return Ok(());
    }
    let events = answered.value["events"].as_array().cloned().unwrap_or_default();
    if events.is_empty() {
        output::say("every event was answered or waits for its turn");
        return Ok(());
    }
    let cell = |text: &str| text.to_owned();
    let head = ["EVENT", "CHANNEL", "FROM", "DEED", "AT", "TRIES", "WHY"];
    let mut rows = vec![head.map(cell).to_vec()];
    for event in &events {
        let text = |key: &str| event[key].as_str().unwrap_or("-").to_owned();
        rows.push(vec![
            event["event"].to_string(),
            text("channel"),
            text("address"),
            text("deed"),
            text("at"),
            event["tries"].to_string(),
            text("why"),
        ]);
    }
    output::say(output::table(&rows).trim_end());
    Ok(())
}

async fn obey(settings: &Settings, json: bool, of: Of, word: EventWord) -> Done {
    let answered = reach::ask(settings, Ask::Event { events: of.events, word }).await?;
    if json {
        output::say_json(&answered.value);
        return Ok(());
    }
    let count = answered.value["events"].as_u64().unwrap_or(0);
    let done = match word {
        EventWord::Retry => "to be answered again",
        EventWord::Drop => "forgotten",
    };
    output::say(&format!("{count} {done}"));
    Ok(())
}
