//! When a source is polled next.
//!
//! Pure but for the heap of due instants. The rules:
//!
//! - `every` is the user's word: the site's caching headers do not lengthen it, only the floor does.
//! - `cron` fires at its instants and at no other; one that comes sooner than the floor after the
//!   last one is left out.
//! - `auto` starts at half an hour, halves when something changed and grows by a quarter when
//!   nothing did, but never asks sooner than the document or the headers say, and at least daily.
//! - `Retry-After` wins over all of these, up to a day.
//! - A failure doubles the interval, up to a day; a source that is gone waits a day at once. No
//!   source is ever given up.
//!
//! What is not `cron` is spread by a tenth to either side, so that sources do not stay in step.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use crate::model::name::Name;
use crate::model::schedule::Schedule;
use crate::model::source::SourceState;
use crate::model::time::Timestamp;

/// The interval of a source whose settings name none, and where `auto` starts.
pub const INTERVAL: Duration = Duration::from_secs(30 * 60);

/// The shortest interval unless the sysadmin lowers it.
pub const FLOOR: Duration = Duration::from_secs(5 * 60);

/// The longest interval that a failure, a header or `auto` can lead to.
pub const INTERVAL_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// `ttl` counts minutes, but these two values are seconds by mistake wherever they are met.
const TTL_MISTAKES: [Duration; 2] =
    [Duration::from_secs(1_800 * 60), Duration::from_secs(3_600 * 60)];

/// How a poll ended, as far as the next one depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// A document came, or word that it is the same.
    Well {
        /// Something in it was new or updated.
        is_changed: bool,
        /// How long the headers call it fresh.
        fresh_for: Option<Duration>,
        /// How long the document itself asks to be left alone.
        ttl: Option<Duration>,
    },
    Badly {
        /// Failures in a row, this one included.
        failures: u32,
        /// The site's own wish.
        after: Option<Duration>,
        is_gone: bool,
    },
}

/// When the source is polled next, if its last poll (`last` is the state before it) ended so now.
pub(crate) fn next_due(
    (source, schedule): (&Name, &Schedule),
    floor: Duration,
    last: &SourceState,
    ended: Ended,
    now: Timestamp,
) -> Timestamp {
    let wait = match ended {
        Ended::Badly { after: Some(after), .. } => {
            // Never sooner than asked, so the spread goes to one side only.
            let wait = after.clamp(floor.min(INTERVAL_MAX), INTERVAL_MAX);
            let spread = spread(wait, source, now).max(wait);
            return at_or_after(schedule, now, wait, spread);
        }
        Ended::Badly { is_gone: true, .. } => INTERVAL_MAX.max(interval(schedule, floor, last)),
        Ended::Badly { failures, .. } => {
            let usual = interval(schedule, floor, last);
            let doubled = usual.saturating_mul(2_u32.saturating_pow(failures.min(31)));
            doubled.min(INTERVAL_MAX).max(usual)
        }
        Ended::Well { is_changed, fresh_for, ttl } => match schedule {
            Schedule::Every(interval) => *interval,
            Schedule::Auto => {
                let usual = interval(schedule, floor, last);
                let next = if last.succeeded_at.is_none() {
                    INTERVAL
                } else if is_changed {
                    usual / 2
                } else {
                    usual + usual / 4
                };
                let asked = fresh_for.max(ttl.map(meant)).unwrap_or_default();
                next.max(asked).min(INTERVAL_MAX)
            }
            // The floor counts from the instant at which it fired, not from when we came to it:
            // a poll that begins a moment late must not lose the next turn.
            Schedule::Cron(_) => {
                let from = now.max(last.due_at + floor - Duration::from_millis(1));
                return schedule.next_after(from).unwrap_or(now + INTERVAL_MAX);
            }
        },
    };
    let wait = wait.max(floor);
    at_or_after(schedule, now, wait, spread(wait, source, now).max(floor))
}

/// When a source that was polled before is due after a start: as it was decided then, or sooner if
/// the settings have a shorter interval now.
pub(crate) fn due_at_start(
    (source, schedule): (&Name, &Schedule),
    floor: Duration,
    state: &SourceState,
    now: Timestamp,
) -> Timestamp {
    let decided = state.due_at;
    let (Some(polled_at), 0) = (state.polled_at, state.failures) else {
        return decided.min(now + INTERVAL_MAX + INTERVAL_MAX / 10);
    };
    match schedule {
        Schedule::Every(interval) => {
            decided.min(polled_at + spread((*interval).max(floor), source, polled_at))
        }
        Schedule::Auto => decided.min(now + INTERVAL_MAX + INTERVAL_MAX / 10),
        // The rule may be another one than that by which it was decided.
        Schedule::Cron(_) => schedule.next_after(polled_at).unwrap_or(decided),
    }
}

/// The interval that a failure doubles. `auto` remembers its own as the one it last decided.
fn interval(schedule: &Schedule, floor: Duration, last: &SourceState) -> Duration {
    match schedule {
        Schedule::Every(interval) => (*interval).max(floor),
        Schedule::Auto => match last.polled_at {
            Some(polled_at) if last.failures == 0 => last.due_at.since(polled_at),
            _ => INTERVAL,
        }
        .clamp(floor.min(INTERVAL_MAX), INTERVAL_MAX),
        Schedule::Cron(_) => floor,
    }
}

