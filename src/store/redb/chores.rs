//! Words on a post that take more than one transaction: who waits is skipped, who failed waits
//! again.
//!
//! 1. The first part is done with the word itself; what is left stands in `chores`.
//! 2. Whoever said the word has the next parts done, one transaction each, and others come between.
//! 3. What nobody goes on with, after a crash or when whoever asked is gone, is done by `advance`.
//!
//! A post that was stopped is claimed by nobody from the first part on; who is to be tried again is
//! so part by part.

use std::sync::{Arc, Weak};

use serde::{Deserialize, Serialize};

use crate::model::post::{Outcome, PostId, Reason};
use crate::model::subscriber::Standing;
use crate::store::StoreError;
use crate::store::redb::ledger::Writing;
use crate::store::redb::rows::Span;

/// Most batches of one part.
pub(super) const BATCHES_MAX: usize = 64;

/// What is left to be done with a post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Chore {
    pub task: Task,
    /// The first batch that was not looked at.
    pub next: u64,
    /// How many recipients it has touched.
    pub done: u64,
}

/// What is done with each batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Task {
    /// Who waits, or for whom it is held, is skipped.
    Skip,
    /// Who failed for one of these reasons (none: for any that may pass) waits again.
    Retry { reasons: Vec<Reason>, uncertain: bool },
}

/// How far a chore is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// How many recipients it has touched.
    pub done: u64,
    pub is_left: bool,
}

/// Held by whoever goes on with a chore. Without it, `advance` does.
#[derive(Clone, Debug, Default)]
pub(super) struct Hand(Arc<()>);

impl Hand {
    fn lent(&self) -> Weak<()> {
        Arc::downgrade(&self.0)
    }
}

impl Writing<'_> {
    /// Begins a chore, in the place of one that is under way, and does at most so many batches.
    pub fn begin_chore(
        &mut self,
        post: PostId,
        task: Task,
        hand: &Hand,
        most: usize,
    ) -> Result<Progress, StoreError> {
        self.memory.hands.insert(post.0, hand.lent());
        self.tables.chores.put(post.0, &Chore { task, next: 0, done: 0 })?;
        self.do_chore(post, most)
    }

    /// Does at most so many batches more of what is left to be done with the post; nothing is left
    /// where there is no chore (any more).
    pub fn do_chore(&mut self, post: PostId, most: usize) -> Result<Progress, StoreError> {
        let Some(mut chore) = self.tables.chores.load(post.0)? else {
            return Ok(Progress::default());
        };
        let spans = self.tables.posts.load(post.0)?.map_or(Vec::new(), |row| row.spans);
        let mut left = most;
        let mut is_left = false;
        'all: for span in &spans {
            for batch in span.first.max(chore.next)..span.first + span.batches {
                if left == 0 {
                    is_left = true;
                    break 'all;
                }
                left -= 1;
                chore.done += match &chore.task {
                    Task::Skip => self.skip_batch(post.0, span, batch)?,
                    Task::Retry { reasons, uncertain } => {
                        self.retry_batch(span, batch, reasons, *uncertain)?
                    }
                };
                chore.next = batch + 1;
            }
        }
        match is_left {
            true => self.tables.chores.put(post.0, &chore)?,
            false => {
                self.tables.chores.remove(post.0)?;
                self.memory.hands.remove(&post.0);
            }
        }
        Ok(Progress { done: chore.done, is_left })
    }

    /// Does a part of a chore that nobody goes on with; answers whether there was one.
    pub fn do_idle_chore(&mut self) -> Result<bool, StoreError> {
        let mut idle = None;
        for row in self.tables.chores.rows(..)? {
            let post = row?.0.value();
            if self.memory.hands.get(&post).is_none_or(|hand| hand.strong_count() == 0) {
                idle = Some(PostId(post));
                break;
            }
        }
        match idle {
            Some(post) => self.do_chore(post, BATCHES_MAX).map(|_| true),
            None => Ok(false),
        }
    }

    /// Skips who waits in the batch and for whom it is held; answers how many.
    fn skip_batch(&mut self, post: u64, span: &Span, batch: u64) -> Result<u64, StoreError> {
        self.forget_parts(batch)?;
        let mut skipped = 0;
        for (index, number) in (0u16..).zip(self.sheet(batch)?.numbers.clone()) {
            let is_skipped = match self.outcome(batch, index)? {
                Outcome::Waiting => true,
                // One that is on its way in an answer is not in the table any more.
                Outcome::Held => self.unhold(span.channel.as_str(), number, post)?.is_some(),
                _ => false,
            };
            if is_skipped {
                self.turn(batch, index, Outcome::Skipped(Reason::PostStopped))?;
                skipped += 1;
            }
        }
        Ok(skipped)
    }

    /// Lets wait again who failed and is still with us; answers how many.
    fn retry_batch(
        &mut self,
        span: &Span,
        batch: u64,
        reasons: &[Reason],
        uncertain: bool,
    ) -> Result<u64, StoreError> {
        let is_meant = |outcome: Outcome| match outcome {
            Outcome::Failed(reason) if reasons.is_empty() => reason.may_pass(),
            Outcome::Failed(reason) => reasons.contains(&reason),
            Outcome::Uncertain => uncertain,
            _ => false,
        };
        let mut again = 0;
        for (index, number) in (0u16..).zip(self.sheet(batch)?.numbers.clone()) {
            if !is_meant(self.outcome(batch, index)?) {
                continue;
            }
            let key = (span.channel.as_str(), number);
            let person = self.tables.subscribers.load(key)?;
            if person.is_some_and(|person| person.standing == Standing::Active) {
                self.turn(batch, index, Outcome::Waiting)?;
                again += 1;
            }
        }
        Ok(again)
    }
}

#[cfg(test)]
mod tests;
