//! What people are told without anybody writing it then, as somebody would hear it: for previews.

use crate::converse::layout::{self, Reader};
use crate::converse::reminders;
use crate::converse::replies::{STOP_PAYLOAD, Setting, respond};
use crate::converse::words::Words;
use crate::daemon::chat;
use crate::daemon::setup::Setup;
use crate::model::channel::ChannelKind;
use crate::model::event::{Deed, Event};
use crate::model::message::Message;
use crate::model::name::Name;
use crate::model::subscriber::{Standing, Subscriber};
use crate::model::time::Timestamp;
use crate::model::zone::Zone;
use crate::render::Person;

/// Something that is said by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Automatic {
    Welcome,
    Goodbye,
    DefaultReply,
    Reminder,
}

impl Automatic {
    pub const ALL: [Self; 4] = [Self::Welcome, Self::Goodbye, Self::DefaultReply, Self::Reminder];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Welcome => "welcome",
            Self::Goodbye => "goodbye",
            Self::DefaultReply => "default-reply",
            Self::Reminder => "reminder",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }

    /// The layout that sets it, if one does.
    pub fn layout(self, setup: &Setup) -> Option<&Name> {
        let messages = &setup.config.messages;
        match self {
            Self::Welcome => messages.welcome_layout.as_ref(),
            Self::Goodbye => messages.goodbye_layout.as_ref(),
            Self::DefaultReply => messages.default_reply_layout.as_ref(),
            Self::Reminder => messages.reminder.as_ref()?.layout.as_ref(),
        }
    }

    /// What somebody with all topics hears on a kind of channel; `None` where nobody is told it.
    pub fn said(
        self,
        setup: &Setup,
        reader: &Person,
        kind: ChannelKind,
        now: Timestamp,
    ) -> Option<Message> {
        let config = &setup.config;
        let topics: Vec<Name> = config.topics.keys().cloned().collect();
        let person = somebody(reader, &topics, now);
        let plain = match self {
            Self::Reminder => {
                let say = chat::reminder(config)?;
                reminders::plain(&say, &chat::titles(config), &chat::stop_label(), &person).message
            }
            _ => {
                // No reply of theirs is meant, whatever their patterns fit.
                let words = Words { replies: vec![], welcome_items: 0, ..chat::words(config) };
                let choosing = chat::choosing(config);
                let (topics, choosing) = (&topics[..], &choosing);
                let setting = Setting { words: &words, topics, choosing, kind, is_watching: false };
                let known = (self != Self::Welcome).then_some(&person);
                let turn = respond(known, &self.event(&person, now)?, &setting, now);
                turn.answers.into_iter().next()?.message
            }
        };
        Some(match self.layout(setup) {
            Some(layout) => {
                let reader = Reader { person: &person, kind, now };
                layout::set(&setup.layouts, layout, plain, &reader)
            }
            None => plain,
        })
    }

    /// What somebody does to hear it.
    fn event(self, person: &Subscriber, now: Timestamp) -> Option<Event> {
        let deed = match self {
            Self::Goodbye => Deed::Tapped { payload: STOP_PAYLOAD.to_owned(), tap: None },
            Self::DefaultReply => Deed::SentMedia,
            Self::Welcome | Self::Reminder => Deed::Started { payload: None },
        };
        Some(Event {
            channel: Name::parse("preview").ok()?,
            id: String::new(),
            at: now,
            address: person.address.clone(),
            language: person.language.clone(),
            first_name: person.first_name.clone(),
            deed,
        })
    }
}

fn somebody(reader: &Person, topics: &[Name], now: Timestamp) -> Subscriber {
    Subscriber {
        number: 0,
        address: "1".to_owned(),
        language: reader.language.clone(),
        first_name: reader.first_name.clone(),
        timezone: reader.timezone.as_deref().and_then(Zone::exactly),
        name_asked_at: None,
        came_by: None,
        topics: topics.to_vec(),
        standing: Standing::Active,
        window_until: None,
        joined_at: now,
        changed_at: Timestamp::default(),
        default_reply_at: None,
        choices: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::message::Module;

    const SETTINGS: &str = r#"
data_dir = "data"
[channels]
bot = { kind = "telegram", token = { env = "TOKEN" } }
[topics]
news = { title = { en = "News", ro = "Știri" } }
[sources]
blog = { url = "https://example.com/feed" }
shop = { url = "https://example.com/shop" }
[campaigns]
news = { sources = ["blog"], topics = ["news"], when = "WHEN" }
[messages]
welcome = { en = "Welcome!", ro = "Bun venit!" }
welcome_buttons = ["Shop=https://example.com/"]
goodbye = "Bye."
goodbye_layout = "bye"
default_reply = "What?"
[messages.reminder]
every = "90 days"
say = { en = "You get {topics}.", ro = "Primești {topics}." }
[[messages.replies]]
pattern = ".*"
say = "A reply."
"#;

    fn load(when: &str) -> Result<Setup, Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tidings.toml");
        std::fs::write(&path, SETTINGS.replace("WHEN", when)).unwrap();
        std::fs::create_dir(folder.path().join("layouts")).unwrap();
        let layout = "<p>{{ subscriber.first_name }}: {{ item.body }}</p>";
        std::fs::write(folder.path().join("layouts/bye.html"), layout).unwrap();
        Setup::load(&path, &|name: &str| (name == "TOKEN").then(|| "1:x".to_owned()))
    }

    #[test]
    fn what_is_said_by_itself_is_shown_as_somebody_hears_it() {
        let setup = load("true").unwrap_or_else(|all| panic!("{}", all.join("\n")));
        let now = Timestamp::from_millis(1_790_000_000_000);
        let said = |word: Automatic, language: Option<&str>| {
            let (language, first_name) = (language.map(str::to_owned), Some("Ana".to_owned()));
            let reader = Person { language, first_name, ..Person::default() };
            let message = word.said(&setup, &reader, ChannelKind::Telegram, now).unwrap();
            let texts = message.modules.iter().filter_map(|module| match module {
                Module::Text { text, buttons } => {
                    let labels = buttons.iter().map(|button| button.label.clone());
                    Some(format!("{} {:?}", text.plain(), labels.collect::<Vec<_>>()))
                }
                _ => None,
            });
            texts.collect::<Vec<_>>().join("; ")
        };
        for (word, language, expected) in [
            (Automatic::Welcome, Some("ro-md"), "Bun venit! [\"Shop\", \"Oprește\"]"),
            (Automatic::Welcome, None, "Welcome! [\"Shop\", \"Stop\"]"),
            (Automatic::Goodbye, Some("ro"), "Ana:\nBye. [\"Începe din nou\"]"),
            (Automatic::DefaultReply, None, "What? [\"Stop\"]"),
            (Automatic::Reminder, Some("ro"), "Primești Știri. [\"Oprește\"]"),
        ] {
            assert_eq!(said(word, language), expected, "{word:?}");
        }
    }

    #[test]
    fn a_campaign_is_asked_for_its_own_sources() {
        let wrong = |when: &str| load(when).err().unwrap_or_default().join("\n");
        assert_eq!(wrong("source == 'blog'"), "");
        let told = wrong("source == 'shop'");
        assert!(told.contains("no source of the campaign is called `shop`"), "{told}");
    }
}
