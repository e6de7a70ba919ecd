//! What is known of somebody, told to them in the chat: in words, as a file, and forgotten.
//!
//! `/privacy` tells; below it are two buttons. Erasing is asked once more, then done at once in
//! every table; the goodbye is the last thing that is said.

mod sayings;

use crate::converse::choosing::Choosing;
use crate::converse::commands::{self, Command};
use crate::converse::language;
use crate::converse::privacy::sayings::{
    ABOUT, ADDRESS, AGREED, AS_FILE, ERASE, FILE_WORDS, GONE, KEPT, LANGUAGE, NAME, NOT_SUBSCRIBED,
    SINCE, STOPPED, STRANGER, SURE, TOPICS, WATCHES, YES, ZONE,
};
use crate::converse::watching::WATCH;
use crate::converse::words::{Saying, Texts, in_language};
use crate::model::dossier::{Found, dossier};
use crate::model::message::{Action, Button, Medium, Message, Module};
use crate::model::name::Name;
use crate::model::post::Answer;
use crate::model::proof::Proof;
use crate::model::rich::RichText;
use crate::model::subscriber::{Standing, Subscriber};
use crate::model::time::Timestamp;
use crate::render::written;

/// Ways to agree that are to nothing but what was asked for then.
const NO_START: [&str; 2] = [WATCH, "marketing"];

/// What the file is called.
const FILE: &str = "my-data.json";

/// What is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Tell,
    Export,
    /// Asked once more.
    Erase,
    Erased,
}

impl Wanted {
    /// What stands behind the command.
    pub(super) fn of(rest: &str) -> Self {
        match rest.to_lowercase().as_str() {
            "export" => Self::Export,
            "erase" => Self::Erase,
            "erase-now" => Self::Erased,
            _ => Self::Tell,
        }
    }

    fn payload(self) -> String {
        let rest = match self {
            Self::Tell => "",
            Self::Export => ":export",
            Self::Erase => ":erase",
            Self::Erased => ":erase-now",
        };
        format!("{}{rest}", commands::payload(Command::Privacy))
    }
}

/// The answers to what is wanted, but for the erasure itself. `known` is nobody for a stranger.
pub(super) fn answers(
    wanted: Wanted,
    channel: &Name,
    known: Option<&Subscriber>,
    language: Option<&str>,
    found: &Found,
    choosing: &Choosing,
) -> Vec<Answer> {
    let language = known.and_then(|it| it.language.as_deref()).or(language);
    let say = |texts: &Texts| in_language(texts, language);
    let button = |texts: &Texts, wanted: Wanted| {
        Button::new(say(texts), Action::Postback { payload: wanted.payload() })
    };
    if wanted == Wanted::Erased {
        return vec![text(&say(&GONE), vec![])];
    }
    let Some(person) = known else { return vec![text(&say(&STRANGER), vec![])] };
    match wanted {
        Wanted::Tell | Wanted::Erased => {
            let buttons = vec![button(&AS_FILE, Wanted::Export), button(&ERASE, Wanted::Erase)];
            vec![text(&told(person, found, choosing, &say), buttons)]
        }
        Wanted::Export => {
            let all = dossier(channel, person, found);
            // A value of ours has a form as text.
            let bytes = serde_json::to_vec_pretty(&all).unwrap_or_default();
            let file = Module::Media(Medium::ours(FILE, &bytes));
            let words =
                Module::Text { text: RichText::from_plain(&say(&FILE_WORDS)), buttons: vec![] };
            vec![answer(vec![words]), answer(vec![file])]
        }
        Wanted::Erase => vec![text(&say(&SURE), vec![button(&YES, Wanted::Erased)])],
    }
}

