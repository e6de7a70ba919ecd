//! `tidings preview`.

use url::Url;

use crate::cli::extract::load;
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
use crate::render::{Scene, preview};

/// Shown below the options.
const EXAMPLES: &str = "\
Examples:
  tidings preview blog-posts                    a campaign, with its newest item
  tidings preview article --language ro         a layout, with an example
  tidings preview article --from feed.xml --channel telegram";

/// Show how a campaign or a layout looks on each channel, before anybody else sees it.
///
/// A campaign is shown with the newest item of its first source, fetched now and not kept; a
/// layout with an example item. `--from` takes the item of another document.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    settings: Settings,
    /// A campaign's or a layout's name.
    name: String,
    /// The document whose newest item is shown: a file, an address, or `-`.
    #[arg(long, value_name = "FILE|URL|-")]
    from: Option<String>,
    /// Only this kind of channel.
    #[arg(long, value_parser = kind, value_name = "telegram|messenger")]
    channel: Option<ChannelKind>,
    /// The reader's language, such as `ro`.
    #[arg(long)]
    language: Option<String>,
}

pub(super) async fn run(args: Args) -> Done {
    let setup = reach::load(&args.settings)?;
    let name = Name::parse(&args.name).map_err(|error| Failure::new(1, error))?;
    let campaign = setup.config.campaigns.iter().find(|campaign| campaign.name == name);
    let layout = match campaign {
        Some(campaign) => &campaign.layout,
        None if setup.layouts.has(&name) => &name,
        None => return Err(unknown(&setup, &name)),
    };
    let source = campaign.and_then(|campaign| campaign.sources.first());
    let source = setup.config.sources.iter().find(|one| source == Some(&one.name));
    let item = match args.from.or_else(|| source.map(place_of)) {
        Some(place) => newest(&place, source).await?,
        None => crate::render::sample::sample(layout),
    };
    let mut kinds = vec![ChannelKind::Telegram, ChannelKind::Messenger];
    if let Some(campaign) = campaign {
        kinds.retain(|kind| {
            setup
                .config
                .channels
                .iter()
                .any(|channel| campaign.channels.contains(&channel.name) && channel.kind() == *kind)
        });
    }
    kinds.retain(|kind| args.channel.is_none_or(|only| only == *kind));
    let now = crate::runtime::clock::Clock::system().now();
    let told = match campaign.and_then(|campaign| campaign.on.first()) {
        Some(kind) => Told { item: item.id, kind: *kind, price: None },
        None => crate::render::sample::told(),
    };
    let scene = Scene { campaign: &name, told: &[told], now };
    for kind in kinds {
        let message = setup
            .layouts
            .render(layout, kind, args.language.as_deref(), std::slice::from_ref(&item), &scene)
            .map_err(|error| Failure::new(1, error))?;
        output::say(&format!("── {} ──", kind.as_str()));
        output::say(&preview(&message, output::width(), output::has_colour()));
    }
    Ok(())
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

/// The newest item of the document at `place`, read as `source` would read it; of a catalog, which
/// dates nothing, the first. Without a source it is a feed.
async fn newest(place: &str, source: Option<&Source>) -> Result<Item, Failure> {
    let entry = match source {
        Some(source) if source.kind == SourceKind::Catalog => {
            crate::cli::extract::catalog::first(place, source).await?
        }
        source => newest_of(entries(place, source).await?),
    };
    let entry =
        entry.ok_or_else(|| Failure::new(EX_DATAERR, format!("{place}: there is no item")))?;
    let source = Name::parse("preview").map_err(|error| Failure::new(1, error))?;
    let now = crate::runtime::clock::Clock::system().now();
    Ok(entry.into_item(&source, now))
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

/// Of entries without dates the first is the newest: `max_by_key` keeps the last of equals.
fn newest_of(entries: Vec<Entry>) -> Option<Entry> {
    let epoch = Timestamp::from_millis(0);
    let date = |entry: &Entry| entry.published.or(entry.updated).unwrap_or(epoch);
    entries.into_iter().rev().max_by_key(date)
}

fn kind(text: &str) -> Result<ChannelKind, String> {
    match text {
        "telegram" => Ok(ChannelKind::Telegram),
        "messenger" => Ok(ChannelKind::Messenger),
        _ => Err("there is `telegram` and `messenger`".to_owned()),
    }
}
