//! Staged rollouts: when a stage is over, and what is made of it.

use crate::model::name::Name;
use crate::model::post::{Outcome, Reason};
use crate::model::rollout::{Quota, Seen};
use crate::model::time::Timestamp;
use crate::store::StoreError;
use crate::store::redb::ledger::Writing;
use crate::store::redb::report::count_left;
use crate::store::redb::rows::{Outcomes, PostRow};

/// A stage that was judged.
pub(super) struct Judged {
    pub post: u64,
    /// The stage in words.
    pub stage: String,
    /// Why it was paused, if it was.
    pub objection: Option<String>,
}

/// Most stages judged in one transaction.
const JUDGED_MAX: usize = 8;

/// Most posts that are looked at again when a channel is shut or opened; others are with their next
/// receipt.
const RECALLED_MAX: usize = 1_024;

impl Writing<'_> {
    /// Judges the stages that are due. A post that is paused meanwhile is judged once it goes on.
    pub fn judge_stages(&mut self, now: Timestamp) -> Result<Vec<Judged>, StoreError> {
        let mut judged = Vec::new();
        for _ in 0..JUDGED_MAX {
            let first = {
                let range = ..=(now.as_millis(), u64::MAX);
                self.tables.staged.keys(range)?.next().transpose()?.map(|key| key.value())
            };
            let Some((at, post)) = first else { break };
            self.tables.staged.remove((at, post))?;
            // It may have been pruned since.
            let Some(row) = self.tables.posts.load(post)? else { continue };
            let tally = self.tally(post)?;
            let is_over = tally.stopped.is_some() || tally.counts.is_finished();
            if tally.paused.is_none() && !is_over {
                judged.extend(self.judge_stage(post, &row, now)?);
            }
        }
        Ok(judged)
    }

    fn judge_stage(
        &mut self,
        post: u64,
        row: &PostRow,
        now: Timestamp,
    ) -> Result<Option<Judged>, StoreError> {
        let seen = self.seen(row, now)?;
        let tally = self.tally(post)?;
        let Some(rollout) = &mut tally.rollout else { return Ok(None) };
        let stage = rollout.words();
        let objection = rollout.stages.objection(seen);
        rollout.go_on();
        match &objection {
            Some(why) => tally.paused = Some(format!("{why} in {stage}")),
            None => self.join_line(post, &row.spans)?,
        }
        Ok(Some(Judged { post, stage, objection }))
    }

    /// What has become of the post up to now.
    fn seen(&mut self, row: &PostRow, now: Timestamp) -> Result<Seen, StoreError> {
        let mut seen = Seen::default();
        for span in &row.spans {
            for batch in span.first..span.first + span.batches {
                let Outcomes(bytes) = self.tables.outcomes.need(batch)?;
                for byte in bytes {
                    match Outcome::from_byte(byte) {
                        Some(Outcome::Sent) => seen.sent += 1,
                        Some(Outcome::Failed(reason)) if Reason::may_pass(reason) => {
                            seen.failed += 1;
                        }
                        _ => {}
                    }
                }
            }
        }
        let tables = &self.tables;
        let books = (&tables.people, &tables.outcomes, &tables.times);
        let left = count_left(books, &tables.withdrawals, row, Some(now))?;
        seen.left = left.values().sum();
        Ok(seen)
    }

    /// Notes when the stage of a post is to be judged, once everybody of it has an end. Who is left
    /// on a channel that nothing is sent on has no part in it; but somebody must have. Part of
    /// writing the tallies.
    pub fn end_stage(&mut self, post: u64) -> Result<(), StoreError> {
        let Some((tally, _)) = self.memory.tally(post) else { return Ok(()) };
        let Some(rollout) = &tally.rollout else { return Ok(()) };
        if tally.counts.in_flight > 0
            || tally.counts.waiting == 0
            || rollout.due_at.is_some()
            || rollout.is_last()
        {
            return Ok(());
        }
        let quotas: Vec<_> = rollout.quotas.iter().filter(|it| it.planned > 0).cloned().collect();
        let mut has_part = false;
        for Quota { channel, left, .. } in quotas {
            let is_left = left > 0 && self.open_batch(&channel, post)?.is_some();
            if is_left && !self.is_shut(&channel)? {
                return Ok(());
            }
            has_part |= !is_left;
        }
        if !has_part {
            return Ok(());
        }
        let Some((tally, _)) = self.memory.tally(post) else { return Ok(()) };
        let due_at = {
            let Some(rollout) = &mut tally.rollout else { return Ok(()) };
            let due_at = tally.touched_at + rollout.stages.wait;
            rollout.due_at = Some(due_at);
            due_at
        };
        self.tables.staged.insert((due_at.as_millis(), post))
    }

    /// Nothing is sent on the channel until somebody says so, or its credentials are good again.
    fn is_shut(&self, channel: &Name) -> Result<bool, StoreError> {
        if self.tables.halts.load(channel.as_str())?.is_some() {
            return Ok(true);
        }
        let state = self.tables.channels.load(channel.as_str())?;
        Ok(state.is_some_and(|state| state.paused.is_some()))
    }

    /// A channel was shut or opened: stages may be over that waited for it.
    pub fn recall_stages(&mut self, channel: &Name) -> Result<(), StoreError> {
        let mut from = 0;
        for _ in 0..RECALLED_MAX {
            let next = {
                let range = (channel.as_str(), from, 0)..=(channel.as_str(), u64::MAX, u64::MAX);
                let key = self.tables.open_batches.keys(range)?.next().transpose()?;
                key.map(|key| key.value().1)
            };
            let Some(post) = next else { break };
            // They are looked at as what changed.
            self.tally(post)?;
            from = post.saturating_add(1);
        }
        Ok(())
    }
}
