//! Events that could not be answered.

use serde_json::{Value, json};

use crate::admin::desk::{AskError, Desk};
use crate::model::event::{EventWord, PutAside};

impl Desk {
    pub(super) async fn events(&self, limit: usize) -> Result<Value, AskError> {
        let aside = self.store.load_aside(limit).await?;
        let rows: Vec<Value> = aside.iter().map(|(number, aside)| row(*number, aside)).collect();
        Ok(json!({ "events": rows }))
    }

    pub(super) async fn obey_events(
        &self,
        events: Vec<u64>,
        word: EventWord,
    ) -> Result<Value, AskError> {
        let only = if let [event] = events[..] { Some(event) } else { None };
        let touched = self.store.commit_event_word(events, word).await?;
        if let (Some(event), 0) = (only, touched) {
            return Err(AskError::Refused(format!("no event {event} was put aside")));
        }
        self.wakes.events.notify_one();
        Ok(json!({ "events": touched }))
    }
}

/// What was said is not shown: nobody needs it to decide.
fn row(number: u64, aside: &PutAside) -> Value {
    json!({
        "event": number,
        "channel": aside.event.channel,
        "address": aside.event.address,
        "deed": aside.event.deed.word(),
        "at": aside.event.at.to_string(),
        "put_aside": aside.at.to_string(),
        "tries": aside.tries,
        "why": aside.why,
    })
}
