//! Catalogs in XML.

use crate::extract::NotADocument;
use crate::extract::catalog::stream::Stream;
use crate::extract::catalog::{Options, Row, Scan};
use crate::model::listing::Listing;
use crate::model::source::CatalogFormat;

pub(super) fn scan(
    stream: &mut Stream<'_>,
    options: &Options<'_>,
    format: CatalogFormat,
    each: &mut dyn FnMut(Listing),
) -> Result<Scan, NotADocument> {
    let _ = (stream, options, format, each);
    Err(NotADocument::NotMarkup)
}

pub(super) fn pick(
    stream: &mut Stream<'_>,
    options: &Options<'_>,
    format: CatalogFormat,
    places: &[u64],
) -> Result<Vec<Row>, NotADocument> {
    let _ = (stream, options, format, places);
    Err(NotADocument::NotMarkup)
}
