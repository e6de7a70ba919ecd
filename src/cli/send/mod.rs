//! `tidings send`.

mod parts;

mod stages;

use std::time::Duration;

use jiff::tz::TimeZone;

use crate::admin::desk::Ask;
use crate::cli::send::stages::StageArgs;
use crate::cli::{Done, Failure, Settings, audience, output, reach};
use crate::model::audience::{LateJoiners, Whom};
use crate::model::control::Priority;
use crate::model::message::Button;
use crate::model::moment::Moment;
use crate::model::name::Name;
use crate::model::one_off::{OneOff, button};
use crate::model::zone::Zone;
use crate::runtime::clock::Clock;

/// Shown below the options.
const EXAMPLES: &str = "\
Examples:
  tidings send --text \"We are back.\" --topic news --dry-run
  tidings send --text \"Doors open at nine.\" --button \"Map=https://example.com/map\" \\
      --at \"2026-12-01 09:00 Europe/Bucharest\"
  tidings send --layout article --title \"We moved\" --text \"…\" --link https://example.com/moved
  tidings send --text \"…\" --audience \"language == 'ro' and 'shoes' in topics\" --dry-run
  tidings send --text \"…\" --stages 1%,10%,100% --stage-wait 2h
  tidings posts list                     what waits for its time";

/// How long a time may be past that still means now.
const JUST_PAST: Duration = Duration::from_secs(60);

/// Send a post written by hand to subscribers and chats, now or later.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    settings: Settings,
    /// The words, plain; line breaks stay.
    #[arg(long, value_name = "TEXT",
          required_unless_present_any = ["html", "html_file", "layout"])]
    text: Option<String>,
    /// The words as HTML (b, i, a, lists …).
    #[arg(long, value_name = "HTML", conflicts_with_all = ["text", "html_file"])]
    html: Option<String>,
    /// A file with the words as HTML; `-` reads it from standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "text")]
    html_file: Option<String>,
    /// Set it in this layout, as an item of the title, the words, the picture and the link; or the
    /// items that `--item` names.
    #[arg(long, value_name = "NAME", value_parser = name)]
    layout: Option<Name>,
    /// The item's title, for layouts; of a post without one, what listings call it.
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// Where the item leads, for layouts.
    #[arg(long, value_name = "URL", requires = "layout")]
    link: Option<String>,
    /// A kept item to set in the layout: its id, its guid or its address; several may be given.
    #[arg(long = "item", value_name = "ID", requires = "layout",
          conflicts_with_all = ["text", "html", "html_file", "image", "link"])]
    items: Vec<String>,
    /// A picture above the words.
    #[arg(long, value_name = "URL")]
    image: Option<String>,
    /// A button below them, as `Label=https://…`; several make several.
    #[arg(long = "button", value_name = "LABEL=URL", value_parser = button,
          conflicts_with = "layout")]
    buttons: Vec<Button>,
    /// Only subscribers of this topic; several may be given. Default: everybody.
    #[arg(long = "topic", value_name = "TOPIC", value_parser = name)]
    topics: Vec<Name>,
    /// Only this channel; several may be given. Default: all.
    #[arg(long = "channel", value_name = "CHANNEL", value_parser = name)]
    channels: Vec<Name>,
    /// Only subscribers for whom this holds, such as `language == 'ro'`; see docs/campaigns.md.
    #[arg(long, value_name = "EXPR")]
    audience: Option<String>,
    /// Also this chat: `@name`, a chat's number, either with `/` and a topic behind it, or with the
    /// channel and `/` in front of it; several may be given.
    #[arg(long = "chat", value_name = "CHAT", allow_hyphen_values = true)]
    chats: Vec<String>,
    /// Whether people who subscribe while it is on its way get it: skip or include.
    #[arg(long, value_name = "POLICY", default_value = "skip", value_parser = late_joiners)]
    late_joiners: LateJoiners,
    /// low, normal, high, or a number from 0 to 100: more goes first on its channel.
    #[arg(long, value_name = "PRIORITY", value_parser = Priority::parse, default_value = "normal")]
    priority: Priority,
    /// When, as `2026-12-01 09:00`, with a time zone behind it if not that of the settings.
    #[arg(long, value_name = "\"DATE TIME [ZONE]\"")]
    at: Option<String>,
    #[command(flatten)]
    stages: StageArgs,
    /// Say how many would get it and why others would not, and send nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args) -> Done {
    let stages = args.stages.stages()?;
    let setup = reach::load(&args.settings)?;
    let zone = setup.config.days.zone();
    let at = args.at.as_deref().map(|text| moment(text, &zone)).transpose()?;
    let (title, says) = parts::says(&args, &setup).await?;
    let channels = parts::channels(&args, &setup);
    let whom = Whom {
        chats: parts::chats(&args.chats, &channels, &setup)?,
        topics: args.topics,
        channels: args.channels,
        rule: args.audience.filter(|rule| rule.trim() != "true"),
        late_joiners: args.late_joiners,
    };
    let (priority, file) = (args.priority, None);
    let post = Box::new(OneOff { title, says, whom, priority, stages, file });
    let instant = at.as_ref().map(|moment| moment.at);
    let ask = Ask::Send { post, at: instant, is_dry_run: args.dry_run };
    let answered = reach::ask(&args.settings, ask).await?;
    if let Some(remark) = at.as_ref().and_then(Moment::remark) {
        output::complain(&remark);
    }
    if args.json {
        output::say_json(&answered.value);
        return Ok(());
    }
    let recipients: Vec<String> = answered.value["recipients"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(channel, count)| format!("{count} on {channel}"))
        .collect();
    let whom = recipients.join(", ");
    let when = by_clock(at.as_ref(), answered.value["at"].as_str().unwrap_or("now"));
    if args.dry_run {
        output::say(&format!("would go to {whom}, at {when}"));
        audience::tell(&answered.value);
        return Ok(());
    }
    output::say(&format!("kept as draft {}: to {whom}, at {when}", answered.value["draft"]));
    if !answered.is_by_daemon {
        output::complain("no daemon is running: it goes out when one does");
    }
    Ok(())
}

