//! What Telegram shows of a bot: a description in the empty chat, a short one on its profile, and
//! the commands, each by language; the admins of groups have a list of their own.
//!
//! Source: Bot API, `setMyDescription`, `setMyShortDescription`, `setMyCommands`: a text without a
//! language is for everybody who has none of their own; the code has two letters.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::channel::facet::{Facet, Unshown, beginning};
use crate::channel::telegram::api::Client;
use crate::channel::telegram::errors::{ApiError, METHOD_UNKNOWN};

/// Longest description.
const DESCRIPTION_CHARS_MAX: usize = 512;

/// Longest short description.
const SHORT_CHARS_MAX: usize = 120;

/// Most commands of a list.
const COMMANDS_MAX: usize = 100;

const DESCRIPTION: &str = "description";
const SHORT_DESCRIPTION: &str = "short_description";
const COMMANDS: &str = "commands";
const ADMIN_COMMANDS: &str = "admin_commands";

/// A text for everybody, and those by language (BCP 47, lower case).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    pub default: String,
    pub languages: BTreeMap<String, String>,
}

/// What is to be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Looks {
    pub description: Texts,
    /// A long text is shortened.
    pub short_description: Texts,
    /// Nobody chose the descriptions.
    pub is_default: bool,
    /// By language, with an empty one for everybody else: command and description.
    pub commands: Vec<(String, Vec<(String, String)>)>,
    /// The same for the admins of groups.
    pub admin_commands: Vec<(String, Vec<(String, String)>)>,
}

/// What is to be shown, as the service takes it.
pub fn facets(looks: &Looks) -> Vec<Facet> {
    let mut all = Vec::new();
    for (kind, texts, chars_max) in [
        (DESCRIPTION, &looks.description, DESCRIPTION_CHARS_MAX),
        (SHORT_DESCRIPTION, &looks.short_description, SHORT_CHARS_MAX),
    ] {
        let default = beginning(&texts.default, chars_max);
        all.push(Facet::new(kind, default.clone(), looks.is_default));
        for (code, text) in by_code(&texts.languages) {
            let text = beginning(text, chars_max);
            if text != default {
                all.push(Facet::new(format!("{kind}:{code}"), text, looks.is_default));
            }
        }
    }
    let lists = looks.commands.iter().map(|list| (COMMANDS, list));
    let lists = lists.chain(looks.admin_commands.iter().map(|list| (ADMIN_COMMANDS, list)));
    for (kind, (language, commands)) in lists {
        let key = match code(language) {
            Some(code) => format!("{kind}:{code}"),
            None if language.is_empty() => kind.to_owned(),
            None => continue,
        };
        let list = commands.iter().take(COMMANDS_MAX);
        let list = list.map(|(name, about)| json!({ "command": name, "description": about }));
        all.push(Facet::new(key, list.collect::<Vec<_>>(), false));
    }
    all
}

/// The texts by the code that the service knows, of several for one the plainest.
fn by_code(languages: &BTreeMap<String, String>) -> BTreeMap<&str, &String> {
    let mut found: BTreeMap<&str, &String> = BTreeMap::new();
    for (language, text) in languages {
        // `pt` comes before `pt-br`.
        if let Some(code) = code(language) {
            found.entry(code).or_insert(text);
        }
    }
    found
}

/// The two letters of a language that has such.
fn code(language: &str) -> Option<&str> {
    let main = language.split('-').next()?;
    (main.len() == 2).then_some(main)
}

impl Client {
    /// Has a facet shown.
    ///
    /// # Errors
    /// [`Unshown`].
    pub async fn show(&self, facet: &Facet) -> Result<(), Unshown> {
        self.set(&facet.key, Some(&facet.value)).await
    }

    /// Has a facet shown no more.
    ///
    /// # Errors
    /// [`Unshown`].
    pub async fn hide(&self, key: &str) -> Result<(), Unshown> {
        self.set(key, None).await
    }

