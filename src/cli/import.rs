//! `tidings import`.

use crate::cli::paste::{self, Names, Sketch};
use crate::cli::{Done, EX_DATAERR, Failure, Settings, discover, extract, output};
use crate::extract::opml::{self, Outline};
use crate::model::name::Name;
use crate::model::source::SourceKind;

/// Shown below the options.
const EXAMPLES: &str = "\
Examples:
  tidings import opml subscriptions.opml | less
  tidings import opml subscriptions.opml --write readers   adds feeds.d/readers.toml";

/// Take over sources from elsewhere.
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
    /// The feeds of an OPML list, as feed readers export it: prints the sources as TOML.
    Opml {
        /// Add them to the editors' files, in a new file NAME.toml.
        #[arg(long, value_name = "NAME", value_parser = discover::name)]
        write: Option<Name>,
        /// A file, an http(s) address, or `-` for standard input.
        #[arg(value_name = "FILE|URL|-")]
        file: String,
    },
}

pub(super) async fn run(args: Args) -> Done {
    let What::Opml { write, file } = args.what;
    let loaded = extract::load(&file, None).await?;
    let refused = |why: &dyn std::fmt::Display| Failure::new(EX_DATAERR, format!("{file}: {why}"));
    let outlines = opml::read(&loaded.bytes, loaded.content_type.as_deref())
        .map_err(|error| refused(&error))?;
    if outlines.is_empty() {
        return Err(refused(&"the list names no feed"));
    }
    let known = if write.is_some() { paste::known_names(&args.settings) } else { vec![] };
    let sources = sources(&outlines, known);
    output::complain(&output::count(outlines.len(), "feed"));
    match write {
        Some(name) => paste::write(&args.settings, &name, &sources).map(|_path| ()),
        None => {
            output::say(sources.trim_end());
            Ok(())
        }
    }
}

/// The feeds as sources, under names that are not among `taken` and differ from each other.
fn sources(outlines: &[Outline], taken: Vec<Name>) -> String {
    let mut names = Names::beside(taken);
    let mut out = String::new();
    for outline in outlines {
        let host = outline.feed.host_str().unwrap_or_default();
        let host = host.strip_prefix("www.").unwrap_or(host);
        let titles = [outline.title.as_str(), host];
        let Some(name) = names.make(&titles) else { continue };
        let mut remarks = Vec::new();
        if !outline.title.is_empty() {
            remarks.push(outline.title.clone());
        }
        remarks.extend(outline.page.as_ref().map(ToString::to_string));
        if !outline.categories.is_empty() {
            remarks.push(format!("in: {}", outline.categories.join(", ")));
        }
        let url = outline.feed.to_string();
        let sketch =
            Sketch { name, kind: SourceKind::Feed, format: None, url, every: "30m", remarks };
        out.push_str(&sketch.to_toml());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use url::Url;

    #[test]
    fn feeds_become_sources_with_names_of_their_own() {
        let outline = |title: &str, categories: &[&str]| Outline {
            title: title.into(),
            feed: Url::parse("https://www.e.com/feed").unwrap(),
            page: Url::parse("https://e.com/").ok(),
            categories: categories.iter().map(|name| (*name).to_owned()).collect(),
        };
        let list = [outline("Blog", &["News", "Tech"]), outline("Blog", &[]), outline("", &[])];
        let taken = vec![Name::parse("blog-2").unwrap()];
        assert_eq!(
            sources(&list, taken),
            "# Blog\n# https://e.com/\n# in: News, Tech\n[sources.blog]\nkind = \"feed\"\n\
             url = \"https://www.e.com/feed\"\nevery = \"30m\"\n\n\
             # Blog\n# https://e.com/\n[sources.blog-3]\nkind = \"feed\"\n\
             url = \"https://www.e.com/feed\"\nevery = \"30m\"\n\n\
             # https://e.com/\n[sources.e-com]\nkind = \"feed\"\n\
             url = \"https://www.e.com/feed\"\nevery = \"30m\"\n\n"
        );
    }
}
