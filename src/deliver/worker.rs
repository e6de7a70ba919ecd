//! One channel's sender.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::channel::telegram::errors::METHOD_UNKNOWN;
use crate::channel::{Call, Channel, Meaning, Observed};
use crate::deliver::breaker::Breaker;
use crate::deliver::edits::Edits;
use crate::deliver::judge::{Act, judge};
use crate::deliver::limiter::{Limiter, Limits};
use crate::deliver::media::{Boarding, Check, Desk};
use crate::deliver::personal::Personal;
use crate::deliver::prepare::Kitchen;
use crate::deliver::waiting::{Flight, Waiting};
use crate::media::download::Downloads;
use crate::model::campaign::OnUncertain;
use crate::model::channel::{ChannelKind, ChannelState};
use crate::model::correction::Kept;
use crate::model::media::MediaKey;
use crate::model::name::Name;
use crate::model::post::{Claim, Outcome, Post, PostId, Reason, Receipt, Settled, Ticket, Work};
use crate::model::time::Timestamp;
use crate::runtime::clock::Clock;
use crate::runtime::meters::Meters;
use crate::runtime::shutdown::Stop;
use crate::store::journal::Journal;
use crate::store::{Advance, Store, StoreError};

/// Before Messenger's window closes nothing new is begun.
pub const WINDOW_RESERVE: Duration = Duration::from_secs(5 * 60);

/// A service's `retry_after` beyond this is cut.
pub const QUIET_MAX: Duration = Duration::from_secs(3600);

/// How long a channel whose credentials are refused rests before one request tries again.
pub const PAUSE: Duration = Duration::from_secs(600);

/// So many recipients in a row with the same refusal of the content stop a post.
pub const CONTENT_REFUSALS_MAX: u32 = 3;

/// Without any nudge the store is asked for work this often.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Posts kept lowered, beyond those that are being sent.
const POSTS_KEPT: usize = 32;

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
    /// Everybody's downloads; `None`: what a service can't fetch becomes a link.
    pub downloads: Option<Downloads>,
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

/// A post as this channel sends it.
struct Lowered {
    policy: OnUncertain,
    bodies: Vec<(Option<String>, Arc<[Call]>)>,
    personal: Option<Personal>,
    content_refusals: u32,
    /// The service refused a call that others can go instead of.
    goes_round: bool,
    revision: u32,
    /// The messages are kept, to be corrected.
    keeps: bool,
}

/// What one commit brings back.
struct Committed {
    tickets: Vec<Ticket>,
    asked: usize,
    claims: Vec<Claim>,
    posts: Vec<Post>,
}

pub(super) struct Worker {
    pub(super) options: Options,
    limiter: Limiter,
    breaker: Breaker,
    posts: HashMap<PostId, Lowered>,
    /// Claimed, not begun.
    pub(super) waiting: Waiting,
    pub(super) edits: Edits,
    desk: Desk,
    /// Chats with a request under way.
    busy: HashSet<String>,
    flying: FuturesUnordered<BoxFuture<'static, (Flight, Option<Boarding>, Observed)>>,
    receipts: Vec<Receipt>,
    committing: Option<BoxFuture<'static, Result<Committed, StoreError>>>,
    chores: FuturesUnordered<BoxFuture<'static, Result<(), StoreError>>>,
    /// The store had less work than was asked for.
    is_idle: bool,
    quiet_until: Option<Instant>,
    paused_until: Option<Instant>,
    /// The service does not know the methods that others can go instead of.
    is_plain: bool,
    is_stopping: bool,
}

