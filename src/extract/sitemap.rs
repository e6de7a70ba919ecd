//! Sitemaps: the addresses of a site, as XML, as text, or as a feed.
//!
//! Promises the entries of a list, or the sitemaps that an index names, whatever namespace the
//! elements are in. Refuses what is neither in one line. It does not fetch: how deep and how many
//! is for the poll, by [`DEPTH_MAX`] and [`CHILDREN_MAX`].
//!
//! Source: <https://www.sitemaps.org/protocol.html>, and Google's extensions for news, images and
//! videos.

use std::collections::HashSet;

use url::Url;

use crate::extract::raw::{Form, RawText};
use crate::extract::refusal::{self, NotADocument};
use crate::extract::tokens::{Mode, Tag, Token, Tokens};
use crate::extract::{
    Document, Entry, Facts, Format, Quality, assemble, date, feed, keys, link, repair, text,
};
use crate::model::known::Keys;
use crate::model::time::Timestamp;

/// Most addresses of one sitemap; those behind are not read.
pub const URLS_MAX: usize = 50_000;
/// Most sitemaps of one index.
pub const CHILDREN_MAX: usize = 50_000;
/// How deep sitemaps go: an index names lists, not other indices.
pub const DEPTH_MAX: u8 = 2;
/// Largest sitemap once unpacked, in bytes.
pub const BYTES_MAX: usize = 52_428_800;

/// Longest text of one element that is kept, in bytes.
const FIELD_BYTES_MAX: usize = 8 << 10;
/// How many lines of a text are looked at for an address.
const HEAD_LINES_MAX: usize = 20;
/// Most key words of one address that are kept.
const KEYWORDS_MAX: usize = 64;

/// A sitemap as it was found.
#[derive(Debug)]
pub enum Sitemap {
    /// Other sitemaps, in document order.
    Index { children: Vec<Child>, quality: Quality },
    /// Addresses, each with what is told of it: the title only of news, never a body.
    Urls {
        document: Document,
        /// It lists the news of the last days only: what is absent may still be there.
        is_window: bool,
    },
}

/// A sitemap that an index names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Child {
    pub url: Url,
    /// When the index says that it changed last.
    pub modified: Option<Timestamp>,
}

/// The sitemap in `bytes`, which may be a gzip file, as the server at `base` gave them.
///
/// Addresses of other sites are left out if any is of the host that gave the sitemap; `www.` and
/// subdomains make no difference. An address that comes again counts once. The fingerprint of an
/// entry is that of its title and picture: a new `lastmod` alone is no edit.
///
/// # Errors
/// [`NotADocument`] says in one line what it is instead, or which limit it passes.
pub fn read(
    bytes: &[u8],
    content_type: Option<&str>,
    base: &Url,
    urls_max: usize,
) -> Result<Sitemap, NotADocument> {
    let bytes = text::unpack_within(bytes, BYTES_MAX)?;
    let decoded = text::decode(&bytes, content_type, base.host_str());
    let whole = decoded
        .text
        .trim_start_matches(|c: char| c.is_whitespace() || c == '\0' || c == '\u{feff}');
    if whole.is_empty() {
        return Err(NotADocument::Empty);
    }
    let found = if is_list(whole) {
        lines(whole, urls_max)
    } else {
        let start = repair::root_start(whole);
        match start.and_then(|start| root_name(whole.get(start..)?)).as_deref() {
            Some("urlset" | "sitemapindex") => elements(whole, start.unwrap_or(0), urls_max)?,
            Some("rss" | "feed" | "rdf") => {
                // It is decoded again: two texts at once would be too much.
                drop(decoded);
                return of_feed(feed::read_within(&bytes, content_type, base, urls_max)?);
            }
            _ => {
                let root = first_name(whole);
                return Err(refusal::of_text_for(whole, root.as_deref(), "a sitemap"));
            }
        }
    };
    Ok(settle(found, base, decoded.encoding))
}

/// What a reader found, before it is judged.
struct Found {
    rows: Vec<Raw>,
    is_index: bool,
    is_window: bool,
    quality: Quality,
}

/// One address with what stands beside it, as written.
#[derive(Default)]
struct Raw {
    loc: String,
    modified: String,
    title: String,
    published: String,
    language: String,
    keywords: String,
    image: String,
}

