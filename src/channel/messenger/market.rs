//! Paid marketing messages and utility templates: their calls, and what comes back.
//!
//! Source: Marketing Message API for Messenger ("Send", "Error codes", "Subscription tokens"),
//! Messenger Platform, "Utility messages". Nothing here tries anything twice.

use std::time::Duration;

use serde_json::{Value, json};

use crate::channel::loose::{self, Whole};
use crate::channel::messenger::errors;
use crate::channel::messenger::lower::template::carousel;
use crate::channel::{Call, Meaning, Observed};
use crate::model::lane::{TOKEN_BYTES_MAX, Template};
use crate::model::message::Card;
use crate::model::time::Timestamp;

/// How the `rest` of a template's call begins.
pub(crate) const UTILITY_HEAD: &str = r#""messaging_type":"UTILITY","message":{"#;

/// A new campaign warms up for so long before anything can be sent.
pub const WARM_UP: Duration = Duration::from_secs(3_600);

/// Subscription tokens that one page of their list has.
pub const TOKENS_PAGE: usize = 500;

/// A person who may not be written to now is left alone for so long.
const REST: Duration = Duration::from_secs(24 * 3_600);

/// Between two messages to one token.
const GAP: Duration = Duration::from_secs(12 * 3_600);

/// Longest pause that is believed.
const PAUSE_MAX: Duration = Duration::from_secs(6 * 3_600);

/// Longest title of an opt-in request, in UTF-16 units.
pub const ASK_TITLE_UNITS_MAX: usize = 65;

/// What an answer says of a message that went beyond the window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Taken: the service tells later what became of it.
    Accepted { id: String },
    /// The token is of no use any more.
    Closed { why: String },
    /// Nothing more goes to this person for so long.
    Rests { after: Duration, why: String },
    /// Nothing more goes this way for so long; the message itself may go later.
    Busy { after: Duration, why: String },
    /// Nothing goes this way until somebody has looked at it.
    Shut { why: String },
    /// What it would mean for any other message.
    Usual(Meaning),
}

impl Verdict {
    /// What it says of the service as a whole.
    pub fn meaning(&self) -> Meaning {
        match self {
            Self::Accepted { id } => Meaning::Delivered { id: id.clone() },
            Self::Closed { why }
            | Self::Rests { why, .. }
            | Self::Busy { why, .. }
            | Self::Shut { why } => Meaning::Unreachable { why: why.clone() },
            Self::Usual(meaning) => meaning.clone(),
        }
    }
}

/// A utility template as a call.
pub(crate) fn utility(template: &Template) -> Call {
    let is_numbered =
        template.body.iter().all(|(name, _)| name.bytes().all(|c| c.is_ascii_digit()));
    let places = template.body.iter().map(|(name, text)| match is_numbered {
        true => json!({ "type": "text", "text": text }),
        false => json!({ "type": "text", "parameter_name": name, "text": text }),
    });
    let mut components = Vec::new();
    if !template.body.is_empty() {
        let places: Vec<Value> = places.collect();
        components.push(json!({ "type": "body", "parameters": places }));
    }
    if !template.buttons.is_empty() {
        let ends = template.buttons.iter().map(|end| json!({ "type": "URL", "url": end }));
        let ends: Vec<Value> = ends.collect();
        components.push(json!({ "type": "buttons", "parameters": ends }));
    }
    let message = json!({ "template": {
        "name": template.name,
        "language": { "code": template.language },
        "components": components,
    }});
    call(UTILITY_HEAD, &message)
}

