//! Posts written by hand: kept, listed, shown, moved, and cancelled before their time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::admin::desk::{AskError, Desk};
use crate::model::control::PostWord;
use crate::model::one_off::{OneOff, Says};
use crate::model::post::{Content, Draft, DraftId, PostId};
use crate::model::rollout::{Stages, percent};
use crate::model::time::Timestamp;
use crate::store::StoreError;

/// Most drafts that are looked at for those written by hand.
const DRAFTS_MAX: usize = 10_000;

/// What a number names: a post, a draft that is to become one, or whichever of them there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Which {
    Post(u64),
    Draft(u64),
    Either(u64),
}

impl Which {
    /// Reads `12`, `p12` (a post) or `d12` (a draft).
    ///
    /// # Errors
    /// A line for people.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (which, digits): (fn(u64) -> Self, &str) = match text.split_at_checked(1) {
            Some(("p", digits)) => (Self::Post, digits),
            Some(("d", digits)) => (Self::Draft, digits),
            _ => (Self::Either, text),
        };
        let number = digits.parse().map_err(|_| "write a number, such as 12, d12 or p12")?;
        Ok(which(number))
    }
}

impl Desk {
    /// Keeps a post for its time, or says who would get it.
    pub(super) async fn send(
        &self,
        mut one: OneOff,
        at: Option<Timestamp>,
        is_dry_run: bool,
    ) -> Result<Value, AskError> {
        let rule = self.complete(&mut one.whom)?;
        let now = self.clock.now();
        let due_at = at.map_or(now, |at| at.max(now));
        if is_dry_run {
            let mut told = self.survey(&one.whom, rule.as_ref(), None).await?;
            told["at"] = json!(due_at.to_string());
            if let Some(stages) = &one.stages {
                told["stages"] = stage_sizes(stages, &told["recipients"]);
            }
            return Ok(told);
        }
        let recipients = self.count(&one.whom, rule.as_ref()).await?;
        let content = Content::OneOff(Box::new(one));
        let draft = Draft { id: DraftId(0), created_at: now, due_at, content, held: None };
        let id = self.store.commit_draft(draft).await?;
        self.wakes.drafts.notify_one();
        Ok(json!({ "draft": id, "recipients": recipients, "at": due_at.to_string() }))
    }

    /// What was written by hand and waits for its time, the next one first.
    pub(super) async fn scheduled(&self, limit: usize) -> Result<Value, AskError> {
        let drafts = self.store.load_drafts(DRAFTS_MAX).await?;
        let rows = drafts.iter().filter_map(row).take(limit);
        Ok(json!({ "scheduled": rows.collect::<Vec<_>>() }))
    }

    /// A post, or a draft that was written by hand with who would get it now.
    pub(super) async fn show(&self, which: Which) -> Result<Value, AskError> {
        match self.resolve(which).await? {
            Which::Draft(id) => {
                let draft = self.by_hand(id).await?;
                let mut row = row(&draft).unwrap_or_default();
                let Content::OneOff(one) = draft.content else { return Ok(row) };
                let (mut whom, says) = (one.whom, one.says);
                let rule = self.complete(&mut whom)?;
                row["says"] = json!(says);
                row["would_get_it"] = self.survey(&whom, rule.as_ref(), None).await?;
                Ok(json!({ "scheduled": row }))
            }
            Which::Post(id) | Which::Either(id) => {
                let post = self.store.load_post(PostId(id)).await?;
                let post = post.ok_or_else(|| missing(id))?;
                Ok(json!({ "post": crate::admin::desk::post_row(&post) }))
            }
        }
    }

    /// Cancels a post, or a draft before its time.
    pub(super) async fn cancel(&self, which: Which, why: String) -> Result<Value, AskError> {
        match self.resolve(which).await? {
            Which::Draft(id) => {
                let draft = self.by_hand(id).await?;
                let given_up =
                    self.store.give_up_drafts(vec![draft.id], why, Some(self.clock.now()));
                given_up.await.map_err(|error| too_late(error, id))?;
                let file = draft.file();
                Ok(json!({ "draft": id, "cancelled": true, "file": file }))
            }
            Which::Post(id) | Which::Either(id) => {
                self.obey(PostId(id), PostWord::Cancel { why }).await
            }
        }
    }

    /// Moves a draft to another time.
    pub(super) async fn change(&self, which: Which, at: Timestamp) -> Result<Value, AskError> {
        let (Which::Draft(id) | Which::Post(id) | Which::Either(id)) = which;
        if matches!(which, Which::Post(_)) {
            let words = format!("post {id} was made already: its time can't be changed");
            return Err(AskError::Refused(words));
        }
        let draft = self.by_hand(id).await?;
        let now = self.clock.now();
        let due_at = at.max(now);
        let file = draft.file().cloned();
        let moved = vec![Draft { due_at, ..draft }];
        let kept = self.store.commit_drafts(moved, "moved by hand".to_owned(), now).await;
        kept.map_err(|error| too_late(error, id))?;
        self.wakes.drafts.notify_one();
        Ok(json!({ "draft": id, "at": due_at.to_string(), "file": file }))
    }

