//! First names of people on services that tell none with their events.
//!
//! A name is a nicety: it is asked for once a person, anew after [`NAME_REST`], and only of active
//! subscribers. Whoever does not get it in time does without; a service that does not tell names
//! is left alone for a while, so that a page without leave to read profiles costs a call an hour.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::channel::{Channel, Profile};
use crate::model::name::Name;
use crate::model::subscriber::{Standing, Subscriber};
use crate::model::time::Timestamp;

/// How long a name is believed.
const NAME_REST: Duration = Duration::from_secs(30 * 24 * 3600);

/// How long one question may take, and how long it may wait for its turn.
const QUESTION_TIME_MAX: Duration = Duration::from_secs(2);

/// Questions of one channel at a time.
const QUESTIONS_MAX: usize = 16;

/// A service that withholds names is asked again after so long.
const WITHHELD_REST: Duration = Duration::from_secs(3600);

/// A service that did not answer is asked again after so long.
const FAILED_REST: Duration = Duration::from_secs(60);

/// The channels that are asked for names.
pub(crate) struct Names {
    desks: BTreeMap<Name, Desk>,
}

struct Desk {
    channel: Arc<Channel>,
    turns: Semaphore,
    rest: Mutex<Rest>,
}

#[derive(Default)]
struct Rest {
    until: Option<Timestamp>,
    /// That names are withheld was told: one line a run.
    was_told: bool,
}

impl Names {
    pub(crate) fn new(channels: &BTreeMap<Name, Arc<Channel>>) -> Self {
        let asked = channels.iter().filter(|(_, channel)| channel.is_asked_for_names());
        let desk = |channel: &Arc<Channel>| Desk {
            channel: Arc::clone(channel),
            turns: Semaphore::new(QUESTIONS_MAX),
            rest: Mutex::default(),
        };
        Self { desks: asked.map(|(name, channel)| (name.clone(), desk(channel))).collect() }
    }

    /// Puts the person's name into their record, where it is to be asked for and can be had now.
    pub(crate) async fn complete(&self, channel: &Name, person: &mut Subscriber, now: Timestamp) {
        let is_due = person.name_asked_at.is_none_or(|at| now.since(at) >= NAME_REST);
        if !is_due || person.standing != Standing::Active {
            return;
        }
        let Some(desk) = self.desks.get(channel) else { return };
        match desk.ask(channel, &person.address, now).await {
            Some(Profile::Told { first_name }) => {
                person.first_name = first_name;
                person.name_asked_at = Some(now);
            }
            Some(Profile::Withheld | Profile::Failed) | None => {}
        }
    }
}

impl Desk {
    /// `None` when it was not asked.
    async fn ask(&self, name: &Name, address: &str, now: Timestamp) -> Option<Profile> {
        let turn = tokio::time::timeout(QUESTION_TIME_MAX, self.turns.acquire());
        let _turn = turn.await.ok()?.ok()?;
        // Looked at behind the queue: a service that went silent stops those who wait, too.
        if self.rest().until.is_some_and(|until| now < until) {
            return None;
        }
        let profile = self.channel.profile(address, QUESTION_TIME_MAX).await;
        let mut rest = self.rest();
        match profile {
            Profile::Told { .. } => rest.until = None,
            Profile::Failed => rest.until = Some(now + FAILED_REST),
            Profile::Withheld => {
                rest.until = Some(now + WITHHELD_REST);
                if !std::mem::replace(&mut rest.was_told, true) {
                    tracing::info!(
                        channel.id = %name,
                        "the service tells the page no names: layouts do without them"
                    );
                }
            }
        }
        Some(profile)
    }

    fn rest(&self) -> std::sync::MutexGuard<'_, Rest> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
