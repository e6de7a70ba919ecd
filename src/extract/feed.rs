//! Feeds: RSS 0.9 to 2.0, RDF, Atom 0.3 and 1.0, JSON Feed. The home of feed-rs.
//!
//! feed-rs reads the feeds that it reads completely, which are most. The survey sends documents
//! with what it drops or refuses to our own reader, and ill-formed ones go there in a repaired
//! copy. Whichever reader took it, the same item has the same keys.

use std::panic::{AssertUnwindSafe, catch_unwind};

use chrono::DateTime;
use feed_rs::model;
use feed_rs::parser::Builder;
use url::Url;

use crate::extract::assemble::assemble;
use crate::extract::raw::{Form, RawEntry, RawFeed, RawLink, RawMedia, RawText, Role, cap};
use crate::extract::refusal::{self, NotADocument};
use crate::extract::survey::{Survey, survey};
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

/// 1. feed-rs, for what the survey finds plain. 2. Our own reader, strictly. 3. Our own reader
///    over a repaired copy, tolerantly.
fn read_xml(text: &str, base: &Url, items_max: usize) -> Result<(RawFeed, Quality), NotADocument> {
    let found = survey(text, items_max);
    if found.items > items_max {
        return Err(NotADocument::TooManyItems { max: items_max });
    }
    // The declaration stays outside: its encoding is no longer the text's.
    let inner = text.get(found.start..).unwrap_or(text);
    let before = text.get(..found.start).unwrap_or_default();
    let clean = before.is_empty() || before.starts_with('<');
    let good = if clean { Quality::Whole } else { Quality::Repaired };
    if found.plain
        && inner.len() <= FEED_RS_BYTES_MAX
        && let Some(raw) = feed_rs(inner).and_then(|feed| from_xml(feed, &found))
    {
        return Ok((raw, good));
    }
    let strict = match reader::read(inner, Mode::Strict, Some(base), items_max) {
        Ok(reading) if reading.whole => return Ok((reading.feed, good)),
        // Junk in front may hide a feed.
        Err(refusal) if repair::root_start(text).is_none_or(|at| at == found.start) => {
            let ill_formed = matches!(refusal, NotADocument::OtherXml(_) | NotADocument::NotMarkup);
            return Err(if ill_formed { refusal::of_text(text, found.root) } else { refusal });
        }
        other => other,
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

/// `None` when feed-rs has lost something that shows only now.
fn from_xml(feed: model::Feed, found: &Survey<'_>) -> Option<RawFeed> {
    let (format, form) = match feed.feed_type {
        model::FeedType::Atom => (Format::Atom, Form::Plain),
        model::FeedType::RSS0 => (Format::Rss0, Form::Either),
        model::FeedType::RSS2 => (Format::Rss2, Form::Either),
        model::FeedType::RSS1 | model::FeedType::JSON => return None,
    };
    let mut raw = RawFeed::new(format);
    raw.title = text_of(feed.title, form);
    for link in feed.links {
        match link.rel.as_deref().map(str::trim) {
            Some("hub") if raw.hub.is_none() => raw.hub = Some(RawLink::new(link.href)),
            Some("prev-archive") => raw.next = Some(RawLink::new(link.href)),
            Some("next") if raw.next.is_none() => raw.next = Some(RawLink::new(link.href)),
            Some("self") if raw.self_link.is_none() => {
                raw.self_link = Some(RawLink::new(link.href));
            }
            rel if reader::is_alternate(rel.unwrap_or_default()) => {
                if is_slashed(&link.href) {
                    return None;
                }
                let page = reader::is_page(link.media_type.as_deref());
                raw.add_page(RawLink { other: !page, ..RawLink::new(link.href) });
            }
            _ => {}
        }
    }
    raw.language = feed.language.unwrap_or_default();
    raw.ttl = feed.ttl.map(|ttl| ttl.to_string()).unwrap_or_default();
    found.period.clone_into(&mut raw.period);
    found.frequency.clone_into(&mut raw.frequency);
    if format == Format::Atom {
        raw.authors = feed.authors.into_iter().filter_map(person).collect();
    }
    raw.entries.reserve(feed.entries.len());
    for entry in feed.entries {
        let entry = if format == Format::Atom { atom_entry(entry) } else { rss_item(entry) };
        raw.entries.push(entry?);
    }
    Some(raw)
}

fn rss_item(item: model::Entry) -> Option<RawEntry> {
    let links: Vec<RawLink> = item
        .links
        .into_iter()
        .filter(|link| link.target.is_none())
        .map(|link| RawLink::new(link.href))
        .filter(|link| !link.href.is_empty())
        .collect();
    if links.iter().any(|link| is_slashed(&link.href)) {
        return None;
    }
    // Whether the guid may stand in is lost: `isPermaLink` is not kept.
    if links.is_empty() && item.id.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("http")) {
        return None;
    }
    let files = item.media.into_iter().flat_map(|object| object.content);
    let media = files.filter_map(|file| {
        Some(RawMedia {
            link: RawLink::new(file.url?),
            role: Role::Enclosure,
            mime: file.content_type.map(|kind| kind.to_string()).unwrap_or_default(),
            bytes: file.size,
            ..RawMedia::default()
        })
    });
    Some(RawEntry {
        guid: item.id,
        guid_is_link: false,
        title: text_of(item.title, Form::Either),
        links,
        summary: text_of(item.summary, Form::Either),
        body: content_of(item.content),
        published: item.published.map(timestamp),
        // feed-rs copies the date of publication; an RSS item of the plain kind has no other.
        updated: None,
        authors: creators_first(item.authors),
        tags: item.categories.into_iter().map(|category| category.term).collect(),
        language: String::new(),
        media: media.collect(),
    })
}

/// `dc:creator` is a name where `author` often is a mail address: if both are there, the former.
fn creators_first(authors: Vec<model::Person>) -> Vec<String> {
    let is_creator = |person: &model::Person| person.role.as_deref() == Some("creator");
    let any = authors.iter().any(is_creator);
    authors.into_iter().filter(|person| !any || is_creator(person)).filter_map(person).collect()
}

fn atom_entry(entry: model::Entry) -> Option<RawEntry> {
    let mut links = Vec::new();
    let mut media = Vec::new();
    for link in entry.links {
        let rel = link.rel.as_deref().unwrap_or_default().trim();
        if rel == "enclosure" {
            if is_slashed(&link.href) {
                return None;
            }
            media.push(RawMedia {
                link: RawLink::new(link.href),
                role: Role::Enclosure,
                mime: link.media_type.unwrap_or_default(),
                bytes: link.length,
                alt: link.title.unwrap_or_default(),
                ..RawMedia::default()
            });
        } else if reader::is_alternate(rel) {
            if is_slashed(&link.href) {
                return None;
            }
            let other = !reader::is_page(link.media_type.as_deref());
            links.push(RawLink { other, ..RawLink::new(link.href) });
        }
    }
    links.sort_by_key(|link| link.other);
    let tags = entry.categories.into_iter().map(|category| {
        let label = category.label.unwrap_or_default();
        reader::category_name(&category.term, label.trim(), String::new())
    });
    Some(RawEntry {
        guid: entry.id,
        guid_is_link: true,
        title: text_of(entry.title, Form::Plain),
        links,
        summary: text_of(entry.summary, Form::Either),
        body: content_of(entry.content),
        published: entry.published.map(timestamp),
        updated: entry.updated.map(timestamp),
        authors: entry.authors.into_iter().filter_map(person).collect(),
        tags: tags.filter(|tag| !tag.is_empty()).collect(),
        language: String::new(),
        media,
    })
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
    use crate::extract::link;

    fn base() -> Url {
        Url::parse("https://e.com/feed.xml").unwrap()
    }

    fn refusal_of(bytes: &[u8]) -> String {
        read(bytes, None, &base()).map_or_else(|error| error.to_string(), |_| "a feed".into())
    }

    /// What feed-rs and what our own reader make of a document, if it is one for feed-rs.
    fn both(text: &str) -> Option<(Document, Document)> {
        let found = survey(text, ITEMS_MAX);
        let inner = text.get(found.start..)?;
        let theirs = from_xml(feed_rs(inner).filter(|_| found.plain)?, &found)?;
        let ours = reader::read(inner, Mode::Strict, Some(&base()), ITEMS_MAX).unwrap();
        assert!(ours.whole);
        let document = |raw| assemble(raw, &base(), "UTF-8", Quality::Whole);
        Some((document(theirs), document(ours.feed)))
    }

    const RSS: &str = "<?xml version='1.0' encoding='windows-1251'?>
        <rss version='2.0' xmlns:dc='http://purl.org/dc/elements/1.1/'
            xmlns:content='http://purl.org/rss/1.0/modules/content/'>
        <channel><title>A &amp;amp; B</title><link>https://e.com/blog</link><ttl>60</ttl>
        <item><title>Caf&eacute; &lt;i&gt;x&lt;/i&gt;</title><link>/1</link>
            <guid isPermaLink='false'> 1 </guid><dc:creator><![CDATA[Ann]]></dc:creator>
            <pubDate>Thu, 01 Jan 2004 19:48:21 GMT</pubDate><category>a, b</category>
            <description>&lt;p&gt;one &amp;amp; two&lt;/p&gt;</description>
            <content:encoded><![CDATA[<p>one</p><img src='/a.jpg'>]]></content:encoded>
            <enclosure url='https://e.com/a.mp3' length='5' type='audio/mpeg'/></item>
        <item><description>only text</description></item>
        </channel></rss>";

    const ATOM: &str = "<feed xmlns='http://www.w3.org/2005/Atom' xml:lang='en'>
        <title type='html'>A &amp;amp; B</title><link href='https://e.com/blog'/>
        <link rel='self' href='https://e.com/feed'/><author><name>Ann</name></author>
        <entry><id>tag:e.com,2004:1</id><title>one &lt; two</title><link href='/1'/>
            <link rel='enclosure' href='https://e.com/a.mp3' type='audio/mpeg' length='5'/>
            <updated>2004-01-01T19:48:21Z</updated><category term='x' label='y'/>
            <summary>plain</summary><content type='html'>&lt;p&gt;body&lt;/p&gt;</content></entry>
        </feed>";

    #[test]
    fn both_readers_give_the_same_of_what_both_can_read() {
        for text in [RSS, ATOM] {
            let (theirs, ours) = both(text).unwrap();
            assert_eq!(theirs.entries, ours.entries);
            assert_eq!(theirs.facts, ours.facts);
        }
    }

    #[test]
    fn both_readers_agree_on_the_corpus() {
        let Some(corpus) = std::env::var_os("TIDINGS_CORPUS") else {
            println!("the corpus part was left out: TIDINGS_CORPUS is not set");
            return;
        };
        let mut folders = vec![std::path::PathBuf::from(corpus)];
        let (mut compared, mut differing) = (0, Vec::new());
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let bytes = std::fs::read(&path).unwrap();
                let Ok(bytes) = text::unpack(&bytes) else { continue };
                let decoded = text::decode(&bytes, None, None);
                let Some((theirs, ours)) = both(&decoded.text) else { continue };
                compared += 1;
                let keys = |document: &Document| -> Vec<_> {
                    document.entries.iter().map(|entry| entry.keys).collect()
                };
                // feed-rs spells addresses its own way (default ports, bare hosts).
                let same = |a: &Option<String>, b: &Option<String>| {
                    let parsed = |link: &Option<String>| link.as_deref().and_then(link::absolute);
                    parsed(a) == parsed(b)
                };
                let facts = (&theirs.facts, &ours.facts);
                let told = (&facts.0.title, &facts.0.language, facts.0.ttl, facts.0.format)
                    == (&facts.1.title, &facts.1.language, facts.1.ttl, facts.1.format)
                    && same(&facts.0.link, &facts.1.link)
                    && same(&facts.0.self_link, &facts.1.self_link)
                    && same(&facts.0.hub, &facts.1.hub);
                if keys(&theirs) != keys(&ours) || !told {
                    differing.push(path);
                }
            }
        }
        println!("{compared} documents compared, {} differ", differing.len());
        assert!(compared > 50, "only {compared} documents are for feed-rs");
        assert_eq!(differing, Vec::<std::path::PathBuf>::new());
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
