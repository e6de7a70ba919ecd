//! `tidings replay`: a fixed interface, used by others' scripts.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use url::Url;

use crate::cli::{Done, EX_DATAERR, EX_UNAVAILABLE, Failure, output};
use crate::diff::{Rules, compare};
use crate::extract::show::id;
use crate::extract::{Entry, feed};
use crate::model::campaign::ChangeKind;
use crate::model::known::{Keys, Known};
use crate::model::name::Name;
use crate::model::time::Timestamp;

/// The versions are taken as an hour apart.
const BETWEEN: Duration = Duration::from_secs(3600);

/// Shown below the options.
const EXAMPLES: &str = "\
Examples:
  tidings replay monday.xml tuesday.xml wednesday.xml";

/// Take consecutive versions of one document as polls, and print the changes.
///
/// Poll 0 is the baseline. One JSON object a line: `{"poll":1,"change":"new","id":…,"link":…,
/// "title":…}`; a held flood is `{"poll":1,"held":40,"reason":…}`. A version that is no feed is a
/// failed poll: one line on standard error, and the next is compared with what was known before.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// What to read them as.
    #[arg(long, value_enum, default_value_t = super::extract::Kind::Feed)]
    kind: super::extract::Kind,
    /// The address that relative links start from.
    #[arg(long, value_name = "URL", default_value = "http://localhost/")]
    base: Url,
    /// The versions, oldest first.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

pub(super) fn run(args: &Args) -> Done {
    if args.kind != super::extract::Kind::Feed {
        return Err(Failure::new(2, "only feeds are replayed"));
    }
    let source = Name::parse("replay").map_err(|error| Failure::new(1, error))?;
    let mut known: Option<Known> = None;
    let mut failed = 0_usize;
    for (poll, file) in args.files.iter().enumerate() {
        let bytes = std::fs::read(file).map_err(|error| {
            Failure::new(EX_UNAVAILABLE, format!("{}: {error}", file.display()))
        })?;
        let document = match feed::read(&bytes, None, &args.base) {
            Ok(document) => document,
            Err(error) => {
                output::complain(&format!("poll {poll}: {}: {error}", file.display()));
                failed += 1;
                continue;
            }
        };
        let keys: Vec<Keys> = document.entries.iter().map(|entry| entry.keys).collect();
        let dates: Vec<Option<Timestamp>> =
            document.entries.iter().map(|entry| entry.published.or(entry.updated)).collect();
        let now = Timestamp::from_millis(0) + BETWEEN * u32::try_from(poll).unwrap_or(u32::MAX);
        let diff = compare(&keys, &dates, known.as_ref(), &Rules::default(), now);
        if let Some(held) = &diff.held {
            output::say(
                &json!({ "poll": poll, "held": held.items, "reason": held.reason }).to_string(),
            );
        }
        let is_held = diff.held.is_some();
        for change in &diff.changes {
            let Some(entry) = document.entries.get(change.index) else { continue };
            // What is held is told once, by its number.
            if is_held && change.kind == ChangeKind::New {
                continue;
            }
            let item = Entry { keys: change.keys, ..entry.clone() }.into_item(&source, now);
            let row = json!({
                "poll": poll,
                "change": change.kind,
                "id": id(&item),
                "link": item.link,
                "title": item.title,
            });
            output::say(&row.to_string());
        }
        if let Some(remark) = &diff.remark {
            output::complain(&format!("poll {poll}: {remark}"));
        }
        known = diff.known.or(known);
    }
    if failed == args.files.len() {
        return Err(Failure::new(EX_DATAERR, "no version could be read"));
    }
    Ok(())
}
