//! Pictures, videos, sounds and files, alone and as albums.

use serde_json::{Map, Value, json};

use crate::channel::cut::{is_visible, shorten};
use crate::channel::flat::clean;
use crate::channel::telegram::lower::keyboard::rows;
use crate::channel::telegram::lower::{
    CAPTION_UNITS_MAX, Draft, Drafts, caption, has_way_on, has_words, media_value,
};
use crate::channel::telegram::text::{Part, is_address, shortened};
use crate::model::item::MediaKind;
use crate::model::message::{Button, LinkPreview, Medium, Overflow, is_ours};
use crate::model::rich::RichText;

/// Most items of one group; an album is at least two.
pub(super) const GROUP_MAX: usize = 10;

/// Longest title of a file; clients show less.
const TITLE_UNITS_MAX: usize = 128;

/// What a file is sent as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Photo,
    Animation,
    Video,
    Audio,
    Document,
}

impl Form {
    fn of(medium: &Medium) -> Self {
        match medium.kind {
            MediaKind::Image | MediaKind::Video if is_gif(&medium.url) => Self::Animation,
            MediaKind::Image => Self::Photo,
            MediaKind::Video => Self::Video,
            MediaKind::Audio => Self::Audio,
            MediaKind::File => Self::Document,
        }
    }

    /// In a group nothing moves by itself: there an animation is a picture.
    fn in_group(medium: &Medium) -> Self {
        match Self::of(medium) {
            Self::Animation => Self::Photo,
            other => other,
        }
    }

    /// The method, and the field of the file.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Photo => ("sendPhoto", "photo"),
            Self::Animation => ("sendAnimation", "animation"),
            Self::Video => ("sendVideo", "video"),
            Self::Audio => ("sendAudio", "audio"),
            Self::Document => ("sendDocument", "document"),
        }
    }

    fn mixes_with(self, other: Self) -> bool {
        let is_seen = |form| matches!(form, Self::Photo | Self::Video);
        self == other || is_seen(self) && is_seen(other)
    }
}

impl Drafts {
    /// A file with the text behind it, in one call if the text is a caption.
    pub(super) fn medium(&mut self, medium: &Medium, text: Option<(&RichText, &[Button])>) {
        let Some((text, buttons)) = text else {
            let is_ours = medium.kind == MediaKind::File && is_ours(&medium.url);
            if is_address(&medium.url) || is_ours {
                self.made.push(single(medium, None));
            }
            return;
        };
        if !is_address(&medium.url) {
            return self.text(text, buttons, None);
        }
        let part = match self.manner.overflow {
            Overflow::Shorten if !self.is_preview(medium) => {
                shortened(text, CAPTION_UNITS_MAX, has_way_on(buttons))
            }
            _ => caption(text),
        };
        if part.is_some() || !has_words(text) {
            let mut draft = single(medium, part.as_ref());
            draft.rows = rows(buttons);
            self.made.push(draft);
        } else if self.is_preview(medium) {
            self.text(text, buttons, Some(&medium.url));
        } else {
            let mut draft = single(medium, None);
            // What the text says need not be said twice.
            draft.fields.remove("caption");
            self.made.push(draft);
            self.text(text, buttons, None);
        }
    }

    /// A picture can be shown above any text.
    fn is_preview(&self, medium: &Medium) -> bool {
        Form::of(medium) == Form::Photo && self.manner.preview != LinkPreview::Off
    }

