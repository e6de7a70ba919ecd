//! How much one person gets in a day.

use jiff::civil::Time;

use crate::model::day::Days;
use crate::model::name::Name;
use crate::model::time::Timestamp;

/// Largest cap: a day's posts are counted in one byte a person.
pub const DAILY_MAX: u32 = 200;

/// Most posts that campaigns send one person in a civil day, and when the rest comes.
///
/// What is too much is held, and comes in one message at `carry_at` of the next day.
#[derive(Clone, Debug, PartialEq)]
pub struct Caps {
    pub days: Days,
    pub carry_at: Time,
    /// Of campaigns that say nothing else; `None`: no cap.
    pub usual: Option<u32>,
    /// Of campaigns that do.
    pub campaigns: Vec<(Name, Option<u32>)>,
}

impl Caps {
    /// A post of this campaign goes only to who got fewer than so many posts of campaigns today.
    pub fn of(&self, campaign: &Name) -> Option<u32> {
        let own = self.campaigns.iter().find(|(name, _)| name == campaign);
        own.map_or(self.usual, |(_, max)| *max)
    }

    /// When what is too much at `now` comes.
    pub fn carried_until(&self, now: Timestamp) -> Timestamp {
        let tomorrow = self.days.day(now) + 1;
        let day = std::time::Duration::from_secs(86_400);
        self.days.at(tomorrow, self.carry_at).unwrap_or(now + day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_comes_at_its_hour_of_the_next_civil_day() {
        let caps = Caps {
            days: Days::of("Europe/Kyiv").unwrap(),
            carry_at: jiff::civil::time(9, 0, 0, 0),
            usual: Some(3),
            campaigns: vec![(Name::parse("flash").unwrap(), None)],
        };
        let at = |text: &str| Timestamp::from_jiff(text.parse().unwrap());
        for (now, until) in [
            ("2026-11-28T12:00:00Z", "2026-11-29T07:00:00Z"),
            ("2026-11-28T21:59:59Z", "2026-11-29T07:00:00Z"),
            ("2026-11-28T22:00:00Z", "2026-11-30T07:00:00Z"),
            ("2026-03-28T12:00:00Z", "2026-03-29T06:00:00Z"),
        ] {
            assert_eq!(caps.carried_until(at(now)), at(until), "{now}");
        }
        assert_eq!(caps.of(&Name::parse("blog").unwrap()), Some(3));
        assert_eq!(caps.of(&Name::parse("flash").unwrap()), None);
    }
}
