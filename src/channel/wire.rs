//! One request, observed: what left us and what came back.
//!
//! Promises that nothing is ever repeated, followed or sent through a proxy, and that
//! [`Observed::NotSent`] is certain: the body is handed to the connection in one piece, and once
//! an exchange has ended without it, it can't be handed over any more. A server can't act on a
//! request whose announced body never comes. Everything after that point is `Silence` until a
//! complete answer stands here.
//!
//! Knows no service: what an answer means is said in each service's `errors`. Errors are told in
//! our own words, without the address, because an address may hold a token; secrets that a server
//! repeats in a refusal are blotted out.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Method, Url};

use crate::channel::Observed;
use crate::model::secret::{ExposeSecret, SecretString};

/// Longest answer to a send that is read; a longer one is cut, and then is no valid JSON.
pub const ANSWER_BYTES_MAX: usize = 1 << 20;

/// Longest time from the first byte sent to the last byte read. A flood-limited answer is held
/// back for 3 seconds by Telegram's server: less than 10 seconds would make unknowns of them.
pub const EXCHANGE_TIME_MAX: Duration = Duration::from_secs(30);

/// What an upload may take beyond [`EXCHANGE_TIME_MAX`]: its bytes at this rate, in bytes a second.
const UPLOAD_RATE_MIN: u64 = 256 << 10;

/// Longest pause that a service is believed; a longer one is taken as this.
pub const PAUSE_MAX: Duration = Duration::from_secs(3600);

/// Longest time for name, connection and TLS.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);

/// An idle connection is given up after this; servers and the boxes between close them later.
const IDLE_TIME_MAX: Duration = Duration::from_secs(15);

/// Most header fields of an answer.
const HEADERS_MAX: usize = 100;

/// Shortest secret that is blotted out: a shorter one occurs by chance and would spoil answers.
const SECRET_BYTES_MIN: usize = 8;

/// What stands in the place of a secret.
const BLOT: &[u8] = b"[secret]";

/// The client can't be made from these settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetUpError {
    /// The base address can't have a path below it, or is no web address.
    #[error("`api` must be an http or https address")]
    Address,
    /// The token is empty or has characters that no header or path can have.
    #[error("the token is empty or has unusable characters")]
    Token,
    /// The HTTP client refused to start, usually for want of root certificates.
    #[error("the HTTP client did not start: {why}")]
    Client { why: String },
}

/// Connections to one service. Cheap to clone; clones share the connections.
#[derive(Clone)]
pub(crate) struct Wire {
    http: reqwest::Client,
    /// Blotted out of whatever is not a success.
    secrets: Arc<[SecretString]>,
    pause_told: Arc<PauseTold>,
}

/// How long the service wants to be left alone, by an answer's header fields.
type PauseTold = dyn Fn(&HeaderMap) -> Option<Duration> + Send + Sync;

/// What is asked. A request with a body is a POST of it, one without is a GET.
pub(crate) struct Ask {
    pub(crate) url: Url,
    pub(crate) body: Option<Posted>,
    pub(crate) time_max: Duration,
    pub(crate) answer_bytes_max: usize,
}

/// A request's body and what it is.
pub(crate) struct Posted {
    pub(crate) content_type: HeaderValue,
    pub(crate) bytes: Bytes,
}

impl Posted {
    pub(crate) fn json(bytes: impl Into<Bytes>) -> Self {
        Self { content_type: HeaderValue::from_static("application/json"), bytes: bytes.into() }
    }
}

impl Wire {
    /// `headers` go with every request; `pause_told` reads from an answer's header fields how long
    /// the service wants to be left alone.
    ///
    /// # Errors
    /// [`SetUpError::Client`] when the HTTP client can't be built.
    pub(crate) fn new(
        headers: HeaderMap,
        secrets: Vec<SecretString>,
        pause_told: impl Fn(&HeaderMap) -> Option<Duration> + Send + Sync + 'static,
    ) -> Result<Self, SetUpError> {
        // The process has one provider; it is no error that somebody has chosen it before.
        rustls::crypto::ring::default_provider().install_default().ok();
        let http = reqwest::Client::builder()
            .default_headers(headers)
            .user_agent(concat!("tidings/", env!("CARGO_PKG_VERSION")))
            .retry(reqwest::retry::never())
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .http1_only()
            .http1_max_headers(HEADERS_MAX)
            .no_gzip()
            .no_brotli()
            .tcp_nodelay(true)
            .connect_timeout(CONNECT_TIME_MAX)
            .pool_idle_timeout(IDLE_TIME_MAX)
            .build()
            .map_err(|error| SetUpError::Client { why: root_words(&error.without_url()) })?;
        Ok(Self { http, secrets: secrets.into(), pause_told: Arc::new(pause_told) })
    }

