//! Events count in the order in which they happened, not in that in which they came.
//!
//! Services repeat and reorder what they tell. What each person did lately is kept with what they
//! were before it; an event that comes late takes its place there, and all that happened since is
//! gone through again:
//!
//! 1. By time; of those at one instant stopping comes last, so that no disorder subscribes anybody
//!    again; then by the service's own number.
//! 2. The record is what comes out at the end, whatever the order in which the events came.
//! 3. A late event is answered only if it changes something, or asks for something, and its answer is
//!    still true.
//!
//! Where somebody else has changed the record since (a delivery that found it blocked, an import),
//! what was before is not told any more: then only what is newer than the record counts.

use crate::model::event::{Deed, Event};
use crate::model::message::Message;
use crate::model::name::Name;
use crate::model::post::Answer;
use crate::model::recent::{Lately, RECENT_FOR, Recent};
use crate::model::subscriber::{Standing, Subscriber};
use crate::model::time::Timestamp;

use crate::converse::replies::Turn;

/// Most events of one person that are kept.
const EVENTS_MAX: usize = 24;

/// The conversation as far as it matters here.
pub(super) trait Conversation {
    /// Answers one event to somebody with this record.
    fn respond(&self, known: Option<&Subscriber>, event: &Event) -> Turn;

    /// Whether the event asks us to stop.
    fn stops(&self, event: &Event) -> bool;

    /// Whether the event says something that may count in another place, if not in this one.
    fn is_understood(&self, event: &Event) -> bool;
}

/// Answers one event, wherever it belongs among the recent ones; says what is recent then.
pub(super) fn take(
    known: Option<&Subscriber>,
    recent: Option<Recent>,
    event: &Event,
    talk: &impl Conversation,
) -> (Turn, Recent) {
    let mut recent = recent
        .filter(|recent| is_same(recent.after.as_ref(), known))
        .unwrap_or_else(|| Recent { base: known.cloned(), ..Recent::default() });
    let channel = &event.channel;
    let place = Place::of(event, talk);
    let at =
        recent.events.partition_point(|earlier| Place::of(&earlier.event(channel), talk) <= place);
    let turn = if at == recent.events.len() {
        let turn = talk.respond(known, event);
        recent.events.push(kept(known, event, turn.subscriber.as_ref(), talk));
        turn
    } else {
        late(known, &mut recent, at, event, talk)
    };
    recent.after = turn.subscriber.clone().or_else(|| known.cloned());
    trim(&mut recent, channel, talk);
    (turn, recent)
}

/// Where an event stands among others.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    at: Timestamp,
    stops: bool,
    /// Telegram's ids are numbers.
    number: Option<u64>,
    id: String,
}

impl Place {
    fn of(event: &Event, talk: &impl Conversation) -> Self {
        let number = event.id.parse().ok();
        Self { at: event.at, stops: talk.stops(event), number, id: event.id.clone() }
    }
}

/// Puts a late event in its place and goes through all since.
fn late(
    known: Option<&Subscriber>,
    recent: &mut Recent,
    at: usize,
    event: &Event,
    talk: &impl Conversation,
) -> Turn {
    let channel = &event.channel;
    let mut person = recent.base.clone();
    for earlier in &recent.events[..at] {
        person = step(person, &earlier.event(channel), talk).0;
    }
    let before = person.clone();
    let (mut person, mut turn) = step(person, event, talk);
    let then = person.clone();
    for later in &recent.events[at..] {
        person = step(person, &later.event(channel), talk).0;
    }
    recent.events.insert(at, kept(before.as_ref(), event, then.as_ref(), talk));
    let tap = turn.answers.iter().find_map(|answer| answer.tap.clone());
    if let (Some(person), Some(known)) = (&mut person, known) {
        // What no event tells stays as it is.
        person.number = known.number;
        person.default_reply_at = known.default_reply_at;
        person.name_asked_at = known.name_asked_at;
        person.first_name = person.first_name.take().or_else(|| known.first_name.clone());
    }
    let standing = |one: Option<&Subscriber>| one.map(|one| one.standing);
    let is_true = standing(person.as_ref()) == standing(then.as_ref());
    if !is_true || !matters(known, person.as_ref()) {
        let acknowledged = |tap| Answer { message: Message::default(), tap: Some(tap), ask: None };
        turn = Turn {
            answers: tap.map(acknowledged).into_iter().collect(),
            releases_held: turn.releases_held,
            // What is asked for is answered whenever it comes, but to nobody who has left since.
            privacy: turn.privacy,
            watch: turn.watch.filter(|_| is_true),
            lookup: turn.lookup.filter(|lookup| is_true && !lookup.is_extra),
            ..Turn::default()
        };
    }
    let is_active = standing(person.as_ref()) == Some(Standing::Active);
    Turn {
        releases_held: turn.releases_held && is_active,
        ends_watches: turn.ends_watches && !is_active,
        subscriber: if is_same(known, person.as_ref()) { None } else { person },
        ..turn
    }
}

