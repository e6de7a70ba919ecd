//! Audiences: expressions over subscribers.
//!
//! An expression sees the fields of [`FIELDS`] as names of their own, and has what conditions have.
//! It is checked whole when it is read, and asked of everybody when an audience is fixed, which may
//! be a million people: a verdict is remembered by the values of the fields that the expression
//! names, and those are few where it is about languages and topics.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::value::{Enumerator, Object};
use minijinja::{Environment, Value};

use crate::model::audience::{PeopleRule, Somebody};
use crate::model::channel::ChannelKind;
use crate::model::name::Name;
use crate::model::subscriber::{Standing, Subscriber};
use crate::model::time::Timestamp;
use crate::model::zone::Zone;
use crate::render::expression::compare::{Fields, Kind, Words};
use crate::render::expression::scan::{scan, slip};
use crate::render::expression::{
    Fault, RULE, RULE_BYTES_MAX, YES, add_matching, add_rule, environment, no_answer, syntax, why,
};
use crate::render::nearest::nearest;

/// What an expression sees.
const FIELDS: [&str; 10] = [
    "language",
    "first_name",
    "timezone",
    "topics",
    "channel",
    "service",
    "joined",
    "days",
    "came_by",
    PROFILE,
];

/// What people have told of themselves: a field of it is named as `profile.city`.
const PROFILE: &str = "profile";

/// Most verdicts that are remembered; then it begins anew.
const KNOWN_MAX: usize = 4_096;

const DAY_MILLIS: i64 = 86_400_000;

/// The names that an expression may compare with.
#[derive(Clone, Copy, Debug, Default)]
pub struct Named<'a> {
    pub topics: &'a [Name],
    pub channels: &'a [Name],
    /// Of `None` any.
    pub profile: Option<&'a [Name]>,
}