impl Worker {
    async fn open(options: Options) -> Result<Self, StoreError> {
        let state = options.store.load_channel(&options.name).await?;
        let now = Instant::now();
        let quiet = state.quiet_until.map(|at| options.clock.until(at).min(QUIET_MAX));
        let desk = Desk::new(Kitchen {
            name: options.name.clone(),
            channel: Arc::clone(&options.channel),
            store: Arc::clone(&options.store),
            clock: options.clock.clone(),
            downloads: options.downloads.clone(),
        });
        Ok(Self {
            desk,
            limiter: Limiter::new(options.limits, now),
            breaker: Breaker::default(),
            posts: HashMap::new(),
            waiting: Waiting::default(),
            edits: Edits::default(),
            busy: HashSet::new(),
            flying: FuturesUnordered::new(),
            receipts: Vec::new(),
            committing: None,
            chores: FuturesUnordered::new(),
            is_idle: false,
            quiet_until: quiet.filter(|wait| !wait.is_zero()).map(|wait| now + wait),
            paused_until: None,
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
            if self.is_stopping && self.is_home() {
                return Ok(());
            }
            tokio::select! {
                biased;
                () = stop.force.cancelled() => return Ok(()),
                () = stop.begin.cancelled(), if !self.is_stopping => self.give_back(),
                Some((flight, boarding, observed)) = self.flying.next(),
                    if !self.flying.is_empty() =>
                {
                    self.land(flight, boarding.as_ref(), &observed)?;
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
                () = bell.notified() => self.rouse(),
                () = tokio::time::sleep_until(wake_at) => {}
                () = tokio::time::sleep(LOOK_AGAIN), if self.is_idle => self.rouse(),
            }
        }
    }

    /// Starts whatever may start now; answers when to look again.
    fn launch(&mut self) -> Result<Instant, StoreError> {
        let mut now = Instant::now();
        let far = now + Duration::from_secs(3600);
        if self.is_stopping {
            return Ok(far);
        }
        if let Some(until) = self.paused_until {
            if now < until {
                return Ok(until);
            }
            self.paused_until = None;
            self.is_idle = false;
        }
        let held_until = self.quiet_until.max(self.breaker.open_until());
        if let Some(until) = held_until.filter(|until| now < *until) {
            return Ok(until);
        }
        self.quiet_until = None;
        self.waiting.wake(now);
        let most = if self.breaker.is_probing() { 1 } else { self.options.in_flight.max(1) };
        while self.flying.len() < most {
            let free_at = self.limiter.channel_free_at();
            let Some(mut flight) = self.waiting.next() else { break };
            let Some(call) = flight.calls.get(flight.part) else {
                self.settle(&flight, Outcome::Sent, None)?;
                continue;
            };
            if call.covers > 0 && self.is_refused_before(&flight) {
                flight.part += 1;
                self.waiting.put_first(flight);
                continue;
            }
            if self.busy.contains(&flight.address) {
                self.waiting.put_behind(flight);
                continue;
            }
            match self.desk.check(&flight) {
                Check::Go => {}
                Check::Skip => {
                    flight.part += 1;
                    self.waiting.put_first(flight);
                    continue;
                }
                Check::Wait(medium) => {
                    self.waiting.put_behind_medium(medium, flight);
                    continue;
                }
            }
            if !call.is_acknowledgement {
                let chat_free_at = self.limiter.chat_free_at(&flight.address, now);
                if chat_free_at > now {
                    self.waiting.rest(flight, chat_free_at);
                    continue;
                }
                if free_at > now {
                    self.waiting.put_first(flight);
                    let rest_ends_at = self.waiting.rest_ends_at();
                    return Ok(rest_ends_at.map_or(free_at, |rest| rest.min(free_at)));
                }
                now = Instant::now();
                flight.begun = now;
                self.limiter.start(&flight.address, now);
            }
            self.fly(flight)?;
        }
        Ok(self.waiting.rest_ends_at().unwrap_or(far))
    }

    fn fly(&mut self, flight: Flight) -> Result<(), StoreError> {
        if flight.edit.is_none() {
            let part = u8::try_from(flight.part).unwrap_or(u8::MAX);
            self.options.journal.start(flight.ticket, part)?;
        }
        self.busy.insert(flight.address.clone());
        let channel = Arc::clone(&self.options.channel);
        let boarding = self.desk.board(&flight);
        self.flying.push(Box::pin(async move {
            let dressed = boarding.as_ref().map(|boarding| &boarding.dressed);
            let plain = flight.calls.get(flight.part);
            let call = dressed.and_then(|dressed| dressed.call.as_ref()).or(plain);
            let uploads = dressed.map_or(&[][..], |dressed| &dressed.uploads);
            let observed = match call {
                Some(call) => channel.send_with(call, uploads, &flight.address).await,
                None => Observed::NotSent { why: "nothing to send".to_owned() },
            };
            (flight, boarding, observed)
        }));
        Ok(())
    }

    /// One call came home.
    fn land(
        &mut self,
        mut flight: Flight,
        boarding: Option<&Boarding>,
        observed: &Observed,
    ) -> Result<(), StoreError> {
        self.busy.remove(&flight.address);
        self.waiting.release(&flight.address);
        if flight.calls.get(flight.part).is_some_and(|call| call.is_acknowledgement) {
            // A tap that was not acknowledged only leaves a spinner in the person's chat.
            flight.part += 1;
            self.waiting.put_first(flight);
            return Ok(());
        }
        self.limiter.land(flight.begun, Instant::now());
        if let Some(editing) = flight.edit.take() {
            return self.land_edit(flight, editing, observed);
        }
        let meaning = self.options.channel.meaning(observed);
        self.feel(&meaning);
        if let Some(boarding) = boarding {
            let landing = self.desk.land(boarding, observed, &meaning);
            self.free_media(&landing.freed);
            if landing.goes_again && !self.is_stopping {
                self.waiting.put_first(flight);
                return Ok(());
            }
            if landing.goes_again {
                return self.return_it(&flight);
            }
        }
        let covers = flight.calls.get(flight.part).map_or(0, |call| usize::from(call.covers));
        if covers > 0 && self.is_to_go_round(&meaning, flight.post) {
            flight.part += 1;
            self.waiting.put_first(flight);
            return Ok(());
        }
        match judge(&meaning, flight.policy) {
            Act::GoOn => {
                if let Some(lowered) = flight.post.and_then(|post| self.posts.get_mut(&post)) {
                    lowered.content_refusals = 0;
                }
                flight.part += 1 + covers;
                self.keep_messages(&mut flight, observed)?;
                if flight.part < flight.calls.len() {
                    self.waiting.put_first(flight);
                    return Ok(());
                }
                self.settle(&flight, Outcome::Sent, None)
            }
            Act::Again { .. } if self.is_stopping => self.return_it(&flight),
            Act::Again { after } => {
                if let Some(after) = after {
                    self.keep_quiet(after);
                }
                self.waiting.put_first(flight);
                Ok(())
            }
            Act::Move { .. } if flight.has_moved => {
                let why = "the chat moved again and again".to_owned();
                self.settle(&flight, Outcome::Failed(Reason::NotFound), Some(why))
            }
            Act::Move { to } => {
                flight.address = to;
                flight.has_moved = true;
                self.waiting.put_first(flight);
                Ok(())
            }
            Act::Settle { outcome, standing, window_closed, error } => {
                // An answer can't be held: it belongs to the moment that has passed.
                let outcome = match (outcome, flight.post) {
                    (Outcome::Held, None) => Outcome::Failed(Reason::Unreachable),
                    (outcome, _) => outcome,
                };
                if outcome == Outcome::Failed(Reason::ContentRefused) {
                    self.mind_content(flight.post, error.as_deref());
                }
                let receipt = Receipt {
                    standing,
                    window_closed,
                    error,
                    ..receipt(&flight, Settled::Done(outcome))
                };
                self.keep_receipt(receipt)
            }
            Act::Pause { why } => {
                self.return_it(&flight)?;
                self.pause(&why)
            }
        }
    }

    /// Whether the call was refused in a way in which the calls that it covers may do better;
    /// remembered for the post, and for the channel when the service does not know the method.
    fn is_to_go_round(&mut self, meaning: &Meaning, post: Option<PostId>) -> bool {
        let (Meaning::ContentRefused { why }
        | Meaning::Refused { why, .. }
        | Meaning::CredentialsRefused { why }) = meaning
        else {
            return false;
        };
        let is_unknown = why.to_lowercase().contains(METHOD_UNKNOWN);
        if !is_unknown && matches!(meaning, Meaning::CredentialsRefused { .. }) {
            return false;
        }
        if is_unknown {
            self.is_plain = true;
            tracing::info!(
                channel.id = %self.options.name,
                "the service knows no rich messages: plain ones go instead"
            );
        } else if let Some(lowered) = post.and_then(|post| self.posts.get_mut(&post))
            && !matches!(meaning, Meaning::Refused { .. })
        {
            lowered.goes_round = true;
        }
        true
    }

    fn is_refused_before(&self, flight: &Flight) -> bool {
        let post = flight.post.and_then(|post| self.posts.get(&post));
        self.is_plain || post.is_some_and(|lowered| lowered.goes_round)
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

    /// Takes note of the messages that arrived, if they may be corrected.
    fn keep_messages(
        &mut self,
        flight: &mut Flight,
        observed: &Observed,
    ) -> Result<(), StoreError> {
        if !flight.keeps {
            return Ok(());
        }
        flight.kept.extend(self.options.channel.messages(observed));
        match kept(flight) {
            Some(kept) if flight.part < flight.calls.len() => {
                self.options.journal.arrived(flight.ticket, &kept)
            }
            _ => Ok(()),
        }
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
        !self.is_stopping && self.paused_until.is_none()
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
                self.breaker.fail(Instant::now(), rand::random());
            }
            Meaning::Later { after: None } => self.breaker.fail(Instant::now(), rand::random()),
            _ => {
                if self.breaker.is_probing() {
                    tracing::info!(channel.id = %self.options.name, "the service answers again");
                }
                self.breaker.succeed();
            }
        }
    }

    pub(super) fn keep_quiet(&mut self, after: Duration) {
        let after = after.min(QUIET_MAX);
        let until = Instant::now() + after;
        if self.quiet_until.is_some_and(|known| known >= until) {
            return;
        }
        self.quiet_until = Some(until);
        tracing::warn!(
            channel.id = %self.options.name,
            wait_s = after.as_secs(),
            "the service asked to wait"
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

    /// Stops a post whose content is refused again and again.
    fn mind_content(&mut self, post: Option<PostId>, error: Option<&str>) {
        let Some(post) = post else { return };
        let Some(lowered) = self.posts.get_mut(&post) else { return };
        lowered.content_refusals += 1;
        if lowered.content_refusals != CONTENT_REFUSALS_MAX {
            return;
        }
        let why =
            format!("the service refuses the content: {}", error.unwrap_or("no reason given"));
        tracing::error!(channel.id = %self.options.name, post.id = %post, error = %why, "stopped a post");
        let store = Arc::clone(&self.options.store);
        self.chores.push(Box::pin(async move { store.stop_post(post, why).await }));
    }

    fn settle(
        &mut self,
        flight: &Flight,
        outcome: Outcome,
        error: Option<String>,
    ) -> Result<(), StoreError> {
        self.keep_receipt(Receipt { error, ..receipt(flight, Settled::Done(outcome)) })
    }

    /// The claim waits again, in the store.
    fn return_it(&mut self, flight: &Flight) -> Result<(), StoreError> {
        if flight.edit.is_some() {
            self.edits.forget();
            return Ok(());
        }
        let part = u8::try_from(flight.part).unwrap_or(u8::MAX);
        self.keep_receipt(receipt(flight, Settled::Returned { part }))
    }

    fn return_all(&mut self) -> Result<(), StoreError> {
        self.waiting.drain().iter().try_for_each(|flight| self.return_it(flight))
    }

    fn give_back(&mut self) {
        self.is_stopping = true;
        if let Err(error) = self.return_all() {
            // What is not returned here is returned by the rescue of the next start.
            tracing::warn!(channel.id = %self.options.name, %error, "could not note the return");
        }
    }

    fn keep_receipt(&mut self, receipt: Receipt) -> Result<(), StoreError> {
        self.options.journal.receipt(&receipt)?;
        let word = match receipt.settled {
            Settled::Done(Outcome::Sent) => "sent",
            Settled::Done(Outcome::Held) => "held",
            Settled::Done(Outcome::Uncertain) => "uncertain",
            Settled::Done(Outcome::Failed(_)) => "failed",
            Settled::Done(_) => "skipped",
            Settled::Returned { .. } => "returned",
        };
        self.options.meters.count_send(&self.options.name, word);
        self.receipts.push(receipt);
        Ok(())
    }

    fn commit_if_useful(&mut self) {
        if self.committing.is_some() {
            return;
        }
        let claims = self.claims_wanted();
        if claims == 0 && self.receipts.is_empty() {
            return;
        }
        let receipts = std::mem::take(&mut self.receipts);
        let tickets = receipts.iter().map(|receipt| receipt.ticket).collect();
        let known: HashMap<PostId, u32> =
            self.posts.iter().map(|(post, lowered)| (*post, lowered.revision)).collect();
        let store = Arc::clone(&self.options.store);
        let channel = self.options.name.clone();
        let resting = self.waiting.resting_posts();
        let now = self.options.clock.now();
        self.committing = Some(Box::pin(async move {
            let step = Advance { channel, receipts, claims, resting, now };
            let claims_made = store.advance(step).await?;
            let mut posts: Vec<Post> = Vec::new();
            for claim in &claims_made {
                let Work::Delivery { post, revision, .. } = claim.work else { continue };
                let is_known = known.get(&post).is_some_and(|known| *known >= revision);
                if is_known || posts.iter().any(|one| one.id == post) {
                    continue;
                }
                let missing = || StoreError::Missing { what: format!("post {post}") };
                posts.push(store.load_post(post).await?.ok_or_else(missing)?);
            }
            Ok(Committed { tickets, asked: claims, claims: claims_made, posts })
        }));
    }

    /// A quarter of a second's worth is claimed ahead, at most as many as may be under way.
    fn claims_wanted(&self) -> usize {
        if self.is_stopping || self.is_idle || self.paused_until.is_some() {
            return 0;
        }
        let most = self.ahead();
        // Chats at rest must not keep the others from being claimed, up to a bound.
        if self.waiting.count() > 8 * most {
            return 0;
        }
        most.saturating_sub(self.waiting.ready())
    }

    fn ahead(&self) -> usize {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let ahead = (self.options.limits.rate.clamp(1.0, 1e6) / 4.0).ceil() as usize;
        ahead.min(self.options.in_flight.max(1))
    }

    fn take_in(&mut self, done: Committed) -> Result<(), StoreError> {
        self.options.journal.forget(&done.tickets)?;
        if done.claims.len() < done.asked {
            self.is_idle = true;
        }
        if self.posts.len() > POSTS_KEPT {
            let in_use: HashSet<PostId> = self.waiting.posts().collect();
            self.posts.retain(|post, _| in_use.contains(post));
        }
        for post in done.posts {
            self.desk.read_words(&post);
            self.posts.insert(post.id, self.lower(&post));
        }
        for claim in done.claims {
            self.ready(claim)?;
        }
        Ok(())
    }

    fn lower(&self, post: &Post) -> Lowered {
        let channel = &self.options.channel;
        let bodies = lowered_bodies(channel, post);
        let state = post.corrections.as_deref();
        let now = self.options.clock.now();
        Lowered {
            policy: post.on_uncertain,
            bodies,
            personal: Personal::of(post),
            content_refusals: 0,
            goes_round: false,
            revision: state.map_or(0, |state| state.revision),
            keeps: channel.kind() == ChannelKind::Telegram
                && state.is_some_and(|state| state.until > now),
        }
    }

    /// A claim becomes a flight, or is settled at once where nothing is to be sent.
    fn ready(&mut self, claim: Claim) -> Result<(), StoreError> {
        let recipient = claim.recipient;
        let mut flight = Flight {
            ticket: claim.ticket,
            post: None,
            calls: Arc::from([]),
            part: usize::from(claim.part),
            address: recipient.address.clone(),
            has_moved: false,
            policy: OnUncertain::Skip,
            begun: Instant::now(),
            revision: 0,
            keeps: false,
            kept: Vec::new(),
            edit: None,
        };
        if self.is_stopping || self.paused_until.is_some() {
            return self.return_it(&flight);
        }
        match claim.work {
            Work::Answer { answer, .. } => {
                let calls = self.options.channel.lower(&answer.message, answer.tap.as_deref());
                flight.calls = Arc::from(calls);
                self.waiting.put_last(flight);
                Ok(())
            }
            Work::Delivery { post, .. } => {
                flight.post = Some(post);
                if self.is_out_of_window(recipient.window_until) {
                    return self.settle(&flight, Outcome::Held, None);
                }
                let Some(lowered) = self.posts.get_mut(&post) else {
                    return self.return_it(&flight);
                };
                flight.policy = lowered.policy;
                (flight.revision, flight.keeps) = (lowered.revision, lowered.keeps);
                let channel = &self.options.channel;
                let own = lowered.personal.as_mut().and_then(|it| it.calls(channel, &recipient));
                let language = recipient.language.as_deref();
                match own.or_else(|| body_for(&lowered.bodies, language)) {
                    Some(calls) if !calls.is_empty() => {
                        flight.calls = calls;
                        self.waiting.put_last(flight);
                        Ok(())
                    }
                    _ => {
                        let why = "the post has no words for this channel".to_owned();
                        let outcome = Outcome::Failed(Reason::ContentRefused);
                        self.settle(&flight, outcome, Some(why))
                    }
                }
            }
        }
    }

    /// Messenger lets nobody be written to outside a window that they opened themselves.
    fn is_out_of_window(&self, window_until: Option<Timestamp>) -> bool {
        let soon = self.options.clock.now() + WINDOW_RESERVE;
        self.options.channel.kind() == ChannelKind::Messenger
            && window_until.is_none_or(|until| until <= soon)
    }

    fn is_home(&self) -> bool {
        self.flying.is_empty()
            && self.receipts.is_empty()
            && self.committing.is_none()
            && self.chores.is_empty()
            && self.edits.is_home()
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

fn receipt(flight: &Flight, settled: Settled) -> Receipt {
    Receipt {
        ticket: flight.ticket,
        settled,
        standing: None,
        moved_to: flight.has_moved.then(|| flight.address.clone()),
        window_closed: false,
        error: None,
        kept: kept(flight).filter(|_| flight.keeps),
    }
}

/// The messages that arrived; `None` when there are none.
fn kept(flight: &Flight) -> Option<Kept> {
    let messages = flight.kept.clone();
    (!messages.is_empty()).then_some(Kept { revision: flight.revision, messages })
}

/// What a post says on the channel, by language.
pub(super) fn lowered_bodies(channel: &Channel, post: &Post) -> Vec<(Option<String>, Arc<[Call]>)> {
    post.bodies
        .iter()
        .filter(|body| body.kind == channel.kind())
        .map(|body| (body.language.clone(), Arc::from(channel.lower(&body.message, None))))
        .collect()
}

/// The body of the person's language, of its main language, the one for all, or the first.
pub(super) fn body_for(
    bodies: &[(Option<String>, Arc<[Call]>)],
    language: Option<&str>,
) -> Option<Arc<[Call]>> {
    let of = |wanted: Option<&str>| {
        bodies.iter().find(|(language, _)| language.as_deref() == wanted).map(|(_, calls)| calls)
    };
    let main = language.and_then(|language| language.split('-').next());
    language
        .and_then(|exact| of(Some(exact)))
        .or_else(|| main.and_then(|main| of(Some(main))))
        .or_else(|| of(None))
        .or_else(|| bodies.first().map(|(_, calls)| calls))
        .cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(method: &'static str) -> Arc<[Call]> {
        Arc::from([Call { method, rest: "}".into(), is_acknowledgement: false, covers: 0 }])
    }

    #[test]
    fn the_language_falls_back_to_the_main_one_then_to_all() {
        let bodies = [
            (None, calls("all")),
            (Some("ro".to_owned()), calls("ro")),
            (Some("pt-br".to_owned()), calls("pt-br")),
        ];
        for (language, expected) in [
            (Some("ro"), "ro"),
            (Some("ro-md"), "ro"),
            (Some("pt-br"), "pt-br"),
            (Some("pt"), "all"),
            (None, "all"),
        ] {
            let found = body_for(&bodies, language).unwrap();
            assert_eq!(found[0].method, expected, "{language:?}");
        }
        assert!(body_for(&[], Some("ro")).is_none());
    }
}
