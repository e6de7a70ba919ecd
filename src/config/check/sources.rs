//! Checks `[sources.*]`.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::config::Fetch;
use crate::config::check::around::Surroundings;
use crate::config::check::asking::{self, Guarded};
use crate::config::check::catalogs::{self, CatalogKeys, KINDS};
use crate::config::check::fetch::FLOOR;
use crate::config::check::pages;
use crate::config::check::value::{choice, number, span, url, whole};
use crate::config::nearest::did_you_mean;
use crate::config::problem::{Findings, Place};
use crate::config::raw::{RawChannel, RawSource};
use crate::config::table::{At, Entry};
use crate::model::schedule::{CronError, CronRule, Schedule, Span};
use crate::model::source::{FloodRule, Local, PAGES_MAX, PriceRule, Source, SourceKind};
use crate::model::time::Timestamp;

/// How often a source is polled when nothing is said.
const EVERY: Duration = Duration::from_secs(30 * 60);
/// How often a file or a folder is looked at when nothing is said.
const EVERY_LOCAL: Duration = Duration::from_secs(60);
const EVERY_MIN: Duration = Duration::from_secs(1);
const EVERY_MAX: Duration = Duration::from_secs(366 * 24 * 60 * 60);
const NEWEST_MAX: u32 = 100;
const FLOOD_ITEMS_MAX: u32 = 1_000_000;
/// Most of a product that a shop may need to have before it is told as back.
const QUANTITY_MAX: u16 = 10_000;
/// Most pages of a catalog, or parts of a sitemap.
const PAGES_LIMIT: u16 = 10_000;
/// Sources whose haste is told one by one; the rest is counted.
const HASTE_WARNINGS_MAX: usize = 20;
/// Fires of a cron line that are looked at for the shortest pause.
const FIRES_LOOKED_AT: usize = 24;
/// A Monday at midnight from which cron lines are tried: 2026-01-05T00:00:00Z.
const TRIED_FROM: Timestamp = Timestamp::from_millis(1_767_571_200_000);

/// The sources; one without a usable address is left out.
pub(crate) fn sources(
    raw: &[Entry<RawSource>],
    channels: &[Entry<RawChannel>],
    fetch: &Fetch,
    around: &Surroundings<'_>,
    found: &mut Findings,
) -> Vec<Source> {
    let mut checker = Checker {
        fetch,
        around,
        guarded: Guarded::new(channels),
        cron: HashMap::new(),
        hasty: 0,
        last_hasty: None,
    };
    let sources = raw.iter().filter_map(|entry| checker.source(entry, found)).collect();
    if let Some(at) = checker.last_hasty
        && checker.hasty > HASTE_WARNINGS_MAX
    {
        let rest = checker.hasty - HASTE_WARNINGS_MAX;
        found.warning(at, "sources", format!("{rest} more are polled as often"));
    }
    sources
}

/// A cron line and its zone as they are written.
type Line = (String, Option<String>);

struct Checker<'a> {
    fetch: &'a Fetch,
    around: &'a Surroundings<'a>,
    guarded: Guarded,
    /// Lines that were read: thousands of sources may share a few. With the shortest pause between
    /// two of their first fires.
    cron: HashMap<Line, Result<(CronRule, Option<Duration>), CronError>>,
    hasty: usize,
    /// The last source that was counted only.
    last_hasty: Option<Place>,
}

