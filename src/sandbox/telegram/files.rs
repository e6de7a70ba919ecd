//! Files as the service has them: by address, by upload, and by the ids that it hands out.
//!
//! An id is good for this bot and for the kind of file that it was given for, nothing else. Uploads
//! are kept and served, up to a bound; of what stands at an address only the address is kept.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use bytes::Bytes;
use hyper::Method;
use serde::Serialize;
use serde_json::{Value, json};
use url::Url;

use crate::sandbox::door::Reply;
use crate::sandbox::params::{Params, Upload};
use crate::sandbox::telegram::{Inner, State, refuse, succeed};

/// Largest picture that is fetched by its address, in bytes.
const PICTURE_BYTES_MAX: usize = 5 << 20;
/// Largest other file that is fetched by its address, in bytes.
const FETCHED_BYTES_MAX: usize = 20 << 20;
/// Largest picture that can be uploaded, in bytes.
const PHOTO_BYTES_MAX: usize = 10 << 20;
/// Largest width and height of a picture together.
const PHOTO_SIDES_MAX: u32 = 10_000;
/// Largest ratio of a picture's sides.
const PHOTO_RATIO_MAX: u32 = 20;
/// Largest thumbnail, in bytes.
const THUMBNAIL_BYTES_MAX: usize = 200 * 1024;
/// Largest width and height of a thumbnail.
const THUMBNAIL_SIDE_MAX: u32 = 320;
/// How long a file may take to come.
const FETCH_PATIENCE: Duration = Duration::from_secs(10);
/// Most files whose ids are known.
const FILES_MAX: usize = 10_000;
/// Most bytes of uploads that are kept together.
const KEPT_BYTES_MAX: usize = 256 << 20;
/// How every id begins.
const ID_HEAD: &str = "sandbox-";

pub(super) const WRONG_ID: &str = "wrong file identifier/HTTP URL specified";

/// What a file was sent as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FileKind {
    Photo,
    Video,
    Animation,
    Audio,
    Document,
}

impl FileKind {
    pub(super) fn of(word: &str) -> Option<Self> {
        let kinds = [Self::Photo, Self::Video, Self::Animation, Self::Audio, Self::Document];
        kinds.into_iter().find(|kind| kind.word() == word)
    }

    /// The parameter and the field of a message.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Photo => "photo",
            Self::Video => "video",
            Self::Animation => "animation",
            Self::Audio => "audio",
            Self::Document => "document",
        }
    }

    /// As the service's errors name it.
    fn name(self) -> &'static str {
        match self {
            Self::Photo => "Photo",
            Self::Video => "Video",
            Self::Animation => "Animation",
            Self::Audio => "Audio",
            Self::Document => "Document",
        }
    }

    /// Whether a file of that content type may be fetched as this.
    fn takes(self, content_type: &str) -> bool {
        match self {
            Self::Photo => {
                matches!(content_type, "image/png" | "image/jpeg" | "image/gif" | "image/webp")
            }
            Self::Video => content_type == "video/mp4",
            Self::Animation => matches!(content_type, "video/mp4" | "image/gif"),
            Self::Audio => {
                matches!(content_type, "audio/mpeg" | "audio/mp4" | "audio/m4a" | "audio/x-m4a")
            }
            Self::Document => {
                matches!(content_type, "application/pdf" | "application/zip" | "image/gif")
            }
        }
    }
}

/// Why a file is not taken by its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UrlRefusal {
    /// The service could not fetch it.
    NotFetched,
    /// What it fetched is no such file.
    WrongType,
}

impl UrlRefusal {
    fn words(self) -> &'static str {
        match self {
            Self::NotFetched => "failed to get HTTP URL content",
            Self::WrongType => "wrong type of the web page content",
        }
    }
}

/// A file that has an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub kind: FileKind,
    pub id: String,
    /// Where it stands; of an upload, where this stand-in serves it.
    pub address: String,
    /// Of an upload, as its sender calls it.
    pub name: Option<String>,
}

