//! A page as a tree that selectors can be matched against.
//!
//! The tree is built from the scanner's tokens by the few rules of HTML that real pages rely on:
//! elements that hold nothing, ends that are left out, `html`, `head`, `body` and `tbody` that are
//! implied, content that is no markup. What browsers do with misnested formatting is not copied:
//! it can make a small page a huge tree. So time and memory grow with the page's length and with
//! nothing else.
//!
//! Limits: [`NODES_MAX`] and [`ATTRIBUTES_MAX`] refuse a page; what is nested deeper than
//! [`DEPTH_MAX`] hangs flat at that depth. Scripts, styles and templates are empty, but for
//! structured data.

mod build;

mod walk;

use scraper::{ElementRef, Html};
use url::Url;

pub(crate) use walk::{attr, is_within, text, text_within};

use crate::extract::{NotADocument, link};

/// Most elements and texts of a page: their tree takes about 200 bytes each.
pub const NODES_MAX: usize = 120_000;
/// Most attributes of a page.
pub const ATTRIBUTES_MAX: usize = 200_000;
/// Deepest nesting that is kept.
pub const DEPTH_MAX: usize = 200;

/// A page.
pub(crate) struct Dom {
    html: Html,
    base: Url,
}

impl Dom {
    /// Reads the page that `origin` gave.
    ///
    /// # Errors
    /// [`NotADocument`] when the page passes a limit.
    pub(crate) fn parse(text: &str, origin: &Url) -> Result<Self, NotADocument> {
        let mut dom = Self { html: build::build(text)?, base: origin.clone() };
        let base = dom.elements().find(|element| element.value().name() == "base");
        let href = base.and_then(|element| attr(element, "href"));
        if let Some((_, url)) = href.and_then(|href| link::resolve(href, &[Some(origin)])) {
            dom.base = url;
        }
        Ok(dom)
    }

    /// The `html` element.
    pub(crate) fn root(&self) -> ElementRef<'_> {
        self.html.root_element()
    }

    /// Every element, in document order.
    pub(crate) fn elements(&self) -> impl Iterator<Item = ElementRef<'_>> {
        self.html.tree.nodes().filter_map(ElementRef::wrap)
    }

    /// What relative addresses are relative to.
    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    /// The address as it may be shown and its parsed form.
    pub(crate) fn resolve(&self, href: &str) -> Option<(String, Url)> {
        link::resolve(href, &[Some(&self.base)])
    }

    /// The page's own title, from its head.
    pub(crate) fn title(&self) -> String {
        self.elements()
            .find(|element| element.value().name() == "title")
            .map(text)
            .unwrap_or_default()
    }

    /// As the page claims it.
    pub(crate) fn language(&self) -> Option<&str> {
        let root = self.root();
        attr(root, "lang").or_else(|| attr(root, "xml:lang")).filter(|lang| !lang.trim().is_empty())
    }

    /// Written as well-formed HTML: a parser of others meets no surprise in it.
    pub(crate) fn to_html(&self) -> String {
        self.html.html()
    }
}
