//! Carries events to the conversation and its turns to the store.
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
use std::time::Duration;

use futures_util::{FutureExt, TryStreamExt};

use crate::channel::Channel;
use crate::converse::choosing::Choosing;
use crate::converse::groups::{self, Groups, Heard};
use crate::converse::latest;
use crate::converse::names::Names;
use crate::converse::order::{self, Conversation};
use crate::converse::privacy::{self, CONSENTS_MAX, Found, Wanted};
use crate::converse::replies::{Setting, Talk, Turn, consent};
use crate::converse::review::decide;
use crate::converse::shelf::{Shelf, Shelves};
use crate::converse::watching::{Watchable, is_contact};
use crate::converse::words::Words;
use crate::model::audience::FixedChat;
use crate::model::channel::ChannelKind;
use crate::model::event::{Deed, Event, Tap};
use crate::model::message::{Message, Module};
use crate::model::name::Name;
use crate::model::post::Answer;
use crate::model::subscriber::{Standing, Subscriber};
use crate::model::time::Timestamp;
use crate::model::watch::Watch;
use crate::runtime::clock::Clock;
use crate::runtime::shutdown::Stop;
use crate::runtime::wakes::Wakes;
use crate::store::{
    Beside, ConversationCommit, EVENT_TRIES_MAX, Erasure, OptinWord, Store, StoreError, WatchWord,
};

/// Events taken at once.
const BATCH: usize = 256;

/// The same person is asked about marketing messages at most this often.
const ASKED_EVERY: Duration = Duration::from_secs(90 * 86_400);

/// An answer is made anew so often when what it was made of has changed.
const TRIES_MAX: usize = 10;

/// So long an event of a group waits for the service to say who may speak; then it is tried, and
/// put aside.
const LATER_MAX: Duration = Duration::from_secs(120);

/// Without a nudge the store is looked at this often.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// What the worker is given.
pub struct Options {
    pub store: Arc<dyn Store>,
    pub clock: Clock,
    pub wakes: Wakes,
    pub words: Words,
    /// All topics there are, sorted.
    pub topics: Vec<Name>,
    pub choosing: Choosing,
    /// What people may be shown of the newest.
    pub shelves: Shelves,
    pub channels: BTreeMap<Name, Arc<Channel>>,
    /// Who decides on what waits to be looked at, by campaign.
    pub reviewers: BTreeMap<Name, Vec<FixedChat>>,
    /// Where people are asked whether they want marketing messages, and under which title.
    pub asks: BTreeMap<Name, String>,
    /// Which products can be watched.
    pub watchable: Watchable,
}

/// Answers events in the order in which they came, until *begin*.
///
/// Ends early only when the store fails, after saying so in the log.
pub async fn run(options: Options, stop: Stop) {
    let (names, late) = Names::new(&options.channels);
    tokio::select! {
        () = answer_all(&options, &names, &stop) => {}
        () = Names::hear_late(late) => {}
    }
}

async fn answer_all(options: &Options, names: &Names, stop: &Stop) {
    let answerer = Answerer { store: &options.store, clock: &options.clock };
    let (groups, shelf) = (Groups::new(&options.channels), Shelf::default());
    let desks = Desks { names, groups, shelf };
    let one = |number, event| answer(options, &desks, number, event);
    if let Err(error) = answerer.look_over(one).await {
        tracing::error!(%error, "the conversation stopped: the store did not answer");
        return;
    }
    while !stop.begin.is_cancelled() {
        let nudged = options.wakes.events.notified();
        match answerer.answer_batch(one).await {
            Ok(BATCH..) => {}
            Ok(_) => {
                tokio::select! {
                    () = stop.begin.cancelled() => {}
                    () = nudged => {}
                    () = tokio::time::sleep(LOOK_AGAIN) => {}
                }
            }
            Err(error) => {
                tracing::error!(%error, "the conversation stopped: the store did not answer");
                return;
            }
        }
    }
}

/// Who is asked for what an event does not tell.
struct Desks<'a> {
    names: &'a Names,
    groups: Groups,
    shelf: Shelf,
}

/// Why an event was not answered.
#[derive(Debug)]
enum Unanswered {
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
struct Answerer<'a> {
    store: &'a Arc<dyn Store>,
    clock: &'a Clock,
}

impl Answerer<'_> {
    /// Answers what waits, at most [`BATCH`] events; says how many were done with.
    ///
    /// One person's events go one after the other, different people's side by side, so that their
    /// commits share transactions.
    async fn answer_batch<F>(&self, answer: impl Fn(u64, Event) -> F) -> Result<usize, StoreError>
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
    async fn look_over<F>(&self, answer: impl Fn(u64, Event) -> F) -> Result<(), StoreError>
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

/// Answers one event; anew where what the answer was made of has changed before it was kept.
async fn answer(
    options: &Options,
    desks: &Desks<'_>,
    number: u64,
    event: Event,
) -> Result<(), Unanswered> {
    for _ in 0..TRIES_MAX {
        match answer_once(options, desks, number, event.clone()).await {
            Err(Unanswered::Store(StoreError::Stale { .. })) => {}
            done => return done,
        }
    }
    Err(Unanswered::Event("what it asks for changes all the time".to_owned()))
}

