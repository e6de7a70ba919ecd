//! Whose turn it is: a draft that is due goes, waits on, goes with others, or comes too late.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use crate::compose::clocks::{Asked, ask, decide};
use crate::compose::options::Options;
use crate::compose::set::{each_once, give_up};
use crate::model::campaign::Campaign;
use crate::model::item::ItemId;
use crate::model::post::{Content, Draft, DraftId, Told};
use crate::model::schedule::Span;
use crate::model::time::Timestamp;
use crate::model::timing::{Digest, Order};
use crate::model::zone::Wall;
use crate::plan::digest::gather;
use crate::plan::ripe::{Ripe, ripe};
use crate::store::StoreError;

/// Most drafts that are looked at for one digest; more wait for the next hour.
const DIGEST_DRAFTS_MAX: usize = 10_000;

/// Items that are asked for at once to learn whether they are kept.
const ITEMS_AT_ONCE: usize = 256;

/// How long a digest waits that has no next hour.
const DAY: Duration = Duration::from_secs(86_400);

/// All drafts of a campaign are due by then.
const FAR: Timestamp = Timestamp::from_millis(i64::MAX);

const NOT_ITS_HOUR: &str = "it is not the hour for it";

/// What is to be composed.
pub(super) struct Due {
    pub draft: Draft,
    /// Drafts that are part of it.
    pub others: Vec<DraftId>,
    /// The hour of its readers' clocks that it was gathered for.
    pub hour: Option<Wall>,
}

/// What became of a draft when it was due.
pub(super) struct Turn {
    /// `None` when nothing is to be composed now.
    pub due: Option<Due>,
    /// Drafts that are not as they were when they were leased.
    pub touched: Vec<DraftId>,
}

/// Decides about a draft that is due, and lets wait what is to wait.
pub(super) async fn turn(options: &Options, mut draft: Draft) -> Result<Turn, StoreError> {
    let alone = |draft| {
        let due = Due { draft, others: Vec::new(), hour: None };
        Ok(Turn { due: Some(due), touched: Vec::new() })
    };
    let Content::Items { campaign, items, .. } = &mut draft.content else { return alone(draft) };
    let rule = options.campaigns.iter().find(|rule| rule.name == *campaign);
    let Some(rule) = rule else { return alone(draft) };
    let now = options.clock.now();
    if let Some(digest) = &rule.timing.digest {
        if rule.timing.by_reader {
            match ask(options, rule, digest, now).await? {
                Asked::Waits(touched) => return Ok(Turn { due: None, touched }),
                Asked::Goes { hour, next } => {
                    return gathered_for(options, rule, digest, (hour, next), now).await;
                }
                Asked::Never => {}
            }
        }
        return gathered(options, rule, digest, DIGEST_DRAFTS_MAX, now).await;
    }
    let touched = vec![draft.id];
    match ripe(&rule.timing, draft.due_at, now) {
        Ripe::Now => {
            if rule.timing.order == Order::Newest {
                items.reverse();
            }
            return alone(draft);
        }
        Ripe::Later(due_at) => {
            let (id, campaign) = (draft.id, &rule.name);
            tracing::debug!(draft.id = %id, campaign.id = %campaign, %due_at, "moved a draft");
            let why = NOT_ITS_HOUR.to_owned();
            options.store.commit_drafts(vec![Draft { due_at, ..draft }], why, now).await?;
        }
        Ripe::TooLate(late) => {
            let most = Span(rule.timing.misfire);
            tracing::warn!(
                draft.id = %draft.id,
                campaign.id = %rule.name,
                due = %draft.due_at,
                late_s = late.as_secs(),
                "dropped a draft: it is later than {most}"
            );
            options.meters.count_late();
            let why = format!("it was due at {} and is later than {most}", draft.due_at);
            give_up(options, vec![draft.id], &why, now).await?;
        }
    }
    Ok(Turn { due: None, touched })
}

