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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::post::{DraftId, Told};
    use crate::model::rich::RichText;
    use crate::model::time::Timestamp;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn campaign(called: &str, sources: &[&str]) -> Campaign {
        Campaign {
            name: name(called),
            sources: sources.iter().map(|source| name(source)).collect(),
            on: ChangeKind::ALL.to_vec(),
            min_step: Default::default(),
            layout: name("article"),
            topics: vec![],
            channels: vec![],
            settle: std::time::Duration::ZERO,
            on_uncertain: Default::default(),
            corrects: Default::default(),
            priority: Default::default(),
            when: None,
            timing: Default::default(),
            stages: None,
            reach: Default::default(),
            utility: None,
            is_marketing: false,
            watch: false,
        }
    }

    fn item(byte: u8, link: &str) -> Item {
        Item {
            id: ItemId([byte; 16]),
            source: name("a"),
            guid: String::new(),
            title: "A title that is long enough".to_owned(),
            link: Some(link.to_owned()),
            summary: RichText::default(),
            body: RichText::default(),
            published: None,
            updated: None,
            first_seen: Timestamp::default(),
            authors: vec![],
            tags: vec![],
            language: None,
            image: None,
            media: vec![],
            offer: None,
        }
    }

    fn draft(campaign: &str, kind: ChangeKind) -> Draft {
        let told = |byte| Told { item: ItemId([byte; 16]), kind, price: None };
        let content = Content::Items {
            campaign: name(campaign),
            items: vec![told(1), told(2)],
            stories: vec![],
        };
        let (created_at, due_at) = Default::default();
        Draft { id: DraftId(0), created_at, due_at, content, held: None }
    }

    #[test]
    fn only_news_for_campaigns_of_several_sources_have_stories() {
        let campaigns = [campaign("one", &["a"]), campaign("two", &["a", "b"])];
        let items = [item(1, "https://e.org/1?utm_source=x"), item(2, "https://e.org/")];
        let stories = |campaign: &str, kind| {
            let mut drafts = [draft(campaign, kind)];
            mark(&mut drafts, &items, &campaigns);
            let [Draft { content: Content::Items { stories, .. }, .. }] = drafts else { panic!() };
            stories
        };
        let marked = stories("two", ChangeKind::New);
        assert_eq!(marked, [story(&items[0]), story(&items[1])]);
        assert_eq!(marked[0].link, story(&item(9, "http://www.e.org/1")).link);
        assert_eq!((marked[1].link, marked[1].title), (0, marked[0].title), "a home page");
        assert_eq!(stories("two", ChangeKind::Updated).len(), 2);
        assert_eq!(stories("two", ChangeKind::PriceDrop), []);
        assert_eq!(stories("one", ChangeKind::New), []);
        assert_eq!(stories("gone", ChangeKind::New), []);
    }
}
