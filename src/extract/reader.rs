//! Our own reader of RSS, RDF and Atom.
//!
//! Takes the documents that feed-rs drops something of or refuses, and the ill-formed ones in their
//! repaired form. Gives the complete items before the place where a document breaks off.

use url::Url;

use crate::extract::ns::Ns;
use crate::extract::raw::{Form, RawEntry, RawFeed, RawLink, RawMedia, RawText, Role, cap};
use crate::extract::refusal::{self, NotADocument};
use crate::extract::tokens::{Mode, Tag, Token, Tokens};
use crate::extract::{Format, date};
use crate::model::time::Timestamp;

/// Most files and addresses of one item that are kept, each.
const FILES_MAX: usize = 64;
/// Most authors and tags of one item that are kept, each.
const NAMES_MAX: usize = 64;

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
    let family = Family::of(&root).ok_or_else(|| refusal::of_text(text, Some(&root.name)))?;
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

/// What decides between two values of one field; the better one stays.
struct Found<T> {
    rank: u8,
    value: T,
}

impl<T> Found<T> {
    /// Takes `value` if it stands higher than what is there; of equals the later one.
    fn offer(best: &mut Option<Self>, rank: u8, value: T) {
        if best.as_ref().is_none_or(|found| rank <= found.rank) {
            *best = Some(Self { rank, value });
        }
    }
}

/// The fields of an item while it is read: candidates with their rank, 0 the best.
#[derive(Default)]
struct Gathered {
    entry: RawEntry,
    title: Option<Found<RawText>>,
    summary: Option<Found<RawText>>,
    body: Option<Found<RawText>>,
    published: Option<Found<Timestamp>>,
    updated: Option<Found<Timestamp>>,
    links: Vec<(u8, RawLink)>,
    authors: Vec<(u8, String)>,
    inherited: Vec<String>,
}

impl Gathered {
    fn into_entry(mut self) -> RawEntry {
        self.links.sort_by_key(|(rank, _)| *rank);
        let best = self.authors.iter().map(|(rank, _)| *rank).min();
        self.authors.retain(|(rank, _)| Some(*rank) == best);
        RawEntry {
            title: self.title.map(|found| found.value).unwrap_or_default(),
            summary: self.summary.map(|found| found.value).unwrap_or_default(),
            body: self.body.map(|found| found.value).unwrap_or_default(),
            published: self.published.map(|found| found.value),
            updated: self.updated.map(|found| found.value),
            links: self.links.into_iter().map(|(_, link)| link).take(FILES_MAX).collect(),
            authors: if self.authors.is_empty() {
                self.inherited
            } else {
                self.authors.into_iter().map(|(_, name)| name).collect()
            },
            ..self.entry
        }
    }

    fn text(slot: &mut Option<Found<RawText>>, rank: u8, text: RawText) {
        if !text.is_empty() {
            Found::offer(slot, rank, text);
        }
    }

    fn published(&mut self, rank: u8, text: &str) {
        if let Some(at) = date::parse(text) {
            Found::offer(&mut self.published, rank, at);
        }
    }

    fn updated(&mut self, rank: u8, text: &str) {
        if let Some(at) = date::parse(text) {
            Found::offer(&mut self.updated, rank, at);
        }
    }

    fn link(&mut self, rank: u8, link: RawLink) {
        if self.links.len() < FILES_MAX && !link.href.trim().is_empty() {
            self.links.push((rank, link));
        }
    }

    fn author(&mut self, rank: u8, name: String) {
        if self.authors.len() < NAMES_MAX && !name.trim().is_empty() {
            self.authors.push((rank, name));
        }
    }

    fn tag(&mut self, name: String) {
        if self.entry.tags.len() < NAMES_MAX && !name.trim().is_empty() {
            self.entry.tags.push(name);
        }
    }

    fn media(&mut self, media: RawMedia) {
        if self.entry.media.len() < FILES_MAX && !media.link.href.trim().is_empty() {
            self.entry.media.push(media);
        }
    }
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

// One item of RSS or RDF.
impl Reader<'_> {
    fn item(&mut self, item: &Tag<'_>) -> Step {
        let mut found = Gathered::default();
        // The `rdf:about` of RSS 1.0 is the item's name; a guid of its own outranks it.
        let about = item
            .attributes
            .iter()
            .find(|(name, _)| name == "about" || name.rsplit(':').next() == Some("about"));
        if let Some((_, about)) = about {
            found.entry.guid = about.trim().to_owned();
            found.entry.guid_is_link = true;
        }
        self.note_item_language(&mut found);
        loop {
            match self.next()? {
                Token::Start(tag) => self.item_child(&tag, &mut found)?,
                Token::End | Token::Done | Token::Cut => break,
                Token::Text(_) => {}
            }
        }
        self.keep(found.into_entry())
    }

