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
    let Reading { format, currency, row, fields } = args.catalog;
    let Plain { mut document, content_type, base } = open(place, args.content_type).await?;
    let (base, mapping) = (args.base.unwrap_or(base), Mapping { row, fields });
    let options = Options {
        format,
        mapping: Some(&mapping),
        currency,
        ..options(&base, content_type.as_deref())
    };
    let (scan, products) = products(&mut *document, &options).map_err(refused)?;
    tell_facts(&scan, products.len());
    let source = Name::parse("extract").map_err(|error| Failure::new(1, error))?;
    for some in products.chunks(PRODUCTS_AT_ONCE) {
        for entry in entries(&mut *document, &options, &scan, some).map_err(refused)? {
            let item = entry.into_item(&source, options.now);
            output::say(&show::catalog_json(&item, options.now).to_string());
        }
    }
    Ok(())
}

/// The first product of the catalog at `place`, read as the source says.
pub(in crate::cli) async fn first(place: &str, source: &Source) -> Result<Option<Entry>, Failure> {
    let refused = |error: NotADocument| Failure::new(EX_DATAERR, format!("{place}: {error}"));
    let Plain { mut document, content_type, base } = open(place, None).await?;
    let options = Options {
        format: source.format,
        mapping: source.mapping.as_deref(),
        currency: source.currency,
        ..options(&base, content_type.as_deref())
    };
    let (scan, products) = products(&mut *document, &options).map_err(refused)?;
    let first = products.get(..1).unwrap_or_default();
    let found = entries(&mut *document, &options, &scan, first).map_err(refused)?;
    Ok(found.into_iter().next())
}

/// How a document of any size is read now, before it is said what it is.
fn options<'a>(base: &'a Url, content_type: Option<&'a str>) -> Options<'a> {
    Options {
        content_type,
        now: Clock::system().now(),
        items_max: ROWS_MAX,
        ..Options::plain(base)
    }
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

/// Goes through the document: where the rows of each product stand, in the order in which products
/// appear.
fn products(
    document: &mut dyn Text,
    options: &Options<'_>,
) -> Result<(Scan, Vec<Vec<u64>>), NotADocument> {
    let mut order: Vec<Vec<u64>> = Vec::new();
    let mut known: HashMap<(u64, u32), usize> = HashMap::new();
    let mut note = |listing: Listing| {
        // Rows of one id are variants of a group, or repetitions; under another title it is no id.
        let title = if listing.variant == 0 { listing.title } else { 0 };
        let at = *known.entry((listing.product, title)).or_insert(order.len());
        if at == order.len() {
            order.push(vec![]);
        }
        if let Some(places) = order.get_mut(at)
            && places.last() != Some(&listing.place)
        {
            places.push(listing.place);
        }
    };
    let scan = catalog::scan(document, options, &mut note)?;
    Ok((scan, order))
}

/// The products of which each has its rows at some of `places`, in this order.
fn entries(
    document: &mut dyn Text,
    options: &Options<'_>,
    scan: &Scan,
    places: &[Vec<u64>],
) -> Result<Vec<Entry>, NotADocument> {
    let all: Vec<u64> = places.iter().flatten().copied().collect();
    let rows = catalog::pick(document, options, scan.format, &all)?;
    let mut known: HashMap<u64, Row> = rows.into_iter().map(|row| (row.place, row)).collect();
    let rows_of = |places: &Vec<u64>| -> Vec<Row> {
        places.iter().filter_map(|place| known.remove(place)).collect()
    };
    let joined = places.iter().map(rows_of);
    Ok(joined.filter_map(|rows| listing::join(rows, options.now)).collect())
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
