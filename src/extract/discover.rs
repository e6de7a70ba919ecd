//! What a page says about where its news can be read: feeds, platforms, the title.
//!
//! Reads the page's tags only, in one pass. It asks nothing and promises nothing of what stands at
//! the addresses: error pages are served as feeds, and feeds as pages.

use url::Url;

use crate::extract::{link, refusal};
use crate::markup::{self, Element, Scanner, Tag, Token};
use crate::model::source::CatalogFormat;

/// Most feeds that one page advertises.
pub const FEEDS_MAX: usize = 32;
/// How much of a page is searched for the marks of a platform, in bytes.
const MARKS_BYTES_MAX: usize = 1 << 20;
/// Longest title of a feed, in characters.
const TITLE_CHARS_MAX: usize = 120;

/// Media types that are feeds.
const TYPES: [&str; 4] =
    ["application/atom+xml", "application/rss+xml", "application/feed+json", "application/rdf+xml"];

/// Where feeds are when nothing says so, the likeliest first. Beginning with `/` below the site's
/// root, with `?` of the page itself.
const USUAL_PLACES: [&str; 19] = [
    "/feed",
    "/rss.xml",
    "/feed.xml",
    "/atom.xml",
    "/index.xml",
    "/rss",
    "/feed.json",
    "/blog/feed",
    "/blog/rss.xml",
    "/?feed=rss2",
    "/feeds/posts/default",
    "/news/feed",
    "/rss/news",
    "/blog-feed.xml",
    "/feed/atom/",
    "/index.rdf",
    "/rss.php",
    "?format=rss",
    "/news/rss.xml",
];

/// What a page says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Plain text; empty when it has none.
    pub title: String,
    /// Advertised by `link` elements, in document order, feeds of comments last.
    pub feeds: Vec<Advertised>,
    /// Linked to with an address that looks like a feed's, feeds of comments last.
    pub linked: Vec<Advertised>,
    /// Where a platform whose marks the page bears may give its products or posts.
    pub platforms: Vec<Platform>,
}

/// A feed that somebody names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advertised {
    pub url: Url,
    /// Plain text; empty when it has none.
    pub title: String,
}

/// A document of a platform's that is worth asking for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    pub format: CatalogFormat,
    pub url: Url,
}

/// Reads a page that was found at `address`.
pub fn page(html: &str, address: &Url) -> Page {
    let mut reader = Reader {
        base: address.clone(),
        has_base: false,
        feeds: vec![],
        linked: vec![],
        api: None,
        anchor: None,
    };
    reader.run(html);
    let title = refusal::title_of(html);
    Page {
        title,
        platforms: platforms(html, address, reader.api.as_ref()),
        feeds: ranked(reader.feeds),
        linked: ranked(reader.linked),
    }
}

/// The first feed that a page advertises, but for one of comments.
pub fn advertised(html: &str, address: &Url) -> Option<Url> {
    let feeds = page(html, address).feeds;
    feeds.into_iter().find(|feed| !is_of_comments(feed)).map(|feed| feed.url)
}

/// The feeds that the values of an answer's `Link` headers name. Source: RFC 8288 §3.
pub fn in_headers<'a>(values: impl IntoIterator<Item = &'a str>, address: &Url) -> Vec<Advertised> {
    let mut found = Vec::new();
    for value in values {
        let mut rest = value;
        while let Some((_, behind)) = rest.split_once('<') {
            let Some((href, behind)) = behind.split_once('>') else { break };
            let end = next_link(behind);
            let parameters = behind.get(..end).unwrap_or_default();
            rest = behind.get(end..).unwrap_or_default();
            let of = |name: &str| parameter(parameters, name).unwrap_or_default();
            if is_feed(&of("rel"), &of("type"))
                && let Some((_, url)) = link::resolve(href, &[Some(address)])
            {
                add(&mut found, url, &of("title"));
            }
        }
    }
    ranked(found)
}

/// Where a site's feed usually is, for a page at `address`.
pub fn usual_places(address: &Url) -> Vec<Url> {
    let places = USUAL_PLACES.iter().filter_map(|place| address.join(place).ok());
    let mut found: Vec<Url> = Vec::new();
    for mut url in places {
        url.set_fragment(None);
        if !found.contains(&url) && url != *address {
            found.push(url);
        }
    }
    found
}

