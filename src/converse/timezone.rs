//! A person's time zone: how it is told, and what is answered.
//!
//! Behind the command stands a zone as [`Zone::read`] takes it, or nothing.

use crate::converse::words::{Texts, say};
use crate::model::subscriber::Subscriber;
use crate::model::time::Timestamp;
use crate::model::zone::{Wall, Zone};

const NOTED: Texts = [
    ("en", "Your clock is that of {zone}: it is {time} there now."),
    ("ro", "Ceasul tău este cel din {zone}: acolo este acum ora {time}."),
    ("de", "Deine Uhr geht nach {zone}: Dort ist es jetzt {time}."),
    ("fr", "Votre horloge est celle de {zone} : il y est maintenant {time}."),
    ("es", "Tu reloj es el de {zone}: allí son ahora las {time}."),
    ("it", "Il tuo orologio è quello di {zone}: lì ora sono le {time}."),
    ("ru", "Ваши часы идут по {zone}: сейчас там {time}."),
];

const NOTHING: Texts = [
    ("en", "I do not know your time zone yet."),
    ("ro", "Nu îți cunosc încă fusul orar."),
    ("de", "Ich kenne deine Zeitzone noch nicht."),
    ("fr", "Je ne connais pas encore votre fuseau horaire."),
    ("es", "Todavía no conozco tu zona horaria."),
    ("it", "Non conosco ancora il tuo fuso orario."),
    ("ru", "Я ещё не знаю ваш часовой пояс."),
];

const WRONG: Texts = [
    ("en", "I know no such time zone."),
    ("ro", "Nu cunosc un astfel de fus orar."),
    ("de", "Eine solche Zeitzone kenne ich nicht."),
    ("fr", "Je ne connais pas ce fuseau horaire."),
    ("es", "No conozco esa zona horaria."),
    ("it", "Non conosco questo fuso orario."),
    ("ru", "Я не знаю такого часового пояса."),
];

const HINT: Texts = [
    (
        "en",
        "Tell me a large city near you, the capital of your country, or how far you are from UTC, \
         and what comes at an hour of the day comes by your clock: /timezone Bucharest, \
         /timezone +2.",
    ),
    (
        "ro",
        "Spune-mi un oraș mare din apropiere, capitala țării tale sau diferența față de UTC, iar ce \
         vine la o oră anume va veni după ceasul tău: /timezone București, /timezone +2.",
    ),
    (
        "de",
        "Nenne mir eine große Stadt in deiner Nähe, die Hauptstadt deines Landes oder den Abstand \
         zu UTC, und was zu einer Uhrzeit kommt, kommt nach deiner Uhr: /timezone Berlin, \
         /timezone +1.",
    ),
    (
        "fr",
        "Dites-moi une grande ville près de chez vous, la capitale de votre pays ou l’écart avec \
         UTC, et ce qui vient à une heure fixe viendra à l’heure de chez vous : /timezone Paris, \
         /timezone +1.",
    ),
    (
        "es",
        "Dime una ciudad grande cercana, la capital de tu país o la diferencia con UTC, y lo que \
         llega a una hora fija llegará según tu reloj: /timezone Madrid, /timezone +1.",
    ),
    (
        "it",
        "Dimmi una grande città vicina, la capitale del tuo Paese o la differenza da UTC, e ciò che \
         arriva a un’ora fissa arriverà secondo il tuo orologio: /timezone Roma, /timezone +1.",
    ),
    (
        "ru",
        "Напишите большой город рядом с вами, столицу вашей страны или разницу с UTC, и то, что \
         приходит в определённый час, будет приходить по вашим часам: /timezone Москва, \
         /timezone +3.",
    ),
];

/// Takes in what a person has told, which may be nothing; answers what they are told.
pub(super) fn take(person: &mut Subscriber, told: &str, now: Timestamp) -> String {
    if !told.is_empty() {
        let Some(zone) = Zone::read(told) else { return with_hint(&say(&WRONG, person), person) };
        person.timezone = Some(zone);
        return known(person, now).unwrap_or_default();
    }
    match known(person, now) {
        Some(known) => with_hint(&known, person),
        None => with_hint(&say(&NOTHING, person), person),
    }
}

/// The words, and how a time zone is told.
pub(super) fn with_hint(words: &str, person: &Subscriber) -> String {
    format!("{words}\n\n{}", say(&HINT, person))
}

/// What is known of their clock.
fn known(person: &Subscriber, now: Timestamp) -> Option<String> {
    let zone = person.timezone.as_ref()?;
    let time = Wall::at(&zone.clocks()?, now).time_of_day();
    let words = say(&NOTED, person);
    Some(words.replace("{zone}", &zone.to_string()).replace("{time}", &time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_saying_has_the_same_languages() {
        for texts in [&NOTED, &NOTHING, &WRONG, &HINT] {
            let languages: Vec<&str> = texts.iter().map(|(language, _)| *language).collect();
            assert_eq!(languages, ["en", "ro", "de", "fr", "es", "it", "ru"]);
        }
        for (_, text) in HINT {
            let examples = text.split("/timezone ").skip(1);
            let told = examples.filter_map(|rest| rest.split([',', '.']).next());
            assert!(told.clone().count() == 2 && told.clone().all(|it| Zone::read(it).is_some()));
        }
        assert!(NOTED.iter().all(|(_, text)| text.contains("{zone}") && text.contains("{time}")));
    }
}
