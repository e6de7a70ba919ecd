//! What the Send API's answers mean.
//!
//! Total and pure. Code and subcode decide; messages change and are only looked at where the codes
//! say too little. Source: Meta's common error codes and Messenger rate limits.
//!
//! Delivered is only what has a message id; refused is only an error with a definite code; what
//! the service itself calls temporary, and everything that is no answer of the Graph API, is
//! unknown.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::channel::loose::{self, Whole};
use crate::channel::wire::believed;
use crate::channel::{Meaning, Observed, Profile};
use crate::model::post::Reason;
use crate::model::subscriber::Standing;

/// What `observed` means for a call that sends.
pub fn meaning(observed: &Observed) -> Meaning {
    let (status, pause, body) = match observed {
        Observed::NotSent { why } => return Meaning::NotSent { why: why.clone() },
        Observed::Silence { why } => return Meaning::Unknown { why: why.clone() },
        Observed::Answered { status, retry_after, body } => (*status, *retry_after, body),
    };
    let after = pause.and_then(believed);
    let unknown = |what: &str| Meaning::Unknown { why: format!("status {status}, {what}") };
    if status >= 500 {
        return unknown("the service failed");
    }
    match serde_json::from_slice::<Answer>(body) {
        Ok(Answer { error: Some(error), .. }) => error.meaning(status, after),
        Ok(Answer { message_id: Some(id), .. })
            if !id.is_empty() && (200..300).contains(&status) =>
        {
            Meaning::Delivered { id }
        }
        _ if status == 429 => Meaning::Later { after },
        Ok(_) => unknown("neither an error nor a message id"),
        Err(_) => unknown("no answer of the Graph API"),
    }
}

/// Why a call that sends nothing failed, in words for people; `None` when it did not.
pub(crate) fn failure(observed: &Observed) -> Option<String> {
    match observed {
        Observed::NotSent { why } | Observed::Silence { why } => Some(why.clone()),
        Observed::Answered { status, body, .. } => match serde_json::from_slice::<Answer>(body) {
            Ok(Answer { error: None, .. }) if (200..300).contains(status) => None,
            Ok(Answer { error: Some(error), .. }) => Some(error.words()),
            _ => Some(format!("status {status}, no answer of the Graph API")),
        },
    }
}

/// What a person's profile tells; the service may tell nothing of anybody.
///
/// Only a missing permission is about the whole page. What else is refused is about one person, and
/// they have no name then: their refusal must not cost others theirs.
///
/// Source: Messenger Platform, "User Profile API": a person who joined by telephone number has no
/// profile (2018218), and a page needs leave to read those of the public (2018247).
pub(crate) fn profile(observed: &Observed) -> Profile {
    let Observed::Answered { status, body, .. } = observed else { return Profile::Failed };
    match serde_json::from_slice::<Value>(body) {
        Ok(answer) if answer["error"].is_object() => {
            let error = &answer["error"];
            let number = |field: &str| Whole::of(&error[field]).0;
            let is_later = *status >= 500 || *status == 429 || error["is_transient"] == true;
            match (number("code"), number("error_subcode")) {
                (Some(2018218), _) | (_, Some(2018218)) => Profile::Told { first_name: None },
                (Some(2018247), _) | (_, Some(2018247)) => Profile::Withheld,
                _ if is_later => Profile::Failed,
                (code, _) if is_busy(code) || is_token(code) => Profile::Failed,
                (Some(3 | 10 | 200..=299), _) => Profile::Withheld,
                (Some(_), _) => Profile::Told { first_name: None },
                (None, _) => Profile::Failed,
            }
        }
        Ok(answer) if (200..300).contains(status) && answer.is_object() => {
            Profile::Told { first_name: loose::first_name(&answer["first_name"]) }
        }
        _ => Profile::Failed,
    }
}

/// The service is unwell, or was asked too often.
fn is_busy(code: Option<i64>) -> bool {
    matches!(code, Some(1 | 2 | 4 | 17 | 32 | 613 | 80000..=80009))
}

/// The token or the page itself is refused, until somebody puts it right.
fn is_token(code: Option<i64>) -> bool {
    matches!(code, Some(102 | 190 | 368))
}

/// Every answer: of a send that was accepted, or of anything that was not.
#[derive(Deserialize)]
struct Answer {
    message_id: Option<String>,
    error: Option<GraphError>,
}

