//! The media of the Send API's calls, and the calls for other ways of sending them.
//!
//! A file is uploaded ahead of its message, by its address or its bytes, and then named by its
//! `attachment_id`; so is the one of a media template. One that is for a single message comes along
//! with that, and is not kept for others. The pictures of cards and grids go by
//! address only: a card goes without one rather than not at all, a grid without those that can't
//! be had, and as a card where less than two are left. Source: Messenger Platform, "Send API",
//! "Attachment Upload API".

use serde_json::{Map, Value, json};

use crate::channel::cut::units;
use crate::channel::messenger::lower::TEXT_UNITS_MAX;
use crate::channel::messenger::lower::template::{GRID_IMAGES, TEMPLATE_TEXT_UNITS_MAX};
use crate::channel::slots::{
    Dressed, Means, Slot, Stand, fields_of, is_address, with_fields, words_for,
};
use crate::channel::{Call, Observed};
use crate::model::media::Form;

/// The part of a form with the file of a message.
const FILE_PART: &str = "filedata";

/// What stands for a text that a template needs and nobody wrote.
const NO_WORDS: &str = "…";

/// The words for the forms of attachments.
const TYPES: [(&str, Form); 4] = [
    ("image", Form::Picture),
    ("video", Form::Video),
    ("audio", Form::Sound),
    ("file", Form::File),
];

/// The word for a form.
pub(crate) fn type_of(form: Form) -> &'static str {
    let form = if form == Form::Animation { Form::Picture } else { form };
    TYPES.iter().find(|(_, known)| *known == form).map_or("file", |(word, _)| word)
}

/// The media of a call, in their order.
pub(crate) fn slots(call: &Call) -> Vec<Slot> {
    if !call.rest.contains("\"attachment") {
        return Vec::new();
    }
    let mut fields = fields_of(call);
    let mut slots = Vec::new();
    each(&mut fields, &mut |place| {
        if let Some(slot) = place.slot() {
            slots.push(slot);
        }
        Keep::Yes
    });
    slots
}

/// The call for the ways of its media, one for each of [`slots`].
pub(crate) fn dress(call: &Call, stands: &[Stand]) -> Dressed {
    let mut fields = fields_of(call);
    let mut links = Vec::new();
    let (mut shown, mut uploads) = (Vec::new(), Vec::new());
    let mut at = 0;
    each(&mut fields, &mut |mut place| {
        let (Some(slot), Some(stand)) = (place.slot(), stands.get(at)) else { return Keep::Yes };
        let number = at;
        at += 1;
        match stand {
            Stand::Address => {
                if slot.means == Means::All {
                    shown.push((number, slot.form));
                }
                Keep::Yes
            }
            Stand::Kept { id, form } => {
                place.name_by_id(id, *form);
                shown.push((number, *form));
                Keep::Yes
            }
            Stand::Upload(upload) if uploads.is_empty() && place.brings_file() => {
                uploads.push((FILE_PART.to_owned(), upload.clone()));
                shown.push((number, upload.form));
                Keep::Yes
            }
            // Of several files none goes along with a call: what was not uploaded ahead is a link.
            Stand::Upload(_) => {
                links.push((String::new(), Some(slot.url)));
                Keep::No
            }
            Stand::Link { words, url } => {
                links.push((words.clone(), url.clone()));
                Keep::No
            }
        }
    });
    put_words(&mut fields, &links);
    let call = if has_content(&fields) {
        Some(with_fields(call, call.method, fields))
    } else {
        text_instead(call, fields, &links)
    };
    Dressed { call, uploads, shown }
}

