//! Carries events to the conversation and its turns to the store.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::channel::Channel;
use crate::converse::groups::{self, Groups, Heard};
use crate::converse::names::Names;
use crate::converse::order::{self, Conversation};
use crate::converse::replies::{Setting, Talk, Turn};
use crate::converse::review::decide;
use crate::converse::tries::{Answerer, BATCH, Unanswered};
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

/// The same person is asked about marketing messages at most this often.
const ASKED_EVERY: Duration = Duration::from_secs(90 * 86_400);

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
    pub channels: BTreeMap<Name, Arc<Channel>>,
    /// Who decides on what waits to be looked at, by campaign.
    pub reviewers: BTreeMap<Name, Vec<FixedChat>>,
    /// Where people are asked whether they want marketing messages, and under which title.
    pub asks: BTreeMap<Name, String>,
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
    let groups = Groups::new(&options.channels);
    let one = |number, event| answer(options, names, &groups, number, event);
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

async fn answer(
    options: &Options,
    names: &Names,
    groups: &Groups,
    number: u64,
    event: Event,
) -> Result<(), Unanswered> {
    groups::note(&*options.store, &event).await?;
    let is_of_group = matches!(event.deed, Deed::InGroup { .. });
    let channel = event.channel.clone();
    let (at, now) = (event.at, options.clock.now());
    let event = match groups.hear(event).await {
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
    let setting = Setting { words: &options.words, topics: &options.topics, kind };
    let talk = Talk { setting, now };
    if is_of_group && !talk.is_understood(&event) {
        // Another bot's command, perhaps: people talk to each other there.
        let tap = match event.deed {
            Deed::Tapped { tap, .. } => tap,
            _ => None,
        };
        return ignore(options, number, channel, tap).await;
    }
    let mut lately = None;
    let mut turn = match decide(options, &event, known.as_ref()).await? {
        Some(answer) => Turn { answers: vec![answer], ..Turn::default() },
        None => {
            let recent = options.store.load_recent(&event.channel, &event.address).await?;
            let (turn, after) = order::take(known.as_ref(), recent, &event, &talk);
            lately = Some(after);
            turn
        }
    };
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
    if let Some(person) = &mut turn.subscriber {
        names.complete(&event.channel, person, now).await;
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
    options.store.commit_turn(commit, lately).await?;
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
    tap: Option<String>,
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
