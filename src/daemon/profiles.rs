//! What the services show of each channel: what the settings say of it, in each service's form.

use std::collections::{BTreeMap, BTreeSet};

use crate::channel::facet::Facet;
use crate::channel::messenger::profile::Entry;
use crate::channel::{messenger, telegram};
use crate::config::{Buttons, Channel, Config, Service, Texts};
use crate::converse::commands::{COMMANDS, Command, Row, payload};
use crate::model::message::{Action, Button};
use crate::model::start;

/// Questions before the first message, where the settings name none.
const QUESTIONS_MAX: usize = 4;

/// What a channel shows.
pub fn facets(config: &Config, channel: &Channel) -> Vec<Facet> {
    match (&channel.service, channel.profile) {
        (Service::Telegram { .. }, false) => Vec::new(),
        (Service::Telegram { .. }, true) => telegram::profile::facets(&bot(config)),
        (Service::Messenger { .. }, false) => vec![messenger::profile::start()],
        (Service::Messenger { .. }, true) => messenger::profile::facets(&page(config)),
    }
}

/// Nobody chose the words that greet.
fn is_default(config: &Config) -> bool {
    let default = crate::config::Messages::default();
    let messages = &config.messages;
    messages.greeting == default.greeting && messages.greeting_short.is_none()
}

fn bot(config: &Config) -> telegram::profile::Looks {
    let texts = |texts: &Texts| telegram::profile::Texts {
        default: texts.default.clone(),
        languages: texts.languages.clone(),
    };
    let messages = &config.messages;
    let short = messages.greeting_short.as_ref().unwrap_or(&messages.greeting);
    let line = |row: &Row, language: &str| (row.name.to_owned(), row.line(language).to_owned());
    let lists = |is_shown: fn(&&Row) -> bool| {
        let list = |language: &str| {
            COMMANDS.iter().filter(is_shown).map(|row| line(row, language)).collect::<Vec<_>>()
        };
        let others = spoken().into_iter().filter(|language| *language != "en");
        let others = others.map(|language| (language.to_owned(), list(language)));
        std::iter::once((String::new(), list("en"))).chain(others).collect()
    };
    telegram::profile::Looks {
        description: texts(&messages.greeting),
        short_description: texts(short),
        is_default: is_default(config),
        commands: lists(|_| true),
        // A group has no profile.
        admin_commands: lists(|row| row.command != Command::Profile),
    }
}

fn page(config: &Config) -> messenger::profile::Looks {
    let messages = &config.messages;
    let longest = |texts: &Texts| {
        texts.languages.values().chain([&texts.default]).map(|text| text.chars().count()).max()
    };
    let is_long = longest(&messages.greeting) > Some(messenger::profile::GREETING_CHARS_MAX);
    let greeting = match &messages.greeting_short {
        Some(short) if is_long => short,
        _ => &messages.greeting,
    };
    let mut greetings: BTreeMap<String, String> = greeting.languages.clone();
    greetings.insert(String::new(), greeting.default.clone());
    messenger::profile::Looks {
        greeting: greetings,
        is_default: is_default(config),
        questions: questions(config),
        menu: menu(config),
    }
}

/// The questions of the settings, or the titles of the first topics.
fn questions(config: &Config) -> BTreeMap<String, Vec<(String, String)>> {
    if let Some(chosen) = &config.messages.ice_breakers {
        let asked = |buttons: &Vec<Button>| buttons.iter().filter_map(question).collect();
        return by_language(chosen, asked);
    }
    let titles = || config.topics.iter().take(QUESTIONS_MAX);
    let languages: BTreeSet<&str> =
        titles().flat_map(|(_, title)| title.languages.keys().map(String::as_str)).collect();
    let asked = |language: &str| {
        let asked = titles().map(|(topic, title)| {
            let said = title.languages.get(language).unwrap_or(&title.default);
            (said.clone(), start::button(topic))
        });
        (language.to_owned(), asked.collect())
    };
    languages.into_iter().chain([""]).map(asked).collect()
}

fn question(button: &Button) -> Option<(String, String)> {
    match &button.action {
        Action::Postback { payload } => Some((button.label.clone(), payload.clone())),
        _ => None,
    }
}

