//! `h-feed` and `h-entry`, and the older hAtom.
//!
//! Source: microformats2 parsing specification and h-entry, as far as a list of posts needs them;
//! hAtom 0.1, whose entries are printed by many themes, often without half of their parts: these
//! are looked for by the signs of [`Parts`].

use std::collections::HashMap;
use std::sync::Arc;

use scraper::ElementRef;

use crate::extract::date;
use crate::extract::dom::{Dom, NodeId, attr, inner_html, is_within, text, text_within};
use crate::extract::page::day;
use crate::extract::page::parts::{Parts, has_word, link_in, picture};
use crate::extract::raw::{Form, RawEntry, RawText, cap};
use crate::markup;
use crate::model::time::Timestamp;

/// Most entries of a page that are looked at.
const ENTRIES_MAX: usize = 10_000;
/// Most authors, tags, pictures, addresses and dates of an entry that are looked at, each.
const PROPERTIES_MAX: usize = 64;
/// How much of a name's or a date's words is looked at, in bytes.
const LOOK_BYTES: usize = 2 << 10;
/// Fewest entries of hAtom that are a list: a single one may be what the page itself is.
const HATOM_MIN: usize = 2;

/// The entries of a page with microformats2: those of its first feed, else all. Replies, likes and
/// reposts are left out.
pub(super) fn entries(dom: &Dom) -> Vec<RawEntry> {
    let feed = dom.elements().find(|element| has_class(*element, "h-feed"));
    let within = |element: &ElementRef<'_>| feed.is_none_or(|feed| is_within(*element, feed));
    let roots = dom.elements().filter(|element| has_class(*element, "h-entry"));
    let mut authors = FeedAuthors::default();
    roots
        .take(ENTRIES_MAX)
        .filter(within)
        .filter(|it| is_outermost(it, "h-entry"))
        .filter_map(|it| entry(it, dom, &mut authors))
        .collect()
}

/// Whether no other element of the class holds it.
fn is_outermost(element: &ElementRef<'_>, class: &str) -> bool {
    !element.ancestors().filter_map(ElementRef::wrap).any(|outer| has_class(outer, class))
}

/// The entries of hAtom; empty unless there are several with a title and an address.
pub(super) fn hatom(dom: &Dom) -> Vec<RawEntry> {
    let roots: Vec<ElementRef<'_>> = dom
        .elements()
        .filter(|element| has_class(*element, "hentry") && !has_class(*element, "type-page"))
        .take(ENTRIES_MAX)
        .filter(|element| is_outermost(element, "hentry"))
        .collect();
    let beside = |element: &ElementRef<'_>| {
        element.ancestors().filter_map(ElementRef::wrap).any(|outer| {
            let is_part = matches!(outer.value().name(), "aside" | "footer" | "nav");
            let is_body = matches!(outer.value().name(), "body" | "html");
            is_part || (!is_body && has_word(outer, &["sidebar", "widget", "footer", "related"]))
        })
    };
    let main: Vec<ElementRef<'_>> = roots.iter().copied().filter(|it| !beside(it)).collect();
    let chosen = if main.is_empty() { roots } else { main };
    let found: Vec<RawEntry> =
        chosen.into_iter().filter_map(|root| hatom_entry(root, dom)).collect();
    if found.len() < HATOM_MIN { Vec::new() } else { found }
}

fn has_class(element: ElementRef<'_>, class: &str) -> bool {
    element.attr("class").is_some_and(|all| all.split_ascii_whitespace().any(|it| it == class))
}

fn is_root(element: ElementRef<'_>) -> bool {
    element.attr("class").is_some_and(|all| {
        all.split_ascii_whitespace().any(|it| {
            it.strip_prefix("h-").is_some_and(|rest| {
                !rest.is_empty()
                    && rest
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            })
        })
    })
}

/// The properties of an entry: every element with one, in document order.
struct Properties<'a> {
    all: Vec<ElementRef<'a>>,
    has_nested: bool,
}