impl Checker<'_> {
    fn source(&mut self, entry: &Entry<RawSource>, found: &mut Findings) -> Option<Source> {
        let raw = &entry.value;
        let path = format!("sources.{}", entry.name);
        let key = |key: &str| format!("{path}.{key}");
        let kind = raw.kind.as_ref().and_then(|it| choice(it, &key("kind"), &KINDS, found));
        // A word that is no kind may have meant any, so nothing is foreign to it.
        if raw.kind.is_none() || kind.is_some() {
            catalogs::refuse_foreign(raw, kind.unwrap_or(SourceKind::Feed), &path, found);
        }
        let kind = kind.unwrap_or(SourceKind::Feed);
        let schedule = self.schedule(raw, &path, found);
        let first = raw.first.as_ref().and_then(|first| first.newest.as_ref());
        let flood = raw.flood.as_ref();
        let default = FloodRule::default();
        let share = number(
            flood.and_then(|flood| flood.share.as_ref()),
            &key("flood.share"),
            0.0..=1.0,
            default.share.into(),
            found,
        );
        let flood = FloodRule {
            items: whole(
                flood.and_then(|flood| flood.items.as_ref()),
                &key("flood.items"),
                0..=FLOOD_ITEMS_MAX,
                default.items,
                found,
            ),
            share: to_f32(share),
        };
        let first_newest = whole(first, &key("first.newest"), 0..=NEWEST_MAX, 0, found);
        let CatalogKeys { format, mapping, currency } = match kind {
            SourceKind::Catalog => catalogs::keys(raw, &path, entry.at, found),
            _ => CatalogKeys::default(),
        };
        let select = raw.select.as_ref();
        let select = select.and_then(|raw| pages::select(raw, &key("select"), self.around, found));
        let default = PriceRule::default();
        let least = raw.min_quantity.as_ref();
        let bounds = 1..=QUANTITY_MAX;
        let min_quantity = whole(least, &key("min_quantity"), bounds, default.min_quantity, found);
        let pages = raw.pages_max.as_ref();
        let pages_max = whole(pages, &key("pages_max"), 1..=PAGES_LIMIT, PAGES_MAX, found);
        let headers = asking::headers(raw, &path, &self.guarded, self.around, found);
        let (local, url) = self.place(entry, &path, found)?;
        Some(Source {
            local,
            headers,
            first_newest,
            flood,
            format,
            mapping,
            select,
            currency,
            // The steps come later, with those of the campaigns.
            price: PriceRule { min_quantity, ..default },
            pages_max,
            full_text: raw.full_text.as_ref().is_some_and(|full_text| full_text.value),
            watch: raw.watch.as_ref().is_some_and(|watch| watch.value),
            websub: raw.websub.as_ref().is_none_or(|websub| websub.value),
            ..Source::new(entry.name.clone(), kind, url, schedule)
        })
    }

    /// `url`, or `path` and what stands for its address.
    fn place(
        &self,
        entry: &Entry<RawSource>,
        path: &str,
        found: &mut Findings,
    ) -> Option<(Option<Arc<Local>>, Arc<str>)> {
        let raw = &entry.value;
        let key = |key: &str| format!("{path}.{key}");
        match (&raw.url, &raw.path) {
            (Some(url), None) => Some((None, self.address(url, &key("url"), found)?)),
            (None, Some(path)) => {
                if raw.headers.is_some() || raw.cookies.is_some() || raw.auth.is_some() {
                    let text = "a file needs no `headers`, `auth` or `cookies`";
                    found.problem(path.at, &key("path"), text);
                }
                let (local, url) =
                    catalogs::local(path, &key("path"), self.fetch, self.around, found)?;
                Some((Some(local), url))
            }
            (Some(_), Some(path)) => {
                found.problem(path.at, &key("path"), "can't stand beside `url`");
                None
            }
            (None, None) => {
                found.missing(entry.at, &key("url"));
                None
            }
        }
    }

    /// The address without its fragment, which is no business of the server.
    fn address(&self, raw: &At<String>, key: &str, found: &mut Findings) -> Option<Arc<str>> {
        let mut url = url(raw, key, found)?;
        url.set_fragment(None);
        if let Some(port) = url.port()
            && port != 80
            && port != 443
            && !self.fetch.ports.contains(&port)
            && self.fetch.allow_networks.is_empty()
        {
            found
                .warning(raw.at, key, format!("port {port} is not read from"))
                .hint(format!("add it in the main settings file: `fetch.ports = [{port}]`"));
        }
        Some(Arc::from(url.as_str()))
    }

    fn schedule(&mut self, raw: &RawSource, path: &str, found: &mut Findings) -> Schedule {
        let every_key = format!("{path}.every");
        if let (Some(timezone), None) = (&raw.timezone, &raw.cron) {
            let text = "belongs to `cron`, which is not given";
            found.problem(timezone.at, &format!("{path}.timezone"), text);
        }
        match (&raw.every, &raw.cron) {
            (Some(every), Some(_)) => {
                found.problem(every.at, &every_key, "can't stand beside `cron`");
                Schedule::Auto
            }
            (Some(every), None) if every.value == "auto" => Schedule::Auto,
            (None, Some(cron)) => {
                self.cron(cron, raw.timezone.as_ref(), path, raw.path.is_some(), found)
            }
            (every, None) => {
                let bounds = EVERY_MIN..=EVERY_MAX;
                if raw.path.is_some() {
                    // Nobody is bothered by that.
                    let default = EVERY_LOCAL;
                    let interval = span(every.as_ref(), &every_key, bounds, default, found);
                    return Schedule::Every(interval);
                }
                let default = EVERY.max(self.fetch.floor);
                let interval = span(every.as_ref(), &every_key, bounds, default, found);
                if let Some(every) = every {
                    self.warn_of_haste(interval, every.at, &every_key, found);
                }
                Schedule::Every(interval.max(self.fetch.floor))
            }
        }
    }

    fn cron(
        &mut self,
        raw: &At<String>,
        timezone: Option<&At<String>>,
        path: &str,
        is_local: bool,
        found: &mut Findings,
    ) -> Schedule {
        let line = (raw.value.clone(), timezone.map(|zone| zone.value.clone()));
        let read = self.cron.entry(line).or_insert_with_key(|(line, zone)| {
            let rule = CronRule::parse(line, zone.as_deref())?;
            let pause = shortest_pause(&rule);
            Ok((rule, pause))
        });
        match read.clone() {
            Ok((rule, pause)) => {
                if let Some(pause) = pause
                    && !is_local
                {
                    self.warn_of_haste(pause, raw.at, &format!("{path}.cron"), found);
                }
                Schedule::Cron(rule)
            }
            Err(error) => {
                tell_cron_error(&error, raw, timezone, path, found);
                Schedule::Auto
            }
        }
    }

    /// Asking too often is allowed down to the floor, but not in silence.
    fn warn_of_haste(&mut self, pause: Duration, at: Place, key: &str, found: &mut Findings) {
        let floor = self.fetch.floor;
        if pause >= floor && pause >= FLOOR {
            return;
        }
        self.hasty += 1;
        if self.hasty > HASTE_WARNINGS_MAX {
            self.last_hasty = Some(at);
            return;
        }
        let pause = Span(pause);
        if pause.0 < floor {
            let text = format!("{pause} is below `fetch.floor`: taken as {}", Span(floor));
            found.warning(at, key, text);
        } else {
            let text = format!("{pause} is often: sites may refuse to be asked");
            found.warning(at, key, text).hint(format!("{} or more is polite", Span(FLOOR)));
        }
    }
}

