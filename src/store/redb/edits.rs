//! Corrections of posts: which are wanted, which messages they touch, and what became of them.
//!
//! Of every recipient it is known which revision their messages show, so there is no cursor that
//! could be lost: who has an older one is edited, after a crash as before. `open_edits` only names
//! the batches in which it is worth looking.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use redb::ReadTransaction;

use crate::model::correction::{
    Correction, Corrections, EditAt, EditClaim, EditEnd, EditReceipt, KEPT_MESSAGES_MAX, Kept,
};
use crate::model::item::{Item, ItemId};
use crate::model::name::Name;
use crate::model::post::{Content, Draft, DraftId, Outcome, PostId, Receipt};
use crate::model::subscriber::Standing;
use crate::model::time::Timestamp;
use crate::model::trace::Happened;
use crate::store::redb::chores::Hand;
use crate::store::redb::deliver::{recipient, stop_post};
use crate::store::redb::ledger::{Writing, numbers};
use crate::store::redb::rows::{Outcomes, PostRow, SentRow};
use crate::store::redb::sent::Sent;
use crate::store::redb::tables::{
    CORRECTIONS, OPEN_EDITS, OUTCOMES, PEOPLE, POSTS, SENT, SUBSCRIBERS, TOLD,
};
use crate::store::{CorrectionCommit, StoreError};

/// How long after its window the edits of a post may go on.
const EDITED_FOR: Duration = Duration::from_secs(6 * 3_600);

/// What waiting recipients of a post are told by its report once its source took it back.
const TAKEN_BACK: &str = "the source took it back";

/// See `Store::lease_edits`.
pub(super) fn lease_edits(
    read: &ReadTransaction,
    channel: &Name,
    after: Option<EditAt>,
    limit: usize,
) -> Result<Vec<EditClaim>, StoreError> {
    let corrections = CORRECTIONS.open(read)?;
    let (sent, outcomes) = (SENT.open(read)?, OUTCOMES.open(read)?);
    let (people, subscribers) = (PEOPLE.open(read)?, SUBSCRIBERS.open(read)?);
    let open_edits = OPEN_EDITS.open(read)?;
    let name = channel.as_str();
    let first = after.map_or((name, 0, 0), |at| (name, at.post.0, at.batch));
    let mut claims = Vec::new();
    for key in open_edits.keys(first..=(name, u64::MAX, u64::MAX))? {
        let (_, post, batch) = key?.value();
        let Some(state) = corrections.load(post)?.filter(|state| state.stopped.is_none()) else {
            continue;
        };
        let Some(SentRow(bytes)) = sent.load(batch)? else { continue };
        let Outcomes(outcomes) = outcomes.need(batch)?;
        let numbers = numbers(&people.need(batch)?.steps);
        for (index, kept) in Sent::decode(&bytes)?.places() {
            let at = EditAt { post: PostId(post), batch, index };
            let place = usize::from(index);
            let has_it = outcomes.get(place) == Some(&Outcome::Sent.to_byte());
            let is_behind = after.is_none_or(|after| at > after);
            if !has_it || !is_behind || kept.revision >= state.revision {
                continue;
            }
            if claims.len() >= limit {
                return Ok(claims);
            }
            let person = match numbers.get(place) {
                Some(number) => subscribers.load((name, *number))?,
                None => None,
            };
            // Who asked us to stop keeps what they have, and what they have is to be right.
            let is_there = |standing| matches!(standing, Standing::Active | Standing::Stopped);
            claims.push(EditClaim {
                at,
                revision: state.revision,
                kept: kept.clone(),
                recipient: person.filter(|it| is_there(it.standing)).map(recipient),
            });
        }
    }
    Ok(claims)
}

