//! How far a staged rollout is, as every listing of posts says it.

use serde_json::{Value, json};

use crate::model::rollout::{Rollout, percent};

/// How far a staged rollout is; `None` for a post that goes to everybody at once.
pub(super) fn stage_row(rollout: Option<&Rollout>) -> Option<Value> {
    let rollout = rollout?;
    Some(json!({
        "at": rollout.at + 1,
        "of": rollout.stages.shares.len(),
        "share": percent(rollout.share()),
        "words": rollout.words(),
        "judged_at": rollout.due_at.map(|at| at.to_string()),
    }))
}
