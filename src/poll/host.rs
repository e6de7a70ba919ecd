//! Whose turn it is: so many requests at a time and a pause per host, fair turns between hosts.
//!
//! It only keeps the books; the worker does the waiting. A host is in memory only while something
//! waits for it, is under way there, or its pause runs, so the memory is bounded by what the
//! caller puts in.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use url::Url;

/// What one host is known by: its name or number, without port.
pub(crate) type Key = Arc<str>;

/// The host that the address belongs to; a file is a host of its own.
pub(crate) fn key(url: &Url) -> Key {
    if url.scheme() == "file" {
        return Arc::from(url.path());
    }
    Arc::from(url.host_str().unwrap_or_default().trim_end_matches('.'))
}

/// Jobs that wait for their hosts.
#[derive(Debug)]
pub(crate) struct Hosts<Job> {
    per_host: usize,
    pause: Duration,
    hosts: HashMap<Key, Host<Job>>,
    /// Hosts with a waiting job and a free slot, each once, in the order of their turns.
    ready: VecDeque<Key>,
    /// Slots whose pause runs.
    pausing: BinaryHeap<Reverse<(Instant, Key)>>,
}

#[derive(Debug)]
struct Host<Job> {
    waiting: VecDeque<Job>,
    /// Slots that are in use or pausing.
    taken: usize,
}

impl<Job> Hosts<Job> {
    /// `per_host` is at least one.
    pub fn new(per_host: usize, pause: Duration) -> Self {
        Self {
            per_host: per_host.max(1),
            pause,
            hosts: HashMap::new(),
            ready: VecDeque::new(),
            pausing: BinaryHeap::new(),
        }
    }

    /// Puts the job behind all others of its host.
    pub fn enqueue(&mut self, key: Key, job: Job) {
        self.insert(key, |waiting| waiting.push_back(job));
    }

    /// Puts the job before all others of its host: it goes on with something begun.
    pub fn enqueue_first(&mut self, key: Key, job: Job) {
        self.insert(key, |waiting| waiting.push_front(job));
    }

    fn insert(&mut self, key: Key, put: impl FnOnce(&mut VecDeque<Job>)) {
        let host = self
            .hosts
            .entry(Arc::clone(&key))
            .or_insert_with(|| Host { waiting: VecDeque::new(), taken: 0 });
        let was_waiting = !host.waiting.is_empty();
        put(&mut host.waiting);
        if !was_waiting && host.taken < self.per_host {
            self.ready.push_back(key);
        }
    }

    /// The next job that may start now, and takes a slot of its host for it; hosts take turns.
    pub fn next(&mut self, now: Instant) -> Option<(Key, Job)> {
        self.end_pauses(now);
        let key = self.ready.pop_front()?;
        let host = self.hosts.get_mut(&key)?;
        let job = host.waiting.pop_front()?;
        host.taken += 1;
        if !host.waiting.is_empty() && host.taken < self.per_host {
            self.ready.push_back(Arc::clone(&key));
        }
        Some((key, job))
    }

    /// The request has ended; its slot is free after the pause.
    pub fn finish(&mut self, key: Key, now: Instant) {
        if self.pause.is_zero() {
            self.free(key);
        } else {
            self.pausing.push(Reverse((now + self.pause, key)));
        }
    }

    /// When the next pause ends; `None` when none runs.
    pub fn next_pause_end(&self) -> Option<Instant> {
        self.pausing.peek().map(|Reverse((until, _))| *until)
    }

    fn end_pauses(&mut self, now: Instant) {
        while self.pausing.peek().is_some_and(|Reverse((until, _))| *until <= now) {
            if let Some(Reverse((_, key))) = self.pausing.pop() {
                self.free(key);
            }
        }
    }

