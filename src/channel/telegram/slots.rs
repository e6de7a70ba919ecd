//! The media of the Bot API's calls, and the calls for other ways of sending them.
//!
//! - A single medium that becomes a file changes the method; one that becomes a link makes a text
//!   of its caption, with the buttons below it.
//! - An album goes on without those of its media that can't be shown in it; with one left it is a
//!   single medium, with none a text. The caption stays, and the addresses of what was left out
//!   follow it while there is room.
//!
//! Source: Bot API reference, "Sending files", `InputMedia`, `sendMediaGroup`.

use serde_json::{Map, Value, json};

use crate::channel::cut::units;
use crate::channel::slots::{
    Dressed, Means, Slot, Stand, Upload, fields_of, is_address, with_fields, words_for,
};
use crate::channel::telegram::lower::{CAPTION_UNITS_MAX, TEXT_UNITS_MAX};
use crate::channel::{Call, Observed};
use crate::model::media::Form;

/// What stands for a text that buttons need and nobody wrote.
const NO_WORDS: &str = "…";

/// The methods of single media, with the field and the album's word of each.
const SINGLES: [(&str, Form, &str); 5] = [
    ("sendPhoto", Form::Picture, "photo"),
    ("sendAnimation", Form::Animation, "animation"),
    ("sendVideo", Form::Video, "video"),
    ("sendAudio", Form::Sound, "audio"),
    ("sendDocument", Form::File, "document"),
];

const ALBUM: &str = "sendMediaGroup";

/// Fields that only some forms know.
const OWN_FIELDS: [&str; 13] = [
    "photo",
    "animation",
    "video",
    "audio",
    "document",
    "has_spoiler",
    "show_caption_above_media",
    "supports_streaming",
    "duration",
    "width",
    "height",
    "cover",
    "thumbnail",
];

/// As [`OWN_FIELDS`], of sounds.
const SOUND_FIELDS: [&str; 2] = ["performer", "title"];

/// The media of a call, in their order; empty for calls without.
pub(crate) fn slots(call: &Call) -> Vec<Slot> {
    if call.method != ALBUM && single(call.method).is_none() {
        return Vec::new();
    }
    let fields = fields_of(call);
    let mut slots = Vec::new();
    let mut add = |value: Option<&Value>, form, means| {
        if let Some(url) = value.and_then(Value::as_str).filter(|url| is_address(url)) {
            slots.push(Slot { url: url.to_owned(), form, means });
        }
    };
    match single(call.method) {
        Some((form, field)) => {
            add(fields.get(field), form, Means::All);
            add(fields.get("cover"), Form::Picture, Means::Spare);
        }
        None => {
            for item in items(&fields) {
                add(item.get("media"), form_of_item(item), Means::All);
            }
        }
    }
    slots
}

/// The call for the ways of its media, one for each of [`slots`].
pub(crate) fn dress(call: &Call, stands: &[Stand]) -> Dressed {
    let fields = fields_of(call);
    match single(call.method) {
        Some((form, field)) => {
            let mut item = Item { form, slot: None, fields };
            let mut stands = stands.iter().enumerate();
            let mut next = |value: Option<&Value>| {
                value.and_then(Value::as_str).filter(|url| is_address(url))?;
                stands.next()
            };
            let main = next(item.fields.get(field));
            let cover = next(item.fields.get("cover"));
            let mut dressed = Dressed::default();
            if let Some((_, cover)) = cover {
                item.dress_cover(cover, &mut dressed.uploads);
            }
            match main {
                Some((_, Stand::Link { words, url })) => {
                    let link = [(form, words.as_str(), url.as_deref())];
                    dressed.uploads.clear();
                    dressed.call = text_instead(call, item.fields, &link);
                }
                Some((slot, stand)) => {
                    item.slot = Some(slot);
                    item.take(field, stand, &mut dressed.uploads);
                    dressed.call = Some(item.call(call, &mut dressed.shown));
                }
                None => dressed.call = Some(item.call(call, &mut dressed.shown)),
            }
            dressed
        }
        None if call.method == ALBUM => dress_album(call, fields, stands),
        None => Dressed { call: Some(call.clone()), ..Dressed::default() },
    }
}

