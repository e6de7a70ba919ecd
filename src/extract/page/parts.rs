//! What an item's block holds: its address, title, day, summary and picture, by the signs that
//! pages give to people.

use std::collections::HashSet;
use std::sync::Arc;

use scraper::{ElementRef, Node};
use url::Url;

use crate::extract::dom::{Dom, attr, outer_html, text, text_within};
use crate::extract::page::day;
use crate::extract::raw::{Form, RawEntry, RawLink, RawMedia, RawText, Role};
use crate::extract::{date, link, media};
use crate::markup;
use crate::model::time::Timestamp;

/// Most elements of a block that are looked at.
const ELEMENTS_MAX: usize = 600;
/// Longest title that is one, in bytes; a longer one is a whole card in a link.
const TITLE_BYTES_MAX: usize = 300;
/// Shortest paragraph that is a summary, in characters.
const SUMMARY_CHARS_MIN: usize = 30;
/// How much of an element's text is looked at where it must be short, in bytes.
const LOOK_BYTES: usize = 2 * TITLE_BYTES_MAX;
/// Most pictures of a block that are looked at for one that is no counter.
const PICTURES_MAX: usize = 20;
/// Most links of a block that are weighed.
const LINKS_MAX: usize = 100;
/// Most elements that are looked at for a day or a summary because of what they are called: those
/// that are within each other have the same words.
const CALLED_MAX: usize = 16;

/// The parts of one block.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub href: Option<String>,
    pub title: String,
    pub day: Option<Timestamp>,
    /// Plain words.
    pub summary: String,
    /// Absolute.
    pub image: Option<String>,
}

impl Parts {
    pub(super) fn of(block: ElementRef<'_>, dom: &Dom) -> Self {
        let all: Vec<ElementRef<'_>> = std::iter::once(block)
            .chain(block.descendent_elements().skip_while(|inner| *inner == block))
            .take(ELEMENTS_MAX)
            .collect();
        let heading =
            all.iter().copied().find(|it| is_heading(it.value().name()) && !look(*it).is_empty());
        let main = main_link(&all, heading, dom);
        let title = title(&all, heading, main);
        let summary = summary(&all, &title);
        let pictures = all.iter().filter(|element| element.value().name() == "img");
        let pictures: String = pictures.take(PICTURES_MAX).copied().map(outer_html).collect();
        Self {
            href: main.and_then(|main| attr(main, "href")).map(str::to_owned),
            day: day_of(&all),
            image: media::first_image(&pictures, &[Some(dom.base())]),
            summary,
            title,
        }
    }

    /// As a raw entry, with what another reader of the block has found put before.
    pub(super) fn into_raw(self, dom: &Dom) -> RawEntry {
        RawEntry {
            title: RawText::new(self.title, Form::Plain),
            links: self.href.iter().map(|href| link_in(dom, href)).collect(),
            summary: RawText::new(self.summary, Form::Plain),
            published: self.day,
            media: self.image.iter().map(|href| picture(dom, href)).collect(),
            ..RawEntry::default()
        }
    }
}

pub(super) fn link_in(dom: &Dom, href: &str) -> RawLink {
    RawLink { base: Some(Arc::clone(dom.shared_base())), ..RawLink::new(href) }
}

pub(super) fn picture(dom: &Dom, href: &str) -> RawMedia {
    RawMedia { link: link_in(dom, href), role: Role::Picture, ..RawMedia::default() }
}

pub(super) fn is_heading(name: &str) -> bool {
    matches!(name, "h1" | "h2" | "h3" | "h4" | "h5" | "h6")
}

/// Whether one of the words of an element's classes is one of `words`.
pub(super) fn has_word(element: ElementRef<'_>, words: &[&str]) -> bool {
    element.attr("class").is_some_and(|classes| {
        let mut all = classes.split(|c: char| c.is_ascii_whitespace() || matches!(c, '-' | '_'));
        all.any(|word| words.iter().any(|wanted| word.eq_ignore_ascii_case(wanted)))
    })
}

