//! The polling loop: due → turn at its host → fetched → read → committed → due again.
//!
//! One task decides; fetching waits inside it, reading runs on the blocking pool, commits wait for
//! the store, which writes many of them together. A result is committed with all that follows
//! from it before the source is due again, so a crash costs at most a poll that is made again.
//! Limits: so many connections and [`SLOW_MAX`] slow ones, so many a host, as many documents read
//! at once as there are processors, and [`SETTLING_MAX`] results waiting for the store.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{FuturesUnordered, StreamExt};
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::Instant;
use url::Url;

use crate::model::campaign::Campaign;
use crate::model::name::Name;
use crate::model::source::{Source, SourceState};
use crate::model::time::Timestamp;
use crate::poll::egress::{Guard, Refusal};
use crate::poll::fault::{Fault, FetchError, shown};
use crate::poll::fetch::{self, Fetched, Fetcher, NoFetcher, Packed, Request, Step};
use crate::poll::host::{self, Hosts};
use crate::poll::read::{Page, Reading, hash, read};
use crate::poll::schedule::{Due, due_at_start};
use crate::poll::state::{self, Failure};
use crate::runtime::clock::Clock;
use crate::runtime::shutdown::Stop;
use crate::runtime::wakes::Wakes;
use crate::store::{PollCommit, Store, StoreError};

/// How many sources are asked at the same time, unless set otherwise.
pub const CONNECTIONS: usize = 64;

/// How many requests a host gets at the same time, unless set otherwise.
pub const PER_HOST: usize = 1;

/// The pause between two requests to a host, unless set otherwise.
pub const HOST_PAUSE: Duration = Duration::from_secs(1);

/// Most results without a document that wait for the store at the same time.
pub const SETTLING_MAX: usize = 2_048;

/// A request that takes longer than this makes room for another one: sites that hang delay nobody.
pub const SLOW_AFTER: Duration = Duration::from_secs(2);

/// Most requests that have made room; when there are more, nothing new is begun.
pub const SLOW_MAX: usize = 256;

/// The longest sleep: how late a step of the machine's clock is noticed.
const SLEEP_MAX: Duration = Duration::from_secs(60);

/// All that polling needs.
pub struct Options {
    pub store: Arc<dyn Store>,
    pub clock: Clock,
    pub wakes: Wakes,
    pub sources: Vec<Source>,
    pub campaigns: Arc<[Campaign]>,
    /// Which addresses may be asked.
    pub guard: Guard,
    pub limits: fetch::Limits,
    /// What we call ourselves; visible ASCII.
    pub user_agent: String,
    /// How many sources are asked at the same time; at least 1, default [`CONNECTIONS`].
    pub connections: usize,
    /// How many requests a host gets at the same time; at least 1, default [`PER_HOST`].
    pub per_host: usize,
    /// Between the end of a request to a host and the start of the next; default [`HOST_PAUSE`].
    pub host_pause: Duration,
    /// The shortest interval; default [`crate::poll::schedule::FLOOR`].
    pub floor: Duration,
    /// Polls asked for by hand while the worker runs.
    pub asks: Option<mpsc::Receiver<Ask>>,
}

/// Somebody wants sources polled now, whatever their schedules say.
#[derive(Debug)]
pub struct Ask {
    /// Empty for all.
    pub sources: Vec<Name>,
    /// Write nothing and draft nothing. A source whose poll is under way reports that one.
    pub is_dry: bool,
    /// Gets one report for each source, in the order in which the polls ended.
    pub answer: oneshot::Sender<Vec<PollReport>>,
}

/// What one poll came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollReport {
    pub source: Name,
    pub outcome: Outcome,
    /// Entries of the document, as far as known.
    pub items: u32,
    pub new: u32,
    pub updated: u32,
    /// New items that wait for the admins' word; not counted as new.
    pub held: u32,
    /// One line for people: why it failed, or what is odd.
    pub remark: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// A document came and was read.
    Fetched,
    /// The site said, or the bytes show, that nothing changed.
    Unchanged,
    /// `remark` says why.
    Failed,
}

