//! Calls to the Bot API.
//!
//! The token is a part of every address, so no address leaves this file. One request a call:
//! trying again is the caller's, who knows what may be said twice.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Url;
use reqwest::header::HeaderMap;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::channel::multipart::{self, Part};
use crate::channel::slots::Upload;
use crate::channel::telegram::errors::{self, ApiError, METHOD_UNKNOWN};
use crate::channel::wire::{ANSWER_BYTES_MAX, Ask, Posted, SetUpError, Wire, upload_time};
use crate::channel::{Admins, Balance, Call, Observed};
use crate::model::secret::{ExposeSecret, SecretString};

/// The address of the public service.
pub const PUBLIC_API: &str = "https://api.telegram.org";

/// Most updates of one look; the service's own limit is 100.
pub const UPDATES_MAX: usize = 100;

/// Longest answer with updates: so many of the longest texts, every character escaped.
const UPDATES_BYTES_MAX: usize = 32 << 20;

/// What an answer may take beyond the time that the service itself waits for updates.
const UPDATES_TIME_SPARE: Duration = Duration::from_secs(15);

/// What we want to hear of. Sent with each call, because the service remembers the last list.
pub(crate) const ALLOWED_UPDATES: [&str; 4] =
    ["message", "edited_message", "callback_query", "my_chat_member"];

/// How to reach a bot.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Base address: [`PUBLIC_API`], or a server of one's own.
    pub api: Url,
    pub token: SecretString,
    /// For one send as a whole, at least 10 seconds; `wire::EXCHANGE_TIME_MAX` suits.
    pub time_max: Duration,
}

/// One bot. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Client {
    wire: Wire,
    /// Base address and token: holds the secret.
    root: Url,
    time_max: Duration,
}

/// What the service says of the bot itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Me {
    pub id: i64,
    /// Without the `@`.
    pub username: String,
}

/// What the service says of the bot's webhook.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct WebhookInfo {
    /// Empty while there is none.
    pub url: String,
    #[serde(default)]
    pub pending_update_count: u64,
    /// Seconds since 1970.
    #[serde(default)]
    pub last_error_date: Option<i64>,
    #[serde(default)]
    pub last_error_message: Option<String>,
    /// Left out where it is the service's own list.
    #[serde(default)]
    pub allowed_updates: Option<Vec<String>>,
}

/// `ChatMember`, as far as it matters.
#[derive(Deserialize)]
struct Member {
    user: MemberUser,
}

#[derive(Deserialize)]
struct MemberUser {
    id: i64,
}

/// What is said of a chat whose members a bot may not see, in lower case.
const HIDDEN: &str = "member list is inaccessible";

fn is_hidden(why: &str) -> bool {
    errors::is_gone(why) || why.to_lowercase().contains(HIDDEN)
}

/// `StarAmount`, without what is less than a Star.
#[derive(Deserialize)]
struct Stars {
    amount: i64,
}

impl Client {
    /// Opens no connection yet.
    ///
    /// # Errors
    /// [`SetUpError`] when the settings can't work.
    pub fn new(settings: Settings) -> Result<Self, SetUpError> {
        let token = settings.token.expose_secret();
        if token.is_empty() || !token.bytes().all(|c| c.is_ascii_graphic() && c != b'/') {
            return Err(SetUpError::Token);
        }
        let mut root = settings.api;
        if !matches!(root.scheme(), "http" | "https") {
            return Err(SetUpError::Address);
        }
        root.set_query(None);
        root.set_fragment(None);
        root.path_segments_mut()
            .map_err(|()| SetUpError::Address)?
            .pop_if_empty()
            .push(&format!("bot{token}"));
        // The part before the colon is the bot's id, which is no secret.
        let secret = token.split_once(':').map_or(token, |(_, secret)| secret);
        let secrets = vec![SecretString::from(secret)];
        let wire = Wire::new(HeaderMap::new(), secrets, crate::channel::wire::retry_after)?;
        Ok(Self { wire, root, time_max: settings.time_max })
    }

    /// Makes one call for one recipient. Never repeats it by itself.
    ///
    /// `address` is a chat id, or the `@name` of a public chat, either with `/` and a topic behind
    /// it; an acknowledgement has none.
    pub async fn send(&self, call: &Call, address: &str) -> Observed {
        let ask = Ask {
            url: self.url(call.method),
            body: Some(Posted::json(body(call, address))),
            time_max: self.time_max,
            answer_bytes_max: ANSWER_BYTES_MAX,
        };
        self.wire.exchange(ask).await
    }

