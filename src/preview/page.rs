//! Messages as a page that looks like the two apps, side by side, light and dark.
//!
//! One file that asks the network for nothing but the messages' own pictures, videos and sounds.
//! The look is that of the sandbox's phones: their style and script, word for word. What a message
//! says stands in the page as data and is drawn as text; the policy of the page names the one
//! style and the one script that may run.

use serde_json::{Value, json};

use crate::markup::{escape, fill, policy_hash};
use crate::model::channel::ChannelKind;
use crate::model::time::Timestamp;
use crate::preview::Shown;
use crate::preview::entries::entries;

const STYLE: &str = include_str!("../sandbox/assets/phones.css");
const SCRIPT: &str = include_str!("../sandbox/assets/phones.js");
const FRAME: &str = include_str!("page.html");
const PHONE: &str = include_str!("phone.html");

/// What stands above the phones.
#[derive(Clone, Debug)]
pub struct Heading<'a> {
    /// The campaign's or the layout's name.
    pub name: &'a str,
    /// What is shown, in words.
    pub about: &'a str,
    /// Stands beside the messages as their time.
    pub now: Timestamp,
}

/// The page.
pub fn page(heading: &Heading<'_>, shown: &[Shown]) -> String {
    let mut told = serde_json::Map::new();
    let mut phones = String::new();
    for one in shown {
        let history = entries(one.kind, &one.calls, heading.now);
        told.insert(one.kind.as_str().to_owned(), state(one.kind, &history));
        phones.push_str(&fill(PHONE, &phone(one.kind)));
    }
    let policy = format!(
        "default-src 'none'; img-src http: https:; media-src http: https:; \
         style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        policy_hash(STYLE),
        policy_hash(SCRIPT),
    );
    let (name, about) = (escape(heading.name), escape(heading.about));
    fill(
        FRAME,
        &[
            ("policy", &policy),
            ("name", &name),
            ("about", &about),
            ("phones", &phones),
            ("told", &as_data(&Value::Object(told))),
            ("style", STYLE),
            ("script", SCRIPT),
        ],
    )
}

fn phone(kind: ChannelKind) -> [(&'static str, &'static str); 4] {
    match kind {
        ChannelKind::Telegram => {
            [("service", "telegram"), ("label", "Telegram"), ("avatar", "T"), ("state", "bot")]
        }
        ChannelKind::Messenger => {
            [("service", "messenger"), ("label", "Messenger"), ("avatar", "M"), ("state", "page")]
        }
    }
}

/// As the sandbox tells it to its page.
fn state(kind: ChannelKind, history: &[Value]) -> Value {
    match kind {
        ChannelKind::Telegram => json!({ "standing": "open", "history": history, "commands": [] }),
        ChannelKind::Messenger => {
            json!({ "standing": "open", "window_open": true, "history": history })
        }
    }
}

/// JSON that ends no script element and begins no comment in one.
fn as_data(value: &Value) -> String {
    value.to_string().replace('<', "\\u003c").replace('>', "\\u003e")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::message::Message;

    #[test]
    fn sec_t06_nothing_of_a_message_becomes_markup() {
        let hostile = "</script><script>alert(1)</script><!-- <img src=x onerror=alert(1)>";
        let message = Message::from_plain(hostile);
        let shown = [ChannelKind::Telegram, ChannelKind::Messenger]
            .map(|kind| Shown::of(kind, &message, &[]));
        let now = Timestamp::from_millis(1_790_000_000_000);
        let heading = Heading { name: hostile, about: hostile, now };
        let page = page(&heading, &shown);
        assert_eq!(page.matches("<script").count(), 2, "the data and the script");
        assert!(!page.contains("<img") && !page.contains("alert(1)</script>"));
        assert!(page.contains("\\u003c/script\\u003e"));
    }
}