/// Why polling ended.
#[derive(Debug, thiserror::Error)]
pub enum PollError {
    #[error(transparent)]
    Setup(#[from] NoFetcher),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Polls until `stop.begin`; then drops what is being fetched and commits what was fetched.
///
/// Ends sooner, after logging why, when the store fails or the client cannot be set up.
pub async fn run(options: Options, stop: Stop) {
    let ended = async {
        let mut worker = Worker::start(options).await?;
        worker.schedule_all();
        tracing::info!(sources = worker.watched.len(), "polling started");
        worker.work(&stop, Until::Stopped).await
    };
    if let Err(error) = ended.await {
        tracing::error!(%error, "polling ended");
    }
}

/// Polls every source of the options once, now, and answers how it went; `told` hears of each poll
/// as it ends. With `is_dry` nothing is written.
///
/// # Errors
/// [`PollError`]; a source that fails is no error but a report.
pub async fn poll_once(
    options: Options,
    is_dry: bool,
    told: &mut (dyn FnMut(&PollReport) + Send),
) -> Result<Vec<PollReport>, PollError> {
    let mut worker = Worker::start(options).await?;
    let (answer, mut answered) = oneshot::channel();
    worker.take(Ask { sources: vec![], is_dry, answer });
    worker.told = Some(told);
    worker.work(&Stop::default(), Until::Answered).await?;
    Ok(answered.try_recv().unwrap_or_default())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    Stopped,
    Answered,
}

struct Worker<'a> {
    shared: Arc<Shared>,
    watched: Vec<Watched>,
    due: Due,
    hosts: Hosts<Job>,
    fetching: FuturesUnordered<BoxFuture<'static, Asking>>,
    slow: FuturesUnordered<BoxFuture<'static, Hop>>,
    settling: FuturesUnordered<BoxFuture<'static, Settled>>,
    /// How many of `settling` hold a document.
    documents: usize,
    connections: usize,
    asked: Vec<Asked>,
    asks: Option<mpsc::Receiver<Ask>>,
    told: Option<&'a mut (dyn FnMut(&PollReport) + Send)>,
}

/// What the polls under way share.
struct Shared {
    store: Arc<dyn Store>,
    clock: Clock,
    wakes: Wakes,
    campaigns: Arc<[Campaign]>,
    fetcher: Fetcher,
    floor: Duration,
    /// One place for each document that is read at the same time.
    readers: Arc<Semaphore>,
}

struct Watched {
    source: Arc<Source>,
    /// What is asked: the settings' address, or where it moved.
    url: Result<Url, Refusal>,
    state: SourceState,
    /// Queued or under way; otherwise it stands in `due` at `state.due_at`.
    is_busy: bool,
}

/// One poll's next request.
struct Job {
    source: u32,
    is_dry: bool,
    /// Where it goes on after a redirect.
    onward: Option<Box<Request>>,
}

/// How a request is after [`SLOW_AFTER`] at the latest.
enum Asking {
    Ended(Box<Hop>),
    Slow(BoxFuture<'static, Hop>),
}

struct Hop {
    source: u32,
    is_dry: bool,
    host: host::Key,
    step: Result<Step, FetchError>,
}

struct Settled {
    source: u32,
    is_dry: bool,
    had_document: bool,
    state: SourceState,
    report: PollReport,
    stored: Result<(), StoreError>,
}

struct Asked {
    waiting: Vec<u32>,
    reports: Vec<PollReport>,
    answer: oneshot::Sender<Vec<PollReport>>,
}

impl<'a> Worker<'a> {
    async fn start(options: Options) -> Result<Self, PollError> {
        let fetcher = Fetcher::new(
            options.guard,
            options.limits,
            &options.user_agent,
            options.clock.clone(),
        )?;
        let mut states: std::collections::HashMap<Name, SourceState> =
            options.store.load_sources().await?.into_iter().collect();
        let watched = options
            .sources
            .into_iter()
            .map(|source| {
                let state = states.remove(&source.name).unwrap_or_default();
                let url = fetcher.guard().read(state::address(&source, &state), None);
                Watched { source: Arc::new(source), url, state, is_busy: false }
            })
            .collect();
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            shared: Arc::new(Shared {
                store: options.store,
                clock: options.clock,
                wakes: options.wakes,
                campaigns: options.campaigns,
                fetcher,
                floor: options.floor,
                readers: Arc::new(Semaphore::new(processors)),
            }),
            watched,
            due: Due::default(),
            hosts: Hosts::new(options.per_host, options.host_pause),
            fetching: FuturesUnordered::new(),
            slow: FuturesUnordered::new(),
            settling: FuturesUnordered::new(),
            documents: 0,
            connections: options.connections.max(1),
            asked: Vec::new(),
            asks: options.asks,
            told: None,
        })
    }

