//! The repeated block of a page that lists something: learned from its structure alone.
//!
//! Elements whose way from the root has the same tags and classes are of one kind. The kind whose
//! members look most like items wins: each with a link of its own, with a heading, a day, words, a
//! picture; not in a menu, a footer or beside the main thing. Only structure counts, so that the
//! next poll of the page comes to the same choice.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use scraper::{ElementRef, Node};

use crate::extract::dom::{Dom, attr};
use crate::extract::page::day;
use crate::extract::page::parts::{Parts, has_word, is_heading, is_shelf};
use crate::extract::raw::RawEntry;
use crate::extract::{ITEMS_MAX, keys, link};

/// Fewest members of a kind.
const MEMBERS_MIN: usize = 2;
/// Fewest members where neither heading nor day shows that they are items.
const BARE_MEMBERS_MIN: usize = 3;
/// Shortest mean text of a link where nothing else shows that it leads to an item, in bytes.
const BARE_LINK_BYTES_MIN: u32 = 12;
/// More members than these add nothing to the weight of a kind.
const MEMBERS_WEIGHED: usize = 40;
/// Longest text that is looked through for a day, in bytes.
const DAY_BYTES_MAX: usize = 80;
/// How many siblings behind an item are looked at for what belongs to it.
const SIBLINGS_MAX: usize = 6;

/// The items of the page's list, in document order; empty when none stands out.
pub(super) fn items(dom: &Dom) -> Vec<RawEntry> {
    let page = Survey::of(dom);
    let Some(mut chosen) = page.best() else { return Vec::new() };
    chosen.truncate(ITEMS_MAX);
    let members: HashSet<_> =
        chosen.iter().filter_map(|at| page.elements.get(*at)).map(|it| it.id()).collect();
    let mut entries = Vec::new();
    for element in chosen.iter().filter_map(|at| page.elements.get(*at)).copied() {
        let mut parts = Parts::of(element, dom);
        if parts.href.is_none() || parts.title.is_empty() {
            continue;
        }
        // Lists without a block around each item: what belongs to it follows it.
        let following = element.next_siblings().filter_map(ElementRef::wrap).take(SIBLINGS_MAX);
        let own = following
            .take_while(|next| !members.contains(&next.id()) && !is_heading(next.value().name()));
        for next in own {
            if parts.day.is_some() && !parts.summary.is_empty() {
                break;
            }
            let more = Parts::of(next, dom);
            parts.day = parts.day.or(more.day);
            if parts.summary.is_empty() {
                let words = crate::extract::dom::text(next);
                let is_paragraph = next.value().name() == "p" && words.chars().count() >= 30;
                parts.summary = if is_paragraph { words } else { more.summary };
            }
            parts.image = parts.image.take().or(more.image);
        }
        entries.push(parts.into_raw(dom));
    }
    entries
}

/// What an element holds, itself and all within it.
#[derive(Clone, Copy, Default)]
struct Cell {
    parent: usize,
    /// Of its kind: tags and classes from the root.
    kind: u64,
    /// Of its own tag and classes; 0 without a class that lasts.
    look: u64,
    /// 1 in the main part, less beside it.
    weight: f32,
    is_in_main: bool,
    is_in_heading: bool,
    is_in_link: bool,
    /// The key of the link around it; 0 for none.
    around: u64,
    headings: u32,
    days: u32,
    images: u32,
    links: u32,
    text: u32,
    link_text: u32,
    /// Keys of the addresses of the first link and of the first within a heading; 0 for none.
    first_link: u64,
    heading_link: u64,
}

struct Survey<'a> {
    elements: Vec<ElementRef<'a>>,
    cells: Vec<Cell>,
}