/// What came by upload, by the path at which it is served.
pub(super) type Uploads = std::collections::HashMap<String, Bytes>;

impl Inner {
    /// The file that `given` (an address, an id or `attach://part`) or the part `field` names.
    pub(super) async fn resolve(
        &self,
        kind: FileKind,
        field: &str,
        given: Option<&str>,
        params: &Params,
    ) -> Result<Known, String> {
        if let Some(upload) = params.1.get(field) {
            return self.take_upload(kind, upload);
        }
        let given = given
            .filter(|given| !given.is_empty())
            .ok_or_else(|| format!("there is no {} in the request", kind.word()))?;
        if let Some(part) = given.strip_prefix("attach://") {
            let upload = params.1.get(part).ok_or(WRONG_ID)?;
            return self.take_upload(kind, upload);
        }
        if given.starts_with(ID_HEAD) {
            // The smaller size of a picture is as good as the largest.
            let given = given.strip_suffix("-s").unwrap_or(given);
            let known = self.lock().files.get(given).cloned().ok_or(WRONG_ID)?;
            if known.kind != kind {
                let (theirs, asked) = (known.kind.name(), kind.name());
                return Err(format!("can't use file of type {theirs} as {asked}"));
            }
            return Ok(known);
        }
        if !given.contains("://") {
            return Err("wrong remote file identifier specified: wrong string length".into());
        }
        let url = Url::parse(given).ok();
        if !url.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
            return Err("invalid file HTTP URL specified: unsupported URL protocol".into());
        }
        self.fetch(kind, given).await?;
        Ok(self.lock().know(kind, given.to_owned(), None, &self.bot_id()))
    }

    /// A thumbnail: by upload only, a JPEG, and small. Answers whether there is one.
    pub(super) fn check_thumbnail(params: &Params, given: Option<&str>) -> Result<bool, String> {
        let part = given.and_then(|given| given.strip_prefix("attach://")).unwrap_or("thumbnail");
        match params.1.get(part) {
            Some(upload) => {
                let is_small = |(kind, (width, height)): (&str, (u32, u32))| {
                    kind == "jpg" && width.max(height) <= THUMBNAIL_SIDE_MAX
                };
                let is_good = upload.bytes.len() <= THUMBNAIL_BYTES_MAX
                    && picture_of(&upload.bytes).is_some_and(is_small);
                if is_good { Ok(true) } else { Err("PHOTO_THUMB_INVALID".into()) }
            }
            // The service pays no heed to one that it is only told of.
            None => Ok(false),
        }
    }

    fn take_upload(&self, kind: FileKind, upload: &Upload) -> Result<Known, String> {
        let bytes = &upload.bytes;
        if bytes.is_empty() {
            return Err("file must be non-empty".into());
        }
        let mut ending = upload.name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        if ending.is_empty()
            || ending.len() > 5
            || !ending.bytes().all(|c| c.is_ascii_alphanumeric())
        {
            ending = "bin".into();
        }
        if kind == FileKind::Photo {
            if bytes.len() > PHOTO_BYTES_MAX {
                return Err(format!(
                    "file of size {} bytes is too big for a photo; the maximum size is \
                     {PHOTO_BYTES_MAX} bytes",
                    bytes.len()
                ));
            }
            let (picture, sides) = picture_of(bytes).ok_or("IMAGE_PROCESS_FAILED")?;
            check_sides(sides)?;
            ending = picture.into();
        }
        let path = format!("{}s/{:016x}.{ending}", kind.word(), hash_of(bytes));
        let address = format!("http://{}/file/bot{}/{path}", self.address, self.rules.token);
        let mut state = self.lock();
        let kept: usize = state.uploads.values().map(Bytes::len).sum();
        if kept + bytes.len() > KEPT_BYTES_MAX {
            state.uploads.clear();
        }
        state.uploads.insert(path, bytes.clone());
        Ok(state.know(kind, address, Some(upload.name.clone()), &self.bot_id()))
    }

    async fn fetch(&self, kind: FileKind, url: &str) -> Result<(), String> {
        let refused = {
            let state = self.lock();
            let mut refusals = state.url_refusals.iter();
            refusals.find(|(part, _)| url.contains(part.as_str())).map(|(_, why)| *why)
        };
        if let Some(why) = refused {
            return Err(why.words().into());
        }
        if !self.rules.fetches_pictures || !url.starts_with("http://") {
            return Ok(());
        }
        let call = self.caller.call(Method::GET, url, &[], "".into(), FETCH_PATIENCE).await;
        let file = call.filter(|called| called.status == 200);
        let file = file.ok_or(UrlRefusal::NotFetched.words())?;
        let most = if kind == FileKind::Photo { PICTURE_BYTES_MAX } else { FETCHED_BYTES_MAX };
        if file.body.len() > most {
            return Err(UrlRefusal::NotFetched.words().into());
        }
        let content_type = file.headers.get("content-type").and_then(|kind| kind.to_str().ok());
        let content_type = content_type.and_then(|it| it.split(';').next()).unwrap_or_default();
        if !kind.takes(content_type.trim()) {
            return Err(UrlRefusal::WrongType.words().into());
        }
        match picture_of(&file.body) {
            Some((_, sides)) if kind == FileKind::Photo => check_sides(sides),
            _ => Ok(()),
        }
    }

    /// The path at which a file can be had.
    pub(super) fn tell_file(&self, params: &Params) -> Result<Reply, String> {
        let id = params.text("file_id").unwrap_or_default();
        let known = self.lock().files.get(&id).cloned().ok_or("invalid file_id")?;
        let head = format!("http://{}/file/bot{}/", self.address, self.rules.token);
        let mut file = json!({ "file_id": id, "file_unique_id": unique(&known) });
        if let Some(path) = known.address.strip_prefix(&head) {
            file["file_path"] = json!(path);
        }
        Ok(succeed(&file))
    }

    /// What came by upload.
    pub(super) fn serve_file(&self, path: &str) -> Reply {
        let Some(bytes) = self.lock().uploads.get(path).cloned() else {
            return refuse(404, "Not Found");
        };
        let content_type = match path.rsplit('.').next() {
            Some("jpg" | "jpeg") => "image/jpeg",
            Some("png") => "image/png",
            Some("gif") => "image/gif",
            Some("webp") => "image/webp",
            Some("mp4") => "video/mp4",
            Some("mp3") => "audio/mpeg",
            Some("m4a") => "audio/mp4",
            _ => "application/octet-stream",
        };
        Reply::new(200, content_type, bytes).with_header("x-content-type-options", "nosniff")
    }

    fn bot_id(&self) -> String {
        self.rules.token.split(':').next().unwrap_or_default().to_owned()
    }
}

