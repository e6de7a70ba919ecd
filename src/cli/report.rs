//! `tidings report`.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::admin::desk::Ask;
use crate::cli::posts::stage_line;
use crate::cli::reach::Answered;
use crate::cli::status::counts_line;
use crate::cli::{Done, Failure, Settings, origins, output, reach};
use crate::model::lane::Lane;
use crate::model::post::Reason;

/// Shown below the options.
const EXAMPLES: &str = "\
Examples:
  tidings report                        the newest posts
  tidings report blog-news --limit 100  a campaign's, and their sum
  tidings report 12                     one post: every end, its pace, how long it still takes
  tidings report 12 --follow            … until it is done, with a line that shows how far it is
  tidings report blog-news --csv > blog-news.csv
  tidings report --sources              where subscribers came from, by the tags of links";

/// Between two looks at a running post.
const LOOK: Duration = Duration::from_secs(1);

/// The pace of right now is that of so many looks.
const LOOKS_MAX: usize = 30;

/// The columns of a report as CSV, before those of the reasons.
const COLUMNS: [&str; 17] = [
    "post",
    "campaign",
    "title",
    "state",
    "created",
    "finished",
    "channel",
    "planned",
    "sent",
    "failed",
    "skipped",
    "held",
    "uncertain",
    "waiting",
    "in_flight",
    "left_within_48h",
    "per_second",
];

/// What became of a post, or of a campaign's posts: every recipient is in exactly one place.
///
/// "Left" counts who withdrew within 48 hours after they got it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    settings: Settings,
    /// A post's number or a campaign's name. Default: the newest posts of all.
    #[arg(value_name = "CAMPAIGN|POST")]
    of: Option<String>,
    /// How many posts, newest first.
    #[arg(long, default_value_t = 20)]
    limit: usize,
    /// Print a table for spreadsheets: a line for each post and channel.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    /// Where everybody who ever subscribed came from, by the tags of links: how many came, how many
    /// of them are still here, and how many left within 48 hours.
    #[arg(long, conflicts_with_all = ["of", "follow"])]
    sources: bool,
    /// Wait until nobody waits any more, then report.
    #[arg(long, requires = "of")]
    follow: bool,
}

pub(super) async fn run(args: Args) -> Done {
    if args.sources {
        return origins::run(&args.settings, args.json, args.csv).await;
    }
    let mut answered = ask(&args).await?;
    if args.follow {
        answered = follow(&args, answered).await?;
    }
    let answer = &answered.value;
    if args.json {
        output::say_json(answer);
    } else if args.csv {
        csv(answer).iter().for_each(|line| output::say(line));
    } else {
        output::say(&show(answer, args.of.is_some()));
    }
    Ok(())
}

async fn ask(args: &Args) -> Result<Answered, Failure> {
    let ask = Ask::Report { of: args.of.clone(), limit: args.limit };
    reach::ask(&args.settings, ask).await
}

/// Looks again until all is done or paused; where people look, a line says how far it is.
///
/// Each look asks for the counts alone: a report reads every recipient, and is asked for at the
/// end.
async fn follow(args: &Args, answered: Answered) -> Result<Answered, Failure> {
    if !has_running(&answered.value) {
        return Ok(answered);
    }
    let socket = reach::socket(&args.settings)?;
    let question = Ask::Progress { of: args.of.clone(), limit: args.limit };
    let mut looks = Looks::default();
    loop {
        let Some(mut answer) = reach::ask_at(&socket, &question).await? else {
            output::complain("no daemon is running: it goes on when one does");
            break;
        };
        if !has_running(&answer) {
            break;
        }
        looks.add(&mut answer);
        output::tell_over(&progress(&answer));
        tokio::time::sleep(LOOK).await;
    }
    output::tell_over("");
    ask(args).await
}

fn has_running(answer: &Value) -> bool {
    rows(&answer["posts"]).iter().any(|post| post["state"] == "running")
}

/// What was done of the first running post at the last looks: by that its pace is told.
#[derive(Default)]
struct Looks {
    post: Value,
    done: VecDeque<(Instant, u64)>,
}

