//! What was composed becomes posts, in one commit with the drafts that are gone by it.

use jiff::tz::TimeZone;

use crate::compose::clocks::{Clocks, told};
use crate::compose::options::Options;
use crate::compose::set::Composed;
use crate::compose::whom::Audience;
use crate::model::clocks::{Part, opens, parts};
use crate::model::name::Name;
use crate::model::post::{DraftId, PostId};
use crate::model::rollout::Rollout;
use crate::model::schedule::Span;
use crate::model::time::Timestamp;
use crate::store::{Audiences, PostCommit, PostRole, StoreError, ZonedCommit};

/// Most lines that a post keeps of who was left out.
const ERRORS_MAX: usize = 8;

/// Makes the post of what was composed.
pub(super) async fn commit_one(
    options: &Options,
    composed: &Composed,
    drafts: Vec<DraftId>,
    audience: &Audience,
    is_open: bool,
    unmoved: Option<(DraftId, Timestamp)>,
) -> Result<PostId, StoreError> {
    let mut post = composed.post.clone();
    let audiences = audience.numbers.clone();
    post.errors.clone_from(&audience.told);
    post.rollout = rollout(composed, &audiences);
    let late = is_open.then(|| composed.whom.clone());
    let archive = archive(options, composed);
    let role = PostRole { late, shows: None, unmoved, archive };
    options.store.commit_post_as(PostCommit { drafts, post, audiences }, role).await
}

/// Makes a post for all whose clocks go alike; answers their ids.
pub(super) async fn commit_parts(
    options: &Options,
    clocks: &Clocks,
    composed: &Composed,
    drafts: Vec<DraftId>,
    audience: &Audience,
    is_open: bool,
) -> Result<Vec<PostId>, StoreError> {
    let now = options.clock.now();
    let channels: Vec<Name> = audience.numbers.iter().map(|(name, _)| name.clone()).collect();
    let told = told(options, &channels).await?;
    let opens = |of: &TimeZone| opens(clocks.hour, &clocks.hours, of, now);
    let parts = parts(&audience.numbers, &told, &clocks.rest, &opens);
    let is_late = |part: &&Part| now.since(part.opens_at) > clocks.misfire;
    let has_some = parts.iter().any(|part| !is_late(&part));
    let mut errors = audience.told.clone();
    for part in parts.iter().filter(|part| has_some && is_late(part)) {
        let zones: Vec<String> = part.zones.iter().map(|(zone, _)| zone.to_string()).collect();
        let people: u64 = part.zones.iter().map(|(_, people)| people).sum();
        let zones = zones.join(", ");
        tracing::warn!(
            campaign.id = %clocks.campaign, people, zones,
            "left people out: their hour is over for more than `misfire`"
        );
        options.meters.count_late();
        errors.push(format!(
            "left out {people} in {zones}: their hour was at {}, over for more than {}",
            part.opens_at,
            Span(clocks.misfire)
        ));
    }
    errors.truncate(ERRORS_MAX);
    let made = parts.iter().filter(|part| !has_some || !is_late(part));
    let posts = made.map(|part| {
        let mut post = clocks.post(&composed.post, part);
        post.errors.clone_from(&errors);
        post.rollout = rollout(composed, &part.numbers);
        (post, part.numbers.clone())
    });
    let commit = ZonedCommit {
        campaign: clocks.campaign.clone(),
        drafts,
        posts: posts.collect(),
        late: is_open.then(|| composed.whom.clone()),
        decided: clocks.hour,
        archive: archive(options, composed),
    };
    options.store.commit_zoned(commit).await
}

/// The topics under which everybody may read it: its own, as far as they are open. What is for
/// some of their people only is nobody else's.
fn archive(options: &Options, composed: &Composed) -> Vec<Name> {
    let whom = &composed.whom;
    if whom.rule.is_some() || composed.updates.is_some() {
        return Vec::new();
    }
    let is_its = |topic: &&Name| whom.topics.is_empty() || whom.topics.contains(topic);
    options.archives.iter().filter(is_its).cloned().collect()
}

/// The begin of its stages, where it has some.
fn rollout(composed: &Composed, audiences: &Audiences) -> Option<Box<Rollout>> {
    let sizes = audiences.iter().map(|(name, numbers)| (name.clone(), numbers.len() as u64));
    composed.stages.as_ref().map(|stages| Box::new(stages.begin(sizes)))
}
