//! What people can choose in the chat, and what one choice leads to.
//!
//! Each choice is a command with something behind its name, typed or on a button of ours:
//! `/topics news`, `1:cmd:topics:+news`. What stands there names things and never their places, so
//! that a button says the same for years; what is gone by then is answered with what there is.
//! A tap inside a menu changes the menu in place; a command makes a new one.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::converse::commands::{self, Command};
use crate::converse::latest::Lookup;
use crate::converse::profile::Field;
use crate::converse::replies::Setting;
use crate::converse::words::Saying;
use crate::converse::{frequency, language, latest, profile, quiet, settings, topics};
use crate::model::message::{Action, Button, Message, Module};
use crate::model::name::Name;
use crate::model::rich::RichText;
use crate::model::start;
use crate::model::subscriber::Subscriber;
use crate::model::time::Timestamp;
use crate::model::zone::Zone;

/// Longest payload of a button, in bytes: what Telegram takes.
const PAYLOAD_BYTES_MAX: usize = 64;

/// What shows a menu in the place of the one with the button.
pub(super) const HERE: &str = ".";

/// What people can choose from, as the settings have it.
#[derive(Clone, Debug, Default)]
pub struct Choosing {
    /// What the topics are called.
    pub titles: BTreeMap<Name, Saying>,
    /// Languages that can be chosen: BCP 47, lower case.
    pub languages: Vec<String>,
    /// By its clocks people's hours go while they have told no zone; `None`: UTC.
    pub zone: Option<Zone>,
    /// What people are asked of themselves, in this order.
    pub fields: Vec<Field>,
    /// There are products that can be watched.
    pub has_products: bool,
}

/// What a choice leads to.
#[derive(Debug, Default)]
pub(super) struct Chosen {
    /// What is said; nothing where it is to be looked up first.
    pub message: Option<Message>,
    /// It stands in the place of the menu with the button.
    pub is_in_place: bool,
    /// A yes or a no to topics: given or not, how, and to which words.
    pub consent: Option<(bool, String, String)>,
    pub lookup: Option<Lookup>,
}

/// What is asked for, and how.
pub(super) struct Wanted<'a> {
    pub command: Command,
    /// What stands behind the command.
    pub rest: &'a str,
    pub is_tap: bool,
    /// The language that the service tells of the person with this event.
    pub told_language: Option<&'a str>,
    pub now: Timestamp,
}

impl Chosen {
    pub fn say(text: &str, buttons: Vec<Button>) -> Self {
        Self { message: Some(menu(text, buttons)), ..Self::default() }
    }
}

/// Takes in a choice.
pub(super) fn choose(
    person: &mut Subscriber,
    wanted: &Wanted<'_>,
    setting: &Setting<'_>,
) -> Chosen {
    let rest = wanted.rest.trim();
    let mut chosen = match wanted.command {
        Command::Topics => topics::take(person, rest, wanted.now, setting),
        Command::Frequency => frequency::take(person, rest, wanted.is_tap, wanted.now, setting),
        Command::Quiet => quiet::take(person, rest, wanted.now, setting),
        Command::Language => language::take(person, rest, wanted.told_language, setting),
        Command::Latest => latest::latest(person, rest, setting),
        Command::Search => latest::search(person, rest),
        Command::Profile => profile::take(person, rest, setting),
        _ => settings::show(person, wanted.now, setting),
    };
    chosen.is_in_place = wanted.is_tap && !rest.is_empty();
    chosen
}

/// Whether what stands behind a command's words can be meant for it and nothing else.
pub(super) fn fits(command: Command, rest: &str, setting: &Setting<'_>) -> bool {
    match command {
        Command::Topics => topic_of(rest.trim_start_matches(['+', '-']), setting).is_some(),
        Command::Latest => topic_of(rest, setting).is_some(),
        Command::Start => !start::read(rest, setting.topics).topics.is_empty(),
        Command::Frequency => frequency::is_told(rest, setting),
        Command::Quiet => quiet::is_told(rest),
        Command::Language => language::named(rest, setting).is_some(),
        _ => false,
    }
}

/// A text with buttons below it, which are gone once one is tapped where the service has it so.
pub(super) fn menu(text: &str, buttons: Vec<Button>) -> Message {
    let text = Module::Text { text: RichText::from_plain(text), buttons: vec![] };
    Message { quick_replies: buttons, ..Message::from(vec![text]) }
}

/// A button for a command with something behind it.
pub(super) fn button(label: impl Into<String>, command: Command, rest: &str) -> Button {
    let payload = commands::payload(command);
    let payload = if rest.is_empty() { payload } else { format!("{payload}:{rest}") };
    debug_assert!(payload.len() <= PAYLOAD_BYTES_MAX, "{payload}");
    Button::new(label, Action::Postback { payload })
}

/// The label of something that is on, or not.
pub(super) fn ticked(is_on: bool, label: &str) -> String {
    if is_on { format!("✓ {label}") } else { label.to_owned() }
}

/// How a payload names something: by its name, or where that has more than `room` bytes, by a hash
/// of it.
pub(super) fn key(name: &str, room: usize) -> String {
    if name.len() <= room && !name.starts_with('#') { name.to_owned() } else { hashed(name) }
}

/// `#` and eight hexadecimal digits.
pub(super) fn hashed(name: &str) -> String {
    let hash = Sha256::digest(name.as_bytes());
    let digits: String = hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("#{digits}")
}

/// The topic that a payload or a person names: by its name, its hash, or its title in any language.
pub(super) fn topic_of<'a>(text: &str, setting: &Setting<'a>) -> Option<&'a Name> {
    let wanted = fold(text);
    let is_called = |topic: &&Name| {
        let titles = setting.choosing.titles.get(*topic);
        titles.is_some_and(|titles| titles.texts.iter().any(|(_, title)| fold(title) == wanted))
    };
    let by_name = setting.topics.iter().find(|topic| {
        topic.as_str() == wanted || (wanted.starts_with('#') && hashed(topic.as_str()) == wanted)
    });
    by_name.or_else(|| setting.topics.iter().find(is_called))
}

/// What a topic is called for somebody.
pub(super) fn title<'a>(topic: &'a Name, person: &Subscriber, setting: &Setting<'a>) -> &'a str {
    let title = setting.choosing.titles.get(topic).map(|titles| titles.to(person));
    title.filter(|title| !title.is_empty()).unwrap_or(topic.as_str())
}

/// In small letters and without accents, as people write in a hurry.
pub(super) fn fold(text: &str) -> String {
    let bare = text.trim().nfd().filter(|c| !is_combining_mark(*c));
    bare.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The languages of every saying.
    pub(in crate::converse) fn has_all_languages(sayings: &[&[(&str, &str)]]) {
        for texts in sayings {
            let languages: Vec<&str> = texts.iter().map(|(language, _)| *language).collect();
            assert_eq!(languages, ["en", "ro", "de", "fr", "es", "it", "ru"], "{:?}", texts[0]);
        }
    }

    #[test]
    fn people_write_without_accents_and_in_capitals() {
        assert_eq!(fold(" ȘTIRI Économie Äpfel "), "stiri economie apfel");
    }

    #[test]
    fn a_long_name_stands_in_a_payload_as_its_hash() {
        let long = "a".repeat(64);
        assert_eq!(key("news", 40), "news");
        assert_eq!(key(&long, 40).len(), 9);
        let button = button("x", Command::Topics, &format!("+{}", key(&long, 40)));
        let Action::Postback { payload } = button.action else { panic!("a postback") };
        assert!(payload.len() <= PAYLOAD_BYTES_MAX);
    }
}
