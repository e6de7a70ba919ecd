//! What people choose of how things come to them: how often, at which hour, in which hours not, in
//! which language; and what they have told of themselves when they were asked.
//!
//! An hour is one of their own clock: of the zone that they told, else of the one that the settings
//! had when they chose. Nothing here is asked of somebody who has chosen nothing.

use std::fmt;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::model::name::Name;
use crate::model::priority::Priority;
use crate::model::subscriber::Subscriber;
use crate::model::time::Timestamp;
use crate::model::zone::{Wall, Zone};

/// Most fields that are kept of a person.
pub const FIELDS_MAX: usize = 16;

/// Longest answer that is kept in a field, in characters.
pub const FIELD_CHARS_MAX: usize = 200;

/// The hour of who has chosen none.
pub const HOUR: Minute = Minute(9 * 60);

/// The day of the week of who has chosen none: Monday.
pub const DAY: Weekday = Weekday(0);

/// From this priority on a post comes at once, whatever people have chosen.
pub const URGENT_FROM: Priority = Priority::HIGH;

/// Minutes of a day.
const DAY_MINUTES: u16 = 24 * 60;

/// Days that are looked through for the next hour on a day of the week: one more than a week, for
/// hours that are over today.
const DAYS_AHEAD: usize = 8;

/// What one person has chosen. The default is what holds for everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choices {
    /// They have chosen their language: what the service tells of it does not count.
    pub has_language: bool,
    /// How often all comes where there are no topics to choose among.
    pub all: Pace,
    /// The topics that do not come at once, sorted.
    pub paces: Vec<(Name, Pace)>,
    /// When that comes which does not come at once; `None`: at [`HOUR`].
    pub hour: Option<Minute>,
    /// On which day that comes which comes once a week; `None`: on [`DAY`].
    pub day: Option<Weekday>,
    pub quiet: Option<Quiet>,
    /// By which clocks their hours go while they have told no zone: those that the settings had
    /// when they chose. `None`: UTC.
    pub clock: Option<Zone>,
    /// What they have told of themselves, by the field's name, sorted; at most [`FIELDS_MAX`] of
    /// [`FIELD_CHARS_MAX`] each.
    pub profile: Vec<(Name, String)>,
    /// What they were asked last: what they say next answers it.
    pub asked: Option<Question>,
}

/// Something that a person was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    pub about: About,
    /// By the time of what they did then.
    pub at: Timestamp,
}

/// What somebody is asked about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum About {
    /// A field of their profile.
    Field(Name),
    /// What they look for.
    Search,
    /// Which product they want to be told of.
    Product,
}

/// How often a topic comes.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Pace {
    #[default]
    Once,
    Daily,
    Weekly,
}

/// A minute of the day, 0 to 1,439.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Minute(u16);

/// A day of the week; Monday is 0.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Weekday(u8);

/// Hours in which nothing comes: from the first minute up to the second, which is not among them,
/// over midnight where it is the smaller one. The two are never the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Quiet {
    from: Minute,
    to: Minute,
}

/// What answers a field of the profile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FieldKind {
    /// Any line.
    #[default]
    Text,
    /// A number, with a dot or a comma.
    Number,
    /// One of the options.
    Choice,
}

/// What a post that is held for somebody waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wait {
    /// Their window is closed: their next contact.
    #[default]
    Contact,
    /// They got as much that day as the cap allows: its hour on the next day.
    Cap,
    /// They want it once a day: their hour.
    Daily,
    /// They want it once a week: their hour on their day.
    Weekly,
    /// It is in their quiet hours: the end of these.
    Quiet,
}

impl Pace {
    pub const ALL: [Self; 3] = [Self::Once, Self::Daily, Self::Weekly];

    /// The word for it in commands and listings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
        }
    }
}

impl Minute {
    /// `None` for what no day has.
    pub fn new(minute: u16) -> Option<Self> {
        (minute < DAY_MINUTES).then_some(Self(minute))
    }

