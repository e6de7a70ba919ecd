//! What goes beyond the 24-hour window: utility templates, opt-ins, and paid marketing messages
//! with their campaigns, gaps and results.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use serde_json::{Value, json};

use crate::model::time::Timestamp;
use crate::sandbox::door::Reply;
use crate::sandbox::ledger::Accepted;
use crate::sandbox::messenger::people::{Person, Received};
use crate::sandbox::messenger::{Inner, Server, State, refuse, rules, succeed};
use crate::sandbox::params::Params;

/// A new campaign sends nothing for so long.
pub const WARM_UP: Duration = Duration::from_secs(3_600);
/// Between two marketing messages to one token.
pub const GAP: Duration = Duration::from_secs(12 * 3_600);
/// Longest title of an opt-in request, in UTF-16 units.
const ASK_TITLE_MAX: usize = 65;
/// Most rows of one page of a list.
const PAGE_MAX: usize = 1_000;

/// What the stand-in knows of it all.
#[derive(Debug, Default)]
pub(super) struct Market {
    templates: Vec<Template>,
    /// By the person.
    optins: BTreeMap<String, Optin>,
    /// The titles under which a person was asked.
    asked: HashMap<String, Vec<String>>,
    /// When each was made.
    campaigns: HashMap<String, Timestamp>,
    /// Every marketing message is refused with this code.
    trouble: Option<u32>,
    paid: Vec<Paid>,
}

#[derive(Debug)]
struct Template {
    name: String,
    language: String,
    status: String,
    /// How many places its body has.
    places: usize,
}

#[derive(Clone, Debug)]
struct Optin {
    token: String,
    is_open: bool,
    next_at: Option<Timestamp>,
}

/// A marketing message that was accepted, and is paid.
#[derive(Clone, Debug, PartialEq)]
pub struct Paid {
    pub psid: String,
    pub token: String,
    pub campaign: String,
    pub at: Timestamp,
    pub message: Value,
}

impl Server {
    /// A template of the page, in that state: `APPROVED`, `PENDING`, `REJECTED`.
    pub fn add_template(&self, name: &str, language: &str, places: usize, status: &str) {
        let mut state = self.inner.lock();
        let templates = &mut state.market.templates;
        templates.retain(|known| known.name != name || known.language != language);
        let (name, language) = (name.to_owned(), language.to_owned());
        templates.push(Template { name, language, status: status.to_owned(), places });
    }

    /// A campaign for marketing messages that is warm already.
    pub fn warm_campaign(&self) -> String {
        let id = format!("77{:06}", self.inner.next_event());
        let made_at = self.inner.now() - WARM_UP;
        self.inner.lock().market.campaigns.insert(id.clone(), made_at);
        id
    }

    /// The campaigns for marketing messages.
    pub fn campaigns(&self) -> Vec<String> {
        self.inner.lock().market.campaigns.keys().cloned().collect()
    }

    /// From now on every marketing message is refused with this code; `None` takes them again.
    pub fn set_market_trouble(&self, code: Option<u32>) {
        self.inner.lock().market.trouble = code;
    }

    /// The marketing messages that were accepted, oldest first.
    pub fn paid(&self) -> Vec<Paid> {
        self.inner.lock().market.paid.clone()
    }

    /// The person agrees without being asked, as by an ad: only the list of tokens tells it.
    pub fn agrees_elsewhere(&self, psid: &str) {
        let token = token_of(psid);
        let optin = Optin { token, is_open: true, next_at: None };
        self.inner.lock().market.optins.insert(psid.to_owned(), optin);
    }

    /// The last marketing message to the person did not arrive after all, and the webhook is told.
    pub fn marketing_fails(&self, psid: &str, why: &str) {
        let token = token_of(psid);
        self.inner.tell_market(
            "marketing_message_delivery_failed",
            psid,
            &json!({
                "messenger_subscription_token": token, "error_message": why,
            }),
        );
    }
}

impl Person {
    /// Agrees to what the newest opt-in request asks; `false` when none arrived.
    pub fn opts_in(&self) -> bool {
        let is_request = |message: &Received| {
            message.message["attachment"]["payload"]["template_type"] == "notification_messages"
        };
        if !self.inbox().iter().any(is_request) {
            return false;
        }
        self.turns_optin(true, &json!({ "user_token_status": "REFRESHED" }));
        true
    }

    /// Stops marketing messages, by the link that each of them has.
    pub fn opts_out(&self) {
        self.turns_optin(false, &json!({ "notification_messages_status": "STOP NOTIFICATIONS" }));
    }