    /// The same call, but for pay where it goes beyond the free rate.
    pub(crate) fn paid(call: &Call) -> Call {
        Call { rest: format!("\"allow_paid_broadcast\":true,{}", call.rest), ..call.clone() }
    }

    /// As [`Client::send`], with the files that the call names as `attach://<name>`.
    pub(crate) async fn send_with(
        &self,
        call: &Call,
        uploads: &[(String, Upload)],
        address: &str,
    ) -> Observed {
        let fields: Map<String, Value> =
            serde_json::from_slice(&body(call, address)).unwrap_or_default();
        let fields = fields.iter().map(|(name, value)| match value {
            Value::String(text) => Part::field(name, text.clone()),
            // Whatever is no text comes as its JSON. Source: Bot API, "Making requests".
            other => Part::field(name, other.to_string()),
        });
        let files = uploads.iter().map(|(name, upload)| Part::file(name, upload));
        let posted = multipart::form(fields.chain(files));
        let ask = Ask {
            url: self.url(call.method),
            time_max: upload_time(self.time_max, posted.bytes.len()),
            body: Some(posted),
            answer_bytes_max: ANSWER_BYTES_MAX,
        };
        self.wire.exchange(ask).await
    }

    /// Updates from `offset` on (`None`: from the oldest kept), waiting up to `patience` for the
    /// first; the service waits no longer than 50 seconds. An offset confirms all before it.
    ///
    /// # Errors
    /// [`ApiError`]; nothing is lost by asking again.
    pub async fn updates(
        &self,
        offset: Option<i64>,
        patience: Duration,
    ) -> Result<Vec<Value>, ApiError> {
        let mut parameters = json!({
            "limit": UPDATES_MAX,
            "timeout": patience.as_secs(),
            "allowed_updates": ALLOWED_UPDATES,
        });
        if let Some(offset) = offset {
            parameters["offset"] = offset.into();
        }
        let ask = Ask {
            url: self.url("getUpdates"),
            body: Some(Posted::json(parameters.to_string())),
            time_max: patience + UPDATES_TIME_SPARE,
            answer_bytes_max: UPDATES_BYTES_MAX,
        };
        errors::result(&self.wire.exchange(ask).await)
    }

    /// Who the bot is: shows that the token is good.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn me(&self) -> Result<Me, ApiError> {
        self.ask("getMe", &json!({})).await
    }

    /// How many Stars the bot has.
    pub(crate) async fn star_balance(&self) -> Balance {
        match self.ask::<Stars>("getMyStarBalance", &json!({})).await {
            Ok(Stars { amount }) => Balance::Stars(u64::try_from(amount).unwrap_or(0)),
            Err(ApiError::CredentialsRefused { why })
                if why.to_lowercase().contains(METHOD_UNKNOWN) =>
            {
                Balance::Unknown
            }
            Err(error) => Balance::Failed(error.to_string()),
        }
    }

    /// Has updates brought to `url` with `secret` in their header, from now on.
    ///
    /// # Errors
    /// [`ApiError`]; `Failed` when the service does not like the address.
    pub async fn set_webhook(&self, url: &Url, secret: &SecretString) -> Result<(), ApiError> {
        let parameters = json!({
            "url": url.as_str(),
            "secret_token": secret.expose_secret(),
            "allowed_updates": ALLOWED_UPDATES,
        });
        self.ask::<bool>("setWebhook", &parameters).await.map(drop)
    }

    /// The admins of a group or channel.
    pub(crate) async fn admins(&self, chat: &str) -> Admins {
        let chat = chat.parse::<i64>().map_or_else(|_| json!(chat), |id| json!(id));
        match self.ask::<Vec<Member>>("getChatAdministrators", &json!({ "chat_id": chat })).await {
            Ok(members) => Admins::Told(members.iter().map(|member| member.user.id).collect()),
            Err(ApiError::Failed { why }) if is_hidden(&why) => Admins::Hidden,
            Err(error) => Admins::Failed(error.to_string()),
        }
    }

    /// How the webhook stands.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn webhook_info(&self) -> Result<WebhookInfo, ApiError> {
        self.ask("getWebhookInfo", &json!({})).await
    }

    /// Goes back to reading by [`Client::updates`]; keeps what is waiting.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn delete_webhook(&self) -> Result<(), ApiError> {
        self.ask::<bool>("deleteWebhook", &json!({})).await.map(drop)
    }

    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        method: &str,
        parameters: &Value,
    ) -> Result<T, ApiError> {
        let ask = Ask {
            url: self.url(method),
            body: Some(Posted::json(parameters.to_string())),
            time_max: self.time_max,
            answer_bytes_max: ANSWER_BYTES_MAX,
        };
        errors::result(&self.wire.exchange(ask).await)
    }

    fn url(&self, method: &str) -> Url {
        let mut url = self.root.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.push(method);
        }
        url
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.root.host_str().unwrap_or_default();
        out.debug_struct("telegram::Client").field("host", &host).finish_non_exhaustive()
    }
}

