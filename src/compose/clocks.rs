//! Campaigns that go by their readers' own clocks.
//!
//! 1. What waits is gathered for one hour of the wall, at the instant at which the first of its
//!    readers' clocks comes to it. Which hour that is stands in the store, so that nobody gets one
//!    twice, and a reader who comes or moves meanwhile does not put it off.
//! 2. Then it is set once, and makes a post for each of the instants at which clocks come to the
//!    hour, all in one commit. The posts wait in the store until then.
//! 3. What goes at once is parted likewise, by when the campaign's hours are open.

use std::time::Duration;

use jiff::tz::TimeZone;

use crate::compose::options::Options;
use crate::compose::whom::{Audience, find};
use crate::model::campaign::Campaign;
use crate::model::clocks::{Part, Told, first, has, next, parts};
use crate::model::name::Name;
use crate::model::post::{Draft, DraftId, Post, PostId, Zoned};
use crate::model::schedule::Span;
use crate::model::time::Timestamp;
use crate::model::timing::{Digest, Hours};
use crate::model::zone::{Gathering, Wall, Zone};
use crate::store::StoreError;

/// Most drafts that are moved together.
const DRAFTS_MAX: usize = 10_000;

/// What is too late to be asked for an hour waits so long.
const DAY: Duration = Duration::from_secs(86_400);

/// By whose clocks a post goes.
#[derive(Clone, Debug)]
pub(super) struct Clocks {
    pub campaign: Name,
    /// The hour that it was gathered for.
    pub hour: Option<Wall>,
    /// Of whoever has told no zone.
    pub rest: Zone,
    pub hours: Vec<Hours>,
    pub misfire: Duration,
}

impl Clocks {
    /// `None` for a campaign that goes by one clock.
    pub fn of(rule: &Campaign) -> Option<Self> {
        // What goes at any hour goes to everybody at once.
        let has_hours = rule.timing.digest.is_some() || !rule.timing.hours.is_empty();
        (rule.timing.by_reader && has_hours).then(|| Self {
            campaign: rule.name.clone(),
            hour: None,
            rest: rule.timing.zone(),
            hours: rule.timing.hours.clone(),
            misfire: rule.timing.misfire,
        })
    }

    fn hours_on(&self, clocks: &TimeZone) -> Vec<Hours> {
        self.hours.iter().map(|hours| hours.on(clocks)).collect()
    }

    /// The post for people whose clocks go alike.
    pub fn post(&self, post: &Post, part: &Part) -> Post {
        let clocks = part.zones.first().and_then(|(zone, _)| zone.clocks());
        let zoned = Zoned {
            wall: self.hour,
            opens_at: part.opens_at,
            late_at: part.opens_at + self.misfire,
            zones: part.zones.clone(),
            has_rest: part.has_rest,
            first: PostId(0),
            posts: 0,
        };
        let hours = clocks.map_or_else(|| self.hours.clone(), |clocks| self.hours_on(&clocks));
        Post { hours, zoned: Some(Box::new(zoned)), ..post.clone() }
    }
}

/// What a campaign that gathers by its readers' clocks is to do.
pub(super) enum Asked {
    /// What was due waits on.
    Waits(Vec<DraftId>),
    /// All that is gathered goes for this hour; what is left of it waits until then at least.
    Goes { hour: Wall, next: Timestamp },
    /// The line has no hour any more.
    Never,
}

/// Asks whether the hour has come to the first of the readers.
pub(super) async fn ask(
    options: &Options,
    rule: &Campaign,
    digest: &Digest,
    now: Timestamp,
) -> Result<Asked, StoreError> {
    let store = &options.store;
    let rest = rule.timing.zone();
    let told = told(options, &rule.channels).await?;
    let all: Vec<TimeZone> = told
        .values()
        .flatten()
        .map(|(zone, _)| zone)
        .chain([&rest])
        .filter_map(Zone::clocks)
        .collect();
    let gathering = store.load_gathering(&rule.name).await?;
    let Some((gathering, hour)) = gathered_for(options, rule, digest, gathering, &all, now).await?
    else {
        return Ok(Asked::Never);
    };
    let waits = async |until: Timestamp, why: &str| {
        let due = store.load_due_drafts(&rule.name, now, DRAFTS_MAX).await?;
        let touched = due.iter().map(|draft| draft.id).collect();
        let moved = due.into_iter().map(|draft| Draft { due_at: until, ..draft }).collect();
        store.commit_drafts(moved, why.to_owned(), now).await?;
        Ok(Asked::Waits(touched))
    };
    let why = format!("it is gathered for {hour} on each reader's own clock");
    // First without asking who of them reads, then exactly.
    if let Some(at) = first(&all, hour).filter(|at| *at > now) {
        return waits(at, &why).await;
    }
    let Audience { numbers, .. } = find(options, &rule.whom(), rule.reach.rule.as_ref()).await?;
    let clocks = |clocks: &TimeZone| hour.on(clocks);
    let parts = parts(&numbers, &told, &rest, &clocks);
    if let Some(part) = parts.first().filter(|part| part.opens_at > now) {
        return waits(part.opens_at, &why).await;
    }
    let later = next(&digest.rule, &all, Some(hour), now).and_then(|hour| first(&all, hour));
    let later = later.unwrap_or(now + DAY);
    let is_late = |part: &Part| now.since(part.opens_at) > rule.timing.misfire;
    if !parts.is_empty() && parts.iter().all(is_late) {
        let most = Span(rule.timing.misfire);
        tracing::warn!(campaign.id = %rule.name, %hour, "skipped a digest: it is later than {most}");
        options.meters.count_late();
        store.commit_gathering(&rule.name, gathering.past(hour)).await?;
        return waits(later, &format!("its hour was over for more than {most}")).await;
    }
    Ok(Asked::Goes { hour, next: later })
}

/// The hour for which the campaign gathers: the one that was kept, or the next one, which is kept.
async fn gathered_for(
    options: &Options,
    rule: &Campaign,
    digest: &Digest,
    gathering: Gathering,
    all: &[TimeZone],
    now: Timestamp,
) -> Result<Option<(Gathering, Wall)>, StoreError> {
    let kept = gathering.next.filter(|hour| has(&digest.rule, *hour));
    if let Some(hour) = kept {
        return Ok(Some((gathering, hour)));
    }
    let Some(hour) = next(&digest.rule, all, gathering.decided, now) else { return Ok(None) };
    let gathering = Gathering { next: Some(hour), ..gathering };
    options.store.commit_gathering(&rule.name, gathering).await?;
    Ok(Some((gathering, hour)))
}

/// Nothing more is made for the hour.
pub(super) async fn decide(
    options: &Options,
    campaign: &Name,
    hour: Wall,
) -> Result<(), StoreError> {
    let gathering = options.store.load_gathering(campaign).await?;
    options.store.commit_gathering(campaign, gathering.past(hour)).await
}

/// The zones that people of the channels have told.
pub(super) async fn told(options: &Options, channels: &[Name]) -> Result<Told, StoreError> {
    let mut told = Told::new();
    for channel in channels {
        told.insert(channel.clone(), options.store.load_zones(channel).await?);
    }
    Ok(told)
}
