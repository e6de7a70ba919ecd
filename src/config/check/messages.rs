//! Checks `[messages]`: what people are told without anybody writing it then.

mod words;

mod plain;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::config::check::around::{Known, Surroundings};
use crate::config::check::campaigns::{References, layout};
use crate::config::check::texts::{tag_of, texts};
use crate::config::check::value::{got, span, url, whole};
use crate::config::nearest::did_you_mean;
use crate::config::problem::{Findings, Place};
use crate::config::raw::{List, RawButtons, RawMessages, RawReminder, RawReply, RawTexts};
use crate::config::table::At;
use crate::config::{Buttons, KeywordReply, Messages, Reminder, Texts};
use crate::model::message::{Action, Button};
use crate::model::name::Name;
use crate::model::start;

/// Messenger's limit of a text; Telegram's is higher.
const MESSAGE_CHARS_MAX: usize = 2_000;
/// Telegram's description of a bot.
const GREETING_CHARS_MAX: usize = 512;
/// Telegram's short description of a bot.
const GREETING_SHORT_CHARS_MAX: usize = 120;
/// Messenger's greeting.
const PAGE_GREETING_CHARS_MAX: usize = 160;
const ICE_BREAKERS_MAX: usize = 4;
/// Longest question that Messenger shows before the first message.
const QUESTION_CHARS_MAX: usize = 80;
/// Messenger's menu takes 20 entries; the others are the commands.
const LINKS_MAX: usize = 10;
/// Longest entry of Messenger's menu.
const LINK_CHARS_MAX: usize = 30;
/// Two templates of Messenger's.
const BUTTONS_MAX: usize = 6;
/// As many as Messenger shows below the words, beside the one that stops.
const ROW_MAX: usize = 2;
/// Longest label that Messenger shows whole.
const LABEL_CHARS_MAX: usize = 20;
/// Longest payload of a button, on Telegram.
const PAYLOAD_BYTES_MAX: usize = 64;
const ITEMS_MAX: usize = 5;
const REPLIES_MAX: usize = 200;
const WORDS_MAX: usize = 50;
const WORDS_CHARS_MAX: usize = 100;
const PATTERN_BYTES_MAX: usize = 500;
const DEFAULT_REPLY_EVERY: Duration = Duration::from_secs(10);
const DEFAULT_REPLY_EVERY_MAX: Duration = Duration::from_secs(30 * 86_400);
const REMINDER_EVERY_MIN: Duration = Duration::from_secs(7 * 86_400);
const REMINDER_EVERY_MAX: Duration = Duration::from_secs(1_000 * 86_400);

impl Default for Messages {
    fn default() -> Self {
        Self {
            greeting: words::texts(&words::GREETING),
            greeting_short: None,
            ice_breakers: None,
            menu: Buttons::default(),
            welcome: words::texts(&words::WELCOME),
            welcome_buttons: Buttons::default(),
            welcome_items: 0,
            welcome_layout: None,
            goodbye: words::texts(&words::GOODBYE),
            goodbye_layout: None,
            default_reply: words::texts(&words::DEFAULT_REPLY),
            stranger_reply: Some(words::texts(&words::STRANGER_REPLY)),
            default_reply_layout: None,
            default_reply_every: DEFAULT_REPLY_EVERY,
            replies: Vec::new(),
            reminder: None,
        }
    }
}

/// What can be pressed in a place, and how much of it.
struct Shape {
    count_max: usize,
    label_chars_max: usize,
    /// Links to the web may stand there.
    takes_links: bool,
    /// Topics and commands may stand there.
    takes_deeds: bool,
}

const BELOW: Shape = Shape {
    count_max: BUTTONS_MAX,
    label_chars_max: LABEL_CHARS_MAX,
    takes_links: true,
    takes_deeds: true,
};

const QUESTIONS: Shape = Shape {
    count_max: ICE_BREAKERS_MAX,
    label_chars_max: QUESTION_CHARS_MAX,
    takes_links: false,
    takes_deeds: true,
};

const LINKS: Shape = Shape {
    count_max: LINKS_MAX,
    label_chars_max: LINK_CHARS_MAX,
    takes_links: true,
    takes_deeds: false,
};