    /// Reads what people write: `9`, `09:30`, `9.30`, `21h`, `9pm`. `24` is midnight.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase();
        let (text, half) = match (text.strip_suffix("pm"), text.strip_suffix("am")) {
            (Some(text), _) => (text.to_owned(), Some(12)),
            (_, Some(text)) => (text.to_owned(), Some(0)),
            _ => (text, None),
        };
        let text = text.trim().trim_end_matches(['h', ':']);
        let (hours, minutes) = text.split_once([':', '.', 'h']).unwrap_or((text, "0"));
        let number = |text: &str| {
            let is_short = (1..=2).contains(&text.len());
            let digits = is_short && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse::<u16>().ok()).flatten()
        };
        let (hours, minutes) = (number(hours)?, number(minutes)?);
        let hours = match half {
            Some(half) if (1..=12).contains(&hours) => hours % 12 + half,
            Some(_) => return None,
            None => hours,
        };
        let is_known = minutes < 60 && (hours < 24 || (hours == 24 && minutes == 0));
        is_known.then_some(Self((hours * 60 + minutes) % DAY_MINUTES))
    }

    fn of(time: Time) -> Self {
        let part = |value: i8| u16::try_from(value).unwrap_or(0);
        Self(part(time.hour()) * 60 + part(time.minute()))
    }

    fn time(self) -> Time {
        let part = |value: u16| i8::try_from(value).unwrap_or(0);
        Time::new(part(self.0 / 60), part(self.0 % 60), 0, 0).unwrap_or_default()
    }
}

/// `9:00`.
impl fmt::Display for Minute {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl Weekday {
    pub const ALL: [Self; 7] = [Self(0), Self(1), Self(2), Self(3), Self(4), Self(5), Self(6)];

    /// The words for them in commands.
    const WORDS: [&'static str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

    /// Reads `mon` and what begins so.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase();
        let at = Self::WORDS.iter().position(|word| text.starts_with(word))?;
        Self::ALL.get(at).copied()
    }

    pub fn as_str(self) -> &'static str {
        Self::WORDS.get(self.place()).copied().unwrap_or("mon")
    }

    /// Its place in the week.
    pub fn place(self) -> usize {
        usize::from(self.0)
    }

    fn of(date: Date) -> Self {
        Self(u8::try_from(date.weekday().to_monday_zero_offset()).unwrap_or(0))
    }
}

impl Quiet {
    /// `None` where the two are the same.
    pub fn new(from: Minute, to: Minute) -> Option<Self> {
        (from != to).then_some(Self { from, to })
    }

    /// Reads `22-7`, `22:30–7:15`, `22 7`.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let (from, to) =
            text.split_once(['-', '–', '—']).or_else(|| text.split_once(char::is_whitespace))?;
        Self::new(Minute::read(from)?, Minute::read(to)?)
    }

    /// When they end, if the instant is among them.
    pub fn ends_at(self, zone: &TimeZone, at: Timestamp) -> Option<Timestamp> {
        let shown = Wall::at(zone, at).civil();
        let now = Minute::of(shown.time());
        let (is_quiet, is_tomorrow) = if self.from < self.to {
            (self.from <= now && now < self.to, false)
        } else {
            (now >= self.from || now < self.to, now >= self.from)
        };
        if !is_quiet {
            return None;
        }
        let date = if is_tomorrow { shown.date().tomorrow().ok()? } else { shown.date() };
        // An hour that the clocks show twice may have ended once already.
        Wall::of(date.to_datetime(self.to.time())).on(zone).filter(|end| *end > at)
    }
}

/// `22:00–7:00`.
impl fmt::Display for Quiet {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}–{}", self.from, self.to)
    }
}

impl Wait {
    /// The word for it in listings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Cap => "daily-max",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Quiet => "quiet-hours",
        }
    }

    /// The person has chosen it.
    pub fn is_chosen(self) -> bool {
        matches!(self, Self::Daily | Self::Weekly | Self::Quiet)
    }
}

impl Choices {
    /// How often the topic comes.
    pub fn pace(&self, topic: &Name) -> Pace {
        match self.paces.binary_search_by(|(own, _)| own.cmp(topic)) {
            Ok(at) => self.paces.get(at).map_or(Pace::Once, |(_, pace)| *pace),
            Err(_) => Pace::Once,
        }
    }