/// The link to the item itself: the one with the most signs of it, the first of equals.
fn main_link<'a>(
    all: &[ElementRef<'a>],
    heading: Option<ElementRef<'a>>,
    dom: &Dom,
) -> Option<ElementRef<'a>> {
    let own = link::canonical(dom.base(), false);
    let mut best: Option<(i32, ElementRef<'a>)> = None;
    let mut targets: HashSet<String> = HashSet::new();
    let links = all.iter().copied().filter(|element| element.value().name() == "a");
    for element in links.take(LINKS_MAX) {
        let Some((_, url)) = attr(element, "href").and_then(|href| dom.resolve(href)) else {
            continue;
        };
        let target = link::canonical(&url, false);
        let is_here = target == own;
        if is_here && url.fragment().is_none() {
            continue;
        }
        let is_within_heading = heading.is_some_and(|heading| {
            element.ancestors().any(|node| node.id() == heading.id())
                || heading.ancestors().any(|node| node.id() == element.id())
        });
        let rel = attr(element, "rel").unwrap_or_default().to_ascii_lowercase();
        let said = |word: &str| rel.split_ascii_whitespace().any(|it| it == word);
        let mut score = 0;
        score += if is_within_heading { 50 } else { 0 };
        score += if said("bookmark") { 30 } else { 0 };
        score +=
            if has_word(element, &["title", "permalink", "headline", "more", "link", "readmore"]) {
                20
            } else {
                0
            };
        score += if text_within(element, 64).trim().chars().count() >= 15 { 10 } else { 0 };
        // Title, picture and “read more” lead to the same page.
        score += if targets.contains(&target) { 10 } else { 0 };
        score -= if said("tag") || said("author") || said("category") || is_shelf(&url) {
            60
        } else {
            0
        };
        score -= if url.host_str() != dom.base().host_str() { 15 } else { 0 };
        score -= if is_here {
            40
        } else if url.fragment().is_some() {
            10
        } else {
            0
        };
        targets.insert(target);
        if best.is_none_or(|(most, _)| score > most) {
            best = Some((score, element));
        }
    }
    best.map(|(_, element)| element)
}

/// Whether an address is that of a shelf of items, not of one.
pub(super) fn is_shelf(url: &Url) -> bool {
    let path = url.path().to_ascii_lowercase();
    ["/tag/", "/tags/", "/category/", "/categories/", "/author/", "/authors/", "/users/", "/user/"]
        .iter()
        .any(|shelf| path.contains(shelf))
}

/// The heading, what is called a title, or what the link says.
fn title(
    all: &[ElementRef<'_>],
    heading: Option<ElementRef<'_>>,
    main: Option<ElementRef<'_>>,
) -> String {
    if let Some(heading) = heading {
        return text(heading);
    }
    let called = all.iter().skip(1).copied().filter(|it| has_word(*it, &["title", "headline"]));
    if let Some(title) =
        called.map(look).find(|title| !title.is_empty() && title.len() <= TITLE_BYTES_MAX)
    {
        return title;
    }
    let Some(main) = main else { return String::new() };
    let words = text(main);
    if !words.is_empty() && words.len() <= TITLE_BYTES_MAX {
        return words;
    }
    if !words.is_empty() {
        let inner = main.descendent_elements().filter(|inner| *inner != main).map(look);
        let short =
            inner.into_iter().find(|words| !words.is_empty() && words.len() <= TITLE_BYTES_MAX);
        return short.unwrap_or(words);
    }
    let said = attr(main, "title").or_else(|| attr(main, "aria-label"));
    let picture = main.descendent_elements().find_map(|inner| attr(inner, "alt"));
    said.or(picture).unwrap_or_default().to_owned()
}

/// The beginning of an element's words.
fn look(element: ElementRef<'_>) -> String {
    markup::clean(&text_within(element, LOOK_BYTES))
}

/// The day that a block gives: a `time`, what is called a date, or words that hold one.
fn day_of(all: &[ElementRef<'_>]) -> Option<Timestamp> {
    let of_time = |element: ElementRef<'_>| {
        let stated = attr(element, "datetime").and_then(date::parse);
        stated.or_else(|| {
            let words = look(element);
            date::parse(&words).or_else(|| day::find(&words))
        })
    };
    let times = all.iter().copied().filter(|it| it.value().name() == "time");
    let called = all
        .iter()
        .copied()
        .filter(|it| has_word(*it, &["date", "time", "published", "posted", "day"]));
    times.take(CALLED_MAX).find_map(of_time).or_else(|| {
        called.take(CALLED_MAX).find_map(|element| day::find(&look(element))).or_else(|| {
            let within = |element: &ElementRef<'_>| {
                element.children().find_map(|node| match node.value() {
                    Node::Text(text) => day::find(text),
                    _ => None,
                })
            };
            // A heading's day belongs to its words.
            all.iter().filter(|it| !is_heading(it.value().name())).find_map(within)
        })
    })
}

