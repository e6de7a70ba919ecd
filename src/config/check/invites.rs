//! Checks `[pages.*]`, on which people subscribe, and `listen.frame_ancestors`.

use std::io::Read;
use std::path::Path;

use crate::config::check::around::Surroundings;
use crate::config::check::campaigns::{References, references};
use crate::config::check::catalogs::local;
use crate::config::check::texts::texts;
use crate::config::check::value::{base_url, got};
use crate::config::problem::Findings;
use crate::config::raw::{List, RawInvite, RawTexts};
use crate::config::table::{At, Entry};
use crate::config::{Fetch, Listen, Page, Picture, Texts};
use crate::model::name::Name;
use crate::model::start;

const TITLE_CHARS_MAX: usize = 100;
const TEXT_CHARS_MAX: usize = 1_000;
const PRIVACY_CHARS_MAX: usize = 4_000;

/// The logo stands in the page itself, which is to come fast.
const LOGO_BYTES_MAX: u64 = 64 << 10;

/// Most sites that may show our pages.
const FRAMES_MAX: usize = 50;

/// The pages; what is not known is told and left out of them.
pub(crate) fn pages(
    raw: &[Entry<RawInvite>],
    known: &References,
    listen: &Listen,
    fetch: &Fetch,
    around: &Surroundings<'_>,
    found: &mut Findings,
) -> Vec<Page> {
    raw.iter().map(|entry| page(entry, known, listen, fetch, around, found)).collect()
}

fn page(
    entry: &Entry<RawInvite>,
    known: &References,
    listen: &Listen,
    fetch: &Fetch,
    around: &Surroundings<'_>,
    found: &mut Findings,
) -> Page {
    let raw = &entry.value;
    let path = format!("pages.{}", entry.name);
    let key = |key: &str| format!("{path}.{key}");
    let topics = raw.topics.as_ref().map(|topics| {
        references(Some(topics), &key("topics"), &known.topics, false, around, found)
    });
    let channels =
        references(raw.channels.as_ref(), &key("channels"), &known.channels, false, around, found);
    if let (Some(at), Some(topics)) = (&raw.topics, &topics) {
        check_length(at, &key("topics"), topics, &channels, known, found);
    }
    if around.is_complete {
        if listen.public.is_none() {
            let text = "nobody can see it: `listen.public` is not set";
            found.warning(entry.at, &path, text);
        }
        if known.channels.names.is_empty() {
            found.warning(entry.at, &path, "leads nowhere: there is no channel");
        }
    }
    let mut said = |raw: Option<&RawTexts>, word: &str, chars_max: usize| {
        raw.and_then(|raw| texts(raw, &key(word), chars_max, found))
    };
    let title = said(raw.title.as_ref(), "title", TITLE_CHARS_MAX);
    let text = said(raw.text.as_ref(), "text", TEXT_CHARS_MAX);
    let privacy = said(raw.privacy.as_ref(), "privacy", PRIVACY_CHARS_MAX);
    check_privacy(raw.privacy.as_ref(), privacy.as_ref(), &key("privacy"), found);
    let colour = raw.colour.as_ref().and_then(|raw| colour(raw, &key("colour"), found));
    let logo = raw.logo.as_ref().and_then(|raw| logo(raw, &key("logo"), fetch, around, found));
    Page { slug: entry.name.clone(), topics, channels, title, text, privacy, colour, logo }
}

/// A link of Telegram's can't say more.
pub(super) fn check_length(
    raw: &At<List<String>>,
    key: &str,
    topics: &[Name],
    channels: &[Name],
    known: &References,
    found: &mut Findings,
) {
    let bytes = start::payload(topics, None).map_or(0, |payload| payload.len());
    let is_telegram = channels.iter().any(|channel| known.telegram.contains(channel));
    if is_telegram && bytes > start::TELEGRAM_BYTES_MAX {
        let text = format!(
            "the names come to {bytes} characters with `{}` between them, a Telegram link takes {}",
            start::BETWEEN,
            start::TELEGRAM_BYTES_MAX
        );
        found.problem(raw.at, key, text).hint("name fewer, or leave the key out for all");
    }
}

/// What begins like an address is to be one.
fn check_privacy(raw: Option<&RawTexts>, texts: Option<&Texts>, key: &str, found: &mut Findings) {
    let (Some(raw), Some(texts)) = (raw, texts) else { return };
    for text in texts.languages.values().chain([&texts.default]) {
        let is_link = text.starts_with("http://") || text.starts_with("https://");
        if is_link && (text.contains(char::is_whitespace) || url::Url::parse(text).is_err()) {
            let hint = "write the address alone, or begin with words";
            found.problem(raw.at, key, format!("{} is no address", got(text))).hint(hint);
            return;
        }
    }
}

/// `#0a7fb5` or `#07b`.
pub(super) fn colour(raw: &At<String>, key: &str, found: &mut Findings) -> Option<[u8; 3]> {
    let digits = raw.value.strip_prefix('#').unwrap_or_default();
    let digit = |c: char| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let digits: Option<Vec<u8>> = digits.chars().map(digit).collect();
    match digits.as_deref() {
        Some([red, green, blue]) => Some([red * 17, green * 17, blue * 17]),
        Some([a, b, c, d, e, f]) => Some([a * 16 + b, c * 16 + d, e * 16 + f]),
        _ => {
            let text = format!("must be a colour, got {}", got(&raw.value));
            found.problem(raw.at, key, text).hint("for example `#0a7fb5`");
            None
        }
    }
}

