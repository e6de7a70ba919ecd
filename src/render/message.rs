//! What a layout printed, read into the modules of a message.

use crate::markup::{self, Element, Scanner, Tag, Token};
use crate::model::message::{Action, Button, Medium, Message, Module};
use crate::model::rich::RichText;
use crate::render::shorten::shorten;

/// Most modules of one message; the rest is left out.
pub const MODULES_MAX: usize = 100;

/// Most buttons below one text; the rest is left out.
pub const BUTTONS_MAX: usize = 20;

/// Longest label of a button, in graphemes; a channel may show less.
pub const LABEL_GRAPHEMES_MAX: usize = 64;

/// Longest payload of a tap, in bytes: Telegram's limit for callback data, the smaller of both.
pub const POSTBACK_BYTES_MAX: usize = 64;

/// An element that could not become part of the message, and so was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// `img` or `button`.
    pub element: &'static str,
    pub why: &'static str,
}

/// Reads HTML: `<img src alt>` is a picture, `<button href>` or `<button postback>` a button below
/// the text before it (or the first one, if none is before), all else is text.
///
/// A picture without address and a button without address, payload or label are left out without
/// a word, since layouts print them for items that lack these. The message may be empty.
pub fn read(html: &str) -> (Message, Vec<Remark>) {
    let mut reader = Reader::default();
    let mut scanner = Scanner::new(html);
    let mut text_from = 0;
    loop {
        let start = scanner.at();
        let Some(token) = scanner.next() else { break };
        let Token::Open(tag) = token else { continue };
        if tag.name.eq_ignore_ascii_case("img") {
            reader.text(&html[text_from..start]);
            text_from = scanner.at();
            reader.image(&tag);
        } else if tag.name.eq_ignore_ascii_case("button") {
            reader.text(&html[text_from..start]);
            let label_from = scanner.at();
            scanner.skip_element(Element::Dropped, &tag);
            text_from = scanner.at();
            reader.button(&tag, &html[label_from..text_from]);
        } else if let element @ (Element::Dropped | Element::DroppedText) = Element::of(tag.name) {
            scanner.skip_element(element, &tag);
        }
    }
    reader.text(&html[text_from..]);
    reader.finish()
}

#[derive(Default)]
struct Reader {
    modules: Vec<Module>,
    /// Buttons that came before any text.
    early: Vec<Button>,
    remarks: Vec<Remark>,
}

impl Reader {
    fn text(&mut self, html: &str) {
        let text = markup::rich(html, None);
        if !text.is_empty() && self.modules.len() < MODULES_MAX {
            let buttons = std::mem::take(&mut self.early);
            self.modules.push(Module::Text { text, buttons });
        }
    }

    fn image(&mut self, tag: &Tag<'_>) {
        let src = tag.attribute("src").unwrap_or_default();
        if src.trim().is_empty() || self.modules.len() >= MODULES_MAX {
            return;
        }
        match markup::address(&src, None) {
            Some(url) => {
                let alt = markup::clean(&tag.attribute("alt").unwrap_or_default());
                self.modules.push(Module::Media(Medium::image(url.as_str(), &alt)));
            }
            None => self.remark("img", "`src` is no http or https address"),
        }
    }

    fn button(&mut self, tag: &Tag<'_>, label: &str) {
        let label = shorten(&markup::plain(label), LABEL_GRAPHEMES_MAX);
        let href = tag.attribute("href").unwrap_or_default();
        let action = match tag.attribute("postback") {
            Some(payload) if payload.len() > POSTBACK_BYTES_MAX => {
                return self.remark("button", "`postback` is longer than 64 bytes");
            }
            Some(payload) if !payload.is_empty() => {
                Action::Postback { payload: payload.into_owned() }
            }
            _ if href.trim().is_empty() => return,
            _ => match markup::address(&href, None) {
                Some(url) => Action::Open { url: url.into() },
                None => return self.remark("button", "`href` is no http or https address"),
            },
        };
        if label.is_empty() {
            return;
        }
        let last_text = self.modules.iter_mut().rev().find_map(|module| match module {
            Module::Text { buttons, .. } => Some(buttons),
            _ => None,
        });
        let buttons = last_text.unwrap_or(&mut self.early);
        if buttons.len() < BUTTONS_MAX {
            buttons.push(Button::new(label, action));
        }
    }

    fn remark(&mut self, element: &'static str, why: &'static str) {
        self.remarks.push(Remark { element, why });
    }

