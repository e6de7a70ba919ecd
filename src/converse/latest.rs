//! The newest items on demand, and a search among them: what is asked for, and what is said of what
//! was found. The looking up is the worker's: see `shelf`.

use crate::converse::choosing::{Chosen, HERE, fold, menu, topic_of};
use crate::converse::commands::Command;
use crate::converse::replies::Setting;
use crate::converse::words::{Texts, say};
use crate::converse::{settings, topics};
use crate::model::choice::About;
use crate::model::message::{Card, Message, Module};
use crate::model::name::Name;
use crate::model::subscriber::{Standing, Subscriber};

/// Most items of one answer.
pub(super) const SHOWN_MAX: usize = 5;

/// Longest search, in characters, and most words of it.
const SEARCH_CHARS_MAX: usize = 200;
const SEARCH_WORDS_MAX: usize = 8;

const NOTHING_NEW: Texts = [
    ("en", "There is nothing new just now. It comes to you when there is."),
    ("ro", "Acum nu este nimic nou. Când va fi, îți scriu."),
    ("de", "Gerade gibt es nichts Neues. Sobald es etwas gibt, kommt es zu dir."),
    ("fr", "Rien de neuf pour l’instant. Dès qu’il y aura du neuf, vous le recevrez."),
    ("es", "Ahora no hay nada nuevo. Te llegará cuando lo haya."),
    ("it", "Per ora non c’è nulla di nuovo. Quando ci sarà, ti arriverà."),
    ("ru", "Пока ничего нового нет. Когда появится, я напишу."),
];

/// To who has not subscribed.
const NOTHING_THERE: Texts = [
    ("en", "There is nothing new just now."),
    ("ro", "Acum nu este nimic nou."),
    ("de", "Gerade gibt es nichts Neues."),
    ("fr", "Rien de neuf pour l’instant."),
    ("es", "Ahora no hay nada nuevo."),
    ("it", "Per ora non c’è nulla di nuovo."),
    ("ru", "Пока ничего нового нет."),
];

const NOTHING_FOUND: Texts = [
    ("en", "I found nothing for “{words}” among the newest."),
    ("ro", "Nu am găsit nimic pentru „{words}” printre cele mai noi."),
    ("de", "Ich habe unter dem Neuesten nichts zu „{words}“ gefunden."),
    ("fr", "Je n’ai rien trouvé pour « {words} » parmi les plus récents."),
    ("es", "No he encontrado nada para «{words}» entre lo más nuevo."),
    ("it", "Non ho trovato nulla per “{words}” tra le novità."),
    ("ru", "Среди нового ничего не нашлось по запросу «{words}»."),
];

const WHAT_FOR: Texts = [
    ("en", "What are you looking for? Write me a word or two of it."),
    ("ro", "Ce cauți? Scrie-mi un cuvânt sau două."),
    ("de", "Was suchst du? Schreibe mir ein oder zwei Wörter davon."),
    ("fr", "Que cherchez-vous ? Écrivez-moi un mot ou deux."),
    ("es", "¿Qué buscas? Escríbeme una o dos palabras."),
    ("it", "Che cosa cerchi? Scrivimi una o due parole."),
    ("ru", "Что вы ищете? Напишите одно-два слова."),
];

/// In groups, where only commands are heard.
const SEARCH_FOR: Texts = [
    ("en", "Write what you are looking for: /search shoes"),
    ("ro", "Scrie ce cauți: /search pantofi"),
    ("de", "Schreibe, was du suchst: /search Schuhe"),
    ("fr", "Écrivez ce que vous cherchez : /search chaussures"),
    ("es", "Escribe lo que buscas: /search zapatos"),
    ("it", "Scrivi che cosa cerchi: /search scarpe"),
    ("ru", "Напишите, что вы ищете: /search обувь"),
];

/// What is to be looked up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lookup {
    /// Items of these topics; none: of all.
    pub topics: Vec<Name>,
    /// What is looked for, as it was written; empty: the newest.
    pub words: String,
    /// Most items.
    pub limit: usize,
    /// Nobody has asked for it: where there is nothing, nothing is said.
    pub is_extra: bool,
}

impl Lookup {
    fn asked(topics: Vec<Name>, words: String) -> Self {
        Self { topics, words, limit: SHOWN_MAX, is_extra: false }
    }
}

/// What goes with a welcome.
pub(super) fn welcoming(person: &Subscriber, limit: usize) -> Option<Lookup> {
    let topics = own(person);
    (limit > 0).then(|| Lookup { topics, words: String::new(), limit, is_extra: true })
}

/// `/latest`, perhaps with a topic behind it.
pub(super) fn latest(person: &Subscriber, rest: &str, setting: &Setting<'_>) -> Chosen {
    let topics = match rest {
        "" | HERE => own(person),
        named => match topic_of(named, setting) {
            Some(topic) => vec![topic.clone()],
            None => {
                let ways = vec![settings::way(person, Command::Topics)];
                return Chosen::say(&say(&topics::GONE, person), ways);
            }
        },
    };
    let lookup = Lookup::asked(topics, String::new());
    Chosen { lookup: Some(lookup), ..Chosen::default() }
}

/// `/search` and what is looked for.
pub(super) fn search(person: &mut Subscriber, rest: &str) -> Chosen {
    let words: String = rest.chars().take(SEARCH_CHARS_MAX).collect();
    if sought(&words).is_empty() {
        if person.is_group() {
            return Chosen::say(&say(&SEARCH_FOR, person), vec![]);
        }
        person.ask(About::Search);
        return Chosen::say(&say(&WHAT_FOR, person), vec![]);
    }
    Chosen { lookup: Some(Lookup::asked(own(person), words)), ..Chosen::default() }
}

/// Whoever gets nothing is shown what there is.
fn own(person: &Subscriber) -> Vec<Name> {
    match person.standing {
        Standing::Active => person.topics.clone(),
        _ => Vec::new(),
    }
}

/// The words that an item must have, each as [`fold`] writes it.
pub(super) fn sought(words: &str) -> Vec<String> {
    let folded = fold(words);
    let words = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.take(SEARCH_WORDS_MAX).map(str::to_owned).collect()
}

/// What is said of what was found.
pub(super) fn found(lookup: &Lookup, cards: Vec<Card>, person: &Subscriber) -> Option<Message> {
    if !cards.is_empty() {
        return Some(Message::from(vec![Module::Cards(cards)]));
    }
    if lookup.is_extra {
        return None;
    }
    let text = match lookup.words.is_empty() {
        true if person.standing == Standing::Active => say(&NOTHING_NEW, person),
        true => say(&NOTHING_THERE, person),
        false => say(&NOTHING_FOUND, person).replace("{words}", lookup.words.trim()),
    };
    Some(menu(&text, vec![]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::converse::choosing::tests::has_all_languages;

    #[test]
    fn every_saying_has_the_same_languages() {
        has_all_languages(&[&NOTHING_NEW, &NOTHING_THERE, &NOTHING_FOUND, &WHAT_FOR, &SEARCH_FOR]);
    }

    #[test]
    fn what_is_sought_is_words() {
        assert_eq!(sought(" Pantofi, ROȘII! "), ["pantofi", "rosii"]);
        assert_eq!(sought("…"), Vec::<String>::new());
        assert_eq!(sought(&"a ".repeat(100)).len(), SEARCH_WORDS_MAX);
    }
}
