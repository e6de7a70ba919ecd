//! The pace of channels, channels that are halted, and Stars that are spent.

use redb::ReadTransaction;

use crate::model::channel::ChannelState;
use crate::model::name::Name;
use crate::model::pacing::{Halt, Pacing, StarsAsked, StarsPer};
use crate::model::post::PostId;
use crate::store::StoreError;
use crate::store::redb::ledger::Writing;
use crate::store::redb::rows::Stars;
use crate::store::redb::tables::{HALTS, PACINGS, STARS};

/// The kinds of rows of spent Stars: of a day, and of a post.
const OF_DAY: u8 = 0;
const OF_POST: u8 = 1;

/// How many days it is remembered what they cost.
const DAYS_KEPT: u32 = 100;

/// See `Store::load_pacing`.
pub(super) fn load_pacing(
    read: &ReadTransaction,
    channel: &Name,
) -> Result<Option<Pacing>, StoreError> {
    PACINGS.open(read)?.load(channel.as_str())
}

/// See `Store::load_halt`.
pub(super) fn load_halt(
    read: &ReadTransaction,
    channel: &Name,
) -> Result<Option<Halt>, StoreError> {
    HALTS.open(read)?.load(channel.as_str())
}

/// What a channel spent on a day; in tenths of a Star.
pub(super) fn stars_of_day(
    read: &ReadTransaction,
    channel: &Name,
    day: u32,
) -> Result<u64, StoreError> {
    let row = STARS.open(read)?.load((channel.as_str(), OF_DAY, day.into()))?;
    Ok(row.map_or(0, |Stars(tenths)| tenths))
}

/// What a post cost on a channel; in tenths of a Star.
pub(super) fn stars_of_post(
    read: &ReadTransaction,
    channel: &Name,
    post: PostId,
) -> Result<u64, StoreError> {
    let row = STARS.open(read)?.load((channel.as_str(), OF_POST, post.0))?;
    Ok(row.map_or(0, |Stars(tenths)| tenths))
}

impl Writing<'_> {
    /// See `Store::commit_halt`.
    pub fn keep_halt(&mut self, channel: &Name, halt: Option<&Halt>) -> Result<bool, StoreError> {
        let before = self.tables.halts.load(channel.as_str())?;
        match halt {
            // The first reason stands.
            Some(_) if before.is_some() => return Ok(false),
            Some(halt) => self.tables.halts.put(channel.as_str(), halt)?,
            None => {
                self.tables.halts.remove(channel.as_str())?;
            }
        }
        let is_changed = before.is_some() != halt.is_some();
        if is_changed {
            self.recall_stages(channel)?;
        }
        Ok(is_changed)
    }

    /// See `Store::commit_channel`.
    pub fn keep_channel(&mut self, channel: &Name, state: &ChannelState) -> Result<(), StoreError> {
        let before = self.tables.channels.load(channel.as_str())?;
        self.tables.channels.put(channel.as_str(), state)?;
        match before.is_some_and(|before| before.paused.is_some()) == state.paused.is_some() {
            true => Ok(()),
            false => self.recall_stages(channel),
        }
    }

    /// See `Store::take_stars`.
    pub fn take_stars(&mut self, channel: &Name, asked: &StarsAsked) -> Result<u64, StoreError> {
        let of_day = self.stars(channel, OF_DAY, asked.day.into())?;
        let of_post = self.stars(channel, OF_POST, asked.post.0)?;
        let spent = match asked.budget.per {
            StarsPer::Day => of_day,
            StarsPer::Post => of_post,
        };
        let granted = asked.tenths.min(asked.budget.tenths_max.saturating_sub(spent));
        if granted > 0 {
            self.put_stars(channel, OF_DAY, asked.day.into(), of_day.saturating_add(granted))?;
            self.put_stars(channel, OF_POST, asked.post.0, of_post.saturating_add(granted))?;
        }
        Ok(granted)
    }

    /// See `Store::return_stars`.
    pub fn return_stars(
        &mut self,
        channel: &Name,
        post: PostId,
        day: u32,
        tenths: u64,
    ) -> Result<(), StoreError> {
        for (kind, key) in [(OF_DAY, u64::from(day)), (OF_POST, post.0)] {
            let spent = self.stars(channel, kind, key)?;
            self.put_stars(channel, kind, key, spent.saturating_sub(tenths))?;
        }
        Ok(())
    }

    /// Forgets at most `limit` rows of old days and of posts that are gone; answers how many.
    pub fn prune_stars(&mut self, day: u32, limit: usize) -> Result<usize, StoreError> {
        let mut old = Vec::new();
        for row in self.tables.stars.rows(..)? {
            let (key, _) = row?;
            let (channel, kind, of) = key.value();
            let is_old = match kind {
                OF_POST => self.tables.posts.load(of)?.is_none(),
                _ => of < u64::from(day.saturating_sub(DAYS_KEPT)),
            };
            if is_old {
                old.push((channel.to_owned(), kind, of));
            }
            if old.len() >= limit {
                break;
            }
        }
        for (channel, kind, of) in &old {
            self.tables.stars.remove((channel.as_str(), *kind, *of))?;
        }
        Ok(old.len())
    }

    fn stars(&self, channel: &Name, kind: u8, of: u64) -> Result<u64, StoreError> {
        let row = self.tables.stars.load((channel.as_str(), kind, of))?;
        Ok(row.map_or(0, |Stars(tenths)| tenths))
    }

    fn put_stars(
        &mut self,
        channel: &Name,
        kind: u8,
        of: u64,
        tenths: u64,
    ) -> Result<(), StoreError> {
        self.tables.stars.put((channel.as_str(), kind, of), &Stars(tenths))
    }
}
