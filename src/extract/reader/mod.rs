//! Our own reader of RSS, RDF and Atom.
//!
//! Takes well-formed documents, and ill-formed ones in their repaired form. Gives
//! the complete items before the place where a document breaks off.

mod gathered;

mod item;

mod entry;

mod extension;

mod element;

use url::Url;

use crate::extract::Format;
use crate::extract::ns::Ns;
use crate::extract::raw::{Form, RawEntry, RawFeed, RawLink};
use crate::extract::reader::gathered::NAMES_MAX;
use crate::extract::refusal::{self, NotADocument};
use crate::extract::tokens::{Mode, Tag, Token, Tokens};

/// Most ids of entries that a feed took back.
const REMOVED_MAX: usize = 1_000;

/// What came out.
#[derive(Debug)]
pub(crate) struct Reading {
    pub feed: RawFeed,
    /// Whether the root element was read to its end.
    pub whole: bool,
}

/// Reads a document of at most `items_max` items.
///
/// # Errors
/// [`NotADocument`] when the root is not that of a feed, or a limit is passed.
pub(crate) fn read(
    text: &str,
    mode: Mode,
    origin: Option<&Url>,
    items_max: usize,
) -> Result<Reading, NotADocument> {
    let mut tokens = Tokens::new(text, mode, origin);
    let root = loop {
        match tokens.next()? {
            Token::Start(tag) => break tag,
            Token::Text(_) => {}
            Token::End | Token::Cut | Token::Done => return Err(refusal::of_text(text, None)),
        }
    };
    let family = Family::of(&root).ok_or_else(|| refusal::of_text(text, Some(root.name)))?;
    let mut reader = Reader { tokens, family, feed: RawFeed::new(format(&root)), items_max };
    let read = match (family, root.local.as_ref()) {
        (Family::Atom, "entry") => reader.entry(),
        (Family::Atom, _) => reader.atom_feed(&root),
        (Family::Rss, "channel") => reader.channel(),
        (Family::Rss, _) => reader.rss_root(&root),
    };
    let whole = match read {
        Ok(()) => true,
        Err(Stop::Cut) => false,
        Err(Stop::Refused(why)) => return Err(why),
    };
    Ok(Reading { feed: reader.feed, whole })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Rss,
    Atom,
}

impl Family {
    fn of(root: &Tag<'_>) -> Option<Self> {
        match root.local.as_ref() {
            "rss" | "rdf" | "channel" => Some(Self::Rss),
            "feed" | "entry" => Some(Self::Atom),
            _ => None,
        }
    }
}

fn format(root: &Tag<'_>) -> Format {
    match root.local.as_ref() {
        "rdf" => Format::Rss1,
        "feed" | "entry" => {
            let older = root.attributes.iter().any(|(name, value)| {
                name.starts_with("xmlns") && value.contains("purl.org/atom/ns")
            });
            if older { Format::Atom03 } else { Format::Atom }
        }
        _ => match root.attribute("version") {
            Some(version) if version.trim().starts_with("0.9") => Format::Rss0,
            _ => Format::Rss2,
        },
    }
}

/// Why reading stopped before the end.
enum Stop {
    Cut,
    Refused(NotADocument),
}

impl From<NotADocument> for Stop {
    fn from(why: NotADocument) -> Self {
        Self::Refused(why)
    }
}

type Step = Result<(), Stop>;

struct Reader<'a> {
    tokens: Tokens<'a>,
    family: Family,
    feed: RawFeed,
    items_max: usize,
}

