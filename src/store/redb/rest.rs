//! What people have chosen to get later: once a day, once a week, not in their quiet hours.
//!
//! It is asked where a recipient is claimed, of the record that is read there anyway, and held with
//! an instant as what is too much for a day is: see `caps`, which lets it go. Whoever chooses anew
//! has what is held for them dated anew.

use std::sync::Arc;

use crate::model::choice::{URGENT_FROM, Wait};
use crate::model::name::Name;
use crate::model::post::Reason;
use crate::model::subscriber::Subscriber;
use crate::model::time::Timestamp;
use crate::store::redb::ledger::Writing;
use crate::store::redb::rows::{HeldRow, Release};
use crate::store::{Advance, StoreError};

/// Most posts whose topics are remembered between two groups.
const TOPICS_MAX: usize = 1_024;

impl Writing<'_> {
    /// When the post comes to somebody who has chosen so, and what it waits for; `None` where it may
    /// go now.
    ///
    /// What was held before and is claimed anew has had its time: it goes.
    pub fn rest_of(
        &mut self,
        release: &Release,
        person: &Subscriber,
        now: Timestamp,
    ) -> Result<Option<(Timestamp, Wait)>, StoreError> {
        let HeldRow { batch, index, .. } = release.held;
        if !person.choices.as_ref().is_some_and(|choices| choices.holds_back())
            || self.tally(release.post)?.priority >= URGENT_FROM
            || self.is_stamped(batch, index)?
        {
            return Ok(None);
        }
        let topics = self.topics_of(release.post)?;
        Ok(person.rests_until(&topics, now))
    }

    /// Keeps a delivery until then, when it comes by itself.
    pub fn hold_until(
        &mut self,
        step: &Advance,
        number: u32,
        release: Release,
        (until, wait): (Timestamp, Wait),
    ) -> Result<(), StoreError> {
        // How long it is held counts from then.
        let held = HeldRow { at: until, wait, ..release.held };
        self.hold(&step.channel, number, Release { held, ..release }, Some(step.now))?;
        self.stamp(held.batch, held.index, Some(step.now))?;
        self.tables.carried.insert((step.channel.as_str(), until.as_millis(), number))
    }

    /// Dates anew what the person's own choices hold, after they chose otherwise; what is of topics
    /// that they have left is let go.
    pub fn rest_anew(
        &mut self,
        channel: &Name,
        before: &Subscriber,
        after: &Subscriber,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let is_same = before.choices == after.choices
            && before.timezone == after.timezone
            && before.topics == after.topics;
        if is_same || before.choices.is_none() {
            return Ok(());
        }
        let number = after.number;
        for release in self.held_of(channel, number)? {
            let Release { post, held: row } = release;
            if !row.wait.is_chosen() {
                continue;
            }
            if self.has_left_topics(&release, after)? {
                let why = Reason::of_leaving(after.standing);
                self.let_go(channel, number, (post, row), why, Some(now))?;
                continue;
            }
            let topics = self.topics_of(post)?;
            let (at, wait) = after.rests_until(&topics, now).unwrap_or((now, row.wait));
            let name = channel.as_str();
            if self.unhold(name, number, post)?.is_some() {
                let dated = HeldRow { at, wait, ..row };
                self.tables.held.put((name, number, post), &dated)?;
                self.tables.held_by_age.insert((name, at.as_millis(), number, post))?;
                self.tables.carried.insert((name, at.as_millis(), number))?;
            }
        }
        Ok(())
    }

    /// Whether what is held for somebody comes by itself, because it was too much for a day.
    pub fn waits_for_day(&self, channel: &Name, number: u32) -> Result<bool, StoreError> {
        for Release { held: row, .. } in self.held_of(channel, number)? {
            let key = (channel.as_str(), row.at.as_millis(), number);
            if row.wait == Wait::Cap
                && self.tables.carried.keys(key..=key)?.next().transpose()?.is_some()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a post that came so often as the person chose is of topics that they have no more.
    pub fn has_left_topics(
        &mut self,
        release: &Release,
        person: &Subscriber,
    ) -> Result<bool, StoreError> {
        if !matches!(release.held.wait, Wait::Daily | Wait::Weekly) {
            return Ok(false);
        }
        let topics = self.topics_of(release.post)?;
        Ok(!topics.is_empty() && !topics.iter().any(|topic| person.topics.contains(topic)))
    }

    fn topics_of(&mut self, post: u64) -> Result<Arc<[Name]>, StoreError> {
        if let Some(known) = self.memory.topics.get(&post) {
            return Ok(Arc::clone(known));
        }
        let topics = self.tables.posts.load(post)?.map_or_else(Vec::new, |row| row.topics);
        if self.memory.topics.len() >= TOPICS_MAX {
            self.memory.topics.clear();
        }
        let topics: Arc<[Name]> = Arc::from(topics);
        self.memory.topics.insert(post, Arc::clone(&topics));
        Ok(topics)
    }
}

/// What of that which is held for somebody comes now: all but what waits for a later hour. What is
/// too much for a day comes together, whenever the first of it does.
pub(super) fn due(held: Vec<Release>, now: Timestamp) -> Vec<Release> {
    let of_day = |release: &Release| release.held.wait == Wait::Cap;
    let has_day_come = held.iter().any(|release| of_day(release) && release.held.at <= now);
    let is_due = |release: &Release| match release.held.wait {
        Wait::Contact => true,
        Wait::Cap => has_day_come,
        Wait::Daily | Wait::Weekly | Wait::Quiet => release.held.at <= now,
    };
    held.into_iter().filter(is_due).collect()
}
