//! A message that was sent, made to say something else. Pure.
//!
//! The calls of the new message are laid beside the messages that the recipient has, call by call:
//!
//! - A text is edited as a text, a caption as a caption; a file is replaced where it is another
//!   one. A text can become a file; a file that is to become a text keeps its place and gets the
//!   text as its caption.
//! - Messages that are too many are taken away, or where the service does not allow that (after
//!   48 hours) get an ellipsis for their words.
//! - Nothing can be put behind what was sent: the last message ends with an ellipsis where more
//!   would follow, and has the buttons of the new last one.
//! - Buttons are always sent along: an edit without them would take them away.
//!
//! Source: Bot API reference, `editMessageText`, `editMessageCaption`, `editMessageMedia`,
//! `deleteMessage`.

use serde_json::{Map, Value, json};

use crate::channel::Call;
use crate::channel::cut::units;
use crate::channel::flat::snap;
use crate::channel::telegram::lower::{CAPTION_UNITS_MAX, TEXT_UNITS_MAX};
use crate::model::correction::KeptMessage;

/// The methods that send one file, which their field has the name of.
const FILES: [(&str, &str); 5] = [
    ("sendPhoto", "photo"),
    ("sendVideo", "video"),
    ("sendAnimation", "animation"),
    ("sendAudio", "audio"),
    ("sendDocument", "document"),
];

/// What belongs to sending and not to what is sent.
const MANNERS: [&str; 8] = [
    "disable_notification",
    "protect_content",
    "message_thread_id",
    "message_effect_id",
    "reply_parameters",
    "allow_paid_broadcast",
    "reply_markup",
    "link_preview_options",
];

/// Stands for words that are not there any more, or go on where nothing can follow.
const MORE: &str = "…";

/// One message's edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// `None`: the message stays as it is.
    pub call: Option<Call>,
    /// The message once the call has come through; `None`: it is gone.
    pub leaves: Option<KeptMessage>,
    /// What is done instead where the service refuses the call, and what that leaves.
    pub otherwise: Option<(Call, KeptMessage)>,
    /// The call puts a file into the message. Where that can't be had and nothing is to be done
    /// instead, the message stays as it is.
    pub is_media: bool,
}

impl Edit {
    fn simple(call: Option<Call>, leaves: Option<KeptMessage>) -> Self {
        Self { call, leaves, otherwise: None, is_media: false }
    }
}

/// What the edits are to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Aim {
    /// Files may be others than those that were sent.
    pub has_new_media: bool,
    /// The messages are to be taken away; what can't be is edited.
    pub is_deleted: bool,
}

/// The edits that make the messages `kept`, which are in the order of their sending, say what
/// `calls` would send.
pub fn edits(calls: &[Call], kept: &[KeptMessage], aim: Aim) -> Vec<Edit> {
    let groups: Vec<&[KeptMessage]> = kept.chunk_by(|_, next| !next.begins).collect();
    let new = as_sent(calls, groups.len());
    let last = groups.len().saturating_sub(1);
    let mut edits = Vec::with_capacity(kept.len());
    for (at, group) in groups.into_iter().enumerate() {
        let Some(mut wanted) = new.get(at).cloned() else {
            edits.extend(group.iter().map(|message| vanish(*message, calls)));
            continue;
        };
        if at == last && new.len() > at + 1 {
            wanted.goes_on = true;
            wanted.take_keyboard(new.last());
        }
        edits.extend(wanted.edits(group, aim));
    }
    if aim.is_deleted {
        for edit in &mut edits {
            let message = edit.leaves;
            let instead = edit.call.take().zip(message);
            if let (Some(message), Some(call)) = (message, calls.first()) {
                edit.call = Some(deletion(message, call));
                // A file may be gone by now: the words alone are sure.
                edit.otherwise = match edit.is_media {
                    true => edit.otherwise.take().or(instead),
                    false => instead,
                };
                edit.leaves = None;
                edit.is_media = false;
            }
        }
    }
    edits
}

