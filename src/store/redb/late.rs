//! People who subscribe while posts are on their way that late joiners get.
//!
//! ```text
//! post made ──▶ late_rules, unswept ──nobody waits any more──▶ (removed)
//!                └─────── everybody looked at once more ──▶ not unswept any more
//! somebody subscribes, some rule is for the channel ──▶ late ──judged──▶ a batch of its own
//! ```

use redb::ReadTransaction;

use crate::model::audience::Whom;
use crate::model::name::Name;
use crate::model::post::{BATCH_RECIPIENTS_MAX, Outcome, PostId};
use crate::model::subscriber::{Standing, Subscriber};
use crate::store::redb::ledger::{Writing, steps};
use crate::store::redb::poll::named;
use crate::store::redb::report::is_among;
use crate::store::redb::rows::{Outcomes, People, Span};
use crate::store::redb::tables::{LATE, LATE_RULES, POSTS, SUBSCRIBERS, UNSWEPT};
use crate::store::{LateCommit, LateLook, StoreError};

/// See `Store::lease_late`.
pub(super) fn lease_late(read: &ReadTransaction, limit: usize) -> Result<LateLook, StoreError> {
    let mut look = LateLook::default();
    let subscribers = SUBSCRIBERS.open(read)?;
    for key in LATE.open(read)?.keys(..)?.take(limit) {
        let key = key?;
        let (channel, number) = key.value();
        let person = subscribers.need((channel, number))?;
        look.people.push((named(channel)?, person));
    }
    let unswept = UNSWEPT.open(read)?;
    let (rules, posts) = (LATE_RULES.open(read)?, POSTS.open(read)?);
    let zoned = |post| Ok::<_, StoreError>(posts.load(post)?.and_then(|row| row.zoned));
    for key in unswept.keys(..)?.take(limit) {
        let post = key?.value();
        look.unswept.push((PostId(post), rules.need(post)?, zoned(post)?));
    }
    if look.people.is_empty() {
        return Ok(look);
    }
    for row in rules.rows(..)? {
        let (post, whom) = row?;
        let post = post.value();
        look.rules.push((PostId(post), whom, zoned(post)?));
    }
    Ok(look)
}

/// See `Store::commit_late`.
pub(super) fn commit_late(
    writing: &mut Writing<'_>,
    commit: &LateCommit,
) -> Result<u64, StoreError> {
    for (channel, number) in &commit.seen {
        writing.tables.late.remove((channel.as_str(), *number))?;
    }
    for post in &commit.swept {
        writing.tables.unswept.remove(post.0)?;
    }
    let mut joined = 0;
    for (post, channel, numbers) in &commit.joining {
        let is_open = writing.tables.late_rules.load(post.0)?.is_some();
        if is_open && writing.tally(post.0)?.stopped.is_none() {
            joined += writing.join_post(post.0, channel, numbers)?;
        }
    }
    Ok(joined)
}

impl Writing<'_> {
    /// Somebody is new on the channel, or wants more: posts on their way may be for them.
    pub fn note_late(
        &mut self,
        channel: &Name,
        before: Option<&Subscriber>,
        after: &Subscriber,
    ) -> Result<(), StoreError> {
        let was_in = before.is_some_and(|before| {
            let has_all = after.topics.iter().all(|topic| before.topics.contains(topic));
            before.standing == Standing::Active && before.is_counted() && has_all
        });
        if after.standing != Standing::Active || !after.is_counted() || was_in {
            return Ok(());
        }
        let is_wanted = {
            let mut is_wanted = false;
            for row in self.tables.late_rules.rows(..)? {
                is_wanted |= row?.1.channels.contains(channel);
            }
            is_wanted
        };
        match is_wanted {
            true => self.tables.late.insert((channel.as_str(), after.number)),
            false => Ok(()),
        }
    }

    /// Late joiners get the post from now on, and who came since its audience was found is yet to
    /// be looked for.
    pub fn open_to_late(&mut self, post: u64, whom: &Whom) -> Result<(), StoreError> {
        self.tables.unswept.insert(post)?;
        self.tables.late_rules.put(post, whom)
    }

    /// Adds who is not in the post yet, in a batch of their own; answers how many.
    fn join_post(&mut self, post: u64, channel: &Name, numbers: &[u32]) -> Result<u64, StoreError> {
        let mut row = self.tables.posts.need(post)?;
        let mut joining = Vec::new();
        let mut together = vec![row.spans.clone()];
        if let Some(zoned) = &row.zoned {
            // Those that were made with it say the same.
            for other in zoned.together().into_iter().filter(|other| other.0 != post) {
                together.extend(self.tables.posts.load(other.0)?.map(|row| row.spans));
            }
        }
        for number in numbers {
            let mut is_in = false;
            for spans in &together {
                is_in |= is_among(&self.tables.people, spans, channel.as_str(), *number)?;
            }
            if !is_in {
                joining.push(*number);
            }
        }
        joining.sort_unstable();
        joining.dedup();
        for part in joining.chunks(BATCH_RECIPIENTS_MAX) {
            let counters = self.counters()?;
            counters.batch += 1;
            let batch = counters.batch;
            let people = People { post, channel: channel.clone(), steps: steps(part) };
            self.tables.people.put(batch, &people)?;
            let outcomes = Outcomes(vec![Outcome::Waiting.to_byte(); part.len()]);
            self.tables.outcomes.put(batch, &outcomes)?;
            self.tables.open_batches.insert((channel.as_str(), post, batch))?;
            row.spans.push(Span { channel: channel.clone(), first: batch, batches: 1 });
        }
        if joining.is_empty() {
            return Ok(0);
        }
        self.tables.posts.put(post, &row)?;
        let joined = joining.len() as u64;
        let tally = self.tally(post)?;
        tally.counts.planned += joined;
        tally.counts.waiting += joined;
        self.join_line(post, &row.spans)?;
        Ok(joined)
    }
}
