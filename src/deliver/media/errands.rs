//! What is asked, fetched and kept beside the sending.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::Instant;

use crate::channel::slots::{Means, Slot};
use crate::deliver::media::entry::{Entry, State};
use crate::deliver::media::{Desk, ENTRIES_KEPT, GOODS_FOR, SWEEP_EVERY, Wanted, shown};
use crate::deliver::prepare::{Errand, Found};
use crate::media::ladder::Rung;
use crate::model::media::{Form, KeptMedium, MediaKey};
use crate::model::message::is_ours;
use crate::model::time::Timestamp;
use crate::store::StoreError;

/// An id that was of use is noted as such so often.
const USED_EVERY: Duration = Duration::from_secs(86_400);

/// So many refusals of ids that the service gave for the same medium, and none is used any more.
const ID_REFUSALS_MAX: u32 = 2;

impl Desk {
    /// Takes in what was found beside the sending.
    pub fn take_in(&mut self, key: MediaKey, found: Found) {
        let now = self.kitchen.clock.now();
        let Some(entry) = self.entries.get_mut(&key) else { return };
        entry.turn = self.turns.next();
        entry.state = State::Free;
        entry.since = Instant::now();
        match found {
            Found::Kept(Some(mut row)) if self.kitchen.is_fresh(&row, now) => {
                if now.since(row.used_at) > USED_EVERY {
                    row.used_at = now;
                    self.commits.push((key, Some(row.clone())));
                }
                entry.content = row.content;
                entry.id = Some(row);
                entry.is_proven = true;
            }
            Found::Kept(_) if entry.means == Means::KeptOnly => {
                self.prepare(key);
            }
            Found::Kept(_) => {}
            Found::Ready { rung, goods, content, id } => {
                (entry.rung, entry.goods, entry.content) = (rung, goods, content);
                if entry.goods.is_some() {
                    self.sweep_at.get_or_insert_with(|| Instant::now() + SWEEP_EVERY);
                }
                if let Some((form, id)) = id {
                    self.keep(key, form, id);
                    if let Some(entry) = self.entries.get_mut(&key) {
                        entry.is_proven = true;
                        if entry.id.is_none() {
                            // Ids of it are of no use, and there is nothing else.
                            entry.rung = Rung::Link;
                        }
                    }
                }
            }
            Found::Nothing { is_dead, why } => {
                tracing::info!(
                    channel.id = %self.kitchen.name,
                    medium = %shown(&entry.url),
                    error = %why,
                    "a medium became a link"
                );
                (entry.rung, entry.is_dead) = (Rung::Link, is_dead || is_ours(&entry.url));
            }
        }
    }

    /// What the store is to keep of all this.
    pub fn commit(&mut self) -> Option<BoxFuture<'static, Result<(), StoreError>>> {
        if self.commits.is_empty() {
            return None;
        }
        let media = std::mem::take(&mut self.commits);
        let (store, name) = (Arc::clone(&self.kitchen.store), self.kitchen.name.clone());
        Some(Box::pin(async move { store.commit_media(&name, media).await }))
    }

    /// A medium that was not met before, or long ago: what is kept of it is asked for. Answers
    /// whether a flight has to wait for that.
    pub(super) fn meet(&mut self, wanted: &Wanted) -> bool {
        if self.entries.len() > ENTRIES_KEPT {
            self.entries.retain(|_, entry| entry.state != State::Free);
        }
        let Slot { url, form, means } = wanted.slot.clone();
        let entry = Entry {
            form,
            means,
            rung: if is_ours(&url) { Rung::Upload } else { Rung::Address },
            url,
            turn: self.turns.next(),
            id: None,
            id_refusals: 0,
            refused_id: None,
            goods: None,
            content: None,
            is_dead: false,
            is_proven: false,
            state: if means == Means::AddressOnly { State::Free } else { State::Busy },
            since: Instant::now(),
        };
        self.entries.insert(wanted.key, entry);
        match means {
            Means::AddressOnly => return false,
            Means::Thumbnail => {
                self.prepare(wanted.key);
                return true;
            }
            Means::All | Means::Spare | Means::KeptOnly => {}
        }
        let (store, name, key) =
            (Arc::clone(&self.kitchen.store), self.kitchen.name.clone(), wanted.key);
        self.work.push(Box::pin(async move {
            // A store that does not answer is told of by those who can't do without it.
            let rows = store.load_media(&name, &[key]).await.unwrap_or_default();
            (key, Found::Kept(rows.into_iter().next().flatten()))
        }));
        true
    }

    /// Notes the service's own name of a medium.
    pub(super) fn keep(&mut self, key: MediaKey, form: Form, id: String) {
        let now: Timestamp = self.kitchen.clock.now();
        let Some(entry) = self.entries.get_mut(&key) else { return };
        if entry.id_refusals >= ID_REFUSALS_MAX {
            return;
        }
        let content = entry.content;
        let row = KeptMedium { id, form, content, kept_at: now, used_at: now };
        // What a message carries is one person's: the store is to know nothing of it.
        if !is_ours(&entry.url) {
            self.commits.push((key, Some(row.clone())));
            self.commits.extend(content.map(|content| (content, Some(row.clone()))));
        }
        entry.id = Some(row);
        entry.goods = None;
        entry.turn = self.turns.next();
        entry.is_proven = true;
    }

    /// When [`Desk::sweep`] is to be called.
    pub fn sweep_at(&self) -> Option<Instant> {
        self.sweep_at
    }

    /// Lets go the files that nobody has taken along for long.
    pub fn sweep(&mut self) {
        let mut is_empty = true;
        for entry in self.entries.values_mut() {
            entry.let_go(GOODS_FOR, &mut self.turns);
            is_empty &= entry.goods.is_none();
        }
        self.sweep_at = (!is_empty).then(|| Instant::now() + SWEEP_EVERY);
    }

    pub(super) fn prepare(&mut self, key: MediaKey) {
        let Some(entry) = self.entries.get_mut(&key) else { return };
        entry.state = State::Busy;
        let errand = Errand {
            url: entry.url.clone(),
            form: entry.form,
            means: entry.means,
            refused_id: entry.refused_id.clone(),
            rung: entry.rung,
            goods: entry.goods.take(),
        };
        let kitchen = self.kitchen.clone();
        self.work.push(Box::pin(async move { (key, kitchen.run(errand).await) }));
    }
}
