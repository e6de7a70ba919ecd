//! The outside that we send to, one folder a service: how a message is lowered to calls, how a
//! call is made, what an answer means, and how updates are read.
//!
//! Nothing here decides what becomes of a delivery: that is `deliver`'s. Tokens stay inside the
//! clients; no error, log line or `Debug` of this module holds a token or an address with one.

pub mod wire;

pub(crate) mod loose;

mod grid;

mod flat;

mod cut;

pub mod slots;

mod multipart;

#[cfg(test)]
mod trees;

pub mod facet;

pub mod telegram;

pub mod messenger;

use std::time::Duration;

use serde_json::Value;

use crate::channel::messenger::market::Verdict;
use crate::channel::slots::{Dressed, Slot, Stand, Upload};
use crate::channel::telegram::edit::{Aim, Edit};
use crate::model::channel::ChannelKind;
use crate::model::correction::KeptMessage;
use crate::model::lane::{Lane, Template};
use crate::model::media::Form;
use crate::model::message::{Card, Message};
use crate::model::post::{Answer, Reason};
use crate::model::subscriber::Standing;

/// Most calls of one message: a claim counts them in one byte.
pub const CALLS_MAX: usize = 255;

/// A configured way out. Cheap to share; connections are kept and reused.
#[derive(Debug)]
pub enum Channel {
    Telegram(telegram::api::Client),
    Messenger(messenger::api::Client),
}

/// One request to a service, but for its recipient.
///
/// `rest` is a JSON object's text without its opening brace, so that a recipient is put in front
/// without building the object again for everybody: `"text":"…"}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Telegram: the method (`sendMessage`). Messenger: the edge (`messages`).
    pub method: &'static str,
    pub rest: String,
    /// Acknowledges a tap: goes to no chat, counts against no limit, its failure matters to nobody.
    pub is_acknowledgement: bool,
    /// How many of the calls behind this one say the same in another way: they are passed over
    /// once this one is accepted, and go instead of it when the service does not take it.
    pub covers: u8,
}

impl Call {
    /// The request as JSON, but for its recipient.
    pub fn body(&self) -> Value {
        serde_json::from_str(&format!("{{{}", self.rest)).unwrap_or_default()
    }
}

/// What was seen on the wire. Built only in [`wire`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observed {
    /// The name, the connection or TLS failed, or the body was not handed to the socket.
    NotSent { why: String },
    /// The body was handed over; no complete answer came back.
    Silence { why: String },
    /// A complete answer; the body is cut at `wire::ANSWER_BYTES_MAX` (and then no valid JSON).
    Answered { status: u16, retry_after: Option<Duration>, body: Vec<u8> },
}

/// How much of its limit a page has used, as the service told last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Of the figure that is nearest to its limit; more than 100 is possible.
    pub percent: u32,
    /// How long until calls are granted again, where it is used up; zero where nothing was told.
    pub regain: Duration,
}

/// What an observation means for one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Accepted, with the service's id of the message.
    Delivered { id: String },
    /// Certainly not sent, and not refused: may be sent again, no earlier than `after`
    /// (`None`: the service gave no time).
    Later { after: Option<Duration> },
    /// Certainly not sent: nobody was reached.
    NotSent { why: String },
    /// The recipient can't be reached.
    Gone { standing: Standing, reason: Reason, why: String },
    /// The recipient can't be reached now; nothing is known for good.
    Unreachable { why: String },
    /// The chat has another address: send it there.
    Moved { to: String },
    /// Messenger's window is closed.
    WindowClosed { why: String },
    /// The message itself is refused: the same for every recipient.
    ContentRefused { why: String },
    /// A medium of the message is refused, or can't be had by the service: `which`, counted from 0
    /// among the messages that the call makes, where the service says so. Nothing was sent.
    MediaRefused { which: Option<usize>, why: String },
    /// The token is refused or the page restricted: nothing can be sent on this channel.
    CredentialsRefused { why: String },
    /// The service has blocked the page for its conduct: to go on could cost it for good.
    Blocked { why: String },
    /// Refused for this recipient, for another definite reason.
    Refused { reason: Reason, why: String },
    /// Sent perhaps, perhaps not.
    Unknown { why: String },
}

