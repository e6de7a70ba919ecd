//! Why a document is no feed, in one line that says what to do about it.

use crate::extract::text::{DECODED_BYTES_MAX, NotText};
use crate::extract::{ATTRIBUTES_MAX, JSON_DEPTH_MAX, NAMESPACES_MAX, XML_DEPTH_MAX};
use crate::markup;

/// Longest page title that is quoted, in characters.
const TITLE_CHARS_MAX: usize = 80;

/// The document is no feed, or none that may be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotADocument {
    #[error("the answer is empty")]
    Empty,
    #[error("the gzip file is damaged: {0}")]
    Gzip(String),
    #[error("the document unpacks to more than {} MiB or far beyond its size", DECODED_BYTES_MAX >> 20)]
    Bomb,
    /// A page of another kind than the next three.
    #[error("it is a web page{}, not a feed{}", quoted(.title), named(.feed))]
    Page {
        title: String,
        /// The feed that the page advertises.
        feed: Option<String>,
    },
    #[error("it is a login page{}, not a feed", quoted(.title))]
    Login { title: String },
    #[error("it is a page that checks for robots{}, not a feed", quoted(.title))]
    Challenge { title: String },
    #[error("it is a directory listing{}, not a feed", quoted(.title))]
    Listing { title: String },
    #[error("it is {0}, not a feed")]
    OtherXml(String),
    #[error("it is JSON, but no JSON Feed: {0}")]
    OtherJson(String),
    #[error("it is neither XML nor JSON")]
    NotMarkup,
    /// A catalog that nothing here reads: what it holds instead, and what to do.
    #[error("unknown format: {0}")]
    UnknownFormat(String),
    #[error("it is a feed without products: set `kind = \"feed\"`")]
    NoProducts,
    /// Not what the settings say, or a thing that is never read; the whole line.
    #[error("{0}")]
    Unfit(String),
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    #[error("it has more than {max} items")]
    TooManyItems { max: usize },
    #[error("its elements are nested deeper than {}", XML_DEPTH_MAX)]
    TooDeep,
    #[error("its arrays and objects are nested deeper than {}", JSON_DEPTH_MAX)]
    JsonTooDeep,
    #[error("a tag has more than {} attributes", ATTRIBUTES_MAX)]
    TooManyAttributes,
    #[error("it declares more than {} namespaces", NAMESPACES_MAX)]
    TooManyNamespaces,
    #[error("the page has more than {max} elements and texts")]
    TooManyNodes { max: usize },
    #[error("the page's tags have more than {max} attributes")]
    TooManyPageAttributes { max: usize },
    /// A rule of the settings that has lost its page: the field's key and its selector.
    #[error("`select.{field}` matches nothing: `{css}`")]
    NoMatch { field: &'static str, css: String },
    /// A rule of the settings that can't be used.
    #[error("`select.{field}`: {problem}")]
    BadRule { field: &'static str, problem: String },
    #[error("no list of items can be made out in the page{}: name it with `select.item`", quoted(.title))]
    NoList { title: String },
    #[error("the page{} has no product", quoted(.title))]
    NoProduct { title: String },
}

impl From<NotText> for NotADocument {
    fn from(error: NotText) -> Self {
        match error {
            NotText::Gzip(why) => Self::Gzip(why),
            NotText::Bomb => Self::Bomb,
        }
    }
}

fn named(feed: &Option<String>) -> String {
    feed.as_ref().map(|feed| format!("; it names one: {feed}")).unwrap_or_default()
}

fn quoted(title: &str) -> String {
    if title.is_empty() { String::new() } else { format!(" titled “{title}”") }
}

/// What a text without the root of a feed is.
pub(crate) fn of_text(text: &str, root: Option<&str>) -> NotADocument {
    let root = root.map(|root| root.rsplit(':').next().unwrap_or(root).to_ascii_lowercase());
    match root.as_deref() {
        Some(
            "html" | "head" | "body" | "title" | "meta" | "script" | "div" | "p" | "link" | "style",
        ) => of_page(text),
        Some("urlset" | "sitemapindex") => NotADocument::OtherXml("a sitemap".into()),
        Some("opml") => NotADocument::OtherXml("an OPML list of feeds".into()),
        Some("yml_catalog") => NotADocument::OtherXml("a product catalog".into()),
        Some(other) => {
            let other: String = other.chars().take(40).filter(|c| !c.is_control()).collect();
            NotADocument::OtherXml(format!("an XML document of `{other}`"))
        }
        None if looks_like_page(text) => of_page(text),
        None => NotADocument::NotMarkup,
    }
}

/// [`of_text`] where something else than a feed is wanted: `a catalog`, `a sitemap`.
pub(crate) fn of_text_for(text: &str, root: Option<&str>, wanted: &str) -> NotADocument {
    match of_text(text, root) {
        NotADocument::NotMarkup => NotADocument::NotMarkup,
        other => {
            let line = other.to_string();
            let what = line.strip_suffix(", not a feed").unwrap_or(&line);
            NotADocument::Unfit(format!("{what}, not {wanted}"))
        }
    }
}

/// Whether the beginning is that of an HTML page, which need be no good XML.
pub(crate) fn looks_like_page(text: &str) -> bool {
    let head: String = text.chars().take(1024).collect::<String>().to_ascii_lowercase();
    ["<!doctype html", "<html", "<head", "<body"].iter().any(|sign| head.contains(sign))
}

fn of_page(text: &str) -> NotADocument {
    let text = text.get(..text.floor_char_boundary(64 << 10)).unwrap_or(text);
    let lower = text.to_ascii_lowercase();
    let title = title(text, &lower);
    let named = title.to_lowercase();
    let has = |signs: &[&str], place: &str| signs.iter().any(|sign| place.contains(sign));
    if has(
        &[
            "just a moment",
            "attention required",
            "checking your browser",
            "are you a robot",
            "captcha",
            "ddos-guard",
            "access denied",
            "security check",
            "human verification",
        ],
        &named,
    ) || has(
        &[
            "cf-challenge",
            "cf_chl_",
            "/cdn-cgi/challenge-platform",
            "g-recaptcha",
            "h-captcha",
            "_incapsula_resource",
            "ddos-guard",
        ],
        &lower,
    ) {
        return NotADocument::Challenge { title };
    }
    if has(
        &[
            "log in",
            "login",
            "sign in",
            "signin",
            "anmelden",
            "connexion",
            "autentificare",
            "iniciar sesi",
            "вход",
        ],
        &named,
    ) || has(&["type=\"password\"", "type='password'", "type=password"], &lower)
    {
        return NotADocument::Login { title };
    }
    if named.starts_with("index of /") {
        return NotADocument::Listing { title };
    }
    NotADocument::Page { title, feed: None }
}

/// The title of a page; empty when it has none.
pub(crate) fn title_of(text: &str) -> String {
    let text = text.get(..text.floor_char_boundary(64 << 10)).unwrap_or(text);
    title(text, &text.to_ascii_lowercase())
}

fn title(text: &str, lower: &str) -> String {
    let inner = lower.find("<title").and_then(|at| {
        let start = at + lower.get(at..)?.find('>')? + 1;
        let end = start + lower.get(start..)?.find("</title")?;
        text.get(start..end)
    });
    let plain = markup::plain(inner.unwrap_or_default());
    let title: String = plain.chars().filter(|c| !c.is_control()).take(TITLE_CHARS_MAX).collect();
    if title.len() < plain.len() { format!("{}…", title.trim_end()) } else { title }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_named_by_its_kind_and_title() {
        for (page, expected) in [
            (
                "<html><head><title>My  blog</title>",
                "it is a web page titled “My blog”, not a feed",
            ),
            (
                "<html><title>Just a moment...</title>",
                "it is a page that checks for robots titled “Just a moment...”, not a feed",
            ),
            (
                "<html><title>Welcome</title><input type=\"password\">",
                "it is a login page titled “Welcome”, not a feed",
            ),
            (
                "<html><title>Index of /feeds</title>",
                "it is a directory listing titled “Index of /feeds”, not a feed",
            ),
            ("<html><body>x", "it is a web page, not a feed"),
        ] {
            assert_eq!(of_text(page, Some("html")).to_string(), expected);
        }
    }

    #[test]
    fn other_xml_is_named_by_its_root() {
        assert_eq!(of_text("", Some("urlset")).to_string(), "it is a sitemap, not a feed");
        assert_eq!(
            of_text("", Some("x:note")).to_string(),
            "it is an XML document of `note`, not a feed"
        );
        assert_eq!(of_text("hello", None).to_string(), "it is neither XML nor JSON");
    }
}
