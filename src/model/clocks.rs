//! Hours of readers' own clocks: which one comes next, where it comes first, and who reads by which.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use crate::model::name::Name;
use crate::model::schedule::CronRule;
use crate::model::time::Timestamp;
use crate::model::timing::{Hours, opening};
use crate::model::zone::{Wall, Zone};

/// People of channels, by their numbers, ascending.
pub type Numbers = Vec<(Name, Vec<u32>)>;

/// The zones that people of a channel have told, and the numbers of these, ascending.
pub type Told = BTreeMap<Name, Vec<(Zone, Vec<u32>)>>;

/// When the first of these clocks shows an hour; `None` of no clocks.
pub fn first(clocks: &[TimeZone], hour: Wall) -> Option<Timestamp> {
    clocks.iter().filter_map(|zone| hour.on(zone)).min()
}

/// The first hour of the line that none of the clocks has come to, and that is not decided yet;
/// `None` after the line's last year.
pub fn next(
    rule: &CronRule,
    clocks: &[TimeZone],
    decided: Option<Wall>,
    now: Timestamp,
) -> Option<Wall> {
    let shown = clocks.iter().map(|zone| Wall::at(zone, now)).max();
    let mut hour = shown.max(decided)?;
    loop {
        hour = rule.wall_after(hour)?;
        // In the second pass of an hour that comes twice, those that follow may be over.
        if first(clocks, hour)? > now {
            return Some(hour);
        }
    }
}

/// Whether the line has that hour.
pub fn has(rule: &CronRule, hour: Wall) -> bool {
    rule.wall_after(hour.before()) == Some(hour)
}

/// When people by these clocks may be written to: at their hour, or from `now` on, within `hours`
/// on their own clocks. `None` when that never comes.
pub fn opens(
    hour: Option<Wall>,
    hours: &[Hours],
    clocks: &TimeZone,
    now: Timestamp,
) -> Option<Timestamp> {
    let ready = match hour {
        Some(hour) => hour.on(clocks)?,
        None => now,
    };
    let hours: Vec<Hours> = hours.iter().map(|hours| hours.on(clocks)).collect();
    opening(&hours, ready)
}

/// People whose clocks go alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// When they may be written to.
    pub opens_at: Timestamp,
    /// Their zones, and of how many of them each is; that of the most first.
    pub zones: Vec<(Zone, u64)>,
    /// Those who have told no zone are among them.
    pub has_rest: bool,
    pub numbers: Numbers,
}

/// Parts people by their clocks, the earliest first; each is in one part. Who has told no zone is
/// in `rest`; `opens` says when people of a zone may be written to.
pub fn parts(
    numbers: &[(Name, Vec<u32>)],
    told: &Told,
    rest: &Zone,
    opens: &dyn Fn(&TimeZone) -> Option<Timestamp>,
) -> Vec<Part> {
    let mut parts: BTreeMap<(Timestamp, i32), Part> = BTreeMap::new();
    for (channel, numbers) in numbers {
        for (zone, numbers, is_rest) in by_zone(numbers, told.get(channel), rest) {
            let Some(clocks) = zone.clocks() else { continue };
            // One that never shows the hour is behind all others.
            let opens_at = opens(&clocks).unwrap_or(Timestamp::from_millis(i64::MAX));
            let offset = clocks.to_offset(opens_at.to_jiff()).seconds();
            let part = parts.entry((opens_at, offset)).or_insert_with(|| Part {
                opens_at,
                zones: Vec::new(),
                has_rest: false,
                numbers: Vec::new(),
            });
            part.add(channel, &zone, &numbers);
            part.has_rest |= is_rest;
        }
    }
    let mut parts: Vec<Part> = parts.into_values().collect();
    for part in &mut parts {
        part.numbers.iter_mut().for_each(|(_, numbers)| numbers.sort_unstable());
        part.zones.sort_by(|one, other| (other.1, &one.0).cmp(&(one.1, &other.0)));
    }
    parts
}

impl Part {
    fn add(&mut self, channel: &Name, zone: &Zone, numbers: &[u32]) {
        let people = numbers.len() as u64;
        match self.zones.iter_mut().find(|(known, _)| known == zone) {
            Some((_, count)) => *count += people,
            None => self.zones.push((zone.clone(), people)),
        }
        match self.numbers.iter_mut().find(|(known, _)| known == channel) {
            Some((_, all)) => all.extend(numbers),
            None => self.numbers.push((channel.clone(), numbers.to_vec())),
        }
    }
}

