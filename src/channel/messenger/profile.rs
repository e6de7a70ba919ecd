//! What Messenger shows of a page: the button that starts the chat, a greeting and questions before
//! the first message, and a menu.
//!
//! Source: Messenger Platform, "Messenger Profile API". All properties of one kind are one value
//! with all languages; ten calls in ten minutes are granted.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::channel::facet::{Facet, Unshown, beginning};
use crate::channel::messenger::api::Client;
use crate::channel::messenger::errors;
use crate::channel::messenger::updates::GET_STARTED;
use crate::channel::{Meaning, Observed};

/// Longest greeting.
pub const GREETING_CHARS_MAX: usize = 160;

/// Longest question before the first message.
const QUESTION_CHARS_MAX: usize = 80;

/// Most questions before the first message.
const QUESTIONS_MAX: usize = 4;

/// Most entries of the menu.
pub const ENTRIES_MAX: usize = 20;

/// Longest title of an entry.
const ENTRY_CHARS_MAX: usize = 30;

/// The button that starts the chat: without it there is no menu, and links lose what they say.
pub const START: &str = "get_started";
/// The words before the first message.
pub const GREETING: &str = "greeting";
const ICE_BREAKERS: &str = "ice_breakers";
const MENU: &str = "persistent_menu";

/// Languages that have locales of more than one country, or one that is not called like them.
const LOCALES: [(&str, &[&str]); 19] = [
    ("en", &["en_US", "en_GB"]),
    ("fr", &["fr_FR", "fr_CA"]),
    ("es", &["es_ES", "es_LA"]),
    ("pt", &["pt_BR", "pt_PT"]),
    ("cs", &["cs_CZ"]),
    ("da", &["da_DK"]),
    ("el", &["el_GR"]),
    ("et", &["et_EE"]),
    ("he", &["he_IL"]),
    ("hi", &["hi_IN"]),
    ("ja", &["ja_JP"]),
    ("ko", &["ko_KR"]),
    ("sl", &["sl_SI"]),
    ("sq", &["sq_AL"]),
    ("sr", &["sr_RS"]),
    ("sv", &["sv_SE"]),
    ("uk", &["uk_UA"]),
    ("vi", &["vi_VN"]),
    ("zh", &["zh_CN", "zh_TW"]),
];

/// Languages whose one locale is called like them, twice.
const ALIKE: [&str; 13] =
    ["ro", "it", "de", "ru", "nl", "pl", "hu", "bg", "hr", "sk", "lt", "lv", "tr"];

/// What is said in one language, or for everybody, under the empty one.
pub type Spoken<T> = BTreeMap<String, T>;

/// What can be tapped: it leads somewhere, or comes back to us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    Tap { title: String, payload: String },
    Link { title: String, url: String },
}

/// What is to be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Looks {
    /// A long text is shortened.
    pub greeting: Spoken<String>,
    /// Nobody chose the greeting.
    pub is_default: bool,
    /// Questions with what they say to us.
    pub questions: Spoken<Vec<(String, String)>>,
    pub menu: Spoken<Vec<Entry>>,
}

/// What is to be shown, as the service takes it.
pub fn facets(looks: &Looks) -> Vec<Facet> {
    let mut all = vec![start()];
    let greeting = |text: &String| Some(("text", Value::from(beginning(text, GREETING_CHARS_MAX))));
    if let Some(value) = spoken(&looks.greeting, greeting) {
        all.push(Facet::new(GREETING, value, looks.is_default));
    }
    let questions = |list: &Vec<(String, String)>| {
        let asked: Vec<Value> = list
            .iter()
            .take(QUESTIONS_MAX)
            .map(|(question, payload)| {
                let question = beginning(question, QUESTION_CHARS_MAX);
                json!({ "question": question, "payload": payload })
            })
            .collect();
        (!asked.is_empty()).then(|| ("call_to_actions", Value::from(asked)))
    };
    if let Some(value) = spoken(&looks.questions, questions) {
        all.push(Facet::new(ICE_BREAKERS, value, false));
    }
    let menu = |list: &Vec<Entry>| {
        let entries: Vec<Value> = list.iter().take(ENTRIES_MAX).map(entry).collect();
        (!entries.is_empty()).then(|| ("call_to_actions", Value::from(entries)))
    };
    if let Some(mut value) = spoken(&looks.menu, menu) {
        for one in value.as_array_mut().into_iter().flatten() {
            one["composer_input_disabled"] = json!(false);
        }
        all.push(Facet::new(MENU, value, false));
    }
    all
}

/// The button that starts the chat, alone.
pub fn start() -> Facet {
    Facet::new(START, json!({ "payload": GET_STARTED }), true)
}

fn entry(entry: &Entry) -> Value {
    let cut = |title: &str| beginning(title, ENTRY_CHARS_MAX);
    match entry {
        Entry::Tap { title, payload } => {
            json!({ "type": "postback", "title": cut(title), "payload": payload })
        }
        Entry::Link { title, url } => json!({ "type": "web_url", "title": cut(title), "url": url }),
    }
}