struct Reader {
    base: Url,
    has_base: bool,
    feeds: Vec<Advertised>,
    linked: Vec<Advertised>,
    /// The root of WordPress's REST API.
    api: Option<Url>,
    /// Which of `linked` gets the text of the open anchor.
    anchor: Option<usize>,
}

impl Reader {
    fn run(&mut self, html: &str) {
        let mut scanner = Scanner::new(html);
        while let Some(token) = scanner.next() {
            match token {
                Token::Open(tag) => {
                    match tag.name.to_ascii_lowercase().as_str() {
                        "base" => self.base(&tag),
                        "link" => self.link(&tag),
                        "a" => self.anchor(&tag),
                        _ => {}
                    }
                    let element = Element::of(tag.name);
                    if element == Element::DroppedText {
                        scanner.skip_element(element, &tag);
                    }
                }
                Token::Close(name) if name.eq_ignore_ascii_case("a") => self.anchor = None,
                Token::Close(_) => {}
                Token::Text(text) => {
                    let anchor = self.anchor.and_then(|at| self.linked.get_mut(at));
                    if let Some(anchor) = anchor.filter(|anchor| anchor.title.is_empty()) {
                        anchor.title = short(text);
                    }
                }
            }
        }
    }

    /// The first base counts.
    fn base(&mut self, tag: &Tag<'_>) {
        let Some(href) = tag.attribute("href").filter(|_| !self.has_base) else { return };
        let stated = link::resolve(&href, &[Some(&self.base)]);
        if let Some((_, url)) = stated.filter(|(_, url)| link::is_base(url)) {
            self.base = url;
            self.has_base = true;
        }
    }

    fn link(&mut self, tag: &Tag<'_>) {
        let of = |name: &str| tag.attribute(name).unwrap_or_default();
        let rel = of("rel");
        let is_feed = is_feed(&rel, &of("type"));
        let is_api = rel.trim().eq_ignore_ascii_case("https://api.w.org/") && self.api.is_none();
        if !(is_feed || is_api) {
            return;
        }
        let Some((_, url)) = link::resolve(&of("href"), &[Some(&self.base)]) else { return };
        if is_feed {
            add(&mut self.feeds, url, &of("title"));
        } else {
            self.api = Some(url);
        }
    }

    fn anchor(&mut self, tag: &Tag<'_>) {
        self.anchor = None;
        let Some(href) = tag.attribute("href") else { return };
        let kind = tag.attribute("type").unwrap_or_default();
        if !(hints_at_feed(&href) || is_feed_type(&kind)) || self.linked.len() >= FEEDS_MAX {
            return;
        }
        let Some((_, url)) = link::resolve(&href, &[Some(&self.base)]) else { return };
        if !looks_like_feed(&url) && !is_feed_type(&kind) {
            return;
        }
        let before = self.linked.len();
        add(&mut self.linked, url, &tag.attribute("title").unwrap_or_default());
        self.anchor = (self.linked.len() > before).then_some(before);
    }
}

/// Whether a relation of that type leads to a feed.
fn is_feed(rel: &str, kind: &str) -> bool {
    let has = |word: &str| rel.split_ascii_whitespace().any(|it| it.eq_ignore_ascii_case(word));
    has("feed") || has("alternate") && !has("stylesheet") && is_feed_type(kind)
}

fn is_feed_type(kind: &str) -> bool {
    let bare = kind.split(';').next().unwrap_or_default().trim();
    TYPES.iter().any(|known| bare.eq_ignore_ascii_case(known))
}

/// Whether an address can be one that [`looks_like_feed`]: most anchors need no closer look.
fn hints_at_feed(href: &str) -> bool {
    let lower = href.to_ascii_lowercase();
    ["feed", "rss", "atom", "rdf"].iter().any(|hint| lower.contains(hint))
}