/// The people of a channel by their zones, and whether these are the ones that have told none.
fn by_zone(
    numbers: &[u32],
    told: Option<&Vec<(Zone, Vec<u32>)>>,
    rest: &Zone,
) -> Vec<(Zone, Vec<u32>, bool)> {
    let mut zones: Vec<(Zone, Vec<u32>, bool)> = Vec::new();
    let mut taken: Vec<u32> = Vec::new();
    for (zone, people) in told.into_iter().flatten() {
        let of_zone: Vec<u32> =
            people.iter().filter(|number| numbers.binary_search(number).is_ok()).copied().collect();
        if !of_zone.is_empty() {
            taken.extend(&of_zone);
            zones.push((zone.clone(), of_zone, false));
        }
    }
    taken.sort_unstable();
    let left: Vec<u32> =
        numbers.iter().filter(|number| taken.binary_search(number).is_err()).copied().collect();
    if !left.is_empty() {
        zones.push((rest.clone(), left, true));
    }
    zones
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_jiff(text.parse().unwrap())
    }

    fn clocks(names: &[&str]) -> Vec<TimeZone> {
        names.iter().map(|name| Zone::exactly(name).unwrap().clocks().unwrap()).collect()
    }

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    #[test]
    fn an_hour_comes_first_where_the_clocks_are_ahead() {
        let rule = CronRule::parse("0 0 9 * * *", None).unwrap();
        let all = clocks(&["America/New_York", "Europe/Rome", "Asia/Tokyo"]);
        let now = at("2026-11-27T23:59:59Z");
        let saturday = next(&rule, &all, None, now).unwrap();
        assert_eq!(saturday.to_string(), "2026-11-28 09:00");
        assert_eq!(first(&all, saturday), Some(at("2026-11-28T00:00:00Z")));
        assert!(has(&rule, saturday) && !has(&rule, saturday.before()));
        // Tokyo has come to it: what is gathered from now on is for the next day.
        let sunday = next(&rule, &all, None, at("2026-11-28T00:00:00Z")).unwrap();
        assert_eq!(sunday.to_string(), "2026-11-29 09:00");
        // Without Tokyo it is still to come, unless it was decided.
        let west = &all[..2];
        assert_eq!(next(&rule, west, None, at("2026-11-28T00:00:00Z")), Some(saturday));
        assert_eq!(next(&rule, west, Some(saturday), at("2026-11-28T00:00:00Z")), Some(sunday));
        let past = CronRule::parse("0 0 9 * * * 2020", None).unwrap();
        assert_eq!(next(&past, &all, None, now), None);
    }

    #[test]
    fn everybody_gets_each_hour_once_in_fifty_zones_over_a_year() {
        let names: Vec<String> =
            jiff::tz::db().available().map(|name| name.as_str().to_owned()).collect();
        let of_cities = names.iter().filter(|name| name.contains('/') && !name.starts_with("Etc"));
        let step = of_cities.clone().count() / 50;
        let mut zones: Vec<&str> =
            of_cities.step_by(step.max(1)).take(50).map(String::as_str).collect();
        zones.extend(["Australia/Lord_Howe", "America/St_Johns", "Africa/Cairo", "Pacific/Apia"]);
        let clocks = clocks(&zones);
        assert!(clocks.len() >= 50);
        // At nine, and where clocks are changed: skipped hours and hours that come twice.
        for line in ["0 0 9 * * *", "0 30 2 * * *", "0 0 0 * * *"] {
            let rule = CronRule::parse(line, None).unwrap();
            let (mut now, mut decided) = (at("2026-01-01T00:00:00Z"), None);
            let mut hours = BTreeSet::new();
            let mut sent: Vec<Vec<Timestamp>> = vec![Vec::new(); clocks.len()];
            // Each time the first of the clocks comes to an hour, all get theirs.
            while let Some(hour) = next(&rule, &clocks, decided, now) {
                if hour.civil().year() > 2026 {
                    break;
                }
                now = first(&clocks, hour).unwrap();
                decided = Some(hour);
                assert!(hours.insert(hour), "{line}: {hour} twice");
                for (zone, sent) in clocks.iter().zip(&mut sent) {
                    let at = hour.on(zone).unwrap();
                    assert!(at >= now, "{line}: {hour} is past in {zone:?}");
                    assert!(at.since(now) <= Duration::from_secs(27 * 3_600));
                    sent.push(at);
                }
            }
            let days: BTreeSet<_> = hours.iter().map(|hour| hour.civil().date()).collect();
            assert!(days.len() == hours.len() && hours.len() >= 364, "{line}: {}", hours.len());
            for (zone, sent) in clocks.iter().zip(&sent) {
                assert!(sent.is_sorted_by(|one, next| one < next), "{line} in {zone:?}");
                let days: BTreeSet<_> =
                    sent.iter().map(|at| zone.to_datetime(at.to_jiff()).date()).collect();
                // A gap at midnight ends on the same day, so each day has one.
                assert_eq!(days.len(), sent.len(), "{line} in {zone:?}");
            }
        }
    }

    #[test]
    fn people_are_parted_by_their_clocks() {
        let (bot, page) = (name("bot"), name("page"));
        let zone = |name: &str| Zone::exactly(name).unwrap();
        let told = Told::from([
            (
                bot.clone(),
                vec![
                    (zone("Asia/Tokyo"), vec![2, 9]),
                    (zone("Europe/Berlin"), vec![3]),
                    (zone("Europe/Rome"), vec![4, 5, 100]),
                ],
            ),
            (page.clone(), vec![(zone("Europe/Rome"), vec![1])]),
        ]);
        let numbers = [(bot.clone(), vec![1, 2, 3, 4, 5, 6]), (page.clone(), vec![0, 1])];
        let nine = Wall::of(jiff::civil::date(2026, 11, 28).at(9, 0, 0, 0));
        let found = parts(&numbers, &told, &zone("UTC"), &|clocks| nine.on(clocks));
        let part = |opens_at: &str,
                    zones: &[(&str, u64)],
                    has_rest,
                    numbers: &[(&Name, &[u32])]| Part {
            opens_at: at(opens_at),
            zones: zones.iter().map(|(name, people)| (zone(name), *people)).collect(),
            has_rest,
            numbers: numbers.iter().map(|(name, all)| ((*name).clone(), all.to_vec())).collect(),
        };
        let expected = [
            part("2026-11-28T00:00:00Z", &[("Asia/Tokyo", 1)], false, &[(&bot, &[2])]),
            part(
                "2026-11-28T08:00:00Z",
                &[("Europe/Rome", 3), ("Europe/Berlin", 1)],
                false,
                &[(&bot, &[3, 4, 5]), (&page, &[1])],
            ),
            part("2026-11-28T09:00:00Z", &[("UTC", 3)], true, &[(&bot, &[1, 6]), (&page, &[0])]),
        ];
        assert_eq!(found, expected);
    }
}
