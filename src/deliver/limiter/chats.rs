//! What single chats may get: a pause after each message, and so many in a while.
//!
//! What earlier runs sent is known as far as it was kept. A chat of which nothing is known may have
//! got a message, or a whole album, right before this run began.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use crate::model::pacing::ChatPace;
use crate::runtime::clock::Clock;

/// From so many chats on, those that are at rest are forgotten.
pub const CHATS_MAX: usize = 4_096;

/// Most chats that are kept for the next run, those that got something last.
pub const CHATS_KEPT_MAX: usize = 256;

/// What a group may have got at most between the last keeping and a crash: one album.
const ALBUM: u32 = 10;

/// A person who was written to within this time may be who a refusal is about.
const LATELY: Duration = Duration::from_secs(10);

/// What one chat may get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// From one message to the next; zero never limits.
    pub pause: Duration,
    /// Besides, at most so many …
    pub most: u32,
    /// … in any such time; zero for no such limit.
    pub within: Duration,
}

impl Bucket {
    /// No limit.
    pub const FREE: Self = Self { pause: Duration::ZERO, most: 0, within: Duration::ZERO };

    fn is_windowed(&self) -> bool {
        self.most > 0 && !self.within.is_zero()
    }
}

/// One chat.
#[derive(Debug)]
struct Chat {
    /// The pause after what it got last is over.
    paused_until: Instant,
    /// When it got what it got before that.
    before: Option<Instant>,
    last: Instant,
    /// One instant a message; only of chats with such a limit.
    sent: VecDeque<Instant>,
    /// The service asked to wait.
    quiet_until: Option<Instant>,
}

/// The chats of one channel.
#[derive(Debug)]
pub struct Chats {
    person: Bucket,
    group: Bucket,
    known: HashMap<String, Chat>,
    /// So many are known before the next look for those at rest.
    crowded_at: usize,
    /// When this run began after another one; and whether that ended in order.
    began: Option<(Instant, bool)>,
    /// Chats with a limit that the next run must know of got something.
    pub is_changed: bool,
}

impl Chats {
    pub fn new(person: Bucket, group: Bucket) -> Self {
        Self {
            person,
            group,
            known: HashMap::new(),
            crowded_at: CHATS_MAX,
            began: None,
            is_changed: false,
        }
    }

    /// There was a run before this one, of which this was kept.
    pub fn resume(&mut self, kept: &[ChatPace], is_whole: bool, clock: &Clock, now: Instant) {
        self.began = Some((now, is_whole));
        let wall = clock.now();
        for chat in kept {
            let bucket = self.bucket(&chat.chat);
            let ago = |at| now.checked_sub(wall.since(at)).unwrap_or(now);
            let mut sent: VecDeque<Instant> = chat.sent.iter().map(|at| ago(*at)).collect();
            if !is_whole && bucket.is_windowed() {
                sent.extend((0..ALBUM).map(|_| now));
            }
            let quiet = chat.quiet_until.map(|until| until.since(wall));
            let known = Chat {
                paused_until: now + bucket.pause,
                before: None,
                last: now,
                sent,
                quiet_until: quiet.filter(|wait| !wait.is_zero()).map(|wait| now + wait),
            };
            self.known.insert(chat.chat.clone(), known);
        }
    }

    /// When the chat may get so many messages; in the past when it may have them now.
    pub fn free_at(&self, address: &str, weight: u32, now: Instant) -> Instant {
        let name = chat_of(address);
        let bucket = self.bucket(name);
        if let Some(chat) = self.known.get(name) {
            let room_at = room_at(&bucket, &chat.sent, weight);
            let free_at = chat.paused_until.max(chat.quiet_until.unwrap_or(chat.paused_until));
            return room_at.map_or(free_at, |room_at| free_at.max(room_at));
        }
        match self.began {
            Some((began, is_whole)) => {
                let room_at = room_at(&bucket, &unseen(&bucket, began, is_whole), weight);
                (began + bucket.pause).max(room_at.unwrap_or(began))
            }
            None => now,
        }
    }

    /// The chat gets so many messages now.
    pub fn note(&mut self, address: &str, weight: u32, now: Instant) {
        let name = chat_of(address);
        let bucket = self.bucket(name);
        if bucket.pause.is_zero() && !bucket.is_windowed() {
            return;
        }
        // A limit on messages in a while counts the album by itself.
        let pauses = if bucket.is_windowed() { 1 } else { weight.max(1) };
        let paused_until = now + bucket.pause * pauses;
        if let Some(chat) = self.known.get_mut(name) {
            chat.before = Some(chat.last);
            chat.last = now;
            chat.paused_until = paused_until;
            add(&bucket, &mut chat.sent, weight, now);
        } else {
            if self.known.len() >= self.crowded_at {
                self.forget_resting(now);
            }
            let mut sent = match self.began {
                Some((began, is_whole)) => unseen(&bucket, began, is_whole),
                None => VecDeque::new(),
            };
            add(&bucket, &mut sent, weight, now);
            let chat = Chat { paused_until, before: None, last: now, sent, quiet_until: None };
            self.known.insert(name.to_owned(), chat);
        }
        self.is_changed |= bucket.is_windowed();
    }