impl Looks {
    /// Adds a look, and to the answer how many get the post a second and how long it still takes.
    fn add(&mut self, answer: &mut Value) {
        let posts = answer["posts"].as_array_mut();
        let running = posts.and_then(|posts| posts.iter_mut().find(|it| it["state"] == "running"));
        let Some(post) = running else { return };
        if self.post != post["id"] {
            *self = Self { post: post["id"].clone(), done: VecDeque::new() };
        }
        let left = number(&post["counts"]["waiting"]) + number(&post["counts"]["in_flight"]);
        let done = number(&post["counts"]["planned"]).saturating_sub(left);
        let now = Instant::now();
        self.done.push_back((now, done));
        if self.done.len() > LOOKS_MAX {
            self.done.pop_front();
        }
        let (first_at, first) = self.done.front().copied().unwrap_or((now, done));
        let millis = u64::try_from((now - first_at).as_millis()).unwrap_or(u64::MAX).max(1);
        // In tenths.
        let rate = done.saturating_sub(first).saturating_mul(10_000) / millis;
        post["per_second"] = format!("{}.{}", rate / 10, rate % 10).parse().unwrap_or_default();
        if let Some(seconds) = (left * 10).checked_div(rate) {
            post["seconds_left"] = seconds.into();
        }
    }
}

/// `post 12: 5200/10000 done, 29.8/s, 2m 41s left`.
fn progress(answer: &Value) -> String {
    let posts = rows(&answer["posts"]);
    let mut running = posts.iter().filter(|post| post["state"] == "running");
    let Some(post) = running.next() else { return String::new() };
    let counts = &post["counts"];
    let planned = number(&counts["planned"]);
    let done = planned.saturating_sub(number(&counts["waiting"]) + number(&counts["in_flight"]));
    let mut line = format!("post {}: {done}/{planned} done, {}/s", post["id"], post["per_second"]);
    if let Some(seconds) = post["seconds_left"].as_u64() {
        line.push_str(&format!(", {} left", about(seconds)));
    }
    match running.count() {
        0 => {}
        more => line.push_str(&format!("; {} more running", output::count(more, "post"))),
    }
    line
}

fn show(answer: &Value, is_of_one: bool) -> String {
    let posts = rows(&answer["posts"]);
    let lines = match &posts[..] {
        [] => vec!["no posts yet".to_owned()],
        [post] if is_of_one => show_one(post),
        _ => show_many(answer, &posts),
    };
    lines.join("\n")
}

fn show_one(post: &Value) -> Vec<String> {
    let text = |key: &str| post[key].as_str().unwrap_or("-");
    let campaign = post["campaign"].as_str().unwrap_or("by hand");
    let mut lines = vec![
        format!("post {}  {campaign}  {}", post["id"], text("title")),
        format!("  made {}, {}", text("created"), state_words(post)),
        format!("  {}", counts_line(&post["counts"])),
    ];
    lines.extend(post["clocks"]["words"].as_str().map(|words| format!("  {words}")));
    lines.extend(reasons_line("failed", &post["failed"]).map(|line| format!("  {line}")));
    lines.extend(reasons_line("skipped", &post["skipped"]).map(|line| format!("  {line}")));
    lines.extend(reasons_line("sent by lane", &post["lanes"]).map(|line| format!("  {line}")));
    lines.extend(arrived_line(post).map(|line| format!("  {line}")));
    if let Some(channels) = post["channels"].as_object().filter(|all| all.len() > 1) {
        for (name, ends) in channels {
            lines.push(format!("  {name}: {}", counts_line(&ends["counts"])));
            for key in ["failed", "skipped"] {
                lines.extend(reasons_line(key, &ends[key]).map(|line| format!("    {line}")));
            }
        }
    }
    lines.extend(stage_line(post).map(|line| format!("  {line}")));
    lines.push(format!("  left within 48 hours: {}", number(&post["left_within_48h"])));
    if let Some(carried) = post["carried_over"].as_u64().filter(|carried| *carried > 0) {
        lines.push(format!("  too much for a day, comes on the next: {carried}"));
    }
    if let Some(rests) = post["as_chosen"].as_u64().filter(|rests| *rests > 0) {
        lines.push(format!("  comes at the hour that they have chosen: {rests}"));
    }
    if let Some(stars) = post["stars"].as_f64().filter(|stars| *stars > 0.0) {
        lines.push(format!("  paid for going faster: {stars} Stars"));
    }
    let steps = rows(&post["pace"]["steps"]);
    if let (Some(first), Some(last)) = (post["first_sent"].as_str(), post["last_sent"].as_str()) {
        let sent: Vec<u64> = steps.iter().map(|step| number(&step["sent"])).collect();
        let most = sent.iter().max().copied().unwrap_or(0);
        let step = number(&post["pace"]["step_s"]);
        lines.push(format!("  sent from {first} to {last}, at most {most} in {}", about(step)));
        if sent.len() > 1 {
            lines.push(format!("  {}", bars(&sent)));
        }
    }
    if post["state"] == "running" && post["opens_at"].is_null() {
        let left = post["seconds_left"].as_u64();
        let left = left.map_or("nothing moves now".to_owned(), |seconds| {
            format!("about {} left, done at {}", about(seconds), text("done_at"))
        });
        lines.push(format!("  {} a second now; {left}", post["per_second"]));
    }
    for error in rows(&post["errors"]) {
        lines.push(format!("  error: {}", error.as_str().unwrap_or("-")));
    }
    lines
}

