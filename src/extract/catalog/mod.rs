//! Catalogs: documents of products, of any size, row by row.
//!
//! Two passes. [`scan`] goes through the whole document once and boils every row down to a
//! [`Listing`]; nothing else of it is kept. [`pick`] then reads the few rows that changed, whole,
//! from where they stand. So the memory for a catalog of a million products is that of its
//! listings, and a broken row costs one row.

mod recognise;

mod stream;

pub mod unpack;

pub mod price;

pub mod availability;

pub mod listing;

mod rows;

mod sheet;

mod field;

mod effective;

mod record;

mod merchant;

mod yml;

mod shopify_atom;

mod mapped;

mod records;

mod delimited;

mod xml;

mod tally;

mod whole;

pub(crate) mod json;

mod paging;

use std::io::{Read, Seek};

use url::Url;

use crate::extract::catalog::recognise::Shape;
use crate::extract::catalog::stream::Stream;
use crate::extract::{Entry, NotADocument, Quality, structured};
use crate::model::listing::Listing;
use crate::model::offer::Currency;
use crate::model::source::{CatalogFormat, Mapping};
use crate::model::time::Timestamp;

/// A document that can be read from anywhere: bytes in memory, or a file. Never packed.
pub trait Text: Read + Seek {}

impl<T: Read + Seek> Text for T {}

/// What a catalog is read with.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// [`CatalogFormat::Auto`] goes by content.
    pub format: CatalogFormat,
    /// Only for [`CatalogFormat::Mapped`].
    pub mapping: Option<&'a Mapping>,
    /// The address that gave the document.
    pub base: &'a Url,
    pub content_type: Option<&'a str>,
    /// For amounts that name no currency.
    pub currency: Option<Currency>,
    /// Decides which sales are in force.
    pub now: Timestamp,
    /// With more rows it is not read.
    pub items_max: usize,
}

impl<'a> Options<'a> {
    /// Recognition by content, and nothing known but where the document is.
    pub fn plain(base: &'a Url) -> Self {
        Self {
            format: CatalogFormat::Auto,
            mapping: None,
            base,
            content_type: None,
            currency: None,
            now: Timestamp::default(),
            items_max: usize::MAX,
        }
    }
}

/// What a pass over a whole document found, beside its listings.
#[derive(Clone, Debug, PartialEq)]
pub struct Scan {
    /// What the document is; never [`CatalogFormat::Auto`].
    pub format: CatalogFormat,
    /// Name of the encoding the bytes were read in.
    pub encoding: &'static str,
    pub quality: Quality,
    /// What is absent may have been left out: a page of newest things, an archive's first page.
    pub is_window: bool,
    /// Rows of the document, repetitions and rows that could not be read included.
    pub rows: u64,
    /// Rows that could not be read.
    pub lost: u64,
    /// Where the catalog goes on, if it has more pages.
    pub next: Option<Url>,
    /// The next instant at which a sale begins or ends, without a byte changing.
    pub turns_at: Option<Timestamp>,
    /// One line each for people: a ragged row, a column that is missing.
    pub remarks: Vec<String>,
}

/// One row in full.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// With an offer, if it is a product. Of a product whose variants stand in its own row, all.
    pub entry: Entry,
    /// The id of the product that the row is a variant of.
    pub group: Option<String>,
    pub place: u64,
}

/// Goes through the document once and hands every row's listings to `each`, in document order.
///
/// # Errors
/// [`NotADocument`] when it is no catalog of the format, or passes a limit.
pub fn scan(
    document: &mut dyn Text,
    options: &Options<'_>,
    each: &mut dyn FnMut(Listing),
) -> Result<Scan, NotADocument> {
    let mut stream = Stream::open(document, options)?;
    let format = match options.format {
        CatalogFormat::Auto => recognise::format(stream.head())?,
        stated => stated,
    };
    let reader = reader(format, recognise::shape(stream.head()))?;
    match reader {
        Reader::Xml => xml::scan(&mut stream, options, format, each),
        Reader::Delimited => delimited::scan(&mut stream, options, format, each),
        Reader::Json => json::scan(document, options, each),
        Reader::Page => structured::scan(document, options, each),
    }
}

/// Reads the rows at `places`, which a [`scan`] of the same document gave as `format`.
///
/// In the order of `places`; a row that can't be read any more is left out.
///
/// # Errors
/// [`NotADocument`] when the document can't be read again.
pub fn pick(
    document: &mut dyn Text,
    options: &Options<'_>,
    format: CatalogFormat,
    places: &[u64],
) -> Result<Vec<Row>, NotADocument> {
    let mut stream = Stream::open(document, options)?;
    let reader = reader(format, recognise::shape(stream.head()))?;
    match reader {
        Reader::Xml => xml::pick(&mut stream, options, format, places),
        Reader::Delimited => delimited::pick(&mut stream, options, format, places),
        Reader::Json => json::pick(document, options, format, places),
        Reader::Page => structured::pick(document, options, places),
    }
}

/// What goes through a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    Xml,
    Delimited,
    Json,
    Page,
}

/// The reader for a format, and for the shape where the format leaves that open.
///
/// # Errors
/// [`NotADocument::Unfit`] when the document cannot be of the format.
fn reader(format: CatalogFormat, shape: Shape) -> Result<Reader, NotADocument> {
    match (format, shape) {
        (CatalogFormat::Csv, Shape::Delimited) | (CatalogFormat::Mapped, Shape::Delimited) => {
            Ok(Reader::Delimited)
        }
        (
            CatalogFormat::Merchant
            | CatalogFormat::Yml
            | CatalogFormat::ShopifyAtom
            | CatalogFormat::Mapped,
            Shape::Xml,
        ) => Ok(Reader::Xml),
        // The reader itself says what a document of another platform or a page is.
        (
            CatalogFormat::Shopify
            | CatalogFormat::Woocommerce
            | CatalogFormat::Wordpress
            | CatalogFormat::Squarespace
            | CatalogFormat::Prestashop,
            _,
        )
        | (CatalogFormat::Mapped, Shape::Json) => Ok(Reader::Json),
        // A piece of a page can look like XML.
        (CatalogFormat::JsonLd, Shape::Page | Shape::Xml) => Ok(Reader::Page),
        (_, shape) => Err(NotADocument::Unfit(format!("it is {}", shape.as_str()))),
    }
}

/// Where a catalog of `format` begins, for a site's address as people write it: a shop's home
/// becomes its first page of products. Any other address stays as it is.
pub fn first_page(format: CatalogFormat, url: &Url) -> Url {
    paging::first(format, url)
}

/// A second document that tells the currency, for formats that do not say it themselves.
pub fn currency_page(format: CatalogFormat, url: &Url) -> Option<Url> {
    paging::currency(format, url)
}

/// The currency in such a document.
pub fn currency_in(bytes: &[u8]) -> Option<Currency> {
    json::currency_in(bytes)
}