fn told(
    person: &Subscriber,
    found: &Found,
    choosing: &Choosing,
    say: &dyn Fn(&Texts) -> String,
) -> String {
    let mut lines = vec![say(&ABOUT)];
    let mut add = |texts: &Texts, value: Option<String>| {
        lines.extend(value.map(|value| format!("• {}", say(texts).replace("{}", &value))));
    };
    let day = |at: Timestamp| written::day(at, person.language.as_deref());
    add(&ADDRESS, Some(person.address.clone()));
    add(&NAME, person.first_name.clone());
    add(&LANGUAGE, person.language.as_deref().map(language::called));
    add(&ZONE, person.timezone.as_ref().map(ToString::to_string));
    let title = |topic| called(topic, choosing.titles.get(topic), person);
    let topics: Vec<&str> = person.topics.iter().map(title).collect();
    add(&TOPICS, (!topics.is_empty()).then(|| topics.join(", ")));
    add(&SINCE, person.has_joined().then(|| day(person.joined_at)));
    let is_to_all = |proof: &&Proof| proof.entry.given && !NO_START.contains(&&*proof.entry.way);
    let agreed = found.proofs.iter().rev().find(is_to_all);
    match person.standing {
        Standing::Active => add(&AGREED, agreed.map(|proof| day(proof.entry.at))),
        // Who only waits for a product has never been one to stop.
        _ if agreed.is_none() && person.topics.is_empty() => {
            add(&NOT_SUBSCRIBED, Some(String::new()));
        }
        _ => add(&STOPPED, Some(String::new())),
    }
    let watches = found.watches.len();
    add(&WATCHES, (watches > 0).then(|| watches.to_string()));
    // What they have told when they were asked.
    let profile = person.choices.iter().flat_map(|choices| &choices.profile);
    let field = |name: &Name| choosing.fields.iter().find(|field| field.name == *name);
    lines.extend(profile.map(|(name, told)| {
        format!("• {}: {told}", called(name, field(name).map(|field| &field.title), person))
    }));
    format!("{}\n\n{}", lines.join("\n"), say(&KEPT))
}

/// What something is called for a person, or its name.
fn called<'a>(name: &'a Name, titles: Option<&'a Saying>, person: &Subscriber) -> &'a str {
    let title = titles.map(|titles| titles.to(person)).filter(|title| !title.is_empty());
    title.unwrap_or(name.as_str())
}

fn text(words: &str, buttons: Vec<Button>) -> Answer {
    answer(vec![Module::Text { text: RichText::from_plain(words), buttons }])
}