/// The calls as they were sent in that many messages: with those that cover others, or without.
fn as_sent(calls: &[Call], count: usize) -> Vec<New<'_>> {
    let mut covered = 0u8;
    let mut covering = Vec::new();
    for (at, call) in calls.iter().enumerate() {
        if covered == 0 {
            let behind = if call.covers > 0 { calls.get(at + 1) } else { None };
            covering.extend(New::read(call).map(|new| New { covered: behind, ..new }));
        }
        covered = covered.saturating_sub(1).max(call.covers);
    }
    if covering.len() == count {
        return covering;
    }
    calls.iter().filter(|call| call.covers == 0).filter_map(New::read).collect()
}

/// What one call sends.
#[derive(Clone)]
struct New<'a> {
    call: &'a Call,
    fields: Map<String, Value>,
    /// More would follow that has no place.
    goes_on: bool,
    /// The first call that says the same in another way.
    covered: Option<&'a Call>,
}

impl<'a> New<'a> {
    fn read(call: &'a Call) -> Option<Self> {
        if call.is_acknowledgement {
            return None;
        }
        let object = serde_json::from_str::<Value>(&format!("{{{}", call.rest)).ok()?;
        let Value::Object(fields) = object else { return None };
        Some(Self { call, fields, goes_on: false, covered: None })
    }

