//! Watches in the chat, table by table.

use super::*;
use crate::model::offer::Availability;

const NOW: Timestamp = Timestamp::from_millis(1_795_478_400_000);

fn eur(cents: i64) -> Amount {
    Amount::new(cents, 2, "EUR".parse().ok()).unwrap()
}

fn product(availability: Option<Availability>, cents: Option<i64>) -> Product {
    Product {
        source: Name::parse("shop").unwrap(),
        product: 7,
        variant: None,
        title: "Kettle".into(),
        link: Some("https://shop.example/kettle".into()),
        image: None,
        link_key: 9,
        on: OnOffer { availability, price: cents.map(eur), left: None },
    }
}

fn text(said: &Said) -> (String, Vec<String>) {
    match &said.message.modules[..] {
        [Module::Text { text, buttons }] => {
            let payload = |button: &Button| match &button.action {
                Action::Postback { payload } => payload.clone(),
                Action::Open { url } => url.clone(),
                Action::Copy { text } => text.clone(),
            };
            (text.plain().replace('\u{a0}', " "), buttons.iter().map(payload).collect())
        }
        other => panic!("{other:?}"),
    }
}

fn made(said: &Said) -> Option<Wanted> {
    match &said.words[..] {
        [WatchWord::Make(watch)] => Some(watch.wanted),
        [] => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_fits_is_watched_and_what_has_come_is_told_at_once() {
    use Availability::{InStock, OutOfStock, Preorder};
    let price = |cents| Wanted::Price { at_most: eur(cents) };
    for (aim, availability, cents, expected, words) in [
        (Aim::Fitting, Some(OutOfStock), Some(2_000), Some(Wanted::Stock), "in stock: Kettle"),
        (Aim::Fitting, None, None, Some(Wanted::Stock), "in stock: Kettle"),
        (Aim::Fitting, Some(InStock), Some(2_000), Some(price(1_999)), "costs 19.99 EUR or less"),
        (Aim::Fitting, Some(InStock), None, None, "Kettle is in stock"),
        (Aim::Fitting, Some(Preorder), Some(2_000), Some(price(1_999)), "It costs 20 EUR now."),
        (Aim::Stock, Some(InStock), Some(2_000), None, "Kettle is in stock: 20.00 EUR"),
        (Aim::Stock, Some(Preorder), Some(2_000), Some(Wanted::Stock), "in stock: Kettle"),
        (Aim::Price, Some(OutOfStock), Some(2_000), Some(price(1_999)), "19.99 EUR"),
        (Aim::Price, Some(OutOfStock), None, None, "I don’t know what Kettle costs"),
    ] {
        let said = make(&product(availability, cents), aim, None, &[], None, NOW);
        let (told, _) = text(&said);
        assert_eq!(made(&said), expected, "{told}");
        assert_eq!(said.is_asked, expected.is_some());
        assert!(told.contains(words), "{told}");
    }
}

#[test]
fn a_limit_is_in_the_products_currency() {
    let shop = product(Some(Availability::InStock), Some(2_000));
    let asked = |text| match Asked::by_words(text) {
        Asked::Make { aim, limit, .. } => make(&shop, aim, limit.as_ref(), &[], None, NOW),
        other => panic!("{other:?}"),
    };
    let said = asked("https://shop.example/kettle 15,5");
    assert_eq!(made(&said), Some(Wanted::Price { at_most: eur(1_550) }));
    let (_, buttons) = text(&said);
    assert!(buttons.iter().all(|it| it.len() <= 64) && buttons.len() == 1, "{buttons:?}");
    let said = asked("https://shop.example/kettle 25");
    assert_eq!(made(&said), None);
    assert_eq!(text(&said).0, "Kettle: it costs 20 EUR already.");
    for (words, at_most) in [
        ("15 https://shop.example/kettle", Some(1_500)),
        ("https://shop.example/kettle 15 EUR", Some(1_500)),
        ("€15 https://shop.example/kettle", Some(1_500)),
        ("https://shop.example/kettle under 15.50 euro", Some(1_550)),
        ("red kettle 15 EUR", Some(1_500)),
        ("https://shop.example/kettle 0", None),
        ("https://shop.example/kettle 15 USD", None),
    ] {
        let said = asked(words);
        assert_eq!(
            made(&said),
            at_most.map(|cents| Wanted::Price { at_most: eur(cents) }),
            "{words}"
        );
    }
    assert!(text(&asked("https://shop.example/kettle 0")).0.starts_with("That is no price."));
    assert!(text(&asked("https://shop.example/kettle 9 USD")).0.contains("in that currency"));
    let said = asked("https://shop.example/kettle");
    assert_eq!(text(&said).1.len(), 3, "two lower prices, and no");
}

#[test]
fn words_and_links_are_told_apart() {
    let words = |words: &[&str]| Asked::Make {
        aim: Aim::Fitting,
        of: Of::Words(words.iter().map(|&word| word.to_owned()).collect()),
        limit: None,
    };
    assert_eq!(Asked::by_words("Red  Kettle 2"), words(&["red", "kettle", "2"]));
    let limited = Asked::by_words("Red  Kettle 2").limited();
    let limit = Some(Limit::Number { number: "2".into(), currency: None });
    let of = Of::Words(vec!["red".into(), "kettle".into()]);
    assert_eq!(limited, Some(Asked::Make { aim: Aim::Price, of, limit }));
    assert_eq!(Asked::by_words("red kettle").limited(), None);
    assert_eq!(Asked::by_words("40").limited(), None);
    assert_eq!(Asked::by_words(" ! "), Asked::Help);
    assert_eq!(Asked::by_words(""), Asked::Help);
    assert_eq!(Asked::by_link("news"), None);
    let by_link = Asked::by_link("STOCKshopP1").unwrap();
    assert!(matches!(by_link, Asked::Make { aim: Aim::Stock, of: Of::Id { .. }, .. }));
}

#[test]
fn nobody_waits_for_more_than_fits_and_the_same_again_is_no_more() {
    let out = product(Some(Availability::OutOfStock), Some(2_000));
    let said = make(&out, Aim::Stock, None, &[], None, NOW);
    let [WatchWord::Make(watch)] = &said.words[..] else { panic!("one watch") };
    let others: Vec<Watch> =
        (0..50).map(|id| Watch { id, product: id, ..(**watch).clone() }).collect();
    let again = make(&out, Aim::Stock, None, &others, None, NOW);
    assert_eq!(made(&again), Some(Wanted::Stock));
    let full = make(&Product { product: 99, ..out }, Aim::Stock, None, &others, None, NOW);
    assert_eq!(made(&full), None);
    assert!(text(&full).0.contains("50 things"), "{full:?}");
}

#[test]
fn what_is_waited_for_is_listed_with_its_end() {
    let out = product(Some(Availability::OutOfStock), Some(2_000));
    let said = make(&out, Aim::Stock, None, &[], None, NOW);
    let [WatchWord::Make(watch)] = &said.words[..] else { panic!("one watch") };
    let gone = Watch { id: 5, wanted: Wanted::Price { at_most: eur(100) }, ..(**watch).clone() };
    let own = [((**watch).clone(), out.on), (gone.clone(), OnOffer::default())];
    let (told, buttons) = text(&list(&own, true, None));
    assert!(told.contains("1. Kettle: in stock (20 EUR), until 22 February 2027"), "{told}");
    assert!(told.contains("2. Kettle: ≤ 1 EUR (not in the shop now)"), "{told}");
    let token = out.token();
    let expected = [format!("1:w:x:s:{token}"), format!("1:w:x:p:{token}"), "1:w:l:5".into()];
    assert_eq!(buttons, expected);
    assert!(text(&list(&[], false, Some("de"))).0.contains("auf nichts"));

    let dropped = drop_watch(token, Dropped::Price, &[(**watch).clone(), gone], None);
    assert_eq!(dropped.words, [WatchWord::End(5)]);
    let again = drop_watch(token, Dropped::Price, &[(**watch).clone()], None);
    assert!(again.words.is_empty() && text(&again).0.contains("not looking"), "{again:?}");
}

#[test]
fn several_products_are_named_in_full_where_labels_are_short() {
    let one = product(Some(Availability::InStock), Some(2_000));
    let other = Product { product: 8, title: "Kettle, red".into(), ..one.clone() };
    let limit = Limit::Number { number: "15".into(), currency: None };
    let (told, buttons) = text(&choose(&[one.clone(), other], Some(&limit), true, Some("de")));
    assert_eq!(told, "Welches meinst du?\n1. Kettle · 20 €\n2. Kettle, red · 20 €");
    assert!(buttons.iter().all(|payload| payload.contains(":1500.2.EUR")), "{buttons:?}");
    assert_eq!(text(&choose(&[one], None, false, None)).0, "Which one do you mean?");
}

#[test]
fn a_title_is_no_place_to_be_filled() {
    let shop = Product {
        title: "{limit} {day}".into(),
        ..product(Some(Availability::InStock), Some(2_000))
    };
    let (told, _) = text(&make(&shop, Aim::Price, None, &[], None, NOW));
    assert!(told.contains("{limit} {day}: I’ll tell you"), "{told}");
}