/// Reads and checks an expression over subscribers. A topic or channel that is not among the known
/// ones is a mistake; without any that are known, all are taken.
///
/// # Errors
/// Everything that is wrong with it.
pub fn audience(text: &str, named: Named<'_>) -> Result<PeopleRule, Vec<Fault>> {
    let text = text.trim();
    if text.is_empty() || text.len() > RULE_BYTES_MAX {
        return Err(vec![Fault::new(format!("must have 1 to {RULE_BYTES_MAX} bytes"))]);
    }
    let mut environment = environment();
    let asked = match environment.compile_expression(text) {
        Ok(expression) => expression.undeclared_variables(true),
        Err(error) => {
            let example = "for example `language == 'ro' and 'shoes' in topics`";
            return Err(vec![syntax(&error, text).hint(slip(text).unwrap_or(example))]);
        }
    };
    let asked: BTreeSet<String> = asked.into_iter().collect();
    let mut text_of = |literal: &str| {
        let value = environment.compile_expression(literal).and_then(|it| it.eval(()));
        value.ok().and_then(|value| value.as_str().map(str::to_owned))
    };
    let words = |path: &str| words_of(path, named);
    let scanned = scan(text, &Fields { kind: &kind_of, words: &words }, &mut text_of);
    let mut faults = strangers(&asked, named);
    faults.extend(scanned.faults);
    if !faults.is_empty() {
        return Err(faults);
    }
    add_matching(&mut environment, scanned.patterns);
    let faults = tried(&environment, text);
    if !faults.is_empty() {
        return Err(faults);
    }
    add_rule(&mut environment, text)?;
    let is_asked = |field: &&str| {
        asked.iter().any(|path| path.split('.').next().is_some_and(|name| name == *field))
    };
    let fields = FIELDS.into_iter().filter(is_asked).collect();
    let told = asked.iter().filter_map(|path| path.split_once('.'));
    let profile = told.map(|(_, field)| field.to_owned()).collect();
    let judge = Judge { environment, fields, profile, memory: Mutex::default() };
    Ok(PeopleRule::new(text, Arc::new(move |somebody: &Somebody<'_>| judge.judge(somebody))))
}

struct Judge {
    environment: Environment<'static>,
    /// Those that the expression names.
    fields: Vec<&'static str>,
    /// Those of the profile that it names.
    profile: Vec<String>,
    memory: Mutex<Memory>,
}

/// Verdicts by the values of the fields.
#[derive(Default)]
struct Memory {
    key: Vec<u8>,
    known: HashMap<Vec<u8>, bool>,
}

impl Judge {
    fn judge(&self, somebody: &Somebody<'_>) -> Result<bool, String> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let Memory { key, known } = &mut *memory;
        key.clear();
        for field in &self.fields {
            match *field {
                PROFILE => add_profile(key, &self.profile, somebody.subscriber),
                field => add_field(key, field, somebody),
            }
        }
        if let Some(holds) = known.get(key.as_slice()) {
            return Ok(*holds);
        }
        let rule = self.environment.get_template(RULE);
        let rendered =
            rule.and_then(|rule| rule.render(Person::of(somebody, &self.fields).value()));
        let holds = rendered.map(|words| words == YES).map_err(|error| why(&error))?;
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(key.clone(), holds);
        Ok(holds)
    }
}

/// Adds a field's value, so that different values never look alike.
fn add_field(key: &mut Vec<u8>, field: &str, somebody: &Somebody<'_>) {
    let Somebody { subscriber, channel, kind, now } = somebody;
    let mut add = |bytes: &[u8]| {
        key.extend_from_slice(bytes);
        key.push(0);
    };
    match field {
        "language" => add(subscriber.language.as_deref().unwrap_or_default().as_bytes()),
        "first_name" => add(subscriber.first_name.as_deref().unwrap_or_default().as_bytes()),
        "timezone" => add(zone_of(subscriber).as_bytes()),
        "came_by" => add(origin_of(subscriber).as_bytes()),
        "topics" => {
            subscriber.topics.iter().for_each(|topic| add(topic.as_str().as_bytes()));
            add(b".");
        }
        "channel" => add(channel.as_str().as_bytes()),
        "service" => add(kind.as_str().as_bytes()),
        "joined" => add(&day_of(subscriber.joined_at).to_be_bytes()),
        _ => add(&days(subscriber.joined_at, *now).to_be_bytes()),
    }
}

/// Adds the fields of the profile that are named.
fn add_profile(key: &mut Vec<u8>, named: &[String], subscriber: &Subscriber) {
    for field in named {
        key.extend_from_slice(told(subscriber, field).as_bytes());
        key.push(0);
    }
}

/// What somebody has told of a field; empty where they have not.
fn told<'a>(subscriber: &'a Subscriber, field: &str) -> &'a str {
    subscriber.choices.as_deref().and_then(|choices| choices.told(field)).unwrap_or_default()
}

/// What somebody has told of themselves; a field that they have not told is empty text, and one
/// that is a number is one.
#[derive(Debug)]
struct Profile(Vec<(String, String)>);

impl Profile {
    fn of(subscriber: &Subscriber) -> Self {
        let told = subscriber.choices.iter().flat_map(|choices| &choices.profile);
        Self(told.map(|(field, told)| (field.to_string(), told.clone())).collect())
    }
}

impl Object for Profile {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let key = key.as_str()?;
        let told = self.0.iter().find(|(field, _)| field == key).map(|(_, told)| told.as_str());
        Some(number(told.unwrap_or_default()))
    }
}

/// The text as a number, if it is written as numbers are: `007` is a text.
fn number(told: &str) -> Value {
    let digits = told.strip_prefix('-').unwrap_or(told);
    let is_number = digits.bytes().all(|c| c.is_ascii_digit() || c == b'.')
        && digits.starts_with(|c: char| c.is_ascii_digit())
        && (!digits.starts_with('0') || digits == "0" || digits.starts_with("0."));
    match (is_number, told.parse::<i64>(), told.parse::<f64>()) {
        (true, Ok(whole), _) => Value::from(whole),
        (true, Err(_), Ok(number)) => Value::from(number),
        _ => Value::from(told),
    }
}

/// As it was told; empty where it was not.
fn zone_of(subscriber: &Subscriber) -> &str {
    subscriber.timezone.as_ref().map_or("", Zone::as_str)
}

/// The tag of the link that brought them; empty where it had none.
fn origin_of(subscriber: &Subscriber) -> String {
    subscriber.came_by.as_ref().map(ToString::to_string).unwrap_or_default()
}

