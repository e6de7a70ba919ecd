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
use std::fmt;
use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};
use url::{Host, Url};

use crate::model::secret::ExposeSecret;
use crate::model::source::Header;
use crate::model::time::Timestamp;
use crate::poll::body::{self, Coding};
use crate::poll::egress::{Guard, Reach, Refusal};
use crate::poll::fault::{Fault, FetchError, one_line};
use crate::poll::headers::{fresh_for, is_validator, retry_after};
use crate::poll::spool::Spool;
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

/// How many documents of a source in bulk are taken in to files at the same time.
pub const SPOOLS_MAX: usize = 8;

/// A document in bulk goes to its file in blocks of so many bytes.
const BLOCK_BYTES: usize = 256 * 1024;

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

/// One request of a fetch: where to ask, and what we already have.
#[derive(Clone, Debug)]
pub struct Request {
    url: Url,
    /// As received; sent as `If-None-Match`.
    etag: Option<String>,
    /// As received; sent as `If-Modified-Since`.
    last_modified: Option<String>,
    /// For the origin of the first address only.
    headers: Arc<[Header]>,
    /// The answer may be large, and is kept in a file then.
    is_bulk: bool,
    /// Sent as the body of a `POST`.
    form: Option<String>,
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
            headers: Arc::from([]),
            is_bulk: false,
            form: None,
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

    /// These go along as long as the origin stays the same.
    pub fn with_headers(mut self, headers: Arc<[Header]>) -> Self {
        self.headers = headers;
        self
    }

    /// The answer may be as large as catalogs are.
    pub fn in_bulk(mut self) -> Self {
        self.is_bulk = true;
        self
    }

    /// A form to be posted. It is not posted again where a redirect leads.
    pub fn posting(mut self, form: String) -> Self {
        self.form = Some(form);
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
    /// More documents wait behind this one: files of a folder, of which each is read for itself.
    pub has_more: bool,
}

/// A document as it came over the wire.
pub struct Packed {
    wire: Spool,
    coding: Coding,
    /// It may unpack to so many bytes.
    decoded_bytes: u64,
    /// As the header has it, if it is text.
    pub content_type: Option<String>,
    _place: Option<OwnedSemaphorePermit>,
}

impl Packed {
    /// Bytes on the wire.
    pub fn wire_bytes(&self) -> u64 {
        self.wire.bytes()
    }

    /// A file of this machine.
    pub(crate) fn local(wire: Spool, decoded_bytes: u64) -> Self {
        let (coding, content_type) = (Coding::Plain, None);
        Self { wire, coding, decoded_bytes, content_type, _place: None }
    }

    /// Its parts, for whoever reads it from where it is: the bytes, their coding, and to how many
    /// they may unpack.
    pub(crate) fn into_parts(self) -> (Spool, Coding, u64, Option<OwnedSemaphorePermit>) {
        (self.wire, self.coding, self.decoded_bytes, self._place)
    }

    /// Unpacks it. Takes processor time: call it off the async threads, and keep `self`'s place
    /// among the large documents in mind: it is free when the [`Unpacked`] is dropped.
    ///
    /// # Errors
    /// See [`body::decode`].
    pub fn unpack(self) -> Result<Unpacked, Fault> {
        let bytes_max = self.decoded_bytes;
        self.unpack_within(bytes_max)
    }

    /// As [`Packed::unpack`], with a smaller limit.
    ///
    /// # Errors
    /// See [`body::decode`].
    pub fn unpack_within(self, bytes_max: u64) -> Result<Unpacked, Fault> {
        let bytes_max = self.decoded_bytes.min(bytes_max);
        let mut wire = self.wire;
        let bytes = if wire.is_in_memory() {
            wire.into_memory().unwrap_or_default()
        } else {
            let span = wire.end_document(0);
            if span.bytes > bytes_max {
                return Err(Fault::TooLarge(bytes_max));
            }
            wire.head(span, bytes_max).map_err(|error| Fault::disk(&error))?
        };
        let bytes = body::decode(bytes, self.coding, bytes_max)?;
        Ok(Unpacked { bytes, content_type: self.content_type, _place: self._place })
    }
}

impl fmt::Debug for Packed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Packed({} bytes)", self.wire.bytes())
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
            let Some(chunk) = chunk.map_err(|error| classify(&error, &self.limits))? else { break };
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

/// A body as it comes in: in memory, or (in bulk) in blocks to a file.
enum Wire {
    Memory(Vec<u8>),
    /// The spool is away while a block is written.
    Bulk {
        spool: Spool,
        block: Vec<u8>,
    },
}

impl Wire {
    fn new(is_bulk: bool, announced: u64, folder: &Arc<Path>) -> Self {
        if is_bulk {
            return Self::Bulk { spool: Spool::new(Arc::clone(folder)), block: Vec::new() };
        }
        let announced = usize::try_from(announced).unwrap_or(usize::MAX);
        Self::Memory(Vec::with_capacity(announced.min(LARGE_BYTES)))
    }