/// See `Store::load_corrected`.
pub(super) fn load_corrected(
    read: &ReadTransaction,
    campaign: &Name,
    items: &[ItemId],
    channel: &Name,
    now: Timestamp,
) -> Result<BTreeSet<u32>, StoreError> {
    let (told, corrections, posts) = (TOLD.open(read)?, CORRECTIONS.open(read)?, POSTS.open(read)?);
    let (sent, outcomes, people) = (SENT.open(read)?, OUTCOMES.open(read)?, PEOPLE.open(read)?);
    let mut corrected = BTreeSet::new();
    for item in items {
        for key in told.keys((item.0, 0)..=(item.0, u64::MAX))? {
            let (_, post) = key?.value();
            let is_open = corrections.load(post)?.is_some_and(|state| state.until > now);
            let Some(row) = posts.load(post)? else { continue };
            if !is_open || row.campaign.as_ref() != Some(campaign) {
                continue;
            }
            for batch in batches(&row, channel) {
                let kept = match sent.load(batch)? {
                    Some(SentRow(bytes)) => Sent::decode(&bytes)?,
                    None => Sent::default(),
                };
                let Outcomes(outcomes) = outcomes.need(batch)?;
                let numbers = numbers(&people.need(batch)?.steps);
                let is_to_come = |byte: &u8| {
                    [Outcome::Waiting, Outcome::InFlight, Outcome::Held]
                        .iter()
                        .any(|one| one.to_byte() == *byte)
                };
                for ((index, number), outcome) in (0u16..).zip(numbers).zip(&outcomes) {
                    if is_to_come(outcome) || kept.at(index).is_some() {
                        corrected.insert(number);
                    }
                }
            }
        }
    }
    Ok(corrected)
}

fn batches<'a>(row: &'a PostRow, channel: &'a Name) -> impl Iterator<Item = u64> + 'a {
    let own = row.spans.iter().filter(move |span| span.channel == *channel);
    own.flat_map(|span| span.first..span.first + span.batches)
}

/// See `Store::commit_correction`.
pub(super) fn commit_correction(
    writing: &mut Writing<'_>,
    commit: &CorrectionCommit,
) -> Result<Vec<Name>, StoreError> {
    writing.take_draft(commit.draft)?;
    let post = commit.post.0;
    let missing = || StoreError::Missing { what: format!("post {post}") };
    let mut row = writing.tables.posts.load(post)?.ok_or_else(missing)?;
    let mut state = writing.tables.corrections.load(post)?.ok_or_else(missing)?;
    row.title.clone_from(&commit.title);
    row.bodies.clone_from(&commit.bodies);
    row.personal.clone_from(&commit.personal);
    row.cards.clone_from(&commit.cards);
    writing.tables.posts.put(post, &row)?;
    state.revision += 1;
    if commit.has_new_media {
        state.media_revision = state.revision;
    }
    state.retracted.clone_from(&commit.retracted);
    state.is_deleted = commit.is_deleted;
    state.corrected_at = Some(commit.now);
    (state.wanted, state.edited, state.given_up, state.stopped) = (0, 0, 0, None);
    let mut channels = Vec::new();
    for span in &row.spans {
        channels.push(span.channel.clone());
        for batch in span.first..span.first + span.batches {
            let count = writing.sent(batch)?.places().count() as u64;
            if count > 0 {
                state.wanted += count;
                let key = (span.channel.as_str(), post, batch);
                writing.tables.open_edits.insert(key)?;
            }
        }
    }
    writing.tables.corrections.put(post, &state)?;
    for told in &state.items {
        let post = commit.post;
        let what = match state.retracted.contains(&told.item) {
            true => Happened::TakenBack { post },
            false => Happened::Corrected { post },
        };
        writing.trace(told.item, commit.now, what)?;
    }
    if commit.is_taken_back {
        // Who is left, if there are many, is skipped by `advance`.
        stop_post(writing, commit.post, TAKEN_BACK, &Hand::default())?;
    }
    Ok(channels)
}

