//! Drafts: what waits to become a post, and the word on what waits to be looked at.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::admin::desk::{AskError, Desk};
use crate::model::item::ItemId;
use crate::model::post::{Content, Draft, DraftId, Hold, PostId};
use crate::store::{ReviewWord, Reviewed};

/// Most titles of one draft that are shown.
const TITLES_MAX: usize = 5;

impl Desk {
    /// Drafts that wait, without corrections: these say nothing new.
    pub(super) async fn drafts(&self, limit: usize) -> Result<Value, AskError> {
        let shown: BTreeMap<DraftId, PostId> = self.store.load_shown().await?.into_iter().collect();
        let mut rows = Vec::new();
        for draft in self.store.load_drafts(limit).await? {
            let titles = match &draft.content {
                Content::Items { items, .. } => {
                    let ids: Vec<ItemId> =
                        items.iter().take(TITLES_MAX).map(|told| told.item).collect();
                    let items = self.store.load_items(&ids).await?;
                    items.into_iter().map(|item| item.title).collect()
                }
                Content::OneOff(one) => vec![one.title.clone()],
                Content::Correction { .. } => continue,
            };
            rows.push(row(&draft, &titles, shown.get(&draft.id).copied()));
        }
        Ok(json!({ "drafts": rows }))
    }

    pub(super) async fn review(&self, of: Reviewed, word: ReviewWord) -> Result<Value, AskError> {
        if let Reviewed::Campaign(campaign) = &of
            && !self.campaigns.contains(campaign)
        {
            // One that left the settings may still have drafts.
            let held = self.store.load_held_drafts().await?;
            if !held.iter().any(|draft| draft.campaign() == Some(campaign)) {
                return Err(AskError::Refused(format!(
                    "no campaign `{campaign}`\n  hint: `tidings posts waiting` lists what waits"
                )));
            }
        }
        let drafts = self.store.commit_review(of, word, self.clock.now()).await?;
        if drafts == 0 {
            return Err(AskError::Refused(
                "nothing of it waits to be looked at\n  hint: `tidings posts waiting` lists what \
                 does; `tidings flood list` what is held because it is too much"
                    .to_owned(),
            ));
        }
        self.wakes.drafts.notify_one();
        Ok(json!({ "drafts": drafts }))
    }
}

fn row(draft: &Draft, titles: &[String], shown: Option<PostId>) -> Value {
    let held = match &draft.held {
        None => None,
        Some(Hold::Flood(_)) => Some("flood"),
        Some(Hold::Review) => Some("review"),
    };
    json!({
        "id": draft.id,
        "campaign": draft.campaign(),
        "file": draft.file(),
        "since": draft.created_at.to_string(),
        "due": draft.held.is_none().then(|| draft.due_at.to_string()),
        "held": held,
        "items": draft.told().len(),
        "titles": titles,
        "shown": shown,
    })
}
