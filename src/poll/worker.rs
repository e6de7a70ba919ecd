//! The polling loop: due → turn at its host → fetched → read → committed → due again.
//!
//! One task decides; fetching waits inside it, reading runs on the blocking pool, commits wait for
//! the store, which writes many of them together. A result is committed with all that follows
//! from it before the source is due again, so a crash costs at most a poll that is made again.
//! Limits: so many connections and [`SLOW_MAX`] slow ones, so many a host, as many documents read
//! at once as twice the processors, and [`SETTLING_MAX`] results waiting for the store.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::Instant;
use url::Url;

use crate::extract::catalog::first_page;
use crate::model::campaign::Campaign;
use crate::model::name::Name;
use crate::model::source::{Source, SourceKind, SourceState};
use crate::model::time::Timestamp;
use crate::poll::egress::{Guard, Refusal};
use crate::poll::errand::{Errand, Next};
use crate::poll::fault::{Fault, FetchError};
use crate::poll::fetch::{Fetched, Fetcher, Limits, NoFetcher, Packed, Request, Step};
use crate::poll::host::{self, Hosts};
use crate::poll::local::Look;
use crate::poll::push::{self, Push};
use crate::poll::schedule::{Due, due_at_start};
use crate::poll::settle::{Poll, Settled, Settling, Shared};
use crate::poll::state;
use crate::runtime::clock::Clock;
use crate::runtime::meters::Meters;
use crate::runtime::shutdown::Stop;
use crate::runtime::wakes::Wakes;
use crate::store::{Store, StoreError};

pub use crate::poll::report::{Outcome, PollReport};

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
    pub meters: Meters,
    pub sources: Vec<Source>,
    pub campaigns: Arc<[Campaign]>,
    /// The channels whose people can be written to only while their window is open.
    pub windowed: Vec<Name>,
    /// Which addresses may be asked.
    pub guard: Guard,
    pub limits: Limits,
    /// A document with more items is not read; default [`crate::extract::ITEMS_MAX`].
    pub items_max: usize,
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
    /// Where large documents are kept while they are read.
    pub folder: Arc<Path>,
    /// Polls asked for by hand while the worker runs.
    pub asks: Option<mpsc::Receiver<Ask>>,
    /// To be told of news by hubs.
    pub push: Option<Push>,
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
    /// These hold a document.
    reading: FuturesUnordered<BoxFuture<'static, Read>>,
    settling: FuturesUnordered<Settling>,
    connections: usize,
    asked: Vec<Asked>,
    asks: Option<mpsc::Receiver<Ask>>,
    push: Option<Push>,
    told: Option<&'a mut (dyn FnMut(&PollReport) + Send)>,
}

struct Watched {
    source: Arc<Source>,
    /// What is asked: the settings' address, or where it moved.
    url: Result<Url, Refusal>,
    state: SourceState,
    /// Queued or under way; otherwise it stands in `due` at `state.due_at`.
    is_busy: bool,
    /// A hub told of news while it was busy.
    is_rung: bool,
}

/// One poll's next request.
struct Job {
    source: u32,
    is_dry: bool,
    /// Where it goes on after a redirect, or with what it has so far.
    onward: Option<Box<Request>>,
    errand: Option<Errand>,
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
    errand: Option<Errand>,
    step: Result<Step, FetchError>,
}

