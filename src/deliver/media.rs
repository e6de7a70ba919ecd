//! Which way each medium of a channel goes, and who finds it out.
//!
//! The first flight that needs a medium of which nothing is known is its *scout*; who needs the
//! same one waits behind it, and the posts of those rest in the store meanwhile, so that nobody
//! else's wait. What the scout's answer tells (the service's own id of the medium) serves everybody
//! after it, and later posts. A refusal leads the medium one rung down (`media::ladder`), and the
//! scout goes again: it was certainly not sent. The last rung can't be refused.
//!
//! ```text
//! loading ─▶ free ─board─▶ scouted ─accepted─▶ proven (with an id, as a rule)
//!              ▲              │ refused
//!              └── preparing ◀┘   (download, conversion, upload ahead: `deliver::prepare`)
//! ```
//!
//! Everything here but the ids is in memory: what a crash loses costs an upload.

mod entry;

mod errands;

mod landing;

mod words;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;

use crate::channel::Call;
use crate::channel::slots::{Dressed, Slot, Stand, Upload};
use crate::deliver::media::entry::{Entry, State};
use crate::deliver::prepare::{Found, Kitchen};
use crate::deliver::waiting::Flight;
use crate::media::download::Goods;
use crate::media::key_of_address;
use crate::media::ladder::Rung;
use crate::model::media::{KeptMedium, MediaKey};

/// A medium that became a link is looked at anew after so long.
const LINK_FOR: Duration = Duration::from_secs(600);

/// Media that are remembered, beyond those that are under way; and words for media.
const ENTRIES_KEPT: usize = 4_096;

/// Messages of which is remembered where their media stand.
const READ_KEPT: usize = 16;

/// The media of one channel.
pub(super) struct Desk {
    kitchen: Kitchen,
    entries: HashMap<MediaKey, Entry>,
    /// By address, what the medium is called.
    words: HashMap<String, String>,
    lately: VecDeque<Read>,
    /// Done beside the sending.
    pub work: FuturesUnordered<BoxFuture<'static, (MediaKey, Found)>>,
    commits: Vec<(MediaKey, Option<KeptMedium>)>,
}

/// Where the media of a message's calls stand.
struct Read {
    calls: Arc<[Call]>,
    wanted: Arc<[Box<[Wanted]>]>,
    /// By call: made for these turns of its media.
    dressed: Vec<Option<(Vec<u32>, Arc<Dressed>)>>,
}

#[derive(Clone)]
struct Wanted {
    key: MediaKey,
    slot: Slot,
}

/// Whether a flight may go as far as its media are concerned.
pub(super) enum Check {
    Go,
    /// Nothing is left of this call.
    Skip,
    Wait(MediaKey),
}

/// What a flight took along.
pub(super) struct Boarding {
    pub dressed: Arc<Dressed>,
    /// By slot: the medium, its turn, and whether this flight is its scout.
    used: Vec<(MediaKey, u32, bool)>,
}

impl Desk {
    pub fn new(kitchen: Kitchen) -> Self {
        Self {
            kitchen,
            entries: HashMap::new(),
            words: HashMap::new(),
            lately: VecDeque::new(),
            work: FuturesUnordered::new(),
            commits: Vec::new(),
        }
    }

    /// Whether the flight's next call may go.
    pub fn check(&mut self, flight: &Flight) -> Check {
        let Some(wanted) = self.wanted(flight) else { return Check::Go };
        let mut is_linked = false;
        for one in &wanted {
            let is_stale = self.entries.get(&one.key).is_some_and(|entry| {
                entry.state == State::Free
                    && entry.rung == Rung::Link
                    && entry.since.elapsed() > LINK_FOR
            });
            if is_stale {
                self.entries.remove(&one.key);
            }
            match self.entries.get(&one.key) {
                None => {
                    self.meet(one);
                    return Check::Wait(one.key);
                }
                Some(entry) if !entry.is_open() => return Check::Wait(one.key),
                Some(entry) => is_linked |= entry.rung == Rung::Link,
            }
        }
        let is_nothing = is_linked && self.dress(flight, &wanted).call.is_none();
        if is_nothing { Check::Skip } else { Check::Go }
    }

