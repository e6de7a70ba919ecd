use proptest::prelude::*;

use super::*;
use crate::markup;
use crate::model::item::MediaKind;
use crate::model::message::{Action, ButtonStyle, LinkPreview, Manner, Overflow};
use crate::render::preview::preview;

fn open(label: &str, url: &str) -> Button {
    Button::new(label, Action::Open { url: url.to_owned() })
}

fn text(html: &str, buttons: Vec<Button>) -> Module {
    Module::Text { text: markup::rich(html, None), buttons }
}

fn image(url: &str, alt: &str) -> Module {
    Module::Media(Medium::image(url, alt))
}

/// The remarks, each with its element.
fn remarks(html: &str) -> Vec<String> {
    read(html).1.iter().map(|it| format!("{}: {}", it.element, it.why)).collect()
}

#[test]
fn elements_become_modules_in_order() {
    let html = "<img src=https://example.com/a.png alt='A &amp;  b'>\n<p><b>One</b></p>\n\
                <button href=https://example.com/1>Read <i>more</i></button>\n\
                <button postback=stop>Stop</button><p>Two</p><IMG SRC='http://example.com/b'>";
    let stop = Action::Postback { payload: "stop".to_owned() };
    let expected = vec![
        image("https://example.com/a.png", "A & b"),
        text(
            "<p><b>One</b></p>",
            vec![open("Read more", "https://example.com/1"), Button::new("Stop", stop)],
        ),
        text("Two", vec![]),
        image("http://example.com/b", ""),
    ];
    assert_eq!(read(html), (Message::from(expected), vec![]));
}

#[test]
fn files_have_their_titles_lengths_and_covers() {
    let html = "<video src=https://e.com/v.mp4 poster=https://e.com/p.jpg title=V duration=1:02:03>\
                <audio src=https://e.com/a.mp3 title=A performer=P duration=754 \
                cover=https://e.com/c.jpg>Your browser plays nothing</audio>\
                <file src=https://e.com/f.pdf>The <b>menu</b></file>words";
    let (message, remarks) = read(html);
    assert_eq!(remarks, []);
    let medium = |kind, url| Medium::new(kind, url, "");
    assert_eq!(
        message.modules,
        vec![
            Module::Media(Medium {
                title: "V".to_owned(),
                seconds: Some(3723),
                cover: Some("https://e.com/p.jpg".to_owned()),
                ..medium(MediaKind::Video, "https://e.com/v.mp4")
            }),
            Module::Media(Medium {
                title: "A".to_owned(),
                performer: "P".to_owned(),
                seconds: Some(754),
                cover: Some("https://e.com/c.jpg".to_owned()),
                ..medium(MediaKind::Audio, "https://e.com/a.mp3")
            }),
            Module::Media(Medium {
                title: "The menu".to_owned(),
                ..medium(MediaKind::File, "https://e.com/f.pdf")
            }),
            text("words", vec![]),
        ]
    );
}

#[test]
fn an_album_of_one_is_a_picture() {
    let one = "<img src=https://e.com/1>";
    let two = "<video src=https://e.com/2></video>";
    let album = |inside: &str| of(&format!("<album>{inside}</album>")).modules;
    assert_eq!(album(one), [image("https://e.com/1", "")]);
    assert_eq!(album("<img src=''>"), []);
    let video = Medium::new(MediaKind::Video, "https://e.com/2", "");
    let both = Module::Album(vec![Medium::image("https://e.com/1", ""), video]);
    assert_eq!(album(&format!("{one} <img src=''>{two}")), [both]);
    assert_eq!(of(&format!("<album>{one}")).modules, [image("https://e.com/1", "")]);
}