    /// Says whether a post or a draft is meant.
    async fn resolve(&self, which: Which) -> Result<Which, AskError> {
        let Which::Either(id) = which else { return Ok(which) };
        let draft = self.store.load_draft(DraftId(id)).await?;
        let waits = draft.is_some_and(|draft| matches!(draft.content, Content::OneOff(_)));
        let post = self.store.load_post(PostId(id)).await?;
        let is_under_way = post.as_ref().is_some_and(|post| {
            post.stopped.is_none() && !(post.counts.is_finished() && post.counts.held == 0)
        });
        match (waits, is_under_way) {
            (true, true) => Err(AskError::Refused(format!(
                "{id} is a post under way, and a draft that waits for its time\n  hint: say `p{id}` \
                 or `d{id}`"
            ))),
            (true, false) => Ok(Which::Draft(id)),
            (false, _) if post.is_some() => Ok(Which::Post(id)),
            (false, _) => Err(missing(id)),
        }
    }

    /// A draft that was written by hand.
    async fn by_hand(&self, id: u64) -> Result<Draft, AskError> {
        let draft = self.store.load_draft(DraftId(id)).await?;
        match draft {
            Some(draft) if matches!(draft.content, Content::OneOff(_)) => Ok(draft),
            Some(_) => Err(AskError::Refused(format!(
                "draft {id} is of a campaign\n  hint: `tidings posts waiting` lists these; `release` \
                 and `drop` are for what waits to be looked at"
            ))),
            None => Err(missing(id)),
        }
    }
}

fn missing(id: u64) -> AskError {
    let hint = "`tidings posts list` shows what waits for its time, `tidings posts` what was made";
    AskError::Refused(format!("no post and no draft {id}\n  hint: {hint}"))
}

/// It became a post in this moment.
fn too_late(error: StoreError, id: u64) -> AskError {
    match error {
        StoreError::Missing { .. } => {
            AskError::Refused(format!("draft {id} is on its way already: `tidings posts` shows it"))
        }
        other => other.into(),
    }
}

fn row(draft: &Draft) -> Option<Value> {
    let Content::OneOff(one) = &draft.content else { return None };
    let whom = &one.whom;
    let layout = match &one.says {
        Says::Message(_) => None,
        Says::Items { layout, .. } => Some(layout),
    };
    Some(json!({
        "id": draft.id,
        "title": one.title,
        "at": draft.due_at.to_string(),
        "since": draft.created_at.to_string(),
        "file": one.file,
        "layout": layout,
        "topics": whom.topics,
        "channels": whom.channels,
        "chats": whom.chats.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "audience": whom.rule,
        "late_joiners": whom.late_joiners,
        "priority": one.priority.to_string(),
        "stages": one.stages.as_ref().map(shares),
    }))
}

/// `["1%", "100%"]`.
fn shares(stages: &Stages) -> Vec<String> {
    stages.shares.iter().map(|share| percent(*share)).collect()
}

/// To how many of these recipients it has gone at the end of each stage.
fn stage_sizes(stages: &Stages, recipients: &Value) -> Value {
    let audiences = recipients.as_object().into_iter().flatten();
    let sizes: Vec<(&String, Vec<u64>)> = audiences
        .map(|(channel, count)| (channel, stages.sizes(count.as_u64().unwrap_or(0))))
        .collect();
    let stage = |(at, share): (usize, String)| {
        let of = |sizes: &Vec<u64>| sizes.get(at).copied().unwrap_or(0);
        let by_channel: BTreeMap<&String, u64> =
            sizes.iter().map(|(channel, sizes)| (*channel, of(sizes))).collect();
        json!({
            "share": share,
            "recipients": by_channel,
            "total": by_channel.values().sum::<u64>(),
        })
    };
    shares(stages).into_iter().enumerate().map(stage).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dry_run_tells_how_large_the_stages_are() {
        let stages = Stages::new(vec![100, 1_000], std::time::Duration::ZERO, 0, 0).unwrap();
        let told = stage_sizes(&stages, &json!({ "bot": 500, "page": 3 }));
        let totals: Vec<_> = told.as_array().unwrap().iter().map(|it| &it["total"]).collect();
        assert_eq!(totals, [&json!(6), &json!(51), &json!(503)]);
        assert_eq!(
            told[0],
            json!({ "share": "1%", "recipients": { "bot": 5, "page": 1 }, "total": 6 })
        );
    }

    #[test]
    fn a_number_names_a_post_or_a_draft() {
        assert_eq!(Which::parse("12"), Ok(Which::Either(12)));
        assert_eq!(Which::parse("p3"), Ok(Which::Post(3)));
        assert_eq!(Which::parse("d3"), Ok(Which::Draft(3)));
        for wrong in ["", "d", "x3", "-1", "d-1", "1.5"] {
            assert!(Which::parse(wrong).is_err(), "{wrong}");
        }
    }
}
