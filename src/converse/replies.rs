//! The conversation: subscriber, event, words, now → changes and replies. Pure and total.

use std::time::Duration;

use crate::converse::choosing::{Choosing, Wanted, choose};
use crate::converse::commands::{self, Command};
use crate::converse::keywords::{self, Keyword};
use crate::converse::latest::{self, Lookup};
use crate::converse::order::Conversation;
use crate::converse::origin;
use crate::converse::privacy;
use crate::converse::profile;
use crate::converse::watch::Asked;
use crate::converse::words::{Saying, Words};
use crate::converse::{help, timezone};
use crate::model::channel::ChannelKind;
use crate::model::event::{Deed, Event, Tap};
use crate::model::message::{Action, Button, Message, Module};
use crate::model::name::Name;
use crate::model::post::Answer;
use crate::model::rich::RichText;
use crate::model::start;
use crate::model::subscriber::{Consent, Standing, Subscriber};
use crate::model::time::Timestamp;

/// How long a person's deed lets a page write to them (Messenger policy, "24-hour standard
/// messaging window").
pub const WINDOW: Duration = Duration::from_secs(24 * 3600);

/// For how long plain words are taken for the answer to what was asked.
pub const ASKED_FOR: Duration = Duration::from_secs(3600);

/// Payload of the button that stops; the digit is the version of our payloads.
pub const STOP_PAYLOAD: &str = "1:stop";

/// Payload of the button that starts again.
pub const START_PAYLOAD: &str = "1:start";

/// What one event leads to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// The person's new record; `None` leaves it as it is.
    pub subscriber: Option<Subscriber>,
    pub consent: Option<Consent>,
    pub answers: Vec<Answer>,
    /// What was held for the person may go now.
    pub releases_held: bool,
    /// Something is to be looked up, or done, for the answers.
    pub privacy: Option<privacy::Wanted>,
    /// What is asked of products; it is to be looked up and answered.
    pub watch: Option<Asked>,
    /// They wait for nothing any more.
    pub ends_watches: bool,
    /// What is to be looked up, and answered besides.
    pub lookup: Option<Lookup>,
    /// The first answer stands in the place of the message with the button.
    pub is_in_place: bool,
}

/// What the conversation knows besides the person.
#[derive(Clone, Debug)]
pub struct Setting<'a> {
    pub words: &'a Words,
    /// All topics there are, sorted; who starts without naming one gets all.
    pub topics: &'a [Name],
    pub choosing: &'a Choosing,
    pub kind: ChannelKind,
    /// The person waits for something of products.
    pub is_watching: bool,
}

/// What somebody means, whichever way they say it.
enum Wish {
    Start {
        /// None stands for all.
        topics: Vec<Name>,
        way: String,
    },
    Stop {
        way: &'static str,
    },
    /// Tells their time zone, or asks for it where it is empty.
    Zone {
        told: String,
    },
    /// Wants to know what can be written.
    Help,
    /// Says what an editor has an answer for: the place in the list.
    Keyword {
        at: usize,
    },
    /// Wants to know what is known of them, or have it forgotten.
    Privacy(privacy::Wanted),
    Watch(Asked),
    /// Chooses what comes to them and how, or asks what there is.
    Choose {
        command: Command,
        /// What stands behind the command.
        rest: String,
    },
    /// Wants an answer, but is not understood.
    Unclear,
    /// Wants no answer.
    Nothing,
    Leave,
    Return,
    Move {
        to: String,
    },
    /// Wants marketing messages, or does not any more: nothing else changes.
    Optin {
        is_given: bool,
    },
}

/// Answers one event.
///
/// 1. Every deed but leaving opens Messenger's window from the event's own time.
/// 2. An event older than the newest one that was applied changes nothing and is not answered, unless
///    `order` finds its place among the recent ones; of two at the same
///    instant, stopping wins.
/// 3. `stop` always works and is answered once; a tap is always acknowledged.
pub fn respond(
    known: Option<&Subscriber>,
    event: &Event,
    setting: &Setting<'_>,
    now: Timestamp,
) -> Turn {
    let wish = match wish(event, setting.topics) {
        Wish::Unclear => unclear(event, &setting.words.replies),
        wish => wish,
    };
    let tap = match &event.deed {
        Deed::Tapped { tap, .. } => tap.clone(),
        _ => None,
    };
    let mut turn = Turn::default();
    let is_late = known.is_some_and(|known| {
        event.at < known.changed_at
            || (event.at == known.changed_at
                && known.standing == Standing::Stopped
                && matches!(wish, Wish::Start { .. }))
    });
    if !is_late {
        turn = answer(known, event, wish, setting, now);
    }
    acknowledge(&mut turn, tap);
    turn
}

