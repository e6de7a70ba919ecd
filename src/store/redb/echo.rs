//! Echoes: what the service says of messages whose answer never came.
//!
//! ```text
//! in flight ──echo──▶ noted, and believed before an answer that never comes
//!     ├──no answer, `skip`────▶ uncertain ──echo──▶ sent, or the rest waits
//!     └──no answer, `resend`──▶ (in flight) ──echo──▶ sent, or the rest waits
//!                                  └──none within ECHO_WAIT──▶ waits again
//! ```

use std::time::Duration;

use crate::model::lane::Lane;
use crate::model::name::Name;
use crate::model::post::{Outcome, Reason, Receipt, Settled, Ticket};
use crate::model::signal::{Heard, Mark, Signal};
use crate::model::time::Timestamp;
use crate::store::StoreError;
use crate::store::redb::ledger::Writing;
use crate::store::redb::rows::{Aim, Doubt, EchoRow, Flight, HeldRow, LaneRow, Release};

/// How long an echo is waited for before a campaign that resends does so. Echoes come within
/// seconds; after a crash ours is the delay, and the time counts from the start.
pub(super) const ECHO_WAIT: Duration = Duration::from_secs(20);

/// How long after that an echo still counts; the service repeats an event for no longer.
const ECHO_KEPT_FOR: Duration = Duration::from_secs(48 * 3_600);

/// Most doubts that are looked at in one transaction.
const DOUBTS_MAX: usize = 256;

/// Of a doubt that came out of a crash: nobody knew the time.
const UNDATED: Timestamp = Timestamp::from_millis(0);

/// See `Store::commit_signals`.
pub(super) fn commit_signals(
    writing: &mut Writing<'_>,
    signals: &[Signal],
    now: Timestamp,
) -> Result<Vec<Name>, StoreError> {
    let mut woken = Vec::new();
    for signal in signals {
        let channel = &signal.channel;
        let wakes = match &signal.what {
            Heard::Echo { address, mark } => writing.hear(channel, address, *mark, now)?,
            Heard::Delivered { address, until } => {
                writing.mark(channel, address, Some(*until), None)?;
                false
            }
            Heard::Read { address, until } => {
                writing.mark(channel, address, None, Some(*until))?;
                false
            }
            Heard::PaidEcho { token } => {
                writing.end_paid(channel, token, None, now)?;
                false
            }
            Heard::NotDelivered { token, why } => {
                writing.end_paid(channel, token, Some(why.as_str()), now)?;
                false
            }
        };
        if wakes && !woken.contains(channel) {
            woken.push(channel.clone());
        }
    }
    Ok(woken)
}

/// What a receipt says once an echo is believed.
pub(super) fn enlightened(receipt: &Receipt, echo: Option<EchoRow>) -> Receipt {
    let mut receipt = receipt.clone();
    let Some(EchoRow { part, of }) = echo else { return receipt };
    let arrived = part.saturating_add(1);
    let known = match receipt.settled {
        Settled::Done(Outcome::Uncertain) => receipt.part,
        Settled::Returned { part } => part,
        Settled::Done(_) => return receipt,
    };
    if arrived > known {
        receipt.part = arrived;
        receipt.error = None;
        receipt.settled = match arrived < of {
            true => Settled::Returned { part: arrived },
            false => Settled::Done(Outcome::Sent),
        };
    }
    receipt
}

