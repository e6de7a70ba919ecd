//! What happened to an item, in sentences that name whose word it was.

use serde_json::{Value, json};

use crate::model::name::Name;
use crate::model::post::Post;
use crate::model::trace::{Happened, Step, Trace};

/// An item with its steps; the posts are those that it is in.
pub(super) fn trace_row(trace: &Trace, posts: &[Post]) -> Value {
    let steps: Vec<Value> = trace
        .steps
        .iter()
        .map(|step| {
            let post = match step.what {
                Happened::Posted { post }
                | Happened::Corrected { post }
                | Happened::TakenBack { post } => Some(post),
                _ => None,
            };
            let campaign = campaign_of(step, trace, posts);
            let at = step.at.to_string();
            json!({ "at": at, "post": post, "campaign": campaign, "words": told(step, campaign) })
        })
        .collect();
    json!({
        "id": trace.item.to_string(),
        "title": trace.title,
        "link": trace.link,
        "source": trace.source,
        "first_seen": trace.first_seen.to_string(),
        "steps": steps,
    })
}

/// Whose step it is: as it says itself, or its draft or its post does.
fn campaign_of<'a>(step: &'a Step, trace: &'a Trace, posts: &'a [Post]) -> Option<&'a Name> {
    match &step.what {
        Happened::Drafted { campaign, .. }
        | Happened::Held { campaign, .. }
        | Happened::Released { campaign, .. }
        | Happened::TakenAsKnown { campaign, .. }
        | Happened::Merged { campaign }
        | Happened::Filtered { campaign, .. } => Some(campaign),
        Happened::Moved { draft, .. } | Happened::Dropped { draft, .. } => {
            trace.steps.iter().find_map(|other| match &other.what {
                Happened::Drafted { campaign, draft: own, .. }
                | Happened::Held { campaign, draft: own, .. }
                    if own == draft =>
                {
                    Some(campaign)
                }
                _ => None,
            })
        }
        Happened::Posted { post } | Happened::Corrected { post } | Happened::TakenBack { post } => {
            posts.iter().find(|one| one.id == *post)?.campaign.as_ref()
        }
    }
}

/// What happened, in a sentence that names the campaign.
fn told(step: &Step, campaign: Option<&Name>) -> String {
    let of = campaign.map(|name| format!(" (campaign `{name}`)")).unwrap_or_default();
    match &step.what {
        Happened::Drafted { campaign, kind, due_at, .. } => {
            let when = match *due_at > step.at {
                true => format!("is due at {due_at}"),
                false => "is due at once".to_owned(),
            };
            format!("{}: campaign `{campaign}` wants it, and it {when}", kind.as_str())
        }
        Happened::Held { campaign, kind, why, .. } => {
            format!("{}: campaign `{campaign}` wants it, but it is held: {why}", kind.as_str())
        }
        Happened::Released { campaign, .. } => {
            format!("released by hand for campaign `{campaign}`")
        }
        Happened::TakenAsKnown { campaign, .. } => {
            format!("taken as known by hand: campaign `{campaign}` does not send it")
        }
        Happened::Merged { campaign } => {
            format!("campaign `{campaign}` has told this story from another source: not again")
        }
        Happened::Filtered { campaign, rule } => {
            format!("campaign `{campaign}` does not want it: {rule}")
        }
        Happened::Moved { due_at, why, .. } => match step.again {
            0 => format!("waits until {due_at}: {why}{of}"),
            again => format!("waits until {due_at}, moved {} times: {why}{of}", again + 1),
        },
        Happened::Dropped { why, .. } => format!("not sent: {why}{of}"),
        Happened::Posted { post } => format!("became part of post {post}{of}"),
        Happened::Corrected { post } => {
            format!("its source changed it: post {post} was corrected{of}")
        }
        Happened::TakenBack { post } => {
            format!("its source took it back: post {post} was corrected{of}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::change::ChangeKind;
    use crate::model::item::ItemId;
    use crate::model::post::DraftId;
    use crate::model::time::Timestamp;

    #[test]
    fn each_step_names_its_campaign() {
        let name = |text: &str| Name::parse(text).unwrap();
        let at = Timestamp::from_millis(0);
        let drafted = |campaign: &str, draft| Happened::Drafted {
            campaign: name(campaign),
            kind: ChangeKind::New,
            draft: DraftId(draft),
            due_at: at,
        };
        let dropped = |draft| Happened::Dropped { draft: DraftId(draft), why: "late".into() };
        let mut trace = Trace {
            item: ItemId([1; 16]),
            source: name("blog"),
            title: "t".into(),
            link: None,
            first_seen: at,
            steps: vec![],
        };
        for what in [drafted("news", 1), drafted("weekly", 2), dropped(2), dropped(1), dropped(7)] {
            trace.add(at, what);
        }
        let row = trace_row(&trace, &[]);
        let steps = row["steps"].as_array().unwrap();
        let words: Vec<&str> = steps[2..].iter().map(|it| it["words"].as_str().unwrap()).collect();
        assert_eq!(
            words,
            [
                "not sent: late (campaign `weekly`)",
                "not sent: late (campaign `news`)",
                "not sent: late"
            ]
        );
        assert_eq!(steps[0]["campaign"], "news");
    }
}
