//! The claims of one channel that are not on their way: ready, at rest, or behind another.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::channel::Call;
use crate::deliver::edits::Editing;
use crate::deliver::lane::Toll;
use crate::deliver::paid::Fare;
use crate::model::campaign::OnUncertain;
use crate::model::correction::KeptMessage;
use crate::model::lane::Lane;
use crate::model::media::MediaKey;
use crate::model::post::{PostId, Ticket};
use crate::model::time::Timestamp;

/// A claim and how far its sending has come.
pub(super) struct Flight {
    pub ticket: Ticket,
    /// `None` for an answer.
    pub post: Option<PostId>,
    pub calls: Arc<[Call]>,
    /// The call that goes next.
    pub part: usize,
    /// The service has accepted a call of it.
    pub is_said: bool,
    pub address: String,
    pub has_moved: bool,
    pub policy: OnUncertain,
    /// When the request under way was started.
    pub begun: Instant,
    /// What is paid for the request under way; `None` where it is free.
    pub paid: Option<Fare>,
    /// The revision of the post that the calls are of.
    pub revision: u32,
    /// Its messages may be corrected later …
    pub keeps: bool,
    /// … and these have arrived.
    pub kept: Vec<KeptMessage>,
    /// It changes what was sent before; then it has no ticket and no post.
    pub edit: Option<Box<Editing>>,
    pub lane: Lane,
    /// When the window ends by which it goes; `None` where none is needed.
    pub window_until: Option<Timestamp>,
    /// Of a paid message.
    pub toll: Option<Box<Toll>>,
}

/// What starts so shortly before the window ends may arrive after it.
const TRAVEL: Duration = Duration::from_secs(10);

impl Flight {
    /// The window was open when it was claimed, and is not any more.
    pub fn is_shut_out(&self, now: impl FnOnce() -> Timestamp) -> bool {
        self.window_until.is_some_and(|until| until <= now() + TRAVEL)
    }
}

/// Flights in the order in which they go: answers, posts, edits; each chat's own in its order.
#[derive(Default)]
pub(super) struct Waiting {
    answers: VecDeque<Flight>,
    deliveries: VecDeque<Flight>,
    edits: VecDeque<Flight>,
    /// Waiting for their chat's own limit, the earliest on top.
    resting: BinaryHeap<Reverse<(Instant, u64)>>,
    rested: HashMap<u64, Flight>,
    rests: u64,
    /// By address, who waits for the request under way to the same chat.
    behind: HashMap<String, VecDeque<Flight>>,
    /// Who waits for a medium that is being found out about. They are not counted: their posts
    /// rest, so they can't be many.
    for_media: HashMap<MediaKey, VecDeque<Flight>>,
}

impl Waiting {
    /// Takes the next one that is ready.
    pub fn next(&mut self) -> Option<Flight> {
        let first = self.answers.pop_front().or_else(|| self.deliveries.pop_front());
        first.or_else(|| self.edits.pop_front())
    }

    pub fn put_last(&mut self, flight: Flight) {
        self.ready_of(&flight).push_back(flight);
    }

    pub fn put_first(&mut self, flight: Flight) {
        self.ready_of(&flight).push_front(flight);
    }

    /// Lets it wait until another request to its chat has come home.
    pub fn put_behind(&mut self, flight: Flight) {
        self.behind.entry(flight.address.clone()).or_default().push_back(flight);
    }

    /// Makes ready who waited behind a request to this chat.
    pub fn release(&mut self, address: &str) {
        let waiting = self.behind.remove(address).unwrap_or_default();
        waiting.into_iter().rev().for_each(|flight| self.put_first(flight));
    }

    /// Lets it wait until a medium can be had.
    pub fn put_behind_medium(&mut self, medium: MediaKey, flight: Flight) {
        self.for_media.entry(medium).or_default().push_back(flight);
    }

    /// Makes ready who waited for the medium.
    pub fn release_medium(&mut self, medium: &MediaKey) {
        let waiting = self.for_media.remove(medium).unwrap_or_default();
        waiting.into_iter().rev().for_each(|flight| self.put_first(flight));
    }

    /// The posts that wait for media.
    pub fn resting_posts(&self) -> Vec<PostId> {
        let mut posts: Vec<PostId> =
            self.for_media.values().flatten().filter_map(|flight| flight.post).collect();
        posts.sort_unstable();
        posts.dedup();
        posts
    }

