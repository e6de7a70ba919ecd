//! Fetching what a source names: the only door to addresses that somebody else chose.
//!
//! Promises: every address is judged before it is asked, every answer of the name server before
//! it is dialled, and the peer again before its answer is believed; no proxy of the environment
//! is used, no cookie or `Referer` is sent, TLS is always verified. Everything that comes back is
//! bounded ([`Limits`]). Refuses to know what a document means.
//!
//! A fetch goes in steps, one request each, so that the caller can keep its peace with every host
//! on the way: [`Fetcher::step`] gives the document, or the next request when it was redirected.

use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};
use url::{Host, Url};

use crate::poll::body::{self, Coding};
use crate::poll::egress::{Guard, Reach, Refusal};
use crate::poll::fault::{Fault, FetchError, one_line};
use crate::poll::headers::{fresh_for, is_validator, retry_after};
use crate::runtime::clock::Clock;

/// Most redirects that are followed.
pub const REDIRECTS_MAX: u8 = 5;

/// Most headers of an answer.
pub const HEADERS_MAX: usize = 100;

/// Most `Link` headers of an answer that are kept.
pub const LINKS_MAX: usize = 20;

/// Most bytes of an answer's headers, names and values.
pub const HEADER_BYTES_MAX: usize = 64 * 1024;

/// A document of more wire bytes than this waits for one of [`LARGE_DOCUMENTS_MAX`] places, so
/// that many large ones at once cannot fill the memory.
pub const LARGE_BYTES: usize = 1024 * 1024;

/// How many large documents are in memory at the same time.
pub const LARGE_DOCUMENTS_MAX: usize = 4;

/// How long an unused connection is kept; shorter than servers keep theirs, so that a request
/// seldom meets a connection that is being closed.
const IDLE_CONNECTION: Duration = Duration::from_secs(3);

const ACCEPT: &str = "application/atom+xml, application/rss+xml, application/feed+json, \
                      application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5";

/// How much one fetch may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From the first request to the last byte, over all redirects; default 30 s.
    pub total: Duration,
    /// Name server, connection and TLS together; default 10 s.
    pub connect: Duration,
    /// How long after the headers the body may come as slow as it likes; default 10 s.
    pub slow_after: Duration,
    /// The smallest rate of a body after that, in bytes a second, measured from its beginning;
    /// default 1,024.
    pub slow_bytes: u64,
    /// Largest body as it comes over the wire, in bytes; default 8 MiB.
    pub wire_bytes: usize,
    /// Largest document once unpacked, in bytes; default 32 MiB.
    pub decoded_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            total: Duration::from_secs(30),
            connect: Duration::from_secs(10),
            slow_after: Duration::from_secs(10),
            slow_bytes: 1024,
            wire_bytes: 8 * 1024 * 1024,
            decoded_bytes: body::DECODED_BYTES_MAX,
        }
    }
}

/// The client for untrusted addresses. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Fetcher {
    open: Client,
    /// For ports that only `allow_networks` may be asked on: its resolver gives no other address.
    allowed_only: Client,
    guard: Arc<Guard>,
    limits: Limits,
    large: Arc<Semaphore>,
    clock: Clock,
}

/// The client could not be built: the machine's root certificates cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the client for sources could not be set up: {0}")]
pub struct NoFetcher(String);

/// One request of a fetch: where to ask, and what we already have.
#[derive(Clone, Debug)]
pub struct Request {
    url: Url,
    /// As received; sent as `If-None-Match`.
    etag: Option<String>,
    /// As received; sent as `If-Modified-Since`.
    last_modified: Option<String>,
    redirects: u8,
    /// Where the unbroken run of permanent redirects from the first address has led.
    permanent_to: Option<Url>,
    was_temporary: bool,
    spent: Duration,
}

impl Request {
    pub fn new(url: Url) -> Self {
        Self {
            url,
            etag: None,
            last_modified: None,
            redirects: 0,
            permanent_to: None,
            was_temporary: false,
            spent: Duration::ZERO,
        }
    }

    /// Asks only for what differs from what these describe.
    pub fn unless(mut self, etag: Option<String>, last_modified: Option<String>) -> Self {
        self.etag = etag;
        self.last_modified = last_modified;
        self
    }

    /// The address that is asked.
    pub fn url(&self) -> &Url {
        &self.url
    }
}

/// What one request led to.
#[derive(Debug)]
pub enum Step {
    Done(Fetched),
    /// Another address, judged already; it is to be asked next.
    Redirected(Request),
}

