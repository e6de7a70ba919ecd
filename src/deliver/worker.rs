//! One channel's sender: its state, and the loop that turns.
//!
//! `launch` starts what may start, `land` takes in what comes home, `commit` tells the store and
//! takes over what is to be sent next, as `lowered` says it.

mod launch;

mod land;

mod commit;

mod lowered;

mod pace;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::channel::{Channel, Meaning, Observed};
use crate::deliver::breaker::Breaker;
use crate::deliver::edits::Edits;
use crate::deliver::lane::Shut;
use crate::deliver::limiter::brake::REGAIN_MAX;
use crate::deliver::limiter::{Limiter, Limits};
use crate::deliver::media::{Boarding, Desk};
use crate::deliver::paid::{self, Paid};
use crate::deliver::prepare::Kitchen;
use crate::deliver::waiting::{Flight, Waiting};
use crate::deliver::worker::commit::Committed;
use crate::deliver::worker::lowered::Lowered;
use crate::media::download::Downloads;
use crate::model::cap::Caps;
use crate::model::channel::ChannelState;
use crate::model::lane::Ways;
use crate::model::media::MediaKey;
use crate::model::name::Name;
use crate::model::pacing::Halt;
use crate::model::post::{PostId, Receipt};
use crate::runtime::chance;
use crate::runtime::clock::Clock;
use crate::runtime::meters::Meters;
use crate::runtime::shutdown::Stop;
use crate::store::journal::Journal;
use crate::store::{Store, StoreError};

pub use crate::deliver::worker::land::CONTENT_REFUSALS_MAX;
pub use crate::model::lane::WINDOW_RESERVE;

pub(in crate::deliver) use crate::deliver::worker::lowered::{body_for, lowered_bodies};

/// A service's `retry_after` beyond this is cut.
pub const QUIET_MAX: Duration = Duration::from_secs(3600);

/// How long a channel whose credentials are refused rests before one request tries again.
pub const PAUSE: Duration = Duration::from_secs(600);

/// Most that land at one go, beside the first.
const LANDED_MAX: usize = 64;

/// Without any nudge the store is asked for work this often.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// What one channel's worker is given.
pub struct Options {
    pub name: Name,
    pub channel: Arc<Channel>,
    pub store: Arc<dyn Store>,
    pub journal: Arc<Journal>,
    pub clock: Clock,
    pub meters: Meters,
    /// Rung when there may be work for this channel.
    pub bell: Arc<Notify>,
    pub limits: Limits,
    /// Most requests under way at once; at least 1.
    pub in_flight: usize,
    /// How much one person gets in a day; `None`: however much there is.
    pub caps: Option<Arc<Caps>>,
    /// What may be paid for; `None`: nothing.
    pub paid: Option<paid::Options>,
    /// Everybody's downloads; `None`: what a service can't fetch becomes a link.
    pub downloads: Option<Downloads>,
    /// What the channel can do, as it is found out.
    pub ways: watch::Receiver<Ways>,
}

/// Sends until *begin*; then lets what is under way come home, and commits it.
///
/// Ends early only when the store or the journal fails, after saying so in the log.
pub async fn run(options: Options, stop: Stop) {
    let name = options.name.clone();
    let ended = match Worker::open(options).await {
        Ok(mut worker) => worker.work(&stop).await,
        Err(error) => Err(error),
    };
    if let Err(error) = ended {
        tracing::error!(channel.id = %name, %error, "delivery stopped: the store did not answer");
    }
}

pub(super) struct Worker {
    pub(super) options: Options,
    limiter: Limiter,
    paid: Option<Paid>,
    breaker: Breaker,
    posts: HashMap<PostId, Lowered>,
    pub(super) shut: Shut,
    /// Claimed, not begun.
    pub(super) waiting: Waiting,
    pub(super) edits: Edits,
    desk: Desk,
    /// Chats with a request under way.
    busy: HashSet<String>,
    flying: FuturesUnordered<BoxFuture<'static, (Flight, Option<Boarding>, Observed)>>,
    receipts: Vec<Receipt>,
    /// The first of them came then.
    receipts_since: Option<Instant>,
    committing: Option<BoxFuture<'static, Result<Committed, StoreError>>>,
    chores: FuturesUnordered<BoxFuture<'static, Result<(), StoreError>>>,
    /// The store had less work than was asked for.
    is_idle: bool,
    quiet_until: Option<Instant>,
    paused_until: Option<Instant>,
    /// The store says that the channel is paused.
    is_told_paused: bool,
    /// Nothing is sent until somebody says so.
    is_halted: bool,
    /// Somebody may have halted the channel, or let it go on.
    is_to_look: bool,
    looking: Option<BoxFuture<'static, Result<Option<Halt>, StoreError>>>,
    /// How often in a row the page had to rest without being told how long.
    page_rests: u32,
    is_told_slow: bool,
    pacing_kept_at: Instant,
    /// The service does not know the methods that others can go instead of.
    is_plain: bool,
    is_stopping: bool,
}