/// What the messages may name.
struct Around<'a> {
    topics: &'a Known,
    layouts: Option<&'a BTreeSet<Name>>,
    around: &'a Surroundings<'a>,
}

/// The messages of all files with the defaults; one that two files give is told. The replies of all
/// files stand together.
pub(crate) fn messages(
    raw: &[RawMessages],
    names: &References,
    around: &Surroundings<'_>,
    found: &mut Findings,
) -> Messages {
    let known = Around { topics: &names.topics, layouts: names.layouts.as_ref(), around };
    let has_messenger = names.channels.names.len() > names.telegram.len();
    let default = Messages::default();
    check_words(raw, found);
    let mut text = |word: &str, pick: fn(&RawMessages) -> Option<&RawTexts>, chars_max: usize| {
        let key = format!("messages.{word}");
        let first = only(raw, &key, pick, |raw| raw.at, found)?;
        texts(first, &key, chars_max, found)
    };
    let greeting = text("greeting", |raw| raw.greeting.as_ref(), GREETING_CHARS_MAX);
    let greeting_short =
        text("greeting_short", |raw| raw.greeting_short.as_ref(), GREETING_SHORT_CHARS_MAX);
    let welcome = text("welcome", |raw| raw.welcome.as_ref(), MESSAGE_CHARS_MAX);
    let goodbye = text("goodbye", |raw| raw.goodbye.as_ref(), MESSAGE_CHARS_MAX);
    let default_reply = text("default_reply", |raw| raw.default_reply.as_ref(), MESSAGE_CHARS_MAX);
    let mut pressed = |word: &str, pick: fn(&RawMessages) -> Option<&RawButtons>, shape: &Shape| {
        let key = format!("messages.{word}");
        let first = only(raw, &key, pick, place_of, found)?;
        Some(buttons(first, &key, shape, &known, found))
    };
    let ice_breakers = pressed("ice_breakers", |raw| raw.ice_breakers.as_ref(), &QUESTIONS);
    let menu = pressed("menu", |raw| raw.menu.as_ref(), &LINKS);
    let welcome_buttons = pressed("welcome_buttons", |raw| raw.welcome_buttons.as_ref(), &BELOW);
    let mut laid = |word: &str, pick: fn(&RawMessages) -> Option<&At<String>>| {
        let key = format!("messages.{word}");
        let first = only(raw, &key, pick, |raw| raw.at, found)?;
        layout(first, &key, known.layouts, found)
    };
    let welcome_layout = laid("welcome_layout", |raw| raw.welcome_layout.as_ref());
    let goodbye_layout = laid("goodbye_layout", |raw| raw.goodbye_layout.as_ref());
    let reply_layout = laid("default_reply_layout", |raw| raw.default_reply_layout.as_ref());
    let key = "messages.welcome_items";
    let items = only(raw, key, |raw| raw.welcome_items.as_ref(), |raw| raw.at, found);
    let welcome_items = whole(items, key, 0..=ITEMS_MAX, default.welcome_items, found);
    let key = "messages.default_reply_every";
    let every = only(raw, key, |raw| raw.default_reply_every.as_ref(), |raw| raw.at, found);
    let bounds = Duration::ZERO..=DEFAULT_REPLY_EVERY_MAX;
    let default_reply_every = span(every, key, bounds, DEFAULT_REPLY_EVERY, found);
    if let (true, Some(raw)) =
        (has_messenger, raw.iter().find_map(|raw| raw.welcome_buttons.as_ref()))
        && let Some(buttons) = &welcome_buttons
        && buttons.languages.values().chain([&buttons.default]).any(|it| it.len() > ROW_MAX)
    {
        let text = format!(
            "Messenger shows three buttons below words, and one of them stops: the others of more \
             than {ROW_MAX} stand below a second bubble"
        );
        found.warning(place_of(raw), "messages.welcome_buttons", text);
    }
    let reminders = |raw: &RawReminder| {
        let every = raw.every.as_ref().map(|every| every.at);
        every.or(raw.say.as_ref().map(|say| say.at)).unwrap_or(Place { file: 0, offset: 0 })
    };
    let reminder = only(raw, "messages.reminder", |raw| raw.reminder.as_ref(), reminders, found);
    if let (true, Some(greeting)) = (has_messenger, &greeting) {
        let at = raw.iter().find_map(|raw| raw.greeting.as_ref()).map(|raw| raw.at);
        check_page_greeting(at, greeting, greeting_short.as_ref(), found);
    }
    Messages {
        greeting: greeting.unwrap_or(default.greeting),
        greeting_short,
        ice_breakers,
        menu: menu.unwrap_or_default(),
        welcome: welcome.unwrap_or(default.welcome),
        welcome_buttons: welcome_buttons.unwrap_or_default(),
        welcome_items,
        welcome_layout,
        goodbye: goodbye.unwrap_or(default.goodbye),
        goodbye_layout,
        stranger_reply: default
            .stranger_reply
            .filter(|_| default_reply.as_ref().is_none_or(|reply| *reply == default.default_reply)),
        default_reply: default_reply.unwrap_or(default.default_reply),
        default_reply_layout: reply_layout,
        default_reply_every,
        replies: replies(raw, &known, found),
        reminder: reminder.and_then(|raw| self::reminder(raw, &known, found)),
    }
}

