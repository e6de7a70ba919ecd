use super::*;
use crate::markup;
use crate::model::campaign::ChangeKind;
use crate::model::message::{Action, Medium, Module};
use crate::model::post::Told;
use crate::model::rich::RichText;
use crate::render::preview::preview;
use crate::render::sample::{self, bare_sample, sample};
use crate::render::values::FIELDS;

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn compile(files: &[(&str, &str)]) -> Result<Layouts, String> {
    let files = files.iter().map(|&(path, text)| (path.to_owned(), text.to_owned()));
    Layouts::compile(files.collect())
        .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

fn render_with(text: &str, items: &[Item]) -> Result<Message, RenderError> {
    let layouts = compile(&[("x.html", text)]).unwrap();
    let campaign = name("campaign");
    layouts.render(&name("x"), ChannelKind::Telegram, None, items, &scene(&campaign))
}

fn shown(text: &str, items: &[Item]) -> String {
    preview(&render_with(text, items).unwrap(), 200, false)
}

fn scene(campaign: &Name) -> Scene<'_> {
    Scene { campaign, told: &[], now: sample::NOW }
}

fn item() -> Item {
    sample(&name("example"))
}

#[test]
fn all_wrong_names_of_a_layout_are_told_at_once() {
    let text = "{{ item.titel }}\n{{ item.title | shortn(3) | uper }}\n{{ itm }}\n\
                {{ item.link | shortn }}";
    let told = compile(&[("x.html", text)]).unwrap_err();
    let places: Vec<&str> = told.lines().filter_map(|line| line.strip_prefix("x.html:")).collect();
    let starts = [
        "1:4: no field `item.titel`; did you mean `item.title`?",
        "2:17: there is no filter `shortn`",
    ];
    assert!(starts.iter().zip(&places).all(|(start, told)| told.starts_with(start)), "{told}");
    assert!(
        told.contains("filter `uper`") && told.contains("3:4: `itm` is unknown; did you mean"),
        "{told}"
    );
}

#[test]
fn the_built_in_layouts_need_no_file() {
    let layouts = compile(&[]).unwrap();
    let names = [
        "article",
        "article-short",
        "back-in-stock",
        "digest",
        "digest-carousel",
        "event",
        "plain",
        "podcast-episode",
        "price-drop",
        "product-card",
        "video",
    ];
    assert_eq!(layouts.names().iter().map(Name::as_str).collect::<Vec<_>>(), names);
    let render = |layout, language| {
        let kind = ChannelKind::Messenger;
        layouts.render(&name(layout), kind, language, &[item()], &scene(&name("c"))).unwrap()
    };
    let article = render("article", None);
    let [Module::Media(Medium { url, .. }), Module::Text { buttons, .. }] = &*article.modules
    else {
        panic!("{article:?}");
    };
    assert_eq!(url, "https://example.com/picture.jpg");
    assert_eq!(buttons[0].label, "Read more");
    assert_eq!(buttons[0].action, Action::Open { url: "https://example.com/post".to_owned() });
    let romanian = preview(&render("article", Some("ro-MD")), 80, false);
    assert!(romanian.contains("Citește mai departe"), "{romanian}");
    let plain = preview(&render("plain", None), 80, false);
    assert_eq!(plain, "A title with <angles> & an ampersand\nhttps://example.com/post\n");
}

#[test]
fn the_built_in_layouts_serve_an_item_that_has_nothing() {
    let layouts = compile(&[]).unwrap();
    let bare = bare_sample(&name("example"));
    for layout in layouts.names() {
        let message = layouts
            .render(
                &layout,
                ChannelKind::Telegram,
                None,
                std::slice::from_ref(&bare),
                &scene(&name("c")),
            )
            .unwrap();
        assert!(preview(&message, 80, false).contains("words"), "{layout}");
    }
}