    /// Lets it wait for its chat's own limit.
    pub fn rest(&mut self, flight: Flight, until: Instant) {
        self.rests += 1;
        self.resting.push(Reverse((until, self.rests)));
        self.rested.insert(self.rests, flight);
    }

    /// When the first rest ends.
    pub fn rest_ends_at(&self) -> Option<Instant> {
        self.resting.peek().map(|Reverse((at, _))| *at)
    }

    /// Makes ready whose rest has ended.
    pub fn wake(&mut self, now: Instant) {
        let mut woken = Vec::new();
        while let Some(Reverse((at, number))) = self.resting.peek().copied()
            && at <= now
        {
            self.resting.pop();
            woken.extend(self.rested.remove(&number));
        }
        woken.into_iter().rev().for_each(|flight| self.put_first(flight));
    }

    /// How many but edits could go now, as far as the limits of their chats are known.
    pub fn ready(&self) -> usize {
        self.answers.len() + self.deliveries.len()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        let behind: usize = self.behind.values().map(VecDeque::len).sum();
        self.ready() + self.edits.len() + self.rested.len() + behind
    }

    /// The posts of all that wait, with repetitions.
    pub fn posts(&self) -> impl Iterator<Item = PostId> {
        let behind = self.behind.values().chain(self.for_media.values()).flatten();
        self.deliveries.iter().chain(self.rested.values()).chain(behind).filter_map(|one| one.post)
    }

    /// Takes all out.
    pub fn drain(&mut self) -> Vec<Flight> {
        let all = std::mem::take(self);
        let ready = all.answers.into_iter().chain(all.deliveries).chain(all.edits);
        let behind = all.behind.into_values().chain(all.for_media.into_values()).flatten();
        ready.chain(all.rested.into_values()).chain(behind).collect()
    }

    fn ready_of(&mut self, flight: &Flight) -> &mut VecDeque<Flight> {
        match (&flight.edit, flight.post) {
            (Some(_), _) => &mut self.edits,
            (None, None) => &mut self.answers,
            (None, Some(_)) => &mut self.deliveries,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flight(post: Option<u64>, address: &str) -> Flight {
        Flight {
            ticket: Ticket(0),
            post: post.map(PostId),
            calls: Arc::from([]),
            part: 0,
            is_said: false,
            address: address.to_owned(),
            has_moved: false,
            policy: OnUncertain::Skip,
            begun: Instant::now(),
            paid: None,
            revision: 0,
            keeps: false,
            kept: Vec::new(),
            edit: None,
            lane: Lane::Window,
            window_until: None,
            toll: None,
        }
    }

    fn order(waiting: &mut Waiting) -> Vec<String> {
        std::iter::from_fn(|| waiting.next()).map(|flight| flight.address).collect()
    }

    #[test]
    fn answers_go_before_posts() {
        let mut waiting = Waiting::default();
        for (post, address) in [(Some(1), "a"), (None, "b"), (Some(1), "c"), (None, "d")] {
            waiting.put_last(flight(post, address));
        }
        assert_eq!(order(&mut waiting), ["b", "d", "a", "c"]);
    }

    #[test]
    fn who_waited_goes_first_and_in_order() {
        let mut waiting = Waiting::default();
        waiting.put_last(flight(Some(9), "last"));
        for post in [1, 2] {
            waiting.put_behind(flight(Some(post), "chat"));
        }
        waiting.put_behind(flight(Some(3), "other"));
        assert_eq!((waiting.ready(), waiting.count()), (1, 4));
        waiting.release("chat");
        let posts: Vec<_> = std::iter::from_fn(|| waiting.next()).map(|one| one.post).collect();
        assert_eq!(posts, [1, 2, 9].map(|post| Some(PostId(post))));
        assert_eq!(waiting.drain().len(), 1);
        assert_eq!(waiting.count(), 0);
    }

    #[test]
    fn a_rest_ends_at_its_instant() {
        let mut waiting = Waiting::default();
        let now = Instant::now();
        for (address, seconds) in [("late", 3), ("early", 1), ("middle", 2)] {
            waiting.rest(flight(Some(1), address), now + Duration::from_secs(seconds));
        }
        assert_eq!(waiting.rest_ends_at(), Some(now + Duration::from_secs(1)));
        waiting.wake(now);
        assert_eq!(waiting.ready(), 0);
        waiting.wake(now + Duration::from_secs(2));
        assert_eq!(order(&mut waiting), ["early", "middle"]);
        assert_eq!(waiting.rest_ends_at(), Some(now + Duration::from_secs(3)));
    }
}
