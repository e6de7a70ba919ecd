//! `tidings posts list`, `show`, `change`, `cancel` and `audience`.

use serde_json::Value;

use crate::admin::desk::Ask;
use crate::admin::scheduled::Which;
use crate::cli::send::{by_clock, moment};
use crate::cli::{Done, Failure, Settings, audience, output, reach};
use crate::model::moment::Moment;
use crate::model::name::Name;

/// Most posts among which one is looked for by its file.
const LOOKED_AT_MAX: usize = 10_000;

/// A post as people name it: by a number, or by its file while it waits for its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Named {
    Number(Which),
    File(Name),
}

impl Named {
    /// Reads `12`, `d12`, `p12`, `opening` or `opening.toml`.
    ///
    /// # Errors
    /// A line for people.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if let Ok(which) = Which::parse(text) {
            return Ok(Self::Number(which));
        }
        let name = text.strip_suffix(".toml").unwrap_or(text);
        Name::parse(name)
            .map(Self::File)
            .map_err(|_| "write a number, such as 12, d12 or p12, or the name of a file".to_owned())
    }

    pub(super) async fn resolve(self, settings: &Settings) -> Result<Which, Failure> {
        let file = match self {
            Self::Number(which) => return Ok(which),
            Self::File(file) => file,
        };
        let answered = reach::ask(settings, Ask::Scheduled { limit: LOOKED_AT_MAX }).await?;
        let mut rows = answered.value["scheduled"].as_array().into_iter().flatten();
        let row = rows.find(|row| row["file"].as_str() == Some(file.as_str()));
        row.and_then(|row| row["id"].as_u64()).map(Which::Draft).ok_or_else(|| {
            let hint =
                "`tidings posts list` shows what waits for its time, `tidings posts` what was made";
            Failure::new(1, format!("no post of `{file}.toml` waits for its time\n  hint: {hint}"))
        })
    }
}

/// What waits for its time.
pub(super) async fn list(settings: &Settings, limit: usize, json: bool) -> Done {
    let answered = reach::ask(settings, Ask::Scheduled { limit }).await?;
    if json {
        output::say_json(&answered.value);
        return Ok(());
    }
    let rows = answered.value["scheduled"].as_array().cloned().unwrap_or_default();
    if rows.is_empty() {
        output::say("nothing waits for its time");
    }
    rows.iter().for_each(|row| output::say(&line(row)));
    Ok(())
}

/// `d7  2026-12-01T07:00:00Z  opening.toml  We open at nine`.
fn line(row: &Value) -> String {
    let file = row["file"].as_str();
    let file = file.map_or_else(|| "by hand".to_owned(), |name| format!("{name}.toml"));
    let title: String =
        row["title"].as_str().unwrap_or("").chars().filter(|c| !c.is_control()).collect();
    format!("d{}  {}  {file}  {title}", row["id"], row["at"].as_str().unwrap_or("-"))
}

/// One of them with who would get it, or a post.
pub(super) async fn show(settings: &Settings, which: Which, json: bool) -> Done {
    let answered = reach::ask(settings, Ask::Show { which }).await?;
    if json {
        output::say_json(&answered.value);
        return Ok(());
    }
    let post = &answered.value["post"];
    if post.is_object() {
        crate::cli::posts::tell(post);
        return Ok(());
    }
    let row = &answered.value["scheduled"];
    output::say(&line(row));
    for key in ["topics", "channels"] {
        let names: Vec<&str> =
            row[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let names = if names.is_empty() { "all".to_owned() } else { names.join(", ") };
        output::say(&format!("  {key}: {names}"));
    }
    for key in ["layout", "audience"] {
        if let Some(word) = row[key].as_str() {
            output::say(&format!("  {key}: {word}"));
        }
    }
    let shares: Vec<&str> =
        row["stages"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if !shares.is_empty() {
        output::say(&format!("  stages: {}", shares.join(", ")));
    }
    output::say(&format!("  would go to {}", row["would_get_it"]["total"]));
    audience::tell(&row["would_get_it"]);
    Ok(())
}

/// Never sends it, or sends it to nobody further.
pub(super) async fn cancel(settings: &Settings, which: Which, why: String, json: bool) -> Done {
    let answered = reach::ask(settings, Ask::Cancel { which, why }).await?;
    let told = &answered.value;
    match (json, told["draft"].as_u64()) {
        (true, _) => output::say_json(told),
        (false, Some(draft)) => {
            output::say(&format!("draft {draft}: cancelled, it is never sent"));
            if let Some(file) = told["file"].as_str() {
                output::complain(&format!(
                    "{file}.toml stays cancelled, whatever is changed in it: under another name it \
                     is a new post"
                ));
            }
        }
        (false, None) => output::say(&format!(
            "post {}: cancelled, {} don't get it",
            told["post"], told["recipients"]
        )),
    }
    Ok(())
}

/// Sends it at another time.
pub(super) async fn change(settings: &Settings, which: Which, at: &str, json: bool) -> Done {
    let at = moment(at, &reach::load(settings)?.config.days.zone())?;
    let answered = reach::ask(settings, Ask::Change { which, at: at.at }).await?;
    if let Some(remark) = Moment::remark(&at) {
        output::complain(&remark);
    }
    if json {
        output::say_json(&answered.value);
        return Ok(());
    }
    let told = &answered.value;
    let when = by_clock(Some(&at), told["at"].as_str().unwrap_or("-"));
    output::say(&format!("draft {}: at {when}", told["draft"]));
    if let Some(file) = told["file"].as_str() {
        output::complain(&format!(
            "{file}.toml says another time, which holds again once the file is changed: write it \
             there too"
        ));
    }
    if !answered.is_by_daemon {
        output::complain("no daemon is running: it goes out when one does");
    }
    Ok(())
}

/// Who would get a post of a campaign now.
pub(super) async fn of_campaign(settings: &Settings, campaign: &str, json: bool) -> Done {
    let campaign = Name::parse(campaign).map_err(|error| Failure::new(1, error))?;
    let answered = reach::ask(settings, Ask::Audience { campaign }).await?;
    if json {
        output::say_json(&answered.value);
        return Ok(());
    }
    let recipients: Vec<String> = answered.value["recipients"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(channel, count)| format!("{count} on {channel}"))
        .collect();
    output::say(&format!("a post would go to {}", recipients.join(", ")));
    audience::tell(&answered.value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_post_is_named_by_its_number_or_its_file() {
        let file = |name: &str| Named::File(Name::parse(name).unwrap());
        for (text, named) in [
            ("12", Named::Number(Which::Either(12))),
            ("d7", Named::Number(Which::Draft(7))),
            ("opening", file("opening")),
            ("opening.toml", file("opening")),
            ("doors", file("doors")),
        ] {
            assert_eq!(Named::parse(text), Ok(named), "{text}");
        }
        assert!(Named::parse("We open").unwrap_err().contains("name of a file"));
    }
}
