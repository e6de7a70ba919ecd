//! OPML: lists of feeds, as feed readers exchange them.
//!
//! Source: <http://opml.org/spec2.opml>.

use std::collections::HashSet;

use url::Url;

use crate::extract::refusal::{self, NotADocument};
use crate::extract::tokens::{Mode, Tag, Token, Tokens};
use crate::extract::{assemble, link, repair, text};
use crate::markup;

/// Most feeds of one list.
pub const OUTLINES_MAX: usize = 10_000;

/// Most folders that one feed stands in.
const FOLDERS_MAX: usize = 16;

/// One feed of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    /// Plain text; empty when there is none.
    pub title: String,
    /// The feed's address.
    pub feed: Url,
    /// The page it belongs to.
    pub page: Option<Url>,
    /// The folders around it, outermost first, then its categories; each once.
    pub categories: Vec<String>,
}

/// The feeds in a list, in document order; outlines without a feed's address are folders.
///
/// # Errors
/// [`NotADocument`] says in one line what it is instead, or which limit it passes.
pub fn read(bytes: &[u8], content_type: Option<&str>) -> Result<Vec<Outline>, NotADocument> {
    let bytes = text::unpack(bytes)?;
    let decoded = text::decode(&bytes, content_type, None);
    let whole = decoded.text.trim_start_matches(|c: char| c.is_whitespace() || c == '\0');
    if whole.is_empty() {
        return Err(NotADocument::Empty);
    }
    let start = repair::root_start(whole).filter(|start| is_opml(whole.get(*start..)));
    let Some(start) = start else {
        let name = whole.trim_start_matches('<').split([' ', '>', '\n']).next();
        let root = name.filter(|_| whole.starts_with('<') && !whole.starts_with("<!"));
        return Err(refusal::of_text_for(whole, root, "an OPML list of feeds"));
    };
    let (found, is_whole) = pass(whole.get(start..).unwrap_or(whole), Mode::Strict)?;
    if is_whole {
        return Ok(found);
    }
    pass(&repair::repair(whole), Mode::Tolerant).map(|(found, _)| found)
}

/// The list as OPML 2.0. Folders become categories.
pub fn write(title: &str, outlines: &[Outline]) -> String {
    let mut out =
        String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<opml version=\"2.0\">\n");
    out.push_str("  <head>\n    <title>");
    markup::escape_into(title, &mut out);
    out.push_str("</title>\n  </head>\n  <body>\n");
    for outline in outlines {
        out.push_str("    <outline type=\"rss\"");
        let mut add = |name: &str, value: &str| {
            out.push_str(&format!(" {name}=\""));
            markup::escape_into(value, &mut out);
            out.push('"');
        };
        // `text` is what the specification wants, `title` what most readers show.
        add("text", &outline.title);
        add("title", &outline.title);
        add("xmlUrl", outline.feed.as_str());
        if let Some(page) = &outline.page {
            add("htmlUrl", page.as_str());
        }
        if !outline.categories.is_empty() {
            let paths: Vec<String> =
                outline.categories.iter().map(|name| name.replace(',', " ")).collect();
            add("category", &paths.join(","));
        }
        out.push_str("/>\n");
    }
    out.push_str("  </body>\n</opml>\n");
    out
}

fn is_opml(text: Option<&str>) -> bool {
    text.and_then(|text| text.get(1..5)).is_some_and(|name| name.eq_ignore_ascii_case("opml"))
}

fn pass(text: &str, mode: Mode) -> Result<(Vec<Outline>, bool), NotADocument> {
    let mut tokens = Tokens::new(text, mode, None);
    let mut found: Vec<Outline> = Vec::new();
    let mut seen: HashSet<Url> = HashSet::new();
    // The name of each open outline; feeds have none.
    let mut folders: Vec<String> = Vec::new();
    // Which of the open elements are outlines.
    let mut open: Vec<bool> = Vec::new();
    loop {
        match tokens.next()? {
            Token::Start(tag) => {
                let is_outline = tag.local == "outline";
                open.push(is_outline);
                if !is_outline {
                    continue;
                }
                let name = name_of(&tag);
                match feed_of(&tag) {
                    Some(feed) => {
                        let outline = outline(&tag, name, feed, &folders);
                        if seen.insert(outline.feed.clone()) {
                            found.push(outline);
                        }
                        folders.push(String::new());
                    }
                    None => folders.push(name),
                }
                if found.len() > OUTLINES_MAX {
                    return Err(NotADocument::TooManyItems { max: OUTLINES_MAX });
                }
            }
            Token::End => {
                if open.pop() == Some(true) {
                    folders.pop();
                }
            }
            Token::Text(_) => {}
            Token::Cut => return Ok((found, false)),
            Token::Done => return Ok((found, true)),
        }
    }
}

