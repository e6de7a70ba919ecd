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
use tokio::time::Instant;

use crate::channel::Call;
use crate::channel::slots::{Dressed, Means, Slot, Stand, Upload};
use crate::deliver::media::entry::{Entry, State};
use crate::deliver::prepare::{Found, Kitchen};
use crate::deliver::waiting::Flight;
use crate::media::download::Goods;
use crate::media::ladder::Rung;
use crate::media::{key_of_address, key_of_shown, key_of_thumbnail};
use crate::model::media::{KeptMedium, MediaKey};
use crate::model::message::is_ours;

/// A medium that became a link is looked at anew after so long.
const LINK_FOR: Duration = Duration::from_secs(600);

/// Files that nobody has taken along for so long are let go, and fetched again for who comes later.
const GOODS_FOR: Duration = Duration::from_secs(120);

/// How often it is looked for such files.
const SWEEP_EVERY: Duration = Duration::from_secs(30);

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
    turns: Turns,
    /// When files that nobody takes along are let go; `None` while there are none.
    sweep_at: Option<Instant>,
}

/// Numbers the ways of all media: none comes twice, even where a medium is forgotten between.
#[derive(Default)]
struct Turns(u64);

impl Turns {
    fn next(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }
}

/// Where the media of a message's calls stand.
struct Read {
    calls: Arc<[Call]>,
    wanted: Arc<[Box<[Wanted]>]>,
    /// By call: made for these turns of its media.
    dressed: Vec<Option<(Vec<u64>, Arc<Dressed>)>>,
}

#[derive(Clone)]
struct Wanted {
    key: MediaKey,
    slot: Slot,
}

impl Wanted {
    /// What can only be shown where it stands goes another way than the same picture elsewhere.
    fn of(slot: Slot) -> Self {
        let key = match slot.means {
            Means::All | Means::Spare | Means::KeptOnly => key_of_address(slot.form, &slot.url),
            Means::AddressOnly => key_of_shown(&slot.url),
            Means::Thumbnail => key_of_thumbnail(&slot.url),
        };
        Self { key, slot }
    }
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
    /// By slot.
    used: Vec<Used>,
    /// It is to change a message that is there.
    is_edit: bool,
}