/// Words that look as if something were filled in, or set, are told.
fn check_words(raw: &[RawMessages], found: &mut Findings) {
    let mut warn = |words: Option<&RawTexts>, word: &str, filled: &[&str], setter: &str| {
        if let Some(words) = words {
            plain::warn(words, &format!("messages.{word}"), filled, setter, found);
        }
    };
    for raw in raw {
        warn(raw.welcome.as_ref(), "welcome", &["{topics}"], "welcome_layout");
        warn(raw.goodbye.as_ref(), "goodbye", &[], "goodbye_layout");
        warn(raw.default_reply.as_ref(), "default_reply", &[], "default_reply_layout");
        for reply in raw.replies.iter().flatten() {
            warn(reply.value.say.as_ref(), "replies.say", &[], "layout");
        }
        let reminder = raw.reminder.as_ref().and_then(|raw| raw.say.as_ref());
        warn(reminder, "reminder.say", &["{topics}"], "layout");
    }
}

/// What one of the files gives; a second one is told.
fn only<'r, T>(
    raw: &'r [RawMessages],
    key: &str,
    pick: impl Fn(&'r RawMessages) -> Option<&'r T>,
    place: impl Fn(&T) -> Place,
    found: &mut Findings,
) -> Option<&'r T> {
    let mut given = raw.iter().filter_map(pick);
    let first = given.next()?;
    for again in given {
        found.problem(place(again), key, "is defined already").other(place(first));
    }
    Some(first)
}

/// Where buttons begin.
fn place_of(raw: &RawButtons) -> Place {
    let first = match raw {
        RawButtons::One(list) => list.first().map(|one| one.at),
        RawButtons::ByLanguage(lists) => lists.first().map(|(language, _)| language.at),
    };
    first.unwrap_or(Place { file: 0, offset: 0 })
}

/// A page's greeting is the greeting where it is short enough, else the short one.
fn check_page_greeting(
    at: Option<Place>,
    greeting: &Texts,
    short: Option<&Texts>,
    found: &mut Findings,
) {
    let chars = |text: &String| text.chars().count();
    let longest = greeting.languages.values().chain([&greeting.default]).map(chars).max();
    let longest = longest.unwrap_or_default();
    if longest > PAGE_GREETING_CHARS_MAX
        && short.is_none()
        && let Some(at) = at
    {
        let text = format!(
            "Messenger takes at most {PAGE_GREETING_CHARS_MAX} characters, this has {longest}"
        );
        let hint = "add a `greeting_short`, which Messenger gets then";
        found.problem(at, "messages.greeting", text).hint(hint);
    }
}

fn buttons(
    raw: &RawButtons,
    key: &str,
    shape: &Shape,
    known: &Around<'_>,
    found: &mut Findings,
) -> Buttons {
    let lists = match raw {
        RawButtons::One(list) => {
            let default = list_of(list, key, shape, known, found);
            return Buttons { default, languages: BTreeMap::new() };
        }
        RawButtons::ByLanguage(lists) => lists,
    };
    let mut languages = BTreeMap::new();
    for (language, list) in lists {
        let tag = tag_of(language, key, found);
        if languages.insert(tag, list_of(list, key, shape, known, found)).is_some() {
            found.problem(language.at, key, "this language is given twice");
        }
    }
    let first = || lists.first().and_then(|(tag, _)| languages.get(&tag.value.to_lowercase()));
    let default = languages.get("en").or_else(first).cloned().unwrap_or_default();
    Buttons { default, languages }
}

