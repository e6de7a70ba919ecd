//! What waits to be looked at goes to its reviewers first, as others will get it.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::compose::options::Options;
use crate::compose::set::{Composed, each_once, of_campaign};
use crate::compose::whom::addresses;
use crate::model::audience::Whom;
use crate::model::campaign::Campaign;
use crate::model::control::{DROP_PAYLOAD, Priority, RELEASE_PAYLOAD};
use crate::model::item::Item;
use crate::model::message::{Action, Button, Message, Module};
use crate::model::post::{Content, Draft, DraftId, Hold};
use crate::model::rich::RichText;
use crate::store::{PostCommit, PostRole, StoreError};

/// Sends each held draft of a campaign with reviewers to them, once.
pub(super) async fn show_held(options: &Options) -> Result<(), StoreError> {
    if options.campaigns.iter().all(|rule| rule.reach.reviewers.is_empty()) {
        return Ok(());
    }
    let held = options.store.load_held_drafts().await?;
    if held.iter().all(|draft| draft.held != Some(Hold::Review)) {
        return Ok(());
    }
    let shown = options.store.load_shown().await?;
    let shown: BTreeSet<DraftId> = shown.into_iter().map(|(draft, _)| draft).collect();
    for draft in held {
        if draft.held != Some(Hold::Review) || shown.contains(&draft.id) {
            continue;
        }
        let Content::Items { campaign, .. } = &draft.content else { continue };
        let rule = options.campaigns.iter().find(|rule| rule.name == *campaign);
        if let Some(rule) = rule.filter(|rule| !rule.reach.reviewers.is_empty()) {
            match show(options, rule, &draft).await {
                // Somebody has decided meanwhile.
                Ok(()) | Err(StoreError::Missing { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

async fn show(options: &Options, rule: &Campaign, draft: &Draft) -> Result<(), StoreError> {
    let Content::Items { items: told, .. } = &draft.content else { return Ok(()) };
    let items: Arc<[Item]> = options.store.load_items(&each_once(told)).await?.into();
    if items.is_empty() {
        return Ok(());
    }
    let Composed { mut post, whom: Whom { channels, .. }, .. } =
        of_campaign(options, rule, &items, told);
    for body in &mut post.bodies {
        sign(Arc::make_mut(&mut body.message), rule.name.as_str(), draft.id);
    }
    // Set for each, it would come without its buttons.
    post.personal = None;
    post.campaign = None;
    post.title = format!("to be looked at: {}", post.title);
    post.priority = Priority::HIGH;
    let mut audiences = Vec::new();
    for channel in channels {
        let reviewers = addresses(&rule.reach.reviewers, &channel);
        if !reviewers.is_empty() {
            let numbers = options.store.commit_chats(&channel, reviewers).await?;
            audiences.push((channel, numbers));
        }
    }
    let called: Vec<_> = audiences.iter().map(|(channel, _)| channel.clone()).collect();
    let commit = PostCommit { drafts: vec![], post, audiences };
    let role = PostRole { shows: Some(draft.id), ..PostRole::default() };
    let id = options.store.commit_post_as(commit, role).await?;
    tracing::info!(draft.id = %draft.id, post.id = %id, "showed a draft to its reviewers");
    called.iter().for_each(|channel| options.wakes.wake_channel(channel));
    Ok(())
}

/// Adds the words and buttons by which a reviewer decides.
fn sign(message: &mut Message, campaign: &str, draft: DraftId) {
    let words =
        format!("To be looked at: draft {draft} of {campaign}. Nobody else has got it yet.");
    let button = |label: &str, payload: &str| {
        Button::new(label, Action::Postback { payload: format!("{payload}{draft}") })
    };
    let buttons = vec![button("Send it", RELEASE_PAYLOAD), button("Never send it", DROP_PAYLOAD)];
    message.modules.push(Module::Text { text: RichText::from_plain(&words), buttons });
}