    /// Takes along what the flight's next call needs; `None` when it names no media.
    pub fn board(&mut self, flight: &Flight) -> Option<Boarding> {
        let wanted = self.wanted(flight)?;
        let dressed = self.dress(flight, &wanted);
        let used = wanted.iter().map(|one| {
            let Some(entry) = self.entries.get_mut(&one.key) else { return (one.key, 0, false) };
            let is_scout = !entry.is_proven && entry.rung != Rung::Link;
            if is_scout {
                entry.state = State::Scouted;
            }
            (one.key, entry.turn, is_scout)
        });
        Some(Boarding { dressed, used: used.collect() })
    }

    /// The media of the flight's next call; `None` when it names none, as most do.
    fn wanted(&mut self, flight: &Flight) -> Option<Vec<Wanted>> {
        if flight.edit.is_some() {
            return None;
        }
        let call = flight.calls.get(flight.part)?;
        if !may_name_media(call) {
            return None;
        }
        let at = self.read(&flight.calls);
        let wanted = self.lately.get(at)?.wanted.get(flight.part)?;
        (!wanted.is_empty()).then(|| wanted.to_vec())
    }

    /// Where the reading of these calls is kept.
    fn read(&mut self, calls: &Arc<[Call]>) -> usize {
        let known = self.lately.iter().position(|read| Arc::ptr_eq(&read.calls, calls));
        if let Some(at) = known {
            return at;
        }
        if self.lately.len() >= READ_KEPT {
            self.lately.pop_front();
        }
        let wanted = calls.iter().map(|call| {
            let slots = self.kitchen.channel.slots(call).into_iter();
            slots.map(|slot| Wanted { key: key_of_address(slot.form, &slot.url), slot }).collect()
        });
        let (wanted, dressed) = (wanted.collect(), vec![None; calls.len()]);
        self.lately.push_back(Read { calls: Arc::clone(calls), wanted, dressed });
        self.lately.len() - 1
    }

    fn dress(&mut self, flight: &Flight, wanted: &[Wanted]) -> Arc<Dressed> {
        let entries = wanted.iter().map(|one| self.entries.get(&one.key));
        let turns: Vec<u32> = entries.map(|entry| entry.map_or(0, |entry| entry.turn)).collect();
        let at = self.read(&flight.calls);
        let known = self.lately.get(at).and_then(|read| read.dressed.get(flight.part));
        if let Some(Some((known, dressed))) = known
            && *known == turns
        {
            return Arc::clone(dressed);
        }
        let stands: Vec<Stand> = wanted.iter().map(|one| self.stand(&one.key)).collect();
        let dressed = match flight.calls.get(flight.part) {
            Some(call) => Arc::new(self.kitchen.channel.dress(call, &stands)),
            None => Arc::default(),
        };
        let place = self.lately.get_mut(at).and_then(|read| read.dressed.get_mut(flight.part));
        if let Some(place) = place {
            // Files are not kept longer than they are needed.
            *place = dressed.uploads.is_empty().then(|| (turns, Arc::clone(&dressed)));
        }
        dressed
    }

    fn stand(&self, key: &MediaKey) -> Stand {
        let Some(entry) = self.entries.get(key) else { return Stand::Address };
        if let Some(kept) = &entry.id {
            return Stand::Kept { id: kept.id.clone(), form: kept.form };
        }
        match (entry.rung, &entry.goods) {
            (Rung::Address, _) => Stand::Address,
            (Rung::Upload | Rung::Converted | Rung::File, Some(goods)) => {
                Stand::Upload(upload(entry, goods))
            }
            _ => Stand::Link {
                words: self.words.get(&entry.url).cloned().unwrap_or_default(),
                url: (!entry.is_dead).then(|| entry.url.clone()),
            },
        }
    }
}

/// Most calls are words, and are told apart without being read.
fn may_name_media(call: &Call) -> bool {
    !call.is_acknowledgement
        && call.method != "sendMessage"
        && (call.method != "messages" || call.rest.contains("\"attachment"))
}

fn upload(entry: &Entry, goods: &Goods) -> Upload {
    crate::deliver::prepare::upload(entry.form, entry.rung, goods)
}

/// An address for the log: without its query, and not too long.
fn shown(url: &str) -> String {
    url.split(['?', '#']).next().unwrap_or_default().chars().take(120).collect()
}
