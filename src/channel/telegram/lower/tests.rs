use proptest::prelude::*;

use super::*;
use crate::channel::cut::PARTS_MAX;
use crate::channel::trees::{any_buttons, any_text, any_text_with_tables};
use crate::model::item::MediaKind;
use crate::model::message::{ButtonStyle, Card, Medium};
use crate::model::rich::{Block, Inline};

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
            covers: 0,
        }
    );
    assert_eq!((calls[1].method, calls[1].is_acknowledgement), ("sendMessage", false));
    assert_eq!(lower(&Message::default(), Some("1")).len(), 1);
    assert_eq!(lower(&Message::default(), None), []);
}

#[test]
fn an_acknowledgement_may_say_something_in_passing() {
    let mut calls = lower(&Message::default(), Some("1"));
    say_in_passing(&mut calls, &"so ".repeat(100));
    let body = calls[0].body();
    assert_eq!(body["callback_query_id"], "1");
    assert_eq!(body["text"].as_str().unwrap().len(), 200);
}

#[test]
fn a_menu_takes_the_place_of_the_tapped_one_or_is_sent() {
    let mut menu = Message::from_plain("Hi");
    menu.quick_replies = vec![tap("Yes", "y")];
    let mut calls = lower(&menu, Some("1"));
    put_in_place(&mut calls, 7);
    let methods: Vec<_> = calls.iter().map(|call| (call.method, call.covers)).collect();
    let expected = [("answerCallbackQuery", 0), ("editMessageText", 1), ("sendMessage", 0)];
    assert_eq!(methods, expected);
    let (edit, sent) = (calls[1].body(), calls[2].body());
    assert_eq!(edit["message_id"], 7);
    assert_eq!((&edit["text"], &edit["reply_markup"]), (&sent["text"], &sent["reply_markup"]));
    // What is more than a text is sent.
    let long = Message::from_plain(&"word ".repeat(2_000));
    let mut calls = lower(&long, None);
    let before = calls.clone();
    put_in_place(&mut calls, 7);
    assert_eq!(calls, before);
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
    assert_eq!(body["caption"], "1. a\nbelow\nmore\n\n2. b\nbelow\nmore");
    assert_eq!(body["caption_entities"].as_array().unwrap().len(), 6);
    let keyboard = &body["reply_markup"]["inline_keyboard"];
    assert_eq!(
        (&keyboard[0][0]["text"], &keyboard[0][1]["text"]),
        (&json!("1. Stop"), &json!("2. Stop"))
    );
    assert_eq!(sent(vec![Module::Cards(vec![card("a", None)])])[0].1["text"], "a\nbelow\nmore");
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

fn medium(kind: MediaKind, url: &str) -> Medium {
    Medium::new(kind, url, "")
}

#[test]
fn each_kind_of_file_has_its_method_and_fields() {
    let sound = Medium {
        title: "Episode 1".to_owned(),
        performer: "Ana".to_owned(),
        seconds: Some(61),
        cover: Some(PICTURE.to_owned()),
        ..medium(MediaKind::Audio, "https://a.example/1.mp3")
    };
    let film = Medium { title: "Film".to_owned(), ..sound.clone() };
    let film = Medium { kind: MediaKind::Video, url: "https://a.example/1.mp4".to_owned(), ..film };
    let gif = medium(MediaKind::Image, "https://a.example/1.GIF?x=1");
    let file = medium(MediaKind::File, "https://a.example/1.pdf");
    let calls = sent(vec![
        Module::Media(sound),
        Module::Media(film),
        Module::Media(gif),
        Module::Media(file),
        text("About the file", &[]),
    ]);
    assert_eq!(
        calls,
        [
            (
                "sendAudio",
                json!({
                    "audio": "https://a.example/1.mp3", "title": "Episode 1", "performer": "Ana",
                    "duration": 61, "thumbnail": PICTURE,
                })
            ),
            (
                "sendVideo",
                json!({
                    "video": "https://a.example/1.mp4", "supports_streaming": true, "duration": 61,
                    "cover": PICTURE, "thumbnail": PICTURE, "caption": "Film",
                })
            ),
            ("sendAnimation", json!({ "animation": "https://a.example/1.GIF?x=1" })),
            (
                "sendDocument",
                json!({ "document": "https://a.example/1.pdf", "caption": "About the file" })
            ),
        ]
    );
}

#[test]
fn a_file_goes_ahead_of_a_text_too_long_for_a_caption() {
    let video = || Module::Media(medium(MediaKind::Video, "https://a.example/1.mp4"));
    let methods = |calls: &[(&'static str, Value)]| -> Vec<&'static str> {
        calls.iter().map(|(method, _)| *method).collect()
    };
    let long = text(&"word ".repeat(300), &[open("Read")]);
    let calls = sent(vec![video(), long.clone()]);
    assert_eq!(methods(&calls), ["sendVideo", "sendMessage"]);
    assert!(calls[1].1["reply_markup"].is_object());

    let mut message = Message::from(vec![video(), long]);
    message.manner.overflow = Overflow::Shorten;
    let calls = lower(&message, None);
    assert_eq!(calls.len(), 1);
    assert!(body(&calls[0])["caption"].as_str().unwrap().ends_with("word…"));
}

#[test]
fn albums_are_cut_into_groups_and_captioned_once() {
    let photos = |count: usize| -> Vec<Medium> {
        (0..count).map(|at| Medium::image(&format!("{PICTURE}?{at}"), "")).collect()
    };
    let sizes = |count: usize| -> Vec<usize> {
        sent(vec![Module::Album(photos(count))])
            .iter()
            .map(|(_, body)| body["media"].as_array().map_or(1, Vec::len))
            .collect()
    };
    assert_eq!(sizes(10), [10]);
    assert_eq!(sizes(11), [6, 5]);
    assert_eq!(sizes(21), [7, 7, 7]);
    assert_eq!(sizes(1), [1]);

    let mut mixed = photos(2);
    mixed.push(medium(MediaKind::Video, "https://a.example/1.mp4"));
    mixed.push(medium(MediaKind::Audio, "https://a.example/1.mp3"));
    let calls = sent(vec![Module::Album(mixed), text("Hello", &[])]);
    assert_eq!((calls[0].0, calls[1].0, calls.len()), ("sendMediaGroup", "sendAudio", 2));
    let media = calls[0].1["media"].as_array().unwrap();
    assert_eq!((&media[0]["caption"], media[1].get("caption")), (&json!("Hello"), None));
    assert_eq!(media[2]["type"], "video");

    let calls = sent(vec![Module::Album(photos(2)), text("Hello", &[open("Read")])]);
    assert_eq!((calls[0].0, calls[1].0, calls.len()), ("sendMediaGroup", "sendMessage", 2));
    let calls = sent(vec![Module::Album(photos(2)), text(&"a".repeat(1025), &[])]);
    assert_eq!((calls[0].0, calls[1].0, calls.len()), ("sendMediaGroup", "sendMessage", 2));
}

#[test]
fn quick_replies_are_the_last_rows_of_the_last_keyboard() {
    let mut message = Message::from(vec![
        text("One", &[open("Read")]),
        Module::Album(vec![Medium::image(PICTURE, ""), Medium::image(PICTURE, "")]),
    ]);
    message.quick_replies = vec![tap("Yes", "y"), tap("No", "n")];
    let calls = lower(&message, None);
    let keyboard = &body(&calls[0])["reply_markup"]["inline_keyboard"];
    assert_eq!(keyboard.as_array().unwrap().len(), 2);
    assert_eq!(keyboard[1][1]["callback_data"], "n");

    message.modules.remove(0);
    let calls = lower(&message, None);
    assert_eq!((calls.len(), calls[1].method), (2, "sendMessage"));
    assert_eq!(body(&calls[1])["text"], NO_WORDS);
}

#[test]
fn a_message_says_how_it_is_sent() {
    let mut message = Message::from(vec![text(
        "See https://example.com/a and https://example.com/b",
        &[
            Button { style: ButtonStyle::Success, ..open("Read") },
            Button::new("Code", Action::Copy { text: "RO10".to_owned() }),
            Button::new("None", Action::Copy { text: "x".repeat(257) }),
        ],
    )]);
    message.manner.is_silent = true;
    message.manner.is_protected = true;
    for (preview, expected) in [
        (LinkPreview::Auto, no_preview()),
        (LinkPreview::Off, no_preview()),
        (LinkPreview::Small, json!({ "url": "https://example.com/a", "prefer_small_media": true })),
        (
            LinkPreview::Above,
            json!({
                "url": "https://example.com/a", "prefer_large_media": true, "show_above_text": true,
            }),
        ),
    ] {
        message.manner.preview = preview;
        let body = body(&lower(&message, None)[0]);
        assert_eq!(body["link_preview_options"], expected);
        assert_eq!(
            (&body["disable_notification"], &body["protect_content"]),
            (&json!(true), &json!(true))
        );
        assert_eq!(
            body["reply_markup"]["inline_keyboard"],
            json!([[
                { "text": "Read", "url": "https://example.com/read", "style": "success" },
                { "text": "Code", "copy_text": { "text": "RO10" } },
            ]])
        );
    }
}

#[test]
fn a_rich_message_stands_before_the_plain_ones_that_go_instead_of_it() {
    let mut message = Message::from(vec![picture(), text(&"word ".repeat(2000), &[open("Read")])]);
    message.manner.overflow = Overflow::Rich;
    message.quick_replies = vec![tap("More of this", "m")];
    let calls = lower(&message, None);
    let methods: Vec<(&str, u8)> = calls.iter().map(|call| (call.method, call.covers)).collect();
    assert_eq!(
        methods,
        [("sendRichMessage", 3), ("sendMessage", 0), ("sendMessage", 0), ("sendMessage", 0)]
    );
    let rich = body(&calls[0]);
    let html = rich["rich_message"]["html"].as_str().unwrap();
    assert!(html.starts_with(&format!("<img src=\"{PICTURE}\"><p>word word")));
    assert_eq!(rich["reply_markup"], body(&calls[3])["reply_markup"]);
    assert_eq!(rich["reply_markup"]["inline_keyboard"].as_array().unwrap().len(), 2);
    message.modules = vec![text("short", &[])];
    assert_eq!(lower(&message, None).len(), 1);
    message.modules = vec![text(&"word ".repeat(10_000), &[])];
    assert_eq!(lower(&message, None)[0].method, "sendMessage", "too long for a rich message");
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
    let kind = prop_oneof![
        Just(MediaKind::Image),
        Just(MediaKind::Video),
        Just(MediaKind::Audio),
        Just(MediaKind::File),
    ];
    let file = (kind, any_text(), any::<[bool; 2]>(), prop::option::of(any::<u32>())).prop_map(
        |(kind, title, [is_gif, has_cover], seconds)| Medium {
            title: title.clone(),
            performer: title,
            seconds,
            cover: has_cover.then(|| PICTURE.to_owned()),
            ..medium(kind, if is_gif { "https://example.com/a.gif" } else { PICTURE })
        },
    );
    let file = file.boxed();
    let module = prop_oneof![
        4 => (any_text_with_tables(), any_buttons())
            .prop_map(|(text, buttons)| Module::Text { text, buttons }),
        2 => file.clone().prop_map(Module::Media),
        1 => proptest::collection::vec(file, 0..25).prop_map(Module::Album),
        1 => proptest::collection::vec(card, 0..5).prop_map(Module::Cards),
    ];
    let manner = (
        prop_oneof![Just(Overflow::Split), Just(Overflow::Shorten), Just(Overflow::Rich)],
        prop_oneof![
            Just(LinkPreview::Auto),
            Just(LinkPreview::Off),
            Just(LinkPreview::Small),
            Just(LinkPreview::Above),
        ],
        any::<[bool; 2]>(),
    )
        .prop_map(|(overflow, preview, [is_silent, is_protected])| Manner {
            overflow,
            preview,
            is_silent,
            is_protected,
        });
    (proptest::collection::vec(module, 0..4), any_buttons(), manner)
        .prop_map(|(modules, quick_replies, manner)| Message { modules, quick_replies, manner })
}

fn length(value: &Value) -> usize {
    value.as_str().map_or(0, |it| it.encode_utf16().count())
}

/// Text or caption with its entities, within so many units.
fn assert_words(words: &Value, entities: &Value, most: usize) {
    assert!(length(words) <= most);
    assert!(words.is_null() || is_visible(words.as_str().unwrap()));
    for entity in entities.as_array().into_iter().flatten() {
        let end = entity["offset"].as_u64().unwrap() + entity["length"].as_u64().unwrap();
        assert!(end <= length(words) as u64);
    }
    assert!(entities.as_array().map_or(0, Vec::len) <= 100);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_message_keeps_every_limit(message in any_message()) {
        let calls = lower(&message, None);
        for (at, call) in calls.iter().enumerate() {
            let body = body(call);
            prop_assert!(usize::from(call.covers) < calls.len() - at);
            prop_assert_eq!(call.covers > 0, call.method == "sendRichMessage");
            prop_assert_eq!(body.get("protect_content").is_some(), message.manner.is_protected);
            match call.method {
                "sendRichMessage" => {
                    let html = body["rich_message"]["html"].as_str().unwrap();
                    prop_assert!(is_visible(html));
                    prop_assert!(html.matches("<table").count() <= article::BLOCKS_MAX);
                }
                "sendMediaGroup" => {
                    let media = body["media"].as_array().unwrap();
                    prop_assert!((2..=10).contains(&media.len()));
                    prop_assert!(body.get("reply_markup").is_none());
                    for (at, item) in media.iter().enumerate() {
                        prop_assert!(at == 0 || item.get("caption").is_none());
                        assert_words(&item["caption"], &item["caption_entities"], 1024);
                    }
                }
                "sendMessage" => {
                    prop_assert!(length(&body["text"]) > 0);
                    assert_words(&body["text"], &body["entities"], 4096);
                }
                _ => assert_words(&body["caption"], &body["caption_entities"], 1024),
            }
            let rows = body["reply_markup"]["inline_keyboard"].as_array();
            for button in rows.into_iter().flatten().flat_map(|row| row.as_array().unwrap()) {
                prop_assert!(length(&button["text"]) > 0);
                let actions = ["url", "callback_data", "copy_text"];
                prop_assert_eq!(actions.iter().filter(|it| button.get(**it).is_some()).count(), 1);
                prop_assert!(button["callback_data"].as_str().is_none_or(|it| it.len() <= 64));
                prop_assert!(length(&button["copy_text"]["text"]) <= 256);
            }
        }
        let is_covered = |at: usize| {
            calls[..at].iter().enumerate().any(|(from, call)| from + usize::from(call.covers) >= at)
        };
        prop_assert!((0..calls.len()).all(|at| calls[at].covers == 0 || !is_covered(at)));
        prop_assert_eq!(lower(&message, None), calls);
    }
}
