use proptest::prelude::*;

use super::*;
use crate::channel::trees::{any_buttons, any_rich, any_text, essence};
use crate::model::message::{Card, Manner};
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
fn a_file_with_buttons_and_without_words_is_a_media_template() {
    let film = |kind| Module::Media(Medium::new(kind, "https://a.example/1.mp4", ""));
    let silent = |count: usize| {
        let buttons = (0..count).map(|at| tap(&format!("B{at}"), "p")).collect();
        Module::Text { text: RichText::default(), buttons }
    };
    for (kind, word) in [(MediaKind::Video, "video"), (MediaKind::Image, "image")] {
        let told = sent(vec![film(kind), silent(3)]);
        let [message] = &told[..] else { panic!("{told:?}") };
        let payload = &message["attachment"]["payload"];
        assert_eq!(payload["template_type"], "media");
        assert_eq!(payload["elements"][0]["media_type"], word);
        assert_eq!(payload["elements"][0]["buttons"].as_array().unwrap().len(), 3);
    }
    // A template has no place for words, a sound, or a fourth button.
    let kinds = |told: &[Value]| -> Vec<Value> {
        told.iter().map(|message| message["attachment"]["type"].clone()).collect()
    };
    let words = sent(vec![film(MediaKind::Video), text("Words", &[tap("B", "p")])]);
    assert_eq!(kinds(&words), ["video", "template"]);
    assert_eq!(kinds(&sent(vec![film(MediaKind::Audio), silent(1)])), ["audio", "template"]);
    assert_eq!(sent(vec![film(MediaKind::Video), silent(4)]).len(), 3);
}

#[test]
fn buttons_that_the_api_would_refuse_are_left_out() {
    let bad = Button::new("x", Action::Open { url: "tel:1".to_owned() });
    assert_eq!(sent(vec![text("Hello", &[bad, tap("y", "")])]), [json!({ "text": "Hello" })]);
}

fn medium(kind: MediaKind, path: &str) -> Medium {
    Medium::new(kind, &format!("https://example.com/{path}"), "")
}

fn with_manner(modules: Vec<Module>, manner: Manner) -> Vec<Value> {
    let message = Message { manner, ..Message::from(modules) };
    lower(&message).iter().map(message_of).collect()
}

fn copy(label: &str, text: &str) -> Button {
    Button::new(label, Action::Copy { text: text.to_owned() })
}

#[test]
fn what_is_to_be_copied_stands_on_a_line_of_its_own() {
    let told = sent(vec![text("20 % off", &[copy("Your code:", "SAVE20"), open("Shop")])]);
    let payload = &told[0]["attachment"]["payload"];
    assert_eq!(payload["text"], "20 % off\n\nYour code:\nSAVE20");
    assert_eq!(payload["buttons"].as_array().unwrap().len(), 1);
    assert_eq!(sent(vec![text("a", &[copy("B", "B")])]), [json!({ "text": "a\n\nB" })]);
    let card = Card {
        title: "T".to_owned(),
        subtitle: String::new(),
        image: None,
        link: None,
        buttons: vec![copy("Code", "X7")],
    };
    let told = sent(vec![Module::Cards(vec![card])]);
    assert_eq!(told[1], json!({ "text": "Code:\nX7" }));
}

#[test]
fn every_kind_of_file_has_its_attachment() {
    use MediaKind::{Audio, File, Image, Video};
    for (kind, word) in [(Image, "image"), (Audio, "audio"), (Video, "video"), (File, "file")] {
        let told = sent(vec![Module::Media(medium(kind, "f")), text("words", &[])]);
        let payload = json!({ "url": "https://example.com/f", "is_reusable": true });
        match kind {
            Image => assert_eq!(told.len(), 1, "one card"),
            _ => assert_eq!(
                told,
                [
                    json!({ "attachment": { "type": word, "payload": payload } }),
                    json!({ "text": "words" }),
                ]
            ),
        }
    }
    let song = Medium {
        title: "Episode 5".to_owned(),
        performer: "Ana".to_owned(),
        ..medium(Audio, "a.mp3")
    };
    assert_eq!(sent(vec![Module::Media(song)])[0], json!({ "text": "Episode 5 – Ana" }));
}

#[test]
fn an_album_is_one_message_and_its_videos_stand_between() {
    use MediaKind::{Image, Video};
    let album =
        vec![medium(Image, "1"), medium(Image, "2"), medium(Video, "3"), medium(Image, "4")];
    let told = sent(vec![Module::Album(album)]);
    let image = |path: &str| {
        let url = format!("https://example.com/{path}");
        json!({ "type": "image", "payload": { "url": url, "is_reusable": true } })
    };
    assert_eq!(told[0], json!({ "attachments": [image("1"), image("2")] }));
    assert_eq!(told[1]["attachment"]["type"], "video");
    assert_eq!(told[2], json!({ "attachment": image("4") }));
    let many = (0..IMAGES_MAX + 2).map(|at| medium(Image, &at.to_string())).collect();
    let told = sent(vec![Module::Album(many)]);
    let count = |at: usize| told[at]["attachments"].as_array().map_or(0, Vec::len);
    assert_eq!((told.len(), count(0), count(1)), (2, 30, 2));
}