/// The record after an event.
fn step(
    person: Option<Subscriber>,
    event: &Event,
    talk: &impl Conversation,
) -> (Option<Subscriber>, Turn) {
    let turn = talk.respond(person.as_ref(), event);
    (turn.subscriber.clone().or(person), turn)
}

/// The event as it is kept: without a text that says nothing to us and made no difference.
fn kept(
    before: Option<&Subscriber>,
    event: &Event,
    after: Option<&Subscriber>,
    talk: &impl Conversation,
) -> Lately {
    let mut kept = Lately::of(event);
    if matches!(event.deed, Deed::Edited { .. }) && !talk.stops(event) {
        kept.deed = Deed::Reacted;
    }
    if matches!(event.deed, Deed::Said { .. }) && !talk.is_understood(event) {
        let wordless = Event { deed: Deed::SentMedia, ..event.clone() };
        let same = talk.respond(before, &wordless).subscriber;
        if !matters(same.as_ref(), after.or(before)) {
            kept.deed = Deed::SentMedia;
        }
    }
    // What is to be acknowledged is acknowledged once.
    if let Deed::Tapped { tap, .. } = &mut kept.deed {
        *tap = None;
    }
    kept
}

/// The oldest events become part of what was before.
fn trim(recent: &mut Recent, channel: &Name, talk: &impl Conversation) {
    let oldest = recent.newest_at() - RECENT_FOR;
    let beyond = recent.events.len().saturating_sub(EVENTS_MAX);
    let old = recent.events.iter().take_while(|event| event.at < oldest).count();
    for event in recent.events.drain(..old.max(beyond)).collect::<Vec<_>>() {
        recent.base = step(recent.base.take(), &event.event(channel), talk).0;
    }
}

/// Somebody would notice the difference.
fn matters(one: Option<&Subscriber>, other: Option<&Subscriber>) -> bool {
    let plain = |one: &Subscriber| Subscriber {
        number: 0,
        changed_at: Timestamp::default(),
        window_until: None,
        default_reply_at: None,
        first_name: None,
        name_asked_at: None,
        came_by: None,
        ..one.clone()
    };
    one.map(plain) != other.map(plain)
}