/// Whether an address ends as feeds' do.
fn looks_like_feed(url: &Url) -> bool {
    const NAMES: [&str; 9] = [
        "feed",
        "rss",
        "atom",
        "rss.xml",
        "atom.xml",
        "feed.xml",
        "index.rdf",
        "feed.json",
        "rss.php",
    ];
    let path = url.path().trim_end_matches('/').to_ascii_lowercase();
    let name = path.rsplit('/').next().unwrap_or_default();
    let ends = [".rss", ".atom", ".rdf"].iter().any(|end| name.ends_with(end) && name != *end);
    let asks = url.query_pairs().any(|(name, value)| {
        name == "feed" && matches!(&*value, "rss2" | "rss" | "atom")
            || name == "format" && matches!(&*value, "rss" | "atom" | "feed")
    });
    NAMES.contains(&name) || ends || asks || path.ends_with("/feeds/posts/default")
}

fn add(found: &mut Vec<Advertised>, mut url: Url, title: &str) {
    url.set_fragment(None);
    if found.len() < FEEDS_MAX && !found.iter().any(|known| known.url == url) {
        found.push(Advertised { url, title: short(title) });
    }
}

fn short(text: &str) -> String {
    markup::plain(text).chars().take(TITLE_CHARS_MAX).collect()
}

/// Feeds of comments below the others, which stay as they are.
fn ranked(mut feeds: Vec<Advertised>) -> Vec<Advertised> {
    feeds.sort_by_key(is_of_comments);
    feeds
}

fn is_of_comments(feed: &Advertised) -> bool {
    let (path, title) = (feed.url.path().to_lowercase(), feed.title.to_lowercase());
    let words = ["comment", "kommentar", "comentari", "коммент", "комент"];
    words.iter().any(|word| path.contains(word) || title.contains(word))
}

/// By the marks that a platform leaves in its pages.
fn platforms(html: &str, address: &Url, api: Option<&Url>) -> Vec<Platform> {
    let html = html.get(..html.floor_char_boundary(MARKS_BYTES_MAX)).unwrap_or(html);
    let bytes = html.as_bytes();
    let bears = |marks: &[&str]| {
        marks.iter().any(|mark| memchr::memmem::find(bytes, mark.as_bytes()).is_some())
    };
    let below = |root: &Url, path: &str| root.join(path).ok();
    let page = |pairs: &[(&str, &str)]| {
        let mut url = address.clone();
        url.set_fragment(None);
        url.query_pairs_mut().extend_pairs(pairs);
        url
    };
    let mut found = Vec::new();
    let mut propose = |format: CatalogFormat, url: Option<Url>| {
        found.extend(url.map(|url| Platform { format, url }));
    };
    if bears(&["cdn.shopify.com", "Shopify.theme", "Shopify.shop", "/cdn/shop/"]) {
        propose(CatalogFormat::Shopify, below(address, "/products.json?limit=250"));
    }
    let is_wordpress = api.is_some() || bears(&["/wp-content/", "/wp-includes/", "/wp-json/"]);
    let root = api.cloned().or_else(|| below(address, "/wp-json/")).filter(|_| is_wordpress);
    let route = |path: &str| {
        let root = root.as_ref()?;
        match root.query_pairs().find(|(name, _)| name == "rest_route") {
            // Without readable addresses the API hangs on a parameter.
            Some(_) => below(root, &format!("/?rest_route=/{path}")),
            None => below(root, path),
        }
    };
    let per_page = |url: Option<Url>, more: &[(&str, &str)]| {
        let mut url = url?;
        url.query_pairs_mut().append_pair("per_page", "100").extend_pairs(more);
        Some(url)
    };
    if bears(&["/plugins/woocommerce/", "woocommerce-page", "wc-ajax", "content=\"WooCommerce"]) {
        propose(CatalogFormat::Woocommerce, per_page(route("wc/store/v1/products"), &[]));
    }
    if bears(&["static1.squarespace.com", "squarespace-cdn.com", "SQUARESPACE_CONTEXT"]) {
        propose(CatalogFormat::Squarespace, Some(page(&[("format", "json")])));
    }
    if bears(&["var prestashop", "content=\"PrestaShop\"", "prestashop.min.js", "/modules/ps_"]) {
        propose(CatalogFormat::Prestashop, Some(page(&[("ajax", "1")])));
    }
    if is_wordpress {
        propose(CatalogFormat::Wordpress, per_page(route("wp/v2/posts"), &[("_embed", "1")]));
    }
    found
}