    /// The name of the field with the call's file, which is the kind of the file too.
    fn file(&self) -> Option<&'static str> {
        let found = FILES.iter().find(|(method, _)| *method == self.call.method);
        found.map(|(_, kind)| *kind)
    }

    fn take_keyboard(&mut self, other: Option<&Self>) {
        match other.and_then(|other| other.fields.get("reply_markup")) {
            Some(keyboard) => self.fields.insert("reply_markup".to_owned(), keyboard.clone()),
            None => self.fields.remove("reply_markup"),
        };
    }

    /// The edits of the messages that an earlier call made.
    fn edits(&self, group: &[KeptMessage], aim: Aim) -> Vec<Edit> {
        if let Some(Value::Array(items)) = self.fields.get("media") {
            return self.album(items, group, aim);
        }
        let has_keyboard = group.len() == 1;
        let mut messages = group.iter();
        let mut edits = Vec::with_capacity(group.len());
        edits.extend(messages.next().map(|first| self.edit(*first, has_keyboard, aim)));
        edits.extend(messages.map(|message| match self.file().is_some() && aim.has_new_media {
            true => vanish(*message, std::slice::from_ref(self.call)),
            false => Edit::simple(None, Some(*message)),
        }));
        edits
    }

    fn edit(&self, message: KeptMessage, has_keyboard: bool, aim: Aim) -> Edit {
        let as_media = KeptMessage { is_media: true, ..message };
        let simple = |call| Edit::simple(Some(call), Some(message));
        match (self.file(), message.is_media) {
            (None, false) => {
                let plain = self.plain().map(|plain| (plain.text(message, has_keyboard), message));
                Edit { otherwise: plain, ..simple(self.text(message, has_keyboard)) }
            }
            (None, true) => simple(self.caption(message, has_keyboard)),
            (Some(_), true) if !aim.has_new_media => simple(self.caption(message, has_keyboard)),
            (Some(kind), is_media) => {
                let mut file = self.fields.clone();
                MANNERS.iter().for_each(|name| drop(file.remove(*name)));
                let address = file.remove(kind);
                file.insert("type".to_owned(), json!(kind));
                file.insert("media".to_owned(), address.unwrap_or_default());
                let call = self.call_of("editMessageMedia", message, has_keyboard, |fields| {
                    fields.insert("media".to_owned(), Value::Object(file));
                });
                let instead = match is_media {
                    true => self.caption(message, has_keyboard),
                    false => self.text(message, has_keyboard),
                };
                Edit {
                    call: Some(call),
                    leaves: Some(as_media),
                    otherwise: Some((instead, message)),
                    is_media: true,
                }
            }
        }
    }

    /// The same without what only rich messages have: its beginning, where it takes several calls.
    fn plain(&self) -> Option<Self> {
        let mut plain = Self::read(self.covered?)?;
        plain.goes_on = self.goes_on || self.call.covers > 1;
        plain.take_keyboard(Some(self));
        Some(plain)
    }

    fn album(&self, items: &[Value], group: &[KeptMessage], aim: Aim) -> Vec<Edit> {
        let edit = |(at, message): (usize, &KeptMessage)| {
            let Some(item) = items.get(at) else {
                return vanish(*message, std::slice::from_ref(self.call));
            };
            let as_media = KeptMessage { is_media: true, ..*message };
            // The words of an album stand below its first picture.
            let words = (at == 0).then(|| {
                self.call_of("editMessageCaption", *message, false, |fields| {
                    for name in ["caption", "caption_entities", "show_caption_above_media"] {
                        fields.extend(item.get(name).map(|value| (name.to_owned(), value.clone())));
                    }
                })
            });
            if aim.has_new_media || !message.is_media {
                let call = self.call_of("editMessageMedia", *message, false, |fields| {
                    fields.insert("media".to_owned(), item.clone());
                });
                let words = match message.is_media {
                    true => words,
                    false => words.and_then(|_| self.text_of(item, *message)),
                };
                let otherwise = words.map(|words| (words, *message));
                return Edit {
                    call: Some(call),
                    leaves: Some(as_media),
                    otherwise,
                    is_media: true,
                };
            }
            Edit::simple(words, Some(*message))
        };
        group.iter().enumerate().map(edit).collect()
    }

    /// The words of an album's item, for a message that is a text because nothing could be shown.
    fn text_of(&self, item: &Value, message: KeptMessage) -> Option<Call> {
        let caption = item.get("caption")?;
        Some(self.call_of("editMessageText", message, false, |fields| {
            fields.insert("text".to_owned(), caption.clone());
            let entities = item.get("caption_entities");
            fields.extend(entities.map(|it| ("entities".to_owned(), it.clone())));
        }))
    }

    /// The message as a text.
    fn text(&self, message: KeptMessage, has_keyboard: bool) -> Call {
        self.call_of("editMessageText", message, has_keyboard, |fields| {
            if let Some(rich) = self.fields.get("rich_message") {
                fields.insert("rich_message".to_owned(), rich.clone());
                return;
            }
            self.words(("text", "entities"), TEXT_UNITS_MAX, fields);
            let preview = self.fields.get("link_preview_options");
            let preview = preview.map(|it| ("link_preview_options".to_owned(), it.clone()));
            fields.extend(preview);
        })
    }

    /// The message as the caption of the file that is there.
    fn caption(&self, message: KeptMessage, has_keyboard: bool) -> Call {
        self.call_of("editMessageCaption", message, has_keyboard, |fields| {
            self.words(("caption", "caption_entities"), CAPTION_UNITS_MAX, fields);
            let above = self.fields.get("show_caption_above_media");
            fields.extend(above.map(|it| ("show_caption_above_media".to_owned(), it.clone())));
        })
    }

    /// Puts the words, whatever they are called here, under these names.
    fn words(&self, names: (&str, &str), most: usize, fields: &mut Map<String, Value>) {
        let either =
            |one: &str, other: &str| self.fields.get(one).or_else(|| self.fields.get(other));
        let text = either("text", "caption").and_then(Value::as_str).unwrap_or_default();
        let text = cut(text, most, self.goes_on);
        let length = units(text.trim_end_matches(MORE));
        let entities = either("entities", "caption_entities").and_then(Value::as_array);
        let inside: Vec<Value> =
            entities.into_iter().flatten().filter_map(|entity| within(entity, length)).collect();
        let text = if text.is_empty() && names.0 == "text" { MORE.to_owned() } else { text };
        fields.insert(names.0.to_owned(), json!(text));
        if !inside.is_empty() {
            fields.insert(names.1.to_owned(), json!(inside));
        }
    }

    fn call_of(
        &self,
        method: &'static str,
        message: KeptMessage,
        has_keyboard: bool,
        fill: impl FnOnce(&mut Map<String, Value>),
    ) -> Call {
        let mut fields = Map::new();
        fields.insert("message_id".to_owned(), json!(message.id));
        fill(&mut fields);
        if has_keyboard && let Some(keyboard) = self.fields.get("reply_markup") {
            fields.insert("reply_markup".to_owned(), keyboard.clone());
        }
        call(self.call, method, fields)
    }
}

