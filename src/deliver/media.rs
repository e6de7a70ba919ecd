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

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;

use crate::channel::slots::{Dressed, Means, Slot, Stand, Upload};
use crate::channel::{Call, Meaning, Observed};
use crate::deliver::prepare::{Errand, Found, Kitchen};
use crate::deliver::waiting::Flight;
use crate::media::download::Goods;
use crate::media::key_of_address;
use crate::media::ladder::Rung;
use crate::model::channel::ChannelKind;
use crate::model::media::{Form, KeptMedium, MediaKey};
use crate::model::message::{Medium, Message, Module};
use crate::model::post::{Post, Reason};
use crate::model::time::Timestamp;
use crate::store::StoreError;

/// A medium that became a link is looked at anew after so long.
const LINK_FOR: Duration = Duration::from_secs(600);

/// An id that was of use is noted as such so often.
const USED_EVERY: Duration = Duration::from_secs(86_400);

/// So many refusals of ids that the service gave for the same medium, and none is used any more.
const ID_REFUSALS_MAX: u32 = 2;

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

/// One medium.
struct Entry {
    url: String,
    form: Form,
    means: Means,
    rung: Rung,
    /// Grows whenever the way changes: an answer to an older way tells nothing.
    turn: u32,
    id: Option<KeptMedium>,
    id_refusals: u32,
    goods: Option<Goods>,
    content: Option<MediaKey>,
    /// Nothing is at the address.
    is_dead: bool,
    /// Somebody has got it this way.
    is_proven: bool,
    state: State,
    since: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Free,
    /// Its first flight is on the wire.
    Scouted,
    /// Loaded, downloaded, converted or uploaded.
    Busy,
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

/// What an answer means for media.
#[derive(Default)]
pub(super) struct Landing {
    /// Another way was taken: the same call goes again.
    pub goes_again: bool,
    /// Who waits for these may look again.
    pub freed: Vec<MediaKey>,
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

    /// Remembers what the media of a post are called.
    pub fn read_words(&mut self, post: &Post) {
        if self.words.len() > ENTRIES_KEPT {
            self.words.clear();
        }
        let kind = self.kitchen.channel.kind();
        for body in post.bodies.iter().filter(|body| body.kind == kind) {
            for medium in media_of(&body.message) {
                let words = words_of(medium);
                if !words.is_empty() {
                    self.words.insert(medium.url.clone(), words);
                }
            }
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

    /// Takes in what was found beside the sending.
    pub fn take_in(&mut self, key: MediaKey, found: Found) {
        let now = self.kitchen.clock.now();
        let Some(entry) = self.entries.get_mut(&key) else { return };
        entry.turn += 1;
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
                if let Some((form, id)) = id {
                    self.keep(key, form, id);
                    if let Some(entry) = self.entries.get_mut(&key) {
                        entry.is_proven = true;
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
                (entry.rung, entry.is_dead) = (Rung::Link, is_dead);
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

    /// A medium that was not met before, or long ago: what is kept of it is asked for.
    fn meet(&mut self, wanted: &Wanted) {
        if self.entries.len() > ENTRIES_KEPT {
            self.entries.retain(|_, entry| entry.state != State::Free);
        }
        let Slot { url, form, means } = wanted.slot.clone();
        let entry = Entry {
            url,
            form,
            means,
            rung: Rung::Address,
            turn: 0,
            id: None,
            id_refusals: 0,
            goods: None,
            content: None,
            is_dead: false,
            is_proven: false,
            state: State::Busy,
            since: Instant::now(),
        };
        self.entries.insert(wanted.key, entry);
        let (store, name, key) =
            (Arc::clone(&self.kitchen.store), self.kitchen.name.clone(), wanted.key);
        self.work.push(Box::pin(async move {
            // A store that does not answer is told of by those who can't do without it.
            let rows = store.load_media(&name, &[key]).await.unwrap_or_default();
            (key, Found::Kept(rows.into_iter().next().flatten()))
        }));
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

    /// Notes the service's own name of a medium.
    fn keep(&mut self, key: MediaKey, form: Form, id: String) {
        let now: Timestamp = self.kitchen.clock.now();
        let Some(entry) = self.entries.get_mut(&key) else { return };
        if entry.id_refusals >= ID_REFUSALS_MAX {
            return;
        }
        let content = entry.content;
        let row = KeptMedium { id, form, content, kept_at: now, used_at: now };
        self.commits.push((key, Some(row.clone())));
        self.commits.extend(content.map(|content| (content, Some(row.clone()))));
        entry.id = Some(row);
        entry.goods = None;
        entry.turn += 1;
        entry.is_proven = true;
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

    fn prepare(&mut self, key: MediaKey) {
        let Some(entry) = self.entries.get_mut(&key) else { return };
        entry.state = State::Busy;
        let errand = Errand {
            url: entry.url.clone(),
            form: entry.form,
            rung: entry.rung,
            goods: entry.goods.take(),
        };
        let kitchen = self.kitchen.clone();
        self.work.push(Box::pin(async move { (key, kitchen.run(errand).await) }));
    }
}

impl Entry {
    /// A flight may board it now.
    fn is_open(&self) -> bool {
        match self.state {
            State::Free => true,
            State::Scouted => self.is_proven,
            State::Busy => false,
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

fn media_of(message: &Message) -> impl Iterator<Item = &Medium> {
    message.modules.iter().flat_map(|module| match module {
        Module::Media(medium) => std::slice::from_ref(medium),
        Module::Album(media) => media.as_slice(),
        Module::Text { .. } | Module::Cards(_) => &[],
    })
}

fn words_of(medium: &Medium) -> String {
    match (medium.title.trim(), medium.performer.trim()) {
        ("", _) => medium.alt.trim().to_owned(),
        (title, "") => title.to_owned(),
        (title, performer) => format!("{performer} – {title}"),
    }
}

/// An address for the log: without its query, and not too long.
fn shown(url: &str) -> String {
    url.split(['?', '#']).next().unwrap_or_default().chars().take(120).collect()
}
