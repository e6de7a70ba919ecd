//! A sliding window over the starts of requests.
//!
//! Of any `n + 1` messages the last starts at least one window after the first. That holds against
//! a service that counts in any window of that length, where a bucket with a burst would not.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// Added to the window, so that what left us just outside it does not arrive just inside.
pub const WINDOW_MARGIN: Duration = Duration::from_millis(4);

/// Up to so many starts in a window are a limit that a service counts. Faster channels need no
/// such care: their starts are not corrected by their answers, nor waited for after a restart.
pub const COUNTED_MAX: usize = 1_024;

/// What has no answer for so long is not waited for: at a slow rate it would hold up all others.
pub const STRAY_AFTER: Duration = Duration::from_secs(5);

/// Rates in messages a second.
const RATE_BOUNDS: (f64, f64) = (0.001, 100_000.0);

/// The last starts, and how many a window may hold.
#[derive(Debug)]
pub struct Starts {
    /// As many as the fastest rate has in a window; those that count from the earliest time first.
    kept: VecDeque<Start>,
    count: usize,
    window: Duration,
}

/// One message.
#[derive(Clone, Copy, Debug)]
struct Start {
    begun: Instant,
    /// From when on it counts: the service may have seen it as late as then.
    counts_from: Instant,
    answer: Answer,
}

/// What is known of the way of one start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// It is on its way, or nobody asks how long it took.
    Open,
    Took(Duration),
    /// It stands for what may have been sent before.
    Supposed,
}

impl Starts {
    /// With no rate larger than `rate_max`. A channel that ran before may have used up its window
    /// right before `now`: then the first start comes a whole window later. In no case do starts
    /// come in a burst at first.
    pub fn new(rate_max: f64, ran_before: bool, now: Instant) -> Self {
        let (count, window) = window_of(rate_max);
        let step = window.div_f64(figure(count));
        let from = if ran_before && count <= COUNTED_MAX {
            now
        } else {
            now.checked_sub(window).unwrap_or(now)
        };
        let supposed = |place| {
            let at = from + step.mul_f64(figure(place));
            Start { begun: at, counts_from: at, answer: Answer::Supposed }
        };
        Self { kept: (0..count).map(supposed).collect(), count, window }
    }

    /// No more than so many a second from now on; never more than the `rate_max` of the beginning.
    pub fn slow_to(&mut self, rate: f64) {
        let (count, window) = window_of(rate);
        self.count = count.min(self.kept.len());
        self.window = window;
    }

    /// What starts from `from` on does so evenly, and not in the burst that a pause would allow.
    pub fn spread(&mut self, from: Instant) {
        let step = self.window.div_f64(figure(self.count));
        let first = from.checked_sub(self.window).unwrap_or(from);
        let skipped = self.kept.len() - self.count;
        for (place, start) in self.kept.iter_mut().skip(skipped).enumerate() {
            start.counts_from = start.counts_from.max(first + step.mul_f64(figure(place)));
        }
    }

    /// When `weight` messages may start.
    pub fn free_at(&self, weight: u32) -> Instant {
        let weight = usize::try_from(weight).unwrap_or(usize::MAX).clamp(1, self.count);
        let place = self.kept.len() - self.count + weight - 1;
        match self.kept.get(place) {
            Some(first) => first.counts_from + self.window,
            None => Instant::now(),
        }
    }

    /// So many messages start now.
    pub fn note(&mut self, weight: u32, now: Instant) {
        let most = self.kept.len();
        for _ in 0..usize::try_from(weight).unwrap_or(most).clamp(1, most) {
            self.kept.pop_front();
            self.kept.push_back(Start { begun: now, counts_from: now, answer: Answer::Open });
        }
    }

    /// What was noted at `begun` was over after `took`.
    pub fn landed(&mut self, begun: Instant, took: Duration) {
        for start in self.kept.iter_mut().filter(|start| start.begun == begun) {
            start.answer = Answer::Took(took);
        }
    }

