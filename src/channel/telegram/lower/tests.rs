use proptest::prelude::*;

use super::*;
use crate::channel::cut::PARTS_MAX;
use crate::channel::trees::{any_buttons, any_rich, any_text};

const PICTURE: &str = "https://example.com/a.jpg";

fn open(label: &str) -> Button {
    let url = "https://example.com/read".to_owned();
    Button::new(label, Action::Open { url })
}

fn tap(label: &str, payload: &str) -> Button {
    let payload = payload.to_owned();
    Button::new(label, Action::Postback { payload })
}

fn text(text: &str, buttons: &[Button]) -> Module {
    Module::Text { text: RichText::from_plain(text), buttons: buttons.to_vec() }
}

fn picture() -> Module {
    Module::Media(Medium::image(PICTURE, "a picture"))
}

fn body(call: &Call) -> Value {
    assert!(!call.rest.starts_with('{') && call.rest.len() > 1);
    serde_json::from_str(&format!("{{{}", call.rest)).unwrap()
}

fn sent(modules: Vec<Module>) -> Vec<(&'static str, Value)> {
    let calls = lower(&Message::from(modules), None);
    calls.iter().map(|call| (call.method, body(call))).collect()
}

fn no_preview() -> Value {
    json!({ "is_disabled": true })
}

#[test]
fn a_tap_is_acknowledged_first_and_alone_if_there_is_nothing_to_say() {
    let calls = lower(&Message::from_plain("Hi"), Some("12\"3"));
    assert_eq!(
        calls[0],
        Call {
            method: "answerCallbackQuery",
            rest: r#""callback_query_id":"12\"3"}"#.to_owned(),
            is_acknowledgement: true,
        }
    );
    assert_eq!((calls[1].method, calls[1].is_acknowledgement), ("sendMessage", false));
    assert_eq!(lower(&Message::default(), Some("1")).len(), 1);
    assert_eq!(lower(&Message::default(), None), []);
}

#[test]
fn text_goes_with_its_entities_and_buttons() {
    let rich = RichText {
        blocks: vec![Block::Paragraph(vec![
            Inline::Bold(vec![Inline::Text("Hi".to_owned())]),
            Inline::Text(" there".to_owned()),
        ])],
    };
    let buttons = vec![open("Read the article"), tap("Less", "less"), tap("Stop", "stop")];
    assert_eq!(
        sent(vec![Module::Text { text: rich, buttons }]),
        [(
            "sendMessage",
            json!({
                "text": "Hi there",
                "entities": [{ "type": "bold", "offset": 0, "length": 2 }],
                "link_preview_options": no_preview(),
                "reply_markup": { "inline_keyboard": [
                    [{ "text": "Read the article", "url": "https://example.com/read" }],
                    [
                        { "text": "Less", "callback_data": "less" },
                        { "text": "Stop", "callback_data": "stop" },
                    ],
                ]},
            })
        )]
    );
}

#[test]
fn an_image_takes_a_short_text_as_its_caption() {
    let keyboard =
        json!({ "inline_keyboard": [[{ "text": "Read", "url": "https://example.com/read" }]] });
    assert_eq!(
        sent(vec![picture(), text("Hello", &[open("Read")])]),
        [("sendPhoto", json!({ "photo": PICTURE, "caption": "Hello", "reply_markup": keyboard }))]
    );
    assert_eq!(sent(vec![picture(), text(&"a".repeat(1024), &[])]).len(), 1);
    assert_eq!(sent(vec![picture()]), [("sendPhoto", json!({ "photo": PICTURE }))]);
    assert_eq!(
        sent(vec![picture(), text("", &[open("Read")])]),
        [("sendPhoto", json!({ "photo": PICTURE, "reply_markup": keyboard }))]
    );
}

#[test]
fn an_image_is_the_preview_of_a_text_too_long_for_a_caption() {
    let preview = json!({ "url": PICTURE, "prefer_large_media": true, "show_above_text": true });
    let calls = sent(vec![picture(), text(&"a".repeat(1025), &[])]);
    assert_eq!(calls.len(), 1);
    assert_eq!((calls[0].0, &calls[0].1["link_preview_options"]), ("sendMessage", &preview));
    let calls = sent(vec![picture(), text(&"word ".repeat(2000), &[open("Read")])]);
    assert_eq!(calls.len(), 3);
    assert_eq!(calls[0].1["link_preview_options"], preview);
    assert_eq!(calls[1].1["link_preview_options"], no_preview());
    let has_buttons: Vec<bool> =
        calls.iter().map(|(_, body)| body.get("reply_markup").is_some()).collect();
    assert_eq!(has_buttons, [false, false, true]);
}