async fn answer_once(
    options: &Options,
    desks: &Desks<'_>,
    number: u64,
    event: Event,
) -> Result<(), Unanswered> {
    groups::note(&*options.store, &event).await?;
    let is_of_group = matches!(event.deed, Deed::InGroup { .. });
    let channel = event.channel.clone();
    let (at, now) = (event.at, options.clock.now());
    let event = match desks.groups.hear(event).await {
        Heard::Ours(event) => event,
        Heard::Ignored { tap } => return ignore(options, number, channel, tap).await,
        Heard::Later(_) if now.since(at) < LATER_MAX => return Err(Unanswered::Later),
        Heard::Later(why) => return Err(Unanswered::Event(why)),
    };
    let known = options.store.load_subscriber(&event.channel, &event.address).await?;
    // A channel that is no longer in the settings still has its people; they are answered in the
    // way that needs no window.
    let kind = options.channels.get(&event.channel).map(|channel| channel.kind());
    let kind = kind.unwrap_or(ChannelKind::Telegram);
    let own = match &known {
        Some(known) => options.store.load_watches(&event.channel, known.number).await?,
        None => Vec::new(),
    };
    let (words, topics, choosing) = (&options.words, &options.topics, &options.choosing);
    let is_watching = !own.is_empty();
    let setting = Setting { words, topics, choosing, kind, is_watching };
    let talk = Talk { setting, now };
    if is_of_group && !talk.is_understood(&event) {
        // Another bot's command, perhaps: people talk to each other there.
        let tap = match event.deed {
            Deed::Tapped { tap, .. } => tap,
            _ => None,
        };
        return ignore(options, number, channel, tap).await;
    }
    let mut recent = None;
    let mut turn = match decide(options, &event, known.as_ref()).await? {
        Some(answer) => Turn { answers: vec![answer], ..Turn::default() },
        None => {
            let before = options.store.load_recent(&event.channel, &event.address).await?;
            let (turn, after) = order::take(known.as_ref(), before, &event, &talk);
            recent = Some(after);
            turn
        }
    };
    if let Some(wanted) = turn.privacy {
        if wanted == Wanted::Erased {
            return Ok(erase(options, number, &event, known.as_ref()).await?);
        }
        let found = look_up(options, &event.channel, known.as_ref()).await?;
        let language = event.language.as_deref();
        let answers = privacy::answers(wanted, &event.channel, known.as_ref(), language, &found);
        // A tap that is to be acknowledged goes first.
        turn.answers.extend(answers);
        if known.is_none() {
            // Whoever only asks what is known of them is not remembered for it.
            turn.subscriber = None;
        }
    }
    let channel = &event.channel;
    let address = event.address.clone();
    match &event.deed {
        Deed::OptedIn { token, expires_at } => {
            let (token, expires_at) = (token.clone(), *expires_at);
            let word = OptinWord::Open { token, expires_at, next_at: None, at: now };
            options.store.commit_optins(channel, vec![(address, word)]).await?;
        }
        Deed::OptedOut => {
            let word = (address, OptinWord::Closed);
            options.store.commit_optins(channel, vec![word]).await?;
        }
        _ => turn.answers.extend(asking(options, &event, &turn, now).await?),
    }
    let mut watching = watch(options, &event, known.as_ref(), &mut turn, own, kind).await?;
    if turn.ends_watches {
        watching.push(WatchWord::EndAll);
    }
    if let (Some(lookup), Some(person)) = (&turn.lookup, &turn.subscriber) {
        let store = options.store.as_ref();
        let cards = desks.shelf.look_up(store, &options.shelves, channel, lookup, now).await?;
        let message = latest::found(lookup, cards, person);
        turn.answers.push(Answer { message, tap: None, ask: None });
    }
    if let Some(person) = &mut turn.subscriber {
        desks.names.complete(&event.channel, person, now).await;
    }
    let channel = event.channel;
    let is_new = turn.consent.as_ref().is_some_and(|consent| consent.given);
    let commit = ConversationCommit {
        event: number,
        channel: channel.clone(),
        subscriber: turn.subscriber,
        consent: turn.consent,
        answers: turn.answers,
        releases_held: turn.releases_held,
    };
    match options.store.commit_turn(commit, Beside { recent, watching }).await {
        // The person was erased meanwhile, and what they said with them.
        Err(StoreError::Missing { .. }) => return Ok(()),
        other => other?,
    }
    options.wakes.wake_channel(&channel);
    if is_new {
        // Posts on their way may be for them.
        options.wakes.drafts.notify_one();
    }
    Ok(())
}

/// What is kept of somebody beside their record.
async fn look_up(
    options: &Options,
    channel: &Name,
    known: Option<&Subscriber>,
) -> Result<Found, StoreError> {
    let Some(person) = known else { return Ok(Found::default()) };
    let store = &options.store;
    let proofs = store.load_consents(channel, person.number, CONSENTS_MAX).await?;
    let address = std::slice::from_ref(&person.address);
    let optin = store.load_optins(channel, address).await?.into_iter().flatten().next();
    Ok(Found { proofs, optin })
}

