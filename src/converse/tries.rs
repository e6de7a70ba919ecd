//! Tries to answer events, and puts aside those that can't be answered.
//!
//! An event that can't be answered stops nobody else: it is tried again, and after
//! [`EVENT_TRIES_MAX`] tries put aside for somebody to look at. Tries are counted when they have
//! failed; those that were under way when the last run ended are counted before they are made,
//! because one of them may have ended it.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{FutureExt, TryStreamExt};

use crate::model::event::Event;
use crate::model::name::Name;
use crate::runtime::clock::Clock;
use crate::store::{EVENT_TRIES_MAX, Store, StoreError};

/// Events taken at once.
pub(super) const BATCH: usize = 256;

/// Why an event was not answered.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// The store's own failure.
    Store(StoreError),
    /// It can't be, for a reason of its own.
    Event(String),
    /// Not now: this is no try.
    Later,
}

impl From<StoreError> for Unanswered {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Missing { what } => Self::Event(format!("no {what}")),
            error => Self::Store(error),
        }
    }
}

/// Takes events to who answers them, and keeps apart those that can't be answered.
pub(super) struct Answerer<'a> {
    pub store: &'a Arc<dyn Store>,
    pub clock: &'a Clock,
}

impl Answerer<'_> {
    /// Answers what waits, at most [`BATCH`] events; says how many were done with.
    ///
    /// One person's events go one after the other, different people's side by side, so that their
    /// commits share transactions.
    pub async fn answer_batch<F>(
        &self,
        answer: impl Fn(u64, Event) -> F,
    ) -> Result<usize, StoreError>
    where
        F: Future<Output = Result<(), Unanswered>>,
    {
        let events = self.store.lease_events(BATCH).await?;
        self.answer_these(events, false, &answer).await
    }

    /// Answers what the last run may have left in the middle, looking out for what ended it.
    ///
    /// 1. What was tried before is tried alone, and put aside if that was too often.
    /// 2. All the rest is tried together, and counted before: a run that ends with it leaves
    ///    suspects.
    pub async fn look_over<F>(&self, answer: impl Fn(u64, Event) -> F) -> Result<(), StoreError>
    where
        F: Future<Output = Result<(), Unanswered>>,
    {
        let events = self.store.lease_events(BATCH).await?;
        let numbers: Vec<u64> = events.iter().map(|(number, _)| *number).collect();
        let tries = self.store.load_tries(&numbers).await?;
        let (mut suspects, mut others) = (Vec::new(), Vec::new());
        for (event, tries) in events.into_iter().zip(tries) {
            if tries > 0 { suspects.push((event, tries)) } else { others.push(event) }
        }
        for ((number, event), tries) in suspects {
            if tries >= EVENT_TRIES_MAX {
                let why = "the program ended each time it was answered".to_owned();
                self.fail(number, &event, why, true).await?;
                continue;
            }
            self.store.note_tries(vec![number]).await?;
            self.answer_these(vec![(number, event)], true, &answer).await?;
        }
        if others.is_empty() {
            return Ok(());
        }
        self.store.note_tries(others.iter().map(|(number, _)| *number).collect()).await?;
        self.answer_these(others, true, &answer).await.map(drop)
    }

    async fn answer_these<F>(
        &self,
        events: Vec<(u64, Event)>,
        is_counted: bool,
        answer: &impl Fn(u64, Event) -> F,
    ) -> Result<usize, StoreError>
    where
        F: Future<Output = Result<(), Unanswered>>,
    {
        let done = AtomicUsize::new(0);
        let mut people: BTreeMap<(Name, String), Vec<(u64, Event)>> = BTreeMap::new();
        for (number, event) in events {
            let person = (event.channel.clone(), event.address.clone());
            people.entry(person).or_default().push((number, event));
        }
        let turns = people.into_values().map(Ok::<_, StoreError>);
        futures_util::stream::iter(turns)
            .try_for_each_concurrent(BATCH, async |events| {
                for (number, event) in events {
                    if !self.attempt(number, event, is_counted, answer).await? {
                        // What they did afterwards comes after it.
                        break;
                    }
                    done.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            })
            .await?;
        Ok(done.into_inner())
    }

    /// Tries to answer one event; says whether it is done with, in one way or the other.
    async fn attempt<F>(
        &self,
        number: u64,
        event: Event,
        is_counted: bool,
        answer: &impl Fn(u64, Event) -> F,
    ) -> Result<bool, StoreError>
    where
        F: Future<Output = Result<(), Unanswered>>,
    {
        let answering = async { answer(number, event.clone()).await };
        let why = match AssertUnwindSafe(answering).catch_unwind().await {
            Ok(Ok(())) => return Ok(true),
            Ok(Err(Unanswered::Later)) => return Ok(false),
            Ok(Err(Unanswered::Event(why))) => why,
            Ok(Err(Unanswered::Store(error))) => return Err(error),
            Err(panic) => format!("a fault in the program: {}", words(&*panic)),
        };
        self.fail(number, &event, why, is_counted).await
    }

    async fn fail(
        &self,
        number: u64,
        event: &Event,
        why: String,
        is_counted: bool,
    ) -> Result<bool, StoreError> {
        let channel = &event.channel;
        let is_aside =
            self.store.fail_event(number, why.clone(), is_counted, self.clock.now()).await?;
        if is_aside {
            tracing::error!(
                channel.id = %channel, event = number, why,
                "an event could not be answered and was put aside: see `tidings events list`"
            );
        } else {
            tracing::warn!(channel.id = %channel, event = number, why, "an event was not answered");
        }
        Ok(is_aside)
    }
}

