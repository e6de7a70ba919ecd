//! Catalogs as JSON: the answers of shop and blog platforms, and documents that the settings map.
//!
//! A document is read whole (its pages are small, and a mapped one has a limit), but a row at a
//! time: the tree of one row is all that is held beside the text. The `place` of a row is where
//! it begins in the text, in bytes; in XML its number, from 0.

pub(crate) mod rows;

mod loose;

mod product;

pub(crate) mod shopify;

mod woocommerce;

mod wordpress;

mod squarespace;

mod prestashop;

mod service;

mod mapped;

mod kind;
pub(crate) use kind::recognise;

use std::collections::HashMap;

use serde_json::Value;

use crate::extract::catalog::json::loose::text as text_of;
use crate::extract::catalog::json::product::{Around, Product};
use crate::extract::catalog::json::rows::{Shape, member};
use crate::extract::catalog::{Options, Row, Scan, Text, listing, paging, whole};
use crate::extract::refusal::NotADocument;
use crate::extract::{Quality, text};
use crate::model::listing::Listing;
use crate::model::offer::{Currency, Offer};
use crate::model::source::CatalogFormat;
use crate::model::time::Timestamp;

/// Goes through a document of JSON, or of XML for PrestaShop's web service. See
/// [`scan`](crate::extract::catalog::scan).
///
/// # Errors
/// [`NotADocument`] when it has no rows of the format, or passes a limit.
pub(crate) fn scan(
    document: &mut dyn Text,
    options: &Options<'_>,
    each: &mut dyn FnMut(Listing),
) -> Result<Scan, NotADocument> {
    let bytes = whole::read(document)?;
    let decoded = text::decode(&bytes, options.content_type, options.base.host_str());
    let text = trimmed(&decoded.text);
    let format = kind::settle(text, options)?;
    let reader = Reader::new(text, format, options);
    let (mut rows, mut lost, mut offers) = (0_u64, 0_u64, 0_u64);
    let mut turns_at: Option<Timestamp> = None;
    let max = u64::try_from(options.items_max).unwrap_or(u64::MAX);
    let is_whole = reader.each(&mut |place, row| {
        rows += 1;
        let Some(row) = row.filter(|_| rows <= max) else {
            lost += 1;
            return;
        };
        let row = row.into_row(&reader.around, place);
        if let Some(offer) = &row.entry.offer {
            offers += 1;
            turns_at = [turns_at, next_turn(offer, options.now)].into_iter().flatten().min();
        }
        listing::listings(&row, options.now, each);
    })?;
    if rows > max {
        return Err(NotADocument::TooManyItems { max: options.items_max });
    }
    let next = paging::next(format, options.base, text, rows);
    let is_blog = matches!(format, CatalogFormat::Wordpress | CatalogFormat::Squarespace);
    let mut remarks = Vec::new();
    if lost > 0 {
        remarks.push(format!("{lost} of {rows} rows could not be read"));
    }
    Ok(Scan {
        format,
        encoding: decoded.encoding,
        quality: if is_whole { Quality::Whole } else { Quality::Truncated },
        is_window: is_blog && offers == 0 || paging::is_at_limit(format, options.base, rows),
        rows,
        lost,
        next,
        turns_at,
        remarks,
    })
}

/// Reads the rows at `places`, in that order. See [`pick`](crate::extract::catalog::pick).
///
/// # Errors
/// [`NotADocument`] when the document can't be read again.
pub(crate) fn pick(
    document: &mut dyn Text,
    options: &Options<'_>,
    format: CatalogFormat,
    places: &[u64],
) -> Result<Vec<Row>, NotADocument> {
    let bytes = whole::read(document)?;
    let decoded = text::decode(&bytes, options.content_type, options.base.host_str());
    let text = trimmed(&decoded.text);
    let reader = Reader::new(text, format, options);
    let mut found: HashMap<u64, Row> = HashMap::with_capacity(places.len());
    let mut keep = |place: u64, product: Option<Product>| {
        found.extend(product.map(|product| (place, product.into_row(&reader.around, place))));
    };
    if text.starts_with('<') {
        reader.each(&mut |place, product| {
            keep(place, product.filter(|_| places.contains(&place)));
        })?;
    } else {
        for place in places {
            let row = rows::row_at(text, *place).and_then(rows::parse);
            keep(*place, row.and_then(|row| reader.product(&row)));
        }
    }
    Ok(places.iter().filter_map(|place| found.remove(place)).collect())
}

/// The currency in a document of a shop's own facts, as Shopify's `/meta.json` is.
pub(crate) fn currency_in(bytes: &[u8]) -> Option<Currency> {
    let facts: Value = rows::parse(std::str::from_utf8(bytes).ok()?)?;
    let own = [&facts["currency"], &facts["shop"]["currency"]];
    own.into_iter().find_map(|code| text_of(code).parse().ok())
}

/// Why a document that begins with `head` is no catalog of any platform.
pub(crate) fn unfit(head: &str) -> NotADocument {
    kind::unfit(head, None)
}

/// Reads the rows of one document.
struct Reader<'a> {
    text: &'a str,
    format: CatalogFormat,
    options: &'a Options<'a>,
    around: Around<'a>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, format: CatalogFormat, options: &'a Options<'a>) -> Self {
        let own = (format == CatalogFormat::Squarespace).then(|| store_currency(text)).flatten();
        let currency = options.currency.or(own);
        let around = Around { base: options.base, currency, now: options.now };
        Self { text, format, options, around }
    }

    /// Hands out every row with its place, `None` for one that can't be read; false when the
    /// document breaks off.
    fn each(&self, each: &mut dyn FnMut(u64, Option<Product>)) -> Result<bool, NotADocument> {
        if self.text.starts_with('<') {
            let mut place = 0;
            return service::rows(self.text, &mut |row| {
                each(place, row.and_then(|row| self.product(&row)));
                place += 1;
            });
        }
        rows::check_depth(self.text)?;
        let mut rows = kind::locate(self.text, self.format, self.options.mapping)
            .ok_or_else(|| kind::unfit(self.text, Some(self.format)))?;
        for row in rows.by_ref() {
            let product = rows::parse(row).and_then(|row| self.product(&row));
            each(rows::offset(self.text, row), product);
        }
        Ok(rows.is_whole() && (rows.shape() == Shape::Lines || rows::is_closed(self.text)))
    }

    fn product(&self, row: &Value) -> Option<Product> {
        let around = &self.around;
        match self.format {
            CatalogFormat::Shopify => shopify::product(row, around),
            CatalogFormat::Woocommerce => woocommerce::product(row, around),
            CatalogFormat::Wordpress => wordpress::post(row),
            CatalogFormat::Squarespace => squarespace::item(row, around),
            CatalogFormat::Prestashop => prestashop::product(row, around),
            CatalogFormat::Mapped => mapped::product(row, self.options.mapping?, around),
            _ => None,
        }
    }
}

/// The currency of a Squarespace store, which stands beside its items.
fn store_currency(text: &str) -> Option<Currency> {
    let settings = member(member(text, "websiteSettings")?, "storeSettings")?;
    text_of(&rows::parse(member(settings, "selectedCurrency")?)?).parse().ok()
}

fn next_turn(offer: &Offer, now: Timestamp) -> Option<Timestamp> {
    let variants = offer.variants.iter().map(|variant| &variant.terms);
    std::iter::once(&offer.terms).chain(variants).filter_map(|terms| terms.turns_at(now)).min()
}

fn trimmed(text: &str) -> &str {
    text.trim_start_matches(|c: char| c.is_whitespace() || c == '\0' || c == '\u{feff}')
}

#[cfg(test)]
mod tests;
