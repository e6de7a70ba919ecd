//! Pages that list what is new, without a feed.
//!
//! By the rules of the settings, or by what the page shows: microformats, structured data that
//! lists articles, hAtom, else the block that is repeated. Gives the same [`Document`] as a feed.
//! A rule that matches nothing is an error that names it: a page that changed its face never
//! looks like a page whose items are gone.

mod day;

mod parts;

mod block;

mod microformats;

mod select;

pub mod article;

use std::collections::HashSet;

use url::Url;

use crate::extract::assemble::assemble;
use crate::extract::dom::Dom;
use crate::extract::raw::{Form, RawEntry, RawFeed, RawText};
use crate::extract::structured::{Graph, Kind, Place, Said, entry_of, things};
use crate::extract::{Document, Format, NotADocument, Quality, link, refusal, text};
use crate::model::source::PageRules;

/// Fewest articles of structured data that are a list: a single one may be what the page is.
const LISTED_MIN: usize = 2;

/// The items of the page in `bytes`, which may be packed with gzip, as the server at `base` (after
/// redirects) gave them with `content_type`.
///
/// # Errors
/// [`NotADocument`] names the rule that matches nothing or can't be used, says that no list can be
/// made out, or which limit is passed.
pub fn read(
    bytes: &[u8],
    content_type: Option<&str>,
    base: &Url,
    rules: &PageRules,
    items_max: usize,
) -> Result<Document, NotADocument> {
    let rules = select::compile(rules).map_err(|problems| {
        let (field, problem) = problems.into_iter().next().unwrap_or_default();
        NotADocument::BadRule { field, problem }
    })?;
    let bytes = text::unpack(bytes)?;
    let decoded = text::decode(&bytes, content_type, base.host_str());
    if decoded.text.trim().is_empty() {
        return Err(NotADocument::Empty);
    }
    let dom = Dom::parse(&decoded.text, base)?;
    let entries = match rules {
        Some(rules) => rules.items(&dom, items_max).map_err(|error| {
            // A page that checks for robots has no fault in its rules.
            let is_miss = matches!(error, NotADocument::NoMatch { .. });
            match refusal::of_text(&decoded.text, Some("html")) {
                challenge @ NotADocument::Challenge { .. } if is_miss => challenge,
                _ => error,
            }
        })?,
        None => found(&dom, base),
    };
    if entries.is_empty() {
        return Err(match refusal::of_text(&decoded.text, Some("html")) {
            NotADocument::Page { title, .. } => NotADocument::NoList { title },
            other => other,
        });
    }
    if entries.len() > items_max {
        return Err(NotADocument::TooManyItems { max: items_max });
    }
    let mut raw = RawFeed::new(Format::Page);
    raw.title = RawText::new(dom.title(), Form::Plain);
    raw.language = dom.language().unwrap_or_default().to_owned();
    raw.links.push(parts::link_in(&dom, base.as_str()));
    raw.entries = entries;
    Ok(assemble(raw, base, decoded.encoding, Quality::Whole))
}

/// What is wrong with rules of the settings: the key of each field below `select`, and one line.
/// Empty when they can be used.
pub fn check(rules: &PageRules) -> Vec<(&'static str, String)> {
    select::compile(rules).err().unwrap_or_default()
}

/// The items of a page without rules.
///
/// 1. microformats2. 2. Articles or links that structured data lists. 3. hAtom. 4. The repeated
///    block. 5. What the page itself is, if it is but one article.
fn found(dom: &Dom, base: &Url) -> Vec<RawEntry> {
    let marked = microformats::entries(dom);
    if marked.len() > 1 {
        return marked;
    }
    let said = Said::of(dom);
    let listed = listed(dom, &said, base);
    if listed.len() >= LISTED_MIN {
        return listed;
    }
    let older = microformats::hatom(dom);
    if !older.is_empty() {
        return older;
    }
    let repeated = block::items(dom);
    if !repeated.is_empty() && marked.is_empty() {
        return repeated;
    }
    if marked.is_empty() { listed } else { marked }
}

/// The articles of a page's structured data, and the links of its lists, that lead elsewhere and
/// have a name.
fn listed(dom: &Dom, said: &Said, base: &Url) -> Vec<RawEntry> {
    let own = [base, dom.base()].map(|url| link::canonical(url, false));
    for values in [&said.json_ld, &said.microdata] {
        let graph = Graph::new(values);
        let mut targets = HashSet::new();
        let mut entries = Vec::new();
        for thing in things(&graph) {
            if thing.kind == Kind::Product && thing.place != Place::Listed {
                continue;
            }
            let entry = entry_of(&graph, thing.value, dom.shared_base());
            let target = entry.links.iter().find_map(|link| {
                let (_, url) = dom.resolve(&link.href)?;
                Some((link::canonical(&url, false), link::canonical(&url, true)))
            });
            let Some((page, place)) = target else { continue };
            if own.contains(&page) && page == place {
                continue;
            }
            if !entry.title.is_empty() && targets.insert(place) {
                entries.push(entry);
            }
        }
        if entries.len() >= LISTED_MIN {
            return entries;
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(html: &str) -> Vec<String> {
        let base = Url::parse("https://e.com/blog").unwrap();
        match read(html.as_bytes(), None, &base, &PageRules::default(), 100) {
            Ok(document) => document
                .entries
                .into_iter()
                .map(|entry| format!("{} {}", entry.title, entry.link.unwrap_or_default()))
                .collect(),
            Err(error) => vec![error.to_string()],
        }
    }

    #[test]
    fn structured_lists_come_before_guesses() {
        let blog = r#"<script type="application/ld+json">{"@type": "Blog", "blogPost": [
            {"@type": "BlogPosting", "headline": "A", "url": "/a", "datePublished": "2024-01-02"},
            {"@type": "BlogPosting", "headline": "B", "mainEntityOfPage": {"@id": "https://e.com/b"}}]}</script>
            <ul><li><h2><a href=/x>X</a></h2><li><h2><a href=/y>Y</a></h2></ul>"#;
        assert_eq!(told(blog), ["A https://e.com/a", "B https://e.com/b"]);
        let nameless = blog.replace("headline", "other");
        assert_eq!(told(&nameless), ["X https://e.com/x", "Y https://e.com/y"]);
    }

    #[test]
    fn a_page_without_a_list_says_what_to_do() {
        assert_eq!(
            told("<title>Home</title><p>Hello"),
            [
                "no list of items can be made out in the page titled “Home”: name it with `select.item`"
            ]
        );
        assert_eq!(told("  "), ["the answer is empty"]);
    }

    #[test]
    fn a_small_change_of_the_page_keeps_the_choice() {
        let page = |posts: &[&str]| {
            let cards: String = posts
                .iter()
                .map(|it| format!("<div class=card><h3><a href='/{it}'>Post {it}</a></h3><p>Words of {it}.</p></div>"))
                .collect();
            format!(
                "<nav><a href=/1>Some long name one</a><a href=/2>Some long name two</a><a href=/3>Some long name three</a></nav>{cards}"
            )
        };
        assert_eq!(told(&page(&["a", "b", "c"])).len(), 3);
        assert_eq!(told(&page(&["x", "a", "b", "c", "d", "e"])).len(), 6);
        assert_eq!(told(&page(&["x", "y"])).len(), 2);
    }
}
