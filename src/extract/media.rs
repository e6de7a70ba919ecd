//! Files that belong to an item, and the one picture that stands for it.

use std::borrow::Cow;

use url::Url;

use crate::extract::link;
use crate::extract::raw::{RawMedia, Role};
use crate::markup;
use crate::model::item::{Media, MediaKind};

/// Widest picture that is preferred over a narrower one, in pixels.
const WIDTH_MAX: u32 = 4_000;
/// Pictures this small or smaller in both directions are counters, not pictures.
const TRACKING_SIDE: u32 = 2;
/// Most `img` tags of a text that are looked at for one that is a picture.
const IMAGES_SCANNED_MAX: usize = 20;
/// How much of one `img` tag is looked at, in bytes.
const TAG_BYTES_MAX: usize = 8 << 10;
/// Longest description, in characters.
const ALT_CHARS_MAX: usize = 1_000;

/// Longest title of a file, in characters.
const TITLE_CHARS_MAX: usize = 300;
/// Longest that a file may play, in seconds: a week. What claims more is not believed.
const SECONDS_MAX: u32 = 7 * 24 * 3_600;

/// What an item's files come to.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    pub image: Option<String>,
    pub media: Vec<Media>,
}

/// Settles the files of one item, with `bases` for relative addresses.
///
/// The picture is the item's own one, else the widest of the pictures named as content, an
/// enclosure, a thumbnail, a cover, in this order. What is only a thumbnail or cover of
/// something is no file of the item, unless nothing else is.
pub(crate) fn settle(raw: &[RawMedia], bases: &[Option<&Url>]) -> Settled {
    let mut settled = Settled::default();
    let mut best: Option<(Role, std::cmp::Reverse<u32>)> = None;
    for found in raw {
        let mut all: Vec<Option<&Url>> = vec![found.link.base.as_deref()];
        all.extend_from_slice(bases);
        let Some((shown, url)) = link::resolve(&found.link.href, &all) else { continue };
        let picture = match found.role {
            Role::Picture | Role::Thumbnail | Role::Cover => true,
            Role::Content | Role::Enclosure => false,
        };
        let kind = if picture { MediaKind::Image } else { kind(&found.mime, &found.medium, &url) };
        let counter = found.width > 0
            && found.height > 0
            && found.width <= TRACKING_SIDE
            && found.height <= TRACKING_SIDE;
        if kind == MediaKind::Image && !counter {
            let width = if found.width > WIDTH_MAX { 0 } else { found.width };
            let rank = (found.role, std::cmp::Reverse(width));
            if best.is_none_or(|best| rank < best) {
                best = Some(rank);
                settled.image = Some(shown.clone());
            }
        }
        let own = matches!(found.role, Role::Content | Role::Enclosure);
        if own && !settled.media.iter().any(|known| known.url == shown) {
            let alt = markup::plain(&found.alt);
            settled.media.push(Media {
                kind,
                url: shown,
                bytes: found.bytes.filter(|bytes| *bytes > 0),
                mime: Some(found.mime.trim().to_ascii_lowercase())
                    .filter(|mime| mime.contains('/')),
                alt: Some(alt.chars().take(ALT_CHARS_MAX).collect())
                    .filter(|alt: &String| !alt.is_empty()),
                title: Some(markup::plain(&found.title).chars().take(TITLE_CHARS_MAX).collect())
                    .filter(|title: &String| !title.is_empty()),
                seconds: Some(found.seconds).filter(|seconds| *seconds > 0),
            });
        }
    }
    settled
}

/// How long a file plays: seconds, `12:34` or `1:02:03`; 0 for what is none of these.
pub(crate) fn seconds(text: &str) -> u32 {
    let mut total = 0_u32;
    for (at, part) in text.trim().split(':').enumerate() {
        let whole = part.split('.').next().unwrap_or_default().trim();
        let Ok(number) = whole.parse::<u32>() else { return 0 };
        if at > 2 {
            return 0;
        }
        total = total.saturating_mul(60).saturating_add(number);
    }
    if total <= SECONDS_MAX { total } else { 0 }
}