fn show_many(answer: &Value, posts: &[Value]) -> Vec<String> {
    let head = [
        "POST",
        "STATE",
        "PLANNED",
        "SENT",
        "FAILED",
        "SKIPPED",
        "HELD",
        "UNCERTAIN",
        "LEFT",
        "TITLE",
    ];
    let mut table = vec![head.map(str::to_owned).to_vec()];
    let cells = |ends: &Value, id: String, state: &str, title: &str| {
        let counts = &ends["counts"];
        let count = |key: &str| number(&counts[key]).to_string();
        let mut row = vec![id, state.to_owned()];
        row.extend(["planned", "sent", "failed", "skipped", "held", "uncertain"].map(count));
        row.push(number(&ends["left_within_48h"]).to_string());
        row.push(title.to_owned());
        row
    };
    for post in posts {
        let (state, title) = (&post["state"], &post["title"]);
        let (state, title) = (state.as_str().unwrap_or("-"), title.as_str().unwrap_or(""));
        table.push(cells(post, post["id"].to_string(), state, title));
    }
    let total = &answer["total"];
    table.push(cells(total, "all".to_owned(), "", ""));
    let mut lines = vec![output::table(&table).trim_end().to_owned()];
    lines.extend(reasons_line("failed", &total["failed"]));
    lines.extend(reasons_line("skipped", &total["skipped"]));
    lines.extend(posts.iter().filter_map(|post| {
        Some(format!("post {}: {}", post["id"], post["clocks"]["words"].as_str()?))
    }));
    lines
}

fn state_words(post: &Value) -> String {
    let text = |key: &str| post[key].as_str().unwrap_or("-");
    let priority = match text("priority") {
        "normal" => String::new(),
        other => format!(", priority {other}"),
    };
    match text("state") {
        "stopped" => format!("stopped: {}", text("stopped")),
        "paused" => format!("paused: {}{priority}", text("paused")),
        "finished" => format!("finished {}", text("finished")),
        other => match post["opens_at"].as_str() {
            Some(opens_at) if post["clocks"]["opens_at"] == opens_at => {
                format!("waits for its readers' hour until {opens_at}{priority}")
            }
            Some(opens_at) => format!("waits for its hours until {opens_at}{priority}"),
            None => format!("{other}{priority}"),
        },
    }
}

/// What services tell of the way's end; nothing where they tell nothing.
fn arrived_line(ends: &Value) -> Option<String> {
    let (delivered, read) = (number(&ends["delivered"]), number(&ends["read"]));
    (delivered > 0).then(|| format!("as the service tells: {delivered} delivered, {read} read"))
}

/// `failed: 3 blocked, 1 refused`; nothing when there is none.
fn reasons_line(word: &str, reasons: &Value) -> Option<String> {
    let parts: Vec<String> = reasons
        .as_object()?
        .iter()
        .map(|(reason, count)| format!("{count} {}", reason.replace('-', " ")))
        .collect();
    (!parts.is_empty()).then(|| format!("{word}: {}", parts.join(", ")))
}

