//! What a link that starts a chat says: which topics are wanted.
//!
//! Links stand on walls and in posts of years ago, so what they say outlives topics and settings:
//! one topic is its name, several are their names with [`BETWEEN`] between them, and none stands for
//! all topics that there are. Names are in lower case, so nothing in them is taken for the word
//! between.

use crate::model::name::Name;

/// Most bytes of what a Telegram link says (Bot API, "Deep linking").
pub const TELEGRAM_BYTES_MAX: usize = 64;

/// Stands between two topics; Telegram leaves letters, digits, `_` and `-` to choose from.
pub const BETWEEN: &str = "AND";

/// What a link for these topics says; `None` where they are none, for all.
pub fn payload(topics: &[Name]) -> Option<String> {
    let names: Vec<&str> = topics.iter().map(Name::as_str).collect();
    (!names.is_empty()).then(|| names.join(BETWEEN))
}

/// What a button says that subscribes to a topic; the digit is the version of our payloads.
pub fn button(topic: &Name) -> String {
    format!("1:start:{topic}")
}

/// The topics that a link means, each once and in its order, as far as they are among `known`.
///
/// People type such words too: one name may be in capitals.
pub fn topics(payload: &str, known: &[Name]) -> Vec<Name> {
    let mut meant: Vec<Name> = Vec::new();
    for part in payload.split(BETWEEN) {
        let part = part.trim().to_lowercase();
        let topic = known.iter().find(|topic| topic.as_str() == part);
        if let Some(topic) = topic.filter(|topic| !meant.contains(topic)) {
            meant.push(topic.clone());
        }
    }
    meant
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<Name> {
        names.iter().map(|name| Name::parse(name).unwrap()).collect()
    }

    #[test]
    fn what_is_written_is_read_again() {
        let known = names(&["and", "band-and-brand", "news", "shop", "0-_"]);
        for topics in [&["news"] as &[&str], &["shop", "news"], &["and", "0-_", "band-and-brand"]] {
            let topics = names(topics);
            let payload = payload(&topics).unwrap();
            assert_eq!(super::topics(&payload, &known), topics, "{payload}");
            assert!(payload.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_' || c == b'-'));
        }
        assert_eq!(payload(&[]), None);
    }

    #[test]
    fn what_is_not_known_is_left_out_and_what_is_said_twice_counts_once() {
        let known = names(&["news", "shop"]);
        for (payload, expected) in [
            ("newsANDgone", &["news"] as &[&str]),
            ("newsANDnews", &["news"]),
            ("NEWS", &["news"]),
            ("ANDshopAND", &["shop"]),
            ("newsandshop", &[]),
            ("gone", &[]),
            ("", &[]),
        ] {
            assert_eq!(topics(payload, &known), names(expected), "{payload}");
        }
    }
}