/// A message that has no place any more.
fn vanish(message: KeptMessage, like: &[Call]) -> Edit {
    let Some(like) = like.first() else {
        return Edit::simple(None, Some(message));
    };
    let (method, name) = match message.is_media {
        true => ("editMessageCaption", "caption"),
        false => ("editMessageText", "text"),
    };
    let mut fields = Map::new();
    fields.insert("message_id".to_owned(), json!(message.id));
    fields.insert(name.to_owned(), json!(MORE));
    Edit {
        call: Some(deletion(message, like)),
        leaves: None,
        otherwise: Some((call(like, method, fields), message)),
        is_media: false,
    }
}

fn deletion(message: KeptMessage, like: &Call) -> Call {
    let mut fields = Map::new();
    fields.insert("message_id".to_owned(), json!(message.id));
    call(like, "deleteMessage", fields)
}

fn call(like: &Call, method: &'static str, fields: Map<String, Value>) -> Call {
    let rest = Value::Object(fields).to_string().split_off(1);
    Call { method, rest, covers: 0, ..like.clone() }
}

/// The text in at most `most` units, with an ellipsis where it was cut or would go on.
fn cut(text: &str, most: usize, goes_on: bool) -> String {
    let is_long = units(text) > most;
    if !is_long && !goes_on {
        return text.to_owned();
    }
    let room = most.saturating_sub(units(MORE));
    let mut passed = 0;
    let end = text.char_indices().find(|(_, c)| {
        passed += c.len_utf16();
        passed > room
    });
    let end = end.map_or(text.len(), |(at, _)| snap(text, at));
    let head = &text[..end];
    let head = match head.rfind(char::is_whitespace) {
        Some(word) if end < text.len() && units(&head[..word]) * 2 >= room => &head[..word],
        _ => head,
    };
    format!("{}{MORE}", head.trim_end())
}