    /// Whether a refusal of what was begun at `begun` may be about this chat alone: it got
    /// something shortly before, and no other chat was refused just now.
    pub fn may_be_meant(&self, address: &str, begun: Instant, now: Instant) -> bool {
        let name = chat_of(address);
        let bucket = self.bucket(name);
        let lately = if bucket.is_windowed() { bucket.within } else { LATELY };
        let got_before = self.known.get(name).and_then(|chat| match chat.last == begun {
            true => chat.before,
            false => Some(chat.last),
        });
        let is_other_quiet = self.known.iter().any(|(other, chat)| {
            other != name && chat.quiet_until.is_some_and(|until| until > now)
        });
        !is_other_quiet && got_before.is_some_and(|at| begun.saturating_duration_since(at) < lately)
    }

    /// The service asked to wait with this chat.
    pub fn quiet(&mut self, address: &str, until: Instant, now: Instant) {
        let chat = self.known.entry(chat_of(address).to_owned()).or_insert_with(|| Chat {
            paused_until: now,
            before: None,
            last: now,
            sent: VecDeque::new(),
            quiet_until: None,
        });
        chat.quiet_until = chat.quiet_until.max(Some(until));
        self.is_changed = true;
    }

    /// What the next run is to know.
    pub fn kept(&self, clock: &Clock, now: Instant) -> Vec<ChatPace> {
        let wall = clock.now();
        let mut kept: Vec<(Instant, ChatPace)> = self
            .known
            .iter()
            .filter_map(|(name, chat)| {
                let within = self.bucket(name).within;
                let is_fresh = |at: &&Instant| now.saturating_duration_since(**at) < within;
                let past = |at: &Instant| wall - now.saturating_duration_since(*at);
                let sent: Vec<_> = chat.sent.iter().filter(is_fresh).map(past).collect();
                let quiet = chat.quiet_until.filter(|until| *until > now);
                let quiet_until = quiet.map(|until| wall + (until - now));
                let is_told = !sent.is_empty() || quiet_until.is_some();
                is_told.then(|| (chat.last, ChatPace { chat: name.clone(), sent, quiet_until }))
            })
            .collect();
        kept.sort_by(|(left, _), (right, _)| right.cmp(left));
        kept.truncate(CHATS_KEPT_MAX);
        kept.into_iter().map(|(_, chat)| chat).collect()
    }

    fn forget_resting(&mut self, now: Instant) {
        let (person, group) = (self.person, self.group);
        self.known.retain(|name, chat| {
            let bucket = if is_group(name) { group } else { person };
            let is_fresh = chat.sent.back().is_some_and(|last| *last + bucket.within > now);
            chat.paused_until > now || is_fresh || chat.quiet_until.is_some_and(|it| it > now)
        });
        self.crowded_at = CHATS_MAX.max(2 * self.known.len());
    }

    fn bucket(&self, name: &str) -> Bucket {
        if is_group(name) { self.group } else { self.person }
    }
}

/// When so many more fit; `None` without such a limit, or when they fit now.
fn room_at(bucket: &Bucket, sent: &VecDeque<Instant>, weight: u32) -> Option<Instant> {
    if !bucket.is_windowed() {
        return None;
    }
    let most = usize::try_from(bucket.most).unwrap_or(usize::MAX);
    let weight = usize::try_from(weight).unwrap_or(most).clamp(1, most);
    let place = (sent.len() + weight).checked_sub(most + 1)?;
    sent.get(place).map(|at| *at + bucket.within)
}

fn add(bucket: &Bucket, sent: &mut VecDeque<Instant>, weight: u32, now: Instant) {
    if !bucket.is_windowed() {
        return;
    }
    for _ in 0..weight.clamp(1, bucket.most) {
        if sent.len() >= usize::try_from(bucket.most).unwrap_or(usize::MAX) {
            sent.pop_front();
        }
        sent.push_back(now);
    }
}

/// What an unknown chat may have got before this run.
fn unseen(bucket: &Bucket, began: Instant, is_whole: bool) -> VecDeque<Instant> {
    let album = if is_whole || !bucket.is_windowed() { 0 } else { ALBUM };
    (0..album).map(|_| began).collect()
}

/// Groups and channels, by number or by name.
fn is_group(name: &str) -> bool {
    name.starts_with(['-', '@'])
}