    fn free(&mut self, key: Key) {
        let Some(host) = self.hosts.get_mut(&key) else { return };
        let was_full = host.taken >= self.per_host;
        host.taken = host.taken.saturating_sub(1);
        if !host.waiting.is_empty() {
            if was_full {
                self.ready.push_back(key);
            }
        } else if host.taken == 0 {
            self.hosts.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(name: &str) -> Key {
        Arc::from(name)
    }

    fn order(hosts: &mut Hosts<&'static str>, now: Instant) -> Vec<&'static str> {
        std::iter::from_fn(|| hosts.next(now)).map(|(_, job)| job).collect()
    }

    #[test]
    fn one_request_at_a_time_and_a_pause_after_it() {
        let pause = Duration::from_secs(1);
        let mut hosts = Hosts::new(1, pause);
        let start = Instant::now();
        hosts.enqueue(host("a"), "a1");
        hosts.enqueue(host("a"), "a2");
        assert_eq!(order(&mut hosts, start), ["a1"]);
        hosts.finish(host("a"), start);
        assert_eq!(order(&mut hosts, start + pause - Duration::from_millis(1)), [""; 0]);
        assert_eq!(hosts.next_pause_end(), Some(start + pause));
        assert_eq!(order(&mut hosts, start + pause), ["a2"]);
    }

    #[test]
    fn the_pause_holds_also_for_what_comes_after_the_queue_was_empty() {
        let mut hosts = Hosts::new(1, Duration::from_secs(1));
        let start = Instant::now();
        hosts.enqueue(host("a"), "a1");
        assert_eq!(order(&mut hosts, start), ["a1"]);
        hosts.finish(host("a"), start);
        hosts.enqueue(host("a"), "a2");
        assert_eq!(order(&mut hosts, start), [""; 0]);
        assert_eq!(order(&mut hosts, start + Duration::from_secs(1)), ["a2"]);
    }

    #[test]
    fn hosts_take_turns_and_a_busy_one_delays_no_other() {
        let mut hosts = Hosts::new(1, Duration::ZERO);
        let now = Instant::now();
        for job in ["a1", "a2", "a3"] {
            hosts.enqueue(host("a"), job);
        }
        hosts.enqueue(host("b"), "b1");
        assert_eq!(order(&mut hosts, now), ["a1", "b1"]);
        hosts.finish(host("b"), now);
        hosts.enqueue(host("c"), "c1");
        assert_eq!(order(&mut hosts, now), ["c1"], "`a` hangs");
        hosts.finish(host("a"), now);
        assert_eq!(order(&mut hosts, now), ["a2"]);
    }

    #[test]
    fn more_slots_a_host_pause_each_by_itself() {
        let mut hosts = Hosts::new(2, Duration::from_secs(1));
        let now = Instant::now();
        for job in ["a1", "a2", "a3", "a4"] {
            hosts.enqueue(host("a"), job);
        }
        assert_eq!(order(&mut hosts, now), ["a1", "a2"]);
        hosts.finish(host("a"), now);
        assert_eq!(order(&mut hosts, now + Duration::from_secs(1)), ["a3"]);
    }

    #[test]
    fn a_begun_job_goes_first() {
        let mut hosts = Hosts::new(1, Duration::ZERO);
        hosts.enqueue(host("a"), "a1");
        hosts.enqueue_first(host("a"), "begun");
        let (key, job) = hosts.next(Instant::now()).unwrap();
        assert_eq!(job, "begun");
        hosts.finish(key, Instant::now());
        assert_eq!(order(&mut hosts, Instant::now()), ["a1"]);
    }

    #[test]
    fn an_idle_host_is_forgotten() {
        let mut hosts = Hosts::new(1, Duration::ZERO);
        for at in 0..1_000 {
            hosts.enqueue(Arc::from(format!("host{at}")), at);
            let (key, _) = hosts.next(Instant::now()).unwrap();
            hosts.finish(key, Instant::now());
        }
        assert!(hosts.hosts.is_empty() && hosts.ready.is_empty() && hosts.pausing.is_empty());
    }

    #[test]
    fn the_host_is_the_same_with_every_port_scheme_and_trailing_dot() {
        for address in
            ["http://feeds.example/a", "https://FEEDS.example:8443/b", "http://feeds.example./"]
        {
            assert_eq!(&*key(&Url::parse(address).unwrap()), "feeds.example");
        }
    }
}
