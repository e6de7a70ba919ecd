//! `tidings channel`.

use crate::admin::desk::Ask;
use crate::cli::{Done, Failure, Settings, output, reach};
use crate::model::name::Name;
use crate::model::pacing::ChannelWord;

/// Shown below the options.
const EXAMPLES: &str = "\
Examples:
  tidings channel pause page --reason \"Meta asked us to\"
  tidings channel resume page";

/// Stop everything on a channel, or let it go on.
///
/// A Messenger page that the service has blocked for its conduct is paused by itself, and goes on
/// only by this word (or when the service says that the block is over). `tidings status` tells why.
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
    /// Send nothing more, neither posts nor answers; what is on its way arrives.
    Pause {
        #[command(flatten)]
        of: Of,
        /// Why, for the listing.
        #[arg(long, value_name = "TEXT", default_value = "by hand")]
        reason: String,
    },
    /// Go on.
    Resume(Of),
}

#[derive(Debug, clap::Args)]
struct Of {
    /// The channel's name in the settings.
    #[arg(value_name = "CHANNEL")]
    channel: String,
}

pub(super) async fn run(args: Args) -> Done {
    let Args { settings, json, word } = args;
    let (of, word, done) = match word {
        Word::Pause { of, reason } => (of, ChannelWord::Halt { why: reason }, "paused"),
        Word::Resume(of) => (of, ChannelWord::Resume, "goes on"),
    };
    let channel = Name::parse(&of.channel)
        .map_err(|error| Failure::new(2, format!("`{}`: {error}", of.channel)))?;
    let ask = Ask::Channel { channel: channel.clone(), word };
    let answered = reach::ask(&settings, ask).await?;
    if json {
        output::say_json(&answered.value);
    } else {
        output::say(&format!("channel {channel}: {done}"));
        if !answered.is_by_daemon {
            output::complain("no daemon is running: it counts when one does");
        }
    }
    Ok(())
}