/// The day in UTC, counted from 1970-01-01.
fn day_of(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(DAY_MILLIS)
}

/// Whole days between.
fn days(joined_at: Timestamp, now: Timestamp) -> i64 {
    now.as_millis().saturating_sub(joined_at.as_millis()).max(0) / DAY_MILLIS
}

/// The fields of somebody that an expression names.
#[derive(Debug)]
struct Person(Vec<(&'static str, Value)>);

impl Person {
    fn of(somebody: &Somebody<'_>, fields: &[&'static str]) -> Self {
        Self(fields.iter().map(|field| (*field, value_of(field, somebody))).collect())
    }

    fn value(self) -> Value {
        Value::from_object(self)
    }
}

impl Object for Person {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let key = key.as_str()?;
        self.0.iter().find(|(field, _)| *field == key).map(|(_, value)| value.clone())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&FIELDS)
    }
}

/// What is not known is empty text.
fn value_of(field: &str, somebody: &Somebody<'_>) -> Value {
    let Somebody { subscriber, channel, kind, now } = somebody;
    match field {
        "language" => Value::from(subscriber.language.as_deref().unwrap_or_default()),
        "first_name" => Value::from(subscriber.first_name.as_deref().unwrap_or_default()),
        "timezone" => Value::from(zone_of(subscriber)),
        "came_by" => Value::from(origin_of(subscriber)),
        "topics" => subscriber.topics.iter().map(|topic| Value::from(topic.as_str())).collect(),
        "channel" => Value::from(channel.as_str()),
        "service" => Value::from(kind.as_str()),
        "joined" => {
            let day = subscriber.joined_at.to_jiff().strftime("%Y-%m-%d");
            Value::from(day.to_string())
        }
        PROFILE => Value::from_object(Profile::of(subscriber)),
        _ => Value::from(days(subscriber.joined_at, *now)),
    }
}

/// Names that are not there, and fields of what has none.
fn strangers(asked: &BTreeSet<String>, named: Named<'_>) -> Vec<Fault> {
    let mut faults = Vec::new();
    for path in asked {
        let (name, field) = match path.split_once('.') {
            Some((name, field)) => (name, Some(field)),
            None => (path.as_str(), None),
        };
        let problem = match (name, field) {
            ("subscriber" | "item", Some(field)) if FIELDS.contains(&field) => {
                faults.push(Fault::new(format!("`{path}` is unknown; did you mean `{field}`?")));
                continue;
            }
            (PROFILE, Some(field)) => {
                faults.extend(unknown_field(field, named.profile));
                continue;
            }
            (PROFILE, None) => {
                let problem = "`profile` is not asked as a whole";
                faults.push(Fault::new(problem.to_owned()).hint("name a field: `profile.city`"));
                continue;
            }
            ("subscriber", Some(field)) if field.starts_with("profile.") => {
                faults.push(Fault::new(format!("`{path}` is unknown; did you mean `{field}`?")));
                continue;
            }
            (name, None) if FIELDS.contains(&name) => continue,
            (name, Some(_)) if FIELDS.contains(&name) => {
                format!("`{path}`: `{name}` has no fields")
            }
            (name, _) => format!("`{name}` is unknown"),
        };
        let fault = match nearest(name, &FIELDS) {
            Some(near) if near != name => Fault::new(format!("{problem}; did you mean `{near}`?")),
            _ => Fault::near(problem, "", &FIELDS),
        };
        faults.push(fault);
    }
    faults
}

/// A field of the profile that people are not asked for.
fn unknown_field(field: &str, known: Option<&[Name]>) -> Option<Fault> {
    let known: Vec<&str> = known?.iter().map(Name::as_str).collect();
    if known.contains(&field) {
        return None;
    }
    let problem = format!("there is no field `{field}` of the profile");
    Some(match known.is_empty() {
        true => Fault::new(problem).hint(format!("ask for it: `[profile.{field}]`")),
        false => Fault::near(problem, field, &known),
    })
}