/// What a panic says.
fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it does not say which")
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::model::event::Deed;
    use crate::model::time::Timestamp;
    use crate::store::ConversationCommit;
    use crate::store::redb::{FILE_NAME, open};

    fn event(id: u64, address: &str) -> Event {
        Event {
            channel: Name::parse("bot").unwrap(),
            id: id.to_string(),
            at: Timestamp::from_millis(1_000),
            address: address.into(),
            language: None,
            first_name: None,
            deed: Deed::SentMedia,
        }
    }

    struct World {
        store: Arc<dyn Store>,
        clock: Clock,
        done: Mutex<Vec<u64>>,
        _folder: tempfile::TempDir,
    }

    impl World {
        async fn new(events: Vec<Event>) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let store: Arc<dyn Store> = Arc::new(open(&folder.path().join(FILE_NAME)).unwrap());
            let clock = Clock::starting_at(Timestamp::from_millis(2_000));
            store.commit_events(events, None, clock.now()).await.unwrap();
            Self { store, clock, done: Mutex::default(), _folder: folder }
        }

        fn answerer(&self) -> Answerer<'_> {
            Answerer { store: &self.store, clock: &self.clock }
        }

        /// Answers everybody but `poison`.
        async fn answer(&self, number: u64, event: Event) -> Result<(), Unanswered> {
            assert_ne!(event.address, "poison", "nobody can answer this");
            let channel = event.channel;
            let (subscriber, consent, answers) = (None, None, vec![]);
            let commit = ConversationCommit {
                event: number,
                channel,
                subscriber,
                consent,
                answers,
                releases_held: false,
            };
            self.store.commit_conversation(commit).await?;
            self.done.lock().unwrap().push(number);
            Ok(())
        }

        async fn aside(&self) -> Vec<(u64, u32)> {
            let aside = self.store.load_aside(10).await.unwrap();
            aside.into_iter().map(|(number, aside)| (number, aside.tries)).collect()
        }
    }

    #[tokio::test]
    async fn sec_w09_an_event_that_nobody_can_answer_is_put_aside_and_stops_nobody() {
        let events = vec![event(1, "a"), event(2, "poison"), event(3, "b"), event(4, "poison")];
        let world = World::new(events).await;
        let one = |number, event| world.answer(number, event);
        assert_eq!(world.answerer().answer_batch(one).await.unwrap(), 2);
        assert_eq!(*world.done.lock().unwrap(), [1, 3]);
        assert_eq!(world.aside().await, []);
        assert_eq!(world.answerer().answer_batch(one).await.unwrap(), 0);
        // The third try is the last; what they did next has tries of its own.
        assert_eq!(world.answerer().answer_batch(one).await.unwrap(), 1);
        assert_eq!(world.aside().await, [(2, 3)]);
        world.answerer().answer_batch(one).await.unwrap();
        world.answerer().answer_batch(one).await.unwrap();
        assert_eq!(world.aside().await, [(2, 3), (4, 3)]);
        assert_eq!(world.store.lease_events(10).await.unwrap(), []);

        let word = crate::model::event::EventWord::Retry;
        assert_eq!(world.store.commit_event_word(vec![4], word).await.unwrap(), 1);
        assert_eq!(world.store.lease_events(10).await.unwrap().len(), 1);
        let status = world.store.load_status().await.unwrap();
        assert_eq!((status.events, status.events_aside), (1, 1));
    }

    #[tokio::test]
    async fn sec_w09_an_event_that_ends_the_program_each_time_is_put_aside_too() {
        let world = World::new(vec![event(1, "poison"), event(2, "a"), event(3, "b")]).await;
        for _ in 0..4 {
            // The program ends as soon as it comes to the poison, and the tasks with it.
            let one = async |number, event: Event| match event.address.as_str() {
                "poison" => Err(Unanswered::Store(StoreError::Failed { what: "the end".into() })),
                _ => world.answer(number, event).await,
            };
            let _ = world.answerer().look_over(one).await;
        }
        assert_eq!(world.aside().await, [(1, 3)]);
        assert_eq!(world.store.lease_events(10).await.unwrap(), []);
    }
}