/// They differ in nothing but in what is found out beside the events, and the number.
fn is_same(one: Option<&Subscriber>, other: Option<&Subscriber>) -> bool {
    let plain = |one: &Subscriber| Subscriber {
        number: 0,
        first_name: None,
        name_asked_at: None,
        came_by: None,
        ..one.clone()
    };
    one.map(plain) == other.map(plain)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::converse::choosing::Choosing;
    use crate::converse::replies::{Setting, Talk};
    use crate::converse::words::{Saying, Words};
    use crate::model::channel::ChannelKind;

    const START: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    /// One person of a page, and what is kept of them.
    #[derive(Default)]
    struct Person {
        known: Option<Subscriber>,
        recent: Option<Recent>,
    }

    impl Person {
        /// What they did so many seconds after the start is told now.
        fn told(&mut self, seconds: u64, deed: Deed) -> Turn {
            let words = Words {
                welcome: Saying::new(&[("en", "Welcome.")]),
                goodbye: Saying::new(&[("en", "Goodbye.")]),
                default_reply: Saying::new(&[("en", "What?")]),
                default_reply_every: Duration::from_secs(10),
                ..Words::default()
            };
            let topics = [name("news"), name("shop")];
            let choosing = Choosing::default();
            let setting = Setting {
                words: &words,
                topics: &topics,
                choosing: &choosing,
                kind: ChannelKind::Messenger,
                is_watching: false,
            };
            let now = START + Duration::from_secs(1_000_000);
            let event = Event {
                channel: name("page"),
                id: format!("m_{seconds}"),
                at: START + Duration::from_secs(seconds),
                address: "7".into(),
                language: None,
                first_name: None,
                deed,
            };
            let known = self.known.as_ref();
            let talk = Talk { setting, now };
            let (turn, recent) = take(known, self.recent.take(), &event, &talk);
            self.recent = Some(recent);
            if turn.subscriber.is_some() {
                self.known.clone_from(&turn.subscriber);
            }
            turn
        }

        fn says(&mut self, seconds: u64, text: &str) -> Turn {
            self.told(seconds, Deed::Said { text: text.into() })
        }

        fn starts(&mut self, seconds: u64, topic: &str) -> Turn {
            self.told(seconds, Deed::Started { payload: Some(topic.into()) })
        }

        fn standing(&self) -> Standing {
            self.known.as_ref().unwrap().standing
        }

        fn topics(&self) -> Vec<&str> {
            self.known.as_ref().unwrap().topics.iter().map(Name::as_str).collect()
        }
    }

    #[test]
    fn sec_w08_a_stop_that_comes_late_counts_unless_they_have_started_since() {
        let mut person = Person::default();
        person.starts(0, "news");
        person.says(20, "thanks");
        let turn = person.says(10, "stop");
        assert_eq!(person.standing(), Standing::Stopped);
        assert_eq!((turn.answers.len(), turn.consent.unwrap().given), (1, false));

        person.starts(40, "news");
        let turn = person.says(30, "stop");
        assert_eq!(person.standing(), Standing::Active);
        assert!(turn.answers.is_empty() && turn.consent.is_none() && turn.subscriber.is_none());
    }

    #[test]
    fn sec_w08_a_start_that_comes_late_does_not_subscribe_again() {
        let mut person = Person::default();
        person.starts(0, "news");
        person.says(20, "stop");
        let turn = person.starts(10, "shop");
        assert_eq!(person.standing(), Standing::Stopped);
        assert_eq!(person.topics(), ["news", "shop"]);
        assert!(turn.answers.is_empty() && turn.consent.is_none());
        // At the same instant the stop wins, in either order.
        person.starts(20, "news");
        assert_eq!(person.standing(), Standing::Stopped);
    }

    #[test]
    fn a_late_event_is_answered_if_it_changes_something() {
        let mut person = Person::default();
        person.starts(10, "news");
        let turn = person.starts(5, "shop");
        assert_eq!(person.topics(), ["news", "shop"]);
        assert_eq!(turn.answers.len(), 1);
        let turn = person.says(7, "what is this?");
        assert!(turn.answers.is_empty());
        let deed = Deed::Tapped { payload: "old".into(), tap: Some("t".into()) };
        let turn = person.told(8, deed);
        assert_eq!(turn.answers.len(), 1);
        assert_eq!(turn.answers[0].tap, Some("t".into()));
        assert!(turn.answers[0].message.modules.is_empty());
    }

    #[test]
    fn what_is_asked_for_is_answered_however_late_but_to_nobody_who_has_left() {
        let mut person = Person::default();
        person.starts(0, "news");
        person.says(20, "thanks");
        assert!(person.says(10, "/latest").lookup.is_some());
        person.says(40, "stop");
        let turn = person.says(30, "/latest");
        assert!(turn.lookup.is_none() && turn.answers.is_empty());
        assert!(person.says(35, "/privacy").privacy.is_some(), "it is theirs all the same");
    }

    #[test]
    fn what_another_hand_changed_is_the_new_beginning() {
        let mut person = Person::default();
        person.starts(10, "news");
        if let Some(known) = &mut person.known {
            known.standing = Standing::Gone;
        }
        let turn = person.starts(5, "shop");
        assert_eq!((person.standing(), person.topics()), (Standing::Gone, vec!["news"]));
        assert!(turn.answers.is_empty());
        person.says(20, "hello");
        assert_eq!(person.standing(), Standing::Active);
    }

    #[test]
    fn no_more_is_kept_than_has_room_and_nothing_that_says_nothing_to_us() {
        let mut person = Person::default();
        person.starts(0, "news");
        for seconds in 1..100 {
            person.says(seconds, "a secret of mine");
        }
        let recent = person.recent.as_ref().unwrap();
        assert_eq!(recent.events.len(), EVENTS_MAX);
        assert!(!format!("{recent:?}").contains("secret"));
        assert_eq!(recent.base.as_ref().unwrap().topics, [name("news")]);
        person.told(100 + RECENT_FOR.as_secs(), Deed::SentMedia);
        assert_eq!(person.recent.as_ref().unwrap().events.len(), 1);
    }
}