#[test]
fn a_layout_is_there_in_each_language_of_its_words() {
    let all = ["de", "es", "fr", "it", "ro", "ru"];
    let layouts = compile(&[]).unwrap();
    for layout in layouts.names() {
        let languages = layouts.languages(&layout);
        match layout.as_str() {
            "plain" | "article-short" => assert_eq!(languages, ["ro"], "{layout}: no words"),
            _ => assert_eq!(languages, all, "{layout}"),
        }
    }
    let render = |layouts: &Layouts, layout, language| {
        let kind = ChannelKind::Messenger;
        let message =
            layouts.render(&name(layout), kind, Some(language), &[item()], &scene(&name("c")));
        preview(&message.unwrap(), 80, false)
    };
    for (language, words) in
        [("de-AT", "Weiterlesen"), ("ru", "Читать дальше"), ("hu", "Read more")]
    {
        let told = render(&layouts, "article", language);
        assert!(told.contains(words), "{told}");
    }
    // So is an editor's, but for what they have written themselves.
    let own = "{% import \"_wording.html\" as words %}mine: {{ words.read_more }}";
    let files = [("article.html", own), ("article.de.html", "meins")];
    let layouts = compile(&files).unwrap();
    assert_eq!(render(&layouts, "article", "fr").trim(), "mine: Lire la suite");
    assert_eq!(render(&layouts, "article", "de").trim(), "meins");
    let kinds = [ChannelKind::Telegram, ChannelKind::Messenger];
    let campaign = name("c");
    let stage = Stage::new(&[item()].into(), &scene(&campaign));
    let bodies = layouts.render_each(&stage, &name("article"), kinds);
    assert_eq!(bodies.len(), 2 * 7, "bounded by the languages of the words");
    assert!(bodies.iter().all(|(.., message)| message.is_ok()));
}

#[test]
fn an_own_file_replaces_all_variants_of_a_built_in_layout() {
    let layouts = compile(&[("article.html", "mine")]).unwrap();
    let message = layouts
        .render(&name("article"), ChannelKind::Telegram, Some("ro"), &[item()], &scene(&name("c")))
        .unwrap();
    assert_eq!(message, Message::from_plain("mine"));
}

#[test]
fn the_best_variant_is_chosen() {
    let layouts = compile(&[
        ("l/x.html", "all"),
        ("l/x.telegram.html", "telegram"),
        ("l/x.ro.html", "ro"),
        ("l/x.ro.telegram.html", "ro telegram"),
        ("l/x.pt-br.html", "pt-br"),
    ])
    .unwrap();
    let cases = [
        (None, ChannelKind::Messenger, "all"),
        (None, ChannelKind::Telegram, "telegram"),
        (Some("ro"), ChannelKind::Messenger, "ro"),
        (Some("RO-ro"), ChannelKind::Telegram, "ro telegram"),
        (Some("pt-BR"), ChannelKind::Telegram, "pt-br"),
        (Some("pt"), ChannelKind::Messenger, "all"),
        (Some("en-GB"), ChannelKind::Telegram, "telegram"),
        (Some(""), ChannelKind::Messenger, "all"),
    ];
    for (language, kind, expected) in cases {
        let message = layouts.render(&name("x"), kind, language, &[item()], &scene(&name("c")));
        assert_eq!(message, Ok(Message::from_plain(expected)), "{language:?} {kind:?}");
    }
    let unknown = layouts.render(&name("y"), ChannelKind::Telegram, None, &[], &scene(&name("c")));
    assert_eq!(unknown, Err(RenderError::Unknown { layout: name("y") }));
}

#[test]
fn sec_t09_only_names_of_layouts_are_taken() {
    for file in [
        "X.html",
        "x.htm",
        "x",
        ".html",
        "-x.html",
        "x..html",
        "x.english.html",
        "x.telegram.ro.html",
        "x.ro.en.html",
        "x.telegram.messenger.html",
        "x.RO.html",
    ] {
        let told = compile(&[(file, "words")]).unwrap_err();
        assert!(told.starts_with(&format!("{file}:1:1: this is no name")), "{told}");
    }
    let told = compile(&[("a/x.html", "words"), ("b/x.html", "words")]).unwrap_err();
    assert_eq!(told, "b/x.html:1:1: there is another layout of this name");
}

/// Fields that are no text and no list.
const NUMBERS: [&str; 2] = ["percent_off", "on_sale"];