fn logo(
    raw: &At<String>,
    key: &str,
    fetch: &Fetch,
    around: &Surroundings<'_>,
    found: &mut Findings,
) -> Option<Picture> {
    let (local, _) = local(raw, key, fetch, around, found)?;
    match picture(&local.path, local.within.as_deref()) {
        Ok(picture) => Some(picture),
        Err(why) => {
            found.problem(raw.at, key, why);
            None
        }
    }
}

/// Reads a picture; a link out of the folder that was opened leads nowhere.
fn picture(path: &Path, within: Option<&Path>) -> Result<Picture, String> {
    let unread = |error: std::io::Error| format!("`{}`: {error}", path.display());
    let real = path.canonicalize().map_err(unread)?;
    if let Some(within) = within {
        let within = within.canonicalize().map_err(unread)?;
        if !real.starts_with(within) {
            return Err("is not in a folder that the sysadmin opened".to_owned());
        }
    }
    if !real.is_file() {
        return Err("must be a file".to_owned());
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(&real).map_err(unread)?;
    file.take(LOGO_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unread)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > LOGO_BYTES_MAX {
        return Err(format!("must have at most {} kB", LOGO_BYTES_MAX >> 10));
    }
    let mime = mime(&bytes).ok_or("must be a picture: PNG, JPEG, GIF, WebP or SVG")?;
    Ok(Picture { mime, bytes: bytes.into() })
}

/// By its first bytes. Source: WHATWG MIME Sniffing, "image type pattern matching".
fn mime(bytes: &[u8]) -> Option<&'static str> {
    let is_svg = || {
        let start = std::str::from_utf8(bytes).ok()?.trim_start_matches('\u{feff}').trim_start();
        let is_xml = start.starts_with("<?xml") || start.starts_with("<!--");
        (start.starts_with("<svg") || (is_xml && start.contains("<svg"))).then_some(())
    };
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => is_svg().map(|()| "image/svg+xml"),
    }
}

/// The sites as a policy names them: scheme, host and port.
pub(crate) fn frame_ancestors(raw: &[At<String>], found: &mut Findings) -> Vec<String> {
    const KEY: &str = "listen.frame_ancestors";
    if let Some(more) = raw.get(FRAMES_MAX) {
        let text = format!("must have at most {FRAMES_MAX} entries, got {}", raw.len());
        found.problem(more.at, KEY, text);
    }
    let mut sites = Vec::new();
    for each in raw.iter().take(FRAMES_MAX) {
        let Some(url) = base_url(each, KEY, found) else { continue };
        let is_host = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
        let has_path = !matches!(url.path(), "" | "/");
        if has_path || !url.host_str().is_some_and(|host| host.chars().all(is_host)) {
            let text = "must be a site, without a path";
            found.problem(each.at, KEY, text).hint("for example `https://www.example.com`");
            continue;
        }
        sites.push(url.origin().ascii_serialization());
    }
    sites
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::problem::Place;

    fn at(text: &str) -> At<String> {
        At { value: text.to_owned(), at: Place { file: 0, offset: 0 } }
    }

    #[test]
    fn colours_are_read() {
        let mut found = Findings::default();
        assert_eq!(colour(&at("#0a7FB5"), "c", &mut found), Some([0x0a, 0x7f, 0xb5]));
        assert_eq!(colour(&at("#07b"), "c", &mut found), Some([0, 0x77, 0xbb]));
        for bad in ["", "#", "0a7fb5", "#0a7f", "#0a7fb5ff", "#0a7fbg", "red", "#ăăă"] {
            assert_eq!(colour(&at(bad), "c", &mut found), None, "{bad}");
        }
    }

    #[test]
    fn a_site_is_named_as_a_policy_names_it() {
        let mut found = Findings::default();
        let sites = ["https://www.Example.com/", "http://localhost:8080", "https://[::1]:8443"];
        let told = frame_ancestors(&sites.map(at), &mut found);
        assert_eq!(
            told,
            ["https://www.example.com", "http://localhost:8080", "https://[::1]:8443"]
        );
        for bad in ["https://example.com/shop", "https://a;script-src", "ftp://a", "*", "https://*"]
        {
            assert!(frame_ancestors(&[at(bad)], &mut Findings::default()).is_empty(), "{bad}");
        }
    }

    #[test]
    fn a_picture_is_known_by_its_bytes_and_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let png = write("open/a.png", b"\x89PNG\r\n\x1a\n...");
        assert_eq!(picture(&png, None).unwrap().mime, "image/png");
        let svg = write("open/a.svg", b"<?xml version='1.0'?>\n<svg/>");
        assert_eq!(picture(&svg, None).unwrap().mime, "image/svg+xml");
        let secret = write("secret", b"root:x:0:0");
        assert!(picture(&secret, None).unwrap_err().starts_with("must be a picture"));
        let full = usize::try_from(LOGO_BYTES_MAX).unwrap();
        let mut bytes = b"GIF89a".to_vec();
        bytes.resize(full, 0);
        assert!(picture(&write("full.gif", &bytes), None).is_ok());
        bytes.push(0);
        assert!(picture(&write("more.gif", &bytes), None).unwrap_err().contains("64 kB"));
        assert!(picture(folder.path(), None).unwrap_err().contains("a file"));
        // A link in an open folder opens nothing else.
        let outside = write("outside.png", b"\x89PNG\r\n\x1a\n...");
        let link = folder.path().join("open/link.png");
        std::os::unix::fs::symlink(outside, &link).unwrap();
        let open = folder.path().join("open");
        assert!(picture(&png, Some(&open)).is_ok());
        assert!(picture(&link, Some(&open)).unwrap_err().contains("the sysadmin opened"));
    }
}