/// What is called a summary, else the first paragraph that is long enough.
fn summary(all: &[ElementRef<'_>], title: &str) -> String {
    let is_long = |element: &ElementRef<'_>| look(*element).chars().count() >= SUMMARY_CHARS_MIN;
    let first = |candidates: &mut dyn Iterator<Item = ElementRef<'_>>| {
        let mut long = candidates.filter(is_long).take(CALLED_MAX).map(text);
        long.find(|words| words != title)
    };
    let names = [
        "summary",
        "excerpt",
        "description",
        "teaser",
        "intro",
        "lead",
        "abstract",
        "snippet",
        "desc",
    ];
    let inner = || all.iter().skip(1).copied();
    first(&mut inner().filter(|it| has_word(*it, &names)))
        .or_else(|| first(&mut inner().filter(|it| it.value().name() == "p")))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(html: &str) -> Parts {
        let dom = Dom::parse(html, &Url::parse("https://e.com/blog/").unwrap()).unwrap();
        let block =
            dom.elements().find(|element| matches!(element.value().name(), "article" | "li" | "a"));
        Parts::of(block.unwrap(), &dom)
    }

    #[test]
    fn a_card_is_read_by_its_signs() {
        let found = parts(
            "<article><a href='/tag/x' rel=tag>Things</a><img src='/i.jpg'><h2>A title</h2>\
             <p>Short.</p><p>A long paragraph that tells what it is about.</p>\
             <span>16 August 2024</span><a href='/blog/a' class=read-more>Read</a></article>",
        );
        assert_eq!(found.href.as_deref(), Some("/blog/a"));
        assert_eq!(found.title, "A title");
        assert_eq!(found.summary, "A long paragraph that tells what it is about.");
        assert_eq!(found.image.as_deref(), Some("https://e.com/i.jpg"));
        assert_eq!(found.day.unwrap().to_string(), "2024-08-16T00:00:00Z");
    }

    #[test]
    fn a_line_with_a_link_is_enough() {
        let found = parts("<li>2024-01-02 <a href='a.html'>The first one</a></li>");
        assert_eq!(
            (found.href.as_deref(), found.title.as_str()),
            (Some("a.html"), "The first one")
        );
        assert_eq!(found.day.unwrap().to_string(), "2024-01-02T00:00:00Z");
        let card = parts(
            "<a href='/a'><div class=card-title>Name</div><p>Words words words words words.</p></a>",
        );
        assert_eq!((card.href.as_deref(), card.title.as_str()), (Some("/a"), "Name"));
        let empty = parts("<article><h2>Name</h2><a aria-label='post' href='/a'></a></article>");
        assert_eq!((empty.href.as_deref(), empty.title.as_str()), (Some("/a"), "Name"));
    }
}
