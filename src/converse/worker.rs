//! Carries events to the conversation and its turns to the store.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;

use crate::channel::Channel;
use crate::converse::names::Names;
use crate::converse::newest::{self, Newest, Supply};
use crate::converse::replies::{Setting, Turn, respond};
use crate::converse::review::decide;
use crate::converse::words::Words;
use crate::model::audience::FixedChat;
use crate::model::channel::ChannelKind;
use crate::model::event::{Deed, Event};
use crate::model::message::Message;
use crate::model::name::Name;
use crate::model::post::Answer;
use crate::model::time::Timestamp;
use crate::runtime::clock::Clock;
use crate::runtime::shutdown::Stop;
use crate::runtime::wakes::Wakes;
use crate::store::{ConversationCommit, OptinWord, Store, StoreError};

/// Events taken at once.
const BATCH: usize = 256;

/// The same person is asked about marketing messages at most this often.
const ASKED_EVERY: Duration = Duration::from_secs(90 * 86_400);

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
    pub channels: BTreeMap<Name, Arc<Channel>>,
    /// Who decides on what waits to be looked at, by campaign.
    pub reviewers: BTreeMap<Name, Vec<FixedChat>>,
    /// Where people are asked whether they want marketing messages, and under which title.
    pub asks: BTreeMap<Name, String>,
    /// Whose items who gets.
    pub supplies: Vec<Supply>,
}

/// What is looked up for answers.
struct Desks {
    names: Names,
    newest: Newest,
}

/// Answers events in the order in which they came, until *begin*.
///
/// Ends early only when the store fails, after saying so in the log.
pub async fn run(options: Options, stop: Stop) {
    let (names, late) = Names::new(&options.channels);
    let newest = Newest::new(Arc::clone(&options.store), options.supplies.clone());
    let desks = Desks { names, newest };
    tokio::select! {
        () = answer_all(&options, &desks, &stop) => {}
        () = Names::hear_late(late) => {}
    }
}

async fn answer_all(options: &Options, desks: &Desks, stop: &Stop) {
    while !stop.begin.is_cancelled() {
        let nudged = options.wakes.events.notified();
        match answer_batch(options, desks).await {
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

/// Answers what waits, at most [`BATCH`] events; says how many there were.
///
/// One person's events go one after the other, different people's side by side, so that their
/// commits share transactions.
async fn answer_batch(options: &Options, desks: &Desks) -> Result<usize, StoreError> {
    let events = options.store.lease_events(BATCH).await?;
    let count = events.len();
    let mut people: BTreeMap<(Name, String), Vec<(u64, Event)>> = BTreeMap::new();
    for (number, event) in events {
        let person = (event.channel.clone(), event.address.clone());
        people.entry(person).or_default().push((number, event));
    }
    let turns = people.into_values().map(Ok::<_, StoreError>);
    futures_util::stream::iter(turns)
        .try_for_each_concurrent(BATCH, async |events| {
            for (number, event) in events {
                answer(options, desks, number, event).await?;
            }
            Ok(())
        })
        .await?;
    Ok(count)
}

async fn answer(
    options: &Options,
    desks: &Desks,
    number: u64,
    event: Event,
) -> Result<(), StoreError> {
    let known = options.store.load_subscriber(&event.channel, &event.address).await?;
    // A channel that is no longer in the settings still has its people; they are answered in the
    // way that needs no window.
    let kind = options.channels.get(&event.channel).map(|channel| channel.kind());
    let kind = kind.unwrap_or(ChannelKind::Telegram);
    let setting = Setting { words: &options.words, topics: &options.topics, kind };
    let now = options.clock.now();
    let mut turn = match decide(options, &event, known.as_ref()).await? {
        Some(answer) => Turn { answers: vec![answer], ..Turn::default() },
        None => respond(known.as_ref(), &event, &setting, now),
    };
    let channel = &event.channel;
    if let (1.., Some(person)) = (turn.newest, &turn.subscriber) {
        let items = desks.newest.of(channel, person).await?;
        turn.answers.extend(newest::list(&items, turn.newest, person));
    }
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
    if let Some(person) = &mut turn.subscriber {
        desks.names.complete(&event.channel, person, now).await;
    }
    let channel = event.channel;
    let is_new = turn.consent.as_ref().is_some_and(|consent| consent.given);
    options
        .store
        .commit_conversation(ConversationCommit {
            event: number,
            channel: channel.clone(),
            subscriber: turn.subscriber,
            consent: turn.consent,
            answers: turn.answers,
            releases_held: turn.releases_held,
        })
        .await?;
    options.wakes.wake_channel(&channel);
    if is_new {
        // Posts on their way may be for them.
        options.wakes.drafts.notify_one();
    }
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
    let has_started = turn.consent.as_ref().is_some_and(|consent| consent.given);
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
