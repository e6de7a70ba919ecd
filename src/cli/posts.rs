//! `tidings posts`.

use serde_json::Value;

use crate::admin::desk::Ask;
use crate::cli::scheduled::Named;
use crate::cli::status::counts_line;
use crate::cli::{Done, Settings, drafts, output, reach, scheduled};
use crate::model::control::{PostWord, Priority};
use crate::model::post::{PostId, Reason};
use crate::store::ReviewWord;

/// Shown below the options.
const EXAMPLES: &str = "\
Examples:
  tidings posts --limit 5
  tidings posts pause 12 --reason \"a typo in the title\"
  tidings posts resume 12
  tidings posts retry-failed 12 --reason unreachable
  tidings posts priority 13 high             goes before all that are normal
  tidings posts list                         written by hand, waits for its time
  tidings posts change d7 --at \"2026-12-02 09:00\"
  tidings posts audience blog-news           who would get it, and why others not
  tidings posts waiting                      what is to be sent, and when
  tidings posts release 41";

/// The newest posts and what became of them; or a word on one of them.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    settings: Settings,
    /// How many, newest first.
    #[arg(long, default_value_t = 20)]
    limit: usize,
    /// Print one JSON object.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    word: Option<Word>,
}

#[derive(Debug, clap::Subcommand)]
enum Word {
    /// Send it to nobody further until it is resumed; what is on its way arrives.
    Pause {
        #[command(flatten)]
        of: Of,
        /// Why, for the listing.
        #[arg(long, value_name = "TEXT", default_value = "by hand")]
        reason: String,
    },
    /// Go on with a paused post.
    Resume(Of),
    /// Send it to nobody any more: who waits, or for whom it is held, is skipped. Final. Of a post
    /// that waits for its time: never send it.
    Cancel {
        #[command(flatten)]
        which: One,
        /// Why, for the listing.
        #[arg(long, value_name = "TEXT", default_value = "cancelled by hand")]
        reason: String,
    },
    /// Try those again for whom it failed. Never who blocked us or left.
    RetryFailed {
        #[command(flatten)]
        of: Of,
        /// Only who failed for this reason: unreachable, not-allowed, content-refused or refused;
        /// several may be given. Default: all of these.
        #[arg(long = "reason", value_name = "REASON", value_parser = reason)]
        reasons: Vec<Reason>,
        /// Also those of whom nobody knows whether they have it. Some may get it twice.
        #[arg(long)]
        uncertain: bool,
    },
    /// List the posts written by hand that wait for their time.
    List,
    /// Show a post, or one that waits for its time with who would get it now.
    Show(One),
    /// Send what waits for its time at another time.
    Change {
        #[command(flatten)]
        which: One,
        /// When, as `2026-12-01 09:00`, with a time zone behind it if not that of the settings.
        #[arg(long, value_name = "\"DATE TIME [ZONE]\"")]
        at: String,
    },
    /// Say who would get a post of a campaign now, and why others would not.
    Audience {
        /// The campaign's name.
        campaign: String,
    },
    /// List what is to become posts: drafts that wait for their hour, or to be looked at.
    Waiting,
    /// Let go what waits to be looked at (`review = true`).
    Release(Draft),
    /// Never send what waits to be looked at.
    Drop(Draft),
    /// Let it go before, or after, others on the same channel.
    Priority {
        #[command(flatten)]
        of: Of,
        /// low, normal, high, or a number from 0 to 100: more goes first. Equal ones take turns,
        /// and answers to people go before all.
        #[arg(value_name = "PRIORITY", value_parser = Priority::parse)]
        priority: Priority,
    },
}

#[derive(Debug, clap::Args)]
struct Draft {
    /// The draft's number, as `tidings posts waiting` lists it; or a campaign, for all of its
    /// drafts.
    #[arg(value_name = "DRAFT|CAMPAIGN")]
    draft: String,
}

#[derive(Debug, clap::Args)]
struct One {
    /// The number of a post, or of the draft of one that waits for its time; `p12` is post 12,
    /// `d12` draft 12. Or the file of one that waits: `opening`.
    #[arg(value_name = "ID|FILE", value_parser = Named::parse)]
    which: Named,
}

#[derive(Debug, clap::Args)]
struct Of {
    /// The post's number, as `tidings posts` lists it.
    post: u64,
}

