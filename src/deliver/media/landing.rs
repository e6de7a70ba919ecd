//! What an answer tells of the media that went with its call.

use tokio::time::Instant;

use crate::channel::slots::Means;
use crate::channel::{Meaning, Observed};
use crate::deliver::media::entry::{Entry, State};
use crate::deliver::media::{Boarding, Desk, Used, shown};
use crate::media::ladder::Rung;
use crate::model::channel::ChannelKind;
use crate::model::media::{Form, MediaKey};
use crate::model::message::is_ours;
use crate::model::post::Reason;

/// Known words, in lower case, for an id that the service does not know any more.
const OF_IDS: [&str; 3] = ["file identifier", "file_reference", "file_id"];

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
        for used in boarding.used.iter().filter(|used| used.is_scout) {
            if let Some(entry) = self.entries.get_mut(&used.key)
                && entry.turn == used.turn
                && entry.state == State::Scouted
            {
                entry.state = State::Free;
                landing.freed.push(used.key);
            }
        }
        let along = || boarding.used.iter().filter(|used| used.goes_along);
        let is_unproven = along().any(|used| {
            let entry = self.entries.get(&used.key);
            entry.is_some_and(|entry| !entry.is_proven && entry.rung != Rung::Link)
        });
        let is_messenger = self.kitchen.channel.kind() == ChannelKind::Messenger;
        match meaning {
            // An edit that changes nothing names no message: no file has arrived by it.
            Meaning::Delivered { id } => self.learn(boarding, observed, !id.is_empty()),
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
                for used in boarding.used.iter().filter(|used| used.is_scout) {
                    let is_by_address = self.entries.get(&used.key).is_some_and(|entry| {
                        entry.turn == used.turn && entry.id.is_none() && entry.rung == Rung::Address
                    });
                    if is_by_address {
                        self.step(used.key, why);
                    }
                }
            }
            _ => {}
        }
        let is_over = !matches!(meaning, Meaning::Later { .. }) && !landing.goes_again;
        if is_over {
            // Nobody else gets what this message carries.
            for used in &boarding.used {
                if self.entries.get(&used.key).is_some_and(|entry| is_ours(&entry.url)) {
                    self.entries.remove(&used.key);
                }
            }
        }
        landing.freed.retain(|key| self.entries.get(key).is_none_or(Entry::is_open));
        landing
    }

    fn learn(&mut self, boarding: &Boarding, observed: &Observed, has_arrived: bool) {
        let Boarding { dressed, used, .. } = boarding;
        let is_new = |desk: &Self, used: &Used| {
            let entry = desk.entries.get(&used.key).filter(|entry| entry.turn == used.turn);
            used.goes_along && entry.is_some_and(|entry| used.is_scout || entry.lacks_id())
        };
        if !used.iter().any(|used| is_new(self, used)) {
            return;
        }
        let forms: Vec<Form> = dressed.shown.iter().map(|(_, form)| *form).collect();
        let mut ids = self.kitchen.channel.kept_ids(observed, &forms).into_iter();
        for (place, (slot, _)) in dressed.shown.iter().enumerate() {
            let id = ids.next().flatten();
            let Some(main) = used.get(*slot) else { continue };
            if is_new(self, main)
                && let Some((form, id)) = id
            {
                self.keep(main.key, form, id);
            }
            for beside in beside(used, *slot) {
                match beside.means {
                    Means::Spare if is_new(self, beside) => {
                        if let Some(id) = self.kitchen.channel.cover_id(observed, place) {
                            self.keep(beside.key, Form::Picture, id);
                        }
                    }
                    // The service keeps it with its medium.
                    Means::Thumbnail if is_new(self, beside) => {
                        self.entries.remove(&beside.key);
                    }
                    _ => {}
                }
            }
        }
        for used in used.iter().filter(|used| used.is_scout) {
            if let Some(entry) = self.entries.get_mut(&used.key)
                && entry.turn == used.turn
            {
                entry.is_proven = has_arrived || entry.goods.is_none();
            }
        }
    }

    /// Leads the refused media down; answers whether the call may go again.
    fn refuse(&mut self, boarding: &Boarding, which: Option<usize>, why: &str) -> bool {
        let used = &boarding.used;
        let has_moved = used
            .iter()
            .filter(|used| used.goes_along)
            .any(|used| self.entries.get(&used.key).is_none_or(|entry| entry.turn != used.turn));
        if has_moved {
            // Somebody else was refused first.
            return true;
        }
        let why_lower = why.to_ascii_lowercase();
        // What others have got is no worse for one message that does not take it.
        let is_spared = boarding.is_edit && !OF_IDS.iter().any(|words| why_lower.contains(words));
        let may_step = |used: &&Used| {
            let entry = self.entries.get(&used.key);
            used.goes_along && entry.is_some_and(|entry| !(is_spared && entry.is_proven))
        };
        let named = which.and_then(|at| boarding.dressed.shown.get(at)).map(|(slot, _)| *slot);
        let mut refused = Vec::new();
        if why_lower.contains("thumb") {
            refused = self.highest(used.iter().filter(may_step), true);
        }
        if refused.is_empty()
            && let Some(slot) = named
        {
            let group = used.iter().skip(slot).take(1).chain(beside(used, slot));
            refused = self.highest(group.filter(may_step), false);
        }
        if refused.is_empty() {
            refused = self.highest(used.iter().filter(may_step), false);
        }
        if refused.is_empty() {
            refused = self.highest(used.iter().filter(may_step), true);
        }
        for key in &refused {
            self.step(*key, why);
        }
        !refused.is_empty()
    }

    /// Nobody says which is refused: those that stand highest, for they are the least sure; what
    /// nobody has got yet before what somebody has, and what can be done without before the rest.
    fn highest<'a>(
        &self,
        used: impl Iterator<Item = &'a Used>,
        are_thumbnails: bool,
    ) -> Vec<MediaKey> {
        let height = |used: &Used| {
            let entry = self.entries.get(&used.key)?;
            let can_step = entry.id.is_some() || entry.rung != Rung::Link;
            let is_needed = !matches!(used.means, Means::Spare | Means::Thumbnail);
            can_step.then_some((entry.is_proven, entry.rung, is_needed))
        };
        let among = used.filter(|used| (used.means == Means::Thumbnail) == are_thumbnails);
        let known: Vec<_> = among.filter_map(|used| Some((height(used)?, used.key))).collect();
        let Some(highest) = known.iter().map(|(height, _)| *height).min() else {
            return Vec::new();
        };
        let mut keys: Vec<MediaKey> =
            known.iter().filter(|(height, _)| *height == highest).map(|(_, key)| *key).collect();
        // The same picture may be there twice.
        keys.sort_unstable();
        keys.dedup();
        keys
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
        entry.turn = self.turns.next();
        entry.is_proven = false;
        entry.since = Instant::now();
        if let Some(refused) = entry.id.take() {
            entry.refused_id = Some(refused.id);
            entry.id_refusals += 1;
            entry.rung = Rung::Address;
            entry.goods = None;
            self.commits.push((key, None));
            self.commits.extend(entry.content.map(|content| (content, None)));
        } else {
            entry.rung = match (entry.means, entry.rung) {
                (Means::AddressOnly, Rung::Address) => Rung::Upload,
                (Means::AddressOnly | Means::Thumbnail, _) => Rung::Link,
                (Means::All | Means::Spare | Means::KeptOnly, rung) => rung.below(),
            };
        }
        if entry.rung.needs_bytes() || entry.means == Means::KeptOnly && entry.rung != Rung::Link {
            self.prepare(key);
        } else {
            entry.goods = None;
            entry.state = State::Free;
        }
    }
}

/// The cover and the thumbnail of the medium in a slot.
fn beside(used: &[Used], slot: usize) -> impl Iterator<Item = &Used> {
    let has_some = used.get(slot).is_some_and(|main| main.means == Means::All);
    let is_beside = |used: &&Used| matches!(used.means, Means::Spare | Means::Thumbnail);
    used.iter().skip(slot + 1).take_while(move |used| has_some && is_beside(used))
}
