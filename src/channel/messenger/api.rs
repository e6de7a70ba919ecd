//! Calls to the Graph API for one page.
//!
//! The page token goes in a header, the proof that we know the app secret in the address. One
//! request a call: trying again is the caller's, who knows what may be said twice.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use serde_json::{Map, Value, json};
use sha2::Sha256;

use crate::channel::loose::Whole;
use crate::channel::messenger::errors;
use crate::channel::messenger::lower::MESSAGE_HEAD;
use crate::channel::messenger::market::{
    self, Page, Subscription, TOKENS_PAGE, UTILITY_HEAD, approved, subscriptions,
};
use crate::channel::messenger::slots::type_of;
use crate::channel::messenger::usage::{Gauge, usage};
use crate::channel::multipart::{self, Part};
use crate::channel::slots::Upload;
use crate::channel::wire::{
    ANSWER_BYTES_MAX, Ask, Posted, SetUpError, Wire, retry_after, upload_time,
};
use crate::channel::{Call, Keep, Observed, Profile, Usage};
use crate::model::secret::{ExposeSecret, SecretString};

/// The address of the public service.
pub const PUBLIC_API: &str = "https://graph.facebook.com";

/// The version of the Graph API that the calls are written for.
pub const VERSION: &str = "v25.0";

/// What we want to hear of.
const SUBSCRIBED_FIELDS: &str = "messages,messaging_postbacks,messaging_optins,\
                                 messaging_referrals,message_reactions,message_echoes,\
                                 message_deliveries,message_reads,messaging_policy_enforcement";

/// What we want to hear of besides where marketing messages are sent.
const MARKET_FIELDS: &str = "marketing_message_echoes,marketing_message_deliveries,\
                             marketing_message_reads,marketing_message_delivery_failed";

/// How long the service may take to fetch a file. Source: Messenger Platform, error 2018294: videos
/// are given 75 seconds.
const FETCH_TIME_MAX: Duration = Duration::from_secs(80);

/// How to reach a page.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Base address without the version: [`PUBLIC_API`], or a stand-in.
    pub api: Url,
    /// [`VERSION`] suits.
    pub version: String,
    /// Digits.
    pub page_id: String,
    pub page_token: SecretString,
    pub app_secret: SecretString,
    /// For one send as a whole, at least 10 seconds; `wire::EXCHANGE_TIME_MAX` suits.
    pub time_max: Duration,
}

/// One page. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Client {
    wire: Wire,
    /// Base address, version and proof.
    root: Url,
    page_id: String,
    time_max: Duration,
    gauge: Gauge,
    market: Option<Arc<Market>>,
}

/// Where marketing messages are sent from: another account, perhaps with a token of its own.
struct Market {
    client: Client,
    ad_account: String,
}

/// A call that sets something up failed; nothing is lost by trying again later.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {why}")]
pub struct ApiError {
    pub what: &'static str,
    pub why: String,
}

impl Client {
    /// Opens no connection yet.
    ///
    /// # Errors
    /// [`SetUpError`] when the settings can't work.
    pub fn new(settings: Settings) -> Result<Self, SetUpError> {
        let token = settings.page_token.expose_secret();
        if token.is_empty() {
            return Err(SetUpError::Token);
        }
        let mut bearer =
            HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| SetUpError::Token)?;
        bearer.set_sensitive(true);
        let headers = HeaderMap::from_iter([(AUTHORIZATION, bearer)]);

        let mut root = settings.api;
        if !matches!(root.scheme(), "http" | "https") {
            return Err(SetUpError::Address);
        }
        root.set_fragment(None);
        let proof = proof(settings.app_secret.expose_secret(), token)?;
        root.set_query(Some(&format!("appsecret_proof={proof}")));
        root.path_segments_mut()
            .map_err(|()| SetUpError::Address)?
            .pop_if_empty()
            .push(&settings.version);