#[test]
fn cards_stand_side_by_side() {
    let html = "<carousel>\n<card title='One &amp; only' subtitle=s image=https://e.com/i \
                href=https://e.com/1><button href=https://e.com/b>B</button></card>\
                <card title=''>words</card><card title='' /></carousel>";
    let (message, remarks) = read(html);
    assert_eq!(remarks, []);
    let one = Card {
        title: "One & only".to_owned(),
        subtitle: "s".to_owned(),
        image: Some("https://e.com/i".to_owned()),
        link: Some("https://e.com/1".to_owned()),
        buttons: vec![open("B", "https://e.com/b")],
    };
    let two = Card {
        title: "words".to_owned(),
        subtitle: String::new(),
        image: None,
        link: None,
        buttons: vec![],
    };
    assert_eq!(message.modules, [Module::Cards(vec![one, two])]);
}

#[test]
fn replies_and_the_manner_do_not_part_the_text() {
    let html = "<p>one <message overflow=shorten preview=off silent protected=no>\
                <reply postback=more>More</reply>two</p>";
    let (message, remarks) = read(html);
    assert_eq!(remarks, []);
    assert_eq!(message.modules, [text("<p>one two</p>", vec![])]);
    let more = Action::Postback { payload: "more".to_owned() };
    assert_eq!(message.quick_replies, [Button::new("More", more)]);
    let manner = Manner {
        overflow: Overflow::Shorten,
        preview: LinkPreview::Off,
        is_silent: true,
        is_protected: false,
    };
    assert_eq!(message.manner, manner);
    assert_eq!(of("<message silent><reply postback=x>x</reply>"), Message::default());
}

#[test]
fn buttons_copy_and_have_colours() {
    let html = "t<button copy=' SAVE10 ' style=success>Copy</button>";
    let Module::Text { buttons, .. } = &of(html).modules[0] else { panic!("not a text") };
    assert_eq!(buttons[0].action, Action::Copy { text: "SAVE10".to_owned() });
    assert_eq!(buttons[0].style, ButtonStyle::Success);
}

#[test]
fn what_an_item_lacks_vanishes() {
    for html in [
        "",
        " <p> </p>",
        "<img src='' alt=x>",
        "<button href=''>x</button>",
        "<audio src='' duration='' cover=''>",
        "<carousel></carousel>",
    ] {
        assert_eq!(read(html), (Message::default(), vec![]), "{html}");
    }
    assert!(of("<button href=https://example.com/> </button>").modules.is_empty());
}

#[test]
fn a_button_finds_its_text() {
    let button = "<button href=https://example.com/>b</button>";
    let buttons = vec![open("b", "https://example.com/")];
    let picture = "<img src=https://example.com/p>";
    let cases = [
        (format!("t{button}"), vec![text("t", buttons.clone())]),
        (format!("{button}t"), vec![text("t", buttons.clone())]),
        (
            format!("t{picture}{button}"),
            vec![text("t", buttons.clone()), image("https://example.com/p", "")],
        ),
        (
            format!("{picture}{button}"),
            vec![image("https://example.com/p", ""), text("b", buttons)],
        ),
    ];
    for (html, modules) in cases {
        assert_eq!(of(&html).modules, modules, "{html}");
    }
}

#[test]
fn sec_t06_addresses_that_are_none_are_remarked() {
    let html = "t<img src=/a.png><button href=tg://x>x</button><button href=javascript:x>y\
                </button><button postback=0123456789012345678901234567890123456789012345678901\
                2345678901234>z</button><video src=https://e.com/ poster=file:///x>";
    let (message, remarks) = read(html);
    let video = Medium::new(MediaKind::Video, "https://e.com/", "");
    assert_eq!(message.modules, vec![text("t", vec![]), Module::Media(video)]);
    let elements: Vec<_> = remarks.iter().map(|remark| remark.element.as_str()).collect();
    assert_eq!(elements, ["img", "button", "button", "button", "video"]);
}