    /// The topic comes so often from now on.
    pub fn set_pace(&mut self, topic: &Name, pace: Pace) {
        let place = self.paces.binary_search_by(|(own, _)| own.cmp(topic));
        match (place, pace) {
            (Ok(at), Pace::Once) => {
                self.paces.remove(at);
            }
            (Ok(at), pace) => {
                if let Some((_, own)) = self.paces.get_mut(at) {
                    *own = pace;
                }
            }
            (Err(_), Pace::Once) => {}
            (Err(at), pace) => self.paces.insert(at, (topic.clone(), pace)),
        }
    }

    /// What they have told of a field.
    pub fn told(&self, field: &str) -> Option<&str> {
        let told = self.profile.iter().find(|(name, _)| name.as_str() == field);
        told.map(|(_, told)| told.as_str())
    }

    /// Keeps what they tell of a field, up to [`FIELD_CHARS_MAX`]; `None` takes it away. A field
    /// beyond [`FIELDS_MAX`] is not kept.
    pub fn tell(&mut self, field: &Name, told: Option<&str>) {
        let told = told.map(|told| told.chars().take(FIELD_CHARS_MAX).collect::<String>());
        let place = self.profile.binary_search_by(|(name, _)| name.cmp(field));
        match (place, told) {
            (Ok(at), None) => {
                self.profile.remove(at);
            }
            (Ok(at), Some(told)) => {
                if let Some((_, own)) = self.profile.get_mut(at) {
                    *own = told;
                }
            }
            (Err(at), Some(told)) if self.profile.len() < FIELDS_MAX => {
                self.profile.insert(at, (field.clone(), told));
            }
            (Err(_), _) => {}
        }
    }

    /// Something may not come at once.
    pub fn holds_back(&self) -> bool {
        self.all != Pace::Once || !self.paces.is_empty() || self.quiet.is_some()
    }
}

impl Subscriber {
    /// The choices, to be changed; what is the same as none at the end is to be dropped with
    /// [`Subscriber::tidy_choices`].
    pub fn choices_mut(&mut self) -> &mut Choices {
        self.choices.get_or_insert_default()
    }

    /// Keeps no choices where they are the usual ones.
    pub fn tidy_choices(&mut self) {
        if self.choices.as_deref() == Some(&Choices::default()) {
            self.choices = None;
        }
    }

    /// They are asked something with the answer to what they have just done.
    pub fn ask(&mut self, about: About) {
        let at = self.changed_at;
        self.choices_mut().asked = Some(Question { about, at });
    }

    /// Nothing is asked of them any more.
    pub fn ask_nothing(&mut self) {
        if let Some(choices) = self.choices.as_deref_mut() {
            choices.asked = None;
        }
    }

    /// The clocks that their hours go by.
    pub fn clocks(&self) -> TimeZone {
        let own = self.timezone.as_ref();
        let settings = self.choices.as_deref().and_then(|choices| choices.clock.as_ref());
        own.or(settings).and_then(Zone::clocks).unwrap_or(TimeZone::UTC)
    }

    /// How often a post for these topics comes to them: of the topics that they have among these,
    /// the one that comes most often decides. A post for no topic is one for all; to who has no
    /// topic either it comes as often as all does.
    pub fn pace(&self, topics: &[Name]) -> Pace {
        let Some(choices) = self.choices.as_deref() else { return Pace::Once };
        if topics.is_empty() && self.topics.is_empty() {
            return choices.all;
        }
        let meant = |topic: &&Name| topics.is_empty() || topics.contains(topic);
        let paces = self.topics.iter().filter(meant).map(|topic| choices.pace(topic));
        paces.min().unwrap_or(Pace::Once)
    }

    /// When a post for these topics comes to them, and why not at `now`; `None` where it may go.
    pub fn rests_until(&self, topics: &[Name], now: Timestamp) -> Option<(Timestamp, Wait)> {
        let choices = self.choices.as_deref().filter(|choices| choices.holds_back())?;
        let zone = self.clocks();
        let hour = choices.hour.unwrap_or(HOUR);
        let paced = match self.pace(topics) {
            Pace::Once => None,
            Pace::Daily => next(&zone, hour, None, now).map(|at| (at, Wait::Daily)),
            Pace::Weekly => {
                let day = choices.day.unwrap_or(DAY);
                next(&zone, hour, Some(day), now).map(|at| (at, Wait::Weekly))
            }
        };
        let (at, wait) = paced.map_or((now, None), |(at, wait)| (at, Some(wait)));
        match choices.quiet.and_then(|quiet| quiet.ends_at(&zone, at)) {
            Some(end) => Some((end, wait.unwrap_or(Wait::Quiet))),
            None => paced,
        }
    }

