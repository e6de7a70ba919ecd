//! Checks whom posts are for: `audience`, `chats`, `late_joiners`, `reviewers`.

use crate::config::chats::{RawChat, RawChats};
use crate::config::check::around::{Known, Surroundings};
use crate::config::check::value::{choice, got};
use crate::config::nearest::did_you_mean;
use crate::config::problem::{Findings, Place};
use crate::config::raw::RawCampaign;
use crate::config::table::At;
use crate::model::audience::{FixedChat, LateJoiners, PeopleRule, Reach};
use crate::model::name::Name;

/// Most chats that one list names.
const CHATS_MAX: usize = 1_000;
/// Longest `@name` of a chat, in characters, without the `@`.
const CHAT_NAME_MAX: usize = 32;

/// What the expressions and chats of one table may name.
pub(crate) struct Around<'a> {
    pub topics: &'a Known,
    pub channels: &'a Known,
    pub profile: &'a Known,
    /// The Telegram channels that the posts go to: chats are theirs.
    pub telegram: Vec<Name>,
}

/// Whom a campaign writes to. `reviewers` are those of the main settings file.
pub(crate) fn reach(
    raw: &RawCampaign,
    path: &str,
    names: &Around<'_>,
    reviewers: Option<&RawChats>,
    around: &Surroundings<'_>,
    found: &mut Findings,
) -> Reach {
    let key = |key: &str| format!("{path}.{key}");
    let rule = audience(raw.audience.as_ref(), &key("audience"), names, around, found);
    let chats = chats(raw.chats.as_ref(), &key("chats"), names, around, found);
    let late_joiners = late_joiners(raw.late_joiners.as_ref(), &key("late_joiners"), found);
    let is_reviewed = raw.review == Some(true);
    let reviewers = match (&raw.reviewers, reviewers) {
        (Some(own), _) => {
            if !is_reviewed && !own.value.is_empty() {
                let text = "does nothing without `review = true`";
                found.warning(own.at, &key("reviewers"), text);
            }
            by_number(
                self::chats(Some(own), &key("reviewers"), names, around, found),
                own.at,
                &key("reviewers"),
                found,
            )
        }
        (None, Some(all)) if is_reviewed => {
            // They are told with their own place, see `reviewers`; here those that can get it
            // count.
            self::chats(Some(all), "reviewers", names, around, &mut Findings::default())
        }
        _ => Vec::new(),
    };
    let reviewers = if is_reviewed { reviewers } else { Vec::new() };
    Reach { rule, chats, late_joiners, reviewers }
}

/// Checks the reviewers of the main settings file by themselves.
pub(crate) fn reviewers(
    raw: Option<&RawChats>,
    names: &Around<'_>,
    around: &Surroundings<'_>,
    found: &mut Findings,
) {
    let all = chats(raw, "reviewers", names, around, found);
    if let Some(raw) = raw {
        by_number(all, raw.at, "reviewers", found);
    }
}

/// Who taps a button is told by number alone.
fn by_number(
    reviewers: Vec<FixedChat>,
    at: Place,
    key: &str,
    found: &mut Findings,
) -> Vec<FixedChat> {
    if let Some(named) = reviewers.iter().find(|chat| chat.address.starts_with('@')) {
        let problem = format!("`{}` must be given by its number", named.address);
        found.problem(at, key, problem).hint("such as `-1001234567890`: a tap tells no name");
    }
    reviewers
}

/// The expression over subscribers; `None` for all.
pub(crate) fn audience(
    raw: Option<&At<String>>,
    key: &str,
    names: &Around<'_>,
    around: &Surroundings<'_>,
    found: &mut Findings,
) -> Option<PeopleRule> {
    let raw = raw.filter(|raw| raw.value.trim() != "true")?;
    // Names that stand in a file that could not be read are not known: none is told then.
    let known = |known: &Known| if around.is_complete { known.names.clone() } else { Vec::new() };
    let (topics, channels) = (known(names.topics), known(names.channels));
    let profile = around.is_complete.then_some(names.profile.names.as_slice());
    match around.rules.audience(&raw.value, &topics, &channels, profile) {
        Ok(rule) => Some(rule),
        Err(faults) => {
            found.problems(raw.at, key, faults);
            None
        }
    }
}

