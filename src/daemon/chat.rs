//! What the settings say of the chat, as the conversation and the reminders need it.

use std::sync::Arc;

use crate::config::{Buttons, Config, Texts};
use crate::converse::keywords::Keyword;
use crate::converse::newest::Supply;
use crate::converse::reminders;
use crate::converse::words::{Choices, Saying, Words};
use crate::daemon::ground::Ground;
use crate::daemon::setup::Setup;
use crate::runtime::wakes::Wakes;

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
        let (say, buttons) = (saying(&reply.say), choices(&reply.buttons));
        Keyword::new(&reply.when, reply.pattern.clone(), say, buttons)
    };
    Words {
        welcome: saying(&messages.welcome),
        welcome_buttons: choices(&messages.welcome_buttons),
        welcome_items: messages.welcome_items,
        goodbye: saying(&messages.goodbye),
        default_reply: saying(&messages.default_reply),
        default_reply_every: messages.default_reply_every,
        replies: messages.replies.iter().map(keyword).collect(),
        stop_label: Saying::new(&STOP),
        start_label: Saying::new(&START),
        asks_zone: config.campaigns.iter().any(|campaign| campaign.timing.by_reader),
    }
}

/// Whose items who gets; what is looked at before it goes out is not shown to anybody first.
pub(super) fn supplies(config: &Config) -> Vec<Supply> {
    let open = config.campaigns.iter().filter(|campaign| !campaign.timing.review);
    let supply = |campaign: &crate::model::campaign::Campaign| Supply {
        topics: campaign.topics.clone(),
        channels: campaign.channels.clone(),
        sources: campaign.sources.clone(),
    };
    open.map(supply).collect()
}

/// `None` where nobody is reminded.
pub(super) fn reminders(
    ground: &Ground,
    setup: &Setup,
    wakes: &Wakes,
) -> Option<reminders::Options> {
    let config = &setup.config;
    let reminder = config.messages.reminder.as_ref()?;
    let title = |(name, title): (&crate::model::name::Name, &Texts)| (name.clone(), saying(title));
    Some(reminders::Options {
        store: Arc::clone(&ground.store),
        clock: ground.clock.clone(),
        wakes: wakes.clone(),
        channels: setup.kinds(),
        every: reminder.every,
        say: saying(&reminder.say),
        titles: config.topics.iter().map(title).collect(),
        stop_label: Saying::new(&STOP),
        days: config.days.clone(),
    })
}

fn saying(texts: &Texts) -> Saying {
    let mut all = vec![(String::new(), texts.default.clone())];
    all.extend(texts.languages.iter().map(|(language, text)| (language.clone(), text.clone())));
    Saying { texts: all }
}

fn choices(buttons: &Buttons) -> Choices {
    let mut all = vec![(String::new(), buttons.default.clone())];
    all.extend(buttons.languages.iter().map(|(language, list)| (language.clone(), list.clone())));
    Choices { lists: all }
}
