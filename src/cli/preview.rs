//! `tidings preview`.

mod chosen;

mod ready;

mod wanted;

mod written;

use serde_json::{Value, json};
use url::Url;

use crate::cli::extract::load;
use crate::cli::preview::chosen::{Chosen, choose};
use crate::cli::{Done, EX_DATAERR, Failure, Settings, output, reach};
use crate::daemon::Setup;
use crate::extract::sitemap::{self, Sitemap};
use crate::extract::{Entry, ITEMS_MAX, NotADocument, catalog, feed, page};
use crate::model::channel::ChannelKind;
use crate::model::item::Item;
use crate::model::name::Name;
use crate::model::post::Told;
use crate::model::source::{Source, SourceKind};
use crate::model::time::Timestamp;
use crate::model::zone::Zone;
use crate::preview::{Heading, Shown, text};
use crate::render::{Person, Scene, Stage};

/// Shown below the options.
const EXAMPLES: &str = "\
Examples:
  tidings preview blog-posts                    a campaign, with its newest item
  tidings preview weekly --newest 5 --open      five items in one message, in the browser
  tidings preview article --language ro         a layout
  tidings preview greeting --reader Ana         a layout that names its reader, for one
  tidings preview --post opening                a post of posts/opening.toml, or a draft: d7
  tidings preview welcome --language ro         what people are told by itself: also goodbye,
                                                default-reply, reminder
  tidings preview article --from feed.xml --channel telegram";

/// Show how a campaign or a layout looks on each channel, before anybody else sees it.
///
/// What is shown is what would be sent: cut where the channel cuts, with its albums, captions,
/// buttons and carousels. The items are the newest that were kept; where none was kept yet, the
/// newest of the campaign's first source is fetched now, and a layout is shown with an example.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    settings: Settings,
    /// A campaign's or a layout's name; or `welcome`, `goodbye`, `default-reply`, `reminder`.
    #[arg(required_unless_present = "post")]
    name: Option<String>,
    /// Show a post written by hand: of this file, or the draft of one that waits for its time.
    #[arg(long, value_name = "NAME|dN", conflicts_with_all = ["name", "item", "from", "newest"])]
    post: Option<String>,
    /// Show this kept item: its id, its guid or its address.
    #[arg(long, value_name = "ID", conflicts_with_all = ["from", "newest"])]
    item: Option<String>,
    /// Show so many of the newest items, in one message.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=100))]
    newest: Option<u16>,
    /// The document whose newest item is shown: a file, an address, or `-`.
    #[arg(long, value_name = "FILE|URL|-")]
    from: Option<String>,
    /// Only this channel, or this kind of channel: `telegram`, `messenger`.
    #[arg(long, value_name = "NAME|KIND")]
    channel: Option<String>,
    /// The reader's language, such as `ro`.
    #[arg(long)]
    language: Option<String>,
    /// The reader's first name, for layouts that greet with `subscriber.first_name`.
    #[arg(long, value_name = "NAME")]
    reader: Option<String>,
    /// The reader's time zone, for layouts that name `subscriber.timezone`: `Europe/Rome`, `+05:30`.
    #[arg(long, value_name = "ZONE", value_parser = zone)]
    timezone: Option<Zone>,
    /// Write a page for the browser that looks like the two apps; `-` prints it.
    #[arg(long, value_name = "FILE")]
    html: Option<String>,
    /// Write that page to a temporary file, and open it.
    #[arg(long)]
    open: bool,
    /// Print one JSON object: the items, and the calls of each kind of channel.
    #[arg(long, conflicts_with_all = ["html", "open"])]
    json: bool,
}