/// Where the next link of a header begins: behind a comma that stands in no quotes.
fn next_link(parameters: &str) -> usize {
    let mut quoted = false;
    for (at, byte) in parameters.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b',' if !quoted => return at + 1,
            _ => {}
        }
    }
    parameters.len()
}

/// The value of a link's parameter, without its quotes.
fn parameter(parameters: &str, wanted: &str) -> Option<String> {
    let mut rest = parameters;
    loop {
        let (_, behind) = rest.split_once(';')?;
        let (name, value) = match behind.split_once('=') {
            Some(found) if !found.0.contains(';') => found,
            _ => {
                rest = behind;
                continue;
            }
        };
        let value = value.trim_start();
        let (value, tail) = match value.strip_prefix('"') {
            Some(inner) => inner.split_once('"').unwrap_or((inner, "")),
            None => value.split_at(value.find([';', ',']).unwrap_or(value.len())),
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value.trim().to_owned());
        }
        rest = tail;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(html: &str) -> Page {
        page(html, &Url::parse("https://e.com/blog/post.html").unwrap())
    }

    fn feeds(html: &str) -> Vec<String> {
        read(html).feeds.into_iter().map(|feed| feed.url.to_string()).collect()
    }

    #[test]
    fn a_feed_is_found_in_every_legal_spelling() {
        for (html, expected) in [
            ("<link rel=alternate type=application/rss+xml href=/feed>", "https://e.com/feed"),
            (
                "<LINK REL='ALTERNATE' TYPE='Application/Atom+XML' HREF='a.xml'>",
                "https://e.com/blog/a.xml",
            ),
            (
                "<link href='//cdn.e.com/f' type='application/feed+json; charset=utf-8' rel='foo alternate bar'/>",
                "https://cdn.e.com/f",
            ),
            (
                "<base href='https://b.example/x/'><link rel='alternate' type='application/rss+xml' href='f?a=1&amp;b=2'>",
                "https://b.example/x/f?a=1&b=2",
            ),
            ("<body><div><link rel=\"feed\" href=\"/f\"></div>", "https://e.com/f"),
            ("<link rel='alternate' type='application/rdf+xml' href='/&#x66;'>", "https://e.com/f"),
            (
                "<link\nrel='alternate'\n\ttype='application/rss+xml'\nhref='\n/f\n'\n>",
                "https://e.com/f",
            ),
        ] {
            assert_eq!(feeds(html), [expected], "{html}");
        }
    }

    #[test]
    fn what_is_no_feed_is_passed_over() {
        for html in [
            "<link rel='alternate' type='application/ atom+xml' href='/404'>",
            "<link rel='alternate' href='/ro' hreflang='ro'>",
            "<link rel='alternate stylesheet' type='application/rss+xml' href='/s'>",
            "<link rel='alternate' type='application/json+oembed' href='/o'>",
            "<link rel='alternate' type='application/json' href='/wp-json/wp/v2/pages/1'>",
            "<link rel='stylesheet' type='application/rss+xml' href='/s'>",
            "<!-- <link rel='alternate' type='application/rss+xml' href='/f'> -->",
            "<script>'<link rel=alternate type=application/rss+xml href=/f>'</script>",
            "<link rel='alternate' type='application/rss+xml' href='javascript:x'>",
            "<link rel='alternate' type='application/rss+xml'>",
        ] {
            assert_eq!(feeds(html), [""; 0], "{html}");
        }
    }

    #[test]
    fn feeds_of_comments_stand_below_the_others_and_are_never_the_hint() {
        let html = "<title>My &amp; blog</title>\
            <link rel='alternate' type='application/rss+xml' title='Blog » Comments Feed' href='/c'>\
            <link rel='alternate' type='application/rss+xml' href='/comments/feed/'>\
            <link rel='alternate' type='application/rss+xml' title='Blog » Feed' href='/feed/'>\
            <link rel='alternate' type='application/rss+xml' href='/feed/#x'>";
        assert_eq!(
            feeds(html),
            ["https://e.com/feed/", "https://e.com/c", "https://e.com/comments/feed/"]
        );
        assert_eq!(read(html).title, "My & blog");
        let address = Url::parse("https://e.com/").unwrap();
        assert_eq!(advertised(html, &address).unwrap().path(), "/feed/");
        assert_eq!(advertised("<link rel=feed href=/comments/feed>", &address), None);
    }

    #[test]
    fn anchors_to_feeds_are_found_by_their_addresses() {
        let html = "<a href='/about'>About</a><a href='/rss.xml'><b>News</b> by RSS</a>\
            <a href='/tag/x/feed/'></a><a href='https://e.com/?feed=rss2' title='All'>x</a>\
            <a href='/feedback'>no</a><a href='/x.atom'>x</a>";
        let found = read(html).linked;
        let shown: Vec<_> =
            found.iter().map(|one| (one.url.as_str(), one.title.as_str())).collect();
        assert_eq!(
            shown,
            [
                ("https://e.com/rss.xml", "News"),
                ("https://e.com/tag/x/feed/", ""),
                ("https://e.com/?feed=rss2", "All"),
                ("https://e.com/x.atom", "x"),
            ]
        );
    }

    #[test]
    fn headers_name_feeds_too() {
        let address = Url::parse("https://e.com/a/").unwrap();
        let values = [
            "</feed>; rel=\"alternate\"; type=\"application/rss+xml\"; title=\"A, b; c\", <https://e.com/wp-json/>; rel=\"https://api.w.org/\"",
            "<x.json>;type=application/feed+json;rel=alternate",
            "<unclosed",
        ];
        let found = in_headers(values, &address);
        let shown: Vec<_> =
            found.iter().map(|one| (one.url.as_str(), one.title.as_str())).collect();
        assert_eq!(shown, [("https://e.com/feed", "A, b; c"), ("https://e.com/a/x.json", "")]);
    }

    #[test]
    fn platforms_are_known_by_their_marks() {
        use CatalogFormat::{Prestashop, Shopify, Squarespace, Woocommerce, Wordpress};
        for (html, expected) in [
            ("<p>nothing</p>", vec![]),
            (
                "<script src='//cdn.shopify.com/x.js'></script>",
                vec![(Shopify, "https://e.com/products.json?limit=250")],
            ),
            (
                "<link rel='https://api.w.org/' href='https://e.com/de/wp-json/'><img src='/wp-content/plugins/woocommerce/a.png'>",
                vec![
                    (Woocommerce, "https://e.com/de/wp-json/wc/store/v1/products?per_page=100"),
                    (Wordpress, "https://e.com/de/wp-json/wp/v2/posts?per_page=100&_embed=1"),
                ],
            ),
            (
                "<link rel='https://api.w.org/' href='https://e.com/index.php?rest_route=/'>",
                vec![(Wordpress, "https://e.com/?rest_route=/wp/v2/posts&per_page=100&_embed=1")],
            ),
            (
                "<img src='https://images.squarespace-cdn.com/a'>",
                vec![(Squarespace, "https://e.com/blog/post.html?format=json")],
            ),
            (
                "<script>var prestashop = {}</script>",
                vec![(Prestashop, "https://e.com/blog/post.html?ajax=1")],
            ),
        ] {
            let found = read(html).platforms;
            let shown: Vec<_> = found.iter().map(|one| (one.format, one.url.as_str())).collect();
            assert_eq!(shown, expected, "{html}");
        }
    }

    #[test]
    fn the_usual_places_are_of_the_site_and_each_once() {
        let places = usual_places(&Url::parse("https://e.com/blog/?x=1#y").unwrap());
        assert_eq!(places[0].as_str(), "https://e.com/feed");
        assert!(places.iter().any(|url| url.as_str() == "https://e.com/blog/?format=rss"));
        assert!(places.len() <= USUAL_PLACES.len());
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(html in "(<link |<a |<base |rel=|href=|alternate|feed|[<>\"'=/ ]|&#|\\PC){0,60}") {
            let _ = read(&html);
            let address = Url::parse("https://e.com/").unwrap();
            let _ = in_headers([html.as_str()], &address);
        }
    }
}
