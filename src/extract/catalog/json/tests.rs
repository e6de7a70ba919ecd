//! The contract of catalogs over JSON documents: recognised, scanned, picked, refused.

use std::io::Cursor;

use url::Url;

use super::*;
use crate::model::source::Mapping;

const SHOPIFY: &str = r#"{"products":[
    {"id":1,"title":"A","handle":"a","vendor":"V","variants":[
        {"id":11,"title":"S","available":true,"price":"5.00"},
        {"id":12,"title":"M","available":false,"price":"6.00"}]},
    {"id":2,"title":"B","handle":"b","variants":[
        {"id":21,"title":"Default Title","available":true,"price":"7.00"}]}]}"#;
const WOOCOMMERCE: &str = r#"[{"id":1,"name":"A","permalink":"https://e.com/a","prices":{"price":"500","currency_code":"EUR"}}]"#;
const WORDPRESS: &str = r#"[{"id":1,"link":"https://e.com/a","slug":"a","title":{"rendered":"A"},"date":"2026-01-02T03:04:05"}]"#;
const SQUARESPACE: &str = r#"{"website":{},"websiteSettings":{"storeSettings":{"selectedCurrency":"CHF"}},"collection":{},
    "items":[{"id":"a","title":"A","fullUrl":"/shop/a","variants":[{"sku":"x","price":500,"unlimited":true}]}]}"#;
const PRESTASHOP: &str = r#"{"products":[{"id_product":1,"name":"A","url":"https://e.com/1-a.html","price":"5,00 €"}],"pagination":{"pages":[]}}"#;

fn options<'a>(base: &'a Url, format: CatalogFormat, mapping: Option<&'a Mapping>) -> Options<'a> {
    Options {
        format,
        mapping,
        base,
        content_type: None,
        currency: None,
        now: Timestamp::default(),
        items_max: 1_000,
    }
}

fn scanned(
    text: &str,
    format: CatalogFormat,
    mapping: Option<&Mapping>,
) -> Result<(Scan, Vec<Listing>), String> {
    let base = Url::parse("https://e.com/doc").unwrap();
    let mut found = Vec::new();
    let document = &mut Cursor::new(text.as_bytes());
    scan(document, &options(&base, format, mapping), &mut |listing| found.push(listing))
        .map(|scan| (scan, found))
        .map_err(|refusal| refusal.to_string())
}

fn picked(text: &str, format: CatalogFormat, places: &[u64]) -> Vec<Row> {
    let base = Url::parse("https://e.com/doc").unwrap();
    let document = &mut Cursor::new(text.as_bytes());
    pick(document, &options(&base, format, None), format, places).unwrap()
}

#[test]
fn every_platform_is_known_by_its_content() {
    for (text, expected, price) in [
        (SHOPIFY, CatalogFormat::Shopify, Some("5.00")),
        (WOOCOMMERCE, CatalogFormat::Woocommerce, Some("5.00 EUR")),
        (WORDPRESS, CatalogFormat::Wordpress, None),
        (SQUARESPACE, CatalogFormat::Squarespace, Some("5.00 CHF")),
        (PRESTASHOP, CatalogFormat::Prestashop, Some("5.00 EUR")),
        (
            "<?xml version='1.0'?><prestashop><product><id>1</id><price>5.00</price></product></prestashop>",
            CatalogFormat::Prestashop,
            Some("5.00"),
        ),
    ] {
        let (scan, listings) = scanned(text, CatalogFormat::Auto, None).unwrap();
        assert_eq!((scan.format, scan.quality, scan.lost), (expected, Quality::Whole, 0));
        assert_eq!(listings[0].price.map(|price| price.to_string()).as_deref(), price);
        assert_eq!(scan.is_window, expected == CatalogFormat::Wordpress);
    }
}

#[test]
fn what_is_picked_gives_the_listings_of_the_scan() {
    let (scan, listings) = scanned(SHOPIFY, CatalogFormat::Auto, None).unwrap();
    assert_eq!((scan.rows, listings.len()), (2, 3));
    let places = [listings[2].place, listings[0].place];
    let rows = picked(SHOPIFY, CatalogFormat::Shopify, &[places[0], places[1], u64::MAX]);
    assert_eq!(rows.iter().map(|row| row.place).collect::<Vec<_>>(), places);
    let mut again = Vec::new();
    for row in rows.iter().rev() {
        listing::listings(row, Timestamp::default(), &mut |listing| again.push(listing));
    }
    assert_eq!(again, listings);
}