impl<'a> Properties<'a> {
    fn of(root: ElementRef<'a>) -> Self {
        let mut all = Vec::new();
        let mut has_nested = false;
        for element in root.descendent_elements().filter(|element| *element != root) {
            let owner =
                element.ancestors().filter_map(ElementRef::wrap).find(|outer| is_root(*outer));
            if owner != Some(root) {
                continue;
            }
            has_nested |= is_root(element);
            all.push(element);
        }
        Self { all, has_nested }
    }

    fn named<'b>(&'b self, class: &'b str) -> impl Iterator<Item = ElementRef<'a>> + 'b {
        let named = self.all.iter().copied().filter(move |element| has_class(*element, class));
        named.take(PROPERTIES_MAX)
    }

    fn first(&self, class: &str) -> Option<ElementRef<'a>> {
        self.named(class).next()
    }

    fn has_prefix(&self, prefixes: &[&str]) -> bool {
        self.all.iter().any(|element| {
            element.attr("class").is_some_and(|all| {
                all.split_ascii_whitespace()
                    .any(|it| prefixes.iter().any(|prefix| it.starts_with(prefix)))
            })
        })
    }
}

fn entry<'a>(root: ElementRef<'a>, dom: &Dom, feed_authors: &mut FeedAuthors) -> Option<RawEntry> {
    let own = Properties::of(root);
    let reactions = ["u-in-reply-to", "u-like-of", "u-repost-of", "u-bookmark-of", "p-rsvp"];
    if reactions.iter().any(|class| own.first(class).is_some()) {
        return None;
    }
    let content = own.first("e-content");
    let mut title = own.first("p-name").map(plain).unwrap_or_default();
    if title.is_empty() && !own.has_nested && !own.has_prefix(&["p-", "e-"]) {
        title = text(root);
    }
    let urls: Vec<&str> = own.named("u-url").filter_map(address).collect();
    let is_same_site = |href: &&str| {
        dom.resolve(href).is_some_and(|(_, url)| url.host_str() == dom.base().host_str())
    };
    let permalink = urls.iter().copied().find(is_same_site).or(urls.first().copied());
    let permalink = permalink.map(str::to_owned).or_else(|| implied_url(root, &own));
    let mut summary = own.first("p-summary").map(text).unwrap_or_default();
    let mut body = content.map(inner_html).unwrap_or_default();
    let mut form = Form::Html;
    if let Some(plain) = own.first("p-content").filter(|_| body.is_empty()) {
        (body, form) = (text(plain), Form::Plain);
    }
    cap(&mut body);
    cap(&mut summary);
    let photos = own.named("u-photo").filter_map(address).map(|href| picture(dom, href));
    let authors: Vec<String> =
        own.named("p-author").map(name_of).filter(|it| !it.is_empty()).collect();
    Some(RawEntry {
        guid: own.first("u-uid").map(|uid| id_of(uid, dom)).unwrap_or_default(),
        guid_is_link: true,
        title: RawText::new(title, Form::Plain),
        links: permalink.iter().map(|href| link_in(dom, href)).collect(),
        summary: RawText::new(summary, Form::Plain),
        body: RawText { base: Some(Arc::clone(dom.shared_base())), ..RawText::new(body, form) },
        published: own.named("dt-published").find_map(instant),
        updated: own.named("dt-updated").find_map(instant),
        authors: if authors.is_empty() { feed_authors.around(root) } else { authors },
        tags: own.named("p-category").map(words).collect(),
        media: photos.collect(),
        ..RawEntry::default()
    })
}

/// The authors of the feeds of a page, each looked for once.
#[derive(Default)]
struct FeedAuthors(HashMap<NodeId, Vec<String>>);

impl FeedAuthors {
    /// Those of the feed around an entry.
    fn around(&mut self, root: ElementRef<'_>) -> Vec<String> {
        let mut outer = root.ancestors().filter_map(ElementRef::wrap);
        let Some(feed) = outer.find(|outer| has_class(*outer, "h-feed")) else { return vec![] };
        let authors = || Properties::of(feed).named("p-author").map(name_of).collect();
        self.0.entry(feed.id()).or_insert_with(authors).clone()
    }
}

