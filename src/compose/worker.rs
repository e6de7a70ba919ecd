//! Turns drafts into posts when they are due.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use crate::compose::correct::{correct, look_again};
use crate::compose::set::{Composed, each_once, give_up, of_campaign, one_off};
use crate::compose::turn::{Due, Turn, turn};
use crate::model::item::Item;
use crate::model::name::Name;
use crate::model::post::{Content, DraftId};
use crate::runtime::shutdown::Stop;
use crate::store::{PostCommit, StoreError};

pub use crate::compose::set::Options;

/// Drafts taken at once.
const BATCH: usize = 64;

/// Without a nudge or a due draft the store is looked at this often.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// Composes what is due until *begin*.
///
/// Ends early only when the store fails, after saying so in the log.
pub async fn run(options: Options, stop: Stop) {
    if let Err(error) = work(&options, &stop).await {
        tracing::error!(%error, "composing stopped: the store did not answer");
    }
}

async fn work(options: &Options, stop: &Stop) -> Result<(), StoreError> {
    while !stop.begin.is_cancelled() {
        let nudged = options.wakes.drafts.notified();
        let drafts = options.store.lease_drafts(options.clock.now(), BATCH).await?;
        let count = drafts.len();
        let mut done = HashSet::new();
        for draft in drafts {
            if done.contains(&draft.id) {
                continue;
            }
            let Turn { due, touched } = turn(options, draft).await?;
            done.extend(touched);
            if let Some(due) = due {
                compose(options, due).await?;
            }
        }
        if count == BATCH {
            continue;
        }
        let next = options.store.next_draft_at().await?;
        let wait = next.map_or(LOOK_AGAIN, |at| options.clock.until(at).min(LOOK_AGAIN));
        tokio::select! {
            () = stop.begin.cancelled() => {}
            () = nudged => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
    Ok(())
}

async fn compose(options: &Options, due: Due) -> Result<(), StoreError> {
    let Due { draft, others } = due;
    let drafts: Vec<DraftId> = std::iter::once(draft.id).chain(others).collect();
    let composed = match draft.content {
        Content::OneOff { title, message, topics, channels } => {
            Some(one_off(options, &title, &message, topics, channels))
        }
        Content::Correction { post, retracted } => {
            return correct(options, draft.id, post, retracted).await;
        }
        Content::Items { campaign, items: told, .. } => {
            let items: Arc<[Item]> = options.store.load_items(&each_once(&told)).await?.into();
            let rule = options.campaigns.iter().find(|rule| rule.name == campaign);
            match rule {
                Some(rule) if !items.is_empty() => {
                    let mut composed = of_campaign(options, rule, &items, &told);
                    if rule.corrects.is_on() {
                        composed.correctable(rule, told, items);
                    }
                    Some(composed)
                }
                _ => {
                    tracing::warn!(
                        draft.id = %draft.id,
                        campaign.id = %campaign,
                        "dropped a draft: its campaign or its items are gone"
                    );
                    None
                }
            }
        }
    };
    let Some(Composed { post, topics, channels, updates, items, stages }) = composed else {
        let (why, now) = ("its campaign or its items are gone", options.clock.now());
        return give_up(options, drafts, why, now).await;
    };
    let mut audiences = Vec::new();
    for channel in channels {
        let mut numbers = options.store.load_audience(&channel, &topics).await?;
        if let Some((campaign, items)) = &updates {
            let (store, at) = (&options.store, draft.created_at);
            let edited = store.load_corrected(campaign, items, &channel, at).await?;
            numbers.retain(|number| !edited.contains(number));
        }
        if !numbers.is_empty() {
            audiences.push((channel, numbers));
        }
    }
    let planned: usize = audiences.iter().map(|(_, numbers)| numbers.len()).sum();
    if planned == 0 {
        let why = match updates {
            Some(_) => "whoever subscribes has it edited",
            None => "nobody subscribes",
        };
        tracing::info!(draft.id = %draft.id, title = %post.title, "not sent: {why}");
        return give_up(options, drafts, why, options.clock.now()).await;
    }
    let called: Vec<Name> = audiences.iter().map(|(channel, _)| channel.clone()).collect();
    let mut post = post;
    if let Some(stages) = stages {
        let sizes = audiences.iter().map(|(name, numbers)| (name.clone(), numbers.len() as u64));
        post.rollout = Some(Box::new(stages.begin(sizes)));
    }
    let title = post.title.clone();
    let id = options.store.commit_post(PostCommit { drafts, post, audiences }).await?;
    if !items.is_empty() {
        look_again(options, id, &items).await?;
    }
    options.meters.count_post();
    tracing::info!(post.id = %id, title = %title, recipients = planned, "made a post");
    called.iter().for_each(|channel| options.wakes.wake_channel(channel));
    Ok(())
}