/// The calls that send `message` through a channel of that kind, in order.
///
/// Every call keeps the service's limits. At most [`CALLS_MAX`]; what is beyond is left out.
/// Empty only when there is no module with content.
pub fn lower(kind: ChannelKind, message: &Message) -> Vec<Call> {
    match kind {
        ChannelKind::Telegram => telegram::lower::lower(message, None),
        ChannelKind::Messenger => messenger::lower::lower(message),
    }
}

impl Channel {
    pub fn kind(&self) -> ChannelKind {
        match self {
            Self::Telegram(_) => ChannelKind::Telegram,
            Self::Messenger(_) => ChannelKind::Messenger,
        }
    }

    /// The calls that send `message`, in order; an acknowledgement of `tap` comes first.
    ///
    /// Every call keeps the service's limits. At most [`CALLS_MAX`]; what is beyond is left out.
    /// Empty only when there is neither a module with content nor a tap.
    pub fn lower(&self, message: &Message, tap: Option<&str>) -> Vec<Call> {
        match self {
            Self::Telegram(_) => telegram::lower::lower(message, tap),
            Self::Messenger(_) => messenger::lower::lower(message),
        }
    }

    /// The calls of an answer, in order. Where it takes the place of the message that was tapped,
    /// and the service has such, that is written anew; if it is out of reach, the answer is sent.
    pub fn lower_answer(&self, answer: &Answer) -> Vec<Call> {
        let tap = answer.tap.as_ref();
        let mut calls = self.lower(&answer.message, tap.map(|tap| tap.id.as_str()));
        if let (Self::Telegram(_), Some(toast)) = (self, tap.and_then(|tap| tap.toast.as_ref())) {
            telegram::lower::say_in_passing(&mut calls, toast);
        }
        if let (Self::Telegram(_), Some(message)) = (self, tap.and_then(|tap| tap.message)) {
            telegram::lower::put_in_place(&mut calls, message);
        }
        calls.extend(answer.ask.as_ref().and_then(|title| self.ask_call(title)));
        calls
    }

    /// The edits that make messages sent before say what `calls` would send; `None` where the
    /// service has no edits.
    pub fn edits(&self, calls: &[Call], kept: &[KeptMessage], aim: Aim) -> Option<Vec<Edit>> {
        match self {
            Self::Telegram(_) => Some(telegram::edit::edits(calls, kept, aim)),
            Self::Messenger(_) => None,
        }
    }

    /// The messages that a call made, as far as they can be edited later.
    pub fn messages(&self, observed: &Observed) -> Vec<KeptMessage> {
        match self {
            Self::Telegram(_) => telegram::errors::messages(observed),
            Self::Messenger(_) => Vec::new(),
        }
    }

    /// Whether a refusal says that a message is not there any more or can't be edited for good.
    pub fn is_out_of_reach(&self, observed: &Observed) -> bool {
        match self {
            Self::Telegram(_) => telegram::errors::is_out_of_reach(observed),
            Self::Messenger(_) => true,
        }
    }

    /// Makes one call for one recipient. Never repeats it by itself.
    pub async fn send(&self, call: &Call, address: &str) -> Observed {
        match self {
            Self::Telegram(client) => client.send(call, address).await,
            Self::Messenger(client) => client.send(call, address).await,
        }
    }

    /// Whether people's names come only by asking, and not with each event.
    pub fn is_asked_for_names(&self) -> bool {
        matches!(self, Self::Messenger(_))
    }

    /// Who may speak for a chat of several people.
    pub(crate) async fn admins(&self, chat: &str) -> Admins {
        match self {
            Self::Telegram(client) => client.admins(chat).await,
            Self::Messenger(_) => Admins::Hidden,
        }
    }

    /// What the service calls us, where commands name whom they are for.
    pub(crate) async fn called(&self) -> Option<String> {
        match self {
            Self::Telegram(client) => client.me().await.ok().map(|me| me.username),
            Self::Messenger(_) => None,
        }
    }