/// The ids that an accepted call's answer tells, with their forms: one for each message. `wanted`
/// says as which form each was sent.
pub(crate) fn kept_ids(observed: &Observed, wanted: &[Form]) -> Vec<Option<(Form, String)>> {
    let Observed::Answered { body, .. } = observed else { return Vec::new() };
    let Ok(answer) = serde_json::from_slice::<Value>(body) else { return Vec::new() };
    let result = answer.get("result").unwrap_or(&Value::Null);
    let messages = match result {
        Value::Array(messages) => messages.as_slice(),
        one => std::slice::from_ref(one),
    };
    messages.iter().zip(wanted).map(|(message, form)| id_in(message, *form)).collect()
}

/// The id of the cover that an accepted video shows.
pub(crate) fn cover_id(observed: &Observed) -> Option<String> {
    let Observed::Answered { body, .. } = observed else { return None };
    let answer: Value = serde_json::from_slice(body).ok()?;
    let sizes = answer.get("result")?.get("video")?.get("cover")?.as_array()?;
    Some(sizes.last()?.get("file_id")?.as_str()?.to_owned())
}

/// What was sent as an animation comes back as that and as a document: the form asked for first.
fn id_in(message: &Value, wanted: Form) -> Option<(Form, String)> {
    let of = |form: Form| {
        let (_, _, field) = SINGLES.iter().find(|(_, one, _)| *one == form)?;
        let file = match message.get(*field)? {
            Value::Array(sizes) => sizes.last()?,
            file => file,
        };
        Some((form, file.get("file_id")?.as_str()?.to_owned()))
    };
    of(wanted).or_else(|| SINGLES.iter().find_map(|(_, form, _)| of(*form)))
}

fn single(method: &str) -> Option<(Form, &'static str)> {
    let found = SINGLES.iter().find(|(known, _, _)| *known == method);
    found.map(|(_, form, field)| (*form, *field))
}

fn single_of(form: Form) -> (&'static str, &'static str) {
    let found = SINGLES.iter().find(|(_, known, _)| *known == form);
    found.map_or(("sendDocument", "document"), |(method, _, field)| (*method, *field))
}

fn items(fields: &Map<String, Value>) -> impl Iterator<Item = &Map<String, Value>> {
    let media = fields.get("media").and_then(Value::as_array);
    media.into_iter().flatten().filter_map(Value::as_object)
}

fn form_of_item(item: &Map<String, Value>) -> Form {
    let word = item.get("type").and_then(Value::as_str).unwrap_or_default();
    SINGLES.iter().find(|(_, _, field)| *field == word).map_or(Form::File, |(_, form, _)| *form)
}

/// One medium on its way into a call.
struct Item {
    form: Form,
    slot: Option<usize>,
    fields: Map<String, Value>,
}

impl Item {
    /// Puts the medium into its field; another form loses what only the old one knew.
    fn take(&mut self, field: &str, stand: &Stand, uploads: &mut Vec<(String, Upload)>) {
        let (value, form) = match stand {
            Stand::Kept { id, form } => (id.clone(), *form),
            Stand::Upload(upload) => (attach(uploads, upload), upload.form),
            Stand::Address | Stand::Link { .. } => return,
        };
        if form != self.form {
            let is_named = field == "media";
            let own = OWN_FIELDS.iter().chain(&SOUND_FIELDS);
            for name in own {
                self.fields.remove(*name);
            }
            self.form = form;
            let (_, word) = single_of(form);
            if is_named {
                self.fields.insert("type".to_owned(), json!(word));
                self.fields.insert("media".to_owned(), json!(value));
            } else {
                self.fields.insert(word.to_owned(), json!(value));
            }
            return;
        }
        self.fields.insert(field.to_owned(), json!(value));
    }

