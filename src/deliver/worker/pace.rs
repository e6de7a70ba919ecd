//! What the service says of the pace, and what is kept of it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::channel::Meaning;
use crate::deliver::limiter::Scope;
use crate::deliver::paid::{Lane, Paid};
use crate::deliver::waiting::Flight;
use crate::deliver::worker::Worker;
use crate::model::channel::{ChannelKind, ChannelState};
use crate::model::pacing::Halt;
use crate::store::StoreError;

/// What was learned is kept no later than this; what a group got, too.
pub const KEPT_WITHIN: Duration = Duration::from_secs(2);

/// A page that was asked too much of and does not say how long rests so long; each further time
/// twice as long. Source: Meta, "Rate limits".
const PAGE_REST: Duration = Duration::from_secs(60);

/// Most doublings of [`PAGE_REST`]: a little more than an hour, which is cut.
const PAGE_RESTS_MAX: u32 = 6;

impl Worker {
    /// The service refused a request because it was too much.
    pub(super) fn throttled(&mut self, flight: &Flight, after: Option<Duration>) {
        let after = after.or_else(|| self.rest_of_page());
        let (Flight { address, begun, .. }, now) = (flight, Instant::now());
        let scope = self.limiter.refuse(address, *begun, after, now);
        if let (Scope::Channel, Some(_), Some(paid)) = (scope, flight.paid, &mut self.paid)
            && paid.refused(*begun, after.unwrap_or_default(), now)
        {
            tracing::warn!(
                channel.id = %self.options.name,
                "the service takes no pay for more than its free rate: are paid broadcasts switched \
                 on in BotFather?"
            );
        }
        match (scope, after) {
            (Scope::Chat, Some(after)) => tracing::warn!(
                channel.id = %self.options.name,
                wait_s = after.as_secs(),
                "the service asked to wait with one chat"
            ),
            (_, Some(after)) => self.keep_quiet(after),
            // The breaker holds it.
            (_, None) => {}
        }
    }

    fn rest_of_page(&mut self) -> Option<Duration> {
        if self.options.channel.kind() != ChannelKind::Messenger {
            return None;
        }
        let rest = PAGE_REST.saturating_mul(1 << self.page_rests.min(PAGE_RESTS_MAX));
        self.page_rests += 1;
        Some(rest)
    }

    /// Takes in how much of its limit the service says is used, and that it is well.
    pub(super) fn mind_usage(&mut self, meaning: &Meaning) {
        if matches!(meaning, Meaning::Delivered { .. }) {
            self.page_rests = 0;
            if self.is_told_paused {
                self.is_told_paused = false;
                self.keep_state(ChannelState::default());
            }
        }
        let Some(usage) = self.options.channel.usage() else { return };
        if let Some(wait) = self.limiter.told(usage, Instant::now()) {
            self.rest(wait, "the service's limit is nearly used up");
        }
        let rate = self.limiter.rate();
        let is_slow = rate < self.options.limits.rate / 2.0;
        if is_slow != self.is_told_slow {
            self.is_told_slow = is_slow;
            tracing::info!(
                channel.id = %self.options.name, used_percent = usage.percent, rate,
                "the rate follows what the service says is used"
            );
        }
    }

    /// Whether the flight, which finds the free window full until `free_at`, may go at once for
    /// pay; otherwise when to look again.
    pub(super) fn pay_for(
        &mut self,
        flight: &mut Flight,
        weight: u32,
        free_at: Instant,
        now: Instant,
    ) -> Option<Instant> {
        let (Some(post), Some(paid)) = (flight.post, &mut self.paid) else { return Some(free_at) };
        let wall = self.options.clock.now();
        match paid.lane(post, weight, (now, wall), &self.options.channel) {
            Lane::Now(fare) => {
                paid.pay(post, fare);
                flight.paid = Some(fare);
                None
            }
            Lane::At(at) => Some(at.min(free_at)),
            Lane::No => Some(free_at),
        }
    }

    /// What a paid message came to: only what arrives is charged.
    pub(super) fn mind_pay(&mut self, flight: &Flight, meaning: &Meaning) {
        let (Some(fare), Some(post), Some(paid)) = (flight.paid, flight.post, &mut self.paid)
        else {
            return;
        };
        let back = match meaning {
            Meaning::Delivered { .. } => {
                paid.delivered();
                None
            }
            // It may have arrived.
            Meaning::Unknown { .. } => None,
            _ => paid.refund(post, fare),
        };
        if let Some(back) = back {
            self.do_beside(back);
        }
    }

    /// Gives back what was counted as spent and is of no use; answers whether there was any.
    pub(super) fn give_stars_back(&mut self) -> bool {
        let back = self.paid.as_mut().map(Paid::give_back).unwrap_or_default();
        let is_any = !back.is_empty();
        back.into_iter().for_each(|work| self.do_beside(work));
        is_any
    }

    /// When what was learned is to be kept; `None` when there is nothing new.
    pub(super) fn pacing_due_at(&self) -> Option<Instant> {
        self.limiter.is_changed().then(|| self.pacing_kept_at + KEPT_WITHIN)
    }

    pub(super) fn keep_pacing_if_due(&mut self) {
        let now = Instant::now();
        if self.pacing_due_at().is_some_and(|at| at <= now) {
            self.pacing_kept_at = now;
            let pacing = self.limiter.kept(false, &self.options.clock, now);
            let (store, name) = (Arc::clone(&self.options.store), self.options.name.clone());
            self.do_beside(Box::pin(async move { store.commit_pacing(&name, pacing).await }));
        }
    }

    /// The last word of a run: everything is home.
    pub(super) async fn keep_pacing_whole(&mut self) -> Result<(), StoreError> {
        let pacing = self.limiter.kept(true, &self.options.clock, Instant::now());
        self.options.store.commit_pacing(&self.options.name, pacing).await
    }

    /// Nothing is sent any more until somebody says so.
    pub(in crate::deliver) fn halt(&mut self, why: &str) -> Result<(), StoreError> {
        if !self.is_halted {
            self.is_halted = true;
            tracing::error!(
                channel.id = %self.options.name,
                error = %why,
                "the channel is halted: the service has blocked it; see `tidings channel resume`"
            );
            let at = self.options.clock.now();
            let halt = Halt { why: why.to_owned(), at, is_by_hand: false };
            self.looking = None;
            let (store, name) = (Arc::clone(&self.options.store), self.options.name.clone());
            self.do_beside(Box::pin(async move {
                store.commit_halt(&name, Some(halt)).await.map(drop)
            }));
        }
        self.return_all()
    }

    /// Somebody else may have halted the channel, or let it go on.
    pub(super) fn look_for_halt(&mut self) {
        // What is not written yet must not be read as if it were not so.
        if self.is_to_look && self.looking.is_none() && self.chores.is_empty() {
            self.is_to_look = false;
            let (store, name) = (Arc::clone(&self.options.store), self.options.name.clone());
            self.looking = Some(Box::pin(async move { store.load_halt(&name).await }));
        }
    }

    pub(super) fn take_halt(&mut self, halt: Option<Halt>) -> Result<(), StoreError> {
        self.looking = None;
        match halt {
            Some(halt) if !self.is_halted => {
                self.is_halted = true;
                tracing::error!(
                    channel.id = %self.options.name, error = %halt.why, "the channel is halted"
                );
                self.return_all()
            }
            None if self.is_halted => {
                tracing::info!(channel.id = %self.options.name, "the channel goes on");
                self.is_halted = false;
                self.paused_until = None;
                self.rouse();
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
