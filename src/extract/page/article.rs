//! The article of a page: its full text and what the page says about it. The home of dom_smoothie.

use std::panic::{AssertUnwindSafe, catch_unwind};

use dom_smoothie::{Config, Readability};
use url::Url;

use crate::extract::assemble::assemble;
use crate::extract::dom::Dom;
use crate::extract::page::parts::picture;
use crate::extract::raw::{Form, RawEntry, RawFeed, RawText, TEXT_BYTES_MAX};
use crate::extract::structured::{Graph, Kind, Said, Thing, entry_of, things};
use crate::extract::{Entry, Format, NotADocument, Quality, date, link, text};
use crate::model::time::Timestamp;

/// Most elements of a page whose full text is looked for: it takes several passes.
const ELEMENTS_MAX: usize = 16_000;
/// Most attributes of all of them.
const ATTRIBUTES_MAX: usize = 64_000;
/// Longest page whose full text is looked for, in bytes.
const READABLE_BYTES_MAX: usize = 3 << 20;
/// Within how many elements the texts of such a page may stand, in the mean over its length: each
/// of them is weighed with all of its text. Articles stand within ten or twenty, and are half of
/// their page at most.
const NESTING_MAX: usize = 24;
/// Texts of so many bytes may be nested at any depth.
const NESTING_FREE_BYTES: usize = 1 << 20;
/// How many bytes may be gone over for each one of the page to escape what it gives.
const ESCAPES_MAX: usize = 1_000;
/// So many may be in any page.
const ESCAPES_FREE_BYTES: usize = 16 << 20;

/// What the page of one item tells. Every part may be missing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Article {
    /// Plain text.
    pub title: String,
    /// HTML, not sanitised; addresses are absolute.
    pub body_html: String,
    /// The page is too much for its full text to be looked for: the body is what its structured
    /// data has, if anything.
    pub is_too_much: bool,
    /// HTML, not sanitised.
    pub summary_html: String,
    /// Absolute.
    pub image: Option<String>,
    pub published: Option<Timestamp>,
    pub updated: Option<Timestamp>,
    pub authors: Vec<String>,
    pub tags: Vec<String>,
    /// BCP 47, lower case.
    pub language: Option<String>,
    pub site_name: Option<String>,
    /// Where the page says it lives, else where it was fetched.
    pub link: Option<String>,
}

/// The article of the page that `url` (after redirects) gave.
///
/// # Errors
/// [`NotADocument`] when the page passes a limit. A page without an article gives what its head
/// says, which may be nothing.
pub fn read(bytes: &[u8], content_type: Option<&str>, url: &Url) -> Result<Article, NotADocument> {
    let bytes = text::unpack(bytes)?;
    let decoded = text::decode(&bytes, content_type, url.host_str());
    if decoded.text.trim().is_empty() {
        return Err(NotADocument::Empty);
    }
    of_text(&decoded.text, url)
}

/// [`read`] for a page that is text already.
///
/// # Errors
/// As [`read`].
pub fn of_text(html: &str, url: &Url) -> Result<Article, NotADocument> {
    let dom = Dom::parse(html, url)?;
    let said = Said::of(&dom);
    let html = light_html(&dom);
    let is_too_much = html.is_none();
    let readable = html.and_then(|html| readable(html, url));
    let mut raw = RawEntry::default();
    for values in [&said.json_ld, &said.microdata] {
        let graph = Graph::new(values);
        if let Some(story) = story(&dom, &graph, url) {
            fill(&mut raw, entry_of(&graph, story.value, dom.shared_base()));
        }
    }
    if raw.title.is_empty()
        && let Some(readable) = &readable
    {
        // It knows how sites put their names into titles.
        raw.title = RawText::new(readable.title.clone(), Form::Plain);
    }
    fill(&mut raw, of_head(&dom, &said));
    let plain = |text: &Option<String>| RawText::new(text.clone().unwrap_or_default(), Form::Plain);
    let mut body_html = String::new();
    if let Some(readable) = readable {
        fill(
            &mut raw,
            RawEntry {
                summary: plain(&readable.excerpt),
                authors: readable.byline.into_iter().collect(),
                published: readable.published_time.as_deref().and_then(date::parse),
                updated: readable.modified_time.as_deref().and_then(date::parse),
                media: readable.image.iter().map(|href| picture(&dom, href)).collect(),
                language: readable.lang.unwrap_or_default(),
                ..RawEntry::default()
            },
        );
        body_html = readable.content.to_string();
        body_html.truncate(body_html.floor_char_boundary(TEXT_BYTES_MAX));
    }
    if raw.title.is_empty() {
        raw.title = RawText::new(dom.title(), Form::Plain);
    }
    let site_name = said.meta.site_name;
    let entry = settled(raw, &dom);
    Ok(Article {
        title: entry.title,
        body_html: if body_html.is_empty() { entry.body_html } else { body_html },
        is_too_much,
        summary_html: entry.summary_html,
        image: entry.image,
        published: entry.published,
        updated: entry.updated,
        authors: entry.authors,
        tags: entry.tags,
        language: entry.language,
        site_name,
        link: entry.link,
    })
}

