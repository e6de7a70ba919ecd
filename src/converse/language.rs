//! In which language a person is written to: the one that they choose, else what the service tells.

use crate::converse::choosing::{Chosen, HERE, button, fold, ticked};
use crate::converse::commands::Command;
use crate::converse::replies::Setting;
use crate::converse::settings;
use crate::converse::words::{Texts, say};
use crate::model::subscriber::Subscriber;

/// Most languages that are shown: with the two ways on, no more than the quick replies of Messenger.
const SHOWN_MAX: usize = 11;

/// Behind the command: as the service tells it.
const AUTOMATIC: &str = "auto";

/// What languages call themselves.
const NAMES: [(&str, &str); 24] = [
    ("bg", "Български"),
    ("cs", "Čeština"),
    ("da", "Dansk"),
    ("de", "Deutsch"),
    ("el", "Ελληνικά"),
    ("en", "English"),
    ("es", "Español"),
    ("fi", "Suomi"),
    ("fr", "Français"),
    ("hr", "Hrvatski"),
    ("hu", "Magyar"),
    ("it", "Italiano"),
    ("nl", "Nederlands"),
    ("no", "Norsk"),
    ("pl", "Polski"),
    ("pt", "Português"),
    ("ro", "Română"),
    ("ru", "Русский"),
    ("sk", "Slovenčina"),
    ("sl", "Slovenščina"),
    ("sr", "Srpski"),
    ("sv", "Svenska"),
    ("tr", "Türkçe"),
    ("uk", "Українська"),
];

const HEAD: Texts = [
    ("en", "In which language shall I write to you?"),
    ("ro", "În ce limbă să-ți scriu?"),
    ("de", "In welcher Sprache soll ich dir schreiben?"),
    ("fr", "Dans quelle langue dois-je vous écrire ?"),
    ("es", "¿En qué idioma quieres que te escriba?"),
    ("it", "In quale lingua devo scriverti?"),
    ("ru", "На каком языке вам писать?"),
];

const NOTED: Texts = [
    ("en", "I write to you in English from now on, wherever there is such a text."),
    ("ro", "De acum îți scriu în română, oriunde există textul."),
    ("de", "Ab jetzt schreibe ich dir auf Deutsch, wo es den Text gibt."),
    ("fr", "Je vous écris désormais en français, partout où le texte existe."),
    ("es", "A partir de ahora te escribo en español, donde exista el texto."),
    ("it", "Da ora ti scrivo in italiano, dove il testo esiste."),
    ("ru", "Теперь я пишу вам по-русски, где есть такой текст."),
];

/// For languages that we have no words of.
const NOTED_OTHER: &str =
    "I write to you in {language} from now on, wherever there is such a text.";

const NOTED_AUTOMATIC: Texts = [
    ("en", "I write to you in the language of your messenger."),
    ("ro", "Îți scriu în limba aplicației tale de mesaje."),
    ("de", "Ich schreibe dir in der Sprache deines Messengers."),
    ("fr", "Je vous écris dans la langue de votre messagerie."),
    ("es", "Te escribo en el idioma de tu mensajería."),
    ("it", "Ti scrivo nella lingua della tua app di messaggi."),
    ("ru", "Я пишу вам на языке вашего мессенджера."),
];

const UNKNOWN: Texts = [
    ("en", "I do not know that language here."),
    ("ro", "Nu cunosc această limbă aici."),
    ("de", "Diese Sprache kenne ich hier nicht."),
    ("fr", "Je ne connais pas cette langue ici."),
    ("es", "No conozco ese idioma aquí."),
    ("it", "Qui non conosco questa lingua."),
    ("ru", "Такого языка я здесь не знаю."),
];

const AUTOMATIC_LABEL: Texts = [
    ("en", "Automatic"),
    ("ro", "Automat"),
    ("de", "Automatisch"),
    ("fr", "Automatique"),
    ("es", "Automático"),
    ("it", "Automatica"),
    ("ru", "Автоматически"),
];

/// Takes in a choice; answers in the language that is chosen.
pub(super) fn take(
    person: &mut Subscriber,
    rest: &str,
    told: Option<&str>,
    setting: &Setting<'_>,
) -> Chosen {
    if rest.is_empty() || rest == HERE {
        return shown(person, None, setting);
    }
    if rest == AUTOMATIC {
        person.choices_mut().has_language = false;
        person.language = told.map(str::to_owned);
        return shown(person, Some(say(&NOTED_AUTOMATIC, person)), setting);
    }
    let Some(tag) = named(rest, setting) else {
        return shown(person, Some(say(&UNKNOWN, person)), setting);
    };
    person.choices_mut().has_language = true;
    person.language = Some(tag.clone());
    let main = tag.split('-').next().unwrap_or(tag);
    let noted = match NOTED.iter().find(|(language, _)| *language == main) {
        Some((_, noted)) => (*noted).to_owned(),
        None => NOTED_OTHER.replace("{language}", &called(tag)),
    };
    shown(person, Some(noted), setting)
}

/// The language that somebody names, by its tag or by its own name.
pub(super) fn named<'a>(text: &str, setting: &Setting<'a>) -> Option<&'a String> {
    let wanted = fold(text);
    let is_it = |tag: &&String| **tag == wanted || fold(&called(tag)) == wanted;
    setting.choosing.languages.iter().find(is_it)
}

/// What a language calls itself; its tag where that is not known.
pub(super) fn called(tag: &str) -> String {
    let (main, region) = tag.split_once('-').unwrap_or((tag, ""));
    match NAMES.iter().find(|(known, _)| *known == main) {
        Some((_, name)) if region.is_empty() => (*name).to_owned(),
        Some((_, name)) => format!("{name} ({})", region.to_uppercase()),
        None => tag.to_owned(),
    }
}

fn shown(person: &Subscriber, above: Option<String>, setting: &Setting<'_>) -> Chosen {
    let has_chosen = person.choices.as_ref().is_some_and(|choices| choices.has_language);
    let is_own = |tag: &str| has_chosen && person.language.as_deref() == Some(tag);
    let languages = setting.choosing.languages.iter().take(SHOWN_MAX);
    let mut buttons: Vec<_> = languages
        .map(|tag| button(ticked(is_own(tag), &called(tag)), Command::Language, tag))
        .collect();
    let automatic = ticked(!has_chosen, &say(&AUTOMATIC_LABEL, person));
    buttons.push(button(automatic, Command::Language, AUTOMATIC));
    buttons.push(settings::back(person));
    Chosen::say(&above.unwrap_or_else(|| say(&HEAD, person)), buttons)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::converse::choosing::tests::has_all_languages;

    #[test]
    fn every_saying_has_the_same_languages() {
        has_all_languages(&[&HEAD, &NOTED, &NOTED_AUTOMATIC, &UNKNOWN, &AUTOMATIC_LABEL]);
    }

    #[test]
    fn languages_are_called_as_they_call_themselves() {
        for (tag, name) in [("ro", "Română"), ("pt-br", "Português (BR)"), ("gsw", "gsw")] {
            assert_eq!(called(tag), name);
        }
        assert!(NAMES.is_sorted());
    }
}