    fn schedule_all(&mut self) {
        let now = self.shared.clock.now();
        for (index, watched) in (0..).zip(&mut self.watched) {
            let rule = (&watched.source.name, &watched.source.schedule);
            let state = &mut watched.state;
            state.due_at = due_at_start(rule, self.shared.floor, state, now);
            self.due.push(state.due_at, index);
        }
    }

    async fn work(&mut self, stop: &Stop, until: Until) -> Result<(), PollError> {
        loop {
            while let Some(Some(settled)) = self.settling.next().now_or_never() {
                self.settled(settled)?;
            }
            while let Some(Some(asking)) = self.fetching.next().now_or_never() {
                self.asking(asking);
            }
            self.queue_due();
            self.begin_fetches();
            if until == Until::Answered && self.asked.is_empty() {
                return Ok(());
            }
            let wake_at = self.wake_at();
            tokio::select! {
                biased;
                () = stop.begin.cancelled() => break,
                Some(settled) = self.settling.next(), if !self.settling.is_empty() => {
                    self.settled(settled)?;
                }
                Some(asking) = self.fetching.next(), if !self.fetching.is_empty() => {
                    self.asking(asking);
                }
                Some(hop) = self.slow.next(), if !self.slow.is_empty() => self.fetched(hop),
                Some(ask) = next_ask(&mut self.asks) => self.take(ask),
                () = tokio::time::sleep_until(wake_at) => {}
            }
        }
        self.fetching.clear();
        self.slow.clear();
        loop {
            tokio::select! {
                settled = self.settling.next() => match settled {
                    Some(settled) => self.settled(settled)?,
                    None => return Ok(()),
                },
                () = stop.force.cancelled() => return Ok(()),
            }
        }
    }

    fn queue_due(&mut self) {
        let now = self.shared.clock.now();
        while let Some((at, source)) = self.due.pop(now) {
            let is_current = self
                .watched
                .get(source as usize)
                .is_some_and(|watched| !watched.is_busy && watched.state.due_at == at);
            if is_current {
                self.queue(source, false);
            }
        }
    }

    fn queue(&mut self, source: u32, is_dry: bool) {
        if let Some(watched) = self.watched.get_mut(source as usize) {
            watched.is_busy = true;
            let key = watched.url.as_ref().map_or_else(|_| host::Key::from(""), host::key);
            self.hosts.enqueue(key, Job { source, is_dry, onward: None });
        }
    }

    fn has_room(&self) -> bool {
        self.fetching.len() + self.documents < self.connections
            && self.slow.len() < SLOW_MAX
            && self.settling.len() < SETTLING_MAX
    }

