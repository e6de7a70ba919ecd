//! Feeds: RSS 0.9 to 2.0, RDF, Atom 0.3 and 1.0, JSON Feed. The home of feed-rs.
//!
//! XML is read by our own reader: strictly, and where that meets a fault a repaired copy of it
//! tolerantly. feed-rs reads the JSON feeds that it reads completely, which are most; it would read
//! plain XML too, but takes several times as long and drops what is not plain. Whichever reader
//! took it, the same item has the same keys.

use std::panic::{AssertUnwindSafe, catch_unwind};

use chrono::DateTime;
use feed_rs::model;
use feed_rs::parser::Builder;
use url::Url;

use crate::extract::assemble::assemble;
use crate::extract::raw::{Form, RawEntry, RawFeed, RawLink, RawText, cap};
use crate::extract::refusal::{self, NotADocument};
use crate::extract::tokens::Mode;
use crate::extract::{
    Document, Format, ITEMS_MAX, Quality, date, discover, json, reader, repair, text,
};
use crate::model::time::Timestamp;

/// feed-rs holds the whole document besides what it makes of it: larger ones are not for it.
const FEED_RS_BYTES_MAX: usize = 16 << 20;

/// The feed in `bytes`, which may be packed with gzip, as the server at `base` (after redirects)
/// gave them with `content_type`.
///
/// # Errors
/// [`NotADocument`] says in one line what it is instead, or which limit it passes.
pub fn read(
    bytes: &[u8],
    content_type: Option<&str>,
    base: &Url,
) -> Result<Document, NotADocument> {
    read_within(bytes, content_type, base, ITEMS_MAX)
}

/// [`read`] with another limit for items than [`ITEMS_MAX`].
///
/// # Errors
/// As [`read`].
pub fn read_within(
    bytes: &[u8],
    content_type: Option<&str>,
    base: &Url,
    items_max: usize,
) -> Result<Document, NotADocument> {
    let bytes = text::unpack(bytes)?;
    let decoded = text::decode(&bytes, content_type, base.host_str());
    let text = decoded.text.trim_start_matches(|c: char| c.is_whitespace() || c == '\0');
    if text.is_empty() {
        return Err(NotADocument::Empty);
    }
    let (raw, quality) = if text.starts_with(['{', '[']) {
        (read_json(text, items_max)?, Quality::Whole)
    } else {
        read_xml(text, base, items_max).map_err(|refusal| hinted(refusal, text, base))?
    };
    Ok(assemble(raw, base, decoded.encoding, quality))
}

/// A page was given for a feed: the refusal names the feed that the page advertises.
fn hinted(refusal: NotADocument, page: &str, address: &Url) -> NotADocument {
    match refusal {
        NotADocument::Page { title, feed: None } => {
            let feed = discover::advertised(page, address).map(|url| url.to_string());
            NotADocument::Page { title, feed }
        }
        other => other,
    }
}

/// 1. Strictly. 2. Over a repaired copy, tolerantly.
fn read_xml(text: &str, base: &Url, items_max: usize) -> Result<(RawFeed, Quality), NotADocument> {
    let strict = match reader::read(text, Mode::Strict, Some(base), items_max) {
        Ok(reading) if reading.whole => {
            // Junk in front does no harm, but what sends it may do more.
            let is_clean = text.starts_with('<');
            return Ok((reading.feed, if is_clean { Quality::Whole } else { Quality::Repaired }));
        }
        Err(refusal) => {
            let (first_at, first) = first_tag(text).unzip();
            // Junk in front may hide a feed.
            if repair::root_start(text).is_none_or(|at| Some(at) == first_at) {
                let is_ill_formed =
                    matches!(refusal, NotADocument::OtherXml(_) | NotADocument::NotMarkup);
                return Err(if is_ill_formed { refusal::of_text(text, first) } else { refusal });
            }
            Err(refusal)
        }
        truncated => truncated,
    };
    let repaired = repair::repair(text);
    let reading = reader::read(&repaired, Mode::Tolerant, Some(base), items_max);
    match (strict, reading) {
        // Something in a page that is no feed.
        (Err(refusal), Ok(reading)) if reading.feed.entries.is_empty() => Err(refusal),
        (Err(refusal), Err(_)) => Err(refusal),
        (_, Ok(reading)) => {
            let quality = if reading.whole { Quality::Repaired } else { Quality::Truncated };
            Ok((reading.feed, quality))
        }
        (Ok(_), Err(refusal)) => Err(refusal),
    }
}