/// Erases whoever asks for it; the goodbye is the last that they hear.
async fn erase(
    options: &Options,
    number: u64,
    event: &Event,
    known: Option<&Subscriber>,
) -> Result<(), StoreError> {
    let channel = &event.channel;
    let language = event.language.as_deref();
    let mut farewell =
        privacy::answers(Wanted::Erased, channel, known, language, &Found::default());
    if let (Deed::Tapped { tap, .. }, Some(first)) = (&event.deed, farewell.first_mut()) {
        first.tap.clone_from(tap);
    }
    let erasure = Erasure {
        channel: channel.clone(),
        address: event.address.clone(),
        by: "chat",
        event: Some(number),
        farewell,
        at: event.at,
    };
    match options.store.forget_person(erasure).await {
        Ok(Some(person)) => {
            tracing::info!(channel.id = %channel, person.number = person, "somebody was erased");
        }
        // Nobody was there, or somebody else has erased them meanwhile.
        Ok(None) | Err(StoreError::Missing { .. }) => {}
        Err(error) => return Err(error),
    }
    options.wakes.wake_channel(channel);
    Ok(())
}

/// Answers what is asked of products, and what somebody waits for whom nothing could be sent;
/// gives what changes of their watches.
async fn watch(
    options: &Options,
    event: &Event,
    known: Option<&Subscriber>,
    turn: &mut Turn,
    mut own: Vec<Watch>,
    kind: ChannelKind,
) -> Result<Vec<WatchWord>, StoreError> {
    let (store, now) = (options.store.as_ref(), options.clock.now());
    let language = turn.subscriber.as_ref().and_then(|person| person.language.clone());
    let language = language.as_deref();
    let mut words = Vec::new();
    if let Some(asked) = turn.watch.take() {
        let said = options.watchable.answer(store, &asked, &own, language, now).await?;
        let said_words: String = said.message.modules.iter().map(said_in).collect();
        match turn.answers.iter_mut().find(|answer| answer.message.modules.is_empty()) {
            // It acknowledges the tap.
            Some(answer) => answer.message = said.message,
            None => turn.answers.insert(0, Answer { message: said.message, tap: None, ask: None }),
        }
        // Who has not subscribed agrees to this alone.
        if let Some(person) = &turn.subscriber
            && said.is_asked
            && person.standing != Standing::Active
        {
            turn.consent = Some(consent(person, true, WATCH.to_owned(), &said_words, now));
        }
        own.retain(|watch| !said.words.contains(&WatchWord::End(watch.id)));
        words.extend(said.words);
    }
    let is_contact = is_contact(known, event, turn.subscriber.as_ref(), kind);
    if is_contact && !turn.ends_watches && !own.is_empty() {
        let told = options.watchable.at_contact(store, &own, language).await?;
        if let Some((answer, ended)) = told {
            turn.answers.push(answer);
            words.extend(ended);
        }
    }
    Ok(words)
}

/// How consents say that somebody asked to be told of a product.
const WATCH: &str = "watch";

fn said_in(module: &Module) -> String {
    match module {
        Module::Text { text, .. } => text.plain(),
        _ => String::new(),
    }
}

/// Is done with an event that wants no answer.
async fn ignore(
    options: &Options,
    event: u64,
    channel: Name,
    tap: Option<Tap>,
) -> Result<(), Unanswered> {
    let acknowledged = |tap| Answer { message: Message::default(), tap: Some(tap), ask: None };
    let commit = ConversationCommit {
        event,
        channel: channel.clone(),
        subscriber: None,
        consent: None,
        answers: tap.map(acknowledged).into_iter().collect(),
        releases_held: false,
    };
    options.store.commit_conversation(commit).await?;
    options.wakes.wake_channel(&channel);
    Ok(())
}

/// Who has just started is asked whether they want marketing messages, if they have neither agreed
/// nor been asked lately. Only while their window is open, which their deed opened.
async fn asking(
    options: &Options,
    event: &Event,
    turn: &Turn,
    now: Timestamp,
) -> Result<Option<Answer>, StoreError> {
    let Some(title) = options.asks.get(&event.channel) else { return Ok(None) };
    let has_started =
        turn.consent.as_ref().is_some_and(|consent| consent.given && consent.way != WATCH);
    if !has_started || turn.answers.is_empty() {
        return Ok(None);
    }
    let address = std::slice::from_ref(&event.address);
    let known = options.store.load_optins(&event.channel, address).await?;
    let known = known.into_iter().flatten().next().unwrap_or_default();
    let is_rested = known.asked_at.is_none_or(|at| now.since(at) >= ASKED_EVERY);
    let ask = (known.token.is_none() && is_rested).then(|| title.clone());
    Ok(ask.map(|title| Answer { message: Message::default(), tap: None, ask: Some(title) }))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
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
            let _ = world.answerer().look_over(|number, event| one(number, event)).await;
        }
        assert_eq!(world.aside().await, [(1, 3)]);
        assert_eq!(world.store.lease_events(10).await.unwrap(), []);
    }
}