#[derive(Deserialize)]
struct GraphError {
    message: Option<String>,
    #[serde(default)]
    code: Whole,
    #[serde(default)]
    error_subcode: Whole,
    is_transient: Option<bool>,
}

impl GraphError {
    /// In the order of the match: exact pairs of code and subcode, subcodes that mean the same
    /// under every code, codes alone.
    fn meaning(&self, status: u16, after: Option<Duration>) -> Meaning {
        let why = self.words();
        let Some(code) = self.code.0 else {
            return match status {
                429 => Meaning::Later { after },
                _ => Meaning::Unknown { why },
            };
        };
        match (code, self.error_subcode.0.unwrap_or(0)) {
            (10, 2018278 | 2018065 | 2534022) => Meaning::WindowClosed { why },
            (10, 2018108) => Meaning::Unreachable { why },
            (10, 1893015) => {
                let (standing, reason) = (Standing::Stopped, Reason::Unsubscribed);
                Meaning::Gone { standing, reason, why }
            }
            (100, 33) => Meaning::CredentialsRefused { why },
            // Tags and opt-in requests that came too often for one person; not the whole page.
            (4, 2018354) => Meaning::Unreachable { why },
            (613, 2018338 | 1893016) | (9, 2018352) => {
                Meaning::Refused { reason: Reason::Refused, why }
            }
            // Blocked us, deactivated or left Messenger: the service does not say which.
            (_, 1545041) | (551, _) => Meaning::Unreachable { why },
            // The thread is another app's, or in an automated flow.
            (_, 2018300 | 2018321) | (2018300 | 2018321, _) => Meaning::Unreachable { why },
            (_, 2018001) => gone(why),
            (100, 0) if self.says("no matching user") => gone(why),
            // The service could not fetch, read or find a file.
            (100, 2018008 | 2018047 | 2018074 | 2018109 | 2018294) => {
                Meaning::MediaRefused { which: None, why }
            }
            (_, 2018034) | (2018034, _) | (100, _) => Meaning::ContentRefused { why },
            (1 | 2, _) => Meaning::Unknown { why },
            (4 | 17 | 32 | 613 | 80000..=80009, _) => Meaning::Later { after },
            // Blocked for its conduct.
            (10, 1893063) | (368, _) => Meaning::Blocked { why },
            // Permissions, restrictions of the page, and the token.
            (3 | 10 | 102 | 190 | 200..=299, _) => Meaning::CredentialsRefused { why },
            _ if status == 429 => Meaning::Later { after },
            _ if self.is_transient == Some(true) => Meaning::Unknown { why },
            _ if status < 400 => Meaning::Unknown { why },
            _ => Meaning::Refused { reason: Reason::Refused, why },
        }
    }

    fn says(&self, words: &str) -> bool {
        self.message.as_ref().is_some_and(|message| message.to_lowercase().contains(words))
    }

    /// `190/463: Error validating access token`
    fn words(&self) -> String {
        let message = self.message.as_deref().unwrap_or("no message");
        let line = match (self.code.0, self.error_subcode.0) {
            (Some(code), Some(subcode)) => format!("{code}/{subcode}: {message}"),
            (Some(code), None) => format!("{code}: {message}"),
            (None, _) => message.to_owned(),
        };
        loose::words(&line)
    }
}

