//! The media of the Bot API's calls, and the calls for other ways of sending them.
//!
//! - A single medium that becomes a file changes the method; one that becomes a link makes a text
//!   of its caption, with the buttons below it.
//! - An album goes on without those of its media that can't be shown in it; with one left it is a
//!   single medium, with none a text. The caption stays, and the addresses of what was left out
//!   follow it while there is room.
//! - The cover of a video and the picture of a rich message are left out where they can't be had;
//!   a thumbnail goes only along with a file that is uploaded.
//!
//! Source: Bot API reference, "Sending files", `InputMedia`, `sendMediaGroup`.

mod ids;

mod rich;

use serde_json::{Map, Value, json};

use crate::channel::Call;
use crate::channel::cut::units;
use crate::channel::slots::{
    Dressed, Means, Slot, Stand, Upload, fields_of, is_address, with_fields, words_for,
};
use crate::channel::telegram::lower::{CAPTION_UNITS_MAX, TEXT_UNITS_MAX};
use crate::model::media::Form;

pub(crate) use crate::channel::telegram::slots::ids::{cover_id, kept_ids};

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

/// Methods that may have a rich message, whose pictures stand in its HTML.
const RICH: [&str; 2] = ["sendRichMessage", "editMessageText"];

/// Puts another file into a message that is there.
const EDIT: &str = "editMessageMedia";

/// The media of a call, in their order; empty for calls without. Behind each its cover and its
/// thumbnail follow, if it has them.
pub(crate) fn slots(call: &Call) -> Vec<Slot> {
    let mut slots = Vec::new();
    match (call.method, single(call.method)) {
        (_, Some((form, field))) => slots_of(&fields_of(call), form, field, &mut slots),
        (ALBUM, _) => {
            let fields = fields_of(call);
            items(&fields).for_each(|it| slots_of(it, form_of_item(it), "media", &mut slots));
        }
        (EDIT, _) => {
            let fields = fields_of(call);
            if let Some(item) = fields.get("media").and_then(Value::as_object) {
                slots_of(item, form_of_item(item), "media", &mut slots);
            }
        }
        (method, _) if RICH.contains(&method) && call.rest.contains("\"rich_message\"") => {
            return rich::slots(&fields_of(call));
        }
        _ => {}
    }
    slots
}

/// The call for the ways of its media, one for each of [`slots`].
///
/// An edit whose medium can't be had comes to nothing: the words alone are another call.
pub(crate) fn dress(call: &Call, stands: &[Stand]) -> Dressed {
    let mut fields = fields_of(call);
    let mut dressed = Dressed::default();
    match (call.method, single(call.method)) {
        (_, Some((form, field))) => {
            let ways = Stands { stands, slot: 0 }.next(&fields, field);
            let mut item = Item { form, slot: None, fields };
            match &ways {
                Some(Ways { main: Stand::Link { words, url }, .. }) => {
                    let link = [(form, words.as_str(), url.as_deref())];
                    dressed.call = text_instead(call, item.fields, &link);
                    return dressed;
                }
                Some(ways) => item.take(field, ways, &mut dressed.uploads),
                None => {}
            }
            dressed.call = Some(item.call(call, &mut dressed.shown));
        }
        (ALBUM, _) => return dress_album(call, fields, stands),
        (EDIT, _) => {
            let Some(Value::Object(item)) = fields.remove("media") else { return dressed };
            let mut item = Item { form: form_of_item(&item), slot: None, fields: item };
            let ways = Stands { stands, slot: 0 }.next(&item.fields, "media");
            match ways {
                Some(Ways { main: Stand::Link { .. }, .. }) => return dressed,
                Some(ways) => item.take("media", &ways, &mut dressed.uploads),
                None => {}
            }
            dressed.shown.extend(item.slot.map(|slot| (slot, item.form)));
            fields.insert("media".to_owned(), Value::Object(item.fields));
            dressed.call = Some(with_fields(call, call.method, fields));
        }
        (method, _) if RICH.contains(&method) => {
            rich::dress(&mut fields, stands, &mut dressed);
            dressed.call = Some(with_fields(call, call.method, fields));
        }
        _ => dressed.call = Some(call.clone()),
    }
    dressed
}

