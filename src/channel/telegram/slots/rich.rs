//! The pictures of a rich message: `<img>` elements of its HTML, each a block of its own.
//!
//! One that the service can't fetch is named in `media` as `tg://photo?id=…`; one that can't be had
//! is left out, and the words stay. Source: Bot API reference, "Rich message".

use serde_json::{Map, Value, json};

use crate::channel::slots::{Dressed, Means, Slot, Stand, is_address};
use crate::channel::telegram::slots::item::attach;
use crate::model::media::Form;

const OPEN: &str = "<img src=\"";
const CLOSE: &str = "\">";

/// The pictures that the message names by their addresses, in order.
pub(super) fn slots(fields: &Map<String, Value>) -> Vec<Slot> {
    let html = html_of(fields).unwrap_or_default();
    let slot = |piece| match piece {
        Piece::Picture { url } => Some(Slot { url, form: Form::Picture, means: Means::Spare }),
        Piece::Other(_) => None,
    };
    pieces(html).into_iter().filter_map(slot).collect()
}

/// Names each picture by the way that was chosen for it.
pub(super) fn dress(fields: &mut Map<String, Value>, stands: &[Stand], dressed: &mut Dressed) {
    let Some(html) = html_of(fields) else { return };
    let mut told = String::with_capacity(html.len());
    let mut media = Vec::new();
    let mut slot = 0;
    for piece in pieces(html) {
        let url = match piece {
            Piece::Other(text) => {
                told.push_str(text);
                continue;
            }
            Piece::Picture { url } => url,
        };
        let named = match stands.get(slot) {
            None | Some(Stand::Address) => Some(None),
            Some(Stand::Kept { id, form: Form::Picture }) => Some(Some(id.clone())),
            Some(Stand::Upload(upload)) if upload.form == Form::Picture => {
                Some(Some(attach(&mut dressed.uploads, upload)))
            }
            Some(Stand::Kept { .. } | Stand::Upload(_) | Stand::Link { .. }) => None,
        };
        if let Some(value) = named {
            let src = match value {
                None => escaped(&url),
                Some(value) => {
                    let id = format!("picture{slot}");
                    let item = json!({ "type": "photo", "media": value });
                    media.push(json!({ "id": id, "media": item }));
                    format!("tg://photo?id={id}")
                }
            };
            told.push_str(OPEN);
            told.push_str(&src);
            told.push_str(CLOSE);
            dressed.shown.push((slot, Form::Picture));
        }
        slot += 1;
    }
    let Some(message) = fields.get_mut("rich_message").and_then(Value::as_object_mut) else {
        return;
    };
    message.insert("html".to_owned(), json!(told));
    if !media.is_empty() {
        message.insert("media".to_owned(), Value::Array(media));
    }
}

/// The ids of the pictures that an accepted message shows; none where it does not show `wanted`.
pub(super) fn kept_ids(message: &Value, wanted: usize) -> Vec<Option<(Form, String)>> {
    let mut found = Vec::new();
    each_picture(message, &mut found);
    if found.len() == wanted { found } else { Vec::new() }
}

/// `{"type": "photo", "photo": [sizes]}`, wherever blocks stand in blocks; its depth is the
/// reader's of JSON.
fn each_picture(value: &Value, found: &mut Vec<Option<(Form, String)>>) {
    match value {
        Value::Array(all) => all.iter().for_each(|one| each_picture(one, found)),
        Value::Object(fields) if fields.get("type").is_some_and(|kind| kind == "photo") => {
            let sizes = fields.get("photo").and_then(Value::as_array);
            let id = sizes.and_then(|sizes| sizes.last()?.get("file_id")?.as_str());
            found.push(id.map(|id| (Form::Picture, id.to_owned())));
        }
        Value::Object(fields) => fields.values().for_each(|one| each_picture(one, found)),
        _ => {}
    }
}

enum Piece<'a> {
    Other(&'a str),
    /// An element for a picture at an address.
    Picture {
        url: String,
    },
}

