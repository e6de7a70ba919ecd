//! What pages say about themselves to machines: JSON-LD, microdata, Open Graph.
//!
//! JSON-LD and microdata are read into the same values, so that one reader of `things` serves
//! both. Order of trust: JSON-LD, microdata, Open Graph; a lower one only fills what the higher
//! ones leave open. A broken block costs the block, never the page.

mod json_ld;

mod microdata;

mod meta;

mod graph;

mod things;

mod product;

mod story;

mod rows;

use serde_json::Value;
use url::Url;

pub(crate) use graph::Graph;
pub(crate) use meta::Meta;
pub use rows::{pick, rows, scan};
pub(crate) use story::entry_of;
pub(crate) use things::{Kind, Place, Thing, things};

use crate::extract::NotADocument;
use crate::extract::dom::Dom;

/// The values of a page's JSON-LD and those of its microdata, each in document order: for people
/// and tests that want to see what a page says.
///
/// # Errors
/// [`NotADocument`] when the page passes a limit.
pub fn values(html: &str, base: &Url) -> Result<[Vec<Value>; 2], NotADocument> {
    let said = Said::of(&Dom::parse(html, base)?);
    Ok([said.json_ld, said.microdata])
}

/// Everything that a page says about itself.
pub(crate) struct Said {
    pub meta: Meta,
    /// The blocks of JSON-LD that could be read, in document order.
    pub json_ld: Vec<Value>,
    /// The topmost items of microdata, in document order.
    pub microdata: Vec<Value>,
}

impl Said {
    pub(crate) fn of(dom: &Dom) -> Self {
        Self {
            meta: Meta::of(dom),
            json_ld: json_ld::blocks(dom),
            microdata: microdata::items(dom),
        }
    }
}