/// Gathers what is due of a campaign, at most so many drafts: a digest, or nothing but the next
/// hour to wait for.
async fn gathered(
    options: &Options,
    rule: &Campaign,
    digest: &Digest,
    most: usize,
    now: Timestamp,
) -> Result<Turn, StoreError> {
    let store = &options.store;
    let due = store.load_due_drafts(&rule.name, now, most).await?;
    let is_all = due.len() < most;
    let touched: Vec<DraftId> = due.iter().map(|draft| draft.id).collect();
    let drafts = of_this_hour(options, rule, due, now).await?;
    let next = next_hour(rule, now);
    if !is_all && !drafts.is_empty() {
        // Before the digest is made, so that no crash lets them make another one at this hour.
        let why = format!("more than {most} drafts waited for the digest");
        let moved = store.postpone_drafts(&rule.name, now, most, next, why).await?;
        tracing::warn!(campaign.id = %rule.name, moved, %next, "too much for one digest");
    }
    let hour = Hour { next, of_readers: None, now };
    made_of(options, rule, digest, drafts, touched, hour).await
}

/// Gathers all that has settled for an hour of the readers' clocks; some of it may be due later,
/// because the hour came first elsewhere when that was asked.
async fn gathered_for(
    options: &Options,
    rule: &Campaign,
    digest: &Digest,
    (hour, next): (Wall, Timestamp),
    now: Timestamp,
) -> Result<Turn, StoreError> {
    let most = DIGEST_DRAFTS_MAX;
    let mut drafts = options.store.load_due_drafts(&rule.name, FAR, most).await?;
    let is_all = drafts.len() < most;
    drafts.retain(|draft| draft.due_at <= now || draft.created_at + rule.settle <= now);
    let touched: Vec<DraftId> = drafts.iter().map(|draft| draft.id).collect();
    if !is_all {
        tracing::warn!(campaign.id = %rule.name, %next, "too much for one digest");
    }
    let hour = Hour { next, of_readers: Some(hour), now };
    made_of(options, rule, digest, drafts, touched, hour).await
}

/// The hour of a digest.
struct Hour {
    /// When what is left of it is looked at again.
    next: Timestamp,
    /// On its readers' clocks.
    of_readers: Option<Wall>,
    now: Timestamp,
}

/// Makes a digest of what goes at an hour, or nothing but the next hour to wait for.
async fn made_of(
    options: &Options,
    rule: &Campaign,
    digest: &Digest,
    mut drafts: Vec<Draft>,
    touched: Vec<DraftId>,
    Hour { next, of_readers, now }: Hour,
) -> Result<Turn, StoreError> {
    let store = &options.store;
    let nothing = || Turn { due: None, touched: touched.clone() };
    // Before anything is moved, so that no crash brings it back at this hour.
    let decide = async || match of_readers {
        Some(hour) => decide(options, &rule.name, hour).await,
        None => Ok(()),
    };
    let gone = left_of(options, &mut drafts).await?;
    give_up(options, gone, "its items are gone", now).await?;
    let moved = |drafts: Vec<Draft>| {
        drafts.into_iter().map(|draft| Draft { due_at: next, ..draft }).collect::<Vec<_>>()
    };
    let Some(gathered) = gather(&drafts, &rule.on, digest, rule.timing.order) else {
        let waiting = drafts.len();
        tracing::info!(campaign.id = %rule.name, waiting, %next, "too little for a digest yet");
        let why = format!("there is too little for a digest of {} items", digest.min_items);
        decide().await?;
        store.commit_drafts(moved(drafts), why, now).await?;
        return Ok(nothing());
    };
    if !gathered.left.is_empty() {
        let (left, next) = (gathered.left.len(), next);
        tracing::info!(campaign.id = %rule.name, left, %next, "a digest was full");
        // First without the items that wait, so that nothing is sent twice after a crash.
        let mut parted = parted(&drafts, &gathered.left, &gathered.used);
        parted.extend(moved(gathered.left));
        let why = format!("the digest of {} items was full", digest.max_items);
        store.commit_drafts(parted, why, now).await?;
    }
    let mut used = gathered.used.into_iter();
    let first = used.next().and_then(|id| drafts.into_iter().find(|draft| draft.id == id));
    let Some(first) = first else {
        decide().await?;
        return Ok(nothing());
    };
    if gathered.told.is_empty() {
        decide().await?;
        let used = std::iter::once(first.id).chain(used).collect();
        give_up(options, used, "nothing is left to tell: later changes took it back", now).await?;
        return Ok(nothing());
    }
    let mut items = gathered.told;
    if rule.timing.order == Order::Newest {
        items.reverse();
    }
    let content = Content::Items { campaign: rule.name.clone(), items, stories: Vec::new() };
    let draft = Draft { content, ..first };
    let due = Due { draft, others: used.collect(), hour: of_readers };
    Ok(Turn { due: Some(due), touched })
}