/// Whether a text is no markup, and has an address among its first lines.
fn is_list(text: &str) -> bool {
    let mut head = text.lines().take(HEAD_LINES_MAX).map(str::trim);
    !text.starts_with(['<', '{', '[']) && head.any(is_address)
}

fn is_address(line: &str) -> bool {
    line.starts_with("http://") || line.starts_with("https://")
}

/// One address a line; lines that are none are passed over.
fn lines(text: &str, urls_max: usize) -> Found {
    let mut addresses = text.lines().map(str::trim).filter(|line| is_address(line));
    let rows: Vec<Raw> = addresses
        .by_ref()
        .take(urls_max)
        .map(|line| Raw { loc: line.to_owned(), ..Raw::default() })
        .collect();
    let quality = if addresses.next().is_some() { Quality::Truncated } else { Quality::Whole };
    Found { rows, is_index: false, is_window: false, quality }
}

/// Strictly, and if that breaks off, a repaired copy tolerantly.
fn elements(text: &str, start: usize, urls_max: usize) -> Result<Found, NotADocument> {
    let inner = text.get(start..).unwrap_or(text);
    let strict = pass(inner, Mode::Strict, urls_max)?;
    if strict.quality == Quality::Whole {
        return Ok(strict);
    }
    let repaired = repair::repair(text);
    let mut found = pass(&repaired, Mode::Tolerant, urls_max)?;
    if found.quality == Quality::Whole {
        found.quality = Quality::Repaired;
    }
    Ok(found)
}

/// Where in a row the reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Row,
    Image,
    News,
    Publication,
    Video,
    Field(Field),
    Other,
}

/// Elements whose text is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Loc,
    Modified,
    Title,
    Published,
    Language,
    Keywords,
    Image,
    Thumbnail,
}

impl Place {
    /// The place of an element in this one; by local names, since namespaces are often wrong.
    fn inner(self, tag: &Tag<'_>) -> Self {
        match (self, tag.local.as_ref()) {
            (Self::Row, "loc") if !tag.name.starts_with("image:") => Self::Field(Field::Loc),
            (Self::Row, "lastmod") => Self::Field(Field::Modified),
            (Self::Row, "image") => Self::Image,
            (Self::Row, "news") => Self::News,
            (Self::Row, "video") => Self::Video,
            (Self::Image, "loc") => Self::Field(Field::Image),
            (Self::News, "title") => Self::Field(Field::Title),
            (Self::News, "publication_date") => Self::Field(Field::Published),
            (Self::News, "keywords") => Self::Field(Field::Keywords),
            (Self::News, "publication") => Self::Publication,
            (Self::Publication, "language") => Self::Field(Field::Language),
            (Self::Video, "thumbnail_loc") => Self::Field(Field::Thumbnail),
            _ => Self::Other,
        }
    }
}

fn pass(text: &str, mode: Mode, urls_max: usize) -> Result<Found, NotADocument> {
    let mut tokens = Tokens::new(text, mode, None);
    let mut found =
        Found { rows: vec![], is_index: false, is_window: false, quality: Quality::Truncated };
    let (mut row, mut thumbnail) = (Raw::default(), String::new());
    // Where each open element of the row is, the row itself first.
    let mut places: Vec<Place> = Vec::new();
    // The text of the row's own, and that of the innermost field.
    let (mut own, mut buffer) = (String::new(), String::new());
    loop {
        match tokens.next()? {
            Token::Start(tag) => match places.last() {
                Some(place) => {
                    let inner = place.inner(&tag);
                    found.is_window |= inner == Place::News;
                    places.push(inner);
                    buffer.clear();
                }
                None if matches!(tag.local.as_ref(), "url" | "sitemap") => {
                    found.is_index |= tag.local == "sitemap";
                    places.push(Place::Row);
                    own.clear();
                }
                None => {}
            },
            Token::Text(text) => match places.last() {
                Some(Place::Field(_)) => append(&mut buffer, &text),
                Some(Place::Row) => append(&mut own, &text),
                _ => {}
            },
            Token::End => match places.pop() {
                Some(Place::Field(field)) => {
                    let slot = match field {
                        Field::Loc => &mut row.loc,
                        Field::Modified => &mut row.modified,
                        Field::Title => &mut row.title,
                        Field::Published => &mut row.published,
                        Field::Language => &mut row.language,
                        Field::Keywords => &mut row.keywords,
                        Field::Image => &mut row.image,
                        Field::Thumbnail => &mut thumbnail,
                    };
                    if slot.is_empty() {
                        buffer.trim().clone_into(slot);
                    }
                }
                Some(Place::Row) => {
                    let mut row = std::mem::take(&mut row);
                    let thumbnail = std::mem::take(&mut thumbnail);
                    if row.image.is_empty() {
                        row.image = thumbnail;
                    }
                    if row.loc.is_empty() {
                        // Some indices have the address without its element.
                        own.trim().clone_into(&mut row.loc);
                    }
                    if found.rows.len() >= urls_max {
                        return Ok(found);
                    }
                    if !row.loc.is_empty() {
                        found.rows.push(row);
                    }
                }
                _ => {}
            },
            Token::Cut => return Ok(found),
            Token::Done => {
                found.quality = Quality::Whole;
                return Ok(found);
            }
        }
    }
}

