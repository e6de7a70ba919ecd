//! Megabytes a second of each reader beside the bare parser that others would use, in one run.
//!
//! `cargo bench --bench parse [-- MEGABYTES]` (default 32). The bare loops only go over the
//! events, cells or values; ours give listings with prices and hashes. Each is run a few times by
//! turns, and the fastest counts.

#![expect(clippy::print_stdout, reason = "it is a program that prints")]

#[path = "catalog/made.rs"]
mod made;

use std::hint::black_box;
use std::io::{BufReader, Cursor};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tidings::extract::catalog::{self, Options};
use tidings::extract::feed;
use tidings::model::source::CatalogFormat;
use tidings::model::time::Timestamp;
use url::Url;

/// How often each is run.
const RUNS: usize = 5;
/// About as many bytes are one product.
const PRODUCT_BYTES: u64 = 1_000;

fn main() -> Result<()> {
    let argument = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let megabytes: u64 = argument.map_or(Ok(32), |text| text.parse())?;
    let products = megabytes * 1_000_000 / PRODUCT_BYTES;
    let mut merchant = Vec::new();
    made::write_merchant(&mut merchant, products, 1, 0)?;
    let mut delimited = Vec::new();
    made::write_delimited(&mut delimited, products)?;
    let shopify = shopify(products / 8);
    let rss = rss(products.min(8_000));
    println!("{:<28} {:>10} {:>10} {:>7}", "MB/s", "ours", "bare", "times");
    compare("merchant, quick-xml", &merchant, &scan, &bare_xml)?;
    compare("tab-separated, csv", &delimited, &scan, &bare_csv)?;
    compare("shopify, serde_json", &shopify, &scan, &bare_json)?;
    compare("rss, quick-xml", &rss, &read_feed, &bare_xml)?;
    Ok(())
}

type Reader<'r> = &'r dyn Fn(&[u8]) -> Result<usize>;

fn compare(name: &str, document: &[u8], ours: Reader<'_>, bare: Reader<'_>) -> Result<()> {
    let (mut best, mut best_bare) = (Duration::MAX, Duration::MAX);
    for _ in 0..RUNS {
        for (reader, best) in [(ours, &mut best), (bare, &mut best_bare)] {
            let started = Instant::now();
            let found = reader(document).with_context(|| name.to_owned())?;
            *best = (*best).min(started.elapsed());
            ensure!(black_box(found) > 0, "{name}: nothing was found");
        }
    }
    let speed = |time: Duration| document.len() as f64 / 1e6 / time.as_secs_f64();
    let times = best.as_secs_f64() / best_bare.as_secs_f64();
    println!("{name:<28} {:>10.0} {:>10.0} {times:>7.2}", speed(best), speed(best_bare));
    Ok(())
}

fn scan(document: &[u8]) -> Result<usize> {
    let base = Url::parse("https://shop.example/")?;
    let options = Options {
        format: CatalogFormat::Auto,
        now: Timestamp::from_millis(1_800_000_000_000),
        ..Options::plain(&base)
    };
    let mut found = 0;
    catalog::scan(&mut Cursor::new(document), &options, &mut |listing| {
        found += usize::from(black_box(listing).product != 0);
    })?;
    Ok(found)
}

fn read_feed(document: &[u8]) -> Result<usize> {
    let base = Url::parse("https://blog.example/")?;
    Ok(feed::read(document, None, &base)?.entries.len())
}

fn bare_xml(document: &[u8]) -> Result<usize> {
    let mut reader = quick_xml::Reader::from_reader(BufReader::new(Cursor::new(document)));
    let mut buffer = Vec::new();
    let mut found = 0;
    loop {
        match reader.read_event_into(&mut buffer)? {
            quick_xml::events::Event::Eof => return Ok(found),
            event => found += usize::from(!black_box(event).is_empty()),
        }
        buffer.clear();
    }
}

fn bare_csv(document: &[u8]) -> Result<usize> {
    let mut reader = csv::ReaderBuilder::new().delimiter(b'\t').from_reader(document);
    let mut record = csv::ByteRecord::new();
    let mut found = 0;
    while reader.read_byte_record(&mut record)? {
        found += black_box(&record).len();
    }
    Ok(found)
}

fn bare_json(document: &[u8]) -> Result<usize> {
    let value: serde_json::Value = serde_json::from_slice(document)?;
    Ok(black_box(value)["products"].as_array().map_or(0, Vec::len))
}

/// A page of a Shopify shop, larger than any shop's.
fn shopify(products: u64) -> Vec<u8> {
    let product = |number: u64| {
        serde_json::json!({
            "id": 7_000_000_000_000_u64 + number, "title": format!("Product {number}"),
            "handle": format!("product-{number}"), "vendor": "Maker", "product_type": "Lamp",
            "body_html": "<p>Some words about it, as shops write them.</p>".repeat(6),
            "published_at": "2026-01-01T10:00:00-05:00", "tags": ["a", "b"],
            "variants": [{
                "id": 4_000_000_000_000_u64 + number, "title": "Default Title", "sku": "S",
                "available": true, "price": "15.00", "compare_at_price": "20.00",
            }],
            "images": [{"id": 1, "src": "https://cdn.shopify.com/s/files/1/a.jpg?v=1"}],
        })
    };
    let products: Vec<serde_json::Value> = (0..products).map(product).collect();
    serde_json::json!({ "products": products }).to_string().into_bytes()
}

fn rss(items: u64) -> Vec<u8> {
    let mut out = "<rss version=\"2.0\"><channel><title>Blog</title>".to_owned();
    for number in 0..items {
        out.push_str(&format!(
            "<item><title>Story {number}</title><link>https://blog.example/{number}</link>\
             <guid isPermaLink=\"false\">{number}</guid>\
             <pubDate>Thu, 01 Jan 2026 19:48:21 GMT</pubDate>\
             <description><![CDATA[{}]]></description></item>",
            "<p>Some words about it, as people write them.</p>".repeat(12),
        ));
    }
    out.push_str("</channel></rss>");
    out.into_bytes()
}
