//! Checks `daily_max` and `carry_at`.

use jiff::civil::Time;

use crate::config::check::timing::Clock;
use crate::config::check::value::{got, whole};
use crate::config::problem::Findings;
use crate::config::raw::{RawCampaign, RawFile};
use crate::config::table::Entry;
use crate::model::cap::{Caps, DAILY_MAX};
use crate::model::timing::time_of_day;

/// When what was too much comes.
const CARRY_AT: Time = Time::constant(9, 0, 0, 0);

/// Days at which the hour is held against the quiet hours: a winter's and a summer's.
const TRIED_DAYS: [u32; 2] = [20_457, 20_640];

/// How much one person gets in a day; `None` where nothing is said of it.
pub(crate) fn caps(
    main: &RawFile,
    raw_campaigns: &[Entry<RawCampaign>],
    clock: &Clock,
    found: &mut Findings,
) -> Option<Caps> {
    let usual = main.daily_max.as_ref();
    let usual = whole(usual, "daily_max", 0..=DAILY_MAX, 0, found);
    let usual = Some(usual).filter(|max| *max > 0);
    let mut campaigns = Vec::new();
    for entry in raw_campaigns {
        if let Some(raw) = &entry.value.daily_max {
            let key = format!("campaigns.{}.daily_max", entry.name);
            let max = whole(Some(raw), &key, 0..=DAILY_MAX, 0, found);
            campaigns.push((entry.name.clone(), Some(max).filter(|max| *max > 0)));
        }
    }
    let days = clock.days();
    let mut carry_at = CARRY_AT;
    if let Some(raw) = &main.carry_at {
        match time_of_day(&raw.value) {
            Some(time) => carry_at = time,
            None => {
                let text = format!("must be a time of the day, got {}", got(&raw.value));
                found.problem(raw.at, "carry_at", text).hint("for example `09:00`");
            }
        }
    }
    let is_any = usual.is_some() || campaigns.iter().any(|(_, max)| max.is_some());
    if !is_any {
        if let Some(raw) = &main.carry_at
            && carry_at != CARRY_AT
        {
            found.warning(raw.at, "carry_at", "does nothing without `daily_max`");
        }
        return None;
    }
    let is_quiet = |day| {
        let at = days.at(day, carry_at);
        at.is_some_and(|at| clock.quiet().is_some_and(|quiet| !quiet.is_open(at)))
    };
    if TRIED_DAYS.into_iter().any(is_quiet) {
        let at = main.carry_at.as_ref().or(main.quiet.as_ref()).map(|raw| raw.at);
        if let Some(at) = at {
            found
                .problem(at, "carry_at", "falls into the quiet hours")
                .hint("name an hour at which people may be written to");
        }
    }
    Some(Caps { days, carry_at, usual, campaigns })
}