fn append(buffer: &mut String, text: &str) {
    if buffer.len() + text.len() <= FIELD_BYTES_MAX {
        buffer.push_str(text);
    }
}

fn settle(found: Found, base: &Url, encoding: &'static str) -> Sitemap {
    let mut any_own = false;
    let mut seen: HashSet<u64> = HashSet::with_capacity(found.rows.len());
    // Each with whether it is of the site's own.
    let mut rows = Vec::with_capacity(found.rows.len());
    let mut children = Vec::new();
    for row in found.rows {
        let Some((shown, url)) = link::resolve(&row.loc, &[Some(base)]) else { continue };
        if !seen.insert(keys::link_key(&url, false)) {
            continue;
        }
        let is_own = is_same_site(&url, base);
        any_own |= is_own;
        if found.is_index {
            let modified = date::parse(&row.modified);
            children.push((is_own, Child { url, modified }));
        } else {
            rows.push((is_own, entry(shown, &url, row, base)));
        }
    }
    if found.is_index {
        children.retain(|(is_own, _)| *is_own || !any_own);
        children.truncate(CHILDREN_MAX);
        let children = children.into_iter().map(|(_, child)| child).collect();
        return Sitemap::Index { children, quality: found.quality };
    }
    rows.retain(|(is_own, _)| *is_own || !any_own);
    let entries: Vec<Entry> = rows.into_iter().map(|(_, entry)| entry).collect();
    let language = entries.iter().find_map(|entry| entry.language.clone());
    let facts = facts(encoding, language);
    Sitemap::Urls {
        document: Document { facts, entries, quality: found.quality },
        is_window: found.is_window,
    }
}

fn entry(shown: String, url: &Url, row: Raw, base: &Url) -> Entry {
    let title = assemble::title(&RawText::new(row.title, Form::Either));
    let image = link::resolve(&row.image, &[Some(base)]).map(|(shown, _)| shown);
    let words = row.keywords.split(',').map(str::trim).filter(|word| !word.is_empty());
    let keys = Keys {
        id: None,
        id_alias: None,
        link: Some(keys::link_key(url, false)),
        title_date: None,
        title: keys::title_key(&title),
        fingerprint: keys::fingerprint(&title, "", image.as_deref()),
    };
    Entry {
        keys,
        guid: String::new(),
        title,
        link: Some(shown),
        summary_html: String::new(),
        body_html: String::new(),
        published: date::parse(&row.published),
        updated: date::parse(&row.modified),
        authors: vec![],
        tags: words.take(KEYWORDS_MAX).map(crate::markup::clean).collect(),
        language: assemble::language(&row.language),
        image,
        media: vec![],
        offer: None,
        base: None,
    }
}

/// A feed that serves as sitemap: its addresses name the items, as in any other sitemap.
fn of_feed(mut document: Document) -> Result<Sitemap, NotADocument> {
    document.entries.retain_mut(|entry| {
        entry.guid.clear();
        (entry.keys.id, entry.keys.id_alias, entry.keys.title_date) = (None, None, None);
        entry.keys.link.is_some()
    });
    // It lists what is newest.
    Ok(Sitemap::Urls { document, is_window: true })
}

