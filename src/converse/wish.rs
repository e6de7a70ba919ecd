//! What somebody means, whichever way they say it: by a link, a command, plain words or a button.

use crate::converse::choosing;
use crate::converse::commands::{self, Command};
use crate::converse::keywords::{self, Keyword};
use crate::converse::privacy;
use crate::converse::replies::Setting;
use crate::converse::watch::Asked;
use crate::model::event::{Deed, Event};
use crate::model::name::Name;
use crate::model::start;

/// One wish.
pub(super) enum Wish {
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

/// What an event means.
pub(super) fn of(event: &Event, setting: &Setting<'_>) -> Wish {
    let topics = setting.topics;
    match &event.deed {
        Deed::Started { payload } | Deed::Referred { payload: payload @ Some(_) } => {
            let watch = payload.as_deref().and_then(Asked::by_link);
            watch.map_or_else(|| start_by(payload.as_deref(), topics), Wish::Watch)
        }
        Deed::Said { text } => understand(text, setting),
        Deed::Edited { text } => match understand(text, setting) {
            stop @ Wish::Stop { .. } => stop,
            _ => Wish::Nothing,
        },
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
pub(super) fn keyword(event: &Event, replies: &[Keyword]) -> Wish {
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
fn understand(text: &str, setting: &Setting<'_>) -> Wish {
    let way = if text.trim_start().starts_with('/') { "command" } else { "word" };
    let fits = |command, rest: &str| choosing::fits(command, rest, setting);
    match commands::said(text, &fits) {
        Some((command, rest)) => wanted(command, rest, way, setting.topics),
        None => Wish::Unclear,
    }
}
