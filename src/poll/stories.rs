//! Which drafts may tell what another source has told already.

use std::collections::HashMap;

use crate::extract::story::story;
use crate::model::campaign::{Campaign, ChangeKind};
use crate::model::item::{Item, ItemId};
use crate::model::name::Name;
use crate::model::post::{Content, Draft, Story};

/// Gives the drafts of campaigns with several sources the stories of their new and edited items,
/// so that the store keeps each from being told twice.
///
/// What happens to a product's price and stock is its own shop's story and is left alone.
pub(crate) fn mark(drafts: &mut [Draft], items: &[Item], campaigns: &[Campaign]) {
    let has_several = |name: &Name| {
        campaigns.iter().any(|campaign| campaign.name == *name && campaign.sources.len() > 1)
    };
    let mut known: Option<HashMap<ItemId, Story>> = None;
    for draft in drafts {
        let Content::Items { campaign, items: told, stories } = &mut draft.content else {
            continue;
        };
        if !has_several(campaign) {
            continue;
        }
        let known =
            known.get_or_insert_with(|| items.iter().map(|item| (item.id, story(item))).collect());
        let tells = |kind| matches!(kind, ChangeKind::New | ChangeKind::Updated);
        let of_told = told.iter().filter(|told| tells(told.kind));
        stories.extend(of_told.filter_map(|told| known.get(&told.item)));
    }
}