        let secrets = vec![settings.page_token, settings.app_secret, SecretString::from(proof)];
        let gauge = Gauge::default();
        let told = gauge.clone();
        let wire = Wire::new(headers, secrets, move |headers| {
            told.note(headers);
            pause_told(headers)
        })?;
        let (page_id, time_max) = (settings.page_id, settings.time_max);
        Ok(Self { wire, root, page_id, time_max, gauge, market: None })
    }

    /// How much of its limit the page has used, if an answer told since this was asked last.
    pub(crate) fn usage(&self) -> Option<Usage> {
        self.gauge.take()
    }

    /// Sends marketing messages, too: as `client`, on the account of that number.
    #[must_use]
    pub fn with_market(self, client: Self, ad_account: &str) -> Self {
        let ad_account = format!("act_{}", ad_account.trim_start_matches("act_"));
        Self { market: Some(Arc::new(Market { client, ad_account })), ..self }
    }

    /// Makes one call for one person, by their page-scoped id. Never repeats it by itself.
    pub async fn send(&self, call: &Call, address: &str) -> Observed {
        self.send_marked(call, &[], address, None).await
    }

    /// As [`Client::send`], with the file that the call brings along; the mark comes back in the
    /// echo.
    pub(crate) async fn send_marked(
        &self,
        call: &Call,
        uploads: &[(String, Upload)],
        address: &str,
        mark: Option<&str>,
    ) -> Observed {
        let path = [self.page_id.as_str(), call.method];
        let body = body(call, address, mark);
        if uploads.is_empty() {
            return self.post(&path, body).await;
        }
        let fields: Map<String, Value> = serde_json::from_slice(&body).unwrap_or_default();
        let fields = fields.iter().map(|(name, value)| match value {
            Value::String(text) => Part::field(name, text.clone()),
            other => Part::field(name, other.to_string()),
        });
        let files = uploads.iter().map(|(name, upload)| Part::file(name, upload));
        self.exchange(self.url(&path), Some(multipart::form(fields.chain(files)))).await
    }

    /// Makes one call for one subscription token. Never repeats it by itself.
    pub(crate) async fn send_paid(&self, call: &Call, campaign: &str, token: &str) -> Observed {
        let Some(market) = &self.market else {
            return Observed::NotSent { why: "no ad account is configured".to_owned() };
        };
        let body = market::body(call, campaign, token);
        market.client.post(&[&market.ad_account, "messages"], body.into()).await
    }

    /// Makes the campaign that marketing messages belong to, and answers its id. One that was made
    /// and not heard of costs nothing.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn make_campaign(&self, name: &str) -> Result<String, ApiError> {
        let what = "making the campaign for marketing messages";
        let missing = || ApiError { what, why: "no ad account is configured".to_owned() };
        let market = self.market.as_ref().ok_or_else(missing)?;
        let body = json!({ "name": name, "page_id": self.page_id }).to_string();
        let path = [market.ad_account.as_str(), "message_campaign"];
        let answer = told(what, &market.client.post(&path, body.into()).await)?;
        let id = answer["id"]
            .as_str()
            .map(str::to_owned)
            .or(Whole::of(&answer["id"]).0.map(|id| id.to_string()));
        id.ok_or_else(|| ApiError { what, why: "the answer has no id".to_owned() })
    }

    /// One page of who has agreed to marketing messages.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn subscriptions(&self, after: Option<&str>) -> Result<Page<Subscription>, ApiError> {
        let mut url = self.url(&[&self.page_id, "notification_message_tokens"]);
        url.query_pairs_mut()
            .append_pair("limit", &TOKENS_PAGE.to_string())
            .append_pair("do_not_return_duplicates", "true");
        let page = self.page("reading the subscription tokens", url, after).await?;
        Ok(subscriptions(&page))
    }

    /// One page of the page's templates that are approved, by name and language.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn templates(&self, after: Option<&str>) -> Result<Page<(String, String)>, ApiError> {
        let mut url = self.url(&[&self.page_id, "message_templates"]);
        url.query_pairs_mut().append_pair("limit", "100");
        let page = self.page("reading the templates", url, after).await?;
        Ok(approved(&page))
    }

    async fn page(
        &self,
        what: &'static str,
        mut url: Url,
        after: Option<&str>,
    ) -> Result<Value, ApiError> {
        if let Some(after) = after {
            url.query_pairs_mut().append_pair("after", after);
        }
        told(what, &self.exchange(url, None).await)
    }

    /// Has the service keep a file, to be named by its id afterwards.
    pub(crate) async fn keep(&self, what: &Keep) -> Observed {
        let path = [self.page_id.as_str(), "message_attachments"];
        let message = |form, payload: &Value| json!({ "attachment": { "type": type_of(form), "payload": payload } });
        match what {
            Keep::Address { url, form } => {
                let message = message(*form, &json!({ "url": url, "is_reusable": true }));
                let body = json!({ "message": message }).to_string();
                let ask = Ask {
                    url: self.url(&path),
                    body: Some(Posted::json(body)),
                    time_max: self.time_max.max(FETCH_TIME_MAX),
                    answer_bytes_max: ANSWER_BYTES_MAX,
                };
                self.wire.exchange(ask).await
            }
            Keep::Bytes(upload) => {
                let message = message(upload.form, &json!({ "is_reusable": true })).to_string();
                let parts = [Part::field("message", message), Part::file("filedata", upload)];
                self.exchange(self.url(&path), Some(multipart::form(parts))).await
            }
        }
    }

    /// Reads what a person calls themselves, within `time_max`.
    ///
    /// No other field is asked for: one that the page has no leave for fails the whole call.
    pub(crate) async fn profile(&self, address: &str, time_max: Duration) -> Profile {
        let mut url = self.url(&[address]);
        url.query_pairs_mut().append_pair("fields", "first_name");
        let ask = Ask { url, body: None, time_max, answer_bytes_max: ANSWER_BYTES_MAX };
        errors::profile(&self.wire.exchange(ask).await)
    }

    /// Has the page's events brought to the app's webhook. May be repeated at any time, and must
    /// be after an hour of failures: the service then has unsubscribed us.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn subscribe(&self) -> Result<(), ApiError> {
        let fields = json!({ "subscribed_fields": self.wanted_fields() }).to_string();
        let observed = self.post(&[&self.page_id, "subscribed_apps"], fields.into()).await;
        ended("subscribing to the page's events", &observed)
    }

    /// Those of the events that we want to which no app of the page is subscribed; `None` when no
    /// app is subscribed to anything.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn missing_fields(&self) -> Result<Option<Vec<String>>, ApiError> {
        let url = self.url(&[&self.page_id, "subscribed_apps"]);
        let answer = told("reading the page's subscription", &self.exchange(url, None).await)?;
        let wanted = self.wanted_fields();
        let apps = answer["data"].as_array().into_iter().flatten();
        // With a page's token only its own app is listed; of several the best one is ours.
        let missing = apps.map(|app| {
            let fields: Vec<&str> = app["subscribed_fields"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            let missing = wanted.split(',').filter(|field| !fields.contains(field));
            missing.map(str::to_owned).collect::<Vec<_>>()
        });
        Ok(missing.min_by_key(Vec::len))
    }

    /// What we want to hear of.
    fn wanted_fields(&self) -> String {
        match &self.market {
            Some(_) => format!("{SUBSCRIBED_FIELDS},{MARKET_FIELDS}"),
            None => SUBSCRIBED_FIELDS.to_owned(),
        }
    }

    /// What the page shows of itself by these properties, as far as it shows something.
    pub(super) async fn ask_profile(&self, fields: &str) -> Observed {
        let mut url = self.url(&["me", "messenger_profile"]);
        url.query_pairs_mut().append_pair("fields", fields);
        self.exchange(url, None).await
    }

    /// Sets properties of the page's profile, those that are named.
    pub(super) async fn set_profile(&self, properties: &Value) -> Observed {
        self.post(&["me", "messenger_profile"], properties.to_string().into()).await
    }

    /// Takes properties of the page's profile away.
    pub(super) async fn drop_profile(&self, fields: &[String]) -> Observed {
        let body = json!({ "fields": fields }).to_string();
        let ask = Ask {
            url: self.url(&["me", "messenger_profile"]),
            body: Some(Posted::json(body)),
            time_max: self.time_max,
            answer_bytes_max: ANSWER_BYTES_MAX,
        };
        self.wire.delete(ask).await
    }

    async fn post(&self, path: &[&str], body: Bytes) -> Observed {
        self.exchange(self.url(path), Some(Posted::json(body))).await
    }

    async fn exchange(&self, url: Url, body: Option<Posted>) -> Observed {
        let bytes = body.as_ref().map_or(0, |body| body.bytes.len());
        let time_max = upload_time(self.time_max, bytes);
        self.wire.exchange(Ask { url, body, time_max, answer_bytes_max: ANSWER_BYTES_MAX }).await
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.root.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.extend(path);
        }
        url
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.root.host_str().unwrap_or_default();
        out.debug_struct("messenger::Client").field("host", &host).finish_non_exhaustive()
    }
}