    /// Groups in order; the text is the caption of the first if it fits and needs no keyboard.
    pub(super) fn album(
        &mut self,
        media: &[Medium],
        text: Option<(&RichText, &[Button])>,
        needs_keyboard: bool,
    ) {
        let media: Vec<Medium> =
            media.iter().filter(|medium| is_address(&medium.url)).cloned().collect();
        if let [medium] = media.as_slice() {
            return self.medium(medium, text);
        }
        let mixes =
            |one: &Medium, next: &Medium| Form::in_group(one).mixes_with(Form::in_group(next));
        let groups: Vec<&[Medium]> = media.chunk_by(mixes).flat_map(groups).collect();
        let is_caption = |(_, buttons): &(&RichText, &[Button])| {
            !needs_keyboard
                && rows(buttons).is_empty()
                && groups.first().is_some_and(|it| it.len() > 1)
        };
        let mut part = text.filter(is_caption).and_then(|(text, _)| caption(text));
        let is_told = part.is_some();
        for group in groups {
            self.made.push(match group {
                [medium] => single(medium, part.take().as_ref()),
                _ => album(group, part.take().as_ref()),
            });
        }
        if let Some((text, buttons)) = text.filter(|_| !is_told) {
            self.text(text, buttons, None);
        }
    }
}

/// A run in groups of nearly equal size, so that no last one is left alone.
fn groups(run: &[Medium]) -> impl Iterator<Item = &[Medium]> {
    let count = run.len().div_ceil(GROUP_MAX).max(1);
    run.chunks(run.len().div_ceil(count).max(1))
}

fn single(medium: &Medium, part: Option<&Part>) -> Draft {
    let form = Form::of(medium);
    let (method, field) = form.names();
    let mut fields = Map::new();
    fields.insert(field.to_owned(), media_value(&medium.url));
    describe(form, medium, &mut fields);
    let mut draft = Draft::new(method, fields);
    match part {
        Some(part) => draft.caption(part),
        // Only sounds have a field for what they are called.
        None if matches!(form, Form::Video | Form::Document | Form::Animation) => {
            let title = shorten(&clean(&medium.title), TITLE_UNITS_MAX);
            if is_visible(&title) {
                draft.put("caption", json!(title));
            }
        }
        None => {}
    }
    draft
}

fn album(group: &[Medium], part: Option<&Part>) -> Draft {
    let mut items = Vec::new();
    for medium in group {
        let form = Form::in_group(medium);
        let mut item = Map::new();
        item.insert("type".to_owned(), json!(form.names().1));
        item.insert("media".to_owned(), media_value(&medium.url));
        describe(form, medium, &mut item);
        if let Some(part) = part.filter(|_| items.is_empty()) {
            item.insert("caption".to_owned(), json!(part.text));
            if !part.entities.is_empty() {
                item.insert("caption_entities".to_owned(), json!(part.entities));
            }
        }
        items.push(Value::Object(item));
    }
    let mut draft = Draft::new("sendMediaGroup", Map::new());
    draft.put("media", Value::Array(items));
    draft
}

/// What is said of a file besides its address. A thumbnail can only be uploaded: it is named by its
/// address here, and goes along where the file does.
fn describe(form: Form, medium: &Medium, fields: &mut Map<String, Value>) {
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    if let Some(seconds) = medium.seconds
        && matches!(form, Form::Video | Form::Animation | Form::Audio)
    {
        put("duration", json!(seconds));
    }
    let cover = medium.cover.as_deref().filter(|cover| is_address(cover));
    if let Some(cover) = cover
        && matches!(form, Form::Video | Form::Audio)
    {
        put("thumbnail", media_value(cover));
    }
    match form {
        Form::Video => {
            put("supports_streaming", json!(true));
            if let Some(cover) = cover {
                put("cover", media_value(cover));
            }
        }
        Form::Audio => {
            for (name, words) in [("title", &medium.title), ("performer", &medium.performer)] {
                let words = shorten(&clean(words), TITLE_UNITS_MAX);
                if is_visible(&words) {
                    put(name, json!(words));
                }
            }
        }
        Form::Photo | Form::Animation | Form::Document => {}
    }
}

fn is_gif(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    path.len() >= 4 && path.is_char_boundary(path.len() - 4) && {
        path[path.len() - 4..].eq_ignore_ascii_case(".gif")
    }
}
