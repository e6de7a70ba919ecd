//! `tidings send`.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::admin::desk::Ask;
use crate::cli::{Done, Failure, Settings, output, reach};
use crate::model::message::{Action, Button, Medium, Message, Module};
use crate::model::name::Name;
use crate::model::rich::RichText;
use crate::model::time::Timestamp;

/// Shown below the options.
const EXAMPLES: &str = "\
Examples:
  tidings send --text \"We are back.\" --topic news --dry-run
  tidings send --text \"Doors open at nine.\" --button \"Map=https://example.com/map\" \\
      --at \"2026-12-01 09:00 Europe/Bucharest\"";

/// Send a message written by hand to the subscribers of topics, now or later.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    settings: Settings,
    /// The words, plain; line breaks stay.
    #[arg(long, value_name = "TEXT", required_unless_present = "html", conflicts_with = "html")]
    text: Option<String>,
    /// The words as HTML (b, i, a, lists …).
    #[arg(long, value_name = "HTML")]
    html: Option<String>,
    /// A picture above the words.
    #[arg(long, value_name = "URL")]
    image: Option<String>,
    /// A button below them, as `Label=https://…`; several make several.
    #[arg(long = "button", value_name = "LABEL=URL", value_parser = button)]
    buttons: Vec<Button>,
    /// Only subscribers of this topic; several may be given. Default: everybody.
    #[arg(long = "topic", value_name = "TOPIC", value_parser = name)]
    topics: Vec<Name>,
    /// Only this channel; several may be given. Default: all.
    #[arg(long = "channel", value_name = "CHANNEL", value_parser = name)]
    channels: Vec<Name>,
    /// When, as `2026-12-01 09:00`, with a time zone behind it if not the machine's own.
    #[arg(long, value_name = "\"DATE TIME [ZONE]\"")]
    at: Option<String>,
    /// Say how many would get it, and send nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args) -> Done {
    let (title, message) = message(&args)?;
    let at = match args.at.as_deref() {
        Some(text) => Some(instant(text).map_err(|error| Failure::new(2, error))?),
        None => None,
    };
    let ask = Ask::Send {
        title,
        message,
        topics: args.topics,
        channels: args.channels,
        at,
        is_dry_run: args.dry_run,
    };
    let answered = reach::ask(&args.settings, ask).await?;
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
    let when = answered.value["at"].as_str().unwrap_or("now");
    if args.dry_run {
        output::say(&format!("would go to {whom}, at {when}"));
        return Ok(());
    }
    output::say(&format!("kept as draft {}: to {whom}, at {when}", answered.value["draft"]));
    if !answered.is_by_daemon {
        output::complain("no daemon is running: it goes out when one does");
    }
    Ok(())
}

fn message(args: &Args) -> Result<(String, Message), Failure> {
    let text = match (&args.text, &args.html) {
        (Some(text), _) => RichText::from_plain(text),
        (None, Some(html)) => crate::markup::rich(html, None),
        (None, None) => RichText::default(),
    };
    let plain = text.plain();
    let title = plain.lines().next().unwrap_or("").to_owned();
    let mut modules = Vec::new();
    if let Some(image) = &args.image {
        let url = web_address(image).map_err(|error| Failure::new(2, error))?;
        modules.push(Module::Media(Medium::image(&url, &title)));
    }
    if text.is_empty() {
        return Err(Failure::new(2, "there are no words to send"));
    }
    modules.push(Module::Text { text, buttons: args.buttons.clone() });
    Ok((title, Message::from(modules)))
}

fn name(text: &str) -> Result<Name, String> {
    Name::parse(text).map_err(|error| error.to_string())
}

fn button(text: &str) -> Result<Button, String> {
    let (label, url) = text.split_once('=').ok_or("write it as LABEL=https://…")?;
    if label.trim().is_empty() {
        return Err("the label is empty".to_owned());
    }
    let url = web_address(url)?;
    Ok(Button::new(label.trim(), Action::Open { url }))
}

fn web_address(text: &str) -> Result<String, String> {
    let url = url::Url::parse(text.trim()).map_err(|error| format!("`{text}`: {error}"))?;
    match url.scheme() {
        "http" | "https" => Ok(url.into()),
        other => Err(format!("`{text}`: only http and https can be sent, not `{other}`")),
    }
}

/// `2026-12-01 09:00`, `2026-12-01T09:00:30 Europe/Bucharest`.
fn instant(text: &str) -> Result<Timestamp, String> {
    let bad = |why: &dyn std::fmt::Display| {
        format!("`--at {text}`: {why}\n  hint: write it as \"2026-12-01 09:00 Europe/Bucharest\"")
    };
    let text = text.trim();
    let (stamp, zone) = match text.rsplit_once(' ') {
        Some((stamp, zone)) if zone.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            (stamp, TimeZone::get(zone).map_err(|error| bad(&error))?)
        }
        _ => (text, TimeZone::system()),
    };
    let civil: DateTime = stamp.trim().parse().map_err(|error| bad(&error))?;
    let zoned = zone.to_ambiguous_timestamp(civil).compatible().map_err(|error| bad(&error))?;
    Ok(Timestamp::from_jiff(zoned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_in_its_zone() {
        let at = instant("2026-12-01 09:00 Europe/Bucharest").unwrap();
        assert_eq!(at.to_string(), "2026-12-01T07:00:00Z");
        let skipped = instant("2026-03-29 03:30 Europe/Bucharest").unwrap();
        assert_eq!(skipped.to_string(), "2026-03-29T01:30:00Z", "a skipped hour moves on");
        assert!(instant("tomorrow").unwrap_err().contains("hint"));
        assert!(instant("2026-12-01 09:00 Mars/Olympus").is_err());
    }

    #[test]
    fn a_button_is_a_label_and_a_web_address() {
        let read = button("Read more=https://example.com/a?b=c").unwrap();
        assert_eq!(read.label, "Read more");
        assert_eq!(read.action, Action::Open { url: "https://example.com/a?b=c".into() });
        assert!(button("x=javascript:alert(1)").is_err());
        assert!(button("no address").is_err());
    }
}
