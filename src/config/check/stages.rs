//! Checks `stages` and what belongs to it.

use std::time::Duration;

use crate::config::check::steps::share;
use crate::config::check::value::{got, span};
use crate::config::problem::Findings;
use crate::config::raw::RawCampaign;
use crate::config::table::At;
use crate::model::rollout::{STAGES_MAX, Stages, WHOLE};

const WAIT_DEFAULT: Duration = Duration::from_secs(3_600);
const WAIT_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Hundredths of a percent.
const FAILED_MAX_DEFAULT: u32 = 1_000;
const LEFT_MAX_DEFAULT: u32 = 200;

/// How the campaign's posts are rolled out; `None` when to everybody at once.
pub(crate) fn stages(raw: &RawCampaign, path: &str, found: &mut Findings) -> Option<Stages> {
    let key = |key: &str| format!("{path}.{key}");
    let wait = span(
        raw.stage_wait.as_ref(),
        &key("stage_wait"),
        Duration::ZERO..=WAIT_MAX,
        WAIT_DEFAULT,
        found,
    );
    let mut most = |raw: Option<&At<String>>, word: &str, default: u32| {
        raw.and_then(|raw| part(raw, &key(word), found)).unwrap_or(default)
    };
    let failed_max = most(raw.stop_when_failed.as_ref(), "stop_when_failed", FAILED_MAX_DEFAULT);
    let left_max = most(raw.stop_when_left.as_ref(), "stop_when_left", LEFT_MAX_DEFAULT);
    let Some(list) = &raw.stages else {
        let alone = [
            (raw.stage_wait.as_ref(), "stage_wait"),
            (raw.stop_when_failed.as_ref(), "stop_when_failed"),
            (raw.stop_when_left.as_ref(), "stop_when_left"),
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
    // Nobody is left out, whether or not the last stage is written.
    if shares.last() != Some(&WHOLE) {
        shares.push(WHOLE);
    }
    if shares.len() == 1 {
        return None;
    }
    Some(Stages { shares, wait, failed_max, left_max })
}

/// A share of people; another text is told.
fn part(raw: &At<String>, key: &str, found: &mut Findings) -> Option<u32> {
    let share = share(raw.value.trim()).filter(|share| *share <= WHOLE);
    if share.is_none() {
        let text = format!("must be a share of at most 100%, got {}", got(&raw.value));
        found.problem(raw.at, key, text).hint("for example `1%` or `0.5%`");
    }
    share
}
