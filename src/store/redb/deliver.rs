//! Claims and receipts, stopped posts, and the rescue after a crash.

use std::collections::HashMap;

use crate::model::campaign::OnUncertain;
use crate::model::choice::Wait;
use crate::model::lane::Lane;
use crate::model::name::Name;
use crate::model::post::{
    AnswerId, BatchId, Claim, Outcome, PostId, Reason, Receipt, Recipient, Settled, Ticket, Work,
};
use crate::model::subscriber::{Standing, Subscriber};
use crate::model::time::Timestamp;
use crate::store::redb::chores::{BATCHES_MAX, Hand, Progress, Task};
use crate::store::redb::crowd::Crowded;
use crate::store::redb::echo::enlightened;
use crate::store::redb::ledger::Writing;
use crate::store::redb::rollout::Judged;
use crate::store::redb::rows::{Aim, AnswerAt, AnswerRow, Flight, HeldRow, Part, Release};
use crate::store::{Advance, Claimed, Rescued, StoreError, Wire};

/// Most claims that a post gets in one turn.
const TURN_MAX: usize = 32;

/// Most recipients looked at in one transaction; only those who left make it more than the claims.
const LOOKED_AT_MAX: usize = 8_192;

/// The number of a recipient without a record.
const NO_NUMBER: u32 = u32::MAX;

/// So much as many looked at costs one who is held.
const HELD_LOOKS: usize = 8;

/// The claims of one transaction.
pub(super) struct Claims {
    pub claimed: Claimed,
    /// For the log, once it is durable.
    pub judged: Vec<Judged>,
}

/// What the turns of one transaction have come to.
struct Turn<'c> {
    claims: &'c mut Vec<Claim>,
    looked_at: usize,
    held: u64,
}

/// See `Store::advance_part`.
pub(super) fn advance(writing: &mut Writing<'_>, step: &Advance) -> Result<Claims, StoreError> {
    for receipt in &step.receipts {
        writing.settle(receipt, Some(step.now))?;
    }
    let judged = writing.judge_stages(step.now)?;
    let has_opened_all = !writing.open_hours(step.now)?;
    let has_done_all = !writing.do_idle_chore()?;
    let has_released_all = writing.release_carried(step)?;
    if step.ways.has_windows {
        writing.end_doubts(step.now)?;
        writing.expire_held(&step.channel, step.ways.held_for, step.now)?;
    }
    let mut claims = Vec::new();
    writing.claim_answers(step, &mut claims)?;
    let (held, has_looked_enough) = writing.claim_deliveries(step, &mut claims)?;
    let is_cut = !(has_opened_all && has_done_all && has_released_all) || has_looked_enough;
    Ok(Claims { claimed: Claimed { claims, held, is_cut }, judged })
}

/// The first part of `Store::stop_post`; what is left of it is a chore in this hand.
pub(super) fn stop_post(
    writing: &mut Writing<'_>,
    post: PostId,
    why: &str,
    hand: &Hand,
) -> Result<Progress, StoreError> {
    let missing = || StoreError::Missing { what: format!("post {post}") };
    let row = writing.tables.posts.load(post.0)?.ok_or_else(missing)?;
    let tally = writing.tally(post.0)?;
    tally.stopped.get_or_insert_with(|| why.to_owned());
    tally.paused = None;
    let priority = tally.priority;
    writing.leave_line(post.0, &row.spans, priority)?;
    writing.begin_chore(post, Task::Skip, hand, BATCHES_MAX)
}