fn list_of(
    raw: &List<String>,
    key: &str,
    shape: &Shape,
    known: &Around<'_>,
    found: &mut Findings,
) -> Vec<Button> {
    if let Some(more) = raw.get(shape.count_max) {
        let text = format!("must have at most {} entries, got {}", shape.count_max, raw.len());
        found.problem(more.at, key, text);
    }
    let some = raw.iter().take(shape.count_max);
    some.filter_map(|each| button(each, key, shape, known, found)).collect()
}

/// `Label=https://…`, `Label=topic:news` or `Label=/help`.
fn button(
    raw: &At<String>,
    key: &str,
    shape: &Shape,
    known: &Around<'_>,
    found: &mut Findings,
) -> Option<Button> {
    let example = match (shape.takes_links, shape.takes_deeds) {
        (true, true) => "`Our shop=https://example.com/`, `News=topic:news` or `Help=/help`",
        (true, false) => "`Our shop=https://example.com/`",
        _ => "`What is new?=topic:news` or `How does it work?=/help`",
    };
    let Some((label, leads_to)) = raw.value.split_once('=') else {
        let text = format!("must be a label, `=` and where it leads, got {}", got(&raw.value));
        found.problem(raw.at, key, text).hint(format!("for example {example}"));
        return None;
    };
    let (label, leads_to) = (label.trim(), leads_to.trim());
    let chars = label.chars().count();
    if chars == 0 || chars > shape.label_chars_max {
        let max = shape.label_chars_max;
        found.problem(raw.at, key, format!("a label must have 1 to {max} characters, got {chars}"));
        return None;
    }
    let action = if let Some(topic) = leads_to.strip_prefix("topic:").filter(|_| shape.takes_deeds)
    {
        let payload = topic_payload(topic, raw, key, known, found)?;
        Action::Postback { payload }
    } else if let Some(command) = leads_to.strip_prefix('/').filter(|_| shape.takes_deeds) {
        let Some(payload) = known.around.rules.command(command) else {
            let text = format!("there is no command {}", got(leads_to));
            found.problem(raw.at, key, text).hint("a person sees all that there are by `/help`");
            return None;
        };
        Action::Postback { payload }
    } else if shape.takes_links {
        let address = At { value: leads_to.to_owned(), at: raw.at };
        Action::Open { url: url(&address, key, found)?.to_string() }
    } else {
        let text = format!("must lead to a topic or a command, got {}", got(leads_to));
        found.problem(raw.at, key, text).hint(format!("for example {example}"));
        return None;
    };
    Some(Button::new(label, action))
}

fn topic_payload(
    topic: &str,
    raw: &At<String>,
    key: &str,
    known: &Around<'_>,
    found: &mut Findings,
) -> Option<String> {
    let Some(topic) = known.topics.get(topic) else {
        if known.around.is_complete {
            let finding = found.problem(raw.at, key, format!("there is no topic {}", got(topic)));
            let names = known.topics.names.iter().map(|name| name.as_str());
            if let Some(hint) = did_you_mean(topic, names) {
                finding.hint(hint);
            }
        }
        return None;
    };
    let payload = start::button(topic);
    if payload.len() > PAYLOAD_BYTES_MAX {
        let text = "the topic's name is too long for a button of Telegram's";
        found.problem(raw.at, key, text);
        return None;
    }
    Some(payload)
}

fn replies(raw: &[RawMessages], known: &Around<'_>, found: &mut Findings) -> Vec<KeywordReply> {
    const KEY: &str = "messages.replies";
    let all: Vec<&At<RawReply>> =
        raw.iter().filter_map(|raw| raw.replies.as_ref()).flatten().collect();
    if let Some(more) = all.get(REPLIES_MAX) {
        let text = format!("must have at most {REPLIES_MAX} entries, got {}", all.len());
        found.problem(more.at, KEY, text);
    }
    all.into_iter().take(REPLIES_MAX).filter_map(|each| reply(each, known, found)).collect()
}

