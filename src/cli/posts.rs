//! `tidings posts`.

use serde_json::Value;

use crate::admin::desk::Ask;
use crate::cli::status::counts_line;
use crate::cli::{Done, Settings, output, reach};

/// Shown below the options.
const EXAMPLES: &str = "\
Examples:
  tidings posts --limit 5";

/// The newest posts and what became of them.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    settings: Settings,
    /// How many, newest first.
    #[arg(long, default_value_t = 20)]
    limit: usize,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args) -> Done {
    let answered = reach::ask(&args.settings, Ask::Posts { limit: args.limit }).await?;
    if args.json {
        output::say_json(&answered.value);
        return Ok(());
    }
    let posts = answered.value["posts"].as_array().cloned().unwrap_or_default();
    if posts.is_empty() {
        output::say("no posts yet");
    }
    for post in posts {
        let campaign = post["campaign"].as_str().unwrap_or("by hand");
        output::say(&format!(
            "post {}  {}  {campaign}  {}",
            post["id"],
            post["created"].as_str().unwrap_or("-"),
            post["title"].as_str().unwrap_or(""),
        ));
        output::say(&format!("    {}", counts_line(&post["counts"])));
        if let Some(line) = correction_line(&post["correction"]) {
            output::say(&format!("    {line}"));
        }
        if let Some(why) = post["stopped"].as_str() {
            output::say(&format!("    stopped: {why}"));
        }
        for error in post["errors"].as_array().into_iter().flatten() {
            output::say(&format!("    error: {}", error.as_str().unwrap_or("-")));
        }
    }
    Ok(())
}

/// `corrected 2026-11-28T…: edited 9 of 10, 1 can't be edited`.
fn correction_line(correction: &Value) -> Option<String> {
    let at = correction["at"].as_str()?;
    let count = |key: &str| correction[key].as_u64().unwrap_or(0);
    let (what, done) = match correction["is_deleted"].as_bool() {
        Some(true) => ("taken back", "deleted"),
        _ => ("corrected", "edited"),
    };
    let mut line = format!("{what} {at}: {done} {} of {}", count("edited"), count("wanted"));
    if count("given_up") > 0 {
        line.push_str(&format!(", {} can't be", count("given_up")));
    }
    if let Some(why) = correction["stopped"].as_str() {
        line.push_str(&format!("; stopped: {why}"));
    }
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_correction_tells_how_far_it_is() {
        assert_eq!(correction_line(&Value::Null), None);
        let mut row = serde_json::json!({ "at": "now", "wanted": 10, "edited": 7 });
        assert_eq!(correction_line(&row).unwrap(), "corrected now: edited 7 of 10");
        row["given_up"] = 1.into();
        row["is_deleted"] = true.into();
        assert_eq!(correction_line(&row).unwrap(), "taken back now: deleted 7 of 10, 1 can't be");
    }
}
