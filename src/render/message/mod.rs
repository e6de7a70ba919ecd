//! What a layout printed, read into the modules of a message.
//!
//! ```text
//! <img src alt>                                       a picture
//! <video src poster title duration>                   a video
//! <audio src title performer duration cover>          a sound
//! <file src title>                                    another file
//! <album> img, video … </album>                       pictures and videos shown as one
//! <button href|postback|copy style>label</button>     a button below the text before it
//! <carousel><card title subtitle image href> buttons </card> … </carousel>
//! <reply postback>label</reply>                       offered below everything, gone once chosen
//! <message overflow preview silent protected>         how it is sent, once, anywhere
//! ```
//!
//! All else is text. What items lack vanishes without a word: a picture whose `src` is empty, a
//! button whose `href` is. What can never be right is left out too, and [`read`] tells it.

mod buttons;

mod cards;

mod manner;

mod media;

mod remark;

use crate::markup::{Element, RichBuilder, Scanner, Tag, Token};
use crate::model::message::{Button, Card, Medium, Message, Module};
use crate::model::rich::RichText;

pub use buttons::{
    BUTTONS_MAX, COPY_CHARS_MAX, LABEL_GRAPHEMES_MAX, POSTBACK_BYTES_MAX, REPLIES_MAX,
};
pub use cards::CARDS_MAX;
pub use media::ALBUM_MAX;
pub use remark::Remark;
pub(super) use remark::{AT, ELEMENTS};

/// Most modules of one message; the rest is left out.
pub const MODULES_MAX: usize = 100;

/// The message that the HTML makes. May be empty.
///
/// A picture without address and a button without address, payload or label are left out, since
/// layouts print them for items that lack these. Buttons stand below the text before them (or the
/// first one, if none is before).
pub fn of(html: &str) -> Message {
    Reader::new(html, false).read().0
}

/// The message, and what in the HTML could not become part of it.
pub fn read(html: &str) -> (Message, Vec<Remark>) {
    Reader::new(html, true).read()
}

/// The elements that part texts: all of ours but those that stand for no place.
const PARTS: [&str; 8] = ["img", "video", "audio", "file", "album", "button", "carousel", "card"];

struct Reader<'a> {
    html: &'a str,
    scanner: Scanner<'a>,
    message: Message,
    /// The text that was not taken yet.
    text: RichBuilder<'static>,
    /// Buttons that came before any text.
    early: Vec<Button>,
    album: Option<Album>,
    carousel: Option<Carousel>,
    has_manner: bool,
    /// Names of elements of which no end tag follows any more.
    unended: Vec<&'static str>,
    /// Remarks are wanted.
    is_inspecting: bool,
    remarks: Vec<Remark>,
}

/// An album that is open.
struct Album {
    media: Vec<Medium>,
    /// How many pictures and videos it names, with or without an address.
    named: usize,
    at: Option<(usize, usize)>,
}

/// A carousel that is open.
#[derive(Default)]
struct Carousel {
    cards: Vec<Card>,
    /// The card that is open.
    card: Option<Card>,
}

impl<'a> Reader<'a> {
    fn new(html: &'a str, is_inspecting: bool) -> Self {
        Self {
            html,
            scanner: Scanner::new(html),
            message: Message::default(),
            text: RichBuilder::up_to(&PARTS),
            early: Vec::new(),
            album: None,
            carousel: None,
            has_manner: false,
            unended: Vec::new(),
            is_inspecting,
            remarks: Vec::new(),
        }
    }

    fn read(mut self) -> (Message, Vec<Remark>) {
        while let Some(token) = self.scanner.next() {
            match &token {
                Token::Open(tag) => self.open(tag, &token),
                Token::Close(name) if self.close(name) => {}
                _ => self.text.take(&token, &mut self.scanner),
            }
        }
        self.finish()
    }