impl<'a> Survey<'a> {
    /// 1. From the root down: each element's kind and weight, and what it holds itself. 2. From the
    ///    last up: what it holds is added to what holds it.
    fn of(dom: &'a Dom) -> Self {
        let elements: Vec<ElementRef<'a>> = dom.elements().collect();
        let mut places = HashMap::with_capacity(elements.len());
        let own = link::canonical(dom.base(), false);
        let mut cells: Vec<Cell> = Vec::with_capacity(elements.len());
        for (at, element) in elements.iter().enumerate() {
            places.insert(element.id(), at);
            let parent = element.parent().and_then(|parent| places.get(&parent.id()).copied());
            let above = parent.and_then(|parent| cells.get(parent)).copied();
            cells.push(cell(*element, parent.unwrap_or(0), above, dom, &own));
        }
        for at in (1..cells.len()).rev() {
            let Some(inner) = cells.get(at).copied() else { continue };
            let Some(outer) = cells.get_mut(inner.parent) else { continue };
            outer.headings += inner.headings;
            outer.days += inner.days;
            outer.images += inner.images;
            outer.links += inner.links;
            outer.text = outer.text.saturating_add(inner.text);
            outer.link_text = outer.link_text.saturating_add(inner.link_text);
            // The last that is added stands first in the document.
            for (outer, inner) in [
                (&mut outer.first_link, inner.first_link),
                (&mut outer.heading_link, inner.heading_link),
            ] {
                if inner != 0 {
                    *outer = inner;
                }
            }
        }
        Self { elements, cells }
    }

    /// The members of the best kind; of equals the outermost.
    fn best(&self) -> Option<Vec<usize>> {
        let mut kinds: HashMap<u64, Vec<usize>> = HashMap::new();
        for (at, cell) in self.cells.iter().enumerate() {
            if cell.links > 0 {
                kinds.entry(cell.kind).or_default().push(at);
            }
        }
        let mut kinds: Vec<Vec<usize>> =
            kinds.into_values().filter(|members| members.len() >= MEMBERS_MIN).collect();
        kinds.sort_unstable_by_key(|members| members.first().copied());
        let mut best: Option<(f32, Vec<usize>)> = None;
        for members in kinds {
            let Some(score) = self.score(&members) else { continue };
            if best.as_ref().is_none_or(|(most, _)| score > *most) {
                best = Some((score, members));
            }
        }
        best.map(|(_, members)| self.with_their_like(members))
    }

    /// The members, and what looks the same elsewhere in an equally good place: a page shows its
    /// newest items in a list of their own.
    fn with_their_like(&self, members: Vec<usize>) -> Vec<usize> {
        let first = members.first().and_then(|at| self.cells.get(*at));
        let Some(first) = first.filter(|cell| cell.look != 0).copied() else { return members };
        let is_like = |cell: &Cell| {
            cell.look == first.look
                && cell.weight >= first.weight
                && cell.links > 0
                && cell.headings <= 2
        };
        let has_heading =
            members.iter().filter_map(|at| self.cells.get(*at)).all(|it| it.headings > 0);
        let all = self
            .cells
            .iter()
            .enumerate()
            .filter(|(_, cell)| is_like(cell) && (cell.headings > 0 || !has_heading));
        let mut all: Vec<usize> = all.map(|(at, _)| at).chain(members).collect();
        all.sort_unstable();
        all.dedup();
        // One within another is a part of it.
        let mut kept: Vec<usize> = Vec::with_capacity(all.len());
        let places: HashSet<usize> = all.iter().copied().collect();
        for at in all {
            let mut up = at;
            let mut is_inner = false;
            while let Some(cell) = self.cells.get(up).filter(|cell| cell.parent != up) {
                up = cell.parent;
                is_inner |= places.contains(&up);
            }
            if !is_inner {
                kept.push(at);
            }
        }
        kept
    }

