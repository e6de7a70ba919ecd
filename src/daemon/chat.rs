//! What the settings say of the chat, as the conversation and the reminders need it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::config::{Buttons, Config, Texts};
use crate::converse::choosing::Choosing;
use crate::converse::keywords::Keyword;
use crate::converse::profile::Field;
use crate::converse::reminders;
use crate::converse::shelf::Shelves;
use crate::converse::words::{Choices, Saying, Words};
use crate::daemon::ground::Ground;
use crate::daemon::pages::selection;
use crate::daemon::setup::Setup;
use crate::model::name::Name;
use crate::runtime::wakes::Wakes;

/// Languages that we have words of, in which people are answered.
const OWN_LANGUAGES: [&str; 7] = ["en", "ro", "it", "de", "fr", "es", "ru"];

const STOP: [(&str, &str); 7] = [
    ("en", "Stop"),
    ("ro", "Oprește"),
    ("it", "Basta"),
    ("de", "Abmelden"),
    ("fr", "Arrêter"),
    ("es", "Parar"),
    ("ru", "Стоп"),
];

const START: [(&str, &str); 7] = [
    ("en", "Start again"),
    ("ro", "Începe din nou"),
    ("it", "Ricomincia"),
    ("de", "Wieder anmelden"),
    ("fr", "Recommencer"),
    ("es", "Empezar de nuevo"),
    ("ru", "Начать снова"),
];

pub(super) fn words(config: &Config) -> Words {
    let messages = &config.messages;
    let keyword = |reply: &crate::config::KeywordReply| {
        let (say, buttons) = (set(&reply.say, reply.layout.as_ref()), choices(&reply.buttons));
        Keyword::new(&reply.when, reply.pattern.clone(), say, buttons)
    };
    Words {
        welcome: set(&messages.welcome, messages.welcome_layout.as_ref()),
        welcome_buttons: choices(&messages.welcome_buttons),
        welcome_items: messages.welcome_items,
        goodbye: set(&messages.goodbye, messages.goodbye_layout.as_ref()),
        default_reply: set(&messages.default_reply, messages.default_reply_layout.as_ref()),
        stranger_reply: messages.stranger_reply.as_ref().map_or_else(
            || set(&messages.default_reply, messages.default_reply_layout.as_ref()),
            |ours| set(ours, messages.default_reply_layout.as_ref()),
        ),
        default_reply_every: messages.default_reply_every,
        replies: messages.replies.iter().map(keyword).collect(),
        stop_label: stop_label(),
        start_label: Saying::new(&START),
        asks_zone: config.campaigns.iter().any(|campaign| campaign.timing.by_reader),
    }
}

/// What people can choose from.
pub(super) fn choosing(config: &Config) -> Choosing {
    Choosing {
        titles: titles(config),
        languages: languages(config),
        zone: Some(config.days.zone()),
        fields: config.profile.iter().map(field).collect(),
        has_products: config.sources.iter().any(|source| source.watch),
    }
}

/// What of the newest is shown, by channel and topic.
pub(super) fn shelves(config: &Config) -> Shelves {
    let mut shelves = Shelves::default();
    for channel in &config.channels {
        let here = std::slice::from_ref(&channel.name);
        shelves.everybody.insert(channel.name.clone(), selection(config, Some(&[]), here));
        for topic in config.topics.keys() {
            let own = selection(config, Some(std::slice::from_ref(topic)), here);
            shelves.topics.insert((channel.name.clone(), topic.clone()), own);
        }
    }
    shelves
}

/// Our own first, then those that the editors write in.
fn languages(config: &Config) -> Vec<String> {
    let messages = &config.messages;
    let of_messages = [&messages.welcome, &messages.goodbye, &messages.default_reply];
    let texts = config.topics.values().chain(of_messages);
    let written: BTreeSet<&String> =
        texts.flat_map(|texts: &Texts| texts.languages.keys()).collect();
    let own = OWN_LANGUAGES.map(str::to_owned);
    let others = written.into_iter().filter(|tag| !own.contains(tag)).cloned().collect::<Vec<_>>();
    own.iter().cloned().chain(others).collect()
}

fn field(field: &crate::config::ProfileField) -> Field {
    Field {
        name: field.name.clone(),
        title: saying(&field.title),
        ask: saying(&field.ask),
        kind: field.kind,
        options: field.options.clone(),
        at_start: field.at_start,
    }
}

/// `None` where nobody is reminded.
pub(super) fn reminders(
    ground: &Ground,
    setup: &Setup,
    wakes: &Wakes,
) -> Option<reminders::Options> {
    let config = &setup.config;
    let reminder = config.messages.reminder.as_ref()?;
    Some(reminders::Options {
        store: Arc::clone(&ground.store),
        clock: ground.clock.clone(),
        wakes: wakes.clone(),
        channels: setup.kinds(),
        every: reminder.every,
        say: self::reminder(config)?,
        layouts: Arc::clone(&setup.layouts),
        titles: titles(config),
        stop_label: stop_label(),
        days: config.days.clone(),
    })
}

/// What people are reminded with.
pub(super) fn reminder(config: &Config) -> Option<Saying> {
    let reminder = config.messages.reminder.as_ref()?;
    Some(set(&reminder.say, reminder.layout.as_ref()))
}

/// What the topics are called.
pub(super) fn titles(config: &Config) -> BTreeMap<Name, Saying> {
    config.topics.iter().map(|(topic, title)| (topic.clone(), saying(title))).collect()
}

/// What stands on the button that stops.
pub(super) fn stop_label() -> Saying {
    Saying::new(&STOP)
}

fn saying(texts: &Texts) -> Saying {
    let mut all = vec![(String::new(), texts.default.clone())];
    all.extend(texts.languages.iter().map(|(language, text)| (language.clone(), text.clone())));
    Saying { texts: all, layout: None }
}

fn set(texts: &Texts, layout: Option<&Name>) -> Saying {
    Saying { layout: layout.cloned(), ..saying(texts) }
}

fn choices(buttons: &Buttons) -> Choices {
    let mut all = vec![(String::new(), buttons.default.clone())];
    all.extend(buttons.languages.iter().map(|(language, list)| (language.clone(), list.clone())));
    Choices { lists: all }
}