#[test]
fn mistakes_are_remarked_with_what_was_meant() {
    let cases = [
        ("<img srcc=https://e.com/>", "img: it has no `srcc`; did you mean `src`?"),
        ("<img>", "img: it needs `src`"),
        ("<button>x</button>", "button: it needs `href`, `postback` or `copy`"),
        (
            "<button href=https://e.com/ style=red>x</button>",
            "button: `style` is none of `primary`, `success`, `danger`",
        ),
        ("<message overflow=cut>", "message: `overflow` is none of `split`, `shorten`, `rich`"),
        ("<message><message>", "message: there is another one before: one is enough"),
        ("<card title=x>", "card: it is left out: cards stand within `<carousel>`"),
        ("<buton href=''>x</buton>", "buton: there is no such element; did you mean <button>?"),
        ("<stron>x</stron>", "stron: there is no such element; did you mean <strong>?"),
        ("<album>words</album>", "album: its text is left out: it takes pictures and videos"),
        (
            "<album><audio src=https://e.com/a></album>",
            "audio: an album takes pictures and videos: it stands after it",
        ),
        (
            "<album><album></album></album>",
            "album: it stands within another element: it is left out",
        ),
        (
            "<audio src=https://e.com/ duration=long>",
            "audio: `duration` is no seconds and no `12:34`",
        ),
    ];
    for (html, expected) in cases {
        let told = remarks(html);
        assert!(told.iter().any(|it| it == expected), "{html}: {told:?}");
    }
    for html in ["<x>a</x>", "<small>a</small>", "<img src='' width=1 data-x=1>", "<o:p>a</o:p>"] {
        assert_eq!(remarks(html), Vec::<String>::new(), "{html}");
    }
}

#[test]
fn what_is_dropped_gives_no_modules() {
    let html = "<!-- <img src=https://example.com/a> --><script><img src=https://example.com/b>\
                </script><svg><img src=https://example.com/c></svg><pre>&lt;img&gt;</pre>";
    assert_eq!(of(html).modules, vec![text("<pre>&lt;img&gt;</pre>", vec![])]);
}

#[test]
fn sec_l01_modules_and_buttons_are_bounded() {
    let images = "<img src=https://example.com/>".repeat(MODULES_MAX + 1);
    assert_eq!(of(&images).modules.len(), MODULES_MAX);
    let buttons = "<button href=https://example.com/>b</button>".repeat(BUTTONS_MAX + 1);
    let Module::Text { buttons, .. } = &of(&format!("t{buttons}")).modules[0] else {
        panic!("not a text");
    };
    assert_eq!(buttons.len(), BUTTONS_MAX);
    let cards = "<card title=x>".repeat(CARDS_MAX + 1);
    let Module::Cards(cards) = &of(&format!("<carousel>{cards}")).modules[0] else {
        panic!("no cards");
    };
    assert_eq!(cards.len(), CARDS_MAX);
    let replies = "<reply postback=x>x</reply>".repeat(REPLIES_MAX + 1);
    assert_eq!(of(&format!("t{replies}")).quick_replies.len(), REPLIES_MAX);
    let album = "<img src=https://example.com/>".repeat(ALBUM_MAX + 1);
    let Module::Album(media) = &of(&format!("<album>{album}")).modules[0] else {
        panic!("no album");
    };
    assert_eq!(media.len(), ALBUM_MAX);
}

proptest! {
    #[test]
    fn any_html_is_read(
        html in "(</?(img|button|p|b|script|album|video|audio|carousel|card|reply|message)\
                 ( (src|href|postback|title|overflow)=\"(https://x/|a)?\")?>|[a-z<]){0,20}"
    ) {
        let (message, _) = read(&html);
        prop_assert_eq!(&message, &of(&html));
        preview(&message, 60, false);
        for module in &message.modules {
            match module {
                Module::Text { text, .. } => prop_assert!(!text.is_empty()),
                Module::Album(media) => prop_assert!(media.len() > 1),
                Module::Cards(cards) => prop_assert!(!cards.is_empty()),
                Module::Media(_) => {}
            }
        }
    }
}

#[test]
fn a_table_ends_where_a_part_begins() {
    let html = "<table><tr><td>a<td>b<img src=\"https://x.example/i.png\"><tr><td>c<td>d</table>";
    let message = of(html);
    let texts: Vec<String> = message
        .modules
        .iter()
        .filter_map(|module| match module {
            Module::Text { text, .. } => Some(text.plain()),
            _ => None,
        })
        .collect();
    assert_eq!(texts, ["a | b", "c | d"]);
}