fn gone(why: String) -> Meaning {
    Meaning::Gone { standing: Standing::Gone, reason: Reason::NotFound, why }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, body: &str) -> Observed {
        Observed::Answered { status, retry_after: None, body: body.as_bytes().to_vec() }
    }

    fn refused(status: u16, code: i64, subcode: Option<i64>, message: &str) -> Meaning {
        let mut error = serde_json::json!({
            "message": message, "type": "OAuthException", "code": code, "fbtrace_id": "A1",
        });
        if let Some(subcode) = subcode {
            error["error_subcode"] = subcode.into();
        }
        meaning(&answered(status, &serde_json::json!({ "error": error }).to_string()))
    }

    /// A word for a meaning, to keep the tables short.
    fn word(meaning: &Meaning) -> String {
        match meaning {
            Meaning::Delivered { id } => format!("delivered {id}"),
            Meaning::Later { after: None } => "later".to_owned(),
            Meaning::Later { after: Some(after) } => format!("later {}", after.as_secs()),
            Meaning::NotSent { .. } => "not sent".to_owned(),
            Meaning::Gone { standing, reason, .. } => format!("{standing:?} {reason:?}"),
            Meaning::Unreachable { .. } => "unreachable".to_owned(),
            Meaning::Moved { to } => format!("moved {to}"),
            Meaning::WindowClosed { .. } => "window".to_owned(),
            Meaning::ContentRefused { .. } => "content".to_owned(),
            Meaning::MediaRefused { .. } => "media".to_owned(),
            Meaning::CredentialsRefused { .. } => "credentials".to_owned(),
            Meaning::Blocked { .. } => "blocked".to_owned(),
            Meaning::Refused { reason, .. } => format!("refused {reason:?}"),
            Meaning::Unknown { .. } => "unknown".to_owned(),
        }
    }

    #[test]
    fn sec_d04_every_observation_has_one_verdict() {
        let why = || "x".to_owned();
        assert_eq!(word(&meaning(&Observed::NotSent { why: why() })), "not sent");
        assert_eq!(word(&meaning(&Observed::Silence { why: why() })), "unknown");
        let cases = [
            (200, r#"{"recipient_id":"7","message_id":"m_1"}"#, "delivered m_1"),
            (200, r#"{"message_id":"m_1"}"#, "delivered m_1"),
            (
                200,
                r#"{"recipient_id":"7","message_id":"m_1","attachment_id":"9"}"#,
                "delivered m_1",
            ),
            (200, r#"{"recipient_id":"7"}"#, "unknown"),
            (200, r#"{"recipient_id":"7","message_id":""}"#, "unknown"),
            (200, r#"{"recipient_id":"7","message_id":5}"#, "unknown"),
            (200, r#"{"message_id":"m_1","message_id":"m_2"}"#, "unknown"),
            (200, r#"{"message_id":"m_1""#, "unknown"),
            (200, "{}", "unknown"),
            (200, "[]", "unknown"),
            (200, "", "unknown"),
            (200, "<html>Sign in</html>", "unknown"),
            (302, r#"{"message_id":"m_1"}"#, "unknown"),
            (400, r#"{"message_id":"m_1"}"#, "unknown"),
            (403, "<html>", "unknown"),
            (500, r#"{"message_id":"m_1"}"#, "unknown"),
            (502, "<html>", "unknown"),
            (503, "", "unknown"),
            (500, r#"{"error":{"code":190,"message":"x"}}"#, "unknown"),
            (429, "<html>", "later"),
            (429, "{}", "later"),
            (429, r#"{"error":{"message":"x"}}"#, "later"),
            (400, r#"{"error":{"message":"x"}}"#, "unknown"),
            (400, r#"{"error":"x"}"#, "unknown"),
            (400, r#"{"error":{"code":"190","message":"x"}}"#, "credentials"),
            // An error is one, whatever the status says.
            (200, r#"{"error":{"code":190,"message":"x"}}"#, "credentials"),
            (200, r#"{"error":{"code":77777,"message":"x"}}"#, "unknown"),
            (200, r#"{"message_id":"m_1","error":{"code":77777,"message":"x"}}"#, "unknown"),
            (400, r#"{"error":{"code":77777,"message":"x"}}"#, "refused Refused"),
            (400, r#"{"error":{"code":77777,"message":"x","is_transient":true}}"#, "unknown"),
        ];
        for (status, body, expected) in cases {
            assert_eq!(word(&meaning(&answered(status, body))), expected, "{status} {body}");
        }
    }

    #[test]
    fn sec_d12_every_documented_error_has_its_meaning() {
        let cases = [
            (10, Some(2018278), "window"),
            (10, Some(2018065), "window"),
            (10, Some(2534022), "window"),
            (10, Some(2018108), "unreachable"),
            (10, Some(1893063), "blocked"),
            (10, Some(1404170), "credentials"),
            (10, Some(1893015), "Stopped Unsubscribed"),
            (10, None, "credentials"),
            (100, Some(2018001), "Gone NotFound"),
            (100, Some(33), "credentials"),
            (100, Some(2018008), "media"),
            (100, Some(2018047), "media"),
            (100, Some(2018294), "media"),
            (100, Some(2018109), "media"),
            (100, Some(2018074), "media"),
            (100, Some(2018014), "content"),
            (100, Some(2018034), "content"),
            (100, None, "content"),
            (200, Some(1545041), "unreachable"),
            (551, Some(1545041), "unreachable"),
            (551, None, "unreachable"),
            (200, Some(2018028), "credentials"),
            (200, None, "credentials"),
            (2, None, "unknown"),
            (1, None, "unknown"),
            (4, None, "later"),
            (17, None, "later"),
            (32, None, "later"),
            (613, None, "later"),
            (80001, None, "later"),
            (80006, None, "later"),
            (613, Some(2018338), "refused Refused"),
            (613, Some(1893016), "refused Refused"),
            (9, Some(2018352), "refused Refused"),
            (4, Some(2018354), "unreachable"),
            (190, Some(458), "credentials"),
            (190, Some(459), "credentials"),
            (190, Some(460), "credentials"),
            (190, Some(463), "credentials"),
            (190, Some(467), "credentials"),
            (190, Some(492), "credentials"),
            (190, None, "credentials"),
            (368, Some(1390008), "blocked"),
            (368, None, "blocked"),
            (10, Some(2018300), "unreachable"),
            (100, Some(2018321), "unreachable"),
            (10303, None, "refused Refused"),
        ];
        for (code, subcode, expected) in cases {
            let meaning = refused(400, code, subcode, "words");
            assert_eq!(word(&meaning), expected, "{code} {subcode:?}");
        }
        let unmatched = refused(400, 100, None, "(#100) No matching user found");
        assert_eq!(word(&unmatched), "Gone NotFound");
    }

    #[test]
    fn sec_d08_a_throttling_waits_as_long_as_was_told() {
        let body = br#"{"error":{"code":613,"message":"Calls to this api have exceeded"}}"#;
        for (told, expected) in [
            (None, "later"),
            (Some(60), "later 60"),
            (Some(0), "later"),
            (Some(86400), "later 3600"),
        ] {
            let retry_after = told.map(Duration::from_secs);
            let observed = Observed::Answered { status: 400, retry_after, body: body.to_vec() };
            assert_eq!(word(&meaning(&observed)), expected);
        }
    }

    #[test]
    fn an_error_is_told_with_its_codes_on_one_short_line() {
        let meaning = refused(400, 190, Some(463), "Error\nvalidating  access token");
        let Meaning::CredentialsRefused { why } = meaning else { panic!("{meaning:?}") };
        assert_eq!(why, "190/463: Error validating access token");
    }

    #[test]
    fn a_profile_is_told_or_withheld() {
        let told = |name: Option<&str>| Profile::Told { first_name: name.map(str::to_owned) };
        let cases = [
            (200, r#"{"first_name":" Ana ","id":"7"}"#, told(Some("Ana"))),
            (200, r#"{"id":"7"}"#, told(None)),
            (200, "[]", Profile::Failed),
            (400, r#"{"error":{"code":2018218,"message":"x"}}"#, told(None)),
            (400, r#"{"error":{"code":100,"error_subcode":2018218}}"#, told(None)),
            (400, r#"{"error":{"code":10,"error_subcode":2018247}}"#, Profile::Withheld),
            (400, r#"{"error":{"code":10}}"#, Profile::Withheld),
            (403, r#"{"error":{"code":200}}"#, Profile::Withheld),
            (400, r#"{"error":{"code":100,"error_subcode":33}}"#, told(None)),
            (400, r#"{"error":{"code":"100"}}"#, told(None)),
            (400, r#"{"error":{"code":551}}"#, told(None)),
            (400, r#"{"error":{"code":190,"error_subcode":463}}"#, Profile::Failed),
            (400, r#"{"error":{"code":100,"is_transient":true}}"#, Profile::Failed),
            (400, r#"{"error":{}}"#, Profile::Failed),
            (400, r#"{"error":{"code":613}}"#, Profile::Failed),
            (500, r#"{"error":{"code":100}}"#, Profile::Failed),
            (502, "<html>", Profile::Failed),
        ];
        for (status, body, expected) in cases {
            assert_eq!(profile(&answered(status, body)), expected, "{status} {body}");
        }
        assert_eq!(profile(&Observed::Silence { why: "x".into() }), Profile::Failed);
    }

    #[test]
    fn calls_without_a_message_fail_in_words() {
        assert_eq!(failure(&answered(200, r#"{"success":true}"#)), None);
        assert_eq!(
            failure(&answered(400, r#"{"error":{"code":190,"message":"bad"}}"#)),
            Some("190: bad".to_owned())
        );
        assert_eq!(
            failure(&answered(502, "<html>")),
            Some("status 502, no answer of the Graph API".to_owned())
        );
        assert_eq!(failure(&Observed::NotSent { why: "x".into() }), Some("x".to_owned()));
    }
}
