//! Files that messages bring: by address, by upload, by the id of an earlier one.
//!
//! Ids are the page's own and live for 90 days. Whether an address is really asked is a rule; what
//! is fetched or uploaded is known by its first bytes. Files that were uploaded can be looked at
//! under an address of the stand-in, so that a phone can show them.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use bytes::Bytes;
use hyper::Method;
use serde_json::Value;

use crate::model::time::Timestamp;
use crate::sandbox::door::Reply;
use crate::sandbox::messenger::{Inner, State, refuse};
use crate::sandbox::params::Upload;

/// How long an id can be used.
pub const ATTACHMENT_LIFE: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// Largest file.
pub const FILE_BYTES_MAX: usize = 25 << 20;
/// Largest image that is fetched by its address.
pub const IMAGE_FETCH_BYTES_MAX: usize = 8 << 20;
/// How long a file may take to come.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most attachments that are remembered.
const ATTACHMENTS_MAX: usize = 10_000;
/// Most bytes of uploads that can be looked at; the oldest go first.
const SHOWN_BYTES_MAX: usize = 128 << 20;
/// Where uploads can be looked at.
const SHOWN_AT: &str = "/sandbox-files/";

/// A file that a message may bring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attachment {
    /// `image`, `audio`, `video` or `file`.
    pub kind: String,
    /// Where it can be looked at.
    pub url: String,
    pub made_at: Timestamp,
}

/// What the page has uploaded or marked as reusable.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    by_id: HashMap<String, Attachment>,
    shown: BTreeMap<u64, (&'static str, Bytes)>,
    next: u64,
}

impl Shelf {
    /// Every id is refused from now on.
    pub(super) fn expire(&mut self) {
        self.by_id.clear();
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    fn find(&self, id: &str, now: Timestamp) -> Option<&Attachment> {
        self.by_id.get(id).filter(|one| now < one.made_at + ATTACHMENT_LIFE)
    }

    /// Keeps an attachment; ids of different stand-ins differ.
    fn keep(&mut self, port: u16, attachment: Attachment) -> String {
        if self.by_id.len() >= ATTACHMENTS_MAX {
            self.by_id.clear();
        }
        self.next += 1;
        let id = format!("9{port:05}{:010}", self.next);
        self.by_id.insert(id.clone(), attachment);
        id
    }

    fn show(&mut self, mime: &'static str, bytes: Bytes) -> u64 {
        self.next += 1;
        self.shown.insert(self.next, (mime, bytes));
        while self.shown.values().map(|(_, bytes)| bytes.len()).sum::<usize>() > SHOWN_BYTES_MAX {
            self.shown.pop_first();
        }
        self.next
    }
}

impl Inner {
    /// The files that the message brings, in its order; fetched, if that is a rule.
    pub(super) async fn look_at_media(
        &self,
        message: &Value,
        file: Option<&Upload>,
    ) -> Result<Vec<Attachment>, Reply> {
        let mut found = Vec::new();
        for (kind, payload) in brought(message) {
            let attachment = match (payload["attachment_id"].as_str(), payload["url"].as_str()) {
                (Some(id), _) => self.by_id(kind, id)?,
                (None, Some(url)) => {
                    self.fetch(kind, url).await?;
                    self.attachment(kind, url.to_owned())
                }
                (None, None) => {
                    let file = file.ok_or_else(unfetched)?;
                    let mime = check_file(kind, &file.bytes, None, FILE_BYTES_MAX)?;
                    let number = self.lock().attachments.show(mime, file.bytes.clone());
                    let url = format!("http://{}{SHOWN_AT}{number}", self.address);
                    self.attachment(kind, url)
                }
            };
            found.push(attachment);
        }
        Ok(found)
    }

    fn attachment(&self, kind: &str, url: String) -> Attachment {
        Attachment { kind: kind.to_owned(), url, made_at: self.now() }
    }

    fn by_id(&self, kind: &str, id: &str) -> Result<Attachment, Reply> {
        let now = self.now();
        let state = self.lock();
        match state.attachments.find(id, now) {
            None => {
                let why = "(#100) The attachment id is invalid or has expired";
                Err(refuse(400, 100, Some(2_018_074), why))
            }
            Some(one) if one.kind != kind => Err(mismatch()),
            Some(one) => Ok(one.clone()),
        }
    }

    async fn fetch(&self, kind: &str, url: &str) -> Result<(), Reply> {
        if !self.rules.fetches_media || !url.starts_with("http://") {
            return Ok(());
        }
        let called = self.caller.call(Method::GET, url, &[], "".into(), PATIENCE).await;
        let called = called.filter(|called| called.status == 200).ok_or_else(unfetched)?;
        let mime = called.headers.get("content-type").and_then(|mime| mime.to_str().ok());
        let most = if kind == "image" { IMAGE_FETCH_BYTES_MAX } else { FILE_BYTES_MAX };
        check_file(kind, &called.body, mime.or(Some("")), most).map(drop)
    }

    /// An upload, for whoever looks at a phone.
    pub(super) fn shown(&self, path: &str) -> Option<Reply> {
        let number = path.strip_prefix(SHOWN_AT)?.parse().ok()?;
        let (mime, bytes) = self.lock().attachments.shown.get(&number)?.clone();
        Some(Reply::new(200, mime, bytes).with_header("x-content-type-options", "nosniff"))
    }

