//! `tidings poll`.

use serde_json::Value;

use crate::admin::desk::Ask;
use crate::cli::{Done, Failure, Settings, output, reach};
use crate::model::name::Name;

/// Shown below the options.
const EXAMPLES: &str = "\
Examples:
  tidings poll blog            one source, now
  tidings poll --all --dry-run";

/// Poll sources now, once, and say what came of it. What is new goes its usual way.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["sources", "all"]))]
pub(super) struct Args {
    #[command(flatten)]
    settings: Settings,
    /// The sources to poll.
    #[arg(value_name = "SOURCE", value_parser = name)]
    sources: Vec<Name>,
    /// All of them.
    #[arg(long)]
    all: bool,
    /// Fetch and compare, and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args) -> Done {
    let ask = Ask::Poll { sources: args.sources, is_dry_run: args.dry_run };
    let answered = reach::ask(&args.settings, ask).await?;
    let polls = answered.value["polls"].as_array().cloned().unwrap_or_default();
    let failed = polls.iter().filter(|poll| poll["outcome"] == "failed").count();
    if args.json {
        output::say_json(&answered.value);
    } else {
        show(&polls);
    }
    if failed > 0 {
        return Err(Failure::new(1, format!("{failed} of {} polls failed", polls.len())));
    }
    Ok(())
}

fn show(polls: &[Value]) {
    for poll in polls {
        let source = poll["source"].as_str().unwrap_or("?");
        let count = |key: &str| poll[key].as_u64().unwrap_or(0);
        let remark = poll["remark"].as_str();
        let line = match (poll["outcome"].as_str(), remark) {
            (Some("failed"), why) => format!("{source}: failed: {}", why.unwrap_or("no reason")),
            (Some("unchanged"), _) => format!("{source}: unchanged"),
            (_, remark) => format!(
                "{source}: {}, {} new, {} updated, {}{} held{}{}",
                counted(count("items"), "item", "items"),
                count("new"),
                count("updated"),
                of_products(poll),
                count("held"),
                match count("filtered") {
                    0 => String::new(),
                    filtered => format!(", {filtered} not wanted"),
                },
                remark.map(|remark| format!(" ({remark})")).unwrap_or_default(),
            ),
        };
        output::say(&line);
    }
}

/// What happened to products, each followed by a comma; what did not happen is left out.
fn of_products(poll: &Value) -> String {
    let counts = [
        ("price_drops", "price drop", "price drops"),
        ("price_rises", "price rise", "price rises"),
        ("back_in_stock", "back in stock", "back in stock"),
        ("out_of_stock", "out of stock", "out of stock"),
        ("gone", "gone", "gone"),
    ];
    let told = counts.iter().filter_map(|(key, one, more)| {
        let count = poll[*key].as_u64().filter(|count| *count > 0)?;
        Some(format!("{}, ", counted(count, one, more)))
    });
    told.collect()
}

fn counted(count: u64, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

fn name(text: &str) -> Result<Name, String> {
    Name::parse(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_not_many() {
        let poll = serde_json::json!({ "price_drops": 1, "price_rises": 2, "gone": 0 });
        assert_eq!(of_products(&poll), "1 price drop, 2 price rises, ");
    }
}