/// A medium, and what is shown for it where it does not move.
fn slots_of(fields: &Map<String, Value>, form: Form, field: &str, slots: &mut Vec<Slot>) {
    let means = [(Means::All, field), (Means::Spare, "cover"), (Means::Thumbnail, "thumbnail")];
    for (means, field) in means {
        match fields.get(field).and_then(Value::as_str).filter(|url| is_address(url)) {
            Some(url) => {
                let form = if means == Means::All { form } else { Form::Picture };
                slots.push(Slot { url: url.to_owned(), form, means });
            }
            None if means == Means::All => return,
            None => {}
        }
    }
}

/// The ways of a call's media, as far as they were not taken.
struct Stands<'a> {
    stands: &'a [Stand],
    slot: usize,
}

/// The ways of one medium.
struct Ways<'a> {
    slot: usize,
    main: &'a Stand,
    cover: Option<&'a Stand>,
    thumbnail: Option<&'a Stand>,
}

impl<'a> Stands<'a> {
    /// Reads what [`slots_of`] reads.
    fn next(&mut self, fields: &Map<String, Value>, field: &str) -> Option<Ways<'a>> {
        let slot = self.slot;
        let mut take = |field: &str| {
            fields.get(field).and_then(Value::as_str).filter(|url| is_address(url))?;
            let stand = self.stands.get(self.slot)?;
            self.slot += 1;
            Some(stand)
        };
        let main = take(field)?;
        Some(Ways { slot, main, cover: take("cover"), thumbnail: take("thumbnail") })
    }
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
    /// Puts the medium into its field, and its pictures beside it; another form loses what only
    /// the old one knew.
    fn take(&mut self, field: &str, ways: &Ways<'_>, uploads: &mut Vec<(String, Upload)>) {
        self.slot = Some(ways.slot);
        let (value, form) = match ways.main {
            Stand::Kept { id, form } => (Some(id.clone()), *form),
            Stand::Upload(upload) => (Some(attach(uploads, upload)), upload.form),
            Stand::Address | Stand::Link { .. } => (None, self.form),
        };
        // It counts only beside a file that comes along.
        let goes_along = matches!(ways.main, Stand::Upload(_));
        let thumbnail = ways.thumbnail.filter(|stand| matches!(stand, Stand::Upload(_)));
        let thumbnail = thumbnail.filter(|_| goes_along);
        if form != self.form {
            let title = self.title().filter(|_| field != "media");
            let own = OWN_FIELDS.iter().chain(&SOUND_FIELDS);
            for name in own {
                self.fields.remove(*name);
            }
            self.form = form;
            let (_, word) = single_of(form);
            let named = if field == "media" { "media" } else { word };
            if field == "media" {
                self.fields.insert("type".to_owned(), json!(word));
            }
            self.fields.insert(named.to_owned(), json!(value));
            if let Some(title) = title {
                self.fields.entry("caption").or_insert(json!(title));
            }
            if form == Form::File {
                self.take_picture("thumbnail", thumbnail, false, uploads);
            }
            return;
        }
        if let Some(value) = value {
            self.fields.insert(field.to_owned(), json!(value));
        }
        self.take_picture("cover", ways.cover, true, uploads);
        self.take_picture("thumbnail", thumbnail, false, uploads);
    }

    /// What a sound is called in fields of its own, which other forms lack.
    fn title(&self) -> Option<String> {
        let text = |name: &str| self.fields.get(name).and_then(Value::as_str);
        match (text("title")?, text("performer")) {
            (title, Some(performer)) => Some(format!("{performer} – {title}")),
            (title, None) => Some(title.to_owned()),
        }
    }

    /// A picture that may be missing.
    fn take_picture(
        &mut self,
        field: &str,
        stand: Option<&Stand>,
        may_stay: bool,
        uploads: &mut Vec<(String, Upload)>,
    ) {
        let value = match stand {
            Some(Stand::Address) => return,
            None if may_stay => return,
            Some(Stand::Kept { id, form: Form::Picture }) => Some(id.clone()),
            Some(Stand::Upload(upload)) if upload.form == Form::Picture => {
                Some(attach(uploads, upload))
            }
            None | Some(Stand::Kept { .. } | Stand::Upload(_) | Stand::Link { .. }) => None,
        };
        match value {
            Some(value) => drop(self.fields.insert(field.to_owned(), json!(value))),
            None => drop(self.fields.remove(field)),
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
    let mut stands = Stands { stands, slot: 0 };
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
        if let Some(ways) = stands.next(&item.fields, "media") {
            match ways.main {
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
                _ => item.take("media", &ways, &mut dressed.uploads),
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
    fn a_thumbnail_goes_along_with_an_upload_and_with_nothing_else() {
        let cover = "https://a.example/c.png";
        let sound = json!({ "audio": URL, "title": "T", "thumbnail": cover });
        let call = call("sendAudio", &sound);
        let means: Vec<Means> = slots(&call).iter().map(|slot| slot.means).collect();
        assert_eq!(means, [Means::All, Means::Thumbnail]);
        let thumbnail = |main: Stand, stand: Stand| {
            let dressed = dress(&call, &[main, stand]);
            (shown(&dressed)[1]["thumbnail"].take(), dressed.uploads.len())
        };
        let both = thumbnail(upload(Form::Sound), upload(Form::Picture));
        assert_eq!(both, (json!("attach://file1"), 2));
        for (main, stand, uploads) in [
            (Stand::Address, upload(Form::Picture), 0),
            (kept("a", Form::Sound), upload(Form::Picture), 0),
            (upload(Form::Sound), link("", None), 1),
            (upload(Form::Sound), Stand::Address, 1),
        ] {
            let told = format!("{main:?} {stand:?}");
            assert_eq!(thumbnail(main, stand), (Value::Null, uploads), "{told}");
        }
    }

    #[test]
    fn a_sound_that_becomes_a_file_keeps_its_name_and_its_picture() {
        let cover = "https://a.example/c.png";
        let mut sound = json!({
            "audio": URL, "title": "T", "performer": "P", "duration": 5, "thumbnail": cover,
        });
        let file = |sound: &Value| {
            let dressed =
                dress(&call("sendAudio", sound), &[upload(Form::File), upload(Form::Picture)]);
            shown(&dressed)
        };
        let (named, picture) = ("attach://file0", "attach://file1");
        let expected = json!({ "document": named, "caption": "P – T", "thumbnail": picture });
        assert_eq!(file(&sound), json!(["sendDocument", expected]));
        sound["caption"] = json!("Words");
        assert_eq!(file(&sound)[1]["caption"], "Words");
    }

    #[test]
    fn covers_stand_behind_their_videos_in_albums_too() {
        let film = json!({ "type": "video", "media": URL, "cover": "https://a.example/c.png" });
        let photo = json!({ "type": "photo", "media": "https://a.example/p.png" });
        let call = call("sendMediaGroup", &json!({ "media": [film, photo] }));
        let means: Vec<Means> = slots(&call).iter().map(|slot| slot.means).collect();
        assert_eq!(means, [Means::All, Means::Spare, Means::All]);
        let stands = [Stand::Address, link("", None), kept("p", Form::Picture)];
        let dressed = dress(&call, &stands);
        let media = shown(&dressed)[1]["media"].take();
        let film = json!({ "type": "video", "media": URL });
        assert_eq!(media, json!([film, { "type": "photo", "media": "p" }]));
        assert_eq!(dressed.shown, [(0, Form::Video), (2, Form::Picture)]);
    }

    #[test]
    fn an_edit_brings_its_file_or_is_left_to_its_words() {
        let item = json!({ "type": "photo", "media": URL, "caption": "Hi" });
        let call = call("editMessageMedia", &json!({ "message_id": 7, "media": item }));
        assert_eq!(slots(&call)[0].means, Means::All);
        let media = |stand: Stand| shown(&dress(&call, &[stand]))[1]["media"].take();
        assert_eq!(media(Stand::Address), item);
        let by_id = json!({ "type": "photo", "media": "p", "caption": "Hi" });
        assert_eq!(media(kept("p", Form::Picture)), by_id);
        let file = json!({ "type": "document", "media": "attach://file0", "caption": "Hi" });
        assert_eq!(media(upload(Form::File)), file);
        assert_eq!(dress(&call, &[link("A dog", Some(URL))]).call, None);
    }
}
