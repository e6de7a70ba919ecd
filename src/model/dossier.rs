//! What is known of somebody, as a document for people and programs.

use serde_json::{Map, Value, json};

use crate::model::lane::Optin;
use crate::model::name::Name;
use crate::model::proof::{Proof, hex};
use crate::model::recent::Lately;
use crate::model::subscriber::Subscriber;
use crate::model::time::Timestamp;
use crate::model::watch::Watch;

/// Fields of the record whose names end so are instants.
const INSTANTS: [&str; 2] = ["_at", "_until"];

/// The record as it is kept, every field of it, with instants that people can read.
pub fn record(channel: &Name, person: &Subscriber) -> Value {
    let mut shown = Map::new();
    shown.insert("channel".to_owned(), json!(channel));
    // A record of ours has a JSON form.
    if let Ok(Value::Object(fields)) = serde_json::to_value(person) {
        shown.extend(fields.into_iter().map(|(name, value)| {
            let is_instant = INSTANTS.iter().any(|end| name.ends_with(end));
            let value = match value.as_i64() {
                // Of chats that the settings named: never.
                Some(0) if is_instant => Value::Null,
                Some(at) if is_instant => json!(Timestamp::from_millis(at).to_string()),
                _ => value,
            };
            (name, value)
        }));
    }
    Value::Object(shown)
}

/// An entry of the ledger of consents with what proves it.
pub fn consent(proof: &Proof) -> Value {
    let Proof { number, entry, words, pseudonym } = proof;
    json!({
        "entry": number,
        "at": entry.at.to_string(),
        "given": entry.given,
        "way": entry.way,
        "words": words,
        "words_sha256": entry.wording.map(|hash| hex(&hash)),
        "who": hex(&entry.who),
        "salt": pseudonym.as_ref().map(|it| hex(&it.salt)),
        "sha256": hex(&entry.hash()),
        "before": hex(&entry.before),
    })
}

/// What is kept of somebody beside their record.
#[derive(Clone, Debug, Default)]
pub struct Found {
    pub proofs: Vec<Proof>,
    pub optin: Option<Optin>,
    pub watches: Vec<Watch>,
    /// What they did in the last two days.
    pub recent: Vec<Lately>,
}

/// All of it.
pub fn dossier(channel: &Name, person: &Subscriber, found: &Found) -> Value {
    let mut all = record(channel, person);
    all["consents"] = found.proofs.iter().map(consent).collect();
    // Ours have a JSON form.
    all["watches"] = found
        .watches
        .iter()
        .map(|watch| {
            json!({
                "product": watch.title,
                "source": watch.source,
                "wanted": watch.wanted,
                "since": watch.made_at.to_string(),
                "until": watch.expires_at.to_string(),
            })
        })
        .collect();
    let deed = |one: &Lately| json!({ "at": one.at.to_string(), "did": one.deed });
    all["lately"] = found.recent.iter().map(deed).collect();
    if let Some(optin) = &found.optin {
        let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
        all["marketing"] = json!({
            "agreed": optin.token.is_some(),
            "until": time(optin.expires_at),
            "asked": time(optin.asked_at),
        });
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::{Deed, Event};
    use crate::model::subscriber::Standing;

    fn person() -> Subscriber {
        Subscriber {
            number: 1,
            address: "7".into(),
            language: Some("ro".into()),
            first_name: None,
            timezone: None,
            name_asked_at: None,
            came_by: None,
            topics: vec![Name::parse("news").unwrap()],
            standing: Standing::Active,
            window_until: Some(Timestamp::from_millis(1_000)),
            joined_at: Timestamp::from_millis(2_000),
            changed_at: Timestamp::from_millis(0),
            choices: None,
            default_reply_at: None,
        }
    }

    #[test]
    fn a_record_shows_every_field_and_instants_as_such() {
        let person = person();
        let shown = record(&Name::parse("bot").unwrap(), &person);
        assert_eq!(shown["channel"], "bot");
        assert_eq!(shown["topics"], json!(["news"]));
        assert_eq!(shown["standing"], "active");
        assert_eq!(shown["window_until"], "1970-01-01T00:00:01Z");
        assert_eq!(shown["joined_at"], "1970-01-01T00:00:02Z");
        assert_eq!(shown["changed_at"], Value::Null);
    }

    #[test]
    fn what_was_done_lately_is_told_too() {
        let at = Timestamp::from_millis(1_000);
        let channel = Name::parse("bot").unwrap();
        let event = Event {
            channel: channel.clone(),
            id: "1".into(),
            at,
            address: "7".into(),
            language: None,
            first_name: None,
            deed: Deed::Said { text: "/search shoes".into() },
        };
        let found = Found { recent: vec![Lately::of(&event)], ..Found::default() };
        let all = dossier(&channel, &person(), &found);
        assert_eq!(all["lately"][0]["at"], "1970-01-01T00:00:01Z");
        assert!(all["lately"][0]["did"].to_string().contains("/search shoes"));
        assert_eq!(all["watches"], json!([]));
    }
}
