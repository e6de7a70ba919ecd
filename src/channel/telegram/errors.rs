//! What the Bot API's answers mean.
//!
//! Total and pure. `parameters` decide first, then the code, then the description: it is text for
//! people and may change, so it is searched for known words without regard to case. Sources of the
//! words: the open-source server `tdlib/telegram-bot-api`, `tdlib/td` and teloxide's list of errors
//! seen in practice.
//!
//! Delivered is only what has an integer message id (or the `true` of a method that gives none);
//! refused is only a well-formed refusal; everything else that came back is unknown.

mod words;

use std::time::Duration;

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::channel::loose::{self, Whole};
use crate::channel::wire::believed;
use crate::channel::{Meaning, Observed};
use crate::model::correction::KeptMessage;

/// Why a call that sends nothing (`getMe`, `getUpdates`, `setWebhook`) gave no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// The token is refused: a person must act.
    #[error("the token is refused: {why}")]
    CredentialsRefused { why: String },
    /// Somebody else reads this bot's updates.
    #[error("the updates are read elsewhere: {why}")]
    Conflict {
        /// A webhook is set: taking it away ends the conflict.
        by_webhook: bool,
        why: String,
    },
    /// Ask again no earlier than `after` (`None`: no time was told).
    #[error("asked too often")]
    Throttled { after: Option<Duration> },
    /// Anything else; asking again later may help.
    #[error("{why}")]
    Failed { why: String },
}

/// What a server says that is older than a method.
pub(crate) const METHOD_UNKNOWN: &str = "method not found";

/// What `observed` means for a call that sends.
pub fn meaning(observed: &Observed) -> Meaning {
    let (status, pause, body) = match observed {
        Observed::NotSent { why } => return Meaning::NotSent { why: why.clone() },
        Observed::Silence { why } => return Meaning::Unknown { why: why.clone() },
        Observed::Answered { status, retry_after, body } => (*status, *retry_after, body),
    };
    match read::<Accepted>(status, pause, body) {
        Answer::Result(accepted) => match accepted.id() {
            Some(id) => Meaning::Delivered { id },
            None => Meaning::Unknown { why: "accepted, but without a message id".to_owned() },
        },
        Answer::Throttled { after } => Meaning::Later { after },
        Answer::Refused { migrate_to: Some(to), .. } => Meaning::Moved { to: to.to_string() },
        Answer::Refused { code, why, .. } => words::refusal(code, why),
        Answer::Unreadable { why } => Meaning::Unknown { why },
    }
}

/// Whether these words of a refusal are of a chat that is not there (for us).
pub(crate) fn is_gone(why: &str) -> bool {
    matches!(words::refusal(400, why.to_owned()), Meaning::Gone { .. })
}

/// The result of a call that sends nothing.
///
/// # Errors
/// See [`ApiError`].
pub(crate) fn result<T: DeserializeOwned>(observed: &Observed) -> Result<T, ApiError> {
    let (status, pause, body) = match observed {
        Observed::NotSent { why } | Observed::Silence { why } => {
            return Err(ApiError::Failed { why: why.clone() });
        }
        Observed::Answered { status, retry_after, body } => (*status, *retry_after, body),
    };
    match read::<T>(status, pause, body) {
        Answer::Result(result) => Ok(result),
        Answer::Throttled { after } => Err(ApiError::Throttled { after }),
        Answer::Refused { code: 401 | 404, why, .. } => Err(ApiError::CredentialsRefused { why }),
        Answer::Refused { code: 409, why, .. } => {
            let by_webhook = why.to_lowercase().contains("webhook is active");
            Err(ApiError::Conflict { by_webhook, why })
        }
        Answer::Refused { why, .. } | Answer::Unreadable { why } => Err(ApiError::Failed { why }),
    }
}

/// The messages that an accepted call made, in order; the first one begins the call.
pub fn messages(observed: &Observed) -> Vec<KeptMessage> {
    let Observed::Answered { status, retry_after, body } = observed else { return Vec::new() };
    let made = match read::<Accepted>(*status, *retry_after, body) {
        Answer::Result(Accepted::One(message)) => vec![message],
        Answer::Result(Accepted::Many(messages)) => messages,
        _ => Vec::new(),
    };
    let kept = |(at, message): (usize, &Message)| KeptMessage {
        id: message.message_id,
        is_media: message.is_media(),
        begins: at == 0,
    };
    made.iter().enumerate().map(kept).collect()
}

