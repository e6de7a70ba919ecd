//! Stories: what another source has told to a campaign already.

use crate::model::name::Name;
use crate::model::post::{Content, Draft, Story};
use crate::model::time::Timestamp;
use crate::model::trace::Happened;
use crate::store::redb::ledger::Writing;
use crate::store::redb::rows::StoryRow;
use crate::store::{LINK_TOLD_FOR, StoreError, TITLE_TOLD_FOR};

impl Writing<'_> {
    /// The draft of the source without the items whose story was told; what is left counts as
    /// told. `None` when nothing is left. A draft without stories is left as it is.
    pub fn untold(
        &mut self,
        mut draft: Draft,
        source: &Name,
        now: Timestamp,
    ) -> Result<Option<Draft>, StoreError> {
        let Content::Items { campaign, items, stories } = &mut draft.content else {
            return Ok(Some(draft));
        };
        let mut left = Vec::with_capacity(items.len());
        for told in items.iter().copied() {
            let story = stories.iter().find(|story| story.item == told.item);
            if let Some(story) = story {
                if self.is_told(campaign, story, source, now)? {
                    self.trace(told.item, now, Happened::Merged { campaign: campaign.clone() })?;
                    continue;
                }
                self.note_story(campaign, story, source, now)?;
            }
            left.push(told);
        }
        if left.is_empty() && !items.is_empty() {
            return Ok(None);
        }
        *items = left;
        Ok(Some(draft))
    }

    fn is_told(
        &self,
        campaign: &Name,
        story: &Story,
        source: &Name,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        for (hash, told_for) in [(story.link, LINK_TOLD_FOR), (story.title, TITLE_TOLD_FOR)] {
            let told = match hash {
                0 => None,
                hash => self.tables.stories.load((campaign.as_str(), hash))?,
            };
            if told.is_some_and(|told| told.source != *source && told.at + told_for > now) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn note_story(
        &mut self,
        campaign: &Name,
        story: &Story,
        source: &Name,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for hash in [story.link, story.title].into_iter().filter(|hash| *hash != 0) {
            let key = (campaign.as_str(), hash);
            if let Some(before) = self.tables.stories.load(key)? {
                let at = before.at.as_millis();
                self.tables.stories_by_age.remove((at, campaign.as_str(), hash))?;
            }
            self.tables.stories.put(key, &StoryRow { source: source.clone(), at: now })?;
            self.tables.stories_by_age.insert((now.as_millis(), campaign.as_str(), hash))?;
        }
        Ok(())
    }

    /// Forgets at most `limit` stories that are too old to matter; answers how many.
    pub fn prune_stories(&mut self, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
        let before = (now - LINK_TOLD_FOR).as_millis();
        let mut old = Vec::new();
        for key in self.tables.stories_by_age.keys(..(before, "", 0))?.take(limit) {
            let key = key?;
            let (at, campaign, hash) = key.value();
            old.push((at, campaign.to_owned(), hash));
        }
        for (at, campaign, hash) in &old {
            self.tables.stories_by_age.remove((*at, campaign, *hash))?;
            self.tables.stories.remove((campaign, *hash))?;
        }
        Ok(old.len())
    }
}