    fn turns_optin(&self, is_open: bool, more: &Value) {
        let (inner, psid) = (self.inner(), self.psid());
        let (token, at) = (token_of(psid), inner.now());
        let mut optin = json!({
            "type": "notification_messages",
            "notification_messages_token": token,
            "notification_messages_timezone": "Europe/Rome",
            "token_expiry_timestamp": (at + Duration::from_secs(300 * 86_400)).as_millis(),
            "payload": "1:optin",
        });
        for (key, value) in more.as_object().into_iter().flatten() {
            optin[key] = value.clone();
        }
        let row = Optin { token, is_open, next_at: None };
        inner.lock().market.optins.insert(psid.to_owned(), row);
        let event = json!({
            "sender": { "id": psid },
            "recipient": { "id": inner.rules.page_id },
            "timestamp": at.as_millis(),
            "optin": optin,
        });
        inner.tell(psid, &event, at);
        inner.ledger.changed();
    }
}

fn token_of(psid: &str) -> String {
    format!("sandbox-token-{psid}")
}

/// Whether a message asks for an opt-in; its title.
pub(super) fn asks(message: &Value) -> Option<&str> {
    let payload = &message["attachment"]["payload"];
    let is_request = payload["template_type"] == "notification_messages";
    is_request.then(|| payload["title"].as_str().unwrap_or("Updates and promotions"))
}

/// Checks an opt-in request by itself.
pub(super) fn check_ask(payload: &Value) -> Result<(), rules::Refusal> {
    let is_long =
        |title: &str| title.trim().is_empty() || title.encode_utf16().count() > ASK_TITLE_MAX;
    if payload["title"].as_str().is_some_and(is_long) || !payload["payload"].is_string() {
        return Err((None, "param title must have 1 to 65 characters".to_owned()));
    }
    Ok(())
}

impl State {
    /// An opt-in request goes once to a person under one title.
    pub(super) fn note_ask(&mut self, psid: &str, title: &str) -> Result<(), Reply> {
        let asked = self.market.asked.entry(psid.to_owned()).or_default();
        if asked.iter().any(|known| known == title) {
            let why = "(#613) The opt-in request was sent to this person already";
            return Err(refuse(400, 613, Some(1_893_016), why));
        }
        asked.push(title.to_owned());
        Ok(())
    }

    /// Whether a template may be sent as it stands in the message.
    pub(super) fn check_template(&self, message: &Value) -> Result<(), Reply> {
        let templates = &self.market.templates;
        if templates.is_empty() {
            let why = "(#10) This message requires the 'pages_utility_messaging' permission";
            return Err(refuse(403, 10, None, why));
        }
        let wanted = &message["template"];
        let (name, language) = (&wanted["name"], &wanted["language"]["code"]);
        let known = templates.iter().find(|it| *name == it.name && *language == it.language);
        let Some(template) = known.filter(|it| it.status == "APPROVED") else {
            let why = "(#100) There is no approved template of that name and language";
            return Err(refuse(400, 100, None, why));
        };
        let components = wanted["components"].as_array().map(Vec::as_slice).unwrap_or_default();
        let body = components.iter().find(|part| part["type"] == "body");
        let places = body.and_then(|body| body["parameters"].as_array());
        let is_text = |place: &Value| place["text"].as_str().is_some_and(|it| !it.is_empty());
        if places.map_or(0, Vec::len) != template.places
            || places.is_some_and(|all| !all.iter().all(is_text))
        {
            let why = "(#100) INCORRECT_PARAMS: the template has other places";
            return Err(refuse(400, 100, None, why));
        }
        Ok(())
    }
}

impl Inner {
    pub(super) fn tell_templates(&self) -> Reply {
        let state = self.lock();
        let row = |it: &Template| {
            json!({
                "id": "1", "name": it.name, "language": it.language, "status": it.status,
                "category": "UTILITY",
            })
        };
        let rows: Vec<Value> = state.market.templates.iter().map(row).collect();
        succeed(&json!({ "data": rows }))
    }

    /// The open tokens, in pages.
    pub(super) fn tell_tokens(&self, params: &Params) -> Reply {
        let limit = params.integer("limit").and_then(|limit| usize::try_from(limit).ok());
        let limit = limit.unwrap_or(25).clamp(1, PAGE_MAX);
        let after = params.text("after").unwrap_or_default();
        let now = self.now();
        let state = self.lock();
        let open = state.market.optins.iter().filter(|(psid, it)| it.is_open && **psid > after);
        let mut rows = Vec::new();
        let mut last = None;
        let mut has_more = false;
        for (psid, optin) in open {
            if rows.len() == limit {
                has_more = true;
                break;
            }
            rows.push(json!({
                "notification_messages_token": optin.token,
                "recipient_id": psid,
                "creation_timestamp": now.as_millis() / 1_000,
                "token_expiry_timestamp": now.as_millis() / 1_000 + 300 * 86_400,
                "user_token_status": "REFRESHED",
                "next_eligible_time": optin.next_at.map(|at| at.as_millis() / 1_000),
            }));
            last = Some(psid.clone());
        }
        let mut body = json!({ "data": rows });
        if let Some(last) = last {
            body["paging"] = json!({ "cursors": { "after": last } });
            if has_more {
                body["paging"]["next"] = json!("https://graph.sandbox.example/next");
            }
        }
        succeed(&body)
    }