    /// How much the members of a kind look like items; `None` when they can't be.
    fn score(&self, members: &[usize]) -> Option<f32> {
        let cells: Vec<&Cell> = members.iter().filter_map(|at| self.cells.get(*at)).collect();
        let mut targets: HashSet<u64> = HashSet::new();
        for cell in &cells {
            targets.insert(if cell.heading_link == 0 {
                cell.first_link
            } else {
                cell.heading_link
            });
        }
        targets.remove(&0);
        if targets.len() < MEMBERS_MIN || targets.len() * 10 < cells.len() * 6 {
            return None;
        }
        let share = |holds: &dyn Fn(&Cell) -> bool| {
            float(cells.iter().filter(|cell| holds(cell)).count()) / float(cells.len())
        };
        let mean = |of: &dyn Fn(&Cell) -> u32| {
            let sum: u64 = cells.iter().map(|cell| u64::from(of(cell))).sum();
            u32::try_from(sum / u64::try_from(cells.len()).unwrap_or(1).max(1)).unwrap_or(u32::MAX)
        };
        let headings = share(&|cell| cell.headings > 0);
        let days = share(&|cell| cell.days > 0);
        let is_bare = headings < 0.5 && days < 0.5;
        let link_text = mean(&|cell| cell.link_text);
        if is_bare && (cells.len() < BARE_MEMBERS_MIN || link_text < BARE_LINK_BYTES_MIN) {
            return None;
        }
        let mut quality = 20.0 + 30.0 * headings + 25.0 * days;
        quality += 15.0 * share(&|cell| cell.text >= cell.link_text + 60);
        quality += 10.0 * share(&|cell| cell.images > 0);
        // What holds several items is no item.
        quality -= 30.0 * share(&|cell| cell.headings > 2 || cell.days > 2);
        quality -= 15.0 * share(&|cell| cell.links > 12);
        let weight = cells.iter().map(|cell| cell.weight).fold(0.0, f32::max);
        let members = float(targets.len().min(MEMBERS_WEIGHED));
        Some(quality.max(1.0) * (1.0 + members).ln() * weight)
    }
}

fn float(number: usize) -> f32 {
    f32::from(u16::try_from(number).unwrap_or(u16::MAX))
}

fn cell(element: ElementRef<'_>, parent: usize, above: Option<Cell>, dom: &Dom, own: &str) -> Cell {
    let above = above.unwrap_or(Cell { weight: 1.0, ..Cell::default() });
    let name = element.value().name();
    let mut cell = Cell {
        parent,
        kind: kind(element, above.kind).0,
        look: kind(element, 0).1,
        is_in_main: above.is_in_main || matches!(name, "main" | "article"),
        is_in_heading: above.is_in_heading || is_heading(name),
        is_in_link: above.is_in_link || name == "a",
        around: above.around,
        ..Cell::default()
    };
    cell.weight = above.weight.min(weight(element, above.is_in_main));
    cell.headings = u32::from(is_heading(name) && !above.is_in_heading);
    cell.images = u32::from(name == "img");
    cell.days = u32::from(name == "time");
    for node in element.children() {
        let Node::Text(text) = node.value() else { continue };
        let words = text.trim();
        let length = u32::try_from(words.len()).unwrap_or(u32::MAX);
        cell.text = cell.text.saturating_add(length);
        if cell.is_in_link {
            cell.link_text = cell.link_text.saturating_add(length);
        }
        if cell.days == 0 && words.len() <= DAY_BYTES_MAX && !cell.is_in_heading {
            cell.days = u32::from(day::find(words).is_some());
        }
    }
    if name == "a"
        && let Some((_, url)) = attr(element, "href").and_then(|href| dom.resolve(href))
        && !is_shelf(&url)
        && !has_word(element, &["tag", "category", "author"])
        && url.path() != "/"
    {
        let is_here = link::canonical(&url, false) == own;
        if !is_here || url.fragment().is_some_and(|fragment| !fragment.is_empty()) {
            cell.links = 1;
            // Of links within the page each place counts.
            cell.first_link = keys::link_key(&url, is_here);
            cell.around = cell.first_link;
            if cell.is_in_heading {
                cell.heading_link = cell.first_link;
            }
        }
    }
    if is_heading(name) {
        cell.heading_link = cell.around;
    }
    cell
}

