//! What an answer tells of the media that went with its call.

use tokio::time::Instant;

use crate::channel::slots::Means;
use crate::channel::{Meaning, Observed};
use crate::deliver::media::entry::{Entry, State};
use crate::deliver::media::{Boarding, Desk, shown};
use crate::media::ladder::Rung;
use crate::model::channel::ChannelKind;
use crate::model::media::{Form, MediaKey};
use crate::model::post::Reason;

/// What an answer means for media.
#[derive(Default)]
pub(in crate::deliver) struct Landing {
    /// Another way was taken: the same call goes again.
    pub goes_again: bool,
    /// Who waits for these may look again.
    pub freed: Vec<MediaKey>,
}

impl Desk {
    /// Learns from the answer to a call.
    pub fn land(&mut self, boarding: &Boarding, observed: &Observed, meaning: &Meaning) -> Landing {
        let mut landing = Landing::default();
        for (key, turn, is_scout) in &boarding.used {
            if let Some(entry) = self.entries.get_mut(key)
                && *is_scout
                && entry.turn == *turn
                && entry.state == State::Scouted
            {
                entry.state = State::Free;
                landing.freed.push(*key);
            }
        }
        let is_unproven = boarding.used.iter().any(|(key, _, _)| {
            let entry = self.entries.get(key);
            entry.is_some_and(|entry| !entry.is_proven && entry.rung != Rung::Link)
        });
        let is_messenger = self.kitchen.channel.kind() == ChannelKind::Messenger;
        match meaning {
            Meaning::Delivered { .. } => self.learn(boarding, observed),
            Meaning::MediaRefused { which, why } => {
                landing.goes_again = self.refuse(boarding, *which, why);
            }
            // New words, or a code for many things: a medium that nobody has got yet is the
            // likeliest reason.
            Meaning::Refused { reason: Reason::Refused, why } if is_unproven => {
                landing.goes_again = self.refuse(boarding, None, why);
            }
            Meaning::ContentRefused { why } if is_unproven && is_messenger => {
                landing.goes_again = self.refuse(boarding, None, why);
            }
            // The service may have been waiting for a slow origin: we fetch it ourselves then.
            Meaning::Unknown { why } if matches!(observed, Observed::Silence { .. }) => {
                for (key, turn, is_scout) in &boarding.used {
                    let is_by_address = self.entries.get(key).is_some_and(|entry| {
                        entry.turn == *turn && entry.id.is_none() && entry.rung == Rung::Address
                    });
                    if *is_scout && is_by_address {
                        self.step(*key, why);
                    }
                }
            }
            _ => {}
        }
        landing.freed.retain(|key| self.entries.get(key).is_none_or(Entry::is_open));
        landing
    }

    fn learn(&mut self, boarding: &Boarding, observed: &Observed) {
        let forms: Vec<Form> = boarding.dressed.shown.iter().map(|(_, form)| *form).collect();
        let is_scouted = boarding.used.iter().any(|(_, _, is_scout)| *is_scout);
        if !is_scouted {
            return;
        }
        let mut ids = self.kitchen.channel.kept_ids(observed, &forms).into_iter();
        for (slot, _) in &boarding.dressed.shown {
            let id = ids.next().flatten();
            let Some((key, turn, true)) = boarding.used.get(*slot) else { continue };
            if self.entries.get(key).is_some_and(|entry| entry.turn == *turn)
                && let Some((form, id)) = id
            {
                self.keep(*key, form, id);
            }
        }
        for (key, turn, is_scout) in &boarding.used {
            let Some(entry) = self.entries.get_mut(key) else { continue };
            if !*is_scout || entry.turn < *turn {
                continue;
            }
            entry.is_proven = true;
            if entry.means == Means::Spare
                && let Some(id) = self.kitchen.channel.cover_id(observed)
            {
                self.keep(*key, Form::Picture, id);
            }
        }
    }

    /// Leads the refused media down; answers whether the call may go again.
    fn refuse(&mut self, boarding: &Boarding, which: Option<usize>, why: &str) -> bool {
        let moved = |desk: &Self| {
            boarding.used.iter().any(|(key, turn, _)| {
                desk.entries.get(key).is_some_and(|entry| entry.turn != *turn)
            })
        };
        if moved(self) {
            // Somebody else was refused first.
            return true;
        }
        let named = which.and_then(|at| boarding.dressed.shown.get(at)).map(|(slot, _)| *slot);
        let can_step = |desk: &Self, key: &MediaKey| {
            desk.entries.get(key).is_some_and(|it| it.id.is_some() || it.rung != Rung::Link)
        };
        let named = named.and_then(|slot| boarding.used.get(slot)).map(|(key, _, _)| *key);
        if let Some(key) = named.filter(|key| can_step(self, key)) {
            self.step(key, why);
            return true;
        }
        // Nobody says which: those that stand highest, for they are the least sure; what nobody
        // has got yet before what somebody has.
        let height = |desk: &Self, key: &MediaKey| {
            let entry = desk.entries.get(key)?;
            can_step(desk, key).then_some((entry.is_proven, entry.rung))
        };
        let keys: Vec<MediaKey> = boarding.used.iter().map(|(key, _, _)| *key).collect();
        let Some(highest) = keys.iter().filter_map(|key| height(self, key)).min() else {
            return false;
        };
        for key in keys {
            if height(self, &key) == Some(highest) {
                self.step(key, why);
            }
        }
        true
    }

    /// One rung down; a refused id first gives way to the address again.
    fn step(&mut self, key: MediaKey, why: &str) {
        let Some(entry) = self.entries.get_mut(&key) else { return };
        tracing::debug!(
            channel.id = %self.kitchen.name,
            medium = %shown(&entry.url),
            rung = ?entry.rung,
            error = %why,
            "a medium was refused"
        );
        entry.turn += 1;
        entry.is_proven = false;
        entry.since = Instant::now();
        if entry.id.take().is_some() {
            entry.id_refusals += 1;
            entry.rung = Rung::Address;
            entry.goods = None;
            self.commits.push((key, None));
            self.commits.extend(entry.content.map(|content| (content, None)));
        } else {
            entry.rung = match entry.means {
                Means::AddressOnly => Rung::Link,
                Means::All | Means::Spare | Means::KeptOnly => entry.rung.below(),
            };
        }
        if entry.rung.needs_bytes() || entry.means == Means::KeptOnly && entry.rung != Rung::Link {
            self.prepare(key);
        } else {
            entry.state = State::Free;
        }
    }
}