/// See `Store::commit_edits`.
pub(super) fn commit_edits(
    writing: &mut Writing<'_>,
    channel: &Name,
    done: &[EditReceipt],
) -> Result<(), StoreError> {
    let mut states: BTreeMap<u64, Corrections> = BTreeMap::new();
    let mut touched = BTreeSet::new();
    for EditReceipt { at, end, standing } in done {
        let post = at.post.0;
        if let std::collections::btree_map::Entry::Vacant(e) = states.entry(post) {
            // A post that was pruned meanwhile is nobody's business any more.
            let Some(state) = writing.tables.corrections.load(post)? else { continue };
            e.insert(state);
        }
        let Some(state) = states.get_mut(&post) else { continue };
        if writing.sent(at.batch)?.at(at.index).is_none() {
            continue;
        }
        let kept = match end {
            EditEnd::Done { kept, is_refused } => {
                // An edit to a revision that is none any more is made again.
                let is_newest = kept.revision == state.revision;
                state.given_up += u64::from(is_newest && *is_refused);
                state.edited += u64::from(is_newest && !*is_refused);
                (!kept.messages.is_empty()).then(|| kept.clone())
            }
            EditEnd::GivenUp => {
                state.given_up += 1;
                None
            }
        };
        touched.insert((post, at.batch, state.revision));
        writing.keep(at.batch, at.index, kept)?;
        if let Some(standing) = standing {
            let (_, of, number) = writing.whose(at.batch, at.index)?;
            writing.tell_standing(&of, number, *standing)?;
        }
    }
    for (post, batch, revision) in touched {
        let is_done = writing.sent(batch)?.places().all(|(_, kept)| kept.revision >= revision);
        if is_done {
            writing.tables.open_edits.remove((channel.as_str(), post, batch))?;
        }
    }
    for (post, state) in &states {
        writing.tables.corrections.put(*post, state)?;
    }
    Ok(())
}

/// See `Store::stop_edits`.
pub(super) fn stop_edits(
    writing: &mut Writing<'_>,
    post: PostId,
    revision: u32,
    why: &str,
) -> Result<(), StoreError> {
    let Some(mut state) = writing.tables.corrections.load(post.0)? else { return Ok(()) };
    if state.revision == revision {
        state.stopped = Some(why.to_owned());
        writing.tables.corrections.put(post.0, &state)?;
    }
    Ok(())
}

