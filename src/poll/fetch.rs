//! Fetching what a source names: the only door to addresses that somebody else chose.
//!
//! Promises: every address is judged before it is asked, every answer of the name server before
//! it is dialled, and the peer again before its answer is believed; no proxy of the environment
//! is used, no cookie or `Referer` is sent, TLS is always verified. Everything that comes back is
//! bounded ([`Limits`]). Refuses to know what a document means.
//!
//! A fetch goes in steps, one request each, so that the caller can keep its peace with every host
//! on the way: [`Fetcher::step`] gives the document, or the next request when it was redirected.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Response};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use url::{Host, Url};

use crate::model::time::Timestamp;
use crate::poll::body::{self, Coding};
use crate::poll::egress::{Guard, Reach};
use crate::poll::fault::{Fault, FetchError, one_line};
use crate::poll::headers::{fresh_for, is_validator, retry_after};
use crate::poll::names::{JudgedNames, classify, deepest, find, was_closed};
use crate::poll::packed::Wire;
use crate::runtime::clock::Clock;

pub use crate::poll::names::{HEADER_BYTES_MAX, HEADERS_MAX};
pub use crate::poll::packed::{Packed, Unpacked};
pub use crate::poll::request::Request;

/// Most redirects that are followed.
pub const REDIRECTS_MAX: u8 = 5;

/// Most `Link` headers of an answer that are kept.
pub const LINKS_MAX: usize = 20;

/// A document of more wire bytes than this waits for one of [`LARGE_DOCUMENTS_MAX`] places, so
/// that many large ones at once cannot fill the memory.
pub const LARGE_BYTES: usize = 1024 * 1024;

/// How many large documents are in memory at the same time.
pub const LARGE_DOCUMENTS_MAX: usize = 4;

/// How many documents of a source in bulk are taken in to files at the same time.
pub const SPOOLS_MAX: usize = 8;

/// How long to stay away when a site takes us for an intruder and does not say for how long.
/// Shopify answers so by the look of an address, and asking again soon makes it worse.
const SUSPECTED_AFTER: Duration = Duration::from_secs(6 * 60 * 60);

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
    /// As `total`, for documents in bulk (catalogs and sitemaps); default 1 h.
    pub bulk_total: Duration,
    /// As `wire_bytes`, for documents in bulk; default 2 GiB.
    pub bulk_wire_bytes: u64,
    /// As `decoded_bytes`, for documents in bulk; default 4 GiB.
    pub bulk_decoded_bytes: u64,
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
            bulk_total: Duration::from_secs(60 * 60),
            bulk_wire_bytes: 2 << 30,
            bulk_decoded_bytes: 4 << 30,
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
    spools: Arc<Semaphore>,
    /// Where documents in bulk are kept while they are read.
    folder: Arc<Path>,
    clock: Clock,
}

/// The client could not be built: the machine's root certificates cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the client for sources could not be set up: {0}")]
pub struct NoFetcher(String);

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
    /// More documents wait behind this one: files of a folder, of which each is read for itself.
    pub has_more: bool,
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
            spools: Arc::new(Semaphore::new(SPOOLS_MAX)),
            folder: Arc::from(std::env::temp_dir()),
            clock,
        })
    }

    /// Documents in bulk are kept in this folder while they are read.
    pub fn keeping_in(mut self, folder: Arc<Path>) -> Self {
        self.folder = folder;
        self
    }

    /// Where documents in bulk are kept while they are read.
    pub(crate) fn folder(&self) -> &Arc<Path> {
        &self.folder
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
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
        let limits = self.limits.of(request.is_bulk);
        // The head of the answer comes soon, whatever follows.
        let head_until = started + self.limits.total.saturating_sub(request.spent);
        let deadline = started + limits.total.saturating_sub(request.spent);
        let late = || Fault::Timeout(self.limits.total);
        let response =
            timeout_at(head_until, self.send(request)).await.map_err(|_elapsed| late())??;

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
            429 | 430 | 503 => {
                let (date, now) = (text(headers, header::DATE), self.clock.now());
                let after = text(headers, header::RETRY_AFTER);
                let after = after.and_then(|value| retry_after(value, date, now));
                let after = after.or((status == 430).then_some(SUSPECTED_AFTER));
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
            has_more: false,
        };
        if status != 304 {
            fetched.document = Some(self.receive(response, &limits, deadline).await?);
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
        let response =
            sent.map_err(|error| classify(&error, self.limits.connect, self.limits.total))?;
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
        limits: &Each,
        mut deadline: Instant,
    ) -> Result<Packed, Fault> {
        let headers = response.headers();
        let mut codings = headers.get_all(header::CONTENT_ENCODING).iter();
        let named = codings.next().map_or("", |value| value.to_str().unwrap_or("?"));
        let coding = match (Coding::parse(named), codings.next()) {
            (Some(coding), None) => coding,
            _ => return Err(Fault::Coding(one_line(named))),
        };
        let content_type = text(headers, header::CONTENT_TYPE).map(str::to_owned);
        let announced = response.content_length().unwrap_or(0);
        if announced > limits.wire_bytes {
            return Err(Fault::TooLarge(limits.wire_bytes));
        }

        let mut begun = Instant::now();
        let mut place = None;
        let mut wire = Wire::new(limits.is_bulk, announced, &self.folder);
        loop {
            let earned = wire.bytes() / self.limits.slow_bytes.max(1);
            let too_slow_at = begun + self.limits.slow_after.max(Duration::from_secs(earned));
            let Ok(chunk) = timeout_at(deadline.min(too_slow_at), response.chunk()).await else {
                return Err(if too_slow_at < deadline {
                    Fault::Slow(self.limits.slow_bytes)
                } else {
                    Fault::Timeout(limits.total)
                });
            };
            let Some(chunk) =
                chunk.map_err(|error| classify(&error, self.limits.connect, self.limits.total))?
            else {
                break;
            };
            let bytes = wire.bytes() + chunk.len() as u64;
            if bytes > limits.wire_bytes {
                return Err(Fault::TooLarge(limits.wire_bytes));
            }
            if place.is_none() && bytes > LARGE_BYTES as u64 {
                // Waiting for our own place is not the site's fault: its time stands still.
                let asked = Instant::now();
                let places = if limits.is_bulk { &self.spools } else { &self.large };
                place = Arc::clone(places).acquire_owned().await.ok();
                deadline += asked.elapsed();
                begun += asked.elapsed();
            }
            wire.take(&chunk).await?;
        }
        let (wire, decoded_bytes) = (wire.end().await?, limits.decoded_bytes);
        Ok(Packed { wire, coding, decoded_bytes, content_type, _place: place })
    }
}

/// The limits of one request.
struct Each {
    total: Duration,
    wire_bytes: u64,
    decoded_bytes: u64,
    is_bulk: bool,
}

impl Limits {
    fn of(&self, is_bulk: bool) -> Each {
        let wire_bytes = u64::try_from(self.wire_bytes).unwrap_or(u64::MAX);
        let (total, wire_bytes, decoded_bytes) = if is_bulk {
            (self.bulk_total, self.bulk_wire_bytes, self.bulk_decoded_bytes)
        } else {
            (self.total, wire_bytes, self.decoded_bytes)
        };
        Each { total, wire_bytes, decoded_bytes, is_bulk }
    }
}

enum Answer {
    Fetched(Box<Fetched>),
    Redirect { to: Url, is_permanent: bool, spent: Duration },
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
