//! The page that people subscribe on, as one document.
//!
//! Everything stands in it: style, codes, logo. Its policy lets nothing else in, names the one
//! style by its hash, and says which sites may show the page within their own.

use crate::invite::language::Wording;
use crate::invite::look::{self, Colour, Logo};
use crate::invite::qr::Code;
use crate::invite::words::{self, Words};
use crate::markup::{ADDRESS_BYTES_MAX, escape, fill, policy_hash};
use crate::model::channel::ChannelKind;

const FRAME: &str = include_str!("page.html");
pub(super) const STYLE: &str = include_str!("page.css");

/// Most items that a page shows.
pub const NEWEST_MAX: usize = 5;

/// Longest title of an item on it, in characters.
const TITLE_CHARS_MAX: usize = 160;

/// What the editor wrote of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// What the topics are called, in their order.
    pub topics: Vec<Wording>,
    /// Without one, the only topic's, or words of ours.
    pub title: Option<Wording>,
    pub text: Option<Wording>,
    /// Words, or the address of a page with them.
    pub privacy: Option<Wording>,
    /// Of the buttons.
    pub colour: Option<Colour>,
    pub logo: Option<Logo>,
    /// The sites that may show it within their own pages.
    pub frames: Vec<String>,
    /// What was sent to its topics, for readers of feeds: title and address of each.
    pub feeds: Vec<(Wording, String)>,
}

/// A way in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Door {
    pub kind: ChannelKind,
    /// Stands behind the service's name where there are several of its kind.
    pub name: String,
    pub link: String,
}

/// An item that was told lately.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fresh {
    pub title: String,
    /// Shown only if it is http or https.
    pub link: Option<String>,
}

/// A document and what its head must say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub html: String,
    /// Its `Content-Security-Policy`.
    pub policy: String,
    pub language: String,
}

impl Page {
    /// The first of the languages that somebody wants in which there are words for them, else
    /// English.
    pub fn language(&self, wanted: &[String]) -> String {
        let none = Wording::default();
        words::first_spoken(wanted, self.title.as_ref().unwrap_or(&none))
    }

    /// The page in a language. Without a door it says that people should come again.
    pub fn document(&self, language: &str, doors: &[Door], newest: &[Fresh]) -> Document {
        let words = words::words(language);
        let own = |wording: &Option<Wording>| {
            wording.as_ref().map(|wording| wording.in_language(language).to_owned())
        };
        let only_topic = || match self.topics.as_slice() {
            [only] => Some(only.in_language(language).to_owned()),
            _ => None,
        };
        let has_title = self.title.is_some();
        let title = own(&self.title).or_else(only_topic);
        let title = title.unwrap_or_else(|| words.title.to_owned());
        let text = own(&self.text).unwrap_or_else(|| words.text.to_owned());

        let mut out = String::from("<main>\n<header>");
        if let Some(logo) = &self.logo {
            out.push_str(&format!("<img class=\"logo\" alt=\"\" src=\"{}\">", logo.address()));
        }
        out.push_str(&format!("<h1>{}</h1><p>{}</p></header>\n", escape(&title), escape(&text)));
        if has_title || self.topics.len() > 1 {
            write_topics(&self.topics, language, words, &mut out);
        }
        if doors.is_empty() {
            out.push_str(&format!("<p class=\"notice\" role=\"status\">{}</p>\n", words.later));
        } else {
            write_doors(doors, words, &mut out);
            write_codes(doors, words, &mut out);
        }
        write_newest(newest, words, &mut out);
        out.push_str("</main>\n");
        write_privacy(own(&self.privacy), words, &mut out);
        let feeds: Vec<(String, String)> = self
            .feeds
            .iter()
            .map(|(title, address)| (title.in_language(language).to_owned(), address.clone()))
            .collect();
        let manner = Manner { style: &self.style(), frames: &self.frames, feeds: &feeds };
        document(language, &title, &text, &out, &manner)
    }

    fn style(&self) -> String {
        format!("{STYLE}{}", look::doors(self.colour))
    }
}

/// What stands where there is no page.
pub fn missing(wanted: &[String]) -> Document {
    let language = Page::default().language(wanted);
    let words = words::words(&language);
    let body = format!("<main>\n<h1 class=\"notice\">{}</h1>\n</main>", words.missing);
    document(&language, words.missing, words.missing, &body, &Manner::default())
}