    fn bytes(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Bulk { spool, block } => spool.bytes() + block.len() as u64,
        }
    }

    async fn take(&mut self, chunk: &[u8]) -> Result<(), Fault> {
        match self {
            Self::Memory(bytes) => bytes.extend_from_slice(chunk),
            Self::Bulk { spool, block } => {
                block.extend_from_slice(chunk);
                if block.len() >= BLOCK_BYTES {
                    Self::write(spool, block).await?;
                }
            }
        }
        Ok(())
    }

    /// Writes the block, off the async threads if it goes to a file.
    async fn write(spool: &mut Spool, block: &mut Vec<u8>) -> Result<(), Fault> {
        let disk = |error: std::io::Error| Fault::disk(&error);
        if spool.goes_to_file(block.len()) {
            let mut away = std::mem::replace(spool, Spool::new(Arc::from(Path::new(""))));
            let bytes = std::mem::take(block);
            let written =
                tokio::task::spawn_blocking(move || away.write_all(&bytes).map(|()| (away, bytes)));
            let broken = |_| Fault::Disk("the writer broke".to_owned());
            (*spool, *block) = written.await.map_err(broken)?.map_err(disk)?;
        } else {
            spool.write_all(block).map_err(disk)?;
        }
        block.clear();
        Ok(())
    }

    async fn end(self) -> Result<Spool, Fault> {
        match self {
            Self::Memory(bytes) => Ok(Spool::of(bytes)),
            Self::Bulk { mut spool, mut block } => {
                Self::write(&mut spool, &mut block).await?;
                Ok(spool)
            }
        }
    }
}

enum Answer {
    Fetched(Box<Fetched>),
    Redirect { to: Url, is_permanent: bool, spent: Duration },
}

impl Request {
    fn to_http(&self) -> reqwest::Request {
        let method = if self.form.is_some() { Method::POST } else { Method::GET };
        let mut http = reqwest::Request::new(method, self.url.clone());
        if let Some(form) = &self.form {
            *http.body_mut() = Some(form.clone().into());
            let form = HeaderValue::from_static("application/x-www-form-urlencoded");
            http.headers_mut().insert(header::CONTENT_TYPE, form);
        }
        let headers = http.headers_mut();
        let mut add = |name: HeaderName, value: &Option<String>| {
            if let Some(value) = value.as_deref().and_then(|text| HeaderValue::from_str(text).ok())
            {
                headers.insert(name, value);
            }
        };
        add(header::IF_NONE_MATCH, &self.etag);
        add(header::IF_MODIFIED_SINCE, &self.last_modified);
        for header in self.headers.iter() {
            let name = HeaderName::from_bytes(header.name.as_bytes());
            let value = HeaderValue::from_str(header.value.expose_secret());
            // The settings were checked for both.
            if let (Ok(name), Ok(mut value)) = (name, value) {
                value.set_sensitive(true);
                headers.insert(name, value);
            }
        }
        http
    }

    /// The same question at the next address. The validators go along: they were given by the end
    /// of this road, and are no credentials. The source's own headers end with its origin, and do
    /// not come back. Nothing else is ever sent.
    fn onward(mut self, to: Url, is_permanent: bool, spent: Duration) -> Self {
        if to.origin() != self.url.origin() {
            self.headers = Arc::from([]);
        }
        self.form = None;
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
    fn sec_f12_headers_end_with_their_origin_and_do_not_come_back() {
        let url = |text: &str| Url::parse(text).unwrap();
        let header = Header { name: "x-key".to_owned(), value: "canary".into() };
        let asked = Request::new(url("http://a.example/")).with_headers(Arc::from([header]));
        assert!(!format!("{asked:?}").contains("canary"));
        let steps = |to: &[&str]| {
            let request = to
                .iter()
                .fold(asked.clone(), |request, to| request.onward(url(to), false, Duration::ZERO));
            request.to_http().headers().contains_key("x-key")
        };
        assert!(steps(&[]) && steps(&["http://a.example/b", "http://a.example:80/c"]));
        for to in ["https://a.example/", "http://a.example:8080/", "http://b.example/"] {
            assert!(!steps(&[to]), "{to}");
            assert!(!steps(&[to, "http://a.example/"]), "{to}");
        }
    }

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
