use std::time::Duration;

use super::*;
use crate::model::channel::ChannelKind;
use crate::model::form::{CHANNELS_MAX, WORDS_BYTES_MAX};

fn wording(texts: &[(&str, &str)]) -> Wording {
    let languages = texts.iter().map(|(tag, text)| ((*tag).to_owned(), (*text).to_owned()));
    Wording { default: texts[0].1.to_owned(), languages: languages.collect() }
}

fn form(shape: Shape) -> Form {
    Form {
        name: Name::parse("popup").unwrap(),
        shape,
        triggers: Triggers { after: Some(Duration::from_secs(5)), ..Triggers::default() },
        again_after: 2_592_000_000,
        topics: vec![],
        title: None,
        text: None,
        consent: None,
        privacy: None,
        colour: None,
    }
}

fn doors() -> Vec<Door> {
    let tag = "newsANDoffersANDalertsANDdealsFROMFORMpopup";
    [
        (
            ChannelKind::Telegram,
            format!("https://t.me/a_name_of_thirty_two_letters_bot?start={tag}"),
        ),
        (ChannelKind::Messenger, format!("https://m.me/100200300400500?ref={tag}")),
    ]
    .map(|(kind, link)| Door { kind, name: kind.as_str().into(), link })
    .to_vec()
}

/// What the script shows, read from it again.
fn shown(script: &str) -> Value {
    let data = script.split_once("const form=").unwrap().1.split_once(";const style=").unwrap().0;
    serde_json::from_str(data).unwrap()
}

const SHAPES: [Shape; 6] = [
    Shape::Dialog,
    Shape::Corner { is_left: true },
    Shape::Corner { is_left: false },
    Shape::Bar { is_top: true },
    Shape::Bar { is_top: false },
    Shape::Button,
];

#[test]
fn a_script_is_below_10_kb_with_all_the_words_that_an_editor_may_write() {
    for shape in SHAPES {
        let plain = form(shape).script(&doors(), Showing::Live);
        // A quote takes two bytes in a script.
        let long = |bytes: usize| "\"".repeat(bytes / 2);
        let full = Form {
            title: Some(wording(&[("en", &long(300)), ("ro", &long(298))])),
            text: Some(wording(&[("en", &long(600))])),
            consent: Some(wording(&[("en", &long(500)), ("ro", &long(WORDS_BYTES_MAX - 1_698))])),
            privacy: Some(format!("https://example.com/{}", "a".repeat(180))),
            colour: Some(Colour([1, 2, 3])),
            triggers: Triggers { scroll: Some(0.25), exit: true, ..form(shape).triggers },
            ..form(shape)
        };
        let doors: Vec<Door> = doors().into_iter().cycle().take(CHANNELS_MAX).collect();
        let full = full.script(&doors, Showing::Live);
        assert!(plain.len() < 10_000 && full.len() < 10_000, "{}, {}", plain.len(), full.len());
    }
}

#[test]
fn a_form_speaks_ours_and_the_editors_languages() {
    let form = Form {
        title: Some(wording(&[("en", "News"), ("uk", "Новини")])),
        colour: Some(Colour([0xff, 0xcc, 0])),
        ..form(Shape::Dialog)
    };
    let script = form.script(&doors(), Showing::Live);
    let shown = shown(&script);
    assert_eq!(shown["base"]["title"], "News");
    assert_eq!(shown["words"]["uk"]["title"], "Новини");
    assert_eq!(shown["words"]["de"]["before"], "Auf ");
    assert_eq!(shown["words"]["de"]["close"], "Schließen");
    // What is the same as in English stands there once.
    assert_eq!(shown["words"]["de"].get("title"), None);
    assert_eq!(shown["words"]["en"], json!({}));
    assert_eq!(shown["doors"][0]["name"], "Telegram");
    assert_eq!(
        (shown["after"].as_u64(), shown["again"].as_u64()),
        (Some(5_000), Some(2_592_000_000))
    );
    assert_eq!((shown.get("scroll"), shown.get("exit"), shown.get("preview")), (None, None, None));
    assert!(script.contains(".telegram{background:#ffcc00;color:#000000}"));
}

#[test]
fn a_button_says_no_more_than_its_editor() {
    let script = form(Shape::Button).script(&doors(), Showing::Live);
    let shown = shown(&script);
    assert_eq!((shown["base"].get("title"), shown["base"].get("text")), (None, None));
    assert!(shown["base"]["consent"].as_str().unwrap().contains("“stop”"));
    assert!(!script.contains("localStorage") && !script.contains("showModal"));
}

#[test]
fn the_only_topic_is_the_title() {
    let topics = vec![wording(&[("en", "Offers"), ("ro", "Oferte")])];
    let form = Form { topics, ..form(Shape::Bar { is_top: true }) };
    let shown = shown(&form.script(&doors(), Showing::Preview("ro")));
    assert_eq!(
        (&shown["base"]["title"], &shown["words"]["ro"]["title"]),
        (&"Offers".into(), &"Oferte".into())
    );
    assert_eq!((&shown["language"], &shown["preview"]), (&"ro".into(), &true.into()));
}

#[test]
fn sec_t01_nothing_of_settings_becomes_code_or_markup() {
    let hostile = "</script><!--\"';\\\u{2028}\u{2029}${alert(1)}{{style}}]]>";
    let form = Form {
        title: Some(wording(&[("en", hostile)])),
        text: Some(wording(&[("en", hostile)])),
        consent: Some(wording(&[("en", hostile)])),
        privacy: Some(format!("https://example.com/{hostile}")),
        ..form(Shape::Dialog)
    };
    let mut doors = doors();
    doors[0].link.push_str(hostile);
    let script = form.script(&doors, Showing::Live);
    assert!(
        !script.contains("</script") && !script.contains("<!--") && !script.contains('\u{2028}')
    );
    let shown = shown(&script);
    for text in [&shown["base"]["title"], &shown["base"]["text"], &shown["base"]["consent"]] {
        assert_eq!(text, hostile);
    }
    assert!(shown["privacy"].as_str().unwrap().ends_with(hostile));
    assert_eq!(script.matches("const style=").count(), 1);
    for forbidden in ["innerHTML", "eval(", "fetch(", "document.write", "cookie", "Function("] {
        assert!(!script.contains(forbidden), "{forbidden}");
    }
}

#[test]
fn only_space_that_nobody_needs_is_left_out() {
    let code = "// Words.\n  const a = b ? \"x  y // {\" : c;\n  return a;\n\n  if (a in b) {\n    f(a, b);\n  }\n";
    assert_eq!(squeezed(code), "const a=b?\"x  y // {\":c;return a;if(a in b){f(a,b);}");
}
