//! The word on a channel, and how its pace is.

use serde_json::{Value, json};

use crate::admin::desk::{AskError, Desk, all_known};
use crate::model::name::Name;
use crate::model::pacing::{ChannelWord, Halt, Pacing};

/// Longest reason that is kept, in characters.
const WHY_CHARS_MAX: usize = 200;

impl Desk {
    pub(super) async fn obey_channel(
        &self,
        channel: &Name,
        word: ChannelWord,
    ) -> Result<Value, AskError> {
        let known: Vec<Name> = self.channels.keys().cloned().collect();
        all_known("channel", std::slice::from_ref(channel), &known)?;
        let before = self.store.load_halt(channel).await?;
        let halt = match (&word, before) {
            (ChannelWord::Halt { .. }, Some(halt)) => {
                return Err(AskError::Refused(format!("it is halted already: {}", halt.why)));
            }
            (ChannelWord::Resume, None) => {
                return Err(AskError::Refused(format!("`{channel}` is not halted")));
            }
            (ChannelWord::Resume, Some(_)) => None,
            (ChannelWord::Halt { why }, None) => Some(Halt {
                why: why.chars().take(WHY_CHARS_MAX).collect(),
                at: self.clock.now(),
                is_by_hand: true,
            }),
        };
        self.store.commit_halt(channel, halt.clone()).await?;
        self.wakes.wake_channel(channel);
        Ok(json!({ "channel": channel, "halted": halt.as_ref().map(halt_row) }))
    }
}

pub(super) fn halt_row(halt: &Halt) -> Value {
    json!({ "why": halt.why, "since": halt.at.to_string(), "by_hand": halt.is_by_hand })
}

/// What was learned of the pace; `None` while the service never refused.
pub(super) fn pace_row(pacing: &Pacing) -> Option<Value> {
    let learned = pacing.learned?;
    let tenth = |rate: f64| (rate * 10.0).round() / 10.0;
    Some(json!({
        "per_second": tenth(learned.rate),
        "refused_per_second": tenth(learned.refused_rate),
        "refused_at": learned.refused_at.to_string(),
    }))
}
