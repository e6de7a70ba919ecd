//! Items that no source gave: layouts are checked and shown with them.

use crate::markup;
use crate::model::campaign::ChangeKind;
use crate::model::item::{Item, ItemId, Media, MediaKind};
use crate::model::name::Name;
use crate::model::offer::{Amount, Availability, Offer, Sale, Terms, Variant};
use crate::model::post::{PriceMove, Told};
use crate::model::rich::RichText;
use crate::model::time::Timestamp;
use crate::render::scene::Person;

/// The instant at which the samples are shown.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_790_003_800_000);

/// Names the samples.
const ID: ItemId = ItemId([7; 16]);

/// Items to set in a layout, and what happened to them.
pub(crate) struct Sample {
    pub name: String,
    pub items: Vec<Item>,
    pub told: Vec<Told>,
}

/// What layouts are tested with: everything, next to nothing, and several.
pub(crate) fn samples(source: &Name) -> Vec<Sample> {
    let named = |name: &str, items, told| Sample { name: name.to_owned(), items, told };
    let one = |number: u8, title: &str| Item {
        id: ItemId([number; 16]),
        title: title.to_owned(),
        link: Some(format!("https://example.com/{number}")),
        image: Some(format!("https://example.com/{number}.jpg")),
        summary: RichText::from_plain(&format!("The first words of story {number}.")),
        media: vec![],
        offer: None,
        ..sample(source)
    };
    let story = Item { offer: None, media: vec![], ..sample(source) };
    vec![
        named("a product", vec![sample(source)], vec![told()]),
        named("a story", vec![story], vec![]),
        named("the least", vec![bare_sample(source)], vec![]),
        named("several", vec![one(1, "One"), one(2, "Două"), one(3, "三")], vec![]),
    ]
}

/// Somebody of whom all is known.
pub(super) fn person() -> Person {
    Person {
        language: Some("en".to_owned()),
        first_name: Some("Ana".to_owned()),
        timezone: Some("Europe/Bucharest".to_owned()),
        profile: vec![],
    }
}

/// The same, who told the distance of their clocks from UTC in place of a zone.
pub(super) fn distant_person() -> Person {
    Person { timezone: Some("+05:30".to_owned()), ..person() }
}

/// The sample's price fell.
pub(crate) fn told() -> Told {
    let price = |units| Amount::new(units, 2, "EUR".parse().ok());
    let moved = price(59_00).zip(price(44_00)).map(|(from, to)| PriceMove {
        from,
        to,
        lowest_30d: price(49_50),
    });
    Told { item: ID, kind: ChangeKind::PriceDrop, price: moved }
}

fn offer() -> Offer {
    let price = |units| Amount::new(units, 2, "EUR".parse().ok());
    let terms = |sku: &str, sale: i64| Terms {
        sku: Some(sku.to_owned()),
        gtin: Some("4006381333931".to_owned()),
        availability: Availability::InStock,
        quantity: Some(3),
        list: price(59_00),
        sale: price(sale).map(|price| Sale { price, from: None, until: None }),
    };
    let variant = |id: &str, title: &str, sale| Variant {
        id: id.to_owned(),
        title: title.to_owned(),
        link: Some(format!("https://example.com/post?variant={id}")),
        terms: terms(id, sale),
    };
    Offer {
        brand: Some("A & B".to_owned()),
        terms: terms("AB-7", 44_00),
        variants: vec![variant("AB-7-S", "Small", 44_00), variant("AB-7-L", "Large", 49_00)],
        shelf: Some(7),
    }
}

/// An item that has everything a layout can show.
pub(crate) fn sample(source: &Name) -> Item {
    let address = |path: &str| Some(format!("https://example.com/{path}"));
    let media = |kind, path: &str, mime: &str| Media {
        kind,
        url: address(path).unwrap_or_default(),
        bytes: Some(123_456),
        mime: Some(mime.to_owned()),
        alt: Some("A description".to_owned()),
        title: None,
        seconds: None,
    };
    Item {
        id: ID,
        source: source.clone(),
        guid: "https://example.com/?p=7".to_owned(),
        title: "A title with <angles> & an ampersand".to_owned(),
        link: address("post"),
        summary: markup::rich("<p>The <b>first</b> words of a post.</p>", None),
        body: markup::rich(
            "<h2>A heading</h2><p>A text with a <a href=\"https://example.com/\">link</a>.</p>\
             <ul><li>one</li><li>two</li></ul><blockquote>quoted</blockquote><pre>code</pre>",
            None,
        ),
        published: Some(Timestamp::from_millis(1_790_000_000_000)),
        updated: Some(Timestamp::from_millis(1_790_003_600_000)),
        first_seen: Timestamp::from_millis(1_790_003_700_000),
        authors: vec!["Ana".to_owned(), "Ion".to_owned()],
        tags: vec!["news".to_owned(), "rust".to_owned()],
        language: Some("en".to_owned()),
        image: address("picture.jpg"),
        media: vec![
            media(MediaKind::Image, "picture.jpg", "image/jpeg"),
            Media {
                title: Some("A sound".to_owned()),
                seconds: Some(754),
                ..media(MediaKind::Audio, "sound.mp3", "audio/mpeg")
            },
            Media { seconds: Some(90), ..media(MediaKind::Video, "film.mp4", "video/mp4") },
        ],
        offer: Some(offer()),
    }
}

/// An item that has as little as an item can have.
pub(super) fn bare_sample(source: &Name) -> Item {
    Item {
        title: String::new(),
        link: None,
        summary: RichText::default(),
        body: RichText::from_plain("words"),
        published: None,
        updated: None,
        authors: vec![],
        tags: vec![],
        language: None,
        image: None,
        media: vec![],
        offer: None,
        ..sample(source)
    }
}