/// A marketing message as a call: the cards side by side. `None` without cards.
pub(crate) fn paid(cards: &[Card]) -> Option<Call> {
    let message = carousel(cards).into_iter().next()?;
    Some(call(r#""message":{"#, &message))
}

/// The request for an opt-in, as a call.
pub(crate) fn ask(title: &str) -> Call {
    let message = json!({ "attachment": { "type": "template", "payload": {
        "template_type": "notification_messages",
        "title": crate::channel::cut::shorten(title, ASK_TITLE_UNITS_MAX),
        "payload": "1:optin",
    }}});
    call(crate::channel::messenger::lower::MESSAGE_HEAD, &message)
}

fn call(head: &str, message: &Value) -> Call {
    let fields = message.to_string().split_off(1);
    let rest = format!("{head}{fields}}}");
    Call { method: "messages", rest, is_acknowledgement: false, covers: 0 }
}

/// The body of a marketing message to a token.
pub(crate) fn body(call: &Call, campaign: &str, token: &str) -> String {
    let head = json!({
        "message_id": campaign,
        "messenger_delivery_data": { "subscription_token": token },
    });
    let head = head.to_string();
    format!("{},{}", head.trim_end_matches('}').to_owned() + "}", call.rest)
}

/// What `observed` says of a utility template.
///
/// A missing permission or a template that is not (any more) approved is about the lane, not about
/// the page: everything else goes on.
pub fn utility_verdict(observed: &Observed) -> Verdict {
    let usual = errors::meaning(observed);
    if let Meaning::Delivered { id } = &usual {
        return Verdict::Accepted { id: id.clone() };
    }
    match codes(observed) {
        Some((10 | 100 | 200, None, _)) if !matches!(usual, Meaning::Gone { .. }) => {
            Verdict::Shut { why: errors::failure(observed).unwrap_or_default() }
        }
        _ => Verdict::Usual(usual),
    }
}

/// What `observed` says of a marketing message.
pub fn paid_verdict(observed: &Observed) -> Verdict {
    if let Observed::Answered { status: 200..=299, body, .. } = observed
        && let Ok(answer) = serde_json::from_slice::<Value>(body)
        && answer["success"] == true
        && answer.get("error").is_none()
    {
        let id = answer["marketing_message_tracking_id"].as_str().unwrap_or("accepted");
        return Verdict::Accepted { id: id.to_owned() };
    }
    let usual = || Verdict::Usual(errors::meaning(observed));
    let Some((code, subcode, told)) = codes(observed) else { return usual() };
    let is_ours = |code: &i64| (2_300_000..2_400_000).contains(code) || *code == 1_893_047;
    let Some(code) = [Some(code), subcode].into_iter().flatten().find(is_ours) else {
        return usual();
    };
    let why = errors::failure(observed).unwrap_or_default();
    let minutes = |count: u64| {
        let after = told.unwrap_or(Duration::from_secs(60 * count)).min(PAUSE_MAX);
        Verdict::Busy { after, why: why.clone() }
    };
    match code - 2_300_000 {
        4 | 5 | 32 | 34 | 37 => Verdict::Closed { why },
        35 => Verdict::Rests { after: GAP, why },
        36 | 42..=44 | 52 => Verdict::Rests { after: REST, why },
        // The campaign is not warm yet, or starts later.
        3 | 12 | 28 | 33 | 41 => minutes(60),
        55 | 61 | 62 => minutes(30),
        57 | 60 | 63 | 68 => minutes(60),
        78..=80 => minutes(5),
        10 | 18 | 21..=27 | 38 | 46..=48 | 64 | 71..=77 => {
            Verdict::Usual(Meaning::ContentRefused { why })
        }
        // The recipient is not available.
        _ if code == 1_893_047 => Verdict::Rests { after: REST, why },
        // Money, the account, the campaign, and whatever is not known.
        _ => Verdict::Shut { why },
    }
}

/// Code, subcode and the seconds to wait of a refusal.
fn codes(observed: &Observed) -> Option<(i64, Option<i64>, Option<Duration>)> {
    let Observed::Answered { body, .. } = observed else { return None };
    let answer: Value = serde_json::from_slice(body).ok()?;
    let error = &answer["error"];
    let seconds = Whole::of(&error["error_data"]["remaining_seconds"]).0;
    let told = seconds.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs);
    Some((Whole::of(&error["code"]).0?, Whole::of(&error["error_subcode"]).0, told))
}

/// One subscription token, as the list of a page tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subscription {
    /// The page-scoped id; who was uploaded by a list of addresses has none and is left out.
    pub address: String,
    pub token: String,
    pub expires_at: Option<Timestamp>,
    pub next_at: Option<Timestamp>,
}

/// One page of a list, and where the next one begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page<T> {
    pub rows: Vec<T>,
    pub after: Option<String>,
}

/// Reads a page of subscription tokens.
pub(crate) fn subscriptions(body: &Value) -> Page<Subscription> {
    let row = |row: &Value| {
        let token = row["notification_messages_token"].as_str()?;
        let is_fit = !token.is_empty() && token.len() <= TOKEN_BYTES_MAX;
        Some(Subscription {
            address: loose_text(&row["recipient_id"])?,
            token: is_fit.then(|| token.to_owned())?,
            expires_at: instant(&row["token_expiry_timestamp"]),
            next_at: instant(&row["next_eligible_time"]),
        })
    };
    Page { rows: list(body).iter().filter_map(row).collect(), after: cursor(body) }
}

