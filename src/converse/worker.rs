//! Carries events to the conversation and its turns to the store.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::channel::Channel;
use crate::converse::choosing::Choosing;
use crate::converse::erasing::erase;
use crate::converse::groups::{self, Groups, Heard};
use crate::converse::latest;
use crate::converse::layout::{self, Reader};
use crate::converse::names::Names;
use crate::converse::order::{self, Conversation};
use crate::converse::privacy::{self, Wanted};
use crate::converse::replies::{Setting, Talk, Turn};
use crate::converse::review::decide;
use crate::converse::shelf::{Shelf, Shelves};
use crate::converse::tries::{Answerer, BATCH, Unanswered};
use crate::converse::watching::{Contact, WATCH, Watchable};
use crate::converse::words::Words;
use crate::model::audience::FixedChat;
use crate::model::channel::ChannelKind;
use crate::model::dossier::Found;
use crate::model::event::{Deed, Event, Tap};
use crate::model::message::Message;
use crate::model::name::Name;
use crate::model::post::Answer;
use crate::model::time::Timestamp;
use crate::render::Layouts;
use crate::runtime::clock::Clock;
use crate::runtime::shutdown::Stop;
use crate::runtime::wakes::Wakes;
use crate::store::{Beside, ConversationCommit, OptinWord, Store, StoreError, find_out};

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
    /// In which they are set.
    pub layouts: Arc<Layouts>,
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

/// What is looked up for answers.
struct Desks {
    names: Names,
    groups: Groups,
    shelf: Shelf,
}

/// Answers events in the order in which they came, until *begin*.
///
/// Ends early only when the store fails, after saying so in the log.
pub async fn run(options: Options, stop: Stop) {
    let (names, late) = Names::new(&options.channels);
    let (groups, shelf) = (Groups::new(&options.channels), Shelf::default());
    let desks = Desks { names, groups, shelf };
    tokio::select! {
        () = answer_all(&options, &desks, &stop) => {}
        () = Names::hear_late(late) => {}
    }
}

async fn answer_all(options: &Options, desks: &Desks, stop: &Stop) {
    let answerer = Answerer { store: &options.store, clock: &options.clock };
    let one = |number, event| answer(options, desks, number, event);
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

/// Answers one event; anew where what the answer was made of has changed before it was kept.
async fn answer(
    options: &Options,
    desks: &Desks,
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
    desks: &Desks,
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
            erase(&*options.store, number, &event, known.as_ref()).await?;
            options.wakes.wake_channel(&channel);
            return Ok(());
        }
        let found = match &known {
            Some(person) => find_out(&*options.store, &event.channel, person).await?,
            None => Found::default(),
        };
        let language = event.language.as_deref();
        let (channel, person) = (&event.channel, known.as_ref());
        let answers = privacy::answers(wanted, channel, person, language, &found, choosing);
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
    let contact = Contact { event: &event, known: known.as_ref(), kind, own, now };
    let watching = options.watchable.attend(&*options.store, contact, &mut turn).await?;
    if let (Some(name), Some(first), Some(person)) =
        (&turn.layout, turn.answers.first_mut(), turn.subscriber.as_ref().or(known.as_ref()))
    {
        let plain = std::mem::take(&mut first.message);
        first.message = layout::set(&options.layouts, name, plain, &Reader { person, kind, now });
    }
    if let (Some(lookup), Some(person)) = (&turn.lookup, &turn.subscriber) {
        let store = options.store.as_ref();
        let cards = desks.shelf.look_up(store, &options.shelves, channel, lookup, now).await?;
        if let Some(message) = latest::found(lookup, cards, person) {
            // The newest stand behind the welcome, and before what is asked of people.
            let at = if lookup.is_extra { turn.answers.len().min(1) } else { turn.answers.len() };
            turn.answers.insert(at, Answer { message, tap: None, ask: None });
        }
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