    fn item_child(&mut self, tag: &Tag<'_>, found: &mut Gathered) -> Step {
        match (tag.ns, tag.local.as_ref()) {
            (Ns::Core, "title") => Gathered::text(&mut found.title, 0, self.text(Form::Either)?),
            (Ns::Core, "link") if tag.attribute("href").is_none() => {
                let link = self.link_text()?;
                found.link(2, link);
            }
            (Ns::Core | Ns::Atom, "link") => {
                self.item_link(tag, found)?;
            }
            (Ns::Feedburner, "origlink") => {
                let link = self.link_text()?;
                found.link(0, link);
            }
            (Ns::Core, "guid") => {
                let permanent = tag.attribute("isPermaLink");
                let guid = self.plain()?;
                if !guid.is_empty() {
                    found.entry.guid = guid;
                    found.entry.guid_is_link =
                        !permanent.is_some_and(|value| value.trim().eq_ignore_ascii_case("false"));
                }
            }
            (Ns::Atom, "id") | (Ns::Core, "id") => {
                let id = self.plain()?;
                if found.entry.guid.is_empty() {
                    found.entry.guid = id;
                }
            }
            (Ns::Core, "description") => {
                Gathered::text(&mut found.summary, 0, self.text(Form::Either)?);
            }
            (Ns::Content, "encoded") => Gathered::text(&mut found.body, 0, self.text(Form::Html)?),
            (Ns::Core, "fullitem" | "fulltext" | "content" | "encoded") | (Ns::Xhtml, "body") => {
                Gathered::text(&mut found.body, 2, self.text(Form::Either)?);
            }
            (Ns::Core, "pubdate") => found.published(0, &self.plain()?),
            (Ns::Core, "author") => {
                let name = self.author()?;
                found.author(1, name);
            }
            (Ns::Core, "category") => {
                let name = self.plain()?;
                found.tag(name);
            }
            (Ns::Core, "enclosure") => {
                self.file(tag, found)?;
            }
            (Ns::Core, "image") => self.item_image(tag, found)?,
            (Ns::Core, "updated" | "modified" | "lastbuilddate") => {
                found.updated(1, &self.plain()?);
            }
            (Ns::Core, "published" | "issued" | "date" | "created") => {
                found.published(2, &self.plain()?);
            }
            _ => self.shared_child(tag, found)?,
        }
        Ok(())
    }

    /// A `link` with `href`, of RSS or Atom.
    fn item_link(&mut self, tag: &Tag<'_>, found: &mut Gathered) -> Step {
        match tag.attribute("rel").unwrap_or("alternate").trim() {
            "enclosure" => self.file(tag, found),
            rel if is_alternate(rel) => {
                let rank = if is_page(tag.attribute("type")) { 3 } else { 4 };
                let link = self.href(tag);
                let text = self.plain()?;
                // Some write the address as text.
                let href = if link.href.trim().is_empty() { text } else { link.href };
                found.link(rank, RawLink { href, ..link });
                Ok(())
            }
            _ => self.skip(),
        }
    }

    /// `<image>` of an item: an address as text, as `href`, or as a `url` inside.
    fn item_image(&mut self, tag: &Tag<'_>, found: &mut Gathered) -> Step {
        let mut link = self.href(tag);
        loop {
            match self.next()? {
                Token::Start(inner) if inner.local == "url" => link = self.link_text()?,
                Token::Start(_) => self.skip()?,
                Token::Text(text) if link.href.trim().is_empty() => {
                    link = RawLink { href: text.trim().to_owned(), ..link };
                }
                Token::Text(_) => {}
                Token::End | Token::Done | Token::Cut => break,
            }
        }
        found.media(RawMedia { link, role: Role::Picture, ..RawMedia::default() });
        Ok(())
    }
}