impl Worker {
    async fn open(options: Options) -> Result<Self, StoreError> {
        let state = options.store.load_channel(&options.name).await?;
        let halt = options.store.load_halt(&options.name).await?;
        let pacing = options.store.load_pacing(&options.name).await?;
        let now = Instant::now();
        let mut limiter = match &pacing {
            Some(pacing) => Limiter::resume(options.limits, pacing, &options.clock, now),
            None => Limiter::new(options.limits, now),
        };
        // From now on something may be sent that the store does not know of.
        let begun = limiter.kept(false, &options.clock, now);
        options.store.commit_pacing(&options.name, begun).await?;
        if let Some(halt) = &halt {
            tracing::error!(channel.id = %options.name, error = %halt.why, "the channel is halted");
        }
        let paid = options
            .paid
            .clone()
            .map(|paid| Paid::new(paid, options.name.clone(), Arc::clone(&options.store), now));
        let quiet = state.quiet_until.map(|at| options.clock.until(at).min(REGAIN_MAX));
        let desk = Desk::new(Kitchen {
            name: options.name.clone(),
            channel: Arc::clone(&options.channel),
            store: Arc::clone(&options.store),
            clock: options.clock.clone(),
            downloads: options.downloads.clone(),
        });
        Ok(Self {
            desk,
            limiter,
            paid,
            breaker: Breaker::default(),
            posts: HashMap::new(),
            shut: Shut::default(),
            waiting: Waiting::default(),
            edits: Edits::default(),
            busy: HashSet::new(),
            flying: FuturesUnordered::new(),
            receipts: Vec::new(),
            receipts_since: None,
            committing: None,
            chores: FuturesUnordered::new(),
            is_idle: false,
            quiet_until: quiet.filter(|wait| !wait.is_zero()).map(|wait| now + wait),
            paused_until: None,
            is_told_paused: state.paused.is_some(),
            is_halted: halt.is_some(),
            is_to_look: false,
            looking: None,
            page_rests: 0,
            is_told_slow: false,
            pacing_kept_at: now,
            is_plain: false,
            is_stopping: false,
            options,
        })
    }

    async fn work(&mut self, stop: &Stop) -> Result<(), StoreError> {
        let bell = Arc::clone(&self.options.bell);
        loop {
            let wake_at = self.launch()?;
            self.commit_if_useful();
            self.edit_if_useful(self.ahead());
            if self.is_stopping && self.is_home() && !self.give_stars_back() {
                return self.keep_pacing_whole().await;
            }
            self.keep_pacing_if_due();
            if self.is_idle && self.flying.is_empty() && self.waiting.count() == 0 {
                self.give_stars_back();
            }
            self.look_for_halt();
            let sweep_at = self.desk.sweep_at();
            let receipts_at = self.receipts_due_at().filter(|_| self.committing.is_none());
            let keep_at = receipts_at.into_iter().chain(self.pacing_due_at()).min();
            tokio::select! {
                biased;
                () = stop.force.cancelled() => return Ok(()),
                () = stop.begin.cancelled(), if !self.is_stopping => self.give_back(),
                Some((flight, boarding, observed)) = self.flying.next(),
                    if !self.flying.is_empty() =>
                {
                    self.land(flight, boarding.as_ref(), &observed)?;
                    self.land_others()?;
                }
                Some((medium, found)) = self.desk.work.next(), if !self.desk.work.is_empty() => {
                    self.desk.take_in(medium, found);
                    self.free_media(&[medium]);
                }
                done = answered(&mut self.committing), if self.committing.is_some() => {
                    self.committing = None;
                    self.take_in(done?)?;
                }
                round = answered(&mut self.edits.asking), if self.edits.asking.is_some() => {
                    self.take_edits(round?);
                }
                Some(done) = self.chores.next(), if !self.chores.is_empty() => done?,
                news = star_news(&mut self.paid), if is_asking(self.paid.as_ref()) => {
                    if let (Some(paid), news) = (&mut self.paid, news?) {
                        paid.hear(&news, Instant::now());
                    }
                }
                halt = answered(&mut self.looking), if self.looking.is_some() => {
                    self.take_halt(halt?)?;
                }
                () = bell.notified() => {
                    self.is_to_look = true;
                    self.rouse();
                }
                () = at(sweep_at) => self.desk.sweep(),
                () = at(keep_at) => {}
                () = tokio::time::sleep_until(wake_at) => {}
                () = tokio::time::sleep(LOOK_AGAIN), if self.is_idle || self.is_halted => {
                    self.is_to_look = self.is_halted;
                    self.rouse();
                }
            }
        }
    }