/// The instant of `--at`, which is not past; by the clocks of the settings where it names none.
pub(super) fn moment(text: &str, zone: &Zone) -> Result<Moment, Failure> {
    let wrong =
        |why: String, hint: &str| Failure::new(2, format!("`--at {text}`: {why}\n  hint: {hint}"));
    let usual = "write it as \"2026-12-01 09:00 Europe/Bucharest\"";
    let clocks = zone.clocks().unwrap_or(TimeZone::UTC);
    let moment = Moment::parse(text, &clocks).map_err(|error| wrong(error.to_string(), usual))?;
    let now = Clock::system().now();
    if moment.at + JUST_PAST < now {
        let why = format!("{} ({moment}) is past: it is {now} now", moment.at);
        return Err(wrong(why, "without `--at` it is sent at once"));
    }
    Ok(moment)
}

/// An instant as it was written, with its zone: `2026-12-01 09:00 Europe/Bucharest
/// (2026-12-01T07:00:00Z)`.
pub(super) fn by_clock(meant: Option<&Moment>, instant: &str) -> String {
    match meant.filter(|moment| moment.local != instant) {
        Some(moment) => format!("{moment} ({instant})"),
        None => instant.to_owned(),
    }
}

fn name(text: &str) -> Result<Name, String> {
    Name::parse(text).map_err(|error| error.to_string())
}

fn late_joiners(text: &str) -> Result<LateJoiners, String> {
    match text {
        "skip" => Ok(LateJoiners::Skip),
        "include" => Ok(LateJoiners::Include),
        _ => Err("it is `skip` or `include`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_is_past_is_told() {
        let read = |text: &str| moment(text, &Zone::exactly("Asia/Tokyo").unwrap());
        let words = |text: &str| read(text).unwrap_err().words;
        assert!(words("2020-12-01 09:00 Europe/Bucharest").contains("is past"));
        assert!(words("tomorrow").contains("hint"));
        assert!(words("2036-12-01 09:00 Mars/Olympus").contains("no time zone `Mars/Olympus`"));
        for (text, told) in [
            ("2036-12-01 09:00", "2036-12-01 09:00 Asia/Tokyo (2036-12-01T00:00:00Z)"),
            (
                "2036-12-01 09:00 Europe/Bucharest",
                "2036-12-01 09:00 Europe/Bucharest (2036-12-01T07:00:00Z)",
            ),
            ("2036-12-01T09:00:00+02:00", "2036-12-01T07:00:00Z"),
        ] {
            let moment = read(text).unwrap();
            assert_eq!(by_clock(Some(&moment), &moment.at.to_string()), told);
        }
    }
}