    fn open(&mut self, tag: &Tag<'a>, token: &Token<'a>) {
        let Some(&name) = ELEMENTS.iter().find(|it| it.eq_ignore_ascii_case(tag.name)) else {
            if self.is_inspecting {
                self.remark_unknown(tag);
                self.remark_link(tag);
            }
            return self.text.take(token, &mut self.scanner);
        };
        if self.is_inspecting {
            self.remark_attributes(name, tag);
        }
        match name {
            // These two are no text; the text around them stays one.
            "message" => self.manner(tag),
            "reply" => {
                let label = self.content(tag);
                self.reply(tag, label);
            }
            _ => {
                self.end_text();
                self.part(name, tag);
            }
        }
    }

    /// What stands by itself between texts.
    fn part(&mut self, name: &'static str, tag: &Tag<'a>) {
        match name {
            "img" => self.image(tag),
            "video" | "audio" | "file" => {
                let words = self.content_if_ended(name, tag);
                self.file(name, tag, words);
            }
            "album" => self.open_album(tag),
            "carousel" => self.open_carousel(tag),
            "card" => self.open_card(tag),
            _ => {
                let label = self.content(tag);
                self.button(tag, label);
            }
        }
    }

    /// Whether the end tag is that of something of ours.
    fn close(&mut self, name: &str) -> bool {
        let is = |element: &str| name.eq_ignore_ascii_case(element);
        if !is("album") && !is("carousel") && !is("card") {
            return false;
        }
        self.end_text();
        if is("album") {
            self.close_album();
        } else {
            self.close_card();
            if is("carousel") {
                self.close_carousel();
            }
        }
        true
    }

    /// What stands within an element, to its end tag.
    fn content(&mut self, tag: &Tag<'a>) -> &'a str {
        let from = self.scanner.at();
        self.scanner.skip_element(Element::Dropped, tag);
        // The end tag is no text to readers of markup.
        &self.html[from..self.scanner.at()]
    }

    /// The same for an element that may be written without an end tag: then it has no content.
    fn content_if_ended(&mut self, name: &'static str, tag: &Tag<'a>) -> &'a str {
        if tag.is_empty || self.unended.contains(&name) {
            return "";
        }
        let rest = &self.html[self.scanner.at()..];
        let mut ahead = Scanner::new(rest);
        loop {
            match ahead.next() {
                Some(Token::Close(found)) if found.eq_ignore_ascii_case(name) => {
                    return self.content(tag);
                }
                Some(Token::Open(found)) if found.name.eq_ignore_ascii_case(name) => return "",
                Some(_) => {}
                None => {
                    self.unended.push(name);
                    return "";
                }
            }
        }
    }

    /// Takes the text up to here.
    fn end_text(&mut self) {
        let text = self.text.finish();
        if !text.is_empty() {
            self.take_text(text);
        }
    }

    fn take_text(&mut self, text: RichText) {
        if let Some(carousel) = &mut self.carousel {
            match &mut carousel.card {
                Some(card) if card.subtitle.is_empty() => {
                    card.subtitle = cards::line(&text.plain());
                }
                _ => self.remark("carousel", None, "its text is left out: it takes cards only"),
            }
            return;
        }
        if self.album.is_some() {
            return self.remark(
                "album",
                None,
                "its text is left out: it takes pictures and videos",
            );
        }
        let buttons = std::mem::take(&mut self.early);
        self.push(Module::Text { text, buttons });
    }

    fn push(&mut self, module: Module) {
        if self.message.modules.len() < MODULES_MAX {
            self.message.modules.push(module);
        }
    }

    fn finish(mut self) -> (Message, Vec<Remark>) {
        self.end_text();
        self.close_album();
        self.close_card();
        self.close_carousel();
        // Buttons need words above them: where there are none, the first label serves.
        if let Some(first) = self.early.first() {
            let text = RichText::from_plain(&first.label);
            let buttons = std::mem::take(&mut self.early);
            self.push(Module::Text { text, buttons });
        }
        // Replies and a manner alone are nothing to send.
        if self.message.modules.is_empty() {
            self.message = Message::default();
        }
        (self.message, self.remarks)
    }
}

#[cfg(test)]
mod tests;