/// See `Store::rescue`.
pub(super) fn rescue(writing: &mut Writing<'_>, wire: &Wire) -> Result<Rescued, StoreError> {
    let mut rescued = Rescued::default();
    for receipt in &wire.receipts {
        if writing.settle(receipt, None)? {
            rescued.settled += 1;
        }
    }
    let mut begun = HashMap::new();
    for (ticket, part) in &wire.started {
        let newest = begun.entry(ticket.0).or_insert(*part);
        *newest = (*newest).max(*part);
    }
    let mut left = Vec::new();
    for row in writing.tables.in_flight.rows(..)? {
        let (ticket, flight) = row?;
        left.push((ticket.value(), flight));
    }
    for (ticket, flight) in left {
        let part = begun.get(&ticket).copied();
        // Before a part is begun, the ones before it are known to be accepted.
        let accepted = flight.part.max(part.unwrap_or(0));
        let end = if wire.is_trusted && part.is_none() {
            rescued.returned += 1;
            Settled::Returned { part: flight.part }
        } else if let Aim::Delivery { batch, .. } = flight.what
            && !flight.has_echo
            && flight.lane != Lane::Marketing
            && writing.is_resent(batch)?
        {
            rescued.resent += 1;
            Settled::Returned { part: accepted }
        } else {
            match writing.tables.echoes.load(ticket)? {
                Some(_) => rescued.settled += 1,
                None => rescued.uncertain += 1,
            }
            Settled::Done(Outcome::Uncertain)
        };
        let kept = wire.parts.iter().rev().find(|(of, _)| of.0 == ticket);
        let receipt = Receipt {
            ticket: Ticket(ticket),
            settled: end,
            part: accepted,
            standing: None,
            moved_to: None,
            window_closed: false,
            error: None,
            kept: kept.map(|(_, kept)| kept.clone()),
        };
        writing.settle(&receipt, None)?;
    }
    Ok(rescued)
}