impl State {
    /// Hands out an id; the same file has the same one.
    fn know(&mut self, kind: FileKind, address: String, name: Option<String>, bot: &str) -> Known {
        if self.files.len() >= FILES_MAX {
            self.files.clear();
        }
        let id = format!("{ID_HEAD}{}-{:016x}", kind.word(), hash_of(&(bot, &address)));
        let known = Known { kind, id: id.clone(), address, name };
        self.files.insert(id, known.clone());
        known
    }
}

/// A file as a message has it.
pub(super) fn json_file(file: &Known) -> Value {
    let mut told = json!({ "file_id": file.id, "file_unique_id": unique(file) });
    match file.kind {
        FileKind::Photo => {
            // The sizes that the service makes; the last is the largest.
            let mut small = told.clone();
            small["file_id"] = json!(format!("{}-s", file.id));
            (small["width"], small["height"]) = (json!(320), json!(168));
            (told["width"], told["height"]) = (json!(1200), json!(630));
            return json!([small, told]);
        }
        FileKind::Video | FileKind::Animation => {
            (told["width"], told["height"]) = (json!(1280), json!(720));
            told["duration"] = json!(1);
        }
        FileKind::Audio => told["duration"] = json!(1),
        FileKind::Document => {}
    }
    if let Some(name) = &file.name {
        told["file_name"] = json!(name);
    }
    told
}