/// What a fetch gave.
#[derive(Debug)]
pub struct Fetched {
    /// The address that answered.
    pub url: Url,
    /// Where the first address has moved for good, if it has.
    pub permanent_to: Option<Url>,
    /// At most 256 visible ASCII; of a 304 only if it told one.
    pub etag: Option<String>,
    /// At most 256 ASCII without controls; of a 304 only if it told one.
    pub last_modified: Option<String>,
    /// How long the site says that this stays fresh (`Cache-Control`, else `Expires`).
    pub fresh_for: Option<Duration>,
    /// The values of its `Link` headers, at most [`LINKS_MAX`].
    pub links: Vec<String>,
    /// `None` when it is not modified.
    pub document: Option<Packed>,
}

/// A document as it came over the wire.
#[derive(Debug)]
pub struct Packed {
    wire: Vec<u8>,
    coding: Coding,
    /// It may unpack to so many bytes.
    decoded_bytes: u64,
    /// As the header has it, if it is text.
    pub content_type: Option<String>,
    _place: Option<OwnedSemaphorePermit>,
}

impl Packed {
    /// Bytes on the wire.
    pub fn wire_bytes(&self) -> usize {
        self.wire.len()
    }

    /// Unpacks it. Takes processor time: call it off the async threads, and keep `self`'s place
    /// among the large documents in mind: it is free when the [`Unpacked`] is dropped.
    ///
    /// # Errors
    /// See [`body::decode`].
    pub fn unpack(self) -> Result<Unpacked, Fault> {
        let bytes = body::decode(self.wire, self.coding, self.decoded_bytes)?;
        Ok(Unpacked { bytes, content_type: self.content_type, _place: self._place })
    }
}

/// A document's own bytes.
#[derive(Debug)]
pub struct Unpacked {
    pub bytes: Vec<u8>,
    pub content_type: Option<String>,
    _place: Option<OwnedSemaphorePermit>,
}