/// A page of one sentence.
pub fn notice(language: &str, text: &str) -> Document {
    let body = format!("<main>\n<h1 class=\"notice\">{}</h1>\n</main>", escape(text));
    document(language, text, text, &body, &Manner::default())
}

/// How a document looks, and what stands around it.
pub(super) struct Manner<'a> {
    pub style: &'a str,
    /// The sites that may show it within theirs.
    pub frames: &'a [String],
    /// Titles and addresses of its feeds.
    pub feeds: &'a [(String, String)],
}

impl Default for Manner<'_> {
    fn default() -> Self {
        Self { style: STYLE, frames: &[], feeds: &[] }
    }
}

pub(super) fn document(
    language: &str,
    title: &str,
    text: &str,
    body: &str,
    manner: &Manner<'_>,
) -> Document {
    let Manner { style, frames, feeds } = *manner;
    let frames = if frames.is_empty() { "'none'".to_owned() } else { frames.join(" ") };
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; img-src 'self' data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors {frames}",
        policy_hash(style),
    );
    let feed = |(title, address): &(String, String)| {
        format!(
            "<link rel=\"alternate\" type=\"application/rss+xml\" title=\"{}\" href=\"{}\">\n",
            escape(title),
            escape(address)
        )
    };
    let feeds: String = feeds.iter().map(feed).collect();
    let (language_told, title, text) = (escape(language), escape(title), escape(text));
    let html = fill(
        FRAME,
        &[
            ("language", &language_told),
            ("title", &title),
            ("text", &text),
            ("feeds", &feeds),
            ("style", style),
            ("body", body),
        ],
    );
    Document { html, policy, language: language.to_owned() }
}

fn write_topics(topics: &[Wording], language: &str, words: &Words, out: &mut String) {
    out.push_str(&format!(
        "<section class=\"topics\" aria-labelledby=\"topics\"><h2 id=\"topics\">{}</h2><ul>",
        words.topics
    ));
    for topic in topics {
        out.push_str(&format!("<li>{}</li>", escape(topic.in_language(language))));
    }
    out.push_str("</ul></section>\n");
}

fn write_doors(doors: &[Door], words: &Words, out: &mut String) {
    out.push_str("<div class=\"doors\">");
    let (before, after) = words.subscribe;
    for door in doors {
        out.push_str(&format!(
            "<a class=\"door {}\" href=\"{}\" rel=\"noopener noreferrer\">\
             <svg viewBox=\"0 0 24 24\" aria-hidden=\"true\" fill=\"currentColor\" \
             fill-rule=\"evenodd\"><path d=\"{}\"/></svg><span>{before}{}{after}</span></a>",
            door.kind.as_str(),
            escape(&door.link),
            look::sign(door.kind),
            escape(&called(door, doors)),
        ));
    }
    out.push_str("</div>\n");
}

fn write_codes(doors: &[Door], words: &Words, out: &mut String) {
    // What is too long for a code has its button still.
    let codes: Vec<_> =
        doors.iter().filter_map(|door| Some((door, Code::of(&door.link).ok()?))).collect();
    if codes.is_empty() {
        return;
    }
    out.push_str(&format!(
        "<section class=\"codes\" aria-labelledby=\"codes\"><h2 id=\"codes\">{}</h2><div>",
        words.scan
    ));
    for (door, code) in codes {
        let name = escape(&called(door, doors));
        let label = format!("{}{name}", words.code);
        out.push_str(&format!(
            "<figure>{}<figcaption>{name}</figcaption></figure>",
            code.drawing(&label)
        ));
    }
    out.push_str("</div></section>\n");
}

/// The service's name, and the channel's where it takes that to tell two apart.
pub(super) fn called(door: &Door, doors: &[Door]) -> String {
    let service = match door.kind {
        ChannelKind::Telegram => "Telegram",
        ChannelKind::Messenger => "Messenger",
    };
    match doors.iter().filter(|other| other.kind == door.kind).count() {
        0 | 1 => service.to_owned(),
        _ => format!("{service} ({})", door.name),
    }
}

