//! Somebody wants to be forgotten.

use crate::converse::choosing::Choosing;
use crate::converse::privacy::{self, Wanted};
use crate::model::dossier::Found;
use crate::model::event::{Deed, Event, Tap};
use crate::model::subscriber::Subscriber;
use crate::store::{Erasure, Store, StoreError};

/// Erases whoever asks for it; the goodbye is the last that they hear.
pub(super) async fn erase(
    store: &dyn Store,
    number: u64,
    event: &Event,
    known: Option<&Subscriber>,
) -> Result<(), StoreError> {
    let channel = &event.channel;
    let language = event.language.as_deref();
    let mut farewell = privacy::answers(
        Wanted::Erased,
        channel,
        known,
        language,
        &Found::default(),
        &Choosing::default(),
    );
    if let (Deed::Tapped { tap, .. }, Some(first)) = (&event.deed, farewell.first_mut()) {
        first.tap = tap.as_ref().map(Tap::alone);
    }
    let erasure = Erasure {
        channel: channel.clone(),
        address: event.address.clone(),
        by: "chat",
        event: Some(number),
        farewell,
        code: None,
        at: event.at,
    };
    match store.forget_person(erasure).await {
        Ok(Some(person)) => {
            tracing::info!(channel.id = %channel, person.number = person, "somebody was erased");
        }
        // Nobody was there, or somebody else has erased them meanwhile.
        Ok(None) | Err(StoreError::Missing { .. }) => {}
        Err(error) => return Err(error),
    }
    Ok(())
}