/// A bar for each number, the highest for the largest.
fn bars(numbers: &[u64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = numbers.iter().max().copied().unwrap_or(0).max(1);
    let bar = |number: &u64| {
        let at = number.saturating_mul(7).div_ceil(most);
        usize::try_from(at).ok().and_then(|at| BARS.get(at)).copied().unwrap_or('█')
    };
    numbers.iter().map(bar).collect()
}

/// `45s`, `2m 41s`, `3h 5m`, `2d 4h`.
fn about(seconds: u64) -> String {
    let units = [(86_400, "d", 3_600, "h"), (3_600, "h", 60, "m"), (60, "m", 1, "s")];
    for (size, name, part, part_name) in units {
        if seconds >= size {
            let rest = seconds % size / part;
            let rest = if rest > 0 { format!(" {rest}{part_name}") } else { String::new() };
            return format!("{}{name}{rest}", seconds / size);
        }
    }
    format!("{seconds}s")
}

/// The lines of the table for spreadsheets.
fn csv(answer: &Value) -> Vec<String> {
    let by_reason = ["failed", "skipped"];
    let mut head: Vec<String> = COLUMNS.map(str::to_owned).to_vec();
    for word in by_reason {
        head.extend(Reason::ALL.map(|one| format!("{word}_{}", one.as_str().replace('-', "_"))));
    }
    head.extend(Lane::ALL.map(|lane| format!("lane_{}", lane.as_str())));
    head.extend(["delivered", "read"].map(str::to_owned));
    let mut lines = vec![head.join(",")];
    for post in rows(&answer["posts"]) {
        for (channel, ends) in post["channels"].as_object().into_iter().flatten() {
            let of_post = |key: &str| cell(&post[key]);
            let of_counts = |key: &str| cell(&ends["counts"][key]);
            let mut line: Vec<String> =
                ["id", "campaign", "title", "state", "created", "finished"].map(of_post).to_vec();
            line.push(channel.clone());
            line.extend(COLUMNS.iter().skip(7).take(8).map(|key| of_counts(key)));
            line.push(cell(&ends["left_within_48h"]));
            line.push(of_post("per_second"));
            for word in by_reason {
                let count = |one: Reason| number(&ends[word][one.as_str()]).to_string();
                line.extend(Reason::ALL.map(count));
            }
            line.extend(Lane::ALL.map(|lane| number(&ends["lanes"][lane.as_str()]).to_string()));
            line.extend(["delivered", "read"].map(|key| number(&ends[key]).to_string()));
            lines.push(line.join(","));
        }
    }
    lines
}

/// One cell. A spreadsheet takes for a formula what begins like one, so that gets an apostrophe.
pub(super) fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => return String::new(),
        Value::String(text) => text,
        other => return other.to_string(),
    };
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if is_formula { format!("'{text}") } else { text.clone() };
    if text.contains(['"', ',', '\n', '\r']) || is_formula {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text
}

fn rows(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(title: &str) -> Value {
        let counts = serde_json::json!({
            "planned": 10, "sent": 6, "failed": 3, "skipped": 0, "held": 0, "uncertain": 0,
            "waiting": 1, "in_flight": 0,
        });
        let ends = serde_json::json!({
            "counts": counts, "failed": { "blocked": 2, "not-found": 1 }, "skipped": {},
            "left_within_48h": 1,
        });
        let mut post = ends.clone();
        post["id"] = 3.into();
        post["title"] = title.into();
        post["state"] = "running".into();
        post["priority"] = "high".into();
        post["created"] = "then".into();
        post["per_second"] = 29.8.into();
        post["seconds_left"] = 161.into();
        post["done_at"] = "soon".into();
        post["channels"] = serde_json::json!({ "bot": ends });
        post["pace"] = serde_json::json!({ "step_s": 2, "steps": [] });
        post
    }

    #[test]
    fn one_post_is_told_in_full() {
        let answer = serde_json::json!({ "posts": [post("Fresh")] });
        let expected = "post 3  by hand  Fresh\n  made then, running, priority high\n  10 planned = \
                        6 sent + 3 failed + 1 waiting\n  failed: 2 blocked, 1 not found\n  left \
                        within 48 hours: 1\n  29.8 a second now; about 2m 41s left, done at soon";
        assert_eq!(show(&answer, true), expected);
        assert_eq!(progress(&answer), "post 3: 9/10 done, 29.8/s, 2m 41s left");
    }

    #[test]
    fn sec_a_title_is_no_formula_in_a_spreadsheet() {
        let answer = serde_json::json!({ "posts": [post("=HYPERLINK(\"http://x\",\"y\")")] });
        let lines = csv(&answer);
        assert_eq!(
            lines[0].split(',').count(),
            COLUMNS.len() + 2 * Reason::ALL.len() + Lane::ALL.len() + 2
        );
        let start = "3,,\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\",running,then,,bot,10,6,3,0,0,0,1,\
                     0,1,29.8,2,0,1,";
        assert!(lines[1].starts_with(start), "{}", lines[1]);
    }

    #[test]
    fn a_span_is_told_in_two_units() {
        for (seconds, shown) in
            [(0, "0s"), (59, "59s"), (60, "1m"), (161, "2m 41s"), (90_000, "1d 1h")]
        {
            assert_eq!(about(seconds), shown);
        }
        assert_eq!(bars(&[0, 1, 8, 4]), "▁▂█▅");
    }
}