#[test]
fn a_page_is_previewed_only_if_it_is_the_only_address() {
    let has_options = |words: &str| {
        let calls = sent(vec![text(words, &[])]);
        calls[0].1.get("link_preview_options") == Some(&no_preview())
    };
    assert!(has_options("no address"));
    assert!(!has_options("see https://example.com/a and https://example.com/a"));
    assert!(has_options("see https://example.com/a and https://example.com/b"));
}

#[test]
fn cards_become_one_text_of_links() {
    let card = |title: &str, image: Option<&str>| Card {
        title: title.to_owned(),
        subtitle: "below".to_owned(),
        image: image.map(str::to_owned),
        link: Some(format!("https://example.com/{title}")),
        buttons: vec![open("more"), tap("Stop", "stop")],
    };
    let calls = sent(vec![Module::Cards(vec![card("a", None), card("b", Some(PICTURE))])]);
    assert_eq!(calls.len(), 1);
    let (method, body) = &calls[0];
    assert_eq!((*method, &body["photo"]), ("sendPhoto", &json!(PICTURE)));
    assert_eq!(body["caption"], "a\nbelow\nmore\n\nb\nbelow\nmore");
    assert_eq!(body["caption_entities"].as_array().unwrap().len(), 6);
    assert_eq!(body["reply_markup"]["inline_keyboard"].as_array().unwrap().len(), 1);
}

#[test]
fn buttons_that_the_api_would_refuse_are_left_out() {
    let bad = Button::new("x", Action::Open { url: "tel:1".to_owned() });
    let calls = sent(vec![text("Hello", &[bad, tap("y", ""), tap("z", &"p".repeat(65))])]);
    assert_eq!(calls[0].1.get("reply_markup"), None);
}

#[test]
fn a_text_without_end_is_cut_off_and_the_buttons_still_come() {
    let calls = sent(vec![text(&"word ".repeat(20_000), &[open("Read")])]);
    assert_eq!(calls.len(), PARTS_MAX);
    let last = &calls[PARTS_MAX - 1].1;
    assert!(last["text"].as_str().unwrap().ends_with("word…"));
    assert!(last["reply_markup"].is_object());
    assert_eq!(sent((0..300).map(|_| text("a", &[])).collect()).len(), CALLS_MAX);
}

#[test]
fn buttons_without_words_get_some() {
    assert_eq!(sent(vec![text("\u{200b}", &[open("Read")])])[0].1["text"], "…");
    assert_eq!(lower(&Message::from_plain("\u{200b}"), None), []);
}

fn any_message() -> impl Strategy<Value = Message> {
    let card = (any_text(), any_text(), any::<[bool; 2]>(), any_buttons()).prop_map(
        |(title, subtitle, [has_image, has_link], buttons)| Card {
            title,
            subtitle,
            image: has_image.then(|| PICTURE.to_owned()),
            link: has_link.then(|| "https://example.com/a".to_owned()),
            buttons,
        },
    );
    let module = prop_oneof![
        4 => (any_rich(), any_buttons()).prop_map(|(text, buttons)| Module::Text { text, buttons }),
        2 => Just(picture()),
        1 => proptest::collection::vec(card, 0..5).prop_map(Module::Cards),
    ];
    proptest::collection::vec(module, 0..4).prop_map(|modules| Message::from(modules))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_message_keeps_every_limit(message in any_message()) {
        let calls = lower(&message, None);
        let length = |value: &Value| value.as_str().map_or(0, |it| it.encode_utf16().count());
        for call in &calls {
            let body = body(call);
            let (words, entities) = match call.method {
                "sendPhoto" => {
                    prop_assert!(body["photo"].is_string());
                    prop_assert!(length(&body["caption"]) <= 1024);
                    (&body["caption"], &body["caption_entities"])
                }
                _ => {
                    prop_assert_eq!(call.method, "sendMessage");
                    prop_assert!((1..=4096).contains(&length(&body["text"])));
                    prop_assert!(is_visible(body["text"].as_str().unwrap()));
                    (&body["text"], &body["entities"])
                }
            };
            for entity in entities.as_array().into_iter().flatten() {
                let end = entity["offset"].as_u64().unwrap() + entity["length"].as_u64().unwrap();
                prop_assert!(end <= length(words) as u64);
            }
            prop_assert!(entities.as_array().map_or(0, Vec::len) <= 100);
            let rows = body["reply_markup"]["inline_keyboard"].as_array();
            for button in rows.into_iter().flatten().flat_map(|row| row.as_array().unwrap()) {
                prop_assert!(length(&button["text"]) > 0);
                prop_assert!(button["url"].is_string() != button["callback_data"].is_string());
                prop_assert!(button["callback_data"].as_str().is_none_or(|it| it.len() <= 64));
            }
        }
        prop_assert_eq!(lower(&message, None), calls);
    }
}