pub(super) async fn run(args: Args) -> Done {
    let Args { settings, limit, json, word } = args;
    match word {
        None => list(&settings, limit, json).await,
        Some(Word::Waiting) => drafts::waiting(&settings, limit, json).await,
        Some(Word::Release(Draft { draft })) => {
            drafts::review(&settings, &draft, ReviewWord::Release, json).await
        }
        Some(Word::Drop(Draft { draft })) => {
            drafts::review(&settings, &draft, ReviewWord::Drop, json).await
        }
        Some(Word::List) => scheduled::list(&settings, limit, json).await,
        Some(Word::Show(One { which })) => {
            let which = which.resolve(&settings).await?;
            scheduled::show(&settings, which, json).await
        }
        Some(Word::Cancel { which: One { which }, reason }) => {
            let which = which.resolve(&settings).await?;
            scheduled::cancel(&settings, which, reason, json).await
        }
        Some(Word::Change { which: One { which }, at }) => {
            let which = which.resolve(&settings).await?;
            scheduled::change(&settings, which, &at, json).await
        }
        Some(Word::Audience { campaign }) => {
            scheduled::of_campaign(&settings, &campaign, json).await
        }
        Some(word) => obey(&settings, word, json).await,
    }
}

/// Says the word, and what came of it.
async fn obey(settings: &Settings, word: Word, json: bool) -> Done {
    let (of, word, done) = match word {
        Word::Pause { of, reason } => (of, PostWord::Pause { why: reason }, "paused, {} wait"),
        Word::Resume(of) => (of, PostWord::Resume, "goes on, to {} who wait"),
        Word::RetryFailed { of, reasons, uncertain } => {
            (of, PostWord::Retry { reasons, uncertain }, "{} wait again")
        }
        Word::Priority { of, priority } => {
            (of, PostWord::Rank { priority }, "has another priority, {} wait")
        }
        // These are no words on a post that was made.
        _ => return Ok(()),
    };
    let sends = matches!(word, PostWord::Resume | PostWord::Retry { .. });
    let answered = reach::ask(settings, Ask::Post { post: PostId(of.post), word }).await?;
    if json {
        output::say_json(&answered.value);
        return Ok(());
    }
    let recipients = answered.value["recipients"].to_string();
    output::say(&format!("post {}: {}", of.post, done.replace("{}", &recipients)));
    if sends && !answered.is_by_daemon {
        output::complain("no daemon is running: it goes out when one does");
    }
    Ok(())
}

fn reason(text: &str) -> Result<Reason, String> {
    let known = Reason::ALL.iter().find(|reason| reason.as_str() == text);
    known.copied().ok_or_else(|| {
        let may_pass = Reason::ALL.iter().filter(|reason| reason.may_pass());
        let words: Vec<&str> = may_pass.map(|reason| reason.as_str()).collect();
        format!("no such reason; there is {}", words.join(", "))
    })
}

async fn list(settings: &Settings, limit: usize, json: bool) -> Done {
    let answered = reach::ask(settings, Ask::Posts { limit }).await?;
    if json {
        output::say_json(&answered.value);
        return Ok(());
    }
    let posts = answered.value["posts"].as_array().cloned().unwrap_or_default();
    if posts.is_empty() {
        output::say("no posts yet");
    }
    posts.iter().for_each(tell);
    Ok(())
}

/// A post in a few lines.
pub(super) fn tell(post: &Value) {
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
    if let Some(priority) = post["priority"].as_str().filter(|word| *word != "normal") {
        output::say(&format!("    priority: {priority}"));
    }
    if let Some(words) = post["clocks"]["words"].as_str() {
        output::say(&format!("    {words}"));
    }
    if let Some(line) = stage_line(post) {
        output::say(&format!("    {line}"));
    }
    if let Some(why) = post["paused"].as_str() {
        let resume = format!("`tidings posts resume {}` goes on", post["id"]);
        output::say(&format!("    paused: {why}; {resume}"));
    }
    if let Some(why) = post["stopped"].as_str() {
        output::say(&format!("    stopped: {why}"));
    }
    for error in post["errors"].as_array().into_iter().flatten() {
        output::say(&format!("    error: {}", error.as_str().unwrap_or("-")));
    }
}

/// `stage 1 of 3 (1%), judged at 2026-11-28T…`; nothing once nobody waits.
pub(super) fn stage_line(post: &Value) -> Option<String> {
    let words = post["stage"]["words"].as_str()?;
    if post["counts"]["waiting"].as_u64().unwrap_or(0) == 0 {
        return None;
    }
    let judged = post["stage"]["judged_at"].as_str();
    let mut line = words.to_owned();
    line.push_str(&judged.map_or_else(String::new, |at| format!(", judged at {at}")));
    for one in post["stage"]["waits_for"].as_array().into_iter().flatten() {
        let text = |key: &str| one[key].as_str().unwrap_or("-").to_owned();
        let (channel, why) = (text("channel"), text("paused"));
        line.push_str(&format!(", waits for `{channel}`, which is paused: {why}"));
    }
    Some(line)
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
