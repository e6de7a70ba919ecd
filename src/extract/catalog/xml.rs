//! Catalogs in XML: rows from the stream, each read on its own, in the words of its format.

use std::collections::HashMap;

use crate::extract::NotADocument;
use crate::extract::catalog::field::Names;
use crate::extract::catalog::mapped::Paths;
use crate::extract::catalog::merchant::Merchant;
use crate::extract::catalog::record::{Context, Record, Scratch};
use crate::extract::catalog::rows::{Next, RowElement, Rows};
use crate::extract::catalog::sheet::Sheet;
use crate::extract::catalog::stream::Stream;
use crate::extract::catalog::tally::Tally;
use crate::extract::catalog::{Options, Row, Scan, recognise, shopify_atom, yml};
use crate::model::listing::Listing;
use crate::model::offer::Currency;
use crate::model::source::{CatalogFormat, Mapping};

/// [`scan`](crate::extract::catalog::scan) of an XML document.
pub(super) fn scan(
    stream: &mut Stream<'_>,
    options: &Options<'_>,
    format: CatalogFormat,
    each: &mut dyn FnMut(Listing),
) -> Result<Scan, NotADocument> {
    let head = stream.head().to_owned();
    let encoding = stream.encoding();
    let mut reader = Reader::new(format, options, &head)?;
    let mut scratch = Scratch::default();
    let mut tally = Tally::default();
    let mut is_mended = false;
    let mut rows = Rows::new(stream, reader.row_element())?;
    let is_whole = loop {
        let (place, bytes) = match rows.next()? {
            Next::Row { place, bytes } => (place, bytes),
            Next::Lost => {
                tally.lose();
                continue;
            }
            Next::End { is_whole } => break is_whole,
        };
        tally.count(options)?;
        match reader.read(bytes) {
            Read::Well => {}
            Read::Mended => is_mended = true,
            Read::Lost => {
                tally.lost += 1;
                continue;
            }
        }
        let (record, context) = reader.record(options, None);
        if record.is_hidden {
            tally.hidden += 1;
        } else if record.is_named() {
            record.listings(place, &context, &mut scratch, each);
        } else {
            tally.nameless += 1;
        }
    };
    let has_junk = rows.has_junk();
    if tally.rows == 0 {
        none_found(format, options.mapping, &head)?;
    }
    let next = match format {
        CatalogFormat::ShopifyAtom => shopify_atom::next_page(tally.rows, options.base),
        _ => None,
    };
    Ok(Scan {
        format,
        encoding,
        quality: tally.quality(is_whole, is_mended || has_junk),
        is_window: false,
        rows: tally.rows,
        lost: tally.lost,
        next,
        turns_at: scratch.turns_at,
        remarks: tally.remarks(),
    })
}

/// A document without rows is an empty catalog only if it is one otherwise.
fn none_found(
    format: CatalogFormat,
    mapping: Option<&Mapping>,
    head: &str,
) -> Result<(), NotADocument> {
    if format == CatalogFormat::Mapped {
        let row = mapping.map(|mapping| mapping.row.as_str()).unwrap_or_default();
        return Err(NotADocument::Unfit(format!("`row` matches nothing: `{row}`")));
    }
    match recognise::format(head) {
        Ok(_) | Err(NotADocument::NoProducts) => Ok(()),
        Err(refusal) => Err(refusal),
    }
}