/// The call's body with its recipient in front.
fn body(call: &Call, address: &str, mark: Option<&str>) -> Bytes {
    let rest = match mark {
        Some(mark) => marked(&call.rest, mark),
        None => Cow::Borrowed(call.rest.as_str()),
    };
    let mut body = String::with_capacity(rest.len() + address.len() + 32);
    body.push_str("{\"recipient\":{\"id\":");
    if address.bytes().all(|c| c.is_ascii_alphanumeric()) {
        body.push('"');
        body.push_str(address);
        body.push('"');
    } else {
        body.push_str(&Value::from(address).to_string());
    }
    body.push_str("},");
    body.push_str(&rest);
    Bytes::from(body)
}

/// A call's fields with a mark in its message. A message is never empty, so a comma follows.
fn marked<'a>(rest: &'a str, mark: &str) -> Cow<'a, str> {
    for head in [MESSAGE_HEAD, UTILITY_HEAD] {
        if let Some(fields) = rest.strip_prefix(head) {
            return Cow::Owned(format!("{head}\"metadata\":{},{fields}", Value::from(mark)));
        }
    }
    // Made anew for its media, in another order.
    let Ok(mut fields) = serde_json::from_str::<Value>(&format!("{{{rest}")) else {
        return Cow::Borrowed(rest);
    };
    if fields["message"].is_object() {
        fields["message"]["metadata"] = Value::from(mark);
    }
    Cow::Owned(fields.to_string().split_off(1))
}

