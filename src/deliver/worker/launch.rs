//! What may start now, and its start.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::channel::Observed;
use crate::channel::telegram::api::Client;
use crate::channel::telegram::lower::EDIT_TEXT;
use crate::deliver::media::Check;
use crate::deliver::waiting::Flight;
use crate::deliver::worker::Worker;
use crate::model::signal::Mark;
use crate::store::StoreError;

impl Worker {
    /// Starts whatever may start now; answers when to look again.
    ///
    /// A request that is started goes out when it is polled: after its start was written, which
    /// one stroke does for all of them and for what has come home before.
    pub(super) fn launch(&mut self) -> Result<Instant, StoreError> {
        let look_again_at = self.start_ready()?;
        self.options.journal.write()?;
        Ok(look_again_at)
    }

    fn start_ready(&mut self) -> Result<Instant, StoreError> {
        let mut now = Instant::now();
        let far = now + Duration::from_secs(3600);
        if self.is_stopping {
            return Ok(far);
        }
        if self.is_halted {
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
        self.limiter.recover(now);
        if let Some(paid) = &mut self.paid {
            paid.recover(now);
        }
        let most = if self.breaker.is_probing() { 1 } else { self.options.in_flight.max(1) };
        while self.flying.len() < most {
            let Some(mut flight) = self.waiting.next() else { break };
            let Some(call) = flight.calls.get(flight.part) else {
                self.finish(&flight)?;
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
            if flight.is_shut_out(|| self.options.clock.now()) {
                // The channel rested meanwhile; the store finds another way, or holds it.
                self.return_it(&flight)?;
                continue;
            }
            match self.desk.check(&flight) {
                Check::Go => {}
                Check::Skip if flight.edit.is_some() => {
                    self.pass_over(flight);
                    continue;
                }
                Check::Skip => {
                    // The calls that this one covers have not been said yet: they are not skipped.
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
                let weight = self.options.channel.weight(call);
                let free_at = self.limiter.channel_free_at(weight);
                let chat_free_at = self.limiter.chat_free_at(&flight.address, weight, now);
                if chat_free_at > now {
                    self.waiting.rest(flight, chat_free_at);
                    continue;
                }
                flight.paid = None;
                if free_at > now
                    && let Some(again_at) = self.pay_for(&mut flight, weight, free_at, now)
                {
                    self.waiting.put_first(flight);
                    let rest_ends_at = self.waiting.rest_ends_at();
                    return Ok(rest_ends_at.map_or(again_at, |rest| rest.min(again_at)));
                }
                now = Instant::now();
                flight.begun = now;
                self.limiter.start(&flight.address, weight, now);
                if let Some(paid) = &mut self.paid {
                    paid.note(weight, flight.paid.is_some(), now);
                }
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
        let of = u8::try_from(flight.calls.len()).unwrap_or(u8::MAX);
        let part = u8::try_from(flight.part).unwrap_or(u8::MAX);
        let mark = Mark { ticket: flight.ticket, part, of }.to_string();
        self.flying.push(Box::pin(async move {
            let dressed = boarding.as_ref().map(|boarding| &boarding.dressed);
            let plain = flight.calls.get(flight.part);
            let call = dressed.and_then(|dressed| dressed.call.as_ref()).or(plain);
            let uploads = dressed.map_or(&[][..], |dressed| &dressed.uploads);
            let bought = call.filter(|_| flight.paid.is_some()).map(Client::paid);
            let observed = match bought.as_ref().or(call) {
                Some(call) => match &flight.toll {
                    Some(toll) => channel.send_paid(call, &toll.campaign, &toll.token).await,
                    None => channel.send_marked(call, uploads, &flight.address, &mark).await,
                },
                None => Observed::NotSent { why: "nothing to send".to_owned() },
            };
            (flight, boarding, observed)
        }));
        Ok(())
    }

    fn is_refused_before(&self, flight: &Flight) -> bool {
        let post = flight.post.and_then(|post| self.posts.get(&post));
        let is_edit = flight.calls.get(flight.part).is_some_and(|call| call.method == EDIT_TEXT);
        (self.is_plain && !is_edit) || post.is_some_and(|lowered| lowered.goes_round)
    }
}
