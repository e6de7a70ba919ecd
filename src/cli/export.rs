//! `tidings export`.

use url::Url;

use crate::cli::{Done, Settings, output, reach};
use crate::extract::opml::{self, Outline};
use crate::model::source::SourceKind;

/// Shown below the options.
const EXAMPLES: &str = "\
Examples:
  tidings export opml > feeds.opml";

/// Give sources to others.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// All feeds of the settings as an OPML list, which feed readers import.
    Opml,
}

pub(super) fn run(args: &Args) -> Done {
    let What::Opml = args.what;
    let setup = reach::load(&args.settings)?;
    let feeds = setup.config.sources.iter().filter(|source| source.kind == SourceKind::Feed);
    let outlines: Vec<Outline> = feeds
        .filter_map(|source| {
            let feed = Url::parse(&source.url).ok()?;
            let title = source.name.to_string();
            Some(Outline { title, feed, page: None, categories: vec![] })
        })
        .collect();
    output::say(opml::write("Sources of tidings", &outlines).trim_end());
    Ok(())
}
