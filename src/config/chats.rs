//! Chats as the settings write them: `"@name"`, `-1001234`, or a table with a topic or a channel.

use toml::Spanned;
use toml::de::DeValue;

use crate::config::problem::{Findings, Place};
use crate::config::table::{At, Node, Read, key, report_unknown, wrong_type};

/// One chat.
#[derive(Clone, Debug)]
pub(crate) struct RawChat {
    /// Where it stands.
    pub at: Place,
    /// `None` when it is missing, or of another type: that is told already.
    pub chat: Option<At<String>>,
    pub thread: Option<At<i64>>,
    pub channel: Option<At<String>>,
}

/// A list of them.
pub(crate) type RawChats = At<Vec<RawChat>>;

impl Read for RawChat {
    fn read(value: &Spanned<DeValue<'_>>, node: &Node<'_>, found: &mut Findings) -> Option<Self> {
        let at = Place { offset: value.span().start, ..node.at };
        match value.get_ref() {
            DeValue::String(_) | DeValue::Integer(_) => {
                let RawId(chat) = RawId::read(value, node, found)?;
                Some(Self { at, chat: Some(chat), thread: None, channel: None })
            }
            DeValue::Table(table) => {
                report_unknown(table, &["chat", "thread", "channel"], node, found);
                let chat = key(table, "chat", node, found).map(|RawId(chat)| chat);
                if !table.contains_key("chat") {
                    let hint = "for example `{ chat = \"@name\", thread = 5 }`";
                    found.problem(at, &node.to_string(), "needs a `chat`").hint(hint);
                }
                let thread = key(table, "thread", node, found);
                Some(Self { at, chat, thread, channel: key(table, "channel", node, found) })
            }
            _ => wrong_type("a chat such as `\"@name\"` or `-1001234`", value, node, found),
        }
    }
}

/// A chat's number or name, as text.
struct RawId(At<String>);

impl Read for RawId {
    fn read(value: &Spanned<DeValue<'_>>, node: &Node<'_>, found: &mut Findings) -> Option<Self> {
        match value.get_ref() {
            DeValue::String(_) => At::read(value, node, found).map(Self),
            DeValue::Integer(_) => At::<i64>::read(value, node, found)
                .map(|At { value, at }| Self(At { value: value.to_string(), at })),
            _ => wrong_type("a chat's number or its `@name`", value, node, found),
        }
    }
}