/// The call's body with its recipient in front.
fn body(call: &Call, address: &str) -> Bytes {
    let mut body = String::with_capacity(call.rest.len() + address.len() + 40);
    body.push('{');
    if !call.is_acknowledgement {
        let (chat, thread) = split(address);
        body.push_str("\"chat_id\":");
        match chat.parse::<i64>() {
            Ok(id) => body.push_str(&id.to_string()),
            Err(_) => body.push_str(&Value::from(chat).to_string()),
        }
        body.push(',');
        if let Some(thread) = thread {
            body.push_str(&format!("\"message_thread_id\":{thread},"));
        }
    }
    body.push_str(&call.rest);
    Bytes::from(body)
}

/// The chat of an address, and its topic: `CHAT/TOPIC` or `CHAT:TOPIC`. The general topic has no
/// number of its own.
fn split(address: &str) -> (&str, Option<u32>) {
    match address.rsplit_once(['/', ':']) {
        Some((chat, topic)) if !chat.is_empty() => match topic.parse() {
            Ok(0 | 1) => (chat, None),
            Ok(topic) => (chat, Some(topic)),
            Err(_) => (address, None),
        },
        _ => (address, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::wire::EXCHANGE_TIME_MAX;

    fn client(api: &str) -> Client {
        let api = Url::parse(api).unwrap();
        let token = SecretString::from("123456:canary-TOKEN_x");
        Client::new(Settings { api, token, time_max: EXCHANGE_TIME_MAX }).unwrap()
    }

    fn call(rest: &str, is_acknowledgement: bool) -> Call {
        Call { method: "sendMessage", rest: rest.into(), is_acknowledgement, covers: 0 }
    }

    #[test]
    fn the_address_is_base_token_and_method() {
        for (api, expected) in [
            (PUBLIC_API, "https://api.telegram.org/bot123456:canary-TOKEN_x/sendMessage"),
            (
                "http://127.0.0.1:8081/below/?x=1",
                "http://127.0.0.1:8081/below/bot123456:canary-TOKEN_x/sendMessage",
            ),
        ] {
            assert_eq!(client(api).url("sendMessage").as_str(), expected);
        }
    }

    #[test]
    fn sec_c02_the_token_is_not_shown() {
        assert_eq!(
            format!("{:?}", client(PUBLIC_API)),
            r#"telegram::Client { host: "api.telegram.org", .. }"#
        );
    }

    #[test]
    fn settings_that_cannot_work_are_refused() {
        let new = |api: &str, token: &str| {
            let api = Url::parse(api).unwrap();
            let settings = Settings { api, token: token.into(), time_max: EXCHANGE_TIME_MAX };
            Client::new(settings).map(drop)
        };
        assert_eq!(new("ftp://example.com", "1:a"), Err(SetUpError::Address));
        assert_eq!(new("mailto:x@example.com", "1:a"), Err(SetUpError::Address));
        for token in ["", "1:a\n", "1:a b", "../1:a", "1:ä"] {
            assert_eq!(new(PUBLIC_API, token), Err(SetUpError::Token), "{token:?}");
        }
    }

    #[test]
    fn the_recipient_stands_in_front_of_the_call() {
        let rest = r#""text":"hi"}"#;
        let cases = [
            ("42", r#"{"chat_id":42,"text":"hi"}"#),
            ("-1001234567890", r#"{"chat_id":-1001234567890,"text":"hi"}"#),
            ("+07", r#"{"chat_id":7,"text":"hi"}"#),
            ("@news", r#"{"chat_id":"@news","text":"hi"}"#),
            ("-1001/7", r#"{"chat_id":-1001,"message_thread_id":7,"text":"hi"}"#),
            ("@news:7", r#"{"chat_id":"@news","message_thread_id":7,"text":"hi"}"#),
            ("-1001/1", r#"{"chat_id":-1001,"text":"hi"}"#),
            (r#"@a","text":"b"#, r#"{"chat_id":"@a\",\"text\":\"b","text":"hi"}"#),
        ];
        for (address, expected) in cases {
            assert_eq!(body(&call(rest, false), address), expected);
        }
        let rest = r#""callback_query_id":"7"}"#;
        assert_eq!(body(&call(rest, true), "42"), r#"{"callback_query_id":"7"}"#);
    }
}