/// What a file is, by its type, its Media RSS medium, or the ending of its address.
fn kind(mime: &str, medium: &str, url: &Url) -> MediaKind {
    let mime = mime.trim().to_ascii_lowercase();
    match mime.split('/').next().unwrap_or_default() {
        "image" => return MediaKind::Image,
        "audio" => return MediaKind::Audio,
        "video" => return MediaKind::Video,
        _ if mime == "application/x-shockwave-flash" => return MediaKind::Video,
        _ => {}
    }
    match medium.trim().to_ascii_lowercase().as_str() {
        "image" => return MediaKind::Image,
        "audio" => return MediaKind::Audio,
        "video" => return MediaKind::Video,
        _ => {}
    }
    let path = url.path().to_ascii_lowercase();
    match path.rsplit('.').next().unwrap_or_default() {
        "jpg" | "jpeg" | "png" | "gif" | "webp" | "avif" | "svg" | "bmp" => MediaKind::Image,
        "mp3" | "m4a" | "ogg" | "oga" | "opus" | "wav" | "flac" | "aac" => MediaKind::Audio,
        "mp4" | "m4v" | "mov" | "webm" | "avi" | "mkv" | "ogv" => MediaKind::Video,
        _ => MediaKind::File,
    }
}

/// The first picture in a text that is one: no counter, no `data:` placeholder.
///
/// Images that load late have their address in `data-src` or `srcset`.
pub(crate) fn first_image(html: &str, bases: &[Option<&Url>]) -> Option<String> {
    let mut rest = html;
    for _ in 0..IMAGES_SCANNED_MAX {
        rest = next_image(rest)?;
        let window = rest.get(..rest.floor_char_boundary(TAG_BYTES_MAX))?;
        let end = window.find('>').unwrap_or(window.len());
        let tag = rest.get(..end)?;
        if let Some(found) = image_of(tag, bases) {
            return Some(found);
        }
        rest = rest.get(end..)?;
    }
    None
}

/// What stands behind the next `<img`.
fn next_image(mut text: &str) -> Option<&str> {
    loop {
        let at = memchr::memchr(b'<', text.as_bytes())?;
        text = text.get(at + 1..)?;
        let bytes = text.as_bytes();
        let name = bytes.get(..3)?;
        let ends = bytes.get(3).is_some_and(|b| b.is_ascii_whitespace() || *b == b'/');
        if name.eq_ignore_ascii_case(b"img") && ends {
            return text.get(3..);
        }
    }
}

fn image_of(tag: &str, bases: &[Option<&Url>]) -> Option<String> {
    let side =
        |name| value(tag, name).and_then(|side| side.trim_end_matches("px").parse::<u32>().ok());
    let tiny = |side: Option<u32>| side.is_some_and(|side| side <= TRACKING_SIDE);
    if tiny(side("width")) || tiny(side("height")) {
        return None;
    }
    let late = ["data-src", "data-lazy-src", "data-original", "data-orig-file"].iter();
    let set = ["srcset", "data-srcset"].iter().filter_map(|name| {
        // The first of `address width, address width`.
        Some(Cow::Owned(
            value(tag, name)?.split([' ', ',']).find(|part| !part.is_empty())?.to_owned(),
        ))
    });
    let mut candidates =
        value(tag, "src").into_iter().chain(late.filter_map(|name| value(tag, name))).chain(set);
    candidates.find_map(|href| {
        let (shown, url) = link::resolve(&href, bases)?;
        (!is_counter(&url)).then_some(shown)
    })
}

/// The value of an attribute, references resolved.
fn value<'a>(tag: &'a str, wanted: &str) -> Option<Cow<'a, str>> {
    let mut rest = tag;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        let end = rest.find(|c: char| c == '=' || c.is_whitespace())?;
        let (name, behind) = rest.split_at(end);
        let behind = behind.trim_start();
        let Some(behind) = behind.strip_prefix('=') else {
            rest = behind;
            continue;
        };
        let behind = behind.trim_start();
        let (value, tail) = match behind.chars().next()? {
            quote @ ('"' | '\'') => {
                let inner = behind.get(1..)?;
                inner.split_once(quote).unwrap_or((inner, ""))
            }
            _ => {
                let end = behind.find(char::is_whitespace).unwrap_or(behind.len());
                behind.split_at(end)
            }
        };
        if name.eq_ignore_ascii_case(wanted) {
            return Some(markup::decode(value));
        }
        rest = tail;
    }
}