impl Entry {
    /// Takes from the item's own page what its list left open: words, picture, dates, authors,
    /// tags, language. With `wants_body` the full text is the page's, whatever the list gave.
    ///
    /// The keys stay as they are: what an item is was decided by its list.
    pub fn enrich(&mut self, article: Article, wants_body: bool) {
        if self.title.is_empty() {
            self.title = article.title;
        }
        if self.summary_html.trim().is_empty() {
            self.summary_html = article.summary_html;
        }
        let has_body = !article.body_html.trim().is_empty();
        if has_body && wants_body {
            self.body_html = article.body_html;
            self.base = self.link.as_deref().and_then(link::absolute).or(self.base.take());
        }
        self.image = self.image.take().or(article.image);
        self.published = self.published.or(article.published);
        self.updated = self.updated.or(article.updated);
        if self.authors.is_empty() {
            self.authors = article.authors;
        }
        if self.tags.is_empty() {
            self.tags = article.tags;
        }
        self.language = self.language.take().or(article.language);
    }
}

/// The article that the page is about: the only one, or that with the page's address.
fn story<'v>(dom: &Dom, graph: &Graph<'v>, url: &Url) -> Option<Thing<'v>> {
    let all: Vec<Thing<'v>> =
        things(graph).into_iter().filter(|thing| thing.kind == Kind::Article).collect();
    let own = link::canonical(url, false);
    let here = all.iter().find(|thing| {
        let links = entry_of(graph, thing.value, dom.shared_base()).links;
        links
            .iter()
            .filter_map(|link| dom.resolve(&link.href))
            .any(|(_, url)| link::canonical(&url, false) == own)
    });
    here.copied().or_else(|| all.first().copied().filter(|_| all.len() == 1))
}

/// What the page's head says.
fn of_head(dom: &Dom, said: &Said) -> RawEntry {
    let meta = &said.meta;
    let text = |text: &Option<String>| RawText::new(text.clone().unwrap_or_default(), Form::Either);
    RawEntry {
        title: text(&meta.title),
        summary: text(&meta.description),
        links: meta
            .url
            .iter()
            .map(|href| crate::extract::page::parts::link_in(dom, href))
            .collect(),
        published: meta.published,
        updated: meta.updated,
        authors: meta.authors.clone(),
        tags: meta.tags.clone(),
        media: meta.images.iter().map(|href| picture(dom, href)).collect(),
        language: dom.language().unwrap_or_default().to_owned(),
        ..RawEntry::default()
    }
}

/// Takes what is still open from a source that is trusted less.
fn fill(entry: &mut RawEntry, less: RawEntry) {
    let texts = [
        (&mut entry.title, less.title),
        (&mut entry.summary, less.summary),
        (&mut entry.body, less.body),
    ];
    for (own, other) in texts {
        if own.is_empty() {
            *own = other;
        }
    }
    entry.links.extend(less.links);
    entry.published = entry.published.or(less.published);
    entry.updated = entry.updated.or(less.updated);
    if entry.authors.is_empty() {
        entry.authors = less.authors;
    }
    if entry.tags.is_empty() {
        entry.tags = less.tags;
    }
    if entry.media.is_empty() {
        entry.media = less.media;
    }
    if entry.language.is_empty() {
        entry.language = less.language;
    }
}

/// The raw entry with its meaning: plain title, absolute addresses.
fn settled(mut raw: RawEntry, dom: &Dom) -> Entry {
    raw.links.push(crate::extract::page::parts::link_in(dom, dom.base().as_str()));
    let feed = RawFeed { entries: vec![raw], ..RawFeed::new(Format::Page) };
    let found = assemble(feed, dom.base(), "UTF-8", Quality::Whole).entries.pop();
    found.unwrap_or_else(|| unreachable!("one entry has no repetitions"))
}

