//! Real documents of shop platforms, sitemaps, and pages that advertise feeds.
//!
//! The documents are outside the repository, where `TIDINGS_CORPUS` points to. Each part has a
//! floor, a little under what is reached.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking and tells what it saw"
)]

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use tidings::extract::catalog::{self, Options, Row, Scan};
use tidings::extract::sitemap::{self, Sitemap};
use tidings::extract::{Document, Quality, discover, feed};
use tidings::model::offer::Availability;
use tidings::model::source::CatalogFormat;
use tidings::model::time::Timestamp;
use url::Url;

fn corpus(part: &str) -> Option<PathBuf> {
    let Some(path) = std::env::var_os("TIDINGS_CORPUS") else {
        println!("the corpus part was left out: TIDINGS_CORPUS is not set");
        return None;
    };
    Some(PathBuf::from(path).join(part))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn share(what: &str, met: usize, all: usize, floor: usize) {
    let percent = met * 100 / all.max(1);
    println!("{what}: {met} of {all} ({percent} %)");
    assert!(percent >= floor, "{what}: {percent} % is under {floor} %");
}

/// The document scanned, and all its rows picked.
fn rows(path: &Path) -> (Scan, Vec<Row>) {
    let bytes = fs::read(path).unwrap();
    let base = Url::parse("https://corpus.example/products.json").unwrap();
    let options = Options {
        format: CatalogFormat::Auto,
        mapping: None,
        base: &base,
        content_type: None,
        currency: None,
        now: Timestamp::default(),
        items_max: 100_000,
    };
    let (mut listings, mut places) = (Vec::new(), Vec::new());
    let scan = catalog::scan(&mut Cursor::new(&bytes), &options, &mut |listing| {
        places.push(listing.place);
        listings.push(listing);
    });
    let scan = scan.unwrap_or_else(|refusal| panic!("{}: {refusal}", path.display()));
    places.dedup();
    let rows = catalog::pick(&mut Cursor::new(&bytes), &options, scan.format, &places).unwrap();
    let mut again = Vec::new();
    for row in &rows {
        catalog::listing::listings(row, Timestamp::default(), &mut |listing| again.push(listing));
    }
    assert_eq!(again, listings, "{}: scan and pick differ", path.display());
    (scan, rows)
}

#[test]
fn products_and_posts_of_platforms_are_read() {
    let Some(root) = corpus("catalogs") else { return };
    let (mut all, mut ids, mut links, mut titles) = (0, 0, 0, 0);
    let (mut products, mut prices, mut stocks) = (0, 0, 0);
    for (folder, format) in [
        ("shopify-json", CatalogFormat::Shopify),
        ("woocommerce-store-api", CatalogFormat::Woocommerce),
        ("wordpress-rest", CatalogFormat::Wordpress),
        ("prestashop-webservice", CatalogFormat::Prestashop),
    ] {
        for path in files(&root.join(folder)) {
            let (scan, rows) = rows(&path);
            let counts = (scan.format, scan.quality, scan.lost, scan.rows);
            let read = u64::try_from(rows.len()).unwrap();
            assert_eq!(counts, (format, Quality::Whole, 0, read), "{}", path.display());
            for row in rows {
                all += 1;
                ids += usize::from(!row.entry.guid.is_empty());
                links += usize::from(row.entry.link.is_some());
                titles += usize::from(!row.entry.title.is_empty());
                let Some(offer) = row.entry.offer else { continue };
                products += 1;
                prices += usize::from(offer.terms.price_at(Timestamp::default()).is_some());
                stocks += usize::from(offer.terms.availability != Availability::Unknown);
            }
        }
    }
    share("rows with id", ids, all, 100);
    share("rows with link", links, all, 100);
    share("rows with title", titles, all, 95);
    share("products with price", prices, products, 95);
    share("products with stock", stocks, products, 90);
}

#[test]
fn what_other_projects_say_of_these_documents_holds() {
    let Some(root) = corpus("catalogs") else { return };
    let (scan, boxes) = rows(&root.join("shopify-json/localboxes-products.json"));
    assert_eq!((scan.rows, scan.is_window), (17, false));
    assert_eq!(boxes[0].entry.guid, "7184716955843");
    assert_eq!(
        boxes[0].entry.link.as_deref(),
        Some("https://corpus.example/products/just-for-1-2")
    );
    let (_, one) = rows(&root.join("shopify-json/localboxes-product.json"));
    assert_eq!(one[0].entry.guid, boxes[0].entry.guid, "the same product by both roads");
    assert_eq!(one[0].entry.keys.fingerprint, boxes[0].entry.keys.fingerprint);

    let name = "woocommerce-store-api/wcstoreapp-products-minor-unit-3.json";
    let (_, store) = rows(&root.join(name));
    let terms = &store[0].entry.offer.as_ref().unwrap().terms;
    assert_eq!(terms.list.unwrap().to_string(), "18.00 USD");
    let (_, tea) = rows(&root.join("woocommerce-store-api/shopextract-fixture.json"));
    let terms = &tea[0].entry.offer.as_ref().unwrap().terms;
    assert_eq!(terms.list.unwrap().to_string(), "10.99 USD");
    assert_eq!(terms.price_at(Timestamp::default()).unwrap().to_string(), "8.99 USD");

    let (scan, posts) = rows(&root.join("wordpress-rest/softconcis-de-posts.json"));
    assert!(scan.is_window && posts.iter().all(|post| post.entry.published.is_some()));
    let (_, stock) = rows(&root.join("prestashop-webservice/stock_available.xml"));
    let terms = &stock[0].entry.offer.as_ref().unwrap().terms;
    assert_eq!((terms.availability, terms.quantity), (Availability::InStock, Some(42)));
}

#[test]
fn a_shop_that_only_stamps_its_products_anew_shows_no_change() {
    let Some(root) = corpus("sequences/shopify-updated-at-only") else { return };
    let mut versions = Vec::new();
    for path in files(&root) {
        let (_, rows) = rows(&path);
        let keys: Vec<_> = rows
            .iter()
            .map(|row| (row.entry.keys.id, row.entry.keys.fingerprint, row.entry.offer.clone()))
            .collect();
        versions.push(keys);
    }
    assert_eq!(versions[0].len(), 184);
    assert_eq!(versions[0], versions[1]);
}

fn sitemap(path: &Path) -> Sitemap {
    let bytes = fs::read(path).unwrap();
    let base = Url::parse("https://corpus.example/sitemap.xml").unwrap();
    sitemap::read(&bytes, None, &base, sitemap::URLS_MAX)
        .unwrap_or_else(|refusal| panic!("{}: {refusal}", path.display()))
}

#[test]
fn every_sitemap_gives_its_addresses() {
    let Some(root) = corpus("catalogs/sitemaps") else { return };
    let (mut files_read, mut addresses, mut dated) = (0, 0, 0);
    for path in files(&root) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        files_read += 1;
        match sitemap(&path) {
            Sitemap::Index { children, quality } => {
                assert!(!children.is_empty() && quality == Quality::Whole, "{name}");
            }
            Sitemap::Urls { document, .. } => {
                assert_eq!(document.quality, Quality::Whole, "{name}");
                assert!(document.entries.iter().all(|entry| entry.link.is_some()), "{name}");
                assert!(!document.entries.is_empty(), "{name}");
                addresses += document.entries.len();
                dated += document
                    .entries
                    .iter()
                    .filter(|entry| entry.updated.or(entry.published).is_some())
                    .count();
            }
        }
    }
    println!("{files_read} sitemaps, {addresses} addresses, {dated} of them dated");
    assert!(files_read >= 20 && addresses >= 100);

    let entries = |name: &str| match sitemap(&root.join(name)) {
        Sitemap::Urls { document, .. } => document.entries,
        Sitemap::Index { .. } => panic!("{name} is an index"),
    };
    for (name, count) in [
        ("sitemap.ns.xml", 2),
        ("sitemap.badns.xml", 2),
        ("sitemap-with-bom.txt", 2),
        ("sitemap.txt.gz", 5),
        ("xmlSitemap.gz", 5),
        ("atom.xml", 1),
    ] {
        assert_eq!(entries(name).len(), count, "{name}");
    }
    let news = entries("extension__sitemap-news.xml");
    assert_eq!(news[0].title, "Companies A, B in Merger Talks");
    let shop = entries("shopify-purecane-sitemap_products_1.xml");
    assert!(shop.iter().skip(1).all(|entry| entry.image.is_some()));
}