/// The entity as far as it lies in the first `length` units.
fn within(entity: &Value, length: usize) -> Option<Value> {
    let number = |name: &str| {
        entity.get(name).and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok())
    };
    let (offset, whole) = (number("offset")?, number("length")?);
    let left = length.checked_sub(offset).filter(|left| *left > 0)?;
    let mut entity = entity.clone();
    entity["length"] = json!(whole.min(left));
    Some(entity)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::telegram::lower::lower;
    use crate::model::message::{Action, Button, Medium, Message, Module};
    use crate::model::rich::RichText;

    fn kept(id: i64, is_media: bool) -> KeptMessage {
        KeptMessage { id, is_media, begins: true }
    }

    fn text(words: &str) -> Module {
        let open = Action::Open { url: "https://e.org/".into() };
        Module::Text { text: RichText::from_plain(words), buttons: vec![Button::new("Go", open)] }
    }

    fn calls(modules: Vec<Module>) -> Vec<Call> {
        lower(&Message::from(modules), None)
    }

    fn shown(call: &Call) -> (&'static str, Value) {
        (call.method, serde_json::from_str(&format!("{{{}", call.rest)).unwrap())
    }

    fn of(calls: &[Call], kept: &[KeptMessage], aim: Aim) -> Vec<(&'static str, Value)> {
        edits(calls, kept, aim).iter().filter_map(|edit| edit.call.as_ref()).map(shown).collect()
    }

    const NEW_MEDIA: Aim = Aim { has_new_media: true, is_deleted: false };
    const AWAY: Aim = Aim { has_new_media: false, is_deleted: true };

    #[test]
    fn a_text_is_edited_with_its_buttons() {
        let edited = of(&calls(vec![text("right")]), &[kept(7, false)], Aim::default());
        let [("editMessageText", fields)] = &edited[..] else { panic!("{edited:?}") };
        assert_eq!((&fields["message_id"], &fields["text"]), (&json!(7), &json!("right")));
        assert_eq!(fields["reply_markup"]["inline_keyboard"][0][0]["text"], "Go");
        assert!(fields.get("entities").is_none());
    }

    #[test]
    fn a_caption_is_edited_and_a_new_picture_replaces_the_old_one() {
        let image = Module::Media(Medium::image("https://e.org/new.png", ""));
        let calls = calls(vec![image, text("right")]);
        let edited = of(&calls, &[kept(7, true)], Aim::default());
        let [("editMessageCaption", fields)] = &edited[..] else { panic!("{edited:?}") };
        assert_eq!((&fields["message_id"], &fields["caption"]), (&json!(7), &json!("right")));
        assert!(fields.get("reply_markup").is_some() && fields.get("photo").is_none());

        let edit = &edits(&calls, &[kept(7, true)], NEW_MEDIA)[0];
        let (method, fields) = shown(edit.call.as_ref().unwrap());
        assert_eq!(method, "editMessageMedia");
        let media = json!({
            "type": "photo", "media": "https://e.org/new.png", "caption": "right",
        });
        assert_eq!(fields["media"], media);
        assert!(fields.get("reply_markup").is_some());
        let (instead, leaves) = edit.otherwise.clone().unwrap();
        assert_eq!((instead.method, leaves), ("editMessageCaption", kept(7, true)));
        // The picture could not be had when it was sent: now it may be.
        let edit = &edits(&calls, &[kept(7, false)], Aim::default())[0];
        assert_eq!(edit.leaves, Some(kept(7, true)));
        assert_eq!(edit.otherwise.clone().unwrap().0.method, "editMessageText");
    }

    #[test]
    fn a_long_text_fits_below_the_picture_that_stays() {
        let long = "a bold word ".repeat(200);
        let edited = of(&calls(vec![text(&long)]), &[kept(7, true)], Aim::default());
        let [("editMessageCaption", fields)] = &edited[..] else { panic!("{edited:?}") };
        let caption = fields["caption"].as_str().unwrap();
        assert!(caption.ends_with('…') && units(caption) <= CAPTION_UNITS_MAX, "{caption}");
    }

    #[test]
    fn parts_that_are_too_many_go_and_parts_without_a_place_are_left_out() {
        let long = "Words and words. ".repeat(400);
        let two = calls(vec![text(&long)]);
        assert_eq!(two.len(), 2);
        let edited = of(&two, &[kept(7, false)], Aim::default());
        let [("editMessageText", fields)] = &edited[..] else { panic!("{edited:?}") };
        let words = fields["text"].as_str().unwrap();
        assert!(words.ends_with('…') && units(words) <= TEXT_UNITS_MAX);
        assert!(fields.get("reply_markup").is_some(), "the buttons of the last part");

        let both = [kept(7, false), kept(8, false)];
        let edits = edits(&calls(vec![text("short")]), &both, Aim::default());
        assert_eq!(shown(edits[0].call.as_ref().unwrap()).0, "editMessageText");
        assert_eq!(
            shown(edits[1].call.as_ref().unwrap()),
            ("deleteMessage", json!({ "message_id": 8 }))
        );
        assert_eq!(edits[1].leaves, None);
        let instead = shown(&edits[1].otherwise.as_ref().unwrap().0);
        assert_eq!(instead, ("editMessageText", json!({ "message_id": 8, "text": "…" })));
    }

    #[test]
    fn what_is_taken_away_is_edited_where_it_has_to_stay() {
        let edits = edits(&calls(vec![text("struck")]), &[kept(7, false)], AWAY);
        let [Edit { call: Some(call), leaves: None, otherwise: Some((instead, _)), .. }] =
            &edits[..]
        else {
            panic!("{edits:?}")
        };
        assert_eq!((call.method, instead.method), ("deleteMessage", "editMessageText"));
    }

    #[test]
    fn of_an_album_the_words_are_edited_and_new_pictures_replace_old_ones() {
        let item = |at: u8| {
            let words = if at == 0 { json!({ "caption": "right" }) } else { json!({}) };
            let mut item = json!({ "type": "photo", "media": format!("https://e.org/{at}.png") });
            item.as_object_mut().unwrap().extend(words.as_object().unwrap().clone());
            item
        };
        let rest = json!({ "media": [item(0), item(1)] }).to_string().split_off(1);
        let like = &calls(vec![text("x")])[0];
        let album = Call { method: "sendMediaGroup", rest, ..like.clone() };
        let group: Vec<_> =
            (0..3).map(|at| KeptMessage { id: 7 + at, is_media: true, begins: at == 0 }).collect();
        let edited = of(std::slice::from_ref(&album), &group, Aim::default());
        let methods: Vec<_> = edited.iter().map(|(method, _)| *method).collect();
        assert_eq!(methods, ["editMessageCaption", "deleteMessage"]);
        assert_eq!(edited[0].1, json!({ "message_id": 7, "caption": "right" }));
        let edited = edits(&[album], &group[..2], NEW_MEDIA);
        let put = edited[1].call.as_ref().map(shown).unwrap();
        assert_eq!(put.1, json!({ "message_id": 8, "media": item(1) }));
        // Where a picture can't be had, the words are not lost with it.
        let instead: Vec<_> = edited
            .iter()
            .map(|edit| edit.otherwise.as_ref().map(|(call, _)| shown(call)))
            .collect();
        let words = json!({ "message_id": 7, "caption": "right" });
        assert_eq!(instead, [Some(("editMessageCaption", words)), None]);
        assert!(edited.iter().all(|edit| edit.is_media));
    }

    #[test]
    fn an_album_that_went_as_a_text_keeps_its_words_right() {
        let bold = json!([{ "type": "bold", "offset": 0, "length": 5 }]);
        let item = json!({
            "type": "photo", "media": "https://e.org/a.png", "caption": "right",
            "caption_entities": bold,
        });
        let bare = json!({ "type": "photo", "media": "https://e.org/b.png" });
        let like = &calls(vec![text("x")])[0];
        let album = |media: Value| {
            let rest = json!({ "media": media }).to_string().split_off(1);
            [Call { method: "sendMediaGroup", rest, ..like.clone() }]
        };
        let edit = &edits(&album(json!([item, bare])), &[kept(7, false)], Aim::default())[0];
        assert_eq!(edit.call.as_ref().unwrap().method, "editMessageMedia");
        let (instead, leaves) = edit.otherwise.as_ref().unwrap();
        let words = json!({ "message_id": 7, "text": "right", "entities": bold });
        assert_eq!((shown(instead), *leaves), (("editMessageText", words), kept(7, false)));
        let edit = &edits(&album(json!([bare, bare])), &[kept(7, false)], Aim::default())[0];
        assert_eq!(edit.otherwise, None, "there are no words");
    }

    #[test]
    fn what_can_not_be_taken_away_is_struck_by_its_words_whatever_became_of_its_picture() {
        let image = Module::Media(Medium::image("https://e.org/gone.png", ""));
        let calls = calls(vec![image, text("struck")]);
        let edit = &edits(&calls, &[kept(7, false)], AWAY)[0];
        assert_eq!(edit.call.as_ref().unwrap().method, "deleteMessage");
        assert_eq!(edit.otherwise.as_ref().unwrap().0.method, "editMessageText");
    }

    #[test]
    fn a_rich_message_that_is_refused_is_edited_in_plain_words() {
        let long = "Words and words. ".repeat(400);
        let mut message = Message::from(vec![text(&long)]);
        message.manner.overflow = crate::model::message::Overflow::Rich;
        let calls = lower(&message, None);
        assert_eq!(calls[0].method, "sendRichMessage");
        let edits = edits(&calls, &[kept(7, false)], Aim::default());
        let [edit] = &edits[..] else { panic!("{edits:?}") };
        assert!(shown(edit.call.as_ref().unwrap()).1.get("rich_message").is_some());
        let (instead, _) = edit.otherwise.as_ref().unwrap();
        let (method, fields) = shown(instead);
        assert_eq!(method, "editMessageText");
        assert!(fields["text"].as_str().unwrap().ends_with('…'));
        assert!(fields.get("reply_markup").is_some());
    }

    #[test]
    fn entities_end_with_the_text() {
        let entity = json!({ "type": "bold", "offset": 4, "length": 10 });
        assert_eq!(within(&entity, 4), None);
        assert_eq!(within(&entity, 9).unwrap()["length"], 5);
        assert_eq!(within(&entity, 99), Some(entity));
    }

    #[test]
    fn a_cut_keeps_words_and_graphemes() {
        assert_eq!(cut("one two", 7, false), "one two");
        assert_eq!(cut("one two", 9, true), "one two…");
        assert_eq!(cut("one two three", 9, false), "one two…");
        assert_eq!(cut("👨‍👩‍👧👨‍👩‍👧", 9, false), "👨‍👩‍👧…");
    }
}