impl Writing<'_> {
    /// Makes drafts of the corrections that touch a post inside its window. An item that no post
    /// tells yet is brought up to date, or withdrawn from the drafts that wait.
    pub fn correct(
        &mut self,
        corrections: &[Correction],
        kept: &[Item],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut posts: BTreeMap<u64, Vec<ItemId>> = BTreeMap::new();
        for correction in corrections {
            let (id, retracted) = match correction {
                Correction::Edited(item) => (item.id, None),
                Correction::Retracted(id) => (*id, Some(*id)),
            };
            let telling = self.posts_telling(id, now)?;
            match (correction, self.tables.items.load(id.0)?) {
                (Correction::Edited(item), Some(before)) => {
                    let first_seen = before.first_seen;
                    self.tables.items.put(id.0, &Item { first_seen, ..(**item).clone() })?;
                }
                (Correction::Retracted(_), Some(before))
                    if telling.is_empty()
                    // A draft of this very poll may tell just that.
                    && !kept.iter().any(|item| item.id == id) =>
                {
                    self.tables.items_by_age.remove((before.first_seen.as_millis(), id.0))?;
                    self.tables.items.remove(id.0)?;
                }
                _ => {}
            }
            for post in telling {
                posts.entry(post).or_default().extend(retracted);
            }
        }
        for (post, retracted) in posts {
            let content = Content::Correction { post: PostId(post), retracted };
            let (id, held) = (DraftId(0), None);
            self.add_draft(&Draft { id, created_at: now, due_at: now, content, held })?;
        }
        Ok(())
    }

    fn posts_telling(&self, item: ItemId, now: Timestamp) -> Result<Vec<u64>, StoreError> {
        let mut posts = Vec::new();
        for key in self.tables.told.keys((item.0, 0)..=(item.0, u64::MAX))? {
            let (_, post) = key?.value();
            let state = self.tables.corrections.load(post)?;
            let is_news = |state: &Corrections| !state.retracted.contains(&item);
            if state.is_some_and(|state| state.until > now && is_news(&state)) {
                posts.push(post);
            }
        }
        Ok(posts)
    }

    /// Keeps a new post's way of being corrected.
    pub fn begin_corrections(&mut self, post: u64, state: &Corrections) -> Result<(), StoreError> {
        self.tables.corrections.put(post, state)?;
        self.tables.correctable.insert((state.until.as_millis(), post))?;
        for told in &state.items {
            self.tables.told.insert((told.item.0, post))?;
        }
        Ok(())
    }

    /// Keeps the messages that a delivery's receipt tells, if they still can be corrected.
    ///
    /// `part` is how many calls were accepted before the claim was handed out: their messages are
    /// kept already, or nothing is.
    pub fn keep_messages(
        &mut self,
        post: u64,
        (batch, index): (u64, u16),
        part: u8,
        receipt: &Receipt,
    ) -> Result<(), StoreError> {
        let Some(kept) = &receipt.kept else { return Ok(()) };
        let Some(mut state) = self.tables.corrections.load(post)? else { return Ok(()) };
        if state.items.is_empty() {
            return Ok(());
        }
        let whole = match self.sent(batch)?.at(index) {
            Some(before) if part > 0 => Some(Kept {
                revision: before.revision.min(kept.revision),
                messages: [&before.messages[..], &kept.messages].concat(),
            }),
            None if part > 0 => None,
            _ => Some(kept.clone()),
        };
        let whole = whole.filter(|whole| (1..=KEPT_MESSAGES_MAX).contains(&whole.messages.len()));
        let is_old = whole.as_ref().is_some_and(|whole| whole.revision < state.revision);
        let is_counted = self.sent(batch)?.at(index).is_some();
        self.keep(batch, index, whole)?;
        if is_old {
            // It was on its way when the post was corrected.
            let channel = self.whose(batch, index)?.1;
            self.tables.open_edits.insert((channel.as_str(), post, batch))?;
            if !is_counted {
                state.wanted += 1;
                self.tables.corrections.put(post, &state)?;
            }
        }
        Ok(())
    }

    /// Forgets the messages of posts whose window, and the time for the edits of its end, is over;
    /// answers how many rows went.
    pub fn prune_sent(&mut self, now: Timestamp, batches_max: u64) -> Result<usize, StoreError> {
        let (mut rows, mut seen) = (0, 0);
        let over = {
            let before = (now - EDITED_FOR).as_millis();
            let keys = self.tables.correctable.keys(..=(before, u64::MAX))?;
            keys.map(|key| Ok(key?.value())).collect::<Result<Vec<_>, StoreError>>()?
        };
        for (until, post) in over {
            if seen >= batches_max {
                break;
            }
            self.tables.correctable.remove((until, post))?;
            if let Some(row) = self.tables.posts.load(post)? {
                for span in &row.spans {
                    seen += span.batches;
                    for batch in span.first..span.first + span.batches {
                        rows += self.forget_messages(batch, &span.channel, post)?;
                    }
                }
            }
            if let Some(mut state) = self.tables.corrections.load(post)? {
                for told in std::mem::take(&mut state.items) {
                    self.tables.told.remove((told.item.0, post))?;
                }
                self.tables.corrections.put(post, &state)?;
            }
            rows += 1;
        }
        Ok(rows)
    }

    fn forget_messages(
        &mut self,
        batch: u64,
        channel: &Name,
        post: u64,
    ) -> Result<usize, StoreError> {
        self.memory.sent.remove(&batch);
        self.tables.open_edits.remove((channel.as_str(), post, batch))?;
        Ok(usize::from(self.tables.sent.remove(batch)?))
    }

    /// The messages of a batch's recipients.
    pub fn sent(&mut self, batch: u64) -> Result<&mut Sent, StoreError> {
        use std::collections::hash_map::Entry;
        match self.memory.sent.entry(batch) {
            Entry::Occupied(known) => Ok(&mut known.into_mut().0),
            Entry::Vacant(place) => {
                let sent = match self.tables.sent.load(batch)? {
                    Some(SentRow(bytes)) => Sent::decode(&bytes)?,
                    None => Sent::default(),
                };
                Ok(&mut place.insert((sent, false)).0)
            }
        }
    }

    pub fn keep(&mut self, batch: u64, index: u16, kept: Option<Kept>) -> Result<(), StoreError> {
        self.sent(batch)?.put(index, kept);
        if let Some((_, is_changed)) = self.memory.sent.get_mut(&batch) {
            *is_changed = true;
        }
        Ok(())
    }

    /// Writes the messages that were changed in memory.
    pub fn flush_sent(&mut self) -> Result<(), StoreError> {
        for (batch, (sent, is_changed)) in &mut self.memory.sent {
            if !*is_changed {
                continue;
            }
            if sent.is_empty() {
                self.tables.sent.remove(*batch)?;
            } else {
                self.tables.sent.put(*batch, &SentRow(sent.encode()))?;
            }
            *is_changed = false;
        }
        Ok(())
    }
}
