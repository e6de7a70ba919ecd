//! `<button>` and `<reply>`.

use std::borrow::Cow;

use crate::markup::{self, Tag};
use crate::model::message::{Action, Button, ButtonStyle, Module};
use crate::render::message::Reader;
use crate::render::shorten::shorten;

/// Most buttons below one text or card; the rest is left out.
pub const BUTTONS_MAX: usize = 20;

/// Longest label of a button, in graphemes; a channel may show less.
pub const LABEL_GRAPHEMES_MAX: usize = 64;

/// Longest payload of a tap, in bytes: Telegram's limit for callback data, the smaller of both.
pub const POSTBACK_BYTES_MAX: usize = 64;

/// Longest text that a button copies, in characters: Telegram's limit.
pub const COPY_CHARS_MAX: usize = 256;

/// Most quick replies; the rest is left out. Messenger's limit.
pub const REPLIES_MAX: usize = 13;

impl<'a> Reader<'a> {
    pub(super) fn button(&mut self, tag: &Tag<'a>, label: &str) {
        let [postback, copy, href, style] = tag.values(["postback", "copy", "href", "style"]);
        let Some(action) = self.action(tag, postback, copy, href) else { return };
        let label = shorten(&markup::plain(label), LABEL_GRAPHEMES_MAX);
        if label.is_empty() {
            return;
        }
        let button = Button { label, action, style: self.style(tag, style.as_deref()) };
        if self.album.is_some() {
            self.remark(
                "button",
                Some(tag),
                "it stands within an album: it goes to the text before",
            );
        }
        if let Some(carousel) = &mut self.carousel {
            match &mut carousel.card {
                Some(card) if card.buttons.len() < BUTTONS_MAX => card.buttons.push(button),
                Some(_) => {}
                None => {
                    let why = "it is left out: in a carousel buttons stand within a card";
                    self.remark("button", Some(tag), why);
                }
            }
            return;
        }
        let last_text = self.message.modules.iter_mut().rev().find_map(|module| match module {
            Module::Text { buttons, .. } => Some(buttons),
            _ => None,
        });
        let buttons = last_text.unwrap_or(&mut self.early);
        if buttons.len() < BUTTONS_MAX {
            buttons.push(button);
        }
    }

    fn action(
        &mut self,
        tag: &Tag<'a>,
        postback: Option<Cow<'a, str>>,
        copy: Option<Cow<'a, str>>,
        href: Option<Cow<'a, str>>,
    ) -> Option<Action> {
        if postback.is_none() && copy.is_none() && href.is_none() {
            self.remark("button", Some(tag), "it needs `href`, `postback` or `copy`");
            return None;
        }
        if let Some(payload) = postback.filter(|it| !it.is_empty()) {
            return self.postback("button", tag, &payload);
        }
        if let Some(text) = copy.filter(|it| !it.trim().is_empty()) {
            if text.chars().count() > COPY_CHARS_MAX {
                self.remark("button", Some(tag), "`copy` is longer than 256 characters");
                return None;
            }
            return Some(Action::Copy { text: text.trim().to_owned() });
        }
        self.address_in("button", "href", tag, &href?).map(|url| Action::Open { url })
    }

    fn postback(&mut self, name: &'static str, tag: &Tag<'a>, payload: &str) -> Option<Action> {
        if payload.len() > POSTBACK_BYTES_MAX {
            self.remark(name, Some(tag), "`postback` is longer than 64 bytes");
            return None;
        }
        Some(Action::Postback { payload: payload.to_owned() })
    }

    fn style(&mut self, tag: &Tag<'a>, style: Option<&str>) -> ButtonStyle {
        let Some(style) = style else { return ButtonStyle::Plain };
        match style.trim() {
            "" | "plain" => ButtonStyle::Plain,
            "primary" => ButtonStyle::Primary,
            "success" => ButtonStyle::Success,
            "danger" => ButtonStyle::Danger,
            _ => {
                let why = "`style` is none of `primary`, `success`, `danger`";
                self.remark("button", Some(tag), why);
                ButtonStyle::Plain
            }
        }
    }

    pub(super) fn reply(&mut self, tag: &Tag<'a>, label: &str) {
        let Some(payload) = tag.attribute("postback") else {
            return self.remark("reply", Some(tag), "it needs `postback`");
        };
        if payload.is_empty() {
            return;
        }
        let Some(action) = self.postback("reply", tag, &payload) else { return };
        let label = shorten(&markup::plain(label), LABEL_GRAPHEMES_MAX);
        if !label.is_empty() && self.message.quick_replies.len() < REPLIES_MAX {
            self.message.quick_replies.push(Button::new(label, action));
        }
    }
}
