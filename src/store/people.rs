//! What is written of people beside their conversations: arrivals from elsewhere, and erasures.

use serde::{Deserialize, Serialize};

use crate::model::dossier::Found;
use crate::model::name::Name;
use crate::model::post::Answer;
use crate::model::subscriber::Subscriber;
use crate::model::time::Timestamp;
use crate::store::{Store, StoreError};

/// Most entries of the ledger that are told of one person.
const CONSENTS_MAX: usize = 100;

/// What is kept of somebody beside their record.
///
/// # Errors
/// What the store says.
pub async fn find_out(
    store: &dyn Store,
    channel: &Name,
    person: &Subscriber,
) -> Result<Found, StoreError> {
    let address = std::slice::from_ref(&person.address);
    let recent = store.load_recent(channel, &person.address).await?;
    Ok(Found {
        proofs: store.load_consents(channel, person.number, CONSENTS_MAX).await?,
        optin: store.load_optins(channel, address).await?.into_iter().flatten().next(),
        watches: store.load_watches(channel, person.number).await?,
        recent: recent.map(|recent| recent.events).unwrap_or_default(),
    })
}

/// What [`Store::take_in`] takes in.
#[derive(Clone, Debug)]
pub struct Arrivals {
    pub channel: Name,
    pub people: Vec<Newcomer>,
    /// See `Consent::way`; kept with who is active.
    pub way: String,
    /// Only counts what would be done.
    pub is_dry: bool,
}

impl Arrivals {
    /// The same for nobody yet.
    pub fn clone_head(&self) -> Self {
        let Self { channel, way, is_dry, .. } = self;
        Self { channel: channel.clone(), people: Vec::new(), way: way.clone(), is_dry: *is_dry }
    }
}

/// Somebody who is to be taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newcomer {
    /// Their number is given by the store.
    pub person: Subscriber,
    /// When they are said to have consented.
    pub consented_at: Timestamp,
    /// How, as whoever kept them before has it; stands behind the way of all.
    pub consented_by: Option<String>,
}

/// What became of arrivals; the sum is all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrived {
    pub added: u64,
    /// Known and active: left as they are.
    pub known: u64,
    /// Known, and stopped, blocked or gone: only they can come back.
    pub kept_out: u64,
    /// Erased: only they can come back.
    pub erased: u64,
}

impl Arrived {
    /// Adds those of another part.
    pub fn join(&mut self, other: Self) {
        self.added += other.added;
        self.known += other.known;
        self.kept_out += other.kept_out;
        self.erased += other.erased;
    }
}

/// What [`Store::forget_person`] does.
#[derive(Clone, Debug)]
pub struct Erasure {
    pub channel: Name,
    pub address: String,
    /// By whom it was asked for: the last entry of theirs in the ledger says `erased:<by>`.
    pub by: &'static str,
    /// The event that asks for it, which is done with it.
    pub event: Option<u64>,
    /// What is still said to the address.
    pub farewell: Vec<Answer>,
    /// By which a service that asked for it can ask what came of it.
    pub code: Option<String>,
    /// What came from the address before this instant changes nothing any more.
    pub at: Timestamp,
}

/// A deletion that a service asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletion {
    pub at: Timestamp,
    /// Somebody was known under what the service said.
    pub was_known: bool,
}
