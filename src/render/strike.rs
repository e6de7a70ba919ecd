//! A message struck through: what its source took back.

use crate::model::message::{Message, Module};
use crate::model::rich::{Block, Inline, RichText};

/// The message with its words struck through and without its buttons: what they lead to may be
/// gone too. Files stay; code, which can have no other style, stays as it is.
pub fn struck(message: &Message) -> Message {
    let modules = message.modules.iter().map(|module| match module {
        Module::Text { text, .. } => {
            Module::Text { text: RichText { blocks: blocks(&text.blocks) }, buttons: vec![] }
        }
        Module::Cards(cards) => {
            let mut cards = cards.clone();
            cards.iter_mut().for_each(|card| card.buttons.clear());
            Module::Cards(cards)
        }
        Module::Media(_) | Module::Album(_) => module.clone(),
    });
    Message { modules: modules.collect(), quick_replies: vec![], manner: message.manner }
}

fn blocks(all: &[Block]) -> Vec<Block> {
    all.iter().map(block).collect()
}

fn block(block: &Block) -> Block {
    match block {
        Block::Paragraph(content) => Block::Paragraph(line(content)),
        Block::Heading { level, content } => {
            Block::Heading { level: *level, content: line(content) }
        }
        Block::List { start, items } => {
            Block::List { start: *start, items: items.iter().map(|item| blocks(item)).collect() }
        }
        Block::Quote { is_expandable, blocks: inner } => {
            Block::Quote { is_expandable: *is_expandable, blocks: blocks(inner) }
        }
        Block::Table { has_head, rows } => {
            let row = |row: &Vec<Vec<Inline>>| row.iter().map(|cell| line(cell)).collect();
            Block::Table { has_head: *has_head, rows: rows.iter().map(row).collect() }
        }
        Block::Code { .. } | Block::Rule => block.clone(),
    }
}

fn line(content: &[Inline]) -> Vec<Inline> {
    match content {
        [] => vec![],
        // Struck already by its author: once is enough.
        [Inline::Strike(_)] => content.to_vec(),
        _ => vec![Inline::Strike(content.to_vec())],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::message::{Action, Button, Medium};

    #[test]
    fn words_are_struck_and_buttons_go() {
        let go = Button::new("Go", Action::Open { url: "https://e.org/".into() });
        let image = Module::Media(Medium::image("https://e.org/a.png", "a"));
        let text = RichText::from_plain("one");
        let buttons = vec![go];
        let message = Message::from(vec![image.clone(), Module::Text { text, buttons }]);
        let once = struck(&message);
        let content = vec![Inline::Strike(vec![Inline::Text("one".into())])];
        let text = RichText { blocks: vec![Block::Paragraph(content)] };
        assert_eq!(once.modules, [image, Module::Text { text, buttons: vec![] }]);
        assert_eq!(struck(&once), once);
    }
}