/// The beginning of an element's words.
fn words(element: ElementRef<'_>) -> String {
    markup::clean(&text_within(element, LOOK_BYTES))
}

/// The text of a `p-` property: what is meant for machines before the words.
fn plain(element: ElementRef<'_>) -> String {
    let stated = match element.value().name() {
        "abbr" | "link" => attr(element, "title"),
        "data" | "input" => attr(element, "value"),
        "img" | "area" => attr(element, "alt"),
        _ => None,
    };
    stated.map_or_else(|| words(element), str::to_owned)
}

/// The value of a `u-` property.
fn address(element: ElementRef<'_>) -> Option<&str> {
    ["href", "src", "data", "value", "content", "poster"]
        .iter()
        .find_map(|name| attr(element, name))
}

/// An id: whole, where it is an address.
fn id_of(element: ElementRef<'_>, dom: &Dom) -> String {
    let Some(id) = address(element) else { return words(element) };
    let is_address = attr(element, "href").is_some_and(|href| href == id);
    let whole = dom.resolve(id).filter(|_| is_address);
    whole.map_or_else(|| id.to_owned(), |(shown, _)| shown)
}

/// The value of a `dt-` property.
fn instant(element: ElementRef<'_>) -> Option<Timestamp> {
    // A value in pieces: the day in one element, the time in another.
    let pieces: Vec<String> = element
        .descendent_elements()
        .filter(|inner| {
            *inner != element && (has_class(*inner, "value") || has_class(*inner, "value-title"))
        })
        .take(PROPERTIES_MAX)
        .map(|piece| {
            let stated = attr(piece, "datetime").or_else(|| attr(piece, "title"));
            stated.map_or_else(|| words(piece), str::to_owned)
        })
        .collect();
    if let Some(at) = date::parse(&pieces.join(" ")) {
        return Some(at);
    }
    let stated =
        ["datetime", "title", "value", "content"].iter().find_map(|name| attr(element, name));
    stated.and_then(date::parse).or_else(|| {
        let words = words(element);
        date::parse(&words).or_else(|| day::find(&words))
    })
}

/// The only link of an entry that names none.
fn implied_url(root: ElementRef<'_>, own: &Properties<'_>) -> Option<String> {
    if root.value().name() == "a" {
        return attr(root, "href").map(str::to_owned);
    }
    if own.has_prefix(&["u-"]) || own.has_nested {
        return None;
    }
    let mut links = own.all.iter().copied().filter(|it| it.value().name() == "a");
    let only = links.next().filter(|_| links.next().is_none())?;
    attr(only, "href").map(str::to_owned)
}

/// The name in a card, or its words.
fn name_of(card: ElementRef<'_>) -> String {
    let mut inner = card.descendent_elements().filter(|inner| *inner != card);
    inner
        .find(|inner| has_class(*inner, "p-name") || has_class(*inner, "fn"))
        .map_or_else(|| plain(card), plain)
}