// The walk over the document's outer levels.
impl<'a> Reader<'a> {
    /// The next token; the document's breaking off ends the reading.
    fn next(&mut self) -> Result<Token<'a>, Stop> {
        match self.tokens.next()? {
            Token::Cut => Err(Stop::Cut),
            token => Ok(token),
        }
    }

    fn rss_root(&mut self, root: &Tag<'_>) -> Step {
        self.note_language(root);
        loop {
            match self.next()? {
                Token::Start(tag) => match tag.local.as_ref() {
                    "channel" => self.channel()?,
                    "item" => self.item(&tag)?,
                    _ => self.skip()?,
                },
                Token::End | Token::Done | Token::Cut => return Ok(()),
                Token::Text(_) => {}
            }
        }
    }

    fn channel(&mut self) -> Step {
        loop {
            let tag = match self.next()? {
                Token::Start(tag) => tag,
                Token::End | Token::Done | Token::Cut => return Ok(()),
                Token::Text(_) => continue,
            };
            match (tag.ns, tag.local.as_ref()) {
                (Ns::Core, "item") => self.item(&tag)?,
                (Ns::Core, "title") => {
                    let title = self.text(Form::Either)?;
                    if !title.is_empty() {
                        self.feed.title = title;
                    }
                }
                (Ns::DublinCore | Ns::Atom, "title") => {
                    let title = self.text(Form::Either)?;
                    if self.feed.title.is_empty() {
                        self.feed.title = title;
                    }
                }
                (Ns::Core, "link") if tag.attribute("href").is_none() => {
                    let link = self.link_text()?;
                    self.feed.add_page(link);
                }
                (Ns::Core | Ns::Atom, "link") => {
                    self.feed_link(&tag);
                    self.skip()?;
                }
                (Ns::Core | Ns::DublinCore, "language") => self.feed.language = self.plain()?,
                (Ns::Core, "ttl") => self.feed.ttl = self.plain()?,
                (Ns::Core, "generator") => {
                    self.feed.is_numbered = self.plain()?.contains("://wordpress.org/");
                }
                (Ns::Syndication, "updateperiod") => self.feed.period = self.plain()?,
                (Ns::Syndication, "updatefrequency") => self.feed.frequency = self.plain()?,
                _ => self.skip()?,
            }
        }
    }

    fn atom_feed(&mut self, root: &Tag<'_>) -> Step {
        self.note_language(root);
        loop {
            let tag = match self.next()? {
                Token::Start(tag) => tag,
                Token::End | Token::Done | Token::Cut => return Ok(()),
                Token::Text(_) => continue,
            };
            match (self.atom_ns(&tag), tag.local.as_ref()) {
                (Ns::Atom, "entry") => self.entry()?,
                (Ns::Tombstone, "deleted-entry") => {
                    let id = tag.attribute("ref").unwrap_or_default().trim().to_owned();
                    if !id.is_empty() && self.feed.removed.len() < REMOVED_MAX {
                        self.feed.removed.push(id);
                    }
                    self.skip()?;
                }
                (Ns::Atom, "title") => {
                    let title = self.typed_text(&tag, Form::Plain)?;
                    if !title.is_empty() {
                        self.feed.title = title;
                    }
                }
                (Ns::Atom, "link") => {
                    self.feed_link(&tag);
                    self.skip()?;
                }
                (Ns::Atom, "author") => {
                    let name = self.person()?;
                    if self.feed.authors.len() < NAMES_MAX {
                        self.feed.authors.extend(name);
                    }
                }
                (Ns::DublinCore, "language") => self.feed.language = self.plain()?,
                (Ns::Syndication, "updateperiod") => self.feed.period = self.plain()?,
                (Ns::Syndication, "updatefrequency") => self.feed.frequency = self.plain()?,
                _ => self.skip()?,
            }
        }
    }

    /// In an Atom document the elements without namespace are Atom's too.
    fn atom_ns(&self, tag: &Tag<'_>) -> Ns {
        if tag.ns == Ns::Core && self.family == Family::Atom { Ns::Atom } else { tag.ns }
    }

    fn note_language(&mut self, root: &Tag<'_>) {
        if let Some(language) = root.attribute("xml:lang") {
            self.feed.language = language.to_owned();
        }
    }

    /// A `link` with `href` on the level of the feed.
    fn feed_link(&mut self, tag: &Tag<'_>) {
        let link = self.href(tag);
        match tag.attribute("rel").unwrap_or("alternate").trim() {
            "hub" if self.feed.hub.is_none() => self.feed.hub = Some(link),
            "self" if self.feed.self_link.is_none() => self.feed.self_link = Some(link),
            // Archives stay as they are, pages move while one reads.
            "prev-archive" => self.feed.next = Some(link),
            "next" if self.feed.next.is_none() => self.feed.next = Some(link),
            rel if is_alternate(rel) => {
                let other = !is_page(tag.attribute("type"));
                self.feed.add_page(RawLink { other, ..link });
            }
            _ => {}
        }
    }

    fn keep(&mut self, entry: RawEntry) -> Step {
        if self.feed.entries.len() >= self.items_max {
            return Err(NotADocument::TooManyItems { max: self.items_max }.into());
        }
        self.feed.entries.push(entry);
        Ok(())
    }
}

/// `rel` is a list of words in any case.
pub(crate) fn is_alternate(rel: &str) -> bool {
    rel.is_empty()
        || rel.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case("alternate"))
}

/// Whether a link's `type` is that of a page for people.
pub(crate) fn is_page(kind: Option<&str>) -> bool {
    kind.is_none_or(|kind| kind.trim().is_empty() || kind.contains("html"))
}