#[test]
fn a_few_images_and_a_short_text_are_a_grid() {
    let album = || (0..3).map(|at| medium(MediaKind::Image, &at.to_string())).collect();
    let told = sent(vec![Module::Album(album()), text("Title\nMore", &[open("Read")])]);
    assert_eq!(told.len(), 1);
    let payload = &told[0]["attachment"]["payload"];
    assert_eq!(payload["template_type"], "image_grid");
    let grid = &payload["elements"][0];
    assert_eq!((&grid["title"], &grid["subtitle"]), (&json!("Title"), &json!("More")));
    assert_eq!(
        grid["images"][2],
        json!({ "url": "https://example.com/2",
            "action": { "type": "web_url", "url": "https://example.com/read" } })
    );
    let told = sent(vec![Module::Album(album()), text(&"long ".repeat(20), &[open("Read")])]);
    assert_eq!((told.len(), told[0]["attachments"].as_array().unwrap().len()), (2, 3));
}

#[test]
fn quick_replies_hang_at_the_last_message() {
    let mut replies: Vec<Button> = (0..15).map(|at| tap(&format!("R{at}"), "p")).collect();
    replies.insert(0, open("no tap"));
    let message =
        Message { quick_replies: replies, ..Message::from(vec![text("a", &[]), text("b", &[])]) };
    let told: Vec<Value> = lower(&message).iter().map(message_of).collect();
    assert_eq!(told[0]["quick_replies"], Value::Null);
    let last = told[1]["quick_replies"].as_array().unwrap();
    assert_eq!(last.len(), REPLIES_MAX);
    assert_eq!(last[0], json!({ "content_type": "text", "title": "R0", "payload": "p" }));
    let alone = Message { quick_replies: vec![tap("Yes", "y")], ..Message::default() };
    assert_eq!(message_of(&lower(&alone)[0])["text"], "…");
}

#[test]
fn a_silent_message_says_so() {
    let manner = Manner { is_silent: true, ..Manner::default() };
    let message = Message { manner, ..Message::from_plain("a") };
    let call = &lower(&message)[0];
    let rest =
        r#""messaging_type":"UPDATE","message":{"text":"a"},"notification_type":"SILENT_PUSH"}"#;
    assert_eq!(call.rest, rest);
}

