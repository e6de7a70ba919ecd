//! Which command a text is, and what stands behind it.
//!
//! Words are compared as whole words without regard to case, accents and signs, so that `"Stop"`,
//! `stop 🙏` and `dezaboneaza-ma` are what they mean. The lines of our menus count as well. Whoever
//! asks to stop is understood sooner than anybody else: see [`asks_to_stop`].

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::converse::commands::{COMMANDS, Command, named, split};
use crate::converse::keywords::fold;

/// Longest beginning of a text that is looked at: in words, and in bytes.
const WORDS_MAX: usize = 12;
const BYTES_MAX: usize = 160;

/// A text of so many words that holds one of [`STOPS`] asks to stop.
const STOP_WORDS_MAX: usize = 3;

/// As [`fold`] leaves them.
const STOPS: [&str; 6] = ["stop", "unsubscribe", "стоп", "stopp", "dezabonare", "отписаться"];

/// With one of these it asks for the contrary; of `don't` a `t` is left.
const NEGATIONS: [&str; 12] =
    ["t", "dont", "cant", "wont", "not", "never", "nu", "nicht", "pas", "non", "не", "without"];

/// What each of our words means, folded, and whether something may stand behind it.
static KNOWN: LazyLock<HashMap<String, (Command, bool)>> = LazyLock::new(|| {
    let mut known = HashMap::new();
    let words = COMMANDS.iter().flat_map(|row| {
        let words = row.words.iter().map(move |words| (*words, row.command, row.takes_more));
        let name = (row.name, row.command, row.takes_more);
        words.chain([name]).collect::<Vec<_>>()
    });
    let lines = COMMANDS
        .iter()
        .flat_map(|row| row.about.iter().map(move |(_, line)| (*line, row.command, false)));
    for (words, command, takes_more) in words.chain(lines) {
        known.entry(fold(words)).or_insert((command, takes_more));
    }
    known
});

/// The command that a text begins with, by name or in words, and what stands behind it as it was
/// written. Behind words of which nothing else is expected it is one only where it `fits`.
pub(in crate::converse) fn said<'a>(
    text: &'a str,
    fits: &dyn Fn(Command, &str) -> bool,
) -> Option<(Command, &'a str)> {
    let text = text.trim().trim_end_matches(['.', '!', '?']);
    if let Some(called) = text.strip_prefix('/') {
        let (name, rest) = split(called, char::is_whitespace);
        // In groups a command carries the bot's name: `/stop@news_bot`.
        let name = name.split('@').next().unwrap_or(name);
        let command = named(fold(name).trim());
        return command.map(|command| (command, rest)).or_else(|| in_words(called, fits));
    }
    in_words(text, fits).or_else(|| asks_to_stop(text).then_some((Command::Stop, "")))
}

/// The longest beginning of the text that we know. A colon ends it.
fn in_words<'a>(text: &'a str, fits: &dyn Fn(Command, &str) -> bool) -> Option<(Command, &'a str)> {
    let closed = text.find(':').unwrap_or(text.len());
    let mut ends: Vec<usize> = text
        .char_indices()
        .filter(|(at, c)| c.is_whitespace() && *at < closed)
        .map(|(at, _)| at)
        .take_while(|at| *at <= BYTES_MAX)
        .collect();
    ends.push(closed);
    let mut beginnings = ends.into_iter().filter(|end| *end <= BYTES_MAX).collect::<Vec<_>>();
    beginnings.truncate(WORDS_MAX);
    beginnings.into_iter().rev().find_map(|end| {
        let (said, rest) = text.split_at_checked(end)?;
        let rest = rest.trim_matches(|c: char| c.is_whitespace() || c == ':');
        // Signs alone say nothing.
        let rest = if rest.contains(char::is_alphanumeric) { rest } else { "" };
        let (command, takes_more) = *KNOWN.get(&fold(said))?;
        let is_meant = takes_more || rest.is_empty() || fits(command, rest);
        is_meant.then_some((command, rest))
    })
}

