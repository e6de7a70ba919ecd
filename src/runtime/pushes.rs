//! What polling and the public door know together of hubs, which tell us when a feed has news.
//!
//! Polling asks a hub to tell us, under an address that nobody can guess; the hub asks at the door
//! whether that was us; from then on what it brings there rings for the source. The book is in
//! memory, but addresses and secrets are made from a key that outlives the process: so what hubs
//! were asked before a start is known after it ([`Pushes::expect`]), what they bring meanwhile is
//! taken in, and polling renews it all the same.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::sync::mpsc;

use crate::model::name::Name;
use crate::model::secret::SecretString;
use crate::model::time::Timestamp;

/// For how long a hub is asked to tell us.
pub const LEASE: Duration = Duration::from_secs(10 * 24 * 60 * 60);

/// What a hub may grant: shorter and longer leases are taken as these.
const LEASE_MIN: Duration = Duration::from_secs(5 * 60);
const LEASE_MAX: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How long a hub is left alone that did not answer, or not as it should.
const RETRY_AFTER: Duration = Duration::from_secs(6 * 60 * 60);

/// Rings that wait for polling; more of them say nothing new.
const RINGS_MAX: usize = 1_024;

/// Bytes of an address, and of a secret.
const TOKEN_BYTES: usize = 24;

/// Bytes of the key.
pub const KEY_BYTES: usize = 32;

/// The book of all subscriptions. Cheap to clone.
#[derive(Clone)]
pub struct Pushes {
    slots: Arc<Mutex<HashMap<String, Slot>>>,
    rings_tx: mpsc::Sender<Name>,
    key: Arc<[u8; KEY_BYTES]>,
}

struct Slot {
    source: Name,
    hub: String,
    topic: String,
    /// Signs what the hub brings.
    secret: SecretString,
    asked_at: Timestamp,
    standing: Standing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// The hub has not come back to us.
    Asked,
    Granted {
        renew_at: Timestamp,
        until: Timestamp,
    },
    Denied,
}

/// What a hub is to be asked.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// Ends the address at which the hub finds us.
    pub token: String,
    pub secret: SecretString,
}

impl Pushes {
    /// The book, and where it rings with the names of sources. Whoever knows `key` can guess every
    /// address and sign every word.
    pub fn new(key: [u8; KEY_BYTES]) -> (Self, mpsc::Receiver<Name>) {
        let (rings_tx, rings_rx) = mpsc::channel(RINGS_MAX);
        (Self { slots: Arc::default(), rings_tx, key: Arc::new(key) }, rings_rx)
    }

    /// The hub was asked in an earlier run, and may bring news at any time. It is to be asked anew,
    /// for nobody knows what it granted.
    pub fn expect(&self, source: &Name, hub: &str, topic: &str) {
        let slot = self.slot(source, hub, topic, Timestamp::default());
        let token = self.made("token", source, hub, topic);
        self.with(|slots| {
            slots.entry(token).or_insert(slot);
        });
    }

    /// What the hub is to be asked now, if anything: at first, at half of the lease, and again
    /// some hours after it did not answer. Counts as asked.
    pub fn subscribe(
        &self,
        source: &Name,
        hub: &str,
        topic: &str,
        now: Timestamp,
    ) -> Option<Subscription> {
        self.with(|slots| {
            let is_same =
                |slot: &Slot| slot.source == *source && slot.hub == hub && slot.topic == topic;
            // Who moved to another hub is not told by the old one any more.
            slots.retain(|_, slot| slot.source != *source || is_same(slot));
            if let Some((token, slot)) = slots.iter_mut().find(|(_, slot)| is_same(slot)) {
                let is_rested = slot.asked_at + RETRY_AFTER <= now;
                let is_due = match slot.standing {
                    Standing::Granted { renew_at, until } => {
                        renew_at <= now && (is_rested || until <= now || slot.asked_at < renew_at)
                    }
                    Standing::Asked | Standing::Denied => is_rested,
                };
                if !is_due {
                    return None;
                }
                slot.asked_at = now;
                return Some(Subscription { token: token.clone(), secret: slot.secret.clone() });
            }
            let token = self.made("token", source, hub, topic);
            let slot = self.slot(source, hub, topic, now);
            let secret = slot.secret.clone();
            slots.insert(token.clone(), slot);
            Some(Subscription { token, secret })
        })
    }

    fn slot(&self, source: &Name, hub: &str, topic: &str, asked_at: Timestamp) -> Slot {
        Slot {
            source: source.clone(),
            hub: hub.to_owned(),
            topic: topic.to_owned(),
            secret: SecretString::from(self.made("secret", source, hub, topic)),
            asked_at,
            standing: Standing::Asked,
        }
    }