// One entry of Atom.
impl Reader<'_> {
    fn entry(&mut self) -> Step {
        let mut found = Gathered::default();
        self.note_item_language(&mut found);
        loop {
            match self.next()? {
                Token::Start(tag) => self.entry_child(&tag, &mut found)?,
                Token::End | Token::Done | Token::Cut => break,
                Token::Text(_) => {}
            }
        }
        self.keep(found.into_entry())
    }

    fn entry_child(&mut self, tag: &Tag<'_>, found: &mut Gathered) -> Step {
        match (self.atom_ns(tag), tag.local.as_ref()) {
            (Ns::Atom, "id") => {
                let id = self.plain()?;
                if !id.is_empty() {
                    found.entry.guid = id;
                    found.entry.guid_is_link = true;
                }
            }
            (Ns::Atom, "title") => {
                let title = self.typed_text(tag, Form::Plain)?;
                Gathered::text(&mut found.title, 0, title);
            }
            (Ns::Atom, "link") => {
                self.item_link(tag, found)?;
            }
            (Ns::Feedburner, "origlink") => {
                let link = self.link_text()?;
                found.link(0, link);
            }
            (Ns::Atom, "summary") => {
                let summary = self.typed_text(tag, Form::Either)?;
                Gathered::text(&mut found.summary, 0, summary);
            }
            (Ns::Atom, "content") => {
                let source = tag.attribute("src").map(|_| ());
                let body = self.typed_text(tag, Form::Either)?;
                if source.is_none() {
                    Gathered::text(&mut found.body, 0, body);
                }
            }
            (Ns::Atom, "published" | "issued" | "pubdate") => found.published(0, &self.plain()?),
            (Ns::Atom, "created") => found.published(1, &self.plain()?),
            (Ns::Atom, "updated" | "modified") => found.updated(0, &self.plain()?),
            (Ns::Atom, "author") => {
                if let Some(name) = self.person()? {
                    found.author(0, name);
                }
            }
            (Ns::Atom, "category") => {
                self.atom_category(tag, found)?;
            }
            (Ns::Atom, "source") => self.source(found)?,
            _ => self.shared_child(tag, found)?,
        }
        Ok(())
    }

    fn atom_category(&mut self, tag: &Tag<'_>, found: &mut Gathered) -> Step {
        let term = tag.attribute("term").unwrap_or_default().trim().to_owned();
        let label = tag.attribute("label").unwrap_or_default().trim().to_owned();
        let text = self.plain()?;
        found.tag(category_name(&term, &label, text));
        Ok(())
    }

    /// The feed that an entry was copied from: its authors are the entry's, if that has none.
    fn source(&mut self, found: &mut Gathered) -> Step {
        loop {
            match self.next()? {
                Token::Start(tag) if tag.local == "author" => {
                    let name = self.person()?;
                    if found.inherited.len() < NAMES_MAX {
                        found.inherited.extend(name);
                    }
                }
                Token::Start(_) => self.skip()?,
                Token::Text(_) => {}
                Token::End | Token::Done | Token::Cut => return Ok(()),
            }
        }
    }

    /// Name, or else address, of an author; Atom's parts or plain text.
    fn person(&mut self) -> Result<Option<String>, Stop> {
        let (mut name, mut email, mut text) = (String::new(), String::new(), String::new());
        loop {
            match self.next()? {
                Token::Start(tag) if tag.local == "name" => name = self.plain()?,
                Token::Start(tag) if tag.local == "email" => email = self.plain()?,
                Token::Start(_) => self.skip()?,
                Token::Text(piece) => text.push_str(&piece),
                Token::End | Token::Done | Token::Cut => break,
            }
        }
        Ok([name, email, text.trim().to_owned()].into_iter().find(|name| !name.is_empty()))
    }
}