fn unique(file: &Known) -> String {
    format!("u{:016x}", hash_of(&file.address))
}

/// A refusal as an album words it: by place, and with the code of the service behind the service.
pub(super) fn in_album(place: usize, why: &str) -> String {
    let code = match why {
        "failed to get HTTP URL content" => "WEBPAGE_CURL_FAILED",
        "wrong type of the web page content" => "WEBPAGE_MEDIA_EMPTY",
        WRONG_ID => "MEDIA_EMPTY",
        _ => return why.to_owned(),
    };
    format!("failed to send message #{place} with the error message \"{code}\"")
}

fn check_sides((width, height): (u32, u32)) -> Result<(), String> {
    let (least, most) = (width.min(height), width.max(height));
    let is_good = least > 0
        && width.saturating_add(height) <= PHOTO_SIDES_MAX
        && most <= least.saturating_mul(PHOTO_RATIO_MAX);
    if is_good { Ok(()) } else { Err("PHOTO_INVALID_DIMENSIONS".into()) }
}

/// What kind of picture it is, by its bytes, with its width and height.
fn picture_of(bytes: &[u8]) -> Option<(&'static str, (u32, u32))> {
    let wide =
        |at: usize| bytes.get(at..at + 2).map(|it| u32::from(u16::from_be_bytes([it[0], it[1]])));
    let little =
        |at: usize| bytes.get(at..at + 2).map(|it| u32::from(u16::from_le_bytes([it[0], it[1]])));
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        let side = |at: usize| Some(wide(at)? << 16 | wide(at + 2)?);
        return Some(("png", (side(16)?, side(20)?)));
    }
    if bytes.starts_with(b"GIF8") {
        return Some(("gif", (little(6)?, little(8)?)));
    }
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        let side = |at: usize| little(at).map(|it| it & 0x3fff);
        let sides = match bytes.get(12..16)? {
            b"VP8 " => (side(26)?, side(28)?),
            b"VP8X" => (little(24)? + 1, little(27)? + 1),
            _ => (1, 1),
        };
        return Some(("webp", sides));
    }
    if !bytes.starts_with(&[0xff, 0xd8]) {
        return None;
    }
    // The segments of a JPEG up to the one that begins its frame.
    let mut at = 2;
    loop {
        let marker = wide(at)?;
        match marker {
            0xffc0..=0xffc3 | 0xffc5..=0xffc7 | 0xffc9..=0xffcb => {
                return Some(("jpg", (wide(at + 7)?, wide(at + 5)?)));
            }
            0xff00.. => at += 2 + usize::try_from(wide(at + 2)?).ok()?,
            _ => return None,
        }
    }
}

fn hash_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_read_from_the_bytes_of_a_picture() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x04\xb0\0\0\x02\x76";
        assert_eq!(picture_of(png), Some(("png", (1200, 630))));
        assert_eq!(picture_of(b"GIF89a\x10\0\x20\0"), Some(("gif", (16, 32))));
        let jpeg = b"\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x0b\x08\0\x10\0\x20\x01";
        assert_eq!(picture_of(jpeg), Some(("jpg", (32, 16))));
        assert_eq!(picture_of(b"<svg xmlns="), None);
        assert_eq!(picture_of(b"\0\0\0\x1cftypavif"), None);
    }

    #[test]
    fn a_picture_may_be_neither_huge_nor_a_strip() {
        for (sides, is_good) in [
            ((5000, 5000), true),
            ((5001, 5000), false),
            ((400, 20), true),
            ((401, 20), false),
            ((0, 9), false),
            ((u32::MAX, u32::MAX), false),
        ] {
            assert_eq!(check_sides(sides).is_ok(), is_good, "{sides:?}");
        }
    }
}
