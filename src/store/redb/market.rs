//! Marketing messages: who has agreed to them, and what was spent on them.

use redb::ReadTransaction;

use crate::model::lane::{Lane, MARKETING_GAP, Market, Optin, Reach, lane};
use crate::model::name::Name;
use crate::model::post::{Outcome, Reason, Settled};
use crate::model::subscriber::Subscriber;
use crate::model::time::Timestamp;
use crate::store::redb::ledger::Writing;
use crate::store::redb::report::place;
use crate::store::redb::rows::{Flight, LaneRow, Number, Paid, Span};
use crate::store::redb::tables::{ADDRESSES, MARKETS, OPTINS};
use crate::store::{Advance, MarketCampaign, MarketState, OptinWord, StoreError};

/// Most opt-ins that are looked at in one transaction.
const LOOKED_AT_MAX: usize = 4_096;

/// Most posts that a result which names none is looked for in.
const LOOKED_BACK_MAX: usize = 200;

/// See `Store::load_optins`.
pub(super) fn load_optins(
    read: &ReadTransaction,
    channel: &Name,
    addresses: &[String],
) -> Result<Vec<Option<Optin>>, StoreError> {
    let (numbers, optins) = (ADDRESSES.open(read)?, OPTINS.open(read)?);
    let load = |address: &String| match numbers.load((channel.as_str(), address))? {
        Some(Number(number)) => optins.load((channel.as_str(), number)),
        None => Ok(None),
    };
    addresses.iter().map(load).collect()
}

/// See `Store::load_market`.
pub(super) fn load_market(
    read: &ReadTransaction,
    channel: &Name,
) -> Result<MarketState, StoreError> {
    Ok(MARKETS.open(read)?.load(channel.as_str())?.unwrap_or_default())
}

/// See `Store::commit_market`.
pub(super) fn commit_market(
    writing: &mut Writing<'_>,
    channel: &Name,
    campaign: Option<&MarketCampaign>,
    templates: &[(String, String)],
) -> Result<(), StoreError> {
    let mut state = writing.market(channel)?;
    if let Some(campaign) = campaign {
        state.campaign = Some(campaign.clone());
    }
    state.templates = templates.to_vec();
    writing.tables.markets.put(channel.as_str(), &state)
}

/// See `Store::commit_optins`.
pub(super) fn commit_optins(
    writing: &mut Writing<'_>,
    channel: &Name,
    told: &[(String, OptinWord)],
) -> Result<usize, StoreError> {
    let mut known = 0;
    for (address, word) in told {
        let number = writing.tables.addresses.load((channel.as_str(), address))?;
        let Some(Number(number)) = number else { continue };
        known += 1;
        writing.turn_optin(channel, number, |optin| match word {
            OptinWord::Open { token, expires_at, next_at, at } => {
                // One that rests goes on resting: the list may be older than the last message.
                optin.next_at = optin.next_at.max(*next_at);
                optin.token = Some(token.clone());
                optin.expires_at = *expires_at;
                optin.told_at = Some(*at);
            }
            OptinWord::Closed => optin.token = None,
            OptinWord::Rests { until } => optin.next_at = optin.next_at.max(Some(*until)),
        })?;
    }
    Ok(known)
}

/// A part of `Store::forget_optins`: of people from a number on. Answers how many have forgotten
/// tokens, and from which number on others are to be looked at, if any.
pub(super) fn forget_optins(
    writing: &mut Writing<'_>,
    channel: &Name,
    before: Timestamp,
    from: u32,
) -> Result<(usize, Option<u32>), StoreError> {
    let (mut untold, mut next) = (Vec::new(), None);
    {
        let range = (channel.as_str(), from)..=(channel.as_str(), u32::MAX);
        for (looked_at, row) in writing.tables.optins.rows(range)?.enumerate() {
            let (key, optin) = row?;
            if looked_at >= LOOKED_AT_MAX {
                next = Some(key.value().1);
                break;
            }
            if optin.token.is_some() && optin.told_at.is_none_or(|at| at < before) {
                untold.push(key.value().1);
            }
        }
    }
    for number in &untold {
        writing.turn_optin(channel, *number, |optin| optin.token = None)?;
    }
    Ok((untold.len(), next))
}

