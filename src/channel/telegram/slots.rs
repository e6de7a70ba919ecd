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

mod item;

mod album;

mod rich;

mod words;

mod ids;

use serde_json::{Map, Value};

use crate::channel::Call;
use crate::channel::slots::{Dressed, Slot, Stand, fields_of, with_fields};
use crate::channel::telegram::slots::album::dress_album;
use crate::channel::telegram::slots::item::{Item, Stands, Ways, slots_of};
use crate::channel::telegram::slots::words::text_instead;
use crate::model::media::Form;

pub(crate) use crate::channel::telegram::slots::ids::{cover_id, kept_ids};

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
            let mut item = Item { form, is_in_album: false, slot: None, fields };
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
            let form = form_of_item(&item);
            let mut item = Item { form, is_in_album: false, slot: None, fields: item };
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::channel::slots::{Means, Upload};

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

    #[test]
    fn a_sound_that_an_edit_brings_as_a_file_keeps_its_name() {
        let item = json!({ "type": "audio", "media": URL, "title": "T", "performer": "P" });
        let call = call("editMessageMedia", &json!({ "message_id": 7, "media": item }));
        let media = shown(&dress(&call, &[upload(Form::File)]))[1]["media"].take();
        let file = json!({ "type": "document", "media": "attach://file0", "caption": "P – T" });
        assert_eq!(media, file);
    }

    #[test]
    fn of_an_album_of_links_only_the_one_that_is_previewed_goes_without_its_name() {
        let stands = [link("One", Some(URL)), link("Two", Some(URL)), link("Lost", None)];
        let text = dress(&album(), &stands);
        assert_eq!(shown(&text)[1]["text"], "Hi\nTwo");
        assert_eq!(shown(&text)[1]["link_preview_options"]["url"], URL);
    }
}
