//! Tells the services what they show of us before and beside the chat, when that has changed.
//!
//! The store keeps a hash of each facet that was written, so that a start without a change writes
//! nothing. Words that somebody has put there by hand stay where ours are only a default, until the
//! settings say something of their own; so does a page's button that starts the chat. Facets that
//! are no longer wanted are taken away, if they were ours.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::channel::facet::{Facet, Unshown};
use crate::channel::{messenger, telegram};
use crate::listen::backoff::Backoff;
use crate::model::name::Name;
use crate::runtime::shutdown::Stop;
use crate::store::{ShownFacet, Store, StoreError};

/// A page's button is looked for again after so long; the rest is looked at in the store alone.
const AGAIN_AFTER: Duration = Duration::from_secs(86_400);

const FAILURE_PAUSE_MIN: Duration = Duration::from_secs(30);

const FAILURE_PAUSE_MAX: Duration = Duration::from_secs(3_600);

/// Calls to a bot's profile and in which time. Telegram limits them and does not say how.
const BOT_CALLS: (usize, Duration) = (3, Duration::from_secs(1));

/// Calls to a page's profile, of the ten in ten minutes that Messenger grants.
const PAGE_CALLS: (usize, Duration) = (8, Duration::from_secs(600));

/// What is shown where.
pub struct Options {
    pub channel: Name,
    pub client: Client,
    pub store: Arc<dyn Store>,
    pub facets: Vec<Facet>,
    /// What was written before and is not among them is taken away.
    pub are_all: bool,
}

/// Whom to tell.
pub enum Client {
    Telegram(telegram::api::Client),
    Messenger(messenger::api::Client),
}