#[test]
fn every_page_leads_to_the_feed_that_it_advertises() {
    let Some(root) = corpus("pages/autodiscovery") else { return };
    let (mut met, mut all) = (0, 0);
    for path in files(&root).into_iter().filter(|path| path.extension() == Some("html".as_ref())) {
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        let html = fs::read_to_string(&path).unwrap();
        let address = format!("http://diveintomark.org/tests/client/autodiscovery/{stem}.html");
        let found = discover::advertised(&html, &Url::parse(&address).unwrap());
        let wanted =
            if stem.starts_with("feed-io") { "/feed.xml".into() } else { format!("/{stem}.xml") };
        let is_met = found.as_ref().is_some_and(|url| url.as_str().ends_with(&wanted));
        if !is_met {
            println!("{stem}: found {found:?}");
        }
        all += 1;
        met += usize::from(is_met);
    }
    share("pages with their feed", met, all, 100);
}

#[test]
fn a_page_given_for_a_feed_names_the_feed() {
    let Some(root) = corpus("pages/autodiscovery") else { return };
    let bytes = fs::read(root.join("feed-io-discovery-https.html")).unwrap();
    let base = Url::parse("https://example.org/").unwrap();
    let refused: Result<Document, _> = feed::read(&bytes, None, &base);
    assert_eq!(
        refused.unwrap_err().to_string(),
        "it is a web page, not a feed; it names one: https://example.org/feed.xml"
    );
}
