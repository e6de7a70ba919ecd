//! `tidings status`.

use serde_json::Value;

use crate::admin::desk::Ask;
use crate::cli::{Done, Failure, Settings, output, reach};

/// Shown below the options.
const EXAMPLES: &str = "\
Examples:
  tidings status
  tidings status --check > /dev/null || echo \"tidings is ill\"
  tidings status --json | jq '.sources[] | select(.failure)'";

/// A source that fails so often in a row is ill: once is nothing.
const FAILURES_MIN: u64 = 3;

/// Most groups and channels of one bot that are shown.
const CHATS_MAX: usize = 20;

/// How sources, channels and deliveries stand.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    settings: Settings,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    /// End with 1 when something is ill, and say what: no daemon runs, a channel does not send or
    /// hear, a source fails for the third time, an event could not be answered, a poll is held, or
    /// changed settings were refused.
    #[arg(long)]
    check: bool,
}

pub(super) async fn run(args: Args) -> Done {
    let answered = reach::ask(&args.settings, Ask::Status).await?;
    if args.json {
        output::say_json(&answered.value);
    } else {
        let daemon = if answered.is_by_daemon { "running" } else { "not running" };
        output::say(&format!("daemon: {daemon}\n"));
        output::say(&show(&answered.value));
    }
    let ill = ills(&answered.value, answered.is_by_daemon);
    match args.check && !ill.is_empty() {
        true => Err(Failure::new(1, ill.join("\n"))),
        false => Ok(()),
    }
}

/// What somebody should look after, a line each.
fn ills(status: &Value, is_by_daemon: bool) -> Vec<String> {
    let named = |key: &str| status[key].as_object().cloned().unwrap_or_default();
    let mut ill = Vec::new();
    if !is_by_daemon {
        ill.push("no daemon is running".to_owned());
    }
    ill.extend(refused(status));
    for (name, channel) in named("channels") {
        let trouble =
            channel["paused"].as_str().or_else(|| channel["reception"]["trouble"].as_str());
        ill.extend(trouble.map(|why| format!("channel {name}: {why}")));
    }
    for (name, source) in named("sources") {
        let failures = source["failures"].as_u64().unwrap_or(0);
        if failures >= FAILURES_MIN {
            let why = source["failure"].as_str().unwrap_or("it failed");
            ill.push(format!("source {name}: {why} ({failures} times in a row)"));
        }
    }
    for flood in status["floods"].as_array().into_iter().flatten() {
        ill.push(format!("source {}: a poll is held", flood["source"].as_str().unwrap_or("?")));
    }
    if let Some(aside) = status["events_aside"].as_u64().filter(|aside| *aside > 0) {
        ill.push(format!("{aside} events could not be answered"));
    }
    ill
}

/// That the settings in force are not the newest.
fn refused(status: &Value) -> Option<String> {
    let refused = status["settings_refused"].as_object()?;
    let problems = refused.get("problems").and_then(Value::as_u64).unwrap_or(0);
    let at = refused.get("at").and_then(Value::as_str).unwrap_or("-");
    let count = output::count(usize::try_from(problems).unwrap_or(usize::MAX), "problem");
    Some(format!("settings changed at {at} were refused: {count}; `tidings check` tells them"))
}

fn show(status: &Value) -> String {
    let mut out = refused(status).map_or_else(String::new, |words| format!("{words}\n\n"));
    let mut rows = vec![row(&["SOURCE", "STATE", "ITEMS", "LAST GOOD POLL", "DUE", "NOTE"])];
    for (name, source) in status["sources"].as_object().into_iter().flatten() {
        let note = source["failure"].as_str().or_else(|| source["remark"].as_str());
        rows.push(row(&[
            name,
            source["state"].as_str().unwrap_or("-"),
            &text(&source["items"]),
            source["succeeded"].as_str().unwrap_or("-"),
            source["due"].as_str().unwrap_or("now"),
            note.unwrap_or(""),
        ]));
    }
    out.push_str(&output::table(&rows));
    out.push('\n');
    let mut rows = vec![row(&["CHANNEL", "KIND", "ACTIVE", "STOPPED", "BLOCKED", "GONE", "NOTE"])];
    for (name, channel) in status["channels"].as_object().into_iter().flatten() {
        let people = |standing: &str| text(&channel["subscribers"][standing]);
        let spent = channel["marketing"]["spent_in_period"].as_str();
        let note = note(channel);
        let note = match spent.filter(|_| channel["marketing"]["messages"] != 0) {
            Some(spent) => format!("{note} marketing: {spent} spent in this period"),
            None => note,
        };
        rows.push(row(&[
            name,
            channel["kind"].as_str().unwrap_or("-"),
            &people("active"),
            &people("stopped"),
            &people("blocked"),
            &people("gone"),
            note.trim(),
        ]));
    }
    out.push_str(&output::table(&rows));
    for (name, channel) in status["channels"].as_object().into_iter().flatten() {
        for chat in channel["chats"].as_array().into_iter().flatten().take(CHATS_MAX) {
            let may = if chat["may_post"] == true { "may write" } else { "may not write" };
            out.push_str(&format!(
                "{name} {may} in {} {} {}\n",
                chat["kind"].as_str().unwrap_or("chat"),
                chat["address"].as_str().unwrap_or("-"),
                chat["title"].as_str().unwrap_or(""),
            ));
        }
    }
    let counts = &status["deliveries"];
    out.push_str(&format!(
        "\nposts under way: {}   drafts waiting: {}   events waiting: {}\n",
        text(&status["posts_unfinished"]),
        text(&status["drafts_waiting"]),
        text(&status["events_waiting"]),
    ));
    out.push_str(&format!("deliveries: {}\n", counts_line(counts)));
    if status["watches"].as_u64().unwrap_or(0) > 0 {
        out.push_str(&format!(
            "watched: {} times a product; see `tidings watches list`\n",
            status["watches"]
        ));
    }
    if status["reviews_waiting"].as_u64().unwrap_or(0) > 0 {
        out.push_str(&format!(
            "to be looked at: {} drafts; see `tidings posts waiting`\n",
            status["reviews_waiting"]
        ));
    }
    if status["events_aside"].as_u64().unwrap_or(0) > 0 {
        out.push_str(&format!(
            "could not be answered: {} events; see `tidings events list`\n",
            status["events_aside"]
        ));
    }
    for flood in status["floods"].as_array().into_iter().flatten() {
        let source = flood["source"].as_str().unwrap_or("?");
        out.push_str(&format!(
            "held: {} of `{source}`; answer with `tidings flood release|newest|known {source}`\n",
            flood["reason"].as_str().unwrap_or("a flood"),
        ));
    }
    for post in status["posts_by_clock"].as_array().into_iter().flatten() {
        let words = post["words"].as_str().unwrap_or("-");
        out.push_str(&format!("waits for its readers' hour: post {}: {words}\n", post["id"]));
    }
    for post in status["posts_paused"].as_array().into_iter().flatten() {
        out.push_str(&format!(
            "paused: post {}: {}; go on with `tidings posts resume {}`\n",
            post["id"],
            post["paused"].as_str().unwrap_or("-"),
            post["id"],
        ));
    }
    out.truncate(out.trim_end().len());
    out
}