    /// When their quiet hours end; `None` outside of them.
    pub fn quiet_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.choices.as_deref()?.quiet?.ends_at(&self.clocks(), now)
    }
}

/// The next instant after `now` at which the clocks show the hour, on that day of the week if one
/// is named.
fn next(zone: &TimeZone, hour: Minute, day: Option<Weekday>, now: Timestamp) -> Option<Timestamp> {
    let mut date = Wall::at(zone, now).civil().date();
    for _ in 0..=DAYS_AHEAD {
        let at = Wall::of(date.to_datetime(hour.time())).on(zone);
        let is_day = day.is_none_or(|day| Weekday::of(date) == day);
        if let Some(at) = at.filter(|at| is_day && *at > now) {
            return Some(at);
        }
        date = date.tomorrow().ok()?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::subscriber::Standing;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::from_jiff(text.parse().unwrap())
    }

    fn person(choices: Choices) -> Subscriber {
        Subscriber {
            number: 0,
            address: "1".into(),
            language: None,
            first_name: None,
            timezone: Zone::exactly("Europe/Bucharest"),
            name_asked_at: None,
            came_by: None,
            topics: vec![name("events"), name("news"), name("shop")],
            standing: Standing::Active,
            window_until: None,
            joined_at: Timestamp::default(),
            changed_at: Timestamp::default(),
            default_reply_at: None,
            choices: Some(Box::new(choices)),
        }
    }

    #[test]
    fn hours_are_read_as_people_write_them() {
        for (text, expected) in [
            ("9", Some("9:00")),
            ("09:30", Some("9:30")),
            ("9.05", Some("9:05")),
            ("21h", Some("21:00")),
            ("21h15", Some("21:15")),
            ("9pm", Some("21:00")),
            ("12 am", Some("0:00")),
            ("12pm", Some("12:00")),
            ("24", Some("0:00")),
            ("0", Some("0:00")),
            ("24:01", None),
            ("25", None),
            ("9:60", None),
            ("13pm", None),
            ("", None),
            ("nine", None),
            ("-1", None),
            ("900", None),
        ] {
            assert_eq!(
                Minute::read(text).map(|it| it.to_string()).as_deref(),
                expected,
                "{text:?}"
            );
        }
        for (text, expected) in [
            ("22-7", Some("22:00–7:00")),
            ("22:30 – 7:15", Some("22:30–7:15")),
            ("13 15", Some("13:00–15:00")),
            ("7-7", None),
            ("22", None),
            ("off", None),
        ] {
            assert_eq!(Quiet::read(text).map(|it| it.to_string()).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_topics_pace_is_kept_only_where_it_is_not_the_usual_one() {
        let mut choices = Choices::default();
        for (topic, pace) in [("shop", Pace::Weekly), ("news", Pace::Daily), ("shop", Pace::Daily)]
        {
            choices.set_pace(&name(topic), pace);
            assert_eq!(choices.pace(&name(topic)), pace);
        }
        assert_eq!(choices.paces.len(), 2);
        choices.set_pace(&name("shop"), Pace::Once);
        choices.set_pace(&name("news"), Pace::Once);
        assert_eq!(choices, Choices::default());
    }

    #[test]
    fn what_is_told_is_bounded() {
        let mut choices = Choices::default();
        for at in 0..20 {
            choices.tell(&name(&format!("field-{at}")), Some(&"x".repeat(500)));
        }
        assert_eq!(choices.profile.len(), FIELDS_MAX);
        assert_eq!(choices.told("field-3").map(str::len), Some(FIELD_CHARS_MAX));
        choices.tell(&name("field-3"), None);
        assert_eq!((choices.told("field-3"), choices.profile.len()), (None, FIELDS_MAX - 1));
    }

    #[test]
    fn a_post_comes_when_its_topics_say() {
        let mut choices = Choices { hour: Minute::read("18"), ..Choices::default() };
        choices.set_pace(&name("news"), Pace::Daily);
        choices.set_pace(&name("shop"), Pace::Weekly);
        choices.day = Weekday::read("friday");
        let ana = person(choices);
        let topics = |names: &[&str]| names.iter().map(|it| name(it)).collect::<Vec<_>>();
        // A Saturday; it is two hours later in Bucharest than in UTC.
        let now = at("2026-11-28T12:00:00Z");
        for (names, expected) in [
            (&["events"][..], None),
            (&["news"], Some(("2026-11-28T16:00:00Z", Wait::Daily))),
            (&["shop"], Some(("2026-12-04T16:00:00Z", Wait::Weekly))),
            (&["news", "shop"], Some(("2026-11-28T16:00:00Z", Wait::Daily))),
            (&["events", "shop"], None),
            (&["other", "shop"], Some(("2026-12-04T16:00:00Z", Wait::Weekly))),
            (&["other"], None),
            (&[], None),
        ] {
            let expected = expected.map(|(text, wait)| (at(text), wait));
            assert_eq!(ana.rests_until(&topics(names), now), expected, "{names:?}");
        }
        let mut bare = Subscriber { topics: vec![], ..ana.clone() };
        assert_eq!(bare.rests_until(&[], now), None);
        bare.choices_mut().all = Pace::Daily;
        assert_eq!(bare.rests_until(&[], now), Some((at("2026-11-28T16:00:00Z"), Wait::Daily)));
        assert_eq!(bare.rests_until(&topics(&["news"]), now), None, "by name only");
        // At the hour itself it is the next one.
        let hour = at("2026-11-28T16:00:00Z");
        let next = at("2026-11-29T16:00:00Z");
        assert_eq!(ana.rests_until(&topics(&["news"]), hour), Some((next, Wait::Daily)));
        // The clocks go forward on the last Sunday of March.
        let spring = at("2026-03-28T17:00:00Z");
        let summer = at("2026-03-29T15:00:00Z");
        assert_eq!(ana.rests_until(&topics(&["news"]), spring), Some((summer, Wait::Daily)));
    }

    #[test]
    fn nothing_comes_in_quiet_hours() {
        let choices = Choices { quiet: Quiet::read("22-7"), ..Choices::default() };
        let mut ana = person(choices);
        for (now, until) in [
            ("2026-11-28T19:59:59Z", None),
            ("2026-11-28T20:00:00Z", Some("2026-11-29T05:00:00Z")),
            ("2026-11-28T23:00:00Z", Some("2026-11-29T05:00:00Z")),
            ("2026-11-29T04:59:00Z", Some("2026-11-29T05:00:00Z")),
            ("2026-11-29T05:00:00Z", None),
        ] {
            let expected = until.map(|until| (at(until), Wait::Quiet));
            assert_eq!(ana.rests_until(&[], at(now)), expected, "{now}");
            assert_eq!(ana.quiet_until(at(now)), expected.map(|(until, _)| until));
        }
        // An hour of their own in the quiet ones is their end.
        let choices = ana.choices_mut();
        choices.set_pace(&name("news"), Pace::Daily);
        choices.hour = Minute::read("6");
        let expected = Some((at("2026-11-29T05:00:00Z"), Wait::Daily));
        assert_eq!(ana.rests_until(&[name("news")], at("2026-11-28T12:00:00Z")), expected);
        let day = Choices { quiet: Quiet::read("13-15"), ..Choices::default() };
        let noon = at("2026-11-28T11:30:00Z");
        assert_eq!(person(day).quiet_until(noon), Some(at("2026-11-28T13:00:00Z")));
    }

    #[test]
    fn whose_clocks_count() {
        let choices =
            Choices { clock: Zone::exactly("Asia/Tokyo"), quiet: None, ..Choices::default() };
        let mut ana = person(choices);
        let shown = |ana: &Subscriber| Zone::of(&ana.clocks()).to_string();
        assert_eq!(shown(&ana), "Europe/Bucharest");
        ana.timezone = None;
        assert_eq!(shown(&ana), "Asia/Tokyo");
        ana.choices = None;
        assert_eq!(shown(&ana), "UTC");
    }
}
