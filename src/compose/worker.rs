//! Turns drafts into posts when they are due.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use crate::compose::clocks::{Clocks, decide};
use crate::compose::commit::{commit_one, commit_parts};
use crate::compose::correct::{correct, look_again};
use crate::compose::set::{Composed, each_once, give_up, of_campaign, one_off};
use crate::compose::show::show_held;
use crate::compose::turn::{Due, Turn, turn};
use crate::compose::whom::{Audience, find, let_in, sweep};
use crate::model::audience::LateJoiners;
use crate::model::item::Item;
use crate::model::name::Name;
use crate::model::one_off::FilesTaken;
use crate::model::post::{Content, DraftId};
use crate::model::time::Timestamp;
use crate::runtime::shutdown::Stop;
use crate::store::StoreError;

pub use crate::compose::options::Options;

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
    plan_files(options).await?;
    while !stop.begin.is_cancelled() {
        let nudged = options.wakes.drafts.notified();
        let_in(options).await?;
        show_held(options).await?;
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
                let id = due.draft.id;
                let is_by_hand = matches!(due.draft.content, Content::OneOff(_));
                match compose(options, due).await {
                    // Somebody has cancelled or moved it in this moment.
                    Err(StoreError::Missing { what }) if is_by_hand => {
                        tracing::info!(draft.id = %id, "not sent: there is no {what} any more");
                    }
                    done => done?,
                }
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

/// Takes up the files that plan posts, as they were when the settings were read.
async fn plan_files(options: &Options) -> Result<(), StoreError> {
    let (files, now) = (options.files.to_vec(), options.clock.now());
    let FilesTaken { planned, changed, cancelled, late, over } =
        options.store.plan_files(files, now).await?;
    let tell = |names: Vec<Name>, what: &str| {
        names.iter().for_each(|name| tracing::info!(file.id = %name, "{what}"));
    };
    tell(planned, "planned the post of a file");
    tell(changed, "changed the post of a file");
    tell(cancelled, "cancelled the post of a file: the file is gone, or its time is past");
    tell(over, "a file was changed after its post was sent or cancelled: nothing comes of it");
    for name in late {
        tracing::warn!(file.id = %name, "not sent: the time of the file's post is past");
    }
    Ok(())
}

async fn compose(options: &Options, due: Due) -> Result<(), StoreError> {
    let Due { draft, others, hour } = due;
    let drafts: Vec<DraftId> = std::iter::once(draft.id).chain(others).collect();
    let is_by_hand = matches!(draft.content, Content::OneOff(_));
    let composed = match draft.content {
        Content::OneOff(one) => match one_off(options, *one) {
            Ok(composed) => Some(composed),
            Err(why) => {
                tracing::error!(draft.id = %draft.id, why, "not sent: its audience can't be read");
                let why = format!("its audience can't be read: {why}");
                return give_up(options, drafts, &why, options.clock.now()).await;
            }
        },
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
    let Some(composed) = composed else {
        let (why, now) = ("its campaign or its items are gone", options.clock.now());
        return give_up(options, drafts, why, now).await;
    };
    let audience = audience_of(options, &composed, draft.created_at).await?;
    let planned: usize = audience.numbers.iter().map(|(_, numbers)| numbers.len()).sum();
    if planned == 0 {
        let Audience { told, unwanted, .. } = audience;
        let why = match composed.updates {
            Some(_) => "whoever subscribes has it edited".to_owned(),
            None if unwanted > 0 => format!("its audience is none of {unwanted} who subscribe"),
            None if !told.is_empty() => told.join("; "),
            None => "nobody subscribes".to_owned(),
        };
        tracing::info!(draft.id = %draft.id, title = %composed.post.title, "not sent: {why}");
        if let (Some(clocks), Some(hour)) = (&composed.clocks, hour) {
            decide(options, &clocks.campaign, hour).await?;
        }
        return give_up(options, drafts, &why, options.clock.now()).await;
    }
    // Of an update it depends on what one got before who gets it: it is for who is there now.
    let is_open = composed.whom.late_joiners == LateJoiners::Include && composed.updates.is_none();
    let posts = match &composed.clocks {
        Some(clocks) => {
            let clocks = Clocks { hour, ..clocks.clone() };
            commit_parts(options, &clocks, &composed, drafts, &audience, is_open).await?
        }
        None => {
            let unmoved = is_by_hand.then_some((draft.id, draft.due_at));
            vec![commit_one(options, &composed, drafts, &audience, is_open, unmoved).await?]
        }
    };
    for post in &posts {
        if !composed.items.is_empty() {
            look_again(options, *post, &composed.items).await?;
        }
        options.meters.count_post();
    }
    if is_open {
        sweep(options, &posts, &composed.whom, &audience.numbers).await?;
    }
    let title = &composed.post.title;
    match posts.as_slice() {
        [post] => tracing::info!(post.id = %post, title, recipients = planned, "made a post"),
        posts => tracing::info!(
            post.id = %posts.first().copied().unwrap_or_default(),
            posts = posts.len(),
            title,
            recipients = planned,
            "made posts, one for all whose clocks go alike"
        ),
    }
    audience.numbers.iter().for_each(|(channel, _)| options.wakes.wake_channel(channel));
    Ok(())
}

/// Finds the audience of what was composed of a draft of `since`.
async fn audience_of(
    options: &Options,
    composed: &Composed,
    since: Timestamp,
) -> Result<Audience, StoreError> {
    let Composed { whom, rule, updates, .. } = composed;
    let mut found = find(options, whom, rule.as_ref()).await?;
    let Some((campaign, items)) = updates else { return Ok(found) };
    for (channel, numbers) in &mut found.numbers {
        let edited = options.store.load_corrected(campaign, items, channel, since).await?;
        numbers.retain(|number| !edited.contains(number));
    }
    found.numbers.retain(|(_, numbers)| !numbers.is_empty());
    Ok(found)
}