    fn begin_fetches(&mut self) {
        if !self.has_room() {
            return;
        }
        let now = Instant::now();
        while self.has_room() {
            let Some((host, job)) = self.hosts.next(now) else { return };
            let Some(watched) = self.watched.get(job.source as usize) else { continue };
            let Job { source, is_dry, onward } = job;
            let request = match (onward, &watched.url) {
                (Some(request), _) => Ok(*request),
                (None, Ok(url)) => Ok(watched.request(url)),
                (None, Err(refusal)) => Err(watched.refused(refusal.clone())),
            };
            let shared = Arc::clone(&self.shared);
            let mut hop: BoxFuture<'static, Hop> = Box::pin(async move {
                let step = match request {
                    Ok(request) => shared.fetcher.step(request).await,
                    Err(error) => Err(error),
                };
                Hop { source, is_dry, host, step }
            });
            self.fetching.push(Box::pin(async move {
                match tokio::time::timeout(SLOW_AFTER, &mut hop).await {
                    Ok(hop) => Asking::Ended(Box::new(hop)),
                    Err(_elapsed) => Asking::Slow(hop),
                }
            }));
        }
    }

    fn asking(&mut self, asking: Asking) {
        match asking {
            Asking::Ended(hop) => self.fetched(*hop),
            Asking::Slow(rest) => self.slow.push(rest),
        }
    }

    fn fetched(&mut self, hop: Hop) {
        let Hop { source, is_dry, host, step } = hop;
        self.hosts.finish(host, Instant::now());
        let Some(watched) = self.watched.get(source as usize) else { return };
        let poll = Poll {
            shared: Arc::clone(&self.shared),
            source: Arc::clone(&watched.source),
            index: source,
            is_dry,
        };
        match step {
            Ok(Step::Redirected(request)) => {
                let key = host::key(request.url());
                let onward = Some(Box::new(request));
                self.hosts.enqueue_first(key, Job { source, is_dry, onward });
            }
            Ok(Step::Done(mut fetched)) => match fetched.document.take() {
                Some(packed) => {
                    let last = watched.state.clone();
                    self.documents += 1;
                    self.settling.push(Box::pin(poll.document(last, fetched, packed)));
                }
                None => {
                    let now = poll.shared.clock.now();
                    let state = state::unchanged(
                        &poll.source,
                        &watched.state,
                        &fetched,
                        poll.shared.floor,
                        now,
                    );
                    self.settling.push(Box::pin(poll.settle(state, Outcome::Unchanged, None)));
                }
            },
            Err(error) => {
                let state = poll.failed(&watched.state, &error.into());
                self.settling.push(Box::pin(poll.settle(state, Outcome::Failed, None)));
            }
        }
    }

    fn settled(&mut self, settled: Settled) -> Result<(), StoreError> {
        self.documents -= usize::from(settled.had_document);
        settled.stored?;
        let Some(watched) = self.watched.get_mut(settled.source as usize) else { return Ok(()) };
        watched.is_busy = false;
        if !settled.is_dry {
            settled.report.log(&watched.state, &settled.state);
            if settled.state.moved_to != watched.state.moved_to {
                let address = state::address(&watched.source, &settled.state);
                watched.url = self.shared.fetcher.guard().read(address, None);
            }
            watched.state = settled.state;
        }
        self.due.push(watched.state.due_at, settled.source);
        if let Some(told) = &mut self.told {
            told(&settled.report);
        }
        self.answer(settled.source, &settled.report);
        Ok(())
    }

    fn take(&mut self, ask: Ask) {
        let mut asked = Asked { waiting: vec![], reports: vec![], answer: ask.answer };
        let all = ask.sources.is_empty();
        for index in (0..).take(self.watched.len()) {
            let watched = &self.watched[index as usize];
            if all || ask.sources.contains(&watched.source.name) {
                asked.waiting.push(index);
                if !watched.is_busy {
                    self.queue(index, ask.is_dry);
                }
            }
        }
        for name in ask.sources {
            if !self.watched.iter().any(|watched| watched.source.name == name) {
                asked.reports.push(PollReport {
                    remark: Some("no such source".to_owned()),
                    ..PollReport::new(name, Outcome::Failed)
                });
            }
        }
        if asked.waiting.is_empty() {
            // Whoever asked may have gone away; then nobody misses the answer.
            asked.answer.send(asked.reports).ok();
        } else {
            self.asked.push(asked);
        }
    }

    fn answer(&mut self, source: u32, report: &PollReport) {
        for asked in &mut self.asked {
            if let Ok(at) = asked.waiting.binary_search(&source) {
                asked.waiting.remove(at);
                asked.reports.push(report.clone());
            }
        }
        for asked in self.asked.extract_if(.., |asked| asked.waiting.is_empty()) {
            // Whoever asked may have gone away; then nobody misses the answer.
            asked.answer.send(asked.reports).ok();
        }
    }

    /// When something may have to be begun that no answer announces.
    fn wake_at(&self) -> Instant {
        let now = Instant::now();
        let due = self.due.next_at().map_or(SLEEP_MAX, |at| self.shared.clock.until(at));
        let due = now + due.min(SLEEP_MAX);
        match self.hosts.next_pause_end() {
            Some(pause_end) if self.has_room() => due.min(pause_end),
            _ => due,
        }
    }
}

