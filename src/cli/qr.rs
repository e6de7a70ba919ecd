//! `tidings qr`.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::channel::telegram::api::{Client, Settings as BotSettings};
use crate::channel::wire::EXCHANGE_TIME_MAX;
use crate::cli::{Done, EX_IOERR, EX_UNAVAILABLE, Failure, Settings, output, reach};
use crate::config::{Channel, Config, Secrets, Service, is_unread};
use crate::daemon::Setup;
use crate::invite::qr::Code;
use crate::invite::{Colour, Cover, Way};
use crate::model::name::Name;
use crate::model::origin::Origin;
use crate::model::start;

/// What a cover says that is told nothing.
const COVER_TITLE: &str = "Get the news";
const COVER_HINT: &str = "Scan the code with your phone.";

/// Shown below the options.
const EXAMPLES: &str = "\
Examples:
  tidings qr                                      all topics, every channel, in the terminal
  tidings qr news --channel newsbot --out news.svg
  tidings qr news offers --channel page --png > poster.png
  tidings qr news --channel newsbot --group       the bot joins a group that the reader chooses
  tidings qr news --tag spring-flyer              tells later how many came by this flyer
  tidings qr news --channel page --cover cover.svg    a cover picture with title and code
  tidings qr news --json                          the links alone";

/// Make the links and QR codes that people subscribe by.
///
/// Whoever opens the link, or scans the code, is in the chat and subscribes to the topics by its
/// start button. In a terminal the codes are drawn; elsewhere the links are printed, one a line.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    settings: Settings,
    /// The topics that the link is for; none: all that there are when it is used.
    #[arg(value_name = "TOPIC")]
    topics: Vec<String>,
    /// Of this channel only; may be given several times. Default: of all.
    #[arg(long, value_name = "NAME")]
    channel: Vec<String>,
    /// What the link says of where it will stand: a name, such as `spring-flyer`. It is kept with who
    /// comes by it first.
    #[arg(long, value_name = "TAG", value_parser = Origin::parse)]
    tag: Option<Origin>,
    /// A link by which a Telegram bot joins a group.
    #[arg(long)]
    group: bool,
    /// As an SVG, for print.
    #[arg(long, conflicts_with = "png")]
    svg: bool,
    /// As a PNG.
    #[arg(long)]
    png: bool,
    /// Write to this file, whose ending says how: `.svg` or `.png`.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write a cover picture (1640 by 624) with the code: `.svg` with a title, `.png` without, for
    /// words to be put on it elsewhere.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["svg", "png", "out"])]
    cover: Option<PathBuf>,
    /// What stands on the cover. Default: the only topic's title.
    #[arg(long, requires = "cover", value_name = "TEXT")]
    title: Option<String>,
    /// The cover's colour, such as `#0a7fb5`.
    #[arg(long, requires = "cover", value_name = "COLOUR", value_parser = Colour::parse)]
    colour: Option<Colour>,
    /// Print the links as one JSON object.
    #[arg(long, conflicts_with_all = ["svg", "png", "out", "cover"])]
    json: bool,
}

/// How a code is drawn in a file.
#[derive(Clone, Copy)]
enum Form {
    Svg,
    Png,
}

/// A link and whose it is.
struct Link {
    channel: Name,
    service: &'static str,
    address: String,
}

pub(super) async fn run(args: Args) -> Done {
    let setup = settings_for_links(&args.settings)?;
    let config = &setup.config;
    let known = || config.topics.keys().map(Name::as_str).collect::<Vec<_>>();
    let topics = args
        .topics
        .iter()
        .map(|topic| {
            let found = config.topics.get_key_value(topic.as_str());
            found.map(|(name, _)| name.clone()).ok_or_else(|| unknown("topic", topic, &known()))
        })
        .collect::<Result<Vec<Name>, Failure>>()?;
    let form = form(&args)?;
    let channels = channels(config, &args)?;
    if form.is_some() && channels.len() != 1 {
        let names: Vec<&str> = channels.iter().map(|it| it.name.as_str()).collect();
        let words = format!(
            "a file holds the code of one channel\n  hint: --channel {}",
            names.join(" or ")
        );
        return Err(Failure::new(2, words));
    }
    let mut links = Vec::new();
    let mut failures = Vec::new();
    for channel in channels {
        match link(channel, &topics, &args).await {
            Ok(link) => links.push(link),
            Err(failure) => failures.push(failure),
        }
    }
    // What is wrong with one channel keeps nobody from the links of the others.
    let told = if links.is_empty() { Ok(()) } else { tell(&args, config, &topics, &links) };
    let Some(first) = failures.first() else { return told };
    let words: Vec<&str> = failures.iter().map(|failure| failure.words.as_str()).collect();
    told.and(Err(Failure::new(first.code, words.join("\n"))))
}