    /// What a person calls themselves, asked of the service within `time_max`.
    pub async fn profile(&self, address: &str, time_max: Duration) -> Profile {
        match self {
            Self::Telegram(_) => Profile::Withheld,
            Self::Messenger(client) => client.profile(address, time_max).await,
        }
    }

    /// How many messages a call makes: what it counts against a limit.
    pub fn weight(&self, call: &Call) -> u32 {
        match self {
            Self::Telegram(_) => telegram::lower::weight(call),
            Self::Messenger(_) => 1,
        }
    }

    /// How many Stars the bot has.
    pub async fn star_balance(&self) -> Balance {
        match self {
            Self::Telegram(client) => client.star_balance().await,
            Self::Messenger(_) => Balance::Failed("there are no Stars here".to_owned()),
        }
    }

    /// How much of the limit is used, if the service told so since this was asked last.
    pub fn usage(&self) -> Option<Usage> {
        match self {
            Self::Telegram(_) => None,
            Self::Messenger(client) => client.usage(),
        }
    }

    /// What `observed` means; total and pure.
    pub fn meaning(&self, observed: &Observed) -> Meaning {
        match self {
            Self::Telegram(_) => telegram::errors::meaning(observed),
            Self::Messenger(_) => messenger::errors::meaning(observed),
        }
    }

    /// The media that a lowered call names by their addresses, in order; empty for most calls.
    pub fn slots(&self, call: &Call) -> Vec<Slot> {
        match self {
            Self::Telegram(_) => telegram::slots::slots(call),
            Self::Messenger(_) => messenger::slots::slots(call),
        }
    }

    /// The call for the ways of its media: one for each of [`Channel::slots`].
    pub fn dress(&self, call: &Call, stands: &[Stand]) -> Dressed {
        match self {
            Self::Telegram(_) => telegram::slots::dress(call, stands),
            Self::Messenger(_) => messenger::slots::dress(call, stands),
        }
    }

    /// Makes one call for one recipient, with the files that go along. Never repeats it by itself.
    pub async fn send_with(
        &self,
        call: &Call,
        uploads: &[(String, Upload)],
        address: &str,
    ) -> Observed {
        match self {
            Self::Telegram(client) if !uploads.is_empty() => {
                client.send_with(call, uploads, address).await
            }
            Self::Messenger(client) => client.send_marked(call, uploads, address, None).await,
            Self::Telegram(_) => self.send(call, address).await,
        }
    }

    /// As [`Channel::send_with`]; where the service has echoes, `mark` comes back in this one's.
    pub async fn send_marked(
        &self,
        call: &Call,
        uploads: &[(String, Upload)],
        address: &str,
        mark: &str,
    ) -> Observed {
        match self {
            Self::Telegram(_) => self.send_with(call, uploads, address).await,
            Self::Messenger(client) => client.send_marked(call, uploads, address, Some(mark)).await,
        }
    }

    /// Makes a call of [`Channel::paid_call`] for a token, on a campaign's account.
    pub async fn send_paid(&self, call: &Call, campaign: &str, token: &str) -> Observed {
        match self {
            Self::Telegram(_) => Observed::NotSent { why: "nothing is paid here".to_owned() },
            Self::Messenger(client) => client.send_paid(call, campaign, token).await,
        }
    }

    /// The call of a utility template; `None` where the service has none.
    pub fn utility_call(&self, template: &Template) -> Option<Call> {
        match self {
            Self::Telegram(_) => None,
            Self::Messenger(_) => Some(messenger::market::utility(template)),
        }
    }

    /// The call of a marketing message; `None` without cards, or where the service has none.
    pub fn paid_call(&self, cards: &[Card]) -> Option<Call> {
        match self {
            Self::Telegram(_) => None,
            Self::Messenger(_) => messenger::market::paid(cards),
        }
    }

    /// The call that asks somebody whether they want marketing messages.
    pub fn ask_call(&self, title: &str) -> Option<Call> {
        match self {
            Self::Telegram(_) => None,
            Self::Messenger(_) => Some(messenger::market::ask(title)),
        }
    }

