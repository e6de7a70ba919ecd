//! Posts on their way to people whose window is closed: templates and paid messages.
//!
//! Which lane a claim takes is chosen with it, in the store (`model::lane`); here it gets its
//! calls, and what comes back of them closes the lane, or the person's opt-in, or neither.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::channel::messenger::market::Verdict;
use crate::channel::{Call, Channel, Observed};
use crate::deliver::judge::{Act, judge};
use crate::deliver::waiting::Flight;
use crate::deliver::worker::Worker;
use crate::model::campaign::OnUncertain;
use crate::model::lane::{Lane, Ways};
use crate::model::post::{Outcome, Post};
use crate::store::{OptinWord, StoreError};

/// A lane that is shut is tried again after this.
const SHUT_FOR: Duration = Duration::from_secs(3_600);

/// Which lanes are shut for now, by what the service said of them.
#[derive(Debug, Default)]
pub(super) struct Shut {
    utility_until: Option<Instant>,
    market_until: Option<Instant>,
    /// Posts with marketing messages rest so long.
    pub rests_until: Option<Instant>,
}

/// The calls of a post beyond the window.
#[derive(Debug, Default)]
pub(super) struct BeyondCalls {
    utility: Option<Arc<[Call]>>,
    paid: Option<Arc<[Call]>>,
}

/// Whom a paid message goes to, and on which campaign's account.
#[derive(Clone, Debug)]
pub(super) struct Toll {
    pub campaign: String,
    pub token: String,
}

impl BeyondCalls {
    pub fn of(channel: &Channel, post: &Post) -> Self {
        let Some(beyond) = &post.beyond else { return Self::default() };
        let one = |call: Call| Arc::from([call]);
        Self {
            utility: beyond.utility.as_ref().and_then(|it| channel.utility_call(it)).map(one),
            paid: channel.paid_call(&post.cards).filter(|_| beyond.is_marketing).map(one),
        }
    }

    pub fn is_paid(&self) -> bool {
        self.paid.is_some()
    }

    pub fn is_empty(&self) -> bool {
        self.utility.is_none() && self.paid.is_none()
    }

    /// The calls of a lane; `None` for the usual ones.
    pub fn in_lane(&self, lane: Lane) -> Option<Arc<[Call]>> {
        match lane {
            Lane::Utility => self.utility.clone(),
            Lane::Marketing => self.paid.clone(),
            Lane::Window | Lane::Held => None,
        }
    }
}

impl Worker {
    /// What the channel can do now: as configured, but for what the service has shut.
    pub(super) fn ways_now(&self) -> Ways {
        let mut ways = self.options.ways.borrow().clone();
        let now = Instant::now();
        let is_shut = |until: Option<Instant>| until.is_some_and(|until| now < until);
        if is_shut(self.shut.utility_until) {
            ways.templates.clear();
        }
        if is_shut(self.shut.market_until) {
            ways.market = None;
        }
        ways
    }

    /// Whether a post of which nothing was said yet has other ways than an open window.
    pub(super) fn has_another_lane(&self, flight: &Flight) -> bool {
        let is_untold = flight.lane == Lane::Window && flight.part == 0 && !flight.is_said;
        is_untold && flight.post.is_some_and(|post| self.has_beyond(post))
    }

    /// Where a paid message goes.
    pub(super) fn toll(&self, token: Option<String>) -> Option<Toll> {
        let campaign = self.options.ways.borrow().market.as_ref()?.campaign.clone();
        Some(Toll { campaign, token: token? })
    }

    /// A template or a paid message came home.
    pub(super) fn land_beyond(
        &mut self,
        mut flight: Flight,
        observed: &Observed,
    ) -> Result<(), StoreError> {
        let verdict = self.options.channel.verdict(flight.lane, observed);
        let now = Instant::now();
        match verdict {
            Verdict::Accepted { .. } => {
                flight.part += 1;
                flight.is_said = true;
                self.finish(&flight)
            }
            Verdict::Closed { .. } => {
                self.tell_optin(&flight, OptinWord::Closed);
                self.settle(&flight, Outcome::Held, None)
            }
            Verdict::Rests { after, .. } => {
                let until = self.options.clock.now() + after;
                self.tell_optin(&flight, OptinWord::Rests { until });
                self.settle(&flight, Outcome::Held, None)
            }
            Verdict::Busy { after, why } => {
                let wait_s = after.as_secs();
                let channel = &self.options.name;
                tracing::warn!(
                    channel.id = %channel, error = %why, wait_s,
                    "marketing messages wait"
                );
                self.shut.rests_until = self.shut.rests_until.max(Some(now + after));
                self.return_it(&flight)
            }
            Verdict::Shut { why } => {
                let until = Some(now + SHUT_FOR);
                let shut = match flight.lane {
                    Lane::Marketing => &mut self.shut.market_until,
                    _ => &mut self.shut.utility_until,
                };
                *shut = until;
                tracing::error!(
                    channel.id = %self.options.name,
                    lane = flight.lane.as_str(),
                    error = %why,
                    "the service does not take it: what goes beyond open windows is held for an hour"
                );
                self.return_it(&flight)
            }
            Verdict::Usual(meaning) => match judge(&meaning, OnUncertain::Skip) {
                Act::Again => self.go_on(flight),
                act => self.end_flight(&flight, act),
            },
        }
    }

    fn tell_optin(&self, flight: &Flight, word: OptinWord) {
        let store = Arc::clone(&self.options.store);
        let (channel, address) = (self.options.name.clone(), flight.address.clone());
        self.do_beside(Box::pin(async move {
            store.commit_optins(&channel, vec![(address, word)]).await.map(drop)
        }));
    }
}