/// The drafts of a digest that go now; lets the others wait for their hour.
async fn of_this_hour(
    options: &Options,
    rule: &Campaign,
    due: Vec<Draft>,
    now: Timestamp,
) -> Result<Vec<Draft>, StoreError> {
    let next = next_hour(rule, now);
    // Most are due at one instant, and to ask for its hour takes long.
    let mut hours: BTreeMap<Timestamp, Ripe> = BTreeMap::new();
    let (mut drafts, mut later, mut late) = (Vec::new(), Vec::new(), Vec::new());
    for draft in due {
        let at = draft.due_at;
        match *hours.entry(at).or_insert_with(|| ripe(&rule.timing, at, now)) {
            Ripe::Now => drafts.push(draft),
            Ripe::Later(due_at) => later.push(Draft { due_at, ..draft }),
            Ripe::TooLate(_) => late.push(Draft { due_at: next, ..draft }),
        }
    }
    if !later.is_empty() {
        let count = later.len();
        tracing::debug!(campaign.id = %rule.name, drafts = count, "moved drafts to their hour");
        options.store.commit_drafts(later, NOT_ITS_HOUR.to_owned(), now).await?;
    }
    if !late.is_empty() {
        let (count, most) = (late.len(), Span(rule.timing.misfire));
        tracing::warn!(
            campaign.id = %rule.name,
            drafts = count,
            %next,
            "skipped a digest: it is later than {most}"
        );
        let why = format!("its hour was over for more than {most}");
        options.store.commit_drafts(late, why, now).await?;
    }
    Ok(drafts)
}

/// The digest's next hour; after its last year, a day from now.
fn next_hour(rule: &Campaign, now: Timestamp) -> Timestamp {
    let next = rule.timing.due(now);
    if next > now { next } else { now + DAY }
}

/// Takes what is not kept any more out of the drafts; answers those of which nothing is left.
async fn left_of(options: &Options, drafts: &mut Vec<Draft>) -> Result<Vec<DraftId>, StoreError> {
    let told: Vec<Told> = drafts.iter().flat_map(Draft::told).copied().collect();
    let mut there: HashSet<ItemId> = HashSet::new();
    for ids in each_once(&told).chunks(ITEMS_AT_ONCE) {
        there.extend(options.store.load_items(ids).await?.iter().map(|item| item.id));
    }
    let mut gone = Vec::new();
    for draft in drafts.iter_mut() {
        if let Content::Items { items, .. } = &mut draft.content {
            items.retain(|told| there.contains(&told.item));
            if items.is_empty() {
                gone.push(draft.id);
            }
        }
    }
    drafts.retain(|draft| !draft.told().is_empty());
    Ok(gone)
}

/// The drafts that are used without those of their items that wait.
fn parted(drafts: &[Draft], left: &[Draft], used: &[DraftId]) -> Vec<Draft> {
    let waits: HashSet<ItemId> = left.iter().flat_map(Draft::told).map(|told| told.item).collect();
    let is_parted = |draft: &&Draft| draft.told().iter().any(|told| waits.contains(&told.item));
    let used: HashSet<DraftId> = used.iter().copied().collect();
    let used = drafts.iter().filter(|draft| used.contains(&draft.id)).filter(is_parted);
    used.map(|draft| {
        let items: Vec<Told> =
            draft.told().iter().filter(|told| !waits.contains(&told.item)).copied().collect();
        let campaign = draft.campaign().cloned();
        match campaign {
            Some(campaign) => {
                let content = Content::Items { campaign, items, stories: Vec::new() };
                Draft { content, ..draft.clone() }
            }
            None => draft.clone(),
        }
    })
    .collect()
}

#[cfg(test)]
mod tests;
