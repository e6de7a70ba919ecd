//! The menu that leads to all that a person can choose.

use crate::converse::choosing::{Chosen, HERE, button};
use crate::converse::commands::{self, Command};
use crate::converse::replies::Setting;
use crate::converse::words::{Texts, say};
use crate::converse::{frequency, language};
use crate::model::message::Button;
use crate::model::subscriber::{Standing, Subscriber};
use crate::model::time::Timestamp;
use crate::model::zone::{Wall, Zone};

const HEAD: Texts = [
    ("en", "What would you like to change?"),
    ("ro", "Ce vrei să schimbi?"),
    ("de", "Was möchtest du ändern?"),
    ("fr", "Que voulez-vous changer ?"),
    ("es", "¿Qué quieres cambiar?"),
    ("it", "Che cosa vuoi cambiare?"),
    ("ru", "Что вы хотите изменить?"),
];

/// Shows the menu with what holds now.
pub(super) fn show(person: &Subscriber, now: Timestamp, setting: &Setting<'_>) -> Chosen {
    let choices = person.choices.as_deref();
    let mut lines = vec![say(&HEAD, person), String::new()];
    let mut line = |command: Command, held: String| {
        lines.push(format!("{}: {held}", label(person, command)));
    };
    let mut ways = Vec::new();
    if !setting.topics.is_empty() {
        let is_active = person.standing == Standing::Active;
        let has = setting.topics.iter().filter(|topic| is_active && person.topics.contains(topic));
        line(Command::Topics, format!("{} / {}", has.count(), setting.topics.len()));
        ways.push(Command::Topics);
    }
    line(Command::Frequency, frequency::summary(person, setting));
    ways.push(Command::Frequency);
    let quiet = choices.and_then(|choices| choices.quiet);
    line(Command::Quiet, quiet.map_or_else(|| "–".to_owned(), |quiet| quiet.to_string()));
    ways.push(Command::Quiet);
    let own = person.language.as_deref();
    line(Command::Language, own.map_or_else(|| "–".to_owned(), language::called));
    ways.push(Command::Language);
    let zone = person.timezone.as_ref().map_or_else(|| "–".to_owned(), Zone::to_string);
    line(Command::Timezone, format!("{zone} ({})", time(person, now)));
    ways.push(Command::Timezone);
    if !setting.choosing.fields.is_empty() {
        ways.push(Command::Profile);
    }
    let mut buttons: Vec<Button> = ways.into_iter().map(|to| way(person, to)).collect();
    buttons.push(button(label(person, Command::Stop), Command::Stop, ""));
    Chosen::say(&lines.join("\n"), buttons)
}

/// What a command is called in a menu.
pub(super) fn label(person: &Subscriber, command: Command) -> String {
    let row = commands::COMMANDS.iter().find(|row| row.command == command);
    row.map_or_else(String::new, |row| say(&row.about, person))
}

/// The button that leads to a choice, in the place of the menu that it is in.
pub(super) fn way(person: &Subscriber, command: Command) -> Button {
    // What is no menu of its own is answered by itself.
    let rest = if command == Command::Timezone { "" } else { HERE };
    button(label(person, command), command, rest)
}

/// The button that leads back here.
pub(super) fn back(person: &Subscriber) -> Button {
    button(format!("‹ {}", label(person, Command::Settings)), Command::Settings, HERE)
}

/// From now on the person's hours go by the settings' clock while they have told no zone.
pub(super) fn set_clock(person: &mut Subscriber, setting: &Setting<'_>) {
    person.choices_mut().clock.clone_from(&setting.choosing.zone);
}

/// What the clock that their hours go by shows.
pub(super) fn time(person: &Subscriber, now: Timestamp) -> String {
    Wall::at(&person.clocks(), now).time_of_day()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::converse::choosing::tests::has_all_languages;

    #[test]
    fn every_saying_has_the_same_languages() {
        has_all_languages(&[&HEAD]);
    }
}