fn facts(encoding: &'static str, language: Option<String>) -> Facts {
    Facts {
        format: Format::Sitemap,
        encoding,
        title: String::new(),
        link: None,
        language,
        ttl: None,
        hub: None,
        self_link: None,
        next: None,
        expired: false,
    }
}

/// Whether one host is the other, or belongs to it.
fn is_same_site(one: &Url, other: &Url) -> bool {
    let bare = |url: &Url| {
        let host = url.host_str().unwrap_or_default().trim_end_matches('.').to_owned();
        host.strip_prefix("www.").map(str::to_owned).unwrap_or(host)
    };
    let (one, other) = (bare(one), bare(other));
    let belongs = |inner: &str, outer: &str| {
        inner.strip_suffix(outer).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    belongs(&one, &other) || belongs(&other, &one)
}

/// The local name of the element that begins here, in lower case.
fn root_name(text: &str) -> Option<String> {
    let name = text.strip_prefix('<')?;
    let end = name.find(|c: char| c.is_whitespace() || matches!(c, '>' | '/'))?;
    name.get(..end)?.rsplit(':').next().map(str::to_ascii_lowercase)
}

/// The name of the first element.
fn first_name(text: &str) -> Option<String> {
    let mut rest = text;
    loop {
        rest = rest.get(rest.find('<')?..)?;
        if !rest.starts_with("<?") && !rest.starts_with("<!") {
            return root_name(rest);
        }
        rest = rest.get(1..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(text: &str) -> (Document, bool) {
        let base = Url::parse("https://www.e.com/sitemap.xml").unwrap();
        match read(text.as_bytes(), None, &base, 100).unwrap() {
            Sitemap::Urls { document, is_window } => (document, is_window),
            Sitemap::Index { .. } => panic!("an index: {text}"),
        }
    }

    fn links(text: &str) -> Vec<String> {
        urls(text).0.entries.into_iter().filter_map(|entry| entry.link).collect()
    }

    #[test]
    fn addresses_are_read_from_every_form() {
        for text in [
            "<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'><url><loc>https://e.com/1?a=1&amp;b=2</loc></url><url><loc>\n https://e.com/2 \n</loc></url></urlset>",
            "<s:urlset xmlns:s='http://wrong.example/'><s:url><s:loc>https://e.com/1?a=1&amp;b=2</s:loc></s:url><s:url><s:loc>https://e.com/2</s:loc></s:url></s:urlset>",
            "<urlset><url><loc>https://e.com/1?a=1&b=2</loc></url><url><loc><![CDATA[https://e.com/2]]></loc></url></urlset>",
            "\u{feff}https://e.com/1?a=1&b=2\r\nhttps://e.com/2\r\n\r\nno address\r\n",
            "# all pages\nhttps://e.com/1?a=1&b=2\nhttps://e.com/2",
            "<rss version='2.0'><channel><item><guid>x</guid><link>https://e.com/1?a=1&amp;b=2</link></item><item><link>https://e.com/2</link></item></channel></rss>",
            "<urlset><url><loc>https://e.com/1?a=1&amp;b=2</loc></url><url><loc>https://e.com/2</loc></url><url><loc>https://e.com/",
        ] {
            assert_eq!(links(text), ["https://e.com/1?a=1&b=2", "https://e.com/2"], "{text}");
        }
    }

    #[test]
    fn the_quality_says_what_may_be_inferred() {
        let quality = |text: &str| urls(text).0.quality;
        let whole = "<urlset><url><loc>https://e.com/1</loc></url></urlset>";
        assert_eq!(quality(whole), Quality::Whole);
        assert_eq!(quality(&whole.replace("/1<", "/1?a=1&b<")), Quality::Repaired);
        assert_eq!(quality(&whole.replace("</urlset>", "<url>")), Quality::Truncated);
        let many = "<url><loc>https://e.com/1</loc></url>".repeat(101);
        assert_eq!(quality(&format!("<urlset>{many}</urlset>")), Quality::Truncated);
    }

    #[test]
    fn news_have_titles_and_dates_and_are_a_window() {
        let (document, is_window) = urls(
            "<urlset xmlns:news='http://www.google.com/schemas/sitemap-news/0.9' xmlns:image='x'>\
             <url><loc>https://e.com/a</loc><news:news><news:publication><news:name>N</news:name>\
             <news:language>ro</news:language></news:publication>\
             <news:publication_date>2026-11-23</news:publication_date>\
             <news:title>A &amp; B</news:title><news:keywords>x, y</news:keywords></news:news>\
             <image:image><image:loc>https://e.com/a.jpg</image:loc><image:title>no</image:title>\
             </image:image><lastmod>2026-11-24T10:00:00+02:00</lastmod></url></urlset>",
        );
        assert!(is_window);
        let entry = &document.entries[0];
        assert_eq!(entry.title, "A & B");
        assert_eq!(entry.published.unwrap().to_string(), "2026-11-23T00:00:00Z");
        assert_eq!(entry.updated.unwrap().to_string(), "2026-11-24T08:00:00Z");
        assert_eq!(entry.image.as_deref(), Some("https://e.com/a.jpg"));
        assert_eq!(
            (entry.tags.clone(), entry.language.as_deref()),
            (vec!["x".into(), "y".into()], Some("ro"))
        );
        assert_eq!((entry.keys.id, entry.keys.title_date), (None, None));
    }

    #[test]
    fn another_lastmod_is_no_other_fingerprint() {
        let of = |modified: &str| {
            let row = format!(
                "<urlset><url><loc>https://e.com/1</loc><lastmod>{modified}</lastmod></url></urlset>"
            );
            urls(&row).0.entries[0].keys
        };
        assert_eq!(of("2026-01-01"), of("2026-02-02"));
    }

    #[test]
    fn only_the_site_s_own_addresses_count_unless_all_are_foreign() {
        let list = |all: &[&str]| {
            let rows: String =
                all.iter().map(|loc| format!("<url><loc>{loc}</loc></url>")).collect();
            format!("<urlset>{rows}</urlset>")
        };
        let mixed = [
            "https://e.com/1",
            "https://shop.e.com/2",
            "https://evil.example/3",
            "https://note.com/4",
        ];
        assert_eq!(links(&list(&mixed)), mixed[..2]);
        let foreign = ["https://other.example/1", "https://other.example/2"];
        assert_eq!(links(&list(&foreign)), foreign);
        let twice = ["https://e.com/1", "http://www.e.com/1?utm_source=x", "javascript:1"];
        assert_eq!(links(&list(&twice)), twice[..1]);
    }

    #[test]
    fn an_index_names_its_children() {
        let base = Url::parse("https://e.com/sitemap.xml").unwrap();
        let text = "<sitemapindex><sitemap><loc>https://e.com/p.xml?from=1&amp;to=2</loc>\
            <lastmod>2026-01-01</lastmod></sitemap><sitemap> https://e.com/q.xml </sitemap></sitemapindex>";
        let Sitemap::Index { children, quality } = read(text.as_bytes(), None, &base, 100).unwrap()
        else {
            panic!("no index");
        };
        let shown: Vec<_> = children.iter().map(|child| child.url.as_str()).collect();
        assert_eq!(shown, ["https://e.com/p.xml?from=1&to=2", "https://e.com/q.xml"]);
        assert!(children[0].modified.is_some() && quality == Quality::Whole);
    }

    #[test]
    fn what_is_no_sitemap_is_refused_in_one_line() {
        let base = Url::parse("https://e.com/sitemap.xml").unwrap();
        for (text, expected) in [
            (
                "<html><title>Not found</title>",
                "it is a web page titled “Not found”, not a sitemap",
            ),
            ("<note/>", "it is an XML document of `note`, not a sitemap"),
            ("hello", "it is neither XML nor JSON"),
            ("  ", "the answer is empty"),
        ] {
            let refused = read(text.as_bytes(), None, &base, 100).map(|_| ());
            assert_eq!(refused.map_err(|error| error.to_string()), Err(expected.to_owned()));
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(<urlset>|</?url>|</?loc>|<sitemap>|https://e.com/|&|<!\\[CDATA\\[|\\PC){0,40}") {
            let base = Url::parse("https://e.com/sitemap.xml").unwrap();
            let _ = read(text.as_bytes(), None, &base, 10);
        }
    }
}
