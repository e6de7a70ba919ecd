//! `tidings why`.

use serde_json::Value;

use crate::admin::desk::Ask;
use crate::cli::status::counts_line;
use crate::cli::{Done, Settings, output, reach};
use crate::extract::{keys, link};

/// Shown below the options.
const EXAMPLES: &str = "\
Examples:
  tidings why \"Fresh news\"                            what became of it, step by step
  tidings why https://blog.example.com/fresh-news
  tidings why \"Fresh news\" newsbot/123456789          and why they have it, or have it not
  tidings why 5f0c4c1a7e2b9d3860f1a2b3c4d5e6f7 --json";

/// What became of an item, and why somebody has it or has it not.
///
/// Remembered is what a campaign was to tell in the last 90 days.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    settings: Settings,
    /// The item: its address, a part of its title, or its id.
    item: String,
    /// A subscriber, as channel/address (the chat id on Telegram), or the address alone.
    #[arg(allow_negative_numbers = true)]
    subscriber: Option<String>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args) -> Done {
    let Args { settings, item, subscriber, json } = args;
    let link = link::absolute(item.trim()).map(|url| keys::link_key(&url, false));
    let asks_for_one = subscriber.is_some();
    let answered = reach::ask(&settings, Ask::Why { item, link, subscriber }).await?;
    if json {
        output::say_json(&answered.value);
        return Ok(());
    }
    output::say(&show(&answered.value, asks_for_one));
    Ok(())
}

fn show(answer: &Value, asks_for_one: bool) -> String {
    let rows = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let mut lines = Vec::new();
    for known in rows(&answer["known_to"]) {
        lines.push(format!(
            "source `{}` knows it (seen last at {}), and no campaign was to tell it: it was there \
             at the first look, or nothing happened to it that a campaign is on",
            text(&known["source"]),
            text(&known["last_seen"]),
        ));
    }
    let items = rows(&answer["items"]);
    for item in &items {
        let title = item["title"].as_str().filter(|title| !title.is_empty());
        lines.push(format!("{}  {}", title.unwrap_or("(no title)"), text(&item["link"])));
        lines.push(format!("  id {}", text(&item["id"])));
        if items.len() > 1 {
            continue;
        }
        let (seen, source) = (text(&item["first_seen"]), text(&item["source"]));
        lines.push(format!("  {seen}  first seen in source `{source}`"));
        for step in rows(&item["steps"]) {
            lines.push(format!("  {}  {}", text(&step["at"]), text(&step["words"])));
        }
        for post in rows(&item["posts"]) {
            lines.push(format!("post {}: {}", post["id"], counts_line(&post["counts"])));
        }
        for person in rows(&item["people"]) {
            lines.push(format!(
                "{} on {} ({}, joined {}):",
                text(&person["address"]),
                text(&person["channel"]),
                text(&person["standing"]),
                text(&person["joined"]),
            ));
            let posts = rows(&person["posts"]);
            if posts.is_empty() {
                lines.push("  nothing: no post tells this item".to_owned());
            }
            lines.extend(posts.iter().map(|post| format!("  {}", text(&post["words"]))));
            let others = rows(&person["campaigns"]);
            lines.extend(others.iter().map(|one| format!("  {}", text(&one["words"]))));
        }
    }
    if items.len() > 1 {
        let more = if asks_for_one { ", and for this subscriber" } else { "" };
        lines.push(format!("several are called so: name one by its id to see its way{more}"));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_item_is_told_in_full_and_several_are_listed() {
        let item = serde_json::json!({
            "id": "07", "title": "Fresh", "link": "https://e.org/", "source": "blog",
            "first_seen": "then", "steps": [{ "at": "now", "words": "became part of post 3" }],
            "posts": [{ "id": 3, "counts": { "planned": 2, "sent": 2 } }],
            "people": [{ "address": "7", "channel": "bot", "standing": "active", "joined": "once",
                         "posts": [{ "words": "post 3: sent at noon" }] }],
        });
        let one = show(&serde_json::json!({ "items": [item] }), true);
        let expected = "Fresh  https://e.org/\n  id 07\n  then  first seen in source `blog`\n  \
                        now  became part of post 3\npost 3: 2 planned = 2 sent\n7 on bot (active, \
                        joined once):\n  post 3: sent at noon";
        assert_eq!(one, expected);
        let two = show(&serde_json::json!({ "items": [item, item] }), false);
        assert!(two.ends_with("name one by its id to see its way"), "{two}");
        assert!(!two.contains("first seen"), "{two}");
    }
}