impl Fetcher {
    /// # Errors
    /// [`NoFetcher`] when the machine has no root certificates to verify others with.
    pub fn new(
        guard: Guard,
        limits: Limits,
        user_agent: &str,
        clock: Clock,
    ) -> Result<Self, NoFetcher> {
        // An error means that one is installed already, which is all we need.
        rustls::crypto::ring::default_provider().install_default().ok();
        let guard = Arc::new(guard);
        let client = |reach| {
            let resolver = JudgedNames { guard: Arc::clone(&guard), reach };
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(ACCEPT));
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip, br"));
            Client::builder()
                .dns_resolver(resolver)
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .referer(false)
                .retry(reqwest::retry::never())
                .no_gzip()
                .no_brotli()
                .user_agent(user_agent)
                .default_headers(headers)
                .http1_max_headers(HEADERS_MAX)
                .connect_timeout(limits.connect)
                .pool_idle_timeout(IDLE_CONNECTION)
                .pool_max_idle_per_host(1)
                .build()
                .map_err(|error| NoFetcher(deepest(&error)))
        };
        let (open, allowed_only) = (client(Reach::Open)?, client(Reach::AllowedOnly)?);
        Ok(Self {
            open,
            allowed_only,
            guard,
            limits,
            large: Arc::new(Semaphore::new(LARGE_DOCUMENTS_MAX)),
            clock,
        })
    }

    /// The rule by which addresses are judged.
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Fetches, following redirects at once: for what is asked by hand. The worker goes by
    /// [`Fetcher::step`] instead, to keep every host's pause.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn fetch(&self, request: Request) -> Result<Fetched, FetchError> {
        let mut next = request;
        loop {
            match self.step(next).await? {
                Step::Done(fetched) => return Ok(fetched),
                Step::Redirected(request) => next = request,
            }
        }
    }

    /// Sends one request.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn step(&self, request: Request) -> Result<Step, FetchError> {
        match self.ask(&request).await {
            Ok(Answer::Redirect { to, is_permanent, spent }) => {
                Ok(Step::Redirected(request.onward(to, is_permanent, spent)))
            }
            Ok(Answer::Fetched(fetched)) => Ok(Step::Done(*fetched)),
            Err(fault) => Err(FetchError::new(&request.url, fault)),
        }
    }

    async fn ask(&self, request: &Request) -> Result<Answer, Fault> {
        let started = Instant::now();
        let deadline = started + self.limits.total.saturating_sub(request.spent);
        let late = || Fault::Timeout(self.limits.total);
        let response =
            timeout_at(deadline, self.send(request)).await.map_err(|_elapsed| late())??;

        let status = response.status().as_u16();
        let headers = response.headers();
        let header_bytes: usize =
            headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        if header_bytes > HEADER_BYTES_MAX || headers.len() > HEADERS_MAX {
            return Err(Fault::Headers(HEADER_BYTES_MAX, HEADERS_MAX));
        }
        let is_conditional = request.etag.is_some() || request.last_modified.is_some();
        match status {
            200 | 203 => {}
            304 if is_conditional => {}
            301 | 302 | 303 | 307 | 308 => {
                let to = self.redirect_target(request, status, headers)?;
                let is_permanent = matches!(status, 301 | 308);
                return Ok(Answer::Redirect { to, is_permanent, spent: started.elapsed() });
            }
            404 => return Err(Fault::NotFound),
            410 => return Err(Fault::Gone),
            401 | 402 | 403 | 407 | 451 => return Err(Fault::Forbidden(status)),
            429 | 503 => {
                let (date, now) = (text(headers, header::DATE), self.clock.now());
                let after = text(headers, header::RETRY_AFTER);
                let after = after.and_then(|value| retry_after(value, date, now));
                return Err(Fault::Later { status, after });
            }
            _ => return Err(Fault::Status(status)),
        }
        let mut fetched = Fetched {
            url: request.url.clone(),
            permanent_to: request.permanent_to.clone(),
            etag: validator(headers, header::ETAG),
            last_modified: validator(headers, header::LAST_MODIFIED),
            fresh_for: fresh_for(
                all_texts(headers, header::CACHE_CONTROL),
                text(headers, header::EXPIRES),
                text(headers, header::DATE),
            ),
            links: all_texts(headers, header::LINK).take(LINKS_MAX).map(str::to_owned).collect(),
            document: None,
        };
        if status != 304 {
            fetched.document = Some(self.receive(response, deadline).await?);
        }
        Ok(Answer::Fetched(Box::new(fetched)))
    }

    /// Judges, sends, and answers with the headers; the peer is judged too.
    async fn send(&self, request: &Request) -> Result<Response, Fault> {
        let reach = self.guard.judge(&request.url).map_err(Fault::Refused)?;
        let client = match reach {
            Reach::Open => &self.open,
            Reach::AllowedOnly => &self.allowed_only,
        };
        let sent = match client.execute(request.to_http()).await {
            // The server closed a kept connection just as we used it: it has not answered, and a
            // GET may be repeated. Once, on a connection that is fresh by then.
            Err(error) if find::<hyper::Error>(&error).is_some_and(was_closed) => {
                client.execute(request.to_http()).await
            }
            sent => sent,
        };
        let response = sent.map_err(|error| classify(&error, &self.limits))?;
        // A literal address on an unusual port was judged with its port above.
        let reach =
            if matches!(request.url.host(), Some(Host::Domain(_))) { reach } else { Reach::Open };
        match response.remote_addr() {
            Some(peer) => self.guard.judge_ip(peer.ip(), reach).map_err(Fault::Refused)?,
            None => return Err(Fault::Connect("the peer is unknown".to_owned())),
        }
        Ok(response)
    }

    fn redirect_target(
        &self,
        request: &Request,
        status: u16,
        headers: &HeaderMap,
    ) -> Result<Url, Fault> {
        if request.redirects >= REDIRECTS_MAX {
            return Err(Fault::Redirects(REDIRECTS_MAX));
        }
        let target = headers
            .get(header::LOCATION)
            .and_then(|value| std::str::from_utf8(value.as_bytes()).ok())
            .ok_or(Fault::Misled(status))?;
        self.guard.read(target.trim(), Some(&request.url)).map_err(Fault::Refused)
    }

    /// Takes the body in, counting what comes over the wire.
    async fn receive(
        &self,
        mut response: Response,
        mut deadline: Instant,
    ) -> Result<Packed, Fault> {
        let limits = &self.limits;
        let headers = response.headers();
        let mut codings = headers.get_all(header::CONTENT_ENCODING).iter();
        let named = codings.next().map_or("", |value| value.to_str().unwrap_or("?"));
        let coding = match (Coding::parse(named), codings.next()) {
            (Some(coding), None) => coding,
            _ => return Err(Fault::Coding(one_line(named))),
        };
        let content_type = text(headers, header::CONTENT_TYPE).map(str::to_owned);
        let too_large = || Fault::TooLarge(u64::try_from(limits.wire_bytes).unwrap_or(u64::MAX));
        let announced =
            response.content_length().and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(0);
        if announced > limits.wire_bytes {
            return Err(too_large());
        }

        let mut begun = Instant::now();
        let mut place = None;
        let mut wire: Vec<u8> = Vec::with_capacity(announced.min(LARGE_BYTES));
        loop {
            let earned = u64::try_from(wire.len()).unwrap_or(u64::MAX) / limits.slow_bytes.max(1);
            let too_slow_at = begun + limits.slow_after.max(Duration::from_secs(earned));
            let Ok(chunk) = timeout_at(deadline.min(too_slow_at), response.chunk()).await else {
                return Err(if too_slow_at < deadline {
                    Fault::Slow(limits.slow_bytes)
                } else {
                    Fault::Timeout(limits.total)
                });
            };
            let Some(chunk) = chunk.map_err(|error| classify(&error, limits))? else { break };
            if wire.len() + chunk.len() > limits.wire_bytes {
                return Err(too_large());
            }
            if place.is_none() && wire.len() + chunk.len() > LARGE_BYTES {
                // Waiting for our own place is not the site's fault: its time stands still.
                let asked = Instant::now();
                place = Arc::clone(&self.large).acquire_owned().await.ok();
                deadline += asked.elapsed();
                begun += asked.elapsed();
            }
            wire.extend_from_slice(&chunk);
        }
        let decoded_bytes = self.limits.decoded_bytes;
        Ok(Packed { wire, coding, decoded_bytes, content_type, _place: place })
    }
}