    /// What took longer than `usual`, or does so already, counts from that much later. The usual
    /// may be known better now than when an answer came.
    pub fn recount(&mut self, usual: Duration, now: Instant) {
        if self.kept.len() > COUNTED_MAX {
            return;
        }
        let mut is_changed = false;
        for start in &mut self.kept {
            let took = match start.answer {
                Answer::Open => now.saturating_duration_since(start.begun).min(STRAY_AFTER),
                Answer::Took(took) => took,
                Answer::Supposed => continue,
            };
            let later = start.begun + took.saturating_sub(usual);
            if later > start.counts_from {
                start.counts_from = later;
                is_changed = true;
            }
        }
        if is_changed {
            self.kept.make_contiguous().sort_by_key(|start| start.counts_from);
        }
    }
}

/// How many starts a window has at that rate, and how long it is.
fn window_of(rate: f64) -> (usize, Duration) {
    let rate = rate.clamp(RATE_BOUNDS.0, RATE_BOUNDS.1);
    let count = rate.ceil();
    let window = Duration::from_secs_f64(count / rate) + WINDOW_MARGIN;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    let count = count as usize;
    (count, window)
}

#[expect(clippy::cast_precision_loss, reason = "at most 100,000")]
fn figure(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `count` starts as early as they may come.
    fn run(starts: &mut Starts, from: Instant, count: usize) -> Vec<Instant> {
        let mut now = from;
        (0..count)
            .map(|_| {
                now = now.max(starts.free_at(1));
                starts.note(1, now);
                now
            })
            .collect()
    }

    fn most_in(seen: &[Instant], span: Duration) -> usize {
        let inside = |from: usize| {
            seen[from..].iter().take_while(|at| at.duration_since(seen[from]) < span).count()
        };
        (0..seen.len()).map(inside).max().unwrap_or(0)
    }

    #[test]
    fn no_window_holds_more_than_the_rate() {
        for rate in [0.5, 1.0, 7.5, 30.0, 300.0] {
            let from = Instant::now();
            let seen = run(&mut Starts::new(rate, true, from), from, 1_000);
            let (count, window) = window_of(rate);
            assert!(most_in(&seen, window - WINDOW_MARGIN) <= count, "{rate}");
        }
    }

    #[test]
    fn the_rate_is_reached_within_a_hundredth() {
        let from = Instant::now();
        let seen = run(&mut Starts::new(30.0, true, from), from, 3_001);
        let took = (seen[3_000] - seen[0]).as_secs_f64();
        assert!(3_000.0 / took >= 29.7, "{} a second", 3_000.0 / took);
    }

    #[test]
    fn sec_d09_a_channel_starts_without_a_burst() {
        let from = Instant::now();
        for ran_before in [false, true] {
            let seen = run(&mut Starts::new(30.0, ran_before, from), from, 30);
            assert!(seen[1] - seen[0] >= Duration::from_millis(30));
            assert!(seen[29] - seen[0] >= Duration::from_millis(900));
            let waited = seen[0] - from;
            assert_eq!(waited >= Duration::from_secs(1), ran_before, "{waited:?}");
        }
    }

    #[test]
    fn no_window_is_passed_over_a_restart() {
        let from = Instant::now();
        // A burst right before the end: the worst that a window allows.
        let mut starts = Starts::new(30.0, false, from);
        let late = from + Duration::from_secs(10);
        let mut seen = run(&mut starts, late, 30);
        let death = *seen.last().unwrap();
        seen.extend(run(&mut Starts::new(30.0, true, death), death, 200));
        assert!(most_in(&seen, Duration::from_secs(1)) <= 30);
    }

    #[test]
    fn a_change_of_the_rate_holds_for_what_was_sent_before() {
        let from = Instant::now();
        let mut starts = Starts::new(30.0, false, from);
        let mut seen = run(&mut starts, from, 60);
        starts.slow_to(15.0);
        let slow = run(&mut starts, *seen.last().unwrap(), 60);
        assert!(most_in(&slow, Duration::from_secs(1)) <= 15);
        let mut both = seen.clone();
        both.extend(&slow[..1]);
        assert!(most_in(&both, Duration::from_secs(1)) <= 30);
        starts.slow_to(30.0);
        let fast = run(&mut starts, *slow.last().unwrap(), 60);
        assert!(most_in(&fast, Duration::from_secs(1)) <= 30);
        seen.extend(slow);
        seen.extend(fast);
        assert!(most_in(&seen, Duration::from_secs(1)) <= 30);
    }

    #[test]
    fn after_a_pause_there_is_no_burst() {
        let from = Instant::now();
        let mut starts = Starts::new(30.0, false, from);
        let seen = run(&mut starts, from, 60);
        let until = *seen.last().unwrap() + Duration::from_secs(5);
        starts.slow_to(15.0);
        starts.spread(until);
        let later = run(&mut starts, until, 30);
        assert_eq!(later[0], until);
        assert!(later[14] - later[0] >= Duration::from_millis(900), "{:?}", later[14] - later[0]);
    }

    #[test]
    fn an_album_counts_as_its_pictures() {
        let now = Instant::now();
        let mut starts = Starts::new(30.0, false, now);
        let late = now + Duration::from_secs(5);
        for _ in 0..3 {
            assert!(starts.free_at(10) <= late);
            starts.note(10, late);
        }
        assert!(starts.free_at(1) >= late + Duration::from_secs(1));
        assert!(starts.free_at(99) >= late + Duration::from_secs(1), "more than fits is let go");
    }

    #[test]
    fn what_arrived_late_counts_from_then() {
        let from = Instant::now();
        let mut starts = Starts::new(2.0, false, from);
        let seen = run(&mut starts, from, 3);
        starts.landed(seen[1], Duration::from_millis(250));
        starts.recount(Duration::from_millis(50), seen[2]);
        assert!(starts.free_at(1) - seen[1] > Duration::from_millis(1_150));
    }

    #[test]
    fn what_is_not_answered_yet_counts_from_as_late_as_it_may_arrive() {
        let usual = Duration::from_millis(50);
        let from = Instant::now();
        let mut starts = Starts::new(2.0, false, from);
        let seen = run(&mut starts, from, 2);
        starts.landed(seen[1], usual);
        let late = seen[1] + Duration::from_millis(900);
        starts.recount(usual, late);
        assert_eq!(starts.free_at(1), seen[1] + starts.window, "its answer came in time");
        assert_eq!(starts.free_at(2), late - usual + starts.window, "the other is still out");
    }

    #[test]
    fn what_is_never_answered_holds_nobody_up_for_long() {
        let usual = Duration::from_millis(50);
        let from = Instant::now();
        let mut starts = Starts::new(1.0, false, from);
        let seen = run(&mut starts, from, 1);
        starts.recount(usual, seen[0] + Duration::from_secs(60));
        assert_eq!(starts.free_at(1), seen[0] + STRAY_AFTER - usual + starts.window);
    }

    #[test]
    fn a_better_knowledge_of_the_usual_holds_for_the_answers_before() {
        let from = Instant::now();
        let mut starts = Starts::new(2.0, false, from);
        let seen = run(&mut starts, from, 2);
        starts.landed(seen[0], Duration::from_millis(300));
        starts.recount(Duration::from_millis(300), seen[1]);
        assert_eq!(starts.free_at(1), seen[0] + starts.window);
        starts.landed(seen[1], Duration::from_millis(10));
        starts.recount(Duration::from_millis(10), seen[1] + Duration::from_millis(10));
        assert_eq!(starts.free_at(1), seen[0] + Duration::from_millis(290) + starts.window);
    }

    #[test]
    fn an_album_that_arrived_late_does_so_with_all_its_pictures() {
        let now = Instant::now();
        let mut starts = Starts::new(30.0, false, now);
        starts.note(10, now);
        starts.landed(now, Duration::from_millis(400));
        starts.recount(Duration::ZERO, now + Duration::from_millis(400));
        let late = starts.kept.iter().filter(|start| start.counts_from > now);
        assert_eq!(late.count(), 10);
    }
}