/// `appsecret_proof`: the token signed with the app secret, in lower-case hexadecimal.
fn proof(app_secret: &str, token: &str) -> Result<String, SetUpError> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(app_secret.as_bytes()).map_err(|_| SetUpError::Token)?;
    mac.update(token.as_bytes());
    Ok(mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// `Retry-After`, or the time that the usage figures tell.
fn pause_told(headers: &HeaderMap) -> Option<Duration> {
    retry_after(headers).or_else(|| usage(headers)?.told_regain)
}

/// What a call that went well answered.
fn told(what: &'static str, observed: &Observed) -> Result<Value, ApiError> {
    ended(what, observed)?;
    let Observed::Answered { body, .. } = observed else { return Ok(Value::Null) };
    serde_json::from_slice(body)
        .map_err(|_| ApiError { what, why: "the answer is no JSON".to_owned() })
}

fn ended(what: &'static str, observed: &Observed) -> Result<(), ApiError> {
    match errors::failure(observed) {
        None => Ok(()),
        Some(why) => Err(ApiError { what, why }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::wire::EXCHANGE_TIME_MAX;

    fn settings(api: &str, token: &str) -> Settings {
        Settings {
            api: Url::parse(api).unwrap(),
            version: VERSION.into(),
            page_id: "1234567890".into(),
            page_token: token.into(),
            app_secret: "canary-app-secret".into(),
            time_max: EXCHANGE_TIME_MAX,
        }
    }

    #[test]
    fn the_address_has_version_page_and_proof_but_no_token() {
        let client = Client::new(settings("http://127.0.0.1:9/graph/", "canary-token")).unwrap();
        let url = client.url(&[&client.page_id, "messages"]);
        let proof = proof("canary-app-secret", "canary-token").unwrap();
        assert_eq!(proof.len(), 64);
        assert_eq!(
            url.as_str(),
            format!("http://127.0.0.1:9/graph/v25.0/1234567890/messages?appsecret_proof={proof}")
        );
    }

    #[test]
    fn the_proof_is_the_documented_signature() {
        // RFC 4231, test case 2.
        assert_eq!(
            proof("Jefe", "what do ya want for nothing?").unwrap(),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn sec_c02_neither_token_nor_secret_is_shown() {
        let settings = settings(PUBLIC_API, "canary-token");
        assert!(!format!("{settings:?}").contains("canary"));
        let client = Client::new(settings).unwrap();
        assert_eq!(
            format!("{client:?}"),
            r#"messenger::Client { host: "graph.facebook.com", .. }"#
        );
    }

    #[test]
    fn settings_that_cannot_work_are_refused() {
        for token in ["", "a\nb"] {
            let new = Client::new(settings(PUBLIC_API, token)).map(drop);
            assert_eq!(new, Err(SetUpError::Token));
        }
        let new = Client::new(settings("ftp://example.com", "t")).map(drop);
        assert_eq!(new, Err(SetUpError::Address));
    }

    #[test]
    fn the_recipient_stands_in_front_of_the_call() {
        let rest = r#""message":{"text":"hi"}}"#.to_owned();
        let call = Call { method: "messages", rest, is_acknowledgement: false, covers: 0 };
        let cases = [
            ("123", r#"{"recipient":{"id":"123"},"message":{"text":"hi"}}"#),
            (r#"1"}"#, r#"{"recipient":{"id":"1\"}"},"message":{"text":"hi"}}"#),
        ];
        for (address, expected) in cases {
            assert_eq!(body(&call, address, None), expected);
        }
    }

    #[test]
    fn a_mark_stands_in_the_message_however_the_call_was_made() {
        let made = r#""message":{"text":"hi"},"messaging_type":"UPDATE"}"#.to_owned();
        for rest in [format!("{MESSAGE_HEAD}\"text\":\"hi\"}}}}"), made] {
            let call = Call { method: "messages", rest, is_acknowledgement: false, covers: 0 };
            let body: Value = serde_json::from_slice(&body(&call, "7", Some("m:1"))).unwrap();
            let expected = json!({
                "recipient": { "id": "7" }, "messaging_type": "UPDATE",
                "message": { "text": "hi", "metadata": "m:1" },
            });
            assert_eq!(body, expected);
        }
    }

    #[test]
    fn a_pause_is_told_by_the_usage_figures_too() {
        let cases = [
            (r#"{"1":[{"type":"messenger","estimated_time_to_regain_access":5}]}"#, Some(300)),
            (
                r#"{"1":[{"estimated_time_to_regain_access":0}],
                    "2":[{},{"estimated_time_to_regain_access":"2"}]}"#,
                Some(120),
            ),
            (r#"{"1":[{"call_count":20}]}"#, None),
            (r#"{"1":{}}"#, None),
            ("[]", None),
            ("?", None),
        ];
        for (usage, expected) in cases {
            let mut headers = HeaderMap::new();
            let usage = usage.replace('\n', "");
            headers.insert("x-business-use-case-usage", usage.parse().unwrap());
            assert_eq!(pause_told(&headers), expected.map(Duration::from_secs), "{usage}");
        }
    }
}