impl Writing<'_> {
    /// Applies one receipt; `false` when its ticket is not in flight.
    ///
    /// A receipt that says `Waiting` or `InFlight` is no end of anything and is ignored too.
    fn settle(&mut self, receipt: &Receipt, now: Option<Timestamp>) -> Result<bool, StoreError> {
        if let Settled::Done(Outcome::Waiting | Outcome::InFlight) = receipt.settled {
            return Ok(false);
        }
        let Some(flight) = self.tables.in_flight.load(receipt.ticket.0)? else {
            return Ok(false);
        };
        self.tables.in_flight.remove(receipt.ticket.0)?;
        let echo = if flight.has_echo { self.take_echo(receipt.ticket)? } else { None };
        let receipt = &enlightened(receipt, echo);
        match &flight.what {
            Aim::Delivery { .. } => self.settle_delivery(receipt, &flight, now)?,
            Aim::Answer(at) => self.settle_answer(receipt, at, &flight, now)?,
        }
        Ok(true)
    }

    fn settle_delivery(
        &mut self,
        receipt: &Receipt,
        flight: &Flight,
        now: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let Aim::Delivery { batch, index } = flight.what else { return Ok(()) };
        let part = flight.part;
        let (post, channel, number) = self.whose(batch, index)?;
        let held = HeldRow { batch, index, at: Timestamp::default(), wait: Wait::Contact };
        if let Some(day) = flight.taken
            && !matches!(receipt.settled, Settled::Done(Outcome::Sent | Outcome::Uncertain))
        {
            self.uncount_taken(&channel, number, day)?;
        }
        self.pay_back(&channel, number, flight, receipt.settled)?;
        self.keep_messages(post, (batch, index), part, receipt)?;
        match receipt.settled {
            Settled::Done(Outcome::Held) => {
                self.hold(&channel, number, Release { post, held }, now)?;
            }
            // Not sent again before its echo had its time: it stays in flight so long.
            Settled::Done(Outcome::Uncertain) if flight.has_echo && self.is_resent(batch)? => {
                self.doubt(receipt, flight, vec![held], now)?;
            }
            Settled::Done(outcome) => {
                self.turn(batch, index, outcome)?;
                self.stamp(batch, index, now)?;
                if flight.has_echo || flight.paid.is_some() {
                    self.note_lane(batch, index, flight.lane)?;
                }
                if outcome == Outcome::Uncertain && flight.has_echo {
                    self.doubt(receipt, flight, vec![held], now)?;
                }
                if let Outcome::Failed(_) | Outcome::Uncertain = outcome {
                    // An admin may have them tried again.
                    self.keep_part(batch, index, receipt.part.max(part))?;
                }
            }
            Settled::Returned { .. } if self.tally(post)?.stopped.is_some() => {
                self.skip(batch, index, Reason::PostStopped)?;
            }
            Settled::Returned { part } => {
                self.turn(batch, index, Outcome::Waiting)?;
                self.keep_part(batch, index, part)?;
            }
        }
        self.note(post, receipt.error.as_deref(), now)?;
        self.tell_subscriber(&channel, number, receipt)
    }

    /// Keeps how many calls were accepted; a claim takes it away with it.
    pub fn keep_part(&mut self, batch: u64, index: u16, part: u8) -> Result<(), StoreError> {
        match part {
            0 => Ok(()),
            _ => self.tables.partial.put((batch, index), &Part(part)),
        }
    }

    fn settle_answer(
        &mut self,
        receipt: &Receipt,
        at: &AnswerAt,
        flight: &Flight,
        now: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let mut row = self.tables.answers.need(at.key())?;
        match receipt.settled {
            Settled::Returned { part } => {
                row.part = part;
                self.tables.answers.put(at.key(), &row)?;
                self.tables.ready.insert(at.ready_key())?;
            }
            Settled::Done(outcome) => {
                let is_to_wait = receipt.window_closed || outcome == Outcome::Held;
                self.settle_watch(at.id, is_to_wait)?;
                self.end_answer(at, &row, outcome, flight.has_echo, now)?;
                if outcome == Outcome::Uncertain && flight.has_echo {
                    let targets = row.releases.iter().map(|release| release.held).collect();
                    self.doubt(receipt, flight, targets, now)?;
                }
            }
        }
        match row.number {
            Some(number) => self.tell_subscriber(&at.channel, number, receipt),
            None => Ok(()),
        }
    }

    /// Removes an answer, settles what it carried, and lets the person's next one come.
    fn end_answer(
        &mut self,
        at: &AnswerAt,
        row: &AnswerRow,
        outcome: Outcome,
        has_echo: bool,
        now: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.tables.answers.remove(at.key())?;
        self.tables.ready.remove(at.ready_key())?;
        let next = {
            let first = self.tables.answers.rows(at.queue())?.next().transpose()?;
            first.map(|(key, _)| AnswerAt { id: key.value().2, ..at.clone() })
        };
        if let Some(next) = next {
            self.tables.ready.insert(next.ready_key())?;
        }
        for release in &row.releases {
            let HeldRow { batch, index, .. } = release.held;
            if self.tables.people.load(batch)?.is_none() {
                // Its post was pruned meanwhile.
                continue;
            }
            let is_final = match outcome {
                Outcome::Sent => true,
                Outcome::Uncertain => !self.is_resent(batch)?,
                // Without windows no contact would bring it again.
                Outcome::Failed(_) => !has_echo,
                _ => false,
            };
            match row.number {
                // Not held again before its echo had its time.
                Some(_) if !is_final && has_echo && outcome == Outcome::Uncertain => {}
                Some(number) if !is_final => {
                    self.hold(&at.channel, number, *release, now)?;
                    if !has_echo && outcome == Outcome::Uncertain {
                        // It was too much for a day, and its day has come already.
                        let due = now.map_or(0, Timestamp::as_millis);
                        self.tables.carried.insert((at.channel.as_str(), due, number))?;
                    }
                }
                _ => {
                    self.turn(batch, index, outcome)?;
                    self.note_lane(batch, index, Lane::Held)?;
                    self.stamp(batch, index, now)?;
                }
            }
            self.note(release.post, None, now)?;
        }
        Ok(())
    }

    /// Skips one recipient for good.
    pub fn skip(&mut self, batch: u64, index: u16, why: Reason) -> Result<(), StoreError> {
        self.tables.partial.remove((batch, index))?;
        self.turn(batch, index, Outcome::Skipped(why))
    }

    /// Nobody of the batch is sent the rest of a message any more; answers how many were to be.
    pub fn forget_parts(&mut self, batch: u64) -> Result<usize, StoreError> {
        let parts = {
            let range = (batch, 0)..=(batch, u16::MAX);
            let keys = self.tables.partial.rows(range)?.map(|row| Ok(row?.0.value()));
            keys.collect::<Result<Vec<_>, StoreError>>()?
        };
        for key in &parts {
            self.tables.partial.remove(*key)?;
        }
        Ok(parts.len())
    }

    /// The post, the channel and the number of a recipient.
    pub fn whose(&mut self, batch: u64, index: u16) -> Result<(u64, Name, u32), StoreError> {
        let sheet = self.sheet(batch)?;
        let number = sheet.numbers.get(usize::from(index)).copied().ok_or_else(|| {
            StoreError::Damaged { what: format!("batch {batch} has no place {index}") }
        })?;
        Ok((sheet.post, sheet.channel.clone(), number))
    }

    /// Whether what is uncertain of the batch's post is sent again; of a stopped one nothing is.
    pub fn is_resent(&mut self, batch: u64) -> Result<bool, StoreError> {
        let post = self.sheet(batch)?.post;
        let tally = self.tally(post)?;
        Ok(tally.on_uncertain == OnUncertain::Resend && tally.stopped.is_none())
    }

    /// Keeps what the answer told of the recipient.
    fn tell_subscriber(
        &mut self,
        channel: &Name,
        number: u32,
        receipt: &Receipt,
    ) -> Result<(), StoreError> {
        if receipt.standing.is_none() && receipt.moved_to.is_none() && !receipt.window_closed {
            return Ok(());
        }
        let Some(before) = self.tables.subscribers.load((channel.as_str(), number))? else {
            return Ok(());
        };
        if receipt.standing.is_some_and(|standing| standing != Standing::Active) {
            self.end_watches(channel, number)?;
        }
        let mut person = before.clone();
        // Who asked us to stop stays stopped, whatever the service says besides.
        if let Some(standing) = receipt.standing
            && before.standing != Standing::Stopped
        {
            person.standing = standing;
        }
        if receipt.window_closed {
            person.window_until = None;
        }
        if let Some(address) = &receipt.moved_to
            && *address != before.address
        {
            let key = (channel.as_str(), address.as_str());
            if self.tables.addresses.load(key)?.is_none() {
                person.address.clone_from(address);
            } else if person.standing == Standing::Active {
                // Somebody is known there already: this record is the one that is left over.
                person.standing = Standing::Gone;
            }
        }
        let mut crowd = Crowded::open(self, channel)?;
        crowd.change(self, &before, &person)?;
        crowd.close(self)
    }

    /// Keeps what an edit's answer told of the recipient.
    pub fn tell_standing(
        &mut self,
        channel: &Name,
        number: u32,
        standing: Standing,
    ) -> Result<(), StoreError> {
        let receipt = Receipt {
            ticket: Ticket(0),
            settled: Settled::Returned { part: 0 },
            part: 0,
            standing: Some(standing),
            moved_to: None,
            window_closed: false,
            error: None,
            kept: None,
        };
        self.tell_subscriber(channel, number, &receipt)
    }

    fn claim_answers(&mut self, step: &Advance, claims: &mut Vec<Claim>) -> Result<(), StoreError> {
        let (channel, has_echo) = (&step.channel, step.ways.has_windows);
        while claims.len() < step.claims {
            let first = {
                let range = (channel.as_str(), 0, "")..;
                let key = self.tables.ready.keys(range)?.next().transpose()?;
                key.and_then(|key| {
                    let (of, id, address) = key.value();
                    let address = address.to_owned();
                    (of == channel.as_str()).then(|| AnswerAt {
                        channel: channel.clone(),
                        address,
                        id,
                    })
                })
            };
            let Some(at) = first else { break };
            let row = self.tables.answers.need(at.key())?;
            let person = match row.number {
                Some(number) => self.tables.subscribers.load((channel.as_str(), number))?,
                None => None,
            };
            let is_active = person.as_ref().is_some_and(|p| p.standing == Standing::Active);
            if !row.releases.is_empty() && !is_active {
                // Nothing of a post goes to somebody who left: it stays held.
                self.end_answer(&at, &row, Outcome::Held, has_echo, None)?;
                continue;
            }
            self.tables.ready.remove(at.ready_key())?;
            let recipient = person.map_or_else(
                || Recipient {
                    number: row.number.unwrap_or(NO_NUMBER),
                    address: at.address.clone(),
                    language: row.language.clone(),
                    first_name: None,
                    timezone: None,
                    profile: Vec::new(),
                    standing: Standing::Active,
                    window_until: None,
                },
                recipient,
            );
            let id = AnswerId(at.id);
            // What was held comes so, whatever else is answered.
            let lane = if row.releases.is_empty() { Lane::Window } else { Lane::Held };
            let what = Aim::Answer(at);
            let flight = Flight { what, part: row.part, lane, has_echo, paid: None, taken: None };
            let ticket = self.give_ticket(&flight)?;
            claims.push(Claim {
                ticket,
                work: Work::Answer { id, answer: Box::new(row.answer) },
                part: row.part,
                recipient,
                lane: Lane::Window,
                token: None,
            });
        }
        Ok(())
    }

    /// Claims in fair turns; answers how many were held, and whether it stopped because it had
    /// looked at enough.
    fn claim_deliveries(
        &mut self,
        step: &Advance,
        claims: &mut Vec<Claim>,
    ) -> Result<(u64, bool), StoreError> {
        let mut turn = Turn { claims, looked_at: 0, held: 0 };
        while turn.claims.len() < step.claims {
            let next = self.next_in_line(&step.channel, &step.resting)?;
            let Some((rank, post)) = next else { break };
            if self.close_hours(post, step.now)? {
                // It takes reading what the post says.
                turn.looked_at += TURN_MAX;
                if turn.looked_at >= LOOKED_AT_MAX {
                    return Ok((turn.held, true));
                }
                continue;
            }
            let limit = step.claims.min(turn.claims.len() + TURN_MAX);
            self.claim_turn(step, post, limit, &mut turn)?;
            let goes_on = self.tally(post)?.goes_on(&step.channel);
            if !goes_on || self.open_batch(&step.channel, post)?.is_none() {
                self.tables.turns.remove((step.channel.as_str(), rank, post))?;
            }
            self.memory.served.insert((step.channel.clone(), rank), post);
            if turn.looked_at >= LOOKED_AT_MAX {
                return Ok((turn.held, true));
            }
        }
        Ok((turn.held, false))
    }

    /// One post's turn: claims until there are `limit` or the post has nobody waiting.
    fn claim_turn(
        &mut self,
        step: &Advance,
        post: u64,
        limit: usize,
        turn: &mut Turn<'_>,
    ) -> Result<(), StoreError> {
        let channel = &step.channel;
        if self.open_batch(channel, post)?.is_none() {
            return Ok(());
        }
        self.note(post, None, Some(step.now))?;
        let cap = self.cap_of(step, post)?;
        let revision = self.tables.corrections.load(post)?.map_or(0, |state| state.revision);
        let is_shared = self.is_line_shared(channel)?;
        while let Some(batch) = self.open_batch(channel, post)? {
            let mut from = if is_shared { self.sheet(batch)?.start_of(post) } else { 0 };
            while let Some(index) = self.waiting_from(batch, from)? {
                if turn.claims.len() >= limit
                    || turn.looked_at >= LOOKED_AT_MAX
                    || !self.tally(post)?.goes_on(channel)
                {
                    return Ok(());
                }
                turn.looked_at += 1;
                from = usize::from(index);
                let (_, _, number) = self.whose(batch, index)?;
                let person = self.tables.subscribers.load((channel.as_str(), number))?;
                // Another post may have found them gone meanwhile. Of who is erased there is no word.
                let standing = person.as_ref().map_or(Standing::Stopped, |it| it.standing);
                let Some(person) = person.filter(|_| standing == Standing::Active) else {
                    self.skip(batch, index, Reason::of_leaving(standing))?;
                    self.stamp(batch, index, Some(step.now))?;
                    continue;
                };
                let part = self.tables.partial.load((batch, index))?.map_or(0, |Part(part)| part);
                if part > 0 {
                    self.tables.partial.remove((batch, index))?;
                }
                let (at, wait) = (Timestamp::default(), Wait::Contact);
                let release = Release { post, held: HeldRow { batch, index, at, wait } };
                let (lane, token) = self.choose_lane(post, &person, part, step)?;
                if lane == Lane::Held {
                    self.hold(channel, number, release, Some(step.now))?;
                    turn.held += 1;
                    turn.looked_at += HELD_LOOKS;
                    continue;
                }
                // Whoever has a part of it gets the rest.
                if part == 0
                    && let Some(rest) = self.rest_of(&release, &person, step.now)?
                {
                    self.hold_until(step, number, release, rest)?;
                    turn.looked_at += HELD_LOOKS;
                    continue;
                }
                let mut taken = None;
                if let Some(max) = cap {
                    // Whoever has a part of it gets the rest.
                    if part == 0 && self.is_capped(step, number, max)? {
                        self.carry(step, number, release)?;
                        turn.looked_at += HELD_LOOKS;
                        continue;
                    }
                    taken = self.count_taken(step, number)?;
                }
                self.turn(batch, index, Outcome::InFlight)?;
                let paid = self.pay_lane(lane, number, step)?;
                let what = Aim::Delivery { batch, index };
                let has_echo = step.ways.has_windows && lane != Lane::Marketing;
                let ticket =
                    self.give_ticket(&Flight { what, part, lane, has_echo, paid, taken })?;
                turn.claims.push(Claim {
                    ticket,
                    work: Work::Delivery {
                        post: PostId(post),
                        batch: BatchId(batch),
                        index,
                        revision,
                    },
                    part,
                    recipient: recipient(person),
                    lane,
                    token,
                });
            }
        }
        Ok(())
    }

    fn give_ticket(&mut self, flight: &Flight) -> Result<Ticket, StoreError> {
        let counters = self.counters()?;
        counters.ticket += 1;
        let ticket = counters.ticket;
        self.tables.in_flight.put(ticket, flight)?;
        Ok(Ticket(ticket))
    }

    /// The first batch of the post in which somebody waits on the channel.
    pub fn open_batch(&self, channel: &Name, post: u64) -> Result<Option<u64>, StoreError> {
        let range = (channel.as_str(), post, 0)..=(channel.as_str(), post, u64::MAX);
        let key = self.tables.open_batches.keys(range)?.next().transpose()?;
        Ok(key.map(|key| key.value().2))
    }

    /// The first index that waits, from `from` on and around.
    fn waiting_from(&mut self, batch: u64, from: usize) -> Result<Option<u16>, StoreError> {
        let sheet = self.sheet(batch)?;
        let at = sheet.next_waiting(from).or_else(|| sheet.next_waiting(0));
        Ok(at.and_then(|at| u16::try_from(at).ok()))
    }
}

pub(super) fn recipient(person: Subscriber) -> Recipient {
    Recipient {
        number: person.number,
        address: person.address,
        language: person.language,
        first_name: person.first_name,
        timezone: person.timezone,
        profile: person.choices.map_or_else(Vec::new, |choices| choices.profile),
        standing: person.standing,
        window_until: person.window_until,
    }
}
