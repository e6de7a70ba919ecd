//! `tidings extract --kind catalog`: products with their variants, from documents of any size.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Cursor, Read, Seek};

use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as ValueError, StrDeserializer};
use url::Url;

use crate::cli::extract::{BASE_DEFAULT, load};
use crate::cli::{Done, EX_DATAERR, EX_UNAVAILABLE, Failure, output};
use crate::extract::catalog::unpack::{self, Packing};
use crate::extract::catalog::{self, Options, Row, Scan, Text, listing};
use crate::extract::{Entry, NotADocument, show};
use crate::model::listing::Listing;
use crate::model::name::Name;
use crate::model::offer::Currency;
use crate::model::source::{CatalogFormat, Mapping, Source};
use crate::model::time::Timestamp;
use crate::runtime::clock::Clock;

/// Most rows of a document.
const ROWS_MAX: usize = 3_000_000;
/// How many products are read in full at once.
const PRODUCTS_AT_ONCE: usize = 256;
/// Longest document that is unpacked, in bytes.
const UNPACKED_BYTES_MAX: u64 = 4 << 30;

/// How a catalog is to be read.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(in crate::cli) struct Reading {
    /// How a catalog is written: `merchant`, `csv`, `shopify`, `shopify-atom`, `woocommerce`,
    /// `wordpress`, `json-ld`, `yml`, `squarespace`, `prestashop`, `mapped`; `auto` goes by
    /// content.
    #[arg(long, value_name = "FORMAT", default_value = "auto", value_parser = format)]
    pub(in crate::cli) format: CatalogFormat,
    /// Of prices that name no currency: three letters.
    #[arg(long, value_name = "CODE")]
    pub(in crate::cli) currency: Option<Currency>,
    /// Of a mapped catalog: the path of its rows.
    #[arg(long, value_name = "PATH", default_value = "", hide_default_value = true)]
    pub(in crate::cli) row: String,
    /// Of a mapped catalog: where a field is in its row; once for each field.
    #[arg(long = "field", value_name = "NAME=PATH", value_parser = field)]
    pub(in crate::cli) fields: Vec<(String, String)>,
}

fn format(text: &str) -> Result<CatalogFormat, ValueError> {
    let text: StrDeserializer<'_, ValueError> = text.into_deserializer();
    CatalogFormat::deserialize(text)
}

fn field(text: &str) -> Result<(String, String), String> {
    let (name, path) = text.split_once('=').ok_or("a field is `name=path`")?;
    Ok((name.trim().to_owned(), path.trim().to_owned()))
}

/// A plain document and where it comes from.
struct Plain {
    document: Box<dyn Text>,
    content_type: Option<String>,
    base: Url,
}

pub(super) async fn run(args: super::Args) -> Done {
    let place = args.document.as_str();
    let refused = |error: NotADocument| Failure::new(EX_DATAERR, format!("{place}: {error}"));
    let mut plain = open(place, args.content_type).await?;
    let base = args.base.unwrap_or(plain.base);
    let mapping = Mapping { row: args.catalog.row, fields: args.catalog.fields };
    let options = Options {
        format: args.catalog.format,
        mapping: Some(&mapping),
        base: &base,
        content_type: plain.content_type.as_deref(),
        currency: args.catalog.currency,
        now: Clock::system().now(),
        items_max: ROWS_MAX,
    };
    let mut products = Products::default();
    let document = plain.document.as_mut();
    let scan = catalog::scan(document, &options, &mut |listing| products.note(&listing))
        .map_err(refused)?;
    tell_facts(&scan, products.order.len());
    let source = Name::parse("extract").map_err(|error| Failure::new(1, error))?;
    for some in products.order.chunks(PRODUCTS_AT_ONCE) {
        let places: Vec<u64> = some.iter().flatten().copied().collect();
        let rows = catalog::pick(document, &options, scan.format, &places).map_err(refused)?;
        for entry in entries(rows, some, options.now) {
            let item = entry.into_item(&source, options.now);
            output::say(&show::catalog_json(&item, options.now).to_string());
        }
    }
    Ok(())
}