    fn finish(mut self) -> (Message, Vec<Remark>) {
        // Buttons need words above them: where there are none, the first label serves.
        if let Some(first) = self.early.first() {
            let text = RichText::from_plain(&first.label);
            self.modules.push(Module::Text { text, buttons: self.early });
        }
        (Message::from(self.modules), self.remarks)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::render::preview::preview;

    fn told(html: &str) -> String {
        preview(&read(html).0, 60, false)
    }

    fn open(label: &str, url: &str) -> Button {
        Button::new(label, Action::Open { url: url.to_owned() })
    }

    fn text(html: &str, buttons: Vec<Button>) -> Module {
        Module::Text { text: markup::rich(html, None), buttons }
    }

    fn image(url: &str, alt: &str) -> Module {
        Module::Media(Medium::image(url, alt))
    }

    #[test]
    fn elements_become_modules_in_order() {
        let html = "<img src=https://example.com/a.png alt='A &amp;  b'>\n<p><b>One</b></p>\n\
                    <button href=https://example.com/1>Read <i>more</i></button>\n\
                    <button postback=stop>Stop</button><p>Two</p><IMG SRC='http://example.com/b'>";
        let stop = Action::Postback { payload: "stop".to_owned() };
        let expected = vec![
            image("https://example.com/a.png", "A & b"),
            text(
                "<p><b>One</b></p>",
                vec![open("Read more", "https://example.com/1"), Button::new("Stop", stop)],
            ),
            text("Two", vec![]),
            image("http://example.com/b", ""),
        ];
        assert_eq!(read(html), (Message::from(expected), vec![]));
    }

    #[test]
    fn what_an_item_lacks_vanishes() {
        for html in ["", " <p> </p>", "<img src='' alt=x><img>", "<button href=''>x</button>"] {
            assert_eq!(read(html), (Message::default(), vec![]), "{html}");
        }
        assert!(read("<button href=https://example.com/> </button>").0.modules.is_empty());
    }

    #[test]
    fn a_button_finds_its_text() {
        let button = "<button href=https://example.com/>b</button>";
        let buttons = vec![open("b", "https://example.com/")];
        let picture = "<img src=https://example.com/p>";
        let cases = [
            (format!("t{button}"), vec![text("t", buttons.clone())]),
            (format!("{button}t"), vec![text("t", buttons.clone())]),
            (
                format!("t{picture}{button}"),
                vec![text("t", buttons.clone()), image("https://example.com/p", "")],
            ),
            (
                format!("{picture}{button}"),
                vec![image("https://example.com/p", ""), text("b", buttons)],
            ),
        ];
        for (html, modules) in cases {
            assert_eq!(read(&html).0.modules, modules, "{html}");
        }
    }

    #[test]
    fn sec_t06_addresses_that_are_none_are_remarked() {
        let html = "t<img src=/a.png><button href=tg://x>x</button><button href=javascript:x>y\
                    </button><button postback=0123456789012345678901234567890123456789012345678901\
                    2345678901234>z</button>";
        let (message, remarks) = read(html);
        assert_eq!(message.modules, vec![text("t", vec![])]);
        let elements: Vec<_> = remarks.iter().map(|remark| remark.element).collect();
        assert_eq!(elements, ["img", "button", "button", "button"]);
    }

    #[test]
    fn what_is_dropped_gives_no_modules() {
        let html = "<!-- <img src=https://example.com/a> --><script><img src=https://example.com/b>\
                    </script><svg><img src=https://example.com/c></svg><pre>&lt;img&gt;</pre>";
        assert_eq!(read(html).0.modules, vec![text("<pre>&lt;img&gt;</pre>", vec![])]);
    }

    #[test]
    fn sec_l01_modules_and_buttons_are_bounded() {
        let images = "<img src=https://example.com/>".repeat(MODULES_MAX + 1);
        assert_eq!(read(&images).0.modules.len(), MODULES_MAX);
        let buttons = "<button href=https://example.com/>b</button>".repeat(BUTTONS_MAX + 1);
        let Module::Text { buttons, .. } = &read(&format!("t{buttons}")).0.modules[0] else {
            panic!("not a text");
        };
        assert_eq!(buttons.len(), BUTTONS_MAX);
    }

    proptest! {
        #[test]
        fn any_html_is_read(
            html in "(</?(img|button|p|b|script)( (src|href|postback)=\"(https://x/|a)?\")?>|[a-z<]){0,20}"
        ) {
            told(&html);
        }
    }
}