#[test]
fn a_layout_sees_the_offer_and_what_happened_to_it() {
    let layouts = compile(&[(
        "x.html",
        "{{ item.change }} {{ item.was }} {{ item.price }} {{ item.list_price }} \
         {{ item.percent_off }} {{ item.lowest_30d }} {{ item.on_sale }} {{ item.brand }} \
         {{ item.sku }} {{ item.gtin }} {{ item.availability }} {{ item.currency }} \
         {% for one in item.variants %}{{ one.title }} {{ one.price }} {{ one.sku }} \
         {% endfor %}{{ item.price | money }}",
    )])
    .unwrap();
    let shown = |item: Item, told: &[Told]| {
        let (layout, campaign) = (name("x"), name("c"));
        let scene = Scene { told, ..scene(&campaign) };
        let message =
            layouts.render(&layout, ChannelKind::Telegram, None, &[item], &scene).unwrap();
        preview(&message, 400, false)
    };
    assert_eq!(
        shown(item(), &[sample::told()]),
        "price-drop 59.00 EUR 44.00 EUR 59.00 EUR 25 49.50 EUR True A & B AB-7 4006381333931 \
         in-stock EUR Small 44.00 EUR AB-7-S Large 49.00 EUR AB-7-L 44 EUR\n"
    );
    // Without a move it is what the sale takes off.
    assert!(shown(item(), &[]).starts_with("new 44.00 EUR 59.00 EUR 25 True A & B"));
    assert_eq!(shown(bare_sample(&name("example")), &[]), "new 0 False\n");
}

