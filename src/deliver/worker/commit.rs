//! One transaction takes in what came back and hands out what goes next.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::deliver::lane::BeyondCalls;
use crate::deliver::personal::Personal;
use crate::deliver::waiting::Flight;
use crate::deliver::worker::Worker;
use crate::deliver::worker::lowered::{Lowered, body_for, lowered_bodies};
use crate::model::campaign::OnUncertain;
use crate::model::channel::ChannelKind;
use crate::model::correction::Kept;
use crate::model::lane::Lane;
use crate::model::post::{Claim, Outcome, Post, PostId, Reason, Receipt, Settled, Ticket, Work};
use crate::store::{Advance, Claimed, StoreError};

/// What has come home is committed no later; until then it stands in the journal.
const RECEIPTS_WAIT: Duration = Duration::from_millis(100);

/// Posts kept lowered, beyond those that are being sent.
const POSTS_KEPT: usize = 32;

/// What one commit brings back.
pub(super) struct Committed {
    tickets: Vec<Ticket>,
    asked: usize,
    claimed: Claimed,
    posts: Vec<Post>,
}

impl Worker {
    pub(in crate::deliver) fn commit_if_useful(&mut self) {
        if self.committing.is_some() {
            return;
        }
        let claims = self.claims_wanted();
        if !self.is_worth_a_commit(claims) {
            return;
        }
        self.receipts_since = None;
        let receipts = std::mem::take(&mut self.receipts);
        let tickets = receipts.iter().map(|receipt| receipt.ticket).collect();
        let known: HashMap<PostId, u32> =
            self.posts.iter().map(|(post, lowered)| (*post, lowered.revision)).collect();
        let store = Arc::clone(&self.options.store);
        let channel = self.options.name.clone();
        let mut resting = self.waiting.resting_posts();
        resting.extend(self.resting_for_market());
        let ways = self.ways_now();
        let caps = self.options.caps.clone();
        let now = self.options.clock.now();
        self.committing = Some(Box::pin(async move {
            let step = Advance { channel, receipts, claims, resting, caps, ways, now };
            let claimed = store.advance_part(step).await?;
            let mut posts: Vec<Post> = Vec::new();
            for claim in &claimed.claims {
                let Work::Delivery { post, revision, .. } = claim.work else { continue };
                let is_known = known.get(&post).is_some_and(|known| *known >= revision);
                if is_known || posts.iter().any(|one| one.id == post) {
                    continue;
                }
                let missing = || StoreError::Missing { what: format!("post {post}") };
                posts.push(store.load_post(post).await?.ok_or_else(missing)?);
            }
            Ok(Committed { tickets, asked: claims, claimed, posts })
        }));
    }

    /// Half of what may be claimed ahead is gone, as much has come home, or something has been home
    /// for long: many channels share one writer.
    fn is_worth_a_commit(&self, claims: usize) -> bool {
        let half = self.ahead().div_ceil(2);
        let is_late = self.receipts_due_at().is_some_and(|at| at <= Instant::now());
        let is_dry = claims > 0 && self.waiting.ready() == 0;
        let is_end = self.is_stopping && !self.receipts.is_empty();
        claims >= half || self.receipts.len() >= half || is_late || is_dry || is_end
    }

    /// When what has come home is committed at the latest.
    pub(super) fn receipts_due_at(&self) -> Option<Instant> {
        self.receipts_since.map(|since| since + RECEIPTS_WAIT)
    }

    /// Posts that wait because marketing messages do.
    fn resting_for_market(&self) -> Vec<PostId> {
        let now = Instant::now();
        if self.shut.rests_until.is_none_or(|until| until <= now) {
            return Vec::new();
        }
        let known = self.posts.iter().filter(|(_, lowered)| lowered.beyond.is_paid());
        known.map(|(post, _)| *post).collect()
    }

    /// Whether a post that is being sent has ways beyond open windows.
    pub(in crate::deliver) fn has_beyond(&self, post: PostId) -> bool {
        self.posts.get(&post).is_some_and(|lowered| !lowered.beyond.is_empty())
    }

    /// A quarter of a second's worth is claimed ahead, at most as many as may be under way.
    fn claims_wanted(&self) -> usize {
        if !self.may_send() || self.is_idle {
            return 0;
        }
        let most = self.ahead();
        // Chats at rest must not keep the others from being claimed, up to a bound.
        if self.waiting.count() > 8 * most {
            return 0;
        }
        most.saturating_sub(self.waiting.ready())
    }