    /// Makes one request and waits for its end.
    pub(crate) async fn exchange(&self, ask: Ask) -> Observed {
        self.exchange_as(Method::POST, ask).await
    }

    /// As [`Wire::exchange`], for what is to be taken away.
    pub(crate) async fn delete(&self, ask: Ask) -> Observed {
        self.exchange_as(Method::DELETE, ask).await
    }

    /// `method` is that of a request with a body.
    async fn exchange_as(&self, method: Method, ask: Ask) -> Observed {
        let handover = Arc::new(Handover::default());
        let mut request = match ask.body {
            Some(Posted { content_type, bytes }) => {
                let mut request = reqwest::Request::new(method, ask.url);
                request.headers_mut().insert(CONTENT_TYPE, content_type);
                let body = Watched { bytes: Some(bytes), handover: Arc::clone(&handover) };
                *request.body_mut() = Some(reqwest::Body::wrap(body));
                request
            }
            None => {
                // A request without a body is complete with its head: nothing can be held back.
                handover.give();
                reqwest::Request::new(Method::GET, ask.url)
            }
        };
        *request.timeout_mut() = Some(ask.time_max);
        let end = self.end_of(request, ask.answer_bytes_max).await;
        observed(handover.close(), end)
    }

    async fn end_of(&self, request: reqwest::Request, answer_bytes_max: usize) -> End {
        let mut response = match self.http.execute(request).await {
            Ok(response) => response,
            Err(error) => return End::Broken { why: words(error) },
        };
        let status = response.status();
        let retry_after = (self.pause_told)(response.headers());
        let mut body = Vec::new();
        while body.len() < answer_bytes_max {
            match response.chunk().await {
                Ok(Some(piece)) => body.extend_from_slice(&piece),
                Ok(None) => break,
                Err(error) => return End::Broken { why: words(error) },
            }
        }
        body.truncate(answer_bytes_max);
        if !status.is_success() {
            for secret in self.secrets.iter() {
                blot(&mut body, secret.expose_secret().as_bytes());
            }
        }
        End::Whole { status: status.as_u16(), retry_after, body }
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Wire").finish_non_exhaustive()
    }
}

/// How long a request with an upload of so many bytes may take, where one without may take
/// `time_max`.
pub(crate) fn upload_time(time_max: Duration, bytes: usize) -> Duration {
    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
    time_max + Duration::from_secs(bytes / UPLOAD_RATE_MIN)
}

/// `Retry-After` in seconds, or as a date after the answer's own `Date`.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let told = text(RETRY_AFTER)?;
    if let Ok(seconds) = told.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(told).ok()?;
    let from = httpdate::parse_http_date(text(DATE)?).ok()?;
    until.duration_since(from).ok()
}

/// A pause that was told, within [`PAUSE_MAX`]; none when it is zero, so that the caller's own
/// back-off holds.
pub(crate) fn believed(told: Duration) -> Option<Duration> {
    (!told.is_zero()).then(|| told.min(PAUSE_MAX))
}

/// How an exchange ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    Broken { why: String },
    Whole { status: u16, retry_after: Option<Duration>, body: Vec<u8> },
}

/// The verdict of the wire: what the body's handing over and the end say together.
fn observed(is_body_given: bool, end: End) -> Observed {
    match end {
        End::Whole { status, retry_after, body } => {
            Observed::Answered { status, retry_after, body }
        }
        End::Broken { why } if is_body_given => Observed::Silence { why },
        End::Broken { why } => Observed::NotSent { why },
    }
}

/// Whether a body went to its connection. Both sides change it at most once:
///
/// ```text
/// held ──the connection takes it──▶ given
/// held ──the exchange ends────────▶ withdrawn: the connection gets an error instead
/// ```
#[derive(Debug, Default)]
struct Handover(AtomicU8);

impl Handover {
    const HELD: u8 = 0;
    const GIVEN: u8 = 1;
    const WITHDRAWN: u8 = 2;

    /// Whether the body may go out now.
    fn give(&self) -> bool {
        self.leave_held_for(Self::GIVEN) != Self::WITHDRAWN
    }

    /// Ends the exchange; answers whether the body went out before.
    fn close(&self) -> bool {
        self.leave_held_for(Self::WITHDRAWN) == Self::GIVEN
    }

    fn leave_held_for(&self, next: u8) -> u8 {
        match self.0.compare_exchange(Self::HELD, next, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => Self::HELD,
            Err(present) => present,
        }
    }
}

/// A request body of one piece that tells whether it was taken.
struct Watched {
    bytes: Option<Bytes>,
    handover: Arc<Handover>,
}

