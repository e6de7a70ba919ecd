//! What people are told where the settings say nothing else.

use crate::config::Texts;

/// Language and words; English serves everybody else.
type Said = [(&'static str, &'static str); 6];

/// Short enough for every place that greets.
pub(super) const GREETING: Said = [
    (
        "en",
        "What is new comes to you here. Start to subscribe; write \"stop\" to leave at any time.",
    ),
    (
        "ro",
        "Noutățile vin la tine aici. Începe ca să te abonezi; scrie „stop” ca să renunți oricând.",
    ),
    ("it", "Le novità arrivano qui. Avvia per iscriverti; scrivi “stop” per uscire quando vuoi."),
    (
        "de",
        "Neues kommt hier zu dir. Starte, um zu abonnieren; schreibe „stop“, um jederzeit zu gehen.",
    ),
    (
        "fr",
        "Les nouveautés vous arrivent ici. Démarrez pour vous abonner ; écrivez « stop » pour partir.",
    ),
    (
        "es",
        "Las novedades te llegan aquí. Inicia para suscribirte; escribe «stop» para irte cuando quieras.",
    ),
];

pub(super) const WELCOME: Said = [
    ("en", "Welcome! You will get our news here. Write \"stop\" when you have had enough."),
    ("ro", "Bine ai venit! Vei primi aici noutățile noastre. Scrie „stop” când nu le mai dorești."),
    (
        "it",
        "Ti diamo il benvenuto! Qui ricevi le nostre novità. Scrivi “stop” quando non le vuoi più.",
    ),
    ("de", "Willkommen! Hier bekommst du unsere Neuigkeiten. Schreibe „stop“, wenn du genug hast."),
    (
        "fr",
        "Bienvenue ! Vous recevrez ici nos nouveautés. Écrivez « stop » quand vous n’en voulez plus.",
    ),
    (
        "es",
        "¡Te damos la bienvenida! Aquí recibes nuestras novedades. Escribe «stop» cuando no las \
         quieras más.",
    ),
];

pub(super) const GOODBYE: Said = [
    ("en", "You will get nothing more from us. Write \"start\" if you want to come back."),
    ("ro", "Nu vei mai primi nimic de la noi. Scrie „start” dacă vrei să revii."),
    ("it", "Non riceverai più nulla da noi. Scrivi “start” se vuoi tornare."),
    ("de", "Du bekommst nichts mehr von uns. Schreibe „start“, wenn du zurückkommen willst."),
    ("fr", "Vous ne recevrez plus rien de nous. Écrivez « start » si vous voulez revenir."),
    ("es", "No recibirás nada más de nosotros. Escribe «start» si quieres volver."),
];

pub(super) const DEFAULT_REPLY: Said = [
    ("en", "I only bring the news. Write \"start\" to get it, \"stop\" to leave it."),
    ("ro", "Eu aduc doar noutățile. Scrie „start” ca să le primești, „stop” ca să renunți."),
    ("it", "Porto solo le novità. Scrivi “start” per riceverle, “stop” per rinunciare."),
    (
        "de",
        "Ich bringe nur Neues. Schreibe „start“, um es zu bekommen, „stop“, um es abzubestellen.",
    ),
    (
        "fr",
        "J’apporte seulement les nouveautés. Écrivez « start » pour les recevoir, « stop » pour ne \
         plus les recevoir.",
    ),
    ("es", "Yo solo traigo las novedades. Escribe «start» para recibirlas, «stop» para dejarlas."),
];

/// `{topics}` stands for the titles of a person's topics.
pub(super) const REMINDER: Said = [
    ("en", "You get from us here: {topics}. Write \"stop\" if you have had enough."),
    ("ro", "Primești de la noi aici: {topics}. Scrie „stop” dacă nu mai dorești."),
    ("it", "Da noi ricevi qui: {topics}. Scrivi “stop” se non vuoi più nulla."),
    ("de", "Von uns bekommst du hier: {topics}. Schreibe „stop“, wenn du genug hast."),
    ("fr", "Vous recevez de nous ici : {topics}. Écrivez « stop » si vous n’en voulez plus."),
    ("es", "Aquí recibes de nosotros: {topics}. Escribe «stop» si ya no quieres más."),
];

pub(super) fn texts(said: &Said) -> Texts {
    Texts {
        default: said[0].1.to_owned(),
        languages: said.iter().map(|(tag, text)| ((*tag).to_owned(), (*text).to_owned())).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_in_six_languages_and_greetings_fit_everywhere() {
        for said in [&GREETING, &WELCOME, &GOODBYE, &DEFAULT_REPLY, &REMINDER] {
            let languages = said.map(|(language, _)| language);
            assert_eq!(languages, ["en", "ro", "it", "de", "fr", "es"]);
        }
        for (language, text) in GREETING {
            assert!(text.chars().count() <= 120, "{language}: {}", text.chars().count());
        }
        assert!(REMINDER.iter().all(|(_, text)| text.contains("{topics}")));
    }
}
