//! What somebody gets from when they start, and what they are told of it.
//!
//! Who starts keeps what they have: topics stay with whoever leaves, so that coming back is no
//! choosing anew. All topics are for who has none and names none.

use crate::converse::choosing::title;
use crate::converse::replies::Setting;
use crate::converse::words::{TITLES_MAX, TOPICS, Texts, say, with_topics};
use crate::model::name::Name;
use crate::model::subscriber::Subscriber;

/// Signs around a word that is to be written.
const QUOTES: [(&str, &str); 6] =
    [("\"", "\""), ("“", "”"), ("„", "”"), ("„", "“"), ("« ", " »"), ("«", "»")];

/// Words that are to be written, and their commands.
const COMMANDS: [(&str, &str); 4] =
    [("stop", "/stop"), ("стоп", "/stop"), ("start", "/start"), ("help", "/help")];

const IN_GROUP: Texts = [
    ("en", "In this group: /stop"),
    ("ro", "În acest grup: /stop"),
    ("it", "In questo gruppo: /stop"),
    ("de", "In dieser Gruppe: /stop"),
    ("fr", "Dans ce groupe : /stop"),
    ("es", "En este grupo: /stop"),
    ("ru", "В этой группе: /stop"),
];

/// Adds the topics that are named; all where none is and there is none.
pub(super) fn subscribe(person: &mut Subscriber, named: Vec<Name>, setting: &Setting<'_>) {
    let has_any = person.topics.iter().any(|topic| setting.topics.contains(topic));
    if named.is_empty() && !has_any {
        person.topics = setting.topics.to_vec();
    }
    for topic in named {
        if let Err(at) = person.topics.binary_search(&topic) {
            person.topics.insert(at, topic);
        }
    }
}

/// The welcome for a person: with the titles of their topics where the words have a place for them.
pub(super) fn greeting(person: &Subscriber, setting: &Setting<'_>) -> String {
    let text = setting.words.welcome.to(person);
    let own = person.topics.iter().filter(|topic| setting.topics.contains(topic));
    let titles: Vec<&str> =
        own.take(TITLES_MAX).map(|topic| title(topic, person, setting)).collect();
    // A line for them is left out where there are none, but for the only one.
    let lines = text.lines().filter(|line| !titles.is_empty() || !line.contains(TOPICS));
    let kept = lines.collect::<Vec<_>>().join("\n");
    let text = if kept.is_empty() { text.to_owned() } else { kept };
    with_topics(&text, &titles, person)
}

/// What somebody agrees to by starting: what they were told, and their topics by name.
pub(super) fn agreed(welcome: &str, person: &Subscriber) -> String {
    let names: Vec<&str> = person.topics.iter().map(Name::as_str).collect();
    if names.is_empty() { welcome.to_owned() } else { format!("{welcome}\n[{}]", names.join(", ")) }
}

/// In groups only commands are heard: words to be written become these.
pub(super) fn in_group(text: &str) -> String {
    let mut text = text.to_owned();
    for (open, close) in QUOTES {
        for (word, command) in COMMANDS {
            text = text.replace(&format!("{open}{word}{close}"), command);
        }
    }
    text
}

/// As [`in_group`]; how to stop is told in any case.
pub(super) fn greeting_in_group(text: &str, person: &Subscriber) -> String {
    let text = in_group(text);
    if text.contains("/stop") { text } else { format!("{text}\n{}", say(&IN_GROUP, person)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::converse::choosing::Choosing;
    use crate::converse::privacy::tests::person;
    use crate::converse::words::{Saying, Words};
    use crate::model::channel::ChannelKind;

    fn names(names: &[&str]) -> Vec<Name> {
        names.iter().map(|name| Name::parse(name).unwrap()).collect()
    }

    #[test]
    fn who_starts_keeps_what_they_have() {
        let all = names(&["events", "news", "shop"]);
        let (words, choosing) = (Words::default(), Choosing::default());
        let setting = Setting {
            words: &words,
            topics: &all,
            choosing: &choosing,
            kind: ChannelKind::Telegram,
            is_watching: false,
        };
        for (own, named, expected) in [
            (&["news"][..], &[][..], &["news"][..]),
            (&["news"], &["shop"], &["news", "shop"]),
            (&["news"], &["news"], &["news"]),
            (&[], &["shop"], &["shop"]),
            (&[], &[], &["events", "news", "shop"]),
            (&["gone"], &[], &["events", "news", "shop"]),
        ] {
            let mut ana = Subscriber { topics: names(own), ..person() };
            subscribe(&mut ana, names(named), &setting);
            assert_eq!(ana.topics, names(expected), "{own:?} {named:?}");
        }
    }

    #[test]
    fn a_welcome_names_the_topics_where_there_are_some() {
        let all = names(&["news"]);
        let words =
            Words { welcome: Saying::new(&[("en", "Hi.\nYours: {topics}.")]), ..Words::default() };
        let choosing = Choosing {
            titles: [(all[0].clone(), Saying::new(&[("en", "The News")]))].into(),
            ..Choosing::default()
        };
        let setting = |topics| Setting {
            words: &words,
            topics,
            choosing: &choosing,
            kind: ChannelKind::Telegram,
            is_watching: false,
        };
        let ana = Subscriber { topics: all.clone(), ..person() };
        assert_eq!(greeting(&ana, &setting(&all)), "Hi.\nYours: The News.");
        assert_eq!(greeting(&ana, &setting(&[])), "Hi.");
        assert_eq!(agreed("Hi.", &ana), "Hi.\n[news]");
        assert_eq!(agreed("Hi.", &Subscriber { topics: vec![], ..person() }), "Hi.");
    }

    #[test]
    fn in_groups_commands_are_told() {
        for (text, expected) in [
            ("Write \"stop\".", "Write /stop."),
            ("Scrie „stop” când", "Scrie /stop când"),
            ("Schreibe „stop“, wenn", "Schreibe /stop, wenn"),
            ("Écrivez « stop » quand", "Écrivez /stop quand"),
            ("Escribe «start» o «stop»", "Escribe /start o /stop"),
            ("Ahoy!", "Ahoy!\nÎn acest grup: /stop"),
        ] {
            assert_eq!(greeting_in_group(text, &person()), expected);
        }
    }
}
