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

mod write;

use std::sync::Arc;

use scraper::{ElementRef, Html};
use url::Url;

pub(crate) use build::Id as NodeId;
pub(crate) use walk::{attr, is_within, text, text_within};
pub(crate) use write::Weight;

use crate::extract::{NotADocument, link};

/// Most elements and texts of a page: their tree takes about 200 bytes each.
pub const NODES_MAX: usize = 120_000;
/// Most attributes of a page.
pub const ATTRIBUTES_MAX: usize = 200_000;
/// Longest language that is one, in bytes: each item has a copy.
const LANGUAGE_BYTES_MAX: usize = 64;
/// Deepest nesting that is kept.
pub const DEPTH_MAX: usize = 200;

/// The HTML of an element and all within it.
pub(crate) fn outer_html(element: ElementRef<'_>) -> String {
    write::html(*element, false)
}

/// The HTML of all within an element.
pub(crate) fn inner_html(element: ElementRef<'_>) -> String {
    write::html(*element, true)
}

/// A page.
pub(crate) struct Dom {
    html: Html,
    base: Arc<Url>,
}

impl Dom {
    /// Reads the page that `origin` gave.
    ///
    /// # Errors
    /// [`NotADocument`] when the page passes a limit.
    pub(crate) fn parse(text: &str, origin: &Url) -> Result<Self, NotADocument> {
        let mut dom = Self { html: build::build(text)?, base: Arc::new(origin.clone()) };
        let base = dom.elements().find(|element| element.value().name() == "base");
        let href = base.and_then(|element| attr(element, "href"));
        let stated = href.and_then(|href| link::resolve(href, &[Some(origin)]));
        if let Some((_, url)) = stated.filter(|(_, url)| link::is_base(url)) {
            dom.base = Arc::new(url);
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

    /// The same, for all that keep it.
    pub(crate) fn shared_base(&self) -> &Arc<Url> {
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
        let stated = attr(root, "lang").or_else(|| attr(root, "xml:lang"));
        stated.filter(|language| language.len() <= LANGUAGE_BYTES_MAX)
    }

    /// Written as well-formed HTML: a parser of others meets no surprise in it.
    pub(crate) fn to_html(&self) -> String {
        write::html(*self.root(), false)
    }

    pub(crate) fn weight(&self) -> Weight {
        write::weight(*self.root())
    }
}