/// Whether a refusal says that the message to edit is not there, or that nobody may edit it.
pub fn is_out_of_reach(observed: &Observed) -> bool {
    let Observed::Answered { status, retry_after, body } = observed else { return false };
    match read::<Accepted>(*status, *retry_after, body) {
        Answer::Refused { why, .. } => {
            let lower = why.to_lowercase();
            OUT_OF_REACH.iter().any(|words| lower.contains(words))
        }
        _ => false,
    }
}

/// Known words, in lower case, for a message that is out of reach.
const OUT_OF_REACH: [&str; 6] = [
    "message to edit not found",
    "message to delete not found",
    "message can't be edited",
    "message_id_invalid",
    "message identifier is not specified",
    "message_author_required",
];

/// What stands in an answer, whatever was asked.
enum Answer<T> {
    Result(T),
    Throttled {
        after: Option<Duration>,
    },
    /// A well-formed refusal with a code from 400 to 499.
    Refused {
        code: i64,
        migrate_to: Option<i64>,
        why: String,
    },
    Unreadable {
        why: String,
    },
}

/// The envelope of every answer.
#[derive(Deserialize)]
struct Envelope<T> {
    ok: bool,
    result: Option<T>,
    #[serde(default)]
    error_code: Whole,
    description: Option<String>,
    parameters: Option<Parameters>,
}

#[derive(Default, Deserialize)]
struct Parameters {
    #[serde(default)]
    retry_after: Whole,
    #[serde(default)]
    migrate_to_chat_id: Whole,
}

fn read<T: DeserializeOwned>(status: u16, pause: Option<Duration>, body: &[u8]) -> Answer<T> {
    let unreadable = |what: &str| Answer::Unreadable { why: format!("status {status}, {what}") };
    if status >= 500 {
        return unreadable("the service failed");
    }
    let Ok(envelope) = serde_json::from_slice::<Envelope<T>>(body) else {
        return match status {
            429 => Answer::Throttled { after: pause.and_then(believed) },
            _ => unreadable("no answer of the Bot API"),
        };
    };
    if envelope.ok {
        return match envelope.result {
            Some(result) if (200..300).contains(&status) => Answer::Result(result),
            _ => unreadable("no result"),
        };
    }
    let parameters = envelope.parameters.unwrap_or_default();
    let code = envelope.error_code.0.unwrap_or(i64::from(status));
    let told = parameters.retry_after.0;
    if code >= 500 {
        unreadable("the service failed")
    } else if code == 429 || code == 420 || status == 429 || told.is_some() {
        let told = told.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs);
        Answer::Throttled { after: told.or(pause).and_then(believed) }
    } else if code >= 400 {
        let why = loose::words(envelope.description.as_deref().unwrap_or("refused"));
        Answer::Refused { code, migrate_to: parameters.migrate_to_chat_id.0, why }
    } else {
        unreadable("a refusal without a code")
    }
}

/// What a method that sends gives back.
#[derive(Deserialize)]
#[serde(untagged)]
enum Accepted {
    /// `answerCallbackQuery`: there is no message.
    Done(bool),
    One(Message),
    /// `sendMediaGroup`
    Many(Vec<Message>),
    Other(IgnoredAny),
}

#[derive(Deserialize)]
struct Message {
    message_id: i64,
    photo: Option<IgnoredAny>,
    video: Option<IgnoredAny>,
    animation: Option<IgnoredAny>,
    audio: Option<IgnoredAny>,
    document: Option<IgnoredAny>,
}

impl Message {
    fn is_media(&self) -> bool {
        let Self { photo, video, animation, audio, document, .. } = self;
        [photo, video, animation, audio, document].iter().any(|one| one.is_some())
    }
}

impl Accepted {
    /// The first message's id; empty when the method gives none.
    fn id(&self) -> Option<String> {
        match self {
            Self::Done(true) => Some(String::new()),
            Self::One(message) => Some(message.message_id.to_string()),
            Self::Many(messages) => messages.first().map(|first| first.message_id.to_string()),
            Self::Done(false) | Self::Other(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