/// Where the first start tag stands, whether or not it is well-formed, and the name in it.
fn first_tag(text: &str) -> Option<(usize, &str)> {
    let mut at = 0;
    loop {
        at += text.get(at..)?.find('<')?;
        let rest = text.get(at..)?;
        at += if rest.starts_with("<![CDATA[") {
            rest.find("]]>")? + 3
        } else if rest.starts_with("<!--") {
            rest.find("-->")? + 3
        } else if rest.starts_with("<?") {
            rest.find("?>")? + 2
        } else if rest.starts_with("<!") || rest.starts_with("</") {
            rest.find('>')? + 1
        } else {
            let inner = rest.get(1..)?;
            let length = inner.find(|c: char| c.is_ascii_whitespace() || matches!(c, '>' | '/'))?;
            let name = inner.get(..length)?;
            return name.starts_with(|c: char| c.is_ascii_alphabetic()).then_some((at, name));
        }
    }
}

fn read_json(text: &str, items_max: usize) -> Result<RawFeed, NotADocument> {
    if text.starts_with('[') {
        return Err(NotADocument::OtherJson("it is a list".into()));
    }
    json::check(text, items_max)?;
    if json::is_plain(text) && text.len() <= FEED_RS_BYTES_MAX {
        let plain = feed_rs(text).filter(|feed| feed.entries.len() <= items_max);
        if let Some(raw) = plain.and_then(from_json) {
            return Ok(raw);
        }
    }
    json::read(text, items_max)
}

/// What feed-rs makes of a text; `None` when it refuses it or panics.
fn feed_rs(text: &str) -> Option<model::Feed> {
    let parser = Builder::new()
        .sanitize_content(false)
        // It would invent ids, at random if need be; ours come from `keys`.
        .id_generator(|_, _, _| String::new())
        .timestamp_parser(|text| DateTime::from_timestamp_millis(date::parse(text)?.as_millis()))
        .build();
    catch_unwind(AssertUnwindSafe(|| parser.parse(text.as_bytes()))).ok()?.ok()
}

fn from_json(feed: model::Feed) -> Option<RawFeed> {
    let mut raw = RawFeed::new(Format::Json);
    raw.title = text_of(feed.title, Form::Plain);
    // The page and the feed itself, told apart only by their order.
    let [home, own] = <[model::Link; 2]>::try_from(feed.links).ok()?;
    if is_slashed(&home.href) {
        return None;
    }
    raw.links.push(RawLink::new(home.href));
    raw.self_link = Some(RawLink::new(own.href));
    raw.language = feed.language.unwrap_or_default();
    for item in feed.entries {
        if item.links.iter().any(|link| is_slashed(&link.href)) {
            return None;
        }
        let mut body = content_of(item.content);
        if body.form != Form::Html {
            body = RawText::new(json::lines(&body.text), Form::Html);
        }
        raw.entries.push(RawEntry {
            guid: item.id,
            guid_is_link: true,
            title: text_of(item.title, Form::Plain),
            links: item.links.into_iter().map(|link| RawLink::new(link.href)).collect(),
            summary: text_of(item.summary, Form::Plain),
            body,
            published: item.published.map(timestamp),
            updated: item.updated.map(timestamp),
            authors: item.authors.into_iter().filter_map(person).collect(),
            tags: item.categories.into_iter().map(|category| category.term).collect(),
            ..RawEntry::default()
        });
    }
    Some(raw)
}

/// Whether an address is a bare host with a slash, which feed-rs adds where there was none.
fn is_slashed(href: &str) -> bool {
    let rest = href.strip_prefix("https://").or_else(|| href.strip_prefix("http://"));
    rest.and_then(|rest| rest.strip_suffix('/')).is_some_and(|host| !host.contains('/'))
}

/// A text with the form that its type says, or else `form`.
fn text_of(text: Option<model::Text>, form: Form) -> RawText {
    let Some(mut text) = text else { return RawText::default() };
    cap(&mut text.content);
    // feed-rs calls every description HTML; only Atom says so.
    let html = form != Form::Either && text.content_type.as_str() == "text/html";
    RawText::new(text.content, if html { Form::Html } else { form })
}

fn content_of(content: Option<model::Content>) -> RawText {
    let Some((Some(mut body), kind)) = content.map(|content| (content.body, content.content_type))
    else {
        return RawText::default();
    };
    cap(&mut body);
    let form = if kind.as_str() == "text/html" { Form::Html } else { Form::Either };
    RawText::new(body, form)
}

fn person(person: model::Person) -> Option<String> {
    person.name.into_iter().chain(person.email).find(|name| !name.trim().is_empty())
}

