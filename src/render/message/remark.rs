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

/// The element of a link within text.
const LINK: &str = "a";

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
    /// It is about how the element is written, whatever the layout prints in it.
    pub is_of_name: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn remark(
        &mut self,
        element: &str,
        tag: Option<&Tag<'a>>,
        why: impl Into<Cow<'static, str>>,
    ) {
        if self.is_inspecting {
            let (element, at) = (element.to_owned(), tag.and_then(at));
            let (is_of_constant, is_of_name) = (false, false);
            self.keep(Remark { element, why: why.into(), at, is_of_constant, is_of_name });
        }
    }

    /// A remark that holds whatever the layout prints.
    pub(super) fn remark_name(&mut self, element: &str, tag: &Tag<'a>, why: String) {
        if !self.is_inspecting {
            return;
        }
        let (element, at, why) = (element.to_owned(), at(tag), why.into());
        self.keep(Remark { element, why, at, is_of_constant: false, is_of_name: true });
    }

    /// A remark that holds only if nothing around it depends on an item.
    pub(super) fn remark_constant(
        &mut self,
        element: &str,
        at: Option<(usize, usize)>,
        why: &'static str,
    ) {
        let (element, why) = (element.to_owned(), why.into());
        self.keep(Remark { element, why, at, is_of_constant: true, is_of_name: false });
    }

    fn keep(&mut self, remark: Remark) {
        if self.remarks.len() < REMARKS_MAX {
            self.remarks.push(remark);
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
                // Links of other pages have much that says nothing here.
                None if name == LINK => continue,
                None => {
                    let known: Vec<_> = known.iter().map(|it| format!("`{it}`")).collect();
                    format!("it has no `{attribute}`, but {}", known.join(", "))
                }
            };
            self.remark_name(name, tag, why);
        }
    }

    /// Tells a link that leads nowhere, and a word of it that is nearly one that it has.
    pub(super) fn remark_link(&mut self, tag: &Tag<'a>) {
        if !tag.name.eq_ignore_ascii_case(LINK) {
            return;
        }
        self.remark_attributes(LINK, tag);
        if let Some(href) = tag.attribute("href") {
            // What it says is told; the link itself is made with the text.
            drop(self.address_in(LINK, "href", tag, &href));
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
            let why = format!("there is no such element; did you mean <{near}>?");
            self.remark_name(&name, tag, why);
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
        LINK => &["href", "name"],
        "message" => &["overflow", "preview", "silent", "protected"],
        _ => &[],
    }
}

/// What an address was to be that is none: an expression whose braces were forgotten.
pub(super) fn unbraced(value: &str) -> Option<String> {
    let value = value.trim();
    let (name, field) = value.split_once('.')?;
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let is_field = !field.is_empty() && field.chars().all(|c| is_word(c) || ".[] |".contains(c));
    (matches!(name, "item" | "variant" | "medium" | "media" | "subscriber") && is_field)
        .then(|| format!("{{{{ {value} }}}}"))
}

/// Where a marked element stands.
pub(super) fn at(tag: &Tag<'_>) -> Option<(usize, usize)> {
    let value = tag.attribute(AT)?;
    let (file, offset) = value.split_once(':')?;
    Some((file.parse().ok()?, offset.parse().ok()?))
}