/// A medium that went along.
struct Used {
    key: MediaKey,
    means: Means,
    turn: u64,
    /// It is in the call at all: a thumbnail stays behind where its medium is not uploaded.
    goes_along: bool,
    /// The flight finds out about it.
    is_scout: bool,
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
            turns: Turns::default(),
            sweep_at: None,
        }
    }

    /// Whether the flight's next call may go.
    pub fn check(&mut self, flight: &Flight) -> Check {
        let Some(wanted) = self.wanted(flight) else { return Check::Go };
        let mut waits_for = None;
        let mut is_linked = false;
        for (at, one) in wanted.iter().enumerate() {
            if one.slot.means == Means::Thumbnail && !self.goes_along(&wanted, at) {
                continue;
            }
            let is_open = self.is_open(one);
            is_linked |= self.entries.get(&one.key).is_some_and(|it| it.rung == Rung::Link);
            if !is_open {
                waits_for.get_or_insert(one.key);
            }
        }
        if let Some(key) = waits_for {
            return Check::Wait(key);
        }
        let is_nothing = is_linked && self.dress(flight, &wanted).call.is_none();
        if is_nothing { Check::Skip } else { Check::Go }
    }

    /// Whether a flight may board the medium now; what is not known yet is asked for.
    fn is_open(&mut self, wanted: &Wanted) -> bool {
        let is_stale = self.entries.get(&wanted.key).is_some_and(|entry| {
            entry.state == State::Free
                && entry.rung == Rung::Link
                && entry.since.elapsed() > LINK_FOR
        });
        if is_stale {
            self.entries.remove(&wanted.key);
        }
        let Some(entry) = self.entries.get_mut(&wanted.key) else { return !self.meet(wanted) };
        if !entry.is_open() {
            return false;
        }
        if entry.is_empty_handed() {
            self.prepare(wanted.key);
            return false;
        }
        // Elsewhere it went by its address, which is none here.
        let wants_id =
            wanted.slot.means == Means::KeptOnly && entry.id.is_none() && entry.rung != Rung::Link;
        if wants_id && entry.state == State::Free {
            entry.means = Means::KeptOnly;
            self.prepare(wanted.key);
        }
        !wants_id
    }

    /// Whether the medium that the thumbnail at `at` belongs to is uploaded with its call.
    fn goes_along(&self, wanted: &[Wanted], at: usize) -> bool {
        let main = wanted.iter().take(at).rfind(|one| one.slot.means == Means::All);
        let entry = main.and_then(|main| self.entries.get(&main.key));
        entry.is_some_and(|entry| entry.id.is_none() && entry.goods.is_some())
    }

    /// Takes along what the flight's next call needs; `None` when it names no media.
    pub fn board(&mut self, flight: &Flight) -> Option<Boarding> {
        let wanted = self.wanted(flight)?;
        let dressed = self.dress(flight, &wanted);
        let mut used = Vec::with_capacity(wanted.len());
        for (at, Wanted { key, slot }) in wanted.iter().enumerate() {
            let (key, means) = (*key, slot.means);
            let stays = means == Means::Thumbnail && !self.goes_along(&wanted, at);
            let entry = self.entries.get_mut(&key);
            let turn = entry.as_ref().map_or(0, |entry| entry.turn);
            let unproven = entry.filter(|it| !stays && !it.is_proven && it.rung != Rung::Link);
            let is_scout = unproven.is_some();
            if let Some(entry) = unproven {
                (entry.state, entry.since) = (State::Scouted, Instant::now());
            }
            used.push(Used { key, means, turn, goes_along: !stays, is_scout });
        }
        Some(Boarding { dressed, used, is_edit: flight.edit.is_some() })
    }

    /// The media of the flight's next call; `None` when it names none, as most do.
    fn wanted(&mut self, flight: &Flight) -> Option<Vec<Wanted>> {
        let call = flight.calls.get(flight.part)?;
        if !may_name_media(call) {
            return None;
        }
        if flight.edit.is_some() {
            // The calls of an edit are its own: what is read of them is of use to nobody else.
            let slots = self.kitchen.channel.slots(call);
            let wanted: Vec<Wanted> = slots.into_iter().map(Wanted::of).collect();
            return (!wanted.is_empty()).then_some(wanted);
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
            slots.map(Wanted::of).collect()
        });
        let (wanted, dressed) = (wanted.collect(), vec![None; calls.len()]);
        self.lately.push_back(Read { calls: Arc::clone(calls), wanted, dressed });
        self.lately.len() - 1
    }

    fn dress(&mut self, flight: &Flight, wanted: &[Wanted]) -> Arc<Dressed> {
        let Some(call) = flight.calls.get(flight.part) else { return Arc::default() };
        if flight.edit.is_some() {
            return Arc::new(self.kitchen.channel.dress(call, &self.stands(wanted)));
        }
        let entries = wanted.iter().map(|one| self.entries.get(&one.key));
        let turns: Vec<u64> = entries.map(|entry| entry.map_or(0, |entry| entry.turn)).collect();
        let at = self.read(&flight.calls);
        let known = self.lately.get(at).and_then(|read| read.dressed.get(flight.part));
        if let Some(Some((known, dressed))) = known
            && *known == turns
        {
            return Arc::clone(dressed);
        }
        let dressed = Arc::new(self.kitchen.channel.dress(call, &self.stands(wanted)));
        let place = self.lately.get_mut(at).and_then(|read| read.dressed.get_mut(flight.part));
        if let Some(place) = place {
            // Files are not kept longer than they are needed.
            *place = dressed.uploads.is_empty().then(|| (turns, Arc::clone(&dressed)));
        }
        dressed
    }

    fn stands(&self, wanted: &[Wanted]) -> Vec<Stand> {
        let nothing = || Stand::Link { words: String::new(), url: None };
        let stand = |(at, one): (usize, &Wanted)| match one.slot.means {
            Means::Thumbnail if !self.goes_along(wanted, at) => nothing(),
            _ => self.stand(&one.key),
        };
        wanted.iter().enumerate().map(stand).collect()
    }

    fn stand(&self, key: &MediaKey) -> Stand {
        let Some(entry) = self.entries.get(key) else { return Stand::Address };
        if let Some(kept) = &entry.id {
            return Stand::Kept { id: kept.id.clone(), form: kept.form };
        }
        match (entry.rung, &entry.goods) {
            (Rung::Address, _) => Stand::Address,
            // It was looked at, and stays where it is.
            (Rung::Upload, _) if entry.means == Means::AddressOnly => Stand::Address,
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
        && match call.method {
            "sendMessage" | "editMessageCaption" | "deleteMessage" => false,
            "editMessageText" => call.rest.contains("\"rich_message\""),
            "messages" => call.rest.contains("\"attachment"),
            _ => true,
        }
}

fn upload(entry: &Entry, goods: &Goods) -> Upload {
    crate::deliver::prepare::upload(entry.form, entry.rung, goods)
}

/// An address for the log: without its query, and not too long.
fn shown(url: &str) -> String {
    if is_ours(url) {
        return "a file of ours".to_owned();
    }
    url.split(['?', '#']).next().unwrap_or_default().chars().take(120).collect()
}