impl Writing<'_> {
    /// Changes what is known of a person's opt-in, and the index of tokens with it.
    pub fn turn_optin(
        &mut self,
        channel: &Name,
        number: u32,
        change: impl FnOnce(&mut Optin),
    ) -> Result<(), StoreError> {
        let key = (channel.as_str(), number);
        let before = self.tables.optins.load(key)?.unwrap_or_default();
        let mut after = before.clone();
        change(&mut after);
        if after == before {
            return Ok(());
        }
        if after.token != before.token {
            if let Some(token) = &before.token {
                self.tables.tokens.remove((channel.as_str(), token))?;
            }
            if let Some(token) = &after.token {
                self.tables.tokens.put((channel.as_str(), token), &Number(number))?;
            }
        }
        self.tables.optins.put(key, &after)
    }

    /// Remembers that a person was asked.
    pub fn note_asked(
        &mut self,
        channel: &Name,
        number: u32,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.turn_optin(channel, number, |optin| optin.asked_at = Some(at))
    }

    fn market(&self, channel: &Name) -> Result<MarketState, StoreError> {
        Ok(self.tables.markets.load(channel.as_str())?.unwrap_or_default())
    }

    /// The lane in which somebody is reached now; a marketing message comes with its token, and is
    /// yet to be paid.
    pub fn choose_lane(
        &self,
        post: u64,
        person: &Subscriber,
        part: u8,
        step: &Advance,
    ) -> Result<(Lane, Option<String>), StoreError> {
        let Advance { channel, ways, now, .. } = step;
        let now = *now;
        let mut reach =
            Reach { window_until: person.window_until, beyond: None, optin: None, spent: 0 };
        let first = lane(reach, ways, now);
        if first != Lane::Held || part > 0 {
            return Ok((first, None));
        }
        let Some(beyond) = self.tables.beyonds.load(post)? else { return Ok((first, None)) };
        reach.beyond = Some(&beyond);
        let number = person.number;
        let optin = match ways.market {
            Some(_) if beyond.is_marketing => {
                self.tables.optins.load((channel.as_str(), number))?
            }
            _ => None,
        };
        reach.optin = optin.as_ref();
        if let (Some(market), Some(_)) = (&ways.market, &optin) {
            let state = self.market(channel)?;
            let is_now = state.period == market.per.number(now);
            reach.spent = if is_now { state.spent } else { 0 };
        }
        let chosen = lane(reach, ways, now);
        let token = optin.and_then(|optin| optin.token).filter(|_| chosen == Lane::Marketing);
        Ok((chosen, token))
    }

    /// Pays for a message in the lane and begins its person's gap, where it costs something.
    pub fn pay_lane(
        &mut self,
        lane: Lane,
        number: u32,
        step: &Advance,
    ) -> Result<Option<Paid>, StoreError> {
        let Advance { channel, ways, now, .. } = step;
        let (Lane::Marketing, Some(market)) = (lane, &ways.market) else { return Ok(None) };
        let paid = self.pay(channel, market, *now)?;
        let next_at = Some(*now + MARKETING_GAP);
        self.turn_optin(channel, number, |optin| optin.next_at = next_at)?;
        Ok(Some(paid))
    }

    fn pay(&mut self, channel: &Name, market: &Market, now: Timestamp) -> Result<Paid, StoreError> {
        let mut state = self.market(channel)?;
        let period = market.per.number(now);
        if state.period != period {
            (state.period, state.spent) = (period, 0);
        }
        state.spent = state.spent.saturating_add(market.cost);
        state.paid += 1;
        self.tables.markets.put(channel.as_str(), &state)?;
        Ok(Paid { period, cost: market.cost })
    }

    /// Pays back what was not sent after all, and lets the person be written to again.
    pub fn pay_back(
        &mut self,
        channel: &Name,
        number: u32,
        flight: &Flight,
        settled: Settled,
    ) -> Result<(), StoreError> {
        let Some(paid) = flight.paid else { return Ok(()) };
        if let Settled::Done(Outcome::Sent | Outcome::Uncertain) = settled {
            return Ok(());
        }
        let mut state = self.market(channel)?;
        state.paid = state.paid.saturating_sub(1);
        if state.period == paid.period {
            state.spent = state.spent.saturating_sub(paid.cost);
        }
        self.tables.markets.put(channel.as_str(), &state)?;
        match settled {
            Settled::Returned { .. } => {
                self.turn_optin(channel, number, |optin| optin.next_at = None)
            }
            // Refused: what the service said of this person stands.
            Settled::Done(_) => Ok(()),
        }
    }

    /// What became of the paid message to a token, of which nothing says which it was: the newest.
    /// It is out, or did not arrive, with the reason.
    pub fn end_paid(
        &mut self,
        channel: &Name,
        token: &str,
        why: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let number = self.tables.tokens.load((channel.as_str(), token))?;
        let Some(Number(number)) = number else { return Ok(()) };
        let newest = {
            let mut posts = Vec::new();
            for row in self.tables.beyonds.rows(..)?.rev().take(LOOKED_BACK_MAX) {
                let (post, beyond) = row?;
                if beyond.is_marketing {
                    posts.push(post.value());
                }
            }
            posts
        };
        for post in newest {
            let Some(row) = self.tables.posts.load(post)? else { continue };
            let Some((batch, index)) = self.place_of(&row.spans, channel, number)? else {
                continue;
            };
            if self.outcome(batch, index)? == Outcome::InFlight {
                // It may be this one that is told of, before its answer was taken in.
                return Ok(());
            }
            let lane = self.tables.lanes.load((batch, index))?;
            if !matches!(lane, Some(LaneRow(Lane::Marketing))) {
                continue;
            }
            let end = match (self.outcome(batch, index)?, why) {
                (Outcome::Sent | Outcome::Uncertain, Some(_)) => {
                    Outcome::Failed(Reason::Unreachable)
                }
                (Outcome::Uncertain, None) => Outcome::Sent,
                _ => return Ok(()),
            };
            self.turn(batch, index, end)?;
            self.stamp(batch, index, Some(now))?;
            self.note(post, why, Some(now))?;
            return Ok(());
        }
        Ok(())
    }

    /// The batch and the index of somebody in a post.
    fn place_of(
        &self,
        spans: &[Span],
        channel: &Name,
        number: u32,
    ) -> Result<Option<(u64, u16)>, StoreError> {
        let found = place(&self.tables.people, spans, channel.as_str(), number)?;
        Ok(found.and_then(|(batch, at)| Some((batch, u16::try_from(at).ok()?))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;
    use crate::store::redb::trial::{NOW, bot, people, store};

    #[tokio::test]
    async fn who_is_not_told_of_any_more_is_forgotten_part_by_part() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        let all = LOOKED_AT_MAX + 2;
        people(&store, all).await;
        let words = (0..all).map(|number| {
            let (token, at) = (format!("t{number}"), NOW);
            (number.to_string(), OptinWord::Open { token, expires_at: None, next_at: None, at })
        });
        store.commit_optins(&bot(), words.collect()).await.unwrap();
        let later = NOW + std::time::Duration::from_secs(1);
        let first = store.write(move |writing| forget_optins(writing, &bot(), later, 0)).await;
        let next = u32::try_from(LOOKED_AT_MAX).unwrap();
        assert_eq!(first.unwrap(), (LOOKED_AT_MAX, Some(next)));
        assert_eq!(store.forget_optins(&bot(), later).await.unwrap(), 2);
        assert_eq!(store.write(|writing| writing.tables.tokens.len()).await.unwrap(), 0);
    }
}