fn write_newest(newest: &[Fresh], words: &Words, out: &mut String) {
    if newest.is_empty() {
        return;
    }
    out.push_str(&format!(
        "<section class=\"newest\" aria-labelledby=\"newest\"><h2 id=\"newest\">{}</h2><ol>",
        words.newest
    ));
    for item in newest.iter().take(NEWEST_MAX) {
        let title = escape(&shortened(&item.title));
        match item.link.as_deref().filter(|link| is_web(link)) {
            Some(link) => out.push_str(&format!(
                "<li><a dir=\"auto\" href=\"{}\" rel=\"noopener noreferrer nofollow\">{title}</a>\
                 </li>",
                escape(link)
            )),
            None => out.push_str(&format!("<li><span dir=\"auto\">{title}</span></li>")),
        }
    }
    out.push_str("</ol></section>\n");
}

fn write_privacy(own: Option<String>, words: &Words, out: &mut String) {
    out.push_str(&format!("<footer><h2>{}</h2><p>", words.privacy));
    match own {
        Some(link) if is_web(&link) => out.push_str(&format!(
            "<a href=\"{}\" rel=\"noopener noreferrer\">{}</a>",
            escape(&link),
            words.privacy_link
        )),
        Some(text) => out.push_str(&escape(&text)),
        None => out.push_str(words.privacy_text),
    }
    out.push_str("</p></footer>");
}

/// An address, and nothing but one, that a browser opens without running anything.
pub(super) fn is_web(text: &str) -> bool {
    let is_plain = !text.contains(|c: char| c.is_whitespace() || c.is_control());
    let is_http = ["http://", "https://"].iter().any(|scheme| {
        text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    });
    is_plain && is_http && text.len() <= ADDRESS_BYTES_MAX
}

