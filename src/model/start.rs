//! What a link that starts a chat says: which topics are wanted, and where it stands.
//!
//! Links stand on walls and in posts of years ago, so what they say outlives topics and settings:
//! one topic is its name, several are their names with [`BETWEEN`] between them, and none stands for
//! all topics that there are. Behind them, after [`FROM`], may stand where the link does. Names are
//! in lower case, so nothing in them is taken for the words between.

use crate::model::name::Name;
use crate::model::origin::Origin;

/// Most bytes of what a Telegram link says (Bot API, "Deep linking").
pub const TELEGRAM_BYTES_MAX: usize = 64;

/// Stands between two topics; Telegram leaves letters, digits, `_` and `-` to choose from.
pub const BETWEEN: &str = "AND";

/// Stands before where the link does.
pub const FROM: &str = "FROM";

/// What a link means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Start {
    /// Each once, in the order of the link; none stands for all.
    pub topics: Vec<Name>,
    pub origin: Option<Origin>,
}

/// What a button says that subscribes to a topic; the digit is the version of our payloads.
pub fn button(topic: &Name) -> String {
    format!("1:start:{topic}")
}

/// What a link for these topics says; `None` where it says nothing, for all topics.
pub fn payload(topics: &[Name], origin: Option<&Origin>) -> Option<String> {
    let names: Vec<&str> = topics.iter().map(Name::as_str).collect();
    let origin = origin.map(|origin| format!("{FROM}{}", origin.to_link()));
    let said = format!("{}{}", names.join(BETWEEN), origin.unwrap_or_default());
    (!said.is_empty()).then_some(said)
}

/// Reads what a link says; topics count as far as they are among `known`.
///
/// People type such words too: one name may be in capitals.
pub fn read(payload: &str, known: &[Name]) -> Start {
    let topic = |part: &str| {
        let part = part.trim().to_lowercase();
        known.iter().find(|topic| topic.as_str() == part)
    };
    let (named, origin) = match payload.split_once(FROM) {
        // A name in capitals may have the word in it.
        Some((named, origin)) if topic(payload).is_none() => (named, Origin::in_link(origin)),
        _ => (payload, None),
    };
    let mut topics: Vec<Name> = Vec::new();
    for topic in named.split(BETWEEN).filter_map(topic) {
        if !topics.contains(topic) {
            topics.push(topic.clone());
        }
    }
    Start { topics, origin }
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
            for origin in [None, Some("spring-flyer"), Some("web:and"), Some("form:from")] {
                let origin = origin.map(|origin| Origin::parse(origin).unwrap());
                let payload = payload(&topics, origin.as_ref()).unwrap();
                let start = Start { topics: topics.clone(), origin };
                assert_eq!(read(&payload, &known), start, "{payload}");
                let is_legal = |c: u8| c.is_ascii_alphanumeric() || c == b'_' || c == b'-';
                assert!(payload.bytes().all(is_legal), "{payload}");
            }
        }
        assert_eq!(payload(&[], None), None);
        let tag = Origin::parse("flyer").unwrap();
        assert_eq!(payload(&[], Some(&tag)).as_deref(), Some("FROMflyer"));
        assert_eq!(read("FROMflyer", &known), Start { topics: vec![], origin: Some(tag) });
    }

    #[test]
    fn what_is_not_known_is_left_out_and_what_is_said_twice_counts_once() {
        let known = names(&["news", "shop", "fromage"]);
        for (payload, expected) in [
            ("newsANDgone", &["news"] as &[&str]),
            ("newsANDnews", &["news"]),
            ("NEWS", &["news"]),
            ("ANDshopAND", &["shop"]),
            ("FROMAGE", &["fromage"]),
            ("shopFROM", &["shop"]),
            ("newsFROMnoANDshop", &["news"]),
            ("newsandshop", &[]),
            ("gone", &[]),
            ("", &[]),
        ] {
            assert_eq!(read(payload, &known).topics, names(expected), "{payload}");
        }
    }
}