    /// Keeps the message's attachment if it is to be used again; answers its id.
    pub(super) fn keep_reusable(
        &self,
        state: &mut State,
        message: &Value,
        media: &[Attachment],
    ) -> Option<String> {
        let is_reusable = message["attachment"]["payload"]["is_reusable"] == true;
        let is_new = message["attachment"]["payload"]["attachment_id"].is_null();
        let [attachment] = media else { return None };
        (is_reusable && is_new)
            .then(|| state.attachments.keep(self.address.port(), attachment.clone()))
    }
}

/// Kind and payload of every file: the one attachment's, the many's, or the media template's.
fn brought(message: &Value) -> Vec<(&str, &Value)> {
    let many = message["attachments"].as_array().into_iter().flatten();
    let mut all = Vec::new();
    for attachment in many.chain(message.get("attachment")) {
        let payload = &attachment["payload"];
        match attachment["type"].as_str() {
            Some("template") if payload["template_type"] == "media" => {
                let element = &payload["elements"][0];
                // One by a Facebook address is not fetched again.
                if element["attachment_id"].is_string() {
                    all.push((element["media_type"].as_str().unwrap_or_default(), element));
                }
            }
            Some("template") | None => {}
            Some(kind) => all.push((kind, payload)),
        }
    }
    all
}

/// What a file is, if it may be sent as `kind`. `told` is what its server called it.
fn check_file(
    kind: &str,
    bytes: &[u8],
    told: Option<&str>,
    most: usize,
) -> Result<&'static str, Reply> {
    if bytes.len() > most {
        let why = "(#100) Attachment size exceeds allowable limit";
        return Err(refuse(400, 100, Some(2_018_109), why));
    }
    if bytes.is_empty() {
        return Err(unfetched());
    }
    let mime = sniff(bytes);
    let is_right = match kind {
        "image" => matches!(mime, "image/png" | "image/jpeg" | "image/gif"),
        "video" => mime.starts_with("video/"),
        // Its server has to call it so; of an upload only the bytes are known.
        "audio" => match told {
            Some(told) => told.starts_with("audio/"),
            None => mime.starts_with("audio/") || mime == "video/mp4",
        },
        _ => true,
    };
    if is_right { Ok(mime) } else { Err(mismatch()) }
}

/// The media type by the first bytes; `application/octet-stream` for all that is not known.
fn sniff(bytes: &[u8]) -> &'static str {
    let at =
        |place: usize, wanted: &[u8]| bytes.get(place..).is_some_and(|it| it.starts_with(wanted));
    match () {
        () if at(0, b"\x89PNG\r\n\x1a\n") => "image/png",
        () if at(0, b"\xff\xd8\xff") => "image/jpeg",
        () if at(0, b"GIF8") => "image/gif",
        () if at(0, b"RIFF") && at(8, b"WEBP") => "image/webp",
        () if at(0, b"RIFF") && at(8, b"WAVE") => "audio/wav",
        () if at(0, b"RIFF") && at(8, b"AVI ") => "video/x-msvideo",
        () if at(4, b"ftypavif") => "image/avif",
        () if at(4, b"ftypM4A") => "audio/mp4",
        () if at(4, b"ftyp") => "video/mp4",
        () if at(0, b"\x1a\x45\xdf\xa3") => "video/webm",
        () if at(0, b"OggS") => "video/ogg",
        () if at(0, b"ID3") || at(0, b"\xff\xfb") || at(0, b"\xff\xf1") => "audio/mpeg",
        () => "application/octet-stream",
    }
}

fn unfetched() -> Reply {
    refuse(400, 100, Some(2_018_008), "(#100) Failed to fetch the file from the url")
}

fn mismatch() -> Reply {
    let why =
        "(#100) Upload attachment failure: the media type does not match the type of the file";
    refuse(400, 100, Some(2_018_047), why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subcode(reply: &Reply) -> u64 {
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        body["error"]["error_subcode"].as_u64().unwrap()
    }

    #[test]
    fn a_file_must_be_what_it_is_sent_as() {
        let png = b"\x89PNG\r\n\x1a\n....".as_slice();
        let webp = b"RIFF....WEBPVP8 ".as_slice();
        let mp4 = b"\0\0\0\x18ftypisom".as_slice();
        for (kind, bytes, told) in [
            ("image", png, None),
            ("image", png, Some("text/html")),
            ("video", mp4, None),
            ("audio", b"ID3....".as_slice(), None),
            ("audio", b"anything".as_slice(), Some("audio/mpeg")),
            ("file", b"%PDF".as_slice(), Some("text/html")),
        ] {
            assert!(check_file(kind, bytes, told, 100).is_ok(), "{kind} {told:?}");
        }
        for (kind, bytes, told) in [
            ("image", webp, None),
            ("image", b"<html>".as_slice(), Some("image/png")),
            ("video", png, None),
            ("audio", b"ID3....".as_slice(), Some("application/octet-stream")),
        ] {
            let refused = check_file(kind, bytes, told, 100).unwrap_err();
            assert_eq!(subcode(&refused), 2_018_047, "{kind} {told:?}");
        }
        assert_eq!(subcode(&check_file("file", &[0; 101], None, 100).unwrap_err()), 2_018_109);
    }

    #[test]
    fn an_id_is_the_pages_own_and_ends_after_90_days() {
        let made_at = Timestamp::from_millis(1_790_000_000_000);
        let attachment = Attachment { kind: "image".into(), url: "http://a/".into(), made_at };
        let mut shelf = Shelf::default();
        let id = shelf.keep(80, attachment.clone());
        assert_ne!(id, Shelf::default().keep(81, attachment));
        assert!(id.bytes().all(|c| c.is_ascii_digit()));
        assert!(shelf.find(&id, made_at).is_some());
        assert!(shelf.find(&id, made_at + ATTACHMENT_LIFE).is_none());
        shelf.expire();
        assert!(shelf.find(&id, made_at).is_none());
    }
}
