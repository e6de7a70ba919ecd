//! What a call that came home means for its claim.

use std::sync::Arc;

use tokio::time::Instant;

use crate::channel::telegram::errors::METHOD_UNKNOWN;
use crate::channel::{Meaning, Observed};
use crate::deliver::judge::{Act, judge};
use crate::deliver::media::Boarding;
use crate::deliver::waiting::Flight;
use crate::deliver::worker::Worker;
use crate::deliver::worker::commit::{kept, receipt};
use crate::model::lane::Lane;
use crate::model::post::{Outcome, PostId, Reason, Receipt, Settled};
use crate::store::StoreError;

/// So many recipients in a row with the same refusal of the content stop a post.
pub const CONTENT_REFUSALS_MAX: u32 = 3;

impl Worker {
    /// One call came home.
    pub(super) fn land(
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
            flight.is_said = true;
            return self.go_on(flight);
        }
        let is_answered = matches!(observed, Observed::Answered { .. });
        self.limiter.land(flight.begun, is_answered, Instant::now());
        if let Some(paid) = &mut self.paid {
            paid.landed(flight.paid.is_some());
        }
        let channel = &self.options.channel;
        let meaning = match flight.lane {
            Lane::Utility | Lane::Marketing => channel.verdict(flight.lane, observed).meaning(),
            Lane::Window | Lane::Held => channel.meaning(observed),
        };
        self.feel(&meaning);
        self.mind_usage(&meaning);
        if let Meaning::Later { after } = &meaning {
            self.throttled(&flight, *after);
        }
        self.mind_pay(&flight, &meaning);
        if let Some(boarding) = boarding {
            // What is not there any more is no fault of the media that were to be put into it.
            let is_lost = flight.edit.is_some() && self.options.channel.is_out_of_reach(observed);
            let lost = is_lost.then(|| Meaning::Unreachable { why: String::new() });
            let landing = self.desk.land(boarding, observed, lost.as_ref().unwrap_or(&meaning));
            self.free_media(&landing.freed);
            if landing.goes_again {
                return self.go_on(flight);
            }
        }
        if let Some(editing) = flight.edit.take() {
            return self.land_edit(flight, editing, observed, &meaning);
        }
        if matches!(flight.lane, Lane::Utility | Lane::Marketing) {
            return self.land_beyond(flight, observed);
        }
        let covers = flight.calls.get(flight.part).map_or(0, |call| usize::from(call.covers));
        if covers > 0 && self.is_to_go_round(&meaning, flight.post) {
            flight.part += 1;
            return self.go_on(flight);
        }
        match judge(&meaning, flight.policy) {
            Act::GoOn => {
                if let Some(lowered) = flight.post.and_then(|post| self.posts.get_mut(&post)) {
                    lowered.content_refusals = 0;
                }
                flight.part += 1 + covers;
                flight.is_said = true;
                self.keep_messages(&mut flight, observed)?;
                self.go_on(flight)
            }
            Act::Again => self.go_on(flight),
            Act::Move { .. } if flight.has_moved => {
                let why = "the chat moved again and again".to_owned();
                self.settle(&flight, Outcome::Failed(Reason::NotFound), Some(why))
            }
            Act::Move { to } => {
                flight.address = to;
                flight.has_moved = true;
                self.go_on(flight)
            }
            act => self.end_flight(&flight, act),
        }
    }

    /// It is over for this recipient, or for now.
    pub(in crate::deliver) fn end_flight(
        &mut self,
        flight: &Flight,
        act: Act,
    ) -> Result<(), StoreError> {
        match act {
            Act::Settle { outcome, standing, window_closed, error } => {
                // An answer can't be held: it belongs to the moment that has passed.
                let outcome = match (outcome, flight.post) {
                    (Outcome::Held, None) => Outcome::Failed(Reason::Unreachable),
                    (outcome, _) => outcome,
                };
                if outcome == Outcome::Failed(Reason::ContentRefused) {
                    self.mind_content(flight.post, error.as_deref());
                }
                // Their window was not as open as we thought: another lane may be.
                let settled = match outcome {
                    Outcome::Held if window_closed && self.has_another_lane(flight) => {
                        Settled::Returned { part: 0 }
                    }
                    outcome => Settled::Done(outcome),
                };
                let receipt =
                    Receipt { standing, window_closed, error, ..receipt(flight, settled) };
                self.keep_receipt(receipt)
            }
            Act::Pause { why } => {
                self.return_it(flight)?;
                self.pause(&why)
            }
            Act::Halt { why } => {
                self.return_it(flight)?;
                self.halt(&why)
            }
            Act::GoOn | Act::Again | Act::Move { .. } => self.return_it(flight),
        }
    }

    /// What is left of it follows: at once, or in the next run where this one is ending.
    pub(in crate::deliver) fn go_on(&mut self, flight: Flight) -> Result<(), StoreError> {
        if flight.part >= flight.calls.len() {
            return self.finish(&flight);
        }
        if self.is_stopping {
            return self.return_it(&flight);
        }
        self.waiting.put_first(flight);
        Ok(())
    }

    /// No call is left.
    pub(in crate::deliver) fn finish(&mut self, flight: &Flight) -> Result<(), StoreError> {
        if flight.is_said {
            return self.settle(flight, Outcome::Sent, None);
        }
        let why = "nothing of it can be shown".to_owned();
        self.settle(flight, Outcome::Failed(Reason::ContentRefused), Some(why))
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
}