/// The conversation as one setting has it.
pub(super) struct Talk<'a> {
    pub setting: Setting<'a>,
    pub now: Timestamp,
}

impl Conversation for Talk<'_> {
    fn respond(&self, known: Option<&Subscriber>, event: &Event) -> Turn {
        respond(known, event, &self.setting, self.now)
    }

    fn stops(&self, event: &Event) -> bool {
        matches!(wish(event, self.setting.topics), Wish::Stop { .. })
    }

    fn is_understood(&self, event: &Event) -> bool {
        !matches!(wish(event, self.setting.topics), Wish::Unclear)
    }
}

fn answer(
    known: Option<&Subscriber>,
    event: &Event,
    wish: Wish,
    setting: &Setting<'_>,
    now: Timestamp,
) -> Turn {
    let words = setting.words;
    let mut person = met(known, event, setting.kind);
    // What was asked is answered by the next word, or not at all.
    let asked = take_asked(&mut person, known, event);
    let mut turn = Turn::default();
    match wish {
        Wish::Start { topics, way } => {
            origin::note(&mut person, event, setting.topics);
            person.standing = Standing::Active;
            if !person.has_joined() {
                person.joined_at = event.at;
            }
            if topics.is_empty() {
                person.topics = setting.topics.to_vec();
            }
            for topic in topics {
                add_topic(&mut person.topics, topic);
            }
            let welcome = words.welcome.to(&person);
            turn.consent = Some(consent(&person, true, way, welcome, now));
            let welcome = with_zone(welcome, words, &person);
            let mut buttons = words.welcome_buttons.to(&person).to_vec();
            buttons.push(button(&words.stop_label, STOP_PAYLOAD, &person));
            turn.answers = vec![say_with(&welcome, buttons)];
            turn.lookup = latest::welcoming(&person, words.welcome_items);
            if known.is_none_or(|known| known.standing != Standing::Active) {
                turn.answers.extend(profile::first(&mut person, setting).map(plain));
            }
        }
        Wish::Stop { way } => {
            let was_stopped = known.is_some_and(|known| known.standing == Standing::Stopped);
            let was_stopped = was_stopped && !setting.is_watching;
            person.standing = Standing::Stopped;
            turn.ends_watches = true;
            if !was_stopped {
                let goodbye = words.goodbye.to(&person);
                turn.consent = Some(consent(&person, false, way.to_owned(), goodbye, now));
                turn.answers = vec![say(goodbye, &words.start_label, START_PAYLOAD, &person)];
            }
        }
        Wish::Unclear | Wish::Keyword { .. }
            if let Some(answer) = told(&mut person, asked.as_ref(), event, setting) =>
        {
            turn.answers = vec![plain(answer)];
        }
        Wish::Unclear => {
            let rested =
                person.default_reply_at.is_none_or(|at| now.since(at) >= words.default_reply_every);
            if rested {
                person.default_reply_at = Some(now);
                let (label, payload) = match person.standing {
                    Standing::Active => (&words.stop_label, STOP_PAYLOAD),
                    _ => (&words.start_label, START_PAYLOAD),
                };
                let reply = with_zone(words.default_reply.to(&person), words, &person);
                turn.answers = vec![say(&reply, label, payload, &person)];
            }
        }
        Wish::Zone { told } => {
            let text = timezone::take(&mut person, &told, now);
            turn.answers = vec![plain(Message::from_plain(&text))];
        }
        Wish::Choose { command, rest } => {
            let wanted = Wanted {
                command,
                rest: &rest,
                is_tap: matches!(event.deed, Deed::Tapped { .. }),
                told_language: event.language.as_deref(),
                now: event.at,
            };
            let chosen = choose(&mut person, &wanted, setting);
            turn.consent = chosen
                .consent
                .map(|(is_given, way, wording)| consent(&person, is_given, way, &wording, now));
            turn.answers.extend(chosen.message.map(plain));
            (turn.lookup, turn.is_in_place) = (chosen.lookup, chosen.is_in_place);
        }
        Wish::Help => turn.answers = vec![say_with(&help::text(&person), vec![])],
        Wish::Keyword { at } => {
            let reply = words.replies.get(at);
            let said = |it: &Keyword| say_with(it.say.to(&person), it.buttons.to(&person).to_vec());
            turn.answers = reply.map(said).into_iter().collect();
        }
        Wish::Watch(asked) => turn.watch = Some(asked),
        Wish::Leave => {
            turn.ends_watches = known.is_some();
            if person.standing == Standing::Active {
                person.standing = Standing::Blocked;
                turn.consent = Some(consent(&person, false, "blocked".to_owned(), "", now));
            }
        }
        Wish::Privacy(wanted) => turn.privacy = Some(wanted),
        Wish::Return | Wish::Nothing => {}
        Wish::Optin { is_given } => {
            turn.consent = Some(consent(&person, is_given, "marketing".to_owned(), "", now));
        }
        Wish::Move { to } => person.address = to,
    }
    person.tidy_choices();
    turn.releases_held = person.standing == Standing::Active && opens_window(&event.deed);
    // Somebody who was never here and only leaves, or moves, is not worth a record.
    let is_stranger = known.is_none() && !opens_window(&event.deed);
    turn.subscriber = (!is_stranger).then_some(person);
    if is_stranger {
        turn.consent = None;
    }
    turn
}