    async fn set(&self, key: &str, value: Option<&Value>) -> Result<(), Unshown> {
        let (kind, code) = key.split_once(':').unwrap_or((key, ""));
        let mut parameters = Map::new();
        if !code.is_empty() {
            parameters.insert("language_code".into(), code.into());
        }
        let method = match (kind, value) {
            (DESCRIPTION, _) => "setMyDescription",
            (SHORT_DESCRIPTION, _) => "setMyShortDescription",
            (COMMANDS | ADMIN_COMMANDS, Some(_)) => "setMyCommands",
            (COMMANDS | ADMIN_COMMANDS, None) => "deleteMyCommands",
            // A key of another program's.
            _ => return Ok(()),
        };
        let scope = match kind {
            COMMANDS => Some("all_private_chats"),
            ADMIN_COMMANDS => Some("all_chat_administrators"),
            _ => None,
        };
        if let Some(scope) = scope {
            parameters.insert("scope".into(), json!({ "type": scope }));
        }
        if method != "deleteMyCommands" {
            let none = Value::from("");
            let name = if scope.is_some() { COMMANDS } else { kind };
            parameters.insert(name.into(), value.unwrap_or(&none).clone());
        }
        self.ask::<bool>(method, &Value::Object(parameters)).await.map(drop).map_err(unshown)
    }

    /// The text that is shown to everybody: the description, or the short one.
    ///
    /// # Errors
    /// [`Unshown`].
    pub async fn shown(&self, key: &str) -> Result<String, Unshown> {
        #[derive(Deserialize)]
        struct Shown {
            #[serde(default)]
            description: String,
            #[serde(default)]
            short_description: String,
        }
        let method = match key {
            SHORT_DESCRIPTION => "getMyShortDescription",
            _ => "getMyDescription",
        };
        let shown = self.ask::<Shown>(method, &json!({})).await.map_err(unshown)?;
        Ok(if key == SHORT_DESCRIPTION { shown.short_description } else { shown.description })
    }
}

fn unshown(error: ApiError) -> Unshown {
    match error {
        ApiError::Throttled { after } => Unshown::Later { after, why: error.to_string() },
        ApiError::CredentialsRefused { why } if why.to_lowercase().contains(METHOD_UNKNOWN) => {
            Unshown::Unknown
        }
        ApiError::CredentialsRefused { .. } | ApiError::Conflict { .. } => {
            Unshown::Later { after: None, why: error.to_string() }
        }
        ApiError::Failed { why } => match why.to_lowercase().starts_with("bad request") {
            true => Unshown::Refused { why },
            false => Unshown::Later { after: None, why },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_is_a_facet_and_what_says_the_same_is_none() {
        let texts = |all: &[(&str, &str)]| Texts {
            default: all[0].1.to_owned(),
            languages: all.iter().map(|(tag, text)| ((*tag).into(), (*text).into())).collect(),
        };
        let long = format!("{} end", "word ".repeat(40));
        let commands = vec![("stop".to_owned(), "Leave".to_owned())];
        let looks = Looks {
            description: texts(&[("en", "Hi"), ("pt-br", "Oi"), ("pt", "Olá"), ("haw", "Aloha")]),
            short_description: texts(&[("en", &long)]),
            is_default: true,
            commands: vec![(String::new(), commands.clone()), ("ro".into(), commands.clone())],
            admin_commands: vec![(String::new(), commands)],
        };
        let all = facets(&looks);
        let keys: Vec<&str> = all.iter().map(|facet| facet.key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "description",
                "description:pt",
                "short_description",
                "commands",
                "commands:ro",
                "admin_commands"
            ]
        );
        assert_eq!(all[1].value, "Olá");
        let short = all[2].value.as_str().unwrap();
        assert!(short.ends_with("word…") && short.chars().count() <= SHORT_CHARS_MAX, "{short}");
        assert_eq!(all[3].value, json!([{ "command": "stop", "description": "Leave" }]));
        assert!(all[0].is_default && !all[3].is_default);
    }
}
