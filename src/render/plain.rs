//! The form without a layout: what is sent when a layout fails on its items.

use crate::model::item::Item;
use crate::model::message::{Message, Module};
use crate::model::rich::{Block, Inline, RichText};

/// Each item's title with its link as one paragraph; where both are missing, its first words.
///
/// Empty only when no item has a title, a link or a word.
pub fn plain(items: &[Item]) -> Message {
    let blocks: Vec<Block> = items.iter().filter_map(paragraph).collect();
    if blocks.is_empty() {
        return Message::default();
    }
    Message::from(vec![Module::Text { text: RichText { blocks }, buttons: vec![] }])
}

fn paragraph(item: &Item) -> Option<Block> {
    let words = match item.title.as_str() {
        "" => {
            let text = if item.summary.is_empty() { &item.body } else { &item.summary };
            text.plain().lines().next().unwrap_or("").to_owned()
        }
        title => title.to_owned(),
    };
    let inline = match (words.is_empty(), &item.link) {
        (true, None) => return None,
        (true, Some(link)) => {
            Inline::Link { href: link.clone(), content: vec![Inline::Text(link.clone())] }
        }
        (false, None) => Inline::Text(words),
        (false, Some(link)) => {
            Inline::Link { href: link.clone(), content: vec![Inline::Text(words)] }
        }
    };
    Some(Block::Paragraph(vec![inline]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::name::Name;
    use crate::render::sample::sample;

    #[test]
    fn a_title_links_to_its_page_and_an_item_without_words_vanishes() {
        let item = sample(&Name::parse("example").unwrap());
        let nothing =
            Item { title: String::new(), link: None, summary: RichText::default(), ..item.clone() };
        let nothing = Item { body: RichText::default(), ..nothing };
        let message = plain(&[item.clone(), nothing.clone()]);
        let [Module::Text { text, .. }] = &message.modules[..] else { panic!("one text") };
        assert_eq!(text.plain(), item.title);
        assert!(plain(&[nothing]).modules.is_empty());
    }
}