/// The field that was asked for last, if it was lately; it is asked for no more.
fn take_asked(person: &mut Subscriber, known: Option<&Subscriber>, event: &Event) -> Option<Name> {
    if !opens_window(&event.deed) {
        return None;
    }
    let asked = person.choices.as_deref_mut()?.asked.take()?;
    let is_late = known.is_none_or(|known| event.at.since(known.changed_at) > ASKED_FOR);
    (!is_late).then_some(asked)
}

/// What is answered to plain words that tell what was asked; `None` for any others.
fn told(
    person: &mut Subscriber,
    asked: Option<&Name>,
    event: &Event,
    setting: &Setting<'_>,
) -> Option<Message> {
    let Deed::Said { text } = &event.deed else { return None };
    profile::answer(person, asked?, text, setting)
}

/// The words, and what is asked of who has told no time zone yet.
fn with_zone(text: &str, words: &Words, person: &Subscriber) -> String {
    match words.asks_zone && person.timezone.is_none() {
        true => timezone::with_hint(text, person),
        false => text.to_owned(),
    }
}

/// The person's record as this event finds it: new, or back from being out of reach.
fn met(known: Option<&Subscriber>, event: &Event, kind: ChannelKind) -> Subscriber {
    let mut person = known.cloned().unwrap_or_else(|| Subscriber {
        number: 0,
        address: event.address.clone(),
        language: None,
        first_name: None,
        timezone: None,
        name_asked_at: None,
        came_by: None,
        topics: vec![],
        standing: Standing::Stopped,
        window_until: None,
        joined_at: event.at,
        changed_at: event.at,
        default_reply_at: None,
        choices: None,
    });
    person.changed_at = event.at;
    let has_chosen = person.choices.as_ref().is_some_and(|choices| choices.has_language);
    if event.language.is_some() && !has_chosen {
        person.language.clone_from(&event.language);
    }
    if event.first_name.is_some() {
        person.first_name.clone_from(&event.first_name);
    }
    let is_back = !matches!(
        event.deed,
        Deed::Blocked | Deed::Moved { .. } | Deed::Present { may_post: false, .. }
    );
    if is_back && matches!(person.standing, Standing::Blocked | Standing::Gone) {
        person.standing = Standing::Active;
    }
    if kind == ChannelKind::Messenger && opens_window(&event.deed) {
        person.window_until = person.window_until.max(Some(event.at + WINDOW));
    }
    person
}

fn opens_window(deed: &Deed) -> bool {
    !matches!(
        deed,
        Deed::Blocked
            | Deed::Unblocked
            | Deed::Moved { .. }
            | Deed::OptedIn { .. }
            | Deed::OptedOut
            | Deed::Present { .. }
    )
}