/// What a field of somebody is. What they have told of themselves may be text or a number.
fn kind_of(path: &str) -> Kind {
    match path {
        "topics" => Kind::List,
        "days" => Kind::Number,
        "joined" => Kind::Date,
        "language" => Kind::Language,
        PROFILE => Kind::Open,
        field if FIELDS.contains(&field) => Kind::Text,
        _ => Kind::Open,
    }
}

/// The words that a field of somebody can be, or that are in it.
fn words_of<'a>(path: &str, named: Named<'a>) -> Option<Words<'a>> {
    let words = |names: &'a [Name]| names.iter().map(Name::as_str).collect();
    let services = [ChannelKind::Telegram, ChannelKind::Messenger].map(ChannelKind::as_str);
    Some(match path {
        "topics" => ("there is no topic", words(named.topics)),
        "channel" => ("there is no channel", words(named.channels)),
        "service" => ("there is no service", services.to_vec()),
        _ => return None,
    })
}

/// What goes wrong with somebody of whom everything is known, and with somebody of whom nothing is.
fn tried(environment: &Environment<'_>, text: &str) -> Vec<Fault> {
    let Ok(name) = Name::parse("sample") else { return Vec::new() };
    let now = Timestamp::from_millis(DAY_MILLIS);
    let known = Subscriber {
        number: 0,
        address: "1".to_owned(),
        language: Some("en".to_owned()),
        first_name: Some("Ana".to_owned()),
        timezone: Zone::exactly("UTC"),
        name_asked_at: None,
        came_by: None,
        topics: vec![name.clone()],
        standing: Standing::Active,
        window_until: None,
        joined_at: Timestamp::default(),
        changed_at: Timestamp::default(),
        default_reply_at: None,
        choices: None,
    };
    let bare = Subscriber {
        language: None,
        first_name: None,
        timezone: None,
        topics: vec![],
        ..known.clone()
    };
    let mut faults = BTreeSet::new();
    for subscriber in [&known, &bare] {
        for kind in [ChannelKind::Telegram, ChannelKind::Messenger] {
            let somebody = Somebody { subscriber, channel: &name, kind, now };
            let seen = Person::of(&somebody, &FIELDS).value();
            match environment.compile_expression(text).and_then(|it| it.eval(seen)) {
                Ok(value) => faults.extend(no_answer(&value).map(|fault| {
                    fault.hint("compare it with something, as in `language == 'ro'` or `days >= 7`")
                })),
                Err(error) => {
                    faults.insert(Fault::new(why(&error)));
                }
            }
        }
    }
    faults.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::origin::Origin;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn person(address: &str, language: &str, topics: &[&str]) -> Subscriber {
        Subscriber {
            number: 3,
            address: address.to_owned(),
            language: (!language.is_empty()).then(|| language.to_owned()),
            first_name: None,
            timezone: None,
            name_asked_at: None,
            came_by: None,
            topics: topics.iter().map(|topic| name(topic)).collect(),
            standing: Standing::Active,
            window_until: None,
            joined_at: Timestamp::from_millis(1_767_571_200_000),
            changed_at: Timestamp::default(),
            default_reply_at: None,
            choices: None,
        }
    }

    fn holds(rule: &PeopleRule, subscriber: &Subscriber) -> bool {
        let channel = name("bot");
        let now = Timestamp::from_millis(1_767_571_200_000 + 10 * DAY_MILLIS + 5);
        let kind = ChannelKind::Telegram;
        rule.holds(&Somebody { subscriber, channel: &channel, kind, now }).unwrap()
    }

    fn read(text: &str) -> PeopleRule {
        let (topics, channels) = ([name("shoes"), name("hats")], [name("bot")]);
        let profile = [name("city"), name("age")];
        let named = Named { topics: &topics, channels: &channels, profile: Some(&profile) };
        audience(text, named).unwrap_or_else(|faults| panic!("{text}: {faults:?}"))
    }

    #[test]
    fn an_expression_chooses_people() {
        let came_by = Origin::parse("spring-flyer").ok();
        let ana = Subscriber { came_by, ..person("7", "ro", &["hats", "shoes"]) };
        let group = person("-100", "", &["shoes"]);
        for (text, of_ana, of_group) in [
            ("language == 'ro' and 'shoes' in topics", true, false),
            ("not language or 'hats' not in topics", false, true),
            ("language is matching('^(ro|en)')", true, false),
            ("topics | length > 1", true, false),
            ("channel == 'bot' and service == 'telegram'", true, true),
            ("joined >= '2026-01-05' and joined < '2026-01-06'", true, true),
            ("days >= 10 and days < 11", true, true),
            ("first_name == ''", true, true),
            ("came_by == 'spring-flyer'", true, false),
            ("came_by is matching('^web:')", false, false),
            ("true", true, true),
            ("false", false, false),
        ] {
            let rule = read(text);
            // Asked twice: the second time it is remembered.
            for _ in 0..2 {
                assert_eq!(
                    (holds(&rule, &ana), holds(&rule, &group)),
                    (of_ana, of_group),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn what_people_have_told_is_asked_by_its_field() {
        let mut ana = person("7", "ro", &[]);
        ana.choices_mut().tell(&name("city"), Some("Iași"));
        ana.choices_mut().tell(&name("age"), Some("38"));
        let ion = person("8", "ro", &[]);
        for (text, of_ana, of_ion) in [
            ("profile.city == 'Iași'", true, false),
            ("profile.city == ''", false, true),
            ("profile.age != '' and profile.age >= 18", true, false),
            ("profile.age == 38 and profile.city in ['Iași', 'Cluj']", true, false),
        ] {
            let rule = read(text);
            for _ in 0..2 {
                assert_eq!((holds(&rule, &ana), holds(&rule, &ion)), (of_ana, of_ion), "{text}");
            }
        }
        for (told, is) in [("007", "text"), ("0", "number"), ("-1.5", "number"), ("1.2.3", "text")]
        {
            let is_number = number(told).is_number();
            assert_eq!(if is_number { "number" } else { "text" }, is, "{told}");
        }
    }

    #[test]
    fn lists_of_topics_are_not_mixed_up() {
        let rule = read("topics | length == 2 and language == 'hat'");
        assert!(!holds(&rule, &person("1", "", &["shoes", "hat"])));
        assert!(holds(&rule, &person("1", "hat", &["hat", "shoes"])));
        assert!(!holds(&rule, &person("1", "hat", &["shoes"])));
    }

    #[test]
    fn mistakes_are_told_with_what_was_probably_meant() {
        let (topics, channels) = ([name("shoes"), name("hats")], [name("bot")]);
        let wrong = |text: &str| {
            let profile = [name("city")];
            let named = Named { topics: &topics, channels: &channels, profile: Some(&profile) };
            let faults = audience(text, named).err().unwrap_or_default();
            let shown = |fault: Fault| match fault.hint {
                Some(hint) => format!("{} ({hint})", fault.problem),
                None => fault.problem,
            };
            faults.into_iter().map(shown).collect::<Vec<_>>().join("; ")
        };
        for (text, told) in [
            ("langage == 'ro'", "`langage` is unknown; did you mean `language`?"),
            ("subscriber.language == 'ro'", "did you mean `language`?"),
            ("language.name == 'ro'", "`language.name`: `language` has no fields"),
            ("zzz", "there is `language`"),
            ("profile.ctiy == 'x'", "no field `ctiy` of the profile; did you mean `city`?"),
            ("profile", "is not asked as a whole"),
            ("subscriber.profile.city == 'x'", "did you mean `profile.city`?"),
            ("'shoe' in topics", "there is no topic `shoe`; did you mean `shoes`?"),
            ("'x' not in topics", "there is no topic `x` (there is `shoes`, `hats`)"),
            ("channel == 'bott'", "there is no channel `bott`; did you mean `bot`?"),
            ("service == 'whatsapp'", "there is no service `whatsapp`"),
            ("days", "must be true or false, but gives a number"),
            ("topics", "must be true or false, but gives a list"),
            ("language ==", "is no expression"),
            ("language | uper == 'RO'", "did you mean `upper`?"),
            ("language is matching('[')", "is no pattern"),
            ("", "must have 1 to"),
        ] {
            let said = wrong(text);
            assert!(said.contains(told), "{text}: {said}");
        }
    }
}
