//! Items as cards, for those who get many at once.

use crate::model::item::Item;
use crate::model::message::Card;
use crate::render::shorten::shorten;

/// Longest title and longest subtitle, in graphemes: what Messenger shows of each.
pub const CARD_GRAPHEMES_MAX: usize = 80;

/// One card for each item, in order. A title is never empty: it comes from the text, the address
/// or the source if the item has none.
pub fn cards(items: &[Item]) -> Vec<Card> {
    items.iter().map(card).collect()
}

fn card(item: &Item) -> Card {
    let text = if item.summary.is_empty() { &item.body } else { &item.summary };
    let words = text.plain().split_whitespace().collect::<Vec<_>>().join(" ");
    // A text that serves as title is not repeated below it.
    let (title, subtitle) = match (item.title.as_str(), words.as_str(), item.link.as_deref()) {
        ("", "", Some(link)) => (link, ""),
        ("", "", None) => (item.source.as_str(), ""),
        ("", words, _) => (words, ""),
        (title, words, _) if words == title => (title, ""),
        (title, words, _) => (title, words),
    };
    Card {
        title: shorten(title, CARD_GRAPHEMES_MAX),
        subtitle: shorten(subtitle, CARD_GRAPHEMES_MAX),
        image: item.image.clone(),
        link: item.link.clone(),
        buttons: vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markup::rich;
    use crate::model::name::Name;
    use crate::render::sample::sample;

    #[test]
    fn a_card_tells_the_item_briefly() {
        let item = Item {
            title: "Title".to_owned(),
            summary: rich("<p>One</p><p><b>two</b></p>", None),
            ..sample(&Name::parse("example").unwrap())
        };
        let card = &cards(std::slice::from_ref(&item))[0];
        assert_eq!((card.title.as_str(), card.subtitle.as_str()), ("Title", "One two"));
        assert_eq!((&card.image, &card.link), (&item.image, &item.link));
    }

    #[test]
    fn a_card_always_has_a_title() {
        let bare = Item {
            title: String::new(),
            summary: rich("", None),
            body: rich("", None),
            link: None,
            ..sample(&Name::parse("example").unwrap())
        };
        let with_text = Item { body: rich(&"word ".repeat(50), None), ..bare.clone() };
        let with_link = Item { link: Some("https://example.com/".to_owned()), ..bare.clone() };
        let titles: Vec<_> =
            cards(&[bare, with_text, with_link]).into_iter().map(|card| card.title).collect();
        assert_eq!(titles[0], "example");
        assert!(titles[1].starts_with("word word") && titles[1].ends_with('…'));
        assert_eq!(titles[2], "https://example.com/");
    }
}