    /// Hexadecimal digits that nobody can guess without the key, the same at every call.
    fn made(&self, what: &str, source: &Name, hub: &str, topic: &str) -> String {
        // A key of any length will do.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.key.as_slice()) else {
            return random();
        };
        for part in [what, source.as_str(), hub, topic] {
            mac.update(part.as_bytes());
            mac.update(&[0]);
        }
        digits(mac.finalize().into_bytes().get(..TOKEN_BYTES).unwrap_or_default())
    }

    /// A hub asks whether we want to hear of `topic`; true when we do. Without a lease it is the
    /// one that was asked for.
    pub fn confirm(
        &self,
        token: &str,
        topic: &str,
        lease: Option<Duration>,
        now: Timestamp,
    ) -> bool {
        self.with(|slots| {
            let Some(slot) = slots.get_mut(token).filter(|slot| slot.topic == topic) else {
                return false;
            };
            let lease = lease.unwrap_or(LEASE).clamp(LEASE_MIN, LEASE_MAX);
            slot.standing = Standing::Granted { renew_at: now + lease / 2, until: now + lease };
            true
        })
    }

    /// The hub will not tell us of `topic`; true when we had asked.
    pub fn deny(&self, token: &str, topic: &str) -> bool {
        self.with(|slots| {
            let slot = slots.get_mut(token).filter(|slot| slot.topic == topic);
            let is_ours = slot.is_some();
            if let Some(slot) = slot {
                slot.standing = Standing::Denied;
            }
            is_ours
        })
    }

    /// What signs that which comes under the token; `None` when it is none of ours.
    pub fn secret(&self, token: &str) -> Option<SecretString> {
        self.with(|slots| slots.get(token).map(|slot| slot.secret.clone()))
    }

    /// Something genuine came: its source has news.
    pub fn ring(&self, token: &str) {
        let source = self.with(|slots| slots.get(token).map(|slot| slot.source.clone()));
        if let Some(source) = source {
            // When so many wait already, this one is polled in its time.
            self.rings_tx.try_send(source).ok();
        }
    }

    /// Whether a hub has promised to tell of the source.
    pub fn is_held(&self, source: &Name, now: Timestamp) -> bool {
        self.with(|slots| {
            let is_good = |slot: &Slot| {
                matches!(slot.standing, Standing::Granted { until, .. } if now < until)
            };
            slots.values().any(|slot| slot.source == *source && is_good(slot))
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut HashMap<String, Slot>) -> T) -> T {
        work(&mut self.slots.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Hexadecimal digits that nobody can guess.
fn random() -> String {
    let bytes: [u8; TOKEN_BYTES] = rand::random();
    digits(&bytes)
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_424_400_000);
    const HUB: &str = "https://hub.example/";
    const TOPIC: &str = "https://blog.example/feed";

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    #[test]
    fn a_hub_is_asked_once_and_again_at_half_of_its_lease() {
        let (pushes, _rings) = Pushes::new([7; KEY_BYTES]);
        let ask = |now| pushes.subscribe(&name("blog"), HUB, TOPIC, now);
        let first = ask(NOW).unwrap();
        assert!(ask(NOW + RETRY_AFTER / 2).is_none(), "it may still answer");
        assert!(!pushes.is_held(&name("blog"), NOW));
        let day = Duration::from_secs(24 * 60 * 60);
        assert!(!pushes.confirm(&first.token, "https://other.example/", None, NOW));
        assert!(!pushes.confirm("guessed", TOPIC, None, NOW));
        assert!(pushes.confirm(&first.token, TOPIC, Some(2 * day), NOW));
        assert!(pushes.is_held(&name("blog"), NOW + day) && !pushes.is_held(&name("shop"), NOW));
        assert!(ask(NOW + day / 2).is_none());
        assert_eq!(ask(NOW + day).unwrap().token, first.token, "renewed under its address");
        assert!(ask(NOW + day).is_none());
        assert!(!pushes.is_held(&name("blog"), NOW + 2 * day), "it was not granted again");
        assert!(ask(NOW + 2 * day).is_some());
    }

    #[test]
    fn a_hub_that_denies_is_left_alone_and_another_one_asked() {
        let (pushes, _rings) = Pushes::new([7; KEY_BYTES]);
        let ask = |hub, now| pushes.subscribe(&name("blog"), hub, TOPIC, now);
        let first = ask(HUB, NOW).unwrap();
        assert!(pushes.deny(&first.token, TOPIC) && !pushes.deny("guessed", TOPIC));
        assert!(ask(HUB, NOW + RETRY_AFTER / 2).is_none());
        assert!(ask(HUB, NOW + RETRY_AFTER).is_some());
        let other = ask("https://other.example/", NOW).unwrap();
        assert_ne!(other.token, first.token);
        assert!(pushes.secret(&first.token).is_none(), "the old address is closed");
    }

    #[test]
    fn after_a_start_the_old_address_is_known_and_the_hub_asked_anew() {
        let (before, _rings) = Pushes::new([7; KEY_BYTES]);
        let asked = before.subscribe(&name("blog"), HUB, TOPIC, NOW).unwrap();
        let (after, mut rings) = Pushes::new([7; KEY_BYTES]);
        after.expect(&name("blog"), HUB, TOPIC);
        assert!(after.secret(&asked.token).is_some() && !after.is_held(&name("blog"), NOW));
        after.ring(&asked.token);
        assert_eq!(rings.try_recv().unwrap(), name("blog"));
        let renewed = after.subscribe(&name("blog"), HUB, TOPIC, NOW).unwrap();
        assert_eq!(renewed.token, asked.token);
        let (other, _rings) = Pushes::new([8; KEY_BYTES]);
        other.expect(&name("blog"), HUB, TOPIC);
        assert!(other.secret(&asked.token).is_none(), "another key, another address");
    }

    #[test]
    fn what_comes_under_an_address_rings_for_its_source() {
        let (pushes, mut rings) = Pushes::new([7; KEY_BYTES]);
        let asked = pushes.subscribe(&name("blog"), HUB, TOPIC, NOW).unwrap();
        pushes.ring("guessed");
        pushes.ring(&asked.token);
        assert_eq!(rings.try_recv().unwrap(), name("blog"));
        assert!(rings.try_recv().is_err());
    }
}