fn wish(event: &Event, topics: &[Name]) -> Wish {
    match &event.deed {
        Deed::Started { payload } | Deed::Referred { payload: payload @ Some(_) } => {
            let watch = payload.as_deref().and_then(Asked::by_link);
            watch.map_or_else(|| start_by(payload.as_deref(), topics), Wish::Watch)
        }
        Deed::Said { text } => understand(text, topics),
        Deed::Tapped { payload, .. } => match payload.split_once(':') {
            Some(("1", "stop")) => Wish::Stop { way: "button" },
            Some(("1", rest)) if rest == "start" || rest.starts_with("start:") => {
                match start_by(rest.strip_prefix("start:"), topics) {
                    Wish::Start { topics, .. } => Wish::Start { topics, way: "button".to_owned() },
                    other => other,
                }
            }
            Some(("1", rest)) => match (commands::tapped(rest), Asked::by_tap(rest)) {
                (Some((command, rest)), _) => wanted(command, rest, "button", topics),
                (None, Some(asked)) => Wish::Watch(asked),
                (None, None) => Wish::Unclear,
            },
            _ => Wish::Unclear,
        },
        Deed::SentMedia => Wish::Unclear,
        Deed::Reacted | Deed::Referred { payload: None } => Wish::Nothing,
        Deed::OptedIn { .. } => Wish::Optin { is_given: true },
        Deed::OptedOut => Wish::Optin { is_given: false },
        Deed::Blocked => Wish::Leave,
        Deed::Unblocked | Deed::Present { may_post: true, .. } => Wish::Return,
        Deed::Present { may_post: false, .. } => Wish::Leave,
        // Whoever may speak for the group says it in its name.
        Deed::InGroup { .. } => Wish::Nothing,
        Deed::Moved { to } => Wish::Move { to: to.clone() },
    }
}

/// What is not understood may be what an editor has an answer for.
fn unclear(event: &Event, replies: &[Keyword]) -> Wish {
    let at = match &event.deed {
        Deed::Said { text } => keywords::first(replies, text),
        _ => None,
    };
    at.map_or(Wish::Unclear, |at| Wish::Keyword { at })
}

/// A payload that names no topic of ours starts like none at all: links outlive topics.
fn start_by(payload: Option<&str>, topics: &[Name]) -> Wish {
    let said = payload.map(|payload| start::read(payload, topics)).unwrap_or_default();
    let topics = said.topics;
    let way = start::payload(&topics, said.origin.as_ref());
    let way = way.map_or_else(|| "start".to_owned(), |topics| format!("start:{topics}"));
    Wish::Start { topics, way }
}

/// A command, however it was asked for.
fn wanted(command: Command, rest: &str, way: &'static str, topics: &[Name]) -> Wish {
    if let (Command::Start, Some(asked)) = (command, Asked::by_link(rest)) {
        return Wish::Watch(asked);
    }
    match command {
        Command::Watch => Wish::Watch(Asked::by_words(rest)),
        Command::Watches => Wish::Watch(Asked::List { after: 0 }),
        Command::Start => match (start_by(Some(rest), topics), way) {
            (Wish::Start { topics, .. }, "word" | "button") => {
                Wish::Start { topics, way: way.to_owned() }
            }
            (wish, _) => wish,
        },
        Command::Stop => Wish::Stop { way },
        Command::Timezone => Wish::Zone { told: rest.to_lowercase() },
        Command::Help => Wish::Help,
        Command::Privacy => Wish::Privacy(privacy::Wanted::of(rest)),
        Command::Topics
        | Command::Latest
        | Command::Search
        | Command::Frequency
        | Command::Quiet
        | Command::Language
        | Command::Profile
        | Command::Settings => Wish::Choose { command, rest: rest.to_owned() },
    }
}

/// Commands and plain words.
fn understand(text: &str, topics: &[Name]) -> Wish {
    let way = if text.trim_start().starts_with('/') { "command" } else { "word" };
    match commands::said(text) {
        Some((command, rest)) => wanted(command, rest, way, topics),
        None => Wish::Unclear,
    }
}

fn add_topic(topics: &mut Vec<Name>, topic: Name) {
    if let Err(at) = topics.binary_search(&topic) {
        topics.insert(at, topic);
    }
}

fn say(text: &str, label: &Saying, payload: &str, person: &Subscriber) -> Answer {
    say_with(text, vec![button(label, payload, person)])
}

pub(super) fn button(label: &Saying, payload: &str, person: &Subscriber) -> Button {
    Button::new(label.to(person), Action::Postback { payload: payload.to_owned() })
}

/// The words with buttons below them.
pub(super) fn say_with(text: &str, buttons: Vec<Button>) -> Answer {
    let module = Module::Text { text: RichText::from_plain(text), buttons };
    Answer { message: Message::from(vec![module]), tap: None, ask: None }
}

