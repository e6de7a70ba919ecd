//! `tidings posts waiting`, `release` and `drop`.

use serde_json::Value;

use crate::admin::desk::Ask;
use crate::cli::{Done, Failure, Settings, output, reach};
use crate::model::name::Name;
use crate::model::post::DraftId;
use crate::store::{ReviewWord, Reviewed};

/// What is to become posts, and when.
pub(super) async fn waiting(settings: &Settings, limit: usize, json: bool) -> Done {
    let answered = reach::ask(settings, Ask::Drafts { limit }).await?;
    if json {
        output::say_json(&answered.value);
        return Ok(());
    }
    let drafts = answered.value["drafts"].as_array().cloned().unwrap_or_default();
    if drafts.is_empty() {
        output::say("nothing waits");
    }
    drafts.iter().for_each(|draft| output::say(&line(draft)));
    Ok(())
}

/// `draft 3  blog-news  due 2026-11-28T09:00:00Z  Title; Other title, and 3 more`.
fn line(draft: &Value) -> String {
    let file = draft["file"].as_str().map(|name| format!("{name}.toml"));
    let campaign = draft["campaign"].as_str().or(file.as_deref()).unwrap_or("by hand");
    let when = match (draft["held"].as_str(), draft["due"].as_str()) {
        (Some("review"), _) => match draft["shown"].as_u64() {
            Some(post) => format!("to be looked at, sent to its reviewers as post {post}"),
            None => "to be looked at".to_owned(),
        },
        (Some(_), _) => "held as a flood".to_owned(),
        (None, due) => format!("due {}", due.unwrap_or("-")),
    };
    let titles: Vec<&str> =
        draft["titles"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let shown = titles.join("; ");
    let shown: String = shown.chars().filter(|c| !c.is_control()).collect();
    let titles = u64::try_from(titles.len()).unwrap_or(u64::MAX);
    let more = draft["items"].as_u64().unwrap_or(0).saturating_sub(titles);
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    format!("draft {}  {campaign}  {when}  {shown}{more}", draft["id"])
}

/// Says the word on a draft, or on all of a campaign.
pub(super) async fn review(settings: &Settings, of: &str, word: ReviewWord, json: bool) -> Done {
    let of = match of.parse() {
        Ok(id) => Reviewed::Draft(DraftId(id)),
        Err(_) => Reviewed::Campaign(Name::parse(of).map_err(|error| Failure::new(1, error))?),
    };
    let answered = reach::ask(settings, Ask::Review { of, word }).await?;
    if json {
        output::say_json(&answered.value);
        return Ok(());
    }
    let drafts = answered.value["drafts"].as_u64().unwrap_or(0);
    let drafts = output::count(usize::try_from(drafts).unwrap_or(usize::MAX), "draft");
    match word {
        ReviewWord::Release => output::say(&format!("{drafts} released")),
        ReviewWord::Drop => output::say(&format!("{drafts} dropped: nobody gets it")),
    }
    if word == ReviewWord::Release && !answered.is_by_daemon {
        output::complain("no daemon is running: it goes out when one does");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_is_a_line() {
        let mut draft = serde_json::json!({
            "id": 3, "campaign": "blog", "due": "soon", "items": 5, "titles": ["One", "Two"],
        });
        assert_eq!(line(&draft), "draft 3  blog  due soon  One; Two, and 3 more");
        let by_file = serde_json::json!({
            "id": 7, "file": "opening", "due": "soon", "titles": ["We open"],
        });
        assert_eq!(line(&by_file), "draft 7  opening.toml  due soon  We open");
        draft["held"] = "review".into();
        draft["items"] = 2.into();
        assert_eq!(line(&draft), "draft 3  blog  to be looked at  One; Two");
    }
}