/// Reads a page of templates: name and language of those that are approved.
pub(crate) fn approved(body: &Value) -> Page<(String, String)> {
    let row = |row: &Value| {
        let is_approved = row["status"] == "APPROVED" && row["category"] != "MARKETING";
        let name = row["name"].as_str().filter(|_| is_approved)?;
        Some((name.to_owned(), row["language"].as_str()?.to_owned()))
    };
    Page { rows: list(body).iter().filter_map(row).collect(), after: cursor(body) }
}

fn list(body: &Value) -> &[Value] {
    body["data"].as_array().map_or(&[], Vec::as_slice)
}

/// Where the next page begins, if there is one.
fn cursor(body: &Value) -> Option<String> {
    let paging = &body["paging"];
    paging.get("next")?;
    let after = paging["cursors"]["after"].as_str()?;
    (!after.is_empty() && after.len() <= 4_096).then(|| after.to_owned())
}

fn loose_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => (!text.is_empty()).then(|| loose::first_chars(text, 64)),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Seconds or milliseconds since 1970: what is too small for the one is the other.
pub(crate) fn instant(value: &Value) -> Option<Timestamp> {
    let number = Whole::of(value).0.filter(|number| *number > 0)?;
    let millis = if number < 100_000_000_000 { number.saturating_mul(1_000) } else { number };
    Some(Timestamp::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: i64, subcode: Option<i64>, seconds: Option<u64>) -> Observed {
        let mut error = json!({ "message": "x", "code": code });
        if let Some(subcode) = subcode {
            error["error_subcode"] = json!(subcode);
        }
        if let Some(seconds) = seconds {
            error["error_data"] = json!({ "remaining_seconds": seconds });
        }
        let body = json!({ "error": error }).to_string().into_bytes();
        Observed::Answered { status: 400, retry_after: None, body }
    }

    fn word(verdict: &Verdict) -> String {
        match verdict {
            Verdict::Accepted { .. } => "accepted".to_owned(),
            Verdict::Closed { .. } => "closed".to_owned(),
            Verdict::Rests { after, .. } => format!("rests {}h", after.as_secs() / 3_600),
            Verdict::Busy { after, .. } => format!("busy {}s", after.as_secs()),
            Verdict::Shut { .. } => "shut".to_owned(),
            Verdict::Usual(Meaning::ContentRefused { .. }) => "content".to_owned(),
            Verdict::Usual(Meaning::CredentialsRefused { .. }) => "credentials".to_owned(),
            Verdict::Usual(Meaning::Blocked { .. }) => "blocked".to_owned(),
            Verdict::Usual(Meaning::Unknown { .. }) => "unknown".to_owned(),
            Verdict::Usual(_) => "usual".to_owned(),
        }
    }

    #[test]
    fn every_documented_error_of_marketing_messages_has_its_verdict() {
        for (codes, expected) in [
            (&[2_300_034, 2_300_037, 2_300_004, 2_300_005, 2_300_032][..], "closed"),
            (&[2_300_035], "rests 12h"),
            (&[2_300_042, 2_300_043, 2_300_044, 2_300_036, 2_300_052, 1_893_047], "rests 24h"),
            (&[2_300_003, 2_300_012, 2_300_041, 2_300_028], "busy 3600s"),
            (&[2_300_055, 2_300_061, 2_300_062], "busy 1800s"),
            (&[2_300_078, 2_300_080], "busy 300s"),
            (&[2_300_010, 2_300_021, 2_300_027, 2_300_048, 2_300_073], "content"),
            (&[2_300_011, 2_300_015, 2_300_053, 2_300_054, 2_300_017, 2_300_058], "shut"),
            (&[2_300_000, 2_300_006, 2_300_020, 2_300_013, 2_300_014, 2_300_039], "shut"),
            // One that nobody has heard of.
            (&[2_300_099], "shut"),
            (&[190], "credentials"),
        ] {
            for code in codes {
                assert_eq!(word(&paid_verdict(&refused(*code, None, None))), expected, "{code}");
                let below = paid_verdict(&refused(100, Some(*code), None));
                if *code != 190 {
                    assert_eq!(word(&below), expected, "100/{code}");
                }
            }
        }
        assert_eq!(word(&paid_verdict(&refused(2_300_055, None, Some(90)))), "busy 90s");
        let absurd = paid_verdict(&refused(2_300_055, None, Some(1 << 40)));
        assert_eq!(word(&absurd), format!("busy {}s", PAUSE_MAX.as_secs()));
        assert_eq!(word(&paid_verdict(&Observed::Silence { why: "x".into() })), "unknown");
        let body = br#"{"success":true,"marketing_message_tracking_id":"u"}"#.to_vec();
        let taken = Observed::Answered { status: 200, retry_after: None, body };
        assert_eq!(paid_verdict(&taken), Verdict::Accepted { id: "u".into() });
    }

    #[test]
    fn a_template_that_is_refused_shuts_its_lane_and_not_the_page() {
        for (code, subcode, expected) in [
            (10, None, "shut"),
            (200, None, "shut"),
            (100, None, "shut"),
            (190, Some(463), "credentials"),
            (10, Some(1_893_063), "blocked"),
            (100, Some(2_018_001), "usual"),
            (551, None, "usual"),
        ] {
            let verdict = utility_verdict(&refused(code, subcode, None));
            assert_eq!(word(&verdict), expected, "{code} {subcode:?}");
        }
    }

    #[test]
    fn calls_have_the_documented_form() {
        let template = |body: &[(&str, &str)]| Template {
            name: "visit".into(),
            language: "en".into(),
            body: body.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(),
            buttons: vec!["1234".into()],
        };
        let named = utility(&template(&[("order_id", "123")])).body();
        assert_eq!(
            named,
            json!({ "messaging_type": "UTILITY", "message": { "template": {
                "name": "visit", "language": { "code": "en" }, "components": [
                    { "type": "body", "parameters": [
                        { "type": "text", "parameter_name": "order_id", "text": "123" }] },
                    { "type": "buttons", "parameters": [{ "type": "URL", "url": "1234" }] },
                ]
            }}})
        );
        let counted = utility(&template(&[("1", "a"), ("2", "b")])).body();
        let places = &counted["message"]["template"]["components"][0]["parameters"];
        assert_eq!(
            *places,
            json!([{ "type": "text", "text": "a" }, { "type": "text", "text": "b" }])
        );

        let card = Card {
            title: "t".into(),
            subtitle: "s".into(),
            image: None,
            link: None,
            buttons: vec![],
        };
        let call = paid(&[card]).unwrap();
        let body: Value = serde_json::from_str(&body(&call, "77", "tok\"}")).unwrap();
        assert_eq!(body["message_id"], "77");
        assert_eq!(body["messenger_delivery_data"]["subscription_token"], "tok\"}");
        assert_eq!(body["message"]["attachment"]["payload"]["elements"][0]["title"], "t");
        assert!(paid(&[]).is_none());
    }

    #[test]
    fn lists_are_read_row_by_row() {
        let body = json!({ "data": [
            { "notification_messages_token": "a", "recipient_id": "7",
              "token_expiry_timestamp": 1_900_000_000, "next_eligible_time": 1_900_000_000_000i64 },
            { "notification_messages_token": "b" }, { "recipient_id": "8" }, 5, null,
            { "notification_messages_token": "c", "recipient_id": 9 },
        ], "paging": { "cursors": { "after": "x" }, "next": "https://…" } });
        let page = subscriptions(&body);
        let at = Some(Timestamp::from_millis(1_900_000_000_000));
        assert_eq!(page.after.as_deref(), Some("x"));
        assert_eq!(page.rows.len(), 2);
        assert_eq!((page.rows[0].expires_at, page.rows[0].next_at), (at, at));
        assert_eq!((page.rows[1].address.as_str(), page.rows[1].next_at), ("9", None));
        assert_eq!(subscriptions(&json!({ "data": {} })), Page::default());

        let body = json!({ "data": [
            { "name": "a", "language": "en", "status": "APPROVED", "category": "UTILITY" },
            { "name": "b", "language": "en", "status": "REJECTED" },
            { "name": "c", "language": "en", "status": "APPROVED", "category": "MARKETING" },
        ]});
        assert_eq!(approved(&body).rows, [("a".to_owned(), "en".to_owned())]);
    }
}
