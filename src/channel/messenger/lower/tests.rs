use proptest::prelude::*;

use super::*;
use crate::channel::trees::{any_buttons, any_rich, any_text, essence};
use crate::model::rich::{Block, Inline};

fn open(label: &str) -> Button {
    Button::new(label, Action::Open { url: "https://example.com/read".to_owned() })
}

fn tap(label: &str, payload: &str) -> Button {
    let payload = payload.to_owned();
    Button::new(label, Action::Postback { payload })
}

fn text(text: &str, buttons: &[Button]) -> Module {
    Module::Text { text: RichText::from_plain(text), buttons: buttons.to_vec() }
}

fn picture() -> Module {
    Module::Media(Medium::image("https://example.com/a.jpg", ""))
}

/// The `message` objects of the calls.
fn sent(modules: Vec<Module>) -> Vec<Value> {
    let calls = lower(&Message::from(modules));
    calls.iter().map(message_of).collect()
}

fn message_of(call: &Call) -> Value {
    assert_eq!((call.method, call.is_acknowledgement), ("messages", false));
    assert!(call.rest.starts_with(MESSAGE_HEAD) && !call.rest.starts_with('{'));
    let body: Value =
        serde_json::from_str(&format!("{{\"recipient\":{{\"id\":\"1\"}},{}", call.rest)).unwrap();
    assert_eq!(body["messaging_type"], "UPDATE");
    body["message"].clone()
}

#[test]
fn plain_text_is_one_text() {
    assert_eq!(sent(vec![text("Hello\nworld", &[])]), [json!({ "text": "Hello\nworld" })]);
}

#[test]
fn links_are_spelled_and_never_torn_from_their_address() {
    let link = Inline::Link {
        href: "https://example.com/a".to_owned(),
        content: vec![Inline::Text("the label".to_owned())],
    };
    let before = "word ".repeat(396);
    let rich = RichText { blocks: vec![Block::Paragraph(vec![Inline::Text(before), link])] };
    let texts = sent(vec![Module::Text { text: rich, buttons: vec![] }]);
    assert_eq!(texts.len(), 2);
    assert_eq!(texts[1], json!({ "text": "the label (https://example.com/a)" }));
}

#[test]
fn text_with_buttons_is_a_button_template() {
    let long = "A label of more than twenty";
    assert_eq!(
        sent(vec![text("Hello", &[open(long), tap("Stop", "stop")])]),
        [json!({ "attachment": { "type": "template", "payload": {
            "template_type": "button",
            "text": "Hello",
            "buttons": [
                { "type": "web_url", "url": "https://example.com/read", "title": "A label of more…" },
                { "type": "postback", "title": "Stop", "payload": "stop" },
            ],
        }}})]
    );
}

#[test]
fn the_last_words_of_a_long_text_stand_above_the_buttons() {
    let paragraphs: Vec<String> = (0..9).map(|at| format!("{at} {}", "word ".repeat(80))).collect();
    let rich = RichText {
        blocks: paragraphs
            .iter()
            .map(|words| Block::Paragraph(vec![Inline::Text(words.clone())]))
            .collect(),
    };
    let told = sent(vec![Module::Text { text: rich, buttons: vec![open("Read")] }]);
    let lengths: Vec<usize> = told.iter().map(|it| it["text"].as_str().map_or(0, units)).collect();
    assert_eq!(lengths, [1610, 1610, 0]);
    let last = told[2]["attachment"]["payload"]["text"].as_str().unwrap();
    assert!(last.starts_with("8 word"), "{last}");
}

#[test]
fn some_words_are_left_to_stand_above_the_buttons() {
    for words in (1..2700).step_by(31) {
        let told = sent(vec![text(&"a ".repeat(words), &[open("Read")])]);
        let last = told[told.len() - 1]["attachment"]["payload"]["text"].clone();
        assert!(last.as_str().unwrap().starts_with('a'), "{words} words: {last}");
    }
}

#[test]
fn a_fourth_button_begins_another_template() {
    let buttons: Vec<Button> = (0..5).map(|at| tap(&format!("B{at}"), "p")).collect();
    let told = sent(vec![text("Choose", &buttons)]);
    let count =
        |at: usize| told[at]["attachment"]["payload"]["buttons"].as_array().map_or(0, Vec::len);
    assert_eq!((told.len(), count(0), count(1)), (2, 3, 2));
}

#[test]
fn a_short_text_with_its_image_is_one_element() {
    assert_eq!(
        sent(vec![picture(), text("Title\nA summary", &[open("Read"), tap("Stop", "stop")])]),
        [json!({ "attachment": { "type": "template", "payload": {
            "template_type": "generic",
            "elements": [{
                "title": "Title",
                "subtitle": "A summary",
                "image_url": "https://example.com/a.jpg",
                "default_action": { "type": "web_url", "url": "https://example.com/read" },
                "buttons": [
                    { "type": "web_url", "url": "https://example.com/read", "title": "Read" },
                    { "type": "postback", "title": "Stop", "payload": "stop" },
                ],
            }],
        }}})]
    );
}

#[test]
fn an_image_goes_ahead_of_a_text_that_would_lose_something() {
    let link = |path: &str| Inline::Link {
        href: format!("https://example.com/{path}"),
        content: vec![Inline::Text(path.to_owned())],
    };
    let two = RichText { blocks: vec![Block::Paragraph(vec![link("a"), link("b")])] };
    for after in [
        text(&"word ".repeat(20), &[]),
        text("see https://example.com/x", &[]),
        text("four", &[open("1"), open("2"), open("3"), open("4")]),
        Module::Text { text: two, buttons: vec![] },
    ] {
        let told = sent(vec![picture(), after]);
        assert_eq!(told[0]["attachment"]["type"], "image");
        assert!(told.len() >= 2);
    }
    assert_eq!(sent(vec![picture()]).len(), 1);
}

