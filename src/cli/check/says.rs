//! What people are told without anybody writing it then, as `tidings check` says it.

use serde_json::{Value, json};

use crate::cli::output;
use crate::config::{Buttons, Messages, Texts};
use crate::model::name::Name;
use crate::model::schedule::Span;

/// Most of a text that is shown, in characters.
const SHOWN_CHARS_MAX: usize = 72;

/// A line for each.
pub(super) fn lines(messages: &Messages) -> String {
    let mut welcome = words(&messages.welcome, messages.welcome_layout.as_ref());
    let Buttons { default, languages } = &messages.welcome_buttons;
    let buttons = languages.values().chain([default]).map(Vec::len).max().unwrap_or_default();
    if buttons > 0 {
        welcome.push_str(&format!(", with {}", output::count(buttons, "button")));
    }
    if messages.welcome_items > 0 {
        welcome.push_str(&format!(", then {}", output::count(messages.welcome_items, "item")));
    }
    let goodbye = words(&messages.goodbye, messages.goodbye_layout.as_ref());
    let reply = words(&messages.default_reply, messages.default_reply_layout.as_ref());
    let every = Span(messages.default_reply_every);
    let mut out = format!(
        "  welcome: {welcome}\n  goodbye: {goodbye}\n  default reply: {reply}, at most every {every}\n"
    );
    if !messages.replies.is_empty() {
        let count = messages.replies.len();
        out.push_str(&format!("  replies: {count} to what people write\n"));
    }
    if let Some(reminder) = &messages.reminder {
        let words = words(&reminder.say, reminder.layout.as_ref());
        out.push_str(&format!("  reminder: {words}, every {}\n", Span(reminder.every)));
    }
    out
}

/// The same for programs: the words for every language but those that have their own.
pub(super) fn json(messages: &Messages) -> Value {
    json!({
        "welcome": messages.welcome.default,
        "goodbye": messages.goodbye.default,
        "default_reply": messages.default_reply.default,
        "replies": messages.replies.len(),
        "reminder": messages.reminder.as_ref().map(|reminder| &reminder.say.default),
    })
}

/// `Welcome aboard! …, in 2 languages, in layout hello`.
fn words(texts: &Texts, layout: Option<&Name>) -> String {
    let line = texts.default.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut shown: String = line.chars().take(SHOWN_CHARS_MAX).collect();
    if shown.len() < line.len() {
        shown.push('…');
    }
    if texts.languages.len() > 1 {
        shown.push_str(&format!(" (in {})", output::count(texts.languages.len(), "language")));
    }
    match layout {
        Some(layout) => format!("{shown} in layout {layout}"),
        None => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Reminder;

    #[test]
    fn what_people_are_told_is_told_in_a_line_each() {
        let plain = |text: &str| Texts { default: text.to_owned(), languages: Default::default() };
        let messages = Messages {
            welcome: plain("Welcome\naboard!"),
            welcome_layout: Name::parse("hello").ok(),
            welcome_items: 3,
            goodbye: plain(&"x".repeat(80)),
            default_reply: plain("What?"),
            reminder: Some(Reminder {
                every: std::time::Duration::from_secs(90 * 86_400),
                say: plain("You get {topics}."),
                layout: None,
            }),
            ..Messages::default()
        };
        let told = lines(&messages);
        let expected = format!(
            "  welcome: Welcome aboard! in layout hello, then 3 items\n  goodbye: {}…\n  default \
             reply: What?, at most every 10s\n  reminder: You get {{topics}}., every 90d\n",
            "x".repeat(72)
        );
        assert_eq!(told, expected);
    }
}
