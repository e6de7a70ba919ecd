//! `<message>`: how the whole is sent.

use crate::markup::Tag;
use crate::model::message::{LinkPreview, Manner, Overflow};
use crate::render::message::Reader;

impl<'a> Reader<'a> {
    pub(super) fn manner(&mut self, tag: &Tag<'a>) {
        if self.has_manner {
            return self.remark("message", Some(tag), "there is another one before: one is enough");
        }
        self.has_manner = true;
        let word = |attribute: &str| tag.attribute(attribute).unwrap_or_default();
        let (overflow, preview) = (word("overflow"), word("preview"));
        let overflow = match overflow.trim() {
            "" | "split" => Overflow::Split,
            "shorten" => Overflow::Shorten,
            "rich" => Overflow::Rich,
            _ => {
                let why = "`overflow` is none of `split`, `shorten`, `rich`";
                self.remark("message", Some(tag), why);
                Overflow::Split
            }
        };
        let preview = match preview.trim() {
            "" | "auto" => LinkPreview::Auto,
            "off" => LinkPreview::Off,
            "small" => LinkPreview::Small,
            "large" => LinkPreview::Large,
            "above" => LinkPreview::Above,
            _ => {
                let why = "`preview` is none of `auto`, `off`, `small`, `large`, `above`";
                self.remark("message", Some(tag), why);
                LinkPreview::Auto
            }
        };
        self.message.manner = Manner {
            overflow,
            preview,
            is_silent: self.flag("silent", tag),
            is_protected: self.flag("protected", tag),
        };
    }

    /// Set when it is there, but for `false` and `no`.
    fn flag(&mut self, attribute: &str, tag: &Tag<'a>) -> bool {
        let Some(value) = tag.attribute(attribute) else { return false };
        match value.trim().to_ascii_lowercase().as_str() {
            "" | "true" | "yes" | "1" => true,
            "false" | "no" | "0" => false,
            other if other == attribute => true,
            _ => {
                let why = format!("`{attribute}` needs no value, or `true` or `false`");
                self.remark("message", Some(tag), why);
                true
            }
        }
    }
}
