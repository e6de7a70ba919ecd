//! What people can choose and see in the chat: what the settings say of it, as the conversation
//! needs it.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{Config, Texts};
use crate::converse::choosing::Choosing;
use crate::converse::profile::Field;
use crate::converse::shelf::Shelves;
use crate::daemon::pages::sources;
use crate::daemon::stages::saying;

/// Languages that we have words of, in which people are answered.
const OWN_LANGUAGES: [&str; 7] = ["en", "ro", "it", "de", "fr", "es", "ru"];

/// What people can choose from.
pub(super) fn choosing(config: &Config) -> Choosing {
    let titles = config.topics.iter().map(|(topic, title)| (topic.clone(), saying(title)));
    Choosing {
        titles: titles.collect(),
        languages: languages(config),
        zone: Some(config.days.zone()),
        fields: config.profile.iter().map(field).collect(),
    }
}

/// What of the newest is shown, by channel and topic.
pub(super) fn shelves(config: &Config) -> Shelves {
    let mut shelves = Shelves { sources: BTreeMap::new(), everybody: BTreeMap::new() };
    for channel in &config.channels {
        let here = std::slice::from_ref(&channel.name);
        shelves.everybody.insert(channel.name.clone(), sources(config, Some(&[]), here));
        for topic in config.topics.keys() {
            let own = sources(config, Some(std::slice::from_ref(topic)), here);
            shelves.sources.insert((channel.name.clone(), topic.clone()), own);
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