/// The commands, and the links of the settings behind them.
fn menu(config: &Config) -> BTreeMap<String, Vec<Entry>> {
    let links = &config.messages.menu;
    let languages: BTreeSet<&str> = spoken()
        .into_iter()
        .chain(links.languages.keys().map(String::as_str))
        .chain([""])
        .collect();
    let entries = |language: &str| {
        let main = language.split('-').next().unwrap_or(language);
        let of = |wanted: &str| links.languages.get(wanted);
        let links = of(language).or_else(|| of(main)).unwrap_or(&links.default);
        let links: Vec<Entry> = links.iter().filter_map(link).collect();
        let room = messenger::profile::ENTRIES_MAX.saturating_sub(links.len());
        let taps = COMMANDS.iter().take(room).map(|row| Entry::Tap {
            title: row.line(language).to_owned(),
            payload: payload(row.command),
        });
        (language.to_owned(), taps.chain(links).collect())
    };
    languages.into_iter().map(entries).collect()
}

fn link(button: &Button) -> Option<Entry> {
    match &button.action {
        Action::Open { url } => Some(Entry::Link { title: button.label.clone(), url: url.clone() }),
        _ => None,
    }
}

fn by_language<T>(buttons: &Buttons, told: impl Fn(&Vec<Button>) -> T) -> BTreeMap<String, T> {
    let all = buttons.languages.iter().map(|(language, list)| (language.clone(), told(list)));
    all.chain([(String::new(), told(&buttons.default))]).collect()
}

/// The languages of the commands.
fn spoken() -> BTreeSet<&'static str> {
    COMMANDS.iter().flat_map(|row| row.about.iter().map(|(language, _)| *language)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::daemon::Setup;

    fn config(more: &str) -> Config {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tidings.toml");
        let text = format!(
            "data_dir = 'data'\n[channels]\nbot = {{ kind = 'telegram', token = {{ env = 'T' }} }}\n\
             page = {{ kind = 'messenger', page_id = '1', page_token = {{ env = 'T' }}, \
             app_secret = {{ env = 'T' }}, verify_token = {{ env = 'T' }} }}\n\
             [topics]\nnews = {{ title = {{ en = 'News', ro = 'Știri' }} }}\noffers = {{}}\n{more}"
        );
        std::fs::write(&path, text).unwrap();
        let token =
            |name: &str| (name == "T").then(|| "1:canary-that-is-long-enough-to-be-one".to_owned());
        match Setup::load(&path, &token) {
            Ok(setup) => Config::clone(&setup.config),
            Err(problems) => panic!("{}", problems.join("\n")),
        }
    }

    fn shown(config: &Config, channel: usize) -> BTreeMap<String, serde_json::Value> {
        let all = facets(config, &config.channels[channel]);
        all.into_iter().map(|facet| (facet.key, facet.value)).collect()
    }

    #[test]
    fn a_bot_greets_and_lists_its_commands_in_each_language() {
        let bot = shown(&config(""), 0);
        assert!(bot["description"].as_str().unwrap().starts_with("What is new"));
        assert!(bot["short_description:ro"].as_str().unwrap().starts_with("Noutățile"));
        let stop = json!({ "command": "stop", "description": "Keine Nachrichten mehr" });
        assert!(bot["commands:de"].as_array().unwrap().contains(&stop));
        assert!(!bot.contains_key("commands:en"), "English is for everybody");
        let (all, of_admins) = (&bot["commands:de"], &bot["admin_commands:de"]);
        let names = |list: &serde_json::Value| {
            let each = list.as_array().unwrap().iter();
            each.map(|one| one["command"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let expected = names(all).into_iter().filter(|name| name != "profile");
        assert_eq!(names(of_admins), expected.collect::<Vec<_>>());
    }

    #[test]
    fn a_page_asks_for_topics_and_has_the_commands_in_its_menu() {
        let page = shown(&config("[messages]\nmenu = ['Shop=https://example.com/']\n"), 1);
        let asked = json!([
            { "question": "Știri", "payload": "1:start:news" },
            { "question": "offers", "payload": "1:start:offers" },
        ]);
        let romanian = &page["ice_breakers"].as_array().unwrap()[1];
        assert_eq!(romanian, &json!({ "locale": "ro_RO", "call_to_actions": asked }));
        let menu = page["persistent_menu"][0]["call_to_actions"].as_array().unwrap();
        assert!(menu.iter().any(|entry| entry["payload"] == "1:cmd:stop"));
        assert_eq!(menu.last().unwrap()["url"], "https://example.com/");
    }

    #[test]
    fn a_channel_that_shows_nothing_of_ours_keeps_its_start_button() {
        let mut config = config("");
        config.channels.iter_mut().for_each(|channel| channel.profile = false);
        assert!(shown(&config, 0).is_empty());
        assert_eq!(shown(&config, 1).into_keys().collect::<Vec<_>>(), ["get_started"]);
    }
}