/// A group's topics share its limit.
fn chat_of(address: &str) -> &str {
    if is_group(address) { address.split(['/', ':']).next().unwrap_or(address) } else { address }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn chats() -> Chats {
        let person = Bucket { pause: Duration::from_millis(1_050), ..Bucket::FREE };
        let within = Duration::from_millis(60_050);
        Chats::new(person, Bucket { pause: Duration::from_millis(3_050), most: 20, within })
    }

    /// Sends messages of these weights as early as they may go.
    fn run(chats: &mut Chats, name: &str, from: Instant, weights: &[u32]) -> Vec<Instant> {
        let mut now = from;
        let mut seen = Vec::new();
        for weight in weights {
            now = now.max(chats.free_at(name, *weight, now));
            chats.note(name, *weight, now);
            seen.extend((0..*weight).map(|_| now));
        }
        seen
    }

    fn most_in(seen: &[Instant], span: Duration) -> usize {
        let inside = |from: usize| {
            seen[from..].iter().take_while(|at| at.duration_since(seen[from]) < span).count()
        };
        (0..seen.len()).map(inside).max().unwrap_or(0)
    }

    #[test]
    fn a_person_gets_one_a_second_and_another_is_free() {
        let now = Instant::now();
        let mut chats = chats();
        let seen = run(&mut chats, "7", now, &[1; 20]);
        assert!(most_in(&seen, SECOND) <= 1 && most_in(&seen, 5 * SECOND) <= 5);
        assert!(chats.free_at("8", 1, now) <= now);
    }

    #[test]
    fn a_group_gets_twenty_a_minute_however_they_come() {
        for weights in [&[1; 60][..], &[10; 12], &[1, 1, 1, 10, 1, 9, 2, 10, 1, 1, 10, 5, 5, 1, 10]]
        {
            let from = Instant::now();
            let seen = run(&mut chats(), "-100", from, weights);
            assert!(most_in(&seen, 60 * SECOND) <= 20, "{weights:?}");
        }
    }

    #[test]
    fn the_topics_of_a_group_share_its_limit() {
        let now = Instant::now();
        let mut chats = chats();
        chats.note("-100/5", 1, now);
        assert!(chats.free_at("-100:6", 1, now) > now + 3 * SECOND);
        assert!(chats.free_at("-101", 1, now) <= now);
    }

    #[test]
    fn a_restart_passes_no_limit_whatever_was_kept() {
        let clock = Clock::system();
        for weights in [&[1; 30][..], &[10; 6], &[1, 1, 1, 1, 1, 1, 1, 1, 10]] {
            for (is_whole, keeps) in [(true, true), (false, true)] {
                let from = Instant::now();
                let mut first = chats();
                let mut seen = run(&mut first, "-100", from, weights);
                let death = *seen.last().unwrap();
                // Killed: what was kept lacks the last message.
                let cut = if is_whole { 0 } else { weights[weights.len() - 1] as usize };
                let mut kept = first.kept(&clock, death);
                for chat in kept.iter_mut().filter(|_| keeps) {
                    chat.sent.truncate(chat.sent.len() - cut.min(chat.sent.len()));
                }
                let mut second = chats();
                second.resume(&kept, is_whole, &clock, death);
                seen.extend(run(&mut second, "-100", death, &[1, 10, 1, 1, 1, 1, 10, 1, 1]));
                // The clock of the two is read at different moments.
                assert!(most_in(&seen, 60 * SECOND) <= 20, "{weights:?} {is_whole}");
            }
        }
    }

    #[test]
    fn an_unknown_chat_may_have_got_something_before_the_start() {
        let now = Instant::now();
        let mut chats = chats();
        chats.resume(&[], false, &Clock::system(), now);
        assert!(chats.free_at("7", 1, now) >= now + SECOND);
        assert!(chats.free_at("-7", 1, now) >= now + 3 * SECOND);
        let later = now + 61 * SECOND;
        assert!(chats.free_at("-7", 10, later) <= later);
        assert!(chats.free_at("7", 1, later) <= later);
    }

    #[test]
    fn a_refusal_is_the_chats_own_when_it_got_something_before() {
        let now = Instant::now();
        let mut chats = chats();
        chats.note("-1", 1, now);
        assert!(!chats.may_be_meant("-1", now, now), "its first message");
        let next = now + 4 * SECOND;
        chats.note("-1", 1, next);
        assert!(chats.may_be_meant("-1", next, next));
        chats.quiet("-1", next + 30 * SECOND, next);
        assert!(chats.free_at("-1", 1, next) >= next + 30 * SECOND);
        chats.note("-2", 1, now);
        chats.note("-2", 1, next);
        assert!(!chats.may_be_meant("-2", next, next), "two at once: it is the bot");
        let kept = chats.kept(&Clock::system(), next);
        let quiet = kept.iter().find(|chat| chat.chat == "-1").and_then(|chat| chat.quiet_until);
        assert!(quiet.is_some());
    }

    #[test]
    fn chats_at_rest_are_forgotten() {
        let now = Instant::now();
        let mut chats = chats();
        for chat in 0..CHATS_MAX * 2 {
            chats.note(&chat.to_string(), 1, now + Duration::from_secs(chat as u64 / 10));
        }
        assert!(chats.known.len() <= CHATS_MAX);
    }
}