/// The kind of an element within one of the kind `above`, and its look by itself.
fn kind(element: ElementRef<'_>, above: u64) -> (u64, u64) {
    let mut classes: Vec<&str> = attr(element, "class")
        .unwrap_or_default()
        .split_ascii_whitespace()
        .filter(|class| is_lasting(class))
        .take(8)
        .collect();
    classes.sort_unstable();
    let own = (element.value().name(), &classes);
    let hash = |value: &dyn Fn(&mut DefaultHasher)| {
        let mut hasher = DefaultHasher::new();
        value(&mut hasher);
        hasher.finish()
    };
    let whole = hash(&|hasher| (above, own).hash(hasher));
    (whole, if classes.is_empty() { 0 } else { hash(&|hasher| own.hash(hasher)) })
}

/// Whether a class tells what an element is, rather than which one it is or how it is just now.
fn is_lasting(class: &str) -> bool {
    const PASSING: [&str; 22] = [
        "first", "last", "odd", "even", "alt", "active", "current", "sticky", "featured", "new",
        "hidden", "visible", "open", "closed", "selected", "hot", "top", "left", "right",
        "clearfix", "visited", "unread",
    ];
    const BEGINNINGS: [&str; 12] = [
        "post-",
        "category-",
        "tag-",
        "status-",
        "format-",
        "has-",
        "is-",
        "type-",
        "js-",
        "col-",
        "author-",
        "wow",
    ];
    let lower = class.to_ascii_lowercase();
    !lower.bytes().any(|b| b.is_ascii_digit())
        && !PASSING.contains(&lower.as_str())
        && !BEGINNINGS.iter().any(|beginning| {
            lower.starts_with(beginning) && lower.len() > beginning.len() && !is_part(&lower)
        })
}

/// `post-title` and the like name a part of a post, not the post.
fn is_part(class: &str) -> bool {
    ["title", "entry", "item", "card", "preview", "content", "body", "meta", "list", "block"]
        .iter()
        .any(|part| class.ends_with(part))
}

