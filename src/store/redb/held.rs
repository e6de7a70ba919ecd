//! What is held for people until they are in contact again: bounded, and not for ever.

use std::collections::HashSet;
use std::time::Duration;

use crate::model::lane::HELD_PER_PERSON_MAX;
use crate::model::message::{Card, Message, Module};
use crate::model::name::Name;
use crate::model::post::{Answer, HELD_CARDS_MAX, Outcome, Reason};
use crate::model::time::Timestamp;
use crate::store::StoreError;
use crate::store::redb::ledger::Writing;
use crate::store::redb::rows::{AnswerRow, HeldRow, Release};

/// Most held deliveries that expire in one transaction.
const EXPIRED_MAX: usize = 256;

impl Writing<'_> {
    /// Keeps a delivery for the person's next contact. The oldest goes when there are too many.
    ///
    /// What was held before keeps its time: what its carousel could not bring does not grow young.
    pub fn hold(
        &mut self,
        channel: &Name,
        number: u32,
        release: Release,
        now: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let Release { post, held } = release;
        let is_new = held.at == Timestamp::default();
        let at = match (is_new, now) {
            (false, _) => held.at,
            (true, Some(now)) => now,
            (true, None) => self.tally(post)?.touched_at,
        };
        let held = HeldRow { at, ..held };
        self.turn(held.batch, held.index, Outcome::Held)?;
        if is_new {
            self.stamp(held.batch, held.index, now)?;
        }
        self.tables.held.put((channel.as_str(), number, post), &held)?;
        self.tables.held_by_age.insert((channel.as_str(), at.as_millis(), number, post))?;
        let oldest = {
            let range = (channel.as_str(), number, 0)..=(channel.as_str(), number, u64::MAX);
            let mut rows = self.tables.held.rows(range)?.rev().skip(HELD_PER_PERSON_MAX);
            rows.next().transpose()?.map(|(key, row)| (key.value().2, row))
        };
        match oldest {
            Some((post, row)) => self.let_go(channel, number, (post, row), Reason::Superseded, now),
            None => Ok(()),
        }
    }

    /// What is held for somebody, of the oldest post first.
    pub fn held_of(&self, channel: &Name, number: u32) -> Result<Vec<Release>, StoreError> {
        let range = (channel.as_str(), number, 0)..=(channel.as_str(), number, u64::MAX);
        let rows = self.tables.held.rows(range)?;
        rows.map(|row| row.map(|(key, held)| Release { post: key.value().2, held })).collect()
    }

    /// Takes a delivery out of what is held for somebody; `None` when it is not there.
    pub fn unhold(
        &mut self,
        channel: &str,
        number: u32,
        post: u64,
    ) -> Result<Option<HeldRow>, StoreError> {
        let Some(row) = self.tables.held.load((channel, number, post))? else { return Ok(None) };
        self.tables.held.remove((channel, number, post))?;
        self.tables.held_by_age.remove((channel, row.at.as_millis(), number, post))?;
        Ok(Some(row))
    }

    /// Skips what was held for too long on the channel.
    pub fn expire_held(
        &mut self,
        channel: &Name,
        held_for: Duration,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for _ in 0..EXPIRED_MAX {
            let before = (now - held_for).as_millis();
            let first = {
                let range = (channel.as_str(), i64::MIN, 0, 0)
                    ..=(channel.as_str(), before, u32::MAX, u64::MAX);
                let key = self.tables.held_by_age.keys(range)?.next().transpose()?;
                key.map(|key| {
                    let (_, at, number, post) = key.value();
                    (at, number, post)
                })
            };
            let Some((at, number, post)) = first else { break };
            self.tables.held_by_age.remove((channel.as_str(), at, number, post))?;
            let row = self.tables.held.load((channel.as_str(), number, post))?;
            if let Some(row) = row.filter(|row| row.at.as_millis() == at) {
                self.let_go(channel, number, (post, row), Reason::Expired, Some(now))?;
            }
        }
        Ok(())
    }

    /// Skips what is held for somebody.
    pub fn let_go(
        &mut self,
        channel: &Name,
        number: u32,
        (post, row): (u64, HeldRow),
        why: Reason,
        now: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.unhold(channel.as_str(), number, post)?;
        self.turn(row.batch, row.index, Outcome::Skipped(why))?;
        self.stamp(row.batch, row.index, now)?;
        self.note(post, None, now)
    }

    /// Makes one answer of what was held, newest first, each card once. What waits for an hour of
    /// the person's own goes on waiting.
    pub fn release_held(
        &mut self,
        channel: &Name,
        address: &str,
        number: u32,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut held = self.held_of(channel, number)?;
        held.retain(|release| !release.held.wait.is_chosen() || release.held.at <= now);
        held.reverse();
        let mut cards: Vec<Card> = Vec::new();
        let mut shown = HashSet::new();
        let mut releases = Vec::new();
        for release in held {
            self.unhold(channel.as_str(), number, release.post)?;
            let HeldRow { batch, index, .. } = release.held;
            if self.tally(release.post)?.stopped.is_some() {
                self.turn(batch, index, Outcome::Skipped(Reason::PostStopped))?;
                continue;
            }
            let post = self.tables.posts.need(release.post)?;
            let own = if post.cards.is_empty() { vec![title_card(post.title)] } else { post.cards };
            let fresh: Vec<Card> =
                own.into_iter().filter(|card| !shown.contains(&sign(card))).collect();
            if !fresh.is_empty() && cards.len() >= HELD_CARDS_MAX {
                self.turn(batch, index, Outcome::Skipped(Reason::Superseded))?;
                continue;
            }
            for card in fresh {
                // One post may tell the same thing twice, too.
                if cards.len() < HELD_CARDS_MAX && shown.insert(sign(&card)) {
                    cards.push(card);
                }
            }
            releases.push(release);
        }
        if releases.is_empty() {
            return Ok(());
        }
        let message = Message::from(vec![Module::Cards(cards)]);
        let answer = Answer { message, tap: None, ask: None };
        let row = AnswerRow { number: Some(number), language: None, answer, part: 0, releases };
        self.add_answer(channel, address, &row)?;
        Ok(())
    }
}

/// What tells one thing from another: where it leads, else how it is called.
fn sign(card: &Card) -> String {
    card.link.clone().unwrap_or_else(|| card.title.clone())
}

/// What stands for a post without cards.
pub(super) fn title_card(title: String) -> Card {
    Card { title, subtitle: String::new(), image: None, link: None, buttons: Vec::new() }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::model::cap::Caps;
    use crate::model::day::Days;
    use crate::store::redb::trial::{NOW, bot, post, store};
    use crate::store::{Advance, Store};

    #[tokio::test]
    async fn nothing_is_left_of_what_was_carried_over_where_there_are_no_windows() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        let caps = Caps {
            days: Days::utc(),
            carry_at: jiff::civil::time(9, 0, 0, 0),
            usual: Some(1),
            campaigns: vec![],
        };
        let until = caps.carried_until(NOW);
        let caps = Some(Arc::new(caps));
        let step = |now| Advance {
            channel: bot(),
            receipts: vec![],
            claims: 10,
            resting: vec![],
            caps: caps.clone(),
            ways: Default::default(),
            now,
        };
        for _ in 0..2 {
            post(&store, 2).await;
        }
        assert_eq!(store.advance(step(NOW)).await.unwrap().len(), 2);
        let aged = || store.write(|writing| writing.tables.held_by_age.len());
        assert_eq!(aged().await.unwrap(), 2);
        assert_eq!(store.advance(step(until)).await.unwrap().len(), 2);
        assert_eq!(aged().await.unwrap(), 0);
    }
}
