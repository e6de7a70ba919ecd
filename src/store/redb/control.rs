//! The admins' word on one post, and the line in which posts wait for their turn.
//!
//! `turns` names, by channel and rank, the posts of which somebody may be claimed. A post that is
//! paused is not in it; one of which nobody waits any more, or whose hours are closed, may still
//! be, until its turn comes.

use crate::model::control::{Obeyed, PostWord, Priority};
use crate::model::name::Name;
use crate::model::post::PostId;
use crate::model::time::Timestamp;
use crate::store::StoreError;
use crate::store::redb::chores::{BATCHES_MAX, Hand, Progress, Task};
use crate::store::redb::deliver::stop_post;
use crate::store::redb::ledger::Writing;
use crate::store::redb::rows::Span;

/// The first part of `Store::commit_word`; what is left of it is a chore in this hand.
pub(super) fn obey(
    writing: &mut Writing<'_>,
    post: PostId,
    word: &PostWord,
    hand: &Hand,
    now: Timestamp,
) -> Result<(Obeyed, Progress), StoreError> {
    let missing = || StoreError::Missing { what: format!("post {post}") };
    let row = writing.tables.posts.load(post.0)?.ok_or_else(missing)?;
    let channels = row.spans.iter().map(|span| span.channel.clone()).collect();
    let tally = writing.tally(post.0)?;
    let (counts, priority) = (tally.counts, tally.priority);
    let is_paused = tally.paused.is_some();
    if let Some(why) = &tally.stopped {
        return Ok(refused(format!("it was stopped: {why}")));
    }
    let of_all = |done| Progress { done, is_left: false };
    let progress = match word {
        PostWord::Pause { .. } | PostWord::Cancel { .. }
            if counts.is_finished()
                && (counts.held == 0 || matches!(word, PostWord::Pause { .. })) =>
        {
            return Ok(refused("it is finished: nobody waits for it any more".into()));
        }
        PostWord::Resume if !is_paused => return Ok(refused("it is not paused".into())),
        PostWord::Pause { why } => {
            tally.paused = Some(why.clone());
            writing.leave_line(post.0, &row.spans, priority)?;
            of_all(counts.waiting)
        }
        PostWord::Resume => {
            tally.paused = None;
            if let Some(due_at) = tally.rollout.as_ref().and_then(|rollout| rollout.due_at) {
                writing.tables.staged.insert((due_at.as_millis(), post.0))?;
            }
            writing.join_line(post.0, &row.spans)?;
            of_all(counts.waiting)
        }
        PostWord::Cancel { why } => stop_post(writing, post, why, hand)?,
        PostWord::Retry { reasons, uncertain } => {
            if let Some(wrong) = reasons.iter().find(|reason| !reason.may_pass()) {
                return Ok(refused(format!(
                    "who failed as `{}` has left or can't be reached for good: they are not tried \
                     again",
                    wrong.as_str()
                )));
            }
            if writing.tables.chores.load(post.0)?.is_some() {
                return Ok(refused("others of it are just made to wait again".into()));
            }
            let task = Task::Retry { reasons: reasons.clone(), uncertain: *uncertain };
            writing.begin_chore(post, task, hand, BATCHES_MAX)?
        }
        PostWord::Rank { priority: to } => {
            tally.priority = *to;
            writing.leave_line(post.0, &row.spans, priority)?;
            writing.join_line(post.0, &row.spans)?;
            of_all(counts.waiting)
        }
    };
    writing.note(post.0, None, Some(now))?;
    Ok((Obeyed::Done { recipients: progress.done, channels }, progress))
}

fn refused(why: String) -> (Obeyed, Progress) {
    (Obeyed::Refused { why }, Progress::default())
}

impl Writing<'_> {
    /// The post whose turn it is on the channel: of the highest priority that has one which does
    /// not rest, the one after the post that was served last.
    pub fn next_in_line(
        &self,
        channel: &Name,
        resting: &[PostId],
    ) -> Result<Option<(u8, u64)>, StoreError> {
        let mut from = 0u8;
        loop {
            let Some(rank) = self.first_rank(channel, from)? else { return Ok(None) };
            let served = self.memory.served.get(&(channel.clone(), rank)).copied().unwrap_or(0);
            let next = match self.first_awake(channel, rank, served.saturating_add(1), resting)? {
                Some(post) => Some(post),
                None => self.first_awake(channel, rank, 0, resting)?,
            };
            if let Some(post) = next {
                return Ok(Some((rank, post)));
            }
            match rank.checked_add(1) {
                Some(lower) => from = lower,
                None => return Ok(None),
            }
        }
    }

    /// Whether several posts take turns on the channel.
    pub fn is_line_shared(&self, channel: &Name) -> Result<bool, StoreError> {
        let name = channel.as_str();
        let line = self.tables.turns.keys((name, 0, 0)..=(name, u8::MAX, u64::MAX))?;
        Ok(line.take(2).count() > 1)
    }

    fn first_rank(&self, channel: &Name, from: u8) -> Result<Option<u8>, StoreError> {
        let name = channel.as_str();
        let range = (name, from, 0)..=(name, u8::MAX, u64::MAX);
        let key = self.tables.turns.keys(range)?.next().transpose()?;
        Ok(key.map(|key| key.value().1))
    }

    /// The first post of the rank at or after `from` that does not rest.
    fn first_awake(
        &self,
        channel: &Name,
        rank: u8,
        from: u64,
        resting: &[PostId],
    ) -> Result<Option<u64>, StoreError> {
        let name = channel.as_str();
        for key in self.tables.turns.keys((name, rank, from)..=(name, rank, u64::MAX))? {
            let post = key?.value().2;
            if !resting.contains(&PostId(post)) {
                return Ok(Some(post));
            }
        }
        Ok(None)
    }

    /// Nobody of the post is claimed any more.
    pub fn leave_line(
        &mut self,
        post: u64,
        spans: &[Span],
        priority: Priority,
    ) -> Result<(), StoreError> {
        for span in spans {
            self.tables.turns.remove((span.channel.as_str(), priority.rank(), post))?;
        }
        Ok(())
    }

    /// The post takes its place where somebody waits for it.
    pub fn join_line(&mut self, post: u64, spans: &[Span]) -> Result<(), StoreError> {
        let rank = self.tally(post)?.priority.rank();
        for span in spans {
            let goes_on = self.tally(post)?.goes_on(&span.channel);
            if goes_on && self.open_batch(&span.channel, post)?.is_some() {
                self.tables.turns.insert((span.channel.as_str(), rank, post))?;
            }
        }
        Ok(())
    }
}