fn answer(modules: Vec<Module>) -> Answer {
    Answer { message: Message::from(modules), tap: None, ask: None }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::converse::profile::Field;
    use crate::model::choice::{Choices, FieldKind};
    use crate::model::watch::{Wanted as Waited, Watch};

    pub fn person() -> Subscriber {
        Subscriber {
            number: 3,
            address: "42".into(),
            language: Some("ro".into()),
            first_name: Some("Ana".into()),
            timezone: None,
            name_asked_at: None,
            came_by: None,
            topics: vec![Name::parse("news").unwrap()],
            standing: Standing::Active,
            window_until: None,
            joined_at: Timestamp::from_millis(1_700_000_000_000),
            changed_at: Timestamp::from_millis(0),
            choices: None,
            default_reply_at: None,
        }
    }

    fn said(wanted: Wanted, known: Option<&Subscriber>) -> Vec<Answer> {
        let bot = Name::parse("bot").unwrap();
        answers(wanted, &bot, known, Some("de"), &Found::default(), &Choosing::default())
    }

    fn plain(answer: &Answer) -> (String, Vec<String>) {
        match &answer.message.modules[..] {
            [Module::Text { text, buttons }] => {
                let payloads = buttons.iter().map(|button| match &button.action {
                    Action::Postback { payload } => payload.clone(),
                    other => panic!("{other:?}"),
                });
                (text.plain(), payloads.collect())
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn somebody_is_told_what_is_known_of_them_in_their_language() {
        let (words, payloads) = plain(&said(Wanted::Tell, Some(&person()))[0]);
        for part in ["Iată ce știm", "42", "Ana", "news", "Română", "14 noiembrie 2023"] {
            assert!(words.contains(part), "{words}");
        }
        assert_eq!(payloads, ["1:cmd:privacy:export", "1:cmd:privacy:erase"]);
        let (words, payloads) = plain(&said(Wanted::Tell, None)[0]);
        assert!(words.starts_with("Wir wissen nichts"), "{words}");
        assert!(payloads.is_empty());
    }

    #[test]
    fn who_only_waits_for_products_is_told_so_in_words_that_they_know() {
        let (news, city) = (Name::parse("news").unwrap(), Name::parse("city").unwrap());
        let title = |text: &str| Saying::new(&[("ro", text)]);
        let field = Field {
            name: city.clone(),
            title: title("Oraș"),
            ask: Saying::default(),
            kind: FieldKind::Text,
            options: vec![],
            at_start: false,
        };
        let choosing = Choosing {
            titles: [(news, title("Știri"))].into(),
            fields: vec![field],
            ..Choosing::default()
        };
        let watch = Watch {
            id: 1,
            source: Name::parse("shop").unwrap(),
            product: 7,
            variant: None,
            link: 0,
            wanted: Waited::Stock,
            title: "Kettle".into(),
            price: None,
            made_at: Timestamp::default(),
            expires_at: Timestamp::default(),
        };
        let found = Found { watches: vec![watch.clone(), watch], ..Found::default() };
        let choices = Choices { profile: vec![(city, "Iași".into())], ..Choices::default() };
        let ana = Subscriber { choices: Some(Box::new(choices)), ..person() };
        let told = |ana: &Subscriber| {
            let bot = Name::parse("bot").unwrap();
            plain(&answers(Wanted::Tell, &bot, Some(ana), None, &found, &choosing)[0]).0
        };
        let words = told(&ana);
        for part in ["temele tale: Știri", "Oraș: Iași", "produse pe care le aștepți: 2"] {
            assert!(words.contains(part), "{words}");
        }
        let standing = Standing::Stopped;
        let stopped = told(&Subscriber { standing, ..ana.clone() });
        assert!(stopped.contains("ai oprit mesajele"), "{stopped}");
        let only_waits = told(&Subscriber { standing, topics: vec![], ..ana });
        assert!(only_waits.contains("nu ești abonat"), "{only_waits}");
        assert!(!only_waits.contains("ai oprit mesajele"), "{only_waits}");
    }

    #[test]
    fn erasing_is_asked_once_more() {
        let (_, payloads) = plain(&said(Wanted::Erase, Some(&person()))[0]);
        assert_eq!(payloads, ["1:cmd:privacy:erase-now"]);
        assert_eq!(Wanted::of("erase-now"), Wanted::Erased);
        assert_eq!(Wanted::of("ERASE"), Wanted::Erase);
        assert_eq!(Wanted::of("anything"), Wanted::Tell);
    }

    #[test]
    fn the_file_is_the_whole_record() {
        let answers = said(Wanted::Export, Some(&person()));
        let [Module::Media(medium)] = &answers[1].message.modules[..] else { panic!("no file") };
        let (name, bytes) = medium.content().unwrap();
        assert_eq!(name, FILE);
        let record: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(record["first_name"], "Ana");
        assert_eq!(record["consents"], serde_json::json!([]));
    }

    #[test]
    fn every_saying_has_the_same_languages() {
        for texts in [
            &ABOUT,
            &STRANGER,
            &ADDRESS,
            &NAME,
            &LANGUAGE,
            &ZONE,
            &TOPICS,
            &SINCE,
            &AGREED,
            &STOPPED,
            &NOT_SUBSCRIBED,
            &WATCHES,
            &KEPT,
            &AS_FILE,
            &ERASE,
            &SURE,
            &YES,
            &GONE,
            &FILE_WORDS,
        ] {
            let languages: Vec<&str> = texts.iter().map(|(language, _)| *language).collect();
            assert_eq!(languages, ["en", "ro", "it", "de", "fr", "es", "ru"]);
        }
        for texts in [&AS_FILE, &ERASE, &YES] {
            // Messenger shows 20 characters of a button.
            assert!(texts.iter().all(|(_, text)| text.chars().count() <= 20));
        }
    }
}
