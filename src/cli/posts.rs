//! `tidings posts`.

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
        if let Some(why) = post["stopped"].as_str() {
            output::say(&format!("    stopped: {why}"));
        }
        for error in post["errors"].as_array().into_iter().flatten() {
            output::say(&format!("    error: {}", error.as_str().unwrap_or("-")));
        }
    }
    Ok(())
}
