//! The edges of the Graph API that the stand-in knows.

use hyper::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::sandbox::door::Reply;
use crate::sandbox::ledger::Accepted;
use crate::sandbox::messenger::people::{Human, Received, Standing};
use crate::sandbox::messenger::{
    Inner, PageTrouble, State, Usage, WINDOW, market, refuse, rules, succeed,
};
use crate::sandbox::params::Params;

/// A limit over less than this stands in no usage figure.
const FIGURES_FROM: std::time::Duration = std::time::Duration::from_secs(60);
/// How long a human agent may answer after a person last wrote.
const AGENT_WINDOW: std::time::Duration = std::time::Duration::from_secs(7 * 24 * 60 * 60);
/// The part of a multipart body that is the file.
const FILE_PART: &str = "filedata";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Edge {
    Messages,
    Attachments,
    Profile,
    Subscriptions,
    Templates,
    /// Who has agreed to marketing messages.
    Tokens,
    /// Campaigns for marketing messages, of an ad account.
    Campaigns,
    /// Marketing messages, of an ad account.
    Paid,
    /// The page itself.
    Page,
    /// A person's profile.
    Person(String),
}

impl Edge {
    /// Reads `/<version>/<page or me>/<edge>`; the version may be missing.
    pub(super) fn parse(path: &str, page_id: &str) -> Option<Self> {
        let mut parts = path.trim_matches('/').split('/').peekable();
        let is_version = |part: &&str| {
            part.strip_prefix('v').is_some_and(|rest| {
                rest.split('.').all(|n| !n.is_empty() && n.bytes().all(|c| c.is_ascii_digit()))
            })
        };
        parts.next_if(is_version);
        let node = parts.next()?;
        let edge = parts.next();
        if parts.next().is_some() {
            return None;
        }
        let is_page = node == "me" || node == page_id;
        let is_account = node.strip_prefix("act_").is_some_and(|id| !id.is_empty());
        match edge {
            Some("messages") if is_page => Some(Self::Messages),
            Some("message_attachments") if is_page => Some(Self::Attachments),
            Some("messenger_profile") if is_page => Some(Self::Profile),
            Some("subscribed_apps") if is_page => Some(Self::Subscriptions),
            Some("message_templates") if is_page => Some(Self::Templates),
            Some("notification_message_tokens") if is_page => Some(Self::Tokens),
            Some("message_campaign") if is_account => Some(Self::Campaigns),
            Some("messages") if is_account => Some(Self::Paid),
            None if is_page => Some(Self::Page),
            None => Some(Self::Person(node.to_owned())),
            Some(_) => None,
        }
    }

    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Attachments => "message_attachments",
            Self::Profile => "messenger_profile",
            Self::Subscriptions => "subscribed_apps",
            Self::Templates => "message_templates",
            Self::Tokens => "notification_message_tokens",
            Self::Campaigns => "message_campaign",
            Self::Paid => "marketing_messages",
            Self::Page => "page",
            Self::Person(_) => "person",
        }
    }
}

/// The person that a message is for.
pub(super) fn recipient(params: &Params) -> Option<String> {
    match params.object("recipient")?.ok()?.get("id")? {
        Value::String(psid) => Some(psid.clone()),
        Value::Number(psid) => Some(psid.to_string()),
        _ => None,
    }
}

impl Inner {
    pub(super) async fn call(
        &self,
        edge: &Edge,
        method: &Method,
        params: &Params,
        psid: &str,
    ) -> Reply {
        let result = match (edge, method) {
            (Edge::Messages, &Method::POST) => self.send(params, psid).await,
            (Edge::Attachments, &Method::POST) => self.keep_attachment(params).await,
            (Edge::Profile, &Method::POST) => self.set_profile(params),
            (Edge::Profile, &Method::GET) => Ok(self.tell_profile(params)),
            (Edge::Profile, &Method::DELETE) => self.delete_profile(params),
            (Edge::Subscriptions, &Method::POST) => Ok(self.subscribe(params)),
            (Edge::Subscriptions, &Method::GET) => Ok(self.tell_subscriptions()),
            (Edge::Templates, &Method::GET) => Ok(self.tell_templates()),
            (Edge::Tokens, &Method::GET) => Ok(self.tell_tokens(params)),
            (Edge::Campaigns, &Method::POST) => self.make_campaign(params),
            (Edge::Paid, &Method::POST) => self.send_paid(params),
            (Edge::Page, &Method::GET) => {
                Ok(succeed(&json!({ "id": self.rules.page_id, "name": "Sandbox" })))
            }
            (Edge::Person(psid), &Method::GET) => self.tell_person(psid),
            _ => Err(refuse(400, 100, None, "Unsupported method for this edge")),
        };
        result.unwrap_or_else(|refused| refused)
    }

