//! Reports on posts.

use serde_json::{Map, Value, json};

use crate::admin::desk::{AskError, Desk, all_known, clocks_row};
use crate::admin::stage::stage_row;
use crate::model::channel::ChannelKind;
use crate::model::lane::Lane;
use crate::model::name::Name;
use crate::model::post::{Counts, PostId};
use crate::model::report::{Ends, PostReport};
use crate::model::time::Timestamp;

impl Desk {
    /// The reports on the posts that are meant, newest first, and their sum.
    pub(super) async fn report(&self, of: Option<&str>, limit: usize) -> Result<Value, AskError> {
        let now = self.clock.now();
        let ids = self.meant(of, limit).await?;
        let mut total = Ends::default();
        let mut rows = Vec::with_capacity(ids.len());
        for id in ids {
            // One that was pruned meanwhile is left out.
            if let Some(mut report) = self.store.load_report(id, now).await? {
                self.tell_windows(&mut report);
                total.join(&report.ends);
                rows.push(row(&report, now));
            }
        }
        Ok(json!({ "at": now.to_string(), "posts": rows, "total": ends(&total) }))
    }

    /// How far the posts that are meant and not finished are, newest first.
    pub(super) async fn progress(&self, of: Option<&str>, limit: usize) -> Result<Value, AskError> {
        let mut rows = Vec::new();
        for id in self.meant(of, limit).await? {
            let Some(post) = self.store.load_post(id).await? else { continue };
            let state = state(&post.counts, post.stopped.as_deref(), post.paused.as_deref());
            if !post.counts.is_finished() {
                rows.push(json!({ "id": id, "state": state, "counts": post.counts }));
            }
        }
        Ok(json!({ "posts": rows }))
    }

    /// Whoever got it on Messenger in no other lane got it in their open window.
    fn tell_windows(&self, report: &mut PostReport) {
        for (name, own) in &mut report.channels {
            if self.channels.get(name) != Some(&ChannelKind::Messenger) {
                continue;
            }
            let others: u64 = own.lanes.values().sum();
            let usual = own.counts.sent.saturating_sub(others);
            if usual > 0 {
                own.lanes.insert(Lane::Window, usual);
                *report.ends.lanes.entry(Lane::Window).or_default() += usual;
            }
        }
    }

    async fn meant(&self, of: Option<&str>, limit: usize) -> Result<Vec<PostId>, AskError> {
        let Some(of) = of else { return Ok(self.store.load_post_ids(None, limit).await?) };
        let number = of.parse().map(PostId);
        if let Ok(post) = number
            && self.store.load_post(post).await?.is_some()
        {
            return Ok(vec![post]);
        }
        let Ok(campaign) = Name::parse(of) else {
            return Err(AskError::Refused(format!("`{of}` is neither a post nor a campaign")));
        };
        let ids = self.store.load_post_ids(Some(&campaign), limit).await?;
        if ids.is_empty() && !self.campaigns.contains(&campaign) {
            if let Ok(post) = number {
                return Err(AskError::Refused(format!("no post {post}")));
            }
            all_known("campaign", &[campaign], &self.campaigns)?;
        }
        Ok(ids)
    }
}

fn row(report: &PostReport, now: Timestamp) -> Value {
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
    let channels: Map<String, Value> =
        report.channels.iter().map(|(name, own)| (name.to_string(), ends(own))).collect();
    let takes = report.takes(now);
    let steps: Vec<Value> = report
        .pace
        .steps()
        .map(|(at, sent)| json!({ "at": at.to_string(), "sent": sent }))
        .collect();
    let mut stage = stage_row(report.rollout.as_deref());
    if let Some(Value::Object(stage)) = &mut stage {
        let waits_for =
            |(channel, why): &(Name, String)| json!({ "channel": channel, "paused": why });
        stage.insert("waits_for".into(), report.stalled.iter().map(waits_for).collect());
    }
    let mut row = ends(&report.ends);
    let more = json!({
        "id": report.post,
        "campaign": report.campaign,
        "title": report.title,
        "state": state(&report.ends.counts, report.stopped.as_deref(), report.paused.as_deref()),
        "priority": report.priority.to_string(),
        "stage": stage,
        "opens_at": time(report.opens_at),
        "clocks": report.zoned.as_deref().map(clocks_row),
        "paused": report.paused,
        "stopped": report.stopped,
        "created": report.created_at.to_string(),
        "finished": time(report.finished_at),
        "first_sent": time(report.first_at),
        "last_sent": time(report.last_at),
        "per_second": (report.rate(now) * 10.0).round() / 10.0,
        "seconds_left": takes.map(|takes| takes.as_secs()),
        "done_at": time(takes.map(|takes| now + takes)),
        "errors": report.errors,
        "stars": stars(report.stars_tenths),
        "carried_over": report.carried,
        "as_chosen": report.rests,
        "channels": channels,
        "pace": { "step_s": report.pace.step_s, "steps": steps },
    });
    if let (Value::Object(row), Value::Object(more)) = (&mut row, more) {
        row.extend(more);
    }
    row
}

/// Whole Stars and tenths, as a number for people.
#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
pub(super) fn stars(tenths: u64) -> f64 {
    tenths as f64 / 10.0
}

fn ends(ends: &Ends) -> Value {
    json!({
        "counts": ends.counts,
        "failed": ends.failed,
        "skipped": ends.skipped,
        "left_within_48h": ends.left,
        "lanes": ends.lanes,
        "delivered": ends.delivered,
        "read": ends.read,
    })
}

fn state(counts: &Counts, stopped: Option<&str>, paused: Option<&str>) -> &'static str {
    if stopped.is_some() {
        "stopped"
    } else if counts.is_finished() {
        "finished"
    } else if paused.is_some() {
        "paused"
    } else {
        "running"
    }
}