    fn dress_cover(&mut self, stand: &Stand, uploads: &mut Vec<(String, Upload)>) {
        match stand {
            Stand::Address => {}
            Stand::Kept { id, form: Form::Picture } => {
                self.fields.insert("cover".to_owned(), json!(id));
            }
            Stand::Upload(upload) if upload.form == Form::Picture => {
                let name = attach(uploads, upload);
                self.fields.insert("cover".to_owned(), json!(name));
            }
            Stand::Kept { .. } | Stand::Upload(_) | Stand::Link { .. } => {
                self.fields.remove("cover");
            }
        }
    }

    fn call(self, call: &Call, shown: &mut Vec<(usize, Form)>) -> Call {
        shown.extend(self.slot.map(|slot| (slot, self.form)));
        let (method, _) = single_of(self.form);
        with_fields(call, method, self.fields)
    }
}

fn attach(uploads: &mut Vec<(String, Upload)>, upload: &Upload) -> String {
    let name = format!("file{}", uploads.len());
    let value = format!("attach://{name}");
    uploads.push((name, upload.clone()));
    value
}

fn dress_album(call: &Call, mut fields: Map<String, Value>, stands: &[Stand]) -> Dressed {
    let mut dressed = Dressed::default();
    let mut kept: Vec<Item> = Vec::new();
    let mut left_out: Vec<(Form, String, Option<String>)> = Vec::new();
    let mut caption = Map::new();
    let mut slot = 0;
    for item in items(&fields) {
        let mut item = Item { form: form_of_item(item), slot: None, fields: item.clone() };
        let url = item.fields.get("media").and_then(Value::as_str).unwrap_or_default().to_owned();
        for name in ["caption", "caption_entities", "show_caption_above_media"] {
            if let Some(value) = item.fields.remove(name) {
                // The first caption is the album's; how it stands is the same on all.
                caption.entry(name).or_insert(value);
            }
        }
        let form = item.form;
        if is_address(&url)
            && let Some(stand) = stands.get(slot)
        {
            item.slot = Some(slot);
            slot += 1;
            match stand {
                Stand::Link { words, url } => {
                    left_out.push((form, words.clone(), url.clone()));
                    continue;
                }
                Stand::Kept { form: other, .. } | Stand::Upload(Upload { form: other, .. })
                    if !goes_with(form, *other) =>
                {
                    left_out.push((form, String::new(), Some(url)));
                    continue;
                }
                stand => item.take("media", stand, &mut dressed.uploads),
            }
        }
        kept.push(item);
    }
    let links: Vec<_> =
        left_out.iter().map(|(form, words, url)| (*form, words.as_str(), url.as_deref())).collect();
    if kept.is_empty() {
        fields.remove("media");
        fields.extend(caption);
        dressed.call = text_instead(call, fields, &links);
        return dressed;
    }
    add_links(&mut caption, "caption", "caption_entities", &links, CAPTION_UNITS_MAX);
    let above = caption.remove("show_caption_above_media");
    if let [_] = kept.as_slice()
        && let Some(mut only) = kept.pop()
    {
        let value = only.fields.remove("media").unwrap_or_default();
        only.fields.remove("type");
        fields.remove("media");
        fields.extend(std::mem::take(&mut only.fields));
        fields.extend(caption);
        fields.extend(above.map(|above| ("show_caption_above_media".to_owned(), above)));
        let (_, field) = single_of(only.form);
        fields.insert(field.to_owned(), value);
        only.fields = fields;
        dressed.call = Some(only.call(call, &mut dressed.shown));
        return dressed;
    }
    if let Some(first) = kept.first_mut() {
        first.fields.extend(caption);
    }
    dressed.shown.extend(kept.iter().filter_map(|item| Some((item.slot?, item.form))));
    let media = kept.into_iter().map(|mut item| {
        if let Some(above) = &above {
            item.fields.insert("show_caption_above_media".to_owned(), above.clone());
        }
        Value::Object(item.fields)
    });
    fields.insert("media".to_owned(), media.collect());
    dressed.call = Some(with_fields(call, ALBUM, fields));
    dressed
}