fn plain(message: Message) -> Answer {
    Answer { message, tap: None, ask: None }
}

/// The tap rides on the first answer, or goes alone.
fn acknowledge(turn: &mut Turn, tap: Option<Tap>) {
    let Some(tap) = tap else { return };
    let tap = if turn.is_in_place { tap } else { tap.alone() };
    match turn.answers.first_mut() {
        Some(first) => first.tap = Some(tap),
        None => {
            turn.answers.push(Answer { message: Message::default(), tap: Some(tap), ask: None });
        }
    }
}

pub(super) fn consent(
    person: &Subscriber,
    given: bool,
    way: String,
    wording: &str,
    now: Timestamp,
) -> Consent {
    Consent { at: now, number: person.number, given, way, wording: wording.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::converse::words::Choices;
    use crate::model::zone::Zone;

    const UNKNOWN: &str = "I do not know your time zone yet.";

    fn words() -> Words {
        Words {
            welcome: Saying::new(&[("en", "Welcome."), ("ro", "Bun venit.")]),
            goodbye: Saying::new(&[("en", "Goodbye."), ("ro", "La revedere.")]),
            default_reply: Saying::new(&[("en", "Write stop to stop.")]),
            stop_label: Saying::new(&[("en", "Stop")]),
            start_label: Saying::new(&[("en", "Start")]),
            default_reply_every: Duration::from_secs(10),
            ..Words::default()
        }
    }

    fn topics() -> Vec<Name> {
        ["news", "shop"].iter().map(|name| Name::parse(name).unwrap()).collect()
    }

    struct Chat {
        kind: ChannelKind,
        person: Option<Subscriber>,
        name: Option<String>,
        now: Timestamp,
        asks_zone: bool,
        choosing: Choosing,
    }

    impl Chat {
        fn new(kind: ChannelKind) -> Self {
            let now = Timestamp::from_millis(1_000_000_000);
            let choosing = Choosing::default();
            Self { kind, person: None, name: None, now, asks_zone: false, choosing }
        }

        fn at(&mut self, at: Timestamp, deed: Deed) -> Turn {
            let event = Event {
                channel: Name::parse("bot").unwrap(),
                id: at.as_millis().to_string(),
                at,
                address: "7".into(),
                language: None,
                first_name: self.name.clone(),
                deed,
            };
            let words = Words { asks_zone: self.asks_zone, ..words() };
            let topics = topics();
            let (topics, choosing) = (&topics, &self.choosing);
            let setting =
                Setting { words: &words, topics, choosing, kind: self.kind, is_watching: false };
            let turn = respond(self.person.as_ref(), &event, &setting, self.now);
            if let Some(person) = &turn.subscriber {
                self.person = Some(person.clone());
            }
            turn
        }

        fn then(&mut self, deed: Deed) -> Turn {
            self.now = self.now + Duration::from_secs(60);
            self.at(self.now, deed)
        }

        fn says(&mut self, text: &str) -> Turn {
            self.then(Deed::Said { text: text.to_owned() })
        }

        fn standing(&self) -> Standing {
            self.person.as_ref().unwrap().standing
        }
    }

    fn said(turn: &Turn) -> Vec<String> {
        turn.answers
            .iter()
            .flat_map(|answer| &answer.message.modules)
            .map(|module| match module {
                Module::Text { text, .. } => text.plain(),
                other => panic!("answers are texts, not {other:?}"),
            })
            .collect()
    }

    #[test]
    fn start_subscribes_to_all_topics_and_is_welcomed() {
        for text in ["/start", "start", "Start!", " START "] {
            let mut chat = Chat::new(ChannelKind::Telegram);
            let turn = chat.says(text);
            assert_eq!(said(&turn), ["Welcome."], "{text}");
            assert_eq!(chat.standing(), Standing::Active);
            assert_eq!(chat.person.as_ref().unwrap().topics, topics());
            assert!(turn.consent.unwrap().given);
        }
    }

    #[test]
    fn whoever_was_only_named_joins_with_their_start_and_not_before() {
        let mut chat = Chat::new(ChannelKind::Telegram);
        chat.says("/start");
        let named = chat.person.as_mut().unwrap();
        (named.joined_at, named.number) =
            (Timestamp::default(), crate::model::subscriber::CHATS_FROM);
        named.topics = vec![];
        chat.says("hello");
        assert!(!chat.person.as_ref().unwrap().is_counted());
        chat.says("/start");
        let person = chat.person.as_ref().unwrap();
        assert!(person.is_counted() && person.joined_at == chat.now, "{person:?}");
        let joined_at = person.joined_at;
        chat.says("/start");
        assert_eq!(chat.person.as_ref().unwrap().joined_at, joined_at);
    }

    #[test]
    fn a_start_link_subscribes_to_its_topic_and_an_unknown_one_to_all() {
        for (payload, expected) in [
            ("news", vec!["news"]),
            ("gone", vec!["news", "shop"]),
            ("shopANDnews", vec!["news", "shop"]),
            ("shopANDgone", vec!["shop"]),
        ] {
            let mut chat = Chat::new(ChannelKind::Telegram);
            chat.then(Deed::Started { payload: Some(payload.to_owned()) });
            let topics = &chat.person.as_ref().unwrap().topics;
            let names: Vec<&str> = topics.iter().map(Name::as_str).collect();
            assert_eq!(names, expected, "{payload}");
        }
    }

    #[test]
    fn a_start_link_that_is_typed_starts_too() {
        for (text, expected) in
            [("/start shopANDnews", vec!["news", "shop"]), ("/START Shop.", vec!["shop"])]
        {
            let mut chat = Chat::new(ChannelKind::Messenger);
            chat.says(text);
            let topics = &chat.person.as_ref().unwrap().topics;
            assert_eq!(topics.iter().map(Name::as_str).collect::<Vec<_>>(), expected, "{text}");
        }
    }

    #[test]
    fn stop_works_in_every_way_and_is_answered_once() {
        for text in ["/stop", "stop", "Stop.", "STOP!", "/stop@news_bot"] {
            let mut chat = Chat::new(ChannelKind::Telegram);
            chat.says("/start");
            assert_eq!(said(&chat.says(text)), ["Goodbye."], "{text}");
            assert_eq!(chat.standing(), Standing::Stopped);
            assert!(chat.says(text).answers.is_empty(), "answered once");
        }
    }

    #[test]
    fn a_tap_is_always_acknowledged() {
        let mut chat = Chat::new(ChannelKind::Telegram);
        chat.says("/start");
        let tap = |id: &str| Deed::Tapped { payload: STOP_PAYLOAD.into(), tap: Some(id.into()) };
        let first = chat.then(tap("a"));
        assert_eq!(first.answers[0].tap, Some("a".into()));
        assert_eq!(said(&first), ["Goodbye."]);
        let second = chat.then(tap("b"));
        assert_eq!(second.answers.len(), 1);
        assert_eq!(second.answers[0].tap, Some("b".into()));
        assert!(second.answers[0].message.modules.is_empty());
        let foreign = chat.then(Deed::Tapped { payload: "x".into(), tap: Some("c".into()) });
        assert_eq!(foreign.answers[0].tap, Some("c".into()));
    }

    #[test]
    fn unknown_text_gets_the_default_reply_but_not_in_a_burst() {
        let mut chat = Chat::new(ChannelKind::Telegram);
        assert_eq!(said(&chat.says("what is this")), ["Write stop to stop."]);
        let soon = chat.now + Duration::from_secs(1);
        chat.now = soon;
        assert!(chat.at(soon, Deed::SentMedia).answers.is_empty());
        assert_eq!(said(&chat.says("hello?")), ["Write stop to stop."]);
        assert_eq!(chat.standing(), Standing::Stopped, "writing is no subscription");
    }

    #[test]
    fn an_editors_reply_answers_what_is_no_command() {
        let choices = Choices {
            lists: vec![(
                String::new(),
                vec![Button::new("Map", Action::Open { url: "u".into() })],
            )],
        };
        let when = ["open", "stop"].map(str::to_owned);
        let reply = Keyword::new(&when, None, Saying::new(&[("en", "From 9 to 18.")]), choices);
        let words = Words { replies: vec![reply], ..words() };
        let (topics, choosing) = (topics(), Choosing::default());
        let setting = Setting {
            words: &words,
            topics: &topics,
            choosing: &choosing,
            kind: ChannelKind::Telegram,
            is_watching: false,
        };
        let now = Timestamp::from_millis(1_000_000_000);
        let answers = |text: &str| {
            let event = Event {
                channel: Name::parse("bot").unwrap(),
                id: "1".into(),
                at: now,
                address: "7".into(),
                language: None,
                first_name: None,
                deed: Deed::Said { text: text.into() },
            };
            said(&respond(None, &event, &setting, now))
        };
        for (text, answer) in [
            ("When do you OPEN?", "From 9 to 18."),
            ("please stop", "From 9 to 18."),
            ("stop", "Goodbye."),
            ("start", "Welcome."),
            ("opening", "Write stop to stop."),
        ] {
            assert_eq!(answers(text), [answer], "{text}");
        }
    }

    #[test]
    fn help_lists_what_can_be_written() {
        let mut chat = Chat::new(ChannelKind::Messenger);
        let told = said(&chat.says("help")).concat();
        for row in &commands::COMMANDS {
            assert!(told.contains(&format!("/{} – {}", row.name, row.line("en"))), "{told}");
        }
        assert_eq!(chat.standing(), Standing::Stopped, "asking is no subscription");
        chat.person.as_mut().unwrap().language = Some("it-ch".into());
        assert!(said(&chat.says("Aiuto!")).concat().contains("/stop – Non voglio più messaggi"));
    }

    #[test]
    fn a_welcome_carries_buttons_and_asks_for_the_newest() {
        let mut chat = Chat::new(ChannelKind::Telegram);
        assert_eq!(chat.says("/start").lookup, None);
        let button = Button::new("Shop", Action::Open { url: "u".into() });
        let welcome_buttons = Choices { lists: vec![(String::new(), vec![button.clone()])] };
        let words = Words { welcome_buttons, welcome_items: 2, ..words() };
        let person = chat.person.clone().unwrap();
        let event = Event {
            channel: Name::parse("bot").unwrap(),
            id: "2".into(),
            at: chat.now + Duration::from_secs(1),
            address: "7".into(),
            language: None,
            first_name: None,
            deed: Deed::Started { payload: None },
        };
        let (topics, choosing) = (topics(), Choosing::default());
        let setting = Setting {
            words: &words,
            topics: &topics,
            choosing: &choosing,
            kind: ChannelKind::Telegram,
            is_watching: false,
        };
        let turn = respond(Some(&person), &event, &setting, event.at);
        let lookup = turn.lookup.unwrap();
        assert_eq!((lookup.limit, lookup.is_extra), (2, true));
        let Module::Text { buttons, .. } = &turn.answers[0].message.modules[0] else {
            panic!("answers are texts")
        };
        assert_eq!(buttons[0], button);
        assert_eq!(buttons[1].action, Action::Postback { payload: STOP_PAYLOAD.into() });
    }

    #[test]
    fn blocking_is_honoured_and_unblocking_brings_back_who_had_not_stopped() {
        let mut chat = Chat::new(ChannelKind::Telegram);
        chat.says("/start");
        assert!(!chat.then(Deed::Blocked).consent.unwrap().given);
        assert_eq!(chat.standing(), Standing::Blocked);
        assert!(chat.then(Deed::Unblocked).answers.is_empty());
        assert_eq!(chat.standing(), Standing::Active);
        chat.says("stop");
        chat.then(Deed::Blocked);
        chat.then(Deed::Unblocked);
        assert_eq!(chat.standing(), Standing::Stopped);
    }

    #[test]
    fn sec_w08_late_events_change_nothing_and_stop_wins_ties() {
        let mut chat = Chat::new(ChannelKind::Telegram);
        chat.says("/start");
        chat.says("stop");
        let stopped_at = chat.now;
        let late = chat.at(stopped_at - Duration::from_secs(5), Deed::Started { payload: None });
        assert_eq!(late, Turn::default());
        let tie = chat.at(stopped_at, Deed::Started { payload: None });
        assert_eq!(tie, Turn::default());
        assert_eq!(chat.standing(), Standing::Stopped);
        let mut chat = Chat::new(ChannelKind::Telegram);
        chat.says("/start");
        chat.at(chat.now, Deed::Said { text: "stop".into() });
        assert_eq!(chat.standing(), Standing::Stopped);
    }

    #[test]
    fn a_deed_opens_messengers_window_for_a_day() {
        let mut chat = Chat::new(ChannelKind::Messenger);
        let turn = chat.then(Deed::Started { payload: None });
        assert_eq!(chat.person.as_ref().unwrap().window_until, Some(chat.now + WINDOW));
        assert!(turn.releases_held);
        let reacted = chat.then(Deed::Reacted);
        assert!(reacted.answers.is_empty() && reacted.releases_held);
        assert_eq!(chat.person.as_ref().unwrap().window_until, Some(chat.now + WINDOW));
    }

    #[test]
    fn nothing_held_is_released_to_who_has_stopped() {
        let mut chat = Chat::new(ChannelKind::Messenger);
        chat.then(Deed::Started { payload: None });
        assert!(!chat.says("stop").releases_held);
    }

    #[test]
    fn the_answer_is_in_the_persons_language() {
        let mut chat = Chat::new(ChannelKind::Telegram);
        chat.says("/start");
        chat.person.as_mut().unwrap().language = Some("ro-ro".into());
        assert_eq!(said(&chat.says("stop")), ["La revedere."]);
    }

    #[test]
    fn a_time_zone_is_told_in_the_chat() {
        let mut chat = Chat::new(ChannelKind::Telegram);
        chat.says("/start");
        assert_eq!(said(&chat.says("/timezone"))[0].lines().next(), Some(UNKNOWN));
        // It is 13:46 in UTC on the twelfth day of 1970, and later with each word.
        for (text, zone, answer) in [
            ("/timezone Europe/Bucharest", "Europe/Bucharest", "Europe/Bucharest: it is 15:49"),
            ("Timezone NEW YORK!", "America/New_York", "America/New_York: it is 08:50"),
            ("/timezone@news_bot +5:30", "+05:30", "UTC+05:30: it is 19:21"),
            ("/timezone", "+05:30", "UTC+05:30: it is 19:22"),
            ("/timezone nowhere", "+05:30", "I know no such time zone."),
        ] {
            let turn = chat.says(text);
            assert!(said(&turn)[0].contains(answer), "{text}: {:?}", said(&turn));
            assert_eq!(turn.consent, None);
            let kept = chat.person.as_ref().unwrap().timezone.as_ref();
            assert_eq!(kept.map(Zone::as_str), Some(zone), "{text}");
            assert_eq!(chat.standing(), Standing::Active);
        }
        chat.person.as_mut().unwrap().language = Some("ro-md".into());
        assert!(said(&chat.says("fus orar Chisinau"))[0].starts_with("Ceasul tău este cel din"));
    }

    #[test]
    fn who_has_stopped_stays_so_whatever_time_zone_they_tell() {
        let mut chat = Chat::new(ChannelKind::Telegram);
        chat.says("/start");
        chat.says("stop");
        chat.says("/timezone Rome");
        assert_eq!(chat.standing(), Standing::Stopped);
    }

    #[test]
    fn people_are_asked_for_their_time_zone_where_it_matters() {
        let mut chat = Chat { asks_zone: true, ..Chat::new(ChannelKind::Telegram) };
        assert!(said(&chat.says("/start"))[0].contains("/timezone Bucharest"));
        assert!(said(&chat.says("hello"))[0].contains("/timezone Bucharest"));
        chat.says("/timezone Bucharest");
        assert_eq!(said(&chat.says("/start")), ["Welcome."]);
    }

    #[test]
    fn the_newest_name_is_kept() {
        let mut chat = Chat::new(ChannelKind::Telegram);
        for (told, kept) in [(Some("Ana"), "Ana"), (None, "Ana"), (Some("Anca"), "Anca")] {
            chat.name = told.map(str::to_owned);
            chat.says("/start");
            assert_eq!(chat.person.as_ref().unwrap().first_name.as_deref(), Some(kept));
        }
        chat.name = Some("Old".to_owned());
        chat.at(chat.now - Duration::from_secs(1), Deed::Said { text: "late".into() });
        assert_eq!(chat.person.as_ref().unwrap().first_name.as_deref(), Some("Anca"));
    }

    #[test]
    fn a_stranger_who_only_blocks_leaves_no_record() {
        let mut chat = Chat::new(ChannelKind::Telegram);
        assert_eq!(chat.then(Deed::Blocked), Turn::default());
    }

    #[test]
    fn a_chat_that_moved_keeps_its_record_under_the_new_address() {
        let mut chat = Chat::new(ChannelKind::Telegram);
        chat.says("/start");
        let turn = chat.then(Deed::Moved { to: "-1001".into() });
        assert_eq!(turn.subscriber.unwrap().address, "-1001");
    }
}
