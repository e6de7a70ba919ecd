//! Checks `paid_broadcast` of a channel.

use crate::config::Paid;
use crate::config::check::channels::Table;
use crate::config::check::value::{choice, number, whole};
use crate::config::problem::{Findings, Place};
use crate::config::raw::RawPaid;
use crate::model::pacing::{StarBudget, StarsPer};

/// Largest budget, in Stars.
const STARS_MAX: u64 = 10_000_000;

/// The fastest rate that can be paid for, in messages a second.
const RATE_MAX: f64 = 1_000.0;

/// A message beyond the free rate costs a tenth of a Star.
const TENTHS: u64 = 10;

/// Where the table stands; `None` for one without keys.
pub(super) fn place(raw: &RawPaid) -> Option<Place> {
    let RawPaid { stars_max, per, rate } = raw;
    let keys = [
        stars_max.as_ref().map(|one| one.at),
        per.as_ref().map(|one| one.at),
        rate.as_ref().map(|one| one.at),
    ];
    keys.into_iter().flatten().next()
}

/// The budget; `None` where nothing may be paid.
pub(super) fn paid(
    raw: Option<&RawPaid>,
    free_rate: f64,
    table: &Table<'_>,
    found: &mut Findings,
) -> Option<Paid> {
    let raw = raw?;
    let key = |key: &str| table.key(&format!("paid_broadcast.{key}"));
    let Some(stars) = &raw.stars_max else {
        let at = place(raw).unwrap_or(table.at);
        found
            .missing(at, &key("stars_max"))
            .hint("the most Stars that may be spent: a message costs 0.1 Star");
        return None;
    };
    let stars_max = whole(Some(stars), &key("stars_max"), 0..=STARS_MAX, 0, found);
    let words = [("day", StarsPer::Day), ("post", StarsPer::Post)];
    let per = match &raw.per {
        Some(per) => choice(per, &key("per"), &words, found)?,
        None => StarsPer::Day,
    };
    let rate = number(raw.rate.as_ref(), &key("rate"), 1.0..=RATE_MAX, RATE_MAX, found);
    if stars_max == 0 {
        return None;
    }
    if rate <= free_rate {
        let at = raw.rate.as_ref().map_or(stars.at, |rate| rate.at);
        let text = format!("must be more than the free rate, which is {free_rate}, got {rate}");
        found.problem(at, &key("rate"), text);
    }
    Some(Paid { budget: StarBudget { tenths_max: stars_max * TENTHS, per }, rate })
}