    /// Judges in this order: what the request is (an action or a message, in which lane), what the
    /// message is, whether the page may send at all, the files that it brings, whether the person
    /// can be reached, and now, and the rate.
    async fn send(&self, params: &Params, psid: &str) -> Result<Reply, Reply> {
        let message = params.object("message").transpose().map_err(|()| malformed("message"))?;
        let action = params.text("sender_action");
        if message.is_some() && action.is_some() {
            let why = "Message and sender action cannot be sent together";
            return Err(refuse(400, 100, Some(2_018_014), why));
        }
        if psid.is_empty() {
            return Err(refuse(400, 100, None, "The parameter recipient is required"));
        }
        if let Some(action) = action {
            let is_known = matches!(action.as_str(), "mark_seen" | "typing_on" | "typing_off");
            if !is_known {
                return Err(malformed("sender_action"));
            }
            return self.act(psid);
        }
        let message = message.ok_or_else(|| malformed("message"))?;
        let window = lane(params)?;
        if window.is_none() {
            self.lock().check_template(&message)?;
        }
        let is_silent = match params.text("notification_type").as_deref() {
            None | Some("REGULAR") => false,
            Some("SILENT_PUSH" | "NO_PUSH") => true,
            Some(_) => return Err(malformed("notification_type")),
        };
        let file = params.1.get(FILE_PART);
        if window.is_some() {
            rules::check_message(&message, file.is_some())
                .map_err(|(subcode, why)| refuse(400, 100, subcode, &format!("(#100) {why}")))?;
        }
        self.lock().check_page()?;
        let media = self.look_at_media(&message, file).await?;

        let at = self.now();
        let mut guard = self.lock();
        let state = &mut *guard;
        let human = state.reach(psid)?;
        let is_open = |window| human.contact_at().is_some_and(|contact| at < contact + window);
        if window.is_some_and(|window| !is_open(window)) {
            let why = "(#10) This message is sent outside of allowed window.";
            return Err(refuse(403, 10, Some(2_018_278), why));
        }
        self.pass_rate(state)?;
        if let Some(title) = market::asks(&message) {
            state.note_ask(psid, title)?;
        }
        let mid = self.next_mid();
        let mut answer = json!({ "recipient_id": psid, "message_id": mid });
        if let Some(id) = self.keep_reusable(state, &message, &media) {
            answer["attachment_id"] = json!(id);
        }
        if let Some(human) = state.people.get_mut(psid) {
            human.receive(Received {
                message_id: mid.clone(),
                at,
                message: message.clone(),
                media: media.into_iter().map(|one| one.url).collect(),
                is_silent,
            });
        }
        drop(guard);

        self.ledger.accept(Accepted {
            method: "messages".into(),
            address: psid.to_owned(),
            message_id: mid.clone(),
            at,
            body: self.rules.keep_bodies.then(|| params.0.clone()),
        });
        self.echo(psid, &mid, &message, at);
        if self.rules.receipts {
            self.deliver_receipt(psid, &mid, at);
        }
        Ok(succeed(&answer).accepted())
    }

    fn act(&self, psid: &str) -> Result<Reply, Reply> {
        let state = self.lock();
        state.check_page()?;
        state.reach(psid)?;
        Ok(succeed(&json!({ "recipient_id": psid })))
    }

    fn pass_rate(&self, state: &mut State) -> Result<(), Reply> {
        let Some(limit) = self.rules.rate else { return Ok(()) };
        let now = Instant::now();
        if state.window.wait(limit, now).is_some() {
            let why = "(#613) Calls to this api have exceeded the rate limit.";
            return Err(refuse(400, 613, None, why));
        }
        state.window.note(now);
        Ok(())
    }

    /// Puts the usage headers on an answer.
    pub(super) fn with_usage(&self, reply: Reply) -> Reply {
        let state = self.lock();
        let told = match (state.usage, self.rules.rate) {
            (Some(told), _) => told,
            // What a page does in seconds is braked, but stands in no figure: those are of hours.
            (None, Some(limit)) if limit.window < FIGURES_FROM && reply.status == 200 => {
                return reply;
            }
            (None, Some(limit)) => {
                let percent = state.window.used_percent(limit);
                let regain_minutes = u64::from(percent >= 100);
                Usage { percent, app_percent: percent, regain_minutes }
            }
            (None, None) => return reply,
        };
        drop(state);
        let Usage { percent: used, app_percent, regain_minutes: minutes } = told;
        let usage = json!({ &self.rules.page_id: [{
            "type": "messenger",
            "call_count": used,
            "total_cputime": 0,
            "total_time": 0,
            "estimated_time_to_regain_access": minutes,
        }]});
        let app = json!({ "call_count": app_percent, "total_cputime": 0, "total_time": 0 });
        reply
            .with_header("x-business-use-case-usage", usage.to_string())
            .with_header("x-app-usage", app.to_string())
    }

