//! Checks `stages` and what belongs to it, of campaigns and of posts.

use std::time::Duration;

use crate::config::check::value::{got, span};
use crate::config::post::RawPost;
use crate::config::problem::Findings;
use crate::config::raw::{List, RawCampaign};
use crate::config::table::At;
use crate::model::rollout::{
    FAILED_MAX_DEFAULT, LEFT_MAX_DEFAULT, STAGES_MAX, Stages, WAIT_DEFAULT, WAIT_MAX, share,
};

/// The keys as they are written.
pub(crate) struct RawStages<'r> {
    stages: Option<&'r At<List<String>>>,
    wait: Option<&'r At<String>>,
    failed: Option<&'r At<String>>,
    left: Option<&'r At<String>>,
}

impl<'r> From<&'r RawCampaign> for RawStages<'r> {
    fn from(raw: &'r RawCampaign) -> Self {
        Self {
            stages: raw.stages.as_ref(),
            wait: raw.stage_wait.as_ref(),
            failed: raw.stop_when_failed.as_ref(),
            left: raw.stop_when_left.as_ref(),
        }
    }
}

impl<'r> From<&'r RawPost> for RawStages<'r> {
    fn from(raw: &'r RawPost) -> Self {
        Self {
            stages: raw.stages.as_ref(),
            wait: raw.stage_wait.as_ref(),
            failed: raw.stop_when_failed.as_ref(),
            left: raw.stop_when_left.as_ref(),
        }
    }
}

/// How it is rolled out; `None` when to everybody at once. `path` stands before the keys, if it is
/// not empty.
pub(crate) fn stages(raw: &RawStages<'_>, path: &str, found: &mut Findings) -> Option<Stages> {
    let key = |key: &str| match path {
        "" => key.to_owned(),
        path => format!("{path}.{key}"),
    };
    let wait = span(raw.wait, &key("stage_wait"), Duration::ZERO..=WAIT_MAX, WAIT_DEFAULT, found);
    let mut most = |raw: Option<&At<String>>, word: &str, default: u32| {
        raw.and_then(|raw| part(raw, &key(word), found)).unwrap_or(default)
    };
    let failed_max = most(raw.failed, "stop_when_failed", FAILED_MAX_DEFAULT);
    let left_max = most(raw.left, "stop_when_left", LEFT_MAX_DEFAULT);
    let Some(list) = raw.stages else {
        let alone = [
            (raw.wait, "stage_wait"),
            (raw.failed, "stop_when_failed"),
            (raw.left, "stop_when_left"),
        ];
        for (raw, word) in alone {
            if let Some(raw) = raw {
                found.warning(raw.at, &key(word), "does nothing without `stages`");
            }
        }
        return None;
    };
    let mut shares: Vec<u32> = Vec::new();
    for each in &list.value {
        let Some(share) = part(each, &key("stages"), found) else { continue };
        if share <= shares.last().copied().unwrap_or(0) {
            let text = format!("must grow from stage to stage, got {}", got(&each.value));
            found.problem(each.at, &key("stages"), text);
        } else {
            shares.push(share);
        }
    }
    if list.value.is_empty() || list.value.len() > STAGES_MAX {
        let text = format!("must have 1 to {STAGES_MAX} stages, got {}", list.value.len());
        found
            .problem(list.at, &key("stages"), text)
            .hint("for example `[\"1%\", \"10%\", \"100%\"]`");
    }
    Stages::new(shares, wait, failed_max, left_max)
}

/// A share of people; another text is told.
fn part(raw: &At<String>, key: &str, found: &mut Findings) -> Option<u32> {
    let share = share(&raw.value);
    if share.is_none() {
        let text = format!("must be a share of at most 100%, got {}", got(&raw.value));
        found.problem(raw.at, key, text).hint("for example `1%` or `0.5%`");
    }
    share
}
