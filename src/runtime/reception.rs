//! How what people do reaches us, channel by channel: told by who listens, shown to the sysadmin.
//!
//! It is kept in memory: what a service says of our webhook is asked anew after every start.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use crate::model::name::Name;
use crate::model::time::Timestamp;

/// What was found last of each channel. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Reception(Arc<Mutex<BTreeMap<Name, Heard>>>);

/// How one channel's events come in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Heard {
    pub way: Way,
    /// When this was found.
    pub at: Timestamp,
    /// Events that wait at the service, where it tells.
    pub pending: Option<u64>,
    /// What is wrong, in words; `None` while all is well.
    pub trouble: Option<String>,
}

/// The ways in which events come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// Telegram calls us.
    Webhook,
    /// We ask Telegram.
    Polling,
    /// Meta calls us of a page that the app is subscribed to.
    Subscription,
}

/// What changed with a word on a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Another trouble than before, or the first: somebody should be told.
    Worse,
    /// The trouble is over.
    Better,
    Same,
}

impl Reception {
    /// Takes the place of what was known of the channel.
    pub fn note(&self, channel: &Name, heard: Heard) -> Turn {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let after = heard.trouble.clone();
        let before = known.insert(channel.clone(), heard).and_then(|heard| heard.trouble);
        match (before, after) {
            (before, after) if before == after => Turn::Same,
            (_, Some(_)) => Turn::Worse,
            (_, None) => Turn::Better,
        }
    }

    /// `None` of a channel of which nothing was found since the start.
    pub fn of(&self, channel: &Name) -> Option<Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(channel).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_change_is_worth_a_word() {
        let (reception, bot) = (Reception::default(), Name::parse("bot").unwrap());
        let heard = |trouble: Option<&str>| Heard {
            way: Way::Webhook,
            at: Timestamp::from_millis(1),
            pending: Some(0),
            trouble: trouble.map(str::to_owned),
        };
        for (trouble, turn) in [
            (None, Turn::Same),
            (Some("a"), Turn::Worse),
            (Some("a"), Turn::Same),
            (Some("b"), Turn::Worse),
            (None, Turn::Better),
            (None, Turn::Same),
        ] {
            assert_eq!(reception.note(&bot, heard(trouble)), turn, "{trouble:?}");
        }
        assert_eq!(reception.of(&bot), Some(heard(None)));
        assert_eq!(reception.of(&Name::parse("page").unwrap()), None);
    }
}
