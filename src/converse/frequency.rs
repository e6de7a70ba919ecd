//! How often a person gets each of their topics, and at which hour what does not come at once.

mod sayings;

use crate::converse::choosing::{Chosen, HERE, button, fold, key, ticked, title, topic_of};
use crate::converse::commands::Command;
use crate::converse::frequency::sayings::{
    DAYS, HEAD, HEAD_ALL, NO_TOPICS, NOTED, OF_TOPIC, PACES, WHICH_DAY, WHICH_HOUR, WRONG,
};
use crate::converse::replies::Setting;
use crate::converse::words::say;
use crate::converse::{settings, timezone};
use crate::model::channel::ChannelKind;
use crate::model::choice::{self, Minute, Pace, Weekday};
use crate::model::message::Button;
use crate::model::name::Name;
use crate::model::subscriber::Subscriber;
use crate::model::time::Timestamp;

/// Topics of one page: with the hour, the day and the ways on they are the 13 quick replies of
/// Messenger.
const PAGE: usize = 8;

/// Bytes of a payload that a topic's name may take.
const KEY_BYTES_MAX: usize = 40;

/// Most words of a choice that are looked at.
const WORDS_MAX: usize = 24;

/// Hours that are offered; any other can be written.
const HOURS: [&str; 11] = ["6", "7", "8", "9", "10", "12", "14", "16", "18", "20", "21"];

/// Behind the command: the hours, the days.
const HOUR: &str = "hour";
const DAY: &str = "day";

/// Words for each pace that people write, without accents.
const PACE_WORDS: [(&str, Pace); 26] = [
    ("once", Pace::Once),
    ("always", Pace::Once),
    ("now", Pace::Once),
    ("imediat", Pace::Once),
    ("sofort", Pace::Once),
    ("immediat", Pace::Once),
    ("inmediato", Pace::Once),
    ("subito", Pace::Once),
    ("сразу", Pace::Once),
    ("daily", Pace::Daily),
    ("day", Pace::Daily),
    ("zilnic", Pace::Daily),
    ("taglich", Pace::Daily),
    ("quotidien", Pace::Daily),
    ("diario", Pace::Daily),
    ("giornaliero", Pace::Daily),
    ("ogni-giorno", Pace::Daily),
    ("ежедневно", Pace::Daily),
    ("weekly", Pace::Weekly),
    ("week", Pace::Weekly),
    ("saptamanal", Pace::Weekly),
    ("wochentlich", Pace::Weekly),
    ("hebdomadaire", Pace::Weekly),
    ("semanal", Pace::Weekly),
    ("settimanale", Pace::Weekly),
    ("еженедельно", Pace::Weekly),
];

/// What a person writes of their times.
#[derive(Default)]
struct Told {
    pace: Option<Pace>,
    hour: Option<Minute>,
    day: Option<Weekday>,
    /// What is left in front of it.
    topic: String,
}

/// Takes in a choice; answers what there is to choose from.
pub(super) fn take(
    person: &mut Subscriber,
    rest: &str,
    is_tap: bool,
    now: Timestamp,
    setting: &Setting<'_>,
) -> Chosen {
    let own: Vec<Name> =
        setting.topics.iter().filter(|topic| person.topics.contains(topic)).cloned().collect();
    if own.is_empty() && !setting.topics.is_empty() {
        let text = say(&NO_TOPICS, person);
        return Chosen::say(&text, vec![settings::way(person, Command::Topics)]);
    }
    match rest {
        "" | HERE => return overview(person, "", None, now, setting),
        HOUR => return hours(person),
        DAY => return days(person),
        _ => {}
    }
    if let Some(from) = rest.strip_prefix('>') {
        return overview(person, from, None, now, setting);
    }
    let told = read(rest);
    let named = told.topic.strip_prefix('=').unwrap_or(&told.topic);
    let topic = topic_of(named, setting).filter(|topic| own.contains(topic));
    if (topic.is_none() && !named.is_empty()) || (named.is_empty() && told.is_nothing()) {
        return overview(person, "", Some(say(&WRONG, person)), now, setting);
    }
    if let (Some(topic), true) = (topic, told.is_nothing()) {
        return of_topic(person, topic, setting);
    }
    settings::set_clock(person, setting);
    let choices = person.choices_mut();
    choices.hour = told.hour.or(choices.hour);
    choices.day = told.day.or(choices.day);
    if let Some(pace) = told.pace {
        if own.is_empty() {
            choices.all = pace;
        }
        let meant = own.iter().filter(|one| topic.is_none_or(|topic| topic == *one));
        meant.for_each(|topic| choices.set_pace(topic, pace));
    }
    let at = topic.map_or("", Name::as_str);
    // A menu shows by itself what a tap has changed.
    let noted = (!is_tap).then(|| {
        let what = told.what(topic.map(|topic| title(topic, person, setting)), person);
        say(&NOTED, person).replace("{what}", &what)
    });
    overview(person, at, noted, now, setting)
}