pub(super) async fn run(args: Args) -> Done {
    let setup = reach::load(&args.settings)?;
    let reader = Person {
        language: args.language.clone(),
        first_name: args.reader.clone(),
        timezone: args.timezone.as_ref().map(|zone| zone.as_str().to_owned()),
        ..Person::default()
    };
    if let Some(ready) = ready::find(&args, &setup, &reader).await? {
        if args.json {
            output::say_json(&ready.to_json(&args));
            return Ok(());
        }
        output::complain(&ready.about);
        return print(&args, &ready.name, &ready.about, &ready.shown);
    }
    let name = args.name.as_deref().unwrap_or_default();
    let name = Name::parse(name).map_err(|error| Failure::new(1, error))?;
    let campaign = setup.config.campaigns.iter().find(|campaign| campaign.name == name);
    let layout = match campaign {
        Some(campaign) => &campaign.layout,
        None if setup.layouts.has(&name) => &name,
        None => return Err(unknown(&setup, &name)),
    };
    let channels = campaign.map(|campaign| &campaign.channels[..]);
    let kinds = kinds_of(&setup, channels, args.channel.as_deref())?;
    let chosen = choose(&args, &setup, campaign, layout).await?;
    let judged = wanted::judge(campaign, &chosen.items);
    let shown = set(&setup, &name, layout, &kinds, &chosen.items, &reader)?;
    if args.json {
        let mut value = as_json(&args, layout, &chosen, &shown);
        let row =
            |(item, rule): &(&Item, String)| json!({ "id": item.id.to_string(), "rule": rule });
        value["filtered"] = judged.unwanted.iter().map(row).collect();
        value["depends_on_price"] = judged.open.iter().map(row).collect();
        output::say_json(&value);
        return Ok(());
    }
    output::complain(&chosen.about());
    for (item, rule) in &judged.unwanted {
        output::complain(&format!("`{name}` would not send `{}`: {rule}", item.title));
    }
    for (item, rule) in &judged.open {
        let title = &item.title;
        output::complain(&format!(
            "whether `{name}` sends `{title}` depends on how its price moves: {rule}"
        ));
    }
    print(&args, name.as_str(), &chosen.about(), &shown)
}

/// In the terminal, or as a page.
fn print(args: &Args, name: &str, about: &str, shown: &[Shown]) -> Done {
    if args.html.is_some() || args.open {
        let about = match &args.language {
            Some(language) => format!("{about} · {language}"),
            None => about.to_owned(),
        };
        let now = crate::runtime::clock::Clock::system().now();
        let heading = Heading { name, about: &about, now };
        let page = crate::preview::page(&heading, shown);
        return written::write(&page, args.html.as_deref(), args.open);
    }
    for one in shown {
        output::say(&format!("── {} ──", one.kind.as_str()));
        output::say(&text(one, output::width(), output::has_colour()));
    }
    Ok(())
}

/// The items in the layout, as each kind of channel sends them.
fn set(
    setup: &Setup,
    name: &Name,
    layout: &Name,
    kinds: &[ChannelKind],
    items: &[Item],
    reader: &Person,
) -> Result<Vec<Shown>, Failure> {
    let campaign = setup.config.campaigns.iter().find(|campaign| campaign.name == *name);
    let told: Vec<Told> = items
        .iter()
        .map(|item| match campaign.and_then(|campaign| campaign.on.first()) {
            Some(kind) => Told { item: item.id, kind: *kind, price: None },
            None => Told { item: item.id, ..crate::render::sample::told() },
        })
        .collect();
    let now = crate::runtime::clock::Clock::system().now();
    let scene = Scene { campaign: name, told: &told, now };
    let stage = Stage::new(&items.into(), &scene);
    let language = reader.language.as_deref();
    let set = |kind: &ChannelKind| {
        let message = setup
            .layouts
            .render_on(&stage, layout, *kind, language, Some(reader))
            .map_err(|error| Failure::new(1, error))?;
        Ok(Shown::of(*kind, &message, items))
    };
    kinds.iter().map(set).collect()
}

fn zone(text: &str) -> Result<Zone, String> {
    Zone::read(text)
        .ok_or_else(|| "no such time zone; for example Europe/Rome or +05:30".to_owned())
}

/// The kinds that are asked for; else those of the channels that it goes to; of a layout, both.
fn kinds_of(
    setup: &Setup,
    own: Option<&[Name]>,
    asked: Option<&str>,
) -> Result<Vec<ChannelKind>, Failure> {
    let channels = &setup.config.channels;
    let mut kinds = vec![ChannelKind::Telegram, ChannelKind::Messenger];
    if let Some(asked) = asked {
        let of_channel = channels.iter().find(|channel| channel.name.as_str() == asked);
        let kind = of_channel.map(crate::config::Channel::kind);
        let kind = kind.or_else(|| kinds.iter().copied().find(|kind| kind.as_str() == asked));
        return kind.map(|kind| vec![kind]).ok_or_else(|| {
            let names: Vec<&str> = channels.iter().map(|channel| channel.name.as_str()).collect();
            let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            let why = format!("no channel `{asked}`");
            Failure::new(1, format!("{why}\n  hint: channels: {names}; kinds: telegram, messenger"))
        });
    }
    if let Some(own) = own {
        kinds.retain(|kind| {
            channels.iter().any(|channel| own.contains(&channel.name) && channel.kind() == *kind)
        });
    }
    Ok(kinds)
}