pub(super) fn shortened(title: &str) -> String {
    match title.char_indices().nth(TITLE_CHARS_MAX) {
        None => title.to_owned(),
        Some((end, _)) => format!("{}…", title[..end].trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::invite::wanted;

    fn wording(texts: &[(&str, &str)]) -> Wording {
        let languages = texts.iter().map(|(tag, text)| ((*tag).to_owned(), (*text).to_owned()));
        Wording { default: texts[0].1.to_owned(), languages: languages.collect() }
    }

    fn doors() -> Vec<Door> {
        [
            (ChannelKind::Telegram, "newsbot", "https://t.me/harbour_bot?start=news"),
            (ChannelKind::Messenger, "page", "https://m.me/1?ref=news"),
        ]
        .map(|(kind, name, link)| Door { kind, name: name.into(), link: link.into() })
        .to_vec()
    }

    fn fresh(title: &str, link: Option<&str>) -> Fresh {
        Fresh { title: title.into(), link: link.map(str::to_owned) }
    }

    #[test]
    fn the_smallest_page_is_whole() {
        let page =
            Page { topics: vec![wording(&[("en", "News"), ("ro", "Știri")])], ..Page::default() };
        let html = page.document("ro", &doors(), &[]).html;
        assert!(html.contains("<html lang=\"ro\">") && html.contains("<h1>Știri</h1>"), "{html}");
        assert!(html.contains("href=\"https://t.me/harbour_bot?start=news\""));
        assert!(html.contains("Abonează-te pe Telegram") && html.contains("pe Messenger"));
        assert_eq!(html.matches("role=\"img\"").count(), 2, "a code a door");
        assert!(!html.contains("class=\"newest\"") && !html.contains("class=\"topics\""));
        assert!(html.contains("Confidențialitate") && html.contains("„stop”"));
        assert!(!html.contains("<script") && !html.contains("{{"));
    }

    #[test]
    fn the_editors_words_colour_and_logo_are_shown() {
        let page = Page {
            topics: vec![wording(&[("en", "News")]), wording(&[("en", "Offers")])],
            title: Some(wording(&[("en", "From the harbour"), ("ro", "Din port")])),
            text: Some(wording(&[("en", "Twice a week.")])),
            privacy: Some(wording(&[("en", "https://example.com/privacy")])),
            colour: Some(Colour([0xff, 0xcc, 0x00])),
            logo: Some(Logo { mime: "image/png", bytes: Arc::from(&b"foobar"[..]) }),
            frames: vec!["https://example.com".into(), "https://www.example.com".into()],
            feeds: vec![(wording(&[("en", "News")]), "https://example.com/t/news/feed.xml".into())],
        };
        let shown = page.document("ro", &doors(), &[]);
        let html = &shown.html;
        assert!(html.contains("<title>Din port</title>") && html.contains("Twice a week."));
        assert!(html.contains("<li>News</li><li>Offers</li>"));
        assert!(html.contains("<a href=\"https://example.com/privacy\""));
        assert!(html.contains(".telegram{background:#ffcc00;color:#000000}"));
        assert!(html.contains("src=\"data:image/png;base64,Zm9vYmFy\""));
        assert!(
            shown.policy.ends_with("frame-ancestors https://example.com https://www.example.com")
        );
    }

    #[test]
    fn the_policy_names_the_style_that_stands_there() {
        let page = Page { colour: Some(Colour([1, 2, 3])), ..Page::default() };
        let shown = page.document("en", &doors(), &[]);
        let style = shown.html.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
        assert!(shown.policy.contains(&format!("style-src 'sha256-{}'", policy_hash(style))));
        assert!(shown.policy.starts_with("default-src 'none'"));
        assert!(shown.policy.ends_with("frame-ancestors 'none'"), "{}", shown.policy);
        // No style but that one, which no attribute has.
        assert!(!shown.html.contains("style=\""));
    }

    #[test]
    fn sec_t01_nothing_of_settings_or_feeds_becomes_markup() {
        let hostile =
            "</style></title><script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{body}}";
        let page = Page {
            topics: vec![wording(&[("en", hostile)]), wording(&[("en", hostile)])],
            title: Some(wording(&[("en", hostile)])),
            text: Some(wording(&[("en", hostile)])),
            privacy: Some(wording(&[("en", hostile)])),
            ..Page::default()
        };
        let door =
            |kind| Door { kind, name: hostile.into(), link: format!("https://t.me/{hostile}") };
        let newest = [
            fresh(hostile, Some("javascript:alert(1)")),
            fresh("plain", Some("data:text/html,<script>")),
            fresh("odd", Some("https://example.com/\"onmouseover=\"alert(1)")),
        ];
        let doors = [door(ChannelKind::Telegram), door(ChannelKind::Telegram)];
        let html = page.document("en", &doors, &newest).html;
        assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
        assert!(!html.contains("href=\"javascript") && !html.contains("href=\"data:text"));
        assert!(!html.contains("\"onmouseover"));
        assert_eq!(html.matches("</style>").count(), 1);
    }

    #[test]
    fn newest_items_are_few_and_short() {
        let items: Vec<Fresh> =
            (0..9).map(|at| fresh(&format!("{at}{}", "ă".repeat(400)), None)).collect();
        let html = Page::default().document("en", &doors(), &items).html;
        assert_eq!(html.matches("<li>").count(), NEWEST_MAX);
        assert!(html.contains("ă…</span>") && !html.contains(&"ă".repeat(161)));
    }

    #[test]
    fn without_a_door_people_are_asked_to_come_again() {
        let html = Page::default().document("de", &[], &[]).html;
        assert!(html.contains("gerade nicht möglich") && !html.contains("class=\"codes\""));
    }

    #[test]
    fn two_of_a_kind_are_told_apart() {
        let mut doors = doors();
        doors[1] = Door { kind: ChannelKind::Telegram, name: "alerts".into(), ..doors[1].clone() };
        let html = Page::default().document("en", &doors, &[]).html;
        assert!(html.contains("Telegram (newsbot)") && html.contains("Telegram (alerts)"));
    }

    #[test]
    fn the_language_is_the_first_wanted_one_that_is_spoken() {
        let page = Page {
            title: Some(wording(&[("pt-br", "Oi"), ("uk", "Порт")])),
            ..Page::default()
        };
        for (header, expected) in [
            ("", "en"),
            ("ja, zh;q=0.8", "en"),
            ("fr-CH, en;q=0.9", "fr"),
            ("pt-BR, en", "pt-br"),
            ("pt, es;q=0.5", "es"),
            ("uk-UA, en;q=0.4", "uk"),
        ] {
            assert_eq!(page.language(&wanted(header)), expected, "{header}");
        }
        assert_eq!(page.document("uk", &[], &[]).language, "uk");
    }

    #[test]
    fn what_is_missing_is_said_in_the_language() {
        let shown = missing(&wanted("it"));
        assert!(shown.html.contains("<h1 class=\"notice\">Questa pagina non esiste.</h1>"));
        assert!(shown.policy.contains("frame-ancestors 'none'"));
    }
}