fn reply(raw: &At<RawReply>, known: &Around<'_>, found: &mut Findings) -> Option<KeywordReply> {
    let table = &raw.value;
    let when = table.when.as_ref().map_or_else(Vec::new, |words| words_of(&words.0, known, found));
    let pattern = table.pattern.as_ref().and_then(|raw| pattern(raw, known, found));
    let has_words = table.when.as_ref().is_some_and(|words| !words.0.is_empty());
    if !has_words && table.pattern.is_none() {
        let hint = "words such as `when = [\"opening hours\", \"open\"]`, or a `pattern`";
        found.problem(raw.at, "messages.replies.when", "is needed").hint(hint);
    }
    let key = "messages.replies.say";
    let Some(say) = &table.say else {
        found.problem(raw.at, key, "is needed").hint("what is answered");
        return None;
    };
    let say = texts(say, key, MESSAGE_CHARS_MAX, found)?;
    let pressed = table.buttons.as_ref();
    let buttons = pressed.map(|raw| buttons(raw, "messages.replies.buttons", &BELOW, known, found));
    let buttons = buttons.unwrap_or_default();
    let layout = table.layout.as_ref();
    let layout =
        layout.and_then(|raw| self::layout(raw, "messages.replies.layout", known.layouts, found));
    Some(KeywordReply { when, pattern, say, buttons, layout })
}

fn words_of(raw: &List<String>, known: &Around<'_>, found: &mut Findings) -> Vec<String> {
    const KEY: &str = "messages.replies.when";
    if let Some(more) = raw.get(WORDS_MAX) {
        let text = format!("must have at most {WORDS_MAX} entries, got {}", raw.len());
        found.problem(more.at, KEY, text);
    }
    let mut words = Vec::new();
    for each in raw.iter().take(WORDS_MAX) {
        let chars = each.value.chars().count();
        if !each.value.contains(char::is_alphanumeric) || chars > WORDS_CHARS_MAX {
            let text = format!("must be words of at most {WORDS_CHARS_MAX} characters");
            found.problem(each.at, KEY, text);
            continue;
        }
        if known.around.rules.is_command(&each.value) {
            let text = format!("{} is a command: this reply is not given to it", got(&each.value));
            found.warning(each.at, KEY, text);
        }
        words.push(each.value.clone());
    }
    words
}

fn pattern(
    raw: &At<String>,
    known: &Around<'_>,
    found: &mut Findings,
) -> Option<crate::model::pattern::Pattern> {
    const KEY: &str = "messages.replies.pattern";
    if raw.value.is_empty() || raw.value.len() > PATTERN_BYTES_MAX {
        found.problem(raw.at, KEY, format!("must have 1 to {PATTERN_BYTES_MAX} bytes"));
        return None;
    }
    match known.around.rules.pattern(&raw.value) {
        Ok(pattern) => Some(pattern),
        Err(why) => {
            found.problem(raw.at, KEY, why);
            None
        }
    }
}

fn reminder(raw: &RawReminder, known: &Around<'_>, found: &mut Findings) -> Option<Reminder> {
    let say = raw.say.as_ref();
    let say = say.and_then(|say| texts(say, "messages.reminder.say", MESSAGE_CHARS_MAX, found));
    let key = "messages.reminder.every";
    let Some(every) = &raw.every else {
        let at = raw.say.as_ref().map_or(Place { file: 0, offset: 0 }, |say| say.at);
        found.problem(at, key, "is needed").hint("for example `every = \"90 days\"`");
        return None;
    };
    let bounds = REMINDER_EVERY_MIN..=REMINDER_EVERY_MAX;
    let every = span(Some(every), key, bounds, REMINDER_EVERY_MIN, found);
    let say = say.unwrap_or_else(|| words::texts(&words::REMINDER));
    let layout = raw.layout.as_ref();
    let layout =
        layout.and_then(|raw| self::layout(raw, "messages.reminder.layout", known.layouts, found));
    Some(Reminder { every, say, layout })
}