/// Whether a medium of an album may become another form: photos and videos mix, others don't.
fn goes_with(form: Form, other: Form) -> bool {
    let is_visual = |form| matches!(form, Form::Picture | Form::Video);
    form == other || is_visual(form) && is_visual(other)
}

type Link<'a> = (Form, &'a str, Option<&'a str>);

/// A text in the place of media: their caption and what they are called; `None` when there is
/// nothing to say.
fn text_instead(call: &Call, mut fields: Map<String, Value>, links: &[Link<'_>]) -> Option<Call> {
    for name in OWN_FIELDS.iter().chain(&SOUND_FIELDS) {
        fields.remove(*name);
    }
    for (from, to) in [("caption", "text"), ("caption_entities", "entities")] {
        if let Some(value) = fields.remove(from) {
            fields.insert(to.to_owned(), value);
        }
    }
    let has_caption = fields.get("text").and_then(Value::as_str).is_some_and(|it| !it.is_empty());
    // A picture below words of its own is shown as their preview; its words say the same again.
    let preview = links.iter().find_map(|(form, _, url)| url.filter(|_| *form == Form::Picture));
    let spelled: Vec<Link<'_>> = links
        .iter()
        .filter(|(form, _, url)| !has_caption || *form != Form::Picture && url.is_some())
        .copied()
        .collect();
    add_links(&mut fields, "text", "entities", &spelled, TEXT_UNITS_MAX);
    let is_empty = fields.get("text").and_then(Value::as_str).is_none_or(str::is_empty);
    if is_empty {
        if !fields.contains_key("reply_markup") {
            return None;
        }
        fields.insert("text".to_owned(), json!(NO_WORDS));
    }
    let options = match preview {
        Some(url) => json!({ "url": url, "prefer_large_media": true, "show_above_text": true }),
        None => json!({ "is_disabled": true }),
    };
    fields.insert("link_preview_options".to_owned(), options);
    Some(with_fields(call, "sendMessage", fields))
}

/// Puts each link on a line of its own below a text, while there is room.
fn add_links(
    fields: &mut Map<String, Value>,
    text_field: &str,
    entities_field: &str,
    links: &[Link<'_>],
    units_max: usize,
) {
    let text = fields.get(text_field).and_then(Value::as_str).unwrap_or_default();
    let mut text = text.to_owned();
    let mut entities = match fields.remove(entities_field) {
        Some(Value::Array(entities)) => entities,
        _ => Vec::new(),
    };
    for (_, words, url) in links {
        let words = words_for(words, *url);
        let offset = units(&text) + usize::from(!text.is_empty());
        if words.is_empty() || offset + units(&words) > units_max {
            continue;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&words);
        if let Some(url) = url {
            let length = units(&words);
            entities.push(json!({
                "type": "text_link", "offset": offset, "length": length, "url": url,
            }));
        }
    }
    if !text.is_empty() {
        fields.insert(text_field.to_owned(), json!(text));
    }
    if !entities.is_empty() {
        fields.insert(entities_field.to_owned(), Value::Array(entities));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(method: &'static str, fields: &Value) -> Call {
        let plain = crate::channel::telegram::lower::lower(
            &crate::model::message::Message::from_plain("x"),
            None,
        );
        let Value::Object(fields) = fields.clone() else { panic!("no object") };
        with_fields(&plain[0], method, fields)
    }

    fn shown(dressed: &Dressed) -> Value {
        match &dressed.call {
            Some(call) => json!([call.method, fields_of(call)]),
            None => Value::Null,
        }
    }

    fn link(words: &str, url: Option<&str>) -> Stand {
        Stand::Link { words: words.to_owned(), url: url.map(str::to_owned) }
    }

    fn kept(id: &str, form: Form) -> Stand {
        Stand::Kept { id: id.to_owned(), form }
    }

    fn upload(form: Form) -> Stand {
        let (bytes, file_name) = (Bytes::from_static(b"x"), "picture.jpg".to_owned());
        Stand::Upload(Upload { bytes, form, file_name, mime: "image/jpeg" })
    }

    use bytes::Bytes;

    const URL: &str = "https://a.example/a.jpg";

    #[test]
    fn a_photo_goes_by_address_id_upload_file_and_link() {
        let call = call(
            "sendPhoto",
            &json!({
                "photo": URL, "caption": "Hi", "has_spoiler": true, "disable_notification": true,
                "reply_markup": { "inline_keyboard": [] },
            }),
        );
        let slots = slots(&call);
        assert_eq!(slots, [Slot { url: URL.into(), form: Form::Picture, means: Means::All }]);
        assert_eq!(dress(&call, &[Stand::Address]).call.as_ref(), Some(&call));

        let by_id = dress(&call, &[kept("AgAC", Form::Picture)]);
        assert_eq!(shown(&by_id)[1]["photo"], "AgAC");
        assert_eq!(by_id.shown, [(0, Form::Picture)]);

        let sent = dress(&call, &[upload(Form::Picture)]);
        assert_eq!(shown(&sent)[1]["photo"], "attach://file0");
        assert_eq!(sent.uploads[0].0, "file0");

        let file = dress(&call, &[upload(Form::File)]);
        assert_eq!(
            shown(&file),
            json!(["sendDocument", {
                "document": "attach://file0", "caption": "Hi", "disable_notification": true,
                "reply_markup": { "inline_keyboard": [] },
            }])
        );
        assert_eq!(file.shown, [(0, Form::File)]);

        let text = dress(&call, &[link("A dog", Some(URL))]);
        assert_eq!(
            shown(&text),
            json!(["sendMessage", {
                "text": "Hi", "disable_notification": true,
                "reply_markup": { "inline_keyboard": [] },
                "link_preview_options":
                    { "url": URL, "prefer_large_media": true, "show_above_text": true },
            }])
        );
        let dead = dress(&call, &[link("A dog", None)]);
        assert_eq!(shown(&dead)[1]["link_preview_options"], json!({ "is_disabled": true }));
        assert_eq!(shown(&dead)[1]["text"], "Hi");
    }

    #[test]
    fn without_a_caption_a_link_says_what_it_is_called() {
        let bare = call("sendAudio", &json!({ "audio": URL, "title": "T", "duration": 5 }));
        let text = dress(&bare, &[link("An episode", Some(URL))]);
        assert_eq!(
            shown(&text),
            json!(["sendMessage", {
                "text": "An episode",
                "entities": [{ "type": "text_link", "offset": 0, "length": 10, "url": URL }],
                "link_preview_options": { "is_disabled": true },
            }])
        );
        let named = dress(&bare, &[link("", Some(URL))]);
        assert_eq!(shown(&named)[1]["text"], "a.jpg");
        let dead = dress(&bare, &[link("An episode", None)]);
        assert_eq!(shown(&dead)[1]["text"], "An episode");
        assert_eq!(shown(&dress(&bare, &[link("", None)])), Value::Null);

        let captioned = call("sendVideo", &json!({ "video": URL, "caption": "é🙂" }));
        let text = dress(&captioned, &[link("Film", Some(URL))]);
        assert_eq!(shown(&text)[1]["text"], "é🙂\nFilm");
        assert_eq!(shown(&text)[1]["entities"][0]["offset"], 4);
    }

    #[test]
    fn the_cover_of_a_video_is_left_out_in_silence() {
        let video = call("sendVideo", &json!({ "video": URL, "cover": "https://a.example/c.png" }));
        assert_eq!(slots(&video)[1].means, Means::Spare);
        let bare = dress(&video, &[kept("v", Form::Video), link("", None)]);
        assert_eq!(shown(&bare), json!(["sendVideo", { "video": "v" }]));
        let sent = dress(&video, &[upload(Form::Video), upload(Form::Picture)]);
        assert_eq!(sent.uploads.len(), 2);
        assert_ne!(shown(&sent)[1]["video"], shown(&sent)[1]["cover"]);
        assert_eq!(sent.shown, [(0, Form::Video)]);
    }

    fn album() -> Call {
        let item = |kind: &str, at: usize| json!({ "type": kind, "media": format!("{URL}?{at}") });
        let mut first = item("photo", 0);
        first["caption"] = json!("Hi");
        call("sendMediaGroup", &json!({ "media": [first, item("photo", 1), item("video", 2)] }))
    }

    #[test]
    fn one_bad_item_never_sinks_an_album() {
        let call = album();
        let forms: Vec<Form> = slots(&call).iter().map(|slot| slot.form).collect();
        assert_eq!(forms, [Form::Picture, Form::Picture, Form::Video]);

        let stands = [link("", None), Stand::Address, kept("v", Form::Video)];
        let two = dress(&call, &stands);
        assert_eq!(
            shown(&two),
            json!(["sendMediaGroup", { "media": [
                { "type": "photo", "media": format!("{URL}?1"), "caption": "Hi" },
                { "type": "video", "media": "v" },
            ]}])
        );
        assert_eq!(two.shown, [(1, Form::Picture), (2, Form::Video)]);

        let stands = [Stand::Address, upload(Form::File), link("Film", Some(URL))];
        let one = dress(&call, &stands);
        assert_eq!(shown(&one)[0], "sendPhoto");
        assert_eq!(shown(&one)[1]["photo"], format!("{URL}?0"));
        assert_eq!(shown(&one)[1]["caption"], "Hi\na.jpg\nFilm");
        assert!(one.uploads.is_empty());
        assert_eq!(one.shown, [(0, Form::Picture)]);

        let none = dress(&call, &[link("", None), link("", None), link("Film", Some(URL))]);
        assert_eq!(shown(&none)[0], "sendMessage");
        assert_eq!(shown(&none)[1]["text"], "Hi\nFilm");
    }

    #[test]
    fn ids_are_read_from_the_answer() {
        let observed = |body: Value| Observed::Answered {
            status: 200,
            retry_after: None,
            body: body.to_string().into_bytes(),
        };
        let photo = observed(json!({ "ok": true, "result": {
            "message_id": 1, "photo": [{ "file_id": "s" }, { "file_id": "l" }],
        }}));
        assert_eq!(kept_ids(&photo, &[Form::Picture]), [Some((Form::Picture, "l".into()))]);
        let gif = observed(json!({ "ok": true, "result": {
            "message_id": 1, "animation": { "file_id": "a" }, "document": { "file_id": "a" },
        }}));
        assert_eq!(kept_ids(&gif, &[Form::Animation]), [Some((Form::Animation, "a".into()))]);
        assert_eq!(kept_ids(&gif, &[Form::File]), [Some((Form::File, "a".into()))]);
        assert_eq!(kept_ids(&gif, &[Form::Picture]), [Some((Form::Animation, "a".into()))]);
        let album = observed(json!({ "ok": true, "result": [
            { "photo": [{ "file_id": "p" }] }, { "text": "?" }, { "video": { "file_id": "v" } },
        ]}));
        let forms = [Form::Picture, Form::Picture, Form::Video];
        let ids = kept_ids(&album, &forms);
        assert_eq!(ids[0], Some((Form::Picture, "p".into())));
        assert_eq!((&ids[1], &ids[2]), (&None, &Some((Form::Video, "v".into()))));
        let video = observed(json!({ "ok": true, "result": {
            "video": { "file_id": "v", "cover": [{ "file_id": "c" }] },
        }}));
        assert_eq!(cover_id(&video), Some("c".into()));
        for body in [json!({}), json!([]), json!({ "result": 5 })] {
            assert!(kept_ids(&observed(body), &[Form::File]).iter().all(Option::is_none));
        }
    }
}