/// One value of all languages, that for everybody first; `None` when there is nothing for everybody.
fn spoken<T>(
    all: &Spoken<T>,
    written: impl Fn(&T) -> Option<(&'static str, Value)>,
) -> Option<Value> {
    let (key, everybody) = written(all.get("")?)?;
    let mut list = vec![json!({ "locale": "default", key: everybody })];
    let mut taken: Vec<String> = Vec::new();
    // `pt-br` before `pt`, which is for all others that speak it.
    let mut languages: Vec<(&String, &T)> = all.iter().collect();
    languages.sort_by_key(|(language, _)| std::cmp::Reverse(language.len()));
    for (language, told) in languages {
        let Some((key, value)) = written(told).filter(|(_, value)| *value != everybody) else {
            continue;
        };
        for locale in locales(language) {
            if !taken.contains(&locale) {
                list.push(json!({ "locale": locale, key: value }));
                taken.push(locale);
            }
        }
    }
    Some(Value::from(list))
}

/// The service's names for a language; none where it has none that we know of.
fn locales(language: &str) -> Vec<String> {
    let mut parts = language.split('-');
    let main = parts.next().unwrap_or_default();
    let known = LOCALES.iter().find(|(own, _)| *own == main).map(|(_, locales)| *locales);
    if let Some(country) = parts.next() {
        let wanted = format!("{main}_{}", country.to_uppercase());
        let is_known = known.unwrap_or_default().contains(&wanted.as_str());
        let is_alike = ALIKE.contains(&main) && country == main;
        return (is_known || is_alike).then_some(wanted).into_iter().collect();
    }
    match known {
        Some(locales) => locales.iter().map(|&locale| locale.to_owned()).collect(),
        None if ALIKE.contains(&main) => vec![format!("{main}_{}", main.to_uppercase())],
        None => Vec::new(),
    }
}

impl Client {
    /// What the page shows of itself, by property.
    ///
    /// # Errors
    /// [`Unshown`].
    pub async fn shown(&self) -> Result<Map<String, Value>, Unshown> {
        let fields = [START, GREETING].join(",");
        let observed = self.ask_profile(&fields).await;
        ended(&observed)?;
        let Observed::Answered { body, .. } = &observed else { return Ok(Map::new()) };
        let answer: Value = serde_json::from_slice(body).unwrap_or_default();
        Ok(answer["data"][0].as_object().cloned().unwrap_or_default())
    }

    /// Has facets shown, all or none of them.
    ///
    /// # Errors
    /// [`Unshown`].
    pub async fn show(&self, facets: &[&Facet]) -> Result<(), Unshown> {
        let properties = facets.iter().map(|facet| (facet.key.clone(), facet.value.clone()));
        ended(&self.set_profile(&Value::Object(properties.collect())).await)
    }

    /// Has facets shown no more.
    ///
    /// # Errors
    /// [`Unshown`].
    pub async fn hide(&self, keys: &[String]) -> Result<(), Unshown> {
        ended(&self.drop_profile(keys).await)
    }
}

fn ended(observed: &Observed) -> Result<(), Unshown> {
    let Some(why) = errors::failure(observed) else { return Ok(()) };
    Err(match errors::meaning(observed) {
        Meaning::Later { after } => Unshown::Later { after, why },
        Meaning::NotSent { .. }
        | Meaning::Unknown { .. }
        | Meaning::CredentialsRefused { .. }
        | Meaning::Blocked { .. } => Unshown::Later { after: None, why },
        _ => Unshown::Refused { why },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_become_locales_and_everybody_comes_first() {
        let greeting = [("", "Hi"), ("en", "Hi"), ("ro", "Salut"), ("pt-br", "Oi"), ("pt", "Olá")];
        let greeting = greeting.iter().map(|(tag, text)| ((*tag).into(), (*text).into()));
        let looks = Looks { greeting: greeting.collect(), ..Looks::default() };
        let all = facets(&looks);
        let keys: Vec<&str> = all.iter().map(|facet| facet.key.as_str()).collect();
        assert_eq!(keys, ["get_started", "greeting"], "nothing is asked, nothing in the menu");
        let expected = json!([
            { "locale": "default", "text": "Hi" },
            { "locale": "pt_BR", "text": "Oi" },
            { "locale": "pt_PT", "text": "Olá" },
            { "locale": "ro_RO", "text": "Salut" },
        ]);
        assert_eq!(all[1].value, expected);
        assert!(locales("tlh").is_empty() && locales("ro-md").is_empty());
    }

    #[test]
    fn the_menu_keeps_the_services_limits() {
        let tap = Entry::Tap { title: "t".repeat(40), payload: "1:stop".into() };
        let link = Entry::Link { title: "Shop".into(), url: "https://example.com/".into() };
        let entries = [link].into_iter().chain(std::iter::repeat_n(tap, 30)).collect();
        let questions = vec![("q".repeat(100), "1:start:news".to_owned()); 9];
        let looks = Looks {
            menu: [(String::new(), entries)].into(),
            questions: [(String::new(), questions)].into(),
            ..Looks::default()
        };
        let all = facets(&looks);
        assert_eq!(all[1].value[0]["call_to_actions"].as_array().unwrap().len(), QUESTIONS_MAX);
        let menu = &all[2].value[0];
        assert_eq!(menu["composer_input_disabled"], false);
        let entries = menu["call_to_actions"].as_array().unwrap();
        assert_eq!(entries.len(), ENTRIES_MAX);
        assert_eq!(entries[0]["url"], "https://example.com/");
        assert_eq!(entries[1]["title"].as_str().unwrap().chars().count(), ENTRY_CHARS_MAX);
    }
}