    /// What `observed` means for a call beyond the window; total and pure.
    pub fn verdict(&self, lane: Lane, observed: &Observed) -> Verdict {
        match (self, lane) {
            (Self::Messenger(_), Lane::Marketing) => messenger::market::paid_verdict(observed),
            (Self::Messenger(_), Lane::Utility) => messenger::market::utility_verdict(observed),
            _ => Verdict::Usual(self.meaning(observed)),
        }
    }

    /// What the service will know the media of an accepted call by: one for each of `shown`.
    pub fn kept_ids(&self, observed: &Observed, shown: &[Form]) -> Vec<Option<(Form, String)>> {
        match self {
            Self::Telegram(_) => telegram::slots::kept_ids(observed, shown),
            Self::Messenger(_) => match (shown, messenger::slots::kept_id(observed)) {
                ([form], Some(id)) => vec![Some((*form, id))],
                _ => Vec::new(),
            },
        }
    }

    /// What the service will know the cover of an accepted video by; `place` counts the messages
    /// that the call made.
    pub fn cover_id(&self, observed: &Observed, place: usize) -> Option<String> {
        match self {
            Self::Telegram(_) => telegram::slots::cover_id(observed, place),
            Self::Messenger(_) => None,
        }
    }

    /// Whether files are handed over ahead of their message ([`Channel::keep`]) and not with it.
    pub fn keeps_ahead(&self) -> bool {
        matches!(self, Self::Messenger(_))
    }

    /// Hands a file over, or has the service fetch it, ahead of the messages that name it. Nobody
    /// sees anything of it, so it may be repeated.
    pub async fn keep(&self, what: &Keep) -> Kept {
        match self {
            Self::Telegram(_) => Kept::Refused { why: "files go with their message".to_owned() },
            Self::Messenger(client) => {
                let observed = client.keep(what).await;
                match messenger::slots::kept_id(&observed) {
                    Some(id) => Kept::Id(id),
                    None => Kept::of(&messenger::errors::meaning(&observed)),
                }
            }
        }
    }
}

/// What came of [`Channel::star_balance`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Balance {
    /// Whole Stars.
    Stars(u64),
    /// The service does not know the question.
    Unknown,
    /// Nothing was told.
    Failed(String),
}

/// What came of [`Channel::admins`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Admins {
    /// By the service's numbers.
    Told(Vec<i64>),
    /// Nobody tells us: the chat is not there, or we are not in it any more.
    Hidden,
    /// Another time perhaps.
    Failed(String),
}

/// What came of [`Channel::profile`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Profile {
    /// `None`: this person has no name to be told, or it is withheld of them alone.
    Told { first_name: Option<String> },
    /// The page has no leave to read people's profiles.
    Withheld,
    /// Another time perhaps.
    Failed,
}

/// What a service is to keep.
#[derive(Clone, Debug)]
pub enum Keep {
    Address { url: String, form: Form },
    Bytes(Upload),
}

/// What came of [`Channel::keep`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    Id(String),
    /// Not this way.
    Refused {
        why: String,
    },
    /// Nothing is known against it: another time.
    Later {
        after: Option<Duration>,
        why: String,
    },
}

impl Kept {
    fn of(meaning: &Meaning) -> Self {
        match meaning {
            Meaning::Later { after } => {
                Self::Later { after: *after, why: "asked too often".to_owned() }
            }
            Meaning::NotSent { why }
            | Meaning::Unknown { why }
            | Meaning::CredentialsRefused { why }
            | Meaning::Blocked { why } => Self::Later { after: None, why: why.clone() },
            Meaning::MediaRefused { why, .. }
            | Meaning::ContentRefused { why }
            | Meaning::Refused { why, .. }
            | Meaning::Gone { why, .. }
            | Meaning::Unreachable { why }
            | Meaning::WindowClosed { why } => Self::Refused { why: why.clone() },
            Meaning::Delivered { .. } | Meaning::Moved { .. } => {
                Self::Refused { why: "no id came back".to_owned() }
            }
        }
    }
}