#[test]
fn a_broken_row_costs_one_row_and_a_cut_document_its_last() {
    let broken = SHOPIFY.replacen("\"5.00\"", "5.00.0", 1);
    let (scan, listings) = scanned(&broken, CatalogFormat::Shopify, None).unwrap();
    assert_eq!((scan.rows, scan.lost, listings.len()), (2, 1, 1));
    assert_eq!(scan.remarks, ["1 of 2 rows could not be read"]);
    let cut = &SHOPIFY[..SHOPIFY.len() - 4];
    let (scan, _) = scanned(cut, CatalogFormat::Shopify, None).unwrap();
    assert_eq!((scan.rows, scan.quality), (1, Quality::Truncated));
    let open = &SHOPIFY[..SHOPIFY.len() - 1];
    let (scan, _) = scanned(open, CatalogFormat::Shopify, None).unwrap();
    assert_eq!((scan.rows, scan.quality), (2, Quality::Truncated));
}

#[test]
fn a_mapped_document_is_read_in_every_shape() {
    let fields = vec![("id".to_owned(), "n".to_owned()), ("price".to_owned(), "p".to_owned())];
    for (text, row) in [
        (r#"[{"n":1,"p":2.5},{"n":2,"p":3}]"#, ""),
        ("{\"n\":1,\"p\":2.5}\n{\"n\":2,\"p\":3}\n", ""),
        (r#"{"a":{"b":[{"n":1,"p":2.5},{"n":2,"p":3}]}}"#, "a/b"),
        (r#"{"a":[{"b":[]},{"b":[{"n":1,"p":2.5},{"n":2,"p":3}]}]}"#, "a/1/b"),
    ] {
        let mapping = Mapping { row: row.into(), fields: fields.clone() };
        let (scan, listings) = scanned(text, CatalogFormat::Mapped, Some(&mapping)).unwrap();
        assert_eq!((scan.rows, scan.lost, scan.quality), (2, 0, Quality::Whole), "{text}");
        assert_eq!(listings[0].price.unwrap().decimal(), "2.5");
    }
}

#[test]
fn what_is_no_catalog_is_refused_in_one_line() {
    let mapping = Mapping { row: "a".into(), fields: vec![] };
    for (text, format, expected) in [
        (
            "<!DOCTYPE html><html><title>Opening soon</title><input type=password>",
            CatalogFormat::Shopify,
            "it is a login page titled “Opening soon”, not a catalog",
        ),
        (
            "<html><title>Shop</title>",
            CatalogFormat::Woocommerce,
            "it is a web page titled “Shop”, not a catalog",
        ),
        (
            r#"{"errors":"Page * Limit exceeds the 25000 limit."}"#,
            CatalogFormat::Shopify,
            "the site answers with an error: Page * Limit exceeds the 25000 limit.",
        ),
        (
            r#"{"code":"rest_no_route","message":"No route was found","data":{"status":404}}"#,
            CatalogFormat::Auto,
            "the site answers with an error: No route was found (rest_no_route)",
        ),
        (
            r#"{"version":"https://jsonfeed.org/version/1.1","items":[]}"#,
            CatalogFormat::Auto,
            "it is a feed without products: set `kind = \"feed\"`",
        ),
        (
            r#"{"rows":[1],"total":1}"#,
            CatalogFormat::Auto,
            "unknown format: JSON of `rows`, `total`: describe it with `format = \"mapped\"`",
        ),
        (WOOCOMMERCE, CatalogFormat::Shopify, "it looks like `woocommerce`, not `shopify`"),
        ("[]", CatalogFormat::Auto, "it is an empty list: name its `format`"),
        (
            r#"{"b":[]}"#,
            CatalogFormat::Mapped,
            "it is JSON of `b`, and has no list where `row` says",
        ),
        ("", CatalogFormat::Shopify, "the answer is empty"),
        ("hello", CatalogFormat::Shopify, "it is no JSON"),
    ] {
        let refused = scanned(text, format, Some(&mapping)).map(|(scan, _)| scan);
        assert_eq!(refused, Err(expected.to_owned()), "{text}");
    }
    let (scan, _) = scanned(r#"{"products":[]}"#, CatalogFormat::Auto, None).unwrap();
    assert_eq!((scan.format, scan.rows), (CatalogFormat::Shopify, 0));
    let (scan, _) = scanned("[]", CatalogFormat::Woocommerce, None).unwrap();
    assert_eq!((scan.format, scan.rows), (CatalogFormat::Woocommerce, 0));
}

#[test]
fn sec_l08_more_rows_than_allowed_are_not_read() {
    let base = Url::parse("https://e.com/doc").unwrap();
    let options = Options { items_max: 1, ..options(&base, CatalogFormat::Shopify, None) };
    let document = &mut Cursor::new(SHOPIFY.as_bytes());
    let refused = scan(document, &options, &mut |_| {});
    assert_eq!(refused, Err(NotADocument::TooManyItems { max: 1 }));
}

#[test]
fn a_shop_s_currency_is_read() {
    let of = |text: &str| currency_in(text.as_bytes()).map(|currency| currency.to_string());
    assert_eq!(
        of(r#"{"id":1,"currency":"CAD","money_format":"${{amount}}"}"#).as_deref(),
        Some("CAD")
    );
    assert_eq!(of(r#"{"currency":"dollars"}"#), None);
    assert_eq!(of("<html>"), None);
}
