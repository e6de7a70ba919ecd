//! What a world may have beside the usual: daily caps, lanes beyond a window, Stars to spend,
//! reviewers, chats of the settings, late joiners.
//!
//! It is drawn from dice of its own, so that a plain world is the one that its seed always made.

use std::time::Duration;

use jiff::ToSpan;
use jiff::tz::TimeZone;
use tidings::model::cap::Caps;
use tidings::model::day::Days;
use tidings::model::time::Timestamp;

use crate::dice::Dice;
use crate::rules::ZONES;

/// Keeps the dice of extras apart from those of the world.
const APART: u64 = 0x5eed_0000_0000_0000;

/// Each extra is in so many of a hundred worlds.
const SHARE: u64 = 35;

/// A chat of the settings that is a group, and one that is a channel.
pub const GROUP: i64 = -7_001;
pub const BROADCAST: i64 = -1_007_002;

/// Who looks at what waits to be looked at.
pub const REVIEWER: i64 = 600_001;

/// What one marketing message costs at most, in hundredths.
pub const COST: u64 = 40;

/// A template that the page has.
pub const TEMPLATE: &str = "visit";

#[derive(Clone, Debug)]
pub struct Extras {
    pub dice: Dice,
    pub cap: Option<Cap>,
    pub lanes: Option<Lanes>,
    pub stars: Option<Stars>,
    pub has_reviewer: bool,
    pub has_chats: bool,
    pub has_late: bool,
}

/// How much one person gets in a day.
#[derive(Clone, Debug)]
pub struct Cap {
    pub max: u64,
    pub zone: &'static str,
    /// The time at which the rest comes.
    pub carry_at: String,
    /// That of the campaign `once`, where it has its own.
    pub once_max: Option<u64>,
    /// The world begins shortly before a midnight.
    is_late: bool,
}

/// What goes to people of the page whose window is closed.
#[derive(Clone, Debug)]
pub struct Lanes {
    pub held_for: &'static str,
    pub has_echoes: bool,
    /// In hundredths: what may be spent a day on marketing messages, if any are sent.
    pub spend_max: Option<u64>,
}

/// What may be spent on Telegram.
#[derive(Clone, Copy, Debug)]
pub struct Stars {
    pub max: u64,
    pub is_per_day: bool,
    /// Messages a second, free and paid.
    pub rate: u64,
}

impl Extras {
    /// None of it.
    pub fn none() -> Self {
        Self {
            dice: Dice::new(APART),
            cap: None,
            lanes: None,
            stars: None,
            has_reviewer: false,
            has_chats: false,
            has_late: false,
        }
    }

    pub fn draw(seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ APART);
        let mut has = || dice.percent(SHARE);
        let (cap, lanes, stars) = (has(), has(), has());
        let (has_reviewer, has_chats, has_late) = (has(), has(), has());
        let cap = cap.then(|| Cap::draw(&mut dice));
        let lanes = lanes.then(|| Lanes::draw(&mut dice));
        let stars = stars.then(|| Stars {
            max: dice.between(1, 8),
            is_per_day: dice.percent(50),
            rate: dice.between(40, 200),
        });
        Self { dice, cap, lanes, stars, has_reviewer, has_chats, has_late }
    }

    pub fn is_none(&self) -> bool {
        let Self { dice: _, cap, lanes, stars, has_reviewer, has_chats, has_late } = self;
        let has_some = cap.is_some() || lanes.is_some() || stars.is_some();
        !(has_some || *has_reviewer || *has_chats || *has_late)
    }

    /// When the world begins, of what was drawn: what a day counts is seen where one ends.
    pub fn start(&mut self, drawn: Timestamp) -> Timestamp {
        let Some(cap) = self.cap.as_ref().filter(|cap| cap.is_late) else { return drawn };
        let zone = TimeZone::get(cap.zone).unwrap();
        let day = zone.to_datetime(drawn.to_jiff()).date() + 1.day();
        let midnight = day.to_zoned(zone).unwrap().timestamp();
        Timestamp::from_jiff(midnight) - Duration::from_secs(self.dice.between(20, 600))
    }
}

impl Cap {
    fn draw(dice: &mut Dice) -> Self {
        let is_late = dice.percent(80);
        let carry_at =
            if is_late { format!("00:{:02}", dice.between(1, 25)) } else { "09:00".into() };
        Self {
            max: dice.between(1, 4),
            zone: *dice.pick(&ZONES),
            carry_at,
            once_max: dice.percent(40).then(|| dice.between(0, 6)),
            is_late,
        }
    }

    /// As the daemon has it, but for what is of one campaign.
    pub fn caps(&self) -> Caps {
        Caps {
            days: Days::of(self.zone).unwrap(),
            carry_at: format!("{}:00", self.carry_at).parse().unwrap(),
            usual: u32::try_from(self.max).ok(),
            campaigns: vec![],
        }
    }

    /// How many a campaign's posts may be the last of; `None`: however many.
    pub fn of(&self, campaign: &str) -> Option<u64> {
        let own = self.once_max.filter(|_| campaign == "once");
        Some(own.unwrap_or(self.max)).filter(|max| *max > 0)
    }
}

impl Lanes {
    fn draw(dice: &mut Dice) -> Self {
        Self {
            held_for: *dice.pick(&["14d", "14d", "5m", "0s"]),
            has_echoes: dice.percent(60),
            spend_max: dice.percent(60).then(|| *dice.pick(&[COST, 3 * COST, 50 * COST])),
        }
    }
}