/// Why not all is shown.
enum Trouble {
    Store(StoreError),
    Service { after: Option<Duration>, why: String },
    Stopping,
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Has what is wanted shown, and looks again each day, until *begin*.
///
/// A failure is logged when it begins and when it is over, and never ends the worker; a store that
/// has failed does.
pub async fn run(options: Options, stop: Stop) {
    let channel = &options.channel;
    let mut backoff = Backoff::new(FAILURE_PAUSE_MIN, FAILURE_PAUSE_MAX);
    let mut pace = Pace::new(match options.client {
        Client::Telegram(_) => BOT_CALLS,
        Client::Messenger(_) => PAGE_CALLS,
    });
    loop {
        let pause = match show(&options, &mut pace, &stop).await {
            Ok(()) => {
                if backoff.reset() {
                    tracing::info!(channel.id = %channel, "the service shows what the settings say");
                }
                AGAIN_AFTER
            }
            Err(Trouble::Service { after, why }) => {
                if backoff.is_fresh() {
                    tracing::warn!(
                        channel.id = %channel, error = why,
                        "the service does not show all that the settings say of the channel"
                    );
                }
                backoff.next().max(after.unwrap_or_default())
            }
            Err(Trouble::Store(error)) => {
                tracing::error!(channel.id = %channel, %error, "what is shown was not kept");
                return;
            }
            Err(Trouble::Stopping) => return,
        };
        tokio::select! {
            biased;
            () = stop.begin.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// 1. What is written as it is wanted needs nothing.
/// 2. Of defaults that were never written: where the service shows somebody else's words, they
///    stay.
/// 3. The rest is written, and what was ours and is wanted no more taken away.
async fn show(options: &Options, pace: &mut Pace, stop: &Stop) -> Result<(), Trouble> {
    let kept: BTreeMap<String, ShownFacet> =
        options.store.load_shown_facets(&options.channel).await?.into_iter().collect();
    match &options.client {
        Client::Telegram(client) => show_bot(options, client, &kept, pace, stop).await,
        Client::Messenger(client) => show_page(options, client, &kept, pace, stop).await,
    }
}

/// What is to be written: a facet that was left to somebody else stays so while it is a default.
fn is_due(facet: &Facet, kept: &BTreeMap<String, ShownFacet>) -> bool {
    kept.get(&facet.key).is_none_or(|shown| match shown.is_left {
        true => !facet.is_default,
        false => shown.hash != facet.hash(),
    })
}

/// The keys that were written and are wanted no more, and whether they were ours.
fn unwanted(options: &Options, kept: &BTreeMap<String, ShownFacet>) -> Vec<(String, bool)> {
    let is_wanted =
        |key: &String| !options.are_all || options.facets.iter().any(|facet| facet.key == *key);
    let gone = kept.iter().filter(|(key, _)| !is_wanted(key));
    gone.map(|(key, shown)| (key.clone(), !shown.is_left)).collect()
}

async fn note(options: &Options, facet: &Facet, is_left: bool) -> Result<(), StoreError> {
    let shown = ShownFacet { hash: facet.hash(), is_left };
    let facets = vec![(facet.key.clone(), Some(shown))];
    options.store.commit_shown_facets(&options.channel, facets).await
}

async fn show_bot(
    options: &Options,
    client: &telegram::api::Client,
    kept: &BTreeMap<String, ShownFacet>,
    pace: &mut Pace,
    stop: &Stop,
) -> Result<(), Trouble> {
    let mut refused = None;
    // By kind: whether somebody else's words stand there.
    let mut foreign: BTreeMap<&str, bool> = BTreeMap::new();
    for facet in options.facets.iter().filter(|facet| is_due(facet, kept)) {
        let kind = facet.key.split(':').next().unwrap_or_default();
        if facet.is_default && !kept.contains_key(&facet.key) {
            let is_foreign = match foreign.get(kind) {
                Some(is_foreign) => *is_foreign,
                // Once the text for everybody was ours, so are those of all languages.
                None if kept.get(kind).is_some_and(|shown| !shown.is_left) => false,
                None => {
                    pace.turn(stop).await?;
                    let Some(text) = heard(client.shown(kind).await, &mut refused)? else {
                        continue;
                    };
                    let ours = options.facets.iter().find(|facet| facet.key == kind);
                    !text.is_empty() && ours.is_some_and(|ours| ours.value != text)
                }
            };
            foreign.insert(kind, is_foreign);
            if is_foreign {
                note(options, facet, true).await?;
                continue;
            }
        }
        pace.turn(stop).await?;
        if heard(client.show(facet).await, &mut refused)?.is_some() {
            note(options, facet, false).await?;
        }
    }
    for (key, is_ours) in unwanted(options, kept) {
        if is_ours {
            pace.turn(stop).await?;
            if heard(client.hide(&key).await, &mut refused)?.is_none() {
                continue;
            }
        }
        options.store.commit_shown_facets(&options.channel, vec![(key, None)]).await?;
    }
    refused.map_or(Ok(()), |why| Err(Trouble::Service { after: None, why }))
}

async fn show_page(
    options: &Options,
    client: &messenger::api::Client,
    kept: &BTreeMap<String, ShownFacet>,
    pace: &mut Pace,
    stop: &Stop,
) -> Result<(), Trouble> {
    let mut refused = None;
    pace.turn(stop).await?;
    let Some(shown) = heard(client.shown().await, &mut refused)? else {
        return Err(Trouble::Service { after: None, why: refused.unwrap_or_default() });
    };
    let mut due = Vec::new();
    for facet in &options.facets {
        let there = shown.get(&facet.key);
        if facet.key == messenger::profile::START {
            // Whatever it says: it starts the chat. One that is gone is put back.
            if there.is_none() {
                due.push(facet);
            }
            continue;
        }
        if !is_due(facet, kept) {
            continue;
        }
        match there {
            Some(there) if *there == facet.value => note(options, facet, false).await?,
            Some(_) if facet.is_default && !kept.contains_key(&facet.key) => {
                note(options, facet, true).await?;
            }
            _ => due.push(facet),
        }
    }
    if !due.is_empty() {
        pace.turn(stop).await?;
        let mut first = None;
        if heard(client.show(&due).await, &mut first)?.is_some() {
            for facet in &due {
                note(options, facet, false).await?;
            }
        } else if let [_] = due[..] {
            refused = refused.or(first);
        } else {
            // One that is refused keeps the others from being shown: each is told alone.
            for facet in &due {
                pace.turn(stop).await?;
                if heard(client.show(&[facet]).await, &mut refused)?.is_some() {
                    note(options, facet, false).await?;
                }
            }
        }
    }
    let mut gone = unwanted(options, kept);
    let ours: Vec<String> =
        gone.iter().filter(|(_, is_ours)| *is_ours).map(|(key, _)| key.clone()).collect();
    if !ours.is_empty() {
        pace.turn(stop).await?;
        if heard(client.hide(&ours).await, &mut refused)?.is_none() {
            // It still stands there, and is to be taken away.
            gone.retain(|(_, is_ours)| !is_ours);
        }
    }
    let gone = gone.into_iter().map(|(key, _)| (key, None)).collect();
    options.store.commit_shown_facets(&options.channel, gone).await?;
    refused.map_or(Ok(()), |why| Err(Trouble::Service { after: None, why }))
}

/// What came of a call; `None` where the service does not take it, which is told once all the
/// others were tried. A server that does not know the method is asked for nothing.
fn heard<T>(told: Result<T, Unshown>, refused: &mut Option<String>) -> Result<Option<T>, Trouble> {
    match told {
        Ok(told) => Ok(Some(told)),
        Err(Unshown::Unknown) => Ok(None),
        Err(Unshown::Refused { why }) => {
            refused.get_or_insert(why);
            Ok(None)
        }
        Err(Unshown::Later { after, why }) => Err(Trouble::Service { after, why }),
    }
}

/// At most so many calls in a time.
struct Pace {
    calls: VecDeque<Instant>,
    most: usize,
    window: Duration,
}

impl Pace {
    fn new((most, window): (usize, Duration)) -> Self {
        Self { calls: VecDeque::with_capacity(most), most, window }
    }

    /// Waits until one more may go out, which it then does.
    async fn turn(&mut self, stop: &Stop) -> Result<(), Trouble> {
        if self.calls.len() >= self.most
            && let Some(oldest) = self.calls.pop_front()
        {
            tokio::select! {
                biased;
                () = stop.begin.cancelled() => return Err(Trouble::Stopping),
                () = tokio::time::sleep_until(oldest + self.window) => {}
            }
        }
        if stop.begin.is_cancelled() {
            return Err(Trouble::Stopping);
        }
        self.calls.push_back(Instant::now());
        Ok(())
    }
}