/// What is out of the ordinary of a channel.
fn note(channel: &Value) -> String {
    let mut notes = Vec::new();
    if let Some(why) = channel["paused"].as_str() {
        let goes_on = match channel["halted"].is_object() {
            true => "; it goes on by `tidings channel resume`",
            false => "",
        };
        notes.push(format!("paused: {why}{goes_on}"));
    } else if let Some(until) = channel["quiet_until"].as_str() {
        notes.push(format!("asked to wait until {until}"));
    }
    if let Some(rate) = channel["pace"]["per_second"].as_f64() {
        let refused = &channel["pace"]["refused_per_second"];
        notes.push(format!("{rate} a second, since {refused} were refused"));
    }
    if let Some(trouble) = channel["reception"]["trouble"].as_str() {
        notes.push(trouble.to_owned());
    }
    if let Some(pending) = channel["reception"]["pending"].as_u64().filter(|pending| *pending > 0) {
        notes.push(format!("{pending} updates wait at the service"));
    }
    if let Some(spent) = channel["stars"]["spent_today"].as_f64() {
        notes.push(format!("{spent} Stars spent today"));
    }
    notes.join("; ")
}

/// `12 planned = 10 sent + 1 failed + 1 held`: what is zero is left out but the plan.
pub(super) fn counts_line(counts: &Value) -> String {
    let parts: Vec<String> =
        ["sent", "failed", "skipped", "held", "uncertain", "waiting", "in_flight"]
            .iter()
            .filter(|key| counts[**key].as_u64().is_some_and(|count| count > 0))
            .map(|key| format!("{} {}", counts[*key], key.replace('_', " ")))
            .collect();
    let sum = if parts.is_empty() { "nothing yet".to_owned() } else { parts.join(" + ") };
    format!("{} planned = {sum}", text(&counts["planned"]))
}

fn row(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|cell| (*cell).to_owned()).collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "0".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_read_as_a_sum() {
        let counts = serde_json::json!({ "planned": 12, "sent": 10, "held": 2, "failed": 0 });
        assert_eq!(counts_line(&counts), "12 planned = 10 sent + 2 held");
        let none = serde_json::json!({ "planned": 0 });
        assert_eq!(counts_line(&none), "0 planned = nothing yet");
    }

    #[test]
    fn what_is_ill_is_named_and_nothing_else() {
        let well = serde_json::json!({
            "sources": { "blog": { "state": "failing", "failures": 2, "failure": "503" } },
            "channels": { "bot": { "paused": null, "reception": { "trouble": null } } },
            "floods": [], "events_aside": 0, "settings_refused": null,
        });
        assert!(ills(&well, true).is_empty());
        assert_eq!(ills(&well, false), ["no daemon is running"]);
        let ill = serde_json::json!({
            "sources": { "blog": { "failures": 3, "failure": "503" } },
            "channels": {
                "bot": { "paused": "401" },
                "page": { "paused": null, "reception": { "trouble": "no webhook" } },
            },
            "floods": [{ "source": "shop" }],
            "events_aside": 2,
            "settings_refused": { "at": "2026-11-28T10:00:00Z", "problems": 1 },
        });
        assert_eq!(
            ills(&ill, true),
            [
                "settings changed at 2026-11-28T10:00:00Z were refused: 1 problem; `tidings check` \
                 tells them",
                "channel bot: 401",
                "channel page: no webhook",
                "source blog: 503 (3 times in a row)",
                "source shop: a poll is held",
                "2 events could not be answered",
            ]
        );
        assert!(show(&ill).starts_with("settings changed at 2026-11-28T10:00:00Z were refused"));
    }
}
