//! Real catalogs of shops: what share of their rows is read, and with how much of what they say.
//!
//! The documents are outside the repository, where `TIDINGS_CORPUS` points to; those that we wrote
//! stand in `tests/fixtures/catalogs`. Whatever is told of a row in a pass over the whole document
//! must be what the row, picked alone, gives.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and tells what it saw"
)]

#[path = "../benches/catalog/made.rs"]
mod made;

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tidings::extract::catalog::{self, Options, Row, Scan, listing};
use tidings::extract::{NotADocument, Quality, show};
use tidings::model::listing::Listing;
use tidings::model::name::Name;
use tidings::model::offer::Availability;
use tidings::model::source::{CatalogFormat, Mapping};
use tidings::model::time::Timestamp;
use url::Url;

/// How long one document may take in an unoptimised build on a busy machine.
const DOCUMENT_TIME_MAX: Duration = Duration::from_secs(20);

fn corpus() -> Option<PathBuf> {
    let Some(path) = std::env::var_os("TIDINGS_CORPUS") else {
        println!("the corpus part was left out: TIDINGS_CORPUS is not set");
        return None;
    };
    Some(PathBuf::from(path))
}

fn documents(folder: &Path, out: &mut Vec<PathBuf>) {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() { documents(&path, out) } else { out.push(path) }
    }
}

struct Reading {
    scan: Scan,
    listings: Vec<Listing>,
    rows: Vec<Row>,
}

/// Both passes over a document, checked against each other.
fn read(
    bytes: &[u8],
    format: CatalogFormat,
    mapping: Option<&Mapping>,
) -> Result<Reading, NotADocument> {
    let base = Url::parse("https://shop.example/feed.xml").unwrap();
    let now = Timestamp::from_millis(1_790_000_000_000);
    let options = Options { format, mapping, now, ..Options::plain(&base) };
    let mut document = Cursor::new(bytes.to_vec());
    let started = Instant::now();
    let mut listings = Vec::new();
    let scan = catalog::scan(&mut document, &options, &mut |listing| listings.push(listing))?;
    let mut places: Vec<u64> = listings.iter().map(|listing| listing.place).collect();
    places.dedup();
    let rows = catalog::pick(&mut document, &options, scan.format, &places)?;
    assert!(started.elapsed() < DOCUMENT_TIME_MAX, "it took {:?}", started.elapsed());
    assert_eq!(rows.len(), places.len(), "every row is found again");
    let mut picked = Vec::new();
    for row in &rows {
        listing::listings(row, now, &mut |listing| picked.push(listing));
    }
    assert_eq!(picked, listings, "both passes say the same");
    // In another order, the same rows.
    places.reverse();
    let mut reversed = catalog::pick(&mut document, &options, scan.format, &places)?;
    reversed.reverse();
    assert_eq!(reversed, rows);
    Ok(Reading { scan, listings, rows })
}

/// What `tidings extract` shows of the products, cut to what catalogs are for.
fn shown(reading: Reading) -> Value {
    let now = Timestamp::from_millis(1_790_000_000_000);
    let source = Name::parse("fixture").unwrap();
    let mut products: Vec<(u64, Vec<Row>)> = Vec::new();
    let mut listings = reading.listings.iter();
    for row in reading.rows {
        let product = listings.find(|listing| listing.place == row.place).unwrap().product;
        match products.iter_mut().find(|(known, _)| *known == product) {
            Some((_, rows)) => rows.push(row),
            None => products.push((product, vec![row])),
        }
    }
    let items = products.into_iter().filter_map(|(_, rows)| listing::join(rows, now));
    let items = items.map(|entry| {
        let mut item = show::catalog_json(&entry.into_item(&source, now), now);
        let keys = item.as_object_mut().unwrap();
        keys.retain(|key, value| {
            !matches!(key.as_str(), "authors" | "language")
                && !value.is_null()
                && *value != json!("")
        });
        item
    });
    json!({
        "format": format!("{:?}", reading.scan.format),
        "encoding": reading.scan.encoding,
        "quality": format!("{:?}", reading.scan.quality),
        "rows": reading.scan.rows,
        "lost": reading.scan.lost,
        "remarks": reading.scan.remarks,
        "items": items.collect::<Vec<_>>(),
    })
}

#[test]
fn every_fixture_gives_what_stands_beside_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/catalogs");
    let mut paths = Vec::new();
    documents(&folder, &mut paths);
    let mut wrong = Vec::new();
    for path in paths.iter().filter(|path| !path.to_string_lossy().ends_with(".expected.json")) {
        let found = match read(&fs::read(path).unwrap(), CatalogFormat::Auto, None) {
            Ok(reading) => shown(reading),
            Err(refusal) => json!({ "refused": refusal.to_string() }),
        };
        let beside = format!("{}.expected.json", path.display());
        let expected = fs::read(&beside).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        if expected.as_ref() != Some(&found) {
            println!("{}:\n{}", path.display(), serde_json::to_string_pretty(&found).unwrap());
            wrong.push(path.clone());
        }
    }
    assert!(paths.len() >= 20);
    assert!(wrong.is_empty(), "other than expected: {wrong:?}");
}

