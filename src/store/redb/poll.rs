//! What polls remember: sources, what they have told, items and drafts.

use redb::ReadTransaction;

use crate::model::known::Known;
use crate::model::name::Name;
use crate::model::post::{Draft, DraftId, Hold};
use crate::model::source::SourceState;
use crate::store::redb::ledger::Writing;
use crate::store::redb::tables::{KNOWN, SOURCES};
use crate::store::{PollCommit, StoreError};

/// See `Store::load_sources`.
pub(super) fn load_sources(read: &ReadTransaction) -> Result<Vec<(Name, SourceState)>, StoreError> {
    let mut sources = Vec::new();
    for row in SOURCES.open(read)?.rows(..)? {
        let (name, state) = row?;
        sources.push((named(name.value())?, state));
    }
    Ok(sources)
}

/// See `Store::load_known`.
pub(super) fn load_known(
    read: &ReadTransaction,
    source: &Name,
) -> Result<Option<Known>, StoreError> {
    KNOWN.open(read)?.load(source.as_str())
}

/// See `Store::commit_poll`.
pub(super) fn commit_poll(writing: &mut Writing<'_>, poll: &PollCommit) -> Result<(), StoreError> {
    let source = poll.source.as_str();
    writing.tables.sources.put(source, &poll.state)?;
    if let Some(known) = &poll.known {
        writing.tables.known.put(source, known)?;
    }
    for item in &poll.items {
        let id = item.id.0;
        if let Some(before) = writing.tables.items.load(id)?
            && before.first_seen != item.first_seen
        {
            writing.tables.items_by_age.remove((before.first_seen.as_millis(), id))?;
        }
        writing.tables.items.put(id, item)?;
        writing.tables.items_by_age.insert((item.first_seen.as_millis(), id))?;
    }
    if let Some(shelf) = &poll.shelf {
        writing.put_shelf(&poll.source, shelf)?;
    }
    writing.put_names(&poll.source, &poll.names)?;
    writing.memory.naming.remove(&poll.source);
    for draft in &poll.drafts {
        if draft.held.is_some() {
            writing.add_draft(draft)?;
        } else if let Some(draft) = writing.untold(draft.clone(), &poll.source, draft.created_at)? {
            writing.add_draft(&draft)?;
        }
    }
    let now = poll.state.polled_at.unwrap_or_default();
    writing.correct(&poll.corrections, &poll.items, now)
}

impl Writing<'_> {
    /// Keeps a draft under a new id.
    pub fn add_draft(&mut self, draft: &Draft) -> Result<DraftId, StoreError> {
        let id = self.next_draft()?;
        let draft = Draft { id, ..draft.clone() };
        self.put_draft(&draft)?;
        self.trace_draft(&draft)?;
        Ok(id)
    }

    /// The id of the next new draft.
    pub fn next_draft(&mut self) -> Result<DraftId, StoreError> {
        let counters = self.counters()?;
        counters.draft += 1;
        Ok(DraftId(counters.draft))
    }

    /// Writes a draft and its place in the order.
    pub fn put_draft(&mut self, draft: &Draft) -> Result<(), StoreError> {
        self.tables.drafts.put(draft.id.0, draft)?;
        match &draft.held {
            Some(hold) => self.tables.drafts_held.insert((held_under(hold), draft.id.0)),
            None => self.tables.drafts_due.insert((draft.due_at.as_millis(), draft.id.0)),
        }
    }

    /// Removes a draft and its place in the order.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when it is not there.
    pub fn take_draft(&mut self, id: DraftId) -> Result<Draft, StoreError> {
        let missing = || StoreError::Missing { what: format!("draft {id}") };
        let draft = self.tables.drafts.load(id.0)?.ok_or_else(missing)?;
        self.tables.drafts.remove(id.0)?;
        match &draft.held {
            Some(hold) => self.tables.drafts_held.remove((held_under(hold), id.0))?,
            None => self.tables.drafts_due.remove((draft.due_at.as_millis(), id.0))?,
        };
        if draft.held == Some(Hold::Review) {
            let shown = {
                let keys = self.tables.shown.keys((id.0, 0)..=(id.0, u64::MAX))?;
                keys.map(|key| Ok(key?.value())).collect::<Result<Vec<_>, StoreError>>()?
            };
            for key in shown {
                self.tables.shown.remove(key)?;
            }
        }
        Ok(draft)
    }
}

/// The key of held drafts: the source of a flood, nothing for reviews.
fn held_under(hold: &Hold) -> &str {
    match hold {
        Hold::Flood(flood) => flood.source.as_str(),
        Hold::Review => "",
    }
}

/// A name that was read back.
pub(super) fn named(text: &str) -> Result<Name, StoreError> {
    Name::parse(text).map_err(|_| StoreError::Damaged { what: "a name in the store".into() })
}
