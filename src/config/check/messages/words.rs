//! What people are told where the settings say nothing else.

use crate::config::Texts;

/// Language and words; English serves everybody else.
type Said = [(&'static str, &'static str); 7];

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
    (
        "ru",
        "Новое приходит к вам сюда. Нажмите «Старт», чтобы подписаться; напишите «стоп», чтобы уйти.",
    ),
];

/// A line with `{topics}`, the titles of a person's topics, is left out where there are none.
pub(super) const WELCOME: Said = [
    (
        "en",
        "Welcome! You will get our news here. Write \"stop\" when you have had enough.\n\
         You get: {topics}.",
    ),
    (
        "ro",
        "Bine ai venit! Vei primi aici noutățile noastre. Scrie „stop” când nu le mai dorești.\n\
         Primești: {topics}.",
    ),
    (
        "it",
        "Ti diamo il benvenuto! Qui ricevi le nostre novità. Scrivi “stop” quando non le vuoi \
         più.\nRicevi: {topics}.",
    ),
    (
        "de",
        "Willkommen! Hier bekommst du unsere Neuigkeiten. Schreibe „stop“, wenn du genug hast.\n\
         Du bekommst: {topics}.",
    ),
    (
        "fr",
        "Bienvenue ! Vous recevrez ici nos nouveautés. Écrivez « stop » quand vous n’en voulez \
         plus.\nVous recevez : {topics}.",
    ),
    (
        "es",
        "¡Te damos la bienvenida! Aquí recibes nuestras novedades. Escribe «stop» cuando no las \
         quieras más.\nRecibes: {topics}.",
    ),
    (
        "ru",
        "Добро пожаловать! Здесь вы будете получать наши новости. Напишите «стоп», когда \
         надоест.\nВы получаете: {topics}.",
    ),
];

pub(super) const GOODBYE: Said = [
    ("en", "You will get nothing more from us. Write \"start\" if you want to come back."),
    ("ro", "Nu vei mai primi nimic de la noi. Scrie „start” dacă vrei să revii."),
    ("it", "Non riceverai più nulla da noi. Scrivi “start” se vuoi tornare."),
    ("de", "Du bekommst nichts mehr von uns. Schreibe „start“, wenn du zurückkommen willst."),
    ("fr", "Vous ne recevrez plus rien de nous. Écrivez « start » si vous voulez revenir."),
    ("es", "No recibirás nada más de nosotros. Escribe «start» si quieres volver."),
    ("ru", "Больше вы ничего от нас не получите. Напишите «старт», если захотите вернуться."),
];

/// To who has subscribed.
pub(super) const DEFAULT_REPLY: Said = [
    ("en", "I only bring the news. Write \"help\" to see what I can do, \"stop\" to get no more."),
    ("ro", "Eu aduc doar noutățile. Scrie „help” ca să vezi ce pot, „stop” ca să renunți."),
    (
        "it",
        "Porto solo le novità. Scrivi “help” per vedere che cosa so fare, “stop” per rinunciare.",
    ),
    (
        "de",
        "Ich bringe nur Neues. Schreibe „help“, um zu sehen, was ich kann, „stop“, um es \
         abzubestellen.",
    ),
    (
        "fr",
        "J’apporte seulement les nouveautés. Écrivez « help » pour voir ce que je sais faire, \
         « stop » pour ne plus les recevoir.",
    ),
    (
        "es",
        "Yo solo traigo las novedades. Escribe «help» para ver qué sé hacer, «stop» para dejarlas.",
    ),
    (
        "ru",
        "Я только приношу новости. Напишите «help», чтобы узнать, что я умею, «стоп» – чтобы уйти.",
    ),
];

/// To who has not, where an editor has no words of their own.
pub(super) const STRANGER_REPLY: Said = [
    ("en", "I only bring the news. Write \"start\" to get it, \"help\" to see what I can do."),
    ("ro", "Eu aduc doar noutățile. Scrie „start” ca să le primești, „help” ca să vezi ce pot."),
    (
        "it",
        "Porto solo le novità. Scrivi “start” per riceverle, “help” per vedere che cosa so fare.",
    ),
    (
        "de",
        "Ich bringe nur Neues. Schreibe „start“, um es zu bekommen, „help“, um zu sehen, was ich \
         kann.",
    ),
    (
        "fr",
        "J’apporte seulement les nouveautés. Écrivez « start » pour les recevoir, « help » pour \
         voir ce que je sais faire.",
    ),
    (
        "es",
        "Yo solo traigo las novedades. Escribe «start» para recibirlas, «help» para ver qué sé \
         hacer.",
    ),
    (
        "ru",
        "Я только приношу новости. Напишите «старт», чтобы получать их, «help» – чтобы узнать, что я умею.",
    ),
];

/// `{topics}` stands for the titles of a person's topics.
pub(super) const REMINDER: Said = [
    ("en", "You get from us here: {topics}. Write \"stop\" if you have had enough."),
    ("ro", "Primești de la noi aici: {topics}. Scrie „stop” dacă nu mai dorești."),
    ("it", "Da noi ricevi qui: {topics}. Scrivi “stop” se non vuoi più nulla."),
    ("de", "Von uns bekommst du hier: {topics}. Schreibe „stop“, wenn du genug hast."),
    ("fr", "Vous recevez de nous ici : {topics}. Écrivez « stop » si vous n’en voulez plus."),
    ("es", "Aquí recibes de nosotros: {topics}. Escribe «stop» si ya no quieres más."),
    ("ru", "От нас вы получаете здесь: {topics}. Напишите «стоп», если надоело."),
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
    fn all_are_in_seven_languages_and_greetings_fit_everywhere() {
        let replies = [&DEFAULT_REPLY, &STRANGER_REPLY];
        for said in [&GREETING, &WELCOME, &GOODBYE, &REMINDER].into_iter().chain(replies) {
            let languages = said.map(|(language, _)| language);
            assert_eq!(languages, ["en", "ro", "it", "de", "fr", "es", "ru"]);
        }
        for (language, text) in GREETING {
            assert!(text.chars().count() <= 120, "{language}: {}", text.chars().count());
        }
        assert!(DEFAULT_REPLY.iter().chain(&STRANGER_REPLY).all(|(_, text)| text.contains("help")));
        assert!(REMINDER.iter().all(|(_, text)| text.contains("{topics}")));
    }
}