pub(crate) fn late_joiners(
    raw: Option<&At<String>>,
    key: &str,
    found: &mut Findings,
) -> LateJoiners {
    let choices = [("skip", LateJoiners::Skip), ("include", LateJoiners::Include)];
    raw.and_then(|raw| choice(raw, key, &choices, found)).unwrap_or_default()
}

/// The chats of a list, each once.
pub(crate) fn chats(
    raw: Option<&RawChats>,
    key: &str,
    names: &Around<'_>,
    around: &Surroundings<'_>,
    found: &mut Findings,
) -> Vec<FixedChat> {
    let Some(raw) = raw else { return Vec::new() };
    if raw.value.len() > CHATS_MAX {
        let text = format!("must have at most {CHATS_MAX} chats, got {}", raw.value.len());
        found.problem(raw.at, key, text);
    }
    let is_lost = |one: &&RawChat| one.channel.is_none() && names.telegram.is_empty();
    if let Some(first) = raw.value.iter().find(is_lost).filter(|_| around.is_complete) {
        let text = "a chat needs a Telegram channel, and this goes to none";
        found.problem(first.at, key, text);
    }
    let mut chats = Vec::new();
    for one in raw.value.iter().take(CHATS_MAX) {
        let address = address(one, key, found);
        let channel = channel(one, key, names, around, found);
        if let (Some(address), Some(channel)) = (address, channel) {
            let chat = FixedChat { channel, address };
            if chats.contains(&chat) {
                found.warning(one.at, key, "is named twice");
            } else {
                chats.push(chat);
            }
        }
    }
    chats
}

fn address(raw: &RawChat, key: &str, found: &mut Findings) -> Option<String> {
    let chat = raw.chat.as_ref()?;
    let text = chat.value.trim();
    let name = text.strip_prefix('@');
    let is_name = name.is_some_and(|name| {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        !name.is_empty() && name.len() <= CHAT_NAME_MAX && name.chars().all(is_part)
    });
    let is_number = text.parse::<i64>().is_ok_and(|id| id != 0) && !text.starts_with('+');
    if !is_name && !is_number {
        let text = format!("{} is no chat", got(&chat.value));
        let hint = "a public one has an `@name`, every one a number: `\"@name\"`, `-1001234567890`";
        found.problem(chat.at, key, text).hint(hint);
        return None;
    }
    match &raw.thread {
        None => Some(text.to_owned()),
        Some(thread) if thread.value > 0 => Some(format!("{text}/{}", thread.value)),
        Some(thread) => {
            let text = format!("a topic's `thread` is a number above 0, got {}", thread.value);
            found.problem(thread.at, key, text);
            None
        }
    }
}

/// By which bot the chat is reached.
fn channel(
    raw: &RawChat,
    key: &str,
    names: &Around<'_>,
    around: &Surroundings<'_>,
    found: &mut Findings,
) -> Option<Name> {
    let Around { channels, telegram, .. } = names;
    let Some(named) = &raw.channel else {
        return match telegram.as_slice() {
            [only] => Some(only.clone()),
            // That is told of the list.
            [] => None,
            [first, ..] => {
                let chat = raw.chat.as_ref().map_or("…", |chat| chat.value.trim());
                let hint = format!("for example `{{ chat = \"{chat}\", channel = \"{first}\" }}`");
                found.problem(raw.at, key, "must say by which channel").hint(hint);
                None
            }
        };
    };
    if let Some(name) = telegram.iter().find(|name| name.as_str() == named.value) {
        return Some(name.clone());
    }
    if !around.is_complete {
        return None;
    }
    let text = match channels.get(&named.value) {
        Some(_) => format!("{} is no Telegram channel that this goes to", got(&named.value)),
        None => format!("{} is not defined", got(&named.value)),
    };
    let near = did_you_mean(&named.value, telegram.iter().map(Name::as_str));
    let finding = found.problem(named.at, key, text);
    if let Some(near) = near {
        finding.hint(near);
    }
    None
}