fn name_of(tag: &Tag<'_>) -> String {
    let named = ["title", "text"].iter().filter_map(|name| tag.attribute(name));
    let named = named.map(markup::plain).find(|name| !name.is_empty());
    named.map(assemble::capped).unwrap_or_default()
}

/// `xmlUrl`, or `url` of an outline that says that it is a feed.
fn feed_of(tag: &Tag<'_>) -> Option<Url> {
    let is_feed = || {
        let kind = tag.attribute("type").unwrap_or_default().to_ascii_lowercase();
        matches!(kind.as_str(), "rss" | "atom" | "feed" | "rss1" | "jsonfeed")
    };
    let href = tag.attribute("xmlUrl").or_else(|| tag.attribute("url").filter(|_| is_feed()))?;
    // `feed:` is an old way to write a feed's address.
    let href = href.trim();
    let bare = href.strip_prefix("feed:").unwrap_or(href);
    if let Some(rest) = bare.strip_prefix("//") {
        return link::absolute(&format!("http://{rest}"));
    }
    link::absolute(bare)
}

fn outline(tag: &Tag<'_>, title: String, feed: Url, folders: &[String]) -> Outline {
    let own = tag.attribute("category").unwrap_or_default().split(',');
    let own = own.map(|path| markup::plain(path.trim().trim_matches('/')));
    let mut categories: Vec<String> = Vec::new();
    for name in folders.iter().cloned().chain(own) {
        if !name.is_empty() && !categories.contains(&name) && categories.len() < FOLDERS_MAX {
            categories.push(name);
        }
    }
    let page = tag.attribute("htmlUrl").and_then(link::absolute);
    Outline { title, feed, page, categories }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outlines(text: &str) -> Vec<Outline> {
        read(text.as_bytes(), None).unwrap()
    }

    #[test]
    fn nested_folders_become_categories() {
        let found = outlines(
            "<?xml version='1.0'?><opml version='1.1'><head><title>x</title></head><body>\
             <outline text='News'><outline title='Știri' text='n'>\
             <outline type='rss' text='A &amp;amp; B' xmlUrl='https://e.com/feed?a=1&amp;b=2' htmlUrl='https://e.com/' category='/Tech/Rust,News'/>\
             </outline><outline TEXT='C' XMLURL='feed:https://c.example/rss'/></outline>\
             <outline type='link' text='no feed' url='https://e.com/x'/>\
             <outline type='rss' text='D' url='http://d.example/'/>\
             <outline text='again' xmlUrl='https://e.com/feed?a=1&amp;b=2'/></body></opml>",
        );
        let shown: Vec<_> = found
            .iter()
            .map(|one| (one.title.as_str(), one.feed.as_str(), one.categories.join("|")))
            .collect();
        assert_eq!(
            shown,
            [
                ("A & B", "https://e.com/feed?a=1&b=2", "News|Știri|Tech/Rust".to_owned()),
                ("C", "https://c.example/rss", "News".to_owned()),
                ("D", "http://d.example/", String::new()),
            ]
        );
        assert_eq!(found[0].page.as_ref().unwrap().as_str(), "https://e.com/");
    }

    #[test]
    fn an_ill_formed_list_is_read_after_repair() {
        let found = outlines(
            "\n<opml><body><outline text='A & B' xmlUrl='https://e.com/feed?a=1&b=2'>\
             <outline text='C' xmlUrl='https://c.example/feed'/></body></opml>",
        );
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].feed.as_str(), "https://e.com/feed?a=1&b=2");
    }

    #[test]
    fn what_is_written_is_read_back() {
        let outline = Outline {
            title: "A & \"B\" <c>".into(),
            feed: Url::parse("https://e.com/feed?a=1&b=2").unwrap(),
            page: Url::parse("https://e.com/").ok(),
            categories: vec!["Știri".into(), "x".into()],
        };
        let bare = Outline {
            title: "C".into(),
            feed: Url::parse("https://c.example/feed").unwrap(),
            page: None,
            categories: vec![],
        };
        let list = [outline, bare];
        let text = write("All & more", &list);
        assert!(text.contains("<title>All &amp; more</title>"));
        let found = outlines(&text);
        // Titles are read as markup, which `<c>` is then.
        assert_eq!(found[0].title, "A & \"B\"");
        assert_eq!(found[1], list[1]);
        assert_eq!((&found[0].feed, &found[0].categories), (&list[0].feed, &list[0].categories));
    }

    #[test]
    fn what_is_no_list_is_refused_in_one_line() {
        for (text, expected) in [
            ("<rss version='2.0'/>", "it is an XML document of `rss`, not an OPML list of feeds"),
            (
                "<!DOCTYPE html><title>Blog</title>",
                "it is a web page titled “Blog”, not an OPML list of feeds",
            ),
            ("", "the answer is empty"),
        ] {
            let refused = read(text.as_bytes(), None).map_err(|error| error.to_string());
            assert_eq!(refused, Err(expected.to_owned()));
        }
    }
}