    pub(super) fn make_campaign(&self, params: &Params) -> Result<Reply, Reply> {
        let page = params.text("page_id").unwrap_or_default();
        if page != self.rules.page_id {
            return Err(refuse(400, 2_300_065, None, "A page_id is required"));
        }
        if params.text("name").is_none_or(|name| name.trim().is_empty()) {
            return Err(refuse(400, 100, None, "(#100) The parameter name is required"));
        }
        let id = format!("77{:06}", self.next_event());
        let made_at = self.now();
        self.lock().market.campaigns.insert(id.clone(), made_at);
        Ok(succeed(&json!({ "id": id })))
    }

    /// Judges in this order: the campaign, the token, the message, the gap.
    pub(super) fn send_paid(&self, params: &Params) -> Result<Reply, Reply> {
        let now = self.now();
        let message = params.object("message").and_then(Result::ok).unwrap_or_default();
        let data = params.object("messenger_delivery_data").and_then(Result::ok);
        let data = data.unwrap_or_default();
        let token = data["subscription_token"].as_str().unwrap_or_default().to_owned();
        let campaign = params.text("message_id").unwrap_or_default();
        let mut guard = self.lock();
        let state = &mut *guard;
        state.check_page()?;
        if let Some(code) = state.market.trouble {
            return Err(refuse(400, code, None, "The marketing message was refused"));
        }
        let Some(made_at) = state.market.campaigns.get(&campaign).copied() else {
            return Err(refuse(400, 2_300_006, None, "The campaign is no direct-send campaign"));
        };
        if now < made_at + WARM_UP {
            return Err(refuse(400, 2_300_003, None, "The campaign is not ready yet"));
        }
        let optins = &mut state.market.optins;
        let Some((psid, optin)) = optins.iter_mut().find(|(_, it)| it.token == token) else {
            return Err(refuse(400, 2_300_004, None, "The token can't be loaded"));
        };
        if !optin.is_open {
            return Err(refuse(400, 2_300_034, None, "The subscriber has opted out"));
        }
        rules::check_message(&message, false)
            .map_err(|(_, why)| refuse(400, 2_300_010, None, &why))?;
        if optin.next_at.is_some_and(|at| now < at) {
            return Err(refuse(400, 2_300_035, None, "One message in 12 hours"));
        }
        optin.next_at = Some(now + GAP);
        let psid = psid.clone();
        let mid = self.next_mid();
        if let Some(human) = state.people.get_mut(&psid) {
            human.receive(Received {
                message_id: mid.clone(),
                at: now,
                message: message.clone(),
                media: Vec::new(),
                is_silent: false,
            });
        }
        state.market.paid.push(Paid {
            psid: psid.clone(),
            token: token.clone(),
            campaign: campaign.clone(),
            at: now,
            message,
        });
        drop(guard);
        self.ledger.accept(Accepted {
            method: "marketing_messages".into(),
            address: psid.clone(),
            message_id: mid.clone(),
            at: now,
            body: self.rules.keep_bodies.then(|| params.0.clone()),
        });
        let told =
            json!({ "messenger_subscription_token": token, "message_id": campaign, "mid": mid });
        self.tell_market("marketing_message_echoes", &psid, &told);
        self.tell_market("marketing_message_deliveries", &psid, &told);
        let id = format!("00000000-0000-4000-8000-{:012}", self.next_event());
        Ok(succeed(&json!({ "success": true, "marketing_message_tracking_id": id })).accepted())
    }

    /// Posts a result to the webhook, if the app wants to hear of it.
    fn tell_market(&self, field: &str, psid: &str, told: &Value) {
        if !self.lock().subscribed_fields.iter().any(|wanted| wanted == field) {
            return;
        }
        let at = self.now();
        let mut value = told.clone();
        value["page_id"] = json!(self.rules.page_id);
        value["app_id"] = json!("1");
        value["timestamp"] = json!(at.as_millis());
        value["recipient_id"] = json!(psid);
        let entry = json!({
            "id": self.rules.page_id,
            "time": at.as_millis(),
            "changes": [{ "field": field, "value": value }],
        });
        self.post(psid, &json!({ "object": "page", "entry": [entry] }));
    }
}