/// `None` for a line that fires once at most.
fn shortest_pause(rule: &CronRule) -> Option<Duration> {
    let mut last = rule.next_after(TRIED_FROM)?;
    let mut shortest = None;
    for _ in 1..FIRES_LOOKED_AT {
        let Some(next) = rule.next_after(last) else { break };
        let pause = next.since(last);
        shortest = Some(shortest.map_or(pause, |shortest: Duration| shortest.min(pause)));
        last = next;
    }
    shortest
}

fn tell_cron_error(
    error: &CronError,
    raw: &At<String>,
    timezone: Option<&At<String>>,
    path: &str,
    found: &mut Findings,
) {
    if let (CronError::UnknownZone { name }, Some(timezone)) = (error, timezone) {
        let zones: Vec<String> =
            jiff::tz::db().available().map(|zone| zone.as_str().to_owned()).collect();
        let hint = did_you_mean(name, zones.iter().map(String::as_str))
            .unwrap_or_else(|| "for example `Europe/Chisinau`".to_owned());
        found.problem(timezone.at, &format!("{path}.timezone"), error.to_string()).hint(hint);
        return;
    }
    let finding = found.problem(raw.at, &format!("{path}.cron"), error.to_string());
    if let CronError::FieldCount { .. } = error {
        finding.hint("for example `30 9 * * *`: minute, hour, day of the month, month, weekday");
    }
}

/// The nearest `f32`; shares need no more.
#[expect(clippy::cast_possible_truncation, reason = "a share of 0 to 1 only loses digits")]
fn to_f32(share: f64) -> f32 {
    share as f32
}