/// Hosts and paths that count readers or decorate, as far as they show it.
fn is_counter(url: &Url) -> bool {
    const HOSTS: [&str; 9] = [
        "feeds.feedburner.com",
        "feedads.g.doubleclick.net",
        "stats.wordpress.com",
        "pixel.wp.com",
        "feeds.wordpress.com",
        "s.w.org",
        "www.facebook.com",
        "rss.buysellads.com",
        "pixel.quantserve.com",
    ];
    let host = url.host_str().unwrap_or_default();
    let path = url.path();
    HOSTS.contains(&host)
        || host.starts_with("pixel.")
        || host.starts_with("analytics.")
        || ["/~r/", "/~ff/", "/pixel.gif", "/spacer.gif", "/blank.gif", "/1x1"]
            .iter()
            .any(|p| path.contains(p))
        || path.contains("/smilies/")
        || path.contains("/emoji/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::raw::RawLink;

    fn media(href: &str, role: Role, mime: &str, width: u32) -> RawMedia {
        RawMedia { link: RawLink::new(href), role, mime: mime.into(), width, ..RawMedia::default() }
    }

    #[test]
    fn the_widest_picture_of_the_best_place_stands_for_the_item() {
        let found = settle(
            &[
                media("http://e.com/thumb.jpg", Role::Thumbnail, "", 5000),
                media("http://e.com/small.jpg", Role::Content, "image/jpeg", 100),
                media("http://e.com/large.jpg", Role::Content, "image/jpeg", 1200),
                media("http://e.com/monster.jpg", Role::Content, "image/jpeg", 9000),
                media("http://e.com/sound", Role::Enclosure, "audio/mpeg", 0),
            ],
            &[],
        );
        assert_eq!(found.image.as_deref(), Some("http://e.com/large.jpg"));
        assert_eq!(found.media.len(), 4);
        assert_eq!(found.media[3].kind, MediaKind::Audio);
    }

    #[test]
    fn a_file_plays_for_what_is_believable() {
        for (text, expected) in [
            ("754", 754),
            ("754.3", 754),
            (" 12:34 ", 754),
            ("1:02:03", 3_723),
            ("", 0),
            ("an hour", 0),
            ("-5", 0),
            ("1:2:3:4", 0),
            ("99999999999999999999999", 0),
            ("4000000000", 0),
            ("99999:00:00", 0),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }

    #[test]
    fn a_file_named_twice_is_one_file() {
        let twice = [
            media("http://e.com/a.mp3", Role::Enclosure, "audio/mpeg", 0),
            media("http://e.com/a.mp3", Role::Content, "", 0),
        ];
        assert_eq!(settle(&twice, &[]).media.len(), 1);
    }

    #[test]
    fn the_kind_of_a_file_shows_in_type_medium_or_ending() {
        for (mime, medium, href, expected) in [
            ("image/png", "", "http://e.com/x", MediaKind::Image),
            ("", "video", "http://e.com/x", MediaKind::Video),
            ("application/octet-stream", "", "http://e.com/x.MP3", MediaKind::Audio),
            ("application/pdf", "", "http://e.com/x.pdf", MediaKind::File),
        ] {
            assert_eq!(kind(mime, medium, &Url::parse(href).unwrap()), expected, "{href}");
        }
    }

    #[test]
    fn the_first_real_picture_of_a_text_is_found() {
        let base = Url::parse("http://e.com/post/1").unwrap();
        for (html, expected) in [
            ("<p>x</p><img alt='a' src='/a.jpg'>", Some("http://e.com/a.jpg")),
            ("<IMG SRC=http://e.com/a.jpg?x=1&amp;y=2 >", Some("http://e.com/a.jpg?x=1&y=2")),
            (
                "<img src='http://e.com/c.gif' width='1' height=\"1\"><img src='b.png'>",
                Some("http://e.com/post/b.png"),
            ),
            (
                "<img src='data:image/gif;base64,R0' data-src='http://e.com/late.jpg'>",
                Some("http://e.com/late.jpg"),
            ),
            (
                "<img srcset='http://e.com/s.jpg 300w, http://e.com/m.jpg 600w'>",
                Some("http://e.com/s.jpg"),
            ),
            ("<image src='http://e.com/a.jpg'><imgs>", None),
            ("<img", None),
            ("no picture", None),
        ] {
            assert_eq!(first_image(html, &[Some(&base)]).as_deref(), expected, "{html}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_search_panic(html in "(<img|src=|['\"= />]|\\PC){0,40}") {
            let _ = first_image(&html, &[]);
        }
    }
}