/// `ttl` as it was meant.
fn meant(ttl: Duration) -> Duration {
    if TTL_MISTAKES.contains(&ttl) { ttl / 60 } else { ttl }
}

/// Instants of `cron` stay what they are: the first one that is `wait` from now or later.
fn at_or_after(schedule: &Schedule, now: Timestamp, wait: Duration, spread: Duration) -> Timestamp {
    match schedule {
        Schedule::Every(_) | Schedule::Auto => now + spread,
        Schedule::Cron(_) => schedule.next_after(now + wait).unwrap_or(now + INTERVAL_MAX),
    }
}

/// The interval, up to a tenth longer or shorter; the same for the same source and instant.
fn spread(interval: Duration, source: &Name, now: Timestamp) -> Duration {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in source.as_str().bytes().chain(now.as_millis().to_le_bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let thousandths = (hash >> 32) % 201;
    interval / 10 * 9 + interval.mul_f64(f64::from(u32::try_from(thousandths).unwrap_or(100)) / 1e3)
}

/// Who is due when. An entry may be outdated: the caller knows what it last put in.
#[derive(Debug, Default)]
pub(crate) struct Due {
    heap: BinaryHeap<Reverse<(Timestamp, u32)>>,
}

impl Due {
    pub fn push(&mut self, at: Timestamp, source: u32) {
        self.heap.push(Reverse((at, source)));
    }

    /// The earliest entry that is due now.
    pub fn pop(&mut self, now: Timestamp) -> Option<(Timestamp, u32)> {
        let Reverse((at, _)) = self.heap.peek()?;
        if *at > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| entry)
    }

    /// When the next entry is due.
    pub fn next_at(&self) -> Option<Timestamp> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::schedule::CronRule;

    const NOW: Timestamp = Timestamp::from_millis(1_795_424_400_000);
    const MINUTE: Duration = Duration::from_secs(60);
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    fn well(is_changed: bool) -> Ended {
        Ended::Well { is_changed, fresh_for: None, ttl: None }
    }

    fn badly(failures: u32) -> Ended {
        Ended::Badly { failures, after: None, is_gone: false }
    }

    fn wait(schedule: &Schedule, last: &SourceState, ended: Ended) -> Duration {
        let name = Name::parse("blog").unwrap();
        next_due((&name, schedule), FLOOR, last, ended, NOW).since(NOW)
    }

    fn assert_about(actual: Duration, wanted: Duration) {
        let tenth = wanted / 10;
        let range = wanted - tenth..=wanted + tenth;
        assert!(range.contains(&actual), "{actual:?} is not about {wanted:?}");
    }

    /// As if the last poll had decided on this interval.
    fn decided(interval: Duration) -> SourceState {
        let polled_at = NOW - interval;
        SourceState {
            due_at: NOW,
            polled_at: Some(polled_at),
            succeeded_at: Some(polled_at),
            ..SourceState::default()
        }
    }

    #[test]
    fn every_is_the_users_word_above_the_floor() {
        let last = decided(30 * MINUTE);
        for (every, wanted) in [(15, 15), (30, 30), (3 * 24 * 60, 3 * 24 * 60)] {
            let schedule = Schedule::Every(every * MINUTE);
            assert_about(wait(&schedule, &last, well(false)), wanted * MINUTE);
            let asked = Ended::Well { is_changed: true, fresh_for: Some(DAY), ttl: Some(DAY) };
            assert_about(wait(&schedule, &last, asked), wanted * MINUTE);
        }
        for every in [1, 60, 299] {
            let schedule = Schedule::Every(Duration::from_secs(every));
            assert!(wait(&schedule, &last, well(false)) >= FLOOR, "{every} s");
        }
    }

    #[test]
    fn failures_double_the_interval_up_to_a_day_and_never_end() {
        let schedule = Schedule::Every(30 * MINUTE);
        let last = SourceState::default();
        for (failures, minutes) in
            [(1, 60), (2, 120), (3, 240), (5, 960), (6, 1_440), (7, 1_440), (u32::MAX, 1_440)]
        {
            assert_about(wait(&schedule, &last, badly(failures)), minutes * MINUTE);
        }
        let rare = Schedule::Every(7 * DAY);
        assert_about(wait(&rare, &last, badly(3)), 7 * DAY);
    }

    #[test]
    fn retry_after_wins_up_to_a_day_and_is_never_undercut() {
        for schedule in [Schedule::Every(30 * MINUTE), Schedule::Auto] {
            for (asked, wanted) in
                [(Duration::ZERO, FLOOR), (10 * MINUTE, 10 * MINUTE), (3 * DAY, DAY)]
            {
                let ended = Ended::Badly { failures: 4, after: Some(asked), is_gone: false };
                let waited = wait(&schedule, &SourceState::default(), ended);
                assert!(waited >= wanted && waited <= wanted + wanted / 10, "{waited:?}");
            }
        }
    }

    #[test]
    fn what_is_gone_waits_a_day_at_once() {
        let ended = Ended::Badly { failures: 1, after: None, is_gone: true };
        assert_about(wait(&Schedule::Auto, &SourceState::default(), ended), DAY);
    }

    #[test]
    fn auto_follows_how_often_the_source_changes() {
        let auto = Schedule::Auto;
        let first = SourceState::default();
        assert_about(wait(&auto, &first, well(false)), INTERVAL);
        assert_about(wait(&auto, &decided(40 * MINUTE), well(true)), 20 * MINUTE);
        assert_about(wait(&auto, &decided(40 * MINUTE), well(false)), 50 * MINUTE);
        assert!(wait(&auto, &decided(6 * MINUTE), well(true)) >= FLOOR);
        assert_about(wait(&auto, &decided(DAY), well(false)), DAY);
    }

    #[test]
    fn auto_asks_no_sooner_than_the_site_says_but_daily() {
        let ended = |fresh_for: u32, ttl: u32| Ended::Well {
            is_changed: true,
            fresh_for: Some(fresh_for * MINUTE),
            ttl: Some(ttl * MINUTE),
        };
        let last = decided(20 * MINUTE);
        for ((fresh_for, ttl), minutes) in [
            ((0, 0), 10),
            ((45, 0), 45),
            ((0, 60), 60),
            ((90, 60), 90),
            ((0, 1_440), 1_440),
            ((1 << 20, 0), 1_440),
            // Seconds by mistake.
            ((0, 1_800), 30),
            ((0, 3_600), 60),
        ] {
            assert_about(wait(&Schedule::Auto, &last, ended(fresh_for, ttl)), minutes * MINUTE);
        }
    }

    #[test]
    fn cron_fires_at_its_instants_only() {
        let schedule = Schedule::Cron(CronRule::parse("0 */15 * * * *", None).unwrap());
        let name = Name::parse("blog").unwrap();
        let fired = SourceState { due_at: NOW, ..SourceState::default() };
        let late = NOW + Duration::from_secs(70);
        let next = |ended| next_due((&name, &schedule), FLOOR, &fired, ended, late).since(NOW);
        assert_eq!(next(well(false)), 15 * MINUTE);
        assert_eq!(next(badly(1)), 15 * MINUTE);
        assert_eq!(next(badly(2)), 30 * MINUTE);
        let asked = Ended::Badly { failures: 1, after: Some(40 * MINUTE), is_gone: false };
        assert_eq!(next(asked), 45 * MINUTE);
    }

    #[test]
    fn cron_at_the_floor_loses_no_turn_by_being_late() {
        let name = Name::parse("blog").unwrap();
        let fired = SourceState { due_at: NOW, ..SourceState::default() };
        let late = NOW + Duration::from_secs(2);
        for (line, minutes) in [("0 */5 * * * *", 5), ("0 * * * * *", 5)] {
            let schedule = Schedule::Cron(CronRule::parse(line, None).unwrap());
            let next = next_due((&name, &schedule), FLOOR, &fired, well(false), late);
            assert_eq!(next.since(NOW), minutes * MINUTE, "{line}");
        }
    }

    #[test]
    fn a_shorter_interval_in_the_settings_holds_from_the_next_start() {
        let name = Name::parse("blog").unwrap();
        let at = |schedule: &Schedule, state: &SourceState| {
            due_at_start((&name, schedule), FLOOR, state, NOW)
        };
        let mut state = decided(DAY);
        state.polled_at = Some(NOW);
        state.due_at = NOW + DAY;
        assert_about(at(&Schedule::Every(15 * MINUTE), &state).since(NOW), 15 * MINUTE);
        assert_eq!(at(&Schedule::Every(2 * DAY), &state), NOW + DAY);
        state.failures = 3;
        assert_eq!(at(&Schedule::Every(15 * MINUTE), &state), NOW + DAY, "it is backing off");
        state.due_at = NOW + 400 * DAY;
        assert!(at(&Schedule::Auto, &state) <= NOW + 2 * DAY, "the clock was wrong");
    }

    #[test]
    fn the_spread_differs_by_source_and_instant_and_not_by_run() {
        let spans: std::collections::BTreeSet<Duration> = (0..100)
            .map(|at| {
                let name = Name::parse(&format!("source{at}")).unwrap();
                let span = spread(30 * MINUTE, &name, NOW);
                assert_eq!(span, spread(30 * MINUTE, &name, NOW));
                assert_about(span, 30 * MINUTE);
                span
            })
            .collect();
        assert!(spans.len() > 50, "only {} differ", spans.len());
    }

    #[test]
    fn what_is_due_comes_in_its_order() {
        let mut due = Due::default();
        for (after, source) in [(3, 1), (1, 2), (2, 3), (9, 4)] {
            due.push(NOW + Duration::from_secs(after), source);
        }
        let later = NOW + Duration::from_secs(5);
        let order: Vec<u32> =
            std::iter::from_fn(|| due.pop(later)).map(|(_, source)| source).collect();
        assert_eq!(order, [2, 3, 1]);
        assert_eq!(due.next_at(), Some(NOW + Duration::from_secs(9)));
    }
}