#[test]
fn the_built_in_layouts_tell_a_product() {
    let layouts = compile(&[]).unwrap();
    let shown = |layout, language, told: &[Told]| {
        let (layout, campaign) = (name(layout), name("c"));
        let scene = Scene { told, ..scene(&campaign) };
        let message = layouts.render(&layout, ChannelKind::Telegram, language, &[item()], &scene);
        preview(&message.unwrap(), 400, false)
    };
    let told = |kind| [Told { kind, price: None, ..sample::told() }];
    let cases = [
        (shown("price-drop", None, &[sample::told()]), "44 EUR instead of 59 EUR (−25 %)"),
        (shown("price-drop", Some("ro"), &[sample::told()]), "44 EUR în loc de 59 EUR (−25 %)"),
        (shown("price-drop", None, &[sample::told()]), "Lowest of the last 30 days: 49.50 EUR"),
        (shown("back-in-stock", None, &told(ChangeKind::BackInStock)), "Back in stock"),
        (shown("back-in-stock", Some("ro"), &told(ChangeKind::BackInStock)), "din nou în stoc"),
        (shown("product-card", None, &told(ChangeKind::OutOfStock)), "Out of stock"),
        (shown("product-card", Some("ro"), &told(ChangeKind::Gone)), "Nu mai este"),
        (shown("product-card", None, &[]), "44 EUR instead of 59 EUR"),
    ];
    for (shown, expected) in cases {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
}

#[test]
fn every_field_can_be_printed() {
    for field in FIELDS {
        let length = if NUMBERS.contains(&field) { "int" } else { "length" };
        let layout = format!("{{{{ item.{field} }}}} {{{{ item.{field} | {length} }}}} words");
        assert!(render_with(&layout, &[item()]).is_ok(), "{field}");
    }
    let told = shown(
        "{{ items | length }} {{ campaign }} {{ item.source }} {{ item.tags | join('/') }} \
         {{ item.published | date('%Y') }} {% if item.media %}{{ item.media[1].kind }}{% endif %} {{ item.id }}",
        &[item(), item()],
    );
    assert_eq!(told, "2 campaign example news/rust 2026 audio 07070707070707070707070707070707\n");
}

#[test]
fn summary_and_body_stand_in_for_each_other() {
    let layout = "{{ item.summary }}{{ item.body }}{{ item.text }}";
    let only = Item { summary: RichText::default(), ..item() };
    let only = Item { body: markup::rich("<b>b</b>", None), ..only };
    assert_eq!(shown(layout, &[only]), "b\n\nb\n\nb\n");
}

#[test]
fn sec_t01_the_texts_of_items_are_values() {
    let hostile = "{{ items }}{% for x in items %}<b>&amp;</b><button href=https://e.com>x";
    let told = Item {
        title: hostile.to_owned(),
        tags: vec![hostile.to_owned()],
        summary: RichText::from_plain(hostile),
        link: Some("https://example.com/'><img src=https://e.com/>".to_owned()),
        ..item()
    };
    let layout = "<p>{{ item.title }}</p><p>{{ item.tags | first | default }}</p>{{ item.summary }}\
                  {{ item.summary | truncate(500) }}<a href='{{ item.link }}'>a</a>";
    let message = render_with(layout, &[told]).unwrap();
    let [Module::Text { text, buttons }] = &*message.modules else { panic!("{message:?}") };
    assert!(buttons.is_empty());
    assert_eq!(text.plain(), [hostile, hostile, hostile, hostile, "a"].join("\n"));
    // Markup joined to text becomes text.
    assert_eq!(
        shown("{{ item.summary ~ '<i>' }}", &[item()]),
        "<p>The <b>first</b> words of a post.</p><i>\n"
    );
}

#[test]
fn sec_t04_no_text_leaves_its_quotes() {
    let hostile = "' src=https://e.com/ x=\" src=https://e.com/ x=><button href=https://e.com>";
    let told = Item { title: hostile.to_owned(), ..item() };
    for quote in ['"', '\''] {
        let alt = format!("alt={quote}{{{{ item.title }}}}{quote}");
        let layout = format!("<img {alt} src={quote}https://example.com/p{quote}>");
        let message = render_with(&layout, std::slice::from_ref(&told)).unwrap();
        let [Module::Media(Medium { url, alt, .. })] = &*message.modules else {
            panic!("{message:?}")
        };
        assert_eq!((url.as_str(), alt.as_str()), ("https://example.com/p", hostile));
    }
}

#[test]
fn sec_t02_a_layout_sees_nothing_but_its_items() {
    for expression in ["debug()", "range(3)", "namespace()", "env", "self", "dict()"] {
        assert!(compile(&[("x.html", &format!("{{{{ {expression} }}}}"))]).is_err());
    }
    let told = compile(&[("x.html", "a\n{% include '/etc/passwd' %}")]).unwrap_err();
    assert!(told.starts_with("x.html:2:"), "{told}");
    let told = compile(&[("x.html", "{{ item.title | safe }}")]).unwrap_err();
    assert!(told.contains("there is no filter `safe`"), "{told}");
}

#[test]
fn sec_t03_a_layout_has_fuel_and_room() {
    let long: Vec<Item> = (0..400).map(|_| item()).collect();
    let nested = "{% for a in items %}{% for b in items %}{{ a.id }}{% endfor %}{% endfor %}";
    let failed = render_with(nested, &long).unwrap_err();
    assert!(matches!(failed, RenderError::Failed { .. }), "{failed}");
    let told = compile(&[("x.html", "{{ 'x' * 65537 }}")]).unwrap_err();
    assert_eq!(told, "x.html:1:1: a layout prints at most 64 kB");
    assert!(compile(&[("x.html", "{{ 'x' * 65536 }}")]).is_ok());
    let recursive = [("x.html", "{% include 'x.html' %}")];
    assert!(compile(&recursive).is_err());
    let told = compile(&[("x.html", &"x".repeat(LAYOUT_BYTES_MAX + 1))]).unwrap_err();
    assert_eq!(told, "x.html:1:1: a layout has at most 64 kB");
}

#[test]
fn a_long_item_does_not_make_a_layout_fail() {
    let html = "<p>many <a href='https://example.com/a?b=c&d'>words</a> & <b>more</b></p>";
    let long = Item {
        title: "title ".repeat(10_000),
        body: markup::rich(&html.repeat(5_000), None),
        tags: vec!["t".repeat(100_000); 50],
        ..item()
    };
    let layout = "{% for item in items %}{{ item.title }}{{ item.body }}{{ item.text }}\
                  {% endfor %}{{ items[0].tags | join }}";
    assert!(render_with(layout, &vec![long; 10]).is_ok());
}

#[test]
fn nothing_printed_is_an_error() {
    let bare = bare_sample(&name("example"));
    let empty = render_with("<img src='{{ item.image }}'>", &[bare]);
    assert_eq!(empty, Err(RenderError::Empty { file: "x.html".to_owned() }));
}

#[test]
fn sec_c06_an_error_has_no_words_of_an_item() {
    let secretive = Item { title: "secret".to_owned(), ..item() };
    let failed =
        render_with("{% if item.title == 'secret' %}{{ item.title + 1 }}{% endif %}", &[secretive]);
    let told = failed.unwrap_err().to_string();
    assert_eq!(told, "rendering with `x.html` failed: line 1: invalid operation");
}

#[test]
fn the_same_items_give_the_same_message() {
    let layouts = compile(&[]).unwrap();
    let render = || {
        let kind = ChannelKind::Telegram;
        layouts.render(&name("article"), kind, None, &[item(), item()], &scene(&name("c")))
    };
    assert_eq!(render(), render());
}

#[test]
fn parts_are_included_and_are_no_layouts() {
    let layouts = compile(&[
        ("x.html", "{{ item.title }}{% include '_foot.html' %}"),
        ("x.ro.html", "{{ item.title }}{% include '_foot.html' %}"),
        ("x.messenger.html", "{{ item.title }}{% include '_foot.html' %}"),
        ("_foot.html", "<p>foot {{ language }}{% include '_sign.html' %}</p>"),
        ("_foot.messenger.html", "<p>page</p>"),
        ("_sign.html", " sign"),
        ("_sign.ro.html", " semn {{ '1.50 EUR' | money }}"),
        ("m.html", "{% from '_macros.html' import big %}{{ big(item.title) }}"),
        ("_macros.html", "{% macro big(words) %}<b>{{ words | upper }}</b>{% endmacro %}"),
    ])
    .unwrap();
    let shown = |layout, kind, language| {
        let (layout, campaign) = (name(layout), name("c"));
        let message = layouts.render(&layout, kind, language, &[item()], &scene(&campaign));
        preview(&message.unwrap(), 100, false).replace('\n', "|")
    };
    let title = item().title;
    let (telegram, messenger) = (ChannelKind::Telegram, ChannelKind::Messenger);
    assert_eq!(shown("x", telegram, None), format!("{title}||foot sign|"));
    assert_eq!(shown("x", telegram, Some("ro")), format!("{title}||foot ro semn 1,50 EUR|"));
    assert_eq!(shown("x", messenger, None), format!("{title}||page|"));
    assert_eq!(shown("m", messenger, None), format!("{}|", title.to_uppercase()));
    assert!(layouts.names().iter().all(|name| !name.as_str().starts_with('_')));
}

#[test]
fn a_problem_in_a_part_is_told_at_its_place() {
    let told = compile(&[
        ("l/x.html", "<p>\n{% include '_foot.html' %}</p>{% include '_fot.html' %}"),
        ("l/_foot.html", "foot\n {{ item.titel }}{{ nobody }}"),
    ])
    .unwrap_err();
    assert!(told.contains("l/_foot.html:2:5: no field `item.titel`; did you mean"), "{told}");
    let told =
        compile(&[("l/x.html", "<p>\n{% include '_fot.html' %}</p>"), ("l/_foot.html", "foot")])
            .unwrap_err();
    let expected =
        "l/x.html:2:13: there is no layout or part `_fot.html`; did you mean `_foot.html`?";
    assert_eq!(told, expected);
    let told =
        compile(&[("l/x.html", "{% include '_foot.html' %}"), ("l/_foot.html", "a\n{{ nobody }}")])
            .unwrap_err();
    assert!(told.starts_with("l/_foot.html:2:4: `nobody` has no value"), "{told}");
    let told = compile(&[("l/_foot.html", "a\n{{ a b }}")]).unwrap_err();
    assert!(told.starts_with("l/_foot.html:2:"), "{told}");
}

#[test]
fn every_field_that_is_not_there_is_told_with_the_nearest() {
    let told = compile(&[(
        "x.html",
        "{% for one in items %}{{ one.pirce }}{% for v in one.variants %}{{ v.tittle }}{% endfor %}\n\
         {% for file in one.media %}{{ file.lenght }}{{ file['titel'] }}{% endfor %}{% endfor %}\n\
         {{ subscriber.first_nam }} {{ items[0].lnk }} {{ item.colour }}\n\
         {% if item.change == 'gone' %}{{ item.brnd }}{% endif %}\n\
         {{ items | map(attribute='tgs') | list | length }} words",
    )])
    .unwrap_err();
    let expected = [
        "x.html:1:26: no field `one.pirce`; did you mean `one.price`?",
        "x.html:1:68: no field `v.tittle`; did you mean `v.title`?",
        "x.html:2:31: no field `file.lenght`",
        "x.html:2:48: no field `file.titel`; did you mean `file.title`?",
        "x.html:3:4: no field `subscriber.first_nam`; did you mean `subscriber.first_name`?",
        "x.html:3:31: no field `items[0].lnk`; did you mean `items[0].link`?",
        "x.html:3:50: no field `item.colour`",
        "x.html:4:34: no field `item.brnd`; did you mean `item.brand`?",
        "x.html:5:27: no field `item.tgs`; did you mean `item.tags`?",
    ];
    for line in expected {
        assert!(told.contains(line), "{line}\n{told}");
    }
}

#[test]
fn what_is_lost_of_a_layout_is_told_at_its_place() {
    let told = compile(&[
        (
            "x.html",
            "<p>words</p>\n<img src='{{ item.image }}'>\n{% if item.link %}<img srcc='{{ item.image }}'>{% endif %}\n\
             <message overflow=cut><album><img src='{{ item.image }}'></album>\n{% include '_part.html' %}",
        ),
        ("_part.html", "\n <button href='tg://x'>x</button>{# <img> #}"),
    ])
    .unwrap_err();
    let lines: Vec<_> = told.lines().collect();
    assert_eq!(
        lines,
        [
            "_part.html:2:2: <button>: `href` is no http or https address",
            "x.html:3:19: <img>: it has no `srcc`; did you mean `src`?",
            "x.html:3:19: <img>: it needs `src`",
            "x.html:4:1: <message>: `overflow` is none of `split`, `shorten`, `rich`",
            "x.html:4:23: <album>: an album has two pictures at least: one alone needs no album",
        ]
    );
    let looped = "<album>{% for it in item.media %}<img src='{{ it.url }}'>{% endfor %}</album>";
    assert!(compile(&[("x.html", looped)]).is_ok());
}

#[test]
fn a_layout_that_names_its_reader_is_personal() {
    let layouts = compile(&[
        ("a.html", "Hello {{ subscriber.first_name }}"),
        ("b.html", "{% include '_hello.html' %}"),
        ("c.html", "a subscriber {# {{ subscriber }} #}"),
        ("d.html", "{{ item.title }}"),
        ("d.ro.html", "{% if subscriber.language == 'ro-md' %}{{ item.title }}{% endif %}x"),
        ("_hello.html", "{{ subscriber.language }} words"),
    ])
    .unwrap();
    let personal: Vec<_> =
        layouts.names().into_iter().filter(|name| layouts.is_personal(name)).collect();
    assert_eq!(personal, ["a", "b", "d"].map(name));
}

#[test]
fn dates_are_by_the_settings_clocks_where_none_are_named() {
    let text = "{{ item.published | date('%H:%M') }} {{ item.published | date('%H:%M', 'UTC') }} \
                {{ item.published | date('%H:%M', subscriber.timezone) }}";
    let files = vec![("x.html".to_owned(), text.to_owned())];
    let layouts = Layouts::compile(files).unwrap().in_zone(Zone::exactly("Asia/Tokyo").unwrap());
    let (campaign, item) = (name("c"), sample(&name("s")));
    let frozen =
        layouts.freeze(&name("x"), std::slice::from_ref(&item), &scene(&campaign)).unwrap();
    // What waits is by the clocks that it was made with, whatever becomes of the settings.
    let mut thawed = crate::render::Thawed::new(&frozen, &campaign);
    for (timezone, last) in [(None, "23:13"), (Some("+05:30"), "19:43"), (Some("UTC"), "14:13")] {
        let person = Person { timezone: timezone.map(str::to_owned), ..Person::default() };
        let message = thawed.render(ChannelKind::Telegram, &person).unwrap();
        let said = crate::render::preview(&message, 100, false);
        assert_eq!(said, format!("23:13 14:13 {last}\n"), "{timezone:?}");
    }
}

#[test]
fn a_layout_that_fails_says_why_and_no_words_of_an_item() {
    let text = "{% if item.title == 'ours' %}{{ item.title | date }}{% else %}{{ item.title + 1 }}\
                {% endif %}";
    let files = vec![("x.html".to_owned(), text.to_owned())];
    let mut all = Files::default();
    for (path, text) in files {
        let variant = Variant::parse(&path).unwrap();
        all.add(variant, File { name: path.clone(), path, text, is_shipped: false });
    }
    let layouts = Layouts::open(all, Zone::utc());
    let campaign = name("c");
    for (title, why) in [
        ("ours", "`date` needs an instant, such as `item.published`"),
        ("secret", "invalid operation"),
    ] {
        let item = Item { title: title.to_owned(), ..sample(&name("s")) };
        let kind = ChannelKind::Telegram;
        let items = std::slice::from_ref(&item);
        let error = layouts.render(&name("x"), kind, None, items, &scene(&campaign)).unwrap_err();
        assert_eq!(error.to_string(), format!("rendering with `x.html` failed: line 1: {why}"));
    }
}