#[test]
fn a_made_catalog_is_whole_and_its_next_version_differs_by_its_share() {
    let versions = [1, 2].map(|version| {
        let mut bytes = Vec::new();
        made::write_merchant(&mut bytes, 3_000, version, 50_000).unwrap();
        assert!((2_600_000..3_600_000).contains(&bytes.len()), "{}", bytes.len());
        let reading = read(&bytes, CatalogFormat::Auto, None).unwrap();
        assert_eq!((reading.scan.quality, reading.scan.lost), (Quality::Whole, 0));
        let bare = |listing: &Listing| Listing { place: 0, ..*listing };
        reading.listings.iter().map(bare).collect::<Vec<_>>()
    });
    let [first, second] = versions;
    let same = second.iter().filter(|listing| first.contains(listing)).count();
    let changed = second.len() - same;
    assert_eq!(first.len(), 3_000);
    assert!((100..=200).contains(&changed), "{changed} rows changed");
    assert!(first.iter().any(|listing| !second.iter().any(|l| l.variant == listing.variant)));
    let mut delimited = Vec::new();
    made::write_delimited(&mut delimited, 500).unwrap();
    let reading = read(&delimited, CatalogFormat::Auto, None).unwrap();
    assert_eq!((reading.scan.format, reading.scan.rows), (CatalogFormat::Csv, 500));
    assert_eq!(reading.scan.quality, Quality::Whole);
}

#[derive(Debug, Default)]
struct Shares {
    rows: usize,
    lost: usize,
    id: usize,
    link: usize,
    title: usize,
    image: usize,
    price: usize,
    availability: usize,
}

impl Shares {
    fn add(&mut self, reading: &Reading) {
        self.rows += usize::try_from(reading.scan.rows).unwrap();
        self.lost += usize::try_from(reading.scan.lost).unwrap();
        for row in &reading.rows {
            let entry = &row.entry;
            self.id += usize::from(!entry.guid.is_empty());
            self.link += usize::from(entry.link.is_some());
            self.title += usize::from(!entry.title.is_empty());
            self.image += usize::from(entry.image.is_some());
            let terms = entry.offer.as_ref().map(|offer| &offer.terms);
            self.price += usize::from(terms.is_some_and(|terms| terms.list.is_some()));
            let is_known = |known: Availability| known != Availability::Unknown;
            self.availability +=
                usize::from(terms.is_some_and(|terms| is_known(terms.availability)));
        }
    }

    fn hundredths(&self, part: usize) -> usize {
        part * 100 / self.rows.max(1)
    }
}

#[test]
fn real_catalogs_are_read_row_by_row() {
    let Some(corpus) = corpus() else { return };
    let mut shares = Shares::default();
    let mut refused = Vec::new();
    let folders =
        ["google-merchant", "google-merchant-legacy", "meta", "yandex-yml", "shopify-atom"];
    for folder in folders {
        let mut paths = Vec::new();
        documents(&corpus.join("catalogs").join(folder), &mut paths);
        for path in paths {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            match read(&fs::read(&path).unwrap(), CatalogFormat::Auto, None) {
                Ok(reading) => {
                    let scan = &reading.scan;
                    println!(
                        "{folder}/{name}: {:?} {:?} {} rows, {} lost, {} listings {:?}",
                        scan.format,
                        scan.quality,
                        scan.rows,
                        scan.lost,
                        reading.listings.len(),
                        scan.remarks,
                    );
                    shares.add(&reading);
                }
                Err(refusal) => {
                    println!("{folder}/{name}: {refusal}");
                    refused.push(name);
                }
            }
        }
    }
    println!("{shares:?}, {} refused", refused.len());
    assert!(refused.is_empty(), "{refused:?}");
    assert!(shares.rows > 400);
    assert!(shares.lost * 200 <= shares.rows);
    for (part, floor) in [
        (shares.id, 99),
        (shares.link, 90),
        (shares.title, 95),
        (shares.image, 90),
        (shares.price, 90),
        (shares.availability, 80),
    ] {
        assert!(shares.hundredths(part) >= floor, "{part} of {} is below {floor} %", shares.rows);
    }
}

#[test]
fn real_versions_of_one_catalog_are_read() {
    let Some(corpus) = corpus() else { return };
    for (folder, repaired) in
        [("solarmarket-merchant", 0), ("pzm-merchant", 7), ("atomra-ro-merchant", 0)]
    {
        let mut paths = Vec::new();
        documents(&corpus.join("sequences").join(folder), &mut paths);
        let mut found = 0;
        for path in paths {
            let reading = read(&fs::read(&path).unwrap(), CatalogFormat::Auto, None)
                .unwrap_or_else(|refusal| panic!("{}: {refusal}", path.display()));
            assert_eq!(reading.scan.lost, 0, "{}", path.display());
            found += usize::from(reading.scan.quality == Quality::Repaired);
        }
        assert_eq!(found, repaired, "{folder}");
    }
}

#[test]
fn an_affiliate_s_own_format_is_refused_or_mapped() {
    let Some(corpus) = corpus() else { return };
    let mut paths = Vec::new();
    documents(&corpus.join("sequences/onlineerhverv-partner-ads-da"), &mut paths);
    let field = |key: &str, path: &str| (key.to_owned(), path.to_owned());
    let mapping = Mapping {
        row: "products/product".into(),
        fields: vec![
            field("id", "productid"),
            field("title", "productname"),
            field("summary", "productdescription"),
            field("link", "producturl"),
            field("image", "imageurl"),
            field("price", "price"),
            field("list_price", "oldprice"),
            field("availability", "stockstatus"),
        ],
    };
    for path in paths {
        let bytes = fs::read(&path).unwrap();
        let refusal = read(&bytes, CatalogFormat::Auto, None).err().unwrap().to_string();
        assert!(refusal.starts_with("unknown format: an XML document of `products`"), "{refusal}");
        assert!(refusal.contains("`products/product`"), "{refusal}");
        let reading = read(&bytes, CatalogFormat::Mapped, Some(&mapping)).unwrap();
        assert_eq!(reading.scan.lost, 0);
        assert!(reading.rows.iter().all(|row| !row.entry.title.is_empty()));
        assert!(
            reading.rows.iter().all(|row| row.entry.offer.as_ref().unwrap().terms.list.is_some())
        );
    }
}