async fn next_ask(asks: &mut Option<mpsc::Receiver<Ask>>) -> Option<Ask> {
    match asks {
        Some(asks) => asks.recv().await,
        None => None,
    }
}

impl Watched {
    fn request(&self, url: &Url) -> Request {
        let state = &self.state;
        Request::new(url.clone()).unless(state.etag.clone(), state.last_modified.clone())
    }

    fn refused(&self, refusal: Refusal) -> FetchError {
        let fault = Fault::Refused(refusal);
        match Url::parse(state::address(&self.source, &self.state)) {
            Ok(url) => FetchError::new(&url, fault),
            // What cannot be read may hold anything, so it is not shown.
            Err(_) => FetchError { address: "its address".to_owned(), fault },
        }
    }
}

/// One poll after its fetch.
struct Poll {
    shared: Arc<Shared>,
    source: Arc<Source>,
    index: u32,
    is_dry: bool,
}

impl Poll {
    async fn document(self, last: SourceState, fetched: Fetched, packed: Packed) -> Settled {
        let mut settled = match self.reading(&last, &fetched, packed).await {
            Ok(Some(reading)) => {
                let now = self.shared.clock.now();
                let floor = self.shared.floor;
                let state = state::read(&self.source, &last, &fetched, &reading, floor, now);
                self.settle(state, Outcome::Fetched, Some(reading)).await
            }
            Ok(None) => {
                let now = self.shared.clock.now();
                let state = state::unchanged(&self.source, &last, &fetched, self.shared.floor, now);
                self.settle(state, Outcome::Unchanged, None).await
            }
            Err(Stumble::Failure(failure)) => {
                let state = self.failed(&last, &failure);
                self.settle(state, Outcome::Failed, None).await
            }
            Err(Stumble::Store(error)) => self.unsettled(last, error),
        };
        settled.had_document = true;
        settled
    }

    /// `None` when the document has the bytes of the last one.
    async fn reading(
        &self,
        last: &SourceState,
        fetched: &Fetched,
        packed: Packed,
    ) -> Result<Option<Reading>, Stumble> {
        let broken = || Failure::Reader { address: shown(&fetched.url) };
        let fault = |fault| Failure::Fetch(FetchError::new(&fetched.url, fault));
        let unpack = move || {
            packed.unpack().map(|unpacked| {
                let hash = hash(&unpacked.bytes);
                (unpacked, hash)
            })
        };
        let (unpacked, hash) =
            self.shared.off_thread(unpack).await.ok_or_else(broken)?.map_err(fault)?;
        if hash == last.document_hash {
            return Ok(None);
        }
        // Nothing is known before the first good poll.
        let known = match last.succeeded_at {
            Some(_) => self.shared.store.load_known(&self.source.name).await?,
            None => None,
        };
        let (source, url) = (Arc::clone(&self.source), fetched.url.clone());
        let campaigns = Arc::clone(&self.shared.campaigns);
        let now = self.shared.clock.now();
        let work = move || {
            let page = Page {
                bytes: &unpacked.bytes,
                content_type: unpacked.content_type.as_deref(),
                url: &url,
                hash,
            };
            read(&page, &source, known.as_ref(), &campaigns, now)
        };
        let read = self.shared.off_thread(work).await.ok_or_else(broken)?;
        read.map(Some).map_err(|why| {
            Failure::Document { address: shown(&fetched.url), why: why.to_string() }.into()
        })
    }

