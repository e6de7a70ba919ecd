//! Cards as one text: titles as bold links, subtitles, further addresses as links; what can only be
//! tapped becomes the keyboard. Several cards are numbered, and so are their buttons.

use crate::channel::telegram::lower::Drafts;
use crate::channel::telegram::text::is_address;
use crate::model::message::{Action, Button, Card, Medium};
use crate::model::rich::{Block, Inline, RichText};

impl Drafts {
    pub(super) fn cards(&mut self, cards: &[Card]) {
        let number = |at: usize| (cards.len() > 1).then_some(at + 1);
        let blocks = cards
            .iter()
            .enumerate()
            .map(|(at, card)| Block::Paragraph(lines(card, number(at))))
            .collect();
        let is_tap = |button: &&Button| !matches!(button.action, Action::Open { .. });
        let taps: Vec<Button> = cards
            .iter()
            .enumerate()
            .flat_map(|(at, card)| {
                card.buttons.iter().filter(is_tap).map(move |button| numbered(button, number(at)))
            })
            .collect();
        let text = RichText { blocks };
        match cards.iter().find_map(|card| card.image.as_deref().filter(|it| is_address(it))) {
            Some(image) => self.medium(&Medium::image(image, ""), Some((&text, &taps))),
            None => self.text(&text, &taps, None),
        }
    }
}

fn numbered(button: &Button, number: Option<usize>) -> Button {
    match number {
        Some(number) => Button { label: format!("{number}. {}", button.label), ..button.clone() },
        None => button.clone(),
    }
}

fn lines(card: &Card, number: Option<usize>) -> Vec<Inline> {
    let link = |label: &str, href: &str| Inline::Link {
        href: href.to_owned(),
        content: vec![Inline::Text(label.to_owned())],
    };
    let mut lines = Vec::new();
    if let Some(number) = number {
        lines.push(Inline::Text(format!("{number}. ")));
    }
    let title = match card.link.as_ref().filter(|href| is_address(href)) {
        Some(href) if card.title.trim().is_empty() => link(href, href),
        Some(href) => link(&card.title, href),
        None => Inline::Text(card.title.clone()),
    };
    lines.push(Inline::Bold(vec![title]));
    if !card.subtitle.trim().is_empty() {
        lines.extend([Inline::Break, Inline::Text(card.subtitle.clone())]);
    }
    for button in &card.buttons {
        match &button.action {
            Action::Open { url } if Some(url) != card.link.as_ref() && is_address(url) => {
                lines.extend([Inline::Break, link(&button.label, url)]);
            }
            _ => {}
        }
    }
    lines
}
