//! The conversation: subscriber, event, words, now → changes and replies. Pure and total.

use std::time::Duration;

use crate::converse::choosing::{Choosing, Wanted, choose};
use crate::converse::keywords::Keyword;
use crate::converse::latest::{self, Lookup};
use crate::converse::order::Conversation;
use crate::converse::origin;
use crate::converse::privacy;
use crate::converse::profile;
use crate::converse::questions::{self, Told};
use crate::converse::watch::Asked;
use crate::converse::wish::{self, Wish};
use crate::converse::words::{Saying, Texts, Words, say as in_words};
use crate::converse::{help, timezone, welcome};
use crate::model::channel::ChannelKind;
use crate::model::event::{Deed, Event, Tap};
use crate::model::message::{Action, Button, Message, Module};
use crate::model::name::Name;
use crate::model::post::Answer;
use crate::model::rich::RichText;
use crate::model::subscriber::{Consent, Standing, Subscriber};
use crate::model::time::Timestamp;

/// How long a person's deed lets a page write to them (Messenger policy, "24-hour standard
/// messaging window").
pub const WINDOW: Duration = Duration::from_secs(24 * 3600);

/// Payload of the button that stops; the digit is the version of our payloads.
pub const STOP_PAYLOAD: &str = "1:stop";

/// Payload of the button that starts again.
pub const START_PAYLOAD: &str = "1:start";

/// To another tap on a button that stops; words are answered once.
const STOPPED_ALREADY: Texts = [
    ("en", "You already get nothing from us."),
    ("ro", "Nu mai primești deja nimic de la noi."),
    ("it", "Non ricevi già più nulla da noi."),
    ("de", "Du bekommst schon nichts mehr von uns."),
    ("fr", "Vous ne recevez déjà plus rien de nous."),
    ("es", "Ya no recibes nada de nosotros."),
    ("ru", "Вы уже ничего от нас не получаете."),
];

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
    /// In which the first answer is to be set.
    pub layout: Option<Name>,
    /// The first answer stands in the place of the message with the button.
    pub is_in_place: bool,
    /// Said in passing to a tap.
    pub toast: Option<String>,
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

/// Answers one event.
///
/// 1. Every deed but leaving opens Messenger's window from the event's own time.
/// 2. An event older than the newest one that was applied changes nothing and is not answered, unless
///    `order` finds its place among the recent ones; of two at the same instant, stopping wins.
/// 3. `stop` always works and is answered once; a tap is always acknowledged.
pub fn respond(
    known: Option<&Subscriber>,
    event: &Event,
    setting: &Setting<'_>,
    now: Timestamp,
) -> Turn {
    let wish = match wish::of(event, setting) {
        Wish::Unclear => wish::keyword(event, &setting.words.replies),
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
        matches!(wish::of(event, &self.setting), Wish::Stop { .. })
    }

    fn is_understood(&self, event: &Event) -> bool {
        !matches!(wish::of(event, &self.setting), Wish::Unclear)
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
    let asked = questions::open(&mut person, event);
    let is_group = person.is_group();
    let is_keyword = matches!(wish, Wish::Keyword { .. });
    let mut turn = Turn::default();
    match wish {
        Wish::Start { topics, way } => {
            origin::note(&mut person, event, setting.topics);
            person.standing = Standing::Active;
            if !person.has_joined() {
                person.joined_at = event.at;
            }
            person.ask_nothing();
            welcome::subscribe(&mut person, topics, setting);
            let mut greeting = welcome::greeting(&person, setting);
            if is_group {
                greeting = welcome::greeting_in_group(&greeting, &person);
            }
            turn.layout.clone_from(&words.welcome.layout);
            let agreed = welcome::agreed(&greeting, &person);
            turn.consent = Some(consent(&person, true, way, &agreed, now));
            let welcome = with_zone(&greeting, words, &person);
            let mut buttons = words.welcome_buttons.to(&person).to_vec();
            buttons.push(button(&words.stop_label, STOP_PAYLOAD, &person));
            turn.answers = vec![say_with(&welcome, buttons)];
            turn.lookup = latest::welcoming(&person, words.welcome_items);
            if !is_group {
                turn.answers.extend(profile::first(&mut person, setting).map(plain));
            }
        }
        Wish::Stop { way } => {
            let was_stopped = known.is_some_and(|known| known.standing == Standing::Stopped);
            let was_stopped = was_stopped && !setting.is_watching;
            person.standing = Standing::Stopped;
            person.ask_nothing();
            turn.ends_watches = true;
            if was_stopped {
                turn.toast = Some(in_words(&STOPPED_ALREADY, &person));
            } else {
                let goodbye = words.goodbye.to(&person);
                let goodbye =
                    &if is_group { welcome::in_group(goodbye) } else { goodbye.to_owned() };
                turn.layout.clone_from(&words.goodbye.layout);
                turn.consent = Some(consent(&person, false, way.to_owned(), goodbye, now));
                turn.answers = vec![say(goodbye, &words.start_label, START_PAYLOAD, &person)];
            }
        }
        Wish::Unclear | Wish::Keyword { .. }
            if let Some(told) =
                questions::answer(&mut person, asked.as_ref(), event, is_keyword, setting) =>
        {
            match told {
                Told::Chosen(chosen) => {
                    turn.answers.extend(chosen.message.map(plain));
                    turn.lookup = chosen.lookup;
                }
                Told::Watch(asked) => turn.watch = Some(asked),
            }
        }
        Wish::Unclear => {
            let rested =
                person.default_reply_at.is_none_or(|at| now.since(at) >= words.default_reply_every);
            if rested {
                person.default_reply_at = Some(now);
                let (reply, label, payload) = match person.standing {
                    Standing::Active => (&words.default_reply, &words.stop_label, STOP_PAYLOAD),
                    _ => (&words.stranger_reply, &words.start_label, START_PAYLOAD),
                };
                turn.layout.clone_from(&reply.layout);
                let reply = with_zone(reply.to(&person), words, &person);
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
            turn.layout = reply.and_then(|it| it.say.layout.clone());
        }
        Wish::Watch(asked) => {
            turn.watch = Some(questions::product(&mut person, asked, setting));
        }
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
            | Deed::Edited { .. }
            | Deed::Moved { .. }
            | Deed::OptedIn { .. }
            | Deed::OptedOut
            | Deed::Present { .. }
    )
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
    let tap = Tap { toast: turn.toast.take(), ..tap };
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
mod tests;
