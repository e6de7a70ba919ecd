//! `tidings preview`.

use crate::cli::extract::load;
use crate::cli::{Done, EX_DATAERR, Failure, Settings, output, reach};
use crate::daemon::Setup;
use crate::extract::feed;
use crate::model::channel::ChannelKind;
use crate::model::item::Item;
use crate::model::name::Name;
use crate::model::post::Told;
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
    let place = args.from.or_else(|| {
        let source = campaign.and_then(|campaign| campaign.sources.first())?;
        let source = setup.config.sources.iter().find(|one| one.name == *source)?;
        Some(source.url.to_string())
    });
    let item = match place {
        Some(place) => newest(&place).await?,
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

async fn newest(place: &str) -> Result<Item, Failure> {
    let loaded = load(place, None).await?;
    let document = feed::read(&loaded.bytes, loaded.content_type.as_deref(), &loaded.base)
        .map_err(|error| Failure::new(EX_DATAERR, format!("{place}: {error}")))?;
    let epoch = Timestamp::from_millis(0);
    // Of items without dates the first is the newest: `max_by_key` keeps the last of equals.
    let entry = document
        .entries
        .into_iter()
        .rev()
        .max_by_key(|entry| entry.published.or(entry.updated).unwrap_or(epoch))
        .ok_or_else(|| Failure::new(EX_DATAERR, format!("{place}: the feed has no item")))?;
    let source = Name::parse("preview").map_err(|error| Failure::new(1, error))?;
    let now = crate::runtime::clock::Clock::system().now();
    Ok(entry.into_item(&source, now))
}

fn kind(text: &str) -> Result<ChannelKind, String> {
    match text {
        "telegram" => Ok(ChannelKind::Telegram),
        "messenger" => Ok(ChannelKind::Messenger),
        _ => Err("there is `telegram` and `messenger`".to_owned()),
    }
}
