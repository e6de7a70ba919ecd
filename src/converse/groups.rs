//! In groups and channels: who may speak for one, and what is not for us to answer.
//!
//! A group subscribes as a person does, but only its admins are obeyed; the service is asked who
//! they are, and believed for some minutes. An admin who writes in the group's own name is one for
//! sure. Nobody else is answered, nor what is no command of ours: people talk to each other there.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::channel::{Admins, Channel};
use crate::model::chat::ChatSeen;
use crate::model::event::{Asker, Deed, Event, Tap};
use crate::model::name::Name;
use crate::model::time::Timestamp;
use crate::store::{Store, StoreError};

/// For how long the admins of a chat are believed to be those.
const ADMINS_FOR: Duration = Duration::from_secs(300);

/// Somebody who was none is asked about again after so long: they may have become one.
const ASKED_AGAIN_AFTER: Duration = Duration::from_secs(15);

/// A service that did not answer is asked again after so long.
const FAILURE_REST: Duration = Duration::from_secs(5);

/// Most chats whose admins are remembered.
const CHATS_MAX: usize = 1_024;

/// Before the address of a chat of several people.
const OF_MANY: char = '-';

/// Who speaks for which chat, as far as it is known.
pub(super) struct Groups {
    channels: BTreeMap<Name, Arc<Channel>>,
    admins: Mutex<HashMap<(Name, String), Known>>,
    /// What each bot is called, in lower case.
    names: Mutex<BTreeMap<Name, String>>,
}

#[derive(Clone)]
struct Known {
    asked_at: Instant,
    admins: Arc<[i64]>,
    /// The service did not answer.
    has_failed: bool,
}

/// What becomes of an event.
pub(super) enum Heard {
    /// It is answered.
    Ours(Event),
    /// It is not for us, or from nobody who is obeyed; a tap is acknowledged.
    Ignored { tap: Option<Tap> },
    /// The service does not say now who may speak.
    Later(String),
}

impl Groups {
    pub(super) fn new(channels: &BTreeMap<Name, Arc<Channel>>) -> Self {
        Self { channels: channels.clone(), admins: Mutex::default(), names: Mutex::default() }
    }

    /// Lets through what people do in their own chats, and what admins do in groups, as if the
    /// group did it.
    pub(super) async fn hear(&self, event: Event) -> Heard {
        let Deed::InGroup { by, to, deed } = &event.deed else { return Heard::Ours(event) };
        let tap = match &**deed {
            Deed::Tapped { tap, .. } => tap.clone(),
            _ => None,
        };
        let Some(channel) = self.channels.get(&event.channel) else {
            return Heard::Ignored { tap };
        };
        if let Some(to) = to
            && self.is_another(&event.channel, channel, to).await
        {
            return Heard::Ignored { tap };
        }
        let may_speak = match by {
            Asker::Chat => Ok(true),
            Asker::Person(id) => self.is_admin(&event, channel, *id).await,
        };
        match may_speak {
            Ok(true) => Heard::Ours(Event { deed: (**deed).clone(), ..event }),
            Ok(false) => Heard::Ignored { tap },
            Err(why) => Heard::Later(why),
        }
    }

    /// A command that names another bot. Where nobody tells what ours is called, it is taken for ours.
    async fn is_another(&self, name: &Name, channel: &Channel, to: &str) -> bool {
        let known = lock(&self.names).get(name).cloned();
        let ours = match known {
            Some(ours) => ours,
            None => {
                let Some(ours) = channel.called().await else { return false };
                let ours = ours.to_lowercase();
                lock(&self.names).insert(name.clone(), ours.clone());
                ours
            }
        };
        to.to_lowercase() != ours
    }

    async fn is_admin(&self, event: &Event, channel: &Channel, id: i64) -> Result<bool, String> {
        let key = (event.channel.clone(), event.address.clone());
        let known = lock(&self.admins).get(&key).cloned();
        if let Some(known) = known {
            let age = known.asked_at.elapsed();
            match known.admins.contains(&id) {
                true if age < ADMINS_FOR => return Ok(true),
                false if !known.has_failed && age < ASKED_AGAIN_AFTER => return Ok(false),
                _ if known.has_failed && age < FAILURE_REST => {
                    return Err("the service did not say who the admins are".to_owned());
                }
                _ => {}
            }
        }
        let told = channel.admins(&event.address).await;
        let (admins, failure): (Arc<[i64]>, _) = match told {
            Admins::Told(admins) => (admins.into(), None),
            Admins::Hidden => (Arc::from([]), None),
            Admins::Failed(why) => (Arc::from([]), Some(why)),
        };
        let is_admin = admins.contains(&id);
        let mut all = lock(&self.admins);
        if all.len() >= CHATS_MAX {
            all.retain(|_, known| known.asked_at.elapsed() < ADMINS_FOR);
        }
        if all.len() >= CHATS_MAX {
            all.clear();
        }
        let asked_at = Instant::now();
        all.insert(key, Known { asked_at, admins, has_failed: failure.is_some() });
        match failure {
            Some(why) => Err(why),
            None => Ok(is_admin),
        }
    }
}

/// Notes where the bot is, and what it may do there; tells the sysadmin, who may want to send there.
pub(super) async fn note(store: &dyn Store, event: &Event) -> Result<(), StoreError> {
    let (channel, chat) = (&event.channel, event.address.as_str());
    let forget = |address: String| async move { store.commit_chat(channel, &address, None).await };
    match &event.deed {
        Deed::Present { kind, title, may_post } => {
            if *may_post {
                tracing::info!(channel.id = %channel, chat, "the bot may write in a group or channel");
            } else {
                tracing::warn!(
                    channel.id = %channel, chat,
                    "the bot is in a group or channel and may not write there: it needs the right to"
                );
            }
            let at: Timestamp = event.at;
            let seen = ChatSeen { kind: *kind, title: title.clone(), may_post: *may_post, at };
            store.commit_chat(channel, chat, Some(seen)).await
        }
        Deed::Blocked if chat.starts_with(OF_MANY) => {
            tracing::info!(channel.id = %channel, chat, "the bot was removed from a group or channel");
            forget(chat.to_owned()).await
        }
        Deed::Moved { to } => {
            tracing::info!(channel.id = %channel, chat, to, "a group became a supergroup");
            forget(chat.to_owned()).await
        }
        _ => Ok(()),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