// Elements of extensions, the same in items and entries.
impl Reader<'_> {
    fn shared_child(&mut self, tag: &Tag<'_>, found: &mut Gathered) -> Step {
        match (tag.ns, tag.local.as_ref()) {
            (Ns::DublinCore, "title") | (Ns::Atom, "title") => {
                let title = self.text(Form::Either)?;
                Gathered::text(&mut found.title, 1, title);
            }
            (Ns::Itunes, "title") => {
                let title = self.text(Form::Either)?;
                Gathered::text(&mut found.title, 2, title);
            }
            (Ns::DublinCore, "description") | (Ns::Terms, "abstract") | (Ns::Atom, "summary") => {
                let text = self.text(Form::Either)?;
                Gathered::text(&mut found.summary, 1, text);
            }
            (Ns::Itunes, "summary") => {
                let text = self.text(Form::Either)?;
                Gathered::text(&mut found.summary, 2, text);
            }
            (Ns::Atom, "content") => {
                let text = self.typed_text(tag, Form::Either)?;
                Gathered::text(&mut found.body, 1, text);
            }
            (Ns::Atom, "published") | (Ns::Terms, "issued" | "created") => {
                found.published(1, &self.plain()?);
            }
            (Ns::DublinCore, "date") => found.published(3, &self.plain()?),
            (Ns::Atom, "updated") | (Ns::Terms, "modified") => found.updated(0, &self.plain()?),
            (Ns::DublinCore, "creator" | "author") => {
                let name = self.author()?;
                found.author(0, name);
            }
            (Ns::Itunes, "author") => {
                let name = self.author()?;
                found.author(3, name);
            }
            (Ns::Atom, "author") => {
                if let Some(name) = self.person()? {
                    found.author(2, name);
                }
            }
            (Ns::DublinCore, "subject") => {
                let name = self.plain()?;
                found.tag(name);
            }
            (Ns::Atom, "category") => self.atom_category(tag, found)?,
            (Ns::Itunes, "keywords") => {
                for name in self.plain()?.split(',') {
                    found.tag(name.trim().to_owned());
                }
            }
            (Ns::DublinCore, "language") => found.entry.language = self.plain()?,
            (Ns::Itunes, "image") => {
                let link = self.href(tag);
                found.media(RawMedia { link, role: Role::Cover, ..RawMedia::default() });
                self.skip()?;
            }
            (Ns::Media, _) => self.media(tag, found)?,
            (Ns::Merchant, _) => self.merchant(tag, found)?,
            _ => self.skip()?,
        }
        Ok(())
    }

    /// A product as an item: the names that Google Merchant prints with its own prefix.
    fn merchant(&mut self, tag: &Tag<'_>, found: &mut Gathered) -> Step {
        match tag.local.as_ref() {
            "id" => {
                let id = self.plain()?;
                if found.entry.guid.is_empty() {
                    found.entry.guid = id;
                }
            }
            "title" => {
                let title = self.text(Form::Either)?;
                Gathered::text(&mut found.title, 4, title);
            }
            "description" => {
                let text = self.text(Form::Either)?;
                Gathered::text(&mut found.summary, 4, text);
            }
            "link" => {
                let link = self.link_text()?;
                found.link(5, link);
            }
            "image_link" => {
                let link = self.link_text()?;
                found.media(RawMedia { link, role: Role::Picture, ..RawMedia::default() });
            }
            _ => self.skip()?,
        }
        Ok(())
    }

    /// An element of Media RSS, and what it holds.
    fn media(&mut self, tag: &Tag<'_>, found: &mut Gathered) -> Step {
        match tag.local.as_ref() {
            "group" => loop {
                match self.next()? {
                    Token::Start(inner) if inner.ns == Ns::Media => self.media(&inner, found)?,
                    Token::Start(_) => self.skip()?,
                    Token::Text(_) => {}
                    Token::End | Token::Done | Token::Cut => return Ok(()),
                }
            },
            "content" => self.media_content(tag, found),
            "thumbnail" => {
                let link = self.link_of(tag.attribute("url").unwrap_or_default());
                let (width, height) = size(tag);
                // Some write the address as text.
                let text = self.plain()?;
                let link =
                    if link.href.trim().is_empty() { RawLink { href: text, ..link } } else { link };
                found.media(RawMedia {
                    link,
                    role: Role::Thumbnail,
                    medium: "image".into(),
                    width,
                    height,
                    ..RawMedia::default()
                });
                Ok(())
            }
            "title" => {
                let title = self.text(Form::Either)?;
                Gathered::text(&mut found.title, 3, title);
                Ok(())
            }
            "description" => {
                let text = self.typed_text(tag, Form::Either)?;
                Gathered::text(&mut found.summary, 3, text);
                Ok(())
            }
            "keywords" => {
                for name in self.plain()?.split(',') {
                    found.tag(name.trim().to_owned());
                }
                Ok(())
            }
            "category" => {
                let label = tag.attribute("label").unwrap_or_default().to_owned();
                let text = self.plain()?;
                found.tag(category_name(&text, &label, String::new()));
                Ok(())
            }
            _ => self.skip(),
        }
    }

    fn media_content(&mut self, tag: &Tag<'_>, found: &mut Gathered) -> Step {
        let (width, height) = size(tag);
        let mut media = RawMedia {
            link: self.link_of(tag.attribute("url").unwrap_or_default()),
            role: Role::Content,
            mime: tag.attribute("type").unwrap_or_default().to_owned(),
            medium: tag.attribute("medium").unwrap_or_default().to_owned(),
            bytes: tag.attribute("fileSize").and_then(|size| size.trim().parse().ok()),
            width,
            height,
            alt: String::new(),
        };
        let at = found.entry.media.len();
        let mut title = String::new();
        loop {
            match self.next()? {
                Token::Start(inner) if inner.ns == Ns::Media => match inner.local.as_ref() {
                    "title" => title = self.text(Form::Either)?.text,
                    "description" | "text" => media.alt = self.text(Form::Either)?.text,
                    "player" => {
                        if media.link.href.is_empty() {
                            media.link.href = inner.attribute("url").unwrap_or_default().to_owned();
                            media.medium = "video".into();
                        }
                        self.skip()?;
                    }
                    _ => self.media(&inner, found)?,
                },
                Token::Start(_) => self.skip()?,
                Token::Text(_) => {}
                Token::End | Token::Done | Token::Cut => break,
            }
        }
        if media.alt.trim().is_empty() {
            media.alt = title;
        }
        if !media.link.href.trim().is_empty() && found.entry.media.len() < FILES_MAX {
            // Before the thumbnails that it holds.
            found.entry.media.insert(at.min(found.entry.media.len()), media);
        }
        Ok(())
    }

    /// `enclosure` of RSS or a link with `rel="enclosure"`.
    fn file(&mut self, tag: &Tag<'_>, found: &mut Gathered) -> Step {
        let href = tag.attribute("url").or_else(|| tag.attribute("href")).unwrap_or_default();
        let link = self.link_of(href);
        let text = self.plain()?;
        // Some write the address as text.
        let href = if link.href.trim().is_empty() { text } else { link.href };
        found.media(RawMedia {
            link: RawLink { href, ..link },
            role: Role::Enclosure,
            mime: tag.attribute("type").unwrap_or_default().to_owned(),
            bytes: tag.attribute("length").and_then(|length| length.trim().parse().ok()),
            alt: tag.attribute("title").unwrap_or_default().to_owned(),
            ..RawMedia::default()
        });
        Ok(())
    }
}