/// The exchange ended before its body was taken.
#[derive(Debug, thiserror::Error)]
#[error("the request was given up")]
struct Withdrawn;

impl Body for Watched {
    type Data = Bytes;
    type Error = Withdrawn;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Withdrawn>>> {
        Poll::Ready(self.bytes.take().map(|bytes| {
            if self.handover.give() { Ok(Frame::data(bytes)) } else { Err(Withdrawn) }
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

/// The error in our words. It owns the address until it is stripped here.
fn words(error: reqwest::Error) -> String {
    let error = error.without_url();
    let what = if error.is_dns() {
        "the name did not resolve"
    } else if error.is_connect() {
        "no connection"
    } else if error.is_timeout() {
        "no complete answer in time"
    } else {
        "the exchange broke off"
    };
    match root_words(&error) {
        why if why.is_empty() => what.to_owned(),
        why => format!("{what}: {why}"),
    }
}

/// What the system or the protocol said at the root of an error; both know no address.
fn root_words(error: &reqwest::Error) -> String {
    let mut root = String::new();
    let mut next = error.source();
    while let Some(error) = next {
        if error.is::<std::io::Error>() || error.is::<hyper::Error>() {
            root = error.to_string();
        }
        next = error.source();
    }
    root
}

fn blot(body: &mut Vec<u8>, secret: &[u8]) {
    if secret.len() < SECRET_BYTES_MIN {
        return;
    }
    let mut from = 0;
    while let Some(at) = body[from..].windows(secret.len()).position(|window| window == secret) {
        let at = from + at;
        body.splice(at..at + secret.len(), BLOT.iter().copied());
        from = at + BLOT.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole() -> End {
        End::Whole { status: 200, retry_after: None, body: b"{}".to_vec() }
    }

    fn broken() -> End {
        End::Broken { why: "x".into() }
    }

    #[test]
    fn only_a_body_that_was_given_can_end_in_silence() {
        let answered = Observed::Answered { status: 200, retry_after: None, body: b"{}".to_vec() };
        let cases = [
            (false, broken(), Observed::NotSent { why: "x".into() }),
            (true, broken(), Observed::Silence { why: "x".into() }),
            (true, whole(), answered.clone()),
            // Some refuse a request before they have read it.
            (false, whole(), answered),
        ];
        for (is_body_given, end, expected) in cases {
            assert_eq!(observed(is_body_given, end), expected);
        }
    }

    #[test]
    fn a_body_is_either_given_or_withdrawn() {
        let taken = Handover::default();
        assert!(taken.give());
        assert!(taken.close());

        let given_up = Handover::default();
        assert!(!given_up.close());
        assert!(!given_up.give());
    }

    #[test]
    fn a_withdrawn_body_gives_an_error_instead_of_bytes() {
        let handover = Arc::new(Handover::default());
        handover.close();
        let mut body = Watched { bytes: Some(Bytes::from_static(b"abc")), handover };
        assert_eq!(body.size_hint().exact(), Some(3));
        let mut context = Context::from_waker(std::task::Waker::noop());
        let polled = Pin::new(&mut body).poll_frame(&mut context);
        assert!(matches!(polled, Poll::Ready(Some(Err(Withdrawn)))));
    }

    #[test]
    fn a_pause_is_told_in_seconds_or_as_a_date() {
        let cases = [
            (Some("17"), None, Some(17)),
            (Some(" 0 "), None, Some(0)),
            (Some("-5"), None, None),
            (Some("soon"), None, None),
            (None, None, None),
            (
                Some("Sun, 06 Nov 1994 08:49:37 GMT"),
                Some("Sun, 06 Nov 1994 08:49:07 GMT"),
                Some(30),
            ),
            (Some("Sun, 06 Nov 1994 08:49:37 GMT"), None, None),
        ];
        for (told, date, expected) in cases {
            let mut headers = HeaderMap::new();
            if let Some(told) = told {
                headers.insert(RETRY_AFTER, HeaderValue::from_static(told));
            }
            if let Some(date) = date {
                headers.insert(DATE, HeaderValue::from_static(date));
            }
            assert_eq!(retry_after(&headers), expected.map(Duration::from_secs), "{told:?}");
        }
    }

    #[test]
    fn a_secret_is_blotted_out_wherever_it_stands() {
        let mut body = b"abcdefgh no /botabcdefgh/x abc".to_vec();
        blot(&mut body, b"abcdefgh");
        assert_eq!(body, b"[secret] no /bot[secret]/x abc");
        for secret in [b"".as_slice(), b"c", b"no"] {
            blot(&mut body, secret);
        }
        assert_eq!(body, b"[secret] no /bot[secret]/x abc");
    }
}
