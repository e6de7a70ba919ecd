//! From changes to drafts: which campaign wants which change, and when it is due.
//!
//! Pure: it knows no clock and no store, and promises nothing about what a draft will say; that
//! is decided when it is composed.

use crate::model::campaign::{Campaign, ChangeKind};
use crate::model::item::ItemId;
use crate::model::name::Name;
use crate::model::post::{Content, Draft, DraftId, Flood};
use crate::model::time::Timestamp;

/// The drafts that one poll's changes make, in the order of the campaigns, then of the changes.
///
/// `changes` are oldest first, each item at most once. A campaign of the source gets one draft
/// for each change that it is `on`, due at `now` and its settling time. When the poll is held,
/// its new items make one held draft per campaign instead; other changes go their usual way.
/// Ids are 0 until the drafts are committed.
pub fn drafts(
    source: &Name,
    changes: &[(ItemId, ChangeKind)],
    held: Option<&Flood>,
    campaigns: &[Campaign],
    now: Timestamp,
) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for campaign in campaigns.iter().filter(|campaign| campaign.sources.contains(source)) {
        let wanted = changes.iter().filter(|(_, kind)| campaign.on.contains(kind));
        let (kept, sent): (Vec<_>, Vec<_>) =
            wanted.partition(|(_, kind)| held.is_some() && *kind == ChangeKind::New);
        if !kept.is_empty() {
            let items = kept.iter().map(|(item, _)| *item).collect();
            drafts.push(draft(campaign, items, held, now));
        }
        drafts.extend(sent.iter().map(|(item, _)| draft(campaign, vec![*item], None, now)));
    }
    drafts
}

fn draft(campaign: &Campaign, items: Vec<ItemId>, held: Option<&Flood>, now: Timestamp) -> Draft {
    Draft {
        id: DraftId::default(),
        created_at: now,
        due_at: now + campaign.settle,
        content: Content::Items { campaign: campaign.name.clone(), items },
        held: held.cloned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::campaign::OnUncertain;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn campaign(called: &str, source: &str, on: &[ChangeKind], settle: u64) -> Campaign {
        Campaign {
            name: name(called),
            sources: vec![name("other"), name(source)],
            on: on.to_vec(),
            layout: name("article"),
            topics: vec![name("news")],
            channels: vec![name("bot")],
            settle: Duration::from_secs(settle),
            on_uncertain: OnUncertain::Skip,
        }
    }

    fn item(byte: u8) -> ItemId {
        ItemId([byte; 16])
    }

    fn told(drafts: &[Draft]) -> Vec<(String, Vec<u8>, i64, bool)> {
        drafts
            .iter()
            .map(|draft| match &draft.content {
                Content::Items { campaign, items } => (
                    campaign.to_string(),
                    items.iter().map(|item| item.0[0]).collect(),
                    draft.due_at.as_millis(),
                    draft.held.is_some(),
                ),
                Content::OneOff { title, .. } => (title.clone(), vec![], 0, false),
            })
            .collect()
    }

    #[test]
    fn every_campaign_of_the_source_gets_one_draft_a_change_that_it_is_on() {
        use ChangeKind::{New, Updated};
        let campaigns = [
            campaign("a", "blog", &[New], 0),
            campaign("b", "shop", &[New], 0),
            campaign("c", "blog", &[New, Updated], 300),
        ];
        let changes = [(item(1), New), (item(2), Updated), (item(3), New)];
        let drafts = drafts(&name("blog"), &changes, None, &campaigns, NOW);
        assert_eq!(
            told(&drafts),
            [
                ("a".into(), vec![1], 1_000_000, false),
                ("a".into(), vec![3], 1_000_000, false),
                ("c".into(), vec![1], 1_300_000, false),
                ("c".into(), vec![2], 1_300_000, false),
                ("c".into(), vec![3], 1_300_000, false),
            ]
        );
    }

    #[test]
    fn a_held_flood_gives_one_held_draft_a_campaign_and_leaves_edits_alone() {
        use ChangeKind::{New, Updated};
        let campaigns =
            [campaign("a", "blog", &[New], 0), campaign("c", "blog", &[Updated, New], 60)];
        let changes = [(item(1), New), (item(2), Updated), (item(3), New)];
        let flood = Flood { source: name("blog"), items: 200, reason: "too many".into() };
        let drafts = drafts(&name("blog"), &changes, Some(&flood), &campaigns, NOW);
        assert_eq!(
            told(&drafts),
            [
                ("a".into(), vec![1, 3], 1_000_000, true),
                ("c".into(), vec![1, 3], 1_060_000, true),
                ("c".into(), vec![2], 1_060_000, false),
            ]
        );
        assert_eq!(drafts[0].held, Some(flood));
    }

    #[test]
    fn a_flood_that_no_campaign_wants_makes_no_draft() {
        let flood = Flood { source: name("blog"), items: 200, reason: "too many".into() };
        let campaigns = [campaign("a", "blog", &[ChangeKind::Updated], 0)];
        let changes = [(item(1), ChangeKind::New)];
        assert_eq!(drafts(&name("blog"), &changes, Some(&flood), &campaigns, NOW), []);
    }
}