    /// Who is home as well lands with the first: one look at what goes next serves them all.
    fn land_others(&mut self) -> Result<(), StoreError> {
        for _ in 0..LANDED_MAX {
            // Nobody is woken by this look; the next one is as thorough.
            let Some(Some(home)) = self.flying.next().now_or_never() else { break };
            let (flight, boarding, observed) = home;
            self.land(flight, boarding.as_ref(), &observed)?;
        }
        Ok(())
    }

    /// Lets those go who waited for these media, and keeps what was learned of them.
    fn free_media(&mut self, media: &[MediaKey]) {
        for medium in media {
            self.waiting.release_medium(medium);
            // Their posts rest no longer.
            self.is_idle = false;
        }
        self.chores.extend(self.desk.commit());
    }

    /// There may be work.
    fn rouse(&mut self) {
        self.is_idle = false;
        self.edits.rouse();
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.is_stopping
    }

    pub(super) fn may_send(&self) -> bool {
        !self.is_stopping && !self.is_halted && self.paused_until.is_none()
    }

    /// Nothing but edits is left to be done.
    pub(super) fn is_at_rest(&self) -> bool {
        self.may_send() && self.is_idle && self.waiting.ready() == 0
    }

    pub(super) fn do_beside(&self, chore: BoxFuture<'static, Result<(), StoreError>>) {
        self.chores.push(chore);
    }

    /// The breaker learns whether the service makes sense.
    pub(super) fn feel(&mut self, meaning: &Meaning) {
        match meaning {
            Meaning::Unknown { why } | Meaning::NotSent { why } => {
                if !self.breaker.is_probing() {
                    let channel = &self.options.name;
                    tracing::warn!(channel.id = %channel, error = %why, "the service fails");
                }
                self.breaker.fail(Instant::now(), chance::share());
            }
            Meaning::Later { after: None } => self.breaker.fail(Instant::now(), chance::share()),
            _ => {
                if self.breaker.is_probing() {
                    tracing::info!(channel.id = %self.options.name, "the service answers again");
                }
                self.breaker.succeed();
            }
        }
    }

    pub(super) fn keep_quiet(&mut self, after: Duration) {
        self.rest(after.min(QUIET_MAX), "the service asked to wait");
    }

    /// Sends nothing for so long.
    fn rest(&mut self, after: Duration, why: &str) {
        let until = Instant::now() + after;
        if self.quiet_until.is_some_and(|known| known >= until) {
            return;
        }
        self.quiet_until = Some(until);
        tracing::warn!(
            channel.id = %self.options.name,
            wait_s = after.as_secs(),
            "{why}"
        );
        self.keep_state(ChannelState {
            quiet_until: Some(self.options.clock.now() + after),
            paused: None,
        });
    }

    pub(super) fn pause(&mut self, why: &str) -> Result<(), StoreError> {
        if self.paused_until.is_none() {
            tracing::error!(
                channel.id = %self.options.name,
                error = %why,
                "the channel is paused: its credentials are refused or the page is restricted"
            );
            self.is_told_paused = true;
            self.keep_state(ChannelState { quiet_until: None, paused: Some(why.to_owned()) });
        }
        self.paused_until = Some(Instant::now() + PAUSE);
        self.return_all()
    }

    fn keep_state(&mut self, state: ChannelState) {
        let store = Arc::clone(&self.options.store);
        let name = self.options.name.clone();
        self.chores.push(Box::pin(async move { store.commit_channel(&name, state).await }));
    }

    fn is_home(&self) -> bool {
        self.flying.is_empty()
            && self.receipts.is_empty()
            && self.committing.is_none()
            && self.chores.is_empty()
            && !is_asking(self.paid.as_ref())
            && self.edits.is_home()
    }
}

/// Resolves at `instant`; never without one.
async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

fn is_asking(paid: Option<&Paid>) -> bool {
    paid.is_some_and(Paid::is_asking)
}

/// The next answer to a question of the paid lane; never resolves without one.
async fn star_news(paid: &mut Option<Paid>) -> Result<paid::News, StoreError> {
    match paid {
        Some(paid) => paid.news().await,
        None => std::future::pending().await,
    }
}

/// The store's answer to what is asked; never resolves without a question.
async fn answered<T>(
    asked: &mut Option<BoxFuture<'static, Result<T, StoreError>>>,
) -> Result<T, StoreError> {
    match asked {
        Some(asked) => asked.await,
        None => std::future::pending().await,
    }
}
