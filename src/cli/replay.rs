//! `tidings replay`: a fixed interface, used by others' scripts.

mod catalog;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use url::Url;

use crate::cli::select::Select;
use crate::cli::{Done, EX_DATAERR, EX_UNAVAILABLE, Failure, output};
use crate::diff::{Rules, compare};
use crate::extract::show::id;
use crate::extract::sitemap::{self, Sitemap};
use crate::extract::{Document, Entry, ITEMS_MAX, NotADocument, feed, page};
use crate::model::campaign::ChangeKind;
use crate::model::known::{Keys, Known};
use crate::model::name::Name;
use crate::model::source::PageRules;
use crate::model::time::Timestamp;

/// The versions are taken as an hour apart.
const BETWEEN: Duration = Duration::from_secs(3600);

/// Shown below the options.
const EXAMPLES: &str = "\
Examples:
  tidings replay monday.xml tuesday.xml wednesday.xml
  tidings replay --kind catalog --format merchant shop-*.xml";

/// Take consecutive versions of one document as polls, and print the changes.
///
/// Poll 0 is the baseline. One JSON object a line: `{"poll":1,"change":"new","id":…,"link":…,
/// "title":…}`, for a price that moved also `"from"` and `"to"`; a held flood is
/// `{"poll":1,"held":40,"reason":…}`. A version that can't be read is a failed poll: one line on
/// standard error, and the next is compared with what was known before.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// What to read them as.
    #[arg(long, value_enum, default_value_t = Kind::Feed)]
    kind: Kind,
    #[command(flatten)]
    select: Select,
    #[command(flatten)]
    catalog: super::extract::catalog::Reading,
    /// The address that relative links start from.
    #[arg(long, value_name = "URL", default_value = "http://localhost/")]
    base: Url,
    /// The versions, oldest first.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// The kinds of documents that can be replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    /// RSS, RDF, Atom, JSON Feed.
    Feed,
    /// A page that lists what is new.
    Page,
    /// The products of a shop.
    Catalog,
    /// The addresses of a site.
    Sitemap,
}

pub(super) fn run(args: &Args) -> Done {
    let source = Name::parse("replay").map_err(|error| Failure::new(1, error))?;
    let read = match args.kind {
        Kind::Catalog => catalog::replay(args, &source)?,
        Kind::Feed | Kind::Page | Kind::Sitemap => replay(args, &source)?,
    };
    match read {
        0 => Err(Failure::new(EX_DATAERR, "no version could be read")),
        _ => Ok(()),
    }
}

/// Answers how many versions could be read.
fn replay(args: &Args, source: &Name) -> Result<usize, Failure> {
    let rules = args.select.rules()?;
    let mut known: Option<Known> = None;
    let mut read = 0;
    for (poll, file) in args.files.iter().enumerate() {
        let bytes = std::fs::read(file).map_err(|error| unavailable(file, &error))?;
        let document = match entries(args, &rules, &bytes) {
            Ok(document) => document,
            Err(error) => {
                failed(poll, file, &error);
                continue;
            }
        };
        read += 1;
        let keys: Vec<Keys> = document.entries.iter().map(|entry| entry.keys).collect();
        let dates: Vec<Option<Timestamp>> =
            document.entries.iter().map(|entry| entry.published.or(entry.updated)).collect();
        let now = instant(poll);
        let diff = compare(&keys, &dates, known.as_ref(), &Rules::default(), now);
        if let Some(held) = &diff.held {
            tell_held(poll, held.items, &held.reason);
        }
        let is_held = diff.held.is_some();
        for change in &diff.changes {
            let Some(entry) = document.entries.get(change.index) else { continue };
            // What is held is told once, by its number.
            if is_held && change.kind == ChangeKind::New {
                continue;
            }
            let entry = Entry { keys: change.keys, ..entry.clone() };
            output::say(&change_json(poll, change.kind, entry, source, now).to_string());
        }
        tell_remark(poll, diff.remark.as_deref());
        known = diff.known.or(known);
    }
    Ok(read)
}

fn entries(args: &Args, rules: &PageRules, bytes: &[u8]) -> Result<Document, NotADocument> {
    match args.kind {
        Kind::Page => page::read(bytes, None, &args.base, rules, ITEMS_MAX),
        Kind::Sitemap => match sitemap::read(bytes, None, &args.base, sitemap::URLS_MAX)? {
            Sitemap::Urls { document, .. } => Ok(document),
            Sitemap::Index { .. } => {
                Err(NotADocument::Unfit("it names other sitemaps, and no addresses".into()))
            }
        },
        Kind::Feed | Kind::Catalog => feed::read(bytes, None, &args.base),
    }
}

/// When a poll is taken to have been.
fn instant(poll: usize) -> Timestamp {
    Timestamp::from_millis(0) + BETWEEN * u32::try_from(poll).unwrap_or(u32::MAX)
}

fn change_json(
    poll: usize,
    kind: ChangeKind,
    entry: Entry,
    source: &Name,
    now: Timestamp,
) -> Value {
    let item = entry.into_item(source, now);
    json!({
        "poll": poll,
        "change": kind,
        "id": id(&item),
        "link": item.link,
        "title": item.title,
    })
}

fn tell_held(poll: usize, items: u32, reason: &str) {
    output::say(&json!({ "poll": poll, "held": items, "reason": reason }).to_string());
}

fn tell_remark(poll: usize, remark: Option<&str>) {
    if let Some(remark) = remark {
        output::complain(&format!("poll {poll}: {remark}"));
    }
}

fn failed(poll: usize, file: &Path, error: &dyn std::fmt::Display) {
    output::complain(&format!("poll {poll}: {}: {error}", file.display()));
}

fn unavailable(file: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(EX_UNAVAILABLE, format!("{}: {error}", file.display()))
}