/// 1 in the main part, less for what stands beside it.
fn weight(element: ElementRef<'_>, is_in_main: bool) -> f32 {
    const BESIDE: [&str; 20] = [
        "nav",
        "navbar",
        "navigation",
        "menu",
        "submenu",
        "footer",
        "sidebar",
        "breadcrumb",
        "breadcrumbs",
        "pagination",
        "pager",
        "comments",
        "social",
        "share",
        "cookie",
        "tagcloud",
        "toc",
        "offcanvas",
        "topbar",
        "crumbs",
    ];
    const LESS: [&str; 8] =
        ["related", "popular", "trending", "recommended", "promo", "sponsor", "banner", "partners"];
    let by_name = match element.value().name() {
        "nav" | "footer" | "aside" if !is_in_main || element.value().name() == "nav" => 0.15,
        "aside" => 0.3,
        "header" | "form" if !is_in_main => 0.3,
        "html" | "body" | "main" => return 1.0,
        _ => 1.0,
    };
    let names = [attr(element, "class"), attr(element, "id"), attr(element, "role")];
    let mut by_words: f32 = 1.0;
    for class in names.into_iter().flatten().flat_map(str::split_ascii_whitespace) {
        let lower = class.to_ascii_lowercase();
        // Says what stands beside it, not what it is.
        if ["has-", "no-", "with-", "without-"].iter().any(|start| lower.starts_with(start)) {
            continue;
        }
        if lower == "widget" || lower == "widget-area" || lower.starts_with("widget_") {
            by_words = by_words.min(0.15);
        }
        for word in lower.split(['-', '_']) {
            if BESIDE.contains(&word) {
                by_words = by_words.min(0.15);
            } else if LESS.contains(&word) {
                by_words = by_words.min(0.5);
            }
        }
    }
    by_words.min(by_name)
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    fn titles(html: &str) -> Vec<String> {
        let dom = Dom::parse(html, &Url::parse("https://e.com/blog/").unwrap()).unwrap();
        items(&dom).into_iter().map(|entry| entry.title.text).collect()
    }

    const MENU: &str = "<nav><ul><li><a href='/about-us-and-more'>About us and more</a><li><a href='/contact-us-today'>Contact us today</a>\
        <li><a href='/imprint-of-the-site'>Imprint of the site</a><li><a href='/jobs-at-our-place'>Jobs at our place</a></ul></nav>";

    #[test]
    fn the_list_is_found_beside_menus() {
        let cards = "<div class=row><div class='card post-1 first'><h3><a href='/blog/a'>A</a></h3><p>Text of a.</p></div>\
            <div class='card post-2'><h3><a href='/blog/b'>B</a></h3><p>Text of b.</p></div></div>\
            <div class=row><div class='card post-3 last'><h3><a href='/blog/c'>C</a></h3></div></div>";
        let sidebar = "<div id=sidebar><ul><li><a href='/blog/z1'>Something of long ago</a> 1 May 2020<li><a href='/blog/z2'>Another one of long ago</a> 2 May 2020\
            <li><a href='/blog/z3'>And one that is older still</a> 3 May 2020</ul></div>";
        assert_eq!(titles(&format!("{MENU}{cards}{sidebar}")), ["A", "B", "C"]);
    }

    #[test]
    fn the_newest_in_a_list_of_their_own_are_items_too() {
        let card = |n: u32| {
            format!(
                "<article class=card><h3><a href='/blog/{n}'>Post {n}</a></h3><p>Words of {n}.</p></article>"
            )
        };
        let page = format!(
            "<section class=newest>{}</section><section class=all>{}{}{}</section><footer>{}</footer>",
            card(4),
            card(3),
            card(2),
            card(1),
            card(9)
        );
        assert_eq!(titles(&page), ["Post 4", "Post 3", "Post 2", "Post 1"]);
    }

    #[test]
    fn lists_without_blocks_and_lists_of_lines_are_found() {
        let flat = "<main><h2><a href=a>A one</a></h2><p class=date>5 March 2024</p><p>Words that tell what it is about, at length.</p>\
            <h2><a href=b>B two</a></h2><p class=date>4 March 2024</p><p>Other words that tell something else, at length.</p></main>";
        let dom = Dom::parse(&format!("{MENU}{flat}"), &Url::parse("https://e.com/blog/").unwrap())
            .unwrap();
        let found = items(&dom);
        assert_eq!(found.len(), 2);
        assert_eq!(found[1].published.unwrap().to_string(), "2024-03-04T00:00:00Z");
        assert!(found[0].summary.text.starts_with("Words that"), "{}", found[0].summary.text);
        let lines = "<h2>2024</h2><ul><li>2024-01-02 <a href=/a>The first</a><li>2024-01-01 <a href=/b>The second</a></ul>\
            <h2>2023</h2><ul><li>2023-12-31 <a href=/c>The third</a></ul>";
        assert_eq!(titles(&format!("{MENU}{lines}")), ["The first", "The second", "The third"]);
        let table = "<table><tr><th>What<th>When<tr><td><a href=/a>The first</a><td>2 Jan 2024<tr><td><a href=/b>The second</a><td>1 Jan 2024</table>";
        assert_eq!(titles(table), ["The first", "The second"]);
    }

    #[test]
    fn a_page_without_a_list_has_none() {
        assert_eq!(titles("<p>Hello <a href='/x'>there</a></p>"), Vec::<String>::new());
        assert_eq!(titles(""), Vec::<String>::new());
        assert_eq!(
            titles("<ul><li><a href=/a>A</a><li><a href=/b>B</a></ul>"),
            Vec::<String>::new()
        );
    }
}
