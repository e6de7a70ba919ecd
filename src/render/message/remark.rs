//! What a layout printed in vain, told to its editor.

use std::borrow::Cow;

use crate::markup::{Element, Tag};
use crate::render::message::Reader;
use crate::render::nearest::nearest;

/// Most remarks about one message.
const REMARKS_MAX: usize = 50;

/// The elements that make modules; all others are text.
pub(in crate::render) const ELEMENTS: [&str; 10] =
    ["img", "video", "audio", "file", "album", "button", "carousel", "card", "reply", "message"];

/// Put on elements while a layout is checked: the offset of the element in its file.
pub(in crate::render) const AT: &str = "data-tidings-at";

/// What may stand at any element without a meaning.
const HARMLESS: [&str; 12] = [
    "class", "id", "lang", "dir", "width", "height", "loading", "controls", "preload", "type",
    "target", "rel",
];

/// Elements of HTML that are text without a look of their own.
const PLAIN: [&str; 20] = [
    "small", "big", "font", "label", "abbr", "time", "mark", "wbr", "bdi", "bdo", "sub", "acronym",
    "picture", "source", "meta", "link", "input", "tbody", "thead", "tfoot",
];

/// Elements of text that a layout may mean with another name.
const TEXTS: [&str; 24] = [
    "b",
    "strong",
    "i",
    "em",
    "u",
    "s",
    "del",
    "code",
    "pre",
    "blockquote",
    "tg-spoiler",
    "spoiler",
    "a",
    "ul",
    "ol",
    "li",
    "table",
    "tr",
    "td",
    "th",
    "details",
    "summary",
    "div",
    "span",
];

/// Something that could not become part of the message, and so was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The element's name, as in `<img>`.
    pub element: String,
    pub why: Cow<'static, str>,
    /// Where it stands in its layout, if the layout was marked for a check: the file's number and
    /// the offset in bytes.
    pub at: Option<(usize, usize)>,
    /// Only wrong if the layout always prints it like this.
    pub is_of_constant: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn remark(
        &mut self,
        element: &str,
        tag: Option<&Tag<'a>>,
        why: impl Into<Cow<'static, str>>,
    ) {
        if self.is_inspecting {
            self.keep(element, tag.and_then(at), why.into(), false);
        }
    }

    /// A remark that holds only if nothing around it depends on an item.
    pub(super) fn remark_constant(
        &mut self,
        element: &str,
        at: Option<(usize, usize)>,
        why: &'static str,
    ) {
        self.keep(element, at, why.into(), true);
    }

    fn keep(
        &mut self,
        element: &str,
        at: Option<(usize, usize)>,
        why: Cow<'static, str>,
        is_of_constant: bool,
    ) {
        if self.remarks.len() < REMARKS_MAX {
            let element = element.to_owned();
            self.remarks.push(Remark { element, why, at, is_of_constant });
        }
    }

    pub(super) fn remark_attributes(&mut self, name: &'static str, tag: &Tag<'a>) {
        let known = attributes(name);
        for (attribute, _) in tag.attributes() {
            let attribute = attribute.to_ascii_lowercase();
            let is_free = attribute.starts_with("data-") || attribute.starts_with("aria-");
            if known.contains(&attribute.as_str())
                || is_free
                || HARMLESS.contains(&attribute.as_str())
            {
                continue;
            }
            let why = match nearest(&attribute, known) {
                Some(near) => format!("it has no `{attribute}`; did you mean `{near}`?"),
                None => {
                    let known: Vec<_> = known.iter().map(|it| format!("`{it}`")).collect();
                    format!("it has no `{attribute}`, but {}", known.join(", "))
                }
            };
            self.remark(name, Some(tag), why);
        }
    }

    /// Tells a name that is nearly one that has a meaning; what else is unknown is passed over.
    pub(super) fn remark_unknown(&mut self, tag: &Tag<'a>) {
        let name = tag.name.to_ascii_lowercase();
        let is_known = Element::of(&name) != Element::Inline
            || PLAIN.contains(&name.as_str())
            || TEXTS.contains(&name.as_str());
        // Short names are near to everything.
        if is_known || name.len() < 3 {
            return;
        }
        let near = nearest(&name, &ELEMENTS).or_else(|| nearest(&name, &TEXTS));
        if let Some(near) = near.filter(|it| it.len() >= 3) {
            self.remark(
                &name,
                Some(tag),
                format!("there is no such element; did you mean <{near}>?"),
            );
        }
    }
}

/// What an element understands.
fn attributes(element: &str) -> &'static [&'static str] {
    match element {
        "img" => &["src", "alt", "title"],
        "video" => &["src", "alt", "poster", "title", "duration"],
        "audio" => &["src", "alt", "title", "performer", "duration", "cover"],
        "file" => &["src", "alt", "title"],
        "button" => &["href", "postback", "copy", "style", "title"],
        "card" => &["title", "subtitle", "image", "href"],
        "reply" => &["postback"],
        "message" => &["overflow", "preview", "silent", "protected"],
        _ => &[],
    }
}

/// Where a marked element stands.
pub(super) fn at(tag: &Tag<'_>) -> Option<(usize, usize)> {
    let value = tag.attribute(AT)?;
    let (file, offset) = value.split_once(':')?;
    Some((file.parse().ok()?, offset.parse().ok()?))
}