enum Answer {
    Fetched(Box<Fetched>),
    Redirect { to: Url, is_permanent: bool, spent: Duration },
}

impl Request {
    fn to_http(&self) -> reqwest::Request {
        let mut http = reqwest::Request::new(Method::GET, self.url.clone());
        let headers = http.headers_mut();
        let mut add = |name: HeaderName, value: &Option<String>| {
            if let Some(value) = value.as_deref().and_then(|text| HeaderValue::from_str(text).ok())
            {
                headers.insert(name, value);
            }
        };
        add(header::IF_NONE_MATCH, &self.etag);
        add(header::IF_MODIFIED_SINCE, &self.last_modified);
        http
    }

    /// The same question at the next address. The validators go along: they were given by the end
    /// of this road, and are no credentials. Nothing else is ever sent.
    fn onward(mut self, to: Url, is_permanent: bool, spent: Duration) -> Self {
        self.was_temporary |= !is_permanent;
        if !self.was_temporary {
            self.permanent_to = Some(to.clone());
        }
        self.url = to;
        self.redirects += 1;
        self.spent += spent;
        self
    }
}

/// The name server's answers, judged. The only resolver of the client, so nothing else is dialled.
#[derive(Debug)]
struct JudgedNames {
    guard: Arc<Guard>,
    reach: Reach,
}

impl reqwest::dns::Resolve for JudgedNames {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let (guard, reach) = (Arc::clone(&self.guard), self.reach);
        Box::pin(async move {
            let answer: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0))
                .await
                .map_err(NoAnswer::boxed)?
                .collect();
            let ips: Vec<IpAddr> = answer.iter().map(SocketAddr::ip).collect();
            guard.judge_answer(ips, reach)?;
            Ok(Box::new(answer.into_iter()) as reqwest::dns::Addrs)
        })
    }
}

/// The name server gave no address.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct NoAnswer(String);

impl NoAnswer {
    #[expect(clippy::needless_pass_by_value, reason = "stands where `map_err` gives it")]
    fn boxed(error: std::io::Error) -> Box<dyn Error + Send + Sync> {
        Box::new(Self(error.to_string()))
    }
}

fn was_closed(error: &hyper::Error) -> bool {
    error.is_incomplete_message() || error.is_canceled()
}

/// Reqwest's error by its meaning; its own text holds the whole address and is not kept.
fn classify(error: &reqwest::Error, limits: &Limits) -> Fault {
    if let Some(refusal) = find::<Refusal>(error) {
        return Fault::Refused(refusal.clone());
    }
    if let Some(why) = find::<NoAnswer>(error) {
        return Fault::Dns(one_line(&why.0));
    }
    if let Some(why) = find::<rustls::Error>(error) {
        return Fault::Tls(one_line(&why.to_string()));
    }
    if find::<hyper::Error>(error).is_some_and(hyper::Error::is_parse_too_large) {
        return Fault::Headers(HEADER_BYTES_MAX, HEADERS_MAX);
    }
    match (error.is_connect(), error.is_timeout()) {
        (true, true) => Fault::Timeout(limits.connect),
        (true, false) => Fault::Connect(deepest(error)),
        (false, true) => Fault::Timeout(limits.total),
        (false, false) => Fault::Broken(deepest(error)),
    }
}

/// The causes from the outermost to the innermost; `io::Error` hides the one it wraps.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| {
        let wrapped = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref)
            .map(|inner| inner as &(dyn Error + 'static));
        wrapped.or_else(|| error.source())
    })
}

fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

fn deepest(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map(|cause| one_line(&cause.to_string())).unwrap_or_default()
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

fn all_texts(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok())
}

fn validator(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    text(headers, name).filter(|value| is_validator(value)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permanent_move_ends_at_the_first_temporary_redirect() {
        let url = |text: &str| Url::parse(text).unwrap();
        let request = Request::new(url("http://a.example/"))
            .onward(url("http://b.example/"), true, Duration::ZERO)
            .onward(url("http://c.example/"), true, Duration::ZERO)
            .onward(url("http://d.example/"), false, Duration::ZERO)
            .onward(url("http://e.example/"), true, Duration::ZERO);
        assert_eq!(request.permanent_to, Some(url("http://c.example/")));
        assert_eq!(request.url, url("http://e.example/"));
    }
}