/// The id of an attachment that an answer tells: of an upload, or of a reusable one that was sent.
pub(crate) fn kept_id(observed: &Observed) -> Option<String> {
    let Observed::Answered { status: 200..=299, body, .. } = observed else { return None };
    let answer: Value = serde_json::from_slice(body).ok()?;
    match answer.get("attachment_id")? {
        Value::String(id) if !id.is_empty() => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

/// Whether a place stays in its call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    Yes,
    No,
}

/// Where a medium stands.
enum Place<'a> {
    /// `{"type": …, "payload": {"url": …}}`
    Attachment(&'a mut Map<String, Value>),
    /// The element of a generic template.
    Card(&'a mut Map<String, Value>),
    /// One image of a grid.
    Tile(&'a mut Map<String, Value>),
    /// The element of a media template.
    Media(&'a mut Map<String, Value>),
}

impl Place<'_> {
    fn slot(&self) -> Option<Slot> {
        let text = |fields: &Map<String, Value>, name: &str| {
            let url = fields.get(name)?.as_str()?;
            is_address(url).then(|| url.to_owned())
        };
        match self {
            Self::Attachment(fields) => {
                let word = fields.get("type")?.as_str()?;
                let (_, form) = TYPES.iter().find(|(known, _)| *known == word)?;
                let url = text(fields.get("payload")?.as_object()?, "url")?;
                Some(Slot { url, form: *form, means: Means::All })
            }
            Self::Card(fields) => {
                let url = text(fields, "image_url")?;
                Some(Slot { url, form: Form::Picture, means: Means::AddressOnly })
            }
            Self::Tile(fields) => {
                let url = text(fields, "url")?;
                Some(Slot { url, form: Form::Picture, means: Means::AddressOnly })
            }
            Self::Media(fields) => {
                let url = text(fields, "url")?;
                // Its own pages are the only addresses that the service takes here.
                if url.starts_with("https://www.facebook.com/") {
                    return None;
                }
                let is_video = fields.get("media_type").and_then(Value::as_str) == Some("video");
                let form = if is_video { Form::Video } else { Form::Picture };
                Some(Slot { url, form, means: Means::KeptOnly })
            }
        }
    }

    /// Has the file come along with the call, for this message and no other; false where it can't.
    fn brings_file(&mut self) -> bool {
        let Self::Attachment(fields) = self else { return false };
        fields.insert("payload".to_owned(), json!({}));
        true
    }

    fn name_by_id(&mut self, id: &str, form: Form) {
        match self {
            Self::Attachment(fields) => {
                fields.insert("type".to_owned(), json!(type_of(form)));
                fields.insert("payload".to_owned(), json!({ "attachment_id": id }));
            }
            Self::Media(fields) => {
                fields.remove("url");
                fields.insert("attachment_id".to_owned(), json!(id));
            }
            Self::Card(_) | Self::Tile(_) => {}
        }
    }
}

/// Goes through the places of a call's message, and takes out those that are not kept.
fn each(fields: &mut Map<String, Value>, visit: &mut dyn FnMut(Place<'_>) -> Keep) {
    let Some(message) = fields.get_mut("message").and_then(Value::as_object_mut) else { return };
    if let Some(Value::Array(attachments)) = message.get_mut("attachments") {
        attachments.retain_mut(|one| match one.as_object_mut() {
            Some(one) => visit(Place::Attachment(one)) == Keep::Yes,
            None => true,
        });
        if attachments.is_empty() {
            message.remove("attachments");
        }
    }
    let Some(attachment) = message.get_mut("attachment").and_then(Value::as_object_mut) else {
        return;
    };
    let payload = attachment.get_mut("payload").and_then(Value::as_object_mut);
    let template = payload.filter(|payload| payload.contains_key("template_type"));
    let keep = match template {
        Some(payload) => each_element(payload, visit),
        None => visit(Place::Attachment(attachment)),
    };
    if keep == Keep::No {
        message.remove("attachment");
    }
}

fn each_element(
    payload: &mut Map<String, Value>,
    visit: &mut dyn FnMut(Place<'_>) -> Keep,
) -> Keep {
    let kind = payload.get("template_type").and_then(Value::as_str).map(str::to_owned);
    let Some(elements) = payload.get_mut("elements").and_then(Value::as_array_mut) else {
        return Keep::Yes;
    };
    let mut elements = elements.iter_mut().filter_map(Value::as_object_mut);
    match kind.as_deref() {
        Some("media") => {
            let Some(element) = elements.next() else { return Keep::Yes };
            if visit(Place::Media(element)) == Keep::Yes {
                return Keep::Yes;
            }
            // Its buttons stay, below words.
            let Some(buttons) = element.remove("buttons") else { return Keep::No };
            *payload = Map::from_iter([
                ("template_type".to_owned(), json!("button")),
                ("text".to_owned(), json!(NO_WORDS)),
                ("buttons".to_owned(), buttons),
            ]);
        }
        Some("image_grid") => {
            let Some(grid) = elements.next() else { return Keep::Yes };
            let Some(images) = grid.get_mut("images").and_then(Value::as_array_mut) else {
                return Keep::Yes;
            };
            images.retain_mut(|image| match image.as_object_mut() {
                Some(image) => visit(Place::Tile(image)) == Keep::Yes,
                None => true,
            });
            if images.len() < *GRID_IMAGES.start() {
                let card = card_of(grid);
                *payload = Map::from_iter([
                    ("template_type".to_owned(), json!("generic")),
                    ("elements".to_owned(), json!([card])),
                ]);
            }
        }
        _ => {
            for element in elements {
                if visit(Place::Card(element)) == Keep::No {
                    element.remove("image_url");
                    fill(element);
                }
            }
        }
    }
    Keep::Yes
}

/// A grid as a card with its one image, or with none.
fn card_of(grid: &mut Map<String, Value>) -> Map<String, Value> {
    let images = grid.remove("images").unwrap_or_default();
    let mut card = std::mem::take(grid);
    if let Some(url) = images.pointer("/0/url") {
        card.insert("image_url".to_owned(), url.clone());
    }
    if let Some(action) = images.pointer("/0/action") {
        card.insert("default_action".to_owned(), action.clone());
    }
    fill(&mut card);
    card
}

/// The API wants one property beside the title.
fn fill(card: &mut Map<String, Value>) {
    if card.len() == 1 {
        card.insert("subtitle".to_owned(), json!(NO_WORDS));
    }
}

/// Says above the buttons of a template what the medium above them would have been.
fn put_words(fields: &mut Map<String, Value>, links: &[(String, Option<String>)]) {
    let payload = fields.get_mut("message").and_then(|it| it.pointer_mut("/attachment/payload"));
    let Some(payload) = payload.filter(|it| it["text"] == NO_WORDS) else { return };
    let text = lines(links, TEMPLATE_TEXT_UNITS_MAX);
    if !text.is_empty() {
        payload["text"] = json!(text);
    }
}

fn has_content(fields: &Map<String, Value>) -> bool {
    let content = ["text", "attachment", "attachments", "template"];
    let message = fields.get("message").and_then(Value::as_object);
    message.is_some_and(|message| content.iter().any(|name| message.contains_key(*name)))
}

/// What the media are called and where they are, a line each; `None` when there is nothing to say.
fn text_instead(
    call: &Call,
    mut fields: Map<String, Value>,
    links: &[(String, Option<String>)],
) -> Option<Call> {
    let mut text = lines(links, TEXT_UNITS_MAX);
    let message = fields.get_mut("message")?.as_object_mut()?;
    if text.is_empty() {
        if !message.contains_key("quick_replies") {
            return None;
        }
        text.push_str(NO_WORDS);
    }
    message.insert("text".to_owned(), json!(text));
    Some(with_fields(call, call.method, fields))
}

fn lines(links: &[(String, Option<String>)], units_max: usize) -> String {
    let mut text = String::new();
    for (words, url) in links {
        let words = words_for(words, None);
        let line = match url {
            Some(url) if words.is_empty() => url.clone(),
            Some(url) => format!("{words}\n{url}"),
            None => words,
        };
        if line.is_empty() || units(&text) + units(&line) + 1 > units_max {
            continue;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&line);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://a.example/a.jpg";

    fn call(message: &Value) -> Call {
        let plain = crate::channel::messenger::lower::lower(
            &crate::model::message::Message::from_plain("x"),
        );
        let mut fields = fields_of(&plain[0]);
        fields.insert("message".to_owned(), message.clone());
        with_fields(&plain[0], "messages", fields)
    }

    fn message(dressed: &Dressed) -> Value {
        dressed.call.as_ref().map(|call| fields_of(call)["message"].take()).unwrap_or_default()
    }

    fn link(words: &str, url: Option<&str>) -> Stand {
        Stand::Link { words: words.to_owned(), url: url.map(str::to_owned) }
    }

    fn kept(id: &str, form: Form) -> Stand {
        Stand::Kept { id: id.to_owned(), form }
    }

    #[test]
    fn an_attachment_goes_by_address_id_file_and_link() {
        let payload = json!({ "url": URL, "is_reusable": true });
        let replies = json!([{ "content_type": "text", "title": "More", "payload": "more" }]);
        let call = call(&json!({
            "attachment": { "type": "image", "payload": payload }, "quick_replies": replies,
        }));
        assert_eq!(
            slots(&call),
            [Slot { url: URL.into(), form: Form::Picture, means: Means::All }]
        );
        assert_eq!(dress(&call, &[Stand::Address]).call.as_ref(), Some(&call));
        for (form, word) in [(Form::Picture, "image"), (Form::File, "file")] {
            let dressed = dress(&call, &[kept("7", form)]);
            let expected = json!({
                "attachment": { "type": word, "payload": { "attachment_id": "7" } },
                "quick_replies": replies,
            });
            assert_eq!(message(&dressed), expected);
            assert_eq!(dressed.shown, [(0, form)]);
        }
        let upload = crate::channel::slots::Upload {
            bytes: bytes::Bytes::from_static(b"{}"),
            form: Form::File,
            file_name: "my-data.json".to_owned(),
            mime: "application/json",
        };
        let dressed = dress(&call, &[Stand::Upload(upload.clone())]);
        // It is this message's: nothing says that it may be used again.
        assert_eq!(message(&dressed)["attachment"]["payload"], json!({}));
        assert_eq!(dressed.uploads, [("filedata".to_owned(), upload)]);
        assert_eq!(dressed.shown, [(0, Form::File)]);
        let text = |words: &str, url| message(&dress(&call, &[link(words, url)]))["text"].take();
        assert_eq!(text("A dog", Some(URL)), format!("A dog\n{URL}"));
        assert_eq!(text("", Some(URL)), URL);
        assert_eq!(text("A dog", None), "A dog");
        assert_eq!(text("", None), NO_WORDS);
    }

    #[test]
    fn what_is_nothing_is_not_sent() {
        let call = call(&json!({ "attachment": { "type": "audio", "payload": { "url": URL } } }));
        assert_eq!(dress(&call, &[link("", None)]).call, None);
    }

    #[test]
    fn an_album_goes_on_without_its_bad_item() {
        let one =
            |at: usize| json!({ "type": "image", "payload": { "url": format!("{URL}?{at}") } });
        let call = call(&json!({ "attachments": [one(0), one(1), one(2)] }));
        let stands = [Stand::Address, link("", None), kept("7", Form::Picture)];
        let dressed = dress(&call, &stands);
        assert_eq!(
            message(&dressed)["attachments"],
            json!([one(0), { "type": "image", "payload": { "attachment_id": "7" } }])
        );
        assert_eq!(dressed.shown, [(0, Form::Picture), (2, Form::Picture)]);
        let none = dress(&call, &[link("", None), link("b", Some(URL)), link("c", None)]);
        assert_eq!(message(&none), json!({ "text": format!("b\n{URL}\nc") }));
    }

    #[test]
    fn a_card_goes_without_its_picture_rather_than_not_at_all() {
        let elements = json!([
            { "title": "a", "image_url": URL }, { "title": "b", "subtitle": "s", "image_url": URL },
        ]);
        let payload = json!({ "template_type": "generic", "elements": elements });
        let call = call(&json!({ "attachment": { "type": "template", "payload": payload } }));
        assert!(slots(&call).iter().all(|slot| slot.means == Means::AddressOnly));
        let dressed = dress(&call, &[link("", None), Stand::Address]);
        assert_eq!(
            message(&dressed)["attachment"]["payload"]["elements"],
            json!([
                { "title": "a", "subtitle": NO_WORDS },
                { "title": "b", "subtitle": "s", "image_url": URL },
            ])
        );
    }

    #[test]
    fn a_media_template_names_what_is_kept() {
        let element = json!({ "media_type": "video", "url": URL, "buttons": [{ "title": "b" }] });
        let payload = json!({ "template_type": "media", "elements": [element] });
        let call = call(&json!({ "attachment": { "type": "template", "payload": payload } }));
        assert_eq!(slots(&call)[0].means, Means::KeptOnly);
        let dressed = dress(&call, &[kept("7", Form::Video)]);
        assert_eq!(
            message(&dressed)["attachment"]["payload"]["elements"],
            json!([{ "media_type": "video", "attachment_id": "7", "buttons": [{ "title": "b" }] }])
        );
        let bare = dress(&call, &[link("", None)]);
        assert_eq!(
            message(&bare)["attachment"]["payload"],
            json!({ "template_type": "button", "text": NO_WORDS, "buttons": [{ "title": "b" }] })
        );
        let named = dress(&call, &[link("A film", Some(URL))]);
        let text = message(&named)["attachment"]["payload"]["text"].take();
        assert_eq!(text, format!("A film\n{URL}"));
    }

    #[test]
    fn only_the_services_own_pages_have_no_slot_in_a_media_template() {
        let count = |url: &str| {
            let element = json!({ "media_type": "image", "url": url });
            let payload = json!({ "template_type": "media", "elements": [element] });
            let message = json!({ "attachment": { "type": "template", "payload": payload } });
            slots(&call(&message)).len()
        };
        assert_eq!(count("https://www.facebook.com/a/photos/1"), 0);
        assert_eq!(count("https://a.example/p?from=https://www.facebook.com/a"), 1);
    }

    #[test]
    fn a_grid_goes_on_without_its_bad_images_and_becomes_a_card() {
        let open = json!({ "type": "web_url", "url": "https://a.example/" });
        let image = |at: usize| json!({ "url": format!("{URL}?{at}"), "action": open });
        let grid = json!({ "images": [image(0), image(1), image(2)], "title": "t" });
        let payload = json!({ "template_type": "image_grid", "elements": [grid] });
        let call = call(&json!({ "attachment": { "type": "template", "payload": payload } }));
        assert_eq!(slots(&call).len(), 3);
        let of = |stands: &[Stand]| message(&dress(&call, stands))["attachment"]["payload"].take();
        let two = of(&[Stand::Address, link("", None), Stand::Address]);
        assert_eq!(two["elements"][0]["images"], json!([image(0), image(2)]));
        let one = of(&[link("", None), Stand::Address, link("", None)]);
        let card = json!({ "title": "t", "image_url": format!("{URL}?1"), "default_action": open });
        assert_eq!(one, json!({ "template_type": "generic", "elements": [card] }));
        let none = of(&[link("", None), link("", None), link("", None)]);
        assert_eq!(none["elements"], json!([{ "title": "t", "subtitle": NO_WORDS }]));
    }

    #[test]
    fn ids_are_read_from_the_answer() {
        let observed = |status, body: &str| Observed::Answered {
            status,
            retry_after: None,
            body: body.as_bytes().to_vec(),
        };
        assert_eq!(kept_id(&observed(200, r#"{"attachment_id":"9"}"#)), Some("9".into()));
        assert_eq!(kept_id(&observed(200, r#"{"attachment_id":9}"#)), Some("9".into()));
        for (status, body) in
            [(200, "{}"), (200, "[]"), (200, "?"), (400, r#"{"attachment_id":"9"}"#)]
        {
            assert_eq!(kept_id(&observed(status, body)), None);
        }
    }
}