fn as_json(args: &Args, layout: &Name, chosen: &Chosen, shown: &[Shown]) -> Value {
    let items: Vec<Value> = chosen
        .items
        .iter()
        .map(|item| {
            json!({
                "id": item.id.to_string(),
                "source": item.source,
                "title": item.title,
                "link": item.link,
            })
        })
        .collect();
    json!({
        "name": args.name,
        "layout": layout,
        "language": args.language,
        "from": chosen.origin.as_str(),
        "items": items,
        "shown": shown.iter().map(Shown::to_json).collect::<Vec<_>>(),
    })
}

fn unknown(setup: &Setup, name: &Name) -> Failure {
    let list = |names: Vec<String>| if names.is_empty() { "none".into() } else { names.join(", ") };
    let campaigns = setup.config.campaigns.iter().map(|one| one.name.to_string()).collect();
    let layouts = setup.layouts.names().iter().map(ToString::to_string).collect();
    Failure::new(
        1,
        format!(
            "no campaign or layout `{name}`\n  hint: campaigns: {}; layouts: {}",
            list(campaigns),
            list(layouts)
        ),
    )
}

/// Where a source's document is, as [`load`] takes it.
fn place_of(source: &Source) -> String {
    match &source.local {
        Some(local) => local.path.display().to_string(),
        None => Url::parse(&source.url).map_or_else(
            |_| source.url.to_string(),
            |url| catalog::first_page(source.format, &url).to_string(),
        ),
    }
}

/// The newest items of the document at `place`, read as `source` would read it; of a catalog, which
/// dates nothing, the first one. Without a source it is a feed. Never empty.
async fn newest(place: &str, source: Option<&Source>, count: usize) -> Result<Vec<Item>, Failure> {
    let found: Vec<Entry> = match source {
        Some(source) if source.kind == SourceKind::Catalog => {
            crate::cli::extract::catalog::first(place, source).await?.into_iter().collect()
        }
        source => newest_of(entries(place, source).await?, count),
    };
    if found.is_empty() {
        return Err(Failure::new(EX_DATAERR, format!("{place}: there is no item")));
    }
    let source = Name::parse("preview").map_err(|error| Failure::new(1, error))?;
    let now = crate::runtime::clock::Clock::system().now();
    Ok(found.into_iter().map(|entry| entry.into_item(&source, now)).collect())
}

async fn entries(place: &str, source: Option<&Source>) -> Result<Vec<Entry>, Failure> {
    let loaded = load(place, None).await?;
    let (bytes, content_type, base) = (&loaded.bytes, loaded.content_type.as_deref(), &loaded.base);
    let read = match source.map(|source| source.kind) {
        Some(SourceKind::Page) => {
            let rules = source.and_then(|source| source.select.as_deref().cloned());
            page::read(bytes, content_type, base, &rules.unwrap_or_default(), ITEMS_MAX)
        }
        Some(SourceKind::Sitemap) => {
            match sitemap::read(bytes, content_type, base, sitemap::URLS_MAX) {
                Ok(Sitemap::Urls { document, .. }) => Ok(document),
                Ok(Sitemap::Index { .. }) => {
                    let why = "it names other sitemaps: show one of them with `--from`";
                    Err(NotADocument::Unfit(why.to_owned()))
                }
                Err(why) => Err(why),
            }
        }
        _ => feed::read(bytes, content_type, base),
    };
    let document = read.map_err(|error| Failure::new(EX_DATAERR, format!("{place}: {error}")))?;
    Ok(document.entries)
}

/// The newest first; entries without dates keep their order, behind those that have one.
fn newest_of(mut entries: Vec<Entry>, count: usize) -> Vec<Entry> {
    let epoch = Timestamp::from_millis(0);
    entries
        .sort_by_key(|entry| std::cmp::Reverse(entry.published.or(entry.updated).unwrap_or(epoch)));
    entries.truncate(count);
    entries
}