    pub(in crate::deliver) fn ahead(&self) -> usize {
        let paid = self.options.paid.as_ref().map_or(0.0, |paid| paid.rate);
        let rate = self.options.limits.rate.max(paid);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let ahead = (rate.clamp(1.0, 1e6) / 4.0).ceil() as usize;
        ahead.min(self.options.in_flight.max(1))
    }

    pub(super) fn take_in(&mut self, done: Committed) -> Result<(), StoreError> {
        self.options.journal.forget(&done.tickets)?;
        let Claimed { claims, held, is_cut } = done.claimed;
        self.options.meters.count_sends(&self.options.name, "held", held);
        if claims.len() < done.asked && !is_cut {
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
        for claim in claims {
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
            beyond: BeyondCalls::of(channel, post),
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
            is_said: claim.part > 0,
            address: recipient.address.clone(),
            has_moved: false,
            policy: OnUncertain::Skip,
            begun: Instant::now(),
            paid: None,
            revision: 0,
            keeps: false,
            kept: Vec::new(),
            edit: None,
            lane: claim.lane,
            window_until: None,
            toll: None,
        };
        if !self.may_send() {
            return self.return_it(&flight);
        }
        match claim.work {
            Work::Answer { answer, .. } => {
                let channel = &self.options.channel;
                flight.calls = Arc::from(channel.lower_answer(&answer));
                self.waiting.put_last(flight);
                Ok(())
            }
            Work::Delivery { post, .. } => {
                flight.post = Some(post);
                if claim.lane == Lane::Window {
                    flight.window_until = recipient.window_until;
                }
                let Some(lowered) = self.posts.get_mut(&post) else {
                    return self.return_it(&flight);
                };
                // Where there are echoes one is waited for first, and the store decides then.
                let has_echoes = self.options.channel.kind() == ChannelKind::Messenger;
                flight.policy = if has_echoes { OnUncertain::Skip } else { lowered.policy };
                (flight.revision, flight.keeps) = (lowered.revision, lowered.keeps);
                if let Some(calls) = lowered.beyond.in_lane(claim.lane) {
                    flight.calls = calls;
                    if claim.lane == Lane::Marketing {
                        flight.toll = self.toll(claim.token).map(Box::new);
                        if flight.toll.is_none() {
                            return self.return_it(&flight);
                        }
                    }
                    self.waiting.put_last(flight);
                    return Ok(());
                }
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

    pub(in crate::deliver) fn settle(
        &mut self,
        flight: &Flight,
        outcome: Outcome,
        error: Option<String>,
    ) -> Result<(), StoreError> {
        self.keep_receipt(Receipt { error, ..receipt(flight, Settled::Done(outcome)) })
    }

    /// The claim waits again, in the store.
    pub(in crate::deliver) fn return_it(&mut self, flight: &Flight) -> Result<(), StoreError> {
        if flight.edit.is_some() {
            self.edits.forget();
            return Ok(());
        }
        // Calls that were only passed over get another chance.
        let part = if flight.is_said { flight.part } else { 0 };
        let part = u8::try_from(part).unwrap_or(u8::MAX);
        self.keep_receipt(receipt(flight, Settled::Returned { part }))
    }

    pub(in crate::deliver) fn return_all(&mut self) -> Result<(), StoreError> {
        self.waiting.drain().iter().try_for_each(|flight| self.return_it(flight))
    }

    pub(in crate::deliver) fn give_back(&mut self) {
        self.is_stopping = true;
        if let Err(error) = self.return_all() {
            // What is not returned here is returned by the rescue of the next start.
            tracing::warn!(channel.id = %self.options.name, %error, "could not note the return");
        }
    }

    pub(in crate::deliver) fn keep_receipt(&mut self, receipt: Receipt) -> Result<(), StoreError> {
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
        self.receipts_since.get_or_insert_with(Instant::now);
        self.receipts.push(receipt);
        Ok(())
    }
}

pub(super) fn receipt(flight: &Flight, settled: Settled) -> Receipt {
    Receipt {
        ticket: flight.ticket,
        settled,
        part: u8::try_from(flight.part).unwrap_or(u8::MAX),
        standing: None,
        moved_to: flight.has_moved.then(|| flight.address.clone()),
        window_closed: false,
        error: None,
        kept: kept(flight).filter(|_| flight.keeps),
    }
}

/// The messages that arrived; `None` when there are none.
pub(super) fn kept(flight: &Flight) -> Option<Kept> {
    let messages = flight.kept.clone();
    (!messages.is_empty()).then_some(Kept { revision: flight.revision, messages })
}