fn hatom_entry(root: ElementRef<'_>, dom: &Dom) -> Option<RawEntry> {
    let inner: Vec<ElementRef<'_>> =
        root.descendent_elements().filter(|inner| *inner != root).collect();
    let first = |class: &str| inner.iter().copied().find(|element| has_class(*element, class));
    let parts = Parts::of(root, dom);
    let called = first("entry-title").map(text).filter(|title| !title.is_empty());
    let title = called.unwrap_or_else(|| parts.title.clone());
    let bookmark = inner.iter().copied().find(|element| {
        element.value().name() == "a"
            && attr(*element, "rel")
                .is_some_and(|rel| rel.split_ascii_whitespace().any(|it| it == "bookmark"))
    });
    let of_title = first("entry-title")
        .and_then(|title| title.descendent_elements().find(|inner| inner.value().name() == "a"));
    let href = bookmark.or(of_title).and_then(|link| attr(link, "href")).map(str::to_owned);
    let href = href.or_else(|| parts.href.clone())?;
    if title.is_empty() {
        return None;
    }
    let mut body = first("entry-content").map(inner_html).unwrap_or_default();
    cap(&mut body);
    let excerpt = first("entry-summary").map(text).filter(|words| !words.is_empty());
    let is_tag = |element: &ElementRef<'_>| {
        attr(*element, "rel").is_some_and(|rel| rel.split_ascii_whitespace().any(|it| it == "tag"))
    };
    let author =
        first("author").or_else(|| first("vcard")).map(name_of).filter(|name| !name.is_empty());
    Some(RawEntry {
        title: RawText::new(title, Form::Plain),
        links: vec![link_in(dom, &href)],
        summary: RawText::new(
            excerpt.unwrap_or_else(|| {
                if body.is_empty() { parts.summary.clone() } else { String::new() }
            }),
            Form::Plain,
        ),
        body: RawText {
            base: Some(Arc::clone(dom.shared_base())),
            ..RawText::new(body, Form::Html)
        },
        published: first("published").and_then(instant).or(parts.day),
        updated: first("updated").and_then(instant),
        authors: author.into_iter().collect(),
        tags: inner.iter().copied().filter(is_tag).take(PROPERTIES_MAX).map(words).collect(),
        media: parts.image.iter().map(|href| picture(dom, href)).collect(),
        ..RawEntry::default()
    })
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    fn dom(html: &str) -> Dom {
        Dom::parse(html, &Url::parse("https://e.com/").unwrap()).unwrap()
    }

    #[test]
    fn the_properties_of_entries_are_read() {
        let page = dom("<div class=h-feed><p class='p-author h-card'>Ann</p>\
             <article class=h-entry><a class=u-url href='https://other.example/x'></a><h1 class=p-name><a class='u-url u-uid' href='/a'>A</a></h1>\
             <time class=dt-published datetime='2024-05-06T07:08:09Z'>May</time><p class=p-summary>Short</p>\
             <div class=e-content><p>Long</p><div class='h-card'><b class=p-name>No</b></div></div><img class=u-photo src=/i.png>\
             <a class=p-category href=/t>tea</a></article>\
             <article class=h-entry><a class=u-in-reply-to href=/q></a>Yes</article></div><div class=h-entry>Outside</div>");
        let all = entries(&page);
        assert_eq!(all.len(), 1);
        let entry = &all[0];
        assert_eq!((entry.title.text.as_str(), entry.summary.text.as_str()), ("A", "Short"));
        assert_eq!((entry.links[0].href.as_str(), entry.guid.as_str()), ("/a", "https://e.com/a"));
        assert!(entry.body.text.starts_with("<p>Long</p>"));
        assert_eq!(
            (entry.authors.as_slice(), entry.tags.as_slice()),
            (&["Ann".to_owned()][..], &["tea".to_owned()][..])
        );
        assert_eq!(entry.published.unwrap().to_string(), "2024-05-06T07:08:09Z");
    }

    #[test]
    fn a_date_may_stand_in_pieces() {
        let page = dom(
            "<p class=h-entry>a<span class=dt-published><b class=value>2024-05-06</b> <i class=value>07:08</i></span></p>",
        );
        assert_eq!(entries(&page)[0].published.unwrap().to_string(), "2024-05-06T07:08:00Z");
    }

    #[test]
    fn incomplete_hatom_is_completed_and_asides_are_left_out() {
        let post = |n: u32| {
            format!(
                "<div class='post hentry'><h5 class=media-title><a href='/{n}'>Post {n}</a></h5><div class=published>2024年9月{n}日</div></div>"
            )
        };
        let page = dom(&format!("{}{}<aside>{}</aside>", post(2), post(1), post(9)));
        let all = hatom(&page);
        let titles: Vec<&str> = all.iter().map(|entry| entry.title.text.as_str()).collect();
        assert_eq!(titles, ["Post 2", "Post 1"]);
        assert_eq!(all[0].published.unwrap().to_string(), "2024-09-02T00:00:00Z");
        assert!(hatom(&dom(&post(1))).is_empty(), "a single one is no list");
    }
}
