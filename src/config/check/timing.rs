//! Checks when a campaign sends: `when`, `send`, `window`, `misfire` and what goes with them.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::config::check::around::Surroundings;
use crate::config::check::value::{choice, got, span, whole};
use crate::config::nearest::did_you_mean;
use crate::config::problem::Findings;
use crate::config::raw::{RawCampaign, RawDigest, RawFile, RawSend};
use crate::config::table::At;
use crate::model::condition::Condition;
use crate::model::day::Days;
use crate::model::name::Name;
use crate::model::schedule::{CronError, CronRule};
use crate::model::time::Timestamp;
use crate::model::timing::time_of_day;
use crate::model::timing::{DIGEST_ITEMS, Digest, Hours, HoursError, MISFIRE, Order, Timing};

/// Where nothing else is said.
const UTC: &str = "UTC";
/// The word for the clock of each reader.
const SUBSCRIBER: &str = "subscriber";
/// The word for no quiet hours.
const NONE: &str = "none";
/// Bounds of `misfire`: with less a busy moment would drop what is due.
const MISFIRE_BOUNDS: RangeInclusive<Duration> = Duration::from_secs(60)..=MISFIRE;
/// Most items of one digest.
const DIGEST_ITEMS_MAX: u32 = 100;
/// Largest `max_items`.
const ITEMS_MAX: u32 = 10_000;
/// An instant at which hours are tried: 2026-01-05T00:00:00Z.
const TRIED_AT: Timestamp = Timestamp::from_millis(1_767_571_200_000);

/// What holds for all campaigns.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    /// `timezone`: by which hours are meant where a campaign names none. Default UTC.
    zone: String,
    /// `quiet`: hours in which no campaign sends. Default none.
    quiet: Option<Hours>,
}

impl Clock {
    /// The hours in which no campaign sends.
    pub(crate) fn quiet(&self) -> Option<&Hours> {
        self.quiet.as_ref()
    }

    /// The civil days of the sysadmin's `timezone`.
    pub(crate) fn days(&self) -> Days {
        Days::of(&self.zone).unwrap_or_else(Days::utc)
    }

    /// By which times are meant that name no zone.
    pub fn zone(&self) -> &str {
        &self.zone
    }
}

/// `timezone` and `quiet` of the sysadmin's file.
pub(crate) fn clock(main: &RawFile, found: &mut Findings) -> Clock {
    let zone = main.timezone.as_ref().and_then(|raw| zone(raw, "timezone", found));
    let zone = zone.unwrap_or_else(|| UTC.to_owned());
    let quiet = main.quiet.as_ref().filter(|raw| raw.value.trim() != NONE).and_then(|raw| {
        Hours::quiet(&raw.value, &zone).map_err(|error| tell(&error, raw, "quiet", found)).ok()
    });
    Clock { zone, quiet }
}

/// The campaign's `when`, over items of these sources; `None` for all.
pub(crate) fn condition(
    raw: Option<&At<String>>,
    key: &str,
    sources: &[Name],
    around: &Surroundings<'_>,
    found: &mut Findings,
) -> Option<Condition> {
    let raw = raw.filter(|raw| raw.value.trim() != "true")?;
    match around.rules.condition(&raw.value, sources) {
        Ok(condition) => Some(condition),
        Err(faults) => {
            found.problems(raw.at, key, faults);
            None
        }
    }
}

/// When the campaign sends.
pub(crate) fn timing(raw: &RawCampaign, path: &str, clock: &Clock, found: &mut Findings) -> Timing {
    let key = |key: &str| format!("{path}.{key}");
    let named = raw.timezone.as_ref().filter(|raw| raw.value != SUBSCRIBER);
    let zone = named.and_then(|raw| zone(raw, &key("timezone"), found));
    let zone = zone.unwrap_or_else(|| clock.zone.clone());
    let by_reader = readers(raw, path, clock, found);
    let digest = match &raw.send {
        None => None,
        Some(RawSend::Word(word)) => {
            if word.value == "digest" {
                let hint = "say when: `send = { digest = \"0 0 9 * * *\" }`, every day at nine";
                found.problem(word.at, &key("send"), "a digest needs an hour").hint(hint);
            } else {
                choice(word, &key("send"), &[("at-once", ())], found);
            }
            None
        }
        Some(RawSend::Digest(raw)) => digest(raw, &key("send"), &zone, found),
    };
    let window = raw.window.as_ref().and_then(|raw| {
        let read = Hours::window(&raw.value, &zone);
        read.map_err(|error| tell(&error, raw, &key("window"), found)).ok().flatten()
    });
    let misfire = raw.misfire.as_ref();
    let orders = [("oldest", Order::Oldest), ("newest", Order::Newest)];
    let order = raw.order.as_ref().and_then(|raw| choice(raw, &key("order"), &orders, found));
    let quiet = match by_reader {
        true => clock.quiet.as_ref().and_then(|quiet| quiet.of_zone(&zone)),
        false => clock.quiet.clone(),
    };
    let timing = Timing {
        by_reader: by_reader && (digest.is_some() || window.is_some() || quiet.is_some()),
        digest,
        hours: window.into_iter().chain(quiet).collect(),
        misfire: span(misfire, &key("misfire"), MISFIRE_BOUNDS, MISFIRE, found),
        review: raw.review.unwrap_or(false),
        order: order.unwrap_or_default(),
        max_items: whole(raw.max_items.as_ref(), &key("max_items"), 0..=ITEMS_MAX, 0, found),
        group: raw.group.unwrap_or(false),
    };
    if let Some(window) = &raw.window {
        match timing.closed_for_long(TRIED_AT) {
            None => {}
            Some((_, None)) => {
                let text = "is never open: the quiet hours of the main settings file cover it";
                found.problem(window.at, &key("window"), text);
            }
            Some((from, Some(until))) => {
                let text = format!(
                    "the quiet hours of the main settings file cover it for a part of the year, \
                     such as from {} until {}: what is due then waits for so long",
                    day(from),
                    day(until)
                );
                let hint = "`window` and `quiet` go by clocks that change on other days";
                found.warning(window.at, &key("window"), text).hint(hint);
            }
        }
    }
    timing
}