/// [`pick`](crate::extract::catalog::pick) from an XML document.
pub(super) fn pick(
    stream: &mut Stream<'_>,
    options: &Options<'_>,
    format: CatalogFormat,
    places: &[u64],
) -> Result<Vec<Row>, NotADocument> {
    let head = stream.head().to_owned();
    let mut reader = Reader::new(format, options, &head)?;
    let categories = match format {
        CatalogFormat::Yml => categories(stream, reader.row_element())?,
        _ => HashMap::new(),
    };
    // From front to back, whatever order is asked for.
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by_key(|at| places.get(*at));
    let mut found: Vec<Option<Row>> = Vec::new();
    found.resize_with(places.len(), || None);
    let first = order.first().and_then(|at| places.get(*at));
    let mut rows = Rows::at(stream, reader.row_element(), first.copied())?;
    for at in order {
        let Some(place) = places.get(at).copied() else { continue };
        rows.go_to(place)?;
        let bytes = match rows.next()? {
            Next::Row { place: there, bytes } if there == place => bytes,
            _ => continue,
        };
        if reader.read(bytes) == Read::Lost {
            continue;
        }
        let (record, context) = reader.record(options, Some(&categories));
        let row = record.row(place, &context);
        if let Some(slot) = found.get_mut(at) {
            *slot = Some(row);
        }
    }
    Ok(found.into_iter().flatten().collect())
}

/// Names of the categories that are told before the first row, by their ids.
fn categories(
    stream: &mut Stream<'_>,
    element: RowElement,
) -> Result<HashMap<String, String>, NotADocument> {
    let mut rows = Rows::new(stream, element)?;
    rows.gather_categories();
    rows.next()?;
    Ok(rows.take_categories().into_iter().collect())
}

/// Reads rows, one after another.
struct Reader {
    words: Words,
    names: Names,
    sheet: Sheet,
    currency: Option<Currency>,
    /// The row that was read last.
    row: String,
}

/// The words of a format.
enum Words {
    Merchant(Merchant),
    Yml,
    ShopifyAtom,
    Mapped(Paths),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Read {
    Well,
    Mended,
    Lost,
}

impl Reader {
    fn new(format: CatalogFormat, options: &Options<'_>, head: &str) -> Result<Self, NotADocument> {
        let mut currency = options.currency;
        let words = match format {
            CatalogFormat::Yml => {
                currency = yml::currency(head).or(currency);
                Words::Yml
            }
            CatalogFormat::ShopifyAtom => Words::ShopifyAtom,
            CatalogFormat::Mapped => {
                let none = Mapping::default();
                Words::Mapped(Paths::of(options.mapping.unwrap_or(&none))?)
            }
            _ => Words::Merchant(Merchant::of(head)),
        };
        Ok(Self {
            words,
            names: Names::default(),
            sheet: Sheet::default(),
            currency,
            row: String::new(),
        })
    }

    fn row_element(&self) -> RowElement {
        let named = |name: &str| RowElement { name: name.into(), ..RowElement::default() };
        match &self.words {
            Words::Merchant(merchant) => named(&merchant.row),
            Words::Yml => named("offer"),
            Words::ShopifyAtom => named("entry"),
            Words::Mapped(paths) => paths.row.clone(),
        }
    }

    /// Reads a row strictly, else a mended copy of it.
    fn read(&mut self, bytes: &[u8]) -> Read {
        self.row.clear();
        let is_text = match std::str::from_utf8(bytes) {
            Ok(text) => {
                self.row.push_str(text);
                true
            }
            Err(_) => {
                self.row.push_str(&String::from_utf8_lossy(bytes));
                false
            }
        };
        if is_text && self.sheet.read(&self.row).is_ok() {
            Read::Well
        } else if self.sheet.read_mended(&self.row).is_ok() {
            Read::Mended
        } else {
            Read::Lost
        }
    }

    /// What the row that was read last says, and what it is to be understood with.
    fn record<'a>(
        &'a mut self,
        options: &Options<'a>,
        categories: Option<&'a HashMap<String, String>>,
    ) -> (Record<'a>, Context<'a>) {
        let mut record = Record::default();
        let Self { words, names, sheet, currency, row } = self;
        let elements = sheet.elements(row);
        let mut home = None;
        match words {
            Words::Merchant(merchant) => {
                home = merchant.home.as_ref();
                merchant.fill(elements, names, &mut record);
            }
            Words::Yml => yml::fill(elements, names, categories, &mut record),
            Words::ShopifyAtom => shopify_atom::fill(elements, *currency, &mut record),
            Words::Mapped(paths) => paths.fill(elements, &mut record),
        }
        let currency = *currency;
        (record, Context { base: options.base, home, currency, now: options.now })
    }
}