/// How often all of a person's topics come, in a line of a menu.
pub(super) fn summary(person: &Subscriber, setting: &Setting<'_>) -> String {
    let own = setting.topics.iter().filter(|topic| person.topics.contains(topic));
    let mut paces: Vec<Pace> = own.map(|topic| pace_of(person, topic)).collect();
    if setting.topics.is_empty() {
        paces.push(person.choices.as_deref().map_or(Pace::Once, |choices| choices.all));
    }
    paces.sort_unstable();
    paces.dedup();
    if paces.is_empty() {
        return "–".to_owned();
    }
    let names: Vec<String> = paces.iter().map(|pace| pace_name(*pace, person)).collect();
    let when = match paces.last() {
        Some(Pace::Weekly) => {
            format!(" ({}, {})", day_name(day_of(person), person), hour_of(person))
        }
        Some(Pace::Daily) => format!(" ({})", hour_of(person)),
        _ => String::new(),
    };
    format!("{}{when}", names.join(", "))
}

/// Whether somebody writes times, of a topic or of all.
pub(super) fn is_told(rest: &str, setting: &Setting<'_>) -> bool {
    let told = read(rest);
    let is_known = told.topic.is_empty() || topic_of(&told.topic, setting).is_some();
    !told.is_nothing() && is_known
}

impl Told {
    fn is_nothing(&self) -> bool {
        self.pace.is_none() && self.hour.is_none() && self.day.is_none()
    }