/// The HTML in pieces. It is our own: an address in it has neither quotes nor brackets.
fn pieces(html: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = html;
    let mut from = 0;
    while let Some(at) = rest[from..].find(OPEN).map(|at| from + at) {
        let begin = at + OPEN.len();
        let Some(end) = rest[begin..].find(CLOSE).map(|end| begin + end) else { break };
        let url = unescaped(&rest[begin..end]);
        if !is_address(&url) {
            from = end;
            continue;
        }
        pieces.extend([Piece::Other(&rest[..at]), Piece::Picture { url }]);
        (rest, from) = (&rest[end + CLOSE.len()..], 0);
    }
    pieces.push(Piece::Other(rest));
    pieces
}

const ESCAPES: [(&str, &str); 4] = [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\"", "&quot;")];

fn escaped(text: &str) -> String {
    ESCAPES.iter().fold(text.to_owned(), |text, (plain, escape)| text.replace(plain, escape))
}

fn unescaped(text: &str) -> String {
    let back = ESCAPES.iter().rev();
    back.fold(text.to_owned(), |text, (plain, escape)| text.replace(escape, plain))
}

fn html_of(fields: &Map<String, Value>) -> Option<&str> {
    fields.get("rich_message")?.get("html")?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::slots::Upload;

    const HTML: &str = "<img src=\"https://a.example/?a=1&amp;b=2\"><p>x</p>\
                        <img src=\"tg://photo?id=x\"><img src=\"https://a.example/b.png\">";

    fn fields() -> Map<String, Value> {
        Map::from_iter([("rich_message".to_owned(), json!({ "html": HTML }))])
    }

    fn dressed(stands: &[Stand]) -> (Value, Dressed) {
        let (mut fields, mut dressed) = (fields(), Dressed::default());
        dress(&mut fields, stands, &mut dressed);
        (fields["rich_message"].take(), dressed)
    }

    #[test]
    fn pictures_go_by_address_id_and_upload_or_are_left_out() {
        let urls: Vec<String> = slots(&fields()).into_iter().map(|slot| slot.url).collect();
        assert_eq!(urls, ["https://a.example/?a=1&b=2", "https://a.example/b.png"]);

        let (same, by_address) = dressed(&[Stand::Address, Stand::Address]);
        assert_eq!(same, json!({ "html": HTML }));
        assert_eq!(by_address.shown, [(0, Form::Picture), (1, Form::Picture)]);

        let upload = Upload {
            bytes: bytes::Bytes::from_static(b"x"),
            form: Form::Picture,
            file_name: "picture.jpg".to_owned(),
            mime: "image/jpeg",
        };
        let kept = Stand::Kept { id: "AgAC".to_owned(), form: Form::Picture };
        let (named, sent) = dressed(&[kept, Stand::Upload(upload.clone())]);
        assert_eq!(
            named,
            json!({
                "html": "<img src=\"tg://photo?id=picture0\"><p>x</p>\
                         <img src=\"tg://photo?id=x\"><img src=\"tg://photo?id=picture1\">",
                "media": [
                    { "id": "picture0", "media": { "type": "photo", "media": "AgAC" } },
                    { "id": "picture1", "media": { "type": "photo", "media": "attach://file0" } },
                ],
            })
        );
        assert_eq!(sent.uploads.len(), 1);

        let nothing = Stand::Link { words: "A dog".to_owned(), url: None };
        let file = Stand::Upload(Upload { form: Form::File, ..upload });
        let (bare, left) = dressed(&[nothing, file]);
        assert_eq!(bare, json!({ "html": "<p>x</p><img src=\"tg://photo?id=x\">" }));
        assert!(left.shown.is_empty() && left.uploads.is_empty());
    }

    #[test]
    fn ids_are_read_from_blocks_within_blocks() {
        let photo =
            |id: &str| json!({ "type": "photo", "photo": [{ "file_id": "s" }, { "file_id": id }] });
        let message = json!({ "blocks": [
            photo("a"), { "type": "blockquote", "blocks": [{ "type": "paragraph" }, photo("b")] },
        ]});
        let ids = kept_ids(&message, 2);
        assert_eq!(ids, ["a", "b"].map(|id| Some((Form::Picture, id.to_owned()))));
        assert!(kept_ids(&message, 1).is_empty(), "nobody knows which");
    }
}