/// A few words with one in them that stops: "please stop", "STOP STOP", "unsubscribe me".
fn asks_to_stop(text: &str) -> bool {
    if text.len() > BYTES_MAX {
        return false;
    }
    let words = text.split_whitespace().filter(|word| word.contains(char::is_alphanumeric));
    let folded = fold(text);
    let has = |among: &[&str]| folded.split(' ').any(|word| among.contains(&word));
    words.count() <= STOP_WORDS_MAX && has(&STOPS) && !has(&NEGATIONS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Option<(Command, &str)> {
        said(text, &|_, _| false)
    }

    #[test]
    fn commands_are_known_by_name_and_in_words() {
        for (text, expected) in [
            ("/timezone", Some((Command::Timezone, ""))),
            ("/timezone Europe/Bucharest", Some((Command::Timezone, "Europe/Bucharest"))),
            ("/timezone@news_bot  +2", Some((Command::Timezone, "+2"))),
            ("Timezone New York", Some((Command::Timezone, "New York"))),
            ("time zone: utc-05:30", Some((Command::Timezone, "utc-05:30"))),
            ("Time  Zone", Some((Command::Timezone, ""))),
            ("fus orar Bucharest", Some((Command::Timezone, "Bucharest"))),
            ("zeitzone", Some((Command::Timezone, ""))),
            ("fuseau horaire paris", Some((Command::Timezone, "paris"))),
            ("zona horaria madrid", Some((Command::Timezone, "madrid"))),
            ("fuso orario rome", Some((Command::Timezone, "rome"))),
            ("Часовой пояс +3", Some((Command::Timezone, "+3"))),
            ("timezones", None),
            ("time: zone", None),
            ("/timezones", None),
            ("my timezone", None),
            ("/time", None),
            ("/start newsANDshop", Some((Command::Start, "newsANDshop"))),
            ("/START Shop.", Some((Command::Start, "Shop"))),
            (" Start! ", Some((Command::Start, ""))),
            ("start the car", None),
            ("Quiet hours", Some((Command::Quiet, ""))),
            ("quiet please", None),
            ("caută pantofi", Some((Command::Search, "pantofi"))),
            ("search bus stop", Some((Command::Search, "bus stop"))),
            ("watch https://shop.example/a", Some((Command::Watch, "https://shop.example/a"))),
            ("Oprește!", Some((Command::Stop, ""))),
            ("/stop it now", Some((Command::Stop, "it now"))),
            ("Darse de baja", Some((Command::Stop, ""))),
            ("/", None),
            ("", None),
        ] {
            assert_eq!(plain(text), expected, "{text}");
        }
    }

    #[test]
    fn stop_is_understood_however_it_is_said() {
        for text in [
            "\"stop\"",
            "“stop”",
            "„stop“",
            "stop,",
            "stop 🙏",
            "🛑 Stop",
            "STOP STOP",
            "Please stop",
            "stop it",
            "stop it now",
            "unsubscribe me",
            "quit",
            "no more",
            "arreter",
            "se désabonner",
            "disiscrivimi",
            "Basta!",
            "cancelar",
            "dezabonează-mă",
            "dezaboneaza ma",
            "renunț",
            "renunt",
            "отписаться",
            "СТОП",
            "/стоп",
            "/stop,",
            // Of our own menu.
            "Nothing more from us",
            "nu mai vreau mesaje",
            "Ne plus rien recevoir",
        ] {
            assert_eq!(plain(text).map(|(command, _)| command), Some(Command::Stop), "{text}");
        }
        for text in [
            "don't stop",
            "don’t stop",
            "dont stop!",
            "never stop",
            "nu stop",
            "nicht stoppen",
            "non-stop",
            "stopped",
            "where is the bus stop",
            "/next stop",
            "more",
        ] {
            assert_eq!(plain(text), None, "{text}");
        }
    }

    #[test]
    fn starting_and_menus_are_understood_in_every_language() {
        for (text, command) in [
            ("старт", Command::Start),
            ("Abonare", Command::Start),
            ("Abonează-te", Command::Start),
            ("s'abonner", Command::Start),
            ("/старт", Command::Start),
            ("Ruhezeit", Command::Quiet),
            ("Heures calmes", Command::Quiet),
            ("cele mai noi", Command::Latest),
            ("Tell me when a product is in stock or cheaper", Command::Watch),
        ] {
            assert_eq!(plain(text), Some((command, "")), "{text}");
        }
        for row in &COMMANDS {
            let said = row.about.iter().map(|(_, line)| *line).chain(row.words.iter().copied());
            for text in said {
                let found = plain(text).map(|(command, _)| command);
                assert_eq!(found, Some(row.command), "{text}");
            }
        }
    }

    #[test]
    fn what_follows_belongs_to_a_command_where_it_fits() {
        let fits = |command, rest: &str| command == Command::Quiet && rest == "22-7";
        assert_eq!(said("quiet 22-7", &fits), Some((Command::Quiet, "22-7")));
        assert_eq!(said("Quiet hours: 22-7", &fits), Some((Command::Quiet, "22-7")));
        assert_eq!(said("latest 22-7", &fits), None);
    }
}
