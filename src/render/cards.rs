//! Items as cards, for those who get many at once.

use crate::model::item::Item;
use crate::model::message::Card;
use crate::render::scene::Scene;
use crate::render::shorten::shorten;

/// Longest title and longest subtitle, in graphemes: what Messenger shows of each.
pub const CARD_GRAPHEMES_MAX: usize = 80;

/// One card for each item, in order. A title is never empty: it comes from the text, the address
/// or the source if the item has none.
///
/// Before the words of a product stands what it costs, and what it cost where that was told.
pub fn cards(items: &[Item], scene: &Scene<'_>) -> Vec<Card> {
    items.iter().map(|item| card(item, scene)).collect()
}

fn card(item: &Item, scene: &Scene<'_>) -> Card {
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
    let subtitle = match (scene.price_of(item), subtitle) {
        (Some(price), "") => price,
        (Some(price), words) => format!("{price} · {words}"),
        (None, words) => words.to_owned(),
    };
    Card {
        title: shorten(title, CARD_GRAPHEMES_MAX),
        subtitle: shorten(&subtitle, CARD_GRAPHEMES_MAX),
        image: item.image.clone(),
        link: item.link.clone(),
        buttons: vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markup::rich;
    use crate::model::campaign::ChangeKind;
    use crate::model::name::Name;
    use crate::model::post::Told;
    use crate::render::sample::{self, sample};

    fn told(items: &[Item], told: &[Told]) -> Vec<Card> {
        let campaign = Name::parse("c").unwrap();
        cards(items, &Scene { campaign: &campaign, told, now: sample::NOW })
    }

    #[test]
    fn a_product_s_card_tells_its_price() {
        let item = sample(&Name::parse("example").unwrap());
        let subtitle = |moves: &[Told]| told(std::slice::from_ref(&item), moves).remove(0).subtitle;
        assert_eq!(subtitle(&[]), "44.00 EUR · The first words of a post.");
        let moved = "59.00 EUR → 44.00 EUR · The first words of a post.";
        assert_eq!(subtitle(&[sample::told()]), moved);
        let gone = Told { kind: ChangeKind::Gone, price: None, ..sample::told() };
        assert_eq!(subtitle(&[gone]), "The first words of a post.");
    }

    #[test]
    fn a_card_tells_the_item_briefly() {
        let item = Item {
            offer: None,
            title: "Title".to_owned(),
            summary: rich("<p>One</p><p><b>two</b></p>", None),
            ..sample(&Name::parse("example").unwrap())
        };
        let card = &told(std::slice::from_ref(&item), &[])[0];
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
            told(&[bare, with_text, with_link], &[]).into_iter().map(|card| card.title).collect();
        assert_eq!(titles[0], "example");
        assert!(titles[1].starts_with("word word") && titles[1].ends_with('…'));
        assert_eq!(titles[2], "https://example.com/");
    }
}