/// Whether the campaign goes by its readers' own clocks.
fn readers(raw: &RawCampaign, path: &str, clock: &Clock, found: &mut Findings) -> bool {
    let of_digest = match &raw.send {
        Some(RawSend::Digest(digest)) => digest.timezone.as_ref(),
        _ => None,
    };
    let (key, digest_key) = (format!("{path}.timezone"), format!("{path}.send.timezone"));
    let is_readers = |raw: &&At<String>| raw.value == SUBSCRIBER;
    let of_all = raw.timezone.as_ref();
    if let (Some(all), Some(digest)) = (of_all.filter(is_readers), of_digest)
        && digest.value != SUBSCRIBER
    {
        let text = format!("must be `{SUBSCRIBER}` as `timezone` of the campaign is");
        found.problem(digest.at, &digest_key, text).other(all.at);
    }
    if let Some(all) = of_all.filter(is_readers)
        && !matches!(raw.send, Some(RawSend::Digest(_)))
        && raw.window.is_none()
        && clock.quiet.is_none()
    {
        let hint = "`send = { digest = \"09:00\" }` or `window = \"08:00-21:00\"` go by it";
        let text = "does nothing: what goes at once and at any hour goes by no clock";
        found.warning(all.at, &key, text).hint(hint);
    }
    [of_all, of_digest].into_iter().flatten().any(|raw| is_readers(&raw))
}

fn day(at: Timestamp) -> jiff::civil::Date {
    jiff::tz::TimeZone::UTC.to_datetime(at.to_jiff()).date()
}

fn digest(raw: &RawDigest, path: &str, zone_above: &str, found: &mut Findings) -> Option<Digest> {
    let key = |key: &str| format!("{path}.{key}");
    let named = raw.timezone.as_ref().filter(|raw| raw.value != SUBSCRIBER);
    let named = named.and_then(|raw| zone(raw, &key("timezone"), found));
    let bounds = 1..=DIGEST_ITEMS_MAX;
    let max_items =
        whole(raw.max_items.as_ref(), &key("max_items"), bounds.clone(), DIGEST_ITEMS, found);
    let min_items = whole(raw.min_items.as_ref(), &key("min_items"), bounds, 1, found);
    if let Some(raw) = &raw.min_items
        && min_items > max_items
    {
        let text = format!("must be at most `max_items`, which is {max_items}, got {min_items}");
        found.problem(raw.at, &key("min_items"), text);
    }
    let Some(line) = &raw.digest else {
        let hint = "for example `send = { digest = \"0 0 9 * * *\" }`, every day at nine";
        found.problem(raw.at, &key("digest"), "is needed: when the digest goes").hint(hint);
        return None;
    };
    // `9:30` is every day at that time.
    let daily = time_of_day(&line.value);
    let daily = daily.map(|time| format!("0 {} {} * * *", time.minute(), time.hour()));
    let zone = named.as_deref().unwrap_or(zone_above);
    match CronRule::parse(daily.as_deref().unwrap_or(&line.value), Some(zone)) {
        Ok(rule) => Some(Digest { rule, min_items, max_items }),
        Err(_) if line.value.contains(':') => {
            let text = format!("must be a time of the day, got {}", got(&line.value));
            let hint = "from `00:00` to `23:59`, for every day; or a cron line, such as \
                        `0 0 9 * * Mon`";
            found.problem(line.at, &key("digest"), text).hint(hint);
            None
        }
        Err(error) => {
            let hint = "for example `0 0 9 * * Mon`, or `09:00` for every day";
            found.problem(line.at, &key("digest"), error.to_string()).hint(hint);
            None
        }
    }
}

/// The zone's name, if it is one.
fn zone(raw: &At<String>, key: &str, found: &mut Findings) -> Option<String> {
    if raw.value == SUBSCRIBER {
        let text = "there is no reader whose clock it could be";
        found.problem(raw.at, key, text).hint("name a zone, such as `Europe/Chisinau`");
        return None;
    }
    if jiff::tz::TimeZone::get(&raw.value).is_ok() {
        return Some(raw.value.clone());
    }
    let zones: Vec<String> =
        jiff::tz::db().available().map(|zone| zone.as_str().to_owned()).collect();
    let known = zones.iter().map(String::as_str);
    // Campaigns may go by their readers' clocks.
    let word = key.starts_with("campaigns.").then_some(SUBSCRIBER);
    let hint = did_you_mean(&raw.value, known.chain(word))
        .unwrap_or_else(|| "for example `Europe/Chisinau`".to_owned());
    let error = CronError::UnknownZone { name: got(&raw.value).trim_matches('`').to_owned() };
    found.problem(raw.at, key, error.to_string()).hint(hint);
    None
}

fn tell(error: &HoursError, raw: &At<String>, key: &str, found: &mut Findings) {
    let text = match error {
        HoursError::Form => format!("{error}, got {}", got(&raw.value)),
        _ => error.to_string(),
    };
    found.problem(raw.at, key, text);
}