/// How a poll goes on after its document was read.
struct Read {
    source: u32,
    is_dry: bool,
    next: Next,
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
        )?
        .keeping_in(options.folder);
        let mut states: HashMap<Name, SourceState> =
            options.store.load_sources().await?.into_iter().collect();
        let watched = options
            .sources
            .into_iter()
            .map(|source| {
                let state = states.remove(&source.name).unwrap_or_default();
                let url = address(&fetcher, &source, &state);
                Watched { source: Arc::new(source), url, state, is_busy: false, is_rung: false }
            })
            .collect();
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            shared: Arc::new(Shared {
                store: options.store,
                clock: options.clock,
                wakes: options.wakes,
                meters: options.meters,
                campaigns: options.campaigns,
                windowed: options.windowed,
                fetcher,
                floor: options.floor,
                items_max: options.items_max,
                // One more for each that waits for the store or for a thread meanwhile.
                readers: Semaphore::new(2 * processors),
                alone: Arc::new(Semaphore::new(1)),
            }),
            watched,
            due: Due::default(),
            hosts: Hosts::new(options.per_host, options.host_pause),
            fetching: FuturesUnordered::new(),
            slow: FuturesUnordered::new(),
            settling: FuturesUnordered::new(),
            reading: FuturesUnordered::new(),
            connections: options.connections.max(1),
            asked: Vec::new(),
            asks: options.asks,
            push: options.push,
            told: None,
        })
    }

    fn schedule_all(&mut self) {
        let now = self.shared.clock.now();
        for (index, watched) in (0..).zip(&mut self.watched) {
            let rule = (&watched.source.name, &watched.source.schedule);
            let state = &mut watched.state;
            let floor = state::floor(&watched.source, self.shared.floor);
            state.due_at = due_at_start(rule, floor, state, now);
            self.due.push(state.due_at, index);
        }
    }

    async fn work(&mut self, stop: &Stop, until: Until) -> Result<(), PollError> {
        loop {
            while let Some(Some(settled)) = self.settling.next().now_or_never() {
                self.settled(settled)?;
            }
            while let Some(Some(read)) = self.reading.next().now_or_never() {
                self.read(read);
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
                Some(read) = self.reading.next(), if !self.reading.is_empty() => self.read(read),
                Some(asking) = self.fetching.next(), if !self.fetching.is_empty() => {
                    self.asking(asking);
                }
                Some(hop) = self.slow.next(), if !self.slow.is_empty() => self.fetched(hop),
                Some(ask) = next_ask(&mut self.asks) => self.take(ask),
                Some(source) = next_ring(&mut self.push) => self.rung(&source),
                () = tokio::time::sleep_until(wake_at) => {}
            }
        }
        self.fetching.clear();
        self.slow.clear();
        while !(self.reading.is_empty() && self.settling.is_empty()) {
            tokio::select! {
                Some(read) = self.reading.next(), if !self.reading.is_empty() => {
                    // What needs another request is begun anew after the next start.
                    if let Next::Settle(settling) = read.next {
                        self.settling.push(settling);
                    }
                }
                Some(settled) = self.settling.next(), if !self.settling.is_empty() => {
                    self.settled(settled)?;
                }
                () = stop.force.cancelled() => break,
            }
        }
        Ok(())
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
            self.hosts.enqueue(key, Job { source, is_dry, onward: None, errand: None });
        }
    }

    fn has_room(&self) -> bool {
        self.fetching.len() + self.reading.len() < self.connections
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
            let Job { source, is_dry, onward, errand } = job;
            let wanted = match (onward, &watched.url) {
                (Some(request), _) => Ok(Wanted::Answer(*request)),
                (None, Ok(url)) => Ok(watched.wanted(url, self.shared.clock.now())),
                (None, Err(refusal)) => Err(watched.refused(refusal.clone())),
            };
            let shared = Arc::clone(&self.shared);
            let mut hop: BoxFuture<'static, Hop> = Box::pin(async move {
                let step = match wanted {
                    Ok(Wanted::Answer(request)) => shared.fetcher.step(request).await,
                    Ok(Wanted::File(look)) => look.take(&shared.fetcher).await.map(Step::Done),
                    Err(error) => Err(error),
                };
                Hop { source, is_dry, host, errand, step }
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
        let Hop { source, is_dry, host, errand, step } = hop;
        self.hosts.finish(host, Instant::now());
        let Some(watched) = self.watched.get(source as usize) else { return };
        if matches!(errand, Some(Errand::Hub)) {
            tell_of_hub(&watched.source, &step);
            return;
        }
        let poll = Poll {
            shared: Arc::clone(&self.shared),
            source: Arc::clone(&watched.source),
            index: source,
            is_dry,
        };
        let last = &watched.state;
        match (step, errand) {
            (Ok(Step::Redirected(request)), errand) => {
                self.go_on(source, is_dry, Box::new(request), errand);
            }
            (Ok(Step::Done(mut fetched)), None) => match fetched.document.take() {
                Some(packed) => {
                    let next = poll.begin(last.clone(), fetched, packed);
                    self.reading
                        .push(Box::pin(async move { Read { source, is_dry, next: next.await } }));
                }
                None => self.settling.push(Box::pin(poll.unchanged(last, &fetched))),
            },
            (Err(error), None) => {
                self.settling.push(Box::pin(poll.failed(last, &error.into())));
            }
            (step, Some(errand)) => {
                let next = poll.go_on(last.clone(), errand, document(step));
                self.reading
                    .push(Box::pin(async move { Read { source, is_dry, next: next.await } }));
            }
        }
    }

    fn read(&mut self, read: Read) {
        let Read { source, is_dry, next } = read;
        match next {
            Next::Ask(request, errand) => self.go_on(source, is_dry, request, Some(errand)),
            Next::Settle(settling) => self.settling.push(settling),
        }
    }

    /// Goes on with what is begun, before anything else of the next host.
    fn go_on(&mut self, source: u32, is_dry: bool, request: Box<Request>, errand: Option<Errand>) {
        let key = host::key(request.url());
        self.hosts.enqueue_first(key, Job { source, is_dry, onward: Some(request), errand });
    }

    fn settled(&mut self, settled: Settled) -> Result<(), StoreError> {
        settled.stored?;
        let Some(watched) = self.watched.get_mut(settled.index as usize) else { return Ok(()) };
        watched.is_busy = false;
        if !settled.is_dry {
            settled.report.log(&watched.state, &settled.state);
            let report = &settled.report;
            self.shared.meters.count_poll(&report.source, report.word());
            self.shared.meters.count_untold(&report.source, report.untold.into());
            if settled.state.moved_to != watched.state.moved_to {
                watched.url = address(&self.shared.fetcher, &watched.source, &settled.state);
            }
            watched.state = settled.state;
            self.mind_hub(settled.index);
        }
        if let Some(watched) = self.watched.get_mut(settled.index as usize) {
            if std::mem::take(&mut watched.is_rung) {
                let pause = self.push.as_ref().map_or(push::PAUSE, |push| push.pause);
                watched.state.due_at = watched.after_ring(self.shared.clock.now(), pause);
            }
            self.due.push(watched.state.due_at, settled.index);
        }
        if let Some(told) = &mut self.told {
            told(&settled.report);
        }
        self.answer(settled.index, &settled.report);
        Ok(())
    }

    /// Asks the hub of the source to tell of news, if that is to be done now; and asks the source
    /// itself the more seldom while the hub does.
    fn mind_hub(&mut self, source: u32) {
        let Some(Push { pushes, callback, .. }) = &self.push else { return };
        let Some(watched) = self.watched.get_mut(source as usize) else { return };
        let (name, now) = (&watched.source.name, self.shared.clock.now());
        let Some(hub) = watched.state.hub.as_ref().filter(|_| watched.source.websub) else {
            return;
        };
        if let Some(asked) = pushes.subscribe(name, &hub.url, &hub.topic, now) {
            let guard = self.shared.fetcher.guard();
            match guard.read(&hub.url, None) {
                Ok(url) => {
                    let form = push::form(&asked, &hub.topic, &url, callback, guard);
                    let key = host::key(&url);
                    let onward = Some(Box::new(Request::new(url).posting(form)));
                    let errand = Some(Errand::Hub);
                    self.hosts.enqueue(key, Job { source, is_dry: false, onward, errand });
                }
                Err(error) => {
                    tracing::debug!(source.id = %name, %error, "the feed's hub is not asked");
                }
            }
        }
        if watched.state.failures == 0 && pushes.is_held(name, now) {
            watched.state.due_at = push::slowed(watched.state.due_at, now);
        }
    }

    /// A hub says that the source has news.
    fn rung(&mut self, source: &Name) {
        let now = self.shared.clock.now();
        let pause = self.push.as_ref().map_or(push::PAUSE, |push| push.pause);
        let found = (0..).zip(&mut self.watched).find(|(_, it)| it.source.name == *source);
        let Some((index, watched)) = found else { return };
        if watched.is_busy {
            watched.is_rung = true;
            return;
        }
        watched.state.due_at = watched.after_ring(now, pause);
        self.due.push(watched.state.due_at, index);
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

async fn next_ring(push: &mut Option<Push>) -> Option<Name> {
    match push {
        Some(push) => push.rings.recv().await,
        None => None,
    }
}

/// What came of asking a hub, for whoever wonders.
fn tell_of_hub(source: &Source, step: &Result<Step, FetchError>) {
    match step {
        Ok(Step::Redirected(_)) => {
            tracing::debug!(source.id = %source.name, "the feed's hub sends us elsewhere");
        }
        // Accepted (202) as a rule: it comes to our door now.
        Ok(Step::Done(_)) | Err(FetchError { fault: Fault::Status(200..=299), .. }) => {}
        Err(error) => {
            tracing::debug!(source.id = %source.name, %error, "the feed's hub could not be asked");
        }
    }
}

/// What a poll begins with.
enum Wanted {
    Answer(Request),
    File(Look),
}

/// Where the source is asked now.
fn address(fetcher: &Fetcher, source: &Source, state: &SourceState) -> Result<Url, Refusal> {
    if source.local.is_some() {
        return Url::parse(&source.url).map_err(|_| Refusal::Form("no path"));
    }
    let url = fetcher.guard().read(state::address(source, state), None)?;
    Ok(match source.kind {
        SourceKind::Catalog => first_page(source.format, &url),
        _ => url,
    })
}

/// The document that one more request gave.
fn document(step: Result<Step, FetchError>) -> Result<(Url, Packed), FetchError> {
    match step? {
        Step::Done(Fetched { url, document: Some(packed), .. }) => Ok((url, packed)),
        // Nothing was asked under a condition, and redirects have been followed.
        Step::Done(Fetched { url, .. }) => Err(FetchError::new(&url, Fault::Status(304))),
        Step::Redirected(request) => Err(FetchError::new(request.url(), Fault::Status(300))),
    }
}

impl Watched {
    fn wanted(&self, url: &Url, now: Timestamp) -> Wanted {
        let (source, state) = (&self.source, &self.state);
        let is_turned = state::has_turned(source, state, now);
        if source.local.is_some() {
            let look = Look::new(Arc::clone(source), url.clone(), state, is_turned);
            return Wanted::File(look);
        }
        let mut request = state::request(source, url.clone());
        if matches!(source.kind, SourceKind::Catalog | SourceKind::Sitemap) {
            request = request.in_bulk();
        }
        if !is_turned {
            request = request.unless(state.etag.clone(), state.last_modified.clone());
        }
        Wanted::Answer(request)
    }

    /// When it is polled after a hub told of news: at once, but for a pause between two such.
    fn after_ring(&self, now: Timestamp, pause: Duration) -> Timestamp {
        self.state.polled_at.map_or(now, |polled_at| now.max(polled_at + pause))
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