/// The settings, with the secrets if the name of a bot has to be asked for.
pub(super) fn settings_for_links(settings: &Settings) -> Result<Setup, Failure> {
    let setup = reach::load(settings)?;
    let is_nameless =
        |channel: &Channel| matches!(channel.service, Service::Telegram { username: None, .. });
    match setup.config.channels.iter().any(is_nameless) {
        true => reach::load_with(settings, Secrets::LookedAt),
        false => Ok(setup),
    }
}

/// Writes or shows the links.
fn tell(args: &Args, config: &Config, topics: &[Name], links: &[Link]) -> Done {
    let form = form(args)?;
    if args.json {
        output::say_json(&json!({
            "topics": topics,
            "payload": start::payload(topics, args.tag.as_ref()),
            "links": links.iter().map(|link| json!({
                "channel": link.channel,
                "service": link.service,
                "link": link.address,
            })).collect::<Vec<_>>(),
        }));
        return Ok(());
    }
    if let (Some(form), Some(path), [link]) = (form, &args.cover, links) {
        if let (Form::Png, Some(_)) = (form, &args.title) {
            output::complain("a cover that is a PNG has no title: write it as an `.svg`");
        }
        let only = match topics {
            [only] => config.topics.get(only).map(|title| title.default.as_str()),
            _ => None,
        };
        let title = args.title.as_deref().or(only).unwrap_or(COVER_TITLE);
        let code = code(link)?;
        let cover = Cover { title, hint: COVER_HINT, colour: args.colour, code: &code };
        let bytes = match form {
            Form::Svg => cover.svg().into_bytes(),
            Form::Png => cover.png().map_err(|error| Failure::new(1, error))?,
        };
        return save(path, &bytes, link);
    }
    match (form, links) {
        (Some(form), [link]) => write(&code(link)?, form, args.out.as_deref(), link),
        _ if std::io::stdout().is_terminal() => draw(links),
        _ => {
            links.iter().for_each(|link| output::say(&link.address));
            Ok(())
        }
    }
}

fn unknown(what: &str, given: &str, known: &[&str]) -> Failure {
    let hint = match known {
        [] => format!("the settings have no {what}"),
        known => format!("the settings have {}", known.join(", ")),
    };
    Failure::new(2, format!("there is no {what} `{given}`\n  hint: {hint}"))
}

fn channels<'a>(config: &'a Config, args: &Args) -> Result<Vec<&'a Channel>, Failure> {
    let known: Vec<&str> = config.channels.iter().map(|it| it.name.as_str()).collect();
    if let Some(stranger) = args.channel.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(unknown("channel", stranger, &known));
    }
    let is_meant = |channel: &&Channel| {
        args.channel.is_empty() || args.channel.iter().any(|name| name == channel.name.as_str())
    };
    let meant = config.channels.iter().filter(is_meant);
    let is_telegram = |channel: &&Channel| matches!(channel.service, Service::Telegram { .. });
    let meant: Vec<&Channel> = match args.group {
        true if args.channel.is_empty() => meant.filter(is_telegram).collect(),
        _ => meant.collect(),
    };
    match meant.is_empty() {
        true => Err(Failure::new(1, "the settings have no channel that has such links")),
        false => Ok(meant),
    }
}