    async fn keep_attachment(&self, params: &Params) -> Result<Reply, Reply> {
        let message = params.object("message").and_then(Result::ok);
        let message = message.ok_or_else(|| malformed("message"))?;
        let file = params.1.get(FILE_PART);
        rules::check_upload(&message, file.is_some())
            .map_err(|(subcode, why)| refuse(400, 100, subcode, &format!("(#100) {why}")))?;
        self.lock().check_page()?;
        let media = self.look_at_media(&message, file).await?;
        let mut guard = self.lock();
        let id = self.keep_reusable(&mut guard, &message, &media);
        let id = id.ok_or_else(|| malformed("is_reusable"))?;
        Ok(succeed(&json!({ "attachment_id": id })))
    }

    fn subscribe(&self, params: &Params) -> Reply {
        let fields = match params.object("subscribed_fields") {
            Some(Ok(Value::Array(fields))) => {
                fields.iter().filter_map(Value::as_str).map(str::to_owned).collect()
            }
            _ => params
                .text("subscribed_fields")
                .unwrap_or_default()
                .split(',')
                .filter(|field| !field.is_empty())
                .map(str::to_owned)
                .collect(),
        };
        self.lock().subscribed_fields = fields;
        succeed(&json!({ "success": true }))
    }

    fn tell_subscriptions(&self) -> Reply {
        let fields = self.lock().subscribed_fields.clone();
        let apps = if fields.is_empty() {
            vec![]
        } else {
            vec![json!({ "id": "1", "name": "Sandbox", "subscribed_fields": fields })]
        };
        succeed(&json!({ "data": apps }))
    }

    fn tell_person(&self, psid: &str) -> Result<Reply, Reply> {
        let state = self.lock();
        let Some(human) = state.people.get(psid) else {
            let why = "Unsupported get request. Object does not exist";
            return Err(refuse(400, 100, Some(33), why));
        };
        let person = json!({ "id": psid, "first_name": human.called(), "last_name": "Sandbox" });
        Ok(succeed(&person))
    }
}

impl State {
    pub(super) fn check_page(&self) -> Result<(), Reply> {
        let Some(trouble) = self.page_trouble else { return Ok(()) };
        let (status, code, subcode, why) = match trouble {
            PageTrouble::TokenExpired => {
                (400, 190, Some(463), "Error validating access token: Session has expired")
            }
            PageTrouble::PasswordChanged => {
                (400, 190, Some(460), "Error validating access token: The session is invalid")
            }
            PageTrouble::AppRemoved => {
                (400, 190, Some(458), "Error validating access token: app not authorized")
            }
            PageTrouble::Blocked => (
                400,
                368,
                Some(1_390_008),
                "(#368) The action attempted has been deemed abusive or is otherwise disallowed",
            ),
            PageTrouble::Restricted => {
                (403, 10, Some(1_893_063), "(#10) The Page is temporarily restricted from sending")
            }
            PageTrouble::NoPermission => {
                (403, 10, None, "(#10) This endpoint requires the 'pages_messaging' permission")
            }
        };
        Err(refuse(status, code, subcode, why))
    }

    fn reach(&self, psid: &str) -> Result<&Human, Reply> {
        let Some(human) = self.people.get(psid) else {
            return Err(refuse(400, 100, Some(2_018_001), "(#100) No matching user found"));
        };
        match human.standing {
            Standing::Reachable => Ok(human),
            Standing::Unavailable => {
                let why = "(#551) This person isn't available right now.";
                Err(refuse(400, 551, Some(1_545_041), why))
            }
        }
    }
}

/// How long after the last contact the message's lane is open; `None`: whenever it is.
fn lane(params: &Params) -> Result<Option<std::time::Duration>, Reply> {
    let tag = params.text("tag");
    match params.text("messaging_type").as_deref() {
        None | Some("RESPONSE" | "UPDATE") if tag.is_none() => Ok(Some(WINDOW)),
        Some("MESSAGE_TAG") | None => match tag.as_deref() {
            Some("HUMAN_AGENT") => Ok(Some(AGENT_WINDOW)),
            Some("NON_PROMOTIONAL_SUBSCRIPTION") => {
                let why = "(#10) This message is sent outside of allowed window. News Messaging \
                           is needed.";
                Err(refuse(403, 10, Some(2_018_065), why))
            }
            Some(_) => {
                let why = "(#100) The message tag is no longer allowed";
                Err(refuse(400, 100, None, why))
            }
            None => Err(malformed("tag")),
        },
        Some("UTILITY") if tag.is_none() => Ok(None),
        Some(_) => Err(malformed("messaging_type")),
    }
}

pub(super) fn malformed(name: &str) -> Reply {
    refuse(400, 100, None, &format!("(#100) Param {name} is missing or malformed"))
}