/// The page as it is given to dom_smoothie; `None` when it is too much for it.
fn light_html(dom: &Dom) -> Option<String> {
    let weight = dom.weight();
    if weight.elements > ELEMENTS_MAX || weight.attributes > ATTRIBUTES_MAX {
        return None;
    }
    let html = dom.to_html();
    let is_light = html.len() <= READABLE_BYTES_MAX
        && weight.text <= html.len() * NESTING_MAX + NESTING_FREE_BYTES
        && weight.escapes <= html.len() * ESCAPES_MAX + ESCAPES_FREE_BYTES;
    is_light.then_some(html)
}

/// What dom_smoothie makes of the page; `None` when it finds nothing.
fn readable(html: String, url: &Url) -> Option<dom_smoothie::Article> {
    let config = Config { max_elements_to_parse: ELEMENTS_MAX, ..Config::default() };
    // What others' parser does with odd pages must cost no more than the page.
    let parse = || Readability::new(html, Some(url.as_str()), Some(config)).ok()?.parse().ok();
    catch_unwind(AssertUnwindSafe(parse)).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::known::Keys;

    const PAGE: &str = "<html lang=de><head><title>Der Titel – Seite</title><meta property='og:image' content='/i.jpg'>\
        <script type='application/ld+json'>{\"@type\": \"NewsArticle\", \"headline\": \"Der Titel\", \"datePublished\": \"2024-05-06T07:08:09Z\",\
        \"author\": {\"name\": \"Ann\"}}</script></head><body><nav><a href=/>Start</a></nav><article><h1>Der Titel</h1>";

    fn article() -> Article {
        let paragraph = "<p>Ein Absatz, der lang genug ist, dass er als Text eines Artikels gilt, mit Kommas, und noch mehr Worten.</p>";
        let html = format!(
            "{PAGE}{}<p><a href='/x'>Link</a></p></article></body></html>",
            paragraph.repeat(6)
        );
        of_text(&html, &Url::parse("https://e.com/a").unwrap()).unwrap()
    }

    #[test]
    fn the_article_and_what_the_page_says_of_it_are_read() {
        let found = article();
        assert_eq!(found.title, "Der Titel");
        assert_eq!(found.published.unwrap().to_string(), "2024-05-06T07:08:09Z");
        assert_eq!(found.authors, ["Ann"]);
        assert_eq!(found.image.as_deref(), Some("https://e.com/i.jpg"));
        assert_eq!(found.language.as_deref(), Some("de"));
        assert!(found.body_html.contains("Ein Absatz") && !found.body_html.contains("Start"));
        assert!(found.body_html.contains("https://e.com/x"));
    }

    #[test]
    fn a_page_that_costs_a_reader_of_articles_too_much_gives_what_its_head_says() {
        let url = Url::parse("https://e.com/a").unwrap();
        let words = "Worte, und noch mehr Worte. ".repeat(5_000);
        let deep = format!("{PAGE}{}{words}", "<div>".repeat(190));
        let signs = format!("{PAGE}<p>{words}</p><p>{}", "&".repeat(50_000));
        let names: String = (0..60).map(|at| format!(" a{at}=b")).collect();
        let named = format!("{PAGE}<p>{words}</p>{}", format!("<i{names}>x</i>").repeat(1_200));
        for html in [deep, signs, named] {
            let found = of_text(&html, &url).unwrap();
            assert!(found.is_too_much);
            assert_eq!((found.title.as_str(), found.body_html.as_str()), ("Der Titel", ""));
            assert_eq!(found.authors, ["Ann"]);
        }
        let plain = of_text(&format!("{PAGE}<p>{words}</p>"), &url).unwrap();
        assert!(plain.body_html.contains("noch mehr") && !plain.is_too_much);
    }

    #[test]
    fn an_entry_takes_only_what_it_lacks() {
        let keys = Keys {
            id: None,
            id_alias: None,
            link: Some(1),
            title_date: None,
            title: None,
            fingerprint: 2,
        };
        let entry = |title: &str, body: &str| Entry {
            keys,
            guid: String::new(),
            title: title.into(),
            link: Some("https://e.com/a".into()),
            summary_html: "Kurz".into(),
            body_html: body.into(),
            published: None,
            updated: None,
            authors: vec![],
            tags: vec![],
            language: None,
            image: None,
            media: vec![],
            offer: None,
            base: None,
        };
        let mut with = entry("Eigener", "eigener Text");
        with.enrich(article(), false);
        assert_eq!(
            (with.title.as_str(), with.body_html.as_str(), with.summary_html.as_str()),
            ("Eigener", "eigener Text", "Kurz")
        );
        assert!(with.published.is_some() && with.image.is_some());
        let mut full = entry("", "eigener Text");
        full.enrich(article(), true);
        assert!(full.title == "Der Titel" && full.body_html.contains("Ein Absatz"));
        assert_eq!(full.keys, keys);
    }
}