/// How a file is to be written; `None` for none.
fn form(args: &Args) -> Result<Option<Form>, Failure> {
    let ending = args.out.as_deref().or(args.cover.as_deref());
    let ending = ending.and_then(Path::extension).and_then(|it| it.to_str());
    match (args.svg, args.png, args.out.as_ref().or(args.cover.as_ref())) {
        (true, _, _) => Ok(Some(Form::Svg)),
        (_, true, _) => Ok(Some(Form::Png)),
        (_, _, None) => Ok(None),
        (_, _, Some(_)) => match ending.map(str::to_ascii_lowercase).as_deref() {
            Some("svg") => Ok(Some(Form::Svg)),
            Some("png") => Ok(Some(Form::Png)),
            _ => Err(Failure::new(
                2,
                "the file's name ends in neither `.svg` nor `.png`\n  hint: say which with --svg or --png",
            )),
        },
    }
}

/// Where the people of a channel write.
pub(super) async fn way(channel: &Channel) -> Result<Way, Failure> {
    Ok(match &channel.service {
        Service::Messenger { page_id, .. } => Way::Messenger { page: page_id.clone() },
        Service::Telegram { username: Some(bot), .. } => Way::Telegram { bot: bot.clone() },
        Service::Telegram { .. } => Way::Telegram { bot: ask(channel).await? },
    })
}

async fn link(channel: &Channel, topics: &[Name], args: &Args) -> Result<Link, Failure> {
    let name = &channel.name;
    let way = way(channel).await?;
    let address = match args.group {
        false => way.chat(topics, args.tag.as_ref()),
        true => way.group(topics, args.tag.as_ref()).ok_or_else(|| {
            Failure::new(2, format!("channel {name}: links to groups are Telegram's alone"))
        })?,
    };
    let address = address.map_err(|error| Failure::new(2, format!("channel {name}: {error}")))?;
    Ok(Link { channel: name.clone(), service: way.kind().as_str(), address })
}

/// What the bot is called, from Telegram itself.
async fn ask(channel: &Channel) -> Result<String, Failure> {
    let Service::Telegram { token, .. } = &channel.service else {
        return Err(Failure::new(1, format!("channel {}: is no bot", channel.name)));
    };
    let unasked = |error: &dyn std::fmt::Display| {
        let (name, hint) = (&channel.name, "write `username = \"…\"` there, and nobody is asked");
        let words = format!("channel {name}: the bot's name could not be asked for: {error}");
        Failure::new(EX_UNAVAILABLE, format!("{words}\n  hint: {hint}"))
    };
    if is_unread(token) {
        return Err(unasked(&"its token is not here"));
    }
    let settings =
        BotSettings { api: channel.api.clone(), token: token.clone(), time_max: EXCHANGE_TIME_MAX };
    let client = Client::new(settings).map_err(|error| unasked(&error))?;
    client.me().await.map(|me| me.username).map_err(|error| unasked(&error))
}

fn code(link: &Link) -> Result<Code, Failure> {
    Code::of(&link.address).map_err(|error| Failure::new(2, error))
}

fn write(code: &Code, form: Form, out: Option<&Path>, link: &Link) -> Done {
    let bytes = match form {
        Form::Svg => code.svg_file().into_bytes(),
        Form::Png => code.png().map_err(|error| Failure::new(1, error))?,
    };
    match out {
        Some(path) => return save(path, &bytes, link),
        None if matches!(form, Form::Png) && std::io::stdout().is_terminal() => {
            let words = "a terminal shows no PNG\n  hint: --out FILE, or nothing to have it drawn";
            return Err(Failure::new(2, words));
        }
        // A reader that has gone away is no fault.
        None => drop(std::io::stdout().lock().write_all(&bytes)),
    }
    Ok(())
}

fn save(path: &Path, bytes: &[u8], link: &Link) -> Done {
    std::fs::write(path, bytes)
        .map_err(|error| Failure::new(EX_IOERR, format!("{}: {error}", path.display())))?;
    output::complain(&format!("{}: {}", path.display(), link.address));
    Ok(())
}

fn draw(links: &[Link]) -> Done {
    for (at, link) in links.iter().enumerate() {
        let code = code(link)?;
        if at > 0 {
            output::say("");
        }
        output::say(&format!("{} ({})", link.channel, link.service));
        code.lines(output::has_colour()).iter().for_each(|line| output::say(line));
        output::say(&link.address);
    }
    Ok(())
}