#[test]
fn a_shortened_text_keeps_its_way_on() {
    let manner = Manner { overflow: Overflow::Shorten, ..Manner::default() };
    let long = "A sentence of some words. ".repeat(120);
    let link = Inline::Link {
        href: "https://example.com/all".to_owned(),
        content: vec![Inline::Text("all of it".to_owned())],
    };
    let linked = RichText { blocks: vec![Block::Paragraph(vec![Inline::Text(long), link])] };
    let told = with_manner(vec![Module::Text { text: linked.clone(), buttons: vec![] }], manner);
    assert_eq!(told.len(), 1);
    let words = told[0]["text"].as_str().unwrap();
    assert!(words.ends_with("words.…\n\nhttps://example.com/all"), "{words}");
    assert!(units(words) <= 1999 && units(words) > 1000);

    let buttons = vec![open("Read"), copy("Code", "X7")];
    let told = with_manner(vec![Module::Text { text: linked, buttons }], manner);
    let payload = &told[0]["attachment"]["payload"];
    let words = payload["text"].as_str().unwrap();
    assert!(words.ends_with("words.…\n\nCode:\nX7"), "{words}");
    assert_eq!((told.len(), payload["buttons"].as_array().unwrap().len()), (1, 1));
    assert!(units(words) <= 640 && units(words) > 300);
    assert_eq!(with_manner(vec![text("short", &[])], manner), [json!({ "text": "short" })]);
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

fn any_medium() -> impl Strategy<Value = Medium> {
    let kind = prop_oneof![
        4 => Just(MediaKind::Image),
        1 => Just(MediaKind::Video),
        1 => Just(MediaKind::Audio),
        1 => Just(MediaKind::File),
    ];
    (kind, any_text()).prop_map(|(kind, title)| Medium { title, ..medium(kind, "a.jpg") })
}

/// Buttons of every action.
fn any_actions() -> impl Strategy<Value = Vec<Button>> {
    let copies = proptest::collection::vec((any_text(), "[ -~]{1,256}"), 0..3);
    (any_buttons(), copies).prop_map(|(mut buttons, copies)| {
        buttons.extend(copies.into_iter().map(|(label, text)| copy(&label, &text)));
        buttons
    })
}

fn any_manner() -> impl Strategy<Value = Manner> {
    let overflow =
        prop_oneof![Just(Overflow::Split), Just(Overflow::Shorten), Just(Overflow::Rich),];
    (overflow, any::<bool>()).prop_map(|(overflow, is_silent)| Manner {
        overflow,
        is_silent,
        ..Manner::default()
    })
}

fn any_message() -> impl Strategy<Value = Message> {
    let card = (any_text(), any_text(), any::<[bool; 2]>(), any_actions()).prop_map(
        |(title, subtitle, [has_image, has_link], buttons)| Card {
            title,
            subtitle,
            image: has_image.then(|| "https://example.com/a.jpg".to_owned()),
            link: has_link.then(|| "https://example.com/a".to_owned()),
            buttons,
        },
    );
    let module = prop_oneof![
        4 => (any_rich(), any_actions()).prop_map(|(text, buttons)| Module::Text { text, buttons }),
        2 => (any_text(), any_actions()).prop_map(|(words, buttons)| text(&words, &buttons)),
        2 => any_medium().prop_map(Module::Media),
        2 => proptest::collection::vec(any_medium(), 2..9).prop_map(Module::Album),
        1 => proptest::collection::vec(card, 0..13).prop_map(Module::Cards),
    ];
    let modules = proptest::collection::vec(module, 0..4);
    (modules, any_buttons(), any_manner()).prop_map(|(modules, quick_replies, manner)| Message {
        modules,
        quick_replies,
        manner,
    })
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

/// One message is within every limit of its form.
fn check_message(told: &Value) -> Result<(), TestCaseError> {
    if let Some(text) = told["text"].as_str() {
        prop_assert!(is_visible(text) && length(&told["text"]) <= 1999);
        return Ok(());
    }
    if let Some(images) = told["attachments"].as_array() {
        prop_assert!((2..=30).contains(&images.len()));
        prop_assert!(images.iter().all(|image| image["type"] == "image"));
        return Ok(());
    }
    let attachment = &told["attachment"];
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
        Some("image_grid") => {
            let [grid] = payload["elements"].as_array().unwrap().as_slice() else {
                return Err(TestCaseError::fail("one element"));
            };
            prop_assert!((2..=6).contains(&grid["images"].as_array().unwrap().len()));
            prop_assert!((1..=45).contains(&length(&grid["title"])));
            prop_assert!(length(&grid["subtitle"]) <= 80);
            check_buttons(&grid["buttons"])?;
        }
        Some("media") => {
            let [element] = payload["elements"].as_array().unwrap().as_slice() else {
                return Err(TestCaseError::fail("one element"));
            };
            prop_assert!(["image", "video"].contains(&element["media_type"].as_str().unwrap()));
            prop_assert!(element["url"].is_string() && element["buttons"].is_array());
            check_buttons(&element["buttons"])?;
        }
        _ => {
            let kind = attachment["type"].as_str().unwrap();
            prop_assert!(["image", "video", "audio", "file"].contains(&kind));
            prop_assert!(payload["url"].is_string());
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_message_keeps_every_limit(message in any_message()) {
        let calls = lower(&message);
        for (at, call) in calls.iter().enumerate() {
            let told = message_of(call);
            let replies = told["quick_replies"].as_array();
            prop_assert!(replies.is_none() || at + 1 == calls.len());
            for reply in replies.into_iter().flatten() {
                prop_assert!((1..=20).contains(&length(&reply["title"])));
                prop_assert!((1..=1000).contains(&length(&reply["payload"])));
            }
            prop_assert!(replies.is_none_or(|replies| (1..=13).contains(&replies.len())));
            check_message(&told)?;
        }
        prop_assert_eq!(lower(&message), calls);
    }

    #[test]
    fn a_shortened_text_is_one_message_and_begins_as_the_text(
        text in any_rich(),
        buttons in any_actions(),
    ) {
        let manner = Manner { overflow: Overflow::Shorten, ..Manner::default() };
        let rows = buttons_of(&buttons).len().div_ceil(3).max(1);
        let told = with_manner(vec![Module::Text { text: text.clone(), buttons }], manner);
        prop_assert!(told.len() <= rows);
        let Some(first) = told.first() else { return Ok(()) };
        let words = first["text"].as_str().or(first["attachment"]["payload"]["text"].as_str());
        let words = words.unwrap();
        let flat = flatten(&text, Spelling::Letters);
        let head = words.split('…').next().unwrap_or_default().trim();
        prop_assert!(words.starts_with('…') || words == flat.text || flat.text.is_empty()
            || flat.text.starts_with(head) || words.starts_with(&flat.text)
            || flat.text.contains('…'), "{words}");
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