// Texts of one element. Each reads to the end of the element that was started last.
impl Reader<'_> {
    fn skip(&mut self) -> Step {
        let mut depth = 1usize;
        while depth > 0 {
            match self.next()? {
                Token::Start(_) => depth += 1,
                Token::End => depth -= 1,
                Token::Text(_) => {}
                Token::Done | Token::Cut => return Ok(()),
            }
        }
        Ok(())
    }

    /// The text without any elements in it, trimmed.
    fn plain(&mut self) -> Result<String, Stop> {
        let mut out = String::new();
        let mut depth = 1usize;
        while depth > 0 {
            match self.next()? {
                Token::Start(_) => depth += 1,
                Token::End => depth -= 1,
                Token::Text(text) => out.push_str(&text),
                Token::Done | Token::Cut => break,
            }
        }
        cap(&mut out);
        Ok(if out.trim().len() == out.len() { out } else { out.trim().to_owned() })
    }

    fn link_text(&mut self) -> Result<RawLink, Stop> {
        let link = self.link_of("");
        Ok(RawLink { href: self.plain()?, ..link })
    }

    fn href(&self, tag: &Tag<'_>) -> RawLink {
        self.link_of(tag.attribute("href").unwrap_or_default())
    }

    fn link_of(&self, href: &str) -> RawLink {
        RawLink { base: self.tokens.base().cloned(), ..RawLink::new(href) }
    }

    /// An author in one line, or with Atom's parts inside.
    fn author(&mut self) -> Result<String, Stop> {
        Ok(self.person()?.unwrap_or_default())
    }

    fn note_item_language(&self, found: &mut Gathered) {
        // The root's language is the feed's; one set between it and here is the item's.
        if self.tokens.depth() > 1 {
            found.entry.language = self.tokens.language().to_owned();
        }
    }

    /// A text of Atom, by its `type` and, in Atom 0.3, its `mode`.
    fn typed_text(&mut self, tag: &Tag<'_>, default: Form) -> Result<RawText, Stop> {
        let kind = tag.attribute("type").map(|kind| kind.trim().to_ascii_lowercase());
        let mode = tag.attribute("mode").map(str::trim);
        let form = match kind.as_deref() {
            None | Some("") if mode == Some("escaped") => Form::Either,
            None | Some("") => default,
            // `text` is stated by many who mean HTML; what does not look like it stays text.
            Some("text" | "plain") => default,
            Some("text/plain") if self.feed.format == Format::Atom03 => default,
            Some("text/plain") => Form::Plain,
            Some("html" | "text/html") => Form::Html,
            Some(kind) if kind.ends_with("xml") || kind == "xhtml" => Form::Html,
            Some(kind) if kind.starts_with("text/") => Form::Plain,
            Some(kind) if kind.contains('/') => {
                // A file of another type, in base64: no text.
                self.skip()?;
                return Ok(RawText::default());
            }
            Some(_) => Form::Either,
        };
        let mut text = self.text(form)?;
        if mode == Some("base64") {
            text.text = from_base64(&text.text);
        }
        Ok(text)
    }

    /// The text of the element, or the markup inside it where it has child elements.
    ///
    /// The one `div` that Atom wraps XHTML in is left out.
    fn text(&mut self, form: Form) -> Result<RawText, Stop> {
        let base = self.tokens.base().cloned();
        let mut out = String::new();
        // Names of the open elements inside.
        let mut open: Vec<String> = Vec::new();
        let mut is_markup = false;
        loop {
            match self.next()? {
                Token::Start(tag) => {
                    if !is_markup {
                        is_markup = true;
                        // Text before the first tag that was itself escaped markup stays so.
                        if !out.contains('<') {
                            out = quick_xml::escape::minimal_escape(&out).into_owned();
                        }
                    }
                    open.push(tag.local.to_string());
                    write_tag(&mut out, &tag);
                }
                Token::Text(text) if is_markup && !text.contains("</") => {
                    out.push_str(&quick_xml::escape::minimal_escape(text.as_ref()));
                }
                Token::Text(text) => out.push_str(&text),
                Token::End => match open.pop() {
                    Some(name) => {
                        out.push_str("</");
                        out.push_str(&name);
                        out.push('>');
                    }
                    None => break,
                },
                Token::Done | Token::Cut => break,
            }
        }
        if is_markup {
            unwrap_division(&mut out);
        }
        cap(&mut out);
        let form = if is_markup { Form::Html } else { form };
        Ok(RawText { text: out, form, base })
    }
}