impl Writing<'_> {
    /// Takes the echo of what was in flight.
    pub fn take_echo(&mut self, ticket: Ticket) -> Result<Option<EchoRow>, StoreError> {
        let echo = self.tables.echoes.load(ticket.0)?;
        if echo.is_some() {
            self.tables.echoes.remove(ticket.0)?;
        }
        Ok(echo)
    }

    /// Keeps in mind that an echo may yet tell of recipients who are uncertain now.
    pub fn doubt(
        &mut self,
        receipt: &Receipt,
        flight: &Flight,
        targets: Vec<HeldRow>,
        now: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let Some(first) = targets.first() else { return Ok(()) };
        let (_, channel, number) = self.whose(first.batch, first.index)?;
        let Some(person) = self.tables.subscribers.load((channel.as_str(), number))? else {
            // Erased meanwhile: nobody is sent it again.
            for HeldRow { batch, index, .. } in targets {
                if self.outcome(batch, index)? == Outcome::InFlight {
                    self.turn(batch, index, Outcome::Uncertain)?;
                }
            }
            return Ok(());
        };
        let due_at = now.map_or(UNDATED, |now| now + ECHO_WAIT);
        let doubt = Doubt {
            channel,
            address: person.address,
            targets,
            is_carousel: matches!(flight.what, Aim::Answer(_)),
            lane: flight.lane,
            part: receipt.part.max(flight.part),
            due_at,
            has_waited: false,
        };
        self.put_doubt(receipt.ticket.0, &doubt)
    }

    fn put_doubt(&mut self, ticket: u64, doubt: &Doubt) -> Result<(), StoreError> {
        self.tables.doubts_due.insert((doubt.due_at.as_millis(), ticket))?;
        self.tables.doubts.put(ticket, doubt)
    }

    /// Believes an echo; answers whether somebody waits again because of it.
    fn hear(
        &mut self,
        channel: &Name,
        address: &str,
        mark: Mark,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let ticket = mark.ticket.0;
        if let Some(flight) = self.tables.in_flight.load(ticket)? {
            if self.is_for(&flight, channel, address)? {
                let known = self.tables.echoes.load(ticket)?;
                if known.is_none_or(|known| known.part < mark.part) {
                    let row = EchoRow { part: mark.part, of: mark.of };
                    self.tables.echoes.put(ticket, &row)?;
                }
            }
            return Ok(false);
        }
        let Some(doubt) = self.tables.doubts.load(ticket)? else { return Ok(false) };
        if doubt.channel != *channel || doubt.address != address || mark.arrived() <= doubt.part {
            return Ok(false);
        }
        self.tables.doubts.remove(ticket)?;
        self.tables.doubts_due.remove((doubt.due_at.as_millis(), ticket))?;
        let is_whole = doubt.is_carousel || mark.arrived() >= mark.of;
        for target in &doubt.targets {
            let HeldRow { batch, index, .. } = *target;
            let Some(post) = self.doubted(&doubt, batch, index)? else { continue };
            if is_whole {
                self.turn(batch, index, Outcome::Sent)?;
                self.tables.partial.remove((batch, index))?;
                self.note_lane(batch, index, doubt.lane)?;
            } else if self.tally(post)?.stopped.is_some() {
                self.skip(batch, index, Reason::PostStopped)?;
            } else {
                self.turn(batch, index, Outcome::Waiting)?;
                self.keep_part(batch, index, mark.arrived())?;
            }
            self.stamp(batch, index, Some(now))?;
            self.note(post, None, Some(now))?;
        }
        Ok(!is_whole)
    }

    /// Sends again, or gives up waiting, where no echo came in time.
    pub fn end_doubts(&mut self, now: Timestamp) -> Result<(), StoreError> {
        for _ in 0..DOUBTS_MAX {
            let first = {
                let range = ..=(now.as_millis(), u64::MAX);
                self.tables.doubts_due.keys(range)?.next().transpose()?.map(|key| key.value())
            };
            let Some((at, ticket)) = first else { break };
            self.tables.doubts_due.remove((at, ticket))?;
            let Some(mut doubt) = self.tables.doubts.load(ticket)? else { continue };
            if doubt.due_at == UNDATED {
                doubt.due_at = now + ECHO_WAIT;
                self.put_doubt(ticket, &doubt)?;
            } else if doubt.has_waited || self.send_again(&doubt, now)? {
                self.tables.doubts.remove(ticket)?;
            } else {
                doubt.has_waited = true;
                doubt.due_at = now + ECHO_KEPT_FOR;
                self.put_doubt(ticket, &doubt)?;
            }
        }
        Ok(())
    }

    /// Lets those wait again whose posts resend; answers whether all of them do.
    fn send_again(&mut self, doubt: &Doubt, now: Timestamp) -> Result<bool, StoreError> {
        let mut are_all = true;
        for target in &doubt.targets {
            let HeldRow { batch, index, .. } = *target;
            let Some(post) = self.doubted(doubt, batch, index)? else { continue };
            if !self.is_resent(batch)? {
                are_all = false;
                if self.tally(post)?.stopped.is_some() {
                    self.turn(batch, index, Outcome::Uncertain)?;
                    self.note(post, None, Some(now))?;
                }
                continue;
            }
            if doubt.is_carousel {
                let (_, channel, number) = self.whose(batch, index)?;
                self.hold(&channel, number, Release { post, held: *target }, Some(now))?;
            } else {
                self.turn(batch, index, Outcome::Waiting)?;
                self.keep_part(batch, index, doubt.part)?;
            }
            self.note(post, None, Some(now))?;
        }
        Ok(are_all)
    }

    /// The post of a recipient of whom nobody knows (any more) than what the doubt says.
    pub fn doubted(
        &mut self,
        doubt: &Doubt,
        batch: u64,
        index: u16,
    ) -> Result<Option<u64>, StoreError> {
        if self.tables.people.load(batch)?.is_none() {
            // Pruned meanwhile.
            return Ok(None);
        }
        // What is sent again waits in the state that it had on the wire, and its doubt ends with
        // that.
        let on_wire = if doubt.is_carousel { Outcome::Held } else { Outcome::InFlight };
        let outcome = self.outcome(batch, index)?;
        let waits = outcome == on_wire && !doubt.has_waited;
        Ok((outcome == Outcome::Uncertain || waits).then_some(self.sheet(batch)?.post))
    }

    fn is_for(
        &mut self,
        flight: &Flight,
        channel: &Name,
        address: &str,
    ) -> Result<bool, StoreError> {
        match &flight.what {
            Aim::Answer(at) => Ok(at.channel == *channel && at.address == address),
            Aim::Delivery { batch, index } => {
                let (_, of, number) = self.whose(*batch, *index)?;
                let person = self.tables.subscribers.load((of.as_str(), number))?;
                Ok(of == *channel && person.is_some_and(|person| person.address == address))
            }
        }
    }

    /// Notes by which way somebody was reached, if it is not the usual one.
    pub fn note_lane(&mut self, batch: u64, index: u16, lane: Lane) -> Result<(), StoreError> {
        match lane {
            // It may have failed in another one before.
            Lane::Window => self.tables.lanes.remove((batch, index)).map(drop),
            lane => self.tables.lanes.put((batch, index), &LaneRow(lane)),
        }
    }

    /// Forgets the lanes of a batch that is removed.
    pub fn forget_lanes(&mut self, batch: u64) -> Result<(), StoreError> {
        let rows = {
            let range = (batch, 0)..=(batch, u16::MAX);
            let keys = self.tables.lanes.rows(range)?.map(|row| Ok(row?.0.value()));
            keys.collect::<Result<Vec<_>, StoreError>>()?
        };
        for key in rows {
            self.tables.lanes.remove(key)?;
        }
        Ok(())
    }
}
