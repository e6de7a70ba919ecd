//! `<img>`, `<video>`, `<audio>`, `<file>` and `<album>`.

use std::borrow::Cow;

use crate::markup::{self, Tag};
use crate::model::item::MediaKind;
use crate::model::message::{Medium, Module};
use crate::render::message::remark::unbraced;
use crate::render::message::{Album, Reader};

/// Most pictures and videos of one album; the rest is left out.
pub const ALBUM_MAX: usize = 50;

/// Longest `duration`, in seconds: a week.
const SECONDS_MAX: u32 = 7 * 24 * 3600;

impl<'a> Reader<'a> {
    pub(super) fn image(&mut self, tag: &Tag<'a>) {
        self.medium("img", MediaKind::Image, tag, "");
    }

    /// A video, a sound or another file; its words are its title if it names none.
    pub(super) fn file(&mut self, name: &'static str, tag: &Tag<'a>, words: &str) {
        let kind = match name {
            "video" => MediaKind::Video,
            "audio" => MediaKind::Audio,
            _ => MediaKind::File,
        };
        self.medium(name, kind, tag, words);
    }

    fn medium(&mut self, name: &'static str, kind: MediaKind, tag: &Tag<'a>, words: &str) {
        if self.carousel.is_some() {
            let why = "it is left out: a card has its picture in `image`";
            return self.remark(name, Some(tag), why);
        }
        if let Some(album) = &mut self.album {
            album.named += 1;
        }
        let [src, alt, title, performer] = tag.values(["src", "alt", "title", "performer"]);
        let Some(src) = src else {
            return self.remark(name, Some(tag), "it needs `src`");
        };
        let Some(url) = self.address_in(name, "src", tag, &src) else { return };
        let text =
            |value: Option<Cow<'_, str>>| value.map_or_else(String::new, |it| markup::clean(&it));
        let mut medium = Medium { url, alt: text(alt), ..Medium::new(kind, "", "") };
        if kind != MediaKind::Image {
            medium.title = text(title);
            medium.performer = text(performer);
            medium.cover = self.address_if_any(
                name,
                if kind == MediaKind::Video { "poster" } else { "cover" },
                tag,
            );
            medium.seconds = self.duration(name, tag);
            if medium.title.is_empty() {
                medium.title = markup::plain(words);
            }
        }
        let takes = matches!(kind, MediaKind::Image | MediaKind::Video);
        match &mut self.album {
            Some(album) if takes => {
                if album.media.len() < ALBUM_MAX {
                    album.media.push(medium);
                }
            }
            Some(_) => {
                self.remark(
                    name,
                    Some(tag),
                    "an album takes pictures and videos: it stands after it",
                );
                self.push(Module::Media(medium));
            }
            None => self.push(Module::Media(medium)),
        }
    }

    /// Seconds, or `12:34`, or `1:02:03`.
    fn duration(&mut self, name: &'static str, tag: &Tag<'a>) -> Option<u32> {
        let value = tag.attribute("duration")?;
        let value = value.trim();
        if value.is_empty() {
            return None;
        }
        let found = seconds(value);
        if found.is_none() {
            self.remark(name, Some(tag), "`duration` is no seconds and no `12:34`");
        }
        found.filter(|seconds| (1..=SECONDS_MAX).contains(seconds))
    }

    pub(super) fn open_album(&mut self, tag: &Tag<'a>) {
        if self.album.is_some() || self.carousel.is_some() {
            return self.remark(
                "album",
                Some(tag),
                "it stands within another element: it is left out",
            );
        }
        if !tag.is_empty {
            let at = if self.is_inspecting { super::remark::at(tag) } else { None };
            self.album = Some(Album { media: Vec::new(), named: 0, at });
        }
    }

    pub(super) fn close_album(&mut self) {
        let Some(Album { media, named, at }) = self.album.take() else { return };
        if named < 2 && self.is_inspecting {
            let why = "an album has two pictures at least: one alone needs no album";
            self.remark_constant("album", at, why);
        }
        if media.len() > 1 {
            self.push(Module::Album(media));
        } else if let Some(one) = media.into_iter().next() {
            self.push(Module::Media(one));
        }
    }

    /// The http or https address of an attribute, if it is there and not empty.
    pub(super) fn address_if_any(
        &mut self,
        name: &'static str,
        attribute: &str,
        tag: &Tag<'a>,
    ) -> Option<String> {
        let value = tag.attribute(attribute)?;
        self.address_in(name, attribute, tag, &value)
    }

    /// The http or https address that is the attribute's value, if that is not empty.
    pub(super) fn address_in(
        &mut self,
        name: &'static str,
        attribute: &str,
        tag: &Tag<'a>,
        value: &str,
    ) -> Option<String> {
        if value.trim().is_empty() {
            return None;
        }
        let url = markup::address_text(value, None);
        if url.is_none() {
            let why = format!("`{attribute}` is no http or https address");
            match unbraced(value) {
                Some(meant) => {
                    self.remark_name(name, tag, format!("{why}; did you mean `{meant}`?"));
                }
                None => self.remark(name, Some(tag), why),
            }
        }
        url
    }
}

/// `754`, `754.2`, `12:34`, `1:02:03`.
fn seconds(text: &str) -> Option<u32> {
    let mut total = 0u32;
    for (at, part) in text.split(':').enumerate() {
        let whole = part.split('.').next().unwrap_or_default();
        let number: u32 = whole.trim().parse().ok()?;
        if at > 2 {
            return None;
        }
        total = total.checked_mul(60)?.checked_add(number)?;
    }
    Some(total)
}
