//! The page's Messenger profile: what it shows before and beside the chat.

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::sandbox::door::Reply;
use crate::sandbox::messenger::edges::malformed;
use crate::sandbox::messenger::{Inner, PROFILE_LIMIT, Person, State, refuse, rules, succeed};
use crate::sandbox::params::Params;

const PROFILE_FIELDS: [&str; 7] = [
    "get_started",
    "greeting",
    "ice_breakers",
    "persistent_menu",
    "commands",
    "whitelisted_domains",
    "account_linking_url",
];

impl Inner {
    pub(super) fn set_profile(&self, params: &Params) -> Result<Reply, Reply> {
        let mut state = self.lock();
        pass_profile_limit(&mut state)?;
        let mut given = Vec::new();
        for field in PROFILE_FIELDS {
            if let Some(value) = params.object(field) {
                given.push((field, value.map_err(|()| malformed(field))?));
            }
        }
        if given.is_empty() {
            return Err(refuse(400, 100, None, "(#100) Nothing to set"));
        }
        let has_start = state.profile.contains_key("get_started")
            || given.iter().any(|(field, _)| *field == "get_started");
        for (field, value) in given {
            if field == "persistent_menu" && !has_start {
                let why = "(#100) You must set a Get Started button if you also wish to use \
                           persistent menu";
                return Err(refuse(400, 100, Some(2_018_145), why));
            }
            let checked = match field {
                "persistent_menu" => rules::check_menu(&value),
                "greeting" => rules::check_greeting(&value),
                "ice_breakers" => rules::check_ice_breakers(&value),
                _ => Ok(()),
            };
            checked
                .map_err(|(subcode, why)| refuse(400, 100, subcode, &format!("(#100) {why}")))?;
            state.profile.insert(field.to_owned(), value);
        }
        drop(state);
        self.ledger.changed();
        Ok(succeed(&json!({ "result": "success" })))
    }

    pub(super) fn tell_profile(&self, params: &Params) -> Reply {
        let state = self.lock();
        let fields = params.text("fields").unwrap_or_default();
        let mut told = json!({});
        for field in fields.split(',') {
            if let Some(value) = state.profile.get(field) {
                told[field] = value.clone();
            }
        }
        let is_empty = told.as_object().is_some_and(serde_json::Map::is_empty);
        succeed(&json!({ "data": if is_empty { vec![] } else { vec![told] } }))
    }

    pub(super) fn delete_profile(&self, params: &Params) -> Result<Reply, Reply> {
        let fields = params.object("fields").and_then(Result::ok);
        let fields = fields.ok_or_else(|| malformed("fields"))?;
        let mut state = self.lock();
        pass_profile_limit(&mut state)?;
        for field in fields.as_array().map(Vec::as_slice).unwrap_or_default() {
            state.profile.remove(field.as_str().unwrap_or_default());
        }
        drop(state);
        self.ledger.changed();
        Ok(succeed(&json!({ "result": "success" })))
    }

    /// What a property shows to somebody with that locale.
    fn in_locale(&self, field: &str, locale: &str) -> Value {
        let state = self.lock();
        let all = state.profile.get(field).and_then(Value::as_array).cloned().unwrap_or_default();
        let of = |wanted: &str| all.iter().find(|one| one["locale"] == wanted).cloned();
        of(locale).or_else(|| of("default")).unwrap_or_default()
    }
}

impl Person {
    /// The words before the first message.
    pub fn sees_greeting(&self) -> String {
        let shown = self.inner().in_locale("greeting", &self.locale());
        shown["text"].as_str().unwrap_or_default().to_owned()
    }

    /// What can be tapped before the first message: questions with their payloads.
    pub fn sees_questions(&self) -> Vec<Value> {
        self.actions("ice_breakers")
    }

    /// The entries of the menu, which is there once the chat has begun.
    pub fn sees_menu(&self) -> Vec<Value> {
        self.actions("persistent_menu")
    }

    fn actions(&self, field: &str) -> Vec<Value> {
        let shown = self.inner().in_locale(field, &self.locale());
        shown["call_to_actions"].as_array().cloned().unwrap_or_default()
    }

    /// The title of what has that payload in the menu, or among the questions of an empty chat.
    pub(super) fn offered(&self, payload: &str) -> Option<String> {
        let is_empty = self.history().is_empty();
        let questions = if is_empty { self.sees_questions() } else { self.sees_menu() };
        let found = questions.into_iter().find(|one| one["payload"] == payload)?;
        let title = found["title"].as_str().or(found["question"].as_str());
        title.map(str::to_owned)
    }
}

fn pass_profile_limit(state: &mut State) -> Result<(), Reply> {
    let now = Instant::now();
    if state.profile_window.wait(PROFILE_LIMIT, now).is_some() {
        let why = "(#613) Calls to this api have exceeded the rate limit.";
        return Err(refuse(400, 613, None, why));
    }
    state.profile_window.note(now);
    Ok(())
}
