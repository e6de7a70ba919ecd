//! `<carousel>` and `<card>`.

use crate::markup::{self, Tag};
use crate::model::message::{Card, Module};
use crate::render::cards::CARD_GRAPHEMES_MAX;
use crate::render::message::{Carousel, Reader};
use crate::render::shorten::shorten;

/// Most cards of one carousel; the rest is left out. A channel may part them.
pub const CARDS_MAX: usize = 50;

impl<'a> Reader<'a> {
    pub(super) fn open_carousel(&mut self, tag: &Tag<'a>) {
        if self.carousel.is_some() || self.album.is_some() {
            let why = "it stands within another element: it is left out";
            return self.remark("carousel", Some(tag), why);
        }
        if !tag.is_empty {
            self.carousel = Some(Carousel::default());
        }
    }

    pub(super) fn open_card(&mut self, tag: &Tag<'a>) {
        self.close_card();
        if self.carousel.is_none() {
            return self.remark(
                "card",
                Some(tag),
                "it is left out: cards stand within `<carousel>`",
            );
        }
        if tag.attribute("title").is_none() {
            self.remark("card", Some(tag), "it needs `title`");
        }
        let text = |attribute: &str| tag.attribute(attribute).unwrap_or_default();
        let card = Card {
            title: line(&markup::clean(&text("title"))),
            subtitle: line(&markup::clean(&text("subtitle"))),
            image: self.address_if_any("card", "image", tag),
            link: self.address_if_any("card", "href", tag),
            buttons: Vec::new(),
        };
        if let Some(carousel) = &mut self.carousel {
            carousel.card = Some(card);
        }
        if tag.is_empty {
            self.close_card();
        }
    }

    /// A card without a title is shown by its subtitle; without both it is none.
    pub(super) fn close_card(&mut self) {
        let Some(carousel) = &mut self.carousel else { return };
        let Some(mut card) = carousel.card.take() else { return };
        if card.title.is_empty() {
            card.title = std::mem::take(&mut card.subtitle);
        }
        if !card.title.is_empty() && carousel.cards.len() < CARDS_MAX {
            carousel.cards.push(card);
        }
    }

    pub(super) fn close_carousel(&mut self) {
        let Some(Carousel { cards, .. }) = self.carousel.take() else { return };
        if !cards.is_empty() {
            self.push(Module::Cards(cards));
        }
    }
}

/// One line of what a card has room for.
pub(super) fn line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    shorten(&line, CARD_GRAPHEMES_MAX)
}