#[test]
fn cards_are_elements_ten_a_carousel() {
    let card = |title: &str| Card {
        title: title.to_owned(),
        subtitle: String::new(),
        image: None,
        link: Some("https://example.com/a".to_owned()),
        buttons: vec![],
    };
    let mut cards = vec![card(&"long ".repeat(30))];
    cards.extend((1..12).map(|at| card(&format!("T{at}"))));
    cards[11].link = None;
    let told = sent(vec![Module::Cards(cards)]);
    let elements = |at: usize| told[at]["attachment"]["payload"]["elements"].as_array().unwrap();
    assert_eq!((told.len(), elements(0).len(), elements(1).len()), (2, 10, 2));
    let first = elements(0)[0]["title"].as_str().unwrap();
    assert!(first.ends_with("long…") && units(first) <= 80);
    assert_eq!(elements(1)[1], json!({ "title": "T11", "subtitle": "…" }));
}

#[test]
fn buttons_that_the_api_would_refuse_are_left_out() {
    let bad = Button::new("x", Action::Open { url: "tel:1".to_owned() });
    assert_eq!(sent(vec![text("Hello", &[bad, tap("y", "")])]), [json!({ "text": "Hello" })]);
}

#[test]
fn a_text_without_end_is_cut_off_and_the_buttons_still_come() {
    let told = sent(vec![text(&"word ".repeat(20_000), &[open("Read")])]);
    assert_eq!(told.len(), PARTS_MAX);
    let last = &told[PARTS_MAX - 1]["attachment"]["payload"];
    assert!(last["text"].as_str().unwrap().ends_with("word…"));
    assert!(last["buttons"].is_array());
    let told = sent(vec![text(&"words ".repeat(20_000), &[])]);
    assert!(told[PARTS_MAX - 1]["text"].as_str().unwrap().ends_with("words…"));
    assert_eq!(sent((0..300).map(|_| text("a", &[])).collect()).len(), CALLS_MAX);
}

#[test]
fn nothing_to_see_is_nothing_to_send() {
    assert_eq!(lower(&Message::default()), []);
    assert_eq!(lower(&Message::from_plain(" \u{200b} ")), []);
}

fn any_message() -> impl Strategy<Value = Message> {
    let card = (any_text(), any_text(), any::<[bool; 2]>(), any_buttons()).prop_map(
        |(title, subtitle, [has_image, has_link], buttons)| Card {
            title,
            subtitle,
            image: has_image.then(|| "https://example.com/a.jpg".to_owned()),
            link: has_link.then(|| "https://example.com/a".to_owned()),
            buttons,
        },
    );
    let module = prop_oneof![
        4 => (any_rich(), any_buttons()).prop_map(|(text, buttons)| Module::Text { text, buttons }),
        2 => Just(picture()),
        1 => proptest::collection::vec(card, 0..13).prop_map(Module::Cards),
    ];
    proptest::collection::vec(module, 0..4).prop_map(|modules| Message::from(modules))
}

fn length(value: &Value) -> usize {
    value.as_str().map_or(0, |text| text.encode_utf16().count())
}

fn check_buttons(buttons: &Value) -> Result<(), TestCaseError> {
    let Some(buttons) = buttons.as_array() else { return Ok(()) };
    prop_assert!((1..=3).contains(&buttons.len()));
    for button in buttons {
        prop_assert!((1..=20).contains(&length(&button["title"])));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_message_keeps_every_limit(message in any_message()) {
        let calls = lower(&message);
        for call in &calls {
            let message = message_of(call);
            if let Some(text) = message["text"].as_str() {
                prop_assert!(is_visible(text) && length(&message["text"]) <= 1999);
                continue;
            }
            let attachment = &message["attachment"];
            let payload = &attachment["payload"];
            match payload["template_type"].as_str() {
                Some("button") => {
                    prop_assert!((1..=640).contains(&length(&payload["text"])));
                    prop_assert!(payload["buttons"].is_array());
                    check_buttons(&payload["buttons"])?;
                }
                Some("generic") => {
                    let elements = payload["elements"].as_array().unwrap();
                    prop_assert!((1..=10).contains(&elements.len()));
                    for element in elements {
                        prop_assert!((1..=80).contains(&length(&element["title"])));
                        prop_assert!(length(&element["subtitle"]) <= 80);
                        prop_assert!(element.as_object().unwrap().len() > 1);
                        check_buttons(&element["buttons"])?;
                    }
                }
                _ => prop_assert_eq!(&attachment["type"], "image"),
            }
        }
        prop_assert_eq!(lower(&message), calls);
    }

    #[test]
    fn any_text_arrives_in_order_with_its_links_spelled(
        text in any_rich(),
        buttons in any_buttons(),
    ) {
        let modules = vec![Module::Text { text: text.clone(), buttons }];
        let mut arrived = String::new();
        let calls = lower(&Message::from(modules));
        prop_assume!(calls.len() < PARTS_MAX);
        for call in &calls {
            let message = message_of(call);
            let payload = &message["attachment"]["payload"];
            let words = message["text"].as_str().or(payload["text"].as_str()).unwrap();
            arrived.push_str(words);
        }
        let visible = |text: &str| -> Vec<char> {
            essence(text).chars().filter(|c| is_visible(&c.to_string())).collect()
        };
        let arrived = visible(&arrived);
        let mut rest = arrived.iter();
        for c in visible(&text.plain()) {
            prop_assert!(rest.any(|other| *other == c), "lost {c:?}");
        }
    }
}