fn write_tag(out: &mut String, tag: &Tag<'_>) {
    out.push('<');
    out.push_str(&tag.local);
    for (name, value) in &tag.attributes {
        if name.contains(':') || name.starts_with("xmlns") {
            continue;
        }
        out.push(' ');
        out.push_str(name);
        out.push_str("=\"");
        out.push_str(&quick_xml::escape::escape(value.as_ref()));
        out.push('"');
    }
    out.push('>');
}

/// The text that was encoded; what is no base64 is passed over.
fn from_base64(encoded: &str) -> String {
    let mut bytes = Vec::with_capacity(encoded.len() / 4 * 3);
    let (mut bits, mut count) = (0u32, 0);
    for byte in encoded.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => break,
            _ => continue,
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.extend(u8::try_from((bits >> count) & 0xff));
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Takes away a `div` that holds everything else.
fn unwrap_division(out: &mut String) {
    let text = out.trim();
    let Some(rest) = text.strip_prefix("<div").filter(|rest| rest.starts_with(['>', ' '])) else {
        return;
    };
    let Some((_, inner)) = rest.split_once('>') else { return };
    let Some(inner) = inner.strip_suffix("</div>") else { return };
    // Only if that end is the first div's: nothing inside closes more than it opens.
    let mut depth = 0i32;
    for (at, _) in inner.match_indices("div") {
        let before = inner.get(..at).unwrap_or_default();
        if before.ends_with("</") {
            depth -= 1;
        } else if before.ends_with('<') {
            depth += 1;
        }
        if depth < 0 {
            return;
        }
    }
    *out = inner.to_owned();
}

fn size(tag: &Tag<'_>) -> (u32, u32) {
    let side = |name| tag.attribute(name).and_then(|side| side.trim().parse().ok()).unwrap_or(0);
    (side("width"), side("height"))
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
        assert_eq!(found.links[0].base.as_ref().map(Url::as_str), Some("http://e.com/a/b/"));
        assert_eq!(found.body.base.as_ref().map(Url::as_str), Some("http://e.com/d/"));
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