    fn failed(&self, last: &SourceState, failure: &Failure) -> SourceState {
        let now: Timestamp = self.shared.clock.now();
        state::failed(&self.source, last, failure, self.shared.floor, now)
    }

    /// Commits the poll with all that follows from it.
    async fn settle(
        self,
        state: SourceState,
        outcome: Outcome,
        reading: Option<Reading>,
    ) -> Settled {
        let mut report = PollReport::new(self.source.name.clone(), outcome);
        report.items = state.items;
        report.remark = state.failure.clone().or_else(|| state.remark.clone());
        let mut commit = PollCommit {
            source: self.source.name.clone(),
            state: state.clone(),
            known: None,
            items: vec![],
            drafts: vec![],
        };
        if let Some(reading) = reading {
            (report.new, report.updated, report.held) =
                (reading.new, reading.updated, reading.held);
            commit.known = reading.known;
            commit.items = reading.kept;
            commit.drafts = reading.drafts;
        }
        let has_drafts = !commit.drafts.is_empty();
        let stored = match self.is_dry {
            true => Ok(()),
            false => self.shared.store.commit_poll(commit).await,
        };
        if has_drafts && !self.is_dry && stored.is_ok() {
            self.shared.wakes.drafts.notify_one();
        }
        Settled {
            source: self.index,
            is_dry: self.is_dry,
            had_document: false,
            state,
            report,
            stored,
        }
    }

    fn unsettled(self, last: SourceState, error: StoreError) -> Settled {
        Settled {
            source: self.index,
            is_dry: self.is_dry,
            had_document: false,
            state: last,
            report: PollReport::new(self.source.name.clone(), Outcome::Failed),
            stored: Err(error),
        }
    }
}

/// Why there is no reading.
enum Stumble {
    Failure(Failure),
    Store(StoreError),
}

impl From<Failure> for Stumble {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<StoreError> for Stumble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Shared {
    /// Runs work that takes the processor; `None` when it panicked. The place is held until the
    /// work has ended, also when nobody waits for it any more.
    async fn off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let place = Arc::clone(&self.readers).acquire_owned().await.ok()?;
        let work = move || {
            let done = work();
            drop(place);
            done
        };
        tokio::task::spawn_blocking(work).await.ok()
    }
}

impl PollReport {
    fn new(source: Name, outcome: Outcome) -> Self {
        Self { source, outcome, items: 0, new: 0, updated: 0, held: 0, remark: None }
    }

    /// One line for a failure, a recovery, a flood and a move each; none for the usual.
    fn log(&self, last: &SourceState, next: &SourceState) {
        let source = self.source.as_str();
        if let Some(error) = &next.failure {
            tracing::warn!(
                source.id = source,
                %error,
                failures = next.failures,
                next = %next.due_at,
                "a source could not be polled"
            );
        } else if last.failures > 0 {
            tracing::info!(source.id = source, failures = last.failures, "a source recovered");
        }
        if self.held > 0 {
            tracing::warn!(
                source.id = source,
                items = self.held,
                "new items were held for the admins' word"
            );
        }
        if let (Some(to), true) = (&next.moved_to, next.moved_to != last.moved_to) {
            let to = to.split(['?', '#']).next().unwrap_or_default();
            tracing::info!(source.id = source, to, "a source has moved for good");
        }
    }
}