fn timestamp(at: DateTime<chrono::Utc>) -> Timestamp {
    Timestamp::from_millis(at.timestamp_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Url {
        Url::parse("https://e.com/feed.xml").unwrap()
    }

    fn refusal_of(bytes: &[u8]) -> String {
        read(bytes, None, &base()).map_or_else(|error| error.to_string(), |_| "a feed".into())
    }

    /// What feed-rs and what our own reader make of a JSON feed, if it is one for feed-rs.
    fn both(text: &str) -> Option<(Document, Document)> {
        let text = text.trim_start();
        if !text.starts_with('{') || json::check(text, ITEMS_MAX).is_err() || !json::is_plain(text)
        {
            return None;
        }
        let theirs = from_json(feed_rs(text)?)?;
        let ours = json::read(text, ITEMS_MAX).unwrap();
        let document = |raw| assemble(raw, &base(), "UTF-8", Quality::Whole);
        Some((document(theirs), document(ours)))
    }

    #[test]
    fn both_readers_give_the_same_of_what_both_can_read() {
        let text = r#"{"version": "https://jsonfeed.org/version/1.1", "title": "A & B",
            "home_page_url": "https://e.com/blog", "feed_url": "https://e.com/feed.json",
            "language": "en", "items": [
            {"id": "1", "url": "https://e.com/1", "title": "one < two", "tags": ["x", "y"],
                "content_html": "<p>body</p>", "summary": "plain",
                "date_published": "2004-01-01T19:48:21Z"},
            {"id": "2", "content_text": "only text\n\nand more"}]}"#;
        let (theirs, ours) = both(text).unwrap();
        assert_eq!(theirs.entries, ours.entries);
        assert_eq!(theirs.facts, ours.facts);
    }

    #[test]
    fn what_is_no_feed_is_named() {
        for (bytes, expected) in [
            ("", "the answer is empty"),
            (" \n ", "the answer is empty"),
            ("hello", "it is neither XML nor JSON"),
            (
                "<!DOCTYPE html><html><head><title>Hi</title></head><p>x<br></html>",
                "it is a web page titled “Hi”, not a feed",
            ),
            ("<urlset></urlset>", "it is a sitemap, not a feed"),
            ("[1]", "it is JSON, but no JSON Feed: it is a list"),
            ("<rss version='2.0'><channel>", "a feed"),
        ] {
            assert_eq!(refusal_of(bytes.as_bytes()), expected, "{bytes}");
        }
        assert!(refusal_of(b"\x1f\x8bnonsense").starts_with("the gzip file is damaged"));
    }

    #[test]
    fn a_document_is_whole_repaired_or_truncated() {
        for (text, quality, items) in [
            (
                "<rss version='2.0'><channel><item><title>a</title></item></channel></rss>",
                Quality::Whole,
                1,
            ),
            (
                "<rss version='2.0'><channel><item><title>a & b</title></item></channel></rss>",
                Quality::Repaired,
                1,
            ),
            (
                "<br>Warning\n<rss version='2.0'><channel><item><title>a</title></item></channel></rss>",
                Quality::Repaired,
                1,
            ),
            (
                "<rss version='2.0'><channel><item><title>a</title></item><item><title>b",
                Quality::Truncated,
                1,
            ),
        ] {
            let found = read(text.as_bytes(), None, &base()).unwrap();
            assert_eq!((found.quality, found.entries.len()), (quality, items), "{text}");
        }
    }

    #[test]
    fn an_author_that_feed_rs_panics_at_costs_nothing() {
        let text = "<rss version='2.0'><channel><item><author>«Ann»\u{a0}a@e.com\u{a0}«x»</author></item></channel></rss>";
        let found = read(text.as_bytes(), None, &base()).unwrap();
        assert_eq!(found.entries.len(), 1);
    }

    #[test]
    fn sec_l06_more_items_than_allowed_are_refused_by_either_reader() {
        for extra in ["", "<media:rating>x</media:rating>"] {
            let feed = |items: usize| {
                let item = format!("<item>{extra}<title>a</title></item>");
                format!("<rss version='2.0'><channel>{}</channel></rss>", item.repeat(items))
            };
            assert!(read_within(feed(5).as_bytes(), None, &base(), 5).is_ok());
            let refused = read_within(feed(6).as_bytes(), None, &base(), 5).unwrap_err();
            assert_eq!(refused, NotADocument::TooManyItems { max: 5 });
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = read(&bytes, None, &base());
        }

        #[test]
        fn nothing_that_resembles_a_feed_makes_it_panic(
            text in "(<rss version='2.0'>|<feed>|<rdf:RDF>|<channel>|<(item|entry|title|link|guid|description|author|media:content|content:encoded|itunes:duration)( [a-z:]{1,8}=['\"][^'\"]{0,8}['\"])?/?>|</(item|entry|title|link|description|channel)>|<!\\[CDATA\\[|\\]\\]>|&[a-z#0-9]{0,5};?|\\PC){0,40}"
        ) {
            let _ = read(text.as_bytes(), None, &base());
        }
    }
}
