//! A person's quiet hours: what falls into them comes at their end.

use crate::converse::choosing::{Chosen, HERE, button, ticked};
use crate::converse::commands::Command;
use crate::converse::replies::Setting;
use crate::converse::words::{Texts, say};
use crate::converse::{settings, timezone};
use crate::model::choice::Quiet;
use crate::model::subscriber::Subscriber;
use crate::model::time::Timestamp;

/// Behind the command: there are none.
const OFF: &str = "off";

/// Words that mean the same.
const OFF_WORDS: [&str; 8] = ["off", "no", "none", "nu", "aus", "non", "нет", "0"];

/// Hours that are offered.
const USUAL: [&str; 5] = ["21-8", "22-7", "22-8", "23-7", "0-8"];

const HEAD: Texts = [
    (
        "en",
        "When shall I be quiet? What is new in those hours comes at their end. You can also write \
         hours of your own: /quiet 22:30-6",
    ),
    (
        "ro",
        "Când să nu te deranjez? Ce apare în acele ore vine la sfârșitul lor. Poți scrie și alte \
         ore: /quiet 22:30-6",
    ),
    (
        "de",
        "Wann soll ich still sein? Was in diesen Stunden neu ist, kommt an ihrem Ende. Du kannst \
         auch eigene Zeiten schreiben: /quiet 22:30-6",
    ),
    (
        "fr",
        "Quand dois-je me taire ? Ce qui paraît pendant ces heures vient à leur fin. Vous pouvez \
         aussi écrire vos heures : /quiet 22:30-6",
    ),
    (
        "es",
        "¿Cuándo no debo molestarte? Lo nuevo de esas horas llega cuando acaban. También puedes \
         escribir otras: /quiet 22:30-6",
    ),
    (
        "it",
        "Quando devo stare in silenzio? Le novità di quelle ore arrivano alla fine. Puoi anche \
         scrivere le tue: /quiet 22:30-6",
    ),
    (
        "ru",
        "Когда вас не беспокоить? Новое за эти часы придёт по их окончании. Можно написать и свои \
         часы: /quiet 22:30-6",
    ),
];

const NOTED: Texts = [
    ("en", "I am quiet {hours} by your clock, where it is {time} now."),
    ("ro", "Nu te deranjez {hours} după ceasul tău, unde acum este {time}."),
    ("de", "Ich bin still {hours} nach deiner Uhr, auf der es jetzt {time} ist."),
    ("fr", "Je me tais {hours} à votre heure ; il y est maintenant {time}."),
    ("es", "No te molesto {hours} según tu reloj, donde ahora son las {time}."),
    ("it", "Sto in silenzio {hours} secondo il tuo orologio, dove ora sono le {time}."),
    ("ru", "Не беспокою {hours} по вашим часам, на которых сейчас {time}."),
];

const NOTED_OFF: Texts = [
    ("en", "No quiet hours: what is new comes whenever it is new."),
    ("ro", "Fără ore de liniște: noutățile vin oricând apar."),
    ("de", "Keine Ruhezeit: Neues kommt, wann immer es neu ist."),
    ("fr", "Pas d’heures calmes : les nouvelles viennent à toute heure."),
    ("es", "Sin horas de silencio: las novedades llegan a cualquier hora."),
    ("it", "Nessuna ora di silenzio: le novità arrivano a qualsiasi ora."),
    ("ru", "Тихих часов нет: новое приходит в любое время."),
];

const WRONG: Texts = [
    ("en", "I do not understand these hours."),
    ("ro", "Nu înțeleg aceste ore."),
    ("de", "Diese Zeiten verstehe ich nicht."),
    ("fr", "Je ne comprends pas ces heures."),
    ("es", "No entiendo esas horas."),
    ("it", "Non capisco queste ore."),
    ("ru", "Я не понимаю эти часы."),
];

const OFF_LABEL: Texts = [
    ("en", "Never quiet"),
    ("ro", "Niciodată"),
    ("de", "Nie still"),
    ("fr", "Jamais"),
    ("es", "Nunca"),
    ("it", "Mai"),
    ("ru", "Никогда"),
];

/// Takes in a choice; answers what holds now.
pub(super) fn take(
    person: &mut Subscriber,
    rest: &str,
    now: Timestamp,
    setting: &Setting<'_>,
) -> Chosen {
    if rest.is_empty() || rest == HERE {
        let held = told(person, now).map(|told| format!("{told}\n\n{}", say(&HEAD, person)));
        return shown(person, &held.unwrap_or_else(|| say(&HEAD, person)));
    }
    let word = rest.to_lowercase();
    if OFF_WORDS.contains(&word.as_str()) {
        person.choices_mut().quiet = None;
        return shown(person, &say(&NOTED_OFF, person));
    }
    let Some(quiet) = Quiet::read(rest) else {
        let text = format!("{}\n\n{}", say(&WRONG, person), say(&HEAD, person));
        return shown(person, &text);
    };
    settings::set_clock(person, setting);
    person.choices_mut().quiet = Some(quiet);
    let text = told(person, now).unwrap_or_default();
    let text = match person.timezone {
        Some(_) => text,
        None => timezone::with_hint(&text, person),
    };
    shown(person, &text)
}

/// Whether somebody writes hours, or that they want none.
pub(super) fn is_told(rest: &str) -> bool {
    OFF_WORDS.contains(&rest.to_lowercase().as_str()) || Quiet::read(rest).is_some()
}

/// What holds now; `None` without quiet hours.
fn told(person: &Subscriber, now: Timestamp) -> Option<String> {
    let quiet = person.choices.as_deref()?.quiet?;
    let text = say(&NOTED, person).replace("{hours}", &quiet.to_string());
    Some(text.replace("{time}", &settings::time(person, now)))
}

fn shown(person: &Subscriber, text: &str) -> Chosen {
    let own = person.choices.as_deref().and_then(|choices| choices.quiet);
    let mut buttons: Vec<_> = USUAL
        .iter()
        .filter_map(|usual| {
            let quiet = Quiet::read(usual)?;
            let label = ticked(own == Some(quiet), &quiet.to_string());
            Some(button(label, Command::Quiet, usual))
        })
        .collect();
    let off = ticked(own.is_none(), &say(&OFF_LABEL, person));
    buttons.push(button(off, Command::Quiet, OFF));
    buttons.push(settings::back(person));
    Chosen::say(text, buttons)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::converse::choosing::tests::has_all_languages;

    #[test]
    fn every_saying_has_the_same_languages() {
        has_all_languages(&[&HEAD, &NOTED, &NOTED_OFF, &WRONG, &OFF_LABEL]);
    }

    #[test]
    fn the_hours_that_are_offered_are_hours() {
        assert!(USUAL.iter().all(|usual| Quiet::read(usual).is_some()));
    }
}