/// The first product of the catalog at `place`, read as the source says.
pub(in crate::cli) async fn first(place: &str, source: &Source) -> Result<Option<Entry>, Failure> {
    let refused = |error: NotADocument| Failure::new(EX_DATAERR, format!("{place}: {error}"));
    let mut plain = open(place, None).await?;
    let options = Options {
        format: source.format,
        mapping: source.mapping.as_deref(),
        base: &plain.base,
        content_type: plain.content_type.as_deref(),
        currency: source.currency,
        now: Clock::system().now(),
        items_max: ROWS_MAX,
    };
    let mut products = Products::default();
    let document = plain.document.as_mut();
    let scan = catalog::scan(document, &options, &mut |listing| products.note(&listing))
        .map_err(refused)?;
    products.order.truncate(1);
    let places: Vec<u64> = products.order.iter().flatten().copied().collect();
    let rows = catalog::pick(document, &options, scan.format, &places).map_err(refused)?;
    Ok(entries(rows, &products.order, options.now).into_iter().next())
}

/// The document, unpacked; what comes from a file stays there.
async fn open(place: &str, content_type: Option<String>) -> Result<Plain, Failure> {
    let unavailable =
        |error: &dyn std::fmt::Display| Failure::new(EX_UNAVAILABLE, format!("{place}: {error}"));
    let refused = |error: NotADocument| Failure::new(EX_DATAERR, format!("{place}: {error}"));
    let is_file = place != "-" && !place.starts_with("http://") && !place.starts_with("https://");
    let (mut packed, content_type, base): (Box<dyn Text>, _, _) = if is_file {
        let file = File::open(place).map_err(|error| unavailable(&error))?;
        let base = Url::parse(BASE_DEFAULT).map_err(|error| Failure::new(1, error))?;
        (Box::new(file), content_type, base)
    } else {
        let loaded = load(place, content_type).await?;
        (Box::new(Cursor::new(loaded.bytes)), loaded.content_type, loaded.base)
    };
    let mut head = Vec::new();
    (&mut packed)
        .take(4)
        .read_to_end(&mut head)
        .and_then(|_| packed.rewind())
        .map_err(|error| unavailable(&error))?;
    if unpack::packing(&head) == Packing::None {
        return Ok(Plain { document: packed, content_type, base });
    }
    let mut file = tempfile::tempfile().map_err(|error| unavailable(&error))?;
    unpack::plain(packed, &mut file, UNPACKED_BYTES_MAX).map_err(refused)?;
    Ok(Plain { document: Box::new(file), content_type, base })
}

/// Where the rows of each product stand, in the order in which products appear.
#[derive(Default)]
struct Products {
    order: Vec<Vec<u64>>,
    known: HashMap<(u64, u32), usize>,
}

impl Products {
    fn note(&mut self, listing: &Listing) {
        // Rows of one id are variants of a group, or repetitions; under another title it is no id.
        let title = if listing.variant == 0 { listing.title } else { 0 };
        let at = *self.known.entry((listing.product, title)).or_insert(self.order.len());
        if at == self.order.len() {
            self.order.push(vec![]);
        }
        if let Some(places) = self.order.get_mut(at)
            && places.last() != Some(&listing.place)
        {
            places.push(listing.place);
        }
    }
}

/// The products of the rows, in the order of `places`.
fn entries(rows: Vec<Row>, places: &[Vec<u64>], now: Timestamp) -> Vec<Entry> {
    let mut known: HashMap<u64, Row> = rows.into_iter().map(|row| (row.place, row)).collect();
    let rows_of = |places: &Vec<u64>| -> Vec<Row> {
        places.iter().filter_map(|place| known.remove(place)).collect()
    };
    places.iter().map(rows_of).filter_map(|rows| listing::join(rows, now)).collect()
}

fn tell_facts(scan: &Scan, products: usize) {
    output::complain(&format!(
        "{:?} · {} · {} rows · {} · {:?}",
        scan.format,
        scan.encoding,
        scan.rows,
        output::count(products, "product"),
        scan.quality,
    ));
    for remark in &scan.remarks {
        output::complain(remark);
    }
    if let Some(next) = &scan.next {
        output::complain(&format!("it goes on at {next}"));
    }
}