    /// In the person's words: the topic if it is one, and the times.
    fn what(&self, topic: Option<&str>, person: &Subscriber) -> String {
        let times = [
            topic.map(str::to_owned),
            self.pace.map(|pace| pace_name(pace, person)),
            self.day.map(|day| day_name(day, person).to_owned()),
            self.hour.map(|hour| hour.to_string()),
        ];
        times.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// The times at the end of what is written, each at most once, and what is in front of them.
fn read(text: &str) -> Told {
    let mut told = Told::default();
    let mut words: Vec<&str> = text.split_whitespace().take(WORDS_MAX).collect();
    while let Some(word) = words.last() {
        let bare = fold(word);
        let pace = PACE_WORDS.iter().find(|(known, _)| *known == bare).map(|(_, pace)| *pace);
        if let (Some(pace), true) = (pace, told.pace.is_none()) {
            told.pace = Some(pace);
        } else if let (Some(hour), true) = (Minute::read(&bare), told.hour.is_none()) {
            told.hour = Some(hour);
        } else if let (Some(day), true) = (weekday(&bare), told.day.is_none()) {
            told.day = Some(day);
        } else {
            break;
        }
        words.pop();
    }
    told.topic = words.join(" ");
    told
}

/// A day by its name in any of our languages, or by `mon` and the like.
fn weekday(word: &str) -> Option<Weekday> {
    let place = DAYS.iter().find_map(|(_, days)| days.iter().position(|day| fold(day) == word));
    let named = place.and_then(|place| Weekday::ALL.get(place).copied());
    named.or_else(|| Weekday::ALL.into_iter().find(|day| day.as_str() == word))
}

fn hour_of(person: &Subscriber) -> Minute {
    let own = person.choices.as_deref().and_then(|choices| choices.hour);
    own.unwrap_or(choice::HOUR)
}

fn day_of(person: &Subscriber) -> Weekday {
    let own = person.choices.as_deref().and_then(|choices| choices.day);
    own.unwrap_or(choice::DAY)
}

fn day_name(day: Weekday, person: &Subscriber) -> &'static str {
    let language = person.language.as_deref().unwrap_or_default();
    let main = language.split('-').next().unwrap_or_default();
    let days = DAYS.iter().find(|(own, _)| *own == main).or_else(|| DAYS.first());
    days.and_then(|(_, days)| days.get(day.place())).copied().unwrap_or_default()
}

fn pace_of(person: &Subscriber, topic: &Name) -> Pace {
    person.choices.as_deref().map_or(Pace::Once, |choices| choices.pace(topic))
}

/// The words for a pace.
pub(super) fn pace_name(pace: Pace, person: &Subscriber) -> String {
    let words = PACES.iter().find(|(own, _)| *own == pace);
    words.map_or_else(String::new, |(_, words)| say(words, person))
}

fn overview(
    person: &Subscriber,
    at: &str,
    above: Option<String>,
    now: Timestamp,
    setting: &Setting<'_>,
) -> Chosen {
    let own: Vec<&Name> =
        setting.topics.iter().filter(|topic| person.topics.contains(topic)).collect();
    let at = topic_of(at, setting).map_or(at, Name::as_str);
    let at = own.partition_point(|one| one.as_str() < at).min(own.len().saturating_sub(1));
    let first = at / PAGE * PAGE;
    let head = if setting.topics.is_empty() { &HEAD_ALL } else { &HEAD };
    let text = say(head, person)
        .replace("{hour}", &hour_of(person).to_string())
        .replace("{day}", day_name(day_of(person), person))
        .replace("{time}", &settings::time(person, now));
    let text = above.map_or(text.clone(), |above| format!("{above}\n\n{text}"));
    // Whoever goes by hours is asked by whose clock.
    let choices = person.choices.as_deref();
    let is_timed = choices.is_some_and(|it| it.all != Pace::Once || !it.paces.is_empty());
    let text = match person.timezone.is_none() && is_timed {
        true => timezone::with_hint(&text, person),
        false => text,
    };
    let text = match setting.kind {
        // The labels there are cut short, and gone with the next message.
        ChannelKind::Messenger => {
            let line = |topic: &&Name| {
                let pace = pace_name(pace_of(person, topic), person);
                format!("\n{}: {pace}", title(topic, person, setting))
            };
            let lines: String = own.iter().skip(first).take(PAGE).map(line).collect();
            if lines.is_empty() { text } else { format!("{text}\n{lines}") }
        }
        ChannelKind::Telegram => text,
    };
    let mut buttons: Vec<Button> = own
        .iter()
        .skip(first)
        .take(PAGE)
        .map(|topic| {
            let pace = pace_name(pace_of(person, topic), person);
            let label = format!("{}: {pace}", title(topic, person, setting));
            let rest = format!("={}", key(topic.as_str(), KEY_BYTES_MAX));
            button(label, Command::Frequency, &rest)
        })
        .collect();
    if setting.topics.is_empty() {
        let own = choices.map_or(Pace::Once, |choices| choices.all);
        buttons.extend(Pace::ALL.into_iter().map(|pace| {
            let label = ticked(own == pace, &pace_name(pace, person));
            button(label, Command::Frequency, pace.as_str())
        }));
    }
    let mut turn = |label: &str, to: Option<&&Name>| {
        buttons.extend(to.map(|to| {
            button(label, Command::Frequency, &format!(">{}", key(to.as_str(), KEY_BYTES_MAX)))
        }));
    };
    turn("◀", first.checked_sub(PAGE).and_then(|before| own.get(before)));
    turn("▶", own.get(first + PAGE));
    buttons.push(button(format!("🕘 {}", hour_of(person)), Command::Frequency, HOUR));
    let day = format!("📅 {}", day_name(day_of(person), person));
    buttons.push(button(day, Command::Frequency, DAY));
    buttons.push(settings::back(person));
    Chosen::say(&text, buttons)
}

fn of_topic(person: &Subscriber, topic: &Name, setting: &Setting<'_>) -> Chosen {
    let text = say(&OF_TOPIC, person).replace("{topic}", title(topic, person, setting));
    let own = pace_of(person, topic);
    let mut buttons: Vec<Button> = Pace::ALL
        .into_iter()
        .map(|pace| {
            let rest = format!("={} {}", key(topic.as_str(), KEY_BYTES_MAX), pace.as_str());
            button(ticked(own == pace, &pace_name(pace, person)), Command::Frequency, &rest)
        })
        .collect();
    buttons.push(back(person));
    Chosen::say(&text, buttons)
}

fn hours(person: &Subscriber) -> Chosen {
    let own = hour_of(person);
    let mut buttons: Vec<Button> = HOURS
        .iter()
        .filter_map(|hour| {
            let at = Minute::read(hour)?;
            Some(button(ticked(own == at, &at.to_string()), Command::Frequency, hour))
        })
        .collect();
    buttons.push(back(person));
    Chosen::say(&say(&WHICH_HOUR, person), buttons)
}

fn days(person: &Subscriber) -> Chosen {
    let own = day_of(person);
    let mut buttons: Vec<Button> = Weekday::ALL
        .into_iter()
        .map(|day| {
            let label = ticked(own == day, day_name(day, person));
            button(label, Command::Frequency, day.as_str())
        })
        .collect();
    buttons.push(back(person));
    Chosen::say(&say(&WHICH_DAY, person), buttons)
}

/// To the overview.
fn back(person: &Subscriber) -> Button {
    let label = settings::label(person, Command::Frequency);
    button(format!("‹ {label}"), Command::Frequency, HERE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::converse::choosing::tests::has_all_languages;

    #[test]
    fn every_saying_has_the_same_languages() {
        has_all_languages(&[
            &HEAD,
            &HEAD_ALL,
            &NO_TOPICS,
            &OF_TOPIC,
            &WHICH_HOUR,
            &WHICH_DAY,
            &WRONG,
            &NOTED,
        ]);
        // The examples are understood.
        for (_, text) in WRONG {
            let told = read(text.split_once("/frequency ").unwrap().1);
            assert_eq!(
                (told.pace, told.day.map(Weekday::as_str)),
                (Some(Pace::Weekly), Some("fri"))
            );
            assert_eq!((told.hour, told.topic.as_str()), (Minute::read("18"), ""), "{text}");
        }
        PACES.iter().for_each(|(_, words)| has_all_languages(&[words]));
        let languages: Vec<&str> = DAYS.iter().map(|(language, _)| *language).collect();
        assert_eq!(languages, ["en", "ro", "de", "fr", "es", "it", "ru"]);
    }

    #[test]
    fn times_are_read_from_the_end() {
        for (text, topic, pace, hour, day) in [
            ("weekly fri 18", "", Some(Pace::Weekly), Some("18:00"), Some("fri")),
            (
                "Big News săptămânal vineri 9:30",
                "Big News",
                Some(Pace::Weekly),
                Some("9:30"),
                Some("fri"),
            ),
            ("=news daily", "=news", Some(Pace::Daily), None, None),
            ("=daily weekly", "=daily", Some(Pace::Weekly), None, None),
            ("daily weekly", "", Some(Pace::Weekly), None, None),
            ("20", "", None, Some("20:00"), None),
            ("Sonntag", "", None, None, Some("sun")),
            ("so what", "so what", None, None, None),
            ("money", "money", None, None, None),
        ] {
            let told = read(text);
            if text == "daily weekly" {
                // One of the two can only be a name.
                assert_eq!(told.topic, "daily");
                continue;
            }
            assert_eq!((told.topic.as_str(), told.pace), (topic, pace), "{text}");
            assert_eq!(told.hour.map(|it| it.to_string()).as_deref(), hour, "{text}");
            assert_eq!(told.day.map(Weekday::as_str), day, "{text}");
        }
    }

    #[test]
    fn every_word_for_a_pace_is_one_without_accents() {
        assert!(PACE_WORDS.iter().all(|(word, _)| fold(word) == *word));
    }
}