/// What an Atom category is called: its term, unless that is a mere address or number.
pub(crate) fn category_name(term: &str, label: &str, text: String) -> String {
    let poor = term.is_empty() || term.contains("://") || term.bytes().all(|b| b.is_ascii_digit());
    match (poor, label.is_empty()) {
        (false, _) => term.to_owned(),
        (true, false) => label.to_owned(),
        (true, true) if term.is_empty() => text,
        (true, true) => term.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str) -> Vec<RawEntry> {
        read(text, Mode::Strict, None, 100).unwrap().feed.entries
    }

    fn item(inner: &str) -> RawEntry {
        entries(&format!("<rss version='2.0'><channel><item>{inner}</item></channel></rss>"))
            .remove(0)
    }

    #[test]
    fn markup_inside_a_text_is_taken_as_it_stands() {
        let found = item("<description>a &amp; b <b class='x'>c &lt; d</b><br/>e</description>");
        assert_eq!(found.summary.text, "a &amp; b <b class=\"x\">c &lt; d</b><br></br>e");
        assert_eq!(found.summary.form, Form::Html);
    }

    #[test]
    fn the_division_around_xhtml_goes_and_a_pair_of_them_stays() {
        let of = |inner: &str| {
            let text = format!(
                "<feed xmlns='http://www.w3.org/2005/Atom'><entry><content type='xhtml'>{inner}</content></entry></feed>"
            );
            entries(&text).remove(0).body.text
        };
        assert_eq!(of("<div xmlns='http://www.w3.org/1999/xhtml'><p>a</p></div>"), "<p>a</p>");
        assert_eq!(of("<div>a</div><div>b</div>"), "<div>a</div><div>b</div>");
    }

    #[test]
    fn base64_of_atom_03_is_decoded() {
        let text = "<feed version='0.3' xmlns='http://purl.org/atom/ns#'><entry>\
            <title type='text/html' mode='base64'>\n RXhhbXBsZSA8Yj5BdG9tPC9iPg==\n</title></entry></feed>";
        let title = entries(text).remove(0).title;
        assert_eq!((title.text.as_str(), title.form), ("Example <b>Atom</b>", Form::Html));
    }

    #[test]
    fn the_real_target_of_a_proxied_link_comes_first() {
        let found = item(
            "<link>http://feeds.example/~r/1</link><feedburner:origLink>http://e.com/1</feedburner:origLink>",
        );
        let hrefs: Vec<_> = found.links.iter().map(|link| link.href.as_str()).collect();
        assert_eq!(hrefs, ["http://e.com/1", "http://feeds.example/~r/1"]);
    }

    #[test]
    fn a_link_to_self_or_hub_is_not_the_items_link() {
        let found = item(
            "<atom:link rel='self' href='http://e.com/self'/><link>http://e.com/1</link><atom:link rel='hub' href='http://hub.e.com'/>",
        );
        assert_eq!(found.links.len(), 1);
        assert_eq!(found.links[0].href, "http://e.com/1");
    }

    #[test]
    fn the_name_of_an_rdf_item_is_its_about() {
        let text = "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/'>\
            <channel><title>t</title><items><rdf:Seq/></items></channel>\
            <item rdf:about='http://e.com/1'><title>a</title><dc:subject>x</dc:subject></item></rdf:RDF>";
        let found = &entries(text)[0];
        assert_eq!(
            (found.guid.as_str(), found.tags.as_slice()),
            ("http://e.com/1", ["x".to_owned()].as_slice())
        );
    }

    #[test]
    fn bases_nest() {
        let text = "<feed xmlns='http://www.w3.org/2005/Atom' xml:base='http://e.com/a/'><entry xml:base='b/'>\
            <link href='c'/><content type='html' xml:base='/d/'>x</content></entry></feed>";
        let found = &entries(text)[0];
        assert_eq!(found.links[0].base.as_deref().map(Url::as_str), Some("http://e.com/a/b/"));
        assert_eq!(found.body.base.as_deref().map(Url::as_str), Some("http://e.com/d/"));
    }

    #[test]
    fn a_document_that_breaks_off_gives_its_complete_items() {
        let text = "<rss><channel><item><title>a</title></item><item><title>b</title>";
        let found = read(text, Mode::Strict, None, 100).unwrap();
        assert_eq!((found.feed.entries.len(), found.whole), (1, false));
    }

    #[test]
    fn sec_l06_more_items_than_allowed_are_refused() {
        let feed =
            |items: usize| format!("<rss><channel>{}</channel></rss>", "<item/>".repeat(items));
        assert_eq!(read(&feed(10), Mode::Strict, None, 10).unwrap().feed.entries.len(), 10);
        let refused = read(&feed(11), Mode::Strict, None, 10).unwrap_err();
        assert_eq!(refused, NotADocument::TooManyItems { max: 10 });
    }
}
